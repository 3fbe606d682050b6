// SPDX-License-Identifier: Apache-2.0
/*
 * Works out the shape of a new filesystem: groups, inodes, room to grow, and
 * where the journal goes.
 */
#include "mkfs.h"

#include <sys/random.h>
#include <time.h>

/* A group with fewer blocks than this beside its metadata is left out. */
#define GROUP_DATA_MIN		64U
/* Room for descriptors: so many times what is needed, but only so many more. */
#define GDT_GROWTH		16U
#define GDT_SPARE_MAX		1024U
#define JOURNAL_FRACTION	64U
/*
 * Volumes between these two sizes get more inodes: on smaller ones tables of
 * inodes would take too much, larger ones are for large files.
 */
#define MANY_INODES_BLOCKS_MIN	(64ULL << 8)	/* 64 MiB */
#define MANY_INODES_BLOCKS_MAX	(8ULL << 18)	/* 8 GiB */
#define INODE_BYTES_MANY	(16U << 10)
#define INODE_BYTES_DEFAULT	(64U << 10)

static u32 inodes_per_group(u64 inode_bytes, u64 blocks)
{
	u64 inodes;

	if (!inode_bytes)
		inode_bytes = blocks < MANY_INODES_BLOCKS_MIN ||
			      blocks > MANY_INODES_BLOCKS_MAX ?
			      INODE_BYTES_DEFAULT : INODE_BYTES_MANY;
	inodes = VEXFS_GROUP_BLOCKS * VEXFS_BLOCK_SIZE / inode_bytes;
	inodes -= inodes % VEXFS_INODES_PER_BLOCK;
	if (inodes < VEXFS_INODES_PER_BLOCK)
		return VEXFS_INODES_PER_BLOCK;
	return inodes < VEXFS_GROUP_BLOCKS ? (u32)inodes :
					     (u32)VEXFS_GROUP_BLOCKS;
}

static u64 gdt_blocks(u64 blocks)
{
	u64 groups = (blocks + VEXFS_GROUP_BLOCKS - 1) / VEXFS_GROUP_BLOCKS;
	u64 need = (groups + VEXFS_GROUPS_PER_BLOCK - 1) /
		   VEXFS_GROUPS_PER_BLOCK;
	u64 grown = (groups * GDT_GROWTH + VEXFS_GROUPS_PER_BLOCK - 1) /
		    VEXFS_GROUPS_PER_BLOCK;

	return min(grown, need + GDT_SPARE_MAX);
}

static int plan_shape(struct mkfs_plan *plan,
		      const struct mkfs_options *options, u64 blocks)
{
	u32 inodes = inodes_per_group(options->inode_bytes, blocks);
	u64 rest = blocks % VEXFS_GROUP_BLOCKS;
	const char *what;
	u64 gdt;

	if (rest && blocks > VEXFS_GROUP_BLOCKS &&
	    rest < 2 + inodes / VEXFS_INODES_PER_BLOCK + GROUP_DATA_MIN)
		blocks -= rest;
	gdt = gdt_blocks(blocks);
	if (gdt > VEXFS_GROUP_BLOCKS)
		what = "larger than the group descriptors of the first group can describe";
	else
		what = vex_geometry_init(&plan->geo, blocks, (u32)gdt, inodes,
					 options->uuid);
	if (what) {
		mkfs_error("%s: cannot make a filesystem of %llu blocks: %s",
			   options->target, (unsigned long long)blocks, what);
		return -EINVAL;
	}
	return 0;
}

/* Lays the journal into the data areas, group after group. */
static bool place_journal(struct mkfs_plan *plan)
{
	u32 placed = 0;

	plan->journal_runs = 0;
	for (u64 group = 0; placed < plan->journal_blocks; group++) {
		struct vex_run *run = &plan->journal[plan->journal_runs];
		u32 room;

		if (group == plan->geo.groups ||
		    plan->journal_runs == MKFS_JOURNAL_RUNS_MAX)
			return false;
		room = vex_group_free_blocks_max(&plan->geo, group);
		run->key = placed;
		run->value = vex_group_first_data(&plan->geo, group);
		run->length = min(room, plan->journal_blocks - placed);
		run->flags = 0;
		placed += run->length;
		plan->journal_runs++;
	}
	return true;
}

static int plan_journal(struct mkfs_plan *plan,
			const struct mkfs_options *options)
{
	u64 blocks = plan->geo.blocks;
	u64 wanted = options->journal_bytes / VEXFS_BLOCK_SIZE;

	if (!wanted) {
		wanted = blocks / JOURNAL_FRACTION;
		wanted = max(wanted, (u64)MKFS_JOURNAL_BLOCKS_MIN);
		wanted = min(wanted, (u64)MKFS_JOURNAL_BLOCKS_DEFAULT_MAX);
	}
	if (wanted < MKFS_JOURNAL_BLOCKS_MIN ||
	    wanted > MKFS_JOURNAL_BLOCKS_MAX) {
		mkfs_error("-J: the journal must have from 4M to 512M, not %llu bytes",
			   (unsigned long long)options->journal_bytes);
		return -EINVAL;
	}
	plan->journal_blocks = (u32)wanted;
	if (wanted > blocks / 2 || !place_journal(plan)) {
		mkfs_error("%s: a journal of %llu bytes is too large for a filesystem of %llu; give a smaller one with -J, or fewer inodes with -i",
			   options->target,
			   (unsigned long long)wanted * VEXFS_BLOCK_SIZE,
			   (unsigned long long)blocks * VEXFS_BLOCK_SIZE);
		return -EINVAL;
	}
	return 0;
}

int mkfs_plan(struct mkfs_plan *plan, const struct mkfs_options *options,
	      u64 bytes)
{
	u64 blocks = (options->bytes ? options->bytes : bytes) /
		     VEXFS_BLOCK_SIZE;
	struct timespec now;
	int ret;

	memset(plan, 0, sizeof(*plan));
	ret = plan_shape(plan, options, blocks);
	if (!ret)
		ret = plan_journal(plan, options);
	if (ret)
		return ret;
	for (u64 group = 0; group < plan->geo.groups; group++)
		plan->free_blocks += vex_group_free_blocks_max(&plan->geo,
							       group);
	plan->free_blocks -= plan->journal_blocks;

	if (getrandom(&plan->seed, sizeof(plan->seed), 0) !=
	    sizeof(plan->seed)) {
		mkfs_error("cannot get random bytes from the kernel: %s",
			   strerror(errno));
		return -EIO;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	plan->created = (u64)now.tv_sec;
	plan->created_ns = (u32)now.tv_nsec;
	return 0;
}
