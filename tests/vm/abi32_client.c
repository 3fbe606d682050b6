// SPDX-License-Identifier: Apache-2.0
/*
 * A client of the bare ioctl ABI, to be built with -m32 and with -m64. Without an
 * argument it prints the layout of every structure and the number of every call:
 * the output of both builds must be the same. With a directory on a mounted VexFS it
 * also makes every call on files that it creates there, and checks the answers.
 *
 * Prints "ok NAME" and "not ok NAME: why"; exits 0 if all is well, 1 if not, 2 on
 * wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vexfs.h>

#define DIM	3U
#define ROWS	6U
#define TO_U64(pointer) ((uint64_t)(uintptr_t)(pointer))

static int failures;

/* Layout */

#define SIZE(type) printf("%s %zu\n", #type, sizeof(struct type))
#define AT(type, member) \
	printf("  %s %zu %zu\n", #member, offsetof(struct type, member), \
	       sizeof(((struct type *)NULL)->member))

static void print_row_calls(void)
{
	SIZE(vexfs_batch_insert);
	AT(vexfs_batch_insert, size);
	AT(vexfs_batch_insert, flags);
	AT(vexfs_batch_insert, vectors);
	AT(vexfs_batch_insert, vectors_bytes);
	AT(vexfs_batch_insert, ids);
	AT(vexfs_batch_insert, count);
	AT(vexfs_batch_insert, first_id);
	AT(vexfs_batch_insert, bad_index);
	AT(vexfs_batch_insert, attributes);
	AT(vexfs_batch_insert, attributes_bytes);
	AT(vexfs_batch_insert, strings);
	AT(vexfs_batch_insert, strings_bytes);
	AT(vexfs_batch_insert, replaced);
	AT(vexfs_batch_insert, reserved);
	SIZE(vexfs_batch_delete);
	AT(vexfs_batch_delete, size);
	AT(vexfs_batch_delete, flags);
	AT(vexfs_batch_delete, ids);
	AT(vexfs_batch_delete, count);
	AT(vexfs_batch_delete, deleted);
	AT(vexfs_batch_delete, bad_index);
	AT(vexfs_batch_delete, reserved);
	SIZE(vexfs_get_vectors);
	AT(vexfs_get_vectors, size);
	AT(vexfs_get_vectors, flags);
	AT(vexfs_get_vectors, ids);
	AT(vexfs_get_vectors, count);
	AT(vexfs_get_vectors, vectors);
	AT(vexfs_get_vectors, vectors_bytes);
	AT(vexfs_get_vectors, cursor);
	AT(vexfs_get_vectors, generation);
	AT(vexfs_get_vectors, returned);
	AT(vexfs_get_vectors, bad_index);
	AT(vexfs_get_vectors, reserved);
}

static void print_search_calls(void)
{
	SIZE(vexfs_result);
	AT(vexfs_result, id);
	AT(vexfs_result, distance);
	SIZE(vexfs_knn_search);
	AT(vexfs_knn_search, size);
	AT(vexfs_knn_search, flags);
	AT(vexfs_knn_search, queries);
	AT(vexfs_knn_search, queries_bytes);
	AT(vexfs_knn_search, query_count);
	AT(vexfs_knn_search, k);
	AT(vexfs_knn_search, metric);
	AT(vexfs_knn_search, query_element);
	AT(vexfs_knn_search, results);
	AT(vexfs_knn_search, results_bytes);
	AT(vexfs_knn_search, counts);
	AT(vexfs_knn_search, first_row);
	AT(vexfs_knn_search, row_count);
	AT(vexfs_knn_search, index);
	AT(vexfs_knn_search, effort);
	AT(vexfs_knn_search, target_recall);
	AT(vexfs_knn_search, reserved0);
	AT(vexfs_knn_search, filter);
	AT(vexfs_knn_search, filter_bytes);
	AT(vexfs_knn_search, filter_ids);
	AT(vexfs_knn_search, filter_ids_count);
	AT(vexfs_knn_search, rows_scanned);
	AT(vexfs_knn_search, exact_decisions);
	AT(vexfs_knn_search, codes_compared);
	AT(vexfs_knn_search, exact_distances);
	AT(vexfs_knn_search, pages_missed);
	AT(vexfs_knn_search, generation);
	AT(vexfs_knn_search, index_used);
	AT(vexfs_knn_search, reserved1);
	AT(vexfs_knn_search, reserved);
	SIZE(vexfs_range_search);
	AT(vexfs_range_search, size);
	AT(vexfs_range_search, flags);
	AT(vexfs_range_search, query);
	AT(vexfs_range_search, query_bytes);
	AT(vexfs_range_search, metric);
	AT(vexfs_range_search, query_element);
	AT(vexfs_range_search, radius);
	AT(vexfs_range_search, results);
	AT(vexfs_range_search, capacity);
	AT(vexfs_range_search, count);
	AT(vexfs_range_search, cursor);
	AT(vexfs_range_search, generation);
	AT(vexfs_range_search, filter);
	AT(vexfs_range_search, filter_bytes);
	AT(vexfs_range_search, filter_ids);
	AT(vexfs_range_search, filter_ids_count);
	AT(vexfs_range_search, rows_scanned);
	AT(vexfs_range_search, exact_decisions);
	AT(vexfs_range_search, codes_compared);
	AT(vexfs_range_search, exact_distances);
	AT(vexfs_range_search, pages_missed);
	AT(vexfs_range_search, reserved);
}

static void print_file_calls(void)
{
	SIZE(vexfs_schema);
	AT(vexfs_schema, size);
	AT(vexfs_schema, dim);
	AT(vexfs_schema, element);
	AT(vexfs_schema, metric);
	AT(vexfs_schema, ids);
	AT(vexfs_schema, reserved0);
	AT(vexfs_schema, flags);
	AT(vexfs_schema, row_bytes);
	AT(vexfs_schema, rows);
	AT(vexfs_schema, live_rows);
	AT(vexfs_schema, next_id);
	AT(vexfs_schema, generation);
	AT(vexfs_schema, columns);
	AT(vexfs_schema, column_count);
	AT(vexfs_schema, reserved1);
	AT(vexfs_schema, reserved);
	SIZE(vexfs_column);
	AT(vexfs_column, name);
	AT(vexfs_column, type);
	AT(vexfs_column, reserved);
	SIZE(vexfs_attributes);
	AT(vexfs_attributes, size);
	AT(vexfs_attributes, flags);
	AT(vexfs_attributes, ids);
	AT(vexfs_attributes, count);
	AT(vexfs_attributes, columns);
	AT(vexfs_attributes, reserved0);
	AT(vexfs_attributes, attributes);
	AT(vexfs_attributes, attributes_bytes);
	AT(vexfs_attributes, strings);
	AT(vexfs_attributes, strings_bytes);
	AT(vexfs_attributes, returned);
	AT(vexfs_attributes, bad_index);
	AT(vexfs_attributes, reserved);
	SIZE(vexfs_filter_op);
	AT(vexfs_filter_op, code);
	AT(vexfs_filter_op, column);
	AT(vexfs_filter_op, reserved);
	AT(vexfs_filter_op, count);
	AT(vexfs_filter_op, value);
	SIZE(vexfs_filter_program);
	AT(vexfs_filter_program, op_count);
	AT(vexfs_filter_program, reserved);
	SIZE(vexfs_search_stats);
	AT(vexfs_search_stats, size);
	AT(vexfs_search_stats, flags);
	AT(vexfs_search_stats, knn_queries);
	AT(vexfs_search_stats, range_queries);
	AT(vexfs_search_stats, rows_scanned);
	AT(vexfs_search_stats, exact_decisions);
	AT(vexfs_search_stats, search_ns);
	AT(vexfs_search_stats, rows_inserted);
	AT(vexfs_search_stats, insert_batches);
	AT(vexfs_search_stats, rows_deleted);
	AT(vexfs_search_stats, interrupted);
	AT(vexfs_search_stats, restarted);
	AT(vexfs_search_stats, codes_compared);
	AT(vexfs_search_stats, exact_distances);
	AT(vexfs_search_stats, pages_missed);
	AT(vexfs_search_stats, reserved);
	SIZE(vexfs_build_index);
	AT(vexfs_build_index, type);
	AT(vexfs_build_index, effort);
	AT(vexfs_build_index, lists);
	AT(vexfs_build_index, threads);
	AT(vexfs_build_index, reserved);
	SIZE(vexfs_drop_index);
	AT(vexfs_drop_index, flags);
	AT(vexfs_drop_index, reserved);
	SIZE(vexfs_compact);
	AT(vexfs_compact, flags);
	AT(vexfs_compact, rows);
	AT(vexfs_compact, rows_done);
	AT(vexfs_compact, rows_kept);
	AT(vexfs_compact, rows_reclaimed);
	AT(vexfs_compact, bytes_freed);
	AT(vexfs_compact, generation);
	AT(vexfs_compact, running);
	AT(vexfs_compact, reserved);
	SIZE(vexfs_index_status);
	AT(vexfs_index_status, type);
	AT(vexfs_index_status, state);
	AT(vexfs_index_status, building);
	AT(vexfs_index_status, progress);
	AT(vexfs_index_status, error);
	AT(vexfs_index_status, effort);
	AT(vexfs_index_status, lists);
	AT(vexfs_index_status, effort_targets);
	AT(vexfs_index_status, sketch_bits);
	AT(vexfs_index_status, rows);
	AT(vexfs_index_status, rows_covered);
	AT(vexfs_index_status, rows_encoded);
	AT(vexfs_index_status, bytes);
	AT(vexfs_index_status, sketch_bytes);
	AT(vexfs_index_status, build_ns);
	AT(vexfs_index_status, reserved);
	SIZE(vexfs_uring_cmd);
	AT(vexfs_uring_cmd, argument);
	AT(vexfs_uring_cmd, reserved);
}

static void print_numbers(void)
{
	printf("SET_SCHEMA %08lx\n", (unsigned long)VEXFS_IOC_SET_SCHEMA);
	printf("GET_SCHEMA %08lx\n", (unsigned long)VEXFS_IOC_GET_SCHEMA);
	printf("BATCH_INSERT %08lx\n", (unsigned long)VEXFS_IOC_BATCH_INSERT);
	printf("BATCH_DELETE %08lx\n", (unsigned long)VEXFS_IOC_BATCH_DELETE);
	printf("GET_VECTORS %08lx\n", (unsigned long)VEXFS_IOC_GET_VECTORS);
	printf("KNN_SEARCH %08lx\n", (unsigned long)VEXFS_IOC_KNN_SEARCH);
	printf("RANGE_SEARCH %08lx\n", (unsigned long)VEXFS_IOC_RANGE_SEARCH);
	printf("SEARCH_STATS %08lx\n", (unsigned long)VEXFS_IOC_SEARCH_STATS);
	printf("SET_ATTRIBUTES %08lx\n", (unsigned long)VEXFS_IOC_SET_ATTRIBUTES);
	printf("GET_ATTRIBUTES %08lx\n", (unsigned long)VEXFS_IOC_GET_ATTRIBUTES);
	printf("BUILD_INDEX %08lx\n", (unsigned long)VEXFS_IOC_BUILD_INDEX);
	printf("DROP_INDEX %08lx\n", (unsigned long)VEXFS_IOC_DROP_INDEX);
	printf("INDEX_STATUS %08lx\n", (unsigned long)VEXFS_IOC_INDEX_STATUS);
}

/* Calls */

static void check(int ok, const char *name, const char *why)
{
	if (ok) {
		printf("ok %s\n", name);
		return;
	}
	printf("not ok %s: %s (errno %d, %s)\n", name, why, errno, strerror(errno));
	failures++;
}

/* Does the call fail with this errno, or succeed if that is 0? */
static void expect(int fd, unsigned long call, void *argument, int error, const char *name)
{
	char why[80];
	int rc;

	errno = 0;
	rc = ioctl(fd, call, argument);
	snprintf(why, sizeof(why), "returned %d, wanted errno %d (%s)", rc, error,
		 error ? strerror(error) : "success");
	check(error ? rc < 0 && errno == error : rc == 0, name, why);
}

static double number_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Row i is (i, 0, 1): its squared distance to (0, 0, 1) is i * i. */
static void fill_rows(float (*rows)[DIM])
{
	unsigned int i;

	for (i = 0; i < ROWS; i++) {
		rows[i][0] = (float)i;
		rows[i][1] = 0;
		rows[i][2] = 1;
	}
}

static int create_file(const char *directory, const char *name, char *path, size_t room)
{
	int fd;

	snprintf(path, room, "%s/abi-%s-%d-%zu", directory, name, (int)getpid(),
		 sizeof(void *) * 8);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		fprintf(stderr, "abi32_client: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static void set_schema(int fd, int ids)
{
	struct vexfs_schema schema = {
		.size = sizeof(schema), .dim = DIM, .element = VEXFS_ELEMENT_F32,
		.metric = VEXFS_METRIC_L2, .ids = (uint8_t)ids,
	};
	struct {
		struct vexfs_schema schema;
		uint64_t later;
	} longer = { .schema = schema };

	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, 0, "schema.set");
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, 0, "schema.set_again");
	longer.schema.size = sizeof(longer);
	expect(fd, VEXFS_IOC_SET_SCHEMA, &longer, 0, "schema.longer_structure");
	longer.later = 1;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &longer, E2BIG, "schema.longer_structure_in_use");
	schema.size = 4;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, EINVAL, "schema.short_structure");
	schema.size = sizeof(schema);
	schema.reserved[1] = 1;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, EINVAL, "schema.reserved");
	schema.reserved[1] = 0;
	schema.flags = 1;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, EINVAL, "schema.flags");
	schema.flags = 0;
	schema.dim = 0;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, EINVAL, "schema.dim_0");
	schema.dim = VEXFS_DIM_MAX + 1;
	expect(fd, VEXFS_IOC_SET_SCHEMA, &schema, EINVAL, "schema.dim_max");
}

static void get_schema(int fd)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };

	expect(fd, VEXFS_IOC_GET_SCHEMA, &schema, 0, "schema.get");
	check(schema.dim == DIM && schema.element == VEXFS_ELEMENT_F32 &&
	      schema.metric == VEXFS_METRIC_L2 && schema.row_bytes == DIM * sizeof(float) &&
	      schema.size == sizeof(schema), "schema.values", "not what was set");
	check(schema.rows == ROWS && schema.live_rows == ROWS && schema.next_id == ROWS,
	      "schema.rows", "wrong numbers of rows or next id");
	expect(fd, VEXFS_IOC_GET_SCHEMA, NULL, EFAULT, "schema.null");
	expect(fd, _IOWR(VEXFS_IOC_MAGIC, 99, struct vexfs_schema), &schema, ENOTTY,
	       "unknown_call");
}

static void insert_rows(int fd, float (*rows)[DIM])
{
	struct vexfs_batch_insert batch = {
		.size = sizeof(batch), .vectors = TO_U64(rows),
		.vectors_bytes = ROWS * sizeof(rows[0]), .count = ROWS,
	};
	float bad[2][DIM] = { { 1, 2, 3 }, { 4, 0, 6 } };

	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, 0, "insert");
	check(batch.first_id == 0 && batch.bad_index == UINT64_MAX, "insert.out",
	      "first_id is not 0 or bad_index is set");
	batch.vectors_bytes--;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EINVAL, "insert.bytes");
	batch.count = 0;
	batch.vectors_bytes = 0;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EINVAL, "insert.none");
	batch.count = VEXFS_BATCH_MAX + 1;
	batch.vectors_bytes = batch.count * sizeof(rows[0]);
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, E2BIG, "insert.too_many");
	bad[1][1] = number_of(0x7ff8000000000000);
	batch.count = 2;
	batch.vectors = TO_U64(bad);
	batch.vectors_bytes = sizeof(bad);
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EINVAL, "insert.nan");
	check(batch.bad_index == 1, "insert.bad_index", "is not 1");
	batch.vectors = 8;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EFAULT, "insert.fault");
}

static void get_rows(int fd, float (*rows)[DIM])
{
	uint64_t ids[ROWS] = { 5, 0, 3 };
	float got[ROWS][DIM];
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .ids = TO_U64(ids), .count = 3,
		.vectors = TO_U64(got), .vectors_bytes = 3 * sizeof(got[0]),
	};
	unsigned int total = 0;

	expect(fd, VEXFS_IOC_GET_VECTORS, &get, 0, "get");
	check(memcmp(got[0], rows[5], sizeof(got[0])) == 0 &&
	      memcmp(got[1], rows[0], sizeof(got[0])) == 0 &&
	      memcmp(got[2], rows[3], sizeof(got[0])) == 0, "get.rows", "are not those inserted");
	ids[2] = ROWS;
	expect(fd, VEXFS_IOC_GET_VECTORS, &get, ENOENT, "get.missing");
	check(get.bad_index == 2, "get.bad_index", "is not 2");
	memset(&get, 0, sizeof(get));
	get.size = sizeof(get);
	get.flags = VEXFS_GET_SCAN;
	get.ids = TO_U64(ids);
	get.vectors = TO_U64(got);
	get.count = 4;
	get.vectors_bytes = 4 * sizeof(got[0]);
	do {
		errno = 0;
		if (ioctl(fd, VEXFS_IOC_GET_VECTORS, &get) < 0)
			break;
		for (unsigned int i = 0; i < get.returned; i++, total++)
			if (ids[i] != total || memcmp(got[i], rows[total], sizeof(got[0])) != 0)
				total = 100;
	} while (get.returned > 0 && total < 100);
	check(errno == 0 && total == ROWS, "get.scan", "did not give each row once, in order");
	get.flags = 2;
	expect(fd, VEXFS_IOC_GET_VECTORS, &get, EINVAL, "get.flags");
}

static void search_rows(int fd)
{
	float queries[2][DIM] = { { 0, 0, 1 }, { 5, 0, 1 } };
	struct vexfs_result results[2][4];
	uint32_t counts[2] = { 0, 0 };
	struct vexfs_knn_search search = {
		.size = sizeof(search), .queries = TO_U64(queries), .queries_bytes = sizeof(queries),
		.query_count = 2, .k = 4, .results = TO_U64(results),
		.results_bytes = sizeof(results), .counts = TO_U64(counts),
	};
	unsigned int i;
	int ok = 1;

	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "knn");
	for (i = 0; i < 4; i++)
		ok &= results[0][i].id == i && number_of(results[0][i].distance) == i * i &&
		      results[1][i].id == ROWS - 1 - i &&
		      number_of(results[1][i].distance) == i * i;
	check(ok && counts[0] == 4 && counts[1] == 4, "knn.results", "are wrong");
	check(search.rows_scanned >= ROWS, "knn.rows_scanned", "is too small");
	check(search.index_used == VEXFS_INDEX_SCAN, "knn.index_used", "is not the scan");
	search.first_row = 2;
	search.row_count = 2;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "knn.part");
	check(counts[0] == 2 && results[0][0].id == 2 && results[0][1].id == 3, "knn.part_results",
	      "are wrong");
	search.first_row = 0;
	search.row_count = 0;
	search.metric = VEXFS_METRIC_L1;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "knn.l1");
	check(number_of(results[0][3].distance) == 3, "knn.l1_results", "are wrong");
	search.metric = 99;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, EINVAL, "knn.metric");
	search.metric = 0;
	search.flags = VEXFS_SEARCH_EXACT;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "knn.exact");
	search.effort = 1;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, EINVAL, "knn.exact_effort");
	search.flags = 0;
	search.effort = 0;
	search.index = VEXFS_INDEX_IVF;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, ENOENT, "knn.no_index");
	search.index = 0;
	search.metric = 0;
	search.k = 0;
	search.results_bytes = 0;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, EINVAL, "knn.k_0");
	search.k = 4;
	search.results_bytes = sizeof(results) - 16;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, EINVAL, "knn.results_bytes");
	search.results_bytes = sizeof(results);
	search.results = 8;
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, EFAULT, "knn.fault");
}

static void search_range(int fd)
{
	float query[DIM] = { 0, 0, 1 };
	struct vexfs_result results[2];
	struct vexfs_range_search search = {
		.size = sizeof(search), .query = TO_U64(query), .query_bytes = sizeof(query),
		.radius = bits_of(16), .results = TO_U64(results), .capacity = 2,
	};
	unsigned int total = 0, calls = 0;
	int ok = 1;

	do {
		expect(fd, VEXFS_IOC_RANGE_SEARCH, &search, 0, "range");
		for (unsigned int i = 0; i < search.count && i < 2; i++, total++)
			ok &= results[i].id == total &&
			      number_of(results[i].distance) == total * total;
	} while (search.cursor != UINT64_MAX && ++calls < 20);
	check(ok && total == 5, "range.results", "are not rows 0 to 4, once each");
	search.cursor = 0;
	search.radius = bits_of(-1);
	expect(fd, VEXFS_IOC_RANGE_SEARCH, &search, 0, "range.none");
	check(search.count == 0, "range.none_results", "are some");
	search.cursor = 0;
	search.radius = 0x7ff8000000000000;
	expect(fd, VEXFS_IOC_RANGE_SEARCH, &search, EINVAL, "range.nan");
	search.radius = bits_of(1);
	search.capacity = 0;
	expect(fd, VEXFS_IOC_RANGE_SEARCH, &search, EINVAL, "range.capacity_0");
}

static void delete_rows(int fd)
{
	uint64_t ids[2] = { 0, ROWS };
	float query[DIM] = { 0, 0, 1 };
	struct vexfs_result result;
	struct vexfs_batch_delete batch = {
		.size = sizeof(batch), .ids = TO_U64(ids), .count = 2,
	};
	struct vexfs_knn_search search = {
		.size = sizeof(search), .queries = TO_U64(query), .queries_bytes = sizeof(query),
		.query_count = 1, .k = 1, .results = TO_U64(&result),
		.results_bytes = sizeof(result),
	};

	expect(fd, VEXFS_IOC_BATCH_DELETE, &batch, ENOENT, "delete.missing");
	check(batch.bad_index == 1, "delete.bad_index", "is not 1");
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "delete.search_before");
	check(result.id == 0, "delete.nothing_deleted", "row 0 is gone");
	batch.flags = VEXFS_DELETE_IGNORE_MISSING;
	expect(fd, VEXFS_IOC_BATCH_DELETE, &batch, 0, "delete");
	check(batch.deleted == 1, "delete.deleted", "is not 1");
	expect(fd, VEXFS_IOC_KNN_SEARCH, &search, 0, "delete.search_after");
	check(result.id == 1, "delete.found_no_more", "row 1 is not the nearest now");
	batch.flags = 4;
	expect(fd, VEXFS_IOC_BATCH_DELETE, &batch, EINVAL, "delete.flags");
}

static void read_stats(int fd)
{
	struct vexfs_search_stats stats = { .size = sizeof(stats) };

	expect(fd, VEXFS_IOC_SEARCH_STATS, &stats, 0, "stats");
	check(stats.knn_queries >= 6 && stats.range_queries >= 3 && stats.rows_inserted == ROWS &&
	      stats.insert_batches == 1 && stats.rows_deleted == 1, "stats.values", "are wrong");
}

static void own_ids(int fd)
{
	float rows[2][DIM] = { { 1, 1, 1 }, { 2, 2, 2 } };
	uint64_t ids[2] = { VEXFS_ID_MAX, 7 };
	struct vexfs_batch_insert batch = {
		.size = sizeof(batch), .vectors = TO_U64(rows), .vectors_bytes = sizeof(rows),
		.ids = TO_U64(ids), .count = 2,
	};

	set_schema(fd, VEXFS_IDS_OWN);
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, 0, "own_ids.insert");
	ids[0] = 8;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EEXIST, "own_ids.taken");
	check(batch.bad_index == 1, "own_ids.bad_index", "is not 1");
	batch.flags = VEXFS_INSERT_REPLACE;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, 0, "own_ids.replace");
	check(batch.replaced == 1, "own_ids.replaced", "is not 1");
	batch.ids = 0;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EINVAL, "own_ids.replace_missing");
	batch.flags = 0;
	expect(fd, VEXFS_IOC_BATCH_INSERT, &batch, EINVAL, "own_ids.missing");
}

static void check_access(const char *path, const char *directory)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	struct vexfs_batch_delete batch = { .size = sizeof(batch), .count = 1 };
	struct vexfs_search_stats stats = { .size = sizeof(stats) };
	uint64_t id = 1;
	int fd = open(path, O_RDONLY);

	batch.ids = TO_U64(&id);
	expect(fd, VEXFS_IOC_GET_SCHEMA, &schema, 0, "access.get_schema");
	expect(fd, VEXFS_IOC_BATCH_DELETE, &batch, EBADF, "access.delete_read_only");
	close(fd);
	fd = open(directory, O_RDONLY | O_DIRECTORY);
	expect(fd, VEXFS_IOC_SEARCH_STATS, &stats, EISDIR, "access.directory");
	close(fd);
}

static void run_calls(const char *directory)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	char path[512], own_path[512];
	float rows[ROWS][DIM];
	int fd = create_file(directory, "auto", path, sizeof(path));
	int own = create_file(directory, "own", own_path, sizeof(own_path));

	fill_rows(rows);
	expect(fd, VEXFS_IOC_GET_SCHEMA, &schema, ENODATA, "schema.none");
	set_schema(fd, VEXFS_IDS_AUTO);
	insert_rows(fd, rows);
	get_schema(fd);
	get_rows(fd, rows);
	search_rows(fd);
	search_range(fd);
	delete_rows(fd);
	read_stats(fd);
	own_ids(own);
	check_access(path, directory);
	close(fd);
	close(own);
	unlink(path);
	unlink(own_path);
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		fprintf(stderr, "Usage: %s [DIRECTORY ON VEXFS]\n", argv[0]);
		return 2;
	}
	print_file_calls();
	print_row_calls();
	print_search_calls();
	print_numbers();
	if (argc == 2)
		run_calls(argv[1]);
	return failures ? 1 : 0;
}
