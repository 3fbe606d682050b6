// SPDX-License-Identifier: Apache-2.0
/*
 * Times BATCH_INSERT and appending write(2) on VexFS beside write(2) on ext4, of
 * the same bytes in calls of the same size, in turns; or counts what a block
 * device is asked to write meanwhile. Every file is read back and compared.
 *
 * Usage: insert_bench time ROUNDS MIB VEXFS-DIR EXT4-DIR
 *        insert_bench count ROUNDS MIB VEXFS-DIR EXT4-DIR VEXFS-DEVICE EXT4-DEVICE
 * Prints a line for each run: DIM SYSTEM memory|fsync ROWS SECONDS, or with
 * "count" BYTES FLUSHES instead of SECONDS. "memory" ends when the last call
 * returns (for "count", when all is on the device), "fsync" has an fsync(2) after
 * each call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vexfs.h>

#define CALL_BYTES	(1024 * 1024)
#define SYSTEMS		3

enum system {
	VEXFS_BATCH,
	VEXFS_WRITE,
	EXT4_WRITE,
};

static const char *const system_name[SYSTEMS] = { "vexfs-batch", "vexfs-write", "ext4-write" };
static const uint32_t dims[] = { 100, 128, 384, 784, 1536 };

static const char *directory[SYSTEMS], *device[SYSTEMS];
static char *source, *copy;
static size_t source_bytes;

static void fail(const char *what)
{
	fprintf(stderr, "insert_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Finite floats of all signs, and magnitudes of some orders. */
static void fill(void)
{
	uint32_t *word = (uint32_t *)source;
	uint64_t seed = 88172645463325252ull;

	for (size_t i = 0; i < source_bytes / sizeof(*word); i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		word[i] = (seed >> 32 & 0x83ffffff) | 0x3c000000;
	}
}

/* Bytes written to a device and flushes that it completed, since it came up. */
static void read_stat(const char *name, uint64_t *bytes, uint64_t *flushes)
{
	unsigned long long field[17] = { 0 };
	char path[256];
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", strrchr(name, '/') + 1);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	for (i = 0; i < 17 && fscanf(file, "%llu", &field[i]) == 1; i++)
		;
	fclose(file);
	*bytes = field[6] * 512;
	*flushes = field[15];
}

static int create(enum system system, const char *path, uint32_t dim)
{
	struct vexfs_schema schema = {
		.dim = dim,
		.element = VEXFS_ELEMENT_F32,
		.metric = VEXFS_METRIC_L2,
		.ids = VEXFS_IDS_AUTO,
	};
	int flags = O_RDWR | O_CREAT | O_EXCL | (system == VEXFS_BATCH ? 0 : O_APPEND);
	int fd = open(path, flags, 0644);

	if (fd < 0)
		fail(path);
	errno = 0;
	if (system != EXT4_WRITE && vexfs_schema_set(fd, &schema))
		fail("setting the schema");
	return fd;
}

static void compare(int fd, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t want = bytes - done < CALL_BYTES ? bytes - done : CALL_BYTES;
		ssize_t part = pread(fd, copy, want, done);

		if (part <= 0 || memcmp(copy, source + done, part)) {
			errno = part < 0 ? errno : EBADMSG;
			fail("reading back: the rows are not those inserted");
		}
		done += part;
	}
	if (pread(fd, copy, 1, bytes)) {
		errno = EBADMSG;
		fail("reading back: the file is too long");
	}
}

static void append(enum system system, int fd, size_t bytes, uint32_t row, bool flush)
{
	size_t done, part, call = CALL_BYTES / row * row;
	int error;

	for (done = 0; done < bytes; done += part) {
		part = bytes - done < call ? bytes - done : call;
		if (system == VEXFS_BATCH) {
			error = vexfs_insert(fd, source + done, part, part / row, NULL, NULL, NULL);
			errno = -error;
			if (error)
				fail("BATCH_INSERT");
		} else if (write(fd, source + done, part) != (ssize_t)part) {
			fail("write");
		}
		if (flush && fsync(fd))
			fail("fsync");
	}
}

static void run(enum system system, uint32_t dim, bool flush, bool count)
{
	uint32_t row = dim * sizeof(float);
	size_t bytes = source_bytes / row * row;
	uint64_t before[2], after[2];
	char path[4096];
	double begin, end;
	int fd;

	snprintf(path, sizeof(path), "%s/bench", directory[system]);
	fd = create(system, path, dim);
	sync();
	if (count)
		read_stat(device[system], &before[0], &before[1]);
	begin = now();
	append(system, fd, bytes, row, flush);
	end = now();
	if (count) {
		sync();
		read_stat(device[system], &after[0], &after[1]);
	}
	compare(fd, bytes);
	close(fd);
	if (unlink(path))
		fail(path);
	sync();
	printf("%u %s %s %zu ", dim, system_name[system], flush ? "fsync" : "memory", bytes / row);
	if (count)
		printf("%llu %llu\n", (unsigned long long)(after[0] - before[0]),
		       (unsigned long long)(after[1] - before[1]));
	else
		printf("%.9f\n", end - begin);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool count = argc == 8 && !strcmp(argv[1], "count");
	unsigned long rounds;

	if (!count && (argc != 6 || strcmp(argv[1], "time"))) {
		fprintf(stderr, "Usage: insert_bench time|count ROUNDS MIB VEXFS-DIR EXT4-DIR "
				"[VEXFS-DEVICE EXT4-DEVICE]\n");
		return 2;
	}
	rounds = strtoul(argv[2], NULL, 10);
	source_bytes = strtoul(argv[3], NULL, 10) << 20;
	for (int system = 0; system < SYSTEMS; system++) {
		directory[system] = argv[system == EXT4_WRITE ? 5 : 4];
		device[system] = count ? argv[system == EXT4_WRITE ? 7 : 6] : NULL;
	}
	source = malloc(source_bytes);
	copy = malloc(CALL_BYTES);
	if (!source || !copy)
		fail("no memory");
	fill();
	for (unsigned long round = 0; round < rounds; round++)
		for (size_t i = 0; i < sizeof(dims) / sizeof(*dims); i++)
			for (int flush = 0; flush < 2; flush++)
				for (int system = 0; system < SYSTEMS; system++)
					run((system + round) % SYSTEMS, dims[i], flush, count);
	return 0;
}
