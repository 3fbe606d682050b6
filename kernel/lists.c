// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of rows around centres: the kernel's side of core/lists.c. They are
 * built in one go, and grow by runs that are put behind the others. When as many
 * rows came later as they were built from, or when there is no room for more
 * runs, they are built anew in the background.
 */
#include <linux/vmalloc.h>
#include <linux/writeback.h>
#include "build.h"
#include "core/lists_sketch.h"

/* Candidates for each result, and beside them. */
#define VEXFS_LISTS_SHARE	4U
#define VEXFS_LISTS_MORE	64U

/* Rows of a run at most: 6 bytes of memory each. */
#define VEXFS_LISTS_RUN_ROWS	4194304U

/*
 * With a filter, or when so many rows are deleted, more lists are looked into if
 * it takes them.
 */
#define VEXFS_LISTS_DELETED	8U
#define VEXFS_LISTS_FILTERED	16U

/* Memory for centres, at least. There is more on large machines. */
#define VEXFS_LISTS_CENTRES_MIN	(64ULL << 20)

u64 vexfs_lists_encoding(const struct vexfs_sketches *sketches)
{
	u8 parameters[VEX_SKETCH_PARAMETERS];
	u32 dim = sketches->config.dim, at, n, i;
	__le32 part[64];
	u64 hash;

	vex_sketch_save(&sketches->config, parameters);
	hash = vex_xxh64(parameters, sizeof(parameters), 0);
	for (at = 0; at < dim; at += n) {
		n = min_t(u32, dim - at, ARRAY_SIZE(part));
		for (i = 0; i < n; i++)
			part[i] = cpu_to_le32(sketches->centre[at + i]);
		hash = vex_xxh64(part, n * sizeof(*part), hash);
	}
	return hash;
}

/* Building */

/**
 * struct vexfs_lists_tools - the part of the tools that lists need
 * @source: how the core reaches the rows
 * @sketch: centres as the core sees them
 * @memory: of @sketch
 * @builder: the core's
 */
struct vexfs_lists_tools {
	struct vex_lists_source source;
	struct vex_lists_sketch sketch;
	void *memory;
	struct vex_lists_builder *builder;
};

static int vexfs_lists_stop(void *context)
{
	struct vexfs_grower *grower = context;
	struct vexfs_build *build = grower->build;
	int err = vexfs_build_stopped(build);

	cond_resched();
	if (err)
		return err;
	if (build->building && grower->lists->builder)
		WRITE_ONCE(build->progress,
			   vex_lists_progress(grower->lists->builder,
					      grower->index->target) / 100 * 98);
	return 0;
}

static int vexfs_lists_values(void *context, u64 row, s32 *values)
{
	struct vexfs_grower *grower = context;
	const void *data;
	int err;

	err = vexfs_grower_row(grower, row, &data);
	if (!err)
		vex_lists_sketch_values(&grower->lists->sketch, data, values);
	return err;
}

static void vexfs_lists_prepare(void *context, const s32 *values, void *query)
{
	struct vexfs_grower *grower = context;

	vex_lists_sketch_prepare(&grower->lists->sketch, values, query);
}

static void vexfs_lists_encode(void *context, const s32 *values, void *record)
{
	struct vexfs_grower *grower = context;

	vex_lists_sketch_encode(&grower->lists->sketch, values, record);
}

static bool vexfs_lists_deleted(void *context, u64 row)
{
	struct vexfs_grower *grower = context;
	struct vex_run run;

	return grower->tombstones.fork &&
	       !vexfs_cursor_find(&grower->tombstones, row, &run) &&
	       run.key <= row;
}

static int vexfs_lists_emit(void *context, u64 page, const void *data)
{
	struct vexfs_grower *grower = context;
	struct vexfs_window *window = &grower->index->window;
	void *into = NULL;
	int err;

	mutex_lock(&grower->derived->write_lock);
	err = vexfs_window_grow(window, page + 1);
	if (!err)
		into = vexfs_window_change(window, page, true, &err);
	if (into) {
		memcpy(into, data, VEX_RECORD_BYTES_MAX);
		vexfs_window_changed(window, page, false);
		err = 0;
	}
	mutex_unlock(&grower->derived->write_lock);
	balance_dirty_pages_ratelimited(grower->derived->fork->i_mapping);
	return err;
}

void vexfs_lists_close(struct vexfs_grower *grower)
{
	if (!grower->lists)
		return;
	kvfree(grower->lists->memory);
	vfree(grower->lists->builder);
	kfree(grower->lists);
}

int vexfs_lists_open(struct vexfs_grower *grower)
{
	const struct vex_sketch *config = &grower->sketches->config;
	struct vexfs_lists_tools *tools = kzalloc(sizeof(*tools), GFP_KERNEL);
	struct vex_lists_source *source;

	if (!tools)
		return -ENOMEM;
	grower->lists = tools;
	tools->memory = kvmalloc(vex_lists_sketch_bytes(config), GFP_KERNEL);
	if (!tools->memory)
		return -ENOMEM;
	vex_lists_sketch_init(&tools->sketch, config,
			      grower->sketches->centre, tools->memory);
	source = &tools->source;
	source->kmeans.context = grower;
	source->kmeans.stop = vexfs_lists_stop;
	source->kmeans.values = vexfs_lists_values;
	source->kmeans.prepare = vexfs_lists_prepare;
	source->kmeans.score = vex_lists_sketch_compare;
	source->kmeans.sketches = &grower->codes;
	source->kmeans.dim = config->dim;
	source->kmeans.query_bytes = vex_lists_sketch_query_bytes(config);
	source->kmeans.spherical = vex_lists_sketch_spherical(config);
	source->encode = vexfs_lists_encode;
	source->deleted = vexfs_lists_deleted;
	source->emit = vexfs_lists_emit;
	return 0;
}

static int vexfs_lists_builder(struct vexfs_grower *grower,
			       const struct vex_lists *lists, u64 rows)
{
	struct vexfs_lists_tools *tools = grower->lists;
	struct vex_lists_build build = {
		.lists = lists->lists,
		.dim = lists->dim,
		.record_bytes = lists->record_bytes,
		.query_bytes = tools->source.kmeans.query_bytes,
		.run_rows = clamp_t(u64, rows, 1, VEXFS_LISTS_RUN_ROWS),
		.train = !lists->runs,
	};
	size_t bytes = vex_lists_builder_bytes(&build);
	void *memory = bytes ? vzalloc(bytes) : NULL;

	if (!memory)
		return bytes ? -ENOMEM : -EOPNOTSUPP;
	tools->builder = vex_lists_builder_init(memory, &build, &tools->source);
	return 0;
}

/* Find the centres, or read them back, and put all rows up to @rows in. */
static int vexfs_lists_fill(struct vexfs_grower *grower,
			    struct vex_lists *lists, u64 rows)
{
	struct vexfs_lists_tools *tools = grower->lists;
	int nodes, codes, err;

	err = vexfs_lists_builder(grower, lists, rows - vex_lists_rows(lists));
	if (err)
		return err;
	nodes = vexfs_window_begin(&grower->index->window, &grower->nodes);
	codes = vexfs_window_begin(&grower->sketches->window, &grower->codes);
	err = lists->runs ?
	      vex_lists_recall(tools->builder, lists, &grower->nodes) :
	      vex_lists_train(tools->builder, lists, rows, VEX_KMEANS_SEED);
	while (!err && vex_lists_rows(lists) < rows)
		err = vex_lists_write_run(tools->builder, lists, rows);
	vexfs_window_end(codes);
	vexfs_window_end(nodes);
	vfree(tools->builder);
	tools->builder = NULL;
	return err;
}

/* How many lists: no more than there are rows, and than memory is for. */
static u32 vexfs_lists_number(const struct vexfs_grower *grower, u64 rows)
{
	const struct vex_sketch *config = &grower->sketches->config;
	u32 wanted = grower->index->lists_wanted;
	/* See vex_lists_builder_bytes(). */
	u32 bytes = 12 * config->dim + vex_lists_sketch_query_bytes(config);
	u64 memory = max(VEXFS_LISTS_CENTRES_MIN,
			 ((u64)totalram_pages() << PAGE_SHIFT) / 16);

	return min3(wanted ? (u64)wanted : vex_lists_number(rows), max_t(u64, rows, 1),
		    div_u64(memory, bytes));
}

/* Are the lists' records the same as those of the sketches? */
static bool vexfs_lists_fit(const struct vexfs_index *index,
			    const struct vexfs_sketches *sketches)
{
	return index->lists.record_bytes == sketches->config.record_bytes &&
	       index->sketches == vexfs_lists_encoding(sketches);
}

bool vexfs_lists_drifted(const struct vexfs_index *index,
			 const struct vexfs_sketches *sketches)
{
	u64 rows = vexfs_sketches_rows(sketches);

	if (index->type != VEXFS_INDEX_IVF || !index->lists.runs ||
	    rows < index->lists.built)
		return false;
	if (!vexfs_lists_fit(index, sketches))
		return true;
	/* Of a file that is so large that a build takes all the room. */
	return rows - index->lists.built >= index->lists.built / 8 &&
	       vex_lists_drifted(&index->lists, rows);
}

int vexfs_lists_grow(struct vexfs_grower *grower, u64 rows)
{
	const struct vex_sketch *config = &grower->sketches->config;
	struct vexfs_index *index = grower->index;
	struct vex_lists *lists;
	int err = 0;

	/* Sketches were made anew since, in another way. */
	if (index->lists.runs && !vexfs_lists_fit(index, grower->sketches))
		return -ESTALE;
	lists = kmalloc(sizeof(*lists), GFP_KERNEL);
	if (!lists)
		return -ENOMEM;
	*lists = index->lists;
	if (!lists->runs) {
		err = vex_lists_init(lists, vexfs_lists_number(grower, rows),
				     config->dim, config->record_bytes, 0);
		index->sketches = vexfs_lists_encoding(grower->sketches);
	}
	if (!err)
		err = vexfs_lists_fill(grower, lists, rows);
	if (!err) {
		spin_lock(&index->lock);
		index->lists = *lists;
		spin_unlock(&index->lock);
		/* Whoever sees the number sees what it counts. */
		smp_store_release(&index->rows, vex_lists_rows(lists));
	}
	kfree(lists);
	return err;
}

/* Searching */

/**
 * struct vexfs_lists_search - what the queries of a pass share
 * @lists: where things are
 * @sketches: the file's sketches
 * @codes: their pages
 * @fork: the index's pages
 * @window: their window
 * @build: the build that measures, or NULL
 * @filter: which rows may be found, or NULL for all
 * @tombstones: walks the rows that are deleted, or NULL if there are none
 * @rows: rows that are there
 * @effort: lists to look into
 * @enough: fewer will do if the rows in them may be found; 0: they will not
 * @candidates: rows wanted
 * @query: room for a prepared query
 * @scratch: to prepare it
 * @memory: of the core's search
 */
struct vexfs_lists_search {
	struct vex_lists lists;
	struct vexfs_sketches *sketches;
	struct vex_pages codes;
	struct vex_pages fork;
	struct vexfs_window *window;
	struct vexfs_build *build;
	struct vexfs_filter *filter;
	struct vexfs_run_cursor *tombstones;
	u64 rows;
	u32 effort;
	u32 enough;
	u32 candidates;
	void *query;
	void *scratch;
	void *memory;
};

static int vexfs_lists_interrupted(void *context)
{
	struct vexfs_lists_search *search = context;

	cond_resched();
	if (search->build && READ_ONCE(search->build->cancel))
		return -ECANCELED;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static void vexfs_lists_ahead(void *context, u64 page, u64 pages)
{
	struct vexfs_lists_search *search = context;

	/* What is in memory already costs only a look. */
	if (!vex_pages_at(&search->fork, page) ||
	    !vex_pages_at(&search->fork, page + pages - 1))
		vexfs_window_ahead(search->window, page, pages);
}

/*
 * The lists know what was deleted before they were made, but not what was deleted
 * since. Sketches tell that sooner than the tombstones do, if they are in memory.
 */
static bool vexfs_lists_admit(void *context, u64 row)
{
	struct vexfs_lists_search *search = context;
	struct vex_run run;
	const void *code;

	if (search->filter && vexfs_filter_row(search->filter, row) <= 0)
		return false;
	if (!search->tombstones)
		return true;
	code = vex_pages_peek(&search->codes, row);
	if (code)
		return !vex_sketch_is_dead(code);
	/* Those that are found are asked for again. */
	return vexfs_cursor_find(search->tombstones, row, &run) ||
	       run.key > row;
}

/* The candidates of one query. */
static int vexfs_lists_find(struct vexfs_lists_search *search, u32 query_type,
			    const void *elements,
			    struct vex_lists_result *found)
{
	struct vexfs_sketches *sketches = search->sketches;
	struct vex_lists_query query = {
		.context = search,
		.stop = vexfs_lists_interrupted,
		.ahead = vexfs_lists_ahead,
		.score = vex_lists_sketch_score,
		.effort = search->effort,
		.enough = search->enough,
		.candidates = search->candidates,
		.shares = 1,
		.rows = search->rows,
		.admit = search->filter || search->tombstones ?
			 vexfs_lists_admit : NULL,
		.admit_context = search,
	};
	struct vex_sketch_query *prepared;
	int err;

	err = vex_sketch_query_prepare(search->query, &sketches->config,
				       sketches->centre, query_type, elements,
				       VEX_SKETCH_QUERY_BITS, search->scratch,
				       &prepared);
	if (err)
		return err;
	query.query = prepared;
	return vex_lists_search(&search->lists, &search->fork, &query,
				search->memory, found);
}

static void vexfs_lists_search_free(struct vexfs_lists_search *search)
{
	kvfree(search->query);
	kvfree(search->scratch);
	kvfree(search->memory);
	kvfree(search);
}

static struct vexfs_lists_search *
vexfs_lists_search_new(struct vexfs_index *index,
		       struct vexfs_sketches *sketches, u32 effort,
		       u32 candidates)
{
	const struct vex_sketch *config = &sketches->config;
	struct vexfs_lists_search *search;
	size_t bytes;

	search = kvzalloc(sizeof(*search), GFP_KERNEL_ACCOUNT);
	if (!search)
		return ERR_PTR(-ENOMEM);
	spin_lock(&index->lock);
	search->lists = index->lists;
	spin_unlock(&index->lock);
	search->sketches = sketches;
	search->window = &index->window;
	search->rows = vex_lists_rows(&search->lists);
	search->effort = clamp(effort, 1U, VEX_LISTS_MAX);
	search->candidates = candidates;
	bytes = vex_lists_search_bytes(&search->lists, search->effort,
				       candidates);
	search->memory = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	search->query = kvmalloc(vex_sketch_query_bytes(config,
							VEX_SKETCH_QUERY_BITS),
				 GFP_KERNEL_ACCOUNT);
	search->scratch = kvmalloc(vex_sketch_scratch_bytes(config),
				   GFP_KERNEL_ACCOUNT);
	if (bytes && search->memory && search->query && search->scratch)
		return search;
	vexfs_lists_search_free(search);
	return ERR_PTR(bytes ? -ENOMEM : -ERANGE);
}

/* Measuring */

static int vexfs_lists_measure(struct vexfs_grower *grower, u64 row,
			       u32 effort, u64 *rows, u32 *count)
{
	struct vexfs_lists_search *search;
	struct vex_lists_result found;
	const void *data;
	int cookie, err;
	u32 i;

	err = vexfs_grower_row(grower, row, &data);
	if (err)
		return err;
	search = vexfs_lists_search_new(grower->index, grower->sketches, effort,
					VEXFS_LISTS_MORE);
	if (IS_ERR(search))
		return PTR_ERR(search);
	search->build = grower->build;
	cookie = vexfs_window_begin(search->window, &search->fork);
	err = vexfs_lists_find(search, grower->sketches->config.type, data,
			       &found);
	*count = err ? 0 : found.count;
	for (i = 0; i < *count; i++)
		rows[i] = found.hits[i].row;
	vexfs_window_end(cookie);
	vexfs_lists_search_free(search);
	return err == -ERANGE ? 0 : err;
}

int vexfs_lists_finish(struct vexfs_grower *grower)
{
	struct vexfs_index *index = grower->index;
	u32 number = index->lists.lists, i;

	/* Codes of another encoding than the lists' cannot be searched with. */
	if (grower->stride && vexfs_lists_fit(index, grower->sketches))
		return vexfs_measure(grower, vexfs_lists_measure, 1, number);
	for (i = 0; i < VEX_INDEX_TARGETS; i++)
		index->targets[i] = DIV_ROUND_UP(number, 1U << (3 - i));
	return 0;
}

/* The calls' side */

static int vexfs_lists_query(struct vexfs_lists_search *search,
			     struct vexfs_pass *pass, u32 q)
{
	struct vex_lists_result found;
	int ret;

	ret = vexfs_lists_find(search, pass->shape.query_type,
			       vex_search_query(pass->search, q), &found);
	if (ret)
		return ret;
	pass->counts.codes_compared += found.scored;
	pass->counts.rows_scanned += found.scored;
	/* The lists that are near hold little of what is wanted. */
	if (found.lacking || (found.count < pass->k &&
			      found.lists < search->lists.lists))
		return -ERANGE;
	return vexfs_index_decide(pass, q, &found.hits[0].row,
				  sizeof(found.hits[0]), found.count);
}

static int vexfs_lists_pass(struct vexfs_lists_search *search,
			    struct vexfs_pass *pass)
{
	int err = 0;
	u32 q;

	for (q = 0; q < pass->query_count && !err; q++) {
		err = vexfs_lists_query(search, pass, q);
		if (err == -ERANGE) {
			pass->queries[q].given_up = true;
			err = 0;
		}
	}
	return err;
}

/* May many of the rows in lists not be found? */
static bool vexfs_lists_sparse(const struct vexfs_pass *pass)
{
	const struct vexfs_vector *vector =
		&VEXFS_I(pass->matrix.inode)->vector;

	return pass->filter || READ_ONCE(vector->deleted) >
			       pass->snapshot.rows / VEXFS_LISTS_DELETED;
}

static int vexfs_lists_run(struct vexfs_pass *pass, struct vexfs_index *index,
			   struct vexfs_sketches *sketches, u64 *rows)
{
	u32 effort = vexfs_index_effort(index, pass);
	struct vexfs_lists_search *search;
	bool sparse = vexfs_lists_sparse(pass);
	int cookie, codes, err;

	/* Codes of another encoding say nothing. */
	if (index->type != VEXFS_INDEX_IVF || !vexfs_index_suits(pass) ||
	    !vexfs_lists_fit(index, sketches))
		return -ERANGE;
	search = vexfs_lists_search_new(index, sketches, sparse ?
					VEXFS_LISTS_FILTERED * effort : effort,
					VEXFS_LISTS_SHARE * pass->k +
					VEXFS_LISTS_MORE);
	if (IS_ERR(search))
		return PTR_ERR(search);
	*rows = search->rows;
	search->filter = pass->filter;
	search->tombstones = pass->tombstones.fork ? &pass->tombstones : NULL;
	if (sparse && (search->filter || search->tombstones))
		search->enough = effort;
	search->rows = min(search->rows, pass->end_row);
	cookie = vexfs_window_begin(search->window, &search->fork);
	codes = vexfs_window_begin(&sketches->window, &search->codes);
	search->fork.missed = &pass->counts.pages_missed;
	search->codes.missed = &pass->counts.pages_missed;
	err = vexfs_lists_pass(search, pass);
	vexfs_window_end(codes);
	vexfs_window_end(cookie);
	vexfs_lists_search_free(search);
	return err;
}

static int vexfs_lists_knn(struct vexfs_pass *pass)
{
	struct inode *inode = pass->matrix.inode;
	struct vexfs_index *index =
		vexfs_index_get(inode, pass->snapshot.generation);
	struct vexfs_sketches *sketches =
		vexfs_sketches_get(inode, pass->snapshot.generation);
	int err = -ERANGE;
	u64 rows = 0;

	if (index && sketches)
		err = vexfs_lists_run(pass, index, sketches, &rows);
	err = vexfs_index_rest(pass, rows, err);
	vexfs_sketches_put(sketches);
	vexfs_index_put(index);
	return err;
}

const struct vexfs_index_ops vexfs_lists_index = {
	.kind = VEXFS_INDEX_IVF,
	.knn = vexfs_lists_knn,
};
