// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flat index: looks at every row, in order, and so needs no structure on
 * disk. Its answers are exact.
 */
#include "index.h"

/* The next row from @row on that is not deleted. */
static int vexfs_next_live(struct vexfs_pass *pass, u64 *row)
{
	struct vex_run run;
	int err;

	while (pass->tombstones.fork && *row < pass->end_row) {
		err = vexfs_cursor_find(&pass->tombstones, *row, &run);
		if (err)
			return err;
		if (run.key > *row)
			break;
		*row = run.key + run.length;
	}
	return 0;
}

static int vexfs_row_id(struct vexfs_pass *pass, u64 row, u64 *id)
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

/* A row in one piece. */
static int vexfs_row_data(struct vexfs_pass *pass, u64 row, const void **data)
{
	u32 bytes = pass->snapshot.row_bytes;
	loff_t pos = row * bytes;
	ssize_t got;

	got = vexfs_matrix_at(&pass->matrix, pos, bytes, true, data);
	if (got < 0)
		return got;
	if (got == bytes)
		return 0;
	memcpy(pass->bounce, *data, got);
	*data = pass->bounce;
	return vexfs_matrix_copy(&pass->matrix, pos + got, bytes - got, true,
				 pass->bounce + got);
}

static int vexfs_flat_offer(struct vexfs_pass *pass, u32 query, u64 row,
			    const struct vex_interval *interval)
{
	struct vex_topk *top = &pass->queries[query].top;
	struct vex_entry entry = {
		.lo = interval->lo,
		.hi = interval->hi,
		.row = row,
	};
	int ret;

	if (interval->lo > vex_topk_limit(top))
		return 0;
	ret = vexfs_row_id(pass, row, &entry.id);
	if (!ret)
		ret = vex_topk_offer(top, &entry);
	return min(ret, 0);
}

/* All queries of the pass against one row. */
static int vexfs_flat_row(struct vexfs_pass *pass, u64 row, const void *data,
			  s64 *limits, struct vex_interval *intervals)
{
	u32 q;
	int err = 0;

	if (pass->query_count == 1) {
		vex_distance_row(pass->search, 0, data,
				 vex_topk_limit(&pass->queries[0].top),
				 intervals);
		return vexfs_flat_offer(pass, 0, row, intervals);
	}
	for (q = 0; q < pass->query_count; q++)
		limits[q] = vex_topk_limit(&pass->queries[q].top);
	vex_distance_batch(pass->search, data, limits, intervals);
	for (q = 0; q < pass->query_count && !err; q++)
		err = vexfs_flat_offer(pass, q, row, &intervals[q]);
	return err;
}

static int vexfs_flat_knn(struct vexfs_pass *pass)
{
	struct vex_interval *intervals;
	u64 row = pass->first_row;
	const void *data;
	s64 *limits;
	int err = -ENOMEM;

	intervals = kvmalloc_array(pass->query_count, sizeof(*intervals),
				   GFP_KERNEL_ACCOUNT);
	limits = kvmalloc_array(pass->query_count, sizeof(*limits),
				GFP_KERNEL_ACCOUNT);
	if (!intervals || !limits)
		goto out_free;
	for (;;) {
		err = vexfs_next_live(pass, &row);
		if (err || row >= pass->end_row)
			break;
		err = vexfs_row_data(pass, row, &data);
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
	kvfree(limits);
	kvfree(intervals);
	return err;
}

/* Is a row within the radius? */
static int vexfs_flat_within(struct vexfs_pass *pass, u64 row,
			     const struct vex_interval *interval, bool *within)
{
	*within = interval->hi <= pass->radius;
	if (*within || interval->lo > pass->radius)
		return 0;
	pass->counts.exact_decisions++;
	return vex_exact_within(pass->search, 0, &pass->exact_rows, row,
				pass->radius, within);
}

static int vexfs_flat_range(struct vexfs_pass *pass,
			    int (*take)(void *context,
					const struct vex_entry *entry),
			    void *context)
{
	struct vex_interval interval;
	struct vex_entry entry;
	u64 row = pass->first_row;
	const void *data;
	bool within;
	int ret;

	for (;;) {
		ret = vexfs_next_live(pass, &row);
		if (ret || row >= pass->end_row)
			return ret;
		ret = vexfs_row_data(pass, row, &data);
		if (ret)
			return ret;
		vex_distance_row(pass->search, 0, data, pass->radius,
				 &interval);
		ret = vexfs_flat_within(pass, row, &interval, &within);
		if (ret)
			return ret;
		pass->counts.rows_scanned++;
		pass->counts.exact_distances++;
		if (within) {
			entry.lo = interval.lo;
			entry.hi = interval.hi;
			entry.row = row;
			ret = vexfs_row_id(pass, row, &entry.id);
			if (!ret)
				ret = take(context, &entry);
			if (ret)
				return ret;
		}
		row++;
	}
}

const struct vexfs_index_ops vexfs_flat_index = {
	.kind = VEXFS_INDEX_SCAN,
	.knn = vexfs_flat_knn,
	.range = vexfs_flat_range,
};
