// SPDX-License-Identifier: Apache-2.0
/*
 * Several processes change the same few files at the same time, by every way
 * there is. A byte of a file may only ever be zero or the one value that its
 * file and place have: anything else came from another file, another place or
 * memory, and must not be shown. Space may run out on the way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define FILES 5

static const char *dir;
static long processes = 6, operations = 2000, max = 4 << 20;
static uint64_t random_state = 1;
static uint8_t *buffer;
static sigjmp_buf bus;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dULL >> 16;
}

static long below(long limit)
{
	return (long)(next_random() % (uint64_t)limit);
}

/* The byte that belongs into a file at a place; never zero. */
static uint8_t byte_at(long file, long place)
{
	uint64_t x = (uint64_t)(place >> 3) * 0x9e3779b97f4a7c15ULL +
		     (uint64_t)file * 0xc2b2ae3d27d4eb4fULL;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return (uint8_t)(x >> (8 * (place & 7))) | 1;
}

static void fill(uint8_t *data, long file, long place, long length)
{
	long i;

	for (i = 0; i < length; i++)
		data[i] = byte_at(file, place + i);
}

static void check(const uint8_t *data, long file, long place, long length,
		  const char *how)
{
	long i;

	for (i = 0; i < length; i++) {
		if (data[i] && data[i] != byte_at(file, place + i)) {
			printf("file_race: %s: file %ld, byte %ld is 0x%02x, not 0x%02x\n",
			       how, file, place + i, data[i],
			       byte_at(file, place + i));
			exit(1);
		}
	}
}

/* Errors that a race or a full volume explains. */
static void allow(long ret, const char *what)
{
	if (ret < 0 && errno != ENOSPC && errno != EFBIG && errno != EAGAIN) {
		printf("file_race: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void on_bus(int number)
{
	(void)number;
	siglongjmp(bus, 1);
}

/* A mapping is cut off when another process truncates the file. */
static void change_mapped(int fd, long file, long place, long length)
{
	long base = place / PAGE * PAGE, size = place + length - base;
	uint8_t *map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, base);

	if (map == MAP_FAILED) {
		allow(-1, "mmap");
		return;
	}
	if (!sigsetjmp(bus, 1)) {
		if (below(2))
			fill(map + (place - base), file, place, length);
		else
			check(map + (place - base), file, place, length, "map");
	}
	munmap(map, (size_t)size);
}

static void change(int fd, int direct, long file)
{
	long length = 1 + below(below(4) ? 20000 : max / 4);
	long place = below(max - length);
	long first = place / PAGE * PAGE, whole = (length + PAGE - 1) / PAGE * PAGE;
	ssize_t ret;

	switch (below(16)) {
	case 0 ... 3:
		fill(buffer, file, place, length);
		allow(pwrite(fd, buffer, (size_t)length, place), "write");
		break;
	case 4 ... 5:
		fill(buffer, file, first, whole);
		allow(pwrite(direct, buffer, (size_t)whole, first), "direct write");
		break;
	case 6 ... 7:
		change_mapped(fd, file, place, length);
		break;
	case 8:
		ret = pread(fd, buffer, (size_t)length, place);
		allow(ret, "read");
		check(buffer, file, place, ret, "read");
		break;
	case 9:
		ret = pread(direct, buffer, (size_t)whole, first);
		allow(ret, "direct read");
		check(buffer, file, first, ret, "direct read");
		break;
	case 10:
		allow(ftruncate(fd, below(2) ? place : 0), "truncate");
		break;
	case 11:
		allow(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				place, length), "punch");
		break;
	case 12:
		allow(fallocate(fd, FALLOC_FL_ZERO_RANGE, place, length), "zero");
		break;
	case 13:
		allow(fallocate(fd, below(2) ? FALLOC_FL_KEEP_SIZE : 0, place,
				length), "allocate");
		break;
	case 14:
		/*
		 * The kernel says EIO on purpose when a mapping wrote to a
		 * page under a direct write.
		 */
		ret = below(2) ? fdatasync(fd) : fsync(fd);
		allow(ret < 0 && errno == EIO ? 0 : ret, "sync");
		break;
	default:
		allow(lseek(fd, 0, SEEK_HOLE) < 0 && errno != ENXIO ? -1 : 0,
		      "seek");
		break;
	}
}

static void work(void)
{
	char path[4096];
	long i, file;
	int fd, direct;

	signal(SIGBUS, on_bus);
	for (i = 0; i < operations; i++) {
		file = below(FILES);
		snprintf(path, sizeof(path), "%s/%ld", dir, file);
		if (!below(40))
			unlink(path);
		fd = open(path, O_RDWR | O_CREAT, 0644);
		direct = open(path, O_RDWR | O_DIRECT);
		if (fd >= 0 && direct >= 0)
			change(fd, direct, file);
		else if (errno != ENOENT)
			allow(-1, "open");
		if (fd >= 0)
			close(fd);
		if (direct >= 0)
			close(direct);
	}
}

/* Verify the files as they are: for after a remount. */
static int verify(void)
{
	char path[4096];
	ssize_t got;
	long file, place;
	int fd;

	for (file = 0; file < FILES; file++) {
		snprintf(path, sizeof(path), "%s/%ld", dir, file);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		for (place = 0; (got = read(fd, buffer, (size_t)max)) > 0; place += got)
			check(buffer, file, place, got, "verify");
		allow(got, "read");
		close(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	int c, status, failed = 0;
	bool verify_only = false;
	long n;

	while ((c = getopt(argc, argv, "s:n:p:l:c")) != -1) {
		switch (c) {
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 'n': operations = atol(optarg); break;
		case 'p': processes = atol(optarg); break;
		case 'l': max = atol(optarg) / PAGE * PAGE; break;
		case 'c': verify_only = true; break;
		default: optind = argc; break;
		}
	}
	if (optind + 1 != argc) {
		fputs("usage: file_race [-s SEED] [-n OPERATIONS] [-p PROCESSES] [-l MAX_BYTES] [-c] DIRECTORY\n",
		      stderr);
		return 2;
	}
	dir = argv[optind];
	buffer = aligned_alloc((size_t)PAGE, (size_t)max + 2 * PAGE);
	if (!buffer)
		return 1;
	if (verify_only)
		return verify();
	for (n = 0; n < processes; n++) {
		if (fork())
			continue;
		random_state = (seed * 1000 + (uint64_t)n) * 2654435761U + 1;
		work();
		exit(0);
	}
	for (n = 0; n < processes; n++)
		failed |= wait(&status) < 0 || status;
	return failed ? 1 : verify();
}
