// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * A volume's geometry, block headers, and the checks of the superblock, the
 * state block, group summaries, inodes and schemas. Bitmaps and extended
 * attributes are in layout_blocks.c. Nothing here does I/O or allocates.
 */
#include "layout.h"
#include "tree.h"

#include <linux/vexfs.h>

/* Fewest blocks for files that a group must have beside its metadata. */
#define VEX_GROUP_DATA_MIN	64

/* Types of st_mode, which are part of the format. */
#define VEX_MODE_TYPE		0170000
#define VEX_MODE_FIFO		0010000
#define VEX_MODE_CHR		0020000
#define VEX_MODE_DIR		0040000
#define VEX_MODE_BLK		0060000
#define VEX_MODE_REG		0100000
#define VEX_MODE_LNK		0120000
#define VEX_MODE_SOCK		0140000

#define VEX_NSEC		1000000000U

static const char *check_groups(const struct vex_geometry *geo)
{
	u64 last = geo->groups - 1;
	u64 meta = vex_group_first_data(geo, 0) + 1; /* and the backup */

	if (meta + VEX_GROUP_DATA_MIN > vex_group_blocks(geo, 0))
		return "too many group descriptor blocks or inodes: no room for data in group 0";
	meta = vex_group_first_data(geo, last) - vex_group_start(last);
	if (last && meta + VEX_GROUP_DATA_MIN > vex_group_blocks(geo, last))
		return "the last group is too short: it needs room for its metadata and 64 blocks";
	return NULL;
}

const char *vex_geometry_init(struct vex_geometry *geo, u64 blocks,
			      u32 gdt_blocks, u32 inodes_per_group,
			      const u8 *meta_uuid)
{
	u64 inodes;

	if (blocks < VEXFS_BLOCKS_MIN)
		return "fewer than 4096 blocks (16 MiB)";
	if (blocks > VEXFS_BLOCKS_MAX)
		return "more than 2^40 blocks (4 PiB)";
	if (inodes_per_group < VEXFS_INODES_PER_BLOCK ||
	    inodes_per_group > VEXFS_GROUP_BLOCKS ||
	    inodes_per_group % VEXFS_INODES_PER_BLOCK)
		return "inodes per group must be a multiple of 8 from 8 to 32256";
	if (!gdt_blocks || gdt_blocks > VEXFS_GROUP_BLOCKS)
		return "group descriptor blocks must be from 1 to 32256";

	geo->blocks = blocks;
	geo->groups = (blocks + VEXFS_GROUP_BLOCKS - 1) / VEXFS_GROUP_BLOCKS;
	geo->gdt_blocks = gdt_blocks;
	geo->inodes_per_group = inodes_per_group;
	geo->inode_blocks = inodes_per_group / VEXFS_INODES_PER_BLOCK;
	memcpy(geo->meta_uuid, meta_uuid, sizeof(geo->meta_uuid));

	if (geo->groups > (u64)gdt_blocks * VEXFS_GROUPS_PER_BLOCK)
		return "too few group descriptor blocks for so many groups";
	inodes = geo->groups * inodes_per_group;
	if (inodes > U32_MAX)
		return "2^32 inodes or more: ask for fewer inodes per group";
	if (inodes < VEXFS_INO_FIRST)
		return "fewer than 16 inodes: ask for more inodes per group";
	return check_groups(geo);
}

u32 vex_group_blocks(const struct vex_geometry *geo, u64 group)
{
	u64 left = geo->blocks - vex_group_start(group);

	return left < VEXFS_GROUP_BLOCKS ? left : VEXFS_GROUP_BLOCKS;
}

u64 vex_group_bitmap(const struct vex_geometry *geo, u64 group)
{
	if (!group)
		return VEXFS_GDT_BLOCK + geo->gdt_blocks;
	return vex_group_start(group);
}

u64 vex_group_first_data(const struct vex_geometry *geo, u64 group)
{
	return vex_group_bitmap(geo, group) + 2 + geo->inode_blocks;
}

u64 vex_backup_block(const struct vex_geometry *geo)
{
	return vex_group_blocks(geo, 0) - 1;
}

bool vex_range_is_data(const struct vex_geometry *geo, u64 block, u64 count)
{
	u64 group, end;

	if (block >= geo->blocks || !count || count > geo->blocks - block)
		return false;
	group = block / VEXFS_GROUP_BLOCKS;
	end = vex_group_start(group) + vex_group_blocks(geo, group);
	if (!group)
		end = vex_backup_block(geo);
	return block >= vex_group_first_data(geo, group) &&
	       block + count <= end;
}

u64 vex_inode_block(const struct vex_geometry *geo, u64 ino, u32 *slot)
{
	/* A valid number fits 32 bits; so both divisions are of 32 bits. */
	u32 index = (u32)(ino - 1);
	u32 group = index / geo->inodes_per_group;

	index %= geo->inodes_per_group;
	*slot = index % VEXFS_INODES_PER_BLOCK;
	return vex_group_bitmap(geo, group) + 2 +
	       index / VEXFS_INODES_PER_BLOCK;
}

bool vex_inode_valid(const struct vex_geometry *geo, u64 ino)
{
	return ino && ino <= geo->groups * geo->inodes_per_group;
}

void vex_header_init(void *block, u32 magic, u64 number, u64 owner,
		     const u8 *meta_uuid)
{
	struct vexfs_disk_header *header = block;

	memset(header, 0, sizeof(*header));
	header->h_magic = cpu_to_le32(magic);
	header->h_block = cpu_to_le64(number);
	header->h_owner = cpu_to_le64(owner);
	memcpy(header->h_uuid, meta_uuid, sizeof(header->h_uuid));
}

static u64 header_checksum(const void *block)
{
	struct vexfs_disk_header header;

	memcpy(&header, block, sizeof(header));
	header.h_checksum = 0;
	return vex_xxh64_two(&header, sizeof(header),
			     (const u8 *)block + sizeof(header),
			     VEXFS_PAYLOAD_BYTES);
}

void vex_header_stamp(void *block)
{
	struct vexfs_disk_header *header = block;

	header->h_checksum = cpu_to_le64(header_checksum(block));
}

bool vex_header_verify_checksum(const void *block)
{
	const struct vexfs_disk_header *header = block;

	return le64_to_cpu(header->h_checksum) == header_checksum(block);
}

const char *vex_header_check(const void *block, u32 magic, u64 number,
			     u64 owner, const u8 *meta_uuid)
{
	const struct vexfs_disk_header *header = block;

	if (le32_to_cpu(header->h_magic) != magic)
		return "h_magic: another kind of block";
	if (memcmp(header->h_uuid, meta_uuid, sizeof(header->h_uuid)))
		return "h_uuid: of another filesystem";
	if (le64_to_cpu(header->h_block) != number)
		return "h_block: belongs elsewhere on the volume";
	if (le64_to_cpu(header->h_owner) != owner)
		return "h_owner: belongs to something else";
	if (header->h_reserved0 || header->h_reserved[0] ||
	    header->h_reserved[1])
		return "h_reserved: not zero";
	return NULL;
}

static bool label_is_padded(const u8 *label)
{
	u32 used = 0;

	while (used < VEXFS_LABEL_BYTES && label[used])
		used++;
	return vex_is_zero(label + used, VEXFS_LABEL_BYTES - used);
}

const char *vex_super_check(const struct vexfs_disk_super *super, u64 number)
{
	struct vex_geometry geo;
	const char *what;
	u32 errors;

	if (le32_to_cpu(super->sb_header.h_magic) != VEXFS_MAGIC_SUPER)
		return "not a VexFS filesystem";
	if (!vex_header_verify_checksum(super))
		return "h_checksum: the superblock is damaged";
	if (le32_to_cpu(super->sb_version) != VEXFS_VERSION)
		return "sb_version: a version of the format that is not known";
	if (le32_to_cpu(super->sb_block_bits) != VEXFS_BLOCK_BITS)
		return "sb_block_bits: not 12 (4096 byte blocks)";
	what = vex_header_check(super, VEXFS_MAGIC_SUPER, number, 0,
				super->sb_meta_uuid);
	if (what)
		return what;
	what = vex_geometry_init(&geo, le64_to_cpu(super->sb_blocks),
				 le32_to_cpu(super->sb_gdt_blocks),
				 le32_to_cpu(super->sb_inodes_per_group),
				 super->sb_meta_uuid);
	if (what)
		return what;
	if (number != VEXFS_SUPER_BLOCK && number != vex_backup_block(&geo))
		return "h_block: no superblock belongs here";
	if (!label_is_padded(super->sb_label))
		return "sb_label: not padded with zeros";
	errors = le32_to_cpu(super->sb_errors);
	if (errors < VEXFS_ERRORS_CONTINUE || errors > VEXFS_ERRORS_PANIC)
		return "sb_errors: not known";
	if (!vex_is_zero(super->sb_reserved, sizeof(super->sb_reserved)))
		return "sb_reserved: not zero";
	return NULL;
}

const char *vex_state_check(const struct vexfs_disk_state *state,
			    const struct vex_geometry *geo)
{
	u64 orphan = le64_to_cpu(state->st_orphan_head);

	/* The rest is for people: no value of it does harm. */
	if (orphan && (orphan < VEXFS_INO_FIRST ||
		       !vex_inode_valid(geo, orphan)))
		return "st_orphan_head: no such inode";
	if (le64_to_cpu(state->st_flags) & ~VEXFS_STATE_FLAGS)
		return "st_flags: unknown flags";
	if (!vex_is_zero(state->st_reserved, sizeof(state->st_reserved)))
		return "st_reserved: not zero";
	return NULL;
}

u32 vex_group_free_blocks_max(const struct vex_geometry *geo, u64 group)
{
	u64 used = vex_group_first_data(geo, group) - vex_group_start(group);

	return vex_group_blocks(geo, group) - used - (group ? 0 : 1);
}

u32 vex_group_free_inodes_max(const struct vex_geometry *geo, u64 group)
{
	u64 first = group * geo->inodes_per_group + 1;

	if (first >= VEXFS_INO_FIRST)
		return geo->inodes_per_group;
	if (first + geo->inodes_per_group <= VEXFS_INO_FIRST)
		return 0;
	return first + geo->inodes_per_group - VEXFS_INO_FIRST;
}

const char *vex_group_check(const struct vexfs_disk_group *desc,
			    const struct vex_geometry *geo, u64 group)
{
	u32 blocks = le32_to_cpu(desc->g_free_blocks);
	u32 inodes = le32_to_cpu(desc->g_free_inodes);
	u32 directories = le32_to_cpu(desc->g_directories);
	u32 inode_blocks = le32_to_cpu(desc->g_inode_blocks);
	u32 flags = le32_to_cpu(desc->g_flags);
	u32 blocks_max = vex_group_free_blocks_max(geo, group);
	u32 inodes_max = vex_group_free_inodes_max(geo, group);

	if (blocks > blocks_max)
		return "g_free_blocks: more than the group has";
	if (inodes > inodes_max)
		return "g_free_inodes: more than the group has";
	if (directories > geo->inodes_per_group - inodes)
		return "g_directories: more than inodes in use";
	if (inode_blocks > geo->inode_blocks)
		return "g_inode_blocks: more than the group has";
	if (flags & ~VEXFS_GROUP_FLAGS)
		return "g_flags: unknown flags";
	if ((flags & VEXFS_GROUP_UNINIT) &&
	    (blocks != blocks_max || inodes != inodes_max || directories ||
	     inode_blocks))
		return "g_flags: says unused, but something is in use";
	if (!vex_is_zero(desc->g_reserved, sizeof(desc->g_reserved)))
		return "g_reserved: not zero";
	return NULL;
}

u32 vex_element_bytes(u8 element)
{
	switch (element) {
	case VEXFS_ELEMENT_F32:
		return 4;
	case VEXFS_ELEMENT_F16:
		return 2;
	case VEXFS_ELEMENT_I8:
	case VEXFS_ELEMENT_U8:
		return 1;
	}
	return 0;
}

static const char *check_column_types(const struct vexfs_disk_schema *schema)
{
	u64 types = le64_to_cpu(schema->s_column_types);
	unsigned int i;

	for (i = 0; i < schema->s_columns; i++, types >>= 4)
		if (!(types & 15) || (types & 15) > VEXFS_COLUMN_STRING)
			return "s_column_types: not known";
	return schema->s_columns < VEXFS_COLUMNS_MAX && types ?
	       "s_column_types: more than s_columns" : NULL;
}

const char *vex_schema_check(const struct vexfs_disk_schema *schema)
{
	u32 dim = le32_to_cpu(schema->s_dim);
	const char *what;

	if (dim < VEXFS_DIM_MIN || dim > VEXFS_DIM_MAX)
		return "s_dim: not from 1 to 65535";
	if (!vex_element_bytes(schema->s_element))
		return "s_element: not known";
	if (schema->s_metric < VEXFS_METRIC_L2 ||
	    schema->s_metric > VEXFS_METRIC_L1)
		return "s_metric: not known";
	if (schema->s_ids != VEXFS_IDS_AUTO && schema->s_ids != VEXFS_IDS_OWN)
		return "s_ids: not known";
	if (schema->s_columns > VEXFS_COLUMNS_MAX)
		return "s_columns: too many";
	what = check_column_types(schema);
	if (what)
		return what;
	if (schema->s_flags)
		return "s_flags: unknown flags";
	if (schema->s_reserved0 || schema->s_reserved)
		return "s_reserved: not zero";
	return NULL;
}

static u32 inode_type(const struct vexfs_disk_inode *inode)
{
	return le16_to_cpu(inode->ino_mode) & VEX_MODE_TYPE;
}

static bool inode_is_fork(const struct vexfs_disk_inode *inode)
{
	return le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_FORK;
}

static bool inode_is_vector(const struct vexfs_disk_inode *inode)
{
	return le32_to_cpu(inode->ino_flags) & VEXFS_INO_FLAG_VECTOR;
}

static const char *check_mode(const struct vexfs_disk_inode *inode)
{
	u32 flags = le32_to_cpu(inode->ino_flags);
	u32 type = inode_type(inode);

	switch (type) {
	case VEX_MODE_REG:
	case VEX_MODE_DIR:
	case VEX_MODE_LNK:
	case VEX_MODE_CHR:
	case VEX_MODE_BLK:
	case VEX_MODE_FIFO:
	case VEX_MODE_SOCK:
		break;
	default:
		return "ino_mode: unknown type";
	}
	if (flags & ~VEXFS_INO_FLAGS)
		return "ino_flags: unknown flags";
	if ((flags & VEXFS_INO_FLAG_FORK) &&
	    (type != VEX_MODE_REG || (flags & VEXFS_INO_FLAG_VECTOR)))
		return "ino_flags: this inode cannot be a fork";
	if ((flags & VEXFS_INO_FLAG_VECTOR) && type != VEX_MODE_REG &&
	    type != VEX_MODE_DIR)
		return "ino_flags: this inode cannot have a schema";
	if (inode->ino_rdev && type != VEX_MODE_CHR && type != VEX_MODE_BLK)
		return "ino_rdev: not zero";
	return NULL;
}

static const char *check_size(const struct vexfs_disk_inode *inode,
			      const struct vex_geometry *geo)
{
	u64 size = le64_to_cpu(inode->ino_size);

	if (le64_to_cpu(inode->ino_blocks) > geo->blocks)
		return "ino_blocks: more than the volume has";
	switch (inode_type(inode)) {
	case VEX_MODE_REG:
		if (size > VEXFS_FILE_BLOCKS_MAX << VEXFS_BLOCK_BITS)
			return "ino_size: larger than a file can be";
		break;
	case VEX_MODE_DIR:
		if (size % VEXFS_BLOCK_SIZE ||
		    size >> VEXFS_BLOCK_BITS > geo->blocks)
			return "ino_size: not that of a directory";
		break;
	case VEX_MODE_LNK:
		if (!size || size > VEXFS_SYMLINK_MAX)
			return "ino_size: not from 1 to 4095 for a symbolic link";
		break;
	default:
		if (size)
			return "ino_size: not zero for a special file";
	}
	return NULL;
}

/* The list of orphans, the directory above, the base of a fork. */
static const char *check_relatives(const struct vexfs_disk_inode *inode,
				   u64 ino, const struct vex_geometry *geo)
{
	u64 parent = le64_to_cpu(inode->ino_parent);
	u64 orphan = le64_to_cpu(inode->ino_next_orphan);
	u64 xattr = le64_to_cpu(inode->ino_xattr_block);
	bool loose = !inode->ino_links || ino == VEXFS_INO_ROOT;

	if (parent && !vex_inode_valid(geo, parent))
		return "ino_parent: no such inode";
	if (inode_type(inode) == VEX_MODE_DIR) {
		if (!parent && !loose)
			return "ino_parent: a directory without one";
		if (parent == ino && ino != VEXFS_INO_ROOT)
			return "ino_parent: the directory itself";
	} else if (inode_is_fork(inode)) {
		if (!parent || parent == ino)
			return "ino_parent: a fork without a base";
		if (xattr)
			return "ino_xattr_block: a fork has none";
	} else if (parent) {
		return "ino_parent: not zero";
	}
	if (orphan && (orphan == ino || orphan < VEXFS_INO_FIRST ||
		       !vex_inode_valid(geo, orphan)))
		return "ino_next_orphan: no such inode";
	if (xattr && !vex_range_is_data(geo, xattr, 1))
		return "ino_xattr_block: outside of the data area";
	return NULL;
}

u8 vex_fork_kind(unsigned int slot)
{
	switch (slot) {
	case VEXFS_FORK_IDS:
	case VEXFS_FORK_COMPACT_IDS:
		return VEXFS_TREE_IDS;
	case VEXFS_FORK_ROWS:
	case VEXFS_FORK_COMPACT_ROWS:
		return VEXFS_TREE_ROWS;
	case VEXFS_FORK_TOMBSTONES:
	case VEXFS_FORK_COMPACT_TOMBSTONES:
		return VEXFS_TREE_TOMBSTONES;
	case VEXFS_FORK_ATTRIBUTES:
	case VEXFS_FORK_COMPACT_ATTRIBUTES:
		return VEXFS_TREE_ATTRIBUTES;
	case VEXFS_FORK_SKETCHES:
	case VEXFS_FORK_INDEX:
	case VEXFS_FORK_BUILDING:
	case VEXFS_FORK_COMPACT:
		return VEXFS_TREE_EXTENTS;
	default:
		return VEXFS_TREE_NONE;
	}
}

static const char *check_forks(const struct vexfs_disk_inode *inode, u64 ino,
			       const struct vex_geometry *geo)
{
	bool may = inode_is_vector(inode) && inode_type(inode) == VEX_MODE_REG;
	unsigned int i, j;

	for (i = 0; i < VEXFS_FORKS; i++) {
		u64 fork = vex_inode_fork(inode, i);

		if (!fork)
			continue;
		if (!may || !vex_fork_kind(i))
			return "ino_forks: a fork that cannot be";
		if (fork == ino || fork < VEXFS_INO_FIRST ||
		    !vex_inode_valid(geo, fork))
			return "ino_forks: no such inode";
		for (j = 0; j < i; j++)
			if (vex_inode_fork(inode, j) == fork)
				return "ino_forks: the same inode twice";
	}
	return NULL;
}

static const char *check_vector(const struct vexfs_disk_inode *inode)
{
	const struct vexfs_disk_schema *schema = &inode->ino_schema;
	u64 rows = le64_to_cpu(inode->ino_rows);
	const char *what;
	u32 row_bytes;

	if (!inode_is_vector(inode)) {
		if (!vex_is_zero(schema, sizeof(*schema)))
			return "ino_schema: not zero, but not a vector file";
	} else {
		what = vex_schema_check(schema);
		if (what)
			return what;
	}
	if (inode_is_fork(inode) &&
	    inode->ino_root.r_kind == VEXFS_TREE_EXTENTS) {
		if (inode->ino_deleted ||
		    rows > le64_to_cpu(inode->ino_next_id))
			return "ino_rows: not those of a compaction";
		return NULL;
	}
	if (!inode_is_vector(inode) || inode_type(inode) != VEX_MODE_REG) {
		if (inode->ino_rows || inode->ino_deleted ||
		    inode->ino_next_id || inode->ino_vector_generation)
			return "ino_rows: not zero, but not a vector file";
		return NULL;
	}
	row_bytes = le32_to_cpu(schema->s_dim) *
		    vex_element_bytes(schema->s_element);
	if (rows > div64_u64(le64_to_cpu(inode->ino_size), row_bytes))
		return "ino_rows: more than ino_size holds";
	if (le64_to_cpu(inode->ino_deleted) > rows)
		return "ino_deleted: more than ino_rows";
	if (schema->s_ids == VEXFS_IDS_AUTO &&
	    le64_to_cpu(inode->ino_next_id) < rows)
		return "ino_next_id: fewer than ino_rows";
	return NULL;
}

static const char *check_symlink(const struct vexfs_disk_inode *inode,
				 const struct vex_geometry *geo)
{
	const struct vexfs_disk_root *root = &inode->ino_root;
	u64 used = le64_to_cpu(inode->ino_size);
	const u8 *target = root->r_data;

	if (root->r_kind != VEXFS_TREE_NONE || root->r_depth ||
	    root->r_count || root->r_reserved)
		return "ino_root: not that of a symbolic link";
	if (used > VEXFS_SYMLINK_INLINE_MAX) {
		if (!vex_range_is_data(geo, vex_load_le64(target), 1))
			return "ino_root: the target's block is outside of the data area";
		target += 8;
		used -= min_t(u64, used, VEXFS_PAYLOAD_BYTES);
	}
	if (used && memchr(target, 0, used))
		return "ino_root: a zero byte in a symbolic link's target";
	target += used;
	if (!vex_is_zero(target, root->r_data + VEXFS_ROOT_BYTES - target))
		return "ino_root: bytes not in use are not zero";
	return NULL;
}

/* What the root itself points at lies in the data area. */
static const char *check_root_blocks(const struct vexfs_disk_root *root,
				     const struct vex_geometry *geo)
{
	const struct vexfs_disk_record *record = (const void *)root->r_data;
	const struct vexfs_disk_index *child = (const void *)root->r_data;
	unsigned int i, count = le16_to_cpu(root->r_count);

	for (i = 0; i < count; i++) {
		if (root->r_depth) {
			if (!vex_range_is_data(geo,
					       le64_to_cpu(child[i].x_block),
					       1))
				return "x_block: outside of the data area";
		} else if (root->r_kind == VEXFS_TREE_EXTENTS) {
			if (!vex_range_is_data(geo,
					       le64_to_cpu(record[i].r_value),
					       le32_to_cpu(record[i].r_length)))
				return "r_value: outside of the data area";
		}
	}
	return NULL;
}

static const char *check_root(const struct vexfs_disk_inode *inode,
			      const struct vex_geometry *geo)
{
	const struct vexfs_disk_root *root = &inode->ino_root;
	const char *what;
	u8 kind = VEXFS_TREE_NONE;

	switch (inode_type(inode)) {
	case VEX_MODE_LNK:
		return check_symlink(inode, geo);
	case VEX_MODE_DIR:
		kind = VEXFS_TREE_DIRECTORY;
		break;
	case VEX_MODE_REG:
		kind = VEXFS_TREE_EXTENTS;
		if (inode_is_fork(inode) &&
		    root->r_kind >= VEXFS_TREE_IDS &&
		    root->r_kind < VEXFS_TREE_KINDS)
			kind = root->r_kind;
		break;
	}
	what = vex_tree_check_root(root, kind, kind == VEXFS_TREE_EXTENTS ?
				   geo->blocks : 0);
	return what ? what : check_root_blocks(root, geo);
}

const char *vex_inode_check(const struct vexfs_disk_inode *inode, u64 ino,
			    const struct vex_geometry *geo)
{
	const char *what;

	if (le64_to_cpu(inode->ino_number) != ino)
		return "ino_number: not its own";
	what = check_mode(inode);
	if (what)
		return what;
	if (le32_to_cpu(inode->ino_uid) == U32_MAX ||
	    le32_to_cpu(inode->ino_gid) == U32_MAX)
		return "ino_uid, ino_gid: nobody has such a number";
	if (le32_to_cpu(inode->ino_links) > VEXFS_LINK_MAX)
		return "ino_links: too many";
	if (le32_to_cpu(inode->ino_atime_ns) >= VEX_NSEC ||
	    le32_to_cpu(inode->ino_mtime_ns) >= VEX_NSEC ||
	    le32_to_cpu(inode->ino_ctime_ns) >= VEX_NSEC ||
	    le32_to_cpu(inode->ino_btime_ns) >= VEX_NSEC)
		return "ino_*time_ns: a second or more";
	what = check_size(inode, geo);
	if (!what)
		what = check_relatives(inode, ino, geo);
	if (!what)
		what = check_forks(inode, ino, geo);
	if (!what)
		what = check_vector(inode);
	if (!what)
		what = check_root(inode, geo);
	if (what)
		return what;
	if (inode->ino_reserved0 ||
	    !vex_is_zero(inode->ino_reserved, sizeof(inode->ino_reserved)))
		return "ino_reserved: not zero";
	return NULL;
}
