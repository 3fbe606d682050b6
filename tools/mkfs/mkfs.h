/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of mkfs.vexfs offer to each other: options and plan, the
 * look at the target, writing, reporting.
 */
#ifndef MKFS_MKFS_H
#define MKFS_MKFS_H

#include "volume.h"

#define MKFS_JOURNAL_BLOCKS_MIN		1024U
#define MKFS_JOURNAL_BLOCKS_DEFAULT_MAX	65536U
#define MKFS_JOURNAL_BLOCKS_MAX		131072U

/**
 * struct mkfs_options - what the user asked for
 * @target: device or image file
 * @bytes: size of the filesystem, 0 for all of the target
 * @label: volume label, padded with zeros
 * @uuid: UUID
 * @errors: VEXFS_ERRORS_*
 * @inode_bytes: bytes of the volume for each inode, 0 for the default
 * @journal_bytes: size of the journal, 0 for the default
 * @force: overwrite what is there without a question
 * @quiet: no summary, no progress
 * @dry_run: write nothing
 * @keep: do not discard the device's blocks
 * @json: summary as JSON
 */
struct mkfs_options {
	const char *target;
	u64 bytes;
	u8 label[VEXFS_LABEL_BYTES];
	u8 uuid[16];
	u32 errors;
	u64 inode_bytes;
	u64 journal_bytes;
	bool force;
	bool quiet;
	bool dry_run;
	bool keep;
	bool json;
};

/* Runs of the journal that its inode's root has room for. */
#define MKFS_JOURNAL_RUNS_MAX	VEXFS_ROOT_RECORDS

/**
 * struct mkfs_plan - what will be written
 * @geo: the volume's shape
 * @seed: seed of the directory hash
 * @created: now, seconds since 1970
 * @created_ns: and nanoseconds
 * @journal_blocks: length of the journal
 * @journal: where it is; it fills the groups' data from group 0 on
 * @journal_runs: members of @journal in use
 * @free_blocks: blocks that are left for files
 */
struct mkfs_plan {
	struct vex_geometry geo;
	u64 seed;
	u64 created;
	u32 created_ns;
	u32 journal_blocks;
	struct vex_run journal[MKFS_JOURNAL_RUNS_MAX];
	unsigned int journal_runs;
	u64 free_blocks;
};

/* In report.c */

/**
 * mkfs_error() - print a message that begins with the program's name
 * @format: as printf(3)
 */
void mkfs_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/**
 * mkfs_progress() - show how far a long step is
 * @options: the options
 * @what: the step
 * @done: parts done
 * @total: parts in all; the line is wiped when @done reaches it
 *
 * Prints nothing during the first second, and nothing at all when it is not
 * to a terminal.
 */
void mkfs_progress(const struct mkfs_options *options, const char *what,
		   u64 done, u64 total);

/**
 * mkfs_summary() - print what was made, or would be
 * @options: the options
 * @plan: the plan
 */
void mkfs_summary(const struct mkfs_options *options,
		  const struct mkfs_plan *plan);

/* In plan.c */

/**
 * mkfs_plan() - work out what to write
 * @plan: to be filled in
 * @options: the options
 * @bytes: size of the device or image
 *
 * Return: 0, or -EINVAL after a message.
 */
int mkfs_plan(struct mkfs_plan *plan, const struct mkfs_options *options,
	      u64 bytes);

/* In target.c */

/**
 * mkfs_target_size() - find out how large the target is, or will be
 * @options: the options
 * @exists: is there such a file?
 * @bytes: its size
 *
 * Return: 0, or a negative errno after a message.
 */
int mkfs_target_size(const struct mkfs_options *options, bool *exists,
		     u64 *bytes);

/**
 * mkfs_target_check() - may the target be overwritten?
 * @options: the options
 *
 * Refuses what is in use. Asks on the terminal, or standard input, about
 * what holds something already, unless that is to be overwritten by force.
 *
 * Return: 0, or a negative errno after a message.
 */
int mkfs_target_check(const struct mkfs_options *options);

/**
 * mkfs_target_clear() - remove what identifies the target's old contents
 * @options: the options
 * @vol: the volume, open for writing
 *
 * Discards the device unless that is to be left out, removes every signature
 * that libblkid finds, zeroes both ends, and waits until that is on the
 * device.
 *
 * Return: 0, or a negative errno after a message.
 */
int mkfs_target_clear(const struct mkfs_options *options, struct volume *vol);

/* In write.c */

/**
 * mkfs_write() - write the filesystem, the superblock last
 * @options: the options
 * @plan: the plan
 * @vol: the volume, open for writing and cleared
 *
 * Return: 0, or a negative errno after a message.
 */
int mkfs_write(const struct mkfs_options *options,
	       const struct mkfs_plan *plan, struct volume *vol);

#endif /* MKFS_MKFS_H */
