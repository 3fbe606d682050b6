// SPDX-License-Identifier: GPL-2.0-only
/*
 * The background work of a volume: vector files that have rows without
 * sketches wait in a list, and one work item goes around it, a short step for
 * each, at the lowest priority. A file in the list is referenced.
 *
 * What is encoded but not in a checkpoint is encoded again after a crash, so
 * checkpoints are made when a file has not grown for a while, or when much has
 * come together.
 */
#include <linux/sched.h>
#include "build.h"

/* A file's turn. */
#define VEXFS_ENCODE_STEP	(HZ / 20 ?: 1)
/* After new rows came, until the work begins. */
#define VEXFS_ENCODE_DELAY	(HZ / 10 ?: 1)
/* Until it is looked again whether a checkpoint is due. */
#define VEXFS_ENCODE_IDLE	HZ
/* Without new rows for so long, a checkpoint is made. */
#define VEXFS_ENCODE_QUIET	(2 * HZ)
/* After an error that may pass, such as a full volume. */
#define VEXFS_ENCODE_RETRY	(30 * HZ)
/* Bytes of records that are encoded again after a crash, at most. */
#define VEXFS_ENCODE_SAVE_BYTES	(64ULL << 20)
/* Rows after which the encoding that a small sample gave is chosen again. */
#define VEXFS_ENCODE_GROWTH	32U
#define VEXFS_ENCODE_GROWTH_MAX	100000U

enum vexfs_encode_result {
	VEXFS_ENCODE_DONE,	/* nothing to do before more rows come */
	VEXFS_ENCODE_MORE,	/* at once */
	VEXFS_ENCODE_WAIT,	/* for quiet, or for rows to be published */
};

static bool vexfs_encode_possible(struct inode *base)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(base->i_sb);
	const struct vexfs_disk_schema *schema =
		&VEXFS_I(base)->vector.schema;

	/* Without a name, nobody will search it again. */
	return READ_ONCE(sbi->encoding) && !sb_rdonly(base->i_sb) &&
	       READ_ONCE(base->i_nlink) &&
	       READ_ONCE(VEXFS_I(base)->vector.rows) >= VEXFS_SKETCH_ROWS_MIN &&
	       vex_sketch_possible(schema->s_element, schema->s_metric,
				   le32_to_cpu(schema->s_dim));
}

/* One file */

/* Remove a fork that serves these rows no more, and make the right one. */
static int vexfs_encode_begin(struct inode *base,
			      const struct vexfs_snapshot *snapshot)
{
	int err = vexfs_derived_drop(base, VEXFS_FORK_SKETCHES);

	return err ? err : vexfs_sketches_create(base, snapshot);
}

/* Was the encoding chosen when the file was so small that it may not fit now? */
static bool vexfs_encode_outgrown(const struct vexfs_sketches *sketches,
				  u64 rows)
{
	return sketches->sample_rows < VEXFS_ENCODE_GROWTH_MAX &&
	       rows / VEXFS_ENCODE_GROWTH > sketches->sample_rows;
}

static bool vexfs_encode_due(struct inode *base,
			     const struct vexfs_sketches *sketches)
{
	u64 unsaved = sketches->rows - sketches->saved_rows;

	return unsaved * sketches->config.record_bytes >=
	       VEXFS_ENCODE_SAVE_BYTES ||
	       time_after64(get_jiffies_64(), VEXFS_I(base)->encode_grown +
			    VEXFS_ENCODE_QUIET) ||
	       !READ_ONCE(VEXFS_SB(base->i_sb)->encoding);
}

static int vexfs_encode_sketches(struct inode *base,
				 struct vexfs_sketches *sketches,
				 const struct vexfs_snapshot *snapshot)
{
	int ret, err = 0;

	ret = vexfs_sketches_encode(sketches, snapshot, get_jiffies_64() +
				    VEXFS_ENCODE_STEP);
	if (ret < 0)
		return ret;
	if (vexfs_encode_due(base, sketches))
		err = vexfs_sketches_save(sketches);
	if (err)
		return err;
	if (ret)
		return VEXFS_ENCODE_MORE;
	return sketches->saved_rows < sketches->rows ? VEXFS_ENCODE_WAIT :
						       VEXFS_ENCODE_DONE;
}

/* A file's turn: enum vexfs_encode_result or a negative errno. */
static int vexfs_encode_file(struct inode *base)
{
	struct vexfs_snapshot snapshot;
	struct vexfs_sketches *sketches;
	int ret;

	if (!vexfs_encode_possible(base))
		return VEXFS_ENCODE_DONE;
	vexfs_snapshot_await(base, &snapshot);
	sketches = vexfs_sketches_open(base, snapshot.generation);
	if (IS_ERR(sketches) && PTR_ERR(sketches) != -EUCLEAN &&
	    PTR_ERR(sketches) != -EBADMSG)
		return PTR_ERR(sketches);
	if (!IS_ERR_OR_NULL(sketches) &&
	    vexfs_encode_outgrown(sketches, snapshot.rows)) {
		vexfs_sketches_put(sketches);
		sketches = NULL;
	}
	if (IS_ERR_OR_NULL(sketches)) {
		ret = vexfs_encode_begin(base, &snapshot);
		if (ret)
			return ret;
		sketches = vexfs_sketches_open(base, snapshot.generation);
		/* One that cannot be used although it was just made. */
		if (IS_ERR(sketches))
			return PTR_ERR(sketches);
		if (!sketches)
			return VEXFS_ENCODE_MORE;
	}
	ret = vexfs_encode_sketches(base, sketches, &snapshot);
	vexfs_sketches_put(sketches);
	return ret;
}

/* The list */

/* The file whose turn it is, or NULL; it stays in the list. */
static struct inode *vexfs_encode_next_file(struct vexfs_sb_info *sbi)
{
	struct vexfs_inode_info *info, *found = NULL;

	spin_lock(&sbi->encode_lock);
	list_for_each_entry(info, &sbi->encode_list, encode_link) {
		if (time_before64(get_jiffies_64(), info->encode_at))
			continue;
		found = info;
		list_move_tail(&info->encode_link, &sbi->encode_list);
		info->encode_again = false;
		break;
	}
	sbi->encode_turn = found;
	spin_unlock(&sbi->encode_lock);
	return found ? &found->vfs_inode : NULL;
}

/* What came of a file's turn. */
static void vexfs_encode_note(struct inode *base, int ret)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(base->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(base);
	bool done = false;

	/* Renumbered meanwhile: begin anew. */
	if (ret == -ESTALE)
		ret = VEXFS_ENCODE_MORE;
	if (ret < 0 && info->encode_error != ret)
		vexfs_msg(base->i_sb, KERN_WARNING,
			  "inode %llu: encoding stopped (error %d), searches go on without",
			  (u64)base->i_ino, ret);
	spin_lock(&sbi->encode_lock);
	sbi->encode_turn = NULL;
	WRITE_ONCE(sbi->encode_turns, sbi->encode_turns + 1);
	WRITE_ONCE(info->encode_error, min(ret, 0));
	info->encode_at = get_jiffies_64();
	if (ret == VEXFS_ENCODE_WAIT)
		info->encode_at += VEXFS_ENCODE_IDLE;
	if (ret < 0)
		info->encode_at += VEXFS_ENCODE_RETRY;
	if (ret < 0 || (ret == VEXFS_ENCODE_DONE && !info->encode_again)) {
		list_del_init(&info->encode_link);
		done = true;
	}
	spin_unlock(&sbi->encode_lock);
	wake_up_all(&sbi->encode_wait);
	/* What was encoded can go into the index. */
	if (ret >= 0)
		vexfs_build_later(base);
	if (done)
		iput(base);
}

static void vexfs_encode_work(struct work_struct *work)
{
	struct vexfs_sb_info *sbi = container_of(work, struct vexfs_sb_info,
						 encode_work.work);
	struct super_block *sb = sbi->sb;
	struct inode *base;

	set_user_nice(current, MAX_NICE);
	while (READ_ONCE(sbi->encoding) &&
	       (base = vexfs_encode_next_file(sbi))) {
		/* Not on a frozen volume. */
		if (!sb_start_write_trylock(sb)) {
			vexfs_encode_note(base, VEXFS_ENCODE_WAIT);
			break;
		}
		vexfs_encode_note(base, vexfs_encode_file(base));
		sb_end_write(sb);
		cond_resched();
	}
	set_user_nice(current, 0);
	spin_lock(&sbi->encode_lock);
	if (sbi->encoding && !list_empty(&sbi->encode_list))
		queue_delayed_work(sbi->encode_wq, &sbi->encode_work,
				   VEXFS_ENCODE_IDLE);
	spin_unlock(&sbi->encode_lock);
}

static void vexfs_encode_queue(struct inode *base, bool grown)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(base->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(base);

	if (!vexfs_encode_possible(base))
		return;
	spin_lock(&sbi->encode_lock);
	if (grown)
		info->encode_grown = get_jiffies_64();
	if (!sbi->encoding) {
		spin_unlock(&sbi->encode_lock);
		return;
	}
	info->encode_again = true;
	if (list_empty(&info->encode_link)) {
		/* After an error it is tried again, but not at once. */
		if ((info->encode_error &&
		     time_before64(get_jiffies_64(), info->encode_at)) ||
		    !igrab(base)) {
			spin_unlock(&sbi->encode_lock);
			return;
		}
		list_add_tail(&info->encode_link, &sbi->encode_list);
	}
	if (!info->encode_error)
		info->encode_at = 0;
	queue_delayed_work(sbi->encode_wq, &sbi->encode_work,
			   VEXFS_ENCODE_DELAY);
	spin_unlock(&sbi->encode_lock);
}

void vexfs_encode_later(struct inode *base)
{
	vexfs_encode_queue(base, false);
}

void vexfs_encode_grown(struct inode *base)
{
	vexfs_encode_queue(base, true);
}

void vexfs_encode_forget(struct inode *base)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(base->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(base);
	bool listed;

	spin_lock(&sbi->encode_lock);
	/* If it is its turn, that ends soon. */
	listed = !list_empty(&info->encode_link) && sbi->encode_turn != info;
	if (listed)
		list_del_init(&info->encode_link);
	info->encode_at = 0;
	spin_unlock(&sbi->encode_lock);
	if (listed)
		iput(base);
}

/* Is everything up to @rows encoded? 1, 0 or a negative errno. */
static int vexfs_encode_reached(struct inode *base, u64 rows)
{
	struct vexfs_snapshot snapshot;
	struct vexfs_sketches *sketches;
	int ret;

	if (!vexfs_encode_possible(base))
		return -EOPNOTSUPP;
	vexfs_snapshot_take(base, &snapshot);
	sketches = vexfs_sketches_open(base, snapshot.generation);
	ret = !IS_ERR_OR_NULL(sketches) &&
	      vexfs_sketches_rows(sketches) >= min(rows, snapshot.rows);
	if (!IS_ERR(sketches))
		vexfs_sketches_put(sketches);
	return ret ? ret : READ_ONCE(VEXFS_I(base)->encode_error);
}

int vexfs_encode_wait(struct inode *base)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(base->i_sb);
	u64 rows = READ_ONCE(VEXFS_I(base)->vector.rows);
	unsigned int turns;
	int ret = 0;

	for (;;) {
		turns = READ_ONCE(sbi->encode_turns);
		vexfs_encode_later(base);
		ret = vexfs_encode_reached(base, rows);
		if (ret)
			return min(ret, 0);
		if (fatal_signal_pending(current))
			return -EINTR;
		/* The time is for what may go wrong without waking anybody. */
		wait_event_killable_timeout(sbi->encode_wait,
					    READ_ONCE(sbi->encode_turns) !=
					    turns, HZ);
	}
}

/* A volume */

int vexfs_encode_setup(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	spin_lock_init(&sbi->encode_lock);
	INIT_LIST_HEAD(&sbi->encode_list);
	init_waitqueue_head(&sbi->encode_wait);
	INIT_DELAYED_WORK(&sbi->encode_work, vexfs_encode_work);
	sbi->encode_wq = alloc_workqueue("vexfs-enc/%s", WQ_FREEZABLE |
					 WQ_UNBOUND, 1, sb->s_id);
	return sbi->encode_wq ? 0 : -ENOMEM;
}

void vexfs_encode_teardown(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (sbi->encode_wq)
		destroy_workqueue(sbi->encode_wq);
}

void vexfs_encode_start(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	spin_lock(&sbi->encode_lock);
	sbi->encoding = sbi->background;
	spin_unlock(&sbi->encode_lock);
}

/* What is encoded of a file becomes durable. */
static void vexfs_encode_save(struct inode *base)
{
	struct vexfs_snapshot snapshot;
	struct vexfs_sketches *sketches;

	vexfs_snapshot_take(base, &snapshot);
	sketches = vexfs_sketches_open(base, snapshot.generation);
	if (IS_ERR_OR_NULL(sketches))
		return;
	vexfs_sketches_save(sketches);
	vexfs_sketches_put(sketches);
}

void vexfs_encode_stop(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_inode_info *info;

	spin_lock(&sbi->encode_lock);
	sbi->encoding = false;
	spin_unlock(&sbi->encode_lock);
	cancel_delayed_work_sync(&sbi->encode_work);
	for (;;) {
		spin_lock(&sbi->encode_lock);
		info = list_first_entry_or_null(&sbi->encode_list,
						struct vexfs_inode_info,
						encode_link);
		if (info)
			list_del_init(&info->encode_link);
		spin_unlock(&sbi->encode_lock);
		if (!info)
			break;
		if (!sb_rdonly(sb) && info->vfs_inode.i_nlink)
			vexfs_encode_save(&info->vfs_inode);
		iput(&info->vfs_inode);
	}
	spin_lock(&sbi->encode_lock);
	WRITE_ONCE(sbi->encode_turns, sbi->encode_turns + 1);
	spin_unlock(&sbi->encode_lock);
	wake_up_all(&sbi->encode_wait);
}
