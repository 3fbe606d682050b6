// SPDX-License-Identifier: GPL-2.0-only
/*
 * Indexes as their forks hold them: loading and saving, and what searches by
 * any kind of index have in common.
 *
 * Nothing that an index holds can make an answer wrong: candidates are looked
 * at themselves, and where the index cannot be used the rows are scanned.
 */
#include "build.h"

/* Loading and saving */

static void vexfs_index_free(void *private)
{
	struct vexfs_index *index = private;

	vexfs_window_exit(&index->window);
	kfree(index);
}

/* A page is not as it was written. */
static void vexfs_index_damaged(struct vexfs_window *window, u64 page)
{
	struct vexfs_index *index = container_of(window, struct vexfs_index,
						 window);
	struct inode *fork = index->derived->fork;

	WRITE_ONCE(index->damaged, true);
	vexfs_msg(fork->i_sb, KERN_WARNING,
		  "inode %llu: page %llu of the index (inode %llu) is damaged: searches go without it, build it anew",
		  (u64)VEXFS_I(fork)->fork_base->i_ino, page,
		  (u64)fork->i_ino);
}

static int vexfs_index_parse(struct vexfs_index *index,
			     const struct vexfs_disk_derived *header)
{
	const struct vexfs_disk_index_state *disk =
		(const struct vexfs_disk_index_state *)header->dv_parameters;
	struct vexfs_vector *vector =
		&VEXFS_I(VEXFS_I(index->derived->fork)->fork_base)->vector;
	const struct vexfs_disk_schema *schema = &vector->schema;
	u64 rows = READ_ONCE(vector->rows);
	u32 i;

	/* Rows that will never come must not be waited for. */
	if (vex_index_check(header) || le64_to_cpu(header->dv_rows) > rows ||
	    le64_to_cpu(disk->ix_target) > rows)
		return -EUCLEAN;
	index->type = le32_to_cpu(header->dv_kind) == VEXFS_DERIVED_GRAPH ?
		      VEXFS_INDEX_HNSW : VEXFS_INDEX_IVF;
	index->effort = le32_to_cpu(disk->ix_effort);
	index->target = le64_to_cpu(disk->ix_target);
	index->rows = le64_to_cpu(header->dv_rows);
	index->saved = index->rows;
	for (i = 0; i < VEX_INDEX_TARGETS; i++)
		index->targets[i] = le32_to_cpu(disk->ix_targets[i]);
	index->build_ns = le64_to_cpu(disk->ix_build_ns);
	index->created = le64_to_cpu(disk->ix_created);
	index->sketches = le64_to_cpu(disk->ix_sketches);
	index->outliers = le32_to_cpu(disk->ix_outliers);
	for (i = 0; i < index->outliers; i++)
		index->outlier[i] = le64_to_cpu(disk->ix_outlier[i]);
	if (index->type == VEXFS_INDEX_HNSW)
		return vex_graph_load(&index->graph, &disk->ix_graph,
				      index->rows);
	index->lists_wanted = le32_to_cpu(disk->ix_lists_wanted);
	return index->rows ?
	       vex_lists_load(&index->lists, &disk->ix_lists,
			      le32_to_cpu(schema->s_dim),
			      le32_to_cpu(disk->ix_record_bytes), index->rows,
			      0, le64_to_cpu(header->dv_regions[0].rg_pages)) :
	       0;
}

u64 vexfs_index_pages(const struct vexfs_index *index)
{
	return index->type == VEXFS_INDEX_HNSW ? vex_graph_pages(index->rows) :
						 index->lists.end;
}

static struct vexfs_index *vexfs_index_read(struct vexfs_derived *derived)
{
	struct vexfs_index *index = kzalloc(sizeof(*index), GFP_KERNEL);
	int err;

	if (!index)
		return ERR_PTR(-ENOMEM);
	index->derived = derived;
	spin_lock_init(&index->lock);
	mutex_lock(&derived->write_lock);
	err = vexfs_index_parse(index, &derived->header);
	mutex_unlock(&derived->write_lock);
	if (!err)
		err = vexfs_window_init(&index->window, derived,
					VEX_DERIVED_SLOTS,
					VEX_RECORD_BYTES_MAX,
					vexfs_index_pages(index));
	if (err) {
		kfree(index);
		return ERR_PTR(err);
	}
	index->window.damaged = vexfs_index_damaged;
	return index;
}

struct vexfs_index *vexfs_index_load(struct vexfs_derived *derived)
{
	struct vexfs_index *index = vexfs_derived_private(derived), *bound;

	if (index)
		return index;
	index = vexfs_index_read(derived);
	if (IS_ERR(index))
		return index;
	bound = vexfs_derived_bind(derived, index, vexfs_index_free);
	if (bound != index)
		vexfs_index_free(index);
	return bound;
}

void vexfs_index_header(const struct vexfs_index *index,
			struct vexfs_disk_derived *header)
{
	u64 pages = vexfs_index_pages(index);
	struct vexfs_disk_index_state *disk =
		(struct vexfs_disk_index_state *)header->dv_parameters;
	u32 i;

	memset(header, 0, sizeof(*header));
	header->dv_kind = cpu_to_le32(index->type == VEXFS_INDEX_HNSW ?
				      VEXFS_DERIVED_GRAPH :
				      VEXFS_DERIVED_LISTS);
	header->dv_parameter_bytes = cpu_to_le32(sizeof(*disk));
	header->dv_rows = cpu_to_le64(index->rows);
	if (pages) {
		header->dv_regions[0].rg_first = cpu_to_le64(VEX_DERIVED_SLOTS);
		header->dv_regions[0].rg_pages = cpu_to_le64(pages);
	}
	disk->ix_effort = cpu_to_le32(index->effort);
	for (i = 0; i < VEX_INDEX_TARGETS; i++)
		disk->ix_targets[i] = cpu_to_le32(index->targets[i]);
	disk->ix_target = cpu_to_le64(index->target);
	disk->ix_build_ns = cpu_to_le64(index->build_ns);
	disk->ix_created = cpu_to_le64(index->created);
	disk->ix_sketches = cpu_to_le64(index->sketches);
	disk->ix_outliers = cpu_to_le32(index->outliers);
	for (i = 0; i < index->outliers; i++)
		disk->ix_outlier[i] = cpu_to_le64(index->outlier[i]);
	disk->ix_lists_wanted = cpu_to_le32(index->lists_wanted);
	disk->ix_record_bytes = cpu_to_le32(index->lists.record_bytes);
	if (index->type == VEXFS_INDEX_HNSW)
		vex_graph_save(&index->graph, &disk->ix_graph);
	else if (index->lists.runs)
		vex_lists_save(&index->lists, &disk->ix_lists);
}

int vexfs_index_save(struct vexfs_index *index)
{
	struct vexfs_disk_derived *header;
	struct inode *base = VEXFS_I(index->derived->fork)->fork_base;
	int err;

	header = kmalloc(sizeof(*header), GFP_KERNEL);
	if (!header)
		return -ENOMEM;
	/* What it covers has to be there after a crash. */
	err = vexfs_vector_publish(base);
	if (!err) {
		vexfs_index_header(index, header);
		err = vexfs_derived_checkpoint(index->derived, &index->window,
					       header);
	}
	if (!err)
		index->saved = index->rows;
	kfree(header);
	return err;
}

/* Serving */

struct vexfs_index *vexfs_index_get(struct inode *base, u64 generation)
{
	struct vexfs_derived *derived;
	struct vexfs_index *index;

	if (!READ_ONCE(VEXFS_I(base)->forks[VEXFS_FORK_INDEX]))
		return NULL;
	derived = vexfs_derived_get(base, VEXFS_FORK_INDEX);
	if (IS_ERR_OR_NULL(derived))
		return NULL;
	index = vexfs_index_load(derived);
	if (!IS_ERR(index) && derived->generation == generation &&
	    !READ_ONCE(index->damaged))
		return index;
	vexfs_derived_put(derived);
	return NULL;
}

void vexfs_index_warm(struct inode *base)
{
	struct vexfs_snapshot snapshot;
	struct vexfs_index *index;

	vexfs_snapshot_take(base, &snapshot);
	index = vexfs_index_get(base, snapshot.generation);
	if (index)
		vexfs_window_ahead(&index->window, 0, U32_MAX);
	vexfs_index_put(index);
}

void vexfs_index_put(struct vexfs_index *index)
{
	if (index)
		vexfs_derived_put(index->derived);
}

bool vexfs_index_suits(const struct vexfs_pass *pass)
{
	u32 share;

	return !pass->filter ||
	       (!vexfs_filter_share(pass->filter, pass->first_row,
				    pass->end_row, &share) &&
		share >= VEXFS_INDEX_SHARE_MIN);
}

u32 vexfs_index_effort(const struct vexfs_index *index,
		       const struct vexfs_pass *pass)
{
	u32 target = pass->target_recall, effort = pass->effort;

	if (!effort) {
		effort = index->targets[target <= 9000 ? 0 :
					target <= 9500 ? 1 : 2];
		if (target > 9900)
			effort *= target > 9980 ? 4 : 2;
		/* They were measured with 10 results. */
		if (pass->k > 10)
			effort += index->type == VEXFS_INDEX_HNSW ?
				  (pass->k - 10) * 3 / 2 :
				  effort * min(pass->k - 10, 1000U) / 200;
	}
	if (index->type == VEXFS_INDEX_IVF)
		return clamp(effort, 1U, VEX_LISTS_MAX);
	return clamp(max(effort, pass->k), VEX_GRAPH_EFFORT_MIN,
		     VEX_GRAPH_EFFORT_MAX);
}

int vexfs_index_look(struct vexfs_pass *pass, u32 q, u64 row)
{
	struct vexfs_pass_query *query = &pass->queries[q];
	s64 limit = vex_topk_limit(&query->top);
	struct vex_interval interval;
	const void *data;
	int ret;

	ret = vexfs_pass_row(pass, row, false, &data);
	if (ret)
		return ret;
	vex_distance_near(pass->search, q, data, limit, &interval);
	pass->counts.exact_distances++;
	if (interval.lo > limit)
		return 0;
	ret = vexfs_pass_live(pass, row);
	if (ret > 0)
		ret = vexfs_pass_offer(query, row, &interval);
	/* A row that is not there says nothing of those behind it. */
	return ret < 0 ? ret : 1;
}

int vexfs_index_decide(struct vexfs_pass *pass, u32 q, const u64 *row,
		       size_t stride, u32 count)
{
	u32 patience = max(VEXFS_INDEX_PATIENCE, pass->k), vain = 0, i;
	u32 hinted = 0, fetched = 0;
	int ret;

	stride /= sizeof(*row);
	for (i = 0; i < count && vain < patience; i++) {
		for (; hinted < min(count, i + VEXFS_HINT_AHEAD); hinted++)
			vexfs_pass_hint(pass, row[hinted * stride]);
		for (; fetched < min(count, i + VEXFS_FETCH_AHEAD); fetched++)
			vexfs_pass_fetch(pass, row[fetched * stride]);
		ret = vexfs_index_look(pass, q, row[i * stride]);
		if (ret < 0)
			return ret;
		vain = ret ? 0 : vain + 1;
	}
	return 0;
}

/* Bring the queries that are given up before the others. Returns how many. */
static u32 vexfs_index_given_up(struct vexfs_pass *pass)
{
	struct vexfs_pass_query *queries = pass->queries;
	u32 q, lost = 0;

	for (q = 0; q < pass->query_count; q++) {
		if (!queries[q].given_up)
			continue;
		/* Nothing is lost: what was found is found again. */
		queries[q].top.count = 0;
		if (q != lost) {
			swap(queries[q], queries[lost]);
			queries[q].top.context = &queries[q];
			queries[lost].top.context = &queries[lost];
		}
		lost++;
	}
	return lost;
}

/* Scan the rows from @row on for some of the queries. */
static int vexfs_index_scan(struct vexfs_pass *pass, u32 first, u32 count,
			    u64 row)
{
	struct vexfs_pass_query *queries = pass->queries;
	u32 all = pass->query_count;
	u64 first_row = pass->first_row;
	int err;

	if (!count || row >= pass->end_row)
		return 0;
	pass->queries = queries + first;
	pass->query_count = count;
	pass->first_row = row;
	err = vexfs_scan_index.knn(pass);
	pass->queries = queries;
	pass->query_count = all;
	pass->first_row = first_row;
	return err;
}

int vexfs_index_rest(struct vexfs_pass *pass, u64 rows, int err)
{
	u32 q, lost;

	switch (err) {
	case 0:
		break;
	case -EBADMSG:
	case -EUCLEAN:
	case -EIO:
	case -ERANGE:
	case -ESTALE:
		for (q = 0; q < pass->query_count; q++)
			pass->queries[q].given_up = true;
		break;
	default:
		return err;
	}
	pass->effort = 0;
	lost = vexfs_index_given_up(pass);
	pass->scanned = lost;
	err = vexfs_index_scan(pass, 0, lost, pass->first_row);
	return err ? err :
		     vexfs_index_scan(pass, lost, pass->query_count - lost,
				      rows);
}

/* Does an index of this file answer such a search? */
const struct vexfs_index_ops *
vexfs_index_choose(struct inode *base, const struct vexfs_snapshot *snapshot,
		   const struct vexfs_knn_search *knn)
{
	bool whole = !knn->first_row && !knn->row_count, right;
	const struct vexfs_index_ops *ops;
	struct vexfs_index *index;
	u64 rows;

	if (knn->index == VEXFS_INDEX_SCAN)
		return &vexfs_scan_index;
	if (knn->metric && knn->metric != snapshot->schema.s_metric)
		return &vexfs_scan_index;
	index = vexfs_index_get(base, snapshot->generation);
	if (!index)
		return knn->index == VEXFS_INDEX_AUTO ? &vexfs_scan_index :
							ERR_PTR(-ENOENT);
	right = index->type == knn->index;
	ops = index->type == VEXFS_INDEX_HNSW ? &vexfs_graph_index :
						&vexfs_lists_index;
	/* Whoever sees the number sees what it counts. */
	rows = smp_load_acquire(&index->rows);
	vexfs_index_put(index);
	if (knn->index != VEXFS_INDEX_AUTO)
		return !right ? ERR_PTR(-ENOENT) :
		       whole && knn->k <= VEX_GRAPH_EFFORT_MAX ?
		       ops : &vexfs_scan_index;
	/* A scan is as quick where there are few rows, or many results. */
	return whole && rows >= VEXFS_INDEX_ROWS_MIN &&
	       rows >= snapshot->rows / 2 && knn->k <= VEXFS_INDEX_RESULTS_MAX ?
	       ops : &vexfs_scan_index;
}
