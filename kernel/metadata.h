/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata blocks of a mounted volume: the journal, the allocator, and the
 * trees of inodes. Part of vexfs.h, which includes it.
 */
#ifndef VEXFS_METADATA_H
#define VEXFS_METADATA_H

/* In journal.c: jbd2, and metadata blocks under it */

#define VEXFS_CREDITS_INODE	1U	/* an inode block */
#define VEXFS_CREDITS_ALLOC	3U	/* both bitmaps and a group descriptor */
#define VEXFS_CREDITS_STATE	1U	/* the state block */

/**
 * vexfs_journal_start() - begin a change of metadata
 * @sb: the volume
 * @blocks: metadata blocks that will be changed
 * @revokes: metadata blocks that will be freed
 *
 * Nested calls return the running handle, whose credits must cover both.
 *
 * Context: may sleep; no folio lock may be needed by whoever holds a handle.
 * Return: the handle or an ERR_PTR: -EROFS, -EIO after an abort, -ENOSPC if
 * the journal is too small for @blocks, -ENOMEM.
 */
handle_t *vexfs_journal_start(struct super_block *sb, unsigned int blocks,
			      unsigned int revokes);

/**
 * vexfs_journal_stop() - end a change of metadata
 * @handle: from vexfs_journal_start()
 *
 * Return: 0 or a negative errno.
 */
int vexfs_journal_stop(handle_t *handle);

/**
 * vexfs_journal_extend() - let a handle change more blocks, if that can be
 * @handle: the handle
 * @blocks: metadata blocks still to be changed
 * @revokes: metadata blocks still to be freed
 *
 * Return: 0; 1 if the transaction has no room for them; a negative errno.
 */
int vexfs_journal_extend(handle_t *handle, unsigned int blocks,
			 unsigned int revokes);

/**
 * vexfs_journal_ensure() - make sure that a handle can change more blocks
 * @handle: the handle
 * @blocks: metadata blocks still to be changed
 * @revokes: metadata blocks still to be freed
 *
 * What was changed so far must be a consistent whole, as it may be committed
 * apart from what comes. Locks that jbd2's commit could wait for must not be
 * held: call it outside tree_sem.
 *
 * Return: 0; 1 if the handle was restarted (buffers need access again); a
 * negative errno.
 */
int vexfs_journal_ensure(handle_t *handle, unsigned int blocks,
			 unsigned int revokes);

/**
 * vexfs_meta_read() - read a metadata block and verify its header
 * @sb: the volume
 * @block: the block
 * @magic: VEXFS_MAGIC_*
 * @owner: what it must belong to
 * @fresh: set to true if the contents were not verified before since they
 *	came into memory, so that the caller must check the rest; may be NULL.
 *	The caller calls vexfs_meta_verified() when it is satisfied
 *
 * Return: the buffer, to be given back with brelse(), or an ERR_PTR: -EIO,
 * -EUCLEAN, -EBADMSG (reported).
 */
struct buffer_head *vexfs_meta_read(struct super_block *sb, u64 block,
				    u32 magic, u64 owner, bool *fresh);

/**
 * vexfs_meta_verified() - note that a block's contents are sound
 * @bh: its buffer
 */
void vexfs_meta_verified(struct buffer_head *bh);

/**
 * vexfs_meta_new() - begin a metadata block where there was none
 * @handle: the handle, with a credit for it
 * @sb: the volume
 * @block: the block, just allocated
 * @magic: VEXFS_MAGIC_*
 * @owner: what it belongs to
 *
 * Its payload is zero. Call vexfs_meta_dirty() when it is filled in.
 *
 * Return: the buffer or an ERR_PTR.
 */
struct buffer_head *vexfs_meta_new(handle_t *handle, struct super_block *sb,
				   u64 block, u32 magic, u64 owner);

/**
 * vexfs_meta_access() - announce a change of a metadata block
 * @handle: the handle
 * @bh: the block
 *
 * Return: 0 or a negative errno.
 */
int vexfs_meta_access(handle_t *handle, struct buffer_head *bh);

/**
 * vexfs_meta_dirty() - tell that a metadata block was changed
 * @handle: the handle
 * @bh: the block; its checksum is written when the transaction commits
 *
 * Return: 0 or a negative errno.
 */
int vexfs_meta_dirty(handle_t *handle, struct buffer_head *bh);

/**
 * vexfs_meta_forget() - revoke a metadata block that is being freed
 * @handle: the handle, with a revoke credit
 * @bh: the block; the reference is given back
 *
 * Return: 0 or a negative errno.
 */
int vexfs_meta_forget(handle_t *handle, struct buffer_head *bh);

/**
 * vexfs_journal_load() - open the journal and replay it
 * @sb: the volume
 *
 * Return: 0 or a negative errno (reported).
 */
int vexfs_journal_load(struct super_block *sb);

/**
 * vexfs_journal_destroy() - write everything home and close the journal
 * @sb: the volume
 *
 * Return: 0 or a negative errno.
 */
int vexfs_journal_destroy(struct super_block *sb);

/* In alloc.c: blocks and inode numbers */

#define VEXFS_ALLOC_RESERVE	1U	/* may take the metadata reserve */

/**
 * vexfs_alloc_blocks() - allocate a run of blocks
 * @handle: the handle, with VEXFS_CREDITS_ALLOC
 * @sb: the volume
 * @goal: block to begin at if it is free, or 0
 * @want: blocks wanted, at least 1
 * @flags: VEXFS_ALLOC_RESERVE or 0
 * @count: blocks got, 1..@want
 * @err: why there are none
 *
 * Takes the first run found from the goal's group on, the longest it can get
 * out of one bitmap up to @want. A block whose freeing has not committed is
 * never given out.
 *
 * Return: the first block; 0 if there is none, with -ENOSPC or another negative
 * errno in @err.
 */
u64 vexfs_alloc_blocks(handle_t *handle, struct super_block *sb, u64 goal,
		       u32 want, unsigned int flags, u32 *count, int *err);

/**
 * vexfs_free_blocks() - free a run of blocks
 * @handle: the handle, with VEXFS_CREDITS_ALLOC (a run lies in one group)
 * @sb: the volume
 * @block: first block
 * @count: blocks
 *
 * They become allocatable when the transaction has committed.
 *
 * Return: 0; -EUCLEAN (reported) if they are not all in use or not data.
 */
int vexfs_free_blocks(handle_t *handle, struct super_block *sb, u64 block,
		      u32 count);

/**
 * vexfs_alloc_retry() - is it worth trying again after -ENOSPC?
 * @sb: the volume
 * @tries: how often it was called for this operation, counted here
 *
 * Commits the running transaction if that frees blocks.
 *
 * Context: no handle may be held.
 * Return: true if blocks have become free.
 */
bool vexfs_alloc_retry(struct super_block *sb, int *tries);

/**
 * vexfs_alloc_ino() - allocate an inode number and its place on disk
 * @handle: the handle, with 2 * VEXFS_CREDITS_ALLOC + VEXFS_CREDITS_INODE
 * @dir: near it
 * @directory: is it for a directory?
 * @ino: the number
 *
 * Return: 0, -ENOSPC, or a negative errno.
 */
int vexfs_alloc_ino(handle_t *handle, struct inode *dir, bool directory,
		    u64 *ino);

/**
 * vexfs_free_ino() - free an inode number
 * @handle: the handle, with VEXFS_CREDITS_ALLOC
 * @sb: the volume
 * @ino: the number
 * @directory: was it a directory's?
 *
 * Return: 0, -EUCLEAN (reported), or a negative errno.
 */
int vexfs_free_ino(handle_t *handle, struct super_block *sb, u64 ino,
		   bool directory);

/**
 * vexfs_ino_in_use() - is an inode number given out?
 * @sb: the volume
 * @ino: the number, valid for the volume
 *
 * For numbers that come from NFS handles, before the inode is looked at.
 *
 * Return: true if it is.
 */
bool vexfs_ino_in_use(struct super_block *sb, u64 ino);

/**
 * vexfs_alloc_init() - read the group descriptors and set the counters up
 * @sb: the volume, its journal replayed
 *
 * Return: 0 or a negative errno (reported).
 */
int vexfs_alloc_init(struct super_block *sb);

/**
 * vexfs_alloc_destroy() - give back what vexfs_alloc_init() set up
 * @sb: the volume
 */
void vexfs_alloc_destroy(struct super_block *sb);

/**
 * vexfs_alloc_committed() - blocks freed by a transaction become free
 * @journal: the journal
 * @transaction: the transaction that has committed
 */
void vexfs_alloc_committed(journal_t *journal, transaction_t *transaction);

/* In tree.c: the core's trees over buffers and handles */

/**
 * struct vexfs_tree - a core tree with what its operations need
 * @tree: the core's part
 * @inode: whose tree it is
 * @handle: for changes, else NULL
 * @flags: VEXFS_ALLOC_RESERVE or 0
 * @blocks_delta: blocks that were allocated less those freed; the caller
 *	charges them with vexfs_tree_end()
 */
struct vexfs_tree {
	struct vex_tree tree;
	struct inode *inode;
	handle_t *handle;
	unsigned int flags;
	s64 blocks_delta;
};

/**
 * vexfs_tree_begin() - set a tree up for calls of the core
 * @t: to be filled in
 * @inode: whose tree
 * @handle: for changes, else NULL
 *
 * Context: the inode's tree_sem held, for writing if there is a handle.
 */
void vexfs_tree_begin(struct vexfs_tree *t, struct inode *inode,
		      handle_t *handle);

/**
 * vexfs_tree_end() - charge the blocks of a change to the inode
 * @t: the tree
 *
 * A fork's are charged to its base. The caller still writes the inodes (see
 * vexfs_inode_write()).
 */
void vexfs_tree_end(struct vexfs_tree *t);

/**
 * vexfs_tree_credits() - journal credits for one change of a tree
 * @inode: whose tree
 *
 * Covers its blocks, their allocation, and the inode.
 *
 * Return: blocks.
 */
unsigned int vexfs_tree_credits(struct inode *inode);

/**
 * vexfs_tree_revokes() - revoke credits for one change of a tree
 * @inode: whose tree
 *
 * Return: blocks.
 */
unsigned int vexfs_tree_revokes(struct inode *inode);

/**
 * vexfs_blocks_charge() - change the number of blocks charged to an inode
 * @inode: the inode; a fork's base is charged in its stead
 * @delta: blocks
 */
void vexfs_blocks_charge(struct inode *inode, s64 delta);

#endif /* VEXFS_METADATA_H */
