// SPDX-License-Identifier: Apache-2.0
/*
 * Blocks in memory for trees under test: see memory_blocks.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "layout.h"
#include "memory_blocks.h"

struct memory_block {
	struct vexfs_disk_node *data;
	u64 hash;	/* as of the last dirty */
	bool in_memory;	/* the header was verified */
	bool verified;	/* and so was the rest */
	bool accessed;
	u32 held;
};

static const u8 uuid[16] = "memory_blocks";

#define REQUIRE(condition, ...) do {					\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);		\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		abort();						\
	}								\
} while (0)

static struct memory_blocks *mem_of(struct vex_tree *tree)
{
	return tree->priv;
}

static u64 hash_of(const struct memory_block *block)
{
	return vex_xxh64(block->data, VEXFS_BLOCK_SIZE, 1);
}

static bool fails(struct memory_blocks *mem)
{
	if (mem->fail_after < 0 || mem->fail_after--)
		return false;
	mem->failed = true;
	return true;
}

static struct memory_block *block_of(struct memory_blocks *mem, u64 number)
{
	if (number >= mem->count || !mem->blocks[number].data)
		return NULL;
	return &mem->blocks[number];
}

static void hold(struct memory_blocks *mem, struct vex_buf *buf, u64 number)
{
	struct memory_block *block = &mem->blocks[number];

	buf->data = block->data;
	buf->block = number;
	buf->priv = NULL;
	buf->fresh = !block->verified;
	block->held++;
	mem->held++;
}

static int corrupt_op(struct vex_tree *tree, u64 block, const char *what)
{
	(void)block;
	mem_of(tree)->corruptions++;
	mem_of(tree)->what = what;
	return -EUCLEAN;
}

static int read_op(struct vex_tree *tree, u64 number, struct vex_buf *buf)
{
	struct memory_blocks *mem = mem_of(tree);
	struct memory_block *block = block_of(mem, number);
	const char *what;

	if (fails(mem))
		return -EIO;
	if (!block)
		return corrupt_op(tree, number, "not allocated");
	if (!block->in_memory) {
		if (!vex_header_verify_checksum(block->data)) {
			corrupt_op(tree, number, "checksum");
			return -EBADMSG;
		}
		what = vex_header_check(block->data, VEXFS_MAGIC_TREE, number,
					MEMORY_OWNER, uuid);
		if (what)
			return corrupt_op(tree, number, what);
		block->in_memory = true;
		block->hash = hash_of(block);
	}
	hold(mem, buf, number);
	return 0;
}

static void release_op(struct vex_tree *tree, struct vex_buf *buf)
{
	struct memory_blocks *mem = mem_of(tree);
	struct memory_block *block = block_of(mem, buf->block);

	REQUIRE(block && block->held, "a buffer given back twice");
	REQUIRE(block->hash == hash_of(block),
		"block %llu was changed and not marked so",
		(unsigned long long)buf->block);
	if (!buf->fresh)
		block->verified = true;
	block->held--;
	mem->held--;
}

static int access_op(struct vex_tree *tree, struct vex_buf *buf)
{
	struct memory_block *block = block_of(mem_of(tree), buf->block);

	REQUIRE(block && block->held, "access to a buffer not held");
	if (fails(mem_of(tree)))
		return -EIO;
	block->accessed = true;
	return 0;
}

static int dirty_op(struct vex_tree *tree, struct vex_buf *buf)
{
	struct memory_block *block = block_of(mem_of(tree), buf->block);

	REQUIRE(block && block->held, "change of a buffer not held");
	REQUIRE(block->accessed, "block %llu was changed without access",
		(unsigned long long)buf->block);
	block->hash = hash_of(block);
	return 0;
}

static u64 unused_number(struct memory_blocks *mem)
{
	u64 number;

	/* A hole, if one is near the end, so that numbers are re-used. */
	for (number = mem->count > 64 ? mem->count - 64 : 1;
	     number < mem->count; number++)
		if (!mem->blocks[number].data)
			return number;
	return max_t(u64, mem->count, 1);
}

void *memory_blocks_put(struct memory_blocks *mem, u64 number, const void *data)
{
	struct memory_block *block;
	u64 count = mem->count;

	if (number >= count) {
		mem->count = number + 1;
		mem->blocks = realloc(mem->blocks,
				      mem->count * sizeof(*mem->blocks));
		REQUIRE(mem->blocks, "out of memory");
		memset(mem->blocks + count, 0,
		       (mem->count - count) * sizeof(*mem->blocks));
	}
	block = &mem->blocks[number];
	if (!block->data) {
		mem->live++;
		block->data = aligned_alloc(64, VEXFS_BLOCK_SIZE);
		REQUIRE(block->data, "out of memory");
	}
	if (data)
		memcpy(block->data, data, VEXFS_BLOCK_SIZE);
	else
		memset(block->data, 0, VEXFS_BLOCK_SIZE);
	block->in_memory = false;
	block->verified = false;
	return block->data;
}

static int alloc_op(struct vex_tree *tree, struct vex_buf *buf)
{
	struct memory_blocks *mem = mem_of(tree);
	struct memory_block *block;
	u64 number;

	if (fails(mem))
		return -ENOSPC;
	number = unused_number(mem);
	vex_header_init(memory_blocks_put(mem, number, NULL), VEXFS_MAGIC_TREE,
			number, MEMORY_OWNER, uuid);
	block = &mem->blocks[number];
	block->accessed = true;
	block->in_memory = true;
	block->verified = true;
	hold(mem, buf, number);
	return 0;
}

static int free_op(struct vex_tree *tree, struct vex_buf *buf)
{
	struct memory_blocks *mem = mem_of(tree);
	struct memory_block *block = block_of(mem, buf->block);

	REQUIRE(block && block->held == 1, "a block freed while in use");
	free(block->data);
	memset(block, 0, sizeof(*block));
	mem->live--;
	mem->held--;
	return 0;
}

static const struct vex_tree_ops memory_ops = {
	.read = read_op,
	.release = release_op,
	.access = access_op,
	.dirty = dirty_op,
	.alloc = alloc_op,
	.free = free_op,
	.corrupt = corrupt_op,
};

void memory_blocks_init(struct memory_blocks *mem, u8 kind, u64 value_limit)
{
	memset(mem, 0, sizeof(*mem));
	mem->fail_after = -1;
	mem->tree.root = &mem->root;
	mem->tree.ops = &memory_ops;
	mem->tree.priv = mem;
	mem->tree.value_limit = value_limit;
	vex_tree_init_root(&mem->root, kind);
}

void memory_blocks_destroy(struct memory_blocks *mem)
{
	u64 i;

	for (i = 0; i < mem->count; i++)
		free(mem->blocks[i].data);
	free(mem->blocks);
	mem->blocks = NULL;
	mem->count = 0;
}

void memory_blocks_commit(struct memory_blocks *mem)
{
	u64 i;

	REQUIRE(!mem->held, "%llu buffers were not given back",
		(unsigned long long)mem->held);
	for (i = 0; i < mem->count; i++)
		mem->blocks[i].accessed = false;
}

void memory_blocks_drop(struct memory_blocks *mem)
{
	u64 i;

	for (i = 0; i < mem->count; i++) {
		if (!mem->blocks[i].data)
			continue;
		if (mem->blocks[i].in_memory)
			vex_header_stamp(mem->blocks[i].data);
		mem->blocks[i].in_memory = false;
		mem->blocks[i].verified = false;
	}
}

void *memory_blocks_data(struct memory_blocks *mem, u64 number)
{
	struct memory_block *block = block_of(mem, number);

	return block ? block->data : NULL;
}

void memory_blocks_stamp(struct memory_blocks *mem, u64 number)
{
	struct memory_block *block = block_of(mem, number);

	vex_header_stamp(block->data);
	block->in_memory = false;
	block->verified = false;
}

void memory_blocks_trust(struct memory_blocks *mem)
{
	struct memory_block *block;
	u64 i;

	for (i = 0; i < mem->count; i++) {
		block = &mem->blocks[i];
		if (!block->data)
			continue;
		block->in_memory = true;
		block->verified = true;
		block->hash = hash_of(block);
	}
}

void memory_blocks_clone(struct memory_blocks *mem, struct memory_blocks *from)
{
	u64 i;

	memory_blocks_init(mem, from->root.r_kind, from->tree.value_limit);
	mem->root = from->root;
	for (i = 0; i < from->count; i++)
		if (from->blocks[i].data)
			memory_blocks_put(mem, i, from->blocks[i].data);
}

struct walk {
	struct memory_blocks *mem;
	void (*leaf)(void *ctx, const struct vexfs_disk_node *node);
	void *ctx;
	u64 seen;
};

static const char *verify_below(struct walk *walk, const u8 *data, u32 count,
				u32 depth, u64 high)
{
	const struct vexfs_disk_index *child = (const void *)data;
	const struct vexfs_disk_node *node;
	const char *what = NULL;
	u64 low, end;
	u32 i;

	for (i = 0; i < count && !what; i++) {
		low = le64_to_cpu(child[i].x_key);
		end = i + 1 < count ? le64_to_cpu(child[i + 1].x_key) : high;
		node = memory_blocks_data(walk->mem,
					  le64_to_cpu(child[i].x_block));
		if (!node)
			return "x_block: not allocated";
		what = vex_tree_check_node(node, walk->mem->root.r_kind,
					   depth - 1, low, end,
					   walk->mem->tree.value_limit);
		walk->seen++;
		if (!what && depth > 1)
			what = verify_below(walk, node->n_data,
					    le16_to_cpu(node->n_count),
					    depth - 1, end);
		else if (!what && walk->leaf)
			walk->leaf(walk->ctx, node);
	}
	return what;
}

const char *memory_blocks_verify(struct memory_blocks *mem,
				 void (*leaf)(void *ctx,
					      const struct vexfs_disk_node *node),
				 void *ctx, u64 *seen)
{
	struct vexfs_disk_root *root = &mem->root;
	struct walk walk = { .mem = mem, .leaf = leaf, .ctx = ctx };
	const char *what;

	what = vex_tree_check_root(root, root->r_kind, mem->tree.value_limit);
	if (!what && root->r_depth)
		what = verify_below(&walk, root->r_data,
				    le16_to_cpu(root->r_count), root->r_depth,
				    U64_MAX);
	else if (!what && leaf)
		leaf(ctx, NULL);
	*seen = walk.seen;
	return what;
}

u32 memory_blocks_check(struct memory_blocks *mem,
			void (*leaf)(void *ctx,
				     const struct vexfs_disk_node *node),
			void *ctx)
{
	const char *what;
	u64 seen;

	REQUIRE(!mem->held, "%llu buffers were not given back",
		(unsigned long long)mem->held);
	what = memory_blocks_verify(mem, leaf, ctx, &seen);
	REQUIRE(!what, "%s", what);
	REQUIRE(seen == mem->live, "%llu blocks are reachable, %llu allocated",
		(unsigned long long)seen, (unsigned long long)mem->live);
	return mem->root.r_depth;
}
