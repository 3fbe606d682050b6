// SPDX-License-Identifier: Apache-2.0
/*
 * Inverted lists of sketches: kernel/core/lists_sketch.h. Rows go to the list
 * of their nearest centroid, whatever the type, the metric and the scale, and
 * are found there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/lists_sketch.h"
#include "random.h"

#define K 10u
#define LISTS 40u
#define CANDIDATES 60u
#define QUERIES 40u
#define FORK_PAGES 2000u

struct file {
	u32 type;
	u32 metric;
	u32 dim;
	u64 rows;
	float *data;
	struct vex_sketch sketch;
	s32 *centre;
	struct vex_pages sketches;
	struct vex_pages fork;
	struct vex_lists lists;
	struct vex_lists_sketch codes;
	void *scratch;
};

static void *alloc(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~63ul);

	assert_non_null(memory);
	memset(memory, 0, (bytes + 63) & ~63ul);
	return memory;
}

/* A row as the file has it; the types of one byte are whole numbers. */
static void store(const struct file *file, const float *data, void *row)
{
	u32 i;

	for (i = 0; i < file->dim; i++) {
		if (file->type == VEX_TYPE_F32)
			((float *)row)[i] = data[i];
		else if (file->type == VEX_TYPE_F16)
			((_Float16 *)row)[i] = (_Float16)data[i];
		else if (file->type == VEX_TYPE_I8)
			((s8 *)row)[i] = (s8)data[i];
		else
			((u8 *)row)[i] = (u8)(s32)data[i];
	}
}

/* Rows around 60 centres, all of about one size. */
static void make_rows(struct file *file, double size)
{
	s32 low = file->type == VEX_TYPE_U8 ? 0 : -60;
	u64 row;
	u32 i;

	file->data = alloc(file->rows * file->dim * sizeof(float));
	for (row = 0; row < file->rows; row++) {
		u64 cluster = random_below(60);

		for (i = 0; i < file->dim; i++) {
			u64 hash = (cluster * 7919 + i) * 0x9e3779b97f4a7c15;
			s32 v = low + (s32)(hash >> 40) % 100;

			v += (s32)random_below(21);
			file->data[row * file->dim + i] = (float)(v * size);
		}
	}
}

static double distance(const struct file *file, const float *a, const float *b)
{
	double product = 0, square = 0, aa = 0, bb = 0;
	u32 i;

	for (i = 0; i < file->dim; i++) {
		product += (double)a[i] * b[i];
		square += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	if (file->metric == VEX_METRIC_IP)
		return -product;
	if (file->metric == VEX_METRIC_L2)
		return square;
	return aa > 0 && bb > 0 ? -product * (product < 0 ? -product : product) /
				  (aa * bb) : 0;
}

static int get_values(void *context, u64 row, s32 *values)
{
	struct file *file = context;
	void *stored = alloc(file->dim * sizeof(float));

	store(file, file->data + row * file->dim, stored);
	vex_lists_sketch_values(&file->codes, stored, values);
	free(stored);
	return 0;
}

static void prepare(void *context, const s32 *values, void *query)
{
	vex_lists_sketch_prepare(&((struct file *)context)->codes, values,
				 query);
}

static void encode(void *context, const s32 *values, void *record)
{
	vex_lists_sketch_encode(&((struct file *)context)->codes, values,
				record);
}

static int emit(void *context, u64 page, const void *data)
{
	struct file *file = context;

	assert_true(page < FORK_PAGES);
	file->fork.page[page] = alloc(VEX_PAGE_BYTES);
	memcpy(file->fork.page[page], data, VEX_RECORD_BYTES_MAX);
	return 0;
}

static void sketch_rows(struct file *file)
{
	u32 count = (u32)min_t(u64, file->rows, 300);
	size_t row_bytes = file->dim * vex_type_bytes(file->type);
	u8 *sample = alloc(file->rows * row_bytes);
	void *memory = alloc(vex_sketch_choose_bytes(file->dim));
	u64 row;

	for (row = 0; row < file->rows; row++)
		store(file, file->data + row * file->dim,
		      sample + row * row_bytes);
	file->centre = alloc(file->dim * sizeof(s32));
	assert_int_equal(vex_sketch_choose(&file->sketch, file->centre,
					   file->type, file->metric, file->dim,
					   0, sample, count, memory), 0);
	file->scratch = alloc(vex_sketch_scratch_bytes(&file->sketch));
	vex_pages_init(&file->sketches, file->sketch.record_bytes);
	file->sketches.pages = file->rows / file->sketches.per_page + 1;
	file->sketches.page = alloc(file->sketches.pages * sizeof(void *));
	for (row = 0; row < file->sketches.pages; row++)
		file->sketches.page[row] = alloc(VEX_PAGE_BYTES);
	for (row = 0; row < file->rows; row++)
		vex_sketch_encode(&file->sketch, file->centre,
				  sample + row * row_bytes,
				  vex_pages_peek(&file->sketches, row),
				  file->scratch);
	free(sample);
	free(memory);
}

static void build(struct file *file)
{
	struct vex_lists_source source = {
		.kmeans = {
			.context = file,
			.values = get_values,
			.prepare = prepare,
			.score = vex_lists_sketch_compare,
			.sketches = &file->sketches,
			.dim = file->dim,
			.query_bytes = vex_lists_sketch_query_bytes(
				&file->sketch),
			.spherical = vex_lists_sketch_spherical(&file->sketch),
		},
		.encode = encode,
		.emit = emit,
	};
	struct vex_lists_build how = {
		.lists = LISTS,
		.dim = file->dim,
		.record_bytes = file->sketch.record_bytes,
		.query_bytes = source.kmeans.query_bytes,
		.run_rows = file->rows,
		.train = true,
	};
	void *memory = alloc(vex_lists_builder_bytes(&how));
	void *work = alloc(vex_lists_sketch_bytes(&file->sketch));
	struct vex_lists_builder *builder;

	vex_lists_sketch_init(&file->codes, &file->sketch, file->centre, work);
	vex_pages_init(&file->fork, 8);
	file->fork.pages = FORK_PAGES;
	file->fork.page = alloc(FORK_PAGES * sizeof(void *));
	builder = vex_lists_builder_init(memory, &how, &source);
	assert_int_equal(vex_lists_init(&file->lists, LISTS, file->dim,
					how.record_bytes, 0), 0);
	assert_int_equal(vex_lists_train(builder, &file->lists, file->rows, 1),
			 0);
	assert_int_equal(vex_lists_write_run(builder, &file->lists, file->rows),
			 0);
	free(memory);
	free(work);
}

static void close_file(struct file *file)
{
	u64 page;

	for (page = 0; page < file->sketches.pages; page++)
		free(file->sketches.page[page]);
	for (page = 0; page < FORK_PAGES; page++)
		free(file->fork.page[page]);
	free(file->sketches.page);
	free(file->fork.page);
	free(file->scratch);
	free(file->centre);
	free(file->data);
}

static u32 search(struct file *file, const float *values, u32 effort,
		  u64 *rows, u64 *scored)
{
	struct vex_lists_query query = {
		.score = vex_lists_sketch_score,
		.effort = effort,
		.candidates = CANDIDATES,
		.shares = 1,
		.rows = file->rows,
	};
	void *room = alloc(vex_lists_search_bytes(&file->lists, effort,
						  CANDIDATES));
	void *memory = alloc(vex_sketch_query_bytes(&file->sketch,
						    VEX_SKETCH_QUERY_BITS));
	struct vex_lists_result result;
	struct vex_sketch_query *prepared;
	u32 i;

	assert_int_equal(vex_sketch_query_prepare(memory, &file->sketch,
						  file->centre, VEX_TYPE_F32,
						  values, VEX_SKETCH_QUERY_BITS,
						  file->scratch, &prepared), 0);
	query.query = prepared;
	assert_int_equal(vex_lists_search(&file->lists, &file->fork, &query,
					  room, &result), 0);
	for (i = 0; i < result.count; i++)
		rows[i] = result.hits[i].row;
	*scored += result.scored;
	free(room);
	free(memory);
	return result.count;
}

/* The share of the K nearest rows that are among the candidates, in 1/1000. */
static u32 recall(struct file *file, u32 effort, u64 *scored)
{
	double *all = alloc(file->rows * sizeof(double));
	u64 rows[CANDIDATES];
	u32 found = 0;
	u32 query, i, j;

	*scored = 0;
	for (query = 0; query < QUERIES; query++) {
		const float *values = file->data +
				      random_below(file->rows) * file->dim;
		u32 count = search(file, values, effort, rows, scored);
		u64 row;

		for (row = 0; row < file->rows; row++)
			all[row] = distance(file, values,
					    file->data + row * file->dim);
		for (i = 0; i < K; i++) {
			u64 best = 0;

			for (row = 1; row < file->rows; row++)
				if (all[row] < all[best])
					best = row;
			for (j = 0; j < count; j++)
				found += rows[j] == best;
			all[best] = 1e300;
		}
	}
	*scored /= QUERIES;
	free(all);
	return found * 1000 / (QUERIES * K);
}

static void check(u32 type, u32 metric, u32 dim, double size, u32 floor)
{
	struct file file = {
		.type = type, .metric = metric, .dim = dim, .rows = 1500,
	};
	u32 whole, some;
	u64 codes;

	make_rows(&file, size);
	sketch_rows(&file);
	build(&file);
	whole = recall(&file, LISTS, &codes);
	some = recall(&file, 4, &codes);
	print_message("type %u, metric %u, dim %u, size %g: %u of 1000 by all lists, %u by 4 of %u with %u codes\n",
		      type, metric, dim, size, whole, some, LISTS, (u32)codes);
	assert_true(whole >= floor);
	assert_true(some >= floor - 50);
	/* rows are spread over the lists */
	assert_true(codes < file.rows / 2);
	close_file(&file);
}

static void test_l2(void **state)
{
	(void)state;
	check(VEX_TYPE_F32, VEX_METRIC_L2, 100, 1, 950);
	check(VEX_TYPE_F32, VEX_METRIC_L2, 100, 0x1p-60, 950);
	check(VEX_TYPE_F32, VEX_METRIC_L2, 100, 0x1p+50, 950);
	check(VEX_TYPE_F16, VEX_METRIC_L2, 64, 0x1p-6, 950);
	check(VEX_TYPE_I8, VEX_METRIC_L2, 128, 1, 950);
	check(VEX_TYPE_U8, VEX_METRIC_L2, 300, 1, 950);
}

static void test_cosine(void **state)
{
	(void)state;
	check(VEX_TYPE_F32, VEX_METRIC_COSINE, 100, 1, 950);
	check(VEX_TYPE_F32, VEX_METRIC_COSINE, 70, 0x1p-100, 950);
	check(VEX_TYPE_I8, VEX_METRIC_COSINE, 128, 1, 950);
}

static void test_product(void **state)
{
	(void)state;
	check(VEX_TYPE_F32, VEX_METRIC_IP, 100, 1, 900);
	check(VEX_TYPE_F32, VEX_METRIC_IP, 100, 0x1p-40, 900);
	check(VEX_TYPE_I8, VEX_METRIC_IP, 128, 1, 900);
}

/* Rows that are longer than the scale, and rows of zeros, harm no others. */
static void test_misfits(void **state)
{
	static const u32 metrics[] = { VEX_METRIC_L2, VEX_METRIC_COSINE,
				       VEX_METRIC_IP };
	u32 i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(metrics); i++) {
		struct file file = {
			.type = VEX_TYPE_F32, .metric = metrics[i], .dim = 50,
			.rows = 1500,
		};
		u64 codes;

		make_rows(&file, 1);
		for (j = 0; j < 50; j++) {
			file.data[400 * 50 + j] = 1e37f;
			file.data[500 * 50 + j] = -1e30f;
			file.data[600 * 50 + j] = 0;
			file.data[700 * 50 + j] = 1e-40f;
		}
		sketch_rows(&file);
		/* queries are other rows */
		build(&file);
		for (j = 0; j < 50; j++) {
			file.data[400 * 50 + j] = 1;
			file.data[500 * 50 + j] = 1;
			file.data[600 * 50 + j] = 1;
			file.data[700 * 50 + j] = 1;
		}
		assert_true(recall(&file, LISTS, &codes) >= 850);
		close_file(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_l2),
		cmocka_unit_test(test_cosine),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_misfits),
	};

	random_seed("test_lists_sketch", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
