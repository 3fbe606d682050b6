// SPDX-License-Identifier: Apache-2.0
/*
 * Carries out a job on a mounted VexFS through libvexfs: makes vector files,
 * inserts and deletes rows, searches, and writes the answers down. It knows
 * nothing of what is right: tests/recall/run writes the job and judges.
 *
 * Usage: client DIRECTORY OUTPUT <JOB, which has a line for each step:
 *   create NAME SCHEMA
 *   insert NAME ROWS IDS BATCH           IDS is a file, or - for automatic ids
 *   append NAME ROWS                     by write(2), 128 KiB at a time
 *   delete NAME IDS
 *   encoded NAME SECONDS                 waits until all rows are searched by codes
 *   knn NAME QUERIES ELEMENT METRIC K PER-CALL THREADS exact|default ANSWERS
 *   range NAME QUERIES ELEMENT METRIC RADII CAPACITY ANSWERS
 * ROWS, QUERIES, IDS and RADII are files of bare numbers. NAME lies in DIRECTORY,
 * ANSWERS in OUTPUT: for each query a u64 count, then that many results.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vexfs.h>

#define WORDS_MAX	10
#define PIECE		(128 * 1024)

static const char *directory, *output;
static unsigned int line_number;

static void fail(const char *what, const char *file)
{
	fprintf(stderr, "client: job line %u: %s %s: %s\n", line_number, what, file,
		strerror(errno));
	exit(1);
}

static void check(enum vexfs_operation operation, int error, const char *file, uint64_t bad)
{
	char text[512];

	if (!error)
		return;
	vexfs_explain(operation, error, file, bad, text, sizeof(text));
	fprintf(stderr, "client: job line %u: %s\n", line_number, text);
	exit(1);
}

static void *allocate(size_t bytes)
{
	void *memory = malloc(bytes ? bytes : 1);

	if (!memory)
		fail("no memory for", "data");
	return memory;
}

static int open_in(const char *where, const char *name, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", where, name);
	fd = open(path, flags, 0644);
	if (fd < 0)
		fail("cannot open", path);
	return fd;
}

static void *load(const char *name, uint64_t *bytes)
{
	int fd = open(name, O_RDONLY);
	struct stat stat;
	uint64_t done = 0;
	ssize_t part;
	char *data;

	if (fd < 0 || fstat(fd, &stat))
		fail("cannot open", name);
	data = allocate(stat.st_size);
	while (done < (uint64_t)stat.st_size) {
		part = read(fd, data + done, stat.st_size - done);
		if (part <= 0)
			fail("cannot read", name);
		done += part;
	}
	close(fd);
	*bytes = done;
	return data;
}

static void put(FILE *file, const void *data, size_t bytes, const char *name)
{
	if (bytes && fwrite(data, bytes, 1, file) != 1)
		fail("cannot write", name);
}

static void step_create(char **word)
{
	int fd = open_in(directory, word[0], O_RDWR | O_CREAT | O_EXCL);
	struct vexfs_schema schema;

	check(VEXFS_OPERATION_SCHEMA_SET, vexfs_schema_parse(word[1], &schema, NULL), word[1],
	      VEXFS_UNKNOWN);
	check(VEXFS_OPERATION_SCHEMA_SET, vexfs_schema_set(fd, &schema), word[0], VEXFS_UNKNOWN);
	close(fd);
}

static void step_insert(char **word)
{
	int fd = open_in(directory, word[0], O_RDWR);
	uint64_t bytes, id_bytes, row, rows, count, batch = strtoull(word[3], NULL, 10);
	struct vexfs_schema schema;
	uint64_t bad, *ids = NULL;
	char *data = load(word[1], &bytes);

	if (strcmp(word[2], "-"))
		ids = load(word[2], &id_bytes);
	check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), word[0], VEXFS_UNKNOWN);
	rows = bytes / schema.row_bytes;
	for (row = 0; row < rows; row += count) {
		count = rows - row < batch ? rows - row : batch;
		check(VEXFS_OPERATION_INSERT,
		      vexfs_insert(fd, data + row * schema.row_bytes, count * schema.row_bytes,
				   count, ids ? ids + row : NULL, NULL, &bad),
		      word[0], bad);
	}
	free(ids);
	free(data);
	close(fd);
}

static void step_append(char **word)
{
	int fd = open_in(directory, word[0], O_WRONLY | O_APPEND);
	uint64_t bytes, done = 0;
	char *data = load(word[1], &bytes);

	while (done < bytes) {
		ssize_t part = write(fd, data + done, bytes - done < PIECE ? bytes - done : PIECE);

		if (part <= 0)
			fail("cannot append to", word[0]);
		done += part;
	}
	free(data);
	if (close(fd))
		fail("cannot close", word[0]);
}

static void step_delete(char **word)
{
	int fd = open_in(directory, word[0], O_RDWR);
	uint64_t bytes, deleted, bad;
	uint64_t *ids = load(word[1], &bytes);

	check(VEXFS_OPERATION_DELETE, vexfs_delete(fd, ids, bytes / 8, 0, &deleted, &bad),
	      word[0], bad);
	if (deleted != bytes / 8)
		fail("deleted another number of rows than asked for in", word[0]);
	free(ids);
	close(fd);
}

static FILE *open_answers(const char *name)
{
	int fd = open_in(output, name, O_WRONLY | O_CREAT | O_TRUNC);

	return fdopen(fd, "w");
}

static void step_knn(char **word)
{
	int fd = open_in(directory, word[0], O_RDONLY);
	int element = vexfs_element_parse(word[2]), metric = vexfs_metric_parse(word[3]);
	uint32_t k = strtoul(word[4], NULL, 10), most = strtoul(word[5], NULL, 10);
	uint32_t threads = strtoul(word[6], NULL, 10);
	FILE *answers = open_answers(word[8]);
	uint64_t bytes, query, queries, count, found;
	struct vexfs_result *results = allocate((size_t)most * k * sizeof(*results));
	uint32_t *counts = allocate(most * sizeof(*counts));
	struct vexfs_knn_search search;
	struct vexfs_schema schema;
	char *data = load(word[1], &bytes);
	size_t row;
	int error;

	check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), word[0], VEXFS_UNKNOWN);
	row = schema.dim * vexfs_element_bytes(element);
	queries = bytes / row;
	for (query = 0; query < queries; query += count) {
		count = queries - query < most ? queries - query : most;
		vexfs_knn_init(&search, &schema, element, data + query * row, count, k, results,
			       counts);
		search.metric = metric;
		search.flags = strcmp(word[7], "exact") ? 0 : VEXFS_SEARCH_EXACT;
		error = threads > 1 ? vexfs_knn_parallel(fd, &search, threads) :
				      vexfs_knn(fd, &search);
		check(VEXFS_OPERATION_KNN, error, word[0], VEXFS_UNKNOWN);
		for (uint64_t i = 0; i < count; i++) {
			found = counts[i];
			put(answers, &found, sizeof(found), word[8]);
			put(answers, results + i * k, found * sizeof(*results), word[8]);
		}
	}
	if (fclose(answers))
		fail("cannot write", word[8]);
	free(data);
	free(counts);
	free(results);
	close(fd);
}

/* Are all rows looked at by their codes? */
static int is_encoded(int fd, const struct vexfs_schema *schema, const void *query)
{
	struct vexfs_knn_search search;
	struct vexfs_result result;

	vexfs_knn_init(&search, schema, 0, query, 1, 1, &result, NULL);
	check(VEXFS_OPERATION_KNN, vexfs_knn(fd, &search), "a file being encoded", VEXFS_UNKNOWN);
	return search.codes_compared >= schema->rows;
}

static void step_encoded(char **word)
{
	int fd = open_in(directory, word[0], O_RDWR);
	unsigned int left = strtoul(word[1], NULL, 10) * 20;
	struct vexfs_schema schema;
	struct vexfs_scan scan = { 0 };
	uint64_t id;
	void *query;

	if (fsync(fd))
		fail("cannot sync", word[0]);
	check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), word[0], VEXFS_UNKNOWN);
	query = allocate(schema.row_bytes);
	if (vexfs_scan(fd, &scan, &id, query, schema.row_bytes, 1) != 1)
		fail("no rows in", word[0]);
	while (!is_encoded(fd, &schema, query)) {
		errno = ETIMEDOUT;
		if (!left--)
			fail("no codes for all rows of", word[0]);
		usleep(50000);
	}
	free(query);
	close(fd);
}

/* All results of one query, however many calls it takes. */
static void range_query(int fd, struct vexfs_range_search *search, FILE *answers, char **word)
{
	struct vexfs_result *all = NULL;
	uint64_t total = 0;

	do {
		check(VEXFS_OPERATION_RANGE, vexfs_range(fd, search), word[0], VEXFS_UNKNOWN);
		all = realloc(all, (total + search->count + 1) * sizeof(*all));
		if (!all)
			fail("no memory for the results of", word[0]);
		memcpy(all + total, (void *)(uintptr_t)search->results,
		       search->count * sizeof(*all));
		total += search->count;
	} while (search->cursor != UINT64_MAX);
	put(answers, &total, sizeof(total), word[6]);
	put(answers, all, total * sizeof(*all), word[6]);
	free(all);
}

static void step_range(char **word)
{
	int fd = open_in(directory, word[0], O_RDONLY);
	int element = vexfs_element_parse(word[2]), metric = vexfs_metric_parse(word[3]);
	uint64_t bytes, radii_bytes, query, capacity = strtoull(word[5], NULL, 10);
	struct vexfs_result *results = allocate(capacity * sizeof(*results));
	FILE *answers = open_answers(word[6]);
	struct vexfs_range_search search;
	struct vexfs_schema schema;
	char *data = load(word[1], &bytes);
	double *radii = load(word[4], &radii_bytes);
	size_t row;

	check(VEXFS_OPERATION_SCHEMA_GET, vexfs_schema_get(fd, &schema), word[0], VEXFS_UNKNOWN);
	row = schema.dim * vexfs_element_bytes(element);
	for (query = 0; query < bytes / row; query++) {
		vexfs_range_init(&search, &schema, element, data + query * row, radii[query]);
		search.metric = metric;
		search.results = (uintptr_t)results;
		search.capacity = capacity;
		range_query(fd, &search, answers, word);
	}
	if (fclose(answers))
		fail("cannot write", word[6]);
	free(radii);
	free(data);
	free(results);
	close(fd);
}

static const struct {
	const char *name;
	int words;
	void (*step)(char **word);
} steps[] = {
	{ "create", 2, step_create },
	{ "insert", 4, step_insert },
	{ "append", 2, step_append },
	{ "delete", 2, step_delete },
	{ "encoded", 2, step_encoded },
	{ "knn", 9, step_knn },
	{ "range", 7, step_range },
};

static void carry_out(char *line)
{
	char *word[WORDS_MAX], *rest = NULL;
	int words = 0;
	size_t i;

	for (char *w = strtok_r(line, " \n", &rest); w; w = strtok_r(NULL, " \n", &rest)) {
		if (words < WORDS_MAX)
			word[words] = w;
		words++;
	}
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (words != steps[i].words + 1 || strcmp(word[0], steps[i].name))
			continue;
		steps[i].step(word + 1);
		return;
	}
	errno = EINVAL;
	fail("no such step:", words ? word[0] : "(nothing)");
}

int main(int argc, char **argv)
{
	char line[8192];

	if (argc != 3) {
		fprintf(stderr, "Usage: client DIRECTORY OUTPUT <JOB\n");
		return 2;
	}
	directory = argv[1];
	output = argv[2];
	while (fgets(line, sizeof(line), stdin)) {
		line_number++;
		carry_out(line);
	}
	return 0;
}
