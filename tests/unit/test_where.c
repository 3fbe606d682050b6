// SPDX-License-Identifier: Apache-2.0
/*
 * Filters from text (libvexfs): what the programs are, that the core takes them,
 * and where mistakes are found. Needs no VexFS.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vexfs.h>

#include "../../kernel/core/filter.h"
#include "random.h"

static struct vexfs_column columns[VEXFS_COLUMNS_MAX];
static int column_count;

static int find_string(void *context, const u8 *string, u32 bytes, u64 *place)
{
	(void)context;
	(void)string;
	*place = bytes;
	return bytes < 10 ? 0 : -ENOENT;
}

/* Does the core take a program for these columns? */
static int core_takes(void *program, size_t bytes)
{
	struct vex_filter_strings strings = { .find = find_string };
	struct vexfs_disk_schema schema = { .s_columns = (u8)column_count };
	struct vex_filter filter;
	u64 types = 0;
	int c;

	for (c = 0; c < column_count; c++)
		types |= (u64)columns[c].type << (4 * c);
	schema.s_column_types = types;
	return vex_filter_init(&filter, program, (u32)bytes, &schema, &strings);
}

/* The codes of a filter's operations, a letter each. */
static void assert_program(const char *text, const char *codes)
{
	static const char letters[] = "?=!<{>}inao~";
	struct vexfs_filter_program *program;
	struct vexfs_filter_error error;
	char got[200];
	void *made;
	size_t bytes;
	unsigned int i;

	if (vexfs_filter_parse(text, columns, (unsigned int)column_count, &made, &bytes,
			       &error) < 0)
		fail_msg("%s: at %zu: %s", text, error.at, error.text);
	program = made;
	for (i = 0; i < program->op_count; i++)
		got[i] = letters[program->ops[i].code];
	got[i] = '\0';
	assert_string_equal(got, codes);
	assert_int_equal(core_takes(made, bytes), 0);
	free(made);
}

static void test_programs(void **state)
{
	(void)state;
	assert_program("n=1", "=");
	assert_program("n == -1", "=");
	assert_program("price <= .5e-3", "{");
	assert_program("price < 20 and lang in (\"en\",'de') and not sold", "<ia=~a");
	assert_program("n = 1 or n = 2 and n = 3", "===ao");
	assert_program("(n = 1 or n = 2) and n = 3", "==o=a");
	assert_program("not not sold", "=~~");
	assert_program("not sold or sold", "=~=o");
	assert_program("lang is null", "n");
	assert_program("lang is not null", "n~");
	assert_program("lang not in ('a\\'b')", "i~");
	assert_program("lang <> 'x' AND Sold != true", "!!a");
	assert_program("n in (1,2,3) or lang in ('x', 'yy') or n in (4)", "iioio");
	assert_program("n>-9223372036854775808 and n<9223372036854775807", "><a");
	assert_program("lang = \"\"", "=");
	assert_program("lang = 'a string that the dictionary does not hold'", "=");
}

static void assert_wrong(const char *text, size_t at, const char *says)
{
	struct vexfs_filter_error error;
	void *made;
	size_t bytes;
	int rc;

	rc = vexfs_filter_parse(text, columns, (unsigned int)column_count, &made, &bytes,
				&error);
	assert_true(rc == -EINVAL || rc == -E2BIG);
	if (error.at != at || !strstr(error.text, says))
		fail_msg("%s: at %zu: %s", text, error.at, error.text);
}

static void test_mistakes(void **state)
{
	char text[4000] = "";
	int i;

	(void)state;
	assert_wrong("", 0, "too early");
	assert_wrong("n = ", 4, "number");
	assert_wrong("cost < 3", 0, "no column 'cost'");
	assert_wrong("n < 3 and cost = 1", 10, "no column 'cost'");
	assert_wrong("n < 3.5", 4, "whole");
	assert_wrong("n < 3x", 4, "no number");
	assert_wrong("n = 9223372036854775808", 4, "too large");
	assert_wrong("price = 1e999", 8, "too large");
	assert_wrong("price = nan", 8, "number");
	assert_wrong("lang < 'x'", 0, "strings");
	assert_wrong("lang = x", 7, "quotes");
	assert_wrong("lang = 'x", 7, "no end");
	assert_wrong("lang = 'x\\", 7, "no end");
	assert_wrong("sold = 1", 7, "true or false");
	assert_wrong("n", 1, "operator");
	assert_wrong("n ~ 3", 2, "operator");
	assert_wrong("n not 3", 2, "operator");
	assert_wrong("n in 3", 5, "(");
	assert_wrong("n in ()", 6, "number");
	assert_wrong("n in (1 2)", 8, ", or )");
	assert_wrong("(n = 1", 6, ")");
	assert_wrong("n = 1)", 5, "the end");
	assert_wrong("n = 1 n = 2", 6, "the end");
	assert_wrong("n is 3", 5, "null");
	assert_wrong("and", 0, "no column");
	assert_wrong("n = 1 or", 8, "too early");
	for (i = 0; i < 10; i++)
		strcat(text, "n = 1 or (");
	assert_wrong(text, 100, "too early");
	memset(text, '(', 300);
	text[300] = '\0';
	assert_wrong(text, 200, "parentheses");
	/* More operands wait than a program may hold. */
	text[0] = '\0';
	for (i = 0; i < 33; i++)
		strcat(text, "n=1 or (");
	strcat(text, "n=1");
	for (i = 0; i < 33; i++)
		strcat(text, ")");
	assert_wrong(text, 256, "parentheses");
}

/* Whatever the text, the core takes what comes out. */
static void test_random(void **state)
{
	static const char *const words[] = {
		"n", "price", "lang", "sold", "and", "or", "not", "in", "is", "null", "(", ")",
		",", "=", "!=", "<", ">=", "1", "-2", "3.5", "'x'", "\"yz\"", "true", "false", " ",
	};
	struct vexfs_filter_error error;
	char text[400];
	unsigned int good = 0, i, w;
	void *made;
	size_t bytes;

	(void)state;
	random_seed("where", 3);
	for (i = 0; i < 300000; i++) {
		text[0] = '\0';
		for (w = 1 + (unsigned int)random_below(14); w > 0; w--) {
			strcat(text, words[random_below(sizeof(words) / sizeof(words[0]))]);
			strcat(text, " ");
		}
		if (vexfs_filter_parse(text, columns, (unsigned int)column_count, &made, &bytes,
				       &error) < 0) {
			assert_true(error.at <= strlen(text));
			assert_true(error.text[0] != '\0');
			continue;
		}
		assert_int_equal(core_takes(made, bytes), 0);
		free(made);
		good++;
	}
	assert_true(good > 100);
}

static void test_columns(void **state)
{
	struct vexfs_column out[VEXFS_COLUMNS_MAX];
	size_t bad_at = 99;

	(void)state;
	assert_int_equal(vexfs_columns_parse("a:i64", out, NULL), 1);
	assert_int_equal(out[0].type, VEXFS_COLUMN_I64);
	assert_int_equal(vexfs_columns_parse("a:i64;b:bool,c:string", out, NULL), 3);
	assert_string_equal((const char *)out[2].name, "c");
	assert_int_equal(vexfs_columns_parse("a:i64,b:int", out, &bad_at), -EINVAL);
	assert_int_equal(bad_at, 6);
	assert_int_equal(vexfs_columns_parse("", out, &bad_at), -EINVAL);
	assert_int_equal(vexfs_columns_parse("a", out, &bad_at), -EINVAL);
	assert_int_equal(vexfs_columns_parse(":i64", out, &bad_at), -EINVAL);
	assert_int_equal(vexfs_columns_parse("abcdefghijklmnopqrstuvwxyz012345:i64", out, &bad_at),
			 -EINVAL);
	assert_string_equal(vexfs_column_type_name(VEXFS_COLUMN_STRING), "string");
	assert_null(vexfs_column_type_name(5));
	assert_null(vexfs_column_type_name(0));
}

static int setup(void **state)
{
	(void)state;
	column_count = vexfs_columns_parse("price:f64,n:i64,Sold:bool,lang:string,sold:bool",
					   columns, NULL);
	return column_count == 5 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
