// SPDX-License-Identifier: Apache-2.0
/*
 * Directories: the layout of a leaf, names that share a hash, 100,000 names,
 * a random comparison with a plain list, an error at every step, and damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dir.h"
#include "layout.h"
#include "memory_blocks.h"
#include "random.h"

#define SEED	0x123456789abcdefULL

static int add(struct memory_blocks *mem, const char *name, u64 ino)
{
	return vex_dir_add(&mem->tree, name, strlen(name), SEED, ino, 8);
}

static int find(struct memory_blocks *mem, const char *name, u64 *ino)
{
	struct vex_name entry;
	int ret = vex_dir_find(&mem->tree, name, strlen(name), SEED, &entry);

	if (!ret) {
		assert_null(entry.name);
		assert_int_equal(entry.length, strlen(name));
		*ino = entry.ino;
	}
	assert_int_equal(mem->held, 0);
	return ret;
}

static int take_away(struct memory_blocks *mem, const char *name)
{
	return vex_dir_remove(&mem->tree, name, strlen(name), SEED);
}

static void test_hash(void **state)
{
	(void)state;
	/* XXH64 of "a" is d24ec4f1a98c6e5b, of "abc" 44bc2cf5ad770999. */
	assert_true(vex_dir_hash("a", 1, 0) == 0x69276278d4c63720ULL);
	assert_true(vex_dir_hash("abc", 3, 0) == 0x225e167ad6bb84c0ULL);
	assert_true(vex_dir_hash("abc", 3, 1) != 0x225e167ad6bb84c0ULL);
}

static void test_layout_of_leaf(void **state)
{
	static const u8 expected[40] = {
		0xc0, 0x84, 0xbb, 0xd6, 0x7a, 0x16, 0x5e, 0x22,
		0x34, 0x12, 0, 0, 0, 0, 0, 0, 3, 4, 'a', 'b', 'c', 0, 0, 0,
		0x20, 0x37, 0xc6, 0xd4, 0x78, 0x62, 0x27, 0x69,
		9, 0, 0, 0, 0, 0, 0, 0,
	};
	const struct vexfs_disk_node *node;
	struct memory_blocks mem;
	u64 next;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_DIRECTORY, 0);
	assert_int_equal(vex_dir_is_empty(&mem.tree), 1);
	assert_int_equal(vex_dir_iterate(&mem.tree, 0, NULL, NULL, &next), 1);
	assert_int_equal(vex_dir_add(&mem.tree, "a", 1, 0, 9, 8), 0);
	assert_int_equal(vex_dir_add(&mem.tree, "abc", 3, 0, 0x1234, 4), 0);
	assert_int_equal(vex_dir_is_empty(&mem.tree), 0);
	assert_int_equal(mem.root.r_depth, 1);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 1);
	node = memory_blocks_data(&mem, vex_load_le64(mem.root.r_data + 8));
	assert_int_equal(le16_to_cpu(node->n_count), 2);
	assert_int_equal(le16_to_cpu(node->n_bytes), 48);
	assert_memory_equal(node->n_data, expected, sizeof(expected));
	assert_int_equal(vex_dir_remove(&mem.tree, "a", 1, 0), 0);
	memory_blocks_check(&mem, NULL, NULL);
	assert_int_equal(vex_dir_remove(&mem.tree, "abc", 3, 0), 0);
	assert_int_equal(vex_dir_remove(&mem.tree, "abc", 3, 0), -ENOENT);
	assert_int_equal(vex_dir_is_empty(&mem.tree), 1);
	assert_int_equal(mem.root.r_depth, 0);
	assert_int_equal(mem.live, 0);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);
}

static void test_refused(void **state)
{
	struct memory_blocks mem;
	char long_name[257];
	u64 ino;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_DIRECTORY, 0);
	memset(long_name, 'x', sizeof(long_name));
	long_name[256] = 0;
	assert_int_equal(add(&mem, "", 5), -EINVAL);
	assert_int_equal(add(&mem, long_name, 5), -EINVAL);
	long_name[255] = 0;
	assert_int_equal(add(&mem, long_name, 5), 0);
	assert_int_equal(add(&mem, long_name, 6), -EEXIST);
	assert_int_equal(find(&mem, long_name, &ino), 0);
	assert_int_equal(ino, 5);
	assert_int_equal(find(&mem, "x", &ino), -ENOENT);
	assert_int_equal(vex_dir_set(&mem.tree, "x", 1, SEED, 7, 8), -ENOENT);
	assert_int_equal(vex_dir_set(&mem.tree, long_name, 255, SEED, 7, 4), 0);
	assert_int_equal(find(&mem, long_name, &ino), 0);
	assert_int_equal(ino, 7);
	memory_blocks_destroy(&mem);
}

/*
 * A directory whose names have keys of the test's choice, as names that share
 * a hash are not to be had: @leaves leaves of @count names each, whose keys
 * go up by one from @key on. Name i is "collision-<i>-" and many x.
 */
static void build_collisions(struct memory_blocks *mem, u64 key, u32 leaves,
			     u32 count, u32 length)
{
	static u8 uuid[16] = "memory_blocks";
	struct vexfs_disk_index *child = (void *)mem->root.r_data;
	struct vexfs_disk_name *name;
	struct vexfs_disk_node *node;
	char text[256];
	u32 leaf, i;

	memory_blocks_init(mem, VEXFS_TREE_DIRECTORY, 0);
	mem->root.r_depth = 1;
	mem->root.r_count = cpu_to_le16(leaves);
	for (leaf = 0; leaf < leaves; leaf++) {
		node = memory_blocks_put(mem, leaf + 1, NULL);
		vex_header_init(node, VEXFS_MAGIC_TREE, leaf + 1, MEMORY_OWNER,
				uuid);
		node->n_kind = VEXFS_TREE_DIRECTORY;
		node->n_count = cpu_to_le16(count);
		node->n_bytes = cpu_to_le16(count * VEXFS_NAME_BYTES(length));
		child[leaf].x_key = cpu_to_le64(leaf ? key + leaf * count : 0);
		child[leaf].x_block = cpu_to_le64(leaf + 1);
		for (i = 0; i < count; i++) {
			name = (void *)(node->n_data +
					i * VEXFS_NAME_BYTES(length));
			memset(text, 'x', sizeof(text));
			sprintf(text, "collision-%u-", leaf * count + i);
			text[strlen(text)] = 'x';
			name->d_key = cpu_to_le64(key + leaf * count + i);
			name->d_ino = cpu_to_le64(100 + i);
			name->d_length = length;
			name->d_type = 8;
			memcpy(name->d_name, text, length);
		}
		memory_blocks_stamp(mem, leaf + 1);
	}
	memory_blocks_check(mem, NULL, NULL);
}

static void test_collisions(void **state)
{
	u64 hash = vex_dir_hash("name", 4, SEED);
	struct memory_blocks mem;
	struct vex_name entry;
	u64 ino;

	(void)state;
	/* All sixteen keys are taken, in one leaf and in two. */
	build_collisions(&mem, hash, 1, 16, 20);
	assert_int_equal(add(&mem, "name", 5), -ENOSPC);
	assert_int_equal(find(&mem, "name", &ino), -ENOENT);
	memory_blocks_destroy(&mem);
	build_collisions(&mem, hash, 2, 8, 20);
	assert_int_equal(add(&mem, "name", 5), -ENOSPC);
	assert_int_equal(find(&mem, "name", &ino), -ENOENT);
	memory_blocks_destroy(&mem);

	/* The last one is free, in the second leaf. */
	build_collisions(&mem, hash - 1, 2, 8, 20);
	assert_int_equal(add(&mem, "name", 5), 0);
	assert_int_equal(vex_dir_find(&mem.tree, "name", 4, SEED, &entry), 0);
	assert_int_equal(entry.key - hash, 15);
	memory_blocks_check(&mem, NULL, NULL);
	assert_int_equal(take_away(&mem, "name"), 0);
	assert_int_equal(find(&mem, "name", &ino), -ENOENT);
	memory_blocks_destroy(&mem);

	/* A free key in the first leaf, which the walk has left behind. */
	build_collisions(&mem, hash + 1, 2, 6, 20);
	assert_int_equal(add(&mem, "name", 5), 0);
	assert_int_equal(vex_dir_find(&mem.tree, "name", 4, SEED, &entry), 0);
	assert_int_equal(entry.key - hash, 0);
	assert_int_equal(entry.ino, 5);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);

	/* And where the leaf must be split for it: 14 * 280 bytes are used. */
	build_collisions(&mem, hash + 1, 1, 14, 250);
	assert_int_equal(add(&mem, "name", 5), 0);
	assert_int_equal(find(&mem, "name", &ino), 0);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);
}

/* The keys of a leaf count from *@ctx on; used to count names too. */
struct listing {
	u64 last;
	u64 count;
	u64 stop_after;
	char (*names)[256];
};

static int list(void *ctx, const struct vex_name *entry)
{
	struct listing *listing = ctx;

	if (listing->stop_after && listing->count == listing->stop_after)
		return 77;
	assert_true(entry->key > listing->last);
	listing->last = entry->key;
	if (listing->names) {
		memcpy(listing->names[listing->count], entry->name,
		       entry->length);
		listing->names[listing->count][entry->length] = 0;
	}
	listing->count++;
	return 0;
}

/* Walk it all, leaving now and then and going on at *next. */
static u64 list_all(struct memory_blocks *mem, char (*names)[256], u32 leave)
{
	struct listing listing = { .names = names };
	u64 next = 0;
	int ret;

	do {
		if (leave)
			listing.stop_after = listing.count + 1 +
					     random_below(leave);
		ret = vex_dir_iterate(&mem->tree, next, list, &listing, &next);
		assert_true(ret == 0 || ret == 1 || ret == 77);
		assert_true(!listing.count || next == listing.last + 1);
	} while (ret != 1);
	assert_int_equal(mem->held, 0);
	return listing.count;
}

#define NAMES	100000U

static void name_of(u32 i, char *name)
{
	sprintf(name, "%u-name-%.*s", i, (int)(i % 40),
		"0123456789012345678901234567890123456789");
}

static void test_many_names(void **state)
{
	struct memory_blocks mem;
	char name[64];
	u64 ino;
	u32 i;

	(void)state;
	random_seed("many names", 30);
	memory_blocks_init(&mem, VEXFS_TREE_DIRECTORY, 0);
	for (i = 0; i < NAMES; i++) {
		name_of(i, name);
		assert_int_equal(add(&mem, name, 1000 + i), 0);
	}
	memory_blocks_drop(&mem);
	print_message("%u names: depth %u, %llu blocks\n", NAMES,
		      memory_blocks_check(&mem, NULL, NULL),
		      (unsigned long long)mem.live);
	for (i = 0; i < NAMES; i++) {
		name_of(i, name);
		assert_int_equal(find(&mem, name, &ino), 0);
		assert_int_equal(ino, 1000 + i);
		strcat(name, "!");
		assert_int_equal(find(&mem, name, &ino), -ENOENT);
	}
	assert_int_equal(list_all(&mem, NULL, 0), NAMES);
	assert_int_equal(list_all(&mem, NULL, 300), NAMES);
	for (i = 0; i < NAMES; i += 2) {
		name_of(i, name);
		assert_int_equal(take_away(&mem, name), 0);
	}
	memory_blocks_check(&mem, NULL, NULL);
	assert_int_equal(list_all(&mem, NULL, 0), NAMES / 2);
	for (i = 0; i < NAMES; i++) {
		name_of(i, name);
		assert_int_equal(add(&mem, name, 5), i % 2 ? -EEXIST : 0);
	}
	for (i = NAMES; i-- > 0;) {
		name_of(i, name);
		assert_int_equal(take_away(&mem, name), 0);
		if (i % 10000 == 0)
			memory_blocks_check(&mem, NULL, NULL);
	}
	assert_int_equal(mem.live, 0);
	assert_int_equal(vex_dir_is_empty(&mem.tree), 1);
	memory_blocks_destroy(&mem);
}

/* The model: which of these names are there, and for which inode. */
#define POOL	1500U

struct model {
	struct memory_blocks mem;
	char names[POOL][256];
	u64 inos[POOL];		/* 0: not there */
	char listed[POOL][256];
	bool faults;
};

static int compare_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void compare(struct model *model)
{
	u64 count, there = 0;
	u64 ino;
	u32 i;

	memory_blocks_check(&model->mem, NULL, NULL);
	count = list_all(&model->mem, model->listed, random_below(2) * 10);
	for (i = 0; i < POOL; i++) {
		int ret = find(&model->mem, model->names[i], &ino);

		assert_int_equal(ret, model->inos[i] ? 0 : -ENOENT);
		if (model->inos[i]) {
			assert_true(ino == model->inos[i]);
			there++;
		}
	}
	assert_int_equal(count, there);
	qsort(model->listed, count, 256, compare_text);
	for (i = 1; i < count; i++)
		assert_string_not_equal(model->listed[i - 1],
					model->listed[i]);
	assert_int_equal(vex_dir_is_empty(&model->mem.tree), !there);
}

/* A snapshot of every block and the root. */
struct snapshot {
	struct vexfs_disk_root root;
	u64 hash;
	u64 live;
};

static void take_snapshot(struct memory_blocks *mem, struct snapshot *snapshot)
{
	const u8 *data;
	u64 i;

	snapshot->root = mem->root;
	snapshot->live = mem->live;
	snapshot->hash = 0;
	for (i = 0; i < mem->count; i++) {
		data = memory_blocks_data(mem, i);
		if (data)
			snapshot->hash = vex_xxh64(data + VEXFS_HEADER_BYTES,
						   VEXFS_PAYLOAD_BYTES,
						   snapshot->hash + i);
	}
}

static int apply(struct model *model, u32 change, u32 i, u64 ino)
{
	struct vex_tree *tree = &model->mem.tree;
	const char *name = model->names[i];

	if (change == 0)
		return vex_dir_add(tree, name, strlen(name), SEED, ino, 8);
	if (change == 1)
		return vex_dir_remove(tree, name, strlen(name), SEED);
	return vex_dir_set(tree, name, strlen(name), SEED, ino, 4);
}

static int apply_with_faults(struct model *model, u32 change, u32 i, u64 ino)
{
	struct memory_blocks *mem = &model->mem;
	struct snapshot before, after;
	long n;
	int ret;

	for (n = 0; model->faults; n++) {
		take_snapshot(mem, &before);
		mem->failed = false;
		mem->fail_after = n;
		ret = apply(model, change, i, ino);
		mem->fail_after = -1;
		memory_blocks_commit(mem);
		if (!mem->failed || (ret != -EIO && ret != -ENOSPC))
			return ret;
		take_snapshot(mem, &after);
		assert_memory_equal(&before, &after, sizeof(before));
		if (!random_below(4))
			memory_blocks_drop(mem);
	}
	ret = apply(model, change, i, ino);
	memory_blocks_commit(mem);
	return ret;
}

static void random_steps(struct model *model, u32 steps, u32 grow, u32 often)
{
	u32 step, i, change;
	u64 ino;
	int ret;

	for (step = 0; step < steps; step++) {
		i = random_below(POOL);
		ino = 1 + random_below(1000000);
		change = random_below(16) < grow ? 0 : 1 + !random_below(5);
		ret = apply_with_faults(model, change, i, ino);
		if (change == 0) {
			assert_int_equal(ret, model->inos[i] ? -EEXIST : 0);
			if (!ret)
				model->inos[i] = ino;
		} else {
			assert_int_equal(ret, model->inos[i] ? 0 : -ENOENT);
			if (!ret)
				model->inos[i] = change == 1 ? 0 : ino;
		}
		if (!random_below(200))
			memory_blocks_drop(&model->mem);
		if (step % often == 0)
			compare(model);
	}
	compare(model);
}

static void run_model(u32 longest, u32 rounds, u32 steps, bool faults,
		      u32 often)
{
	struct model *model = calloc(1, sizeof(*model));
	u32 i, length, deepest = 0;

	assert_non_null(model);
	model->faults = faults;
	memory_blocks_init(&model->mem, VEXFS_TREE_DIRECTORY, 0);
	for (i = 0; i < POOL; i++) {
		sprintf(model->names[i], "%u", i);
		length = 1 + random_below(longest);
		while (strlen(model->names[i]) < length)
			strcat(model->names[i], "y");
	}
	for (i = 0; i < rounds; i++) {
		random_steps(model, steps, 14, often);
		deepest = max_t(u32, deepest, model->mem.root.r_depth);
		random_steps(model, steps, 8, often);
		random_steps(model, steps, 1, often);
	}
	for (i = 0; i < POOL; i++)
		if (model->inos[i])
			assert_int_equal(take_away(&model->mem,
						   model->names[i]), 0);
	assert_int_equal(model->mem.live, 0);
	assert_int_equal(model->mem.corruptions, 0);
	print_message("names of up to %u bytes: depth %u reached\n", longest,
		      deepest);
	memory_blocks_destroy(&model->mem);
	free(model);
}

static void test_model(void **state)
{
	(void)state;
	random_seed("model", 31);
	run_model(12, 3, 8000, false, 800);
	run_model(255, 3, 8000, false, 800);
}

static void test_model_with_faults(void **state)
{
	(void)state;
	random_seed("model with faults", 32);
	run_model(255, 1, 2000, true, 400);
}

static void test_pop(void **state)
{
	struct memory_blocks mem;
	char name[64];
	u32 i;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_DIRECTORY, 0);
	for (i = 0; i < 20000; i++) {
		name_of(i, name);
		assert_int_equal(add(&mem, name, 1), 0);
	}
	while (mem.live) {
		assert_int_equal(vex_tree_pop_block(&mem.tree), 0);
		memory_blocks_commit(&mem);
		if (mem.live % 16 == 0)
			memory_blocks_check(&mem, NULL, NULL);
	}
	assert_int_equal(vex_tree_pop_block(&mem.tree), -ENOENT);
	assert_int_equal(vex_dir_is_empty(&mem.tree), 1);
	memory_blocks_destroy(&mem);
}

/* @what must be a message that begins with @begin. */
static void assert_says(const char *what, const char *begin)
{
	if (!what)
		fail_msg("passed, but %s is wrong", begin);
	if (strncmp(what, begin, strlen(begin)))
		fail_msg("\"%s\" does not begin with %s", what, begin);
}

static void test_check_names(void **state)
{
	/* On the heap, so that a sanitizer sees a step beyond its end. */
	struct vexfs_disk_node *node = aligned_alloc(64, sizeof(*node));
	struct vexfs_disk_name *first = (void *)node->n_data;
	struct vexfs_disk_name *second = (void *)(node->n_data + 24);

	(void)state;
#define CHECK(field, value, says) do {					\
	memset(node, 0, sizeof(*node));					\
	node->n_kind = VEXFS_TREE_DIRECTORY;				\
	node->n_count = cpu_to_le16(2);					\
	node->n_bytes = cpu_to_le16(24 + 32);				\
	first->d_key = cpu_to_le64(16);					\
	first->d_ino = cpu_to_le64(1);					\
	first->d_length = 2;						\
	first->d_type = 8;						\
	memcpy(first->d_name, ".a", 2);					\
	second->d_key = cpu_to_le64(17);				\
	second->d_ino = cpu_to_le64(1);					\
	second->d_length = 7;						\
	second->d_type = 4;						\
	memcpy(node->n_data + 24 + 18, "seventh", 7);			\
	assert_null(vex_tree_check_node(node, VEXFS_TREE_DIRECTORY, 0,	\
					16, 18, 0));			\
	assert_says(vex_tree_check_node(node, VEXFS_TREE_DIRECTORY, 0,	\
					17, 18, 0), "d_key");		\
	assert_says(vex_tree_check_node(node, VEXFS_TREE_DIRECTORY, 0,	\
					16, 17, 0), "d_key");		\
	field = value;							\
	assert_says(vex_tree_check_node(node, VEXFS_TREE_DIRECTORY, 0,	\
					0, U64_MAX, 0), says);		\
} while (0)
	CHECK(node->n_count, 0, "n_count");
	CHECK(node->n_count, cpu_to_le16(1), "n_bytes");
	CHECK(node->n_count, cpu_to_le16(3), "n_count");
	CHECK(node->n_count, cpu_to_le16(65535), "n_count");
	CHECK(node->n_bytes, cpu_to_le16(65535), "n_bytes");
	CHECK(node->n_bytes, cpu_to_le16(48), "d_length");
	CHECK(node->n_bytes, cpu_to_le16(40), "n_count");
	CHECK(node->n_data[4015], 1, "n_data");
	CHECK(first->d_key, cpu_to_le64(15), "d_key");
	CHECK(first->d_key, cpu_to_le64(17), "d_key");
	CHECK(second->d_key, cpu_to_le64(VEXFS_DIR_KEY_MAX + 1), "d_key");
	CHECK(first->d_ino, 0, "d_ino");
	CHECK(first->d_type, 0, "d_type");
	CHECK(first->d_type, 3, "d_type");
	CHECK(first->d_type, 13, "d_type");
	CHECK(first->d_type, 255, "d_type");
	CHECK(second->d_length, 0, "d_length");
	CHECK(second->d_length, 15, "d_length");
	CHECK(second->d_length, 255, "d_length");
	CHECK(second->d_length, 6, "n_bytes");
	CHECK(second->d_length, 8, "d_name");
	CHECK(first->d_name[1], '.', "d_name");
	CHECK(first->d_name[1], '/', "d_name");
	CHECK(first->d_name[0], 0, "d_name");
	CHECK(first->d_name[2], 'x', "d_name");
#undef CHECK
	free(node);
}

static int ignore(void *ctx, const struct vex_name *entry)
{
	u64 *sum = ctx;

	/* Touches the whole name, so that a sanitizer sees a bad length. */
	*sum += vex_xxh64(entry->name, entry->length, 0);
	return 0;
}

/* Whether any call noticed; none may crash or hang. */
static bool exercise(struct memory_blocks *mem, u32 i)
{
	struct vex_name entry;
	bool seen = false;
	u64 next = 0, sum = 0, last;
	char name[64];
	int ret, n;

	for (n = 0; n < 100000; n++) {
		last = next;
		ret = vex_dir_iterate(&mem->tree, next, ignore, &sum, &next);
		seen |= ret == -EUCLEAN;
		if (ret || next == last)
			break;
	}
	for (n = 0; n < 4; n++, i++) {
		name_of(i, name);
		seen |= add(mem, name, 6) == -EUCLEAN;
		ret = vex_dir_find(&mem->tree, name, strlen(name), SEED,
				   &entry);
		seen |= ret == -EUCLEAN;
		ret = vex_dir_set(&mem->tree, name, strlen(name), SEED, 5, 8);
		seen |= ret == -EUCLEAN;
		seen |= take_away(mem, name) == -EUCLEAN;
	}
	assert_int_equal(mem->held, 0);
	return seen;
}

static void build_damage_base(struct memory_blocks *mem)
{
	char name[64];
	u32 i;

	memory_blocks_init(mem, VEXFS_TREE_DIRECTORY, 0);
	for (i = 0; i < 300; i++) {
		name_of(i, name);
		assert_int_equal(add(mem, name, 1000 + i), 0);
	}
	memory_blocks_drop(mem);
}

static void test_damage(void **state)
{
	const struct vexfs_disk_index *child;
	struct memory_blocks mem, base;
	u32 at, caught = 0, passed = 0;
	const char *what;
	u64 block;
	u8 *data;

	(void)state;
	random_seed("damage", 33);
	build_damage_base(&base);
	child = (const void *)base.root.r_data;
	block = le64_to_cpu(child->x_block);
	for (at = VEXFS_HEADER_BYTES; at < VEXFS_BLOCK_SIZE; at++) {
		memory_blocks_clone(&mem, &base);
		data = memory_blocks_data(&mem, block);
		data[at] ^= 1 << random_below(8);
		memory_blocks_stamp(&mem, block);
		what = vex_tree_check_node((void *)data, VEXFS_TREE_DIRECTORY,
					   0, 0, le64_to_cpu(child[1].x_key),
					   0);
		if (what) {
			assert_true(exercise(&mem, random_below(300)));
			assert_ptr_equal(mem.what, what);
			caught++;
		} else {
			exercise(&mem, random_below(300));
			passed++;
		}
		memory_blocks_destroy(&mem);
	}
	print_message("damage: %u caught, %u within names and inodes\n",
		      caught, passed);
	memory_blocks_destroy(&base);
}

static void test_damage_unseen(void **state)
{
	struct memory_blocks mem, base;
	u32 round, n;
	u64 i, sum = 0;
	u8 *data;

	(void)state;
	random_seed("damage unseen", 34);
	build_damage_base(&base);
	for (round = 0; round < 3000; round++) {
		memory_blocks_clone(&mem, &base);
		for (n = 1 + random_below(8); n; n--) {
			data = memory_blocks_data(&mem, 1 + random_below(3));
			i = random_below(4) ? 64 + random_below(4032) :
					      64 + random_below(6);
			data[i] = random_u64();
		}
		memory_blocks_trust(&mem);
		for (n = 0; n < 10; n++)
			exercise(&mem, random_below(300));
		vex_dir_iterate(&mem.tree, random_u64(), ignore, &sum, &i);
		memory_blocks_destroy(&mem);
	}
	memory_blocks_destroy(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_layout_of_leaf),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_check_names),
		cmocka_unit_test(test_pop),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_model_with_faults),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
