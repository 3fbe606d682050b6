// SPDX-License-Identifier: Apache-2.0
/*
 * Goes through the inode tables: every record, the tree, data, extended
 * attributes and link target that it owns, and what is charged to it.
 */
#include "fsck.h"

#include <sys/stat.h>

bool fsck_read_inode(struct fsck *fsck, u64 ino,
		     struct vexfs_disk_inode *inode)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	const char *what;
	u64 number;
	u32 slot;

	number = vex_inode_block(geo, ino, &slot);
	if (number != fsck->inode_block_number) {
		fsck->inode_block_number = 0;
		if (volume_read_meta(&fsck->vol, number, VEXFS_MAGIC_INODES,
				     number / VEXFS_GROUP_BLOCKS,
				     &fsck->inode_block, &what))
			return false;
		fsck->inode_block_number = number;
	}
	*inode = fsck->inode_block.ib_inodes[slot];
	return inode->ino_mode && !vex_inode_check(inode, ino, geo);
}

/**
 * struct claim - what fsck_claim_tree() counts
 * @blocks: blocks of data
 * @sound: every run was claimed
 */
struct claim {
	u64 blocks;
	bool sound;
};

static void claim_run(struct fsck_walk *walk, const struct vex_run *run)
{
	struct claim *claim = walk->ctx;

	if (!fsck_claim(walk->fsck, walk->ino, run->value, run->length,
			"data"))
		claim->sound = false;
	claim->blocks += run->length;
}

bool fsck_claim_tree(struct fsck *fsck, u64 ino,
		     const struct vexfs_disk_root *root, u64 *nodes,
		     u64 *blocks)
{
	struct claim claim = { .sound = true };
	struct fsck_walk walk = {
		.fsck = fsck,
		.ino = ino,
		.first = true,
		.record = root->r_kind == VEXFS_TREE_EXTENTS ? claim_run :
							       NULL,
		.ctx = &claim,
	};

	fsck_walk(&walk, root);
	*nodes += walk.nodes;
	*blocks += claim.blocks;
	return claim.sound && !walk.damaged;
}

static void check_long_symlink(struct fsck *fsck, u64 ino,
			       const struct vexfs_disk_inode *inode)
{
	u64 block = vex_load_le64(inode->ino_root.r_data);
	u64 used = min(le64_to_cpu(inode->ino_size), (u64)VEXFS_PAYLOAD_BYTES);
	struct vexfs_disk_symlink link;
	const char *what;

	if (!fsck_claim(fsck, ino, block, 1, "target of the link"))
		return;
	if (volume_read_meta(&fsck->vol, block, VEXFS_MAGIC_SYMLINK, ino,
			     &link, &what)) {
		fsck_note_inode(fsck, ino, "target of the link: block %llu: %s",
				(unsigned long long)block, what);
		return;
	}
	if (memchr(link.sl_target, 0, used)) {
		fsck_note_inode(fsck, ino,
				"target of the link: sl_target: holds a zero byte");
		return;
	}
	for (; used < VEXFS_PAYLOAD_BYTES; used++)
		if (link.sl_target[used]) {
			fsck_note_inode(fsck, ino,
					"target of the link: sl_target: bytes not in use are not zero");
			return;
		}
}

static void count_inode(struct fsck *fsck, const struct vexfs_disk_inode *inode)
{
	switch (le16_to_cpu(inode->ino_mode) & S_IFMT) {
	case S_IFDIR:
		fsck->directories++;
		break;
	case S_IFLNK:
		fsck->links++;
		break;
	case S_IFREG:
		fsck->files++;
		if (!(le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_VECTOR))
			break;
		fsck->vector_files++;
		fsck->rows += le64_to_cpu(inode->ino_rows);
		break;
	default:
		fsck->specials++;
	}
}

/* What a sound inode owns: claimed, checked, and compared with its figures. */
static void check_owned(struct fsck *fsck, u64 ino,
			const struct vexfs_disk_inode *inode)
{
	u32 type = le16_to_cpu(inode->ino_mode) & S_IFMT;
	u64 size = le64_to_cpu(inode->ino_size);
	u64 nodes = 0, blocks = 0, found = fsck->found;
	bool sound;

	sound = fsck_claim_tree(fsck, ino, &inode->ino_root, &nodes, &blocks);
	if (type == S_IFDIR && sound && size != nodes * VEXFS_BLOCK_SIZE)
		fsck_note_inode(fsck, ino,
				"ino_size: %llu, but the directory has %llu blocks",
				(unsigned long long)size,
				(unsigned long long)nodes);
	blocks += nodes;
	if (inode->ino_xattr_block) {
		blocks++;
		fsck_attributes(fsck, ino, inode);
	} else if (inode->ino_schema.s_columns) {
		fsck_note_inode(fsck, ino, "columns: they have no names");
	}
	if (type == S_IFLNK && size > VEXFS_SYMLINK_INLINE_MAX) {
		blocks++;
		check_long_symlink(fsck, ino, inode);
	}
	if (type == S_IFREG && sound &&
	    le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_VECTOR)
		fsck_vectors(fsck, ino, inode, &blocks);
	/* A damaged tree cannot be counted. */
	if (found == fsck->found && blocks != le64_to_cpu(inode->ino_blocks))
		fsck_note_inode(fsck, ino,
				"ino_blocks: %llu, but it has %llu blocks",
				(unsigned long long)
				le64_to_cpu(inode->ino_blocks),
				(unsigned long long)blocks);
}

static bool record_is_zero(const struct vexfs_disk_inode *inode)
{
	const u8 *p = (const u8 *)inode;

	for (u32 i = 0; i < sizeof(*inode); i++)
		if (p[i])
			return false;
	return true;
}

static bool is_reserved(u64 ino)
{
	return ino < VEXFS_INO_FIRST && ino != VEXFS_INO_ROOT &&
	       ino != VEXFS_INO_JOURNAL;
}

static void check_fork_inode(struct fsck *fsck, u64 ino,
			     const struct vexfs_disk_inode *inode)
{
	fsck->forks++;
	if (le64_to_cpu(inode->ino_blocks))
		fsck_note_inode(fsck, ino,
				"ino_blocks: %llu: a fork's are charged to its base",
				(unsigned long long)
				le64_to_cpu(inode->ino_blocks));
	if (inode->ino_next_orphan)
		fsck_note_inode(fsck, ino,
				"ino_next_orphan: a fork is on the list of orphans");
}

static void check_record(struct fsck *fsck, u64 ino,
			 const struct vexfs_disk_inode *inode)
{
	u64 number = le64_to_cpu(inode->ino_number);
	u16 mode = le16_to_cpu(inode->ino_mode);
	const char *what;

	if (is_reserved(ino)) {
		if (!record_is_zero(inode))
			fsck_note_inode(fsck, ino,
					"is reserved, but its record is not zero");
		return;
	}
	if (!mode) {
		if (ino < VEXFS_INO_FIRST)
			fsck_note_inode(fsck, ino,
					"ino_mode: zero, but it must be there");
		else if (number && number != ino)
			fsck_note_inode(fsck, ino,
					"ino_number: not its own (the inode is free)");
		return;
	}
	what = vex_inode_check(inode, ino, &fsck->vol.geo);
	if (!what && ino == VEXFS_INO_ROOT && !S_ISDIR(mode))
		what = "ino_mode: the root is not a directory";
	if (what) {
		fsck->inodes[ino] |= INO_TYPE_UNKNOWN;
		fsck_note_inode(fsck, ino, "%s", what);
		return;
	}
	fsck->inodes[ino] |= mode >> 12;
	if (le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_FORK) {
		fsck->inodes[ino] |= INO_FORK;
		check_fork_inode(fsck, ino, inode);
		return;
	}
	if (ino != VEXFS_INO_JOURNAL)
		count_inode(fsck, inode);
	check_owned(fsck, ino, inode);
}

static void check_inode_block(struct fsck *fsck, u64 group, u32 index)
{
	const struct vex_geometry *geo = &fsck->vol.geo;
	u64 number = vex_group_bitmap(geo, group) + 2 + index;
	u64 first = group * geo->inodes_per_group + 1 +
		    (u64)index * VEXFS_INODES_PER_BLOCK;
	struct vexfs_disk_inode_block block;
	const char *what;

	if (!volume_read_meta(&fsck->vol, number, VEXFS_MAGIC_INODES, group,
			      &block, &what)) {
		for (u32 slot = 0; slot < VEXFS_INODES_PER_BLOCK; slot++)
			check_record(fsck, first + slot,
				     &block.ib_inodes[slot]);
		return;
	}
	/* How many blocks were written is not known without the summary. */
	if (fsck->group_bad[group])
		return;
	fsck_note_block(fsck, number, "inodes %llu to %llu: %s",
			(unsigned long long)first,
			(unsigned long long)(first + VEXFS_INODES_PER_BLOCK -
					     1), what);
	for (u32 slot = 0; slot < VEXFS_INODES_PER_BLOCK; slot++)
		fsck->inodes[first + slot] |= INO_TYPE_UNKNOWN;
}

void fsck_inodes(struct fsck *fsck)
{
	const struct vex_geometry *geo = &fsck->vol.geo;

	fsck_step(fsck, "inodes and their blocks");
	for (u64 group = 0; group < geo->groups; group++) {
		u32 count = fsck->group_bad[group] ? geo->inode_blocks :
			    le32_to_cpu(fsck->groups[group].g_inode_blocks);
		u64 first = group * geo->inodes_per_group + 1;

		for (u32 index = 0; index < count; index++)
			check_inode_block(fsck, group, index);
		if (first + (u64)count * VEXFS_INODES_PER_BLOCK <=
			    VEXFS_INO_JOURNAL &&
		    first + geo->inodes_per_group > VEXFS_INO_ROOT)
			fsck_note(fsck,
				  "group %llu: g_inode_blocks: too few for the root and the journal",
				  (unsigned long long)group);
	}
}
