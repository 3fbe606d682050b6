/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing what a search found.
 */
#ifndef VEXFS_RESULTS_H
#define VEXFS_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <vexfs.h>

/**
 * results_print - print the results of one query
 * @json: a line of JSON, or a line of text for each result
 * @query: the query's number
 * @results: what was found, nearest first
 * @count: how many
 */
void results_print(bool json, uint64_t query, const struct vexfs_result *results,
		   uint64_t count);

#endif /* VEXFS_RESULTS_H */
