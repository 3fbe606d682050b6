/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of rows: metadata blocks in the tree of the fork ATTRIBUTES, and
 * records of them on their way from and to callers.
 *
 * Attributes of new rows are written by transactions that end before the one
 * that publishes the rows begins, so no row is ever durable before them; what
 * a crash leaves beyond the last row is trimmed before the file grows again.
 */
#ifndef VEXFS_ATTRIBUTES_H
#define VEXFS_ATTRIBUTES_H

#include "rows.h"
#include "core/attributes.h"

/* Words of a record in memory: its bits, then an integer for each column. */
#define VEXFS_RECORD_WORDS(columns)	(1 + (columns))

/* In attributes.c: blocks */

/**
 * vexfs_attributes_block() - a block of the fork
 * @fork: the fork ATTRIBUTES
 * @key: its key, below VEXFS_KEY_HASHES
 *
 * Context: tree_sem of the fork held.
 * Return: its buffer, verified; NULL if there is none; an ERR_PTR.
 */
struct buffer_head *vexfs_attributes_block(struct inode *fork, u64 key);

/**
 * vexfs_attributes_write() - write the attributes of rows that follow each other
 * @fork: the fork
 * @row: first row
 * @count: rows
 * @records: VEXFS_RECORD_WORDS() for each row, values as integers; NULL: see
 *	that there is a block for each row, and change nothing in it
 *
 * Opens and closes handles.
 *
 * Context: i_rwsem of the base held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_attributes_write(struct inode *fork, u64 row, u64 count,
			   const s64 *records);

/**
 * vexfs_attributes_read() - read the attributes of a row
 * @fork: the fork, or NULL if there is none
 * @row: the row
 * @record: VEXFS_RECORD_WORDS(), values as integers
 *
 * Return: 0 or a negative errno.
 */
int vexfs_attributes_read(struct inode *fork, u64 row, s64 *record);

/**
 * vexfs_attributes_trim() - forget the attributes of rows beyond the last
 * @base: the vector file
 * @rows: its rows
 *
 * Context: i_rwsem of the base held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_attributes_trim(struct inode *base, u64 rows);

/**
 * vexfs_attributes_free() - free the blocks of a fork that is being removed
 * @fork: the fork
 *
 * What is left is a tree without blocks below it.
 *
 * Context: no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_attributes_free(struct inode *fork);

/* In strings.c: the dictionary */

/**
 * vexfs_string_find() - look a string up
 * @fork: the fork ATTRIBUTES
 * @string: the string
 * @bytes: its bytes, at most VEXFS_STRING_MAX
 * @place: where it is in the dictionary
 *
 * Return: 0, -ENOENT, or a negative errno.
 */
int vexfs_string_find(struct inode *fork, const u8 *string, u32 bytes,
		      u64 *place);

/**
 * vexfs_string_add() - as vexfs_string_find(), added if it is not there
 * @fork: the fork
 * @string: the string
 * @bytes: its bytes
 * @place: where it is
 *
 * Opens and closes handles. A string stays as long as the fork does.
 *
 * Context: i_rwsem of the base held for writing; no handle may be held.
 * Return: 0, -ENOSPC, or a negative errno.
 */
int vexfs_string_add(struct inode *fork, const u8 *string, u32 bytes,
		     u64 *place);

/**
 * vexfs_string_read() - read a string
 * @fork: the fork, or NULL if there is none
 * @place: from the attributes of a row
 * @string: room for VEXFS_STRING_MAX bytes
 *
 * Return: its bytes; -ENODATA if there is none, as the rows were cut off since
 * or it was damaged; or a negative errno (-EUCLEAN: reported).
 */
int vexfs_string_read(struct inode *fork, u64 place, u8 *string);

/* In records.c: from and to callers */

/**
 * vexfs_records_check() - may this batch carry its attributes?
 * @inode: the vector file
 * @batch: the batch, its count checked
 *
 * Return: 0 or -EINVAL.
 */
int vexfs_records_check(struct inode *inode,
			const struct vexfs_batch_insert *batch);

/**
 * vexfs_records_insert() - take in the attributes of new rows
 * @inode: the vector file
 * @row: first row, beyond the last that there is
 * @batch: the batch; bad_index is set if a record is to blame
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0, -EINVAL, or a negative errno.
 */
int vexfs_records_insert(struct inode *inode, u64 row,
			 struct vexfs_batch_insert *batch);

int vexfs_set_attributes(struct file *file, struct vexfs_attributes *set);
int vexfs_get_attributes(struct file *file, struct vexfs_attributes *get);

#endif /* VEXFS_ATTRIBUTES_H */
