// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the log as jbd2 does at mount, in three passes: find its end, collect
 * the revoked blocks, copy what was logged over the volume in memory.
 */
#include "journal.h"
#include "crc32c.h"

/* Bytes of a descriptor or revoke block before the checksum at its end. */
#define LOG_BLOCK_BYTES (VEXFS_BLOCK_SIZE - 4)

enum pass { PASS_SCAN, PASS_REVOKE, PASS_REPLAY };

/**
 * struct replay - a replay in progress
 * @journal: the journal
 * @result: for the caller
 * @what: likewise
 * @pass: which pass it is
 * @sequence: of the transaction being read
 * @end: of the first transaction that is not complete, after PASS_SCAN
 * @at: next block of the log
 * @read: blocks read in this pass: a log that leads in circles ends there
 * @bad_checksum: PASS_SCAN met a bad checksum in the transaction
 * @commit_time: of the last transaction with a commit block, seconds
 * @done: the pass is at its end
 * @revoked: block to sequence of the last transaction that revoked it
 */
struct replay {
	struct journal *journal;
	struct journal_result *result;
	const char **what;
	enum pass pass;
	u32 sequence;
	u32 end;
	u32 at;
	u64 read;
	bool bad_checksum;
	u64 commit_time;
	bool done;
	struct number_map revoked;
};

static int fail(struct replay *r, int error, const char *what)
{
	*r->what = what;
	return error;
}

/* Is transaction @a later than @b? Sequence numbers wrap. */
static bool is_later(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

static int read_next(struct replay *r, void *data)
{
	struct journal *journal = r->journal;
	int ret;

	if (r->read++ > journal->blocks)
		return fail(r, -EUCLEAN, "the log leads in a circle");
	ret = volume_read(journal->vol, journal->map[r->at], data);
	if (ret)
		return fail(r, ret, "a block of the log cannot be read");
	if (++r->at >= journal->blocks)
		r->at = be32toh(journal->super.s_first);
	return 0;
}

/* The checksum at the end of descriptor and revoke blocks. */
static bool tail_is_good(const struct replay *r, u8 *data)
{
	__be32 stored, zero = 0;
	u32 crc;

	memcpy(&stored, data + LOG_BLOCK_BYTES, sizeof(stored));
	memcpy(data + LOG_BLOCK_BYTES, &zero, sizeof(zero));
	crc = crc32c(r->journal->seed, data, VEXFS_BLOCK_SIZE);
	memcpy(data + LOG_BLOCK_BYTES, &stored, sizeof(stored));
	return crc == be32toh(stored);
}

/* The next tag of a descriptor; where the one after it is, or 0. */
static u32 next_tag(const u8 *data, u32 at, struct jbd2_tag *tag)
{
	u32 flags;

	memcpy(tag, data + at, sizeof(*tag));
	flags = be32toh(tag->t_flags);
	at += sizeof(*tag);
	if (!(flags & JBD2_TAG_SAME_UUID))
		at += 16;
	if (flags & JBD2_TAG_LAST || at + sizeof(*tag) > LOG_BLOCK_BYTES)
		return 0;
	return at;
}

static int skip_logged(struct replay *r, const u8 *data)
{
	u32 tag_at = sizeof(struct jbd2_header);
	u32 first = be32toh(r->journal->super.s_first);
	struct jbd2_tag tag;

	do {
		tag_at = next_tag(data, tag_at, &tag);
		if (r->read++ > r->journal->blocks)
			return fail(r, -EUCLEAN, "the log leads in a circle");
		if (++r->at >= r->journal->blocks)
			r->at = first;
	} while (tag_at);
	return 0;
}

static int replay_block(struct replay *r, const struct jbd2_tag *tag, u8 *data)
{
	u64 block = be32toh(tag->t_blocknr) |
		    (u64)be32toh(tag->t_blocknr_high) << 32;
	const u64 *revoked = number_map_get(&r->revoked, block);
	__be32 sequence = htobe32(r->sequence);
	__be32 magic = htobe32(JBD2_MAGIC);
	u32 crc;

	if (revoked && !is_later(r->sequence, (u32)*revoked)) {
		r->result->revoked++;
		return 0;
	}
	crc = crc32c(r->journal->seed, &sequence, sizeof(sequence));
	crc = crc32c(crc, data, VEXFS_BLOCK_SIZE);
	if (crc != be32toh(tag->t_checksum))
		return fail(r, -EBADMSG, "a logged block is damaged");
	if (block >= r->journal->vol->geo.blocks)
		return fail(r, -EUCLEAN, "a logged block lies beyond the volume");
	if (be32toh(tag->t_flags) & JBD2_TAG_ESCAPE)
		memcpy(data, &magic, sizeof(magic));
	if (volume_overlay_set(r->journal->vol, block, data))
		return fail(r, -ENOMEM, "not enough memory");
	r->result->blocks++;
	return 0;
}

static int read_descriptor(struct replay *r, u8 *data)
{
	u32 tag_at = sizeof(struct jbd2_header);
	u8 logged[VEXFS_BLOCK_SIZE];
	struct jbd2_tag tag;
	int ret;

	if (!tail_is_good(r, data)) {
		if (r->pass != PASS_SCAN)
			return fail(r, -EBADMSG,
				    "a descriptor block of the log is damaged");
		r->bad_checksum = true;
	}
	if (r->pass != PASS_REPLAY)
		return skip_logged(r, data);
	do {
		tag_at = next_tag(data, tag_at, &tag);
		ret = read_next(r, logged);
		if (!ret)
			ret = replay_block(r, &tag, logged);
	} while (!ret && tag_at);
	return ret;
}

static int read_revoke(struct replay *r, u8 *data)
{
	const struct jbd2_revoke *revoke = (const void *)data;
	u32 at = sizeof(*revoke), end = be32toh(revoke->r_count);
	__be64 block;
	u64 *last;

	if (r->pass == PASS_SCAN && !tail_is_good(r, data))
		r->bad_checksum = true;
	if (r->pass != PASS_REVOKE)
		return 0;
	if (end > LOG_BLOCK_BYTES)
		return fail(r, -EUCLEAN, "r_count: more than a block holds");
	for (; at + sizeof(block) <= end; at += sizeof(block)) {
		memcpy(&block, data + at, sizeof(block));
		last = number_map_add(&r->revoked, be64toh(block));
		if (!last)
			return fail(r, -ENOMEM, "not enough memory");
		*last = r->sequence;
	}
	return 0;
}

/* The rest of the block is behind @commit. */
static int read_commit(struct replay *r, struct jbd2_commit *commit)
{
	u64 seconds = be64toh(commit->c_commit_sec);
	u32 stored = be32toh(commit->c_chksum[0]);

	if (r->pass == PASS_SCAN) {
		commit->c_chksum[0] = 0;
		if (crc32c(r->journal->seed, commit, VEXFS_BLOCK_SIZE) !=
		    stored)
			r->bad_checksum = true;
		if (r->bad_checksum) {
			/* Older than the one before: left from an earlier lap. */
			if (seconds < r->commit_time) {
				r->done = true;
				return 0;
			}
			return fail(r, -EBADMSG,
				    "a transaction in the log is damaged");
		}
		r->commit_time = seconds;
	}
	r->sequence++;
	return 0;
}

static int run_pass(struct replay *r, enum pass pass)
{
	union {
		struct jbd2_header header;
		struct jbd2_commit commit;
		u8 bytes[VEXFS_BLOCK_SIZE];
	} block;
	int ret = 0;

	r->pass = pass;
	r->sequence = be32toh(r->journal->super.s_sequence);
	r->at = be32toh(r->journal->super.s_start);
	r->read = 0;
	r->done = false;
	while (!ret && !r->done) {
		if (pass != PASS_SCAN && !is_later(r->end, r->sequence))
			break;
		ret = read_next(r, block.bytes);
		if (ret || be32toh(block.header.h_magic) != JBD2_MAGIC ||
		    be32toh(block.header.h_sequence) != r->sequence)
			break;
		switch (be32toh(block.header.h_blocktype)) {
		case JBD2_DESCRIPTOR:
			ret = read_descriptor(r, block.bytes);
			break;
		case JBD2_REVOKE:
			ret = read_revoke(r, block.bytes);
			break;
		case JBD2_COMMIT:
			ret = read_commit(r, &block.commit);
			break;
		default:
			r->done = true;
		}
	}
	return ret;
}

int journal_replay(struct journal *journal, struct journal_result *result,
		   const char **what)
{
	struct replay r = {
		.journal = journal,
		.result = result,
		.what = what,
	};
	int ret;

	memset(result, 0, sizeof(*result));
	if (!journal_needs_replay(journal))
		return 0;
	ret = run_pass(&r, PASS_SCAN);
	if (!ret) {
		r.end = r.sequence;
		ret = run_pass(&r, PASS_REVOKE);
	}
	if (!ret)
		ret = run_pass(&r, PASS_REPLAY);
	if (!ret)
		result->transactions =
			r.end - be32toh(journal->super.s_sequence);
	number_map_free(&r.revoked);
	return ret;
}
