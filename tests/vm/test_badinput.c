// SPDX-License-Identifier: Apache-2.0
/*
 * Every ioctl of VexFS with everything that is wrong: each field at values
 * that it must not have, pointers to nothing, structures of wrong sizes, files
 * of wrong kinds. The documented error must come, and the file must be as it
 * was, to the bit.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "check.h"

#define DIM	4
#define ROWS	100
#define ROW	(DIM * sizeof(float))
#define U64	(~0ULL)

static int fd_auto, fd_own;
static float rows[ROWS][DIM];
static uint64_t own_ids[ROWS];
static char *hole;		/* a page that is not mapped */
static float *edge;		/* one row; after it comes the hole */
static char *readonly;		/* a page that cannot be written */

/* What a call may not change when it fails. */
struct print {
	struct vexfs_schema schema;
	struct stat st;
	uint64_t hash;
};

static uint64_t hash_add(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

static void take_print(int fd, struct print *print)
{
	static char data[1 << 16], vectors[1 << 16];
	static uint64_t ids[2 * ROWS];
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN,
		.ids = (uintptr_t)ids, .count = 2 * ROWS,
		.vectors = (uintptr_t)vectors, .vectors_bytes = 2 * ROWS * ROW,
	};
	ssize_t n;

	memset(print, 0, sizeof(*print));
	print->schema.size = sizeof(print->schema);
	OK(ioctl(fd, VEXFS_IOC_GET_SCHEMA, &print->schema));
	OK(fstat(fd, &print->st));
	n = pread(fd, data, sizeof(data), 0);
	CHECK(n >= 0);
	print->hash = hash_add(1, data, n > 0 ? n : 0);
	OK(ioctl(fd, VEXFS_IOC_GET_VECTORS, &get));
	print->hash = hash_add(print->hash, ids, get.returned * 8);
	print->hash = hash_add(print->hash, vectors, get.returned * ROW);
}

static bool same_print(const struct print *a, const struct print *b)
{
	return !memcmp(&a->schema, &b->schema, sizeof(a->schema)) &&
	       a->st.st_size == b->st.st_size && a->hash == b->hash;
}

/* A call fails (or, with error 0, succeeds); a failure changes nothing. */
static void try_call(int line, int fd, unsigned long call, void *arg, int error,
		     const char *what)
{
	struct print before[2], after[2];
	int ret, got;

	take_print(fd_auto, &before[0]);
	take_print(fd_own, &before[1]);
	errno = 0;
	ret = ioctl(fd, call, arg);
	got = ret < 0 ? errno : 0;
	take_print(fd_auto, &after[0]);
	take_print(fd_own, &after[1]);
	if (got != error)
		FAIL("line %d: call %lu, %s: %s, expected %s", line, call & 255,
		     what, got ? strerrorname_np(got) : "success",
		     error ? strerrorname_np(error) : "success");
	if (got && (!same_print(&before[0], &after[0]) ||
		    !same_print(&before[1], &after[1])))
		FAIL("line %d: call %lu, %s: failed, and changed the file",
		     line, call & 255, what);
}

#define CALL(fd, call, arg, error, what) \
	try_call(__LINE__, fd, call, arg, error, what)

/* One field of an argument that is right otherwise. */
#define FIELD(fd, call, right, field, value, error) do {		\
	__typeof__(right) bad_ = (right);				\
									\
	bad_.field = (__typeof__(bad_.field))(value);			\
	CALL(fd, call, &bad_, error, #field " = " #value);		\
} while (0)

static struct vexfs_batch_insert right_insert(void)
{
	return (struct vexfs_batch_insert){
		.size = sizeof(struct vexfs_batch_insert), .count = 3,
		.vectors = (uintptr_t)rows, .vectors_bytes = 3 * ROW,
	};
}

static struct vexfs_batch_insert right_insert_own(void)
{
	struct vexfs_batch_insert insert = right_insert();
	static uint64_t ids[3] = { 900001, 900000, 900007 };

	insert.ids = (uintptr_t)ids;
	return insert;
}

static struct vexfs_batch_delete right_delete(void)
{
	static uint64_t ids[2] = { 5, 7 };

	return (struct vexfs_batch_delete){
		.size = sizeof(struct vexfs_batch_delete), .count = 2,
		.ids = (uintptr_t)ids,
	};
}

static struct vexfs_get_vectors right_get(void)
{
	static float room[2][DIM];
	static uint64_t ids[2] = { 5, 7 };

	return (struct vexfs_get_vectors){
		.size = sizeof(struct vexfs_get_vectors), .count = 2,
		.ids = (uintptr_t)ids, .vectors = (uintptr_t)room,
		.vectors_bytes = sizeof(room),
	};
}

static struct vexfs_knn_search right_knn(void)
{
	static struct vexfs_result results[2 * 10];
	static uint32_t counts[2];

	return (struct vexfs_knn_search){
		.size = sizeof(struct vexfs_knn_search),
		.queries = (uintptr_t)rows, .queries_bytes = 2 * ROW,
		.query_count = 2, .k = 10, .results = (uintptr_t)results,
		.results_bytes = sizeof(results), .counts = (uintptr_t)counts,
	};
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, 8);
	return bits;
}

static struct vexfs_range_search right_range(void)
{
	static struct vexfs_result results[50];

	return (struct vexfs_range_search){
		.size = sizeof(struct vexfs_range_search),
		.query = (uintptr_t)rows, .query_bytes = ROW,
		.radius = bits_of(100), .results = (uintptr_t)results,
		.capacity = 50,
	};
}

static struct vexfs_schema right_schema(uint32_t ids)
{
	return (struct vexfs_schema){
		.size = sizeof(struct vexfs_schema), .dim = DIM,
		.element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
		.ids = ids,
	};
}

static struct vexfs_search_stats right_stats(void)
{
	return (struct vexfs_search_stats){
		.size = sizeof(struct vexfs_search_stats),
	};
}

static struct vexfs_build_index right_build(void)
{
	return (struct vexfs_build_index){
		.size = sizeof(struct vexfs_build_index),
		.type = VEXFS_INDEX_HNSW,
	};
}

static struct vexfs_drop_index right_drop(void)
{
	return (struct vexfs_drop_index){
		.size = sizeof(struct vexfs_drop_index),
	};
}

static struct vexfs_index_status right_status(void)
{
	return (struct vexfs_index_status){
		.size = sizeof(struct vexfs_index_status),
	};
}

static int make_file(const char *name, uint32_t ids)
{
	struct vexfs_schema schema = right_schema(ids);
	struct vexfs_batch_insert insert = right_insert();
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);

	OK(fd);
	OK(ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema));
	insert.count = ROWS;
	insert.vectors_bytes = ROWS * ROW;
	insert.ids = ids == VEXFS_IDS_OWN ? (uintptr_t)own_ids : 0;
	OK(ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert));
	return fd;
}

static void make_files(void)
{
	char *pages;
	int i, j;

	for (i = 0; i < ROWS; i++) {
		own_ids[i] = (i < 10 ? 1 : 1000003ULL) * i;
		for (j = 0; j < DIM; j++)
			rows[i][j] = (float)((i * 37 + j * 11) % 101) / 4;
	}
	fd_auto = make_file("auto", VEXFS_IDS_AUTO);
	fd_own = make_file("own", VEXFS_IDS_OWN);
	pages = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	hole = pages + 4096;
	munmap(hole, 4096);
	edge = (float *)(hole - ROW);
	memcpy(edge, rows[1], ROW);
	readonly = pages + 2 * 4096;
	mprotect(readonly, 4096, PROT_READ);
}

/* Sizes and places of a structure, whatever it says. */
static void bad_structure(int fd, unsigned long call, const void *right,
			  uint32_t size, bool out)
{
	static const uint32_t sizes[] = { 0, 1, 3, 4, 8, 4097, 1U << 31, ~0U };
	char room[8192] = { 0 };
	uint32_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memcpy(room, right, size);
		memcpy(room, &sizes[i], 4);
		CALL(fd, call, room, EINVAL, "size that is none");
	}
	memcpy(room, right, size);
	i = size - 8;
	memcpy(room, &i, 4);
	CALL(fd, call, room, EINVAL, "size below the first version's");
	i = size + 16;
	memcpy(room, &i, 4);
	room[size + 3] = 1;
	CALL(fd, call, room, E2BIG, "a newer structure in use");
	i = 4096;
	memcpy(room, &i, 4);
	CALL(fd, call, room, E2BIG, "a page of structure in use");
	CALL(fd, call, NULL, EFAULT, "no structure");
	CALL(fd, call, (void *)1, EFAULT, "structure at 1");
	CALL(fd, call, hole, EFAULT, "structure in a hole");
	CALL(fd, call, (void *)~0xffUL, EFAULT, "structure at the top");
	CALL(fd, call, (void *)(1UL << 63), EFAULT, "structure in the kernel");
	memcpy(hole - 8, right, 8);
	CALL(fd, call, hole - 8, EFAULT, "structure that ends in a hole");
	memcpy(edge, rows[1], ROW);
	if (!out)
		return;
	mprotect(readonly, 4096, PROT_READ | PROT_WRITE);
	memcpy(readonly, right, size);
	mprotect(readonly, 4096, PROT_READ);
	CALL(fd, call, readonly, EFAULT, "structure that cannot be written");
}

#define STRUCTURE(fd, call, right, out) do {				\
	__typeof__(right) right_ = (right);				\
									\
	bad_structure(fd, call, &right_, sizeof(right_), out);		\
} while (0)

static void test_structures(void)
{
	STRUCTURE(fd_auto, VEXFS_IOC_SET_SCHEMA, right_schema(1), false);
	STRUCTURE(fd_auto, VEXFS_IOC_GET_SCHEMA, right_schema(1), true);
	STRUCTURE(fd_auto, VEXFS_IOC_BATCH_INSERT, right_insert(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_BATCH_DELETE, right_delete(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_GET_VECTORS, right_get(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_KNN_SEARCH, right_knn(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_RANGE_SEARCH, right_range(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_SEARCH_STATS, right_stats(), true);
	STRUCTURE(fd_auto, VEXFS_IOC_BUILD_INDEX, right_build(), false);
	STRUCTURE(fd_auto, VEXFS_IOC_DROP_INDEX, right_drop(), false);
	STRUCTURE(fd_auto, VEXFS_IOC_INDEX_STATUS, right_status(), true);
}

#define SCHEMA(field, value, error) \
	FIELD(fd, VEXFS_IOC_SET_SCHEMA, right_schema(1), field, value, error)

static void test_set_schema(void)
{
	struct vexfs_schema other = right_schema(VEXFS_IDS_AUTO);
	int fd = open("empty", O_CREAT | O_RDWR, 0644), plain;
	struct vexfs_schema found = { .size = sizeof(found) };

	OK(fd);
	SCHEMA(dim, 0, EINVAL);
	SCHEMA(dim, 65536, EINVAL);
	SCHEMA(dim, ~0U, EINVAL);
	SCHEMA(element, 0, EINVAL);
	SCHEMA(element, 5, EINVAL);
	SCHEMA(element, 255, EINVAL);
	SCHEMA(metric, 0, EINVAL);
	SCHEMA(metric, 5, EINVAL);
	SCHEMA(metric, 255, EINVAL);
	SCHEMA(ids, 0, EINVAL);
	SCHEMA(ids, 3, EINVAL);
	SCHEMA(ids, 255, EINVAL);
	SCHEMA(reserved0, 1, EINVAL);
	SCHEMA(flags, 1, EINVAL);
	SCHEMA(flags, ~0U, EINVAL);
	SCHEMA(row_bytes, 15, EINVAL);
	SCHEMA(row_bytes, U64, EINVAL);
	SCHEMA(reserved[0], 1, EINVAL);
	SCHEMA(reserved[1], U64, EINVAL);
	SCHEMA(reserved[2], 1ULL << 63, EINVAL);
	ERR(ENODATA, ioctl(fd, VEXFS_IOC_GET_SCHEMA, &found));
	SCHEMA(row_bytes, 16, 0);
	SCHEMA(rows, U64, 0);
	SCHEMA(next_id, 1, 0);
	/* nothing is in it yet: it may still become something else */
	SCHEMA(dim, 5, 0);
	SCHEMA(metric, VEXFS_METRIC_L1, 0);
	CALL(fd_auto, VEXFS_IOC_SET_SCHEMA, &other, 0, "the same schema");
	other.ids = VEXFS_IDS_OWN;
	CALL(fd_auto, VEXFS_IOC_SET_SCHEMA, &other, EBUSY, "other ids");
	close(fd);
	plain = open("plain", O_CREAT | O_RDWR, 0644);
	SAME(write(plain, "x", 1), 1);
	CALL(plain, VEXFS_IOC_SET_SCHEMA, &other, EBUSY, "a file with data");
	close(plain);
}

#define INSERT(fd, right, field, value, error) \
	FIELD(fd, VEXFS_IOC_BATCH_INSERT, right, field, value, error)

static void test_insert(void)
{
	INSERT(fd_auto, right_insert(), flags, VEXFS_INSERT_REPLACE, EINVAL);
	INSERT(fd_auto, right_insert(), flags, 2, EINVAL);
	INSERT(fd_own, right_insert_own(), flags, 3, EINVAL);
	INSERT(fd_auto, right_insert(), flags, 1U << 31, EINVAL);
	INSERT(fd_auto, right_insert(), vectors, 0, EINVAL);
	INSERT(fd_auto, right_insert(), vectors, 1, EFAULT);
	INSERT(fd_auto, right_insert(), vectors, (uintptr_t)hole, EFAULT);
	INSERT(fd_auto, right_insert(), vectors, (uintptr_t)edge, EFAULT);
	INSERT(fd_auto, right_insert(), vectors, U64 - 7, EFAULT);
	INSERT(fd_auto, right_insert(), vectors, 1ULL << 63, EFAULT);
	INSERT(fd_auto, right_insert(), vectors_bytes, 0, EINVAL);
	INSERT(fd_auto, right_insert(), vectors_bytes, 1, EINVAL);
	INSERT(fd_auto, right_insert(), vectors_bytes, 3 * ROW - 1, EINVAL);
	INSERT(fd_auto, right_insert(), vectors_bytes, 3 * ROW + 1, EINVAL);
	INSERT(fd_auto, right_insert(), vectors_bytes, 4 * ROW, EINVAL);
	INSERT(fd_auto, right_insert(), vectors_bytes, (1ULL << 30) + 1, E2BIG);
	INSERT(fd_auto, right_insert(), vectors_bytes, U64, E2BIG);
	INSERT(fd_auto, right_insert(), ids, (uintptr_t)own_ids, EINVAL);
	INSERT(fd_auto, right_insert(), count, 0, EINVAL);
	INSERT(fd_auto, right_insert(), count, 1, EINVAL);
	INSERT(fd_auto, right_insert(), count, 4, EINVAL);
	INSERT(fd_auto, right_insert(), count, 1ULL << 24, EINVAL);
	INSERT(fd_auto, right_insert(), count, (1ULL << 24) + 1, E2BIG);
	INSERT(fd_auto, right_insert(), count, (1ULL << 60) + 3, E2BIG);
	INSERT(fd_auto, right_insert(), count, U64, E2BIG);
	INSERT(fd_auto, right_insert(), reserved[0], 1, EINVAL);
	INSERT(fd_auto, right_insert(), reserved[1], 1ULL << 63, EINVAL);
	INSERT(fd_own, right_insert_own(), ids, 0, EINVAL);
	INSERT(fd_own, right_insert_own(), ids, 1, EFAULT);
	INSERT(fd_own, right_insert_own(), ids, (uintptr_t)hole, EFAULT);
	INSERT(fd_own, right_insert_own(), ids, (uintptr_t)(hole - 8), EFAULT);
	INSERT(fd_own, right_insert_own(), ids, U64, EFAULT);
	INSERT(fd_own, right_insert_own(), vectors, (uintptr_t)edge, EFAULT);
	/* out fields are ignored, and a row may lie anywhere */
	INSERT(fd_auto, right_insert(), first_id, U64, 0);
	INSERT(fd_auto, right_insert(), bad_index, 1, 0);
	INSERT(fd_auto, right_insert(), vectors, (uintptr_t)rows + 1, 0);
}

/* Row @bad of a batch has element @element of bits @bits. */
static void insert_number(uint32_t bits, uint32_t bad, uint32_t element)
{
	struct vexfs_batch_insert insert = right_insert();
	static float batch[5][DIM];

	memcpy(batch, rows, sizeof(batch));
	memcpy(&batch[bad][element], &bits, 4);
	insert.vectors = (uintptr_t)batch;
	insert.vectors_bytes = sizeof(batch);
	insert.count = 5;
	CALL(fd_auto, VEXFS_IOC_BATCH_INSERT, &insert, EINVAL,
	     "a number that is none");
	SAME(insert.bad_index, bad);
}

static void insert_ids(uint64_t a, uint64_t b, uint64_t c, int error,
		       uint64_t bad)
{
	struct vexfs_batch_insert insert = right_insert_own();
	uint64_t ids[3] = { a, b, c };

	insert.ids = (uintptr_t)ids;
	CALL(fd_own, VEXFS_IOC_BATCH_INSERT, &insert, error, "ids");
	SAME(insert.bad_index, bad);
}

static void test_insert_values(void)
{
	struct vexfs_batch_insert insert = right_insert();
	struct stat st;
	uint32_t i;

	for (i = 0; i < 5; i++) {
		insert_number(0x7fc00000, i, i % DIM);
		insert_number(0x7f800001, i, (i + 1) % DIM);
		insert_number(0x7f800000, i, (i + 2) % DIM);
		insert_number(0xff800000, i, (i + 3) % DIM);
	}
	insert_ids(800000, 3, 800001, EEXIST, 1);
	insert_ids(800000, 800001, 800000, EEXIST, 2);
	insert_ids(7, 7, 7, EEXIST, 0);
	insert_ids(99 * 1000003ULL, 1, 2, EEXIST, 0);
	insert_ids(800000, U64, 800001, EINVAL, 1);
	insert_ids(800000, VEXFS_ID_MAX, 800001, 0, U64);
	insert_ids(800002, 800003, VEXFS_ID_MAX, EEXIST, 2);
	/* bytes that are no row are in the way */
	OK(fstat(fd_auto, &st));
	SAME(pwrite(fd_auto, rows, 7, st.st_size), 7);
	CALL(fd_auto, VEXFS_IOC_BATCH_INSERT, &insert, EBUSY, "part of a row");
	OK(ftruncate(fd_auto, st.st_size));
	CALL(fd_auto, VEXFS_IOC_BATCH_INSERT, &insert, 0, "whole rows");
	SAME(insert.bad_index, U64);
}

/* Ways to change the data that would make it no matrix. */
static void test_writes(void)
{
	struct print before, after;
	struct stat st;
	float number = 1;
	uint32_t nan = 0x7fc00000;
	char *map;

	OK(fstat(fd_auto, &st));
	take_print(fd_auto, &before);
	ERR(EINVAL, pwrite(fd_auto, rows, ROW, 0));
	ERR(EINVAL, pwrite(fd_auto, rows, ROW, st.st_size - ROW));
	ERR(EINVAL, pwrite(fd_auto, rows, ROW, st.st_size + ROW));
	ERR(EINVAL, ftruncate(fd_auto, st.st_size + 1));
	ERR(EOPNOTSUPP, fallocate(fd_auto, 0, 0, st.st_size + 4096));
	ERR(EOPNOTSUPP, fallocate(fd_auto, FALLOC_FL_PUNCH_HOLE |
				  FALLOC_FL_KEEP_SIZE, 0, 4096));
	ERR(EOPNOTSUPP, pwrite(fd_own, rows, ROW, st.st_size));
	ERR(EINVAL, pwrite(fd_auto, &nan, 4, st.st_size));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd_auto, 0);
	CHECK(map == MAP_FAILED);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd_auto, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!memcmp(map, rows, 2 * ROW));
	ERR(EACCES, mprotect(map, 4096, PROT_READ | PROT_WRITE));
	munmap(map, 4096);
	take_print(fd_auto, &after);
	CHECK(same_print(&before, &after));
	SAME(pwrite(fd_auto, &number, 4, st.st_size), 4);
	OK(ftruncate(fd_auto, st.st_size));
	take_print(fd_auto, &after);
	CHECK(before.hash == after.hash);
}

#define DELETE(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_BATCH_DELETE, right_delete(), field, value, \
	      error)

static void test_delete(void)
{
	struct vexfs_batch_delete delete = right_delete();
	uint64_t ids[4] = { 1, 2, 5000, 3 };

	DELETE(flags, 2, EINVAL);
	DELETE(flags, ~0U, EINVAL);
	DELETE(ids, 1, EFAULT);
	DELETE(ids, (uintptr_t)hole, EFAULT);
	DELETE(ids, (uintptr_t)(hole - 8), EFAULT);
	DELETE(ids, U64 - 7, EFAULT);
	DELETE(count, 0, EINVAL);
	DELETE(count, (1ULL << 24) + 1, E2BIG);
	DELETE(count, (1ULL << 61) + 1, E2BIG);
	DELETE(count, U64, E2BIG);
	DELETE(reserved[0], 1, EINVAL);
	DELETE(reserved[1], 1, EINVAL);
	DELETE(reserved[2], U64, EINVAL);
	delete.ids = (uintptr_t)ids;
	delete.count = 4;
	CALL(fd_auto, VEXFS_IOC_BATCH_DELETE, &delete, ENOENT, "no such id");
	SAME(delete.bad_index, 2);
	SAME(delete.deleted, 0);
	ids[2] = 1;
	CALL(fd_auto, VEXFS_IOC_BATCH_DELETE, &delete, ENOENT, "an id twice");
	SAME(delete.bad_index, 2);
	ids[0] = U64;
	CALL(fd_auto, VEXFS_IOC_BATCH_DELETE, &delete, ENOENT, "id U64_MAX");
	SAME(delete.bad_index, 0);
	delete.flags = VEXFS_DELETE_IGNORE_MISSING;
	CALL(fd_auto, VEXFS_IOC_BATCH_DELETE, &delete, 0, "missing ignored");
	SAME(delete.deleted, 3);
	delete.flags = 0;
	CALL(fd_auto, VEXFS_IOC_BATCH_DELETE, &delete, ENOENT, "deleted ids");
}

#define GET(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_GET_VECTORS, right_get(), field, value, error)

static void test_get(void)
{
	struct vexfs_get_vectors get = right_get();
	uint64_t ids[4] = { 1, 5000, 2, 3 };
	static float room[4][DIM];

	GET(flags, 2, EINVAL);
	GET(flags, ~0U, EINVAL);
	GET(ids, 1, EFAULT);
	GET(ids, (uintptr_t)hole, EFAULT);
	GET(count, 0, EINVAL);
	GET(count, 1, EINVAL);
	GET(count, 3, EINVAL);
	GET(count, (1ULL << 24) + 1, E2BIG);
	GET(count, U64, E2BIG);
	GET(vectors, 0, EINVAL);
	GET(vectors, 1, EFAULT);
	GET(vectors, (uintptr_t)hole, EFAULT);
	GET(vectors, (uintptr_t)edge, EFAULT);
	GET(vectors, (uintptr_t)readonly, EFAULT);
	GET(vectors_bytes, 0, EINVAL);
	GET(vectors_bytes, 2 * ROW - 1, EINVAL);
	GET(vectors_bytes, U64, EINVAL);
	GET(reserved[0], 1, EINVAL);
	GET(reserved[1], 1, EINVAL);
	GET(reserved[2], 1, EINVAL);
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, 0, "right");
	SAME(get.returned, 2);
	CHECK(!memcmp((void *)(uintptr_t)get.vectors, rows[5], ROW));
	get.count = 4;
	get.ids = (uintptr_t)ids;
	get.vectors = (uintptr_t)room;
	get.vectors_bytes = sizeof(room);
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, ENOENT, "no such id");
	SAME(get.bad_index, 1);
	get.flags = VEXFS_GET_SCAN;
	get.cursor = 3;
	get.generation = 12345;
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, ESTALE, "old cursor");
	get.cursor = 0;
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, 0, "scan");
	SAME(get.returned, 4);
	get.ids = (uintptr_t)hole;
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, EFAULT, "scan into a hole");
	get.ids = (uintptr_t)ids;
	get.cursor = U64;
	CALL(fd_auto, VEXFS_IOC_GET_VECTORS, &get, 0, "scan from far away");
	SAME(get.returned, 0);
}

/* Wishes that exclude each other. */
static void knn_together(uint32_t flags, uint32_t effort,
			 uint32_t target_recall, uint32_t index)
{
	struct vexfs_knn_search knn = right_knn();

	knn.flags = flags;
	knn.effort = effort;
	knn.target_recall = target_recall;
	knn.index = index;
	CALL(fd_auto, VEXFS_IOC_KNN_SEARCH, &knn, EINVAL, "together");
}

#define KNN(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_KNN_SEARCH, right_knn(), field, value, error)

static void test_knn(void)
{
	struct vexfs_knn_search knn = right_knn();
	static float query[2][DIM];
	uint32_t nan = 0xffc00001;

	KNN(flags, 2, EINVAL);
	KNN(flags, ~0U, EINVAL);
	KNN(queries, 0, EINVAL);
	KNN(queries, 1, EFAULT);
	KNN(queries, (uintptr_t)hole, EFAULT);
	KNN(queries, (uintptr_t)edge, EFAULT);
	KNN(queries, 1ULL << 63, EFAULT);
	KNN(queries_bytes, 0, EINVAL);
	KNN(queries_bytes, 2 * ROW + 1, EINVAL);
	KNN(queries_bytes, U64, EINVAL);
	KNN(query_count, 0, EINVAL);
	KNN(query_count, 1, EINVAL);
	KNN(query_count, 65537, EINVAL);
	KNN(query_count, ~0U, EINVAL);
	KNN(k, 0, EINVAL);
	KNN(k, 9, EINVAL);
	KNN(k, 65537, EINVAL);
	KNN(k, ~0U, EINVAL);
	KNN(metric, 5, EINVAL);
	KNN(metric, ~0U, EINVAL);
	KNN(query_element, 5, EINVAL);
	KNN(query_element, VEXFS_ELEMENT_U8, EINVAL);
	KNN(query_element, ~0U, EINVAL);
	KNN(results, 0, EINVAL);
	KNN(results, (uintptr_t)hole, EFAULT);
	KNN(results, (uintptr_t)(hole - 16), EFAULT);
	KNN(results, (uintptr_t)readonly, EFAULT);
	KNN(results_bytes, 0, EINVAL);
	KNN(results_bytes, 319, EINVAL);
	KNN(results_bytes, U64, EINVAL);
	KNN(counts, 1, EFAULT);
	KNN(counts, (uintptr_t)hole, EFAULT);
	KNN(counts, (uintptr_t)readonly, EFAULT);
	KNN(reserved[0], 1, EINVAL);
	KNN(reserved[1], 1, EINVAL);
	KNN(reserved[2], 1, EINVAL);
	KNN(reserved[3], U64, EINVAL);
	KNN(index, VEXFS_INDEX_HNSW, ENOENT);
	KNN(index, VEXFS_INDEX_IVF, ENOENT);
	KNN(index, 4, EINVAL);
	KNN(index, ~0U, EINVAL);
	KNN(target_recall, VEXFS_RECALL_ONE + 1, EINVAL);
	KNN(target_recall, ~0U, EINVAL);
	KNN(reserved0, 1, EINVAL);
	KNN(reserved1, 1, EINVAL);
	KNN(filter, 1, EINVAL);
	KNN(filter_bytes, 1, EINVAL);
	KNN(filter_ids, U64, 0);
	KNN(filter_ids_count, U64, EINVAL);
	KNN(index, VEXFS_INDEX_SCAN, 0);
	KNN(flags, VEXFS_SEARCH_EXACT, 0);
	KNN(effort, ~0U, 0);
	KNN(target_recall, 1, 0);
	KNN(target_recall, VEXFS_RECALL_ONE, 0);
	knn_together(VEXFS_SEARCH_EXACT, 1, 0, VEXFS_INDEX_AUTO);
	knn_together(VEXFS_SEARCH_EXACT, 0, 1, VEXFS_INDEX_AUTO);
	knn_together(0, 1, 1, VEXFS_INDEX_AUTO);
	knn_together(VEXFS_SEARCH_EXACT, 0, 0, VEXFS_INDEX_HNSW);
	knn_together(0, 0, VEXFS_RECALL_ONE, VEXFS_INDEX_IVF);
	KNN(counts, 0, 0);
	KNN(first_row, U64, 0);
	KNN(row_count, U64, 0);
	KNN(metric, VEXFS_METRIC_L1, 0);
	memcpy(&query[1][2], &nan, 4);
	knn.queries = (uintptr_t)query;
	CALL(fd_auto, VEXFS_IOC_KNN_SEARCH, &knn, EINVAL, "a NaN in a query");
	knn = right_knn();
	knn.first_row = 50;
	knn.row_count = U64 - 20;
	CALL(fd_auto, VEXFS_IOC_KNN_SEARCH, &knn, 0, "rows that overflow");
	SAME(((uint32_t *)(uintptr_t)knn.counts)[1], 10);
	knn.first_row = U64 - 1;
	CALL(fd_auto, VEXFS_IOC_KNN_SEARCH, &knn, 0, "rows far away");
	SAME(((uint32_t *)(uintptr_t)knn.counts)[1], 0);
}

#define RANGE(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_RANGE_SEARCH, right_range(), field, value, \
	      error)

static void test_range(void)
{
	struct vexfs_range_search range = right_range();

	RANGE(flags, 1, EINVAL);
	RANGE(query, 0, EINVAL);
	RANGE(query, (uintptr_t)hole, EFAULT);
	RANGE(query_bytes, 0, EINVAL);
	RANGE(query_bytes, ROW + 1, EINVAL);
	RANGE(query_bytes, U64, EINVAL);
	RANGE(metric, 5, EINVAL);
	RANGE(metric, ~0U, EINVAL);
	RANGE(query_element, 5, EINVAL);
	RANGE(query_element, VEXFS_ELEMENT_F16, EINVAL);
	RANGE(radius, 0x7ff8000000000000ULL, EINVAL);
	RANGE(radius, 0xfff0000000000001ULL, EINVAL);
	RANGE(results, 0, EINVAL);
	RANGE(results, (uintptr_t)hole, EFAULT);
	RANGE(results, (uintptr_t)readonly, EFAULT);
	RANGE(capacity, 0, EINVAL);
	RANGE(capacity, (1ULL << 24) + 1, EINVAL);
	RANGE(capacity, U64, EINVAL);
	RANGE(filter, 1, EINVAL);
	RANGE(filter_bytes, 1, EINVAL);
	RANGE(filter_ids, U64, 0);
	RANGE(filter_ids_count, U64, EINVAL);
	RANGE(reserved[0], 1, EINVAL);
	RANGE(reserved[3], U64, EINVAL);
	RANGE(radius, 0x7ff0000000000000ULL, 0);
	RANGE(radius, 0xfff0000000000000ULL, 0);
	RANGE(radius, 1ULL << 63, 0);
	range.cursor = 5;
	range.generation = 999;
	CALL(fd_auto, VEXFS_IOC_RANGE_SEARCH, &range, ESTALE, "old cursor");
}

#define BUILD(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_BUILD_INDEX, right_build(), field, value, error)
#define DROP(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_DROP_INDEX, right_drop(), field, value, error)
#define STATUS(field, value, error) \
	FIELD(fd_auto, VEXFS_IOC_INDEX_STATUS, right_status(), field, value, error)

static void test_index(void)
{
	struct vexfs_build_index build = right_build();

	BUILD(flags, 1, EINVAL);
	BUILD(flags, ~0U, EINVAL);
	BUILD(type, VEXFS_INDEX_AUTO, EINVAL);
	BUILD(type, VEXFS_INDEX_SCAN, EINVAL);
	BUILD(type, VEXFS_INDEX_IVF + 1, EINVAL);
	BUILD(type, ~0U, EINVAL);
	BUILD(effort, VEXFS_EFFORT_MIN - 1, EINVAL);
	BUILD(effort, VEXFS_EFFORT_MAX + 1, EINVAL);
	BUILD(effort, ~0U, EINVAL);
	BUILD(lists, 1, EINVAL);
	BUILD(threads, VEXFS_BUILD_THREADS_MAX + 1, EINVAL);
	BUILD(threads, ~0U, EINVAL);
	BUILD(reserved[0], 1, EINVAL);
	BUILD(reserved[3], U64, EINVAL);
	build.type = VEXFS_INDEX_IVF;
	build.effort = VEXFS_EFFORT_MIN;
	CALL(fd_auto, VEXFS_IOC_BUILD_INDEX, &build, EINVAL, "effort of ivf");
	build.effort = 0;
	build.lists = VEXFS_LISTS_MAX + 1;
	CALL(fd_auto, VEXFS_IOC_BUILD_INDEX, &build, EINVAL, "many lists");
	build.lists = 0;
	build.threads = 1;
	CALL(fd_auto, VEXFS_IOC_BUILD_INDEX, &build, EINVAL, "threads of ivf");
	DROP(flags, VEXFS_DROP_BUILD << 1, EINVAL);
	DROP(flags, ~0U, EINVAL);
	DROP(reserved[0], 1, EINVAL);
	DROP(reserved[1], U64, EINVAL);
	DROP(flags, VEXFS_DROP_BUILD, 0);
	DROP(flags, 0, 0);
	STATUS(flags, 1, EINVAL);
	STATUS(reserved0, 1, EINVAL);
	STATUS(reserved[0], 1, EINVAL);
	STATUS(reserved[3], U64, EINVAL);
	STATUS(rows, U64, 0);
}

static void test_others(void)
{
	FIELD(fd_auto, VEXFS_IOC_SEARCH_STATS, right_stats(), flags, 1, EINVAL);
	FIELD(fd_auto, VEXFS_IOC_SEARCH_STATS, right_stats(), reserved[0], 1,
	      EINVAL);
	FIELD(fd_auto, VEXFS_IOC_SEARCH_STATS, right_stats(), reserved[3], 1,
	      EINVAL);
	FIELD(fd_auto, VEXFS_IOC_SEARCH_STATS, right_stats(), rows_scanned, 7,
	      0);
	FIELD(fd_auto, VEXFS_IOC_GET_SCHEMA, right_schema(1), flags, 1, EINVAL);
	FIELD(fd_auto, VEXFS_IOC_GET_SCHEMA, right_schema(1), reserved[1], 1,
	      EINVAL);
	FIELD(fd_auto, VEXFS_IOC_GET_SCHEMA, right_schema(1), rows, 7, 0);
}

/* All calls on a file on which they have no business. */
static void all_calls(int fd, int schema, int reads, int writes)
{
	struct vexfs_schema set = right_schema(VEXFS_IDS_AUTO);
	struct vexfs_batch_insert insert = right_insert();
	struct vexfs_batch_delete delete = right_delete();
	struct vexfs_get_vectors get = right_get();
	struct vexfs_knn_search knn = right_knn();
	struct vexfs_range_search range = right_range();
	struct vexfs_search_stats stats = right_stats();
	struct vexfs_drop_index drop = right_drop();
	struct vexfs_index_status status = right_status();

	CALL(fd, VEXFS_IOC_GET_SCHEMA, &set, schema, "kind of file");
	CALL(fd, VEXFS_IOC_BATCH_INSERT, &insert, writes, "kind of file");
	CALL(fd, VEXFS_IOC_BATCH_DELETE, &delete, writes, "kind of file");
	CALL(fd, VEXFS_IOC_GET_VECTORS, &get, reads, "kind of file");
	CALL(fd, VEXFS_IOC_KNN_SEARCH, &knn, reads, "kind of file");
	CALL(fd, VEXFS_IOC_RANGE_SEARCH, &range, reads, "kind of file");
	CALL(fd, VEXFS_IOC_SEARCH_STATS, &stats, reads, "kind of file");
	CALL(fd, VEXFS_IOC_DROP_INDEX, &drop, writes, "kind of file");
	CALL(fd, VEXFS_IOC_INDEX_STATUS, &status, reads, "kind of file");
}

static void test_files(void)
{
	struct vexfs_schema schema = right_schema(VEXFS_IDS_AUTO);
	int fd = open("plain", O_CREAT | O_RDWR, 0644);

	OK(fd);
	SAME(write(fd, "plain", 5), 5);
	all_calls(fd, ENODATA, ENODATA, ENODATA);
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	OK(fd);
	all_calls(fd, ENODATA, EISDIR, EISDIR);
	close(fd);
	fd = open("auto", O_RDONLY);
	OK(fd);
	schema.dim = 5;
	CALL(fd, VEXFS_IOC_SET_SCHEMA, &schema, EBADF, "read-only");
	all_calls(fd, 0, 0, EBADF);
	close(fd);
	fd = open("auto", O_WRONLY);
	OK(fd);
	all_calls(fd, 0, EBADF, 0);
	close(fd);
	fd = open("auto", O_PATH);
	OK(fd);
	all_calls(fd, EBADF, EBADF, EBADF);
	close(fd);
	OK(mkfifo("fifo", 0644));
	fd = open("fifo", O_RDWR);
	OK(fd);
	all_calls(fd, ENOTTY, ENOTTY, ENOTTY);
	close(fd);
}

static void test_numbers(void)
{
	struct vexfs_schema schema = right_schema(VEXFS_IDS_AUTO);
	unsigned int nr;

	for (nr = 0; nr < 256; nr++)
		if (!nr || nr > 14)
			ERR(ENOTTY, ioctl(fd_auto, _IOWR(VEXFS_IOC_MAGIC, nr,
							 struct vexfs_schema),
					  &schema));
	ERR(ENOTTY, ioctl(fd_auto, _IOWR('x', 2, struct vexfs_schema),
			  &schema));
	/* the size in the number is the caller's own affair */
	OK(ioctl(fd_auto, _IOWR(VEXFS_IOC_MAGIC, 2, char[4000]), &schema));
	OK(ioctl(fd_auto, _IO(VEXFS_IOC_MAGIC, 2), &schema));
	SAME(schema.dim, DIM);
}

static void as_user(void)
{
	struct vexfs_schema schema = right_schema(VEXFS_IDS_AUTO);
	int fd = open("d", O_RDONLY | O_DIRECTORY);

	ERR(EPERM, ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema));
	close(fd);
	ERR(EACCES, open("auto", O_RDWR));
	fd = open("auto", O_RDONLY);
	OK(fd);
	ERR(EBADF, ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema));
	close(fd);
}

static void test_user(void)
{
	OK(mkdir("d", 0777));
	check_as(4321, as_user);
}

/* The cases share the first one's files. */
static void in_first(void (*run)(void))
{
	OK(chdir(check_top));
	OK(chdir("structures"));
	run();
}

#define SHARED(name) \
	static void shared_##name(void) { in_first(test_##name); }

static void first(void)
{
	make_files();
	test_structures();
}

SHARED(set_schema)
SHARED(insert)
SHARED(insert_values)
SHARED(writes)
SHARED(get)
SHARED(delete)
SHARED(knn)
SHARED(range)
SHARED(index)
SHARED(others)
SHARED(files)
SHARED(numbers)
SHARED(user)

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "structures", first },
		{ "set_schema", shared_set_schema },
		{ "insert", shared_insert },
		{ "insert_values", shared_insert_values },
		{ "writes", shared_writes },
		{ "get", shared_get },
		{ "delete", shared_delete },
		{ "knn", shared_knn },
		{ "range", shared_range },
		{ "index", shared_index },
		{ "others", shared_others },
		{ "files", shared_files },
		{ "numbers", shared_numbers },
		{ "user", shared_user },
	};

	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
