// SPDX-License-Identifier: Apache-2.0
/*
 * Indexes on a mounted VexFS: built, watched, cancelled, grown by inserts, deleted
 * from, taken up again after a remount, dropped. Answers are checked against exact
 * searches throughout.
 */
#define _GNU_SOURCE	/* strerrorname_np */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <vexfs.h>

#include "check.h"

#define DIM		32
#define ROWS		6000
#define MANY		20500	/* enough for an index to be chosen by itself */
#define MORE		1500
#define SAMPLED		1100	/* rows that the first encoding is chosen from */
#define EFFORT		64	/* of builds: less than usual, for speed */
#define QUERIES		100
#define K		10
#define CENTRES		200
#define RACES		16	/* rows cut off while they are put into an index */
#define OUTLIERS	50	/* rows that fit no scale, fewer than an index remembers */
#define CREW		3	/* threads of a build, more than most test machines have CPUs */

static float rows[MANY][DIM];
static float queries[QUERIES][DIM];
static uint32_t type;
static uint32_t threads;
static uint64_t seed = 88172645463325252ULL;

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static float uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (float)(seed >> 40) / (1 << 23) - 1;
}

/* Clusters, as real vectors have them. */
static void make_rows(void)
{
	static float centres[CENTRES][DIM];
	int i, j, centre;

	for (i = 0; i < CENTRES; i++)
		for (j = 0; j < DIM; j++)
			centres[i][j] = 3 * uniform();
	for (i = 0; i < MANY + QUERIES; i++) {
		float *row = i < MANY ? rows[i] : queries[i - MANY];

		centre = (int)((uniform() + 1) / 2 * (CENTRES - 1));
		for (j = 0; j < DIM; j++)
			row[j] = centres[centre][j] + uniform() + uniform();
	}
}

static int make_file(const char *name, unsigned int metric, uint64_t count)
{
	struct vexfs_schema schema = {
		.dim = DIM, .element = VEXFS_ELEMENT_F32, .metric = (uint8_t)metric,
		.ids = VEXFS_IDS_AUTO,
	};
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);

	OK(fd);
	SAME(vexfs_schema_set(fd, &schema), 0);
	SAME(vexfs_insert(fd, rows, count * sizeof(rows[0]), count, NULL, NULL, NULL), 0);
	return fd;
}

static int search(int fd, uint32_t index, uint32_t flags, uint32_t target,
		  struct vexfs_result results[QUERIES][K], struct vexfs_knn_search *search)
{
	struct vexfs_schema schema;
	int rc;

	SAME(vexfs_schema_get(fd, &schema), 0);
	vexfs_knn_init(search, &schema, 0, queries, QUERIES, K, results[0], NULL);
	search->index = index;
	search->flags = flags;
	search->target_recall = target;
	rc = vexfs_knn(fd, search);
	return rc;
}

/* Results that are among the true ones, in 1/1000; distances must be right. */
static int recall(struct vexfs_result found[QUERIES][K], struct vexfs_result truth[QUERIES][K])
{
	int q, i, j, hits = 0;

	for (q = 0; q < QUERIES; q++)
		for (i = 0; i < K; i++) {
			for (j = 0; j < K; j++) {
				if (found[q][i].id != truth[q][j].id)
					continue;
				hits++;
				if (found[q][i].distance != truth[q][j].distance)
					FAIL("query %d: distance of id %llu is wrong", q,
					     (unsigned long long)found[q][i].id);
			}
			if (i > 0 && vexfs_distance_to_double(found[q][i].distance) <
				     vexfs_distance_to_double(found[q][i - 1].distance))
				FAIL("query %d: results are not in order", q);
		}
	return hits * 1000 / (QUERIES * K);
}

static void check_recall(int fd, uint32_t target, int floor_of_it)
{
	static struct vexfs_result found[QUERIES][K], truth[QUERIES][K];
	struct vexfs_knn_search by_index, exact;
	int share;

	memset(found, 0xff, sizeof(found));
	SAME(search(fd, 0, VEXFS_SEARCH_EXACT, 0, truth, &exact), 0);
	SAME(search(fd, type, 0, target, found, &by_index), 0);
	SAME(by_index.index_used, type);
	share = recall(found, truth);
	printf("# %s, target %u: recall %d, %llu codes, %llu exact distances\n",
	       vexfs_index_name(type), target, share,
	       (unsigned long long)by_index.codes_compared / QUERIES,
	       (unsigned long long)by_index.exact_distances / QUERIES);
	if (share < floor_of_it)
		FAIL("recall is %d of 1000, expected %d", share, floor_of_it);
}

static struct vexfs_index_status status_of(int fd)
{
	struct vexfs_index_status status;

	SAME(vexfs_index_status(fd, &status), 0);
	return status;
}

static int start(int fd)
{
	struct vexfs_build_index build = { .type = type, .threads = threads };

	if (type == VEXFS_INDEX_HNSW)
		build.effort = EFFORT;
	return vexfs_index_build(fd, &build);
}

static void build(int fd)
{
	struct vexfs_index_status status;

	SAME(start(fd), 0);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	SAME(status.type, type);
	SAME(status.state, VEXFS_INDEX_READY);
}

/* Wait until the index covers all rows, or as many as lists take at a time. */
static void wait_covered(int fd)
{
	uint64_t left = type == VEXFS_INDEX_IVF ? 1024 : 0;
	struct timespec pause = { .tv_nsec = 50000000 };
	struct vexfs_index_status status;
	int i;

	for (i = 0; i < 3600; i++) {
		status = status_of(fd);
		if (status.rows_covered + left >= status.rows)
			return;
		nanosleep(&pause, NULL);
	}
	FAIL("%llu of %llu rows are covered", (unsigned long long)status.rows_covered,
	     (unsigned long long)status.rows);
}

/* Each of these rows must find itself. */
static void find_itself(int fd, uint64_t first, uint64_t count, uint64_t first_id)
{
	struct vexfs_schema schema;
	struct vexfs_knn_search search;
	struct vexfs_result *results = calloc(count, sizeof(*results));
	uint64_t i, missing = 0;

	SAME(vexfs_schema_get(fd, &schema), 0);
	vexfs_knn_init(&search, &schema, 0, rows[first], (uint32_t)count, 1, results, NULL);
	search.index = type;
	SAME(vexfs_knn(fd, &search), 0);
	for (i = 0; i < count; i++)
		missing += results[i].id != first_id + i;
	if (missing * 100 > count)
		FAIL("%llu of %llu rows do not find themselves", (unsigned long long)missing,
		     (unsigned long long)count);
	free(results);
}

/* Several threads search by the index too, and find the same. */
static void parallel(int fd)
{
	static struct vexfs_result one[QUERIES][K], many[QUERIES][K];
	uint32_t counts[QUERIES], by;
	struct vexfs_knn_search knn;

	for (by = VEXFS_INDEX_AUTO; by <= type; by += type) {
		SAME(search(fd, by, 0, 0, one, &knn), 0);
		knn.results = (uintptr_t)many;
		knn.counts = (uintptr_t)counts;
		memset(many, 0xff, sizeof(many));
		memset(counts, 0, sizeof(counts));
		SAME(vexfs_knn_parallel(fd, &knn, 3), 0);
		SAME(knn.index_used, type);
		SAME(memcmp(one, many, sizeof(one)), 0);
		SAME(counts[0], K);
		SAME(counts[QUERIES - 1], K);
	}
}

static void life(void)
{
	static struct vexfs_result found[QUERIES][K];
	struct vexfs_knn_search knn;
	struct vexfs_index_status status;
	int fd = make_file("life", VEXFS_METRIC_L2, MANY);

	status = status_of(fd);
	SAME(status.type, 0);
	SAME(status.state, VEXFS_INDEX_NONE);
	SAME(status.building, 0);
	SAME(status.rows, MANY);
	SAME(search(fd, type, 0, 0, found, &knn), -ENOENT);
	build(fd);
	status = status_of(fd);
	CHECK(status.bytes > 0);
	CHECK(status.build_ns > 0);
	CHECK(status.effort_targets[0] > 0);
	CHECK(status.effort_targets[0] <= status.effort_targets[1]);
	CHECK(status.effort_targets[1] <= status.effort_targets[2]);
	wait_covered(fd);
	check_recall(fd, 0, 975);
	check_recall(fd, 9500, 930);
	/* a file of so many rows is searched by its index unless told otherwise */
	SAME(search(fd, VEXFS_INDEX_AUTO, 0, 0, found, &knn), 0);
	SAME(knn.index_used, type);
	parallel(fd);
	SAME(search(fd, VEXFS_INDEX_SCAN, 0, 0, found, &knn), 0);
	SAME(knn.index_used, VEXFS_INDEX_SCAN);
	SAME(search(fd, type, VEXFS_SEARCH_EXACT, 0, found, &knn), -EINVAL);
	knn.flags = 0;
	knn.metric = VEXFS_METRIC_L1;
	SAME(vexfs_knn(fd, &knn), 0);
	SAME(knn.index_used, VEXFS_INDEX_SCAN);
	SAME(vexfs_index_drop(fd, VEXFS_DROP_BUILD), 0);
	SAME(status_of(fd).type, type);
	SAME(vexfs_index_drop(fd, 0), 0);
	SAME(status_of(fd).type, 0);
	SAME(search(fd, type, 0, 0, found, &knn), -ENOENT);
	close(fd);
}

static void inserts(void)
{
	int fd = make_file("inserts", VEXFS_METRIC_COSINE, ROWS);

	build(fd);
	SAME(vexfs_insert(fd, rows[ROWS], MORE * sizeof(rows[0]), MORE, NULL, NULL, NULL), 0);
	find_itself(fd, ROWS, MORE, ROWS);
	check_recall(fd, 0, 975);
	wait_covered(fd);
	find_itself(fd, ROWS, MORE, ROWS);
	check_recall(fd, 0, 975);
	close(fd);
	check_remount();
	fd = open("inserts", O_RDWR);
	OK(fd);
	SAME(status_of(fd).type, type);
	check_recall(fd, 0, 975);
	wait_covered(fd);
	close(fd);
}

/* Have the rows themselves in memory. */
static void read_rows(int fd)
{
	static float buffer[ROWS][DIM];

	SAME(pread(fd, buffer, sizeof(buffer), 0), sizeof(buffer));
}

/* posix_fadvise(2) brings sketches and index into memory. */
static void warms(void)
{
	static struct vexfs_result found[QUERIES][K];
	struct timespec pause = { .tv_sec = 2 };
	struct vexfs_knn_search knn;
	int fd = make_file("warms", VEXFS_METRIC_L2, ROWS);

	build(fd);
	OK(fsync(fd));
	close(fd);
	check_remount();
	fd = open("warms", O_RDONLY);
	OK(fd);
	read_rows(fd);
	SAME(search(fd, type, 0, 0, found, &knn), 0);
	SAME(knn.index_used, type);
	CHECK(knn.pages_missed > 0);
	SAME(search(fd, type, 0, 0, found, &knn), 0);
	SAME(knn.pages_missed, 0);
	close(fd);
	check_remount();
	fd = open("warms", O_RDONLY);
	OK(fd);
	read_rows(fd);
	SAME(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
	/* that does not wait for it */
	nanosleep(&pause, NULL);
	SAME(search(fd, type, 0, 0, found, &knn), 0);
	SAME(knn.index_used, type);
	SAME(knn.pages_missed, 0);
	SAME(search(fd, VEXFS_INDEX_SCAN, 0, 0, found, &knn), 0);
	SAME(knn.pages_missed, 0);
	close(fd);
}

/* Where the index is of no use, the rows are scanned, and that is told. */
static void falls_back(void)
{
	struct vexfs_result found[3];
	uint64_t ids[3] = { 5, 700, 4000 };
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	uint32_t count = 0;
	int fd = make_file("falls_back", VEXFS_METRIC_L2, ROWS);

	build(fd);
	SAME(vexfs_schema_get(fd, &schema), 0);
	vexfs_knn_init(&knn, &schema, 0, queries, 1, 3, found, &count);
	knn.index = type;
	SAME(vexfs_knn(fd, &knn), 0);
	SAME(knn.index_used, type);
	knn.filter_ids = (uintptr_t)ids;
	knn.filter_ids_count = 3;
	SAME(vexfs_knn(fd, &knn), 0);
	SAME(count, 3);
	SAME(knn.index_used, VEXFS_INDEX_SCAN);
	close(fd);
}

static void deletes(void)
{
	static struct vexfs_result found[QUERIES][K];
	struct vexfs_knn_search knn;
	uint64_t ids[500], deleted;
	int fd = make_file("deletes", VEXFS_METRIC_L2, ROWS), i, q;

	build(fd);
	wait_covered(fd);
	for (i = 0; i < 500; i++)
		ids[i] = (uint64_t)i * 12;
	SAME(vexfs_delete(fd, ids, 500, 0, &deleted, NULL), 0);
	SAME(deleted, 500);
	SAME(search(fd, type, 0, 0, found, &knn), 0);
	for (q = 0; q < QUERIES; q++)
		for (i = 0; i < K; i++)
			if (found[q][i].id % 12 == 0)
				FAIL("id %llu is deleted", (unsigned long long)found[q][i].id);
	check_recall(fd, 0, 970);
	close(fd);
	check_remount();
	fd = open("deletes", O_RDWR);
	OK(fd);
	check_recall(fd, 0, 970);
	close(fd);
}

static void cancels(void)
{
	struct vexfs_index_status status;
	int fd = make_file("cancels", VEXFS_METRIC_L2, ROWS), tries, err = 0;

	SAME(start(fd), 0);
	SAME(start(fd), -EBUSY);
	SAME(vexfs_index_drop(fd, 0), 0);
	status = status_of(fd);
	SAME(status.building, 0);
	SAME(status.error, ECANCELED);
	SAME(status.type, 0);
	build(fd);
	/* the old one serves while a new one is built, and after that is cancelled */
	SAME(start(fd), 0);
	check_recall(fd, 0, 975);
	for (tries = 0; tries < 100 && !err; tries++) {
		/* a build may be through before it is cancelled */
		if (!status_of(fd).building)
			SAME(start(fd), 0);
		SAME(vexfs_index_drop(fd, VEXFS_DROP_BUILD), 0);
		err = vexfs_index_wait(fd, &status, NULL, NULL);
	}
	SAME(err, -ECANCELED);
	SAME(status.type, type);
	check_recall(fd, 0, 975);
	close(fd);
}

/* A build goes on after the volume was unmounted. */
static void resumes(void)
{
	struct vexfs_index_status status;
	int fd = make_file("resumes", VEXFS_METRIC_L2, ROWS);

	SAME(start(fd), 0);
	close(fd);
	check_remount();
	fd = open("resumes", O_RDWR);
	OK(fd);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	SAME(status.type, type);
	SAME(status.state, VEXFS_INDEX_READY);
	check_recall(fd, 0, 975);
	close(fd);
}

/* The build of a file that lost its name ends: somebody may be waiting. */
static void unlinked(void)
{
	struct vexfs_index_status status;
	int fd = make_file("unlinked", VEXFS_METRIC_L2, ROWS), rc;

	SAME(start(fd), 0);
	OK(unlink("unlinked"));
	rc = vexfs_index_wait(fd, &status, NULL, NULL);
	CHECK(rc == 0 || rc == -ESTALE);
	SAME(status_of(fd).building, 0);
	close(fd);
}

static void truncates(void)
{
	static struct vexfs_result found[QUERIES][K];
	struct vexfs_knn_search knn;
	struct vexfs_index_status status;
	int fd = make_file("truncates", VEXFS_METRIC_L2, ROWS);

	build(fd);
	OK(ftruncate(fd, 1000 * sizeof(rows[0])));
	SAME(status_of(fd).state, VEXFS_INDEX_NONE);
	SAME(search(fd, VEXFS_INDEX_AUTO, 0, 0, found, &knn), 0);
	SAME(search(fd, type, 0, 0, found, &knn), -ENOENT);
	SAME(vexfs_insert(fd, rows[1000], (ROWS - 1000) * sizeof(rows[0]), ROWS - 1000, NULL,
			  NULL, NULL), 0);
	SAME(start(fd), 0);
	OK(ftruncate(fd, 0));
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), -ESTALE);
	SAME(vexfs_insert(fd, rows, sizeof(rows[0]), 1, NULL, NULL, NULL), 0);
	SAME(search(fd, VEXFS_INDEX_AUTO, 0, 0, found, &knn), 0);
	close(fd);
}

/* A build that a remount interrupts, and whose rows then go, ends all the same. */
static void interrupted(void)
{
	struct vexfs_index_status status;
	int fd = make_file("interrupted", VEXFS_METRIC_L2, ROWS), rc;

	SAME(start(fd), 0);
	OK(mount("none", check_top, NULL, MS_REMOUNT, NULL));
	OK(ftruncate(fd, 0));
	rc = vexfs_index_wait(fd, &status, NULL, NULL);
	/* 0: it was quicker */
	CHECK(rc == 0 || rc == -ESTALE);
	SAME(vexfs_insert(fd, rows, 2000 * sizeof(rows[0]), 2000, NULL, NULL, NULL), 0);
	build(fd);
	close(fd);
}

/* Rows are cut off at any moment of a build, its end above all. */
static void races(void)
{
	struct timespec pause = { .tv_nsec = 0 };
	struct vexfs_index_status status;
	int fd = make_file("races", VEXFS_METRIC_L2, 1), round, rc;
	uint64_t begun, took = 20000000;

	for (round = 0; round < RACES; round++) {
		SAME(vexfs_insert(fd, rows, 1500 * sizeof(rows[0]), 1500, NULL, NULL, NULL), 0);
		begun = nanoseconds();
		SAME(start(fd), 0);
		if (round % 8 == 0) {
			SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
			took = nanoseconds() - begun;
		} else {
			pause.tv_nsec = (long)((0.7F + 0.35F * uniform()) * (float)took) %
					1000000000;
			nanosleep(&pause, NULL);
		}
		OK(ftruncate(fd, 0));
		rc = vexfs_index_wait(fd, &status, NULL, NULL);
		CHECK(rc == 0 || rc == -ESTALE);
	}
	close(fd);
}

/* Of so few rows there are no sketches, and so no index. */
static void few(void)
{
	static struct vexfs_result found[QUERIES][K];
	struct vexfs_knn_search knn;
	struct vexfs_index_status status;
	int fd = make_file("few", VEXFS_METRIC_IP, 30);

	SAME(start(fd), 0);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), -EOPNOTSUPP);
	SAME(search(fd, VEXFS_INDEX_AUTO, 0, 0, found, &knn), 0);
	close(fd);
}

static void kinds(void)
{
	struct vexfs_build_index call = { .type = VEXFS_INDEX_HNSW };
	int fd = make_file("kinds", VEXFS_METRIC_L1, ROWS);

	SAME(vexfs_index_build(fd, &call), -EOPNOTSUPP);
	close(fd);
	fd = make_file("product", VEXFS_METRIC_IP, ROWS);
	build(fd);
	check_recall(fd, 0, 950);
	close(fd);
}

/* Lists of which as many rows came later as they were built from. */
static void drifts(void)
{
	struct vexfs_index_status status;
	struct timespec pause = { .tv_sec = 2 };
	int fd = make_file("drifts", VEXFS_METRIC_L2, ROWS), i;
	uint64_t later = ROWS + 2000;
	uint32_t lists;

	build(fd);
	lists = status_of(fd).lists;
	SAME(vexfs_insert(fd, rows[ROWS], later * sizeof(rows[0]), later, NULL, NULL, NULL), 0);
	/* it is built anew with as many lists as suit the rows now */
	for (i = 0; i < 300 && status_of(fd).lists == lists; i++)
		nanosleep(&pause, NULL);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	CHECK(status.lists > lists);
	CHECK(status.rows_covered >= 2 * ROWS);
	check_recall(fd, 0, 975);
	/* and once is enough */
	nanosleep(&pause, NULL);
	SAME(status_of(fd).building, 0);
	SAME(status_of(fd).build_ns, status.build_ns);
	close(fd);
}

static void wait_encoded(int fd, uint64_t count)
{
	struct timespec pause = { .tv_nsec = 50000000 };
	int i;

	for (i = 0; i < 3600 && status_of(fd).rows_encoded < count; i++)
		nanosleep(&pause, NULL);
	CHECK(status_of(fd).rows_encoded >= count);
}

/*
 * The encoding that few rows gave is chosen again when there are many, and lists
 * of codes of the one before are built anew. Fewer rows came than would do that.
 */
static void encoded_anew(void)
{
	static float others[SAMPLED * 33][DIM];
	static struct vexfs_result found[QUERIES][K], truth[QUERIES][K];
	int fd = make_file("file", VEXFS_METRIC_L2, SAMPLED), i, j, scans = 0;
	struct timespec pause = { .tv_nsec = 200000000 };
	struct vexfs_knn_search by_index, exact;
	uint64_t later = SAMPLED * 33 - MANY, before;

	wait_encoded(fd, SAMPLED);
	SAME(vexfs_insert(fd, rows[SAMPLED], (MANY - SAMPLED) * sizeof(rows[0]), MANY - SAMPLED,
			  NULL, NULL, NULL), 0);
	wait_encoded(fd, MANY);
	build(fd);
	before = status_of(fd).build_ns;
	for (i = 0; (uint64_t)i < later; i++)
		for (j = 0; j < DIM; j++)
			others[i][j] = 1 + rows[i][j] / 2;
	SAME(vexfs_insert(fd, others, later * sizeof(rows[0]), later, NULL, NULL, NULL), 0);
	SAME(search(fd, 0, VEXFS_SEARCH_EXACT, 0, truth, &exact), 0);
	for (i = 0; i < 600 && status_of(fd).build_ns == before; i++) {
		SAME(search(fd, type, 0, 0, found, &by_index), 0);
		scans += by_index.index_used != type;
		if (recall(found, truth) < 950)
			FAIL("recall is %d while rows are encoded anew", recall(found, truth));
		nanosleep(&pause, NULL);
	}
	CHECK(status_of(fd).build_ns != before);
	wait_encoded(fd, SAMPLED * 33);
	wait_covered(fd);
	printf("# %d searches until then, %d by scans\n", i, scans);
	check_recall(fd, 0, 970);
	close(fd);
}

/*
 * Rows that fit no scale are beside the graph, and found by it, each once. While
 * rows are encoded anew the graph holds more than have codes: those outliers are
 * scanned then. By inner product the longest rows are the nearest.
 */
static void outliers(void)
{
	static float others[SAMPLED * 33 - ROWS - OUTLIERS][DIM], far[OUTLIERS][DIM];
	static struct vexfs_result found[QUERIES][K], truth[QUERIES][K];
	int fd = make_file("outliers", VEXFS_METRIC_IP, SAMPLED), i, j, behind = 0, rounds;
	uint64_t later = SAMPLED * 33 - ROWS - OUTLIERS;
	struct vexfs_index_status status;
	struct vexfs_knn_search knn;

	for (i = 0; i < OUTLIERS; i++)
		for (j = 0; j < DIM; j++)
			far[i][j] = (float)(1 + i) * 1e6f * uniform();
	for (i = 0; (uint64_t)i < later; i++)
		for (j = 0; j < DIM; j++)
			others[i][j] = 1 + rows[i % MANY][j] / 2;
	wait_encoded(fd, SAMPLED);
	SAME(vexfs_insert(fd, rows[SAMPLED], (ROWS - SAMPLED) * sizeof(rows[0]), ROWS - SAMPLED,
			  NULL, NULL, NULL), 0);
	SAME(vexfs_insert(fd, far, sizeof(far), OUTLIERS, NULL, NULL, NULL), 0);
	wait_encoded(fd, ROWS + OUTLIERS);
	build(fd);
	SAME(search(fd, 0, VEXFS_SEARCH_EXACT, 0, truth, &knn), 0);
	for (i = 0; i < QUERIES; i++)
		if (truth[i][K - 1].id < ROWS)
			FAIL("query %d: id %llu is among the nearest, and no outlier", i,
			     (unsigned long long)truth[i][K - 1].id);
	SAME(search(fd, type, 0, 0, found, &knn), 0);
	SAME(knn.index_used, type);
	SAME(vexfs_insert(fd, others, sizeof(others), later, NULL, NULL, NULL), 0);
	for (rounds = 0; rounds < 10000; rounds++) {
		memset(found, 0xff, sizeof(found));
		SAME(search(fd, type, 0, 0, found, &knn), 0);
		if (memcmp(found, truth, sizeof(found)))
			FAIL("search %d: not the outliers that are the nearest", rounds);
		status = status_of(fd);
		behind += knn.index_used == type && status.rows_encoded < ROWS + OUTLIERS;
		if (status.rows_encoded == SAMPLED * 33)
			break;
	}
	printf("# %d searches until all rows had codes, %d of them when some of the graph's had none\n",
	       rounds, behind);
	CHECK(status.rows_encoded == SAMPLED * 33);
	close(fd);
}

/* A build makes way for freezing, and goes on after that. */
static void freezes(void)
{
	struct vexfs_index_status status;
	struct timespec begin, end, pause = { .tv_nsec = 300000000 };
	int fd = make_file("freezes", VEXFS_METRIC_L2, MANY);

	SAME(start(fd), 0);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	OK(ioctl(fd, FIFREEZE, 0));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("# frozen in %.2f s\n", (double)(end.tv_sec - begin.tv_sec) +
	       (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	SAME(status_of(fd).building, type);
	nanosleep(&pause, NULL);
	OK(ioctl(fd, FITHAW, 0));
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	SAME(status.type, type);
	check_recall(fd, 0, 975);
	/* and it ends at once when it is cancelled */
	SAME(start(fd), 0);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	SAME(vexfs_index_drop(fd, VEXFS_DROP_BUILD), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("# cancelled in %.2f s\n", (double)(end.tv_sec - begin.tv_sec) +
	       (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	SAME(status_of(fd).building, 0);
	close(fd);
}

/* What one effort finds, in 1/1000. */
static int recall_of_effort(int fd, uint32_t effort)
{
	static struct vexfs_result found[QUERIES][K], truth[QUERIES][K];
	struct vexfs_knn_search knn;

	SAME(search(fd, 0, VEXFS_SEARCH_EXACT, 0, truth, &knn), 0);
	knn.flags = 0;
	knn.results = (uintptr_t)found;
	knn.index = type;
	knn.effort = effort;
	SAME(vexfs_knn(fd, &knn), 0);
	return recall(found, truth);
}

/* Several threads build as good a graph as one. */
static void as_one(void)
{
	int fd = make_file("as_one", VEXFS_METRIC_L2, MANY), one, many;

	threads = 1;
	build(fd);
	one = recall_of_effort(fd, 24);
	threads = CREW;
	build(fd);
	many = recall_of_effort(fd, 24);
	threads = 0;
	printf("# recall of effort 24: %d built by one thread, %d by %d\n", one, many, CREW);
	if (many < one - 15)
		FAIL("recall is %d, and %d when one thread builds", many, one);
	close(fd);
}

static int busy_fd;
static uint32_t busy_stop;

static void *busy_search(void *argument)
{
	struct vexfs_result found[K];
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	uint32_t count, done = 0;

	SAME(vexfs_schema_get(busy_fd, &schema), 0);
	while (!__atomic_load_n(&busy_stop, __ATOMIC_RELAXED)) {
		vexfs_knn_init(&knn, &schema, 0, queries[done++ % QUERIES], 1, K, found, &count);
		SAME(vexfs_knn(busy_fd, &knn), 0);
		SAME(count, K);
	}
	return argument;
}

/* Rows come and go, and are searched for, while several threads build. */
static void busy(void)
{
	struct vexfs_index_status status;
	pthread_t searchers[2];
	uint64_t ids[20], at = ROWS, i;
	uint32_t builds = 0;
	int fd = make_file("busy", VEXFS_METRIC_L2, ROWS);

	busy_fd = fd;
	busy_stop = 0;
	for (i = 0; i < 2; i++)
		SAME(pthread_create(&searchers[i], NULL, busy_search, NULL), 0);
	for (; at + 20 <= ROWS + MORE; at += 20) {
		if (!status_of(fd).building) {
			SAME(start(fd), 0);
			builds++;
		}
		SAME(vexfs_insert(fd, rows[at], 20 * sizeof(rows[0]), 20, NULL, NULL, NULL), 0);
		for (i = 0; i < 20; i++)
			ids[i] = (at - ROWS) * 3 + i * 3;
		SAME(vexfs_delete(fd, ids, 20, 0, NULL, NULL), 0);
	}
	__atomic_store_n(&busy_stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		SAME(pthread_join(searchers[i], NULL), 0);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	printf("# %u builds\n", builds);
	wait_covered(fd);
	check_recall(fd, 0, 970);
	find_itself(fd, ROWS, MORE, ROWS);
	close(fd);
}

/* With several threads; files of a case are in a directory of its own. */
#define TOGETHER(name)				\
static void together_##name(void)		\
{						\
	threads = CREW;				\
	name();					\
	threads = 0;				\
}

TOGETHER(life)
TOGETHER(cancels)
TOGETHER(resumes)
TOGETHER(unlinked)
TOGETHER(freezes)
TOGETHER(truncates)
TOGETHER(interrupted)
TOGETHER(races)
TOGETHER(busy)

/* The same for lists. */
#define LISTS(name)				\
static void lists_##name(void)			\
{						\
	type = VEXFS_INDEX_IVF;			\
	name();					\
	type = VEXFS_INDEX_HNSW;		\
}

LISTS(life)
LISTS(inserts)
LISTS(warms)
LISTS(falls_back)
LISTS(deletes)
LISTS(cancels)
LISTS(resumes)
LISTS(unlinked)
LISTS(freezes)
LISTS(drifts)
LISTS(encoded_anew)
LISTS(truncates)
LISTS(races)

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "life", life },
		{ "inserts", inserts },
		{ "warms", warms },
		{ "falls_back", falls_back },
		{ "deletes", deletes },
		{ "cancels", cancels },
		{ "resumes", resumes },
		{ "unlinked", unlinked },
		{ "freezes", freezes },
		{ "truncates", truncates },
		{ "interrupted", interrupted },
		{ "outliers", outliers },
		{ "few", few },
		{ "kinds", kinds },
		{ "as_one", as_one },
		{ "together_life", together_life },
		{ "together_cancels", together_cancels },
		{ "together_resumes", together_resumes },
		{ "together_unlinked", together_unlinked },
		{ "together_freezes", together_freezes },
		{ "together_truncates", together_truncates },
		{ "together_interrupted", together_interrupted },
		{ "together_races", together_races },
		{ "together_busy", together_busy },
		{ "lists_life", lists_life },
		{ "lists_inserts", lists_inserts },
		{ "lists_warms", lists_warms },
		{ "lists_falls_back", lists_falls_back },
		{ "lists_deletes", lists_deletes },
		{ "lists_cancels", lists_cancels },
		{ "lists_resumes", lists_resumes },
		{ "lists_unlinked", lists_unlinked },
		{ "lists_freezes", lists_freezes },
		{ "lists_drifts", lists_drifts },
		{ "lists_encoded_anew", lists_encoded_anew },
		{ "lists_truncates", lists_truncates },
		{ "lists_races", lists_races },
	};

	make_rows();
	type = VEXFS_INDEX_HNSW;
	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
