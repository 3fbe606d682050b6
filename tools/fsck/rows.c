// SPDX-License-Identifier: Apache-2.0
/*
 * The rows of a vector file: published data is on written blocks, every row
 * has an id, no two live rows share one, ids lead back to rows, deletions are
 * counted. What lies beyond the published rows is not looked at.
 */
#include "fsck.h"

#include <linux/vexfs.h>
#include <stdlib.h>

/* Findings about one file's rows; the first few tell it all. */
#define ROW_FINDINGS_MAX 10U

/**
 * struct check - a file's rows being checked
 * @rows: the file
 * @ids: tree of ids
 * @by_id: tree of rows by id
 * @dead: tree of tombstones
 * @has_ids: there is such a tree, and so on
 * @found: findings so far
 * @own: ids are the caller's own: every row must have one in the tree
 * @next: row after the last run
 * @deleted: tombstones of published rows
 * @runs: runs of ids of published rows, key and value swapped: key is the id
 * @count: members of @runs
 * @room: room for members
 */
struct check {
	struct fsck_rows *rows;
	struct volume_tree ids;
	struct volume_tree by_id;
	struct volume_tree dead;
	bool has_ids;
	bool has_by_id;
	bool has_dead;
	bool own;
	u32 found;
	u64 next;
	u64 deleted;
	struct vex_run *runs;
	u64 count;
	u64 room;
};

#define row_finding(check, ...)						\
do {									\
	if ((check)->found++ < ROW_FINDINGS_MAX)			\
		fsck_note_inode((check)->rows->fsck, (check)->rows->ino, \
				__VA_ARGS__);				\
} while (0)

typedef unsigned long long ull;

/* The next live row at or after @row, and how many follow one another. */
static u64 live_rows(struct check *check, u64 row, u64 *first)
{
	struct vex_run dead;

	while (check->has_dead && row < check->rows->rows &&
	       !vex_tree_find(&check->dead.tree, row, &dead)) {
		if (dead.key > row) {
			*first = row;
			return min(dead.key, check->rows->rows) - row;
		}
		row = dead.key + dead.length;
	}
	*first = row;
	return row < check->rows->rows ? check->rows->rows - row : 0;
}

static bool is_live(struct check *check, u64 row)
{
	u64 first;

	return live_rows(check, row, &first) && first == row;
}

/* Blocks of published rows are there, and written. */
static void check_data_run(struct fsck_walk *walk, const struct vex_run *run)
{
	struct check *check = walk->ctx;

	if (run->key > check->next || (run->flags & VEXFS_RECORD_UNWRITTEN))
		return;
	check->next = max(check->next, run->key + run->length);
}

static void check_data(struct check *check)
{
	struct fsck_rows *rows = check->rows;
	const struct vexfs_disk_schema *schema = &rows->inode->ino_schema;
	u64 bytes = rows->rows * le32_to_cpu(schema->s_dim) *
		    vex_element_bytes(schema->s_element);
	struct fsck_walk walk = {
		.fsck = rows->fsck,
		.ino = rows->ino,
		.record = check_data_run,
		.ctx = check,
	};

	check->next = 0;
	fsck_walk(&walk, &rows->inode->ino_root);
	if (check->next < (bytes + VEXFS_BLOCK_SIZE - 1) / VEXFS_BLOCK_SIZE)
		row_finding(check,
			    "data: block %llu of the file holds published rows, but is not written",
			    (ull)check->next);
}

static void count_dead(struct fsck_walk *walk, const struct vex_run *run)
{
	struct check *check = walk->ctx;
	u64 rows = check->rows->rows;

	if (run->key < rows)
		check->deleted += min((u64)run->length, rows - run->key);
}

static void check_tombstones(struct check *check)
{
	struct fsck_rows *rows = check->rows;
	u64 stated = le64_to_cpu(rows->inode->ino_deleted);
	struct fsck_walk walk = {
		.fsck = rows->fsck,
		.ino = le64_to_cpu(rows->inode->ino_forks
				   [VEXFS_FORK_TOMBSTONES]),
		.record = count_dead,
		.ctx = check,
	};

	if (check->has_dead)
		fsck_walk(&walk,
			  &rows->forks[VEXFS_FORK_TOMBSTONES].ino_root);
	if (check->deleted != stated && !rows->unfinished)
		row_finding(check,
			    "ino_deleted: %llu, but there are tombstones for %llu rows",
			    (ull)stated, (ull)check->deleted);
}

static bool keep_run(struct check *check, const struct vex_run *run)
{
	if (check->count == check->room) {
		u64 room = check->room ? check->room * 2 : 64;
		void *runs = realloc(check->runs,
				     room * sizeof(*check->runs));

		if (!runs)
			return false;
		check->runs = runs;
		check->room = room;
	}
	check->runs[check->count].key = run->value;
	check->runs[check->count].value = run->key;
	check->runs[check->count].length = run->length;
	check->count++;
	return true;
}

/* Do the ids from @id on of live rows among @row.. lead back to them? */
static void check_back(struct check *check, u64 row, u64 id, u64 length)
{
	struct vex_run run;
	u64 part;

	while (length && check->found < ROW_FINDINGS_MAX) {
		if (vex_tree_find(&check->by_id.tree, id, &run) ||
		    run.key > id) {
			row_finding(check,
				    "rows fork: row %llu has id %llu, which the fork does not know",
				    (ull)row, (ull)id);
			part = 1;
		} else if (run.value + (id - run.key) != row) {
			row_finding(check,
				    "rows fork: row %llu has id %llu, which leads to row %llu",
				    (ull)row, (ull)id,
				    (ull)(run.value + (id - run.key)));
			part = 1;
		} else {
			part = min(length, run.key + run.length - id);
		}
		row += part;
		id += part;
		length -= part;
	}
}

/* Rows up to @end that no run covers: automatic ids are their numbers. */
static void check_gap(struct check *check, u64 end)
{
	struct vex_run run;

	if (check->own && check->next < end)
		row_finding(check, "ids fork: row %llu has no id",
			    (ull)check->next);
	while (!check->own && check->next < end) {
		run.key = check->next;
		run.value = run.key;
		run.length = (u32)min(end - run.key, (u64)U32_MAX);
		if (!keep_run(check, &run)) {
			fsck_fail(check->rows->fsck, -ENOMEM, "checking ids");
			return;
		}
		check->next += run.length;
	}
}

static void check_ids_run(struct fsck_walk *walk, const struct vex_run *run)
{
	struct check *check = walk->ctx;
	const struct vexfs_disk_inode *inode = check->rows->inode;
	u64 limit = check->own ? VEXFS_ID_MAX + 1 :
				 le64_to_cpu(inode->ino_next_id);
	struct vex_run part = *run;
	u64 row, live, end;

	if (run->key >= check->rows->rows)
		return;
	check_gap(check, run->key);
	end = min(run->key + run->length, check->rows->rows);
	part.length = (u32)(end - run->key);
	check->next = end;
	if (part.value + part.length > limit)
		row_finding(check, "ids fork: row %llu has an id that was never given out",
			    (ull)(end - 1));
	if (!check->own && !keep_run(check, &part))
		fsck_fail(check->rows->fsck, -ENOMEM, "checking ids");
	if (!check->has_by_id)
		row_finding(check,
			    "ino_forks: rows have ids, but there is no rows fork");
	for (row = part.key; check->has_by_id && row < end; row += live) {
		live = min(live_rows(check, row, &row), end - min(row, end));
		if (!live)
			break;
		check_back(check, row, part.value + (row - part.key), live);
	}
}

static int compare_runs(const void *a, const void *b)
{
	const struct vex_run *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Automatic ids: no id of two runs that is live in both. */
static void check_twice(struct check *check)
{
	u64 end = 0, last = 0;

	if (!check->count)
		return;
	qsort(check->runs, check->count, sizeof(*check->runs), compare_runs);
	for (u64 i = 0; i < check->count; i++) {
		const struct vex_run *run = &check->runs[i];
		const struct vex_run *before = &check->runs[last];
		u64 stop = min(end, run->key + run->length);

		for (u64 id = run->key;
		     id < stop && check->found < ROW_FINDINGS_MAX; id++)
			if (is_live(check, run->value + (id - run->key)) &&
			    is_live(check, before->value + (id - before->key)))
				row_finding(check,
					    "ids fork: id %llu has two live rows",
					    (ull)id);
		if (run->key + run->length > end) {
			end = run->key + run->length;
			last = i;
		}
	}
}

static void check_ids(struct check *check)
{
	struct fsck_rows *rows = check->rows;
	struct fsck_walk walk = {
		.fsck = rows->fsck,
		.ino = le64_to_cpu(rows->inode->ino_forks[VEXFS_FORK_IDS]),
		.record = check_ids_run,
		.ctx = check,
	};

	check->next = 0;
	if (check->has_ids)
		fsck_walk(&walk, &rows->forks[VEXFS_FORK_IDS].ino_root);
	check_gap(check, rows->rows);
	check_twice(check);
}

/* Has a row this id, and how many after it go on like that? */
static u64 rows_with_id(struct check *check, u64 row, u64 id)
{
	struct vex_run run;

	if (vex_tree_find(&check->ids.tree, row, &run))
		run.key = U64_MAX;
	if (run.key > row)
		return !check->own && id == row ? run.key - row : 0;
	return run.value + (row - run.key) == id ?
	       run.key + run.length - row : 0;
}

/* An id that leads to a live row is that row's. */
static void check_by_id_run(struct fsck_walk *walk, const struct vex_run *run)
{
	struct check *check = walk->ctx;
	u64 end = min(run->value + run->length, check->rows->rows);
	u64 row, live, part, id;

	for (row = run->value; row < end; row += part) {
		live = min(live_rows(check, row, &row), end - min(row, end));
		if (!live || check->found >= ROW_FINDINGS_MAX)
			return;
		id = run->key + (row - run->value);
		part = min(live, rows_with_id(check, row, id));
		if (part)
			continue;
		row_finding(check,
			    "rows fork: id %llu leads to row %llu, which has another id",
			    (ull)id, (ull)row);
		part = 1;
	}
}

static void check_by_id(struct check *check)
{
	struct fsck_rows *rows = check->rows;
	struct fsck_walk walk = {
		.fsck = rows->fsck,
		.ino = le64_to_cpu(rows->inode->ino_forks[VEXFS_FORK_ROWS]),
		.record = check_by_id_run,
		.ctx = check,
	};

	if (check->has_by_id && check->has_ids)
		fsck_walk(&walk, &rows->forks[VEXFS_FORK_ROWS].ino_root);
}

static bool init_tree(struct fsck_rows *rows, u32 slot,
		      struct volume_tree *tree)
{
	struct vexfs_disk_inode *fork = &rows->forks[slot];

	if (!fork->ino_mode)
		return false;
	volume_tree_init(tree, &rows->fsck->vol,
			 le64_to_cpu(fork->ino_number), &fork->ino_root);
	return true;
}

void fsck_rows(struct fsck_rows *rows)
{
	struct check check = { .rows = rows };

	check.has_ids = init_tree(rows, VEXFS_FORK_IDS, &check.ids);
	check.has_by_id = init_tree(rows, VEXFS_FORK_ROWS, &check.by_id);
	check.has_dead = init_tree(rows, VEXFS_FORK_TOMBSTONES, &check.dead);
	check.own = rows->inode->ino_schema.s_ids == VEXFS_IDS_OWN;
	check_data(&check);
	check_tombstones(&check);
	check_ids(&check);
	check_by_id(&check);
	free(check.runs);
	if (check.found > ROW_FINDINGS_MAX)
		fsck_note_inode(rows->fsck, rows->ino,
				"... and %u more about its rows",
				check.found - ROW_FINDINGS_MAX);
}
