/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VexFS volume as the tools see it: a block device or an image file, read
 * and written in whole blocks, metadata verified. Blocks may be laid over the
 * device in memory, which is how a journal is replayed without writing.
 */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include "format.h"
#include "layout.h"
#include "number_map.h"
#include "tree.h"

/* Tree blocks that a volume keeps in memory, a power of two. */
#define VOLUME_CACHE_BLOCKS	256U

/**
 * struct volume_cached - a tree block in memory, verified
 * @block: its number; 0: none
 * @owner: whose it is
 * @data: its bytes
 */
struct volume_cached {
	u64 block;
	u64 owner;
	u8 data[VEXFS_BLOCK_SIZE];
};

/**
 * struct volume - an open volume
 * @path: as the user named it; the caller's
 * @fd: open file
 * @is_device: a block device, not an image file
 * @bytes: its size
 * @super: its superblock, once volume_load_super() has read it
 * @geo: its shape, likewise
 * @overlay: blocks that read differently from the device: pointers to malloc()ed
 *	bytes
 * @cache: VOLUME_CACHE_BLOCKS tree blocks, by the low bits of their number; or
 *	NULL
 */
struct volume {
	const char *path;
	int fd;
	bool is_device;
	u64 bytes;
	struct vexfs_disk_super super;
	struct vex_geometry geo;
	struct number_map overlay;
	struct volume_cached *cache;
};

/**
 * volume_open() - open a block device or image file
 * @vol: to be filled in
 * @path: its name, which must stay valid
 * @flags: of open(2)
 *
 * Return: 0; -ENOTBLK if it is neither a block device nor a regular file; a
 * negative errno.
 */
int volume_open(struct volume *vol, const char *path, int flags);

/**
 * volume_close() - close a volume, free its overlay
 * @vol: the volume
 */
void volume_close(struct volume *vol);

/**
 * volume_load_super() - read and verify the superblock or its copy
 * @vol: the volume; its super and geo are set
 * @block: where to read it
 * @what: what is wrong with it, for people, if an error is returned
 *
 * Return: 0; -EUCLEAN if it is damaged, is of no known version or lies beyond
 * what the device holds; another negative errno if it cannot be read.
 */
int volume_load_super(struct volume *vol, u64 block, const char **what);

/**
 * volume_read() - read a block as it is
 * @vol: the volume
 * @block: its number
 * @data: VEXFS_BLOCK_SIZE bytes
 *
 * Return: 0 or a negative errno; -EIO beyond the end.
 */
int volume_read(struct volume *vol, u64 block, void *data);

/**
 * volume_read_meta() - read a metadata block and verify its header
 * @vol: the volume
 * @block: its number
 * @magic: VEXFS_MAGIC_*: what it must be
 * @owner: what it must belong to
 * @data: VEXFS_BLOCK_SIZE bytes
 * @what: what is wrong with it, for people, if an error is returned
 *
 * Return: 0; -EBADMSG for a wrong checksum, -EUCLEAN for another damage;
 * another negative errno if it cannot be read.
 */
int volume_read_meta(struct volume *vol, u64 block, u32 magic, u64 owner,
		     void *data, const char **what);

/**
 * volume_write() - write blocks to the device
 * @vol: the volume
 * @block: the first one's number
 * @data: @count times VEXFS_BLOCK_SIZE bytes
 * @count: how many
 *
 * Return: 0 or a negative errno.
 */
int volume_write(struct volume *vol, u64 block, const void *data, u64 count);

/**
 * volume_zero() - make blocks of the device read as zeros
 * @vol: the volume
 * @block: the first one's number
 * @count: how many
 *
 * By the cheapest means that the device or filesystem has.
 *
 * Return: 0 or a negative errno.
 */
int volume_zero(struct volume *vol, u64 block, u64 count);

/**
 * volume_overlay_set() - let a block read differently
 * @vol: the volume
 * @block: its number
 * @data: VEXFS_BLOCK_SIZE bytes, copied
 *
 * Return: 0 or -ENOMEM.
 */
int volume_overlay_set(struct volume *vol, u64 block, const void *data);

/**
 * volume_mounted_on() - is a device mounted?
 * @vol: the volume
 * @writable: mounted for writing
 *
 * Return: where, to be freed; NULL if it is not, or is an image file.
 */
char *volume_mounted_on(const struct volume *vol, bool *writable);

/**
 * struct volume_tree - a tree of the volume for tree.h and dir.h
 * @tree: what their calls take
 * @vol: the volume
 * @ino: the inode that owns the tree
 */
struct volume_tree {
	struct vex_tree tree;
	struct volume *vol;
	u64 ino;
};

/**
 * volume_tree_init() - make a tree of an inode readable with tree.h and dir.h
 * @tree: to be filled in
 * @vol: the volume
 * @ino: the inode
 * @root: its root
 *
 * Only for calls that do not change the tree: a change is refused (-EROFS).
 * Blocks are kept in the volume's cache, so the volume must not be written
 * meanwhile, nor its overlay changed.
 */
void volume_tree_init(struct volume_tree *tree, struct volume *vol, u64 ino,
		      struct vexfs_disk_root *root);

#endif /* VOLUME_VOLUME_H */
