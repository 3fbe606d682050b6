// SPDX-License-Identifier: Apache-2.0
/* Element validation, keys and radii: kernel/core/float.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../kernel/core/float.h"

static u64 double_bits(double value)
{
	u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void types_have_sizes(void **state)
{
	(void)state;
	assert_int_equal(vex_type_bytes(VEX_TYPE_F32), 4);
	assert_int_equal(vex_type_bytes(VEX_TYPE_F16), 2);
	assert_int_equal(vex_type_bytes(VEX_TYPE_I8), 1);
	assert_int_equal(vex_type_bytes(VEX_TYPE_U8), 1);
	assert_int_equal(vex_type_bytes(0), 0);
	assert_int_equal(vex_type_bytes(5), 0);
}

static void put(u32 type, u8 *data, size_t index, u32 bits)
{
	if (type == VEX_TYPE_F32)
		memcpy(data + 4 * index, &bits, 4);
	else
		memcpy(data + 2 * index, &bits, 2);
}

/* Every place in buffers of many lengths, at every alignment. */
static void finds_each_place(u32 type, u32 good, u32 bad)
{
	static u8 memory[8 + 4 * 200];
	size_t count, at, offset;

	for (offset = 0; offset < 3; offset++) {
		u8 *data = memory + offset;

		for (count = 0; count < 140; count += count < 70 ? 1 : 23) {
			size_t i;

			for (i = 0; i <= count; i++)
				put(type, data, i, good);
			/* what lies beyond is not looked at */
			put(type, data, count, bad);
			assert_int_equal(vex_elements_check(type, data, count),
					 -1);
			for (at = 0; at < count; at++) {
				put(type, data, at, bad);
				assert_int_equal(vex_elements_check(type, data,
								    count), at);
				put(type, data, at, good);
			}
		}
	}
}

static void infinities_and_nans_are_found(void **state)
{
	static const u32 bad_f32[] = { 0x7f800000, 0xff800000, 0x7fc00000,
				       0x7f800001, 0xffffffff };
	static const u32 bad_f16[] = { 0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff };
	static const u32 good_f32[] = { 0x7f7fffff, 0xff7fffff, 0, 0x80000000,
					1 };
	static const u32 good_f16[] = { 0x7bff, 0xfbff, 0, 0x8000, 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad_f32); i++) {
		finds_each_place(VEX_TYPE_F32, good_f32[i], bad_f32[i]);
		finds_each_place(VEX_TYPE_F16, good_f16[i], bad_f16[i]);
	}
}

static void the_first_bad_element_is_reported(void **state)
{
	u32 data[100] = { 0 };

	(void)state;
	data[97] = 0x7fc00000;
	data[41] = 0xff800000;
	data[42] = 0x7fc00000;
	assert_int_equal(vex_elements_check(VEX_TYPE_F32, data, 100), 41);
}

static void bytes_are_always_good(void **state)
{
	u8 data[64];

	(void)state;
	memset(data, 0xff, sizeof(data));
	assert_int_equal(vex_elements_check(VEX_TYPE_U8, data, 64), -1);
	assert_int_equal(vex_elements_check(VEX_TYPE_I8, data, 64), -1);
}

static void keys_keep_the_order(void **state)
{
	static const double values[] = { -1e308, -2.5, -1.0, -1e-308, -5e-324,
					 -0.0, 0.0, 5e-324, 1e-308, 1.0, 2.5,
					 1e308 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		u64 bits = double_bits(values[i]);
		s64 key = vex_key_from_double(bits);

		assert_true(vex_double_from_key(key) == bits);
		if (i)
			assert_true(vex_key_from_double(double_bits(
					values[i - 1])) < key);
		assert_true(key > VEX_KEY_MINUS_INFINITY);
		assert_true(key < VEX_KEY_INFINITY);
	}
	assert_true(vex_key_from_double(VEX_DOUBLE_INFINITY) ==
		    VEX_KEY_INFINITY);
	assert_true(vex_key_from_double(VEX_DOUBLE_INFINITY | 1ull << 63) ==
		    VEX_KEY_MINUS_INFINITY);
}

static void radii_are_checked(void **state)
{
	s64 key = 99;

	(void)state;
	assert_int_equal(vex_radius_key(VEX_DOUBLE_INFINITY + 1, &key), -EINVAL);
	assert_int_equal(vex_radius_key(~0ull, &key), -EINVAL);
	assert_int_equal(vex_radius_key(1ull << 63, &key), 0);
	assert_true(key == 0);
	assert_int_equal(vex_radius_key(VEX_DOUBLE_INFINITY, &key), 0);
	assert_true(key == VEX_KEY_INFINITY);
	assert_int_equal(vex_radius_key(double_bits(-1.5), &key), 0);
	assert_true(vex_double_from_key(key) == double_bits(-1.5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_sizes),
		cmocka_unit_test(infinities_and_nans_are_found),
		cmocka_unit_test(the_first_bad_element_is_reported),
		cmocka_unit_test(bytes_are_always_good),
		cmocka_unit_test(keys_keep_the_order),
		cmocka_unit_test(radii_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
