// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of orphans: inodes whose removal or truncation must be finished
 * after a crash. On disk it is chained through ino_next_orphan from the state
 * block; the list in memory has the same order.
 */
#include "compact.h"

static struct buffer_head *vexfs_read_state(struct super_block *sb)
{
	struct buffer_head *bh;
	const char *what;
	bool fresh;

	bh = vexfs_meta_read(sb, VEXFS_STATE_BLOCK, VEXFS_MAGIC_STATE, 0,
			     &fresh);
	if (IS_ERR(bh) || !fresh)
		return bh;
	what = vex_state_check((struct vexfs_disk_state *)bh->b_data,
			       &VEXFS_SB(sb)->geo);
	if (what) {
		brelse(bh);
		return ERR_PTR(vexfs_corrupt(sb, VEXFS_STATE_BLOCK, 0, -EUCLEAN,
					     what));
	}
	vexfs_meta_verified(bh);
	return bh;
}

int vexfs_state_update(handle_t *handle, struct super_block *sb,
		       void (*change)(struct vexfs_disk_state *state, void *ctx),
		       void *ctx)
{
	struct buffer_head *bh = vexfs_read_state(sb);
	int err;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_meta_access(handle, bh);
	if (!err) {
		lock_buffer(bh);
		change((struct vexfs_disk_state *)bh->b_data, ctx);
		unlock_buffer(bh);
		err = vexfs_meta_dirty(handle, bh);
	}
	brelse(bh);
	return err;
}

static void vexfs_set_orphan_head(struct vexfs_disk_state *state, void *ctx)
{
	state->st_orphan_head = cpu_to_le64(*(u64 *)ctx);
}

int vexfs_orphan_add(handle_t *handle, struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode), *first;
	u64 head = inode->i_ino;
	int err = 0;

	mutex_lock(&sbi->orphan_lock);
	if (!list_empty(&info->orphan_link))
		goto out_unlock;
	first = list_first_entry_or_null(&sbi->orphans,
					 struct vexfs_inode_info, orphan_link);
	info->next_orphan = first ? first->vfs_inode.i_ino : 0;
	err = vexfs_inode_write(handle, inode);
	if (!err)
		err = vexfs_state_update(handle, inode->i_sb,
					 vexfs_set_orphan_head, &head);
	if (!err)
		list_add(&info->orphan_link, &sbi->orphans);
out_unlock:
	mutex_unlock(&sbi->orphan_lock);
	return err;
}

int vexfs_orphan_del(handle_t *handle, struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode), *prev;
	u64 next;
	int err = 0;

	mutex_lock(&sbi->orphan_lock);
	if (list_empty(&info->orphan_link))
		goto out_unlock;
	next = info->next_orphan;
	prev = info->orphan_link.prev == &sbi->orphans ? NULL :
	       list_prev_entry(info, orphan_link);
	list_del_init(&info->orphan_link);
	if (!handle)
		goto out_unlock;
	if (prev) {
		prev->next_orphan = next;
		err = vexfs_inode_write(handle, &prev->vfs_inode);
	} else {
		err = vexfs_state_update(handle, inode->i_sb,
					 vexfs_set_orphan_head, &next);
	}
	info->next_orphan = 0;
	if (!err)
		err = vexfs_inode_write(handle, inode);
out_unlock:
	mutex_unlock(&sbi->orphan_lock);
	return err;
}

/* Finish one orphan; its list entry has been set up. */
static void vexfs_orphan_finish(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	int err = 0, err2 = 0;

	if (inode->i_nlink && S_ISREG(inode->i_mode)) {
		inode_lock(inode);
		/* The transaction that put them there put the file here. */
		err = vexfs_compact_clean(inode);
		if (!err)
			err = vexfs_truncate_finish(inode);
		else	/* It stays on the list, but takes no more than it may. */
			err2 = vexfs_extent_remove(inode,
				DIV_ROUND_UP_ULL(i_size_read(inode),
						 VEXFS_BLOCK_SIZE),
				VEXFS_FILE_BLOCKS_MAX - 1);
		inode_unlock(inode);
	}
	if (err || err2)
		vexfs_msg(sb, KERN_ERR, "inode %llu could not be cut off (error %d)",
			  (u64)inode->i_ino, err2 ? err2 : err);
	iput(inode);
}

void vexfs_orphan_recover(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_inode_info *info;
	unsigned int count = 0;
	struct buffer_head *bh;
	struct inode *inode;
	u64 ino;

	bh = vexfs_read_state(sb);
	if (IS_ERR(bh))
		return;
	ino = le64_to_cpu(((struct vexfs_disk_state *)bh->b_data)->st_orphan_head);
	brelse(bh);
	while (ino) {
		inode = vexfs_iget(sb, ino);
		if (IS_ERR(inode)) {
			vexfs_corrupt(sb, 0, ino, -EUCLEAN,
				      "the list of orphans is broken");
			break;
		}
		info = VEXFS_I(inode);
		if (!list_empty(&info->orphan_link)) {
			iput(inode);
			vexfs_corrupt(sb, 0, ino, -EUCLEAN,
				      "the list of orphans has a loop");
			break;
		}
		mutex_lock(&sbi->orphan_lock);
		list_add_tail(&info->orphan_link, &sbi->orphans);
		mutex_unlock(&sbi->orphan_lock);
		ino = info->next_orphan;
		count++;
	}
	/* The last one first: each leaves a list that is whole. */
	while (!list_empty(&sbi->orphans)) {
		info = list_last_entry(&sbi->orphans, struct vexfs_inode_info,
				       orphan_link);
		vexfs_orphan_finish(&info->vfs_inode);
		/* An orphan that could not be finished stays on disk. */
		mutex_lock(&sbi->orphan_lock);
		if (!list_empty(&sbi->orphans) &&
		    list_last_entry(&sbi->orphans, struct vexfs_inode_info,
				    orphan_link) == info)
			list_del_init(&info->orphan_link);
		mutex_unlock(&sbi->orphan_lock);
	}
	if (count)
		vexfs_msg(sb, KERN_INFO, "%u removals and truncations finished that a crash had interrupted",
			  count);
}
