// SPDX-License-Identifier: Apache-2.0
/*
 * Failures told to people (a sentence on standard error) and, with --json, to
 * programs (an object on standard output); and opening vector files, where most
 * of them come from.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json.h"

static const char *subcommand = "";
static bool json_wanted;

void report_begin(const char *name)
{
	subcommand = name;
}

void report_json(void)
{
	json_wanted = true;
}

int fail(enum exit_code code, const char *format, ...)
{
	char text[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fflush(stdout);
	fprintf(stderr, "vexfs%s%s: %s\n", subcommand[0] ? " " : "", subcommand, text);
	if (code == EXIT_USAGE)
		fprintf(stderr, "Try 'vexfs%s%s --help'.\n", subcommand[0] ? " " : "", subcommand);
	if (json_wanted) {
		struct json json = { .out = stdout };

		json_open(&json, '{');
		json_key(&json, "error");
		json_text(&json, text);
		json_key(&json, "exit_code");
		json_u64(&json, code);
		json_close(&json, '}');
		json_end_line(&json);
	}
	return code;
}

enum exit_code call_exit_code(int error)
{
	switch (-error) {
	case ENOENT:
		return EXIT_NOT_FOUND;
	case ENOTTY:
	case ENODATA:
	case EISDIR:
		return EXIT_NOT_VECTORS;
	case EINVAL:
	case EEXIST:
		return EXIT_BAD_INPUT;
	default:
		return EXIT_FAILED;
	}
}

int fail_call(enum vexfs_operation operation, int error, const char *file, uint64_t bad_index)
{
	char text[1024];

	vexfs_explain(operation, error, file, bad_index, text, sizeof(text));
	return fail(call_exit_code(error), "%s", text);
}

int vector_file_open(struct vector_file *file, const char *name, int flags)
{
	int rc;

	file->name = name;
	file->fd = open(name, flags | O_CLOEXEC);
	if (file->fd < 0)
		return fail_call(VEXFS_OPERATION_OPEN, -errno, name, VEXFS_UNKNOWN);
	rc = vexfs_schema_get(file->fd, &file->schema);
	if (rc < 0) {
		close(file->fd);
		return fail_call(VEXFS_OPERATION_SCHEMA_GET, rc, name, VEXFS_UNKNOWN);
	}
	return 0;
}

void vector_file_close(struct vector_file *file)
{
	close(file->fd);
}

int output_finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		json_wanted = false;
		return fail(EXIT_FAILED, "cannot write the output: %s", strerror(errno));
	}
	return code;
}
