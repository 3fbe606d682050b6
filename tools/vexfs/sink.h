/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that rows and ids are written to.
 */
#ifndef VEXFS_SINK_H
#define VEXFS_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "source.h"

/**
 * struct sink - a file being written
 * @file: the file
 * @name: its name, "-" for standard output
 * @format: SOURCE_FVECS, SOURCE_BVECS, SOURCE_NPY, SOURCE_RAW; for ids
 *	SOURCE_NPY, SOURCE_U64 or SOURCE_TEXT
 * @element: enum vexfs_element of the rows; 0 for ids
 * @dim: elements of a row; 0 for ids
 * @rows: rows or ids written so far
 */
struct sink {
	FILE *file;
	const char *name;
	enum source_format format;
	unsigned int element;
	uint32_t dim;
	uint64_t rows;
};

/**
 * sink_open - begin a file
 * @sink: filled in
 * @name: its name, "-" for standard output; must outlive @sink
 * @format: SOURCE_AUTO to go by the name
 * @element: enum vexfs_element of the rows; 0 for ids
 * @dim: elements of a row; 0 for ids
 * @rows: how many rows there will be, for a .npy that cannot be gone back in;
 *	SOURCE_UNKNOWN when that is not known
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int sink_open(struct sink *sink, const char *name, enum source_format format,
	      unsigned int element, uint32_t dim, uint64_t rows);

/**
 * sink_write - write rows or ids
 * @sink: the file
 * @rows: @count rows, or @count 64-bit ids
 * @count: how many
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int sink_write(struct sink *sink, const void *rows, uint64_t count);

/**
 * sink_close - end the file, or remove it after a failure
 * @sink: the file
 * @code: the exit code so far; when it is not 0, the file is removed
 *
 * Return: @code, or that of a failure here.
 */
int sink_close(struct sink *sink, int code);

#endif /* VEXFS_SINK_H */
