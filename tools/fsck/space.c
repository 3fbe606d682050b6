// SPDX-License-Identifier: Apache-2.0
/*
 * Who owns which block, and which inodes there are: maps in memory that take
 * room only where something is, and their comparison with what the groups'
 * bitmaps and summaries say.
 */
#define _GNU_SOURCE
#include "fsck.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Zeroed memory that costs nothing until it is written. */
static void *map_zeros(u64 bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void read_summaries(struct fsck *fsck)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	struct vexfs_disk_gdt_block block;
	const char *what;
	u64 group;

	for (u32 index = 0; index < geo->gdt_blocks; index++) {
		u64 number = VEXFS_GDT_BLOCK + index;
		bool bad = volume_read_meta(&fsck->vol, number,
					    VEXFS_MAGIC_GDT, index, &block,
					    &what);

		if (bad)
			fsck_note_block(fsck, number, "group descriptors: %s",
					what);
		for (u32 i = 0; i < VEXFS_GROUPS_PER_BLOCK; i++) {
			const u8 *raw = (const u8 *)&block.gd_groups[i];

			group = (u64)index * VEXFS_GROUPS_PER_BLOCK + i;
			if (group < geo->groups) {
				fsck->group_bad[group] = bad;
				if (!bad)
					fsck->groups[group] =
						block.gd_groups[i];
				continue;
			}
			for (u32 at = 0; !bad &&
			     at < sizeof(struct vexfs_disk_group); at++)
				if (raw[at]) {
					fsck_note_block(fsck, number,
							"group descriptors: group %llu is beyond the volume, but its summary is not zero",
							(unsigned long long)
							group);
					break;
				}
		}
	}
	for (group = 0; group < geo->groups; group++) {
		if (fsck->group_bad[group])
			continue;
		what = vex_group_check(&fsck->groups[group], geo, group);
		if (!what)
			continue;
		fsck_note(fsck, "group %llu: %s", (unsigned long long)group,
			  what);
		fsck->group_bad[group] = true;
	}
}

bool fsck_space_init(struct fsck *fsck)
{
	const struct vex_geometry *geo = &fsck->vol.geo;

	fsck->inodes_bytes = geo->groups * geo->inodes_per_group + 1;
	fsck->used_bytes = geo->groups * (VEXFS_GROUP_BLOCKS / 8);
	fsck->inodes = map_zeros(fsck->inodes_bytes);
	fsck->used = map_zeros(fsck->used_bytes);
	fsck->used_in_group = calloc(geo->groups, sizeof(u32));
	fsck->groups = calloc(geo->groups, sizeof(*fsck->groups));
	fsck->group_bad = calloc(geo->groups, sizeof(*fsck->group_bad));
	if (!fsck->inodes || !fsck->used || !fsck->used_in_group ||
	    !fsck->groups || !fsck->group_bad) {
		fsck_fail(fsck, -ENOMEM, "making maps of blocks and inodes");
		return false;
	}
	fsck_step(fsck, "group descriptors");
	read_summaries(fsck);
	return true;
}

void fsck_space_free(struct fsck *fsck)
{
	if (fsck->inodes)
		munmap(fsck->inodes, fsck->inodes_bytes);
	if (fsck->used)
		munmap(fsck->used, fsck->used_bytes);
	free(fsck->used_in_group);
	free(fsck->groups);
	free(fsck->group_bad);
	number_map_free(&fsck->more_names);
}

bool fsck_claim(struct fsck *fsck, u64 ino, u64 block, u64 count,
		const char *what)
{
	u64 group = block / VEXFS_GROUP_BLOCKS;
	u64 twice = 0, first = 0;

	if (!vex_range_is_data(&fsck->vol.geo, block, count)) {
		fsck_note_inode(fsck, ino,
				"%s: blocks %llu to %llu are not in the data area of a group",
				what, (unsigned long long)block,
				(unsigned long long)(block + count - 1));
		return false;
	}
	for (u64 at = block; at < block + count; at++) {
		u64 bit = 1ULL << (at % 64);

		if (fsck->used[at / 64] & bit) {
			if (!twice++)
				first = at;
			continue;
		}
		fsck->used[at / 64] |= bit;
		fsck->used_in_group[group]++;
	}
	if (!twice)
		return true;
	fsck_note_inode(fsck, ino,
			"%s: %llu blocks from block %llu on are used twice: something else owns them too",
			what, (unsigned long long)twice,
			(unsigned long long)first);
	return false;
}

/* Notes runs of bits that differ: @expected says what they should be. */
static void compare_bits(struct fsck *fsck, u64 group, const __le64 *bits,
			 const __le64 *expected, const u64 *used, u32 end)
{
	u64 start = vex_group_start(group);
	u32 bit = 0, run;
	bool marked, wanted;

	while (bit < end) {
		u64 word = le64_to_cpu(bits[bit / 64]);
		u64 want = le64_to_cpu(expected[bit / 64]) | used[bit / 64];

		if (!(bit % 64) && word == want) {
			bit += 64;
			continue;
		}
		marked = word >> (bit % 64) & 1;
		wanted = want >> (bit % 64) & 1;
		if (marked == wanted) {
			bit++;
			continue;
		}
		for (run = bit; bit < end; bit++) {
			want = le64_to_cpu(expected[bit / 64]) |
			       used[bit / 64];
			if (vex_bitmap_test(bits, bit) != marked ||
			    (want >> (bit % 64) & 1) != wanted)
				break;
		}
		fsck_note(fsck, "group %llu: blocks %llu to %llu: %s",
			  (unsigned long long)group,
			  (unsigned long long)(start + run),
			  (unsigned long long)(start + bit - 1),
			  marked ? "marked in use, but nothing owns them" :
				   "in use, but marked free");
	}
}

/* Reads a bitmap of a group; false if it cannot be used. */
static bool read_bitmap(struct fsck *fsck, u64 group, bool inodes,
			struct vexfs_disk_bitmap *bitmap)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	u64 block = vex_group_bitmap(geo, group) + inodes;
	u32 size = inodes ? geo->inodes_per_group :
			    vex_group_blocks(geo, group);
	const char *what, *name = inodes ? "inode bitmap" : "block bitmap";

	if (le32_to_cpu(fsck->groups[group].g_flags) & VEXFS_GROUP_UNINIT) {
		vex_group_init_bitmaps(geo, group, inodes ? NULL : bitmap,
				       inodes ? bitmap : NULL);
		return true;
	}
	if (volume_read_meta(&fsck->vol, block, inodes ?
			     VEXFS_MAGIC_INODE_BITMAP :
			     VEXFS_MAGIC_BLOCK_BITMAP, group, bitmap, &what)) {
		fsck_note_block(fsck, block, "%s of group %llu: %s", name,
				(unsigned long long)group, what);
		return false;
	}
	for (u32 bit = size; bit < VEXFS_GROUP_BLOCKS; bit++)
		if (!vex_bitmap_test(bitmap->bm_bits, bit)) {
			fsck_note_block(fsck, block,
					"%s of group %llu: bits beyond the end are clear",
					name, (unsigned long long)group);
			break;
		}
	return true;
}

static void check_block_bitmap(struct fsck *fsck, u64 group)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	const u64 *used = fsck->used + vex_group_start(group) / 64;
	u32 stated = le32_to_cpu(fsck->groups[group].g_free_blocks);
	u32 size = vex_group_blocks(geo, group);
	struct vexfs_disk_bitmap bitmap, expected;
	u32 clear;

	if (!read_bitmap(fsck, group, false, &bitmap))
		return;
	clear = vex_bitmap_clear_count(bitmap.bm_bits, size);
	if (clear != stated)
		fsck_note(fsck,
			  "group %llu: g_free_blocks: %u, but %u blocks are marked free",
			  (unsigned long long)group, stated, clear);
	vex_group_init_bitmaps(geo, group, &expected, NULL);
	compare_bits(fsck, group, bitmap.bm_bits, expected.bm_bits, used,
		     size);
}

static void check_inode_bitmap(struct fsck *fsck, u64 group)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	const struct vexfs_disk_group *desc = &fsck->groups[group];
	u64 first = group * geo->inodes_per_group + 1;
	struct vexfs_disk_bitmap bitmap;
	u32 clear, directories = 0;

	if (!read_bitmap(fsck, group, true, &bitmap))
		return;
	clear = vex_bitmap_clear_count(bitmap.bm_bits, geo->inodes_per_group);
	if (clear != le32_to_cpu(desc->g_free_inodes))
		fsck_note(fsck,
			  "group %llu: g_free_inodes: %u, but %u inodes are marked free",
			  (unsigned long long)group,
			  le32_to_cpu(desc->g_free_inodes), clear);
	for (u32 bit = 0; bit < geo->inodes_per_group; bit++) {
		u8 type = fsck->inodes[first + bit] & INO_TYPE;
		bool marked = vex_bitmap_test(bitmap.bm_bits, bit);
		bool in_use = type || first + bit < VEXFS_INO_FIRST;

		directories += type == INO_TYPE_DIR;
		if (type != INO_TYPE_UNKNOWN && marked != in_use)
			fsck_note_inode(fsck, first + bit, "%s", marked ?
					"is marked in use, but free" :
					"is in use, but marked free");
	}
	if (directories != le32_to_cpu(desc->g_directories))
		fsck_note(fsck,
			  "group %llu: g_directories: %u, but there are %u",
			  (unsigned long long)group,
			  le32_to_cpu(desc->g_directories), directories);
}

void fsck_groups(struct fsck *fsck)
{
	fsck_step(fsck, "bitmaps and group summaries");
	for (u64 group = 0; group < fsck->vol.geo.groups; group++) {
		bool untouched = le32_to_cpu(fsck->groups[group].g_flags) &
				 VEXFS_GROUP_UNINIT;

		if (fsck->group_bad[group])
			continue;
		/* vex_group_check() saw that such a group has no inodes. */
		if (untouched && !fsck->used_in_group[group])
			continue;
		check_block_bitmap(fsck, group);
		if (!untouched)
			check_inode_bitmap(fsck, group);
	}
}
