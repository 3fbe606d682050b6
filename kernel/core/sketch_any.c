// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The loops over records for every processor.
 */
#define VEX_SKETCH_VARIANT(name) name##_any
#include "sketch_scan.h"
