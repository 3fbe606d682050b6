// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Element types, and the test that keeps NaN and infinity out of the files.
 * Two binary32 or four binary16 values are tested at a time.
 */
#include "float.h"

u32 vex_type_bytes(u32 type)
{
	switch (type) {
	case VEX_TYPE_F32:
		return 4;
	case VEX_TYPE_F16:
		return 2;
	case VEX_TYPE_I8:
	case VEX_TYPE_U8:
		return 1;
	default:
		return 0;
	}
}

/*
 * Adding one unit of the exponent to an exponent of all ones carries into the
 * sign bit, which was masked off: the sign bits of the sum mark what is bad.
 */
static u64 bad_lanes(u64 word, u64 exponent, u64 one)
{
	return (word & exponent) + one;
}

/* Is there a bad element in the 16 words at data? */
static bool words_bad(const u8 *data, u64 exponent, u64 one, u64 sign)
{
	u64 seen = 0;
	u32 i;

	for (i = 0; i < 16; i++)
		seen |= bad_lanes(vex_load_le64(data + 8 * i), exponent, one);
	return seen & sign;
}

static bool element_bad(u32 type, const u8 *data)
{
	if (type == VEX_TYPE_F32)
		return (vex_load_le32(data) & 0x7f800000) == 0x7f800000;
	return ((data[0] | (u32)data[1] << 8) & 0x7c00) == 0x7c00;
}

s64 vex_elements_check(u32 type, const void *data, size_t count)
{
	const u8 *bytes = data;
	size_t width = vex_type_bytes(type);
	size_t step = 128 / (width ? width : 1);
	u64 exponent = 0x7f8000007f800000ull;
	u64 one = 0x0080000000800000ull;
	u64 sign = 0x8000000080000000ull;
	size_t i = 0;

	if (type != VEX_TYPE_F32 && type != VEX_TYPE_F16)
		return -1;
	if (type == VEX_TYPE_F16) {
		exponent = 0x7c007c007c007c00ull;
		one = 0x0400040004000400ull;
		sign = 0x8000800080008000ull;
	}
	while (count - i >= step &&
	       !words_bad(bytes + i * width, exponent, one, sign))
		i += step;
	for (; i < count; i++)
		if (element_bad(type, bytes + i * width))
			return (s64)i;
	return -1;
}

int vex_radius_key(u64 bits, s64 *key)
{
	if (vex_double_is_nan(bits))
		return -EINVAL;
	*key = bits == 1ull << 63 ? 0 : vex_key_from_double(bits);
	return 0;
}
