// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Lists whose codes are sketches: lists_sketch.h.
 */
#include "lists_sketch.h"
#include "sketch_types.h"

/* Scores are compared in units of 2^-24 norm units; see struct prepared. */
#define COMPARE_LOG	24U
#define SCORE_LIMIT	(1LL << 34)

/*
 * Inner product queries have a unit of their own, 2^own of the rows'. As
 * centroids have one length it is nearly the same for all, and near to 1.
 */
#define OWN_MAX		8
#define OWN_MIN		(-24)

/**
 * struct prepared - a centroid as a query
 * @factor: 2^48 scores in norm units; a score is below 2^34 * 2^24
 * @shift: what scores are shifted right by then
 * @offset: what every score lacks; S64_MAX / 8 for a centroid that cannot be
 *	prepared, with a factor of 0
 * @unused: makes queries begin at multiples of 16, as prepared centroids do
 * @query: where its query begins
 */
struct prepared {
	s64 factor;
	u64 shift;
	s64 offset;
	u64 unused;
	u64 query[];
};

static size_t round_up8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

size_t vex_lists_sketch_bytes(const struct vex_sketch *sketch)
{
	return round_up8(vex_sketch_scratch_bytes(sketch)) +
	       round_up8(sketch->dim * sizeof(u32));
}

void vex_lists_sketch_init(struct vex_lists_sketch *lists,
			   const struct vex_sketch *sketch, const s32 *centre,
			   void *memory)
{
	lists->sketch = sketch;
	lists->float_sketch = *sketch;
	lists->float_sketch.type = VEX_TYPE_F32;
	lists->centre = centre;
	lists->scratch = memory;
	lists->elements = (u32 *)((u8 *)memory +
				  round_up8(vex_sketch_scratch_bytes(sketch)));
}

u32 vex_lists_sketch_query_bytes(const struct vex_sketch *sketch)
{
	size_t bytes = vex_sketch_query_bytes(sketch, VEX_SKETCH_QUERY_BITS);

	return (u32)((sizeof(struct prepared) + bytes + 15) & ~(size_t)15);
}

bool vex_lists_sketch_spherical(const struct vex_sketch *sketch)
{
	return sketch->metric != VEX_METRIC_L2;
}

void vex_lists_sketch_values(struct vex_lists_sketch *lists, const void *row,
			     s32 *values)
{
	const struct vex_sketch *sketch = lists->sketch;
	struct vex_sketch_scratch pieces =
		vex_sketch_divide_scratch(sketch, lists->scratch);
	const s32 *from = pieces.x;

	if (!vex_sketch_vector(sketch, sketch->type, row, pieces.x))
		from = lists->centre;
	memcpy(values, from, sketch->dim * sizeof(*values));
}

/* The binary32 nearest to value * 2^unit; zero for what is subnormal. */
static u32 to_float(s32 value, s32 unit)
{
	u64 magnitude = (u64)(value < 0 ? -(s64)value : value);
	u32 sign = value < 0 ? 1U << 31 : 0;
	s32 bits = (s32)fls64(magnitude);
	s32 exponent = bits + unit + 126;
	u32 rounded;

	if (!bits || exponent < 1)
		return sign;
	/* 24 bits, one more, and the rounding carries into the exponent */
	rounded = (u32)(((magnitude << 40 >> bits << 1) + (1ULL << 16)) >> 17);
	rounded = (u32)(exponent - 1) * (1U << 23) + rounded;
	return sign | min(rounded, 0x7f7fffffU);
}

/* A centroid as a row of f32. */
static void to_floats(struct vex_lists_sketch *lists, const s32 *values)
{
	const struct vex_sketch *sketch = lists->sketch;
	s32 unit = sketch->metric == VEX_METRIC_COSINE ? 0 : sketch->unit;
	u32 i;

	for (i = 0; i < sketch->dim; i++)
		lists->elements[i] = to_float(values[i], unit);
}

void vex_lists_sketch_encode(struct vex_lists_sketch *lists, const s32 *values,
			     void *record)
{
	to_floats(lists, values);
	vex_sketch_encode(&lists->float_sketch, lists->centre, lists->elements,
			  record, lists->scratch);
}

void vex_lists_sketch_prepare(struct vex_lists_sketch *lists, const s32 *values,
			      void *query)
{
	struct prepared *prepared = query;
	struct vex_sketch_query *q;
	s32 own;

	to_floats(lists, values);
	prepared->factor = 0;
	prepared->shift = 0;
	prepared->offset = S64_MAX / 8;
	if (vex_sketch_query_prepare(prepared->query, &lists->float_sketch,
				     lists->centre, VEX_TYPE_F32,
				     lists->elements, VEX_SKETCH_QUERY_BITS,
				     lists->scratch, &q))
		return;
	prepared->factor = (s64)div64_u64(1ULL << 48, q->per_norm);
	prepared->offset = (s64)(q->square <<
				 (COMPARE_LOG - VEX_SKETCH_NORM_UNIT));
	if (lists->sketch->metric != VEX_METRIC_IP)
		return;
	/* here its square does not count */
	own = q->unit + 1 - 2 * lists->sketch->unit;
	own = own > OWN_MAX ? OWN_MAX : own < OWN_MIN ? OWN_MIN : own;
	prepared->shift = (u64)(OWN_MAX - own);
	prepared->offset = -(s64)((q->centre_product *
				   (1 << (COMPARE_LOG -
					  VEX_SKETCH_NORM_UNIT))) >>
				  prepared->shift);
}

static void score(const struct vex_sketch_query *query, const u8 *records,
		  u32 count, s64 *scores, u8 *flags)
{
	const void *pointers[VEX_KMEANS_BLOCK];
	u32 i = 0;

	do {
		pointers[i] = records;
		records += query->record_bytes;
	} while (++i < count);
	vex_sketch_scores(query, pointers, count, scores, flags);
}

void vex_lists_sketch_compare(const void *query, const void *records, u32 count,
			      s64 *scores)
{
	const struct prepared *prepared = query;
	u8 flags[VEX_KMEANS_BLOCK];
	u32 i;

	if (!prepared->factor) {
		for (i = 0; i < count; i++)
			scores[i] = prepared->offset;
		return;
	}
	score((const void *)prepared->query, records, count, scores, flags);
	for (i = 0; i < count; i++) {
		s64 v = scores[i] >> COMPARE_LOG;

		v = v > SCORE_LIMIT ? SCORE_LIMIT :
		    v < -SCORE_LIMIT ? -SCORE_LIMIT : v;
		scores[i] = (v * prepared->factor >> prepared->shift) +
			    prepared->offset;
	}
}

void vex_lists_sketch_score(const void *query, const void *records, u32 count,
			    s64 *scores)
{
	u8 flags[VEX_KMEANS_BLOCK];
	u32 i;

	score(query, records, count, scores, flags);
	for (i = 0; i < count; i++)
		if (unlikely(flags[i] & VEX_SKETCH_DEAD))
			scores[i] = S64_MAX / 4;
}
