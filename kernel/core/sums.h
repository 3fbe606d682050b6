/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The inner loops of distance computation: sums over fixed point values, over
 * f32 rows decoded on the way, and over bytes several to a register. Internal
 * to the distance code. All sums are exact.
 */
#ifndef VEX_SUMS_H
#define VEX_SUMS_H

#include "distance.h"
#include "fixed.h"

/**
 * struct vex_sums - what one row and one query add up to
 * @main: L2: the squared differences; IP and cosine: the products, in two's
 *	complement; L1: the absolute differences
 * @square: cosine: the row's squares
 * @seen: the inclusive or of the row's decoded values, for the marks
 */
struct vex_sums {
	vex_u128 main;
	vex_u128 square;
	u64 seen;
};

/**
 * vex_sums_add - add values of a row that are already decoded
 * @sums: what to add to, but for seen
 * @metric: enum vex_metric
 * @x: @count values of the row
 * @q: @count values of the query
 * @count: number of values
 */
void vex_sums_add(struct vex_sums *sums, u32 metric, const s64 *x,
		  const s64 *q, u32 count);

/**
 * vex_sums_add_floats - decode and add elements of an f32 or f16 row
 * @sums: what to add to
 * @metric: enum vex_metric
 * @type: VEX_TYPE_F32 or VEX_TYPE_F16
 * @scale: for @type
 * @row: @count elements
 * @q: @count values of the query
 * @count: number of elements
 */
void vex_sums_add_floats(struct vex_sums *sums, u32 metric, u32 type,
			 const struct vex_scale *scale, const void *row,
			 const s64 *q, u32 count);

/**
 * struct vex_peek - upper halves of sums, each low by less than its elements
 * @square: L2: squared differences; cosine: the row's squares
 * @product: IP and cosine: products, in two's complement
 * @seen: IP: the inclusive or of the row's decoded values
 */
struct vex_peek {
	u64 square;
	u64 product;
	u64 seen;
};

/* Of so many elements the squares show whether one was VEX_MARK_LARGE. */
#define VEX_PEEK_STEP 64u
#define VEX_PEEK_LARGE 0x40000000000000ull

/**
 * vex_peek - decode and sum up an f32 or f16 row, quickly
 * @peek: receives the sums
 * @metric: L2, IP or cosine
 * @type: VEX_TYPE_F32 or VEX_TYPE_F16
 * @scale: for @type
 * @row: @dim elements; what follows them is prefetched
 * @q: @dim values of the query
 * @dim: number of elements
 * @enough: L2: a sum of squares above this ends the peek
 *
 * Wide products cost a second register to add up, so only their upper halves
 * are: enough for a bound, for most rows are only to be refused.
 *
 * Return: true if @peek holds what was looked for: L2: a sum of squares above
 * @enough, IP and cosine: sums. False if not, or if an element was above the
 * scale.
 */
bool vex_peek(struct vex_peek *peek, u32 metric, u32 type,
	      const struct vex_scale *scale, const void *row, const s64 *q,
	      u32 dim, u64 enough);

/*
 * Bytes. A row of i8 counts as u8 after its sign bits are flipped (@flip is
 * 0x8080808080808080, else 0), which adds 128 to every element. A query is
 * kept as lanes: four words for eight elements; word j holds twice element j
 * in its upper half and twice element j + 4 in its lower half, so that one
 * 64-bit product of two words holds a sum of two products in its upper half.
 */
#define VEX_BYTES_BLOCK 256u

/* Elements between two looks at whether a row is beyond its limit. */
#define VEX_BYTES_STEP 128u

/**
 * vex_bytes_lanes - lay out eight elements of a query
 * @values: eight elements, -255 to 255
 * @lanes: receives four words
 */
void vex_bytes_lanes(const s32 *values, u64 *lanes);

/**
 * vex_bytes_squared_distance - sum of squared differences, up to a limit
 * @row: @dim bytes; what follows them is prefetched
 * @lanes: of the query's flipped bytes; zero beyond @dim
 * @prefix: sum of squares of the query before each VEX_BYTES_STEP, and in all
 * @dim: number of elements
 * @flip: see above
 * @limit: the sum may end when it is above this
 *
 * Return: the sum, or a part of it that is above @limit.
 */
s64 vex_bytes_squared_distance(const u8 *row, const u64 *lanes,
			       const u64 *prefix, u32 dim, u64 flip, s64 limit);

/**
 * vex_bytes_pairs - flipped bytes as words of two lanes
 * @row: @count bytes
 * @count: at most VEX_BYTES_BLOCK
 * @flip: see above
 * @pairs: receives four words for eight bytes, as a query's lanes are ordered
 *	but with the halves exchanged; for vex_coarse_products()
 *
 * Return: the sum of squares of the flipped bytes.
 */
u64 vex_bytes_pairs(const u8 *row, u32 count, u64 flip, u64 *pairs);

/**
 * vex_bytes_products - sum of 2 * x * q over flipped bytes x
 * @row: @count bytes
 * @lanes: of the query; zero beyond @count
 * @count: at most VEX_BYTES_BLOCK
 * @flip: see above
 *
 * Return: the sum.
 */
s64 vex_bytes_products(const u8 *row, const u64 *lanes, u32 count, u64 flip);

/**
 * vex_bytes_squares - sum of squares of unflipped elements
 * @row: @count bytes
 * @count: at most VEX_BYTES_BLOCK
 * @flip: whether they are i8: see above
 *
 * Return: the sum.
 */
s64 vex_bytes_squares(const u8 *row, u32 count, u64 flip);

/**
 * vex_bytes_differences - sum of absolute differences of bytes
 * @row: @count bytes
 * @query: @count bytes of the query, flipped already
 * @count: at most VEX_BYTES_BLOCK
 * @flip: applied to @row
 *
 * Return: the sum.
 */
s64 vex_bytes_differences(const u8 *row, const u8 *query, u32 count, u64 flip);

#endif /* VEX_SUMS_H */
