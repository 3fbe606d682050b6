/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Derived forks: what can be computed from a vector file's matrix, kept on
 * disk to be found quickly. They are hidden inodes with ordinary data, written
 * through the page cache; a damaged or missing one costs time, never an answer.
 *
 * A window is the way to the records in such a fork: a table of the addresses
 * of its pages, so that a record is found by one division. The pages are those
 * of the page cache; the window holds references to them, which it gives back
 * under memory pressure.
 *
 * A crash leaves a fork as of some moment after the checkpoint that its header
 * tells, page by page. Pages are written whole and carry a checksum.
 */
#ifndef VEXFS_DERIVED_H
#define VEXFS_DERIVED_H

#include <linux/srcu.h>
#include "vexfs.h"
#include "core/derived.h"

struct vexfs_window_table;

/**
 * struct vexfs_window - the way to records in a derived fork
 * @derived: the fork
 * @first: page of the fork that is the window's page 0
 * @layout: record size, as vex_pages_init() made it
 * @table: the pages; replaced under @derived->write_lock, read under srcu
 * @next: the larger table that is being filled, or NULL; what is stored goes
 *	into both
 * @lock: guards the tables' entries, @next, @resident, @kept and @shrink_at
 * @resident: pages that the window refers to
 * @kept: of them, pages that cannot be given back before the next checkpoint
 * @shrink_at: the page that memory pressure looks at next
 * @link: in the list that memory pressure walks
 * @damaged: a page read from disk is not as it was written; may be NULL.
 *	Called once each time that it is found, without locks but srcu
 */
struct vexfs_window {
	struct vexfs_derived *derived;
	u64 first;
	struct vex_pages layout;
	struct vexfs_window_table __rcu *table;
	struct vexfs_window_table *next;
	spinlock_t lock;
	u64 resident;
	u64 kept;
	u64 shrink_at;
	struct list_head link;
	void (*damaged)(struct vexfs_window *window, u64 page);
};

/**
 * struct vexfs_derived - a derived fork in memory
 * @fork: its inode; whoever holds a reference to that holds this too
 * @slot: VEXFS_FORK_*
 * @generation: the base's generation that it belongs to
 * @write_lock: one changes pages, table or header. Inside i_rwsem, outside
 *	invalidate_lock and handles. Not held for long
 * @usable: there is a header; false for a fork that is damaged or not yet made
 * @gone: it is being removed: nothing is read or written any more. Set under
 *	@write_lock and invalidate_lock
 * @told: the pages tell of changes of the base, up to transaction @told_tid;
 *	both are guarded by @write_lock, and set with the page locked
 * @told_tid: see @told
 * @header: the header slot that counts; guarded by @write_lock
 * @private: what the kind keeps in memory; set once by vexfs_derived_bind()
 * @release: gives @private back when the inode leaves memory
 */
struct vexfs_derived {
	struct inode *fork;
	unsigned int slot;
	u64 generation;
	struct mutex write_lock;
	bool usable;
	bool gone;
	bool told;
	tid_t told_tid;
	struct vexfs_disk_derived header;
	void *private;
	void (*release)(void *private);
};

/* In derived.c */

/**
 * vexfs_is_derived() - can this fork slot hold a derived fork?
 * @slot: VEXFS_FORK_*
 *
 * Return: true if it can.
 */
static inline bool vexfs_is_derived(unsigned int slot)
{
	return slot == VEXFS_FORK_SKETCHES || slot == VEXFS_FORK_INDEX ||
	       slot == VEXFS_FORK_BUILDING;
}

/**
 * vexfs_derived_get() - a derived fork of a vector file
 * @base: the vector file
 * @slot: VEXFS_FORK_*
 *
 * Reads its header when it comes into memory.
 *
 * Context: may sleep; no handle may be held.
 * Return: the fork with a reference, to be given back with
 * vexfs_derived_put(); NULL if there is none, if no header slot is sound, or
 * if it belongs to another generation of the rows; or an ERR_PTR.
 */
struct vexfs_derived *vexfs_derived_get(struct inode *base, unsigned int slot);

/**
 * vexfs_derived_put() - give a derived fork back
 * @derived: the fork, or NULL
 */
void vexfs_derived_put(struct vexfs_derived *derived);

/**
 * vexfs_derived_create() - make a derived fork
 * @base: the vector file
 * @slot: VEXFS_FORK_*, where there is none: call vexfs_derived_drop() before
 * @generation: the numbering of the rows that it is made for
 * @header: kind, rows, regions and parameters; the rest is filled in
 *
 * The header is on disk when it returns.
 *
 * Context: takes i_rwsem for writing; freeze protection held (sb_start_write),
 * no handle.
 * Return: the fork with a reference, or an ERR_PTR: -ESTALE if the rows were
 * renumbered, -EEXIST, -ENOSPC, or another negative errno.
 */
struct vexfs_derived *
vexfs_derived_create(struct inode *base, unsigned int slot, u64 generation,
		     const struct vexfs_disk_derived *header);

/**
 * vexfs_derived_drop() - remove a derived fork
 * @base: the vector file
 * @slot: VEXFS_FORK_*; nothing happens if there is none
 *
 * Who uses it finds that its pages are gone (-ESTALE).
 *
 * Context: takes i_rwsem for writing; freeze protection held, no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_derived_drop(struct inode *base, unsigned int slot);

/**
 * vexfs_derived_discard() - remove all derived forks
 * @base: the vector file
 *
 * For rows that were cut off or renumbered.
 *
 * Context: i_rwsem held for writing; no handle.
 * Return: 0 or a negative errno.
 */
int vexfs_derived_discard(struct inode *base);

/**
 * vexfs_derived_empty() - let go of a fork's pages before its blocks are freed
 * @fork: the fork's inode
 *
 * Context: no handle.
 */
void vexfs_derived_empty(struct inode *fork);

/**
 * vexfs_derived_bind() - give a derived fork its state in memory
 * @derived: the fork
 * @private: the state
 * @release: gives it back
 *
 * Of several callers at a time one is the first.
 *
 * Return: the state that counts: @private, or another's, and then the caller
 * gives its own back.
 */
void *vexfs_derived_bind(struct vexfs_derived *derived, void *private,
			 void (*release)(void *private));

/**
 * vexfs_derived_private() - the state in memory
 * @derived: the fork
 *
 * Return: what was bound, or NULL.
 */
static inline void *vexfs_derived_private(struct vexfs_derived *derived)
{
	/* Pairs with vexfs_derived_bind(). */
	return smp_load_acquire(&derived->private);
}

/**
 * vexfs_derived_checkpoint() - make a state of the fork durable
 * @derived: the fork
 * @window: one with kept pages, or NULL
 * @header: kind, rows, regions and parameters; rows must be published
 *
 * Writes all pages (the kept ones too), waits for them, has them
 * flushed, and then writes the header into the slot that does not count. A
 * crash before the last of it leaves the checkpoint before.
 *
 * Context: freeze protection held, no handle, @derived->write_lock not held.
 * Pages are not changed by others meanwhile, unless the kind can bear it.
 * Return: 0, -ESTALE if it is gone, or a negative errno.
 */
int vexfs_derived_checkpoint(struct vexfs_derived *derived,
			     struct vexfs_window *window,
			     const struct vexfs_disk_derived *header);

/**
 * vexfs_derived_free() - give the state in memory back
 * @fork: a fork's inode that leaves memory
 */
void vexfs_derived_free(struct inode *fork);

/**
 * vexfs_derived_tell() - the page being changed tells of a change of the base
 * @derived: the fork
 *
 * Such as that a row was deleted. The page is not written before the
 * transaction of that change has committed: a crash must not leave a page that
 * knows what the base does not.
 *
 * Context: between vexfs_window_change() and vexfs_window_changed().
 */
void vexfs_derived_tell(struct vexfs_derived *derived);

/**
 * vexfs_derived_stamp() - write the trailer of a page that goes to disk
 * @fork: the fork's inode
 * @offset: of the page, which is locked
 */
void vexfs_derived_stamp(struct inode *fork, loff_t offset);

/* In window.c */

/**
 * vexfs_window_init() - set a window up
 * @window: to be filled in
 * @derived: the fork, which outlives the window
 * @first: page of the fork that is the window's page 0: VEX_DERIVED_SLOTS or
 *	a later one
 * @record_bytes: bytes of a record, see vex_pages_init(); 8 if the window's
 *	pages are all that is of interest
 * @pages: pages that there are
 *
 * Return: 0, -EUCLEAN if they are impossible, or -ENOMEM.
 */
int vexfs_window_init(struct vexfs_window *window,
		      struct vexfs_derived *derived, u64 first,
		      u32 record_bytes, u64 pages);

/**
 * vexfs_window_exit() - give back what a window holds
 * @window: nobody uses it any more
 */
void vexfs_window_exit(struct vexfs_window *window);

/**
 * vexfs_window_begin() - begin to read
 * @window: the window
 * @pages: the reader's view; pages that are not there are brought in by its
 *	fault(), which fails with -EBADMSG for a damaged page, -ESTALE once the
 *	fork is gone, -EINTR on a fatal signal, -EIO or -ENOMEM
 *
 * Everything found through @pages stays in memory until vexfs_window_end().
 * May be nested, and held over sleeps, but not for ever: memory that is
 * wanted back waits for it.
 *
 * Return: to be given to vexfs_window_end().
 */
int vexfs_window_begin(struct vexfs_window *window, struct vex_pages *pages);

/**
 * vexfs_window_end() - end reading
 * @cookie: from vexfs_window_begin()
 */
void vexfs_window_end(int cookie);

/**
 * vexfs_window_ahead() - have pages read that will be wanted
 * @window: the window
 * @page: the first
 * @count: how many; those beyond the end do not matter
 *
 * Does not wait for them.
 */
void vexfs_window_ahead(struct vexfs_window *window, u64 page, u64 count);

/**
 * vexfs_window_grow() - make room for more pages
 * @window: the window
 * @pages: that there are to be; nothing happens if there are as many
 *
 * New pages come into being by vexfs_window_change() with @fresh.
 *
 * Context: @derived->write_lock held.
 * Return: 0 or -ENOMEM.
 */
int vexfs_window_grow(struct vexfs_window *window, u64 pages);

/**
 * vexfs_window_change() - begin to change a page
 * @window: the window, grown to hold it
 * @page: the page
 * @fresh: it begins as zeros, whatever it was
 * @err: why it cannot be changed: -ENOSPC, -EBADMSG, -ESTALE, or another
 *	negative errno
 *
 * The page is locked, and not on its way to the disk. Readers see changes as
 * they are made.
 *
 * Context: freeze protection and @derived->write_lock held; no handle.
 * Return: the page; NULL on an error.
 */
void *vexfs_window_change(struct vexfs_window *window, u64 page, bool fresh,
			  int *err);

/**
 * vexfs_window_changed() - end a change of a page
 * @window: the window
 * @page: the page
 * @keep: as vexfs_window_keep(); else it is written when that suits the system
 */
void vexfs_window_changed(struct vexfs_window *window, u64 page, bool keep);

/**
 * vexfs_window_keep() - a page is being changed without its lock
 * @window: the window
 * @page: a page that was found through it in this section of
 *	vexfs_window_begin(), and that has blocks
 *
 * The page stays in memory and is not written before the next checkpoint. For
 * pages that one thread changes at random; it must not change them while it
 * makes the checkpoint.
 *
 * Context: does not sleep.
 */
void vexfs_window_keep(struct vexfs_window *window, u64 page);

/**
 * vexfs_window_laden() - are so many pages kept that a checkpoint is due?
 * @window: the window
 *
 * Return: true if they take an eighth of the machine's memory.
 */
bool vexfs_window_laden(const struct vexfs_window *window);

/**
 * vexfs_window_release_kept() - let the kept pages be written
 * @window: the window
 *
 * Part of a checkpoint.
 *
 * Context: @derived->write_lock held.
 */
void vexfs_window_release_kept(struct vexfs_window *window);

int vexfs_window_setup(void);
void vexfs_window_teardown(void);

#endif /* VEXFS_DERIVED_H */
