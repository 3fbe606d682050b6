// SPDX-License-Identifier: Apache-2.0
/*
 * Compactions that take longer, and what comes between: checkpoints and what is left of
 * them after a remount, free space in pieces, more changes than are noted, a frozen
 * volume, one without background work, the end of the file's name.
 */
#define _GNU_SOURCE	/* strerrorname_np */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include <vexfs.h>

#include "check.h"
#include "compact_model.h"

/* A compaction in a thread of its own. */
struct running {
	int fd, rc;
	atomic_bool over;
	pthread_t thread;
};

static void *running_run(void *arg)
{
	struct running *r = arg;
	struct vexfs_compact result;

	r->rc = vexfs_compact(r->fd, &result);
	atomic_store(&r->over, true);
	return NULL;
}

static uint64_t rows_done(int fd)
{
	struct vexfs_compact status;

	SAME(vexfs_compact_status(fd, &status), 0);
	return status.running ? status.rows_done : 0;
}

/* Begin one, and wait until it has looked at so many rows. */
static uint64_t running_begin(struct running *r, int fd, uint64_t rows)
{
	uint64_t done = 0;

	r->fd = fd;
	atomic_store(&r->over, false);
	pthread_create(&r->thread, NULL, running_run, r);
	while (done < rows && !atomic_load(&r->over)) {
		usleep(500);
		done = rows_done(fd);
	}
	CHECK(done >= rows);
	return done;
}

static void running_end(struct running *r)
{
	pthread_join(r->thread, NULL);
	SAME(r->rc, 0);
}

/* Of rows that are a page each: their number is in each of their elements. */
#define PAGE_DIM	1024U
#define PAGES		20000U

static void pages_insert(int fd)
{
	static float rows[256][PAGE_DIM];
	unsigned int row, i, j;

	for (row = 0; row < PAGES; row += i) {
		for (i = 0; i < 256 && row + i < PAGES; i++)
			for (j = 0; j < PAGE_DIM; j++)
				rows[i][j] = (float)(row + i);
		SAME(vexfs_insert(fd, rows, sizeof(rows[0]) * i, i, NULL, NULL, NULL), 0);
	}
}

static void pages_delete(int fd, bool *dead, unsigned int from, unsigned int step)
{
	static uint64_t ids[PAGES];
	unsigned int row, n = 0;
	uint64_t deleted = 0;

	for (row = from; row < PAGES; row += step)
		if (!dead[row]) {
			dead[row] = true;
			ids[n++] = row;
		}
	SAME(vexfs_delete(fd, ids, n, 0, &deleted, NULL), 0);
	SAME(deleted, n);
}

/* Rows that are left, in order, each whole. */
static void pages_check(int fd, const bool *dead)
{
	static float data[PAGE_DIM];
	unsigned int row, j;
	off_t at = 0;

	for (row = 0; row < PAGES; row++) {
		if (dead[row])
			continue;
		SAME(pread(fd, data, sizeof(data), at), sizeof(data));
		for (j = 0; j < PAGE_DIM && data[j] == (float)row; j++)
			;
		if (j < PAGE_DIM) {
			FAIL("row %u, element %u is %g", row, j, (double)data[j]);
			return;
		}
		at += sizeof(data);
	}
	SAME(lseek(fd, 0, SEEK_END), at);
}

/* More than a checkpoint's worth: gone on with behind it, after a remount. */
static void checkpoints(void)
{
	struct vexfs_schema schema = {
		.dim = PAGE_DIM, .element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
		.ids = VEXFS_IDS_AUTO,
	};
	static bool dead[PAGES];
	struct vexfs_compact result;
	uint64_t done = 0, blocks;
	unsigned int i;
	pid_t child;
	int status, fd = open("pages", O_CREAT | O_RDWR, 0644);

	OK(fd);
	SAME(vexfs_schema_set(fd, &schema), 0);
	pages_insert(fd);
	pages_delete(fd, dead, 7, 31);
	OK(fsync(fd));
	blocks = blocks_of(fd);
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(vexfs_compact(fd, &result) ? 1 : 0);
	for (i = 0; i < 100000 && done < 16500; i++) {
		usleep(100);
		done = rows_done(fd);
	}
	OK(kill(child, SIGKILL));
	OK(waitpid(child, &status, 0));
	CHECK(WIFSIGNALED(status));
	printf("# killed with %llu of %u rows looked at\n", (unsigned long long)done, PAGES);
	/* What was made is kept. */
	if (blocks_of(fd) < blocks + 16000 * 8)
		FAIL("%llu sectors, then %llu", (unsigned long long)blocks,
		     (unsigned long long)blocks_of(fd));
	OK(close(fd));
	check_remount();
	fd = open("pages", O_RDWR);
	OK(fd);
	pages_delete(fd, dead, 11, 501);
	/* Of those that were deleted since, some are left to the next one. */
	SAME(vexfs_compact(fd, &result), 0);
	SAME(vexfs_compact(fd, &result), 0);
	pages_check(fd, dead);
	OK(close(fd));
	check_remount();
	fd = open("pages", O_RDWR);
	pages_check(fd, dead);
	OK(close(fd));
	OK(unlink("pages"));
}

static unsigned int extents_of(int fd)
{
	struct fiemap map = { .fm_length = ~0ULL, .fm_flags = FIEMAP_FLAG_SYNC };

	OK(ioctl(fd, FS_IOC_FIEMAP, &map));
	return map.fm_mapped_extents;
}

/* Free space in single blocks: the new matrix has a tree of extents with nodes. */
static void scattered(void)
{
	struct statvfs st;
	struct model m;
	off_t at;
	int fd;

	model_open(&m, "in-pieces", VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 0);
	add(&m, 70000);
	erase(&m, 0, 7, 70000);
	OK(fsync(m.fd));
	wait_encoded(&m);
	OK(syncfs(m.fd));
	fd = open("filler", O_CREAT | O_RDWR, 0644);
	OK(fd);
	OK(fstatvfs(fd, &st));
	OK(fallocate(fd, 0, 0, (off_t)(st.f_bavail - 64) * 4096));
	for (at = 0; at < 2 * 2500 * 4096; at += 2 * 4096)
		OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, 4096));
	OK(syncfs(fd));
	/* Half done, then the rest; and then as the file it is. */
	interrupt(&m, 20000);
	OK(close(fd));
	reopen(&m);
	compact(&m);
	printf("# %u extents\n", extents_of(m.fd));
	CHECK(extents_of(m.fd) > 500);
	check_all(&m, true);
	OK(unlink("filler"));
	reopen(&m);
	check_all(&m, true);
	erase(&m, 1, 7, 70000);
	compact(&m);
	check_all(&m, true);
	model_close(&m);
}

/* More runs of rows change at once than are noted: all copied rows are looked at again. */
static void forgetful(void)
{
	struct running run;
	struct model m;

	model_open(&m, "forgetful", VEXFS_ELEMENT_U8, VEXFS_IDS_AUTO, 1);
	add(&m, 220000);
	erase(&m, 219990, 1, 220000);
	printf("# at row %llu\n", (unsigned long long)running_begin(&run, m.fd, 135000));
	erase(&m, 0, 2, 140000);
	change(&m, 1, 20000, 140000);
	printf("# then at row %llu\n", (unsigned long long)rows_done(m.fd));
	running_end(&run);
	check_all(&m, false);
	compact(&m);
	check_all(&m, true);
	reopen(&m);
	check_all(&m, true);
	model_close(&m);
}

/* A frozen volume stops it, and nothing else: searches go on. */
static void frozen(void)
{
	struct running run;
	struct model m;
	uint64_t done;

	model_open(&m, "frozen", VEXFS_ELEMENT_U8, VEXFS_IDS_AUTO, 2);
	add(&m, 60000);
	erase(&m, 3, 5, 60000);
	running_begin(&run, m.fd, 1);
	OK(ioctl(m.fd, FIFREEZE, 0));
	done = rows_done(m.fd);
	CHECK(done);
	check_answers(&m);
	usleep(200000);
	SAME(rows_done(m.fd), done);
	OK(ioctl(m.fd, FITHAW, 0));
	running_end(&run);
	check_all(&m, true);
	model_close(&m);
}

static void remount(const char *options)
{
	OK(mount(check_device, check_top, "vexfs", MS_REMOUNT, options));
}

/* Without background work it is done all the same, but no index comes back. */
static void alone(void)
{
	struct vexfs_build_index build = { .type = VEXFS_INDEX_IVF };
	struct vexfs_index_status status;
	struct running run;
	struct model m;

	model_open(&m, "alone", VEXFS_ELEMENT_U8, VEXFS_IDS_OWN, 1);
	add(&m, 30000);
	SAME(vexfs_index_build(m.fd, &build), 0);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	SAME(status.type, VEXFS_INDEX_IVF);
	erase(&m, 1, 4, 30000);
	running_begin(&run, m.fd, 1);
	remount("nobackground");
	running_end(&run);
	check_all(&m, true);
	SAME(vexfs_index_status(m.fd, &status), 0);
	SAME(status.building, 0);
	SAME(status.type, 0);
	erase(&m, 2, 4, 30000);
	compact(&m);
	remount("background");
	check_all(&m, true);
	model_close(&m);
}

/* An index that is dropped while it runs stays away. */
static void dropped(void)
{
	struct vexfs_build_index build = { .type = VEXFS_INDEX_IVF };
	struct vexfs_index_status status;
	struct running run;
	struct model m;

	model_open(&m, "dropped", VEXFS_ELEMENT_U8, VEXFS_IDS_AUTO, 1);
	add(&m, 30000);
	SAME(vexfs_index_build(m.fd, &build), 0);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	erase(&m, 1, 4, 30000);
	running_begin(&run, m.fd, 1);
	SAME(vexfs_index_drop(m.fd, 0), 0);
	running_end(&run);
	SAME(vexfs_index_status(m.fd, &status), 0);
	SAME(status.building, 0);
	SAME(status.type, 0);
	/* One that is begun is ended, and one like it takes its place. */
	SAME(vexfs_index_build(m.fd, &build), 0);
	erase(&m, 2, 4, 30000);
	running_begin(&run, m.fd, 1);
	running_end(&run);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	SAME(status.type, VEXFS_INDEX_IVF);
	SAME(status.state, VEXFS_INDEX_READY);
	check_all(&m, true);
	model_close(&m);
}

/* Its last name goes; when it is closed, so does all that was made. */
static void unlinked(void)
{
	uint64_t before = 0;
	struct running run;
	struct model m;
	int top = open(".", O_RDONLY), i;

	OK(top);
	/* The directory's blocks are there the second time. */
	for (i = 0; i < 2; i++) {
		before = free_blocks(top);
		model_open(&m, "unlinked", VEXFS_ELEMENT_U8, VEXFS_IDS_OWN, 2);
		add(&m, 20000);
		erase(&m, 0, 3, 20000);
		running_begin(&run, m.fd, 1);
		OK(unlink("unlinked"));
		running_end(&run);
		check_all(&m, true);
		erase(&m, 1, 3, 20000);
		if (i)
			interrupt(&m, 3000);
		else
			compact(&m);
		check_rows(&m, false);
		model_close(&m);
	}
	for (i = 0; i < 100 && free_blocks(top) != before; i++)
		usleep(50000);
	SAME(free_blocks(top), before);
	OK(close(top));
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "checkpoints", checkpoints },
		{ "scattered", scattered },
		{ "forgetful", forgetful },
		{ "frozen", frozen },
		{ "alone", alone },
		{ "dropped", dropped },
		{ "unlinked", unlinked },
	};

	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
