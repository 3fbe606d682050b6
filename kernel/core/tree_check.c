// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The whole check of a tree's root and blocks, done once for each block after
 * it came into memory. Messages begin with the name of the damaged field.
 */
#include "tree.h"

/* DT_* of readdir(3), which are part of the format. */
static bool type_is_known(u8 type)
{
	switch (type) {
	case 1:		/* DT_FIFO */
	case 2:		/* DT_CHR */
	case 4:		/* DT_DIR */
	case 6:		/* DT_BLK */
	case 8:		/* DT_REG */
	case 10:	/* DT_LNK */
	case 12:	/* DT_SOCK */
		return true;
	}
	return false;
}

static const char *check_record(const struct vexfs_disk_record *record,
				u8 kind, u64 value_limit)
{
	u64 key = le64_to_cpu(record->r_key);
	u64 value = le64_to_cpu(record->r_value);
	u32 length = le32_to_cpu(record->r_length);
	u32 flags = le32_to_cpu(record->r_flags);

	if (!length)
		return "r_length: zero";
	if (key > U64_MAX - length)
		return "r_key: beyond the end of all keys";
	if (value > U64_MAX - length)
		return "r_value: beyond the end of all values";
	if (value_limit && value + length > value_limit)
		return "r_value: beyond the end of the volume";
	if (kind == VEXFS_TREE_EXTENTS) {
		if (flags & ~VEXFS_RECORD_FLAGS)
			return "r_flags: unknown flags";
		if (!value)
			return "r_value: block 0";
	} else if (flags) {
		return "r_flags: not zero";
	}
	if (kind == VEXFS_TREE_TOMBSTONES && value != key)
		return "r_value: differs from r_key";
	return NULL;
}

static const char *check_records(const u8 *data, u32 count, u8 kind, u64 low,
				 u64 high, u64 value_limit)
{
	const struct vexfs_disk_record *record = (const void *)data;
	const char *what;
	u64 key;

	for (; count; count--, record++) {
		what = check_record(record, kind, value_limit);
		if (what)
			return what;
		key = le64_to_cpu(record->r_key);
		if (key < low)
			return "r_key: out of order, or runs overlap";
		low = key + le32_to_cpu(record->r_length);
	}
	return low > high ? "r_key: beyond the range of the block" : NULL;
}

static const char *check_children(const u8 *data, u32 count, u64 low, u64 high,
				  u64 value_limit)
{
	const struct vexfs_disk_index *child = (const void *)data;
	u64 key, block;
	u32 i;

	if (le64_to_cpu(child->x_key) != low)
		return "x_key: the first is not the lower end of the range";
	for (i = 0; i < count; i++) {
		key = le64_to_cpu(child[i].x_key);
		if (i && key <= low)
			return "x_key: out of order";
		if (key >= high)
			return "x_key: beyond the range of the block";
		low = key;
		block = le64_to_cpu(child[i].x_block);
		if (!block || (value_limit && block >= value_limit))
			return "x_block: outside of the volume";
	}
	return NULL;
}

static const char *check_name(const struct vexfs_disk_name *name, u32 bytes)
{
	const u8 *text = name->d_name;
	u32 length = name->d_length;
	u64 key = le64_to_cpu(name->d_key);

	if (key < VEXFS_DIR_KEY_MIN || key > VEXFS_DIR_KEY_MAX)
		return "d_key: out of range";
	if (!name->d_ino)
		return "d_ino: zero";
	if (!type_is_known(name->d_type))
		return "d_type: not known";
	if (memchr(text, 0, length) || memchr(text, '/', length))
		return "d_name: holds a zero byte or a slash";
	if (text[0] == '.' &&
	    (length == 1 || (length == 2 && text[1] == '.')))
		return "d_name: . or ..";
	if (!vex_is_zero(text + length, bytes - 18 - length))
		return "d_name: padding is not zero";
	return NULL;
}

static const char *check_names(const u8 *data, u32 count, u32 end, u64 low,
			       u64 high)
{
	const struct vexfs_disk_name *name;
	const char *what;
	u32 at = 0, bytes;
	u64 key;

	for (; count; count--, at += bytes) {
		name = (const void *)(data + at);
		if (end - at < VEXFS_NAME_BYTES(1))
			return "n_count: more names than n_bytes holds";
		bytes = VEXFS_NAME_BYTES(name->d_length);
		if (!name->d_length || end - at < bytes)
			return "d_length: zero, or beyond n_bytes";
		what = check_name(name, bytes);
		if (what)
			return what;
		key = le64_to_cpu(name->d_key);
		if (key < low)
			return "d_key: out of order";
		if (key >= high)
			return "d_key: beyond the range of the block";
		low = key + 1;
	}
	return at != end ? "n_bytes: more than n_count names need" : NULL;
}

const char *vex_tree_check_node(const struct vexfs_disk_node *node, u8 kind,
				u8 depth, u64 low, u64 high, u64 value_limit)
{
	u32 count = le16_to_cpu(node->n_count);
	u32 bytes = le16_to_cpu(node->n_bytes);
	const char *what;

	if (node->n_kind != kind)
		return "n_kind: another kind of tree";
	if (node->n_depth != depth)
		return "n_depth: not one less than that of the block above";
	if (!count)
		return "n_count: zero";
	if (bytes > VEXFS_NODE_BYTES)
		return "n_bytes: more than the block has";
	if (depth) {
		if (count > VEXFS_NODE_CHILDREN || bytes != count * 16)
			return "n_count: does not fit n_bytes";
		what = check_children(node->n_data, count, low, high,
				      value_limit);
	} else if (kind == VEXFS_TREE_DIRECTORY) {
		what = check_names(node->n_data, count, bytes, low, high);
	} else {
		if (count > VEXFS_NODE_RECORDS || bytes != count * 24)
			return "n_count: does not fit n_bytes";
		what = check_records(node->n_data, count, kind, low, high,
				     value_limit);
	}
	if (what)
		return what;
	if (!vex_is_zero(node->n_reserved, sizeof(node->n_reserved)))
		return "n_reserved: not zero";
	if (!vex_is_zero(node->n_data + bytes, VEXFS_NODE_BYTES - bytes))
		return "n_data: bytes not in use are not zero";
	return NULL;
}

const char *vex_tree_check_root(const struct vexfs_disk_root *root, u8 kind,
				u64 value_limit)
{
	u32 count = le16_to_cpu(root->r_count);
	const char *what = NULL;
	u32 bytes;

	if (root->r_kind != kind)
		return "r_kind: not that of such an inode";
	if (root->r_depth > VEXFS_TREE_DEPTH_MAX)
		return "r_depth: deeper than a tree can be";
	if (root->r_reserved)
		return "r_reserved: not zero";
	if (root->r_depth) {
		if (kind == VEXFS_TREE_NONE)
			return "r_depth: not zero";
		if (!count || count > VEXFS_ROOT_CHILDREN)
			return "r_count: out of range";
		bytes = count * 16;
		what = check_children(root->r_data, count, 0, U64_MAX,
				      value_limit);
	} else {
		if (count > VEXFS_ROOT_RECORDS)
			return "r_count: out of range";
		if (count && (kind == VEXFS_TREE_NONE ||
			      kind == VEXFS_TREE_DIRECTORY))
			return "r_count: not zero";
		bytes = count * 24;
		what = check_records(root->r_data, count, kind, 0, U64_MAX,
				     value_limit);
	}
	if (what)
		return what;
	if (!vex_is_zero(root->r_data + bytes, VEXFS_ROOT_BYTES - bytes))
		return "r_data: bytes not in use are not zero";
	return NULL;
}

void vex_tree_init_root(struct vexfs_disk_root *root, u8 kind)
{
	memset(root, 0, sizeof(*root));
	root->r_kind = kind;
}
