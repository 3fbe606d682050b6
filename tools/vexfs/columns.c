// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute columns on the command line; see columns.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "number.h"

#define TO_U64(pointer) ((uint64_t)(uintptr_t)(pointer))

static const char *column_name(const struct columns *columns, unsigned int c)
{
	return (const char *)columns->column[c].name;
}

int columns_read(struct columns *columns, const struct vector_file *file)
{
	int rc = vexfs_columns_get(file->fd, columns->column);

	columns->count = rc < 0 ? 0 : (unsigned int)rc;
	return rc < 0 ? fail_call(VEXFS_OPERATION_SCHEMA_GET, rc, file->name, VEXFS_UNKNOWN) : 0;
}

int columns_schema_text(const struct vexfs_schema *schema, const struct columns *columns,
			char *text)
{
	int length = vexfs_schema_format(schema, text, SCHEMA_TEXT_MAX);
	unsigned int c;

	if (length < 0)
		return length;
	for (c = 0; c < columns->count; c++) {
		const char *type = vexfs_column_type_name(columns->column[c].type);

		length += snprintf(text + length, (size_t)(SCHEMA_TEXT_MAX - length),
				   "%s%.*s:%s", c ? ";" : ",columns=", (int)VEXFS_COLUMN_NAME_MAX,
				   column_name(columns, c), type ? type : "?");
	}
	return 0;
}

/* Records */

int records_reserve(struct records *records, uint64_t count, uint64_t strings_bytes)
{
	size_t words = 1 + records->columns.count;

	if (count > records->room) {
		uint64_t room = count > 2 * records->room ? count : 2 * records->room;
		uint64_t *grown = realloc(records->records, room * words * 8);

		if (!grown)
			return -ENOMEM;
		memset(grown + records->room * words, 0, (room - records->room) * words * 8);
		records->records = grown;
		records->room = room;
	}
	if (strings_bytes > records->strings_room) {
		uint64_t room = strings_bytes + strings_bytes / 2 + 4096;
		char *grown = realloc(records->strings, room);

		if (!grown)
			return -ENOMEM;
		records->strings = grown;
		records->strings_room = room;
	}
	return 0;
}

static const char *put_string(struct records *records, const char *text, uint64_t *value)
{
	size_t length = strlen(text);

	if (length > VEXFS_STRING_MAX)
		return "a string of more than 255 bytes";
	if (records_reserve(records, 0, records->strings_used + length) < 0)
		return "not enough memory";
	memcpy(records->strings + records->strings_used, text, length);
	*value = VEXFS_STRING_REF(records->strings_used, length);
	records->strings_used += length;
	return NULL;
}

static const char *put_value(struct records *records, unsigned int type, const char *text,
			     uint64_t *value)
{
	double real;
	char *end;

	switch (type) {
	case VEXFS_COLUMN_STRING:
		return put_string(records, text, value);
	case VEXFS_COLUMN_BOOL:
		*value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
		if (*value || strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
			return NULL;
		return "true or false is wanted";
	case VEXFS_COLUMN_I64:
		errno = 0;
		*value = (uint64_t)strtoll(text, &end, 10);
		return end == text || *end != '\0' || errno ? "a whole number is wanted" : NULL;
	default:
		if (!parse_double(text, &real))
			return "a number is wanted";
		*value = vexfs_double_to_bits(real);
		return NULL;
	}
}

const char *records_put(struct records *records, uint64_t index, unsigned int column,
			const char *text)
{
	uint64_t words = 1 + records->columns.count, value = 0;
	const char *what = NULL;

	if (text)
		what = put_value(records, records->columns.column[column].type, text, &value);
	if (text && !what)
		records->records[index * words] |= 1ULL << column;
	else
		records->records[index * words] &= ~(1ULL << column);
	records->records[index * words + 1 + column] = what ? 0 : value;
	return what;
}

void records_free(struct records *records)
{
	free(records->records);
	free(records->strings);
	records->records = NULL;
	records->strings = NULL;
}

int64_t records_read(struct records *records, const struct vector_file *file,
		     const uint64_t *ids, uint64_t count)
{
	uint64_t most = count < VEXFS_ATTRIBUTES_MAX ? count : VEXFS_ATTRIBUTES_MAX;
	struct vexfs_attributes get = {
		.ids = TO_U64(ids),
		.count = most,
		.attributes_bytes = most * VEXFS_ATTRIBUTE_BYTES(records->columns.count),
	};
	int rc;

	/* Room for the strings of a row at the least. */
	rc = records_reserve(records, most, 65536 + 16 * most);
	if (rc < 0)
		return rc;
	get.attributes = TO_U64(records->records);
	get.strings = TO_U64(records->strings);
	get.strings_bytes = records->strings_room;
	rc = vexfs_attributes_get(file->fd, &get);
	return rc < 0 ? rc : (int64_t)get.returned;
}

/* A string of a record, terminated. */
static const char *get_string(const struct records *records, uint64_t value,
			      char text[VEXFS_STRING_MAX + 1])
{
	memcpy(text, records->strings + (uint32_t)value, value >> 32);
	text[value >> 32] = '\0';
	return text;
}

void records_json(const struct records *records, uint64_t index, struct json *json)
{
	const uint64_t *record = records->records + index * (1 + records->columns.count);
	char text[VEXFS_STRING_MAX + 1];
	unsigned int c;

	json_open(json, '{');
	for (c = 0; c < records->columns.count; c++) {
		uint64_t value = record[1 + c];

		json_key(json, column_name(&records->columns, c));
		if (!(record[0] >> c & 1))
			json_null(json);
		else if (records->columns.column[c].type == VEXFS_COLUMN_STRING)
			json_text(json, get_string(records, value, text));
		else if (records->columns.column[c].type == VEXFS_COLUMN_BOOL)
			json_bool(json, value);
		else if (records->columns.column[c].type == VEXFS_COLUMN_I64)
			json_i64(json, (int64_t)value);
		else
			json_double(json, vexfs_distance_to_double(value));
	}
	json_close(json, '}');
}

void records_print(const struct records *records, uint64_t index)
{
	const uint64_t *record = records->records + index * (1 + records->columns.count);
	char text[VEXFS_STRING_MAX + 1], number[NUMBER_TEXT_MAX];
	struct json json = { .out = stdout };
	unsigned int c;

	for (c = 0; c < records->columns.count; c++) {
		uint64_t value = record[1 + c];

		printf("%s%s=", c ? " " : "", column_name(&records->columns, c));
		json.comma = false;
		if (!(record[0] >> c & 1))
			fputs("null", stdout);
		else if (records->columns.column[c].type == VEXFS_COLUMN_STRING)
			json_text(&json, get_string(records, value, text));
		else if (records->columns.column[c].type == VEXFS_COLUMN_BOOL)
			fputs(value ? "true" : "false", stdout);
		else if (records->columns.column[c].type == VEXFS_COLUMN_I64)
			printf("%" PRId64, (int64_t)value);
		else
			fputs(format_double(number, vexfs_distance_to_double(value)), stdout);
	}
}

int where_parse(const char *text, const struct vector_file *file, void **program,
		size_t *bytes)
{
	struct vexfs_filter_error error;
	struct columns columns;
	int code = columns_read(&columns, file);

	if (code != 0)
		return code;
	if (vexfs_filter_parse(text, columns.column, columns.count, program, bytes, &error) < 0)
		return fail(EXIT_USAGE, "--where: character %zu: %s", error.at + 1, error.text);
	return 0;
}
