// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schemas: what makes a file a vector file, as a structure, as text in an
 * extended attribute, and as something that directories hand down.
 */
#include "attributes.h"

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

static const char *const vexfs_column_type_names[] = {
	[VEXFS_COLUMN_I64] = "i64",
	[VEXFS_COLUMN_F64] = "f64",
	[VEXFS_COLUMN_BOOL] = "bool",
	[VEXFS_COLUMN_STRING] = "string",
};

/* More than any schema's text. */
#define VEXFS_SCHEMA_TEXT	1024U

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

/**
 * struct vexfs_column_names - names of columns, each with a zero at its end
 * @bytes: bytes in use
 * @text: the names
 */
struct vexfs_column_names {
	u32 bytes;
	u8 text[VEXFS_COLUMNS_MAX * (VEXFS_COLUMN_NAME_MAX + 1)];
};

/* The names of an inode's columns. */
static int vexfs_columns_read(struct inode *inode,
			      struct vexfs_column_names *names)
{
	u32 columns = VEXFS_I(inode)->vector.schema.s_columns;
	const char *what;
	int bytes;

	names->bytes = 0;
	if (!columns)
		return 0;
	bytes = vexfs_xattr_get(inode, VEXFS_XATTR_COLUMNS, "", names->text,
				sizeof(names->text));
	if (bytes < 0 && bytes != -ENODATA && bytes != -ERANGE)
		return bytes;
	what = bytes < 0 ? "columns: no names of columns" :
	       vex_column_names_check(names->text, bytes, columns);
	if (what)
		return vexfs_corrupt(inode->i_sb, 0, inode->i_ino, -EUCLEAN,
				     what);
	names->bytes = bytes;
	return 0;
}

/* Set the names of columns; none remove them. */
static int vexfs_columns_write(handle_t *handle, struct inode *inode,
			       const struct vexfs_column_names *names)
{
	return vexfs_xattr_set(handle, inode, VEXFS_XATTR_COLUMNS, "",
			       names->bytes ? names->text : NULL, names->bytes,
			       0);
}

int vexfs_columns_inherit(handle_t *handle, struct inode *inode,
			  struct inode *dir)
{
	struct vexfs_column_names names;
	int err;

	if (!vexfs_has_schema(inode) ||
	    !VEXFS_I(inode)->vector.schema.s_columns)
		return 0;
	err = vexfs_columns_read(dir, &names);
	return err ? err : vexfs_columns_write(handle, inode, &names);
}

/* Are these the schema and the names that the inode has? */
static int vexfs_schema_same(struct inode *inode,
			     const struct vexfs_disk_schema *schema,
			     const struct vexfs_column_names *names)
{
	struct vexfs_column_names now;
	int err;

	if (!vexfs_has_schema(inode) ||
	    memcmp(schema, &VEXFS_I(inode)->vector.schema, sizeof(*schema)))
		return 0;
	err = vexfs_columns_read(inode, &now);
	if (err)
		return err;
	return now.bytes == names->bytes &&
	       !memcmp(now.text, names->text, now.bytes);
}

/* One transaction for the schema and the names. */
static int vexfs_schema_change(struct inode *inode,
			       const struct vexfs_disk_schema *schema,
			       const struct vexfs_column_names *names)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CREDITS_XATTR +
				     VEXFS_CREDITS_INODE, VEXFS_REVOKES_XATTR);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_columns_write(handle, inode, names);
	if (!err) {
		vexfs_schema_adopt(inode, schema);
		vexfs_touch_c(inode);
		err = vexfs_inode_write(handle, inode);
	}
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

/* Context: i_rwsem held for writing. */
static int vexfs_schema_apply(struct inode *inode,
			      const struct vexfs_disk_schema *schema,
			      const struct vexfs_column_names *names)
{
	int err, tries = 0;

	if (vex_schema_check(schema) || !schema->s_dim ||
	    vex_column_names_check(names->text, names->bytes,
				   schema->s_columns))
		return -EINVAL;
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return -EOPNOTSUPP;
	err = vexfs_schema_same(inode, schema, names);
	if (err)
		return min(err, 0);
	err = vexfs_schema_may_set(inode);
	if (err)
		return err;
	/* Blocks set aside while it was an ordinary file are of no use. */
	if (S_ISREG(inode->i_mode)) {
		err = vexfs_truncate(inode, 0);
		if (err)
			return err;
	}
	do {
		err = vexfs_schema_change(inode, schema, names);
	} while (err == -ENOSPC && !READ_ONCE(VEXFS_I(inode)->xattr_block) &&
		 vexfs_alloc_retry(inode->i_sb, &tries));
	return err;
}

/* Add a column to a schema in the making. */
static int vexfs_columns_add(struct vexfs_disk_schema *schema,
			     struct vexfs_column_names *names,
			     const u8 *name, size_t bytes, u32 type)
{
	u64 types = le64_to_cpu(schema->s_column_types);

	if (schema->s_columns >= VEXFS_COLUMNS_MAX ||
	    !vex_column_name_check(name, bytes) || !type ||
	    type > VEXFS_COLUMN_STRING)
		return -EINVAL;
	memcpy(names->text + names->bytes, name, bytes);
	names->text[names->bytes + bytes] = 0;
	names->bytes += bytes + 1;
	types |= (u64)type << (4 * schema->s_columns++);
	schema->s_column_types = cpu_to_le64(types);
	return 0;
}

static int vexfs_columns_from_user(const struct vexfs_schema *from,
				   struct vexfs_disk_schema *schema,
				   struct vexfs_column_names *names)
{
	const struct vexfs_column __user *columns =
		u64_to_user_ptr(from->columns);
	struct vexfs_column column;
	u32 i, bytes;
	int err;

	if (from->reserved1 || from->column_count > VEXFS_COLUMNS_MAX ||
	    (from->column_count && !from->columns))
		return -EINVAL;
	for (i = 0; i < from->column_count; i++) {
		if (copy_from_user(&column, columns + i, sizeof(column)))
			return -EFAULT;
		bytes = strnlen(column.name, sizeof(column.name));
		if (column.reserved ||
		    memchr_inv(column.name + bytes, 0,
			       sizeof(column.name) - bytes))
			return -EINVAL;
		err = vexfs_columns_add(schema, names, column.name, bytes,
					column.type);
		if (err)
			return err;
	}
	return 0;
}

static int vexfs_columns_to_user(struct inode *inode, struct vexfs_schema *to)
{
	const struct vexfs_disk_schema *schema = &VEXFS_I(inode)->vector.schema;
	struct vexfs_column __user *columns = u64_to_user_ptr(to->columns);
	u32 room = to->column_count, i, at = 0, bytes;
	struct vexfs_column_names names;
	struct vexfs_column column;
	int err;

	to->column_count = schema->s_columns;
	if (!to->columns)
		return 0;
	if (room < schema->s_columns)
		return -ERANGE;
	err = vexfs_columns_read(inode, &names);
	if (err)
		return err;
	for (i = 0; i < schema->s_columns; i++) {
		memset(&column, 0, sizeof(column));
		bytes = strlen(names.text + at);
		memcpy(column.name, names.text + at, bytes);
		column.type = vex_column_type(schema, i);
		at += bytes + 1;
		if (copy_to_user(columns + i, &column, sizeof(column)))
			return -EFAULT;
	}
	return 0;
}

int vexfs_schema_set(struct inode *inode, const struct vexfs_schema *schema)
{
	struct vexfs_disk_schema disk = {
		.s_dim = cpu_to_le32(schema->dim),
		.s_element = schema->element,
		.s_metric = schema->metric,
		.s_ids = schema->ids,
	};
	struct vexfs_column_names names = { };
	int err;

	if (schema->reserved0 || schema->flags ||
	    memchr_inv(schema->reserved, 0, sizeof(schema->reserved)))
		return -EINVAL;
	if (schema->row_bytes && schema->row_bytes !=
	    (u64)schema->dim * vex_element_bytes(schema->element))
		return -EINVAL;
	err = vexfs_columns_from_user(schema, &disk, &names);
	return err ? err : vexfs_schema_apply(inode, &disk, &names);
}

int vexfs_schema_get(struct inode *inode, struct vexfs_schema *schema)
{
	struct vexfs_vector *vector = &VEXFS_I(inode)->vector;
	const struct vexfs_disk_schema *disk = &vector->schema;

	int err;

	if (!vexfs_has_schema(inode))
		return -ENODATA;
	err = vexfs_columns_to_user(inode, schema);
	if (err)
		return err;
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

/* A schema as text; returns its length. */
static int vexfs_schema_text(struct inode *inode, char *text, size_t room)
{
	const struct vexfs_disk_schema *schema = &VEXFS_I(inode)->vector.schema;
	struct vexfs_column_names names;
	u32 i, at = 0;
	int length, err;

	length = scnprintf(text, room, "dim=%u,type=%s,metric=%s,ids=%s",
			   le32_to_cpu(schema->s_dim),
			   vexfs_element_names[schema->s_element],
			   vexfs_metric_names[schema->s_metric],
			   vexfs_ids_names[schema->s_ids]);
	err = vexfs_columns_read(inode, &names);
	for (i = 0; i < schema->s_columns && !err; i++) {
		length += scnprintf(text + length, room - length, "%s%s:%s",
				    i ? ";" : ",columns=", names.text + at,
				    vexfs_column_type_names[vex_column_type(schema, i)]);
		at += strlen(names.text + at) + 1;
	}
	return err ? err : length;
}

int vexfs_schema_show(struct inode *inode, char *buffer, size_t size)
{
	char *text;
	int length;

	if (!vexfs_has_schema(inode))
		return -ENODATA;
	text = kmalloc(VEXFS_SCHEMA_TEXT, GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	length = vexfs_schema_text(inode, text, VEXFS_SCHEMA_TEXT);
	if (length > 0 && buffer) {
		if (length > size)
			length = -ERANGE;
		else
			memcpy(buffer, text, length);
	}
	kfree(text);
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

/* Columns as text: "price:f64;lang:string". */
static int vexfs_schema_columns(struct vexfs_disk_schema *schema,
				struct vexfs_column_names *names, char *text)
{
	char *word, *type;
	int number, err;

	while ((word = strsep(&text, ";")) != NULL) {
		type = strchr(word, ':');
		if (!type)
			return -EINVAL;
		*type++ = 0;
		number = vexfs_word_number(vexfs_column_type_names,
					   ARRAY_SIZE(vexfs_column_type_names),
					   type);
		if (number < 0)
			return number;
		err = vexfs_columns_add(schema, names, word, strlen(word),
					number);
		if (err)
			return err;
	}
	return 0;
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
	struct vexfs_column_names names = { };
	char *copy, *rest, *word, *value;
	int err = 0;

	if (!size || size >= VEXFS_SCHEMA_TEXT || memchr(text, 0, size))
		return -EINVAL;
	copy = kmemdup_nul(text, size, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!err && (word = strsep(&rest, ",")) != NULL) {
		value = strchr(word, '=');
		if (!value) {
			err = -EINVAL;
			break;
		}
		*value++ = 0;
		if (strcmp(word, "columns"))
			err = vexfs_schema_word(&schema, word, value);
		else
			err = schema.s_columns ? -EINVAL :
			      vexfs_schema_columns(&schema, &names, value);
	}
	kfree(copy);
	return err ? err : vexfs_schema_apply(inode, &schema, &names);
}
