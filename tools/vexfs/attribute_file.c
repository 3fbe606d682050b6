// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes out of a CSV file (RFC 4180): the first line names columns of the
 * file, each further line is a row. A field that is empty and not in quotes is null,
 * and so are columns that are not named.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"

#define TO_U64(pointer) ((uint64_t)(uintptr_t)(pointer))

__attribute__((format(printf, 2, 3)))
static int file_fail(struct attribute_file *from, const char *format, ...)
{
	va_list args;
	int length;

	length = snprintf(from->error, sizeof(from->error), "%.200s: line %" PRIu64 ": ",
			  from->name, from->line);
	va_start(args, format);
	vsnprintf(from->error + length, sizeof(from->error) - (size_t)length, format, args);
	va_end(args);
	return -ECANCELED;
}

static int add_char(struct attribute_file *from, size_t *length, int c)
{
	if (*length + 1 >= from->field_room) {
		char *grown = realloc(from->field, from->field_room + 4096);

		if (!grown)
			return -ENOMEM;
		from->field = grown;
		from->field_room += 4096;
	}
	from->field[(*length)++] = (char)c;
	from->field[*length] = '\0';
	return 0;
}

/*
 * Read a field into @from->field. *@last says whether it ends its line, *@null whether
 * it is empty and not in quotes.
 */
static int read_field(struct attribute_file *from, bool *last, bool *null)
{
	size_t length = 0;
	int c = getc(from->in), rc = 0;
	bool quoted = c == '"', ended = !quoted;

	if (add_char(from, &length, 0) < 0)
		return -ENOMEM;
	length = 0;
	if (quoted)
		c = getc(from->in);
	for (; rc == 0 && c != EOF; c = getc(from->in)) {
		if (quoted && c == '"') {
			c = getc(from->in);
			ended = c != '"';
			if (ended)
				break;
		} else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
			break;
		}
		if (c == '\0')
			return file_fail(from, "a zero byte");
		rc = add_char(from, &length, c);
	}
	if (rc == 0 && !ended)
		return file_fail(from, "a quote without its end");
	if (c == '\r')
		c = getc(from->in);
	if (rc == 0 && c != ',' && c != '\n' && c != EOF)
		return file_fail(from, "a quote or a carriage return in the middle of a field");
	*last = c != ',';
	*null = !quoted && length == 0;
	return rc;
}

bool attribute_file_end(struct attribute_file *from)
{
	int c = getc(from->in);

	if (c != EOF)
		ungetc(c, from->in);
	return c == EOF;
}

static int read_header(struct attribute_file *from)
{
	const struct columns *columns = &from->records.columns;
	unsigned int c, other;
	bool last, null;
	int rc;

	from->line = 1;
	do {
		rc = read_field(from, &last, &null);
		if (rc < 0)
			return rc;
		for (c = 0; c < columns->count; c++)
			if (strcmp((const char *)columns->column[c].name, from->field) == 0)
				break;
		if (c == columns->count)
			return file_fail(from, "there is no column '%.40s'", from->field);
		for (other = 0; other < from->fields; other++)
			if (from->order[other] == c)
				return file_fail(from, "column '%.40s' comes twice", from->field);
		from->order[from->fields++] = c;
	} while (!last);
	return 0;
}

int attribute_file_open(struct attribute_file *from, const char *name,
			const struct vector_file *file)
{
	int code = columns_read(&from->records.columns, file), rc;

	from->name = name;
	if (code != 0)
		return code;
	if (from->records.columns.count == 0)
		return fail(EXIT_USAGE, "%s has no columns for attributes; make it with 'vexfs "
			    "create FILE --columns ...'", file->name);
	from->in = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	if (!from->in)
		return fail(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "%s: %m", name);
	rc = read_header(from);
	if (rc == -ENOMEM)
		return fail(EXIT_FAILED, "not enough memory");
	return rc < 0 ? fail(EXIT_BAD_INPUT, "%s", from->error) : 0;
}

static int read_row(struct attribute_file *from, uint64_t index)
{
	const char *what;
	bool last = false, null;
	unsigned int f;
	int rc;

	from->line++;
	if (attribute_file_end(from))
		return file_fail(from, "there are attributes of only %" PRIu64 " rows",
				 from->rows);
	for (f = 0; f < from->fields; f++) {
		if (last)
			return file_fail(from, "%u fields, but there are %u columns", f,
					 from->fields);
		rc = read_field(from, &last, &null);
		if (rc < 0)
			return rc;
		what = records_put(&from->records, index, from->order[f],
				   null ? NULL : from->field);
		if (what)
			return file_fail(from, "'%.40s': %s", from->field, what);
	}
	from->rows++;
	return last ? 0 : file_fail(from, "more fields than columns");
}

int attribute_file_take(struct attribute_file *from, struct vexfs_batch_insert *batch)
{
	struct records *records = &from->records;
	size_t bytes = VEXFS_ATTRIBUTE_BYTES(records->columns.count);
	uint64_t i;
	int rc = records_reserve(records, batch->count, 0);

	if (rc < 0)
		return rc;
	memset(records->records, 0, batch->count * bytes);
	records->strings_used = 0;
	for (i = 0; i < batch->count && rc == 0; i++)
		rc = read_row(from, i);
	batch->attributes = TO_U64(records->records);
	batch->attributes_bytes = batch->count * bytes;
	batch->strings = records->strings_used ? TO_U64(records->strings) : 0;
	batch->strings_bytes = records->strings_used;
	return rc;
}

void attribute_file_close(struct attribute_file *from)
{
	if (from->in && from->in != stdin)
		fclose(from->in);
	records_free(&from->records);
	free(from->field);
}
