// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * A search's memory, its queries in the forms that the sums need, and the
 * scale of its rows.
 */
#include "distance_types.h"

static bool shape_valid(const struct vex_shape *shape)
{
	return vex_type_bytes(shape->type) &&
	       (shape->query_type == shape->type ||
		shape->query_type == VEX_TYPE_F32) &&
	       shape->metric >= VEX_METRIC_L2 &&
	       shape->metric <= VEX_METRIC_L1 &&
	       shape->dim >= 1 && shape->dim <= VEX_DIM_MAX &&
	       shape->queries >= 1 && shape->queries <= VEX_QUERIES_MAX;
}

static bool shape_bytes(const struct vex_shape *shape)
{
	return shape->query_type == shape->type &&
	       vex_type_bytes(shape->type) == 1;
}

/* What one query takes, in parts that are multiples of 16 bytes. */
struct parts {
	size_t raw;
	size_t fixed;
	size_t lanes;
	size_t prefix;
	size_t pairs;
};

static size_t round_up_16(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

static void query_parts(const struct vex_shape *shape, struct parts *parts)
{
	size_t dim = shape->dim;

	parts->raw = round_up_16(dim * vex_type_bytes(shape->query_type));
	parts->fixed = 0;
	parts->lanes = 0;
	parts->prefix = 0;
	parts->pairs = 0;
	if (shape_bytes(shape)) {
		parts->lanes = (dim + 7) / 8 * 32;
		if (shape->metric == VEX_METRIC_L1)
			parts->lanes = round_up_16(dim);
		parts->prefix = round_up_16((dim / VEX_BYTES_STEP + 2) * 8);
	} else if (dim <= VEX_FIXED_DIM_MAX) {
		parts->fixed = round_up_16(dim * sizeof(s64));
		if (shape->queries > 1 && shape->metric != VEX_METRIC_L1)
			parts->pairs = round_up_16((dim + 1) / 2 * 8);
	}
}

size_t vex_search_bytes(const struct vex_shape *shape)
{
	struct parts parts;

	if (!shape_valid(shape))
		return 0;
	query_parts(shape, &parts);
	return round_up_16(sizeof(struct vex_search)) +
	       shape->queries * (sizeof(struct vex_query) + parts.raw +
				 parts.fixed + parts.lanes + parts.prefix +
				 parts.pairs);
}

struct vex_search *vex_search_init(void *memory, const struct vex_shape *shape)
{
	struct vex_search *search = memory;
	struct parts parts;
	u8 *free;
	u32 i;

	memset(search, 0, offsetof(struct vex_search, scale));
	search->shape = *shape;
	search->row_width = vex_type_bytes(shape->type);
	search->query_width = vex_type_bytes(shape->query_type);
	search->dim_bits = fls64(shape->dim);
	search->bytes = shape_bytes(shape);
	if (shape->type == VEX_TYPE_I8)
		search->flip = 0x8080808080808080ull;
	query_parts(shape, &parts);
	free = (u8 *)&search->queries[shape->queries];
	for (i = 0; i < shape->queries; i++) {
		struct vex_query *query = &search->queries[i];

		memset(query, 0, sizeof(*query));
		query->raw = free;
		free += parts.raw;
		query->fixed = parts.fixed ? (s64 *)free : NULL;
		free += parts.fixed;
		/* Beyond the last element they are zero. */
		memset(free, 0, parts.lanes + parts.prefix + parts.pairs);
		query->lanes = parts.lanes ? (u64 *)free : NULL;
		free += parts.lanes;
		query->prefix = parts.prefix ? (u64 *)free : NULL;
		free += parts.prefix;
		query->coarse.pairs = parts.pairs ? (u64 *)free : NULL;
		free += parts.pairs;
		query->limit_key = S64_MIN;
	}
	return search;
}

void *vex_search_query(struct vex_search *search, u32 query)
{
	return search->queries[query].raw;
}

bool vex_search_linear(const struct vex_search *search)
{
	return search->shape.metric == VEX_METRIC_L2 ||
	       search->shape.metric == VEX_METRIC_L1;
}

/*
 * Differences need one unit for rows and queries; products do not, so there a
 * query has the unit that suits it.
 */
s32 vex_query_unit(const struct vex_search *search,
		   const struct vex_query *query)
{
	if (vex_search_linear(search))
		return search->scale.unit;
	return query->top + 1 - (s32)VEX_BITS;
}

/* What products need to know of a query's values. */
static void sum_up(struct vex_query *query, const s64 *values, u32 count,
		   vex_u128 *sum)
{
	u32 i;

	for (i = 0; i < count; i++) {
		s64 v = values[i];

		query->square += (vex_u128)((vex_s128)v * v);
		*sum += (u64)(v < 0 ? -v : v);
	}
}

/* Bring a query to the present scale. */
static void fix_query(struct vex_search *search, struct vex_query *query)
{
	vex_u128 sum = 0;
	u32 first, count;

	/* Differences of bytes are summed up as such. */
	if (search->bytes && vex_search_linear(search))
		return;
	query->rounded = false;
	query->square = 0;
	query->coarse.square = 0;
	for (first = 0; first < search->shape.dim; first += count) {
		s64 *values = query->fixed ? query->fixed + first : search->q;

		count = min_t(u32, search->shape.dim - first, VEX_BLOCK);
		if (!vex_fixed_round(search->shape.query_type,
				     query->raw + first * search->query_width,
				     count, vex_query_unit(search, query),
				     values))
			query->rounded = true;
		if (!vex_search_linear(search))
			sum_up(query, values, count, &sum);
		if (!search->batched || !query->coarse.pairs)
			continue;
		memcpy(search->q, values, count * sizeof(*values));
		query->coarse.square += vex_coarse_query(search->q, count,
			query->coarse.pairs + first / 2);
	}
	query->sum_bits = vex_bits128(sum);
	if (query->square)
		query->root = vex_root_reciprocal(query->square);
}

void vex_search_choose_scale(struct vex_search *search, s32 top)
{
	u32 i;

	if (vex_search_linear(search))
		for (i = 0; i < search->shape.queries; i++)
			top = max(top, search->queries[i].top);
	vex_scale_build(&search->scale, search->shape.type, top);
	for (i = 0; i < search->shape.queries; i++) {
		search->queries[i].limit_key = S64_MIN;
		if (vex_search_linear(search))
			fix_query(search, &search->queries[i]);
	}
}

void vex_search_batch(struct vex_search *search)
{
	u32 i;

	search->batched = true;
	for (i = 0; i < search->shape.queries; i++) {
		search->queries[i].limit_key = S64_MIN;
		fix_query(search, &search->queries[i]);
	}
}

/* The forms of a query of bytes for rows of bytes. */
static void prepare_bytes(struct vex_search *search, struct vex_query *query)
{
	bool is_signed = search->shape.type == VEX_TYPE_I8;
	bool l2 = search->shape.metric == VEX_METRIC_L2;
	bool l1 = search->shape.metric == VEX_METRIC_L1;
	const u8 *raw = query->raw;
	/* L2 is of the flipped bytes, products are of true values. */
	s32 shift = l2 && is_signed ? 128 : 0;
	u32 dim = search->shape.dim;
	u64 square = 0;
	s64 sum = 0;
	u32 first, i;

	for (first = 0; first < dim; first += 8) {
		u32 count = min_t(u32, dim - first, 8);
		s32 values[8] = { 0 };

		if (first % VEX_BYTES_STEP == 0)
			query->prefix[first / VEX_BYTES_STEP] = square;
		for (i = 0; i < count; i++) {
			s32 value = raw[first + i];

			if (is_signed)
				value = (s8)value;
			sum += value;
			values[i] = value + shift;
			square += (u64)(values[i] * values[i]);
			if (l1)
				((u8 *)query->lanes)[first + i] =
					raw[first + i] ^ (u8)search->flip;
		}
		if (!l1)
			vex_bytes_lanes(values, query->lanes + first / 2);
	}
	query->prefix[(dim - 1) / VEX_BYTES_STEP + 1] = square;
	query->byte_sum = sum;
	query->byte_square = square;
}

int vex_search_prepare(struct vex_search *search, u32 *bad)
{
	s32 top = VEX_TOP_MIN;
	u32 i;

	for (i = 0; i < search->shape.queries; i++) {
		struct vex_query *query = &search->queries[i];

		if (vex_elements_check(search->shape.query_type, query->raw,
				       search->shape.dim) >= 0) {
			if (bad)
				*bad = i;
			return -EINVAL;
		}
		query->top = vex_elements_top(search->shape.query_type,
					      query->raw, search->shape.dim);
		top = max(top, query->top);
	}
	/* Rows tend to be somewhat like queries: leave them two bits. */
	vex_search_choose_scale(search, min(top + 2, 127));
	for (i = 0; i < search->shape.queries; i++) {
		struct vex_query *query = &search->queries[i];

		if (!vex_search_linear(search))
			fix_query(search, query);
		if (search->bytes)
			prepare_bytes(search, query);
	}
	return 0;
}
