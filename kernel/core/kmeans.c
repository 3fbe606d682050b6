// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * k-means over codes: kmeans.h. What a sample's row is, which rows are the
 * first centroids, and what replaces an empty list follow from the seed by
 * hashing, so nothing is remembered of the sample between rounds.
 */
#include "kmeans.h"

/* Lists that are scored between two calls of stop(). */
#define LISTS_STEP	64U
/* Rows that are looked at to replace an empty list's centroid. */
#define RESEED_TRIES	4U

static u64 mix(u64 z)
{
	z += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* One of @of, from the @index-th of @count equal parts of them. */
static u64 spread(u64 index, u64 count, u64 of, u64 seed)
{
	u64 first = index * of / count;
	u64 next = (index + 1) * of / count;

	return first + mix(seed ^ index) % (next - first);
}

static u32 root64(u64 square)
{
	u64 root = 0;
	u64 bit = 1ULL << 31;

	for (; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= square)
			root += bit;
	return (u32)root;
}

struct sample {
	u64 rows;
	u64 count;
	u64 seed;
};

static u64 sample_row(const struct sample *sample, u64 index)
{
	return spread(index, sample->count, sample->rows, sample->seed);
}

static s32 *values_of(const struct vex_kmeans *kmeans,
		      const struct vex_kmeans_source *source, u32 list)
{
	return kmeans->values + (size_t)list * source->dim;
}

static int may_go_on(const struct vex_kmeans_source *source)
{
	return source->stop ? source->stop(source->context) : 0;
}

/* The logarithm of the largest element, rounded up; 0 for zeros. */
static u32 bits_of(const s32 *values, u32 dim)
{
	u32 all = 0;
	u32 i;

	for (i = 0; i < dim; i++)
		all |= (u32)(values[i] < 0 ? -(s64)values[i] : values[i]);
	return fls64(all);
}

/* Elements of up to 23 bits, so that 2^16 squares fit 64 bits. */
static s64 shifted(s32 value, u32 bits)
{
	return bits > 22 ? (s64)value >> (bits - 22) :
			   (s64)((u64)(s64)value << (22 - bits));
}

static u32 shifted_length(const s32 *values, u32 dim, u32 bits)
{
	u64 square = 0;
	u32 i;

	for (i = 0; i < dim; i++) {
		s64 v = shifted(values[i], bits);

		square += (u64)(v * v);
	}
	return root64(square);
}

/* Give a vector the length 2^@length_bits, up to 2^30. */
static void bring_to_length(s32 *values, u32 dim, u32 length_bits)
{
	u32 bits = bits_of(values, dim);
	s64 length = shifted_length(values, dim, bits);
	u32 i;

	if (!bits || !length)
		return;
	for (i = 0; i < dim; i++) {
		s64 v = (s64)((u64)shifted(values[i], bits) << length_bits);

		values[i] = (s32)((v + (v < 0 ? -length : length) / 2) /
				  length);
	}
}

int vex_kmeans_prepare(struct vex_kmeans *kmeans,
		       const struct vex_kmeans_source *source)
{
	u32 list;
	int ret;

	for (list = 0; list < kmeans->lists; list++) {
		ret = may_go_on(source);
		if (ret)
			return ret;
		source->prepare(source->context,
				values_of(kmeans, source, list),
				kmeans->queries +
				(size_t)list * source->query_bytes);
	}
	return 0;
}

int vex_kmeans_assign(struct vex_kmeans *kmeans,
		      const struct vex_kmeans_source *source, u32 count,
		      u16 *nearest)
{
	s64 scores[VEX_KMEANS_BLOCK];
	s64 best[VEX_KMEANS_BLOCK];
	const u8 *query = kmeans->queries;
	u32 list;
	u32 i;

	for (i = 0; i < count; i++)
		best[i] = S64_MAX;
	for (list = 0; list < kmeans->lists; list++) {
		if (list % LISTS_STEP == 0) {
			int ret = may_go_on(source);

			if (ret)
				return ret;
		}
		source->score(query, kmeans->gather, count, scores);
		query += source->query_bytes;
		for (i = 0; i < count; i++) {
			if (scores[i] < best[i]) {
				best[i] = scores[i];
				nearest[i] = (u16)list;
			}
		}
	}
	kmeans->done += count;
	return 0;
}

int vex_kmeans_gather(struct vex_kmeans *kmeans,
		      const struct vex_kmeans_source *source, u32 index,
		      u64 row)
{
	u32 bytes = source->sketches->record_bytes;
	int err = 0;
	const void *record = vex_pages_get(source->sketches, row, &err);

	if (!record)
		return err;
	memcpy(kmeans->gather + (size_t)index * bytes, record, bytes);
	return 0;
}

/* The first centroids: rows of the sample, from all over it. */
static int begin(struct vex_kmeans *kmeans,
		 const struct vex_kmeans_source *source,
		 const struct sample *sample)
{
	u32 list;
	int ret;

	for (list = 0; list < kmeans->lists; list++) {
		u64 index = list % sample->count;

		if (sample->count > kmeans->lists)
			index = spread(list, kmeans->lists, sample->count,
				       ~sample->seed);
		ret = may_go_on(source);
		if (!ret)
			ret = source->values(source->context,
					     sample_row(sample, index),
					     values_of(kmeans, source, list));
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * For spherical ones: the binary logarithm of a length that suits them all. No
 * more than that of the longest, which may be as long as codes can tell.
 */
static u32 choose_length(const struct vex_kmeans *kmeans,
			 const struct vex_kmeans_source *source)
{
	u32 most = 0;
	u32 list;

	for (list = 0; list < kmeans->lists; list++) {
		const s32 *values = values_of(kmeans, source, list);
		u32 bits = bits_of(values, source->dim);
		u32 length = fls64(shifted_length(values, source->dim, bits));

		if (bits)
			most = max(most, length + bits - 23);
	}
	return min(most, 30U);
}

static void add_row(s64 *sums, const s32 *values, u32 dim)
{
	u32 i;

	for (i = 0; i < dim; i++)
		sums[i] += values[i];
}

/* Assign the sample and sum its rows up by list. */
static int sum_up(struct vex_kmeans *kmeans,
		  const struct vex_kmeans_source *source,
		  const struct sample *sample)
{
	u16 nearest[VEX_KMEANS_BLOCK];
	u64 at;
	u32 i;
	int ret;

	memset(kmeans->sums, 0,
	       (size_t)kmeans->lists * source->dim * sizeof(s64));
	memset(kmeans->counts, 0, kmeans->lists * sizeof(u32));
	for (at = 0; at < sample->count; at += VEX_KMEANS_BLOCK) {
		u32 count = (u32)min_t(u64, VEX_KMEANS_BLOCK,
				       sample->count - at);

		for (i = 0; i < count; i++) {
			ret = vex_kmeans_gather(kmeans, source, i,
						sample_row(sample, at + i));
			if (ret)
				return ret;
		}
		ret = vex_kmeans_assign(kmeans, source, count, nearest);
		if (ret)
			return ret;
		for (i = 0; i < count; i++) {
			ret = source->values(source->context,
					     sample_row(sample, at + i),
					     kmeans->row);
			if (ret)
				return ret;
			add_row(kmeans->sums + (size_t)nearest[i] * source->dim,
				kmeans->row, source->dim);
			kmeans->counts[nearest[i]]++;
		}
	}
	return 0;
}

/* A row of the sample that is in a large list becomes an empty list's. */
static int reseed(struct vex_kmeans *kmeans,
		  const struct vex_kmeans_source *source,
		  const struct sample *sample, u32 list, u64 seed)
{
	u16 nearest[RESEED_TRIES];
	u64 index[RESEED_TRIES];
	u64 done = kmeans->done;
	u32 best = 0;
	u32 i;
	int ret;

	for (i = 0; i < RESEED_TRIES; i++) {
		index[i] = mix(seed + i) % sample->count;
		ret = vex_kmeans_gather(kmeans, source, i,
					sample_row(sample, index[i]));
		if (ret)
			return ret;
	}
	ret = vex_kmeans_assign(kmeans, source, RESEED_TRIES, nearest);
	kmeans->done = done;
	if (ret)
		return ret;
	for (i = 1; i < RESEED_TRIES; i++)
		if (kmeans->counts[nearest[i]] > kmeans->counts[nearest[best]])
			best = i;
	if (kmeans->counts[nearest[best]] < 2)
		return 0;
	kmeans->counts[nearest[best]] /= 2;
	return source->values(source->context,
			      sample_row(sample, index[best]),
			      values_of(kmeans, source, list));
}

static int reseed_empty(struct vex_kmeans *kmeans,
			const struct vex_kmeans_source *source,
			const struct sample *sample, u64 seed)
{
	/* more are empty only where rows are the same */
	u32 left = kmeans->lists / 8 + 16;
	u32 list;
	int ret;

	for (list = 0; list < kmeans->lists && left; list++) {
		if (kmeans->counts[list])
			continue;
		left--;
		ret = reseed(kmeans, source, sample, list,
			     mix(seed) + (u64)list * RESEED_TRIES);
		if (ret)
			return ret;
	}
	return 0;
}

static void take_means(struct vex_kmeans *kmeans,
		       const struct vex_kmeans_source *source)
{
	const s64 *sums = kmeans->sums;
	u32 list;
	u32 i;

	for (list = 0; list < kmeans->lists; list++, sums += source->dim) {
		s32 *values = values_of(kmeans, source, list);
		s64 count = kmeans->counts[list];

		if (!count)
			continue;
		for (i = 0; i < source->dim; i++) {
			s64 half = sums[i] < 0 ? -count / 2 : count / 2;

			values[i] = (s32)((sums[i] + half) / count);
		}
	}
}

static void make_spherical(struct vex_kmeans *kmeans,
			   const struct vex_kmeans_source *source, u32 length)
{
	u32 list;

	for (list = 0; list < kmeans->lists; list++)
		bring_to_length(values_of(kmeans, source, list), source->dim,
				length);
}

/*
 * Few rows tell as well as many where centroids go that are far off yet, so the
 * first rounds take a quarter of the sample, and the last but one half of it.
 */
static u64 sample_of_round(u64 count, u32 rounds_left)
{
	return max_t(u64, count >> min(rounds_left, 2U), 1);
}

u64 vex_kmeans_work(u64 count, u32 rounds)
{
	u64 work = 0;

	while (rounds--)
		work += sample_of_round(count, rounds);
	return work;
}

int vex_kmeans_train(struct vex_kmeans *kmeans,
		     const struct vex_kmeans_source *source, u64 rows,
		     u64 count, u32 rounds, u64 seed)
{
	const u64 whole = min(count, rows);
	struct sample sample = {
		.rows = rows, .count = whole, .seed = seed,
	};
	u32 length = 0;
	u32 round;
	int ret;

	ret = begin(kmeans, source, &sample);
	if (ret)
		return ret;
	if (source->spherical) {
		length = choose_length(kmeans, source);
		make_spherical(kmeans, source, length);
	}
	ret = vex_kmeans_prepare(kmeans, source);
	for (round = 0; !ret && round < rounds; round++) {
		sample.count = sample_of_round(whole, rounds - 1 - round);
		ret = sum_up(kmeans, source, &sample);
		if (ret)
			return ret;
		take_means(kmeans, source);
		ret = reseed_empty(kmeans, source, &sample, seed + round);
		if (ret)
			return ret;
		if (source->spherical)
			make_spherical(kmeans, source, length);
		ret = vex_kmeans_prepare(kmeans, source);
	}
	return ret;
}
