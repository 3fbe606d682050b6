/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes into a VexFS image without the kernel: allocation, inodes, trees and
 * the journal, for tests of the tools. Every error ends the program.
 */
#ifndef TESTS_IMAGE_H
#define TESTS_IMAGE_H

#include "dir.h"
#include "journal.h"
#include "volume.h"

/**
 * struct image - an image being filled
 * @vol: the volume; its overlay holds metadata that is to go to the journal
 * @journaled: metadata goes to the journal, not to its place
 * @blocks: block bitmaps of all groups
 * @inodes: inode bitmaps of all groups
 * @groups: summaries, counted anew when the image is closed
 * @next_ino: where to look for a free inode
 */
struct image {
	struct volume vol;
	bool journaled;
	struct vexfs_disk_bitmap *blocks;
	struct vexfs_disk_bitmap *inodes;
	struct vexfs_disk_group *groups;
	u64 next_ino;
};

/**
 * image_open() - open an image made by mkfs.vexfs
 * @image: to be filled in
 * @path: its name
 * @journaled: see struct image
 */
void image_open(struct image *image, const char *path, bool journaled);

/**
 * image_close() - write bitmaps and summaries, log what is to be logged
 * @image: the image
 */
void image_close(struct image *image);

/**
 * image_log() - write what is in the volume's overlay to the journal
 * @image: the image
 *
 * In several transactions, with a block that is logged and then revoked, one
 * that needs escaping, and a last transaction without its commit block.
 */
void image_log(struct image *image);

/**
 * image_write_meta() - stamp and write a metadata block
 * @image: the image
 * @block: its number
 * @data: its bytes
 */
void image_write_meta(struct image *image, u64 block, void *data);

/**
 * image_alloc() - allocate blocks
 * @image: the image
 * @count: how many, one after the other
 *
 * Return: the first one.
 */
u64 image_alloc(struct image *image, u32 count);

/**
 * image_new_inode() - allocate an inode and fill in its record
 * @image: the image
 * @mode: type and permissions
 * @inode: to be filled in; written by image_put_inode()
 *
 * Return: its number.
 */
u64 image_new_inode(struct image *image, u16 mode,
		    struct vexfs_disk_inode *inode);

/**
 * image_get_inode() - read an inode
 * @image: the image
 * @ino: the inode
 * @inode: to be filled in
 */
void image_get_inode(struct image *image, u64 ino,
		     struct vexfs_disk_inode *inode);

/**
 * image_put_inode() - write an inode
 * @image: the image
 * @inode: the inode
 */
void image_put_inode(struct image *image, const struct vexfs_disk_inode *inode);

/**
 * struct image_tree - an inode's tree, for changes
 * @tree: for tree.h and dir.h
 * @image: the image
 * @ino: the inode
 * @blocks: blocks that the tree gained
 */
struct image_tree {
	struct vex_tree tree;
	struct image *image;
	u64 ino;
	s64 blocks;
};

/**
 * image_tree() - make an inode's tree changeable
 * @tree: to be filled in
 * @image: the image
 * @inode: the inode, whose root it uses
 */
void image_tree(struct image_tree *tree, struct image *image,
		struct vexfs_disk_inode *inode);

/**
 * image_link() - add a name
 * @image: the image
 * @dir: the directory's inode
 * @name: the name
 * @inode: what it leads to; the caller counts links
 */
void image_link(struct image *image, u64 dir, const char *name,
		const struct vexfs_disk_inode *inode);

/**
 * image_insert() - add a run to an inode's tree and charge the tree's blocks
 * @image: the image
 * @inode: the inode; written by the caller
 * @key: first key
 * @value: what it maps to
 * @length: keys
 * @flags: VEXFS_RECORD_*
 *
 * Return: blocks that the tree gained, which were added to ino_blocks.
 */
s64 image_insert(struct image *image, struct vexfs_disk_inode *inode, u64 key,
		 u64 value, u32 length, u32 flags);

/**
 * image_die() - print a message and end the program
 * @what: the message
 */
void image_die(const char *what) __attribute__((noreturn));

#endif /* TESTS_IMAGE_H */
