// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphs over the rows of a vector file: the kernel's side of core/graph.c.
 * Rows are put in by their codes. Searches walk by codes, and then compute the
 * distances of the candidates from the rows themselves.
 */
#include <linux/vmalloc.h>
#include "build.h"

/* Fine rows that a builder keeps, in bytes at most. */
#define VEXFS_GRAPH_CACHE_MAX	(256UL << 20)

/* And for each row that is to go into a graph that serves. */
#define VEXFS_GRAPH_CACHE_SHARE	1024U

/* Rows that are put in between two looks at the clock. */
#define VEXFS_GRAPH_SLICE_ROWS	64U
#define VEXFS_GRAPH_SLICE_NS	(20 * NSEC_PER_MSEC)

/* Building */

static int vexfs_graph_stop(void *context)
{
	struct vexfs_grower *grower = context;

	cond_resched();
	return READ_ONCE(grower->build->cancel) ? -ECANCELED : 0;
}

/* A row to be put in becomes a query. */
static int vexfs_graph_prepare(void *context, u64 row, void **query)
{
	struct vexfs_grower *grower = context;
	const struct vexfs_sketches *sketches = grower->sketches;
	struct vex_sketch_query *prepared;
	const void *data;
	int err;

	err = vexfs_grower_row(grower, row, &data);
	if (!err)
		err = vex_sketch_query_prepare(grower->query, &sketches->config,
					       sketches->centre,
					       sketches->config.type, data,
					       VEX_SKETCH_QUERY_BITS,
					       grower->scratch, &prepared);
	if (!err)
		*query = prepared;
	return err;
}

static int vexfs_graph_fine(void *context, u64 row, u8 *elements)
{
	struct vexfs_grower *grower = context;
	const struct vexfs_sketches *sketches = grower->sketches;
	const void *data;
	int err;

	err = vexfs_grower_row(grower, row, &data);
	if (!err)
		vex_sketch_fine(&sketches->config, sketches->centre, data,
				elements, grower->scratch);
	return err;
}

static void vexfs_graph_dirty(void *context, u64 page)
{
	struct vexfs_grower *grower = context;

	vexfs_window_keep(&grower->index->window, page);
}

int vexfs_graph_open(struct vexfs_grower *grower)
{
	const struct vexfs_sketches *sketches = grower->sketches;
	struct vex_graph_build build = {
		.dim = sketches->config.dim,
		.effort = grower->index->effort,
		.inner_product = sketches->config.metric == VEX_METRIC_IP,
	};
	size_t fine = vex_graph_fine_bytes(build.dim);
	u64 rows = VEXFS_I(grower->build->inode)->vector.rows;
	u64 encoded = vexfs_sketches_rows(grower->sketches);
	void *memory;
	size_t bytes;

	/* For a few rows that an index is behind it is not worth clearing much. */
	if (!grower->build->building && encoded > grower->index->rows)
		rows = min(rows, (encoded - grower->index->rows) *
				 VEXFS_GRAPH_CACHE_SHARE);
	build.cache_bytes = max_t(u64, fine * VEX_GRAPH_CACHE_ROWS,
				  min3((u64)fine * rows,
				       (u64)VEXFS_GRAPH_CACHE_MAX,
				       ((u64)totalram_pages() << PAGE_SHIFT) / 16));
	bytes = vex_graph_builder_bytes(&build);
	if (!bytes)
		return -EOPNOTSUPP;
	/* Memory of vmalloc() is aligned to a page. */
	memory = vmalloc(bytes);
	grower->cache = vzalloc(build.cache_bytes);
	if (!memory || !grower->cache) {
		vfree(memory);
		return -ENOMEM;
	}
	grower->graph = vex_graph_builder_init(memory, grower->cache, &build);
	grower->pages = vex_graph_pages(grower->index->rows);
	return 0;
}

/* Pages of nodes for so many rows, fresh ones empty. */
static int vexfs_graph_extend(struct vexfs_grower *grower, u64 rows)
{
	struct vexfs_window *window = &grower->index->window;
	u64 pages = vex_graph_pages(rows);
	int err = 0;

	if (grower->pages >= pages)
		return 0;
	mutex_lock(&grower->derived->write_lock);
	err = vexfs_window_grow(window, pages);
	while (!err && grower->pages < pages) {
		if (!vexfs_window_change(window, grower->pages, true, &err))
			break;
		vexfs_window_changed(window, grower->pages, true);
		grower->pages++;
	}
	mutex_unlock(&grower->derived->write_lock);
	return err;
}

/*
 * A row that fits no scale is remembered beside the graph, in the order of
 * rows. Only while an index is built do rows come in another order.
 */
static int vexfs_graph_outlier(struct vexfs_index *index, u64 row)
{
	u32 at = index->outliers;

	while (at && index->outlier[at - 1] > row)
		at--;
	if (at && index->outlier[at - 1] == row)
		return 0;
	if (index->outliers == VEX_INDEX_OUTLIERS)
		return -ERANGE;
	memmove(&index->outlier[at + 1], &index->outlier[at],
		(index->outliers - at) * sizeof(index->outlier[0]));
	index->outlier[at] = row;
	/* Whoever sees the number sees what it counts. */
	smp_store_release(&index->outliers, index->outliers + 1);
	return 0;
}

static int vexfs_graph_insert(struct vexfs_grower *grower,
			      const struct vex_graph_source *source, u64 row)
{
	struct vexfs_index *index = grower->index;
	struct vex_run run;
	const void *code;
	int err = 0;

	if (grower->tombstones.fork) {
		err = vexfs_cursor_find(&grower->tombstones, row, &run);
		if (err || run.key <= row)
			return err;
	}
	code = vex_pages_get(source->codes, row, &err);
	if (!code)
		return err;
	if (vex_sketch_is_marked(code))
		return vexfs_graph_outlier(index, row);
	err = vex_graph_insert(grower->graph, &index->graph, source, row);
	return err == -ERANGE ? vexfs_graph_outlier(index, row) : err;
}

/* Is it one of the rows that the efforts are measured with? */
static bool vexfs_graph_sample(const struct vexfs_grower *grower, u64 row)
{
	return grower->stride && row % grower->stride == grower->stride / 2;
}

static void vexfs_graph_source(struct vexfs_grower *grower, u64 rows,
			       struct vex_graph_source *source)
{
	memset(source, 0, sizeof(*source));
	source->nodes = &grower->nodes;
	source->codes = &grower->codes;
	source->rows = rows;
	source->ahead = vex_sketch_near_bytes(&grower->sketches->config);
	source->score = vex_sketch_near_scores;
	source->query = vexfs_graph_prepare;
	source->fine = vexfs_graph_fine;
	source->dirty = vexfs_graph_dirty;
	source->stop = vexfs_graph_stop;
	source->context = grower;
}

int vexfs_graph_grow(struct vexfs_grower *grower, u64 end)
{
	struct vexfs_index *index = grower->index;
	struct vex_graph_source source;
	u64 row = index->rows, begun = ktime_get_ns();
	int nodes, codes, err;

	end = min(end, row + VEXFS_GRAPH_SLICE_ROWS);
	err = vexfs_graph_extend(grower, end);
	if (err)
		return err;
	vexfs_graph_source(grower, end, &source);
	nodes = vexfs_window_begin(&index->window, &grower->nodes);
	codes = vexfs_window_begin(&grower->sketches->window, &grower->codes);
	while (!err && row < end &&
	       ktime_get_ns() - begun < VEXFS_GRAPH_SLICE_NS) {
		if (!vexfs_graph_sample(grower, row))
			err = vexfs_graph_insert(grower, &source, row);
		if (!err)
			/* Whoever sees the number sees what it counts. */
			smp_store_release(&index->rows, ++row);
	}
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	return err;
}

/* Measuring */

static int vexfs_graph_measure(struct vexfs_grower *grower, u64 row,
			       u32 effort, u64 *rows, u32 *count)
{
	struct vexfs_index *index = grower->index;
	struct vex_graph_query walk = {
		.nodes = &grower->nodes,
		.codes = &grower->codes,
		.ahead = vex_sketch_near_bytes(&grower->sketches->config),
		.score = vex_sketch_near_scores,
		.rows = index->rows,
		.effort = effort,
		.stop = vexfs_graph_stop,
		.context = grower,
	};
	struct vex_graph_result found;
	int nodes, codes, err;
	u32 i;

	nodes = vexfs_window_begin(&index->window, &grower->nodes);
	codes = vexfs_window_begin(&grower->sketches->window, &grower->codes);
	err = vexfs_graph_prepare(grower, row, &walk.query);
	if (!err)
		err = vex_graph_walk(grower->walker, &index->graph, &walk,
				     &found);
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	*count = 0;
	/* A row that fits no scale is searched for by a scan. */
	if (err)
		return err == -ERANGE ? 0 : err;
	for (i = 0; i < found.count; i++)
		rows[i] = found.hits[i].row;
	*count = found.count;
	return 0;
}

static int vexfs_graph_efforts(struct vexfs_grower *grower)
{
	void *memory;
	int err;

	memory = vmalloc(vex_graph_walker_bytes(VEXFS_MEASURE_ROWS,
						2 * VEXFS_MEASURE_ROWS));
	if (!memory)
		return -ENOMEM;
	grower->walker = vex_graph_walker_init(memory, VEXFS_MEASURE_ROWS,
					       2 * VEXFS_MEASURE_ROWS);
	err = vexfs_measure(grower, vexfs_graph_measure, VEX_GRAPH_EFFORT_MIN,
			    VEXFS_MEASURE_ROWS);
	grower->walker = NULL;
	vfree(memory);
	return err;
}

/* The rows that the efforts were measured with go in too. */
static int vexfs_graph_samples(struct vexfs_grower *grower)
{
	struct vexfs_index *index = grower->index;
	struct vex_graph_source source;
	u64 row, stride = grower->stride;
	int nodes, codes, err = 0;

	vexfs_graph_source(grower, index->rows, &source);
	nodes = vexfs_window_begin(&index->window, &grower->nodes);
	codes = vexfs_window_begin(&grower->sketches->window, &grower->codes);
	for (row = stride / 2; row < index->rows && !err; row += stride)
		err = vexfs_graph_insert(grower, &source, row);
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	if (!err)
		grower->stride = 0;
	return err;
}

int vexfs_graph_finish(struct vexfs_grower *grower)
{
	static const u32 guesses[VEX_INDEX_TARGETS] = { 32, 64, 128 };
	int err;

	if (!grower->stride) {
		memcpy(grower->index->targets, guesses, sizeof(guesses));
		return 0;
	}
	err = vexfs_graph_efforts(grower);
	if (!err)
		err = vexfs_graph_samples(grower);
	/* Not measured as long as some of the rows are missing. */
	if (err)
		memset(grower->index->targets, 0,
		       sizeof(grower->index->targets));
	return err;
}

/* Searching */

/**
 * struct vexfs_graph_search - what the queries of a pass share
 * @pass: the pass
 * @index: the index
 * @sketches: the file's sketches
 * @nodes: the graph's pages
 * @codes: the sketches' pages
 * @rows: rows that the index covers
 * @effort: candidates to keep
 * @walker: walks
 * @query: room for a prepared query
 * @scratch: to prepare it
 */
struct vexfs_graph_search {
	struct vexfs_pass *pass;
	struct vexfs_index *index;
	struct vexfs_sketches *sketches;
	struct vex_pages nodes;
	struct vex_pages codes;
	u64 rows;
	u32 effort;
	struct vex_graph_walker *walker;
	void *query;
	void *scratch;
};

static int vexfs_graph_interrupted(void *context)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static bool vexfs_graph_admit(void *context, u64 row)
{
	struct vexfs_graph_search *search = context;

	return vexfs_filter_row(search->pass->filter, row) > 0;
}

/* Compute the distances of what a walk found, as long as that pays. */
static int vexfs_graph_decide(struct vexfs_graph_search *search, u32 q,
			      const struct vex_graph_result *found)
{
	struct vexfs_index *index = search->index;
	struct vexfs_pass *pass = search->pass;
	u32 patience = max(VEXFS_INDEX_PATIENCE, pass->k), vain = 0, i;
	const struct vex_graph_hit *hit = found->hits;
	/* Whoever sees the number sees what it counts. */
	u32 outliers = smp_load_acquire(&index->outliers);
	int ret;

	for (i = 0; i < min(found->count, VEXFS_FETCH_AHEAD); i++)
		vexfs_pass_fetch(pass, hit[i].row);
	for (i = 0; i < found->count && vain < patience; i++) {
		if (i + VEXFS_FETCH_AHEAD < found->count)
			vexfs_pass_fetch(pass,
					 hit[i + VEXFS_FETCH_AHEAD].row);
		ret = vexfs_index_look(pass, q, hit[i].row);
		if (ret < 0)
			return ret;
		vain = ret ? 0 : vain + 1;
	}
	for (i = 0; i < outliers; i++) {
		ret = vexfs_index_look(pass, q, index->outlier[i]);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int vexfs_graph_query(struct vexfs_graph_search *search, u32 q)
{
	const struct vexfs_sketches *sketches = search->sketches;
	struct vexfs_pass *pass = search->pass;
	struct vex_graph_query walk = {
		.nodes = &search->nodes,
		.codes = &search->codes,
		.ahead = vex_sketch_near_bytes(&sketches->config),
		.score = vex_sketch_near_scores,
		.rows = search->rows,
		.effort = search->effort,
		.admit = pass->filter ? vexfs_graph_admit : NULL,
		.stop = vexfs_graph_interrupted,
		.context = search,
	};
	struct vex_graph_result found;
	struct vex_sketch_query *query;
	int err;

	err = vex_sketch_query_prepare(search->query, &sketches->config,
				       sketches->centre, pass->shape.query_type,
				       vex_search_query(pass->search, q),
				       VEX_SKETCH_QUERY_BITS, search->scratch,
				       &query);
	if (err)
		return err;
	walk.query = query;
	err = vex_graph_walk(search->walker, &search->index->graph, &walk,
			     &found);
	if (err)
		return err;
	pass->counts.codes_compared += found.scored;
	pass->counts.rows_scanned += found.scored;
	/* So much was deleted that the walk did not get through. */
	if (found.gave_up && found.count < min_t(u64, pass->k, search->rows))
		return -ERANGE;
	return vexfs_graph_decide(search, q, &found);
}

/* Memory for a walk and a query, in one piece that @search->walker begins. */
static int vexfs_graph_search_memory(struct vexfs_graph_search *search)
{
	const struct vex_sketch *config = &search->sketches->config;
	const struct vexfs_pass *pass = search->pass;
	size_t walker, query, scratch;
	u32 waypoints = 0;
	char *memory;

	/* What is deleted or refused takes room beside the candidates. */
	if (pass->tombstones.fork)
		waypoints = 2 * search->effort;
	if (pass->filter)
		waypoints = 8 * search->effort;
	walker = ALIGN(vex_graph_walker_bytes(search->effort, waypoints), 64);
	query = ALIGN(vex_sketch_query_bytes(config, VEX_SKETCH_QUERY_BITS),
		      64);
	scratch = vex_sketch_scratch_bytes(config);
	memory = kvmalloc(walker + query + scratch, GFP_KERNEL_ACCOUNT);
	if (!memory)
		return -ENOMEM;
	search->walker = vex_graph_walker_init(memory, search->effort,
					       waypoints);
	search->query = memory + walker;
	search->scratch = memory + walker + query;
	return 0;
}

static int vexfs_graph_search_run(struct vexfs_graph_search *search)
{
	struct vexfs_pass *pass = search->pass;
	int nodes, codes, err = 0;
	u32 q;

	nodes = vexfs_window_begin(&search->index->window, &search->nodes);
	codes = vexfs_window_begin(&search->sketches->window, &search->codes);
	search->nodes.missed = &pass->counts.pages_missed;
	search->codes.missed = &pass->counts.pages_missed;
	for (q = 0; q < pass->query_count && !err; q++)
		err = vexfs_graph_query(search, q);
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	return err;
}

static int vexfs_graph_knn(struct vexfs_pass *pass)
{
	struct inode *inode = pass->matrix.inode;
	struct vexfs_graph_search search = {
		.pass = pass,
		.index = vexfs_index_get(inode, pass->snapshot.generation),
		.sketches = vexfs_sketches_get(inode, pass->snapshot.generation),
	};
	int err = -ERANGE;

	if (search.index && search.sketches &&
	    search.index->type == VEXFS_INDEX_HNSW && vexfs_index_suits(pass)) {
		/* Whoever sees the number sees what it counts. */
		search.rows = min3(smp_load_acquire(&search.index->rows),
				   vexfs_sketches_rows(search.sketches),
				   pass->end_row);
		search.effort = vexfs_index_effort(search.index, pass);
		err = vexfs_graph_search_memory(&search);
		if (!err)
			err = vexfs_graph_search_run(&search);
		kvfree(search.walker);
	}
	err = vexfs_index_rest(pass, search.index, search.rows, err);
	vexfs_sketches_put(search.sketches);
	vexfs_index_put(search.index);
	return err;
}

const struct vexfs_index_ops vexfs_graph_index = {
	.kind = VEXFS_INDEX_HNSW,
	.knn = vexfs_graph_knn,
};
