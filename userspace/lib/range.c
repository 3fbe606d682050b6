// SPDX-License-Identifier: Apache-2.0
/*
 * Range searches: one step, step by step to a function, and all at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vexfs.h>

#include "call.h"

#define EACH_RESULTS		4096U
#define RESTARTS_MAX		8

void vexfs_range_init(struct vexfs_range_search *search, const struct vexfs_schema *schema,
		      unsigned int element, const void *query, double radius)
{
	if (element == 0)
		element = schema->element;
	memset(search, 0, sizeof(*search));
	search->size = sizeof(*search);
	search->query = TO_U64(query);
	search->query_bytes = schema->dim * vexfs_element_bytes(element);
	search->query_element = element;
	search->radius = vexfs_double_to_bits(radius);
}

int vexfs_range(int fd, struct vexfs_range_search *search)
{
	search->size = sizeof(*search);
	return vexfs_call(fd, VEXFS_IOC_RANGE_SEARCH, search);
}

static void add_counts(struct vexfs_range_search *sum, const struct vexfs_range_search *step)
{
	sum->rows_scanned += step->rows_scanned;
	sum->exact_decisions += step->exact_decisions;
	sum->codes_compared += step->codes_compared;
	sum->exact_distances += step->exact_distances;
	sum->pages_missed += step->pages_missed;
}

int vexfs_range_each(int fd, struct vexfs_range_search *search, vexfs_result_taker taker,
		     void *arg)
{
	struct vexfs_result *results = malloc(EACH_RESULTS * sizeof(*results));
	struct vexfs_range_search sum = { 0 };
	int rc;

	if (!results)
		return -ENOMEM;
	search->cursor = 0;
	search->generation = 0;
	do {
		search->results = TO_U64(results);
		search->capacity = EACH_RESULTS;
		rc = vexfs_range(fd, search);
		if (rc < 0)
			break;
		add_counts(&sum, search);
		if (search->count > 0)
			rc = taker(arg, results, search->count);
	} while (rc == 0 && search->cursor != UINT64_MAX);
	search->rows_scanned = sum.rows_scanned;
	search->exact_decisions = sum.exact_decisions;
	search->codes_compared = sum.codes_compared;
	search->exact_distances = sum.exact_distances;
	search->pages_missed = sum.pages_missed;
	search->results = 0;
	free(results);
	return rc;
}

/* Results collected by vexfs_range_all(). */
struct collection {
	struct vexfs_result *results;
	uint64_t count;
	uint64_t room;
	uint64_t max;
};

/* Ends the search when the collection is full; no error number is positive. */
#define COLLECTION_FULL		1

static int collect(void *arg, const struct vexfs_result *results, uint64_t count)
{
	struct collection *all = arg;

	if (all->max != 0 && count > all->max - all->count)
		count = all->max - all->count;
	if (all->count + count > all->room) {
		uint64_t room = all->room * 2 > all->count + count ? all->room * 2 :
				all->count + count;
		struct vexfs_result *grown;

		if (room > SIZE_MAX / sizeof(*grown))
			return -ENOMEM;
		grown = realloc(all->results, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		all->results = grown;
		all->room = room;
	}
	if (count > 0)
		memcpy(all->results + all->count, results, count * sizeof(*results));
	all->count += count;
	return all->max != 0 && all->count == all->max ? COLLECTION_FULL : 0;
}

static int compare_results(const void *left, const void *right)
{
	const struct vexfs_result *a = left, *b = right;
	double x = vexfs_distance_to_double(a->distance);
	double y = vexfs_distance_to_double(b->distance);

	if (x != y)
		return x < y ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

int vexfs_range_all(int fd, struct vexfs_range_search *search, uint64_t max,
		    struct vexfs_result **results, uint64_t *count)
{
	struct collection all = { .max = max };
	int restarts = 0;
	int rc;

	*results = NULL;
	*count = 0;
	do {
		all.count = 0;
		rc = vexfs_range_each(fd, search, collect, &all);
	} while (rc == -ESTALE && ++restarts < RESTARTS_MAX);
	if (rc < 0) {
		free(all.results);
		return rc;
	}
	if (all.count > 1)
		qsort(all.results, all.count, sizeof(*all.results), compare_results);
	*results = all.results;
	*count = all.count;
	return 0;
}
