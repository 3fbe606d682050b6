// SPDX-License-Identifier: GPL-2.0-only
/*
 * Derived forks: making, finding, checkpointing and removing them. Their
 * pages are the business of window.c, what is in them that of their kind.
 *
 * Two header slots are written in turn. A checkpoint has the pages and the
 * transactions so far on disk before it writes the slot that does not count,
 * so a crash at any moment leaves one that does, and whose pages are there.
 */
#include <linux/blkdev.h>
#include "derived.h"
#include "rows.h"

static struct vexfs_disk_derived *vexfs_slot_of(struct folio *folio)
{
	return folio_address(folio);
}

/* Coming into memory */

/* Read both header slots; without a sound one the header stays zero. */
static int vexfs_derived_read(struct vexfs_derived *derived)
{
	struct inode *fork = derived->fork;
	const struct vexfs_disk_derived *slots[VEX_DERIVED_SLOTS], *best;
	struct folio *folios[VEX_DERIVED_SLOTS];
	int err = 0, i;

	for (i = 0; i < VEX_DERIVED_SLOTS; i++) {
		folios[i] = read_mapping_folio(fork->i_mapping, i, NULL);
		if (IS_ERR(folios[i])) {
			err = PTR_ERR(folios[i]);
			break;
		}
		slots[i] = vexfs_slot_of(folios[i]);
	}
	if (!err) {
		best = vex_derived_choose(slots, fork->i_ino);
		if (best) {
			derived->header = *best;
			derived->usable = true;
		} else if (i_size_read(fork)) {
			vexfs_msg(fork->i_sb, KERN_WARNING,
				  "inode %llu: derived data damaged: will be rebuilt",
				  (u64)VEXFS_I(fork)->parent);
		}
	}
	while (i--)
		folio_put(folios[i]);
	derived->generation = le64_to_cpu(derived->header.dv_generation);
	return err;
}

static struct vexfs_derived *vexfs_derived_new(struct inode *fork,
					       unsigned int slot)
{
	struct vexfs_derived *derived = kzalloc(sizeof(*derived), GFP_KERNEL);

	if (!derived)
		return NULL;
	derived->fork = fork;
	derived->slot = slot;
	mutex_init(&derived->write_lock);
	return derived;
}

/* The state of a fork that is in memory, read if it was not. */
static struct vexfs_derived *vexfs_derived_load(struct inode *fork,
						unsigned int slot)
{
	struct vexfs_inode_info *info = VEXFS_I(fork);
	struct vexfs_derived *derived, *other;
	int err;

	/* Pairs with the cmpxchg() below. */
	derived = smp_load_acquire(&info->derived);
	if (derived)
		return derived;
	if (info->root.r_kind != VEXFS_TREE_EXTENTS)
		return ERR_PTR(vexfs_corrupt(fork->i_sb, 0, fork->i_ino,
					     -EUCLEAN,
					     "a fork of another kind"));
	derived = vexfs_derived_new(fork, slot);
	if (!derived)
		return ERR_PTR(-ENOMEM);
	err = vexfs_derived_read(derived);
	if (err) {
		kfree(derived);
		return ERR_PTR(err);
	}
	/* Whoever finds it finds its contents. */
	other = cmpxchg(&info->derived, NULL, derived);
	if (!other)
		return derived;
	kfree(derived);
	return other;
}

/* Can the fork be used for the base's rows of now? */
static bool vexfs_derived_serves(struct vexfs_derived *derived,
				 struct inode *base)
{
	/* Pairs with vexfs_derived_begin(). */
	return smp_load_acquire(&derived->usable) && !READ_ONCE(derived->gone) &&
	       derived->generation == READ_ONCE(VEXFS_I(base)->vector.generation);
}

struct vexfs_derived *vexfs_derived_get(struct inode *base, unsigned int slot)
{
	struct inode *fork = vexfs_fork_get(base, slot);
	struct vexfs_derived *derived;

	if (IS_ERR_OR_NULL(fork))
		return ERR_CAST(fork);
	derived = vexfs_derived_load(fork, slot);
	if (!IS_ERR(derived) && !vexfs_derived_serves(derived, base))
		derived = NULL;
	if (IS_ERR_OR_NULL(derived))
		iput(fork);
	return derived;
}

void vexfs_derived_put(struct vexfs_derived *derived)
{
	if (derived)
		iput(derived->fork);
}

void *vexfs_derived_bind(struct vexfs_derived *derived, void *private,
			 void (*release)(void *private))
{
	void *bound;

	mutex_lock(&derived->write_lock);
	bound = derived->private;
	if (!bound) {
		bound = private;
		derived->release = release;
		/* Pairs with vexfs_derived_private(). */
		smp_store_release(&derived->private, private);
	}
	mutex_unlock(&derived->write_lock);
	return bound;
}

void vexfs_derived_free(struct inode *fork)
{
	struct vexfs_derived *derived = VEXFS_I(fork)->derived;

	if (!derived)
		return;
	VEXFS_I(fork)->derived = NULL;
	if (derived->private)
		derived->release(derived->private);
	kfree(derived);
}

/* Writing */

void vexfs_derived_tell(struct vexfs_derived *derived)
{
	journal_t *journal = VEXFS_SB(derived->fork->i_sb)->journal;

	/* Pages other than this one may be on their way to the disk. */
	WRITE_ONCE(derived->told_tid, jbd2_get_latest_transaction(journal));
	/* Pairs with vexfs_derived_await(). */
	smp_store_release(&derived->told, true);
}

/* What the page tells of the base is on disk before it. */
static void vexfs_derived_await(const struct vexfs_derived *derived)
{
	journal_t *journal = VEXFS_SB(derived->fork->i_sb)->journal;
	tid_t tid;

	/* Pairs with vexfs_derived_tell(). */
	if (!smp_load_acquire(&derived->told))
		return;
	tid = READ_ONCE(derived->told_tid);
	if (!jbd2_transaction_committed(journal, tid))
		jbd2_complete_transaction(journal, tid);
}

void vexfs_derived_stamp(struct inode *fork, loff_t offset)
{
	const struct vexfs_derived *derived = VEXFS_I(fork)->derived;
	u64 page = offset >> VEXFS_BLOCK_BITS;
	struct folio *folio;

	if (!derived || page < VEX_DERIVED_SLOTS)
		return;
	folio = vexfs_folio_get(fork->i_mapping, page);
	if (!folio)
		return;
	vex_derived_stamp(folio_address(folio),
			  vex_derived_seed(fork->i_ino, derived->generation,
					   page));
	folio_put(folio);
	vexfs_derived_await(derived);
}

/* Have on disk what was written, and the transactions up to now. */
static int vexfs_derived_flush(struct super_block *sb)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	tid_t tid = jbd2_get_latest_transaction(journal);
	bool flush;
	int err, err2 = 0;

	flush = (journal->j_flags & JBD2_BARRIER) &&
		!jbd2_trans_will_send_data_barrier(journal, tid);
	err = jbd2_complete_transaction(journal, tid);
	if (flush)
		err2 = blkdev_issue_flush(sb->s_bdev);
	return err ? err : err2;
}

/* Write a header into the slot that does not count. Context: write_lock. */
static int vexfs_derived_write_header(struct vexfs_derived *derived,
				      const struct vexfs_disk_derived *header)
{
	struct inode *fork = derived->fork;
	u64 sequence = le64_to_cpu(derived->header.dv_sequence) + 1;
	u64 page = sequence % VEX_DERIVED_SLOTS;
	struct vexfs_disk_derived *slot;
	struct folio *folio;
	int err;

	folio = vexfs_folio_grab(fork->i_mapping, page);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	folio_wait_writeback(folio);
	slot = vexfs_slot_of(folio);
	*slot = *header;
	slot->dv_fork = cpu_to_le64(fork->i_ino);
	slot->dv_sequence = cpu_to_le64(sequence);
	slot->dv_generation = cpu_to_le64(derived->generation);
	vex_derived_seal(slot);
	if (i_size_read(fork) < VEX_DERIVED_SLOTS * VEX_PAGE_BYTES)
		i_size_write(fork, VEX_DERIVED_SLOTS * VEX_PAGE_BYTES);
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	err = filemap_write_and_wait_range(fork->i_mapping,
					   page << PAGE_SHIFT,
					   (page << PAGE_SHIFT) +
					   PAGE_SIZE - 1);
	if (!err)
		err = vexfs_derived_flush(fork->i_sb);
	/* If it is not on disk, the next try must not harm the one that is. */
	if (!err)
		derived->header = *slot;
	folio_put(folio);
	return err;
}

int vexfs_derived_checkpoint(struct vexfs_derived *derived,
			     struct vexfs_window *window,
			     const struct vexfs_disk_derived *header)
{
	struct address_space *mapping = derived->fork->i_mapping;
	int err = 0;

	mutex_lock(&derived->write_lock);
	if (derived->gone)
		err = -ESTALE;
	else if (window)
		vexfs_window_release_kept(window);
	mutex_unlock(&derived->write_lock);
	/* Others may change pages meanwhile, so not with the lock held. */
	if (!err)
		err = filemap_write_and_wait(mapping);
	if (!err)
		err = vexfs_derived_flush(derived->fork->i_sb);
	if (err)
		return err;
	mutex_lock(&derived->write_lock);
	err = derived->gone ? -ESTALE :
	      vexfs_derived_write_header(derived, header);
	mutex_unlock(&derived->write_lock);
	return err;
}

/* Making and removing */

/* Blocks for the header slots. */
static int vexfs_derived_blocks(struct inode *fork)
{
	struct vex_run run;
	u64 block = 0;
	int err;

	while (block < VEX_DERIVED_SLOTS) {
		err = vexfs_extent_alloc(fork, block, VEX_DERIVED_SLOTS - block,
					 &run);
		if (err)
			return err;
		block = run.key + run.length;
	}
	return 0;
}

static int vexfs_derived_begin(struct vexfs_derived *derived,
			       const struct vexfs_disk_derived *header)
{
	int err = vexfs_derived_blocks(derived->fork);

	if (err)
		return err;
	mutex_lock(&derived->write_lock);
	err = vexfs_derived_write_header(derived, header);
	if (!err) {
		/* Whoever finds it usable finds header and generation. */
		smp_store_release(&derived->usable, true);
	}
	mutex_unlock(&derived->write_lock);
	return err;
}

static struct vexfs_derived *
vexfs_derived_create_locked(struct inode *base, unsigned int slot,
			    u64 generation,
			    const struct vexfs_disk_derived *header)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct vexfs_derived *derived, *other;
	struct inode *fork;
	int err;

	if (info->vector.generation != generation)
		return ERR_PTR(-ESTALE);
	if (info->forks[slot])
		return ERR_PTR(-EEXIST);
	if (sb_rdonly(base->i_sb))
		return ERR_PTR(-EROFS);
	/* Unlinked, it goes as soon as it is closed. */
	if (!base->i_nlink)
		return ERR_PTR(-ESTALE);
	fork = vexfs_fork_make(base, slot);
	if (IS_ERR(fork))
		return ERR_CAST(fork);
	derived = vexfs_derived_new(fork, slot);
	if (!derived) {
		err = -ENOMEM;
		goto out_remove;
	}
	/* A search may have found the fork already, and no header in it. */
	other = cmpxchg(&VEXFS_I(fork)->derived, NULL, derived);
	if (other) {
		kfree(derived);
		derived = other;
	}
	derived->generation = generation;
	err = vexfs_derived_begin(derived, header);
	if (!err)
		return derived;
out_remove:
	vexfs_fork_remove(base, slot);
	iput(fork);
	return ERR_PTR(err);
}

struct vexfs_derived *
vexfs_derived_create(struct inode *base, unsigned int slot, u64 generation,
		     const struct vexfs_disk_derived *header)
{
	struct vexfs_derived *derived;

	inode_lock(base);
	derived = vexfs_derived_create_locked(base, slot, generation, header);
	inode_unlock(base);
	return derived;
}

int vexfs_derived_drop(struct inode *base, unsigned int slot)
{
	int err;

	inode_lock(base);
	err = sb_rdonly(base->i_sb) ? -EROFS : vexfs_fork_remove(base, slot);
	inode_unlock(base);
	return err;
}

int vexfs_derived_discard(struct inode *base)
{
	unsigned int slot;
	int err = 0;

	for (slot = 0; slot < VEXFS_FORKS && !err; slot++)
		if (vexfs_is_derived(slot))
			err = vexfs_fork_remove(base, slot);
	return err;
}

void vexfs_derived_empty(struct inode *fork)
{
	struct vexfs_derived *derived = VEXFS_I(fork)->derived;

	if (derived)
		mutex_lock(&derived->write_lock);
	filemap_invalidate_lock(fork->i_mapping);
	if (derived)
		WRITE_ONCE(derived->gone, true);
	/* Waits for what is being written, and for its conversion. */
	truncate_inode_pages(fork->i_mapping, 0);
	filemap_invalidate_unlock(fork->i_mapping);
	if (derived)
		mutex_unlock(&derived->write_lock);
}
