// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute columns and filter programs (kernel/core/attributes.h, filter.h):
 * random programs against an evaluation row by row, and programs that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/filter.h"
#include "random.h"

#define STRINGS 4
#define OPS 40
#define BYTES 8192

static const char *const words[STRINGS + 1] = { "en", "de", "", "fr", "none" };

static struct vexfs_disk_schema schema;
static struct vexfs_disk_attributes block;

/* What the rows hold: as callers carry it. */
static u64 values[512][VEXFS_COLUMNS_MAX];
static u32 nulls[512];

static int find_string(void *context, const u8 *string, u32 bytes, u64 *place)
{
	(void)context;
	for (u64 i = 0; i < STRINGS; i++)
		if (strlen(words[i]) == bytes && !memcmp(words[i], string, bytes)) {
			*place = i;
			return 0;
		}
	return -ENOENT;
}

static const struct vex_filter_strings strings = { .find = find_string };

static u64 double_bits(double value)
{
	u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double bits_double(u64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static u64 random_value(u32 type)
{
	static const double doubles[] = { -1e300, -2.5, -0.0, 0.0, 1e-310, 3, 1e300 };

	switch (type) {
	case VEXFS_COLUMN_I64:
		return random_below(8) ? random_below(5) - 2 :
		       random_below(2) ? (u64)S64_MAX : (u64)S64_MIN;
	case VEXFS_COLUMN_F64:
		return double_bits(doubles[random_below(7)]);
	case VEXFS_COLUMN_BOOL:
		return random_below(2);
	}
	return random_below(STRINGS);
}

static void random_rows(void)
{
	u32 columns = 1 + random_below(VEXFS_COLUMNS_MAX), rows, c, i;
	s64 keys[VEXFS_COLUMNS_MAX];
	u64 types = 0;

	memset(&schema, 0, sizeof(schema));
	memset(&block, 0, sizeof(block));
	schema.s_columns = columns;
	for (c = 0; c < columns; c++)
		types |= (1 + random_below(4)) << (4 * c);
	schema.s_column_types = cpu_to_le64(types);
	rows = vex_attributes_rows(columns);
	for (i = 0; i < rows; i++) {
		nulls[i] = random_below(3) ? 0 : random_below(1 << columns);
		for (c = 0; c < columns; c++) {
			u32 type = vex_column_type(&schema, c);

			values[i][c] = random_value(type);
			assert_int_equal(vex_attribute_encode(type, values[i][c], &keys[c]), 0);
		}
		vex_attributes_put(&block, columns, i, 0xffff,
				   ~nulls[i] & ((1U << columns) - 1), keys);
	}
	assert_null(vex_attributes_check(&block, &schema, 0));
}

/* A program in the making. */
static struct {
	u32 count;
	struct vexfs_filter_op ops[OPS];
	u64 lists[200];
	u32 list_values;
	u8 area[1024];
	u32 used;
} made;

/* A value for a program: strings are put into the area. */
static u64 program_value(u32 type)
{
	const char *word = words[random_below(STRINGS + 1)];
	u64 at = made.used;

	if (type != VEXFS_COLUMN_STRING)
		return random_value(type);
	memcpy(made.area + made.used, word, strlen(word));
	made.used += strlen(word);
	return VEXFS_STRING_REF(at, strlen(word));
}

static void random_comparison(void)
{
	struct vexfs_filter_op *op = &made.ops[made.count++];
	u32 type;

	memset(op, 0, sizeof(*op));
	op->column = random_below(schema.s_columns);
	type = vex_column_type(&schema, op->column);
	op->code = 1 + random_below(8);
	if (type == VEXFS_COLUMN_STRING && op->code >= VEXFS_FILTER_LT &&
	    op->code <= VEXFS_FILTER_GE)
		op->code = VEXFS_FILTER_EQ;
	if (op->code == VEXFS_FILTER_NULL)
		return;
	if (op->code != VEXFS_FILTER_IN) {
		op->value = program_value(type);
		return;
	}
	op->count = 1 + random_below(6);
	op->value = made.list_values;
	for (u32 i = 0; i < op->count; i++)
		made.lists[made.list_values++] = program_value(type);
}

/* Postfix, with up to 6 operands waiting. */
static void random_program(void)
{
	u32 depth = 0;

	memset(&made, 0, sizeof(made));
	while (made.count < OPS - 12 && (depth != 1 || random_below(6))) {
		if (depth && !random_below(4)) {
			made.ops[made.count++].code = VEXFS_FILTER_NOT;
		} else if (depth > 1 && random_below(2)) {
			made.ops[made.count++].code = VEXFS_FILTER_AND + random_below(2);
			depth--;
		} else if (depth < 6) {
			random_comparison();
			depth++;
		}
	}
	while (depth > 1) {
		made.ops[made.count++].code = VEXFS_FILTER_OR;
		depth--;
	}
}

/* The program in one piece; returns its bytes. */
static u32 put_program(u64 *into)
{
	struct vexfs_filter_program *program = (void *)into;
	u64 lists = sizeof(*program) + made.count * sizeof(program->ops[0]);
	u64 area = lists + 8 * made.list_values;

	memset(into, 0, BYTES);
	program->op_count = made.count;
	memcpy(into + lists / 8, made.lists, 8 * made.list_values);
	memcpy((u8 *)into + area, made.area, made.used);
	for (u32 i = 0; i < made.count; i++) {
		struct vexfs_filter_op *op = &program->ops[i];
		bool string;

		*op = made.ops[i];
		string = op->code <= VEXFS_FILTER_IN &&
			 vex_column_type(&schema, op->column) == VEXFS_COLUMN_STRING;
		if (op->code == VEXFS_FILTER_IN) {
			for (u32 j = 0; string && j < op->count; j++)
				into[lists / 8 + op->value + j] += area;
			op->value = lists + 8 * op->value;
		} else if (string) {
			op->value += area;
		}
	}
	return area + made.used;
}

/* -1, 0, 1: how a row's value compares with a program's. */
static int compare(u32 type, u64 a, u64 b)
{
	if (type == VEXFS_COLUMN_F64) {
		double x = bits_double(a), y = bits_double(b);

		return x < y ? -1 : x > y;
	}
	if (type == VEXFS_COLUMN_STRING) {
		u32 at = (u32)b, length = b >> 32;

		return strlen(words[a]) != length ||
		       memcmp(words[a], made.area + at, length);
	}
	return (s64)a < (s64)b ? -1 : (s64)a > (s64)b;
}

/* 1 holds, 0 does not, 2 unknown. */
static int holds(const struct vexfs_filter_op *op, u32 row)
{
	u32 type = vex_column_type(&schema, op->column);
	u64 value = values[row][op->column];
	int order;

	if (op->code == VEXFS_FILTER_NULL)
		return nulls[row] >> op->column & 1;
	if (nulls[row] >> op->column & 1)
		return 2;
	if (op->code == VEXFS_FILTER_IN) {
		for (u32 i = 0; i < op->count; i++)
			if (!compare(type, value, made.lists[op->value + i]))
				return 1;
		return 0;
	}
	order = compare(type, value, op->value);
	switch (op->code) {
	case VEXFS_FILTER_EQ:
		return !order;
	case VEXFS_FILTER_NE:
		return !!order;
	case VEXFS_FILTER_LT:
		return order < 0;
	case VEXFS_FILTER_LE:
		return order <= 0;
	case VEXFS_FILTER_GT:
		return order > 0;
	}
	return order >= 0;
}

static bool row_passes(u32 row)
{
	int stack[OPS], top = 0, a, b;

	for (u32 i = 0; i < made.count; i++) {
		const struct vexfs_filter_op *op = &made.ops[i];

		if (op->code < VEXFS_FILTER_AND) {
			stack[top++] = holds(op, row);
			continue;
		}
		a = stack[--top];
		if (op->code == VEXFS_FILTER_NOT) {
			stack[top++] = a == 2 ? 2 : !a;
			continue;
		}
		b = stack[--top];
		if (op->code == VEXFS_FILTER_AND)
			stack[top++] = !a || !b ? 0 : a == 2 || b == 2 ? 2 : 1;
		else
			stack[top++] = a == 1 || b == 1 ? 1 : a == 2 || b == 2 ? 2 : 0;
	}
	return stack[0] == 1;
}

static void test_random_programs(void **state)
{
	static u64 program[BYTES / 8];
	struct vex_filter filter;
	u32 i, row, count, bytes;
	u64 found;

	(void)state;
	random_seed("filter", 7);
	for (i = 0; i < 4000; i++) {
		if (!(i % 40))
			random_rows();
		random_program();
		bytes = put_program(program);
		assert_int_equal(vex_filter_init(&filter, program, bytes, &schema, &strings), 0);
		for (row = 0; row < vex_attributes_rows(schema.s_columns); row += count) {
			count = 1 + random_below(64);
			count = min(count, vex_attributes_rows(schema.s_columns) - row);
			found = vex_filter_rows(&filter, &block, row, count);
			for (u32 j = 0; j < count; j++)
				assert_int_equal(found >> j & 1, row_passes(row + j));
			assert_true(count == 64 || !(found >> count));
		}
	}
}

/* Rows without a block are null in every column. */
static void test_all_null(void **state)
{
	static u64 program[BYTES / 8];
	struct vex_filter filter;

	(void)state;
	random_rows();
	for (u32 i = 0; i < 500; i++) {
		random_program();
		assert_int_equal(vex_filter_init(&filter, program, put_program(program),
						 &schema, &strings), 0);
		for (u32 c = 0; c < 512; c++)
			nulls[c] = 0xffff;
		assert_int_equal(vex_filter_rows(&filter, NULL, 0, 64),
				 row_passes(0) ? U64_MAX : 0);
	}
}

/* Whatever comes in, what is accepted can be run. */
static void test_damaged_programs(void **state)
{
	static u64 program[BYTES / 8];
	struct vex_filter filter;
	u32 accepted = 0;

	(void)state;
	random_rows();
	for (u32 i = 0; i < 20000; i++) {
		u8 *exact;
		u32 bytes;

		if (!(i % 100))
			random_program();
		bytes = put_program(program);
		for (u64 n = 1 + random_below(3); n; n--)
			((u8 *)program)[random_below(bytes)] = random_below(4) ?
				random_below(20) : random_u64();
		if (!random_below(4))
			bytes = random_below(bytes + 1);
		/* so that the sanitizer sees what is beyond */
		exact = malloc(bytes ? bytes : 1);
		memcpy(exact, program, bytes);
		if (!vex_filter_init(&filter, exact, bytes, &schema, &strings)) {
			vex_filter_rows(&filter, &block, 0, 30);
			accepted++;
		}
		free(exact);
	}
	assert_true(accepted > 100);
}

#define REFUSED(change) do {						\
	u64 p_[8] = { 1 };						\
	struct vexfs_filter_program *p = (void *)p_;			\
	u32 bytes = 24;							\
	struct vex_filter f_;						\
	p->ops[0].code = VEXFS_FILTER_EQ;				\
	assert_int_equal(vex_filter_init(&f_, p_, bytes, &schema, &strings), 0); \
	memset(p_, 0, sizeof(p_));					\
	p->op_count = 1;						\
	p->ops[0].code = VEXFS_FILTER_EQ;				\
	change;								\
	assert_int_equal(vex_filter_init(&f_, p_, bytes, &schema, &strings), -EINVAL); \
} while (0)

static void test_refused(void **state)
{
	(void)state;
	memset(&schema, 0, sizeof(schema));
	schema.s_columns = 4;
	schema.s_column_types = cpu_to_le64(0x4321);
	REFUSED(p->op_count = 0);
	REFUSED(p->op_count = 2);
	REFUSED(p->op_count = VEXFS_FILTER_OPS_MAX + 1; bytes = VEXFS_FILTER_BYTES_MAX);
	REFUSED(p->reserved = 1);
	REFUSED(p->ops[0].code = 0);
	REFUSED(p->ops[0].code = 12);
	REFUSED(p->ops[0].reserved = 1);
	REFUSED(p->ops[0].count = 1);
	REFUSED(p->ops[0].column = 4);
	REFUSED(p->ops[0].code = VEXFS_FILTER_AND);
	REFUSED(p->ops[0].code = VEXFS_FILTER_NOT);
	REFUSED(bytes = 23);
	REFUSED(bytes = 7);
	REFUSED(bytes = VEXFS_FILTER_BYTES_MAX + 1);
	REFUSED(p->op_count = 2; p->ops[1] = p->ops[0]; bytes = 40);
	REFUSED(p->ops[0].code = VEXFS_FILTER_NULL; p->ops[0].value = 1);
	REFUSED(p->ops[0].column = 1; p->ops[0].value = double_bits(__builtin_nan("")));
	REFUSED(p->ops[0].column = 2; p->ops[0].value = 2);
	REFUSED(p->ops[0].column = 3; p->ops[0].code = VEXFS_FILTER_LT;
		p->ops[0].value = 24);
	REFUSED(p->ops[0].column = 3; p->ops[0].value = VEXFS_STRING_REF(24, 1));
	REFUSED(p->ops[0].column = 3; p->ops[0].value = VEXFS_STRING_REF(0, 1));
	REFUSED(p->ops[0].column = 3; p->ops[0].value = VEXFS_STRING_REF(24, 256); bytes = 400);
	REFUSED(p->ops[0].code = VEXFS_FILTER_IN);
	REFUSED(p->ops[0].code = VEXFS_FILTER_IN; p->ops[0].count = 1; p->ops[0].value = 24);
	REFUSED(p->ops[0].code = VEXFS_FILTER_IN; p->ops[0].count = 1;
		p->ops[0].value = 16; bytes = 32);
	REFUSED(p->ops[0].code = VEXFS_FILTER_IN; p->ops[0].count = U32_MAX;
		p->ops[0].value = 24; bytes = 32);
}

/* More operands waiting than the stack holds. */
static void test_depth(void **state)
{
	static u64 program[BYTES / 8];
	struct vexfs_filter_program *p = (void *)program;
	struct vex_filter filter;

	(void)state;
	for (u32 depth = VEXFS_FILTER_DEPTH_MAX; depth <= VEXFS_FILTER_DEPTH_MAX + 1; depth++) {
		memset(program, 0, sizeof(program));
		p->op_count = 2 * depth - 1;
		for (u32 i = 0; i < p->op_count; i++)
			p->ops[i].code = i < depth ? VEXFS_FILTER_NULL : VEXFS_FILTER_OR;
		assert_int_equal(vex_filter_init(&filter, p, 8 + 16 * p->op_count, &schema,
						 &strings),
				 depth > VEXFS_FILTER_DEPTH_MAX ? -EINVAL : 0);
	}
}

static void test_names(void **state)
{
	(void)state;
#define NAME(text) vex_column_name_check((const u8 *)(text), strlen(text))
	assert_true(NAME("price"));
	assert_true(NAME("_x9"));
	assert_true(NAME("android"));
	assert_false(NAME(""));
	assert_false(NAME("9x"));
	assert_false(NAME("a-b"));
	assert_false(NAME("And"));
	assert_false(NAME("null"));
	assert_true(NAME("abcdefghijklmnopqrstuvwxyz01234"));
	assert_false(NAME("abcdefghijklmnopqrstuvwxyz012345"));
#define NAMES(text, count) vex_column_names_check((const u8 *)(text), sizeof(text) - 1, count)
	assert_null(NAMES("a\0b\0", 2));
	assert_null(NAMES("", 0));
	assert_non_null(NAMES("a\0b", 2));
	assert_non_null(NAMES("a\0b\0", 1));
	assert_non_null(NAMES("a\0b\0", 3));
	assert_non_null(NAMES("a\0a\0", 2));
	assert_non_null(NAMES("a\0\0", 2));
}

/* Every column's values come back, and no bit of a block is free. */
static void test_blocks(void **state)
{
	s64 keys[VEXFS_COLUMNS_MAX];
	u32 present;

	(void)state;
	for (u32 n = 0; n < 100; n++) {
		random_rows();
		for (u32 i = 0; i < vex_attributes_rows(schema.s_columns); i++) {
			present = vex_attributes_get(&block, schema.s_columns, i, keys);
			assert_int_equal(present, ~nulls[i] & ((1U << schema.s_columns) - 1));
			for (u32 c = 0; c < schema.s_columns; c++) {
				u32 type = vex_column_type(&schema, c);
				u64 value = vex_attribute_decode(type, keys[c]);

				if (!(present >> c & 1))
					assert_int_equal(keys[c], 0);
				else if (type == VEXFS_COLUMN_F64)
					assert_true(bits_double(value) == bits_double(values[i][c]));
				else
					assert_int_equal(value, values[i][c]);
			}
		}
		assert_non_null(vex_attributes_check(&block, &schema, 1));
	}
	memset(&block, 0, sizeof(block));
	schema.s_columns = 3;
	schema.s_column_types = cpu_to_le64(0x123);
	assert_null(vex_attributes_check(&block, &schema, 0));
	for (u32 i = 0; i < VEXFS_ATTRIBUTES_BYTES; i++) {
		block.at_data[i] = 0x88;
		assert_non_null(vex_attributes_check(&block, &schema, 0));
		block.at_data[i] = 0;
	}
}

static void test_strings(void **state)
{
	struct vexfs_disk_strings s = { .ss_bytes = cpu_to_le16(7) };
	u32 bytes;

	(void)state;
	memcpy(s.ss_data, "\2en\0\2de", 7);
	assert_null(vex_strings_check(&s, 0));
	assert_non_null(vex_strings_check(&s, 1));
	assert_ptr_equal(vex_string_at(&s, 0, &bytes), s.ss_data + 1);
	assert_int_equal(bytes, 2);
	assert_ptr_equal(vex_string_at(&s, 3, &bytes), s.ss_data + 4);
	assert_int_equal(bytes, 0);
	assert_null(vex_string_at(&s, 7, &bytes));
	assert_null(vex_string_at(&s, 1, &bytes));
	assert_null(vex_string_at(&s, U32_MAX, &bytes));
	s.ss_data[4] = 3;
	assert_non_null(vex_strings_check(&s, 0));
	s.ss_bytes = cpu_to_le16(4017);
	assert_non_null(vex_strings_check(&s, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_programs),
		cmocka_unit_test(test_all_null),
		cmocka_unit_test(test_damaged_programs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
