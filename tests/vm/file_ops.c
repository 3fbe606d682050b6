// SPDX-License-Identifier: Apache-2.0
/*
 * What test_files.sh needs and a shell cannot do: direct and mapped I/O at the
 * edges, appends by several processes, reads that must not wait, holes. Each
 * sub-command is one test on one file; it prints what is wrong and exits 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096

static const char *file;
static uint8_t block[16 * BLOCK] __attribute__((aligned(BLOCK)));

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("line %d: not true: %s (%s)\n", __LINE__, #condition, \
			       strerror(errno)); \
			exit(1); \
		} \
	} while (0)

static int open_new(int flags)
{
	int fd;

	unlink(file);
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | flags, 0644);
	CHECK(fd >= 0);
	return fd;
}

static long long blocks_of(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return st.st_blocks;
}

static long long size_of(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return st.st_size;
}

static int all_are(const uint8_t *data, size_t length, uint8_t value)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (data[i] != value)
			return 0;
	}
	return 1;
}

/* O_DIRECT: alignment, holes, end of file, beside the page cache. */
static void test_direct(void)
{
	int fd = open_new(O_DIRECT), cached;

	memset(block, 'a', sizeof(block));
	CHECK(pwrite(fd, block, 4 * BLOCK, 0) == 4 * BLOCK);
	CHECK(size_of(fd) == 4 * BLOCK);
	CHECK(pwrite(fd, block, 100, 0) == -1 && errno == EINVAL);
	CHECK(pread(fd, block, 100, 50) == -1 && errno == EINVAL);

	/* A sector in an unwritten block: the rest of it is zeros. */
	memset(block, 'b', sizeof(block));
	CHECK(pwrite(fd, block, 512, 10 * BLOCK + 1024) == 512);
	CHECK(size_of(fd) == 10 * BLOCK + 1536);
	memset(block, 'x', sizeof(block));
	CHECK(pread(fd, block, 16 * BLOCK, 0) == 10 * BLOCK + 1536);
	CHECK(all_are(block, 4 * BLOCK, 'a'));
	CHECK(all_are(block + 4 * BLOCK, 6 * BLOCK + 1024, 0));
	CHECK(all_are(block + 10 * BLOCK + 1024, 512, 'b'));

	/* What is cached is written before, and dropped after. */
	cached = open(file, O_RDWR);
	CHECK(cached >= 0);
	memset(block, 'c', BLOCK);
	CHECK(pwrite(cached, block, BLOCK, 0) == BLOCK);
	memset(block, 0, BLOCK);
	CHECK(pread(fd, block, BLOCK, 0) == BLOCK && all_are(block, BLOCK, 'c'));
	memset(block, 'd', BLOCK);
	CHECK(pwrite(fd, block, BLOCK, 0) == BLOCK);
	CHECK(pread(cached, block + BLOCK, BLOCK, 0) == BLOCK);
	CHECK(all_are(block + BLOCK, BLOCK, 'd'));
	CHECK(pread(fd, block, BLOCK, 11 * BLOCK) == 0);
	close(cached);
	close(fd);
}

static sigjmp_buf bus;

static void on_bus(int number)
{
	(void)number;
	siglongjmp(bus, 1);
}

/* Mappings: seen by reads, end at the end of the file, survive truncation. */
static void test_map(void)
{
	int fd = open_new(0);
	uint8_t *map;

	CHECK(!ftruncate(fd, 3 * BLOCK - 100));
	map = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(all_are(map, 3 * BLOCK, 0));
	memset(map, 'm', 3 * BLOCK - 100);
	memset(map + 3 * BLOCK - 100, 'z', 100);
	CHECK(pread(fd, block, 4 * BLOCK, 0) == 3 * BLOCK - 100);
	CHECK(all_are(block, 3 * BLOCK - 100, 'm'));
	/* What was written behind the end does not become part of the file. */
	CHECK(!ftruncate(fd, 4 * BLOCK));
	CHECK(pread(fd, block, 4 * BLOCK, 0) == 4 * BLOCK);
	CHECK(all_are(block, 3 * BLOCK - 100, 'm'));
	CHECK(all_are(block + 3 * BLOCK - 100, BLOCK + 100, 0));
	CHECK(!ftruncate(fd, BLOCK));
	signal(SIGBUS, on_bus);
	if (!sigsetjmp(bus, 1)) {
		map[2 * BLOCK] = 1;
		CHECK(!"writing beyond the end of a mapped file raises SIGBUS");
	}
	map[0] = 'n';
	CHECK(pread(fd, block, 1, 0) == 1 && block[0] == 'n');
	CHECK(!msync(map, BLOCK, MS_SYNC));
	munmap(map, 4 * BLOCK);
	close(fd);
}

/* Several processes append records: none is torn or lost. */
static void test_append(void)
{
	enum { WRITERS = 4, RECORDS = 500, BYTES = 61 };
	int fd = open_new(0), writer, i, status, seen[WRITERS] = { 0 };
	uint8_t record[BYTES];

	close(fd);
	for (writer = 0; writer < WRITERS; writer++) {
		if (fork())
			continue;
		fd = open(file, O_WRONLY | O_APPEND);
		memset(record, 'A' + writer, BYTES);
		for (i = 0; i < RECORDS; i++)
			CHECK(write(fd, record, BYTES) == BYTES);
		exit(0);
	}
	for (writer = 0; writer < WRITERS; writer++) {
		CHECK(wait(&status) > 0);
		CHECK(status == 0);
	}
	fd = open(file, O_RDONLY);
	CHECK(size_of(fd) == (long long)WRITERS * RECORDS * BYTES);
	while (read(fd, record, BYTES) == BYTES) {
		CHECK(record[0] >= 'A' && record[0] < 'A' + WRITERS);
		CHECK(all_are(record, BYTES, record[0]));
		seen[record[0] - 'A']++;
	}
	for (writer = 0; writer < WRITERS; writer++)
		CHECK(seen[writer] == RECORDS);
	close(fd);
}

/* RWF_NOWAIT gives what is cached, and EAGAIN rather than a wait. */
static void test_nowait(void)
{
	struct iovec iov = { block, BLOCK };
	int fd = open_new(0);
	ssize_t ret;

	memset(block, 'n', BLOCK);
	ret = pwritev2(fd, &iov, 1, 0, RWF_NOWAIT);
	CHECK(ret == -1 && errno == EAGAIN);
	CHECK(pwrite(fd, block, BLOCK, 0) == BLOCK);
	CHECK(!fsync(fd));
	CHECK(preadv2(fd, &iov, 1, 0, RWF_NOWAIT) == BLOCK);
	ret = pwritev2(fd, &iov, 1, 0, RWF_NOWAIT);
	CHECK(ret == BLOCK || (ret == -1 && errno == EAGAIN));
	CHECK(pwritev2(fd, &iov, 1, BLOCK, RWF_DSYNC) == BLOCK);
	close(fd);
}

/* Holes and data are where they were made. */
static void test_seek(void)
{
	int fd = open_new(0);

	memset(block, 's', BLOCK);
	CHECK(pwrite(fd, block, BLOCK, 64 * BLOCK) == BLOCK);
	CHECK(!ftruncate(fd, 128 * BLOCK));
	CHECK(!fsync(fd));
	CHECK(lseek(fd, 0, SEEK_DATA) == 64 * BLOCK);
	CHECK(lseek(fd, 0, SEEK_HOLE) == 0);
	CHECK(lseek(fd, 64 * BLOCK, SEEK_HOLE) == 65 * BLOCK);
	CHECK(lseek(fd, 65 * BLOCK, SEEK_DATA) == -1 && errno == ENXIO);
	CHECK(lseek(fd, 128 * BLOCK, SEEK_HOLE) == -1 && errno == ENXIO);
	CHECK(blocks_of(fd) == 8);
	CHECK(lseek(fd, 7, SEEK_SET) == 7 && lseek(fd, -1, SEEK_END) == 128 * BLOCK - 1);
	CHECK(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
	close(fd);
}

/* Every mode of fallocate that there is, and the errors of the others. */
static void test_fallocate(void)
{
	int fd = open_new(0);

	CHECK(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 64 * BLOCK));
	CHECK(size_of(fd) == 0 && blocks_of(fd) == 64 * 8);
	close(fd);
	fd = open(file, O_RDWR);
	CHECK(blocks_of(fd) == 64 * 8);
	CHECK(!fallocate(fd, 0, 0, 16 * BLOCK));
	CHECK(size_of(fd) == 16 * BLOCK && blocks_of(fd) == 64 * 8);
	CHECK(pread(fd, block, 16 * BLOCK, 0) == 16 * BLOCK);
	CHECK(all_are(block, 16 * BLOCK, 0));
	memset(block, 'f', sizeof(block));
	CHECK(pwrite(fd, block, 16 * BLOCK, 0) == 16 * BLOCK);
	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 BLOCK + 10, 3 * BLOCK));
	CHECK(blocks_of(fd) == 62 * 8);
	CHECK(!fallocate(fd, FALLOC_FL_ZERO_RANGE, 8 * BLOCK - 1, BLOCK + 2));
	/* The extents may have become too many for the inode itself. */
	CHECK(blocks_of(fd) == 62 * 8 || blocks_of(fd) == 63 * 8);
	CHECK(pread(fd, block, 16 * BLOCK, 0) == 16 * BLOCK);
	CHECK(all_are(block, BLOCK + 10, 'f'));
	CHECK(all_are(block + BLOCK + 10, 3 * BLOCK, 0));
	CHECK(all_are(block + 4 * BLOCK + 10, 4 * BLOCK - 11, 'f'));
	CHECK(all_are(block + 8 * BLOCK - 1, BLOCK + 2, 0));
	CHECK(all_are(block + 9 * BLOCK + 1, 7 * BLOCK - 1, 'f'));
	CHECK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK) == -1 &&
	      errno == EOPNOTSUPP);
	CHECK(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, BLOCK) == -1 &&
	      errno == EOPNOTSUPP);
	CHECK(!ftruncate(fd, 0) && blocks_of(fd) == 0);
	/* What cannot succeed takes nothing. */
	CHECK(fallocate(fd, 0, 0, 1LL << 45) == -1 && errno == ENOSPC);
	CHECK(size_of(fd) == 0 && blocks_of(fd) == 0);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1LL << 62, 1LL << 61) == -1 &&
	      errno == EFBIG);
	close(fd);
}

/* A block that was freed and allocated again shows none of what it held. */
static void test_stale(void)
{
	int fd = open_new(0), round;
	long i;

	for (round = 0; round < 3; round++) {
		memset(block, 0xa5, sizeof(block));
		for (i = 0; i < 256; i++)
			CHECK(write(fd, block, sizeof(block)) == sizeof(block));
		CHECK(!fsync(fd));
		CHECK(!ftruncate(fd, 0) && !fsync(fd));
		CHECK(!fallocate(fd, 0, 0, 256 * (long)sizeof(block)));
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		for (i = 0; i < 256; i++) {
			CHECK(pread(fd, block, sizeof(block),
				    i * (long)sizeof(block)) == sizeof(block));
			CHECK(all_are(block, sizeof(block), 0));
		}
		CHECK(!ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET));
	}
	close(fd);
}

/* Blocks taken in advance are given back when the writer closes. */
static void test_spare(void)
{
	int fd = open_new(0), i;

	memset(block, 'p', sizeof(block));
	for (i = 0; i < 1000; i++)
		CHECK(write(fd, block, 5000) == 5000);
	close(fd);
	fd = open(file, O_RDONLY);
	CHECK(size_of(fd) == 5000000 && blocks_of(fd) == 8 * 1221);
	close(fd);
}

/* A file without a name lives until it is closed. */
static void test_unlinked(void)
{
	int fd = open_new(0);

	CHECK(!unlink(file));
	memset(block, 'u', sizeof(block));
	CHECK(pwrite(fd, block, sizeof(block), 1 << 20) == sizeof(block));
	CHECK(!fsync(fd));
	CHECK(!ftruncate(fd, (1 << 20) + 5));
	CHECK(pread(fd, block, sizeof(block), 1 << 20) == 5 && block[4] == 'u');
	close(fd);
}

/* Fill the volume, go on using it full, and say how far it got. */
static void test_full(void)
{
	int fd = open_new(0);
	ssize_t ret;

	memset(block, 'F', sizeof(block));
	while ((ret = write(fd, block, sizeof(block))) > 0)
		;
	CHECK(errno == ENOSPC);
	/* What is there can be written again, and still reach the disk. */
	CHECK(!fsync(fd));
	memset(block, 'G', sizeof(block));
	CHECK(pwrite(fd, block, sizeof(block), BLOCK) == sizeof(block));
	CHECK(!fsync(fd));
	CHECK(fallocate(fd, 0, 0, 1LL << 40) == -1 && errno == ENOSPC);
	/* A hole in the middle can be made, and its space used. */
	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 100 * BLOCK, 1000 * BLOCK));
	CHECK(pwrite(fd, block, sizeof(block), 200 * BLOCK) == sizeof(block));
	CHECK(!fsync(fd));
	CHECK(pread(fd, block, BLOCK, 150 * BLOCK) == BLOCK && all_are(block, BLOCK, 0));
	CHECK(pread(fd, block, BLOCK, 200 * BLOCK) == BLOCK && all_are(block, BLOCK, 'G'));
	close(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "direct", test_direct },
	{ "map", test_map },
	{ "append", test_append },
	{ "nowait", test_nowait },
	{ "seek", test_seek },
	{ "fallocate", test_fallocate },
	{ "stale", test_stale },
	{ "spare", test_spare },
	{ "unlinked", test_unlinked },
	{ "full", test_full },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!strcmp(argv[1], tests[i].name)) {
			file = argv[2];
			tests[i].run();
			return 0;
		}
	}
	fputs("usage: file_ops TEST FILE\n", stderr);
	return 2;
}
