// SPDX-License-Identifier: Apache-2.0
/*
 * Makes images of what a disk may hold after a power cut, from a copy of the
 * disk and a log of what was written to it since (dm-log-writes' format, which
 * QEMU's blklogwrites driver writes too), and runs a command on each.
 *
 * A cut is at some entry of the log. What was written before the last flush
 * is there, and so is what was written with FUA; of the other writes any
 * sectors may be there or not. The marks in the log tell which operation was
 * acknowledged before the cut.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <endian.h>
#include <sys/wait.h>
#include "powercut_model.h"

#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_FLUSH	1U
#define LOG_FUA		2U
#define LOG_DISCARD	4U
#define LOG_MARK	8U
#define SECTOR		512U

struct log_super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sectorsize;
} __attribute__((packed));

struct log_entry {
	uint64_t sector;
	uint64_t sectors;
	uint64_t flags;
	uint64_t data_len;
};

/* An entry of the log, in bytes. */
struct entry {
	uint64_t to;		/* where on the disk */
	uint64_t bytes;
	uint64_t at;		/* its data in the log */
	uint32_t flags;
	int64_t mark;		/* number of the operation; -1: no mark */
};

static struct entry *entries;
static uint32_t entry_count, first_entry;
static int log_fd;
static char *disk, *image;
static uint64_t disk_bytes, seed = 1;

static void read_at(int fd, void *data, size_t bytes, uint64_t at)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(fd, (char *)data + done, bytes - done,
				  at + done);

		if (n <= 0)
			pc_die("cannot read the log or the base image at %" PRIu64 ": %s",
			       at, n ? strerror(errno) : "end of file");
		done += n;
	}
}

static void read_log(const char *path)
{
	struct log_super super;
	struct log_entry raw;
	uint64_t at, count, unit;
	char sector[4096];
	uint32_t i;

	log_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (log_fd < 0)
		pc_die("%s: %s", path, strerror(errno));
	read_at(log_fd, &super, sizeof(super), 0);
	unit = le32toh(super.sectorsize);
	if (le64toh(super.magic) != LOG_MAGIC || unit < SECTOR ||
	    unit > sizeof(sector))
		pc_die("%s: not a log of writes", path);
	count = le64toh(super.entries);
	entries = calloc(count + 1, sizeof(*entries));
	if (!entries)
		pc_die("out of memory");
	at = unit;
	for (i = 0; i < count; i++, entry_count++) {
		struct entry *entry = &entries[i];

		read_at(log_fd, sector, unit, at);
		memcpy(&raw, sector, sizeof(raw));
		entry->to = le64toh(raw.sector) * unit;
		entry->flags = le64toh(raw.flags);
		entry->mark = -1;
		entry->at = at + unit;
		at += unit;
		if (entry->flags & LOG_MARK) {
			sector[unit - 1] = 0;
			if (!strcmp(sector + sizeof(raw), "base"))
				first_entry = i + 1;
			else
				entry->mark = strtol(sector + sizeof(raw), NULL,
						     10);
		} else if (!(entry->flags & LOG_DISCARD)) {
			entry->bytes = le64toh(raw.sectors) * unit;
			at += entry->bytes;
		}
	}
	if (!first_entry)
		pc_die("%s: no mark named \"base\"", path);
}

static void read_base(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		pc_die("%s: %s", path, strerror(errno));
	disk_bytes = lseek(fd, 0, SEEK_END);
	disk = malloc(disk_bytes);
	image = malloc(disk_bytes);
	if (!disk || !image)
		pc_die("out of memory");
	read_at(fd, disk, disk_bytes, 0);
	close(fd);
}

/* Write an entry's sectors that @keep says into @target. */
static void apply(char *target, const struct entry *entry, const bool *keep)
{
	char *data = malloc(entry->bytes);
	uint64_t i;

	if (!data)
		pc_die("out of memory");
	if (entry->to + entry->bytes > disk_bytes)
		pc_die("a write beyond the end of the disk");
	read_at(log_fd, data, entry->bytes, entry->at);
	if (!keep)
		memcpy(target + entry->to, data, entry->bytes);
	for (i = 0; keep && i < entry->bytes; i += SECTOR)
		if (keep[i / SECTOR])
			memcpy(target + entry->to + i, data + i, SECTOR);
	free(data);
}

/* Choose what is left of a write that no flush followed. */
static void apply_part(const struct entry *entry, uint32_t chance)
{
	uint64_t n = entry->bytes / SECTOR, i;
	bool *keep;

	if (pc_random(&seed) % 100 >= chance)
		return;
	if (pc_random(&seed) % 2) {
		apply(image, entry, NULL);
		return;
	}
	keep = malloc(n);
	if (!keep)
		pc_die("out of memory");
	for (i = 0; i < n; i++)
		keep[i] = pc_random(&seed) % 2;
	apply(image, entry, keep);
	free(keep);
}

static void write_image(const char *path)
{
	static const char zero[4096];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	uint64_t at;

	if (fd < 0 || ftruncate(fd, disk_bytes))
		pc_die("%s: %s", path, strerror(errno));
	for (at = 0; at < disk_bytes; at += sizeof(zero))
		if (memcmp(image + at, zero, sizeof(zero)) &&
		    pwrite(fd, image + at, sizeof(zero), at) != sizeof(zero))
			pc_die("%s: cannot write: %s", path, strerror(errno));
	close(fd);
}

/* The image of a cut before entry @cut; @flushed: what the disk surely has. */
static void make_image(uint32_t flushed, uint32_t cut, uint64_t cut_seed)
{
	static const uint32_t chances[] = { 0, 100, 10, 50, 90, 50 };
	uint32_t chance, i;

	seed = cut_seed;
	chance = chances[pc_random(&seed) % 6];
	memcpy(image, disk, disk_bytes);
	for (i = flushed; i < cut; i++) {
		if (!entries[i].bytes)
			continue;
		if (entries[i].flags & LOG_FUA)
			apply(image, &entries[i], NULL);
		else
			apply_part(&entries[i], chance);
	}
}

static int64_t mark_before(uint32_t cut)
{
	while (cut > first_entry)
		if (entries[--cut].mark >= 0)
			return entries[cut].mark;
	return 0;
}

static int64_t mark_after(uint32_t cut)
{
	for (; cut < entry_count; cut++)
		if (entries[cut].mark >= 0)
			return entries[cut].mark;
	return 0;
}

static bool judge(char **command, int words, const char *out, uint32_t cut,
		  uint32_t number)
{
	char acked[24], begun[24], name[24], **args;
	int status, i;
	pid_t child;

	snprintf(acked, sizeof(acked), "%" PRId64, mark_before(cut));
	snprintf(begun, sizeof(begun), "%" PRId64, mark_after(cut));
	snprintf(name, sizeof(name), "%u", number);
	args = calloc(words + 5, sizeof(*args));
	if (!args)
		pc_die("out of memory");
	for (i = 0; i < words; i++)
		args[i] = command[i];
	args[words] = (char *)out;
	args[words + 1] = acked;
	args[words + 2] = begun;
	args[words + 3] = name;
	fflush(stdout);
	/* not fork(): the copies of the disk would be copied on write */
	status = posix_spawnp(&child, args[0], NULL, NULL, args, environ);
	if (status)
		pc_die("cannot run %s: %s", args[0], strerror(status));
	if (waitpid(child, &status, 0) != child)
		pc_die("%s: %s", args[0], strerror(errno));
	free(args);
	if (!status)
		return true;
	printf("cut %u, before entry %u of %u: FAILED (acknowledged %s, begun %s)\n",
	       number, cut, entry_count, acked, begun);
	return false;
}

static int compare_cuts(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Cut @n is the n-th in the order of the log; --only makes the same images. */
static uint32_t *choose_cuts(uint32_t count)
{
	uint32_t *cuts = calloc(count, sizeof(*cuts)), i;

	if (!cuts)
		pc_die("out of memory");
	if (entry_count == first_entry)
		pc_die("nothing was written after the mark \"base\"");
	for (i = 0; i < count; i++)
		cuts[i] = first_entry + 1 +
			  pc_random(&seed) % (entry_count - first_entry);
	qsort(cuts, count, sizeof(*cuts), compare_cuts);
	return cuts;
}

/* Bring the disk up to the last flush before @cut. */
static uint32_t flush_disk(uint32_t flushed, uint32_t cut)
{
	uint32_t i, last = flushed;

	for (i = flushed; i < cut; i++)
		if (entries[i].flags & LOG_FLUSH)
			last = i;
	for (i = flushed; i < last; i++)
		if (entries[i].bytes)
			apply(disk, &entries[i], NULL);
	return last;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cuts", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t count = 200, only = 0, failed = 0, flushed, *cuts, i;
	uint64_t base_seed;
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			count = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			only = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 4)
		pc_die("usage: powercut_replay [--cuts N] [--seed S] [--only CUT] BASE LOG IMAGE COMMAND [ARG]...\nCOMMAND gets four more: IMAGE, the operation acknowledged, the last begun (0: all), and the cut's number");
	base_seed = seed;
	read_base(argv[0]);
	read_log(argv[1]);
	cuts = choose_cuts(count);
	flushed = first_entry;
	for (i = 0; i < count; i++) {
		if (only && i + 1 != only)
			continue;
		flushed = flush_disk(flushed, cuts[i]);
		make_image(flushed, cuts[i], pc_hash(base_seed, i, 0));
		write_image(argv[2]);
		failed += !judge(argv + 3, argc - 3, argv[2], cuts[i], i + 1);
	}
	if (only)
		count = 1;
	printf("%u passed, %u failed\n", count - failed, failed);
	return failed ? 1 : 0;
}
