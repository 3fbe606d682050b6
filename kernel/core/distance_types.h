/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The inside of a struct vex_search, shared by the fixed point distances and
 * the exact ones. Only the rooms of the distance code include this.
 */
#ifndef VEX_DISTANCE_TYPES_H
#define VEX_DISTANCE_TYPES_H

#include "coarse.h"
#include "distance.h"
#include "exact.h"
#include "root.h"
#include "sums.h"
#include "wide.h"

/* Above this many dimensions queries are turned to fixed point block by block. */
#define VEX_FIXED_DIM_MAX 32768u

#define VEX_SQUARE_DIGITS (2 * VEX_WIDE_DIGITS)
#define VEX_RADIUS_DIGITS 34u	/* 2^1074 fits */
#define VEX_PROOF_DIGITS (2 * VEX_RADIUS_DIGITS + VEX_SQUARE_DIGITS)

/**
 * struct vex_exact_work - what exact arithmetic works in
 * @piece: elements of one or two rows
 * @product: cosine: products of one or two rows with the query; else @product
 *	[0] is the distance, or the difference of two distances
 * @square: cosine: squares of the rows
 * @query_square: cosine: squares of the query
 * @number: magnitudes of the above
 * @product_square: squares of the products
 * @norms: product of the squares of row and query
 * @radius: |1 - radius|, scaled to an integer
 * @radius_square: its square, and the square of its scale
 * @proof: the two sides of an inequality
 */
struct vex_exact_work {
	u8 piece[2][4 * VEX_ROWS_PIECE];
	struct vex_wide product[2];
	struct vex_wide square[2];
	struct vex_wide query_square;
	u32 number[5][VEX_WIDE_DIGITS];
	u32 product_square[2][VEX_SQUARE_DIGITS];
	u32 norms[VEX_SQUARE_DIGITS];
	u32 radius[VEX_RADIUS_DIGITS];
	u32 radius_square[2 * VEX_RADIUS_DIGITS];
	u32 proof[2][VEX_PROOF_DIGITS];
};

/**
 * struct vex_query - one query of a search
 * @raw: the elements as given
 * @fixed: the elements as multiples of vex_query_unit(); NULL above
 *	VEX_FIXED_DIM_MAX or if @lanes
 * @lanes: for bytes: see sums.h; for L1 the flipped bytes themselves
 * @prefix: for bytes and L2: sum of squares before each VEX_BYTES_STEP
 * @byte_sum: for bytes: sum of the elements
 * @byte_square: for bytes: sum of squares, of flipped ones if L2
 * @top: exponent of the largest element
 * @rounded: some value in fixed point had to be rounded
 * @square: sum of squares in fixed point
 * @sum_bits: the sum of magnitudes in fixed point is below 2^this
 * @root: reciprocal root of @square
 * @limit_key: the limit that @limit was made from
 * @limit: a sum above this is beyond the limit
 * @enough: L2: so is a peek's sum of squares above this
 * @sums: of the row that is being fed
 * @fed_rounded: some value of the query had to be rounded for that
 * @coarse: for batches: the query in coarse fixed point
 * @coarse_sum: sum of coarse products with the row that the batch is at
 */
struct vex_query {
	u8 *raw;
	s64 *fixed;
	u64 *lanes;
	u64 *prefix;
	s64 byte_sum;
	u64 byte_square;
	s32 top;
	bool rounded;
	u32 sum_bits;
	vex_u128 square;
	struct vex_root root;
	s64 limit_key;
	vex_u128 limit;
	u64 enough;
	struct vex_sums sums;
	bool fed_rounded;
	struct vex_coarse coarse;
	s64 coarse_sum;
};

/**
 * struct vex_search - queries, the scale of their rows, and room to work
 * @shape: what is searched
 * @row_width: bytes an element of a row
 * @query_width: bytes an element of a query
 * @dim_bits: the dimension is below 2^this
 * @bytes: rows and queries are of the same one-byte type
 * @flip: makes a word of i8 one of u8
 * @batched: the queries are in coarse fixed point, too
 * @misfits: rows so far that the scale did not fit
 * @fed: elements of the row that is being fed
 * @fed_subnormal: one of them was subnormal
 * @scale: of the rows; this and what follows is not cleared at first
 * @x: a block of a row, and one more
 * @q: a block of a query, and one more
 * @pairs: a block of a row in coarse fixed point
 * @exact: what exact arithmetic works in
 * @queries: the queries
 */
struct vex_search {
	struct vex_shape shape;
	u32 row_width;
	u32 query_width;
	u32 dim_bits;
	bool bytes;
	u64 flip;
	bool batched;
	u32 misfits;
	u32 fed;
	bool fed_subnormal;
	struct vex_scale scale;
	s64 x[VEX_BLOCK + 2];
	s64 q[VEX_BLOCK + 2];
	u64 pairs[VEX_BLOCK / 2];
	struct vex_exact_work exact;
	struct vex_query queries[];
};

/**
 * vex_estimate_enough - when a peek has seen enough of a row, for L2
 * @search: prepared
 * @query: one of its queries
 * @limit: key, below VEX_KEY_INFINITY
 *
 * Return: a row whose sum of squares in units of 2^64 is above this has a
 * distance above the binary64 value next above the limit.
 */
u64 vex_estimate_enough(const struct vex_search *search,
			const struct vex_query *query, s64 limit);

/**
 * vex_search_linear - is the metric one of differences?
 * @search: initialised
 *
 * Return: true for L2 and L1, false for IP and cosine.
 */
bool vex_search_linear(const struct vex_search *search);

/**
 * vex_query_unit - the unit of a query in fixed point
 * @search: prepared
 * @query: one of its queries
 *
 * Differences need one unit for rows and queries; products do not, so there a
 * query has the unit that suits it.
 *
 * Return: the unit's exponent.
 */
s32 vex_query_unit(const struct vex_search *search,
		   const struct vex_query *query);

/**
 * vex_search_choose_scale - make the scale fit rows, and queries fit the scale
 * @search: prepared, or being prepared
 * @top: exponent of the largest element of the rows to come
 */
void vex_search_choose_scale(struct vex_search *search, s32 top);

/**
 * vex_search_batch - make queries ready for rows that are compared with all
 * @search: prepared
 *
 * Many searches have several queries that look at different rows.
 */
void vex_search_batch(struct vex_search *search);

/**
 * struct vex_estimate - sums in fixed point and what they may be wrong by
 * @main: as in struct vex_sums
 * @square: as in struct vex_sums
 * @row_log: each element of the row is wrong by less than 2^this units
 * @query_log: each element of the query is wrong by at most 2^this units
 */
struct vex_estimate {
	vex_u128 main;
	vex_u128 square;
	s32 row_log;
	s32 query_log;
};

/**
 * vex_estimate_interval - bounds of a distance from its sums
 * @search: prepared
 * @query: one of its queries
 * @estimate: the sums
 * @out: receives the interval
 *
 * Return: false if the interval is much wider than fixed point's usual ones.
 */
bool vex_estimate_interval(const struct vex_search *search,
			   const struct vex_query *query,
			   const struct vex_estimate *estimate,
			   struct vex_interval *out);

#endif /* VEX_DISTANCE_TYPES_H */
