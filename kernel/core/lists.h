/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Inverted lists (IVF): each row is in the list of its nearest centroid; a
 * search chooses the lists whose centroids are nearest to the query and scans
 * the codes in them. Nothing here knows what a code is: callbacks do.
 *
 * The fork, from the page where its header slots end (pages as in pages.h,
 * counted from the first page of the reader's window):
 *
 *   values   the centroids, le32 elements in records of two
 *   codes    the centroids' sketch records
 *   run 0    directory: for each list a le64: the end of its entries in this
 *            run; then entries, sorted by list, then by row. A page of n entries
 *            has n sketch records and behind them n rows (le64); n is as many
 *            as fit, in the last page too
 *   run 1 .. the same, of the rows that came later
 *
 * A run is one contiguous piece of the disk and never changes. Growing means
 * one more run behind the last and then a header that counts it. A crash before
 * that header leaves pages that nothing refers to, and that the next run
 * overwrites. The header's parameters are a struct vex_disk_lists.
 *
 * Nothing that is read from the fork is trusted: whatever it holds, a search
 * stays in bounds, ends, and gives rows that are below the rows it was told.
 */
#ifndef VEX_LISTS_H
#define VEX_LISTS_H

#include "kmeans.h"

#define VEX_LISTS_MAX		VEX_KMEANS_LISTS_MAX
#define VEX_LISTS_RUNS_MAX	32U
#define VEX_LISTS_ENTRY_BYTES	8U	/* a row beside its record */
/* The largest sketch record that fits an entry. */
#define VEX_LISTS_RECORD_MAX	(VEX_RECORD_BYTES_MAX - VEX_LISTS_ENTRY_BYTES)
/* Rows that wait before they are worth a run. */
#define VEX_LISTS_APPEND_MIN	1024U
#define VEX_LISTS_ROWS_MAX	(1ULL << 40)
#define VEX_LISTS_CANDIDATES_MAX 65536U

/**
 * struct vex_disk_lists_run - a run in the header's parameters
 * @rows: it holds rows from the run before it up to here
 * @entries: of them that were not deleted when it was made
 */
struct vex_disk_lists_run {
	__le64 rows;
	__le64 entries;
};

/**
 * struct vex_disk_lists - the parameters of lists in their fork's header
 * @lists: centroids, 1..VEX_LISTS_MAX
 * @runs: 1..VEX_LISTS_RUNS_MAX
 * @dim: elements of a centroid
 * @record_bytes: bytes of a sketch record
 * @built: rows that the centroids were made from
 * @reserved: 0
 * @run: the runs; those from @runs on are 0
 */
struct vex_disk_lists {
	__le32 lists;
	__le32 runs;
	__le32 dim;
	__le32 record_bytes;
	__le64 built;
	__le64 reserved;
	struct vex_disk_lists_run run[VEX_LISTS_RUNS_MAX];
};

VEX_ASSERT_SIZE(struct vex_disk_lists, 32 + 16 * VEX_LISTS_RUNS_MAX);

/**
 * struct vex_lists_run - a run in memory
 * @rows: it holds rows from the run before it up to here
 * @entries: how many
 * @directory: its first page
 * @first: the first page of its entries
 */
struct vex_lists_run {
	u64 rows;
	u64 entries;
	u64 directory;
	u64 first;
};

/**
 * struct vex_lists - lists in memory: only where things are
 * @lists: centroids
 * @runs: runs; 0 while the lists are being built
 * @dim: elements of a centroid
 * @record_bytes: bytes of a sketch record
 * @built: rows that the centroids were made from
 * @values: first page of the centroids
 * @codes: first page of the centroids' codes
 * @end: the page behind the last run, where the next one goes
 * @run: the runs
 *
 * Pages count from the first of the window. A reader works with a copy, or what
 * it holds on to must not change meanwhile: appending makes a new one.
 */
struct vex_lists {
	u32 lists;
	u32 runs;
	u32 dim;
	u32 record_bytes;
	u64 built;
	u64 values;
	u64 codes;
	u64 end;
	struct vex_lists_run run[VEX_LISTS_RUNS_MAX];
};

/**
 * vex_lists_number() - how many lists suit a file
 * @rows: rows
 *
 * Return: about twice the root of @rows, 1..VEX_LISTS_MAX.
 */
u32 vex_lists_number(u64 rows);

/**
 * vex_lists_init() - lists that are yet to be built
 * @lists: to be filled in
 * @number: centroids, 1..VEX_LISTS_MAX
 * @dim: elements of a row
 * @record_bytes: of a sketch record, up to VEX_LISTS_RECORD_MAX
 * @first: the window's page that the lists begin with, usually 0
 *
 * Return: 0, or -EINVAL when an argument is out of range.
 */
int vex_lists_init(struct vex_lists *lists, u32 number, u32 dim,
		   u32 record_bytes, u64 first);

/**
 * vex_lists_load() - take the parameters out of a header
 * @lists: to be filled in
 * @disk: not trusted
 * @dim: elements of a row
 * @record_bytes: of the file's sketch records
 * @rows: rows that the header covers: those of the last run
 * @first: the window's page that the lists begin with, usually 0
 * @pages: pages that the window has
 *
 * Return: 0, or -EUCLEAN when the parameters are impossible or do not fit the
 * rest.
 */
int vex_lists_load(struct vex_lists *lists, const struct vex_disk_lists *disk,
		   u32 dim, u32 record_bytes, u64 rows, u64 first, u64 pages);

/**
 * vex_lists_save() - write the parameters for a header
 * @lists: with at least one run
 * @disk: to be filled in
 */
void vex_lists_save(const struct vex_lists *lists, struct vex_disk_lists *disk);

/**
 * vex_lists_rows() - rows that are in the lists
 * @lists: the lists
 *
 * Return: the rows of the last run; 0 if there is none.
 */
static inline u64 vex_lists_rows(const struct vex_lists *lists)
{
	return lists->runs ? lists->run[lists->runs - 1].rows : 0;
}

/**
 * vex_lists_append_due() - are there rows enough for another run?
 * @lists: the lists
 * @rows: published rows that have sketches
 *
 * Return: true when 1/32 of the rows, and VEX_LISTS_APPEND_MIN, are not in a
 * run yet and there is room for one.
 */
bool vex_lists_append_due(const struct vex_lists *lists, u64 rows);

/**
 * vex_lists_drifted() - should the lists be built again?
 * @lists: the lists
 * @rows: published rows
 *
 * Return: true when as many rows were appended as the lists were built from, or
 * when the last runs are used up.
 */
bool vex_lists_drifted(const struct vex_lists *lists, u64 rows);

/**
 * vex_lists_place_run() - where a run's pages are
 * @lists: whose end is where the run begins
 * @run: with its rows and entries; its pages are filled in
 *
 * For the builder and for vex_lists_load().
 */
void vex_lists_place_run(const struct vex_lists *lists,
			 struct vex_lists_run *run);

/**
 * vex_lists_run_end() - the page behind a run
 * @lists: for its record_bytes
 * @run: placed
 *
 * Return: the page.
 */
u64 vex_lists_run_end(const struct vex_lists *lists,
		      const struct vex_lists_run *run);

/**
 * struct vex_lists_hit - a candidate
 * @score: the estimate
 * @row: the row
 */
struct vex_lists_hit {
	s64 score;
	u64 row;
};

/**
 * struct vex_lists_query - one search
 * @context: passed to @stop and @ahead
 * @stop: called for every page or so; may reschedule. 0 to go on or a negative
 *	errno that ends the search. May be NULL
 * @ahead: pages of the fork that will be wanted: told before any of them is
 *	used, so that they can be read together. May be NULL
 * @score: estimates distances, of records of rows and of centroids
 * @query: passed to @score
 * @effort: lists to scan, 1..VEX_LISTS_MAX; more than there are means all
 * @enough: with @admit: so many lists are enough if their rows may be candidates;
 *	one of which less than a quarter may counts for less. The more of
 *	the nearest count for less, the more are scanned, up to @effort. 0: all
 *	lists of @effort are scanned
 * @candidates: rows to find
 * @share: this search takes every @shares-th of the chosen lists ...
 * @shares: ... from this one on; below @shares. 0 and 1: all lists
 * @rows: published rows; entries of others are passed over
 * @admit: may this row be a candidate? Called for rows that are near enough.
 *	NULL: all may
 * @admit_context: passed to @admit
 */
struct vex_lists_query {
	void *context;
	int (*stop)(void *context);
	void (*ahead)(void *context, u64 page, u64 pages);
	vex_kmeans_score score;
	const void *query;
	u32 effort;
	u32 enough;
	u32 candidates;
	u32 share;
	u32 shares;
	u64 rows;
	bool (*admit)(void *context, u64 row);
	void *admit_context;
};

/**
 * struct vex_lists_result - what a search found
 * @hits: candidates in the order of their scores, then rows, in the search's
 *	memory
 * @count: how many, up to the candidates wanted
 * @scored: codes that were compared, those of centroids included
 * @lists: lists that were scanned
 * @lacking: there were not enough lists among those of @effort, and others
 *	were left out
 */
struct vex_lists_result {
	const struct vex_lists_hit *hits;
	u32 count;
	u64 scored;
	u32 lists;
	bool lacking;
};

/**
 * vex_lists_search_bytes() - memory of a search
 * @lists: the lists
 * @effort: lists to scan
 * @candidates: rows to find, 1..VEX_LISTS_CANDIDATES_MAX
 *
 * Return: bytes, or 0 if an argument is out of range.
 */
size_t vex_lists_search_bytes(const struct vex_lists *lists, u32 effort,
			      u32 candidates);

/**
 * vex_lists_search() - find candidates for a query
 * @lists: the lists
 * @fork: window over the fork; only its pages and its fault() are used
 * @query: what to look for
 * @memory: vex_lists_search_bytes() bytes, aligned to 8
 * @result: to be filled in; valid until @memory is used again
 *
 * Rows from vex_lists_rows() on are not in the lists: they are the caller's to
 * scan. On an error the caller scans everything.
 *
 * Context: may sleep if its callbacks do.
 * Return: 0, -EINVAL, -EUCLEAN when the directory is damaged, or what a
 * callback said.
 */
int vex_lists_search(const struct vex_lists *lists,
		     const struct vex_pages *fork,
		     const struct vex_lists_query *query, void *memory,
		     struct vex_lists_result *result);

/**
 * struct vex_lists_source - what a builder needs to know
 * @kmeans: of rows and codes; its sketches hold every row that is built from
 * @encode: write the sketch record of a centroid
 * @deleted: is the row deleted? It gets no entry then. May be NULL
 * @emit: take a page of the window: VEX_RECORD_BYTES_MAX bytes are filled in,
 *	the rest is for the trailer. Pages come in ascending order. 0 or a
 *	negative errno
 *
 * All functions get the context of @kmeans.
 */
struct vex_lists_source {
	struct vex_kmeans_source kmeans;
	void (*encode)(void *context, const s32 *values, void *record);
	bool (*deleted)(void *context, u64 row);
	int (*emit)(void *context, u64 page, const void *data);
};

/**
 * struct vex_lists_build - how to build
 * @lists: centroids
 * @dim: elements of a row
 * @record_bytes: of a sketch record
 * @query_bytes: of a prepared centroid, a multiple of 8
 * @run_rows: rows of a run at most
 * @train: whether there are centroids to be found
 */
struct vex_lists_build {
	u32 lists;
	u32 dim;
	u32 record_bytes;
	u32 query_bytes;
	u64 run_rows;
	bool train;
};

struct vex_lists_builder;

/**
 * vex_lists_builder_bytes() - memory of a builder
 * @build: how to build
 *
 * For each list 4 bytes a dimension (12 to train) and a query; 6 bytes for each
 * row of a run.
 *
 * Return: bytes, or 0 if @build is not valid.
 */
size_t vex_lists_builder_bytes(const struct vex_lists_build *build);

/**
 * vex_lists_builder_init() - lay a builder out in the caller's memory
 * @memory: vex_lists_builder_bytes() zeros, aligned to 16 (to 64 for the best
 *	speed)
 * @build: valid
 * @source: knows the rows; stays valid as long as the builder
 *
 * To build: vex_lists_init(), vex_lists_train(), and vex_lists_write_run()
 * until all rows are in a run. To append: vex_lists_load(),
 * vex_lists_recall(), vex_lists_write_run(). Then wait for the pages and write
 * a header with vex_lists_save().
 *
 * Return: the builder, which is @memory.
 */
struct vex_lists_builder *
vex_lists_builder_init(void *memory, const struct vex_lists_build *build,
		       const struct vex_lists_source *source);

/**
 * vex_lists_train() - find the centroids and emit their pages
 * @builder: to train
 * @lists: after vex_lists_init(), without runs
 * @rows: rows to build from, at least 1
 * @seed: VEX_KMEANS_SEED or any other number
 *
 * Return: 0 or a negative errno of a callback or of a page.
 */
int vex_lists_train(struct vex_lists_builder *builder, struct vex_lists *lists,
		    u64 rows, u64 seed);

/**
 * vex_lists_recall() - read the centroids back
 * @builder: for appending
 * @lists: loaded
 * @fork: as in vex_lists_search()
 *
 * Return: 0 or a negative errno of a callback or of a page.
 */
int vex_lists_recall(struct vex_lists_builder *builder,
		     const struct vex_lists *lists,
		     const struct vex_pages *fork);

/**
 * vex_lists_write_run() - put the next rows into a run and emit its pages
 * @builder: trained or recalled
 * @lists: gets a run more
 * @rows: rows to put into lists up to here, above vex_lists_rows(@lists)
 *
 * At most the build's run_rows are taken: call again while vex_lists_rows() is
 * below @rows. Let run_rows be at least an eighth of the rows, or there will be
 * too many runs. After an error @lists is unchanged.
 *
 * Return: 0, -ENOSPC when there are VEX_LISTS_RUNS_MAX runs, or a negative errno
 * of a callback or of a page.
 */
int vex_lists_write_run(struct vex_lists_builder *builder,
			struct vex_lists *lists, u64 rows);

/**
 * vex_lists_progress() - how far a builder is
 * @builder: the builder
 * @rows: rows that are to be built from in all
 *
 * May be asked from a callback.
 *
 * Return: 0..10,000.
 */
u32 vex_lists_progress(const struct vex_lists_builder *builder, u64 rows);

#endif /* VEX_LISTS_H */
