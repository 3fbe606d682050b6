// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at every row, in order, and so needs no structure on disk: for files
 * and rows without codes. What it needs of a row (its bytes, its id, whether
 * it is deleted) other ways to find rows need as well.
 */
#include "index.h"

/* The next row from @row on that is not deleted. */
static int vexfs_next_undeleted(struct vexfs_pass *pass, u64 *row, u64 end_row)
{
	struct vex_run run;
	int err;

	while (pass->tombstones.fork && *row < end_row) {
		err = vexfs_cursor_find(&pass->tombstones, *row, &run);
		if (err)
			return err;
		if (run.key > *row)
			break;
		*row = run.key + run.length;
	}
	return 0;
}

/* The next row from @row on that the search may find. */
static int vexfs_next_live(struct vexfs_pass *pass, u64 *row, u64 end_row)
{
	u64 first;
	int err;

	do {
		err = vexfs_next_undeleted(pass, row, end_row);
		if (err || !pass->filter || *row >= end_row)
			return err;
		first = *row;
		err = vexfs_filter_next(pass->filter, row, end_row);
	} while (!err && *row != first);
	return err;
}

int vexfs_pass_live(struct vexfs_pass *pass, u64 row)
{
	u64 next = row;
	int ret;

	/* The filter's bits are quicker to look at than runs of rows. */
	ret = pass->filter ? vexfs_filter_row(pass->filter, row) : 1;
	if (ret <= 0)
		return ret;
	ret = vexfs_next_undeleted(pass, &next, row + 1);
	return ret ? ret : next == row;
}

int vexfs_pass_id(struct vexfs_pass *pass, u64 row, u64 *id)
{
	const struct inode *base;
	struct vex_run run;
	int err;

	*id = row;
	if (!pass->ids.fork)
		return 0;
	err = vexfs_cursor_find(&pass->ids, row, &run);
	if (err)
		return err;
	if (run.key <= row) {
		*id = run.value + (row - run.key);
		return 0;
	}
	/* With ids of their own, a truncation took the row away meanwhile. */
	base = VEXFS_I(pass->ids.fork)->fork_base;
	return VEXFS_I(base)->vector.schema.s_ids == VEXFS_IDS_OWN ? -ESTALE :
								     0;
}

void vexfs_pass_hint(struct vexfs_pass *pass, u64 row)
{
	u32 bytes = pass->snapshot.row_bytes;

	vexfs_matrix_hint(&pass->matrix, row * bytes, bytes);
}

void vexfs_pass_fetch(struct vexfs_pass *pass, u64 row)
{
	u32 bytes = pass->snapshot.row_bytes;

	if (!vexfs_matrix_fetch(&pass->matrix, row * bytes, bytes) &&
	    pass->matrix.pages_missed)
		vexfs_matrix_want(&pass->matrix, row * bytes, bytes);
}

int vexfs_pass_row(struct vexfs_pass *pass, u64 row, bool sequential,
		   const void **data)
{
	return vexfs_matrix_row(&pass->matrix, row, pass->snapshot.row_bytes,
				sequential, pass->bounce, data);
}

int vexfs_pass_offer(struct vexfs_pass_query *query, u64 row,
		     const struct vex_interval *interval)
{
	struct vex_entry entry = {
		.lo = interval->lo,
		.hi = interval->hi,
		.row = row,
		.nearest = interval->nearest,
	};
	int ret;

	ret = vexfs_pass_id(query->pass, row, &entry.id);
	if (!ret)
		ret = vex_topk_offer(&query->top, &entry);
	return min(ret, 0);
}

/* All queries of the pass against one row. */
static int vexfs_flat_row(struct vexfs_pass *pass, u64 row, const void *data,
			  s64 *limits, struct vex_interval *intervals)
{
	bool batch = pass->query_count > 1 &&
		     pass->query_count == pass->shape.queries;
	u32 q;
	int err = 0;

	/* A batch has the queries in their own order. */
	for (q = 0; q < pass->query_count; q++) {
		struct vexfs_pass_query *query = &pass->queries[q];

		limits[q] = vex_topk_limit(&query->top);
		if (!batch)
			vex_distance_row(pass->search, query->index, data,
					 limits[q], &intervals[q]);
	}
	if (batch)
		vex_distance_batch(pass->search, data, limits, intervals);
	for (q = 0; q < pass->query_count && !err; q++)
		if (intervals[q].lo <= limits[q])
			err = vexfs_pass_offer(&pass->queries[q], row,
					       &intervals[q]);
	return err;
}

int vexfs_flat_knn(struct vexfs_pass *pass, u64 row, u64 end_row)
{
	struct vex_interval one_interval, *intervals = &one_interval;
	s64 one_limit, *limits = &one_limit;
	const void *data;
	int err = -ENOMEM;

	if (pass->query_count > 1) {
		intervals = kvmalloc_array(pass->query_count,
					   sizeof(*intervals),
					   GFP_KERNEL_ACCOUNT);
		limits = kvmalloc_array(pass->query_count, sizeof(*limits),
					GFP_KERNEL_ACCOUNT);
		if (!intervals || !limits)
			goto out_free;
	}
	for (;;) {
		err = vexfs_next_live(pass, &row, end_row);
		if (err || row >= end_row)
			break;
		err = vexfs_pass_row(pass, row, !pass->sparse, &data);
		if (!err)
			err = vexfs_flat_row(pass, row, data, limits,
					     intervals);
		if (err)
			break;
		pass->counts.rows_scanned++;
		pass->counts.exact_distances += pass->query_count;
		row++;
	}
out_free:
	if (pass->query_count > 1) {
		kvfree(limits);
		kvfree(intervals);
	}
	return err;
}

/* Is a row within the radius? */
static int vexfs_within(struct vexfs_pass *pass, u64 row,
			const struct vex_interval *interval, bool *within)
{
	*within = interval->hi <= pass->radius;
	if (*within || interval->lo > pass->radius)
		return 0;
	pass->counts.exact_decisions++;
	return vex_exact_within(pass->search, 0, &pass->exact_rows, row,
				pass->radius, within);
}

int vexfs_pass_take(struct vexfs_pass *pass, u64 row, const void *data,
		    int (*take)(void *context, const struct vex_entry *entry),
		    void *context)
{
	struct vex_entry entry = { .row = row };
	struct vex_interval interval;
	bool within;
	int err;

	vex_distance_row(pass->search, 0, data, pass->radius, &interval);
	pass->counts.exact_distances++;
	err = vexfs_within(pass, row, &interval, &within);
	if (err || !within)
		return err;
	entry.lo = interval.lo;
	entry.hi = interval.hi;
	entry.nearest = interval.nearest;
	err = vexfs_pass_id(pass, row, &entry.id);
	return err ? err : take(context, &entry);
}

int vexfs_flat_range(struct vexfs_pass *pass, u64 row, u64 end_row,
		     int (*take)(void *context, const struct vex_entry *entry),
		     void *context)
{
	const void *data;
	int ret;

	for (;; row++) {
		ret = vexfs_next_live(pass, &row, end_row);
		if (ret || row >= end_row)
			return ret;
		ret = vexfs_pass_row(pass, row, !pass->sparse, &data);
		if (ret)
			return ret;
		pass->counts.rows_scanned++;
		ret = vexfs_pass_take(pass, row, data, take, context);
		if (ret)
			return ret;
	}
}
