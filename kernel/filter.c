// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter of a search. A window is a page of bits, one for each of 32,768
 * rows; a search keeps at most 2,048 of them (8 MiB), the later in the place of
 * the earlier.
 */
#include <linux/sort.h>
#include "attributes.h"
#include "filter.h"
#include "core/filter.h"

#define VEXFS_WINDOW_WORDS	512U
#define VEXFS_WINDOW_ROWS	(64U * VEXFS_WINDOW_WORDS)
#define VEXFS_WINDOWS_MAX	2048U

/* Windows that an estimate is made from. */
#define VEXFS_WINDOWS_SAMPLE	8U

/**
 * struct vexfs_window - the rows of a window that may be found
 * @number: which window it is, if there are @bits
 * @bits: one a row
 */
struct vexfs_window {
	u64 number;
	u64 *bits;
};

/**
 * struct vexfs_filter - the filter of a search
 * @fork: the fork ATTRIBUTES, or NULL
 * @rows: rows of the snapshot
 * @program: the program's memory, or NULL if there is none
 * @core: the program
 * @id_rows: rows of the ids, in order, or NULL if any id will do
 * @id_count: how many
 * @ids_only: bits of the rows of @id_rows in the window that is being made
 * @slots: members of @windows
 * @windows: window n is in slot n % @slots
 */
struct vexfs_filter {
	struct inode *fork;
	u64 rows;
	void *program;
	struct vex_filter core;
	u64 *id_rows;
	u64 id_count;
	u64 *ids_only;
	u32 slots;
	struct vexfs_window *windows;
};

static int vexfs_filter_string(void *context, const u8 *string, u32 bytes,
			       u64 *place)
{
	struct vexfs_filter *filter = context;

	return filter->fork ? vexfs_string_find(filter->fork, string, bytes,
						place) : -ENOENT;
}

static int vexfs_filter_program(struct vexfs_filter *filter,
				const struct vexfs_snapshot *snapshot,
				const struct vexfs_filter_user *user)
{
	struct vex_filter_strings strings = {
		.find = vexfs_filter_string,
		.context = filter,
	};

	if (!user->program)
		return user->program_bytes ? -EINVAL : 0;
	if (user->program_bytes > VEXFS_FILTER_BYTES_MAX)
		return -E2BIG;
	filter->program = kvmalloc(max(user->program_bytes, 8ULL),
				   GFP_KERNEL_ACCOUNT);
	if (!filter->program)
		return -ENOMEM;
	if (copy_from_user(filter->program, u64_to_user_ptr(user->program),
			   user->program_bytes))
		return -EFAULT;
	return vex_filter_init(&filter->core, filter->program,
			       user->program_bytes, &snapshot->schema,
			       &strings);
}

static int vexfs_row_order(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The rows of the ids; ids that name no row are passed over. */
static int vexfs_filter_ids(struct vexfs_filter *filter, struct inode *inode,
			    const struct vexfs_filter_user *user)
{
	const u64 __user *ids = u64_to_user_ptr(user->ids);
	bool ascending = true;
	u64 i, id, last = 0, row;
	int err;

	if (!user->ids)
		return user->ids_count ? -EINVAL : 0;
	if (user->ids_count > VEXFS_FILTER_IDS_MAX)
		return -E2BIG;
	filter->ids_only = kvmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	filter->id_rows = kvmalloc_array(max(user->ids_count, 1ULL),
					 sizeof(*filter->id_rows),
					 GFP_KERNEL_ACCOUNT);
	if (!filter->ids_only || !filter->id_rows)
		return -ENOMEM;
	for (i = 0; i < user->ids_count; i++) {
		if (!(i & 1023) && fatal_signal_pending(current))
			return -EINTR;
		if (get_user(id, ids + i))
			return -EFAULT;
		if (i && id <= last)
			return -EINVAL;
		last = id;
		err = vexfs_row_of_id(inode, id, &row);
		cond_resched();
		if (err == -ENOENT || (!err && row >= filter->rows))
			continue;
		if (err)
			return err;
		ascending &= !filter->id_count ||
			     row > filter->id_rows[filter->id_count - 1];
		filter->id_rows[filter->id_count++] = row;
	}
	if (!ascending)
		sort(filter->id_rows, filter->id_count,
		     sizeof(*filter->id_rows), vexfs_row_order, NULL);
	return 0;
}

struct vexfs_filter *vexfs_filter_new(struct inode *inode,
				      const struct vexfs_snapshot *snapshot,
				      const struct vexfs_filter_user *user)
{
	struct vexfs_filter *filter;
	int err;

	if (!user->program && !user->ids)
		return user->program_bytes || user->ids_count ?
		       ERR_PTR(-EINVAL) : NULL;
	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	filter->rows = snapshot->rows;
	filter->slots = min_t(u64, VEXFS_WINDOWS_MAX,
			      snapshot->rows / VEXFS_WINDOW_ROWS + 1);
	filter->windows = kvcalloc(filter->slots, sizeof(*filter->windows),
				   GFP_KERNEL_ACCOUNT);
	filter->fork = vexfs_fork_get(inode, VEXFS_FORK_ATTRIBUTES);
	err = PTR_ERR_OR_ZERO(filter->fork);
	if (!filter->windows)
		err = -ENOMEM;
	if (!err)
		err = vexfs_filter_program(filter, snapshot, user);
	if (!err)
		err = vexfs_filter_ids(filter, inode, user);
	if (!err)
		return filter;
	vexfs_filter_free(filter);
	return ERR_PTR(err);
}

void vexfs_filter_free(struct vexfs_filter *filter)
{
	u32 i;

	if (IS_ERR_OR_NULL(filter))
		return;
	for (i = 0; filter->windows && i < filter->slots; i++)
		kfree(filter->windows[i].bits);
	kvfree(filter->windows);
	kvfree(filter->id_rows);
	kvfree(filter->ids_only);
	kvfree(filter->program);
	if (!IS_ERR(filter->fork))
		iput(filter->fork);
	kfree(filter);
}

/* Windows */

/* Bits of the rows of one block of attributes, from @row of the window on. */
static void vexfs_window_block(const struct vexfs_filter *filter,
			       const struct vexfs_disk_attributes *block,
			       u32 index, u64 *bits, u32 row, u32 count)
{
	while (count) {
		u32 part = min(count, 64U), shift = row % 64;
		u64 found = vex_filter_rows(&filter->core, block, index, part);

		bits[row / 64] |= found << shift;
		if (shift && shift + part > 64)
			bits[row / 64 + 1] |= found >> (64 - shift);
		index += part;
		row += part;
		count -= part;
	}
}

/* Run the program over a window. */
static int vexfs_window_program(const struct vexfs_filter *filter, u64 first,
				u32 count, u64 *bits)
{
	u32 per_block = vex_attributes_rows(max(filter->core.columns, 1U));
	struct buffer_head *bh = NULL;
	u32 row = 0, index, part;
	u64 key;

	while (row < count) {
		key = div_u64_rem(first + row, per_block, &index);
		part = min(count - row, per_block - index);
		if (filter->fork) {
			/* Shared with writers for the time of a block. */
			down_read(&VEXFS_I(filter->fork)->tree_sem);
			bh = vexfs_attributes_block(filter->fork, key);
			if (!IS_ERR(bh))
				vexfs_window_block(filter, bh ? (void *)bh->b_data : NULL,
						   index, bits, row, part);
			up_read(&VEXFS_I(filter->fork)->tree_sem);
			if (IS_ERR(bh))
				return PTR_ERR(bh);
			brelse(bh);
		} else {
			vexfs_window_block(filter, NULL, index, bits, row,
					   part);
		}
		row += part;
	}
	return 0;
}

/* Bits of the rows of ids. Returns how many there are in the window. */
static u64 vexfs_window_ids(const struct vexfs_filter *filter, u64 first,
			    u32 count, u64 *bits)
{
	u64 low = 0, high = filter->id_count, middle, begin;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (filter->id_rows[middle] < first)
			low = middle + 1;
		else
			high = middle;
	}
	for (begin = low; low < filter->id_count &&
	     filter->id_rows[low] - first < count; low++) {
		u32 row = filter->id_rows[low] - first;

		bits[row / 64] |= 1ULL << (row % 64);
	}
	return low - begin;
}

static int vexfs_window_fill(const struct vexfs_filter *filter, u64 number,
			     u64 *bits)
{
	u64 first = number * VEXFS_WINDOW_ROWS;
	u32 count = min_t(u64, filter->rows - first, VEXFS_WINDOW_ROWS), i;
	int err;

	memset(bits, 0, PAGE_SIZE);
	if (!filter->program) {
		vexfs_window_ids(filter, first, count, bits);
		return 0;
	}
	if (filter->id_rows) {
		memset(filter->ids_only, 0, PAGE_SIZE);
		if (!vexfs_window_ids(filter, first, count, filter->ids_only))
			return 0;
	}
	err = vexfs_window_program(filter, first, count, bits);
	for (i = 0; filter->id_rows && i < VEXFS_WINDOW_WORDS; i++)
		bits[i] &= filter->ids_only[i];
	return err;
}

/* The bits of a window. */
static const u64 *vexfs_window_get(struct vexfs_filter *filter, u64 number)
{
	struct vexfs_window *window = &filter->windows[number % filter->slots];
	int err;

	if (window->bits && window->number == number)
		return window->bits;
	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	cond_resched();
	if (!window->bits)
		window->bits = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!window->bits)
		return ERR_PTR(-ENOMEM);
	err = vexfs_window_fill(filter, number, window->bits);
	if (err) {
		kfree(window->bits);
		window->bits = NULL;
		return ERR_PTR(err);
	}
	window->number = number;
	return window->bits;
}

int vexfs_filter_row(struct vexfs_filter *filter, u64 row)
{
	const u64 *bits;
	u32 at = row % VEXFS_WINDOW_ROWS;

	if (row >= filter->rows)
		return 0;
	bits = vexfs_window_get(filter, row / VEXFS_WINDOW_ROWS);
	if (IS_ERR(bits))
		return PTR_ERR(bits);
	return bits[at / 64] >> (at % 64) & 1;
}

int vexfs_filter_next(struct vexfs_filter *filter, u64 *row, u64 end)
{
	while (*row < end) {
		u64 number = *row / VEXFS_WINDOW_ROWS, word;
		u32 at = *row % VEXFS_WINDOW_ROWS;
		const u64 *bits = vexfs_window_get(filter, number);

		if (IS_ERR(bits))
			return PTR_ERR(bits);
		word = bits[at / 64] >> (at % 64);
		if (word) {
			*row = min(*row + __ffs64(word), end);
			return 0;
		}
		for (at = at / 64 + 1; at < VEXFS_WINDOW_WORDS; at++)
			if (bits[at])
				break;
		*row = number * VEXFS_WINDOW_ROWS + at * 64;
	}
	*row = end;
	return 0;
}

int vexfs_filter_share(struct vexfs_filter *filter, u64 row, u64 end,
		       u32 *share)
{
	u64 found = 0, seen = 0, first, windows, number, i, samples;
	const u64 *bits;
	u32 w;

	*share = VEXFS_SHARE_ALL;
	if (!filter || row >= end)
		return 0;
	if (!filter->program) {
		*share = div64_u64(filter->id_count * VEXFS_SHARE_ALL,
				   filter->rows);
		return 0;
	}
	first = row / VEXFS_WINDOW_ROWS;
	windows = DIV_ROUND_UP_ULL(end, VEXFS_WINDOW_ROWS) - first;
	samples = min_t(u64, windows, VEXFS_WINDOWS_SAMPLE);
	for (i = 0; i < samples; i++) {
		number = first + div64_u64(i * windows, samples);
		bits = vexfs_window_get(filter, number);
		if (IS_ERR(bits))
			return PTR_ERR(bits);
		for (w = 0; w < VEXFS_WINDOW_WORDS; w++)
			found += hweight64(bits[w]);
		seen += min_t(u64, VEXFS_WINDOW_ROWS,
			      filter->rows - number * VEXFS_WINDOW_ROWS);
	}
	*share = div64_u64(found * VEXFS_SHARE_ALL, seen);
	return 0;
}
