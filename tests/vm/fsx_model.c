// SPDX-License-Identifier: Apache-2.0
/*
 * Changes one file at random and compares it with a copy in memory: every way
 * to write, every way to read, truncation, fallocate, closing, remounting.
 * The sequence depends on the seed alone, so that a failure can be repeated.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096L
#define LOG_LINES 60

static struct {
	const char *path;
	const char *device;	/* to remount, or NULL */
	const char *mount;
	uint64_t random;
	long ops;
	long max;		/* the file's size stays below */
	long remounts;		/* remount every so many operations, or 0 */
	bool verbose;
} opt = { .random = 1, .ops = 10000, .max = 1 << 20 };

static int fd = -1, direct_fd = -1, append_fd = -1;
static uint8_t *model, *buffer;
static long size;		/* of the file */
static long op_number;
static char op_log[LOG_LINES][120];

static uint64_t next_random(void)
{
	opt.random ^= opt.random << 13;
	opt.random ^= opt.random >> 7;
	opt.random ^= opt.random << 17;
	return opt.random * 0x2545f4914f6cdd1dULL >> 16;
}

static long below(long limit)
{
	return limit > 0 ? (long)(next_random() % (uint64_t)limit) : 0;
}

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	char *line = op_log[op_number % LOG_LINES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(op_log[0]), format, args);
	va_end(args);
	if (opt.verbose)
		fprintf(stderr, "%ld: %s\n", op_number, line);
}

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *format, ...)
{
	va_list args;
	long i;

	for (i = op_number >= LOG_LINES ? op_number - LOG_LINES + 1 : 0;
	     i <= op_number; i++)
		fprintf(stderr, "%ld: %s\n", i, op_log[i % LOG_LINES]);
	fprintf(stderr, "fsx_model: %s, operation %ld: ", opt.path, op_number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void open_file(void)
{
	fd = open(opt.path, O_RDWR | O_CREAT, 0644);
	direct_fd = open(opt.path, O_RDWR | O_DIRECT);
	append_fd = open(opt.path, O_WRONLY | O_APPEND);
	if (fd < 0 || direct_fd < 0 || append_fd < 0)
		fail("open: %s", strerror(errno));
}

static void close_file(void)
{
	if (close(fd) || close(direct_fd) || close(append_fd))
		fail("close: %s", strerror(errno));
}

static void fill_buffer(long length)
{
	uint64_t value = next_random();
	long i;

	for (i = 0; i < length; i++) {
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		/* Zeros are what mistakes leave behind: do not write any. */
		buffer[i] = (uint8_t)(value >> 56 | 1);
	}
}

/* Note in the model that buffer was written. */
static void model_write(long offset, long length)
{
	if (offset > size)
		memset(model + size, 0, (size_t)(offset - size));
	memcpy(model + offset, buffer, (size_t)length);
	if (offset + length > size)
		size = offset + length;
}

static void compare(const uint8_t *data, long offset, long length, const char *how)
{
	long i;

	for (i = 0; i < length; i++) {
		if (data[i] != model[offset + i])
			fail("%s: byte %ld of the file is 0x%02x, not 0x%02x (size %ld)",
			     how, offset + i, data[i], model[offset + i], size);
	}
}

static void check_size(void)
{
	struct stat st;

	if (fstat(fd, &st))
		fail("fstat: %s", strerror(errno));
	if (st.st_size != size)
		fail("the file has %lld bytes, not %ld", (long long)st.st_size, size);
}

static void pick_range(long *offset, long *length, long align)
{
	long most = below(4) ? 16 * 1024 : opt.max / 4;

	*offset = below(opt.max - align) / align * align;
	*length = (1 + below(most)) / align * align + (align > 1 ? align : 0);
	if (*offset + *length > opt.max)
		*length = opt.max - *offset;
}

static void op_write(void)
{
	long offset, length, done = 0;
	ssize_t ret;

	pick_range(&offset, &length, 1);
	note("write %ld+%ld (size %ld)", offset, length, size);
	fill_buffer(length);
	while (done < length) {
		ret = pwrite(fd, buffer + done, (size_t)(length - done), offset + done);
		if (ret <= 0)
			fail("pwrite: %s", strerror(errno));
		done += ret;
	}
	model_write(offset, length);
}

static void op_write_vector(void)
{
	struct iovec iov[3];
	long offset, length, first, second;

	pick_range(&offset, &length, 1);
	first = below(length);
	second = below(length - first);
	note("writev %ld+%ld in three", offset, length);
	fill_buffer(length);
	iov[0] = (struct iovec){ buffer, (size_t)first };
	iov[1] = (struct iovec){ buffer + first, (size_t)second };
	iov[2] = (struct iovec){ buffer + first + second,
				 (size_t)(length - first - second) };
	if (pwritev(fd, iov, 3, offset) != length)
		fail("pwritev: %s", strerror(errno));
	model_write(offset, length);
}

static void op_write_direct(void)
{
	long align = below(3) ? PAGE : 512, offset, length;
	ssize_t ret;

	pick_range(&offset, &length, align);
	note("direct write %ld+%ld (size %ld)", offset, length, size);
	fill_buffer(length);
	ret = pwrite(direct_fd, buffer, (size_t)length, offset);
	if (ret != length)
		fail("direct pwrite: %zd, %s", ret, strerror(errno));
	model_write(offset, length);
}

static void op_append(void)
{
	long length = 1 + below(9000);

	if (size + length > opt.max)
		return;
	note("append %ld to %ld", length, size);
	fill_buffer(length);
	if (write(append_fd, buffer, (size_t)length) != length)
		fail("append: %s", strerror(errno));
	model_write(size, length);
}

static void op_map_write(void)
{
	long offset, length, base;
	uint8_t *map;

	if (!size)
		return;
	pick_range(&offset, &length, 1);
	offset %= size;
	if (offset + length > size)
		length = size - offset;
	base = offset / PAGE * PAGE;
	note("map write %ld+%ld (size %ld)", offset, length, size);
	fill_buffer(length);
	map = mmap(NULL, (size_t)(offset + length - base), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, base);
	if (map == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	memcpy(map + (offset - base), buffer, (size_t)length);
	if (!below(4) && msync(map, (size_t)(offset + length - base), MS_SYNC))
		fail("msync: %s", strerror(errno));
	if (munmap(map, (size_t)(offset + length - base)))
		fail("munmap: %s", strerror(errno));
	model_write(offset, length);
}

static void op_read(int from, long align, const char *how)
{
	long offset, length, want;
	ssize_t ret;

	pick_range(&offset, &length, align);
	want = offset >= size ? 0 : length;
	if (offset + want > size)
		want = size - offset;
	note("%s %ld+%ld (size %ld)", how, offset, length, size);
	memset(buffer, 0x5a, (size_t)length);
	ret = pread(from, buffer, (size_t)length, offset);
	if (ret != (want > 0 ? want : 0))
		fail("%s: %zd bytes, not %ld, %s", how, ret, want, strerror(errno));
	compare(buffer, offset, ret, how);
}

static void op_map_read(void)
{
	long offset, length, base, end, i;
	uint8_t *map;

	if (!size)
		return;
	pick_range(&offset, &length, 1);
	offset %= size;
	if (offset + length > size)
		length = size - offset;
	base = offset / PAGE * PAGE;
	end = (offset + length + PAGE - 1) / PAGE * PAGE;
	note("map read %ld+%ld (size %ld)", offset, length, size);
	map = mmap(NULL, (size_t)(end - base), PROT_READ, MAP_SHARED, fd, base);
	if (map == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	compare(map + (offset - base), offset, length, "map read");
	for (i = size; i < end; i++) {
		if (map[i - base])
			fail("map read: byte %ld behind the end (%ld) is 0x%02x",
			     i, size, map[i - base]);
	}
	munmap(map, (size_t)(end - base));
}

static void op_truncate(void)
{
	long to = below(3) ? below(opt.max) : size + below(2 * PAGE) - PAGE;

	if (to < 0 || to > opt.max)
		to = below(opt.max);
	if (!below(4))
		to = to / PAGE * PAGE;
	note("truncate %ld to %ld", size, to);
	if (ftruncate(fd, to))
		fail("ftruncate: %s", strerror(errno));
	if (to > size)
		memset(model + size, 0, (size_t)(to - size));
	size = to;
}

static void op_fallocate(int mode, const char *how)
{
	long offset, length, end;

	pick_range(&offset, &length, below(3) ? 1 : PAGE);
	end = offset + length;
	note("%s %ld+%ld (size %ld)", how, offset, length, size);
	if (fallocate(fd, mode, offset, length))
		fail("%s: %s", how, strerror(errno));
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && offset < size)
		memset(model + offset, 0,
		       (size_t)((end < size ? end : size) - offset));
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > size) {
		memset(model + size, 0, (size_t)(end - size));
		size = end;
	}
}

static void op_sync(void)
{
	long how = below(3);

	note("sync %ld", how);
	if (how ? (how == 1 ? fsync(fd) : fdatasync(fd)) :
		  sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE))
		fail("sync: %s", strerror(errno));
}

/* Have the next reads come from the disk. */
static void op_drop(void)
{
	note("drop the cache");
	if (fdatasync(fd))
		fail("fdatasync: %s", strerror(errno));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* What is said to be a hole must be zeros, and the answers must make sense. */
static void op_seek(void)
{
	long offset = below(size), data, hole, i;

	if (!size)
		return;
	note("seek from %ld (size %ld)", offset, size);
	data = lseek(fd, offset, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		fail("SEEK_DATA: %s", strerror(errno));
	if (data < 0)
		data = size;
	if (data < offset || data > size)
		fail("SEEK_DATA from %ld is %ld", offset, data);
	for (i = offset; i < data; i++) {
		if (model[i])
			fail("SEEK_DATA passes over byte %ld", i);
	}
	hole = lseek(fd, offset, SEEK_HOLE);
	if (hole < offset || hole > size)
		fail("SEEK_HOLE from %ld is %ld, %s", offset, hole, strerror(errno));
}

static void compare_all(const char *how)
{
	long done = 0, length;

	check_size();
	while (done < size) {
		length = size - done < opt.max ? size - done : opt.max;
		if (pread(fd, buffer, (size_t)length, done) != length)
			fail("%s: pread: %s", how, strerror(errno));
		compare(buffer, done, length, how);
		done += length;
	}
}

static void op_reopen(void)
{
	note("close and open");
	close_file();
	open_file();
	check_size();
}

static void op_remount(void)
{
	note("remount");
	close_file();
	if (umount(opt.mount))
		fail("umount %s: %s", opt.mount, strerror(errno));
	if (mount(opt.device, opt.mount, "vexfs", 0, NULL))
		fail("mount %s: %s", opt.device, strerror(errno));
	open_file();
	compare_all("after the remount");
}

static void one_op(void)
{
	switch (below(30)) {
	case 0 ... 4: op_write(); break;
	case 5: op_write_vector(); break;
	case 6 ... 7: op_write_direct(); break;
	case 8 ... 9: op_append(); break;
	case 10 ... 12: op_map_write(); break;
	case 13 ... 14: op_read(fd, 1, "read"); break;
	case 15: op_read(direct_fd, 512, "direct read"); break;
	case 16: op_map_read(); break;
	case 17 ... 18: op_truncate(); break;
	case 19 ... 20:
		op_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "punch");
		break;
	case 21:
		op_fallocate(FALLOC_FL_ZERO_RANGE, "zero");
		break;
	case 22:
		op_fallocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			     "zero, keep size");
		break;
	case 23: op_fallocate(0, "allocate"); break;
	case 24: op_fallocate(FALLOC_FL_KEEP_SIZE, "allocate, keep size"); break;
	case 25 ... 26: op_sync(); break;
	case 27: op_drop(); break;
	case 28: op_seek(); break;
	default: op_reopen(); break;
	}
}

static int usage(void)
{
	fputs("usage: fsx_model [-s SEED] [-n OPERATIONS] [-l MAX_BYTES] [-v]\n"
	      "                 [-r EVERY -d DEVICE -m MOUNT_POINT] FILE\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:l:r:d:m:v")) != -1) {
		switch (c) {
		case 's': opt.random = strtoull(optarg, NULL, 0) * 2654435761U + 1; break;
		case 'n': opt.ops = atol(optarg); break;
		case 'l': opt.max = atol(optarg) / PAGE * PAGE; break;
		case 'r': opt.remounts = atol(optarg); break;
		case 'd': opt.device = optarg; break;
		case 'm': opt.mount = optarg; break;
		case 'v': opt.verbose = true; break;
		default: return usage();
		}
	}
	if (optind + 1 != argc || (opt.remounts && !(opt.device && opt.mount)))
		return usage();
	opt.path = argv[optind];
	model = calloc(1, (size_t)opt.max + PAGE);
	buffer = aligned_alloc((size_t)PAGE, (size_t)opt.max + 2 * PAGE);
	if (!model || !buffer)
		fail("out of memory");
	unlink(opt.path);
	open_file();
	for (op_number = 0; op_number < opt.ops; op_number++) {
		one_op();
		check_size();
		if (opt.remounts && op_number % opt.remounts == opt.remounts - 1)
			op_remount();
	}
	op_drop();
	compare_all("at the end");
	close_file();
	unlink(opt.path);
	return 0;
}
