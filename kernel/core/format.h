/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The on-disk structures of VexFS, format version 1. docs/format.md is the
 * contract and explains every field; this file is its C form, with the layout
 * asserted. Everything is little-endian.
 */
#ifndef VEX_FORMAT_H
#define VEX_FORMAT_H

#include "port.h"

#define VEXFS_VERSION			1
#define VEXFS_BLOCK_BITS		12
#define VEXFS_BLOCK_SIZE		4096
#define VEXFS_GROUP_BLOCKS		32256ULL /* bits of a bitmap block */
#define VEXFS_BLOCKS_MIN		4096ULL	 /* 16 MiB */
#define VEXFS_BLOCKS_MAX		(1ULL << 40) /* 4 PiB */
#define VEXFS_FILE_BLOCKS_MAX		(1ULL << 40) /* 4 PiB */
#define VEXFS_LABEL_BYTES		64
#define VEXFS_NAME_MAX			255

#define VEXFS_SUPER_BLOCK		0ULL
#define VEXFS_STATE_BLOCK		1ULL
#define VEXFS_GDT_BLOCK			2ULL

#define VEXFS_INO_ROOT			2ULL
#define VEXFS_INO_JOURNAL		3ULL
#define VEXFS_INO_FIRST			16ULL	/* lower ones are reserved */

/* Magic numbers of the kinds of metadata block, as read from a LE32. */
#define VEXFS_MAGIC_SUPER		0x53465856U	/* "VXFS" */
#define VEXFS_MAGIC_STATE		0x54535856U	/* "VXST" */
#define VEXFS_MAGIC_GDT			0x44475856U	/* "VXGD" */
#define VEXFS_MAGIC_BLOCK_BITMAP	0x42425856U	/* "VXBB" */
#define VEXFS_MAGIC_INODE_BITMAP	0x42495856U	/* "VXIB" */
#define VEXFS_MAGIC_INODES		0x4e495856U	/* "VXIN" */
#define VEXFS_MAGIC_TREE		0x52545856U	/* "VXTR" */
#define VEXFS_MAGIC_XATTR		0x41585856U	/* "VXXA" */
#define VEXFS_MAGIC_SYMLINK		0x4c535856U	/* "VXSL" */
#define VEXFS_MAGIC_DERIVED		0x56445856U	/* "VXDV" */
#define VEXFS_MAGIC_ATTRIBUTES		0x54415856U	/* "VXAT" */
#define VEXFS_MAGIC_STRINGS		0x53535856U	/* "VXSS" */

/**
 * struct vexfs_disk_header - the first 64 bytes of every metadata block
 * @h_magic: VEXFS_MAGIC_*: what the block is
 * @h_reserved0: 0
 * @h_checksum: xxh64, seed 0, of the block with this field taken as 0
 * @h_block: the block's own number
 * @h_uuid: the filesystem's sb_meta_uuid
 * @h_owner: what the block belongs to: an inode number for trees, extended
 *	attributes and symbolic links; a group number for bitmaps and inode
 *	blocks; an index for group descriptor blocks; 0 for the rest
 * @h_reserved: 0
 */
struct vexfs_disk_header {
	__le32 h_magic;
	__le32 h_reserved0;
	__le64 h_checksum;
	__le64 h_block;
	u8 h_uuid[16];
	__le64 h_owner;
	__le64 h_reserved[2];
};

#define VEXFS_HEADER_BYTES	64
#define VEXFS_PAYLOAD_BYTES	(VEXFS_BLOCK_SIZE - VEXFS_HEADER_BYTES)

#define VEXFS_FEATURE_COMPAT_SUPPORTED		0ULL
#define VEXFS_FEATURE_RO_COMPAT_SUPPORTED	0ULL
#define VEXFS_FEATURE_INCOMPAT_SUPPORTED	0ULL

/**
 * struct vexfs_disk_super - block 0 and its copy in the last block of group 0
 * @sb_header: h_owner is 0
 * @sb_version: VEXFS_VERSION
 * @sb_block_bits: VEXFS_BLOCK_BITS
 * @sb_feature_compat: unknown bits do not matter
 * @sb_feature_ro_compat: unknown bits forbid writing
 * @sb_feature_incompat: unknown bits forbid mounting
 * @sb_blocks: blocks in the filesystem
 * @sb_gdt_blocks: blocks set aside for group descriptors, with room to grow
 * @sb_inodes_per_group: inodes in every group, a multiple of
 *	VEXFS_INODES_PER_BLOCK
 * @sb_uuid: the UUID that people see and may change
 * @sb_meta_uuid: the UUID in every block's header, for ever
 * @sb_label: volume label, UTF-8, padded with zeros
 * @sb_hash_seed: secret seed of the directory hash
 * @sb_created: when mkfs ran, seconds since 1970
 * @sb_errors: what to do on corruption, VEXFS_ERRORS_*
 * @sb_reserved: 0
 *
 * Nothing in it changes while the filesystem is mounted.
 */
struct vexfs_disk_super {
	struct vexfs_disk_header sb_header;
	__le32 sb_version;
	__le32 sb_block_bits;
	__le64 sb_feature_compat;
	__le64 sb_feature_ro_compat;
	__le64 sb_feature_incompat;
	__le64 sb_blocks;
	__le32 sb_gdt_blocks;
	__le32 sb_inodes_per_group;
	u8 sb_uuid[16];
	u8 sb_meta_uuid[16];
	u8 sb_label[VEXFS_LABEL_BYTES];
	__le64 sb_hash_seed;
	__le64 sb_created;
	__le32 sb_errors;
	u8 sb_reserved[3868];
};

#define VEXFS_ERRORS_CONTINUE		1
#define VEXFS_ERRORS_REMOUNT_RO		2
#define VEXFS_ERRORS_PANIC		3

/**
 * struct vexfs_disk_state - block 1: what changes while mounted; journaled
 * @st_header: h_owner is 0
 * @st_orphan_head: first inode of the list of orphans (ino_next_orphan), or 0
 * @st_flags: VEXFS_STATE_*
 * @st_errors: corruptions found since the last fsck
 * @st_first_error_time: when the first of them was found, seconds since 1970
 * @st_first_error_block: where
 * @st_mounts: how often it was mounted for writing
 * @st_last_mount: when last, seconds since 1970
 * @st_reserved: 0
 */
struct vexfs_disk_state {
	struct vexfs_disk_header st_header;
	__le64 st_orphan_head;
	__le64 st_flags;
	__le64 st_errors;
	__le64 st_first_error_time;
	__le64 st_first_error_block;
	__le64 st_mounts;
	__le64 st_last_mount;
	u8 st_reserved[3976];
};

#define VEXFS_STATE_ERROR		1ULL	/* fsck is wanted */
#define VEXFS_STATE_FLAGS		1ULL

/**
 * struct vexfs_disk_group - a group's summary
 * @g_free_blocks: blocks whose bit is clear
 * @g_free_inodes: inodes whose bit is clear
 * @g_directories: directories among the inodes
 * @g_inode_blocks: inode blocks that have been initialised, from the first on
 * @g_flags: VEXFS_GROUP_*
 * @g_reserved: 0
 */
struct vexfs_disk_group {
	__le32 g_free_blocks;
	__le32 g_free_inodes;
	__le32 g_directories;
	__le32 g_inode_blocks;
	__le32 g_flags;
	u8 g_reserved[44];
};

/* Neither bitmap was ever written: they are as in a group just made. */
#define VEXFS_GROUP_UNINIT		1U
#define VEXFS_GROUP_FLAGS		1U

#define VEXFS_GROUPS_PER_BLOCK		63

struct vexfs_disk_gdt_block {
	struct vexfs_disk_header gd_header;
	struct vexfs_disk_group gd_groups[VEXFS_GROUPS_PER_BLOCK];
};

struct vexfs_disk_bitmap {
	struct vexfs_disk_header bm_header;
	__le64 bm_bits[VEXFS_PAYLOAD_BYTES / 8];
};

/* Kinds of tree, r_kind and n_kind. */
#define VEXFS_TREE_NONE			0	/* special files, short symlinks */
#define VEXFS_TREE_EXTENTS		1	/* key: block of the file */
#define VEXFS_TREE_DIRECTORY		2	/* key: hash of the name */
#define VEXFS_TREE_IDS			3	/* key: row, value: id */
#define VEXFS_TREE_ROWS			4	/* key: id, value: row */
#define VEXFS_TREE_TOMBSTONES		5	/* key: row, value: same row */
#define VEXFS_TREE_ATTRIBUTES		6	/* see struct vexfs_disk_attributes */
#define VEXFS_TREE_KINDS		7

#define VEXFS_TREE_DEPTH_MAX		8

/**
 * struct vexfs_disk_record - a run: @r_length keys onto @r_length values
 * @r_key: first key
 * @r_value: what the first key maps to; the others follow
 * @r_length: keys in the run, not 0
 * @r_flags: VEXFS_RECORD_*
 */
struct vexfs_disk_record {
	__le64 r_key;
	__le64 r_value;
	__le32 r_length;
	__le32 r_flags;
};

/* Extents only: allocated, but reads as zeros. */
#define VEXFS_RECORD_UNWRITTEN		1U
/* Extents only, reserved: others may own the blocks too. */
#define VEXFS_RECORD_SHARED		2U
#define VEXFS_RECORD_FLAGS		VEXFS_RECORD_UNWRITTEN

/**
 * struct vexfs_disk_index - a child of an inner node
 * @x_key: no key below the child is smaller
 * @x_block: the child's block
 */
struct vexfs_disk_index {
	__le64 x_key;
	__le64 x_block;
};

#define VEXFS_ROOT_BYTES		168

/**
 * struct vexfs_disk_root - the root of an inode's tree, inside the inode
 * @r_kind: VEXFS_TREE_*
 * @r_depth: levels below the root; 0: @r_data holds leaf records
 * @r_count: records or children in @r_data
 * @r_reserved: 0
 * @r_data: records (@r_depth 0) or struct vexfs_disk_index. A directory's
 *	root always holds children. Bytes not in use are 0
 */
struct vexfs_disk_root {
	u8 r_kind;
	u8 r_depth;
	__le16 r_count;
	__le32 r_reserved;
	u8 r_data[VEXFS_ROOT_BYTES];
} __aligned(8);

#define VEXFS_ROOT_RECORDS	(VEXFS_ROOT_BYTES / 24)	/* 7 */
#define VEXFS_ROOT_CHILDREN	(VEXFS_ROOT_BYTES / 16)	/* 10 */

#define VEXFS_NODE_BYTES		4016

/**
 * struct vexfs_disk_node - a block of a tree
 * @n_header: h_owner is the inode
 * @n_kind: VEXFS_TREE_*, as in the root
 * @n_depth: levels below this one; 0 for a leaf
 * @n_count: records, names or children in @n_data
 * @n_bytes: bytes of @n_data in use
 * @n_reserved: 0
 * @n_data: records, names or children, sorted by key without gaps
 */
struct vexfs_disk_node {
	struct vexfs_disk_header n_header;
	u8 n_kind;
	u8 n_depth;
	__le16 n_count;
	__le16 n_bytes;
	u8 n_reserved[10];
	u8 n_data[VEXFS_NODE_BYTES];
};

#define VEXFS_NODE_RECORDS	(VEXFS_NODE_BYTES / 24)	/* 167 */
#define VEXFS_NODE_CHILDREN	(VEXFS_NODE_BYTES / 16)	/* 251 */

/**
 * struct vexfs_disk_name - an entry of a directory's leaf
 * @d_key: unique in the directory: the name's hash, its low 4 bits a count
 *	that tells names of one hash apart
 * @d_ino: the inode
 * @d_length: bytes of @d_name, 1..255
 * @d_type: DT_* as in readdir(3)
 * @d_name: not terminated; the entry is padded with zeros to 8 bytes
 */
struct vexfs_disk_name {
	__le64 d_key;
	__le64 d_ino;
	u8 d_length;
	u8 d_type;
	u8 d_name[];
};

#define VEXFS_NAME_BYTES(length)	((18U + (length) + 7U) & ~7U)
#define VEXFS_DIR_KEY_MIN		16ULL
#define VEXFS_DIR_KEY_MAX		0x7fffffffffffffefULL
#define VEXFS_DIR_COLLISIONS		16

/* Companion forks: an index of ino_forks, and beyond it of ino_compact_forks. */
#define VEXFS_FORK_IDS			0	/* tree of VEXFS_TREE_IDS */
#define VEXFS_FORK_ROWS			1	/* tree of VEXFS_TREE_ROWS */
#define VEXFS_FORK_TOMBSTONES		2	/* tree of VEXFS_TREE_TOMBSTONES */
#define VEXFS_FORK_SKETCHES		3	/* data: struct vexfs_disk_derived */
#define VEXFS_FORK_INDEX		4	/* data, the same */
#define VEXFS_FORK_ATTRIBUTES		5	/* tree of VEXFS_TREE_ATTRIBUTES */
#define VEXFS_FORK_CHECKSUMS		6	/* reserved */
#define VEXFS_FORK_BUILDING		7	/* an index that is not whole yet */
#define VEXFS_FORK_COMPACT		8	/* data: the live rows, see below */
#define VEXFS_FORK_COMPACT_IDS		9	/* what takes the place of IDS */
#define VEXFS_FORK_COMPACT_ROWS		10	/* of ROWS */
#define VEXFS_FORK_COMPACT_TOMBSTONES	11	/* of TOMBSTONES */
#define VEXFS_FORK_COMPACT_ATTRIBUTES	12	/* of ATTRIBUTES */
#define VEXFS_FORKS			13
#define VEXFS_FORKS_FIRST		8	/* those that are in ino_forks */

/**
 * struct vexfs_disk_schema - what a vector file's rows are
 * @s_dim: elements in a row; 0: no schema
 * @s_element: enum vexfs_element
 * @s_metric: enum vexfs_metric
 * @s_ids: enum vexfs_ids
 * @s_columns: attribute columns, 0..VEXFS_COLUMNS_MAX. Their names are in an
 *	extended attribute of VEXFS_XATTR_COLUMNS
 * @s_flags: 0
 * @s_reserved0: 0
 * @s_column_types: enum vexfs_column_type of each column, 4 bits each, the first
 *	in the lowest bits; the rest 0
 * @s_reserved: 0
 */
struct vexfs_disk_schema {
	__le32 s_dim;
	u8 s_element;
	u8 s_metric;
	u8 s_ids;
	u8 s_columns;
	__le32 s_flags;
	__le32 s_reserved0;
	__le64 s_column_types;
	__le64 s_reserved;
};

/* ino_flags */
#define VEXFS_INO_FLAG_FORK		(1U << 0) /* hidden, of ino_parent */
#define VEXFS_INO_FLAG_VECTOR		(1U << 1) /* ino_schema is set */
#define VEXFS_INO_FLAG_IMMUTABLE	(1U << 2)
#define VEXFS_INO_FLAG_APPEND		(1U << 3)
#define VEXFS_INO_FLAG_NODUMP		(1U << 4)
#define VEXFS_INO_FLAG_NOATIME		(1U << 5)
#define VEXFS_INO_FLAG_SYNC		(1U << 6)
#define VEXFS_INO_FLAG_DIRSYNC		(1U << 7)
#define VEXFS_INO_FLAGS			0xffU

#define VEXFS_LINK_MAX			2000000000U

/**
 * struct vexfs_disk_inode - an inode
 * @ino_number: its own number; 0 in a record that was never used
 * @ino_mode: type and permissions, as st_mode; 0: free
 * @ino_reserved0: 0
 * @ino_flags: VEXFS_INO_FLAG_*
 * @ino_uid: owner
 * @ino_gid: group
 * @ino_projid: project
 * @ino_links: hard links
 * @ino_generation: differs each time that the number is given out
 * @ino_rdev: device of a special file, the kernel's new_encode_dev()
 * @ino_size: bytes (regular files: the data; symlinks: the target;
 *	directories: bytes of their tree's blocks)
 * @ino_blocks: blocks charged to it: its tree's, its data's, its extended
 *	attributes' and those of its forks
 * @ino_atime: last read, seconds since 1970, signed
 * @ino_mtime: last change of the data
 * @ino_ctime: last change of the inode
 * @ino_btime: creation
 * @ino_atime_ns: and the nanoseconds of each
 * @ino_mtime_ns: nanoseconds
 * @ino_ctime_ns: nanoseconds
 * @ino_btime_ns: nanoseconds
 * @ino_change: counts changes (i_version)
 * @ino_parent: the directory that holds a directory; the base of a fork; or 0
 * @ino_next_orphan: next in the list of orphans, or 0
 * @ino_xattr_block: block of extended attributes, or 0
 * @ino_forks: inode numbers of the forks, or 0
 * @ino_rows: rows published; of the fork COMPACT: rows copied that count
 * @ino_deleted: of these, rows deleted
 * @ino_next_id: next automatic id; never goes back; of the fork COMPACT: rows
 *	of the base that were looked at for those
 * @ino_vector_generation: counts renumberings of the rows; of the fork COMPACT:
 *	the base's when the compaction began
 * @ino_schema: vector files, and directories that hand one down
 * @ino_root: extents, names, runs, or a symlink's target. The nodes of the fork
 *	COMPACT's tree are the base's: h_owner is its number
 * @ino_compact_forks: as @ino_forks, from slot VEXFS_FORKS_FIRST on
 * @ino_reserved: 0
 */
struct vexfs_disk_inode {
	__le64 ino_number;
	__le16 ino_mode;
	__le16 ino_reserved0;
	__le32 ino_flags;
	__le32 ino_uid;
	__le32 ino_gid;
	__le32 ino_projid;
	__le32 ino_links;
	__le32 ino_generation;
	__le32 ino_rdev;
	__le64 ino_size;
	__le64 ino_blocks;
	__le64 ino_atime;
	__le64 ino_mtime;
	__le64 ino_ctime;
	__le64 ino_btime;
	__le32 ino_atime_ns;
	__le32 ino_mtime_ns;
	__le32 ino_ctime_ns;
	__le32 ino_btime_ns;
	__le64 ino_change;
	__le64 ino_parent;
	__le64 ino_next_orphan;
	__le64 ino_xattr_block;
	__le64 ino_forks[VEXFS_FORKS_FIRST];
	__le64 ino_rows;
	__le64 ino_deleted;
	__le64 ino_next_id;
	__le64 ino_vector_generation;
	struct vexfs_disk_schema ino_schema;
	struct vexfs_disk_root ino_root;
	__le64 ino_compact_forks[VEXFS_FORKS - VEXFS_FORKS_FIRST];
	u8 ino_reserved[24];
};

#define VEXFS_INODE_BYTES		504
#define VEXFS_INODES_PER_BLOCK		8

struct vexfs_disk_inode_block {
	struct vexfs_disk_header ib_header;
	struct vexfs_disk_inode ib_inodes[VEXFS_INODES_PER_BLOCK];
};

/*
 * A symlink of up to VEXFS_ROOT_BYTES bytes is kept in r_data whole. A longer
 * one has its first VEXFS_PAYLOAD_BYTES bytes in a block whose number is the
 * first 8 bytes of r_data, and what is left of it in the bytes after that.
 */
#define VEXFS_SYMLINK_INLINE_MAX	VEXFS_ROOT_BYTES
#define VEXFS_SYMLINK_MAX		4095

struct vexfs_disk_symlink {
	struct vexfs_disk_header sl_header;
	u8 sl_target[VEXFS_PAYLOAD_BYTES];
};

/**
 * struct vexfs_disk_xattr - an extended attribute
 * @x_space: VEXFS_XATTR_*: stands for the prefix of the name
 * @x_name_length: bytes of the rest of the name, 0..255
 * @x_value_length: bytes of the value
 * @x_reserved: 0
 * @x_data: name, then value; the entry is padded with zeros to 8 bytes
 */
struct vexfs_disk_xattr {
	u8 x_space;
	u8 x_name_length;
	__le16 x_value_length;
	__le32 x_reserved;
	u8 x_data[];
};

#define VEXFS_XATTR_USER		1
#define VEXFS_XATTR_TRUSTED		2
#define VEXFS_XATTR_SECURITY		3
#define VEXFS_XATTR_ACL_ACCESS		4	/* empty name */
#define VEXFS_XATTR_ACL_DEFAULT		5	/* empty name */
/* Names of a schema's columns, each with a zero byte at its end; empty name. */
#define VEXFS_XATTR_COLUMNS		6
#define VEXFS_XATTR_SPACES		7

#define VEXFS_XATTR_BYTES		4024

/**
 * struct vexfs_disk_xattr_block - all extended attributes of an inode
 * @xb_header: h_owner is the inode
 * @xb_count: attributes
 * @xb_bytes: bytes of @xb_data in use
 * @xb_reserved: 0
 * @xb_data: struct vexfs_disk_xattr, sorted by space, then name
 */
struct vexfs_disk_xattr_block {
	struct vexfs_disk_header xb_header;
	__le16 xb_count;
	__le16 xb_bytes;
	__le32 xb_reserved;
	u8 xb_data[VEXFS_XATTR_BYTES];
};

/**
 * struct vexfs_disk_region - pages of a derived fork
 * @rg_first: the first page, behind the header slots
 * @rg_pages: how many
 */
struct vexfs_disk_region {
	__le64 rg_first;
	__le64 rg_pages;
};

#define VEXFS_DERIVED_REGIONS		8
#define VEXFS_DERIVED_PARAMETERS	2048

/**
 * struct vexfs_disk_derived - a header slot of a derived fork: its page 0 or 1
 * @dv_magic: VEXFS_MAGIC_DERIVED
 * @dv_version: VEXFS_DERIVED_VERSION
 * @dv_kind: VEXFS_DERIVED_*: what the fork holds
 * @dv_parameter_bytes: bytes of @dv_parameters in use
 * @dv_fork: the fork's own inode number
 * @dv_sequence: counts the checkpoints; the greater one of both slots counts
 * @dv_generation: ino_vector_generation of the base when the fork was made;
 *	with another one there, the fork says nothing
 * @dv_rows: the rows from 0 on that the fork covers; never more than ino_rows
 * @dv_regions: pages whose trailers are valid, in ascending order
 * @dv_parameters: the kind's own
 * @dv_reserved: 0
 * @dv_checksum: xxh64, seed 0, of the bytes before
 */
struct vexfs_disk_derived {
	__le32 dv_magic;
	__le32 dv_version;
	__le32 dv_kind;
	__le32 dv_parameter_bytes;
	__le64 dv_fork;
	__le64 dv_sequence;
	__le64 dv_generation;
	__le64 dv_rows;
	struct vexfs_disk_region dv_regions[VEXFS_DERIVED_REGIONS];
	u8 dv_parameters[VEXFS_DERIVED_PARAMETERS];
	u8 dv_reserved[1864];
	__le64 dv_checksum;
};

#define VEXFS_DERIVED_VERSION		1

#define VEXFS_DERIVED_SKETCHES		1
#define VEXFS_DERIVED_GRAPH		2
#define VEXFS_DERIVED_LISTS		3
#define VEXFS_DERIVED_KINDS		4

VEX_ASSERT_SIZE(struct vexfs_disk_derived, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_derived, dv_parameters, 176);

/*
 * Keys of a tree of VEXFS_TREE_ATTRIBUTES: from 0 on blocks of attributes, from
 * VEXFS_KEY_STRINGS on blocks of the dictionary of strings (each maps to a block
 * of the volume), from VEXFS_KEY_HASHES on hashes of strings, which map to the
 * places of the strings in the dictionary.
 */
#define VEXFS_KEY_STRINGS		(1ULL << 48)
#define VEXFS_KEY_HASHES		(1ULL << 62)
#define VEXFS_KEY_HASH_MASK		0x3ffffffffffffff0ULL
#define VEXFS_KEY_COLLISIONS		16U
#define VEXFS_STRINGS_BLOCKS_MAX	(1ULL << 20)

#define VEXFS_ATTRIBUTES_BYTES		4024

/**
 * struct vexfs_disk_attributes - the attributes of some rows
 * @at_header: h_owner is the fork
 * @at_key: the block's key in the tree: it holds the rows from @at_key * n on,
 *	with n the most rows that fit (vex_attributes_rows())
 * @at_data: n values of the first column, 8 bytes each, then those of the next
 *	and so on; then, for each row, 2 bytes of which bit c says that column c
 *	is not null. A null's value is 0. Values are signed integers in the order
 *	of what they stand for: an i64 itself, an f64's bits (with all but the
 *	sign inverted if it is negative), 0 or 1, the place of a string
 */
struct vexfs_disk_attributes {
	struct vexfs_disk_header at_header;
	__le64 at_key;
	u8 at_data[VEXFS_ATTRIBUTES_BYTES];
};

#define VEXFS_STRINGS_BYTES		4016

/**
 * struct vexfs_disk_strings - a block of the dictionary of strings
 * @ss_header: h_owner is the fork
 * @ss_key: the block's key in the tree
 * @ss_bytes: bytes of @ss_data in use
 * @ss_reserved: 0
 * @ss_data: strings, each a byte with its length and then its bytes. The place
 *	of a string is its offset here, plus 4096 for each block before this
 */
struct vexfs_disk_strings {
	struct vexfs_disk_header ss_header;
	__le64 ss_key;
	__le16 ss_bytes;
	u8 ss_reserved[6];
	u8 ss_data[VEXFS_STRINGS_BYTES];
};

VEX_ASSERT_SIZE(struct vexfs_disk_attributes, VEXFS_BLOCK_SIZE);
VEX_ASSERT_SIZE(struct vexfs_disk_strings, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_strings, ss_data, 80);
VEX_ASSERT_SIZE(struct vexfs_disk_header, VEXFS_HEADER_BYTES);
VEX_ASSERT_OFFSET(struct vexfs_disk_header, h_checksum, 8);
VEX_ASSERT_OFFSET(struct vexfs_disk_header, h_uuid, 24);
VEX_ASSERT_OFFSET(struct vexfs_disk_header, h_owner, 40);
VEX_ASSERT_SIZE(struct vexfs_disk_super, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_super, sb_blocks, 96);
VEX_ASSERT_OFFSET(struct vexfs_disk_super, sb_uuid, 112);
VEX_ASSERT_OFFSET(struct vexfs_disk_super, sb_label, 144);
VEX_ASSERT_OFFSET(struct vexfs_disk_super, sb_reserved, 228);
VEX_ASSERT_SIZE(struct vexfs_disk_state, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_state, st_reserved, 120);
VEX_ASSERT_SIZE(struct vexfs_disk_group, 64);
VEX_ASSERT_SIZE(struct vexfs_disk_gdt_block, VEXFS_BLOCK_SIZE);
VEX_ASSERT_SIZE(struct vexfs_disk_bitmap, VEXFS_BLOCK_SIZE);
VEX_ASSERT_SIZE(struct vexfs_disk_record, 24);
VEX_ASSERT_SIZE(struct vexfs_disk_index, 16);
VEX_ASSERT_SIZE(struct vexfs_disk_root, 176);
VEX_ASSERT_SIZE(struct vexfs_disk_node, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_node, n_data, 80);
VEX_ASSERT_OFFSET(struct vexfs_disk_name, d_name, 18);
VEX_ASSERT_SIZE(struct vexfs_disk_schema, 32);
VEX_ASSERT_SIZE(struct vexfs_disk_inode, VEXFS_INODE_BYTES);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_size, 40);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_forks, 136);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_schema, 232);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_root, 264);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_compact_forks, 440);
VEX_ASSERT_OFFSET(struct vexfs_disk_inode, ino_reserved, 480);
VEX_ASSERT_SIZE(struct vexfs_disk_inode_block, VEXFS_BLOCK_SIZE);
VEX_ASSERT_SIZE(struct vexfs_disk_symlink, VEXFS_BLOCK_SIZE);
VEX_ASSERT_OFFSET(struct vexfs_disk_xattr, x_data, 8);
VEX_ASSERT_SIZE(struct vexfs_disk_xattr_block, VEXFS_BLOCK_SIZE);

#endif /* VEX_FORMAT_H */
