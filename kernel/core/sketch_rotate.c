// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The rotation of sketches: rounds of seeded sign flips, Walsh-Hadamard
 * transforms of blocks, and rotations of pairs by 45 degrees that carry
 * elements from block to block. Any multiple of 64 elements will do.
 *
 * Every step is orthogonal but for rounding, which moves an element by at most
 * one unit in each of a round's two steps.
 */
#include "sketch_types.h"

#define HALF_ROOT 3037000500ll	/* 2^32 / sqrt(2) */

/* Weyl's sequence, mixed (Steele and others, OOPSLA 2014, SplitMix64). */
static u64 signs(u64 seed, u64 index)
{
	u64 z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Two stages of the transform at once: strides of h and 2 h words. */
static void two_stages(u64 *w, u32 words, u32 h)
{
	u32 i, j;

	for (i = 0; i < words; i += 4 * h)
		for (j = i; j < i + h; j++) {
			u64 a = w[j] + w[j + h];
			u64 b = w[j] - w[j + h];
			u64 c = w[j + 2 * h] + w[j + 3 * h];
			u64 d = w[j + 2 * h] - w[j + 3 * h];

			w[j] = a + c;
			w[j + h] = b + d;
			w[j + 2 * h] = a - c;
			w[j + 3 * h] = b - d;
		}
}

/*
 * The transform of 2^log elements. A word holds two sums of 32 bits, the upper
 * one less a borrow of the lower one's sign, so that words may be added.
 */
static void transform(s32 *x, u32 log, u64 *w)
{
	u32 half = 1u << (log - 1);
	u32 shift = 32 + log / 2;
	s64 factor = log & 1 ? HALF_ROOT : 1ll << 32;
	s64 round = 1ll << (shift - 1);
	u32 h = 1;
	u32 i;

	for (i = 0; i < half; i++)
		w[i] = ((u64)x[i + half] << 32) + (u64)x[i];
	if (!(log & 1)) {
		for (i = 0; i < half; i += 2) {
			u64 a = w[i];

			w[i] = a + w[i + 1];
			w[i + 1] = a - w[i + 1];
		}
		h = 2;
	}
	for (; h < half; h *= 4)
		two_stages(w, half, h);
	for (i = 0; i < half; i++) {
		s64 low = (s32)w[i];
		s64 high = (s32)((w[i] - (u64)low) >> 32);

		x[i] = (s32)(((low + high) * factor + round) >> shift);
		x[i + half] = (s32)(((low - high) * factor + round) >> shift);
	}
}

static void turn_pairs(s32 *x, u32 count)
{
	u32 half = count / 2;
	u32 i;

	for (i = 0; i < half; i++) {
		s64 a = x[i];
		s64 b = x[i + half];

		x[i] = (s32)(((a + b) * HALF_ROOT + (1ll << 31)) >> 32);
		x[i + half] = (s32)(((a - b) * HALF_ROOT + (1ll << 31)) >> 32);
	}
}

static void flip(s32 *x, u32 words, u64 seed, u32 round)
{
	u32 w, i;

	for (w = 0; w < words; w++, x += 64) {
		u64 bits = signs(seed, (u64)round << 32 | w);

		for (i = 0; i < 64; i++) {
			s32 mask = -(s32)(bits >> i & 1);

			x[i] = (x[i] ^ mask) - mask;
		}
	}
}

void vex_sketch_rotate(const struct vex_sketch *sketch, s32 *x, u64 *work)
{
	u32 count = 64 * sketch->words;
	u32 log = 6;
	u32 round, block, blocks;

	while (2u << log <= count && 2u << log <= VEX_SKETCH_BLOCK)
		log++;
	blocks = count >> log;
	for (round = 0; round < sketch->rounds; round++) {
		/* What does not fill a block is left at either end in turn. */
		s32 *start = x + (round & 1 ? count - (blocks << log) : 0);

		flip(x, sketch->words, sketch->seed, round);
		for (block = 0; block < blocks; block++)
			transform(start + (block << log), log, work);
		if (count != 1u << log)
			turn_pairs(x, count);
	}
}
