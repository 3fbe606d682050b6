// SPDX-License-Identifier: Apache-2.0
/*
 * Damages an image byte by byte and runs a checker on each version: damage
 * that the checksum shows must be found; damage with a fresh checksum must
 * never make the checker crash, and most of it must be found too.
 */
#define _GNU_SOURCE
#include "volume.h"
#include "tree.h"
#include "derived.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the superblock's copy only each so manyth byte is tried. */
#define COPY_STEP 16U

extern char **environ;

/**
 * struct mutation - a run over an image
 * @vol: the image
 * @checker: fsck.vexfs
 * @runs: versions checked
 * @found: of which the checker found the damage
 * @bad: of which it crashed, or missed what it had to find
 */
struct mutation {
	struct volume vol;
	char *checker;
	u64 runs;
	u64 found;
	u64 bad;
};

static u64 next_random(void)
{
	static u64 state = 0x2545f4914f6cdd1dULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void die(const char *what)
{
	fprintf(stderr, "mutate: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The checker's exit status, or 255 if it was killed by a signal. */
static int run_checker(struct mutation *m)
{
	char *args[] = { m->checker, (char *)"-n", (char *)m->vol.path, NULL };
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
					 O_WRONLY, 0);
	if (posix_spawn(&pid, m->checker, &actions, NULL, args, environ))
		die(m->checker);
	posix_spawn_file_actions_destroy(&actions);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void try_one(struct mutation *m, u64 block, const u8 *good, u32 offset,
		    u8 flip, bool stamp)
{
	u8 data[VEXFS_BLOCK_SIZE];
	int status;

	memcpy(data, good, sizeof(data));
	data[offset] ^= flip;
	if (stamp)
		vex_header_stamp(data);
	if (volume_write(&m->vol, block, data, 1))
		die("write");
	status = run_checker(m);
	m->runs++;
	m->found += status == 4 || status == 8;
	if ((status != 0 && status != 4 && status != 8) ||
	    (!stamp && status == 0)) {
		m->bad++;
		printf("block %llu, byte %u, flipped by 0x%02x%s: exit status %d\n",
		       (unsigned long long)block, offset, flip,
		       stamp ? ", stamped" : "", status);
	} else if (stamp && status == 0 && getenv("MUTATE_VERBOSE")) {
		printf("missed: block %llu, magic %.4s, byte %u, flipped by 0x%02x\n",
		       (unsigned long long)block, (const char *)data, offset,
		       flip);
	}
	if (volume_write(&m->vol, block, good, 1))
		die("write");
}

static void try_super(struct mutation *m)
{
	u64 blocks[2] = { VEXFS_SUPER_BLOCK, vex_backup_block(&m->vol.geo) };
	u32 steps[2] = { 1, COPY_STEP };
	u8 good[VEXFS_BLOCK_SIZE];

	for (int i = 0; i < 2; i++) {
		if (volume_read(&m->vol, blocks[i], good))
			die("read");
		for (u32 at = 0; at < VEXFS_BLOCK_SIZE; at += steps[i])
			try_one(m, blocks[i], good, at,
				(u8)(1U << next_random() % 8), false);
	}
}

/* Blocks without a header, the journal's: only a crash is bad. */
static void try_raw(struct mutation *m, u64 first, u64 count, u32 flips)
{
	u8 good[VEXFS_BLOCK_SIZE], data[VEXFS_BLOCK_SIZE];
	int status;

	for (u32 i = 0; i < flips; i++) {
		u64 block = first + next_random() % count;

		if (volume_read(&m->vol, block, good))
			die("read");
		memcpy(data, good, sizeof(data));
		data[next_random() % 64] ^= (u8)(1U << next_random() % 8);
		if (volume_write(&m->vol, block, data, 1))
			die("write");
		status = run_checker(m);
		m->runs++;
		m->found += status == 4;
		if (status != 0 && status != 4) {
			m->bad++;
			printf("block %llu: exit status %d\n",
			       (unsigned long long)block, status);
		}
		if (volume_write(&m->vol, block, good, 1))
			die("write");
	}
}

/* Is it a metadata block? Those say so themselves. */
static bool is_metadata(struct mutation *m, u64 block, const u8 *data)
{
	const struct vexfs_disk_header *header = (const void *)data;

	return le64_to_cpu(header->h_block) == block &&
	       !memcmp(header->h_uuid, m->vol.geo.meta_uuid,
		       sizeof(header->h_uuid)) &&
	       vex_header_verify_checksum(data);
}

/* How far bytes in use reach: flips beyond would all be of one kind. */
static u32 used_bytes(const u8 *data)
{
	u32 used = VEXFS_BLOCK_SIZE;

	while (used > 128 && !data[used - 1])
		used--;
	return min(used + 16, (u32)VEXFS_BLOCK_SIZE);
}

static void try_blocks(struct mutation *m, u32 flips, bool stamp)
{
	u8 good[VEXFS_BLOCK_SIZE];

	for (u64 block = 0; block < m->vol.geo.blocks; block++) {
		if (volume_read(&m->vol, block, good))
			die("read");
		if (!is_metadata(m, block, good))
			continue;
		for (u32 i = 0; i < flips; i++)
			try_one(m, block, good,
				(u32)(next_random() % used_bytes(good)),
				(u8)(1U << next_random() % 8), stamp);
	}
}

/* Sets bytes of one block, given in hexadecimal, and its checksum. */
static void poke(const char *image, u64 block, u32 offset, const char *hex)
{
	u8 data[VEXFS_BLOCK_SIZE];
	struct volume vol;
	unsigned int byte;

	if (volume_open(&vol, image, O_RDWR) || volume_read(&vol, block, data))
		die(image);
	for (; offset < VEXFS_BLOCK_SIZE && sscanf(hex, "%2x", &byte) == 1;
	     hex += 2)
		data[offset++] = (u8)byte;
	vex_header_stamp(data);
	if (volume_write(&vol, block, data, 1))
		die(image);
	volume_close(&vol);
}

/* Prints the numbers of the metadata blocks with a magic. */
static void list_blocks(const char *image, const char *magic)
{
	u8 data[VEXFS_BLOCK_SIZE];
	struct mutation m = { 0 };
	const char *what;

	if (volume_open(&m.vol, image, O_RDONLY) ||
	    volume_load_super(&m.vol, VEXFS_SUPER_BLOCK, &what))
		die(image);
	for (u64 block = 0; block < m.vol.geo.blocks; block++) {
		if (volume_read(&m.vol, block, data))
			die("read");
		if (is_metadata(&m, block, data) && !memcmp(data, magic, 4))
			printf("%llu\n", (unsigned long long)block);
	}
	volume_close(&m.vol);
}

/* What kind of derived fork has a header in this block? */
static u32 derived_kind(struct volume *vol, u64 block)
{
	union {
		struct vexfs_disk_derived header;
		u8 data[VEXFS_BLOCK_SIZE];
	} slot;

	if (volume_read(vol, block, &slot))
		die("read");
	return le32_to_cpu(slot.header.dv_kind);
}

/*
 * Adds the written blocks of a fork to a list that has room; of a @kind those
 * behind its headers.
 */
static u64 fork_blocks(struct volume *vol, struct vexfs_disk_inode *fork,
		       u32 kind, u64 *list)
{
	u64 key = 0, blocks = 0;
	struct volume_tree tree;
	struct vex_run run;

	volume_tree_init(&tree, vol, le64_to_cpu(fork->ino_number),
			 &fork->ino_root);
	if (kind && (vex_tree_find(&tree.tree, 0, &run) || run.key ||
		     derived_kind(vol, run.value) != kind))
		return 0;
	while (!vex_tree_find(&tree.tree, key, &run)) {
		key = run.key + run.length;
		for (u32 i = 0; i < run.length; i++)
			if (!(run.flags & VEXFS_RECORD_UNWRITTEN) &&
			    (!kind || run.key + i >= VEX_DERIVED_SLOTS))
				list[blocks++] = run.value + i;
	}
	return blocks;
}

/* The written blocks of all derived forks, or of those of a kind. */
static u64 derived_blocks(struct mutation *m, u32 kind, u64 *list)
{
	struct vexfs_disk_inode_block inodes;
	u64 blocks = 0;

	for (u64 at = 0; at < m->vol.geo.blocks; at++) {
		if (volume_read(&m->vol, at, &inodes))
			die("read");
		if (!is_metadata(m, at, (const u8 *)&inodes) ||
		    inodes.ib_header.h_magic != cpu_to_le32(VEXFS_MAGIC_INODES))
			continue;
		for (u32 i = 0; i < VEXFS_INODES_PER_BLOCK; i++) {
			struct vexfs_disk_inode *inode = &inodes.ib_inodes[i];

			if (inode->ino_mode &&
			    le32_to_cpu(inode->ino_flags) &
			    VEXFS_INO_FLAG_FORK &&
			    inode->ino_root.r_kind == VEXFS_TREE_EXTENTS)
				blocks += fork_blocks(&m->vol, inode, kind,
						      list + blocks);
		}
	}
	return blocks;
}

/* Flips bits in derived forks, and leaves them so. */
static void damage_derived(const char *image, u32 flips, u32 seed, u32 kind)
{
	u8 data[VEXFS_BLOCK_SIZE];
	struct mutation m = { 0 };
	u64 blocks, block, *list;
	const char *what;

	if (volume_open(&m.vol, image, O_RDWR) ||
	    volume_load_super(&m.vol, VEXFS_SUPER_BLOCK, &what))
		die(image);
	list = calloc(m.vol.geo.blocks, sizeof(*list));
	if (!list)
		die("memory");
	blocks = derived_blocks(&m, kind, list);
	while (seed--)
		next_random();
	for (u32 i = 0; blocks && i < flips; i++) {
		block = list[next_random() % blocks];
		if (volume_read(&m.vol, block, data))
			die("read");
		data[next_random() % sizeof(data)] ^=
			(u8)(1U << next_random() % 8);
		if (volume_write(&m.vol, block, data, 1))
			die("write");
	}
	printf("%u bits of %llu blocks\n", blocks ? flips : 0,
	       (unsigned long long)blocks);
	free(list);
	volume_close(&m.vol);
}

int main(int argc, char **argv)
{
	struct mutation m = { 0 };
	const char *what, *mode = argc > 3 ? argv[3] : "";

	if (argc < 4) {
		fputs("Usage: mutate CHECKER IMAGE super\n"
		      "       mutate CHECKER IMAGE plain|stamped FLIPS\n"
		      "       mutate CHECKER IMAGE raw FLIPS FIRST COUNT\n"
		      "       mutate poke IMAGE BLOCK OFFSET HEX\n"
		      "       mutate derived IMAGE FLIPS SEED [KIND]\n"
		      "       mutate list IMAGE MAGIC\n"
		      "Flips bits of an image and runs 'CHECKER -n IMAGE' on each version: of\n"
		      "every byte of the superblock and some of its copy, or of FLIPS bytes of\n"
		      "every metadata block, with the checksum as it was or made to fit; or\n"
		      "FLIPS times of some byte at the start of one of COUNT blocks.\n"
		      "Prints versions checked, found and bad; exit status 1 if any was bad.\n"
		      "'poke' sets bytes of one block and makes its checksum fit; 'derived'\n"
		      "flips bits in the pages of derived forks, and leaves them so; with the\n"
		      "number of a kind of fork, in those behind the headers of such; 'list'\n"
		      "prints the numbers of metadata blocks of a kind, such as VXAT.\n",
		      stderr);
		return 2;
	}
	if (argc == 6 && !strcmp(argv[1], "poke")) {
		poke(argv[2], strtoull(argv[3], NULL, 10),
		     (u32)strtoul(argv[4], NULL, 10), argv[5]);
		return 0;
	}
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "derived")) {
		damage_derived(argv[2], (u32)atoi(argv[3]), (u32)atoi(argv[4]),
			       argc == 6 ? (u32)atoi(argv[5]) : 0);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "list") && strlen(mode) == 4) {
		list_blocks(argv[2], mode);
		return 0;
	}
	m.checker = argv[1];
	if (volume_open(&m.vol, argv[2], O_RDWR) ||
	    volume_load_super(&m.vol, VEXFS_SUPER_BLOCK, &what))
		die(argv[2]);
	if (!strcmp(mode, "super"))
		try_super(&m);
	else if (argc == 5 && (!strcmp(mode, "plain") ||
			       !strcmp(mode, "stamped")))
		try_blocks(&m, (u32)atoi(argv[4]), !strcmp(mode, "stamped"));
	else if (argc == 7 && !strcmp(mode, "raw"))
		try_raw(&m, strtoull(argv[5], NULL, 10),
			strtoull(argv[6], NULL, 10), (u32)atoi(argv[4]));
	else
		return 2;
	printf("%llu checked, %llu found, %llu bad\n",
	       (unsigned long long)m.runs, (unsigned long long)m.found,
	       (unsigned long long)m.bad);
	volume_close(&m.vol);
	return m.bad ? 1 : 0;
}
