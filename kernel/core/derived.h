/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Derived forks on disk: their header slots and the trailers of their pages.
 * What a page holds before its trailer is the business of sketches and indexes.
 */
#ifndef VEX_DERIVED_H
#define VEX_DERIVED_H

#include "format.h"
#include "pages.h"

/* Pages of a derived fork that hold a header slot. */
#define VEX_DERIVED_SLOTS	2U

/**
 * struct vexfs_disk_trailer - the end of every page behind the header slots
 * @t_checksum: xxh64 of the bytes before the trailer, seeded by
 *	vex_derived_seed()
 * @t_reserved: 0
 */
struct vexfs_disk_trailer {
	__le64 t_checksum;
	__le64 t_reserved;
};

/**
 * vex_derived_seed() - the seed of a page's checksum
 * @fork: the fork's inode number
 * @generation: the fork's dv_generation
 * @page: the page's number in the fork
 *
 * Return: the seed.
 */
u64 vex_derived_seed(u64 fork, u64 generation, u64 page);

/**
 * vex_derived_stamp() - write a page's trailer
 * @page: the page
 * @seed: its seed
 */
void vex_derived_stamp(void *page, u64 seed);

/**
 * vex_derived_sound() - is a page as it was written?
 * @page: the page
 * @seed: its seed
 *
 * Return: true if its trailer fits.
 */
bool vex_derived_sound(const void *page, u64 seed);

/**
 * vex_derived_seal() - finish a header slot
 * @header: filled in but for magic, version and checksum
 */
void vex_derived_seal(struct vexfs_disk_derived *header);

/**
 * vex_derived_check() - verify a header slot
 * @header: the slot, not trusted
 * @fork: the fork's inode number
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vex_derived_check(const struct vexfs_disk_derived *header,
			      u64 fork);

/**
 * vex_derived_choose() - the header slot that counts
 * @slots: both slots, not trusted
 * @fork: the fork's inode number
 *
 * Return: the sound one of the higher sequence; NULL if none is sound.
 */
const struct vexfs_disk_derived *
vex_derived_choose(const struct vexfs_disk_derived *const slots[2], u64 fork);

#endif /* VEX_DERIVED_H */
