// SPDX-License-Identifier: Apache-2.0
/*
 * Header slots and trailers of derived forks: each check is shown a good
 * structure and then the same with one thing wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "derived.h"

#define FORK 4711

static struct vexfs_disk_derived good(u64 sequence)
{
	struct vexfs_disk_derived header;

	memset(&header, 0, sizeof(header));
	header.dv_kind = cpu_to_le32(VEXFS_DERIVED_SKETCHES);
	header.dv_fork = cpu_to_le64(FORK);
	header.dv_sequence = cpu_to_le64(sequence);
	header.dv_generation = cpu_to_le64(3);
	header.dv_rows = cpu_to_le64(1000);
	header.dv_regions[0].rg_first = cpu_to_le64(VEX_DERIVED_SLOTS);
	header.dv_regions[0].rg_pages = cpu_to_le64(4);
	header.dv_regions[2].rg_first = cpu_to_le64(6);
	header.dv_regions[2].rg_pages = cpu_to_le64(1);
	memset(header.dv_parameters, 0xa5, 100);
	header.dv_parameter_bytes = cpu_to_le32(100);
	vex_derived_seal(&header);
	return header;
}

/* With a checksum that fits, the message begins with @begin; NULL: it is sound. */
static void assert_says(struct vexfs_disk_derived *header, const char *begin)
{
	const char *what;

	vex_derived_seal(header);
	what = vex_derived_check(header, FORK);
	if (!what != !begin || (begin && strncmp(what, begin, strlen(begin))))
		fail_msg("\"%s\" instead of \"%s\"", what ? what : "sound",
			 begin ? begin : "sound");
}

static void header_fields(void **state)
{
	struct vexfs_disk_derived header = good(1);

	(void)state;
	assert_null(vex_derived_check(&header, FORK));
	assert_non_null(vex_derived_check(&header, FORK + 1));
	header.dv_kind = 0;
	assert_says(&header, "dv_kind");
	header.dv_kind = cpu_to_le32(VEXFS_DERIVED_KINDS);
	assert_says(&header, "dv_kind");
	header = good(1);
	header.dv_parameter_bytes = cpu_to_le32(VEXFS_DERIVED_PARAMETERS);
	assert_says(&header, NULL);
	header.dv_parameter_bytes = cpu_to_le32(VEXFS_DERIVED_PARAMETERS + 1);
	assert_says(&header, "dv_parameter_bytes");
	header = good(1);
	header.dv_reserved[sizeof(header.dv_reserved) - 1] = 1;
	assert_says(&header, "dv_reserved");
	header = good(1);
	header.dv_version = cpu_to_le32(VEXFS_DERIVED_VERSION + 1);
	assert_non_null(vex_derived_check(&header, FORK));
}

static void regions(void **state)
{
	struct vexfs_disk_derived header = good(1);

	(void)state;
	/* over the header slots */
	header.dv_regions[0].rg_first = cpu_to_le64(VEX_DERIVED_SLOTS - 1);
	assert_says(&header, "rg_first");
	/* over another, or before it */
	header = good(1);
	header.dv_regions[2].rg_first = cpu_to_le64(5);
	assert_says(&header, "rg_first");
	header.dv_regions[2].rg_first = cpu_to_le64(VEX_DERIVED_SLOTS);
	assert_says(&header, "rg_first");
	/* without pages, but somewhere */
	header = good(1);
	header.dv_regions[1].rg_first = cpu_to_le64(6);
	assert_says(&header, "rg_first");
	/* beyond the end of what a file may have; sums that overflow */
	header = good(1);
	header.dv_regions[2].rg_pages = cpu_to_le64(VEXFS_FILE_BLOCKS_MAX - 6);
	assert_says(&header, NULL);
	header.dv_regions[2].rg_pages = cpu_to_le64(VEXFS_FILE_BLOCKS_MAX - 5);
	assert_says(&header, "rg_first");
	header.dv_regions[2].rg_pages = cpu_to_le64(~0ULL - 3);
	assert_says(&header, "rg_first");
	header.dv_regions[2].rg_first = cpu_to_le64(~0ULL - 1);
	assert_says(&header, "rg_first");
}

/* Any bit of a slot. */
static void torn_header(void **state)
{
	struct vexfs_disk_derived header = good(1);
	u8 *bytes = (u8 *)&header;

	(void)state;
	for (u32 at = 0; at < sizeof(header); at++) {
		bytes[at] ^= 1 << at % 8;
		assert_non_null(vex_derived_check(&header, FORK));
		bytes[at] ^= 1 << at % 8;
	}
	assert_null(vex_derived_check(&header, FORK));
}

static void choice(void **state)
{
	struct vexfs_disk_derived one = good(7), two = good(8);
	const struct vexfs_disk_derived *slots[2] = { &one, &two };

	(void)state;
	assert_ptr_equal(vex_derived_choose(slots, FORK), &two);
	slots[0] = &two;
	slots[1] = &one;
	assert_ptr_equal(vex_derived_choose(slots, FORK), &two);
	two.dv_rows = 0;
	assert_ptr_equal(vex_derived_choose(slots, FORK), &one);
	memset(&one, 0, sizeof(one));
	assert_null(vex_derived_choose(slots, FORK));
	two = good(8);
	assert_ptr_equal(vex_derived_choose(slots, FORK), &two);
	assert_null(vex_derived_choose(slots, FORK - 1));
}

static void trailers(void **state)
{
	u8 page[VEX_PAGE_BYTES];
	u64 seed = vex_derived_seed(FORK, 3, 17);

	(void)state;
	for (u32 i = 0; i < sizeof(page); i++)
		page[i] = (u8)(i * 37);
	assert_false(vex_derived_sound(page, seed));
	vex_derived_stamp(page, seed);
	assert_true(vex_derived_sound(page, seed));
	for (u32 at = 0; at < sizeof(page); at++) {
		page[at] ^= 1 << at % 8;
		assert_false(vex_derived_sound(page, seed));
		page[at] ^= 1 << at % 8;
	}
	/* a page of another fork, generation or place */
	assert_false(vex_derived_sound(page, vex_derived_seed(FORK + 1, 3, 17)));
	assert_false(vex_derived_sound(page, vex_derived_seed(FORK, 4, 17)));
	assert_false(vex_derived_sound(page, vex_derived_seed(FORK, 3, 18)));
	assert_false(vex_derived_sound(page, vex_derived_seed(17, 3, FORK)));
	/* zeros are nobody's */
	memset(page, 0, sizeof(page));
	assert_false(vex_derived_sound(page, seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields),
		cmocka_unit_test(regions),
		cmocka_unit_test(torn_header),
		cmocka_unit_test(choice),
		cmocka_unit_test(trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
