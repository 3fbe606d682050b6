// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan: all rows in turn, by their codes. The codes tell which rows need
 * a look at the row itself; rows that have none yet, or whose codes cannot be
 * read, are looked at all the same.
 *
 * A row that passes its query's limit by code is looked at immediately if its
 * estimate is below the limit: it is likely to be among the nearest, and makes
 * the limit nearer. Others passed only because estimates err, and are put off:
 * most of them do not pass any more when the limit is what it will be.
 */
#include "index.h"
#include "sketch.h"

/* Rows that a first limit comes from, for queries of up to so many results. */
#define VEXFS_SEED_ROWS		512U
#define VEXFS_SEED_K_MAX	64U
/* Pages of codes asked for ahead. */
#define VEXFS_SCAN_AHEAD	256U
/* Codes are of use if there are so many rows for each result. */
#define VEXFS_SCAN_SHARE	16U
/*
 * Pages of codes that one query after the other sees: they stay in the cache of
 * second level, and coming to the next query's tables costs little beside them.
 */
#define VEXFS_SCAN_PAGES	64U
/* Of rows put off fewer are not worth preparing a query of more bits. */
#define VEXFS_SCAN_FINE_MIN	128U
/* Rows that are asked for ahead when they are not in memory. */
#define VEXFS_LOOK_AHEAD	32U

/**
 * struct vexfs_scan_query - a query of a scan
 * @query: the query of the pass
 * @codes: prepared for codes
 * @fine: the same with more bits, for a second look; may be @codes. NULL
 *	until it is needed
 * @fine_memory: for that
 * @limit: what the limit of @codes was made from
 * @near: the estimate of a row at that limit
 * @hits: rows put off; or a max-heap of those with the least estimates
 * @count: how many
 */
struct vexfs_scan_query {
	struct vexfs_pass_query *query;
	struct vex_sketch_query *codes;
	struct vex_sketch_query *fine;
	void *fine_memory;
	s64 limit;
	s64 near;
	struct vex_sketch_hit *hits;
	u32 count;
};

/**
 * struct vexfs_scan_block - codes of one page that all queries see
 * @records: the codes
 * @row: the first's row
 * @count: how many
 */
struct vexfs_scan_block {
	const void *records;
	u64 row;
	u32 count;
};

/**
 * struct vexfs_scan - a pass by codes
 * @pass: the pass
 * @sketches: the codes
 * @pages: their pages
 * @cookie: of vexfs_window_begin()
 * @end_row: one past the last row that is scanned by its code
 * @exact: the answer must equal brute force's
 * @keep: rows with the least estimates that are looked at; 0 if limits tell
 * @accuracy: of the limits
 * @seeded: vexfs_scan_seed() has found rows
 * @room: entries of each query's @hits
 * @blocks: what all queries see next
 * @page_hits: what passes in a page
 * @memory: holds the queries and all hits
 * @scratch: for preparing queries
 * @queries: per query of the pass
 */
struct vexfs_scan {
	struct vexfs_pass *pass;
	struct vexfs_sketches *sketches;
	struct vex_pages pages;
	int cookie;
	u64 end_row;
	bool exact;
	u32 keep;
	u32 accuracy;
	bool seeded;
	u32 room;
	struct vexfs_scan_block blocks[VEXFS_SCAN_PAGES + 1];
	struct vex_sketch_hit *page_hits;
	void *memory;
	void *scratch;
	struct vexfs_scan_query queries[];
};

/*
 * Accuracies that are enough for a recall. Few of the nearest rows are as far
 * away as the limit, so less might do than the normal distribution asks for at
 * the limit itself; but where rows are not rotated, errors of the estimate are
 * larger than those of random directions, by a third with embeddings of
 * sentences. More accuracy costs little: some dozen rows more to look at again.
 */
static const struct {
	u32 recall;
	u32 accuracy;
} vexfs_scan_accuracies[] = {
	{ 5000, 100 },	{ 8000, 190 },	{ 9000, 300 },	{ 9500, 384 },
	{ 9800, 512 },	{ 9900, 576 },	{ 9950, 640 },
	{ 9990, 768 },	{ 9999, 1024 },
};

/* What decides which rows are looked at. */
static void vexfs_scan_plan(struct vexfs_scan *scan)
{
	const struct vexfs_pass *pass = scan->pass;
	u32 i = 0;

	scan->room = VEXFS_SCAN_ROWS / pass->query_count;
	scan->exact = pass->exact;
	scan->accuracy = VEX_SKETCH_SURE;
	if (pass->exact)
		return;
	if (pass->effort) {
		scan->keep = max(pass->effort, pass->k);
		scan->exact = scan->keep > scan->room;
		if (scan->exact)
			scan->keep = 0;
		else
			scan->room = scan->keep;
		return;
	}
	while (i < ARRAY_SIZE(vexfs_scan_accuracies) - 1 &&
	       vexfs_scan_accuracies[i].recall < pass->target_recall)
		i++;
	scan->accuracy = vexfs_scan_accuracies[i].accuracy;
}

/* Setting a scan up */

static void vexfs_scan_free(struct vexfs_scan *scan)
{
	kvfree(scan->memory);
	kvfree(scan);
}

/* The query of more bits. Whoever prepared the other one can have this too. */
static int vexfs_scan_prepare_fine(struct vexfs_scan *scan,
				   struct vexfs_scan_query *one)
{
	struct vexfs_pass *pass = scan->pass;

	return vex_sketch_query_prepare(one->fine_memory,
					&scan->sketches->config,
					scan->sketches->centre,
					pass->shape.query_type,
					vex_search_query(pass->search,
							 one->query->index),
					VEX_SKETCH_QUERY_BITS_FINE,
					scan->scratch, &one->fine);
}

/* @tables: memory for tables, which are of use where no row may be missed. */
static int vexfs_scan_prepare(struct vexfs_scan *scan, u32 q, void *coarse,
			      void *fine, void *tables)
{
	struct vexfs_scan_query *one = &scan->queries[q];
	struct vexfs_pass *pass = scan->pass;
	int err;

	one->query = &pass->queries[q];
	one->limit = S64_MAX;
	one->near = S64_MAX;
	one->fine_memory = fine;
	if (tables) {
		err = vexfs_scan_prepare_fine(scan, one);
		if (err)
			return err;
		vex_sketch_query_tables(one->fine, tables);
		one->codes = one->fine;
		return 0;
	}
	return vex_sketch_query_prepare(coarse, &scan->sketches->config,
					scan->sketches->centre,
					pass->shape.query_type,
					vex_search_query(pass->search,
							 one->query->index),
					VEX_SKETCH_QUERY_BITS, scan->scratch,
					&one->codes);
}

/* Queries for codes, and room for hits. Returns -ERANGE if codes are no use. */
static struct vexfs_scan *vexfs_scan_new(struct vexfs_pass *pass,
					 struct vexfs_sketches *sketches)
{
	const struct vex_sketch *config = &sketches->config;
	u32 queries = pass->query_count, q;
	size_t coarse, fine, tables, hits;
	struct vexfs_scan *scan;
	char *free;
	int err = 0;

	scan = kvzalloc(struct_size(scan, queries, queries),
			GFP_KERNEL_ACCOUNT);
	if (!scan)
		return ERR_PTR(-ENOMEM);
	scan->pass = pass;
	scan->sketches = sketches;
	vexfs_scan_plan(scan);
	tables = scan->exact ? vex_sketch_tables_bytes(config) : 0;
	coarse = ALIGN(vex_sketch_query_bytes(config, VEX_SKETCH_QUERY_BITS),
		       64);
	fine = ALIGN(vex_sketch_query_bytes(config,
					    VEX_SKETCH_QUERY_BITS_FINE), 64);
	hits = ((size_t)queries * scan->room + config->per_page) *
	       sizeof(*scan->page_hits);
	scan->memory = kvmalloc(queries * (coarse + fine + tables) + hits +
				vex_sketch_scratch_bytes(config) + 64,
				GFP_KERNEL_ACCOUNT);
	if (!scan->memory) {
		vexfs_scan_free(scan);
		return ERR_PTR(-ENOMEM);
	}
	free = PTR_ALIGN((char *)scan->memory, 64);
	scan->page_hits = (void *)(free + queries * (coarse + fine + tables));
	scan->scratch = (char *)scan->page_hits + hits;
	for (q = 0; q < queries && !err; q++) {
		scan->queries[q].hits = scan->page_hits + config->per_page +
					(size_t)q * scan->room;
		err = vexfs_scan_prepare(scan, q, free, free + coarse,
					 tables ? free + coarse + fine : NULL);
		free += coarse + fine + tables;
	}
	if (!err)
		return scan;
	vexfs_scan_free(scan);
	return ERR_PTR(err);
}

/* Looking at rows */

/* The limit of a query's codes becomes what the pass knows. */
static void vexfs_scan_limit(struct vexfs_scan *scan,
			     struct vexfs_scan_query *one)
{
	s64 limit = vex_topk_limit(&one->query->top);

	if (limit == one->limit || scan->keep)
		return;
	one->limit = limit;
	vex_sketch_query_limit(one->codes, limit, scan->accuracy);
	one->near = vex_sketch_query_score(one->codes, limit);
}

/* Is a row among the nearest already? What the seed found is met again. */
static bool vexfs_scan_known(const struct vexfs_scan *scan,
			     const struct vex_topk *top, u64 row)
{
	u32 i;

	if (scan->seeded)
		for (i = 0; i < top->count; i++)
			if (top->entries[i].row == row)
				return true;
	return false;
}

/* Look at a row itself. */
static int vexfs_scan_look(struct vexfs_scan *scan,
			   struct vexfs_scan_query *one, u64 row)
{
	s64 limit = vex_topk_limit(&one->query->top);
	struct vexfs_pass *pass = scan->pass;
	struct vex_interval interval;
	const void *data;
	int ret;

	if (vexfs_scan_known(scan, &one->query->top, row))
		return 0;
	/* A filter's answer costs less than a distance, a tombstone's more. */
	if (pass->filter) {
		ret = vexfs_filter_row(pass->filter, row);
		if (ret <= 0)
			return ret;
	}
	ret = vexfs_pass_row(pass, row, false, &data);
	if (ret)
		return ret;
	vex_distance_row(pass->search, one->query->index, data, limit,
			 &interval);
	pass->counts.exact_distances++;
	if (interval.lo > limit)
		return 0;
	ret = vexfs_pass_live(pass, row);
	if (ret <= 0)
		return ret;
	ret = vexfs_pass_offer(one->query, row, &interval);
	if (!ret)
		vexfs_scan_limit(scan, one);
	return ret;
}

/* Does a row pass by the query of more bits? If its code is lost, it does. */
static bool vexfs_scan_fine(struct vexfs_scan *scan,
			    struct vexfs_scan_query *one, u64 row)
{
	u64 page = vex_pages_number(&scan->pages, row);
	const void *records;
	int err;

	records = vex_pages_page(&scan->pages, page, &err);
	return !records ||
	       vex_sketch_page_passes(one->fine, records,
				      row - page * scan->pages.per_page);
}

/* Forget rows that would not be put off any more. */
static void vexfs_scan_sift(struct vexfs_scan *scan,
			    struct vexfs_scan_query *one)
{
	const void *record;
	u32 count = 0, i;
	int err;

	vexfs_scan_limit(scan, one);
	for (i = 0; i < one->count; i++) {
		const struct vex_sketch_hit *hit = &one->hits[i];

		if (!vex_sketch_bound_passes(one->codes, hit->bound))
			continue;
		record = vex_pages_get(&scan->pages, hit->index, &err);
		if (!record || vex_sketch_hit_passes(one->codes, record, hit))
			one->hits[count++] = *hit;
	}
	one->count = count;
}

/* Look at the rows that are put off or kept. */
static int vexfs_scan_look_all(struct vexfs_scan *scan,
			       struct vexfs_scan_query *one)
{
	struct vexfs_pass *pass = scan->pass;
	int err = 0;
	u32 i;

	for (i = 0; i < one->count && !err; i++) {
		const struct vex_sketch_hit *hit = &one->hits[i];

		/* What was missed once tells that more will be. */
		if (pass->matrix.pages_missed &&
		    i + VEXFS_LOOK_AHEAD < one->count)
			vexfs_matrix_want(&pass->matrix,
					  hit[VEXFS_LOOK_AHEAD].index *
					  pass->snapshot.row_bytes,
					  pass->snapshot.row_bytes);
		if (scan->keep ||
		    vex_sketch_bound_passes(one->codes, hit->bound))
			err = vexfs_scan_look(scan, one, hit->index);
	}
	one->count = 0;
	return err;
}

/*
 * Look at the rows that were put off, in turn by their codes with the limit as
 * it is by now, by all that is known of them, and at the rows themselves.
 */
static int vexfs_scan_flush(struct vexfs_scan *scan,
			    struct vexfs_scan_query *one)
{
	u32 count = 0, i;
	int err;

	vexfs_scan_sift(scan, one);
	if (one->count < VEXFS_SCAN_FINE_MIN && !scan->exact)
		return vexfs_scan_look_all(scan, one);
	if (!one->fine) {
		err = vexfs_scan_prepare_fine(scan, one);
		if (err)
			return err;
	}
	vex_sketch_query_limit(one->fine, one->limit, scan->accuracy);
	for (i = 0; i < one->count; i++)
		if (vexfs_scan_fine(scan, one, one->hits[i].index))
			one->hits[count++] = one->hits[i];
	one->count = count;
	return vexfs_scan_look_all(scan, one);
}

/* Walking the codes */

/* Keep a hit if its estimate is among the least: a max-heap. */
static int vexfs_scan_keep(struct vexfs_scan *scan,
			   struct vexfs_scan_query *one,
			   const struct vex_sketch_hit *hit)
{
	struct vex_sketch_hit *heap = one->hits;
	u32 at, child;
	int live;

	if (one->count == scan->room && hit->score >= heap[0].score)
		return 0;
	live = vexfs_pass_live(scan->pass, hit->index);
	if (live <= 0)
		return live;
	if (one->count < scan->room) {
		for (at = one->count++; at; at = (at - 1) / 2) {
			if (heap[(at - 1) / 2].score >= hit->score)
				break;
			heap[at] = heap[(at - 1) / 2];
		}
		heap[at] = *hit;
		return 0;
	}
	for (at = 0; (child = 2 * at + 1) < one->count; at = child) {
		if (child + 1 < one->count &&
		    heap[child + 1].score > heap[child].score)
			child++;
		if (heap[child].score <= hit->score)
			break;
		heap[at] = heap[child];
	}
	heap[at] = *hit;
	return 0;
}

/* There is no room for rows to be put off. */
static int vexfs_scan_full(struct vexfs_scan *scan,
			   struct vexfs_scan_query *one)
{
	vexfs_scan_sift(scan, one);
	return one->count > scan->room / 2 ? vexfs_scan_flush(scan, one) : 0;
}

/* What passed in a page. */
static int vexfs_scan_hits(struct vexfs_scan *scan,
			   struct vexfs_scan_query *one, u32 count)
{
	const struct vex_sketch_hit *hit = scan->page_hits;
	int err = 0;

	for (; count && !err; count--, hit++) {
		if (scan->keep) {
			err = vexfs_scan_keep(scan, one, hit);
		} else if (hit->score <= one->near) {
			err = vexfs_scan_look(scan, one, hit->index);
		} else if (vex_sketch_bound_passes(one->codes, hit->bound)) {
			one->hits[one->count++] = *hit;
			if (one->count == scan->room)
				err = vexfs_scan_full(scan, one);
		}
	}
	if (scan->keep && one->count == scan->room)
		vex_sketch_query_limit_score(one->codes, one->hits[0].score);
	return err;
}

/*
 * The codes of some rows that lie in one page, or NULL with 0 in @err if they
 * cannot be had.
 */
static const void *vexfs_scan_records(struct vexfs_scan *scan, u64 row,
				      int *err)
{
	const void *records = vex_pages_peek(&scan->pages, row);

	if (likely(records))
		return records;
	records = vex_pages_get(&scan->pages, row, err);
	if (!records && *err != -EINTR && *err != -ENOMEM)
		*err = 0;
	return records;
}

/* The rows from @row on to the end of its page of codes, or to @end_row. */
static u32 vexfs_scan_count(const struct vexfs_scan *scan, u64 row, u64 end_row)
{
	u64 page = vex_pages_number(&scan->pages, row);
	u64 end = (page + 1) * scan->pages.per_page;

	return min(end, end_row) - row;
}

/* Let others run now and then, and have codes read ahead. */
static int vexfs_scan_breathe(struct vexfs_scan *scan, u64 row)
{
	u64 page = vex_pages_number(&scan->pages, row);

	if (page % 16 == 0) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (page % (VEXFS_SCAN_AHEAD / 2) == 0 &&
	    !vex_pages_at(&scan->pages, page + VEXFS_SCAN_AHEAD / 2))
		vexfs_window_ahead(&scan->sketches->window, page,
				   VEXFS_SCAN_AHEAD);
	return 0;
}

/* All queries against some rows whose codes cannot be had. */
static int vexfs_scan_lost(struct vexfs_scan *scan, u64 row, u32 count)
{
	u64 end = row + count;
	int err = 0;
	u32 q;

	for (; row < end && !err; row++)
		for (q = 0; q < scan->pass->query_count && !err; q++)
			err = vexfs_scan_look(scan, &scan->queries[q], row);
	return err;
}

/* One query against the codes of some pages; what follows them is prefetched. */
static int vexfs_scan_blocks(struct vexfs_scan *scan,
			     struct vexfs_scan_query *one,
			     const struct vexfs_scan_block *block, u32 count)
{
	u32 hits;
	int err = 0;

	for (; count && !err; count--, block++) {
		vexfs_scan_limit(scan, one);
		hits = vex_sketch_scan(one->codes, block->records, block->count,
				       block[1].records, block->row,
				       scan->page_hits);
		if (hits)
			err = vexfs_scan_hits(scan, one, hits);
	}
	return err;
}

/* All queries against the codes of the next rows, of which @done is told. */
static int vexfs_scan_next(struct vexfs_scan *scan, u64 row, u64 *done)
{
	struct vexfs_scan_block *blocks = scan->blocks;
	struct vexfs_pass *pass = scan->pass;
	u32 count = 0, q;
	int err = 0;

	for (; row < scan->end_row && count < VEXFS_SCAN_PAGES; count++) {
		struct vexfs_scan_block *block = &blocks[count];

		err = vexfs_scan_breathe(scan, row);
		if (err)
			return err;
		block->row = row;
		block->count = vexfs_scan_count(scan, row, scan->end_row);
		block->records = vexfs_scan_records(scan, row, &err);
		if (err)
			return err;
		pass->counts.rows_scanned += block->count;
		row += block->count;
		*done = row;
		if (!block->records) {
			err = vexfs_scan_lost(scan, block->row, block->count);
			break;
		}
		pass->counts.codes_compared += (u64)block->count *
					       pass->query_count;
	}
	blocks[count].records = vex_pages_peek(&scan->pages, row);
	for (q = 0; q < pass->query_count && !err; q++)
		err = vexfs_scan_blocks(scan, &scan->queries[q], blocks, count);
	return err;
}

/* Have those scan by all planes whom the first would not spare much. */
static void vexfs_scan_skip(struct vexfs_scan *scan,
			    struct vexfs_scan_query *one, u64 row)
{
	const void *records = vex_pages_peek(&scan->pages, row);
	u32 count = vexfs_scan_count(scan, row, scan->end_row);

	vexfs_scan_limit(scan, one);
	if (records && scan->exact && one->limit != S64_MAX &&
	    vex_sketch_first_passes(one->codes, records, count,
				    scan->page_hits) > count / 2)
		vex_sketch_query_skip(one->codes);
}

/*
 * A first limit for each query: of rows from all over the file those with the
 * least estimates are looked at.
 */
static int vexfs_scan_seed(struct vexfs_scan *scan, u64 row)
{
	struct vexfs_pass *pass = scan->pass;
	u64 step = (scan->end_row - row) * scan->pages.per_page /
		   VEXFS_SEED_ROWS;
	u32 room = scan->room, q, count, hits;
	const void *records;
	u64 first = row;
	int err = 0;

	if (scan->keep || pass->k > min(VEXFS_SEED_K_MAX, scan->room) ||
	    scan->end_row - row < 4 * VEXFS_SEED_ROWS)
		return 0;
	scan->room = pass->k;
	for (; row < scan->end_row && !err; row += max(step, count)) {
		count = vexfs_scan_count(scan, row, scan->end_row);
		records = vexfs_scan_records(scan, row, &err);
		for (q = 0; q < pass->query_count && records; q++) {
			struct vexfs_scan_query *one = &scan->queries[q];
			u32 i;

			hits = vex_sketch_scan(one->codes, records, count,
					       records, row, scan->page_hits);
			for (i = 0; i < hits && !err; i++)
				err = vexfs_scan_keep(scan, one,
						      scan->page_hits + i);
		}
	}
	for (q = 0; q < pass->query_count && !err; q++) {
		err = vexfs_scan_look_all(scan, &scan->queries[q]);
		vexfs_scan_skip(scan, &scan->queries[q], first);
	}
	scan->room = room;
	scan->seeded = true;
	return err;
}

static int vexfs_scan_run(struct vexfs_scan *scan, u64 row)
{
	struct vexfs_pass *pass = scan->pass;
	int err;
	u32 q;

	err = vexfs_scan_seed(scan, row);
	if (!err)
		err = vexfs_flat_knn(pass, scan->end_row, pass->end_row);
	while (row < scan->end_row && !err)
		err = vexfs_scan_next(scan, row, &row);
	for (q = 0; q < pass->query_count && !err; q++) {
		if (scan->keep)
			err = vexfs_scan_look_all(scan, &scan->queries[q]);
		else
			err = vexfs_scan_flush(scan, &scan->queries[q]);
	}
	return err;
}

static int vexfs_scan_range_page(struct vexfs_scan *scan, u64 row, u32 count,
				 int (*take)(void *context,
					     const struct vex_entry *entry),
				 void *context)
{
	struct vexfs_pass *pass = scan->pass;
	const struct vex_sketch_hit *hit = scan->page_hits;
	struct vexfs_scan_query *one = scan->queries;
	const void *records, *data;
	u32 hits;
	int ret = 0;

	records = vexfs_scan_records(scan, row, &ret);
	if (ret)
		return ret;
	if (!records)
		return vexfs_flat_range(pass, row, row + count, take, context);
	pass->counts.rows_scanned += count;
	pass->counts.codes_compared += count;
	hits = vex_sketch_scan(one->codes, records, count,
			       vex_pages_peek(&scan->pages, row + count), row,
			       scan->page_hits);
	for (; hits && !ret; hits--, hit++) {
		if (!vexfs_scan_fine(scan, one, hit->index))
			continue;
		ret = vexfs_pass_live(pass, hit->index);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		ret = vexfs_pass_row(pass, hit->index, false, &data);
		if (!ret)
			ret = vexfs_pass_take(pass, hit->index, data, take,
					      context);
	}
	return ret;
}

static int vexfs_scan_range_run(struct vexfs_scan *scan, u64 row,
				int (*take)(void *context,
					    const struct vex_entry *entry),
				void *context)
{
	struct vexfs_pass *pass = scan->pass;
	struct vexfs_scan_query *one = scan->queries;
	u32 count;
	int ret = 0;

	/* Rows are handed on in their order, so those without codes come last. */
	if (!one->fine)
		ret = vexfs_scan_prepare_fine(scan, one);
	if (ret)
		return ret;
	vex_sketch_query_limit(one->codes, pass->radius, VEX_SKETCH_SURE);
	vex_sketch_query_limit(one->fine, pass->radius, VEX_SKETCH_SURE);
	for (; row < scan->end_row && !ret; row += count) {
		count = vexfs_scan_count(scan, row, scan->end_row);
		ret = vexfs_scan_breathe(scan, row);
		if (!ret)
			ret = vexfs_scan_range_page(scan, row, count, take,
						    context);
	}
	return ret ? ret : vexfs_flat_range(pass, row, pass->end_row, take,
					    context);
}

/* A scan of the pass' rows; NULL if all of them are to be looked at. */
static struct vexfs_scan *vexfs_scan_begin(struct vexfs_pass *pass)
{
	const struct vexfs_disk_schema *schema = &pass->snapshot.schema;
	struct vexfs_sketches *sketches;
	struct vexfs_scan *scan = NULL;
	u64 end_row;

	/* Of a few rows that a filter leaves it is quickest to see each. */
	if (pass->shape.metric != schema->s_metric || pass->sparse)
		return NULL;
	sketches = vexfs_sketches_get(pass->matrix.inode,
				      pass->snapshot.generation);
	if (!sketches)
		return NULL;
	end_row = min(vexfs_sketches_rows(sketches), pass->end_row);
	if (end_row > pass->first_row &&
	    (end_row - pass->first_row) / VEXFS_SCAN_SHARE > pass->k)
		scan = vexfs_scan_new(pass, sketches);
	if (IS_ERR_OR_NULL(scan)) {
		vexfs_sketches_put(sketches);
		return PTR_ERR_OR_ZERO(scan) == -ERANGE ? NULL : scan;
	}
	scan->end_row = end_row;
	scan->cookie = vexfs_window_begin(&sketches->window, &scan->pages);
	scan->pages.missed = &pass->counts.pages_missed;
	return scan;
}

static void vexfs_scan_end(struct vexfs_scan *scan)
{
	vexfs_window_end(scan->cookie);
	vexfs_sketches_put(scan->sketches);
	vexfs_scan_free(scan);
}

static int vexfs_scan_knn(struct vexfs_pass *pass)
{
	struct vexfs_scan *scan = vexfs_scan_begin(pass);
	int err;

	if (IS_ERR(scan))
		return PTR_ERR(scan);
	if (!scan)
		return vexfs_flat_knn(pass, pass->first_row, pass->end_row);
	err = vexfs_scan_run(scan, pass->first_row);
	vexfs_scan_end(scan);
	return err;
}

static int vexfs_scan_range(struct vexfs_pass *pass,
			    int (*take)(void *context,
					const struct vex_entry *entry),
			    void *context)
{
	struct vexfs_scan *scan = vexfs_scan_begin(pass);
	int ret;

	if (IS_ERR(scan))
		return PTR_ERR(scan);
	if (!scan)
		return vexfs_flat_range(pass, pass->first_row, pass->end_row,
					take, context);
	ret = vexfs_scan_range_run(scan, pass->first_row, take, context);
	vexfs_scan_end(scan);
	return ret;
}

const struct vexfs_index_ops vexfs_scan_index = {
	.kind = VEXFS_INDEX_SCAN,
	.knn = vexfs_scan_knn,
	.range = vexfs_scan_range,
};
