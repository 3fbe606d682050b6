// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs stats: what happened to a vector file since it came into memory.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "command.h"
#include "json.h"

static const char help[] =
"Usage: vexfs stats FILE [--json]\n"
"\n"
"Prints what happened to FILE since the kernel took it into memory: searches, rows\n"
"looked at, time spent, rows inserted and deleted.\n"
"\n"
HELP_COMMON
"\n"
"Example:\n"
"  vexfs stats photos\n"
"\n"
"JSON: {\"file\",\"knn_queries\",\"range_queries\",\"rows_scanned\",\"exact_decisions\",\n"
"\"search_ns\",\"rows_inserted\",\"insert_batches\",\"rows_deleted\",\"interrupted\",\n"
"\"restarted\",\"codes_compared\",\"exact_distances\",\"pages_missed\"}\n";

struct counter {
	const char *key;
	const char *meaning;
	uint64_t value;
};

#define COUNTERS 13

static void list_counters(const struct vexfs_search_stats *stats, struct counter *counters)
{
	const struct counter list[COUNTERS] = {
		{ "knn_queries", "queries for nearest rows", stats->knn_queries },
		{ "range_queries", "calls for rows within a radius", stats->range_queries },
		{ "rows_scanned", "rows looked at, once for all queries of a pass",
		  stats->rows_scanned },
		{ "codes_compared", "codes of rows compared with queries", stats->codes_compared },
		{ "exact_distances", "distances computed from the rows themselves",
		  stats->exact_distances },
		{ "pages_missed", "pages that were not in memory", stats->pages_missed },
		{ "exact_decisions", "comparisons that took wide arithmetic",
		  stats->exact_decisions },
		{ "search_ns", "nanoseconds in searches", stats->search_ns },
		{ "rows_inserted", "rows inserted in batches", stats->rows_inserted },
		{ "insert_batches", "batches inserted", stats->insert_batches },
		{ "rows_deleted", "rows deleted", stats->rows_deleted },
		{ "interrupted", "searches ended by a signal", stats->interrupted },
		{ "restarted", "searches repeated as rows were renumbered", stats->restarted },
	};
	int i;

	for (i = 0; i < COUNTERS; i++)
		counters[i] = list[i];
}

static void print_stats(const char *file, const struct vexfs_search_stats *stats, bool as_json)
{
	struct counter counters[COUNTERS];
	struct json json = { .out = stdout };
	int i;

	list_counters(stats, counters);
	if (!as_json) {
		for (i = 0; i < COUNTERS; i++)
			printf("%-16s %20" PRIu64 "  %s\n", counters[i].key, counters[i].value,
			       counters[i].meaning);
		return;
	}
	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, file);
	for (i = 0; i < COUNTERS; i++) {
		json_key(&json, counters[i].key);
		json_u64(&json, counters[i].value);
	}
	json_close(&json, '}');
	json_end_line(&json);
}

static int run(int argc, char **argv)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	struct vexfs_search_stats stats;
	struct vector_file file;
	bool json = false;
	int option, code, rc;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option != OPTION_JSON)
			return argument_unknown(option, argv);
		json = true;
	}
	if (argc - optind != 1)
		return fail(EXIT_USAGE, "one file is to be named");
	code = vector_file_open(&file, argv[optind], O_RDONLY);
	if (code != 0)
		return code;
	rc = vexfs_stats(file.fd, &stats);
	if (rc < 0)
		code = fail_call(VEXFS_OPERATION_STATS, rc, file.name, VEXFS_UNKNOWN);
	else
		print_stats(file.name, &stats, json);
	vector_file_close(&file);
	return code;
}

const struct command stats_command = {
	.name = "stats",
	.summary = "tell how often a file was searched, and what that took",
	.help = help,
	.run = run,
};
