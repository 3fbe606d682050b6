/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Element types of vector files and IEEE-754 bit patterns, handled with
 * integers only: validation of stored elements, and the order-preserving map
 * between binary64 bit patterns and signed 64-bit keys in which every
 * distance, bound and radius of a search is expressed.
 */
#ifndef VEX_FLOAT_H
#define VEX_FLOAT_H

#include "port.h"

/* The element type of a matrix or of a query; the values are stable. */
enum vex_type {
	VEX_TYPE_F32 = 1,
	VEX_TYPE_F16 = 2,
	VEX_TYPE_I8 = 3,
	VEX_TYPE_U8 = 4,
};

#define VEX_DIM_MAX 65535u

/* binary64 bit patterns and keys of the values that code names. */
#define VEX_DOUBLE_INFINITY 0x7ff0000000000000ull
#define VEX_DOUBLE_ONE 0x3ff0000000000000ull
#define VEX_KEY_INFINITY ((s64)0x7ff0000000000000ll)
#define VEX_KEY_MINUS_INFINITY (-(s64)0x7ff0000000000000ll - 1)

/**
 * vex_type_bytes - size of one element
 * @type: an element type, possibly from outside and invalid
 *
 * Return: 4, 2 or 1; 0 for a type that does not exist.
 */
u32 vex_type_bytes(u32 type);

/**
 * vex_elements_check - find the first element that may not be stored
 * @type: element type (valid)
 * @data: @count little-endian elements, aligned to any byte
 * @count: number of elements
 *
 * NaN and infinity may not be stored; every i8 and u8 may.
 *
 * Return: index of the first NaN or infinity, or -1 if there is none.
 */
s64 vex_elements_check(u32 type, const void *data, size_t count);

/**
 * vex_key_from_double - the sortable key of a binary64 value
 * @bits: bit pattern of any value but NaN
 *
 * Keys compare as signed integers in the order of the values. Minus zero
 * sorts just below plus zero; no distance is ever minus zero.
 *
 * Return: the key.
 */
static inline s64 vex_key_from_double(u64 bits)
{
	s64 key = (s64)bits;

	return key < 0 ? key ^ S64_MAX : key;
}

/**
 * vex_double_from_key - the inverse of vex_key_from_double()
 * @key: a key made by this library
 *
 * Return: the binary64 bit pattern.
 */
static inline u64 vex_double_from_key(s64 key)
{
	return (u64)(key < 0 ? key ^ S64_MAX : key);
}

/**
 * vex_double_is_nan - is this bit pattern a NaN?
 * @bits: a binary64 bit pattern from outside
 *
 * Return: true for a NaN.
 */
static inline bool vex_double_is_nan(u64 bits)
{
	return (bits << 1) > (VEX_DOUBLE_INFINITY << 1);
}

/**
 * vex_radius_key - accept a search radius
 * @bits: binary64 bit pattern from outside; infinities are allowed
 * @key: receives the key; minus zero becomes plus zero
 *
 * Return: 0, or -EINVAL for a NaN.
 */
int vex_radius_key(u64 bits, s64 *key);

#endif /* VEX_FLOAT_H */
