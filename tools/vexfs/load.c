// SPDX-License-Identifier: Apache-2.0
/*
 * Loading rows of a source into a vector file; see load.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "element.h"
#include "load.h"

int load_check(const struct load *load, const char *file)
{
	const char *source = load->rows.bytes.name;

	if (load->rows.dim != load->schema.dim)
		return fail(EXIT_BAD_INPUT, "%s has rows of %" PRIu32 " elements, those of %s "
			    "have %" PRIu32, source, load->rows.dim, file, load->schema.dim);
	if (load->rows.element != load->schema.element && !load->convert)
		return fail(EXIT_BAD_INPUT, "%s has rows of %s, %s takes %s; --convert converts "
			    "them "
			    "(see 'vexfs insert --help' for what that does to the numbers)", source,
			    vexfs_element_name(load->rows.element), file,
			    vexfs_element_name(load->schema.element));
	if (load->schema.ids == VEXFS_IDS_OWN && !load->own_ids)
		return fail(EXIT_USAGE, "the rows of %s bring their own ids: name them with --ids",
			    file);
	if (load->schema.ids != VEXFS_IDS_OWN && load->own_ids)
		return fail(EXIT_USAGE, "%s gives ids to its rows by itself; leave --ids out",
			    file);
	if (load->own_ids && load->rows.rows != SOURCE_UNKNOWN &&
	    load->ids.rows != SOURCE_UNKNOWN && load->rows.rows != load->ids.rows)
		return fail(EXIT_BAD_INPUT, "%s has %" PRIu64 " rows, but %s has %" PRIu64 " ids",
			    source, load->rows.rows, load->ids.bytes.name, load->ids.rows);
	return 0;
}

static int64_t read_converted(struct load *load, void *vectors, uint64_t most)
{
	size_t bytes = load->rows.dim * vexfs_element_bytes(load->rows.element);
	uint64_t first = load->rows.row, bad;
	int64_t count;

	if (most > load->raw_rows) {
		void *raw = realloc(load->raw, most * bytes);

		if (!raw)
			return -ENOMEM;
		load->raw = raw;
		load->raw_rows = most;
	}
	count = source_read(&load->rows, load->raw, most);
	if (count <= 0)
		return count;
	if (element_convert(load->rows.element, load->schema.element, load->raw, vectors,
			    (uint64_t)count * load->rows.dim, &bad))
		return count;
	source_fail(&load->rows, "element %" PRIu64 " of row %" PRIu64 " is %g, which %s cannot "
		    "hold",
		    bad % load->rows.dim, first + bad / load->rows.dim,
		    element_value(load->rows.element, load->raw, bad),
		    vexfs_element_name(load->schema.element));
	return -1;
}

/* Ids for @count rows; @last when no more rows follow, so that no ids may either. */
static int read_ids(struct load *load, uint64_t *ids, uint64_t count, bool last)
{
	int64_t got = count > 0 ? source_read_ids(&load->ids, ids, count) : 0;
	uint64_t extra;

	if (got >= 0 && (uint64_t)got < count) {
		source_fail(&load->ids, "has only %" PRIu64 " ids; row %" PRIu64 " of %s has none",
			    load->ids.row, load->ids.row, load->rows.bytes.name);
		return -ECANCELED;
	}
	if (got >= 0 && last)
		got = source_read_ids(&load->ids, &extra, 1) > 0 ? -2 : got;
	if (got == -2)
		source_fail(&load->ids, "has more ids than %s has rows, which are %" PRIu64,
			    load->rows.bytes.name, load->rows.row);
	return got < 0 ? -ECANCELED : 0;
}

static int64_t bring_rows(void *argument, void *vectors, uint64_t *ids, uint64_t most)
{
	struct load *load = argument;
	int64_t count;
	int rc;

	progress_show(&load->progress, load->stream.inserted);
	if (load->rows.element == load->schema.element)
		count = source_read(&load->rows, vectors, most);
	else
		count = read_converted(load, vectors, most);
	if (count == -1) {
		memcpy(load->error, load->rows.error, sizeof(load->error));
		return -ECANCELED;
	}
	if (count < 0 || !ids)
		return count;
	rc = read_ids(load, ids, (uint64_t)count, (uint64_t)count < most);
	if (rc < 0) {
		memcpy(load->error, load->ids.error, sizeof(load->error));
		return rc;
	}
	return count;
}

static int bring_attributes(void *argument, struct vexfs_batch_insert *batch)
{
	struct load *load = argument;
	int rc = attribute_file_take(&load->attributes, batch);

	if (rc == -ECANCELED)
		snprintf(load->error, sizeof(load->error), "%s", load->attributes.error);
	return rc;
}

int load_run(struct load *load, int fd, uint64_t batch_rows, double *seconds)
{
	int rc;

	memset(&load->stream, 0, sizeof(load->stream));
	load->stream.reader = bring_rows;
	load->stream.arg = load;
	if (load->attributes.in)
		load->stream.attributes = bring_attributes;
	load->stream.batch_rows = batch_rows;
	load->stream.flags = load->replace ? VEXFS_INSERT_REPLACE : 0;
	progress_begin(&load->progress, "insert", "rows", load->rows.rows);
	rc = vexfs_insert_stream(fd, &load->stream);
	*seconds = progress_end(&load->progress);
	if (rc == 0 && load->attributes.in && !attribute_file_end(&load->attributes)) {
		snprintf(load->error, sizeof(load->error),
			 "%.200s: attributes of more rows than the %" PRIu64 " that there are",
			 load->attributes.name, load->stream.inserted);
		rc = -ECANCELED;
	}
	free(load->raw);
	load->raw = NULL;
	load->raw_rows = 0;
	return rc;
}
