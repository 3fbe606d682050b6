// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Where the nodes of a graph are, and walks through it. Reads lists that others
 * may be writing, or that are damaged; trusts none of their links.
 */
#include "graph_walk.h"

/* Steps of a walk between two looks at whether it is to stop. */
#define STOP_STEPS 16u

/* Slots of the visited set for each candidate: a walk scores 10 to 30. */
#define SLOTS_PER_HIT 64u
#define SLOTS_MIN 2048u
/* Slots for the way down the upper levels, which scores a hundred or two. */
#define SLOTS_DESCENT 512u

static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* Which of the members of a group is a node of the level. */
static u32 chosen(u64 seed, u32 level, u64 group, u32 members)
{
	u64 hash = mix(seed + level * 0x9e3779b97f4a7c15ull + group);

	return (u32)((hash >> 32) * members >> 32);
}

u32 vex_graph_level(const struct vex_graph *graph, u64 row)
{
	const u32 half = VEX_GRAPH_PAGE_ROWS / 2;
	u32 group = (u32)row / half;
	u32 level = 1;

	if (chosen(graph->seed, 1, group, half) != (u32)row - group * half)
		return 0;
	while (level < VEX_GRAPH_LEVEL_MAX &&
	       chosen(graph->seed, level + 1, group >> 4, 16) == (group & 15)) {
		group >>= 4;
		level++;
	}
	return level;
}

void vex_graph_init(struct vex_graph *graph, u64 seed, u32 effort)
{
	graph->entry = 0;
	graph->seed = seed;
	graph->effort = effort;
}

int vex_graph_load(struct vex_graph *graph, const struct vex_disk_graph *disk,
		   u64 rows)
{
	u64 entry = le64_to_cpu(disk->entry);
	u32 effort = le32_to_cpu(disk->effort);

	if (le32_to_cpu(disk->links_base) != VEX_GRAPH_LINKS_BASE ||
	    le32_to_cpu(disk->links_upper) != VEX_GRAPH_LINKS_UPPER ||
	    effort < VEX_GRAPH_EFFORT_MIN || effort > VEX_GRAPH_EFFORT_MAX ||
	    disk->reserved || rows > VEX_GRAPH_ROWS_MAX || entry > rows)
		return -EUCLEAN;
	vex_graph_init(graph, le64_to_cpu(disk->seed), effort);
	graph->entry = entry;
	return 0;
}

void vex_graph_save(const struct vex_graph *graph, struct vex_disk_graph *disk)
{
	disk->links_base = cpu_to_le32(VEX_GRAPH_LINKS_BASE);
	disk->links_upper = cpu_to_le32(VEX_GRAPH_LINKS_UPPER);
	disk->effort = cpu_to_le32(graph->effort);
	disk->reserved = 0;
	disk->entry = cpu_to_le64(READ_ONCE(graph->entry));
	disk->seed = cpu_to_le64(graph->seed);
}

static u32 slots_for(u32 effort, u32 waypoints)
{
	u32 wanted = (effort + waypoints / 2) * SLOTS_PER_HIT;
	u32 slots = SLOTS_MIN;

	while (slots < wanted)
		slots *= 2;
	return slots;
}

static size_t walker_fixed_bytes(void)
{
	return (sizeof(struct vex_graph_walker) + 63) & ~(size_t)63;
}

size_t vex_graph_walker_bytes(u32 effort, u32 waypoints)
{
	if (effort < VEX_GRAPH_EFFORT_MIN || effort > VEX_GRAPH_EFFORT_MAX ||
	    waypoints > 16 * VEX_GRAPH_EFFORT_MAX)
		return 0;
	return walker_fixed_bytes() +
	       slots_for(effort, waypoints) * sizeof(u32) +
	       (size_t)(effort + waypoints + 1) * sizeof(struct vex_graph_hit);
}

struct vex_graph_walker *vex_graph_walker_init(void *memory, u32 effort,
					       u32 waypoints)
{
	struct vex_graph_walker *w = memory;

	memset(w, 0, sizeof(*w));
	w->effort = effort;
	w->room = effort + waypoints;
	w->slots = slots_for(effort, waypoints);
	w->visited = (u32 *)((char *)memory + walker_fixed_bytes());
	w->pool = (struct vex_graph_hit *)(w->visited + w->slots);
	return w;
}

static void begin(struct vex_graph_walker *w, u64 rows, u32 slots, u32 work)
{
	w->bitmap = rows <= (u64)slots * 32;
	memset(w->visited, 0, w->bitmap ? (rows + 63) / 64 * sizeof(u64) :
					  slots * sizeof(u32));
	w->mask = slots - 1;
	w->shift = 33 - (u32)fls64(slots);
	w->usable = slots / 4 * 3;
	if (work && work < w->usable)
		w->usable = max(work, VEX_GRAPH_LINKS_BASE + 1);
	w->used = 0;
	w->count = 0;
	w->live = 0;
}

void vex_graph_begin(struct vex_graph_walker *w,
		     const struct vex_graph_query *q, u32 work)
{
	u32 slots = slots_for(q->effort, w->room - w->effort);

	begin(w, q->rows, min(slots, w->slots), work);
}

/*
 * Note that a row is visited. Returns 1 if it was not, else 0: a number, as no
 * processor foresees which it will be.
 */
static __always_inline u32 visit(struct vex_graph_walker *w, u32 row,
				 const bool bitmap)
{
	u32 *visited = w->visited;
	u32 key = row + 1, at, there;

	if (bitmap) {
		u32 bit = 1u << (row & 31);

		at = row >> 5;
		there = visited[at] >> (row & 31) & 1;
		visited[at] |= bit;
		return !there;
	}
	at = (row * 2654435761u) >> w->shift;
	there = visited[at];
	/* neither zero nor the key, in one comparison */
	while (unlikely((u64)there * (there ^ key) != 0)) {
		at = (at + 1) & w->mask;
		there = visited[at];
	}
	visited[at] = key;
	return !there;
}

/* Collect the rows of a list that are not visited. */
static __always_inline u32 collect(struct vex_graph_walker *w,
				   const __le32 *list, u32 links, u64 rows,
				   const bool bitmap)
{
	u32 i, n = 0;

	for (i = 0; i < links; i++) {
		u32 row = le32_to_cpu(READ_ONCE(list[i]));

		if (!row)
			break;
		row--;
		if (unlikely(row >= rows))
			continue;
		w->row[n] = row;
		n += visit(w, row, bitmap);
	}
	return n;
}

static __always_inline void fetch_ahead(const char *data, u32 bytes)
{
	u32 at;

	for (at = 0; at < bytes; at += 64)
		__builtin_prefetch(data + at);
	__builtin_prefetch(data + bytes - 1);
}

static void prefetch_list(const struct vex_pages *nodes, u64 row, u32 level)
{
	u32 offset;
	u64 page = vex_graph_place(row, level, &offset);
	const char *data = vex_pages_at(nodes, page);

	if (!data)
		return;
	__builtin_prefetch(data + offset);
	__builtin_prefetch(data + offset + 64);
}

/*
 * Find the neighbours of a node that are not visited, and score them as far as
 * they are within the limit. On an
 * upper level a damaged link may lead to a row that is no node there; what is
 * taken for its list is another node's.
 */
static int neighbours(struct vex_graph_walker *w,
		      const struct vex_graph_query *q, u32 level, u64 node,
		      s64 limit, u32 *count)
{
	const struct vex_pages codes = *q->codes;
	const u32 links = vex_graph_links(level);
	const u64 rows = q->rows;
	u32 i, n;
	int err = 0;
	const __le32 *list = vex_graph_list(q->nodes, node, level, &err);

	*count = 0;
	if (unlikely(!list))
		return err;
	if (unlikely(w->used + VEX_GRAPH_LINKS_BASE > w->usable))
		return 0;
	if (w->bitmap)
		n = collect(w, list, links, rows, true);
	else
		n = collect(w, list, links, rows, false);
	w->used += n;
	for (i = 0; i < n; i++) {
		const char *code = vex_pages_get(&codes, w->row[i], &err);

		if (unlikely(!code))
			return err;
		fetch_ahead(code, q->ahead);
		w->code[i] = code;
	}
	if (n)
		q->score(q->query, w->code, n, limit, w->score, w->flags);
	*count = n;
	return 0;
}

static int score_one(struct vex_graph_walker *w,
		     const struct vex_graph_query *q, u64 row)
{
	int err = 0;

	w->row[0] = (u32)row;
	w->code[0] = vex_pages_get(q->codes, row, &err);
	if (!w->code[0])
		return err;
	q->score(q->query, w->code, 1, S64_MAX, w->score, w->flags);
	return 0;
}

int vex_graph_descend(struct vex_graph_walker *w, const struct vex_graph *graph,
		      const struct vex_graph_query *q, u32 level,
		      struct vex_graph_hit *hit)
{
	u64 entry = READ_ONCE(graph->entry) - 1;
	u32 at;
	int ret;

	if (entry >= q->rows)
		return -ENOENT;
	at = vex_graph_level(graph, entry);
	ret = score_one(w, q, entry);
	if (ret)
		return ret;
	hit->row = entry;
	hit->score = w->score[0];
	while (at > level) {
		u32 i, count, best;

		ret = neighbours(w, q, at, hit->row, hit->score, &count);
		if (ret)
			return ret;
		for (best = count, i = 0; i < count; i++) {
			if (w->score[i] >= hit->score)
				continue;
			hit->score = w->score[i];
			best = i;
		}
		if (best < count)
			hit->row = w->row[best];
		else
			at--;
	}
	return 0;
}

/* Are there enough candidates, so that only nearer ones are wanted? */
static __always_inline bool is_full(const struct vex_graph_walker *w,
				    u32 effort)
{
	return w->live == effort || w->count == w->room;
}

/*
 * Keep the nearest candidates: as many live ones as the effort says, and the
 * way-points that are nearer than the last of them. Returns the new one's
 * position.
 */
static u32 keep(struct vex_graph_walker *w, u32 effort, s64 score, u64 row)
{
	struct vex_graph_hit *pool = w->pool, *hit = pool + w->count;

	for (; hit > pool && hit[-1].score > score; hit--)
		*hit = hit[-1];
	hit->score = score;
	hit->row = row;
	w->count++;
	w->live += !(row & VEX_HIT_WAYPOINT);
	while (w->live > effort || w->count > w->room)
		w->live -= !(pool[--w->count].row & VEX_HIT_WAYPOINT);
	while (w->live == effort &&
	       (pool[w->count - 1].row & VEX_HIT_WAYPOINT))
		w->count--;
	return (u32)(hit - pool);
}

static s64 worst(const struct vex_graph_walker *w, u32 effort)
{
	return is_full(w, effort) ? w->pool[w->count - 1].score : S64_MAX;
}

/*
 * Offer the scored rows to the pool. Returns the lowest new position. Those
 * that are too far are sorted out first, without a branch for each.
 */
static u32 offer(struct vex_graph_walker *w, const struct vex_graph_query *q,
		 u32 level, u32 count)
{
	u32 i, at, n = 0, lowest = U32_MAX;
	s64 limit = worst(w, q->effort);
	u8 near[VEX_GRAPH_LINKS_BASE];

	for (i = 0; i < count; i++) {
		near[n] = (u8)i;
		n += w->score[i] < limit;
	}
	for (i = 0; i < n; i++) {
		s64 score = w->score[near[i]];
		u64 row = w->row[near[i]];

		if (score >= worst(w, q->effort))
			continue;
		prefetch_list(q->nodes, row, level);
		if ((w->flags[near[i]] & VEX_GRAPH_DEAD) ||
		    (q->admit && !q->admit(q->context, row)))
			row |= VEX_HIT_WAYPOINT;
		at = keep(w, q->effort, score, row);
		lowest = min(lowest, at);
	}
	return lowest;
}

int vex_graph_search(struct vex_graph_walker *w,
		     const struct vex_graph_query *q, u32 level, u64 from)
{
	u32 at = 0, steps = 0, count, lowest;
	int ret = score_one(w, q, from);

	if (ret)
		return ret;
	w->used += visit(w, (u32)from, w->bitmap);
	offer(w, q, level, 1);
	while (at < w->count) {
		u64 row = w->pool[at].row;

		if (row & VEX_HIT_EXPANDED) {
			at++;
			continue;
		}
		if (++steps % STOP_STEPS == 0 && q->stop) {
			ret = q->stop(q->context);
			if (ret)
				return ret;
		}
		w->pool[at].row |= VEX_HIT_EXPANDED;
		ret = neighbours(w, q, level, row & VEX_HIT_ROW,
				 worst(w, q->effort), &count);
		if (ret)
			return ret;
		lowest = offer(w, q, level, count);
		at = lowest <= at ? lowest : at + 1;
	}
	return 0;
}

int vex_graph_walk(struct vex_graph_walker *w, const struct vex_graph *graph,
		   const struct vex_graph_query *q,
		   struct vex_graph_result *result)
{
	struct vex_graph_hit start;
	u32 i, scored, n = 0;
	int ret;

	memset(result, 0, sizeof(*result));
	if (q->effort < VEX_GRAPH_EFFORT_MIN || q->effort > w->effort)
		return -EINVAL;
	begin(w, q->rows, SLOTS_DESCENT, 0);
	ret = vex_graph_descend(w, graph, q, 0, &start);
	if (ret == -ENOENT) {
		result->gave_up = READ_ONCE(graph->entry);
		return 0;
	}
	if (ret)
		return ret;
	scored = w->used;
	vex_graph_begin(w, q, q->work);
	ret = vex_graph_search(w, q, 0, start.row);
	if (ret)
		return ret;
	result->gave_up = w->used + VEX_GRAPH_LINKS_BASE > w->usable ||
			  (w->live < q->effort && w->count == w->room);
	for (i = 0; i < w->count; i++) {
		if (w->pool[i].row & VEX_HIT_WAYPOINT)
			continue;
		w->pool[n] = w->pool[i];
		w->pool[n++].row &= VEX_HIT_ROW;
	}
	result->hits = w->pool;
	result->count = n;
	result->scored = scored + w->used;
	return 0;
}
