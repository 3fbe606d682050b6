// SPDX-License-Identifier: Apache-2.0
/*
 * Nanoseconds a row of the distance kernels over rows that fit the cache.
 * Compile kernel/core with the kernel's flags (no SSE), this file as usual.
 * Limits are just below the nearest row's distance, so that every row is
 * refused, as nearly all are in a search; "early": half of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../kernel/core/distance.h"

#define ROWS 128u
#define BATCH 16u
#define PASSES 60u

static u64 seed = 88172645463325252ull;

static u32 next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 32);
}

static void fill(u32 type, void *data, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		/* A sum of uniform numbers is near enough to a normal one. */
		double v = 0;
		int j;

		for (j = 0; j < 6; j++)
			v += next_random() / 4294967296.0 - 0.5;
		if (type == VEX_TYPE_F32)
			((float *)data)[i] = (float)(v * 0.05);
		else if (type == VEX_TYPE_F16)
			((u16 *)data)[i] = (u16)((next_random() & 0x83ff) |
						 (10 + next_random() % 4) << 10);
		else
			((u8 *)data)[i] = (u8)(128 + v * 60);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The quickest of several passes over all rows, in ns a row and query. */
static double measure(struct vex_search *search, const u8 *rows,
		      size_t row_bytes, u32 queries, s64 limit)
{
	struct vex_interval out[BATCH];
	s64 limits[BATCH];
	double best = 1e18;
	u32 pass, i;

	for (i = 0; i < BATCH; i++)
		limits[i] = limit;
	for (pass = 0; pass < PASSES; pass++) {
		double start = now();

		for (i = 0; i < ROWS; i++) {
			const u8 *row = rows + i * row_bytes;

			if (queries == 1)
				vex_distance_row(search, 0, row, limit, out);
			else
				vex_distance_batch(search, row, limits, out);
		}
		start = (now() - start) / ROWS / queries;
		best = start < best ? start : best;
	}
	return best;
}

static void run(const char *name, u32 type, u32 metric, u32 queries, bool early)
{
	static const u32 dims[] = { 100, 128, 384, 784, 1536 };
	u32 i, q;

	printf("%-20s", name);
	for (i = 0; i < ARRAY_SIZE(dims); i++) {
		struct vex_shape shape = { type, type, metric, dims[i], queries };
		size_t row_bytes = (size_t)dims[i] * vex_type_bytes(type);
		u8 *rows = aligned_alloc(64, (ROWS * row_bytes + 63) & ~63ul);
		void *memory = aligned_alloc(64, (vex_search_bytes(&shape) + 63) & ~63ul);
		struct vex_search *search = vex_search_init(memory, &shape);
		struct vex_interval out;
		s64 limit;

		fill(type, rows, ROWS * dims[i]);
		for (q = 0; q < queries; q++)
			fill(type, vex_search_query(search, q), dims[i]);
		if (vex_search_prepare(search, NULL))
			return;
		/* As in a search: a limit just below the nearest row. */
		limit = VEX_KEY_INFINITY;
		for (q = 0; q < ROWS; q++) {
			vex_distance_row(search, 0, rows + q * row_bytes,
					 S64_MAX, &out);
			limit = min(limit, out.lo);
		}
		if (early)	/* much below: half of it */
			limit -= 1ll << 52;
		printf("%9.1f", measure(search, rows, row_bytes, queries, limit));
		free(memory);
		free(rows);
	}
	putchar('\n');
}

int main(void)
{
	puts("ns/row, dims:              100      128      384      784     1536");
	run("u8 l2", VEX_TYPE_U8, VEX_METRIC_L2, 1, false);
	run("u8 l2 early", VEX_TYPE_U8, VEX_METRIC_L2, 1, true);
	run("u8 ip", VEX_TYPE_U8, VEX_METRIC_IP, 1, false);
	run("u8 cosine", VEX_TYPE_U8, VEX_METRIC_COSINE, 1, false);
	run("u8 l1", VEX_TYPE_U8, VEX_METRIC_L1, 1, false);
	run("u8 l2 batch", VEX_TYPE_U8, VEX_METRIC_L2, BATCH, false);
	run("f32 l2", VEX_TYPE_F32, VEX_METRIC_L2, 1, false);
	run("f32 l2 early", VEX_TYPE_F32, VEX_METRIC_L2, 1, true);
	run("f32 ip", VEX_TYPE_F32, VEX_METRIC_IP, 1, false);
	run("f32 cosine", VEX_TYPE_F32, VEX_METRIC_COSINE, 1, false);
	run("f32 l1", VEX_TYPE_F32, VEX_METRIC_L1, 1, false);
	run("f32 l2 batch", VEX_TYPE_F32, VEX_METRIC_L2, BATCH, false);
	run("f32 ip batch", VEX_TYPE_F32, VEX_METRIC_IP, BATCH, false);
	run("f32 cosine batch", VEX_TYPE_F32, VEX_METRIC_COSINE, BATCH, false);
	run("f32 l1 batch", VEX_TYPE_F32, VEX_METRIC_L1, BATCH, false);
	run("f16 l2", VEX_TYPE_F16, VEX_METRIC_L2, 1, false);
	run("f16 l2 batch", VEX_TYPE_F16, VEX_METRIC_L2, BATCH, false);
	return 0;
}
