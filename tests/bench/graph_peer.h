/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hnswlib behind C functions, as the peer of tests/bench/graph_speed.c.
 */
#ifndef GRAPH_PEER_H
#define GRAPH_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An index over @count rows of @dim float32 (normalised for inner product). */
void *peer_make(uint32_t dim, size_t count, int inner_product, uint32_t links,
		uint32_t effort);
void peer_add(void *peer, const float *row, size_t number);
void peer_search(void *peer, const float *query, uint32_t k, uint32_t effort,
		 uint32_t *rows);

#ifdef __cplusplus
}
#endif

#endif /* GRAPH_PEER_H */
