// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees of inodes: gives the core's tree code its blocks out of buffers,
 * handles and the allocator, and charges them to the inode.
 */
#include "vexfs.h"

static struct vexfs_tree *vexfs_tree_of(struct vex_tree *tree)
{
	return container_of(tree, struct vexfs_tree, tree);
}

/*
 * Whose its nodes are. A compaction's matrix becomes the base's by exchanging
 * roots, so its nodes are the base's from the start.
 */
static u64 vexfs_tree_owner(const struct inode *inode)
{
	const struct inode *base = VEXFS_I(inode)->fork_base;

	if (base && READ_ONCE(VEXFS_I(base)->forks[VEXFS_FORK_COMPACT]) ==
		    inode->i_ino)
		return base->i_ino;
	return inode->i_ino;
}

static int vexfs_tree_read(struct vex_tree *tree, u64 block,
			   struct vex_buf *buf)
{
	struct inode *inode = vexfs_tree_of(tree)->inode;
	struct buffer_head *bh;

	bh = vexfs_meta_read(inode->i_sb, block, VEXFS_MAGIC_TREE,
			     vexfs_tree_owner(inode), &buf->fresh);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	buf->data = bh->b_data;
	buf->block = block;
	buf->priv = bh;
	return 0;
}

static void vexfs_tree_release(struct vex_tree *tree, struct vex_buf *buf)
{
	/* The tree clears it when it has verified the block. */
	if (!buf->fresh)
		vexfs_meta_verified(buf->priv);
	brelse(buf->priv);
	buf->priv = NULL;
}

static int vexfs_tree_access(struct vex_tree *tree, struct vex_buf *buf)
{
	return vexfs_meta_access(vexfs_tree_of(tree)->handle, buf->priv);
}

static int vexfs_tree_dirty(struct vex_tree *tree, struct vex_buf *buf)
{
	return vexfs_meta_dirty(vexfs_tree_of(tree)->handle, buf->priv);
}

static int vexfs_tree_alloc(struct vex_tree *tree, struct vex_buf *buf)
{
	struct vexfs_tree *t = vexfs_tree_of(tree);
	struct super_block *sb = t->inode->i_sb;
	struct buffer_head *bh;
	u64 goal, block;
	u32 slot, count;
	int err;

	goal = vex_inode_block(&VEXFS_SB(sb)->geo, t->inode->i_ino, &slot);
	block = vexfs_alloc_blocks(t->handle, sb, goal, 1, t->flags, &count,
				   &err);
	if (!block)
		return err;
	bh = vexfs_meta_new(t->handle, sb, block, VEXFS_MAGIC_TREE,
			    vexfs_tree_owner(t->inode));
	if (IS_ERR(bh)) {
		vexfs_free_blocks(t->handle, sb, block, 1);
		return PTR_ERR(bh);
	}
	t->blocks_delta++;
	buf->data = bh->b_data;
	buf->block = block;
	buf->priv = bh;
	buf->fresh = false;
	return 0;
}

static int vexfs_tree_free(struct vex_tree *tree, struct vex_buf *buf)
{
	struct vexfs_tree *t = vexfs_tree_of(tree);
	int err, err2;

	err = vexfs_meta_forget(t->handle, buf->priv);
	buf->priv = NULL;
	err2 = vexfs_free_blocks(t->handle, t->inode->i_sb, buf->block, 1);
	if (!err2)
		t->blocks_delta--;
	return err ? err : err2;
}

static int vexfs_tree_corrupt(struct vex_tree *tree, u64 block,
			      const char *what)
{
	struct vexfs_tree *t = vexfs_tree_of(tree);

	return vexfs_corrupt(t->inode->i_sb, block, t->inode->i_ino, -EUCLEAN,
			     what);
}

static const struct vex_tree_ops vexfs_tree_ops = {
	.read = vexfs_tree_read,
	.release = vexfs_tree_release,
	.access = vexfs_tree_access,
	.dirty = vexfs_tree_dirty,
	.alloc = vexfs_tree_alloc,
	.free = vexfs_tree_free,
	.corrupt = vexfs_tree_corrupt,
};

void vexfs_tree_begin(struct vexfs_tree *t, struct inode *inode,
		      handle_t *handle)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	t->tree.root = &info->root;
	t->tree.ops = &vexfs_tree_ops;
	t->tree.priv = NULL;
	t->tree.value_limit = info->root.r_kind == VEXFS_TREE_EXTENTS ?
			      VEXFS_SB(inode->i_sb)->geo.blocks : 0;
	t->inode = inode;
	t->handle = handle;
	t->flags = 0;
	t->blocks_delta = 0;
}

void vexfs_tree_end(struct vexfs_tree *t)
{
	if (t->blocks_delta)
		vexfs_blocks_charge(t->inode, t->blocks_delta);
	t->blocks_delta = 0;
}

void vexfs_blocks_charge(struct inode *inode, s64 delta)
{
	struct inode *payer = VEXFS_I(inode)->fork_base;
	struct vexfs_inode_info *info = VEXFS_I(payer ? payer : inode);

	spin_lock(&info->lock);
	info->blocks += delta;
	info->vfs_inode.i_blocks = info->blocks << (VEXFS_BLOCK_BITS - 9);
	spin_unlock(&info->lock);
}

unsigned int vexfs_tree_credits(struct inode *inode)
{
	const struct vexfs_disk_root *root = &VEXFS_I(inode)->root;

	/* Its blocks; for up to two records a block a level and a new root; two inodes. */
	return vex_tree_blocks_max(root) +
	       (2 * root->r_depth + 2) * VEXFS_CREDITS_ALLOC +
	       2 * VEXFS_CREDITS_INODE;
}

unsigned int vexfs_tree_revokes(struct inode *inode)
{
	return VEXFS_I(inode)->root.r_depth + 2;
}
