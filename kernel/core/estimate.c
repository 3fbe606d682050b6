// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * From sums in fixed point to intervals. Errors are powers of two, kept as
 * logarithms; every step rounds them up.
 */
#include "distance_types.h"

/* Cosines are in units of 2^-60 here; their arithmetic errs by less than 2^4. */
#define COSINE_UNIT (-60)
#define COSINE_ONE 0x1000000000000000ll
#define COSINE_ERROR 0x10ll

/* Of a rounded cosine distance at most 2^-50 may be wrong. */
#define COSINE_DIGITS 50u

/* Half of value, rounded up. */
static s32 half_up(s32 value)
{
	return (value + 1) >> 1;
}

/* Logarithm of the sum of two errors. */
static s32 log_sum(s32 a, s32 b)
{
	if (a <= VEX_NO_ERROR)
		return b;
	if (b <= VEX_NO_ERROR)
		return a;
	return max(a, b) + 1;
}

static vex_u128 error_of(s32 log)
{
	return log <= VEX_NO_ERROR / 2 ? 0 : vex_power128(log);
}

/* Note what the distance is when rounded. */
static void set_nearest(struct vex_interval *out, s64 key)
{
	u64 above = (u64)(key - out->lo);

	out->nearest = above < VEX_NEAREST_MAX ? above + 1 : 0;
}

/*
 * The interval of size - error to size + error, or of their negatives, for an
 * error that is not greater. If both ends round to the same, so does what is
 * between them.
 */
static void enclose(vex_u128 size, vex_u128 error, bool negative, s32 unit,
		    struct vex_interval *out)
{
	s64 near = vex_key_scaled(size - error, negative, unit, negative);
	s64 far = vex_key_scaled(size + error, negative, unit, !negative);
	s64 key;

	out->lo = negative ? far : near;
	out->hi = negative ? near : far;
	out->nearest = 0;
	key = vex_key_nearest(size + error, negative, unit);
	if (!error || key == vex_key_nearest(size - error, negative, unit))
		set_nearest(out, key);
}

/* Keys of sum - error and sum + error, for a sum that is not negative. */
static bool around(vex_u128 sum, vex_u128 error, s32 unit,
		   struct vex_interval *out)
{
	if (sum >= error) {
		enclose(sum, error, false, unit, out);
	} else {
		out->lo = 0;
		out->hi = vex_key_scaled(sum + error, false, unit, true);
		out->nearest = 0;
	}
	return error <= sum >> 24 || !error;
}

/*
 * An error e in each difference d changes the sum of squares by at most
 * sum (2 |d| e + e^2), and by Cauchy and Schwarz sum |d| <= sqrt(n sum d^2).
 */
static s32 squares_log(const struct vex_search *search, vex_u128 sum,
		       s32 row_log, s32 query_log)
{
	s32 log = log_sum(row_log, query_log);
	s32 n = (s32)search->dim_bits;

	if (log <= VEX_NO_ERROR)
		return log;
	return log_sum(1 + log + half_up(n + (s32)vex_bits128(sum)),
		       n + 2 * log);
}

u64 vex_estimate_enough(const struct vex_search *search,
			const struct vex_query *query, s64 limit)
{
	vex_u128 sum = vex_scaled_key(limit + 1, 2 * search->scale.unit);
	vex_u128 error;

	if (sum >> 124)
		return U64_MAX;
	/*
	 * The error of sums up to 2 * sum is at most this; since the error
	 * grows as the root of the sum, greater sums are beyond anyway.
	 */
	error = error_of(squares_log(search, 2 * sum, VEX_SMALL_LOG,
				     query->rounded ? -1 : VEX_NO_ERROR));
	if (error > sum / 4)
		return U64_MAX;
	return (u64)((sum + error) >> 64) + 1;
}

/*
 * Errors e of x and f of q change the sum of products by at most
 * sum (|x| f + |q| e + e f).
 */
static bool products_interval(const struct vex_search *search,
			      const struct vex_query *query,
			      const struct vex_estimate *estimate, s32 unit,
			      struct vex_interval *out)
{
	bool negative = (vex_s128)estimate->main > 0;	/* the distance is */
	vex_u128 size = negative ? estimate->main : 0 - estimate->main;
	s32 n = (s32)search->dim_bits;
	s32 query_bits = (s32)query->sum_bits;
	s32 log = VEX_NO_ERROR;
	vex_u128 error;

	if (query_bits < n)
		query_bits = n;
	if (estimate->row_log > VEX_NO_ERROR)
		log = query_bits + estimate->row_log + 1;
	if (estimate->query_log > VEX_NO_ERROR)
		log = log_sum(log, n + (s32)VEX_BITS + estimate->query_log + 1);
	error = error_of(log);
	if (size > error) {
		enclose(size, error, negative, unit, out);
	} else {
		out->lo = vex_key_scaled(error + size, true, unit, false);
		out->hi = vex_key_scaled(error + size, false, unit, true);
		out->nearest = out->lo == out->hi;
	}
	return error <= size >> 24 || !error;
}

/* |product| times both reciprocal roots, in units of 2^-60. */
static s64 cosine_size(vex_u128 size, vex_u128 square,
		       const struct vex_root *query_root)
{
	struct vex_root root = vex_root_reciprocal(square);
	s32 exponent = (s32)vex_bits128(size) - 64;
	u64 top, value;
	s32 down;

	if (!size)
		return 0;
	top = exponent < 0 ? (u64)size << -exponent : (u64)(size >> exponent);
	value = (u64)((vex_u128)top * root.mantissa >> 64);
	value = (u64)((vex_u128)value * query_root->mantissa >> 64);
	down = -(exponent + root.exponent + query_root->exponent + 128 -
		 COSINE_UNIT);
	if (down < 0)
		return COSINE_ONE;
	value = down > 63 ? 0 : value >> down;
	return value < (u64)COSINE_ONE ? (s64)value : COSINE_ONE;
}

/*
 * With a = sqrt(n) e / |x| and b = sqrt(n) f / |q| a cosine is wrong by less
 * than 2.5 (a + b) while a and b are below 1/16.
 */
static s32 cosine_log(const struct vex_search *search,
		      const struct vex_query *query,
		      const struct vex_estimate *estimate)
{
	s32 n = (s32)search->dim_bits;
	s32 length = (s32)vex_bits128(query->square) - 1;
	s32 log = VEX_NO_ERROR;

	if (estimate->row_log > VEX_NO_ERROR)
		log = 2 + estimate->row_log +
		      half_up(n - (s32)vex_bits128(estimate->square) + 1);
	if (estimate->query_log > VEX_NO_ERROR)
		log = log_sum(log, 2 + estimate->query_log +
			      half_up(n - length));
	if (query->rounded)
		log = log_sum(log, 1 + half_up(n - length));
	return log;
}

static bool cosine_interval(const struct vex_search *search,
			    const struct vex_query *query,
			    const struct vex_estimate *estimate,
			    struct vex_interval *out)
{
	bool negative = (vex_s128)estimate->main < 0;
	vex_u128 size = negative ? 0 - estimate->main : estimate->main;
	s32 log = VEX_NO_ERROR;
	s64 cosine, error;

	out->nearest = 0;
	if (!query->square ||
	    (!estimate->square && estimate->row_log <= VEX_NO_ERROR)) {
		out->lo = (s64)VEX_DOUBLE_ONE;
		out->hi = out->lo;
		out->nearest = 1;
		return true;
	}
	if (estimate->square)
		log = cosine_log(search, query, estimate);
	if (!estimate->square || log > -4) {
		out->lo = 0;
		out->hi = (s64)VEX_DOUBLE_ONE + (1ll << 52);
		return false;
	}
	if (!size && log <= VEX_NO_ERROR) {
		out->lo = (s64)VEX_DOUBLE_ONE;
		out->hi = out->lo;
		out->nearest = 1;
		return true;
	}
	cosine = cosine_size(size, estimate->square, &query->root);
	error = COSINE_ERROR + (s64)error_of(log - COSINE_UNIT);
	if (negative)
		cosine = -cosine;
	cosine = COSINE_ONE - cosine;
	out->lo = vex_key_scaled((u64)max(cosine - error, 0ll), false,
				 COSINE_UNIT, false);
	out->hi = vex_key_scaled((u64)min(cosine + error, 2 * COSINE_ONE),
				 false, COSINE_UNIT, true);
	/* An eighth of what may be wrong is for the rounding. */
	if (error <= (cosine - (cosine >> 3)) >> COSINE_DIGITS)
		set_nearest(out, vex_key_nearest((u64)cosine, false,
						 COSINE_UNIT));
	return log < -24;
}

bool vex_estimate_interval(const struct vex_search *search,
			   const struct vex_query *query,
			   const struct vex_estimate *estimate,
			   struct vex_interval *out)
{
	s32 row_unit = search->scale.unit;
	s32 query_unit = vex_query_unit(search, query);
	s32 log;

	switch (search->shape.metric) {
	case VEX_METRIC_L2:
		log = squares_log(search, estimate->main, estimate->row_log,
				  estimate->query_log);
		return around(estimate->main, error_of(log), 2 * row_unit, out);
	case VEX_METRIC_IP:
		return products_interval(search, query, estimate,
					 row_unit + query_unit, out);
	case VEX_METRIC_COSINE:
		return cosine_interval(search, query, estimate, out);
	default:
		log = log_sum(estimate->row_log, estimate->query_log);
		if (log > VEX_NO_ERROR)
			log += (s32)search->dim_bits;
		return around(estimate->main, error_of(log), row_unit, out);
	}
}
