// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of chattr(1) and lsattr(1): i, a, d, A, S and D. Which of
 * them the kernel enforces by itself is settled by vexfs_set_flags().
 */
#include <linux/fileattr.h>
#include <linux/iversion.h>
#include "vexfs.h"

static const struct {
	u32 ours;	/* VEXFS_INO_FLAG_* */
	u32 theirs;	/* FS_*_FL */
} vexfs_fileattrs[] = {
	{ VEXFS_INO_FLAG_IMMUTABLE,	FS_IMMUTABLE_FL },
	{ VEXFS_INO_FLAG_APPEND,	FS_APPEND_FL },
	{ VEXFS_INO_FLAG_NODUMP,	FS_NODUMP_FL },
	{ VEXFS_INO_FLAG_NOATIME,	FS_NOATIME_FL },
	{ VEXFS_INO_FLAG_SYNC,		FS_SYNC_FL },
	{ VEXFS_INO_FLAG_DIRSYNC,	FS_DIRSYNC_FL },
};

int vexfs_fileattr_get(struct dentry *dentry, vexfs_fileattr_t *fa)
{
	u32 flags = READ_ONCE(VEXFS_I(d_inode(dentry))->flags), theirs = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(vexfs_fileattrs); i++)
		if (flags & vexfs_fileattrs[i].ours)
			theirs |= vexfs_fileattrs[i].theirs;
	fileattr_fill_flags(fa, theirs);
	return 0;
}

/* The VFS holds i_rwsem and has checked ownership and capabilities. */
int vexfs_fileattr_set(vexfs_idmap_t *idmap, struct dentry *dentry,
		       vexfs_fileattr_t *fa)
{
	struct inode *inode = d_inode(dentry);
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u32 old = info->flags, ours = 0, mask = 0, theirs = fa->flags;
	int i, err;

	if (fileattr_has_fsx(fa))
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(vexfs_fileattrs); i++) {
		mask |= vexfs_fileattrs[i].ours;
		if (theirs & vexfs_fileattrs[i].theirs)
			ours |= vexfs_fileattrs[i].ours;
		theirs &= ~vexfs_fileattrs[i].theirs;
	}
	if (theirs || (ours & VEXFS_INO_FLAG_DIRSYNC &&
		       !S_ISDIR(inode->i_mode)))
		return -EOPNOTSUPP;

	info->flags = (old & ~mask) | ours;
	vexfs_set_flags(inode);
	vexfs_touch_c(inode);
	inode_inc_iversion(inode);
	err = vexfs_inode_dirty(inode);
	if (err) {
		info->flags = old;
		vexfs_set_flags(inode);
	}
	return err;
}
