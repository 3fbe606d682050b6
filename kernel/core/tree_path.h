/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Inside of the tree, shared by tree.c and dir.c: the path from the root to a
 * leaf, and the changes of a tree's shape. Levels count from the leaves: level
 * 0 is a leaf, level r_depth is the root.
 */
#ifndef VEX_TREE_PATH_H
#define VEX_TREE_PATH_H

#include "tree.h"

/**
 * struct vex_items - the records or children of a root or node
 * @data: the first of them; each begins with its key
 * @count: how many
 * @size: bytes of each
 * @capacity: how many there may be
 */
struct vex_items {
	u8 *data;
	u32 count;
	u32 size;
	u32 capacity;
};

/**
 * struct vex_path - the way from the root to a leaf
 * @bufs: the block of each level below the root
 * @low: no key at that level or below is smaller
 * @high: all keys at that level and below are smaller
 * @slot: child taken at that level
 * @depth: r_depth
 * @bottom: lowest level whose buffer is held
 */
struct vex_path {
	struct vex_buf bufs[VEXFS_TREE_DEPTH_MAX];
	u64 low[VEXFS_TREE_DEPTH_MAX + 1];
	u64 high[VEXFS_TREE_DEPTH_MAX + 1];
	u16 slot[VEXFS_TREE_DEPTH_MAX + 1];
	u8 depth;
	u8 bottom;
};

/**
 * struct vex_growth - blocks allocated to make room in a leaf
 * @bufs: at each level that is split, the block that takes the right part;
 *	and last the block that takes what is in the root
 * @levels: levels that are split
 * @raise: the root's items move into a block of their own
 */
struct vex_growth {
	struct vex_buf bufs[VEXFS_TREE_DEPTH_MAX + 1];
	u8 levels;
	bool raise;
};

static inline u64 vex_item_key(const struct vex_items *items, u32 i)
{
	return vex_load_le64(items->data + i * items->size);
}

/**
 * vex_items_of_node() - the records or children of a block
 * @node: the block; not a leaf of a directory
 * @items: to be filled in
 */
void vex_items_of_node(struct vexfs_disk_node *node, struct vex_items *items);

/**
 * vex_items_after() - find the first item with a greater key
 * @items: where
 * @key: the key
 *
 * Return: its index, or the number of items.
 */
u32 vex_items_after(const struct vex_items *items, u64 key);

/**
 * vex_items_splice() - replace items
 * @items: where; not more than its capacity afterwards. Its count is updated,
 *	that of the block or root is not
 * @at: the first to be replaced
 * @out: how many are replaced
 * @with: by what
 * @in: how many
 */
void vex_items_splice(struct vex_items *items, u32 at, u32 out,
		      const void *with, u32 in);

/**
 * vex_node_set_count() - write down how many items a block has
 * @node: the block; not a leaf of a directory
 * @items: its items
 */
void vex_node_set_count(struct vexfs_disk_node *node,
			const struct vex_items *items);

/**
 * vex_node_split() - replace items of a block that has no room for it
 * @node: the block
 * @right: takes what comes after
 * @at: the first to be replaced
 * @out: how many are replaced
 * @with: by what
 * @in: how many
 * @append: the tree grows at its end: keep @node full
 *
 * Return: the first key in @right.
 */
u64 vex_node_split(struct vexfs_disk_node *node, struct vexfs_disk_node *right,
		   u32 at, u32 out, const void *with, u32 in, bool append);

/**
 * vex_path_items() - the records or children at a level of a path
 * @tree: the tree
 * @path: the path
 * @level: the level; not a leaf of a directory
 * @items: to be filled in
 */
void vex_path_items(struct vex_tree *tree, struct vex_path *path, u32 level,
		    struct vex_items *items);

/**
 * vex_path_walk() - go down to the leaf where a key belongs
 * @tree: the tree
 * @key: the key
 * @path: the path; must be released whatever this returns
 *
 * Return: 0 or a negative errno.
 */
int vex_path_walk(struct vex_tree *tree, u64 key, struct vex_path *path);

/**
 * vex_path_next() - go on to the next leaf
 * @tree: the tree
 * @path: a whole path
 *
 * Return: 0; -ENOENT, with the path as it was, if there is none; or another
 * negative errno, upon which the path can only be released.
 */
int vex_path_next(struct vex_tree *tree, struct vex_path *path);

/**
 * vex_path_prev() - go back to the leaf before
 * @tree: the tree
 * @path: a whole path
 *
 * Return: as vex_path_next().
 */
int vex_path_prev(struct vex_tree *tree, struct vex_path *path);

/**
 * vex_path_release() - give the buffers of a path back
 * @tree: the tree
 * @path: the path
 */
void vex_path_release(struct vex_tree *tree, struct vex_path *path);

/**
 * vex_path_drop() - take the leaf of a path out of the tree and free it
 * @tree: the tree
 * @path: a whole path with a leaf block; can only be released afterwards
 *
 * Frees the nodes above that become empty too.
 *
 * Return: 0 or a negative errno.
 */
int vex_path_drop(struct vex_tree *tree, struct vex_path *path);

/**
 * vex_grow_prepare() - allocate what it takes to split a path's leaf
 * @tree: the tree
 * @path: a whole path
 * @growth: to be filled in
 *
 * A root without blocks below gets a leaf instead. Also gets access to the
 * blocks that are to be changed. Nothing is changed yet; after success the
 * change must be made, and cannot fail any more.
 *
 * Return: 0; -EFBIG if the tree is as deep as can be; a negative errno.
 */
int vex_grow_prepare(struct vex_tree *tree, struct vex_path *path,
		     struct vex_growth *growth);

/**
 * vex_grow_raise() - move the root's items into their own block
 * @tree: the tree
 * @growth: as prepared
 */
void vex_grow_raise(struct vex_tree *tree, struct vex_growth *growth);

/**
 * vex_grow_link() - link the right part of a leaf into the tree
 * @tree: the tree
 * @path: the path that was prepared, with its leaf split already
 * @growth: as prepared
 * @key: first key of the right part
 *
 * Return: 0, or the error of vex_tree_ops.dirty.
 */
int vex_grow_link(struct vex_tree *tree, struct vex_path *path,
		  struct vex_growth *growth, u64 key);

/**
 * vex_grow_finish() - mark allocated blocks changed and give their buffers back
 * @tree: the tree
 * @growth: as prepared
 *
 * Return: 0, or the error of vex_tree_ops.dirty.
 */
int vex_grow_finish(struct vex_tree *tree, struct vex_growth *growth);

/**
 * vex_tree_shrink() - let a root that has a single, nearly empty child take it in
 * @tree: the tree
 *
 * Only saves space: what fails is left as it is. One level at a time, so that
 * a change frees no more than depth + 1 blocks.
 */
void vex_tree_shrink(struct vex_tree *tree);

#endif /* VEX_TREE_PATH_H */
