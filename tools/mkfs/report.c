// SPDX-License-Identifier: Apache-2.0
/*
 * What mkfs.vexfs says: errors, progress on a terminal, the summary.
 */
#include "mkfs.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <uuid/uuid.h>

void mkfs_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("mkfs.vexfs: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void mkfs_progress(const struct mkfs_options *options, const char *what,
		   u64 done, u64 total)
{
	static double begun;
	static bool shown;

	if (options->quiet || !isatty(STDERR_FILENO))
		return;
	if (begun == 0.0)
		begun = now_seconds();
	if (done < total && now_seconds() - begun > 1.0) {
		fprintf(stderr, "\r%s: %3u%%", what,
			(unsigned int)(done * 100 / total));
		shown = true;
	} else if (done >= total && shown) {
		fputs("\r\033[K", stderr);
		shown = false;
	}
}

/* Prints a JSON string; what is not printable ASCII or UTF-8 is escaped. */
static void print_json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const void *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void print_json(const struct mkfs_options *options,
		       const struct mkfs_plan *plan, const char *label,
		       const char *uuid)
{
	const struct vex_geometry *geo = &plan->geo;

	printf("{\"target\": ");
	print_json_string(options->target);
	printf(", \"dry_run\": %s, \"uuid\": \"%s\", \"label\": ",
	       options->dry_run ? "true" : "false", uuid);
	print_json_string(label);
	printf(", \"block_size\": %d, \"blocks\": %llu, \"bytes\": %llu, \"groups\": %llu, \"group_descriptor_blocks\": %u, \"inodes\": %llu, \"journal_blocks\": %u, \"free_blocks\": %llu}\n",
	       VEXFS_BLOCK_SIZE, (unsigned long long)geo->blocks,
	       (unsigned long long)geo->blocks * VEXFS_BLOCK_SIZE,
	       (unsigned long long)geo->groups, geo->gdt_blocks,
	       (unsigned long long)(geo->groups * geo->inodes_per_group),
	       plan->journal_blocks, (unsigned long long)plan->free_blocks);
}

static double mebibytes(u64 blocks)
{
	return (double)blocks * VEXFS_BLOCK_SIZE / (1 << 20);
}

void mkfs_summary(const struct mkfs_options *options,
		  const struct mkfs_plan *plan)
{
	const struct vex_geometry *geo = &plan->geo;
	char label[VEXFS_LABEL_BYTES + 1] = "";
	char uuid[37];

	memcpy(label, options->label, VEXFS_LABEL_BYTES);
	uuid_unparse_lower(options->uuid, uuid);
	if (options->json) {
		print_json(options, plan, label, uuid);
		return;
	}
	if (options->quiet)
		return;
	printf("%s: %s VexFS filesystem%s%s%s\n", options->target,
	       options->dry_run ? "would make a" : "made a",
	       *label ? " \"" : "", label, *label ? "\"" : "");
	printf("  uuid     %s\n", uuid);
	printf("  size     %llu blocks of 4096 bytes (%.1f MiB) in %llu group%s, room for %llu\n",
	       (unsigned long long)geo->blocks, mebibytes(geo->blocks),
	       (unsigned long long)geo->groups, geo->groups == 1 ? "" : "s",
	       (unsigned long long)geo->gdt_blocks * VEXFS_GROUPS_PER_BLOCK);
	printf("  inodes   %llu\n",
	       (unsigned long long)(geo->groups * geo->inodes_per_group));
	printf("  journal  %u blocks (%.1f MiB)\n", plan->journal_blocks,
	       mebibytes(plan->journal_blocks));
	printf("  free     %llu blocks (%.1f MiB)\n",
	       (unsigned long long)plan->free_blocks,
	       mebibytes(plan->free_blocks));
	if (options->dry_run)
		printf("Nothing was written (-n).\n");
}
