// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids and tombstones of vector files: three trees in companion forks.
 *
 *   IDS         row -> id, in runs
 *   ROWS        id -> row of rows that are not deleted, in runs
 *   TOMBSTONES  rows that are deleted, in runs
 *
 * A file of automatic ids whose ids equal its rows has neither IDS nor ROWS.
 * A run goes into IDS before ROWS, and leaves ROWS before IDS; so the runs
 * of IDS beyond the last row name everything that an insert left behind.
 */
#include <linux/sort.h>
#include "attributes.h"
#include "compact.h"
#include "sketch.h"

/* Runs handled in one transaction before others get their turn. */
#define VEXFS_RUNS_PER_HANDLE	64

/* Make a fork. Context: i_rwsem and fork_lock held. */
static struct inode *vexfs_fork_create(struct inode *base, unsigned int slot)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct inode *fork;
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(base->i_sb, VEXFS_CREDITS_NEW +
				     VEXFS_CREDITS_INODE, 0);
	if (IS_ERR(handle))
		return ERR_CAST(handle);
	fork = vexfs_new_inode(handle, VEXFS_NOP_IDMAP, base, S_IFREG | 0600, 0,
			       vex_fork_kind(slot));
	if (IS_ERR(fork)) {
		vexfs_journal_stop(handle);
		return fork;
	}
	vexfs_fork_attach(fork, base);
	err = vexfs_inode_write(handle, fork);
	if (!err) {
		info->forks[slot] = fork->i_ino;
		err = vexfs_inode_write(handle, base);
	}
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
	unlock_new_inode(fork);
	ihold(fork);
	spin_lock(&info->lock);
	info->fork_inodes[slot] = fork;
	spin_unlock(&info->lock);
	if (!err)
		return fork;
	iput(fork);
	return ERR_PTR(err);
}

struct inode *vexfs_fork_make(struct inode *base, unsigned int slot)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct inode *fork = vexfs_fork_get(base, slot);

	if (fork)
		return fork;
	/* Who finds its number waits until it can be found in memory. */
	mutex_lock(&info->fork_lock);
	fork = vexfs_fork_create(base, slot);
	mutex_unlock(&info->fork_lock);
	return fork;
}

/* Walking */

int vexfs_cursor_init(struct vexfs_run_cursor *cursor, struct inode *base,
		      unsigned int slot)
{
	cursor->fork = vexfs_fork_get(base, slot);
	cursor->count = 0;
	cursor->next = 0;
	cursor->from = 0;
	cursor->end = IS_ERR_OR_NULL(cursor->fork);
	return PTR_ERR_OR_ZERO(cursor->fork);
}

void vexfs_cursor_exit(struct vexfs_run_cursor *cursor)
{
	if (!IS_ERR(cursor->fork))
		iput(cursor->fork);
}

static int vexfs_cursor_fill(struct vexfs_run_cursor *cursor, u64 key)
{
	struct vexfs_inode_info *info = VEXFS_I(cursor->fork);
	struct vexfs_tree t;
	int got;

	down_read(&info->tree_sem);
	vexfs_tree_begin(&t, cursor->fork, NULL);
	got = vex_tree_find_many(&t.tree, key, cursor->runs,
				 VEXFS_CURSOR_RUNS);
	up_read(&info->tree_sem);
	if (got < 0)
		return got;
	cursor->count = got;
	cursor->next = 0;
	cursor->from = key;
	cursor->end = !got;
	return 0;
}

int vexfs_cursor_find(struct vexfs_run_cursor *cursor, u64 key,
		      struct vex_run *run)
{
	int err;

	if (unlikely(key < cursor->from)) {
		cursor->count = 0;
		cursor->end = false;
	} else if (cursor->next && key < cursor->runs[cursor->next - 1].key +
					 cursor->runs[cursor->next - 1].length) {
		cursor->next = 0;
	}
	for (;;) {
		while (cursor->next < cursor->count) {
			*run = cursor->runs[cursor->next];
			if (run->key + run->length > key)
				return 0;
			cursor->next++;
		}
		if (cursor->end) {
			run->key = U64_MAX;
			run->length = 0;
			return 0;
		}
		err = vexfs_cursor_fill(cursor, key);
		if (err)
			return err;
	}
}

int vexfs_fork_find(struct inode *base, unsigned int slot, u64 key,
		    struct vex_run *run)
{
	struct inode *fork = vexfs_fork_get(base, slot);
	struct vexfs_tree t;
	int err;

	if (IS_ERR(fork))
		return PTR_ERR(fork);
	if (!fork)
		return -ENOENT;
	down_read(&VEXFS_I(fork)->tree_sem);
	vexfs_tree_begin(&t, fork, NULL);
	err = vex_tree_find(&t.tree, key, run);
	up_read(&VEXFS_I(fork)->tree_sem);
	iput(fork);
	return err;
}

/* Is there a run that covers the key? Then -EEXIST. */
static int vexfs_fork_covers(struct inode *base, unsigned int slot, u64 key,
			     struct vex_run *run)
{
	int err = vexfs_fork_find(base, slot, key, run);

	if (err)
		return err == -ENOENT ? 0 : err;
	return run->key <= key ? -EEXIST : 0;
}

static int vexfs_row_of_id_once(struct inode *base, u64 id, u64 *row)
{
	struct vexfs_vector *vector = &VEXFS_I(base)->vector;
	/* Rows that were counted have their ids in the forks. */
	u64 rows = smp_load_acquire(&vector->rows);
	struct vex_run run;
	int err;

	*row = id;
	err = vexfs_fork_covers(base, VEXFS_FORK_ROWS, id, &run);
	if (err == -EEXIST) {
		*row = run.value + (id - run.key);
		err = 0;
	} else if (!err && vector->schema.s_ids == VEXFS_IDS_OWN) {
		err = -ENOENT;
	} else if (!err) {
		/* A row without an id in IDS has its number for one. */
		err = vexfs_fork_covers(base, VEXFS_FORK_IDS, id, &run);
	}
	if (err)
		return err == -EEXIST ? -ENOENT : err;
	if (*row >= rows)
		return -ENOENT;
	err = vexfs_fork_covers(base, VEXFS_FORK_TOMBSTONES, *row, &run);
	return err == -EEXIST ? -ENOENT : err;
}

int vexfs_row_of_id(struct inode *base, u64 id, u64 *row)
{
	struct vexfs_view view = { .inode = base };
	int err;

	do {
		vexfs_view_begin(&view);
		err = vexfs_row_of_id_once(base, id, row);
	} while (!vexfs_view_end(&view) && err == -ENOENT &&
		 view.tries < VEXFS_VIEW_TRIES);
	return err;
}

/* Changing forks */

/* Credits and revokes for one change of each of two forks and their base. */
int vexfs_forks_ensure(handle_t *handle, struct inode *a, struct inode *b)
{
	return vexfs_journal_ensure(handle, vexfs_tree_credits(a) +
				    (b ? vexfs_tree_credits(b) : 0) +
				    VEXFS_CREDITS_INODE,
				    vexfs_tree_revokes(a) +
				    (b ? vexfs_tree_revokes(b) : 0));
}

handle_t *vexfs_forks_start(struct inode *a, struct inode *b)
{
	return vexfs_journal_start(a->i_sb, vexfs_tree_credits(a) +
				   (b ? vexfs_tree_credits(b) : 0) +
				   VEXFS_CREDITS_INODE,
				   vexfs_tree_revokes(a) +
				   (b ? vexfs_tree_revokes(b) : 0));
}

static int vexfs_fork_written(handle_t *handle, struct inode *fork)
{
	int err = vexfs_inode_write(handle, fork);

	return err ? err : vexfs_inode_write(handle, VEXFS_I(fork)->fork_base);
}

int vexfs_fork_insert(handle_t *handle, struct inode *fork,
		      const struct vex_run *run, unsigned int flags)
{
	struct vexfs_tree t;
	int err;

	down_write(&VEXFS_I(fork)->tree_sem);
	vexfs_tree_begin(&t, fork, handle);
	t.flags = flags;
	err = vex_tree_insert(&t.tree, run);
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(fork)->tree_sem);
	return err ? err : vexfs_fork_written(handle, fork);
}

int vexfs_fork_cut(handle_t *handle, struct inode *fork, u64 first, u64 last,
		   struct vex_run *removed)
{
	struct vexfs_tree t;
	int err;

	down_write(&VEXFS_I(fork)->tree_sem);
	vexfs_tree_begin(&t, fork, handle);
	/* Taking the middle out of a run may need a block. */
	t.flags = VEXFS_ALLOC_RESERVE;
	err = vex_tree_cut(&t.tree, first, last, U32_MAX, removed);
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(fork)->tree_sem);
	return err ? err : vexfs_fork_written(handle, fork);
}

/* Ids */

/**
 * struct vexfs_id_at - an id and where in its batch it is
 * @id: the id
 * @index: the index
 */
struct vexfs_id_at {
	u64 id;
	u64 index;
};

/* Sorting millions takes seconds: let others run, and end on a fatal signal. */
static int vexfs_id_compare(const void *a, const void *b, const void *calls)
{
	const struct vexfs_id_at *x = a, *y = b;

	if (!(++*(u32 *)calls & 4095)) {
		cond_resched();
		if (fatal_signal_pending(current))
			return 0;
	}
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int vexfs_sort(struct vexfs_id_at *ids, u64 count)
{
	u32 calls = 0;

	sort_r(ids, count, sizeof(*ids), vexfs_id_compare, NULL, &calls);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static struct vexfs_id_at *vexfs_ids_sort(const u64 *ids, u64 count)
{
	struct vexfs_id_at *sorted;
	bool ascending = true;
	u64 i;

	sorted = kvmalloc_array(count, sizeof(*sorted), GFP_KERNEL_ACCOUNT);
	if (!sorted)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		sorted[i].id = ids[i];
		sorted[i].index = i;
		ascending &= !i || ids[i] >= ids[i - 1];
	}
	if (!ascending && vexfs_sort(sorted, count)) {
		kvfree(sorted);
		return ERR_PTR(-EINTR);
	}
	return sorted;
}

/* Ids that follow each other, as their indexes (or rows) do, from sorted[i] on. */
static u32 vexfs_sorted_run(const struct vexfs_id_at *sorted, u64 i, u64 count)
{
	u32 length = 1;

	while (i + length < count && length < U32_MAX &&
	       sorted[i + length].id == sorted[i].id + length &&
	       sorted[i + length].index == sorted[i].index + length)
		length++;
	return length;
}

/* The id is taken: may it be? Returns 0 or a negative errno. */
static int vexfs_id_taken(struct inode *base, const struct vexfs_id_at *at,
			  const struct vex_run *run,
			  struct vexfs_batch_ids *own, u64 *bad_index)
{
	u64 row = run->value + (at->id - run->key);

	if (!own->old) {
		*bad_index = min(*bad_index, at->index);
		return 0;
	}
	if (row >= VEXFS_I(base)->vector.rows)
		return vexfs_corrupt(base->i_sb, 0, base->i_ino, -EUCLEAN,
				     "an id leads to no row");
	own->old[at->index] = row;
	own->taken++;
	return 0;
}

int vexfs_ids_check(struct inode *base, struct vexfs_batch_ids *own, u64 count,
		    u64 *bad_index)
{
	struct vexfs_run_cursor *cursor;
	struct vexfs_id_at *sorted;
	struct vex_run run;
	int err = 0;
	u64 i;

	*bad_index = U64_MAX;
	for (i = 0; i < count; i++) {
		if (own->ids[i] > VEXFS_ID_MAX) {
			*bad_index = i;
			return -EINVAL;
		}
		if (own->old)
			own->old[i] = U64_MAX;
	}
	sorted = vexfs_ids_sort(own->ids, count);
	if (IS_ERR(sorted))
		return PTR_ERR(sorted);
	cursor = kmalloc(sizeof(*cursor), GFP_KERNEL_ACCOUNT);
	if (!cursor) {
		err = -ENOMEM;
		goto out_free;
	}
	err = vexfs_cursor_init(cursor, base, VEXFS_FORK_ROWS);
	for (i = 0; i < count && !err; i++) {
		if (!(i & 1023) && fatal_signal_pending(current))
			err = -EINTR;
		if (i && sorted[i].id == sorted[i - 1].id)
			*bad_index = min(*bad_index, sorted[i].index);
		if (!err)
			err = vexfs_cursor_find(cursor, sorted[i].id, &run);
		if (!err && run.length && run.key <= sorted[i].id)
			err = vexfs_id_taken(base, &sorted[i], &run, own,
					     bad_index);
		cond_resched();
	}
	if (!err && *bad_index != U64_MAX)
		err = -EEXIST;
	vexfs_cursor_exit(cursor);
	kfree(cursor);
out_free:
	kvfree(sorted);
	return err;
}

/* Put runs into one fork: row -> id, or id -> row. */
static int vexfs_ids_add_sorted(struct inode *base, unsigned int slot,
				struct vexfs_id_at *sorted, u64 count, u64 row)
{
	struct inode *fork = vexfs_fork_make(base, slot);
	bool by_row = slot == VEXFS_FORK_IDS;
	unsigned int done = 0;
	handle_t *handle;
	int err = 0, err2;
	u64 i = 0;

	if (IS_ERR(fork))
		return PTR_ERR(fork);
	while (i < count && !err) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		handle = vexfs_forks_start(fork, NULL);
		if (IS_ERR(handle)) {
			err = PTR_ERR(handle);
			break;
		}
		for (done = 0; i < count && done < VEXFS_RUNS_PER_HANDLE;
		     done++) {
			u32 length = vexfs_sorted_run(sorted, i, count);
			u64 at = row + sorted[i].index;
			struct vex_run run = {
				.key = by_row ? at : sorted[i].id,
				.value = by_row ? sorted[i].id : at,
				.length = length,
			};

			err = vexfs_forks_ensure(handle, fork, NULL);
			if (err < 0)
				break;
			err = vexfs_fork_insert(handle, fork, &run, 0);
			if (err)
				break;
			i += length;
		}
		err2 = vexfs_journal_stop(handle);
		err = err < 0 ? err : err2;
		cond_resched();
	}
	iput(fork);
	return err;
}

/* Ids that count up: one run in each fork, but for a run's greatest length. */
static int vexfs_ids_add_counting(struct inode *base, u64 row, u64 count,
				  u64 first_id)
{
	struct vex_run by_row, by_id;
	struct inode *ids, *rows;
	handle_t *handle;
	int err = 0, err2;
	u64 i;

	ids = vexfs_fork_make(base, VEXFS_FORK_IDS);
	if (IS_ERR(ids))
		return PTR_ERR(ids);
	rows = vexfs_fork_make(base, VEXFS_FORK_ROWS);
	if (IS_ERR(rows)) {
		iput(ids);
		return PTR_ERR(rows);
	}
	for (i = 0; i < count && !err; i += by_row.length) {
		by_row.key = row + i;
		by_row.value = first_id + i;
		by_row.length = min_t(u64, count - i, U32_MAX);
		by_row.flags = 0;
		by_id = by_row;
		swap(by_id.key, by_id.value);
		handle = vexfs_forks_start(ids, rows);
		if (IS_ERR(handle)) {
			err = PTR_ERR(handle);
			break;
		}
		err = vexfs_fork_insert(handle, ids, &by_row, 0);
		if (!err)
			err = vexfs_fork_insert(handle, rows, &by_id, 0);
		err2 = vexfs_journal_stop(handle);
		if (!err)
			err = err2;
	}
	iput(rows);
	iput(ids);
	return err;
}

int vexfs_ids_add(struct inode *base, u64 row, u64 count,
		  const struct vexfs_batch_ids *own, u64 first_id)
{
	struct vexfs_id_at *sorted;
	u64 i, fresh = 0;
	int err;

	if (!own->ids)
		return vexfs_ids_add_counting(base, row, count, first_id);
	sorted = kvmalloc_array(count, sizeof(*sorted), GFP_KERNEL_ACCOUNT);
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		sorted[i].id = own->ids[i];
		sorted[i].index = i;
	}
	err = vexfs_ids_add_sorted(base, VEXFS_FORK_IDS, sorted, count, row);
	for (i = 0; i < count; i++)
		if (!own->taken || own->old[i] == U64_MAX)
			sorted[fresh++] = sorted[i];
	if (!err)
		err = vexfs_sort(sorted, fresh);
	if (!err)
		err = vexfs_ids_add_sorted(base, VEXFS_FORK_ROWS, sorted, fresh,
					   row);
	kvfree(sorted);
	return err;
}

/* Left-overs */

/* Take ids out of ROWS, or its like, that lead to rows beyond the last. */
static int vexfs_trim_ids(struct inode *base, unsigned int by_id,
			  const struct vex_run *ids, u64 rows)
{
	struct inode *fork = vexfs_fork_get(base, by_id);
	u64 id = ids->value, last = ids->value + ids->length - 1;
	struct vex_run run, removed;
	handle_t *handle;
	int err = 0, err2;

	if (IS_ERR_OR_NULL(fork))
		return PTR_ERR_OR_ZERO(fork);
	while (id <= last && !err) {
		err = vexfs_fork_find(base, by_id, id, &run);
		if (err || run.key > last)
			break;
		id = max(id, run.key);
		if (run.value + (id - run.key) < rows) {
			id = run.key + run.length;
			continue;
		}
		handle = vexfs_forks_start(fork, NULL);
		if (IS_ERR(handle)) {
			err = PTR_ERR(handle);
			break;
		}
		err = vexfs_fork_cut(handle, fork, id,
				     min(last, run.key + run.length - 1),
				     &removed);
		err2 = vexfs_journal_stop(handle);
		if (!err)
			err = err2;
	}
	iput(fork);
	return err == -ENOENT ? 0 : err;
}

int vexfs_fork_trim(struct inode *base, unsigned int slot, unsigned int by_id,
		    u64 rows)
{
	struct inode *fork = vexfs_fork_get(base, slot);
	struct vex_run run, removed;
	handle_t *handle;
	int err = 0, err2;

	if (IS_ERR_OR_NULL(fork))
		return PTR_ERR_OR_ZERO(fork);
	while (!err) {
		err = vexfs_fork_find(base, slot, rows, &run);
		if (err)
			break;
		if (run.key < rows) {
			run.value += rows - run.key;
			run.length -= rows - run.key;
			run.key = rows;
		}
		if (by_id != slot) {
			err = vexfs_trim_ids(base, by_id, &run, rows);
			if (err)
				break;
		}
		handle = vexfs_forks_start(fork, NULL);
		if (IS_ERR(handle)) {
			err = PTR_ERR(handle);
			break;
		}
		err = vexfs_fork_cut(handle, fork, run.key,
				     run.key + run.length - 1, &removed);
		err2 = vexfs_journal_stop(handle);
		if (!err)
			err = err2;
		cond_resched();
	}
	iput(fork);
	return err == -ENOENT ? 0 : err;
}

int vexfs_rows_trim(struct inode *base)
{
	u64 rows = VEXFS_I(base)->vector.rows;
	unsigned int slot;
	int err;

	if (!rows) {
		for (slot = 0; slot < VEXFS_FORKS; slot++) {
			err = vexfs_fork_remove(base, slot);
			if (err)
				return err;
		}
		return 0;
	}
	err = vexfs_fork_trim(base, VEXFS_FORK_IDS, VEXFS_FORK_ROWS, rows);
	if (!err)
		err = vexfs_fork_trim(base, VEXFS_FORK_TOMBSTONES,
				      VEXFS_FORK_TOMBSTONES, rows);
	return err ? err : vexfs_attributes_trim(base, rows);
}

/* Deleting */

/* Replace the ids of a sorted batch by rows; missing ones by U64_MAX. */
static int vexfs_delete_find(struct inode *base, struct vexfs_id_at *sorted,
			     u64 count, u64 *bad_index)
{
	u64 i, row, id, previous = U64_MAX;
	int err;

	*bad_index = U64_MAX;
	for (i = 0; i < count; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		id = sorted[i].id;
		err = id == previous || id > VEXFS_ID_MAX ? -ENOENT :
		      vexfs_row_of_id(base, id, &row);
		if (err && err != -ENOENT)
			return err;
		if (err)
			*bad_index = min(*bad_index, sorted[i].index);
		previous = id;
		sorted[i].index = err ? U64_MAX : row;
		cond_resched();
	}
	return 0;
}

/* Delete a run of rows, in a handle. A full volume is no obstacle. */
static int vexfs_delete_rows(handle_t *handle, struct inode *base,
			     struct inode *tombstones, struct inode *rows,
			     const struct vexfs_id_at *at, u32 length)
{
	struct vex_run run = {
		.key = at->index,
		.value = at->index,
		.length = length,
	};
	struct vex_run removed;
	int err;

	err = vexfs_fork_insert(handle, tombstones, &run, VEXFS_ALLOC_RESERVE);
	while (rows && !err)
		err = vexfs_fork_cut(handle, rows, at->id, at->id + length - 1,
				     &removed);
	if (err && err != -ENOENT)
		return err;
	VEXFS_I(base)->vector.deleted += length;
	return vexfs_inode_write(handle, base);
}

/*
 * Credits that will do for a whole delete, if the journal can give them: three
 * blocks a run, as its leaves and now and then a split, and those of one run
 * at its worst. Reserved at once, so that the delete is one transaction.
 */
static unsigned int vexfs_delete_credits(struct inode *base, u64 runs,
					 unsigned int one)
{
	journal_t *journal = VEXFS_SB(base->i_sb)->journal;

	if (!journal)
		return one;
	return min_t(u64, 3 * runs + one,
		     max_t(u64, journal->j_max_transaction_buffers / 2, one));
}

/* A handle for the whole delete. */
static handle_t *vexfs_delete_start(struct inode *base,
				    struct inode *tombstones,
				    struct inode *rows,
				    const struct vexfs_id_at *sorted, u64 count)
{
	unsigned int one = vexfs_tree_credits(tombstones) +
			   (rows ? vexfs_tree_credits(rows) : 0) +
			   VEXFS_CREDITS_INODE;
	u64 i, runs = 0;

	for (i = 0; i < count; i += vexfs_sorted_run(sorted, i, count))
		runs++;
	return vexfs_journal_start(base->i_sb,
				   vexfs_delete_credits(base, runs, one),
				   vexfs_tree_revokes(tombstones) +
				   (rows ? vexfs_tree_revokes(rows) +
				    min_t(u64, runs, 1024) : 0));
}

/*
 * Delete rows in as few transactions as the journal allows: one, unless there
 * are more than it can hold.
 */
static int vexfs_delete_apply(struct inode *base,
			      const struct vexfs_id_at *sorted, u64 count,
			      u64 *deleted)
{
	struct inode *tombstones, *rows;
	handle_t *handle;
	int err = 0, err2;
	u32 length;
	u64 i;

	tombstones = vexfs_fork_make(base, VEXFS_FORK_TOMBSTONES);
	if (IS_ERR(tombstones))
		return PTR_ERR(tombstones);
	rows = vexfs_fork_get(base, VEXFS_FORK_ROWS);
	handle = IS_ERR(rows) ? ERR_CAST(rows) :
		 vexfs_delete_start(base, tombstones, rows, sorted, count);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_put;
	}
	for (i = 0; i < count; i += length) {
		length = 1;
		if (sorted[i].index == U64_MAX)
			continue;
		length = vexfs_sorted_run(sorted, i, count);
		err = vexfs_forks_ensure(handle, tombstones, rows);
		if (err < 0)
			break;
		err = vexfs_delete_rows(handle, base, tombstones, rows,
					&sorted[i], length);
		if (err)
			break;
		*deleted += length;
	}
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
out_put:
	if (!IS_ERR(rows))
		iput(rows);
	iput(tombstones);
	return err;
}

/* A compaction that has copied these rows has to look at them again. */
static void vexfs_delete_note(struct inode *base,
			      const struct vexfs_id_at *sorted, u64 count)
{
	u64 i;
	u32 length;

	if (!VEXFS_I(base)->compaction)
		return;
	for (i = 0; i < count; i += length) {
		length = vexfs_sorted_run(sorted, i, count);
		if (sorted[i].index == U64_MAX)
			length = 1;
		else
			vexfs_compact_note(base, sorted[i].index, length);
	}
}

/* Let searches pass over deleted rows without a look at the tombstones. */
static void vexfs_delete_hint(struct inode *base,
			      const struct vexfs_id_at *sorted, u64 count)
{
	u64 i;
	u32 length;

	for (i = 0; i < count; i += length) {
		length = vexfs_sorted_run(sorted, i, count);
		if (sorted[i].index == U64_MAX)
			length = 1;
		else
			vexfs_sketches_dead(base, sorted[i].index, length);
	}
}

int vexfs_rows_delete(struct inode *base, u64 *ids, u64 count,
		      bool ignore_missing, u64 *deleted, u64 *bad_index)
{
	struct vexfs_id_at *sorted = vexfs_ids_sort(ids, count);
	int err;

	if (IS_ERR(sorted))
		return PTR_ERR(sorted);
	err = vexfs_delete_find(base, sorted, count, bad_index);
	if (!err && *bad_index != U64_MAX && !ignore_missing)
		err = -ENOENT;
	if (!err) {
		*bad_index = U64_MAX;
		vexfs_delete_note(base, sorted, count);
		err = vexfs_delete_apply(base, sorted, count, deleted);
	}
	if (!err)
		vexfs_delete_hint(base, sorted, count);
	kvfree(sorted);
	return err;
}

int vexfs_rows_deleted_from(struct inode *base, u64 row, u64 *count)
{
	struct vexfs_run_cursor *cursor;
	struct vex_run run;
	int err;

	*count = 0;
	cursor = kmalloc(sizeof(*cursor), GFP_KERNEL);
	if (!cursor)
		return -ENOMEM;
	err = vexfs_cursor_init(cursor, base, VEXFS_FORK_TOMBSTONES);
	while (!err) {
		err = vexfs_cursor_find(cursor, row, &run);
		if (err || !run.length)
			break;
		*count += run.key + run.length - max(run.key, row);
		row = run.key + run.length;
	}
	vexfs_cursor_exit(cursor);
	kfree(cursor);
	return err;
}
