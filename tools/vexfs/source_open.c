// SPDX-License-Identifier: Apache-2.0
/*
 * Opening sources of rows: telling their formats apart, and handing on to the
 * format's own file.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <vexfs.h>

#include "source.h"

static const struct {
	const char *name;
	enum source_format format;
} formats[] = {
	{ "auto", SOURCE_AUTO }, { "fvecs", SOURCE_FVECS }, { "bvecs", SOURCE_BVECS },
	{ "ivecs", SOURCE_IVECS }, { "npy", SOURCE_NPY }, { "raw", SOURCE_RAW },
	{ "u64", SOURCE_U64 }, { "text", SOURCE_TEXT },
};

static const struct {
	const char *ending;
	enum source_format format;
} endings[] = {
	{ ".fvecs", SOURCE_FVECS }, { ".bvecs", SOURCE_BVECS }, { ".ivecs", SOURCE_IVECS },
	{ ".npy", SOURCE_NPY }, { ".raw", SOURCE_RAW }, { ".bin", SOURCE_RAW },
	{ ".f32", SOURCE_RAW }, { ".f16", SOURCE_RAW }, { ".i8", SOURCE_RAW },
	{ ".u8", SOURCE_RAW }, { ".u64", SOURCE_U64 }, { ".txt", SOURCE_TEXT },
};

bool source_format_parse(const char *name, enum source_format *format)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(name, formats[i].name) == 0) {
			*format = formats[i].format;
			return true;
		}
	}
	return false;
}

enum source_format source_format_of_name(const char *name)
{
	const char *ending = strrchr(name, '.');
	size_t i;

	for (i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strcasecmp(ending, endings[i].ending) == 0)
			return endings[i].format;
	return SOURCE_AUTO;
}

static uint32_t le32(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Could the file be rows of @element_bytes, each after its dimension? */
static bool looks_like_vecs(const struct source *source, uint32_t dim, uint64_t element_bytes)
{
	const struct bytes *bytes = &source->bytes;
	uint64_t row_bytes = 4 + dim * element_bytes;
	unsigned char second[4];

	if (dim < VEXFS_DIM_MIN || dim > VEXFS_DIM_MAX || bytes->size == SOURCE_UNKNOWN ||
	    bytes->size % row_bytes != 0)
		return false;
	return bytes->size == row_bytes ||
	       (pread(fileno(bytes->file), second, sizeof(second),
		      (off_t)(bytes->start + row_bytes)) == sizeof(second) && le32(second) == dim);
}

static bool find_format(struct source *source, const char *name)
{
	const unsigned char *ahead = source->bytes.ahead;
	size_t count = source_peek(source, 8);
	bool floats, bytes;
	uint32_t dim;

	if (count >= 6 && memcmp(ahead, "\x93NUMPY", 6) == 0) {
		source->format = SOURCE_NPY;
		return true;
	}
	source->format = source_format_of_name(name);
	if (source->format != SOURCE_AUTO)
		return true;
	if (count == 0 && !source_bytes_failed(source))
		return source_fail(source, "is empty; there are no rows in it");
	dim = le32(ahead);
	floats = count == 8 && looks_like_vecs(source, dim, 4);
	bytes = count == 8 && looks_like_vecs(source, dim, 1);
	if (floats == bytes)
		return source_fail(source, "neither its name nor its contents tell its format; say "
				   "--format fvecs, bvecs, npy or raw");
	source->format = floats ? SOURCE_FVECS : SOURCE_BVECS;
	return true;
}

static bool open_format(struct source *source)
{
	switch (source->format) {
	case SOURCE_FVECS:
	case SOURCE_BVECS:
		return source_vecs_open(source);
	case SOURCE_NPY:
		return source_npy_open(source);
	case SOURCE_RAW:
		return source_raw_open(source);
	default:
		return source_fail(source, "holds ids by its format; vectors are read from fvecs, "
				   "bvecs, npy or raw");
	}
}

bool source_open(struct source *source, const char *name, enum source_format format,
		 uint32_t dim, unsigned int element)
{
	memset(source, 0, sizeof(*source));
	if (!source_bytes_open(source, name))
		return false;
	source->format = format;
	source->dim = dim;
	source->element = element;
	if ((format != SOURCE_AUTO || find_format(source, name)) && open_format(source))
		return true;
	source_close(source);
	return false;
}

int64_t source_read(struct source *source, void *rows, uint64_t most)
{
	if (source->format == SOURCE_FVECS || source->format == SOURCE_BVECS)
		return source_vecs_read(source, rows, most);
	return source_raw_read(source, rows, most);
}

void source_close(struct source *source)
{
	source_bytes_close(source);
}
