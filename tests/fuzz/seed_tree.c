// SPDX-License-Identifier: Apache-2.0
/*
 * Writes inputs for fuzz_tree to begin with, valid trees of every kind and
 * shape with a few calls each: seed_tree DIRECTORY.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dir.h"
#include "memory_blocks.h"
#include "random.h"

#define CALLS		24
#define CALL_BYTES	18

static const char *directory;

static void write_calls(FILE *file)
{
	u8 call[CALL_BYTES];
	u32 n, i;

	for (n = 0; n < CALLS; n++) {
		memset(call, 0, sizeof(call));
		call[0] = random_u64();
		call[1] = random_below(10);
		for (i = 2; i < CALL_BYTES; i++)
			/* Small numbers, as the keys of these trees are. */
			if (i % 8 == 2 || i % 8 == 3 || !random_below(16))
				call[i] = random_u64();
		call[3] %= 32;
		fwrite(call, 1, sizeof(call), file);
	}
}

static void write_seed(struct memory_blocks *mem, const char *name, u8 flags)
{
	const u8 *block;
	char path[4096];
	FILE *file;
	u32 bytes;
	u64 i;

	snprintf(path, sizeof(path), "%s/kind%u-%s", directory,
		 mem->root.r_kind, name);
	file = fopen(path, "wb");
	if (!file) {
		fprintf(stderr, "seed_tree: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fputc((mem->root.r_kind - 1) | flags, file);
	fwrite(&mem->root, 1, sizeof(mem->root), file);
	fputc(mem->count ? mem->count - 1 : 0, file);
	for (i = 1; i < mem->count; i++) {
		block = memory_blocks_data(mem, i);
		/* The header's end, to the end of the bytes in use. */
		bytes = block ? 16 + vex_load_le16(block + 68) : 0;
		fputc(bytes & 0xff, file);
		fputc(bytes >> 8, file);
		if (block)
			fwrite(block + VEXFS_HEADER_BYTES, 1, bytes, file);
	}
	if (flags & 0x20)
		fputc(3, file);
	write_calls(file);
	if (fclose(file)) {
		fprintf(stderr, "seed_tree: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void require(int err)
{
	if (err) {
		fprintf(stderr, "seed_tree: %s\n", strerror(-err));
		exit(1);
	}
}

static void write_runs(u8 kind)
{
	struct memory_blocks mem;
	struct vex_run run;
	u64 i;

	memory_blocks_init(&mem, kind, kind == VEXFS_TREE_EXTENTS ?
			   1ULL << 40 : 0);
	for (i = 0; i < 2000; i++) {
		run.key = 3 * i;
		run.value = kind == VEXFS_TREE_TOMBSTONES ? run.key :
							    90000 - 2 * i;
		run.length = 1;
		run.flags = kind == VEXFS_TREE_EXTENTS ? i & 1 : 0;
		require(vex_tree_insert(&mem.tree, &run));
		if (i == 5)
			write_seed(&mem, "root", 0);
		if (i == 300)
			write_seed(&mem, "leaves", 0);
	}
	for (i = 0; i < 2000; i++)
		if (i % 40)
			require(vex_tree_cut(&mem.tree, 3 * i, 3 * i, 1, &run));
	write_seed(&mem, "deep", 0);
	write_seed(&mem, "trusted", 0x10);
	write_seed(&mem, "failing", 0x20);
	memory_blocks_destroy(&mem);
}

static void write_names(void)
{
	struct memory_blocks mem;
	char name[40];
	u32 i, length;

	memory_blocks_init(&mem, VEXFS_TREE_DIRECTORY, 0);
	write_seed(&mem, "empty", 0);
	for (i = 0; i < 900; i++) {
		length = sprintf(name, "%u-name-%u", i * i, i);
		require(vex_dir_add(&mem.tree, name, length, 0, 5, 8));
		if (i == 3)
			write_seed(&mem, "few", 0);
		if (i == 150)
			write_seed(&mem, "leaves", 0);
	}
	for (i = 0; i < 900; i++) {
		length = sprintf(name, "%u-name-%u", i * i, i);
		if (i % 20)
			require(vex_dir_remove(&mem.tree, name, length, 0));
	}
	write_seed(&mem, "deep", 0);
	write_seed(&mem, "trusted", 0x10);
	write_seed(&mem, "failing", 0x20);
	memory_blocks_destroy(&mem);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	random_seed("seed_tree", 1);
	write_runs(VEXFS_TREE_EXTENTS);
	write_runs(VEXFS_TREE_IDS);
	write_runs(VEXFS_TREE_ROWS);
	write_runs(VEXFS_TREE_TOMBSTONES);
	write_names();
	return 0;
}
