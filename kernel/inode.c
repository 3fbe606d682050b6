// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes: their life in memory, and their records on disk. The record follows
 * memory in the handle of every change, so that the journal always holds
 * inodes and trees of one moment.
 */
#include <linux/iversion.h>
#include <linux/writeback.h>
#include "attributes.h"
#include "build.h"

static struct kmem_cache *vexfs_inode_cache;

/* A fork's tree_sem is taken while its base's is held. */
static struct lock_class_key vexfs_fork_tree_key;

static void vexfs_inode_once(void *object)
{
	struct vexfs_inode_info *info = object;

	inode_init_once(&info->vfs_inode);
}

int vexfs_inode_cache_init(void)
{
	vexfs_inode_cache = kmem_cache_create("vexfs_inode_cache",
					      sizeof(struct vexfs_inode_info), 0,
					      SLAB_RECLAIM_ACCOUNT |
					      SLAB_ACCOUNT, vexfs_inode_once);
	return vexfs_inode_cache ? 0 : -ENOMEM;
}

void vexfs_inode_cache_destroy(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(vexfs_inode_cache);
}

struct inode *vexfs_alloc_inode(struct super_block *sb)
{
	struct vexfs_inode_info *info;

	info = alloc_inode_sb(sb, vexfs_inode_cache, GFP_NOFS);
	if (!info)
		return NULL;
	memset(info, 0, offsetof(struct vexfs_inode_info, vfs_inode));
	init_rwsem(&info->tree_sem);
	init_rwsem(&info->xattr_sem);
	spin_lock_init(&info->lock);
	spin_lock_init(&info->convert_lock);
	INIT_LIST_HEAD(&info->orphan_link);
	INIT_LIST_HEAD(&info->convert_list);
	INIT_LIST_HEAD(&info->encode_link);
	INIT_WORK(&info->convert_work, vexfs_convert_work);
	INIT_WORK(&info->publish_work, vexfs_publish_work);
	mutex_init(&info->publish_lock);
	mutex_init(&info->fork_lock);
	return &info->vfs_inode;
}

void vexfs_free_inode(struct inode *inode)
{
	kmem_cache_free(vexfs_inode_cache, VEXFS_I(inode));
}

void vexfs_set_flags(struct inode *inode)
{
	static const struct {
		u32 ours;
		unsigned int vfs;
	} map[] = {
		{ VEXFS_INO_FLAG_IMMUTABLE, S_IMMUTABLE },
		{ VEXFS_INO_FLAG_APPEND, S_APPEND },
		{ VEXFS_INO_FLAG_NOATIME, S_NOATIME },
		{ VEXFS_INO_FLAG_SYNC, S_SYNC },
		{ VEXFS_INO_FLAG_DIRSYNC, S_DIRSYNC },
	};
	unsigned int set = 0, mask = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		mask |= map[i].vfs;
		if (VEXFS_I(inode)->flags & map[i].ours)
			set |= map[i].vfs;
	}
	inode_set_flags(inode, set, mask);
}

static void vexfs_set_operations(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &vexfs_file_inode_operations;
		inode->i_fop = &vexfs_file_operations;
		vexfs_set_aops(inode);
		break;
	case S_IFDIR:
		inode->i_op = &vexfs_dir_inode_operations;
		inode->i_fop = &vexfs_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &vexfs_symlink_inode_operations;
		break;
	default:
		inode->i_op = &vexfs_special_inode_operations;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
		break;
	}
}

/* Records on disk */

/* The buffer of an inode's block, and its record in it. */
static struct buffer_head *vexfs_inode_bh(struct super_block *sb, u64 ino,
					  struct vexfs_disk_inode **raw)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct buffer_head *bh;
	const char *what;
	bool fresh;
	u64 block, group;
	u32 slot;

	block = vex_inode_block(&sbi->geo, ino, &slot);
	group = div64_u64(ino - 1, sbi->geo.inodes_per_group);
	if (ino == VEXFS_INO_JOURNAL && !sbi->journal) {
		/*
		 * Before the journal is replayed this block may be torn: its
		 * checksum and its other inodes do not count yet. The record
		 * of the journal never changes.
		 */
		bh = sb_bread(sb, block);
		if (!bh)
			return ERR_PTR(-EIO);
		what = vex_header_check(bh->b_data, VEXFS_MAGIC_INODES, block,
					group, sbi->geo.meta_uuid);
		if (what) {
			brelse(bh);
			return ERR_PTR(vexfs_corrupt(sb, block, ino, -EUCLEAN,
						     what));
		}
	} else {
		bh = vexfs_meta_read(sb, block, VEXFS_MAGIC_INODES, group,
				     &fresh);
		if (IS_ERR(bh))
			return bh;
		if (fresh)
			vexfs_meta_verified(bh);
	}
	*raw = &((struct vexfs_disk_inode_block *)bh->b_data)->ib_inodes[slot];
	return bh;
}

static struct timespec64 vexfs_time(__le64 seconds, __le32 nanoseconds)
{
	struct timespec64 ts = {
		.tv_sec = (s64)le64_to_cpu(seconds),
		.tv_nsec = le32_to_cpu(nanoseconds),
	};

	return ts;
}

static void vexfs_inode_load_vector(struct vexfs_vector *vector,
				    const struct vexfs_disk_inode *raw)
{
	vector->schema = raw->ino_schema;
	vector->row_bytes = le32_to_cpu(raw->ino_schema.s_dim) *
			    vex_element_bytes(raw->ino_schema.s_element);
	vector->rows = le64_to_cpu(raw->ino_rows);
	vector->published_rows = vector->rows;
	vector->deleted = le64_to_cpu(raw->ino_deleted);
	vector->next_id = le64_to_cpu(raw->ino_next_id);
	vector->published_next_id = vector->next_id;
	vector->generation = le64_to_cpu(raw->ino_vector_generation);
	vector->boundary.rows = vector->rows;
	vector->boundary.next_id = vector->next_id;
}

static void vexfs_inode_load(struct inode *inode,
			     const struct vexfs_disk_inode *raw)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int i;

	inode->i_mode = le16_to_cpu(raw->ino_mode);
	i_uid_write(inode, le32_to_cpu(raw->ino_uid));
	i_gid_write(inode, le32_to_cpu(raw->ino_gid));
	set_nlink(inode, le32_to_cpu(raw->ino_links));
	inode->i_generation = le32_to_cpu(raw->ino_generation);
	inode->i_rdev = new_decode_dev(le32_to_cpu(raw->ino_rdev));
	inode->i_size = le64_to_cpu(raw->ino_size);
	vexfs_set_atime(inode, vexfs_time(raw->ino_atime, raw->ino_atime_ns));
	vexfs_set_mtime(inode, vexfs_time(raw->ino_mtime, raw->ino_mtime_ns));
	vexfs_set_ctime(inode, vexfs_time(raw->ino_ctime, raw->ino_ctime_ns));
	inode_set_iversion_queried(inode, le64_to_cpu(raw->ino_change));

	info->btime = vexfs_time(raw->ino_btime, raw->ino_btime_ns);
	info->root = raw->ino_root;
	info->blocks = le64_to_cpu(raw->ino_blocks);
	inode->i_blocks = info->blocks << (VEXFS_BLOCK_BITS - 9);
	info->disk_size = inode->i_size;
	info->flags = le32_to_cpu(raw->ino_flags);
	info->parent = le64_to_cpu(raw->ino_parent);
	info->next_orphan = le64_to_cpu(raw->ino_next_orphan);
	info->xattr_block = le64_to_cpu(raw->ino_xattr_block);
	for (i = 0; i < VEXFS_FORKS; i++)
		info->forks[i] = vex_inode_fork(raw, i);
	vexfs_inode_load_vector(&info->vector, raw);
	/* Whole rows that were published are all that there is. */
	if (vexfs_is_vector(inode)) {
		inode->i_size = info->vector.rows * info->vector.row_bytes;
		info->disk_size = inode->i_size;
	}
}

/* The transaction that fsync must commit if nothing changes any more. */
static void vexfs_inode_load_tid(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;
	transaction_t *transaction;
	tid_t tid;

	if (!journal)
		return;
	read_lock(&journal->j_state_lock);
	transaction = journal->j_running_transaction;
	if (!transaction)
		transaction = journal->j_committing_transaction;
	tid = transaction ? transaction->t_tid : journal->j_commit_sequence;
	read_unlock(&journal->j_state_lock);
	info->sync_tid = tid;
	info->datasync_tid = tid;
}

static int vexfs_inode_read(struct inode *inode, bool fork)
{
	struct super_block *sb = inode->i_sb;
	struct vexfs_disk_inode *raw;
	struct buffer_head *bh;
	const char *what;
	bool is_fork;
	int err = 0;

	bh = vexfs_inode_bh(sb, inode->i_ino, &raw);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (!raw->ino_mode) {
		err = -ESTALE;
		goto out_release;
	}
	what = vex_inode_check(raw, inode->i_ino, &VEXFS_SB(sb)->geo);
	is_fork = le32_to_cpu(raw->ino_flags) & VEXFS_INO_FLAG_FORK;
	if (!what && is_fork && !fork) {
		err = -ESTALE;
		goto out_release;
	}
	if (!what && fork && !is_fork)
		what = "not a fork";
	if (what) {
		err = vexfs_corrupt(sb, bh->b_blocknr, inode->i_ino, -EUCLEAN,
				    what);
		goto out_release;
	}
	vexfs_inode_load(inode, raw);
	vexfs_inode_load_tid(inode);
	vexfs_set_flags(inode);
	vexfs_set_operations(inode);
out_release:
	brelse(bh);
	return err;
}

struct inode *vexfs_iget(struct super_block *sb, u64 ino)
{
	struct inode *inode;
	int err;

	if (!vex_inode_valid(&VEXFS_SB(sb)->geo, ino))
		return ERR_PTR(vexfs_corrupt(sb, 0, ino, -EUCLEAN,
					     "no such inode number"));
	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!vexfs_inode_is_new(inode)) {
		if (VEXFS_I(inode)->flags & VEXFS_INO_FLAG_FORK) {
			iput(inode);
			return ERR_PTR(-ESTALE);
		}
		return inode;
	}
	err = vexfs_inode_read(inode, false);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

struct inode *vexfs_iget_fork(struct inode *base, u64 ino)
{
	struct super_block *sb = base->i_sb;
	struct inode *inode;
	int err = 0;

	if (!vex_inode_valid(&VEXFS_SB(sb)->geo, ino) || ino == base->i_ino)
		return ERR_PTR(vexfs_corrupt(sb, 0, base->i_ino, -EUCLEAN,
					     "no such fork"));
	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!vexfs_inode_is_new(inode)) {
		iput(inode);
		return ERR_PTR(vexfs_corrupt(sb, 0, ino, -EUCLEAN,
					     "a fork of two files"));
	}
	err = vexfs_inode_read(inode, true);
	if (!err && VEXFS_I(inode)->parent != base->i_ino)
		err = vexfs_corrupt(sb, 0, ino, -EUCLEAN,
				    "a fork of another file");
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	vexfs_fork_attach(inode, base);
	unlock_new_inode(inode);
	return inode;
}

struct inode *vexfs_fork_get(struct inode *base, unsigned int slot)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct inode *fork;

	spin_lock(&info->lock);
	fork = info->fork_inodes[slot];
	if (fork)
		ihold(fork);
	spin_unlock(&info->lock);
	if (fork || !READ_ONCE(info->forks[slot]))
		return fork;
	mutex_lock(&info->fork_lock);
	fork = info->fork_inodes[slot];
	if (!fork && info->forks[slot]) {
		fork = vexfs_iget_fork(base, info->forks[slot]);
		if (!IS_ERR(fork)) {
			spin_lock(&info->lock);
			info->fork_inodes[slot] = fork;
			spin_unlock(&info->lock);
		}
	}
	if (!IS_ERR_OR_NULL(fork))
		ihold(fork);
	mutex_unlock(&info->fork_lock);
	return fork;
}

void vexfs_fork_attach(struct inode *fork, struct inode *base)
{
	VEXFS_I(fork)->fork_base = base;
	lockdep_set_class(&VEXFS_I(fork)->tree_sem, &vexfs_fork_tree_key);
}

static void vexfs_inode_store_vector(struct vexfs_disk_inode *raw,
				     const struct vexfs_vector *vector)
{
	raw->ino_rows = cpu_to_le64(vector->published_rows);
	raw->ino_deleted = cpu_to_le64(vector->deleted);
	raw->ino_next_id = cpu_to_le64(vector->published_next_id);
	raw->ino_vector_generation = cpu_to_le64(vector->generation);
	raw->ino_schema = vector->schema;
}

static void vexfs_inode_store(struct inode *inode, struct vexfs_disk_inode *raw)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct timespec64 atime = vexfs_inode_atime(inode);
	struct timespec64 mtime = vexfs_inode_mtime(inode);
	struct timespec64 ctime = vexfs_inode_ctime(inode);
	int i;

	memset(raw, 0, sizeof(*raw));
	raw->ino_number = cpu_to_le64(inode->i_ino);
	raw->ino_mode = cpu_to_le16(inode->i_mode);
	raw->ino_flags = cpu_to_le32(info->flags);
	raw->ino_uid = cpu_to_le32(i_uid_read(inode));
	raw->ino_gid = cpu_to_le32(i_gid_read(inode));
	raw->ino_links = cpu_to_le32(inode->i_nlink);
	raw->ino_generation = cpu_to_le32(inode->i_generation);
	if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode))
		raw->ino_rdev = cpu_to_le32(new_encode_dev(inode->i_rdev));
	raw->ino_size = cpu_to_le64(S_ISREG(inode->i_mode) ? info->disk_size :
				    i_size_read(inode));
	raw->ino_blocks = cpu_to_le64(info->blocks);
	raw->ino_atime = cpu_to_le64(atime.tv_sec);
	raw->ino_mtime = cpu_to_le64(mtime.tv_sec);
	raw->ino_ctime = cpu_to_le64(ctime.tv_sec);
	raw->ino_btime = cpu_to_le64(info->btime.tv_sec);
	raw->ino_atime_ns = cpu_to_le32(atime.tv_nsec);
	raw->ino_mtime_ns = cpu_to_le32(mtime.tv_nsec);
	raw->ino_ctime_ns = cpu_to_le32(ctime.tv_nsec);
	raw->ino_btime_ns = cpu_to_le32(info->btime.tv_nsec);
	raw->ino_change = cpu_to_le64(inode_peek_iversion(inode));
	raw->ino_parent = cpu_to_le64(info->parent);
	raw->ino_next_orphan = cpu_to_le64(info->next_orphan);
	raw->ino_xattr_block = cpu_to_le64(info->xattr_block);
	for (i = 0; i < VEXFS_FORKS; i++)
		vex_inode_set_fork(raw, i, info->forks[i]);
	vexfs_inode_store_vector(raw, &info->vector);
	raw->ino_root = info->root;
}

static int vexfs_inode_write_times(handle_t *handle, struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_disk_inode *raw;
	struct buffer_head *bh;
	int err;

	bh = vexfs_inode_bh(inode->i_sb, inode->i_ino, &raw);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_meta_access(handle, bh);
	if (!err) {
		spin_lock(&info->lock);
		vexfs_inode_store(inode, raw);
		spin_unlock(&info->lock);
		err = vexfs_meta_dirty(handle, bh);
	}
	brelse(bh);
	info->sync_tid = handle->h_transaction->t_tid;
	return err;
}

int vexfs_inode_write(handle_t *handle, struct inode *inode)
{
	VEXFS_I(inode)->datasync_tid = handle->h_transaction->t_tid;
	return vexfs_inode_write_times(handle, inode);
}

int vexfs_inode_dirty(struct inode *inode)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_inode_write(handle, inode);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/* The VFS changed the times or the like. */
void vexfs_dirty_inode(struct inode *inode, int flags)
{
	handle_t *handle;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return;
	vexfs_inode_write_times(handle, inode);
	vexfs_journal_stop(handle);
}

int vexfs_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;

	if (vexfs_is_vector(inode)) {
		if (wbc->sync_mode == WB_SYNC_ALL)
			return vexfs_vector_publish(inode);
		vexfs_vector_publish_later(inode);
	}
	/* sync(2) commits once, in sync_fs, for all inodes. */
	if (wbc->sync_mode != WB_SYNC_ALL || wbc->for_sync || !journal)
		return 0;
	return jbd2_complete_transaction(journal, VEXFS_I(inode)->sync_tid);
}

/* New inodes */

static void vexfs_new_inode_fill(struct inode *inode, struct inode *dir,
				 u8 kind)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	vexfs_touch_amc(inode);
	info->btime = vexfs_inode_ctime(inode);
	inode_set_iversion(inode, 1);
	info->parent = S_ISDIR(inode->i_mode) ? dir->i_ino : 0;
	/* A fork hangs off a file, and has nothing of its own. */
	if (!S_ISDIR(dir->i_mode)) {
		info->flags = VEXFS_INO_FLAG_FORK;
		info->parent = dir->i_ino;
		vex_tree_init_root(&info->root, kind);
		vexfs_set_operations(inode);
		return;
	}
	info->flags = VEXFS_I(dir)->flags &
		      (VEXFS_INO_FLAG_NODUMP | VEXFS_INO_FLAG_NOATIME |
		       VEXFS_INO_FLAG_SYNC | VEXFS_INO_FLAG_DIRSYNC);
	if (!S_ISDIR(inode->i_mode))
		info->flags &= ~VEXFS_INO_FLAG_DIRSYNC;
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		vexfs_vector_inherit(inode, dir);
	vex_tree_init_root(&info->root, kind);
	vexfs_set_flags(inode);
	vexfs_set_operations(inode);
}

struct inode *vexfs_new_inode(handle_t *handle, vexfs_idmap_t *idmap,
			      struct inode *dir, umode_t mode, dev_t rdev,
			      u8 kind)
{
	struct super_block *sb = dir->i_sb;
	struct inode *inode = new_inode(sb);
	u64 ino;
	int err;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode_init_owner(idmap, inode, dir, mode);
	err = vexfs_alloc_ino(handle, dir, S_ISDIR(mode), &ino);
	if (err)
		goto out_inode;
	inode->i_ino = ino;
	inode->i_rdev = rdev;
	set_nlink(inode, S_ISDIR(mode) ? 2 : 1);
	inode->i_generation =
		(u32)atomic_inc_return(&VEXFS_SB(sb)->next_generation);
	if (insert_inode_locked(inode) < 0) {
		/* Only damage can name an inode that is still in memory. */
		err = vexfs_corrupt(sb, 0, ino, -EUCLEAN,
				    "a new inode is in use already");
		goto out_inode;
	}
	vexfs_new_inode_fill(inode, dir, kind);
	vexfs_inode_load_tid(inode);
	return inode;

out_inode:
	clear_nlink(inode);
	make_bad_inode(inode);
	iput(inode);
	return ERR_PTR(err);
}

/* The end of an inode */

static int vexfs_remove_tree(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_tree t;
	handle_t *handle;
	int err = 0, err2;

	while (!err) {
		handle = vexfs_journal_start(inode->i_sb,
					     vexfs_tree_credits(inode),
					     vexfs_tree_revokes(inode));
		if (IS_ERR(handle))
			return PTR_ERR(handle);
		down_write(&info->tree_sem);
		vexfs_tree_begin(&t, inode, handle);
		err = vex_tree_pop_block(&t.tree);
		vexfs_tree_end(&t);
		up_write(&info->tree_sem);
		if (!err)
			err = vexfs_inode_write(handle, inode);
		if (!err && info->fork_base)
			err = vexfs_inode_write(handle, info->fork_base);
		err2 = vexfs_journal_stop(handle);
		if (!err)
			err = err2;
	}
	return err == -ENOENT ? 0 : err;
}

/* Clear an inode's record and free its number. */
static int vexfs_inode_clear(handle_t *handle, struct super_block *sb, u64 ino,
			     bool directory)
{
	struct vexfs_disk_inode *raw;
	struct buffer_head *bh;
	int err;

	bh = vexfs_inode_bh(sb, ino, &raw);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_meta_access(handle, bh);
	if (!err) {
		memset(raw, 0, sizeof(*raw));
		err = vexfs_meta_dirty(handle, bh);
	}
	brelse(bh);
	return err ? err : vexfs_free_ino(handle, sb, ino, directory);
}

int vexfs_fork_remove(struct inode *base, unsigned int slot)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct inode *fork;
	handle_t *handle;
	int err, err2;

	if (!info->forks[slot])
		return 0;
	fork = vexfs_fork_get(base, slot);
	if (IS_ERR(fork))
		return PTR_ERR(fork);
	if (VEXFS_I(fork)->root.r_kind == VEXFS_TREE_EXTENTS) {
		vexfs_derived_empty(fork);
		err = vexfs_extent_remove(fork, 0, VEXFS_FILE_BLOCKS_MAX - 1);
	} else {
		err = VEXFS_I(fork)->root.r_kind == VEXFS_TREE_ATTRIBUTES ?
		      vexfs_attributes_free(fork) : 0;
		if (!err)
			err = vexfs_remove_tree(fork);
	}
	if (err)
		goto out_put;
	mutex_lock(&info->fork_lock);
	handle = vexfs_journal_start(base->i_sb, VEXFS_CREDITS_ALLOC +
				     2 * VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_unlock;
	}
	/* Its number may be given out again as soon as it is free. */
	remove_inode_hash(fork);
	err = vexfs_inode_clear(handle, base->i_sb, info->forks[slot], false);
	if (!err) {
		spin_lock(&info->lock);
		info->forks[slot] = 0;
		info->fork_inodes[slot] = NULL;
		spin_unlock(&info->lock);
		err = vexfs_inode_write(handle, base);
		iput(fork);
	}
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
out_unlock:
	mutex_unlock(&info->fork_lock);
out_put:
	iput(fork);
	return err;
}

static void vexfs_forks_swap(struct vexfs_inode_info *info, unsigned int a,
			     unsigned int b)
{
	spin_lock(&info->lock);
	swap(info->forks[a], info->forks[b]);
	swap(info->fork_inodes[a], info->fork_inodes[b]);
	spin_unlock(&info->lock);
}

int vexfs_forks_exchange(struct inode *base, unsigned int a, unsigned int b)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	handle_t *handle;
	int err, err2;

	mutex_lock(&info->fork_lock);
	handle = vexfs_journal_start(base->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle)) {
		mutex_unlock(&info->fork_lock);
		return PTR_ERR(handle);
	}
	vexfs_forks_swap(info, a, b);
	err = vexfs_inode_write(handle, base);
	/* What cannot be written down has not happened. */
	if (err)
		vexfs_forks_swap(info, a, b);
	err2 = vexfs_journal_stop(handle);
	mutex_unlock(&info->fork_lock);
	return err ? err : err2;
}

/* Free all that an inode without links owns. */
static int vexfs_inode_remove(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	handle_t *handle;
	unsigned int slot;
	int err = 0, err2;

	for (slot = 0; slot < VEXFS_FORKS && !err; slot++)
		err = vexfs_fork_remove(inode, slot);
	if (!err && S_ISREG(inode->i_mode))
		err = vexfs_extent_remove(inode, 0, VEXFS_FILE_BLOCKS_MAX - 1);
	if (!err && S_ISDIR(inode->i_mode))
		err = vexfs_remove_tree(inode);
	if (err)
		return err;
	handle = vexfs_journal_start(sb, 3 * VEXFS_CREDITS_ALLOC +
				     2 * VEXFS_CREDITS_INODE + 2 +
				     VEXFS_CREDITS_STATE, 2);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	if (S_ISLNK(inode->i_mode))
		err = vexfs_symlink_free(handle, inode);
	if (!err)
		err = vexfs_xattr_free(handle, inode);
	if (!err)
		err = vexfs_orphan_del(handle, inode);
	if (!err)
		err = vexfs_inode_clear(handle, sb, inode->i_ino,
					S_ISDIR(inode->i_mode));
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_drop_inode(struct inode *inode)
{
	/* A fork lives as long as its base is in memory, and no longer. */
	if (VEXFS_I(inode)->flags & VEXFS_INO_FLAG_FORK)
		return 1;
	return vexfs_generic_drop(inode);
}

void vexfs_evict_inode(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct super_block *sb = inode->i_sb;
	int slot, err;

	vexfs_derived_free(inode);
	truncate_inode_pages_final(&inode->i_data);
	if (!inode->i_nlink && !is_bad_inode(inode) && !sb_rdonly(sb)) {
		sb_start_intwrite(sb);
		err = vexfs_inode_remove(inode);
		sb_end_intwrite(sb);
		if (err)
			vexfs_msg(sb, KERN_WARNING,
				  "inode %llu could not be removed (error %d), the next mount tries again",
				  (u64)inode->i_ino, err);
	}
	vexfs_orphan_del(NULL, inode);
	vexfs_build_free(inode);
	clear_inode(inode);
	for (slot = 0; slot < VEXFS_FORKS; slot++)
		iput(info->fork_inodes[slot]);
}

/* Attributes */

int vexfs_getattr(vexfs_idmap_t *idmap, const struct path *path,
		  struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
				 STATX_ATTR_NODUMP;
	if (info->flags & VEXFS_INO_FLAG_IMMUTABLE)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (info->flags & VEXFS_INO_FLAG_APPEND)
		stat->attributes |= STATX_ATTR_APPEND;
	if (info->flags & VEXFS_INO_FLAG_NODUMP)
		stat->attributes |= STATX_ATTR_NODUMP;
	vexfs_fillattr(idmap, mask, inode, stat);
	stat->result_mask |= STATX_BTIME;
	stat->btime = info->btime;
	return 0;
}

int vexfs_setattr(vexfs_idmap_t *idmap, struct dentry *dentry,
		  struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	handle_t *handle;
	int err, err2;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(inode->i_mode)) {
		err = vexfs_is_vector(inode) ?
		      vexfs_vector_truncate(inode, attr->ia_size) :
		      vexfs_truncate(inode, attr->ia_size);
		if (err)
			return err;
	}
	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	setattr_copy(idmap, inode, attr);
	err = vexfs_inode_write(handle, inode);
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
	if (!err && (attr->ia_valid & ATTR_MODE))
		err = vexfs_acl_chmod(idmap, dentry);
	return err;
}
