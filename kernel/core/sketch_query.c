// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Queries of sketches, and distances as limits of scores: docs/search.md,
 * "Estimator" and "Bounds".
 */
#include "sketch_types.h"

/* A norm whose square is beyond this is a limit that all rows are within. */
#define DISTANCE_LOG 56u

/*
 * Of bounds that a walk takes leave of rows by: a row that is missed so is one
 * of many ways, and most of those that are lie near the limit.
 */
#define NEAR_ACCURACY 256u

static u64 magnitude(s64 v)
{
	return v < 0 ? (u64)-v : (u64)v;
}

static bool popcnt_here(void)
{
	static u8 known;	/* 0, or 1 and the answer as 2 */
	u8 value = READ_ONCE(known);

	if (!value) {
		value = vex_has_popcnt() ? 3 : 1;
		WRITE_ONCE(known, value);
	}
	return value & 2;
}

size_t vex_sketch_query_bytes(const struct vex_sketch *sketch, u32 bits)
{
	return sizeof(struct vex_sketch_query) +
	       sizeof(u64) * sketch->words * bits;
}

/* The query has a scale of its own, about 2^24 long; false for zero. */
static bool own_scale(const struct vex_sketch *sketch, u32 type,
		      const void *elements, s32 *x, s32 *unit)
{
	s32 top = vex_sketch_top(type, elements, sketch->dim);
	u64 square = 0;
	u32 i;

	*unit = -150;
	if (top == S32_MIN)
		return false;
	vex_sketch_fixed(type, elements, sketch->dim, top - 19, x);
	for (i = 0; i < sketch->dim; i++)
		square += (u64)((s64)x[i] * x[i]);
	*unit = top - 19 + (s32)(fls64(square) + 1) / 2 - VEX_SKETCH_NORM_LOG;
	vex_sketch_fixed(type, elements, sketch->dim, *unit, x);
	return true;
}

/* Twice the product with the centre, and what it may be wrong by. */
static void centre_product(struct vex_sketch_query *query,
			   const struct vex_sketch *sketch, const s32 *centre,
			   const s32 *x)
{
	vex_s128 product = 0;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < sketch->dim; i++) {
		product += (s64)x[i] * centre[i];
		sum += magnitude(centre[i]);
	}
	query->centre_product = 2 * product;
	/* Each element of the query is wrong by half a unit at most. */
	query->centre_slack = sum;
}

/* The query as integers, centred or not, as the metric wants it. */
static bool take(struct vex_sketch_query *query,
		 const struct vex_sketch *sketch, const s32 *centre, u32 type,
		 const void *elements, s32 *x)
{
	u64 square;
	s32 unit;

	query->slack = 2 * vex_sketch_slack(sketch);
	query->unit = 2 * sketch->unit;
	if (sketch->metric != VEX_METRIC_IP) {
		/* 1 - cosine is half the square of the distance. */
		if (sketch->metric == VEX_METRIC_COSINE) {
			query->unit = -2 * VEX_SKETCH_NORM_LOG - 1;
			if (vex_sketch_top(type, elements, sketch->dim) ==
			    S32_MIN)
				return false;
		}
		return vex_sketch_vector(sketch, type, elements, x) &&
		       vex_sketch_centred(sketch, centre, x, &square);
	}
	memset(x, 0, 64 * sketch->words * sizeof(*x));
	own_scale(sketch, type, elements, x, &unit);
	centre_product(query, sketch, centre, x);
	query->unit = sketch->unit + unit - 1;
	return true;
}

/* What the codes of a query add up to. */
struct query_sums {
	s64 sum;
	u64 square;
	u64 error;
};

/* Code by a step in units of 2^-8, 256 or more: whole numbers of steps. */
static struct query_sums code(const s32 *x, u32 count, u32 bits, u64 step,
			      u8 *codes)
{
	struct query_sums sums = { 0, 0, 0 };
	s64 reciprocal = (s64)div64_u64(1ull << 40, step);
	s64 last = (1ll << (bits - 1)) - 1;
	u32 i;

	for (i = 0; i < count; i++) {
		s64 v = (x[i] * reciprocal + (1ll << 31)) >> 32;
		u64 error;

		v = v > last ? last : v < -last - 1 ? -last - 1 : v;
		error = (magnitude((s64)x[i] * 256 - v * (s64)step) + 255) >>
			8;
		sums.sum += v;
		sums.square += (u64)(v * v);
		sums.error += error * error;
		codes[i] = (u8)v;
	}
	return sums;
}

static void code_query(struct vex_sketch_query *query,
		       const struct vex_sketch *sketch, const s32 *x, u8 *codes)
{
	u32 used = sketch->rounds ? 64 * sketch->words : sketch->dim;
	u32 bits = query->query_bits;
	struct query_sums sums;
	vex_u128 square;
	u64 largest = 0;
	u64 step;
	u32 i, w;

	for (i = 0; i < used; i++)
		largest = max_t(u64, largest, magnitude(x[i]));
	step = div64_u64(largest << 9, (1u << bits) - 1);
	step = step < 256 ? 256 : step;
	memset(codes + used, 0, 64 * sketch->words - used);
	sums = code(x, used, bits, step, codes);

	square = (vex_u128)(step * step) * sums.square;
	query->square = (u64)(square >> 16);
	query->norm = vex_sketch_root(query->square + 1);
	query->error = vex_sketch_root(sums.error);
	query->coarse_offset = ((1 << query->coarse_bits) - 1) * sums.sum;
	query->offset = ((1 << query->bits) - 1) * sums.sum;
	query->tail_offset = ((1 << (query->bits + query->tail_bits)) - 1) *
			     sums.sum;
	/*
	 * A score's unit is such that twice a product is a shift of
	 * scale * code, and a unit of norm 2^24 to 2^25 scores.
	 */
	query->shift = fls64(step) - 9;
	query->per_norm = div64_u64(1ull << (VEX_SKETCH_NORM_UNIT +
					     VEX_SKETCH_SCALE_UNIT + 7 +
					     query->shift), step);
	for (w = 0; w < query->words; w++)
		for (i = 0; i < bits; i++)
			query->planes[w * bits + i] =
				vex_sketch_plane(codes + 64 * w, i);
}

int vex_sketch_query_prepare(void *memory, const struct vex_sketch *sketch,
			     const s32 *centre, u32 query_type,
			     const void *elements, u32 bits, void *scratch,
			     struct vex_sketch_query **query)
{
	struct vex_sketch_scratch pieces =
		vex_sketch_divide_scratch(sketch, scratch);
	struct vex_sketch_query *q = memory;

	memset(q, 0, sizeof(*q));
	q->metric = sketch->metric;
	q->bits = sketch->bits;
	q->coarse_bits = sketch->coarse_bits;
	q->tail_bits = sketch->tail_bits;
	q->words = sketch->words;
	q->record_bytes = sketch->record_bytes;
	q->tail_bytes = sketch->tail_bytes;
	q->per_page = sketch->per_page;
	q->query_bits = bits;
	/* A rotation spreads few elements over many, but adds none to them. */
	q->root_dim = (u32)vex_sketch_root(
		(u64)(sketch->rounds && sketch->dim >= 64 ?
		      64 * sketch->words : sketch->dim) << 16);
	q->popcnt = popcnt_here();
	if (!take(q, sketch, centre, query_type, elements, pieces.x))
		return -ERANGE;
	vex_sketch_rotate(sketch, pieces.x, pieces.work);
	code_query(q, sketch, pieces.x, pieces.codes);
	if (sketch->metric != VEX_METRIC_IP)
		q->norm_factor = (s64)q->per_norm;
	vex_sketch_query_limit(q, S64_MAX, VEX_SKETCH_SURE);
	q->near = S64_MAX;
	*query = q;
	return 0;
}

/* Up to so many words a plane the tables stay in a first-level cache. */
#define TABLE_WORDS 2u

size_t vex_sketch_tables_bytes(const struct vex_sketch *sketch)
{
	if (sketch->words > TABLE_WORDS)
		return 0;
	return 8 * 256 * sizeof(u32) * sketch->words;
}

void vex_sketch_query_tables(struct vex_sketch_query *query, void *memory)
{
	u32 bits = query->query_bits;
	u32 *table = memory;
	u32 i, j, known;

	for (i = 0; i < 64 * query->words; i++) {
		const u64 *planes = query->planes + i / 64 * bits;
		u32 value = 0;

		for (j = 0; j < bits; j++)
			value |= (u32)(planes[j] >> i % 64 & 1) << j;
		if (value >> (bits - 1))
			value -= 1u << bits;
		known = 1u << i % 8;
		if (known == 1)
			table[0] = 0;
		for (j = 0; j < known; j++)
			table[known + j] = table[j] + value;
		if (i % 8 == 7)
			table += 256;
	}
	query->tables = memory;
}

/* Squared units as scores, rounded up; for factors of errors too. */
static s64 scores_above(const struct vex_sketch_query *query, vex_s128 value)
{
	const s64 most = S64_MAX / 4;

	if (value >> 100 > 0 || value >> 100 < -1)
		return value > 0 ? most : -most;
	if (value < 0)
		value = -((-value * (vex_s128)query->per_norm) >>
			  VEX_SKETCH_NORM_UNIT);
	else
		value = ((value * (vex_s128)(query->per_norm + 1)) >>
			 VEX_SKETCH_NORM_UNIT) + 1;
	return value > most ? most : value < -most ? -most : (s64)value;
}

/*
 * An error e is perpendicular to its row y, so its product with q - y is that
 * with q - c y for any c. For rows within a distance D of a query of norm |q|
 *	|q - c y|^2 <= a - b |y|^2, a = (1 - c) |q|^2 + c D^2, b = c (1 - c)
 * and the root of that is at most (a / r + r - b |y|^2 / r) / 2 for any r: the
 * tangent. Best is the c for rows as long as the query, and the root for r.
 */
static void perpendicular(struct vex_sketch_query *query, u64 distance)
{
	const u64 one = 1 << 16;
	u64 norm = query->square + 1;
	u64 square = distance * distance;
	u32 shift = min_t(u32, 15, 63 - min_t(u32, 63, fls64(square)));
	u64 c, a, b, root;

	c = div64_u64(square << shift, max_t(u64, norm >> (15 - shift), 1));
	c = one - min_t(u64, c, one);
	b = c * (one - c);
	a = (u64)(((vex_u128)norm * (one - c) + (vex_u128)square * c + one -
		   1) >> 16);
	root = a - min_t(u64, a, (u64)((vex_u128)norm * b >> 32));
	root = max_t(u64, vex_sketch_root(root), 1);
	query->error_bound = scores_above(query,
		(vex_s128)(div64_u64(a, root) + 1 + root) <<
		VEX_SKETCH_ERROR_UNIT);
	query->error_slope = (s64)min_t(u64, 0x7fffffff,
		div64_u64(b * query->per_norm >>
			  (16 - VEX_SKETCH_ERROR_UNIT), root));
}

/*
 * The rows within D of the query: the estimate exceeds the square of the
 * distance to the coded query, at most D + |error of the query|, by at most
 * twice that times |error of the row|.
 */
static void limit_distance(struct vex_sketch_query *query, s64 key, u64 kappa)
{
	vex_u128 square = vex_scaled_key(key, query->unit);
	u64 error = query->error;
	u64 distance;
	vex_s128 base;

	query->norm_bound = (s64)query->per_norm;
	query->error_bound = 0;
	query->error_slope = 0;
	query->limit = S64_MAX / 2;
	query->open = key >= 0 && square >> DISTANCE_LOG;
	if (key < 0)
		query->limit = -query->limit;
	if (key < 0 || query->open)
		return;
	distance = vex_sketch_root((u64)square) + query->slack;
	base = (vex_s128)distance * distance + (vex_s128)error * error -
	       (vex_s128)query->square +
	       2 * (((vex_s128)distance * error * kappa >> 16) + 1);
	if (kappa >> 16) {
		perpendicular(query, distance + error);
	} else {
		distance = vex_sketch_root(distance * distance + error * error);
		query->error_bound = scores_above(query,
			((vex_s128)distance * kappa >>
			 (15 - VEX_SKETCH_ERROR_UNIT)) + 1);
	}
	/* One more where a negative norm was multiplied. */
	query->limit = scores_above(query, base) + 1;
}

/* Rows whose product with the query is at least the negated key. */
static void limit_product(struct vex_sketch_query *query, s64 key, u64 kappa)
{
	vex_u128 size = vex_scaled_key(key < 0 ? ~key : key, query->unit);
	vex_s128 base;

	query->norm_bound = -scores_above(query,
		(vex_s128)(query->slack +
			   2 * ((query->error * kappa >> 16) + 1))) - 1;
	query->error_bound = scores_above(query,
		((vex_s128)query->norm * kappa >>
		 (15 - VEX_SKETCH_ERROR_UNIT)) + 1);
	query->limit = S64_MAX / 2;
	query->open = key >= 0 && size >> 100;
	if (size >> 100) {
		if (key < 0)
			query->limit = -query->limit;
		return;
	}
	base = key < 0 ? 1 - (vex_s128)size : (vex_s128)size;
	base += query->centre_product + query->centre_slack +
		(vex_s128)query->slack * (query->norm + query->error + 1);
	query->limit = scores_above(query, base);
}

void vex_sketch_query_limit(struct vex_sketch_query *query, s64 key,
			    u32 accuracy)
{
	u64 kappa = 1 << 16;

	if (accuracy != VEX_SKETCH_SURE)
		kappa = min_t(u64, kappa, ((u64)accuracy << 16) /
					  query->root_dim);
	if (key == S64_MAX) {
		query->norm_bound = 0;
		query->error_bound = 0;
		query->error_slope = 0;
		query->limit = S64_MAX / 2;
		query->open = true;
	} else if (query->metric == VEX_METRIC_IP) {
		limit_product(query, key, kappa);
	} else {
		limit_distance(query, key, kappa);
	}
}

s64 vex_sketch_query_score(const struct vex_sketch_query *query, s64 key)
{
	vex_u128 square = vex_scaled_key(key < 0 ? ~key : key, query->unit);
	vex_s128 base;

	if (key == S64_MAX || square >> DISTANCE_LOG)
		return key < 0 ? -(S64_MAX / 2) : S64_MAX / 2;
	if (key < 0 && query->metric != VEX_METRIC_IP)
		return -(S64_MAX / 2);
	if (query->metric == VEX_METRIC_IP)
		base = (key < 0 ? -(vex_s128)square : (vex_s128)square) +
		       query->centre_product;
	else
		base = (vex_s128)square +
		       (vex_s128)query->error * query->error -
		       (vex_s128)query->square;
	return scores_above(query, base);
}

static void limit_score(struct vex_sketch_query *query, s64 score,
			u32 accuracy)
{
	u64 kappa = min_t(u64, 1 << 16, ((u64)accuracy << 16) /
					query->root_dim);
	u64 distance = query->norm;
	s64 square;

	if (query->metric != VEX_METRIC_IP) {
		square = (s64)(div64_u64(magnitude(score), query->per_norm)
			       << VEX_SKETCH_NORM_UNIT);
		square = (score < 0 ? -square : square) + (s64)query->square;
		distance = square > 0 ? vex_sketch_root((u64)square) : 0;
	}
	query->norm_bound = query->norm_factor;
	query->error_slope = 0;
	query->error_bound = scores_above(query,
		((vex_s128)distance * kappa >>
		 (15 - VEX_SKETCH_ERROR_UNIT)) + 1);
	query->limit = score;
	query->open = false;
}

void vex_sketch_query_limit_score(struct vex_sketch_query *query, s64 score)
{
	limit_score(query, score, VEX_SKETCH_LIKELY);
}

bool vex_sketch_bound_passes(const struct vex_sketch_query *query, s64 bound)
{
	return bound <= query->limit || bound == VEX_SKETCH_SCORE_MIN;
}

void vex_sketch_scores(const void *query, const void *const *records,
		       u32 count, s64 *scores, u8 *flags)
{
	const struct vex_sketch_query *q = query;

	if (likely(q->popcnt))
		vex_sketch_scores_popcnt(q, records, count, scores, flags);
	else
		vex_sketch_scores_any(q, records, count, scores, flags);
}

/* Short codes are in the cache whole, and counted as quickly as judged. */
static bool near_pays(u32 words, u32 coarse_bits, u32 bits)
{
	return words > 2 && coarse_bits == 1 && bits > 1;
}

/*
 * The distance of a limit is some work to find. That of a greater limit serves
 * as well, as bounds are only smaller by it.
 */
static void near_limit(struct vex_sketch_query *q, s64 limit)
{
	s64 distance;

	if (limit > q->limit || limit <= q->near) {
		limit_score(q, limit, NEAR_ACCURACY);
		distance = limit + scores_above(q, q->square);
		q->near = q->metric == VEX_METRIC_IP ? S64_MIN :
			  limit - distance / 16;
	}
	q->limit = limit;
}

void vex_sketch_near_scores(void *query, const void *const *records, u32 count,
			    s64 limit, s64 *scores, u8 *flags)
{
	struct vex_sketch_query *q = query;

	if (!near_pays(q->words, q->coarse_bits, q->bits) ||
	    limit >= S64_MAX / 4) {
		vex_sketch_scores(q, records, count, scores, flags);
		return;
	}
	near_limit(q, limit);
	if (likely(q->popcnt))
		vex_sketch_near_popcnt(q, records, count, scores, flags);
	else
		vex_sketch_near_any(q, records, count, scores, flags);
}

u32 vex_sketch_near_bytes(const struct vex_sketch *sketch)
{
	if (!near_pays(sketch->words, sketch->coarse_bits, sketch->bits))
		return sketch->record_bytes;
	return sizeof(struct vex_sketch_record) + 8 * sketch->words;
}

u32 vex_sketch_scan(const struct vex_sketch_query *query, const void *records,
		    u32 count, const void *next, u64 first,
		    struct vex_sketch_hit *hits)
{
	if (likely(query->popcnt))
		return vex_sketch_scan_popcnt(query, records, count, next,
					      first, hits);
	return vex_sketch_scan_any(query, records, count, next, first, hits);
}

u32 vex_sketch_first_passes(const struct vex_sketch_query *query,
			    const void *records, u32 count,
			    struct vex_sketch_hit *hits)
{
	if (query->coarse_bits == query->bits ||
	    query->query_bits != VEX_SKETCH_QUERY_BITS)
		return 0;
	if (likely(query->popcnt))
		return vex_sketch_first_passes_popcnt(query, records, count,
						      hits);
	return vex_sketch_first_passes_any(query, records, count, hits);
}

void vex_sketch_query_skip(struct vex_sketch_query *query)
{
	query->coarse_bits = query->bits;
}

bool vex_sketch_hit_passes(const struct vex_sketch_query *query,
			   const void *record, const struct vex_sketch_hit *hit)
{
	const struct vex_sketch_record *r = record;
	s64 norm = (s32)le32_to_cpu(r->norm);
	u64 bound;

	if (hit->bound == VEX_SKETCH_SCORE_MIN)
		return true;
	bound = (u64)hit->score +
		(u64)norm * (u64)(query->norm_bound - query->norm_factor) -
		le16_to_cpu(r->error) *
			vex_sketch_error_bound(query, norm);
	return (s64)bound <= query->limit;
}

bool vex_sketch_page_passes(const struct vex_sketch_query *query,
			    const void *page, u32 index)
{
	if (likely(query->popcnt))
		return vex_sketch_page_passes_popcnt(query, page, index);
	return vex_sketch_page_passes_any(query, page, index);
}

bool vex_sketch_passes(const struct vex_sketch_query *query,
		       const void *record, struct vex_sketch_hit *hit)
{
	struct vex_sketch_hit found;

	if (!vex_sketch_scan(query, record, 1, record, hit ? hit->index : 0,
			     &found))
		return false;
	if (hit)
		*hit = found;
	return true;
}
