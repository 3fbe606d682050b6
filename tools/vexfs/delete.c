// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs delete: deletes rows by id.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "command.h"
#include "json.h"
#include "source.h"

static const char help[] =
"Usage: vexfs delete FILE ID... [OPTION]...\n"
"       vexfs delete FILE --from IDS [OPTION]...\n"
"\n"
"Deletes the rows with these ids, all of them or none: if one of the ids names no\n"
"row, nothing is deleted and the exit code is 3. Deleted rows are found by no search\n"
"from then on; their bytes stay in the file until it is compacted.\n"
"\n"
"  --from IDS         read the ids from a file (or -): npy (<u8 <i8 <u4 <i4), ivecs,\n"
"                     .u64 (64-bit little-endian), .txt (decimal); 16777216 at most\n"
"  --ids-format F     its format: npy, ivecs, u64, text, auto (auto)\n"
"  --ignore-missing   pass over ids that name no row\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs delete photos 17 42\n"
"  vexfs search photos --id 17 -k 3 --json | jq .results[].id | vexfs delete photos --from -\n"
"\n"
"JSON: {\"file\",\"deleted\",\"missing\"}\n";

#define IDS_ROOM_FIRST 4096U

struct delete_options {
	const char *file;
	const char *from;
	enum source_format ids_format;
	uint32_t flags;
	bool json;
};

static int parse_options(int argc, char **argv, struct delete_options *options)
{
	static const struct option table[] = {
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "ids-format", required_argument, NULL, OPTION_IDS_FORMAT },
		{ "ignore-missing", no_argument, NULL, OPTION_IGNORE_MISSING },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option, code = 0;

	while (code == 0 && (option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option == OPTION_FROM)
			options->from = optarg;
		else if (option == OPTION_IDS_FORMAT)
			code = argument_format(optarg, &options->ids_format);
		else if (option == OPTION_IGNORE_MISSING)
			options->flags |= VEXFS_DELETE_IGNORE_MISSING;
		else if (option == OPTION_JSON)
			options->json = true;
		else
			code = argument_unknown(option, argv);
	}
	if (code != 0)
		return code;
	if (argc == optind)
		return fail(EXIT_USAGE, "no file is named");
	options->file = argv[optind];
	if ((options->from != NULL) != (argc - optind == 1))
		return fail(EXIT_USAGE, "name ids, or say --from");
	if (options->ids_format != SOURCE_AUTO && !options->from)
		return fail(EXIT_USAGE, "--ids-format is for --from");
	return 0;
}

/* All ids of a source, in an array that the caller frees. */
static int read_ids(const struct delete_options *options, uint64_t **ids, uint64_t *count)
{
	uint64_t room = 0;
	struct source source;
	int64_t got;

	*ids = NULL;
	*count = 0;
	if (!source_open_ids(&source, options->from, options->ids_format))
		return fail(EXIT_BAD_INPUT, "%s", source.error);
	do {
		uint64_t wanted = room ? room * 2 : IDS_ROOM_FIRST;
		uint64_t *grown = realloc(*ids, wanted * sizeof(**ids));

		if (!grown) {
			source_close(&source);
			return fail(EXIT_FAILED, "not enough memory");
		}
		*ids = grown;
		room = wanted;
		got = source_read_ids(&source, *ids + *count, room - *count);
		if (got > 0)
			*count += (uint64_t)got;
	} while (got > 0 && *count == room && *count <= VEXFS_BATCH_MAX);
	source_close(&source);
	if (got < 0)
		return fail(EXIT_BAD_INPUT, "%s", source.error);
	if (*count > VEXFS_BATCH_MAX)
		return fail(EXIT_BAD_INPUT, "%s holds more than %u ids, which cannot be deleted "
			    "as one; split it", options->from, VEXFS_BATCH_MAX);
	return 0;
}

static int delete_ids(const struct delete_options *options, const struct vector_file *file,
		      const uint64_t *ids, uint64_t count)
{
	uint64_t deleted = 0, bad = VEXFS_UNKNOWN;
	struct json json = { .out = stdout };
	int rc = 0;

	if (count > 0)
		rc = vexfs_delete(file->fd, ids, count, options->flags, &deleted, &bad);
	if (rc == -ENOENT && bad < count)
		return fail(EXIT_NOT_FOUND, "%s: there is no row with id %" PRIu64
			    " (or it was named twice); nothing was deleted", file->name, ids[bad]);
	if (rc < 0)
		return fail_call(VEXFS_OPERATION_DELETE, rc, file->name, bad);
	if (!options->json) {
		printf("%s: %" PRIu64 " rows deleted", file->name, deleted);
		if (deleted < count)
			printf(", %" PRIu64 " ids named none", count - deleted);
		putchar('\n');
		return 0;
	}
	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, file->name);
	json_key(&json, "deleted");
	json_u64(&json, deleted);
	json_key(&json, "missing");
	json_u64(&json, count - deleted);
	json_close(&json, '}');
	json_end_line(&json);
	return 0;
}

static int run(int argc, char **argv)
{
	struct delete_options options = { 0 };
	struct vector_file file;
	uint64_t *ids = NULL;
	uint64_t count;
	int code = parse_options(argc, argv, &options);

	if (code != 0)
		return code;
	count = (uint64_t)(argc - optind - 1);
	code = vector_file_open(&file, options.file, O_RDWR);
	if (code != 0)
		return code;
	if (options.from)
		code = read_ids(&options, &ids, &count);
	else
		code = argument_ids(argv + optind + 1, argc - optind - 1, &ids);
	if (code == 0)
		code = delete_ids(&options, &file, ids, count);
	free(ids);
	vector_file_close(&file);
	return code;
}

const struct command delete_command = {
	.name = "delete",
	.summary = "delete rows by id",
	.help = help,
	.run = run,
};
