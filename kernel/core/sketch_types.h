/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Records and queries from the inside. Only the rooms of the sketches include
 * this. docs/search.md explains the arithmetic; "units" are multiples of
 * 2^unit, of the file's configuration.
 */
#ifndef VEX_SKETCH_TYPES_H
#define VEX_SKETCH_TYPES_H

#include "fixed.h"
#include "sketch.h"

/* A row or query fits if it is shorter than 2^26 units, centred. */
#define VEX_SKETCH_SQUARE_LOG 52u
/* The sample's longest row is made shorter than 2^24 units. */
#define VEX_SKETCH_NORM_LOG 24
/* An element fits if its magnitude is below 2^30 units. */
#define VEX_SKETCH_ELEMENT_LOG 30

/* Units of the stored factors, as powers of two. */
#define VEX_SKETCH_NORM_UNIT 21		/* of squared units */
#define VEX_SKETCH_SCALE_UNIT 5		/* scale: 1 / 2^5 units */
#define VEX_SKETCH_ERROR_UNIT 10	/* errors: 2^10 units */

/* The rotation works on blocks of up to so many elements. */
#define VEX_SKETCH_BLOCK 512u
#define VEX_SKETCH_ROUNDS_MAX 4u

/* The least score and bound that are given out. */
#define VEX_SKETCH_SCORE_MIN (S64_MIN / 8)

/**
 * struct vex_sketch_record - a row's sketch, as stored
 * @norm: L2 and cosine: a bound below the squared norm of the row, and below
 *	what it is by each of its codes. Inner product: norm of the row, rounded
 *	up, in units
 * @coarse_scale: as @scale, of the first coarse_bits planes alone; its lowest
 *	bit says that the row was deleted
 * @scale: half the step of the code; 0: the row did not fit. If there is a
 *	tail, the lowest bits say besides what the scale of the whole code is:
 *	vex_sketch_tail_scale()
 * @coarse_error: as @error, of the first coarse_bits planes
 * @error: norm of the difference of row and code, rounded up
 * @planes: bits planes of words le64, the most significant first
 */
struct vex_sketch_record {
	__le32 norm;
	__le32 coarse_scale;
	__le32 scale;
	__le16 coarse_error;
	__le16 error;
	__le64 planes[];
};

VEX_ASSERT_SIZE(struct vex_sketch_record, 16);

/*
 * With its tail a code has the scale of the record, as its bits divide it, times
 * the lowest bits of that and this, in 2^12.
 */
#define VEX_SKETCH_TAIL_LOW ((1u << 10) - 1)
#define VEX_SKETCH_TAIL_SCALE 3328u

/**
 * vex_sketch_tail_scale - the scale of a record's code and its tail together
 * @scale: of the record
 * @tail_bits: of the tail
 *
 * Return: the scale.
 */
static inline u64 vex_sketch_tail_scale(u64 scale, u32 tail_bits)
{
	return scale * (VEX_SKETCH_TAIL_SCALE + (scale & VEX_SKETCH_TAIL_LOW)) >>
	       (12 + tail_bits);
}

/**
 * vex_sketch_tail_error - norm of what a record and its tail make of a row's
 *	error
 * @error: of the record
 * @part: the tail's byte: one less than parts in 256
 *
 * Return: the norm, in the same unit, rounded up.
 */
static inline u64 vex_sketch_tail_error(u64 error, u32 part)
{
	return (error * (part + 1) + 255) >> 8;
}

/**
 * struct vex_sketch_query - a prepared query
 * @metric: of the file
 * @bits: planes of a record
 * @coarse_bits: planes of the first look
 * @tail_bits: planes of a tail
 * @words: words of a plane
 * @record_bytes: of a record
 * @tail_bytes: of a tail's planes
 * @per_page: records in a page
 * @query_bits: planes of the query
 * @shift: left shift that makes products of scales and codes scores
 * @norm_factor: factor of a record's norm in a score
 * @norm_bound: factor of a record's norm in a bound
 * @error_bound: factor of a record's error in a bound
 * @error_slope: what a norm takes from @error_bound, in 2^-16
 * @limit: the greatest bound that passes
 * @near: of vex_sketch_near_scores(): limits below this are worth smaller bounds
 * @coarse_offset: what twice a coarse code's sum of products is diminished by
 * @offset: the same for a whole code
 * @tail_offset: the same for a whole code and its tail
 * @per_norm: a norm unit (2^VEX_SKETCH_NORM_UNIT squared units) in scores,
 *	rounded down
 * @unit: exponent that makes squared units distances
 * @root_dim: 256 times the root of the number of elements, at least 256
 * @norm: norm of the query as it is coded, rounded up
 * @square: its square, rounded down
 * @error: norm of what coding changed in it, rounded up
 * @slack: how much rounding to units and the rotation may have changed the
 *	distance of any row
 * @centre_product: inner product: twice the product with the centre
 * @centre_slack: inner product: what that may be wrong by
 * @tables: for each byte of a plane 256 sums of the query's elements, or NULL
 * @open: there is no limit
 * @popcnt: the processor has the instruction
 * @planes: for each word @query_bits u64, the least significant first; the
 *	last is negative, as in two's complement
 */
struct vex_sketch_query {
	u32 metric;
	u32 bits;
	u32 coarse_bits;
	u32 tail_bits;
	u32 words;
	u32 record_bytes;
	u32 tail_bytes;
	u32 per_page;
	u32 query_bits;
	u32 shift;
	s64 norm_factor;
	s64 norm_bound;
	s64 error_bound;
	s64 error_slope;
	s64 limit;
	s64 near;
	s64 coarse_offset;
	s64 offset;
	s64 tail_offset;
	u64 per_norm;
	s32 unit;
	u32 root_dim;
	u64 norm;
	u64 square;
	u64 error;
	u64 slack;
	vex_s128 centre_product;
	u64 centre_slack;
	const u32 *tables;
	bool open;
	bool popcnt;
	u64 planes[];
};

/**
 * vex_sketch_error_bound - factor of a record's error in a bound
 * @query: with its limit
 * @norm: of the record
 *
 * Return: the factor.
 */
static inline u64 vex_sketch_error_bound(const struct vex_sketch_query *query,
					 s64 norm)
{
	return (u64)query->error_bound -
	       (u64)(norm * query->error_slope >> 16);
}

/**
 * vex_sketch_complete - compute the fields that follow from the stored ones
 * @sketch: with its first nine fields set, within their limits
 */
void vex_sketch_complete(struct vex_sketch *sketch);

/**
 * vex_sketch_root - square root, rounded up
 * @value: below 2^62
 *
 * Return: the least integer whose square is not below @value.
 */
u64 vex_sketch_root(u64 value);

/**
 * vex_sketch_slack - what rounding and rotation do to a vector at most
 * @sketch: the configuration
 *
 * Return: a bound of the norm of the change, in units.
 */
u64 vex_sketch_slack(const struct vex_sketch *sketch);

/**
 * vex_sketch_fixed - elements as integers
 * @type: element type
 * @data: @count finite elements
 * @count: how many
 * @unit: what an integer stands for
 * @out: receives the integers, rounded to nearest
 *
 * Return: true if all are below 2^VEX_SKETCH_ELEMENT_LOG.
 */
bool vex_sketch_fixed(u32 type, const void *data, u32 count, s32 unit,
		      s32 *out);

/**
 * vex_sketch_top - exponent of the largest element's leading bit
 * @type: element type
 * @data: @count elements
 * @count: how many
 *
 * Return: the exponent; S32_MIN if all are zero.
 */
s32 vex_sketch_top(u32 type, const void *data, u32 count);

/**
 * vex_sketch_vector - a row or query in units, normalised for cosine
 * @sketch: the configuration
 * @type: element type
 * @data: dim elements
 * @out: receives 64 * words integers, the last ones zero
 *
 * Return: true unless an element does not fit.
 */
bool vex_sketch_vector(const struct vex_sketch *sketch, u32 type,
		       const void *data, s32 *out);

/**
 * vex_sketch_centred - subtract the centre
 * @sketch: the configuration
 * @centre: its centre
 * @x: of vex_sketch_vector()
 * @square: receives the sum of squares
 *
 * Return: true unless the difference is too long to fit.
 */
bool vex_sketch_centred(const struct vex_sketch *sketch, const s32 *centre,
			s32 *x, u64 *square);

/**
 * vex_sketch_rotate - rotate a vector in place
 * @sketch: the configuration; without rounds nothing happens
 * @x: 64 * words integers, together shorter than 2^26
 * @work: room for VEX_SKETCH_BLOCK / 2 words
 */
void vex_sketch_rotate(const struct vex_sketch *sketch, s32 *x, u64 *work);

/**
 * vex_sketch_plane - gather one bit of each of 64 bytes
 * @bytes: the bytes
 * @bit: which
 *
 * Return: the bits, the first byte's lowest.
 */
static inline u64 vex_sketch_plane(const u8 *bytes, u32 bit)
{
	u64 plane = 0;
	u32 i;

	for (i = 0; i < 64; i += 8) {
		u64 lanes = vex_load_le64(bytes + i) >> bit &
			    0x0101010101010101ull;

		plane |= (lanes * 0x0102040810204080ull >> 56) << i;
	}
	return plane;
}

/**
 * struct vex_sketch_scratch - the caller's memory, divided
 * @x: 64 * words integers
 * @work: for vex_sketch_rotate()
 * @codes: 64 * words bytes
 */
struct vex_sketch_scratch {
	s32 *x;
	u64 *work;
	u8 *codes;
};

/**
 * vex_sketch_divide_scratch - divide scratch memory
 * @sketch: the configuration
 * @memory: vex_sketch_scratch_bytes() bytes
 *
 * Return: the pieces.
 */
struct vex_sketch_scratch
vex_sketch_divide_scratch(const struct vex_sketch *sketch, void *memory);

/* What sketch_scan.h makes, with the instruction and without. */
u32 vex_sketch_scan_popcnt(const struct vex_sketch_query *query,
			   const void *records, u32 count, const void *next,
			   u64 first, struct vex_sketch_hit *hits);
u32 vex_sketch_scan_any(const struct vex_sketch_query *query,
			const void *records, u32 count, const void *next,
			u64 first, struct vex_sketch_hit *hits);
u32 vex_sketch_first_passes_popcnt(const struct vex_sketch_query *query,
				   const void *records, u32 count,
				   struct vex_sketch_hit *hits);
u32 vex_sketch_first_passes_any(const struct vex_sketch_query *query,
				const void *records, u32 count,
				struct vex_sketch_hit *hits);
bool vex_sketch_page_passes_popcnt(const struct vex_sketch_query *query,
				   const void *page, u32 index);
bool vex_sketch_page_passes_any(const struct vex_sketch_query *query,
				const void *page, u32 index);
void vex_sketch_scores_popcnt(const struct vex_sketch_query *query,
			      const void *const *records, u32 count,
			      s64 *scores, u8 *flags);
void vex_sketch_scores_any(const struct vex_sketch_query *query,
			   const void *const *records, u32 count, s64 *scores,
			   u8 *flags);
void vex_sketch_near_popcnt(const struct vex_sketch_query *query,
			    const void *const *records, u32 count, s64 *scores,
			    u8 *flags);
void vex_sketch_near_any(const struct vex_sketch_query *query,
			 const void *const *records, u32 count, s64 *scores,
			 u8 *flags);

#endif /* VEX_SKETCH_TYPES_H */
