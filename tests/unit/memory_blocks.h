/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in memory for trees under test. It holds the tree to its contract:
 * a block changes only between access and dirty, every buffer is given back,
 * and nothing touches a block after it was freed (a sanitizer's business, as
 * each has its own malloc). Reads, accesses and allocations can be made to
 * fail.
 */
#ifndef MEMORY_BLOCKS_H
#define MEMORY_BLOCKS_H

#include "tree.h"

#define MEMORY_OWNER	77ULL

struct memory_block;

/**
 * struct memory_blocks - a volume that belongs to one tree
 * @tree: the tree on it
 * @root: its root
 * @blocks: all block numbers given out so far
 * @count: how many
 * @live: blocks allocated now
 * @held: buffers not given back
 * @fail_after: let so many operations pass, fail the next one, and then no
 *	more; negative: never fail
 * @failed: that one operation has failed
 * @corruptions: reports of damage
 * @what: the last report
 */
struct memory_blocks {
	struct vex_tree tree;
	struct vexfs_disk_root root;
	struct memory_block *blocks;
	u64 count;
	u64 live;
	u64 held;
	long fail_after;
	bool failed;
	u64 corruptions;
	const char *what;
};

/**
 * memory_blocks_init() - an empty tree
 * @mem: to be filled in
 * @kind: VEXFS_TREE_*
 * @value_limit: see struct vex_tree
 */
void memory_blocks_init(struct memory_blocks *mem, u8 kind, u64 value_limit);

/**
 * memory_blocks_destroy() - free everything
 * @mem: the volume
 */
void memory_blocks_destroy(struct memory_blocks *mem);

/**
 * memory_blocks_commit() - end a transaction: access must be asked for again
 * @mem: the volume
 *
 * Aborts if a buffer is still held.
 */
void memory_blocks_commit(struct memory_blocks *mem);

/**
 * memory_blocks_drop() - write all blocks and forget that they were verified
 * @mem: the volume
 */
void memory_blocks_drop(struct memory_blocks *mem);

/**
 * memory_blocks_data() - a block's contents, for damaging them
 * @mem: the volume
 * @block: its number
 *
 * Return: VEXFS_BLOCK_SIZE bytes, or NULL if it is not allocated.
 */
void *memory_blocks_data(struct memory_blocks *mem, u64 block);

/**
 * memory_blocks_put() - store a block as it is, allocating its number
 * @mem: the volume
 * @block: its number, not 0
 * @data: VEXFS_BLOCK_SIZE bytes, or NULL for zeros
 *
 * Return: its contents.
 */
void *memory_blocks_put(struct memory_blocks *mem, u64 block, const void *data);

/**
 * memory_blocks_clone() - make a copy of a tree, with no block in memory
 * @mem: to be filled in
 * @from: what memory_blocks_drop() has written
 */
void memory_blocks_clone(struct memory_blocks *mem,
			 struct memory_blocks *from);

/**
 * memory_blocks_stamp() - give a damaged block a right checksum
 * @mem: the volume
 * @block: its number
 *
 * And forgets that it was verified.
 */
void memory_blocks_stamp(struct memory_blocks *mem, u64 block);

/**
 * memory_blocks_trust() - claim that all blocks are verified, damaged or not
 * @mem: the volume
 */
void memory_blocks_trust(struct memory_blocks *mem);

/**
 * memory_blocks_verify() - verify a whole tree, whatever it holds
 * @mem: the volume
 * @leaf: called for each leaf in order, with NULL for a root of records; or
 *	NULL
 * @ctx: for @leaf
 * @seen: blocks below the root
 *
 * Return: NULL, or what is wrong with it.
 */
const char *memory_blocks_verify(struct memory_blocks *mem,
				 void (*leaf)(void *ctx,
					      const struct vexfs_disk_node *node),
				 void *ctx, u64 *seen);

/**
 * memory_blocks_check() - verify a whole tree that must be right
 * @mem: the volume
 * @leaf: called for each leaf in order, with NULL for a root of records; or
 *	NULL
 * @ctx: for @leaf
 *
 * Aborts with a message if anything is wrong, an unreachable block included.
 *
 * Return: depth of the tree.
 */
u32 memory_blocks_check(struct memory_blocks *mem,
			void (*leaf)(void *ctx,
				     const struct vexfs_disk_node *node),
			void *ctx);

#endif /* MEMORY_BLOCKS_H */
