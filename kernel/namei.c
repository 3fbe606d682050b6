// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories: looking names up, making, linking, renaming and removing them,
 * reading directories, and NFS handles.
 *
 * Every operation is one handle: after a crash it has happened or it has not.
 */
#include <linux/exportfs.h>
#include <linux/iversion.h>
#include "sketch.h"

/* Directory trees */

static void vexfs_dir_size(struct inode *dir, s64 blocks)
{
	if (blocks)
		i_size_write(dir, i_size_read(dir) +
			     blocks * VEXFS_BLOCK_SIZE);
}

static int vexfs_dir_add(handle_t *handle, struct inode *dir,
			 const struct qstr *name, struct inode *inode)
{
	struct vexfs_tree t;
	int err;

	down_write(&VEXFS_I(dir)->tree_sem);
	vexfs_tree_begin(&t, dir, handle);
	err = vex_dir_add(&t.tree, name->name, name->len,
			  VEXFS_SB(dir->i_sb)->hash_seed, inode->i_ino,
			  fs_umode_to_dtype(inode->i_mode));
	vexfs_dir_size(dir, t.blocks_delta);
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(dir)->tree_sem);
	return err;
}

static int vexfs_dir_remove(handle_t *handle, struct inode *dir,
			    const struct qstr *name)
{
	struct vexfs_tree t;
	int err;

	down_write(&VEXFS_I(dir)->tree_sem);
	vexfs_tree_begin(&t, dir, handle);
	err = vex_dir_remove(&t.tree, name->name, name->len,
			     VEXFS_SB(dir->i_sb)->hash_seed);
	vexfs_dir_size(dir, t.blocks_delta);
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(dir)->tree_sem);
	return err;
}

static int vexfs_dir_set(handle_t *handle, struct inode *dir,
			 const struct qstr *name, struct inode *inode)
{
	struct vexfs_tree t;
	int err;

	down_write(&VEXFS_I(dir)->tree_sem);
	vexfs_tree_begin(&t, dir, handle);
	err = vex_dir_set(&t.tree, name->name, name->len,
			  VEXFS_SB(dir->i_sb)->hash_seed, inode->i_ino,
			  fs_umode_to_dtype(inode->i_mode));
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(dir)->tree_sem);
	return err;
}

static int vexfs_dir_is_empty(struct inode *dir)
{
	struct vexfs_tree t;
	int ret;

	down_read(&VEXFS_I(dir)->tree_sem);
	vexfs_tree_begin(&t, dir, NULL);
	ret = vex_dir_is_empty(&t.tree);
	up_read(&VEXFS_I(dir)->tree_sem);
	return ret;
}

/* The contents of a directory have changed: say so in its inode. */
static int vexfs_dir_changed(handle_t *handle, struct inode *dir)
{
	vexfs_touch_mc(dir);
	inode_inc_iversion(dir);
	return vexfs_inode_write(handle, dir);
}

static int vexfs_end(handle_t *handle, struct inode *dir, int err)
{
	int err2;

	if (IS_DIRSYNC(dir))
		handle->h_sync = 1;
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/* Looking up */

static struct dentry *vexfs_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	struct vex_name entry;
	struct vexfs_tree t;
	int err;

	if (name->len > VEXFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	down_read(&VEXFS_I(dir)->tree_sem);
	vexfs_tree_begin(&t, dir, NULL);
	err = vex_dir_find(&t.tree, name->name, name->len,
			   VEXFS_SB(dir->i_sb)->hash_seed, &entry);
	up_read(&VEXFS_I(dir)->tree_sem);
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (!err) {
		inode = vexfs_iget(dir->i_sb, entry.ino);
		if (inode == ERR_PTR(-ESTALE))
			return ERR_PTR(vexfs_corrupt(dir->i_sb, 0, entry.ino,
				-EUCLEAN, "a name leads to a free or hidden inode"));
		if (!IS_ERR(inode) && !inode->i_nlink) {
			iput(inode);
			return ERR_PTR(vexfs_corrupt(dir->i_sb, 0, entry.ino,
				-EUCLEAN, "a name leads to a removed inode"));
		}
	}
	return d_splice_alias(inode, dentry);
}

static int vexfs_readdir_visit(void *ctx, const struct vex_name *entry)
{
	struct dir_context *dirent = ctx;

	dirent->pos = entry->key;
	return !dir_emit(dirent, entry->name, entry->length, entry->ino,
			 entry->type);
}

/* Positions are 0 for ".", 1 for "..", then the keys of the names. */
static int vexfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct vexfs_tree t;
	u64 next;
	int ret = 0;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (ctx->pos < (loff_t)VEXFS_DIR_KEY_MIN)
		ctx->pos = VEXFS_DIR_KEY_MIN;
	while (!ret && ctx->pos <= (loff_t)VEXFS_DIR_KEY_MAX) {
		if (fatal_signal_pending(current))
			return -EINTR;
		/*
		 * Names only change under the directory's i_rwsem, which is
		 * held; tree_sem may not be, as dir_emit() may fault.
		 */
		vexfs_tree_begin(&t, dir, NULL);
		ret = vex_dir_iterate(&t.tree, ctx->pos, vexfs_readdir_visit,
				      ctx, &next);
		if (ret < 0)
			return ret;
		ctx->pos = next;
		cond_resched();
	}
	return 0;
}

/* Making */

static unsigned int vexfs_credits_make(struct inode *dir)
{
	return vexfs_tree_credits(dir) + VEXFS_CREDITS_NEW +
	       VEXFS_CREDITS_INIT + VEXFS_CREDITS_XATTR + VEXFS_CREDITS_STATE +
	       3 * VEXFS_CREDITS_INODE + VEXFS_CREDITS_ALLOC + 1;
}

static unsigned int vexfs_revokes_make(struct inode *dir)
{
	return vexfs_tree_revokes(dir) + 5 * VEXFS_REVOKES_XATTR;
}

/* Throw away an inode that got no name: its removal is evict's. */
static void vexfs_discard(handle_t *handle, struct inode *inode)
{
	clear_nlink(inode);
	vexfs_orphan_add(handle, inode);
	discard_new_inode(inode);
}

static int vexfs_init_inode(handle_t *handle, struct inode *dir,
			    struct dentry *dentry, struct inode *inode,
			    const char *symlink)
{
	int err = 0;

	if (symlink)
		err = vexfs_symlink_set(handle, inode, symlink,
					strlen(symlink));
	if (!err)
		err = vexfs_acl_init(handle, inode, dir);
	if (!err)
		err = vexfs_security_init(handle, inode, dir, &dentry->d_name);
	if (!err)
		err = vexfs_columns_inherit(handle, inode, dir);
	if (!err)
		err = vexfs_inode_write(handle, inode);
	return err;
}

static u8 vexfs_tree_kind(umode_t mode)
{
	if (S_ISREG(mode))
		return VEXFS_TREE_EXTENTS;
	return S_ISDIR(mode) ? VEXFS_TREE_DIRECTORY : VEXFS_TREE_NONE;
}

static int vexfs_try_make(vexfs_idmap_t *idmap, struct inode *dir,
			  struct dentry *dentry, umode_t mode, dev_t rdev,
			  const char *symlink)
{
	struct inode *inode;
	handle_t *handle;
	int err;

	handle = vexfs_journal_start(dir->i_sb, vexfs_credits_make(dir),
				     vexfs_revokes_make(dir));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	inode = vexfs_new_inode(handle, idmap, dir, mode, rdev,
				vexfs_tree_kind(mode));
	if (IS_ERR(inode))
		return vexfs_end(handle, dir, PTR_ERR(inode));
	err = vexfs_init_inode(handle, dir, dentry, inode, symlink);
	if (!err)
		err = vexfs_dir_add(handle, dir, &dentry->d_name, inode);
	if (err) {
		vexfs_discard(handle, inode);
		return vexfs_end(handle, dir, err);
	}
	if (S_ISDIR(mode))
		inc_nlink(dir);
	err = vexfs_dir_changed(handle, dir);
	d_instantiate_new(dentry, inode);
	return vexfs_end(handle, dir, err);
}

static int vexfs_make(vexfs_idmap_t *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode, dev_t rdev,
		      const char *symlink)
{
	int err, tries = 0;

	if (dentry->d_name.len > VEXFS_NAME_MAX)
		return -ENAMETOOLONG;
	do {
		err = vexfs_try_make(idmap, dir, dentry, mode, rdev, symlink);
	} while (err == -ENOSPC && vexfs_alloc_retry(dir->i_sb, &tries));
	return err;
}

static int vexfs_create(vexfs_idmap_t *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode, bool excl)
{
	return vexfs_make(idmap, dir, dentry, mode | S_IFREG, 0, NULL);
}

static int vexfs_mknod(vexfs_idmap_t *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode, dev_t rdev)
{
	return vexfs_make(idmap, dir, dentry, mode, rdev, NULL);
}

static VEXFS_MKDIR_RET vexfs_mkdir(vexfs_idmap_t *idmap, struct inode *dir,
				   struct dentry *dentry, umode_t mode)
{
	return vexfs_mkdir_ret(vexfs_make(idmap, dir, dentry, mode | S_IFDIR,
					  0, NULL));
}

static int vexfs_symlink(vexfs_idmap_t *idmap, struct inode *dir,
			 struct dentry *dentry, const char *target)
{
	if (strlen(target) > VEXFS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	return vexfs_make(idmap, dir, dentry, S_IFLNK | 0777, 0, target);
}

static int vexfs_try_tmpfile(vexfs_idmap_t *idmap, struct inode *dir,
			     struct file *file, umode_t mode)
{
	struct dentry *dentry = file->f_path.dentry;
	struct inode *inode;
	handle_t *handle;
	int err;

	handle = vexfs_journal_start(dir->i_sb, vexfs_credits_make(dir),
				     vexfs_revokes_make(dir));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	inode = vexfs_new_inode(handle, idmap, dir, mode, 0,
				VEXFS_TREE_EXTENTS);
	if (IS_ERR(inode))
		return vexfs_end(handle, dir, PTR_ERR(inode));
	err = vexfs_init_inode(handle, dir, dentry, inode, NULL);
	if (err) {
		vexfs_discard(handle, inode);
		return vexfs_end(handle, dir, err);
	}
	/* d_tmpfile() takes the link away, so give it the one to take. */
	d_tmpfile(file, inode);
	err = vexfs_orphan_add(handle, inode);
	unlock_new_inode(inode);
	return vexfs_end(handle, dir, err);
}

static int vexfs_tmpfile(vexfs_idmap_t *idmap, struct inode *dir,
			 struct file *file, umode_t mode)
{
	int err, tries = 0;

	do {
		err = vexfs_try_tmpfile(idmap, dir, file, mode);
	} while (err == -ENOSPC && vexfs_alloc_retry(dir->i_sb, &tries));
	return finish_open_simple(file, err);
}

static int vexfs_try_link(struct inode *inode, struct inode *dir,
			  struct dentry *dentry)
{
	handle_t *handle;
	int err;

	handle = vexfs_journal_start(dir->i_sb, vexfs_tree_credits(dir) +
				     3 * VEXFS_CREDITS_INODE +
				     VEXFS_CREDITS_STATE,
				     vexfs_tree_revokes(dir));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_dir_add(handle, dir, &dentry->d_name, inode);
	if (err)
		return vexfs_end(handle, dir, err);
	/* An O_TMPFILE file gets its first name. */
	if (!inode->i_nlink)
		err = vexfs_orphan_del(handle, inode);
	vexfs_touch_c(inode);
	inode_inc_iversion(inode);
	inc_nlink(inode);
	if (!err)
		err = vexfs_inode_write(handle, inode);
	if (!err)
		err = vexfs_dir_changed(handle, dir);
	ihold(inode);
	d_instantiate(dentry, inode);
	return vexfs_end(handle, dir, err);
}

static int vexfs_link(struct dentry *old, struct inode *dir,
		      struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	int err, tries = 0;

	if (dentry->d_name.len > VEXFS_NAME_MAX)
		return -ENAMETOOLONG;
	if (inode->i_nlink >= VEXFS_LINK_MAX)
		return -EMLINK;
	do {
		err = vexfs_try_link(inode, dir, dentry);
	} while (err == -ENOSPC && vexfs_alloc_retry(dir->i_sb, &tries));
	return err;
}

/* Removing */

/**
 * vexfs_check_unlink() - do the link counts allow that a name goes?
 * @dir: directory that holds the name
 * @inode: what the name leads to
 *
 * On a damaged volume more names than an inode has links may lead to it, and
 * a directory may hold more directories than it counts.
 *
 * Return: 0, or -EUCLEAN with the damage reported
 */
static int vexfs_check_unlink(struct inode *dir, struct inode *inode)
{
	if (!inode->i_nlink)
		return vexfs_corrupt(dir->i_sb, 0, inode->i_ino, -EUCLEAN,
				     "more names than links");
	if (S_ISDIR(inode->i_mode) && dir->i_nlink <= 2)
		return vexfs_corrupt(dir->i_sb, 0, dir->i_ino, -EUCLEAN,
				     "more subdirectories than links");
	return 0;
}

/* An inode lost a name; a directory all of them. */
static int vexfs_drop_link(handle_t *handle, struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else
		drop_nlink(inode);
	vexfs_touch_c(inode);
	inode_inc_iversion(inode);
	if (inode->i_nlink)
		return vexfs_inode_write(handle, inode);
	vexfs_encode_forget(inode);
	return vexfs_orphan_add(handle, inode);
}

static int vexfs_remove(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	handle_t *handle;
	int err;

	err = vexfs_check_unlink(dir, inode);
	if (err)
		return err;
	handle = vexfs_journal_start(dir->i_sb, vexfs_tree_credits(dir) +
				     3 * VEXFS_CREDITS_INODE +
				     VEXFS_CREDITS_STATE,
				     vexfs_tree_revokes(dir));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_dir_remove(handle, dir, &dentry->d_name);
	if (err == -ENOENT)
		err = vexfs_corrupt(dir->i_sb, 0, dir->i_ino, -EUCLEAN,
				    "a name has vanished from its directory");
	if (err)
		return vexfs_end(handle, dir, err);
	if (S_ISDIR(inode->i_mode))
		drop_nlink(dir);
	err = vexfs_dir_changed(handle, dir);
	if (!err)
		err = vexfs_drop_link(handle, inode);
	return vexfs_end(handle, dir, err);
}

static int vexfs_unlink(struct inode *dir, struct dentry *dentry)
{
	return vexfs_remove(dir, dentry);
}

static int vexfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int empty = vexfs_dir_is_empty(d_inode(dentry));

	if (empty < 0)
		return empty;
	return empty ? vexfs_remove(dir, dentry) : -ENOTEMPTY;
}

/* Renaming */

/**
 * struct vexfs_rename - the two names of a rename
 * @old_dir: directory of the old name
 * @old: the old name
 * @inode: what it leads to
 * @new_dir: directory of the new name
 * @new: the new name
 * @target: what that leads to, or NULL
 */
struct vexfs_rename {
	struct inode *old_dir;
	struct dentry *old;
	struct inode *inode;
	struct inode *new_dir;
	struct dentry *new;
	struct inode *target;
};

static handle_t *vexfs_rename_start(const struct vexfs_rename *r)
{
	return vexfs_journal_start(r->old_dir->i_sb,
				   vexfs_tree_credits(r->old_dir) +
				   vexfs_tree_credits(r->new_dir) +
				   6 * VEXFS_CREDITS_INODE +
				   VEXFS_CREDITS_STATE,
				   vexfs_tree_revokes(r->old_dir) +
				   vexfs_tree_revokes(r->new_dir));
}

/* A directory has a new parent. */
static void vexfs_reparent(struct inode *inode, struct inode *from,
			   struct inode *to)
{
	if (!S_ISDIR(inode->i_mode) || from == to)
		return;
	VEXFS_I(inode)->parent = to->i_ino;
	drop_nlink(from);
	inc_nlink(to);
}

static int vexfs_rename_finish(handle_t *handle, const struct vexfs_rename *r)
{
	int err;

	vexfs_touch_c(r->inode);
	inode_inc_iversion(r->inode);
	err = vexfs_inode_write(handle, r->inode);
	if (!err)
		err = vexfs_dir_changed(handle, r->old_dir);
	if (!err && r->new_dir != r->old_dir)
		err = vexfs_dir_changed(handle, r->new_dir);
	return err;
}

static int vexfs_try_rename(const struct vexfs_rename *r)
{
	handle_t *handle = vexfs_rename_start(r);
	int err;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	/* The one step that may find no space comes first. */
	if (r->target)
		err = vexfs_dir_set(handle, r->new_dir, &r->new->d_name,
				    r->inode);
	else
		err = vexfs_dir_add(handle, r->new_dir, &r->new->d_name,
				    r->inode);
	if (err)
		return vexfs_end(handle, r->new_dir, err);
	err = vexfs_dir_remove(handle, r->old_dir, &r->old->d_name);
	if (err)
		return vexfs_end(handle, r->new_dir, err);
	vexfs_reparent(r->inode, r->old_dir, r->new_dir);
	if (r->target) {
		if (S_ISDIR(r->target->i_mode))
			drop_nlink(r->new_dir);
		err = vexfs_drop_link(handle, r->target);
	}
	if (!err)
		err = vexfs_rename_finish(handle, r);
	return vexfs_end(handle, r->new_dir, err);
}

static int vexfs_try_exchange(const struct vexfs_rename *r)
{
	handle_t *handle = vexfs_rename_start(r);
	int err;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_dir_set(handle, r->new_dir, &r->new->d_name, r->inode);
	if (!err)
		err = vexfs_dir_set(handle, r->old_dir, &r->old->d_name,
				    r->target);
	if (err)
		return vexfs_end(handle, r->new_dir, err);
	vexfs_reparent(r->inode, r->old_dir, r->new_dir);
	vexfs_reparent(r->target, r->new_dir, r->old_dir);
	vexfs_touch_c(r->target);
	inode_inc_iversion(r->target);
	err = vexfs_inode_write(handle, r->target);
	if (!err)
		err = vexfs_rename_finish(handle, r);
	return vexfs_end(handle, r->new_dir, err);
}

static int vexfs_rename(vexfs_idmap_t *idmap, struct inode *old_dir,
			struct dentry *old, struct inode *new_dir,
			struct dentry *new, unsigned int flags)
{
	const struct vexfs_rename r = {
		.old_dir = old_dir,
		.old = old,
		.inode = d_inode(old),
		.new_dir = new_dir,
		.new = new,
		.target = d_inode(new),
	};
	int err, tries = 0;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (new->d_name.len > VEXFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = vexfs_check_unlink(old_dir, r.inode);
	if (!err && r.target)
		err = vexfs_check_unlink(new_dir, r.target);
	if (err)
		return err;
	if (flags & RENAME_EXCHANGE)
		return vexfs_try_exchange(&r);
	if (r.target && S_ISDIR(r.target->i_mode)) {
		err = vexfs_dir_is_empty(r.target);
		if (err <= 0)
			return err ? err : -ENOTEMPTY;
	}
	do {
		err = vexfs_try_rename(&r);
	} while (err == -ENOSPC && vexfs_alloc_retry(old_dir->i_sb, &tries));
	return err;
}

const struct inode_operations vexfs_dir_inode_operations = {
	.lookup = vexfs_lookup,
	.create = vexfs_create,
	.link = vexfs_link,
	.unlink = vexfs_unlink,
	.symlink = vexfs_symlink,
	.mkdir = vexfs_mkdir,
	.rmdir = vexfs_rmdir,
	.mknod = vexfs_mknod,
	.rename = vexfs_rename,
	.tmpfile = vexfs_tmpfile,
	.setattr = vexfs_setattr,
	.getattr = vexfs_getattr,
	.listxattr = vexfs_listxattr,
	.VEXFS_GET_ACL_OP = vexfs_get_acl,
	.set_acl = vexfs_set_acl,
	.fileattr_get = vexfs_fileattr_get,
	.fileattr_set = vexfs_fileattr_set,
};

const struct inode_operations vexfs_special_inode_operations = {
	.setattr = vexfs_setattr,
	.getattr = vexfs_getattr,
	.listxattr = vexfs_listxattr,
	.VEXFS_GET_ACL_OP = vexfs_get_acl,
	.set_acl = vexfs_set_acl,
};

/* Keys of names are larger than any file. */
static loff_t vexfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, LLONG_MAX,
					VEXFS_DIR_KEY_MAX + 1);
}

const struct file_operations vexfs_dir_operations = {
	.llseek = vexfs_dir_llseek,
	.read = generic_read_dir,
	.iterate_shared = vexfs_readdir,
	.fsync = vexfs_fsync,
	.unlocked_ioctl = vexfs_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* NFS handles */

static struct inode *vexfs_nfs_get_inode(struct super_block *sb, u64 ino,
					 u32 generation)
{
	struct inode *inode;

	if (ino < VEXFS_INO_FIRST && ino != VEXFS_INO_ROOT)
		return ERR_PTR(-ESTALE);
	if (!vex_inode_valid(&VEXFS_SB(sb)->geo, ino) ||
	    !vexfs_ino_in_use(sb, ino))
		return ERR_PTR(-ESTALE);
	inode = vexfs_iget(sb, ino);
	if (IS_ERR(inode))
		return ERR_PTR(-ESTALE);
	if (!inode->i_nlink ||
	    (generation && inode->i_generation != generation)) {
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	return inode;
}

static struct dentry *vexfs_fh_to_dentry(struct super_block *sb,
					 struct fid *fid, int fh_len,
					 int fh_type)
{
	return generic_fh_to_dentry(sb, fid, fh_len, fh_type,
				    vexfs_nfs_get_inode);
}

static struct dentry *vexfs_fh_to_parent(struct super_block *sb,
					 struct fid *fid, int fh_len,
					 int fh_type)
{
	return generic_fh_to_parent(sb, fid, fh_len, fh_type,
				    vexfs_nfs_get_inode);
}

static struct dentry *vexfs_get_parent(struct dentry *child)
{
	u64 parent = VEXFS_I(d_inode(child))->parent;

	return d_obtain_alias(vexfs_iget(child->d_sb, parent));
}

const struct export_operations vexfs_export_operations = {
	.encode_fh = VEXFS_ENCODE_FH,
	.fh_to_dentry = vexfs_fh_to_dentry,
	.fh_to_parent = vexfs_fh_to_parent,
	.get_parent = vexfs_get_parent,
};
