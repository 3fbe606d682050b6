// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches: what is common to all of them. Which rows are looked at is the
 * business of an index (index.h); this file checks what the caller wants,
 * lays the memory out, sees that the rows were not renumbered meanwhile, and
 * gives the answers.
 *
 * A search takes no lock that a writer holds for longer than a look-up in a
 * tree: it sees the rows that there were when it began.
 */
#include <linux/ktime.h>
#include "build.h"

/* Bounds of what queries that share a pass may take. */
#define VEXFS_PASS_BYTES	(384U << 10)	/* of prepared queries */
#define VEXFS_PASS_RESULTS	65536U		/* results of more than one */

/* The core's numbers are the interface's. */
static_assert((int)VEX_TYPE_F32 == VEXFS_ELEMENT_F32);
static_assert((int)VEX_TYPE_F16 == VEXFS_ELEMENT_F16);
static_assert((int)VEX_TYPE_I8 == VEXFS_ELEMENT_I8);
static_assert((int)VEX_TYPE_U8 == VEXFS_ELEMENT_U8);
static_assert((int)VEX_METRIC_L2 == VEXFS_METRIC_L2);
static_assert((int)VEX_METRIC_IP == VEXFS_METRIC_IP);
static_assert((int)VEX_METRIC_COSINE == VEXFS_METRIC_COSINE);
static_assert((int)VEX_METRIC_L1 == VEXFS_METRIC_L1);

/* Reading rows for exact decisions */

static int vexfs_exact_read(void *context, u64 row, u32 first, u32 count,
			    void *into)
{
	struct vexfs_pass *pass = context;
	u32 bytes = vex_element_bytes(pass->snapshot.schema.s_element);

	return vexfs_matrix_copy(&pass->exact_matrix,
				 row * pass->snapshot.row_bytes +
				 (u64)first * bytes, count * bytes, false, into);
}

static int vexfs_exact_compare(void *context, const struct vex_entry *a,
			       const struct vex_entry *b, int *result)
{
	struct vexfs_pass_query *query = context;
	struct vexfs_pass *pass = query->pass;

	pass->counts.exact_decisions++;
	return vex_exact_compare(pass->search, query->index, &pass->exact_rows,
				 a->row, b->row, result);
}

/* The key of an entry's distance, rounded for the caller. */
static int vexfs_distance_key(struct vexfs_pass *pass, u32 query,
			      const struct vex_entry *entry, s64 *key)
{
	u64 bits;
	int err;

	if (entry->nearest) {
		*key = entry->lo + entry->nearest - 1;
		return 0;
	}
	err = vex_exact_distance(pass->search, query, &pass->exact_rows,
				 entry->row, &bits);
	if (!err)
		*key = vex_key_from_double(bits);
	return err;
}

/* Setting a pass up */

static void vexfs_pass_free(struct vexfs_pass *pass)
{
	vexfs_matrix_exit(&pass->matrix);
	vexfs_matrix_exit(&pass->exact_matrix);
	vexfs_cursor_exit(&pass->tombstones);
	vexfs_cursor_exit(&pass->ids);
	kvfree(pass);
}

/* A pass and all that its queries take, in one piece. */
static struct vexfs_pass *vexfs_pass_memory(const struct vex_shape *shape,
					    u32 row_bytes, u32 k)
{
	size_t search = ALIGN(vex_search_bytes(shape), 64);
	size_t queries = shape->queries * sizeof(struct vexfs_pass_query);
	size_t entries = (size_t)shape->queries * k * sizeof(struct vex_entry);
	size_t head = ALIGN(sizeof(struct vexfs_pass) + queries, 64);
	struct vexfs_pass *pass;
	char *free;
	u32 q;

	if (!search)
		return ERR_PTR(-EINVAL);
	entries = ALIGN(entries, 64);
	pass = kvmalloc(head + search + entries + row_bytes + 64,
			GFP_KERNEL_ACCOUNT);
	if (!pass)
		return ERR_PTR(-ENOMEM);
	memset(pass, 0, sizeof(*pass) + queries);
	pass->queries = (struct vexfs_pass_query *)(pass + 1);
	for (q = 0; q < shape->queries; q++) {
		pass->queries[q].pass = pass;
		pass->queries[q].index = q;
	}
	free = PTR_ALIGN((char *)pass + head, 64);
	pass->search = vex_search_init(free, shape);
	pass->entries = (struct vex_entry *)(free + search);
	pass->bounce = free + search + entries;
	return pass;
}

/* A pass over the rows of a snapshot, for queries in user memory. */
static struct vexfs_pass *vexfs_pass_new(struct file *file,
					 const struct vexfs_snapshot *snapshot,
					 const struct vex_shape *shape, u32 k,
					 const void __user *queries)
{
	size_t bytes = (size_t)shape->dim * vex_type_bytes(shape->query_type);
	struct inode *inode = file_inode(file);
	struct vexfs_pass *pass;
	u32 q;
	int err, err2;

	pass = vexfs_pass_memory(shape, snapshot->row_bytes, k);
	if (IS_ERR(pass))
		return pass;
	pass->snapshot = *snapshot;
	pass->shape = *shape;
	pass->query_count = shape->queries;
	pass->k = k;
	pass->exact_rows.read = vexfs_exact_read;
	pass->exact_rows.context = pass;
	vexfs_matrix_init(&pass->matrix, file);
	vexfs_matrix_init(&pass->exact_matrix, file);
	err = vexfs_cursor_init(&pass->tombstones, inode,
				VEXFS_FORK_TOMBSTONES);
	err2 = vexfs_cursor_init(&pass->ids, inode, VEXFS_FORK_IDS);
	if (!err)
		err = err2;
	for (q = 0; q < shape->queries && !err; q++)
		if (copy_from_user(vex_search_query(pass->search, q),
				   queries + q * bytes, bytes))
			err = -EFAULT;
	if (!err)
		err = vex_search_prepare(pass->search, NULL);
	if (!err)
		return pass;
	vexfs_pass_free(pass);
	return ERR_PTR(err);
}

/* What both searches have in common: 0, or why not. */
static int vexfs_shape(const struct vexfs_snapshot *snapshot, u32 metric,
		       u32 query_element, struct vex_shape *shape)
{
	const struct vexfs_disk_schema *schema = &snapshot->schema;

	shape->type = schema->s_element;
	shape->query_type = query_element ? query_element : schema->s_element;
	shape->metric = metric ? metric : schema->s_metric;
	shape->dim = le32_to_cpu(schema->s_dim);
	shape->queries = 1;
	if (shape->metric > VEXFS_METRIC_L1 ||
	    (shape->query_type != shape->type &&
	     shape->query_type != VEXFS_ELEMENT_F32))
		return -EINVAL;
	return 0;
}

static void vexfs_search_account(struct inode *inode, struct vexfs_pass *pass,
				 int err)
{
	struct vexfs_vector_stats *stats = &VEXFS_I(inode)->vector.stats;
	struct vexfs_search_counts *counts = &pass->counts;

	counts->pages_missed += pass->matrix.pages_missed +
				pass->exact_matrix.pages_missed;
	atomic64_add(counts->rows_scanned, &stats->rows_scanned);
	atomic64_add(counts->exact_decisions, &stats->exact_decisions);
	atomic64_add(counts->codes_compared, &stats->codes_compared);
	atomic64_add(counts->exact_distances, &stats->exact_distances);
	atomic64_add(counts->pages_missed, &stats->pages_missed);
	if (err == -EINTR)
		atomic64_inc(&stats->interrupted);
}

/* Reading ahead brings what is wanted only if many of the rows are. */
static int vexfs_pass_density(struct vexfs_pass *pass)
{
	u32 share;
	int err;

	err = vexfs_filter_share(pass->filter, pass->first_row, pass->end_row,
				 &share);
	pass->sparse = share < VEXFS_SHARE_ALL / 16;
	return err;
}

/* k nearest neighbours */

/* Is the answer to equal brute force's? */
static bool vexfs_knn_exact(const struct vexfs_knn_search *knn)
{
	return (knn->flags & VEXFS_SEARCH_EXACT) ||
	       knn->target_recall == VEXFS_RECALL_ONE;
}

/* The answers of one pass, from heaps to user memory. */
static int vexfs_knn_answer(struct vexfs_pass *pass, struct inode *inode,
			    struct vexfs_result __user *results,
			    u32 __user *counts)
{
	u32 q, i;
	int err;

	for (q = 0; q < pass->query_count; q++) {
		struct vexfs_pass_query *query = &pass->queries[q];
		struct vex_topk *top = &query->top;
		/* A result is smaller than an entry: it takes its place. */
		struct vexfs_result *out = (struct vexfs_result *)top->entries;
		s64 key, last = S64_MIN;

		err = vex_topk_sort(top);
		if (err)
			return err;
		/* What is on disk may have an index name a row twice. */
		vex_topk_unique(top);
		for (i = 0; i < top->count; i++) {
			struct vex_entry entry = top->entries[i];

			out[i].id = entry.id;
			err = vexfs_distance_key(pass, query->index, &entry,
						 &key);
			if (err)
				return err;
			/* Rounded cosines may be out of order where exact ones are not. */
			last = max(last, key);
			out[i].distance = vex_double_from_key(last);
		}
	}
	if (!vexfs_snapshot_holds(inode, &pass->snapshot))
		return -ESTALE;
	for (q = 0; q < pass->query_count; q++) {
		u32 at = pass->queries[q].index;
		struct vex_topk *top = &pass->queries[q].top;

		if (copy_to_user(results + (size_t)at * pass->k, top->entries,
				 top->count * sizeof(*results)) ||
		    (counts && put_user(top->count, counts + at)))
			return -EFAULT;
	}
	return 0;
}

/* Queries @first and the @shape->queries - 1 after it, once. */
static int vexfs_knn_once(struct file *file, struct vexfs_knn_search *knn,
			  const struct vexfs_index_ops *index,
			  struct vexfs_filter *filter,
			  const struct vexfs_snapshot *snapshot,
			  const struct vex_shape *shape, u32 first)
{
	size_t bytes = (size_t)shape->dim * vex_type_bytes(shape->query_type);
	struct inode *inode = file_inode(file);
	struct vexfs_result __user *results = u64_to_user_ptr(knn->results);
	u32 __user *counts = u64_to_user_ptr(knn->counts);
	struct vexfs_pass *pass;
	u32 q;
	int err;

	pass = vexfs_pass_new(file, snapshot, shape, knn->k,
			      u64_to_user_ptr(knn->queries) + first * bytes);
	if (IS_ERR(pass))
		return PTR_ERR(pass);
	for (q = 0; q < shape->queries; q++)
		vex_topk_init(&pass->queries[q].top,
			      pass->entries + (size_t)q * knn->k, knn->k,
			      vexfs_exact_compare, &pass->queries[q]);
	pass->first_row = min(knn->first_row, snapshot->rows);
	pass->end_row = snapshot->rows;
	if (knn->row_count)
		pass->end_row = min(pass->end_row, pass->first_row +
				    min(knn->row_count, snapshot->rows));
	pass->filter = filter;
	pass->exact = vexfs_knn_exact(knn);
	pass->effort = knn->effort;
	pass->target_recall = knn->target_recall ? knn->target_recall :
						   VEXFS_RECALL_DEFAULT;
	err = vexfs_pass_density(pass);
	if (!err)
		err = index->knn(pass);
	if (!err)
		err = vexfs_knn_answer(pass, inode,
				       results + (size_t)first * knn->k,
				       counts ? counts + first : NULL);
	vexfs_search_account(inode, pass, err);
	if (!err) {
		knn->rows_scanned += pass->counts.rows_scanned;
		knn->exact_decisions += pass->counts.exact_decisions;
		knn->codes_compared += pass->counts.codes_compared;
		knn->exact_distances += pass->counts.exact_distances;
		knn->pages_missed += pass->counts.pages_missed;
		if (pass->scanned)
			knn->index_used = VEXFS_INDEX_SCAN;
	}
	vexfs_pass_free(pass);
	return err;
}

static int vexfs_knn_check(const struct vexfs_knn_search *knn)
{
	if ((knn->flags & ~VEXFS_SEARCH_EXACT) || !knn->k || knn->k > VEXFS_K_MAX ||
	    !knn->query_count || knn->query_count > VEXFS_QUERIES_MAX ||
	    !knn->queries || !knn->results ||
	    memchr_inv(knn->reserved, 0, sizeof(knn->reserved)))
		return -EINVAL;
	if (knn->index > VEXFS_INDEX_IVF || knn->reserved0 || knn->reserved1 ||
	    knn->target_recall > VEXFS_RECALL_ONE ||
	    (knn->effort && knn->target_recall) ||
	    ((knn->flags & VEXFS_SEARCH_EXACT) &&
	     (knn->effort || knn->target_recall)))
		return -EINVAL;
	if (knn->results_bytes !=
	    (u64)knn->query_count * knn->k * sizeof(struct vexfs_result))
		return -EINVAL;
	return 0;
}

/* The way to find the rows. */
static const struct vexfs_index_ops *
vexfs_knn_index(struct inode *inode, const struct vexfs_knn_search *knn,
		const struct vexfs_snapshot *snapshot)
{
	if (!vexfs_knn_exact(knn))
		return vexfs_index_choose(inode, snapshot, knn);
	return knn->index <= VEXFS_INDEX_SCAN ? &vexfs_scan_index :
						ERR_PTR(-EINVAL);
}

/* How many queries share a pass, so that memory stays bounded. */
static u32 vexfs_pass_queries(struct inode *inode, struct vex_shape shape,
			      u32 left, const struct vexfs_knn_search *knn)
{
	u32 k = knn->k, keep = max(knn->effort, k);
	bool codes = READ_ONCE(VEXFS_I(inode)->forks[VEXFS_FORK_SKETCHES]);

	shape.queries = min3(left, VEX_QUERIES_MAX,
			     max(VEXFS_PASS_RESULTS / k, 1U));
	if (knn->effort)
		shape.queries = min(shape.queries,
				    max(VEXFS_SCAN_ROWS / keep, 1U));
	if (vexfs_knn_exact(knn) && codes &&
	    shape.metric == VEXFS_I(inode)->vector.schema.s_metric)
		shape.queries = min(shape.queries, VEXFS_SCAN_SURE);
	while (shape.queries > 1 && vex_search_bytes(&shape) > VEXFS_PASS_BYTES)
		shape.queries = (shape.queries + 1) / 2;
	return shape.queries;
}

static int vexfs_knn_all(struct file *file, struct vexfs_knn_search *knn,
			 struct vexfs_filter *filter,
			 const struct vexfs_snapshot *snapshot)
{
	const struct vexfs_index_ops *index =
		vexfs_knn_index(file_inode(file), knn, snapshot);
	struct vex_shape shape;
	u32 first;
	int err;

	if (IS_ERR(index))
		return PTR_ERR(index);
	err = vexfs_shape(snapshot, knn->metric, knn->query_element, &shape);
	if (err)
		return err;
	if (knn->queries_bytes != (u64)knn->query_count * shape.dim *
				  vex_type_bytes(shape.query_type))
		return -EINVAL;
	knn->rows_scanned = 0;
	knn->exact_decisions = 0;
	knn->codes_compared = 0;
	knn->exact_distances = 0;
	knn->pages_missed = 0;
	knn->index_used = index->kind;
	knn->generation = snapshot->generation;
	for (first = 0; first < knn->query_count; first += shape.queries) {
		shape.queries = vexfs_pass_queries(file_inode(file), shape,
						   knn->query_count - first,
						   knn);
		err = vexfs_knn_once(file, knn, index, filter, snapshot,
				     &shape, first);
		if (err)
			return err;
	}
	return 0;
}

/* Is a search to be made again, as rows were renumbered or replaced under it? */
static bool vexfs_search_again(struct vexfs_view *view, int err)
{
	bool same = vexfs_view_end(view);

	if (err == -ESTALE)
		return view->tries == 1;
	return !err && !same && view->tries < VEXFS_VIEW_TRIES;
}

int vexfs_knn_search(struct file *file, struct vexfs_knn_search *knn)
{
	struct inode *inode = file_inode(file);
	struct vexfs_vector_stats *stats = &VEXFS_I(inode)->vector.stats;
	struct vexfs_filter_user user = {
		.program = knn->filter,
		.program_bytes = knn->filter_bytes,
		.ids = knn->filter_ids,
		.ids_count = knn->filter_ids_count,
	};
	struct vexfs_filter *filter;
	struct vexfs_snapshot snapshot;
	struct vexfs_view view = { .inode = inode };
	u64 begun = ktime_get_ns();
	int err;

	err = vexfs_knn_check(knn);
	if (err)
		return err;
	do {
		if (view.tries)
			atomic64_inc(&stats->restarted);
		vexfs_view_begin(&view);
		vexfs_snapshot_await(inode, &snapshot);
		filter = vexfs_filter_new(inode, &snapshot, &user);
		err = PTR_ERR_OR_ZERO(filter);
		if (!err)
			err = vexfs_knn_all(file, knn, filter, &snapshot);
		vexfs_filter_free(filter);
	} while (vexfs_search_again(&view, err));
	if (!err)
		atomic64_add(knn->query_count, &stats->knn_queries);
	atomic64_add(ktime_get_ns() - begun, &stats->search_ns);
	return err;
}

/* Range */

/**
 * struct vexfs_range_out - results of a range search on their way out
 * @pass: the pass
 * @results: where the next ones go
 * @left: room there
 * @given: results given
 * @next_row: where to go on if there is no more room
 * @count: results in @buffer
 * @buffer: results that are not copied yet
 */
struct vexfs_range_out {
	struct vexfs_pass *pass;
	struct vexfs_result __user *results;
	u64 left;
	u64 given;
	u64 next_row;
	u32 count;
	struct vexfs_result buffer[64];
};

static int vexfs_range_flush(struct vexfs_range_out *out)
{
	if (copy_to_user(out->results, out->buffer,
			 out->count * sizeof(*out->results)))
		return -EFAULT;
	out->results += out->count;
	out->given += out->count;
	out->count = 0;
	return 0;
}

/* Take one result. Returns 1 when there is no more room after it. */
static int vexfs_range_take(void *context, const struct vex_entry *entry)
{
	struct vexfs_range_out *out = context;
	struct vexfs_result *result = &out->buffer[out->count];
	s64 key;
	int err;

	result->id = entry->id;
	err = vexfs_distance_key(out->pass, 0, entry, &key);
	if (err)
		return err;
	/* A rounded cosine may be beyond where the exact one is not. */
	key = min(key, out->pass->radius);
	result->distance = vex_double_from_key(key);
	out->count++;
	out->left--;
	out->next_row = entry->row + 1;
	if (out->count == ARRAY_SIZE(out->buffer) || !out->left) {
		err = vexfs_range_flush(out);
		if (err)
			return err;
	}
	return !out->left;
}

static int vexfs_range_run(struct vexfs_range_search *range,
			   struct vexfs_pass *pass,
			   struct vexfs_range_out *out, struct inode *inode)
{
	int ret;

	ret = vexfs_pass_density(pass);
	if (!ret)
		ret = vexfs_scan_index.range(pass, vexfs_range_take, out);
	if (ret < 0)
		return ret;
	if (out->count && vexfs_range_flush(out))
		return -EFAULT;
	if (!vexfs_snapshot_holds(inode, &pass->snapshot))
		return -ESTALE;
	range->count = out->given;
	range->cursor = ret && out->next_row < pass->end_row ? out->next_row :
							       U64_MAX;
	range->generation = pass->snapshot.generation;
	return 0;
}

static int vexfs_range_once(struct file *file, struct vexfs_range_search *range,
			    struct vexfs_filter *filter,
			    const struct vexfs_snapshot *snapshot, s64 radius)
{
	struct inode *inode = file_inode(file);
	struct vexfs_range_out *out;
	struct vexfs_pass *pass;
	struct vex_shape shape;
	int err;

	err = vexfs_shape(snapshot, range->metric, range->query_element, &shape);
	if (err)
		return err;
	if (range->query_bytes !=
	    (u64)shape.dim * vex_type_bytes(shape.query_type))
		return -EINVAL;
	out = kzalloc(sizeof(*out), GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	pass = vexfs_pass_new(file, snapshot, &shape, 0,
			      u64_to_user_ptr(range->query));
	if (IS_ERR(pass)) {
		kfree(out);
		return PTR_ERR(pass);
	}
	pass->first_row = min(range->cursor, snapshot->rows);
	pass->end_row = snapshot->rows;
	pass->filter = filter;
	pass->exact = true;
	pass->radius = radius;
	out->pass = pass;
	out->results = u64_to_user_ptr(range->results);
	out->left = range->capacity;
	err = vexfs_range_run(range, pass, out, inode);
	vexfs_search_account(inode, pass, err);
	if (!err) {
		range->rows_scanned = pass->counts.rows_scanned;
		range->exact_decisions = pass->counts.exact_decisions;
		range->codes_compared = pass->counts.codes_compared;
		range->exact_distances = pass->counts.exact_distances;
		range->pages_missed = pass->counts.pages_missed;
	}
	vexfs_pass_free(pass);
	kfree(out);
	return err;
}

int vexfs_range_search(struct file *file, struct vexfs_range_search *range)
{
	struct inode *inode = file_inode(file);
	struct vexfs_vector_stats *stats = &VEXFS_I(inode)->vector.stats;
	struct vexfs_filter_user user = {
		.program = range->filter,
		.program_bytes = range->filter_bytes,
		.ids = range->filter_ids,
		.ids_count = range->filter_ids_count,
	};
	struct vexfs_filter *filter;
	struct vexfs_snapshot snapshot;
	struct vexfs_view view = { .inode = inode };
	u64 begun = ktime_get_ns(), cursor = range->cursor;
	s64 radius;
	int err;

	range->count = 0;
	if (range->flags || !range->query || !range->results ||
	    !range->capacity || range->capacity > VEXFS_BATCH_MAX ||
	    memchr_inv(range->reserved, 0, sizeof(range->reserved)) ||
	    vex_radius_key(range->radius, &radius))
		return -EINVAL;
	do {
		if (view.tries)
			atomic64_inc(&stats->restarted);
		vexfs_view_begin(&view);
		vexfs_snapshot_await(inode, &snapshot);
		if (cursor && range->generation != snapshot.generation) {
			vexfs_view_end(&view);
			return -ESTALE;
		}
		range->cursor = cursor;
		filter = vexfs_filter_new(inode, &snapshot, &user);
		err = PTR_ERR_OR_ZERO(filter);
		if (!err)
			err = vexfs_range_once(file, range, filter, &snapshot,
					       radius);
		vexfs_filter_free(filter);
	} while (vexfs_search_again(&view, err));
	if (!err)
		atomic64_inc(&stats->range_queries);
	atomic64_add(ktime_get_ns() - begun, &stats->search_ns);
	return err;
}
