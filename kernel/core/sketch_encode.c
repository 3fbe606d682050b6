// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Rows as integers, and their codes: docs/search.md, "Quantiser".
 */
#include "root.h"
#include "sketch_types.h"

/* Rounds in which a code's step is fitted to the row. */
#define FITS 3u

u64 vex_sketch_root(u64 value)
{
	u64 bit = 1ull << 60;
	u64 root = 0;
	u64 rest = value;

	while (bit > value)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (rest >= root + bit) {
			rest -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return root + !!rest;
}

u64 vex_sketch_slack(const struct vex_sketch *sketch)
{
	u64 root = vex_sketch_root(64ull * sketch->words);
	u64 slack = root;

	if (sketch->metric == VEX_METRIC_COSINE)
		slack += root + 4;
	return slack + 2 * root * sketch->rounds;
}

/*
 * value * 2^(exponent - unit), rounded. Values are below 2^24; what should be
 * 2^30 or more becomes some number that is.
 */
static __always_inline u64 shifted(u64 value, s32 exponent, s32 unit)
{
	s32 shift = unit - exponent + VEX_SKETCH_ELEMENT_LOG;

	shift = shift < 0 ? 0 : shift > 63 ? 63 : shift;
	return ((value << (VEX_SKETCH_ELEMENT_LOG + 1) >> shift) + 1) >> 1;
}

static __always_inline u64 fixed_elements(const u32 type, const void *data,
					  u32 count, s32 unit, s32 *out)
{
	const u8 *bytes = data;
	u64 seen = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		u64 magnitude;
		s32 sign;

		if (type == VEX_TYPE_F32) {
			u32 b = vex_load_le32(bytes + 4 * (size_t)i);
			u32 e = b >> 23 & 255;

			magnitude = shifted((b & 0x7fffff) | (u32)!!e << 23,
					    (s32)(e + !e) - 150, unit);
			sign = -(s32)(b >> 31);
		} else if (type == VEX_TYPE_F16) {
			u32 b = vex_load_le16(bytes + 2 * (size_t)i);
			u32 e = b >> 10 & 31;

			magnitude = shifted((b & 0x3ff) | (u32)!!e << 10,
					    (s32)(e + !e) - 25, unit);
			sign = -(s32)(b >> 15);
		} else {
			sign = -(s32)(type == VEX_TYPE_I8 && bytes[i] & 0x80);
			magnitude = shifted(sign ? 256u - bytes[i] : bytes[i],
					    0, unit);
		}
		seen |= magnitude;
		magnitude = min_t(u64, magnitude,
				  1ull << VEX_SKETCH_ELEMENT_LOG);
		out[i] = ((s32)magnitude ^ sign) - sign;
	}
	return seen;
}

bool vex_sketch_fixed(u32 type, const void *data, u32 count, s32 unit,
		      s32 *out)
{
	u64 seen;

	if (type == VEX_TYPE_F32)
		seen = fixed_elements(VEX_TYPE_F32, data, count, unit, out);
	else
		seen = fixed_elements(type, data, count, unit, out);
	return !(seen >> VEX_SKETCH_ELEMENT_LOG);
}

s32 vex_sketch_top(u32 type, const void *data, u32 count)
{
	u32 largest = vex_elements_largest(type, data, count);

	if (!largest)
		return S32_MIN;
	if (!(largest >> 23))
		return (s32)fls64(largest) - 150;
	return (s32)(largest >> 23) - 127;
}

/* Make a vector's norm 2^VEX_SKETCH_NORM_LOG. */
static void normalise(u32 type, const void *data, u32 dim, s32 *out)
{
	s32 top = vex_sketch_top(type, data, dim);
	struct vex_root root;
	u64 square = 0;
	s64 factor, round;
	s32 shift;
	u32 i;

	if (top == S32_MIN) {
		memset(out, 0, dim * sizeof(*out));
		return;
	}
	/* Elements below 2^24, the largest of at least 2^23. */
	vex_sketch_fixed(type, data, dim, top - 23, out);
	for (i = 0; i < dim; i++)
		square += (u64)((s64)out[i] * out[i]);
	root = vex_root_reciprocal(square);
	factor = (s64)(root.mantissa >> 32);
	shift = -(root.exponent + 32 + VEX_SKETCH_NORM_LOG);
	round = 1ll << (shift - 1);
	for (i = 0; i < dim; i++)
		out[i] = (s32)((out[i] * factor + round) >> shift);
}

bool vex_sketch_vector(const struct vex_sketch *sketch, u32 type,
		       const void *data, s32 *out)
{
	memset(out + sketch->dim, 0,
	       (64 * sketch->words - sketch->dim) * sizeof(*out));
	if (sketch->metric == VEX_METRIC_COSINE) {
		normalise(type, data, sketch->dim, out);
		return true;
	}
	return vex_sketch_fixed(type, data, sketch->dim, sketch->unit, out);
}

bool vex_sketch_centred(const struct vex_sketch *sketch, const s32 *centre,
			s32 *x, u64 *square)
{
	u64 seen = 0;
	u32 i, end;

	*square = 0;
	for (i = 0; i < sketch->dim;) {
		/* 64 squares below 2^52: no overflow. */
		for (end = min_t(u32, i + 64, sketch->dim); i < end; i++) {
			s64 v = (s64)x[i] - centre[i];

			x[i] = (s32)v;
			seen |= (u64)(v ^ v >> 63);
			*square += (u64)(v * v);
		}
		if ((seen | *square >> (VEX_SKETCH_SQUARE_LOG / 2)) >>
		    (VEX_SKETCH_SQUARE_LOG / 2))
			return false;
	}
	return true;
}

struct vex_sketch_scratch
vex_sketch_divide_scratch(const struct vex_sketch *sketch, void *memory)
{
	struct vex_sketch_scratch scratch;
	u32 count = 64 * sketch->words;

	scratch.work = memory;
	scratch.x = (s32 *)(scratch.work + VEX_SKETCH_BLOCK / 2);
	scratch.codes = (u8 *)(scratch.x + count);
	return scratch;
}

size_t vex_sketch_scratch_bytes(const struct vex_sketch *sketch)
{
	return VEX_SKETCH_BLOCK / 2 * sizeof(u64) +
	       64ul * sketch->words * (sizeof(s32) + 1);
}

/*
 * Sums over a code's odd integers v: of y v and of v v. The planes of a code
 * are those of (v + 2^bits - 1) / 2.
 */
struct code_sums {
	s64 product;
	u64 square;
};

/* Code y by steps of 2^32 / reciprocal. */
static __always_inline struct code_sums
code(const s32 *y, u32 count, u32 bits, u64 reciprocal, u8 *codes)
{
	struct code_sums sums = { 0, 0 };
	s64 half = 1ll << (bits - 1);
	u32 i;

	for (i = 0; i < count; i++) {
		s64 u = ((s64)y[i] * (s64)reciprocal >> 32) + half;
		s64 v;

		u = u < 0 ? 0 : u >= 2 * half ? 2 * half - 1 : u;
		v = 2 * u + 1 - 2 * half;
		sums.product += y[i] * v;
		sums.square += (u64)(v * v);
		codes[i] = (u8)u;
	}
	return sums;
}

/* The sums of the first planes of a code alone. */
static struct code_sums coarse_sums(const s32 *y, u32 count, u32 bits,
				    u32 coarse_bits, const u8 *codes)
{
	struct code_sums sums = { 0, 0 };
	s64 last = (1ll << coarse_bits) - 1;
	u32 i;

	for (i = 0; i < count; i++) {
		s64 v = 2 * (s64)(codes[i] >> (bits - coarse_bits)) - last;

		sums.product += y[i] * v;
		sums.square += (u64)(v * v);
	}
	return sums;
}

/*
 * Choose the step: start from the best one for a normal distribution, and take
 * the least squares' step of each code for the next one.
 */
static struct code_sums fit(const s32 *y, u32 count, u32 bits, u64 square,
			    u8 *codes, u64 *reciprocal)
{
	/* 256 times the best step of a normal deviate (Max, 1960). */
	static const u32 steps[] = { 0, 409, 255, 150, 86 };
	u64 step = div64_u64(vex_sketch_root(square) * steps[bits] << 8,
			     vex_sketch_root((u64)count << 16));
	struct code_sums sums;
	u32 i;

	for (i = 0;; i++) {
		/* In units of 2^-8. */
		step = step < 256 ? 256 : step;
		*reciprocal = div64_u64(1ull << 40, step);
		sums = code(y, count, bits, *reciprocal, codes);
		if (i == FITS || bits == 1)
			return sums;
		if (sums.product > 0)
			step = div64_u64((u64)sums.product << 9, sums.square);
	}
}

/* The scale with which a code and its row have the row's square as product. */
static u64 unbiased(u64 square, const struct code_sums *sums)
{
	u64 scale = 2;

	if (sums->product > 0)
		scale = div64_u64(square << VEX_SKETCH_SCALE_UNIT,
				  (u64)sums->product) & ~1ull;
	return scale < 2 ? 2 : scale;
}

/*
 * The error of one look by a scale, and what the norm may be at most for it: A
 * row's square Y, plus the product P of row and error twice, is what the look's
 * bound is made of, and the bound takes P for zero. So the norm is
 * Y + 2 P - 2 |P|. False if they do not fit.
 */
static bool factors(u64 square, const struct code_sums *sums, u64 scale,
		    u32 *error, s64 *norm)
{
	const u32 unit = VEX_SKETCH_SCALE_UNIT;
	vex_s128 length, product, whole, rest;
	s64 most;

	if (scale >> 31)
		return false;
	/* All in squares of 2^-unit units. */
	length = (vex_s128)((vex_u128)(scale * scale) * sums->square);
	product = (vex_s128)sums->product * (s64)scale * (1 << unit);
	whole = (vex_s128)((vex_u128)square << (2 * unit));
	rest = length + whole - 2 * product;
	if (product < whole)
		whole = 4 * product - 3 * whole;
	most = (s64)(whole >> (2 * unit + VEX_SKETCH_NORM_UNIT));
	*norm = most < *norm ? most : *norm;
	rest = (rest >> (2 * unit)) + 1;
	if (rest >> VEX_SKETCH_SQUARE_LOG)
		return false;
	*error = (u32)(vex_sketch_root((u64)rest) >> VEX_SKETCH_ERROR_UNIT) + 1;
	return *error >> 16 == 0;
}

/* The nearest scale whose lowest bits say what the tail's is. */
static u64 tailed_scale(u64 scale, u64 whole_scale, u32 tail_bits)
{
	const u64 mask = VEX_SKETCH_TAIL_LOW;
	u64 part = div64_u64((whole_scale << (12 + tail_bits)) + scale / 2,
			     scale);
	u64 low = part < VEX_SKETCH_TAIL_SCALE ? 0 :
		  min_t(u64, part - VEX_SKETCH_TAIL_SCALE, mask);

	/* Not zero, which would be a mark. */
	low = scale <= mask && !low ? 1 : low;
	scale += mask / 2 + 1;
	scale -= scale < low ? 0 : low;
	return (scale & ~mask) | low;
}

/* Some planes of codes, from the one of a bit downwards. */
static void write_planes(const struct vex_sketch *sketch, const u8 *codes,
			 u32 bit, u32 count, __le64 *planes)
{
	u32 w;

	for (; count; count--, bit--)
		for (w = 0; w < sketch->words; w++)
			*planes++ = cpu_to_le64(
				vex_sketch_plane(codes + 64 * w, bit));
}

/* Where a row's code goes: the planes and the byte may be NULL together. */
struct place {
	struct vex_sketch_record *record;
	__le64 *tail;
	u8 *tail_part;
};

/* The record of a centred and rotated row; false if it does not fit. */
static bool encode(const struct vex_sketch *sketch, u64 square,
		   const struct vex_sketch_scratch *scratch,
		   const struct place *place)
{
	u32 used = sketch->rounds ? 64 * sketch->words : sketch->dim;
	u32 bits = sketch->bits + sketch->tail_bits;
	struct vex_sketch_record *record = place->record;
	u32 coarse_error, error, whole_error = 0;
	struct code_sums sums, whole, coarse;
	u64 coarse_scale, scale, reciprocal;
	s64 norm = S64_MAX;

	memset(scratch->codes + used, 0, 64 * sketch->words - used);
	sums = fit(scratch->x, used, sketch->bits, square, scratch->codes,
		   &reciprocal);
	scale = unbiased(square, &sums);
	if (sketch->tail_bits) {
		/* The same steps in parts, so its first planes are the same. */
		whole = code(scratch->x, used, bits,
			     reciprocal << sketch->tail_bits, scratch->codes);
		scale = tailed_scale(scale, unbiased(square, &whole),
				     sketch->tail_bits);
		if (!factors(square, &whole,
			     vex_sketch_tail_scale(scale, sketch->tail_bits),
			     &whole_error, &norm))
			return false;
	}
	coarse = coarse_sums(scratch->x, used, bits, sketch->coarse_bits,
			     scratch->codes);
	coarse_scale = unbiased(square, &coarse);
	if (!factors(square, &sums, scale, &error, &norm) ||
	    !factors(square, &coarse, coarse_scale, &coarse_error, &norm))
		return false;
	/* A tail makes it less; if not, both are given the greater. */
	error = error < whole_error ? whole_error : error;
	if (sketch->metric == VEX_METRIC_IP)
		norm = (s64)(vex_sketch_root(square) +
			     vex_sketch_slack(sketch));
	record->norm = cpu_to_le32((u32)norm);
	record->coarse_scale = cpu_to_le32((u32)coarse_scale);
	record->scale = cpu_to_le32((u32)scale);
	record->coarse_error = cpu_to_le16((u16)coarse_error);
	record->error = cpu_to_le16((u16)error);
	write_planes(sketch, scratch->codes, bits - 1, sketch->bits,
		     record->planes);
	if (!place->tail_part)
		return true;
	write_planes(sketch, scratch->codes, sketch->tail_bits - 1,
		     sketch->tail_bits, place->tail);
	*place->tail_part = (u8)((whole_error * 256 + error - 1) / error - 1);
	return true;
}

static bool encode_row(const struct vex_sketch *sketch, const s32 *centre,
		       const void *row, const struct place *place,
		       void *scratch)
{
	struct vex_sketch_scratch pieces =
		vex_sketch_divide_scratch(sketch, scratch);
	u64 square;
	u32 i;

	if (!vex_sketch_vector(sketch, sketch->type, row, pieces.x) ||
	    !vex_sketch_centred(sketch, centre, pieces.x, &square))
		return false;
	if (sketch->rounds) {
		vex_sketch_rotate(sketch, pieces.x, pieces.work);
		square = 0;
		for (i = 0; i < 64 * sketch->words; i++)
			square += (u64)((s64)pieces.x[i] * pieces.x[i]);
	}
	return encode(sketch, square, &pieces, place);
}

bool vex_sketch_encode(const struct vex_sketch *sketch, const s32 *centre,
		       const void *row, void *record, void *scratch)
{
	struct place place = { .record = record };

	if (encode_row(sketch, centre, row, &place, scratch))
		return true;
	memset(record, 0, sketch->record_bytes);
	return false;
}

static u8 *tail_in(const struct vex_sketch *sketch, void *page, u32 index)
{
	return (u8 *)page + sketch->per_page * sketch->record_bytes +
	       index * sketch->tail_bytes;
}

static u8 *tail_part_in(const struct vex_sketch *sketch, void *page, u32 index)
{
	return tail_in(sketch, page, sketch->per_page) + index;
}

bool vex_sketch_encode_page(const struct vex_sketch *sketch, const s32 *centre,
			    const void *row, void *page, u32 index,
			    void *scratch)
{
	struct place place = {
		.record = (void *)((u8 *)page + index * sketch->record_bytes),
	};

	if (sketch->tail_bits) {
		place.tail = (__le64 *)tail_in(sketch, page, index);
		place.tail_part = tail_part_in(sketch, page, index);
	}
	if (encode_row(sketch, centre, row, &place, scratch))
		return true;
	memset(place.record, 0, sketch->record_bytes);
	if (sketch->tail_bits) {
		memset(place.tail, 0, sketch->tail_bytes);
		*place.tail_part = 0;
	}
	return false;
}

void vex_sketch_copy_page(const struct vex_sketch *sketch, void *to,
			  const void *from, u32 first, u32 count)
{
	/* The same places in both pages. */
	size_t record = first * sketch->record_bytes;
	size_t tail = (size_t)(tail_in(sketch, to, first) - (u8 *)to);
	size_t part = (size_t)(tail_part_in(sketch, to, first) - (u8 *)to);

	memcpy((u8 *)to + record, (const u8 *)from + record,
	       count * sketch->record_bytes);
	if (!sketch->tail_bits)
		return;
	memcpy((u8 *)to + tail, (const u8 *)from + tail,
	       count * sketch->tail_bytes);
	memcpy((u8 *)to + part, (const u8 *)from + part, count);
}

void vex_sketch_fine(const struct vex_sketch *sketch, const s32 *centre,
		     const void *row, u8 *elements, void *scratch)
{
	struct vex_sketch_scratch pieces =
		vex_sketch_divide_scratch(sketch, scratch);
	u64 factor = div64_u64(1ull << 32, sketch->fine_step);
	bool about_zero = sketch->metric == VEX_METRIC_IP;
	u32 i;

	vex_sketch_vector(sketch, sketch->type, row, pieces.x);
	for (i = 0; i < sketch->dim; i++) {
		s64 v = pieces.x[i] - (about_zero ? 0 : (s64)centre[i]);

		v = ((v * (s64)factor + (1ll << 31)) >> 32) + 64;
		elements[i] = (u8)(v < 0 ? 0 : v > 127 ? 127 : v);
	}
}

void vex_sketch_set_dead(void *record)
{
	struct vex_sketch_record *r = record;
	u8 *lowest = (u8 *)&r->coarse_scale;

	WRITE_ONCE(*lowest, READ_ONCE(*lowest) | 1);
}

bool vex_sketch_is_dead(const void *record)
{
	const struct vex_sketch_record *r = record;

	return le32_to_cpu(r->coarse_scale) & 1;
}

bool vex_sketch_is_marked(const void *record)
{
	const struct vex_sketch_record *r = record;

	return !r->scale;
}
