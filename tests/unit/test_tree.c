// SPDX-License-Identifier: Apache-2.0
/*
 * Trees of runs: known layouts, a random comparison with a plain array, large
 * trees, and an error at every step.
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

#define KEYS		24000U		/* keys of the model */

/* All records of a tree in order. */
struct dump {
	struct vex_run *runs;
	size_t count;
	size_t room;
	const struct vexfs_disk_root *root;
};

static void dump_leaf(void *ctx, const struct vexfs_disk_node *node)
{
	struct dump *dump = ctx;
	const struct vexfs_disk_record *record;
	u32 i, count;

	record = node ? (const void *)node->n_data :
			(const void *)dump->root->r_data;
	count = le16_to_cpu(node ? node->n_count : dump->root->r_count);
	if (dump->count + count > dump->room) {
		dump->room = 2 * (dump->count + count);
		dump->runs = realloc(dump->runs,
				     dump->room * sizeof(*dump->runs));
		assert_non_null(dump->runs);
	}
	for (i = 0; i < count; i++)
		dump->runs[dump->count++] =
			run_of(le64_to_cpu(record[i].r_key),
			       le64_to_cpu(record[i].r_value),
			       le32_to_cpu(record[i].r_length),
			       le32_to_cpu(record[i].r_flags));
}

static u32 dump_tree(struct memory_blocks *mem, struct dump *dump)
{
	memset(dump, 0, sizeof(*dump));
	dump->root = &mem->root;
	return memory_blocks_check(mem, dump_leaf, dump);
}

static bool dumps_equal(const struct dump *a, const struct dump *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->runs, b->runs,
				     a->count * sizeof(*a->runs)));
}

static void test_layout_of_root(void **state)
{
	static const u8 expected[176] = {
		1, 0, 2, 0, 0, 0, 0, 0,
		5, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 0, 0, 0, 0, 0, 0,
		0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 1, 0, 0, 0,
	};
	struct memory_blocks mem;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, LIMIT);
	assert_int_equal(insert(&mem, 256, 65536, 1, VEXFS_RECORD_UNWRITTEN), 0);
	assert_int_equal(insert(&mem, 5, 100, 2, 0), 0);
	assert_int_equal(insert(&mem, 7, 102, 2, 0), 0);
	assert_memory_equal(&mem.root, expected, sizeof(expected));
	memory_blocks_destroy(&mem);
}

static void test_layout_of_leaf(void **state)
{
	const struct vexfs_disk_record *record;
	const struct vexfs_disk_index *child;
	const struct vexfs_disk_node *node;
	struct memory_blocks mem;
	u64 i;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_IDS, 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(insert(&mem, 10 * i, 5 * i, 2, 0), 0);
	assert_int_equal(mem.root.r_kind, VEXFS_TREE_IDS);
	assert_int_equal(mem.root.r_depth, 1);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 1);
	child = (const void *)mem.root.r_data;
	assert_int_equal(le64_to_cpu(child->x_key), 0);
	node = memory_blocks_data(&mem, le64_to_cpu(child->x_block));
	assert_non_null(node);
	assert_int_equal(node->n_kind, VEXFS_TREE_IDS);
	assert_int_equal(node->n_depth, 0);
	assert_int_equal(le16_to_cpu(node->n_count), 8);
	assert_int_equal(le16_to_cpu(node->n_bytes), 8 * 24);
	record = (const void *)node->n_data;
	for (i = 0; i < 8; i++) {
		assert_int_equal(le64_to_cpu(record[i].r_key), 10 * i);
		assert_int_equal(le64_to_cpu(record[i].r_value), 5 * i);
		assert_int_equal(le32_to_cpu(record[i].r_length), 2);
	}
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);
}

static void test_join(void **state)
{
	struct memory_blocks mem;
	struct vex_run run;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, LIMIT);
	assert_int_equal(insert(&mem, 10, 110, 5, 0), 0);
	assert_int_equal(insert(&mem, 20, 120, 5, 0), 0);
	assert_int_equal(insert(&mem, 15, 115, 5, 0), 0);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 1);
	assert_int_equal(vex_tree_find(&mem.tree, 12, &run), 0);
	assert_int_equal(run.key, 10);
	assert_int_equal(run.length, 15);
	/* Not: another value, other flags. */
	assert_int_equal(insert(&mem, 25, 126, 1, 0), 0);
	assert_int_equal(insert(&mem, 26, 127, 1, VEXFS_RECORD_UNWRITTEN), 0);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 3);
	/* Not beyond 32 bits; joins with one side if both are too much. */
	assert_int_equal(insert(&mem, 1000, 1000, U32_MAX - 5, 0), 0);
	assert_int_equal(insert(&mem, 1005ULL + U32_MAX, 1005ULL + U32_MAX, 10,
				0), 0);
	assert_int_equal(insert(&mem, 995ULL + U32_MAX, 995ULL + U32_MAX, 10,
				0), 0);
	assert_int_equal(vex_tree_find(&mem.tree, 995ULL + U32_MAX, &run), 0);
	assert_int_equal(run.key, 995ULL + U32_MAX);
	assert_int_equal(run.length, 20);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);

	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, LIMIT);
	assert_int_equal(insert(&mem, 0, 1, U32_MAX - 15, 0), 0);
	assert_int_equal(insert(&mem, U32_MAX - 5, U32_MAX - 4, 10, 0), 0);
	assert_int_equal(insert(&mem, U32_MAX - 15, U32_MAX - 14, 10, 0), 0);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 2);
	assert_int_equal(vex_tree_find(&mem.tree, 0, &run), 0);
	assert_int_equal(run.length, U32_MAX - 5);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);
}

static void test_refused(void **state)
{
	struct memory_blocks mem;
	struct vex_run run;
	u64 done;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, 1000);
	assert_int_equal(insert(&mem, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(insert(&mem, 0, 0, 1, 0), -EINVAL);
	assert_int_equal(insert(&mem, 0, 999, 2, 0), -EINVAL);
	assert_int_equal(insert(&mem, 0, U64_MAX, 2, 0), -EINVAL);
	assert_int_equal(insert(&mem, U64_MAX, 1, 1, 0), -EINVAL);
	assert_int_equal(insert(&mem, 0, 1, 1, VEXFS_RECORD_SHARED), -EINVAL);
	assert_int_equal(insert(&mem, 0, 1, 1, 1U << 31), -EINVAL);
	assert_int_equal(vex_tree_cut(&mem.tree, 1, 0, 1, &run), -EINVAL);
	assert_int_equal(vex_tree_cut(&mem.tree, 0, 1, 0, &run), -EINVAL);
	assert_int_equal(vex_tree_cut(&mem.tree, 0, U64_MAX, 1, &run), -ENOENT);
	assert_int_equal(vex_tree_find(&mem.tree, 0, &run), -ENOENT);
	assert_int_equal(vex_tree_find_last(&mem.tree, 0, &run), -ENOENT);
	assert_int_equal(vex_tree_find_last(&mem.tree, U64_MAX, &run), -ENOENT);
	assert_int_equal(insert(&mem, U64_MAX - 1, 998, 1, 0), 0);
	assert_int_equal(insert(&mem, U64_MAX - 1, 1, 1, 0), -EEXIST);
	assert_int_equal(insert(&mem, 0, 999, 1, 0), 0);
	assert_int_equal(vex_tree_find(&mem.tree, U64_MAX - 1, &run), 0);
	assert_int_equal(vex_tree_find(&mem.tree, U64_MAX, &run), -ENOENT);
	assert_int_equal(vex_tree_find_last(&mem.tree, U64_MAX, &run), 0);
	assert_int_equal(run.value, 998);
	assert_int_equal(vex_tree_set_flags(&mem.tree, 0, 0, 0, &done), -EINVAL);
	assert_int_equal(vex_tree_set_flags(&mem.tree, 0, 1, 2, &done), -EINVAL);
	assert_int_equal(vex_tree_set_flags(&mem.tree, 1, 1, 0, &done), -ENOENT);
	assert_int_equal(vex_tree_set_flags(&mem.tree, 0, 9, 1, &done), 0);
	assert_int_equal(done, 1);
	memory_blocks_destroy(&mem);

	memory_blocks_init(&mem, VEXFS_TREE_TOMBSTONES, 0);
	assert_int_equal(insert(&mem, 5, 6, 1, 0), -EINVAL);
	assert_int_equal(insert(&mem, 5, 5, 1, 1), -EINVAL);
	assert_int_equal(insert(&mem, 5, 5, 1, 0), 0);
	assert_int_equal(vex_tree_set_flags(&mem.tree, 5, 1, 0, &done), -EINVAL);
	memory_blocks_destroy(&mem);
}

/* The model: what each key maps to; a value of 0 means nothing. */
struct cell {
	u64 value;
	u32 flags;
};

struct model {
	struct memory_blocks mem;
	struct cell cells[KEYS];
	u32 keys;	/* of them in use */
	u8 kind;
	bool faults;
};

static struct vex_run random_run(struct model *model)
{
	struct vex_run run;

	run.key = random_below(model->keys);
	run.length = 1 + random_below(random_below(4) ? 4 : 40);
	run.length = min(run.length, (u32)(model->keys - run.key));
	run.value = 1000000 + run.key;
	if (random_below(4))
		run.value = 1 + random_below(LIMIT - 100);
	run.flags = 0;
	if (model->kind == VEXFS_TREE_EXTENTS)
		run.flags = random_below(2);
	if (model->kind == VEXFS_TREE_TOMBSTONES)
		run.value = run.key;
	return run;
}

static u64 cell_value(const struct model *model, u64 key)
{
	return model->cells[key].value - 1;
}

static bool cell_used(const struct model *model, u64 key)
{
	return model->cells[key].value;
}

static void fill(struct model *model, const struct vex_run *run)
{
	u32 i;

	for (i = 0; i < run->length; i++) {
		model->cells[run->key + i].value = run->value + i + 1;
		model->cells[run->key + i].flags = run->flags;
	}
}

/* All keys of a run map to what the model says. */
static void assert_run(const struct model *model, const struct vex_run *run)
{
	u32 i;

	assert_true(run->length && run->key + run->length <= model->keys);
	for (i = 0; i < run->length; i++) {
		assert_true(cell_used(model, run->key + i));
		assert_true(cell_value(model, run->key + i) == run->value + i);
		assert_int_equal(model->cells[run->key + i].flags, run->flags);
	}
}

static void compare(struct model *model)
{
	struct dump dump;
	u64 key = 0;
	size_t i;

	dump_tree(&model->mem, &dump);
	for (i = 0; i < dump.count; i++) {
		for (; key < dump.runs[i].key; key++)
			assert_false(cell_used(model, key));
		assert_run(model, &dump.runs[i]);
		key += dump.runs[i].length;
	}
	for (; key < model->keys; key++)
		assert_false(cell_used(model, key));
	free(dump.runs);
}

enum change { INSERT, CUT, SET_FLAGS };

struct change_args {
	enum change change;
	struct vex_run run;	/* inserted, or removed */
	u64 first, last, max, length, done;
	u32 flags;
};

static int apply(struct model *model, struct change_args *args)
{
	struct vex_tree *tree = &model->mem.tree;

	switch (args->change) {
	case INSERT:
		return vex_tree_insert(tree, &args->run);
	case CUT:
		return vex_tree_cut(tree, args->first, args->last, args->max,
				    &args->run);
	case SET_FLAGS:
		return vex_tree_set_flags(tree, args->first, args->length,
					  args->flags, &args->done);
	}
	return -EINVAL;
}

/* Make a change, failing its n-th step for each n until it passes. */
static int apply_with_faults(struct model *model, struct change_args *args)
{
	struct memory_blocks *mem = &model->mem;
	struct dump before, after;
	u64 live;
	long n;
	int ret = 0;

	for (n = 0; model->faults; n++) {
		dump_tree(mem, &before);
		live = mem->live;
		mem->failed = false;
		mem->fail_after = n;
		ret = apply(model, args);
		mem->fail_after = -1;
		memory_blocks_commit(mem);
		if (!mem->failed || (ret != -EIO && ret != -ENOSPC)) {
			free(before.runs);
			return ret;
		}
		dump_tree(mem, &after);
		assert_true(dumps_equal(&before, &after));
		if (args->change != INSERT)
			assert_int_equal(live, mem->live);
		free(before.runs);
		free(after.runs);
		if (!random_below(3))
			memory_blocks_drop(mem);
	}
	ret = apply(model, args);
	memory_blocks_commit(mem);
	return ret;
}

static void step_insert(struct model *model)
{
	struct change_args args = { .change = INSERT };
	bool overlap = false;
	int ret;
	u32 i;

	args.run = random_run(model);
	for (i = 0; i < args.run.length; i++)
		overlap |= cell_used(model, args.run.key + i);
	ret = apply_with_faults(model, &args);
	assert_int_equal(ret, overlap ? -EEXIST : 0);
	if (!ret)
		fill(model, &args.run);
}

static void step_cut(struct model *model)
{
	struct change_args args = { .change = CUT };
	u64 greatest;
	u32 i;
	int ret;

	args.first = random_below(model->keys);
	args.last = args.first + random_below(random_below(8) ? 20 : 600);
	args.last = min(args.last, (u64)model->keys - 1);
	args.max = random_below(3) ? U64_MAX : 1 + random_below(5);
	for (greatest = args.last + 1; greatest > args.first; greatest--)
		if (cell_used(model, greatest - 1))
			break;
	ret = apply_with_faults(model, &args);
	assert_int_equal(ret, greatest > args.first ? 0 : -ENOENT);
	if (ret)
		return;
	assert_true(args.run.key >= args.first);
	assert_true(args.run.length <= args.max);
	assert_true(args.run.key + args.run.length == greatest);
	assert_run(model, &args.run);
	for (i = 0; i < args.run.length; i++)
		memset(&model->cells[args.run.key + i], 0,
		       sizeof(struct cell));
}

static void step_flags(struct model *model)
{
	struct change_args args = { .change = SET_FLAGS };
	u32 i;
	int ret;

	if (model->kind != VEXFS_TREE_EXTENTS)
		return;
	args.first = random_below(model->keys);
	args.length = 1 + random_below(10);
	args.flags = random_below(2);
	ret = apply_with_faults(model, &args);
	assert_int_equal(ret, cell_used(model, args.first) ? 0 : -ENOENT);
	if (ret)
		return;
	assert_true(args.done && args.done <= args.length);
	for (i = 0; i < args.done; i++) {
		assert_true(cell_used(model, args.first + i));
		assert_true(cell_value(model, args.first + i) ==
			    cell_value(model, args.first) + i);
		model->cells[args.first + i].flags = args.flags;
	}
}

static void step_find(struct model *model)
{
	struct vex_run runs[5];
	u64 key = random_below(model->keys);
	u64 at = key;
	int ret, i;

	while (at < model->keys && !cell_used(model, at))
		at++;
	ret = vex_tree_find(&model->mem.tree, key, &runs[0]);
	assert_int_equal(ret, at < model->keys ? 0 : -ENOENT);
	if (!ret) {
		assert_run(model, &runs[0]);
		assert_true(runs[0].key <= at);
		assert_true(at - runs[0].key < runs[0].length);
		assert_true(at == key || runs[0].key == at);
	}

	ret = vex_tree_find_many(&model->mem.tree, key, runs, 5);
	assert_true(ret >= 0 && ret <= 5 && !!ret == (at < model->keys));
	for (i = 0; i < ret; i++) {
		assert_run(model, &runs[i]);
		if (!i)
			continue;
		at = runs[i - 1].key + runs[i - 1].length;
		for (; at < runs[i].key; at++)
			assert_false(cell_used(model, at));
		assert_true(at == runs[i].key);
	}

	at = key;
	while (at && !cell_used(model, at - 1))
		at--;
	ret = vex_tree_find_last(&model->mem.tree, key, &runs[0]);
	assert_int_equal(ret, at ? 0 : -ENOENT);
	if (!ret) {
		assert_run(model, &runs[0]);
		assert_true(runs[0].key < key);
		assert_true(at - 1 - runs[0].key < runs[0].length);
	}
	assert_int_equal(model->mem.held, 0);
}

/* @grow of 16 changes are insertions. */
static void random_steps(struct model *model, u32 steps, u32 grow, u32 often)
{
	u32 i;

	for (i = 0; i < steps; i++) {
		if (random_below(16) < grow)
			step_insert(model);
		else
			step_cut(model);
		if (!random_below(3))
			step_flags(model);
		if (random_below(2))
			step_find(model);
		if (!random_below(300))
			memory_blocks_drop(&model->mem);
		if (i % often == 0)
			compare(model);
	}
	compare(model);
}

static void run_model(u8 kind, u32 keys, u32 rounds, u32 steps, bool faults,
		      u32 often)
{
	struct model *model = calloc(1, sizeof(*model));
	struct vex_run run;
	u32 i, deepest = 0;

	assert_non_null(model);
	model->kind = kind;
	model->keys = keys;
	model->faults = faults;
	memory_blocks_init(&model->mem, kind,
			   kind == VEXFS_TREE_EXTENTS ? LIMIT : 0);
	for (i = 0; i < rounds; i++) {
		random_steps(model, steps, 15, often);
		deepest = max_t(u32, deepest, model->mem.root.r_depth);
		random_steps(model, steps / 2, 8, often);
		random_steps(model, steps / 2, 1, often);
	}
	while (!vex_tree_cut(&model->mem.tree, 0, U64_MAX, U64_MAX, &run))
		;
	assert_int_equal(model->mem.live, 0);
	assert_int_equal(model->mem.root.r_depth, 0);
	assert_int_equal(model->mem.root.r_count, 0);
	assert_int_equal(model->mem.corruptions, 0);
	print_message("kind %u: depth %u reached\n", kind, deepest);
	memory_blocks_destroy(&model->mem);
	free(model);
}

static void test_model(void **state)
{
	u8 kind;

	(void)state;
	random_seed("model", 20);
	run_model(VEXFS_TREE_EXTENTS, KEYS, 3, 12000, false, 500);
	for (kind = VEXFS_TREE_IDS; kind < VEXFS_TREE_KINDS; kind++)
		run_model(kind, KEYS, 1, 12000, false, 500);
	run_model(VEXFS_TREE_EXTENTS, 120, 5, 4000, false, 50);
}

static void test_model_with_faults(void **state)
{
	(void)state;
	random_seed("model with faults", 21);
	run_model(VEXFS_TREE_EXTENTS, 60, 3, 600, true, 20);
	run_model(VEXFS_TREE_EXTENTS, 3000, 2, 1200, true, 50);
	run_model(VEXFS_TREE_IDS, 12000, 1, 2500, true, 200);
}

/* The same contents in one of three orders, to depth 3 and back. */
static void run_large(u32 count, int order, bool from_the_end)
{
	struct memory_blocks mem;
	struct vex_run run;
	struct dump dump;
	u32 i, j, depth;
	u32 *keys = malloc(count * sizeof(*keys));

	assert_non_null(keys);
	for (i = 0; i < count; i++)
		keys[i] = order < 0 ? count - 1 - i : i;
	for (i = count; order == 0 && i > 1; i--) {
		u32 other = random_below(i), key = keys[i - 1];

		keys[i - 1] = keys[other];
		keys[other] = key;
	}
	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, LIMIT);
	for (i = 0; i < count; i++)
		assert_int_equal(insert(&mem, 2ULL * keys[i], 7ULL + keys[i], 1,
					0), 0);
	memory_blocks_commit(&mem);
	memory_blocks_drop(&mem);
	depth = dump_tree(&mem, &dump);
	print_message("%u records: depth %u, %.1f a block\n", count, depth,
		      (double)count / mem.live);
	assert_true(depth >= 3);
	if (order > 0)
		assert_true(mem.live < count / 160);
	assert_int_equal(dump.count, count);
	for (i = 0; i < count; i++)
		assert_true(dump.runs[i].key == 2ULL * i &&
			    dump.runs[i].value == 7ULL + i);
	free(dump.runs);
	for (i = 0; i < count; i += 7) {
		assert_int_equal(vex_tree_find(&mem.tree, 2ULL * i + 1, &run),
				 i + 1 < count ? 0 : -ENOENT);
		assert_true(i + 1 == count || run.value == 8ULL + i);
	}
	for (i = 0; i < count; i++) {
		j = from_the_end ? count - 1 - i : keys[i];
		assert_int_equal(vex_tree_cut(&mem.tree, 2ULL * j, 2ULL * j,
					      U64_MAX, &run), 0);
		assert_true(run.key == 2ULL * j && run.length == 1);
		if (i % (count / 8) == 0)
			memory_blocks_check(&mem, NULL, NULL);
	}
	assert_int_equal(mem.live, 0);
	assert_int_equal(mem.root.r_depth, 0);
	memory_blocks_destroy(&mem);
	free(keys);
}

static void test_large(void **state)
{
	(void)state;
	random_seed("large", 22);
	run_large(430000, 1, true);
	run_large(430000, 1, false);
	run_large(130000, -1, false);
	run_large(250000, 0, false);
}

/* Records left and right of a border, a gap between, a run across it. */
static void test_across(void **state)
{
	struct memory_blocks mem;
	struct dump before, after;
	struct vex_run run;
	u64 i, border;
	long n;
	int ret;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_IDS, 0);
	for (i = 0; i < 400; i++)
		assert_int_equal(insert(&mem, 10 * i, 1000000 - 10 * i, 3, 0), 0);
	border = le64_to_cpu(((struct vexfs_disk_index *)mem.root.r_data)[1].x_key);
	/* The border's own record goes, so that a gap is on both sides. */
	assert_int_equal(vex_tree_cut(&mem.tree, border, border + 2, 9, &run), 0);
	memory_blocks_commit(&mem);
	assert_int_equal(insert(&mem, border - 7, 5, 18, 0), -EEXIST);
	assert_int_equal(insert(&mem, border - 8, 5, 12, 0), -EEXIST);
	for (n = 0;; n++) {
		dump_tree(&mem, &before);
		mem.failed = false;
		mem.fail_after = n;
		ret = insert(&mem, border - 7, 5, 17, 0);
		mem.fail_after = -1;
		memory_blocks_commit(&mem);
		dump_tree(&mem, &after);
		if (!mem.failed)
			break;
		assert_true(dumps_equal(&before, &after));
		free(before.runs);
		free(after.runs);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(after.count, before.count + 2);
	free(before.runs);
	free(after.runs);
	assert_int_equal(vex_tree_find(&mem.tree, border - 1, &run), 0);
	assert_true(run.key == border - 7 && run.length == 7 && run.value == 5);
	assert_int_equal(vex_tree_find(&mem.tree, border, &run), 0);
	assert_true(run.key == border && run.length == 10 && run.value == 12);
	memory_blocks_destroy(&mem);
}

/* Cut one record, failing its n-th step for each n until it passes. */
static void cut_with_faults(struct memory_blocks *mem, u64 key)
{
	struct dump before, after;
	struct vex_run run;
	u64 live;
	long n;
	int ret;

	for (n = 0;; n++) {
		dump_tree(mem, &before);
		live = mem->live;
		mem->failed = false;
		mem->fail_after = n;
		ret = vex_tree_cut(&mem->tree, key, key, 1, &run);
		mem->fail_after = -1;
		memory_blocks_commit(mem);
		dump_tree(mem, &after);
		if (ret) {
			assert_int_equal(ret, -EIO);
			assert_true(dumps_equal(&before, &after));
			assert_int_equal(live, mem->live);
		}
		free(before.runs);
		free(after.runs);
		if (!ret)
			return;
	}
}

/* The first inner node goes, and the next one takes over its low border. */
static void test_drop_inner(void **state)
{
	const u64 count = 251 * 167 + 1000;
	struct memory_blocks mem;
	struct vex_run run;
	u64 i;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_IDS, 0);
	for (i = 0; i < count; i++)
		assert_int_equal(insert(&mem, 2 * i, 3 * i, 1, 0), 0);
	assert_int_equal(mem.root.r_depth, 2);
	assert_int_equal(le16_to_cpu(mem.root.r_count), 2);
	for (i = 0; le16_to_cpu(mem.root.r_count) == 2; i++) {
		if (i == 166 || i == 251 * 167 - 1)
			cut_with_faults(&mem, 2 * i);
		else
			assert_int_equal(vex_tree_cut(&mem.tree, 2 * i, 2 * i,
						      1, &run), 0);
	}
	assert_int_equal(i, 251 * 167);
	assert_int_equal(insert(&mem, 0, 0, 1, 0), 0);
	memory_blocks_check(&mem, NULL, NULL);
	memory_blocks_destroy(&mem);
}

/* A tree that is full on its last path, and as deep as can be. */
static void test_deepest(void **state)
{
	static const u8 uuid[16] = "memory_blocks";
	struct memory_blocks mem;
	struct vexfs_disk_index *child = (void *)mem.root.r_data;
	struct vexfs_disk_record *record;
	struct vexfs_disk_node *node;
	u64 low = 0, live;
	u32 level, i;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_IDS, 0);
	mem.root.r_depth = VEXFS_TREE_DEPTH_MAX;
	mem.root.r_count = cpu_to_le16(VEXFS_ROOT_CHILDREN);
	for (i = 0; i < VEXFS_ROOT_CHILDREN; i++) {
		low = i;
		child[i].x_key = cpu_to_le64(i);
		child[i].x_block = cpu_to_le64(VEXFS_TREE_DEPTH_MAX);
	}
	for (level = VEXFS_TREE_DEPTH_MAX - 1; level; level--) {
		node = memory_blocks_put(&mem, level + 1, NULL);
		vex_header_init(node, VEXFS_MAGIC_TREE, level + 1, MEMORY_OWNER,
				uuid);
		node->n_kind = VEXFS_TREE_IDS;
		node->n_depth = level;
		node->n_count = cpu_to_le16(VEXFS_NODE_CHILDREN);
		node->n_bytes = cpu_to_le16(VEXFS_NODE_CHILDREN * 16);
		child = (void *)node->n_data;
		for (i = 0; i < VEXFS_NODE_CHILDREN; i++) {
			child[i].x_key = cpu_to_le64(low + i);
			child[i].x_block = cpu_to_le64(level);
		}
		low += VEXFS_NODE_CHILDREN - 1;
		memory_blocks_stamp(&mem, level + 1);
	}
	node = memory_blocks_put(&mem, 1, NULL);
	vex_header_init(node, VEXFS_MAGIC_TREE, 1, MEMORY_OWNER, uuid);
	node->n_kind = VEXFS_TREE_IDS;
	node->n_count = cpu_to_le16(VEXFS_NODE_RECORDS);
	node->n_bytes = cpu_to_le16(VEXFS_NODE_RECORDS * 24);
	record = (void *)node->n_data;
	for (i = 0; i < VEXFS_NODE_RECORDS; i++) {
		record[i].r_key = cpu_to_le64(low + 2 * i);
		record[i].r_length = cpu_to_le32(1);
	}
	memory_blocks_stamp(&mem, 1);
	live = mem.live;
	assert_int_equal(insert(&mem, low + 1000, 5, 1, 0), -EFBIG);
	assert_int_equal(mem.live, live);
	assert_int_equal(mem.corruptions, 0);
	/* There is room for what joins. */
	assert_int_equal(insert(&mem, low + 333, 1, 1, 0), 0);
	memory_blocks_destroy(&mem);
}

static void test_pop(void **state)
{
	struct memory_blocks mem;
	u64 i, live;

	(void)state;
	memory_blocks_init(&mem, VEXFS_TREE_EXTENTS, LIMIT);
	for (i = 0; i < 60000; i++)
		assert_int_equal(insert(&mem, 2 * i, 1 + i, 1, 0), 0);
	while (mem.live) {
		live = mem.live;
		assert_int_equal(vex_tree_pop_block(&mem.tree), 0);
		memory_blocks_commit(&mem);
		assert_true(mem.live < live);
		if (mem.live % 16 == 0)
			memory_blocks_check(&mem, NULL, NULL);
	}
	assert_int_equal(vex_tree_pop_block(&mem.tree), -ENOENT);
	assert_int_equal(insert(&mem, 1, 1, 1, 0), 0);
	assert_int_equal(vex_tree_pop_block(&mem.tree), -ENOENT);
	assert_int_equal(mem.root.r_count, 0);
	memory_blocks_destroy(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_of_root),
		cmocka_unit_test(test_layout_of_leaf),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_across),
		cmocka_unit_test(test_drop_inner),
		cmocka_unit_test(test_deepest),
		cmocka_unit_test(test_pop),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_model_with_faults),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
