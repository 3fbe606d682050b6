// SPDX-License-Identifier: Apache-2.0
/*
 * Answers for the oracle: reads cases (see tests/oracle/distance_oracle.py for
 * their layout) from standard input and prints every interval, exact
 * distance, comparison, radius decision and k-NN result that the core gives.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../kernel/core/distance.h"
#include "../../kernel/core/exact.h"
#include "../../kernel/core/topk.h"

struct head {
	u32 type, query_type, metric, dim, queries, rows, k, radii;
};

struct matrix {
	struct vex_search *search;
	u32 query;
	const u8 *rows;
	size_t row_bytes;
	u32 width;
};

static int read_row(void *context, u64 row, u32 first, u32 count, void *into)
{
	const struct matrix *m = context;

	memcpy(into, m->rows + row * m->row_bytes + first * m->width,
	       count * m->width);
	return 0;
}

static int compare(void *context, const struct vex_entry *a,
		   const struct vex_entry *b, int *result)
{
	struct matrix *m = context;
	struct vex_rows rows = { read_row, m };

	return vex_exact_compare(m->search, m->query, &rows, a->row, b->row,
				 result);
}

static void *take(size_t bytes)
{
	void *memory = aligned_alloc(16, (bytes + 31) & ~(size_t)15);

	if (!memory || fread(memory, 1, bytes, stdin) != bytes) {
		fputs("distance_tool: the input ends within a case\n", stderr);
		exit(2);
	}
	return memory;
}

static struct vex_search *prepare(const struct head *h, u32 queries,
				  const u8 *elements)
{
	struct vex_shape shape = { h->type, h->query_type, h->metric, h->dim,
				   queries };
	size_t bytes = vex_search_bytes(&shape);
	void *memory = aligned_alloc(16, bytes ? bytes : 16);
	struct vex_search *search;
	size_t query_bytes = (size_t)h->dim * vex_type_bytes(h->query_type);
	u32 i;

	if (!bytes || !memory)
		exit(2);
	search = vex_search_init(memory, &shape);
	for (i = 0; i < queries; i++)
		memcpy(vex_search_query(search, i), elements + i * query_bytes,
		       query_bytes);
	if (vex_search_prepare(search, NULL))
		exit(2);
	return search;
}

/* Feed a row in pieces of odd lengths. */
static void feed(struct vex_search *search, const struct matrix *m,
		 const struct head *h, u32 row, struct vex_interval *out)
{
	u32 first, count;

	vex_distance_begin(search);
	for (first = 0; first < h->dim; first += count) {
		count = 1 + (first * 7 + row * 13) % 777;
		count = min(count, h->dim - first);
		vex_distance_add(search, m->rows + row * m->row_bytes +
				 (size_t)first * m->width, count);
	}
	vex_distance_end(search, out);
}

/* The rounded distance of an interval, if it says what that is. */
static void print_rounded(const struct vex_interval *interval)
{
	u64 above = interval->nearest - 1;

	if (interval->nearest)
		printf(" %" PRIx64,
		       vex_double_from_key(interval->lo + (s64)above));
	else
		printf(" -");
}

/* l query row lo hi: with limits at, just below and far below the distance. */
static void print_limited(struct vex_search *one, struct vex_search *all,
			  const struct matrix *m, const struct head *h,
			  u32 query, u32 row, const struct vex_interval *exact)
{
	const u8 *at = m->rows + row * m->row_bytes;
	const s64 tries[] = { exact->hi, exact->lo - 1, exact->lo - (1ll << 30),
			      exact->lo - (1ll << 46), exact->lo - (1ll << 50) };
	struct vex_interval out[VEX_QUERIES_MAX];
	s64 limits[VEX_QUERIES_MAX];
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		if (tries[i] < VEX_KEY_MINUS_INFINITY)
			continue;
		vex_distance_row(one, 0, at, tries[i], out);
		printf("l %u %u %" PRId64 " %" PRId64 "\n", query, row,
		       out->lo, out->hi);
		for (j = 0; j < h->queries; j++)
			limits[j] = tries[i];
		vex_distance_batch(all, at, limits, out);
		printf("l %u %u %" PRId64 " %" PRId64 "\n", query, row,
		       out[query].lo, out[query].hi);
	}
}

/*
 * d query row, then lo hi of: row, batch, pieces, exact; then the bits, and
 * those that row, batch and pieces say.
 */
static void print_distances(struct vex_search *one, struct vex_search *all,
			    struct matrix *m, const struct head *h, u32 query)
{
	struct vex_interval piece[VEX_QUERIES_MAX], batch[VEX_QUERIES_MAX];
	struct vex_rows rows = { read_row, m };
	s64 limits[VEX_QUERIES_MAX];
	struct vex_interval single, exact;
	u32 row, i;
	u64 bits;

	for (i = 0; i < VEX_QUERIES_MAX; i++)
		limits[i] = S64_MAX;
	for (row = 0; row < h->rows; row++) {
		const u8 *at = m->rows + row * m->row_bytes;

		vex_distance_row(one, 0, at, S64_MAX, &single);
		vex_distance_batch(all, at, limits, batch);
		feed(query & 1 ? one : all, m, h, row, piece);
		i = query & 1 ? 0 : query;
		vex_exact_interval(one, 0, &rows, row, &exact);
		vex_exact_distance(one, 0, &rows, row, &bits);
		printf("d %u %u %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		       " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		       " %" PRIx64, query, row, single.lo, single.hi,
		       batch[query].lo, batch[query].hi, piece[i].lo,
		       piece[i].hi, exact.lo, exact.hi, bits);
		print_rounded(&single);
		print_rounded(&batch[query]);
		print_rounded(&piece[i]);
		printf("\n");
		print_limited(one, all, m, h, query, row, &exact);
	}
}

static void print_decisions(struct vex_search *one, struct matrix *m,
			    const struct head *h, const u64 *radii, u32 query)
{
	struct vex_rows rows = { read_row, m };
	u32 row, i;

	for (row = 0; row < h->rows; row++) {
		for (i = 0; i < 3; i++) {
			u32 other = (row * 5 + i * 3 + 1) % h->rows;
			int result = 99;

			vex_exact_compare(one, 0, &rows, row, other, &result);
			printf("c %u %u %u %d\n", query, row, other, result);
		}
		for (i = 0; i < h->radii; i++) {
			bool within;
			s64 key;

			if (vex_radius_key(radii[i], &key))
				exit(2);
			vex_exact_within(one, 0, &rows, row, key, &within);
			printf("w %u %u %u %d\n", query, row, i, within);
		}
	}
}

static u64 row_id(const struct head *h, u32 row)
{
	return h->dim & 1 ? 1000000 - row : row;
}

/* t query, then the ids, nearest first: by rows, and by batch. */
static void print_nearest(struct vex_search *search, struct matrix *m,
			  const struct head *h, u32 query, bool batch)
{
	struct vex_entry *entries = calloc(h->k, sizeof(*entries));
	struct vex_interval out[VEX_QUERIES_MAX];
	s64 limits[VEX_QUERIES_MAX];
	struct vex_topk top;
	u32 row, i;

	m->search = search;
	m->query = batch ? query : 0;
	vex_topk_init(&top, entries, h->k, compare, m);
	for (row = 0; row < h->rows; row++) {
		struct vex_entry entry = { .id = row_id(h, row), .row = row };
		const u8 *at = m->rows + row * m->row_bytes;

		if (batch) {
			for (i = 0; i < h->queries; i++)
				limits[i] = i == query ? vex_topk_limit(&top) :
							 S64_MIN;
			vex_distance_batch(search, at, limits, out);
		} else {
			vex_distance_row(search, 0, at, vex_topk_limit(&top),
					 &out[m->query]);
		}
		entry.lo = out[m->query].lo;
		entry.hi = out[m->query].hi;
		if (entry.lo <= vex_topk_limit(&top) &&
		    vex_topk_offer(&top, &entry) < 0)
			exit(2);
	}
	if (vex_topk_sort(&top))
		exit(2);
	printf("t %u", query);
	for (i = 0; i < top.count; i++)
		printf(" %" PRIu64, entries[i].id);
	putchar('\n');
	free(entries);
}

int main(void)
{
	struct head h;

	while (fread(&h, sizeof(h), 1, stdin) == 1) {
		size_t query_bytes = (size_t)h.dim * vex_type_bytes(h.query_type);
		struct matrix m = { .width = vex_type_bytes(h.type) };
		struct vex_search *all;
		u8 *queries, *rows;
		u64 *radii;
		u32 q;

		m.row_bytes = (size_t)h.dim * m.width;
		queries = take(h.queries * query_bytes);
		rows = take(h.rows * m.row_bytes);
		radii = take(h.radii * sizeof(*radii));
		m.rows = rows;
		all = prepare(&h, h.queries, queries);
		for (q = 0; q < h.queries; q++) {
			struct vex_search *one = prepare(&h, 1, queries +
							 q * query_bytes);

			print_distances(one, all, &m, &h, q);
			print_decisions(one, &m, &h, radii, q);
			print_nearest(one, &m, &h, q, false);
			print_nearest(all, &m, &h, q, true);
			free(one);
		}
		puts("end");
		free(all);
		free(queries);
		free(rows);
		free(radii);
	}
	return 0;
}
