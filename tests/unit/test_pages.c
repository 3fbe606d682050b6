// SPDX-License-Identifier: Apache-2.0
/* Records in pages: kernel/core/pages.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/pages.h"

/* The page of a record is the quotient, at every size and far out. */
static void test_number(void **state)
{
	static const u64 far[] = { 0, 1000000007, 0xffffffff, 1ull << 40,
				   (1ull << 48) - 1200 };
	struct vex_pages pages;

	(void)state;
	for (u32 bytes = 8; bytes <= VEX_RECORD_BYTES_MAX; bytes += 8) {
		vex_pages_init(&pages, bytes);
		assert_true(pages.per_page * bytes <= VEX_RECORD_BYTES_MAX);
		assert_true((pages.per_page + 1) * bytes >
			    VEX_RECORD_BYTES_MAX);
		for (u32 i = 0; i < ARRAY_SIZE(far); i++)
			for (u64 at = far[i]; at < far[i] + 1100; at++)
				assert_int_equal(vex_pages_number(&pages, at),
						 at / pages.per_page);
	}
}

static void *faulted;

static void *fault(const struct vex_pages *pages, u64 page, int *err)
{
	assert_int_equal(page, 1);
	if (!faulted)
		*err = -EIO;
	else
		pages->page[page] = faulted;
	return faulted;
}

static void test_access(void **state)
{
	void *table[3] = { malloc(VEX_PAGE_BYTES), NULL,
			   malloc(VEX_PAGE_BYTES) };
	struct vex_pages pages;
	int err = 0;

	(void)state;
	vex_pages_init(&pages, 1000);
	assert_int_equal(pages.per_page, 4);
	pages.page = table;
	pages.pages = 3;
	assert_ptr_equal(vex_pages_peek(&pages, 3), (char *)table[0] + 3000);
	assert_ptr_equal(vex_pages_peek(&pages, 8), table[2]);
	assert_null(vex_pages_peek(&pages, 4));
	assert_null(vex_pages_peek(&pages, 12));
	assert_null(vex_pages_peek(&pages, (1ull << 48) - 1));
	vex_pages_prefetch(&pages, 4, 1000);
	vex_pages_prefetch(&pages, 8, 1000);

	assert_null(vex_pages_get(&pages, 5, &err));
	assert_int_equal(err, -EUCLEAN);
	pages.fault = fault;
	assert_null(vex_pages_get(&pages, 5, &err));
	assert_int_equal(err, -EIO);
	faulted = malloc(VEX_PAGE_BYTES);
	assert_ptr_equal(vex_pages_get(&pages, 5, &err),
			 (char *)faulted + 1000);
	assert_ptr_equal(vex_pages_peek(&pages, 5), (char *)faulted + 1000);
	assert_null(vex_pages_get(&pages, 12, &err));
	assert_int_equal(err, -EUCLEAN);
	for (u32 i = 0; i < 3; i++)
		free(table[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
