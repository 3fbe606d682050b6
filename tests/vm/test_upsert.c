// SPDX-License-Identifier: Apache-2.0
/*
 * Rows that take the place of others with the same ids, on a mounted VexFS. The
 * first elements of a row tell its id and version; the others follow from these.
 */
#define _GNU_SOURCE	/* strerrorname_np */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <vexfs.h>

#include "check.h"

#define DIM	12
#define ROWS	6000
#define MOST	24000
#define ROUNDS	60

static float rows[MOST][DIM];
static uint64_t ids[MOST];
static uint32_t versions[3 * MOST];	/* by id; 0: there is no such row */

static void make_row(float *row, uint64_t id, uint32_t version)
{
	uint64_t x = id * 0x9e3779b97f4a7c15ULL + version;
	int i;

	row[0] = (float)id;
	row[1] = (float)version;
	for (i = 2; i < DIM; i++) {
		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL;
		row[i] = (float)(x >> 40) / (1 << 16);
	}
}

static int make_file(const char *name, uint8_t kind, const char *columns)
{
	struct vexfs_column column[VEXFS_COLUMNS_MAX];
	struct vexfs_schema schema = {
		.dim = DIM, .element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
		.ids = kind,
	};
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);

	OK(fd);
	if (columns) {
		schema.column_count = (uint32_t)vexfs_columns_parse(columns, column, NULL);
		schema.columns = (uintptr_t)column;
	}
	SAME(vexfs_schema_set(fd, &schema), 0);
	memset(versions, 0, sizeof(versions));
	return fd;
}

/* Rows with the first @count of ids[], of a version. */
static void put(int fd, uint64_t count, uint32_t version)
{
	uint64_t i, replaced = 0, expected = 0;

	for (i = 0; i < count; i++) {
		make_row(rows[i], ids[i], version);
		expected += !!versions[ids[i]];
		versions[ids[i]] = version;
	}
	SAME(vexfs_upsert(fd, rows, count * sizeof(rows[0]), count, ids, &replaced, NULL), 0);
	SAME(replaced, expected);
}

static void fill_ids(uint64_t first, uint64_t count, uint64_t step)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		ids[i] = first + i * step;
}

/* In an order without an order. */
static void shuffle_ids(uint64_t count)
{
	uint64_t i, j, x = 1;

	for (i = count - 1; i > 0; i--) {
		x = (x ^ x >> 27) * 0x94d049bb133111ebULL + i;
		j = x % (i + 1);
		x += ids[i];
		uint64_t id = ids[i];

		ids[i] = ids[j];
		ids[j] = id;
	}
}

static uint64_t live(void)
{
	uint64_t i, count = 0;

	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		count += !!versions[i];
	return count;
}

/* The file is as versions[] says, by walking, by id, and by searching. */
static void check_file(int fd)
{
	static float found[MOST][DIM];
	static uint64_t seen[MOST];
	struct vexfs_scan scan = { 0 };
	struct vexfs_schema schema;
	struct vexfs_result result;
	struct vexfs_knn_search knn;
	uint64_t total = 0, i, wrong = 0;
	float right[DIM];
	int64_t got;

	SAME(vexfs_schema_get(fd, &schema), 0);
	SAME(schema.live_rows, live());
	while ((got = vexfs_scan(fd, &scan, seen, found, sizeof(found), MOST)) > 0) {
		for (i = 0; i < (uint64_t)got; i++) {
			make_row(right, seen[i], versions[seen[i]]);
			wrong += !versions[seen[i]] || memcmp(right, found[i], sizeof(right));
		}
		total += (uint64_t)got;
	}
	SAME(got, 0);
	SAME(total, live());
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i += 1 + i % 13) {
		if (!versions[i]) {
			SAME(vexfs_get(fd, &i, 1, found, sizeof(right), NULL), -ENOENT);
			continue;
		}
		make_row(right, i, versions[i]);
		SAME(vexfs_get(fd, &i, 1, found, sizeof(right), NULL), 0);
		wrong += !!memcmp(right, found[0], sizeof(right));
		if (i % 7)
			continue;
		vexfs_knn_init(&knn, &schema, 0, right, 1, 1, &result, NULL);
		knn.flags = VEXFS_SEARCH_EXACT;
		SAME(vexfs_knn(fd, &knn), 0);
		wrong += result.id != i || result.distance;
		/* Nothing of the version before is left. */
		make_row(right, i, versions[i] - 1);
		knn.flags = 0;
		SAME(vexfs_knn(fd, &knn), 0);
		wrong += !result.distance;
	}
	SAME(wrong, 0);
}

static void check_again(int fd, const char *name)
{
	check_file(fd);
	close(fd);
	check_remount();
	fd = open(name, O_RDONLY);
	OK(fd);
	check_file(fd);
	close(fd);
}

static void replace(void)
{
	int fd = make_file("file", VEXFS_IDS_OWN, NULL);
	uint64_t i;

	/* a file without rows, new ids only, old ones in a row, every third, mixed */
	fill_ids(0, ROWS, 2);
	put(fd, ROWS, 1);
	check_file(fd);
	fill_ids(1, 500, 2);
	put(fd, 500, 2);
	fill_ids(100, 300, 2);
	put(fd, 300, 3);
	fill_ids(0, ROWS / 3, 6);
	put(fd, ROWS / 3, 4);
	check_file(fd);
	fill_ids(600, 2000, 1);
	shuffle_ids(2000);
	put(fd, 2000, 5);
	/* one row, again and again */
	for (i = 0; i < 20; i++) {
		fill_ids(77, 1, 1);
		put(fd, 1, 10 + (uint32_t)i);
	}
	OK(fsync(fd));
	check_again(fd, "file");
}

/* More than a transaction has room for. */
static void many(void)
{
	int fd = make_file("file", VEXFS_IDS_OWN, NULL);

	fill_ids(0, MOST, 3);
	shuffle_ids(MOST);
	put(fd, MOST, 1);
	shuffle_ids(MOST);
	put(fd, MOST, 2);
	check_again(fd, "file");
}

static void attributes(void)
{
	int fd = make_file("file", VEXFS_IDS_OWN, "n:i64");
	uint64_t records[40][2], i, out[2];
	struct vexfs_batch_insert batch = {
		.flags = VEXFS_INSERT_REPLACE, .vectors = (uintptr_t)rows,
		.vectors_bytes = 40 * sizeof(rows[0]), .count = 40, .ids = (uintptr_t)ids,
		.attributes = (uintptr_t)records, .attributes_bytes = sizeof(records),
	};
	struct vexfs_attributes get = {
		.attributes = (uintptr_t)out, .attributes_bytes = sizeof(out),
		.ids = (uintptr_t)&i, .count = 1,
	};

	for (i = 0; i < 40; i++) {
		ids[i] = i;
		make_row(rows[i], i, 1);
		records[i][0] = 1;
		records[i][1] = 1000 + i;
	}
	SAME(vexfs_insert_batch(fd, &batch), 0);
	SAME(batch.replaced, 0);
	for (i = 0; i < 40; i++) {
		ids[i] = 20 + i;
		records[i][1] = 2000 + i;
		records[i][0] = 1;
		if (i % 2)
			records[i][0] = records[i][1] = 0;
	}
	SAME(vexfs_insert_batch(fd, &batch), 0);
	SAME(batch.replaced, 20);
	for (i = 0; i < 60; i++) {
		bool null = i >= 20 && i % 2;

		SAME(vexfs_attributes_get(fd, &get), 0);
		SAME(out[0], !null);
		SAME(out[1], i < 20 ? 1000 + i : null ? 0 : 2000 + i - 20);
	}
	close(fd);
}

static void refused(void)
{
	int fd = make_file("automatic", VEXFS_IDS_AUTO, NULL), flags;
	struct vexfs_batch_insert batch = {
		.flags = VEXFS_INSERT_REPLACE, .vectors = (uintptr_t)rows,
		.vectors_bytes = sizeof(rows[0]), .count = 1,
	};
	uint64_t bad, replaced = 99;

	make_row(rows[0], 0, 1);
	SAME(vexfs_insert_batch(fd, &batch), -EINVAL);
	fill_ids(0, 1, 1);
	SAME(vexfs_upsert(fd, rows, sizeof(rows[0]), 1, ids, NULL, NULL), -EINVAL);
	close(fd);

	fd = make_file("own", VEXFS_IDS_OWN, NULL);
	fill_ids(0, 100, 1);
	put(fd, 100, 1);
	SAME(vexfs_insert(fd, rows, 100 * sizeof(rows[0]), 100, ids, NULL, &bad), -EEXIST);
	SAME(bad, 0);
	/* an id twice, one that cannot be, a NaN, other flags: nothing is changed */
	ids[60] = 50;
	SAME(vexfs_upsert(fd, rows, 100 * sizeof(rows[0]), 100, ids, &replaced, &bad), -EEXIST);
	SAME(bad, 60);
	ids[60] = UINT64_MAX;
	SAME(vexfs_upsert(fd, rows, 100 * sizeof(rows[0]), 100, ids, &replaced, &bad), -EINVAL);
	SAME(bad, 60);
	ids[60] = 60;
	rows[70][3] = __builtin_nanf("");
	SAME(vexfs_upsert(fd, rows, 100 * sizeof(rows[0]), 100, ids, &replaced, &bad), -EINVAL);
	SAME(bad, 70);
	SAME(replaced, 99);
	batch.ids = (uintptr_t)ids;
	batch.flags = 6;
	SAME(vexfs_insert_batch(fd, &batch), -EINVAL);
	batch.flags = VEXFS_INSERT_REPLACE;
	batch.vectors = 8;
	SAME(vexfs_insert_batch(fd, &batch), -EFAULT);
	check_file(fd);
	flags = FS_APPEND_FL;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	batch.vectors = (uintptr_t)rows;
	SAME(vexfs_insert_batch(fd, &batch), -EPERM);
	batch.flags = 0;
	ids[0] = 1000;
	versions[1000] = 1;
	make_row(rows[0], 1000, 1);
	SAME(vexfs_insert_batch(fd, &batch), 0);
	flags = 0;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	check_again(fd, "own");
}

static volatile bool ended;
static unsigned int looks;

/* Each id is found once, at any moment, and its row is one of its own. */
static void look(int fd, uint32_t flags)
{
	static struct vexfs_result results[ROWS];
	static bool seen[ROWS];
	struct vexfs_knn_search knn;
	struct vexfs_schema schema;
	uint32_t count = 0, i, wrong = 0;
	float query[DIM], row[DIM], right[DIM];
	uint64_t id = looks % ROWS;

	SAME(vexfs_schema_get(fd, &schema), 0);
	make_row(query, id, 1);
	vexfs_knn_init(&knn, &schema, 0, query, 1, ROWS, results, &count);
	knn.flags = flags;
	SAME(vexfs_knn(fd, &knn), 0);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < count; i++) {
		wrong += results[i].id >= ROWS || seen[results[i].id];
		if (results[i].id < ROWS)
			seen[results[i].id] = true;
	}
	SAME(count, ROWS);
	SAME(wrong, 0);
	SAME(vexfs_get(fd, &id, 1, row, sizeof(row), NULL), 0);
	make_row(right, id, (uint32_t)row[1]);
	SAME(memcmp(right, row, sizeof(row)), 0);
	looks++;
}

static void *look_on(void *argument)
{
	int fd = open(argument, O_RDONLY);

	while (!ended)
		look(fd, looks % 2 ? VEXFS_SEARCH_EXACT : 0);
	close(fd);
	return NULL;
}

static void while_searched(void)
{
	int fd = make_file("file", VEXFS_IDS_OWN, NULL);
	struct vexfs_search_stats stats;
	pthread_t thread;
	uint32_t i;

	fill_ids(0, ROWS, 1);
	put(fd, ROWS, 1);
	ended = false;
	looks = 0;
	SAME(pthread_create(&thread, NULL, look_on, "file"), 0);
	for (i = 2; i < ROUNDS || looks < 20; i++) {
		if (i % 2)
			fill_ids(i % 50, ROWS / 50, 50);
		else
			fill_ids(i * 37 % (ROWS / 2), ROWS / 2, 1);
		put(fd, i % 2 ? ROWS / 50 : ROWS / 2, i);
	}
	ended = true;
	pthread_join(thread, NULL);
	SAME(vexfs_stats(fd, &stats), 0);
	printf("# %u rounds, %u looks, %llu again\n", i, looks,
	       (unsigned long long)stats.restarted);
	check_again(fd, "file");
}

static void with_index(void)
{
	struct vexfs_index_status status;
	int fd = make_file("file", VEXFS_IDS_OWN, NULL);
	uint32_t type;

	fill_ids(0, ROWS, 1);
	put(fd, ROWS, 1);
	for (type = VEXFS_INDEX_HNSW; type <= VEXFS_INDEX_IVF; type++) {
		struct vexfs_build_index build = { .type = type };

		SAME(vexfs_index_build(fd, &build), 0);
		SAME(vexfs_index_wait(fd, &status, NULL, NULL), 0);
		SAME(status.type, type);
		fill_ids(ROWS / 3, ROWS / 3, 1);
		put(fd, ROWS / 3, 1 + type);
		check_file(fd);
	}
	check_again(fd, "file");
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "replace", replace },
		{ "many", many },
		{ "attributes", attributes },
		{ "refused", refused },
		{ "while_searched", while_searched },
		{ "with_index", with_index },
	};

	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
