/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Indexes of vector files in memory: how they are built, grown and searched.
 * On disk an index is a derived fork (derived.h). The one in slot
 * VEXFS_FORK_INDEX serves; a new one grows in slot VEXFS_FORK_BUILDING until
 * one transaction makes the two change places.
 */
#ifndef VEXFS_BUILD_H
#define VEXFS_BUILD_H

#include "index.h"
#include "sketch.h"
#include "core/index_header.h"

/**
 * struct vexfs_index - an index in memory, its fork's private state
 * @derived: the fork
 * @window: its pages behind the header slots
 * @type: enum vexfs_index_type
 * @effort: of the build
 * @target: rows that a build takes in before the index serves
 * @rows: rows that it covers: stored with release, read with acquire
 * @saved: rows at the last checkpoint; guarded by vexfs_build.lock
 * @targets: efforts for recalls of .90, .95, .99; 0 before they are measured
 * @build_ns: time that building took
 * @created: when the build began, nanoseconds since 1970
 * @sketches: what the sketches were encoded by
 * @damaged: a page of it is damaged: it serves no more
 * @outliers: rows in @outlier; stored with release, read with acquire
 * @outlier: rows that fit no scale and are in no graph; each search looks at
 *	them
 * @graph: of VEXFS_INDEX_HNSW
 * @lock: guards @lists, and changes of @outlier
 * @lists_wanted: how many lists were asked for; 0: as the rows suggest
 * @lists: of VEXFS_INDEX_IVF; readers copy it
 */
struct vexfs_index {
	struct vexfs_derived *derived;
	struct vexfs_window window;
	u32 type;
	u32 effort;
	u64 target;
	u64 rows;
	u64 saved;
	u32 targets[VEX_INDEX_TARGETS];
	u64 build_ns;
	u64 created;
	u64 sketches;
	bool damaged;
	u32 outliers;
	u64 outlier[VEX_INDEX_OUTLIERS];
	struct vex_graph graph;
	spinlock_t lock;
	u32 lists_wanted;
	struct vex_lists lists;
};

/**
 * struct vexfs_build - what goes on with the indexes of a file
 * @inode: the file
 * @lock: one builds, grows or drops at a time. Outside i_rwsem and handles
 * @work: does it in the background, holding a reference to @inode
 * @grower: the tools of what is built or grown, or NULL; guarded by @lock
 * @cancel: a build is to end; set without a lock
 * @requests: calls for whose build an @automatic one is to end
 * @automatic: nobody asked for the build under way: lists had drifted, or
 *	rows were compacted
 * @dropped: DROP_INDEX was called since a compaction asked for the index that
 *	there was; set with @lock held
 * @drifted_rows: rows when drifted lists were last built anew, or it was tried
 * @drifted_sketches: and what the sketches were encoded by
 * @building: enum vexfs_index_type of the build under way, or 0
 * @threads: threads for it, or 0 for as many as suit; guarded by @lock
 * @generation: of the rows that it takes in; guarded by @lock
 * @progress: of it, in 1/10,000
 * @error: the positive error number that ended the last build, or 0
 */
struct vexfs_build {
	struct inode *inode;
	struct mutex lock;
	struct work_struct work;
	struct vexfs_grower *grower;
	bool cancel;
	atomic_t requests;
	bool automatic;
	bool dropped;
	u64 drifted_rows;
	u64 drifted_sketches;
	u32 building;
	u32 threads;
	u64 generation;
	u32 progress;
	int error;
};

/**
 * struct vexfs_grower - the tools to build an index or to make it larger
 *
 * Each thread of a build has its own; fields that are said to be the leader's
 * are his, and others only refer to them.
 *
 * @build: whose they are
 * @derived: the index's fork, with a reference of the leader's
 * @index: what grows
 * @sketches: the file's sketches, with a reference of the leader's
 * @nodes: the index's pages, in a section of its window
 * @codes: the sketches' pages, in a section of their window
 * @matrix: reads rows
 * @tombstones: rows that are deleted need not go in
 * @row: a row that lies in two folios is copied here
 * @query: room for a prepared row
 * @scratch: to prepare it
 * @graph: the core's builder of a graph
 * @cache: fine rows, of all builders; the leader's
 * @cache_bytes: of @cache, for each builder
 * @cache_shared: all rows have room in @cache_bytes, and builders share them
 * @crew: who builds with the leader, or NULL
 * @walker: walks a graph whose efforts are measured
 * @lists: what lists need
 * @pages: pages of nodes that there are; the leader's
 * @stride: one row of so many is kept out of the graph until the efforts
 *	were measured with it; 0: none is
 */
struct vexfs_grower {
	struct vexfs_build *build;
	struct vexfs_derived *derived;
	struct vexfs_index *index;
	struct vexfs_sketches *sketches;
	struct vex_pages nodes;
	struct vex_pages codes;
	struct vexfs_matrix matrix;
	struct vexfs_run_cursor tombstones;
	void *row;
	void *query;
	void *scratch;
	struct vex_graph_builder *graph;
	void *cache;
	size_t cache_bytes;
	bool cache_shared;
	struct vexfs_crew *crew;
	struct vex_graph_walker *walker;
	struct vexfs_lists_tools *lists;
	u64 pages;
	u64 stride;
};

/* In index.c */

/* With fewer rows a scan is as quick as an index. */
#define VEXFS_INDEX_ROWS_MIN	5000U

/* With a filter that lets fewer rows pass a scan is as quick too. */
#define VEXFS_INDEX_SHARE_MIN	(VEXFS_SHARE_ALL / 8)

/* With more results too. */
#define VEXFS_INDEX_RESULTS_MAX	1024U

/**
 * vexfs_index_load() - an index as its fork has it
 * @derived: the fork
 *
 * Return: it, which lives as long as the fork is referred to; -EUCLEAN if it is
 * damaged, -ENOMEM.
 */
struct vexfs_index *vexfs_index_load(struct vexfs_derived *derived);

/**
 * vexfs_index_pages() - pages behind the header slots
 * @index: the index
 *
 * Return: how many it has now.
 */
u64 vexfs_index_pages(const struct vexfs_index *index);

/**
 * vexfs_index_header() - a header for what an index holds now
 * @index: the index
 * @header: to be filled in
 */
void vexfs_index_header(const struct vexfs_index *index,
			struct vexfs_disk_derived *header);

/**
 * vexfs_index_get() - the index that serves a file
 * @base: the vector file
 * @generation: of the caller's snapshot
 *
 * Return: it with a reference; NULL if there is none that can be used.
 */
struct vexfs_index *vexfs_index_get(struct inode *base, u64 generation);

/**
 * vexfs_index_warm() - have the index read that serves a file, if there is one
 * @base: the vector file
 *
 * Does not wait for it.
 */
void vexfs_index_warm(struct inode *base);

/**
 * vexfs_index_put() - give an index back
 * @index: it, or NULL
 */
void vexfs_index_put(struct vexfs_index *index);

/**
 * vexfs_index_save() - make what an index covers durable
 * @index: the index, which nobody changes meanwhile
 *
 * Context: vexfs_build.lock and freeze protection held; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_index_save(struct vexfs_index *index);

/**
 * vexfs_index_suits() - is an index of use for what a filter lets pass?
 * @pass: the pass, which may have none
 *
 * Return: false if so few rows pass that they are better scanned.
 */
bool vexfs_index_suits(const struct vexfs_pass *pass);

/**
 * vexfs_index_effort() - how much a pass looks at
 * @index: the index
 * @pass: the pass
 *
 * Return: the effort, as measured for the recall that is wanted, and more for
 * more results than it was measured with.
 */
u32 vexfs_index_effort(const struct vexfs_index *index,
		       const struct vexfs_pass *pass);

/**
 * vexfs_index_look() - look at a candidate itself
 * @pass: the pass
 * @q: the query
 * @row: the row
 *
 * Return: 1 if it is among the nearest so far, or would be but for being deleted
 * or refused by the filter; 0 if not; or a negative errno.
 */
int vexfs_index_look(struct vexfs_pass *pass, u32 q, u64 row);

/**
 * vexfs_index_decide() - look at candidates, nearest first, as long as that pays
 * @pass: the pass
 * @q: the query
 * @row: the row of the first; each is a member of an element of an array
 * @stride: bytes of such an element
 * @count: how many
 *
 * Return: 0 or a negative errno.
 */
int vexfs_index_decide(struct vexfs_pass *pass, u32 q, const u64 *row,
		       size_t stride, u32 count);

/**
 * vexfs_index_rest() - scan the rows that an index does not cover
 * @pass: the pass
 * @rows: rows that it covers
 * @err: how that went. All rows are scanned if the index was of no use, and for
 *	the queries that it gave up on
 *
 * Return: 0 or a negative errno.
 */
int vexfs_index_rest(struct vexfs_pass *pass, u64 rows, int err);

/**
 * vexfs_index_choose() - the way to find rows for a search
 * @base: the vector file
 * @snapshot: the rows
 * @knn: what is wanted, checked; not an exact answer
 *
 * Return: it, or ERR_PTR(-ENOENT) if an index is asked for that there is not.
 */
const struct vexfs_index_ops *
vexfs_index_choose(struct inode *base, const struct vexfs_snapshot *snapshot,
		   const struct vexfs_knn_search *knn);

/* In build.c */

/**
 * vexfs_background_stopped() - may no work be done in the background?
 * @sb: the volume
 *
 * Return: true if it may not.
 */
static inline bool vexfs_background_stopped(struct super_block *sb)
{
	return !READ_ONCE(VEXFS_SB(sb)->encoding);
}

/**
 * vexfs_build_stopped() - is a step of the work to end at once?
 * @build: what goes on with the file
 *
 * For steps that may take long. What was done in the step is lost.
 *
 * Return: 0; -ECANCELED; or -EINTR if the volume is being unmounted, remounted
 * or frozen, and then the step is taken again afterwards.
 */
int vexfs_build_stopped(const struct vexfs_build *build);

int vexfs_index_build(struct inode *inode, const struct vexfs_build_index *call);
int vexfs_index_drop(struct inode *inode, const struct vexfs_drop_index *call);

/**
 * vexfs_index_like() - what call would build the index that a file has
 * @inode: the file
 * @call: filled in
 *
 * Return: true if it has one, or one is being built.
 */
bool vexfs_index_like(struct inode *inode, struct vexfs_build_index *call);

/**
 * vexfs_index_again() - build an index after the rows were renumbered
 * @inode: the file
 * @call: from vexfs_index_like()
 *
 * A build of the rows as they were is ended, but one of them as they are is left.
 * The next call of vexfs_index_build() comes before what this begins, and
 * nothing is begun if vexfs_index_drop() was called since vexfs_index_like(). If
 * it cannot be begun, that is reported.
 *
 * Context: no lock may be held; the volume is held against freezing.
 */
void vexfs_index_again(struct inode *inode,
		       const struct vexfs_build_index *call);
int vexfs_index_status(struct inode *inode, struct vexfs_index_status *status);

/**
 * vexfs_build_later() - go on with a build, or put new rows into an index
 * @inode: a vector file that may have such work
 */
void vexfs_build_later(struct inode *inode);

/**
 * vexfs_build_free() - give back what a file keeps for its builds
 * @inode: a file that leaves memory
 */
void vexfs_build_free(struct inode *inode);

void vexfs_build_work(struct work_struct *work);

/**
 * vexfs_grower_row() - a row in one piece
 * @grower: the tools
 * @row: the row
 * @data: where it is, until the next call
 *
 * Return: 0 or a negative errno.
 */
int vexfs_grower_row(struct vexfs_grower *grower, u64 row, const void **data);

/**
 * vexfs_grower_equip() - what one thread needs to read and prepare rows
 * @grower: the tools, which refer to a build and to sketches
 *
 * Return: 0 or a negative errno; vexfs_grower_strip() is due then, too.
 */
int vexfs_grower_equip(struct vexfs_grower *grower);

/**
 * vexfs_grower_strip() - give back one thread's tools
 * @grower: the tools
 */
void vexfs_grower_strip(struct vexfs_grower *grower);

/* In measure.c */

/* Candidates looked at in vain before the others are given up. */
#define VEXFS_INDEX_PATIENCE	16U

/**
 * typedef vexfs_measure_search - search an index that is being built for a row
 * @grower: the tools
 * @row: the row
 * @effort: as of a search
 * @rows: receives up to VEXFS_MEASURE_ROWS candidates, nearest first by estimate
 * @count: how many
 *
 * Return: 0 or a negative errno.
 */
typedef int (*vexfs_measure_search)(struct vexfs_grower *grower, u64 row,
				    u32 effort, u64 *rows, u32 *count);

#define VEXFS_MEASURE_ROWS	1024U

/**
 * vexfs_measure_stride() - how rare the rows are that efforts are measured with
 * @rows: rows of the index
 *
 * Return: one row of so many, in the middle of each stretch; 0 if nothing is
 * to be measured.
 */
u64 vexfs_measure_stride(u64 rows);

/**
 * vexfs_measure() - find the efforts for the targets of recall
 * @grower: the tools, whose stride is not 0
 * @search: searches the index
 * @least: the effort to begin with
 * @most: the greatest effort
 *
 * Sets index->targets.
 *
 * Context: vexfs_build.lock held; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_measure(struct vexfs_grower *grower, vexfs_measure_search search,
		  u32 least, u32 most);

/* In graph.c */

extern const struct vexfs_index_ops vexfs_graph_index;

/**
 * vexfs_graph_open() - get the core's builder ready, and others to help
 * @grower: the tools, all but those of graphs
 *
 * Return: 0 or a negative errno.
 */
int vexfs_graph_open(struct vexfs_grower *grower);

/**
 * vexfs_graph_builder() - get the core's builder ready for one thread
 * @grower: its tools, with the cache
 * @member: number of the thread
 *
 * Return: 0 or a negative errno.
 */
int vexfs_graph_builder(struct vexfs_grower *grower, u32 member);

/**
 * vexfs_graph_grow() - put some more rows into a graph
 * @grower: the tools
 * @end: rows that are to be in it in the end; they have sketches
 *
 * Some milliseconds of work. index->rows says how far it got.
 *
 * Context: vexfs_build.lock and freeze protection held; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_graph_grow(struct vexfs_grower *grower, u64 end);

/**
 * vexfs_graph_finish() - measure efforts, and put in the rows that served for it
 * @grower: the tools; the graph holds index->target rows
 *
 * Context: as vexfs_graph_grow().
 * Return: 0 or a negative errno.
 */
int vexfs_graph_finish(struct vexfs_grower *grower);

/* In lists.c */

extern const struct vexfs_index_ops vexfs_lists_index;

/**
 * vexfs_lists_encoding() - what sketches were encoded by, as one number
 * @sketches: the sketches
 *
 * Return: it; lists serve as long as it is that of their build.
 */
u64 vexfs_lists_encoding(const struct vexfs_sketches *sketches);

/**
 * vexfs_lists_open() - get ready to build lists, or to add a run
 * @grower: the tools
 *
 * Return: 0 or a negative errno; vexfs_lists_close() is due then, too.
 */
int vexfs_lists_open(struct vexfs_grower *grower);

/**
 * vexfs_lists_close() - give back what vexfs_lists_open() made
 * @grower: the tools
 */
void vexfs_lists_close(struct vexfs_grower *grower);

/**
 * vexfs_lists_drifted() - should the lists be built anew?
 * @index: the lists
 * @sketches: the file's sketches
 *
 * Return: true if as many rows came later as they were built from, if there is
 * no room for more, or if they hold codes of another encoding.
 */
bool vexfs_lists_drifted(const struct vexfs_index *index,
			 const struct vexfs_sketches *sketches);

/**
 * vexfs_lists_grow() - find centres if there are none, and put more rows in
 * @grower: the tools
 * @rows: rows that are to be in; they have sketches
 *
 * Takes as long as it takes, but ends soon when a build is cancelled, and with
 * -EINTR when background work is stopped.
 *
 * Context: vexfs_build.lock and freeze protection held; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_lists_grow(struct vexfs_grower *grower, u64 rows);

/**
 * vexfs_lists_finish() - measure efforts
 * @grower: the tools
 *
 * Return: 0 or a negative errno.
 */
int vexfs_lists_finish(struct vexfs_grower *grower);

#endif /* VEXFS_BUILD_H */
