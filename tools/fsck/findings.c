// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps what was found and prints it, each finding with the path of its inode
 * where there is one, and the summary.
 */
#define _GNU_SOURCE
#include "fsck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_LEVELS_MAX 256

static struct fsck_finding *new_finding(struct fsck *fsck, const char *format,
					va_list args)
{
	struct fsck_finding *finding;

	if (fsck->kept == FSCK_FINDINGS_MAX)
		return NULL;
	if (!fsck->findings)
		fsck->findings = calloc(FSCK_FINDINGS_MAX,
					sizeof(*fsck->findings));
	if (!fsck->findings)
		return NULL;
	finding = &fsck->findings[fsck->kept];
	if (vasprintf(&finding->what, format, args) < 0)
		return NULL;
	fsck->kept++;
	return finding;
}

void fsck_note(struct fsck *fsck, const char *format, ...)
{
	va_list args;

	fsck->found++;
	va_start(args, format);
	new_finding(fsck, format, args);
	va_end(args);
}

void fsck_note_block(struct fsck *fsck, u64 block, const char *format, ...)
{
	struct fsck_finding *finding;
	va_list args;

	fsck->found++;
	va_start(args, format);
	finding = new_finding(fsck, format, args);
	va_end(args);
	if (finding) {
		finding->block = block;
		finding->has_block = true;
	}
}

void fsck_note_inode(struct fsck *fsck, u64 ino, const char *format, ...)
{
	struct fsck_finding *finding;
	va_list args;

	fsck->found++;
	va_start(args, format);
	finding = new_finding(fsck, format, args);
	va_end(args);
	if (finding)
		finding->ino = ino;
}

void fsck_warn_inode(struct fsck *fsck, u64 ino, const char *format, ...)
{
	struct fsck_finding *finding;
	va_list args;

	fsck->warned++;
	va_start(args, format);
	finding = new_finding(fsck, format, args);
	va_end(args);
	if (finding) {
		finding->ino = ino;
		finding->warning = true;
	}
}

void fsck_fail(struct fsck *fsck, int error, const char *what)
{
	fprintf(stderr, "fsck.vexfs: %s: %s: %s\n", fsck->options.target, what,
		strerror(-error));
	fsck->failed = true;
}

void fsck_step(const struct fsck *fsck, const char *what)
{
	if (fsck->options.verbose && !fsck->options.json)
		printf("checking %s\n", what);
}

/* The path of an inode of a finding, to be freed; NULL if it is not known. */
static char *find_path(struct fsck *fsck, u64 ino)
{
	char *path = NULL, *longer;
	const struct fsck_place *place;
	const u64 *at;
	int level;

	if (ino == VEXFS_INO_ROOT)
		return strdup("/");
	for (level = 0; ino != VEXFS_INO_ROOT; level++) {
		at = number_map_get(&fsck->places, ino);
		if (!at || !*at || level == PATH_LEVELS_MAX) {
			free(path);
			return NULL;
		}
		place = &fsck->place[*at - 1];
		if (asprintf(&longer, "/%s%s", place->name,
			     path ? path : "") < 0)
			longer = NULL;
		free(path);
		path = longer;
		if (!path)
			return NULL;
		ino = place->parent;
	}
	return path;
}

/* Prints text that may hold any bytes; those that would confuse are escaped. */
static void print_text(const char *text)
{
	for (const unsigned char *p = (const void *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			printf("\\%03o", *p);
		else
			putchar(*p);
	}
}

static bool is_utf8_tail(const unsigned char *p, unsigned int more)
{
	for (; more; more--)
		if ((*p++ & 0xc0) != 0x80)
			return false;
	return true;
}

/* A JSON string; bytes that are not UTF-8 become U+FFFD. */
static void print_json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const void *)text; *p; p++) {
		unsigned int more = *p >= 0xf0 && *p < 0xf5 ? 3 :
				    *p >= 0xe0 && *p < 0xf0 ? 2 :
				    *p >= 0xc2 && *p < 0xe0 ? 1 : 0;

		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20)
			printf("\\u%04x", *p);
		else if (*p < 0x80)
			putchar(*p);
		else if (!more || !is_utf8_tail(p + 1, more))
			fputs("\\ufffd", stdout);
		else
			for (putchar(*p); more; more--)
				putchar(*++p);
	}
	putchar('"');
}

static void print_finding(const struct fsck_finding *finding, const char *path)
{
	if (finding->warning)
		fputs("warning: ", stdout);
	if (finding->ino) {
		printf("inode %llu", (unsigned long long)finding->ino);
		if (path) {
			fputs(" (", stdout);
			print_text(path);
			putchar(')');
		}
		fputs(": ", stdout);
	} else if (finding->has_block) {
		printf("block %llu: ", (unsigned long long)finding->block);
	}
	print_text(finding->what);
	putchar('\n');
}

static void print_json_finding(const struct fsck_finding *finding,
			       const char *path)
{
	putchar('{');
	if (finding->warning)
		fputs("\"warning\": true, ", stdout);
	if (finding->ino)
		printf("\"inode\": %llu, ", (unsigned long long)finding->ino);
	if (finding->has_block)
		printf("\"block\": %llu, ", (unsigned long long)finding->block);
	if (path) {
		fputs("\"path\": ", stdout);
		print_json_string(path);
		fputs(", ", stdout);
	}
	fputs("\"what\": ", stdout);
	print_json_string(finding->what);
	putchar('}');
}

static void print_findings(struct fsck *fsck)
{
	for (u64 i = 0; i < fsck->kept; i++) {
		const struct fsck_finding *finding = &fsck->findings[i];
		char *path = finding->ino ? find_path(fsck, finding->ino) :
					    NULL;

		if (!fsck->options.json)
			print_finding(finding, path);
		else
			print_json_finding(finding, path);
		if (fsck->options.json && i + 1 < fsck->kept)
			fputs(", ", stdout);
		free(path);
	}
	if (!fsck->options.json && fsck->found + fsck->warned > fsck->kept)
		printf("... and %llu more\n",
		       (unsigned long long)(fsck->found + fsck->warned -
					    fsck->kept));
}

static void print_json(struct fsck *fsck, bool checked)
{
	fputs("{\"target\": ", stdout);
	print_json_string(fsck->options.target);
	printf(", \"clean\": %s, \"complete\": %s",
	       fsck->found || fsck->failed ? "false" : "true",
	       checked && !fsck->failed ? "true" : "false");
	printf(", \"transactions_replayed\": %llu",
	       (unsigned long long)fsck->replayed.transactions);
	if (checked)
		printf(", \"directories\": %llu, \"files\": %llu, \"vector_files\": %llu, \"rows\": %llu, \"symbolic_links\": %llu, \"special_files\": %llu, \"forks\": %llu",
		       (unsigned long long)fsck->directories,
		       (unsigned long long)fsck->files,
		       (unsigned long long)fsck->vector_files,
		       (unsigned long long)fsck->rows,
		       (unsigned long long)fsck->links,
		       (unsigned long long)fsck->specials,
		       (unsigned long long)fsck->forks);
	printf(", \"found\": %llu, \"warned\": %llu, \"findings\": [",
	       (unsigned long long)fsck->found,
	       (unsigned long long)fsck->warned);
	print_findings(fsck);
	fputs("]}\n", stdout);
}

void fsck_report(struct fsck *fsck, bool checked)
{
	if (fsck->options.json) {
		print_json(fsck, checked);
		return;
	}
	print_findings(fsck);
	if (fsck->replayed.transactions)
		printf("%s: journal replayed in memory: %llu transaction%s\n",
		       fsck->options.target,
		       (unsigned long long)fsck->replayed.transactions,
		       fsck->replayed.transactions == 1 ? "" : "s");
	if (checked)
		printf("%s: %llu directories, %llu files (%llu of vectors, %llu rows), %llu symbolic links, %llu special files\n",
		       fsck->options.target,
		       (unsigned long long)fsck->directories,
		       (unsigned long long)fsck->files,
		       (unsigned long long)fsck->vector_files,
		       (unsigned long long)fsck->rows,
		       (unsigned long long)fsck->links,
		       (unsigned long long)fsck->specials);
	if (fsck->failed)
		printf("%s: the check is not complete\n",
		       fsck->options.target);
	else if (fsck->found)
		printf("%s: %llu finding%s; nothing was changed\n",
		       fsck->options.target, (unsigned long long)fsck->found,
		       fsck->found == 1 ? "" : "s");
	else
		printf("%s: %s\n", fsck->options.target,
		       checked ? "clean" : "no sign of damage, not checked");
}

void fsck_findings_free(struct fsck *fsck)
{
	for (u64 i = 0; i < fsck->kept; i++)
		free(fsck->findings[i].what);
	free(fsck->findings);
	free(fsck->place);
	number_map_free(&fsck->places);
}
