// SPDX-License-Identifier: Apache-2.0
/*
 * Compaction on a mounted VexFS: ids, rows, attributes and answers stay, space comes
 * back; beside inserts, deletes and searches; interrupted and gone on with; without
 * room; after a remount. What must be there is kept in a model of the test's own.
 */
#define _GNU_SOURCE	/* strerrorname_np */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include <vexfs.h>

#include "check.h"
#include "compact_model.h"

/* One kind of file through its life. */
static void life(unsigned int element, unsigned int ids, unsigned int columns)
{
	struct vexfs_compact result;
	struct model m;
	char name[32];

	snprintf(name, sizeof(name), "life-%u-%u-%u", element, ids, columns);
	model_open(&m, name, element, ids, columns);
	result = compact(&m);
	SAME(result.rows_reclaimed, 0);
	add(&m, 5000);
	result = compact(&m);
	SAME(result.rows_reclaimed, 0);
	erase(&m, 0, 3, 5000);
	erase(&m, 1000, 1, 2500);
	result = compact(&m);
	SAME(result.rows_reclaimed, 5000 - live(&m));
	SAME(result.bytes_freed, result.rows_reclaimed * row_bytes(&m));
	check_all(&m, true);
	reopen(&m);
	check_all(&m, true);
	if (columns)
		change(&m, 4, 9, m.count);
	add(&m, 3000);
	if (ids == VEXFS_IDS_OWN)
		add_again(&m, 300);
	check_all(&m, true);
	if (ids == VEXFS_IDS_OWN)
		replace(&m, 4100, 3, 5000, 7);
	erase(&m, 4000, 2, 8000);
	compact(&m);
	check_all(&m, true);
	reopen(&m);
	check_all(&m, true);
	/* Nothing is left, and then something again. */
	erase(&m, 0, 1, m.count);
	compact(&m);
	check_all(&m, true);
	add(&m, 100);
	erase(&m, m.count - 50, 2, m.count);
	check_all(&m, false);
	compact(&m);
	check_all(&m, true);
	reopen(&m);
	check_all(&m, true);
	model_close(&m);
}

static void kinds(void)
{
	life(VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 0);
	life(VEXFS_ELEMENT_F16, VEXFS_IDS_OWN, 0);
	life(VEXFS_ELEMENT_I8, VEXFS_IDS_AUTO, 1);
	life(VEXFS_ELEMENT_U8, VEXFS_IDS_OWN, 2);
	life(VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 2);
}

/* The blocks come back, and the size follows. */
static void space(void)
{
	uint64_t before, blocks, kept;
	struct stat st;
	struct model m;

	model_open(&m, "space", VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 0);
	add(&m, 100000);
	OK(fsync(m.fd));
	erase(&m, 0, 1, 90000);
	before = free_blocks(m.fd);
	blocks = blocks_of(m.fd);
	compact(&m);
	kept = 10000 * row_bytes(&m);
	OK(fstat(m.fd, &st));
	SAME(st.st_size, kept);
	if (free_blocks(m.fd) < before + 90000 * row_bytes(&m) / 4096 - 64)
		FAIL("%llu blocks were free, now %llu", (unsigned long long)before,
		     (unsigned long long)free_blocks(m.fd));
	if (blocks_of(m.fd) * 512 > kept * 2 || blocks < 100000 * row_bytes(&m) / 512)
		FAIL("%llu sectors, then %llu", (unsigned long long)blocks,
		     (unsigned long long)blocks_of(m.fd));
	check_all(&m, true);
	model_close(&m);
}

/* What other ways to the data show: cursors, read(2), mappings, status. */
static void views(void)
{
	struct vexfs_scan scan = { 0 };
	struct vexfs_compact status;
	char right[DIM * 4], data[DIM * 4];
	struct vexfs_range_search range;
	struct vexfs_result results[16];
	struct vexfs_schema schema;
	uint64_t ids[16], at;
	struct model m;
	char *map, *private;

	model_open(&m, "views", VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 0);
	add(&m, 4000);
	erase(&m, 0, 2, 4000);
	SAME(vexfs_scan(m.fd, &scan, ids, NULL, 0, 16), 16);
	SAME(vexfs_schema_get(m.fd, &schema), 0);
	fill(&m, data, 1, 0);
	vexfs_range_init(&range, &schema, 0, data, 1e9);
	range.results = (uintptr_t)results;
	range.capacity = 16;
	SAME(vexfs_range(m.fd, &range), 0);
	SAME(range.count, 16);
	map = mmap(NULL, 4000 * DIM * 4, PROT_READ, MAP_SHARED, m.fd, 0);
	CHECK(map != MAP_FAILED);
	fill(&m, right, 0, 0);
	CHECK(!memcmp(map, right, sizeof(right)));
	private = mmap(NULL, 4000 * DIM * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE, m.fd, 0);
	CHECK(private != MAP_FAILED);
	private[5000] = 'p';
	SAME(vexfs_compact_status(m.fd, &status), 0);
	SAME(status.running, 0);
	compact(&m);
	for (at = 0; at < 2000; at++) {
		fill(&m, right, at * 2 + 1, 0);
		if (memcmp(map + at * sizeof(right), right, sizeof(right)))
			FAIL("row %llu is another in a mapping", (unsigned long long)at);
		SAME(pread(m.fd, data, sizeof(data), (off_t)(at * sizeof(data))), sizeof(data));
		CHECK(!memcmp(data, right, sizeof(right)));
	}
	/* A private copy of a page is its owner's, other pages are the file's. */
	CHECK(private[5000] == 'p');
	CHECK(!memcmp(private + 8192, map + 8192, 4096));
	munmap(private, 4000 * DIM * 4);
	munmap(map, 4000 * DIM * 4);
	SAME(vexfs_scan(m.fd, &scan, ids, NULL, 0, 16), -ESTALE);
	SAME(vexfs_range(m.fd, &range), -ESTALE);
	model_close(&m);
}

static void refused(void)
{
	struct vexfs_compact call = { .size = sizeof(call), .flags = 2 };
	int flags = FS_IMMUTABLE_FL, none = 0, fd;
	char byte = 0;
	struct model m;

	model_open(&m, "refused", VEXFS_ELEMENT_U8, VEXFS_IDS_AUTO, 0);
	add(&m, 100);
	erase(&m, 0, 2, 100);
	ERR(EINVAL, ioctl(m.fd, VEXFS_IOC_COMPACT, &call));
	call.flags = 0;
	call.reserved[1] = 1;
	ERR(EINVAL, ioctl(m.fd, VEXFS_IOC_COMPACT, &call));
	call.reserved[1] = 0;
	fd = open("refused", O_RDONLY);
	ERR(EBADF, ioctl(fd, VEXFS_IOC_COMPACT, &call));
	OK(close(fd));
	OK(ioctl(m.fd, FS_IOC_SETFLAGS, &flags));
	SAME(vexfs_compact(m.fd, &call), -EPERM);
	OK(ioctl(m.fd, FS_IOC_SETFLAGS, &none));
	SAME(pwrite(m.fd, &byte, 1, 100 * DIM), 1);
	SAME(vexfs_compact(m.fd, &call), -EBUSY);
	OK(ftruncate(m.fd, 100 * DIM));
	compact(&m);
	check_all(&m, true);
	/* Truncation renumbers too. */
	erase(&m, 1, 4, 100);
	OK(ftruncate(m.fd, 20 * DIM));
	model_close(&m);
}

/* An index comes back by itself. */
static void indexed(void)
{
	struct vexfs_build_index build = { .type = VEXFS_INDEX_HNSW, .effort = 40 };
	struct vexfs_index_status status;
	struct model m;

	model_open(&m, "indexed", VEXFS_ELEMENT_F32, VEXFS_IDS_AUTO, 0);
	add(&m, 4000);
	SAME(vexfs_index_build(m.fd, &build), 0);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	erase(&m, 0, 4, 4000);
	compact(&m);
	check_all(&m, true);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	SAME(status.type, VEXFS_INDEX_HNSW);
	SAME(status.state, VEXFS_INDEX_READY);
	SAME(status.effort, 40);
	SAME(status.rows_covered, 3000);
	check_all(&m, true);
	/* While one is being built. */
	build.type = VEXFS_INDEX_IVF;
	build.effort = 0;
	SAME(vexfs_index_build(m.fd, &build), 0);
	erase(&m, 1, 4, 4000);
	compact(&m);
	SAME(vexfs_index_wait(m.fd, &status, NULL, NULL), 0);
	CHECK(status.type == VEXFS_INDEX_IVF || status.type == VEXFS_INDEX_HNSW);
	SAME(status.rows_covered, 2000);
	check_all(&m, true);
	model_close(&m);
}

static void no_room(void)
{
	struct vexfs_compact result;
	uint64_t before;
	struct statvfs st;
	struct model m;
	int fd;

	model_open(&m, "tight", VEXFS_ELEMENT_F32, VEXFS_IDS_OWN, 2);
	add(&m, 40000);
	erase(&m, 0, 10, 40000);
	OK(fsync(m.fd));
	wait_encoded(&m);
	fd = open("filler", O_CREAT | O_RDWR, 0644);
	OK(fd);
	before = free_blocks(m.fd);
	OK(fstatvfs(m.fd, &st));
	/* Room for a third of the rows, and then for the rows only. */
	OK(fallocate(fd, 0, 0, (off_t)(st.f_bavail * 4096 - 40000 * row_bytes(&m) / 3)));
	before = free_blocks(m.fd);
	SAME(vexfs_compact(m.fd, &result), -ENOSPC);
	if (free_blocks(m.fd) + 40 < before)
		FAIL("%llu blocks were free, now %llu", (unsigned long long)before,
		     (unsigned long long)free_blocks(m.fd));
	check_all(&m, false);
	OK(ftruncate(fd, 0));
	before = free_blocks(m.fd);
	OK(fstatvfs(m.fd, &st));
	OK(fallocate(fd, 0, 0, (off_t)(st.f_bavail * 4096 - 36000 * row_bytes(&m) - 65536)));
	before = free_blocks(m.fd);
	SAME(vexfs_compact(m.fd, &result), -ENOSPC);
	if (free_blocks(m.fd) + 40 < before)
		FAIL("%llu blocks were free, now %llu", (unsigned long long)before,
		     (unsigned long long)free_blocks(m.fd));
	check_all(&m, false);
	OK(unlink("filler"));
	OK(close(fd));
	compact(&m);
	check_all(&m, true);
	model_close(&m);
}

/* Of each kind of file. */
#define KILLS 4U

static void interrupted(void)
{
	unsigned int kind, killed = 0, i;
	struct model m;

	for (kind = 0; kind < 3; kind++) {
		model_open(&m, kind == 0 ? "a" : kind == 1 ? "b" : "c", VEXFS_ELEMENT_F32,
			   kind == 1 ? VEXFS_IDS_OWN : VEXFS_IDS_AUTO, kind ? 2 : 0);
		add(&m, kind == 1 ? 20000 : 60000);
		for (i = 0; i < KILLS; i++) {
			erase(&m, i, 7 + i, m.count);
			killed += interrupt(&m, 1000 + 9000 * (long)i);
			check_rows(&m, false);
			if (kind)
				change(&m, i, 400, m.count);
			if (kind == 1) {
				add_again(&m, 40);
				replace(&m, i, 90, m.count, 5);
			}
			if (i % 4 == 3)
				reopen(&m);
			add(&m, 500);
		}
		check_all(&m, false);
		/* What was deleted since it was copied is still there after one. */
		compact(&m);
		check_all(&m, false);
		compact(&m);
		check_all(&m, true);
		reopen(&m);
		check_all(&m, true);
		model_close(&m);
	}
	printf("# %u of %u were killed\n", killed, 3 * KILLS);
	CHECK(killed > 0);
}

/* Searching beside it. */
struct beside {
	const struct model *m;
	atomic_bool stop;
	unsigned int searches, stale;
};

static void *search_on(void *arg)
{
	struct beside *b = arg;
	struct vexfs_result found[K];
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	char query[DIM * 4], data[DIM * 4];
	uint64_t id;
	int rc, k;

	vexfs_schema_get(b->m->fd, &schema);
	while (!atomic_load(&b->stop)) {
		/* These rows are never deleted. */
		id = 10 * (b->searches++ % 500) + 5;
		fill(b->m, query, id, 0);
		memset(found, 0xff, sizeof(found));
		vexfs_knn_init(&knn, &schema, 0, query, 1, K, found, NULL);
		knn.flags = VEXFS_SEARCH_EXACT;
		rc = vexfs_knn(b->m->fd, &knn);
		if (rc == -ESTALE) {
			b->stale++;
			continue;
		}
		SAME(rc, 0);
		for (k = 0; k < K && found[k].id != id; k++)
			;
		if (k == K || found[k].distance)
			FAIL("row of id %llu is not found", (unsigned long long)id);
		rc = vexfs_get(b->m->fd, &id, 1, data, sizeof(data), NULL);
		if (rc == -ESTALE)
			b->stale++;
		else if (rc || memcmp(data, query, sizeof(data)))
			FAIL("id %llu: %s", (unsigned long long)id,
			     rc ? strerror(-rc) : "another row");
		if (b->m->columns)
			check_attributes(b->m, id);
	}
	return NULL;
}

static void *compact_on(void *arg)
{
	struct beside *b = arg;
	struct vexfs_compact result;
	unsigned int *rounds = malloc(sizeof(*rounds));

	*rounds = 0;
	while (!atomic_load(&b->stop)) {
		SAME(vexfs_compact(b->m->fd, &result), 0);
		*rounds += result.rows_reclaimed > 0;
	}
	return rounds;
}

static void beside(void)
{
	struct beside search = { 0 }, run = { 0 };
	unsigned int columns, round;
	pthread_t searcher, runner;
	struct model m;
	void *rounds;

	for (columns = 0; columns < 3; columns += 2) {
		model_open(&m, columns ? "beside-columns" : "beside", VEXFS_ELEMENT_F32,
			   VEXFS_IDS_AUTO, columns);
		add(&m, 20000);
		search = (struct beside){ .m = &m };
		run = (struct beside){ .m = &m };
		pthread_create(&searcher, NULL, search_on, &search);
		pthread_create(&runner, NULL, compact_on, &run);
		for (round = 0; round < 30; round++) {
			erase(&m, round % 5 * 2, 10 + 10 * (round % 3), m.count);
			add(&m, 400 + round * 20);
			if (columns)
				change(&m, 6, 300, m.count);
			erase(&m, m.count - 101, 2, m.count);
		}
		atomic_store(&search.stop, true);
		atomic_store(&run.stop, true);
		pthread_join(searcher, NULL);
		pthread_join(runner, &rounds);
		printf("# %u compactions, %u searches, %u stale\n", *(unsigned int *)rounds,
		       search.searches, search.stale);
		CHECK(*(unsigned int *)rounds > 0);
		free(rounds);
		check_all(&m, false);
		compact(&m);
		check_all(&m, true);
		reopen(&m);
		check_all(&m, true);
		model_close(&m);
	}
}

/* Own ids that are deleted and given again while it runs. */
static void again(void)
{
	struct beside run = { 0 };
	unsigned int round;
	pthread_t runner;
	struct model m;
	void *rounds;

	model_open(&m, "again", VEXFS_ELEMENT_F32, VEXFS_IDS_OWN, 1);
	add(&m, 12000);
	run.m = &m;
	pthread_create(&runner, NULL, compact_on, &run);
	for (round = 0; round < 20; round++) {
		erase(&m, round, 60, m.count);
		add_again(&m, 100);
		change(&m, 3, 500, m.count);
	}
	atomic_store(&run.stop, true);
	pthread_join(runner, &rounds);
	free(rounds);
	check_all(&m, false);
	compact(&m);
	check_all(&m, true);
	model_close(&m);
}

#define REPLACED	4000U

/* Replacing beside it: of each id, the row that is there and the one to come. */
static atomic_uint there[REPLACED], coming[REPLACED];

/* Rows that are replaced are always there, and once. */
static void *look_on(void *arg)
{
	struct beside *b = arg;
	struct vexfs_result found[K];
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	char query[DIM * 4], data[DIM * 4];
	unsigned int low, salt;
	uint64_t id;
	int rc, k, times;

	vexfs_schema_get(b->m->fd, &schema);
	while (!atomic_load(&b->stop)) {
		id = b->searches++ * 37 % REPLACED;
		low = atomic_load(&there[id]);
		rc = vexfs_get(b->m->fd, &id, 1, data, sizeof(data), NULL);
		if (rc && rc != -ESTALE)
			FAIL("id %llu: %s", (unsigned long long)id, strerror(-rc));
		for (salt = low; !rc && salt <= atomic_load(&coming[id]); salt++) {
			fill(b->m, query, id, salt);
			rc = !memcmp(data, query, sizeof(data));
		}
		if (!rc)
			FAIL("id %llu: a row that was not put there", (unsigned long long)id);
		b->stale += rc == -ESTALE;
		low = atomic_load(&there[id]);
		fill(b->m, query, id, low);
		memset(found, 0xff, sizeof(found));
		vexfs_knn_init(&knn, &schema, 0, query, 1, K, found, NULL);
		knn.flags = b->searches & 1 ? VEXFS_SEARCH_EXACT : 0;
		rc = vexfs_knn(b->m->fd, &knn);
		b->stale += rc == -ESTALE;
		if (rc == -ESTALE || atomic_load(&coming[id]) != low)
			continue;
		SAME(rc, 0);
		for (k = 0, times = 0; k < K; k++)
			times += found[k].id == id && !found[k].distance;
		SAME(times, 1);
	}
	return NULL;
}

/* Replace, telling look_on() of it. */
static void replace_told(struct model *m, uint64_t from, uint64_t step, uint64_t fresh)
{
	uint64_t first = m->count, i;

	for (i = from; i < first; i += step)
		if (m->alive[i] && m->id[i] < REPLACED)
			atomic_store(&coming[m->id[i]], m->salt[i] + 1);
	replace(m, from, step, first, fresh);
	for (i = first; i < m->count; i++)
		if (m->id[i] < REPLACED)
			atomic_store(&there[m->id[i]], m->salt[i]);
}

static void replaced(void)
{
	struct beside look = { 0 }, run = { 0 };
	pthread_t looker, runner;
	unsigned int kind, round;
	struct model m;
	void *rounds;

	for (kind = 0; kind < 2; kind++) {
		model_open(&m, kind ? "replaced-columns" : "replaced", VEXFS_ELEMENT_F32,
			   VEXFS_IDS_OWN, kind * 2);
		m.runs = true;
		memset(there, 0, sizeof(there));
		memset(coming, 0, sizeof(coming));
		add(&m, 12000);
		look = (struct beside){ .m = &m };
		run = (struct beside){ .m = &m };
		pthread_create(&looker, NULL, look_on, &look);
		pthread_create(&runner, NULL, compact_on, &run);
		for (round = 0; round < 40; round++) {
			if (round % 8 == 0)
				replace_told(&m, round, 11, 0);
			replace_told(&m, m.count - 6000 + round, round % 3 ? 7 : 1, 20);
			if (kind)
				change(&m, 3, 700, m.count);
			/* Of the new ones, which look_on() knows nothing of. */
			erase(&m, m.count - 20, 2, m.count);
		}
		atomic_store(&look.stop, true);
		atomic_store(&run.stop, true);
		pthread_join(looker, NULL);
		pthread_join(runner, &rounds);
		printf("# %u compactions, %u looks, %u stale\n", *(unsigned int *)rounds,
		       look.searches, look.stale);
		CHECK(*(unsigned int *)rounds > 0);
		free(rounds);
		check_all(&m, false);
		compact(&m);
		check_all(&m, true);
		reopen(&m);
		check_all(&m, true);
		model_close(&m);
	}
}

/* It is cut off while it is compacted, or what was begun is left over. */
static void cut(void)
{
	struct vexfs_compact result;
	uint64_t before, i;
	pid_t child;
	struct model m;
	int status;

	model_open(&m, "cut", VEXFS_ELEMENT_F32, VEXFS_IDS_OWN, 0);
	add(&m, 60000);
	for (i = 0; i < 6; i++) {
		erase(&m, i, 5, m.count);
		child = fork();
		if (!child) {
			int rc = vexfs_compact(m.fd, &result);

			_exit(rc == 0 || rc == -ESTALE ? 0 : 1);
		}
		usleep(1000 + (unsigned int)i * 4000);
		/* Its rows are counted as they are then: no model of this one. */
		OK(ftruncate(m.fd, (off_t)(row_bytes(&m) * (i == 5 ? 0 : 100))));
		OK(waitpid(child, &status, 0));
		SAME(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
		OK(ftruncate(m.fd, 0));
		m.count = 0;
		add(&m, 30000);
		check_rows(&m, false);
	}
	before = live(&m);
	erase(&m, 0, 2, m.count);
	compact(&m);
	CHECK(before > live(&m));
	check_all(&m, true);
	model_close(&m);
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "kinds", kinds },
		{ "space", space },
		{ "views", views },
		{ "refused", refused },
		{ "indexed", indexed },
		{ "no_room", no_room },
		{ "interrupted", interrupted },
		{ "beside", beside },
		{ "again", again },
		{ "replaced", replaced },
		{ "cut", cut },
	};

	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
