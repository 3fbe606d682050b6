// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_VECTORS: rows by id, or all rows in turn.
 */
#include "rows.h"

/* Ids passed through kernel memory at a time. */
#define VEXFS_GET_IDS		512U

/* Copy a row to user memory. */
static int vexfs_row_to_user(struct vexfs_matrix *matrix, u64 row, u32 bytes,
			     bool sequential, char __user *to)
{
	loff_t pos = row * bytes;
	const void *data;
	ssize_t got;

	while (bytes) {
		got = vexfs_matrix_at(matrix, pos, bytes, sequential, &data);
		if (got < 0)
			return got;
		if (copy_to_user(to, data, got))
			return -EFAULT;
		to += got;
		pos += got;
		bytes -= got;
	}
	return 0;
}

static int vexfs_get_by_id(struct file *file, struct vexfs_get_vectors *get,
			   const struct vexfs_snapshot *snapshot, u64 *ids)
{
	const u64 __user *from = u64_to_user_ptr(get->ids);
	char __user *to = u64_to_user_ptr(get->vectors);
	struct inode *inode = file_inode(file);
	struct vexfs_matrix matrix;
	u64 i, row;
	int err = 0;

	vexfs_matrix_init(&matrix, file);
	for (i = 0; i < get->count && !err; i++) {
		u64 part = min_t(u64, get->count - i, VEXFS_GET_IDS);

		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		if (!(i % VEXFS_GET_IDS) &&
		    copy_from_user(ids, from + i, part * sizeof(*ids))) {
			err = -EFAULT;
			break;
		}
		err = vexfs_row_of_id(inode, ids[i % VEXFS_GET_IDS], &row);
		if (err == -ENOENT)
			get->bad_index = i;
		if (!err && get->vectors) {
			err = vexfs_row_to_user(&matrix, row,
						snapshot->row_bytes, false, to);
			to += snapshot->row_bytes;
		}
		cond_resched();
	}
	vexfs_matrix_exit(&matrix);
	if (!err)
		get->returned = get->count;
	return err;
}

/**
 * struct vexfs_walk - all rows in turn
 * @matrix: reads them
 * @tombstones: those that are deleted
 * @ids: their ids
 * @own_ids: are they the caller's own, so that @ids holds them all?
 */
struct vexfs_walk {
	struct vexfs_matrix matrix;
	struct vexfs_run_cursor tombstones;
	struct vexfs_run_cursor ids;
	bool own_ids;
};

/* One row of the walk. Returns 1 when there are no more. */
static int vexfs_walk_row(struct vexfs_walk *walk,
			  struct vexfs_get_vectors *get,
			  const struct vexfs_snapshot *snapshot)
{
	char __user *to = u64_to_user_ptr(get->vectors);
	u64 __user *ids = u64_to_user_ptr(get->ids);
	struct vex_run run;
	u64 id;
	int err;

	while (walk->tombstones.fork && get->cursor < snapshot->rows) {
		err = vexfs_cursor_find(&walk->tombstones, get->cursor, &run);
		if (err)
			return err;
		if (run.key > get->cursor)
			break;
		get->cursor = run.key + run.length;
	}
	if (get->cursor >= snapshot->rows)
		return 1;
	id = get->cursor;
	if (walk->ids.fork) {
		err = vexfs_cursor_find(&walk->ids, get->cursor, &run);
		if (err)
			return err;
		if (run.key <= get->cursor)
			id = run.value + (get->cursor - run.key);
		else if (walk->own_ids)
			return -ESTALE;
	}
	if (put_user(id, ids + get->returned))
		return -EFAULT;
	if (get->vectors) {
		err = vexfs_row_to_user(&walk->matrix, get->cursor,
					snapshot->row_bytes, true,
					to + get->returned * snapshot->row_bytes);
		if (err)
			return err;
	}
	get->returned++;
	get->cursor++;
	return 0;
}

static int vexfs_get_scan(struct file *file, struct vexfs_get_vectors *get,
			  const struct vexfs_snapshot *snapshot)
{
	struct inode *inode = file_inode(file);
	struct vexfs_walk *walk;
	int err, err2, ret = 0;

	if (get->cursor && get->generation != snapshot->generation)
		return -ESTALE;
	walk = kzalloc(sizeof(*walk), GFP_KERNEL_ACCOUNT);
	if (!walk)
		return -ENOMEM;
	get->generation = snapshot->generation;
	walk->own_ids = VEXFS_I(inode)->vector.schema.s_ids == VEXFS_IDS_OWN;
	vexfs_matrix_init(&walk->matrix, file);
	err = vexfs_cursor_init(&walk->tombstones, inode,
				VEXFS_FORK_TOMBSTONES);
	err2 = vexfs_cursor_init(&walk->ids, inode, VEXFS_FORK_IDS);
	if (!err)
		err = err2;
	while (!err && !ret && get->returned < get->count) {
		ret = vexfs_walk_row(walk, get, snapshot);
		if (ret < 0)
			err = ret;
		else if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	vexfs_cursor_exit(&walk->ids);
	vexfs_cursor_exit(&walk->tombstones);
	vexfs_matrix_exit(&walk->matrix);
	kfree(walk);
	return err;
}

/*
 * What took the place of rows is behind the others: the end is not to be told
 * of before that was seen.
 */
static int vexfs_get_next(struct file *file, struct vexfs_get_vectors *get,
			  struct vexfs_snapshot *snapshot)
{
	struct vexfs_view view = { .inode = file_inode(file) };
	int err;

	do {
		vexfs_view_begin(&view);
		vexfs_snapshot_await(view.inode, snapshot);
		err = vexfs_get_scan(file, get, snapshot);
	} while (!vexfs_view_end(&view) && !err && !get->returned &&
		 view.tries < VEXFS_VIEW_TRIES);
	return err;
}

static int vexfs_get_once(struct file *file, struct vexfs_get_vectors *get)
{
	struct inode *inode = file_inode(file);
	struct vexfs_snapshot snapshot;
	u64 *ids;
	int err;

	get->returned = 0;
	get->bad_index = U64_MAX;
	vexfs_snapshot_await(inode, &snapshot);
	if (get->vectors_bytes != (get->vectors ?
				   get->count * snapshot.row_bytes : 0))
		return -EINVAL;
	if (get->flags & VEXFS_GET_SCAN) {
		err = vexfs_get_next(file, get, &snapshot);
	} else {
		ids = kmalloc_array(VEXFS_GET_IDS, sizeof(*ids),
				    GFP_KERNEL_ACCOUNT);
		if (!ids)
			return -ENOMEM;
		err = vexfs_get_by_id(file, get, &snapshot, ids);
		kfree(ids);
	}
	/* An id that was not found may be there, in another row. */
	if ((!err || err == -ENOENT) && !vexfs_snapshot_holds(inode, &snapshot))
		err = -ESTALE;
	return err;
}

int vexfs_get_vectors(struct file *file, struct vexfs_get_vectors *get)
{
	bool fresh = !(get->flags & VEXFS_GET_SCAN) || !get->cursor;
	u64 cursor = get->cursor;
	int err, tries = 0;

	get->returned = 0;
	get->bad_index = U64_MAX;
	if ((get->flags & ~VEXFS_GET_SCAN) || !get->ids || !get->count ||
	    memchr_inv(get->reserved, 0, sizeof(get->reserved)))
		return -EINVAL;
	if (get->count > VEXFS_BATCH_MAX)
		return -E2BIG;
	do {
		get->cursor = cursor;
		err = vexfs_get_once(file, get);
	} while (err == -ESTALE && fresh && !tries++);
	if (err)
		get->returned = 0;
	return err;
}
