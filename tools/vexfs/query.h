/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries of search and range: from a source, from the command line, or a row
 * of the file itself.
 */
#ifndef VEXFS_QUERY_H
#define VEXFS_QUERY_H

#include "command.h"
#include "source.h"

/**
 * struct query_options - what the command line says about queries
 * @source: --query, or NULL
 * @format: --format
 * @vector: --vector, or NULL
 * @id: --id, or NULL
 * @limit: --limit: at most so many queries
 * @convert: --convert: may queries be converted to what the file takes
 */
struct query_options {
	const char *source;
	enum source_format format;
	const char *vector;
	const char *id;
	uint64_t limit;
	bool convert;
};

#define QUERY_DEFAULTS { .limit = UINT64_MAX }

/* The part of a subcommand's table of options that query_take_option() sees to. */
#define QUERY_OPTIONS \
	{ "query", required_argument, NULL, OPTION_QUERY }, \
	{ "vector", required_argument, NULL, OPTION_VECTOR }, \
	{ "id", required_argument, NULL, OPTION_ID }, \
	{ "format", required_argument, NULL, OPTION_FORMAT }, \
	{ "convert", no_argument, NULL, OPTION_CONVERT }, \
	{ "limit", required_argument, NULL, OPTION_LIMIT }

/**
 * query_take_option - take an option that says what to look for
 * @option: one of QUERY_OPTIONS
 * @options: where it goes
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int query_take_option(int option, struct query_options *options);

/**
 * query_check - is it said once what to look for
 * @options: all options taken
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int query_check(const struct query_options *options);

/**
 * struct queries - queries, to be taken some at a time
 * @file: the vector file that they are for
 * @limit: how many are left to be taken
 * @element: enum vexfs_element as queries_take() gives them
 * @single: the one query, when it does not come from a source
 * @source: where they come from; meaningful when @single is NULL
 * @raw: room for rows of the source that need to be converted
 * @raw_rows: rows that @raw has room for
 */
struct queries {
	const struct vector_file *file;
	uint64_t limit;
	unsigned int element;
	void *single;
	struct source source;
	void *raw;
	uint64_t raw_rows;
};

/**
 * queries_open - make queries ready
 * @queries: filled in
 * @options: exactly one of source, vector and id is set
 * @file: the vector file that they are for; must outlive @queries
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int queries_open(struct queries *queries, const struct query_options *options,
		 const struct vector_file *file);

/**
 * queries_row_bytes - bytes of a query
 * @queries: the queries
 *
 * Return: bytes.
 */
size_t queries_row_bytes(const struct queries *queries);

/**
 * queries_total - how many queries there are
 * @queries: before the first was taken
 *
 * Return: how many, UINT64_MAX if that cannot be told beforehand.
 */
uint64_t queries_total(const struct queries *queries);

/**
 * queries_take - take the next queries
 * @queries: the queries
 * @to: room for @most queries
 * @most: how many at most
 * @count: how many were taken, 0 at the end
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int queries_take(struct queries *queries, void *to, uint64_t most, uint64_t *count);

/**
 * queries_close - give back what they hold
 * @queries: the queries
 */
void queries_close(struct queries *queries);

#endif /* VEXFS_QUERY_H */
