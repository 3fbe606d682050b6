/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of vector files as vector.c, search.c and ioctl.c share them:
 * ids, tombstones, and reading the matrix out of the page cache.
 */
#ifndef VEXFS_ROWS_H
#define VEXFS_ROWS_H

#include "vexfs.h"
#include "core/exact.h"

/* In rows.c */

/**
 * vexfs_fork_make() - a fork of a vector file, made if there is none
 * @base: the vector file
 * @slot: VEXFS_FORK_*
 *
 * Opens and closes a handle.
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: the fork with a reference, or an ERR_PTR.
 */
struct inode *vexfs_fork_make(struct inode *base, unsigned int slot);

#define VEXFS_CURSOR_RUNS	32

/**
 * struct vexfs_run_cursor - walks the runs of a fork in the order of keys
 * @fork: the fork with a reference, or NULL if there is none: no runs
 * @runs: some runs, copied
 * @count: runs in @runs
 * @next: the one to look at
 * @from: @runs has all runs that end after this key, up to the last of it
 * @end: there are none after @runs
 */
struct vexfs_run_cursor {
	struct inode *fork;
	struct vex_run runs[VEXFS_CURSOR_RUNS];
	u32 count;
	u32 next;
	u64 from;
	bool end;
};

/**
 * vexfs_cursor_init() - begin to walk
 * @cursor: to be filled in
 * @base: the vector file
 * @slot: VEXFS_FORK_*
 *
 * Return: 0 or a negative errno.
 */
int vexfs_cursor_init(struct vexfs_run_cursor *cursor, struct inode *base,
		      unsigned int slot);

/**
 * vexfs_cursor_exit() - give back what a cursor holds
 * @cursor: the cursor, also after vexfs_cursor_init() has failed
 */
void vexfs_cursor_exit(struct vexfs_run_cursor *cursor);

/**
 * vexfs_cursor_find() - the run that covers a key, or the next one
 * @cursor: the cursor; quickest if keys grow from call to call
 * @key: the key
 * @run: the run; of length 0 and key U64_MAX if there is none
 *
 * Return: 0 or a negative errno.
 */
int vexfs_cursor_find(struct vexfs_run_cursor *cursor, u64 key,
		      struct vex_run *run);

/**
 * vexfs_row_of_id() - look an id up
 * @base: the vector file
 * @id: the id
 * @row: its row, which is not deleted
 *
 * Return: 0, -ENOENT, or a negative errno.
 */
int vexfs_row_of_id(struct inode *base, u64 id, u64 *row);

/**
 * struct vexfs_batch_ids - the ids that a batch of rows brings
 * @ids: the ids, or NULL if they are automatic
 * @old: for each the row that has it, or U64_MAX; NULL if none may be taken
 * @taken: how many are
 */
struct vexfs_batch_ids {
	u64 *ids;
	u64 *old;
	u64 taken;
};

/**
 * vexfs_ids_check() - may these ids be inserted?
 * @base: the vector file
 * @own: the ids; @own->old and @own->taken are filled in
 * @count: how many
 * @bad_index: the first that is taken and may not be, or occurs before it
 *
 * Context: i_rwsem held for writing.
 * Return: 0, -EEXIST, -EINVAL for an id beyond VEXFS_ID_MAX, or a negative
 * errno.
 */
int vexfs_ids_check(struct inode *base, struct vexfs_batch_ids *own, u64 count,
		    u64 *bad_index);

/**
 * vexfs_ids_add() - give new rows their ids
 * @base: the vector file
 * @row: first row, not published
 * @count: rows
 * @own: their ids; without, @first_id and the following. Ids that are taken go
 *	on leading to the rows that have them
 * @first_id: see @own
 *
 * Opens and closes handles. After an error, call vexfs_rows_trim().
 *
 * Context: i_rwsem held for writing.
 * Return: 0 or a negative errno.
 */
int vexfs_ids_add(struct inode *base, u64 row, u64 count,
		  const struct vexfs_batch_ids *own, u64 first_id);

/**
 * vexfs_forks_start() - a handle for one change of each of two forks
 * @a: a fork
 * @b: another, or NULL
 *
 * Return: the handle or an ERR_PTR.
 */
handle_t *vexfs_forks_start(struct inode *a, struct inode *b);

/**
 * vexfs_forks_ensure() - credits for one more change of each of two forks
 * @handle: from vexfs_forks_start()
 * @a: a fork
 * @b: another, or NULL
 *
 * Return: as vexfs_journal_ensure().
 */
int vexfs_forks_ensure(handle_t *handle, struct inode *a, struct inode *b);

/**
 * vexfs_fork_insert() - put a run into a fork
 * @handle: the handle
 * @fork: the fork; it and its base are written
 * @run: the run
 * @flags: VEXFS_ALLOC_RESERVE or 0
 *
 * Return: 0 or a negative errno.
 */
int vexfs_fork_insert(handle_t *handle, struct inode *fork,
		      const struct vex_run *run, unsigned int flags);

/**
 * vexfs_fork_cut() - take the last run, or part of one, in a range out of a fork
 * @handle: the handle
 * @fork: the fork; it and its base are written
 * @first: first key
 * @last: last key, inclusive
 * @removed: what was taken out
 *
 * Return: 0, -ENOENT if there is none, or a negative errno.
 */
int vexfs_fork_cut(handle_t *handle, struct inode *fork, u64 first, u64 last,
		   struct vex_run *removed);

/**
 * vexfs_fork_find() - the run of a fork that covers a key, or the next one
 * @base: the vector file
 * @slot: VEXFS_FORK_*
 * @key: the key
 * @run: the run
 *
 * Return: 0, -ENOENT if there is none, or a negative errno.
 */
int vexfs_fork_find(struct inode *base, unsigned int slot, u64 key,
		    struct vex_run *run);

/**
 * vexfs_fork_trim() - cut the keys from a row on out of a fork keyed by rows
 * @base: the vector file
 * @slot: its slot
 * @by_id: if it holds ids, the slot of the fork that leads back from them, of
 *	which what leads to those rows is cut out first; otherwise @slot
 * @rows: the row
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_fork_trim(struct inode *base, unsigned int slot, unsigned int by_id,
		    u64 rows);

/**
 * vexfs_rows_trim() - remove what the forks know of rows beyond the last
 * @base: the vector file
 *
 * Left-overs of inserts that did not succeed, or that a crash undid.
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_rows_trim(struct inode *base);

/**
 * vexfs_rows_delete() - delete rows by id
 * @base: the vector file
 * @ids: the ids
 * @count: how many
 * @ignore_missing: pass over ids that name no row
 * @deleted: rows deleted
 * @bad_index: the first id that names no row
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0, -ENOENT, or a negative errno.
 */
int vexfs_rows_delete(struct inode *base, u64 *ids, u64 count,
		      bool ignore_missing, u64 *deleted, u64 *bad_index);

/**
 * vexfs_rows_deleted_from() - count the deleted rows from one on
 * @base: the vector file
 * @row: the row
 * @count: how many
 *
 * Return: 0 or a negative errno.
 */
int vexfs_rows_deleted_from(struct inode *base, u64 row, u64 *count);

/* In matrix.c */

/* Rows that are fetched ahead: the one that is looked at, and more. */
#define VEXFS_FETCH_AHEAD	5U

/* Three pages for each of these rows: two pages' bytes are fetched at most. */
#define VEXFS_MATRIX_HELD	(3 * VEXFS_FETCH_AHEAD)

/* And rows whose pages are looked for. */
#define VEXFS_HINT_AHEAD	10U

/**
 * struct vexfs_held - a page that was fetched and will be wanted
 * @index: the page
 * @folio: its folio, with a reference, or NULL
 */
struct vexfs_held {
	pgoff_t index;
	struct folio *folio;
};

/**
 * struct vexfs_matrix - reads a matrix out of the page cache
 * @inode: the vector file
 * @file: for reading ahead as the file's opener wants it, or NULL
 * @folio: the folio at hand, with a reference, or NULL
 * @before: the one that was at hand before it, or NULL
 * @held: pages that were fetched, in a ring
 * @held_next: the next to be filled, which is the oldest
 * @window_end: the pages up to this one were asked for
 * @pages_missed: pages that were not in memory when they were wanted
 */
struct vexfs_matrix {
	struct inode *inode;
	struct file *file;
	struct folio *folio;
	struct folio *before;
	struct vexfs_held held[VEXFS_MATRIX_HELD];
	u32 held_next;
	pgoff_t window_end;
	u64 pages_missed;
};

/**
 * vexfs_matrix_init() - begin to read
 * @matrix: to be filled in
 * @file: the vector file
 */
void vexfs_matrix_init(struct vexfs_matrix *matrix, struct file *file);

/**
 * vexfs_matrix_init_inode() - begin to read without an open file
 * @matrix: to be filled in
 * @inode: the vector file
 */
void vexfs_matrix_init_inode(struct vexfs_matrix *matrix, struct inode *inode);

/**
 * vexfs_pages_ahead() - have pages read that will be wanted
 * @mapping: of a regular file
 * @page: the first
 * @count: how many; those beyond the end do not matter
 *
 * Does not wait for them.
 */
void vexfs_pages_ahead(struct address_space *mapping, u64 page, u64 count);

/**
 * vexfs_matrix_exit() - give back what is held
 * @matrix: the reader
 */
void vexfs_matrix_exit(struct vexfs_matrix *matrix);

/**
 * vexfs_matrix_at() - where bytes of the matrix are in memory
 * @matrix: the reader
 * @pos: first byte
 * @bytes: wanted
 * @sequential: read ahead
 * @data: where they are; valid until the next call but one
 *
 * Return: bytes that follow each other there, 1..@bytes; -EINTR on a fatal
 * signal; -EIO, or another negative errno.
 */
ssize_t vexfs_matrix_at(struct vexfs_matrix *matrix, loff_t pos, size_t bytes,
			bool sequential, const void **data);

/**
 * vexfs_matrix_hint() - a row will be fetched soon
 * @matrix: the reader
 * @pos: first byte
 * @bytes: how many
 *
 * Has the processor fetch what vexfs_matrix_fetch() needs to find it.
 */
void vexfs_matrix_hint(const struct vexfs_matrix *matrix, loff_t pos,
		       size_t bytes);

/**
 * vexfs_matrix_fetch() - have the processor fetch bytes that will be wanted
 * @matrix: the reader
 * @pos: first byte
 * @bytes: how many; the first few thousand are fetched
 *
 * Their pages are held until VEXFS_MATRIX_HELD others are.
 *
 * Return: false if they are not in memory.
 */
bool vexfs_matrix_fetch(struct vexfs_matrix *matrix, loff_t pos, size_t bytes);

/**
 * vexfs_matrix_want() - have bytes read that will be wanted
 * @matrix: the reader
 * @pos: first byte
 * @bytes: how many, up to a row
 *
 * Does not wait. For rows that are not read in turn.
 */
void vexfs_matrix_want(struct vexfs_matrix *matrix, loff_t pos, size_t bytes);

/**
 * vexfs_matrix_copy() - copy bytes of the matrix
 * @matrix: the reader
 * @pos: first byte
 * @bytes: wanted
 * @sequential: read ahead
 * @into: where to
 *
 * Return: 0 or a negative errno as of vexfs_matrix_at().
 */
int vexfs_matrix_copy(struct vexfs_matrix *matrix, loff_t pos, size_t bytes,
		      bool sequential, void *into);

/**
 * vexfs_matrix_row() - a row in one piece
 * @matrix: the reader
 * @row: its number
 * @bytes: of a row
 * @sequential: read ahead
 * @bounce: room for a row, for one that is not in one piece in memory
 * @data: where it is; valid until the next call
 *
 * Return: 0 or a negative errno as of vexfs_matrix_at().
 */
int vexfs_matrix_row(struct vexfs_matrix *matrix, u64 row, u32 bytes,
		     bool sequential, void *bounce, const void **data);

/* In vector.c */

/**
 * struct vexfs_snapshot - the rows that an operation sees
 * @generation: of the numbering
 * @rows: rows
 * @row_bytes: bytes of a row
 * @schema: the schema
 */
struct vexfs_snapshot {
	u64 generation;
	u64 rows;
	u32 row_bytes;
	struct vexfs_disk_schema schema;
};

/**
 * vexfs_snapshot_take() - see the rows that there are
 * @inode: the vector file
 * @snapshot: to be filled in
 */
void vexfs_snapshot_take(struct inode *inode, struct vexfs_snapshot *snapshot);

/**
 * vexfs_snapshot_await() - see what a file has, not while a compaction ends
 * @inode: the vector file
 * @snapshot: filled in
 *
 * As vexfs_snapshot_take(), but waits for a compaction that is putting its rows
 * in the place of others: what is read of these at that moment may be neither.
 * Where a fatal signal ends that wait, nothing read may be relied upon.
 *
 * Context: may sleep; no lock of the file may be held.
 */
void vexfs_snapshot_await(struct inode *inode, struct vexfs_snapshot *snapshot);

/**
 * vexfs_snapshot_holds() - are the rows still numbered so?
 * @inode: the vector file
 * @snapshot: from vexfs_snapshot_take()
 *
 * Return: true if they are.
 */
bool vexfs_snapshot_holds(struct inode *inode,
			  const struct vexfs_snapshot *snapshot);

int vexfs_schema_get(struct inode *inode, struct vexfs_schema *schema);
int vexfs_schema_set(struct inode *inode, const struct vexfs_schema *schema);
int vexfs_batch_insert(struct file *file, struct vexfs_batch_insert *batch);

/**
 * vexfs_rows_grow() - new rows become visible, and due to be published
 * @inode: the vector file
 * @rows: rows that there are now
 * @next_id: the next automatic id
 *
 * Context: i_rwsem held for writing.
 */
void vexfs_rows_grow(struct inode *inode, u64 rows, u64 next_id);

/* In replace.c */

/**
 * vexfs_rows_replace() - new rows become visible in the place of others
 * @base: the vector file; its rows are published
 * @first: the first new row, which is not visible yet
 * @count: rows, whose bytes, attributes and ids are there
 * @own: their ids, some of which are taken
 *
 * They are published too. After an error fewer of them may have become visible,
 * the first ones.
 *
 * Context: i_rwsem held for writing; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_rows_replace(struct inode *base, u64 first, u64 count,
		       const struct vexfs_batch_ids *own);

/**
 * struct vexfs_view - a look at rows while others may be put in their place
 * @inode: the vector file
 * @tries: looks begun
 * @count: vexfs_vector.replacing at the beginning
 */
struct vexfs_view {
	struct inode *inode;
	u32 tries;
	u32 count;
};

/* A look is repeated so often. */
#define VEXFS_VIEW_TRIES	3U

/**
 * vexfs_view_begin() - begin to look, or begin anew
 * @view: the look; set @inode and clear @tries before the first time
 *
 * Waits while rows are being replaced. Who begins anew is waited for in turn.
 *
 * Context: may sleep; no handle is held, unless i_rwsem is.
 */
void vexfs_view_begin(struct vexfs_view *view);

/**
 * vexfs_view_end() - end it
 * @view: the look
 *
 * Return: true if no row was replaced meanwhile. Otherwise a row that was
 * replaced may not have been seen, nor what took its place.
 */
bool vexfs_view_end(struct vexfs_view *view);

/* In search.c */
int vexfs_knn_search(struct file *file, struct vexfs_knn_search *search);
int vexfs_range_search(struct file *file, struct vexfs_range_search *search);

/* In get.c */
int vexfs_get_vectors(struct file *file, struct vexfs_get_vectors *get);

#endif /* VEXFS_ROWS_H */
