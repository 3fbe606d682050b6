// SPDX-License-Identifier: Apache-2.0
/*
 * Searches and indexes for the power-cut test: what powercut_load does while
 * the log is recorded, and powercut_check after a cut. Every answer is compared
 * with all distances, which are exact in binary64 for the rows of the model.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include "powercut_model.h"

#define K_MAX	100
#define DIM_MAX	65535

struct neighbour {
	double distance;
	uint64_t id;
};

static double value(const void *row, uint32_t element, uint32_t i)
{
	return element == VEXFS_ELEMENT_F32 ? ((const float *)row)[i] :
	       element == VEXFS_ELEMENT_I8 ? ((const int8_t *)row)[i] :
					     ((const uint8_t *)row)[i];
}

static int compare(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* All live rows, the nearest first. */
static uint32_t brute_force(uint32_t fid, const struct pc_rows *rows,
			    const bool *live, const void *query,
			    struct neighbour *all)
{
	static char row[4 * DIM_MAX];
	uint32_t i, j, count = 0;

	for (i = 0; i < rows->rows; i++) {
		double sum = 0;

		if (!live[i])
			continue;
		pc_row_fill(row, fid, rows->id[i], rows->dim, rows->element);
		for (j = 0; j < rows->dim; j++) {
			double d = value(row, rows->element, j) -
				   value(query, rows->element, j);

			sum += d * d;
		}
		all[count].distance = sum;
		all[count++].id = rows->id[i];
	}
	qsort(all, count, sizeof(*all), compare);
	return count;
}

static const char *compare_results(const struct pc_search *search,
				   const struct vexfs_result *results,
				   uint32_t found,
				   const struct neighbour *all, uint32_t count)
{
	uint32_t wanted = search->k < count ? search->k : count, i, j, right = 0;
	bool exact = search->flags & VEXFS_SEARCH_EXACT;
	double distance, last = -1;

	if (found > wanted || (exact && found < wanted))
		return "another number of rows than wanted";
	for (i = 0; i < found; i++) {
		memcpy(&distance, &results[i].distance, sizeof(distance));
		for (j = 0; j < count && all[j].id != results[i].id; j++)
			;
		if (j == count)
			return "found a row that is not there";
		if (all[j].distance != distance)
			return "a wrong distance";
		if (exact && j != i)
			return "not the nearest rows, or in another order";
		if (distance < last)
			return "results are not in order";
		last = distance;
		/* Of rows at the same distance any will do. */
		right += distance <= all[wanted - 1].distance;
		for (j = 0; j < i; j++)
			if (results[j].id == results[i].id)
				return "a row is found twice";
	}
	return right < (wanted + 1) / 2 ? "most of the nearest rows are missing" :
					  NULL;
}

const char *pc_search_check(int fd, uint32_t fid, const struct pc_rows *rows,
			    const bool *live, const struct pc_search *search)
{
	static struct neighbour all[PC_ROWS_MAX];
	static char query[4 * DIM_MAX];
	struct vexfs_result results[K_MAX];
	uint32_t found = 0;
	struct vexfs_knn_search knn = {
		.size = sizeof(knn), .flags = search->flags,
		.queries = (uintptr_t)query,
		.queries_bytes = pc_row_bytes(rows->dim, rows->element),
		.query_count = 1, .k = search->k, .index = search->index,
		.results = (uintptr_t)results,
		.results_bytes = search->k * sizeof(results[0]),
		.counts = (uintptr_t)&found,
	};

	if (search->k > K_MAX)
		return "more results than this program has room for";
	pc_row_fill(query, fid, search->near, rows->dim, rows->element);
	if (ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn))
		/* there may be no such index, or not any more */
		return errno == ENOENT && search->index >= VEXFS_INDEX_HNSW ?
		       NULL : strerror(errno);
	return compare_results(search, results, found, all,
			       brute_force(fid, rows, live, query, all));
}

const char *pc_settle(int fd, unsigned int seconds)
{
	struct vexfs_index_status status = { .size = sizeof(status) };
	static char text[120];
	unsigned int waited;

	for (waited = 0; waited < seconds * 50; waited++) {
		if (ioctl(fd, VEXFS_IOC_INDEX_STATUS, &status))
			return strerror(errno);
		if (!status.building && (status.rows < 1000 ||
					 status.rows_encoded == status.rows))
			return NULL;
		usleep(20000);
	}
	snprintf(text, sizeof(text), "%s: building %u, progress %u, %llu of %llu rows encoded",
		 status.building ? "a build does not end" :
				   "rows are not encoded",
		 status.building, status.progress,
		 (unsigned long long)status.rows_encoded,
		 (unsigned long long)status.rows);
	return text;
}
