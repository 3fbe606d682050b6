// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures which effort an index needs for which recall: with rows of the file
 * that are not in the index yet as queries, against a scan of the codes by the
 * likely bound, which misses one in a thousand at most.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "crew.h"

#define VEXFS_MEASURE_K		10U
#define VEXFS_MEASURE_QUERIES	200U

/*
 * Of the scan for the true neighbours: 3 standard deviations. Where it takes others
 * for them, no effort is enough.
 */
#define VEXFS_MEASURE_ACCURACY	768U

/* Efforts that are tried at most: each is a quarter greater, or one. */
#define VEXFS_MEASURE_STEPS	64U

/* Pages of codes that a thread scans at once. */
#define VEXFS_MEASURE_SHARE	8U

/*
 * So many of 1,000 true neighbours must be found for each target: a little more,
 * as 200 queries do not tell exactly.
 */
static const u32 vexfs_measure_wanted[VEX_INDEX_TARGETS] = { 905, 955, 994 };

/**
 * struct vexfs_measure_query - one of the rows that are searched for
 * @row: the row
 * @codes: prepared for scans of codes; NULL if the row fits no scale
 * @count: rows in @near
 * @near: the nearest other rows
 * @key: their distances, ascending
 */
struct vexfs_measure_query {
	u64 row;
	struct vex_sketch_query *codes;
	u32 count;
	u64 near[VEXFS_MEASURE_K];
	s64 key[VEXFS_MEASURE_K];
};

/**
 * struct vexfs_measure - what measuring takes, one for each thread
 * @grower: reads rows, knows when to stop
 * @tombstones: rows that are deleted
 * @search: the prepared queries
 * @memory: holds them, then what is prepared for scans of codes
 * @hits: of a scan of a page
 * @queries: per query, of the rows that this thread has seen
 * @rows: what a search found
 */
struct vexfs_measure {
	struct vexfs_grower *grower;
	struct vexfs_run_cursor tombstones;
	struct vex_search *search;
	void *memory;
	struct vex_sketch_hit *hits;
	struct vexfs_measure_query queries[VEXFS_MEASURE_QUERIES];
	u64 rows[VEXFS_MEASURE_ROWS];
};

/**
 * struct vexfs_measures - what the threads share
 * @grower: the leader's tools
 * @find: searches the index
 * @next: the next page of the scan, or query of a step, that nobody has taken
 * @steps: efforts that need not be tried: those from this one on
 * @efforts: to try, the last one as often as there is room
 * @hits: true neighbours that were found, for each effort
 * @done: queries that were made, for each effort
 * @wanted: true neighbours that there are
 * @members: threads
 * @parts: theirs; the first has the truth in the end, and all but it may be
 *	missing
 */
struct vexfs_measures {
	struct vexfs_grower *grower;
	vexfs_measure_search find;
	atomic64_t next;
	u32 steps;
	u32 efforts[VEXFS_MEASURE_STEPS];
	atomic_t hits[VEXFS_MEASURE_STEPS];
	atomic_t done[VEXFS_MEASURE_STEPS];
	u32 wanted;
	u32 members;
	struct vexfs_measure *parts[VEXFS_BUILD_THREADS_MAX];
};

u64 vexfs_measure_stride(u64 rows)
{
	/* With few rows a scan is as quick: nothing is worth measuring. */
	return rows < 10 * VEXFS_MEASURE_QUERIES ? 0 :
	       rows / VEXFS_MEASURE_QUERIES;
}

static struct vex_shape vexfs_measure_shape(const struct vex_sketch *config)
{
	return (struct vex_shape){
		.type = config->type,
		.query_type = config->type,
		.metric = config->metric,
		.dim = config->dim,
		.queries = VEXFS_MEASURE_QUERIES,
	};
}

static size_t vexfs_measure_query_bytes(const struct vex_sketch *config)
{
	return ALIGN(vex_sketch_query_bytes(config, VEX_SKETCH_QUERY_BITS), 64);
}

/* What a thread needs for the queries, and for what a scan by them finds. */
static size_t vexfs_measure_bytes(const struct vex_sketch *config)
{
	struct vex_shape shape = vexfs_measure_shape(config);

	return 64 + ALIGN(vex_search_bytes(&shape), 64) +
	       VEXFS_MEASURE_QUERIES * vexfs_measure_query_bytes(config) +
	       config->per_page * sizeof(struct vex_sketch_hit);
}

static int vexfs_measure_memory(struct vexfs_measure *measure)
{
	const struct vex_sketch *config = &measure->grower->sketches->config;
	struct vex_shape shape = vexfs_measure_shape(config);
	size_t search = ALIGN(vex_search_bytes(&shape), 64);
	size_t codes = vexfs_measure_query_bytes(config);
	char *free;
	u32 i;

	measure->memory = kvmalloc(vexfs_measure_bytes(config), GFP_KERNEL);
	if (!search || !measure->memory)
		return -ENOMEM;
	free = PTR_ALIGN((char *)measure->memory, 64);
	measure->search = vex_search_init(free, &shape);
	free += search;
	for (i = 0; i < VEXFS_MEASURE_QUERIES; i++, free += codes)
		measure->queries[i].codes = (struct vex_sketch_query *)free;
	measure->hits = (struct vex_sketch_hit *)free;
	return 0;
}

/* A query for scans of codes, if it fits a scale. */
static int vexfs_measure_codes(struct vexfs_measure *measure, u32 q)
{
	const struct vexfs_grower *grower = measure->grower;
	const struct vexfs_sketches *sketches = grower->sketches;
	struct vexfs_measure_query *query = &measure->queries[q];
	int err;

	err = vex_sketch_query_prepare(query->codes, &sketches->config,
				       sketches->centre, sketches->config.type,
				       vex_search_query(measure->search, q),
				       VEX_SKETCH_QUERY_BITS, grower->scratch,
				       &query->codes);
	if (err == -ERANGE) {
		query->codes = NULL;
		err = 0;
	}
	return err;
}

static int vexfs_measure_prepare(struct vexfs_measure *measure)
{
	struct vexfs_grower *grower = measure->grower;
	const struct vex_sketch *config = &grower->sketches->config;
	size_t bytes = (size_t)config->dim * vex_type_bytes(config->type);
	const void *data;
	u32 i;
	int err;

	err = vexfs_measure_memory(measure);
	for (i = 0; i < VEXFS_MEASURE_QUERIES && !err; i++) {
		measure->queries[i].row = i * grower->stride +
					  grower->stride / 2;
		err = vexfs_grower_row(grower, measure->queries[i].row, &data);
		if (err)
			return err;
		memcpy(vex_search_query(measure->search, i), data, bytes);
		err = vexfs_measure_codes(measure, i);
	}
	return err ? err : vex_search_prepare(measure->search, NULL);
}

/* Keep a row if it is among a query's nearest. Returns whether it is. */
static bool vexfs_measure_keep(struct vexfs_measure_query *query, u64 row,
			       s64 key)
{
	u32 at = query->count;

	if (at == VEXFS_MEASURE_K) {
		if (key >= query->key[at - 1])
			return false;
		at--;
	} else {
		query->count++;
	}
	for (; at && query->key[at - 1] > key; at--) {
		query->key[at] = query->key[at - 1];
		query->near[at] = query->near[at - 1];
	}
	query->key[at] = key;
	query->near[at] = row;
	return true;
}

/* A row whose code passes a query's limit. */
static int vexfs_measure_row(struct vexfs_measure *measure, u32 q, u64 row)
{
	struct vexfs_measure_query *query = &measure->queries[q];
	struct vexfs_grower *grower = measure->grower;
	s64 limit = query->count < VEXFS_MEASURE_K ? S64_MAX :
		    query->key[VEXFS_MEASURE_K - 1];
	struct vex_interval interval;
	struct vex_run run;
	const void *data;
	int err;

	/* The rows that are searched for are not found. */
	if (row % grower->stride == grower->stride / 2)
		return 0;
	if (measure->tombstones.fork) {
		err = vexfs_cursor_find(&measure->tombstones, row, &run);
		if (err || run.key <= row)
			return err;
	}
	err = vexfs_grower_row(grower, row, &data);
	if (err)
		return err;
	vex_distance_row(measure->search, q, data, limit, &interval);
	if (!vexfs_measure_keep(query, row, interval.lo) ||
	    query->count < VEXFS_MEASURE_K)
		return 0;
	vex_sketch_query_limit(query->codes, query->key[VEXFS_MEASURE_K - 1],
			       VEXFS_MEASURE_ACCURACY);
	return 0;
}

/* A page of codes against all queries. */
static int vexfs_measure_page(struct vexfs_measure *measure, u64 page, u64 rows)
{
	const struct vex_pages *codes = &measure->grower->codes;
	u64 first = page * codes->per_page;
	u32 count = min_t(u64, codes->per_page, rows - first), q, i, hits;
	const void *records;
	int err = 0;

	records = vex_pages_page(codes, page, &err);
	if (!records)
		return err;
	for (q = 0; q < VEXFS_MEASURE_QUERIES; q++) {
		if (!measure->queries[q].codes)
			continue;
		hits = vex_sketch_scan(measure->queries[q].codes, records,
				       count, records, first, measure->hits);
		for (i = 0; i < hits && !err; i++)
			err = vexfs_measure_row(measure, q,
						measure->hits[i].index);
		if (err)
			return err;
	}
	return 0;
}

/* The others need not go on. */
static void vexfs_measure_give_up(struct vexfs_measures *all)
{
	atomic64_set(&all->next, U32_MAX);
}

/* The pages of a scan that one thread takes. */
static int vexfs_measure_scan(struct vexfs_grower *grower, u32 member,
			      void *context)
{
	struct vexfs_measures *all = context;
	struct vexfs_measure *measure = all->parts[member];
	u64 rows = grower->index->rows, page, pages, end;
	int codes, err = 0;

	pages = DIV_ROUND_UP_ULL(rows, grower->sketches->config.per_page);
	while (measure && !err) {
		end = atomic64_add_return(VEXFS_MEASURE_SHARE, &all->next);
		page = end - VEXFS_MEASURE_SHARE;
		if (page >= pages)
			break;
		cond_resched();
		err = vexfs_build_stopped(grower->build);
		end = min(end, pages);
		codes = vexfs_window_begin(&grower->sketches->window,
					   &grower->codes);
		for (; page < end && !err; page++)
			err = vexfs_measure_page(measure, page, rows);
		vexfs_window_end(codes);
	}
	if (err)
		vexfs_measure_give_up(all);
	return err;
}

/* The true neighbours of all queries. */
static int vexfs_measure_truth(struct vexfs_measures *all)
{
	struct vexfs_measure_query *query;
	u32 member, q, i;
	int err;

	atomic64_set(&all->next, 0);
	err = vexfs_crew_run(all->grower, vexfs_measure_scan, all);
	for (member = 1; member < all->members; member++) {
		if (!all->parts[member])
			continue;
		for (q = 0; q < VEXFS_MEASURE_QUERIES; q++) {
			query = &all->parts[member]->queries[q];
			for (i = 0; i < query->count; i++)
				vexfs_measure_keep(&all->parts[0]->queries[q],
						   query->near[i],
						   query->key[i]);
		}
	}
	return err;
}

/* How many of its true neighbours a query finds with some effort. */
static int vexfs_measure_query(struct vexfs_measure *measure,
			       const struct vexfs_measures *all, u32 q,
			       u32 effort)
{
	const struct vexfs_measure_query *truth = &all->parts[0]->queries[q];
	struct vexfs_measure_query found = { .row = truth->row };
	struct vexfs_grower *grower = measure->grower;
	u64 *rows = measure->rows;
	u32 vain = 0, count, i, j;
	struct vex_interval interval;
	const void *data;
	int hits = 0;
	int err;

	err = all->find(grower, truth->row, effort, rows, &count);
	for (i = 0; i < count && !err && vain < VEXFS_INDEX_PATIENCE; i++) {
		/* Lists hold the rows that are searched for, too. */
		if (rows[i] % grower->stride == grower->stride / 2)
			continue;
		err = vexfs_grower_row(grower, rows[i], &data);
		if (err)
			break;
		vex_distance_row(measure->search, q, data,
				 found.count < VEXFS_MEASURE_K ? S64_MAX :
				 found.key[VEXFS_MEASURE_K - 1], &interval);
		vain = vexfs_measure_keep(&found, rows[i], interval.lo) ? 0 :
		       vain + 1;
	}
	for (i = 0; i < found.count; i++)
		for (j = 0; j < truth->count; j++)
			hits += found.near[i] == truth->near[j];
	return err ? err : hits;
}

/* The share of the true neighbours that an effort finds, in 1/1000. */
static u32 vexfs_measure_recall(struct vexfs_measures *all, u32 step)
{
	return all->wanted ? atomic_read(&all->hits[step]) * 1000 /
			     all->wanted : 1000;
}

/* One query with one effort. When it is the last one, was that enough? */
static int vexfs_measure_step(struct vexfs_measures *all,
			      struct vexfs_measure *measure, u32 step, u32 q)
{
	int ret = vexfs_measure_query(measure, all, q, all->efforts[step]);

	if (ret < 0)
		return ret;
	atomic_add(ret, &all->hits[step]);
	/* Whoever makes the last query sees the hits of all. */
	if (atomic_inc_return(&all->done[step]) == VEXFS_MEASURE_QUERIES &&
	    vexfs_measure_recall(all, step) >=
	    vexfs_measure_wanted[VEX_INDEX_TARGETS - 1])
		WRITE_ONCE(all->steps, min(READ_ONCE(all->steps), step + 1));
	return 0;
}

/* The queries that one thread takes, of one effort after the other. */
static int vexfs_measure_queries(struct vexfs_grower *grower, u32 member,
				 void *context)
{
	struct vexfs_measures *all = context;
	u32 step, q;
	int err = 0;
	u64 turn;

	while (all->parts[member] && !err) {
		turn = atomic64_inc_return(&all->next) - 1;
		step = div_u64_rem(turn, VEXFS_MEASURE_QUERIES, &q);
		if (step >= READ_ONCE(all->steps))
			break;
		err = vexfs_build_stopped(grower->build);
		if (!err)
			err = vexfs_measure_step(all, all->parts[member], step,
						 q);
	}
	if (err)
		vexfs_measure_give_up(all);
	return err;
}

/* Raise the effort until all targets are reached. */
static int vexfs_measure_efforts(struct vexfs_measures *all, u32 least,
				 u32 most)
{
	u32 *targets = all->grower->index->targets;
	u32 q, step, target = 0;
	int err;

	for (step = 0; step < VEXFS_MEASURE_STEPS; step++) {
		all->efforts[step] = least;
		if (least < most)
			all->steps = step + 2;
		least = min(least + max(least / 4, 1U), most);
	}
	all->steps = clamp(all->steps, 1U, VEXFS_MEASURE_STEPS);
	for (q = 0; q < VEXFS_MEASURE_QUERIES; q++)
		all->wanted += all->parts[0]->queries[q].count;
	atomic64_set(&all->next, 0);
	err = vexfs_crew_run(all->grower, vexfs_measure_queries, all);
	if (err)
		return err;
	for (step = 0; target < VEX_INDEX_TARGETS; step++)
		while (target < VEX_INDEX_TARGETS &&
		       (step + 1 >= all->steps ||
			vexfs_measure_recall(all, step) >=
			vexfs_measure_wanted[target]))
			targets[target++] = all->efforts[step];
	return 0;
}

static void vexfs_measure_end(struct vexfs_measure *measure)
{
	if (!measure)
		return;
	vexfs_cursor_exit(&measure->tombstones);
	kvfree(measure->memory);
	kvfree(measure);
}

/* What one thread needs. */
static struct vexfs_measure *vexfs_measure_begin(struct vexfs_grower *grower)
{
	struct vexfs_measure *measure = kvzalloc(sizeof(*measure), GFP_KERNEL);
	int err;

	if (!measure)
		return ERR_PTR(-ENOMEM);
	measure->grower = grower;
	err = vexfs_cursor_init(&measure->tombstones, grower->build->inode,
				VEXFS_FORK_TOMBSTONES);
	if (!err)
		err = vexfs_measure_prepare(measure);
	if (!err)
		return measure;
	vexfs_measure_end(measure);
	return ERR_PTR(err);
}

/* As many threads as a sixteenth of the memory is enough for. */
static u32 vexfs_measure_members(struct vexfs_grower *grower)
{
	size_t bytes = vexfs_measure_bytes(&grower->sketches->config);
	u64 memory = ((u64)totalram_pages() << PAGE_SHIFT) / 16;

	return clamp_t(u64, div64_u64(memory, bytes), 1,
		       vexfs_crew_members(grower));
}

int vexfs_measure(struct vexfs_grower *grower, vexfs_measure_search search,
		  u32 least, u32 most)
{
	struct vexfs_grower *tools;
	struct vexfs_measures *all;
	struct vexfs_measure *part;
	int err = 0;
	u32 i;

	all = kzalloc(sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	all->grower = grower;
	all->find = search;
	all->members = vexfs_measure_members(grower);
	for (i = 0; i < all->members && !err; i++) {
		tools = vexfs_crew_tools(grower, i);
		/* There was no memory for its walks. */
		if (grower->walker && !tools->walker)
			continue;
		part = vexfs_measure_begin(tools);
		if (!IS_ERR(part))
			all->parts[i] = part;
		else if (!i)
			err = PTR_ERR(part);
	}
	if (!err)
		err = vexfs_measure_truth(all);
	if (!err)
		err = vexfs_measure_efforts(all, least, most);
	/* Some would be there without the others. */
	if (err)
		memset(grower->index->targets, 0,
		       sizeof(grower->index->targets));
	for (i = 0; i < all->members; i++)
		vexfs_measure_end(all->parts[i]);
	kfree(all);
	return err;
}
