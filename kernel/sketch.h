/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sketches of a vector file in its fork, and the background work that
 * encodes new rows into them.
 */
#ifndef VEXFS_SKETCH_H
#define VEXFS_SKETCH_H

#include "derived.h"
#include "core/sketch.h"

struct vexfs_snapshot;

/* Damaged pages that are remembered at a time. */
#define VEXFS_REPAIRS	16U

/**
 * struct vexfs_sketches - the sketches of a vector file
 * @derived: their fork
 * @config: how rows are encoded; constant
 * @centre: the rows' centre, @config.dim integers; constant
 * @window: the records; that of row i is record i
 * @rows: rows that are encoded. Stored with release by the encoder
 * @saved_rows: of these, rows that the last checkpoint covers
 * @sample_rows: rows that there were when the encoding was chosen
 * @repaired: a page was made anew since the last checkpoint; the encoder's
 * @repairs: pages in @repair
 * @repair: pages that were found damaged; guarded by @window.lock
 */
struct vexfs_sketches {
	struct vexfs_derived *derived;
	struct vex_sketch config;
	s32 *centre;
	struct vexfs_window window;
	u64 rows;
	u64 saved_rows;
	u64 sample_rows;
	bool repaired;
	u32 repairs;
	u64 repair[VEXFS_REPAIRS];
};

/**
 * vexfs_sketches_get() - the sketches of a vector file
 * @base: the vector file
 * @generation: that the rows must have (of the caller's snapshot)
 *
 * Whoever reads records: vexfs_sketches_rows() first, then
 * vexfs_window_begin(). A page that cannot be had (-EBADMSG, -EIO) says
 * nothing of its rows; they are looked at exactly.
 *
 * Context: may sleep.
 * Return: them with a reference, to be given back with vexfs_sketches_put();
 * NULL if there are none (yet), or if they cannot be read.
 */
struct vexfs_sketches *vexfs_sketches_get(struct inode *base, u64 generation);

/**
 * vexfs_sketches_put() - give them back
 * @sketches: them, or NULL
 */
void vexfs_sketches_put(struct vexfs_sketches *sketches);

/**
 * vexfs_sketches_rows() - how many rows are encoded
 * @sketches: the sketches
 *
 * Return: rows, from row 0 on. May be more than a snapshot's.
 */
static inline u64 vexfs_sketches_rows(const struct vexfs_sketches *sketches)
{
	/* Pairs with the encoder's store: the records are there. */
	return smp_load_acquire(&sketches->rows);
}

/**
 * vexfs_sketches_dead() - note that rows were deleted
 * @base: the vector file
 * @row: first row
 * @count: rows
 *
 * A hint: rows whose records cannot be changed just now go without it.
 *
 * Context: i_rwsem and freeze protection held; no handle.
 */
void vexfs_sketches_dead(struct inode *base, u64 row, u64 count);

/**
 * vexfs_sketches_warm() - have the sketches read into memory
 * @base: the vector file
 */
void vexfs_sketches_warm(struct inode *base);

/**
 * vexfs_sketches_open() - as vexfs_sketches_get(), without consequences
 * @base: the vector file
 * @generation: that the rows must have
 *
 * Return: them with a reference, NULL if there are none for these rows, or an
 * ERR_PTR: -EUCLEAN or -EBADMSG if they cannot be used.
 */
struct vexfs_sketches *vexfs_sketches_open(struct inode *base, u64 generation);

/**
 * vexfs_sketches_create() - choose how to encode, and make the fork
 * @base: the vector file, without that fork
 * @snapshot: its rows
 *
 * Context: freeze protection held; takes i_rwsem.
 * Return: 0; -EINVAL if rows of this kind have no sketches; -ENOSPC, -ESTALE,
 * or another negative errno.
 */
int vexfs_sketches_create(struct inode *base,
			  const struct vexfs_snapshot *snapshot);

/**
 * vexfs_sketches_encode() - encode rows, and make damaged pages anew
 * @sketches: the sketches; one encodes at a time
 * @snapshot: the rows
 * @until: in jiffies; at least one page is written
 *
 * Context: freeze protection held.
 * Return: 0 when all is done, 1 when there is more to do, -ESTALE if the rows
 * were renumbered, -ENOSPC, or another negative errno.
 */
int vexfs_sketches_encode(struct vexfs_sketches *sketches,
			  const struct vexfs_snapshot *snapshot, u64 until);

/**
 * vexfs_sketches_save() - have a checkpoint of what is encoded
 * @sketches: the sketches; their encoder is the caller
 *
 * Context: freeze protection held.
 * Return: 0 or a negative errno.
 */
int vexfs_sketches_save(struct vexfs_sketches *sketches);

/* In encode.c */

/* Fewer rows are searched exactly in no time. */
#define VEXFS_SKETCH_ROWS_MIN	1000U

/**
 * vexfs_encode_later() - encode new rows in the background
 * @base: a vector file that may have rows without sketches
 *
 * Does nothing where that is switched off, impossible, or not needed.
 */
void vexfs_encode_later(struct inode *base);

/**
 * vexfs_encode_grown() - as vexfs_encode_later(), because rows were added
 * @base: the vector file
 */
void vexfs_encode_grown(struct inode *base);

/**
 * vexfs_encode_forget() - a file lost its last name
 * @base: the file; the caller has a reference
 *
 * So that its blocks become free when it is closed.
 */
void vexfs_encode_forget(struct inode *base);

/**
 * vexfs_encode_wait() - wait until all rows of now are encoded
 * @base: the vector file
 *
 * Context: no handle, no i_rwsem.
 * Return: 0; -EOPNOTSUPP if there will be no sketches (too few rows, L1, rows
 * that are too long, nobackground, a read-only volume); -EINTR on a fatal
 * signal; or why encoding failed.
 */
int vexfs_encode_wait(struct inode *base);

/**
 * vexfs_encode_setup() - prepare a volume's background work
 * @sb: the volume
 *
 * Return: 0 or -ENOMEM.
 */
int vexfs_encode_setup(struct super_block *sb);

/**
 * vexfs_encode_teardown() - give back what vexfs_encode_setup() made
 * @sb: the volume, after vexfs_encode_stop() or never started
 */
void vexfs_encode_teardown(struct super_block *sb);

/**
 * vexfs_encode_start() - allow background work on a volume
 * @sb: the volume, writable
 */
void vexfs_encode_start(struct super_block *sb);

/**
 * vexfs_encode_stop() - end background work on a volume
 * @sb: the volume, still writable
 *
 * What was encoded is made durable. Nothing is begun before
 * vexfs_encode_start().
 */
void vexfs_encode_stop(struct super_block *sb);

#endif /* VEXFS_SKETCH_H */
