/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the walk and the build of graphs share: where lists are, and the search
 * of one level. Internal to the graph's code.
 */
#ifndef VEX_GRAPH_WALK_H
#define VEX_GRAPH_WALK_H

#include "graph.h"

/* Marks of hits in the pool, above the row. */
#define VEX_HIT_EXPANDED (1ull << 63)
#define VEX_HIT_WAYPOINT (1ull << 62)
#define VEX_HIT_ROW 0xffffffffull

/**
 * struct vex_graph_walker - the memory of a walk
 * @effort: the largest effort
 * @room: entries of @pool but one
 * @slots: u32 of @visited, a power of two
 * @used: rows that were visited
 * @usable: rows that may be
 * @bitmap: @visited is a bit a row, as there are few rows
 * @shift: of the hash, for the slots of the walk that runs
 * @mask: slots of the walk that runs, less one
 * @visited: a bitmap, or a hash set of row + 1
 * @pool: candidates in the order of their scores
 * @count: entries of @pool
 * @live: entries of @pool that are not way-points
 * @code: of the unvisited neighbours at hand
 * @row: their rows
 * @score: their scores
 * @flags: what else score() said
 */
struct vex_graph_walker {
	u32 effort;
	u32 room;
	u32 slots;
	u32 used;
	u32 usable;
	bool bitmap;
	u32 shift;
	u32 mask;
	u32 count;
	u32 live;
	u32 *visited;
	struct vex_graph_hit *pool;
	const void *code[VEX_GRAPH_LINKS_BASE];
	s64 score[VEX_GRAPH_LINKS_BASE];
	u32 row[VEX_GRAPH_LINKS_BASE];
	u8 flags[VEX_GRAPH_LINKS_BASE];
};

/**
 * vex_graph_links - links of a list
 * @level: level
 *
 * Return: how many it has room for.
 */
static inline u32 vex_graph_links(u32 level)
{
	return level ? VEX_GRAPH_LINKS_UPPER : VEX_GRAPH_LINKS_BASE;
}

/**
 * vex_graph_place - where a node's list is
 * @row: row of the node, of at least this level
 * @level: 0 to VEX_GRAPH_LEVEL_MAX
 * @offset: where the list begins in its page
 *
 * The lists of levels 2 and above are in the third upper place of a page. A
 * node of level 2 stands for 16 of level 1, which are those of 8 pages: its
 * list is in the first of these; where it is also the first of the pages of a
 * node of level 3, that node's list is in the page that follows, and so on.
 *
 * Return: the page.
 */
static inline u64 vex_graph_place(u64 row, u32 level, u32 *offset)
{
	const u32 half = VEX_GRAPH_PAGE_ROWS / 2;
	const u32 upper = VEX_GRAPH_PAGE_ROWS * VEX_GRAPH_LINKS_BASE * 4;
	u64 page = (u32)row / VEX_GRAPH_PAGE_ROWS;
	u32 shift;

	if (!level) {
		*offset = (u32)(row - page * VEX_GRAPH_PAGE_ROWS) *
			  VEX_GRAPH_LINKS_BASE * 4;
		return page;
	}
	if (level == 1) {
		*offset = upper + (u32)((u32)row / half & 1) *
				  VEX_GRAPH_LINKS_UPPER * 4;
		return page;
	}
	*offset = upper + 2 * VEX_GRAPH_LINKS_UPPER * 4;
	shift = 4 * (level - 1) - 1;
	return (page >> shift << shift) + level - 2;
}

/**
 * vex_graph_list - a node's list
 * @nodes: pages of nodes
 * @row: row of the node, of at least this level
 * @level: 0 to VEX_GRAPH_LEVEL_MAX
 * @err: why there is none
 *
 * Return: vex_graph_links(@level) links, or NULL.
 */
static inline __le32 *vex_graph_list(const struct vex_pages *nodes, u64 row,
				     u32 level, int *err)
{
	u32 offset;
	char *page = vex_pages_page(nodes, vex_graph_place(row, level, &offset),
				    err);

	return page ? (__le32 *)(page + offset) : NULL;
}

/**
 * vex_graph_begin - ready the walker for a walk
 * @walker: the walker
 * @query: what walks
 * @work: codes to score at most, or 0
 */
void vex_graph_begin(struct vex_graph_walker *walker,
		     const struct vex_graph_query *query, u32 work);

/**
 * vex_graph_descend - follow the upper levels towards the query
 * @walker: begun; is to be begun again for a search
 * @graph: the graph
 * @query: the query
 * @level: where to arrive
 * @hit: receives the nearest node that was found at the level above, or the
 *	entry point
 *
 * Return: 0, -ENOENT if the graph is empty or begins at a row that the query
 * does not see, or another negative errno.
 */
int vex_graph_descend(struct vex_graph_walker *walker,
		      const struct vex_graph *graph,
		      const struct vex_graph_query *query, u32 level,
		      struct vex_graph_hit *hit);

/**
 * vex_graph_search - search one level
 * @walker: begun
 * @query: the query
 * @level: which
 * @from: where to begin
 *
 * Leaves the candidates in the walker's pool.
 *
 * Return: 0 or a negative errno.
 */
int vex_graph_search(struct vex_graph_walker *walker,
		     const struct vex_graph_query *query, u32 level, u64 from);

#endif /* VEX_GRAPH_WALK_H */
