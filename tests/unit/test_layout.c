// SPDX-License-Identifier: Apache-2.0
/*
 * Geometry, headers, bitmaps, and the checks of superblock, state, groups,
 * inodes, schemas and extended attributes: each check is shown a good
 * structure and then the same with one thing wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <linux/vexfs.h>

#include "layout.h"
#include "random.h"
#include "tree.h"

static const u8 uuid[16] = "0123456789abcde";

static struct vex_geometry shape(u64 blocks, u32 gdt, u32 inodes)
{
	struct vex_geometry geo;
	const char *what = vex_geometry_init(&geo, blocks, gdt, inodes, uuid);

	if (what)
		fail_msg("%s", what);
	return geo;
}

/* @what must be a message that begins with @begin. */
static void assert_says(const char *what, const char *begin)
{
	if (!what)
		fail_msg("passed, but %s is wrong", begin);
	if (strncmp(what, begin, strlen(begin)))
		fail_msg("\"%s\" does not begin with %s", what, begin);
}

static void assert_good(const char *what)
{
	if (what)
		fail_msg("refused: %s", what);
}

static void test_geometry(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	u32 slot;

	(void)state;
	assert_int_equal(geo.groups, 4);
	assert_int_equal(geo.inode_blocks, 128);
	assert_int_equal(vex_group_blocks(&geo, 0), 32256);
	assert_int_equal(vex_group_blocks(&geo, 3), 100000 - 3 * 32256);
	assert_int_equal(vex_group_bitmap(&geo, 0), 5);
	assert_int_equal(vex_group_bitmap(&geo, 2), 64512);
	assert_int_equal(vex_group_first_data(&geo, 0), 5 + 2 + 128);
	assert_int_equal(vex_group_first_data(&geo, 1), 32256 + 2 + 128);
	assert_int_equal(vex_backup_block(&geo), 32255);
	assert_int_equal(vex_group_free_blocks_max(&geo, 0), 32256 - 135 - 1);
	assert_int_equal(vex_group_free_blocks_max(&geo, 1), 32256 - 130);
	assert_int_equal(vex_group_free_inodes_max(&geo, 0), 1024 - 15);
	assert_int_equal(vex_group_free_inodes_max(&geo, 1), 1024);

	assert_int_equal(vex_inode_block(&geo, 1, &slot), 7);
	assert_int_equal(slot, 0);
	assert_int_equal(vex_inode_block(&geo, 1024, &slot), 7 + 127);
	assert_int_equal(slot, 7);
	assert_int_equal(vex_inode_block(&geo, 1025, &slot), 32258);
	assert_int_equal(slot, 0);
	assert_false(vex_inode_valid(&geo, 0));
	assert_true(vex_inode_valid(&geo, 1));
	assert_true(vex_inode_valid(&geo, 4096));
	assert_false(vex_inode_valid(&geo, 4097));
	assert_false(vex_inode_valid(&geo, U64_MAX));

	geo = shape(4096, 1, 16);
	assert_int_equal(vex_backup_block(&geo), 4095);
	/* Reserved inodes that reach into a second group. */
	geo = shape(100000, 1, 8);
	assert_int_equal(vex_group_free_inodes_max(&geo, 0), 0);
	assert_int_equal(vex_group_free_inodes_max(&geo, 1), 1);
	assert_int_equal(vex_group_free_inodes_max(&geo, 2), 8);
}

static void test_range_is_data(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);

	(void)state;
	assert_false(vex_range_is_data(&geo, 0, 1));
	assert_false(vex_range_is_data(&geo, 134, 1));
	assert_false(vex_range_is_data(&geo, 134, 2));
	assert_true(vex_range_is_data(&geo, 135, 1));
	assert_true(vex_range_is_data(&geo, 135, 32255 - 135));
	assert_false(vex_range_is_data(&geo, 135, 32256 - 135));
	assert_false(vex_range_is_data(&geo, 32255, 1));
	assert_false(vex_range_is_data(&geo, 32256, 1));
	assert_true(vex_range_is_data(&geo, 32256 + 130, 32256 - 130));
	assert_false(vex_range_is_data(&geo, 32256 + 130, 32256 - 129));
	assert_true(vex_range_is_data(&geo, 99999, 1));
	assert_false(vex_range_is_data(&geo, 99999, 2));
	assert_false(vex_range_is_data(&geo, 100000, 1));
	assert_false(vex_range_is_data(&geo, 135, 0));
	assert_false(vex_range_is_data(&geo, 135, U64_MAX));
	assert_false(vex_range_is_data(&geo, U64_MAX, 1));
	assert_false(vex_range_is_data(&geo, U64_MAX, U64_MAX));
}

static void test_impossible_geometry(void **state)
{
	struct vex_geometry geo;

	(void)state;
	assert_says(vex_geometry_init(&geo, 4095, 1, 64, uuid), "fewer than 4096");
	assert_says(vex_geometry_init(&geo, (1ULL << 40) + 1, 1, 64, uuid),
		    "more than 2^40");
	assert_says(vex_geometry_init(&geo, U64_MAX, 1, 64, uuid),
		    "more than 2^40");
	assert_says(vex_geometry_init(&geo, 4096, 1, 0, uuid), "inodes per");
	assert_says(vex_geometry_init(&geo, 4096, 1, 12, uuid), "inodes per");
	assert_says(vex_geometry_init(&geo, 4096, 1, 32264, uuid), "inodes per");
	assert_says(vex_geometry_init(&geo, 4096, 1, U32_MAX - 7, uuid),
		    "inodes per");
	assert_says(vex_geometry_init(&geo, 4096, 0, 64, uuid), "group desc");
	assert_says(vex_geometry_init(&geo, 4096, U32_MAX, 64, uuid),
		    "group desc");
	assert_says(vex_geometry_init(&geo, 4096, 1, 8, uuid), "fewer than 16");
	assert_says(vex_geometry_init(&geo, 4096, 4096, 64, uuid), "too many");
	assert_says(vex_geometry_init(&geo, 4096, 1, 32256, uuid), "too many");
	assert_says(vex_geometry_init(&geo, 64 * 32256ULL, 1, 64, uuid),
		    "too few");
	assert_says(vex_geometry_init(&geo, 32256ULL * 140000, 2300, 32256,
				      uuid), "2^32");
	assert_says(vex_geometry_init(&geo, 32256 + 73, 1, 64, uuid),
		    "the last group");
	assert_good(vex_geometry_init(&geo, 32256 + 74, 1, 64, uuid));
	assert_good(vex_geometry_init(&geo, 32256, 1, 64, uuid));
	assert_good(vex_geometry_init(&geo, 1ULL << 32, 3000, 8192, uuid));
}

static void test_header(void **state)
{
	static u8 block[VEXFS_BLOCK_SIZE], saved[VEXFS_BLOCK_SIZE];
	static const u8 other[16] = "other";
	struct vexfs_disk_header *header = (void *)block;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(block); i++)
		block[i] = i * 7;
	vex_header_init(block, VEXFS_MAGIC_TREE, 5, 6, uuid);
	assert_int_equal(le64_to_cpu(header->h_checksum), 0);
	assert_false(vex_header_verify_checksum(block));
	memcpy(saved, block, sizeof(saved));
	vex_header_stamp(block);
	/* The checksum is of the block with zeros in its place. */
	assert_true(le64_to_cpu(header->h_checksum) ==
		    XXH64(saved, sizeof(saved), 0));
	assert_true(vex_header_verify_checksum(block));
	vex_header_stamp(block);
	assert_true(vex_header_verify_checksum(block));
	for (i = 0; i < sizeof(block); i++) {
		block[i] ^= 1 << i % 8;
		assert_false(vex_header_verify_checksum(block));
		block[i] ^= 1 << i % 8;
	}

	assert_good(vex_header_check(block, VEXFS_MAGIC_TREE, 5, 6, uuid));
	assert_says(vex_header_check(block, VEXFS_MAGIC_GDT, 5, 6, uuid),
		    "h_magic");
	assert_says(vex_header_check(block, VEXFS_MAGIC_TREE, 4, 6, uuid),
		    "h_block");
	assert_says(vex_header_check(block, VEXFS_MAGIC_TREE, 5, 7, uuid),
		    "h_owner");
	assert_says(vex_header_check(block, VEXFS_MAGIC_TREE, 5, 6, other),
		    "h_uuid");
	for (i = 4; i < 64; i = i == 7 ? 48 : i + 1) {
		block[i] ^= 1;
		assert_says(vex_header_check(block, VEXFS_MAGIC_TREE, 5, 6,
					     uuid), "h_reserved");
		block[i] ^= 1;
	}
}

static void make_super(struct vexfs_disk_super *super, u64 number)
{
	memset(super, 0, sizeof(*super));
	vex_header_init(super, VEXFS_MAGIC_SUPER, number, 0, uuid);
	super->sb_version = cpu_to_le32(1);
	super->sb_block_bits = cpu_to_le32(12);
	super->sb_feature_compat = cpu_to_le64(1); /* no matter here */
	super->sb_blocks = cpu_to_le64(100000);
	super->sb_gdt_blocks = cpu_to_le32(3);
	super->sb_inodes_per_group = cpu_to_le32(1024);
	memcpy(super->sb_uuid, "another uuid", 12);
	memcpy(super->sb_meta_uuid, uuid, 16);
	memcpy(super->sb_label, "label", 5);
	super->sb_errors = cpu_to_le32(VEXFS_ERRORS_REMOUNT_RO);
	vex_header_stamp(super);
}

static void test_super(void **state)
{
	static struct vexfs_disk_super super;
	u32 i;

	(void)state;
	make_super(&super, 0);
	assert_good(vex_super_check(&super, 0));
	assert_says(vex_super_check(&super, 32255), "h_block");
	make_super(&super, 32255);
	assert_good(vex_super_check(&super, 32255));
	make_super(&super, 1000);
	assert_says(vex_super_check(&super, 1000), "h_block");

	/* Every byte of it: by checksum, and stamped anew, by its field. */
	for (i = 0; i < VEXFS_BLOCK_SIZE; i++) {
		make_super(&super, 0);
		((u8 *)&super)[i] ^= 0x40;
		assert_says(vex_super_check(&super, 0), i < 4 ?
			    "not a VexFS filesystem" : "h_checksum");
	}
	for (i = 228; i < VEXFS_BLOCK_SIZE; i++) {
		make_super(&super, 0);
		super.sb_reserved[i - 228] = 1;
		vex_header_stamp(&super);
		assert_says(vex_super_check(&super, 0), "sb_reserved");
	}

#define BAD(field, value, says) do {					\
	make_super(&super, 0);						\
	super.field = value;						\
	vex_header_stamp(&super);					\
	assert_says(vex_super_check(&super, 0), says);			\
} while (0)
	BAD(sb_version, cpu_to_le32(0), "sb_version");
	BAD(sb_version, cpu_to_le32(2), "sb_version");
	BAD(sb_block_bits, cpu_to_le32(13), "sb_block_bits");
	BAD(sb_blocks, cpu_to_le64(0), "fewer");
	BAD(sb_blocks, cpu_to_le64(U64_MAX), "more");
	BAD(sb_gdt_blocks, cpu_to_le32(0), "group desc");
	BAD(sb_inodes_per_group, cpu_to_le32(7), "inodes per");
	BAD(sb_meta_uuid[3], 0, "h_uuid");
	BAD(sb_label[9], 'x', "sb_label");
	BAD(sb_errors, cpu_to_le32(0), "sb_errors");
	BAD(sb_errors, cpu_to_le32(4), "sb_errors");
	BAD(sb_header.h_owner, cpu_to_le64(1), "h_owner");
	BAD(sb_header.h_reserved0, cpu_to_le32(1), "h_reserved");
#undef BAD
	make_super(&super, 0);
	memset(super.sb_label, 'x', sizeof(super.sb_label));
	vex_header_stamp(&super);
	assert_good(vex_super_check(&super, 0));
}

static void test_state(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	static struct vexfs_disk_state st;

	(void)state;
	assert_good(vex_state_check(&st, &geo));
	st.st_flags = cpu_to_le64(VEXFS_STATE_ERROR);
	st.st_errors = cpu_to_le64(U64_MAX);
	st.st_orphan_head = cpu_to_le64(16);
	assert_good(vex_state_check(&st, &geo));
	st.st_orphan_head = cpu_to_le64(15);
	assert_says(vex_state_check(&st, &geo), "st_orphan_head");
	st.st_orphan_head = cpu_to_le64(4097);
	assert_says(vex_state_check(&st, &geo), "st_orphan_head");
	st.st_orphan_head = 0;
	st.st_flags = cpu_to_le64(2);
	assert_says(vex_state_check(&st, &geo), "st_flags");
	st.st_flags = 0;
	st.st_reserved[3975] = 1;
	assert_says(vex_state_check(&st, &geo), "st_reserved");
	st.st_reserved[3975] = 0;
}

static void make_group(struct vexfs_disk_group *desc)
{
	memset(desc, 0, sizeof(*desc));
	desc->g_free_blocks = cpu_to_le32(32256 - 130);
	desc->g_free_inodes = cpu_to_le32(1024);
	desc->g_flags = cpu_to_le32(VEXFS_GROUP_UNINIT);
}

static void test_group(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_group desc;

	(void)state;
	make_group(&desc);
	assert_good(vex_group_check(&desc, &geo, 1));
	assert_says(vex_group_check(&desc, &geo, 0), "g_free_blocks");
	desc.g_free_blocks = cpu_to_le32(32255 - 130);
	assert_says(vex_group_check(&desc, &geo, 1), "g_flags");
	desc.g_flags = 0;
	assert_good(vex_group_check(&desc, &geo, 1));
	desc.g_free_inodes = cpu_to_le32(1020);
	desc.g_directories = cpu_to_le32(4);
	desc.g_inode_blocks = cpu_to_le32(128);
	assert_good(vex_group_check(&desc, &geo, 1));
	desc.g_directories = cpu_to_le32(5);
	assert_says(vex_group_check(&desc, &geo, 1), "g_directories");
	desc.g_directories = 0;
	desc.g_inode_blocks = cpu_to_le32(129);
	assert_says(vex_group_check(&desc, &geo, 1), "g_inode_blocks");
	desc.g_inode_blocks = 0;
	desc.g_free_inodes = cpu_to_le32(1025);
	assert_says(vex_group_check(&desc, &geo, 1), "g_free_inodes");
	desc.g_free_inodes = cpu_to_le32(1010);
	desc.g_free_blocks = cpu_to_le32(3);
	assert_says(vex_group_check(&desc, &geo, 0), "g_free_inodes");
	desc.g_flags = cpu_to_le32(2);
	assert_says(vex_group_check(&desc, &geo, 1), "g_flags");
	desc.g_flags = 0;
	desc.g_reserved[43] = 1;
	assert_says(vex_group_check(&desc, &geo, 1), "g_reserved");
}

static void test_init_bitmaps(void **state)
{
	static struct vexfs_disk_bitmap blocks, inodes;
	static const struct { u64 blocks; u32 inodes; } shapes[] = {
		{ 100000, 1024 }, { 4096, 16 }, { 32256, 32000 }, { 70000, 8 },
	};
	struct vex_geometry geo;
	u32 i, bit, count;
	u64 group;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		geo = shape(shapes[i].blocks, 3, shapes[i].inodes);
		for (group = 0; group < geo.groups; group++) {
			memset(&blocks, 0x5a, sizeof(blocks));
			memset(&inodes, 0x5a, sizeof(inodes));
			vex_group_init_bitmaps(&geo, group, &blocks, &inodes);
			assert_good(vex_header_check(&blocks,
						     VEXFS_MAGIC_BLOCK_BITMAP,
						     vex_group_bitmap(&geo, group),
						     group, uuid));
			assert_good(vex_header_check(&inodes,
						     VEXFS_MAGIC_INODE_BITMAP,
						     vex_group_bitmap(&geo, group) + 1,
						     group, uuid));
			for (bit = 0; bit < VEXFS_GROUP_BLOCKS; bit++) {
				u64 ino = group * geo.inodes_per_group + bit + 1;
				bool used = bit >= geo.inodes_per_group ||
					    ino < VEXFS_INO_FIRST;

				assert_int_equal(vex_bitmap_test(inodes.bm_bits,
								 bit), used);
				used = !vex_range_is_data(&geo,
					vex_group_start(group) + bit, 1);
				assert_int_equal(vex_bitmap_test(blocks.bm_bits,
								 bit), used);
			}
			count = vex_bitmap_clear_count(blocks.bm_bits,
						       VEXFS_GROUP_BLOCKS);
			assert_int_equal(count,
					 vex_group_free_blocks_max(&geo, group));
			count = vex_bitmap_clear_count(inodes.bm_bits,
						       VEXFS_GROUP_BLOCKS);
			assert_int_equal(count,
					 vex_group_free_inodes_max(&geo, group));
			vex_group_init_bitmaps(&geo, group, NULL, NULL);
		}
	}
}

#define BITS	1000U

static void test_bitmap(void **state)
{
	__le64 *bits = calloc((BITS + 63) / 64, 8);
	bool model[BITS] = { false };
	u32 step, start, end, count, found, expected, length, max, i;

	(void)state;
	random_seed("bitmap", 40);
	for (step = 0; step < 200000; step++) {
		bool set = random_below(2), same = false;

		start = random_below(BITS);
		count = 1 + random_below(random_below(8) ? 10 : 300);
		count = min(count, BITS - start);
		for (i = start; i < start + count; i++)
			same |= model[i] == set;
		assert_int_equal(vex_bitmap_change(bits, start, count, set),
				 !same);
		if (!same)
			for (i = start; i < start + count; i++)
				model[i] = set;

		start = random_below(BITS + 1);
		end = start + random_below(BITS + 1 - start);
		max = 1 + random_below(random_below(2) ? 5 : 2000);
		for (expected = start; expected < end; expected++)
			if (!model[expected])
				break;
		found = vex_bitmap_find(bits, start, end, max, &length);
		assert_int_equal(found, expected);
		if (found < end) {
			for (i = found; i < end && i < found + max; i++)
				if (model[i])
					break;
			assert_int_equal(length, i - found);
		}
		for (i = count = 0; i < end; i++)
			count += !model[i];
		assert_int_equal(vex_bitmap_clear_count(bits, end), count);
		i = random_below(BITS);
		assert_int_equal(vex_bitmap_test(bits, i), model[i]);
	}
	free(bits);
}

static void make_inode(struct vexfs_disk_inode *inode, u64 ino, u16 mode,
		       u8 kind)
{
	memset(inode, 0, sizeof(*inode));
	inode->ino_number = cpu_to_le64(ino);
	inode->ino_mode = cpu_to_le16(mode);
	inode->ino_links = cpu_to_le32(1);
	inode->ino_atime = cpu_to_le64(U64_MAX);
	vex_tree_init_root(&inode->ino_root, kind);
	if (mode >> 12 == 4)
		inode->ino_parent = cpu_to_le64(2);
	if (mode >> 12 == 10) {
		inode->ino_size = cpu_to_le64(4);
		memcpy(inode->ino_root.r_data, "dest", 4);
	}
}

static void make_vector(struct vexfs_disk_inode *inode, u64 ino)
{
	make_inode(inode, ino, 0100644, VEXFS_TREE_EXTENTS);
	inode->ino_flags = cpu_to_le32(VEXFS_INO_FLAG_VECTOR);
	inode->ino_size = cpu_to_le64(10 * 12 + 5);
	inode->ino_rows = cpu_to_le64(10);
	inode->ino_deleted = cpu_to_le64(10);
	inode->ino_next_id = cpu_to_le64(10);
	inode->ino_vector_generation = cpu_to_le64(3);
	inode->ino_schema.s_dim = cpu_to_le32(3);
	inode->ino_schema.s_element = VEXFS_ELEMENT_F32;
	inode->ino_schema.s_metric = VEXFS_METRIC_L2;
	inode->ino_schema.s_ids = VEXFS_IDS_AUTO;
	inode->ino_forks[0] = cpu_to_le64(30);
	inode->ino_forks[2] = cpu_to_le64(31);
}

#define INO	20

static void test_inode_kinds(void **state)
{
	static const struct { u16 mode; u8 kind; } good[] = {
		{ 0100644, VEXFS_TREE_EXTENTS }, { 0040755, VEXFS_TREE_DIRECTORY },
		{ 0120777, VEXFS_TREE_NONE }, { 0020600, VEXFS_TREE_NONE },
		{ 0060600, VEXFS_TREE_NONE }, { 0010600, VEXFS_TREE_NONE },
		{ 0140600, VEXFS_TREE_NONE },
	};
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_inode inode;
	u32 i, kind, type;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		for (kind = 0; kind < VEXFS_TREE_KINDS + 1; kind++) {
			make_inode(&inode, INO, good[i].mode, kind);
			if (kind == good[i].kind)
				assert_good(vex_inode_check(&inode, INO, &geo));
			else
				assert_non_null(vex_inode_check(&inode, INO,
								&geo));
		}
		make_inode(&inode, INO, good[i].mode, good[i].kind);
		assert_says(vex_inode_check(&inode, INO + 1, &geo),
			    "ino_number");
		inode.ino_links = 0;
		assert_good(vex_inode_check(&inode, INO, &geo));
	}
	for (type = 0; type < 16; type++) {
		make_inode(&inode, INO, type << 12, 0);
		for (i = 0; i < ARRAY_SIZE(good); i++)
			if (good[i].mode >> 12 == type)
				break;
		if (i == ARRAY_SIZE(good))
			assert_says(vex_inode_check(&inode, INO, &geo),
				    "ino_mode");
	}
	/* Forks. */
	for (kind = 0; kind < VEXFS_TREE_KINDS + 1; kind++) {
		make_inode(&inode, INO, 0100000, kind);
		inode.ino_flags = cpu_to_le32(VEXFS_INO_FLAG_FORK);
		inode.ino_parent = cpu_to_le64(40);
		if (kind == VEXFS_TREE_NONE || kind == VEXFS_TREE_DIRECTORY ||
		    kind == VEXFS_TREE_KINDS)
			assert_non_null(vex_inode_check(&inode, INO, &geo));
		else
			assert_good(vex_inode_check(&inode, INO, &geo));
		if (!vex_inode_check(&inode, INO, &geo)) {
			inode.ino_xattr_block = cpu_to_le64(200);
			assert_says(vex_inode_check(&inode, INO, &geo),
				    "ino_xattr_block");
			inode.ino_xattr_block = 0;
		}
		inode.ino_parent = 0;
		assert_says(vex_inode_check(&inode, INO, &geo), "ino_parent");
		inode.ino_parent = cpu_to_le64(INO);
		assert_says(vex_inode_check(&inode, INO, &geo), "ino_parent");
	}
	/* The root directory. */
	make_inode(&inode, 2, 0040755, VEXFS_TREE_DIRECTORY);
	assert_good(vex_inode_check(&inode, 2, &geo));
	inode.ino_parent = 0;
	assert_good(vex_inode_check(&inode, 2, &geo));
}

static void test_inode_fields(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_inode inode;
	u32 i;

	(void)state;
#define BAD(make, field, value, says) do {				\
	make;								\
	assert_good(vex_inode_check(&inode, INO, &geo));		\
	inode.field = value;						\
	assert_says(vex_inode_check(&inode, INO, &geo), says);		\
} while (0)
#define REG	make_inode(&inode, INO, 0100644, VEXFS_TREE_EXTENTS)
#define DIR	make_inode(&inode, INO, 0040755, VEXFS_TREE_DIRECTORY)
#define LNK	make_inode(&inode, INO, 0120777, VEXFS_TREE_NONE)
#define FIFO	make_inode(&inode, INO, 0010644, VEXFS_TREE_NONE)
#define VEC	make_vector(&inode, INO)
	BAD(REG, ino_reserved0, cpu_to_le16(1), "ino_reserved");
	for (i = 0; i < sizeof(inode.ino_reserved); i++)
		BAD(REG, ino_reserved[i], 1, "ino_reserved");
	BAD(REG, ino_flags, cpu_to_le32(0x100), "ino_flags");
	BAD(REG, ino_flags, cpu_to_le32(1U << 31), "ino_flags");
	BAD(DIR, ino_flags, cpu_to_le32(VEXFS_INO_FLAG_FORK), "ino_flags");
	BAD(LNK, ino_flags, cpu_to_le32(VEXFS_INO_FLAG_VECTOR), "ino_flags");
	BAD(FIFO, ino_flags, cpu_to_le32(VEXFS_INO_FLAG_VECTOR), "ino_flags");
	BAD(VEC, ino_flags, cpu_to_le32(VEXFS_INO_FLAG_VECTOR |
					VEXFS_INO_FLAG_FORK), "ino_flags");
	BAD(REG, ino_rdev, cpu_to_le32(1), "ino_rdev");
	BAD(REG, ino_uid, cpu_to_le32(U32_MAX), "ino_uid");
	BAD(REG, ino_gid, cpu_to_le32(U32_MAX), "ino_uid");
	BAD(REG, ino_links, cpu_to_le32(VEXFS_LINK_MAX + 1), "ino_links");
	BAD(REG, ino_atime_ns, cpu_to_le32(1000000000), "ino_*time_ns");
	BAD(REG, ino_mtime_ns, cpu_to_le32(1000000000), "ino_*time_ns");
	BAD(REG, ino_ctime_ns, cpu_to_le32(U32_MAX), "ino_*time_ns");
	BAD(REG, ino_btime_ns, cpu_to_le32(1000000000), "ino_*time_ns");
	BAD(REG, ino_size, cpu_to_le64((1ULL << 52) + 1), "ino_size");
	BAD(REG, ino_size, cpu_to_le64(U64_MAX), "ino_size");
	BAD(DIR, ino_size, cpu_to_le64(1), "ino_size");
	BAD(DIR, ino_size, cpu_to_le64(4096ULL * 100001), "ino_size");
	BAD(LNK, ino_size, 0, "ino_size");
	BAD(LNK, ino_size, cpu_to_le64(4096), "ino_size");
	BAD(FIFO, ino_size, cpu_to_le64(1), "ino_size");
	BAD(REG, ino_blocks, cpu_to_le64(100001), "ino_blocks");
	BAD(REG, ino_parent, cpu_to_le64(2), "ino_parent");
	BAD(DIR, ino_parent, 0, "ino_parent");
	BAD(DIR, ino_parent, cpu_to_le64(INO), "ino_parent");
	BAD(DIR, ino_parent, cpu_to_le64(5000), "ino_parent");
	BAD(REG, ino_next_orphan, cpu_to_le64(INO), "ino_next_orphan");
	BAD(REG, ino_next_orphan, cpu_to_le64(3), "ino_next_orphan");
	BAD(REG, ino_next_orphan, cpu_to_le64(5000), "ino_next_orphan");
	BAD(REG, ino_xattr_block, cpu_to_le64(3), "ino_xattr_block");
	BAD(REG, ino_xattr_block, cpu_to_le64(U64_MAX), "ino_xattr_block");
	BAD(REG, ino_forks[0], cpu_to_le64(30), "ino_forks");
	BAD(VEC, ino_forks[1], cpu_to_le64(30), "ino_forks");
	BAD(VEC, ino_forks[1], cpu_to_le64(INO), "ino_forks");
	BAD(VEC, ino_forks[1], cpu_to_le64(5), "ino_forks");
	BAD(VEC, ino_forks[1], cpu_to_le64(5000), "ino_forks");
	for (i = 0; i < VEXFS_FORKS; i++)
		if (vex_fork_kind(i) == VEXFS_TREE_NONE)
			BAD(VEC, ino_forks[i], cpu_to_le64(33), "ino_forks");
	BAD(REG, ino_rows, cpu_to_le64(1), "ino_rows");
	BAD(REG, ino_deleted, cpu_to_le64(1), "ino_rows");
	BAD(REG, ino_next_id, cpu_to_le64(1), "ino_rows");
	BAD(REG, ino_vector_generation, cpu_to_le64(1), "ino_rows");
	BAD(REG, ino_schema.s_dim, cpu_to_le32(1), "ino_schema");
	BAD(VEC, ino_rows, cpu_to_le64(11), "ino_rows");
	BAD(VEC, ino_rows, cpu_to_le64(U64_MAX), "ino_rows");
	BAD(VEC, ino_deleted, cpu_to_le64(11), "ino_deleted");
	BAD(VEC, ino_next_id, cpu_to_le64(9), "ino_next_id");
	BAD(VEC, ino_schema.s_dim, 0, "s_dim");
	BAD(VEC, ino_flags, 0, "ino_forks");

	/* A directory may hand a schema down, but has no rows. */
	DIR;
	inode.ino_flags = cpu_to_le32(VEXFS_INO_FLAG_VECTOR);
	assert_says(vex_inode_check(&inode, INO, &geo), "s_dim");
	inode.ino_schema.s_dim = cpu_to_le32(65535);
	inode.ino_schema.s_element = VEXFS_ELEMENT_U8;
	inode.ino_schema.s_metric = VEXFS_METRIC_L1;
	inode.ino_schema.s_ids = VEXFS_IDS_OWN;
	assert_good(vex_inode_check(&inode, INO, &geo));
	inode.ino_rows = cpu_to_le64(1);
	assert_says(vex_inode_check(&inode, INO, &geo), "ino_rows");
	/* Orphaned, it needs no parent. */
	DIR;
	inode.ino_parent = 0;
	inode.ino_links = 0;
	assert_good(vex_inode_check(&inode, INO, &geo));
}

static void test_inode_root(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_inode inode;
	struct vexfs_disk_record *record = (void *)inode.ino_root.r_data;
	struct vexfs_disk_index *child = (void *)inode.ino_root.r_data;

	(void)state;
	REG;
	inode.ino_root.r_count = cpu_to_le16(1);
	record->r_length = cpu_to_le32(10);
	record->r_value = cpu_to_le64(200);
	record->r_flags = cpu_to_le32(VEXFS_RECORD_UNWRITTEN);
	assert_good(vex_inode_check(&inode, INO, &geo));
	record->r_flags = cpu_to_le32(VEXFS_RECORD_SHARED);
	assert_says(vex_inode_check(&inode, INO, &geo), "r_flags");
	record->r_flags = 0;
	record->r_value = cpu_to_le64(134);
	assert_says(vex_inode_check(&inode, INO, &geo), "r_value");
	record->r_value = cpu_to_le64(99999);
	assert_says(vex_inode_check(&inode, INO, &geo), "r_value");
	record->r_value = cpu_to_le64(32250);
	assert_says(vex_inode_check(&inode, INO, &geo), "r_value");

	DIR;
	inode.ino_root.r_depth = 1;
	inode.ino_root.r_count = cpu_to_le16(1);
	child->x_block = cpu_to_le64(200);
	assert_good(vex_inode_check(&inode, INO, &geo));
	child->x_block = cpu_to_le64(5);
	assert_says(vex_inode_check(&inode, INO, &geo), "x_block");
	child->x_block = cpu_to_le64(U64_MAX);
	assert_says(vex_inode_check(&inode, INO, &geo), "x_block");
	child->x_block = cpu_to_le64(200);
	child->x_key = cpu_to_le64(1);
	assert_says(vex_inode_check(&inode, INO, &geo), "x_key");
}

static void test_symlink(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_inode inode;
	u8 *data = inode.ino_root.r_data;
	u32 size;

	(void)state;
	for (size = 1; size <= VEXFS_SYMLINK_MAX; size++) {
		u32 used = size;
		__le64 block = cpu_to_le64(300);

		LNK;
		memset(data, 0, VEXFS_ROOT_BYTES);
		inode.ino_size = cpu_to_le64(size);
		if (size > VEXFS_ROOT_BYTES) {
			memcpy(data, &block, 8);
			used = size > VEXFS_PAYLOAD_BYTES ?
			       size - VEXFS_PAYLOAD_BYTES : 0;
			memset(data + 8, 'x', used);
			used += 8;
		} else {
			memset(data, 'x', used);
		}
		assert_good(vex_inode_check(&inode, INO, &geo));
		if (used < VEXFS_ROOT_BYTES) {
			data[used] = 'x';
			assert_says(vex_inode_check(&inode, INO, &geo),
				    "ino_root");
			data[used] = 0;
		}
		if (size <= VEXFS_ROOT_BYTES || used > 8)
			data[used - 1] = 0;
		else
			data[0] = data[1] = 0;
		assert_says(vex_inode_check(&inode, INO, &geo), "ino_root");
	}
	LNK;
	inode.ino_root.r_count = cpu_to_le16(1);
	assert_says(vex_inode_check(&inode, INO, &geo), "ino_root");
}

static void test_schema(void **state)
{
	struct vexfs_disk_inode inode;
	struct vexfs_disk_schema *schema = &inode.ino_schema;
	u32 i;

	(void)state;
	assert_int_equal(vex_element_bytes(VEXFS_ELEMENT_F32), 4);
	assert_int_equal(vex_element_bytes(VEXFS_ELEMENT_F16), 2);
	assert_int_equal(vex_element_bytes(VEXFS_ELEMENT_I8), 1);
	assert_int_equal(vex_element_bytes(VEXFS_ELEMENT_U8), 1);
	assert_int_equal(vex_element_bytes(0), 0);
	assert_int_equal(vex_element_bytes(5), 0);
	assert_int_equal(vex_element_bytes(255), 0);
#define BAD_SCHEMA(field, value, says) do {				\
	VEC;								\
	assert_good(vex_schema_check(schema));				\
	schema->field = value;						\
	assert_says(vex_schema_check(schema), says);			\
} while (0)
	BAD_SCHEMA(s_dim, 0, "s_dim");
	BAD_SCHEMA(s_dim, cpu_to_le32(65536), "s_dim");
	BAD_SCHEMA(s_element, 0, "s_element");
	BAD_SCHEMA(s_element, 5, "s_element");
	BAD_SCHEMA(s_metric, 0, "s_metric");
	BAD_SCHEMA(s_metric, 5, "s_metric");
	BAD_SCHEMA(s_ids, 0, "s_ids");
	BAD_SCHEMA(s_ids, 3, "s_ids");
	BAD_SCHEMA(s_columns, 1, "s_column_types");
	BAD_SCHEMA(s_columns, 17, "s_columns");
	BAD_SCHEMA(s_column_types, cpu_to_le64(1), "s_column_types");
	BAD_SCHEMA(s_flags, cpu_to_le32(1), "s_flags");
	BAD_SCHEMA(s_reserved0, cpu_to_le32(1), "s_reserved");
	BAD_SCHEMA(s_reserved, cpu_to_le64(1), "s_reserved");
	/* No byte of it is free. */
	for (i = 0; i < sizeof(*schema); i++) {
		VEC;
		((u8 *)schema)[i] ^= 0x80;
		if (i != 0 && i != 1)
			assert_non_null(vex_schema_check(schema));
	}
}

/* Add an attribute to a block in the making. */
static void put_xattr(struct vexfs_disk_xattr_block *block, u8 space,
		      const char *name, u16 value_bytes)
{
	u32 at = le16_to_cpu(block->xb_bytes);
	struct vexfs_disk_xattr *entry = (void *)(block->xb_data + at);
	u32 length = strlen(name);

	entry->x_space = space;
	entry->x_name_length = length;
	entry->x_value_length = cpu_to_le16(value_bytes);
	memcpy(block->xb_data + at + 8, name, length);
	memset(block->xb_data + at + 8 + length, 0xee, value_bytes);
	block->xb_bytes = cpu_to_le16(at + ((8 + length + value_bytes + 7) & ~7));
	le16_add_cpu(&block->xb_count, 1);
}

static void make_xattrs(struct vexfs_disk_xattr_block *block)
{
	memset(block, 0, sizeof(*block));
	put_xattr(block, VEXFS_XATTR_USER, "a", 0);		/* at 0 */
	put_xattr(block, VEXFS_XATTR_USER, "aa", 6);		/* at 16 */
	put_xattr(block, VEXFS_XATTR_USER, "b", 3);		/* at 32 */
	put_xattr(block, VEXFS_XATTR_SECURITY, "a", 8);		/* at 48 */
	put_xattr(block, VEXFS_XATTR_ACL_ACCESS, "", 28);	/* at 72 */
}

static void test_xattr(void **state)
{
	/* On the heap, so that a sanitizer sees a step beyond its end. */
	struct vexfs_disk_xattr_block *block = malloc(sizeof(*block));
	u32 i, bit;

	(void)state;
	memset(block, 0, sizeof(*block));
	assert_good(vex_xattr_check(block));
	put_xattr(block, VEXFS_XATTR_USER, "whole", 4024 - 8 - 5);
	assert_int_equal(le16_to_cpu(block->xb_bytes), VEXFS_XATTR_BYTES);
	assert_good(vex_xattr_check(block));
#define BAD_XATTR(where, value, says) do {				\
	make_xattrs(block);						\
	assert_good(vex_xattr_check(block));				\
	block->where = value;						\
	assert_says(vex_xattr_check(block), says);			\
} while (0)
	BAD_XATTR(xb_count, cpu_to_le16(4), "xb_bytes");
	BAD_XATTR(xb_count, cpu_to_le16(6), "xb_count");
	BAD_XATTR(xb_count, cpu_to_le16(65535), "xb_count");
	BAD_XATTR(xb_bytes, cpu_to_le16(65528), "xb_bytes");
	BAD_XATTR(xb_bytes, cpu_to_le16(4032), "xb_bytes");
	BAD_XATTR(xb_bytes, cpu_to_le16(113), "xb_bytes");
	BAD_XATTR(xb_bytes, cpu_to_le16(104), "x_value_length");
	BAD_XATTR(xb_reserved, cpu_to_le32(1), "xb_reserved");
	BAD_XATTR(xb_data[0], 0, "x_space");
	BAD_XATTR(xb_data[0], 7, "x_space");
	BAD_XATTR(xb_data[0], VEXFS_XATTR_ACL_DEFAULT, "x_name_length");
	BAD_XATTR(xb_data[1], 0, "x_name_length");
	BAD_XATTR(xb_data[4], 1, "x_reserved");
	BAD_XATTR(xb_data[8], 'b', "x_data");
	BAD_XATTR(xb_data[8], 0, "x_data");
	BAD_XATTR(xb_data[15], 1, "x_data");
	BAD_XATTR(xb_data[16], VEXFS_XATTR_TRUSTED, "x_data");
	BAD_XATTR(xb_data[25], 0, "x_data");
	BAD_XATTR(xb_data[4023], 1, "xb_data");
	for (i = 64; i < VEXFS_BLOCK_SIZE; i++) {
		for (bit = 0; bit < 8; bit++) {
			make_xattrs(block);
			((u8 *)block)[i] ^= 1 << bit;
			if (i >= 72 + 112)
				assert_non_null(vex_xattr_check(block));
			else
				vex_xattr_check(block);
		}
	}
	free(block);
}

/* Random bytes over good structures: every check must return. */
static void test_noise(void **state)
{
	struct vex_geometry geo = shape(100000, 3, 1024);
	struct vexfs_disk_xattr_block *block = malloc(sizeof(*block));
	struct vexfs_disk_inode *inode = aligned_alloc(8, sizeof(*inode));
	u32 step, n;

	(void)state;
	random_seed("noise", 41);
	for (step = 0; step < 200000; step++) {
		if (random_below(2))
			make_vector(inode, INO);
		else
			make_inode(inode, INO, random_below(16) << 12,
				   random_below(VEXFS_TREE_KINDS));
		for (n = random_below(5); n; n--)
			((u8 *)inode)[random_below(sizeof(*inode))] =
				random_u64();
		if (random_below(2))
			inode->ino_root.r_count =
				cpu_to_le16(random_below(12));
		vex_inode_check(inode, INO, &geo);
		make_xattrs(block);
		for (n = random_below(5); n; n--)
			((u8 *)block)[64 + random_below(200)] = random_u64();
		vex_xattr_check(block);
	}
	free(inode);
	free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_range_is_data),
		cmocka_unit_test(test_impossible_geometry),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_super),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_init_bitmaps),
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_inode_kinds),
		cmocka_unit_test(test_inode_fields),
		cmocka_unit_test(test_inode_root),
		cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_xattr),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
