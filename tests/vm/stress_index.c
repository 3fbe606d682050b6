// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the stress test that is about indexes, attributes and filters of
 * vector files. Attributes follow from the row's id, so whoever reads some knows
 * what they must be, whatever others do meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "stress.h"

#define BATCH		400
#define LISTED		60
#define NUMBERS		100
#define WORDS		300
#define WORD_MAX	16

const struct vexfs_column stress_columns[COLUMNS] = {
	{ .name = "n", .type = VEXFS_COLUMN_I64 },
	{ .name = "word", .type = VEXFS_COLUMN_STRING },
};

/* Attributes as calls take them. */
static struct {
	uint64_t record[BATCH][1 + COLUMNS];
	char strings[BATCH * WORD_MAX];
	uint64_t used;
} attributes;

static int word_of(char *word, uint64_t id)
{
	return snprintf(word, WORD_MAX, "word %u", (unsigned int)(id % WORDS));
}

static void make_attributes(const uint64_t *ids, uint32_t count)
{
	uint32_t i;
	int bytes;

	attributes.used = 0;
	for (i = 0; i < count; i++) {
		bytes = word_of(attributes.strings + attributes.used, ids[i]);
		attributes.record[i][0] = 3;
		attributes.record[i][1] = ids[i] % NUMBERS;
		attributes.record[i][2] =
			VEXFS_STRING_REF(attributes.used, bytes);
		attributes.used += bytes;
	}
}

static void set_attributes(int fd, const uint64_t *ids, uint32_t count)
{
	struct vexfs_attributes set = {
		.size = sizeof(set), .count = count, .ids = (uintptr_t)ids,
		.columns = 3, .attributes = (uintptr_t)attributes.record,
		.attributes_bytes = count * sizeof(attributes.record[0]),
		.strings = (uintptr_t)attributes.strings,
	};

	make_attributes(ids, count);
	set.strings_bytes = attributes.used;
	if (ioctl(fd, VEXFS_IOC_SET_ATTRIBUTES, &set) && errno != ENOENT)
		failed("SET_ATTRIBUTES");
}

static void insert_attributes(int fd, bool own_ids)
{
	static float rows[BATCH * DIM];
	static uint64_t ids[BATCH];
	uint32_t count = 1 + below(BATCH), i;
	struct vexfs_batch_insert insert = {
		.size = sizeof(insert), .vectors = (uintptr_t)rows,
		.vectors_bytes = count * ROW, .count = count,
	};

	for (i = 0; i < count; i++) {
		ids[i] = new_nonce();
		row_fill(rows + i * DIM, ids[i]);
	}
	if (own_ids) {
		make_attributes(ids, count);
		insert.ids = (uintptr_t)ids;
		insert.attributes = (uintptr_t)attributes.record;
		insert.attributes_bytes = count * sizeof(attributes.record[0]);
		insert.strings = (uintptr_t)attributes.strings;
		insert.strings_bytes = attributes.used;
	}
	if (ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert)) {
		if (errno != EBUSY)
			failed("BATCH_INSERT with attributes");
		return;
	}
	for (i = 0; i < count; i++)
		ids[i] = insert.first_id + i;
	if (!own_ids)
		set_attributes(fd, ids, count);
}

/* Some ids of the file. */
static uint32_t list_ids(int fd, uint64_t *ids)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN, .count = LISTED,
		.ids = (uintptr_t)ids,
	};

	if (!ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema) && schema.rows)
		get.cursor = below((uint32_t)schema.rows);
	get.generation = schema.generation;
	if (!ioctl(fd, VEXFS_IOC_GET_VECTORS, &get))
		return (uint32_t)get.returned;
	failed("listing of ids");
	return 0;
}

static void check_attributes(uint64_t id, const uint64_t *record,
			     const char *strings)
{
	uint64_t bytes = record[2] >> 32;
	char word[WORD_MAX];

	if (record[0] & ~3ULL || (!(record[0] & 1) && record[1]) ||
	    (!(record[0] & 2) && record[2]))
		wrong("attributes of id %llu: nulls with values",
		      (unsigned long long)id);
	if (record[0] & 1 && record[1] != id % NUMBERS)
		wrong("attributes of id %llu: number %llu",
		      (unsigned long long)id, (unsigned long long)record[1]);
	if (record[0] & 2 &&
	    (bytes != (uint64_t)word_of(word, id) ||
	     memcmp(strings + (uint32_t)record[2], word, bytes) != 0))
		wrong("attributes of id %llu: another word",
		      (unsigned long long)id);
}

static void get_attributes(int fd)
{
	uint64_t ids[LISTED], records[LISTED][1 + COLUMNS], i;
	char strings[LISTED * WORD_MAX];
	struct vexfs_attributes get = {
		.size = sizeof(get), .ids = (uintptr_t)ids,
		.attributes = (uintptr_t)records,
		.strings = (uintptr_t)strings, .strings_bytes = sizeof(strings),
	};

	get.count = list_ids(fd, ids);
	if (!get.count)
		return;
	get.attributes_bytes = get.count * sizeof(records[0]);
	if (ioctl(fd, VEXFS_IOC_GET_ATTRIBUTES, &get)) {
		if (errno != ENOENT)
			failed("GET_ATTRIBUTES");
		return;
	}
	for (i = 0; i < get.returned; i++)
		check_attributes(ids[i], records[i], strings);
}

static void knn_init(struct vexfs_knn_search *knn, const float *query,
		     struct vexfs_result *found, uint32_t k, uint32_t *count)
{
	memset(knn, 0, sizeof(*knn));
	knn->size = sizeof(*knn);
	knn->queries = (uintptr_t)query;
	knn->queries_bytes = ROW;
	knn->query_count = 1;
	knn->k = k;
	knn->results = (uintptr_t)found;
	knn->results_bytes = k * sizeof(*found);
	knn->counts = (uintptr_t)count;
}

/* Each id once, nearer ones first, distances as the ids say. */
static void check_found(const struct vexfs_result *found, uint32_t count,
			const float *query, bool own_ids)
{
	float row[DIM];
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		if (i && distance_of(&found[i]) < distance_of(&found[i - 1]))
			wrong("results by index are not in order");
		for (j = 0; j < i; j++)
			if (found[i].id == found[j].id)
				wrong("id %llu is found twice",
				      (unsigned long long)found[i].id);
		if (!own_ids)
			continue;
		row_fill(row, found[i].id);
		if (row_distance(query, row) != distance_of(&found[i]))
			wrong("by index: id %llu at %g, not at %g",
			      (unsigned long long)found[i].id,
			      distance_of(&found[i]), row_distance(query, row));
	}
}

static void search_index(int fd, bool own_ids)
{
	struct vexfs_result found[50];
	uint32_t k = 1 + below(50), count = 0;
	struct vexfs_knn_search knn;
	float query[DIM];

	row_fill(query, new_nonce());
	knn_init(&knn, query, found, k, &count);
	knn.index = below(4);
	if (ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn)) {
		if (errno != ENOENT)
			failed("KNN_SEARCH by index");
		return;
	}
	if (count > k)
		wrong("KNN_SEARCH by index: %u results for k %u", count, k);
	else
		check_found(found, count, query, own_ids);
}

/* Rows of one number, or of one word. */
static void search_filter(int fd, bool own_ids)
{
	struct {
		struct vexfs_filter_program head;
		struct vexfs_filter_op op;
		char word[WORD_MAX];
	} program = { .head.op_count = 1 };
	bool by_word = below(2);
	uint32_t wanted = below(by_word ? WORDS : NUMBERS), count = 0, i;
	struct vexfs_result found[20];
	struct vexfs_knn_search knn;
	float query[DIM];

	program.op.code = VEXFS_FILTER_EQ;
	program.op.column = by_word;
	program.op.value = wanted;
	if (by_word) {
		int bytes = word_of(program.word, wanted);

		program.op.value = VEXFS_STRING_REF(sizeof(program.head) +
						    sizeof(program.op), bytes);
	}
	row_fill(query, new_nonce());
	knn_init(&knn, query, found, 20, &count);
	knn.filter = (uintptr_t)&program;
	knn.filter_bytes = sizeof(program);
	knn.flags = below(2) ? VEXFS_SEARCH_EXACT : 0;
	if (ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn)) {
		failed("KNN_SEARCH with a filter");
		return;
	}
	check_found(found, count, query, own_ids);
	for (i = 0; i < count; i++)
		if (found[i].id % (by_word ? WORDS : NUMBERS) != wanted)
			wrong("a filter for %s %u let id %llu pass",
			      by_word ? "word" : "number", wanted,
			      (unsigned long long)found[i].id);
}

void do_build(int fd)
{
	struct vexfs_index_status status = { .size = sizeof(status) };
	struct vexfs_build_index build = {
		.size = sizeof(build), .type = VEXFS_INDEX_IVF,
	};
	struct vexfs_drop_index drop = { .size = sizeof(drop) };
	uint32_t what = below(10);

	if (what < 6) {
		if (what < 4) {
			build.type = VEXFS_INDEX_HNSW;
			build.effort = VEXFS_EFFORT_MIN;
		}
		if (ioctl(fd, VEXFS_IOC_BUILD_INDEX, &build) && errno != EBUSY)
			failed("BUILD_INDEX");
	} else if (what < 8) {
		if (ioctl(fd, VEXFS_IOC_INDEX_STATUS, &status))
			failed("INDEX_STATUS");
	} else {
		drop.flags = what == 8 ? VEXFS_DROP_BUILD : 0;
		if (ioctl(fd, VEXFS_IOC_DROP_INDEX, &drop))
			failed("DROP_INDEX");
	}
}

void do_index(int fd, bool own_ids)
{
	uint32_t what = below(100), count;
	uint64_t ids[LISTED];

	if (what < 25) {
		insert_attributes(fd, own_ids);
	} else if (what < 35) {
		count = list_ids(fd, ids);
		if (count)
			set_attributes(fd, ids, count);
	} else if (what < 50) {
		get_attributes(fd);
	} else if (what < 65) {
		search_filter(fd, own_ids);
	} else if (what < 85) {
		search_index(fd, own_ids);
	} else {
		do_build(fd);
	}
}

void check_default(int fd, const float *query, uint32_t k,
		   const struct vexfs_result *right, uint32_t count)
{
	struct vexfs_result found[64];
	uint32_t got = 0, i, j;
	struct vexfs_knn_search knn;

	knn_init(&knn, query, found, k, &got);
	if (ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn)) {
		wrong("KNN_SEARCH: %s", strerror(errno));
		return;
	}
	check_found(found, got, query, false);
	for (i = 0; i < got; i++) {
		for (j = 0; j < count && right[j].id != found[i].id; j++)
			;
		if (j == count || right[j].distance != found[i].distance)
			wrong("the default search finds id %llu at %g",
			      (unsigned long long)found[i].id,
			      distance_of(&found[i]));
	}
}
