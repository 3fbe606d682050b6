/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Coarse fixed point for batches: values of 12 bits, two to a 64-bit product,
 * and the proof that a row is beyond a query's limit. Rounding moves a row and
 * a query each by at most E = sqrt(n) / 2 units (and a little), so by the
 * triangle's and Cauchy's inequalities, with x' and q' the rounded vectors:
 *
 *   L2      |x - q| >= |x' - q'| - 2 E
 *   IP      x q <= x' q' + E (|q'| + E) + E |x'|
 *   cosine  the same, against (1 - limit) (|x'| - E) (|q'| - E)
 *
 * Internal to the distance code.
 */
#ifndef VEX_COARSE_H
#define VEX_COARSE_H

#include "distance.h"
#include "fixed.h"

/* A coarse value is at most 2^11: wide ones shifted right by so much. */
#define VEX_COARSE_SHIFT (VEX_BITS - 11u)

/* Values whose products may be added up before the lanes are taken apart. */
#define VEX_COARSE_BLOCK 256u

/**
 * struct vex_coarse - a query in coarse fixed point
 * @pairs: a word for two values: (q[i] << 32) + q[i + 1]
 * @square: sum of squares of the values
 * @refuse: L2: a greater sum of squared differences is beyond the limit; IP
 *	and cosine: what a product is compared with (see coarse.c)
 * @slope: IP and cosine: factor of the row's length, in units of 2^-8
 * @able: whether any row can be refused
 */
struct vex_coarse {
	u64 *pairs;
	u64 square;
	s64 refuse;
	u64 slope;
	bool able;
};

/**
 * vex_coarse_row - make wide values coarse, in pairs
 * @x: @count wide values; x[@count] is overwritten if @count is odd
 * @count: at most VEX_COARSE_BLOCK
 * @pairs: receives (@count + 1) / 2 words: x[i] + (x[i + 1] << 32)
 *
 * Return: the sum of squares of the coarse values.
 */
u64 vex_coarse_row(s64 *x, u32 count, u64 *pairs);

/**
 * vex_coarse_query - make a query's wide values coarse, in pairs
 * @x: @count wide values; x[@count] is overwritten if @count is odd
 * @count: at most VEX_COARSE_BLOCK
 * @pairs: receives (@count + 1) / 2 words
 *
 * Return: the sum of squares of the coarse values.
 */
u64 vex_coarse_query(s64 *x, u32 count, u64 *pairs);

/**
 * vex_coarse_products - the sum of products of a row and a query
 * @row: pairs of the row
 * @query: pairs of the query
 * @words: at most VEX_COARSE_BLOCK / 2
 *
 * Return: the sum.
 */
s64 vex_coarse_products(const u64 *row, const u64 *query, u32 words);

/**
 * vex_coarse_limit - prepare for a limit
 * @coarse: with its square
 * @metric: L2, IP or cosine
 * @dim: number of elements
 * @limit: key
 * @row_unit: exponent of the rows' coarse unit
 * @query_unit: exponent of the query's coarse unit
 */
void vex_coarse_limit(struct vex_coarse *coarse, u32 metric, u32 dim, s64 limit,
		      s32 row_unit, s32 query_unit);

/**
 * vex_coarse_beyond - is a row surely beyond the limit?
 * @coarse: after vex_coarse_limit()
 * @metric: L2, IP or cosine
 * @product: sum of products of row and query
 * @square: sum of squares of the row
 *
 * Return: true if the row's distance is above the binary64 value next above
 * the limit; false if it is not known to be.
 */
bool vex_coarse_beyond(const struct vex_coarse *coarse, u32 metric, s64 product,
		       u64 square);

#endif /* VEX_COARSE_H */
