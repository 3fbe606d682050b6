/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Where things are on a volume, and the checks of every structure that is
 * not a tree: headers, superblock, state, group descriptors, bitmaps, inodes,
 * extended attributes. Nothing here does I/O.
 */
#ifndef VEX_LAYOUT_H
#define VEX_LAYOUT_H

#include "format.h"

/**
 * struct vex_geometry - a volume's shape, from its superblock
 * @blocks: blocks of the filesystem
 * @groups: groups, the last of which may be short
 * @gdt_blocks: blocks set aside for group descriptors
 * @inodes_per_group: inodes in a group
 * @inode_blocks: blocks of a group's inode table
 * @meta_uuid: the UUID in headers
 */
struct vex_geometry {
	u64 blocks;
	u64 groups;
	u32 gdt_blocks;
	u32 inodes_per_group;
	u32 inode_blocks;
	u8 meta_uuid[16];
};

/**
 * vex_geometry_init() - compute a shape
 * @geo: to be filled in
 * @blocks: blocks of the filesystem
 * @gdt_blocks: blocks set aside for group descriptors
 * @inodes_per_group: inodes in a group
 * @meta_uuid: 16 bytes
 *
 * Return: NULL, or what is impossible about it (a message for people).
 */
const char *vex_geometry_init(struct vex_geometry *geo, u64 blocks,
			      u32 gdt_blocks, u32 inodes_per_group,
			      const u8 *meta_uuid);

/**
 * vex_group_start() - first block of a group
 * @group: the group
 *
 * Return: the block.
 */
static inline u64 vex_group_start(u64 group)
{
	return group * VEXFS_GROUP_BLOCKS;
}

/**
 * vex_group_blocks() - blocks of a group
 * @geo: the shape
 * @group: the group
 *
 * Return: how many, fewer in the last group.
 */
u32 vex_group_blocks(const struct vex_geometry *geo, u64 group);

/**
 * vex_group_bitmap() - where a group's block bitmap is
 * @geo: the shape
 * @group: the group
 *
 * The inode bitmap follows it, and the inode table follows that.
 *
 * Return: the block.
 */
u64 vex_group_bitmap(const struct vex_geometry *geo, u64 group);

/**
 * vex_group_first_data() - the block after a group's inode table
 * @geo: the shape
 * @group: the group
 *
 * Blocks before it are in use from the start; so is the backup superblock.
 *
 * Return: the block.
 */
u64 vex_group_first_data(const struct vex_geometry *geo, u64 group);

/**
 * vex_backup_block() - where the copy of the superblock is
 * @geo: the shape
 *
 * Return: the last block of group 0.
 */
u64 vex_backup_block(const struct vex_geometry *geo);

/**
 * vex_range_is_data() - may a range of blocks belong to files?
 * @geo: the shape
 * @block: first block
 * @count: blocks, not 0
 *
 * Return: true if the range lies inside one group and beyond its metadata.
 */
bool vex_range_is_data(const struct vex_geometry *geo, u64 block, u64 count);

/**
 * vex_inode_block() - where an inode is
 * @geo: the shape
 * @ino: its number; must be valid
 * @slot: its place in the block
 *
 * Return: the block.
 */
u64 vex_inode_block(const struct vex_geometry *geo, u64 ino, u32 *slot);

/**
 * vex_inode_valid() - can there be such an inode?
 * @geo: the shape
 * @ino: the number
 *
 * Inode numbers begin at 1: inode 1 is the first of group 0.
 *
 * Return: true if it is within the volume.
 */
bool vex_inode_valid(const struct vex_geometry *geo, u64 ino);

/**
 * vex_header_init() - write a block's header
 * @block: VEXFS_BLOCK_SIZE bytes
 * @magic: VEXFS_MAGIC_*
 * @number: the block's own number
 * @owner: what it belongs to
 * @meta_uuid: 16 bytes
 *
 * The checksum stays 0 until vex_header_stamp().
 */
void vex_header_init(void *block, u32 magic, u64 number, u64 owner,
		     const u8 *meta_uuid);

/**
 * vex_header_stamp() - write a block's checksum
 * @block: VEXFS_BLOCK_SIZE bytes
 */
void vex_header_stamp(void *block);

/**
 * vex_header_verify_checksum() - does the checksum fit?
 * @block: VEXFS_BLOCK_SIZE bytes
 *
 * Return: true if it does.
 */
bool vex_header_verify_checksum(const void *block);

/**
 * vex_header_check() - verify all of a header but its checksum
 * @block: VEXFS_BLOCK_SIZE bytes
 * @magic: what it must be
 * @number: its own number
 * @owner: what it must belong to
 * @meta_uuid: 16 bytes
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_header_check(const void *block, u32 magic, u64 number,
			     u64 owner, const u8 *meta_uuid);

/**
 * vex_super_check() - verify a superblock, its checksum included
 * @super: VEXFS_BLOCK_SIZE bytes
 * @number: the block it was read from
 *
 * Does not look at feature bits: the caller says what it can do.
 *
 * Return: NULL, or what is wrong with it; "not a VexFS filesystem" if its
 * magic number is another.
 */
const char *vex_super_check(const struct vexfs_disk_super *super, u64 number);

/**
 * vex_state_check() - verify the state block beyond its header
 * @state: the block
 * @geo: the shape
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_state_check(const struct vexfs_disk_state *state,
			    const struct vex_geometry *geo);

/**
 * vex_group_free_blocks_max() - blocks that are free in a group just made
 * @geo: the shape
 * @group: the group
 *
 * Return: how many: all but its metadata and the backup superblock.
 */
u32 vex_group_free_blocks_max(const struct vex_geometry *geo, u64 group);

/**
 * vex_group_free_inodes_max() - inodes that are free in a group just made
 * @geo: the shape
 * @group: the group
 *
 * Return: how many: all but the reserved ones below VEXFS_INO_FIRST.
 */
u32 vex_group_free_inodes_max(const struct vex_geometry *geo, u64 group);

/**
 * vex_group_check() - verify a group's summary
 * @desc: the summary
 * @geo: the shape
 * @group: the group
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_group_check(const struct vexfs_disk_group *desc,
			    const struct vex_geometry *geo, u64 group);

/**
 * vex_group_init_bitmaps() - what the bitmaps of a group just made are
 * @geo: the shape
 * @group: the group
 * @blocks: the block bitmap, VEXFS_BLOCK_SIZE bytes, or NULL
 * @inodes: the inode bitmap, VEXFS_BLOCK_SIZE bytes, or NULL
 *
 * Writes the headers too, without checksums. Bits beyond the end of the group
 * are set, and so are those of inodes below VEXFS_INO_FIRST, used or not.
 */
void vex_group_init_bitmaps(const struct vex_geometry *geo, u64 group,
			    void *blocks, void *inodes);

/**
 * vex_fork_kind() - what tree a companion fork has
 * @slot: VEXFS_FORK_*
 *
 * Return: VEXFS_TREE_*; VEXFS_TREE_NONE where no fork may be.
 */
u8 vex_fork_kind(unsigned int slot);

/**
 * vex_inode_fork() - the number of a fork
 * @inode: the base's record
 * @slot: VEXFS_FORK_*
 *
 * Return: the number, or 0.
 */
static inline u64 vex_inode_fork(const struct vexfs_disk_inode *inode,
				 unsigned int slot)
{
	return le64_to_cpu(slot < VEXFS_FORKS_FIRST ? inode->ino_forks[slot] :
			   inode->ino_compact_forks[slot - VEXFS_FORKS_FIRST]);
}

/**
 * vex_inode_set_fork() - set the number of a fork
 * @inode: the base's record
 * @slot: VEXFS_FORK_*
 * @ino: the number, or 0
 */
static inline void vex_inode_set_fork(struct vexfs_disk_inode *inode,
				      unsigned int slot, u64 ino)
{
	if (slot < VEXFS_FORKS_FIRST)
		inode->ino_forks[slot] = cpu_to_le64(ino);
	else
		inode->ino_compact_forks[slot - VEXFS_FORKS_FIRST] =
			cpu_to_le64(ino);
}

/**
 * vex_inode_check() - verify an inode in use
 * @inode: the inode
 * @ino: its number
 * @geo: the shape
 *
 * Verifies every field on its own and the root of its tree, not what it
 * points at. The root directory's ino_parent may be itself or 0; a directory
 * without links may have 0 too.
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_inode_check(const struct vexfs_disk_inode *inode, u64 ino,
			    const struct vex_geometry *geo);

/**
 * vex_xattr_check() - verify an extended attribute block beyond its header
 * @block: the block
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_xattr_check(const struct vexfs_disk_xattr_block *block);

/**
 * vex_element_bytes() - bytes of an element
 * @element: enum vexfs_element
 *
 * Return: 1, 2, 4, or 0 for a type that there is not.
 */
u32 vex_element_bytes(u8 element);

/**
 * vex_schema_check() - verify a schema
 * @schema: as on disk
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_schema_check(const struct vexfs_disk_schema *schema);

/* Bits of bitmap blocks: bit n is bit n % 64 of little-endian word n / 64. */

/**
 * vex_bitmap_find() - find the first run of clear bits
 * @bits: bm_bits
 * @start: first bit to look at
 * @end: one past the last bit to look at
 * @max: no more bits than this are wanted
 * @length: clear bits found, 1..@max
 *
 * Return: the first bit of the run, or @end if there is none.
 */
u32 vex_bitmap_find(const __le64 *bits, u32 start, u32 end, u32 max,
		    u32 *length);

/**
 * vex_bitmap_change() - set or clear a run of bits
 * @bits: bm_bits
 * @start: first bit
 * @count: bits
 * @set: set them, or clear them
 *
 * Return: true; false, with nothing changed, if one of them was so already.
 */
bool vex_bitmap_change(__le64 *bits, u32 start, u32 count, bool set);

/**
 * vex_bitmap_test() - is a bit set?
 * @bits: bm_bits
 * @bit: the bit
 *
 * Return: true if it is.
 */
static inline bool vex_bitmap_test(const __le64 *bits, u32 bit)
{
	return le64_to_cpu(bits[bit / 64]) >> (bit % 64) & 1;
}

/**
 * vex_bitmap_clear_count() - count clear bits
 * @bits: bm_bits
 * @end: of the first so many bits
 *
 * Return: how many.
 */
u32 vex_bitmap_clear_count(const __le64 *bits, u32 end);

#endif /* VEX_LAYOUT_H */
