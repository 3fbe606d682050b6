/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options that several subcommands read alike. Each function tells what is wrong
 * with an argument and returns an exit code, or 0.
 */
#ifndef VEXFS_ARGUMENTS_H
#define VEXFS_ARGUMENTS_H

#include <getopt.h>
#include <stdint.h>

#include "source.h"

/* Values of long options that have no letter. */
enum long_option {
	OPTION_JSON = 256,
	OPTION_DIM,
	OPTION_TYPE,
	OPTION_METRIC,
	OPTION_IDS,
	OPTION_INHERIT,
	OPTION_FORMAT,
	OPTION_IDS_FORMAT,
	OPTION_BATCH,
	OPTION_FSYNC,
	OPTION_CONVERT,
	OPTION_ALL,
	OPTION_OUT,
	OPTION_IDS_OUT,
	OPTION_FROM,
	OPTION_IGNORE_MISSING,
	OPTION_QUERY,
	OPTION_VECTOR,
	OPTION_ID,
	OPTION_THREADS,
	OPTION_LIMIT,
	OPTION_RADIUS,
	OPTION_MAX,
	OPTION_EXACT,
	OPTION_EFFORT,
	OPTION_RECALL,
	OPTION_INDEX,
	OPTION_COLUMNS,
	OPTION_ATTRIBUTES,
	OPTION_WHERE,
	OPTION_LISTS,
	OPTION_WAIT,
	OPTION_BUILD_ONLY,
	OPTION_REPLACE,
};

/**
 * argument_number - a whole number within limits
 * @option: the option's name, for messages
 * @text: its argument
 * @least: smallest number taken
 * @most: greatest number taken
 * @value: the number
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_number(const char *option, const char *text, uint64_t least, uint64_t most,
		    uint64_t *value);

/**
 * argument_element - an element type
 * @text: "f32", "f16", "i8" or "u8"
 * @element: enum vexfs_element
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_element(const char *text, unsigned int *element);

/**
 * argument_metric - a metric
 * @text: "l2", "ip", "cosine" or "l1"
 * @metric: enum vexfs_metric
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_metric(const char *text, unsigned int *metric);

/**
 * argument_index - a way to find rows
 * @text: "auto", "scan", "hnsw" or "ivf"
 * @index: enum vexfs_index_type
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_index(const char *text, unsigned int *index);

/**
 * argument_recall - a recall aimed at
 * @text: a number above 0 and up to 1, with up to four decimals that count
 * @recall: in units of 1/VEXFS_RECALL_ONE
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_recall(const char *text, unsigned int *recall);

/**
 * argument_format - a format of sources
 * @text: the format's name
 * @format: the format
 *
 * Return: 0 or EXIT_USAGE.
 */
int argument_format(const char *text, enum source_format *format);

/**
 * argument_ids - ids that are named on the command line
 * @texts: their texts
 * @count: how many
 * @ids: an array that the caller frees
 *
 * Return: 0 or an exit code.
 */
int argument_ids(char **texts, int count, uint64_t **ids);

/**
 * argument_unknown - tell that getopt_long() met what it does not know
 * @option: what it returned: '?' or ':'
 * @argv: the arguments
 *
 * Return: EXIT_USAGE.
 */
int argument_unknown(int option, char **argv);

#endif /* VEXFS_ARGUMENTS_H */
