// SPDX-License-Identifier: Apache-2.0
/*
 * Walks through the trees of inodes. Bounds go down with the walk, so that a
 * block cannot be in two places of a tree, nor a walk go in circles.
 */
#include "fsck.h"

static void damaged(struct fsck_walk *walk, u64 block, const char *what)
{
	walk->damaged = true;
	if (walk->first)
		fsck_note_inode(walk->fsck, walk->ino, "tree block %llu: %s",
				(unsigned long long)block, what);
}

static void give_records(struct fsck_walk *walk, const u8 *data, u32 count)
{
	const struct vexfs_disk_record *record = (const void *)data;
	struct vex_run run;

	for (; count && walk->record; count--, record++) {
		run.key = le64_to_cpu(record->r_key);
		run.value = le64_to_cpu(record->r_value);
		run.length = le32_to_cpu(record->r_length);
		run.flags = le32_to_cpu(record->r_flags);
		walk->record(walk, &run);
	}
}

static void give_names(struct fsck_walk *walk, const u8 *data, u32 count)
{
	struct vex_name name;

	for (; count && walk->name; count--) {
		const struct vexfs_disk_name *disk = (const void *)data;

		name.key = le64_to_cpu(disk->d_key);
		name.ino = le64_to_cpu(disk->d_ino);
		name.name = (const char *)disk->d_name;
		name.length = disk->d_length;
		name.type = disk->d_type;
		walk->name(walk, &name);
		data += VEXFS_NAME_BYTES(disk->d_length);
	}
}

static void walk_node(struct fsck_walk *walk, u8 kind, u8 depth, u64 block,
		      u64 low, u64 high);

static void walk_children(struct fsck_walk *walk, u8 kind, u8 depth,
			  const u8 *data, u32 count, u64 high)
{
	const struct vexfs_disk_index *child = (const void *)data;

	for (u32 i = 0; i < count; i++)
		walk_node(walk, kind, depth, le64_to_cpu(child[i].x_block),
			  le64_to_cpu(child[i].x_key),
			  i + 1 < count ? le64_to_cpu(child[i + 1].x_key) :
					  high);
}

static void walk_node(struct fsck_walk *walk, u8 kind, u8 depth, u64 block,
		      u64 low, u64 high)
{
	struct volume *vol = &walk->fsck->vol;
	struct vexfs_disk_node node;
	const char *what;

	if (walk->first && !fsck_claim(walk->fsck, walk->ino, block, 1,
				       "tree")) {
		walk->damaged = true;
		return;
	}
	walk->nodes++;
	if (volume_read_meta(vol, block, VEXFS_MAGIC_TREE, walk->ino, &node,
			     &what)) {
		damaged(walk, block, what);
		return;
	}
	what = vex_tree_check_node(&node, kind, depth, low, high,
				   kind == VEXFS_TREE_EXTENTS ?
				   vol->geo.blocks : 0);
	if (what)
		damaged(walk, block, what);
	else if (depth)
		walk_children(walk, kind, depth - 1, node.n_data,
			      le16_to_cpu(node.n_count), high);
	else if (kind == VEXFS_TREE_DIRECTORY)
		give_names(walk, node.n_data, le16_to_cpu(node.n_count));
	else
		give_records(walk, node.n_data, le16_to_cpu(node.n_count));
}

void fsck_walk(struct fsck_walk *walk, const struct vexfs_disk_root *root)
{
	u32 count = le16_to_cpu(root->r_count);

	if (root->r_depth)
		walk_children(walk, root->r_kind, root->r_depth - 1,
			      root->r_data, count, U64_MAX);
	else
		give_records(walk, root->r_data, count);
}
