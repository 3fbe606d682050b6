// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX access control lists, kept as extended attributes in the form that
 * user space knows (version 2, ids of the initial user namespace), and what a
 * new inode gets from its directory and from security modules.
 */
#include <linux/iversion.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "vexfs.h"

static u8 acl_space(int type)
{
	return type == ACL_TYPE_ACCESS ? VEXFS_XATTR_ACL_ACCESS :
					 VEXFS_XATTR_ACL_DEFAULT;
}

static struct posix_acl *acl_parse(struct inode *inode, const void *value,
				   size_t size)
{
	struct posix_acl *acl = posix_acl_from_xattr(&init_user_ns, value, size);
	int err;

	if (!IS_ERR(acl) || PTR_ERR(acl) == -ENOMEM)
		return acl;
	err = vexfs_corrupt(inode->i_sb, VEXFS_I(inode)->xattr_block,
			    inode->i_ino, -EUCLEAN,
			    "x_data: not an access control list");
	return ERR_PTR(err);
}

struct posix_acl *vexfs_get_acl(struct inode *inode, int type, bool rcu)
{
	u8 space = acl_space(type);
	struct posix_acl *acl;
	void *value;
	int size;

	if (rcu)
		return ERR_PTR(-ECHILD);
	size = vexfs_xattr_get(inode, space, "", NULL, 0);
	if (size == -ENODATA)
		return NULL;
	if (size < 0)
		return ERR_PTR(size);
	/* a bound instead of the size, which may change before the next call */
	value = kmalloc(VEXFS_XATTR_BYTES, GFP_KERNEL);
	if (!value)
		return ERR_PTR(-ENOMEM);
	size = vexfs_xattr_get(inode, space, "", value, VEXFS_XATTR_BYTES);
	if (size >= 0)
		acl = acl_parse(inode, value, size);
	else
		acl = size == -ENODATA ? NULL : ERR_PTR(size);
	kfree(value);
	return acl;
}

static int acl_store(handle_t *handle, struct inode *inode,
		     struct posix_acl *acl, int type)
{
	void *value = NULL;
	size_t size = 0;
	int err;

	if (acl) {
		value = vexfs_acl_to_xattr(acl, &size);
		if (IS_ERR(value))
			return PTR_ERR(value);
	}
	err = vexfs_xattr_set(handle, inode, acl_space(type), "", value, size,
			      0);
	kfree(value);
	return err;
}

/* Stores @acl and, if @mode is another, the mode, in one transaction. */
static int acl_set(struct inode *inode, struct posix_acl *acl, int type,
		   umode_t mode)
{
	handle_t *handle;
	int err, end;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_XATTR,
				     VEXFS_REVOKES_XATTR);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = acl_store(handle, inode, acl, type);
	if (!err && mode != inode->i_mode) {
		inode->i_mode = mode;
		err = vexfs_inode_write(handle, inode);
	}
	if (!err && IS_SYNC(inode))
		handle->h_sync = 1;
	end = vexfs_journal_stop(handle);
	return err ? err : end;
}

int vexfs_set_acl(vexfs_idmap_t *idmap, vexfs_acl_target_t *target,
		  struct posix_acl *acl, int type)
{
	struct inode *inode = vexfs_acl_inode(target);
	umode_t mode = inode->i_mode;
	struct posix_acl *kept = acl;
	int err, tries = 0;

	if (type == ACL_TYPE_ACCESS && acl) {
		err = posix_acl_update_mode(idmap, inode, &mode, &kept);
		if (err)
			return err;
	}
	if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode))
		return acl ? -EACCES : 0;
	do {
		err = acl_set(inode, kept, type, mode);
	} while (err == -ENOSPC && !READ_ONCE(VEXFS_I(inode)->xattr_block) &&
		 vexfs_alloc_retry(inode->i_sb, &tries));
	if (!err)
		set_cached_acl(inode, type, kept);
	return err;
}

int vexfs_acl_init(handle_t *handle, struct inode *inode, struct inode *dir)
{
	struct posix_acl *fallback, *acl;
	int err;

	err = posix_acl_create(dir, &inode->i_mode, &fallback, &acl);
	if (err)
		return err;
	if (fallback) {
		err = acl_store(handle, inode, fallback, ACL_TYPE_DEFAULT);
		if (!err)
			set_cached_acl(inode, ACL_TYPE_DEFAULT, fallback);
		posix_acl_release(fallback);
	} else {
		inode->i_default_acl = NULL;
	}
	if (acl) {
		if (!err)
			err = acl_store(handle, inode, acl, ACL_TYPE_ACCESS);
		if (!err)
			set_cached_acl(inode, ACL_TYPE_ACCESS, acl);
		posix_acl_release(acl);
	} else {
		inode->i_acl = NULL;
	}
	return err;
}

static int security_store(struct inode *inode, const struct xattr *attributes,
			  void *handle)
{
	const struct xattr *each;
	int err = 0;

	for (each = attributes; each->name && !err; each++)
		err = vexfs_xattr_set(handle, inode, VEXFS_XATTR_SECURITY,
				      each->name, each->value, each->value_len,
				      0);
	return err;
}

int vexfs_security_init(handle_t *handle, struct inode *inode,
			struct inode *dir, const struct qstr *name)
{
	return security_inode_init_security(inode, dir, name, security_store,
					    handle);
}
