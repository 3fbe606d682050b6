// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs get: prints rows by id, or all rows, or writes them to a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "columns.h"
#include "command.h"
#include "element.h"
#include "json.h"
#include "number.h"
#include "progress.h"
#include "sink.h"

static const char help[] =
"Usage: vexfs get FILE ID... [OPTION]...\n"
"       vexfs get FILE --all [OPTION]...\n"
"\n"
"Prints the rows with these ids, a line each: the id, a tab, the numbers, and if the\n"
"file has columns a tab and the attributes. If one of the ids names no row, nothing is\n"
"printed and the exit code is 3.\n"
"\n"
"  --all              all rows, in the order of the file, without those deleted\n"
"  --out OUT          write the rows to OUT (- is standard output) instead\n"
"  --format FORMAT    OUT's format: npy, fvecs (f32), bvecs (u8), raw; by OUT's name\n"
"                     if this is not given\n"
"  --ids-out OUT      write the ids to OUT: .npy (<u8), .u64 or .txt\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs get photos 17 42\n"
"  vexfs get photos --all --out rows.npy --ids-out ids.npy   # for a backup: 'vexfs\n"
"                                              # insert' with --ids puts both back\n"
"  vexfs get photos --all --out - --format raw | sha256sum\n"
"\n"
"JSON: {\"id\",\"vector\",\"attributes\"} a line; with --out or --ids-out {\"rows\"}.\n";

#define CHUNK_BYTES	(4U << 20)

struct get_options {
	const char *file;
	const char *out;
	const char *ids_out;
	enum source_format format;
	bool all;
	bool json;
};

/**
 * struct printer - where rows go
 * @options: what the user wants
 * @file: the file
 * @schema: of the file
 * @rows: --out, when @write_rows
 * @ids: --ids-out, when @write_ids
 * @attributes: of the rows that are printed
 * @progress: the line on the terminal
 * @count: rows so far
 */
struct printer {
	const struct get_options *options;
	const struct vector_file *file;
	const struct vexfs_schema *schema;
	struct sink rows;
	struct sink ids;
	bool write_rows;
	bool write_ids;
	struct records attributes;
	struct progress progress;
	uint64_t count;
};

static int parse_options(int argc, char **argv, struct get_options *options)
{
	static const struct option table[] = {
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "out", required_argument, NULL, OPTION_OUT },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "ids-out", required_argument, NULL, OPTION_IDS_OUT },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option, code = 0;

	while (code == 0 && (option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option == OPTION_ALL)
			options->all = true;
		else if (option == OPTION_OUT)
			options->out = optarg;
		else if (option == OPTION_IDS_OUT)
			options->ids_out = optarg;
		else if (option == OPTION_FORMAT)
			code = argument_format(optarg, &options->format);
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
	if (options->all != (argc - optind == 1))
		return fail(EXIT_USAGE, "name ids, or say --all");
	if (options->format != SOURCE_AUTO && !options->out)
		return fail(EXIT_USAGE, "--format is for --out");
	if (options->json && ((options->out && strcmp(options->out, "-") == 0) ||
			      (options->ids_out && strcmp(options->ids_out, "-") == 0)))
		return fail(EXIT_USAGE, "rows or ids and JSON cannot both go to standard output");
	return 0;
}

/* What it opened before it failed is left to printer_close(). */
static int printer_open(struct printer *printer, uint64_t rows)
{
	const struct get_options *options = printer->options;
	int code;

	if (options->out) {
		code = sink_open(&printer->rows, options->out, options->format,
				 printer->schema->element, printer->schema->dim, rows);
		if (code != 0)
			return code;
		printer->write_rows = true;
	}
	if (options->ids_out) {
		code = sink_open(&printer->ids, options->ids_out, SOURCE_AUTO, 0, 0, rows);
		if (code != 0)
			return code;
		printer->write_ids = true;
	}
	progress_begin(&printer->progress, "get", "rows", rows);
	return 0;
}

/* @index is the row's record in printer->attributes. */
static void print_row(const struct printer *printer, uint64_t id, const void *row,
		      uint64_t index)
{
	const struct vexfs_schema *schema = printer->schema;
	struct json json = { .out = stdout };
	char text[NUMBER_TEXT_MAX];
	uint32_t i;

	if (printer->options->json) {
		json_open(&json, '{');
		json_key(&json, "id");
		json_u64(&json, id);
		json_key(&json, "vector");
		element_json(&json, schema->element, row, schema->dim);
		if (printer->attributes.columns.count > 0) {
			json_key(&json, "attributes");
			records_json(&printer->attributes, index, &json);
		}
		json_close(&json, '}');
		json_end_line(&json);
		return;
	}
	printf("%" PRIu64 "\t", id);
	for (i = 0; i < schema->dim; i++)
		printf("%s%s", i ? " " : "", element_text(schema->element, row, i, text));
	if (printer->attributes.columns.count > 0) {
		putchar('\t');
		records_print(&printer->attributes, index);
	}
	putchar('\n');
}

/* Print rows, with their attributes as many at a time as there is room for strings. */
static int print_rows(struct printer *printer, const uint64_t *ids, const void *rows,
		      uint64_t count)
{
	uint64_t row_bytes = printer->schema->row_bytes, done = 0, i;
	int64_t got = (int64_t)count;

	while (done < count && !ferror(stdout)) {
		if (printer->attributes.columns.count > 0)
			got = records_read(&printer->attributes, printer->file, ids + done,
					   count - done);
		if (got < 0)
			return fail_call(VEXFS_OPERATION_ATTRIBUTES, (int)got,
					 printer->file->name, VEXFS_UNKNOWN);
		for (i = 0; i < (uint64_t)got && !ferror(stdout); i++)
			print_row(printer, ids[done + i],
				  (const char *)rows + (done + i) * row_bytes, i);
		done += (uint64_t)got;
	}
	return ferror(stdout) ? EXIT_FAILED : 0;
}

static int printer_take(struct printer *printer, const uint64_t *ids, const void *rows,
			uint64_t count)
{
	int code = 0;

	if (printer->write_rows)
		code = sink_write(&printer->rows, rows, count);
	if (printer->write_ids && code == 0)
		code = sink_write(&printer->ids, ids, count);
	if (!printer->write_rows && !printer->write_ids)
		code = print_rows(printer, ids, rows, count);
	printer->count += count;
	if (printer->write_rows || printer->write_ids)
		progress_show(&printer->progress, printer->count);
	return code;
}

static int printer_close(struct printer *printer, int code)
{
	struct json json = { .out = stdout };

	progress_end(&printer->progress);
	if (printer->write_rows)
		code = sink_close(&printer->rows, code);
	if (printer->write_ids)
		code = sink_close(&printer->ids, code);
	if (code == 0 && (printer->write_rows || printer->write_ids) && printer->options->json) {
		json_open(&json, '{');
		json_key(&json, "rows");
		json_u64(&json, printer->count);
		json_close(&json, '}');
		json_end_line(&json);
	}
	return code;
}

static uint64_t chunk_rows(const struct vexfs_schema *schema)
{
	return CHUNK_BYTES / schema->row_bytes + 1;
}

/* All ids are looked up before the first row is printed. */
static int get_ids(const struct vector_file *file, struct printer *printer, char **texts,
		   int count)
{
	uint64_t chunk = chunk_rows(&file->schema), done, bad = VEXFS_UNKNOWN;
	uint64_t *ids, total = (uint64_t)count;
	void *rows;
	int code, rc;

	code = argument_ids(texts, count, &ids);
	if (code != 0)
		return code;
	if (chunk > total)
		chunk = total;
	rows = malloc(chunk * file->schema.row_bytes);
	rc = rows ? vexfs_get(file->fd, ids, total, NULL, 0, &bad) : -ENOMEM;
	if (rc == -ENOENT && bad < total)
		code = fail(EXIT_NOT_FOUND, "%s: there is no row with id %" PRIu64, file->name,
			    ids[bad]);
	else if (rc == 0)
		code = printer_open(printer, total);
	for (done = 0; rc == 0 && code == 0 && done < total; done += chunk) {
		if (chunk > total - done)
			chunk = total - done;
		rc = vexfs_get(file->fd, ids + done, chunk, rows, chunk * file->schema.row_bytes,
			       NULL);
		if (rc == 0)
			code = printer_take(printer, ids + done, rows, chunk);
	}
	if (rc < 0 && code == 0)
		code = fail_call(VEXFS_OPERATION_GET, rc, file->name, VEXFS_UNKNOWN);
	free(ids);
	free(rows);
	return printer_close(printer, code);
}

static int get_all(const struct vector_file *file, struct printer *printer)
{
	uint64_t chunk = chunk_rows(&file->schema);
	uint64_t row_bytes = file->schema.row_bytes;
	uint64_t *ids = malloc(chunk * sizeof(*ids));
	struct vexfs_scan scan = { 0 };
	void *rows = malloc(chunk * row_bytes);
	int64_t count = -ENOMEM;
	int code;

	code = printer_open(printer, SOURCE_UNKNOWN);
	printer->progress.total = file->schema.live_rows;
	while (code == 0) {
		if (ids && rows)
			count = vexfs_scan(file->fd, &scan, ids, rows, chunk * row_bytes, chunk);
		if (count <= 0)
			break;
		code = printer_take(printer, ids, rows, (uint64_t)count);
	}
	if (code == 0 && count < 0)
		code = fail_call(VEXFS_OPERATION_GET, (int)count, file->name, VEXFS_UNKNOWN);
	free(ids);
	free(rows);
	return printer_close(printer, code);
}

static int run(int argc, char **argv)
{
	struct get_options options = { 0 };
	struct printer printer = { .options = &options };
	struct vector_file file;
	int code = parse_options(argc, argv, &options);

	if (code == 0)
		code = vector_file_open(&file, options.file, O_RDONLY);
	if (code != 0)
		return code;
	printer.file = &file;
	printer.schema = &file.schema;
	code = columns_read(&printer.attributes.columns, &file);
	if (code != 0)
		;	/* told */
	else if (options.all)
		code = get_all(&file, &printer);
	else
		code = get_ids(&file, &printer, argv + optind + 1, argc - optind - 1);
	records_free(&printer.attributes);
	vector_file_close(&file);
	return code;
}

const struct command get_command = {
	.name = "get",
	.summary = "print rows by id, or all of them, or write them to a file",
	.help = help,
	.run = run,
};
