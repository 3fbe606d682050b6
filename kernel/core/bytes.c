// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Sums over bytes, eight elements to a 64-bit word.
 *
 * Two lanes of 32 bits: (a + b Z)(c + d Z) with Z = 2^32 is, modulo 2^64,
 * ac + (ad + bc) Z. Lanes may be negative, since the identity is one of
 * integers: the upper lane is (product - lower lane) / Z with the lower lane
 * taken as signed. Over VEX_BYTES_BLOCK elements both lanes stay below 2^31.
 */
#include "sums.h"

#define PAIR 0x000000ff000000ffull
#define EVEN 0x00ff00ff00ff00ffull
#define ONES 0x0001000100010001ull
#define FLIP 0x8080808080808080ull

static __always_inline u64 swap_lanes(u64 x)
{
	return x << 32 | x >> 32;
}

static __always_inline s64 upper_lane(u64 sum)
{
	return (s64)(sum - (u64)(s64)(s32)sum) >> 32;
}

/* The last word of a row whose length is no multiple of eight. */
static u64 load_tail(const u8 *row, u32 count)
{
	u64 word = 0;

	while (count--)
		word = word << 8 | row[count];
	return word;
}

/* Bits of the first count (below eight) bytes of a word. */
static u64 tail_mask(u32 count)
{
	return (1ull << (8 * count)) - 1;
}

void vex_bytes_lanes(const s32 *values, u64 *lanes)
{
	u32 j;

	for (j = 0; j < 4; j++)
		lanes[j] = ((u64)(2 * (s64)values[j]) << 32) +
			   (u64)(2 * (s64)values[j + 4]);
}

static __always_inline u64 word_squares_products(u64 w, const u64 *q)
{
	u64 x0 = w & PAIR;
	u64 x1 = w >> 8 & PAIR;
	u64 x2 = w >> 16 & PAIR;
	u64 x3 = w >> 24 & PAIR;

	return x0 * (swap_lanes(x0) - q[0]) + x1 * (swap_lanes(x1) - q[1]) +
	       x2 * (swap_lanes(x2) - q[2]) + x3 * (swap_lanes(x3) - q[3]);
}

static __always_inline s64 squares_products(const u8 *row, const u64 *lanes,
					    u32 count, u64 flip)
{
	u64 sum = 0;
	size_t i;

	VEX_UNROLL(4)
	for (i = 0; i + 8 <= count; i += 8)
		sum += word_squares_products(vex_load_le64(row + i) ^ flip,
					     lanes + i / 2);
	if (i < count) {
		u64 w = load_tail(row + i, count - (u32)i) ^
			(flip & tail_mask(count - (u32)i));

		sum += word_squares_products(w, lanes + i / 2);
	}
	return upper_lane(sum);
}

s64 vex_bytes_squared_distance(const u8 *row, const u64 *lanes,
			       const u64 *prefix, u32 dim, u64 flip, s64 limit)
{
	s64 sum = 0;
	s64 now = 0;
	u32 first;

	for (first = 0; first < dim; first += VEX_BYTES_STEP) {
		const u64 *q = lanes + first / 2;
		const u8 *at = row + first;

		__builtin_prefetch(at + dim);
		__builtin_prefetch(at + dim + 64);
		if (dim - first >= VEX_BYTES_STEP)
			sum += squares_products(at, q, VEX_BYTES_STEP, flip);
		else
			sum += squares_products(at, q, dim - first, flip);
		now = sum + (s64)prefix[first / VEX_BYTES_STEP + 1];
		if (now > limit)
			break;
	}
	return now;
}

u64 vex_bytes_pairs(const u8 *row, u32 count, u64 flip, u64 *pairs)
{
	u64 squares = 0;
	size_t i, j;

	for (i = 0; i < count; i += 8) {
		u64 w;

		if (i + 8 <= count)
			w = vex_load_le64(row + i) ^ flip;
		else
			w = load_tail(row + i, count - (u32)i) ^
			    (flip & tail_mask(count - (u32)i));
		for (j = 0; j < 4; j++) {
			u64 x = w >> 8 * j & PAIR;

			pairs[i / 2 + j] = x;
			squares += (x * swap_lanes(x)) >> 32;
		}
	}
	return squares;
}

static __always_inline u64 word_products(u64 w, const u64 *q)
{
	return (w & PAIR) * q[0] + (w >> 8 & PAIR) * q[1] +
	       (w >> 16 & PAIR) * q[2] + (w >> 24 & PAIR) * q[3];
}

s64 vex_bytes_products(const u8 *row, const u64 *lanes, u32 count, u64 flip)
{
	u64 sum = 0;
	size_t i;

	VEX_UNROLL(4)
	for (i = 0; i + 8 <= count; i += 8)
		sum += word_products(vex_load_le64(row + i) ^ flip,
				     lanes + i / 2);
	if (i < count)	/* lanes of what lies beyond are zero */
		sum += word_products(load_tail(row + i, count - (u32)i) ^ flip,
				     lanes + i / 2);
	return upper_lane(sum);
}

/*
 * |x - 128| from a flipped i8 would cost more than squaring signed lanes:
 * (x - 128)^2 summed needs lanes that may be negative, so the swapped lanes
 * are made from the bytes first and 128 is taken from both factors.
 */
static __always_inline u64 word_squares(u64 w, u64 bias)
{
	u64 x0 = w & PAIR;
	u64 x1 = w >> 8 & PAIR;
	u64 x2 = w >> 16 & PAIR;
	u64 x3 = w >> 24 & PAIR;

	return (x0 - bias) * (swap_lanes(x0) - bias) +
	       (x1 - bias) * (swap_lanes(x1) - bias) +
	       (x2 - bias) * (swap_lanes(x2) - bias) +
	       (x3 - bias) * (swap_lanes(x3) - bias);
}

s64 vex_bytes_squares(const u8 *row, u32 count, u64 flip)
{
	u64 bias = flip ? 0x0000008000000080ull : 0;
	u64 sum = 0;
	size_t i;

	VEX_UNROLL(4)
	for (i = 0; i + 8 <= count; i += 8)
		sum += word_squares(vex_load_le64(row + i) ^ flip, bias);
	if (i < count)	/* a byte of zero becomes the bias, which squares to 0 */
		sum += word_squares(load_tail(row + i, count - (u32)i) ^ flip, bias);
	return upper_lane(sum);
}

/* Absolute differences of four bytes each in a lane of 16 bits. */
static __always_inline u64 lane_differences(u64 x, u64 y)
{
	u64 d = (x | ONES << 8) - y;		/* 256 + x - y */
	u64 negative = (d >> 8 & ONES) ^ ONES;

	return ((d & EVEN) ^ ((negative << 8) - negative)) + negative;
}

static __always_inline u64 word_differences(u64 x, u64 y)
{
	return lane_differences(x & EVEN, y & EVEN) +
	       lane_differences(x >> 8 & EVEN, y >> 8 & EVEN);
}

s64 vex_bytes_differences(const u8 *row, const u8 *query, u32 count, u64 flip)
{
	u64 sum = 0;
	size_t i;

	/* 32 words of twice 255 a lane stay below 2^16. */
	for (i = 0; i + 8 <= count; i += 8)
		sum += word_differences(vex_load_le64(row + i) ^ flip,
					vex_load_le64(query + i));
	if (i < count)
		sum += word_differences(load_tail(row + i, count - (u32)i) ^
					(flip & tail_mask(count - (u32)i)),
					load_tail(query + i, count - (u32)i));
	sum = (sum & 0x0000ffff0000ffffull) + (sum >> 16 & 0x0000ffff0000ffffull);
	return (s64)(u32)(sum + (sum >> 32));
}
