// SPDX-License-Identifier: Apache-2.0
/*
 * Printing what a search found; see results.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "number.h"
#include "results.h"

static void print_json(uint64_t query, const struct vexfs_result *results, uint64_t count)
{
	struct json json = { .out = stdout };
	uint64_t i;

	json_open(&json, '{');
	json_key(&json, "query");
	json_u64(&json, query);
	json_key(&json, "results");
	json_open(&json, '[');
	for (i = 0; i < count; i++) {
		json_open(&json, '{');
		json_key(&json, "id");
		json_u64(&json, results[i].id);
		json_key(&json, "distance");
		json_double(&json, vexfs_distance_to_double(results[i].distance));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	json_end_line(&json);
}

static void print_text(uint64_t query, const struct vexfs_result *results, uint64_t count)
{
	char distance[NUMBER_TEXT_MAX];
	uint64_t i;

	for (i = 0; i < count; i++)
		printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", query, i + 1,
		       (uint64_t)results[i].id,
		       format_double(distance, vexfs_distance_to_double(results[i].distance)));
}

void results_print(bool json, uint64_t query, const struct vexfs_result *results,
		   uint64_t count)
{
	if (json)
		print_json(query, results, count);
	else
		print_text(query, results, count);
}
