// SPDX-License-Identifier: Apache-2.0
/*
 * Vector files and their forks: that each fork is one and belongs to its
 * file; what it owns is claimed and charged to the file.
 */
#include "fsck.h"

#include <sys/stat.h>

static const char *const fork_names[VEXFS_FORKS] = {
	[VEXFS_FORK_IDS] = "ids",
	[VEXFS_FORK_ROWS] = "rows",
	[VEXFS_FORK_TOMBSTONES] = "tombstones",
	[VEXFS_FORK_SKETCHES] = "sketches",
	[VEXFS_FORK_INDEX] = "index",
	[VEXFS_FORK_ATTRIBUTES] = "attributes",
	[VEXFS_FORK_BUILDING] = "unfinished index",
	[VEXFS_FORK_COMPACT] = "compaction",
	[VEXFS_FORK_COMPACT_IDS] = "compaction's ids",
	[VEXFS_FORK_COMPACT_ROWS] = "compaction's rows",
	[VEXFS_FORK_COMPACT_TOMBSTONES] = "compaction's tombstones",
	[VEXFS_FORK_COMPACT_ATTRIBUTES] = "compaction's attributes",
};

static const char *check_fork(struct fsck *fsck, u64 ino, u32 slot, u64 fork,
			      const struct vexfs_disk_inode *inode)
{
	if (!(le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_FORK))
		return "leads to an inode that is not a fork";
	if (le64_to_cpu(inode->ino_parent) != ino)
		return "leads to the fork of another file";
	if (inode->ino_root.r_kind != vex_fork_kind(slot))
		return "leads to a fork of another kind";
	if (le32_to_cpu(inode->ino_links) != 1)
		return "leads to a fork whose link count is not 1";
	if (fsck->inodes[fork] & INO_CLAIMED)
		return "leads to a fork that was claimed before";
	return NULL;
}

static bool is_derived(u32 slot)
{
	return slot == VEXFS_FORK_SKETCHES || slot == VEXFS_FORK_INDEX ||
	       slot == VEXFS_FORK_BUILDING;
}

/*
 * What a compaction has made so far, as the file that it would be; without rows
 * if it was of other rows, or if it is the old ones that are to be removed.
 */
static void compaction_rows(const struct fsck_rows *rows,
			    struct vexfs_disk_inode *inode,
			    struct fsck_rows *made)
{
	static const u32 slots[] = {
		VEXFS_FORK_IDS, VEXFS_FORK_ROWS, VEXFS_FORK_TOMBSTONES,
		VEXFS_FORK_ATTRIBUTES,
	};
	const struct vexfs_disk_inode *matrix =
		&rows->forks[VEXFS_FORK_COMPACT];

	*made = *rows;
	*inode = *rows->inode;
	made->inode = inode;
	made->unfinished = true;
	made->rows = 0;
	for (u32 i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		u32 slot = VEXFS_FORK_COMPACT_IDS + i;

		made->forks[slots[i]] = rows->forks[slot];
		vex_inode_set_fork(inode, slots[i],
				   vex_inode_fork(rows->inode, slot));
	}
	if (!matrix->ino_mode ||
	    matrix->ino_vector_generation !=
	    rows->inode->ino_vector_generation)
		return;
	inode->ino_root = matrix->ino_root;
	made->rows = le64_to_cpu(matrix->ino_rows);
	if (le64_to_cpu(matrix->ino_next_id) > rows->rows)
		fsck_note_inode(rows->fsck, rows->ino,
				"compaction: it has looked at %llu rows, but there are %llu",
				(unsigned long long)
				le64_to_cpu(matrix->ino_next_id),
				(unsigned long long)rows->rows);
}

void fsck_vectors(struct fsck *fsck, u64 ino,
		  const struct vexfs_disk_inode *inode, u64 *blocks)
{
	struct fsck_rows rows = {
		.fsck = fsck,
		.ino = ino,
		.inode = inode,
		.rows = le64_to_cpu(inode->ino_rows),
	};
	struct vexfs_disk_inode copy;
	struct fsck_rows made;
	bool sound = true;

	for (u32 slot = 0; slot < VEXFS_FORKS; slot++) {
		u64 fork = vex_inode_fork(inode, slot);
		const char *what;
		u64 data = 0, owner;

		if (!fork)
			continue;
		what = !fsck_read_inode(fsck, fork, &rows.forks[slot]) ?
		       "leads to an inode that is free or damaged" :
		       check_fork(fsck, ino, slot, fork, &rows.forks[slot]);
		if (what) {
			fsck_note_inode(fsck, ino,
					"ino_forks: the %s fork, inode %llu, %s",
					fork_names[slot],
					(unsigned long long)fork, what);
			rows.forks[slot].ino_mode = 0;
			sound = false;
			continue;
		}
		fsck->inodes[fork] |= INO_CLAIMED;
		/* They become the base's, or were it. */
		owner = slot == VEXFS_FORK_COMPACT ? ino : fork;
		if (!fsck_claim_tree(fsck, owner, &rows.forks[slot].ino_root,
				     blocks, &data) ||
		    (slot == VEXFS_FORK_ATTRIBUTES &&
		     !fsck_columns(&rows, blocks)))
			sound = false;
		else if (data && is_derived(slot))
			fsck_derived(fsck, ino, inode, fork_names[slot],
				     &rows.forks[slot]);
		*blocks += data;
	}
	compaction_rows(&rows, &copy, &made);
	if (rows.forks[VEXFS_FORK_COMPACT_ATTRIBUTES].ino_mode &&
	    !fsck_columns(&made, blocks))
		sound = false;
	if (sound)
		fsck_rows(&rows);
	if (sound && made.rows)
		fsck_rows(&made);
}

/* Claim what a fork owns that belongs to nobody. */
static void claim_lone_fork(struct fsck *fsck, u64 ino)
{
	struct vexfs_disk_inode inode;
	u64 nodes = 0, blocks = 0;
	struct fsck_rows rows = {
		.fsck = fsck,
		.ino = ino,
		.inode = &inode,
	};

	if (!fsck_read_inode(fsck, ino, &inode) ||
	    !fsck_claim_tree(fsck, ino, &inode.ino_root, &nodes, &blocks) ||
	    inode.ino_root.r_kind != VEXFS_TREE_ATTRIBUTES)
		return;
	rows.forks[VEXFS_FORK_ATTRIBUTES] = inode;
	fsck_columns(&rows, &blocks);
}

void fsck_lone_forks(struct fsck *fsck)
{
	if (!fsck->forks)
		return;
	for (u64 ino = VEXFS_INO_FIRST; ino < fsck->inodes_bytes; ino++) {
		if (!(fsck->inodes[ino] & INO_FORK) ||
		    fsck->inodes[ino] & INO_CLAIMED)
			continue;
		fsck_note_inode(fsck, ino, "is a fork that no file names");
		claim_lone_fork(fsck, ino);
	}
}
