/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compaction: the rows of a vector file that are not deleted are copied into
 * hidden inodes, beside inserts, deletes and searches, and one transaction
 * puts these in the place of what there was.
 *
 * Everything but that last step happens in short pieces with i_rwsem held
 * shared. After each, what was made is what a compaction of the rows looked at
 * would be, but for changes that were noted since and come first in the next.
 */
#ifndef VEXFS_COMPACT_H
#define VEXFS_COMPACT_H

#include "attributes.h"

/* Runs of rows that a piece copies at most. */
#define VEXFS_COMPACT_RUNS	256U

/* Rows whose attributes are copied together. */
#define VEXFS_COMPACT_RECORDS	64U

/* Strings that are remembered while attributes are copied. */
#define VEXFS_COMPACT_STRINGS	256U

/**
 * struct vexfs_row_run - rows that follow each other
 * @row: the first
 * @count: how many
 */
struct vexfs_row_run {
	u64 row;
	u64 count;
};

/**
 * struct vexfs_live_run - live rows that follow each other, as their ids do
 * @row: the first
 * @id: its id
 * @count: how many
 */
struct vexfs_live_run {
	u64 row;
	u64 id;
	u32 count;
};

/**
 * struct vexfs_compaction - a compaction that is running
 * @base: the vector file
 * @file: as the caller opened it
 * @forks: what is made, by slot from VEXFS_FORK_COMPACT on, each with a
 *	reference; no attributes if the schema has no columns
 * @generation: of the rows that are copied
 * @row_bytes: bytes of a row
 * @own: ids are the caller's own
 * @taken: rows looked at; written with i_rwsem held
 * @rows: of these, rows copied
 * @buried: of these, rows that were deleted afterwards
 * @saved: @taken at the last checkpoint
 * @block_end: the blocks of the new matrix up to this one are allocated
 * @revisit: rows from this one on ...
 * @revisit_end: ... to this one are looked at again before more are copied
 * @changed: rows below @taken that changed since they were copied; guarded by
 *	i_rwsem, as the next three are
 * @changes: how many
 * @room: room in @changed
 * @lost: there was no room for more: everything has to be looked at again
 * @buffer: bytes of rows on their way
 * @matrix: reads rows
 * @tombstones: walks the rows that are deleted
 * @ids: walks the ids
 * @runs: what a piece copies
 * @run_count: how many
 * @records: attributes on their way
 * @string: a string on its way
 * @strings: places of strings in the old dictionary, and in the new one
 */
struct vexfs_compaction {
	struct inode *base;
	struct file *file;
	struct inode *forks[VEXFS_FORKS - VEXFS_FORK_COMPACT];
	u64 generation;
	u32 row_bytes;
	bool own;
	u64 taken;
	u64 rows;
	u64 buried;
	u64 saved;
	u64 block_end;
	u64 revisit;
	u64 revisit_end;
	struct vexfs_row_run *changed;
	u32 changes;
	u32 room;
	bool lost;
	char *buffer;
	struct vexfs_matrix matrix;
	struct vexfs_run_cursor tombstones;
	struct vexfs_run_cursor ids;
	struct vexfs_live_run runs[VEXFS_COMPACT_RUNS];
	u32 run_count;
	s64 records[VEXFS_COMPACT_RECORDS *
		    VEXFS_RECORD_WORDS(VEXFS_COLUMNS_MAX)];
	u8 string[VEXFS_STRING_MAX];
	struct {
		bool valid;
		u64 from;
		u64 to;
	} strings[VEXFS_COMPACT_STRINGS];
};

/* Which of @forks; the fork of slot VEXFS_FORK_COMPACT_<which>. */
#define VEXFS_COMPACT_MATRIX		0
#define VEXFS_COMPACT_IDS		1
#define VEXFS_COMPACT_ROWS		2
#define VEXFS_COMPACT_TOMBSTONES	3
#define VEXFS_COMPACT_ATTRIBUTES	4
#define VEXFS_COMPACT_FORKS		5

/* In compact.c */

int vexfs_compact(struct file *file, struct vexfs_compact *call);

/**
 * vexfs_compact_note() - rows are about to be deleted or to change
 * @base: the vector file
 * @row: the first
 * @count: how many
 *
 * Context: i_rwsem held for writing.
 */
void vexfs_compact_note(struct inode *base, u64 row, u64 count);

/**
 * vexfs_compact_clean() - remove what compactions left that cannot go on
 * @base: the vector file
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_compact_clean(struct inode *base);

/* In compact_copy.c */

/**
 * vexfs_compact_clear() - have zeros behind the last row, to the block's end
 * @c: a compaction that is gone on with
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_compact_clear(struct vexfs_compaction *c);

/**
 * vexfs_compact_piece() - some more of a compaction
 * @c: the compaction
 *
 * Context: i_rwsem held, shared at least; no handle may be held.
 * Return: 1 if there is more to do, 0 if all published rows are taken, or a
 * negative errno.
 */
int vexfs_compact_piece(struct vexfs_compaction *c);

#endif /* VEXFS_COMPACT_H */
