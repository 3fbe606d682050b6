// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs, the command line of VexFS: finds the subcommand and runs it.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&create_command, &insert_command, &get_command, &set_command,
	&delete_command, &compact_command,
	&search_command, &range_command, &info_command, &stats_command,
	&index_command,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	size_t i;

	puts("Usage: vexfs SUBCOMMAND ...\n"
	     "\n"
	     "Vector files on a mounted VexFS: rows of numbers, searched by the kernel.\n");
	for (i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	puts("\n"
	     "A first tour, in a directory on VexFS:\n"
	     "\n"
	     "  vexfs insert photos embeddings.npy        # makes the file, inserts all rows\n"
	     "  vexfs info photos\n"
	     "  vexfs search photos --id 0 -k 5           # the 5 rows nearest to row 0\n"
	     "  vexfs search photos --query more.npy --json\n"
	     "\n"
	     "'vexfs SUBCOMMAND --help' explains each, with examples; so does vexfs(1).\n"
	     "\n"
	     "Exit codes: 0 done, 1 failed (permission, space, input/output, ...), 2 wrong usage,\n"
	     "3 no such file or id, 4 the input is damaged or does not fit the file,\n"
	     "5 not on VexFS, or not a vector file.");
}

static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static bool wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	report_begin(command->name);
	if (wants_help(argc, argv)) {
		fputs(command->help, stdout);
		return output_finish(EXIT_DONE);
	}
	/* Known before the options are read, whose failures are told as JSON too. */
	if (wants_json(argc, argv))
		report_json();
	return output_finish(command->run(argc, argv));
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return fail(EXIT_USAGE, "a subcommand is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help();
		return output_finish(EXIT_DONE);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("vexfs %s\n", vexfs_version());
		return output_finish(EXIT_DONE);
	}
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return run_command(commands[i], argc - 1, argv + 1);
	return fail(EXIT_USAGE, "there is no subcommand '%s'", argv[1]);
}
