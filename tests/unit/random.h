/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers for tests: splitmix64, begun from a seed that is printed and
 * can be set with VEXFS_TEST_SEED.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

static inline uint64_t random_u64(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline uint64_t random_below(uint64_t n)
{
	return random_u64() % n;
}

static inline void random_seed(const char *what, uint64_t fallback)
{
	const char *text = getenv("VEXFS_TEST_SEED");

	random_state = text ? strtoull(text, NULL, 0) : fallback;
	printf("%s: VEXFS_TEST_SEED=%llu\n", what,
	       (unsigned long long)random_state);
}

#endif /* RANDOM_H */
