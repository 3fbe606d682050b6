/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading rows of a source into a vector file, batch by batch.
 */
#ifndef VEXFS_LOAD_H
#define VEXFS_LOAD_H

#include "columns.h"
#include "command.h"
#include "progress.h"
#include "source.h"

/**
 * struct load - a load
 * @rows: where rows come from, open
 * @ids: where ids come from, open; meaningful when @own_ids
 * @own_ids: do the rows bring their ids
 * @schema: of the vector file
 * @convert: may elements be converted
 * @replace: do rows take the place of others with the same ids
 * @attributes: where attributes come from, open; or its in is NULL
 * @raw: room for rows that need to be converted
 * @raw_rows: rows that @raw has room for
 * @progress: the line on the terminal
 * @stream: the batches
 * @error: what is wrong with a source, when load_run() returned -ECANCELED
 */
struct load {
	struct source rows;
	struct source ids;
	bool own_ids;
	struct vexfs_schema schema;
	bool convert;
	bool replace;
	struct attribute_file attributes;
	void *raw;
	uint64_t raw_rows;
	struct progress progress;
	struct vexfs_insert_stream stream;
	char error[SOURCE_ERROR_MAX];
};

/**
 * load_check - does the source fit the file, as far as can be told beforehand
 * @load: all set but @progress, @stream and @error
 * @file: the file's name, for messages
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int load_check(const struct load *load, const char *file);

/**
 * load_run - insert all rows
 * @load: the load, checked
 * @fd: the vector file
 * @batch_rows: rows a batch; 0 to choose
 * @seconds: how long it took
 *
 * Return: 0, -ECANCELED when a source is damaged, or an error of
 * vexfs_insert_stream().
 */
int load_run(struct load *load, int fd, uint64_t batch_rows, double *seconds);

#endif /* VEXFS_LOAD_H */
