/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Square roots and quotients of normalised 64-bit numbers, without the wide
 * division that the kernel does not link.
 */
#ifndef VEX_ROOT_H
#define VEX_ROOT_H

#include "fixed.h"

/**
 * struct vex_root - the reciprocal of a square root
 * @mantissa: 2^62 to 2^63
 * @exponent: the number is @mantissa * 2^@exponent
 */
struct vex_root {
	u64 mantissa;
	s32 exponent;
};

/**
 * vex_root_reciprocal - approximate 1 / sqrt(value)
 * @value: not zero
 *
 * Newton's iteration from a table of 8 bits.
 *
 * Return: the root, within 2^-59 relative.
 */
struct vex_root vex_root_reciprocal(vex_u128 value);

/**
 * vex_divide - divide 128 by 64 bits
 * @high: upper half of the dividend, below @divisor
 * @low: lower half of the dividend
 * @divisor: at least 2^63
 *
 * Two steps of long division with 32-bit digits (Knuth, TAOCP 4.3.1 D).
 *
 * Return: the quotient, rounded down.
 */
u64 vex_divide(u64 high, u64 low, u64 divisor);

/**
 * vex_square_root - the integer square root
 * @value: any number
 *
 * Return: the root, rounded down.
 */
u64 vex_square_root(vex_u128 value);

#endif /* VEX_ROOT_H */
