// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzes trees: a root and blocks of any content, then a program of calls.
 * No call may crash, hang or keep a buffer; a tree that was valid must still
 * be valid afterwards, unless damage was met on the way.
 *
 * The input: a byte of kind and flags; VEXFS_ROOT_BYTES + 8 bytes of root; a
 * byte of how many blocks; for each a LE16 of how many bytes of its node
 * follow, and these, from n_kind on (the rest is zero); then the program,
 * OP_BYTES a call. What is missing at the end is zero.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dir.h"
#include "layout.h"
#include "memory_blocks.h"

#define BLOCKS_MAX	24
#define OPS_MAX		64
#define VALUE_LIMIT	(1ULL << 40)

/* Flags in the first byte, above four bits for the kind. */
#define TRUST		0x10	/* say that all blocks were verified */
#define FAULT		0x20	/* let one operation of the provider fail */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *data;
	size_t left;
};

static void take(struct input *input, void *to, size_t bytes)
{
	size_t part = min(bytes, input->left);

	memset(to, 0, bytes);
	if (part)
		memcpy(to, input->data, part);
	input->data += part;
	input->left -= part;
}

static u8 take_u8(struct input *input)
{
	u8 byte;

	take(input, &byte, 1);
	return byte;
}

static void load_blocks(struct memory_blocks *mem, struct input *input)
{
	static const u8 uuid[16] = "memory_blocks";
	u32 i, count = take_u8(input) % (BLOCKS_MAX + 1);
	u8 *block;
	u8 length[2];

	for (i = 1; i <= count; i++) {
		block = memory_blocks_put(mem, i, NULL);
		vex_header_init(block, VEXFS_MAGIC_TREE, i, MEMORY_OWNER, uuid);
		take(input, length, 2);
		take(input, block + VEXFS_HEADER_BYTES,
		     vex_load_le16(length) % (VEXFS_PAYLOAD_BYTES + 1));
		memory_blocks_stamp(mem, i);
	}
}

static int ignore(void *ctx, const struct vex_name *entry)
{
	u64 *sum = ctx;

	*sum += vex_xxh64(entry->name, entry->length, 0) + entry->key;
	return *sum % 16 == 0;
}

struct op {
	u8 call;
	u8 small;
	u8 key[8];
	u8 value[8];
};

static void call_runs(struct vex_tree *tree, const struct op *op)
{
	struct vex_run run = { vex_load_le64(op->key), vex_load_le64(op->value),
			       op->small, op->small & 1 };
	struct vex_run found[5];
	u64 done;

	switch (op->call % 8) {
	case 0:
		vex_tree_find(tree, run.key, found);
		break;
	case 1:
		vex_tree_find_many(tree, run.key, found, 5);
		break;
	case 2:
		vex_tree_find_last(tree, run.key, found);
		break;
	case 3:
		if (tree->root->r_kind == VEXFS_TREE_TOMBSTONES)
			run.value = run.key;
		if (tree->root->r_kind != VEXFS_TREE_EXTENTS)
			run.flags = 0;
		vex_tree_insert(tree, &run);
		break;
	case 4:
		vex_tree_cut(tree, run.key, run.value, op->small, found);
		break;
	case 5:
		vex_tree_cut(tree, run.key, U64_MAX, U64_MAX, found);
		break;
	case 6:
		vex_tree_set_flags(tree, run.key, op->small, run.value & 1,
				   &done);
		break;
	case 7:
		vex_tree_pop_block(tree);
		break;
	}
}

static void call_names(struct vex_tree *tree, const struct op *op)
{
	struct vex_name entry;
	char name[256];
	u64 next, sum = 0;
	u32 length = 1 + op->small % 255;

	memset(name, 'n', sizeof(name));
	memcpy(name, op->key, min((size_t)length, sizeof(op->key)));
	/* What the kernel never passes on. */
	for (next = 0; next < 8; next++)
		if (!name[next] || name[next] == '/' || name[next] == '.')
			name[next] = 'd';
	switch (op->call % 6) {
	case 0:
		vex_dir_find(tree, name, length, 0, &entry);
		break;
	case 1:
		vex_dir_add(tree, name, length, 0, 5, 8);
		break;
	case 2:
		vex_dir_remove(tree, name, length, 0);
		break;
	case 3:
		vex_dir_set(tree, name, length, 0, 6, 4);
		break;
	case 4:
		vex_dir_iterate(tree, vex_load_le64(op->key), ignore, &sum,
				&next);
		break;
	case 5:
		vex_tree_pop_block(tree);
		break;
	}
}

static void require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "fuzz_tree: %s\n", what);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input input = { data, size };
	struct memory_blocks mem;
	const char *what;
	u8 flags = take_u8(&input);
	u64 seen;
	u32 n;
	bool valid;
	u8 kind = 1 + (flags & 0xf) % (VEXFS_TREE_KINDS - 1);

	memory_blocks_init(&mem, kind,
			   kind == VEXFS_TREE_EXTENTS ? VALUE_LIMIT : 0);
	take(&input, &mem.root, sizeof(mem.root));
	mem.root.r_kind = kind;
	load_blocks(&mem, &input);
	valid = !memory_blocks_verify(&mem, NULL, NULL, &seen);
	/* The kernel looks at no tree whose root does not pass. */
	if (vex_tree_check_root(&mem.root, kind, mem.tree.value_limit) &&
	    !(flags & TRUST))
		goto out;
	if (flags & TRUST)
		memory_blocks_trust(&mem);
	if (flags & FAULT)
		mem.fail_after = take_u8(&input);

	for (n = 0; input.left && n < OPS_MAX; n++) {
		struct op op;

		take(&input, &op, sizeof(op));
		if (kind == VEXFS_TREE_DIRECTORY)
			call_names(&mem.tree, &op);
		else
			call_runs(&mem.tree, &op);
		require(!mem.held, "a buffer was not given back");
	}
	if (valid) {
		what = memory_blocks_verify(&mem, NULL, NULL, &seen);
		require(!what, what);
		require(!mem.corruptions, "damage was seen where there is none");
	}
out:
	memory_blocks_destroy(&mem);
	return 0;
}
