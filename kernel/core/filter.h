/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Filters: programs over the attributes of rows (struct vexfs_filter_program),
 * taken in from outside, bounded, and run over up to 64 rows at a time.
 *
 * A program is in postfix order, so it runs over a stack without recursion.
 * Each operand is two words of 64 rows: those of which it holds, and those of
 * which it does not; rows in neither are unknown, because a column is null.
 */
#ifndef VEX_FILTER_H
#define VEX_FILTER_H

#include "attributes.h"

#include <linux/vexfs.h>

/**
 * struct vex_filter - a program that was taken in
 * @ops: operations, in the CPU's byte order; values and lists are integers as
 *	of vex_attribute_encode(), a list's place in bytes from @ops' program
 * @program: what lists are counted from
 * @op_count: operations
 * @columns: columns of the schema
 */
struct vex_filter {
	const struct vexfs_filter_op *ops;
	const u8 *program;
	u32 op_count;
	u32 columns;
};

/**
 * struct vex_filter_strings - looks strings up
 * @find: the place of a string. Returns 0, -ENOENT if there is no such string,
 *	or another negative errno
 * @context: for @find
 */
struct vex_filter_strings {
	int (*find)(void *context, const u8 *string, u32 bytes, u64 *place);
	void *context;
};

/**
 * vex_filter_init() - take a program in
 * @filter: to be filled in
 * @program: the program, aligned to 8 bytes; changed, and used as long as
 *	@filter is
 * @bytes: its bytes
 * @schema: the file's schema
 * @strings: finds the strings that it names
 *
 * Lists must lie right after the operations in the order of these, and strings
 * after the lists: so nothing is read as two things.
 *
 * Return: 0, -EINVAL if it is not a program for this schema, or an error of
 * @strings.
 */
int vex_filter_init(struct vex_filter *filter, void *program, u32 bytes,
		    const struct vexfs_disk_schema *schema,
		    const struct vex_filter_strings *strings);

/**
 * vex_filter_rows() - run a program over rows of one block
 * @filter: the program
 * @block: their attributes; NULL: all are null
 * @first: first row in the block
 * @count: rows, 1..64; all lie in the block
 *
 * Return: bit i is set if the program holds for row @first + i.
 */
u64 vex_filter_rows(const struct vex_filter *filter,
		    const struct vexfs_disk_attributes *block, u32 first,
		    u32 count);

#endif /* VEX_FILTER_H */
