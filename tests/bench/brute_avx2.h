/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact k nearest rows by brute force with AVX2: what a careful user-space program
 * without a library would do. A yardstick of tests/bench/compare.
 */
#ifndef BRUTE_AVX2_H
#define BRUTE_AVX2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row found; smaller is nearer. */
struct brute_result {
	uint64_t id;
	float distance;
};

/* What is searched: @rows rows of @dim float32, or of uint8 if @bytes. */
struct brute_base {
	const void *data;
	uint64_t rows;
	uint32_t dim;
	int bytes;
	int inner_product;
};

/**
 * brute_avx2_search - the k nearest rows of each query, nearest first
 * @base: the rows
 * @queries: @count rows of the same type
 * @count: queries; they share one pass over the rows
 * @k: results wanted for each, at most @base->rows
 * @results: room for @count * @k results
 */
void brute_avx2_search(const struct brute_base *base, const void *queries, uint32_t count,
		       uint32_t k, struct brute_result *results);

#ifdef __cplusplus
}
#endif

#endif /* BRUTE_AVX2_H */
