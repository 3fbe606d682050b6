// SPDX-License-Identifier: Apache-2.0
/*
 * Checks of libvexfs on a mounted VexFS, given a directory there: loads in batches,
 * walks, searches by threads and through io_uring, whose answers must be the same.
 *
 * Prints "ok N - NAME" and "not ok N - NAME"; exits 0 if all is well.
 */
#define _GNU_SOURCE	/* liburing wants it */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vexfs.h>
#include <vexfs_uring.h>

#define DIM	24U
#define ROWS	20000U
#define QUERIES	7U
#define K	50U

static int number, failures;
static float rows[ROWS][DIM];
static float queries[QUERIES][DIM];
static uint64_t seed = 88172645463325252ULL;

static void check(int ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++number, name);
	failures += !ok;
}

static void check_rc(int64_t rc, int64_t wanted, const char *name)
{
	if (rc != wanted)
		printf("# returned %" PRId64 " (%s), wanted %" PRId64 "\n", rc,
		       rc < 0 ? strerror((int)-rc) : "", wanted);
	check(rc == wanted, name);
}

/* Numbers that repeat often, so that there are ties to be decided by id. */
static float next_value(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (float)(seed % 5) / 4 - 0.5f;
}

static void fill(float *values, size_t count)
{
	while (count-- > 0)
		*values++ = next_value();
}

struct reader {
	uint64_t row;
	uint64_t end;
	int error;
};

static int64_t bring(void *arg, void *vectors, uint64_t *ids, uint64_t most)
{
	struct reader *reader = arg;
	uint64_t count = reader->end - reader->row < most ? reader->end - reader->row : most;
	uint64_t i;

	if (count == 0 && reader->error)
		return reader->error;
	memcpy(vectors, rows[reader->row], count * sizeof(rows[0]));
	for (i = 0; ids && i < count; i++)
		ids[i] = 3 * (reader->row + i) + 1;
	reader->row += count;
	return (int64_t)count;
}

static int open_file(const char *directory, const char *name, const char *schema_text)
{
	struct vexfs_schema schema;
	char path[512];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/lib-%s-%d", directory, name, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		perror(path);
		exit(1);
	}
	/* The space is free again when the descriptor is closed. */
	unlink(path);
	rc = vexfs_schema_parse(schema_text, &schema, NULL);
	if (rc == 0)
		rc = vexfs_schema_set(fd, &schema);
	check_rc(rc, 0, "schema_set");
	return fd;
}

static void test_stream(int fd, int own)
{
	struct vexfs_insert_stream stream = { .reader = bring, .batch_rows = 1111 };
	struct reader reader = { .row = 100, .end = ROWS };
	struct vexfs_insert_stream failing = { .reader = bring, .batch_rows = 60 };
	struct reader failing_reader = { .row = 0, .end = 100, .error = -EPIPE };

	failing.arg = &failing_reader;
	check_rc(vexfs_insert_stream(fd, &failing), -EPIPE, "insert_stream passes the reader's "
		 "error on");
	check(failing.inserted == 100 && failing.batches == 2, "and tells what it inserted");
	stream.arg = &reader;
	check_rc(vexfs_insert_stream(fd, &stream), 0, "insert_stream");
	check(stream.inserted == ROWS - 100 && stream.batches == (ROWS - 100 + 1110) / 1111 &&
	      stream.bad_row == VEXFS_UNKNOWN, "tells rows and batches");
	if (!own)
		check(stream.first_id == 100 && stream.last_id == ROWS - 1, "tells ids");
	reader.row = 0;
	if (own) {
		check_rc(vexfs_insert_stream(fd, &stream), -EEXIST, "ids are taken");
		check(stream.bad_row == 0 && stream.inserted == 0, "tells the row to blame");
	}
}

static void test_scan(int fd, int own)
{
	static float got[3000][DIM];
	static uint64_t ids[3000];
	struct vexfs_scan scan = { 0 };
	uint64_t total = 0;
	int64_t count;
	int ok = 1;

	while ((count = vexfs_scan(fd, &scan, ids, got, sizeof(got), 3000)) > 0) {
		for (int64_t i = 0; i < count; i++, total++)
			ok &= total < ROWS && ids[i] == (own ? 3 * total + 1 : total) &&
			      memcmp(got[i], rows[total], sizeof(got[i])) == 0;
	}
	check_rc(count, 0, "scan ends");
	check(ok && total == ROWS, "scan gives each row once, with its id");
	memset(&scan, 0, sizeof(scan));
	check_rc(vexfs_scan(fd, &scan, ids, NULL, 0, 10), 10, "scan of ids alone");
	check_rc(vexfs_get(fd, ids, 10, got, 10 * sizeof(got[0]), NULL), 0, "get");
	check(memcmp(got, rows, 10 * sizeof(rows[0])) == 0, "get gives the rows");
}

static int same_results(const struct vexfs_result *a, const struct vexfs_result *b)
{
	return memcmp(a, b, QUERIES * K * sizeof(*a)) == 0;
}

static void test_knn(int fd, const struct vexfs_schema *schema, unsigned int metric)
{
	static struct vexfs_result alone[QUERIES * K], shared[QUERIES * K];
	uint32_t counts[QUERIES], shared_counts[QUERIES];
	struct vexfs_knn_search search;
	unsigned int threads;
	char name[80];

	vexfs_knn_init(&search, schema, 0, queries, QUERIES, K, alone, counts);
	search.metric = metric;
	search.flags = VEXFS_SEARCH_EXACT;
	check_rc(vexfs_knn(fd, &search), 0, "knn");
	for (threads = 0; threads <= 9; threads += 3) {
		memset(shared, 0xff, sizeof(shared));
		vexfs_knn_init(&search, schema, 0, queries, QUERIES, K, shared, shared_counts);
		search.metric = metric;
		search.flags = VEXFS_SEARCH_EXACT;
		snprintf(name, sizeof(name), "knn_parallel, %s, %u threads",
			 vexfs_metric_name(metric), threads);
		check_rc(vexfs_knn_parallel(fd, &search, threads), 0, name);
		check(same_results(alone, shared) &&
		      memcmp(counts, shared_counts, sizeof(counts)) == 0 &&
		      search.rows_scanned >= ROWS, "gives what one thread gives");
	}
	vexfs_knn_init(&search, schema, 0, queries, QUERIES, K, shared, shared_counts);
	search.first_row = 5000;
	search.row_count = 6000;
	search.metric = metric;
	search.flags = VEXFS_SEARCH_EXACT;
	check_rc(vexfs_knn(fd, &search), 0, "knn of a part");
	memcpy(alone, shared, sizeof(alone));
	check_rc(vexfs_knn_parallel(fd, &search, 4), 0, "knn_parallel of a part");
	check(same_results(alone, shared) && search.rows_scanned == 6000, "gives the same");
}

static int count_results(void *arg, const struct vexfs_result *results, uint64_t count)
{
	uint64_t *total = arg;

	(void)results;
	*total += count;
	return *total > 15000 ? 77 : 0;
}

static void test_range(int fd, const struct vexfs_schema *schema)
{
	struct vexfs_range_search search;
	struct vexfs_result *results;
	uint64_t count, total = 0, i;
	int ok = 1;

	vexfs_range_init(&search, schema, 0, queries[0], 1e9);
	check_rc(vexfs_range_all(fd, &search, 0, &results, &count), 0, "range_all");
	for (i = 1; i < count; i++) {
		double a = vexfs_distance_to_double(results[i - 1].distance);
		double b = vexfs_distance_to_double(results[i].distance);

		ok &= a < b || (a == b && results[i - 1].id < results[i].id);
	}
	check(ok && count == ROWS, "gives every row, in order");
	free(results);
	vexfs_range_init(&search, schema, 0, queries[0], 1e9);
	check_rc(vexfs_range_all(fd, &search, 4567, &results, &count), 0, "range_all, limited");
	check(count == 4567, "keeps the limit");
	free(results);
	check_rc(vexfs_range_each(fd, &search, count_results, &total), 77,
		 "range_each passes the taker's answer on");
	vexfs_range_init(&search, schema, 0, queries[0], -1);
	check_rc(vexfs_range_all(fd, &search, 0, &results, &count), 0, "range_all of nothing");
	check(count == 0, "gives nothing");
	free(results);
}

/*
 * Make a vector so long that the reciprocal roots of cosines are computed
 * least precisely: at the end of an entry of their table.
 */
static void stretch(float *values, unsigned int count)
{
	double square = 0, root = 1;
	unsigned int i;

	for (i = 0; i < count; i++)
		square += (double)values[i] * values[i];
	square = 1.015624 / square;
	for (i = 0; i < 40; i++)
		root = (root + square / root) / 2;
	for (i = 0; i < count; i++)
		values[i] = (float)(values[i] * root);
}

/* Rounded cosines of rows within a radius may be beyond it by their last bit. */
static void test_radius(const char *directory)
{
	enum { WIDTH = 4, COUNT = 2000, NEAR = 1600 };
	static float near[COUNT][WIDTH], query[WIDTH] = { 1.25f, 1.5f, 1.125f, 1.75f };
	static struct vexfs_result found[NEAR];
	struct vexfs_range_search range;
	struct vexfs_knn_search search;
	struct vexfs_result *results;
	struct vexfs_schema schema;
	uint64_t count, first, bad;
	uint32_t counts;
	unsigned int i;
	int fd, ok = 1;

	fd = open_file(directory, "radius", "dim=4,metric=cosine");
	for (i = 0; i < COUNT * WIDTH; i++) {
		next_value();
		near[i / WIDTH][i % WIDTH] = query[i % WIDTH] * (0.6f + 0.8f * (float)(seed >> 40) / (1 << 24));
	}
	for (i = 0; i < COUNT; i++)
		stretch(near[i], WIDTH);
	stretch(query, WIDTH);
	check_rc(vexfs_insert(fd, near, sizeof(near), COUNT, NULL, &first, &bad), 0,
		 "insert of rows that point about one way");
	check_rc(vexfs_schema_get(fd, &schema), 0, "schema_get");
	vexfs_knn_init(&search, &schema, 0, query, 1, NEAR, found, &counts);
	search.flags = VEXFS_SEARCH_EXACT;
	check_rc(vexfs_knn(fd, &search), 0, "knn");
	check(counts == NEAR, "gives as many as were asked for");
	for (i = NEAR / 4; i < NEAR && ok; i += 10) {
		/* the greatest number below the distance */
		double radius = vexfs_distance_to_double(found[i].distance - 1);
		uint64_t j;

		vexfs_range_init(&range, &schema, 0, query, radius);
		ok = vexfs_range_all(fd, &range, 0, &results, &count) == 0;
		/* those before it, and itself if it was rounded up */
		ok = ok && count >= i && count <= i + 1;
		for (j = 0; ok && j < count; j++)
			ok = vexfs_distance_to_double(results[j].distance) <= radius;
		if (ok)
			free(results);
	}
	check(ok, "range gives no distance above its radius");
	close(fd);
}

static void test_delete(int fd)
{
	uint64_t ids[3] = { 1, 4, 5 }, deleted = 0, bad = 0;

	check_rc(vexfs_delete(fd, ids, 3, 0, NULL, &bad), -ENOENT, "delete of a missing id");
	check(bad == 2, "tells which");
	check_rc(vexfs_delete(fd, ids, 3, VEXFS_DELETE_IGNORE_MISSING, &deleted, NULL), 0,
		 "delete");
	check(deleted == 2, "tells how many");
	check_rc(vexfs_get(fd, ids, 1, NULL, 0, &bad), -ENOENT, "get of a deleted id");
	errno = 4711;
	check_rc(vexfs_stats(-1, &(struct vexfs_search_stats){ 0 }), -EBADF, "no file");
	check(errno == 4711, "errno is left alone");
}

/* Several searches and an insert at once; answers as those of the calls. */
static void test_uring(int fd, const struct vexfs_schema *schema)
{
	static struct vexfs_result alone[QUERIES * K], shared[QUERIES * K];
	struct vexfs_knn_search searches[QUERIES], search;
	uint32_t counts[QUERIES];
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	unsigned int i;
	int ok = 1, rc = io_uring_queue_init(16, &ring, 0);

	if (rc < 0) {
		printf("ok %d - uring # SKIP this kernel has none: %s\n", ++number, strerror(-rc));
		return;
	}
	vexfs_knn_init(&search, schema, 0, queries, QUERIES, K, alone, counts);
	search.flags = VEXFS_SEARCH_EXACT;
	check_rc(vexfs_knn(fd, &search), 0, "knn");
	for (i = 0; i < QUERIES; i++) {
		vexfs_knn_init(&searches[i], schema, 0, queries[i], 1, K, shared + i * K,
			       &counts[i]);
		searches[i].flags = VEXFS_SEARCH_EXACT;
		vexfs_uring_prep_knn(io_uring_get_sqe(&ring), fd, &searches[i]);
	}
	check_rc(io_uring_submit(&ring), QUERIES, "uring takes the searches");
	for (i = 0; i < QUERIES; i++) {
		rc = io_uring_wait_cqe(&ring, &cqe);
		if (rc == 0 && cqe->res != 0)
			printf("# a search returned %d\n", cqe->res);
		ok &= rc == 0 && cqe->res == 0;
		if (rc == 0)
			io_uring_cqe_seen(&ring, cqe);
	}
	check(ok, "uring searches succeed");
	check(same_results(alone, shared), "uring gives what the call gives");
	search.k = 0;
	vexfs_uring_prep_knn(io_uring_get_sqe(&ring), fd, &search);
	io_uring_submit(&ring);
	rc = io_uring_wait_cqe(&ring, &cqe);
	check_rc(rc == 0 ? cqe->res : rc, -EINVAL, "uring tells errors");
	io_uring_queue_exit(&ring);
}

int main(int argc, char **argv)
{
	static const char *const texts[] = {
		"dim=24,metric=l2", "dim=24,metric=cosine,ids=own",
	};
	struct vexfs_schema schema;
	unsigned int metric;
	int fd, own;

	if (argc != 2) {
		fprintf(stderr, "Usage: %s DIRECTORY-ON-VEXFS\n", argv[0]);
		return 2;
	}
	fill(rows[0], (size_t)ROWS * DIM);
	fill(queries[0], (size_t)QUERIES * DIM);
	for (own = 0; own < 2; own++) {
		fd = open_file(argv[1], own ? "own" : "auto", texts[own]);
		test_stream(fd, own);
		check_rc(vexfs_schema_get(fd, &schema), 0, "schema_get");
		check(schema.live_rows == ROWS, "counts rows");
		test_scan(fd, own);
		for (metric = VEXFS_METRIC_L2; metric <= VEXFS_METRIC_L1; metric++)
			test_knn(fd, &schema, metric);
		test_range(fd, &schema);
		test_uring(fd, &schema);
		if (own)
			test_delete(fd);
		close(fd);
	}
	test_radius(argv[1]);
	printf("1..%d\n", number);
	return failures ? 1 : 0;
}
