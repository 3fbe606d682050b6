// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dictionary of a file's string attributes: strings one after the other in
 * blocks, found by their hashes. It only grows, so a place that was given out
 * stays good for as long as the fork is there.
 */
#include "attributes.h"

static u64 vexfs_string_key(struct inode *fork, const u8 *string, u32 bytes)
{
	u64 hash = vex_xxh64(string, bytes, VEXFS_SB(fork->i_sb)->hash_seed);

	return VEXFS_KEY_HASHES | (hash & VEXFS_KEY_HASH_MASK);
}

/*
 * The block of a string, to be released, and the string in it; -ENODATA if
 * there is none.
 * Context: tree_sem held.
 */
static struct buffer_head *vexfs_string_get(struct inode *fork, u64 place,
					    const u8 **string, u32 *bytes)
{
	u64 key = VEXFS_KEY_STRINGS + (place >> VEXFS_BLOCK_BITS);
	struct buffer_head *bh = NULL;

	if (place < VEXFS_STRINGS_BLOCKS_MAX << VEXFS_BLOCK_BITS)
		bh = vexfs_attributes_block(fork, key);
	if (IS_ERR(bh))
		return bh;
	*string = bh ? vex_string_at((const void *)bh->b_data,
				     place & (VEXFS_BLOCK_SIZE - 1), bytes) :
		  NULL;
	if (*string)
		return bh;
	brelse(bh);
	return ERR_PTR(-ENODATA);
}

/*
 * Find a string, or with -ENOENT the key for a new one.
 * Context: tree_sem held.
 */
static int vexfs_string_search(struct inode *fork, const u8 *string, u32 bytes,
			       u64 *key, u64 *place)
{
	u64 end = *key + VEXFS_KEY_COLLISIONS;
	struct buffer_head *bh;
	struct vexfs_tree t;
	struct vex_run run;
	const u8 *other;
	u32 other_bytes;
	bool same;
	int err;

	vexfs_tree_begin(&t, fork, NULL);
	for (; *key < end; ++*key) {
		err = vex_tree_find(&t.tree, *key, &run);
		if (err || run.key > *key)
			return err ? err : -ENOENT;
		*place = run.value + (*key - run.key);
		bh = vexfs_string_get(fork, *place, &other, &other_bytes);
		/* Hashes are removed before strings are. */
		if (bh == ERR_PTR(-ENODATA))
			return vexfs_corrupt(fork->i_sb, 0, fork->i_ino,
					     -EUCLEAN,
					     "a hash leads to no string");
		if (IS_ERR(bh))
			return PTR_ERR(bh);
		same = other_bytes == bytes && !memcmp(other, string, bytes);
		brelse(bh);
		if (same)
			return 0;
	}
	return -ENOSPC;
}

int vexfs_string_find(struct inode *fork, const u8 *string, u32 bytes,
		      u64 *place)
{
	u64 key = vexfs_string_key(fork, string, bytes);
	int err;

	down_read(&VEXFS_I(fork)->tree_sem);
	err = vexfs_string_search(fork, string, bytes, &key, place);
	up_read(&VEXFS_I(fork)->tree_sem);
	/* Not there, and could not be. */
	return err == -ENOSPC ? -ENOENT : err;
}

int vexfs_string_read(struct inode *fork, u64 place, u8 *string)
{
	struct buffer_head *bh;
	const u8 *found;
	u32 bytes;

	if (!fork)
		return -ENODATA;
	down_read(&VEXFS_I(fork)->tree_sem);
	bh = vexfs_string_get(fork, place, &found, &bytes);
	if (!IS_ERR(bh)) {
		memcpy(string, found, bytes);
		brelse(bh);
	}
	up_read(&VEXFS_I(fork)->tree_sem);
	return IS_ERR(bh) ? PTR_ERR(bh) : bytes;
}

/* Adding */

/* A new block at the end of the dictionary. */
static struct buffer_head *vexfs_strings_new(handle_t *handle,
					     struct vexfs_tree *t, u64 key,
					     u64 goal)
{
	struct super_block *sb = t->inode->i_sb;
	struct vex_run run = { .key = key, .length = 1 };
	struct vexfs_disk_strings *block;
	struct buffer_head *bh;
	u32 got;
	int err;

	if (key >= VEXFS_KEY_STRINGS + VEXFS_STRINGS_BLOCKS_MAX)
		return ERR_PTR(-EFBIG);
	run.value = vexfs_alloc_blocks(handle, sb, goal, 1, 0, &got, &err);
	if (!run.value)
		return ERR_PTR(err);
	bh = vexfs_meta_new(handle, sb, run.value, VEXFS_MAGIC_STRINGS,
			    t->inode->i_ino);
	if (IS_ERR(bh)) {
		vexfs_free_blocks(handle, sb, run.value, 1);
		return bh;
	}
	block = (void *)bh->b_data;
	block->ss_key = cpu_to_le64(key);
	err = vex_tree_insert(&t->tree, &run);
	if (err) {
		vexfs_meta_forget(handle, bh);
		vexfs_free_blocks(handle, sb, run.value, 1);
		return ERR_PTR(err);
	}
	t->blocks_delta++;
	return bh;
}

/* The block that a string of so many bytes goes into; it may be changed. */
static struct buffer_head *vexfs_strings_last(handle_t *handle,
					      struct vexfs_tree *t, u32 bytes,
					      u64 *key)
{
	struct vexfs_disk_strings *block;
	struct buffer_head *bh;
	struct vex_run run;
	int err;

	*key = VEXFS_KEY_STRINGS;
	err = vex_tree_find_last(&t->tree, VEXFS_KEY_HASHES, &run);
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (err || run.key < VEXFS_KEY_STRINGS)
		return vexfs_strings_new(handle, t, *key, 0);
	*key = run.key + run.length - 1;
	bh = vexfs_attributes_block(t->inode, *key);
	if (IS_ERR_OR_NULL(bh))
		return bh ? bh : ERR_PTR(-EUCLEAN);
	block = (void *)bh->b_data;
	if (le16_to_cpu(block->ss_bytes) + 1 + bytes > VEXFS_STRINGS_BYTES) {
		brelse(bh);
		++*key;
		return vexfs_strings_new(handle, t, *key,
					 run.value + run.length);
	}
	err = vexfs_meta_access(handle, bh);
	if (!err)
		return bh;
	brelse(bh);
	return ERR_PTR(err);
}

static int vexfs_string_append(handle_t *handle, struct vexfs_tree *t,
			       u64 hash_key, const u8 *string, u32 bytes,
			       u64 *place)
{
	struct vex_run run = { .key = hash_key, .length = 1 };
	struct vexfs_disk_strings *block;
	struct buffer_head *bh;
	u64 key;
	u32 at;
	int err;

	bh = vexfs_strings_last(handle, t, bytes, &key);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	block = (void *)bh->b_data;
	at = le16_to_cpu(block->ss_bytes);
	*place = ((key - VEXFS_KEY_STRINGS) << VEXFS_BLOCK_BITS) + at;
	block->ss_data[at] = bytes;
	memcpy(block->ss_data + at + 1, string, bytes);
	block->ss_bytes = cpu_to_le16(at + 1 + bytes);
	err = vexfs_meta_dirty(handle, bh);
	brelse(bh);
	if (err)
		return err;
	/* If this fails, no hash leads to the string, and it is added again. */
	run.value = *place;
	return vex_tree_insert(&t->tree, &run);
}

static int vexfs_string_add_once(struct inode *fork, u64 hash_key,
				 const u8 *string, u32 bytes, u64 *place)
{
	struct vexfs_tree t;
	handle_t *handle;
	int err, err2;

	/* Two changes of the tree, the second of one that may have grown. */
	handle = vexfs_journal_start(fork->i_sb,
				     2 * vexfs_tree_credits(fork) +
				     2 * VEXFS_CREDITS_ALLOC + 8,
				     2 * vexfs_tree_revokes(fork) + 1);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	down_write(&VEXFS_I(fork)->tree_sem);
	vexfs_tree_begin(&t, fork, handle);
	err = vexfs_string_append(handle, &t, hash_key, string, bytes, place);
	vexfs_tree_end(&t);
	up_write(&VEXFS_I(fork)->tree_sem);
	/* A part of the change may have been made in any case. */
	err2 = vexfs_inode_write(handle, fork);
	if (!err2)
		err2 = vexfs_inode_write(handle, VEXFS_I(fork)->fork_base);
	if (!err)
		err = err2;
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

int vexfs_string_add(struct inode *fork, const u8 *string, u32 bytes,
		     u64 *place)
{
	u64 key = vexfs_string_key(fork, string, bytes);
	int err, tries = 0;

	/* Only holders of i_rwsem change it. */
	down_read(&VEXFS_I(fork)->tree_sem);
	err = vexfs_string_search(fork, string, bytes, &key, place);
	up_read(&VEXFS_I(fork)->tree_sem);
	if (err != -ENOENT)
		return err;
	do {
		err = vexfs_string_add_once(fork, key, string, bytes, place);
	} while (err == -ENOSPC && vexfs_alloc_retry(fork->i_sb, &tries));
	return err;
}
