// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting and unmounting, the superblock's operations, and the one place
 * where damage is reported.
 */
#include <linux/blkdev.h>
#include <linux/exportfs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/statfs.h>
#include "sketch.h"

/**
 * struct vexfs_mount_options - what a mount asks for
 * @errors: VEXFS_ERRORS_*, or 0 for the superblock's
 * @background: is background work wanted?
 * @background_set: does the mount say so?
 */
struct vexfs_mount_options {
	unsigned int errors;
	bool background;
	bool background_set;
};

void vexfs_msg(struct super_block *sb, const char *level, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	_printk("%svexfs (%s): %pV\n", level, sb->s_id, &vaf);
	va_end(args);
}

/* Damage */

/**
 * struct vexfs_error_note - what is written down about errors
 * @count: errors
 * @block: where the first was
 */
struct vexfs_error_note {
	unsigned int count;
	u64 block;
};

static void vexfs_note_errors(struct vexfs_disk_state *state, void *ctx)
{
	struct vexfs_error_note *note = ctx;

	if (!state->st_errors) {
		state->st_first_error_time = cpu_to_le64(ktime_get_real_seconds());
		state->st_first_error_block = cpu_to_le64(note->block);
	}
	le64_add_cpu(&state->st_errors, note->count);
	state->st_flags |= cpu_to_le64(VEXFS_STATE_ERROR);
}

static void vexfs_error_work(struct work_struct *work)
{
	struct vexfs_sb_info *sbi = container_of(work, struct vexfs_sb_info,
						 error_work);
	struct vexfs_error_note note = {
		.count = atomic_xchg(&sbi->error_count, 0),
		.block = sbi->error_block,
	};
	handle_t *handle;

	if (!note.count || !sbi->journal || is_journal_aborted(sbi->journal))
		return;
	/* Not vexfs_journal_start(): the volume may have become read-only. */
	handle = jbd2__journal_start(sbi->journal, VEXFS_CREDITS_STATE, 0, 0,
				     GFP_NOFS, 0, 0);
	if (IS_ERR(handle))
		return;
	vexfs_state_update(handle, sbi->sb, vexfs_note_errors, &note);
	vexfs_journal_stop(handle);
	jbd2_journal_force_commit(sbi->journal);
}

int vexfs_corrupt(struct super_block *sb, u64 block, u64 ino, int err,
		  const char *what)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	vexfs_msg(sb, KERN_ERR, "damage found: %s (block %llu, inode %llu): unmount and run fsck.vexfs",
		  what, block, ino);
	if (atomic_inc_return(&sbi->error_count) == 1)
		sbi->error_block = block;
	if (sbi->journal && !sbi->stopping && !sb_rdonly(sb))
		schedule_work(&sbi->error_work);
	if (sbi->errors == VEXFS_ERRORS_PANIC)
		panic("vexfs (%s): panic as asked for by errors=panic\n",
		      sb->s_id);
	if (sbi->errors == VEXFS_ERRORS_REMOUNT_RO && sbi->journal &&
	    sb->s_root && !sb_rdonly(sb)) {
		vexfs_msg(sb, KERN_ERR, "remounting read-only");
		sb->s_flags |= SB_RDONLY;
	}
	return err;
}

/* Operations */

static int vexfs_sync_fs(struct super_block *sb, int wait)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	bool need_flush = false;
	tid_t tid;
	int err = 0;

	if (!journal)
		return 0;
	/* Inodes that were written without waiting publish in the background. */
	if (wait)
		flush_workqueue(VEXFS_SB(sb)->publish_wq);
	/* Data overwritten in place is durable only after a flush. */
	tid = jbd2_get_latest_transaction(journal);
	if (wait && (journal->j_flags & JBD2_BARRIER) &&
	    !jbd2_trans_will_send_data_barrier(journal, tid))
		need_flush = true;
	if (jbd2_journal_start_commit(journal, &tid)) {
		if (wait)
			err = jbd2_log_wait_commit(journal, tid);
	}
	if (wait && need_flush && !err)
		err = blkdev_issue_flush(sb->s_bdev);
	return err;
}

/* Write every transaction home, so that the journal is empty. */
static int vexfs_journal_empty(struct super_block *sb)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	int err;

	if (!journal)
		return 0;
	jbd2_journal_lock_updates(journal);
	err = jbd2_journal_flush(journal, 0);
	jbd2_journal_unlock_updates(journal);
	return err;
}

static int vexfs_freeze_fs(struct super_block *sb)
{
	return vexfs_journal_empty(sb);
}

static int vexfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 free, overhead;

	free = percpu_counter_sum_positive(&sbi->free_blocks) +
	       max_t(s64, READ_ONCE(sbi->busy_blocks), 0);
	overhead = sbi->geo.groups * (2 + sbi->geo.inode_blocks) + 3 +
		   sbi->geo.gdt_blocks;
	buf->f_type = VEXFS_SUPER_MAGIC;
	buf->f_bsize = VEXFS_BLOCK_SIZE;
	buf->f_blocks = sbi->geo.blocks - min(overhead, sbi->geo.blocks);
	buf->f_bfree = free;
	buf->f_bavail = free - min_t(u64, free, sbi->metadata_reserve);
	buf->f_files = sbi->geo.groups * sbi->geo.inodes_per_group;
	buf->f_ffree = percpu_counter_sum_positive(&sbi->free_inodes);
	buf->f_namelen = VEXFS_NAME_MAX;
	buf->f_fsid = uuid_to_fsid(sbi->uuid);
	return 0;
}

static const char *const vexfs_errors_names[] = {
	[VEXFS_ERRORS_CONTINUE] = "continue",
	[VEXFS_ERRORS_REMOUNT_RO] = "remount-ro",
	[VEXFS_ERRORS_PANIC] = "panic",
};

static int vexfs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(root->d_sb);

	if (sbi->errors != sbi->default_errors)
		seq_printf(seq, ",errors=%s", vexfs_errors_names[sbi->errors]);
	if (!sbi->background)
		seq_puts(seq, ",nobackground");
	return 0;
}

static void vexfs_workqueues_destroy(struct vexfs_sb_info *sbi)
{
	vexfs_encode_teardown(sbi->sb);
	if (sbi->publish_wq)
		destroy_workqueue(sbi->publish_wq);
	if (sbi->build_wq)
		destroy_workqueue(sbi->build_wq);
	if (sbi->crew_wq)
		destroy_workqueue(sbi->crew_wq);
	if (sbi->convert_wq)
		destroy_workqueue(sbi->convert_wq);
}

static int vexfs_workqueues_create(struct vexfs_sb_info *sbi)
{
	sbi->convert_wq = alloc_workqueue("vexfs-conv/%s", WQ_MEM_RECLAIM |
					  WQ_FREEZABLE | WQ_UNBOUND, 0,
					  sbi->sb->s_id);
	/* Its own, as publishing waits for conversions. */
	sbi->publish_wq = alloc_workqueue("vexfs-publ/%s", WQ_MEM_RECLAIM |
					  WQ_FREEZABLE | WQ_UNBOUND, 0,
					  sbi->sb->s_id);
	/* Each build may take a sixteenth of the machine's memory. */
	sbi->build_wq = alloc_workqueue("vexfs-build/%s", WQ_FREEZABLE |
					WQ_UNBOUND, 4, sbi->sb->s_id);
	/* Its own, as each build waits for its helpers. */
	sbi->crew_wq = alloc_workqueue("vexfs-crew/%s", WQ_FREEZABLE |
				       WQ_UNBOUND, 0, sbi->sb->s_id);
	if (!sbi->convert_wq || !sbi->publish_wq || !sbi->build_wq ||
	    !sbi->crew_wq)
		return -ENOMEM;
	return vexfs_encode_setup(sbi->sb);
}

static void vexfs_put_super(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	cancel_work_sync(&sbi->error_work);
	vexfs_error_work(&sbi->error_work);
	vexfs_workqueues_destroy(sbi);
	vexfs_journal_destroy(sb);
	vexfs_alloc_destroy(sb);
	sb->s_fs_info = NULL;
	kfree(sbi);
}

static const struct super_operations vexfs_super_operations = {
	.alloc_inode = vexfs_alloc_inode,
	.free_inode = vexfs_free_inode,
	.dirty_inode = vexfs_dirty_inode,
	.write_inode = vexfs_write_inode,
	.drop_inode = vexfs_drop_inode,
	.evict_inode = vexfs_evict_inode,
	.put_super = vexfs_put_super,
	.sync_fs = vexfs_sync_fs,
	.freeze_fs = vexfs_freeze_fs,
	.statfs = vexfs_statfs,
	.show_options = vexfs_show_options,
};

/* Mounting */

static int vexfs_check_features(struct super_block *sb,
				const struct vexfs_disk_super *super,
				bool writable)
{
	u64 unknown = le64_to_cpu(super->sb_feature_incompat) &
		      ~VEXFS_FEATURE_INCOMPAT_SUPPORTED;

	if (unknown) {
		vexfs_msg(sb, KERN_ERR, "the volume has features (incompatible %#llx) that this module does not know: use a newer one",
			  unknown);
		return -EINVAL;
	}
	unknown = le64_to_cpu(super->sb_feature_ro_compat) &
		  ~VEXFS_FEATURE_RO_COMPAT_SUPPORTED;
	if (unknown && writable) {
		vexfs_msg(sb, KERN_ERR, "the volume has features (read-only compatible %#llx) that this module does not know: mount it read-only, or use a newer module",
			  unknown);
		return -EROFS;
	}
	return 0;
}

static int vexfs_read_super(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_disk_super *super;
	struct buffer_head *bh;
	const char *what;
	int err = -EINVAL;

	bh = sb_bread(sb, VEXFS_SUPER_BLOCK);
	if (!bh) {
		vexfs_msg(sb, KERN_ERR, "the superblock cannot be read");
		return -EIO;
	}
	super = (struct vexfs_disk_super *)bh->b_data;
	what = vex_super_check(super, VEXFS_SUPER_BLOCK);
	if (what) {
		vexfs_msg(sb, KERN_ERR, "superblock: %s", what);
		goto out_release;
	}
	err = vexfs_check_features(sb, super, !sb_rdonly(sb));
	if (err)
		goto out_release;
	err = -EINVAL;
	what = vex_geometry_init(&sbi->geo, le64_to_cpu(super->sb_blocks),
				 le32_to_cpu(super->sb_gdt_blocks),
				 le32_to_cpu(super->sb_inodes_per_group),
				 super->sb_meta_uuid);
	if (what) {
		vexfs_msg(sb, KERN_ERR, "superblock: %s", what);
		goto out_release;
	}
	if (sbi->geo.blocks > bdev_nr_bytes(sb->s_bdev) >> VEXFS_BLOCK_BITS) {
		vexfs_msg(sb, KERN_ERR, "the volume has %llu blocks but the device only %llu: it was cut off",
			  sbi->geo.blocks, (u64)bdev_nr_bytes(sb->s_bdev) >>
			  VEXFS_BLOCK_BITS);
		goto out_release;
	}
	err = 0;
	sbi->hash_seed = le64_to_cpu(super->sb_hash_seed);
	sbi->default_errors = le32_to_cpu(super->sb_errors);
	memcpy(sbi->uuid, super->sb_uuid, sizeof(sbi->uuid));
	memcpy(sbi->label, super->sb_label, VEXFS_LABEL_BYTES);
	memcpy(&sb->s_uuid, super->sb_uuid, sizeof(sb->s_uuid));
out_release:
	brelse(bh);
	return err;
}

static void vexfs_count_mount(struct vexfs_disk_state *state, void *ctx)
{
	le64_add_cpu(&state->st_mounts, 1);
	state->st_last_mount = cpu_to_le64(ktime_get_real_seconds());
	*(bool *)ctx = state->st_flags & cpu_to_le64(VEXFS_STATE_ERROR);
}

/* The volume has become writable. */
static int vexfs_begin_writing(struct super_block *sb)
{
	bool damaged = false;
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(sb, VEXFS_CREDITS_STATE, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_state_update(handle, sb, vexfs_count_mount, &damaged);
	err2 = vexfs_journal_stop(handle);
	if (err || err2)
		return err ? err : err2;
	if (damaged)
		vexfs_msg(sb, KERN_WARNING, "damage was found earlier and not mended: run fsck.vexfs");
	vexfs_orphan_recover(sb);
	vexfs_encode_start(sb);
	return 0;
}

static void vexfs_sb_info_init(struct vexfs_sb_info *sbi,
			       struct super_block *sb)
{
	int i;

	sbi->sb = sb;
	for (i = 0; i < VEXFS_GROUP_LOCKS; i++)
		mutex_init(&sbi->group_locks[i]);
	spin_lock_init(&sbi->busy_lock);
	sbi->busy = RB_ROOT;
	INIT_LIST_HEAD(&sbi->busy_list);
	mutex_init(&sbi->orphan_lock);
	INIT_LIST_HEAD(&sbi->orphans);
	INIT_WORK(&sbi->error_work, vexfs_error_work);
	atomic_set(&sbi->next_generation, get_random_u32());
}

static void vexfs_sb_init(struct super_block *sb)
{
	sb->s_magic = VEXFS_SUPER_MAGIC;
	sb->s_op = &vexfs_super_operations;
	sb->s_xattr = vexfs_xattr_handlers;
	sb->s_export_op = &vexfs_export_operations;
	sb->s_maxbytes = min_t(u64, MAX_LFS_FILESIZE,
			       VEXFS_FILE_BLOCKS_MAX << VEXFS_BLOCK_BITS);
	sb->s_max_links = VEXFS_LINK_MAX;
	sb->s_time_gran = 1;
	sb->s_time_min = S64_MIN;
	sb->s_time_max = S64_MAX;
	sb->s_flags |= SB_POSIXACL | SB_I_VERSION | SB_NOSEC;
	sb->s_iflags |= SB_I_CGROUPWB;
}

static int vexfs_load_root(struct super_block *sb)
{
	struct inode *root = vexfs_iget(sb, VEXFS_INO_ROOT);

	if (IS_ERR(root)) {
		vexfs_msg(sb, KERN_ERR, "the root directory cannot be read");
		return PTR_ERR(root) == -ESTALE ? -EUCLEAN : PTR_ERR(root);
	}
	if (!S_ISDIR(root->i_mode) || !root->i_nlink) {
		iput(root);
		return vexfs_corrupt(sb, 0, VEXFS_INO_ROOT, -EUCLEAN,
				     "the root is not a directory");
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int vexfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct vexfs_mount_options *options = fc->fs_private;
	struct vexfs_sb_info *sbi;
	int err = -EINVAL;

	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	sb->s_fs_info = sbi;
	vexfs_sb_info_init(sbi, sb);
	vexfs_sb_init(sb);
	if (!sb_set_blocksize(sb, VEXFS_BLOCK_SIZE)) {
		vexfs_msg(sb, KERN_ERR, "the device has sectors of more than %d bytes",
			  VEXFS_BLOCK_SIZE);
		goto out_free;
	}
	err = vexfs_read_super(sb);
	if (err)
		goto out_free;
	sbi->errors = options->errors ? options->errors : sbi->default_errors;
	sbi->background = options->background;
	err = vexfs_workqueues_create(sbi);
	if (!err)
		err = vexfs_journal_load(sb);
	if (err)
		goto out_workqueues;
	err = vexfs_alloc_init(sb);
	if (!err && !sb_rdonly(sb) && !sbi->journal) {
		vexfs_msg(sb, KERN_ERR, "the device is read-only: mount with -o ro");
		err = -EROFS;
	}
	if (!err)
		err = vexfs_load_root(sb);
	if (!err && !sb_rdonly(sb))
		err = vexfs_begin_writing(sb);
	if (!err)
		return 0;

	/* With a root, put_super() does the rest. */
	if (sb->s_root)
		return err;
	cancel_work_sync(&sbi->error_work);
	vexfs_journal_destroy(sb);
	vexfs_alloc_destroy(sb);
out_workqueues:
	vexfs_workqueues_destroy(sbi);
out_free:
	sb->s_fs_info = NULL;
	kfree(sbi);
	return err;
}

static int vexfs_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, vexfs_fill_super);
}

static int vexfs_reconfigure(struct fs_context *fc)
{
	struct vexfs_mount_options *options = fc->fs_private;
	struct super_block *sb = fc->root->d_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	bool read_only = fc->sb_flags & SB_RDONLY;
	int err = 0;

	/* Rows are published, and then what is encoded of them is saved. */
	sync_filesystem(sb);
	vexfs_encode_stop(sb);
	flush_workqueue(sbi->build_wq);
	if (options->errors)
		sbi->errors = options->errors;
	if (options->background_set)
		sbi->background = options->background;
	if (read_only == sb_rdonly(sb)) {
		if (!read_only)
			vexfs_encode_start(sb);
		return 0;
	}
	if (read_only) {
		sync_filesystem(sb);
		return vexfs_journal_empty(sb);
	}
	if (!sbi->journal) {
		vexfs_msg(sb, KERN_ERR, "the device was read-only when it was mounted: unmount it and mount it anew");
		return -EROFS;
	}
	if (is_journal_aborted(sbi->journal)) {
		vexfs_msg(sb, KERN_ERR, "the journal was stopped by an error: unmount and run fsck.vexfs");
		return -EROFS;
	}
	sb->s_flags &= ~SB_RDONLY;
	err = vexfs_begin_writing(sb);
	if (err)
		sb->s_flags |= SB_RDONLY;
	return err;
}

enum { VEXFS_OPTION_ERRORS, VEXFS_OPTION_BACKGROUND };

static const struct constant_table vexfs_errors_values[] = {
	{ "continue", VEXFS_ERRORS_CONTINUE },
	{ "remount-ro", VEXFS_ERRORS_REMOUNT_RO },
	{ "panic", VEXFS_ERRORS_PANIC },
	{}
};

static const struct fs_parameter_spec vexfs_parameters[] = {
	fsparam_enum("errors", VEXFS_OPTION_ERRORS, vexfs_errors_values),
	fsparam_flag_no("background", VEXFS_OPTION_BACKGROUND),
	{}
};

static int vexfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct vexfs_mount_options *options = fc->fs_private;
	struct fs_parse_result result;
	int option = fs_parse(fc, vexfs_parameters, param, &result);

	if (option < 0)
		return option;
	if (option == VEXFS_OPTION_ERRORS) {
		options->errors = result.uint_32;
	} else {
		options->background = !result.negated;
		options->background_set = true;
	}
	return 0;
}

static void vexfs_free_context(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations vexfs_context_operations = {
	.parse_param = vexfs_parse_param,
	.get_tree = vexfs_get_tree,
	.reconfigure = vexfs_reconfigure,
	.free = vexfs_free_context,
};

static int vexfs_init_context(struct fs_context *fc)
{
	struct vexfs_mount_options *options = kzalloc(sizeof(*options),
						      GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	options->background = true;
	fc->fs_private = options;
	fc->ops = &vexfs_context_operations;
	return 0;
}

static void vexfs_kill_sb(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	/*
	 * Background work holds references to inodes. What it has to do is
	 * done by this; then nothing is begun any more.
	 */
	if (sbi && sb->s_root) {
		sync_filesystem(sb);
		vexfs_encode_stop(sb);
		flush_workqueue(sbi->build_wq);
		WRITE_ONCE(sbi->stopping, true);
		flush_workqueue(sbi->publish_wq);
		flush_workqueue(sbi->convert_wq);
	}
	kill_block_super(sb);
}

static struct file_system_type vexfs_type = {
	.owner = THIS_MODULE,
	.name = "vexfs",
	.init_fs_context = vexfs_init_context,
	.parameters = vexfs_parameters,
	.kill_sb = vexfs_kill_sb,
	.fs_flags = FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
};
MODULE_ALIAS_FS("vexfs");

static int __init vexfs_init(void)
{
	int err = vexfs_inode_cache_init();

	if (err)
		return err;
	err = vexfs_window_setup();
	if (err)
		goto out_cache;
	err = register_filesystem(&vexfs_type);
	if (!err)
		return 0;
	vexfs_window_teardown();
out_cache:
	vexfs_inode_cache_destroy();
	return err;
}

static void __exit vexfs_exit(void)
{
	unregister_filesystem(&vexfs_type);
	vexfs_window_teardown();
	vexfs_inode_cache_destroy();
}

module_init(vexfs_init);
module_exit(vexfs_exit);
MODULE_DESCRIPTION("VexFS: a filesystem whose files can hold vectors");
MODULE_LICENSE("GPL");
