// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute columns of a vector file: the blocks of its attributes and of the
 * dictionary of strings, that strings of rows are in it, and that hashes lead
 * to their strings.
 */
#include "fsck.h"
#include "attributes.h"

#include <linux/vexfs.h>
#include <stdlib.h>

/* Findings about one file's attributes; the first few tell it all. */
#define COLUMN_FINDINGS_MAX	10U

/* Blocks of strings that are kept. */
#define STRINGS_KEPT		64U

typedef unsigned long long ull;

/**
 * struct kept - a block of strings in memory
 * @key: its key, or 0
 * @there: the tree leads to it
 * @good: it could be read and is sound
 * @block: the block
 */
struct kept {
	u64 key;
	bool there;
	bool good;
	struct vexfs_disk_strings block;
};

/**
 * struct columns - a file's attributes being checked
 * @rows: the file
 * @fork: the fork's number
 * @tree: its tree
 * @blocks: blocks of the fork
 * @found: findings so far
 * @sound: all blocks could be claimed
 * @kept: blocks of strings, by key
 */
struct columns {
	struct fsck_rows *rows;
	u64 fork;
	struct volume_tree tree;
	u64 blocks;
	u32 found;
	bool sound;
	struct kept kept[STRINGS_KEPT];
};

#define column_finding(columns, ...)					\
do {									\
	if ((columns)->found++ < COLUMN_FINDINGS_MAX)			\
		fsck_note_inode((columns)->rows->fsck,			\
				(columns)->rows->ino, __VA_ARGS__);	\
} while (0)

static const struct vexfs_disk_strings *strings_block(struct columns *columns,
						      u64 key)
{
	struct kept *kept = &columns->kept[key % STRINGS_KEPT];
	const char *what;
	struct vex_run run;

	if (kept->key == key)
		return kept->good ? &kept->block : NULL;
	kept->key = key;
	kept->there = !vex_tree_find(&columns->tree.tree, key, &run) &&
		      run.key <= key;
	kept->good = kept->there &&
		     !volume_read_meta(&columns->rows->fsck->vol,
				       run.value + (key - run.key),
				       VEXFS_MAGIC_STRINGS, columns->fork,
				       &kept->block, &what) &&
		     !vex_strings_check(&kept->block, key);
	return kept->good ? &kept->block : NULL;
}

/* The string at a place, if one begins there. */
static const u8 *string_at(struct columns *columns, u64 place, u32 *bytes)
{
	const struct vexfs_disk_strings *block;
	u32 offset = place % VEXFS_BLOCK_SIZE, at = 0;

	block = strings_block(columns, VEXFS_KEY_STRINGS +
			      place / VEXFS_BLOCK_SIZE);
	if (!block)
		return NULL;
	while (at < offset && at < le16_to_cpu(block->ss_bytes))
		at += 1 + block->ss_data[at];
	return at == offset ? vex_string_at(block, offset, bytes) : NULL;
}

/* Nothing is at a place: does check_block() tell that, as all of the block is lost? */
static bool block_lost(const struct columns *columns, u64 place)
{
	u64 key = VEXFS_KEY_STRINGS + place / VEXFS_BLOCK_SIZE;
	const struct kept *kept = &columns->kept[key % STRINGS_KEPT];

	return kept->key == key && kept->there && !kept->good;
}

/* The strings of the rows of a block that are published. */
static void check_rows(struct columns *columns,
		       const struct vexfs_disk_attributes *block, u64 key)
{
	const struct vexfs_disk_schema *schema =
		&columns->rows->inode->ino_schema;
	u32 per_block = vex_attributes_rows(schema->s_columns);
	u64 first = key * per_block;
	s64 values[VEXFS_COLUMNS_MAX];
	u32 present, bytes;

	for (u32 i = 0; i < per_block && first + i < columns->rows->rows; i++) {
		present = vex_attributes_get(block, schema->s_columns, i,
					     values);
		for (u32 c = 0; c < schema->s_columns; c++)
			if (present >> c & 1 &&
			    vex_column_type(schema, c) ==
			    VEXFS_COLUMN_STRING &&
			    !string_at(columns, (u64)values[c], &bytes) &&
			    !block_lost(columns, (u64)values[c]))
				column_finding(columns,
					       "attributes fork: column %u of row %llu leads to no string",
					       c, (ull)(first + i));
	}
}

static void check_block(struct columns *columns, u64 key, u64 number)
{
	const struct vexfs_disk_schema *schema =
		&columns->rows->inode->ino_schema;
	struct volume *vol = &columns->rows->fsck->vol;
	bool strings = key >= VEXFS_KEY_STRINGS;
	struct vexfs_disk_attributes block;
	const char *what = NULL;

	if (!volume_read_meta(vol, number, strings ? VEXFS_MAGIC_STRINGS :
			      VEXFS_MAGIC_ATTRIBUTES, columns->fork, &block,
			      &what) && !strings && !schema->s_columns)
		what = "at_key: attributes of a file without columns";
	else if (!what)
		what = strings ?
		       vex_strings_check((const void *)&block, key) :
		       vex_attributes_check(&block, schema, key);
	if (what)
		column_finding(columns, "attributes fork: block %llu: %s",
			       (ull)number, what);
	else if (!strings)
		check_rows(columns, &block, key);
}

/* A hash leads to a string that has it. */
static void check_hash(struct columns *columns, u64 key, u64 place)
{
	u64 seed = le64_to_cpu(columns->rows->fsck->vol.super.sb_hash_seed);
	const u8 *string;
	u32 bytes = 0;

	string = string_at(columns, place, &bytes);
	if (!string && block_lost(columns, place))
		return;
	if (!string)
		column_finding(columns,
			       "attributes fork: a hash leads to no string");
	else if ((vex_xxh64(string, bytes, seed) & VEXFS_KEY_HASH_MASK) !=
		 (key & VEXFS_KEY_HASH_MASK))
		column_finding(columns,
			       "attributes fork: a hash leads to another string");
}

static void check_run(struct fsck_walk *walk, const struct vex_run *run)
{
	struct columns *columns = walk->ctx;

	if (run->key >= VEXFS_KEY_HASHES) {
		for (u32 i = 0; i < run->length &&
		     columns->found < COLUMN_FINDINGS_MAX; i++)
			check_hash(columns, run->key + i, run->value + i);
		return;
	}
	columns->blocks += run->length;
	if (!fsck_claim(walk->fsck, walk->ino, run->value, run->length,
			"attributes")) {
		columns->sound = false;
		return;
	}
	/* What is there without a row is left over, and will be removed. */
	for (u32 i = 0; i < run->length && columns->rows->rows; i++)
		check_block(columns, run->key + i, run->value + i);
}

bool fsck_columns(struct fsck_rows *rows, u64 *blocks)
{
	struct vexfs_disk_inode *fork = &rows->forks[VEXFS_FORK_ATTRIBUTES];
	struct columns *columns = calloc(1, sizeof(*columns));
	struct fsck_walk walk = {
		.fsck = rows->fsck,
		.ino = le64_to_cpu(fork->ino_number),
		.record = check_run,
		.ctx = columns,
	};
	bool sound;

	if (!columns) {
		fsck_fail(rows->fsck, -ENOMEM, "checking attributes");
		return false;
	}
	columns->rows = rows;
	columns->fork = walk.ino;
	columns->sound = true;
	volume_tree_init(&columns->tree, &rows->fsck->vol, walk.ino,
			 &fork->ino_root);
	fsck_walk(&walk, &fork->ino_root);
	*blocks += columns->blocks;
	if (columns->found > COLUMN_FINDINGS_MAX)
		fsck_note_inode(rows->fsck, rows->ino,
				"... and %u more about its attributes",
				columns->found - COLUMN_FINDINGS_MAX);
	sound = columns->sound;
	free(columns);
	return sound;
}
