// SPDX-License-Identifier: Apache-2.0
/*
 * Fills an empty image with some of everything that the format knows, for
 * tests of fsck.vexfs that must do without a kernel.
 */
#include "attributes.h"
#include "derived.h"
#include "graph.h"
#include "image.h"
#include "index_header.h"
#include "sketch.h"

#include <linux/vexfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SMALL_NAMES	900U
#define SCATTERED	600U
#define OWN_ROWS	1500U

/* The same numbers each time, so that a failure can be seen again. */
static u64 next_random(void)
{
	static u64 state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u64 add_directory(struct image *image, u64 parent, const char *name)
{
	struct vexfs_disk_inode inode;
	u64 ino = image_new_inode(image, S_IFDIR | 0755, &inode);

	inode.ino_parent = cpu_to_le64(parent);
	image_put_inode(image, &inode);
	image_link(image, parent, name, &inode);
	return ino;
}

/* Extends a file by written or preallocated blocks. */
static void add_blocks(struct image *image, struct vexfs_disk_inode *inode,
		       u64 key, u32 count, u32 flags)
{
	u64 block = image_alloc(image, count);

	image_insert(image, inode, key, block, count, flags);
	le64_add_cpu(&inode->ino_blocks, count);
}

static u64 add_file(struct image *image, u64 dir, const char *name, u32 blocks)
{
	struct vexfs_disk_inode inode;
	u64 ino = image_new_inode(image, S_IFREG | 0644, &inode);

	if (blocks)
		add_blocks(image, &inode, 0, blocks, 0);
	inode.ino_size = cpu_to_le64((u64)blocks * VEXFS_BLOCK_SIZE -
				     (blocks ? 100 : 0));
	image_put_inode(image, &inode);
	image_link(image, dir, name, &inode);
	return ino;
}

/* Every second block: runs cannot join, and the tree grows deep. */
static void add_scattered(struct image *image, u64 dir)
{
	struct vexfs_disk_inode inode;
	u32 i;

	image_new_inode(image, S_IFREG | 0600, &inode);
	for (i = 0; i < SCATTERED; i++)
		add_blocks(image, &inode, 2ULL * i, 1,
			   i % 3 ? 0 : VEXFS_RECORD_UNWRITTEN);
	inode.ino_size = cpu_to_le64(SCATTERED * 2ULL * VEXFS_BLOCK_SIZE);
	add_blocks(image, &inode, SCATTERED * 2ULL + 100, 30,
		   VEXFS_RECORD_UNWRITTEN);
	image_put_inode(image, &inode);
	image_link(image, dir, "scattered", &inode);
}

static void add_symlink(struct image *image, u64 dir, const char *name,
			u32 length)
{
	struct vexfs_disk_symlink link;
	struct vexfs_disk_inode inode;
	u8 target[VEXFS_SYMLINK_MAX];
	u8 *data;
	u32 inside = min(length, (u32)VEXFS_PAYLOAD_BYTES);

	for (u32 i = 0; i < length; i++)
		target[i] = (u8)('a' + i % 26);
	image_new_inode(image, S_IFLNK | 0777, &inode);
	inode.ino_size = cpu_to_le64(length);
	data = inode.ino_root.r_data;
	if (length <= VEXFS_SYMLINK_INLINE_MAX) {
		memcpy(data, target, length);
	} else {
		u64 block = image_alloc(image, 1);
		__le64 number = cpu_to_le64(block);

		memset(&link, 0, sizeof(link));
		vex_header_init(&link, VEXFS_MAGIC_SYMLINK, block,
				le64_to_cpu(inode.ino_number),
				image->vol.geo.meta_uuid);
		memcpy(link.sl_target, target, inside);
		image_write_meta(image, block, &link);
		memcpy(data, &number, sizeof(number));
		memcpy(data + sizeof(number), target + inside,
		       length - inside);
		inode.ino_blocks = cpu_to_le64(1);
	}
	image_put_inode(image, &inode);
	image_link(image, dir, name, &inode);
}

static void add_special(struct image *image, u64 dir, const char *name,
			u16 type, u32 device)
{
	struct vexfs_disk_inode inode;

	image_new_inode(image, type | 0600, &inode);
	inode.ino_rdev = cpu_to_le32(device);
	image_put_inode(image, &inode);
	image_link(image, dir, name, &inode);
}

static void put_xattr(struct vexfs_disk_xattr_block *block, u8 space,
		      const char *name, const void *value, u16 length)
{
	u32 at = le16_to_cpu(block->xb_bytes);
	u32 name_length = (u32)strlen(name);
	struct vexfs_disk_xattr *entry = (void *)(block->xb_data + at);

	entry->x_space = space;
	entry->x_name_length = (u8)name_length;
	entry->x_value_length = cpu_to_le16(length);
	memcpy(entry->x_data, name, name_length);
	memcpy(entry->x_data + name_length, value, length);
	at += (u32)(sizeof(*entry) + name_length + length + 7) & ~7U;
	block->xb_bytes = cpu_to_le16((u16)at);
	le16_add_cpu(&block->xb_count, 1);
}

static void add_attributes(struct image *image, u64 ino, bool directory)
{
	static const u8 acl[] = {
		2, 0, 0, 0,
		1, 0, 7, 0, 255, 255, 255, 255,
		2, 0, 6, 0, 232, 3, 0, 0,
		4, 0, 5, 0, 255, 255, 255, 255,
		16, 0, 7, 0, 255, 255, 255, 255,
		32, 0, 4, 0, 255, 255, 255, 255,
	};
	struct vexfs_disk_xattr_block block;
	struct vexfs_disk_inode inode;
	u64 number = image_alloc(image, 1);

	memset(&block, 0, sizeof(block));
	vex_header_init(&block, VEXFS_MAGIC_XATTR, number, ino,
			image->vol.geo.meta_uuid);
	put_xattr(&block, VEXFS_XATTR_USER, "comment", "a value", 7);
	put_xattr(&block, VEXFS_XATTR_USER, "empty", "", 0);
	put_xattr(&block, VEXFS_XATTR_SECURITY, "label", "x", 1);
	put_xattr(&block, VEXFS_XATTR_ACL_ACCESS, "", acl, sizeof(acl));
	if (directory)
		put_xattr(&block, VEXFS_XATTR_ACL_DEFAULT, "", acl,
			  sizeof(acl));
	image_write_meta(image, number, &block);
	image_get_inode(image, ino, &inode);
	inode.ino_xattr_block = cpu_to_le64(number);
	le64_add_cpu(&inode.ino_blocks, 1);
	image_put_inode(image, &inode);
}

static void new_vector(struct image *image, struct vexfs_disk_inode *inode,
		       u32 dim, u8 ids, u64 rows)
{
	u64 bytes = rows * dim * 4;
	u32 blocks = (u32)((bytes + VEXFS_BLOCK_SIZE - 1) / VEXFS_BLOCK_SIZE);

	image_new_inode(image, S_IFREG | 0644, inode);
	inode->ino_flags = cpu_to_le32(VEXFS_INO_FLAG_VECTOR);
	inode->ino_schema.s_dim = cpu_to_le32(dim);
	inode->ino_schema.s_element = VEXFS_ELEMENT_F32;
	inode->ino_schema.s_metric = VEXFS_METRIC_L2;
	inode->ino_schema.s_ids = ids;
	inode->ino_size = cpu_to_le64(bytes);
	inode->ino_rows = cpu_to_le64(rows);
	inode->ino_next_id = cpu_to_le64(rows);
	if (blocks)
		add_blocks(image, inode, 0, blocks, 0);
	add_blocks(image, inode, blocks, 5, VEXFS_RECORD_UNWRITTEN);
}

static void new_fork(struct image *image, struct vexfs_disk_inode *base,
		     u32 slot, u8 kind, struct vexfs_disk_inode *fork)
{
	u64 ino = image_new_inode(image, S_IFREG | 0600, fork);

	fork->ino_flags = cpu_to_le32(VEXFS_INO_FLAG_FORK);
	fork->ino_parent = base->ino_number;
	vex_tree_init_root(&fork->ino_root, kind);
	vex_inode_set_fork(base, slot, ino);
}

static void fork_insert(struct image *image, struct vexfs_disk_inode *base,
			struct vexfs_disk_inode *fork, u64 key, u64 value,
			u32 length)
{
	le64_add_cpu(&base->ino_blocks,
		     (u64)image_insert(image, fork, key, value, length, 0));
}

/* Automatic ids after rows were cut off, deletions, rows never published. */
static void add_auto_vectors(struct image *image, u64 dir)
{
	struct vexfs_disk_inode base, ids, rows, dead;
	u64 row;

	new_vector(image, &base, 24, VEXFS_IDS_AUTO, 4000);
	image_put_inode(image, &base);
	image_link(image, dir, "plain.f32", &base);

	new_vector(image, &base, 100, VEXFS_IDS_AUTO, 1000);
	new_fork(image, &base, VEXFS_FORK_IDS, VEXFS_TREE_IDS, &ids);
	new_fork(image, &base, VEXFS_FORK_ROWS, VEXFS_TREE_ROWS, &rows);
	new_fork(image, &base, VEXFS_FORK_TOMBSTONES, VEXFS_TREE_TOMBSTONES,
		 &dead);
	fork_insert(image, &base, &ids, 100, 2007, 300);
	fork_insert(image, &base, &ids, 400, 9000, 700);
	fork_insert(image, &base, &rows, 2007, 100, 300);
	fork_insert(image, &base, &rows, 9000, 400, 700);
	base.ino_next_id = cpu_to_le64(9700);
	base.ino_vector_generation = cpu_to_le64(1);
	for (row = 0; row < 500; row += 2)
		fork_insert(image, &base, &dead, row, row, 1);
	fork_insert(image, &base, &dead, 1050, 1050, 3);
	base.ino_deleted = cpu_to_le64(250);
	image_put_inode(image, &ids);
	image_put_inode(image, &rows);
	image_put_inode(image, &dead);
	image_put_inode(image, &base);
	image_link(image, dir, "renumbered.f32", &base);
}

#define COLUMN_ROWS 700U

/* A block that holds the names of the columns. */
static void put_column_names(struct image *image, struct vexfs_disk_inode *base)
{
	struct vexfs_disk_xattr_block block;
	u64 number = image_alloc(image, 1);

	memset(&block, 0, sizeof(block));
	vex_header_init(&block, VEXFS_MAGIC_XATTR, number,
			le64_to_cpu(base->ino_number), image->vol.geo.meta_uuid);
	put_xattr(&block, VEXFS_XATTR_USER, "comment", "a value", 7);
	put_xattr(&block, VEXFS_XATTR_COLUMNS, "", "count\0lang", 11);
	image_write_meta(image, number, &block);
	base->ino_xattr_block = cpu_to_le64(number);
	le64_add_cpu(&base->ino_blocks, 1);
}

/* The dictionary: strings of some lengths, whose places go into @place. */
static void put_strings(struct image *image, struct vexfs_disk_inode *base,
			struct vexfs_disk_inode *fork, u64 *place, u32 count)
{
	u64 seed = le64_to_cpu(image->vol.super.sb_hash_seed);
	struct vexfs_disk_strings block;
	u64 number = image_alloc(image, 1);
	u32 at = 0;

	memset(&block, 0, sizeof(block));
	vex_header_init(&block, VEXFS_MAGIC_STRINGS, number,
			le64_to_cpu(fork->ino_number), image->vol.geo.meta_uuid);
	block.ss_key = cpu_to_le64(VEXFS_KEY_STRINGS);
	for (u32 i = 0; i < count; i++) {
		u32 bytes = i * i;
		u64 hash;

		block.ss_data[at] = (u8)bytes;
		memset(block.ss_data + at + 1, 'a' + (int)i, bytes);
		hash = vex_xxh64(block.ss_data + at + 1, bytes, seed);
		place[i] = at;
		fork_insert(image, base, fork, VEXFS_KEY_HASHES |
			    (hash & VEXFS_KEY_HASH_MASK), at, 1);
		at += 1 + bytes;
	}
	block.ss_bytes = cpu_to_le16((u16)at);
	image_write_meta(image, number, &block);
	fork_insert(image, base, fork, VEXFS_KEY_STRINGS, number, 1);
	le64_add_cpu(&base->ino_blocks, 1);
}

/* Two attribute columns, with nulls, and blocks that are not there. */
static void add_columns(struct image *image, u64 dir)
{
	u32 per_block = vex_attributes_rows(2);
	struct vexfs_disk_attributes block;
	struct vexfs_disk_inode base, fork;
	u64 place[10], number;
	s64 values[2];

	new_vector(image, &base, 8, VEXFS_IDS_AUTO, COLUMN_ROWS);
	base.ino_schema.s_columns = 2;
	base.ino_schema.s_column_types =
		cpu_to_le64(VEXFS_COLUMN_I64 | VEXFS_COLUMN_STRING << 4);
	put_column_names(image, &base);
	new_fork(image, &base, VEXFS_FORK_ATTRIBUTES, VEXFS_TREE_ATTRIBUTES,
		 &fork);
	put_strings(image, &base, &fork, place, 10);
	for (u64 key = 0; key * per_block < COLUMN_ROWS; key++) {
		if (key == 1)
			continue;
		memset(&block, 0, sizeof(block));
		number = image_alloc(image, 1);
		vex_header_init(&block, VEXFS_MAGIC_ATTRIBUTES, number,
				le64_to_cpu(fork.ino_number),
				image->vol.geo.meta_uuid);
		block.at_key = cpu_to_le64(key);
		for (u32 i = 0; i < per_block &&
		     key * per_block + i < COLUMN_ROWS; i++) {
			values[0] = (s64)next_random();
			values[1] = (s64)place[i % 10];
			vex_attributes_put(&block, 2, i, 3, i % 7 % 4, values);
		}
		image_write_meta(image, number, &block);
		fork_insert(image, &base, &fork, key, number, 1);
		le64_add_cpu(&base.ino_blocks, 1);
	}
	image_put_inode(image, &fork);
	image_put_inode(image, &base);
	image_link(image, dir, "columns.f32", &base);
}

#define SKETCHED_ROWS 2000U
#define SKETCHED_DIM 24U

/* A fork's pages: both header slots, then @pages others, stamped here. */
static void put_derived(struct image *image, struct vexfs_disk_inode *base,
			u32 slot, struct vexfs_disk_derived *header, u8 *pages,
			u32 count)
{
	struct vexfs_disk_inode fork;
	u64 ino, block, page;

	new_fork(image, base, slot, VEXFS_TREE_EXTENTS, &fork);
	ino = le64_to_cpu(fork.ino_number);
	block = image_alloc(image, VEX_DERIVED_SLOTS + count);
	fork_insert(image, base, &fork, 0, block, VEX_DERIVED_SLOTS + count);
	le64_add_cpu(&base->ino_blocks, VEX_DERIVED_SLOTS + count);
	fork.ino_size = cpu_to_le64((VEX_DERIVED_SLOTS + count) *
				    (u64)VEXFS_BLOCK_SIZE);
	image_put_inode(image, &fork);
	header->dv_fork = cpu_to_le64(ino);
	header->dv_generation = base->ino_vector_generation;
	for (page = 0; page < VEX_DERIVED_SLOTS; page++) {
		header->dv_sequence = cpu_to_le64(2 + page);
		vex_derived_seal(header);
		if (volume_write(&image->vol, block + page, header, 1))
			image_die("a header slot");
	}
	for (page = VEX_DERIVED_SLOTS; page < VEX_DERIVED_SLOTS + count; page++) {
		vex_derived_stamp(pages, vex_derived_seed(ino,
				  le64_to_cpu(header->dv_generation), page));
		if (volume_write(&image->vol, block + page, pages, 1))
			image_die("a page of a derived fork");
		pages += VEXFS_BLOCK_SIZE;
	}
}

static void put_region(struct vexfs_disk_derived *header, u32 at, u64 first,
		       u64 pages)
{
	header->dv_regions[at].rg_first = cpu_to_le64(first);
	header->dv_regions[at].rg_pages = cpu_to_le64(pages);
}

/* Sketches of rows that are all zero: a page for the centre, then records. */
static void put_sketches(struct image *image, struct vexfs_disk_inode *base)
{
	static float row[SKETCHED_DIM];
	struct vexfs_disk_derived header = {
		.dv_kind = cpu_to_le32(VEXFS_DERIVED_SKETCHES),
		.dv_parameter_bytes = cpu_to_le32(VEX_SKETCH_PARAMETERS + 8),
		.dv_rows = cpu_to_le64(SKETCHED_ROWS),
	};
	void *memory = malloc(vex_sketch_choose_bytes(SKETCHED_DIM));
	s32 centre[SKETCHED_DIM];
	struct vex_sketch sketch;
	__le64 sampled = header.dv_rows;
	u32 per_page, count;
	u8 *pages;

	if (!memory || vex_sketch_choose(&sketch, centre, VEXFS_ELEMENT_F32,
					 VEXFS_METRIC_L2, SKETCHED_DIM, 0, row,
					 1, memory))
		image_die("choosing sketches");
	per_page = VEX_RECORD_BYTES_MAX / sketch.record_bytes;
	count = (SKETCHED_ROWS + per_page - 1) / per_page;
	pages = calloc(1 + count, VEXFS_BLOCK_SIZE);
	if (!pages)
		image_die("memory for sketches");
	for (u32 i = 0; i < SKETCHED_DIM; i++)
		((__le32 *)pages)[i] = cpu_to_le32((u32)centre[i]);
	free(memory);
	memory = malloc(vex_sketch_scratch_bytes(&sketch));
	for (u32 i = 0; memory && i < SKETCHED_ROWS; i++)
		vex_sketch_encode(&sketch, centre, row, pages +
				  (1 + i / per_page) * VEXFS_BLOCK_SIZE +
				  i % per_page * sketch.record_bytes, memory);
	put_region(&header, 0, VEX_DERIVED_SLOTS, 1);
	put_region(&header, 1, VEX_DERIVED_SLOTS + 1, count);
	vex_sketch_save(&sketch, header.dv_parameters);
	memcpy(header.dv_parameters + VEX_SKETCH_PARAMETERS, &sampled,
	       sizeof(sampled));
	put_derived(image, base, VEXFS_FORK_SKETCHES, &header, pages, 1 + count);
	free(memory);
	free(pages);
}

/* A graph that was begun, without a node. */
static void put_index(struct image *image, struct vexfs_disk_inode *base)
{
	struct vexfs_disk_derived header = {
		.dv_kind = cpu_to_le32(VEXFS_DERIVED_GRAPH),
		.dv_parameter_bytes =
			cpu_to_le32(sizeof(struct vexfs_disk_index_state)),
	};
	struct vexfs_disk_index_state *state = (void *)header.dv_parameters;
	u8 *pages = calloc(3, VEXFS_BLOCK_SIZE);
	struct vex_graph graph;

	if (!pages)
		image_die("memory for an index");
	vex_graph_init(&graph, 1, VEXFS_EFFORT_DEFAULT);
	vex_graph_save(&graph, &state->ix_graph);
	state->ix_effort = cpu_to_le32(VEXFS_EFFORT_DEFAULT);
	state->ix_target = cpu_to_le64(SKETCHED_ROWS);
	put_region(&header, 0, VEX_DERIVED_SLOTS, 3);
	put_derived(image, base, VEXFS_FORK_BUILDING, &header, pages, 3);
	free(pages);
}

static void add_derived(struct image *image, u64 dir)
{
	static const u8 zero[VEXFS_BLOCK_SIZE];
	struct vexfs_disk_inode base;
	struct vex_run run;
	struct image_tree tree;

	new_vector(image, &base, SKETCHED_DIM, VEXFS_IDS_AUTO, SKETCHED_ROWS);
	image_tree(&tree, image, &base);
	if (vex_tree_find(&tree.tree, 0, &run))
		image_die("finding rows");
	for (u32 i = 0; i < run.length; i++)
		if (volume_write(&image->vol, run.value + i, zero, 1))
			image_die("writing rows");
	put_sketches(image, &base);
	put_index(image, &base);
	image_put_inode(image, &base);
	image_link(image, dir, "sketched.f32", &base);
}

/* Own ids in random order; row 10 was deleted and its id is row 20's. */
static void add_own_vectors(struct image *image, u64 dir)
{
	struct vexfs_disk_inode base, ids, rows, dead;
	u64 row;

	new_vector(image, &base, 16, VEXFS_IDS_OWN, OWN_ROWS);
	new_fork(image, &base, VEXFS_FORK_IDS, VEXFS_TREE_IDS, &ids);
	new_fork(image, &base, VEXFS_FORK_ROWS, VEXFS_TREE_ROWS, &rows);
	new_fork(image, &base, VEXFS_FORK_TOMBSTONES, VEXFS_TREE_TOMBSTONES,
		 &dead);
	for (row = 0; row < OWN_ROWS + 10; row++) {
		u64 id = row == 10 || row == 20 ? 4242 :
			 next_random() >> 2 | 1ULL << 62;

		if (row >= 1000 && row < 1100)
			id = 500000 + row;
		fork_insert(image, &base, &ids, row, id, 1);
		if (row != 10)
			fork_insert(image, &base, &rows, id, row, 1);
	}
	fork_insert(image, &base, &dead, 10, 10, 1);
	fork_insert(image, &base, &dead, 300, 300, 50);
	base.ino_deleted = cpu_to_le64(51);
	image_put_inode(image, &ids);
	image_put_inode(image, &rows);
	image_put_inode(image, &dead);
	image_put_inode(image, &base);
	image_link(image, dir, "own.f32", &base);
}

#define COMPACTED_ROWS	3000U
#define COMPACTED_DIM	64U

/*
 * Half compacted: of 3000 rows those with even numbers were deleted, and 2000 were looked
 * at; 900 of the 1000 copied ones count, five of which were deleted since.
 * The others are what a crash left. The new matrix lies backwards, so its tree has nodes,
 * which are the base's.
 */
static void add_compaction(struct image *image, u64 dir)
{
	u32 blocks = (1000U * COMPACTED_DIM * 4 + VEXFS_BLOCK_SIZE - 1) /
		     VEXFS_BLOCK_SIZE;
	struct vexfs_disk_inode base, dead, matrix, as_base, ids, rows, buried;
	u64 matrix_ino, first;

	new_vector(image, &base, COMPACTED_DIM, VEXFS_IDS_AUTO, COMPACTED_ROWS);
	new_fork(image, &base, VEXFS_FORK_TOMBSTONES, VEXFS_TREE_TOMBSTONES,
		 &dead);
	for (u64 row = 0; row < COMPACTED_ROWS; row += 2)
		fork_insert(image, &base, &dead, row, row, 1);
	base.ino_deleted = cpu_to_le64(COMPACTED_ROWS / 2);
	base.ino_vector_generation = cpu_to_le64(7);
	new_fork(image, &base, VEXFS_FORK_COMPACT, VEXFS_TREE_EXTENTS, &matrix);
	new_fork(image, &base, VEXFS_FORK_COMPACT_IDS, VEXFS_TREE_IDS, &ids);
	new_fork(image, &base, VEXFS_FORK_COMPACT_ROWS, VEXFS_TREE_ROWS, &rows);
	new_fork(image, &base, VEXFS_FORK_COMPACT_TOMBSTONES,
		 VEXFS_TREE_TOMBSTONES, &buried);
	matrix_ino = le64_to_cpu(matrix.ino_number);
	as_base = matrix;
	as_base.ino_number = base.ino_number;
	first = image_alloc(image, blocks);
	for (u32 i = 0; i < blocks; i++)
		fork_insert(image, &base, &as_base, i, first + blocks - 1 - i, 1);
	le64_add_cpu(&base.ino_blocks, blocks);
	matrix = as_base;
	matrix.ino_number = cpu_to_le64(matrix_ino);
	for (u64 row = 0; row < 1000; row++) {
		fork_insert(image, &base, &ids, row, 2 * row + 1, 1);
		if (row < 10 || row >= 15)
			fork_insert(image, &base, &rows, 2 * row + 1, row, 1);
	}
	fork_insert(image, &base, &buried, 10, 10, 5);
	matrix.ino_size = cpu_to_le64(1000U * COMPACTED_DIM * 4);
	matrix.ino_rows = cpu_to_le64(900);
	matrix.ino_next_id = cpu_to_le64(2000);
	matrix.ino_vector_generation = base.ino_vector_generation;
	image_put_inode(image, &matrix);
	image_put_inode(image, &ids);
	image_put_inode(image, &rows);
	image_put_inode(image, &buried);
	image_put_inode(image, &dead);
	image_put_inode(image, &base);
	image_link(image, dir, "compacted.f32", &base);
}

/* Unlinked and open, truncated halfway, removed directory. */
static void add_orphans(struct image *image, u64 dir)
{
	struct vexfs_disk_state state;
	struct vexfs_disk_inode gone, cut, removed;
	const char *what;

	image_new_inode(image, S_IFREG | 0644, &gone);
	gone.ino_links = 0;
	add_blocks(image, &gone, 0, 12, 0);
	gone.ino_size = cpu_to_le64(12 * VEXFS_BLOCK_SIZE);
	image_new_inode(image, S_IFREG | 0644, &cut);
	add_blocks(image, &cut, 3, 9, 0);
	cut.ino_size = cpu_to_le64(4 * VEXFS_BLOCK_SIZE);
	image_new_inode(image, S_IFDIR | 0755, &removed);
	removed.ino_links = 0;
	gone.ino_next_orphan = cut.ino_number;
	cut.ino_next_orphan = removed.ino_number;
	image_put_inode(image, &gone);
	image_put_inode(image, &cut);
	image_put_inode(image, &removed);
	image_link(image, dir, "cut", &cut);
	if (volume_read_meta(&image->vol, VEXFS_STATE_BLOCK,
			     VEXFS_MAGIC_STATE, 0, &state, &what))
		image_die(what);
	state.st_orphan_head = gone.ino_number;
	image_write_meta(image, VEXFS_STATE_BLOCK, &state);
}

static void fill(struct image *image)
{
	u64 root = VEXFS_INO_ROOT, dir, deep, file;
	struct vexfs_disk_inode inode;
	char name[VEXFS_NAME_MAX + 1];

	dir = add_directory(image, root, "dir");
	for (u32 i = 0; i < SMALL_NAMES; i++) {
		snprintf(name, sizeof(name), "name %u of many%s", i,
			 i % 5 ? "" : ", and a longer one than the others");
		add_file(image, dir, name, i % 50 ? 0 : 3);
	}
	deep = add_directory(image, dir, "below");
	deep = add_directory(image, deep, "still \303\244 lower");
	memset(name, 'n', VEXFS_NAME_MAX);
	name[VEXFS_NAME_MAX] = 0;
	file = add_file(image, deep, name, 17);
	image_get_inode(image, file, &inode);
	image_link(image, root, "second name", &inode);
	image_link(image, dir, "third name", &inode);
	inode.ino_links = cpu_to_le32(3);
	image_put_inode(image, &inode);
	add_attributes(image, file, false);
	add_attributes(image, dir, true);
	add_scattered(image, root);
	add_symlink(image, root, "short", 168);
	add_symlink(image, root, "long", 169);
	add_symlink(image, root, "longest", VEXFS_SYMLINK_MAX);
	add_special(image, root, "pipe", S_IFIFO, 0);
	add_special(image, root, "device", S_IFBLK, 0x0801);
	add_special(image, root, "socket", S_IFSOCK, 0);
	add_auto_vectors(image, root);
	add_own_vectors(image, deep);
	add_orphans(image, root);
	add_columns(image, root);
	add_derived(image, root);
	add_compaction(image, root);
}

int main(int argc, char **argv)
{
	bool journaled = argc == 3 && !strcmp(argv[1], "--journaled");
	struct image image;

	if (argc != 2 + journaled) {
		fputs("Usage: populate [--journaled] IMAGE\n"
		      "Fills an image made by mkfs.vexfs. With --journaled all metadata\n"
		      "goes to the journal, as after a power cut.\n", stderr);
		return 2;
	}
	image_open(&image, argv[argc - 1], journaled);
	fill(&image);
	image_close(&image);
	return 0;
}
