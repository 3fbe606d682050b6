// SPDX-License-Identifier: Apache-2.0
/*
 * Link counts of everything but directories, whose counts directories.c
 * knows: as many as there are names; without names only as an orphan.
 */
#include "fsck.h"

static void check_links(struct fsck *fsck, u64 ino)
{
	const u64 *more = number_map_get(&fsck->more_names, ino);
	u64 names = (fsck->inodes[ino] & INO_NAMED ? 1 : 0) +
		    (more ? *more : 0);
	struct vexfs_disk_inode inode;
	u32 links;

	if (!fsck_read_inode(fsck, ino, &inode))
		return;
	links = le32_to_cpu(inode.ino_links);
	if (!(fsck->inodes[ino] & INO_ORPHAN)) {
		if (inode.ino_next_orphan)
			fsck_note_inode(fsck, ino,
					"ino_next_orphan: not zero, but it is not on the list of orphans");
		if (!links)
			fsck_note_inode(fsck, ino,
					"ino_links: zero, but it is not on the list of orphans");
	}
	if ((fsck->inodes[ino] & INO_TYPE) == INO_TYPE_DIR)
		return;
	if (links && !names)
		fsck_note_inode(fsck, ino,
				"ino_links: %u, but it has no name", links);
	else if (links != names)
		fsck_note_inode(fsck, ino,
				"ino_links: %u, but it has %llu names", links,
				(unsigned long long)names);
}

void fsck_links(struct fsck *fsck)
{
	fsck_step(fsck, "link counts");
	for (u64 group = 0; group < fsck->vol.geo.groups; group++) {
		u32 per_group = fsck->vol.geo.inodes_per_group;
		u64 first = group * per_group + 1;
		u32 count = fsck->group_bad[group] ? per_group :
			    le32_to_cpu(fsck->groups[group].g_inode_blocks) *
			    VEXFS_INODES_PER_BLOCK;

		for (u64 ino = first; ino < first + count; ino++) {
			u8 known = fsck->inodes[ino];

			if (known & INO_TYPE && !(known & INO_FORK) &&
			    (known & INO_TYPE) != INO_TYPE_UNKNOWN &&
			    ino != VEXFS_INO_JOURNAL)
				check_links(fsck, ino);
		}
	}
}
