// SPDX-License-Identifier: Apache-2.0
/*
 * fsck.vexfs: the command's arguments, and the order of the checks.
 */
#include "fsck.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* As in fsck(8). */
#define EXIT_CLEAN		0
#define EXIT_ERRORS		4
#define EXIT_OPERATIONAL	8
#define EXIT_USAGE		16

static const char help[] =
"Usage: fsck.vexfs [-n] [-v] [-b BLOCK] [--json] DEVICE|IMAGE\n"
"       fsck.vexfs -a [-f] DEVICE|IMAGE\n"
"\n"
"Checks a VexFS filesystem: every structure on the device, and each against\n"
"the others. It changes nothing, and says so: repairing is not part of it.\n"
"A journal that a mount would replay is replayed in memory.\n"
"\n"
"  -n          check only; the same as no option\n"
"  -a, -p      at boot: do not check a filesystem that nothing is known\n"
"              against; a mount needs no fsck, not even after a power cut\n"
"  -f          with -a: check even so\n"
"  -b BLOCK    use the superblock in that block; its copy is in block 32255,\n"
"              or in the last one of a smaller filesystem\n"
"  -v          say what is being checked\n"
"      --json  print one JSON object with all that was found\n"
"  -V          print the version and stop\n"
"  -h          print this help and stop\n"
"\n"
"  fsck.vexfs /dev/sdb1              is it sound? (unmount it first)\n"
"  fsck.vexfs --json disk.img        the same for a program\n"
"\n"
"Each line of the output is one thing that is wrong: where, and what.\n"
"Exit status: 0 clean, 4 damage was found, 8 it could not be checked,\n"
"16 wrong usage.\n";

static bool usage(const char *what)
{
	fprintf(stderr, "fsck.vexfs: %s; try 'fsck.vexfs -h'\n", what);
	return false;
}

static bool parse_block(const char *text, u64 *block)
{
	char *end;

	errno = 0;
	*block = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno &&
	    *block <= VEXFS_BLOCKS_MAX)
		return true;
	fprintf(stderr, "fsck.vexfs: -b: '%s' is not a block number\n", text);
	return false;
}

static bool parse_option(struct fsck_options *options, int option)
{
	switch (option) {
	case 'n':
		return true;
	case 'a':
	case 'p':
		options->automatic = true;
		return true;
	case 'f':
		options->force = true;
		return true;
	case 'v':
		options->verbose = true;
		return true;
	case 'j':
		options->json = true;
		return true;
	case 'b':
		return parse_block(optarg, &options->super_block);
	case 'y':
		return usage("-y: there is no repair that could be agreed to; check with -n");
	}
	return usage("wrong option");
}

static bool parse_arguments(struct fsck_options *options, int argc,
			    char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "napfvyb:Vh", longs,
				     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			exit(0);
		}
		if (option == 'V') {
			printf("fsck.vexfs, format version %d\n",
			       VEXFS_VERSION);
			exit(0);
		}
		if (!parse_option(options, option))
			return false;
	}
	if (optind + 1 != argc)
		return usage(optind == argc ? "name a device or an image file" :
					      "too many arguments");
	if (options->force && !options->automatic)
		return usage("-f means nothing without -a: the check is always whole");
	options->target = argv[optind];
	return true;
}

static void check_all(struct fsck *fsck)
{
	fsck_inodes(fsck);
	fsck_lone_forks(fsck);
	fsck_orphans(fsck);
	fsck_directories(fsck);
	fsck_links(fsck);
	fsck_groups(fsck);
	fsck_locate(fsck);
}

/*
 * While it is mounted for writing, blocks get their checksums only on their
 * way to the journal: all that changed lately would look damaged.
 */
static bool refuse_if_mounted(const struct fsck *fsck)
{
	bool writable = false;
	char *where = volume_mounted_on(&fsck->vol, &writable);

	if (writable)
		fprintf(stderr,
			"fsck.vexfs: %s: is mounted on %s for writing; unmount it, or remount it read-only, to check it\n",
			fsck->options.target, where);
	free(where);
	return writable;
}

static int check(struct fsck *fsck)
{
	bool checked = false;
	int ret;

	ret = volume_open(&fsck->vol, fsck->options.target, O_RDONLY);
	if (ret) {
		fprintf(stderr, "fsck.vexfs: %s: %s\n", fsck->options.target,
			ret == -ENOTBLK ?
			"neither a block device nor an ordinary file" :
			strerror(-ret));
		return EXIT_OPERATIONAL;
	}
	if (refuse_if_mounted(fsck)) {
		volume_close(&fsck->vol);
		return EXIT_OPERATIONAL;
	}
	if (fsck_head(fsck) &&
	    (!fsck->options.automatic || fsck->options.force)) {
		checked = fsck_space_init(fsck);
		if (checked)
			check_all(fsck);
	}
	fsck_report(fsck, checked);
	ret = fsck->failed ? EXIT_OPERATIONAL :
	      fsck->found ? EXIT_ERRORS : EXIT_CLEAN;
	fsck_findings_free(fsck);
	fsck_space_free(fsck);
	volume_close(&fsck->vol);
	return ret;
}

int main(int argc, char **argv)
{
	static struct fsck fsck;

	if (!parse_arguments(&fsck.options, argc, argv))
		return EXIT_USAGE;
	return check(&fsck);
}
