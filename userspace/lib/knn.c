// SPDX-License-Identifier: Apache-2.0
/*
 * Searches for the nearest rows: by the calling thread, and by several, each of
 * which searches a part of the rows, or, where there is an index, answers a part
 * of the queries.
 */
#define _GNU_SOURCE	/* sched_getaffinity, CPU_COUNT */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <vexfs.h>

#include "call.h"

/* A part of fewer rows is not worth a thread. */
#define PART_ROWS_MIN		1024U
#define RESTARTS_MAX		8

void vexfs_knn_init(struct vexfs_knn_search *search, const struct vexfs_schema *schema,
		    unsigned int element, const void *queries, uint32_t query_count, uint32_t k,
		    struct vexfs_result *results, uint32_t *counts)
{
	if (element == 0)
		element = schema->element;
	memset(search, 0, sizeof(*search));
	search->size = sizeof(*search);
	search->queries = TO_U64(queries);
	search->queries_bytes = (uint64_t)query_count * schema->dim * vexfs_element_bytes(element);
	search->query_count = query_count;
	search->k = k;
	search->query_element = element;
	search->results = TO_U64(results);
	search->results_bytes = (uint64_t)query_count * k * sizeof(*results);
	search->counts = TO_U64(counts);
}

int vexfs_knn(int fd, struct vexfs_knn_search *search)
{
	search->size = sizeof(*search);
	return vexfs_call(fd, VEXFS_IOC_KNN_SEARCH, search);
}

/**
 * struct part - what one thread searches
 * @thread: the thread; meaningful when @started
 * @started: was there a thread for it
 * @fd: the file
 * @search: the part's own copy of the search
 * @results: room for query_count * k results; NULL if they go where the caller
 *	wants them
 * @counts: room for query_count counts, or NULL likewise
 * @head: results of the query at hand that the merge has taken so far
 * @rc: how it went
 */
struct part {
	pthread_t thread;
	int started;
	int fd;
	struct vexfs_knn_search search;
	struct vexfs_result *results;
	uint32_t *counts;
	uint32_t head;
	int rc;
};

static void *search_part(void *argument)
{
	struct part *part = argument;

	part->rc = vexfs_knn(part->fd, &part->search);
	return NULL;
}

static unsigned int cpus_allowed(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned int)CPU_COUNT(&set);
	return 1;
}

static void free_parts(struct part *parts, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		free(parts[i].results);
		free(parts[i].counts);
	}
	free(parts);
}

static struct part *make_parts(const struct vexfs_knn_search *search, unsigned int count)
{
	struct part *parts = calloc(count, sizeof(*parts));
	unsigned int i;

	if (!parts)
		return NULL;
	for (i = 0; i < count; i++) {
		parts[i].results = malloc(search->results_bytes);
		parts[i].counts = calloc(search->query_count, sizeof(*parts[i].counts));
		if (!parts[i].results || !parts[i].counts) {
			free_parts(parts, count);
			return NULL;
		}
	}
	return parts;
}

/* Deals out @rows rows from @first_row on, as evenly as can be. */
static void deal_rows(int fd, const struct vexfs_knn_search *search, struct part *parts,
		      unsigned int count, uint64_t first_row, uint64_t rows)
{
	uint64_t each = rows / count, more = rows % count;
	unsigned int i;

	for (i = 0; i < count; i++) {
		parts[i].fd = fd;
		parts[i].started = 0;
		parts[i].search = *search;
		parts[i].search.results = TO_U64(parts[i].results);
		parts[i].search.counts = TO_U64(parts[i].counts);
		parts[i].search.first_row = first_row;
		parts[i].search.row_count = each + (i < more);
		first_row += parts[i].search.row_count;
	}
}

/* The calling thread takes the first part, and any that gets no thread. */
static int run_parts(struct part *parts, unsigned int count)
{
	unsigned int i;
	int rc = 0;

	for (i = 1; i < count; i++)
		parts[i].started = pthread_create(&parts[i].thread, NULL, search_part,
						  &parts[i]) == 0;
	for (i = 0; i < count; i++)
		if (!parts[i].started)
			search_part(&parts[i]);
	for (i = 0; i < count; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		if (rc == 0)
			rc = parts[i].rc;
		if (rc == 0 && parts[i].search.generation != parts[0].search.generation)
			rc = -ESTALE;
	}
	return rc;
}

static int is_nearer(const struct vexfs_result *a, const struct vexfs_result *b)
{
	double x = vexfs_distance_to_double(a->distance);
	double y = vexfs_distance_to_double(b->distance);

	return x < y || (x == y && a->id < b->id);
}

/* The k nearest of one query; each part's results are in order already. */
static uint32_t merge_query(struct part *parts, unsigned int count, uint32_t query, uint32_t k,
			    struct vexfs_result *results)
{
	uint32_t found;
	unsigned int i;

	for (i = 0; i < count; i++)
		parts[i].head = 0;
	for (found = 0; found < k; found++) {
		const struct vexfs_result *best = NULL;
		struct part *from = NULL;

		for (i = 0; i < count; i++) {
			const struct vexfs_result *head =
				&parts[i].results[(uint64_t)query * k + parts[i].head];

			if (parts[i].head == parts[i].counts[query])
				continue;
			if (!best || is_nearer(head, best)) {
				best = head;
				from = &parts[i];
			}
		}
		if (!best)
			break;
		results[found] = *best;
		from->head++;
	}
	return found;
}

static void merge_parts(struct vexfs_knn_search *search, struct part *parts, unsigned int count)
{
	struct vexfs_result *results = (struct vexfs_result *)(uintptr_t)search->results;
	uint32_t *counts = (uint32_t *)(uintptr_t)search->counts;
	uint32_t query;

	for (query = 0; query < search->query_count; query++) {
		uint32_t found = merge_query(parts, count, query, search->k,
					     results + (uint64_t)query * search->k);

		if (counts)
			counts[query] = found;
	}
}

static void sum_parts(struct vexfs_knn_search *search, const struct part *parts,
		      unsigned int count)
{
	unsigned int i;

	search->rows_scanned = 0;
	search->exact_decisions = 0;
	search->codes_compared = 0;
	search->exact_distances = 0;
	search->pages_missed = 0;
	search->generation = parts[0].search.generation;
	search->index_used = parts[0].search.index_used;
	for (i = 0; i < count; i++) {
		search->rows_scanned += parts[i].search.rows_scanned;
		search->exact_decisions += parts[i].search.exact_decisions;
		search->codes_compared += parts[i].search.codes_compared;
		search->exact_distances += parts[i].search.exact_distances;
		search->pages_missed += parts[i].search.pages_missed;
	}
}

/*
 * May an index answer? It knows nothing of parts of the rows. Where the kernel scans
 * although there is one, parts of the queries are as right.
 */
static int has_index(int fd, const struct vexfs_knn_search *search)
{
	struct vexfs_index_status status;

	if ((search->flags & VEXFS_SEARCH_EXACT) || search->target_recall == VEXFS_RECALL_ONE ||
	    search->index == VEXFS_INDEX_SCAN || search->first_row != 0 || search->row_count != 0)
		return 0;
	return vexfs_index_status(fd, &status) == 0 && status.state == VEXFS_INDEX_READY &&
	       (search->index == VEXFS_INDEX_AUTO || search->index == status.type);
}

/* Deals out the queries. Their results go where the caller wants them. */
static void deal_queries(int fd, const struct vexfs_knn_search *search, struct part *parts,
			 unsigned int count)
{
	uint32_t each = search->query_count / count, more = search->query_count % count;
	uint64_t query_bytes = search->queries_bytes / search->query_count;
	uint64_t result_bytes = search->k * sizeof(struct vexfs_result);
	uint32_t first = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct vexfs_knn_search *part = &parts[i].search;

		parts[i].fd = fd;
		*part = *search;
		part->query_count = each + (i < more);
		part->queries += first * query_bytes;
		part->queries_bytes = part->query_count * query_bytes;
		part->results += first * result_bytes;
		part->results_bytes = part->query_count * result_bytes;
		if (part->counts)
			part->counts += first * sizeof(uint32_t);
		first += part->query_count;
	}
}

static int search_by_queries(int fd, struct vexfs_knn_search *search, unsigned int count)
{
	struct part *parts = calloc(count, sizeof(*parts));
	int rc;

	if (!parts)
		return -ENOMEM;
	deal_queries(fd, search, parts, count);
	rc = run_parts(parts, count);
	if (rc == 0)
		sum_parts(search, parts, count);
	free(parts);
	return rc;
}

static int search_by_rows(int fd, struct vexfs_knn_search *search, unsigned int count,
			  uint64_t rows)
{
	struct part *parts = make_parts(search, count);
	int rc;

	if (!parts)
		return -ENOMEM;
	deal_rows(fd, search, parts, count, search->first_row, rows);
	rc = run_parts(parts, count);
	if (rc == 0) {
		merge_parts(search, parts, count);
		sum_parts(search, parts, count);
	}
	free_parts(parts, count);
	return rc;
}

/* How many parts are worth it, and which rows they share. */
static int plan_parts(int fd, const struct vexfs_knn_search *search, unsigned int threads,
		      uint64_t *rows)
{
	struct vexfs_schema schema;
	int rc = vexfs_schema_get(fd, &schema);

	if (rc < 0)
		return rc;
	if (threads == 0)
		threads = cpus_allowed();
	if (threads > VEXFS_THREADS_MAX)
		threads = VEXFS_THREADS_MAX;
	*rows = schema.rows > search->first_row ? schema.rows - search->first_row : 0;
	if (search->row_count != 0 && search->row_count < *rows)
		*rows = search->row_count;
	if (threads > *rows / PART_ROWS_MIN)
		threads = (unsigned int)(*rows / PART_ROWS_MIN);
	return threads < 1 ? 1 : (int)threads;
}

int vexfs_knn_parallel(int fd, struct vexfs_knn_search *search, unsigned int threads)
{
	uint64_t results_bytes = (uint64_t)search->query_count * search->k *
				 sizeof(struct vexfs_result);
	int restarts = 0;
	int rc;

	do {
		uint64_t rows;
		int count = plan_parts(fd, search, threads, &rows);
		int by_index = count > 1 && has_index(fd, search);

		if (count < 0)
			return count;
		if (by_index && (unsigned int)count > search->query_count)
			count = (int)search->query_count;
		/*
		 * The kernel judges what does not fit; whoever divides or merges must be
		 * able to trust it.
		 */
		if (count <= 1 || search->results_bytes != results_bytes ||
		    (by_index && search->queries_bytes % search->query_count != 0))
			return vexfs_knn(fd, search);
		rc = by_index ? search_by_queries(fd, search, (unsigned int)count) :
				search_by_rows(fd, search, (unsigned int)count, rows);
	} while (rc == -ESTALE && ++restarts < RESTARTS_MAX);
	return rc;
}
