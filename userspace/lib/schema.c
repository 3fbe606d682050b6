// SPDX-License-Identifier: Apache-2.0
/*
 * Names of element types, metrics and indexes, and schemas as text. The text is that of
 * the extended attribute vexfs.schema.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vexfs.h>

static const char *const element_names[] = {
	[VEXFS_ELEMENT_F32] = "f32",
	[VEXFS_ELEMENT_F16] = "f16",
	[VEXFS_ELEMENT_I8] = "i8",
	[VEXFS_ELEMENT_U8] = "u8",
};

static const char *const metric_names[] = {
	[VEXFS_METRIC_L2] = "l2",
	[VEXFS_METRIC_IP] = "ip",
	[VEXFS_METRIC_COSINE] = "cosine",
	[VEXFS_METRIC_L1] = "l1",
};

static const char *const index_names[] = {
	[VEXFS_INDEX_AUTO] = "auto",
	[VEXFS_INDEX_SCAN] = "scan",
	[VEXFS_INDEX_HNSW] = "hnsw",
	[VEXFS_INDEX_IVF] = "ivf",
};

static const char *const ids_names[] = {
	[VEXFS_IDS_AUTO] = "auto",
	[VEXFS_IDS_OWN] = "own",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

size_t vexfs_element_bytes(unsigned int element)
{
	switch (element) {
	case VEXFS_ELEMENT_F32:
		return 4;
	case VEXFS_ELEMENT_F16:
		return 2;
	case VEXFS_ELEMENT_I8:
	case VEXFS_ELEMENT_U8:
		return 1;
	default:
		return 0;
	}
}

const char *vexfs_element_name(unsigned int element)
{
	return element < COUNT(element_names) ? element_names[element] : NULL;
}

const char *vexfs_metric_name(unsigned int metric)
{
	return metric < COUNT(metric_names) ? metric_names[metric] : NULL;
}

const char *vexfs_index_name(unsigned int index)
{
	return index < COUNT(index_names) ? index_names[index] : NULL;
}

int vexfs_index_parse(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(index_names); i++)
		if (strcmp(index_names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

static int find_name(const char *const *names, size_t count, const char *word, size_t length)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
			return (int)i;
	return -EINVAL;
}

int vexfs_element_parse(const char *name)
{
	return find_name(element_names, COUNT(element_names), name, strlen(name));
}

int vexfs_metric_parse(const char *name)
{
	return find_name(metric_names, COUNT(metric_names), name, strlen(name));
}

static int parse_dim(const char *word, size_t length, uint32_t *dim)
{
	uint32_t value = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return -EINVAL;
		value = value * 10 + (uint32_t)(word[i] - '0');
		if (value > VEXFS_DIM_MAX)
			return -EINVAL;
	}
	if (value < VEXFS_DIM_MIN)
		return -EINVAL;
	*dim = value;
	return 0;
}

static int is_key(const char *key, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(key, name, length) == 0;
}

/* One "key=value"; each key may come once, which the members that are 0 tell. */
static int parse_setting(const char *key, size_t length, struct vexfs_schema *schema)
{
	const char *equals = memchr(key, '=', length);
	const char *value;
	size_t key_length, value_length;
	int found = -EINVAL;

	if (!equals)
		return -EINVAL;
	key_length = (size_t)(equals - key);
	value = equals + 1;
	value_length = length - key_length - 1;
	if (is_key(key, key_length, "dim") && schema->dim == 0)
		return parse_dim(value, value_length, &schema->dim);
	if (is_key(key, key_length, "type") && schema->element == 0) {
		found = find_name(element_names, COUNT(element_names), value, value_length);
		schema->element = (uint8_t)(found < 0 ? 0 : found);
	} else if (is_key(key, key_length, "metric") && schema->metric == 0) {
		found = find_name(metric_names, COUNT(metric_names), value, value_length);
		schema->metric = (uint8_t)(found < 0 ? 0 : found);
	} else if (is_key(key, key_length, "ids") && schema->ids == 0) {
		found = find_name(ids_names, COUNT(ids_names), value, value_length);
		schema->ids = (uint8_t)(found < 0 ? 0 : found);
	}
	return found < 0 ? found : 0;
}

int vexfs_schema_parse(const char *text, struct vexfs_schema *schema, size_t *bad_at)
{
	const char *at = text;
	int rc = 0;

	memset(schema, 0, sizeof(*schema));
	schema->size = sizeof(*schema);
	for (;;) {
		size_t length = strcspn(at, ",");

		rc = parse_setting(at, length, schema);
		if (rc < 0 || at[length] == '\0')
			break;
		at += length + 1;
	}
	if (rc == 0 && schema->dim == 0) {
		at += strlen(at);
		rc = -EINVAL;
	}
	if (rc < 0) {
		if (bad_at)
			*bad_at = (size_t)(at - text);
		return rc;
	}
	if (schema->element == 0)
		schema->element = VEXFS_ELEMENT_F32;
	if (schema->metric == 0)
		schema->metric = VEXFS_METRIC_L2;
	if (schema->ids == 0)
		schema->ids = VEXFS_IDS_AUTO;
	return 0;
}

int vexfs_schema_format(const struct vexfs_schema *schema, char *text, size_t room)
{
	const char *element = vexfs_element_name(schema->element);
	const char *metric = vexfs_metric_name(schema->metric);
	const char *ids = schema->ids < COUNT(ids_names) ? ids_names[schema->ids] : NULL;
	int length;

	if (!element || !metric || !ids)
		return -EINVAL;
	length = snprintf(text, room, "dim=%u,type=%s,metric=%s,ids=%s",
			  (unsigned int)schema->dim, element, metric, ids);
	return (size_t)length < room ? length : -ERANGE;
}
