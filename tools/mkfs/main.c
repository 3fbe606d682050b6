// SPDX-License-Identifier: Apache-2.0
/*
 * mkfs.vexfs: the command's arguments, and the order of its steps.
 */
#include "mkfs.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uuid/uuid.h>

#define EXIT_USAGE 1

static const char help[] =
"Usage: mkfs.vexfs [OPTION]... DEVICE|IMAGE [SIZE]\n"
"\n"
"Makes an empty VexFS filesystem on a block device or in an image file.\n"
"\n"
"  mkfs.vexfs /dev/sdb1              format a partition\n"
"  mkfs.vexfs -L vectors /dev/sdb1   format it with a label\n"
"  mkfs.vexfs disk.img 1G            make an image file of 1 GiB, sparse\n"
"  mkfs.vexfs -n /dev/sdb1           show what it would do, and write nothing\n"
"\n"
"  -L LABEL    volume label, at most 64 bytes of UTF-8\n"
"  -U UUID     the filesystem's UUID (default: a random one)\n"
"  -s SIZE     size of the filesystem (default: all of the device or image);\n"
"              the same as SIZE after the device; 16M or more\n"
"  -i BYTES    make one inode for so many bytes: 4K to 16M (default: 16K on\n"
"              filesystems from 64M to 8G, otherwise 64K); a smaller number\n"
"              allows more files\n"
"  -J SIZE     size of the journal: 4M to 512M (default: 1/64 of the\n"
"              filesystem, from 4M to 256M)\n"
"  -e WHAT     what the kernel does when it finds corruption: continue,\n"
"              remount-ro (default) or panic\n"
"  -K          keep the device's blocks: do not discard them first\n"
"  -f          overwrite what is there without asking\n"
"  -n          dry run: say what would be made, write nothing\n"
"  -q          quiet: print nothing but errors and questions\n"
"      --json  print the summary as one JSON object\n"
"  -V          print the version and stop\n"
"  -h          print this help and stop\n"
"\n"
"Sizes are in bytes, or with K, M, G, T or P in units of 1024.\n"
"If the device holds something already (a filesystem, a partition table, ...)\n"
"the command asks first; it never writes to a device that is in use.\n"
"Exit status: 0 done, 1 not done: a message says why.\n";

/* Parses a size with an optional unit; false unless all of it is one. */
static bool parse_size(const char *text, u64 *bytes)
{
	static const char units[] = "KMGTP";
	unsigned int shift = 0;
	char *end;
	const char *unit;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end) {
		unit = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);
		if (!unit)
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end += strlen(end);
	}
	if (*end || *bytes > U64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

/* Is it UTF-8 without control characters? */
static bool is_plain_utf8(const char *text)
{
	const u8 *p = (const u8 *)text;

	while (*p) {
		unsigned int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 :
				    *p >= 0xc2 ? 1 : 0;

		if (*p < 0x20 || *p == 0x7f || (*p >= 0x80 && *p < 0xc2) ||
		    *p > 0xf4)
			return false;
		for (p++; more; more--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool parse_label(struct mkfs_options *options, const char *text)
{
	size_t length = strlen(text);

	if (length > VEXFS_LABEL_BYTES || !is_plain_utf8(text)) {
		mkfs_error("-L: a label is at most 64 bytes of UTF-8 without control characters");
		return false;
	}
	memset(options->label, 0, sizeof(options->label));
	memcpy(options->label, text, length);
	return true;
}

static bool parse_errors(struct mkfs_options *options, const char *text)
{
	if (!strcmp(text, "continue")) {
		options->errors = VEXFS_ERRORS_CONTINUE;
	} else if (!strcmp(text, "remount-ro")) {
		options->errors = VEXFS_ERRORS_REMOUNT_RO;
	} else if (!strcmp(text, "panic")) {
		options->errors = VEXFS_ERRORS_PANIC;
	} else {
		mkfs_error("-e: must be continue, remount-ro or panic, not '%s'",
			   text);
		return false;
	}
	return true;
}

static bool parse_size_option(const char *name, const char *text, u64 low,
			      u64 *bytes)
{
	if (parse_size(text, bytes) && *bytes >= low)
		return true;
	mkfs_error("%s: '%s' is not a size of %llu bytes or more (examples: 16M, 1G, 4096)",
		   name, text, (unsigned long long)low);
	return false;
}

static bool parse_option(struct mkfs_options *options, int option)
{
	switch (option) {
	case 'L':
		return parse_label(options, optarg);
	case 'U':
		if (!uuid_parse(optarg, options->uuid) &&
		    !uuid_is_null(options->uuid))
			return true;
		mkfs_error("-U: '%s' is not a UUID", optarg);
		return false;
	case 's':
		return parse_size_option("-s", optarg, 1, &options->bytes);
	case 'J':
		return parse_size_option("-J", optarg, 4U << 20,
					 &options->journal_bytes);
	case 'i':
		if (!parse_size_option("-i", optarg, 4096,
				       &options->inode_bytes))
			return false;
		if (options->inode_bytes <= 16U << 20)
			return true;
		mkfs_error("-i: at most 16M, not %s", optarg);
		return false;
	case 'e':
		return parse_errors(options, optarg);
	case 'K':
		options->keep = true;
		return true;
	case 'f':
		options->force = true;
		return true;
	case 'n':
		options->dry_run = true;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	case 'j':
		options->json = true;
		return true;
	}
	return false;
}

static bool parse_arguments(struct mkfs_options *options, int argc,
			    char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "L:U:s:i:J:e:KfnqVh", longs,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			exit(0);
		}
		if (option == 'V') {
			printf("mkfs.vexfs, format version %d\n",
			       VEXFS_VERSION);
			exit(0);
		}
		if (option == '?') {
			fputs("Try 'mkfs.vexfs -h'.\n", stderr);
			return false;
		}
		if (!parse_option(options, option))
			return false;
	}
	if (optind == argc || optind + 2 < argc) {
		mkfs_error("%s; try 'mkfs.vexfs -h'", optind == argc ?
			   "name a device or an image file" :
			   "too many arguments");
		return false;
	}
	options->target = argv[optind];
	if (optind + 1 == argc)
		return true;
	if (options->bytes) {
		mkfs_error("the size was given twice: -s and %s",
			   argv[optind + 1]);
		return false;
	}
	return parse_size_option("SIZE", argv[optind + 1], 1, &options->bytes);
}

/* Opens the target for writing, as the only one to do so; makes or grows it. */
static int open_target(const struct mkfs_options *options, bool exists,
		       struct volume *vol)
{
	int flags = O_RDWR | (exists ? 0 : O_CREAT | O_EXCL);
	struct volume probe;
	int ret;

	if (exists && !volume_open(&probe, options->target, O_RDONLY)) {
		if (probe.is_device)
			flags |= O_EXCL;
		volume_close(&probe);
	}
	ret = volume_open(vol, options->target, flags);
	if (ret) {
		mkfs_error("%s: cannot open it for writing: %s",
			   options->target, strerror(-ret));
		return ret;
	}
	if (!vol->is_device && vol->bytes < options->bytes) {
		if (ftruncate(vol->fd, (off_t)options->bytes)) {
			ret = -errno;
			mkfs_error("%s: cannot make it %llu bytes long: %s",
				   options->target,
				   (unsigned long long)options->bytes,
				   strerror(-ret));
			volume_close(vol);
			return ret;
		}
		vol->bytes = options->bytes;
	}
	return 0;
}

static int make(const struct mkfs_options *options)
{
	struct mkfs_plan plan;
	struct volume vol;
	bool exists;
	u64 bytes;
	int ret;

	ret = mkfs_target_size(options, &exists, &bytes);
	if (!ret)
		ret = mkfs_plan(&plan, options, bytes);
	if (!ret && exists)
		ret = mkfs_target_check(options);
	if (!ret && !options->dry_run) {
		ret = open_target(options, exists, &vol);
		if (ret)
			return ret;
		ret = mkfs_target_clear(options, &vol);
		if (!ret)
			ret = mkfs_write(options, &plan, &vol);
		volume_close(&vol);
		if (ret && !exists)
			unlink(options->target);
	}
	if (!ret)
		mkfs_summary(options, &plan);
	return ret;
}

int main(int argc, char **argv)
{
	struct mkfs_options options = {
		.errors = VEXFS_ERRORS_REMOUNT_RO,
	};

	uuid_generate(options.uuid);
	if (!parse_arguments(&options, argc, argv))
		return EXIT_USAGE;
	return make(&options) ? 1 : 0;
}
