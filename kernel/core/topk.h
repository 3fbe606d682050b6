/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The k nearest of a stream of candidates, in a heap of exactly 32 bytes a
 * result. Order is the exact distance, then the id. Distances are known as
 * intervals; where two overlap a callback decides by exact arithmetic.
 */
#ifndef VEX_TOPK_H
#define VEX_TOPK_H

#include "float.h"

#define VEX_TOPK_MAX 65536u

/**
 * struct vex_entry - a candidate
 * @lo: key (vex_key_from_double()) that the exact distance is not below
 * @hi: key that the exact distance is not above; @lo == @hi says that the
 *	distance is exactly this binary64 value
 * @id: the row's id, the tie-break (ascending)
 * @row: the row's number, for the callback and the caller
 * @nearest: as of struct vex_interval, for the caller
 */
struct vex_entry {
	s64 lo;
	s64 hi;
	u64 id;
	u64 row : 60;
	u64 nearest : 4;
};

VEX_ASSERT_SIZE(struct vex_entry, 32);

/**
 * struct vex_topk - a bounded max-heap in the caller's memory
 * @entries: room for @k entries, owned by the caller
 * @k: capacity, 1 to VEX_TOPK_MAX
 * @count: entries held
 * @compare: decides a pair whose intervals overlap: sets *result to -1, 0 or
 *	1 as the exact distance of @a is below, equal to or above @b's (ids
 *	are not its business) and returns 0, or returns a negative errno,
 *	which ends the operation under way and is passed on
 * @context: given to @compare
 */
struct vex_topk {
	struct vex_entry *entries;
	u32 k;
	u32 count;
	int (*compare)(void *context, const struct vex_entry *a,
		       const struct vex_entry *b, int *result);
	void *context;
};

/**
 * vex_topk_init - start with an empty heap
 * @top: what to fill
 * @entries: memory for @k entries, which must outlive @top
 * @k: capacity, 1 to VEX_TOPK_MAX
 * @compare: see struct vex_topk
 * @context: given to @compare
 */
void vex_topk_init(struct vex_topk *top, struct vex_entry *entries, u32 k,
		   int (*compare)(void *context, const struct vex_entry *a,
				  const struct vex_entry *b, int *result),
		   void *context);

/**
 * vex_topk_limit - the bound above which a candidate is surely refused
 * @top: a heap
 *
 * Return: a key; a candidate with lo above it need not be offered. S64_MAX
 * until @k candidates are held.
 */
static inline s64 vex_topk_limit(const struct vex_topk *top)
{
	return top->count < top->k ? S64_MAX : top->entries[0].hi;
}

/**
 * vex_topk_offer - keep a candidate if it is among the k nearest so far
 * @top: a heap that has not been sorted
 * @entry: the candidate, copied when kept
 *
 * Return: 1 if kept, 0 if refused, or the callback's negative errno, after
 * which the heap may only be thrown away.
 */
int vex_topk_offer(struct vex_topk *top, const struct vex_entry *entry);

/**
 * vex_topk_merge - offer all entries of another result
 * @top: a heap that has not been sorted
 * @entries: entries of the other result, in any order
 * @count: how many
 *
 * Return: 0, or the callback's negative errno.
 */
int vex_topk_merge(struct vex_topk *top, const struct vex_entry *entries,
		   u32 count);

/**
 * vex_topk_sort - order the entries, nearest first, in place
 * @top: a heap; it is no heap afterwards, so nothing more can be offered
 *
 * Return: 0, or the callback's negative errno.
 */
int vex_topk_sort(struct vex_topk *top);

/**
 * vex_topk_unique - drop entries of rows that were offered more than once
 * @top: entries as vex_topk_sort() left them
 *
 * Entries of one row are neighbours then, as they are the same in all.
 */
void vex_topk_unique(struct vex_topk *top);

#endif /* VEX_TOPK_H */
