/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Integers wide enough for any sum of products of binary32 values: an
 * accumulator of signed digits that needs no carries while it grows, and
 * natural numbers of any length for what comes after. Internal to exact.c.
 */
#ifndef VEX_WIDE_H
#define VEX_WIDE_H

#include "port.h"

/* Units of 2^-298; a product reaches bit 556, and 65,535 * 4 of them 574. */
#define VEX_WIDE_DIGITS 20u

/**
 * struct vex_wide - a sum of shifted products
 * @digit: the value is the sum of digit[i] * 2^(32 i); up to 2^20 products
 *	may be added before vex_wide_magnitude()
 */
struct vex_wide {
	s64 digit[VEX_WIDE_DIGITS];
};

/**
 * vex_wide_magnitude - the sum as sign and natural number
 * @wide: a sum
 * @digits: receives VEX_WIDE_DIGITS digits of 32 bits, least first
 *
 * Return: the sign: -1, 0 or 1.
 */
int vex_wide_magnitude(const struct vex_wide *wide, u32 *digits);

/**
 * vex_natural_length - how many digits matter
 * @digits: a natural number, least digit first
 * @count: digits there
 *
 * Return: @count less the leading zeros.
 */
u32 vex_natural_length(const u32 *digits, u32 count);

/**
 * vex_natural_compare - compare two numbers
 * @a: a natural number
 * @a_count: its digits
 * @b: another
 * @b_count: its digits
 *
 * Return: -1, 0 or 1.
 */
int vex_natural_compare(const u32 *a, u32 a_count, const u32 *b, u32 b_count);

/**
 * vex_natural_multiply - the product of two numbers
 * @out: receives @a_count + @b_count digits; overlaps neither factor
 * @a: a factor
 * @a_count: its digits
 * @b: the other
 * @b_count: its digits
 */
void vex_natural_multiply(u32 *out, const u32 *a, u32 a_count, const u32 *b,
			  u32 b_count);

/**
 * vex_natural_subtract - subtract in place
 * @a: minuend, not below @b; receives the difference
 * @b: subtrahend
 * @count: digits of both
 */
void vex_natural_subtract(u32 *a, const u32 *b, u32 count);

/**
 * vex_natural_top - the leading 64 bits of a number
 * @digits: a natural number
 * @count: its digits
 * @exponent: receives e: the number is (top + f) * 2^e, 0 <= f < 1
 * @rest: receives whether f is not 0; may be NULL
 *
 * Return: the top, at least 2^63; 0 for zero.
 */
u64 vex_natural_top(const u32 *digits, u32 count, s32 *exponent, bool *rest);

#endif /* VEX_WIDE_H */
