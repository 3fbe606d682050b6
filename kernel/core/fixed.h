/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Block fixed point: elements of any type as signed 64-bit multiples of one
 * power of two (the scale's unit), the sums over them, and the way back from
 * 128-bit sums to binary64 keys. Internal to the distance code.
 *
 * Decoding an element is a multiplication by a table entry chosen by its sign
 * and exponent, and an addition. What a scale cannot hold leaves a mark in
 * the low two bits, which are clear in every value that it can hold.
 */
#ifndef VEX_FIXED_H
#define VEX_FIXED_H

#include "float.h"

typedef unsigned __int128 vex_u128;
typedef __int128 vex_s128;

/* Unroll the loop that follows: the hot ones are bound by instructions. */
#define VEX_PRAGMA(text) _Pragma(#text)
#define VEX_UNROLL(times) VEX_PRAGMA(GCC unroll times)

/* The elements that are decoded at a time. */
#define VEX_BLOCK 256u

#define VEX_MARK_SMALL 1u	/* an element below the scale was dropped */
#define VEX_MARK_LARGE 2u	/* an element above the scale: no result */

/*
 * Values are below 2^54. An element above the scale decodes to 2^60 and its
 * mark, so that its square stands out in a sum of few squares.
 */
#define VEX_BITS 54u
#define VEX_LARGE ((1ull << 60) | VEX_MARK_LARGE)

/* A dropped element is smaller than this power of two, in units. */
#define VEX_SMALL_LOG 26

/* An error bound's logarithm when there is no error. */
#define VEX_NO_ERROR (-100000)

/* Exponent of the largest element of a vector of zeros. */
#define VEX_TOP_MIN (-127)

/**
 * struct vex_scale - how rows become fixed point
 * @unit: a decoded integer v stands for v * 2^@unit
 * @top: the largest exponent of a leading bit that fits
 * @subnormal_log: subnormal elements decode to zero without a mark, and are
 *	smaller than 2^this units; VEX_NO_ERROR if they decode exactly
 * @mul: factor by sign and exponent (f32: 512 entries, f16: 64)
 * @add: summand by sign and exponent, or the value itself by byte (i8, u8)
 */
struct vex_scale {
	s32 unit;
	s32 top;
	s32 subnormal_log;
	u64 mul[512];
	u64 add[512];
};

/**
 * vex_scale_build - tables for rows of a type
 * @scale: what to fill
 * @type: element type of the rows
 * @top: the largest exponent wanted; raised to what the type always needs
 */
void vex_scale_build(struct vex_scale *scale, u32 type, s32 top);

/**
 * vex_fixed_decode - decode elements
 * @scale: for @type
 * @type: element type
 * @data: @count elements
 * @count: at most VEX_BLOCK
 * @out: receives the values
 *
 * Return: the inclusive or of all values, for their marks.
 */
u64 vex_fixed_decode(const struct vex_scale *scale, u32 type, const void *data,
		     u32 count, s64 *out);

/**
 * vex_fixed_round - elements as multiples of any unit, rounded to nearest
 * @type: element type
 * @data: @count elements, whose exponents are at most @unit + 62
 * @count: number of elements
 * @unit: the unit
 * @out: receives the values
 *
 * Return: true if no value had to be rounded.
 */
bool vex_fixed_round(u32 type, const void *data, u32 count, s32 unit, s64 *out);

/**
 * vex_elements_largest - the largest magnitude
 * @type: element type
 * @data: @count elements
 * @count: number of elements
 *
 * Return: its binary32 bit pattern, which is exact.
 */
u32 vex_elements_largest(u32 type, const void *data, size_t count);

/**
 * vex_elements_top - exponent of the largest element's leading bit
 * @type: element type
 * @data: @count elements
 * @count: number of elements
 *
 * Return: the exponent, at least VEX_TOP_MIN.
 */
s32 vex_elements_top(u32 type, const void *data, size_t count);

/**
 * vex_elements_subnormal - is any element of f32 data subnormal (not zero)?
 * @data: @count f32 elements
 * @count: number of elements
 *
 * Return: true if there is one.
 */
bool vex_elements_subnormal(const void *data, size_t count);

/**
 * vex_element_f32 - one element as a binary32 bit pattern, which is exact
 * @type: element type
 * @data: the first element
 * @index: which one
 *
 * Return: the bit pattern.
 */
u32 vex_element_f32(u32 type, const void *data, size_t index);

/**
 * vex_bits128 - length of a number in bits
 * @value: any number
 *
 * Return: 0 for 0, else one more than the floor of the binary logarithm.
 */
static inline u32 vex_bits128(vex_u128 value)
{
	u64 high = (u64)(value >> 64);

	return high ? 64 + fls64(high) : fls64((u64)value);
}

/**
 * vex_power128 - a bound from its logarithm
 * @log: logarithm, any sign
 *
 * Return: 2^@log, rounded up to 1; 2^126 for more than that.
 */
static inline vex_u128 vex_power128(s32 log)
{
	return (vex_u128)1 << (log < 0 ? 0 : log > 126 ? 126 : log);
}

/**
 * vex_key_scaled - the key of @negative ? -@value : @value, times 2^@exponent
 * @value: magnitude
 * @negative: sign
 * @exponent: such that the result is zero or in binary64's normal range
 * @up: round to the next greater binary64 value, else to the next smaller
 *
 * Return: the key; exact when the value is a binary64 value.
 */
s64 vex_key_scaled(vex_u128 value, bool negative, s32 exponent, bool up);

/**
 * vex_key_nearest - vex_key_scaled(), but rounded to nearest, ties to even
 * @value: magnitude
 * @negative: sign
 * @exponent: as above
 *
 * Return: the key.
 */
s64 vex_key_nearest(vex_u128 value, bool negative, s32 exponent);

/**
 * vex_scaled_key - the inverse, for bounds
 * @key: a key that is not negative
 * @exponent: as above
 *
 * Return: an integer not below the key's value divided by 2^@exponent; 2^127
 * when it would be greater than that.
 */
vex_u128 vex_scaled_key(s64 key, s32 exponent);

#endif /* VEX_FIXED_H */
