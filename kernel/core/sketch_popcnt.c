// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The loops over records with the population count instruction: compiled with
 * -mpopcnt on x86, and called only where the processor has it.
 */
#define VEX_SKETCH_VARIANT(name) name##_popcnt
#include "sketch_scan.h"
