/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Indexes: the ways to find the rows that answer a search. Each is a table of
 * operations over a pass, which search.c sets up and gives the answers of.
 */
#ifndef VEXFS_INDEX_H
#define VEXFS_INDEX_H

#include "rows.h"
#include "filter.h"
#include "core/distance.h"
#include "core/topk.h"

/**
 * struct vexfs_pass_query - one of the queries that share a pass
 * @pass: the pass
 * @index: which query it is
 * @given_up: an index could not answer it: its rows are to be scanned
 * @top: the nearest rows so far
 */
struct vexfs_pass_query {
	struct vexfs_pass *pass;
	u32 index;
	bool given_up;
	struct vex_topk top;
};

/**
 * struct vexfs_search_counts - what a search took
 * @rows_scanned: rows looked at, be it by their codes
 * @exact_decisions: comparisons that took wide arithmetic
 * @codes_compared: codes of rows compared with queries
 * @exact_distances: distances computed from the rows themselves
 * @pages_missed: pages that were not in memory when they were wanted
 */
struct vexfs_search_counts {
	u64 rows_scanned;
	u64 exact_decisions;
	u64 codes_compared;
	u64 exact_distances;
	u64 pages_missed;
};

/**
 * struct vexfs_pass - one or more queries over the rows of a snapshot
 * @snapshot: the rows
 * @shape: what the queries are
 * @first_row: first row to look at
 * @end_row: one past the last
 * @query_count: queries in @queries: all of @shape, but while some are scanned
 * @k: results wanted for each; 0 for a range search
 * @exact: the answer must equal brute force's
 * @effort: as in struct vexfs_knn_search, 0 for automatic
 * @target_recall: aimed at if @effort is 0, in 1/VEXFS_RECALL_ONE
 * @radius: range searches: the key of the greatest distance
 * @search: the prepared queries; this and the next three in the pass' memory
 * @queries: per query, in any order: their @index tells which they are
 * @entries: the heaps' memory
 * @bounce: a row that does not lie in one piece is copied here
 * @matrix: reads rows in turn
 * @exact_matrix: reads rows at random, for exact decisions
 * @exact_rows: gives the core access to it
 * @tombstones: walks the rows that are deleted
 * @ids: walks the ids; without a fork an id is its row's number
 * @filter: says which rows may be found, or NULL for all; the search's
 * @sparse: few rows are looked at: reading ahead does not pay
 * @scanned: an index was to be used and was of no use for some of the queries:
 *	all rows were scanned for them
 * @counts: what it took
 */
struct vexfs_pass {
	struct vexfs_snapshot snapshot;
	struct vex_shape shape;
	u64 first_row;
	u64 end_row;
	u32 query_count;
	u32 k;
	bool exact;
	u32 effort;
	u32 target_recall;
	s64 radius;
	struct vex_search *search;
	struct vexfs_pass_query *queries;
	struct vex_entry *entries;
	void *bounce;
	struct vexfs_matrix matrix;
	struct vexfs_matrix exact_matrix;
	struct vex_rows exact_rows;
	struct vexfs_run_cursor tombstones;
	struct vexfs_run_cursor ids;
	struct vexfs_filter *filter;
	bool sparse;
	bool scanned;
	struct vexfs_search_counts counts;
};

/**
 * struct vexfs_index_ops - a way to find rows
 * @kind: enum vexfs_index_type
 * @knn: offer to each query's @top the rows that may be among its nearest.
 *	Returns 0 or a negative errno
 * @range: hand every row within the radius to @take, in the order of rows,
 *	until it returns something other than 0. Returns that, or 0
 */
struct vexfs_index_ops {
	u32 kind;
	int (*knn)(struct vexfs_pass *pass);
	int (*range)(struct vexfs_pass *pass,
		     int (*take)(void *context, const struct vex_entry *entry),
		     void *context);
};

/* Rows that a scan keeps or puts off, of all queries of a pass. */
#define VEXFS_SCAN_ROWS		16384U
/* Queries that share it if none may miss a row: these put off thousands each. */
#define VEXFS_SCAN_SURE		8U

/* In scan.c: all rows in turn, by their codes where they have some. */
extern const struct vexfs_index_ops vexfs_scan_index;

/* In flat.c */

/**
 * vexfs_pass_live() - may the search find a row?
 * @pass: the pass
 * @row: the row; quickest if rows grow from call to call
 *
 * Return: 1 if it may; 0 if it is deleted, or the filter does not let it pass;
 * or a negative errno.
 */
int vexfs_pass_live(struct vexfs_pass *pass, u64 row);

/**
 * vexfs_pass_id() - the id of a row
 * @pass: the pass
 * @row: the row; quickest if rows grow from call to call
 * @id: its id
 *
 * Return: 0, -ESTALE if rows were taken away meanwhile, or a negative errno.
 */
int vexfs_pass_id(struct vexfs_pass *pass, u64 row, u64 *id);

/**
 * vexfs_pass_hint() - a row will be fetched soon
 * @pass: the pass
 * @row: the row
 */
void vexfs_pass_hint(struct vexfs_pass *pass, u64 row);

/**
 * vexfs_pass_fetch() - a row will be looked at soon
 * @pass: the pass
 * @row: the row
 *
 * Has the processor fetch it; or has it read, if it is not in memory and rows
 * before it were not either.
 */
void vexfs_pass_fetch(struct vexfs_pass *pass, u64 row);

/**
 * vexfs_pass_row() - a row in one piece
 * @pass: the pass
 * @row: the row
 * @sequential: read ahead
 * @data: the row; valid until the next call
 *
 * Return: 0, or a negative errno as of vexfs_matrix_at().
 */
int vexfs_pass_row(struct vexfs_pass *pass, u64 row, bool sequential,
		   const void **data);

/**
 * vexfs_pass_offer() - offer a row to a query's nearest
 * @query: the query
 * @row: a row that is not deleted
 * @interval: its distance, the lo of which is not beyond vex_topk_limit()
 *
 * Return: 0 or a negative errno.
 */
int vexfs_pass_offer(struct vexfs_pass_query *query, u64 row,
		     const struct vex_interval *interval);

/**
 * vexfs_pass_take() - hand a row on if it is within the radius
 * @pass: of a range search
 * @row: a row that is not deleted
 * @data: its elements
 * @take: as in struct vexfs_index_ops
 * @context: for @take
 *
 * Return: 0, what @take returned, or a negative errno.
 */
int vexfs_pass_take(struct vexfs_pass *pass, u64 row, const void *data,
		    int (*take)(void *context, const struct vex_entry *entry),
		    void *context);

/**
 * vexfs_flat_knn() - offer a range of rows to all queries
 * @pass: the pass
 * @row: first row
 * @end_row: one past the last
 *
 * Return: 0 or a negative errno.
 */
int vexfs_flat_knn(struct vexfs_pass *pass, u64 row, u64 end_row);

/**
 * vexfs_flat_range() - hand on what is within the radius in a range of rows
 * @pass: of a range search
 * @row: first row
 * @end_row: one past the last
 * @take: as in struct vexfs_index_ops
 * @context: for @take
 *
 * Return: 0, what @take returned, or a negative errno.
 */
int vexfs_flat_range(struct vexfs_pass *pass, u64 row, u64 end_row,
		     int (*take)(void *context, const struct vex_entry *entry),
		     void *context);

#endif /* VEXFS_INDEX_H */
