// SPDX-License-Identifier: Apache-2.0
/*
 * Many processes at once: inserting, searching, deleting, truncating,
 * unlinking and renaming, building indexes and setting attributes, in vector
 * files of their own and in shared ones, and in ordinary files. What each reads
 * must be right at any time: a row tells what it is, a file of one's own is as
 * one made it, a search of it is compared with brute force. Seeded; the order of
 * the processes is not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include "stress.h"

#define PROCESSES_MAX	256
#define VECTORS		8		/* shared vector files; even ones: own ids */
#define OWN_MAX		3000		/* rows of a file of one's own */
#define SHARED_MAX	20000
#define BATCH		200
#define NO_FILE		UINT64_MAX	/* there was no space for it */

/* What all processes and their parent see. */
static struct shared {
	unsigned int failures;
	unsigned long counts[16];	/* operations by kind */
	unsigned long full, stale;	/* ENOSPC, ESTALE */
	struct {
		uint64_t rows, live, hash;
	} own[PROCESSES_MAX];
} *shared;

/* The file of a process's own, as it must be. */
static struct {
	uint64_t id[OWN_MAX], nonce[OWN_MAX];
	bool dead[OWN_MAX];
	uint32_t rows;
	uint64_t next_id;
	bool own_ids;
	int fd;
	char name[32];
} mine;

static uint64_t random_state, counter;
static unsigned int me;
static unsigned long step_number;

static uint64_t next_random(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint32_t below(uint32_t n)
{
	return (uint32_t)(next_random() % n);
}

void wrong(const char *fmt, ...)
{
	va_list args;

	if (__atomic_fetch_add(&shared->failures, 1, __ATOMIC_RELAXED) > 20)
		return;
	printf("WRONG (process %u, operation %lu): ", me, step_number);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* An error that may be, as space runs out and others take rows away? */
bool allowed(int error)
{
	if (error == ENOSPC)
		__atomic_fetch_add(&shared->full, 1, __ATOMIC_RELAXED);
	if (error == ESTALE)
		__atomic_fetch_add(&shared->stale, 1, __ATOMIC_RELAXED);
	return error == ENOSPC || error == ESTALE;
}

/* A call failed: was it for a reason that may be? */
void failed(const char *what)
{
	if (!allowed(errno))
		wrong("%s: %s", what, strerror(errno));
}

uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ULL;
	a ^= a >> 29;
	return a * 0xbf58476d1ce4e5b9ULL;
}

void row_fill(float *row, uint64_t nonce)
{
	int i;

	for (i = 0; i < 4; i++)
		row[i] = (float)(nonce >> (12 * i) & 4095);
	for (; i < DIM; i++)
		row[i] = (float)((int)(mix(nonce, i) >> 33) % 2001 - 1000) / 8;
}

static uint64_t row_nonce(const float *row)
{
	uint64_t nonce = 0;
	int i;

	for (i = 3; i >= 0; i--)
		nonce = nonce << 12 | ((unsigned int)row[i] & 4095);
	return nonce;
}

static bool row_right(const float *row)
{
	float right[DIM];

	row_fill(right, row_nonce(row));
	return !memcmp(row, right, ROW);
}

/* Small multiples of 1/8: exact in binary64. */
double row_distance(const float *a, const float *b)
{
	double sum = 0;
	int i;

	for (i = 0; i < DIM; i++)
		sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
	return sum;
}

uint64_t new_nonce(void)
{
	return (uint64_t)me << 32 | ++counter;
}

static int vector_open(const char *name, bool own_ids)
{
	struct vexfs_schema schema = {
		.size = sizeof(schema), .dim = DIM,
		.element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
		.ids = own_ids ? VEXFS_IDS_OWN : VEXFS_IDS_AUTO,
		.columns = (uintptr_t)stress_columns, .column_count = COLUMNS,
	};
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0) {
		if (!allowed(errno))
			wrong("%s: open: %s", name, strerror(errno));
		return -1;
	}
	if (ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema)) {
		if (!allowed(errno))
			wrong("%s: SET_SCHEMA: %s", name, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static uint32_t fill_batch(float *rows, uint64_t *nonces, uint32_t max)
{
	uint32_t count = 1 + below(below(4) ? max / 8 : max), i;

	for (i = 0; i < count; i++) {
		nonces[i] = new_nonce();
		row_fill(rows + i * DIM, nonces[i]);
	}
	return count;
}

static int knn(int fd, const float *query, uint32_t k, uint32_t flags,
	       struct vexfs_result *results, uint32_t *count)
{
	struct vexfs_knn_search search = {
		.size = sizeof(search), .flags = flags,
		.queries = (uintptr_t)query,
		.queries_bytes = ROW, .query_count = 1, .k = k,
		.results = (uintptr_t)results,
		.results_bytes = k * sizeof(*results),
		.counts = (uintptr_t)count,
	};

	return ioctl(fd, VEXFS_IOC_KNN_SEARCH, &search);
}

double distance_of(const struct vexfs_result *result)
{
	double distance;

	memcpy(&distance, &result->distance, sizeof(distance));
	return distance;
}

/* The file of one's own */

static void mine_insert(void)
{
	static float rows[BATCH * DIM];
	uint64_t nonces[BATCH];
	struct vexfs_batch_insert insert = { .size = sizeof(insert) };
	uint32_t count = fill_batch(rows, nonces, BATCH), i;

	if (mine.rows + count > OWN_MAX)
		return;
	insert.vectors = (uintptr_t)rows;
	insert.vectors_bytes = count * ROW;
	insert.count = count;
	if (mine.own_ids)
		insert.ids = (uintptr_t)nonces;
	if (!mine.own_ids && below(2)) {
		ssize_t n = write(mine.fd, rows, count * ROW);

		if (n != (ssize_t)(count * ROW)) {
			if (n < 0 && !allowed(errno))
				wrong("append of %u rows: %s", count,
				      strerror(errno));
			n = n < 0 ? 0 : n;
			/* space ran out: part of a row would be in the way */
			if (ftruncate(mine.fd, (mine.rows + n / ROW) * ROW))
				wrong("truncate: %s", strerror(errno));
		}
		count = n / ROW;
	} else if (ioctl(mine.fd, VEXFS_IOC_BATCH_INSERT, &insert)) {
		failed("BATCH_INSERT");
		return;
	} else if (!mine.own_ids && insert.first_id != mine.next_id) {
		wrong("first id %llu, expected %llu",
		      (unsigned long long)insert.first_id,
		      (unsigned long long)mine.next_id);
	}
	for (i = 0; i < count; i++, mine.rows++) {
		mine.id[mine.rows] = mine.own_ids ? nonces[i] : mine.next_id++;
		mine.nonce[mine.rows] = nonces[i];
		mine.dead[mine.rows] = false;
	}
}

static void mine_delete(void)
{
	struct vexfs_batch_delete delete = { .size = sizeof(delete) };
	uint32_t at[32], count = 0, i, step = 1 + below(20);
	uint64_t ids[32];

	if (!mine.rows)
		return;
	for (i = below(mine.rows); i < mine.rows && count < 32; i += step) {
		if (mine.dead[i])
			continue;
		ids[count] = mine.id[i];
		at[count++] = i;
	}
	if (!count)
		return;
	delete.ids = (uintptr_t)ids;
	delete.count = count;
	if (ioctl(mine.fd, VEXFS_IOC_BATCH_DELETE, &delete)) {
		if (!allowed(errno))
			wrong("BATCH_DELETE: %s, index %llu", strerror(errno),
			      (unsigned long long)delete.bad_index);
		return;
	}
	while (count--)
		mine.dead[at[count]] = true;
}

static int compare_results(const void *a, const void *b)
{
	const struct vexfs_result *x = a, *y = b;
	double dx = distance_of(x), dy = distance_of(y);

	if (dx != dy)
		return dx < dy ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void mine_search(void)
{
	static struct vexfs_result right[OWN_MAX], found[64];
	uint32_t k = 1 + below(64), count = 0, live = 0, i;
	float query[DIM], row[DIM];
	double distance;

	row_fill(query, new_nonce());
	for (i = 0; i < mine.rows; i++) {
		if (mine.dead[i])
			continue;
		row_fill(row, mine.nonce[i]);
		distance = row_distance(query, row);
		memcpy(&right[live].distance, &distance, 8);
		right[live++].id = mine.id[i];
	}
	qsort(right, live, sizeof(right[0]), compare_results);
	if (knn(mine.fd, query, k, VEXFS_SEARCH_EXACT, found, &count)) {
		wrong("KNN_SEARCH: %s", strerror(errno));
		return;
	}
	if (count != (live < k ? live : k))
		wrong("%u results of %u for k %u", count, live, k);
	for (i = 0; i < count && i < live; i++)
		if (found[i].id != right[i].id ||
		    found[i].distance != right[i].distance) {
			wrong("result %u of %u: id %llu at %g, expected %llu at %g",
			      i, count, (unsigned long long)found[i].id,
			      distance_of(&found[i]),
			      (unsigned long long)right[i].id,
			      distance_of(&right[i]));
			break;
		}
	check_default(mine.fd, query, k, right, live);
}

static void mine_get(void)
{
	static float rows[20 * DIM];
	uint64_t ids[20];
	uint32_t at[20], count = 0, i;
	struct vexfs_get_vectors get = { .size = sizeof(get) };

	for (i = 0; i < 20 && mine.rows; i++) {
		at[count] = below(mine.rows);
		if (!mine.dead[at[count]]) {
			ids[count] = mine.id[at[count]];
			count++;
		}
	}
	if (!count)
		return;
	get.ids = (uintptr_t)ids;
	get.vectors = (uintptr_t)rows;
	get.vectors_bytes = count * ROW;
	get.count = count;
	if (ioctl(mine.fd, VEXFS_IOC_GET_VECTORS, &get)) {
		wrong("GET_VECTORS: %s", strerror(errno));
		return;
	}
	for (i = 0; i < count; i++)
		if (!row_right(rows + i * DIM) ||
		    row_nonce(rows + i * DIM) != mine.nonce[at[i]])
			wrong("row of id %llu", (unsigned long long)ids[i]);
}

/* All of it: the matrix, and the live rows. */
static uint64_t check_whole(int fd, uint64_t *rows, uint64_t *live,
			    const char *name)
{
	static float data[(OWN_MAX + 1) * DIM];
	static uint64_t ids[OWN_MAX + 1];
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN,
		.count = OWN_MAX + 1, .ids = (uintptr_t)ids,
		.vectors = (uintptr_t)data, .vectors_bytes = sizeof(data),
	};
	struct vexfs_schema schema = { .size = sizeof(schema) };
	uint64_t hash = 0, i;

	if (ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema) ||
	    ioctl(fd, VEXFS_IOC_GET_VECTORS, &get)) {
		wrong("%s: %s", name, strerror(errno));
		return 0;
	}
	for (i = 0; i < get.returned; i++) {
		if (!row_right(data + i * DIM))
			wrong("%s: row of id %llu is damaged", name,
			      (unsigned long long)ids[i]);
		hash = mix(mix(hash, ids[i]), row_nonce(data + i * DIM));
	}
	if (schema.live_rows != get.returned)
		wrong("%s: %llu live rows, %llu found", name,
		      (unsigned long long)schema.live_rows,
		      (unsigned long long)get.returned);
	*rows = schema.rows;
	*live = get.returned;
	return hash;
}

static void mine_check(void)
{
	uint64_t hash = 0, rows = 0, live = 0, count = 0;
	uint32_t i;

	for (i = 0; i < mine.rows; i++)
		if (!mine.dead[i]) {
			hash = mix(mix(hash, mine.id[i]), mine.nonce[i]);
			count++;
		}
	if (check_whole(mine.fd, &rows, &live, mine.name) != hash ||
	    rows != mine.rows || live != count)
		wrong("%s is not as it was made: %llu rows, %llu live, expected %u, %llu",
		      mine.name, (unsigned long long)rows,
		      (unsigned long long)live, mine.rows,
		      (unsigned long long)count);
	shared->own[me].rows = mine.rows;
	shared->own[me].live = count;
	shared->own[me].hash = hash;
}

static void mine_truncate(void)
{
	uint32_t rows = below(3) ? below(mine.rows + 1) : 0;

	if (ftruncate(mine.fd, rows * ROW)) {
		wrong("truncate to %u of %u rows: %s", rows, mine.rows,
		      strerror(errno));
		return;
	}
	mine.rows = rows;
}

static void mine_open(void)
{
	mine.fd = vector_open(mine.name, mine.own_ids);
	if (mine.fd >= 0)
		fcntl(mine.fd, F_SETFL, O_APPEND);
	else
		shared->own[me].rows = NO_FILE;
}

/* Begin again, with another file of the name, or of another name. */
static void mine_replace(void)
{
	char other[40];

	snprintf(other, sizeof(other), "%s.other", mine.name);
	if (below(2)) {
		if (rename(mine.name, other) || rename(other, mine.name)) {
			failed("rename");
			/* where it is now does not matter: it is open */
			return;
		}
	}
	if (below(4))
		return;
	if (unlink(mine.name)) {
		wrong("unlink: %s", strerror(errno));
		return;
	}
	mine_check();
	close(mine.fd);
	mine.rows = 0;
	mine.next_id = 0;
	mine_open();
}

static void do_mine(void)
{
	uint32_t what = below(100);

	if (mine.fd < 0)
		return;
	if (what < 35)
		mine_insert();
	else if (what < 50)
		mine_delete();
	else if (what < 68)
		mine_search();
	else if (what < 82)
		mine_get();
	else if (what < 88)
		mine_truncate();
	else if (what < 92)
		mine_check();
	else if (what < 94)
		mine_replace();
	else if (what < 96)
		do_build(mine.fd);
	else if (fsync(mine.fd))
		wrong("fsync: %s", strerror(errno));
}

/* Shared vector files */

static void vector_insert(int fd, bool own_ids)
{
	static float rows[BATCH * DIM], back[DIM];
	uint64_t nonces[BATCH];
	uint32_t count = fill_batch(rows, nonces, BATCH);
	struct vexfs_batch_insert insert = {
		.size = sizeof(insert), .vectors = (uintptr_t)rows,
		.vectors_bytes = count * ROW, .count = count,
		.ids = own_ids ? (uintptr_t)nonces : 0,
	};
	uint64_t id;
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .ids = (uintptr_t)&id, .count = 1,
		.vectors = (uintptr_t)back, .vectors_bytes = ROW,
	};

	if (ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert)) {
		if (errno != EBUSY)
			failed("shared BATCH_INSERT");
		return;
	}
	id = own_ids ? nonces[count - 1] : insert.first_id + count - 1;
	if (ioctl(fd, VEXFS_IOC_GET_VECTORS, &get)) {
		if (errno != ENOENT)
			failed("shared GET_VECTORS");
	} else if (row_nonce(back) != nonces[count - 1] || !row_right(back)) {
		wrong("a row just inserted is another");
	}
}

static void vector_append(int fd)
{
	static float rows[BATCH * DIM];
	uint64_t nonces[BATCH];
	uint32_t count = fill_batch(rows, nonces, BATCH);
	ssize_t n;

	fcntl(fd, F_SETFL, O_APPEND);
	n = write(fd, rows, count * ROW);
	if (n < 0)
		failed("shared append");
}

static void vector_delete(int fd)
{
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN, .count = 16,
	};
	struct vexfs_batch_delete delete = {
		.size = sizeof(delete), .flags = VEXFS_DELETE_IGNORE_MISSING,
	};
	uint64_t ids[16];

	get.ids = (uintptr_t)ids;
	get.cursor = below(1000);
	get.generation = 0;
	if (get.cursor) {
		struct vexfs_schema schema = { .size = sizeof(schema) };

		if (!ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema))
			get.generation = schema.generation;
	}
	if (ioctl(fd, VEXFS_IOC_GET_VECTORS, &get)) {
		failed("shared listing of ids");
		return;
	}
	if (!get.returned)
		return;
	delete.ids = (uintptr_t)ids;
	delete.count = get.returned;
	if (ioctl(fd, VEXFS_IOC_BATCH_DELETE, &delete))
		failed("shared BATCH_DELETE");
}

static void vector_search(int fd, bool own_ids)
{
	struct vexfs_result found[50];
	uint32_t k = 1 + below(50), count = 0, i;
	float query[DIM], row[DIM];

	row_fill(query, new_nonce());
	if (knn(fd, query, k, below(2) ? VEXFS_SEARCH_EXACT : 0, found,
		&count)) {
		failed("shared KNN_SEARCH");
		return;
	}
	if (count > k)
		wrong("shared KNN_SEARCH: %u results for k %u", count, k);
	for (i = 0; i < count && i < k; i++) {
		if (i && compare_results(&found[i - 1], &found[i]) >= 0)
			wrong("shared KNN_SEARCH: results are not in order");
		if (!own_ids)
			continue;
		row_fill(row, found[i].id);
		if (row_distance(query, row) != distance_of(&found[i]))
			wrong("shared KNN_SEARCH: id %llu at %g, not at %g",
			      (unsigned long long)found[i].id,
			      distance_of(&found[i]),
			      row_distance(query, row));
	}
}

static void vector_range(int fd)
{
	static struct vexfs_result found[500];
	float query[DIM];
	double radius = 1e5 * (1 + below(100));
	struct vexfs_range_search range = {
		.size = sizeof(range), .query = (uintptr_t)query,
		.query_bytes = ROW, .results = (uintptr_t)found,
		.capacity = 500,
	};
	uint64_t i;

	row_fill(query, new_nonce());
	memcpy(&range.radius, &radius, 8);
	do {
		if (ioctl(fd, VEXFS_IOC_RANGE_SEARCH, &range)) {
			failed("shared RANGE_SEARCH");
			return;
		}
		for (i = 0; i < range.count; i++)
			if (distance_of(&found[i]) > radius)
				wrong("shared RANGE_SEARCH: %g is beyond %g",
				      distance_of(&found[i]), radius);
	} while (range.cursor != UINT64_MAX);
}

static void vector_scan(int fd, bool own_ids)
{
	static float rows[300 * DIM];
	static uint64_t ids[300];
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN, .count = 300,
		.ids = (uintptr_t)ids, .vectors = (uintptr_t)rows,
		.vectors_bytes = sizeof(rows),
	};
	uint32_t turns = 1 + below(20);
	uint64_t i;

	do {
		if (ioctl(fd, VEXFS_IOC_GET_VECTORS, &get)) {
			failed("shared scan");
			return;
		}
		for (i = 0; i < get.returned; i++)
			if (!row_right(rows + i * DIM) ||
			    (own_ids && row_nonce(rows + i * DIM) != ids[i]))
				wrong("shared scan: row of id %llu",
				      (unsigned long long)ids[i]);
	} while (get.returned && --turns);
}

static void vector_shrink(int fd, const char *name)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	uint64_t rows;

	if (ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema)) {
		wrong("shared GET_SCHEMA: %s", strerror(errno));
		return;
	}
	rows = schema.rows > SHARED_MAX || !below(3) ? 0 :
	       below(schema.rows + 1);
	/* EINVAL: another was quicker, and this would extend the file */
	if (below(4)) {
		if (ftruncate(fd, rows * ROW) && errno != EINVAL &&
		    !allowed(errno))
			wrong("shared truncate: %s", strerror(errno));
	} else if (unlink(name) && errno != ENOENT) {
		wrong("shared unlink: %s", strerror(errno));
	}
}

static void do_vector(void)
{
	uint32_t which = below(VECTORS), what = below(100);
	bool own_ids = which % 2 == 0;
	struct stat st;
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "shared%u", which);
	fd = vector_open(name, own_ids);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > (off_t)(SHARED_MAX * ROW))
		what = 99;
	else if (!below(3))
		what = 100;
	if (what < 25)
		vector_insert(fd, own_ids);
	else if (what < 35)
		own_ids ? vector_insert(fd, true) : vector_append(fd);
	else if (what < 50)
		vector_delete(fd);
	else if (what < 68)
		vector_search(fd, own_ids);
	else if (what < 75)
		vector_range(fd);
	else if (what < 92)
		vector_scan(fd, own_ids);
	else if (what < 96)
		fsync(fd);
	else if (what == 100)
		do_index(fd, own_ids);
	else
		vector_shrink(fd, name);
	close(fd);
}

/* Directories, and everything at once */

static void do_directory(void)
{
	uint32_t what = below(100);
	struct dirent *entry;
	char name[32];
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "dir%u", below(10));
	if (what < 40) {
		if (mkdir(name, 0755) && errno != EEXIST)
			failed("mkdir");
	} else if (what < 70) {
		if (rmdir(name) && errno != ENOENT)
			wrong("rmdir: %s", strerror(errno));
	} else if (what < 98) {
		dir = opendir(".");
		if (!dir) {
			wrong("opendir: %s", strerror(errno));
			return;
		}
		errno = 0;
		while ((entry = readdir(dir)))
			if (!entry->d_ino || !entry->d_name[0])
				wrong("readdir: a name without an inode");
		if (errno)
			wrong("readdir: %s", strerror(errno));
		closedir(dir);
	} else {
		fd = open(".", O_RDONLY | O_DIRECTORY);
		if (fd < 0 || syncfs(fd))
			wrong("syncfs: %s", strerror(errno));
		close(fd);
	}
}

static void child(unsigned int number, unsigned long operations, uint64_t seed)
{
	static void (*const run[])(void) = {
		do_mine, do_vector, do_plain, do_directory,
	};
	static const uint8_t chance[] = { 30, 40, 25, 5 };
	uint32_t what, kind;

	me = number;
	random_state = seed * 1000003 + number;
	mine.own_ids = number % 2;
	snprintf(mine.name, sizeof(mine.name), "mine%u", number);
	mine_open();
	for (step_number = 0; step_number < operations; step_number++) {
		what = below(100);
		for (kind = 0; what >= chance[kind]; kind++)
			what -= chance[kind];
		run[kind]();
		__atomic_fetch_add(&shared->counts[kind], 1, __ATOMIC_RELAXED);
		if (shared->failures > 20)
			break;
	}
	if (mine.fd >= 0)
		mine_check();
	exit(0);
}

/* What the processes left behind, from the disk. */
static void check_all(unsigned int processes)
{
	uint64_t rows = 0, live = 0, hash;
	unsigned int i;
	char name[32];
	int fd;

	for (i = 0; i < processes; i++) {
		if (shared->own[i].rows == NO_FILE)
			continue;
		snprintf(name, sizeof(name), "mine%u", i);
		fd = open(name, O_RDONLY);
		if (fd < 0) {
			wrong("%s: %s", name, strerror(errno));
			continue;
		}
		hash = check_whole(fd, &rows, &live, name);
		if (rows != shared->own[i].rows || live != shared->own[i].live ||
		    hash != shared->own[i].hash)
			wrong("%s is another after it was mounted again", name);
		close(fd);
	}
	for (i = 0; i < VECTORS; i++) {
		snprintf(name, sizeof(name), "shared%u", i);
		fd = open(name, O_RDONLY);
		if (fd >= 0) {
			vector_scan(fd, i % 2 == 0);
			vector_search(fd, i % 2 == 0);
			close(fd);
		}
	}
	check_plain();
}

/* Fill the volume up, so that space runs out all the time. */
static void fill(unsigned long leave)
{
	static char block[1 << 16];
	int fd = open("ballast", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	struct statfs st;

	if (fd < 0) {
		wrong("ballast: %s", strerror(errno));
		return;
	}
	memset(block, 'b', sizeof(block));
	while (!statfs(".", &st) && st.f_bavail * 4 > leave + 64 &&
	       write(fd, block, sizeof(block)) == sizeof(block))
		;
	fsync(fd);
	close(fd);
}

static void usage(void)
{
	fprintf(stderr, "usage: stress [--processes N] [--operations N] [--seed S] [--leave KIB] DIRECTORY [DEVICE]\n"
		"DEVICE is mounted at DIRECTORY, and is mounted again before the last check.\n"
		"--leave fills it beforehand until so many KiB are left.\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "processes", required_argument, NULL, 'p' },
		{ "operations", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "leave", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int processes = 64, i;
	unsigned long operations = 200000, leave = 0;
	uint64_t seed = 1;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			processes = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			operations = strtoul(optarg, NULL, 0);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'l')
			leave = strtoul(optarg, NULL, 0);
		else
			usage();
	}
	if (optind >= argc || !processes || processes > PROCESSES_MAX)
		usage();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || chdir(argv[optind])) {
		perror(argv[optind]);
		return 2;
	}
	if (leave)
		fill(leave);
	fflush(stdout);
	for (i = 0; i < processes; i++)
		if (!fork())
			child(i, operations / processes, seed);
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			wrong("a process ended with status %x", status);
	me = processes;
	if (argc > optind + 1 &&
	    (chdir("/") || umount(argv[optind]) ||
	     mount(argv[optind + 1], argv[optind], "vexfs", 0, NULL) ||
	     chdir(argv[optind])))
		wrong("cannot mount again: %s", strerror(errno));
	check_all(processes);
	printf("%lu own, %lu vector, %lu file, %lu directory operations; %lu times full, %lu times stale; %u wrong\n",
	       shared->counts[0], shared->counts[1], shared->counts[2],
	       shared->counts[3], shared->full, shared->stale,
	       shared->failures);
	return shared->failures ? 1 : 0;
}
