// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Inserts rows: finds candidates by codes, orders them by fine distances, and
 * links those that the heuristic for diversity keeps (HNSW, algorithm 4). The
 * only writer of lists.
 */
#include "graph_fine.h"
#include "graph_walk.h"

/* Fine rows that are fetched ahead. */
#define AHEAD 4u

/* A list and the row that is to be linked into it. */
#define NEIGHBOURS_MAX (VEX_GRAPH_LINKS_BASE + 1)

/* Of a list's links, one in so many may go to rows equal to its own. */
#define TWINS_SHARE 4u

/* What several builders lock to write the entry point. */
#define ENTRY_STRIPE 0u
#define STRIPES 65536u

/**
 * struct vex_graph_builder - the memory of a builder
 * @effort: candidates of a search
 * @cache: fine rows
 * @walker: for the searches
 * @self: the row that is inserted
 * @other: the row whose list is pruned
 * @kept: rows that the heuristic has kept
 */
struct vex_graph_builder {
	u32 effort;
	struct vex_fine_cache cache;
	struct vex_graph_walker *walker;
	struct vex_fine_row self;
	struct vex_fine_row other;
	struct vex_fine_row kept[VEX_GRAPH_LINKS_BASE];
};

/* A row that is being inserted. */
struct insertion {
	struct vex_graph_builder *b;
	struct vex_graph *graph;
	const struct vex_graph_source *source;
	struct vex_graph_query query;
	u64 row;
};

static u32 stride_of(u32 dim)
{
	return (dim + 15) & ~15u;
}

static size_t align64(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t vex_graph_fine_bytes(u32 dim)
{
	return stride_of(dim) + sizeof(struct vex_fine_tag);
}

/* Way-points of the builder's walks: deleted rows are in the way. */
static size_t build_walker_bytes(u32 effort)
{
	return align64(vex_graph_walker_bytes(effort, effort));
}

size_t vex_graph_builder_bytes(const struct vex_graph_build *build)
{
	const size_t rows = VEX_GRAPH_LINKS_BASE + 2;

	if (!build->dim || build->dim > 65535 ||
	    build->effort < VEX_GRAPH_EFFORT_MIN ||
	    build->effort > VEX_GRAPH_EFFORT_MAX ||
	    build->cache_bytes <
	    VEX_GRAPH_CACHE_ROWS * vex_graph_fine_bytes(build->dim))
		return 0;
	return align64(sizeof(struct vex_graph_builder)) +
	       build_walker_bytes(build->effort) +
	       rows * 2 * stride_of(build->dim);
}

struct vex_graph_builder *
vex_graph_builder_init(void *memory, void *cache,
		       const struct vex_graph_build *build)
{
	struct vex_graph_builder *b = memory;
	const u32 words = stride_of(build->dim) / 4;
	char *at = memory;
	u64 *lanes;
	u32 i;

	memset(b, 0, sizeof(*b));
	at += align64(sizeof(*b));
	b->walker = vex_graph_walker_init(at, build->effort, build->effort);
	lanes = (u64 *)(at + build_walker_bytes(build->effort));
	b->self.lanes = lanes;
	b->other.lanes = lanes + words;
	for (i = 0; i < VEX_GRAPH_LINKS_BASE; i++)
		b->kept[i].lanes = lanes + (i + 2) * words;
	b->effort = build->effort;
	b->cache.dim = build->dim;
	b->cache.stride = stride_of(build->dim);
	b->cache.inner_product = build->inner_product;
	b->cache.places = build->cache_bytes / vex_graph_fine_bytes(build->dim);
	b->cache.elements = cache;
	b->cache.tags = (struct vex_fine_tag *)
			(b->cache.elements + b->cache.places * b->cache.stride);
	return b;
}

static int spread(struct vex_graph_builder *b, u64 row,
		  struct vex_fine_row *out)
{
	u64 weight;
	int err;
	const u64 *elements = vex_fine_get(&b->cache, row, &weight, &err);

	if (!elements)
		return err;
	vex_fine_spread(&b->cache, elements, weight, out);
	out->twin = vex_fine_distance(&b->cache, out, elements, weight);
	return 0;
}

/* Insertion sort: the candidates come nearly in order. */
static void sort_hits(struct vex_graph_hit *hits, u32 count)
{
	u32 i, j;

	for (i = 1; i < count; i++) {
		struct vex_graph_hit hit = hits[i];

		for (j = i; j && hits[j - 1].score > hit.score; j--)
			hits[j] = hits[j - 1];
		hits[j] = hit;
	}
}

/* Replace the scores of rows by fine distances to another, and sort. */
static int rank(struct vex_graph_builder *b, const struct vex_fine_row *to,
		struct vex_graph_hit *hits, u32 count)
{
	u32 i;
	int err;

	for (i = 0; i < count; i++) {
		const u64 *elements;
		u64 weight;

		if (i + AHEAD < count)
			vex_fine_prefetch(&b->cache, hits[i + AHEAD].row);
		elements = vex_fine_get(&b->cache, hits[i].row, &weight, &err);
		if (!elements)
			return err;
		hits[i].score = vex_fine_distance(&b->cache, to, elements,
						  weight);
	}
	sort_hits(hits, count);
	return 0;
}

/*
 * Keep up to @most candidates, nearest first, each of which is nearer to the
 * row that they are for than to any that is kept. They move to the front. Rows
 * that are equal to that row are nearer than to none: few of them are enough,
 * or a thousand equal rows would have links to each other only.
 */
static int diversify(struct vex_graph_builder *b, const struct vex_fine_row *to,
		     struct vex_graph_hit *hits, u32 count, u32 most, u32 *kept)
{
	u32 i, j, n = 0;
	int err;

	for (i = 0; i < count && n < most; i++) {
		u64 weight;
		const u64 *elements = vex_fine_get(&b->cache, hits[i].row,
						   &weight, &err);

		if (!elements)
			return err;
		if (hits[i].score == to->twin && n >= most / TWINS_SHARE)
			continue;
		for (j = 0; j < n; j++)
			if (vex_fine_distance(&b->cache, &b->kept[j], elements,
					      weight) < hits[i].score)
				break;
		if (j < n)
			continue;
		vex_fine_spread(&b->cache, elements, weight, &b->kept[n]);
		hits[n++] = hits[i];
	}
	*kept = n;
	return 0;
}

static void lock_row(const struct vex_graph_source *source, u64 row)
{
	if (source->lock)
		source->lock(source->context, (u32)row % STRIPES);
}

static void unlock_row(const struct vex_graph_source *source, u64 row)
{
	if (source->unlock)
		source->unlock(source->context, (u32)row % STRIPES);
}

static void mark_dirty(const struct vex_graph_source *source, u64 row,
		       u32 level)
{
	u32 offset;

	if (source->dirty)
		source->dirty(source->context,
			      vex_graph_place(row, level, &offset));
}

/* Write a whole list, nearest first, and zeros behind it. */
static void write_list(__le32 *list, u32 level, const struct vex_graph_hit *hits,
		       u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		WRITE_ONCE(list[i], cpu_to_le32((u32)hits[i].row + 1));
	for (; i < vex_graph_links(level); i++)
		WRITE_ONCE(list[i], 0);
}

/* The links of a list that may be followed. Returns whether @row is there. */
static bool read_list(const struct insertion *in, const __le32 *list,
		      u32 level, struct vex_graph_hit *hits, u32 *count)
{
	u32 i, n = 0;

	for (i = 0; i < vex_graph_links(level); i++) {
		u64 link = le32_to_cpu(list[i]);

		if (!link)
			break;
		if (link - 1 == in->row)
			return true;
		if (link <= in->source->rows)
			hits[n++].row = link - 1;
	}
	*count = n;
	return false;
}

/* Link the new row into the list of a node; its lock is held. */
static int link_back_locked(struct insertion *in, u64 node, u32 level)
{
	struct vex_graph_hit hits[NEIGHBOURS_MAX];
	struct vex_graph_builder *b = in->b;
	u32 count;
	int ret = 0;
	__le32 *list = vex_graph_list(in->source->nodes, node, level, &ret);

	if (!list)
		return ret;
	if (read_list(in, list, level, hits, &count))
		return 0;
	hits[count++].row = in->row;
	if (count > vex_graph_links(level)) {
		ret = spread(b, node, &b->other);
		if (!ret)
			ret = rank(b, &b->other, hits, count);
		if (!ret)
			ret = diversify(b, &b->other, hits, count,
					vex_graph_links(level), &count);
		if (ret)
			return ret;
	}
	write_list(list, level, hits, count);
	mark_dirty(in->source, node, level);
	return 0;
}

/* Give the new row its list, then link it into its neighbours'. */
static int link_level(struct insertion *in, u32 level,
		      const struct vex_graph_hit *hits, u32 count)
{
	u32 i;
	int ret = 0;
	__le32 *list = vex_graph_list(in->source->nodes, in->row, level, &ret);

	if (!list)
		return ret;
	lock_row(in->source, in->row);
	write_list(list, level, hits, count);
	mark_dirty(in->source, in->row, level);
	unlock_row(in->source, in->row);
	smp_wmb();	/* whoever comes by a link to the row finds its list */
	for (i = 0; i < count && !ret; i++) {
		lock_row(in->source, hits[i].row);
		ret = link_back_locked(in, hits[i].row, level);
		unlock_row(in->source, hits[i].row);
	}
	return ret;
}

/*
 * The candidates of the search, in the pool: live ones, or all if there are
 * hardly any, so that the row is reached through deleted ones.
 */
static u32 take_candidates(struct insertion *in)
{
	struct vex_graph_walker *w = in->b->walker;
	bool all = w->live < VEX_GRAPH_LINKS_UPPER;
	u32 i, n = 0;

	for (i = 0; i < w->count; i++) {
		u64 row = w->pool[i].row;

		if (((row & VEX_HIT_WAYPOINT) && !all) ||
		    (row & VEX_HIT_ROW) == in->row)
			continue;
		w->pool[n++].row = row & VEX_HIT_ROW;
	}
	return n;
}

static int insert_level(struct insertion *in, u32 level, u64 *from)
{
	struct vex_graph_builder *b = in->b;
	struct vex_graph_walker *w = b->walker;
	u32 count;
	int ret;

	vex_graph_begin(w, &in->query, 0);
	ret = vex_graph_search(w, &in->query, level, *from);
	if (ret)
		return ret;
	count = take_candidates(in);
	ret = rank(b, &b->self, w->pool, count);
	if (ret)
		return ret;
	if (count)
		*from = w->pool[0].row;
	ret = diversify(b, &b->self, w->pool, count, VEX_GRAPH_LINKS_UPPER,
			&count);
	if (ret)
		return ret;
	return link_level(in, level, w->pool, count);
}

/* Empty the lists of a row at the levels that nothing links to yet. */
static int clear_levels(struct insertion *in, u32 from, u32 to)
{
	int ret = 0;

	for (; from <= to; from++) {
		__le32 *list = vex_graph_list(in->source->nodes, in->row, from,
					      &ret);

		if (!list)
			return ret;
		write_list(list, from, NULL, 0);
		mark_dirty(in->source, in->row, from);
	}
	return 0;
}

/* Make the row the entry point if there is none. Returns whether it is now. */
static bool become_first(struct insertion *in)
{
	struct vex_graph *graph = in->graph;
	bool first;

	smp_wmb();	/* as in link_level() */
	lock_row(in->source, ENTRY_STRIPE);
	first = !graph->entry;
	if (first)
		WRITE_ONCE(graph->entry, in->row + 1);
	unlock_row(in->source, ENTRY_STRIPE);
	return first;
}

/* Make the row, which is linked, the entry point if its level is new. */
static void raise_entry(struct insertion *in, u32 level)
{
	struct vex_graph *graph = in->graph;

	if (vex_graph_level(graph, READ_ONCE(graph->entry) - 1) >= level)
		return;
	smp_wmb();	/* as in link_level() */
	lock_row(in->source, ENTRY_STRIPE);
	if (vex_graph_level(graph, graph->entry - 1) < level)
		WRITE_ONCE(graph->entry, in->row + 1);
	unlock_row(in->source, ENTRY_STRIPE);
}

/* Search and link, level after level from the highest that is there. */
static int insert_levels(struct insertion *in, u32 level)
{
	const u64 entry = READ_ONCE(in->graph->entry);
	struct vex_graph_hit start;
	u32 top;
	int ret;

	if (entry > in->source->rows)
		return -EINVAL;
	top = min(vex_graph_level(in->graph, entry - 1), level);
	ret = clear_levels(in, top + 1, level);
	vex_graph_begin(in->b->walker, &in->query, 0);
	if (!ret)
		ret = vex_graph_descend(in->b->walker, in->graph, &in->query,
					top, &start);
	while (!ret) {
		ret = insert_level(in, top, &start.row);
		if (!top--)
			break;
	}
	return ret;
}

int vex_graph_insert(struct vex_graph_builder *b, struct vex_graph *graph,
		     const struct vex_graph_source *source, u64 row)
{
	struct insertion in = {
		.b = b, .graph = graph, .source = source, .row = row,
		.query = {
			.nodes = source->nodes, .codes = source->codes,
			.ahead = source->ahead, .score = source->score,
			.rows = source->rows,
			.effort = b->effort, .stop = source->stop,
			.context = source->context,
		},
	};
	const u32 level = vex_graph_level(graph, row);
	int ret;

	if (row >= source->rows || source->rows > VEX_GRAPH_ROWS_MAX)
		return -EINVAL;
	if (!READ_ONCE(graph->entry)) {
		ret = clear_levels(&in, 0, level);
		if (ret || become_first(&in))
			return ret;
	}
	b->cache.read = source->fine;
	b->cache.context = source->context;
	ret = source->query(source->context, row, &in.query.query);
	if (!ret)
		ret = spread(b, row, &b->self);
	if (!ret)
		ret = insert_levels(&in, level);
	if (!ret)
		raise_entry(&in, level);
	return ret;
}
