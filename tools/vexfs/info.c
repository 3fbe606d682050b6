// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs info: what a file, a directory or a mounted volume is.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "arguments.h"
#include "columns.h"
#include "command.h"
#include "json.h"
#include "number.h"

static const char help[] =
"Usage: vexfs info FILE|DIRECTORY|MOUNT [--json]\n"
"\n"
"Of a vector file: its schema, how many rows it has, its size and generation. Of a\n"
"directory (the root of a mounted volume, say): what new files in it become. Of both:\n"
"how much room the volume has.\n"
"\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs info photos\n"
"  vexfs info /mnt --json | jq .volume.available_bytes\n"
"\n"
"JSON: {\"file\",\"kind\":\"vectors\"|\"directory\"|\"ordinary\",\"schema\",\"dim\",\"type\",\n"
"\"metric\",\"row_bytes\",\"rows\",\"live_rows\",\"next_id\",\"generation\",\"size\",\n"
"\"volume\":{\"bytes\",\"free_bytes\",\"available_bytes\",\"inodes\",\"free_inodes\"}};\n"
"schema is null if there is none, and then what depends on it is left out.\n";

#define VEXFS_STATFS_MAGIC 0x53465856	/* statfs.f_type of a VexFS */

/**
 * struct info - all there is to tell
 * @file: the name
 * @schema: the schema, when @has_schema
 * @has_schema: is there one
 * @status: from fstat(2)
 * @volume: from fstatfs(2)
 */
struct info {
	const char *file;
	struct vexfs_schema schema;
	struct columns columns;
	bool has_schema;
	struct stat status;
	struct statfs volume;
};

static int schema_columns(struct info *info, int fd)
{
	int rc = vexfs_columns_get(fd, info->columns.column);

	info->columns.count = rc < 0 ? 0 : (unsigned int)rc;
	return rc;
}

static int read_info(struct info *info, int fd)
{
	int rc;

	if (fstat(fd, &info->status) < 0 || fstatfs(fd, &info->volume) < 0)
		return fail(EXIT_FAILED, "%s: %m", info->file);
	if ((unsigned long)info->volume.f_type != VEXFS_STATFS_MAGIC)
		return fail_call(VEXFS_OPERATION_SCHEMA_GET, -ENOTTY, info->file, VEXFS_UNKNOWN);
	rc = vexfs_schema_get(fd, &info->schema);
	info->has_schema = rc == 0;
	if (rc == 0 && schema_columns(info, fd) < 0)
		return fail_call(VEXFS_OPERATION_SCHEMA_GET, -EUCLEAN, info->file, VEXFS_UNKNOWN);
	if (rc == 0 || rc == -ENODATA)
		return 0;
	/* Sockets, pipes and devices have other ioctls, or none. */
	if (rc == -ENOTTY && !S_ISREG(info->status.st_mode) && !S_ISDIR(info->status.st_mode))
		return 0;
	return fail_call(VEXFS_OPERATION_SCHEMA_GET, rc, info->file, VEXFS_UNKNOWN);
}

static void print_schema_text(const struct info *info)
{
	const struct vexfs_schema *schema = &info->schema;
	char text[SCHEMA_TEXT_MAX];

	if (!info->has_schema) {
		printf("schema       none%s\n", S_ISDIR(info->status.st_mode) ?
		       "; new files are ordinary files" : "; this is an ordinary file");
		return;
	}
	if (columns_schema_text(schema, &info->columns, text) < 0)
		snprintf(text, sizeof(text), "dim=%" PRIu32 ", of a kind that this program does "
			 "not know", schema->dim);
	printf("schema       %s%s\n", text, S_ISDIR(info->status.st_mode) ?
	       " (inherited by new files)" : "");
	printf("row bytes    %" PRIu64 "\n", (uint64_t)schema->row_bytes);
	if (S_ISDIR(info->status.st_mode))
		return;
	printf("rows         %" PRIu64, (uint64_t)schema->live_rows);
	if (schema->rows != schema->live_rows)
		printf(" (and %" PRIu64 " deleted)", (uint64_t)(schema->rows - schema->live_rows));
	if (schema->ids == VEXFS_IDS_AUTO)
		printf("\nnext id      %" PRIu64, (uint64_t)schema->next_id);
	printf("\ngeneration   %" PRIu64 "\n", (uint64_t)schema->generation);
}

static void print_text(const struct info *info)
{
	char size[NUMBER_TEXT_MAX], available[NUMBER_TEXT_MAX];
	uint64_t block = (uint64_t)info->volume.f_bsize;

	printf("file         %s\n", info->file);
	print_schema_text(info);
	if (!S_ISDIR(info->status.st_mode))
		printf("size         %" PRIu64 " bytes\n", (uint64_t)info->status.st_size);
	printf("volume       %s, %s available, %" PRIu64 " inodes, %" PRIu64 " free\n",
	       format_bytes(size, info->volume.f_blocks * block),
	       format_bytes(available, info->volume.f_bavail * block),
	       (uint64_t)info->volume.f_files, (uint64_t)info->volume.f_ffree);
}

static void print_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

static void print_name(struct json *json, const char *key, const char *name)
{
	json_key(json, key);
	if (name)
		json_text(json, name);
	else
		json_null(json);
}

static void print_schema_json(struct json *json, const struct info *info)
{
	const struct vexfs_schema *schema = &info->schema;
	char text[SCHEMA_TEXT_MAX];
	bool known = info->has_schema && columns_schema_text(schema, &info->columns, text) == 0;
	unsigned int c;

	print_name(json, "schema", known ? text : NULL);
	if (!info->has_schema)
		return;
	print_number(json, "dim", schema->dim);
	print_name(json, "type", vexfs_element_name(schema->element));
	print_name(json, "metric", vexfs_metric_name(schema->metric));
	print_number(json, "row_bytes", schema->row_bytes);
	json_key(json, "columns");
	json_open(json, '{');
	for (c = 0; c < info->columns.count; c++)
		print_name(json, (const char *)info->columns.column[c].name,
			   vexfs_column_type_name(info->columns.column[c].type));
	json_close(json, '}');
	if (S_ISDIR(info->status.st_mode))
		return;
	print_number(json, "rows", schema->rows);
	print_number(json, "live_rows", schema->live_rows);
	print_number(json, "next_id", schema->next_id);
	print_number(json, "generation", schema->generation);
}

static void print_json(const struct info *info)
{
	uint64_t block = (uint64_t)info->volume.f_bsize;
	struct json json = { .out = stdout };

	json_open(&json, '{');
	print_name(&json, "file", info->file);
	print_name(&json, "kind", S_ISDIR(info->status.st_mode) ? "directory" :
		   info->has_schema ? "vectors" : "ordinary");
	print_schema_json(&json, info);
	print_number(&json, "size", (uint64_t)info->status.st_size);
	json_key(&json, "volume");
	json_open(&json, '{');
	print_number(&json, "bytes", info->volume.f_blocks * block);
	print_number(&json, "free_bytes", info->volume.f_bfree * block);
	print_number(&json, "available_bytes", info->volume.f_bavail * block);
	print_number(&json, "inodes", info->volume.f_files);
	print_number(&json, "free_inodes", info->volume.f_ffree);
	json_close(&json, '}');
	json_close(&json, '}');
	json_end_line(&json);
}

static int parse_options(int argc, char **argv, bool *json)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option != OPTION_JSON)
			return argument_unknown(option, argv);
		*json = true;
	}
	if (argc - optind != 1)
		return fail(EXIT_USAGE, "one file or directory is to be named");
	return 0;
}

static int run(int argc, char **argv)
{
	struct info info = { 0 };
	bool json = false;
	int code = parse_options(argc, argv, &json);
	int fd;

	if (code != 0)
		return code;
	info.file = argv[optind];
	fd = open(info.file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail_call(VEXFS_OPERATION_OPEN, -errno, info.file, VEXFS_UNKNOWN);
	code = read_info(&info, fd);
	close(fd);
	if (code != 0)
		return code;
	if (json)
		print_json(&info);
	else
		print_text(&info);
	return 0;
}

const struct command info_command = {
	.name = "info",
	.summary = "tell what a file, a directory or a volume is",
	.help = help,
	.run = run,
};
