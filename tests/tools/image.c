// SPDX-License-Identifier: Apache-2.0
/*
 * Allocation, inodes and trees of an image that is being filled. Bitmaps and
 * summaries stay in memory until the image is closed.
 */
#include "image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void image_die(const char *what)
{
	fprintf(stderr, "populate: %s\n", what);
	exit(1);
}

static void *must(void *memory)
{
	if (!memory)
		image_die("not enough memory");
	return memory;
}

void image_write_meta(struct image *image, u64 block, void *data)
{
	vex_header_stamp(data);
	if (image->journaled ? volume_overlay_set(&image->vol, block, data) :
			       volume_write(&image->vol, block, data, 1))
		image_die("cannot write a block");
}

static void read_meta(struct image *image, u64 block, u32 magic, u64 owner,
		      void *data)
{
	const char *what;

	if (volume_read_meta(&image->vol, block, magic, owner, data, &what))
		image_die(what);
}

static void load_group(struct image *image, u64 group)
{
	const struct vex_geometry *geo = &image->vol.geo;
	u64 block = vex_group_bitmap(geo, group);
	struct vexfs_disk_gdt_block gdt;

	read_meta(image, VEXFS_GDT_BLOCK + group / VEXFS_GROUPS_PER_BLOCK,
		  VEXFS_MAGIC_GDT, group / VEXFS_GROUPS_PER_BLOCK, &gdt);
	image->groups[group] = gdt.gd_groups[group % VEXFS_GROUPS_PER_BLOCK];
	if (le32_to_cpu(image->groups[group].g_flags) & VEXFS_GROUP_UNINIT) {
		vex_group_init_bitmaps(geo, group, &image->blocks[group],
				       &image->inodes[group]);
		return;
	}
	read_meta(image, block, VEXFS_MAGIC_BLOCK_BITMAP, group,
		  &image->blocks[group]);
	read_meta(image, block + 1, VEXFS_MAGIC_INODE_BITMAP, group,
		  &image->inodes[group]);
}

void image_open(struct image *image, const char *path, bool journaled)
{
	const char *what;
	u64 groups;

	memset(image, 0, sizeof(*image));
	if (volume_open(&image->vol, path, O_RDWR))
		image_die("cannot open the image");
	if (volume_load_super(&image->vol, VEXFS_SUPER_BLOCK, &what))
		image_die(what);
	groups = image->vol.geo.groups;
	image->blocks = must(calloc(groups, sizeof(*image->blocks)));
	image->inodes = must(calloc(groups, sizeof(*image->inodes)));
	image->groups = must(calloc(groups, sizeof(*image->groups)));
	image->journaled = journaled;
	image->next_ino = VEXFS_INO_FIRST;
	for (u64 group = 0; group < groups; group++)
		load_group(image, group);
}

static void store_group(struct image *image, u64 group)
{
	const struct vex_geometry *geo = &image->vol.geo;
	u64 block = vex_group_bitmap(geo, group);
	u64 number = VEXFS_GDT_BLOCK + group / VEXFS_GROUPS_PER_BLOCK;
	struct vexfs_disk_group *desc = &image->groups[group];
	struct vexfs_disk_gdt_block gdt;
	u32 blocks, inodes;

	blocks = vex_bitmap_clear_count(image->blocks[group].bm_bits,
					vex_group_blocks(geo, group));
	inodes = vex_bitmap_clear_count(image->inodes[group].bm_bits,
					geo->inodes_per_group);
	if (le32_to_cpu(desc->g_flags) & VEXFS_GROUP_UNINIT &&
	    blocks == le32_to_cpu(desc->g_free_blocks) &&
	    inodes == le32_to_cpu(desc->g_free_inodes))
		return;
	desc->g_flags = 0;
	desc->g_free_blocks = cpu_to_le32(blocks);
	desc->g_free_inodes = cpu_to_le32(inodes);
	image_write_meta(image, block, &image->blocks[group]);
	image_write_meta(image, block + 1, &image->inodes[group]);
	read_meta(image, number, VEXFS_MAGIC_GDT,
		  group / VEXFS_GROUPS_PER_BLOCK, &gdt);
	gdt.gd_groups[group % VEXFS_GROUPS_PER_BLOCK] = *desc;
	image_write_meta(image, number, &gdt);
}

void image_close(struct image *image)
{
	for (u64 group = 0; group < image->vol.geo.groups; group++)
		store_group(image, group);
	if (image->journaled)
		image_log(image);
	free(image->blocks);
	free(image->inodes);
	free(image->groups);
	volume_close(&image->vol);
}

u64 image_alloc(struct image *image, u32 count)
{
	const struct vex_geometry *geo = &image->vol.geo;

	for (u64 group = 0; group < geo->groups; group++) {
		__le64 *bits = image->blocks[group].bm_bits;
		u32 end = vex_group_blocks(geo, group), bit, found;

		for (bit = 0; bit < end; bit += found) {
			bit = vex_bitmap_find(bits, bit, end, count, &found);
			if (bit == end || found == count)
				break;
		}
		if (bit >= end)
			continue;
		vex_bitmap_change(bits, bit, count, true);
		return vex_group_start(group) + bit;
	}
	image_die("no room in the image");
}

static void release_block(struct image *image, u64 block)
{
	u64 group = block / VEXFS_GROUP_BLOCKS;

	if (!vex_bitmap_change(image->blocks[group].bm_bits,
			       (u32)(block % VEXFS_GROUP_BLOCKS), 1, false))
		image_die("a block was freed twice");
}

/* Writes inode blocks up to the one that an inode is in. */
static void reach_inode(struct image *image, u64 ino)
{
	const struct vex_geometry *geo = &image->vol.geo;
	u64 group = (ino - 1) / geo->inodes_per_group;
	struct vexfs_disk_group *desc = &image->groups[group];
	struct vexfs_disk_inode_block block;
	u32 slot;
	u64 last = vex_inode_block(geo, ino, &slot);

	for (;;) {
		u32 have = le32_to_cpu(desc->g_inode_blocks);
		u64 number = vex_group_bitmap(geo, group) + 2 + have;

		if (number > last)
			return;
		memset(&block, 0, sizeof(block));
		vex_header_init(&block, VEXFS_MAGIC_INODES, number, group,
				geo->meta_uuid);
		image_write_meta(image, number, &block);
		desc->g_inode_blocks = cpu_to_le32(have + 1);
	}
}

u64 image_new_inode(struct image *image, u16 mode,
		    struct vexfs_disk_inode *inode)
{
	const struct vex_geometry *geo = &image->vol.geo;
	u64 ino = image->next_ino++;
	u64 group = (ino - 1) / geo->inodes_per_group;
	u8 kind = S_ISREG(mode) ? VEXFS_TREE_EXTENTS :
		  S_ISDIR(mode) ? VEXFS_TREE_DIRECTORY : VEXFS_TREE_NONE;

	if (!vex_inode_valid(geo, ino))
		image_die("no inodes left");
	reach_inode(image, ino);
	if (!vex_bitmap_change(image->inodes[group].bm_bits,
			       (u32)((ino - 1) % geo->inodes_per_group), 1,
			       true))
		image_die("an inode is in use already");
	if (S_ISDIR(mode))
		le32_add_cpu(&image->groups[group].g_directories, 1);
	memset(inode, 0, sizeof(*inode));
	inode->ino_number = cpu_to_le64(ino);
	inode->ino_mode = cpu_to_le16(mode);
	inode->ino_links = cpu_to_le32(S_ISDIR(mode) ? 2 : 1);
	inode->ino_generation = cpu_to_le32((u32)ino * 2654435761U);
	inode->ino_mtime = cpu_to_le64(1700000000 + ino);
	inode->ino_change = cpu_to_le64(1);
	vex_tree_init_root(&inode->ino_root, kind);
	return ino;
}

void image_get_inode(struct image *image, u64 ino,
		     struct vexfs_disk_inode *inode)
{
	struct vexfs_disk_inode_block block;
	u32 slot;
	u64 number = vex_inode_block(&image->vol.geo, ino, &slot);

	read_meta(image, number, VEXFS_MAGIC_INODES,
		  number / VEXFS_GROUP_BLOCKS, &block);
	*inode = block.ib_inodes[slot];
}

void image_put_inode(struct image *image, const struct vexfs_disk_inode *inode)
{
	struct vexfs_disk_inode_block block;
	u32 slot;
	u64 number = vex_inode_block(&image->vol.geo,
				     le64_to_cpu(inode->ino_number), &slot);
	const char *what = vex_inode_check(inode,
					   le64_to_cpu(inode->ino_number),
					   &image->vol.geo);

	if (what)
		image_die(what);
	read_meta(image, number, VEXFS_MAGIC_INODES,
		  number / VEXFS_GROUP_BLOCKS, &block);
	block.ib_inodes[slot] = *inode;
	image_write_meta(image, number, &block);
}

static int tree_read(struct vex_tree *tree, u64 block, struct vex_buf *buf)
{
	struct image_tree *it = tree->priv;

	buf->data = must(malloc(VEXFS_BLOCK_SIZE));
	buf->block = block;
	buf->priv = NULL;
	buf->fresh = true;
	read_meta(it->image, block, VEXFS_MAGIC_TREE, it->ino, buf->data);
	return 0;
}

static void tree_release(struct vex_tree *tree, struct vex_buf *buf)
{
	(void)tree;
	free(buf->data);
	buf->data = NULL;
}

static int tree_access(struct vex_tree *tree, struct vex_buf *buf)
{
	(void)tree;
	(void)buf;
	return 0;
}

static int tree_dirty(struct vex_tree *tree, struct vex_buf *buf)
{
	struct image_tree *it = tree->priv;

	image_write_meta(it->image, buf->block, buf->data);
	return 0;
}

static int tree_alloc(struct vex_tree *tree, struct vex_buf *buf)
{
	struct image_tree *it = tree->priv;

	buf->data = must(calloc(1, VEXFS_BLOCK_SIZE));
	buf->block = image_alloc(it->image, 1);
	buf->priv = NULL;
	buf->fresh = true;
	vex_header_init(buf->data, VEXFS_MAGIC_TREE, buf->block, it->ino,
			it->image->vol.geo.meta_uuid);
	it->blocks++;
	return 0;
}

static int tree_free(struct vex_tree *tree, struct vex_buf *buf)
{
	struct image_tree *it = tree->priv;

	release_block(it->image, buf->block);
	it->blocks--;
	free(buf->data);
	buf->data = NULL;
	return 0;
}

static int tree_corrupt(struct vex_tree *tree, u64 block, const char *what)
{
	(void)tree;
	(void)block;
	image_die(what);
}

static const struct vex_tree_ops tree_ops = {
	.read = tree_read,
	.release = tree_release,
	.access = tree_access,
	.dirty = tree_dirty,
	.alloc = tree_alloc,
	.free = tree_free,
	.corrupt = tree_corrupt,
};

void image_tree(struct image_tree *tree, struct image *image,
		struct vexfs_disk_inode *inode)
{
	memset(tree, 0, sizeof(*tree));
	tree->tree.root = &inode->ino_root;
	tree->tree.ops = &tree_ops;
	tree->tree.priv = tree;
	tree->tree.value_limit =
		inode->ino_root.r_kind == VEXFS_TREE_EXTENTS ?
		image->vol.geo.blocks : 0;
	tree->image = image;
	tree->ino = le64_to_cpu(inode->ino_number);
}

void image_link(struct image *image, u64 dir, const char *name,
		const struct vexfs_disk_inode *inode)
{
	struct vexfs_disk_inode parent;
	struct image_tree tree;

	image_get_inode(image, dir, &parent);
	image_tree(&tree, image, &parent);
	if (vex_dir_add(&tree.tree, name, (u32)strlen(name),
			le64_to_cpu(image->vol.super.sb_hash_seed),
			le64_to_cpu(inode->ino_number),
			(u8)(le16_to_cpu(inode->ino_mode) >> 12)))
		image_die("cannot add a name");
	if (S_ISDIR(le16_to_cpu(inode->ino_mode)))
		le32_add_cpu(&parent.ino_links, 1);
	le64_add_cpu(&parent.ino_blocks, (u64)tree.blocks);
	le64_add_cpu(&parent.ino_size, (u64)(tree.blocks * VEXFS_BLOCK_SIZE));
	image_put_inode(image, &parent);
}

s64 image_insert(struct image *image, struct vexfs_disk_inode *inode, u64 key,
		 u64 value, u32 length, u32 flags)
{
	struct vex_run run = { key, value, length, flags };
	struct image_tree tree;

	image_tree(&tree, image, inode);
	if (vex_tree_insert(&tree.tree, &run))
		image_die("cannot insert a run");
	if (!(le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_FORK))
		le64_add_cpu(&inode->ino_blocks, (u64)tree.blocks);
	return tree.blocks;
}
