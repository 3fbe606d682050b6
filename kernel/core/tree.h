/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The one tree of VexFS: a B+tree that hangs off an inode and maps runs of
 * keys to runs of values (extents, ids, rows, tombstones), or hashes to names
 * (directories). It works on blocks that its caller provides and journals;
 * it takes no locks: the caller serialises changes against everything else.
 */
#ifndef VEX_TREE_H
#define VEX_TREE_H

#include "format.h"

/**
 * struct vex_buf - a block in memory
 * @data: its VEXFS_BLOCK_SIZE bytes
 * @block: its number
 * @priv: the provider's
 * @fresh: set by vex_tree_ops.read if no one has verified the block beyond its
 *	header since it came into memory. The tree then does, and clears it; at
 *	vex_tree_ops.release the provider remembers that it was cleared. A block
 *	that is not fresh gets a few quick checks only, enough to be safe
 */
struct vex_buf {
	void *data;
	u64 block;
	void *priv;
	bool fresh;
};

struct vex_tree;

/**
 * struct vex_tree_ops - where blocks come from
 * @read: fill in @buf with block @block, its header verified (magic, checksum,
 *	own number, UUID, owner). -EUCLEAN / -EBADMSG when it is damaged
 * @release: give a buffer back
 * @access: called before a buffer that was read is changed
 * @dirty: called after a buffer was changed
 * @alloc: a new block, zeroed but for its header, which is valid for the
 *	tree; counts as accessed
 * @free: free the block and give its buffer back, whatever it returns; must
 *	not fail for want of space. When it fails, the tree goes on without the
 *	block, and the call returns the error although it made its change
 * @corrupt: report that block @block (0: the root) is damaged and @what is
 *	wrong with it; returns -EUCLEAN
 *
 * All return 0 or a negative errno. When @read, @access or @alloc fails, the
 * tree is as it was before the call. After a failure of @dirty or @free the
 * change is in memory whole, and the call returns the error.
 */
struct vex_tree_ops {
	int (*read)(struct vex_tree *tree, u64 block, struct vex_buf *buf);
	void (*release)(struct vex_tree *tree, struct vex_buf *buf);
	int (*access)(struct vex_tree *tree, struct vex_buf *buf);
	int (*dirty)(struct vex_tree *tree, struct vex_buf *buf);
	int (*alloc)(struct vex_tree *tree, struct vex_buf *buf);
	int (*free)(struct vex_tree *tree, struct vex_buf *buf);
	int (*corrupt)(struct vex_tree *tree, u64 block, const char *what);
};

/**
 * struct vex_tree - a tree as its caller hands it over
 * @root: the root in the inode's in-memory copy; the caller writes the inode
 *	after every call that may change it
 * @ops: where blocks come from
 * @priv: the caller's
 * @value_limit: extents: blocks of the filesystem; a value beyond is damage.
 *	Other kinds: 0 for no limit
 */
struct vex_tree {
	struct vexfs_disk_root *root;
	const struct vex_tree_ops *ops;
	void *priv;
	u64 value_limit;
};

/**
 * struct vex_run - a record in the CPU's byte order
 * @key: first key
 * @value: what it maps to
 * @length: keys in the run, 1..U32_MAX
 * @flags: VEXFS_RECORD_*
 */
struct vex_run {
	u64 key;
	u64 value;
	u32 length;
	u32 flags;
};

/**
 * vex_tree_init_root() - make an empty root
 * @root: to be filled in
 * @kind: VEXFS_TREE_*
 *
 * A directory gets its first leaf when its first name is added.
 */
void vex_tree_init_root(struct vexfs_disk_root *root, u8 kind);

/**
 * vex_tree_check_root() - verify a root read from disk
 * @root: the root
 * @kind: what it must be
 * @value_limit: see struct vex_tree
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_tree_check_root(const struct vexfs_disk_root *root, u8 kind,
				u64 value_limit);

/**
 * vex_tree_check_node() - verify a tree's block beyond its header
 * @node: the block
 * @kind: what it must be
 * @depth: the depth that its parent implies
 * @low: no key may be smaller
 * @high: every key must be smaller, and no run may reach it
 * @value_limit: see struct vex_tree
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_tree_check_node(const struct vexfs_disk_node *node, u8 kind,
				u8 depth, u64 low, u64 high, u64 value_limit);

/**
 * vex_tree_find() - the run that covers a key, or else the next one
 * @tree: the tree
 * @key: the key
 * @run: the first run that ends beyond @key
 *
 * Return: 0; -ENOENT if there is no such run; a negative errno of the ops.
 */
int vex_tree_find(struct vex_tree *tree, u64 key, struct vex_run *run);

/**
 * vex_tree_find_many() - as vex_tree_find(), the runs after it too
 * @tree: the tree
 * @key: the key
 * @runs: room for @max runs
 * @max: at least 1
 *
 * Stops at the end of a leaf, so that it reads one path.
 *
 * Return: runs found, 0 if there are none, or a negative errno.
 */
int vex_tree_find_many(struct vex_tree *tree, u64 key, struct vex_run *runs,
		       u32 max);

/**
 * vex_tree_find_last() - the run with the greatest key below a limit
 * @tree: the tree
 * @limit: only runs that begin below this count
 * @run: that run
 *
 * Return: 0; -ENOENT if there is none; a negative errno.
 */
int vex_tree_find_last(struct vex_tree *tree, u64 limit, struct vex_run *run);

/**
 * vex_tree_insert() - add a run
 * @tree: the tree
 * @run: it must overlap no run that is there (-EEXIST)
 *
 * Joins it with its neighbours of the same leaf where key, value and flags go
 * on and the joined length fits 32 bits; becomes two records if it lies across
 * the border of two leaves.
 * May allocate up to depth + 1 blocks for each record, and does so before it
 * changes anything: an error leaves the tree as it was.
 *
 * Return: 0; -EEXIST; -EINVAL for a run that this kind of tree cannot hold;
 * a negative errno.
 */
int vex_tree_insert(struct vex_tree *tree, const struct vex_run *run);

/**
 * vex_tree_cut() - remove the last run, or part of one, in a range of keys
 * @tree: the tree
 * @first: first key of the range
 * @last: last key of the range, inclusive
 * @max: remove at most so many keys, from the end of the range
 * @removed: what was removed: lies inside the range, and inside one run
 *
 * Removing the middle of a run may allocate, as vex_tree_insert().
 * Blocks that become empty are freed, and a root with little below it takes
 * that in: up to depth + 1 blocks.
 *
 * Return: 0; -ENOENT if no key of the range is in the tree; a negative errno.
 */
int vex_tree_cut(struct vex_tree *tree, u64 first, u64 last, u64 max,
		 struct vex_run *removed);

/**
 * vex_tree_set_flags() - give a range of keys within one run other flags
 * @tree: the tree
 * @key: first key; a run must cover it (-ENOENT)
 * @length: keys; what reaches beyond the run is left alone
 * @flags: the flags that they get
 * @done: how many keys were changed, from @key on
 *
 * May split the run in up to three, or join it to its neighbours.
 *
 * Return: 0 or a negative errno.
 */
int vex_tree_set_flags(struct vex_tree *tree, u64 key, u64 length, u32 flags,
		       u64 *done);

/**
 * vex_tree_pop_block() - free one block of a tree that is being thrown away
 * @tree: the tree; its runs or names must not matter any more
 *
 * For directories that are removed: frees the last leaf with the nodes above
 * that become empty (up to depth blocks), so that the tree stays valid. Drops
 * records that are in the root itself.
 *
 * Return: 0 when a block was freed; -ENOENT when the root is empty; a negative
 * errno.
 */
int vex_tree_pop_block(struct vex_tree *tree);

/**
 * vex_tree_blocks_max() - blocks that one change of a tree may touch
 * @root: the root
 *
 * Return: blocks that a call may read for writing or allocate, not counting
 * the inode and bitmaps: for reserving journal credits.
 */
static inline unsigned int vex_tree_blocks_max(const struct vexfs_disk_root *root)
{
	/* The path, a sibling of each of its nodes, twice: a split in three. */
	return 4 * (root->r_depth + 1u);
}

#endif /* VEX_TREE_H */
