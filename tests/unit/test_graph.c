// SPDX-License-Identifier: Apache-2.0
/*
 * The graph: recall after building, deleting and inserting, what damage may
 * do, faults and stops, several builders: kernel/core/graph.h. Codes are the
 * rows themselves in 7 bits, so that what is lost is lost by the graph.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/graph_walk.h"
#include "random.h"

#define K 10u
#define STRIPES 64u

/* What a code is here: a flag, and the row. */
struct code {
	u8 flags;
	u8 pad[7];
	u8 elements[];
};

struct world {
	u32 dim;
	u64 rows;
	bool inner_product;
	struct vex_pages nodes;
	struct vex_pages codes;
	struct vex_graph graph;
	struct vex_graph_source source;
	struct vex_graph_builder *builder;
	struct vex_graph_walker *walker;
	void *memory[3];
	/* faults and stops */
	u64 fail_page;
	int stops_left;
	u64 faults;
	u64 dirtied;
	pthread_mutex_t locks[STRIPES];
};

/* The query of a score: what is compared, and how. */
struct question {
	const struct world *world;
	u8 elements[1024];
};

static struct world *faulting;

static s64 distance(const struct world *w, const u8 *a, const u8 *b)
{
	s64 sum = 0;
	u32 i;

	for (i = 0; i < w->dim; i++)
		sum += w->inner_product ? -(a[i] - 64) * (b[i] - 64) :
					  (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

static struct code *code_of(const struct world *w, u64 row)
{
	return vex_pages_peek(&w->codes, row);
}

static void score(void *query, const void *const *codes, u32 count, s64 limit,
		  s64 *scores, u8 *flags)
{
	const struct question *q = query;
	u32 i;

	assert_in_range(count, 1, VEX_GRAPH_LINKS_BASE);
	for (i = 0; i < count; i++) {
		const struct code *code = codes[i];

		scores[i] = distance(q->world, q->elements, code->elements);
		if (scores[i] > limit)
			scores[i] = S64_MAX / 4;
		flags[i] = code->flags;
	}
}

static int query_of_row(void *context, u64 row, void **query)
{
	static __thread struct question question;
	const struct world *w = context;

	question.world = w;
	memcpy(question.elements, code_of(w, row)->elements, w->dim);
	*query = &question;
	return 0;
}

static int fine(void *context, u64 row, u8 *elements)
{
	const struct world *w = context;

	assert_true(row < w->rows);
	memcpy(elements, code_of(w, row)->elements, w->dim);
	return 0;
}

static void dirty(void *context, u64 page)
{
	struct world *w = context;

	assert_true(page < w->nodes.pages);
	w->dirtied++;
}

static int stop(void *context)
{
	struct world *w = context;

	return w->stops_left && !--w->stops_left ? -EINTR : 0;
}

static void lock(void *context, u32 stripe)
{
	struct world *w = context;

	pthread_mutex_lock(&w->locks[stripe % STRIPES]);
}

static void unlock(void *context, u32 stripe)
{
	struct world *w = context;

	pthread_mutex_unlock(&w->locks[stripe % STRIPES]);
}

static void pages_make(struct vex_pages *pages, u32 record_bytes, u64 records)
{
	u64 i;

	vex_pages_init(pages, record_bytes);
	pages->pages = (records + pages->per_page - 1) / pages->per_page;
	pages->page = calloc(pages->pages, sizeof(void *));
	for (i = 0; i < pages->pages; i++)
		pages->page[i] = aligned_alloc(VEX_PAGE_BYTES, VEX_PAGE_BYTES);
	for (i = 0; i < pages->pages; i++)
		memset(pages->page[i], 0, VEX_PAGE_BYTES);
}

static void pages_free(struct vex_pages *pages)
{
	u64 i;

	for (i = 0; i < pages->pages; i++)
		free(pages->page[i]);
	free(pages->page);
}

static void *memory_for(struct world *w, u32 index, size_t bytes)
{
	assert_true(bytes);
	w->memory[index] = aligned_alloc(64, (bytes + 63) & ~63ul);
	memset(w->memory[index], 0, bytes);
	return w->memory[index];
}

/* Clusters, as real rows have. */
static void fill(struct world *w, u64 row, u32 clusters)
{
	struct code *code = code_of(w, row);
	u64 kept = random_state;
	u32 i;

	memset(code, 0, sizeof(*code) + w->dim);
	random_state = 77 + random_below(clusters) * 1000003;
	for (i = 0; i < w->dim; i++)
		code->elements[i] = 24 + random_below(80);
	random_state = kept + row + 1;
	for (i = 0; i < w->dim; i++)
		code->elements[i] += random_below(24);
}

static struct world *world_make(u32 dim, u64 rows, u64 cache_rows)
{
	struct world *w = calloc(1, sizeof(*w));
	struct vex_graph_build build = {
		.dim = dim, .effort = 100,
		.cache_bytes = cache_rows * vex_graph_fine_bytes(dim),
	};
	u32 i;

	w->dim = dim;
	w->rows = rows;
	pages_make(&w->nodes, VEX_GRAPH_PAGE_BYTES, vex_graph_pages(rows));
	pages_make(&w->codes, (sizeof(struct code) + dim + 7) & ~7u, rows);
	vex_graph_init(&w->graph, 12345, build.effort);
	w->source = (struct vex_graph_source) {
		.nodes = &w->nodes, .codes = &w->codes, .rows = rows,
		.score = score, .query = query_of_row, .fine = fine,
		.dirty = dirty, .stop = stop, .context = w,
	};
	w->builder = vex_graph_builder_init(
		memory_for(w, 0, vex_graph_builder_bytes(&build)),
		memory_for(w, 1, build.cache_bytes), &build);
	w->walker = vex_graph_walker_init(
		memory_for(w, 2, vex_graph_walker_bytes(400, 1600)), 400, 1600);
	for (i = 0; i < STRIPES; i++)
		pthread_mutex_init(&w->locks[i], NULL);
	return w;
}

static void world_free(struct world *w)
{
	pages_free(&w->nodes);
	pages_free(&w->codes);
	free(w->memory[0]);
	free(w->memory[1]);
	free(w->memory[2]);
	free(w);
}

static void insert_from_to(struct world *w, u64 from, u64 to)
{
	for (; from < to; from++)
		assert_int_equal(vex_graph_insert(w->builder, &w->graph,
						  &w->source, from), 0);
}

static struct vex_graph_query query_on(const struct world *w,
				       struct question *question,
				       u32 effort)
{
	return (struct vex_graph_query) {
		.nodes = &w->nodes, .codes = &w->codes, .score = score,
		.query = question, .rows = w->rows, .effort = effort,
	};
}

static void ask(const struct world *w, struct question *question, u64 near)
{
	u32 i;

	question->world = w;
	for (i = 0; i < w->dim; i++)
		question->elements[i] = (code_of(w, near)->elements[i] +
					 random_below(8)) & 127;
}

/* The distance of the K-th nearest of the live, admitted rows. */
static s64 kth(const struct world *w, const struct question *question,
	       u64 rows, bool (*admit)(void *context, u64 row))
{
	s64 best[K];
	u32 n = 0, i;
	u64 row;

	for (row = 0; row < rows; row++) {
		s64 d = distance(w, question->elements,
				 code_of(w, row)->elements);

		if (code_of(w, row)->flags || (admit && !admit(NULL, row)) ||
		    (n == K && d >= best[K - 1]))
			continue;
		for (i = n < K ? n++ : K - 1; i && best[i - 1] > d; i--)
			best[i] = best[i - 1];
		best[i] = d;
	}
	assert_true(n);
	return best[n - 1];
}

/* Walk for random queries; recall of K in percent. Checks every answer. */
static u32 recall(struct world *w, u64 rows, u32 effort, u32 queries,
		  bool (*admit)(void *context, u64 row))
{
	struct vex_graph_result result;
	u32 i, j, found = 0;

	for (i = 0; i < queries; i++) {
		struct question question;
		struct vex_graph_query query = query_on(w, &question, effort);
		s64 limit;

		query.admit = admit;
		ask(w, &question, random_below(rows));
		limit = kth(w, &question, rows, admit);
		assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query,
						&result), 0);
		assert_true(result.count <= effort);
		for (j = 0; j < result.count; j++) {
			u64 row = result.hits[j].row;

			assert_true(row < rows);
			assert_false(code_of(w, row)->flags);
			assert_true(!admit || admit(NULL, row));
			assert_true(!j || result.hits[j - 1].score <=
					  result.hits[j].score);
			assert_int_equal(result.hits[j].score,
					 distance(w, question.elements,
						  code_of(w, row)->elements));
			found += j < K && result.hits[j].score <= limit;
		}
	}
	return found * 100 / (queries * (rows < K ? (u32)rows : K));
}

static void levels_thin_out(void **state)
{
	struct vex_graph graph;
	u64 count[VEX_GRAPH_LEVEL_MAX + 1] = { 0 };
	u64 row;
	u32 level;

	(void)state;
	vex_graph_init(&graph, 99, VEX_GRAPH_BUILD_EFFORT);
	for (row = 0; row < 15 * 16 * 16 * 16 * 3; row++)
		count[vex_graph_level(&graph, row)]++;
	assert_int_equal(count[0], 14 * 16 * 16 * 16 * 3);
	assert_int_equal(count[1], 15 * 16 * 16 * 3);
	assert_int_equal(count[2], 15 * 16 * 3);
	for (level = 0; level < VEX_GRAPH_LEVEL_MAX; level++)
		assert_true(count[level + 1] <= count[level]);
}

/* Every node has lists of its own at its levels, inside the pages. */
static void lists_do_not_overlap(void **state)
{
	const u64 rows = 15 * 16 * 16 * 16 * 8 + 1;
	const u64 pages = vex_graph_pages(rows);
	u8 *taken = calloc(pages, VEX_PAGE_BYTES / 64);
	struct vex_graph graph;
	u32 level, offset, i;
	u64 row;

	(void)state;
	vex_graph_init(&graph, 5, VEX_GRAPH_BUILD_EFFORT);
	for (row = 0; row < rows; row++) {
		for (level = 0; level <= vex_graph_level(&graph, row);
		     level++) {
			u64 page = vex_graph_place(row, level, &offset);
			u8 *place = taken + page * (VEX_PAGE_BYTES / 64) +
				    offset / 64;

			assert_true(page < pages);
			assert_int_equal(offset % 64, 0);
			assert_true(offset + vex_graph_links(level) * 4 <=
				    VEX_GRAPH_PAGE_BYTES);
			for (i = 0; i < vex_graph_links(level) / 16; i++)
				assert_int_equal(place[i]++, 0);
		}
	}
	free(taken);
}

static void finds_the_nearest(void **state)
{
	static const u32 dims[] = { 1, 3, 100, 784 };
	static const u32 floors[] = { 95, 99, 98, 98 };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(dims); i++) {
		u64 rows = dims[i] > 200 ? 1500 : 4000, row;
		struct world *w = world_make(dims[i], rows,
					     i & 1 ? 100 : rows);
		u32 percent;

		for (row = 0; row < rows; row++)
			fill(w, row, 40);
		insert_from_to(w, 0, rows);
		assert_true(w->dirtied >= rows);
		percent = recall(w, rows, 64, 100, NULL);
		if (percent < floors[i])
			fail_msg("dim %u: recall %u%%", dims[i], percent);
		world_free(w);
	}
}

static void inner_product(void **state)
{
	struct world *w = world_make(24, 3000, 3000);
	u64 row;
	u32 percent;

	(void)state;
	w->inner_product = true;
	{
		struct vex_graph_build build = {
			.dim = 24, .effort = 100, .inner_product = true,
			.cache_bytes = 3000 * vex_graph_fine_bytes(24),
		};

		vex_graph_builder_init(w->memory[0], w->memory[1], &build);
	}
	for (row = 0; row < w->rows; row++)
		fill(w, row, 60);
	insert_from_to(w, 0, w->rows);
	percent = recall(w, w->rows, 100, 100, NULL);
	if (percent < 95)
		fail_msg("recall %u%%", percent);
	world_free(w);
}

static void few_rows(void **state)
{
	struct vex_graph_result result;
	u64 rows;

	(void)state;
	for (rows = 1; rows < 40; rows++) {
		struct world *w = world_make(5, rows, 64);
		struct question question;
		struct vex_graph_query query = query_on(w, &question, 64);
		u64 row;

		for (row = 0; row < rows; row++)
			fill(w, row, 3);
		ask(w, &question, 0);
		assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query,
						&result), 0);
		assert_int_equal(result.count, 0);
		insert_from_to(w, 0, rows);
		assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query,
						&result), 0);
		assert_int_equal(result.count, rows);
		assert_false(result.gave_up);
		world_free(w);
	}
}

/* Equal rows crowd each other out of lists; all others must stay in reach. */
static void duplicates(void **state)
{
	struct world *w = world_make(16, 3000, 3000);
	struct vex_graph_result result;
	struct question question;
	struct vex_graph_query query = query_on(w, &question, 64);
	u64 row;
	u32 i;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 30);
	for (row = 1000; row < 2000; row++)
		memcpy(code_of(w, row)->elements,
		       code_of(w, 1000)->elements, w->dim);
	insert_from_to(w, 0, w->rows);
	assert_true(recall(w, w->rows, 100, 100, NULL) >= 90);
	question.world = w;
	memcpy(question.elements, code_of(w, 1000)->elements, w->dim);
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 0);
	assert_true(result.count >= K);
	for (i = 0; i < K; i++)
		assert_int_equal(result.hits[i].score, 0);
	world_free(w);
}

/* Rows die and others come, as a file's do: numbers are not used again. */
static void deletes_and_inserts(void **state)
{
	const u64 start = 1500, step = start / 5;
	const u32 rounds = 10;
	struct world *w = world_make(32, start + rounds * step,
				     start + rounds * step);
	u64 row, rows = start, dead;
	u32 round, percent;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 30);
	insert_from_to(w, 0, start);
	for (round = 0; round < rounds; round++) {
		for (dead = 0; dead < step;) {
			struct code *code = code_of(w, random_below(rows));

			dead += !code->flags;
			code->flags = VEX_GRAPH_DEAD;
		}
		percent = recall(w, rows, 64, 40, NULL);
		if (percent < 95)
			fail_msg("round %u: %u%% after deleting", round,
				 percent);
		insert_from_to(w, rows, rows + step);
		rows += step;
		percent = recall(w, rows, 64, 40, NULL);
		if (percent < 95)
			fail_msg("round %u: %u%% after inserting", round,
				 percent);
	}
	world_free(w);
}

static void a_row_among_the_dead(void **state)
{
	struct world *w = world_make(8, 1000, 1000);
	struct vex_graph_result result;
	struct question question;
	struct vex_graph_query query = query_on(w, &question, 100);
	u64 row;

	(void)state;
	for (row = 0; row < w->rows; row++) {
		fill(w, row, 10);
		code_of(w, row)->flags = row < 999 ? VEX_GRAPH_DEAD : 0;
	}
	insert_from_to(w, 0, w->rows);
	ask(w, &question, 999);
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 0);
	assert_int_equal(result.count, 1);
	assert_int_equal(result.hits[0].row, 999);
	world_free(w);
}

static bool admit_half(void *context, u64 row)
{
	(void)context;
	return row & 1;
}

static bool admit_few(void *context, u64 row)
{
	(void)context;
	return row % 500 == 7;
}

static void filters(void **state)
{
	struct world *w = world_make(32, 4000, 4000);
	struct vex_graph_result result;
	struct question question;
	struct vex_graph_query query = query_on(w, &question, 100);
	u64 row;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 30);
	insert_from_to(w, 0, w->rows);
	assert_true(recall(w, w->rows, 64, 50, admit_half) >= 97);
	recall(w, w->rows, 64, 20, admit_few);
	/* so few are admitted that way-points crowd them out */
	ask(w, &question, 7);
	query.admit = admit_few;
	query.effort = 400;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 0);
	assert_true(result.gave_up);
	/* and a limit of the work is one */
	query.admit = NULL;
	query.effort = 100;
	query.work = 50;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 0);
	assert_true(result.gave_up);
	assert_in_range(result.scored, 1, 200);
	assert_in_range(result.count, 1, 50);
	world_free(w);
}

/* Whatever the pages hold, walks and inserts end, with rows that exist. */
static void damage(void **state)
{
	struct world *w = world_make(20, 2500, 300);
	u64 row, page;
	u32 round, i;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 20);
	insert_from_to(w, 0, 2000);
	for (round = 0; round < 30; round++) {
		u32 kind = round % 5;

		for (page = 0; page < w->nodes.pages; page++) {
			__le32 *link = w->nodes.page[page];

			for (i = 0; i < VEX_GRAPH_PAGE_BYTES / 4; i++) {
				u64 r = random_u64();

				if (kind == 0)
					link[i] = (u32)r;
				else if (kind == 1 && r % 4 == 0)
					link[i] = (u32)(r >> 8) % 3000;
				else if (kind == 2 && r % 32 == 0)
					link[i] = 0;
				else if (kind == 3)
					link[i] = (u32)row + 1;
				else if (kind == 4)
					link[i] = 1 + (u32)(r >> 8) % 2500;
			}
		}
		w->graph.entry = random_below(w->rows + 1);
		recall(w, w->rows, 64, 5, NULL);
		insert_from_to(w, 2000, 2020);
		recall(w, w->rows, 64, 5, NULL);
	}
	/* nothing is left but inserting finds its way again */
	for (page = 0; page < w->nodes.pages; page++)
		memset(w->nodes.page[page], 0, VEX_PAGE_BYTES);
	w->graph.entry = 0;
	insert_from_to(w, 0, w->rows);
	assert_true(recall(w, w->rows, 64, 50, NULL) >= 97);
	world_free(w);
}

static void headers(void **state)
{
	struct vex_disk_graph disk, bad;
	struct vex_graph graph, other;

	(void)state;
	vex_graph_init(&graph, 0x123456789abcdefull, 150);
	graph.entry = 77;
	vex_graph_save(&graph, &disk);
	assert_int_equal(vex_graph_load(&other, &disk, 77), 0);
	assert_int_equal(other.entry, 77);
	assert_int_equal(other.seed, graph.seed);
	assert_int_equal(other.effort, 150);
	assert_int_equal(vex_graph_load(&other, &disk, 76), -EUCLEAN);
	assert_int_equal(vex_graph_load(&other, &disk, 1ull << 33), -EUCLEAN);
	bad = disk;
	bad.effort = 0;
	assert_int_equal(vex_graph_load(&other, &bad, 77), -EUCLEAN);
	bad = disk;
	bad.reserved = 1;
	assert_int_equal(vex_graph_load(&other, &bad, 77), -EUCLEAN);
	bad = disk;
	bad.links_base = 33;
	assert_int_equal(vex_graph_load(&other, &bad, 77), -EUCLEAN);
	bad = disk;
	bad.links_upper = 0;
	assert_int_equal(vex_graph_load(&other, &bad, 77), -EUCLEAN);
}

static void *fault(const struct vex_pages *pages, u64 page, int *err)
{
	void **kept = pages->owner;

	faulting->faults++;
	if (page == faulting->fail_page) {
		*err = -EBADMSG;
		return NULL;
	}
	return kept[page];
}

/* Take every page out of a window; each read brings one in, but for it only. */
static void **evict(struct vex_pages *pages)
{
	void **kept = pages->page;

	pages->page = calloc(pages->pages, sizeof(void *));
	pages->owner = kept;
	pages->fault = fault;
	return kept;
}

static void faults_and_stops(void **state)
{
	struct world *w = world_make(16, 1200, 1200);
	struct vex_graph_result result;
	struct question question;
	struct vex_graph_query query = query_on(w, &question, 64);
	void **nodes, **codes;
	u64 row;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 10);
	insert_from_to(w, 0, 1000);
	ask(w, &question, 5);
	query.stop = stop;
	query.context = w;
	w->stops_left = 2;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 -EINTR);
	assert_int_equal(result.count, 0);
	w->stops_left = 1;
	assert_int_equal(vex_graph_insert(w->builder, &w->graph, &w->source,
					  1000), -EINTR);
	w->stops_left = 0;
	insert_from_to(w, 1000, w->rows);
	/* a window that has less than it should */
	query.stop = NULL;
	w->nodes.pages /= 4;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 -EUCLEAN);
	w->nodes.pages = vex_graph_pages(w->rows);

	faulting = w;
	nodes = evict(&w->nodes);
	codes = evict(&w->codes);
	w->fail_page = U64_MAX;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 0);
	assert_int_equal(result.count, 64);
	assert_true(w->faults > 64);
	for (row = 0; row < w->nodes.pages; row++) {
		int ret;

		w->fail_page = row;
		ret = vex_graph_walk(w->walker, &w->graph, &query, &result);
		assert_true(!ret || ret == -EBADMSG);
	}
	free(w->nodes.page);
	free(w->codes.page);
	w->nodes.page = nodes;
	w->codes.page = codes;
	world_free(w);
}

static void arguments(void **state)
{
	struct vex_graph_build build = { .dim = 8, .effort = 100,
					 .cache_bytes = 1 << 20 };
	struct world *w = world_make(8, 100, 100);
	struct vex_graph_result result;
	struct question question;
	struct vex_graph_query query = query_on(w, &question, 401);

	(void)state;
	assert_int_equal(vex_graph_walker_bytes(0, 0), 0);
	assert_int_equal(vex_graph_walker_bytes(1u << 31, 0), 0);
	assert_int_equal(vex_graph_walker_bytes(100, 1u << 31), 0);
	assert_true(vex_graph_builder_bytes(&build));
	build.dim = 0;
	assert_int_equal(vex_graph_builder_bytes(&build), 0);
	build.dim = 65536;
	assert_int_equal(vex_graph_builder_bytes(&build), 0);
	build.dim = 65535;
	assert_int_equal(vex_graph_builder_bytes(&build), 0);
	build.dim = 8;
	build.effort = VEX_GRAPH_EFFORT_MAX + 1;
	assert_int_equal(vex_graph_builder_bytes(&build), 0);
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 -EINVAL);
	query.effort = 1;
	assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query, &result),
			 -EINVAL);
	assert_int_equal(vex_graph_insert(w->builder, &w->graph, &w->source,
					  100), -EINVAL);
	world_free(w);
}

struct hand {
	struct world *w;
	struct vex_graph_builder *builder;
	void *memory;
	u64 from, to;
	int error;
};

static void *build_part(void *argument)
{
	struct hand *hand = argument;

	for (; hand->from < hand->to && !hand->error; hand->from++)
		hand->error = vex_graph_insert(hand->builder, &hand->w->graph,
					       &hand->w->source, hand->from);
	return NULL;
}

/* Two builders and a reader at once. */
static void builders_and_readers(void **state)
{
	struct world *w = world_make(24, 4000, 4000);
	struct vex_graph_build build = {
		.dim = 24, .effort = 100,
		.cache_bytes = 4000 * vex_graph_fine_bytes(24),
	};
	struct vex_graph_result result;
	pthread_t threads[2];
	struct hand hands[2];
	u64 row;
	u32 i;

	(void)state;
	for (row = 0; row < w->rows; row++)
		fill(w, row, 40);
	w->source.lock = lock;
	w->source.unlock = unlock;
	w->source.dirty = NULL;
	for (i = 0; i < 2; i++) {
		void *memory = aligned_alloc(64, (vex_graph_builder_bytes(
						&build) + 63) & ~63ul);

		hands[i] = (struct hand) {
			.w = w, .memory = memory, .from = i * 2000,
			.to = (i + 1) * 2000,
			.builder = vex_graph_builder_init(memory, w->memory[1],
							  &build),
		};
		assert_int_equal(pthread_create(&threads[i], NULL, build_part,
						&hands[i]), 0);
	}
	for (i = 0; i < 200; i++) {
		struct question question;
		struct vex_graph_query query = query_on(w, &question, 64);
		u32 j;

		ask(w, &question, random_below(w->rows));
		assert_int_equal(vex_graph_walk(w->walker, &w->graph, &query,
						&result), 0);
		for (j = 0; j < result.count; j++)
			assert_true(result.hits[j].row < w->rows);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(hands[i].error, 0);
		free(hands[i].memory);
	}
	assert_true(recall(w, w->rows, 64, 100, NULL) >= 97);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_thin_out),
		cmocka_unit_test(lists_do_not_overlap),
		cmocka_unit_test(finds_the_nearest),
		cmocka_unit_test(inner_product),
		cmocka_unit_test(few_rows),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(deletes_and_inserts),
		cmocka_unit_test(a_row_among_the_dead),
		cmocka_unit_test(filters),
		cmocka_unit_test(damage),
		cmocka_unit_test(headers),
		cmocka_unit_test(faults_and_stops),
		cmocka_unit_test(arguments),
		cmocka_unit_test(builders_and_readers),
	};

	random_seed("test_graph", 20260101);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
