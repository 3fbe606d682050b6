// SPDX-License-Identifier: Apache-2.0
/*
 * The ordinary files of the stress test. They are written a record at a time,
 * and a record says whose it is. Writers and readers exclude each other with
 * flock(2), as read(2) may see half of a write(2); all else goes on meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "stress.h"

#define PLAINS		24		/* shared ordinary files */
#define RECORD		64
#define MAGIC		0x53545253U

struct record {
	uint32_t magic, check;
	uint64_t file, index, nonce;
	uint64_t rest[4];
};

static void record_fill(struct record *record, uint64_t file, uint64_t index,
			uint64_t nonce)
{
	uint64_t hash = mix(mix(file, index), nonce);
	int i;

	record->magic = MAGIC;
	record->check = (uint32_t)hash;
	record->file = file;
	record->index = index;
	record->nonce = nonce;
	for (i = 0; i < 4; i++)
		record->rest[i] = mix(hash, i);
}

/* A number that no two files share: the inode's, and when it was born. */
static uint64_t file_number(int fd)
{
	struct statx stx = { 0 };

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &stx))
		wrong("statx: %s", strerror(errno));
	return mix(stx.stx_ino, stx.stx_btime.tv_sec * 1000000000ULL +
		   stx.stx_btime.tv_nsec);
}

static void plain_write(int fd)
{
	static struct record records[400];
	uint32_t count = 1 + below(400), first = below(4000), i;
	uint64_t file = file_number(fd);
	ssize_t n;

	for (i = 0; i < count; i++)
		record_fill(&records[i], file, first + i, new_nonce());
	flock(fd, LOCK_EX);
	n = pwrite(fd, records, count * RECORD, (off_t)first * RECORD);
	if (n < 0) {
		failed("write");
	} else if (n % RECORD) {
		/* space ran out inside a record: leave none */
		if (ftruncate(fd, 0))
			wrong("truncate: %s", strerror(errno));
	}
	flock(fd, LOCK_UN);
}

static void plain_read(int fd)
{
	static struct record records[5000];
	static const struct record zero;
	uint64_t file = file_number(fd);
	struct record right;
	ssize_t n, i;

	flock(fd, LOCK_SH);
	n = pread(fd, records, sizeof(records), 0);
	flock(fd, LOCK_UN);
	if (n < 0 || n % RECORD)
		wrong("read: %zd: %s", n, strerror(errno));
	for (i = 0; i < n / RECORD; i++) {
		if (!memcmp(&records[i], &zero, RECORD))
			continue;
		record_fill(&right, file, i, records[i].nonce);
		if (memcmp(&records[i], &right, RECORD)) {
			wrong("record %zd: %s", i,
			      records[i].magic != MAGIC ? "garbage" :
			      records[i].file != file ? "another file's" :
			      "damaged");
			return;
		}
	}
}

void do_plain(void)
{
	uint32_t what = below(100);
	char name[32], other[32];
	int fd;

	snprintf(name, sizeof(name), "plain%u", below(PLAINS));
	snprintf(other, sizeof(other), "plain%u", below(PLAINS));
	if (what < 15) {
		if (renameat2(AT_FDCWD, name, AT_FDCWD, other,
			      below(2) ? 0 : RENAME_EXCHANGE) &&
		    errno != ENOENT)
			failed("rename");
		return;
	}
	if (what < 25) {
		if (unlink(name) && errno != ENOENT)
			wrong("unlink: %s", strerror(errno));
		return;
	}
	if (what < 30) {
		if (link(name, other) && errno != ENOENT && errno != EEXIST &&
		    !allowed(errno))
			wrong("link: %s", strerror(errno));
		return;
	}
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		failed("open");
		return;
	}
	if (what < 60) {
		plain_write(fd);
	} else if (what < 90) {
		plain_read(fd);
	} else if (what < 95) {
		flock(fd, LOCK_EX);
		if (ftruncate(fd, (off_t)below(4000) * RECORD) &&
		    !allowed(errno))
			wrong("truncate: %s", strerror(errno));
		flock(fd, LOCK_UN);
	} else if (fsync(fd)) {
		wrong("fsync: %s", strerror(errno));
	}
	close(fd);
}

void check_plain(void)
{
	char name[32];
	int fd, i;

	for (i = 0; i < PLAINS; i++) {
		snprintf(name, sizeof(name), "plain%d", i);
		fd = open(name, O_RDONLY);
		if (fd >= 0) {
			plain_read(fd);
			close(fd);
		}
	}
}
