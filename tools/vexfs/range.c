// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs range: every row within a radius of one or many queries.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "columns.h"
#include "command.h"
#include "number.h"
#include "query.h"
#include "results.h"

static const char help[] =
"Usage: vexfs range FILE --radius R --query SOURCE|- [OPTION]...\n"
"       vexfs range FILE --radius R --vector '0.1,0.2,...' [OPTION]...\n"
"       vexfs range FILE --radius R --id ID [OPTION]...\n"
"\n"
"Finds every row whose distance to the query is at most R. Prints a line for each:\n"
"the query's number (from 0), the rank (from 1), the row's id, the distance; nearest\n"
"first, rows at the same distance ordered by id.\n"
"\n"
"  --radius R         greatest distance wanted, inclusive. For l2 it is squared: rows\n"
"                     closer than 3 are found with 9. For cosine it is 0 to 2, for ip\n"
"                     it may be negative\n"
"  --query SOURCE     queries: the rows of a file (or -): fvecs, bvecs, npy, raw\n"
"  --vector NUMBERS   one query, as numbers parted by commas or blanks\n"
"  --id ID            one query: the row of FILE with this id (it will find itself)\n"
"  --max N            stop after N rows for each query: the first N in the file that\n"
"                     are near enough, not the nearest N ('vexfs search' finds those)\n"
"  --metric METRIC    l2 (squared), ip (negated inner product), cosine (1 - cosine),\n"
"                     l1 (the file's own, see 'vexfs info')\n"
"  --format FORMAT    SOURCE's format: fvecs, bvecs, npy, raw (rows as in FILE), auto\n"
"  --convert          let queries of another type than FILE's be converted to f32\n"
"  --where FILTER     only rows whose attributes hold: comparisons (= != < <= > >= in,\n"
"                     is null) put together with and, or, not, parentheses\n"
"  --limit N          only the first N queries of SOURCE\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs range photos --id 17 --radius 0.1 --metric cosine   # near duplicates of 17\n"
"  vexfs range points --vector '0.5,-1.25' --radius 4\n"
"\n"
"JSON, a line for each query: {\"query\",\"results\":[{\"id\",\"distance\"},...]}\n";

struct range_options {
	const char *file;
	struct query_options query;
	double radius;
	bool has_radius;
	uint64_t max;
	unsigned int metric;
	const char *where;
	void *filter;
	size_t filter_bytes;
	bool json;
};

static int take_option(int option, struct range_options *options)
{
	switch (option) {
	case OPTION_RADIUS:
		options->has_radius = true;
		if (parse_double(optarg, &options->radius))
			return 0;
		return fail(EXIT_USAGE, "--radius %s: a finite number is wanted", optarg);
	case OPTION_MAX:
		return argument_number("--max", optarg, 1, UINT64_MAX, &options->max);
	case OPTION_METRIC:
		return argument_metric(optarg, &options->metric);
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

static int parse_options(int argc, char **argv, struct range_options *options)
{
	static const struct option table[] = {
		{ "radius", required_argument, NULL, OPTION_RADIUS },
		{ "max", required_argument, NULL, OPTION_MAX },
		{ "metric", required_argument, NULL, OPTION_METRIC },
		{ "where", required_argument, NULL, OPTION_WHERE },
		QUERY_OPTIONS,
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		int code = option == '?' || option == ':' ? argument_unknown(option, argv) :
			   take_option(option, options);

		if (code != 0)
			return code;
	}
	if (argc - optind != 1)
		return fail(EXIT_USAGE, "one file is to be named");
	options->file = argv[optind];
	if (!options->has_radius)
		return fail(EXIT_USAGE, "--radius is missing: the greatest distance wanted");
	return query_check(&options->query);
}

static int search_one(const struct range_options *options, const struct vector_file *file,
		      const struct queries *queries, uint64_t number, const void *query)
{
	struct vexfs_range_search search;
	struct vexfs_result *results;
	uint64_t count;
	int rc;

	vexfs_range_init(&search, &file->schema, queries->element, query, options->radius);
	search.metric = options->metric;
	search.filter = (uintptr_t)options->filter;
	search.filter_bytes = options->filter_bytes;
	rc = vexfs_range_all(file->fd, &search, options->max, &results, &count);
	if (rc < 0)
		return fail_call(VEXFS_OPERATION_RANGE, rc, options->file, VEXFS_UNKNOWN);
	results_print(options->json, number, results, count);
	free(results);
	return 0;
}

static int search_all(const struct range_options *options, const struct vector_file *file)
{
	struct queries queries;
	uint64_t number = 0, count;
	int code = queries_open(&queries, &options->query, file);
	void *query;

	if (code != 0)
		return code;
	query = malloc(queries_row_bytes(&queries));
	if (!query)
		code = fail(EXIT_FAILED, "not enough memory");
	while (code == 0 && !ferror(stdout)) {
		code = queries_take(&queries, query, 1, &count);
		if (code != 0 || count == 0)
			break;
		code = search_one(options, file, &queries, number++, query);
	}
	free(query);
	queries_close(&queries);
	return code;
}

static int run(int argc, char **argv)
{
	struct range_options options = { .query = QUERY_DEFAULTS };
	struct vector_file file;
	int code = parse_options(argc, argv, &options);

	if (code == 0)
		code = vector_file_open(&file, options.file, O_RDONLY);
	if (code != 0)
		return code;
	if (options.where)
		code = where_parse(options.where, &file, &options.filter, &options.filter_bytes);
	if (code == 0)
		code = search_all(&options, &file);
	free(options.filter);
	vector_file_close(&file);
	return code;
}

const struct command range_command = {
	.name = "range",
	.summary = "find every row within a distance of one or many queries",
	.help = help,
	.run = run,
};
