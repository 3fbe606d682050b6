// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The parameters of indexes on disk: what all kinds have in common. */
#include "index_header.h"

static const char *check_outliers(const struct vexfs_disk_index_state *index,
				  u64 rows)
{
	u32 count = le32_to_cpu(index->ix_outliers), i;
	u64 last = 0;

	if (count > VEX_INDEX_OUTLIERS)
		return "ix_outliers: too many";
	for (i = 0; i < count; i++) {
		u64 row = le64_to_cpu(index->ix_outlier[i]);

		if (row >= rows || (i && row <= last))
			return "ix_outlier: not a row, or not in order";
		last = row;
	}
	return NULL;
}

const char *vex_index_check(const struct vexfs_disk_derived *header)
{
	const struct vexfs_disk_index_state *index =
		(const struct vexfs_disk_index_state *)header->dv_parameters;
	u32 kind = le32_to_cpu(header->dv_kind);
	u32 effort = le32_to_cpu(index->ix_effort), i;

	if (kind != VEXFS_DERIVED_GRAPH && kind != VEXFS_DERIVED_LISTS)
		return "dv_kind: not an index";
	if (le32_to_cpu(header->dv_parameter_bytes) != sizeof(*index))
		return "dv_parameter_bytes: not those of an index";
	if (index->ix_reserved0 ||
	    le32_to_cpu(index->ix_lists_wanted) > VEX_LISTS_MAX)
		return "ix_reserved: not zero";
	if (kind == VEXFS_DERIVED_GRAPH ?
	    effort < VEX_INDEX_EFFORT_MIN || effort > VEX_INDEX_EFFORT_MAX :
	    effort != 0)
		return "ix_effort: out of range";
	for (i = 0; i < VEX_INDEX_TARGETS; i++)
		if (le32_to_cpu(index->ix_targets[i]) > VEX_LISTS_MAX)
			return "ix_targets: out of range";
	return check_outliers(index, le64_to_cpu(header->dv_rows));
}
