// SPDX-License-Identifier: Apache-2.0
/*
 * The blocks that everything else hangs on: the superblock and its copy, the
 * journal, which is replayed in memory, and the state block.
 */
#include "fsck.h"

#include <stdio.h>

static bool features_are_known(struct fsck *fsck)
{
	const struct vexfs_disk_super *super = &fsck->vol.super;

	if (!(le64_to_cpu(super->sb_feature_incompat) &
	      ~VEXFS_FEATURE_INCOMPAT_SUPPORTED) &&
	    !(le64_to_cpu(super->sb_feature_ro_compat) &
	      ~VEXFS_FEATURE_RO_COMPAT_SUPPORTED))
		return true;
	fprintf(stderr,
		"fsck.vexfs: %s: has features that this fsck.vexfs does not know; use a newer one\n",
		fsck->options.target);
	fsck->failed = true;
	return false;
}

/* Is there a good copy of the superblock where mkfs puts one? */
static u64 find_copy(struct fsck *fsck)
{
	u64 blocks = fsck->vol.bytes / VEXFS_BLOCK_SIZE;
	u64 block = min(blocks, VEXFS_GROUP_BLOCKS) - 1;
	const char *what;

	if (!blocks || volume_load_super(&fsck->vol, block, &what))
		return 0;
	return block;
}

static bool load_super(struct fsck *fsck)
{
	u64 block = fsck->options.super_block;
	const char *what;
	int ret = volume_load_super(&fsck->vol, block, &what);
	bool foreign = le32_to_cpu(fsck->vol.super.sb_header.h_magic) !=
		       VEXFS_MAGIC_SUPER;
	u64 copy;

	if (!ret)
		return features_are_known(fsck);
	copy = block ? 0 : find_copy(fsck);
	if (copy) {
		fsck_note_block(fsck, block,
				"superblock: %s; its copy is good: check with -b %llu",
				what, (unsigned long long)copy);
		return false;
	}
	if (!foreign) {
		fsck_note_block(fsck, block, "superblock: %s", what);
		return false;
	}
	fprintf(stderr, "fsck.vexfs: %s: block %llu: %s\n",
		fsck->options.target, (unsigned long long)block, what);
	fsck->failed = true;
	return false;
}

/* The other superblock must say the same as the one in use. */
static void check_other_super(struct fsck *fsck)
{
	const struct vexfs_disk_super *super = &fsck->vol.super;
	u64 block = vex_backup_block(&fsck->vol.geo);
	struct vexfs_disk_super other;
	const char *what, *name = "copy of the superblock";

	if (fsck->options.super_block) {
		block = VEXFS_SUPER_BLOCK;
		name = "superblock";
	}
	if (volume_read(&fsck->vol, block, &other)) {
		fsck_note_block(fsck, block, "%s: it cannot be read", name);
		return;
	}
	what = vex_super_check(&other, block);
	if (what)
		fsck_note_block(fsck, block, "%s: %s", name, what);
	else if (memcmp((const u8 *)&other + VEXFS_HEADER_BYTES,
			(const u8 *)super + VEXFS_HEADER_BYTES,
			VEXFS_PAYLOAD_BYTES))
		fsck_note_block(fsck, block, "%s: differs from the other one",
				name);
}

static bool replay_journal(struct fsck *fsck)
{
	struct journal journal;
	const char *what;
	int ret = journal_open(&journal, &fsck->vol, &what);

	if (ret == -ENOMEM) {
		fsck_fail(fsck, ret, "opening the journal");
		return false;
	}
	if (ret) {
		fsck_note_inode(fsck, VEXFS_INO_JOURNAL, "journal: %s", what);
		/* Without it the rest can be looked at as it is. */
		return true;
	}
	if (journal.super.s_errno)
		fsck_note_inode(fsck, VEXFS_INO_JOURNAL,
				"journal: s_errno: it was aborted with error %d",
				(int)be32toh(journal.super.s_errno));
	ret = journal_replay(&journal, &fsck->replayed, &what);
	if (ret == -ENOMEM)
		fsck_fail(fsck, ret, "replaying the journal");
	else if (ret)
		fsck_note_inode(fsck, VEXFS_INO_JOURNAL,
				"journal: %s: it cannot be replayed, and the volume not be mounted",
				what);
	journal_close(&journal);
	return ret != -ENOMEM;
}

static void check_state(struct fsck *fsck)
{
	struct vexfs_disk_state *state = &fsck->state;
	const char *what;
	int ret = volume_read_meta(&fsck->vol, VEXFS_STATE_BLOCK,
				   VEXFS_MAGIC_STATE, 0, state, &what);

	if (!ret)
		what = vex_state_check(state, &fsck->vol.geo);
	if (what) {
		fsck_note_block(fsck, VEXFS_STATE_BLOCK, "state: %s", what);
		return;
	}
	fsck->has_state = true;
	if (le64_to_cpu(state->st_flags) & VEXFS_STATE_ERROR)
		fsck_note_block(fsck, VEXFS_STATE_BLOCK,
				"state: the kernel found damage %llu times, first in block %llu",
				(unsigned long long)le64_to_cpu(state->st_errors),
				(unsigned long long)
				le64_to_cpu(state->st_first_error_block));
}

bool fsck_head(struct fsck *fsck)
{
	fsck_step(fsck, "superblock and journal");
	if (!load_super(fsck))
		return false;
	check_other_super(fsck);
	if (!replay_journal(fsck))
		return false;
	check_state(fsck);
	return true;
}
