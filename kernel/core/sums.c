// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The inner loops of distance computation in fixed point. They must stay
 * short: each line of them is paid for once an element of every row scanned.
 */
#include "sums.h"

/* The squares and products of 58-bit values need the wide multiplication. */
static __always_inline void add_value(struct vex_sums *sums, const u32 metric,
				      s64 x, s64 q)
{
	s64 d = x - q;

	switch (metric) {
	case VEX_METRIC_L2:
		sums->main += (vex_u128)((vex_s128)d * d);
		break;
	case VEX_METRIC_COSINE:
		sums->square += (vex_u128)((vex_s128)x * x);
		fallthrough;
	case VEX_METRIC_IP:
		sums->main += (vex_u128)((vex_s128)x * q);
		break;
	default:
		sums->main += (u64)(d < 0 ? -d : d);
	}
}

static __always_inline void add_values(struct vex_sums *sums, const u32 metric,
				       const s64 *x, const s64 *q, u32 count)
{
	struct vex_sums local = *sums;
	size_t i;

	VEX_UNROLL(4)
	for (i = 0; i < count; i++)
		add_value(&local, metric, x[i], q[i]);
	*sums = local;
}

void vex_sums_add(struct vex_sums *sums, u32 metric, const s64 *x,
		  const s64 *q, u32 count)
{
	switch (metric) {
	case VEX_METRIC_L2:
		add_values(sums, VEX_METRIC_L2, x, q, count);
		break;
	case VEX_METRIC_IP:
		add_values(sums, VEX_METRIC_IP, x, q, count);
		break;
	case VEX_METRIC_COSINE:
		add_values(sums, VEX_METRIC_COSINE, x, q, count);
		break;
	default:
		add_values(sums, VEX_METRIC_L1, x, q, count);
	}
}

/* Decode the element at data, which is of a constant type: f32 or f16. */
static __always_inline u64 decode(const struct vex_scale *scale,
				  const u32 type, const u8 *data)
{
	u64 b = type == VEX_TYPE_F32 ? vex_load_le32(data) : vex_load_le16(data);
	u64 index = b >> (type == VEX_TYPE_F32 ? 23 : 10);

	return b * scale->mul[index] + scale->add[index];
}

static __always_inline size_t width_of(const u32 type)
{
	return type == VEX_TYPE_F32 ? 4 : 2;
}

static __always_inline void add_floats(struct vex_sums *sums, const u32 metric,
				       const u32 type,
				       const struct vex_scale *scale,
				       const u8 *row, const s64 *q, u32 count)
{
	struct vex_sums local = *sums;
	size_t i;

	VEX_UNROLL(2)
	for (i = 0; i < count; i++) {
		u64 v = decode(scale, type, row + width_of(type) * i);

		local.seen |= v;
		add_value(&local, metric, (s64)v, q[i]);
	}
	*sums = local;
}

static __always_inline void add_type(struct vex_sums *sums, u32 metric,
				     const u32 type,
				     const struct vex_scale *scale,
				     const u8 *row, const s64 *q, u32 count)
{
	switch (metric) {
	case VEX_METRIC_L2:
		add_floats(sums, VEX_METRIC_L2, type, scale, row, q, count);
		break;
	case VEX_METRIC_IP:
		add_floats(sums, VEX_METRIC_IP, type, scale, row, q, count);
		break;
	case VEX_METRIC_COSINE:
		add_floats(sums, VEX_METRIC_COSINE, type, scale, row, q, count);
		break;
	default:
		add_floats(sums, VEX_METRIC_L1, type, scale, row, q, count);
	}
}

void vex_sums_add_floats(struct vex_sums *sums, u32 metric, u32 type,
			 const struct vex_scale *scale, const void *row,
			 const s64 *q, u32 count)
{
	if (type == VEX_TYPE_F32)
		add_type(sums, metric, VEX_TYPE_F32, scale, row, q, count);
	else
		add_type(sums, metric, VEX_TYPE_F16, scale, row, q, count);
}

static __always_inline u64 high_half(s64 a, s64 b)
{
	return (u64)((vex_s128)a * b >> 64);
}

static __always_inline void peek_step(struct vex_peek *peek, const u32 metric,
				      const u32 type,
				      const struct vex_scale *scale,
				      const u8 *row, const s64 *q, u32 count)
{
	struct vex_peek local = *peek;
	size_t i;

	VEX_UNROLL(2)
	for (i = 0; i < count; i++) {
		s64 v = (s64)decode(scale, type, row + width_of(type) * i);

		if (metric == VEX_METRIC_L2) {
			local.square += high_half(v - q[i], v - q[i]);
			continue;
		}
		local.product += high_half(v, q[i]);
		if (metric == VEX_METRIC_COSINE)
			local.square += high_half(v, v);
		else
			local.seen |= (u64)v;
	}
	*peek = local;
}

/* Ask for the cache lines of one step of the row that lies after this one. */
static __always_inline void prefetch_step(const u8 *next, const u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i += 64)
		__builtin_prefetch(next + i);
}

static __always_inline bool peek_row(struct vex_peek *peek, const u32 metric,
				     const u32 type,
				     const struct vex_scale *scale,
				     const u8 *row, const s64 *q, u32 dim,
				     u64 enough)
{
	const size_t width = width_of(type);
	u64 before;
	u32 first;

	for (first = 0; first < dim; first += VEX_PEEK_STEP) {
		const u8 *at = row + width * first;

		before = peek->square;
		prefetch_step(at + width * dim, VEX_PEEK_STEP * width);
		if (dim - first >= VEX_PEEK_STEP)
			peek_step(peek, metric, type, scale, at, q + first,
				  VEX_PEEK_STEP);
		else
			peek_step(peek, metric, type, scale, at, q + first,
				  dim - first);
		if (unlikely(peek->square - before > VEX_PEEK_LARGE ||
			     peek->seen & VEX_MARK_LARGE))
			return false;
		if (metric == VEX_METRIC_L2 && peek->square > enough)
			return true;
	}
	return metric != VEX_METRIC_L2;
}

static __always_inline bool peek_type(struct vex_peek *peek, u32 metric,
				      const u32 type,
				      const struct vex_scale *scale,
				      const u8 *row, const s64 *q, u32 dim,
				      u64 enough)
{
	switch (metric) {
	case VEX_METRIC_L2:
		return peek_row(peek, VEX_METRIC_L2, type, scale, row, q, dim,
				enough);
	case VEX_METRIC_COSINE:
		return peek_row(peek, VEX_METRIC_COSINE, type, scale, row, q,
				dim, enough);
	default:
		return peek_row(peek, VEX_METRIC_IP, type, scale, row, q, dim,
				enough);
	}
}

bool vex_peek(struct vex_peek *peek, u32 metric, u32 type,
	      const struct vex_scale *scale, const void *row, const s64 *q,
	      u32 dim, u64 enough)
{
	peek->square = 0;
	peek->product = 0;
	peek->seen = 0;
	if (type == VEX_TYPE_F32)
		return peek_type(peek, metric, VEX_TYPE_F32, scale, row, q, dim,
				 enough);
	return peek_type(peek, metric, VEX_TYPE_F16, scale, row, q, dim,
			 enough);
}
