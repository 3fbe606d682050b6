// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl interface: which call may be made on which file, and the passage
 * of its structure from and to user space. io_uring commands come through
 * here as well.
 */
#include <linux/mount.h>
#include "attributes.h"
#include "build.h"
#include "compact.h"

/* What a call needs of its file. */
#define VEXFS_CALL_READ		1U	/* open for reading */
#define VEXFS_CALL_WRITE	2U	/* open for writing; changes it */
#define VEXFS_CALL_ROWS		4U	/* a vector file */
#define VEXFS_CALL_PIECES	8U	/* takes write access in pieces, itself */

union vexfs_argument {
	u32 size;
	struct vexfs_schema schema;
	struct vexfs_batch_insert insert;
	struct vexfs_batch_delete delete;
	struct vexfs_get_vectors get;
	struct vexfs_knn_search knn;
	struct vexfs_range_search range;
	struct vexfs_search_stats stats;
	struct vexfs_attributes attributes;
	struct vexfs_build_index build;
	struct vexfs_drop_index drop;
	struct vexfs_index_status status;
	struct vexfs_compact compact;
};

static int vexfs_call_set_schema(struct file *file, union vexfs_argument *arg)
{
	struct inode *inode = file_inode(file);
	int err;

	if (S_ISDIR(inode->i_mode)) {
		if (!inode_owner_or_capable(vexfs_file_idmap(file), inode))
			return -EPERM;
	} else if (!(file->f_mode & FMODE_WRITE)) {
		return -EBADF;
	}
	err = mnt_want_write_file(file);
	if (err)
		return err;
	inode_lock(inode);
	err = vexfs_schema_set(inode, &arg->schema);
	inode_unlock(inode);
	mnt_drop_write_file(file);
	return err;
}

static int vexfs_call_get_schema(struct file *file, union vexfs_argument *arg)
{
	struct vexfs_schema *schema = &arg->schema, asked = *schema;

	if (asked.flags || asked.reserved0 || asked.reserved1 ||
	    memchr_inv(asked.reserved, 0, sizeof(asked.reserved)))
		return -EINVAL;
	memset(schema, 0, sizeof(*schema));
	schema->size = asked.size;
	schema->columns = asked.columns;
	schema->column_count = asked.column_count;
	return vexfs_schema_get(file_inode(file), &arg->schema);
}

static int vexfs_call_insert(struct file *file, union vexfs_argument *arg)
{
	return vexfs_batch_insert(file, &arg->insert);
}

static int vexfs_call_delete(struct file *file, union vexfs_argument *arg)
{
	struct vexfs_batch_delete *batch = &arg->delete;
	struct inode *inode = file_inode(file);
	u64 *ids, deleted = 0, bad_index = U64_MAX;
	int err;

	batch->deleted = 0;
	batch->bad_index = U64_MAX;
	if ((batch->flags & ~VEXFS_DELETE_IGNORE_MISSING) || !batch->ids ||
	    !batch->count ||
	    memchr_inv(batch->reserved, 0, sizeof(batch->reserved)))
		return -EINVAL;
	if (batch->count > VEXFS_BATCH_MAX)
		return -E2BIG;
	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		return -EPERM;
	ids = kvmalloc_array(batch->count, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	if (!ids)
		return -ENOMEM;
	err = -EFAULT;
	if (copy_from_user(ids, u64_to_user_ptr(batch->ids),
			   batch->count * sizeof(*ids)))
		goto out_free;
	inode_lock(inode);
	/* On disk only rows that are there can be deleted. */
	err = vexfs_vector_publish(inode);
	if (!err)
		err = vexfs_rows_delete(inode, ids,
					batch->count, batch->flags &
					VEXFS_DELETE_IGNORE_MISSING,
					&deleted, &bad_index);
	inode_unlock(inode);
	batch->deleted = deleted;
	batch->bad_index = bad_index;
	atomic64_add(deleted, &VEXFS_I(inode)->vector.stats.rows_deleted);
	if (!err && (file->f_flags & O_DSYNC || IS_SYNC(inode)))
		err = vexfs_fsync(file, 0, LLONG_MAX, 1);
out_free:
	kvfree(ids);
	return err;
}

static int vexfs_call_get(struct file *file, union vexfs_argument *arg)
{
	return vexfs_get_vectors(file, &arg->get);
}

static int vexfs_call_knn(struct file *file, union vexfs_argument *arg)
{
	return vexfs_knn_search(file, &arg->knn);
}

static int vexfs_call_range(struct file *file, union vexfs_argument *arg)
{
	return vexfs_range_search(file, &arg->range);
}

static int vexfs_call_stats(struct file *file, union vexfs_argument *arg)
{
	struct vexfs_vector_stats *from = &VEXFS_I(file_inode(file))->vector.stats;
	struct vexfs_search_stats *stats = &arg->stats;
	u32 size = stats->size;

	if (stats->flags ||
	    memchr_inv(stats->reserved, 0, sizeof(stats->reserved)))
		return -EINVAL;
	memset(stats, 0, sizeof(*stats));
	stats->size = size;
	stats->knn_queries = atomic64_read(&from->knn_queries);
	stats->range_queries = atomic64_read(&from->range_queries);
	stats->rows_scanned = atomic64_read(&from->rows_scanned);
	stats->exact_decisions = atomic64_read(&from->exact_decisions);
	stats->search_ns = atomic64_read(&from->search_ns);
	stats->rows_inserted = atomic64_read(&from->rows_inserted);
	stats->insert_batches = atomic64_read(&from->insert_batches);
	stats->rows_deleted = atomic64_read(&from->rows_deleted);
	stats->interrupted = atomic64_read(&from->interrupted);
	stats->restarted = atomic64_read(&from->restarted);
	stats->codes_compared = atomic64_read(&from->codes_compared);
	stats->exact_distances = atomic64_read(&from->exact_distances);
	stats->pages_missed = atomic64_read(&from->pages_missed);
	return 0;
}

static int vexfs_call_set_attributes(struct file *file,
				     union vexfs_argument *arg)
{
	return vexfs_set_attributes(file, &arg->attributes);
}

static int vexfs_call_get_attributes(struct file *file,
				     union vexfs_argument *arg)
{
	return vexfs_get_attributes(file, &arg->attributes);
}

static int vexfs_call_build(struct file *file, union vexfs_argument *arg)
{
	return vexfs_index_build(file_inode(file), &arg->build);
}

static int vexfs_call_drop(struct file *file, union vexfs_argument *arg)
{
	return vexfs_index_drop(file_inode(file), &arg->drop);
}

static int vexfs_call_status(struct file *file, union vexfs_argument *arg)
{
	struct vexfs_index_status *status = &arg->status;
	u32 size = status->size;

	if (status->flags || status->reserved0 ||
	    memchr_inv(status->reserved, 0, sizeof(status->reserved)))
		return -EINVAL;
	memset(status, 0, sizeof(*status));
	status->size = size;
	return vexfs_index_status(file_inode(file), status);
}

static int vexfs_call_compact(struct file *file, union vexfs_argument *arg)
{
	return vexfs_compact(file, &arg->compact);
}

/**
 * struct vexfs_call - a call of the interface
 * @size: bytes of its structure as this module knows it
 * @size_min: and as it was first published
 * @needs: VEXFS_CALL_*
 * @copy_out: is the structure written back?
 * @run: does it
 */
struct vexfs_call {
	u32 size;
	u32 size_min;
	u32 needs;
	bool copy_out;
	int (*run)(struct file *file, union vexfs_argument *arg);
};

#define VEXFS_CALL(command, structure, call_needs, out, function)	\
	[_IOC_NR(command)] = {						\
		.size = sizeof(struct structure),			\
		.size_min = sizeof(struct structure),			\
		.needs = (call_needs),					\
		.copy_out = (out),					\
		.run = (function),					\
	}

static const struct vexfs_call vexfs_calls[] = {
	VEXFS_CALL(VEXFS_IOC_SET_SCHEMA, vexfs_schema, 0, false,
		   vexfs_call_set_schema),
	VEXFS_CALL(VEXFS_IOC_GET_SCHEMA, vexfs_schema, 0, true,
		   vexfs_call_get_schema),
	VEXFS_CALL(VEXFS_IOC_BATCH_INSERT, vexfs_batch_insert,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE, true, vexfs_call_insert),
	VEXFS_CALL(VEXFS_IOC_BATCH_DELETE, vexfs_batch_delete,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE, true, vexfs_call_delete),
	VEXFS_CALL(VEXFS_IOC_GET_VECTORS, vexfs_get_vectors,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true, vexfs_call_get),
	VEXFS_CALL(VEXFS_IOC_KNN_SEARCH, vexfs_knn_search,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true, vexfs_call_knn),
	VEXFS_CALL(VEXFS_IOC_RANGE_SEARCH, vexfs_range_search,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true, vexfs_call_range),
	VEXFS_CALL(VEXFS_IOC_SEARCH_STATS, vexfs_search_stats,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true, vexfs_call_stats),
	VEXFS_CALL(VEXFS_IOC_SET_ATTRIBUTES, vexfs_attributes,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE, true,
		   vexfs_call_set_attributes),
	VEXFS_CALL(VEXFS_IOC_GET_ATTRIBUTES, vexfs_attributes,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true,
		   vexfs_call_get_attributes),
	VEXFS_CALL(VEXFS_IOC_BUILD_INDEX, vexfs_build_index,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE, false, vexfs_call_build),
	VEXFS_CALL(VEXFS_IOC_DROP_INDEX, vexfs_drop_index,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE, false, vexfs_call_drop),
	VEXFS_CALL(VEXFS_IOC_INDEX_STATUS, vexfs_index_status,
		   VEXFS_CALL_ROWS | VEXFS_CALL_READ, true, vexfs_call_status),
	VEXFS_CALL(VEXFS_IOC_COMPACT, vexfs_compact,
		   VEXFS_CALL_ROWS | VEXFS_CALL_WRITE | VEXFS_CALL_PIECES, true,
		   vexfs_call_compact),
};

/* May the call be made on this file? */
static int vexfs_call_allowed(struct file *file, const struct vexfs_call *call)
{
	struct inode *inode = file_inode(file);

	if (call->needs & VEXFS_CALL_ROWS) {
		if (S_ISDIR(inode->i_mode))
			return -EISDIR;
		if (!vexfs_is_vector(inode))
			return -ENODATA;
	}
	if ((call->needs & VEXFS_CALL_READ) && !(file->f_mode & FMODE_READ))
		return -EBADF;
	if ((call->needs & VEXFS_CALL_WRITE) && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	return 0;
}

static int vexfs_call_run(struct file *file, const struct vexfs_call *call,
			  union vexfs_argument *arg)
{
	int err;

	if (!(call->needs & VEXFS_CALL_WRITE) ||
	    call->needs & VEXFS_CALL_PIECES)
		return call->run(file, arg);
	err = mnt_want_write_file(file);
	if (err)
		return err;
	/* It may have become so after it was opened. */
	err = IS_IMMUTABLE(file_inode(file)) ? -EPERM : call->run(file, arg);
	mnt_drop_write_file(file);
	return err;
}

long vexfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	const struct vexfs_call *call;
	union vexfs_argument argument;
	u32 size;
	int err;

	/* By number alone: the size in the command is the caller's. */
	if (_IOC_TYPE(cmd) != VEXFS_IOC_MAGIC ||
	    _IOC_NR(cmd) >= ARRAY_SIZE(vexfs_calls) ||
	    !vexfs_calls[_IOC_NR(cmd)].run)
		return -ENOTTY;
	call = &vexfs_calls[_IOC_NR(cmd)];
	err = vexfs_call_allowed(file, call);
	if (err)
		return err;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < call->size_min || size > PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(&argument, call->size, user, size);
	if (err)
		return err;
	argument.size = size;
	/* What cannot be written back is refused before anything changes. */
	if (call->copy_out &&
	    copy_to_user(user, &argument, min(size, call->size)))
		return -EFAULT;
	err = vexfs_call_run(file, call, &argument);
	if (call->copy_out && err != -EFAULT &&
	    copy_to_user(user, &argument, min(size, call->size)))
		return -EFAULT;
	return err;
}

int vexfs_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct vexfs_uring_cmd *payload = vexfs_uring_payload(cmd);
	u64 argument = READ_ONCE(payload->argument);

	/* io_uring's own workers run what may sleep. */
	if (issue_flags & IO_URING_F_NONBLOCK)
		return -EAGAIN;
	if (READ_ONCE(payload->reserved))
		return -EINVAL;
	return vexfs_ioctl(cmd->file, cmd->cmd_op, argument);
}
