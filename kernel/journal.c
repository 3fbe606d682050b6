// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal, which is jbd2's, and metadata blocks as buffers under it. All
 * metadata is read, verified, changed and freed through this file; which
 * blocks are what is for the others to know.
 */
#include <linux/blkdev.h>
#include "vexfs.h"

/* The block was verified since it came into memory. */
enum {
	BH_vexfs_verified = BH_JBDPrivateStart,
};

BUFFER_FNS(vexfs_verified, vexfs_verified)

/* The contents are final for this transaction: stamp the checksum. */
static void vexfs_block_frozen(struct jbd2_buffer_trigger_type *triggers,
			       struct buffer_head *bh, void *data, size_t size)
{
	vex_header_stamp(data);
}

static struct jbd2_buffer_trigger_type vexfs_triggers = {
	.t_frozen = vexfs_block_frozen,
};

handle_t *vexfs_journal_start(struct super_block *sb, unsigned int blocks,
			      unsigned int revokes)
{
	journal_t *journal = VEXFS_SB(sb)->journal;

	if (sb_rdonly(sb) || !journal)
		return ERR_PTR(-EROFS);
	return jbd2__journal_start(journal, blocks, 0, revokes, GFP_NOFS, 0, 0);
}

int vexfs_journal_stop(handle_t *handle)
{
	return jbd2_journal_stop(handle);
}

int vexfs_journal_extend(handle_t *handle, unsigned int blocks,
			 unsigned int revokes)
{
	int have = jbd2_handle_buffer_credits(handle);
	int have_revokes = handle->h_revoke_credits;

	if (have >= (int)blocks && have_revokes >= (int)revokes)
		return 0;
	return jbd2_journal_extend(handle, max_t(int, (int)blocks - have, 0),
				   max_t(int, (int)revokes - have_revokes, 0));
}

int vexfs_journal_ensure(handle_t *handle, unsigned int blocks,
			 unsigned int revokes)
{
	int err = vexfs_journal_extend(handle, blocks, revokes);

	if (err <= 0)
		return err;
	err = jbd2__journal_restart(handle, blocks, revokes, GFP_NOFS);
	return err ? err : 1;
}

struct buffer_head *vexfs_meta_read(struct super_block *sb, u64 block,
				    u32 magic, u64 owner, bool *fresh)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct buffer_head *bh;
	const char *what;
	int err = -EUCLEAN;

	if (block >= sbi->geo.blocks) {
		vexfs_corrupt(sb, block, owner, err, "block beyond the volume");
		return ERR_PTR(err);
	}
	bh = sb_getblk(sb, block);
	if (!bh)
		return ERR_PTR(-ENOMEM);
	if (!buffer_uptodate(bh)) {
		brelse(bh);
		bh = sb_bread(sb, block);
		if (!bh) {
			vexfs_msg(sb, KERN_ERR, "block %llu cannot be read", block);
			return ERR_PTR(-EIO);
		}
	}
	if (!buffer_vexfs_verified(bh) &&
	    !vex_header_verify_checksum(bh->b_data)) {
		err = -EBADMSG;
		what = "wrong checksum";
		goto out_corrupt;
	}
	what = vex_header_check(bh->b_data, magic, block, owner,
				sbi->geo.meta_uuid);
	if (what)
		goto out_corrupt;
	if (fresh)
		*fresh = !buffer_vexfs_verified(bh);
	return bh;

out_corrupt:
	brelse(bh);
	vexfs_corrupt(sb, block, owner, err, what);
	return ERR_PTR(err);
}

void vexfs_meta_verified(struct buffer_head *bh)
{
	set_buffer_vexfs_verified(bh);
}

struct buffer_head *vexfs_meta_new(handle_t *handle, struct super_block *sb,
				   u64 block, u32 magic, u64 owner)
{
	struct buffer_head *bh = sb_getblk(sb, block);
	int err;

	if (!bh)
		return ERR_PTR(-ENOMEM);
	lock_buffer(bh);
	err = jbd2_journal_get_create_access(handle, bh);
	if (err) {
		unlock_buffer(bh);
		brelse(bh);
		return ERR_PTR(err);
	}
	memset(bh->b_data, 0, VEXFS_BLOCK_SIZE);
	vex_header_init(bh->b_data, magic, block, owner,
			VEXFS_SB(sb)->geo.meta_uuid);
	set_buffer_uptodate(bh);
	set_buffer_vexfs_verified(bh);
	unlock_buffer(bh);
	return bh;
}

int vexfs_meta_access(handle_t *handle, struct buffer_head *bh)
{
	return jbd2_journal_get_write_access(handle, bh);
}

int vexfs_meta_dirty(handle_t *handle, struct buffer_head *bh)
{
	jbd2_journal_set_triggers(bh, &vexfs_triggers);
	return jbd2_journal_dirty_metadata(handle, bh);
}

int vexfs_meta_forget(handle_t *handle, struct buffer_head *bh)
{
	clear_buffer_vexfs_verified(bh);
	return jbd2_journal_revoke(handle, bh->b_blocknr, bh);
}

/* Does the journal hold transactions that are not home yet? */
static int vexfs_journal_needs_replay(struct super_block *sb,
				      struct inode *inode, bool *needs)
{
	struct buffer_head *bh;
	struct vex_run run;
	int err;

	err = vexfs_extent_map(inode, 0, &run);
	if (err)
		return err;
	if (!run.value)
		return vexfs_corrupt(sb, 0, inode->i_ino, -EUCLEAN,
				     "journal without blocks");
	bh = sb_bread(sb, run.value);
	if (!bh)
		return -EIO;
	*needs = ((journal_superblock_t *)bh->b_data)->s_start != 0;
	brelse(bh);
	return 0;
}

static int vexfs_journal_open(struct super_block *sb, struct inode *inode)
{
	journal_t *journal = jbd2_journal_init_inode(inode);
	int err;

	if (IS_ERR_OR_NULL(journal)) {
		iput(inode);
		return journal ? PTR_ERR(journal) : -EINVAL;
	}
	journal->j_private = sb;
	journal->j_commit_callback = vexfs_alloc_committed;
	write_lock(&journal->j_state_lock);
	journal->j_flags |= JBD2_BARRIER;
	write_unlock(&journal->j_state_lock);
	err = jbd2_journal_load(journal);
	if (!err && !jbd2_journal_set_features(journal, 0, 0,
					       JBD2_FEATURE_INCOMPAT_REVOKE |
					       JBD2_FEATURE_INCOMPAT_64BIT |
					       JBD2_FEATURE_INCOMPAT_CSUM_V3))
		err = -EINVAL;
	if (err) {
		jbd2_journal_destroy(journal);
		return err;
	}
	VEXFS_SB(sb)->journal = journal;
	return 0;
}

int vexfs_journal_load(struct super_block *sb)
{
	struct inode *inode = vexfs_iget(sb, VEXFS_INO_JOURNAL);
	bool needs_replay = false;
	int err;

	if (IS_ERR(inode)) {
		vexfs_msg(sb, KERN_ERR, "the journal's inode cannot be read");
		return PTR_ERR(inode);
	}
	if (!S_ISREG(inode->i_mode) || vexfs_is_vector(inode)) {
		iput(inode);
		return vexfs_corrupt(sb, 0, VEXFS_INO_JOURNAL, -EUCLEAN,
				     "the journal is not an ordinary file");
	}
	err = vexfs_journal_needs_replay(sb, inode, &needs_replay);
	if (err) {
		iput(inode);
		return err;
	}
	if (bdev_read_only(sb->s_bdev)) {
		iput(inode);
		if (!needs_replay)
			return 0;
		vexfs_msg(sb, KERN_ERR,
			  "the journal must be replayed, but the device is read-only: make it writable for one mount");
		return -EROFS;
	}
	err = vexfs_journal_open(sb, inode);
	if (err)
		vexfs_msg(sb, KERN_ERR, "the journal cannot be opened (error %d): run fsck.vexfs",
			  err);
	else if (needs_replay)
		vexfs_msg(sb, KERN_INFO, "journal replayed");
	return err;
}

int vexfs_journal_destroy(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	if (!sbi->journal)
		return 0;
	err = jbd2_journal_destroy(sbi->journal);
	sbi->journal = NULL;
	if (err)
		vexfs_msg(sb, KERN_ERR, "the journal could not be written out (error %d)",
			  err);
	return err;
}
