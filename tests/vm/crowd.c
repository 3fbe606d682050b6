// SPDX-License-Identifier: Apache-2.0
/*
 * Starvation: very many threads that search one file, and some that insert into
 * it, all at once. Prints how much each got done; fails if the slowest searcher
 * did less than half of what the median one did, or an inserter nothing. With
 * --spin the searchers leave the file alone and compute for so many microseconds
 * instead: what the scheduler alone does to that many threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vexfs.h>

#define DIM	32
#define ROWS	4000
#define BATCH	10
#define K	10

struct one {
	pthread_t thread;
	uint64_t seed;
	uint64_t done;
	bool inserts;
};

static struct vexfs_schema schema;
static pthread_barrier_t start;
static uint32_t failures;
static uint64_t spin_turns;
static uint64_t end_ns;
static int fd;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fill(float *rows, uint64_t count, uint64_t *seed)
{
	for (uint64_t i = 0; i < count * DIM; i++) {
		*seed ^= *seed << 13;
		*seed ^= *seed >> 7;
		*seed ^= *seed << 17;
		rows[i] = (float)(*seed >> 40) / (1 << 23) - 1;
	}
}

static int insert_some(uint64_t *seed)
{
	float rows[BATCH * DIM];

	fill(rows, BATCH, seed);
	return vexfs_insert(fd, rows, sizeof(rows), BATCH, NULL, NULL, NULL);
}

static void spin(uint64_t *seed)
{
	float query[DIM];

	for (uint64_t i = 0; i < spin_turns; i++)
		fill(query, 1, seed);
}

/* How many turns take so long? */
static void spin_measure(uint64_t microseconds)
{
	uint64_t seed = 1, begun = now_ns();

	spin_turns = 100000;
	spin(&seed);
	spin_turns = spin_turns * microseconds * 1000 / (now_ns() - begun) + 1;
}

static int search_once(uint64_t *seed)
{
	struct vexfs_result found[K];
	struct vexfs_knn_search knn;
	uint32_t count = 0;
	float query[DIM];
	int rc;

	if (spin_turns) {
		spin(seed);
		return 0;
	}
	fill(query, 1, seed);
	vexfs_knn_init(&knn, &schema, 0, query, 1, K, found, &count);
	rc = vexfs_knn(fd, &knn);
	return rc ? rc : count == K ? 0 : -ENODATA;
}

static void *run(void *arg)
{
	struct one *one = arg;
	int rc;

	pthread_barrier_wait(&start);
	while (now_ns() < end_ns) {
		rc = one->inserts ? insert_some(&one->seed) : search_once(&one->seed);
		if (rc) {
			if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 5)
				fprintf(stderr, "%s: %s\n", one->inserts ? "insert" : "search",
					strerror(-rc));
			break;
		}
		one->done++;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return x->done < y->done ? -1 : x->done > y->done;
}

/* Make the file, with an index if one is wanted. */
static int make_file(uint32_t index)
{
	static float rows[ROWS * DIM];
	struct vexfs_build_index build = { .type = index };
	struct vexfs_index_status status;
	uint64_t seed = 4711;
	int rc;

	fd = open("crowd", O_CREAT | O_TRUNC | O_RDWR, 0644);
	if (fd < 0)
		return -errno;
	rc = vexfs_schema_parse("dim=32", &schema, NULL);
	if (!rc)
		rc = vexfs_schema_set(fd, &schema);
	fill(rows, ROWS, &seed);
	if (!rc)
		rc = vexfs_insert(fd, rows, sizeof(rows), ROWS, NULL, NULL, NULL);
	if (!rc && index)
		rc = vexfs_index_build(fd, &build);
	if (!rc && index)
		rc = vexfs_index_wait(fd, &status, NULL, NULL);
	return rc ? rc : vexfs_schema_get(fd, &schema);
}

static bool print(const char *what, struct one *ones, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += ones[i].done;
	qsort(ones, count, sizeof(*ones), compare);
	printf("%u threads, %llu %s: slowest %llu, median %llu, fastest %llu\n", count,
	       (unsigned long long)sum, what, (unsigned long long)ones[0].done,
	       (unsigned long long)ones[count / 2].done,
	       (unsigned long long)ones[count - 1].done);
	return ones[0].done && 2 * ones[0].done >= ones[count / 2].done;
}

static int usage(void)
{
	fputs("usage: crowd [--searchers N] [--inserters N] [--seconds N] [--index hnsw|ivf]\n"
	      "             [--spin MICROSECONDS] DIRECTORY\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "searchers", required_argument, NULL, 's' },
		{ "inserters", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "index", required_argument, NULL, 'x' },
		{ "spin", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t searchers = 1000, inserters = 8, seconds = 30, index = 0, i;
	pthread_attr_t attributes;
	struct one *ones;
	bool fair;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			searchers = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 'i')
			inserters = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 't')
			seconds = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 'p')
			spin_measure(strtoul(optarg, NULL, 0));
		else if (c == 'x' && vexfs_index_parse(optarg) >= 0)
			index = (uint32_t)vexfs_index_parse(optarg);
		else
			return usage();
	}
	if (optind + 1 != argc || !searchers || !inserters)
		return usage();
	ones = calloc(searchers + inserters, sizeof(*ones));
	rc = chdir(argv[optind]) ? -errno : make_file(index);
	if (!ones || rc) {
		fprintf(stderr, "%s: %s\n", argv[optind], strerror(-rc));
		return 2;
	}
	pthread_barrier_init(&start, NULL, searchers + inserters + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	for (i = 0; i < searchers + inserters; i++) {
		ones[i].seed = 1000003ULL * (i + 1);
		ones[i].inserts = i >= searchers;
		rc = pthread_create(&ones[i].thread, &attributes, run, &ones[i]);
		if (rc) {
			fprintf(stderr, "thread %u: %s\n", i, strerror(rc));
			return 2;
		}
	}
	end_ns = now_ns() + seconds * 1000000000ULL;
	pthread_barrier_wait(&start);
	for (i = 0; i < searchers + inserters; i++)
		pthread_join(ones[i].thread, NULL);
	fair = print("searches", ones, searchers);
	fair &= print("inserts", ones + searchers, inserters) || ones[searchers].done;
	close(fd);
	printf("%s crowd: %u calls failed\n", fair && !failures ? "ok" : "not ok", failures);
	return fair && !failures ? 0 : 1;
}
