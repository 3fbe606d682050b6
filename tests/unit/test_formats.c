// SPDX-License-Identifier: Apache-2.0
/*
 * Tests of what vexfs reads and writes: fvecs, bvecs, ivecs, NumPy arrays, raw rows
 * and ids, well-formed and damaged; numbers; schemas; JSON. Needs no VexFS.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vexfs.h>

#include "element.h"
#include "json.h"
#include "number.h"
#include "progress.h"
#include "sink.h"
#include "source.h"

static char path[64];

/* A file with these bytes; its name ends in @ending. */
static const char *file_of(const char *ending, const void *bytes, size_t count)
{
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "/tmp/vexfs-formats-XXXXXX%s", ending);
	fd = mkstemps(path, (int)strlen(ending));
	assert_true(fd >= 0);
	file = fdopen(fd, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void expect_refused(const char *ending, const void *bytes, size_t count, const char *why)
{
	struct source source;

	assert_false(source_open(&source, file_of(ending, bytes, count), SOURCE_AUTO, 2,
				 VEXFS_ELEMENT_F32));
	if (!strstr(source.error, why))
		fail_msg("'%s' does not say '%s'", source.error, why);
	unlink(path);
}

/* A .npy with this header text and @count bytes after it. */
static size_t npy_of(unsigned char *to, int version, const char *header, const void *data,
		     size_t count)
{
	size_t length = strlen(header), start = version == 1 ? 10 : 12;

	memcpy(to, "\x93NUMPY", 6);
	to[6] = (unsigned char)version;
	to[7] = 0;
	to[8] = length & 255;
	to[9] = (unsigned char)(length >> 8);
	if (version > 1)
		memset(to + 10, 0, 2);
	memcpy(to + start, header, length);
	memcpy(to + start + length, data, count);
	return start + length + count;
}

static const unsigned char two_fvecs[] = {
	2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40,	/* 1 2 */
	2, 0, 0, 0, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0xc0,	/* 3 -4 */
};

static void test_fvecs(void **state)
{
	struct source source;
	float rows[6];

	(void)state;
	assert_true(source_open(&source, file_of(".fvecs", two_fvecs, sizeof(two_fvecs)),
				SOURCE_AUTO, 0, 0));
	assert_int_equal(source.format, SOURCE_FVECS);
	assert_int_equal(source.dim, 2);
	assert_int_equal(source.element, VEXFS_ELEMENT_F32);
	assert_int_equal(source.rows, 2);
	assert_int_equal(source_read(&source, rows, 1), 1);
	assert_int_equal(source_read(&source, rows + 2, 2), 1);
	assert_int_equal(source_read(&source, rows + 4, 1), 0);
	assert_true(rows[0] == 1 && rows[1] == 2 && rows[2] == 3 && rows[3] == -4);
	source_close(&source);
	unlink(path);
}

static void test_format_by_contents(void **state)
{
	static const unsigned char bvecs[] = { 3, 0, 0, 0, 7, 8, 255, 3, 0, 0, 0, 1, 2, 3 };
	/* four rows of two bytes, or two of two floats */
	static const unsigned char both[24] = { 2, 0, 0, 0, 9, 9, 2, 0, 0, 0, 9, 9, 2, 0, 0, 0 };
	struct source source;
	unsigned char rows[6];

	(void)state;
	assert_true(source_open(&source, file_of(".data", two_fvecs, sizeof(two_fvecs)),
				SOURCE_AUTO, 0, 0));
	assert_int_equal(source.format, SOURCE_FVECS);
	source_close(&source);
	unlink(path);
	assert_true(source_open(&source, file_of("", bvecs, sizeof(bvecs)), SOURCE_AUTO, 0, 0));
	assert_int_equal(source.format, SOURCE_BVECS);
	assert_int_equal(source.element, VEXFS_ELEMENT_U8);
	assert_int_equal(source_read(&source, rows, 5), 2);
	assert_int_equal(rows[2], 255);
	assert_int_equal(rows[5], 3);
	source_close(&source);
	unlink(path);
	expect_refused("", both, sizeof(both), "say --format");
	expect_refused("", "whatever it is", 14, "say --format");
	expect_refused("", "", 0, "is empty");
}

static void test_damaged_vecs(void **state)
{
	unsigned char bytes[sizeof(two_fvecs)];
	struct source source;
	float rows[6];

	(void)state;
	expect_refused(".fvecs", two_fvecs, 23, "byte 12 begins one of which only 11 bytes");
	expect_refused(".fvecs", two_fvecs, 3, "ends at byte 3");
	expect_refused(".fvecs", "", 0, "is empty");
	expect_refused(".fvecs", "\0\0\0\0", 4, "0 elements");
	expect_refused(".fvecs", "\xff\xff\xff\xff", 4, "4294967295 elements");
	expect_refused(".bvecs", two_fvecs, 11, "byte 6 begins one of which only 5 bytes");
	memcpy(bytes, two_fvecs, sizeof(bytes));
	bytes[12] = 1;
	assert_true(source_open(&source, file_of(".fvecs", bytes, sizeof(bytes)), SOURCE_AUTO, 0,
				0));
	assert_int_equal(source_read(&source, rows, 2), -1);
	assert_non_null(strstr(source.error, "row 1 at byte 12 says that it has 1 elements"));
	source_close(&source);
	unlink(path);
}

/* A pipe does not tell its size: damage is found where it is. */
static void test_pipe(void **state)
{
	struct source source;
	float rows[6];
	int ends[2], saved;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], two_fvecs, 20), 20);
	close(ends[1]);
	saved = dup(STDIN_FILENO);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	close(ends[0]);
	assert_true(source_open(&source, "-", SOURCE_FVECS, 0, 0));
	assert_int_equal(source.rows, SOURCE_UNKNOWN);
	assert_int_equal(source_read(&source, rows, 1), 1);
	assert_int_equal(source_read(&source, rows, 1), -1);
	assert_non_null(strstr(source.error,
			       "row 1 begins at byte 12 and takes 12 bytes, but only 8"));
	source_close(&source);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void test_npy(void **state)
{
	static const char *const headers[] = {
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }          \n",
		"{\"shape\":(2,2),'fortran_order':False,'descr':'<f4'}\n",
		"{'fortran_order': False, 'descr': '<f4', 'shape': (2, 2,)}",
	};
	static const float data[] = { 1, 2, 3, -4 };
	unsigned char bytes[512];
	struct source source;
	float rows[4];
	int version;

	(void)state;
	for (version = 1; version <= 3; version++) {
		size_t size = npy_of(bytes, version, headers[version - 1], data, sizeof(data));

		assert_true(source_open(&source, file_of(".x", bytes, size), SOURCE_AUTO, 0, 0));
		assert_int_equal(source.format, SOURCE_NPY);
		assert_int_equal(source.dim, 2);
		assert_int_equal(source.rows, 2);
		assert_int_equal(source_read(&source, rows, 9), 2);
		assert_memory_equal(rows, data, sizeof(data));
		assert_int_equal(source_read(&source, rows, 9), 0);
		source_close(&source);
		unlink(path);
	}
}

static void test_npy_types(void **state)
{
	static const struct {
		const char *header;
		unsigned int element;
		size_t bytes;
	} types[] = {
		{ "{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }\n",
		  VEXFS_ELEMENT_F16, 6 },
		{ "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3), }\n",
		  VEXFS_ELEMENT_I8, 3 },
		{ "{'descr': '|u1', 'fortran_order': True, 'shape': (3,), }\n",
		  VEXFS_ELEMENT_U8, 3 },
	};
	unsigned char bytes[512];
	struct source source;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		size_t size = npy_of(bytes, 1, types[i].header, "abcdef", types[i].bytes);

		assert_true(source_open(&source, file_of(".npy", bytes, size), SOURCE_AUTO, 0, 0));
		assert_int_equal(source.element, types[i].element);
		assert_int_equal(source.dim, 3);
		assert_int_equal(source.rows, 1);
		source_close(&source);
		unlink(path);
	}
}

static void expect_npy_refused(const char *header, size_t data, const char *why)
{
	static const char zeros[4096];
	unsigned char bytes[8192];
	size_t size = npy_of(bytes, 1, header, zeros, data);

	expect_refused(".npy", bytes, size, why);
}

static void test_damaged_npy(void **state)
{
	static const char good[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}";
	unsigned char bytes[512];
	size_t size = npy_of(bytes, 1, good, "0123456789abcdef", 16), i;

	(void)state;
	expect_npy_refused(good, 15, "only 15 bytes follow from byte 67");
	expect_npy_refused(good, 17, "1 bytes follow the array's end at byte 83");
	expect_npy_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", 32,
			   "astype('<f4')");
	expect_npy_refused("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2)}", 16,
			   "big-endian");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16,
			   "ascontiguousarray");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 2)}", 16,
			   "reshape");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4,
			   "0 dimensions");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4)}", 16, "damaged");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False}", 16, "damaged");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}", 16, "damaged");
	expect_npy_refused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, "
			   "'shape': (4,)}", 16, "damaged");
	expect_npy_refused("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (4,)}", 16,
			   "structures");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, "
			   "'shape': (99999999999999999999999, 2)}", 16, "damaged");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, "
			   "'shape': (1844674407370955160, 2)}", 16, "cut off");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", 0,
			   "without rows");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 65536)}", 0,
			   "65536 elements");
	expect_npy_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} x", 16,
			   "damaged");
	/* Cut off anywhere, it is refused. */
	for (i = 0; i < size; i++)
		expect_refused(".npy", bytes, i, "");
	bytes[6] = 4;
	expect_refused(".npy", bytes, size, "version 4.0");
}

static void test_raw(void **state)
{
	struct source source;
	float rows[6];

	(void)state;
	assert_true(source_open(&source, file_of(".raw", two_fvecs, 24), SOURCE_AUTO, 3,
				VEXFS_ELEMENT_F32));
	assert_int_equal(source.rows, 2);
	assert_int_equal(source_read(&source, rows, 8), 2);
	assert_memory_equal(rows, two_fvecs, 24);
	source_close(&source);
	unlink(path);
	expect_refused(".raw", two_fvecs, 23, "byte 16 begins one of which only 7 bytes");
	expect_refused(".raw", "", 0, "is empty");
	assert_false(source_open(&source, file_of(".raw", two_fvecs, 24), SOURCE_AUTO, 0, 0));
	assert_non_null(strstr(source.error, "--dim"));
	unlink(path);
}

static void expect_ids(const char *ending, const void *bytes, size_t size,
		       enum source_format format, const uint64_t *ids, int64_t count)
{
	struct source source;
	uint64_t got[16];

	assert_true(source_open_ids(&source, file_of(ending, bytes, size), SOURCE_AUTO));
	assert_int_equal(source.format, format);
	assert_int_equal(source_read_ids(&source, got, 16), count);
	assert_memory_equal(got, ids, (size_t)count * sizeof(*ids));
	assert_int_equal(source_read_ids(&source, got, 16), 0);
	source_close(&source);
	unlink(path);
}

static void expect_bad_ids(const char *ending, const void *bytes, size_t size, const char *why)
{
	struct source source;
	uint64_t got[16];

	if (source_open_ids(&source, file_of(ending, bytes, size), SOURCE_AUTO)) {
		assert_int_equal(source_read_ids(&source, got, 16), -1);
		source_close(&source);
	}
	if (!strstr(source.error, why))
		fail_msg("'%s' does not say '%s'", source.error, why);
	unlink(path);
}

static void test_ids(void **state)
{
	static const uint64_t ids[] = { 5, 0, 70000, VEXFS_ID_MAX };
	static const int32_t ivecs[] = { 2, 5, 0, 2, 70000, 5 };
	static const uint64_t from_ivecs[] = { 5, 0, 70000, 5 };
	static const int64_t negative[] = { 4, -1 };
	static const int32_t small[] = { 7, 8 };
	static const uint64_t from_small[] = { 7, 8 };
	unsigned char bytes[512];
	size_t size;

	(void)state;
	expect_ids(".txt", "5\n0, 70000\t18446744073709551614", 31, SOURCE_TEXT, ids, 4);
	expect_ids("", "5 0 70000\n18446744073709551614\n", 31, SOURCE_TEXT, ids, 4);
	expect_ids(".u64", ids, sizeof(ids), SOURCE_U64, ids, 4);
	expect_ids(".ivecs", ivecs, sizeof(ivecs), SOURCE_IVECS, from_ivecs, 4);
	size = npy_of(bytes, 1, "{'descr': '<u8', 'fortran_order': False, 'shape': (4,)}", ids, 32);
	expect_ids(".npy", bytes, size, SOURCE_NPY, ids, 4);
	size = npy_of(bytes, 2, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1)}", small,
		      8);
	expect_ids("", bytes, size, SOURCE_NPY, from_small, 2);
	size = npy_of(bytes, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", negative,
		      16);
	expect_bad_ids(".npy", bytes, size, "id 1 is negative");
	size = npy_of(bytes, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", negative,
		      16);
	expect_bad_ids(".npy", bytes, size, "astype('<u8')");
	expect_bad_ids(".u64", ids, 31, "byte 24 begins a part of one");
	expect_bad_ids(".u64", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "cannot be an id");
	expect_bad_ids(".txt", "1 2 x", 5, "byte 4: id 2");
	expect_bad_ids(".txt", "18446744073709551615", 20, "byte 0: id 0");
	expect_bad_ids(".txt", "-1", 2, "byte 0: id 0");
	expect_bad_ids(".ivecs", "\1\0\0\0\xff\xff\xff\xff", 8, "id 0 at byte 4 is negative");
	expect_bad_ids(".fvecs", two_fvecs, 24, "--ids-format");
	expect_bad_ids("", ids, sizeof(ids), "--ids-format");
}

/* What sink writes, source reads. */
static void test_sink(void **state)
{
	static const uint64_t ids[] = { 3, 1 };
	static const float rows[] = { 1, 2.5f, -3, 4, 5, 6 };
	static const char *const names[] = { ".npy", ".fvecs", ".raw" };
	struct source source;
	struct sink sink;
	float got[6];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		file_of(names[i], "", 0);
		assert_int_equal(sink_open(&sink, path, SOURCE_AUTO, VEXFS_ELEMENT_F32, 3,
					   SOURCE_UNKNOWN), 0);
		assert_int_equal(sink_write(&sink, rows, 1), 0);
		assert_int_equal(sink_write(&sink, rows + 3, 1), 0);
		assert_int_equal(sink_close(&sink, 0), 0);
		assert_true(source_open(&source, path, SOURCE_AUTO, 3, VEXFS_ELEMENT_F32));
		assert_int_equal(source.rows, 2);
		assert_int_equal(source_read(&source, got, 2), 2);
		assert_memory_equal(got, rows, sizeof(rows));
		source_close(&source);
		unlink(path);
	}
	for (i = 0; i < 2; i++) {
		file_of(i ? ".u64" : ".npy", "", 0);
		assert_int_equal(sink_open(&sink, path, SOURCE_AUTO, 0, 0, 2), 0);
		assert_int_equal(sink_write(&sink, ids, 2), 0);
		assert_int_equal(sink_close(&sink, 0), 0);
		assert_true(source_open_ids(&source, path, SOURCE_AUTO));
		assert_int_equal(source_read_ids(&source, (uint64_t *)got, 3), 2);
		assert_memory_equal(got, ids, sizeof(ids));
		source_close(&source);
		unlink(path);
	}
}

static void test_half(void **state)
{
	unsigned int bits;

	(void)state;
	for (bits = 0; bits < 0x10000; bits++) {
		float value = half_to_float((uint16_t)bits);

		if ((bits & 0x7c00) == 0x7c00 && bits & 1023)
			assert_true(isnan(value));
		else
			assert_int_equal(double_to_half((double)value), bits);
	}
	assert_int_equal(double_to_half(65519.999), 0x7bff);
	assert_int_equal(double_to_half(65520), 0x7c00);
	assert_int_equal(double_to_half(-1e300), 0xfc00);
	assert_int_equal(double_to_half(0x1p-25), 0);		/* half way to the least: even */
	assert_int_equal(double_to_half(0x1.8p-24), 2);		/* half way: even is up */
	assert_int_equal(double_to_half(0x1.002p0), 0x3c00);	/* half way: even is down */
	assert_int_equal(double_to_half(0x1.006p0), 0x3c02);	/* half way: even is up */
	assert_int_equal(double_to_half(0x1.0020001p0), 0x3c01);
	assert_int_equal(double_to_half(0x1.fffp-15), 0x0400);	/* denormal up to normal */
	assert_int_equal(double_to_half(1.9999), 0x4000);	/* carries into the exponent */
}

static void test_convert(void **state)
{
	static const float floats[] = { 0, 255, 1.5f, -1, 70000, NAN };
	static const uint8_t bytes[] = { 0, 128, 255 };
	uint16_t halves[6];
	uint8_t whole[6];
	float back[3];
	uint64_t bad = 99;

	(void)state;
	assert_true(element_convert(VEXFS_ELEMENT_U8, VEXFS_ELEMENT_F32, bytes, back, 3, &bad));
	assert_true(back[0] == 0 && back[1] == 128 && back[2] == 255);
	assert_true(element_convert(VEXFS_ELEMENT_I8, VEXFS_ELEMENT_F32, bytes, back, 3, &bad));
	assert_true(back[0] == 0 && back[1] == -128 && back[2] == -1);
	assert_true(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_U8, floats, whole, 2, &bad));
	assert_int_equal(whole[1], 255);
	assert_false(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_U8, floats, whole, 3, &bad));
	assert_int_equal(bad, 2);
	assert_false(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_U8, floats + 3, whole, 1,
				     &bad));
	assert_false(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_I8, floats + 1, whole, 1,
				     &bad));
	assert_false(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_I8, floats + 5, whole, 1,
				     &bad));
	assert_true(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_F16, floats, halves, 4, &bad));
	assert_int_equal(halves[2], 0x3e00);
	assert_false(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_F16, floats, halves, 5,
				     &bad));
	assert_int_equal(bad, 4);
	assert_true(element_convert(VEXFS_ELEMENT_F32, VEXFS_ELEMENT_F16, floats + 5, halves, 1,
				    &bad));
}

static void test_numbers(void **state)
{
	char text[NUMBER_TEXT_MAX];
	float values[3];
	size_t count, bad_at;
	uint64_t number;
	double real;

	(void)state;
	assert_true(parse_u64("18446744073709551615", &number) && number == UINT64_MAX);
	assert_false(parse_u64("18446744073709551616", &number));
	assert_false(parse_u64("", &number) || parse_u64("-1", &number) ||
		     parse_u64("1 ", &number) || parse_u64("0x1", &number));
	assert_false(parse_u64_within("11", 1, 10, &number));
	assert_true(parse_double("-1e-3", &real) && real == -0.001);
	assert_false(parse_double("nan", &real) || parse_double("1x", &real) ||
		     parse_double("", &real) || parse_double("1e999", &real));
	assert_true(parse_vector("[0.5, -1e3, 2]", values, 3, &count, &bad_at));
	assert_true(count == 3 && values[0] == 0.5f && values[1] == -1000 && values[2] == 2);
	assert_true(parse_vector(" 1 2\n3 ", values, 3, &count, &bad_at) && count == 3);
	assert_false(parse_vector("1,,2", values, 3, &count, &bad_at));
	assert_int_equal(bad_at, 2);
	assert_false(parse_vector("1,x", values, 3, &count, &bad_at));
	assert_int_equal(bad_at, 2);
	assert_false(parse_vector("1,2,3,4", values, 3, &count, &bad_at));
	assert_false(parse_vector("", values, 3, &count, &bad_at));
	assert_false(parse_vector("1,nan", values, 3, &count, &bad_at));
	assert_false(parse_vector("1e39", values, 3, &count, &bad_at));
	assert_string_equal(format_double(text, 0.1), "0.1");
	assert_string_equal(format_double(text, 1.0 / 3), "0.3333333333333333");
	assert_string_equal(format_double(text, -1e300), "-1e+300");
	assert_string_equal(format_float(text, 0.1f), "0.1");
	assert_string_equal(format_float(text, 16777216), "16777216");
	assert_string_equal(format_bytes(text, 1023), "1023 B");
	assert_string_equal(format_bytes(text, 1536), "1.5 KiB");
	assert_string_equal(format_bytes(text, UINT64_MAX), "16.0 EiB");
	assert_string_equal(format_count(text, 999), "999");
	assert_string_equal(format_count(text, 12345), "12.3 k");
	assert_string_equal(format_seconds(text, 59.4), "59 s");
	assert_string_equal(format_seconds(text, 61), "1 m 1 s");
	assert_string_equal(format_seconds(text, 7500), "2 h 5 m");
	assert_string_equal(format_seconds(text, NAN), "277777 h 46 m");
}

static void test_progress(void **state)
{
	struct progress progress = { .label = "insert", .unit = "rows", .total = 1000 };
	char text[PROGRESS_TEXT_MAX];

	(void)state;
	progress_line(&progress, 250, 1.0, text);
	assert_string_equal(text, "insert: [######..................]  25% of 1000 rows, 250/s, 3 "
			    "s left");
	progress_line(&progress, 2000, 1.0, text);
	assert_non_null(strstr(text, "100%"));
	progress_line(&progress, 0, 0, text);
	assert_non_null(strstr(text, "? s left"));
	progress.total = UINT64_MAX;
	progress_line(&progress, 10, 2.0, text);
	assert_string_equal(text, "insert: 10 rows, 5/s");
}

static void test_json(void **state)
{
	char *text = NULL;
	size_t length;
	struct json json = { .out = open_memstream(&text, &length) };

	(void)state;
	assert_non_null(json.out);
	json_open(&json, '{');
	json_key(&json, "a\"b");
	json_text(&json, "\\ \n\t\x01\x7f \xc3\xa9 \xff \xed\xa0\x80 \xf0\x9f\x98\x80 \xc3");
	json_key(&json, "n");
	json_open(&json, '[');
	json_u64(&json, UINT64_MAX);
	json_double(&json, 0.1);
	json_double(&json, INFINITY);
	json_float(&json, 0.1f);
	json_bool(&json, true);
	json_null(&json);
	json_open(&json, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_close(&json, '}');
	json_end_line(&json);
	fclose(json.out);
	assert_string_equal(text, "{\"a\\\"b\":\"\\\\ \\n\\t\\u0001\\u007f \xc3\xa9 \\ufffd "
			    "\\ufffd\\ufffd\\ufffd \xf0\x9f\x98\x80 \\ufffd\","
			    "\"n\":[18446744073709551615,0.1,null,0.1,true,null,{}]}\n");
	free(text);
}

static void test_schema_text(void **state)
{
	static const char *const bad[] = {
		"", "dim", "dim=", "dim=0", "dim=65536", "dim=4294967297", "dim=1x", "dim=-1",
		"type=f32", "dim=4,", "dim=4,,type=f32", "dim=4,type=f64", "dim=4,type=",
		"dim=4,metric=euclid", "dim=4,ids=1", "dim=4,dim=4", "dim=4,size=3", " dim=4",
		"dim=4,type=f3", "dim=4,type=f322",
	};
	struct vexfs_schema schema;
	char text[VEXFS_SCHEMA_TEXT_MAX];
	size_t i, bad_at;

	(void)state;
	assert_int_equal(vexfs_schema_parse("dim=768", &schema, NULL), 0);
	assert_true(vexfs_schema_format(&schema, text, sizeof(text)) > 0);
	assert_string_equal(text, "dim=768,type=f32,metric=l2,ids=auto");
	assert_int_equal(vexfs_schema_parse("ids=own,metric=cosine,type=u8,dim=65535", &schema,
					    NULL), 0);
	assert_int_equal(vexfs_schema_format(&schema, text, sizeof(text)), 39);
	assert_string_equal(text, "dim=65535,type=u8,metric=cosine,ids=own");
	assert_int_equal(vexfs_schema_format(&schema, text, 10), -ERANGE);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (vexfs_schema_parse(bad[i], &schema, &bad_at) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(vexfs_schema_parse("dim=4,type=f64", &schema, &bad_at), -EINVAL);
	assert_int_equal(bad_at, 6);
	memset(&schema, 0, sizeof(schema));
	assert_int_equal(vexfs_schema_format(&schema, text, sizeof(text)), -EINVAL);
}

static void test_explain(void **state)
{
	char text[256];
	int error;

	(void)state;
	vexfs_explain(VEXFS_OPERATION_KNN, -ENOTTY, "f", VEXFS_UNKNOWN, text, sizeof(text));
	assert_string_equal(text, "f is not on a VexFS filesystem");
	vexfs_explain(VEXFS_OPERATION_INSERT, -EINVAL, "f", 7, text, sizeof(text));
	assert_non_null(strstr(text, "row 7 "));
	for (error = 1; error < 200; error++) {
		assert_true(vexfs_explain(VEXFS_OPERATION_INSERT, -error, "f", VEXFS_UNKNOWN, text,
					  sizeof(text)) > 0);
		assert_int_equal(text[0], 'f');
	}
	assert_true(vexfs_explain(VEXFS_OPERATION_GET, -EIO, "f", VEXFS_UNKNOWN, text, 4) > 4);
	assert_int_equal(strlen(text), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fvecs),
		cmocka_unit_test(test_format_by_contents),
		cmocka_unit_test(test_damaged_vecs),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_npy),
		cmocka_unit_test(test_npy_types),
		cmocka_unit_test(test_damaged_npy),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_convert),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_schema_text),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
