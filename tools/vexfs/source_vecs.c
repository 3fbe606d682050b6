// SPDX-License-Identifier: Apache-2.0
/*
 * fvecs, bvecs and ivecs: each row is its dimension as a little-endian 32-bit
 * integer, then its elements (float32, bytes, 32-bit integers). All rows of a
 * file have the same dimension; where one has not, the file is damaged.
 */
#include <inttypes.h>
#include <string.h>

#include <vexfs.h>

#include "source.h"

static uint32_t le32(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static const char *format_name(const struct source *source)
{
	return source->format == SOURCE_FVECS ? "fvecs" :
	       source->format == SOURCE_BVECS ? "bvecs" : "ivecs";
}

static size_t element_bytes(const struct source *source)
{
	return source->format == SOURCE_BVECS ? 1 : 4;
}

bool source_vecs_open(struct source *source)
{
	uint64_t rest = source_rest(source);
	uint64_t row_bytes;
	size_t ahead = source_peek(source, 4);

	if (ahead < 4) {
		if (source_bytes_failed(source))
			return false;
		if (ahead == 0)
			return source_fail(source, "is empty; there are no rows in it");
		return source_fail(source, "ends at byte %zu, within the first row's dimension",
				   ahead);
	}
	source->dim = le32(source->bytes.ahead);
	if (source->dim < VEXFS_DIM_MIN || source->dim > VEXFS_DIM_MAX)
		return source_fail(source, "byte 0 says that the first row has %" PRIu32
				   " elements (1 to 65535 can be); this is not %s", source->dim,
				   format_name(source));
	source->element = source->format == SOURCE_BVECS ? VEXFS_ELEMENT_U8 : VEXFS_ELEMENT_F32;
	source->rows = SOURCE_UNKNOWN;
	if (rest == SOURCE_UNKNOWN)
		return true;
	row_bytes = 4 + (uint64_t)source->dim * element_bytes(source);
	source->rows = rest / row_bytes;
	if (rest % row_bytes != 0)
		return source_fail(source, "rows of %" PRIu32 " elements take %" PRIu64
				   " bytes as %s, but byte %" PRIu64
				   " begins one of which only %" PRIu64
				   " bytes are there; the file is cut off, or not %s",
				   source->dim, row_bytes, format_name(source),
				   source->rows * row_bytes, rest % row_bytes,
				   format_name(source));
	return true;
}

/* Takes a row; 1, 0 at the end, -1 when it is damaged. */
static int take_row(struct source *source, void *row)
{
	uint64_t start = source->bytes.offset;
	size_t want = source->dim * element_bytes(source);
	unsigned char head[4];
	size_t got = source_take(source, head, sizeof(head));

	if (got == 0)
		return source_bytes_failed(source) ? -1 : 0;
	if (got == sizeof(head) && le32(head) != source->dim) {
		source_fail(source, "row %" PRIu64 " at byte %" PRIu64 " says that it has %" PRIu32
			    " elements, the first one has %" PRIu32 "; the file is damaged, or "
			    "not %s",
			    source->row, start, le32(head), source->dim, format_name(source));
		return -1;
	}
	if (got == sizeof(head))
		got += source_take(source, row, want);
	if (got < sizeof(head) + want) {
		if (!source_bytes_failed(source))
			source_fail(source, "row %" PRIu64 " begins at byte %" PRIu64
				    " and takes %zu bytes, but only %zu are there; the input is "
				    "cut off",
				    source->row, start, sizeof(head) + want, got);
		return -1;
	}
	source->row++;
	return 1;
}

int64_t source_vecs_read(struct source *source, void *rows, uint64_t most)
{
	size_t row_bytes = source->dim * element_bytes(source);
	uint64_t count;

	for (count = 0; count < most; count++) {
		int rc = take_row(source, (unsigned char *)rows + count * row_bytes);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
	}
	return (int64_t)count;
}

/* Ids are the elements of all rows one after the other, whatever the dimension. */
int64_t source_ivecs_read(struct source *source, uint64_t *ids, uint64_t most)
{
	uint64_t count;

	for (count = 0; count < most; count++) {
		unsigned char word[4];
		uint64_t start = source->bytes.offset;
		size_t got;

		if (source->row % source->dim == 0) {
			got = source_take(source, word, sizeof(word));
			if (got == 0)
				return source_bytes_failed(source) ? -1 : (int64_t)count;
			if (got == sizeof(word) && le32(word) != source->dim) {
				source_fail(source, "the row at byte %" PRIu64 " says that it has %"
					    PRIu32 " elements, the first one has %" PRIu32, start,
					    le32(word), source->dim);
				return -1;
			}
		}
		got = source_take(source, word, sizeof(word));
		if (got < sizeof(word)) {
			if (!source_bytes_failed(source))
				source_fail(source, "ends at byte %" PRIu64 ", within a row",
					    source->bytes.offset);
			return -1;
		}
		if (le32(word) > INT32_MAX) {
			source_fail(source, "id %" PRIu64 " at byte %" PRIu64 " is negative",
				    source->row, source->bytes.offset - 4);
			return -1;
		}
		ids[count] = le32(word);
		source->row++;
	}
	return (int64_t)count;
}
