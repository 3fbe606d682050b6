// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blocks of the fork ATTRIBUTES: where they are, and changing them. They
 * are metadata, journaled and checksummed as all of it; tree_sem of the fork
 * guards their contents.
 */
#include "attributes.h"

/* New blocks a transaction. */
#define VEXFS_ATTRIBUTES_STEP	16U

/* Blocks that are freed in a transaction. */
#define VEXFS_ATTRIBUTES_CUT	64U

static const struct vexfs_disk_schema *vexfs_fork_schema(struct inode *fork)
{
	return &VEXFS_I(VEXFS_I(fork)->fork_base)->vector.schema;
}

static const char *vexfs_attributes_verify(struct inode *fork, u64 key,
					   const struct buffer_head *bh)
{
	const struct vexfs_disk_schema *schema = vexfs_fork_schema(fork);

	if (key >= VEXFS_KEY_STRINGS)
		return vex_strings_check((const void *)bh->b_data, key);
	if (!schema->s_columns)
		return "at_key: attributes of a file without columns";
	return vex_attributes_check((const void *)bh->b_data, schema, key);
}

struct buffer_head *vexfs_attributes_block(struct inode *fork, u64 key)
{
	u32 magic = key < VEXFS_KEY_STRINGS ? VEXFS_MAGIC_ATTRIBUTES :
					      VEXFS_MAGIC_STRINGS;
	struct super_block *sb = fork->i_sb;
	struct buffer_head *bh;
	struct vexfs_tree t;
	struct vex_run run;
	const char *what;
	bool fresh;
	int err;

	vexfs_tree_begin(&t, fork, NULL);
	err = vex_tree_find(&t.tree, key, &run);
	if (err == -ENOENT || (!err && run.key > key))
		return NULL;
	if (err)
		return ERR_PTR(err);
	bh = vexfs_meta_read(sb, run.value + (key - run.key), magic,
			     fork->i_ino, &fresh);
	if (IS_ERR(bh) || !fresh)
		return bh;
	what = vexfs_attributes_verify(fork, key, bh);
	if (what) {
		err = vexfs_corrupt(sb, bh->b_blocknr, fork->i_ino, -EUCLEAN,
				    what);
		brelse(bh);
		return ERR_PTR(err);
	}
	vexfs_meta_verified(bh);
	return bh;
}

/* Writing */

/**
 * struct vexfs_attributes_fill - rows on their way into blocks
 * @fork: the fork
 * @columns: columns
 * @per_block: rows a block
 * @row: the next row
 * @end: one past the last
 * @records: their records, or NULL
 */
struct vexfs_attributes_fill {
	struct inode *fork;
	u32 columns;
	u32 per_block;
	u64 row;
	u64 end;
	const s64 *records;
};

/* Fill what belongs into one block, which may be changed. */
static void vexfs_fill_block(struct vexfs_attributes_fill *fill, u64 key,
			     struct vexfs_disk_attributes *block)
{
	u64 first = key * fill->per_block;
	u64 end = min(fill->end, first + fill->per_block);

	for (; fill->row < end; fill->row++) {
		if (!fill->records)
			continue;
		vex_attributes_put(block, fill->columns, fill->row - first,
				   U32_MAX, fill->records[0],
				   fill->records + 1);
		fill->records += VEXFS_RECORD_WORDS(fill->columns);
	}
}

/* Change a block that is there. */
static int vexfs_fill_old(handle_t *handle, struct vexfs_attributes_fill *fill,
			  u64 key)
{
	struct buffer_head *bh;
	int err;

	bh = vexfs_attributes_block(fill->fork, key);
	if (IS_ERR_OR_NULL(bh))
		return bh ? PTR_ERR(bh) : -EUCLEAN;
	err = vexfs_meta_access(handle, bh);
	if (!err) {
		vexfs_fill_block(fill, key, (void *)bh->b_data);
		err = vexfs_meta_dirty(handle, bh);
	}
	brelse(bh);
	return err;
}

/* Make blocks for @count keys that have none, as many as follow each other. */
static int vexfs_fill_new(handle_t *handle, struct vexfs_attributes_fill *fill,
			  u64 key, u32 count)
{
	struct buffer_head *bhs[VEXFS_ATTRIBUTES_STEP];
	struct inode *fork = fill->fork;
	struct super_block *sb = fork->i_sb;
	struct vexfs_attributes_fill begun = *fill;
	struct vex_run run = { .key = key };
	struct vexfs_tree t;
	u32 got, i;
	int err;

	vexfs_tree_begin(&t, fork, handle);
	/* After the block before it, if there is one. */
	if (!vex_tree_find_last(&t.tree, key, &run))
		run.value += run.length;
	run.key = key;
	run.value = vexfs_alloc_blocks(handle, sb, run.value, count, 0, &got,
				       &err);
	if (!run.value)
		return err;
	run.length = got;
	for (i = 0; i < got; i++) {
		struct vexfs_disk_attributes *block;

		bhs[i] = vexfs_meta_new(handle, sb, run.value + i,
					VEXFS_MAGIC_ATTRIBUTES, fork->i_ino);
		if (IS_ERR(bhs[i])) {
			err = PTR_ERR(bhs[i]);
			goto out_forget;
		}
		block = (void *)bhs[i]->b_data;
		block->at_key = cpu_to_le64(key + i);
		vexfs_fill_block(fill, key + i, block);
	}
	err = vex_tree_insert(&t.tree, &run);
	if (err)
		goto out_forget;
	for (i = 0; i < got; i++) {
		int err2 = vexfs_meta_dirty(handle, bhs[i]);

		if (!err)
			err = err2;
		brelse(bhs[i]);
	}
	t.blocks_delta += got;
	vexfs_tree_end(&t);
	return err;

out_forget:
	while (i-- > 0)
		vexfs_meta_forget(handle, bhs[i]);
	vexfs_free_blocks(handle, sb, run.value, got);
	vexfs_tree_end(&t);
	*fill = begun;
	return err;
}

/* The blocks from @key on that are not there, at most a step of them. */
static int vexfs_fill_missing(struct vexfs_attributes_fill *fill, u64 key,
			      u32 *missing)
{
	u64 last = div_u64(fill->end - 1, fill->per_block);
	struct vexfs_tree t;
	struct vex_run run;
	int err;

	down_read(&VEXFS_I(fill->fork)->tree_sem);
	vexfs_tree_begin(&t, fill->fork, NULL);
	err = vex_tree_find(&t.tree, key, &run);
	up_read(&VEXFS_I(fill->fork)->tree_sem);
	if (err && err != -ENOENT)
		return err;
	if (err)
		run.key = VEXFS_KEY_STRINGS;
	*missing = run.key <= key ? 0 :
		   min3(run.key - key, last - key + 1,
			(u64)VEXFS_ATTRIBUTES_STEP);
	return 0;
}

/* One transaction. It takes in some rows, or fails and takes in none. */
static int vexfs_fill_step(struct vexfs_attributes_fill *fill)
{
	u64 key = div_u64(fill->row, fill->per_block);
	struct inode *fork = fill->fork;
	handle_t *handle;
	u32 missing;
	int err, err2;

	err = vexfs_fill_missing(fill, key, &missing);
	if (err)
		return err;
	if (!missing && !fill->records) {
		fill->row = min(fill->end, (key + 1) * fill->per_block);
		return 0;
	}
	handle = vexfs_journal_start(fork->i_sb, vexfs_tree_credits(fork) +
				     VEXFS_CREDITS_ALLOC + max(missing, 1U),
				     vexfs_tree_revokes(fork) + missing);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	down_write(&VEXFS_I(fork)->tree_sem);
	err = missing ? vexfs_fill_new(handle, fill, key, missing) :
			vexfs_fill_old(handle, fill, key);
	up_write(&VEXFS_I(fork)->tree_sem);
	/* The tree may have got blocks although there was no room for the rest. */
	err2 = vexfs_inode_write(handle, fork);
	if (!err2)
		err2 = vexfs_inode_write(handle, VEXFS_I(fork)->fork_base);
	if (!err)
		err = err2;
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_attributes_write(struct inode *fork, u64 row, u64 count,
			   const s64 *records)
{
	u32 columns = vexfs_fork_schema(fork)->s_columns;
	struct vexfs_attributes_fill fill = {
		.fork = fork,
		.columns = columns,
		.per_block = vex_attributes_rows(columns),
		.row = row,
		.end = row + count,
		.records = records,
	};
	int err = 0, tries = 0;

	while (fill.row < fill.end && !err) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = vexfs_fill_step(&fill);
		if (err == -ENOSPC && vexfs_alloc_retry(fork->i_sb, &tries))
			err = 0;
		cond_resched();
	}
	return err;
}

int vexfs_attributes_read(struct inode *fork, u64 row, s64 *record)
{
	struct buffer_head *bh;
	u32 columns, index;
	u64 key;
	int err = 0;

	if (!fork)
		return 0;
	columns = vexfs_fork_schema(fork)->s_columns;
	key = div_u64_rem(row, vex_attributes_rows(columns), &index);
	down_read(&VEXFS_I(fork)->tree_sem);
	bh = vexfs_attributes_block(fork, key);
	if (IS_ERR(bh))
		err = PTR_ERR(bh);
	else if (bh)
		record[0] = vex_attributes_get((const void *)bh->b_data,
					       columns, index, record + 1);
	up_read(&VEXFS_I(fork)->tree_sem);
	if (!IS_ERR(bh))
		brelse(bh);
	return err;
}

/* Freeing */

/*
 * Cut the last keys out of a range, and free the blocks that they lead to: all
 * but hashes lead to some. Returns -ENOENT if there are none.
 */
static int vexfs_attributes_cut(struct inode *fork, u64 first, u64 last)
{
	struct super_block *sb = fork->i_sb;
	struct vex_run run;
	struct vexfs_tree t;
	handle_t *handle;
	u32 blocks, i;
	int err, err2;

	handle = vexfs_journal_start(sb, vexfs_tree_credits(fork) +
				     VEXFS_CREDITS_ALLOC,
				     vexfs_tree_revokes(fork) +
				     VEXFS_ATTRIBUTES_CUT);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	down_write(&VEXFS_I(fork)->tree_sem);
	vexfs_tree_begin(&t, fork, handle);
	t.flags = VEXFS_ALLOC_RESERVE;
	err = vex_tree_cut(&t.tree, first, last, VEXFS_ATTRIBUTES_CUT, &run);
	blocks = !err && run.key < VEXFS_KEY_HASHES ? run.length : 0;
	for (i = 0; !err && i < blocks; i++) {
		struct buffer_head *bh = sb_getblk(sb, run.value + i);

		err = bh ? vexfs_meta_forget(handle, bh) : -ENOMEM;
	}
	if (!err && blocks) {
		err = vexfs_free_blocks(handle, sb, run.value, blocks);
		if (!err)
			t.blocks_delta -= blocks;
	}
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(fork)->tree_sem);
	if (!err)
		err = vexfs_inode_write(handle, fork);
	if (!err)
		err = vexfs_inode_write(handle, VEXFS_I(fork)->fork_base);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

static int vexfs_attributes_cut_all(struct inode *fork, u64 first, u64 last)
{
	int err;

	do {
		err = vexfs_attributes_cut(fork, first, last);
		cond_resched();
	} while (!err);
	return err == -ENOENT ? 0 : err;
}

/*
 * What leads to something goes before it: a crash between two transactions, or
 * whoever looks up a string meanwhile, finds nothing that leads to nothing.
 */
int vexfs_attributes_free(struct inode *fork)
{
	int err = vexfs_attributes_cut_all(fork, VEXFS_KEY_HASHES, U64_MAX);

	if (!err)
		err = vexfs_attributes_cut_all(fork, 0, VEXFS_KEY_STRINGS - 1);
	return err ? err : vexfs_attributes_cut_all(fork, VEXFS_KEY_STRINGS,
						    VEXFS_KEY_HASHES - 1);
}

/* Make the rows of a block from one on null. */
static int vexfs_attributes_clear(struct inode *fork, u64 key, u32 from)
{
	u32 columns = vexfs_fork_schema(fork)->s_columns, i;
	s64 values[VEXFS_COLUMNS_MAX] = { };
	struct buffer_head *bh;
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(fork->i_sb, 1, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	down_write(&VEXFS_I(fork)->tree_sem);
	bh = vexfs_attributes_block(fork, key);
	err = PTR_ERR_OR_ZERO(bh);
	if (!IS_ERR_OR_NULL(bh)) {
		err = vexfs_meta_access(handle, bh);
		for (i = from; !err && i < vex_attributes_rows(columns); i++)
			vex_attributes_put((void *)bh->b_data, columns, i,
					   U32_MAX, 0, values);
		if (!err)
			err = vexfs_meta_dirty(handle, bh);
		brelse(bh);
	}
	up_write(&VEXFS_I(fork)->tree_sem);
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_attributes_trim(struct inode *base, u64 rows)
{
	struct inode *fork = vexfs_fork_get(base, VEXFS_FORK_ATTRIBUTES);
	u32 columns = VEXFS_I(base)->vector.schema.s_columns, index;
	u64 key;
	int err;

	if (IS_ERR_OR_NULL(fork))
		return PTR_ERR_OR_ZERO(fork);
	err = 0;
	if (columns) {
		key = div_u64_rem(rows, vex_attributes_rows(columns), &index);
		err = vexfs_attributes_cut_all(fork, key + !!index,
					       VEXFS_KEY_STRINGS - 1);
		if (!err && index)
			err = vexfs_attributes_clear(fork, key, index);
	}
	iput(fork);
	return err;
}
