/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of fsck.vexfs offer to each other. The check goes through
 * the volume in this order: head (superblock, journal, state, group
 * descriptors), inodes with their blocks, orphans, directories, link counts,
 * groups (bitmaps and summaries).
 */
#ifndef FSCK_FSCK_H
#define FSCK_FSCK_H

#include "journal.h"
#include "layout.h"
#include "number_map.h"
#include "tree.h"
#include "dir.h"
#include "volume.h"

/* Findings that are kept to be printed; more are only counted. */
#define FSCK_FINDINGS_MAX	10000U

/**
 * struct fsck_options - what the user asked for
 * @target: device or image
 * @super_block: block of the superblock to use
 * @automatic: boot: look only at what says that a check is wanted
 * @force: check fully even so
 * @verbose: say what is being checked
 * @json: print one JSON object
 */
struct fsck_options {
	const char *target;
	u64 super_block;
	bool automatic;
	bool force;
	bool verbose;
	bool json;
};

/**
 * struct fsck_finding - one thing that is wrong
 * @ino: the inode that it is about, or 0
 * @block: the block that it is about, if @has_block
 * @has_block: is there one?
 * @warning: it mends itself, and does not make the volume unclean
 * @what: where and what, for people
 */
struct fsck_finding {
	u64 ino;
	u64 block;
	bool has_block;
	bool warning;
	char *what;
};

/**
 * struct fsck_place - a name that leads to an inode of a finding
 * @parent: the directory
 * @name: the name
 */
struct fsck_place {
	u64 parent;
	char name[VEXFS_NAME_MAX + 1];
};

/* What is known of an inode, a byte each: its type (st_mode >> 12) and flags. */
#define INO_TYPE		0x0fU	/* 0: free */
#define INO_TYPE_DIR		4U
#define INO_TYPE_REG		8U
#define INO_TYPE_LNK		10U
#define INO_TYPE_UNKNOWN	15U	/* its record cannot be read */
#define INO_NAMED		0x10U	/* a directory's entry leads to it */
#define INO_FORK		0x20U
#define INO_ORPHAN		0x40U	/* on the list of orphans */
#define INO_CLAIMED		0x80U	/* fork: has its base; directory: visited */

/**
 * struct fsck - a check in progress
 * @options: the options
 * @vol: the volume, opened for reading
 * @inodes: a byte for each inode, INO_*
 * @used: a bit for each block: something owns it
 * @used_in_group: bits of @used in each group
 * @groups: summaries, in the CPU's byte order as on disk
 * @group_bad: groups whose summary could not be read
 * @more_names: inode to names beyond the first
 * @findings: what was found
 * @kept: members of @findings
 * @found: how many in all, without warnings
 * @warned: warnings
 * @places: inode to index + 1 in @place
 * @place: where inodes of findings are
 * @place_count: members of @place
 * @state: the state block, if @has_state
 * @has_state: it could be read
 * @replayed: what the replay of the journal did
 * @inode_block: the inode block that was read last
 * @inode_block_number: its number, or 0
 * @files: regular files, @directories, @links, @specials, @forks: inodes
 * @vector_files: regular files with a schema
 * @rows: rows published in them
 * @failed: out of memory, or the device failed: the check is not complete
 */
struct fsck {
	struct fsck_options options;
	struct volume vol;
	u8 *inodes;
	u64 inodes_bytes;
	u64 *used;
	u64 used_bytes;
	u32 *used_in_group;
	struct vexfs_disk_group *groups;
	bool *group_bad;
	struct number_map more_names;
	struct fsck_finding *findings;
	u64 kept;
	u64 found;
	u64 warned;
	struct number_map places;
	struct fsck_place *place;
	u64 place_count;
	struct vexfs_disk_state state;
	bool has_state;
	struct journal_result replayed;
	struct vexfs_disk_inode_block inode_block;
	u64 inode_block_number;
	u64 files, directories, links, specials, forks;
	u64 vector_files;
	u64 rows;
	bool failed;
};

/* In findings.c */

/**
 * fsck_note() - add a finding about the volume as a whole
 * @fsck: the check
 * @format: as printf(3); where, a colon, what
 */
void fsck_note(struct fsck *fsck, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * fsck_note_block() - add a finding about a block
 * @fsck: the check
 * @block: the block
 * @format: as printf(3); what
 */
void fsck_note_block(struct fsck *fsck, u64 block, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fsck_note_inode() - add a finding about an inode
 * @fsck: the check
 * @ino: the inode
 * @format: as printf(3); what
 */
void fsck_note_inode(struct fsck *fsck, u64 ino, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fsck_warn_inode() - add a warning about an inode: something mends itself
 * @fsck: the check
 * @ino: the inode
 * @format: as printf(3); what
 */
void fsck_warn_inode(struct fsck *fsck, u64 ino, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fsck_fail() - the check cannot go on as it should
 * @fsck: the check
 * @error: a negative errno
 * @what: doing what
 */
void fsck_fail(struct fsck *fsck, int error, const char *what);

/**
 * fsck_step() - say what is being checked, if the user wants to know
 * @fsck: the check
 * @what: it
 */
void fsck_step(const struct fsck *fsck, const char *what);

/**
 * fsck_report() - print the findings with the paths of inodes, and a summary
 * @fsck: the check
 * @checked: the whole volume was checked, and there are figures
 */
void fsck_report(struct fsck *fsck, bool checked);

/**
 * fsck_findings_free() - free the findings
 * @fsck: the check
 */
void fsck_findings_free(struct fsck *fsck);

/* In head.c */

/**
 * fsck_head() - superblock and copy, journal with its replay, state
 * @fsck: the check, its volume open
 *
 * Return: true if the rest can be checked. Otherwise there are findings, or
 * fsck.failed is set after a message.
 */
bool fsck_head(struct fsck *fsck);

/* In space.c */

/**
 * fsck_space_init() - allocate maps of blocks and inodes, read the summaries
 * @fsck: the check
 *
 * Return: false without memory, after a message.
 */
bool fsck_space_init(struct fsck *fsck);

/**
 * fsck_space_free() - free what fsck_space_init() allocated
 * @fsck: the check
 */
void fsck_space_free(struct fsck *fsck);

/**
 * fsck_claim() - note that an inode owns blocks
 * @fsck: the check
 * @ino: the inode
 * @block: the first one
 * @count: how many
 * @what: what they are to it: "data", "tree" ...
 *
 * Return: true; false after a finding if they are not in one group's data
 * area, or if one of them has an owner already.
 */
bool fsck_claim(struct fsck *fsck, u64 ino, u64 block, u64 count,
		const char *what);

/**
 * fsck_groups() - compare bitmaps and summaries with what was found
 * @fsck: the check, all inodes seen
 */
void fsck_groups(struct fsck *fsck);

/* In walk.c */

struct fsck_walk;

/**
 * struct fsck_walk - a walk through an inode's tree
 * @fsck: the check
 * @ino: the inode
 * @first: first walk of this tree: claim its blocks and report damage
 * @record: called for each record in order, or NULL
 * @name: called for each name in order, or NULL
 * @ctx: for these two
 * @nodes: blocks of the tree (out)
 * @damaged: something was wrong with the tree itself (out)
 */
struct fsck_walk {
	struct fsck *fsck;
	u64 ino;
	bool first;
	void (*record)(struct fsck_walk *walk, const struct vex_run *run);
	void (*name)(struct fsck_walk *walk, const struct vex_name *name);
	void *ctx;
	u64 nodes;
	bool damaged;
};

/**
 * fsck_walk() - walk through a tree, verifying every block with its bounds
 * @walk: the walk, the out members zero
 * @root: the tree's root, verified
 */
void fsck_walk(struct fsck_walk *walk, const struct vexfs_disk_root *root);

/* In inodes.c */

/**
 * fsck_read_inode() - read and verify an inode again, silently
 * @fsck: the check
 * @ino: the inode
 * @inode: to be filled in
 *
 * Return: true if it is in use and as it should be.
 */
bool fsck_read_inode(struct fsck *fsck, u64 ino,
		     struct vexfs_disk_inode *inode);

/**
 * fsck_inodes() - check every inode and claim what it owns
 * @fsck: the check
 */
void fsck_inodes(struct fsck *fsck);

/**
 * fsck_claim_tree() - walk a tree for the first time
 * @fsck: the check
 * @ino: the inode
 * @root: its root, verified
 * @nodes: blocks of the tree are added here
 * @blocks: blocks of data are added here
 *
 * Return: true if the tree is sound.
 */
bool fsck_claim_tree(struct fsck *fsck, u64 ino,
		     const struct vexfs_disk_root *root, u64 *nodes,
		     u64 *blocks);

/* In attributes.c */

/**
 * fsck_attributes() - check an inode's block of extended attributes
 * @fsck: the check
 * @ino: the inode
 * @inode: the inode
 */
void fsck_attributes(struct fsck *fsck, u64 ino,
		     const struct vexfs_disk_inode *inode);

/* In vectors.c */

/**
 * fsck_vectors() - check a vector file's forks and rows
 * @fsck: the check
 * @ino: the inode
 * @inode: the inode, its own tree sound
 * @blocks: blocks of the forks are added here
 */
void fsck_vectors(struct fsck *fsck, u64 ino,
		  const struct vexfs_disk_inode *inode, u64 *blocks);

/* In derived.c */

/**
 * fsck_derived() - check what a derived fork holds
 * @fsck: the check
 * @ino: the base
 * @inode: the base
 * @name: of the fork, for people
 * @fork: the fork, its tree sound
 */
void fsck_derived(struct fsck *fsck, u64 ino,
		  const struct vexfs_disk_inode *inode, const char *name,
		  const struct vexfs_disk_inode *fork);

/* In vectors.c */

/**
 * fsck_lone_forks() - report and claim forks that no file names
 * @fsck: the check, all inodes seen
 */
void fsck_lone_forks(struct fsck *fsck);

/* In rows.c */

/**
 * struct fsck_rows - a vector file's rows
 * @fsck: the check
 * @ino: the file
 * @inode: its inode
 * @rows: published rows
 * @unfinished: these are what a compaction has made so far: deletions are not
 *	counted
 * @forks: the forks' inodes, mode 0 for those that are not there
 */
struct fsck_rows {
	struct fsck *fsck;
	u64 ino;
	const struct vexfs_disk_inode *inode;
	u64 rows;
	bool unfinished;
	struct vexfs_disk_inode forks[VEXFS_FORKS];
};

/**
 * fsck_rows() - check data, ids and tombstones of a file against each other
 * @rows: the rows; all trees are sound
 */
void fsck_rows(struct fsck_rows *rows);

/* In columns.c */

/**
 * fsck_columns() - check a file's attributes, and claim their blocks
 * @rows: the rows; the tree of the attributes fork is sound
 * @blocks: blocks of attributes and strings are added here
 *
 * Return: true if all of them were claimed.
 */
bool fsck_columns(struct fsck_rows *rows, u64 *blocks);

/* In orphans.c */

/**
 * fsck_orphans() - walk the list of orphans
 * @fsck: the check, all inodes seen
 */
void fsck_orphans(struct fsck *fsck);

/* In directories.c */

/**
 * fsck_directories() - check every directory's names, from the root on
 * @fsck: the check, all inodes seen
 */
void fsck_directories(struct fsck *fsck);

/**
 * fsck_locate() - find names for the inodes of the findings
 * @fsck: the check; its places are filled in
 */
void fsck_locate(struct fsck *fsck);

/* In links.c */

/**
 * fsck_links() - compare link counts with the names found
 * @fsck: the check, directories and orphans walked
 */
void fsck_links(struct fsck *fsck);

#endif /* FSCK_FSCK_H */
