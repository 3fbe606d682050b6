// SPDX-License-Identifier: Apache-2.0
/*
 * Sources of ids: arrays of integers, ivecs, and decimal numbers as text.
 */
#include <inttypes.h>
#include <string.h>

#include <vexfs.h>

#include "source.h"

static bool is_between(int c)
{
	return c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t';
}

/* The next number of a text: 1, 0 at the end, -1 when there is something else. */
static int take_decimal(struct source *source, uint64_t *id)
{
	uint64_t start, value = 0;
	unsigned char c = 0;
	bool got;

	do
		got = source_take(source, &c, 1) == 1;
	while (got && is_between(c));
	if (!got)
		return source_bytes_failed(source) ? -1 : 0;
	start = source->bytes.offset - 1;
	for (; got && !is_between(c); got = source_take(source, &c, 1) == 1) {
		unsigned int digit = (unsigned int)(c - '0');

		if (c < '0' || c > '9' || value > (VEXFS_ID_MAX - digit) / 10) {
			source_fail(source, "byte %" PRIu64 ": id %" PRIu64 " is no decimal number "
				    "from 0 to %llu", start, source->row,
				    (unsigned long long)VEXFS_ID_MAX);
			return -1;
		}
		value = value * 10 + digit;
	}
	if (!got && source_bytes_failed(source))
		return -1;
	*id = value;
	source->row++;
	return 1;
}

static int64_t read_text(struct source *source, uint64_t *ids, uint64_t most)
{
	uint64_t count;

	for (count = 0; count < most; count++) {
		int rc = take_decimal(source, &ids[count]);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
	}
	return (int64_t)count;
}

static uint64_t little_endian(const unsigned char *bytes, unsigned int count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 8 | bytes[count];
	return value;
}

static int64_t read_array(struct source *source, uint64_t *ids, uint64_t most)
{
	unsigned int bytes = source->id_bytes;
	uint64_t count;

	if (source->rows != SOURCE_UNKNOWN && most > source->rows - source->row)
		most = source->rows - source->row;
	for (count = 0; count < most; count++) {
		unsigned char word[8];
		size_t got = source_take(source, word, bytes);
		uint64_t id;

		if (got < bytes && source_bytes_failed(source))
			return -1;
		if (got == 0 && source->rows == SOURCE_UNKNOWN)
			break;
		if (got < bytes) {
			source_fail(source, "ends at byte %" PRIu64 ", within id %" PRIu64
				    "; the input is cut off", source->bytes.offset, source->row);
			return -1;
		}
		id = little_endian(word, bytes);
		if ((source->id_signed && id >> (8 * bytes - 1)) || id > VEXFS_ID_MAX) {
			source_fail(source, "byte %" PRIu64 ": id %" PRIu64 " is negative, or the "
				    "one number that cannot be an id", source->bytes.offset - bytes,
				    source->row);
			return -1;
		}
		ids[count] = id;
		source->row++;
	}
	return (int64_t)count;
}

int64_t source_read_ids(struct source *source, uint64_t *ids, uint64_t most)
{
	switch (source->format) {
	case SOURCE_TEXT:
		return read_text(source, ids, most);
	case SOURCE_IVECS:
		return source_ivecs_read(source, ids, most);
	default:
		return read_array(source, ids, most);
	}
}

static bool open_u64(struct source *source)
{
	uint64_t rest = source_rest(source);

	source->id_bytes = 8;
	source->rows = SOURCE_UNKNOWN;
	if (rest == SOURCE_UNKNOWN)
		return true;
	source->rows = rest / 8;
	if (rest % 8 != 0)
		return source_fail(source, "holds %" PRIu64 " bytes, no whole number of 64-bit "
				   "ids; "
				   "byte %" PRIu64 " begins a part of one", rest, rest / 8 * 8);
	return true;
}

static bool find_format(struct source *source, const char *name)
{
	enum source_format format = source_format_of_name(name);
	size_t ahead = source_peek(source, 6), i;

	source->format = SOURCE_NPY;
	if (ahead == 6 && memcmp(source->bytes.ahead, "\x93NUMPY", 6) == 0)
		return true;
	source->format = format;
	if (format == SOURCE_IVECS || format == SOURCE_TEXT || format == SOURCE_U64 ||
	    format == SOURCE_NPY)
		return true;
	source->format = SOURCE_TEXT;
	for (i = 0; i < ahead; i++)
		if (!is_between(source->bytes.ahead[i]) &&
		    (source->bytes.ahead[i] < '0' || source->bytes.ahead[i] > '9'))
			return source_fail(source, "neither its name nor its contents tell how it "
					   "holds ids; say --ids-format npy, ivecs, u64 or text");
	return true;
}

bool source_open_ids(struct source *source, const char *name, enum source_format format)
{
	bool ok;

	memset(source, 0, sizeof(*source));
	if (!source_bytes_open(source, name))
		return false;
	source->format = format;
	source->rows = SOURCE_UNKNOWN;
	if (format == SOURCE_AUTO && !find_format(source, name)) {
		source_close(source);
		return false;
	}
	switch (source->format) {
	case SOURCE_NPY:
		ok = source_npy_open_ids(source);
		break;
	case SOURCE_IVECS:
		ok = source_vecs_open(source);
		if (ok && source->rows != SOURCE_UNKNOWN)
			source->rows *= source->dim;
		break;
	case SOURCE_U64:
		ok = open_u64(source);
		break;
	case SOURCE_TEXT:
		ok = true;
		break;
	default:
		ok = source_fail(source, "ids are read from npy, ivecs, u64 or text");
	}
	if (!ok)
		source_close(source);
	return ok;
}
