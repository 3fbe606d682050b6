// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs set: gives rows other attributes.
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
#include "json.h"
#include "number.h"

static const char help[] =
"Usage: vexfs set FILE ID... COLUMN=VALUE... [OPTION]...\n"
"\n"
"Sets attributes of the rows with these ids: all of the rows, or none. Columns that\n"
"are not named keep their values. 'COLUMN=' makes a column null; 'COLUMN=\"\"' is an\n"
"empty string.\n"
"\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs set goods 17 price=9.5 lang=en\n"
"  vexfs set goods 17 42 sold=true price=\n"
"\n"
"JSON: {\"file\",\"rows\"}\n";

#define TO_U64(pointer) ((uint64_t)(uintptr_t)(pointer))

/**
 * struct set - what is to be set
 * @records: a record for each row, all alike
 * @which: a bit for each column that is named
 * @ids: the rows
 * @count: how many
 */
struct set {
	struct records records;
	uint32_t which;
	uint64_t *ids;
	uint64_t count;
};

/* One COLUMN=VALUE, into the first record. */
static int take_assignment(struct set *set, char *word)
{
	const struct columns *columns = &set->records.columns;
	char *value = strchr(word, '=');
	const char *what;
	unsigned int c;

	*value++ = '\0';
	for (c = 0; c < columns->count; c++)
		if (strcmp((const char *)columns->column[c].name, word) == 0)
			break;
	if (c == columns->count)
		return fail(EXIT_USAGE, "there is no column '%s'", word);
	if (set->which >> c & 1)
		return fail(EXIT_USAGE, "column '%s' is named twice", word);
	set->which |= 1U << c;
	what = records_put(&set->records, 0, c, *value == '\0' ? NULL :
			   strcmp(value, "\"\"") == 0 ? "" : value);
	return what ? fail(EXIT_USAGE, "%s=%s: %s", word, value, what) : 0;
}

static int take_words(struct set *set, int argc, char **argv)
{
	uint64_t id;
	int code = 0, i;

	set->ids = malloc((size_t)argc * sizeof(*set->ids));
	if (!set->ids || records_reserve(&set->records, (uint64_t)argc, 0) < 0)
		return fail(EXIT_FAILED, "not enough memory");
	for (i = 0; i < argc && code == 0; i++) {
		if (strchr(argv[i], '='))
			code = take_assignment(set, argv[i]);
		else if (parse_u64_within(argv[i], 0, VEXFS_ID_MAX, &id))
			set->ids[set->count++] = id;
		else
			code = fail(EXIT_USAGE, "'%s' is neither an id nor COLUMN=VALUE", argv[i]);
	}
	if (code == 0 && (set->count == 0 || set->which == 0))
		code = fail(EXIT_USAGE, "ids and COLUMN=VALUE are to be named");
	return code;
}

static int set_rows(struct set *set, const struct vector_file *file)
{
	size_t bytes = VEXFS_ATTRIBUTE_BYTES(set->records.columns.count);
	struct vexfs_attributes attributes = {
		.ids = TO_U64(set->ids),
		.count = set->count,
		.columns = set->which,
		.attributes = TO_U64(set->records.records),
		.attributes_bytes = set->count * bytes,
		.strings = set->records.strings_used ? TO_U64(set->records.strings) : 0,
		.strings_bytes = set->records.strings_used,
	};
	uint64_t i;
	int rc;

	for (i = 1; i < set->count; i++)
		memcpy((char *)set->records.records + i * bytes, set->records.records, bytes);
	rc = vexfs_attributes_set(file->fd, &attributes);
	if (rc == -ENOENT && attributes.bad_index < set->count)
		return fail(EXIT_NOT_FOUND, "%s: there is no row with id %" PRIu64
			    "; nothing was set", file->name, set->ids[attributes.bad_index]);
	return rc < 0 ? fail_call(VEXFS_OPERATION_ATTRIBUTES, rc, file->name, VEXFS_UNKNOWN) : 0;
}

static void print_set(const struct set *set, const char *file, bool as_json)
{
	struct json json = { .out = stdout };

	if (!as_json) {
		printf("%s: attributes of %" PRIu64 " rows set\n", file, set->count);
		return;
	}
	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, file);
	json_key(&json, "rows");
	json_u64(&json, set->count);
	json_close(&json, '}');
	json_end_line(&json);
}

static int run(int argc, char **argv)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	struct set set = { 0 };
	struct vector_file file;
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option != OPTION_JSON)
			return argument_unknown(option, argv);
		json = true;
	}
	if (argc == optind)
		return fail(EXIT_USAGE, "no file is named");
	code = vector_file_open(&file, argv[optind], O_RDWR);
	if (code != 0)
		return code;
	code = columns_read(&set.records.columns, &file);
	if (code == 0)
		code = take_words(&set, argc - optind - 1, argv + optind + 1);
	if (code == 0)
		code = set_rows(&set, &file);
	if (code == 0)
		print_set(&set, file.name, json);
	records_free(&set.records);
	free(set.ids);
	vector_file_close(&file);
	return code;
}

const struct command set_command = {
	.name = "set",
	.summary = "give rows other attributes",
	.help = help,
	.run = run,
};
