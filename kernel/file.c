// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regular files as the VFS sees them: reading and writing, mapping into
 * memory, truncation, fallocate and fsync. How data gets to the disk is
 * explained in iomap.c.
 */
#include <linux/compat.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/iversion.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "build.h"
#include "compat_iomap.h"
#include "sketch.h"

static u64 vexfs_blocks_of(loff_t bytes)
{
	return ((u64)bytes + VEXFS_BLOCK_SIZE - 1) >> VEXFS_BLOCK_BITS;
}

/* Context: the caller ends with inode_unlock() or inode_unlock_shared(). */
static int vexfs_lock_for(struct kiocb *iocb, struct inode *inode, bool shared)
{
	if (iocb->ki_flags & IOCB_NOWAIT) {
		if (shared ? inode_trylock_shared(inode) : inode_trylock(inode))
			return 0;
		return -EAGAIN;
	}
	if (shared)
		inode_lock_shared(inode);
	else
		inode_lock(inode);
	return 0;
}

static void vexfs_unlock(struct inode *inode, bool shared)
{
	if (shared)
		inode_unlock_shared(inode);
	else
		inode_unlock(inode);
}

/* Reading */

static ssize_t vexfs_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	if (!(iocb->ki_flags & IOCB_DIRECT))
		return generic_file_read_iter(iocb, to);
	ret = vexfs_lock_for(iocb, inode, true);
	if (ret)
		return ret;
	file_accessed(iocb->ki_filp);
	ret = iomap_dio_rw(iocb, to, &vexfs_read_iomap_ops, NULL, 0, NULL, 0);
	inode_unlock_shared(inode);
	return ret;
}

/* Writing */

/*
 * Zero what lies between the end of the file and where it will continue. The
 * block of the old end may hold old data behind it after a crash during a
 * truncation; the zeros must be on disk before a greater size is.
 */
static int vexfs_zero_gap(struct inode *inode, loff_t from, loff_t to)
{
	bool zeroed = false;
	int err;

	inode_dio_wait(inode);
	/* What a mapping wrote behind the end goes too. */
	err = filemap_write_and_wait_range(inode->i_mapping, from, from);
	if (!err)
		err = vexfs_iomap_zero(inode, from, to - from, &zeroed);
	if (!err && zeroed)
		err = filemap_write_and_wait_range(inode->i_mapping, from, from);
	return err;
}

/* What precedes every write. Returns how many bytes, 0, or an error. */
static ssize_t vexfs_write_prepare(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t count = generic_write_checks(iocb, from);
	loff_t size = i_size_read(inode);
	int err;

	if (count <= 0)
		return count;
	err = kiocb_modified(iocb);
	if (!err && iocb->ki_pos > size) {
		if (iocb->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		err = vexfs_zero_gap(inode, size, iocb->ki_pos);
	}
	return err ? err : count;
}

ssize_t vexfs_buffered_write(struct kiocb *iocb, struct iov_iter *from)
{
	loff_t pos = iocb->ki_pos;
	ssize_t ret = vexfs_iomap_write(iocb, from);

	/* Some kernels leave moving on to the caller. */
	if (ret > 0)
		iocb->ki_pos = pos + ret;
	return ret;
}

static ssize_t vexfs_write_cached(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret = vexfs_lock_for(iocb, inode, false);

	if (ret)
		return ret;
	/* It may have become a vector file before it was locked. */
	if (vexfs_is_vector(inode)) {
		inode_unlock(inode);
		return vexfs_vector_write(iocb, from);
	}
	ret = vexfs_write_prepare(iocb, from);
	if (ret > 0)
		ret = vexfs_buffered_write(iocb, from);
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}

/*
 * Context: an end beyond disk_size means that the caller waits for the I/O, so
 * that this is not an interrupt; beyond i_size, that it holds i_rwsem for
 * writing.
 */
static int vexfs_dio_write_end(struct kiocb *iocb, ssize_t bytes, int error,
			       unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t end = iocb->ki_pos + bytes;
	bool unwritten = flags & IOMAP_DIO_UNWRITTEN;

	if (error || bytes <= 0)
		return error;
	if (end > i_size_read(inode))
		i_size_write(inode, end);
	if (!unwritten && (u64)end <= READ_ONCE(VEXFS_I(inode)->disk_size))
		return 0;
	return vexfs_extent_convert(inode, iocb->ki_pos, unwritten ? bytes : 0,
				    end);
}

static const struct iomap_dio_ops vexfs_dio_write_ops = {
	.end_io = vexfs_dio_write_end,
};

/* Can a direct write go beside others, or must it have the file for itself? */
static bool vexfs_dio_write_shared(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t end = iocb->ki_pos + iov_iter_count(from);

	return IS_NOSEC(inode) && !(iocb->ki_flags & IOCB_APPEND) &&
	       !((iocb->ki_pos | end) & (VEXFS_BLOCK_SIZE - 1)) &&
	       end <= i_size_read(inode) &&
	       (u64)end <= READ_ONCE(VEXFS_I(inode)->disk_size);
}

static ssize_t vexfs_write_direct(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool shared = vexfs_dio_write_shared(iocb, from);
	ssize_t ret = vexfs_lock_for(iocb, inode, shared);

	if (ret)
		return ret;
	if (shared && !vexfs_dio_write_shared(iocb, from)) {
		/* It was truncated in the meantime. */
		inode_unlock_shared(inode);
		shared = false;
		ret = vexfs_lock_for(iocb, inode, false);
		if (ret)
			return ret;
	}
	ret = vexfs_is_vector(inode) ? -ENOTBLK :
				       vexfs_write_prepare(iocb, from);
	if (ret <= 0)
		goto out_unlock;
	if (!shared)
		inode_dio_wait(inode);
	ret = iomap_dio_rw(iocb, from, &vexfs_iomap_ops, &vexfs_dio_write_ops,
			   shared ? 0 : IOMAP_DIO_FORCE_WAIT, NULL, 0);
out_unlock:
	vexfs_unlock(inode, shared);
	return ret;
}

/* A direct write that cannot be one: through the page cache, to the disk. */
static ssize_t vexfs_write_through(struct kiocb *iocb, struct iov_iter *from)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	ssize_t ret = vexfs_write_cached(iocb, from);
	loff_t first = iocb->ki_pos - ret, last = iocb->ki_pos - 1;
	int err;

	if (ret <= 0)
		return ret;
	err = filemap_write_and_wait_range(mapping, first, last);
	if (err)
		return err;
	invalidate_mapping_pages(mapping, first >> PAGE_SHIFT,
				 last >> PAGE_SHIFT);
	return ret;
}

static ssize_t vexfs_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret;

	if (vexfs_is_vector(file_inode(iocb->ki_filp)))
		return vexfs_vector_write(iocb, from);
	if (!(iocb->ki_flags & IOCB_DIRECT))
		return vexfs_write_cached(iocb, from);
	ret = vexfs_write_direct(iocb, from);
	return ret == -ENOTBLK ? vexfs_write_through(iocb, from) : ret;
}

/* Mapping into memory */

static vm_fault_t vexfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	if (unlikely(IS_IMMUTABLE(inode)))
		return VM_FAULT_SIGBUS;
	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = vexfs_iomap_mkwrite(vmf);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

static const struct vm_operations_struct vexfs_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = vexfs_page_mkwrite,
};

/*
 * The rows of a vector file are checked when they come in, so nobody may change
 * them through memory: as for append-only files, a shared mapping for writing
 * is -EACCES.
 */
static int vexfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vexfs_is_vector(file_inode(file)) && (vma->vm_flags & VM_SHARED)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vexfs_vma_forbid_write(vma);
	}
	file_accessed(file);
	vma->vm_ops = &vexfs_vm_ops;
	return 0;
}

/* Truncation */

/* Set the size on disk, in a handle of its own. */
static int vexfs_size_commit(struct inode *inode, loff_t size, bool orphan)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, 2 * VEXFS_CREDITS_INODE +
				     VEXFS_CREDITS_STATE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	spin_lock(&info->lock);
	info->disk_size = size;
	spin_unlock(&info->lock);
	err = orphan ? vexfs_orphan_add(handle, inode) : 0;
	if (!err)
		err = vexfs_inode_write(handle, inode);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_orphan_done(struct inode *inode)
{
	handle_t *handle;
	int err, err2;

	/* A file without links stays on the list until it is gone. */
	if (!inode->i_nlink)
		return 0;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_STATE +
				     2 * VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_orphan_del(handle, inode);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_truncate_finish(struct inode *inode)
{
	int err;

	err = vexfs_extent_remove(inode, vexfs_blocks_of(i_size_read(inode)),
				  U64_MAX);
	return err ? err : vexfs_orphan_done(inode);
}

/*
 * The size in memory grew from @old, or shrank to something that is not on
 * disk yet: before it goes there, so must the data below it.
 */
static int vexfs_write_below_size(struct inode *inode, loff_t old)
{
	loff_t disk_size = READ_ONCE(VEXFS_I(inode)->disk_size);
	loff_t size = i_size_read(inode);

	if (size <= disk_size || old == disk_size)
		return 0;
	return filemap_write_and_wait_range(inode->i_mapping, disk_size,
					    size - 1);
}

static int vexfs_truncate_up(struct inode *inode, loff_t old, loff_t size)
{
	int err = vexfs_zero_gap(inode, old, size);

	if (err)
		return err;
	i_size_write(inode, size);
	pagecache_isize_extended(inode, old, size);
	err = vexfs_write_below_size(inode, old);
	return err ? err : vexfs_size_commit(inode, size, false);
}

/*
 * Rows that are cut off have to be gone for good before what is left of their
 * block is zeroed or holds other rows: a crash would bring them back damaged.
 */
static int vexfs_cut_rows(struct inode *inode, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err, beyond;

	if (!vexfs_is_vector(inode) || READ_ONCE(info->disk_size) <= size)
		return 0;
	beyond = vexfs_extent_beyond(inode, vexfs_blocks_of(size));
	if (beyond < 0)
		return beyond;
	err = vexfs_size_commit(inode, size, beyond);
	return err ? err :
	       jbd2_complete_transaction(VEXFS_SB(inode->i_sb)->journal,
					 info->sync_tid);
}

/* Context: invalidate_lock held, no direct I/O. */
static int vexfs_truncate_down(struct inode *inode, loff_t old, loff_t size)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned int tail = size & (VEXFS_BLOCK_SIZE - 1);
	int err = 0, beyond;

	/*
	 * Zero the rest of the last block. The folio is written first because
	 * zeroing passes over what is unwritten, whatever is cached of it.
	 */
	if (tail) {
		err = filemap_write_and_wait_range(mapping, size, size);
		if (!err)
			err = vexfs_cut_rows(inode, size);
		if (!err)
			err = vexfs_iomap_zero(inode, size,
					       VEXFS_BLOCK_SIZE - tail, NULL);
	}
	if (err)
		return err;
	truncate_setsize(inode, size);
	err = vexfs_write_below_size(inode, old);
	if (err)
		return err;
	beyond = vexfs_extent_beyond(inode, vexfs_blocks_of(size));
	if (beyond < 0)
		return beyond;
	/*
	 * A crash before this handle commits leaves the old size and all the
	 * blocks; after it, the new size and, by the list of orphans, a mount
	 * that frees what is left.
	 */
	err = vexfs_size_commit(inode, size, beyond);
	return err || !beyond ? err : vexfs_truncate_finish(inode);
}

int vexfs_truncate(struct inode *inode, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	loff_t old = i_size_read(inode);
	int err;

	if (size != old) {
		vexfs_touch_mc(inode);
		inode_inc_iversion(inode);
	}
	if (size > old)
		return vexfs_truncate_up(inode, old, size);
	inode_dio_wait(inode);
	filemap_invalidate_lock(inode->i_mapping);
	err = vexfs_truncate_down(inode, old, size);
	filemap_invalidate_unlock(inode->i_mapping);
	if (!err)
		info->spare_end = 0;
	return err;
}

/* Closing */

/* Free what was allocated in advance and not used. */
static int vexfs_trim_spare(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 first;
	int err = 0;

	inode_lock(inode);
	first = max(info->spare_first, vexfs_blocks_of(i_size_read(inode)));
	if (first < info->spare_end)
		err = vexfs_extent_remove(inode, first, info->spare_end - 1);
	info->spare_end = 0;
	inode_unlock(inode);
	return err;
}

static int vexfs_file_release(struct inode *inode, struct file *file)
{
	/* Is this the last one who could write? */
	if (!(file->f_mode & FMODE_WRITE) ||
	    atomic_read(&inode->i_writecount) != 1 ||
	    !READ_ONCE(VEXFS_I(inode)->spare_end) ||
	    vexfs_is_vector(inode) || !inode->i_nlink)
		return 0;
	/* A frozen volume keeps them: they are unwritten and beyond the end. */
	if (!sb_start_write_trylock(inode->i_sb))
		return 0;
	vexfs_trim_spare(inode);
	sb_end_write(inode->i_sb);
	return 0;
}

static int vexfs_file_open(struct inode *inode, struct file *file)
{
	file->f_mode |= VEXFS_FMODE;
	/* Builds that an unmounting or a crash interrupted go on. */
	if (vexfs_is_vector(inode))
		vexfs_build_later(inode);
	return generic_file_open(inode, file);
}

/* fallocate */

/* Empty the page cache of a range, so that only extents tell its contents. */
static int vexfs_flush_range(struct inode *inode, loff_t start, loff_t end)
{
	loff_t first = round_down(start, PAGE_SIZE);
	loff_t last = round_up(end, PAGE_SIZE) - 1;
	int err = filemap_write_and_wait_range(inode->i_mapping, first, last);

	if (!err)
		truncate_pagecache_range(inode, first, last);
	return err;
}

/* Context: i_rwsem held for writing, invalidate_lock held, no direct I/O. */
static int vexfs_punch(struct inode *inode, loff_t start, loff_t end)
{
	u64 first = vexfs_blocks_of(start), last = end >> VEXFS_BLOCK_BITS;
	loff_t size = i_size_read(inode), head, tail;
	int err;

	err = vexfs_flush_range(inode, start, end);
	if (!err && first < last)
		err = vexfs_extent_remove(inode, first, last - 1);
	if (err || start >= size)
		return err;
	/* The parts of blocks at both ends; one part if they are the same. */
	head = min_t(loff_t, first << VEXFS_BLOCK_BITS, end);
	tail = max_t(loff_t, last << VEXFS_BLOCK_BITS, head);
	if (head > start)
		err = vexfs_iomap_zero(inode, start, min(head, size) - start,
				       NULL);
	if (!err && min(end, size) > tail)
		err = vexfs_iomap_zero(inode, tail, min(end, size) - tail,
				       NULL);
	return err;
}

/*
 * Refuse what cannot succeed before it takes all the space there is. Context:
 * i_rwsem held for writing; nobody else allocates much in this file.
 */
static int vexfs_preallocate_check(struct inode *inode, u64 block, u64 last)
{
	struct super_block *sb = inode->i_sb;
	struct vex_run run;
	s64 want = 0;
	int err, tries = 0;

	while (block < last) {
		err = vexfs_extent_map(inode, block, &run);
		if (err)
			return err;
		if (!run.value)
			want += min_t(u64, run.length, last - block);
		block = run.key + run.length;
		cond_resched();
	}
	do {
		if (percpu_counter_compare(&VEXFS_SB(sb)->free_blocks,
					   want) >= 0)
			return 0;
	} while (vexfs_alloc_retry(sb, &tries));
	return -ENOSPC;
}

static int vexfs_preallocate(struct inode *inode, loff_t start, loff_t end)
{
	u64 block = start >> VEXFS_BLOCK_BITS, last = vexfs_blocks_of(end);
	struct vex_run run;
	int err;

	err = vexfs_preallocate_check(inode, block, last);
	if (err)
		return err;
	while (block < last) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = vexfs_extent_alloc(inode, block,
					 min_t(u64, last - block, U32_MAX),
					 &run);
		if (err)
			return err;
		block = run.key + run.length;
		cond_resched();
	}
	return 0;
}

/* Context: i_rwsem held for writing. */
static int vexfs_fallocate_locked(struct file *file, int mode, loff_t start,
				  loff_t end)
{
	struct inode *inode = file_inode(file);
	int err;

	if (vexfs_is_vector(inode) && mode != FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode)) {
		err = inode_newsize_ok(inode, end);
		if (err)
			return err;
	}
	err = file_modified(file);
	if (err)
		return err;
	inode_dio_wait(inode);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		filemap_invalidate_lock(inode->i_mapping);
		err = vexfs_punch(inode, start, end);
		filemap_invalidate_unlock(inode->i_mapping);
	}
	if (err || (mode & FALLOC_FL_PUNCH_HOLE))
		return err;
	/* The blocks are what the caller asked for now: closing keeps them. */
	VEXFS_I(inode)->spare_end = 0;
	err = vexfs_preallocate(inode, start, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode))
		err = vexfs_truncate(inode, end);
	return err;
}

static long vexfs_file_fallocate(struct file *file, int mode, loff_t start,
				 loff_t length)
{
	struct inode *inode = file_inode(file);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = vexfs_fallocate_locked(file, mode, start, start + length);
	inode_unlock(inode);
	if (!err && ((file->f_flags & O_DSYNC) || IS_SYNC(inode)))
		err = vfs_fsync(file, 0);
	return err;
}

/* fsync */

/* Commit what an inode's durability depends on, the disk's cache included. */
static int vexfs_commit(struct inode *inode, tid_t tid)
{
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;
	bool flush;
	int err, err2;

	/* If its commit has begun, it may not flush the data written since. */
	flush = (journal->j_flags & JBD2_BARRIER) &&
		!jbd2_trans_will_send_data_barrier(journal, tid);
	err = jbd2_complete_transaction(journal, tid);
	if (!flush)
		return err;
	err2 = blkdev_issue_flush(inode->i_sb->s_bdev);
	return err ? err : err2;
}

int vexfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file->f_mapping->host;
	struct vexfs_inode_info *info = VEXFS_I(inode);
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;
	int err, err2;

	if (journal && is_journal_aborted(journal))
		return -EIO;
	/* Writeback ends after extents are converted and the size is set. */
	err = file_write_and_wait_range(file, start, end);
	if (err || !journal || sb_rdonly(inode->i_sb))
		return err;
	if (vexfs_is_vector(inode)) {
		err = vexfs_vector_publish(inode);
		if (err)
			return err;
	}
	err = vexfs_commit(inode, datasync ? READ_ONCE(info->datasync_tid) :
					     READ_ONCE(info->sync_tid));
	/* A later error than the one above, of anybody's writeback. */
	err2 = file_check_and_advance_wb_err(file);
	return err ? err : err2;
}

/* What is wanted of a vector file soon, is wanted of its derived forks too. */
static int vexfs_file_fadvise(struct file *file, loff_t offset, loff_t len,
			      int advice)
{
	int err = generic_fadvise(file, offset, len, advice);

	if (!err && advice == POSIX_FADV_WILLNEED &&
	    vexfs_is_vector(file_inode(file))) {
		vexfs_sketches_warm(file_inode(file));
		vexfs_index_warm(file_inode(file));
	}
	return err;
}

/* Looking at extents */

static loff_t vexfs_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file->f_mapping->host;

	if (whence != SEEK_HOLE && whence != SEEK_DATA)
		return generic_file_llseek_size(file, offset, whence,
						inode->i_sb->s_maxbytes,
						i_size_read(inode));
	inode_lock_shared(inode);
	if (whence == SEEK_HOLE)
		offset = iomap_seek_hole(inode, offset, &vexfs_read_iomap_ops);
	else
		offset = iomap_seek_data(inode, offset, &vexfs_read_iomap_ops);
	inode_unlock_shared(inode);
	return offset < 0 ? offset :
			    vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
}

static int vexfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
			u64 start, u64 length)
{
	int err;

	inode_lock_shared(inode);
	err = iomap_fiemap(inode, info, start, length, &vexfs_read_iomap_ops);
	inode_unlock_shared(inode);
	return err;
}

const struct file_operations vexfs_file_operations = {
	.open = vexfs_file_open,
	.release = vexfs_file_release,
	.llseek = vexfs_file_llseek,
	.read_iter = vexfs_file_read_iter,
	.write_iter = vexfs_file_write_iter,
	.mmap = vexfs_file_mmap,
	.fsync = vexfs_fsync,
	.splice_read = vexfs_splice_read,
	.splice_write = iter_file_splice_write,
	.fallocate = vexfs_file_fallocate,
	.fadvise = vexfs_file_fadvise,
	.unlocked_ioctl = vexfs_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = vexfs_uring_cmd,
	VEXFS_FOP_FLAGS
};

const struct inode_operations vexfs_file_inode_operations = {
	.setattr = vexfs_setattr,
	.getattr = vexfs_getattr,
	.listxattr = vexfs_listxattr,
	.fiemap = vexfs_fiemap,
	.VEXFS_GET_ACL_OP = vexfs_get_acl,
	.set_acl = vexfs_set_acl,
	.fileattr_get = vexfs_fileattr_get,
	.fileattr_set = vexfs_fileattr_set,
};
