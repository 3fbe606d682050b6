// SPDX-License-Identifier: Apache-2.0
/*
 * Writes metadata into an image's journal as jbd2 would, and leaves it there
 * for a replay.
 */
#include "image.h"
#include "crc32c.h"

#include <stdlib.h>

/* Blocks in one transaction, of which there are so several. */
#define TRANSACTION_BLOCKS	90U
#define DESCRIPTOR_TAGS		40U

/**
 * struct log - a journal being written
 * @journal: the journal
 * @at: next block of the log
 * @sequence: of the transaction being written
 */
struct log {
	struct journal journal;
	u32 at;
	u32 sequence;
};

static void write_next(struct log *log, const void *data)
{
	if (volume_write(log->journal.vol, log->journal.map[log->at], data, 1))
		image_die("cannot write the journal");
	if (++log->at >= log->journal.blocks)
		log->at = 1;
}

static void begin_block(struct log *log, u8 *data, u32 type)
{
	struct jbd2_header *header = (void *)data;

	memset(data, 0, VEXFS_BLOCK_SIZE);
	header->h_magic = htobe32(JBD2_MAGIC);
	header->h_blocktype = htobe32(type);
	header->h_sequence = htobe32(log->sequence);
}

static void write_tailed(struct log *log, u8 *data)
{
	__be32 crc = htobe32(crc32c(log->journal.seed, data,
				    VEXFS_BLOCK_SIZE));

	memcpy(data + VEXFS_BLOCK_SIZE - sizeof(crc), &crc, sizeof(crc));
	write_next(log, data);
}

static void write_commit(struct log *log, u64 seconds)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct jbd2_commit *commit = (void *)data;

	begin_block(log, data, JBD2_COMMIT);
	commit->c_commit_sec = htobe64(seconds);
	commit->c_chksum[0] = htobe32(crc32c(log->journal.seed, data,
					     VEXFS_BLOCK_SIZE));
	write_next(log, data);
	log->sequence++;
}

/* One descriptor with its blocks; the magic in front of one is escaped. */
static void write_blocks(struct log *log, const u64 *blocks,
			 void *const *contents, u32 count)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	u8 copies[DESCRIPTOR_TAGS][VEXFS_BLOCK_SIZE];
	__be32 sequence = htobe32(log->sequence), magic = htobe32(JBD2_MAGIC);
	u32 at = sizeof(struct jbd2_header);

	begin_block(log, data, JBD2_DESCRIPTOR);
	for (u32 i = 0; i < count; i++) {
		u32 flags = i ? JBD2_TAG_SAME_UUID : 0, crc;
		struct jbd2_tag tag;

		if (i + 1 == count)
			flags |= JBD2_TAG_LAST;
		memcpy(copies[i], contents[i], VEXFS_BLOCK_SIZE);
		if (!memcmp(copies[i], &magic, sizeof(magic))) {
			memset(copies[i], 0, sizeof(magic));
			flags |= JBD2_TAG_ESCAPE;
		}
		crc = crc32c(log->journal.seed, &sequence, sizeof(sequence));
		crc = crc32c(crc, copies[i], VEXFS_BLOCK_SIZE);
		tag.t_blocknr = htobe32((u32)blocks[i]);
		tag.t_blocknr_high = htobe32((u32)(blocks[i] >> 32));
		tag.t_flags = htobe32(flags);
		tag.t_checksum = htobe32(crc);
		memcpy(data + at, &tag, sizeof(tag));
		at += sizeof(tag);
		if (!i) {
			memcpy(data + at, log->journal.super.s_uuid, 16);
			at += 16;
		}
	}
	write_tailed(log, data);
	for (u32 i = 0; i < count; i++)
		write_next(log, copies[i]);
}

static void write_revoke(struct log *log, u64 block)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct jbd2_revoke *revoke = (void *)data;
	__be64 number = htobe64(block);

	begin_block(log, data, JBD2_REVOKE);
	revoke->r_count = htobe32(sizeof(*revoke) + sizeof(number));
	memcpy(data + sizeof(*revoke), &number, sizeof(number));
	write_tailed(log, data);
}

/*
 * A transaction that would do harm if it were replayed: it overwrites the
 * state block, which the next one revokes before it is logged again.
 */
static void write_revoked(struct log *log)
{
	u8 harm[VEXFS_BLOCK_SIZE];
	void *contents = harm;
	u64 block = VEXFS_STATE_BLOCK;
	__be32 magic = htobe32(JBD2_MAGIC);

	memset(harm, 0x5a, sizeof(harm));
	memcpy(harm, &magic, sizeof(magic));
	write_blocks(log, &block, &contents, 1);
	write_commit(log, 1000);
	write_revoke(log, VEXFS_STATE_BLOCK);
	write_commit(log, 1001);
}

static void write_super(struct log *log, u32 start, u32 sequence)
{
	u8 data[VEXFS_BLOCK_SIZE] = { 0 };
	struct jbd2_super *super = &log->journal.super;

	super->s_start = htobe32(start);
	super->s_sequence = htobe32(sequence);
	super->s_checksum = 0;
	super->s_checksum = htobe32(crc32c(~0U, super, sizeof(*super)));
	memcpy(data, super, sizeof(*super));
	if (volume_write(log->journal.vol, log->journal.map[0], data, 1))
		image_die("cannot write the journal's superblock");
}

static void write_overlay(struct log *log)
{
	const struct number_map *map = &log->journal.vol->overlay;
	void *contents[DESCRIPTOR_TAGS];
	u64 blocks[DESCRIPTOR_TAGS];
	u32 count = 0, logged = 0;

	for (u64 i = 0; i <= map->room; i++) {
		if (i < map->room && map->pairs[i].used) {
			blocks[count] = map->pairs[i].key;
			contents[count++] =
				(void *)(uintptr_t)map->pairs[i].value;
		}
		if (count == DESCRIPTOR_TAGS || (i == map->room && count)) {
			write_blocks(log, blocks, contents, count);
			logged += count;
			count = 0;
		}
		if (logged >= TRANSACTION_BLOCKS || i == map->room) {
			write_commit(log, 1002 + i);
			logged = 0;
		}
	}
}

void image_log(struct image *image)
{
	u8 harm[VEXFS_BLOCK_SIZE] = { 0x5a };
	u64 block = VEXFS_STATE_BLOCK;
	void *contents = harm;
	struct log log = { 0 };
	const char *what;
	u32 start, sequence = 0xfffffffdU;

	if (journal_open(&log.journal, &image->vol, &what))
		image_die(what);
	/* The log wraps around, and so do the sequence numbers. */
	start = log.journal.blocks - 20;
	log.at = start;
	log.sequence = sequence;
	write_revoked(&log);
	write_overlay(&log);
	/* Not committed: a replay must leave it out. */
	write_blocks(&log, &block, &contents, 1);
	write_super(&log, start, sequence);
	journal_close(&log.journal);
}
