/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Lloyd's k-means in integers, over the codes of rows. A centroid is prepared
 * as a query, and a block of rows' records is scored by each centroid in turn:
 * one preparation serves all rows, and no row but the sample's is decoded.
 * Only the means are taken of the rows themselves.
 *
 * It knows nothing of what a code is: callbacks do. The same seed and the same
 * rows give the same centroids everywhere.
 */
#ifndef VEX_KMEANS_H
#define VEX_KMEANS_H

#include "pages.h"

#define VEX_KMEANS_LISTS_MAX	32768U
#define VEX_KMEANS_ROUNDS	4U	/* few: more hardly gain recall */
#define VEX_KMEANS_PER_LIST	24U	/* rows of the sample for a centroid */
#define VEX_KMEANS_BLOCK	32U	/* records that are scored at a time */
#define VEX_KMEANS_SEED		0x76657866736b6d31ULL

/**
 * typedef vex_kmeans_score - estimate the distances of records to a query
 * @query: prepared
 * @records: contiguous records
 * @count: 1..VEX_KMEANS_BLOCK
 * @scores: receives the estimates; smaller is nearer; at least S64_MIN / 4 and
 *	at most S64_MAX / 4. Scores of one record by several prepared centroids
 *	are comparable (for L2 they have the centroid's square in them)
 */
typedef void (*vex_kmeans_score)(const void *query, const void *records,
				 u32 count, s64 *scores);

/**
 * struct vex_kmeans_source - what k-means needs to know of rows and codes
 * @context: passed to the functions below
 * @stop: called every few tens of microseconds; may reschedule. 0 to go on or a
 *	negative errno that ends the work. May be NULL
 * @values: write a row as dim integers of at most 2^30 in one unit for the
 *	whole file; normalised for cosine. 0 or a negative errno
 * @prepare: prepare a centroid, given as such integers, as a query
 * @score: see there
 * @sketches: the rows' records
 * @dim: elements of a row
 * @query_bytes: bytes of a prepared centroid, a multiple of 8
 * @spherical: bring all centroids to one length (inner product and cosine)
 */
struct vex_kmeans_source {
	void *context;
	int (*stop)(void *context);
	int (*values)(void *context, u64 row, s32 *values);
	void (*prepare)(void *context, const s32 *values, void *query);
	vex_kmeans_score score;
	const struct vex_pages *sketches;
	u32 dim;
	u32 query_bytes;
	bool spherical;
};

/* The greatest element of a row or centroid, and the smallest negated. */
#define VEX_KMEANS_VALUE_MAX	(1 << 30)

/**
 * vex_kmeans_value() - an element that was stored
 * @stored: any bits
 *
 * Return: the element, brought into range.
 */
static inline s32 vex_kmeans_value(u32 stored)
{
	s32 value = (s32)stored;

	return value > VEX_KMEANS_VALUE_MAX ? VEX_KMEANS_VALUE_MAX :
	       value < -VEX_KMEANS_VALUE_MAX ? -VEX_KMEANS_VALUE_MAX : value;
}

/**
 * struct vex_kmeans - centroids, and room to find them
 * @lists: centroids
 * @values: @lists times dim elements
 * @queries: @lists prepared queries
 * @gather: VEX_KMEANS_BLOCK records
 * @sums: @lists times dim sums; NULL when only assigning
 * @counts: rows of the sample in each list; NULL when only assigning
 * @row: dim elements; NULL when only assigning
 * @done: records assigned so far, for progress
 *
 * All memory is the caller's. Nothing of a page is held on to while stop() is
 * called: it may let pages go.
 */
struct vex_kmeans {
	u32 lists;
	s32 *values;
	u8 *queries;
	u8 *gather;
	s64 *sums;
	u32 *counts;
	s32 *row;
	u64 done;
};

/**
 * vex_kmeans_prepare() - prepare all centroids as queries
 * @kmeans: with its values
 * @source: knows the codes
 *
 * Return: 0 or what stop() said.
 */
int vex_kmeans_prepare(struct vex_kmeans *kmeans,
		       const struct vex_kmeans_source *source);

/**
 * vex_kmeans_gather() - copy a row's record for assignment
 * @kmeans: with room to gather
 * @source: knows the codes
 * @index: which record of the block, below VEX_KMEANS_BLOCK
 * @row: the row
 *
 * Return: 0 or the errno of a page.
 */
int vex_kmeans_gather(struct vex_kmeans *kmeans,
		      const struct vex_kmeans_source *source, u32 index,
		      u64 row);

/**
 * vex_kmeans_assign() - the nearest centroids of the gathered records
 * @kmeans: prepared
 * @source: knows the codes
 * @count: records, 1..VEX_KMEANS_BLOCK
 * @nearest: receives the nearest list of each
 *
 * Return: 0 or what stop() said.
 */
int vex_kmeans_assign(struct vex_kmeans *kmeans,
		      const struct vex_kmeans_source *source, u32 count,
		      u16 *nearest);

/**
 * vex_kmeans_work() - how many records training assigns
 * @count: as for vex_kmeans_train(); no more than there are rows
 * @rounds: as for vex_kmeans_train()
 *
 * Return: what it adds to the progress.
 */
u64 vex_kmeans_work(u64 count, u32 rounds);

/**
 * vex_kmeans_train() - find centroids
 * @kmeans: with all its memory, zeroed
 * @source: knows the rows
 * @rows: rows, at least 1
 * @count: rows to look at in the last round, at least 1; spread over all rows
 * @rounds: of assigning and taking means, at least 1; the first ones look at
 *	fewer rows
 * @seed: any number
 *
 * With fewer different rows than lists some centroids are the same and their
 * lists stay empty. On success the centroids are prepared.
 *
 * Return: 0 or a negative errno of a callback or of a page.
 */
int vex_kmeans_train(struct vex_kmeans *kmeans,
		     const struct vex_kmeans_source *source, u64 rows,
		     u64 count, u32 rounds, u64 seed);

#endif /* VEX_KMEANS_H */
