/* SPDX-License-Identifier: Apache-2.0 */
/* FAISS' inverted lists for lists_speed.c. */
#ifndef LISTS_FAISS_H
#define LISTS_FAISS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * lists_faiss_build - train and fill an index, in one thread
 * @rows: @count times @dim elements
 * @count: rows
 * @dim: elements of a row
 * @lists: inverted lists
 * @product: by inner product, not squared L2
 * @quantised: 4-bit product quantisation and refinement, not flat lists
 *
 * Return: the index.
 */
void *lists_faiss_build(const float *rows, uint64_t count, uint32_t dim,
			uint32_t lists, int product, int quantised);

/**
 * lists_faiss_search - search one query
 * @index: from lists_faiss_build()
 * @query: its elements
 * @k: results
 * @probe: lists to scan
 * @ids: receives @k rows
 */
void lists_faiss_search(void *index, const float *query, uint32_t k,
			uint32_t probe, int64_t *ids);

#ifdef __cplusplus
}
#endif

#endif /* LISTS_FAISS_H */
