// SPDX-License-Identifier: Apache-2.0
/*
 * Writes a new filesystem. The superblock comes last, after everything else
 * is on the device: a crash before that leaves no filesystem, a crash after it
 * leaves a whole one.
 */
#include "mkfs.h"
#include "journal.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_STEP_BLOCKS 4096U

/**
 * struct writer - a filesystem being written
 * @options: the options
 * @plan: the plan
 * @vol: the volume
 */
struct writer {
	const struct mkfs_options *options;
	const struct mkfs_plan *plan;
	struct volume *vol;
};

static int write_meta(struct writer *w, u64 block, void *data)
{
	vex_header_stamp(data);
	return volume_write(w->vol, block, data, 1);
}

static int write_journal(struct writer *w)
{
	const struct mkfs_plan *plan = w->plan;
	u8 super[VEXFS_BLOCK_SIZE];
	u32 done = 0;
	int ret = 0;

	for (unsigned int i = 0; i < plan->journal_runs && !ret; i++) {
		const struct vex_run *run = &plan->journal[i];

		for (u32 at = 0; at < run->length && !ret;
		     at += ZERO_STEP_BLOCKS) {
			u32 part = min(ZERO_STEP_BLOCKS, run->length - at);

			ret = volume_zero(w->vol, run->value + at, part);
			done += part;
			mkfs_progress(w->options, "zeroing the journal", done,
				      plan->journal_blocks);
		}
	}
	if (ret)
		return ret;
	journal_super_init(super, plan->journal_blocks, plan->geo.meta_uuid);
	return volume_write(w->vol, plan->journal[0].value, super, 1);
}

/* Blocks of the journal in a group; it begins where the group's data does. */
static u32 journal_in_group(const struct mkfs_plan *plan, u64 group)
{
	return group < plan->journal_runs ? plan->journal[group].length : 0;
}

static u32 inode_blocks_used(const struct mkfs_plan *plan, u64 group)
{
	u64 first = group * plan->geo.inodes_per_group + 1;
	u32 used;

	if (first >= VEXFS_INO_FIRST)
		return 0;
	used = plan->geo.inodes_per_group -
	       vex_group_free_inodes_max(&plan->geo, group);
	return (used + VEXFS_INODES_PER_BLOCK - 1) / VEXFS_INODES_PER_BLOCK;
}

static u64 group_of_ino(const struct mkfs_plan *plan, u64 ino)
{
	return (ino - 1) / plan->geo.inodes_per_group;
}

static bool group_is_used(const struct mkfs_plan *plan, u64 group)
{
	return !group || journal_in_group(plan, group) ||
	       inode_blocks_used(plan, group);
}

static void fill_group(const struct mkfs_plan *plan, u64 group,
		       struct vexfs_disk_group *desc)
{
	const struct vex_geometry *geo = &plan->geo;

	desc->g_free_blocks =
		cpu_to_le32(vex_group_free_blocks_max(geo, group) -
			    journal_in_group(plan, group));
	desc->g_free_inodes =
		cpu_to_le32(vex_group_free_inodes_max(geo, group));
	desc->g_inode_blocks = cpu_to_le32(inode_blocks_used(plan, group));
	if (group == group_of_ino(plan, VEXFS_INO_ROOT))
		desc->g_directories = cpu_to_le32(1);
	if (!group_is_used(plan, group))
		desc->g_flags = cpu_to_le32(VEXFS_GROUP_UNINIT);
}

static int write_gdt(struct writer *w)
{
	const struct vex_geometry *geo = &w->plan->geo;
	struct vexfs_disk_gdt_block block;
	int ret = 0;

	for (u32 index = 0; index < geo->gdt_blocks && !ret; index++) {
		u64 number = VEXFS_GDT_BLOCK + index;

		memset(&block, 0, sizeof(block));
		vex_header_init(&block, VEXFS_MAGIC_GDT, number, index,
				geo->meta_uuid);
		for (u32 i = 0; i < VEXFS_GROUPS_PER_BLOCK; i++) {
			u64 group = (u64)index * VEXFS_GROUPS_PER_BLOCK + i;

			if (group < geo->groups)
				fill_group(w->plan, group,
					   &block.gd_groups[i]);
		}
		ret = write_meta(w, number, &block);
		mkfs_progress(w->options, "writing group descriptors",
			      index + 1, geo->gdt_blocks);
	}
	return ret;
}

static int write_bitmaps(struct writer *w, u64 group)
{
	const struct vex_geometry *geo = &w->plan->geo;
	struct vexfs_disk_bitmap blocks, inodes;
	u64 number = vex_group_bitmap(geo, group);
	int ret;

	vex_group_init_bitmaps(geo, group, &blocks, &inodes);
	if (journal_in_group(w->plan, group))
		vex_bitmap_change(blocks.bm_bits,
				  (u32)(w->plan->journal[group].value -
					vex_group_start(group)),
				  journal_in_group(w->plan, group), true);
	ret = write_meta(w, number, &blocks);
	return ret ? ret : write_meta(w, number + 1, &inodes);
}

static int init_inode(struct writer *w, u64 ino, u16 mode,
		      struct vexfs_disk_inode *inode)
{
	u64 created = w->plan->created;
	u32 ns = w->plan->created_ns, generation;

	if (getrandom(&generation, sizeof(generation), 0) !=
	    sizeof(generation))
		return -EIO;
	inode->ino_number = cpu_to_le64(ino);
	inode->ino_mode = cpu_to_le16(mode);
	inode->ino_links = cpu_to_le32(1);
	inode->ino_generation = cpu_to_le32(generation);
	inode->ino_atime = cpu_to_le64(created);
	inode->ino_mtime = inode->ino_atime;
	inode->ino_ctime = inode->ino_atime;
	inode->ino_btime = inode->ino_atime;
	inode->ino_atime_ns = cpu_to_le32(ns);
	inode->ino_mtime_ns = inode->ino_atime_ns;
	inode->ino_ctime_ns = inode->ino_atime_ns;
	inode->ino_btime_ns = inode->ino_atime_ns;
	inode->ino_change = cpu_to_le64(1);
	return 0;
}

static int init_root(struct writer *w, struct vexfs_disk_inode *inode)
{
	inode->ino_root.r_kind = VEXFS_TREE_DIRECTORY;
	inode->ino_parent = cpu_to_le64(VEXFS_INO_ROOT);
	if (init_inode(w, VEXFS_INO_ROOT, S_IFDIR | 0755, inode))
		return -EIO;
	inode->ino_links = cpu_to_le32(2);
	return 0;
}

static int init_journal(struct writer *w, struct vexfs_disk_inode *inode)
{
	const struct mkfs_plan *plan = w->plan;
	struct vexfs_disk_record *records =
		(struct vexfs_disk_record *)inode->ino_root.r_data;

	inode->ino_size = cpu_to_le64((u64)plan->journal_blocks *
				      VEXFS_BLOCK_SIZE);
	inode->ino_blocks = cpu_to_le64(plan->journal_blocks);
	inode->ino_root.r_kind = VEXFS_TREE_EXTENTS;
	inode->ino_root.r_count = cpu_to_le16((u16)plan->journal_runs);
	for (unsigned int i = 0; i < plan->journal_runs; i++) {
		records[i].r_key = cpu_to_le64(plan->journal[i].key);
		records[i].r_value = cpu_to_le64(plan->journal[i].value);
		records[i].r_length = cpu_to_le32(plan->journal[i].length);
	}
	return init_inode(w, VEXFS_INO_JOURNAL, S_IFREG | 0600, inode);
}

/* Inode blocks with inodes below VEXFS_INO_FIRST: the only ones written. */
static int write_inodes(struct writer *w, u64 group)
{
	const struct vex_geometry *geo = &w->plan->geo;
	struct vexfs_disk_inode_block block;
	u32 count = inode_blocks_used(w->plan, group);
	int ret = 0;

	for (u32 i = 0; i < count && !ret; i++) {
		u64 number = vex_group_bitmap(geo, group) + 2 + i;
		u32 slot;

		memset(&block, 0, sizeof(block));
		vex_header_init(&block, VEXFS_MAGIC_INODES, number, group,
				geo->meta_uuid);
		if (vex_inode_block(geo, VEXFS_INO_ROOT, &slot) == number)
			ret = init_root(w, &block.ib_inodes[slot]);
		if (!ret && vex_inode_block(geo, VEXFS_INO_JOURNAL, &slot) ==
			    number)
			ret = init_journal(w, &block.ib_inodes[slot]);
		if (!ret)
			ret = write_meta(w, number, &block);
	}
	return ret;
}

static int write_state(struct writer *w)
{
	struct vexfs_disk_state state;

	memset(&state, 0, sizeof(state));
	vex_header_init(&state, VEXFS_MAGIC_STATE, VEXFS_STATE_BLOCK, 0,
			w->plan->geo.meta_uuid);
	return write_meta(w, VEXFS_STATE_BLOCK, &state);
}

static int write_super(struct writer *w, u64 number)
{
	const struct vex_geometry *geo = &w->plan->geo;
	struct vexfs_disk_super super;

	memset(&super, 0, sizeof(super));
	vex_header_init(&super, VEXFS_MAGIC_SUPER, number, 0, geo->meta_uuid);
	super.sb_version = cpu_to_le32(VEXFS_VERSION);
	super.sb_block_bits = cpu_to_le32(VEXFS_BLOCK_BITS);
	super.sb_blocks = cpu_to_le64(geo->blocks);
	super.sb_gdt_blocks = cpu_to_le32(geo->gdt_blocks);
	super.sb_inodes_per_group = cpu_to_le32(geo->inodes_per_group);
	memcpy(super.sb_uuid, w->options->uuid, sizeof(super.sb_uuid));
	memcpy(super.sb_meta_uuid, geo->meta_uuid, sizeof(super.sb_meta_uuid));
	memcpy(super.sb_label, w->options->label, VEXFS_LABEL_BYTES);
	super.sb_hash_seed = cpu_to_le64(w->plan->seed);
	super.sb_created = cpu_to_le64(w->plan->created);
	super.sb_errors = cpu_to_le32(w->options->errors);
	return write_meta(w, number, &super);
}

static int write_all_but_super(struct writer *w)
{
	const struct mkfs_plan *plan = w->plan;
	int ret = write_journal(w);

	for (u64 group = 0; group < plan->geo.groups && !ret; group++) {
		if (!group_is_used(plan, group))
			continue;
		ret = write_bitmaps(w, group);
		if (!ret)
			ret = write_inodes(w, group);
	}
	if (!ret)
		ret = write_gdt(w);
	if (!ret)
		ret = write_state(w);
	if (!ret)
		ret = write_super(w, vex_backup_block(&plan->geo));
	return ret;
}

int mkfs_write(const struct mkfs_options *options,
	       const struct mkfs_plan *plan, struct volume *vol)
{
	struct writer w = { .options = options, .plan = plan, .vol = vol };
	int ret = write_all_but_super(&w);

	if (!ret && fsync(vol->fd))
		ret = -errno;
	if (!ret)
		ret = write_super(&w, VEXFS_SUPER_BLOCK);
	if (!ret && fsync(vol->fd))
		ret = -errno;
	if (ret)
		mkfs_error("%s: cannot write the filesystem: %s; it holds none now",
			   options->target, strerror(-ret));
	return ret;
}
