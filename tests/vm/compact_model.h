/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of test_compact.c: a vector file and what must be in it, and what is done
 * to both. Part of that one program.
 */
#ifndef COMPACT_MODEL_H
#define COMPACT_MODEL_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <vexfs.h>

#include "check.h"

#define DIM		24
#define MODEL_MAX	400000
#define BATCH		2000

/* A file and what must be in it, in the order of insertion. */
struct model {
	const char *name;
	int fd;
	unsigned int element, ids, columns;
	bool runs;		/* own ids follow each other */
	uint64_t count, next_id;
	uint64_t *id;
	uint32_t *salt;		/* of the row's elements */
	int64_t *number;	/* attribute n; word is made of it; -1: none */
	bool *alive;
};

static inline uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline int value_of(uint64_t id, uint32_t salt, int j)
{
	return (int)(mix(mix(id + 1) + salt * 1000003ULL + (uint64_t)j) % 16);
}

static inline size_t row_bytes(const struct model *m)
{
	return DIM * vexfs_element_bytes(m->element);
}

/* Small whole numbers, the same in every type. */
static inline void fill(const struct model *m, void *row, uint64_t id, uint32_t salt)
{
	static const uint16_t halves[16] = {
		0x0000, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700,
		0x4800, 0x4880, 0x4900, 0x4980, 0x4a00, 0x4a80, 0x4b00, 0x4b80,
	};
	int j;

	for (j = 0; j < DIM; j++) {
		int v = value_of(id, salt, j);

		if (m->element == VEXFS_ELEMENT_F32)
			((float *)row)[j] = (float)v;
		else if (m->element == VEXFS_ELEMENT_F16)
			((uint16_t *)row)[j] = halves[v];
		else
			((uint8_t *)row)[j] = (uint8_t)v;
	}
}

static inline void model_open(struct model *m, const char *name, unsigned int element,
		       unsigned int ids, unsigned int columns)
{
	struct vexfs_column column[2] = {
		{ .name = "n", .type = VEXFS_COLUMN_I64 },
		{ .name = "word", .type = VEXFS_COLUMN_STRING },
	};
	struct vexfs_schema schema = {
		.dim = DIM, .element = (uint8_t)element, .metric = VEXFS_METRIC_L2,
		.ids = (uint8_t)ids, .columns = (uintptr_t)column, .column_count = columns,
	};

	memset(m, 0, sizeof(*m));
	m->name = name;
	m->element = element;
	m->ids = ids;
	m->columns = columns;
	m->id = calloc(MODEL_MAX, sizeof(*m->id));
	m->salt = calloc(MODEL_MAX, sizeof(*m->salt));
	m->number = calloc(MODEL_MAX, sizeof(*m->number));
	m->alive = calloc(MODEL_MAX, sizeof(*m->alive));
	m->fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);
	OK(m->fd);
	SAME(vexfs_schema_set(m->fd, &schema), 0);
}

static inline void model_close(struct model *m)
{
	OK(close(m->fd));
	free(m->id);
	free(m->salt);
	free(m->number);
	free(m->alive);
}

static inline int word_of(int64_t number, char *word)
{
	return sprintf(word, "word %lld of some length", (long long)(number % 977));
}

/* Records and strings for entries of the model; returns what to free. */
static inline uint64_t *make_records(const struct model *m, uint64_t first, uint64_t count,
			      char *strings, uint64_t *used)
{
	uint64_t *records = calloc(count, VEXFS_ATTRIBUTE_BYTES(m->columns)), i;

	*used = 0;
	for (i = 0; i < count; i++) {
		uint64_t *record = records + i * (1 + m->columns);
		int64_t number = m->number[first + i];
		int length;

		if (number < 0)
			continue;
		record[0] = m->columns > 1 ? 3 : 1;
		record[1] = (uint64_t)number;
		if (m->columns < 2)
			continue;
		length = word_of(number, strings + *used);
		record[2] = VEXFS_STRING_REF(*used, (uint64_t)length);
		*used += (uint64_t)length;
	}
	return records;
}

/* Insert entries that are in the model from @first on. */
static inline int put(struct model *m, uint64_t first, uint64_t count, uint32_t flags)
{
	size_t row = row_bytes(m);
	char *data = malloc(count * row), *strings = malloc(count * 40 + 1);
	struct vexfs_batch_insert batch = {
		.size = sizeof(batch), .flags = flags, .count = count,
		.vectors = (uintptr_t)data, .vectors_bytes = count * row,
	};
	uint64_t *records = NULL, used, i;
	int rc;

	for (i = 0; i < count; i++)
		fill(m, data + i * row, m->id[first + i], m->salt[first + i]);
	if (m->ids == VEXFS_IDS_OWN)
		batch.ids = (uintptr_t)(m->id + first);
	if (m->columns) {
		records = make_records(m, first, count, strings, &used);
		batch.attributes = (uintptr_t)records;
		batch.attributes_bytes = count * VEXFS_ATTRIBUTE_BYTES(m->columns);
		batch.strings = used ? (uintptr_t)strings : 0;
		batch.strings_bytes = used;
	}
	rc = vexfs_insert_batch(m->fd, &batch);
	if (rc == 0 && m->ids == VEXFS_IDS_AUTO)
		SAME(batch.first_id, m->id[first]);
	free(records);
	free(strings);
	free(data);
	return rc;
}

/* New rows; own ids go backwards in strides, so that they are no runs. */
static inline void add(struct model *m, uint64_t count)
{
	uint64_t part, i, at;

	while (count) {
		part = count < BATCH ? count : BATCH;
		for (i = 0; i < part; i++) {
			at = m->count + i;
			m->id[at] = m->ids == VEXFS_IDS_AUTO ? m->next_id :
				    m->runs ? m->next_id : 5000000 - m->next_id * 3;
			m->next_id++;
			m->salt[at] = 0;
			m->number[at] = m->id[at] % 7 ? (int64_t)(m->id[at] * 11) : -1;
			m->alive[at] = true;
		}
		SAME(put(m, m->count, part, 0), 0);
		m->count += part;
		count -= part;
	}
}

/* Insert the first @count ids that are free again, as other rows. */
static inline void add_again(struct model *m, uint64_t count)
{
	uint64_t i, j, first = m->count;

	for (i = 0; i < first && m->count - first < count; i++) {
		if (m->alive[i])
			continue;
		for (j = i + 1; j < m->count && m->id[j] != m->id[i]; j++)
			;
		if (j < m->count)
			continue;
		m->id[m->count] = m->id[i];
		m->salt[m->count] = m->salt[i] + 1;
		m->number[m->count] = (int64_t)m->id[i];
		m->alive[m->count++] = true;
	}
	if (m->count > first)
		SAME(put(m, first, m->count - first, 0), 0);
}

/* Other rows for live entries @from, @from + @step, ... below @end, and new ones. */
static inline void replace(struct model *m, uint64_t from, uint64_t step, uint64_t end,
		    uint64_t fresh)
{
	uint64_t first = m->count, i;

	for (i = from; i < end && i < first; i += step) {
		if (!m->alive[i])
			continue;
		m->alive[i] = false;
		m->id[m->count] = m->id[i];
		m->salt[m->count] = m->salt[i] + 1;
		m->number[m->count] = (int64_t)(m->id[i] + 3 * m->salt[i]);
		m->alive[m->count++] = true;
	}
	for (; fresh; fresh--) {
		m->id[m->count] = 5000000 + m->next_id++;
		m->salt[m->count] = 0;
		m->number[m->count] = -1;
		m->alive[m->count++] = true;
	}
	if (m->count > first)
		SAME(put(m, first, m->count - first, VEXFS_INSERT_REPLACE), 0);
}

/* Delete live entries @from, @from + @step, ... below @end. */
static inline void erase(struct model *m, uint64_t from, uint64_t step, uint64_t end)
{
	uint64_t *ids = malloc((m->count + 1) * sizeof(*ids)), n = 0, i, deleted = 0;

	for (i = from; i < end && i < m->count; i += step)
		if (m->alive[i]) {
			m->alive[i] = false;
			ids[n++] = m->id[i];
		}
	if (n)
		SAME(vexfs_delete(m->fd, ids, n, 0, &deleted, NULL), 0);
	SAME(deleted, n);
	free(ids);
}

/* Give live entries other attributes. */
static inline void change(struct model *m, uint64_t from, uint64_t step, uint64_t end)
{
	char word[64];
	uint64_t record[3], i;

	for (i = from; i < end && i < m->count; i += step) {
		struct vexfs_attributes set = {
			.size = sizeof(set), .count = 1, .columns = m->columns > 1 ? 3 : 1,
			.ids = (uintptr_t)&m->id[i], .attributes = (uintptr_t)record,
			.attributes_bytes = VEXFS_ATTRIBUTE_BYTES(m->columns),
		};

		if (!m->alive[i])
			continue;
		m->number[i] = (int64_t)(m->id[i] + 12345);
		record[0] = set.columns;
		record[1] = (uint64_t)m->number[i];
		if (m->columns > 1) {
			set.strings_bytes = (uint64_t)word_of(m->number[i], word);
			set.strings = (uintptr_t)word;
			record[2] = VEXFS_STRING_REF(0, set.strings_bytes);
		}
		OK(ioctl(m->fd, VEXFS_IOC_SET_ATTRIBUTES, &set));
	}
}

static inline uint64_t live(const struct model *m)
{
	uint64_t i, n = 0;

	for (i = 0; i < m->count; i++)
		n += m->alive[i];
	return n;
}

static inline void check_attributes(const struct model *m, uint64_t i)
{
	uint64_t record[3] = { 0 };
	char strings[256], word[64];
	struct vexfs_attributes get = {
		.size = sizeof(get), .count = 1, .ids = (uintptr_t)&m->id[i],
		.attributes = (uintptr_t)record,
		.attributes_bytes = VEXFS_ATTRIBUTE_BYTES(m->columns),
		.strings = (uintptr_t)strings, .strings_bytes = sizeof(strings),
	};
	int length;

	if (ioctl(m->fd, VEXFS_IOC_GET_ATTRIBUTES, &get)) {
		FAIL("%s: GET_ATTRIBUTES of id %llu: %s", m->name,
		     (unsigned long long)m->id[i], strerror(errno));
		return;
	}
	if (m->number[i] < 0) {
		SAME(record[0], 0);
		return;
	}
	SAME(record[1], m->number[i]);
	if (m->columns < 2)
		return;
	length = word_of(m->number[i], word);
	SAME(record[2] >> 32, length);
	CHECK(!memcmp(strings + (uint32_t)record[2], word, (size_t)length));
}

/* Every row in order, by a scan and by ids. */
static inline void check_rows(const struct model *m, bool compact)
{
	size_t row = row_bytes(m);
	char *right = malloc(row), *data = malloc(512 * row);
	struct vexfs_scan scan = { 0 };
	struct vexfs_schema schema;
	uint64_t ids[512], at = 0, step = live(m) / 300 + 1;
	int64_t got, i;

	SAME(vexfs_schema_get(m->fd, &schema), 0);
	SAME(schema.live_rows, live(m));
	if (compact)
		SAME(schema.rows, live(m));
	while ((got = vexfs_scan(m->fd, &scan, ids, data, 512 * row, 512)) > 0)
		for (i = 0; i < got; i++, at++) {
			while (at < m->count && !m->alive[at])
				at++;
			if (at >= m->count || ids[i] != m->id[at]) {
				FAIL("%s: id %llu where %lld was expected", m->name,
				     (unsigned long long)ids[i],
				     at < m->count ? (long long)m->id[at] : -1);
				goto out;
			}
			fill(m, right, m->id[at], m->salt[at]);
			if (memcmp(right, data + (size_t)i * row, row)) {
				FAIL("%s: the row of id %llu is not its own", m->name,
				     (unsigned long long)ids[i]);
				goto out;
			}
		}
	SAME(got, 0);
	while (at < m->count && !m->alive[at])
		at++;
	SAME(at, m->count);
	for (at = 0; at < m->count; at += step) {
		uint64_t bad = VEXFS_UNKNOWN;
		int rc = vexfs_get(m->fd, &m->id[at], 1, data, row, &bad);

		if (!m->alive[at])
			continue;
		SAME(rc, 0);
		fill(m, right, m->id[at], m->salt[at]);
		CHECK(!memcmp(right, data, row));
		if (m->columns)
			check_attributes(m, at);
	}
out:
	free(data);
	free(right);
}

#define K		10

struct answer {
	uint64_t id;
	long distance;
};

static inline int nearer(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Searches against an exact one over the model. */
static inline void check_answers(const struct model *m)
{
	struct answer *all = malloc((m->count + 1) * sizeof(*all));
	struct vexfs_result found[K];
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	char query[DIM * 4];
	uint64_t i, n, q;
	int j, k;

	SAME(vexfs_schema_get(m->fd, &schema), 0);
	for (q = 0; q < 5; q++) {
		for (i = 0, n = 0; i < m->count; i++) {
			if (!m->alive[i])
				continue;
			all[n].id = m->id[i];
			for (all[n].distance = 0, j = 0; j < DIM; j++) {
				int d = value_of(q * 77777, 99, j) -
					value_of(m->id[i], m->salt[i], j);

				all[n].distance += d * d;
			}
			n++;
		}
		qsort(all, n, sizeof(*all), nearer);
		fill(m, query, q * 77777, 99);
		memset(found, 0xff, sizeof(found));
		vexfs_knn_init(&knn, &schema, 0, query, 1, K, found, NULL);
		knn.flags = VEXFS_SEARCH_EXACT;
		SAME(vexfs_knn(m->fd, &knn), 0);
		for (k = 0; k < K && (uint64_t)k < n; k++) {
			SAME(found[k].id, all[k].id);
			SAME(vexfs_distance_to_double(found[k].distance), all[k].distance);
		}
	}
	free(all);
}

static inline void check_all(const struct model *m, bool compact)
{
	check_rows(m, compact);
	check_answers(m);
}

static inline void reopen(struct model *m)
{
	OK(close(m->fd));
	check_remount();
	m->fd = open(m->name, O_RDWR);
	OK(m->fd);
}

static inline struct vexfs_compact compact(struct model *m)
{
	struct vexfs_compact result;

	SAME(vexfs_compact(m->fd, &result), 0);
	SAME(result.rows_kept, live(m));
	return result;
}

static inline uint64_t blocks_of(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return (uint64_t)st.st_blocks;
}

static inline uint64_t free_blocks(int fd)
{
	struct statvfs st;

	OK(syncfs(fd));
	OK(fstatvfs(fd, &st));
	return st.f_bfree;
}

/* What the background makes takes space too. */
static inline void wait_encoded(const struct model *m)
{
	struct vexfs_index_status status = { .rows_encoded = 0 };
	unsigned int tries;

	for (tries = 0; tries < 600 && status.rows_encoded < m->count; tries++) {
		SAME(vexfs_index_status(m->fd, &status), 0);
		usleep(100000);
	}
	SAME(status.rows_encoded, m->count);
}

/* Compact in a child and kill it after some microseconds. Was it killed? */
static inline bool interrupt(const struct model *m, long microseconds)
{
	struct timespec pause = { .tv_nsec = microseconds * 1000 };
	struct vexfs_compact result;
	pid_t child = fork();
	int status = 0;

	if (!child)
		_exit(vexfs_compact(m->fd, &result) ? 1 : 0);
	nanosleep(&pause, NULL);
	OK(kill(child, SIGKILL));
	OK(waitpid(child, &status, 0));
	if (WIFEXITED(status))
		SAME(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

#endif /* COMPACT_MODEL_H */
