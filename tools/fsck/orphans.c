// SPDX-License-Identifier: Apache-2.0
/*
 * The list of orphans: it leads from inode to inode in use, and ends.
 */
#include "fsck.h"

void fsck_orphans(struct fsck *fsck)
{
	struct vexfs_disk_inode inode;
	u64 ino, before = 0;
	const char *what;

	fsck_step(fsck, "list of orphans");
	if (!fsck->has_state)
		return;
	ino = le64_to_cpu(fsck->state.st_orphan_head);
	while (ino) {
		u8 known = fsck->inodes[ino];

		if (known & INO_ORPHAN)
			what = "the list leads in a circle";
		else if (!(known & INO_TYPE))
			what = "the inode is free";
		else if (known & INO_FORK)
			what = "the inode is a fork";
		else if (!fsck_read_inode(fsck, ino, &inode))
			what = "the inode is damaged";
		else
			what = NULL;
		if (what && before)
			fsck_note_inode(fsck, before,
					"ino_next_orphan: %llu: %s",
					(unsigned long long)ino, what);
		else if (what)
			fsck_note_block(fsck, VEXFS_STATE_BLOCK,
					"state: st_orphan_head: %llu: %s",
					(unsigned long long)ino, what);
		if (what)
			return;
		fsck->inodes[ino] |= INO_ORPHAN;
		before = ino;
		ino = le64_to_cpu(inode.ino_next_orphan);
	}
}
