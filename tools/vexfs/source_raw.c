// SPDX-License-Identifier: Apache-2.0
/*
 * Raw rows: elements and nothing else, as in a vector file itself. Also what
 * follows the header of a NumPy array.
 */
#include <inttypes.h>

#include <vexfs.h>

#include "source.h"

static uint64_t row_bytes(const struct source *source)
{
	return (uint64_t)source->dim * vexfs_element_bytes(source->element);
}

bool source_raw_open(struct source *source)
{
	uint64_t rest = source_rest(source);

	if (source->dim == 0 || source->element == 0)
		return source_fail(source, "raw rows do not say what they are: give --dim and "
				   "--type");
	source->rows = SOURCE_UNKNOWN;
	if (rest == SOURCE_UNKNOWN)
		return true;
	source->rows = rest / row_bytes(source);
	if (rest == 0)
		return source_fail(source, "is empty; there are no rows in it");
	if (rest % row_bytes(source) != 0)
		return source_fail(source, "rows of %" PRIu32 " %s take %" PRIu64
				   " bytes, but byte %" PRIu64 " begins one of which only %" PRIu64
				   " bytes are there; the file is cut off, or --dim or --type "
				   "wrong",
				   source->dim, vexfs_element_name(source->element),
				   row_bytes(source), source->rows * row_bytes(source),
				   rest % row_bytes(source));
	return true;
}

int64_t source_raw_read(struct source *source, void *rows, uint64_t most)
{
	uint64_t start = source->bytes.offset;
	uint64_t bytes = row_bytes(source);
	uint64_t got, whole;

	if (source->rows != SOURCE_UNKNOWN && most > source->rows - source->row)
		most = source->rows - source->row;
	got = source_take(source, rows, most * bytes);
	whole = got / bytes;
	if (got < most * bytes && source_bytes_failed(source))
		return -1;
	if (got % bytes != 0) {
		source_fail(source, "row %" PRIu64 " begins at byte %" PRIu64 " and takes %" PRIu64
			    " bytes, but only %" PRIu64 " are there; the input is cut off",
			    source->row + whole, start + whole * bytes, bytes, got % bytes);
		return -1;
	}
	if (whole < most && source->rows != SOURCE_UNKNOWN) {
		source_fail(source, "ends at byte %" PRIu64 " after %" PRIu64 " rows of %" PRIu64
			    "; the input is cut off", source->bytes.offset, source->row + whole,
			    source->rows);
		return -1;
	}
	source->row += whole;
	return (int64_t)whole;
}
