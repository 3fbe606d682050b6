// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * How the rows of a file are encoded: chosen from a sample, stored and checked.
 */
#include "sketch_types.h"

/* Up to here a row has 3 bits an element, above 2. */
#define SHORT_DIM 128u

/* Rows and queries of the sample by which rotation is decided. */
#define TRIAL_ROWS 48u
#define TRIAL_QUERIES 16u

#define CENTRE_MAX ((1 << VEX_SKETCH_ELEMENT_LOG) - 1)
#define FINE_MAX (1u << 31)

static u32 words_of(u32 dim)
{
	return (dim + 63) / 64;
}

static u32 record_bytes(u32 dim, u32 bits)
{
	return (u32)sizeof(struct vex_sketch_record) +
	       words_of(dim) * bits * (u32)sizeof(u64);
}

bool vex_sketch_possible(u32 type, u32 metric, u32 dim)
{
	return vex_type_bytes(type) && dim >= 1 && dim <= VEX_SKETCH_DIM_MAX &&
	       metric >= VEX_METRIC_L2 && metric <= VEX_METRIC_COSINE;
}

void vex_sketch_complete(struct vex_sketch *sketch)
{
	u32 bytes;

	sketch->words = words_of(sketch->dim);
	sketch->record_bytes = record_bytes(sketch->dim, sketch->bits);
	sketch->tail_bytes = 8 * sketch->words * sketch->tail_bits;
	bytes = sketch->record_bytes + sketch->tail_bytes +
		!!sketch->tail_bits;
	sketch->per_page = VEX_SKETCH_RECORD_MAX / bytes;
}

/* The stored parameters. */
struct disk_sketch {
	__le32 type;
	__le32 metric;
	__le32 dim;
	__le32 bits;
	__le32 coarse_bits;
	__le32 rounds;
	__le32 unit;
	__le32 fine_step;
	__le64 seed;
	__le32 tail_bits;
	__le32 reserved[5];
};

VEX_ASSERT_SIZE(struct disk_sketch, VEX_SKETCH_PARAMETERS);

void vex_sketch_save(const struct vex_sketch *sketch, void *parameters)
{
	struct disk_sketch disk = {
		.type = cpu_to_le32(sketch->type),
		.metric = cpu_to_le32(sketch->metric),
		.dim = cpu_to_le32(sketch->dim),
		.bits = cpu_to_le32(sketch->bits),
		.coarse_bits = cpu_to_le32(sketch->coarse_bits),
		.rounds = cpu_to_le32(sketch->rounds),
		.unit = cpu_to_le32((u32)sketch->unit),
		.fine_step = cpu_to_le32(sketch->fine_step),
		.seed = cpu_to_le64(sketch->seed),
		.tail_bits = cpu_to_le32(sketch->tail_bits),
	};

	memcpy(parameters, &disk, sizeof(disk));
}

/* The units that vex_sketch_choose() may choose for a type. */
static bool unit_possible(u32 type, u32 metric, s32 unit)
{
	if (metric == VEX_METRIC_COSINE)
		return unit == -VEX_SKETCH_NORM_LOG;
	if (type == VEX_TYPE_F32)
		return unit >= -200 && unit <= 128;
	return unit >= -64 && unit <= 16;
}

int vex_sketch_load(struct vex_sketch *sketch, const void *parameters,
		    u32 type, u32 metric, u32 dim)
{
	struct disk_sketch disk;

	memcpy(&disk, parameters, sizeof(disk));
	sketch->type = le32_to_cpu(disk.type);
	sketch->metric = le32_to_cpu(disk.metric);
	sketch->dim = le32_to_cpu(disk.dim);
	sketch->bits = le32_to_cpu(disk.bits);
	sketch->coarse_bits = le32_to_cpu(disk.coarse_bits);
	sketch->rounds = le32_to_cpu(disk.rounds);
	sketch->unit = (s32)le32_to_cpu(disk.unit);
	sketch->fine_step = le32_to_cpu(disk.fine_step);
	sketch->seed = le64_to_cpu(disk.seed);
	sketch->tail_bits = le32_to_cpu(disk.tail_bits);
	if (sketch->type != type || sketch->metric != metric ||
	    sketch->dim != dim || !vex_sketch_possible(type, metric, dim) ||
	    sketch->bits < 1 || sketch->bits > VEX_SKETCH_BITS_MAX ||
	    sketch->coarse_bits < 1 || sketch->coarse_bits > sketch->bits ||
	    sketch->rounds > VEX_SKETCH_ROUNDS_MAX ||
	    !unit_possible(type, metric, sketch->unit) ||
	    sketch->fine_step < 2 || sketch->fine_step > FINE_MAX ||
	    !vex_is_zero(disk.reserved, sizeof(disk.reserved)) ||
	    sketch->tail_bits > VEX_SKETCH_BITS_MAX - sketch->bits ||
	    record_bytes(dim, sketch->bits + sketch->tail_bits) + 1 >
	    VEX_SKETCH_RECORD_MAX)
		return -EUCLEAN;
	vex_sketch_complete(sketch);
	return 0;
}

int vex_sketch_centre_load(const struct vex_sketch *sketch, const void *stored,
			   s32 *centre)
{
	u32 i;

	for (i = 0; i < sketch->dim; i++) {
		s32 v = (s32)vex_load_le32((const u8 *)stored + 4 * (size_t)i);

		if (v > CENTRE_MAX || v < -CENTRE_MAX)
			return -EUCLEAN;
		centre[i] = v;
	}
	return 0;
}

/*
 * As many further bits as there can be with two rows a page. The scale of one
 * bit alone says too little of the scale that it has with others.
 */
static u32 tail_bits(u32 dim, u32 bits)
{
	u32 tail = bits > 1 ? VEX_SKETCH_BITS_MAX - bits : 0;

	while (tail && record_bytes(dim, bits + tail) + 1 >
		       VEX_SKETCH_RECORD_MAX / 2)
		tail--;
	return tail;
}

/* The caller's memory while a configuration is chosen. */
struct choice {
	const u8 *rows;
	u32 count;
	size_t row_bytes;
	s32 *centre;
	u64 *keys;	/* room for a number a row */
	s64 *sums;	/* room for a number an element */
	s32 *x;
	s32 *y;
	void *scratch;
	void *query;
	u8 *records;
};

static size_t up8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static struct vex_sketch widest(u32 dim)
{
	struct vex_sketch sketch = {
		.dim = dim,
		.bits = min_t(u32, VEX_SKETCH_BITS_MAX,
			      (VEX_SKETCH_RECORD_MAX - record_bytes(dim, 0)) /
			      (8 * words_of(dim))),
	};

	vex_sketch_complete(&sketch);
	return sketch;
}

size_t vex_sketch_choose_bytes(u32 dim)
{
	struct vex_sketch sketch = widest(dim);

	return VEX_SKETCH_SAMPLE_MAX * sizeof(u64) + dim * sizeof(s64) +
	       128ul * sketch.words * sizeof(s32) +
	       up8(vex_sketch_scratch_bytes(&sketch)) +
	       up8(vex_sketch_query_bytes(&sketch,
					  VEX_SKETCH_QUERY_BITS_FINE)) +
	       (size_t)TRIAL_ROWS * sketch.record_bytes;
}

static void divide_choice(struct choice *choice, u32 dim, void *memory)
{
	struct vex_sketch sketch = widest(dim);

	choice->keys = memory;
	choice->sums = (s64 *)(choice->keys + VEX_SKETCH_SAMPLE_MAX);
	choice->x = (s32 *)(choice->sums + dim);
	choice->y = choice->x + 64 * sketch.words;
	choice->scratch = choice->y + 64 * sketch.words;
	choice->query = (u8 *)choice->scratch +
			up8(vex_sketch_scratch_bytes(&sketch));
	choice->records = (u8 *)choice->query +
		up8(vex_sketch_query_bytes(&sketch, VEX_SKETCH_QUERY_BITS_FINE));
}

static const void *sample_row(const struct choice *choice, u32 row)
{
	return choice->rows + row * choice->row_bytes;
}

/* The keys in ascending order: a heap's, as there may be a thousand. */
static void sort_keys(u64 *keys, u32 count)
{
	u32 start = count / 2;
	u32 end = count;

	while (end > 1) {
		u32 at, child;
		u64 key;

		if (start) {
			key = keys[--start];
		} else {
			key = keys[--end];
			keys[end] = keys[0];
		}
		for (at = start; (child = 2 * at + 1) < end; at = child) {
			if (child + 1 < end && keys[child + 1] > keys[child])
				child++;
			if (keys[child] <= key)
				break;
			keys[at] = keys[child];
		}
		keys[at] = key;
	}
}

/*
 * The greatest key, unless that is more than apart above the one that all but
 * one in a hundred are below: such outliers are better marked.
 */
static u64 usual_greatest(struct choice *choice, u64 apart)
{
	u32 last = choice->count - 1;
	u64 usual;

	sort_keys(choice->keys, choice->count);
	usual = choice->keys[last - choice->count / 100];
	return choice->keys[last] - usual > apart ? usual : choice->keys[last];
}

/* The mean of the rows that fit, in the sketch's unit. */
static void find_centre(const struct vex_sketch *sketch, struct choice *choice)
{
	u32 dim = sketch->dim;
	u32 fitting = 0;
	u32 row, i;

	memset(choice->sums, 0, dim * sizeof(*choice->sums));
	for (row = 0; row < choice->count; row++) {
		if (!vex_sketch_vector(sketch, sketch->type,
				       sample_row(choice, row), choice->x))
			continue;
		fitting++;
		for (i = 0; i < dim; i++)
			choice->sums[i] += choice->x[i];
	}
	for (i = 0; i < dim; i++) {
		bool negative = choice->sums[i] < 0;
		u64 sum = (u64)(negative ? -choice->sums[i] : choice->sums[i]);

		sum = fitting ? div64_u64(sum + fitting / 2, fitting) : 0;
		choice->centre[i] = negative ? -(s32)sum : (s32)sum;
	}
}

/* Sum of squares of a vector less the centre; any integers that fit. */
static vex_u128 wide_square(const s32 *x, const s32 *centre, u32 dim)
{
	vex_u128 sum = 0;
	u32 i;

	for (i = 0; i < dim; i++) {
		s64 v = (s64)x[i] - centre[i];

		sum += (u64)(v * v);
	}
	return sum;
}

/* Set the unit so that the usual rows fit, with room for others. */
static void choose_unit(struct vex_sketch *sketch, struct choice *choice)
{
	s32 top = S32_MIN;
	s32 unit;
	u32 row;

	if (sketch->metric == VEX_METRIC_COSINE) {
		sketch->unit = -VEX_SKETCH_NORM_LOG;
		return;
	}
	for (row = 0; row < choice->count; row++) {
		s32 value = vex_sketch_top(sketch->type,
					   sample_row(choice, row),
					   sketch->dim);

		choice->keys[row] = value == S32_MIN ? 0 : (u32)(value + 1000);
	}
	top = (s32)usual_greatest(choice, 4) - 1000;
	if (top == -1000)
		top = 0;
	/* Elements below 2^28, their centre too. */
	sketch->unit = top - 27;
	find_centre(sketch, choice);
	for (row = 0; row < choice->count; row++) {
		choice->keys[row] = 128;
		if (vex_sketch_vector(sketch, sketch->type,
				      sample_row(choice, row), choice->x))
			choice->keys[row] =
				vex_bits128(wide_square(choice->x,
							choice->centre,
							sketch->dim));
	}
	unit = (s32)(usual_greatest(choice, 8) + 1) / 2 - VEX_SKETCH_NORM_LOG;
	/* Not finer: elements must stay in range. */
	sketch->unit += unit < 0 ? 0 : unit;
}

/* The step of 7 bits that all but one in a thousand elements fit. */
static void choose_fine_step(struct vex_sketch *sketch, struct choice *choice)
{
	bool about_zero = sketch->metric == VEX_METRIC_IP;
	u32 beyond[33] = { 0 };
	u64 total = 0;
	u64 above = 0;
	u64 most = 0;
	u32 row, i, log;

	for (row = 0; row < choice->count; row++) {
		if (!vex_sketch_vector(sketch, sketch->type,
				       sample_row(choice, row), choice->x))
			continue;
		for (i = 0; i < sketch->dim; i++) {
			s64 v = choice->x[i];

			v -= about_zero ? 0 : choice->centre[i];
			v = v < 0 ? -v : v;
			most = (u64)v > most ? (u64)v : most;
			beyond[fls64((u64)v)]++;
			total++;
		}
	}
	/* Powers of two are coarse: the greatest is taken if it is near. */
	for (log = 32; log > 0; log--) {
		above += beyond[log];
		if (above * 1000 > total)
			break;
	}
	most = min_t(u64, most, 1ull << log);
	sketch->fine_step = (u32)(most / 63 + 2);
}

static void encode_trial(const struct vex_sketch *sketch,
			 const struct choice *choice, u32 rows)
{
	u32 row;

	for (row = 0; row < rows; row++)
		vex_sketch_encode(sketch, choice->centre,
				  sample_row(choice, row),
				  choice->records + row * sketch->record_bytes,
				  choice->scratch);
}

/* The square of an estimate's error in parts of the distance, in 2^-24. */
static u64 relative_square(const struct vex_sketch_query *query, s64 score,
			   u64 distance)
{
	vex_s128 right = (vex_s128)distance - (vex_s128)query->square;
	vex_s128 error = (vex_s128)score * (1 << VEX_SKETCH_NORM_UNIT) -
			 right * (s64)query->per_norm;
	u64 part;

	error = error < 0 ? -error : error;
	error >>= VEX_SKETCH_NORM_UNIT;		/* scores now */
	distance = (u64)((vex_u128)distance * query->per_norm >>
			 (VEX_SKETCH_NORM_UNIT + 12)) + 1;
	if (error >> 62)
		return 1ull << 40;
	part = div64_u64((u64)error, distance);
	return min_t(u64, part, 1u << 20) * min_t(u64, part, 1u << 20);
}

/*
 * The mean error of the estimates of the sample's distances by this sketch, as
 * that of squared distances also where the metric is the inner product.
 */
static u64 trial_error(struct vex_sketch sketch, const struct choice *choice)
{
	u32 rows = min_t(u32, choice->count, TRIAL_ROWS);
	u32 asked = min_t(u32, choice->count - rows, TRIAL_QUERIES);
	struct vex_sketch_query *query;
	u64 sum = 0;
	u32 i, row;

	if (sketch.metric == VEX_METRIC_IP)
		sketch.metric = VEX_METRIC_L2;
	encode_trial(&sketch, choice, rows);
	for (i = 0; i < asked; i++) {
		const void *elements = sample_row(choice, choice->count - 1 - i);

		if (vex_sketch_query_prepare(choice->query, &sketch,
					     choice->centre, sketch.type,
					     elements,
					     VEX_SKETCH_QUERY_BITS_FINE,
					     choice->scratch, &query))
			continue;
		vex_sketch_vector(&sketch, sketch.type, elements, choice->y);
		for (row = 0; row < rows; row++) {
			const void *record = choice->records +
					     row * sketch.record_bytes;
			vex_u128 distance;
			s64 score;
			u8 flags;

			if (vex_sketch_is_marked(record))
				continue;
			vex_sketch_vector(&sketch, sketch.type,
					  sample_row(choice, row), choice->x);
			distance = wide_square(choice->x, choice->y,
					       sketch.dim);
			vex_sketch_scores(query, &record, 1, &score, &flags);
			sum += relative_square(query, score, (u64)distance);
		}
	}
	return sum;
}

int vex_sketch_choose(struct vex_sketch *sketch, s32 *centre, u32 type,
		      u32 metric, u32 dim, u32 bits, const void *rows,
		      u32 count, void *memory)
{
	struct choice choice = { .rows = rows, .count = count };
	struct vex_sketch rotated;

	if (!vex_sketch_possible(type, metric, dim) ||
	    bits > VEX_SKETCH_BITS_MAX || count < VEX_SKETCH_SAMPLE_MIN ||
	    count > VEX_SKETCH_SAMPLE_MAX)
		return -EINVAL;
	memset(sketch, 0, sizeof(*sketch));
	choice.row_bytes = (size_t)dim * vex_type_bytes(type);
	choice.centre = centre;
	divide_choice(&choice, dim, memory);
	if (!bits)
		bits = dim <= SHORT_DIM ? 3 : 2;
	sketch->type = type;
	sketch->metric = metric;
	sketch->dim = dim;
	sketch->bits = min_t(u32, bits, widest(dim).bits);
	sketch->coarse_bits = 1;
	sketch->tail_bits = tail_bits(dim, sketch->bits);
	vex_sketch_complete(sketch);
	choose_unit(sketch, &choice);
	find_centre(sketch, &choice);
	choose_fine_step(sketch, &choice);

	rotated = *sketch;
	rotated.rounds = 2;
	rotated.seed = 0x9e3779b97f4a7c15ull;
	/* It costs time for each query, so it has to be worth that. */
	if (trial_error(rotated, &choice) <
	    trial_error(*sketch, &choice) / 10 * 9)
		*sketch = rotated;
	return 0;
}
