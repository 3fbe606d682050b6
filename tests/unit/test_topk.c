// SPDX-License-Identifier: Apache-2.0
/* The bounded heap: order, ties, intervals, errors: kernel/core/topk.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/topk.h"

#define MANY 5000u

/* The exact distances behind the intervals, by row. */
static s64 truth[MANY];
static u32 calls;
static int failure;

static int decide(void *context, const struct vex_entry *a,
		  const struct vex_entry *b, int *result)
{
	assert_ptr_equal(context, truth);
	calls++;
	if (failure)
		return failure;
	*result = truth[a->row] < truth[b->row] ? -1 :
		  truth[a->row] > truth[b->row];
	return 0;
}

static int by_truth(const void *a, const void *b)
{
	const struct vex_entry *x = a, *y = b;

	if (truth[x->row] != truth[y->row])
		return truth[x->row] < truth[y->row] ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static u32 seed = 1;

static u32 next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Candidates whose true distances lie in 0..range and blur their intervals. */
static void make(struct vex_entry *entries, u32 count, u32 range, u32 blur)
{
	u32 i;

	for (i = 0; i < count; i++) {
		truth[i] = (s64)(next_random() % range) - range / 2;
		entries[i].lo = truth[i] - (blur ? next_random() % blur : 0);
		entries[i].hi = truth[i] + (blur ? next_random() % blur : 0);
		/* equal keys claim an exact distance */
		entries[i].id = (i * 7919u) % 1000003u;
		entries[i].row = i;
	}
}

static void check(u32 count, u32 k, u32 range, u32 blur, bool merge)
{
	struct vex_entry *all = calloc(count, sizeof(*all));
	struct vex_entry *kept = calloc(k, sizeof(*kept));
	struct vex_topk top;
	u32 i;

	make(all, count, range, blur);
	vex_topk_init(&top, kept, k, decide, truth);
	if (merge) {
		assert_int_equal(vex_topk_merge(&top, all, count / 2), 0);
		assert_int_equal(vex_topk_merge(&top, all + count / 2,
						count - count / 2), 0);
	} else {
		for (i = 0; i < count; i++) {
			int ret = vex_topk_offer(&top, &all[i]);

			assert_true(ret == 0 || ret == 1);
			/* the limit must let every better candidate in */
			assert_true(all[i].lo <= vex_topk_limit(&top) || !ret);
		}
	}
	assert_int_equal(top.count, min(k, count));
	assert_int_equal(vex_topk_sort(&top), 0);
	qsort(all, count, sizeof(*all), by_truth);
	for (i = 0; i < top.count; i++)
		assert_int_equal(kept[i].id, all[i].id);
	free(all);
	free(kept);
}

static void order_is_exact(void **state)
{
	static const u32 sizes[] = { 1, 2, 3, 10, 100, 1000, 6000 };
	u32 i;

	(void)state;
	failure = 0;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check(MANY, sizes[i], 1000000, 0, false);
		check(MANY, sizes[i], 1000000, 5000, false);
		check(MANY, sizes[i], 50, 30, false);
		check(MANY, sizes[i], 1, 3, false);
		check(MANY, sizes[i], 300, 40, true);
		check(1, sizes[i], 300, 40, false);
	}
}

static void exact_keys_need_no_decision(void **state)
{
	(void)state;
	failure = 0;
	calls = 0;
	check(MANY, 100, 20, 0, false);
	assert_int_equal(calls, 0);
}

static void errors_are_passed_on(void **state)
{
	struct vex_entry kept[2];
	struct vex_entry a = { .lo = 0, .hi = 10, .id = 1, .row = 0 };
	struct vex_topk top;

	(void)state;
	failure = -EIO;
	vex_topk_init(&top, kept, 2, decide, truth);
	assert_int_equal(vex_topk_offer(&top, &a), 1);
	assert_int_equal(vex_topk_offer(&top, &a), -EIO);
	assert_int_equal(vex_topk_merge(&top, &a, 1), -EIO);
	failure = 0;
}

static void the_limit_is_open_until_full(void **state)
{
	struct vex_entry kept[2];
	struct vex_entry a = { .lo = 5, .hi = 6, .id = 1, .row = 0 };
	struct vex_topk top;

	(void)state;
	failure = 0;
	vex_topk_init(&top, kept, 2, decide, truth);
	assert_true(vex_topk_limit(&top) == S64_MAX);
	vex_topk_offer(&top, &a);
	assert_true(vex_topk_limit(&top) == S64_MAX);
	a.lo = a.hi = 8;
	vex_topk_offer(&top, &a);
	assert_true(vex_topk_limit(&top) == 8);
	a.lo = a.hi = 9;
	assert_int_equal(vex_topk_offer(&top, &a), 0);
	a.lo = a.hi = 8;
	a.id = 0;	/* a tie goes to the lower id */
	assert_int_equal(vex_topk_offer(&top, &a), 1);
	assert_int_equal(vex_topk_offer(&top, &a), 0);
}

/* Each row three times, with rows that are equally far: one of each is left. */
static void rows_are_dropped_that_came_twice(void **state)
{
	static struct vex_entry all[MANY], kept[3 * MANY];
	struct vex_topk top;
	u32 i;

	(void)state;
	failure = 0;
	make(all, MANY, 100, 20);
	vex_topk_init(&top, kept, 3 * MANY, decide, truth);
	for (i = 0; i < 3; i++)
		assert_int_equal(vex_topk_merge(&top, all, MANY), 0);
	assert_int_equal(top.count, 3 * MANY);
	assert_int_equal(vex_topk_sort(&top), 0);
	vex_topk_unique(&top);
	assert_int_equal(top.count, MANY);
	qsort(all, MANY, sizeof(*all), by_truth);
	for (i = 0; i < MANY; i++)
		assert_int_equal(kept[i].id, all[i].id);
	top.count = 0;
	vex_topk_unique(&top);
	assert_int_equal(top.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_exact),
		cmocka_unit_test(exact_keys_need_no_decision),
		cmocka_unit_test(errors_are_passed_on),
		cmocka_unit_test(the_limit_is_open_until_full),
		cmocka_unit_test(rows_are_dropped_that_came_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
