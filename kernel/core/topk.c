// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * A binary max-heap of candidates whose distances are intervals: the root is
 * the worst result held. Nothing here is recursive, and every decision that
 * intervals leave open goes to the owner's callback.
 */
#include "topk.h"

void vex_topk_init(struct vex_topk *top, struct vex_entry *entries, u32 k,
		   int (*compare)(void *context, const struct vex_entry *a,
				  const struct vex_entry *b, int *result),
		   void *context)
{
	top->entries = entries;
	top->k = k;
	top->count = 0;
	top->compare = compare;
	top->context = context;
}

/* Sets *after to whether a comes after b in the result's order. */
static int comes_after(const struct vex_topk *top, const struct vex_entry *a,
		       const struct vex_entry *b, bool *after)
{
	int order = 0;
	int ret;

	if (a->lo > b->hi) {
		*after = true;
		return 0;
	}
	if (a->hi < b->lo) {
		*after = false;
		return 0;
	}
	if (a->lo != a->hi || b->lo != b->hi) {
		ret = top->compare(top->context, a, b, &order);
		if (ret)
			return ret;
	}
	*after = order ? order > 0 : a->id > b->id;
	return 0;
}

static void swap_entries(struct vex_entry *a, struct vex_entry *b)
{
	struct vex_entry held = *a;

	*a = *b;
	*b = held;
}

static int sift_up(struct vex_topk *top, u32 child)
{
	struct vex_entry *e = top->entries;

	while (child) {
		u32 parent = (child - 1) / 2;
		bool after;
		int ret = comes_after(top, &e[child], &e[parent], &after);

		if (ret)
			return ret;
		if (!after)
			return 0;
		swap_entries(&e[child], &e[parent]);
		child = parent;
	}
	return 0;
}

static int sift_down(struct vex_topk *top, u32 parent, u32 count)
{
	struct vex_entry *e = top->entries;

	while (2 * parent + 1 < count) {
		u32 child = 2 * parent + 1;
		bool after;
		int ret;

		if (child + 1 < count) {
			ret = comes_after(top, &e[child + 1], &e[child], &after);
			if (ret)
				return ret;
			child += after;
		}
		ret = comes_after(top, &e[child], &e[parent], &after);
		if (ret)
			return ret;
		if (!after)
			return 0;
		swap_entries(&e[child], &e[parent]);
		parent = child;
	}
	return 0;
}

int vex_topk_offer(struct vex_topk *top, const struct vex_entry *entry)
{
	bool after;
	int ret;

	if (top->count < top->k) {
		top->entries[top->count] = *entry;
		ret = sift_up(top, top->count);
		if (ret)
			return ret;
		top->count++;
		return 1;
	}
	ret = comes_after(top, &top->entries[0], entry, &after);
	if (ret)
		return ret;
	if (!after)
		return 0;
	top->entries[0] = *entry;
	ret = sift_down(top, 0, top->count);
	return ret ? ret : 1;
}

int vex_topk_merge(struct vex_topk *top, const struct vex_entry *entries,
		   u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		int ret;

		if (entries[i].lo > vex_topk_limit(top))
			continue;
		ret = vex_topk_offer(top, &entries[i]);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int vex_topk_sort(struct vex_topk *top)
{
	u32 count;

	for (count = top->count; count > 1; count--) {
		int ret;

		swap_entries(&top->entries[0], &top->entries[count - 1]);
		ret = sift_down(top, 0, count - 1);
		if (ret)
			return ret;
	}
	return 0;
}

void vex_topk_unique(struct vex_topk *top)
{
	struct vex_entry *e = top->entries;
	u32 count = min(top->count, 1U), i;

	for (i = 1; i < top->count; i++)
		if (e[i].row != e[count - 1].row)
			e[count++] = e[i];
	top->count = count;
}
