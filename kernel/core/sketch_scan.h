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
 * What is scanned next lies in another page, and of long records only some
 * lines are touched: no processor foresees that, so it is asked for.
 */
static __always_inline void ask_ahead(const u8 *next, u32 record_bytes)
{
	u32 at;

	for (at = 0; at < record_bytes; at += 64)
		__builtin_prefetch(next + at);
}

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
static __always_inline void judge(const struct vex_sketch_query *query,
				  s64 norm, s64 sum, const struct look *look,
				  struct vex_sketch_hit *hit)
{
	u64 code = (u64)(2 * sum - look->offset) * look->scale << query->shift;

	hit->bound = (s64)((u64)norm * (u64)query->norm_bound - code -
			   look->error * vex_sketch_error_bound(query, norm));
	hit->score = (s64)((u64)norm * (u64)query->norm_factor - code);
}

/*
 * The first look at all records, of which some or most pass. Those are listed
 * without branches that depend on them, their sums in place of scores.
 */
static __always_inline u32 first_looks(const struct vex_sketch_query *query,
				       const void *records, u32 count,
				       const u8 *next,
				       struct vex_sketch_hit *hits, u32 words,
				       u32 query_bits, u32 coarse_bits)
{
	u32 coarse_bytes = sizeof(struct vex_sketch_record) +
			   8 * words * coarse_bits;
	const struct vex_sketch_record *record = records;
	struct vex_sketch_hit *hit = hits;
	u32 i;

	for (i = 0; i < count; i++, next += query->record_bytes,
	     record = (const void *)((const u8 *)record + query->record_bytes)) {
		s64 norm = (s32)le32_to_cpu(record->norm);
		struct vex_sketch_hit found;
		struct look look;
		s64 sum;

		ask_ahead(next, coarse_bytes);
		sum = code_sum(0, record->planes, query->planes, words,
			       query_bits, 0, coarse_bits);
		look = coarse_look(query, record);
		judge(query, norm, sum, &look, &found);
		hit->score = sum;
		hit->index = i;
		hit += (found.bound <= query->limit) | (record->scale == 0);
	}
	return (u32)(hit - hits);
}

/* The look by all planes at those that passed the first. */
static __always_inline u32 second_looks(const struct vex_sketch_query *query,
					const void *records, u32 count,
					struct vex_sketch_hit *hits, u32 words,
					u32 query_bits, u32 coarse_bits,
					u32 bits)
{
	struct vex_sketch_hit *hit = hits;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct vex_sketch_record *record =
			(const void *)((const u8 *)records +
				       hits[i].index * query->record_bytes);
		s64 norm = (s32)le32_to_cpu(record->norm);
		struct look look = whole_look(query, record);
		u64 index = hits[i].index;
		s64 sum;

		sum = code_sum(hits[i].score, record->planes, query->planes,
			       words, query_bits, coarse_bits, bits);
		judge(query, norm, sum, &look, hit);
		hit->index = index;
		hit += (hit->bound <= query->limit) | (record->scale == 0);
	}
	return (u32)(hit - hits);
}

/* Both at once. */
static __always_inline u32 whole_looks(const struct vex_sketch_query *query,
				       const void *records, u32 count,
				       const u8 *next,
				       struct vex_sketch_hit *hits, u32 words,
				       u32 query_bits, u32 bits)
{
	const struct vex_sketch_record *record = records;
	struct vex_sketch_hit *hit = hits;
	u32 i;

	for (i = 0; i < count; i++, next += query->record_bytes,
	     record = (const void *)((const u8 *)record + query->record_bytes)) {
		s64 norm = (s32)le32_to_cpu(record->norm);
		struct look look = whole_look(query, record);
		s64 sum;

		ask_ahead(next, sizeof(*record) + 8 * words * bits);
		sum = code_sum(0, record->planes, query->planes, words,
				   query_bits, 0, bits);

		judge(query, norm, sum, &look, hit);
		hit->index = i;
		hit += (hit->bound <= query->limit) | (record->scale == 0);
	}
	return (u32)(hit - hits);
}

/*
 * As plane_sum(), by tables. Half of the bytes are loaded, half shifted out of a
 * word, as both loads and shifts are scarce.
 */
static __always_inline u32 table_sum(const __le64 *plane, const u32 *table,
				     u32 words)
{
	const u8 *bytes = (const u8 *)plane;
	u32 even = 0, odd = 0;
	u32 w, i;

	VEX_UNROLL(2)
	for (w = 0; w < words; w++, bytes += 8, table += 8 * 256) {
		u32 low = vex_load_le32(bytes);

		VEX_UNROLL(4)
		for (i = 0; i < 4; i++) {
			even += table[256 * i + (low >> 8 * i & 255)];
			odd += table[256 * i + 1024 + bytes[4 + i]];
		}
	}
	return even + odd;
}

/* As whole_looks(), by tables. */
static __always_inline u32 table_looks(const struct vex_sketch_query *query,
				       const void *records, u32 count,
				       const u8 *next,
				       struct vex_sketch_hit *hits, u32 words,
				       u32 bits)
{
	const struct vex_sketch_record *record = records;
	struct vex_sketch_hit *hit = hits;
	u32 i, j;

	for (i = 0; i < count; i++, next += query->record_bytes,
	     record = (const void *)((const u8 *)record + query->record_bytes)) {
		s64 norm = (s32)le32_to_cpu(record->norm);
		struct look look = whole_look(query, record);
		u32 sums[VEX_SKETCH_BITS_MAX];
		u32 sum = 0;

		ask_ahead(next, sizeof(*record) + 8 * words * bits);
		VEX_UNROLL(4)
		for (j = 0; j < bits; j++)
			sums[j] = table_sum(record->planes + j * words,
					    query->tables, words)
				  << (bits - 1 - j);
		VEX_UNROLL(4)
		for (j = 0; j < bits; j++)
			sum += sums[j];
		judge(query, norm, (s32)sum, &look, hit);
		hit->index = i;
		hit += (hit->bound <= query->limit) | (record->scale == 0);
	}
	return (u32)(hit - hits);
}

static __always_inline u32 table_words(const struct vex_sketch_query *query,
				       const void *records, u32 count,
				       const void *next,
				       struct vex_sketch_hit *hits, u32 words)
{
	switch (query->bits) {
	case 1:
		return table_looks(query, records, count, next, hits, words, 1);
	case 2:
		return table_looks(query, records, count, next, hits, words, 2);
	case 3:
		return table_looks(query, records, count, next, hits, words, 3);
	default:
		return table_looks(query, records, count, next, hits, words, 4);
	}
}

/* What passed by its planes: less the dead, and marked for what it is. */
static __always_inline u32 finish(const struct vex_sketch_query *query,
				  const void *records, u32 count, u64 first,
				  struct vex_sketch_hit *hits)
{
	struct vex_sketch_hit *hit = hits;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct vex_sketch_record *record =
			(const void *)((const u8 *)records +
				       hits[i].index * query->record_bytes);

		if (le32_to_cpu(record->coarse_scale) & 1)
			continue;
		*hit = hits[i];
		if (!record->scale)
			hit->score = VEX_SKETCH_SCORE_MIN;
		if (!record->scale || query->open)
			hit->bound = VEX_SKETCH_SCORE_MIN;
		hit->index += first;
		hit++;
	}
	return (u32)(hit - hits);
}

static __always_inline u32 scan(const struct vex_sketch_query *query,
				const void *records, u32 count,
				const void *next, u64 first,
				struct vex_sketch_hit *hits, u32 words,
				u32 query_bits, u32 coarse_bits, u32 bits)
{
	if (coarse_bits < bits) {
		count = first_looks(query, records, count, next, hits, words,
				    query_bits, coarse_bits);
		count = second_looks(query, records, count, hits, words,
				     query_bits, coarse_bits, bits);
	} else {
		count = whole_looks(query, records, count, next, hits, words,
				    query_bits, bits);
	}
	return finish(query, records, count, first, hits);
}

/* Code for each number of coarse and further planes that is in use. */
static __always_inline u32 scan_words(const struct vex_sketch_query *query,
				      const void *records, u32 count,
				      const void *next, u64 first,
				      struct vex_sketch_hit *hits, u32 words)
{
	switch (query->coarse_bits) {
	case 1:
		return scan(query, records, count, next, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 1, query->bits);
	case 2:
		return scan(query, records, count, next, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 2, query->bits);
	case 3:
		return scan(query, records, count, next, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 3, query->bits);
	default:
		return scan(query, records, count, next, first, hits, words,
			    VEX_SKETCH_QUERY_BITS, 4, query->bits);
	}
}

u32 VEX_SKETCH_VARIANT(vex_sketch_scan)(const struct vex_sketch_query *query,
					const void *records, u32 count,
					const void *next, u64 first,
					struct vex_sketch_hit *hits)
{
	if (query->tables) {
		if (query->words == 1)
			count = table_words(query, records, count, next, hits,
					    1);
		else
			count = table_words(query, records, count, next, hits,
					    2);
		return finish(query, records, count, first, hits);
	}
	if (query->query_bits != VEX_SKETCH_QUERY_BITS)
		return scan(query, records, count, next, first, hits, query->words,
			    VEX_SKETCH_QUERY_BITS_FINE, query->bits,
			    query->bits);
	switch (query->words) {
	case 1:
		return scan_words(query, records, count, next, first, hits, 1);
	case 2:
		return scan_words(query, records, count, next, first, hits, 2);
	default:
		return scan_words(query, records, count, next, first, hits,
				  query->words);
	}
}

u32 VEX_SKETCH_VARIANT(vex_sketch_first_passes)
	(const struct vex_sketch_query *query, const void *records, u32 count,
	 struct vex_sketch_hit *hits)
{
	return first_looks(query, records, count, records, hits, query->words,
			   VEX_SKETCH_QUERY_BITS, query->coarse_bits);
}

static __always_inline bool
page_passes(const struct vex_sketch_query *query, const u8 *page, u32 index,
	    u32 query_bits)
{
	const u8 *tails = page + query->per_page * query->record_bytes;
	const struct vex_sketch_record *record =
		(const void *)(page + index * query->record_bytes);
	s64 norm = (s32)le32_to_cpu(record->norm);
	u32 words = query->words;
	struct vex_sketch_hit found;
	struct look look;
	s64 sum;

	if (le32_to_cpu(record->coarse_scale) & 1)
		return false;
	if (!record->scale)
		return true;
	sum = code_sum(0, record->planes, query->planes, words, query_bits, 0,
		       query->bits);
	look = whole_look(query, record);
	judge(query, norm, sum, &look, &found);
	if (!query->tail_bits || found.bound > query->limit)
		return found.bound <= query->limit;
	sum = code_sum(sum, (const void *)(tails + index * query->tail_bytes),
		       query->planes, words, query_bits, 0, query->tail_bits);
	tails += query->per_page * query->tail_bytes;
	look.scale = vex_sketch_tail_scale(look.scale, query->tail_bits);
	look.error = vex_sketch_tail_error(look.error, tails[index]);
	look.offset = query->tail_offset;
	judge(query, norm, sum, &look, &found);
	return found.bound <= query->limit;
}

bool VEX_SKETCH_VARIANT(vex_sketch_page_passes)
	(const struct vex_sketch_query *query, const void *page, u32 index)
{
	if (query->query_bits != VEX_SKETCH_QUERY_BITS)
		return page_passes(query, page, index,
				   VEX_SKETCH_QUERY_BITS_FINE);
	return page_passes(query, page, index, VEX_SKETCH_QUERY_BITS);
}

/* A damaged record may hold anything. */
static __always_inline s64 plausible(s64 score)
{
	return max_t(s64, min_t(s64, score, S64_MAX / 4), S64_MIN / 4);
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
		scores[i] = plausible(found.score);
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

/*
 * As scores_of(), of those that the first planes do not show to be far. These
 * are listed without branches that depend on them.
 */
static __always_inline void near_of(const struct vex_sketch_query *query,
				    const void *const *records, u32 count,
				    s64 *scores, u8 *flags, u32 bits)
{
	u32 words = query->words;
	s64 sums[VEX_SKETCH_NEAR];
	u8 near[VEX_SKETCH_NEAR];
	struct vex_sketch_hit found;
	struct look look;
	u32 i, n = 0;

	for (i = 0; i < count; i++) {
		const struct vex_sketch_record *record = records[i];
		s64 norm = (s32)le32_to_cpu(record->norm);
		s64 sum = code_sum(0, record->planes, query->planes, words,
				   VEX_SKETCH_QUERY_BITS, 0, 1);

		look = coarse_look(query, record);
		judge(query, norm, sum, &look, &found);
		scores[i] = S64_MAX / 4;
		flags[i] = le32_to_cpu(record->coarse_scale) & 1;
		sums[n] = sum;
		near[n] = (u8)i;
		n += found.bound <= query->limit;
	}
	for (i = 0; i < n; i++) {
		const struct vex_sketch_record *record = records[near[i]];
		s64 norm = (s32)le32_to_cpu(record->norm);
		s64 sum = code_sum(sums[i], record->planes, query->planes,
				   words, VEX_SKETCH_QUERY_BITS, 1, bits);

		look = whole_look(query, record);
		judge(query, norm, sum, &look, &found);
		scores[near[i]] = plausible(found.score);
	}
}

void VEX_SKETCH_VARIANT(vex_sketch_near)(const struct vex_sketch_query *query,
					 const void *const *records, u32 count,
					 s64 *scores, u8 *flags)
{
	switch (query->bits) {
	case 2:
		near_of(query, records, count, scores, flags, 2);
		break;
	case 3:
		near_of(query, records, count, scores, flags, 3);
		break;
	default:
		near_of(query, records, count, scores, flags, 4);
	}
}
