// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The tables of block fixed point, decoding by them, and conversion between
 * 128-bit sums and binary64 keys.
 */
#include "fixed.h"

/* What an element type's bits mean: value = (implicit + m) * 2^(e - bias). */
struct encoding {
	u32 mantissa;	/* bits */
	u32 exponents;	/* one more than the largest exponent field */
	s32 bias;
};

static const struct encoding encoding_f32 = { 23, 256, 150 };
static const struct encoding encoding_f16 = { 10, 32, 25 };

/*
 * Entries first to end - 1 of either sign, which are alike: with b = index *
 * 2^mantissa + m the value is b * mul + add: what the sign and exponent bits
 * contribute to the product is taken back by add.
 */
static void scale_entries(struct vex_scale *scale, const struct encoding *code,
			  u32 first, u32 end)
{
	const u32 sign = code->exponents;
	u32 e;

	for (e = first; e < end; e++) {
		u64 implicit = e ? 1ull << code->mantissa : 0;
		u64 mul = 1ull << ((s32)(e ? e : 1) - code->bias - scale->unit);

		scale->mul[e] = mul;
		scale->add[e] = (implicit - ((u64)e << code->mantissa)) * mul;
		mul = 0 - mul;
		scale->mul[e + sign] = mul;
		scale->add[e + sign] = (implicit - ((u64)(e + sign) <<
						    code->mantissa)) * mul;
	}
}

/* Entries first to end - 1 of either sign: elements that have no value. */
static void scale_marks(struct vex_scale *scale, const struct encoding *code,
			u32 first, u32 end, u64 mark)
{
	const u32 sign = code->exponents;
	u32 e;

	for (e = first; e < end; e++) {
		scale->mul[e] = 0;
		scale->add[e] = mark;
		scale->mul[e + sign] = 0;
		scale->add[e + sign] = mark;
	}
}

static void scale_floats(struct vex_scale *scale, const struct encoding *code)
{
	/* Exponents from first on, but below end, are kept exactly. */
	s32 first = code->bias + scale->unit + 2;
	s32 end = scale->top + code->bias - (s32)code->mantissa + 1;

	end = min_t(s32, end, (s32)code->exponents);
	if (first > 1) {
		scale_marks(scale, code, 0, 1, 0);
		scale->subnormal_log = (s32)code->mantissa + 1 - code->bias -
				       scale->unit;
		scale_marks(scale, code, 1, (u32)first, VEX_MARK_SMALL);
	} else {
		first = 0;
	}
	scale_entries(scale, code, (u32)first, (u32)end);
	scale_marks(scale, code, (u32)end, code->exponents, VEX_LARGE);
}

static void scale_bytes(struct vex_scale *scale, u32 type)
{
	s32 shift = -scale->unit;
	u32 i;

	for (i = 0; i < 256; i++) {
		s64 value = type == VEX_TYPE_I8 ? (s8)i : (s64)i;

		if (shift >= 2)
			scale->add[i] = (u64)value << shift;
		else
			scale->add[i] = value ? VEX_MARK_SMALL : 0;
	}
}

void vex_scale_build(struct vex_scale *scale, u32 type, s32 top)
{
	s32 least = type == VEX_TYPE_F32 ? VEX_TOP_MIN :
		    type == VEX_TYPE_F16 ? -15 : 7;

	scale->top = top < least ? least : top;
	scale->unit = scale->top + 1 - (s32)VEX_BITS;
	scale->subnormal_log = VEX_NO_ERROR;
	if (type == VEX_TYPE_F32)
		scale_floats(scale, &encoding_f32);
	else if (type == VEX_TYPE_F16)
		scale_floats(scale, &encoding_f16);
	else
		scale_bytes(scale, type);
}

u64 vex_fixed_decode(const struct vex_scale *scale, u32 type, const void *data,
		     u32 count, s64 *out)
{
	const u8 *bytes = data;
	u64 seen = 0;
	size_t i;

	if (type == VEX_TYPE_F32) {
		VEX_UNROLL(4)
		for (i = 0; i < count; i++) {
			u64 b = vex_load_le32(bytes + 4 * i);
			u64 v = b * scale->mul[b >> 23] + scale->add[b >> 23];

			seen |= v;
			out[i] = (s64)v;
		}
	} else if (type == VEX_TYPE_F16) {
		VEX_UNROLL(4)
		for (i = 0; i < count; i++) {
			u64 b = vex_load_le16(bytes + 2 * i);
			u64 v = b * scale->mul[b >> 10] + scale->add[b >> 10];

			seen |= v;
			out[i] = (s64)v;
		}
	} else {
		VEX_UNROLL(4)
		for (i = 0; i < count; i++) {
			u64 v = scale->add[bytes[i]];

			seen |= v;
			out[i] = (s64)v;
		}
	}
	return seen;
}

static __always_inline u32 element_f32(u32 type, const void *data,
				       size_t index)
{
	const u8 *bytes = data;
	u32 value, sign, e, m, length;

	switch (type) {
	case VEX_TYPE_F32:
		return vex_load_le32(bytes + 4 * index);
	case VEX_TYPE_F16:
		value = vex_load_le16(bytes + 2 * index);
		sign = (value & 0x8000) << 16;
		e = value >> 10 & 31;
		m = value & 0x3ff;
		if (e)
			return sign | (e + 112) << 23 | m << 13;
		value = m;
		e = 127 - 24;
		break;
	case VEX_TYPE_I8:
		sign = bytes[index] & 0x80 ? 1u << 31 : 0;
		value = sign ? 256u - bytes[index] : bytes[index];
		e = 127;
		break;
	default:
		sign = 0;
		value = bytes[index];
		e = 127;
	}
	if (!value)
		return sign;
	/* value * 2^(e - 127), of at most 10 bits */
	length = fls64(value) - 1;
	return sign | (e + length) << 23 |
	       ((value << (23 - length)) & 0x7fffff);
}

u32 vex_element_f32(u32 type, const void *data, size_t index)
{
	return element_f32(type, data, index);
}

static __always_inline bool round_elements(const u32 type, const void *data,
					   u32 count, s32 unit, s64 *out)
{
	bool exact = true;
	u32 i;

	for (i = 0; i < count; i++) {
		u32 b = element_f32(type, data, i);
		u32 e = b >> 23 & 255;
		s64 m = (b & 0x7fffff) | (e ? 0x800000 : 0);
		s64 sign = -(s64)(b >> 31);
		s32 shift = (s32)(e ? e : 1) - 150 - unit;

		if (likely(shift >= 0)) {
			m <<= shift > 62 ? 62 : shift;
		} else if (shift > -26) {
			exact &= !(m & ((1ll << -shift) - 1));
			m = (m + (1ll << (-shift - 1))) >> -shift;
		} else {
			exact &= !m;
			m = 0;
		}
		out[i] = (m ^ sign) - sign;
	}
	return exact;
}

bool vex_fixed_round(u32 type, const void *data, u32 count, s32 unit, s64 *out)
{
	if (type == VEX_TYPE_F32)
		return round_elements(VEX_TYPE_F32, data, count, unit, out);
	return round_elements(type, data, count, unit, out);
}

static __always_inline u32 largest_of(const u32 type, const void *data,
				      size_t count)
{
	u32 largest = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		u32 b = element_f32(type, data, i) & 0x7fffffff;

		largest = b > largest ? b : largest;
	}
	return largest;
}

u32 vex_elements_largest(u32 type, const void *data, size_t count)
{
	if (type == VEX_TYPE_F32)
		return largest_of(VEX_TYPE_F32, data, count);
	return largest_of(type, data, count);
}

s32 vex_elements_top(u32 type, const void *data, size_t count)
{
	return (s32)(vex_elements_largest(type, data, count) >> 23) - 127;
}

bool vex_elements_subnormal(const void *data, size_t count)
{
	const u64 magnitude = 0x7fffffff7fffffffull;
	const u64 normal = 0x7f8000007f800000ull;
	const u8 *bytes = data;
	u64 seen = 0;
	size_t i;

	/* The sums' sign bits differ for magnitudes of 1 to 0x7fffff only. */
	for (i = 0; i + 2 <= count; i += 2) {
		u64 w = vex_load_le64(bytes + 4 * i) & magnitude;

		seen |= (w + magnitude) ^ (w + normal);
	}
	if (i < count) {
		u64 w = vex_load_le32(bytes + 4 * i) & magnitude;

		seen |= (w + magnitude) ^ (w + normal);
	}
	return seen & ~magnitude;
}

/* A mantissa of 53 bits; one rounded up to 2^53 carries over rightly. */
static s64 key_of(u64 mantissa, bool negative, s32 exponent)
{
	s64 key = ((s64)(exponent + 1074) << 52) + (s64)mantissa;

	return negative ? ~key : key;
}

s64 vex_key_scaled(vex_u128 value, bool negative, s32 exponent, bool up)
{
	s32 drop = (s32)vex_bits128(value) - 53;
	u64 mantissa;

	if (!value)
		return 0;
	if (drop <= 0)
		return key_of((u64)value << -drop, negative, exponent + drop);
	mantissa = (u64)(value >> drop);
	if (up != negative && value & (((vex_u128)1 << drop) - 1))
		mantissa++;
	return key_of(mantissa, negative, exponent + drop);
}

s64 vex_key_nearest(vex_u128 value, bool negative, s32 exponent)
{
	s32 drop = (s32)vex_bits128(value) - 53;
	vex_u128 rest, half;
	u64 mantissa;

	if (drop <= 0)
		return vex_key_scaled(value, negative, exponent, false);
	mantissa = (u64)(value >> drop);
	rest = value & (((vex_u128)1 << drop) - 1);
	half = (vex_u128)1 << (drop - 1);
	if (rest > half || (rest == half && mantissa & 1))
		mantissa++;
	return key_of(mantissa, negative, exponent + drop);
}

vex_u128 vex_scaled_key(s64 key, s32 exponent)
{
	s32 shift = (s32)(key >> 52) - 1075 - exponent;
	u64 mantissa = ((u64)key & 0xfffffffffffffull) | 1ull << 52;

	if (key <= 0)
		return 0;
	if (key >= VEX_KEY_INFINITY || shift > 127 - 53)
		return (vex_u128)1 << 127;
	if (shift >= 0)
		return (vex_u128)mantissa << shift;
	if (shift < -54)
		return 1;
	return (mantissa >> -shift) + 1;
}
