// SPDX-License-Identifier: Apache-2.0
/*
 * The queries of search and range; see query.h. The kernel takes queries of the
 * file's own type and f32; anything else is converted only when asked for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "element.h"
#include "number.h"
#include "query.h"

int query_take_option(int option, struct query_options *options)
{
	switch (option) {
	case OPTION_QUERY:
		options->source = optarg;
		return 0;
	case OPTION_VECTOR:
		options->vector = optarg;
		return 0;
	case OPTION_ID:
		options->id = optarg;
		return 0;
	case OPTION_FORMAT:
		return argument_format(optarg, &options->format);
	case OPTION_LIMIT:
		return argument_number("--limit", optarg, 1, UINT64_MAX, &options->limit);
	default:
		options->convert = true;
		return 0;
	}
}

int query_check(const struct query_options *options)
{
	if ((options->source != NULL) + (options->vector != NULL) + (options->id != NULL) != 1)
		return fail(EXIT_USAGE, "one of --query, --vector and --id says what to look for");
	if (!options->source && (options->format != SOURCE_AUTO || options->convert ||
				 options->limit != UINT64_MAX))
		return fail(EXIT_USAGE, "--format, --convert and --limit are for --query");
	return 0;
}

static int open_vector(struct queries *queries, const char *text)
{
	uint32_t dim = queries->file->schema.dim;
	float *values = malloc(sizeof(*values) * ((size_t)dim + 1));
	size_t count, bad_at;

	if (!values)
		return fail(EXIT_FAILED, "not enough memory");
	queries->single = values;
	queries->element = VEXFS_ELEMENT_F32;
	if (!parse_vector(text, values, (size_t)dim + 1, &count, &bad_at) && count <= dim)
		return fail(EXIT_USAGE, "--vector: character %zu ('%.20s'): numbers parted by "
			    "commas are wanted", bad_at + 1, text + bad_at);
	if (count > dim)
		return fail(EXIT_BAD_INPUT, "--vector has more than the %" PRIu32
			    " numbers that the rows of %s have", dim, queries->file->name);
	if (count < dim)
		return fail(EXIT_BAD_INPUT, "--vector has %zu numbers, the rows of %s have "
			    "%" PRIu32,
			    count, queries->file->name, dim);
	return 0;
}

static int open_id(struct queries *queries, const char *text)
{
	uint64_t row_bytes = queries->file->schema.row_bytes;
	uint64_t id;
	int rc;

	if (!parse_u64_within(text, 0, VEXFS_ID_MAX, &id))
		return fail(EXIT_USAGE, "--id %s: an id is a decimal number", text);
	queries->element = queries->file->schema.element;
	queries->single = malloc(row_bytes);
	if (!queries->single)
		return fail(EXIT_FAILED, "not enough memory");
	rc = vexfs_get(queries->file->fd, &id, 1, queries->single, row_bytes, NULL);
	if (rc == 0)
		return 0;
	if (call_exit_code(rc) == EXIT_NOT_FOUND)
		return fail(EXIT_NOT_FOUND, "%s: there is no row with id %" PRIu64,
			    queries->file->name, id);
	return fail_call(VEXFS_OPERATION_GET, rc, queries->file->name, VEXFS_UNKNOWN);
}

static int open_source(struct queries *queries, const struct query_options *options)
{
	const struct vexfs_schema *schema = &queries->file->schema;
	struct source *source = &queries->source;

	if (!source_open(source, options->source, options->format, schema->dim, schema->element))
		return fail(EXIT_BAD_INPUT, "%s", source->error);
	if (source->dim != schema->dim)
		return fail(EXIT_BAD_INPUT, "%s has rows of %" PRIu32 " elements, those of %s "
			    "have %"
			    PRIu32, options->source, source->dim, queries->file->name, schema->dim);
	queries->element = source->element;
	if (source->element == schema->element || source->element == VEXFS_ELEMENT_F32)
		return 0;
	if (!options->convert)
		return fail(EXIT_BAD_INPUT, "the queries in %s are %s, the rows of %s are %s; "
			    "--convert makes f32 of the queries, which loses nothing",
			    options->source, vexfs_element_name(source->element),
			    queries->file->name, vexfs_element_name(schema->element));
	queries->element = VEXFS_ELEMENT_F32;
	return 0;
}

int queries_open(struct queries *queries, const struct query_options *options,
		 const struct vector_file *file)
{
	int code;

	memset(queries, 0, sizeof(*queries));
	queries->file = file;
	queries->limit = options->limit;
	if (options->vector)
		code = open_vector(queries, options->vector);
	else if (options->id)
		code = open_id(queries, options->id);
	else
		code = open_source(queries, options);
	if (code != 0)
		queries_close(queries);
	return code;
}

size_t queries_row_bytes(const struct queries *queries)
{
	return queries->file->schema.dim * vexfs_element_bytes(queries->element);
}

uint64_t queries_total(const struct queries *queries)
{
	uint64_t rows = queries->single ? 1 : queries->source.rows;

	return rows < queries->limit ? rows : queries->limit;
}

/* Reads rows and converts them. */
static int take_converted(struct queries *queries, void *to, uint64_t most, int64_t *count)
{
	struct source *source = &queries->source;
	size_t bytes = source->dim * vexfs_element_bytes(source->element);
	uint64_t bad;

	if (most > queries->raw_rows) {
		void *raw = realloc(queries->raw, most * bytes);

		if (!raw)
			return fail(EXIT_FAILED, "not enough memory");
		queries->raw = raw;
		queries->raw_rows = most;
	}
	*count = source_read(source, queries->raw, most);
	/* Converting to f32 cannot fail. */
	if (*count > 0)
		element_convert(source->element, queries->element, queries->raw, to,
				(uint64_t)*count * source->dim, &bad);
	return 0;
}

int queries_take(struct queries *queries, void *to, uint64_t most, uint64_t *count)
{
	int64_t got = 0;
	int code;

	*count = 0;
	if (most > queries->limit)
		most = queries->limit;
	if (most == 0)
		return 0;
	if (queries->single) {
		memcpy(to, queries->single, queries_row_bytes(queries));
		queries->limit = 0;
		*count = 1;
		return 0;
	}
	if (queries->source.element != queries->element) {
		code = take_converted(queries, to, most, &got);
		if (code != 0)
			return code;
	} else {
		got = source_read(&queries->source, to, most);
	}
	if (got < 0)
		return fail(EXIT_BAD_INPUT, "%s", queries->source.error);
	queries->limit -= (uint64_t)got;
	*count = (uint64_t)got;
	return 0;
}

void queries_close(struct queries *queries)
{
	free(queries->single);
	free(queries->raw);
	source_close(&queries->source);
	queries->single = NULL;
	queries->raw = NULL;
}
