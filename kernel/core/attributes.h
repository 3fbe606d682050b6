/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Attribute columns of vector files: the form of their blocks on disk, and the
 * signed integers that stand for values of every type. No I/O happens here.
 */
#ifndef VEX_ATTRIBUTES_H
#define VEX_ATTRIBUTES_H

#include "format.h"

/**
 * vex_column_type() - the type of a column
 * @schema: a schema that was checked
 * @column: the column, below s_columns
 *
 * Return: enum vexfs_column_type.
 */
static inline u32 vex_column_type(const struct vexfs_disk_schema *schema,
				  u32 column)
{
	return le64_to_cpu(schema->s_column_types) >> (4 * column) & 15;
}

/**
 * vex_attributes_rows() - rows whose attributes fit in a block
 * @columns: columns, 1..VEXFS_COLUMNS_MAX
 *
 * Return: rows, at least 30.
 */
static inline u32 vex_attributes_rows(u32 columns)
{
	return VEXFS_ATTRIBUTES_BYTES / (8 * columns + 2);
}

/**
 * vex_column_name_check() - may a column be called so?
 * @name: the name, not terminated
 * @bytes: its bytes
 *
 * Return: true if it may (see struct vexfs_column).
 */
bool vex_column_name_check(const u8 *name, size_t bytes);

/**
 * vex_column_names_check() - verify the names of a schema's columns
 * @names: the value of the extended attribute VEXFS_XATTR_COLUMNS
 * @bytes: its bytes
 * @columns: the schema's s_columns
 *
 * Return: NULL, or what is wrong with them.
 */
const char *vex_column_names_check(const u8 *names, u32 bytes, u32 columns);

/**
 * vex_attribute_encode() - the integer that stands for a value
 * @type: enum vexfs_column_type
 * @value: the value as struct vexfs_attributes carries it; a string's place
 * @key: the integer
 *
 * Return: 0, or -EINVAL for a value that the type cannot hold.
 */
int vex_attribute_encode(u32 type, u64 value, s64 *key);

/**
 * vex_attribute_decode() - the inverse of vex_attribute_encode()
 * @type: enum vexfs_column_type
 * @key: the integer
 *
 * Return: the value.
 */
u64 vex_attribute_decode(u32 type, s64 key);

/**
 * vex_attributes_get() - read a row's attributes
 * @block: the block
 * @columns: columns
 * @index: the row in the block
 * @values: room for one integer a column
 *
 * Return: a bit for each column that is not null.
 */
u32 vex_attributes_get(const struct vexfs_disk_attributes *block, u32 columns,
		       u32 index, s64 *values);

/**
 * vex_attributes_put() - write some columns of a row
 * @block: the block
 * @columns: columns
 * @index: the row in the block
 * @which: a bit for each column to be written
 * @present: a bit for each column that is not null
 * @values: one integer a column; those of null columns do not matter
 */
void vex_attributes_put(struct vexfs_disk_attributes *block, u32 columns,
			u32 index, u32 which, u32 present, const s64 *values);

/**
 * vex_attributes_check() - verify a block of attributes beyond its header
 * @block: the block
 * @schema: the file's schema, with columns
 * @key: the key that leads to it
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_attributes_check(const struct vexfs_disk_attributes *block,
				 const struct vexfs_disk_schema *schema,
				 u64 key);

/**
 * vex_strings_check() - verify a block of strings beyond its header
 * @block: the block
 * @key: the key that leads to it
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_strings_check(const struct vexfs_disk_strings *block, u64 key);

/**
 * vex_string_at() - a string of a block
 * @block: the block, checked
 * @offset: where in ss_data, from anywhere
 * @bytes: bytes of the string
 *
 * Return: the string, or NULL if there can be none. (That a string really
 * begins there is not looked at: what is returned lies in the block.)
 */
const u8 *vex_string_at(const struct vexfs_disk_strings *block, u32 offset,
			u32 *bytes);

#endif /* VEX_ATTRIBUTES_H */
