// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute columns: their text, and the calls that carry attributes.
 */
#include <errno.h>
#include <string.h>

#include <vexfs.h>

#include "call.h"

static const char *const type_names[] = {
	[VEXFS_COLUMN_I64] = "i64",
	[VEXFS_COLUMN_F64] = "f64",
	[VEXFS_COLUMN_BOOL] = "bool",
	[VEXFS_COLUMN_STRING] = "string",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *vexfs_column_type_name(unsigned int type)
{
	return type < COUNT(type_names) ? type_names[type] : NULL;
}

/* One "name:type". That the name may be is for the kernel to say. */
static int parse_column(const char *text, size_t length, struct vexfs_column *column)
{
	const char *colon = memchr(text, ':', length);
	size_t name, i;

	if (!colon)
		return -EINVAL;
	name = (size_t)(colon - text);
	if (name == 0 || name > VEXFS_COLUMN_NAME_MAX)
		return -EINVAL;
	memset(column, 0, sizeof(*column));
	memcpy(column->name, text, name);
	length -= name + 1;
	for (i = 1; i < COUNT(type_names); i++)
		if (strlen(type_names[i]) == length &&
		    memcmp(type_names[i], colon + 1, length) == 0)
			column->type = (uint32_t)i;
	return column->type ? 0 : -EINVAL;
}

int vexfs_columns_parse(const char *text, struct vexfs_column *columns, size_t *bad_at)
{
	const char *at = text;
	int count = 0;

	for (;;) {
		size_t length = strcspn(at, ",;");

		if (count == (int)VEXFS_COLUMNS_MAX ||
		    parse_column(at, length, &columns[count]) < 0) {
			if (bad_at)
				*bad_at = (size_t)(at - text);
			return -EINVAL;
		}
		count++;
		if (at[length] == '\0')
			return count;
		at += length + 1;
	}
}

int vexfs_columns_get(int fd, struct vexfs_column *columns)
{
	struct vexfs_schema schema = {
		.size = sizeof(schema),
		.columns = TO_U64(columns),
		.column_count = VEXFS_COLUMNS_MAX,
	};
	int rc = vexfs_call(fd, VEXFS_IOC_GET_SCHEMA, &schema);

	return rc < 0 ? rc : (int)schema.column_count;
}

int vexfs_insert_batch(int fd, struct vexfs_batch_insert *batch)
{
	batch->size = sizeof(*batch);
	batch->bad_index = VEXFS_UNKNOWN;
	return vexfs_call(fd, VEXFS_IOC_BATCH_INSERT, batch);
}

int vexfs_attributes_set(int fd, struct vexfs_attributes *attributes)
{
	attributes->size = sizeof(*attributes);
	attributes->bad_index = VEXFS_UNKNOWN;
	return vexfs_call(fd, VEXFS_IOC_SET_ATTRIBUTES, attributes);
}

int vexfs_attributes_get(int fd, struct vexfs_attributes *attributes)
{
	attributes->size = sizeof(*attributes);
	attributes->bad_index = VEXFS_UNKNOWN;
	return vexfs_call(fd, VEXFS_IOC_GET_ATTRIBUTES, attributes);
}
