// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The cache of fine rows and the arithmetic on them. It trusts its callers.
 */
#include "graph_fine.h"

#define EVEN_BYTES 0x00ff00ff00ff00ffull
#define CENTRE 64u

/*
 * Squared distance: the sums of squares of both, less twice the product. Inner
 * product of elements that 64 stands for zero in, negated: 64 times the sums
 * of both, less the product, and a constant.
 */
static u32 weigh(const struct vex_fine_cache *cache, const u8 *elements)
{
	u32 i, sum = 0;

	if (cache->inner_product) {
		for (i = 0; i < cache->dim; i++)
			sum += elements[i];
		return sum * CENTRE;
	}
	for (i = 0; i < cache->dim; i++)
		sum += (u32)elements[i] * elements[i];
	return sum;
}

static u64 place_of(const struct vex_fine_cache *cache, u64 row)
{
	return likely(row < cache->places) ? row : row % cache->places;
}

/* Kept apart: rare once the cache is warm. */
static VEX_NOINLINE int fill(struct vex_fine_cache *cache, u64 place, u64 row)
{
	u8 *elements = cache->elements + place * cache->stride;
	struct vex_fine_tag *tag = &cache->tags[place];
	u32 i;
	int err;

	WRITE_ONCE(tag->row, 0);
	err = cache->read(cache->context, row, elements);
	if (err)
		return err;
	for (i = 0; i < cache->dim; i++)
		elements[i] &= 127;
	memset(elements + cache->dim, 0, cache->stride - cache->dim);
	tag->weight = weigh(cache, elements);
	smp_wmb();	/* another builder that sees the row sees its elements */
	WRITE_ONCE(tag->row, (u32)row + 1);
	return 0;
}

const u64 *vex_fine_get(struct vex_fine_cache *cache, u64 row, u64 *weight,
			int *err)
{
	u64 place = place_of(cache, row);

	if (unlikely(READ_ONCE(cache->tags[place].row) != (u32)row + 1)) {
		*err = fill(cache, place, row);
		if (*err)
			return NULL;
	}
	smp_rmb();	/* pairs with fill() */
	*weight = cache->tags[place].weight;
	return (const u64 *)(cache->elements + place * cache->stride);
}

void vex_fine_prefetch(const struct vex_fine_cache *cache, u64 row)
{
	u64 place = place_of(cache, row);
	const u8 *data = cache->elements + place * cache->stride;
	u32 at;

	__builtin_prefetch(&cache->tags[place]);
	for (at = 0; at < cache->stride; at += 64)
		__builtin_prefetch(data + at);
}

void vex_fine_spread(const struct vex_fine_cache *cache, const u64 *elements,
		     u64 weight, struct vex_fine_row *out)
{
	u64 *lanes = out->lanes;
	u32 i;

	for (i = 0; i < cache->stride / 8; i++) {
		u64 turned = __builtin_bswap64(elements[i]);

		/* the opposite order, even bytes first */
		lanes[2 * i] = turned >> 8 & EVEN_BYTES;
		lanes[2 * i + 1] = turned & EVEN_BYTES;
	}
	out->weight = weight;
}

s64 vex_fine_distance(const struct vex_fine_cache *cache,
		      const struct vex_fine_row *a, const u64 *elements,
		      u64 weight)
{
	const u64 *lanes = a->lanes, *end = elements + cache->stride / 8;
	u64 even = 0, odd = 0;

	for (; elements < end; elements += 2, lanes += 4) {
		u64 x = elements[0], y = elements[1];

		even += ((x & EVEN_BYTES) * lanes[0]) >> 48;
		odd += ((x >> 8 & EVEN_BYTES) * lanes[1]) >> 48;
		even += ((y & EVEN_BYTES) * lanes[2]) >> 48;
		odd += ((y >> 8 & EVEN_BYTES) * lanes[3]) >> 48;
	}
	even += odd;
	return (s64)(a->weight + weight) -
	       (s64)(cache->inner_product ? even : 2 * even);
}
