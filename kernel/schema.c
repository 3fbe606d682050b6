// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schemas: what makes a file a vector file, as a structure, as text in an
 * extended attribute, and as something that directories hand down.
 */
#include "rows.h"

/* The words of the text form, by number. */
static const char *const vexfs_element_names[] = {
	[VEXFS_ELEMENT_F32] = "f32",
	[VEXFS_ELEMENT_F16] = "f16",
	[VEXFS_ELEMENT_I8] = "i8",
	[VEXFS_ELEMENT_U8] = "u8",
};

static const char *const vexfs_metric_names[] = {
	[VEXFS_METRIC_L2] = "l2",
	[VEXFS_METRIC_IP] = "ip",
	[VEXFS_METRIC_COSINE] = "cosine",
	[VEXFS_METRIC_L1] = "l1",
};

static const char *const vexfs_ids_names[] = {
	[VEXFS_IDS_AUTO] = "auto",
	[VEXFS_IDS_OWN] = "own",
};

static bool vexfs_has_schema(struct inode *inode)
{
	return VEXFS_I(inode)->flags & VEXFS_INO_FLAG_VECTOR;
}

/* Make the schema the inode's, in memory. */
static void vexfs_schema_adopt(struct inode *inode,
			       const struct vexfs_disk_schema *schema)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_vector *vector = &info->vector;

	spin_lock(&info->lock);
	vector->schema = *schema;
	vector->row_bytes = le32_to_cpu(schema->s_dim) *
			    vex_element_bytes(schema->s_element);
	/* A search that began before sees that its snapshot does not hold. */
	if (S_ISREG(inode->i_mode))
		WRITE_ONCE(vector->generation, vector->generation + 1);
	spin_unlock(&info->lock);
	info->flags |= VEXFS_INO_FLAG_VECTOR;
}

void vexfs_vector_inherit(struct inode *inode, struct inode *dir)
{
	if (vexfs_has_schema(dir))
		vexfs_schema_adopt(inode, &VEXFS_I(dir)->vector.schema);
}

/* May a file without rows be given another schema? */
static int vexfs_schema_may_set(struct inode *inode)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;

	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		return -EPERM;
	if (S_ISDIR(inode->i_mode))
		return 0;
	if (i_size_read(inode) || vector->rows || vector->next_id ||
	    mapping_writably_mapped(inode->i_mapping))
		return -EBUSY;
	return 0;
}

/* Context: i_rwsem held for writing. */
static int vexfs_schema_apply(struct inode *inode,
			      const struct vexfs_disk_schema *schema)
{
	int err;

	if (vex_schema_check(schema) || !schema->s_dim)
		return -EINVAL;
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return -EOPNOTSUPP;
	if (vexfs_has_schema(inode) &&
	    !memcmp(schema, &VEXFS_I(inode)->vector.schema, sizeof(*schema)))
		return 0;
	err = vexfs_schema_may_set(inode);
	if (err)
		return err;
	/* Blocks set aside while it was an ordinary file are of no use. */
	if (S_ISREG(inode->i_mode)) {
		err = vexfs_truncate(inode, 0);
		if (err)
			return err;
	}
	vexfs_schema_adopt(inode, schema);
	vexfs_touch_c(inode);
	return vexfs_inode_dirty(inode);
}

int vexfs_schema_set(struct inode *inode, const struct vexfs_schema *schema)
{
	struct vexfs_disk_schema disk = {
		.s_dim = cpu_to_le32(schema->dim),
		.s_element = schema->element,
		.s_metric = schema->metric,
		.s_ids = schema->ids,
	};

	if (schema->reserved0 || schema->flags ||
	    memchr_inv(schema->reserved, 0, sizeof(schema->reserved)))
		return -EINVAL;
	if (schema->row_bytes && schema->row_bytes !=
	    (u64)schema->dim * vex_element_bytes(schema->element))
		return -EINVAL;
	return vexfs_schema_apply(inode, &disk);
}

int vexfs_schema_get(struct inode *inode, struct vexfs_schema *schema)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	const struct vexfs_disk_schema *disk = &vector->schema;

	if (!vexfs_has_schema(inode))
		return -ENODATA;
	schema->dim = le32_to_cpu(disk->s_dim);
	schema->element = disk->s_element;
	schema->metric = disk->s_metric;
	schema->ids = disk->s_ids;
	schema->row_bytes = vector->row_bytes;
	if (S_ISDIR(inode->i_mode))
		return 0;
	schema->generation = READ_ONCE(vector->generation);
	schema->rows = READ_ONCE(vector->rows);
	schema->live_rows = schema->rows - min(schema->rows,
					       READ_ONCE(vector->deleted));
	schema->next_id = READ_ONCE(vector->next_id);
	return 0;
}

int vexfs_schema_show(struct inode *inode, char *buffer, size_t size)
{
	const struct vexfs_disk_schema *schema = &VEXFS_I(inode)->vector.schema;
	char text[80];
	int length;

	if (!vexfs_has_schema(inode))
		return -ENODATA;
	length = scnprintf(text, sizeof(text), "dim=%u,type=%s,metric=%s,ids=%s",
			   le32_to_cpu(schema->s_dim),
			   vexfs_element_names[schema->s_element],
			   vexfs_metric_names[schema->s_metric],
			   vexfs_ids_names[schema->s_ids]);
	if (!buffer)
		return length;
	if (length > size)
		return -ERANGE;
	memcpy(buffer, text, length);
	return length;
}

static int vexfs_word_number(const char *const *names, size_t count,
			     const char *word)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (!strcmp(names[i], word))
			return i;
	return -EINVAL;
}

/* One "name=value" of the text form. */
static int vexfs_schema_word(struct vexfs_disk_schema *schema,
			     const char *name, const char *value)
{
	u32 dim;
	int number;

	if (!strcmp(name, "dim")) {
		if (kstrtou32(value, 10, &dim))
			return -EINVAL;
		schema->s_dim = cpu_to_le32(dim);
		return 0;
	}
	if (!strcmp(name, "type")) {
		number = vexfs_word_number(vexfs_element_names,
					   ARRAY_SIZE(vexfs_element_names),
					   value);
		schema->s_element = number;
	} else if (!strcmp(name, "metric")) {
		number = vexfs_word_number(vexfs_metric_names,
					   ARRAY_SIZE(vexfs_metric_names),
					   value);
		schema->s_metric = number;
	} else if (!strcmp(name, "ids")) {
		number = vexfs_word_number(vexfs_ids_names,
					   ARRAY_SIZE(vexfs_ids_names), value);
		schema->s_ids = number;
	} else {
		number = -EINVAL;
	}
	return number < 0 ? number : 0;
}

int vexfs_schema_store(struct inode *inode, const char *text, size_t size)
{
	struct vexfs_disk_schema schema = {
		.s_element = VEXFS_ELEMENT_F32,
		.s_metric = VEXFS_METRIC_L2,
		.s_ids = VEXFS_IDS_AUTO,
	};
	char copy[128], *rest = copy, *word, *value;
	int err;

	if (!size || size >= sizeof(copy) || memchr(text, 0, size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = 0;
	while ((word = strsep(&rest, ",")) != NULL) {
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = 0;
		err = vexfs_schema_word(&schema, word, value);
		if (err)
			return err;
	}
	return vexfs_schema_apply(inode, &schema);
}
