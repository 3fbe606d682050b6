/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter of a search: which rows it may find, by their attributes and by
 * a set of ids. Rows are looked at in windows of bits, worked out when they are
 * first asked for and kept, within bounds, for as long as the search goes on.
 */
#ifndef VEXFS_FILTER_H
#define VEXFS_FILTER_H

#include "rows.h"

struct vexfs_filter;

/* vexfs_filter_share() of a filter that lets all rows pass. */
#define VEXFS_SHARE_ALL		65536U

/**
 * struct vexfs_filter_user - a filter as a caller hands it over
 * @program: pointer to a struct vexfs_filter_program, or 0
 * @program_bytes: its bytes, or 0
 * @ids: pointer to ids in ascending order, each once, or 0
 * @ids_count: how many, or 0
 */
struct vexfs_filter_user {
	u64 program;
	u64 program_bytes;
	u64 ids;
	u64 ids_count;
};

/**
 * vexfs_filter_new() - take a filter in
 * @inode: the vector file
 * @snapshot: the rows
 * @user: the filter
 *
 * It belongs to one search, which uses it from one thread at a time. Deleted
 * rows are not its business.
 *
 * Return: the filter; NULL if every row may be found; an ERR_PTR: -EINVAL,
 * -E2BIG, -EFAULT, -ENOMEM, or an error of reading.
 */
struct vexfs_filter *vexfs_filter_new(struct inode *inode,
				      const struct vexfs_snapshot *snapshot,
				      const struct vexfs_filter_user *user);

/**
 * vexfs_filter_free() - give back what a filter holds
 * @filter: the filter, NULL or an ERR_PTR
 */
void vexfs_filter_free(struct vexfs_filter *filter);

/**
 * vexfs_filter_row() - may a row be found?
 * @filter: the filter
 * @row: the row, below the snapshot's rows
 *
 * Return: 1 if it may, 0 if not, -EINTR, or another negative errno.
 */
int vexfs_filter_row(struct vexfs_filter *filter, u64 row);

/**
 * vexfs_filter_next() - the next row that may be found
 * @filter: the filter
 * @row: where to begin; set to the first row from there on, or to @end
 * @end: where to stop, at most the snapshot's rows
 *
 * Return: 0, -EINTR, or another negative errno.
 */
int vexfs_filter_next(struct vexfs_filter *filter, u64 *row, u64 end);

/**
 * vexfs_filter_share() - about how many rows may be found?
 * @filter: the filter, or NULL
 * @row: first row that counts
 * @end: one past the last, at most the snapshot's rows
 * @share: of VEXFS_SHARE_ALL, from a sample of the rows; of few rows from all
 *
 * Return: 0, -EINTR, or another negative errno.
 */
int vexfs_filter_share(struct vexfs_filter *filter, u64 row, u64 end,
		       u32 *share);

#endif /* VEXFS_FILTER_H */
