/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribute columns on the command line: values as text, records of attributes
 * printed, attributes out of CSV files, and filters.
 */
#ifndef VEXFS_COLUMNS_H
#define VEXFS_COLUMNS_H

#include <stdio.h>

#include "command.h"
#include "json.h"

/* Room for the text of any schema with its columns. */
#define SCHEMA_TEXT_MAX		1024

/**
 * struct columns - the attribute columns of a file
 * @count: how many
 * @column: each of them
 */
struct columns {
	unsigned int count;
	struct vexfs_column column[VEXFS_COLUMNS_MAX];
};

/**
 * columns_read - learn a file's columns
 * @columns: filled in
 * @file: the file
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int columns_read(struct columns *columns, const struct vector_file *file);

/**
 * columns_schema_text - a schema with its columns as text
 * @schema: the schema
 * @columns: its columns
 * @text: SCHEMA_TEXT_MAX bytes
 *
 * Return: 0, or -EINVAL for a schema of values that are not known.
 */
int columns_schema_text(const struct vexfs_schema *schema, const struct columns *columns,
			char *text);

/**
 * struct records - records of attributes, and the strings that they name
 * @columns: of the file
 * @records: 1 + columns.count words each
 * @room: records that there is room for
 * @strings: the area of strings
 * @strings_room: bytes of it
 * @strings_used: bytes in use
 */
struct records {
	struct columns columns;
	uint64_t *records;
	uint64_t room;
	char *strings;
	uint64_t strings_room;
	uint64_t strings_used;
};

/**
 * records_reserve - make room
 * @records: the records
 * @count: records wanted
 * @strings_bytes: bytes of strings wanted
 *
 * Return: 0, or -ENOMEM.
 */
int records_reserve(struct records *records, uint64_t count, uint64_t strings_bytes);

/**
 * records_put - set a column of a record from text
 * @records: the records; there is room for the record
 * @index: which record
 * @column: which column
 * @text: the value: a number, true or false, or the string itself; NULL for null
 *
 * Return: NULL, or what is wrong with it.
 */
const char *records_put(struct records *records, uint64_t index, unsigned int column,
			const char *text);

/**
 * records_free - free what records hold
 * @records: the records
 */
void records_free(struct records *records);

/**
 * records_read - read the attributes of rows
 * @records: filled in; @records->columns is set
 * @file: the file
 * @ids: the rows' ids
 * @count: how many
 *
 * Return: how many were read, at least 1; or a negative error number.
 */
int64_t records_read(struct records *records, const struct vector_file *file,
		     const uint64_t *ids, uint64_t count);

/**
 * records_print - print a record: "name=value" parted by blanks
 * @records: the records
 * @index: which one
 */
void records_print(const struct records *records, uint64_t index);

/**
 * records_json - write a record as an object
 * @records: the records
 * @index: which one
 * @json: the writer
 */
void records_json(const struct records *records, uint64_t index, struct json *json);

/**
 * struct attribute_file - a CSV file of attributes
 * @name: its name
 * @in: the file
 * @records: the records of the batch at hand
 * @order: the column of each field
 * @fields: fields of a line
 * @line: number of the line
 * @rows: lines of attributes read
 * @field: text of a field
 * @field_room: bytes of it
 * @error: what is wrong with it
 */
struct attribute_file {
	const char *name;
	FILE *in;
	struct records records;
	unsigned int order[VEXFS_COLUMNS_MAX];
	unsigned int fields;
	uint64_t line;
	uint64_t rows;
	char *field;
	size_t field_room;
	char error[400];
};

/**
 * attribute_file_open - open a CSV file, whose first line names columns
 * @from: filled in
 * @name: its name, must outlive @from
 * @file: the file that the attributes are for
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int attribute_file_open(struct attribute_file *from, const char *name,
			const struct vector_file *file);

/**
 * attribute_file_take - read the attributes of a batch's rows
 * @from: the file
 * @batch: its attributes are filled in for its count of rows
 *
 * Return: 0, or -ECANCELED with @from->error set, or -ENOMEM.
 */
int attribute_file_take(struct attribute_file *from, struct vexfs_batch_insert *batch);

/**
 * attribute_file_end - is the file at its end?
 * @from: the file
 *
 * Return: true if no line is left.
 */
bool attribute_file_end(struct attribute_file *from);

/**
 * attribute_file_close - close it
 * @from: the file, opened or all zero
 */
void attribute_file_close(struct attribute_file *from);

/**
 * where_parse - make a filter of --where
 * @text: the option's argument
 * @file: the file that is searched
 * @program: the program, to be freed with free()
 * @bytes: its bytes
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int where_parse(const char *text, const struct vector_file *file, void **program,
		size_t *bytes);

#endif /* VEXFS_COLUMNS_H */
