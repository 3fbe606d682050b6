// SPDX-License-Identifier: Apache-2.0
/*
 * The contents of derived forks: header slots and page checksums. What is
 * wrong there is made anew when the file is used, so it is told as a warning.
 * Their extents and blocks are checked as those of any file.
 */
#include "fsck.h"

#include <stdio.h>

#include "derived.h"
#include "index_header.h"

/**
 * struct derived - a derived fork that is being checked
 * @fork: its inode number
 * @slot_data: its header slots; zeros where there are no written blocks
 * @header: the slot that counts
 * @sound: pages that are as they were written
 * @failed: a page could not be read, or is not
 * @bad_page: the first such page
 */
struct derived {
	u64 fork;
	union {
		struct vexfs_disk_derived header;
		u8 block[VEXFS_BLOCK_SIZE];
	} slot_data[VEX_DERIVED_SLOTS];
	const struct vexfs_disk_derived *header;
	u64 sound;
	bool failed;
	u64 bad_page;
};

static void read_slots(struct fsck_walk *walk, const struct vex_run *run)
{
	struct derived *derived = walk->ctx;
	u64 page;

	if (run->flags & VEXFS_RECORD_UNWRITTEN)
		return;
	for (page = run->key; page < VEX_DERIVED_SLOTS &&
	     page < run->key + run->length; page++)
		if (volume_read(&walk->fsck->vol, run->value + page - run->key,
				&derived->slot_data[page]))
			memset(&derived->slot_data[page], 0, VEXFS_BLOCK_SIZE);
}

/* A run's pages from @first to @end, all of one region. */
static void check_run(struct fsck_walk *walk, const struct vex_run *run,
		      u64 first, u64 end)
{
	struct derived *derived = walk->ctx;
	u64 generation = le64_to_cpu(derived->header->dv_generation);
	u8 data[VEXFS_BLOCK_SIZE];

	for (u64 page = first; page < end; page++) {
		u64 seed = vex_derived_seed(derived->fork, generation, page);

		if (!volume_read(&walk->fsck->vol,
				 run->value + page - run->key, data) &&
		    vex_derived_sound(data, seed)) {
			derived->sound++;
		} else if (!derived->failed) {
			derived->failed = true;
			derived->bad_page = page;
		}
	}
}

static void check_pages(struct fsck_walk *walk, const struct vex_run *run)
{
	struct derived *derived = walk->ctx;

	if (run->flags & VEXFS_RECORD_UNWRITTEN)
		return;
	for (u32 i = 0; i < VEXFS_DERIVED_REGIONS; i++) {
		const struct vexfs_disk_region *region =
			&derived->header->dv_regions[i];
		u64 first = le64_to_cpu(region->rg_first);
		u64 end = first + le64_to_cpu(region->rg_pages);

		first = max(first, run->key);
		end = min(end, run->key + run->length);
		if (first < end)
			check_run(walk, run, first, end);
	}
}

static u64 region_pages(const struct vexfs_disk_derived *header)
{
	u64 pages = 0;

	for (u32 i = 0; i < VEXFS_DERIVED_REGIONS; i++)
		pages += le64_to_cpu(header->dv_regions[i].rg_pages);
	return pages;
}

static void walk_with(struct fsck *fsck, struct derived *derived,
		      const struct vexfs_disk_inode *fork,
		      void (*record)(struct fsck_walk *walk,
				     const struct vex_run *run))
{
	struct fsck_walk walk = {
		.fsck = fsck,
		.ino = derived->fork,
		.record = record,
		.ctx = derived,
	};

	fsck_walk(&walk, &fork->ino_root);
}

/* The parameters of an index: NULL, or what is wrong. */
static const char *check_index(const struct vexfs_disk_derived *header,
			       const struct vexfs_disk_inode *inode)
{
	const struct vexfs_disk_index_state *index =
		(const void *)header->dv_parameters;
	u64 rows = le64_to_cpu(header->dv_rows);
	const char *what = vex_index_check(header);
	struct vex_graph graph;
	struct vex_lists lists;

	if (what)
		return what;
	if (le64_to_cpu(index->ix_target) > le64_to_cpu(inode->ino_rows))
		return "ix_target: more than ino_rows";
	if (header->dv_kind == cpu_to_le32(VEXFS_DERIVED_GRAPH))
		return vex_graph_load(&graph, &index->ix_graph, rows) ?
		       "ix_graph: not that of a graph" : NULL;
	return rows && vex_lists_load(&lists, &index->ix_lists,
				      le32_to_cpu(inode->ino_schema.s_dim),
				      le32_to_cpu(index->ix_record_bytes),
				      rows, 0,
				      le64_to_cpu(header->dv_regions[0].rg_pages)) ?
	       "ix_lists: not those of lists" : NULL;
}

void fsck_derived(struct fsck *fsck, u64 ino,
		  const struct vexfs_disk_inode *inode, const char *name,
		  const struct vexfs_disk_inode *fork)
{
	const struct vexfs_disk_derived *slots[VEX_DERIVED_SLOTS];
	struct derived derived = { .fork = le64_to_cpu(fork->ino_number) };

	walk_with(fsck, &derived, fork, read_slots);
	for (u32 i = 0; i < VEX_DERIVED_SLOTS; i++)
		slots[i] = &derived.slot_data[i].header;
	derived.header = vex_derived_choose(slots, derived.fork);
	if (!derived.header) {
		/* One that was just made has no header yet. */
		if (fork->ino_size)
			fsck_warn_inode(fsck, ino,
					"derived data damaged: will be rebuilt (the %s: no sound header)",
					name);
		return;
	}
	/* Of rows that were renumbered since: it will be removed. */
	if (derived.header->dv_generation != inode->ino_vector_generation)
		return;
	if (le64_to_cpu(derived.header->dv_rows) > le64_to_cpu(inode->ino_rows)) {
		fsck_warn_inode(fsck, ino,
				"derived data damaged: will be rebuilt (the %s: dv_rows: more than ino_rows)",
				name);
		return;
	}
	if (derived.header->dv_kind != cpu_to_le32(VEXFS_DERIVED_SKETCHES)) {
		const char *what = check_index(derived.header, inode);

		if (what) {
			fsck_warn_inode(fsck, ino,
					"derived data damaged: will be rebuilt (the %s: %s)",
					name, what);
			return;
		}
	}
	walk_with(fsck, &derived, fork, check_pages);
	if (derived.failed)
		fsck_warn_inode(fsck, ino,
				"derived data damaged: will be rebuilt (the %s: page %llu)",
				name, (unsigned long long)derived.bad_page);
	else if (derived.sound != region_pages(derived.header))
		fsck_warn_inode(fsck, ino,
				"derived data damaged: will be rebuilt (the %s: pages are missing)",
				name);
	else if (fsck->options.verbose && !fsck->options.json)
		printf("inode %llu: its %s cover %llu rows\n",
		       (unsigned long long)ino, name,
		       (unsigned long long)
		       le64_to_cpu(derived.header->dv_rows));
}
