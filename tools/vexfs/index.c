// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs index: builds the index of a vector file, drops it, and tells what there is
 * and how a build goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "command.h"
#include "json.h"
#include "number.h"
#include "progress.h"

static const char help[] =
"Usage: vexfs index build FILE [--type hnsw|ivf] [--effort N] [--lists N]\n"
"                              [--threads N] [--wait] [--json]\n"
"       vexfs index status FILE [--json]\n"
"       vexfs index drop FILE [--build-only] [--json]\n"
"\n"
"An index lets searches look at few of the rows. The kernel builds it in the\n"
"background, also after this command has ended; the index that FILE has serves until\n"
"the new one is whole. Rows inserted later are added in the background too, and\n"
"searches see them at once.\n"
"\n"
"  --type hnsw|ivf    a graph (hnsw, if not given), or lists around centres (ivf),\n"
"                     which are built faster and suit a disk\n"
"  --effort N         hnsw: rows looked at for a row's links, 16 to 2000 (200)\n"
"  --lists N          ivf: how many lists, 1 to 32768 (as the rows suggest)\n"
"  --threads N        hnsw: threads of low priority that build, 1 to 64 (one a processor,\n"
"                     at most 4)\n"
"  --wait             return when the index is whole; on a terminal, say how far it is\n"
"  --build-only       cancel a build, but leave an index that is whole\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs index build photos --wait\n"
"  vexfs index status photos\n"
"\n"
"JSON: {\"file\",\"type\",\"state\":\"none\"|\"ready\"|\"damaged\",\"building\",\"progress\",\n"
"\"error\",\"rows\",\"rows_covered\",\"rows_encoded\",\"effort\",\"lists\",\n"
"\"effort_90\",\"effort_95\",\"effort_99\",\"sketch_bits\",\"bytes\",\"sketch_bytes\",\n"
"\"build_seconds\"}; type and building are null if there is none.\n";

static const char *const states[] = {
	[VEXFS_INDEX_NONE] = "none",
	[VEXFS_INDEX_READY] = "ready",
	[VEXFS_INDEX_DAMAGED] = "damaged",
};

/**
 * struct index_options - what the command line wants
 * @file: the vector file
 * @build: what to build
 * @wait: wait for it
 * @build_only: drop no index that is whole
 * @json: print JSON
 */
struct index_options {
	const char *file;
	struct vexfs_build_index build;
	bool wait;
	bool build_only;
	bool json;
};

static const char *state_name(uint32_t state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state] : "unknown";
}

static void print_type(struct json *json, const char *key, uint32_t type)
{
	const char *name = type ? vexfs_index_name(type) : NULL;

	json_key(json, key);
	if (name)
		json_text(json, name);
	else
		json_null(json);
}

static void print_json(const char *file, const struct vexfs_index_status *status)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "rows", status->rows },
		{ "rows_covered", status->rows_covered },
		{ "rows_encoded", status->rows_encoded },
		{ "effort", status->effort },
		{ "lists", status->lists },
		{ "effort_90", status->effort_targets[0] },
		{ "effort_95", status->effort_targets[1] },
		{ "effort_99", status->effort_targets[2] },
		{ "sketch_bits", status->sketch_bits },
		{ "bytes", status->bytes },
		{ "sketch_bytes", status->sketch_bytes },
	};
	struct json json = { .out = stdout };
	size_t i;

	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, file);
	print_type(&json, "type", status->type);
	json_key(&json, "state");
	json_text(&json, state_name(status->state));
	print_type(&json, "building", status->building);
	json_key(&json, "progress");
	json_double(&json, status->progress / 10000.0);
	json_key(&json, "error");
	json_u64(&json, status->error);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_key(&json, numbers[i].key);
		json_u64(&json, numbers[i].value);
	}
	json_key(&json, "build_seconds");
	json_double(&json, (double)status->build_ns * 1e-9);
	json_close(&json, '}');
	json_end_line(&json);
}

static void print_text(const struct vexfs_index_status *status)
{
	char bytes[NUMBER_TEXT_MAX], seconds[NUMBER_TEXT_MAX];

	if (status->type)
		printf("index        %s, %s\n", vexfs_index_name(status->type),
		       state_name(status->state));
	else
		printf("index        none\n");
	printf("rows         %" PRIu64 ", %" PRIu64 " in the index, %" PRIu64 " with a sketch\n",
	       (uint64_t)status->rows, (uint64_t)status->rows_covered,
	       (uint64_t)status->rows_encoded);
	if (status->type == VEXFS_INDEX_HNSW)
		printf("built with   effort %" PRIu32 "\n", status->effort);
	if (status->type == VEXFS_INDEX_IVF)
		printf("lists        %" PRIu32 "\n", status->lists);
	if (status->type) {
		printf("effort       %" PRIu32 " for recall .90, %" PRIu32 " for .95, %" PRIu32
		       " for .99\n", status->effort_targets[0], status->effort_targets[1],
		       status->effort_targets[2]);
		format_seconds(seconds, (double)status->build_ns * 1e-9);
		printf("size         %s, built in %s\n", format_bytes(bytes, status->bytes),
		       seconds);
	}
	if (status->sketch_bits)
		printf("sketches     %" PRIu32 " bits an element, %s\n", status->sketch_bits,
		       format_bytes(bytes, status->sketch_bytes));
	if (status->building)
		printf("building     %s, %.1f%% done\n", vexfs_index_name(status->building),
		       status->progress / 100.0);
	else if (status->error)
		printf("last build   %s\n", strerror((int)status->error));
}

static int show_progress(void *arg, const struct vexfs_index_status *status)
{
	struct progress *progress = arg;

	progress->total = status->rows;
	progress_show(progress, status->rows * status->progress / 10000);
	return 0;
}

static int tell_status(const struct index_options *options, const struct vector_file *file)
{
	struct vexfs_index_status status;
	int rc = vexfs_index_status(file->fd, &status);

	if (rc < 0)
		return fail_call(VEXFS_OPERATION_INDEX, rc, file->name, VEXFS_UNKNOWN);
	if (options->json)
		print_json(file->name, &status);
	else
		print_text(&status);
	return 0;
}

static int build(const struct index_options *options, const struct vector_file *file)
{
	struct vexfs_index_status status;
	struct progress progress;
	int rc = vexfs_index_build(file->fd, &options->build);

	if (rc == 0 && options->wait) {
		progress_begin(&progress, "index", "rows", file->schema.rows);
		rc = vexfs_index_wait(file->fd, &status, show_progress, &progress);
		progress_end(&progress);
	}
	if (rc < 0)
		return fail_call(VEXFS_OPERATION_INDEX, rc, file->name, VEXFS_UNKNOWN);
	return options->wait || options->json ? tell_status(options, file) : 0;
}

static int drop(const struct index_options *options, const struct vector_file *file)
{
	int rc = vexfs_index_drop(file->fd, options->build_only ? VEXFS_DROP_BUILD : 0);

	if (rc < 0)
		return fail_call(VEXFS_OPERATION_INDEX, rc, file->name, VEXFS_UNKNOWN);
	return options->json ? tell_status(options, file) : 0;
}

static int take_number(const char *option, uint32_t least, uint32_t most, uint32_t *value)
{
	uint64_t number;
	int code = argument_number(option, optarg, least, most, &number);

	if (code == 0)
		*value = (uint32_t)number;
	return code;
}

static int take_option(int option, struct index_options *options)
{
	int type;

	switch (option) {
	case OPTION_TYPE:
		type = vexfs_index_parse(optarg);
		if (type != VEXFS_INDEX_HNSW && type != VEXFS_INDEX_IVF)
			return fail(EXIT_USAGE, "--type %s: there are hnsw and ivf", optarg);
		options->build.type = (uint32_t)type;
		return 0;
	case OPTION_EFFORT:
		return take_number("--effort", VEXFS_EFFORT_MIN, VEXFS_EFFORT_MAX,
				   &options->build.effort);
	case OPTION_LISTS:
		return take_number("--lists", 1, VEXFS_LISTS_MAX, &options->build.lists);
	case OPTION_THREADS:
		return take_number("--threads", 1, VEXFS_BUILD_THREADS_MAX,
				   &options->build.threads);
	case OPTION_WAIT:
		options->wait = true;
		return 0;
	case OPTION_BUILD_ONLY:
		options->build_only = true;
		return 0;
	default:
		options->json = true;
		return 0;
	}
}

static int parse_options(int argc, char **argv, struct index_options *options)
{
	static const struct option table[] = {
		{ "type", required_argument, NULL, OPTION_TYPE },
		{ "effort", required_argument, NULL, OPTION_EFFORT },
		{ "lists", required_argument, NULL, OPTION_LISTS },
		{ "threads", required_argument, NULL, OPTION_THREADS },
		{ "wait", no_argument, NULL, OPTION_WAIT },
		{ "build-only", no_argument, NULL, OPTION_BUILD_ONLY },
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
	if (argc - optind != 2)
		return fail(EXIT_USAGE, "build, status or drop, and one file are to be named");
	options->file = argv[optind + 1];
	if (options->build.type == VEXFS_INDEX_HNSW && options->build.lists)
		return fail(EXIT_USAGE, "--lists is for ivf");
	if (options->build.type == VEXFS_INDEX_IVF && options->build.effort)
		return fail(EXIT_USAGE, "--effort is for hnsw");
	if (options->build.type == VEXFS_INDEX_IVF && options->build.threads)
		return fail(EXIT_USAGE, "--threads is for hnsw");
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct {
		const char *name;
		int flags;
		int (*run)(const struct index_options *options, const struct vector_file *file);
	} actions[] = {
		{ "build", O_RDWR, build },
		{ "status", O_RDONLY, tell_status },
		{ "drop", O_RDWR, drop },
	};
	struct index_options options = { .build = { .type = VEXFS_INDEX_HNSW } };
	struct vector_file file;
	int code = parse_options(argc, argv, &options);
	size_t i;

	if (code != 0)
		return code;
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(argv[optind], actions[i].name) == 0)
			break;
	if (i == sizeof(actions) / sizeof(actions[0]))
		return fail(EXIT_USAGE, "there is no 'vexfs index %s'; there are build, status "
			    "and drop", argv[optind]);
	code = vector_file_open(&file, options.file, actions[i].flags);
	if (code != 0)
		return code;
	code = actions[i].run(&options, &file);
	vector_file_close(&file);
	return code;
}

const struct command index_command = {
	.name = "index",
	.summary = "build, look at and drop the index of a file",
	.help = help,
	.run = run,
};
