// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Runs in a tree: finding, adding, cutting and re-flagging records. Every
 * change is one replacement of up to three records of one leaf by up to three
 * others; tree_path.c makes the room for it or takes an empty leaf away.
 */
#include "tree_path.h"

static u64 run_end(const struct vex_run *run)
{
	return run->key + run->length;
}

static void get_run(const struct vex_items *items, u32 i, struct vex_run *run)
{
	const struct vexfs_disk_record *record =
		(const void *)(items->data + i * items->size);

	run->key = le64_to_cpu(record->r_key);
	run->value = le64_to_cpu(record->r_value);
	run->length = le32_to_cpu(record->r_length);
	run->flags = le32_to_cpu(record->r_flags);
}

/* The first record of the leaf that ends beyond @key, or their number. */
static u32 first_beyond(const struct vex_items *items, u64 key)
{
	u32 after = vex_items_after(items, key);
	struct vex_run run;

	if (after) {
		get_run(items, after - 1, &run);
		if (key - run.key < run.length)
			return after - 1;
	}
	return after;
}

/*
 * Walk to the first run that ends beyond @key: @at of the path's leaf.
 * The path must be released whatever this returns.
 */
static int walk_to_run(struct vex_tree *tree, u64 key, struct vex_path *path,
		       u32 *at)
{
	struct vex_items items;
	int err;

	err = vex_path_walk(tree, key, path);
	if (err)
		return err;
	vex_path_items(tree, path, 0, &items);
	*at = first_beyond(&items, key);
	if (*at < items.count)
		return 0;
	*at = 0;
	return vex_path_next(tree, path);
}

int vex_tree_find_many(struct vex_tree *tree, u64 key, struct vex_run *runs,
		       u32 max)
{
	struct vex_items items;
	struct vex_path path;
	u32 at, found = 0;
	int err;

	err = walk_to_run(tree, key, &path, &at);
	if (!err) {
		vex_path_items(tree, &path, 0, &items);
		while (found < max && at < items.count)
			get_run(&items, at++, &runs[found++]);
	}
	vex_path_release(tree, &path);
	if (err)
		return err == -ENOENT ? 0 : err;
	return found;
}

int vex_tree_find(struct vex_tree *tree, u64 key, struct vex_run *run)
{
	int found = vex_tree_find_many(tree, key, run, 1);

	if (found < 0)
		return found;
	return found ? 0 : -ENOENT;
}

/* Walk to the last run that begins at or below @key, as walk_to_run(). */
static int walk_to_last(struct vex_tree *tree, u64 key, struct vex_path *path,
			u32 *at)
{
	struct vex_items items;
	u32 after;
	int err;

	err = vex_path_walk(tree, key, path);
	if (err)
		return err;
	vex_path_items(tree, path, 0, &items);
	after = vex_items_after(&items, key);
	if (!after) {
		err = vex_path_prev(tree, path);
		if (err)
			return err;
		vex_path_items(tree, path, 0, &items);
		after = items.count;
	}
	*at = after - 1;
	return 0;
}

int vex_tree_find_last(struct vex_tree *tree, u64 limit, struct vex_run *run)
{
	struct vex_items items;
	struct vex_path path;
	u32 at;
	int err;

	if (!limit)
		return -ENOENT;
	err = walk_to_last(tree, limit - 1, &path, &at);
	if (!err) {
		vex_path_items(tree, &path, 0, &items);
		get_run(&items, at, run);
	}
	vex_path_release(tree, &path);
	return err;
}

static bool run_is_valid(const struct vex_tree *tree, const struct vex_run *run)
{
	u8 kind = tree->root->r_kind;

	if (!run->length || run->key > U64_MAX - run->length ||
	    run->value > U64_MAX - run->length)
		return false;
	if (tree->value_limit && run->value + run->length > tree->value_limit)
		return false;
	if (kind == VEXFS_TREE_EXTENTS)
		return run->value && !(run->flags & ~VEXFS_RECORD_FLAGS);
	if (kind == VEXFS_TREE_TOMBSTONES && run->value != run->key)
		return false;
	return !run->flags;
}

/* Does @b go on where @a ends, so that one record can hold both? */
static bool runs_join(const struct vex_run *a, const struct vex_run *b)
{
	return run_end(a) == b->key && a->value + a->length == b->value &&
	       a->flags == b->flags && a->length <= U32_MAX - b->length;
}

/* No room in the leaf, or in the root if there is no leaf. */
static VEX_NOINLINE int replace_growing(struct vex_tree *tree,
					struct vex_path *path, u32 at, u32 out,
					const struct vexfs_disk_record *with,
					u32 in)
{
	struct vexfs_disk_node *node, *right;
	struct vex_growth growth;
	struct vex_items items;
	bool append;
	u64 key;
	int err;

	err = vex_grow_prepare(tree, path, &growth);
	if (err)
		return err;
	right = growth.bufs[0].data;
	if (!path->depth) {
		vex_grow_raise(tree, &growth);
		vex_items_of_node(right, &items);
		vex_items_splice(&items, at, out, with, in);
		vex_node_set_count(right, &items);
		return vex_grow_finish(tree, &growth);
	}
	node = path->bufs[0].data;
	append = path->high[0] == U64_MAX &&
		 at + out == le16_to_cpu(node->n_count);
	key = vex_node_split(node, right, at, out, with, in, append);
	return vex_grow_link(tree, path, &growth, key);
}

/* Replace @out records of the path's leaf from @at on by @in others. */
static int replace(struct vex_tree *tree, struct vex_path *path, u32 at,
		   u32 out, const struct vex_run *runs, u32 in)
{
	struct vexfs_disk_record with[3];
	struct vex_items items;
	int err;
	u32 i;

	for (i = 0; i < in; i++) {
		with[i].r_key = cpu_to_le64(runs[i].key);
		with[i].r_value = cpu_to_le64(runs[i].value);
		with[i].r_length = cpu_to_le32(runs[i].length);
		with[i].r_flags = cpu_to_le32(runs[i].flags);
	}
	vex_path_items(tree, path, 0, &items);
	if (items.count - out + in > items.capacity)
		return replace_growing(tree, path, at, out, with, in);
	if (!path->depth) {
		vex_items_splice(&items, at, out, with, in);
		tree->root->r_count = cpu_to_le16(items.count);
		return 0;
	}
	if (items.count + in == out)
		return vex_path_drop(tree, path);

	err = tree->ops->access(tree, &path->bufs[0]);
	if (err)
		return err;
	vex_items_splice(&items, at, out, with, in);
	vex_node_set_count(path->bufs[0].data, &items);
	return tree->ops->dirty(tree, &path->bufs[0]);
}

/* Add a run that ends within the leaf of the path. */
static int insert_in_leaf(struct vex_tree *tree, struct vex_path *path,
			  const struct vex_run *run)
{
	struct vex_items items;
	struct vex_run joined = *run;
	struct vex_run other;
	u32 at, out = 0;

	vex_path_items(tree, path, 0, &items);
	at = first_beyond(&items, run->key);
	if (at < items.count) {
		get_run(&items, at, &other);
		if (other.key < run_end(run))
			return -EEXIST;
		if (runs_join(run, &other)) {
			joined.length += other.length;
			out++;
		}
	}
	if (at) {
		get_run(&items, at - 1, &other);
		if (runs_join(&other, &joined)) {
			other.length += joined.length;
			joined = other;
			at--;
			out++;
		} else if (runs_join(&other, run)) {
			/* All three do not fit one record. */
			other.length += run->length;
			joined = other;
			at--;
			out = 1;
		}
	}
	return replace(tree, path, at, out, &joined, 1);
}

/*
 * Add a run that begins and ends in the same leaf. Returns 1, with nothing
 * changed, if it ends beyond @high, where the next leaf begins.
 */
static int insert_within(struct vex_tree *tree, const struct vex_run *run,
			 u64 *high)
{
	struct vex_path path;
	int err;

	err = vex_path_walk(tree, run->key, &path);
	if (!err) {
		*high = path.high[0];
		err = 1;
		if (run_end(run) <= *high)
			err = insert_in_leaf(tree, &path, run);
	}
	vex_path_release(tree, &path);
	return err;
}

/*
 * Add a run that lies across the border @high of two leaves. It crosses no
 * other if it overlaps nothing, as there are records on either side of each.
 */
static int insert_across(struct vex_tree *tree, const struct vex_run *run,
			 u64 high)
{
	struct vex_run left = *run, right = *run, other;
	int err, undone;

	err = vex_tree_find(tree, run->key, &other);
	if (!err && other.key < run_end(run))
		return -EEXIST;
	if (err && err != -ENOENT)
		return err;

	left.length = high - run->key;
	right.key += left.length;
	right.value += left.length;
	right.length -= left.length;
	err = insert_within(tree, &left, &high);
	if (err)
		return err;
	err = insert_within(tree, &right, &high);
	if (!err)
		return 0;
	if (err > 0)
		err = tree->ops->corrupt(tree, 0, "x_key: a range without records");
	undone = vex_tree_cut(tree, left.key, right.key - 1, U64_MAX, &other);
	return undone ? undone : err;
}

int vex_tree_insert(struct vex_tree *tree, const struct vex_run *run)
{
	u64 high;
	int err;

	if (!run_is_valid(tree, run))
		return -EINVAL;
	err = insert_within(tree, run, &high);
	return err > 0 ? insert_across(tree, run, high) : err;
}

int vex_tree_cut(struct vex_tree *tree, u64 first, u64 last, u64 max,
		 struct vex_run *removed)
{
	struct vex_run run, parts[2];
	struct vex_items items;
	struct vex_path path;
	u64 begin, end;
	u32 at, in = 0;
	int err;

	if (first > last || !max)
		return -EINVAL;
	err = walk_to_last(tree, last, &path, &at);
	if (err)
		goto out_release;
	vex_path_items(tree, &path, 0, &items);
	get_run(&items, at, &run);
	err = -ENOENT;
	if (run_end(&run) <= first)
		goto out_release;

	begin = max(run.key, first);
	end = run_end(&run);
	if (last < end)
		end = last + 1;
	if (end - begin > max)
		begin = end - max;
	if (begin > run.key) {
		parts[in] = run;
		parts[in++].length = begin - run.key;
	}
	if (end < run_end(&run)) {
		parts[in] = run;
		parts[in].key = end;
		parts[in].value += end - run.key;
		parts[in++].length = run_end(&run) - end;
	}
	err = replace(tree, &path, at, 1, parts, in);
	removed->key = begin;
	removed->value = run.value + (begin - run.key);
	removed->length = end - begin;
	removed->flags = run.flags;
out_release:
	vex_path_release(tree, &path);
	if (!err)
		vex_tree_shrink(tree);
	return err;
}

/*
 * The records that replace the one at *@at, of which [@begin, @end) gets
 * @flags; joins them with the neighbours. Returns how many.
 */
static u32 flagged_parts(const struct vex_items *items, u64 begin, u64 end,
			 u32 flags, u32 *at, u32 *out, struct vex_run *parts)
{
	struct vex_run run, middle, other;
	u32 in = 0;

	get_run(items, *at, &run);
	middle.key = begin;
	middle.value = run.value + (begin - run.key);
	middle.length = end - begin;
	middle.flags = flags;
	*out = 1;

	if (begin > run.key) {
		parts[in] = run;
		parts[in++].length = begin - run.key;
	} else if (*at) {
		get_run(items, *at - 1, &other);
		if (runs_join(&other, &middle)) {
			other.length += middle.length;
			middle = other;
			--*at;
			++*out;
		}
	}
	if (end == run_end(&run) && *at + *out < items->count) {
		get_run(items, *at + *out, &other);
		if (runs_join(&middle, &other)) {
			middle.length += other.length;
			++*out;
		}
	}
	parts[in++] = middle;
	if (end < run_end(&run)) {
		parts[in] = run;
		parts[in].key = end;
		parts[in].value += end - run.key;
		parts[in++].length = run_end(&run) - end;
	}
	return in;
}

int vex_tree_set_flags(struct vex_tree *tree, u64 key, u64 length, u32 flags,
		       u64 *done)
{
	struct vex_run run, parts[3];
	struct vex_items items;
	struct vex_path path;
	u32 at, in, out;
	u64 end;
	int err;

	if (!length || tree->root->r_kind != VEXFS_TREE_EXTENTS ||
	    (flags & ~VEXFS_RECORD_FLAGS))
		return -EINVAL;
	err = walk_to_run(tree, key, &path, &at);
	if (err)
		goto out_release;
	vex_path_items(tree, &path, 0, &items);
	get_run(&items, at, &run);
	err = -ENOENT;
	if (run.key > key)
		goto out_release;

	err = 0;
	end = run_end(&run);
	if (length < end - key)
		end = key + length;
	if (run.flags != flags) {
		in = flagged_parts(&items, key, end, flags, &at, &out, parts);
		err = replace(tree, &path, at, out, parts, in);
	}
	*done = end - key;
out_release:
	vex_path_release(tree, &path);
	return err;
}

int vex_tree_pop_block(struct vex_tree *tree)
{
	struct vex_path path;
	int err;

	if (!tree->root->r_depth) {
		vex_tree_init_root(tree->root, tree->root->r_kind);
		return -ENOENT;
	}
	err = vex_path_walk(tree, U64_MAX, &path);
	if (!err)
		err = vex_path_drop(tree, &path);
	vex_path_release(tree, &path);
	return err;
}
