// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures which effort an index needs for which recall: with rows of the file
 * that are not in the index yet as queries, against an exact scan.
 */
#include <linux/slab.h>
#include "build.h"

#define VEXFS_MEASURE_K		10U
#define VEXFS_MEASURE_QUERIES	100U

/* So many of 1,000 true neighbours must be found for each target. */
static const u32 vexfs_measure_wanted[VEX_INDEX_TARGETS] = { 902, 952, 992 };

/**
 * struct vexfs_measure_query - one of the rows that are searched for
 * @row: the row
 * @count: rows in @near
 * @near: the nearest other rows
 * @key: their distances, ascending
 */
struct vexfs_measure_query {
	u64 row;
	u32 count;
	u64 near[VEXFS_MEASURE_K];
	s64 key[VEXFS_MEASURE_K];
};

/**
 * struct vexfs_measure - what measuring takes
 * @grower: reads rows, knows when to stop
 * @tombstones: rows that are deleted
 * @search: the prepared queries
 * @memory: holds them
 * @count: queries
 * @queries: per query
 * @limits: per query, the greatest distance of use
 * @intervals: per query, the distance of a row
 * @rows: what a search found
 */
struct vexfs_measure {
	struct vexfs_grower *grower;
	struct vexfs_run_cursor tombstones;
	struct vex_search *search;
	void *memory;
	u32 count;
	struct vexfs_measure_query queries[VEXFS_MEASURE_QUERIES];
	s64 limits[VEXFS_MEASURE_QUERIES];
	struct vex_interval intervals[VEXFS_MEASURE_QUERIES];
	u64 rows[VEXFS_MEASURE_ROWS];
};

u64 vexfs_measure_stride(u64 rows)
{
	/* With few rows a scan is as quick: nothing is worth measuring. */
	return rows < 20 * VEXFS_MEASURE_QUERIES ? 0 :
	       rows / VEXFS_MEASURE_QUERIES;
}

static int vexfs_measure_prepare(struct vexfs_measure *measure)
{
	struct vexfs_grower *grower = measure->grower;
	const struct vex_sketch *config = &grower->sketches->config;
	struct vex_shape shape = {
		.type = config->type,
		.query_type = config->type,
		.metric = config->metric,
		.dim = config->dim,
		.queries = VEXFS_MEASURE_QUERIES,
	};
	size_t bytes = vex_search_bytes(&shape);
	const void *data;
	u32 i;
	int err;

	measure->memory = kvmalloc(bytes, GFP_KERNEL);
	if (!bytes || !measure->memory)
		return -ENOMEM;
	measure->search = vex_search_init(measure->memory, &shape);
	for (i = 0; i < VEXFS_MEASURE_QUERIES; i++) {
		measure->queries[i].row = i * grower->stride +
					  grower->stride / 2;
		err = vexfs_grower_row(grower, measure->queries[i].row, &data);
		if (err)
			return err;
		memcpy(vex_search_query(measure->search, i), data,
		       (size_t)config->dim * vex_type_bytes(config->type));
		measure->limits[i] = S64_MAX;
	}
	return vex_search_prepare(measure->search, NULL);
}

/* Keep a row if it is among a query's nearest. Returns whether it is. */
static bool vexfs_measure_keep(struct vexfs_measure_query *query, u64 row,
			       s64 key)
{
	u32 at = query->count;

	if (at == VEXFS_MEASURE_K) {
		if (key >= query->key[at - 1])
			return false;
		at--;
	} else {
		query->count++;
	}
	for (; at && query->key[at - 1] > key; at--) {
		query->key[at] = query->key[at - 1];
		query->near[at] = query->near[at - 1];
	}
	query->key[at] = key;
	query->near[at] = row;
	return true;
}

/* One row against all queries. */
static int vexfs_measure_row(struct vexfs_measure *measure, u64 row)
{
	struct vexfs_measure_query *query;
	struct vex_run run;
	const void *data;
	int err;
	u32 i;

	if (measure->tombstones.fork) {
		err = vexfs_cursor_find(&measure->tombstones, row, &run);
		if (err || run.key <= row)
			return err;
	}
	err = vexfs_grower_row(measure->grower, row, &data);
	if (err)
		return err;
	vex_distance_batch(measure->search, data, measure->limits,
			   measure->intervals);
	for (i = 0; i < VEXFS_MEASURE_QUERIES; i++) {
		query = &measure->queries[i];
		if (measure->intervals[i].lo >= measure->limits[i])
			continue;
		vexfs_measure_keep(query, row, measure->intervals[i].lo);
		if (query->count == VEXFS_MEASURE_K)
			measure->limits[i] = query->key[VEXFS_MEASURE_K - 1];
	}
	return 0;
}

/* The true neighbours of all queries. */
static int vexfs_measure_truth(struct vexfs_measure *measure)
{
	struct vexfs_grower *grower = measure->grower;
	u64 stride = grower->stride, row;
	int err = 0;

	for (row = 0; row < grower->index->rows && !err; row++) {
		if (row % stride != stride / 2)
			err = vexfs_measure_row(measure, row);
		if (row % 64)
			continue;
		cond_resched();
		if (!err)
			err = vexfs_build_stopped(grower->build);
	}
	return err;
}

/* How many of its true neighbours a query finds with some effort. */
static int vexfs_measure_query(struct vexfs_measure *measure, u32 q,
			       vexfs_measure_search search, u32 effort)
{
	const struct vexfs_measure_query *truth = &measure->queries[q];
	struct vexfs_measure_query found = { .row = truth->row };
	struct vexfs_grower *grower = measure->grower;
	u64 *rows = measure->rows;
	u32 vain = 0, count, i, j;
	struct vex_interval interval;
	const void *data;
	int hits = 0;
	int err;

	err = search(grower, truth->row, effort, rows, &count);
	for (i = 0; i < count && !err && vain < VEXFS_INDEX_PATIENCE; i++) {
		/* Lists hold the rows that are searched for, too. */
		if (rows[i] % grower->stride == grower->stride / 2)
			continue;
		err = vexfs_grower_row(grower, rows[i], &data);
		if (err)
			break;
		vex_distance_row(measure->search, q, data,
				 found.count < VEXFS_MEASURE_K ? S64_MAX :
				 found.key[VEXFS_MEASURE_K - 1], &interval);
		vain = vexfs_measure_keep(&found, rows[i], interval.lo) ? 0 :
		       vain + 1;
	}
	for (i = 0; i < found.count; i++)
		for (j = 0; j < truth->count; j++)
			hits += found.near[i] == truth->near[j];
	return err ? err : hits;
}

/* The share of the true neighbours that an effort finds, in 1/1000. */
static int vexfs_measure_recall(struct vexfs_measure *measure,
				vexfs_measure_search search, u32 effort)
{
	u32 q, wanted = 0, hits = 0;
	int ret;

	for (q = 0; q < VEXFS_MEASURE_QUERIES; q++) {
		ret = vexfs_build_stopped(measure->grower->build);
		if (!ret)
			ret = vexfs_measure_query(measure, q, search, effort);
		if (ret < 0)
			return ret;
		hits += ret;
		wanted += measure->queries[q].count;
	}
	return wanted ? hits * 1000 / wanted : 1000;
}

/* Raise the effort until all targets are reached. */
static int vexfs_measure_efforts(struct vexfs_measure *measure,
				 vexfs_measure_search search, u32 effort,
				 u32 most)
{
	u32 *targets = measure->grower->index->targets;
	u32 target = 0;
	int recall;

	while (target < VEX_INDEX_TARGETS) {
		recall = vexfs_measure_recall(measure, search, effort);
		if (recall < 0)
			return recall;
		while (target < VEX_INDEX_TARGETS &&
		       (recall >= vexfs_measure_wanted[target] ||
			effort == most))
			targets[target++] = effort;
		effort = min(effort + max(effort / 4, 1U), most);
	}
	return 0;
}

int vexfs_measure(struct vexfs_grower *grower, vexfs_measure_search search,
		  u32 least, u32 most)
{
	struct vexfs_measure *measure;
	int err, err2;

	measure = kvzalloc(sizeof(*measure), GFP_KERNEL);
	if (!measure)
		return -ENOMEM;
	measure->grower = grower;
	err = vexfs_cursor_init(&measure->tombstones, grower->build->inode,
				VEXFS_FORK_TOMBSTONES);
	err2 = err ? err : vexfs_measure_prepare(measure);
	if (!err2)
		err2 = vexfs_measure_truth(measure);
	if (!err2)
		err2 = vexfs_measure_efforts(measure, search, least, most);
	/* Some would be there without the others. */
	if (err2)
		memset(grower->index->targets, 0,
		       sizeof(grower->index->targets));
	vexfs_cursor_exit(&measure->tombstones);
	kvfree(measure->memory);
	kvfree(measure);
	return err2;
}
