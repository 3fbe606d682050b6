// SPDX-License-Identifier: Apache-2.0
/*
 * The header of NumPy array files (.npy, versions 1 to 3): read strictly, and
 * written. The rows behind it are raw.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vexfs.h>

#include "source.h"

#define NPY_MAGIC		"\x93NUMPY"
#define NPY_HEADER_MAX		65536U
#define NPY_DESCR_MAX		32
#define NPY_SHAPE_MAX		8

/**
 * struct npy - what a header says
 * @descr: the type, such as "<f4"
 * @fortran: column-major?
 * @shape: the extents
 * @dimensions: how many extents
 * @seen: keys that were there, a bit each
 */
struct npy {
	char descr[NPY_DESCR_MAX];
	bool fortran;
	uint64_t shape[NPY_SHAPE_MAX];
	unsigned int dimensions;
	unsigned int seen;
};

enum npy_key { NPY_DESCR = 1, NPY_FORTRAN = 2, NPY_SHAPE = 4, NPY_ALL = 7 };

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t\r\n");
}

/* Takes one character, blanks before it passed over. */
static bool take(const char **at, char wanted)
{
	skip_blanks(at);
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static bool take_string(const char **at, char *text, size_t room)
{
	size_t length;
	char quote;

	skip_blanks(at);
	quote = **at;
	if (quote != '\'' && quote != '"')
		return false;
	(*at)++;
	for (length = 0; **at != quote; (*at)++) {
		if (**at == '\0' || **at == '\\' || length + 1 >= room)
			return false;
		text[length++] = **at;
	}
	text[length] = '\0';
	(*at)++;
	return true;
}

static bool take_word(const char **at, const char *word)
{
	skip_blanks(at);
	if (strncmp(*at, word, strlen(word)) != 0)
		return false;
	*at += strlen(word);
	return true;
}

static bool take_shape(const char **at, struct npy *npy)
{
	if (!take(at, '('))
		return false;
	while (!take(at, ')')) {
		uint64_t extent = 0;

		skip_blanks(at);
		if (**at < '0' || **at > '9' || npy->dimensions == NPY_SHAPE_MAX)
			return false;
		for (; **at >= '0' && **at <= '9'; (*at)++) {
			if (extent > (UINT64_MAX - 9) / 10)
				return false;
			extent = extent * 10 + (uint64_t)(**at - '0');
		}
		npy->shape[npy->dimensions++] = extent;
		if (!take(at, ',')) {
			/* "(3)" is a number to Python, and no shape. */
			if (npy->dimensions == 1)
				return false;
			return take(at, ')');
		}
	}
	return true;
}

static bool take_pair(const char **at, struct npy *npy)
{
	enum npy_key key;
	char name[16];
	bool ok;

	if (!take_string(at, name, sizeof(name)) || !take(at, ':'))
		return false;
	if (strcmp(name, "descr") == 0) {
		key = NPY_DESCR;
		ok = take_string(at, npy->descr, sizeof(npy->descr));
	} else if (strcmp(name, "fortran_order") == 0) {
		key = NPY_FORTRAN;
		npy->fortran = take_word(at, "True");
		ok = npy->fortran || take_word(at, "False");
	} else if (strcmp(name, "shape") == 0) {
		key = NPY_SHAPE;
		ok = !(npy->seen & NPY_SHAPE) && take_shape(at, npy);
	} else {
		return false;
	}
	if (npy->seen & key)
		return false;
	npy->seen |= key;
	return ok;
}

/* The header is a Python dictionary of exactly three keys. */
static bool parse_header(const char *text, struct npy *npy, size_t *bad_at)
{
	const char *at = text;
	bool ok = take(&at, '{');

	while (ok && !take(&at, '}')) {
		ok = take_pair(&at, npy);
		if (ok && !take(&at, ',')) {
			ok = take(&at, '}');
			break;
		}
	}
	skip_blanks(&at);
	*bad_at = (size_t)(at - text);
	return ok && *at == '\0' && npy->seen == NPY_ALL;
}

/* Tells that the header came short; returns NULL, as there is none. */
static char *no_header(struct source *source, size_t got)
{
	if (!source_bytes_failed(source))
		source_fail(source, "ends at byte %zu, within the header of the array", got);
	return NULL;
}

/* The length of the header's text, and @start, where it begins; 0 if that is damaged. */
static size_t header_length(struct source *source, size_t *start)
{
	unsigned char head[12];
	size_t got = source_take(source, head, 8);
	size_t length = 0, count_bytes, i;

	if (got < 8) {
		no_header(source, got);
		return 0;
	}
	if (memcmp(head, NPY_MAGIC, 6) != 0)
		return source_fail(source, "byte 0: this is no NumPy array (.npy)");
	if (head[6] < 1 || head[6] > 3 || head[7] != 0)
		return source_fail(source, "byte 6: version %u.%u of the .npy format is not known",
				   head[6], head[7]);
	count_bytes = head[6] > 1 ? 4 : 2;
	*start = 8 + count_bytes;
	got += source_take(source, head + 8, count_bytes);
	if (got < *start) {
		no_header(source, got);
		return 0;
	}
	for (i = 0; i < count_bytes; i++)
		length |= (size_t)head[8 + i] << 8 * i;
	if (length == 0 || length > NPY_HEADER_MAX)
		return source_fail(source, "byte 8: a header of %zu bytes cannot be", length);
	return length;
}

/* The header's text, to be freed; NULL if it is damaged. */
static char *read_header(struct source *source, size_t *start)
{
	size_t length = header_length(source, start);
	size_t got;
	char *text;

	if (length == 0)
		return NULL;
	text = calloc(1, length + 1);
	if (!text) {
		source_fail(source, "not enough memory");
		return NULL;
	}
	got = source_take(source, text, length);
	if (got == length && !memchr(text, '\0', length))
		return text;
	free(text);
	if (got < length)
		return no_header(source, *start + got);
	source_fail(source, "byte %zu: the header of the array holds a zero", *start);
	return NULL;
}

static bool parse_npy(struct source *source, struct npy *npy)
{
	size_t start = 0, bad_at;
	char *text = read_header(source, &start);
	bool ok;

	memset(npy, 0, sizeof(*npy));
	if (!text)
		return false;
	ok = parse_header(text, npy, &bad_at);
	free(text);
	if (ok)
		return true;
	return source_fail(source, "byte %zu: the header of the array is damaged, or describes "
			   "an array of structures", start + bad_at);
}

/* Is there exactly as much data as the header says? */
static bool check_rest(struct source *source, uint64_t count, uint64_t bytes_each)
{
	uint64_t rest = source_rest(source);

	if (rest == SOURCE_UNKNOWN)
		return true;
	if (count > rest / bytes_each)
		return source_fail(source, "the header says %" PRIu64 " rows of %" PRIu64
				   " bytes, but only %" PRIu64 " bytes follow from byte %" PRIu64
				   " on; the file is cut off", count, bytes_each, rest,
				   source->bytes.offset);
	if (rest > count * bytes_each)
		return source_fail(source, "%" PRIu64 " bytes follow the array's end at byte "
				   "%" PRIu64
				   "; the file is damaged, or holds several arrays",
				   rest - count * bytes_each,
				   source->bytes.offset + count * bytes_each);
	return true;
}

static bool element_of_descr(struct source *source, const char *descr)
{
	static const struct {
		const char *descr;
		unsigned int element;
	} known[] = {
		{ "<f4", VEXFS_ELEMENT_F32 }, { "<f2", VEXFS_ELEMENT_F16 },
		{ "|i1", VEXFS_ELEMENT_I8 },  { "<i1", VEXFS_ELEMENT_I8 },
		{ "|u1", VEXFS_ELEMENT_U8 },  { "<u1", VEXFS_ELEMENT_U8 },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(descr, known[i].descr) == 0) {
			source->element = known[i].element;
			return true;
		}
	}
	if (descr[0] == '>')
		return source_fail(source, "its elements are big-endian ('%s'); in NumPy, "
				   "a.astype('<f4') makes what can be inserted", descr);
	return source_fail(source, "its elements are of type '%s'; vectors are <f4, <f2, |i1 or "
			   "|u1: in NumPy, a.astype('<f4') converts", descr);
}

bool source_npy_open(struct source *source)
{
	struct npy npy;
	uint64_t dim;

	if (!parse_npy(source, &npy) || !element_of_descr(source, npy.descr))
		return false;
	if (npy.dimensions != 1 && npy.dimensions != 2)
		return source_fail(source, "is an array of %u dimensions; rows need two: in NumPy, "
				   "a.reshape(len(a), -1)", npy.dimensions);
	if (npy.fortran && npy.dimensions == 2)
		return source_fail(source, "is stored column by column; in NumPy, "
				   "numpy.ascontiguousarray(a) makes rows");
	dim = npy.shape[npy.dimensions - 1];
	source->rows = npy.dimensions == 1 ? 1 : npy.shape[0];
	if (dim < VEXFS_DIM_MIN || dim > VEXFS_DIM_MAX)
		return source_fail(source, "has rows of %" PRIu64 " elements; 1 to 65535 can be",
				   dim);
	source->dim = (uint32_t)dim;
	if (source->rows == 0)
		return source_fail(source, "is an array without rows");
	return check_rest(source, source->rows, dim * vexfs_element_bytes(source->element));
}

bool source_npy_open_ids(struct source *source)
{
	struct npy npy;
	uint64_t count = 1;
	unsigned int i;

	if (!parse_npy(source, &npy))
		return false;
	if (strlen(npy.descr) != 3 || npy.descr[0] != '<' || !strchr("iu", npy.descr[1]) ||
	    !strchr("48", npy.descr[2]))
		return source_fail(source, "its elements are of type '%s'; ids are <u8, <i8, <u4 "
				   "or <i4: in NumPy, a.astype('<u8') converts", npy.descr);
	if (npy.fortran && npy.dimensions > 1)
		return source_fail(source, "is stored column by column; in NumPy, "
				   "numpy.ascontiguousarray(a) makes rows");
	source->id_signed = npy.descr[1] == 'i';
	source->id_bytes = (unsigned int)(npy.descr[2] - '0');
	for (i = 0; i < npy.dimensions; i++) {
		if (npy.shape[i] != 0 && count > UINT64_MAX / 16 / npy.shape[i])
			return source_fail(source, "the header says more ids than can be");
		count *= npy.shape[i];
	}
	source->rows = count;
	return check_rest(source, count, source->id_bytes);
}

void npy_header_format(char *header, const char *descr, uint64_t rows, uint32_t dim)
{
	char text[NPY_HEADER_BYTES - 10];
	int length;

	if (dim > 0)
		length = snprintf(text, sizeof(text), "{'descr': '%s', 'fortran_order': False, "
				  "'shape': (%" PRIu64 ", %" PRIu32 "), }", descr, rows, dim);
	else
		length = snprintf(text, sizeof(text), "{'descr': '%s', 'fortran_order': False, "
				  "'shape': (%" PRIu64 ",), }", descr, rows);
	memcpy(header, NPY_MAGIC "\x01\x00", 8);
	header[8] = sizeof(text);
	header[9] = 0;
	memset(header + 10, ' ', sizeof(text));
	memcpy(header + 10, text, (size_t)length);
	header[NPY_HEADER_BYTES - 1] = '\n';
}
