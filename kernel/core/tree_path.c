// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Paths through a tree and changes of its shape: splits, a deeper root, the
 * removal of empty blocks. Everything that can fail is done before the first
 * byte changes. What is in a leaf is the business of tree.c and dir.c.
 */
#include "tree_path.h"

static struct vexfs_disk_node *node_of(const struct vex_buf *buf)
{
	return buf->data;
}

static void items_of_root(struct vexfs_disk_root *root,
			  struct vex_items *items)
{
	items->data = root->r_data;
	items->count = le16_to_cpu(root->r_count);
	items->size = root->r_depth ? sizeof(struct vexfs_disk_index) :
				      sizeof(struct vexfs_disk_record);
	items->capacity = VEXFS_ROOT_BYTES / items->size;
}

void vex_items_of_node(struct vexfs_disk_node *node, struct vex_items *items)
{
	items->data = node->n_data;
	items->count = le16_to_cpu(node->n_count);
	items->size = node->n_depth ? sizeof(struct vexfs_disk_index) :
				      sizeof(struct vexfs_disk_record);
	items->capacity = VEXFS_NODE_BYTES / items->size;
}

void vex_path_items(struct vex_tree *tree, struct vex_path *path, u32 level,
		    struct vex_items *items)
{
	if (level == path->depth)
		items_of_root(tree->root, items);
	else
		vex_items_of_node(node_of(&path->bufs[level]), items);
}

u32 vex_items_after(const struct vex_items *items, u64 key)
{
	u32 first = 0, end = items->count;

	while (first < end) {
		u32 middle = (first + end) / 2;

		if (vex_item_key(items, middle) <= key)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

void vex_items_splice(struct vex_items *items, u32 at, u32 out,
		      const void *with, u32 in)
{
	u8 *place = items->data + at * items->size;
	u32 size = items->size;
	u32 tail = items->count - at - out;

	memmove(place + in * size, place + out * size, tail * size);
	if (in)
		memcpy(place, with, in * size);
	if (out > in)
		memset(place + (in + tail) * size, 0, (out - in) * size);
	items->count += in;
	items->count -= out;
}

void vex_node_set_count(struct vexfs_disk_node *node,
			const struct vex_items *items)
{
	node->n_count = cpu_to_le16(items->count);
	node->n_bytes = cpu_to_le16(items->count * items->size);
}

/* Write down the number of items of a level of a path. */
static void path_set_count(struct vex_tree *tree, struct vex_path *path,
			   u32 level, const struct vex_items *items)
{
	if (level == path->depth)
		tree->root->r_count = cpu_to_le16(items->count);
	else
		vex_node_set_count(node_of(&path->bufs[level]), items);
}

u64 vex_node_split(struct vexfs_disk_node *node, struct vexfs_disk_node *right,
		   u32 at, u32 out, const void *with, u32 in, bool append)
{
	struct vex_items old, part;
	u32 total, keep, first, moved;

	vex_items_of_node(node, &old);
	vex_items_of_node(right, &part);
	total = old.count - out + in;
	keep = append ? min(old.capacity, total - 1) : total / 2;

	/* What lies at and after @keep, of the three parts that there are. */
	if (keep < at) {
		vex_items_splice(&part, 0, 0, old.data + keep * old.size,
				 at - keep);
		vex_items_splice(&old, keep, at - keep, NULL, 0);
		at = keep;
	}
	first = keep - at;
	if (first < in) {
		vex_items_splice(&part, part.count, 0,
				 (const u8 *)with + first * old.size,
				 in - first);
		in = first;
	}
	first = keep - in + out;
	moved = old.count - first;
	vex_items_splice(&part, part.count, 0, old.data + first * old.size,
			 moved);
	vex_items_splice(&old, first, moved, NULL, 0);

	vex_items_splice(&old, at, out, with, in);
	vex_node_set_count(node, &old);
	vex_node_set_count(right, &part);
	return vex_item_key(&part, 0);
}

/*
 * For a block that was verified before, or that another reader is verifying
 * just now: enough to search it safely, and to notice a block that hangs in
 * the wrong place.
 */
static const char *check_quick(struct vex_path *path, u32 level, u8 kind)
{
	struct vexfs_disk_node *node = node_of(&path->bufs[level]);
	const struct vexfs_disk_record *record;
	struct vex_items items;
	u64 key, low = path->low[level], high = path->high[level];

	if (node->n_kind != kind || node->n_depth != level || !node->n_count)
		return "n_kind, n_depth, n_count: not those of such a block";
	if (!level && kind == VEXFS_TREE_DIRECTORY)
		return le16_to_cpu(node->n_bytes) > VEXFS_NODE_BYTES ?
		       "n_bytes: more than the block has" : NULL;

	vex_items_of_node(node, &items);
	if (items.count > items.capacity ||
	    le16_to_cpu(node->n_bytes) != items.count * items.size)
		return "n_count: does not fit n_bytes";
	key = vex_item_key(&items, 0);
	if (level ? key != low : key < low)
		return "n_data: the first key is out of range";
	key = vex_item_key(&items, items.count - 1);
	if (!level) {
		record = (void *)(items.data + (items.count - 1) * items.size);
		key += le32_to_cpu(record->r_length) - 1;
	}
	return key >= high ? "n_data: the last key is out of range" : NULL;
}

/* Read the child of @level + 1 that its slot names, and verify it. */
static int read_child(struct vex_tree *tree, struct vex_path *path, u32 level)
{
	const struct vexfs_disk_index *child;
	struct vex_buf *buf = &path->bufs[level];
	struct vex_items items;
	const char *what;
	u32 slot = path->slot[level + 1];
	u64 block;
	int err;

	vex_path_items(tree, path, level + 1, &items);
	child = (void *)(items.data + slot * items.size);
	block = le64_to_cpu(child->x_block);
	path->low[level] = le64_to_cpu(child->x_key);
	path->high[level] = path->high[level + 1];
	if (slot + 1 < items.count)
		path->high[level] = vex_item_key(&items, slot + 1);

	err = tree->ops->read(tree, block, buf);
	if (err)
		return err;
	if (buf->fresh)
		what = vex_tree_check_node(buf->data, tree->root->r_kind,
					   level, path->low[level],
					   path->high[level],
					   tree->value_limit);
	else
		what = check_quick(path, level, tree->root->r_kind);
	if (what) {
		tree->ops->release(tree, buf);
		return tree->ops->corrupt(tree, block, what);
	}
	buf->fresh = false;
	path->bottom = level;
	return 0;
}

/* Go down from @level, whose slot is set, to the leaf where @key belongs. */
static int descend(struct vex_tree *tree, struct vex_path *path, u32 level,
		   u64 key)
{
	struct vex_items items;
	u32 after;
	int err;

	while (level--) {
		err = read_child(tree, path, level);
		if (err)
			return err;
		if (!level)
			break;
		vex_path_items(tree, path, level, &items);
		after = vex_items_after(&items, key);
		path->slot[level] = after ? after - 1 : 0;
	}
	return 0;
}

int vex_path_walk(struct vex_tree *tree, u64 key, struct vex_path *path)
{
	struct vexfs_disk_root *root = tree->root;
	struct vex_items items;
	u32 depth = root->r_depth;
	u32 after;

	path->depth = depth;
	path->bottom = depth;
	items_of_root(root, &items);
	if (depth > VEXFS_TREE_DEPTH_MAX || items.count > items.capacity ||
	    (depth && !items.count)) {
		path->depth = 0;
		path->bottom = 0;
		return tree->ops->corrupt(tree, 0, "r_depth, r_count: out of range");
	}
	path->low[depth] = 0;
	path->high[depth] = U64_MAX;
	if (!depth)
		return 0;
	after = vex_items_after(&items, key);
	path->slot[depth] = after ? after - 1 : 0;
	return descend(tree, path, depth, key);
}

static void release_below(struct vex_tree *tree, struct vex_path *path,
			  u32 level)
{
	while (path->bottom < level)
		tree->ops->release(tree, &path->bufs[path->bottom++]);
}

void vex_path_release(struct vex_tree *tree, struct vex_path *path)
{
	release_below(tree, path, path->depth);
}

int vex_path_next(struct vex_tree *tree, struct vex_path *path)
{
	struct vex_items items;
	u32 level;

	for (level = 1; level <= path->depth; level++) {
		vex_path_items(tree, path, level, &items);
		if (path->slot[level] + 1u < items.count) {
			release_below(tree, path, level);
			path->slot[level]++;
			return descend(tree, path, level, 0);
		}
	}
	return -ENOENT;
}

int vex_path_prev(struct vex_tree *tree, struct vex_path *path)
{
	u32 level;

	for (level = 1; level <= path->depth; level++) {
		if (path->slot[level]) {
			release_below(tree, path, level);
			path->slot[level]--;
			return descend(tree, path, level, U64_MAX);
		}
	}
	return -ENOENT;
}

/*
 * The blocks on the left edge below the child after @path's at @level: their
 * first key is to change, as their range will begin earlier.
 */
static int access_edge(struct vex_tree *tree, struct vex_path *path, u32 level,
		       struct vex_path *edge)
{
	u32 i;
	int err;

	edge->depth = path->depth;
	edge->bottom = level;
	edge->high[level] = path->high[level];
	edge->slot[level] = 1;
	if (level < path->depth)
		edge->bufs[level] = path->bufs[level];
	for (i = level; i-- > 1;) {
		edge->slot[i] = 0;
		err = read_child(tree, edge, i);
		if (!err)
			err = tree->ops->access(tree, &edge->bufs[i]);
		if (err) {
			release_below(tree, edge, level);
			return err;
		}
	}
	return 0;
}

/* Let the child after @path's at @level begin where @path's begins. */
static int lower_edge(struct vex_tree *tree, struct vex_path *path, u32 level,
		      struct vex_path *edge)
{
	struct vex_items items;
	struct vexfs_disk_node *node;
	int err = 0, ret;

	vex_path_items(tree, path, level, &items);
	memcpy(items.data + items.size, items.data, sizeof(__le64));
	while (edge->bottom < level) {
		node = node_of(&edge->bufs[edge->bottom]);
		memcpy(node->n_data, items.data, sizeof(__le64));
		ret = tree->ops->dirty(tree, &edge->bufs[edge->bottom]);
		err = err ? err : ret;
		release_below(tree, edge, edge->bottom + 1);
	}
	return err;
}

/* Take the child out of a level of a path. */
static int unlink_child(struct vex_tree *tree, struct vex_path *path,
			u32 level)
{
	struct vex_items items;

	vex_path_items(tree, path, level, &items);
	vex_items_splice(&items, path->slot[level], 1, NULL, 0);
	path_set_count(tree, path, level, &items);
	if (level < path->depth)
		return tree->ops->dirty(tree, &path->bufs[level]);
	if (!items.count)
		tree->root->r_depth = 0;
	return 0;
}

int vex_path_drop(struct vex_tree *tree, struct vex_path *path)
{
	struct vex_path edge;
	struct vex_items items;
	bool lower;
	u32 level;
	int err, ret;

	/* The lowest node that keeps a child, or else the root. */
	for (level = 1;; level++) {
		vex_path_items(tree, path, level, &items);
		if (items.count > 1 || level == path->depth)
			break;
	}
	lower = !path->slot[level] && items.count > 1;
	if (level < path->depth) {
		err = tree->ops->access(tree, &path->bufs[level]);
		if (err)
			return err;
	}
	if (lower) {
		err = access_edge(tree, path, level, &edge);
		if (err)
			return err;
	}

	err = lower ? lower_edge(tree, path, level, &edge) : 0;
	ret = unlink_child(tree, path, level);
	err = err ? err : ret;
	while (path->bottom < level) {
		ret = tree->ops->free(tree, &path->bufs[path->bottom++]);
		err = err ? err : ret;
	}
	return err;
}

static u32 growth_blocks(const struct vex_growth *growth)
{
	return growth->levels + growth->raise;
}

static int grow_alloc(struct vex_tree *tree, struct vex_growth *growth)
{
	struct vexfs_disk_node *node;
	u32 i, count = growth_blocks(growth);
	int err;

	for (i = 0; i < count; i++) {
		err = tree->ops->alloc(tree, &growth->bufs[i]);
		if (err) {
			while (i--)
				tree->ops->free(tree, &growth->bufs[i]);
			return err;
		}
		growth->bufs[i].fresh = false;
		node = node_of(&growth->bufs[i]);
		node->n_kind = tree->root->r_kind;
		node->n_depth = i;
	}
	return 0;
}

int vex_grow_prepare(struct vex_tree *tree, struct vex_path *path,
		     struct vex_growth *growth)
{
	struct vex_items items;
	u32 i, level;
	int err;

	for (level = path->depth ? 1 : 0;; level++) {
		vex_path_items(tree, path, level, &items);
		if (items.count < items.capacity || level == path->depth)
			break;
	}
	growth->levels = level;
	growth->raise = !level || items.count == items.capacity;
	if (growth->raise && path->depth == VEXFS_TREE_DEPTH_MAX)
		return -EFBIG;

	err = grow_alloc(tree, growth);
	if (err)
		return err;
	for (i = 0; i <= level && i < path->depth; i++) {
		err = tree->ops->access(tree, &path->bufs[i]);
		if (err)
			break;
	}
	if (err)
		for (i = growth_blocks(growth); i--;)
			tree->ops->free(tree, &growth->bufs[i]);
	return err;
}

void vex_grow_raise(struct vex_tree *tree, struct vex_growth *growth)
{
	struct vexfs_disk_root *root = tree->root;
	struct vex_buf *buf = &growth->bufs[growth->levels];
	struct vexfs_disk_index *child = (void *)root->r_data;
	struct vex_items from, to;

	items_of_root(root, &from);
	if (from.count) {
		vex_items_of_node(node_of(buf), &to);
		vex_items_splice(&to, 0, 0, from.data, from.count);
		vex_node_set_count(node_of(buf), &to);
	}
	memset(root->r_data, 0, sizeof(root->r_data));
	child->x_block = cpu_to_le64(buf->block);
	root->r_count = cpu_to_le16(1);
	root->r_depth++;
}

int vex_grow_finish(struct vex_tree *tree, struct vex_growth *growth)
{
	u32 i, count = growth_blocks(growth);
	int err = 0, ret;

	for (i = 0; i < count; i++) {
		ret = tree->ops->dirty(tree, &growth->bufs[i]);
		err = err ? err : ret;
		tree->ops->release(tree, &growth->bufs[i]);
	}
	return err;
}

int vex_grow_link(struct vex_tree *tree, struct vex_path *path,
		  struct vex_growth *growth, u64 key)
{
	struct vexfs_disk_index child;
	struct vex_items items;
	bool append = true;
	u32 level, slot;
	int err = 0, ret;

	child.x_key = cpu_to_le64(key);
	child.x_block = cpu_to_le64(growth->bufs[0].block);
	for (level = 0; level < growth->levels && level < path->depth;
	     level++) {
		if (level) {
			slot = path->slot[level] + 1;
			append = path->high[level] == U64_MAX &&
				 slot == VEXFS_NODE_CHILDREN;
			key = vex_node_split(node_of(&path->bufs[level]),
					     node_of(&growth->bufs[level]),
					     slot, 0, &child, 1, append);
			child.x_key = cpu_to_le64(key);
			child.x_block = cpu_to_le64(growth->bufs[level].block);
		}
		ret = tree->ops->dirty(tree, &path->bufs[level]);
		err = err ? err : ret;
	}

	slot = path->slot[level] + 1;
	if (growth->raise) {
		vex_grow_raise(tree, growth);
		vex_items_of_node(node_of(&growth->bufs[level]), &items);
		vex_items_splice(&items, slot, 0, &child, 1);
		vex_node_set_count(node_of(&growth->bufs[level]), &items);
	} else {
		vex_path_items(tree, path, level, &items);
		vex_items_splice(&items, slot, 0, &child, 1);
		path_set_count(tree, path, level, &items);
		if (level < path->depth) {
			ret = tree->ops->dirty(tree, &path->bufs[level]);
			err = err ? err : ret;
		}
	}
	ret = vex_grow_finish(tree, growth);
	return err ? err : ret;
}

void vex_tree_shrink(struct vex_tree *tree)
{
	struct vexfs_disk_root *root = tree->root;
	struct vex_items from, to;
	struct vex_path path;
	u32 level;

	if (!root->r_depth || le16_to_cpu(root->r_count) != 1)
		return;
	level = root->r_depth - 1;
	if (!level && root->r_kind == VEXFS_TREE_DIRECTORY)
		return;
	path.depth = root->r_depth;
	path.bottom = path.depth;
	path.low[path.depth] = 0;
	path.high[path.depth] = U64_MAX;
	path.slot[path.depth] = 0;
	if (read_child(tree, &path, level))
		return;
	vex_path_items(tree, &path, level, &from);
	/* Half full at most, lest it goes back and forth. */
	if (from.count > VEXFS_ROOT_BYTES / from.size / 2) {
		vex_path_release(tree, &path);
		return;
	}
	root->r_depth = level;
	memset(root->r_data, 0, sizeof(root->r_data));
	root->r_count = 0;
	items_of_root(root, &to);
	vex_items_splice(&to, 0, 0, from.data, from.count);
	root->r_count = cpu_to_le16(to.count);
	tree->ops->free(tree, &path.bufs[level]);
}
