// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vector files as they grow and shrink: inserting batches, appending by
 * write(2), publishing, truncating.
 *
 * Rows come into being in this order: bytes into the page cache beyond the
 * last row; attributes and ids into the forks; then @rows grows by one store, and searches
 * see them. On disk they come into being when they are published: the
 * matrix is written and converted first, then one transaction sets the rows
 * and the size. A crash before it leaves the rows as they were; what it
 * leaves beyond them is trimmed before the file grows again.
 */
#include <linux/uio.h>
#include "attributes.h"
#include "compact.h"
#include "sketch.h"

/* Rows pass through a buffer of so many bytes on their way in. */
#define VEXFS_CHUNK_BYTES	(128U << 10)

void vexfs_snapshot_take(struct inode *inode, struct vexfs_snapshot *snapshot)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_vector *vector = &info->vector;

	/* These three belong together, and only an empty file changes them. */
	spin_lock(&info->lock);
	snapshot->generation = vector->generation;
	snapshot->schema = vector->schema;
	snapshot->row_bytes = vector->row_bytes;
	spin_unlock(&info->lock);
	/* The rows that were counted are in the page cache. */
	snapshot->rows = smp_load_acquire(&vector->rows);
}

void vexfs_snapshot_await(struct inode *inode, struct vexfs_snapshot *snapshot)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;

	for (;;) {
		vexfs_snapshot_take(inode, snapshot);
		/*
		 * Whoever took a new generation sees this, or the end of it.
		 * Both pair with vexfs_compact_switch().
		 */
		smp_rmb();
		/* What is read by the snapshot is read after this. */
		if (!smp_load_acquire(&vector->swapping))
			return;
		if (wait_var_event_killable(&vector->swapping,
					    !READ_ONCE(vector->swapping)))
			return;
	}
}

bool vexfs_snapshot_holds(struct inode *inode,
			  const struct vexfs_snapshot *snapshot)
{
	const struct vexfs_vector *vector = &VEXFS_I(inode)->vector;

	/* What was read must have been read before this. */
	smp_rmb();
	/* Whoever sees the end of a compaction sees its generation. */
	return !smp_load_acquire(&vector->swapping) &&
	       READ_ONCE(vector->generation) == snapshot->generation;
}

/* Growing */

/**
 * struct vexfs_append - bytes on their way to the end of a matrix
 * @iocb: says the file and where its end is
 * @user: where they come from, or NULL
 * @from: where they come from if not from @user
 * @buffer: VEXFS_CHUNK_BYTES and room for a part of an element before them
 * @pos: the end of the matrix as it grows
 * @bytes: still to come
 * @bad_row: the row of the file that holds a NaN or an infinity, or U64_MAX
 */
struct vexfs_append {
	struct kiocb *iocb;
	const char __user *user;
	struct iov_iter *from;
	char *buffer;
	loff_t pos;
	u64 bytes;
	u64 bad_row;
};

/* Undo what a crash or an earlier failure left beyond the last row. */
static int vexfs_trim_tail(struct inode *inode)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	u64 blocks;
	int err;

	if (vector->tail_trimmed)
		return 0;
	err = vexfs_rows_trim(inode);
	if (err)
		return err;
	blocks = DIV_ROUND_UP_ULL(i_size_read(inode), VEXFS_BLOCK_SIZE);
	err = vexfs_extent_remove(inode, blocks, VEXFS_FILE_BLOCKS_MAX - 1);
	if (!err)
		vector->tail_trimmed = true;
	return err;
}

/* Take a file that failed to grow back to where it was. */
static void vexfs_append_undo(struct inode *inode, loff_t size)
{
	VEXFS_I(inode)->vector.tail_trimmed = false;
	if (i_size_read(inode) > size && vexfs_truncate(inode, size))
		vexfs_msg(inode->i_sb, KERN_WARNING,
			  "inode %llu could not be cut back after a failed insert",
			  (u64)inode->i_ino);
}

/*
 * Read the next bytes into the buffer, and before them what there already is
 * of the element that they go on with. Returns their number.
 */
static ssize_t vexfs_append_fill(struct vexfs_append *append, u32 before)
{
	struct file *file = append->iocb->ki_filp;
	size_t want = min_t(u64, append->bytes, VEXFS_CHUNK_BYTES), got;
	struct vexfs_matrix matrix;
	int err;

	if (append->user) {
		got = want - copy_from_user(append->buffer + before,
					    append->user, want);
		if (got < want)
			return -EFAULT;
		append->user += got;
	} else {
		got = copy_from_iter(append->buffer + before, want,
				     append->from);
		if (!got)
			return -EFAULT;
	}
	if (before) {
		vexfs_matrix_init(&matrix, file);
		err = vexfs_matrix_copy(&matrix, append->pos - before, before,
					false, append->buffer);
		vexfs_matrix_exit(&matrix);
		if (err)
			return err;
	}
	return got;
}

/* Of so many bytes at the end of the matrix, those that may be stored. */
static size_t vexfs_append_check(struct vexfs_append *append, u32 before,
				 size_t bytes)
{
	struct vexfs_vector *vector =
		&VEXFS_I(file_inode(append->iocb->ki_filp))->vector;
	u32 element_bytes = vex_element_bytes(vector->schema.s_element);
	s64 bad;
	u64 end;

	bad = vex_elements_check(vector->schema.s_element, append->buffer,
				 (before + bytes) / element_bytes);
	if (bad < 0)
		return bytes;
	append->bad_row = div_u64(append->pos - before + bad * element_bytes,
				  vector->row_bytes);
	end = append->bad_row * vector->row_bytes;
	return end > append->pos ? end - append->pos : 0;
}

/* Put the next bytes into the page cache. Returns 0 at the end. */
static ssize_t vexfs_append_step(struct vexfs_append *append)
{
	struct inode *inode = file_inode(append->iocb->ki_filp);
	u32 before = (u32)append->pos %
		     vex_element_bytes(VEXFS_I(inode)->vector.schema.s_element);
	struct iov_iter iter;
	struct kvec kvec;
	ssize_t got;

	if (!append->bytes)
		return 0;
	if (fatal_signal_pending(current))
		return -EINTR;
	got = vexfs_append_fill(append, before);
	if (got < 0)
		return got;
	kvec.iov_len = vexfs_append_check(append, before, got);
	if (!kvec.iov_len)
		return -EINVAL;
	kvec.iov_base = append->buffer + before;
	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, kvec.iov_len);
	append->iocb->ki_pos = append->pos;
	got = vexfs_buffered_write(append->iocb, &iter);
	if (got <= 0)
		return got ? got : -EIO;
	append->pos += got;
	append->bytes -= got;
	/* A short write has a reason, which the next try would tell. */
	if (iov_iter_count(&iter))
		return -ENOSPC;
	return append->bad_row == U64_MAX ? got : -EINVAL;
}

void vexfs_rows_grow(struct inode *inode, u64 rows, u64 next_id)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	WRITE_ONCE(info->vector.next_id, next_id);
	spin_lock(&info->lock);
	info->vector.boundary.rows = rows;
	info->vector.boundary.next_id = next_id;
	/*
	 * Whoever sees the rows sees their bytes and ids; and if he publishes
	 * then, they are among what is published.
	 */
	smp_store_release(&info->vector.rows, rows);
	spin_unlock(&info->lock);
	mark_inode_dirty_sync(inode);
	vexfs_encode_grown(inode);
}

/* Do automatic ids differ from row numbers? Then they are in the forks. */
static bool vexfs_ids_kept(struct inode *inode)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;

	return vector->schema.s_ids == VEXFS_IDS_OWN ||
	       vector->next_id != vector->rows ||
	       VEXFS_I(inode)->forks[VEXFS_FORK_IDS];
}

/* Ids for new rows; blocks that are about to become free are waited for. */
static int vexfs_ids_insert(struct inode *inode, u64 row, u64 count,
			    const struct vexfs_batch_ids *own, u64 first_id)
{
	int err, tries = 0;

	for (;;) {
		err = vexfs_ids_add(inode, row, count, own, first_id);
		if (err != -ENOSPC || !vexfs_alloc_retry(inode->i_sb, &tries))
			return err;
		err = vexfs_rows_trim(inode);
		if (err)
			return err;
	}
}

/* Inserting a batch */

static int vexfs_insert_rows(struct kiocb *iocb,
			     struct vexfs_batch_insert *batch,
			     const struct vexfs_batch_ids *own)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	struct vexfs_append append = {
		.iocb = iocb,
		.user = u64_to_user_ptr(batch->vectors),
		.pos = i_size_read(inode),
		.bytes = batch->vectors_bytes,
		.bad_row = U64_MAX,
	};
	u64 first = vector->rows, next_id = vector->next_id;
	ssize_t ret;

	append.buffer = kvmalloc(VEXFS_CHUNK_BYTES + 8, GFP_KERNEL_ACCOUNT);
	if (!append.buffer)
		return -ENOMEM;
	do {
		ret = vexfs_append_step(&append);
	} while (ret > 0);
	kvfree(append.buffer);
	if (append.bad_row != U64_MAX)
		batch->bad_index = append.bad_row - first;
	if (!ret && batch->attributes)
		ret = vexfs_records_insert(inode, first, batch);
	if (!ret && vexfs_ids_kept(inode))
		ret = vexfs_ids_insert(inode, first, batch->count, own,
				       next_id);
	if (!ret && own->taken)
		ret = vexfs_rows_replace(inode, first, batch->count, own);
	if (ret < 0) {
		vexfs_append_undo(inode, vector->rows * vector->row_bytes);
		return ret;
	}
	batch->first_id = own->ids ? 0 : next_id;
	batch->replaced = own->taken;
	if (!own->taken)
		vexfs_rows_grow(inode, first + batch->count,
				own->ids ? next_id : next_id + batch->count);
	return 0;
}

/* Everything that can be refused before anything changes. */
static int vexfs_insert_prepare(struct kiocb *iocb,
				struct vexfs_batch_insert *batch,
				struct vexfs_batch_ids *own)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	loff_t size = i_size_read(inode);
	int err;

	if (IS_IMMUTABLE(inode) || (own->old && IS_APPEND(inode)))
		return -EPERM;
	if (batch->vectors_bytes != batch->count * vector->row_bytes)
		return -EINVAL;
	if ((vector->schema.s_ids == VEXFS_IDS_OWN) != !!own->ids)
		return -EINVAL;
	err = vexfs_records_check(inode, batch);
	if (err)
		return err;
	if (size != vector->rows * vector->row_bytes)
		return -EBUSY;
	if (batch->vectors_bytes > inode->i_sb->s_maxbytes - size)
		return -EFBIG;
	err = inode_newsize_ok(inode, size + batch->vectors_bytes);
	if (err)
		return err;
	if (!own->ids && vector->next_id > VEXFS_ID_MAX - batch->count)
		return -EOVERFLOW;
	err = vexfs_trim_tail(inode);
	if (!err && own->ids)
		err = vexfs_ids_check(inode, own, batch->count,
				      &batch->bad_index);
	/* On disk only rows that are there can be replaced. */
	if (!err && own->taken)
		err = vexfs_vector_publish(inode);
	return err ? err : file_modified(iocb->ki_filp);
}

/* The caller's ids in kernel memory, if there are any. */
static int vexfs_ids_from_user(const struct vexfs_batch_insert *batch,
			       struct vexfs_batch_ids *own)
{
	size_t bytes = batch->count * sizeof(*own->ids);

	if (!batch->ids)
		return batch->flags & VEXFS_INSERT_REPLACE ? -EINVAL : 0;
	own->ids = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!own->ids)
		return -ENOMEM;
	if (copy_from_user(own->ids, u64_to_user_ptr(batch->ids), bytes))
		return -EFAULT;
	if (!(batch->flags & VEXFS_INSERT_REPLACE))
		return 0;
	own->old = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	return own->old ? 0 : -ENOMEM;
}

int vexfs_batch_insert(struct file *file, struct vexfs_batch_insert *batch)
{
	struct inode *inode = file_inode(file);
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	struct vexfs_batch_ids own = { NULL };
	struct kiocb iocb;
	int err;

	batch->first_id = 0;
	batch->bad_index = U64_MAX;
	batch->replaced = 0;
	if ((batch->flags & ~VEXFS_INSERT_REPLACE) || !batch->count ||
	    !batch->vectors ||
	    memchr_inv(batch->reserved, 0, sizeof(batch->reserved)))
		return -EINVAL;
	if (batch->count > VEXFS_BATCH_MAX ||
	    batch->vectors_bytes > VEXFS_BATCH_BYTES_MAX)
		return -E2BIG;
	err = vexfs_ids_from_user(batch, &own);
	if (err)
		goto out_free;
	init_sync_kiocb(&iocb, file);
	inode_lock(inode);
	err = vexfs_insert_prepare(&iocb, batch, &own);
	if (!err)
		err = vexfs_insert_rows(&iocb, batch, &own);
	inode_unlock(inode);
	if (err)
		goto out_free;
	atomic64_add(own.taken, &vector->stats.rows_deleted);
	atomic64_add(batch->count, &vector->stats.rows_inserted);
	atomic64_inc(&vector->stats.insert_batches);
	/* O_SYNC and O_DSYNC mean it for batches too. */
	if (file->f_flags & O_DSYNC || IS_SYNC(inode))
		err = vexfs_fsync(file, 0, LLONG_MAX,
				  (file->f_flags & __O_SYNC) ? 0 : 1);
out_free:
	kvfree(own.old);
	kvfree(own.ids);
	return err;
}

/* write(2) */

static ssize_t vexfs_vector_append(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	struct vexfs_append append = {
		.iocb = iocb,
		.from = from,
		.pos = iocb->ki_pos,
		.bytes = iov_iter_count(from),
		.bad_row = U64_MAX,
	};
	const struct vexfs_batch_ids automatic = { NULL };
	u64 first = vector->rows, next_id = vector->next_id, rows;
	loff_t start = append.pos;
	ssize_t ret, err = 0;

	append.buffer = kvmalloc(VEXFS_CHUNK_BYTES + 8, GFP_KERNEL_ACCOUNT);
	if (!append.buffer)
		return -ENOMEM;
	do {
		ret = vexfs_append_step(&append);
	} while (ret > 0);
	kvfree(append.buffer);
	iocb->ki_pos = append.pos;
	rows = div_u64(append.pos, vector->row_bytes);
	if (rows > first && vexfs_ids_kept(inode))
		err = vexfs_ids_insert(inode, first, rows - first, &automatic,
				       next_id);
	if (err) {
		vexfs_append_undo(inode, start);
		iocb->ki_pos = start;
		return err;
	}
	if (rows > first)
		vexfs_rows_grow(inode, rows, next_id + rows - first);
	return append.pos > start ? append.pos - start : ret;
}

ssize_t vexfs_vector_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	ssize_t ret;

	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto out_unlock;
	ret = -EOPNOTSUPP;
	if (vector->schema.s_ids == VEXFS_IDS_OWN)
		goto out_unlock;
	ret = -EINVAL;
	if (iocb->ki_pos != i_size_read(inode))
		goto out_unlock;
	ret = -EOVERFLOW;
	if (vector->next_id > VEXFS_ID_MAX - iov_iter_count(from))
		goto out_unlock;
	ret = vexfs_trim_tail(inode);
	if (!ret)
		ret = file_modified(iocb->ki_filp);
	if (!ret)
		ret = vexfs_vector_append(iocb, from);
out_unlock:
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}

/* Publishing */

int vexfs_vector_publish(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_vector *vector = &info->vector;
	u64 rows, next_id, size, from, generation;
	handle_t *handle;
	int err = 0, err2;

	mutex_lock(&info->publish_lock);
	spin_lock(&info->lock);
	generation = vector->generation;
	rows = vector->boundary.rows;
	next_id = vector->boundary.next_id;
	from = vector->published_rows * vector->row_bytes;
	spin_unlock(&info->lock);
	if (rows <= vector->published_rows)
		goto out_unlock;
	size = rows * vector->row_bytes;
	err = filemap_write_and_wait_range(inode->i_mapping, from, size - 1);
	if (err)
		goto out_unlock;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_unlock;
	}
	spin_lock(&info->lock);
	/* A truncation since then has set all of this itself. */
	if (vector->generation == generation) {
		vector->published_rows = rows;
		vector->published_next_id = next_id;
		info->disk_size = size;
	}
	spin_unlock(&info->lock);
	err = vexfs_inode_write(handle, inode);
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
out_unlock:
	mutex_unlock(&info->publish_lock);
	return err;
}

void vexfs_publish_work(struct work_struct *work)
{
	struct vexfs_inode_info *info = container_of(work,
						     struct vexfs_inode_info,
						     publish_work);
	struct inode *inode = &info->vfs_inode;
	struct super_block *sb = inode->i_sb;

	/* On a frozen volume everything is published. */
	if (sb_start_intwrite_trylock(sb)) {
		vexfs_vector_publish(inode);
		sb_end_intwrite(sb);
	}
	iput(inode);
}

void vexfs_vector_publish_later(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (READ_ONCE(info->vector.boundary.rows) <=
	    READ_ONCE(info->vector.published_rows))
		return;
	if (READ_ONCE(sbi->stopping) || !igrab(inode))
		return;
	if (!queue_work(sbi->publish_wq, &info->publish_work))
		iput(inode);
}

/* Shrinking */

int vexfs_vector_truncate(struct inode *inode, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_vector *vector = &info->vector;
	u64 rows, deleted = 0;
	int err;

	if (size > i_size_read(inode))
		return -EINVAL;
	rows = div_u64(size, vector->row_bytes);
	if (rows >= vector->rows)
		return size < i_size_read(inode) ? vexfs_truncate(inode, size) :
						   0;
	err = vexfs_rows_deleted_from(inode, rows, &deleted);
	if (err)
		return err;
	mutex_lock(&info->publish_lock);
	spin_lock(&info->lock);
	vector->generation++;
	vector->boundary.rows = rows;
	vector->boundary.next_id = vector->next_id;
	vector->published_rows = min(vector->published_rows, rows);
	vector->published_next_id = vector->next_id;
	vector->deleted -= min(vector->deleted, deleted);
	vector->tail_trimmed = false;
	/* Pairs with vexfs_snapshot_take(): the generation was set before. */
	smp_store_release(&vector->rows, rows);
	spin_unlock(&info->lock);
	mutex_unlock(&info->publish_lock);
	/* The transaction that sets the size sets the rows too. */
	err = vexfs_truncate(inode, size);
	if (!err)
		err = vexfs_trim_tail(inode);
	/* Of another generation now, they are of no use. */
	if (!err)
		err = vexfs_derived_discard(inode);
	if (!err)
		err = vexfs_compact_clean(inode);
	vexfs_encode_later(inode);
	return err;
}
