// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compaction as a whole: beginning, going on where an earlier one stopped,
 * checkpoints, and the transaction that puts the new rows in the place of the
 * old ones.
 *
 * The fork COMPACT holds the new matrix and, in its inode, how far it counts:
 * @published_rows of it were copied from @published_next_id rows of the base,
 * when the base's generation was @generation. A checkpoint has the matrix on
 * disk before it raises these. What lies beyond them after a crash is trimmed
 * before the compaction goes on; rows that were deleted meanwhile are found by
 * looking at all of them again.
 */
#include <linux/iversion.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/wait_bit.h>
#include <linux/writeback.h>
#include "build.h"
#include "compact.h"
#include "derived.h"

/* Bytes of the new matrix between two checkpoints. */
#define VEXFS_COMPACT_SAVE_BYTES	(64ULL << 20)

/* Bytes of rows that pass through memory at once: a row, or more. */
#define VEXFS_COMPACT_BUFFER		(1U << 20)

/* Runs of changed rows that are remembered. */
#define VEXFS_COMPACT_CHANGES_MAX	(1U << 16)

/* Rounds over rows that came meanwhile, before others have to wait. */
#define VEXFS_COMPACT_ROUNDS		8

/* Changes of copied rows */

static bool vexfs_compact_grow(struct vexfs_compaction *c)
{
	u32 room = max(2 * c->room, 256U);
	struct vexfs_row_run *changed;

	if (room > VEXFS_COMPACT_CHANGES_MAX)
		return false;
	changed = kvmalloc_array(room, sizeof(*changed), GFP_KERNEL_ACCOUNT);
	if (!changed)
		return false;
	if (c->changes)
		memcpy(changed, c->changed, c->changes * sizeof(*changed));
	kvfree(c->changed);
	c->changed = changed;
	c->room = room;
	return true;
}

void vexfs_compact_note(struct inode *base, u64 row, u64 count)
{
	struct vexfs_compaction *c = VEXFS_I(base)->compaction;
	struct vexfs_row_run *last;

	/* What was not copied yet will be copied as it is then. */
	if (!c || c->lost || row >= c->taken)
		return;
	count = min(count, c->taken - row);
	last = c->changes ? &c->changed[c->changes - 1] : NULL;
	if (last && last->row + last->count == row) {
		last->count += count;
	} else if (c->changes == c->room && !vexfs_compact_grow(c)) {
		c->lost = true;
	} else {
		c->changed[c->changes].row = row;
		c->changed[c->changes++].count = count;
	}
}

/* Removing */

static int vexfs_compact_remove(struct inode *base)
{
	unsigned int slot;
	int err = 0;

	for (slot = VEXFS_FORK_COMPACT; slot < VEXFS_FORKS && !err; slot++)
		err = vexfs_fork_remove(base, slot);
	return err;
}

/* Set how far the new matrix counts. */
static int vexfs_compact_mark(struct inode *base, struct inode *matrix,
			      u64 rows, u64 taken)
{
	struct vexfs_inode_info *info = VEXFS_I(matrix);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(base->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	spin_lock(&info->lock);
	info->vector.published_rows = rows;
	info->vector.published_next_id = taken;
	info->vector.generation = VEXFS_I(base)->vector.generation;
	spin_unlock(&info->lock);
	err = vexfs_inode_write(handle, matrix);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/*
 * Remove what was made. Nothing of it counts from the first transaction on, as
 * the others take it away bit by bit.
 */
static int vexfs_compact_forget(struct inode *base)
{
	struct inode *matrix = vexfs_fork_get(base, VEXFS_FORK_COMPACT);
	int err = PTR_ERR_OR_ZERO(matrix);

	if (!IS_ERR_OR_NULL(matrix)) {
		err = vexfs_compact_mark(base, matrix, 0, 0);
		iput(matrix);
	}
	return err ? err : vexfs_compact_remove(base);
}

/* Can a compaction go on with this? */
static bool vexfs_compact_usable(struct inode *base, struct inode *matrix)
{
	const struct vexfs_vector *left = &VEXFS_I(matrix)->vector;
	const struct vexfs_vector *vector = &VEXFS_I(base)->vector;
	unsigned int slot;
	struct inode *fork;
	bool right;

	for (slot = VEXFS_FORK_COMPACT; slot < VEXFS_FORK_COMPACT_ATTRIBUTES;
	     slot++) {
		fork = vexfs_fork_get(base, slot);
		if (IS_ERR_OR_NULL(fork))
			return false;
		right = VEXFS_I(fork)->root.r_kind == vex_fork_kind(slot);
		iput(fork);
		if (!right)
			return false;
	}
	return left->generation == vector->generation &&
	       left->published_rows &&
	       left->published_rows <= left->published_next_id &&
	       left->published_next_id <= vector->published_rows &&
	       div_u64(i_size_read(matrix), vector->row_bytes) >=
	       left->published_rows;
}

int vexfs_compact_clean(struct inode *base)
{
	struct inode *matrix = vexfs_fork_get(base, VEXFS_FORK_COMPACT);
	bool usable;

	if (IS_ERR(matrix))
		return PTR_ERR(matrix);
	if (matrix) {
		usable = vexfs_compact_usable(base, matrix);
		iput(matrix);
		if (usable)
			return 0;
	}
	return vexfs_compact_remove(base);
}

/* Beginning */

static int vexfs_compact_forks(struct vexfs_compaction *c)
{
	u32 columns = VEXFS_I(c->base)->vector.schema.s_columns, i;
	struct inode *fork;

	for (i = 0; i < VEXFS_COMPACT_FORKS; i++) {
		if (i == VEXFS_COMPACT_ATTRIBUTES && !columns)
			continue;
		fork = vexfs_fork_make(c->base, VEXFS_FORK_COMPACT + i);
		if (IS_ERR(fork))
			return PTR_ERR(fork);
		c->forks[i] = fork;
	}
	return 0;
}

static int vexfs_compact_count_buried(struct vexfs_compaction *c)
{
	struct vex_run run;
	u64 row = 0;
	int err;

	for (;;) {
		err = vexfs_fork_find(c->base, VEXFS_FORK_COMPACT_TOMBSTONES,
				      row, &run);
		if (err)
			return err == -ENOENT ? 0 : err;
		c->buried += run.length;
		row = run.key + run.length;
		cond_resched();
	}
}

/* Go on with what an earlier compaction left, or begin anew. */
static int vexfs_compact_resume(struct vexfs_compaction *c)
{
	struct inode *base = c->base, *matrix;
	const struct vexfs_vector *left;
	u64 rows = 0, taken = 0;
	int err;

	err = vexfs_compact_clean(base);
	/* Attributes may have been changed meanwhile. */
	if (!err)
		err = vexfs_fork_remove(base, VEXFS_FORK_COMPACT_ATTRIBUTES);
	if (err)
		return err;
	matrix = vexfs_fork_get(base, VEXFS_FORK_COMPACT);
	if (IS_ERR(matrix))
		return PTR_ERR(matrix);
	if (matrix) {
		left = &VEXFS_I(matrix)->vector;
		rows = left->published_rows;
		taken = left->published_next_id;
		iput(matrix);
	}
	err = vexfs_fork_trim(base, VEXFS_FORK_COMPACT_IDS,
			      VEXFS_FORK_COMPACT_ROWS, rows);
	if (!err)
		err = vexfs_fork_trim(base, VEXFS_FORK_COMPACT_TOMBSTONES,
				      VEXFS_FORK_COMPACT_TOMBSTONES, rows);
	if (!err)
		err = vexfs_compact_forks(c);
	if (!err)
		err = vexfs_compact_count_buried(c);
	c->rows = rows;
	c->taken = taken;
	c->saved = taken;
	c->revisit_end = taken;
	return err ? err : vexfs_compact_clear(c);
}

/* Is there room for what is to be copied? Better to know it now. */
static int vexfs_compact_room(struct vexfs_compaction *c)
{
	struct super_block *sb = c->base->i_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	const struct vexfs_vector *vector = &VEXFS_I(c->base)->vector;
	u64 live = vector->published_rows - vector->deleted;
	u64 bytes = (live - min(live, c->rows)) * vector->row_bytes;
	s64 want = DIV_ROUND_UP_ULL(bytes, VEXFS_BLOCK_SIZE) +
		   sbi->metadata_reserve;
	u32 columns = vector->schema.s_columns;
	int tries = 0;

	if (columns)
		want += DIV_ROUND_UP_ULL(live, vex_attributes_rows(columns));

	while (percpu_counter_sum(&sbi->free_blocks) < want)
		if (!vexfs_alloc_retry(sb, &tries))
			return -ENOSPC;
	return 0;
}

/* May this file's rows be moved? It can change while others have i_rwsem. */
static int vexfs_compact_may(const struct inode *base)
{
	if (IS_IMMUTABLE(base) || IS_APPEND(base))
		return -EPERM;
	/* Its blocks are written to by their numbers. */
	return IS_SWAPFILE(base) ? -ETXTBSY : 0;
}

/* Returns 1 if there is nothing to do. Context: i_rwsem held for writing. */
static int vexfs_compact_begin(struct vexfs_compaction *c)
{
	struct vexfs_inode_info *info = VEXFS_I(c->base);
	struct vexfs_vector *vector = &info->vector;
	int err = vexfs_compact_may(c->base);

	if (err)
		return err;
	if (info->compaction || i_size_read(c->base) !=
				vector->rows * vector->row_bytes)
		return -EBUSY;
	err = vexfs_vector_publish(c->base);
	if (err)
		return err;
	c->generation = vector->generation;
	c->row_bytes = vector->row_bytes;
	c->own = vector->schema.s_ids == VEXFS_IDS_OWN;
	if (!vector->deleted)
		return vexfs_compact_clean(c->base) ? : 1;
	if (vector->deleted > vector->published_rows)
		return vexfs_corrupt(c->base->i_sb, 0, c->base->i_ino, -EUCLEAN,
				     "more rows are deleted than there are");
	c->buffer = kvmalloc(max(VEXFS_COMPACT_BUFFER, c->row_bytes),
			     GFP_KERNEL_ACCOUNT);
	if (!c->buffer)
		return -ENOMEM;
	err = vexfs_compact_resume(c);
	if (!err)
		err = vexfs_compact_room(c);
	if (!err)
		info->compaction = c;
	else if (!c->saved || (err != -EINTR && err != -ENOMEM))
		vexfs_compact_forget(c->base);
	return err;
}

/* Going on */

/* Is this still what the file is? Context: i_rwsem held. */
static bool vexfs_compact_holds(const struct vexfs_compaction *c)
{
	const struct vexfs_inode_info *info = VEXFS_I(c->base);

	return info->vector.generation == c->generation &&
	       info->forks[VEXFS_FORK_COMPACT] ==
	       c->forks[VEXFS_COMPACT_MATRIX]->i_ino;
}

/* Do something beside searches, with inserts and deletes waiting. */
static int vexfs_compact_beside(struct vexfs_compaction *c,
				int (*run)(struct vexfs_compaction *c))
{
	int ret = mnt_want_write_file(c->file);

	if (ret)
		return ret;
	inode_lock_shared(c->base);
	ret = vexfs_compact_holds(c) ? run(c) : -ESTALE;
	inode_unlock_shared(c->base);
	mnt_drop_write_file(c->file);
	return ret;
}

static int vexfs_compact_publish(struct vexfs_compaction *c)
{
	return vexfs_vector_publish(c->base);
}

static int vexfs_compact_save_mark(struct vexfs_compaction *c)
{
	return vexfs_compact_mark(c->base, c->forks[VEXFS_COMPACT_MATRIX],
				  c->rows, c->taken);
}

/* Have on disk what was made, and that it counts. */
static int vexfs_compact_save(struct vexfs_compaction *c)
{
	struct address_space *mapping =
		c->forks[VEXFS_COMPACT_MATRIX]->i_mapping;
	int err;

	if (c->saved == c->taken)
		return 0;
	err = filemap_write_and_wait(mapping);
	if (!err)
		err = vexfs_compact_beside(c, vexfs_compact_save_mark);
	if (err)
		return err;
	c->saved = c->taken;
	/* Nobody reads it soon; the memory is for the rows that are read. */
	invalidate_mapping_pages(mapping, 0, -1);
	return 0;
}

/* Copy the rows that are published. */
static int vexfs_compact_round(struct vexfs_compaction *c)
{
	int ret, err;

	do {
		ret = vexfs_compact_beside(c, vexfs_compact_piece);
		balance_dirty_pages_ratelimited(
			c->forks[VEXFS_COMPACT_MATRIX]->i_mapping);
		if (ret >= 0 && (c->taken - c->saved) * c->row_bytes >=
				VEXFS_COMPACT_SAVE_BYTES) {
			err = vexfs_compact_save(c);
			if (err)
				ret = err;
		}
		cond_resched();
	} while (ret > 0);
	return ret;
}

/* All but what nobody else must see half done. */
static int vexfs_compact_most(struct vexfs_compaction *c)
{
	u64 before;
	int err, i = 0;

	do {
		before = c->taken;
		err = vexfs_compact_beside(c, vexfs_compact_publish);
		if (!err)
			err = vexfs_compact_round(c);
	} while (!err && ++i < VEXFS_COMPACT_ROUNDS &&
		 (c->taken - before) * c->row_bytes >
		 VEXFS_COMPACT_SAVE_BYTES / 16);
	return err ? err : vexfs_compact_save(c);
}

/* The exchange */

static void vexfs_compact_swap_forks(struct vexfs_inode_info *info)
{
	static const unsigned int slots[] = {
		VEXFS_FORK_IDS, VEXFS_FORK_ROWS, VEXFS_FORK_TOMBSTONES,
		VEXFS_FORK_ATTRIBUTES,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		unsigned int other = VEXFS_FORK_COMPACT_IDS + i;

		swap(info->forks[slots[i]], info->forks[other]);
		swap(info->fork_inodes[slots[i]], info->fork_inodes[other]);
	}
}

/* What the file is becomes another, and what it was is returned in @other. */
static void vexfs_compact_swap(struct vexfs_compaction *c,
			       struct vexfs_vector *other, u64 *disk_size)
{
	struct vexfs_inode_info *info = VEXFS_I(c->base);
	struct vexfs_inode_info *matrix =
		VEXFS_I(c->forks[VEXFS_COMPACT_MATRIX]);
	struct vexfs_vector *vector = &info->vector;

	swap(info->root, matrix->root);
	info->extent_seq++;
	matrix->extent_seq++;
	spin_lock(&info->lock);
	vexfs_compact_swap_forks(info);
	swap(vector->rows, other->rows);
	swap(vector->published_rows, other->published_rows);
	swap(vector->boundary.rows, other->boundary.rows);
	swap(vector->deleted, other->deleted);
	swap(vector->generation, other->generation);
	swap(info->disk_size, *disk_size);
	spin_unlock(&info->lock);
}

/*
 * One transaction. Before it, all of the new matrix is on disk; after it, the
 * list of orphans says that the old one is to be removed.
 */
static int vexfs_compact_exchange(struct vexfs_compaction *c)
{
	struct inode *base = c->base, *matrix = c->forks[VEXFS_COMPACT_MATRIX];
	struct vexfs_vector next = {
		.rows = c->rows,
		.published_rows = c->rows,
		.boundary.rows = c->rows,
		.deleted = c->buried,
		.generation = c->generation + 1,
	};
	u64 disk_size = c->rows * c->row_bytes;
	/* Without links, or since a truncation that did not come to its end. */
	bool listed = !list_empty(&VEXFS_I(base)->orphan_link);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(base->i_sb, VEXFS_CREDITS_STATE +
				     4 * VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_orphan_add(handle, base);
	if (err)
		goto out_stop;
	down_write(&VEXFS_I(base)->tree_sem);
	down_write(&VEXFS_I(matrix)->tree_sem);
	vexfs_compact_swap(c, &next, &disk_size);
	err = vexfs_inode_write(handle, matrix);
	if (!err)
		err = vexfs_inode_write(handle, base);
	/* What cannot be written down has not happened. */
	if (err) {
		vexfs_compact_swap(c, &next, &disk_size);
		vexfs_inode_write(handle, matrix);
	}
	up_write(&VEXFS_I(matrix)->tree_sem);
	up_write(&VEXFS_I(base)->tree_sem);
	if (err && !listed)
		vexfs_orphan_del(handle, base);
out_stop:
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/*
 * No page of the old matrix stays. One that somebody put there before the
 * exchange is waited for, and what comes after it is of the new rows. Private
 * copies of pages are their owners', and go only where the file does.
 */
static void vexfs_compact_forget_pages(struct inode *base)
{
	struct address_space *mapping = base->i_mapping;
	loff_t end = round_up(i_size_read(base), PAGE_SIZE);

	unmap_mapping_range(mapping, 0, 0, 0);
	truncate_inode_pages(mapping, 0);
	unmap_mapping_range(mapping, end, 0, 1);
}

/*
 * The exchange as others see it: searches that overlap it do not hold, and no
 * page of the old matrix is in memory after it.
 */
static int vexfs_compact_switch(struct vexfs_compaction *c)
{
	struct vexfs_inode_info *info = VEXFS_I(c->base);
	struct vexfs_vector *vector = &info->vector;
	struct inode *base = c->base;
	int err;

	inode_dio_wait(base);
	mutex_lock(&info->publish_lock);
	mutex_lock(&info->fork_lock);
	filemap_invalidate_lock(base->i_mapping);
	WRITE_ONCE(vector->swapping, true);
	/* Whoever sees something new sees this. */
	smp_wmb();
	vexfs_touch_mc(base);
	inode_inc_iversion(base);
	err = vexfs_compact_exchange(c);
	if (vector->generation != c->generation)
		i_size_write(base, vector->rows * vector->row_bytes);
	vexfs_compact_forget_pages(base);
	vector->tail_trimmed = false;
	info->spare_end = 0;
	/* Pairs with vexfs_snapshot_holds() and vexfs_snapshot_await(). */
	smp_store_release(&vector->swapping, false);
	/* And those that wait for it were told to. */
	smp_mb();
	wake_up_var(&vector->swapping);
	filemap_invalidate_unlock(base->i_mapping);
	mutex_unlock(&info->fork_lock);
	mutex_unlock(&info->publish_lock);
	return err;
}

/* The rest of the rows, the exchange, and what follows from it. */
static int vexfs_compact_finish(struct vexfs_compaction *c)
{
	struct inode *base = c->base, *matrix = c->forks[VEXFS_COMPACT_MATRIX];
	struct vexfs_vector *vector = &VEXFS_I(base)->vector;
	int err = vexfs_compact_may(base);

	if (err)
		return err;
	if (!vexfs_compact_holds(c))
		return -ESTALE;
	if (i_size_read(base) != vector->rows * vector->row_bytes)
		return -EBUSY;
	err = vexfs_vector_publish(base);
	while (!err) {
		err = vexfs_compact_piece(c);
		if (err <= 0)
			break;
		balance_dirty_pages_ratelimited(matrix->i_mapping);
		err = 0;
	}
	if (!err && (c->taken != vector->rows ||
		     vector->published_rows != vector->rows))
		err = -EBUSY;
	/* Rather the old rows than one too few of the new ones. */
	if (!err && c->rows - c->buried !=
		    vector->published_rows - vector->deleted)
		err = vexfs_corrupt(base->i_sb, 0, base->i_ino, -EUCLEAN,
				    "a compaction found another number of rows");
	if (!err)
		err = filemap_write_and_wait(base->i_mapping);
	if (!err)
		err = filemap_write_and_wait(matrix->i_mapping);
	if (err)
		return err;
	truncate_inode_pages(matrix->i_mapping, 0);
	err = vexfs_extent_remove(matrix,
				  DIV_ROUND_UP_ULL(c->rows * c->row_bytes,
						   VEXFS_BLOCK_SIZE),
				  VEXFS_FILE_BLOCKS_MAX - 1);
	return err ? err : vexfs_compact_switch(c);
}

/* Free what the file was before. A crash before its end leaves it to a mount. */
static void vexfs_compact_tidy(struct inode *base)
{
	int err = vexfs_derived_discard(base);

	if (!err)
		err = vexfs_compact_remove(base);
	if (!err)
		err = vexfs_orphan_done(base);
	if (err)
		vexfs_msg(base->i_sb, KERN_WARNING,
			  "inode %llu: what a compaction left could not be removed (error %d), the next mount tries again",
			  (u64)base->i_ino, err);
}

static int vexfs_compact_end(struct vexfs_compaction *c,
			     struct vexfs_compact *call)
{
	struct vexfs_build_index index;
	struct inode *base = c->base;
	const struct vexfs_vector *vector = &VEXFS_I(base)->vector;
	bool indexed;
	u64 rows;
	int err = mnt_want_write_file(c->file);

	if (err)
		return err;
	inode_lock(base);
	indexed = vexfs_index_like(base, &index);
	err = vexfs_compact_finish(c);
	rows = c->taken;
	if (!err) {
		VEXFS_I(base)->compaction = NULL;
		vexfs_compact_tidy(base);
		call->rows = rows;
		call->rows_done = rows;
		call->rows_kept = vector->rows - vector->deleted;
		call->rows_reclaimed = rows - vector->rows;
		call->bytes_freed = call->rows_reclaimed * c->row_bytes;
		call->generation = vector->generation;
	}
	inode_unlock(base);
	if (!err) {
		vexfs_encode_later(base);
		if (indexed)
			vexfs_index_again(base, &index);
	}
	mnt_drop_write_file(c->file);
	return err;
}

/* The call */

/* It did not come to its end: keep what can be gone on with. */
static void vexfs_compact_stop(struct vexfs_compaction *c, int err)
{
	struct inode *base = c->base;

	if (err == -EINTR || err == -EBUSY)
		vexfs_compact_save(c);
	if (mnt_want_write_file(c->file)) {
		inode_lock(base);
		VEXFS_I(base)->compaction = NULL;
		inode_unlock(base);
		return;
	}
	inode_lock(base);
	VEXFS_I(base)->compaction = NULL;
	if (err != -EINTR && err != -EBUSY && vexfs_compact_holds(c) &&
	    vexfs_compact_forget(base))
		vexfs_msg(base->i_sb, KERN_WARNING,
			  "inode %llu: what a compaction left could not be removed",
			  (u64)base->i_ino);
	inode_unlock(base);
	mnt_drop_write_file(c->file);
}

static int vexfs_compact_status(struct inode *inode, struct vexfs_compact *call)
{
	const struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	const struct vexfs_compaction *c;

	inode_lock_shared(inode);
	c = VEXFS_I(inode)->compaction;
	call->rows = vector->rows;
	call->rows_kept = vector->rows - vector->deleted;
	call->generation = vector->generation;
	if (c) {
		call->running = 1;
		call->rows_done = READ_ONCE(c->taken);
	}
	inode_unlock_shared(inode);
	return 0;
}

static int vexfs_compact_run(struct vexfs_compaction *c,
			     struct vexfs_compact *call)
{
	int err = mnt_want_write_file(c->file);

	if (err)
		return err;
	inode_lock(c->base);
	err = vexfs_compact_begin(c);
	inode_unlock(c->base);
	mnt_drop_write_file(c->file);
	if (err) {
		if (err < 0)
			return err;
		vexfs_compact_status(c->base, call);
		call->rows_done = call->rows;
		return 0;
	}
	err = vexfs_compact_most(c);
	if (!err)
		err = vexfs_compact_end(c, call);
	if (err)
		vexfs_compact_stop(c, err);
	return err;
}

int vexfs_compact(struct file *file, struct vexfs_compact *call)
{
	struct vexfs_compact asked = *call;
	struct vexfs_compaction *c;
	int err, i;

	if ((asked.flags & ~VEXFS_COMPACT_STATUS) || asked.reserved0 ||
	    memchr_inv(asked.reserved, 0, sizeof(asked.reserved)))
		return -EINVAL;
	memset(call, 0, sizeof(*call));
	call->size = asked.size;
	call->flags = asked.flags;
	if (call->flags & VEXFS_COMPACT_STATUS)
		return vexfs_compact_status(file_inode(file), call);
	c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->file = file;
	c->base = file_inode(file);
	err = vexfs_compact_run(c, call);
	for (i = 0; i < VEXFS_COMPACT_FORKS; i++)
		iput(c->forks[i]);
	kvfree(c->changed);
	kvfree(c->buffer);
	kvfree(c);
	if (!err && (file->f_flags & O_DSYNC || IS_SYNC(file_inode(file))))
		err = vexfs_fsync(file, 0, LLONG_MAX, 1);
	return err;
}
