// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphs over the rows of a vector file: the kernel's side of core/graph.c.
 * Rows are put in by their codes. Searches walk by codes, and then compute the
 * distances of the candidates from the rows themselves.
 */
#include <linux/vmalloc.h>
#include "crew.h"

/* Fine rows that a builder keeps, in bytes at most. */
#define VEXFS_GRAPH_CACHE_MAX	(256UL << 20)

/* And for each row that is to go into a graph that serves. */
#define VEXFS_GRAPH_CACHE_SHARE	1024U

/* Memory of a crew's builders, as a share of the machine's. */
#define VEXFS_GRAPH_CREW_SHARE	64U

/* Rows, and time, until a build looks at what else there is. */
#define VEXFS_GRAPH_SLICE_ROWS	256U
#define VEXFS_GRAPH_SLICE_NS	(20 * NSEC_PER_MSEC)

/* The same with a crew, which may take milliseconds to come together. */
#define VEXFS_GRAPH_CREW_ROWS	16384U
#define VEXFS_GRAPH_CREW_NS	NSEC_PER_SEC

/**
 * struct vexfs_graph_slice - rows that the threads of a build put in
 * @build: may have to stop early
 * @index: the graph
 * @end: rows that have nodes
 * @until: no more are begun later
 * @stride: 1; or one row of so many is put in, all the others being in
 * @lock: guards the rest
 * @next: the next row to put in
 * @last: the one after the last
 * @rows: per thread, which it puts in, or in vain; or U64_MAX
 */
struct vexfs_graph_slice {
	const struct vexfs_build *build;
	struct vexfs_index *index;
	u64 end;
	u64 until;
	u64 stride;
	spinlock_t lock;
	u64 next;
	u64 last;
	u64 rows[VEXFS_BUILD_THREADS_MAX];
};

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

static void vexfs_graph_lock(void *context, u32 stripe)
{
	struct vexfs_grower *grower = context;

	mutex_lock(&grower->crew->stripes[stripe % VEXFS_CREW_STRIPES]);
}

static void vexfs_graph_unlock(void *context, u32 stripe)
{
	struct vexfs_grower *grower = context;

	mutex_unlock(&grower->crew->stripes[stripe % VEXFS_CREW_STRIPES]);
}

static void vexfs_graph_config(const struct vexfs_grower *grower,
			       struct vex_graph_build *build)
{
	const struct vex_sketch *config = &grower->sketches->config;

	*build = (struct vex_graph_build){
		.dim = config->dim,
		.effort = grower->index->effort,
		.inner_product = config->metric == VEX_METRIC_IP,
		.cache_bytes = grower->cache_bytes,
	};
}

/* Room for fine rows: if not for all, then each builder has its own. */
static int vexfs_graph_cache(struct vexfs_grower *grower, u32 members)
{
	const struct vexfs_index *index = grower->index;
	const struct vexfs_build *build = grower->build;
	u64 fine = vex_graph_fine_bytes(grower->sketches->config.dim);
	u64 encoded = vexfs_sketches_rows(grower->sketches), rows, bytes;

	rows = max(VEXFS_I(build->inode)->vector.rows, index->target);
	/* For a few rows that an index is behind it is not worth clearing much. */
	if (!build->building && encoded > index->rows)
		rows = min(rows, (encoded - index->rows) *
				 VEXFS_GRAPH_CACHE_SHARE);
	bytes = min3(fine * rows, (u64)VEXFS_GRAPH_CACHE_MAX,
		     ((u64)totalram_pages() << PAGE_SHIFT) / 16);
	grower->cache_shared = bytes == fine * rows;
	if (!grower->cache_shared)
		bytes = div_u64(bytes, members);
	grower->cache_bytes = ALIGN(max(bytes, fine * VEX_GRAPH_CACHE_ROWS),
				    64);
	grower->cache = vzalloc(array_size(grower->cache_bytes,
					   grower->cache_shared ? 1 : members));
	return grower->cache ? 0 : -ENOMEM;
}

int vexfs_graph_builder(struct vexfs_grower *grower, u32 member)
{
	struct vex_graph_build build;
	char *cache = grower->cache;
	void *memory;

	vexfs_graph_config(grower, &build);
	/* Memory of vmalloc() is aligned to a page. */
	memory = vmalloc(vex_graph_builder_bytes(&build));
	if (!memory)
		return -ENOMEM;
	if (!grower->cache_shared)
		cache += member * grower->cache_bytes;
	grower->graph = vex_graph_builder_init(memory, cache, &build);
	return 0;
}

/* Threads to build with. An index that serves grows by one. */
static u32 vexfs_graph_members(const struct vexfs_grower *grower)
{
	struct vex_graph_build build;
	u64 bytes;

	if (!grower->build->building)
		return 1;
	vexfs_graph_config(grower, &build);
	bytes = vex_graph_builder_bytes(&build);
	bytes = div64_u64(((u64)totalram_pages() << PAGE_SHIFT) /
			  VEXFS_GRAPH_CREW_SHARE, max(bytes, 1ULL));
	return clamp_t(u64, vexfs_crew_size(grower->build->threads), 1,
		       max(bytes, 1ULL));
}

int vexfs_graph_open(struct vexfs_grower *grower)
{
	struct vex_graph_build build;
	u32 members;
	int err;

	grower->cache_bytes = VEX_GRAPH_CACHE_ROWS *
			      vex_graph_fine_bytes(grower->sketches->config.dim);
	vexfs_graph_config(grower, &build);
	if (!vex_graph_builder_bytes(&build))
		return -EOPNOTSUPP;
	members = vexfs_graph_members(grower);
	err = vexfs_graph_cache(grower, members);
	if (!err)
		err = vexfs_graph_builder(grower, 0);
	if (err)
		return err;
	grower->pages = vex_graph_pages(grower->index->rows);
	vexfs_crew_open(grower, members);
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
	int err = 0;
	u32 at;

	spin_lock(&index->lock);
	at = index->outliers;
	while (at && index->outlier[at - 1] > row)
		at--;
	if (at && index->outlier[at - 1] == row)
		goto out_unlock;
	err = -ERANGE;
	if (index->outliers == VEX_INDEX_OUTLIERS)
		goto out_unlock;
	memmove(&index->outlier[at + 1], &index->outlier[at],
		(index->outliers - at) * sizeof(index->outlier[0]));
	index->outlier[at] = row;
	/* Whoever sees the number sees what it counts. */
	smp_store_release(&index->outliers, index->outliers + 1);
	err = 0;
out_unlock:
	spin_unlock(&index->lock);
	return err;
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
	if (grower->crew) {
		source->lock = vexfs_graph_lock;
		source->unlock = vexfs_graph_unlock;
	}
	source->context = grower;
}

/* Is there time for another row, and memory for what it changes? */
static bool vexfs_graph_goes_on(const struct vexfs_graph_slice *slice)
{
	return ktime_get_ns() < slice->until &&
	       !vexfs_build_stopped(slice->build) &&
	       !vexfs_window_laden(&slice->index->window);
}

/*
 * A thread has put its row in, and gets the next one; or U64_MAX. Rows count
 * as soon as no thread is busy with one of them or with one before.
 */
static u64 vexfs_graph_next(struct vexfs_graph_slice *slice, u32 member)
{
	bool goes_on = slice->stride > 1 || vexfs_graph_goes_on(slice);
	u64 rows, row = U64_MAX;
	u32 i;

	spin_lock(&slice->lock);
	if (goes_on && slice->next < slice->last) {
		row = slice->next;
		slice->next += slice->stride;
	}
	slice->rows[member] = row;
	rows = slice->next;
	for (i = 0; i < VEXFS_BUILD_THREADS_MAX; i++)
		rows = min(rows, slice->rows[i]);
	if (slice->stride == 1)
		/* Whoever sees the number sees what it counts. */
		smp_store_release(&slice->index->rows, rows);
	spin_unlock(&slice->lock);
	return row;
}

/* What each thread does. When one has failed, none begins another row. */
static int vexfs_graph_insert_slice(struct vexfs_grower *grower, u32 member,
				    void *context)
{
	struct vexfs_graph_slice *slice = context;
	struct vex_graph_source source;
	int nodes, codes, err = 0;
	u64 row;

	vexfs_graph_source(grower, slice->end, &source);
	nodes = vexfs_window_begin(&grower->index->window, &grower->nodes);
	codes = vexfs_window_begin(&grower->sketches->window, &grower->codes);
	while (!err) {
		row = vexfs_graph_next(slice, member);
		if (row == U64_MAX)
			break;
		if (slice->stride > 1 || !vexfs_graph_sample(grower, row))
			err = vexfs_graph_insert(grower, &source, row);
	}
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	if (err) {
		spin_lock(&slice->lock);
		slice->last = slice->next;
		spin_unlock(&slice->lock);
	}
	return err;
}

static int vexfs_graph_run(struct vexfs_grower *grower,
			   struct vexfs_graph_slice *slice)
{
	slice->last = slice->end;
	spin_lock_init(&slice->lock);
	memset(slice->rows, 0xff, sizeof(slice->rows));
	return vexfs_crew_run(grower, vexfs_graph_insert_slice, slice);
}

int vexfs_graph_grow(struct vexfs_grower *grower, u64 end)
{
	bool crew = vexfs_crew_members(grower) > 1;
	struct vexfs_index *index = grower->index;
	struct vexfs_graph_slice slice = {
		.build = grower->build,
		.index = index,
		.until = ktime_get_ns() + (crew ? VEXFS_GRAPH_CREW_NS :
						  VEXFS_GRAPH_SLICE_NS),
		.stride = 1,
		.next = index->rows,
	};
	u64 rows = index->rows, entry = index->graph.entry;
	u32 outliers = index->outliers;
	int err;

	slice.end = min(end, rows + (crew ? VEXFS_GRAPH_CREW_ROWS :
					    VEXFS_GRAPH_SLICE_ROWS));
	err = vexfs_graph_extend(grower, slice.end);
	if (err)
		return err;
	err = vexfs_graph_run(grower, &slice);
	/*
	 * When a thread fails with a row, others have put in rows behind it,
	 * where walks might begin already. All are put in again. The graph does
	 * not serve yet.
	 */
	if (err && crew) {
		index->rows = rows;
		index->graph.entry = entry;
		index->outliers = outliers;
	}
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
	const u32 effort = VEXFS_MEASURE_ROWS, waypoints = 2 * effort;
	u32 members = vexfs_crew_members(grower), i;
	struct vexfs_grower *tools;
	void *memory;
	int err = 0;

	for (i = 0; i < members && !err; i++) {
		memory = vmalloc(vex_graph_walker_bytes(effort, waypoints));
		tools = vexfs_crew_tools(grower, i);
		if (memory)
			tools->walker = vex_graph_walker_init(memory, effort,
							      waypoints);
		else if (!i)
			err = -ENOMEM;
	}
	if (!err)
		err = vexfs_measure(grower, vexfs_graph_measure,
				    VEX_GRAPH_EFFORT_MIN, effort);
	for (i = 0; i < members; i++) {
		tools = vexfs_crew_tools(grower, i);
		vfree(tools->walker);
		tools->walker = NULL;
	}
	return err;
}

/* The rows that the efforts were measured with go in too. */
static int vexfs_graph_samples(struct vexfs_grower *grower)
{
	struct vexfs_graph_slice slice = {
		.index = grower->index,
		.end = grower->index->rows,
		.stride = grower->stride,
		.next = grower->stride / 2,
	};
	int err = vexfs_graph_run(grower, &slice);

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

/* Compute the distances of what a walk found, and of what it cannot find. */
static int vexfs_graph_decide(struct vexfs_graph_search *search, u32 q,
			      const struct vex_graph_result *found)
{
	struct vexfs_index *index = search->index;
	/* Whoever sees the number sees what it counts. */
	u32 outliers = smp_load_acquire(&index->outliers), i;
	int ret;

	ret = vexfs_index_decide(search->pass, q, &found->hits[0].row,
				 sizeof(found->hits[0]), found->count);
	/* Rows that the index does not cover are scanned. */
	for (i = 0; i < outliers && ret >= 0; i++)
		if (index->outlier[i] < search->rows)
			ret = vexfs_index_look(search->pass, q,
					       index->outlier[i]);
	return min(ret, 0);
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
	for (q = 0; q < pass->query_count && !err; q++) {
		err = vexfs_graph_query(search, q);
		if (err == -ERANGE) {
			pass->queries[q].given_up = true;
			err = 0;
		}
	}
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
	err = vexfs_index_rest(pass, search.rows, err);
	vexfs_sketches_put(search.sketches);
	vexfs_index_put(search.index);
	return err;
}

const struct vexfs_index_ops vexfs_graph_index = {
	.kind = VEXFS_INDEX_HNSW,
	.knn = vexfs_graph_knn,
};
