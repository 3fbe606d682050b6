// SPDX-License-Identifier: Apache-2.0
/*
 * vexfs compact: gives the space of deleted rows back.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "arguments.h"
#include "command.h"
#include "json.h"
#include "number.h"
#include "progress.h"

static const char help[] =
"Usage: vexfs compact FILE... [OPTION]...\n"
"\n"
"Gives the space of deleted rows back: copies the rows that are left, beside\n"
"searches, inserts and deletes, and puts the copy in the place of the file's data in\n"
"one step. Ids and attributes stay; an index is built again in the background. It\n"
"takes as much free space as the rows that are left. Interrupted, it goes on where it\n"
"was when it is called again.\n"
"\n"
HELP_COMMON
"\n"
"Examples:\n"
"  vexfs compact photos\n"
"  vexfs compact --json *.vectors\n"
"\n"
"JSON, an object a line for each file:\n"
"  {\"file\",\"rows_kept\",\"rows_reclaimed\",\"bytes_freed\",\"seconds\"}\n";

/* Between two looks at how far it is, in nanoseconds. */
#define LOOK 100000000L

/**
 * struct watch - a thread that shows how far a compaction is
 * @fd: the file
 * @progress: the line
 * @over: it has ended
 */
struct watch {
	int fd;
	struct progress *progress;
	atomic_bool over;
};

static void *watch_run(void *arg)
{
	const struct timespec pause = { .tv_nsec = LOOK };
	struct watch *watch = arg;
	struct vexfs_compact status;

	while (!atomic_load(&watch->over)) {
		if (vexfs_compact_status(watch->fd, &status) == 0 && status.running) {
			watch->progress->total = status.rows;
			progress_show(watch->progress, status.rows_done);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void print_json(const char *file, const struct vexfs_compact *compact, double seconds)
{
	struct json json = { .out = stdout };

	json_open(&json, '{');
	json_key(&json, "file");
	json_text(&json, file);
	json_key(&json, "rows_kept");
	json_u64(&json, compact->rows_kept);
	json_key(&json, "rows_reclaimed");
	json_u64(&json, compact->rows_reclaimed);
	json_key(&json, "bytes_freed");
	json_u64(&json, compact->bytes_freed);
	json_key(&json, "seconds");
	json_double(&json, seconds);
	json_close(&json, '}');
	json_end_line(&json);
}

static int compact_file(const char *name, bool json)
{
	struct progress progress;
	struct vexfs_compact compact;
	struct watch watch = { .progress = &progress };
	struct vector_file file;
	char bytes[NUMBER_TEXT_MAX];
	bool watched = false;
	pthread_t thread;
	double seconds;
	int rc = vector_file_open(&file, name, O_RDWR);

	if (rc != 0)
		return rc;
	progress_begin(&progress, "compact", "rows", file.schema.rows);
	watch.fd = file.fd;
	if (progress.visible)
		watched = pthread_create(&thread, NULL, watch_run, &watch) == 0;
	rc = vexfs_compact(file.fd, &compact);
	atomic_store(&watch.over, true);
	if (watched)
		pthread_join(thread, NULL);
	seconds = progress_end(&progress);
	vector_file_close(&file);
	if (rc < 0)
		return fail_call(VEXFS_OPERATION_COMPACT, rc, name, VEXFS_UNKNOWN);
	if (json)
		print_json(name, &compact, seconds);
	else
		printf("%s: %" PRIu64 " rows kept, %" PRIu64 " reclaimed, %s freed\n", name,
		       (uint64_t)compact.rows_kept, (uint64_t)compact.rows_reclaimed,
		       format_bytes(bytes, compact.bytes_freed));
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int option, code = 0, i;

	while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (option != OPTION_JSON)
			return argument_unknown(option, argv);
		json = true;
	}
	if (argc == optind)
		return fail(EXIT_USAGE, "no file is named");
	for (i = optind; i < argc && code == 0; i++)
		code = compact_file(argv[i], json);
	return code;
}

const struct command compact_command = {
	.name = "compact",
	.summary = "give the space of deleted rows back",
	.help = help,
	.run = run,
};
