/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: files, or standard input, that rows or ids are read from. Each format
 * has a file of its own, source_<format>.c; source_open.c tells them apart.
 *
 * A function that fails has put a sentence into the source's error, which names
 * the source and the byte where it went wrong.
 */
#ifndef VEXFS_SOURCE_H
#define VEXFS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SOURCE_ERROR_MAX	768
#define SOURCE_PEEK_MAX		16
#define SOURCE_UNKNOWN		UINT64_MAX

enum source_format {
	SOURCE_AUTO,
	SOURCE_FVECS,	/* rows of float32, each after its 32-bit dimension */
	SOURCE_BVECS,	/* rows of bytes, likewise */
	SOURCE_IVECS,	/* ids as 32-bit integers, likewise */
	SOURCE_NPY,	/* a NumPy array */
	SOURCE_RAW,	/* rows and nothing else */
	SOURCE_U64,	/* ids as little-endian 64-bit integers and nothing else */
	SOURCE_TEXT,	/* ids as decimal numbers parted by blanks, commas or newlines */
};

/**
 * struct bytes - a file that is read from its beginning to its end
 * @file: the file
 * @name: what messages call it
 * @start: where in the file its first byte is
 * @offset: bytes taken so far
 * @size: bytes there are in all, SOURCE_UNKNOWN for a pipe
 * @ahead: bytes read but not yet taken
 * @ahead_count: how many
 */
struct bytes {
	FILE *file;
	char *name;
	uint64_t start;
	uint64_t offset;
	uint64_t size;
	unsigned char ahead[SOURCE_PEEK_MAX];
	size_t ahead_count;
};

/**
 * struct source - where rows or ids come from
 * @bytes: the file
 * @format: its format, never SOURCE_AUTO once open
 * @element: enum vexfs_element of its rows
 * @dim: elements of a row
 * @rows: rows (or ids) in all, SOURCE_UNKNOWN if it cannot be told beforehand
 * @row: rows (or ids) read so far
 * @id_bytes: bytes of an id in an array of ids; ids of a text have 0
 * @id_signed: are the ids signed there
 * @error: what is wrong, when a function failed
 */
struct source {
	struct bytes bytes;
	enum source_format format;
	unsigned int element;
	uint32_t dim;
	uint64_t rows;
	uint64_t row;
	unsigned int id_bytes;
	bool id_signed;
	char error[SOURCE_ERROR_MAX];
};

/**
 * source_format_parse - the format of a name
 * @name: "auto", "fvecs", "bvecs", "ivecs", "npy", "raw", "u64" or "text"
 * @format: the format
 *
 * Return: false if there is none of that name.
 */
bool source_format_parse(const char *name, enum source_format *format);

/**
 * source_format_of_name - the format that a file's name promises
 * @name: the file's name
 *
 * Return: the format, SOURCE_AUTO if the name says nothing.
 */
enum source_format source_format_of_name(const char *name);

/**
 * source_open - open a source of rows
 * @source: filled in
 * @name: a file's name, or "-" for standard input
 * @format: SOURCE_AUTO to find out by contents and name
 * @dim: elements of a row, for SOURCE_RAW (others say it themselves)
 * @element: enum vexfs_element, for SOURCE_RAW
 *
 * As far as the size of the file tells, damage is found here and not later.
 *
 * Return: false if it cannot be; nothing needs closing then.
 */
bool source_open(struct source *source, const char *name, enum source_format format,
		 uint32_t dim, unsigned int element);

/**
 * source_open_ids - open a source of ids
 * @source: filled in
 * @name: a file's name, or "-" for standard input
 * @format: SOURCE_AUTO to find out by contents and name
 *
 * Return: false if it cannot be; nothing needs closing then.
 */
bool source_open_ids(struct source *source, const char *name, enum source_format format);

/**
 * source_read - the next rows
 * @source: from source_open()
 * @rows: room for @most rows
 * @most: rows wanted
 *
 * Return: rows read, fewer than @most only at the end; -1 when the source is
 * damaged or cannot be read.
 */
int64_t source_read(struct source *source, void *rows, uint64_t most);

/**
 * source_read_ids - the next ids
 * @source: from source_open_ids()
 * @ids: room for @most ids
 * @most: ids wanted
 *
 * Return: as for source_read().
 */
int64_t source_read_ids(struct source *source, uint64_t *ids, uint64_t most);

/**
 * source_close - close a source
 * @source: from source_open() or source_open_ids()
 */
void source_close(struct source *source);

/* What the formats share. In source_bytes.c: */

/**
 * source_fail - put a sentence into the source's error
 * @source: the source
 * @format: printf-like; the source's name is put before it
 *
 * Return: false.
 */
__attribute__((format(printf, 2, 3)))
bool source_fail(struct source *source, const char *format, ...);

/**
 * source_bytes_open - open the file of a source
 * @source: the source, all zero
 * @name: a file's name, or "-" for standard input
 *
 * Return: false if it cannot be opened.
 */
bool source_bytes_open(struct source *source, const char *name);

/**
 * source_bytes_close - close it
 * @source: the source
 */
void source_bytes_close(struct source *source);

/**
 * source_peek - the bytes that come next, without taking them
 * @source: the source
 * @count: how many, SOURCE_PEEK_MAX at most
 *
 * Return: how many there are, @count at most; they are in @source->bytes.ahead.
 */
size_t source_peek(struct source *source, size_t count);

/**
 * source_take - take the next bytes
 * @source: the source
 * @to: room for them
 * @count: how many
 *
 * Return: how many there were, fewer than @count only at the end; a failure to
 * read is an end, too: ask source_bytes_failed().
 */
size_t source_take(struct source *source, void *to, size_t count);

/**
 * source_bytes_failed - did reading fail, and why
 * @source: the source, after something came short
 *
 * Return: true if so; the error is set.
 */
bool source_bytes_failed(struct source *source);

/**
 * source_rest - bytes that have not been taken
 * @source: the source
 *
 * Return: bytes, or SOURCE_UNKNOWN.
 */
uint64_t source_rest(const struct source *source);

/* In source_vecs.c, source_npy.c, source_raw.c, source_ids.c: the formats */
bool source_vecs_open(struct source *source);
int64_t source_vecs_read(struct source *source, void *rows, uint64_t most);
int64_t source_ivecs_read(struct source *source, uint64_t *ids, uint64_t most);
bool source_npy_open(struct source *source);
bool source_npy_open_ids(struct source *source);
bool source_raw_open(struct source *source);
int64_t source_raw_read(struct source *source, void *rows, uint64_t most);

/* Bytes of the header of a NumPy array that is written. */
#define NPY_HEADER_BYTES 128

/**
 * npy_header_format - the header of a NumPy array file
 * @header: room for NPY_HEADER_BYTES
 * @descr: the type, such as "<f4"
 * @rows: rows
 * @dim: elements of a row; 0 for an array of one dimension
 *
 * Always of the same length, so that it can be written again when the rows
 * have been counted.
 */
void npy_header_format(char *header, const char *descr, uint64_t rows, uint32_t dim);

#endif /* VEXFS_SOURCE_H */
