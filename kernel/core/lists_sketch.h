/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Lists whose codes are sketches: the callbacks of kmeans.h and lists.h that
 * concern codes.
 *
 * A centroid is a row that nobody inserted: it is encoded like one, and
 * prepared like a query. Each prepared query scores in a unit of its own, so a
 * factor and a summand beside it make the scores of one record by several
 * centroids comparable.
 */
#ifndef VEX_LISTS_SKETCH_H
#define VEX_LISTS_SKETCH_H

#include "lists.h"
#include "sketch.h"

/**
 * struct vex_lists_sketch - how centroids are encoded and prepared
 * @sketch: the configuration
 * @float_sketch: the same for rows of f32, which centroids are
 * @centre: its centre
 * @elements: room for a centroid's elements
 * @scratch: memory for the sketches' work
 */
struct vex_lists_sketch {
	const struct vex_sketch *sketch;
	struct vex_sketch float_sketch;
	const s32 *centre;
	u32 *elements;
	void *scratch;
};

/**
 * vex_lists_sketch_bytes - memory for the work
 * @sketch: the configuration
 *
 * Return: bytes.
 */
size_t vex_lists_sketch_bytes(const struct vex_sketch *sketch);

/**
 * vex_lists_sketch_init - set up
 * @lists: to be filled in
 * @sketch: the configuration, valid as long as @lists
 * @centre: its centre, the same
 * @memory: vex_lists_sketch_bytes() bytes aligned to 8, for one thread
 */
void vex_lists_sketch_init(struct vex_lists_sketch *lists,
			   const struct vex_sketch *sketch, const s32 *centre,
			   void *memory);

/**
 * vex_lists_sketch_query_bytes - memory of a prepared centroid
 * @sketch: the configuration
 *
 * Return: bytes, a multiple of 16.
 */
u32 vex_lists_sketch_query_bytes(const struct vex_sketch *sketch);

/**
 * vex_lists_sketch_spherical - are centroids of one length?
 * @sketch: the configuration
 *
 * Return: the value for struct vex_kmeans_source.
 */
bool vex_lists_sketch_spherical(const struct vex_sketch *sketch);

/**
 * vex_lists_sketch_values - a row as k-means takes it
 * @lists: set up
 * @row: dim finite elements of the file's type, aligned to their size
 * @values: receives dim integers; the centre if the row does not fit the scale
 */
void vex_lists_sketch_values(struct vex_lists_sketch *lists, const void *row,
			     s32 *values);

/**
 * vex_lists_sketch_prepare - prepare a centroid
 * @lists: set up
 * @values: dim integers of at most VEX_KMEANS_VALUE_MAX
 * @query: receives vex_lists_sketch_query_bytes() bytes; aligned to 16
 */
void vex_lists_sketch_prepare(struct vex_lists_sketch *lists, const s32 *values,
			      void *query);

/**
 * vex_lists_sketch_encode - the record of a centroid
 * @lists: set up
 * @values: dim integers of at most VEX_KMEANS_VALUE_MAX
 * @record: receives the configuration's record_bytes
 */
void vex_lists_sketch_encode(struct vex_lists_sketch *lists, const s32 *values,
			     void *record);

/**
 * vex_lists_sketch_compare - a vex_kmeans_score of prepared centroids
 * @query: from vex_lists_sketch_prepare()
 * @records: contiguous records
 * @count: 1..VEX_KMEANS_BLOCK
 * @scores: receives the estimates
 */
void vex_lists_sketch_compare(const void *query, const void *records, u32 count,
			      s64 *scores);

/**
 * vex_lists_sketch_score - a vex_kmeans_score for searching
 * @query: a struct vex_sketch_query
 * @records: contiguous records
 * @count: 1..VEX_KMEANS_BLOCK
 * @scores: receives the estimates; for dead records the greatest
 */
void vex_lists_sketch_score(const void *query, const void *records, u32 count,
			    s64 *scores);

#endif /* VEX_LISTS_SKETCH_H */
