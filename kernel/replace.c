// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows that take the place of others with the same ids (VEXFS_INSERT_REPLACE).
 *
 * New rows are written behind the others, as those of any insert, and their ids
 * go into IDS. Then one transaction deletes the old rows, has their ids lead to
 * the new ones, and publishes these: a crash leaves a row or what replaced it.
 *
 * In memory old rows go first, so nobody sees both. Whoever looks at rows at
 * that moment may see neither; a counter tells, as that of a seqcount. Who finds
 * that it has moved looks again, and the next to replace rows waits for those.
 */
#include <linux/wait_bit.h>
#include "compact.h"
#include "rows.h"
#include "sketch.h"

/* How long those who look again are waited for. */
#define VEXFS_PATIENCE		HZ

/* Looking */

void vexfs_view_begin(struct vexfs_view *view)
{
	struct vexfs_vector *vector = &VEXFS_I(view->inode)->vector;

	if (view->tries++)
		atomic_inc(&vector->patience);
	wait_var_event_killable(&vector->replacing,
				!(READ_ONCE(vector->replacing) & 1));
	/* Pairs with vexfs_replace_end(). */
	view->count = smp_load_acquire(&vector->replacing);
}

bool vexfs_view_end(struct vexfs_view *view)
{
	struct vexfs_vector *vector = &VEXFS_I(view->inode)->vector;
	bool same;

	/* What was looked at was so before this. Pairs with vexfs_replace_begin(). */
	smp_rmb();
	same = READ_ONCE(vector->replacing) == view->count;
	if (view->tries > 1 && atomic_dec_and_test(&vector->patience))
		wake_up_var(&vector->patience);
	return same;
}

/* Replacing */

static void vexfs_replace_begin(struct vexfs_vector *vector)
{
	wait_var_event_timeout(&vector->patience,
			       !atomic_read(&vector->patience), VEXFS_PATIENCE);
	WRITE_ONCE(vector->replacing, vector->replacing + 1);
	/* Whoever sees a row gone sees this. Pairs with vexfs_view_end(). */
	smp_wmb();
}

static void vexfs_replace_end(struct vexfs_vector *vector)
{
	/* Whoever sees this sees the rows. Pairs with vexfs_view_begin(). */
	smp_store_release(&vector->replacing, vector->replacing + 1);
	/* And those that wait for it were told to. */
	smp_mb();
	wake_up_var(&vector->replacing);
}

/**
 * struct vexfs_replace - a batch of rows on their way into others' places
 * @base: the vector file
 * @tombstones: its fork of deleted rows
 * @rows: its fork of rows by id
 * @first: the first new row
 * @count: new rows
 * @done: of these, rows that are published
 * @own: their ids
 */
struct vexfs_replace {
	struct inode *base;
	struct inode *tombstones;
	struct inode *rows;
	u64 first;
	u64 count;
	u64 done;
	const struct vexfs_batch_ids *own;
};

/* Rows from @at on that are new, or whose ids and old rows follow each other. */
static u32 vexfs_replace_run(const struct vexfs_replace *replace, u64 at)
{
	const u64 *ids = replace->own->ids + at, *old = replace->own->old + at;
	u64 most = replace->count - at;
	u32 length = 1;

	if (*old == U64_MAX) {
		while (length < most && old[length] == U64_MAX)
			length++;
		return length;
	}
	while (length < most && ids[length] == *ids + length &&
	       old[length] == *old + length)
		length++;
	return length;
}

/* Of one run, at its worst. */
static unsigned int vexfs_replace_credits(const struct vexfs_replace *replace)
{
	return vexfs_tree_credits(replace->tombstones) +
	       2 * vexfs_tree_credits(replace->rows) + VEXFS_CREDITS_INODE;
}

static unsigned int vexfs_replace_revokes(const struct vexfs_replace *replace)
{
	return vexfs_tree_revokes(replace->tombstones) +
	       2 * vexfs_tree_revokes(replace->rows);
}

/*
 * A handle for all that is left if the journal can give so much: four blocks a
 * run, and those of one run at its worst.
 */
static handle_t *vexfs_replace_start(const struct vexfs_replace *replace)
{
	struct super_block *sb = replace->base->i_sb;
	journal_t *journal = VEXFS_SB(sb)->journal;
	unsigned int one = vexfs_replace_credits(replace);
	u64 at, runs = 0, most = one;

	for (at = replace->done; at < replace->count;
	     at += vexfs_replace_run(replace, at))
		runs += replace->own->old[at] != U64_MAX;
	if (journal)
		most = max(most, (u64)journal->j_max_transaction_buffers / 2);
	return vexfs_journal_start(sb, min(4 * runs + one, most),
				   vexfs_replace_revokes(replace) +
				   min_t(u64, runs, 1024));
}

/*
 * A run of old rows goes, and their ids lead to the new ones. A full volume is
 * no obstacle. Returns a negative errno if nothing was changed; what goes wrong
 * later is in @err.
 */
static int vexfs_replace_ids(handle_t *handle,
			     const struct vexfs_replace *replace, u64 at,
			     u32 length, int *err)
{
	u64 id = replace->own->ids[at];
	struct vex_run removed, run = {
		.key = replace->own->old[at],
		.value = replace->own->old[at],
		.length = length,
	};
	int ret;

	ret = vexfs_fork_insert(handle, replace->tombstones, &run,
				VEXFS_ALLOC_RESERVE);
	if (ret)
		return ret;
	VEXFS_I(replace->base)->vector.deleted += length;
	do {
		ret = vexfs_fork_cut(handle, replace->rows, id,
				     id + length - 1, &removed);
	} while (!ret);
	run.key = id;
	run.value = replace->first + at;
	if (ret == -ENOENT)
		ret = vexfs_fork_insert(handle, replace->rows, &run,
					VEXFS_ALLOC_RESERVE);
	*err = ret;
	return 0;
}

/* Rows up to @at are there: this becomes durable with what was changed. */
static int vexfs_replace_publish(handle_t *handle,
				 struct vexfs_replace *replace, u64 at)
{
	struct vexfs_inode_info *info = VEXFS_I(replace->base);
	struct vexfs_vector *vector = &info->vector;

	replace->done = at;
	spin_lock(&info->lock);
	vector->published_rows = replace->first + at;
	info->disk_size = vector->published_rows * vector->row_bytes;
	spin_unlock(&info->lock);
	return vexfs_inode_write(handle, replace->base);
}

/* As many rows as a transaction has room for, at least one run. */
static int vexfs_replace_part(struct vexfs_replace *replace)
{
	handle_t *handle = vexfs_replace_start(replace);
	u64 at = replace->done;
	int ret = 0, err = 0, err2;
	u32 length;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	for (; at < replace->count && !err; at += length) {
		length = vexfs_replace_run(replace, at);
		if (replace->own->old[at] == U64_MAX)
			continue;
		ret = vexfs_journal_extend(handle,
					   vexfs_replace_credits(replace),
					   vexfs_replace_revokes(replace));
		if (!ret)
			ret = vexfs_replace_ids(handle, replace, at, length,
						&err);
		if (ret)
			break;
	}
	err2 = at > replace->done ?
	       vexfs_replace_publish(handle, replace, at) : 0;
	err = err ? err : min(ret, 0);
	err = err ? err : err2;
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/* Let searches pass over the old rows without a look at the tombstones. */
static void vexfs_replace_hint(const struct vexfs_replace *replace)
{
	u64 at;
	u32 length;

	for (at = 0; at < replace->done; at += length) {
		length = vexfs_replace_run(replace, at);
		if (replace->own->old[at] != U64_MAX)
			vexfs_sketches_dead(replace->base,
					    replace->own->old[at], length);
	}
}

/* A compaction that has copied the old rows has to look at them again. */
static void vexfs_replace_note(const struct vexfs_replace *replace)
{
	u64 at;
	u32 length;

	if (!VEXFS_I(replace->base)->compaction)
		return;
	for (at = 0; at < replace->count; at += length) {
		length = vexfs_replace_run(replace, at);
		if (replace->own->old[at] != U64_MAX)
			vexfs_compact_note(replace->base,
					   replace->own->old[at], length);
	}
}

static int vexfs_replace_forks(struct vexfs_replace *replace)
{
	replace->tombstones = vexfs_fork_make(replace->base,
					      VEXFS_FORK_TOMBSTONES);
	if (IS_ERR(replace->tombstones))
		return PTR_ERR(replace->tombstones);
	/* Ids that are taken were found in it. */
	replace->rows = vexfs_fork_make(replace->base, VEXFS_FORK_ROWS);
	if (!IS_ERR(replace->rows))
		return 0;
	iput(replace->tombstones);
	return PTR_ERR(replace->rows);
}

int vexfs_rows_replace(struct inode *base, u64 first, u64 count,
		       const struct vexfs_batch_ids *own)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct vexfs_vector *vector = &info->vector;
	struct vexfs_replace replace = {
		.base = base,
		.first = first,
		.count = count,
		.own = own,
	};
	int err;

	err = filemap_write_and_wait_range(base->i_mapping,
					   first * vector->row_bytes,
					   (first + count) * vector->row_bytes -
					   1);
	if (!err)
		err = vexfs_replace_forks(&replace);
	if (err)
		return err;
	vexfs_replace_note(&replace);
	mutex_lock(&info->publish_lock);
	vexfs_replace_begin(vector);
	while (replace.done < count && !err) {
		err = vexfs_replace_part(&replace);
		cond_resched();
	}
	if (replace.done)
		vexfs_rows_grow(base, first + replace.done, vector->next_id);
	vexfs_replace_end(vector);
	mutex_unlock(&info->publish_lock);
	vexfs_replace_hint(&replace);
	iput(replace.rows);
	iput(replace.tombstones);
	return err;
}
