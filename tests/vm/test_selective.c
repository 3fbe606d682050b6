// SPDX-License-Identifier: Apache-2.0
/*
 * Recall of searches that may find only a part of the rows, by codes, by a graph
 * and by lists: filters of 50 % to 0.1 % by an attribute that knows nothing of the
 * vectors, and by one that goes with them, so that most queries lie among rows that
 * do not pass; and rows deleted where the queries are. The truth is found here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <vexfs.h>
#include "check.h"

#define DIM	24
#define ROWS	16000
#define CLUSTERS 200
#define QUERIES	60
#define K	10
#define TO_U64(p) ((uint64_t)(uintptr_t)(p))

static float rows[ROWS][DIM], queries[QUERIES][DIM];
static uint64_t records[ROWS][3];	/* bits of what is there, cluster, dice */
static bool deleted[ROWS];
static uint64_t seed = 88172645463325252ULL;

static uint64_t next(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % below;
}

static float uniform(void)
{
	return (float)next(1 << 20) / (1 << 19) - 1;
}

/* Queries come from all clusters. */
static void make_rows(void)
{
	static float centres[CLUSTERS][DIM];

	for (int i = 0; i < CLUSTERS * DIM; i++)
		centres[i / DIM][i % DIM] = 2 * uniform();
	for (int i = 0; i < ROWS + QUERIES; i++) {
		uint64_t cluster = i < ROWS ? next(CLUSTERS) : (uint64_t)(i - ROWS) * 3;
		float *row = i < ROWS ? rows[i] : queries[i - ROWS];

		for (int d = 0; d < DIM; d++)
			row[d] = centres[cluster][d] + uniform() + uniform();
		if (i < ROWS) {
			records[i][0] = 3;
			records[i][1] = cluster;
			records[i][2] = next(1000);
		}
	}
}

static void make_file(const char *name)
{
	struct vexfs_column columns[2] = {
		{ .name = "cluster", .type = VEXFS_COLUMN_I64 },
		{ .name = "dice", .type = VEXFS_COLUMN_I64 },
	};
	struct vexfs_schema schema;
	struct vexfs_batch_insert batch = {
		.vectors = TO_U64(rows), .vectors_bytes = sizeof(rows), .count = ROWS,
		.attributes = TO_U64(records), .attributes_bytes = sizeof(records),
	};
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);

	OK(fd);
	SAME(vexfs_schema_parse("dim=24", &schema, NULL), 0);
	schema.columns = TO_U64(columns);
	schema.column_count = 2;
	SAME(vexfs_schema_set(fd, &schema), 0);
	SAME(vexfs_insert_batch(fd, &batch), 0);
	memset(deleted, 0, sizeof(deleted));
	close(fd);
}

static int open_index(const char *name, uint32_t type)
{
	struct vexfs_build_index build = { .type = type };
	struct vexfs_index_status status;
	int fd = open(name, O_RDWR | O_CLOEXEC);

	OK(fd);
	if (type == VEXFS_INDEX_HNSW)
		build.effort = 64;
	if (type == VEXFS_INDEX_SCAN)
		return fd;
	SAME(vexfs_index_build(fd, &build), 0);
	SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
	SAME(status.type, type);
	return fd;
}

static double distance_to(const float *query, int row)
{
	double sum = 0;

	for (int d = 0; d < DIM; d++)
		sum += (double)(rows[row][d] - query[d]) * (rows[row][d] - query[d]);
	return sum;
}

/* The distance of the last of the true neighbours, and how many there are. */
static uint32_t truth(const float *query, uint64_t clusters, uint64_t dice, double *last)
{
	double near[K + 1];
	uint32_t count = 0, at;

	for (int i = 0; i < ROWS; i++) {
		double distance;

		if (deleted[i] || records[i][1] >= clusters || records[i][2] >= dice)
			continue;
		distance = distance_to(query, i);
		for (at = count; at && near[at - 1] > distance; at--)
			near[at] = near[at - 1];
		near[at] = distance;
		count += count < K;
	}
	*last = count ? near[count - 1] : 0;
	return count;
}

/* Rows of clusters and dice below these; all if they are 0. */
static void check(int fd, uint32_t type, uint64_t clusters, uint64_t dice, int floor_of_it)
{
	static struct vexfs_result results[QUERIES][K];
	uint32_t counts[QUERIES], wanted = 0, found = 0, there;
	struct vexfs_column columns[2];
	struct vexfs_filter_error error;
	struct vexfs_knn_search search;
	struct vexfs_schema schema;
	void *program = NULL;
	size_t bytes = 0;
	char text[80];
	double last;

	SAME(vexfs_schema_get(fd, &schema), 0);
	vexfs_knn_init(&search, &schema, 0, queries, QUERIES, K, results[0], counts);
	search.index = type;
	if (clusters) {
		snprintf(text, sizeof(text), "cluster < %llu and dice < %llu",
			 (unsigned long long)clusters, (unsigned long long)dice);
		SAME(vexfs_columns_get(fd, columns), 2);
		SAME(vexfs_filter_parse(text, columns, 2, &program, &bytes, &error), 0);
		search.filter = TO_U64(program);
		search.filter_bytes = bytes;
	} else {
		snprintf(text, sizeof(text), "all rows");
		clusters = UINT64_MAX;
		dice = UINT64_MAX;
	}
	SAME(vexfs_knn(fd, &search), 0);
	for (int q = 0; q < QUERIES; q++) {
		there = truth(queries[q], clusters, dice, &last);
		if (counts[q] > there)
			FAIL("%s: query %d has %u results of %u", text, q, counts[q], there);
		wanted += there;
		for (uint32_t i = 0; i < counts[q]; i++) {
			uint64_t id = results[q][i].id;

			if (id >= ROWS || deleted[id] || records[id][1] >= clusters ||
			    records[id][2] >= dice)
				FAIL("%s: id %llu does not pass", text, (unsigned long long)id);
			found += vexfs_distance_to_double(results[q][i].distance) <=
				 last * (1 + 1e-6);
		}
	}
	free(program);
	there = wanted ? found * 1000 / wanted : 1000;
	printf("# %s, %s: recall %u, %llu codes, %llu exact distances a query%s\n",
	       vexfs_index_name(type), text, there,
	       (unsigned long long)search.codes_compared / QUERIES,
	       (unsigned long long)search.exact_distances / QUERIES,
	       search.index_used == type ? "" : ", some by a scan");
	if ((int)there < floor_of_it)
		FAIL("%s: recall is %u of 1000, expected %d", text, there, floor_of_it);
}

static void check_all(uint32_t type, int floor_of_it)
{
	int fd;

	make_file("f");
	fd = open_index("f", type);
	check(fd, type, 0, 0, floor_of_it);
	check(fd, type, 200, 500, floor_of_it);
	check(fd, type, 200, 150, floor_of_it);
	check(fd, type, 200, 100, floor_of_it);
	check(fd, type, 200, 10, floor_of_it);
	check(fd, type, 200, 1, floor_of_it);
	check(fd, type, 100, 1000, floor_of_it);
	check(fd, type, 30, 1000, floor_of_it);
	check(fd, type, 20, 1000, floor_of_it);
	check(fd, type, 2, 1000, floor_of_it);
	check(fd, type, 2, 100, floor_of_it);
	check(fd, type, 100, 300, floor_of_it);
	close(fd);
}

/* Clusters vanish that queries are in, and half of all others. */
static void check_deleted(uint32_t type, int floor_of_it)
{
	static uint64_t ids[ROWS];
	uint64_t count = 0, gone = 0;
	int fd;

	make_file("f");
	fd = open_index("f", type);
	for (int i = 0; i < ROWS; i++) {
		deleted[i] = records[i][1] < 40 || records[i][2] < 300;
		if (deleted[i])
			ids[count++] = (uint64_t)i;
	}
	SAME(vexfs_delete(fd, ids, count, 0, &gone, NULL), 0);
	SAME(gone, count);
	check(fd, type, 0, 0, floor_of_it);
	check(fd, type, 100, 1000, floor_of_it);
	close(fd);
	check_remount();
	fd = open("f", O_RDONLY | O_CLOEXEC);
	OK(fd);
	check(fd, type, 0, 0, floor_of_it);
	close(fd);
}

static void scan(void)
{
	check_all(VEXFS_INDEX_SCAN, 980);
}

static void scan_deleted(void)
{
	check_deleted(VEXFS_INDEX_SCAN, 980);
}

static void graph(void)
{
	check_all(VEXFS_INDEX_HNSW, 960);
}

static void graph_deleted(void)
{
	check_deleted(VEXFS_INDEX_HNSW, 960);
}

static void lists(void)
{
	check_all(VEXFS_INDEX_IVF, 960);
}

static void lists_deleted(void)
{
	check_deleted(VEXFS_INDEX_IVF, 930);
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "scan", scan },
		{ "scan_deleted", scan_deleted },
		{ "graph", graph },
		{ "graph_deleted", graph_deleted },
		{ "lists", lists },
		{ "lists_deleted", lists_deleted },
	};

	make_rows();
	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
