/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * An HNSW graph (Malkov and Yashunin, TPAMI 2020) in integers: walked by the
 * rows' codes, built by codes and finer rows, stored in pages. It knows nothing
 * of what a code or a distance is: callbacks score codes, and the caller
 * computes the exact distances of what a walk returns.
 *
 * Any number of threads may walk while builders insert. Links are published by
 * single stores; a reader may see a list that is half new and half old, and
 * checks every link that it reads, so that nothing that a page holds (torn,
 * stale or damaged) can do more than miss rows. A page of zeros holds empty
 * lists: fresh pages need no preparation.
 *
 * A page of nodes (a record of VEX_GRAPH_PAGE_BYTES, one a page): the lists of
 * VEX_GRAPH_PAGE_ROWS successive rows, then of upper nodes. A list is le32s,
 * each a row + 1; the first zero ends it. Of every 15 successive rows (half a
 * page) one, chosen by a hash of the seed, is a node of level 1 with a list in
 * that page; of every 16 successive nodes of a level one is a node of the next.
 * So levels need no storage, and the pages grow at their end only.
 */
#ifndef VEX_GRAPH_H
#define VEX_GRAPH_H

#include "pages.h"

#define VEX_GRAPH_LINKS_BASE 32u	/* links of a row: 128 bytes */
#define VEX_GRAPH_LINKS_UPPER 16u	/* links of an upper node: 64 bytes */
#define VEX_GRAPH_PAGE_ROWS 30u
#define VEX_GRAPH_PAGE_UPPER 3u
#define VEX_GRAPH_PAGE_BYTES VEX_RECORD_BYTES_MAX

#define VEX_GRAPH_BUILD_EFFORT 200u
#define VEX_GRAPH_EFFORT_MIN 8u
#define VEX_GRAPH_EFFORT_MAX 4096u
#define VEX_GRAPH_LEVEL_MAX 8u
#define VEX_GRAPH_ROWS_MAX 0xfffffff0ull

/**
 * struct vex_disk_graph - a graph's parameters in its fork's header
 * @links_base: VEX_GRAPH_LINKS_BASE
 * @links_upper: VEX_GRAPH_LINKS_UPPER
 * @effort: candidates of a search during the build
 * @reserved: 0
 * @entry: row of the entry point + 1; 0: the graph is empty
 * @seed: of the levels
 */
struct vex_disk_graph {
	__le32 links_base;
	__le32 links_upper;
	__le32 effort;
	__le32 reserved;
	__le64 entry;
	__le64 seed;
};

VEX_ASSERT_SIZE(struct vex_disk_graph, 32);

/**
 * struct vex_graph - what readers and builders of a graph share
 * @entry: row where walks begin, one of the highest level, + 1; 0: empty.
 *	Written by single stores; by several builders under their lock
 * @seed: of the levels
 * @effort: of the build
 */
struct vex_graph {
	u64 entry;
	u64 seed;
	u32 effort;
};

/**
 * vex_graph_init - an empty graph
 * @graph: to be filled in
 * @seed: any number
 * @effort: VEX_GRAPH_BUILD_EFFORT, or another within its limits
 */
void vex_graph_init(struct vex_graph *graph, u64 seed, u32 effort);

/**
 * vex_graph_load - take the parameters out of a header
 * @graph: to be filled in
 * @disk: not trusted
 * @rows: rows that the header covers
 *
 * Return: 0, or -EUCLEAN when a field is impossible.
 */
int vex_graph_load(struct vex_graph *graph, const struct vex_disk_graph *disk,
		   u64 rows);

/**
 * vex_graph_save - write the parameters for a header
 * @graph: the graph
 * @disk: to be filled in
 *
 * A checkpoint takes the parameters first and writes the pages back after:
 * the entry point then has its lists.
 */
void vex_graph_save(const struct vex_graph *graph, struct vex_disk_graph *disk);

/**
 * vex_graph_pages - pages of nodes for so many rows
 * @rows: rows, at most VEX_GRAPH_ROWS_MAX
 *
 * Return: the pages, a multiple of 8.
 */
static inline u64 vex_graph_pages(u64 rows)
{
	return (rows + VEX_GRAPH_PAGE_ROWS * 8 - 1) /
	       (VEX_GRAPH_PAGE_ROWS * 8) * 8;
}

/**
 * vex_graph_level - the level of a row
 * @graph: for its seed
 * @row: the row
 *
 * Return: 0 to VEX_GRAPH_LEVEL_MAX.
 */
u32 vex_graph_level(const struct vex_graph *graph, u64 row);

/* What a score() says of a code apart from its score. */
#define VEX_GRAPH_DEAD 1u	/* deleted: a way-point, not a result */

/**
 * typedef vex_graph_score - estimate the distances of codes to a query
 * @query: the caller's prepared query
 * @codes: records of the window of codes, in memory
 * @count: up to VEX_GRAPH_LINKS_BASE
 * @limit: of codes that are farther it need not be known how far: they may get
 *	S64_MAX / 4
 * @scores: receives the estimates; smaller is nearer; at least
 *	S64_MIN / 4 and at most S64_MAX / 4
 * @flags: receives VEX_GRAPH_DEAD or 0 for each
 */
typedef void (*vex_graph_score)(void *query, const void *const *codes,
				u32 count, s64 limit, s64 *scores, u8 *flags);

/**
 * struct vex_graph_query - one walk
 * @nodes: pages of nodes, records of VEX_GRAPH_PAGE_BYTES
 * @codes: the rows' codes
 * @ahead: bytes of a code that are asked for ahead: what @score begins with
 * @score: estimates distances
 * @query: passed to @score
 * @rows: rows that are published and have codes; a link to another row is
 *	passed over
 * @effort: live candidates to keep, VEX_GRAPH_EFFORT_MIN to
 *	VEX_GRAPH_EFFORT_MAX; at most the walker's
 * @work: codes to score at most on the base level, but a list of them is; 0: as
 *	many as the walker can hold
 * @admit: may this row be a result? Called for each scored row that is near
 *	enough; rows that it refuses are way-points. NULL: all may
 * @stop: called every few microseconds to tens of microseconds; may reschedule.
 *	Returns 0 to go on or a negative errno that ends the walk. May be NULL
 * @context: passed to @admit and @stop
 */
struct vex_graph_query {
	const struct vex_pages *nodes;
	const struct vex_pages *codes;
	u32 ahead;
	vex_graph_score score;
	void *query;
	u64 rows;
	u32 effort;
	u32 work;
	bool (*admit)(void *context, u64 row);
	int (*stop)(void *context);
	void *context;
};

/**
 * struct vex_graph_hit - a candidate
 * @score: the estimate
 * @row: the row; bits above 31 belong to the walk while it runs
 */
struct vex_graph_hit {
	s64 score;
	u64 row;
};

/**
 * struct vex_graph_result - what a walk found
 * @hits: candidates in the order of their scores, in the walker's memory
 * @count: how many, up to the effort
 * @scored: codes that were scored
 * @gave_up: the work ran out, or way-points crowded the results out, or the
 *	graph has grown too much since the query's rows were counted: a scan
 *	finds more; the hits are good but may not be the nearest
 */
struct vex_graph_result {
	const struct vex_graph_hit *hits;
	u32 count;
	u64 scored;
	bool gave_up;
};

struct vex_graph_walker;

/**
 * vex_graph_walker_bytes - memory of one walk
 * @effort: the largest effort of its walks
 * @waypoints: room for dead or refused candidates beside the live ones
 *	(ef counts live ones only); 2 * effort is good for a few deletions,
 *	4 * effort for a filter that admits a quarter
 *
 * About 300 to 500 bytes for each of @effort, half for each of @waypoints.
 *
 * Return: bytes, or 0 if an argument is out of range.
 */
size_t vex_graph_walker_bytes(u32 effort, u32 waypoints);

/**
 * vex_graph_walker_init - lay a walker out in the caller's memory
 * @memory: vex_graph_walker_bytes() bytes, aligned to 64
 * @effort: as given there
 * @waypoints: as given there
 *
 * Return: the walker, which is @memory.
 */
struct vex_graph_walker *vex_graph_walker_init(void *memory, u32 effort,
					       u32 waypoints);

/**
 * vex_graph_walk - find candidates for a query
 * @walker: belongs to the calling thread for the time of the walk
 * @graph: the graph
 * @query: what to look for
 * @result: to be filled in; valid until the walker's next use
 *
 * Context: may sleep if its callbacks do.
 * Return: 0 (also for an empty graph), -EINVAL for an effort out of range, or
 * what a callback or a window's fault said.
 */
int vex_graph_walk(struct vex_graph_walker *walker,
		   const struct vex_graph *graph,
		   const struct vex_graph_query *query,
		   struct vex_graph_result *result);

/**
 * struct vex_graph_source - what a builder needs to know about rows
 * @nodes: pages of nodes; the pages that @fault returns can be written to
 * @codes: the rows' codes
 * @rows: rows that have codes and pages of nodes
 * @ahead: as of a walk
 * @score: as of a walk
 * @query: prepare the query for a row that is inserted, for @score; valid until
 *	the next call. Sets *@query and returns 0 or a negative errno
 * @fine: write a row as dim elements of 7 bits, 0 to 127, of one step for the
 *	whole file, 64 standing for the centre (for inner product: for zero);
 *	of a normalised row for cosine. 0 or a negative errno
 * @dirty: a page of nodes was changed. May be NULL
 * @stop: as of a walk
 * @lock: hold the lists of a stripe (a number below 2^16) against other
 *	builders; may sleep; at most one is held at a time. NULL if there is
 *	one builder only
 * @unlock: let go
 * @context: passed to the functions but @score
 */
struct vex_graph_source {
	const struct vex_pages *nodes;
	const struct vex_pages *codes;
	u64 rows;
	u32 ahead;
	vex_graph_score score;
	int (*query)(void *context, u64 row, void **query);
	int (*fine)(void *context, u64 row, u8 *elements);
	void (*dirty)(void *context, u64 page);
	int (*stop)(void *context);
	void (*lock)(void *context, u32 stripe);
	void (*unlock)(void *context, u32 stripe);
	void *context;
};

struct vex_graph_builder;

/**
 * struct vex_graph_build - how to build
 * @dim: elements of a row
 * @effort: the graph's
 * @inner_product: prune by inner product, not by squared distance
 * @cache_bytes: memory for fine rows, at least VEX_GRAPH_CACHE_ROWS of
 *	vex_graph_fine_bytes(@dim). With room for each row that is to be
 *	indexed, none is asked for twice; with less, rows are asked for again
 *	when they are needed again
 */
struct vex_graph_build {
	u32 dim;
	u32 effort;
	bool inner_product;
	size_t cache_bytes;
};

#define VEX_GRAPH_CACHE_ROWS 64u

/**
 * vex_graph_fine_bytes - memory of a fine row in the cache
 * @dim: elements
 *
 * Return: bytes.
 */
size_t vex_graph_fine_bytes(u32 dim);

/**
 * vex_graph_builder_bytes - memory of a builder, without the cache
 * @build: how to build
 *
 * Return: bytes, or 0 if @build is not valid.
 */
size_t vex_graph_builder_bytes(const struct vex_graph_build *build);

/**
 * vex_graph_builder_init - lay a builder out in the caller's memory
 * @memory: vex_graph_builder_bytes() bytes, aligned to 64
 * @cache: build->cache_bytes zeros, aligned to 64, valid as long as the
 *	builder; several builders may share one that has room for all rows
 * @build: valid
 *
 * Return: the builder, which is @memory.
 */
struct vex_graph_builder *
vex_graph_builder_init(void *memory, void *cache,
		       const struct vex_graph_build *build);

/**
 * vex_graph_insert - insert one row
 * @builder: belongs to the calling thread
 * @graph: the graph
 * @source: knows the rows
 * @row: not inserted before; below VEX_GRAPH_ROWS_MAX and source->rows
 *
 * Rows that are deleted already need not be inserted. After an error the graph
 * is whole; the row may be found or not, and may be inserted again.
 *
 * Context: may sleep if its callbacks do.
 * Return: 0, -EINVAL, or what a callback or a window's fault said.
 */
int vex_graph_insert(struct vex_graph_builder *builder,
		     struct vex_graph *graph,
		     const struct vex_graph_source *source, u64 row);

#endif /* VEX_GRAPH_H */
