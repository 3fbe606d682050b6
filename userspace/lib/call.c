// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of the kernel that are no more than their structure: schemas, statistics,
 * and the ioctl itself.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <vexfs.h>

#include "call.h"

int vexfs_call(int fd, unsigned long call, void *argument)
{
	int saved = errno;
	int rc = ioctl(fd, call, argument);

	if (rc < 0) {
		rc = -errno;
		errno = saved;
	}
	return rc < 0 ? rc : 0;
}

#define STRING(x) #x
#define VERSION(major, minor, patch) STRING(major) "." STRING(minor) "." STRING(patch)

const char *vexfs_version(void)
{
	return VERSION(VEXFS_VERSION_MAJOR, VEXFS_VERSION_MINOR, VEXFS_VERSION_PATCH);
}

int vexfs_schema_set(int fd, const struct vexfs_schema *schema)
{
	struct vexfs_schema set = {
		.size = sizeof(set),
		.dim = schema->dim,
		.element = schema->element,
		.metric = schema->metric,
		.ids = schema->ids,
		.columns = schema->columns,
		.column_count = schema->column_count,
	};

	return vexfs_call(fd, VEXFS_IOC_SET_SCHEMA, &set);
}

int vexfs_schema_get(int fd, struct vexfs_schema *schema)
{
	memset(schema, 0, sizeof(*schema));
	schema->size = sizeof(*schema);
	return vexfs_call(fd, VEXFS_IOC_GET_SCHEMA, schema);
}

int vexfs_stats(int fd, struct vexfs_search_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	return vexfs_call(fd, VEXFS_IOC_SEARCH_STATS, stats);
}

double vexfs_distance_to_double(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

uint64_t vexfs_double_to_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}
