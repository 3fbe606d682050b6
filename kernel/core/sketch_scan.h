/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The inner loops over records, compiled twice: the file that includes this
 * defines VEX_SKETCH_VARIANT(name), and is compiled with the population count
 * instruction or without.
 */
#include "sketch_types.h"

/*
 * Sum over the elements of (bit of the plane) * (element of the query). There
 * are words * query_bits terms; constants let the compiler unroll them.
 */
static __always_inline s64 plane_sum(const __le64 *plane, const u64 *query,
				     u32 words, u32 query_bits)
{
	u64 counts[VEX_SKETCH_QUERY_BITS_FINE] = { 0 };
	u64 sum = 0;
	u32 w, j;

	VEX_UNROLL(2)
	for (w = 0; w < words; w++) {
		u64 bits = le64_to_cpu(plane[w]);

		VEX_UNROLL(8)
		for (j = 0; j < query_bits; j++)
			counts[j] += vex_popcount(bits & query[j]);
		query += query_bits;
	}
	VEX_UNROLL(8)
	for (j = 0; j < query_bits - 1; j++)
		sum += counts[j] << j;
	return (s64)(sum - (counts[query_bits - 1] << (query_bits - 1)));
}

/* The same for planes first to end of a code, added to the sum before them. */
static __always_inline s64 code_sum(s64 sum, const __le64 *planes,
				    const u64 *query, u32 words,
				    u32 query_bits, u32 first, u32 end)
{
	u32 i;

	for (i = first; i < end; i++)
		sum = 2 * sum + plane_sum(planes + i * words, query, words,
					  query_bits);
	return sum;
}

/*
 * The first looks at long records touch some lines of each, which no processor
 * foresees. So many bytes ahead they are asked for; beyond the page, in vain.
 */
#define AHEAD 1024


/* What a look at some planes of a record needs beside them. */
struct look {
	u64 scale;
	u64 error;
	s64 offset;
};

static __always_inline struct look
coarse_look(const struct vex_sketch_query *query,
	    const struct vex_sketch_record *record)
{
	return (struct look){
		.scale = le32_to_cpu(record->coarse_scale) & ~1u,
		.error = le16_to_cpu(record->coarse_error),
		.offset = query->coarse_offset,
	};
}

static __always_inline struct look
whole_look(const struct vex_sketch_query *query,
	   const struct vex_sketch_record *record)
{
	return (struct look){
		.scale = le32_to_cpu(record->scale),
		.error = le16_to_cpu(record->error),
		.offset = query->offset,
	};
}

/* Unsigned arithmetic: a damaged record may make it overflow. */
static __always_inline bool judge(const struct vex_sketch_query *query,
				  s64 norm, s64 sum, const struct look *look,
				  struct vex_sketch_hit *hit)
{
	u64 code = (u64)(2 * sum - look->offset) * look->scale << query->shift;

	hit->bound = (s64)((u64)norm * (u64)query->norm_bound - code -
			   look->error * (u64)query->error_bound);
	hit->score = (s64)((u64)norm * (u64)query->norm_factor - code);
	return hit->bound <= query->limit;
}

static __always_inline u32 scan(const struct vex_sketch_query *query,
				const void *records, u32 count, u64 first,
				struct vex_sketch_hit *hits, u32 words,
				u32 query_bits, u32 coarse_bits, u32 bits)
{
	const struct vex_sketch_record *record = records;
	u32 coarse_bytes = sizeof(*record) + 8 * words * coarse_bits;
	struct vex_sketch_hit *hit = hits;
	u32 i, at;

	for (i = 0; i < count; i++,
	     record = (const void *)((const u8 *)record + query->record_bytes)) {
		s64 norm = (s32)le32_to_cpu(record->norm);
		struct vex_sketch_hit found;
		struct look look;
		s64 sum;

		if (words > 2)
			for (at = 0; at < coarse_bytes; at += 64)
				__builtin_prefetch((const u8 *)record + AHEAD +
						   at);
		sum = code_sum(0, record->planes, query->planes, words,
			       query_bits, 0, coarse_bits);
		look = coarse_bits < bits ? coarse_look(query, record) :
					    whole_look(query, record);
		if (likely(!judge(query, norm, sum, &look, &found) &&
			   record->scale))
			continue;
		if (coarse_bits < bits && record->scale) {
			sum = code_sum(sum, record->planes, query->planes,
				       words, query_bits, coarse_bits, bits);
			look = whole_look(query, record);
			if (!judge(query, norm, sum, &look, &found))
				continue;
		}
		if (le32_to_cpu(record->coarse_scale) & 1)
			continue;
		if (!record->scale)
			found.score = VEX_SKETCH_SCORE_MIN;
		if (!record->scale || query->open)
			found.bound = VEX_SKETCH_SCORE_MIN;
		found.index = first + i;
		*hit++ = found;
	}
	return (u32)(hit - hits);
}

/* Code for each number of coarse and further planes that is in use. */
static __always_inline u32 scan_words(const struct vex_sketch_query *query,
				      const void *records, u32 count,
				      u64 first, struct vex_sketch_hit *hits,
				      u32 words)
{
	switch (query->coarse_bits) {
	case 1:
		return scan(query, records, count, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 1, query->bits);
	case 2:
		return scan(query, records, count, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 2, query->bits);
	case 3:
		return scan(query, records, count, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 3, query->bits);
	default:
		return scan(query, records, count, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 4, query->bits);
	}
}

u32 VEX_SKETCH_VARIANT(vex_sketch_scan)(const struct vex_sketch_query *query,
					const void *records, u32 count,
					u64 first, struct vex_sketch_hit *hits)
{
	if (query->query_bits != VEX_SKETCH_QUERY_BITS)
		return scan(query, records, count, first, hits, query->words,
			    VEX_SKETCH_QUERY_BITS_FINE, query->bits,
			    query->bits);
	switch (query->words) {
	case 1:
		return scan_words(query, records, count, first, hits, 1);
	case 2:
		return scan_words(query, records, count, first, hits, 2);
	default:
		return scan_words(query, records, count, first, hits,
				  query->words);
	}
}

static __always_inline void scores_of(const struct vex_sketch_query *query,
				      const void *const *records, u32 count,
				      s64 *scores, u8 *flags, u32 words,
				      u32 query_bits, u32 bits)
{
	u32 i;

	for (i = 0; i < count; i++) {
		const struct vex_sketch_record *record = records[i];
		s64 norm = (s32)le32_to_cpu(record->norm);
		s64 sum = code_sum(0, record->planes, query->planes, words,
				   query_bits, 0, bits);
		struct look look = whole_look(query, record);
		struct vex_sketch_hit found;

		judge(query, norm, sum, &look, &found);
		/* A damaged record may hold anything. */
		scores[i] = max_t(s64, min_t(s64, found.score, S64_MAX / 4),
				  S64_MIN / 4);
		flags[i] = le32_to_cpu(record->coarse_scale) & 1;
	}
}

static __always_inline void scores_words(const struct vex_sketch_query *query,
					 const void *const *records, u32 count,
					 s64 *scores, u8 *flags, u32 words)
{
	switch (query->bits) {
	case 1:
		scores_of(query, records, count, scores, flags, words,
			  VEX_SKETCH_QUERY_BITS, 1);
		break;
	case 2:
		scores_of(query, records, count, scores, flags, words,
			  VEX_SKETCH_QUERY_BITS, 2);
		break;
	case 3:
		scores_of(query, records, count, scores, flags, words,
			  VEX_SKETCH_QUERY_BITS, 3);
		break;
	default:
		scores_of(query, records, count, scores, flags, words,
			  VEX_SKETCH_QUERY_BITS, 4);
	}
}

void VEX_SKETCH_VARIANT(vex_sketch_scores)(const struct vex_sketch_query *query,
					   const void *const *records,
					   u32 count, s64 *scores, u8 *flags)
{
	if (query->query_bits != VEX_SKETCH_QUERY_BITS)
		scores_of(query, records, count, scores, flags, query->words,
			  VEX_SKETCH_QUERY_BITS_FINE, query->bits);
	else if (query->words == 1)
		scores_words(query, records, count, scores, flags, 1);
	else if (query->words == 2)
		scores_words(query, records, count, scores, flags, 2);
	else
		scores_words(query, records, count, scores, flags,
			     query->words);
}
