// SPDX-License-Identifier: Apache-2.0
/*
 * An inode's block of extended attributes: its form (kernel/core), and that
 * ACLs in it are ACLs, and columns of the schema have names.
 */
#include "fsck.h"
#include "attributes.h"

#include <sys/stat.h>

#define ACL_VERSION	2U
#define ACL_USER_OBJ	0x01U
#define ACL_USER	0x02U
#define ACL_GROUP_OBJ	0x04U
#define ACL_GROUP	0x08U
#define ACL_MASK	0x10U
#define ACL_OTHER	0x20U

static u16 load_le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

/* The tags come in this order, each of those with one bit just once. */
static const char *check_acl(const u8 *value, u32 length)
{
	u16 tag, last = 0;
	bool named = false, mask = false;
	u32 seen = 0;

	if (length < 4 || (length - 4) % 8)
		return "has no whole number of entries";
	if (vex_load_le32(value) != ACL_VERSION)
		return "is not of version 2";
	for (u32 at = 4; at < length; at += 8) {
		tag = load_le16(value + at);
		if (load_le16(value + at + 2) > 7)
			return "has unknown permissions";
		if (!tag || tag > ACL_OTHER || tag & (tag - 1))
			return "has an unknown tag";
		if (tag < last || (tag == last && tag != ACL_USER &&
				   tag != ACL_GROUP))
			return "has entries out of order";
		named |= tag == ACL_USER || tag == ACL_GROUP;
		mask |= tag == ACL_MASK;
		seen |= tag;
		last = tag;
	}
	if (!(seen & ACL_USER_OBJ) || !(seen & ACL_GROUP_OBJ) ||
	    !(seen & ACL_OTHER))
		return "lacks owner, group or others";
	if (named && !mask)
		return "names users or groups, but has no mask";
	return NULL;
}

static void check_columns(struct fsck *fsck, u64 ino, u32 columns,
			  const u8 *names, u32 bytes)
{
	const char *what = columns ?
			   vex_column_names_check(names, bytes, columns) :
			   "columns: names, but no columns";

	if (what)
		fsck_note_inode(fsck, ino, "%s", what);
}

/* ACLs, and the names of @columns columns. */
static void check_values(struct fsck *fsck, u64 ino, bool directory,
			 u32 columns,
			 const struct vexfs_disk_xattr_block *block)
{
	u32 count = le16_to_cpu(block->xb_count), at = 0;

	for (; count; count--) {
		const struct vexfs_disk_xattr *entry =
			(const void *)(block->xb_data + at);
		u32 length = le16_to_cpu(entry->x_value_length);
		const char *what;

		at += (sizeof(*entry) + entry->x_name_length + length + 7) &
		      ~7U;
		if (entry->x_space == VEXFS_XATTR_COLUMNS)
			check_columns(fsck, ino, columns, entry->x_data, length);
		columns *= entry->x_space != VEXFS_XATTR_COLUMNS;
		if (entry->x_space != VEXFS_XATTR_ACL_ACCESS &&
		    entry->x_space != VEXFS_XATTR_ACL_DEFAULT)
			continue;
		what = check_acl(entry->x_data, length);
		if (!what && !directory &&
		    entry->x_space == VEXFS_XATTR_ACL_DEFAULT)
			what = "is not on a directory";
		if (what)
			fsck_note_inode(fsck, ino, "%s ACL: it %s",
					entry->x_space ==
					VEXFS_XATTR_ACL_ACCESS ? "access" :
					"default", what);
	}
	if (columns)
		fsck_note_inode(fsck, ino, "columns: they have no names");
}

void fsck_attributes(struct fsck *fsck, u64 ino,
		     const struct vexfs_disk_inode *inode)
{
	u64 number = le64_to_cpu(inode->ino_xattr_block);
	struct vexfs_disk_xattr_block block;
	const char *what;
	int ret;

	if (!fsck_claim(fsck, ino, number, 1, "extended attributes"))
		return;
	ret = volume_read_meta(&fsck->vol, number, VEXFS_MAGIC_XATTR, ino,
			       &block, &what);
	if (!ret)
		what = vex_xattr_check(&block);
	if (!what && !block.xb_count)
		what = "xb_count: zero";
	if (what)
		fsck_note_inode(fsck, ino, "extended attributes: block %llu: %s",
				(unsigned long long)number, what);
	else
		check_values(fsck, ino,
			     S_ISDIR(le16_to_cpu(inode->ino_mode)),
			     inode->ino_schema.s_columns, &block);
}
