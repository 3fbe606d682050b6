/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of trees of runs have in common.
 */
#ifndef TREE_RUNS_H
#define TREE_RUNS_H

#include "memory_blocks.h"

#define LIMIT		(1ULL << 40)	/* value limit of extents */

static inline struct vex_run run_of(u64 key, u64 value, u32 length, u32 flags)
{
	struct vex_run run = { key, value, length, flags };

	return run;
}

static inline int insert(struct memory_blocks *mem, u64 key, u64 value, u32 length,
			 u32 flags)
{
	struct vex_run run = run_of(key, value, length, flags);

	return vex_tree_insert(&mem->tree, &run);
}

#endif /* TREE_RUNS_H */
