// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between files and iomap: mappings for reading, writing, zeroing and
 * reporting, writeback, and what follows when written data is on disk.
 *
 * What keeps data right:
 * - Blocks are allocated unwritten before data for them is accepted into the
 *   page cache or sent to the disk, and converted after the I/O; disk_size
 *   follows the conversion, or is set by a truncation.
 * - Buffered writes, truncation, fallocate and direct writes that extend a file
 *   or touch part of a block hold i_rwsem; other direct I/O holds it shared.
 * - Whoever removes extents holds i_rwsem and the invalidate_lock, has waited
 *   for direct I/O, and has emptied the page cache of them first. Faults and
 *   reads of a folio hold the invalidate_lock shared.
 * - A folio's blocks can therefore not go away while it is locked and dirty or
 *   under writeback, but they may become written, and neighbours may come and
 *   go: extent_seq tells that a mapping must be looked up again. It is asked
 *   with the folio locked.
 * - Under the folio lock come handles, and in them tree_sem; no handle ever
 *   waits for a folio or for data.
 */
#include <linux/bio.h>
#include <linux/sched/mm.h>
#include <linux/writeback.h>
#include "compat_iomap.h"
#include "compat_writeback.h"
#include "derived.h"

/* Blocks that are allocated beyond the end of a growing file, at most. */
#define VEXFS_SPARE_MAX		4096U		/* 16 MiB */
#define VEXFS_SPARE_VECTOR_MAX	16384U		/* 64 MiB */

static void vexfs_run_to_iomap(struct inode *inode, const struct vex_run *run,
			       u64 seq, struct iomap *iomap)
{
	iomap->bdev = inode->i_sb->s_bdev;
	iomap->offset = run->key << VEXFS_BLOCK_BITS;
	iomap->length = (u64)run->length << VEXFS_BLOCK_BITS;
	iomap->validity_cookie = seq;
	if (!run->value) {
		iomap->type = IOMAP_HOLE;
		iomap->addr = IOMAP_NULL_ADDR;
		return;
	}
	iomap->type = run->flags & VEXFS_RECORD_UNWRITTEN ? IOMAP_UNWRITTEN :
							    IOMAP_MAPPED;
	iomap->addr = run->value << VEXFS_BLOCK_BITS;
}

static int vexfs_look_up(struct inode *inode, u64 block, unsigned int flags,
			 struct vex_run *run, u64 *seq)
{
	*seq = READ_ONCE(VEXFS_I(inode)->extent_seq);
	return flags & IOMAP_NOWAIT ?
	       vexfs_extent_map_nowait(inode, block, run) :
	       vexfs_extent_map(inode, block, run);
}

static int vexfs_read_begin(struct inode *inode, loff_t pos, loff_t length,
			    unsigned int flags, struct iomap *iomap,
			    struct iomap *srcmap)
{
	struct vex_run run;
	u64 seq;
	int err;

	err = vexfs_look_up(inode, pos >> VEXFS_BLOCK_BITS, flags, &run, &seq);
	if (!err)
		vexfs_run_to_iomap(inode, &run, seq, iomap);
	return err;
}

const struct iomap_ops vexfs_read_iomap_ops = {
	.iomap_begin = vexfs_read_begin,
};

/* Writing */

/*
 * How many blocks to allocate in advance for a file that grows at its end, so
 * that files which grow at the same time do not interleave: about an eighth of
 * its size, more for vector files, which are scanned; less when space is short.
 * Ordinary files give them back when they are closed.
 */
static u32 vexfs_spare_blocks(struct inode *inode, loff_t pos, loff_t length)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	u64 size = i_size_read(inode), spare;

	if (!size || (u64)pos > size || (u64)(pos + length) <= size)
		return 0;
	if (vexfs_is_vector(inode))
		spare = clamp_t(u64, size >> (VEXFS_BLOCK_BITS + 2), 16,
				VEXFS_SPARE_VECTOR_MAX);
	else
		spare = clamp_t(u64, size >> (VEXFS_BLOCK_BITS + 3), 16,
				VEXFS_SPARE_MAX);
	return min_t(u64, spare,
		     percpu_counter_read_positive(&sbi->free_blocks) / 64);
}

/* Allocate a hole's blocks from run->key to @last, and some in advance. */
static int vexfs_write_alloc(struct inode *inode, loff_t pos, loff_t length,
			     unsigned int flags, u64 last, struct vex_run *run)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 want = last - run->key + 1;
	u32 spare = 0;
	int err;

	if (!(flags & IOMAP_FAULT) && want < VEXFS_SPARE_VECTOR_MAX)
		spare = vexfs_spare_blocks(inode, pos, length);
	want = min_t(u64, want + spare, U32_MAX);
	err = vexfs_extent_alloc(inode, run->key, want, run);
	if (err || !spare || run->key + run->length - 1 <= last)
		return err;
	if (!info->spare_end)
		info->spare_first = run->key;
	info->spare_end = max(info->spare_end, run->key + run->length);
	return 0;
}

/* Must the journal be committed for what is written now to last? */
static bool vexfs_write_needs_commit(struct inode *inode, loff_t end)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	return (u64)end > READ_ONCE(info->disk_size) ||
	       !jbd2_transaction_committed(VEXFS_SB(inode->i_sb)->journal,
					   READ_ONCE(info->datasync_tid));
}

static int vexfs_write_begin(struct inode *inode, loff_t pos, loff_t length,
			     unsigned int flags, struct iomap *iomap,
			     struct iomap *srcmap)
{
	u64 block = pos >> VEXFS_BLOCK_BITS;
	u64 last = (pos + length - 1) >> VEXFS_BLOCK_BITS, seq;
	struct vex_run run;
	bool fresh = false;
	int err;

	for (;;) {
		err = vexfs_look_up(inode, block, flags, &run, &seq);
		if (err)
			return err;
		if (run.value || !(flags & IOMAP_WRITE))
			break;
		if (flags & (IOMAP_NOWAIT | IOMAP_OVERWRITE_ONLY))
			return -EAGAIN;
		err = vexfs_write_alloc(inode, pos, length, flags, last, &run);
		if (err)
			return err;
		fresh = true;
	}
	/* A direct write in pieces could not take back the first of them. */
	if ((flags & IOMAP_NOWAIT) && (flags & IOMAP_DIRECT) &&
	    (flags & IOMAP_WRITE) && run.key + run.length <= last)
		return -EAGAIN;
	vexfs_run_to_iomap(inode, &run, seq, iomap);
	if (fresh)
		iomap->flags |= IOMAP_F_NEW;
	if ((flags & IOMAP_WRITE) &&
	    vexfs_write_needs_commit(inode, pos + length))
		iomap->flags |= IOMAP_F_DIRTY;
	vexfs_iomap_set_hooks(iomap);
	return 0;
}

const struct iomap_ops vexfs_iomap_ops = {
	.iomap_begin = vexfs_write_begin,
};

static bool vexfs_iomap_valid(struct inode *inode, const struct iomap *iomap)
{
	return iomap->validity_cookie == READ_ONCE(VEXFS_I(inode)->extent_seq);
}

const VEXFS_WRITE_HOOKS_TYPE vexfs_write_hooks = {
	.iomap_valid = vexfs_iomap_valid,
};

/* Writeback */

static int vexfs_writeback_map(struct vexfs_writeback *wb, struct inode *inode,
			       loff_t offset)
{
	struct iomap *iomap = &wb->ctx.iomap;
	struct vex_run run;
	int err;

	if (VEXFS_I(inode)->derived)
		vexfs_derived_stamp(inode, offset);
	if (offset >= iomap->offset &&
	    offset < iomap->offset + (loff_t)iomap->length &&
	    wb->seq == READ_ONCE(VEXFS_I(inode)->extent_seq))
		return 0;
	err = vexfs_look_up(inode, offset >> VEXFS_BLOCK_BITS, 0, &run,
			    &wb->seq);
	if (err)
		return err;
	iomap->flags = 0;
	vexfs_run_to_iomap(inode, &run, wb->seq, iomap);
	return 0;
}

/*
 * How long the file is once an ioend is on disk; 0 if it says nothing about
 * that. A vector file's size is published with its rows, not by writeback.
 */
static loff_t vexfs_ioend_size(struct iomap_ioend *ioend)
{
	if (vexfs_is_vector(ioend->io_inode))
		return 0;
	return min_t(loff_t, ioend->io_offset + ioend->io_size,
		     i_size_read(ioend->io_inode));
}

static void vexfs_end_bio(struct bio *bio)
{
	struct iomap_ioend *ioend = vexfs_bio_ioend(bio);
	struct inode *inode = ioend->io_inode;
	struct vexfs_inode_info *info = VEXFS_I(inode);
	unsigned long flags;

	spin_lock_irqsave(&info->convert_lock, flags);
	if (list_empty(&info->convert_list))
		queue_work(VEXFS_SB(inode->i_sb)->convert_wq,
			   &info->convert_work);
	list_add_tail(&ioend->io_list, &info->convert_list);
	spin_unlock_irqrestore(&info->convert_lock, flags);
}

static void vexfs_ioend_prepare(struct iomap_ioend *ioend)
{
	u64 disk_size = READ_ONCE(VEXFS_I(ioend->io_inode)->disk_size);

	if (vexfs_ioend_unwritten(ioend) ||
	    (u64)vexfs_ioend_size(ioend) > disk_size)
		vexfs_ioend_bio(ioend)->bi_end_io = vexfs_end_bio;
}

/* Writeback of the folios ends when the metadata that shows them is changed. */
static void vexfs_end_ioend(struct iomap_ioend *ioend)
{
	unsigned int nofs = memalloc_nofs_save();
	u64 bytes = vexfs_ioend_unwritten(ioend) ? ioend->io_size : 0;
	loff_t size = vexfs_ioend_size(ioend);
	int err;

	err = blk_status_to_errno(vexfs_ioend_bio(ioend)->bi_status);
	if (!err && (bytes || size))
		err = vexfs_extent_convert(ioend->io_inode, ioend->io_offset,
					   bytes, size);
	iomap_finish_ioends(ioend, err);
	memalloc_nofs_restore(nofs);
}

void vexfs_convert_work(struct work_struct *work)
{
	struct vexfs_inode_info *info =
		container_of(work, struct vexfs_inode_info, convert_work);
	struct iomap_ioend *ioend;
	struct list_head list;
	unsigned long flags;

	spin_lock_irqsave(&info->convert_lock, flags);
	list_replace_init(&info->convert_list, &list);
	spin_unlock_irqrestore(&info->convert_lock, flags);

	/* The inode may be gone once the last of them has ended. */
	iomap_sort_ioends(&list);
	while (!list_empty(&list)) {
		ioend = list_first_entry(&list, struct iomap_ioend, io_list);
		list_del_init(&ioend->io_list);
		iomap_ioend_try_merge(ioend, &list);
		vexfs_end_ioend(ioend);
		cond_resched();
	}
}

/* Address space operations */

static int vexfs_read_folio(struct file *file, struct folio *folio)
{
	return vexfs_iomap_read_folio(folio);
}

static void vexfs_readahead(struct readahead_control *rac)
{
	vexfs_iomap_readahead(rac);
}

static int vexfs_writepages(struct address_space *mapping,
			    struct writeback_control *wbc)
{
	return vexfs_iomap_writepages(mapping, wbc);
}

static sector_t vexfs_bmap(struct address_space *mapping, sector_t block)
{
	return iomap_bmap(mapping, block, &vexfs_read_iomap_ops);
}

const struct address_space_operations vexfs_aops = {
	.read_folio = vexfs_read_folio,
	.readahead = vexfs_readahead,
	.writepages = vexfs_writepages,
	.dirty_folio = VEXFS_DIRTY_FOLIO,
	.release_folio = iomap_release_folio,
	.invalidate_folio = iomap_invalidate_folio,
	.migrate_folio = filemap_migrate_folio,
	.is_partially_uptodate = iomap_is_partially_uptodate,
	.bmap = vexfs_bmap,
	VEXFS_ERROR_REMOVE,
};

void vexfs_set_aops(struct inode *inode)
{
	inode->i_mapping->a_ops = &vexfs_aops;
	/* Windows hold on to pages of forks one by one, and for long. */
	if (VEXFS_I(inode)->flags & VEXFS_INO_FLAG_FORK)
		mapping_set_gfp_mask(inode->i_mapping, GFP_USER);
	else
		mapping_set_large_folios(inode->i_mapping);
}
