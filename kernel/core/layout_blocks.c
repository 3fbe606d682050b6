// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Bitmap blocks, word by word, and the check of extended attribute blocks:
 * the part of layout.h that looks into whole blocks.
 */
#include "layout.h"

static u64 word_at(const __le64 *bits, u32 bit)
{
	return le64_to_cpu(bits[bit / 64]);
}

/* Bits first..63 of a word. */
static u64 mask_from(u32 first)
{
	return U64_MAX << first;
}

/* Bits first..first + count - 1 of a word; first + count <= 64. */
static u64 mask_run(u32 first, u32 count)
{
	return (U64_MAX >> (64 - count)) << first;
}

/* The first bit in [start, end) that is @set, or @end. */
static u32 next_bit(const __le64 *bits, u32 start, u32 end, bool set)
{
	u64 flip = set ? 0 : U64_MAX;

	while (start < end) {
		u64 word = (word_at(bits, start) ^ flip) &
			   mask_from(start % 64);

		start -= start % 64;
		if (word) {
			start += fls64(word & -word) - 1;
			return min(start, end);
		}
		start += 64;
	}
	return end;
}

u32 vex_bitmap_find(const __le64 *bits, u32 start, u32 end, u32 max,
		    u32 *length)
{
	u32 first = next_bit(bits, start, end, false);

	if (first >= end)
		return end;
	if (max < end - first)
		end = first + max;
	*length = next_bit(bits, first, end, true) - first;
	return first;
}

bool vex_bitmap_change(__le64 *bits, u32 start, u32 count, bool set)
{
	u32 end = start + count;
	u32 bit, part;

	if (next_bit(bits, start, end, set) < end)
		return false;
	for (bit = start; bit < end; bit += part) {
		u64 word = word_at(bits, bit);
		u64 mask;

		part = min(end - bit, 64 - bit % 64);
		mask = mask_run(bit % 64, part);
		word = set ? word | mask : word & ~mask;
		bits[bit / 64] = cpu_to_le64(word);
	}
	return true;
}

u32 vex_bitmap_clear_count(const __le64 *bits, u32 end)
{
	u32 count = 0;
	u32 bit;

	for (bit = 0; bit + 64 <= end; bit += 64)
		count += hweight64(~word_at(bits, bit));
	if (bit < end)
		count += hweight64(~word_at(bits, bit) &
				   mask_run(0, end - bit));
	return count;
}

void vex_group_init_bitmaps(const struct vex_geometry *geo, u64 group,
			    void *blocks, void *inodes)
{
	struct vexfs_disk_bitmap *bitmap = blocks;
	u64 block = vex_group_bitmap(geo, group);
	u32 used, size;

	if (bitmap) {
		used = vex_group_first_data(geo, group) -
		       vex_group_start(group);
		size = vex_group_blocks(geo, group);
		vex_header_init(bitmap, VEXFS_MAGIC_BLOCK_BITMAP, block, group,
				geo->meta_uuid);
		memset(bitmap->bm_bits, 0, sizeof(bitmap->bm_bits));
		vex_bitmap_change(bitmap->bm_bits, 0, used, true);
		if (!group)
			vex_bitmap_change(bitmap->bm_bits,
					  vex_backup_block(geo), 1, true);
		vex_bitmap_change(bitmap->bm_bits, size,
				  VEXFS_GROUP_BLOCKS - size, true);
	}
	bitmap = inodes;
	if (bitmap) {
		size = geo->inodes_per_group;
		used = size - vex_group_free_inodes_max(geo, group);
		vex_header_init(bitmap, VEXFS_MAGIC_INODE_BITMAP, block + 1,
				group, geo->meta_uuid);
		memset(bitmap->bm_bits, 0, sizeof(bitmap->bm_bits));
		vex_bitmap_change(bitmap->bm_bits, 0, used, true);
		vex_bitmap_change(bitmap->bm_bits, size,
				  VEXFS_GROUP_BLOCKS - size, true);
	}
}

static u32 xattr_bytes(const struct vexfs_disk_xattr *entry)
{
	u32 bytes = sizeof(*entry) + entry->x_name_length +
		    le16_to_cpu(entry->x_value_length);

	return (bytes + 7) & ~7U;
}

/* Is @a before @b in the order of the block: by space, then by name? */
static bool xattr_before(const struct vexfs_disk_xattr *a,
			 const struct vexfs_disk_xattr *b)
{
	int order;

	if (a->x_space != b->x_space)
		return a->x_space < b->x_space;
	order = memcmp(a->x_data, b->x_data,
		       min(a->x_name_length, b->x_name_length));
	if (order)
		return order < 0;
	return a->x_name_length < b->x_name_length;
}

static const char *check_xattr(const struct vexfs_disk_xattr *entry,
			       u32 bytes)
{
	u32 used = sizeof(*entry) + entry->x_name_length +
		   le16_to_cpu(entry->x_value_length);
	bool named = entry->x_space <= VEXFS_XATTR_SECURITY;

	if (!entry->x_space || entry->x_space >= VEXFS_XATTR_SPACES)
		return "x_space: not known";
	if (named != !!entry->x_name_length)
		return "x_name_length: a name where none belongs, or none";
	if (entry->x_name_length &&
	    memchr(entry->x_data, 0, entry->x_name_length))
		return "x_data: a zero byte in a name";
	if (entry->x_reserved)
		return "x_reserved: not zero";
	if (!vex_is_zero((const u8 *)entry + used, bytes - used))
		return "x_data: padding is not zero";
	return NULL;
}

const char *vex_xattr_check(const struct vexfs_disk_xattr_block *block)
{
	const struct vexfs_disk_xattr *entry, *last = NULL;
	u32 count = le16_to_cpu(block->xb_count);
	u32 end = le16_to_cpu(block->xb_bytes);
	u32 at = 0, bytes;
	const char *what;

	if (block->xb_reserved)
		return "xb_reserved: not zero";
	if (end > VEXFS_XATTR_BYTES || end % 8)
		return "xb_bytes: out of range";
	for (; count; count--, at += bytes, last = entry) {
		entry = (const void *)(block->xb_data + at);
		if (end - at < sizeof(*entry))
			return "xb_count: more than xb_bytes holds";
		bytes = xattr_bytes(entry);
		if (end - at < bytes)
			return "x_value_length: beyond xb_bytes";
		what = check_xattr(entry, bytes);
		if (what)
			return what;
		if (last && !xattr_before(last, entry))
			return "x_data: names are not in order";
	}
	if (at != end)
		return "xb_bytes: more than xb_count needs";
	if (!vex_is_zero(block->xb_data + at, VEXFS_XATTR_BYTES - at))
		return "xb_data: bytes not in use are not zero";
	return NULL;
}
