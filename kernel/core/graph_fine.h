/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Fine rows: elements of 7 bits, kept in a cache of the builder's, and their
 * distances to each other. Internal to the graph's code.
 *
 * The product of two rows takes one multiplication for four elements: a word
 * holds four lanes of 16 bits, one factor's in the opposite order, and the
 * highest lane of the product is the sum of the four products, which fits
 * because 4 * 127 * 127 is below 2^16.
 */
#ifndef VEX_GRAPH_FINE_H
#define VEX_GRAPH_FINE_H

#include "port.h"

/**
 * struct vex_fine_tag - what a place of the cache holds
 * @row: row + 1; 0: nothing. Stored last
 * @weight: what the row adds to a distance
 */
struct vex_fine_tag {
	u32 row;
	u32 weight;
};

/**
 * struct vex_fine_cache - rows, each in the place that its number says
 * @tags: of the places
 * @elements: @stride bytes for each place
 * @places: how many
 * @stride: bytes of a row: dim rounded up to 16, padded with zeros
 * @dim: elements of a row
 * @inner_product: distances are negated inner products
 * @read: writes a row's dim elements
 * @context: for @read
 */
struct vex_fine_cache {
	struct vex_fine_tag *tags;
	u8 *elements;
	u64 places;
	u32 stride;
	u32 dim;
	bool inner_product;
	int (*read)(void *context, u64 row, u8 *elements);
	void *context;
};

/**
 * struct vex_fine_row - a row to which distances are computed
 * @weight: as in its tag
 * @twin: distance to a row that is equal; for the user of the row
 * @lanes: its elements as factors, 2 * stride bytes
 */
struct vex_fine_row {
	u64 weight;
	s64 twin;
	u64 *lanes;
};

/**
 * vex_fine_get - find a row, or read it
 * @cache: the cache
 * @row: the row
 * @weight: receives its weight
 * @err: why there is none
 *
 * Return: its elements, valid until the next call; or NULL.
 */
const u64 *vex_fine_get(struct vex_fine_cache *cache, u64 row, u64 *weight,
			int *err);

/**
 * vex_fine_prefetch - have the processor fetch a row, if it is there
 * @cache: the cache
 * @row: the row
 */
void vex_fine_prefetch(const struct vex_fine_cache *cache, u64 row);

/**
 * vex_fine_spread - make a row a factor
 * @cache: the cache
 * @elements: from vex_fine_get()
 * @weight: from vex_fine_get()
 * @out: @out->lanes is the caller's
 */
void vex_fine_spread(const struct vex_fine_cache *cache, const u64 *elements,
		     u64 weight, struct vex_fine_row *out);

/**
 * vex_fine_distance - distance of two rows
 * @cache: for its shape
 * @a: one
 * @elements: the other, from vex_fine_get()
 * @weight: its weight
 *
 * Return: the squared distance; or the negated inner product and a constant.
 */
s64 vex_fine_distance(const struct vex_fine_cache *cache,
		      const struct vex_fine_row *a, const u64 *elements,
		      u64 weight);

#endif /* VEX_GRAPH_FINE_H */
