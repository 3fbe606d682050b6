// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Rows against queries. A row is summed up in fixed point, with the error of
 * the sum bounded from what was dropped or rounded. Rows for which the bound
 * is poor go to exact arithmetic, and when that happens often the scale is
 * chosen anew.
 */
#include "distance_types.h"

/* Elements between two looks at whether a row is beyond its limit. */
#define STEP 128u

/* Reads a row that lies in memory, for exact arithmetic. */
struct row_in_memory {
	const u8 *row;
	u32 width;
};

static int read_memory(void *context, u64 row, u32 first, u32 count, void *into)
{
	const struct row_in_memory *memory = context;

	(void)row;
	memcpy(into, memory->row + first * memory->width,
	       count * memory->width);
	return 0;
}

static void exact_interval(struct vex_search *search, u32 query,
			   const void *row, struct vex_interval *out)
{
	struct row_in_memory memory = { row, search->row_width };
	struct vex_rows rows = { read_memory, &memory };

	vex_exact_interval(search, query, &rows, 0, out);
}

/*
 * A row did not fit the scale. A single outlier is not worth a new scale,
 * which costs as much as a few rows; one misfit in four is.
 */
static void note_misfit(struct vex_search *search, const void *row)
{
	s32 top;

	search->misfits++;
	if (search->misfits != 1 && search->misfits % 4)
		return;
	top = vex_elements_top(search->shape.type, row, search->shape.dim);
	vex_search_choose_scale(search, min(top + 1, 127));
}

/* Values of a part of a query; *exact is cleared if some are rounded. */
static const s64 *query_values(struct vex_search *search,
			       const struct vex_query *query, u32 first,
			       u32 count, bool *exact)
{
	if (query->fixed) {
		*exact &= !query->rounded;
		return query->fixed + first;
	}
	*exact &= vex_fixed_round(search->shape.query_type,
				  query->raw + first * search->query_width,
				  count, vex_query_unit(search, query),
				  search->q);
	return search->q;
}

/* Add count (at most VEX_BLOCK) elements of a row to a query's sums. */
static void add_elements(struct vex_search *search,
			 const struct vex_query *query, struct vex_sums *sums,
			 const u8 *row, u32 first, u32 count, bool *exact)
{
	const s64 *q = query_values(search, query, first, count, exact);
	u32 metric = search->shape.metric;

	if (search->row_width > 1) {
		vex_sums_add_floats(sums, metric, search->shape.type,
				    &search->scale, row, q, count);
		return;
	}
	sums->seen |= vex_fixed_decode(&search->scale, search->shape.type, row,
				       count, search->x);
	vex_sums_add(sums, metric, search->x, q, count);
}

/* What the sums of a row in the wide units may be wrong by. */
static void wide_estimate(const struct vex_search *search,
			  const struct vex_sums *sums, bool exact,
			  struct vex_estimate *estimate)
{
	estimate->main = sums->main;
	estimate->square = sums->square;
	estimate->row_log = sums->seen & VEX_MARK_SMALL ?
			    VEX_SMALL_LOG : search->scale.subnormal_log;
	estimate->query_log = exact ? VEX_NO_ERROR : -1;
}

static s32 sum_unit(const struct vex_search *search)
{
	if (search->bytes)
		return 0;
	if (search->shape.metric == VEX_METRIC_L2)
		return 2 * search->scale.unit;
	return search->scale.unit;
}

static void set_limit(const struct vex_search *search, struct vex_query *query,
		      s64 limit)
{
	if (query->limit_key == limit)
		return;
	query->limit_key = limit;
	query->limit = ~(vex_u128)0;
	if (search->batched && query->coarse.pairs)
		vex_coarse_limit(&query->coarse, search->shape.metric,
				 search->shape.dim, limit,
				 search->scale.unit + (s32)VEX_COARSE_SHIFT,
				 vex_query_unit(search, query) +
				 (s32)VEX_COARSE_SHIFT);
	query->enough = U64_MAX;
	if (!vex_search_linear(search) || limit >= VEX_KEY_INFINITY)
		return;
	query->limit = vex_scaled_key(limit, sum_unit(search));
	if (search->shape.metric == VEX_METRIC_L2 && !search->bytes)
		query->enough = vex_estimate_enough(search, query, limit);
}

/*
 * A row in wide fixed point. Sums of differences only grow, so a row whose
 * first part is beyond the limit is done with.
 *
 * Return: false if the interval is poor, or there is none.
 */
static bool row_fixed(struct vex_search *search, struct vex_query *query,
		      const u8 *row, s64 limit, struct vex_interval *out)
{
	u32 step = vex_search_linear(search) ? STEP : VEX_BLOCK;
	u32 dim = search->shape.dim;
	struct vex_estimate estimate;
	struct vex_sums sums;
	bool exact = true;
	u32 first, count;
	bool tight;

	memset(&sums, 0, sizeof(sums));
	for (first = 0; first < dim; first += count) {
		count = min_t(u32, dim - first, step);
		add_elements(search, query, &sums,
			     row + first * search->row_width, first, count,
			     &exact);
		if (likely(sums.main <= query->limit) ||
		    !vex_search_linear(search))
			continue;
		if (sums.seen & VEX_MARK_LARGE)
			return false;
		wide_estimate(search, &sums, exact, &estimate);
		vex_estimate_interval(search, query, &estimate, out);
		if (out->lo > limit) {
			out->hi = VEX_KEY_INFINITY;
			out->nearest = 0;
			return true;
		}
	}
	if (sums.seen & VEX_MARK_LARGE)
		return false;
	wide_estimate(search, &sums, exact, &estimate);
	tight = vex_estimate_interval(search, query, &estimate, out);
	/* Adjacent keys are the best for most sums, subnormals or not. */
	if (out->lo > limit || (u64)out->hi - (u64)out->lo <= 1 ||
	    (out->nearest && search->shape.metric == VEX_METRIC_COSINE))
		return true;
	if (estimate.row_log == VEX_NO_ERROR || sums.seen & VEX_MARK_SMALL ||
	    search->shape.type != VEX_TYPE_F32 ||
	    vex_elements_subnormal(row, dim))
		return tight;
	estimate.row_log = VEX_NO_ERROR;
	return vex_estimate_interval(search, query, &estimate, out);
}

/*
 * A quick look at a row of floats. A peek has lost what is below the upper
 * halves and the marks, so each sum is taken where the distance is least.
 *
 * Return: true if the row is beyond the limit.
 */
static bool row_peek(const struct vex_search *search,
		     const struct vex_query *query, const void *row, s64 limit,
		     struct vex_interval *out)
{
	struct vex_estimate estimate;
	struct vex_peek peek;

	if (!vex_peek(&peek, search->shape.metric, search->shape.type,
		      &search->scale, row, query->fixed, search->shape.dim,
		      query->enough))
		return false;
	out->lo = limit + 1;
	if (search->shape.metric != VEX_METRIC_L2) {
		peek.product += search->shape.dim;
		if ((s64)peek.product < 0)
			peek.square += search->shape.dim;
		estimate.row_log = VEX_SMALL_LOG;
		estimate.query_log = query->rounded ? -1 : VEX_NO_ERROR;
		estimate.main = (vex_u128)peek.product << 64;
		estimate.square = (vex_u128)peek.square << 64;
		vex_estimate_interval(search, query, &estimate, out);
	}
	out->hi = VEX_KEY_INFINITY;
	out->nearest = 0;
	return out->lo > limit;
}

/*
 * The interval of a row of bytes from integer sums, which are exact.
 * @sum: L2 and L1: the distance; else twice the products of flipped elements
 */
static void bytes_interval(const struct vex_search *search,
			   const struct vex_query *query, s64 sum, s64 squares,
			   struct vex_interval *out)
{
	u32 metric = search->shape.metric;
	struct vex_estimate estimate;
	s32 shift;

	if (metric == VEX_METRIC_IP || metric == VEX_METRIC_COSINE) {
		/* A flipped element is 128 more than what it stands for. */
		if (search->flip)
			sum -= 256 * query->byte_sum;
		sum /= 2;
	}
	if (metric != VEX_METRIC_COSINE) {
		bool negative = metric == VEX_METRIC_IP && sum > 0;

		out->lo = vex_key_scaled((u64)(sum < 0 ? -sum : sum), negative,
					 0, false);
		out->hi = out->lo;
		out->nearest = 1;
		return;
	}
	/* The query's root is in its unit; a query of zeros has no use. */
	shift = min(-vex_query_unit(search, query), 64);
	estimate.main = (vex_u128)((vex_s128)sum * ((vex_s128)1 << shift));
	estimate.square = (u64)squares;
	estimate.row_log = VEX_NO_ERROR;
	estimate.query_log = VEX_NO_ERROR;
	vex_estimate_interval(search, query, &estimate, out);
}

/* Rows and queries of bytes. */
static void row_bytes(const struct vex_search *search,
		      const struct vex_query *query, const u8 *row,
		      struct vex_interval *out)
{
	u32 metric = search->shape.metric;
	u32 dim = search->shape.dim;
	u64 flip = search->flip;
	s64 squares = 0;
	u32 first, count;
	s64 sum = 0;

	if (metric == VEX_METRIC_L2) {
		s64 limit = query->limit >> 62 ? S64_MAX : (s64)query->limit;

		sum = vex_bytes_squared_distance(row, query->lanes,
						 query->prefix, dim, flip,
						 limit);
		bytes_interval(search, query, sum, 0, out);
		if (sum > limit) {
			out->hi = VEX_KEY_INFINITY;
			out->nearest = 0;
		}
		return;
	}
	for (first = 0; first < dim; first += count) {
		count = min_t(u32, dim - first, VEX_BYTES_BLOCK);
		if (metric == VEX_METRIC_L1) {
			sum += vex_bytes_differences(row + first,
				(const u8 *)query->lanes + first, count, flip);
			continue;
		}
		sum += vex_bytes_products(row + first,
					  query->lanes + first / 2, count, flip);
		if (metric == VEX_METRIC_COSINE)
			squares += vex_bytes_squares(row + first, count, flip);
	}
	bytes_interval(search, query, sum, squares, out);
}

/* A row of bytes and every query: the row is taken apart once. */
static void batch_bytes(struct vex_search *search, const u8 *row,
			struct vex_interval *out)
{
	u32 metric = search->shape.metric;
	u32 queries = search->shape.queries;
	u64 flipped_squares = 0;
	s64 squares = 0;
	u32 first, count, i;

	for (i = 0; i < queries; i++)
		search->queries[i].coarse_sum = 0;
	for (first = 0; first < search->shape.dim; first += count) {
		count = min_t(u32, search->shape.dim - first, VEX_BYTES_BLOCK);
		flipped_squares += vex_bytes_pairs(row + first, count,
						   search->flip, search->pairs);
		if (metric == VEX_METRIC_COSINE)
			squares += vex_bytes_squares(row + first, count,
						     search->flip);
		for (i = 0; i < queries; i++) {
			struct vex_query *query = &search->queries[i];

			query->coarse_sum += vex_coarse_products(search->pairs,
				query->lanes + first / 2, (count + 7) / 8 * 4);
		}
	}
	for (i = 0; i < queries; i++) {
		const struct vex_query *query = &search->queries[i];
		s64 sum = query->coarse_sum;

		if (metric == VEX_METRIC_L2)
			sum = (s64)(flipped_squares + query->byte_square) - sum;
		bytes_interval(search, query, sum, squares, &out[i]);
	}
}

void vex_distance_near(struct vex_search *search, u32 query, const void *row,
		       s64 limit, struct vex_interval *out)
{
	struct vex_query *one = &search->queries[query];

	set_limit(search, one, limit);
	if (search->bytes) {
		row_bytes(search, one, row, out);
	} else if (!row_fixed(search, one, row, limit, out)) {
		exact_interval(search, query, row, out);
		note_misfit(search, row);
	}
}

void vex_distance_row(struct vex_search *search, u32 query, const void *row,
		      s64 limit, struct vex_interval *out)
{
	struct vex_query *one = &search->queries[query];

	set_limit(search, one, limit);
	if (limit >= VEX_KEY_INFINITY || !one->fixed ||
	    search->row_width == 1 || search->shape.metric == VEX_METRIC_L1 ||
	    !row_peek(search, one, row, limit, out))
		vex_distance_near(search, query, row, limit, out);
}

/* Decode a row once, make it coarse, and multiply it with every query. */
static u64 batch_sums(struct vex_search *search, const u8 *row, u64 *square)
{
	u64 seen = 0;
	u32 first, count, i;

	*square = 0;
	for (i = 0; i < search->shape.queries; i++)
		search->queries[i].coarse_sum = 0;
	for (first = 0; first < search->shape.dim; first += count) {
		count = min_t(u32, search->shape.dim - first, VEX_COARSE_BLOCK);
		seen |= vex_fixed_decode(&search->scale, search->shape.type,
					 row + first * search->row_width, count,
					 search->x);
		*square += vex_coarse_row(search->x, count, search->pairs);
		for (i = 0; i < search->shape.queries; i++) {
			struct vex_query *query = &search->queries[i];

			query->coarse_sum += vex_coarse_products(search->pairs,
				query->coarse.pairs + first / 2,
				(count + 1) / 2);
		}
	}
	return seen;
}

void vex_distance_batch(struct vex_search *search, const void *row,
			const s64 *limits, struct vex_interval *out)
{
	u32 metric = search->shape.metric;
	u32 queries = search->shape.queries;
	u64 square = 0;
	bool beyond;
	u32 i;

	if (search->bytes && metric != VEX_METRIC_L1) {
		batch_bytes(search, row, out);
		return;
	}
	if (search->queries[0].coarse.pairs && !search->batched)
		vex_search_batch(search);
	if (!search->queries[0].coarse.pairs ||
	    batch_sums(search, row, &square) & VEX_MARK_LARGE) {
		for (i = 0; i < queries; i++)
			vex_distance_row(search, i, row, limits[i], &out[i]);
		return;
	}
	for (i = 0; i < queries; i++) {
		struct vex_query *query = &search->queries[i];

		set_limit(search, query, limits[i]);
		beyond = vex_coarse_beyond(&query->coarse, metric,
					   query->coarse_sum, square);
		out[i].lo = beyond ? limits[i] + 1 : VEX_KEY_MINUS_INFINITY;
		out[i].hi = VEX_KEY_INFINITY;
		out[i].nearest = 0;
	}
	/* Only now, since this may change the scale of all queries. */
	for (i = 0; i < queries; i++)
		if (out[i].lo == VEX_KEY_MINUS_INFINITY)
			vex_distance_row(search, i, row, limits[i], &out[i]);
}

void vex_distance_begin(struct vex_search *search)
{
	u32 i;

	search->fed = 0;
	search->fed_subnormal = false;
	for (i = 0; i < search->shape.queries; i++) {
		memset(&search->queries[i].sums, 0,
		       sizeof(search->queries[i].sums));
		search->queries[i].fed_rounded = false;
	}
}

void vex_distance_add(struct vex_search *search, const void *elements,
		      u32 count)
{
	const u8 *data = elements;
	u32 part, i;

	if (search->shape.type == VEX_TYPE_F32)
		search->fed_subnormal |= vex_elements_subnormal(data, count);
	for (; count; count -= part, data += part * search->row_width) {
		part = min_t(u32, count, VEX_BLOCK);
		for (i = 0; i < search->shape.queries; i++) {
			struct vex_query *query = &search->queries[i];
			bool exact = true;

			add_elements(search, query, &query->sums, data,
				     search->fed, part, &exact);
			query->fed_rounded |= !exact;
		}
		search->fed += part;
	}
}

bool vex_distance_end(struct vex_search *search, struct vex_interval *out)
{
	struct vex_estimate estimate;
	bool narrow = true;
	u32 i;

	for (i = 0; i < search->shape.queries; i++) {
		const struct vex_query *query = &search->queries[i];

		if (query->sums.seen & VEX_MARK_LARGE) {
			out[i].lo = VEX_KEY_MINUS_INFINITY;
			out[i].hi = VEX_KEY_INFINITY;
			out[i].nearest = 0;
			narrow = false;
			continue;
		}
		wide_estimate(search, &query->sums, !query->fed_rounded,
			      &estimate);
		if (search->shape.type == VEX_TYPE_F32 &&
		    !(query->sums.seen & VEX_MARK_SMALL) &&
		    !search->fed_subnormal)
			estimate.row_log = VEX_NO_ERROR;
		narrow &= vex_estimate_interval(search, query, &estimate,
						&out[i]);
	}
	return narrow;
}
