// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzes the checks of everything that is not a tree, and the arithmetic of a
 * volume's shape. The first byte chooses; the rest is the structure, zeros
 * after its end. What passes a check must keep the promises that callers
 * build on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "layout.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 uuid[16] = "fuzz_layout";

static void require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "fuzz_layout: %s\n", what);
		abort();
	}
}

static void check_shape(const struct vex_geometry *geo, u64 block, u64 count,
			u64 ino)
{
	u64 group = geo->groups - 1;
	u32 slot;

	require(vex_group_start(group) + vex_group_blocks(geo, group) ==
		geo->blocks, "the last group does not end with the volume");
	require(vex_group_first_data(geo, group) < geo->blocks,
		"metadata beyond the volume");
	require(vex_backup_block(geo) < geo->blocks, "backup beyond the volume");
	if (vex_range_is_data(geo, block, count)) {
		require(block + count > block && block + count <= geo->blocks,
			"data beyond the volume");
		require(block / VEXFS_GROUP_BLOCKS ==
			(block + count - 1) / VEXFS_GROUP_BLOCKS,
			"data in two groups");
	}
	if (vex_inode_valid(geo, ino)) {
		block = vex_inode_block(geo, ino, &slot);
		require(slot < VEXFS_INODES_PER_BLOCK, "a slot that is not");
		group = block / VEXFS_GROUP_BLOCKS;
		require(block < geo->blocks &&
			block >= vex_group_bitmap(geo, group) + 2 &&
			block < vex_group_first_data(geo, group),
			"an inode outside of its table");
	}
}

static void fuzz_geometry(const u8 *in)
{
	struct vex_geometry geo;

	if (!vex_geometry_init(&geo, vex_load_le64(in), vex_load_le32(in + 8),
			       vex_load_le32(in + 12), uuid))
		check_shape(&geo, vex_load_le64(in + 16),
			    vex_load_le64(in + 24), vex_load_le64(in + 32));
}

static void fuzz_super(u8 *in)
{
	struct vexfs_disk_super *super = (void *)in;
	struct vex_geometry geo;
	u64 number = le64_to_cpu(super->sb_header.h_block);

	vex_super_check(super, number);
	vex_header_stamp(super);
	if (vex_super_check(super, number))
		return;
	require(!vex_geometry_init(&geo, le64_to_cpu(super->sb_blocks),
				   le32_to_cpu(super->sb_gdt_blocks),
				   le32_to_cpu(super->sb_inodes_per_group),
				   super->sb_meta_uuid), "impossible shape");
	check_shape(&geo, number, 1, number);
}

static void fuzz_inode(const u8 *in)
{
	const struct vexfs_disk_inode *inode = (const void *)in;
	struct vex_geometry geo;

	require(!vex_geometry_init(&geo, 100000, 3, 1024, uuid), "shape");
	if (vex_inode_check(inode, le64_to_cpu(inode->ino_number), &geo))
		return;
	require(le64_to_cpu(inode->ino_deleted) <= le64_to_cpu(inode->ino_rows),
		"more rows deleted than there are");
	require(inode->ino_root.r_depth <= VEXFS_TREE_DEPTH_MAX &&
		le16_to_cpu(inode->ino_root.r_count) <= VEXFS_ROOT_CHILDREN,
		"a root that is too large");
}

static void fuzz_bitmap(u8 *in)
{
	__le64 *bits = (void *)(in + VEXFS_HEADER_BYTES);
	u32 start = vex_load_le16(in) % VEXFS_GROUP_BLOCKS;
	u32 count = vex_load_le16(in + 2) % (VEXFS_GROUP_BLOCKS - start);
	u32 max = 1 + vex_load_le16(in + 4);
	u32 clear, found, length;

	found = vex_bitmap_find(bits, start, start + count, max, &length);
	require(found >= start && found <= start + count, "found elsewhere");
	if (found == start + count)
		return;
	require(length && length <= max && found + length <= start + count,
		"a run too long");
	clear = vex_bitmap_clear_count(bits, VEXFS_GROUP_BLOCKS);
	require(vex_bitmap_change(bits, found, length, true), "was not clear");
	require(!vex_bitmap_change(bits, found, length, true), "did not set");
	require(vex_bitmap_clear_count(bits, VEXFS_GROUP_BLOCKS) ==
		clear - length, "set more or less");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vex_geometry geo;
	u8 *in;

	if (!size)
		return 0;
	in = aligned_alloc(64, VEXFS_BLOCK_SIZE);
	require(in, "out of memory");
	memset(in, 0, VEXFS_BLOCK_SIZE);
	memcpy(in, data + 1, min(size - 1, (size_t)VEXFS_BLOCK_SIZE));
	require(!vex_geometry_init(&geo, 100000, 3, 1024, uuid), "shape");
	switch (data[0] % 8) {
	case 0:
		fuzz_geometry(in);
		break;
	case 1:
		fuzz_super(in);
		break;
	case 2:
		vex_state_check((void *)in, &geo);
		break;
	case 3:
		vex_group_check((void *)in, &geo, in[64] % geo.groups);
		break;
	case 4:
		fuzz_inode(in);
		break;
	case 5:
		vex_xattr_check((void *)in);
		break;
	case 6:
		vex_schema_check((void *)in);
		break;
	case 7:
		fuzz_bitmap(in);
		break;
	}
	free(in);
	return 0;
}
