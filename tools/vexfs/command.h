/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the subcommands of vexfs share: the table that main.c dispatches by, exit
 * codes, how failures are told, and opening a vector file.
 */
#ifndef VEXFS_COMMAND_H
#define VEXFS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <vexfs.h>

/* Exit codes; vexfs(1) documents them. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,	/* the system refused: permission, space, input/output */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_NOT_FOUND = 3,	/* no such file, no such id */
	EXIT_BAD_INPUT = 4,	/* the source is damaged or does not fit the file */
	EXIT_NOT_VECTORS = 5,	/* not on VexFS, or no vector file */
};

/**
 * struct command - a subcommand
 * @name: what it is called
 * @summary: one line, for the list of subcommands
 * @help: what --help prints
 * @run: does it; argv[0] is the subcommand. Returns an exit code
 */
struct command {
	const char *name;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command create_command;
extern const struct command insert_command;
extern const struct command get_command;
extern const struct command set_command;
extern const struct command delete_command;
extern const struct command compact_command;
extern const struct command search_command;
extern const struct command range_command;
extern const struct command info_command;
extern const struct command stats_command;
extern const struct command index_command;

/* The part of a subcommand's --help that all of them share. */
#define HELP_COMMON \
	"  --json             print JSON instead of text; failures too, as {\"error\": ...}\n" \
	"  -h, --help         print this\n"

/**
 * report_begin - say which subcommand failures are about
 * @name: the subcommand
 */
void report_begin(const char *name);

/**
 * report_json - report failures on standard output as JSON too from now on
 */
void report_json(void);

/**
 * fail - tell what is wrong
 * @code: the exit code
 * @format: printf-like; one sentence, no newline
 *
 * Return: @code.
 */
__attribute__((format(printf, 2, 3)))
int fail(enum exit_code code, const char *format, ...);

/**
 * fail_call - tell what a function of libvexfs refused
 * @operation: what was tried
 * @error: the negative error number
 * @file: on which file
 * @bad_index: as for vexfs_explain()
 *
 * Return: the exit code that fits.
 */
int fail_call(enum vexfs_operation operation, int error, const char *file, uint64_t bad_index);

/**
 * call_exit_code - the exit code that fits an error of libvexfs
 * @error: the negative error number
 *
 * Return: the exit code.
 */
enum exit_code call_exit_code(int error);

/**
 * struct vector_file - a vector file that is open
 * @name: what the user called it
 * @fd: the descriptor
 * @schema: its schema when it was opened
 */
struct vector_file {
	const char *name;
	int fd;
	struct vexfs_schema schema;
};

/**
 * vector_file_open - open a vector file
 * @file: filled in
 * @name: its name; must outlive @file
 * @flags: O_RDONLY or O_RDWR
 *
 * Return: 0, or an exit code; what is wrong has been told.
 */
int vector_file_open(struct vector_file *file, const char *name, int flags);

/**
 * vector_file_close - close it
 * @file: from vector_file_open()
 */
void vector_file_close(struct vector_file *file);

/**
 * output_finish - make sure that all output got out
 * @code: the exit code so far
 *
 * Return: @code, or EXIT_FAILED (told) when standard output could not be written.
 */
int output_finish(int code);

#endif /* VEXFS_COMMAND_H */
