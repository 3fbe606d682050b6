// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Names in the leaves of a directory's tree. Entries differ in size, so that
 * they are walked from a leaf's beginning; a step never leaves the leaf, even
 * if its contents are damaged.
 */
#include "dir.h"
#include "tree_path.h"

/* A name to be added. */
struct entry {
	u64 key;
	u64 ino;
	const char *name;
	u32 length;
	u8 type;
};

/* Bytes of struct vexfs_disk_name before d_name. */
#define NAME_HEAD	offsetof(struct vexfs_disk_name, d_name)

static struct vexfs_disk_node *leaf_of(struct vex_path *path)
{
	return path->bufs[0].data;
}

static u32 used_bytes(const struct vexfs_disk_node *node)
{
	return le16_to_cpu(node->n_bytes);
}

/* The entry at @at and its size, or NULL if none can be there. */
static struct vexfs_disk_name *entry_at(struct vexfs_disk_node *node, u32 at,
					u32 *bytes)
{
	struct vexfs_disk_name *name = (void *)(node->n_data + at);
	u32 end = used_bytes(node);

	if (at > end || end - at < VEXFS_NAME_BYTES(1))
		return NULL;
	*bytes = VEXFS_NAME_BYTES(name->d_length);
	return *bytes <= end - at ? name : NULL;
}

static int leaf_corrupt(struct vex_tree *tree, struct vex_path *path)
{
	return tree->ops->corrupt(tree, path->bufs[0].block,
				  "d_length: a name reaches beyond n_bytes");
}

u64 vex_dir_hash(const char *name, u32 length, u64 seed)
{
	u64 key = vex_xxh64(name, length, seed) >> 1;
	u64 highest = VEXFS_DIR_KEY_MAX - (VEXFS_DIR_COLLISIONS - 1);

	key &= ~(u64)(VEXFS_DIR_COLLISIONS - 1);
	if (key < VEXFS_DIR_KEY_MIN)
		return VEXFS_DIR_KEY_MIN;
	return min(key, highest);
}

/*
 * Walk to a name: *@found in the path's leaf. Of the keys that it may have, the
 * bits of @taken are those of other names; complete with -ENOENT only.
 * The path must be released whatever this returns.
 */
static int walk_to_name(struct vex_tree *tree, const char *name, u32 length,
			u64 hash, struct vex_path *path,
			struct vexfs_disk_name **found, u32 *taken)
{
	struct vexfs_disk_name *entry;
	u32 at, bytes;
	u64 key;
	int err;

	*taken = 0;
	err = vex_path_walk(tree, hash, path);
	if (err || !path->depth)
		return err ? err : -ENOENT;
	for (;;) {
		for (at = 0; at < used_bytes(leaf_of(path)); at += bytes) {
			entry = entry_at(leaf_of(path), at, &bytes);
			if (!entry)
				return leaf_corrupt(tree, path);
			key = le64_to_cpu(entry->d_key);
			if (key < hash)
				continue;
			if (key - hash >= VEXFS_DIR_COLLISIONS)
				return -ENOENT;
			if (entry->d_length == length &&
			    !memcmp(entry->d_name, name, length)) {
				*found = entry;
				return 0;
			}
			*taken |= 1U << (key - hash);
		}
		if (path->high[0] - hash >= VEXFS_DIR_COLLISIONS)
			return -ENOENT;
		err = vex_path_next(tree, path);
		if (err)
			return err;
	}
}

int vex_dir_find(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		 struct vex_name *entry)
{
	struct vexfs_disk_name *found;
	struct vex_path path;
	u32 taken;
	int err;

	err = walk_to_name(tree, name, length,
			   vex_dir_hash(name, length, seed), &path, &found,
			   &taken);
	if (!err) {
		entry->key = le64_to_cpu(found->d_key);
		entry->ino = le64_to_cpu(found->d_ino);
		entry->name = NULL;
		entry->length = found->d_length;
		entry->type = found->d_type;
	}
	vex_path_release(tree, &path);
	return err;
}

/* Put an entry at @at of a leaf that has room for it. */
static void put_entry(struct vexfs_disk_node *node, u32 at,
		      const struct entry *entry)
{
	u32 need = VEXFS_NAME_BYTES(entry->length);
	u8 *place = node->n_data + at;
	struct vexfs_disk_name *name = (void *)place;

	memmove(place + need, place, used_bytes(node) - at);
	name->d_key = cpu_to_le64(entry->key);
	name->d_ino = cpu_to_le64(entry->ino);
	name->d_length = entry->length;
	name->d_type = entry->type;
	memcpy(place + NAME_HEAD, entry->name, entry->length);
	memset(place + NAME_HEAD + entry->length, 0,
	       need - NAME_HEAD - entry->length);
	le16_add_cpu(&node->n_count, 1);
	le16_add_cpu(&node->n_bytes, need);
}

/*
 * Where to split a leaf so that, with an entry put in at @at, both parts are
 * about equal: @keep bytes and @count names stay. Returns whether the entry
 * goes into the left part; -1 if the leaf is damaged.
 */
static int split_point(struct vexfs_disk_node *node, u32 at, u32 need,
		       u32 *keep, u32 *count)
{
	u32 half = (used_bytes(node) + need) / 2;
	u32 bytes, sum = 0;
	int left = 0;

	*keep = 0;
	*count = 0;
	while (sum < half) {
		if (*keep == at && !left) {
			left = 1;
			sum += need;
			continue;
		}
		if (!entry_at(node, *keep, &bytes))
			return -1;
		*keep += bytes;
		++*count;
		sum += bytes;
	}
	return left;
}

static int add_splitting(struct vex_tree *tree, struct vex_path *path, u32 at,
			 const struct entry *entry)
{
	struct vexfs_disk_node *right, *node = leaf_of(path);
	struct vex_growth growth;
	u32 keep, count, moved;
	int err, left;

	left = split_point(node, at, VEXFS_NAME_BYTES(entry->length), &keep,
			   &count);
	if (left < 0)
		return leaf_corrupt(tree, path);
	err = vex_grow_prepare(tree, path, &growth);
	if (err)
		return err;

	right = growth.bufs[0].data;
	moved = used_bytes(node) - keep;
	memcpy(right->n_data, node->n_data + keep, moved);
	memset(node->n_data + keep, 0, moved);
	right->n_bytes = cpu_to_le16(moved);
	right->n_count = cpu_to_le16(le16_to_cpu(node->n_count) - count);
	node->n_bytes = cpu_to_le16(keep);
	node->n_count = cpu_to_le16(count);
	if (left)
		put_entry(node, at, entry);
	else
		put_entry(right, at - keep, entry);
	return vex_grow_link(tree, path, &growth, vex_load_le64(right->n_data));
}

static int add_first(struct vex_tree *tree, struct vex_path *path,
		     const struct entry *entry)
{
	struct vex_growth growth;
	int err;

	err = vex_grow_prepare(tree, path, &growth);
	if (err)
		return err;
	vex_grow_raise(tree, &growth);
	put_entry(growth.bufs[0].data, 0, entry);
	return vex_grow_finish(tree, &growth);
}

/* Add an entry to the leaf of a path, to which its key belongs. */
static VEX_NOINLINE int add_entry(struct vex_tree *tree, struct vex_path *path,
				  const struct entry *entry)
{
	const struct vexfs_disk_name *name;
	struct vexfs_disk_node *node;
	u32 at, bytes, end;
	int err;

	if (!path->depth)
		return add_first(tree, path, entry);
	node = leaf_of(path);
	end = used_bytes(node);
	for (at = 0; at < end; at += bytes) {
		name = entry_at(node, at, &bytes);
		if (!name)
			return leaf_corrupt(tree, path);
		if (le64_to_cpu(name->d_key) > entry->key)
			break;
	}
	if (end + VEXFS_NAME_BYTES(entry->length) > VEXFS_NODE_BYTES)
		return add_splitting(tree, path, at, entry);
	err = tree->ops->access(tree, &path->bufs[0]);
	if (err)
		return err;
	put_entry(node, at, entry);
	return tree->ops->dirty(tree, &path->bufs[0]);
}

int vex_dir_add(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		u64 ino, u8 type)
{
	struct entry entry = { .ino = ino, .name = name, .length = length,
			       .type = type };
	struct vexfs_disk_name *found;
	struct vex_path path;
	u32 taken;
	int err;

	if (!length || length > VEXFS_NAME_MAX)
		return -EINVAL;
	entry.key = vex_dir_hash(name, length, seed);
	err = walk_to_name(tree, name, length, entry.key, &path, &found,
			   &taken);
	if (!err)
		err = -EEXIST;
	if (err != -ENOENT)
		goto out_release;
	err = -ENOSPC;
	if (taken == (1U << VEXFS_DIR_COLLISIONS) - 1)
		goto out_release;
	for (; taken & 1; taken >>= 1)
		entry.key++;

	err = 0;
	if (entry.key < path.low[0] || entry.key >= path.high[0]) {
		/* Its hash reaches over more than one leaf. */
		vex_path_release(tree, &path);
		err = vex_path_walk(tree, entry.key, &path);
	}
	if (!err)
		err = add_entry(tree, &path, &entry);
out_release:
	vex_path_release(tree, &path);
	return err;
}

int vex_dir_remove(struct vex_tree *tree, const char *name, u32 length,
		   u64 seed)
{
	struct vexfs_disk_node *node;
	struct vexfs_disk_name *found;
	struct vex_path path;
	u32 at, taken, bytes, end;
	int err;

	err = walk_to_name(tree, name, length,
			   vex_dir_hash(name, length, seed), &path, &found,
			   &taken);
	if (err)
		goto out_release;
	node = leaf_of(&path);
	if (le16_to_cpu(node->n_count) == 1) {
		err = vex_path_drop(tree, &path);
		goto out_release;
	}
	err = tree->ops->access(tree, &path.bufs[0]);
	if (err)
		goto out_release;
	at = (u8 *)found - node->n_data;
	bytes = VEXFS_NAME_BYTES(found->d_length);
	end = used_bytes(node);
	memmove(node->n_data + at, node->n_data + at + bytes,
		end - at - bytes);
	memset(node->n_data + end - bytes, 0, bytes);
	node->n_bytes = cpu_to_le16(end - bytes);
	le16_add_cpu(&node->n_count, -1);
	err = tree->ops->dirty(tree, &path.bufs[0]);
out_release:
	vex_path_release(tree, &path);
	if (!err)
		vex_tree_shrink(tree);
	return err;
}

int vex_dir_set(struct vex_tree *tree, const char *name, u32 length, u64 seed,
		u64 ino, u8 type)
{
	struct vexfs_disk_name *found;
	struct vex_path path;
	u32 taken;
	int err;

	err = walk_to_name(tree, name, length,
			   vex_dir_hash(name, length, seed), &path, &found,
			   &taken);
	if (!err)
		err = tree->ops->access(tree, &path.bufs[0]);
	if (!err) {
		found->d_ino = cpu_to_le64(ino);
		found->d_type = type;
		err = tree->ops->dirty(tree, &path.bufs[0]);
	}
	vex_path_release(tree, &path);
	return err;
}

/* Visit the names of the path's leaf; *@next moves on with each. */
static int visit_leaf(struct vex_tree *tree, struct vex_path *path,
		      int (*visit)(void *ctx, const struct vex_name *entry),
		      void *ctx, u64 *next, bool *any)
{
	struct vexfs_disk_node *node = leaf_of(path);
	const struct vexfs_disk_name *name;
	struct vex_name entry;
	u32 at, bytes;
	int ret;

	for (at = 0; at < used_bytes(node); at += bytes) {
		name = entry_at(node, at, &bytes);
		if (!name)
			return leaf_corrupt(tree, path);
		entry.key = le64_to_cpu(name->d_key);
		if (entry.key < *next)
			continue;
		entry.ino = le64_to_cpu(name->d_ino);
		entry.name = (const char *)name->d_name;
		entry.length = name->d_length;
		entry.type = name->d_type;
		*any = true;
		ret = visit(ctx, &entry);
		if (ret)
			return ret;
		*next = entry.key + 1;
	}
	return 0;
}

int vex_dir_iterate(struct vex_tree *tree, u64 key,
		    int (*visit)(void *ctx, const struct vex_name *entry),
		    void *ctx, u64 *next)
{
	struct vex_path path;
	bool any = false;
	int err;

	*next = key;
	err = vex_path_walk(tree, key, &path);
	if (!err && !path.depth)
		err = -ENOENT;
	while (!err && !any) {
		err = visit_leaf(tree, &path, visit, ctx, next, &any);
		if (!err && !any)
			err = vex_path_next(tree, &path);
	}
	vex_path_release(tree, &path);
	return err == -ENOENT && !any ? 1 : err;
}

int vex_dir_is_empty(struct vex_tree *tree)
{
	/* A leaf that becomes empty is freed at once. */
	return !tree->root->r_count;
}
