/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a volume: making an empty one, verifying its superblock, and
 * replaying what it holds over the volume in memory.
 */
#ifndef VOLUME_JOURNAL_H
#define VOLUME_JOURNAL_H

#include "jbd2.h"
#include "volume.h"

/**
 * struct journal - a volume's journal
 * @vol: the volume
 * @inode: its inode
 * @blocks: its length
 * @map: volume block of each of its blocks, ascending by journal block
 * @super: its superblock
 * @seed: what checksums begin with
 */
struct journal {
	struct volume *vol;
	struct vexfs_disk_inode inode;
	u32 blocks;
	u64 *map;
	struct jbd2_super super;
	u32 seed;
};

/**
 * struct journal_result - what a replay did
 * @transactions: replayed
 * @blocks: copied
 * @revoked: left out, because they were freed later
 */
struct journal_result {
	u64 transactions;
	u64 blocks;
	u64 revoked;
};

/**
 * journal_super_init() - make the superblock of an empty journal
 * @super: VEXFS_BLOCK_SIZE bytes
 * @blocks: the journal's length
 * @uuid: 16 bytes
 */
void journal_super_init(void *super, u32 blocks, const u8 *uuid);

/**
 * journal_open() - find a volume's journal and verify its superblock
 * @journal: to be filled in; for journal_close() on success
 * @vol: the volume, its superblock loaded
 * @what: what is wrong, for people, if an error is returned
 *
 * The inode is read without its block's checksum (docs/format.md, section 2).
 *
 * Return: 0; -EUCLEAN or -EBADMSG for damage; another negative errno.
 */
int journal_open(struct journal *journal, struct volume *vol,
		 const char **what);

/**
 * journal_close() - free what journal_open() allocated
 * @journal: the journal
 */
void journal_close(struct journal *journal);

/**
 * journal_needs_replay() - does it hold anything?
 * @journal: the journal
 *
 * Return: true if a mount would replay it.
 */
bool journal_needs_replay(const struct journal *journal);

/**
 * journal_replay() - lay the committed transactions over the volume in memory
 * @journal: the journal
 * @result: what was done
 * @what: what is wrong, for people, if an error is returned
 *
 * Does what jbd2 does at mount: the last transaction, if its commit block is
 * missing, is left out. The device is not written.
 *
 * Return: 0; -EBADMSG or -EUCLEAN if a mount would fail; -ENOMEM; -EIO.
 */
int journal_replay(struct journal *journal, struct journal_result *result,
		   const char **what);

#endif /* VOLUME_JOURNAL_H */
