// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Attribute columns: names, values as integers, and the blocks that hold them.
 */
#include "attributes.h"
#include "float.h"

#include <linux/vexfs.h>

/* Words of the text of filters. */
static const char *const reserved_words[] = {
	"and", "or", "not", "in", "is", "null", "true", "false",
};

static u8 lower(u8 c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool is_word(const u8 *name, size_t bytes, const char *word)
{
	size_t i;

	for (i = 0; i < bytes && word[i]; i++)
		if (lower(name[i]) != (u8)word[i])
			return false;
	return i == bytes && !word[i];
}

bool vex_column_name_check(const u8 *name, size_t bytes)
{
	size_t i;

	if (!bytes || bytes > VEXFS_COLUMN_NAME_MAX)
		return false;
	for (i = 0; i < bytes; i++) {
		u8 c = lower(name[i]);

		if (!(c >= 'a' && c <= 'z') && c != '_' &&
		    !(i && c >= '0' && c <= '9'))
			return false;
	}
	for (i = 0; i < ARRAY_SIZE(reserved_words); i++)
		if (is_word(name, bytes, reserved_words[i]))
			return false;
	return true;
}

const char *vex_column_names_check(const u8 *names, u32 bytes, u32 columns)
{
	const u8 *start[VEXFS_COLUMNS_MAX], *end;
	size_t length[VEXFS_COLUMNS_MAX];
	u32 at = 0, i, j;

	if (columns > VEXFS_COLUMNS_MAX)
		return "columns: too many";
	for (i = 0; i < columns; i++) {
		end = at < bytes ? memchr(names + at, 0, bytes - at) : NULL;
		if (!end)
			return "columns: fewer names than columns";
		start[i] = names + at;
		length[i] = end - start[i];
		if (!vex_column_name_check(start[i], length[i]))
			return "columns: not a name";
		for (j = 0; j < i; j++)
			if (length[i] == length[j] &&
			    !memcmp(start[i], start[j], length[i]))
				return "columns: two of one name";
		at += length[i] + 1;
	}
	return at == bytes ? NULL : "columns: more names than columns";
}

int vex_attribute_encode(u32 type, u64 value, s64 *key)
{
	switch (type) {
	case VEXFS_COLUMN_I64:
		break;
	case VEXFS_COLUMN_F64:
		/* Minus zero becomes zero, which it equals. */
		return vex_radius_key(value, key);
	case VEXFS_COLUMN_BOOL:
		if (value > 1)
			return -EINVAL;
		break;
	case VEXFS_COLUMN_STRING:
		if (value >= VEXFS_STRINGS_BLOCKS_MAX << VEXFS_BLOCK_BITS)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	*key = (s64)value;
	return 0;
}

u64 vex_attribute_decode(u32 type, s64 key)
{
	return type == VEXFS_COLUMN_F64 ? vex_double_from_key(key) : (u64)key;
}

/* The offsets of a value and of a row's bits in at_data. */
static u32 value_at(u32 columns, u32 column, u32 index)
{
	return 8 * (vex_attributes_rows(columns) * column + index);
}

static u32 present_at(u32 columns, u32 index)
{
	return 8 * vex_attributes_rows(columns) * columns + 2 * index;
}

u32 vex_attributes_get(const struct vexfs_disk_attributes *block, u32 columns,
		       u32 index, s64 *values)
{
	u32 c;

	for (c = 0; c < columns; c++)
		values[c] = (s64)vex_load_le64(block->at_data +
					       value_at(columns, c, index));
	return vex_load_le16(block->at_data + present_at(columns, index));
}

void vex_attributes_put(struct vexfs_disk_attributes *block, u32 columns,
			u32 index, u32 which, u32 present, const s64 *values)
{
	u8 *bits = block->at_data + present_at(columns, index);
	__le16 now;
	u32 c;

	for (c = 0; c < columns; c++) {
		__le64 value = cpu_to_le64(present >> c & 1 ? values[c] : 0);

		if (which >> c & 1)
			memcpy(block->at_data + value_at(columns, c, index),
			       &value, sizeof(value));
	}
	now = cpu_to_le16((vex_load_le16(bits) & ~which) | (present & which));
	memcpy(bits, &now, sizeof(now));
}

const char *vex_attributes_check(const struct vexfs_disk_attributes *block,
				 const struct vexfs_disk_schema *schema,
				 u64 key)
{
	u32 columns = schema->s_columns, rows, i, c, present;
	u32 end;
	s64 again;
	u64 value;

	if (le64_to_cpu(block->at_key) != key)
		return "at_key: not its own";
	rows = vex_attributes_rows(columns);
	for (i = 0; i < rows; i++) {
		present = vex_load_le16(block->at_data + present_at(columns, i));
		if (present >> columns)
			return "at_data: values of columns that there are not";
		for (c = 0; c < columns; c++) {
			u32 type = vex_column_type(schema, c);

			value = vex_load_le64(block->at_data +
					      value_at(columns, c, i));
			if (!(present >> c & 1)) {
				if (value)
					return "at_data: a null that is not zero";
				continue;
			}
			value = vex_attribute_decode(type, (s64)value);
			if (vex_attribute_encode(type, value, &again))
				return "at_data: a value that its column cannot hold";
		}
	}
	end = present_at(columns, rows);
	if (!vex_is_zero(block->at_data + end, VEXFS_ATTRIBUTES_BYTES - end))
		return "at_data: bytes not in use are not zero";
	return NULL;
}

const char *vex_strings_check(const struct vexfs_disk_strings *block, u64 key)
{
	u32 bytes = le16_to_cpu(block->ss_bytes), at = 0;

	if (le64_to_cpu(block->ss_key) != key)
		return "ss_key: not its own";
	if (bytes > VEXFS_STRINGS_BYTES)
		return "ss_bytes: out of range";
	if (!vex_is_zero(block->ss_reserved, sizeof(block->ss_reserved)))
		return "ss_reserved: not zero";
	while (at < bytes)
		at += 1 + block->ss_data[at];
	if (at != bytes)
		return "ss_data: a string beyond ss_bytes";
	if (!vex_is_zero(block->ss_data + at, VEXFS_STRINGS_BYTES - at))
		return "ss_data: bytes not in use are not zero";
	return NULL;
}

const u8 *vex_string_at(const struct vexfs_disk_strings *block, u32 offset,
			u32 *bytes)
{
	u32 end = min_t(u32, le16_to_cpu(block->ss_bytes), VEXFS_STRINGS_BYTES);

	if (offset >= end || 1U + block->ss_data[offset] > end - offset)
		return NULL;
	*bytes = block->ss_data[offset];
	return block->ss_data + offset + 1;
}
