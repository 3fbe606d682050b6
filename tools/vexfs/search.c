// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs search: the nearest rows of one or many queries.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arguments.h"
#include "columns.h"
#include "command.h"
#include "progress.h"
#include "query.h"
#include "results.h"

static const char help[] =
"Usage: vexfs search FILE --query SOURCE|- [OPTION]...\n"
"       vexfs search FILE --vector '0.1,0.2,...' [OPTION]...\n"
"       vexfs search FILE --id ID [OPTION]...\n"
"\n"
"Finds the K rows nearest to each query. Prints a line for each: the\n"
"query's number (from 0), the rank (from 1), the row's id, the distance. Smaller is\n"
"nearer, for every metric; rows at the same distance are ordered by id.\n"
"\n"
"  --query SOURCE     queries: the rows of a file (or -): fvecs, bvecs, npy, raw\n"
"  --vector NUMBERS   one query, as numbers parted by commas or blanks\n"
"  --id ID            one query: the row of FILE with this id (it will find itself)\n"
"  -k, --k K          results for each query, 1 to 65536 (10)\n"
"  --metric METRIC    l2 (squared), ip (negated inner product), cosine (1 - cosine),\n"
"                     l1 (the file's own, see 'vexfs info')\n"
"  --format FORMAT    SOURCE's format: fvecs, bvecs, npy, raw (rows as in FILE), auto\n"
"  --convert          let queries of another type than FILE's be converted to f32\n"
"  --limit N          only the first N queries of SOURCE\n"
"  --exact            the answer of brute force, provably; without it 99% of the\n"
"                     true nearest rows or more are found, several times faster\n"
"  --recall R         aim at this share of the true nearest rows (0.99)\n"
"  --effort N         look at so much: rows looked at exactly (scan), candidates\n"
"                     (hnsw), lists (ivf); instead of --recall\n"
"  --index INDEX      auto, scan, hnsw, ivf (auto)\n"
"  --where FILTER     only rows whose attributes hold: comparisons (= != < <= > >= in,\n"
"                     is null) put together with and, or, not, parentheses\n"
"  --threads N        threads that share the rows of FILE, or the queries if it has\n"
"                     an index (one a CPU)\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs search photos --id 17 -k 5\n"
"  vexfs search photos --query queries.npy -k 100 --metric ip\n"
"  vexfs search goods --id 3 --where 'price < 20 and lang in (\"en\", \"de\") and not sold'\n"
"  vexfs search points --vector '0.5, -1.25'\n"
"  vexfs search sift --query query.fvecs --limit 10 --json\n"
"\n"
"JSON, a line for each query: {\"query\",\"results\":[{\"id\",\"distance\"},...]}\n";

/* A call takes as many queries as share a pass in the kernel, and fit this memory. */
#define QUERIES_A_CALL		256U
#define RESULTS_BYTES_A_CALL	(64U << 20)

struct search_options {
	const char *file;
	struct query_options query;
	uint64_t k;
	unsigned int metric;
	const char *where;
	bool exact;
	unsigned int recall;
	uint64_t effort;
	unsigned int index;
	uint64_t threads;
	bool json;
};

/**
 * struct searcher - a search under way
 * @options: what the user wants
 * @file: where
 * @queries: for what
 * @rows: room for @most queries
 * @results: room for their results
 * @counts: room for how many these are
 * @filter: --where as a program, or NULL
 * @filter_bytes: its bytes
 * @most: queries a call
 * @first: number of the first query of the call
 */
struct searcher {
	const struct search_options *options;
	const struct vector_file *file;
	struct queries queries;
	void *rows;
	struct vexfs_result *results;
	uint32_t *counts;
	void *filter;
	size_t filter_bytes;
	uint64_t most;
	uint64_t first;
};

static int take_option(int option, struct search_options *options)
{
	switch (option) {
	case 'k':
		return argument_number("-k", optarg, VEXFS_K_MIN, VEXFS_K_MAX, &options->k);
	case OPTION_METRIC:
		return argument_metric(optarg, &options->metric);
	case OPTION_EXACT:
		options->exact = true;
		return 0;
	case OPTION_RECALL:
		return argument_recall(optarg, &options->recall);
	case OPTION_EFFORT:
		return argument_number("--effort", optarg, 1, UINT32_MAX, &options->effort);
	case OPTION_INDEX:
		return argument_index(optarg, &options->index);
	case OPTION_THREADS:
		return argument_number("--threads", optarg, 1, VEXFS_THREADS_MAX,
				       &options->threads);
	case OPTION_WHERE:
		options->where = optarg;
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	default:
		return query_take_option(option, &options->query);
	}
}

static int parse_options(int argc, char **argv, struct search_options *options)
{
	static const struct option table[] = {
		{ "k", required_argument, NULL, 'k' },
		{ "metric", required_argument, NULL, OPTION_METRIC },
		{ "threads", required_argument, NULL, OPTION_THREADS },
		{ "exact", no_argument, NULL, OPTION_EXACT },
		{ "recall", required_argument, NULL, OPTION_RECALL },
		{ "effort", required_argument, NULL, OPTION_EFFORT },
		{ "index", required_argument, NULL, OPTION_INDEX },
		{ "where", required_argument, NULL, OPTION_WHERE },
		QUERY_OPTIONS,
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, ":k:", table, NULL)) != -1) {
		int code = option == '?' || option == ':' ? argument_unknown(option, argv) :
			   take_option(option, options);

		if (code != 0)
			return code;
	}
	if (argc - optind != 1)
		return fail(EXIT_USAGE, "one file is to be named");
	if (options->exact + (options->recall != 0) + (options->effort != 0) > 1)
		return fail(EXIT_USAGE, "only one of --exact, --recall and --effort can be given");
	if (options->exact && options->index > VEXFS_INDEX_SCAN)
		return fail(EXIT_USAGE, "--exact is for --index auto and scan");
	options->file = argv[optind];
	return query_check(&options->query);
}

static int search_some(struct searcher *searcher, uint64_t count)
{
	const struct search_options *options = searcher->options;
	struct vexfs_knn_search search;
	uint64_t i;
	int rc;

	vexfs_knn_init(&search, &searcher->file->schema, searcher->queries.element,
		       searcher->rows, (uint32_t)count, (uint32_t)options->k, searcher->results,
		       searcher->counts);
	search.metric = options->metric;
	search.flags = options->exact ? VEXFS_SEARCH_EXACT : 0;
	search.target_recall = options->recall;
	search.effort = (uint32_t)options->effort;
	search.index = options->index;
	search.filter = (uintptr_t)searcher->filter;
	search.filter_bytes = searcher->filter_bytes;
	rc = vexfs_knn_parallel(searcher->file->fd, &search, (unsigned int)options->threads);
	if (rc < 0)
		return fail_call(VEXFS_OPERATION_KNN, rc, options->file, VEXFS_UNKNOWN);
	for (i = 0; i < count; i++)
		results_print(options->json, searcher->first + i,
			      searcher->results + i * options->k,
			      searcher->counts[i]);
	return 0;
}

static int search_all(struct searcher *searcher)
{
	struct progress progress;
	uint64_t count;
	int code;

	progress_begin(&progress, "search", "queries", queries_total(&searcher->queries));
	/* Two that write to one terminal would only disturb each other. */
	progress.visible = progress.visible && !isatty(STDOUT_FILENO);
	do {
		code = queries_take(&searcher->queries, searcher->rows, searcher->most, &count);
		if (code == 0 && count > 0)
			code = search_some(searcher, count);
		searcher->first += count;
		progress_show(&progress, searcher->first);
	} while (code == 0 && count > 0 && !ferror(stdout));
	progress_end(&progress);
	return code;
}

static int search_file(const struct search_options *options, const struct vector_file *file)
{
	struct searcher searcher = { .options = options, .file = file };
	uint64_t total;
	int code = 0;

	if (options->where)
		code = where_parse(options->where, file, &searcher.filter,
				   &searcher.filter_bytes);
	if (code == 0)
		code = queries_open(&searcher.queries, &options->query, file);
	if (code != 0) {
		free(searcher.filter);
		return code;
	}
	total = queries_total(&searcher.queries);
	searcher.most = RESULTS_BYTES_A_CALL / (options->k * sizeof(*searcher.results));
	if (searcher.most > QUERIES_A_CALL)
		searcher.most = QUERIES_A_CALL;
	if (searcher.most > total)
		searcher.most = total;
	searcher.rows = malloc(searcher.most * queries_row_bytes(&searcher.queries));
	searcher.results = malloc(searcher.most * options->k * sizeof(*searcher.results));
	searcher.counts = calloc(searcher.most, sizeof(*searcher.counts));
	if (!searcher.rows || !searcher.results || !searcher.counts)
		code = fail(EXIT_FAILED, "not enough memory");
	else
		code = search_all(&searcher);
	free(searcher.rows);
	free(searcher.results);
	free(searcher.counts);
	free(searcher.filter);
	queries_close(&searcher.queries);
	return code;
}

static int run(int argc, char **argv)
{
	struct search_options options = { .k = 10, .query = QUERY_DEFAULTS };
	struct vector_file file;
	int code = parse_options(argc, argv, &options);

	if (code == 0)
		code = vector_file_open(&file, options.file, O_RDONLY);
	if (code != 0)
		return code;
	code = search_file(&options, &file);
	vector_file_close(&file);
	return code;
}

const struct command search_command = {
	.name = "search",
	.summary = "find the nearest rows of one or many queries",
	.help = help,
	.run = run,
};
