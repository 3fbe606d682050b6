// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the demo that talks to the mounted filesystem, through libvexfs
 * alone: stores a matrix of float32 as a vector file, and asks for the nearest
 * rows of queries, one call a query. It owns the clock of both. What the answers
 * should be is not known here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vexfs.h>

#define NEIGHBOURS	10
#define BATCH_ROWS	1000

static const char *program = "demo";

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static int complain(enum vexfs_operation operation, int error, const char *file, uint64_t bad)
{
	char text[512];

	vexfs_explain(operation, error, file, bad, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", program, text);
	return 1;
}

/* The whole of a file in memory, so that reading it is in no measurement. */
static void *load(const char *name, size_t *bytes)
{
	struct stat stat;
	size_t done = 0;
	char *data = NULL;
	int fd = open(name, O_RDONLY);

	if (fd >= 0 && !fstat(fd, &stat))
		data = malloc(stat.st_size);
	while (data && done < (size_t)stat.st_size) {
		ssize_t part = read(fd, data + done, stat.st_size - done);

		if (part <= 0) {
			free(data);
			data = NULL;
		} else {
			done += part;
		}
	}
	if (!data)
		fprintf(stderr, "%s: cannot read %s: %s\n", program, name, strerror(errno));
	if (fd >= 0)
		close(fd);
	*bytes = done;
	return data;
}

/* A new, empty vector file. */
static int create(const char *name, uint32_t dim)
{
	struct vexfs_schema schema = {
		.dim = dim,
		.element = VEXFS_ELEMENT_F32,
		.metric = VEXFS_METRIC_L2,
		.ids = VEXFS_IDS_AUTO,
	};
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
	int error;

	if (fd < 0) {
		complain(VEXFS_OPERATION_OPEN, -errno, name, VEXFS_UNKNOWN);
		return -1;
	}
	error = vexfs_schema_set(fd, &schema);
	if (error) {
		complain(VEXFS_OPERATION_SCHEMA_SET, error, name, VEXFS_UNKNOWN);
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * insert FILE SOURCE DIM memory|fsync: prints "rows_per_s=R". With fsync every
 * batch is on the disk before the next one begins.
 */
static int insert(char **argument)
{
	const char *name = argument[0];
	uint32_t dim = strtoul(argument[2], NULL, 10);
	int flush = !strcmp(argument[3], "fsync");
	size_t bytes, row_bytes = dim * sizeof(float);
	uint64_t row, rows, count, bad;
	char *source;
	double begin;
	int fd, error = 0;

	source = load(argument[1], &bytes);
	if (!source || !dim)
		return 1;
	rows = bytes / row_bytes;
	fd = create(name, dim);
	if (fd < 0)
		return 1;
	begin = now();
	for (row = 0; row < rows; row += count) {
		count = rows - row < BATCH_ROWS ? rows - row : BATCH_ROWS;
		error = vexfs_insert(fd, source + row * row_bytes, count * row_bytes, count, NULL,
				     NULL, &bad);
		if (error)
			return complain(VEXFS_OPERATION_INSERT, error, name, bad);
		if (flush && fsync(fd))
			return complain(VEXFS_OPERATION_INSERT, -errno, name, VEXFS_UNKNOWN);
	}
	printf("rows_per_s=%.1f\n", rows / (now() - begin));
	close(fd);
	free(source);
	return 0;
}

/* Answers as they are written for the checker: ids, then distances. */
static int save(const char *name, const struct vexfs_result *results, size_t count)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(results, sizeof(*results), count, file) != count || fclose(file)) {
		fprintf(stderr, "%s: cannot write %s: %s\n", program, name, strerror(errno));
		return 1;
	}
	return 0;
}

static int ask(int fd, const char *name, const char *queries, uint32_t count, uint32_t flags,
	       struct vexfs_result *results)
{
	struct vexfs_schema schema;
	struct vexfs_knn_search search;
	uint32_t query, found;
	double begin, end, *seconds;
	int error;

	error = vexfs_schema_get(fd, &schema);
	if (error)
		return complain(VEXFS_OPERATION_SCHEMA_GET, error, name, VEXFS_UNKNOWN);
	seconds = calloc(count, sizeof(*seconds));
	if (!seconds)
		return 1;
	for (query = 0; query < count; query++) {
		vexfs_knn_init(&search, &schema, 0, queries + query * schema.row_bytes, 1,
			       NEIGHBOURS, results + query * NEIGHBOURS, &found);
		search.flags = flags;
		begin = now();
		error = vexfs_knn(fd, &search);
		end = now();
		if (error)
			return complain(VEXFS_OPERATION_KNN, error, name, VEXFS_UNKNOWN);
		if (found != NEIGHBOURS) {
			fprintf(stderr, "%s: query %u found %u rows, not %u\n", program, query,
				found, NEIGHBOURS);
			return 1;
		}
		seconds[query] = end - begin;
	}
	for (query = 0; query < count; query++)
		printf("%.9f\n", seconds[query]);
	free(seconds);
	return 0;
}

/* Wait until searches look at codes instead of rows; a minute is plenty. */
static int wait_for_codes(int fd, const char *name, const char *query)
{
	struct vexfs_schema schema;
	struct vexfs_knn_search search;
	struct vexfs_result result;
	double end = now() + 60;
	int error;

	error = vexfs_schema_get(fd, &schema);
	if (error)
		return complain(VEXFS_OPERATION_SCHEMA_GET, error, name, VEXFS_UNKNOWN);
	do {
		vexfs_knn_init(&search, &schema, 0, query, 1, 1, &result, NULL);
		error = vexfs_knn(fd, &search);
		if (error)
			return complain(VEXFS_OPERATION_KNN, error, name, VEXFS_UNKNOWN);
		if (search.codes_compared >= schema.rows)
			return 0;
		usleep(100000);
	} while (now() < end);
	fprintf(stderr, "%s: %s: its rows were not encoded within a minute\n", program, name);
	return 1;
}

/*
 * search FILE QUERIES COUNT exact|default RESULTS: prints the seconds of each query, a
 * line each.
 */
static int search(char **argument)
{
	const char *name = argument[0];
	uint32_t count = strtoul(argument[2], NULL, 10);
	uint32_t flags = strcmp(argument[3], "exact") == 0 ? VEXFS_SEARCH_EXACT : 0;
	struct vexfs_result *results = calloc(count, NEIGHBOURS * sizeof(*results));
	size_t bytes;
	char *queries = load(argument[1], &bytes);
	int fd, status = 1;

	if (!queries || !results)
		return 1;
	fd = open(name, O_RDONLY);
	if (fd < 0)
		return complain(VEXFS_OPERATION_OPEN, -errno, name, VEXFS_UNKNOWN);
	if (!wait_for_codes(fd, name, queries) && !ask(fd, name, queries, count, flags, results))
		status = save(argument[4], results, (size_t)count * NEIGHBOURS);
	close(fd);
	free(queries);
	free(results);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "insert"))
		return insert(argv + 2);
	if (argc == 7 && !strcmp(argv[1], "search"))
		return search(argv + 2);
	fprintf(stderr, "Usage: demo insert FILE SOURCE DIM memory|fsync\n"
			"       demo search FILE QUERIES COUNT exact|default RESULTS\n");
	return 2;
}
