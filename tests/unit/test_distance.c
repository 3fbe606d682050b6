// SPDX-License-Identifier: Apache-2.0
/*
 * Distances on cases whose answers are known by hand, shapes that must be
 * refused, memory bounds, and the rules of limits, pieces and batches. The
 * hostile cases are in tests/oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/distance.h"
#include "../../kernel/core/exact.h"
#include "../../kernel/core/wide.h"
#include "../../kernel/core/root.h"

static u64 double_bits(double value)
{
	u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static s64 key_of(double value)
{
	return vex_key_from_double(double_bits(value));
}

struct rows_in_memory {
	const void *data;
	size_t row_bytes;
	size_t width;
	int error;
};

static int read_row(void *context, u64 row, u32 first, u32 count, void *into)
{
	const struct rows_in_memory *rows = context;

	assert_true(count >= 1 && count <= VEX_ROWS_PIECE);
	if (rows->error)
		return rows->error;
	memcpy(into, (const u8 *)rows->data + row * rows->row_bytes +
	       first * rows->width, count * rows->width);
	return 0;
}

/* A search of one query, ready; to be freed. */
static struct vex_search *search_for(u32 type, u32 metric, u32 dim,
				     const void *query)
{
	struct vex_shape shape = { type, type, metric, dim, 1 };
	size_t bytes = vex_search_bytes(&shape);
	void *memory = aligned_alloc(16, (bytes + 15) & ~(size_t)15);
	struct vex_search *search;

	assert_non_null(memory);
	search = vex_search_init(memory, &shape);
	memcpy(vex_search_query(search, 0), query,
	       (size_t)dim * vex_type_bytes(type));
	assert_int_equal(vex_search_prepare(search, NULL), 0);
	return search;
}

static void expect(u32 type, u32 metric, u32 dim, const void *query,
		   const void *row, double distance)
{
	struct vex_search *search = search_for(type, metric, dim, query);
	struct rows_in_memory memory = { row, 0, vex_type_bytes(type), 0 };
	struct vex_rows rows = { read_row, &memory };
	struct vex_interval out;
	u64 bits;

	vex_distance_row(search, 0, row, S64_MAX, &out);
	assert_true(out.lo <= key_of(distance));
	assert_true(out.hi >= key_of(distance));
	if (metric != VEX_METRIC_COSINE)
		assert_true(out.lo == out.hi);
	assert_int_equal(vex_exact_distance(search, 0, &rows, 0, &bits), 0);
	assert_true(bits == double_bits(distance));
	free(search);
}

static void small_integers_are_exact(void **state)
{
	static const float q[3] = { 1, 2, 3 }, x[3] = { 4, -6, 3 };
	static const u8 uq[3] = { 1, 200, 3 }, ux[3] = { 255, 0, 3 };
	static const s8 iq[3] = { -128, 127, 3 }, ix[3] = { 127, -128, 3 };

	(void)state;
	expect(VEX_TYPE_F32, VEX_METRIC_L2, 3, q, x, 73);
	expect(VEX_TYPE_F32, VEX_METRIC_IP, 3, q, x, -1);
	expect(VEX_TYPE_F32, VEX_METRIC_L1, 3, q, x, 11);
	expect(VEX_TYPE_F32, VEX_METRIC_L2, 3, q, q, 0);
	expect(VEX_TYPE_U8, VEX_METRIC_L2, 3, uq, ux, 254 * 254 + 40000);
	expect(VEX_TYPE_U8, VEX_METRIC_IP, 3, uq, ux, -264);
	expect(VEX_TYPE_U8, VEX_METRIC_L1, 3, uq, ux, 454);
	expect(VEX_TYPE_I8, VEX_METRIC_L2, 3, iq, ix, 2 * 255 * 255);
	expect(VEX_TYPE_I8, VEX_METRIC_IP, 3, iq, ix, 2 * 128 * 127 - 9);
	expect(VEX_TYPE_I8, VEX_METRIC_L1, 3, iq, ix, 510);
}

static void cosine_has_its_corners(void **state)
{
	static const float q[2] = { 3, 4 }, zero[2] = { 0, -0.0f };
	static const float along[2] = { 6, 8 }, against[2] = { -3, -4 };
	static const float across[2] = { -4, 3 };
	static const u8 uq[2] = { 3, 4 }, uzero[2] = { 0, 0 };

	(void)state;
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, q, along, 0);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, q, against, 2);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, q, across, 1);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, q, zero, 1);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, zero, q, 1);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 2, zero, zero, 1);
	expect(VEX_TYPE_U8, VEX_METRIC_COSINE, 2, uq, uq, 0);
	expect(VEX_TYPE_U8, VEX_METRIC_COSINE, 2, uzero, uq, 1);
	expect(VEX_TYPE_U8, VEX_METRIC_COSINE, 2, uq, uzero, 1);
}

static void extremes_neither_overflow_nor_vanish(void **state)
{
	static const float huge[1] = { 3.4028234663852886e38f };
	static const float minus[1] = { -3.4028234663852886e38f };
	static const float least[1] = { 1.401298464324817e-45f };
	static const float zero[1] = { 0 };
	double h = 3.4028234663852886e38;
	double l = 1.401298464324817e-45;

	(void)state;
	expect(VEX_TYPE_F32, VEX_METRIC_L2, 1, huge, minus, 4 * h * h);
	expect(VEX_TYPE_F32, VEX_METRIC_IP, 1, huge, minus, h * h);
	expect(VEX_TYPE_F32, VEX_METRIC_L2, 1, zero, least, l * l);
	expect(VEX_TYPE_F32, VEX_METRIC_L1, 1, least, zero, l);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 1, least, huge, 0);
	expect(VEX_TYPE_F32, VEX_METRIC_COSINE, 1, least, minus, 2);
}

static void bad_shapes_are_refused(void **state)
{
	static const struct vex_shape bad[] = {
		{ 0, 0, 1, 3, 1 }, { 5, 5, 1, 3, 1 }, { 1, 2, 1, 3, 1 },
		{ 4, 3, 1, 3, 1 }, { 1, 1, 0, 3, 1 }, { 1, 1, 5, 3, 1 },
		{ 1, 1, 1, 0, 1 }, { 1, 1, 1, 65536, 1 }, { 1, 1, 1, 3, 0 },
		{ 1, 1, 1, 3, VEX_QUERIES_MAX + 1 },
		{ ~0u, ~0u, ~0u, ~0u, ~0u },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(vex_search_bytes(&bad[i]), 0);
}

static void memory_stays_bounded(void **state)
{
	u32 type, dim;

	(void)state;
	for (type = VEX_TYPE_F32; type <= VEX_TYPE_U8; type++) {
		for (dim = 1; dim <= VEX_DIM_MAX; dim += 1021) {
			struct vex_shape shape = { type, VEX_TYPE_F32,
						   VEX_METRIC_L2, dim, 1 };

			assert_true(vex_search_bytes(&shape) < 600 * 1024);
			shape.query_type = type;
			assert_true(vex_search_bytes(&shape) < 600 * 1024);
		}
	}
}

static void bad_queries_are_named(void **state)
{
	struct vex_shape shape = { VEX_TYPE_F32, VEX_TYPE_F32, VEX_METRIC_L2,
				   3, 3 };
	static const float good[3] = { 1, 2, 3 };
	static const u32 bad[3] = { 0, 0x7fc00000, 0 };
	void *memory = aligned_alloc(16, (vex_search_bytes(&shape) + 15) & ~15ul);
	struct vex_search *search = vex_search_init(memory, &shape);
	u32 which = 99;

	(void)state;
	memcpy(vex_search_query(search, 0), good, sizeof(good));
	memcpy(vex_search_query(search, 1), good, sizeof(good));
	memcpy(vex_search_query(search, 2), bad, sizeof(bad));
	assert_int_equal(vex_search_prepare(search, &which), -EINVAL);
	assert_int_equal(which, 2);
	assert_int_equal(vex_search_prepare(search, NULL), -EINVAL);
	free(memory);
}

/* What lies beyond the limit is said to lie beyond it, and nothing else is. */
static void limits_refuse_only_what_is_beyond(void **state)
{
	enum { DIM = 784, ROWS = 200 };
	static u8 rows[ROWS][DIM];
	static float floats[ROWS][DIM];
	static const u32 types[] = { VEX_TYPE_U8, VEX_TYPE_I8, VEX_TYPE_F32 };
	u32 t, metric, i, j, seed = 5;

	(void)state;
	for (i = 0; i < ROWS; i++)
		for (j = 0; j < DIM; j++) {
			seed = seed * 1664525 + 1013904223;
			rows[i][j] = (u8)(seed >> 24);
			floats[i][j] = (float)(s8)rows[i][j] / 3;
		}
	for (t = 0; t < ARRAY_SIZE(types); t++)
		for (metric = 1; metric <= 4; metric++) {
			const u8 *data = types[t] == VEX_TYPE_F32 ?
					 (u8 *)floats : (u8 *)rows;
			size_t row_bytes = DIM * vex_type_bytes(types[t]);
			struct vex_search *search =
				search_for(types[t], metric, DIM, data);
			struct vex_interval full, limit, out;

			vex_distance_row(search, 0, data + 7 * row_bytes,
					 S64_MAX, &limit);
			for (i = 1; i < ROWS; i++) {
				const u8 *row = data + i * row_bytes;

				vex_distance_row(search, 0, row, S64_MAX, &full);
				vex_distance_row(search, 0, row, limit.hi, &out);
				assert_true(out.lo <= full.hi);
				assert_true(out.hi >= full.lo);
				if (full.hi <= limit.hi) {
					assert_true(out.lo == full.lo);
					assert_true(out.hi == full.hi);
				} else if (full.lo > limit.hi) {
					assert_true(out.lo > limit.hi);
				}
			}
			free(search);
		}
}

/* One outlier must not spoil the rows after it, nor a change of magnitude. */
static void the_scale_follows_the_rows(void **state)
{
	enum { DIM = 64 };
	float query[DIM], row[DIM];
	struct vex_search *search;
	struct vex_interval out;
	u32 i, j;

	(void)state;
	for (j = 0; j < DIM; j++)
		query[j] = (float)j * 1.25f;
	search = search_for(VEX_TYPE_F32, VEX_METRIC_L2, DIM, query);
	for (i = 0; i < 400; i++) {
		float scale = i % 50 == 9 ? 1e30f : i < 200 ? 1e-3f : 1e12f;

		for (j = 0; j < DIM; j++)
			row[j] = scale * (float)((i * 31 + j * 17) % 101);
		vex_distance_row(search, 0, row, S64_MAX, &out);
		assert_true(out.hi - out.lo < 1 << 16);
	}
	free(search);
}

static void feed_damage(u32 type, u32 metric, u32 queries)
{
	enum { DIM = 300 };
	static const s64 limits[3] = { S64_MAX, 0, 0x4000000000000000ll };
	static u8 good[4 * DIM], bad[4 * DIM];
	struct vex_shape shape = { type, type, metric, DIM, queries };
	size_t bytes = (vex_search_bytes(&shape) + 15) & ~(size_t)15;
	struct vex_search *search = vex_search_init(aligned_alloc(16, bytes),
						    &shape);
	struct rows_in_memory memory = { bad, 0, vex_type_bytes(type), 0 };
	struct vex_rows rows = { read_row, &memory };
	struct vex_interval out[3];
	u64 bits;
	u32 i;

	memset(good, 0x3b, sizeof(good));
	memset(bad, 0xff, sizeof(bad));
	for (i = 0; i < queries; i++)
		memcpy(vex_search_query(search, i), good,
		       DIM * vex_type_bytes(type));
	assert_int_equal(vex_search_prepare(search, NULL), 0);
	for (i = 0; i < 10; i++) {
		const u8 *row = i % 3 ? bad : good;

		vex_distance_batch(search, row, limits, out);
		assert_true(out[0].lo <= out[0].hi);
		vex_distance_row(search, 0, row, 0, out);
		vex_distance_begin(search);
		vex_distance_add(search, row, DIM);
		vex_distance_end(search, out);
	}
	assert_int_equal(vex_exact_distance(search, 0, &rows, 0, &bits), 0);
	assert_false(vex_double_is_nan(bits));
	free(search);
}

/* A damaged disk can hold what validation keeps out: no harm may come of it. */
static void damaged_rows_do_no_harm(void **state)
{
	u32 type, metric;

	(void)state;
	for (type = VEX_TYPE_F32; type <= VEX_TYPE_U8; type++)
		for (metric = 1; metric <= 4; metric++) {
			feed_damage(type, metric, 1);
			feed_damage(type, metric, 3);
		}
}

static void read_errors_are_passed_on(void **state)
{
	static const float q[2] = { 3, 4 }, x[2][2] = { { 1, 2 }, { 2, 1 } };
	struct rows_in_memory memory = { x, sizeof(x[0]), 4, -EIO };
	struct vex_rows rows = { read_row, &memory };
	struct vex_interval out;
	bool within;
	u32 metric;
	u64 bits;
	int order;

	(void)state;
	for (metric = 1; metric <= 4; metric++) {
		struct vex_search *search = search_for(VEX_TYPE_F32, metric, 2,
						       q);

		assert_int_equal(vex_exact_compare(search, 0, &rows, 0, 1,
						   &order), -EIO);
		assert_int_equal(vex_exact_interval(search, 0, &rows, 0, &out),
				 -EIO);
		assert_int_equal(vex_exact_distance(search, 0, &rows, 0, &bits),
				 -EIO);
		assert_int_equal(vex_exact_within(search, 0, &rows, 0,
						  key_of(0.5), &within), -EIO);
		free(search);
	}
}

static void quotients_and_roots_are_right(void **state)
{
	u64 seed = 88172645463325252ull;
	u32 i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		u64 divisor, high, low, quotient, root;
		struct vex_root reciprocal;
		vex_u128 value, check;
		s32 down;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		divisor = seed | 1ull << 63;
		if (i % 5 == 0)
			divisor |= ~0ull << (i % 64);
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		low = i % 3 ? seed : 0 - (u64)(i % 7);
		high = i % 4 ? seed % divisor : divisor - 1;
		quotient = vex_divide(high, low, divisor);
		value = (vex_u128)high << 64 | low;
		assert_true((vex_u128)quotient * divisor <= value);
		assert_true(value - (vex_u128)quotient * divisor < divisor);
		value >>= i % 128;
		root = vex_square_root(value);
		assert_true((vex_u128)root * root <= value);
		assert_true(root == ~0ull ||
			    (vex_u128)(root + 1) * (root + 1) > value);
		if (!value)
			continue;
		/* root * reciprocal = 1 within 2^-30 when the root is long */
		reciprocal = vex_root_reciprocal(value);
		assert_true(reciprocal.mantissa >= 1ull << 62);
		assert_true(reciprocal.mantissa <= 1ull << 63);
		check = (vex_u128)root * reciprocal.mantissa;
		down = -reciprocal.exponent - 40;
		if (root >> 40)
			assert_in_range((u64)(check >> down),
					(1ull << 40) - 1024,
					(1ull << 40) + 1024);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_integers_are_exact),
		cmocka_unit_test(cosine_has_its_corners),
		cmocka_unit_test(extremes_neither_overflow_nor_vanish),
		cmocka_unit_test(bad_shapes_are_refused),
		cmocka_unit_test(memory_stays_bounded),
		cmocka_unit_test(bad_queries_are_named),
		cmocka_unit_test(limits_refuse_only_what_is_beyond),
		cmocka_unit_test(the_scale_follows_the_rows),
		cmocka_unit_test(damaged_rows_do_no_harm),
		cmocka_unit_test(read_errors_are_passed_on),
		cmocka_unit_test(quotients_and_roots_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
