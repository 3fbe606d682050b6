// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a source: opening, looking ahead, taking, and telling failures.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source.h"

#define BUFFER_BYTES (1U << 20)

bool source_fail(struct source *source, const char *format, ...)
{
	int length = snprintf(source->error, sizeof(source->error), "%s: ",
			      source->bytes.name ? source->bytes.name : "source");
	va_list arguments;

	if (length < 0 || (size_t)length >= sizeof(source->error) / 2) {
		/* A name that would leave no room for what is wrong with it. */
		length = snprintf(source->error, sizeof(source->error), "%.200s...: ",
				  source->bytes.name);
	}
	va_start(arguments, format);
	vsnprintf(source->error + length, sizeof(source->error) - (size_t)length, format,
		  arguments);
	va_end(arguments);
	return false;
}

bool source_bytes_open(struct source *source, const char *name)
{
	struct bytes *bytes = &source->bytes;
	struct stat status;

	bytes->size = SOURCE_UNKNOWN;
	bytes->name = strdup(strcmp(name, "-") == 0 ? "standard input" : name);
	if (!bytes->name)
		return source_fail(source, "not enough memory");
	bytes->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
	if (!bytes->file || fstat(fileno(bytes->file), &status) < 0)
		source_fail(source, "%s", strerror(errno));
	else if (S_ISDIR(status.st_mode))
		source_fail(source, "is a directory; name a file with vectors or ids");
	else if (setvbuf(bytes->file, NULL, _IOFBF, BUFFER_BYTES) != 0)
		source_fail(source, "not enough memory");
	else {
		off_t at = S_ISREG(status.st_mode) ? ftello(bytes->file) : -1;

		/* Standard input may be a file that something was read from before. */
		if (at >= 0 && at <= status.st_size) {
			bytes->start = (uint64_t)at;
			bytes->size = (uint64_t)(status.st_size - at);
		}
		return true;
	}
	source_bytes_close(source);
	return false;
}

void source_bytes_close(struct source *source)
{
	if (source->bytes.file && source->bytes.file != stdin)
		fclose(source->bytes.file);
	source->bytes.file = NULL;
	free(source->bytes.name);
	source->bytes.name = NULL;
}

size_t source_peek(struct source *source, size_t count)
{
	struct bytes *bytes = &source->bytes;

	if (bytes->ahead_count < count)
		bytes->ahead_count += fread(bytes->ahead + bytes->ahead_count, 1,
					    count - bytes->ahead_count, bytes->file);
	return bytes->ahead_count < count ? bytes->ahead_count : count;
}

size_t source_take(struct source *source, void *to, size_t count)
{
	struct bytes *bytes = &source->bytes;
	size_t taken = bytes->ahead_count < count ? bytes->ahead_count : count;

	if (taken > 0) {
		memcpy(to, bytes->ahead, taken);
		bytes->ahead_count -= taken;
		memmove(bytes->ahead, bytes->ahead + taken, bytes->ahead_count);
	}
	if (taken < count)
		taken += fread((unsigned char *)to + taken, 1, count - taken, bytes->file);
	bytes->offset += taken;
	return taken;
}

bool source_bytes_failed(struct source *source)
{
	if (!ferror(source->bytes.file))
		return false;
	source_fail(source, "cannot be read at byte %" PRIu64 ": %s", source->bytes.offset,
		    strerror(errno));
	return true;
}

uint64_t source_rest(const struct source *source)
{
	if (source->bytes.size == SOURCE_UNKNOWN)
		return SOURCE_UNKNOWN;
	if (source->bytes.offset > source->bytes.size)
		return 0;
	return source->bytes.size - source->bytes.offset;
}
