// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks and inode numbers: bitmaps, group descriptors, and the extents that
 * are busy: freed by a transaction that has not committed, and so neither
 * allocatable nor counted as free.
 *
 * A crash before the commit finds a freed block still in use by its old
 * owner; that is why nobody else may write to it until then.
 */
#include "vexfs.h"

/* A run this long is good enough, however much is wanted. */
#define VEXFS_RUN_GOOD		512U

/**
 * struct vexfs_busy - an extent freed by a transaction that has not committed
 * @node: in vexfs_sb_info.busy
 * @link: in vexfs_sb_info.busy_list
 * @block: first block
 * @count: blocks
 * @tid: the transaction
 */
struct vexfs_busy {
	struct rb_node node;
	struct list_head link;
	u64 block;
	u32 count;
	tid_t tid;
};

/**
 * struct vexfs_group_bufs - a group's blocks while it is being changed
 * @desc_bh: the block of its descriptor
 * @desc: the descriptor
 * @bitmap_bh: the bitmap wanted
 */
struct vexfs_group_bufs {
	struct buffer_head *desc_bh;
	struct vexfs_disk_group *desc;
	struct buffer_head *bitmap_bh;
};

static struct mutex *vexfs_group_lock(struct vexfs_sb_info *sbi, u64 group)
{
	return &sbi->group_locks[group % VEXFS_GROUP_LOCKS];
}

static __le64 *vexfs_bits(struct buffer_head *bh)
{
	return ((struct vexfs_disk_bitmap *)bh->b_data)->bm_bits;
}

/* Busy extents */

/* The first busy extent that ends beyond a block. */
static struct vexfs_busy *vexfs_busy_find(struct vexfs_sb_info *sbi, u64 block)
{
	struct rb_node *node = sbi->busy.rb_node;
	struct vexfs_busy *found = NULL;

	while (node) {
		struct vexfs_busy *busy = rb_entry(node, struct vexfs_busy, node);

		if (busy->block + busy->count > block) {
			found = busy;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void vexfs_busy_insert(struct vexfs_sb_info *sbi, struct vexfs_busy *new)
{
	struct rb_node **link = &sbi->busy.rb_node, *parent = NULL;

	while (*link) {
		struct vexfs_busy *busy = rb_entry(*link, struct vexfs_busy, node);

		parent = *link;
		link = new->block < busy->block ? &parent->rb_left :
						  &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &sbi->busy);
	list_add_tail(&new->link, &sbi->busy_list);
	sbi->busy_blocks += new->count;
}

/*
 * Shorten a run of clear bits by what is busy. Returns true if something is
 * left; otherwise *skip_to is where to look on.
 */
static bool vexfs_busy_trim(struct vexfs_sb_info *sbi, u64 block, u32 *count,
			    u64 *skip_to)
{
	struct vexfs_busy *busy;
	bool usable = true;

	spin_lock(&sbi->busy_lock);
	busy = vexfs_busy_find(sbi, block);
	if (busy && busy->block <= block) {
		*skip_to = busy->block + busy->count;
		usable = false;
	} else if (busy && busy->block < block + *count) {
		*count = busy->block - block;
	}
	spin_unlock(&sbi->busy_lock);
	return usable;
}

void vexfs_alloc_committed(journal_t *journal, transaction_t *transaction)
{
	struct super_block *sb = journal->j_private;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	tid_t tid = transaction->t_tid;
	struct vexfs_busy *busy;

	for (;;) {
		spin_lock(&sbi->busy_lock);
		busy = list_first_entry_or_null(&sbi->busy_list,
						struct vexfs_busy, link);
		if (!busy || tid_gt(busy->tid, tid)) {
			spin_unlock(&sbi->busy_lock);
			return;
		}
		rb_erase(&busy->node, &sbi->busy);
		list_del(&busy->link);
		sbi->busy_blocks -= busy->count;
		sbi->groups[busy->block / VEXFS_GROUP_BLOCKS].free_blocks +=
			busy->count;
		spin_unlock(&sbi->busy_lock);
		percpu_counter_add(&sbi->free_blocks, busy->count);
		kfree(busy);
		cond_resched();
	}
}

bool vexfs_alloc_retry(struct super_block *sb, int *tries)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (!sbi->journal || READ_ONCE(sbi->busy_blocks) <= 0 || ++*tries > 3)
		return false;
	return jbd2_journal_force_commit_nested(sbi->journal) >= 0;
}

/* Groups */

static struct buffer_head *vexfs_read_desc(struct super_block *sb, u64 group,
					   struct vexfs_disk_group **desc)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 index = group / VEXFS_GROUPS_PER_BLOCK;
	struct vexfs_disk_gdt_block *gdt;
	struct buffer_head *bh;
	const char *what;
	u64 i, n;
	bool fresh;

	bh = vexfs_meta_read(sb, VEXFS_GDT_BLOCK + index, VEXFS_MAGIC_GDT,
			     index, &fresh);
	if (IS_ERR(bh))
		return bh;
	gdt = (struct vexfs_disk_gdt_block *)bh->b_data;
	n = min_t(u64, sbi->geo.groups - index * VEXFS_GROUPS_PER_BLOCK,
		  VEXFS_GROUPS_PER_BLOCK);
	for (i = 0; fresh && i < n; i++) {
		what = vex_group_check(&gdt->gd_groups[i], &sbi->geo,
				       index * VEXFS_GROUPS_PER_BLOCK + i);
		if (what) {
			brelse(bh);
			return ERR_PTR(vexfs_corrupt(sb, VEXFS_GDT_BLOCK + index,
						     0, -EUCLEAN, what));
		}
	}
	if (fresh)
		vexfs_meta_verified(bh);
	*desc = &gdt->gd_groups[group % VEXFS_GROUPS_PER_BLOCK];
	return bh;
}

static struct buffer_head *vexfs_read_bitmap(struct super_block *sb, u64 group,
					     bool inodes)
{
	u64 block = vex_group_bitmap(&VEXFS_SB(sb)->geo, group) + inodes;
	struct buffer_head *bh;
	bool fresh;

	bh = vexfs_meta_read(sb, block, inodes ? VEXFS_MAGIC_INODE_BITMAP :
			     VEXFS_MAGIC_BLOCK_BITMAP, group, &fresh);
	if (!IS_ERR(bh) && fresh)
		vexfs_meta_verified(bh);
	return bh;
}

/* Give a group that was never used its bitmaps. */
static int vexfs_group_first_use(handle_t *handle, struct super_block *sb,
				 u64 group, struct vexfs_group_bufs *bufs)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 block = vex_group_bitmap(&sbi->geo, group);
	struct buffer_head *blocks, *inodes;
	int err;

	blocks = vexfs_meta_new(handle, sb, block, VEXFS_MAGIC_BLOCK_BITMAP,
				group);
	if (IS_ERR(blocks))
		return PTR_ERR(blocks);
	inodes = vexfs_meta_new(handle, sb, block + 1, VEXFS_MAGIC_INODE_BITMAP,
				group);
	if (IS_ERR(inodes)) {
		brelse(blocks);
		return PTR_ERR(inodes);
	}
	vex_group_init_bitmaps(&sbi->geo, group, blocks->b_data,
			       inodes->b_data);
	err = vexfs_meta_access(handle, bufs->desc_bh);
	if (!err)
		err = vexfs_meta_dirty(handle, blocks);
	if (!err)
		err = vexfs_meta_dirty(handle, inodes);
	if (!err) {
		bufs->desc->g_flags &= ~cpu_to_le32(VEXFS_GROUP_UNINIT);
		err = vexfs_meta_dirty(handle, bufs->desc_bh);
	}
	brelse(blocks);
	brelse(inodes);
	return err;
}

static void vexfs_group_release(struct vexfs_group_bufs *bufs)
{
	if (!IS_ERR_OR_NULL(bufs->bitmap_bh))
		brelse(bufs->bitmap_bh);
	if (!IS_ERR_OR_NULL(bufs->desc_bh))
		brelse(bufs->desc_bh);
}

/* Read what is needed to change a group. Context: its lock is held. */
static int vexfs_group_open(handle_t *handle, struct super_block *sb, u64 group,
			    bool inodes, struct vexfs_group_bufs *bufs)
{
	int err = 0;

	bufs->bitmap_bh = NULL;
	bufs->desc_bh = vexfs_read_desc(sb, group, &bufs->desc);
	if (IS_ERR(bufs->desc_bh))
		return PTR_ERR(bufs->desc_bh);
	if (bufs->desc->g_flags & cpu_to_le32(VEXFS_GROUP_UNINIT))
		err = vexfs_group_first_use(handle, sb, group, bufs);
	if (!err) {
		bufs->bitmap_bh = vexfs_read_bitmap(sb, group, inodes);
		err = PTR_ERR_OR_ZERO(bufs->bitmap_bh);
	}
	if (err)
		vexfs_group_release(bufs);
	return err;
}

/* Announce the change of a group's bitmap and descriptor. */
static int vexfs_group_access(handle_t *handle, struct vexfs_group_bufs *bufs)
{
	int err = vexfs_meta_access(handle, bufs->bitmap_bh);

	return err ? err : vexfs_meta_access(handle, bufs->desc_bh);
}

static int vexfs_group_dirty(handle_t *handle, struct vexfs_group_bufs *bufs)
{
	int err = vexfs_meta_dirty(handle, bufs->bitmap_bh);

	return err ? err : vexfs_meta_dirty(handle, bufs->desc_bh);
}

/* Blocks */

/*
 * Look for a run in a group's bitmap, from bit @from on. Only a run of at
 * least @least blocks counts, but for one at the goal itself, which prolongs
 * what is there.
 */
static u32 vexfs_find_run(struct super_block *sb, u64 group, __le64 *bits,
			  u32 from, bool goal, u32 want, u32 least, u32 *count)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 start = vex_group_start(group), skip_to = 0;
	u32 end = vex_group_blocks(&sbi->geo, group);
	u32 first = vex_group_first_data(&sbi->geo, group) - start;
	u32 bit = max(from, first), begin = bit, length;

	while (bit < end) {
		bit = vex_bitmap_find(bits, bit, end, want, &length);
		if (bit >= end)
			break;
		if (!vexfs_busy_trim(sbi, start + bit, &length, &skip_to)) {
			bit = skip_to - start;
			continue;
		}
		if (length >= least || (goal && bit == begin)) {
			*count = length;
			return bit;
		}
		bit += length;
	}
	return end;
}

/* Returns the first block, 0 if the group has no such run, or an error. */
static int vexfs_alloc_in_group(handle_t *handle, struct super_block *sb,
				u64 group, u32 from, bool goal, u32 want,
				u32 least, u64 *block, u32 *count)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_group_bufs bufs;
	u32 bit, end = vex_group_blocks(&sbi->geo, group);
	int err;

	err = vexfs_group_open(handle, sb, group, false, &bufs);
	if (err)
		return err;
	bit = vexfs_find_run(sb, group, vexfs_bits(bufs.bitmap_bh), from, goal,
			     want, least, count);
	if (bit >= end && from)
		bit = vexfs_find_run(sb, group, vexfs_bits(bufs.bitmap_bh), 0,
				     false, want, least, count);
	*block = 0;
	if (bit >= end)
		goto out_release;
	err = vexfs_group_access(handle, &bufs);
	if (err)
		goto out_release;
	if (!vex_bitmap_change(vexfs_bits(bufs.bitmap_bh), bit, *count, true) ||
	    le32_to_cpu(bufs.desc->g_free_blocks) < *count) {
		err = vexfs_corrupt(sb, bufs.desc_bh->b_blocknr, 0, -EUCLEAN,
				    "free blocks of a group are miscounted");
		goto out_release;
	}
	le32_add_cpu(&bufs.desc->g_free_blocks, -*count);
	err = vexfs_group_dirty(handle, &bufs);
	spin_lock(&sbi->busy_lock);
	sbi->groups[group].free_blocks -=
		min(sbi->groups[group].free_blocks, *count);
	spin_unlock(&sbi->busy_lock);
	percpu_counter_sub(&sbi->free_blocks, *count);
	*block = vex_group_start(group) + bit;
out_release:
	vexfs_group_release(&bufs);
	return err;
}

u64 vexfs_alloc_blocks(handle_t *handle, struct super_block *sb, u64 goal,
		       u32 want, unsigned int flags, u32 *count, int *err)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u32 least[2] = { min(want, VEXFS_RUN_GOOD), 1 };
	u64 first, group, block, i;
	int pass;

	*err = -ENOSPC;
	if (!(flags & VEXFS_ALLOC_RESERVE) &&
	    percpu_counter_compare(&sbi->free_blocks,
				   (s64)sbi->metadata_reserve + 1) < 0)
		return 0;
	if (goal >= sbi->geo.blocks)
		goal = 0;
	first = goal / VEXFS_GROUP_BLOCKS;
	for (pass = least[0] == 1; pass < 2; pass++) {
		for (i = 0; i < sbi->geo.groups; i++) {
			group = (first + i) % sbi->geo.groups;
			if (READ_ONCE(sbi->groups[group].free_blocks) <
			    (i ? least[pass] : 1))
				continue;
			mutex_lock(vexfs_group_lock(sbi, group));
			*err = vexfs_alloc_in_group(handle, sb, group,
				i ? 0 : goal % VEXFS_GROUP_BLOCKS, !i && goal,
				want, least[pass], &block, count);
			mutex_unlock(vexfs_group_lock(sbi, group));
			if (*err)
				return 0;
			if (block)
				return block;
		}
	}
	*err = -ENOSPC;
	return 0;
}

int vexfs_free_blocks(handle_t *handle, struct super_block *sb, u64 block,
		      u32 count)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 group = block / VEXFS_GROUP_BLOCKS;
	struct vexfs_group_bufs bufs;
	struct vexfs_busy *busy;
	int err;

	if (!vex_range_is_data(&sbi->geo, block, count))
		return vexfs_corrupt(sb, block, 0, -EUCLEAN,
				     "freeing blocks that hold no data");
	busy = kmalloc(sizeof(*busy), GFP_NOFS | __GFP_NOFAIL);
	mutex_lock(vexfs_group_lock(sbi, group));
	err = vexfs_group_open(handle, sb, group, false, &bufs);
	if (err)
		goto out_unlock;
	err = vexfs_group_access(handle, &bufs);
	if (err)
		goto out_release;
	if (!vex_bitmap_change(vexfs_bits(bufs.bitmap_bh),
			       block % VEXFS_GROUP_BLOCKS, count, false)) {
		err = vexfs_corrupt(sb, block, 0, -EUCLEAN,
				    "freeing blocks that are free");
		goto out_release;
	}
	busy->block = block;
	busy->count = count;
	busy->tid = handle->h_transaction->t_tid;
	spin_lock(&sbi->busy_lock);
	vexfs_busy_insert(sbi, busy);
	spin_unlock(&sbi->busy_lock);
	busy = NULL;
	le32_add_cpu(&bufs.desc->g_free_blocks, count);
	err = vexfs_group_dirty(handle, &bufs);
out_release:
	vexfs_group_release(&bufs);
out_unlock:
	mutex_unlock(vexfs_group_lock(sbi, group));
	kfree(busy);
	return err;
}

/* Inode numbers */

/* Make the inode block that holds a group's inode number @bit usable. */
static int vexfs_init_inode_block(handle_t *handle, struct super_block *sb,
				  u64 group, u32 bit,
				  struct vexfs_group_bufs *bufs)
{
	u32 index = bit / VEXFS_INODES_PER_BLOCK, ready, slot;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct buffer_head *bh;
	u64 block;
	int err;

	ready = le32_to_cpu(bufs->desc->g_inode_blocks);
	if (index < ready)
		return 0;
	if (index > ready)
		return vexfs_corrupt(sb, bufs->desc_bh->b_blocknr, 0, -EUCLEAN,
				     "inode in use beyond the inode table");
	block = vex_inode_block(&sbi->geo, group * sbi->geo.inodes_per_group +
				bit + 1, &slot);
	bh = vexfs_meta_new(handle, sb, block, VEXFS_MAGIC_INODES, group);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_meta_dirty(handle, bh);
	brelse(bh);
	if (!err)
		bufs->desc->g_inode_blocks = cpu_to_le32(ready + 1);
	return err;
}

static int vexfs_alloc_ino_in_group(handle_t *handle, struct super_block *sb,
				    u64 group, bool directory, u64 *ino)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u32 bit, count, end = sbi->geo.inodes_per_group;
	struct vexfs_group_bufs bufs;
	int err;

	*ino = 0;
	err = vexfs_group_open(handle, sb, group, true, &bufs);
	if (err)
		return err;
	bit = vex_bitmap_find(vexfs_bits(bufs.bitmap_bh), 0, end, 1, &count);
	if (bit >= end)
		goto out_release;
	if (!le32_to_cpu(bufs.desc->g_free_inodes) ||
	    (!group && bit + 1 < VEXFS_INO_FIRST)) {
		err = vexfs_corrupt(sb, bufs.desc_bh->b_blocknr, 0, -EUCLEAN,
				    "free inodes of a group are miscounted");
		goto out_release;
	}
	err = vexfs_group_access(handle, &bufs);
	if (!err)
		err = vexfs_init_inode_block(handle, sb, group, bit, &bufs);
	if (err)
		goto out_release;
	vex_bitmap_change(vexfs_bits(bufs.bitmap_bh), bit, 1, true);
	le32_add_cpu(&bufs.desc->g_free_inodes, -1);
	if (directory)
		le32_add_cpu(&bufs.desc->g_directories, 1);
	err = vexfs_group_dirty(handle, &bufs);
	spin_lock(&sbi->busy_lock);
	sbi->groups[group].free_inodes--;
	spin_unlock(&sbi->busy_lock);
	percpu_counter_dec(&sbi->free_inodes);
	*ino = group * sbi->geo.inodes_per_group + bit + 1;
out_release:
	vexfs_group_release(&bufs);
	return err;
}

int vexfs_alloc_ino(handle_t *handle, struct inode *dir, bool directory,
		    u64 *ino)
{
	struct super_block *sb = dir->i_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 first, group, i;
	int err;

	first = div64_u64(dir->i_ino - 1, sbi->geo.inodes_per_group);
	/* Directories in the root begin subtrees: spread them. */
	if (directory && dir->i_ino == VEXFS_INO_ROOT)
		first = (u32)atomic_read(&sbi->next_generation) %
			sbi->geo.groups;
	for (i = 0; i < sbi->geo.groups; i++) {
		group = (first + i) % sbi->geo.groups;
		if (!READ_ONCE(sbi->groups[group].free_inodes))
			continue;
		mutex_lock(vexfs_group_lock(sbi, group));
		err = vexfs_alloc_ino_in_group(handle, sb, group, directory,
					       ino);
		mutex_unlock(vexfs_group_lock(sbi, group));
		if (err || *ino)
			return err;
	}
	return -ENOSPC;
}

int vexfs_free_ino(handle_t *handle, struct super_block *sb, u64 ino,
		   bool directory)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 group = div64_u64(ino - 1, sbi->geo.inodes_per_group);
	u32 bit = ino - 1 - group * sbi->geo.inodes_per_group;
	struct vexfs_group_bufs bufs;
	int err;

	mutex_lock(vexfs_group_lock(sbi, group));
	err = vexfs_group_open(handle, sb, group, true, &bufs);
	if (err)
		goto out_unlock;
	err = vexfs_group_access(handle, &bufs);
	if (err)
		goto out_release;
	if (!vex_bitmap_change(vexfs_bits(bufs.bitmap_bh), bit, 1, false) ||
	    (directory && !bufs.desc->g_directories)) {
		err = vexfs_corrupt(sb, bufs.bitmap_bh->b_blocknr, ino,
				    -EUCLEAN, "freeing an inode that is free");
		goto out_release;
	}
	le32_add_cpu(&bufs.desc->g_free_inodes, 1);
	if (directory)
		le32_add_cpu(&bufs.desc->g_directories, -1);
	err = vexfs_group_dirty(handle, &bufs);
	spin_lock(&sbi->busy_lock);
	sbi->groups[group].free_inodes++;
	spin_unlock(&sbi->busy_lock);
	percpu_counter_inc(&sbi->free_inodes);
out_release:
	vexfs_group_release(&bufs);
out_unlock:
	mutex_unlock(vexfs_group_lock(sbi, group));
	return err;
}

bool vexfs_ino_in_use(struct super_block *sb, u64 ino)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 group = div64_u64(ino - 1, sbi->geo.inodes_per_group);
	u32 bit = ino - 1 - group * sbi->geo.inodes_per_group;
	struct vexfs_disk_group *desc;
	struct buffer_head *bh;
	bool in_use;

	mutex_lock(vexfs_group_lock(sbi, group));
	bh = vexfs_read_desc(sb, group, &desc);
	in_use = !IS_ERR(bh) &&
		 !(desc->g_flags & cpu_to_le32(VEXFS_GROUP_UNINIT)) &&
		 bit / VEXFS_INODES_PER_BLOCK < le32_to_cpu(desc->g_inode_blocks);
	if (!IS_ERR(bh))
		brelse(bh);
	if (in_use) {
		bh = vexfs_read_bitmap(sb, group, true);
		in_use = !IS_ERR(bh) && vex_bitmap_test(vexfs_bits(bh), bit);
		if (!IS_ERR(bh))
			brelse(bh);
	}
	mutex_unlock(vexfs_group_lock(sbi, group));
	return in_use;
}

/* Mounting */

static int vexfs_alloc_read_groups(struct super_block *sb, u64 *blocks,
				   u64 *inodes)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_disk_group *desc;
	struct buffer_head *bh = NULL;
	u64 group;

	for (group = 0; group < sbi->geo.groups; group++) {
		bh = vexfs_read_desc(sb, group, &desc);
		if (IS_ERR(bh))
			return PTR_ERR(bh);
		sbi->groups[group].free_blocks = le32_to_cpu(desc->g_free_blocks);
		sbi->groups[group].free_inodes = le32_to_cpu(desc->g_free_inodes);
		*blocks += sbi->groups[group].free_blocks;
		*inodes += sbi->groups[group].free_inodes;
		brelse(bh);
	}
	return 0;
}

int vexfs_alloc_init(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 blocks = 0, inodes = 0;
	int err;

	sbi->groups = kvcalloc(sbi->geo.groups, sizeof(*sbi->groups),
			       GFP_KERNEL);
	if (!sbi->groups)
		return -ENOMEM;
	err = vexfs_alloc_read_groups(sb, &blocks, &inodes);
	if (!err)
		err = percpu_counter_init(&sbi->free_blocks, blocks, GFP_KERNEL);
	if (!err)
		err = percpu_counter_init(&sbi->free_inodes, inodes, GFP_KERNEL);
	sbi->metadata_reserve = clamp_t(u64, sbi->geo.blocks / 256, 64, 4096);
	return err;
}

void vexfs_alloc_destroy(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_busy *busy, *next;

	/* Left over only if the journal was aborted. */
	list_for_each_entry_safe(busy, next, &sbi->busy_list, link)
		kfree(busy);
	percpu_counter_destroy(&sbi->free_blocks);
	percpu_counter_destroy(&sbi->free_inodes);
	kvfree(sbi->groups);
}
