// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute columns and filters on a mounted filesystem: what was inserted or set
 * is what is read, before and after a remount, and a search with a filter finds
 * what a look at every row finds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <vexfs.h>
#include "check.h"

#define DIM	4U
#define ROWS	20000U
#define K	20U
#define COLUMNS	4U
#define WORDS	5U
#define TO_U64(p) ((uint64_t)(uintptr_t)(p))

static const char *const words[WORDS] = { "en", "de", "", "fr \"x\"", "zh" };
static const char columns_text[] = "price:f64;n:i64;sold:bool;lang:string";

/* What the file should hold; a row's word is its number in words. */
static struct model {
	float vector[DIM];
	bool deleted;
	uint32_t present;
	uint64_t value[COLUMNS];
} model[ROWS];
static uint64_t rows;

static uint64_t seed = 88172645463325252ULL;

static uint64_t next(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Records of a batch, and the strings that they name. */
static uint64_t records[ROWS][1 + COLUMNS];
static char strings[ROWS * 8];
static uint64_t strings_used;

static void make_attributes(struct model *row)
{
	row->present = next(4) ? 15 : (uint32_t)next(16);
	row->value[0] = vexfs_double_to_bits((double)next(1000) / 8 - 20);
	row->value[1] = next(50) ? next(1000) - 500 : next(2) ? INT64_MAX : (uint64_t)INT64_MIN;
	row->value[2] = next(2);
	row->value[3] = next(WORDS);
}

static void put_record(uint64_t *record, const struct model *row)
{
	record[0] = row->present;
	for (unsigned int c = 0; c < COLUMNS; c++) {
		record[1 + c] = row->present >> c & 1 ? row->value[c] : 0;
		if (c == 3 && row->present >> c & 1) {
			const char *word = words[row->value[c]];

			record[1 + c] = VEXFS_STRING_REF(strings_used, strlen(word));
			memcpy(strings + strings_used, word, strlen(word));
			strings_used += strlen(word);
		}
	}
}

static void insert(int fd, uint64_t count, bool attributes)
{
	static float vectors[ROWS][DIM];
	struct vexfs_batch_insert batch = {
		.vectors = TO_U64(vectors),
		.vectors_bytes = count * sizeof(vectors[0]),
		.count = count,
	};

	strings_used = 0;
	for (uint64_t i = 0; i < count; i++) {
		struct model *row = &model[rows + i];

		memset(row, 0, sizeof(*row));
		for (unsigned int d = 0; d < DIM; d++)
			row->vector[d] = (float)next(40);
		memcpy(vectors[i], row->vector, sizeof(row->vector));
		if (attributes) {
			make_attributes(row);
			put_record(records[i], row);
		}
	}
	if (attributes) {
		batch.attributes = TO_U64(records);
		batch.attributes_bytes = count * sizeof(records[0]);
		batch.strings = strings_used ? TO_U64(strings) : 0;
		batch.strings_bytes = strings_used;
	}
	SAME(vexfs_insert_batch(fd, &batch), 0);
	rows += count;
}

static int make_file(const char *path)
{
	struct vexfs_column columns[VEXFS_COLUMNS_MAX];
	struct vexfs_schema schema;
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);

	OK(fd);
	SAME(vexfs_schema_parse("dim=4", &schema, NULL), 0);
	schema.column_count = (uint32_t)vexfs_columns_parse(columns_text, columns, NULL);
	schema.columns = TO_U64(columns);
	SAME(schema.column_count, COLUMNS);
	SAME(vexfs_schema_set(fd, &schema), 0);
	SAME(vexfs_schema_set(fd, &schema), 0);
	rows = 0;
	return fd;
}

/* Every row has the attributes that the model has. */
static void check_all(int fd)
{
	static uint64_t ids[ROWS], got[ROWS][1 + COLUMNS];
	static char area[ROWS * 8];
	uint64_t count = 0, done = 0, bad = 0;

	for (uint64_t i = 0; i < rows; i++)
		if (!model[i].deleted)
			ids[count++] = i;
	while (done < count) {
		struct vexfs_attributes get = {
			.ids = TO_U64(ids + done),
			.count = count - done,
			.attributes = TO_U64(got),
			.attributes_bytes = (count - done) * sizeof(got[0]),
			.strings = TO_U64(area),
			.strings_bytes = 1000 + next(5000),
		};

		SAME(vexfs_attributes_get(fd, &get), 0);
		if (!get.returned)
			return;
		for (uint64_t i = 0; i < get.returned; i++) {
			const struct model *row = &model[ids[done + i]];

			bad += got[i][0] != row->present;
			for (unsigned int c = 0; c < COLUMNS; c++) {
				uint64_t value = got[i][1 + c];

				if (!(row->present >> c & 1))
					bad += value != 0;
				else if (c < 3)
					bad += value != row->value[c];
				else
					bad += value >> 32 != strlen(words[row->value[c]]) ||
					       memcmp(area + (uint32_t)value,
						      words[row->value[c]], value >> 32) != 0;
			}
		}
		done += get.returned;
	}
	SAME(bad, 0);
}

/* 1, 0, or -1 for null. */
static int compare_price(const struct model *row, double limit)
{
	return row->present & 1 ? vexfs_distance_to_double(row->value[0]) < limit : -1;
}

static int is_word(const struct model *row, unsigned int word)
{
	return row->present & 8 ? row->value[3] == word : -1;
}

static int sold(const struct model *row)
{
	return row->present & 4 ? (int)row->value[2] : -1;
}

static bool all(const struct model *row)
{
	return row != NULL;
}

static bool cheap(const struct model *row)
{
	return compare_price(row, 20.5) == 1;
}

static bool cheap_de_unsold(const struct model *row)
{
	return compare_price(row, 60) == 1 &&
	       (is_word(row, 1) == 1 || is_word(row, 3) == 1) && sold(row) == 0;
}

static bool not_cheap_or_null(const struct model *row)
{
	return compare_price(row, 0) == 0 || !(row->present & 2);
}

static bool one_in_thousand(const struct model *row)
{
	return row->present & 2 && row->value[1] == 7;
}

static bool few(const struct model *row)
{
	return row->present & 2 && ((int64_t)row->value[1] > 499 ||
				    row->value[1] == (uint64_t)-500);
}

static bool empty_word(const struct model *row)
{
	return is_word(row, 2) == 1;
}

static bool other_word(const struct model *row)
{
	return row->present & 8;
}

static bool none(const struct model *row)
{
	return !row;
}

static const struct {
	const char *text;
	bool (*passes)(const struct model *row);
} filters[] = {
	{ "n is null or n is not null", all },
	{ "price < 20.5", cheap },
	{ "price < 60 and lang in (\"de\", 'fr \"x\"', 'none') and not sold", cheap_de_unsold },
	{ "Not price < 0 OR n IS NULL", not_cheap_or_null },
	{ "n = 7", one_in_thousand },
	{ "(n > 499) or n == -500", few },
	{ "lang = ''", empty_word },
	{ "lang != 'none'", other_word },
	{ "lang = 'none'", none },
	{ "n < -9223372036854775808", none },
};

static bool allow_id(uint64_t id)
{
	return id % 7 == 3 || id / 100 == 55;
}

/* The K nearest rows by a look at each. */
static uint32_t brute(const float *query, bool (*passes)(const struct model *row), bool by_id,
		      struct vexfs_result *best)
{
	uint32_t count = 0;

	for (uint64_t i = 0; i < rows; i++) {
		double distance = 0;
		uint32_t at;

		if (model[i].deleted || !passes(&model[i]) || (by_id && !allow_id(i)))
			continue;
		for (unsigned int d = 0; d < DIM; d++)
			distance += (double)(model[i].vector[d] - query[d]) *
				    (model[i].vector[d] - query[d]);
		if (count == K && vexfs_distance_to_double(best[K - 1].distance) <= distance)
			continue;
		if (count < K)
			count++;
		for (at = count - 1; at > 0 &&
		     vexfs_distance_to_double(best[at - 1].distance) > distance; at--)
			best[at] = best[at - 1];
		best[at].id = i;
		best[at].distance = vexfs_double_to_bits(distance);
	}
	return count;
}

static void check_filter(int fd, const char *text, bool (*passes)(const struct model *row),
			 bool by_id)
{
	static uint64_t ids[ROWS + 10];
	struct vexfs_result found[2][K], truth[K], *in_range = NULL;
	struct vexfs_column columns[VEXFS_COLUMNS_MAX];
	struct vexfs_filter_error error;
	struct vexfs_range_search range;
	struct vexfs_knn_search search;
	struct vexfs_schema schema;
	uint32_t counts[2], wanted;
	uint64_t id_count = 0, range_count, expected = 0;
	float query[2][DIM];
	size_t bytes;
	void *program;
	int count;

	for (unsigned int d = 0; d < 2 * DIM; d++)
		query[d / DIM][d % DIM] = (float)next(40);
	count = vexfs_columns_get(fd, columns);
	SAME(count, COLUMNS);
	SAME(vexfs_schema_get(fd, &schema), 0);
	if (vexfs_filter_parse(text, columns, (unsigned int)count, &program, &bytes, &error) < 0) {
		FAIL("%s: at %zu: %s", text, error.at, error.text);
		return;
	}
	for (uint64_t i = 0; by_id && i < rows + 10; i++)
		if (allow_id(i))
			ids[id_count++] = i;
	vexfs_knn_init(&search, &schema, 0, query, 2, K, found[0], counts);
	search.filter = TO_U64(program);
	search.filter_bytes = bytes;
	search.filter_ids = by_id ? TO_U64(ids) : 0;
	search.filter_ids_count = id_count;
	SAME(next(2) ? vexfs_knn(fd, &search) : vexfs_knn_parallel(fd, &search, 2), 0);
	for (unsigned int q = 0; q < 2; q++) {
		wanted = brute(query[q], passes, by_id, truth);
		SAME(counts[q], wanted);
		if (counts[q] != wanted || memcmp(found[q], truth, wanted * sizeof(truth[0])) != 0)
			FAIL("%s: other rows than a look at each finds", text);
	}
	vexfs_range_init(&range, &schema, 0, query[0], 100);
	range.filter = search.filter;
	range.filter_bytes = bytes;
	range.filter_ids = search.filter_ids;
	range.filter_ids_count = id_count;
	SAME(vexfs_range_all(fd, &range, 0, &in_range, &range_count), 0);
	for (uint64_t i = 0; i < rows; i++) {
		double distance = 0;

		for (unsigned int d = 0; d < DIM; d++)
			distance += (double)(model[i].vector[d] - query[0][d]) *
				    (model[i].vector[d] - query[0][d]);
		expected += distance <= 100 && !model[i].deleted && passes(&model[i]) &&
			    (!by_id || allow_id(i));
	}
	SAME(range_count, expected);
	for (uint64_t i = 0; i < range_count; i++)
		CHECK(passes(&model[in_range[i].id]) && !model[in_range[i].id].deleted);
	free(in_range);
	free(program);
}

static void check_filters(int fd)
{
	for (unsigned int i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		check_filter(fd, filters[i].text, filters[i].passes, i % 2);
	check_filter(fd, "n is null or n is not null", all, true);
}

/* Give random rows other values in random columns. */
static void set_some(int fd, uint64_t count)
{
	static uint64_t ids[ROWS];
	uint32_t which = 1 + (uint32_t)next(15);
	struct vexfs_attributes set = {
		.ids = TO_U64(ids),
		.columns = which,
		.attributes = TO_U64(records),
		.strings = TO_U64(strings),
	};

	strings_used = 1;
	while (set.count < count) {
		struct model *row, fresh;

		ids[set.count] = next(rows);
		row = &model[ids[set.count]];
		if (row->deleted)
			continue;
		make_attributes(&fresh);
		put_record(records[set.count++], &fresh);
		row->present = (row->present & ~which) | (fresh.present & which);
		for (unsigned int c = 0; c < COLUMNS; c++)
			if (which >> c & 1)
				row->value[c] = fresh.value[c];
	}
	set.attributes_bytes = count * sizeof(records[0]);
	set.strings_bytes = strings_used;
	SAME(vexfs_attributes_set(fd, &set), 0);
}

static void delete_some(int fd, uint64_t count)
{
	static uint64_t ids[ROWS];
	uint64_t n = 0;

	while (n < count) {
		uint64_t id = next(rows);

		if (model[id].deleted)
			continue;
		model[id].deleted = true;
		ids[n++] = id;
	}
	SAME(vexfs_delete(fd, ids, n, 0, NULL, NULL), 0);
}

static void test_filters(void)
{
	int fd = make_file("f");

	check_filters(fd);
	insert(fd, 1, true);
	insert(fd, 398, true);
	insert(fd, 403, true);
	check_all(fd);
	check_filters(fd);
	insert(fd, 300, false);
	insert(fd, 9000, true);
	check_all(fd);
	check_filters(fd);
	set_some(fd, 1);
	set_some(fd, 3000);
	check_all(fd);
	delete_some(fd, 2000);
	set_some(fd, 500);
	insert(fd, 5000, true);
	check_all(fd);
	check_filters(fd);
	close(fd);
	check_remount();
	fd = open("f", O_RDWR | O_CLOEXEC);
	OK(fd);
	check_all(fd);
	check_filters(fd);
	close(fd);
}

/* Rows that are cut off leave nothing behind for those that come in their place. */
static void test_truncate(void)
{
	static float zero[100][DIM];
	int fd = make_file("f");

	insert(fd, 5000, true);
	OK(ftruncate(fd, 1234 * sizeof(zero[0])));
	rows = 1234;
	check_all(fd);
	insert(fd, 1, false);
	close(fd);
	check_remount();
	fd = open("f", O_RDWR | O_CLOEXEC);
	/* Ids go on where they were, so the model cannot tell the new rows. */
	{
		uint64_t ids[1] = { 5000 }, got[1 + COLUMNS] = { 1 };
		struct vexfs_attributes get = {
			.ids = TO_U64(ids), .count = 1,
			.attributes = TO_U64(got), .attributes_bytes = sizeof(got),
		};

		SAME(vexfs_attributes_get(fd, &get), 0);
		for (unsigned int c = 0; c <= COLUMNS; c++)
			SAME(got[c], 0);
	}
	OK(ftruncate(fd, 0));
	rows = 0;
	SAME(write(fd, zero, sizeof(zero)), sizeof(zero));
	OK(fsync(fd));
	close(fd);
	/* Not truncated: removed with all that it has. */
	fd = make_file("g");
	insert(fd, 3000, true);
	close(fd);
	OK(unlink("g"));
}

static void test_inherit(void)
{
	struct vexfs_column columns[VEXFS_COLUMNS_MAX];
	char text[1024];
	ssize_t length;
	int fd;

	OK(mkdir("d", 0755));
	snprintf(text, sizeof(text), "dim=4,columns=%s,metric=l2", columns_text);
	OK(setxattr("d", "vexfs.schema", text, strlen(text), 0));
	OK(setxattr("d", "vexfs.schema", text, strlen(text), 0));
	fd = open("d/f", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	OK(fd);
	SAME(vexfs_columns_get(fd, columns), COLUMNS);
	CHECK(!strcmp((const char *)columns[3].name, "lang"));
	SAME(columns[3].type, VEXFS_COLUMN_STRING);
	length = getxattr("d/f", "vexfs.schema", text, sizeof(text) - 1);
	CHECK(length > 0);
	text[length > 0 ? length : 0] = 0;
	CHECK(!strcmp(text, "dim=4,type=f32,metric=l2,ids=auto,"
			    "columns=price:f64;n:i64;sold:bool;lang:string"));
	rows = 0;
	insert(fd, 100, true);
	check_all(fd);
	OK(setxattr("d/f", "vexfs.schema", text, (size_t)length, 0));
	ERR(EBUSY, setxattr("d/f", "vexfs.schema", "dim=4", 5, 0));
	close(fd);
	/* Another schema without columns takes the names away. */
	OK(setxattr("d", "vexfs.schema", "dim=4", 5, 0));
	ERR(EINVAL, setxattr("d", "vexfs.schema", "dim=4,columns=a:f64;a:i64", 25, 0));
	ERR(EINVAL, setxattr("d", "vexfs.schema", "dim=4,columns=a:f65", 19, 0));
	ERR(EINVAL, setxattr("d", "vexfs.schema", "dim=4,columns=null:f64", 22, 0));
	ERR(EINVAL, setxattr("d", "vexfs.schema", "dim=4,columns=", 14, 0));
}

/* What is refused, and that it changes nothing. */
#define REFUSED(error, change) do {					\
	struct vexfs_batch_insert batch = good;				\
									\
	put_record(records[0], &row);					\
	put_record(records[1], &row);					\
	change;								\
	SAME(vexfs_insert_batch(fd, &batch), -(error));			\
	strings_used = 0;						\
} while (0)

static void test_refused_inserts(void)
{
	static float vectors[2][DIM];
	struct model row = { .present = 15 };
	struct vexfs_batch_insert good = {
		.vectors = TO_U64(vectors), .vectors_bytes = sizeof(vectors), .count = 2,
		.attributes = TO_U64(records), .attributes_bytes = 2 * sizeof(records[0]),
		.strings = TO_U64(strings), .strings_bytes = 8,
	};
	struct vexfs_schema schema;
	int fd = make_file("f");

	strings_used = 0;
	insert(fd, 10, true);
	strings_used = 0;
	REFUSED(EINVAL, batch.attributes_bytes -= 8);
	REFUSED(EINVAL, batch.attributes = 0);
	REFUSED(EINVAL, batch.strings = 0);
	REFUSED(EINVAL, batch.strings_bytes = 0);
	REFUSED(EINVAL, batch.strings_bytes = 3);
	REFUSED(EFAULT, batch.attributes = 8);
	REFUSED(EFAULT, batch.strings = 8);
	REFUSED(EINVAL, records[1][0] = 16);
	REFUSED(EINVAL, records[1][1] = vexfs_double_to_bits(__builtin_nan("")));
	REFUSED(EINVAL, records[1][3] = 2);
	REFUSED(EINVAL, records[1][4] = VEXFS_STRING_REF(8, 1));
	REFUSED(EINVAL, records[1][4] = VEXFS_STRING_REF(0, 256));
	REFUSED(EINVAL, (records[1][0] = 7, records[1][4] = 1));
	REFUSED(EINVAL, vectors[1][0] = __builtin_inff());
	vectors[1][0] = 0;
	SAME(vexfs_schema_get(fd, &schema), 0);
	SAME(schema.rows, rows);
	check_all(fd);
	insert(fd, 2, false);
	check_all(fd);
	insert(fd, 2, true);
	check_all(fd);
	close(fd);
}

#undef REFUSED
#define REFUSED(error, change) do {					\
	struct vexfs_attributes set = good;				\
									\
	put_record(records[0], &row);					\
	put_record(records[1], &row);					\
	change;								\
	SAME(vexfs_attributes_set(fd, &set), -(error));			\
	strings_used = 0;						\
} while (0)

static void test_refused_sets(void)
{
	uint64_t ids[2] = { 3, 5 }, got[2][1 + COLUMNS];
	struct model row = { .present = 15 };
	struct vexfs_attributes good = {
		.ids = TO_U64(ids), .count = 2, .columns = 15,
		.attributes = TO_U64(records), .attributes_bytes = 2 * sizeof(records[0]),
		.strings = TO_U64(strings), .strings_bytes = 8,
	}, get = {
		.ids = TO_U64(ids), .count = 2,
		.attributes = TO_U64(got), .attributes_bytes = sizeof(got),
	};
	int fd = make_file("f");

	insert(fd, 10, true);
	strings_used = 0;
	REFUSED(ENOENT, ids[1] = 99);
	ids[1] = 5;
	REFUSED(EINVAL, set.columns = 0);
	REFUSED(EINVAL, set.columns = 16);
	REFUSED(EINVAL, set.flags = 1);
	REFUSED(EINVAL, set.reserved[2] = 1);
	REFUSED(EINVAL, set.count = 0);
	REFUSED(EINVAL, set.count = 1);
	REFUSED(E2BIG, set.count = VEXFS_ATTRIBUTES_MAX + 1);
	REFUSED(EFAULT, set.ids = 8);
	REFUSED(EFAULT, set.attributes = 8);
	REFUSED(EINVAL, records[1][3] = 2);
	REFUSED(EINVAL, records[1][0] = 1 << 16);
	check_all(fd);
	put_record(records[0], &row);
	put_record(records[1], &row);
	SAME(vexfs_attributes_set(fd, &good), 0);
	/* Without room for a string. */
	SAME(vexfs_attributes_get(fd, &get), -ERANGE);
	get.columns = 1;
	SAME(vexfs_attributes_get(fd, &get), -EINVAL);
	close(fd);
	/* A file without columns. */
	fd = open("plain", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	OK(setxattr("plain", "vexfs.schema", "dim=4", 5, 0));
	SAME(vexfs_attributes_set(fd, &good), -EINVAL);
	SAME(vexfs_attributes_get(fd, &good), -EINVAL);
	close(fd);
}

#undef REFUSED
#define REFUSED(error, change) do {					\
	struct vexfs_knn_search search = good;				\
									\
	change;								\
	SAME(vexfs_knn(fd, &search), -(error));				\
} while (0)

static void test_refused_filters(void)
{
	uint64_t program[3] = { 1, VEXFS_FILTER_NULL, 0 }, ids[2] = { 4, 3 };
	struct vexfs_knn_search good;
	struct vexfs_result found[K];
	struct vexfs_schema schema;
	float query[DIM] = { 0 };
	int fd = make_file("f");

	insert(fd, 10, true);
	SAME(vexfs_schema_get(fd, &schema), 0);
	vexfs_knn_init(&good, &schema, 0, query, 1, K, found, NULL);
	good.filter = TO_U64(program);
	good.filter_bytes = sizeof(program);
	SAME(vexfs_knn(fd, &good), 0);
	REFUSED(EINVAL, search.filter_bytes = 16);
	REFUSED(EINVAL, search.filter = 0);
	REFUSED(EFAULT, search.filter = 8);
	REFUSED(E2BIG, search.filter_bytes = VEXFS_FILTER_BYTES_MAX + 1);
	REFUSED(EINVAL, search.filter_ids_count = 1);
	REFUSED(EINVAL, (search.filter_ids = TO_U64(ids), search.filter_ids_count = 2));
	REFUSED(EFAULT, (search.filter_ids = 8, search.filter_ids_count = 2));
	REFUSED(E2BIG, (search.filter_ids = TO_U64(ids),
			search.filter_ids_count = VEXFS_FILTER_IDS_MAX + 1));
	program[1] = VEXFS_FILTER_AND;
	REFUSED(EINVAL, search.k = K);
	program[1] = VEXFS_FILTER_NULL | COLUMNS << 8;
	REFUSED(EINVAL, search.k = K);
	/* No id at all is a filter that lets nothing pass. */
	good.filter = 0;
	good.filter_bytes = 0;
	good.filter_ids = TO_U64(ids);
	SAME(vexfs_knn(fd, &good), 0);
	SAME(good.rows_scanned, 0);
	close(fd);
}

/* Of a file that is cut off again and again: all of a row follows from its id. */
#define CUT_ROWS	3000U	/* at most */
#define CUT_BATCH	700U
#define CUT_ROUNDS	150U
#define CUT_GET		50U

static volatile uint64_t cut_next;	/* the id after the last one */
static volatile bool cut_ended;
static uint64_t cut_looks, cut_finds;

static void cut_insert(int fd)
{
	static float vectors[CUT_BATCH][DIM];
	uint64_t count = 1 + next(CUT_BATCH), id = cut_next;
	struct vexfs_batch_insert batch = {
		.vectors = TO_U64(vectors), .vectors_bytes = count * sizeof(vectors[0]),
		.count = count, .attributes = TO_U64(records),
		.attributes_bytes = count * sizeof(records[0]), .strings = TO_U64(strings),
	};

	strings_used = 0;
	for (uint64_t i = 0; i < count; i++, id++) {
		struct model row = {
			.present = 15, .value = { vexfs_double_to_bits((double)id), id, id & 1,
						  id % WORDS },
		};

		vectors[i][0] = (float)id;
		put_record(records[i], &row);
	}
	batch.strings_bytes = strings_used;
	SAME(vexfs_insert_batch(fd, &batch), 0);
	SAME(batch.first_id, cut_next);
	cut_next = id;
}

/* The attributes of rows of which some may be gone. */
static void cut_get(int fd, uint64_t first)
{
	uint64_t ids[CUT_GET], got[CUT_GET][1 + COLUMNS], bad = 0;
	char area[CUT_GET * 8];
	struct vexfs_attributes get = {
		.ids = TO_U64(ids), .count = CUT_GET, .attributes = TO_U64(got),
		.attributes_bytes = sizeof(got), .strings = TO_U64(area),
		.strings_bytes = sizeof(area),
	};
	int err;

	for (uint64_t i = 0; i < CUT_GET; i++)
		ids[i] = first + i;
	err = vexfs_attributes_get(fd, &get);
	if (err) {
		if (err != -ENOENT && err != -ESTALE)
			FAIL("attributes: %s", strerror(-err));
		return;
	}
	for (uint64_t i = 0; i < get.returned; i++) {
		const char *word = words[ids[i] % WORDS];

		bad += got[i][0] != 15 || got[i][2] != ids[i] || got[i][3] != (ids[i] & 1) ||
		       got[i][1] != vexfs_double_to_bits((double)ids[i]) ||
		       got[i][4] >> 32 != strlen(word) ||
		       memcmp(area + (uint32_t)got[i][4], word, strlen(word)) != 0;
	}
	SAME(bad, 0);
	cut_finds += get.returned;
}

/* A search finds what passes the filter, and says how far away it is. */
static void cut_search(int fd, uint64_t first, bool exact)
{
	char text[100], *word = (char *)words[first % WORDS];
	float query[DIM] = { (float)first };
	struct vexfs_column columns[VEXFS_COLUMNS_MAX];
	struct vexfs_result found[K];
	struct vexfs_knn_search search;
	struct vexfs_schema schema;
	uint32_t count = 0;
	size_t bytes;
	void *program;
	int err;

	snprintf(text, sizeof(text), "n >= %" PRIu64 " and lang = '%s'", first,
		 strchr(word, '"') ? "de" : word);
	if (strchr(word, '"'))
		word = (char *)words[1];
	SAME(vexfs_schema_get(fd, &schema), 0);
	SAME(vexfs_columns_get(fd, columns), COLUMNS);
	if (vexfs_filter_parse(text, columns, COLUMNS, &program, &bytes, NULL) < 0) {
		FAIL("%s: is no filter", text);
		return;
	}
	vexfs_knn_init(&search, &schema, 0, query, 1, K, found, &count);
	search.filter = TO_U64(program);
	search.filter_bytes = bytes;
	search.flags = exact ? VEXFS_SEARCH_EXACT : 0;
	err = vexfs_knn(fd, &search);
	if (err && err != -ESTALE)
		FAIL("search: %s", strerror(-err));
	for (uint32_t i = 0; !err && i < count; i++) {
		double far = (double)found[i].id - (double)first;

		CHECK(found[i].id >= first && found[i].id < cut_next + CUT_BATCH);
		CHECK(!strcmp(words[found[i].id % WORDS], word));
		CHECK(vexfs_distance_to_double(found[i].distance) == far * far);
	}
	cut_finds += err ? 0 : count;
	free(program);
}

static void *cut_look(void *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t at;

	OK(fd);
	for (; !cut_ended; cut_looks++) {
		at = cut_next > CUT_ROWS ? cut_next - CUT_ROWS : 0;
		at += cut_looks * 37 % CUT_ROWS;
		cut_get(fd, at);
		cut_search(fd, at, cut_looks % 2);
	}
	close(fd);
	return NULL;
}

/* Rows are cut off while others ask for their attributes and filter by them. */
static void test_truncate_race(void)
{
	int fd = make_file("f");
	uint64_t in_file = 0, i;
	pthread_t looker;

	cut_next = 0;
	cut_ended = false;
	SAME(pthread_create(&looker, NULL, cut_look, (char *)"f"), 0);
	for (i = 0; i < CUT_ROUNDS || (cut_looks < 20 && i < 100 * CUT_ROUNDS); i++) {
		uint64_t before = cut_next;

		cut_insert(fd);
		in_file += cut_next - before;
		if (!next(2) || in_file > CUT_ROWS) {
			in_file = next(5) ? next(in_file) : 0;
			OK(ftruncate(fd, (off_t)(in_file * DIM * sizeof(float))));
		}
	}
	cut_ended = true;
	pthread_join(looker, NULL);
	printf("# %" PRIu64 " rounds, %" PRIu64 " looks, %" PRIu64 " rows\n", i, cut_looks,
	       cut_finds);
	CHECK(cut_finds);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "filters", test_filters },
		{ "truncate", test_truncate },
		{ "truncate_race", test_truncate_race },
		{ "inherit", test_inherit },
		{ "refused_inserts", test_refused_inserts },
		{ "refused_sets", test_refused_sets },
		{ "refused_filters", test_refused_filters },
	};

	umask(022);
	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
