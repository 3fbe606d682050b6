/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Directories: a tree of VEXFS_TREE_DIRECTORY whose leaves hold names sorted
 * by a key that is unique in the directory. A key is the name's hash with its
 * low four bits counting names of the same hash; it is the readdir position.
 * "." and ".." are not stored.
 */
#ifndef VEX_DIR_H
#define VEX_DIR_H

#include "tree.h"

/**
 * struct vex_name - an entry, in the CPU's byte order
 * @key: its key
 * @ino: its inode
 * @name: its name, inside the block's buffer; not terminated
 * @length: bytes of @name
 * @type: DT_*
 */
struct vex_name {
	u64 key;
	u64 ino;
	const char *name;
	u8 length;
	u8 type;
};

/**
 * vex_dir_hash() - the first key that a name may have
 * @name: the name
 * @length: its bytes
 * @seed: sb_hash_seed
 *
 * xxh64 with the seed, shifted right by one, its low four bits cleared, and
 * kept within VEXFS_DIR_KEY_MIN..VEXFS_DIR_KEY_MAX - 15.
 *
 * Return: the key.
 */
u64 vex_dir_hash(const char *name, u32 length, u64 seed);

/**
 * vex_dir_find() - look a name up
 * @tree: the directory
 * @name: the name, 1..255 bytes
 * @length: its bytes
 * @seed: sb_hash_seed
 * @entry: the entry; its @name is NULL, as no buffer is held
 *
 * Return: 0, -ENOENT, or a negative errno.
 */
int vex_dir_find(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		 struct vex_name *entry);

/**
 * vex_dir_add() - add a name
 * @tree: the directory
 * @name: the name, 1..255 bytes
 * @length: its bytes
 * @seed: sb_hash_seed
 * @ino: its inode
 * @type: DT_*
 *
 * Return: 0; -EEXIST; -ENOSPC if 16 names share the hash; a negative errno.
 * An error leaves the directory as it was.
 */
int vex_dir_add(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		u64 ino, u8 type);

/**
 * vex_dir_remove() - remove a name
 * @tree: the directory
 * @name: the name
 * @length: its bytes
 * @seed: sb_hash_seed
 *
 * Allocates nothing.
 *
 * Return: 0, -ENOENT, or a negative errno.
 */
int vex_dir_remove(struct vex_tree *tree, const char *name, u32 length,
		   u64 seed);

/**
 * vex_dir_set() - point a name at another inode
 * @tree: the directory
 * @name: the name
 * @length: its bytes
 * @seed: sb_hash_seed
 * @ino: the inode
 * @type: DT_*
 *
 * Allocates nothing.
 *
 * Return: 0, -ENOENT, or a negative errno.
 */
int vex_dir_set(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		u64 ino, u8 type);

/**
 * vex_dir_iterate() - walk the names of one leaf
 * @tree: the directory
 * @key: begin at the first name whose key is not smaller
 * @visit: called for each name in the order of keys; a value other than 0
 *	ends the walk and is returned
 * @ctx: for @visit
 * @next: where to go on: the key after the last one that @visit took
 *
 * Return: 0 when the leaf is done (@next leads to the following one), 1 when
 * there are no more names at or after @key, what @visit returned, or a
 * negative errno.
 */
int vex_dir_iterate(struct vex_tree *tree, u64 key,
		    int (*visit)(void *ctx, const struct vex_name *entry),
		    void *ctx, u64 *next);

/**
 * vex_dir_is_empty() - is there any name?
 * @tree: the directory
 *
 * Return: 1 if there is none, 0 if there is one, or a negative errno.
 */
int vex_dir_is_empty(struct vex_tree *tree);

#endif /* VEX_DIR_H */
