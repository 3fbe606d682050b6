/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Exact decisions about distances, in integers wide enough for any sum of
 * products of the stored elements: comparison of two rows, of a row and a
 * radius, and the correctly rounded distance. Rows are read again through a
 * callback, so no state is kept per candidate.
 */
#ifndef VEX_EXACT_H
#define VEX_EXACT_H

#include "distance.h"

/* The most elements that one call of vex_rows.read asks for. */
#define VEX_ROWS_PIECE 256u

/**
 * struct vex_rows - how exact arithmetic reads rows
 * @read: copies elements @first to @first + @count - 1 of @row (count at most
 *	VEX_ROWS_PIECE) to @into and returns 0, or returns a negative errno,
 *	which ends the operation under way and is passed on
 * @context: given to @read
 */
struct vex_rows {
	int (*read)(void *context, u64 row, u32 first, u32 count, void *into);
	void *context;
};

/**
 * vex_exact_compare - which of two rows is nearer to a query
 * @search: prepared
 * @query: which query
 * @rows: reads the rows
 * @a: a row
 * @b: another row
 * @result: receives -1, 0 or 1 as @a's distance is below, equal to or above
 *	@b's in exact arithmetic
 *
 * Return: 0, or @rows' negative errno.
 */
int vex_exact_compare(struct vex_search *search, u32 query,
		      const struct vex_rows *rows, u64 a, u64 b, int *result);

/**
 * vex_exact_interval - the narrowest bounds of a row's distance
 * @search: prepared
 * @query: which query
 * @rows: reads the row
 * @row: which row
 * @out: receives the interval: adjacent keys, or equal ones when the distance
 *	is a binary64 value (cosine: within 2^-50 of the distance)
 *
 * Return: 0, or @rows' negative errno.
 */
int vex_exact_interval(struct vex_search *search, u32 query,
		       const struct vex_rows *rows, u64 row,
		       struct vex_interval *out);

/**
 * vex_exact_distance - a row's distance as a binary64 bit pattern
 * @search: prepared
 * @query: which query
 * @rows: reads the row
 * @row: which row
 * @bits: receives the distance, rounded to nearest (ties to even) for L2, IP
 *	and L1; cosine is within 2^-50 relative of the true value
 *
 * Return: 0, or @rows' negative errno.
 */
int vex_exact_distance(struct vex_search *search, u32 query,
		       const struct vex_rows *rows, u64 row, u64 *bits);

/**
 * vex_exact_within - is a row inside an inclusive radius?
 * @search: prepared
 * @query: which query
 * @rows: reads the row
 * @row: which row
 * @radius: key from vex_radius_key()
 * @within: receives whether the exact distance is at most the radius
 *
 * Return: 0, or @rows' negative errno.
 */
int vex_exact_within(struct vex_search *search, u32 query,
		     const struct vex_rows *rows, u64 row, s64 radius,
		     bool *within);

#endif /* VEX_EXACT_H */
