// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of files: where it is, allocating it, converting it once it is
 * written, and freeing it. A change is one handle, or several of which each
 * leaves the file whole: blocks are allocated unwritten, which reads as zeros,
 * and become readable when their data is on disk. So no order of a crash
 * shows what a block held before.
 *
 * The page cache is the business of iomap.c and file.c.
 */
#include <linux/sched.h>
#include "vexfs.h"

/* What covers a block: an extent, or the hole up to the next one. */
static int vexfs_extent_find(struct vexfs_tree *t, u64 block,
			     struct vex_run *run)
{
	int err = vex_tree_find(&t->tree, block, run);

	if (err && err != -ENOENT)
		return err;
	if (!err && run->key <= block &&
	    !vex_range_is_data(&VEXFS_SB(t->inode->i_sb)->geo, run->value,
			       run->length))
		return vexfs_corrupt(t->inode->i_sb, run->value,
				     t->inode->i_ino, -EUCLEAN,
				     "an extent that is no data");
	if (err || run->key > block) {
		u64 next = err ? U64_MAX : run->key;

		run->key = block;
		run->value = 0;
		run->length = min_t(u64, next - block, U32_MAX);
		run->flags = 0;
	}
	return 0;
}

/* The extents have changed: mappings that were looked up no longer hold. */
static int vexfs_extents_changed(struct vexfs_tree *t)
{
	struct vexfs_inode_info *info = VEXFS_I(t->inode);
	bool charged = t->blocks_delta && info->fork_base;
	int err;

	vexfs_tree_end(t);
	WRITE_ONCE(info->extent_seq, info->extent_seq + 1);
	err = vexfs_inode_write(t->handle, t->inode);
	if (!err && charged)
		err = vexfs_inode_write(t->handle, info->fork_base);
	return err;
}

int vexfs_extent_map(struct inode *inode, u64 block, struct vex_run *run)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	int err;

	down_read(&info->tree_sem);
	vexfs_tree_begin(&t, inode, NULL);
	err = vexfs_extent_find(&t, block, run);
	up_read(&info->tree_sem);
	return err;
}

int vexfs_extent_map_nowait(struct inode *inode, u64 block,
			    struct vex_run *run)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	int err = -EAGAIN;

	if (!down_read_trylock(&info->tree_sem))
		return err;
	vexfs_tree_begin(&t, inode, NULL);
	if (!info->root.r_depth)
		err = vexfs_extent_find(&t, block, run);
	up_read(&info->tree_sem);
	return err;
}

int vexfs_extent_beyond(struct inode *inode, u64 block)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	struct vex_run run;
	int err;

	down_read(&info->tree_sem);
	vexfs_tree_begin(&t, inode, NULL);
	err = vex_tree_find(&t.tree, block, &run);
	up_read(&info->tree_sem);
	return err ? (err == -ENOENT ? 0 : err) : 1;
}

/* Where a block would best lie: after the one before it in the file. */
static u64 vexfs_extent_goal(struct vexfs_tree *t, u64 block)
{
	const struct vex_geometry *geo = &VEXFS_SB(t->inode->i_sb)->geo;
	struct vex_run prev;
	u32 slot;
	u64 goal;

	if (block && !vex_tree_find_last(&t->tree, block, &prev)) {
		goal = prev.value + (block - prev.key);
		return goal < geo->blocks ? goal : prev.value;
	}
	goal = vex_inode_block(geo, t->inode->i_ino, &slot);
	return vex_group_first_data(geo, goal / VEXFS_GROUP_BLOCKS);
}

/* Fill a hole that begins at run->key. Context: tree_sem held for writing. */
static int vexfs_extent_fill(struct vexfs_tree *t, u32 count,
			     struct vex_run *run)
{
	struct super_block *sb = t->inode->i_sb;
	int err = 0, err2;
	u32 got;

	run->value = vexfs_alloc_blocks(t->handle, sb,
					vexfs_extent_goal(t, run->key),
					min(count, run->length), 0, &got, &err);
	if (!run->value)
		return err;
	run->length = got;
	run->flags = VEXFS_RECORD_UNWRITTEN;
	err = vex_tree_insert(&t->tree, run);
	if (err) {
		err2 = vexfs_free_blocks(t->handle, sb, run->value, got);
		vexfs_tree_end(t);
		run->value = 0;
		return err2 ? err2 : err;
	}
	t->blocks_delta += got;
	return vexfs_extents_changed(t);
}

static int vexfs_extent_try_alloc(struct inode *inode, u64 block, u32 count,
				  struct vex_run *run, bool *fresh)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, vexfs_tree_credits(inode) +
				     VEXFS_CREDITS_ALLOC,
				     vexfs_tree_revokes(inode));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	down_write(&info->tree_sem);
	vexfs_tree_begin(&t, inode, handle);
	err = vexfs_extent_find(&t, block, run);
	*fresh = !err && !run->value;
	if (*fresh)
		err = vexfs_extent_fill(&t, count, run);
	up_write(&info->tree_sem);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_extent_alloc(struct inode *inode, u64 block, u32 count,
		       struct vex_run *run)
{
	struct super_block *sb = inode->i_sb;
	bool fresh;
	int err, tries = 0;

	if (block >= VEXFS_FILE_BLOCKS_MAX)
		return -EFBIG;
	count = min_t(u64, count, VEXFS_FILE_BLOCKS_MAX - block);
	do {
		err = vexfs_extent_try_alloc(inode, block, count, run, &fresh);
	} while (err == -ENOSPC && vexfs_alloc_retry(sb, &tries));
	/*
	 * A block that was metadata before may have a buffer still, which must
	 * not be written over the data to come.
	 */
	if (!err && fresh)
		clean_bdev_aliases(sb->s_bdev, run->value, run->length);
	return err;
}

/*
 * Convert what is unwritten from *block on within one extent, and pass over
 * what need not be. Context: tree_sem held for writing.
 */
static int vexfs_extent_convert_step(struct vexfs_tree *t, u64 *block, u64 end)
{
	struct vex_run run;
	u64 done = 0;
	int err, err2;

	err = vexfs_extent_find(t, *block, &run);
	if (err)
		return err;
	if (!run.value || !(run.flags & VEXFS_RECORD_UNWRITTEN)) {
		*block = run.key + run.length;
		return 0;
	}
	t->flags = VEXFS_ALLOC_RESERVE;
	err = vex_tree_set_flags(&t->tree, *block, end - *block,
				 run.flags & ~VEXFS_RECORD_UNWRITTEN, &done);
	*block += done;
	err2 = vexfs_extents_changed(t);
	return err ? err : err2;
}

/*
 * The data up to @size is on disk, and so may be the size. A truncation may
 * have been faster: then its size counts, as it waits for the I/O beyond its
 * end before it sets disk_size.
 */
static int vexfs_extent_set_size(handle_t *handle, struct inode *inode,
				 loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	bool changed = false;

	spin_lock(&info->lock);
	size = min(size, i_size_read(inode));
	if ((u64)size > info->disk_size) {
		info->disk_size = size;
		changed = true;
	}
	spin_unlock(&info->lock);
	return changed ? vexfs_inode_write(handle, inode) : 0;
}

int vexfs_extent_convert(struct inode *inode, loff_t offset, u64 bytes,
			 loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 block = offset >> VEXFS_BLOCK_BITS;
	u64 end = bytes ? (offset + bytes - 1) / VEXFS_BLOCK_SIZE + 1 : block;
	struct vexfs_tree t;
	handle_t *handle;
	int err = 0, err2;

	handle = vexfs_journal_start(inode->i_sb, vexfs_tree_credits(inode),
				     vexfs_tree_revokes(inode));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	/* A crash between two steps leaves the rest unwritten: zeros. */
	while (block < end && !err) {
		err = vexfs_journal_ensure(handle, vexfs_tree_credits(inode),
					   vexfs_tree_revokes(inode));
		if (err < 0)
			break;
		down_write(&info->tree_sem);
		vexfs_tree_begin(&t, inode, handle);
		err = vexfs_extent_convert_step(&t, &block, end);
		up_write(&info->tree_sem);
	}
	if (!err && size)
		err = vexfs_journal_ensure(handle, VEXFS_CREDITS_INODE, 0);
	if (err >= 0 && size)
		err = vexfs_extent_set_size(handle, inode, size);
	err2 = vexfs_journal_stop(handle);
	return err < 0 ? err : err2;
}

/* Free the last extent, or part of one, of a range. */
static int vexfs_extent_remove_step(struct vexfs_tree *t, u64 first, u64 last)
{
	struct vex_run run;
	int err, err2;

	t->flags = VEXFS_ALLOC_RESERVE;
	err = vex_tree_cut(&t->tree, first, last, U32_MAX, &run);
	if (err)
		return err;
	err = vexfs_free_blocks(t->handle, t->inode->i_sb, run.value,
				run.length);
	if (!err)
		t->blocks_delta -= run.length;
	err2 = vexfs_extents_changed(t);
	return err ? err : err2;
}

int vexfs_extent_remove(struct inode *inode, u64 first, u64 last)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, vexfs_tree_credits(inode) +
				     VEXFS_CREDITS_ALLOC,
				     vexfs_tree_revokes(inode));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	/*
	 * From the end backwards: a crash between two steps leaves a file that
	 * is cut short by less, which the list of orphans, or a repetition of
	 * the call, brings to its end.
	 */
	do {
		err = vexfs_journal_ensure(handle, vexfs_tree_credits(inode) +
					   VEXFS_CREDITS_ALLOC,
					   vexfs_tree_revokes(inode));
		if (err < 0)
			break;
		down_write(&info->tree_sem);
		vexfs_tree_begin(&t, inode, handle);
		err = vexfs_extent_remove_step(&t, first, last);
		up_write(&info->tree_sem);
		cond_resched();
	} while (!err);
	if (err == -ENOENT)
		err = 0;
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}
