// SPDX-License-Identifier: Apache-2.0
/*
 * Sketches against distances in long double: the sure bound holds for each
 * row, query, metric, type and dimension, the estimate has no bias, the likely
 * bound is as likely as it says; stored parameters, dead and marked records,
 * records of any bytes, and the loops with and without POPCNT agree.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/pages.h"
#include "../../kernel/core/sketch_types.h"
#include "random.h"

#define ROWS 40u
#define QUERIES 6u

enum kind {
	NORMAL,
	CLUSTERED,
	OFFSET,		/* far from zero, close to each other */
	SPARSE,
	MIXED,		/* 1e-30 to 1e30, denormal, and zero rows */
	TINY,
	HUGE_ROWS,
	EQUAL,
	KINDS
};

struct set {
	u32 type;
	u32 metric;
	u32 dim;
	u32 count;
	u8 *rows;
	size_t row_bytes;
	struct vex_sketch sketch;
	s32 *centre;
	u8 *records;
	u8 *pages;	/* the same, with their tails */
	void *scratch;
	void *memory[2];
};

static double uniform(void)
{
	return (double)(random_u64() >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static float element(enum kind kind, u32 row, u32 i)
{
	switch (kind) {
	case CLUSTERED:
		return (float)(sin(row % 4 * 1000.0 + i) + 0.01 * normal());
	case OFFSET:
		return (float)(1000 + normal());
	case SPARSE:
		return random_u64() % 16 ? 0 : (float)normal();
	case MIXED:
		if (row % 5 == 0)
			return 0;
		if (row % 5 == 1)
			return (float)(normal() * 1e-42);
		return (float)(normal() * pow(10, uniform() * 60 - 30));
	case TINY:
		return (float)(normal() * 1e-30);
	case HUGE_ROWS:
		return (float)(normal() * 1e30);
	case EQUAL:
		return row % 3 ? 3 : (float)(i % 7);
	default:
		return (float)normal();
	}
}

static void put_element(u32 type, u8 *row, u32 i, float v)
{
	if (type == VEX_TYPE_F32)
		memcpy(row + 4 * i, &v, 4);
	else if (type == VEX_TYPE_I8)
		row[i] = (u8)(s8)fmax(-128, fmin(127, v * 40));
	else
		row[i] = (u8)fmax(0, fmin(255, 128 + v * 40));
}

static double get_element(u32 type, const u8 *row, u32 i)
{
	float v;

	if (type == VEX_TYPE_I8)
		return (s8)row[i];
	if (type == VEX_TYPE_U8)
		return row[i];
	memcpy(&v, row + 4 * i, 4);
	return v;
}

static const u8 *row_of(const struct set *set, u32 row)
{
	return set->rows + row * set->row_bytes;
}

static void *record_of(const struct set *set, u32 row)
{
	return set->records + row * set->sketch.record_bytes;
}

static const u8 *page_of(const struct set *set, u32 row)
{
	return set->pages + row / set->sketch.per_page * VEX_PAGE_BYTES;
}

static bool page_passes(const struct set *set,
			const struct vex_sketch_query *q, u32 row)
{
	return vex_sketch_page_passes(q, page_of(set, row),
				      row % set->sketch.per_page);
}

/* Each row twice, alone and into its page, which must be the same. */
static void encode_set(struct set *set)
{
	u32 per_page = set->sketch.per_page;
	u32 row;

	for (row = 0; row < set->count; row++) {
		u32 place = row % per_page;

		vex_sketch_encode(&set->sketch, set->centre, row_of(set, row),
				  record_of(set, row), set->scratch);
		vex_sketch_encode_page(&set->sketch, set->centre,
				       row_of(set, row),
				       (u8 *)page_of(set, row), place,
				       set->scratch);
		assert_memory_equal(page_of(set, row) +
				    place * set->sketch.record_bytes,
				    record_of(set, row),
				    set->sketch.record_bytes);
	}
}

static struct set make_set(enum kind kind, u32 type, u32 metric, u32 dim,
			   u32 bits, u32 count)
{
	struct set set = { .type = type, .metric = metric, .dim = dim,
			   .count = count };
	void *memory = malloc(vex_sketch_choose_bytes(dim));
	u32 row, i;
	size_t pages;

	set.row_bytes = dim * (size_t)vex_type_bytes(type);
	set.rows = malloc(count * set.row_bytes);
	set.centre = malloc(dim * sizeof(s32));
	for (row = 0; row < count; row++)
		for (i = 0; i < dim; i++)
			put_element(type, set.rows + row * set.row_bytes, i,
				    element(kind, row, i));
	assert_int_equal(vex_sketch_choose(&set.sketch, set.centre, type,
					   metric, dim, bits, set.rows,
					   min_t(u32, count, ROWS), memory), 0);
	set.records = malloc((size_t)count * set.sketch.record_bytes);
	set.scratch = malloc(vex_sketch_scratch_bytes(&set.sketch));
	for (i = 0; i < 2; i++)
		set.memory[i] = malloc(vex_sketch_query_bytes(&set.sketch,
							      4 + 4 * i));
	pages = count / set.sketch.per_page + 1;
	set.pages = aligned_alloc(VEX_PAGE_BYTES, pages * VEX_PAGE_BYTES);
	/* What is behind the last record of a page is not touched. */
	memset(set.pages, 0x5a, pages * VEX_PAGE_BYTES);
	encode_set(&set);
	while (pages--)
		for (i = VEX_RECORD_BYTES_MAX; i < VEX_PAGE_BYTES; i++)
			assert_int_equal(set.pages[pages * VEX_PAGE_BYTES + i],
					 0x5a);
	free(memory);
	return set;
}

static void free_set(struct set *set)
{
	free(set->rows);
	free(set->centre);
	free(set->records);
	free(set->pages);
	free(set->scratch);
	free(set->memory[0]);
	free(set->memory[1]);
}

static long double distance(const struct set *set, const u8 *a, const u8 *b,
			    long double *size)
{
	long double sum = 0, left = 0, right = 0;
	u32 i;

	*size = 0;
	for (i = 0; i < set->dim; i++) {
		long double x = get_element(set->type, a, i);
		long double y = get_element(set->type, b, i);

		if (set->metric == VEX_METRIC_L2) {
			sum += (x - y) * (x - y);
		} else {
			sum += x * y;
			left += x * x;
			right += y * y;
			*size += fabsl(x * y);
		}
	}
	if (set->metric == VEX_METRIC_L2) {
		*size = sum;
		return sum;
	}
	if (set->metric == VEX_METRIC_IP)
		return -sum;
	*size = 2;
	return left && right ? 1 - sum / sqrtl(left * right) : 1;
}

/* The key of a binary64 value that is surely not below the distance. */
static s64 key_above(long double value, long double size)
{
	double above = (double)(value + size * 1e-14L);
	u64 bits;

	above = nextafter(above, INFINITY);
	memcpy(&bits, &above, 8);
	return vex_key_from_double(bits);
}

static struct vex_sketch_query *ask(const struct set *set, const u8 *query,
				    u32 bits)
{
	struct vex_sketch_query *q;

	if (vex_sketch_query_prepare(set->memory[bits == 8], &set->sketch,
				     set->centre, set->type, query, bits,
				     set->scratch, &q))
		return NULL;
	return q;
}

/* No row may be refused by a limit that is its own distance. */
static void check_sure(const struct set *set, u32 rows)
{
	u32 bits, i, row;

	for (bits = 4; bits <= 8; bits += 4)
		for (i = 0; i < QUERIES; i++) {
			const u8 *query = row_of(set, set->count - 1 - i);
			struct vex_sketch_query *q = ask(set, query, bits);

			if (!q)
				continue;
			for (row = 0; row < rows; row++) {
				long double size;
				long double d = distance(set, row_of(set, row),
							 query, &size);

				vex_sketch_query_limit(q, key_above(d, size),
						       VEX_SKETCH_SURE);
				assert_true(vex_sketch_passes(
					q, record_of(set, row), NULL));
				assert_true(page_passes(set, q, row));
			}
		}
}

static void try_set(enum kind kind, u32 type, u32 metric, u32 dim, u32 bits)
{
	struct set set = make_set(kind, type, metric, dim, bits,
				  ROWS + QUERIES);

	check_sure(&set, dim > 2000 ? 10 : ROWS + QUERIES);
	free_set(&set);
}

static void test_sure_dimensions(void **state)
{
	static const u32 large[] = { 191, 192, 193, 255, 256, 257, 300, 384,
				     500, 512, 513, 768, 784, 832, 960, 1000,
				     1024, 1536, 2048, 3072, 4096, 8128, 10000,
				     VEX_SKETCH_DIM_MAX };
	u32 dim;

	(void)state;
	for (dim = 1; dim <= 130; dim++)
		try_set((enum kind)(dim % KINDS), VEX_TYPE_F32, 1 + dim % 3,
			dim, 1 + dim % 4);
	for (dim = 0; dim < ARRAY_SIZE(large); dim++)
		try_set((enum kind)(dim % 4), VEX_TYPE_F32, 1 + dim % 3,
			large[dim], 0);
}

static void test_sure_kinds(void **state)
{
	u32 kind, metric, bits;

	(void)state;
	for (kind = 0; kind < KINDS; kind++)
		for (metric = 1; metric <= 3; metric++)
			for (bits = 1; bits <= 4; bits++) {
				try_set((enum kind)kind, VEX_TYPE_F32, metric,
					100, bits);
				try_set((enum kind)kind, VEX_TYPE_I8, metric,
					30, bits);
				try_set((enum kind)kind, VEX_TYPE_U8, metric,
					128, bits);
			}
}

/* Rotation and every number of first planes, whatever the sample said. */
static void test_sure_rotated(void **state)
{
	u32 rounds, coarse, row, i;

	(void)state;
	for (rounds = 0; rounds <= VEX_SKETCH_ROUNDS_MAX; rounds++)
		for (coarse = 1; coarse <= 4; coarse++) {
			static const u32 dims[] = { 3, 64, 100, 128, 600, 784 };
			struct set set = make_set((enum kind)coarse,
						  VEX_TYPE_F32, 1 + coarse % 3,
						  dims[(rounds + coarse) % 6],
						  4, ROWS + QUERIES);

			/* The same planes, partly as a tail. */
			set.sketch.tail_bits = 4 - coarse;
			set.sketch.bits = coarse;
			vex_sketch_complete(&set.sketch);
			free(set.pages);
			set.pages = aligned_alloc(VEX_PAGE_BYTES,
						  set.count * VEX_PAGE_BYTES);
			set.sketch.rounds = rounds;
			set.sketch.seed = rounds * 77;
			set.sketch.coarse_bits = 1 + rounds % coarse;
			encode_set(&set);
			check_sure(&set, set.count);
			/* Rotation keeps lengths. */
			for (i = 0; i < 5; i++) {
				struct vex_sketch_scratch s =
					vex_sketch_divide_scratch(&set.sketch,
								  set.scratch);
				u32 n = 64 * set.sketch.words;
				double before = 0, after = 0;

				for (row = 0; row < n; row++) {
					s.x[row] = (s32)(normal() * 100000);
					before += (double)s.x[row] * s.x[row];
				}
				vex_sketch_rotate(&set.sketch, s.x, s.work);
				for (row = 0; row < n; row++)
					after += (double)s.x[row] * s.x[row];
				assert_true(fabs(sqrt(before) - sqrt(after)) <=
					    (double)vex_sketch_slack(&set.sketch));
			}
			free_set(&set);
		}
}

/* Estimates as distances: their mean error, and how often the bound holds. */
static void check_estimates(u32 metric, u32 dim, u32 bits)
{
	struct set set = make_set(NORMAL, VEX_TYPE_F32, metric, dim, bits, 600);
	double error = 0, square = 0, held = 0, n = 0;
	u32 i, row;

	for (i = 0; i < 40; i++) {
		const u8 *query = row_of(&set, set.count - 1 - i);
		struct vex_sketch_query *q = ask(&set, query, 4);
		struct vex_sketch_query *fine = ask(&set, query, 8);
		double unit = ldexp(1, fine->unit);
		double per = (double)fine->per_norm / (1 << VEX_SKETCH_NORM_UNIT);

		for (row = 0; row < 500; row++) {
			const void *record = record_of(&set, row);
			long double size;
			double d = (double)distance(&set, row_of(&set, row),
						    query, &size);
			double estimate;
			s64 score;
			u8 flags;

			vex_sketch_scores(fine, &record, 1, &score,
					  &flags);
			estimate = (double)score / per;
			if (metric == VEX_METRIC_IP)
				estimate -= (double)fine->centre_product;
			else
				estimate += (double)fine->square;
			estimate = estimate * unit - d;
			error += estimate;
			square += estimate * estimate;
			vex_sketch_query_limit(q, key_above(d, size),
					       VEX_SKETCH_LIKELY);
			held += vex_sketch_passes(q, record, NULL);
			n++;
		}
	}
	/* Of a standard deviation: 20,000 estimates, not all independent. */
	assert_true(fabs(error / n) < 0.1 * sqrt(square / n));
	/* A normal deviate is below 1.5 in 93 of 100 cases. */
	assert_true(held / n > 0.92);
	free_set(&set);
}

static void test_estimates(void **state)
{
	u32 metric, bits;

	(void)state;
	for (metric = 1; metric <= 3; metric++)
		for (bits = 1; bits <= 4; bits++) {
			check_estimates(metric, 128, bits);
			check_estimates(metric, 200, bits);
		}
}

static void test_parameters(void **state)
{
	u8 parameters[VEX_SKETCH_PARAMETERS], damaged[VEX_SKETCH_PARAMETERS];
	struct set set = make_set(NORMAL, VEX_TYPE_F32, VEX_METRIC_L2, 100, 3,
				  ROWS);
	struct vex_sketch loaded;
	u8 fine[100];
	s32 stored[100];
	s32 centre[100];
	u32 i;

	(void)state;
	vex_sketch_save(&set.sketch, parameters);
	assert_int_equal(vex_sketch_load(&loaded, parameters, VEX_TYPE_F32,
					 VEX_METRIC_L2, 100), 0);
	assert_memory_equal(&loaded, &set.sketch, sizeof(loaded));
	assert_int_equal(vex_sketch_load(&loaded, parameters, VEX_TYPE_F32,
					 VEX_METRIC_L2, 101), -EUCLEAN);
	assert_int_equal(vex_sketch_load(&loaded, parameters, VEX_TYPE_F32,
					 VEX_METRIC_IP, 100), -EUCLEAN);
	assert_int_equal(vex_sketch_load(&loaded, parameters, VEX_TYPE_U8,
					 VEX_METRIC_L2, 100), -EUCLEAN);
	memcpy(stored, set.centre, sizeof(stored));
	assert_int_equal(vex_sketch_centre_load(&set.sketch, stored, centre), 0);
	assert_memory_equal(centre, set.centre, sizeof(centre));
	stored[99] = S32_MIN;
	assert_int_equal(vex_sketch_centre_load(&set.sketch, stored, centre),
			 -EUCLEAN);

	/* Whatever is accepted can be used. */
	for (i = 0; i < 20000; i++) {
		u64 bits = random_u64();

		memcpy(damaged, parameters, sizeof(damaged));
		damaged[bits % sizeof(damaged)] = (u8)(bits >> 32);
		if (bits >> 63)
			damaged[bits >> 8 & 63] ^= 1 << (bits >> 16 & 7);
		if (vex_sketch_load(&loaded, damaged, VEX_TYPE_F32,
				    VEX_METRIC_L2, 100))
			continue;
		assert_in_range(loaded.record_bytes, 32, 80);
		if (i % 16 == 0) {
			struct set other = set;

			other.sketch = loaded;
			other.records = malloc(loaded.record_bytes);
			other.memory[0] = malloc(vex_sketch_query_bytes(&loaded,
									4));
			vex_sketch_encode(&loaded, set.centre, set.rows,
					  other.records, set.scratch);
			vex_sketch_fine(&loaded, set.centre, set.rows, fine,
					set.scratch);
			ask(&other, set.rows, 4);
			free(other.records);
			free(other.memory[0]);
		}
	}
	free_set(&set);
}

static void test_possible(void **state)
{
	struct vex_sketch sketch;
	float row = 1;

	(void)state;
	assert_true(vex_sketch_possible(VEX_TYPE_F16, VEX_METRIC_COSINE, 1));
	assert_true(vex_sketch_possible(VEX_TYPE_U8, VEX_METRIC_L2,
					VEX_SKETCH_DIM_MAX));
	assert_false(vex_sketch_possible(VEX_TYPE_U8, VEX_METRIC_L2,
					 VEX_SKETCH_DIM_MAX + 1));
	assert_false(vex_sketch_possible(VEX_TYPE_F32, VEX_METRIC_L1, 10));
	assert_false(vex_sketch_possible(9, VEX_METRIC_L2, 10));
	assert_int_equal(vex_sketch_choose(&sketch, NULL, VEX_TYPE_F32,
					   VEX_METRIC_L1, 1, 0, &row, 1, NULL),
			 -EINVAL);
	assert_int_equal(vex_sketch_choose(&sketch, NULL, VEX_TYPE_F32,
					   VEX_METRIC_L2, 1, 5, &row, 1, NULL),
			 -EINVAL);
	assert_int_equal(vex_sketch_choose(&sketch, NULL, VEX_TYPE_F32,
					   VEX_METRIC_L2, 1, 0, &row, 0, NULL),
			 -EINVAL);
}

/* Far records may be passed over, near ones but few, short ones never. */
static void near_scores(u32 dim, u32 bits, bool whole)
{
	struct set set = make_set(NORMAL, VEX_TYPE_F32, VEX_METRIC_L2, dim,
				  bits, ROWS);
	s64 scores[ROWS], near[ROWS], limit;
	u32 i, j, passed = 0, missed = 0;
	struct vex_sketch_query *q;
	u8 flags[ROWS];

	q = ask(&set, row_of(&set, 0), VEX_SKETCH_QUERY_BITS);
	assert_in_range(vex_sketch_near_bytes(&set.sketch), 16 + 8,
			set.sketch.record_bytes);
	for (i = 0; i < ROWS; i++) {
		const void *record = record_of(&set, i);

		vex_sketch_scores(q, &record, 1, &scores[i], &flags[i]);
	}
	for (i = 0; i < ROWS; i += ROWS / 5) {
		limit = scores[i];
		for (j = 0; j < ROWS; j++) {
			const void *record = record_of(&set, j);

			vex_sketch_near_scores(q, &record, 1, limit, &near[j],
					       &flags[j]);
			assert_int_equal(flags[j], 0);
			if (near[j] != S64_MAX / 4)
				assert_true(near[j] == scores[j]);
			passed += near[j] != S64_MAX / 4;
			missed += near[j] != scores[j] && scores[j] <= limit;
		}
		vex_sketch_near_scores(q, (const void *const[]){
				       record_of(&set, 1) }, 1, S64_MAX, near,
				       flags);
		assert_true(near[0] == scores[1]);
	}
	if (whole)
		assert_int_equal(passed, 5 * ROWS);
	else
		assert_in_range(passed, 1, 5 * ROWS - 1);
	assert_in_range(missed, 0, whole ? 0 : 5 * ROWS / 20);
	free_set(&set);
}

static void test_near(void **state)
{
	(void)state;
	near_scores(64, 4, true);
	near_scores(128, 3, true);
	near_scores(784, 1, true);
	near_scores(200, 2, false);
	near_scores(784, 2, false);
	near_scores(784, 3, false);
	near_scores(300, 4, false);
}

static void test_dead_and_marked(void **state)
{
	struct set set = make_set(NORMAL, VEX_TYPE_F32, VEX_METRIC_L2, 100, 3,
				  ROWS);
	struct vex_sketch_hit hits[ROWS];
	struct vex_sketch_query *q;
	const void *record = record_of(&set, 3);
	float row[100];
	u8 flags;
	s64 score;
	u32 i;

	(void)state;
	q = ask(&set, row_of(&set, 0), 4);
	assert_int_equal(vex_sketch_scan(q, set.records, ROWS, NULL, 100,
					 hits), ROWS);
	for (i = 0; i < ROWS; i++) {
		const void *each = record_of(&set, i);

		assert_int_equal(hits[i].index, 100 + i);
		vex_sketch_scores(q, &each, 1, &score, &flags);
		assert_true(score == hits[i].score);
		assert_int_equal(flags, 0);
	}
	assert_false(vex_sketch_is_dead(record));
	vex_sketch_set_dead(record_of(&set, 3));
	assert_true(vex_sketch_is_dead(record));
	vex_sketch_scores(q, &record, 1, &score, &flags);
	assert_int_equal(flags, VEX_SKETCH_DEAD);
	assert_true(score == hits[3].score);
	assert_int_equal(vex_sketch_scan(q, set.records, ROWS, NULL, 0,
					 hits),
			 ROWS - 1);

	/* A row beyond the scale passes where nothing else does. */
	for (i = 0; i < 100; i++)
		row[i] = 1e20f;
	assert_false(vex_sketch_encode(&set.sketch, set.centre, row,
				       record_of(&set, 5), set.scratch));
	assert_true(vex_sketch_is_marked(record_of(&set, 5)));
	assert_false(vex_sketch_is_marked(record));
	vex_sketch_query_limit(q, VEX_KEY_MINUS_INFINITY, VEX_SKETCH_LIKELY);
	assert_int_equal(vex_sketch_scan(q, set.records, ROWS, NULL, 0,
					 hits), 1);
	assert_int_equal(hits[0].index, 5);
	assert_true(vex_sketch_bound_passes(q, hits[0].bound));
	vex_sketch_set_dead(record_of(&set, 5));
	assert_int_equal(vex_sketch_scan(q, set.records, ROWS, NULL, 0,
					 hits), 0);

	/* So does a query; zero has no direction. */
	memcpy(set.rows, row, sizeof(row));
	assert_null(ask(&set, set.rows, 4));
	free_set(&set);
	set = make_set(NORMAL, VEX_TYPE_F32, VEX_METRIC_COSINE, 100, 3, ROWS);
	memset(set.rows, 0, set.row_bytes);
	assert_null(ask(&set, set.rows, 4));
	free_set(&set);
}

/* Rows as 7 bits: differences of elements are kept within a step. */
static void test_fine(void **state)
{
	struct set set = make_set(NORMAL, VEX_TYPE_F32, VEX_METRIC_L2, 100, 3,
				  ROWS);
	double step = ldexp(set.sketch.fine_step, set.sketch.unit);
	u8 fine[100];
	u32 row, i;
	u32 clamped = 0;

	(void)state;
	for (row = 0; row < ROWS; row++) {
		vex_sketch_fine(&set.sketch, set.centre, row_of(&set, row),
				fine, set.scratch);
		for (i = 0; i < 100; i++) {
			double v = get_element(set.type, row_of(&set, row), i) -
				   ldexp(set.centre[i], set.sketch.unit);

			assert_true(fine[i] < 128);
			if (fine[i] == 0 || fine[i] == 127)
				clamped++;
			else
				assert_true(fabs(v / step + 64 - fine[i]) < 0.6);
		}
	}
	assert_true(clamped < 20);
	free_set(&set);
}

/* Any bytes are a record, and both variants of the loops say the same. */
static void test_any_bytes(void **state)
{
	static const u32 dims[] = { 20, 64, 100, 128, 200, 784 };
	struct vex_sketch_hit hits[2][8];
	u32 i, j, bits, round;

	(void)state;
	for (i = 0; i < 6 * 4; i++) {
		struct set set = make_set(NORMAL, VEX_TYPE_F32, 1 + i % 3,
					  dims[i % 6], 1 + i / 6,
					  ROWS + QUERIES);

		for (round = 0; round < 40; round++) {
			const void *records[8];
			s64 scores[2][8];
			u8 flags[2][8];
			size_t at;

			bits = round & 1 ? 4 : 8;
			struct vex_sketch_query *q = ask(&set, set.rows, bits);
			long double size;
			long double d = distance(&set, set.rows,
						 row_of(&set, round), &size);

			vex_sketch_query_limit(q, key_above(d, size),
					       round & 2 ? VEX_SKETCH_SURE :
							   VEX_SKETCH_LIKELY);
			for (j = 0; j < 8; j++)
				records[j] = record_of(&set, j);
			if (round >= 20)
				for (at = 0; at < 8 * set.sketch.record_bytes;
				     at++)
					set.records[at] = (u8)random_u64();
			if (round >= 20)
				for (at = 0; at < VEX_PAGE_BYTES; at++)
					set.pages[at] = (u8)random_u64();
			vex_sketch_scores_any(q, records, 8, scores[0],
					      flags[0]);
			u32 found = vex_sketch_scan_any(q, set.records, 8,
							NULL, 0, hits[0]);

			if (!vex_has_popcnt())
				continue;
			vex_sketch_scores_popcnt(q, records, 8, scores[1],
						 flags[1]);
			assert_memory_equal(scores[0], scores[1],
					    sizeof(scores[0]));
			assert_memory_equal(flags[0], flags[1],
					    sizeof(flags[0]));
			assert_int_equal(vex_sketch_scan_popcnt(
				q, set.records, 8, NULL, 0, hits[1]), found);
			assert_memory_equal(hits[0], hits[1],
					    found * sizeof(hits[0][0]));
			for (j = 0; j < min_t(u32, 8, set.sketch.per_page); j++)
				assert_int_equal(
					vex_sketch_page_passes_any(
						q, set.pages, j),
					vex_sketch_page_passes_popcnt(
						q, set.pages, j));
			for (j = 0; j < 8; j++)
				assert_true(scores[0][j] <= S64_MAX / 4 &&
					    scores[0][j] >= S64_MIN / 4);
		}
		free_set(&set);
	}
}

/*
 * Tables say what planes do; a hit that is asked again by a nearer limit what a
 * scan with that would say; and tails refuse rows that their records do not.
 */
static void test_looks(void **state)
{
	static const u32 dims[] = { 3, 64, 100, 128, 200, 784 };
	struct vex_sketch_hit hits[2][ROWS], hit;
	u32 refused = 0, i, j, row, found;

	(void)state;
	for (i = 0; i < 6 * 3; i++) {
		struct set set = make_set(NORMAL, VEX_TYPE_F32, 1 + i % 3,
					  dims[i / 3], 0, ROWS + QUERIES);
		struct vex_sketch_query *q = ask(&set, set.rows, 8);
		size_t bytes = vex_sketch_tables_bytes(&set.sketch);
		void *tables = malloc(bytes + 1);
		long double size, far, near;

		assert_int_equal(!bytes, dims[i / 3] > 128);
		far = distance(&set, set.rows, row_of(&set, 7), &size);
		near = distance(&set, set.rows, row_of(&set, 8), &size);
		if (near > far) {
			long double other = near;

			near = far;
			far = other;
		}
		for (j = 0; j < 2; j++) {
			vex_sketch_query_limit(q, key_above(far, size),
					       j ? VEX_SKETCH_LIKELY :
						   VEX_SKETCH_SURE);
			found = vex_sketch_scan(q, set.records, ROWS, NULL, 0,
						hits[0]);
			if (bytes) {
				vex_sketch_query_tables(q, tables);
				assert_int_equal(vex_sketch_scan(
					q, set.records, ROWS, NULL, 0,
					hits[1]), found);
				assert_memory_equal(hits[0], hits[1],
						    found * sizeof(hit));
				q->tables = NULL;
			}
			vex_sketch_query_limit(q, key_above(near, size),
					       j ? VEX_SKETCH_LIKELY :
						   VEX_SKETCH_SURE);
			for (row = 0; row < found; row++) {
				const void *record =
					record_of(&set, (u32)hits[0][row].index);
				bool passes = vex_sketch_passes(q, record,
								NULL);

				assert_int_equal(passes,
					vex_sketch_hit_passes(q, record,
							      &hits[0][row]));
				if (!vex_sketch_bound_passes(
					q, hits[0][row].bound))
					assert_false(passes);
				refused += passes &&
					!page_passes(&set, q,
						     (u32)hits[0][row].index);
			}
		}
		/* Copied in parts, a page is the same. */
		found = min_t(u32, set.sketch.per_page, ROWS);
		u8 *copy = calloc(1, VEX_PAGE_BYTES);

		vex_sketch_copy_page(&set.sketch, copy, set.pages, 0,
				     found / 2);
		vex_sketch_copy_page(&set.sketch, copy, set.pages, found / 2,
				     found - found / 2);
		vex_sketch_query_limit(q, key_above(near, size),
				       VEX_SKETCH_SURE);
		for (row = 0; row < found; row++) {
			assert_memory_equal(copy +
					    row * set.sketch.record_bytes,
					    record_of(&set, row),
					    set.sketch.record_bytes);
			assert_int_equal(vex_sketch_page_passes(q, copy, row),
					 page_passes(&set, q, row));
		}
		free(copy);
		free(tables);
		free_set(&set);
	}
	assert_true(refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sure_dimensions),
		cmocka_unit_test(test_sure_kinds),
		cmocka_unit_test(test_sure_rotated),
		cmocka_unit_test(test_estimates),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_dead_and_marked),
		cmocka_unit_test(test_fine),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_looks),
	};

	random_seed("sketch", 20240917);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
