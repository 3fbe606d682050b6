// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbolic links: targets kept in the inode or, when longer than
 * VEXFS_SYMLINK_INLINE_MAX, in a block and the inode.
 *
 * A target never changes once the link can be found, so that readers take no
 * lock. It holds no zero byte: core/layout.c verified what lies in the inode
 * when that was read, this file verifies the block.
 */
#include <linux/slab.h>
#include "vexfs.h"

/* What of a long target is in the block, the rest being in the inode. */
static unsigned int symlink_block_bytes(unsigned int length)
{
	return min_t(unsigned int, length, VEXFS_PAYLOAD_BYTES);
}

static struct buffer_head *symlink_read_block(struct inode *inode,
					      unsigned int length)
{
	u64 block = vex_load_le64(VEXFS_I(inode)->root.r_data);
	unsigned int used = symlink_block_bytes(length);
	const struct vexfs_disk_symlink *link;
	struct buffer_head *bh;
	bool fresh;
	int err;

	bh = vexfs_meta_read(inode->i_sb, block, VEXFS_MAGIC_SYMLINK,
			     inode->i_ino, &fresh);
	if (IS_ERR(bh) || !fresh)
		return bh;
	link = (const void *)bh->b_data;
	if (memchr(link->sl_target, 0, used) ||
	    memchr_inv(link->sl_target + used, 0, VEXFS_PAYLOAD_BYTES - used)) {
		brelse(bh);
		err = vexfs_corrupt(inode->i_sb, block, inode->i_ino, -EUCLEAN,
				    "sl_target: not as long as ino_size says");
		return ERR_PTR(err);
	}
	vexfs_meta_verified(bh);
	return bh;
}

static int symlink_read_long(struct inode *inode, char *target,
			     unsigned int length)
{
	unsigned int head = symlink_block_bytes(length);
	const struct vexfs_disk_symlink *link;
	struct buffer_head *bh;

	bh = symlink_read_block(inode, length);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	link = (const void *)bh->b_data;
	memcpy(target, link->sl_target, head);
	memcpy(target + head, VEXFS_I(inode)->root.r_data + 8, length - head);
	brelse(bh);
	return 0;
}

/* A path walk under RCU (no @dentry) may neither sleep nor read. */
static const char *vexfs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	loff_t length = i_size_read(inode);
	char *target;
	int err;

	if (length < 1 || length > VEXFS_SYMLINK_MAX) {
		if (!dentry)
			return ERR_PTR(-ECHILD);
		err = vexfs_corrupt(inode->i_sb, 0, inode->i_ino, -EUCLEAN,
				    "ino_size: not a symbolic link's");
		return ERR_PTR(err);
	}
	if (!dentry && length > VEXFS_SYMLINK_INLINE_MAX)
		return ERR_PTR(-ECHILD);
	target = kmalloc(length + 1, dentry ? GFP_KERNEL :
					      GFP_ATOMIC | __GFP_NOWARN);
	if (!target)
		return ERR_PTR(dentry ? -ENOMEM : -ECHILD);
	if (length <= VEXFS_SYMLINK_INLINE_MAX) {
		memcpy(target, VEXFS_I(inode)->root.r_data, length);
	} else {
		err = symlink_read_long(inode, target, length);
		if (err) {
			kfree(target);
			return ERR_PTR(err);
		}
	}
	target[length] = 0;
	set_delayed_call(done, kfree_link, target);
	return target;
}

static int symlink_set_long(handle_t *handle, struct inode *inode,
			    const char *target, unsigned int length)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	unsigned int head = symlink_block_bytes(length);
	struct super_block *sb = inode->i_sb;
	struct vexfs_disk_symlink *link;
	struct buffer_head *bh;
	__le64 where;
	u64 block;
	u32 count;
	int err;

	block = vexfs_alloc_blocks(handle, sb, 0, 1, 0, &count, &err);
	if (!block)
		return err;
	bh = vexfs_meta_new(handle, sb, block, VEXFS_MAGIC_SYMLINK,
			    inode->i_ino);
	if (IS_ERR(bh)) {
		vexfs_free_blocks(handle, sb, block, 1);
		return PTR_ERR(bh);
	}
	link = (void *)bh->b_data;
	memcpy(link->sl_target, target, head);
	err = vexfs_meta_dirty(handle, bh);
	brelse(bh);
	if (err)
		return err;
	where = cpu_to_le64(block);
	memcpy(info->root.r_data, &where, sizeof(where));
	memcpy(info->root.r_data + 8, target + head, length - head);
	vexfs_blocks_charge(inode, 1);
	return 0;
}

int vexfs_symlink_set(handle_t *handle, struct inode *inode,
		      const char *target, unsigned int length)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err;

	if (length > VEXFS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	if (length <= VEXFS_SYMLINK_INLINE_MAX) {
		memcpy(info->root.r_data, target, length);
	} else {
		err = symlink_set_long(handle, inode, target, length);
		if (err)
			return err;
	}
	info->disk_size = length;
	i_size_write(inode, length);
	return 0;
}

int vexfs_symlink_free(handle_t *handle, struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	loff_t length = i_size_read(inode);
	struct buffer_head *bh;
	u64 block;
	int err;

	if (length <= VEXFS_SYMLINK_INLINE_MAX)
		return 0;
	bh = symlink_read_block(inode, length);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	block = bh->b_blocknr;
	err = vexfs_meta_forget(handle, bh);
	if (!err)
		err = vexfs_free_blocks(handle, inode->i_sb, block, 1);
	if (err)
		return err;
	vexfs_blocks_charge(inode, -1);
	memset(info->root.r_data, 0, sizeof(info->root.r_data));
	info->disk_size = 0;
	i_size_write(inode, 0);
	return 0;
}

const struct inode_operations vexfs_symlink_inode_operations = {
	.get_link	= vexfs_get_link,
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
};
