// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Exact decisions. Every element is a binary32 value, so it is an integer
 * multiple of 2^-149 and every product one of 2^-298: L2, IP and L1 are sums
 * of integers, and the order of cosines follows from their squares, which are
 * quotients of integers.
 */
#include "distance_types.h"

#define PRODUCT_UNIT (-298)
#define ELEMENT_UNIT (-149)

static u32 mantissa_of(u32 bits)
{
	return (bits & 0x7fffff) | (bits & 0x7f800000 ? 0x800000 : 0);
}

/* The exponent above the smallest: the value is mantissa * 2^(this - 149) */
static u32 position(u32 bits)
{
	u32 e = bits >> 23 & 255;

	return e ? e - 1 : 0;
}

/* Add factor * m * 2^place; m has at most 48 bits. */
static void add_shifted(struct vex_wide *wide, u64 m, u32 place, s64 factor)
{
	s64 *digit = &wide->digit[place / 32];
	u32 shift = place % 32;
	u64 low = m << shift;

	digit[0] += factor * (s64)(low & 0xffffffff);
	digit[1] += factor * (s64)(low >> 32);
	digit[2] += factor * (s64)(m >> 32 >> (32 - shift));
}

/* Add factor * a * b. */
static void add_product(struct vex_wide *wide, u32 a, u32 b, s64 factor)
{
	u64 m = (u64)mantissa_of(a) * mantissa_of(b);

	if (m)
		add_shifted(wide, m, position(a) + position(b),
			    (a ^ b) >> 31 ? -factor : factor);
}

/* Add factor * |a - b|. */
static void add_difference(struct vex_wide *wide, u32 a, u32 b, s64 factor)
{
	s64 key_a = a >> 31 ? -(s64)(a & 0x7fffffff) : (s64)a;
	s64 key_b = b >> 31 ? -(s64)(b & 0x7fffffff) : (s64)b;

	if (key_a < key_b)
		factor = -factor;
	add_shifted(wide, mantissa_of(a), position(a),
		    a >> 31 ? -factor : factor);
	add_shifted(wide, mantissa_of(b), position(b),
		    b >> 31 ? factor : -factor);
}

/* Add factor times what one element of a row adds to its distance. */
static void add_distance(struct vex_wide *wide, u32 metric, u32 x, u32 q,
			 s64 factor)
{
	switch (metric) {
	case VEX_METRIC_L2:
		add_product(wide, x, x, factor);
		add_product(wide, x, q, -2 * factor);
		add_product(wide, q, q, factor);
		break;
	case VEX_METRIC_IP:
		add_product(wide, x, q, -factor);
		break;
	default:
		add_difference(wide, x, q, factor);
	}
}

static u32 piece_length(const struct vex_search *search, u32 first)
{
	return min_t(u32, search->shape.dim - first, VEX_ROWS_PIECE);
}

static u32 query_element(const struct vex_search *search, u32 query, u32 index)
{
	return vex_element_f32(search->shape.query_type,
			       search->queries[query].raw, index);
}

/* Sum up in fixed point. *@exact is cleared if something gets lost. */
static void add_fixed(struct vex_search *search, const struct vex_query *query,
		      const u8 *piece, u32 first, u32 count,
		      struct vex_sums *sums, bool *exact)
{
	const struct vex_scale *scale = &search->scale;
	u32 metric = search->shape.metric, type = search->shape.type;
	u32 part, i;

	if (search->row_width > 1) {
		vex_sums_add_floats(sums, metric, type, scale, piece,
				    query->fixed + first, count);
	} else {
		for (i = 0; i < count; i += part) {
			part = min_t(u32, count - i, VEX_BLOCK);
			sums->seen |= vex_fixed_decode(scale, type, piece + i,
						       part, search->x);
			vex_sums_add(sums, metric, search->x,
				     query->fixed + first + i, part);
		}
	}
	if (sums->seen & (VEX_MARK_LARGE | VEX_MARK_SMALL) ||
	    (scale->subnormal_log > VEX_NO_ERROR &&
	     (type != VEX_TYPE_F32 || vex_elements_subnormal(piece, count))))
		*exact = false;
}

/* A sum in units of 2^unit, as one in units of 2^into, of which it has more. */
static bool widen(struct vex_wide *wide, vex_u128 sum, bool negative, s32 unit,
		  s32 into)
{
	s32 place = unit - into;
	u32 i;

	memset(wide, 0, sizeof(*wide));
	if (place < 0 || place / 32 + 6 > (s32)VEX_WIDE_DIGITS)
		return false;
	for (i = 0; i < 4; i++)
		add_shifted(wide, (u32)(sum >> 32 * i), (u32)place + 32 * i,
			    negative ? -1 : 1);
	return true;
}

/*
 * Sum up one row in fixed point, where that is exact: mostly it is, and takes a
 * tenth of the time.
 *
 * Return: 1, 0 if it is not exact, or what reading the row returned.
 */
static int sum_row_fixed(struct vex_search *search, const struct vex_query *query,
			 const struct vex_rows *rows, u64 row)
{
	struct vex_exact_work *work = &search->exact;
	s32 unit = search->scale.unit;
	s32 query_unit = vex_query_unit(search, query);
	struct vex_sums sums = { 0 };
	u32 first, count;
	bool exact = query->fixed && !query->rounded;
	bool negative;

	for (first = 0; first < search->shape.dim && exact; first += count) {
		int ret;

		count = piece_length(search, first);
		ret = rows->read(rows->context, row, first, count,
				 work->piece[0]);
		if (ret)
			return ret;
		add_fixed(search, query, work->piece[0], first, count, &sums,
			  &exact);
	}
	if (!exact)
		return 0;
	switch (search->shape.metric) {
	case VEX_METRIC_L2:
		return widen(&work->product[0], sums.main, false, 2 * unit,
			     PRODUCT_UNIT);
	case VEX_METRIC_L1:
		return widen(&work->product[0], sums.main, false, unit,
			     ELEMENT_UNIT);
	default:
		negative = (vex_s128)sums.main < 0;
		if (negative)
			sums.main = 0 - sums.main;
		if (search->shape.metric == VEX_METRIC_IP)
			return widen(&work->product[0], sums.main, !negative,
				     unit + query_unit, PRODUCT_UNIT);
		return widen(&work->product[0], sums.main, negative,
			     unit + query_unit, PRODUCT_UNIT) &&
		       widen(&work->square[0], sums.square, false, 2 * unit,
			     PRODUCT_UNIT) &&
		       widen(&work->query_square, query->square, false,
			     2 * query_unit, PRODUCT_UNIT);
	}
}

/* Sum up one row: its distance, or for cosine products and squares. */
static int sum_row(struct vex_search *search, u32 query,
		   const struct vex_rows *rows, u64 row)
{
	struct vex_exact_work *work = &search->exact;
	u32 metric = search->shape.metric;
	u32 first, count, i;
	int ret;

	ret = sum_row_fixed(search, &search->queries[query], rows, row);
	if (ret)
		return min(ret, 0);
	memset(work->product, 0, sizeof(work->product));
	memset(work->square, 0, sizeof(work->square));
	memset(&work->query_square, 0, sizeof(work->query_square));
	for (first = 0; first < search->shape.dim; first += count) {
		count = piece_length(search, first);
		ret = rows->read(rows->context, row, first, count,
				 work->piece[0]);
		if (ret)
			return ret;
		for (i = 0; i < count; i++) {
			u32 x = vex_element_f32(search->shape.type,
						work->piece[0], i);
			u32 q = query_element(search, query, first + i);

			if (metric != VEX_METRIC_COSINE) {
				add_distance(&work->product[0], metric, x, q, 1);
				continue;
			}
			add_product(&work->product[0], x, q, 1);
			add_product(&work->square[0], x, x, 1);
			add_product(&work->query_square, q, q, 1);
		}
	}
	return 0;
}

/* One element of two rows that differ in it. */
static void sum_pair(struct vex_exact_work *work, u32 metric, u32 a, u32 b,
		     u32 q)
{
	if (metric == VEX_METRIC_COSINE) {
		add_product(&work->product[0], a, q, 1);
		add_product(&work->square[0], a, a, 1);
		add_product(&work->product[1], b, q, 1);
		add_product(&work->square[1], b, b, 1);
		return;
	}
	add_distance(&work->product[0], metric, a, q, 1);
	add_distance(&work->product[0], metric, b, q, -1);
}

/*
 * Sum up two rows at once: the difference of their distances, to which equal
 * elements add nothing, or for cosine the products and squares of each.
 */
static int sum_rows(struct vex_search *search, u32 query,
		    const struct vex_rows *rows, u64 a, u64 b)
{
	struct vex_exact_work *work = &search->exact;
	u32 type = search->shape.type;
	u32 metric = search->shape.metric;
	u32 first, count, i;

	memset(work->product, 0, sizeof(work->product));
	memset(work->square, 0, sizeof(work->square));
	for (first = 0; first < search->shape.dim; first += count) {
		int ret;

		count = piece_length(search, first);
		ret = rows->read(rows->context, a, first, count,
				 work->piece[0]);
		if (!ret)
			ret = rows->read(rows->context, b, first, count,
					 work->piece[1]);
		if (ret)
			return ret;
		if (metric != VEX_METRIC_COSINE &&
		    !memcmp(work->piece[0], work->piece[1],
			    count * search->row_width))
			continue;
		for (i = 0; i < count; i++) {
			u32 x = vex_element_f32(type, work->piece[0], i);
			u32 y = vex_element_f32(type, work->piece[1], i);

			if (x != y || metric == VEX_METRIC_COSINE)
				sum_pair(work, metric, x, y,
					 query_element(search, query,
						       first + i));
		}
	}
	return 0;
}

/* Are two rows the same bytes? Ends at the first piece that differs. */
static int rows_same(struct vex_search *search, const struct vex_rows *rows,
		     u64 a, u64 b, bool *same)
{
	struct vex_exact_work *work = &search->exact;
	u32 first, count;

	*same = true;
	for (first = 0; first < search->shape.dim && *same; first += count) {
		int ret;

		count = piece_length(search, first);
		ret = rows->read(rows->context, a, first, count,
				 work->piece[0]);
		if (!ret)
			ret = rows->read(rows->context, b, first, count,
					 work->piece[1]);
		if (ret)
			return ret;
		*same = !memcmp(work->piece[0], work->piece[1],
				count * search->row_width);
	}
	return 0;
}

static bool query_zero(const struct vex_search *search, u32 query)
{
	return !search->queries[query].square;
}

/* Sign of cosine a - cosine b, from the sums of both rows. */
static int compare_cosines(struct vex_exact_work *work)
{
	int sign[2];
	int order;
	u32 i;

	for (i = 0; i < 2; i++) {
		sign[i] = vex_wide_magnitude(&work->product[i],
					     work->number[2 * i]);
		vex_wide_magnitude(&work->square[i], work->number[2 * i + 1]);
		vex_natural_multiply(work->product_square[i],
				     work->number[2 * i], VEX_WIDE_DIGITS,
				     work->number[2 * i], VEX_WIDE_DIGITS);
	}
	if (sign[0] != sign[1])
		return sign[0] < sign[1] ? -1 : 1;
	if (!sign[0])
		return 0;
	for (i = 0; i < 2; i++)
		vex_natural_multiply(work->proof[i], work->product_square[i],
				     VEX_SQUARE_DIGITS,
				     work->number[2 * (1 - i) + 1],
				     VEX_WIDE_DIGITS);
	order = vex_natural_compare(work->proof[0],
				    VEX_SQUARE_DIGITS + VEX_WIDE_DIGITS,
				    work->proof[1],
				    VEX_SQUARE_DIGITS + VEX_WIDE_DIGITS);
	return sign[0] > 0 ? order : -order;
}

int vex_exact_compare(struct vex_search *search, u32 query,
		      const struct vex_rows *rows, u64 a, u64 b, int *result)
{
	bool cosine = search->shape.metric == VEX_METRIC_COSINE;
	bool same = false;
	int ret = 0;

	*result = 0;
	if (a == b || (cosine && query_zero(search, query)))
		return 0;
	if (cosine)
		ret = rows_same(search, rows, a, b, &same);
	if (ret || same)
		return ret;
	ret = sum_rows(search, query, rows, a, b);
	if (ret)
		return ret;
	if (cosine)
		*result = -compare_cosines(&search->exact);
	else
		*result = vex_wide_magnitude(&search->exact.product[0],
					     search->exact.number[0]);
	return 0;
}

/* A number as top * 2^exponent, and whether that leaves something out. */
struct rounding {
	u64 top;
	s32 exponent;
	bool rest;
	bool negative;
};

static void round_sum(struct vex_exact_work *work, s32 unit,
		      struct rounding *out)
{
	int sign = vex_wide_magnitude(&work->product[0], work->number[0]);

	out->negative = sign < 0;
	out->top = vex_natural_top(work->number[0], VEX_WIDE_DIGITS,
				   &out->exponent, &out->rest);
	out->exponent += unit;
}

/* cosine^2 as quotient of tops, then its root, in units of 2^-62. */
static u64 cosine_magnitude(u64 top, s32 exponent, u64 norm_top,
			    s32 norm_exponent)
{
	u64 ratio = vex_divide(top >> 1, top << 63, norm_top);
	s32 scale = exponent - norm_exponent - 63;
	s32 shift = 62 + (scale & 1);
	u64 root = vex_square_root((vex_u128)ratio << shift);
	s32 down = -62 - (scale - shift) / 2;	/* an even number halved */

	if (down > 63)
		return 0;
	root = down < 0 ? 1ull << 62 : root >> down;
	return root < 1ull << 62 ? root : (1ull << 62) - 1;
}

/*
 * 1 - c with c = p / sqrt(n): where c > 0 it is (n - p^2) / (n (1 + c)), whose
 * numerator is an integer, so nothing is lost however near to 1 c is.
 */
static void round_cosine(struct vex_exact_work *work, struct rounding *out)
{
	int sign = vex_wide_magnitude(&work->product[0], work->number[0]);
	u32 *rest = work->product_square[1];
	u64 norm_top, top, c;
	s32 norm_exponent, exponent;

	vex_wide_magnitude(&work->square[0], work->number[1]);
	vex_wide_magnitude(&work->query_square, work->number[2]);
	vex_natural_multiply(work->product_square[0],
			     work->number[0], VEX_WIDE_DIGITS,
			     work->number[0], VEX_WIDE_DIGITS);
	vex_natural_multiply(work->norms, work->number[1], VEX_WIDE_DIGITS,
			     work->number[2], VEX_WIDE_DIGITS);
	memset(out, 0, sizeof(*out));
	out->top = 1ull << 63;
	out->exponent = -63;
	if (!sign)
		return;
	norm_top = vex_natural_top(work->norms, VEX_SQUARE_DIGITS,
				   &norm_exponent, NULL);
	top = vex_natural_top(work->product_square[0], VEX_SQUARE_DIGITS,
			      &exponent, NULL);
	memcpy(rest, work->norms, sizeof(work->norms));
	vex_natural_subtract(rest, work->product_square[0], VEX_SQUARE_DIGITS);
	c = cosine_magnitude(top, exponent, norm_top, norm_exponent);
	top = vex_natural_top(rest, VEX_SQUARE_DIGITS, &exponent, NULL);
	if (!top) {
		out->exponent = -62;
		if (sign > 0)
			out->top = 0;
		return;
	}
	out->rest = true;
	if (sign < 0) {
		out->top = ((1ull << 62) + c) << 1;
		return;
	}
	top = vex_divide(top >> 1, top << 63, norm_top);
	out->top = vex_divide(top >> 1, top << 63, ((1ull << 62) + c) << 1);
	out->exponent = exponent - norm_exponent - 63;
}

static int round_row(struct vex_search *search, u32 query,
		     const struct vex_rows *rows, u64 row,
		     struct rounding *out)
{
	int ret = sum_row(search, query, rows, row);

	if (ret)
		return ret;
	if (search->shape.metric == VEX_METRIC_COSINE)
		round_cosine(&search->exact, out);
	else
		round_sum(&search->exact,
			  search->shape.metric == VEX_METRIC_L1 ?
			  ELEMENT_UNIT : PRODUCT_UNIT, out);
	return 0;
}

int vex_exact_interval(struct vex_search *search, u32 query,
		       const struct vex_rows *rows, u64 row,
		       struct vex_interval *out)
{
	/* A cosine's quotients and root leave less than 2^-57 to doubt. */
	u64 doubt = search->shape.metric == VEX_METRIC_COSINE ? 64 : 0;
	struct rounding number;
	vex_u128 low, high;
	int ret = round_row(search, query, rows, row, &number);

	if (ret)
		return ret;
	low = (vex_u128)number.top << 1 | number.rest;
	high = low;
	if (number.rest) {
		low -= 2 * doubt;
		high += 2 * doubt;
	}
	out->lo = vex_key_scaled(low, number.negative, number.exponent - 1,
				 false);
	out->hi = vex_key_scaled(high, number.negative, number.exponent - 1,
				 true);
	out->nearest = out->lo == out->hi;
	return 0;
}

int vex_exact_distance(struct vex_search *search, u32 query,
		       const struct vex_rows *rows, u64 row, u64 *bits)
{
	struct rounding number;
	u64 mantissa, rest;
	u32 drop;
	int ret = round_row(search, query, rows, row, &number);

	if (ret)
		return ret;
	*bits = 0;
	if (!number.top)
		return 0;
	drop = fls64(number.top) - 53;
	mantissa = number.top >> drop;
	rest = (number.top << 1 | number.rest) & ((2ull << drop) - 1);
	if (rest > 1ull << drop || (rest == 1ull << drop && mantissa & 1))
		mantissa++;
	*bits = ((u64)(number.exponent + (s32)drop + 1074) << 52) + mantissa;
	*bits |= (u64)number.negative << 63;
	return 0;
}

/*
 * 1 - c <= r, for 0 <= r < 2, that is c >= 1 - r, by signs and squares:
 * product^2 * 2^(2k) against norms * (2^k (1 - r))^2, 2^k (1 - r) an integer.
 */
static bool cosine_within(struct vex_exact_work *work, s64 radius)
{
	u64 e = (u64)radius >> 52;
	u64 m = ((u64)radius & 0xfffffffffffffull) | (e ? 1ull << 52 : 0);
	u32 k = 1075 - (u32)(e ? e : 1);
	int sign = vex_wide_magnitude(&work->product[0], work->number[0]);
	int one_minus;
	u32 i;

	one_minus = radius < (s64)VEX_DOUBLE_ONE ? 1 :
		    radius > (s64)VEX_DOUBLE_ONE ? -1 : 0;
	if (!one_minus || sign != one_minus)
		return one_minus <= 0 && sign >= 0;
	memset(work->radius, 0, sizeof(work->radius));
	memset(work->proof, 0, sizeof(work->proof));
	work->radius[k / 32] = 1u << k % 32;
	work->proof[0][0] = (u32)m;
	work->proof[0][1] = (u32)(m >> 32);
	if (one_minus > 0) {
		vex_natural_subtract(work->radius, work->proof[0],
				     VEX_RADIUS_DIGITS);
	} else {
		vex_natural_subtract(work->proof[0], work->radius,
				     VEX_RADIUS_DIGITS);
		memcpy(work->radius, work->proof[0], sizeof(work->radius));
	}
	vex_wide_magnitude(&work->square[0], work->number[1]);
	vex_wide_magnitude(&work->query_square, work->number[2]);
	vex_natural_multiply(work->product_square[0],
			     work->number[0], VEX_WIDE_DIGITS,
			     work->number[0], VEX_WIDE_DIGITS);
	vex_natural_multiply(work->norms, work->number[1], VEX_WIDE_DIGITS,
			     work->number[2], VEX_WIDE_DIGITS);
	vex_natural_multiply(work->radius_square,
			     work->radius, VEX_RADIUS_DIGITS,
			     work->radius, VEX_RADIUS_DIGITS);
	vex_natural_multiply(work->proof[1],
			     work->radius_square, 2 * VEX_RADIUS_DIGITS,
			     work->norms, VEX_SQUARE_DIGITS);
	memset(work->radius_square, 0, sizeof(work->radius_square));
	work->radius_square[2 * k / 32] = 1u << 2 * k % 32;
	vex_natural_multiply(work->proof[0],
			     work->radius_square, 2 * VEX_RADIUS_DIGITS,
			     work->product_square[0], VEX_SQUARE_DIGITS);
	i = vex_natural_compare(work->proof[0], VEX_PROOF_DIGITS,
				work->proof[1], VEX_PROOF_DIGITS) + 1;
	return one_minus > 0 ? i >= 1 : i <= 1;
}

int vex_exact_within(struct vex_search *search, u32 query,
		     const struct vex_rows *rows, u64 row, s64 radius,
		     bool *within)
{
	struct vex_interval interval;
	int ret;

	if (search->shape.metric != VEX_METRIC_COSINE) {
		/* What rounds up to a value not above a binary64 is not above. */
		ret = vex_exact_interval(search, query, rows, row, &interval);
		*within = !ret && interval.hi <= radius;
		return ret;
	}
	*within = radius >= (s64)VEX_DOUBLE_ONE + (1ll << 52);
	if (*within || radius < 0)
		return 0;
	ret = sum_row(search, query, rows, row);
	if (!ret)
		*within = cosine_within(&search->exact, radius);
	return ret;
}
