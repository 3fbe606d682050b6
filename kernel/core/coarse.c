// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Coarse fixed point. Lengths and E are in units of 2^-8 here, so that their
 * roundings, always to the safe side, cost little.
 */
#include "coarse.h"
#include "root.h"

/* Far beyond any product (below 2^39) and safe to square and shift. */
#define FAR 0x4000000000000ll

static s64 coarse_value(s64 x)
{
	return (x + (1ll << (VEX_COARSE_SHIFT - 1))) >> VEX_COARSE_SHIFT;
}

u64 vex_coarse_row(s64 *x, u32 count, u64 *pairs)
{
	u64 squares = 0;
	size_t i;

	if (count & 1)
		x[count] = 0;
	VEX_UNROLL(2)
	for (i = 0; i < count; i += 2) {
		u64 a = (u64)coarse_value(x[i]);
		u64 b = (u64)coarse_value(x[i + 1]);

		pairs[i / 2] = a + (b << 32);
		squares += a * a + b * b;
	}
	return squares;
}

u64 vex_coarse_query(s64 *x, u32 count, u64 *pairs)
{
	u64 squares = 0;
	size_t i;

	if (count & 1)
		x[count] = 0;
	for (i = 0; i < count; i += 2) {
		u64 a = (u64)coarse_value(x[i]);
		u64 b = (u64)coarse_value(x[i + 1]);

		pairs[i / 2] = (a << 32) + b;
		squares += a * a + b * b;
	}
	return squares;
}

/*
 * (a + b Z) (d + c Z) is ad + (ac + bd) Z modulo Z^2, Z = 2^32. Both lanes of
 * the sum stay below 2^31 over VEX_COARSE_BLOCK values; the upper one is what
 * is left when the lower one, which is signed, is taken away.
 */
s64 vex_coarse_products(const u64 *row, const u64 *query, u32 words)
{
	u64 sum = 0;
	size_t i;

	VEX_UNROLL(8)
	for (i = 0; i < words; i++)
		sum += row[i] * query[i];
	return (s64)(sum - (u64)(s64)(s32)sum) >> 32;
}

/* E for so many elements, in 2^-8: sqrt(n) / 2 and 2^-7 of it to spare. */
static u64 rounding_length(u32 dim)
{
	u64 length = vex_square_root((vex_u128)dim << 14) + 1;

	return length + (length >> 7) + 1;
}

/* The integer next below -limit / 2^unit, or one less. */
static s64 opposite(s64 limit, s32 unit)
{
	vex_u128 size;

	if (limit >= 0) {
		size = vex_scaled_key(limit, unit);
		return size > FAR ? -FAR : -(s64)size;
	}
	size = vex_scaled_key(vex_key_from_double(vex_double_from_key(limit) ^
						  (1ull << 63)), unit);
	return size > FAR ? FAR : (s64)size - 1;
}

void vex_coarse_limit(struct vex_coarse *coarse, u32 metric, u32 dim, s64 limit,
		      s32 row_unit, s32 query_unit)
{
	u64 e = rounding_length(dim);
	u64 length = vex_square_root((vex_u128)coarse->square << 16) + 1;
	/* What the rounding can add to a product, but for E |x'|. */
	s64 doubt = (s64)((e * (length + e) >> 16) + 1);
	u64 shortest = length > e + 1 ? length - e - 1 : 0;
	vex_u128 square;
	u64 part;

	coarse->able = limit < VEX_KEY_INFINITY - 1;
	if (!coarse->able)
		return;
	limit++;
	switch (metric) {
	case VEX_METRIC_L2:
		square = vex_scaled_key(limit, 2 * row_unit - 16);
		if (square >> 112) {
			coarse->able = false;
			return;
		}
		length = vex_square_root(square) + 1 + 2 * e;
		square = (vex_u128)length * length >> 16;
		coarse->refuse = square > FAR ? FAR : (s64)square;
		return;
	case VEX_METRIC_IP:
		coarse->refuse = opposite(limit, row_unit + query_unit) - doubt;
		coarse->slope = e;
		return;
	default:
		/* 1 - limit in units of 2^-32; nothing is refused below 0. */
		square = limit < 0 ? 0 : vex_scaled_key(limit, -32);
		part = square < 1ull << 32 ? (1ull << 32) - (u64)square : 0;
		part = (u64)((vex_u128)shortest * part >> 32);
		coarse->refuse = doubt + (s64)(e * shortest >> 16) + 1;
		coarse->slope = part > e ? part - e : 0;
		coarse->able = coarse->slope;
	}
}

/* -1, 0 or 1 as size, not negative, is below, at or above slope |x'|. */
static int versus_length(s64 size, u64 slope, u64 square)
{
	vex_u128 a = (vex_u128)(u64)size * (u64)size << 16;
	vex_u128 b = (vex_u128)(slope * slope) * square;

	return a < b ? -1 : a > b;
}

bool vex_coarse_beyond(const struct vex_coarse *coarse, u32 metric, s64 product,
		       u64 square)
{
	s64 size;

	if (!coarse->able)
		return false;
	switch (metric) {
	case VEX_METRIC_L2:
		return (s64)(square + coarse->square) - 2 * product >
		       coarse->refuse;
	case VEX_METRIC_IP:
		/* slope |x'| < refuse - product */
		size = coarse->refuse - product;
		return size > 0 &&
		       versus_length(size, coarse->slope, square) > 0;
	default:
		/* product + refuse < slope |x'| */
		size = product + coarse->refuse;
		return size < 0 ||
		       versus_length(size, coarse->slope, square) < 0;
	}
}
