// SPDX-License-Identifier: Apache-2.0
/*
 * Trees of runs that are damaged: each message of the checks, and flipped bits
 * in every field of every kind of block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "layout.h"
#include "memory_blocks.h"
#include "random.h"
#include "tree_runs.h"

/* @what must be a message that begins with @begin. */
static void assert_says(const char *what, const char *begin)
{
	if (!what)
		fail_msg("passed, but %s is wrong", begin);
	if (strncmp(what, begin, strlen(begin)))
		fail_msg("\"%s\" does not begin with %s", what, begin);
}

static void test_check_records(void **state)
{
	static struct vexfs_disk_node node;
	struct vexfs_disk_record *record = (void *)node.n_data;
	struct vexfs_disk_record good[2] = {
		{ .r_key = cpu_to_le64(10), .r_value = cpu_to_le64(10),
		  .r_length = cpu_to_le32(5) },
		{ .r_key = cpu_to_le64(15), .r_value = cpu_to_le64(15),
		  .r_length = cpu_to_le32(5) },
	};

	(void)state;
#define CHECK(kind, field, value, says) do {				\
	memset(&node, 0, sizeof(node));					\
	node.n_kind = kind;						\
	node.n_count = cpu_to_le16(2);					\
	node.n_bytes = cpu_to_le16(48);					\
	memcpy(record, good, sizeof(good));				\
	assert_null(vex_tree_check_node(&node, kind, 0, 10, 20, 20));	\
	assert_says(vex_tree_check_node(&node, kind, 0, 11, 20, 20),	\
		    "r_key");						\
	assert_says(vex_tree_check_node(&node, kind, 0, 10, 19, 20),	\
		    "r_key");						\
	field = value;							\
	assert_says(vex_tree_check_node(&node, kind, 0, 10, 20, 20),	\
		    says);						\
} while (0)
	CHECK(VEXFS_TREE_EXTENTS, node.n_kind, VEXFS_TREE_IDS, "n_kind");
	CHECK(VEXFS_TREE_EXTENTS, node.n_depth, 1, "n_depth");
	CHECK(VEXFS_TREE_EXTENTS, node.n_count, 0, "n_count");
	CHECK(VEXFS_TREE_EXTENTS, node.n_count, cpu_to_le16(168), "n_count");
	CHECK(VEXFS_TREE_EXTENTS, node.n_bytes, cpu_to_le16(4017), "n_bytes");
	CHECK(VEXFS_TREE_EXTENTS, node.n_bytes, cpu_to_le16(47), "n_count");
	CHECK(VEXFS_TREE_EXTENTS, node.n_reserved[9], 1, "n_reserved");
	CHECK(VEXFS_TREE_EXTENTS, node.n_data[48], 1, "n_data");
	CHECK(VEXFS_TREE_EXTENTS, node.n_data[VEXFS_NODE_BYTES - 1], 1,
	      "n_data");
	CHECK(VEXFS_TREE_EXTENTS, record[0].r_length, 0, "r_length");
	CHECK(VEXFS_TREE_EXTENTS, record[0].r_length, cpu_to_le32(6), "r_key");
	CHECK(VEXFS_TREE_EXTENTS, record[1].r_key, cpu_to_le64(U64_MAX - 4),
	      "r_key");
	CHECK(VEXFS_TREE_EXTENTS, record[1].r_value, cpu_to_le64(U64_MAX - 4),
	      "r_value");
	CHECK(VEXFS_TREE_EXTENTS, record[1].r_value, cpu_to_le64(16),
	      "r_value");
	CHECK(VEXFS_TREE_EXTENTS, record[0].r_value, 0, "r_value");
	CHECK(VEXFS_TREE_EXTENTS, record[0].r_flags,
	      cpu_to_le32(VEXFS_RECORD_SHARED), "r_flags");
	CHECK(VEXFS_TREE_IDS, record[0].r_flags, cpu_to_le32(1), "r_flags");
	CHECK(VEXFS_TREE_ROWS, record[0].r_flags, cpu_to_le32(1), "r_flags");
	CHECK(VEXFS_TREE_TOMBSTONES, record[0].r_value, cpu_to_le64(9),
	      "r_value");
#undef CHECK
}

static void test_check_children(void **state)
{
	struct vexfs_disk_root root;
	struct vexfs_disk_index *child = (void *)root.r_data;

	(void)state;
#define CHECK(field, value, says) do {					\
	vex_tree_init_root(&root, VEXFS_TREE_IDS);			\
	root.r_depth = 8;						\
	root.r_count = cpu_to_le16(2);					\
	child[0].x_block = cpu_to_le64(9);				\
	child[1].x_key = cpu_to_le64(1);				\
	child[1].x_block = cpu_to_le64(8);				\
	assert_null(vex_tree_check_root(&root, VEXFS_TREE_IDS, 10));	\
	field = value;							\
	assert_says(vex_tree_check_root(&root, VEXFS_TREE_IDS, 10),	\
		    says);						\
} while (0)
	CHECK(root.r_kind, VEXFS_TREE_ROWS, "r_kind");
	CHECK(root.r_depth, 9, "r_depth");
	CHECK(root.r_count, 0, "r_count");
	CHECK(root.r_count, cpu_to_le16(11), "r_count");
	CHECK(root.r_reserved, cpu_to_le32(1), "r_reserved");
	CHECK(root.r_data[32], 1, "r_data");
	CHECK(root.r_data[167], 1, "r_data");
	CHECK(child[0].x_key, cpu_to_le64(1), "x_key");
	CHECK(child[1].x_key, 0, "x_key");
	CHECK(child[1].x_key, cpu_to_le64(U64_MAX), "x_key");
	CHECK(child[0].x_block, 0, "x_block");
	CHECK(child[1].x_block, cpu_to_le64(10), "x_block");
#undef CHECK
	vex_tree_init_root(&root, VEXFS_TREE_NONE);
	assert_null(vex_tree_check_root(&root, VEXFS_TREE_NONE, 0));
	root.r_data[5] = 1;
	assert_says(vex_tree_check_root(&root, VEXFS_TREE_NONE, 0), "r_data");
	root.r_data[5] = 0;
	root.r_depth = 1;
	assert_says(vex_tree_check_root(&root, VEXFS_TREE_NONE, 0), "r_depth");
	vex_tree_init_root(&root, VEXFS_TREE_DIRECTORY);
	assert_null(vex_tree_check_root(&root, VEXFS_TREE_DIRECTORY, 0));
	root.r_count = cpu_to_le16(1);
	assert_says(vex_tree_check_root(&root, VEXFS_TREE_DIRECTORY, 0),
		    "r_count");
	vex_tree_init_root(&root, VEXFS_TREE_IDS);
	root.r_count = cpu_to_le16(8);
	assert_says(vex_tree_check_root(&root, VEXFS_TREE_IDS, 0), "r_count");
}

/* The blocks of a tree by level, for damage. */
struct levels {
	u64 first[VEXFS_TREE_DEPTH_MAX];
	u32 depth;
};

static void find_levels(struct memory_blocks *mem, u32 slot,
			struct levels *levels)
{
	const struct vexfs_disk_index *child = (const void *)mem->root.r_data;
	const struct vexfs_disk_node *node;
	u32 level, count = le16_to_cpu(mem->root.r_count);

	levels->depth = mem->root.r_depth;
	for (level = levels->depth; level--;) {
		slot = min(slot, count - 1);
		levels->first[level] = le64_to_cpu(child[slot].x_block);
		node = memory_blocks_data(mem, levels->first[level]);
		count = le16_to_cpu(node->n_count);
		child = (const void *)node->n_data;
	}
}

/* Everything that a tree can be asked; none may crash or hang. */
static bool exercise(struct memory_blocks *mem, u64 key)
{
	struct vex_run run, runs[20];
	bool seen = false;
	u64 at = 0, done;
	int ret, i;

	for (i = 0; i < 3; i++) {
		ret = vex_tree_find(&mem->tree, key + i, &run);
		seen |= ret == -EUCLEAN;
		ret = vex_tree_find_last(&mem->tree, key + i, &run);
		seen |= ret == -EUCLEAN;
		seen |= insert(mem, key + i, 7, 1, 0) == -EUCLEAN;
		ret = vex_tree_cut(&mem->tree, key, key + i, 1, &run);
		seen |= ret == -EUCLEAN;
		ret = vex_tree_set_flags(&mem->tree, key, 1, i & 1, &done);
		seen |= ret == -EUCLEAN;
	}
	for (i = 0; i < 1000; i++) {
		ret = vex_tree_find_many(&mem->tree, at, runs, 20);
		seen |= ret == -EUCLEAN;
		if (ret <= 0 || runs[ret - 1].key + runs[ret - 1].length <= at)
			break;
		at = runs[ret - 1].key + runs[ret - 1].length;
	}
	assert_int_equal(mem->held, 0);
	return seen;
}

static void build_damage_base(struct memory_blocks *mem)
{
	u64 i;

	memory_blocks_init(mem, VEXFS_TREE_EXTENTS, LIMIT);
	for (i = 0; i < 2500; i++)
		assert_int_equal(insert(mem, 4 * i, 5 + 3 * i, 2, i & 1), 0);
	assert_int_equal(mem->root.r_depth, 2);
	memory_blocks_drop(mem);
}

/* Key at which the first block of a level ends. */
static u64 end_of_first(struct memory_blocks *mem, struct levels *levels,
			u32 level)
{
	const struct vexfs_disk_node *node;

	/* The root of this tree has a single child. */
	if (level + 1 == levels->depth)
		return U64_MAX;
	node = memory_blocks_data(mem, levels->first[level + 1]);
	return vex_load_le64(node->n_data + sizeof(struct vexfs_disk_index));
}

/* One bit of a block after the other, with a right checksum. */
static void test_damage(void **state)
{
	u32 at, caught = 0, passed = 0, level;
	struct memory_blocks mem, base;
	struct levels levels;
	const char *what;
	u8 *data;

	(void)state;
	random_seed("damage", 23);
	build_damage_base(&base);
	find_levels(&base, 0, &levels);
	for (level = 0; level < levels.depth; level++) {
		for (at = VEXFS_HEADER_BYTES; at < VEXFS_BLOCK_SIZE; at++) {
			memory_blocks_clone(&mem, &base);
			data = memory_blocks_data(&mem, levels.first[level]);
			data[at] ^= 1 << random_below(8);
			memory_blocks_stamp(&mem, levels.first[level]);
			what = vex_tree_check_node((void *)data,
						   VEXFS_TREE_EXTENTS, level, 0,
						   end_of_first(&base, &levels,
								level), LIMIT);
			if (what) {
				assert_true(exercise(&mem, 1));
				assert_ptr_equal(mem.what, what);
				caught++;
			} else {
				/* Another value, key or child. */
				exercise(&mem, 1);
				passed++;
			}
			memory_blocks_destroy(&mem);
		}
	}
	print_message("damage: %u caught, %u look right\n", caught, passed);
	memory_blocks_destroy(&base);
}

/* Damage that the provider claims was verified: safe, if not noticed. */
static void test_damage_unseen(void **state)
{
	struct memory_blocks mem, base;
	struct levels levels;
	u32 round, i, n;
	u8 *data;

	(void)state;
	random_seed("damage unseen", 24);
	build_damage_base(&base);
	for (round = 0; round < 800; round++) {
		memory_blocks_clone(&mem, &base);
		find_levels(&mem, random_below(2), &levels);
		for (n = 1 + random_below(6); n; n--) {
			data = memory_blocks_data(&mem,
						  levels.first[random_below(2)]);
			i = random_below(2) ? 64 + random_below(64) :
					      64 + random_below(4032);
			data[i] = random_u64();
		}
		memory_blocks_trust(&mem);
		for (n = 0; n < 10; n++)
			exercise(&mem, random_below(2) ? random_below(30) :
						 random_below(10000));
		memory_blocks_destroy(&mem);
	}
	memory_blocks_destroy(&base);
}

static void test_damaged_root(void **state)
{
	struct memory_blocks mem, base;
	bool passes, seen;
	u32 bit;

	(void)state;
	build_damage_base(&base);
	for (bit = 0; bit < 8 * sizeof(struct vexfs_disk_root); bit++) {
		memory_blocks_clone(&mem, &base);
		((u8 *)&mem.root)[bit / 8] ^= 1 << bit % 8;
		passes = !vex_tree_check_root(&mem.root, VEXFS_TREE_EXTENTS,
					      LIMIT);
		/* A wrong depth, child or border shows one level below. */
		assert_true(!passes || bit / 8 == 1 || bit / 8 >= 8);
		seen = exercise(&mem, 10);
		assert_true(!passes || bit / 8 != 1 || seen);
		memory_blocks_destroy(&mem);
	}
	memory_blocks_destroy(&base);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_records),
		cmocka_unit_test(test_check_children),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_unseen),
		cmocka_unit_test(test_damaged_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
