/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Distances between the rows of a matrix and one or many queries, as
 * intervals of binary64 keys that surely hold the exact value. Block fixed
 * point in integer registers; what that cannot hold tightly is computed by
 * the wide accumulators of exact.h.
 *
 * A struct vex_search lives in one buffer of the caller's and belongs to one
 * thread. Its life: vex_search_bytes(), vex_search_init(), for each query
 * fill vex_search_query(), vex_search_prepare(), then any number of rows.
 */
#ifndef VEX_DISTANCE_H
#define VEX_DISTANCE_H

#include "float.h"

/* Smaller is nearer, always; the values are stable. */
enum vex_metric {
	VEX_METRIC_L2 = 1,	/* squared Euclidean distance */
	VEX_METRIC_IP = 2,	/* negated inner product */
	VEX_METRIC_COSINE = 3,	/* 1 - cosine; 1 if either vector is zero */
	VEX_METRIC_L1 = 4,	/* sum of absolute differences */
};

#define VEX_QUERIES_MAX 256u

/**
 * struct vex_shape - what is searched
 * @type: element type of the rows (enum vex_type)
 * @query_type: element type of the queries: VEX_TYPE_F32 or @type
 * @metric: enum vex_metric
 * @dim: elements a row and a query, 1 to VEX_DIM_MAX
 * @queries: queries that share a pass, 1 to VEX_QUERIES_MAX
 */
struct vex_shape {
	u32 type;
	u32 query_type;
	u32 metric;
	u32 dim;
	u32 queries;
};

/**
 * struct vex_interval - bounds of an exact distance, as binary64 keys
 * @lo: the distance is not below this
 * @hi: the distance is not above this; equal to @lo only if the distance is
 *	exactly this binary64 value
 * @nearest: how far above @lo the distance is as vex_exact_distance() rounds
 *	it, and one more; zero if that is to be asked
 */
struct vex_interval {
	s64 lo;
	s64 hi;
	u64 nearest;
};

/* The largest @nearest. */
#define VEX_NEAREST_MAX 15u

struct vex_search;

/**
 * vex_search_bytes - memory that a search needs
 * @shape: from outside; every field is checked
 *
 * About 19 KiB, and for each query 12 bytes a dimension (16 when several share
 * a pass, 4 above 32,768 dimensions, less for small element types). Several
 * queries are quickest while they fit the processor's second-level cache.
 *
 * Return: bytes, or 0 if @shape is not valid.
 */
size_t vex_search_bytes(const struct vex_shape *shape);

/**
 * vex_search_init - lay a search out in the caller's memory
 * @memory: vex_search_bytes(@shape) bytes aligned to 8, owned by the caller
 * @shape: a valid shape
 *
 * Return: the search, which is @memory.
 */
struct vex_search *vex_search_init(void *memory, const struct vex_shape *shape);

/**
 * vex_search_query - where a query's elements go
 * @search: after vex_search_init()
 * @query: below the shape's queries
 *
 * Return: room for dim little-endian elements of the query type, to be
 * filled (by copy_from_user(), say) before vex_search_prepare().
 */
void *vex_search_query(struct vex_search *search, u32 query);

/**
 * vex_search_prepare - validate and digest the queries
 * @search: with all its queries filled
 * @bad: receives the first query that holds a NaN or infinity; may be NULL
 *
 * Return: 0, or -EINVAL when a query holds a NaN or infinity.
 */
int vex_search_prepare(struct vex_search *search, u32 *bad);

/**
 * vex_distance_row - distance of a contiguous row to one query
 * @search: prepared
 * @query: which query
 * @row: dim little-endian elements, aligned to their size
 * @limit: what the caller has no use for beyond (vex_topk_limit(), a radius'
 *	key, or S64_MAX): a lo above it may be loose
 * @out: receives the interval
 */
void vex_distance_row(struct vex_search *search, u32 query, const void *row,
		      s64 limit, struct vex_interval *out);

/**
 * vex_distance_near - vex_distance_row() of a row that is likely to be near
 * @search: prepared
 * @query: which query
 * @row: as above
 * @limit: as above
 * @out: receives the interval
 *
 * Without the quick look that only tells rows that are beyond the limit.
 */
void vex_distance_near(struct vex_search *search, u32 query, const void *row,
		       s64 limit, struct vex_interval *out);

/**
 * vex_distance_batch - distances of a contiguous row to every query
 * @search: prepared
 * @row: dim little-endian elements, aligned to their size
 * @limits: per query, as in vex_distance_row()
 * @out: receives an interval per query
 *
 * The row is decoded once. An interval whose lo is above its limit may be
 * loose.
 */
void vex_distance_batch(struct vex_search *search, const void *row,
			const s64 *limits, struct vex_interval *out);

/**
 * vex_distance_begin - start on a row that comes in pieces
 * @search: prepared; a row begun before is forgotten
 */
void vex_distance_begin(struct vex_search *search);

/**
 * vex_distance_add - feed the next elements of the row to every query
 * @search: after vex_distance_begin()
 * @elements: little-endian elements, aligned to their size
 * @count: how many; the pieces of a row add up to dim
 */
void vex_distance_add(struct vex_search *search, const void *elements,
		      u32 count);

/**
 * vex_distance_end - distances of the row that was fed
 * @search: after the last vex_distance_add() of a row
 * @out: receives an interval per query
 *
 * Intervals are as narrow as vex_distance_batch()'s except for rows that do
 * not fit the search's present scale (their exponents lie far from the
 * queries' and other rows'). For those the pieces are needed again.
 *
 * Return: true if all intervals are as narrow as they get; false if
 * vex_exact_interval() would narrow them (using them is correct, but slow).
 */
bool vex_distance_end(struct vex_search *search, struct vex_interval *out);

#endif /* VEX_DISTANCE_H */
