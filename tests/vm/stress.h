/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the stress test share.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Report something wrong. */
__attribute__((format(printf, 1, 2)))
void wrong(const char *fmt, ...);

/* May an error be, as space runs out and others take rows away? */
bool allowed(int error);

/* A call failed: something wrong, unless it is allowed(). */
void failed(const char *what);

/* A random number below @n. */
uint32_t below(uint32_t n);

uint64_t mix(uint64_t a, uint64_t b);

/* A number that no other process, and no other call, gives. */
uint64_t new_nonce(void);

/* One operation on a shared ordinary file. */
void do_plain(void);

/* Verify all shared ordinary files. */
void check_plain(void);

#endif /* STRESS_H */
