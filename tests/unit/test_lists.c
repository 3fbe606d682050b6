// SPDX-License-Identifier: Apache-2.0
/*
 * k-means and inverted lists: kernel/core/kmeans.h, lists.h. The codes here are
 * plain 16-bit elements, so that scores are exact and what is tested is where
 * rows go, where they are found, and what damage does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/lists.h"
#include "random.h"

#define K 10u
#define FORK_PAGES 40000u

/* A file: its rows, their codes in pages, and the fork that lists are in. */
struct file {
	u32 dim;
	bool product;
	u64 rows;
	s16 *data;
	u8 *deleted;
	struct vex_pages sketches;
	struct vex_pages fork;
	u64 last_page;
	u32 stops;
	u32 stop_after;
	u64 ahead;
	struct vex_lists lists;
};

struct query {
	const struct file *file;
	s32 values[];
};

static void *alloc_page(void)
{
	void *page = aligned_alloc(VEX_PAGE_BYTES, VEX_PAGE_BYTES);

	assert_non_null(page);
	memset(page, 0, VEX_PAGE_BYTES);
	return page;
}

static void open_file(struct file *file, u32 dim, bool product)
{
	memset(file, 0, sizeof(*file));
	file->dim = dim;
	file->product = product;
	vex_pages_init(&file->sketches, (dim * 2 + 7) / 8 * 8);
	vex_pages_init(&file->fork, 8);
	file->fork.page = calloc(FORK_PAGES, sizeof(void *));
	file->fork.pages = FORK_PAGES;
}

static void close_file(struct file *file)
{
	u64 i;

	for (i = 0; i < file->sketches.pages; i++)
		free(file->sketches.page[i]);
	for (i = 0; i < file->fork.pages; i++)
		free(file->fork.page[i]);
	free(file->sketches.page);
	free(file->fork.page);
	free(file->data);
	free(file->deleted);
}

/* Rows around one of @clusters centres; 0: all rows are the same. */
static void add_rows(struct file *file, u64 rows, u32 clusters)
{
	u64 total = file->rows + rows;
	u64 pages = (total + file->sketches.per_page - 1) /
		    file->sketches.per_page;
	u64 row;
	u32 i;

	file->data = realloc(file->data, total * file->dim * sizeof(s16));
	file->deleted = realloc(file->deleted, total);
	file->sketches.page = realloc(file->sketches.page,
				      pages * sizeof(void *));
	assert_non_null(file->data);
	for (row = file->sketches.pages; row < pages; row++)
		file->sketches.page[row] = alloc_page();
	file->sketches.pages = pages;
	for (row = file->rows; row < total; row++) {
		u64 cluster = clusters ? random_below(clusters) : 0;
		s16 *data = file->data + row * file->dim;

		for (i = 0; i < file->dim; i++) {
			u64 hash = (cluster * 1000003 + i) * 0x9e3779b97f4a7c15;

			data[i] = (s16)(hash >> 52) - 2048;
			if (clusters)
				data[i] += (s16)random_below(401) - 200;
		}
		file->deleted[row] = 0;
		memcpy(vex_pages_peek(&file->sketches, row), data,
		       file->dim * sizeof(s16));
	}
	file->rows = total;
}

static int stop(void *context)
{
	struct file *file = context;

	return ++file->stops == file->stop_after ? -EINTR : 0;
}

static int get_values(void *context, u64 row, s32 *values)
{
	struct file *file = context;
	u32 i;

	assert_true(row < file->rows);
	for (i = 0; i < file->dim; i++)
		values[i] = file->data[row * file->dim + i];
	return 0;
}

static void prepare(void *context, const s32 *values, void *memory)
{
	struct file *file = context;
	struct query *query = memory;

	query->file = file;
	memcpy(query->values, values, file->dim * sizeof(s32));
}

static void score(const void *prepared, const void *records, u32 count,
		  s64 *scores)
{
	const struct query *query = prepared;
	const struct file *file = query->file;
	u32 i, j;

	assert_in_range(count, 1, VEX_KMEANS_BLOCK);
	for (j = 0; j < count; j++) {
		const s16 *data = (const s16 *)((const u8 *)records + (size_t)j *
						file->sketches.record_bytes);

		scores[j] = 0;
		for (i = 0; i < file->dim; i++) {
			s64 x = data[i], q = query->values[i];

			scores[j] += file->product ? -x * q : (x - q) * (x - q);
		}
	}
}

static void encode(void *context, const s32 *values, void *record)
{
	struct file *file = context;
	s16 *data = record;
	u32 i;

	for (i = 0; i < file->dim; i++) {
		assert_in_range(values[i] + 32768, 0, 65535);
		data[i] = (s16)values[i];
	}
}

static bool is_deleted(void *context, u64 row)
{
	return ((struct file *)context)->deleted[row];
}

static int emit(void *context, u64 page, const void *data)
{
	struct file *file = context;

	assert_true(page < FORK_PAGES && page >= 2);
	assert_true(page > file->last_page);
	file->last_page = page;
	if (!file->fork.page[page])
		file->fork.page[page] = alloc_page();
	memcpy(file->fork.page[page], data, VEX_RECORD_BYTES_MAX);
	return 0;
}

static void set_source(struct file *file, struct vex_lists_source *source)
{
	*source = (struct vex_lists_source){
		.kmeans = {
			.context = file,
			.stop = stop,
			.values = get_values,
			.prepare = prepare,
			.score = score,
			.sketches = &file->sketches,
			.dim = file->dim,
			.query_bytes = (sizeof(struct query) + file->dim * 4 +
					7) / 8 * 8,
			.spherical = file->product,
		},
		.encode = encode,
		.deleted = is_deleted,
		.emit = emit,
	};
	file->last_page = 0;
	file->stops = 0;
}

static int build(struct file *file, u32 number, u64 run_rows, u64 seed)
{
	struct vex_lists_source source;
	struct vex_lists_build how = {
		.lists = number,
		.dim = file->dim,
		.record_bytes = file->sketches.record_bytes,
		.run_rows = run_rows,
		.train = true,
	};
	struct vex_lists lists;
	struct vex_lists_builder *builder;
	void *memory;
	int ret;

	set_source(file, &source);
	how.query_bytes = source.kmeans.query_bytes;
	memory = calloc(1, vex_lists_builder_bytes(&how));
	assert_non_null(memory);
	builder = vex_lists_builder_init(memory, &how, &source);
	ret = vex_lists_init(&lists, number, file->dim, how.record_bytes, 2);
	assert_int_equal(ret, 0);
	ret = vex_lists_train(builder, &lists, file->rows, seed);
	while (!ret && vex_lists_rows(&lists) < file->rows)
		ret = vex_lists_write_run(builder, &lists, file->rows);
	if (!ret) {
		assert_int_equal(vex_lists_progress(builder, file->rows), 10000);
		file->lists = lists;
	}
	free(memory);
	return ret;
}

static int append(struct file *file)
{
	struct vex_lists_source source;
	struct vex_lists_build how = {
		.lists = file->lists.lists,
		.dim = file->dim,
		.record_bytes = file->sketches.record_bytes,
		.run_rows = file->rows,
	};
	struct vex_lists_builder *builder;
	void *memory;
	int ret;

	set_source(file, &source);
	how.query_bytes = source.kmeans.query_bytes;
	memory = calloc(1, vex_lists_builder_bytes(&how));
	builder = vex_lists_builder_init(memory, &how, &source);
	ret = vex_lists_recall(builder, &file->lists, &file->fork);
	if (!ret)
		ret = vex_lists_write_run(builder, &file->lists, file->rows);
	free(memory);
	return ret;
}

static void note_ahead(void *context, u64 page, u64 pages)
{
	struct file *file = context;

	assert_true(page < file->lists.end && pages <= file->lists.end - page);
	file->ahead += pages;
}

static int search(struct file *file, const s32 *values,
		  struct vex_lists_query query, struct vex_lists_hit *hits,
		  struct vex_lists_result *result)
{
	struct query *prepared = malloc(sizeof(*prepared) + file->dim * 4);
	void *memory = malloc(vex_lists_search_bytes(&file->lists, query.effort,
						     query.candidates));
	u32 i;
	int ret;

	prepare(file, values, prepared);
	query.context = file;
	query.stop = stop;
	query.ahead = query.share ? NULL : note_ahead;
	query.score = score;
	query.query = prepared;
	query.rows = file->rows;
	if (!query.shares)
		query.shares = 1;
	file->stops = 0;
	ret = vex_lists_search(&file->lists, &file->fork, &query, memory,
			       result);
	if (!ret) {
		assert_true(result->count <= query.candidates);
		for (i = 0; i < result->count; i++) {
			assert_true(result->hits[i].row < file->rows);
			if (i)
				assert_true(result->hits[i].score >=
					    result->hits[i - 1].score);
		}
		memcpy(hits, result->hits, result->count * sizeof(*hits));
	}
	free(prepared);
	free(memory);
	return ret;
}

/* The score of the K-th nearest row, by looking at all of them. */
static s64 truth(struct file *file, const s32 *values)
{
	struct query *prepared = malloc(sizeof(*prepared) + file->dim * 4);
	s64 best[K + 1];
	u32 count = 0;
	u64 row;

	prepare(file, values, prepared);
	for (row = 0; row < file->rows; row++) {
		u32 at;
		s64 one;

		if (file->deleted[row])
			continue;
		score(prepared, vex_pages_peek(&file->sketches, row), 1, &one);
		for (at = count; at && best[at - 1] > one; at--)
			best[at] = best[at - 1];
		best[at] = one;
		if (count < K)
			count++;
	}
	free(prepared);
	return count ? best[count - 1] : S64_MIN;
}

/* Of the K nearest rows of 50 queries, how many in a thousand are found? */
static u32 recall(struct file *file, u32 effort)
{
	struct vex_lists_query query = { .effort = effort, .candidates = K };
	struct vex_lists_hit hits[K];
	struct vex_lists_result result;
	s32 *values = malloc(file->dim * sizeof(s32));
	u32 found = 0, wanted = 0;
	u32 i, j;

	for (i = 0; i < 50; i++) {
		s64 limit;

		get_values(file, random_below(file->rows), values);
		for (j = 0; j < file->dim; j++)
			values[j] += (s32)random_below(301) - 150;
		limit = truth(file, values);
		assert_int_equal(search(file, values, query, hits, &result), 0);
		for (j = 0; j < result.count; j++)
			found += hits[j].score <= limit;
		wanted += file->rows < K ? (u32)file->rows : K;
	}
	free(values);
	return found * 1000 / wanted;
}

static void test_number(void **state)
{
	(void)state;
	assert_int_equal(vex_lists_number(0), 1);
	assert_int_equal(vex_lists_number(1), 1);
	assert_int_equal(vex_lists_number(3), 3);
	assert_int_equal(vex_lists_number(10000), 200);
	assert_int_equal(vex_lists_number(1000000), 2000);
	assert_int_equal(vex_lists_number(VEX_LISTS_ROWS_MAX), VEX_LISTS_MAX);
}

/* Rows of one cluster come to one list, and all clusters have their own. */
static void test_converges(void **state)
{
	struct vex_kmeans kmeans = { .lists = 24 };
	struct vex_lists_source source;
	struct file file;
	u32 found = 0;
	u32 i, j;

	(void)state;
	open_file(&file, 16, false);
	add_rows(&file, 4000, 8);
	set_source(&file, &source);
	kmeans.values = calloc(24 * 16, sizeof(s32));
	kmeans.queries = calloc(24, source.kmeans.query_bytes);
	kmeans.gather = calloc(VEX_KMEANS_BLOCK, file.sketches.record_bytes);
	kmeans.sums = calloc(24 * 16, sizeof(s64));
	kmeans.counts = calloc(24, sizeof(u32));
	kmeans.row = calloc(16, sizeof(s32));
	assert_int_equal(vex_kmeans_train(&kmeans, &source.kmeans, file.rows,
					  1000, 8, 1), 0);
	/* a centroid near the centre of each cluster, in each element */
	for (i = 0; i < 8; i++) {
		bool near = false;

		for (j = 0; j < 24; j++) {
			bool all = true;
			u32 e;

			for (e = 0; e < 16; e++) {
				u64 hash = ((u64)i * 1000003 + e) *
					   0x9e3779b97f4a7c15;
				s32 off = kmeans.values[j * 16 + e] -
					  ((s32)(hash >> 52) - 2048);

				all &= off < 130 && off > -130;
			}
			near |= all;
		}
		found += near;
	}
	assert_int_equal(found, 8);
	free(kmeans.values);
	free(kmeans.queries);
	free(kmeans.gather);
	free(kmeans.sums);
	free(kmeans.counts);
	free(kmeans.row);
	close_file(&file);
}

static u64 hash_fork(const struct file *file)
{
	u64 hash = 0;
	u64 page;

	for (page = 2; page < file->lists.end; page++)
		hash = vex_xxh64(file->fork.page[page], VEX_PAGE_BYTES, hash);
	return hash;
}

static void test_deterministic(void **state)
{
	struct file file;
	u64 first;

	(void)state;
	open_file(&file, 12, false);
	add_rows(&file, 3000, 40);
	assert_int_equal(build(&file, 50, 3000, 7), 0);
	first = hash_fork(&file);
	assert_int_equal(build(&file, 50, 3000, 7), 0);
	assert_true(hash_fork(&file) == first);
	assert_int_equal(build(&file, 50, 3000, 8), 0);
	assert_true(hash_fork(&file) != first);
	close_file(&file);
}

/* Every row that is not deleted is in the lists once. */
static void check_complete(struct file *file)
{
	struct vex_lists_query query = {
		.effort = VEX_LISTS_MAX, .candidates = 65536,
	};
	struct vex_lists_hit *hits = calloc(65536, sizeof(*hits));
	u8 *seen = calloc(1, file->rows);
	struct vex_lists_result result;
	s32 *values = malloc(file->dim * sizeof(s32));
	u64 row;
	u32 i;

	get_values(file, 0, values);
	assert_int_equal(search(file, values, query, hits, &result), 0);
	assert_int_equal(result.lists, file->lists.lists);
	for (i = 0; i < result.count; i++)
		seen[hits[i].row]++;
	for (row = 0; row < file->rows; row++)
		assert_int_equal(seen[row], !file->deleted[row] &&
				 row < vex_lists_rows(&file->lists));
	free(values);
	free(seen);
	free(hits);
}

static void check_dimension(u32 dim, bool product, u64 rows, u32 floor)
{
	struct file file;
	u32 number = vex_lists_number(rows);
	u32 some;

	open_file(&file, dim, product);
	add_rows(&file, rows, 100);
	assert_int_equal(build(&file, number, rows, VEX_KMEANS_SEED), 0);
	check_complete(&file);
	assert_true(file.ahead > 0);
	assert_int_equal(recall(&file, number), 1000);
	some = recall(&file, number / 8 + 1);
	print_message("dim %u%s: recall %u/1000\n", dim,
		      product ? ", product" : "", some);
	assert_true(some >= floor);
	close_file(&file);
}

static void test_dimensions(void **state)
{
	(void)state;
	check_dimension(1, false, 2000, 950);
	check_dimension(3, false, 2000, 950);
	check_dimension(100, false, 2000, 950);
	check_dimension(784, false, 500, 950);
}

static void test_product(void **state)
{
	(void)state;
	check_dimension(1, true, 500, 0);
	check_dimension(3, true, 2000, 0);
	check_dimension(100, true, 2000, 0);
}

static void test_few(void **state)
{
	struct vex_lists_query query = { .effort = 3, .candidates = K };
	struct vex_lists_hit hits[K];
	struct vex_lists_result result;
	struct file file;
	s32 values[4];

	(void)state;
	/* one row */
	open_file(&file, 4, false);
	add_rows(&file, 1, 5);
	assert_int_equal(build(&file, 1, 1, 1), 0);
	check_complete(&file);
	/* and as many lists as there are no rows for */
	assert_int_equal(build(&file, 9, 1, 1), 0);
	check_complete(&file);
	get_values(&file, 0, values);
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	close_file(&file);

	/* the same row many times over, both ways; and of zeros */
	open_file(&file, 4, false);
	add_rows(&file, 3000, 0);
	assert_int_equal(build(&file, 60, 3000, 1), 0);
	check_complete(&file);
	get_values(&file, 0, values);
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_int_equal(result.count, K);
	file.product = true;
	assert_int_equal(build(&file, 60, 3000, 1), 0);
	memset(file.data, 0, file.rows * 4 * sizeof(s16));
	assert_int_equal(build(&file, 60, 3000, 1), 0);
	close_file(&file);
}

static void test_append(void **state)
{
	struct file file;
	struct vex_lists loaded;
	struct vex_disk_lists disk;
	u32 runs;

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 6000, 60);
	/* building in several runs */
	assert_int_equal(build(&file, 100, 2500, 3), 0);
	assert_int_equal(file.lists.runs, 3);
	assert_false(vex_lists_append_due(&file.lists, 6000));
	assert_false(vex_lists_append_due(&file.lists, 7000));
	assert_true(vex_lists_append_due(&file.lists, 7024));
	assert_false(vex_lists_drifted(&file.lists, 12000));
	assert_true(vex_lists_drifted(&file.lists, 13024));
	check_complete(&file);
	assert_true(recall(&file, 20) >= 950);

	while (file.lists.runs < VEX_LISTS_RUNS_MAX) {
		runs = file.lists.runs;
		add_rows(&file, 100, 60);
		assert_int_equal(append(&file), 0);
		assert_int_equal(file.lists.runs, runs + 1);
		assert_true(vex_lists_rows(&file.lists) == file.rows);
	}
	check_complete(&file);
	assert_true(recall(&file, 20) >= 950);
	assert_true(vex_lists_drifted(&file.lists, file.rows));
	add_rows(&file, 5000, 60);
	assert_false(vex_lists_append_due(&file.lists, file.rows));
	assert_int_equal(append(&file), -ENOSPC);

	/* what is saved can be loaded, and nothing else */
	vex_lists_save(&file.lists, &disk);
	assert_int_equal(vex_lists_load(&loaded, &disk, 20,
					file.sketches.record_bytes,
					vex_lists_rows(&file.lists), 2,
					file.lists.end), 0);
	assert_memory_equal(&loaded, &file.lists, sizeof(loaded));
	assert_int_equal(vex_lists_load(&loaded, &disk, 20,
					file.sketches.record_bytes,
					vex_lists_rows(&file.lists), 2,
					file.lists.end - 1), -EUCLEAN);
	assert_int_equal(vex_lists_load(&loaded, &disk, 21,
					file.sketches.record_bytes,
					vex_lists_rows(&file.lists), 2,
					file.lists.end), -EUCLEAN);
	close_file(&file);
}

static bool admit_even(void *context, u64 row)
{
	++*(u32 *)context;
	return row % 2 == 0;
}

static void test_deleted_and_refused(void **state)
{
	struct vex_lists_query query = { .effort = 100, .candidates = 500 };
	struct vex_lists_hit *hits = calloc(500, sizeof(*hits));
	struct vex_lists_result result;
	struct file file;
	s32 values[20];
	u32 asked = 0;
	u32 i;

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 4000, 60);
	for (i = 0; i < 4000; i++)
		file.deleted[i] = i >= 1000 && i < 3500;
	assert_int_equal(build(&file, 100, 4000, 3), 0);
	assert_true(file.lists.run[0].entries == 1500);
	check_complete(&file);
	query.admit = admit_even;
	query.admit_context = &asked;
	get_values(&file, 1, values);
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_int_equal(result.count, 500);
	assert_true(asked >= 500);
	for (i = 0; i < result.count; i++)
		assert_int_equal(hits[i].row % 2, 0);

	/* all rows deleted */
	memset(file.deleted, 1, file.rows);
	assert_int_equal(build(&file, 100, 4000, 3), 0);
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_int_equal(result.count, 0);
	free(hits);
	close_file(&file);
}

struct admitted {
	struct file *file;
	u64 from;
};

static bool admit_from(void *context, u64 row)
{
	const struct admitted *admitted = context;

	assert_true(row < admitted->file->rows);
	return row >= admitted->from;
}

/* Where few rows may be candidates, more lists are looked into. */
static void test_enough(void **state)
{
	struct vex_lists_query query = {
		.effort = 20, .candidates = K, .admit = admit_from,
	};
	struct vex_lists_hit hits[K];
	struct vex_lists_result result;
	struct admitted admitted;
	struct file file;
	s32 values[20];

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 4000, 60);
	assert_int_equal(build(&file, 100, 4000, 3), 0);
	get_values(&file, 1, values);
	admitted.file = &file;
	query.admit_context = &admitted;

	/* All rows may: no more lists than are enough. */
	admitted.from = 0;
	query.enough = 5;
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_false(result.lacking);
	assert_int_equal(result.lists, 5);

	/* One row in 40 may: all lists of the effort, and they do not do. */
	admitted.from = 3900;
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_true(result.lacking);
	assert_int_equal(result.lists, 20);

	/* There are no more lists than all. */
	query.effort = 200;
	query.enough = 200;
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	assert_false(result.lacking);
	assert_int_equal(result.lists, 100);
	assert_int_equal(result.count, K);

	query.admit = NULL;
	assert_int_equal(search(&file, values, query, hits, &result), -EINVAL);
	close_file(&file);
}

/* The shares of a search find together what it finds alone. */
static void test_shares(void **state)
{
	struct vex_lists_query query = { .effort = 30, .candidates = 4000 };
	struct vex_lists_hit *hits = calloc(4000, sizeof(*hits));
	struct vex_lists_result result;
	struct file file;
	s32 values[20];
	u8 seen[4000] = { 0 };
	u32 share, i, lists = 0;

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 4000, 60);
	assert_int_equal(build(&file, 100, 4000, 3), 0);
	get_values(&file, 5, values);
	for (share = 0; share < 4; share++) {
		query.share = share;
		query.shares = 4;
		assert_int_equal(search(&file, values, query, hits, &result), 0);
		lists += result.lists;
		for (i = 0; i < result.count; i++)
			seen[hits[i].row]++;
	}
	assert_int_equal(lists, 30);
	query.share = 0;
	query.shares = 0;
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	for (i = 0; i < result.count; i++)
		seen[hits[i].row]--;
	assert_true(vex_is_zero(seen, sizeof(seen)));
	free(hits);
	close_file(&file);
}

/* A callback that ends the work ends it at every point, and harms nothing. */
static void test_stops(void **state)
{
	struct vex_lists_query query = { .effort = 30, .candidates = K };
	struct vex_lists_hit hits[K];
	struct vex_lists_result result;
	struct file file;
	struct vex_lists before;
	s32 values[20];
	u32 at, stops;

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 2000, 60);
	assert_int_equal(build(&file, 80, 2000, 3), 0);
	stops = file.stops;
	before = file.lists;
	for (at = 1; at <= stops; at += 1 + stops / 40) {
		file.stop_after = at;
		assert_int_equal(build(&file, 80, 2000, 3), -EINTR);
		assert_memory_equal(&before, &file.lists, sizeof(before));
	}
	file.stop_after = 0;
	assert_int_equal(build(&file, 80, 2000, 3), 0);
	get_values(&file, 5, values);
	assert_int_equal(search(&file, values, query, hits, &result), 0);
	stops = file.stops;
	for (at = 1; at <= stops; at++) {
		file.stop_after = at;
		assert_int_equal(search(&file, values, query, hits, &result),
				 -EINTR);
	}
	close_file(&file);
}

static void test_arguments(void **state)
{
	struct vex_lists_build build = {
		.lists = 10, .dim = 10, .record_bytes = 24, .query_bytes = 64,
		.run_rows = 100,
	};
	struct vex_lists lists;

	(void)state;
	assert_int_equal(vex_lists_init(&lists, 0, 1, 8, 2), -EINVAL);
	assert_int_equal(vex_lists_init(&lists, VEX_LISTS_MAX + 1, 1, 8, 2),
			 -EINVAL);
	assert_int_equal(vex_lists_init(&lists, 1, 0, 8, 2), -EINVAL);
	assert_int_equal(vex_lists_init(&lists, 1, 1, 12, 2), -EINVAL);
	assert_int_equal(vex_lists_init(&lists, 1, 1, 4080, 2), -EINVAL);
	assert_int_equal(vex_lists_init(&lists, 1, 1, 4072, 2), 0);
	assert_int_equal(vex_lists_search_bytes(&lists, 0, 1), 0);
	assert_int_equal(vex_lists_search_bytes(&lists, 1, 0), 0);
	assert_int_equal(vex_lists_search_bytes(&lists, 1, 65537), 0);
	assert_true(vex_lists_builder_bytes(&build) > 0);
	build.run_rows = 1ULL << 33;
	assert_int_equal(vex_lists_builder_bytes(&build), 0);
	build.run_rows = 0;
	assert_int_equal(vex_lists_builder_bytes(&build), 0);
}

/* Garbage in parameters and in pages: answers or errors, and no harm. */
static void test_damage(void **state)
{
	struct vex_lists_query query = { .effort = 40, .candidates = K };
	struct vex_lists_hit hits[K];
	struct vex_lists_result result;
	struct vex_disk_lists disk, bad;
	struct vex_lists lists, sound;
	struct file file;
	s32 values[20];
	u32 turn, errors = 0, loaded = 0;

	(void)state;
	open_file(&file, 20, false);
	add_rows(&file, 3000, 60);
	assert_int_equal(build(&file, 80, 1000, 3), 0);
	sound = file.lists;
	vex_lists_save(&sound, &disk);
	for (turn = 0; turn < 3000; turn++) {
		u8 *bytes = (u8 *)&bad;

		bad = disk;
		bytes[random_below(96)] = (u8)random_u64();
		if (random_below(2))
			bytes[random_below(sizeof(bad))] ^=
				(u8)(1 << random_below(8));
		if (vex_lists_load(&lists, &bad, 20,
				   file.sketches.record_bytes, file.rows, 2,
				   sound.end))
			continue;
		loaded++;
		/* what can be loaded can be searched, of pages that exist */
		file.lists = lists;
		get_values(&file, random_below(file.rows), values);
		errors += search(&file, values, query, hits, &result) != 0;
		file.lists = sound;
	}
	assert_true(loaded > 0);

	for (turn = 0; turn < 400; turn++) {
		u64 page = 2 + random_below(sound.end - 2);
		u8 *data = file.fork.page[page];
		u8 saved[VEX_PAGE_BYTES];
		u32 i;

		memcpy(saved, data, sizeof(saved));
		for (i = 0; i < VEX_RECORD_BYTES_MAX; i++)
			if (turn % 4 == 0 || random_below(50) == 0)
				data[i] = (u8)random_u64();
		get_values(&file, random_below(file.rows), values);
		errors += search(&file, values, query, hits, &result) != 0;
		memcpy(data, saved, sizeof(saved));
		if (turn % 8 == 0) {
			file.fork.page[page] = NULL;
			errors += search(&file, values, query, hits,
					 &result) == -EUCLEAN;
			file.fork.page[page] = data;
		}
	}
	assert_true(errors > 0);

	/* centroids of garbage: rows go somewhere, and are found by all lists */
	for (turn = 2; turn < sound.codes; turn++)
		memset(file.fork.page[turn], 0x80 + turn, 4000);
	add_rows(&file, 500, 60);
	file.product = true;	/* no square overflows */
	assert_int_equal(append(&file), 0);
	check_complete(&file);
	close_file(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_converges),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_dimensions),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_deleted_and_refused),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_stops),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_damage),
	};

	random_seed("test_lists", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
