// SPDX-License-Identifier: Apache-2.0
/*
 * Files that rows and ids are written to; see sink.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "sink.h"

static const char *npy_descr(unsigned int element)
{
	switch (element) {
	case VEXFS_ELEMENT_F32:
		return "<f4";
	case VEXFS_ELEMENT_F16:
		return "<f2";
	case VEXFS_ELEMENT_I8:
		return "|i1";
	case VEXFS_ELEMENT_U8:
		return "|u1";
	default:
		return "<u8";
	}
}

static int fail_write(const struct sink *sink)
{
	return fail(EXIT_FAILED, "cannot write %s: %s",
		    strcmp(sink->name, "-") == 0 ? "the output" : sink->name, strerror(errno));
}

/* Can rows of this type be written in this format? */
static int check_format(struct sink *sink)
{
	if (sink->format == SOURCE_AUTO)
		sink->format = source_format_of_name(sink->name);
	if (sink->dim == 0) {
		if (sink->format == SOURCE_NPY || sink->format == SOURCE_U64 ||
		    sink->format == SOURCE_TEXT)
			return 0;
		return fail(EXIT_USAGE, "%s: ids are written as .npy, .u64 or .txt", sink->name);
	}
	switch (sink->format) {
	case SOURCE_NPY:
	case SOURCE_RAW:
		return 0;
	case SOURCE_FVECS:
		if (sink->element == VEXFS_ELEMENT_F32)
			return 0;
		return fail(EXIT_USAGE, "%s: fvecs hold f32, these rows are %s; write .npy or raw",
			    sink->name, vexfs_element_name(sink->element));
	case SOURCE_BVECS:
		if (sink->element == VEXFS_ELEMENT_U8)
			return 0;
		return fail(EXIT_USAGE, "%s: bvecs hold u8, these rows are %s; write .npy or raw",
			    sink->name, vexfs_element_name(sink->element));
	default:
		return fail(EXIT_USAGE, "%s: its name does not tell the format; say --format npy, "
			    "fvecs, bvecs or raw", sink->name);
	}
}

static bool write_npy_header(const struct sink *sink, uint64_t rows)
{
	char header[NPY_HEADER_BYTES];

	npy_header_format(header, npy_descr(sink->element), rows, sink->dim);
	return fwrite(header, sizeof(header), 1, sink->file) == 1;
}

int sink_open(struct sink *sink, const char *name, enum source_format format,
	      unsigned int element, uint32_t dim, uint64_t rows)
{
	bool output = strcmp(name, "-") == 0;
	int code;

	sink->name = name;
	sink->format = format;
	sink->element = element;
	sink->dim = dim;
	sink->rows = 0;
	code = check_format(sink);
	if (code != 0)
		return code;
	sink->file = output ? stdout : fopen(name, "wbe");
	if (!sink->file)
		return fail_write(sink);
	if (sink->format != SOURCE_NPY)
		return 0;
	if (rows == SOURCE_UNKNOWN && (output || fseeko(sink->file, 0, SEEK_CUR) < 0)) {
		code = fail(EXIT_USAGE, "a .npy begins with how many rows there are, which is not "
			    "known yet: write it to a file, or use --format raw");
	} else if (!write_npy_header(sink, rows == SOURCE_UNKNOWN ? 0 : rows)) {
		code = fail_write(sink);
	}
	return code == 0 ? 0 : sink_close(sink, code);
}

static bool write_text(const struct sink *sink, const uint64_t *ids, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		if (fprintf(sink->file, "%" PRIu64 "\n", ids[i]) < 0)
			return false;
	return true;
}

/* Rows as fvecs or bvecs: each after its dimension. */
static bool write_vecs(const struct sink *sink, const char *rows, uint64_t count)
{
	size_t row_bytes = sink->dim * vexfs_element_bytes(sink->element);
	unsigned char dim[4] = {
		sink->dim & 255, sink->dim >> 8 & 255, sink->dim >> 16 & 255, sink->dim >> 24,
	};
	uint64_t i;

	for (i = 0; i < count; i++)
		if (fwrite(dim, sizeof(dim), 1, sink->file) != 1 ||
		    fwrite(rows + i * row_bytes, row_bytes, 1, sink->file) != 1)
			return false;
	return true;
}

int sink_write(struct sink *sink, const void *rows, uint64_t count)
{
	size_t bytes = sink->dim ? sink->dim * vexfs_element_bytes(sink->element) : 8;
	bool ok;

	if (sink->format == SOURCE_TEXT)
		ok = write_text(sink, rows, count);
	else if (sink->format == SOURCE_FVECS || sink->format == SOURCE_BVECS)
		ok = write_vecs(sink, rows, count);
	else
		ok = fwrite(rows, bytes, count, sink->file) == count;
	if (!ok)
		return fail_write(sink);
	sink->rows += count;
	return 0;
}

int sink_close(struct sink *sink, int code)
{
	bool output = sink->file == stdout;
	struct stat status;
	bool regular = !output && fstat(fileno(sink->file), &status) == 0 &&
		       S_ISREG(status.st_mode);

	if (code == 0 && sink->format == SOURCE_NPY && regular &&
	    (fseeko(sink->file, 0, SEEK_SET) < 0 || !write_npy_header(sink, sink->rows)))
		code = fail_write(sink);
	if (fflush(sink->file) != 0 && code == 0)
		code = fail_write(sink);
	if (output)
		return code;
	if (fclose(sink->file) != 0 && code == 0)
		code = fail_write(sink);
	if (code != 0 && regular)
		unlink(sink->name);
	return code;
}
