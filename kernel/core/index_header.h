/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The parameters of an index in the header of its derived fork. What the pages
 * behind the header hold is described in graph.h and lists.h.
 */
#ifndef VEX_INDEX_HEADER_H
#define VEX_INDEX_HEADER_H

#include "derived.h"
#include "graph.h"
#include "lists.h"

/* Recalls whose efforts are measured when an index is built: .90, .95, .99. */
#define VEX_INDEX_TARGETS	3U

/* Rows that fit no scale and are kept beside a graph. */
#define VEX_INDEX_OUTLIERS	64U

#define VEX_INDEX_EFFORT_MIN	16U
#define VEX_INDEX_EFFORT_MAX	2000U

/**
 * struct vexfs_disk_index_state - dv_parameters of VEXFS_DERIVED_GRAPH and _LISTS
 * @ix_effort: candidates of a search during the build; lists: 0
 * @ix_targets: efforts of searches for a recall of .90, .95, .99; 0: not
 *	measured yet
 * @ix_outliers: rows in @ix_outlier
 * @ix_lists_wanted: lists that were asked for; 0: as the rows suggest
 * @ix_record_bytes: lists: bytes of a sketch record; graphs: 0
 * @ix_reserved0: 0
 * @ix_target: rows that the build takes in before the index serves
 * @ix_build_ns: nanoseconds that building has taken
 * @ix_created: when the build began, nanoseconds since 1970: of two indexes
 *	that are whole the later one counts
 * @ix_sketches: what the sketches were encoded by; lists only: xxh64 of their
 *	parameters, then of 64 elements of their centre at a time, as __le32,
 *	each seeded by the hash before it
 * @ix_outlier: rows of a graph that fit no scale: below dv_rows, ascending
 * @ix_graph: of a graph
 * @ix_lists: of lists
 */
struct vexfs_disk_index_state {
	__le32 ix_effort;
	__le32 ix_targets[VEX_INDEX_TARGETS];
	__le32 ix_outliers;
	__le32 ix_lists_wanted;
	__le32 ix_record_bytes;
	__le32 ix_reserved0;
	__le64 ix_target;
	__le64 ix_build_ns;
	__le64 ix_created;
	__le64 ix_sketches;
	__le64 ix_outlier[VEX_INDEX_OUTLIERS];
	union {
		struct vex_disk_graph ix_graph;
		struct vex_disk_lists ix_lists;
	};
};

VEX_ASSERT_OFFSET(struct vexfs_disk_index_state, ix_outlier, 64);
VEX_ASSERT_OFFSET(struct vexfs_disk_index_state, ix_graph, 576);

/**
 * vex_index_check() - verify the parameters of an index but for its kind's
 * @header: the header of its fork, which vex_derived_check() found sound
 *
 * Return: NULL, or what is wrong.
 */
const char *vex_index_check(const struct vexfs_disk_derived *header);

#endif /* VEX_INDEX_HEADER_H */
