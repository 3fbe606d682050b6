// SPDX-License-Identifier: Apache-2.0
/*
 * Inverted lists on real rows, in one process beside FAISS IVF with as many
 * lists: the time to build, and recall@10 against queries a second over the
 * lists that are probed, each candidate's distance computed exactly. Run by
 * tests/bench/lists; the core is compiled with the kernel's flags.
 *
 * Usage: lists_speed NAME TYPE METRIC DIM ROWS QUERIES [LISTS [CANDIDATES
 * [COUNT [PEERS]]]], files of raw elements; 0 or nothing for what is usual.
 * Without PEERS (0 to 2) FAISS' flat and quantised lists are measured too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../kernel/core/lists_sketch.h"
#include "../../kernel/core/topk.h"
#include "brute_avx2.h"
#include "lists_faiss.h"

#define K 10u
#define SAMPLE 512u
#define REPEAT 5u

struct data {
	const char *name;
	u32 type;
	u32 metric;
	u32 dim;
	u64 rows;
	u32 queries;
	u8 *row;
	u8 *query;
	size_t row_bytes;
	u64 *truth;
	struct vex_sketch sketch;
	s32 *centre;
	struct vex_pages sketches;
	struct vex_pages fork;
	struct vex_lists lists;
	struct vex_lists_sketch codes;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *allocate(size_t bytes)
{
	void *memory = aligned_alloc(4096, (bytes + 8191) & ~4095ul);

	if (!memory)
		exit(1);
	memset(memory, 0, bytes);
	return memory;
}

static u8 *read_file(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");
	u8 *data;

	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(1);
	}
	*bytes = (size_t)ftell(f);
	rewind(f);
	data = allocate(*bytes);
	if (fread(data, 1, *bytes, f) != *bytes)
		exit(1);
	fclose(f);
	return data;
}

/* For cosine: brute force and FAISS compare products. */
static void normalise(float *rows, u64 count, u32 dim)
{
	u32 i;

	for (; count--; rows += dim) {
		double square = 0;

		for (i = 0; i < dim; i++)
			square += (double)rows[i] * rows[i];
		for (i = 0; square > 0 && i < dim; i++)
			rows[i] = (float)(rows[i] / sqrt(square));
	}
}

static void brute(struct data *data)
{
	struct brute_base base = { data->row, data->rows, data->dim,
				   data->type == VEX_TYPE_U8,
				   data->metric != VEX_METRIC_L2 };
	struct brute_result found[K];
	u32 query, i;

	data->truth = allocate(sizeof(u64) * K * data->queries);
	for (query = 0; query < data->queries; query++) {
		brute_avx2_search(&base, data->query + query * data->row_bytes,
				  1, K, found);
		for (i = 0; i < K; i++)
			data->truth[query * K + i] = found[i].id;
	}
}

static void encode(struct data *data)
{
	void *memory = allocate(vex_sketch_choose_bytes(data->dim));
	u8 *sample = allocate(SAMPLE * data->row_bytes);
	void *scratch;
	double start;
	u64 row;

	for (row = 0; row < SAMPLE; row++)
		memcpy(sample + row * data->row_bytes,
		       data->row + data->rows * row / SAMPLE * data->row_bytes,
		       data->row_bytes);
	data->centre = allocate(sizeof(s32) * data->dim);
	if (vex_sketch_choose(&data->sketch, data->centre, data->type,
			      data->metric, data->dim, 0, sample, SAMPLE,
			      memory))
		exit(2);
	vex_pages_init(&data->sketches, data->sketch.record_bytes);
	data->sketches.pages = data->rows / data->sketches.per_page + 1;
	data->sketches.page = allocate(data->sketches.pages * sizeof(void *));
	for (row = 0; row < data->sketches.pages; row++)
		data->sketches.page[row] = allocate(VEX_PAGE_BYTES);
	scratch = allocate(vex_sketch_scratch_bytes(&data->sketch));
	start = now();
	for (row = 0; row < data->rows; row++)
		vex_sketch_encode(&data->sketch, data->centre,
				  data->row + row * data->row_bytes,
				  vex_pages_peek(&data->sketches, row),
				  scratch);
	printf("%s: %lu rows of %u; %u bits, %u rounds; %.0f rows/s encoded\n",
	       data->name, data->rows, data->dim, data->sketch.bits,
	       data->sketch.rounds, (double)data->rows / (now() - start));
	free(memory);
	free(sample);
}

static int get_values(void *context, u64 row, s32 *values)
{
	struct data *data = context;

	vex_lists_sketch_values(&data->codes,
				data->row + row * data->row_bytes, values);
	return 0;
}

static void prepare(void *context, const s32 *values, void *query)
{
	vex_lists_sketch_prepare(&((struct data *)context)->codes, values,
				 query);
}

static void encode_centroid(void *context, const s32 *values, void *record)
{
	vex_lists_sketch_encode(&((struct data *)context)->codes, values,
				record);
}

static int emit(void *context, u64 page, const void *content)
{
	struct data *data = context;

	if (page >= data->fork.pages)
		exit(3);
	data->fork.page[page] = allocate(VEX_PAGE_BYTES);
	memcpy(data->fork.page[page], content, VEX_RECORD_BYTES_MAX);
	return 0;
}

static double build(struct data *data, u32 number)
{
	struct vex_lists_source source = {
		.kmeans = {
			.context = data,
			.values = get_values,
			.prepare = prepare,
			.score = vex_lists_sketch_compare,
			.sketches = &data->sketches,
			.dim = data->dim,
			.query_bytes = vex_lists_sketch_query_bytes(
				&data->sketch),
			.spherical = vex_lists_sketch_spherical(&data->sketch),
		},
		.encode = encode_centroid,
		.emit = emit,
	};
	struct vex_lists_build how = {
		.lists = number,
		.dim = data->dim,
		.record_bytes = data->sketch.record_bytes,
		.query_bytes = source.kmeans.query_bytes,
		.run_rows = data->rows,
		.train = true,
	};
	size_t bytes = vex_lists_builder_bytes(&how);
	struct vex_lists_builder *builder;
	double start, trained;

	data->fork.pages = data->sketches.pages * 2 + 10000;
	data->fork.page = allocate(data->fork.pages * sizeof(void *));
	vex_lists_sketch_init(&data->codes, &data->sketch, data->centre,
			      allocate(vex_lists_sketch_bytes(&data->sketch)));
	builder = vex_lists_builder_init(allocate(bytes), &how, &source);
	start = now();
	if (vex_lists_init(&data->lists, number, data->dim, how.record_bytes,
			   0) ||
	    vex_lists_train(builder, &data->lists, data->rows, VEX_KMEANS_SEED))
		exit(4);
	trained = now();
	if (vex_lists_write_run(builder, &data->lists, data->rows))
		exit(4);
	printf("  vexfs: %u lists: trained in %.2f s, rows in lists after %.2f s more: %.0f rows/s; %.1f MB to build, %.1f bytes a row on disk\n",
	       number, trained - start, now() - trained,
	       (double)data->rows / (now() - start), (double)bytes / 1e6,
	       (double)data->lists.end * VEX_PAGE_BYTES / (double)data->rows);
	return now() - start;
}

static int same(void *context, const struct vex_entry *a,
		const struct vex_entry *b, int *result)
{
	(void)context;
	*result = a->lo < b->lo ? -1 : a->lo > b->lo;
	return 0;
}

struct room {
	void *lists;
	void *query;
	void *exact;
	void *scratch;
};

/* One search: prepare the query, probe, look exactly. Returns rows found. */
static u32 search(struct data *data, struct room *room, u32 number, u32 effort,
		  u32 candidates, u64 *found, u64 *scored)
{
	const u8 *elements = data->query + number * data->row_bytes;
	struct vex_shape shape = { data->type, data->type, data->metric,
				   data->dim, 1 };
	struct vex_lists_query query = {
		.score = vex_lists_sketch_score,
		.effort = effort,
		.candidates = candidates,
		.shares = 1,
		.rows = data->rows,
	};
	struct vex_lists_result result;
	struct vex_sketch_query *prepared;
	struct vex_entry entries[K];
	struct vex_search *exact;
	struct vex_topk top;
	u32 i;

	if (vex_sketch_query_prepare(room->query, &data->sketch, data->centre,
				     data->type, elements,
				     VEX_SKETCH_QUERY_BITS, room->scratch,
				     &prepared))
		exit(5);
	query.query = prepared;
	if (vex_lists_search(&data->lists, &data->fork, &query, room->lists,
			     &result))
		exit(5);
	*scored += result.scored;
	exact = vex_search_init(room->exact, &shape);
	memcpy(vex_search_query(exact, 0), elements, data->row_bytes);
	vex_search_prepare(exact, NULL);
	vex_topk_init(&top, entries, K, same, NULL);
	for (i = 0; i < result.count; i++) {
		struct vex_interval interval;
		struct vex_entry entry;
		u64 row = result.hits[i].row;

		if (i + 4 < result.count)
			__builtin_prefetch(data->row + result.hits[i + 4].row *
					   data->row_bytes);
		vex_distance_row(exact, 0, data->row + row * data->row_bytes,
				 vex_topk_limit(&top), &interval);
		entry = (struct vex_entry){ interval.lo, interval.hi, row, row };
		vex_topk_offer(&top, &entry);
	}
	vex_topk_sort(&top);
	for (i = 0; i < top.count; i++)
		found[i] = entries[i].row;
	return top.count;
}

static u32 agree(const struct data *data, u32 query, const u64 *found,
		 u32 count)
{
	u32 right = 0;
	u32 i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < K; j++)
			right += found[i] == data->truth[query * K + j];
	return right;
}

static void run_effort(struct data *data, struct room *room, u32 effort,
		       u32 candidates)
{
	double best = 1e9;
	u64 scored = 0;
	u32 right = 0;
	u32 pass, query;

	for (pass = 0; pass < REPEAT; pass++) {
		double start = now();

		right = 0;
		scored = 0;
		for (query = 0; query < data->queries; query++) {
			u64 found[K];
			u32 count = search(data, room, query, effort,
					   candidates, found, &scored);

			right += agree(data, query, found, count);
		}
		best = min(best, now() - start);
	}
	printf("  vexfs  probe %4u, %3u candidates: recall %.4f, %7.0f queries/s, %6.0f codes\n",
	       effort, candidates, (double)right / K / data->queries,
	       data->queries / best, (double)scored / data->queries);
}

static void run_faiss(const struct data *data, const float *queries,
		      void *index, const char *name, u32 effort)
{
	int64_t *ids = allocate((size_t)data->queries * K * sizeof(*ids));
	double best = 1e9;
	u32 right = 0;
	u32 pass, query, i;

	for (pass = 0; pass < REPEAT; pass++) {
		double start = now();

		for (query = 0; query < data->queries; query++)
			lists_faiss_search(index, queries + (size_t)query *
					   data->dim, K, effort,
					   ids + (size_t)query * K);
		best = min(best, now() - start);
	}
	for (query = 0; query < data->queries; query++) {
		u64 found[K];

		for (i = 0; i < K; i++)
			found[i] = (u64)ids[(size_t)query * K + i];
		right += agree(data, query, found, K);
	}
	printf("  %s probe %4u: recall %.4f, %7.0f queries/s\n", name, effort,
	       (double)right / K / data->queries, data->queries / best);
	free(ids);
}

static float *widen(const struct data *data, const u8 *from, u64 rows)
{
	float *wide = allocate(rows * data->dim * sizeof(float));
	u64 i;

	if (data->type == VEX_TYPE_F32)
		memcpy(wide, from, rows * data->row_bytes);
	else
		for (i = 0; i < rows * data->dim; i++)
			wide[i] = from[i];
	return wide;
}

int main(int argc, char **argv)
{
	static const u32 efforts[] = { 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96,
				       128, 256 };
	struct data data = { 0 };
	struct room room;
	struct vex_shape shape;
	u32 number, candidates, peers, i;
	float *rows, *queries;
	size_t bytes;
	void *faiss;

	if (argc < 7)
		return 2;
	data.name = argv[1];
	data.type = strcmp(argv[2], "u8") ? VEX_TYPE_F32 : VEX_TYPE_U8;
	data.metric = strcmp(argv[3], "l2") == 0 ? VEX_METRIC_L2 :
		      strcmp(argv[3], "ip") == 0 ? VEX_METRIC_IP :
						   VEX_METRIC_COSINE;
	data.dim = (u32)atoi(argv[4]);
	data.row_bytes = (size_t)data.dim * vex_type_bytes(data.type);
	data.row = read_file(argv[5], &bytes);
	data.rows = bytes / data.row_bytes;
	data.query = read_file(argv[6], &bytes);
	data.queries = min_t(u32, 1000, (u32)(bytes / data.row_bytes));
	number = argc > 7 && atoi(argv[7]) ? (u32)atoi(argv[7]) :
					     vex_lists_number(data.rows);
	candidates = argc > 8 && atoi(argv[8]) ? (u32)atoi(argv[8]) : 40;
	if (argc > 9 && atoi(argv[9]))
		data.queries = min_t(u32, data.queries, (u32)atoi(argv[9]));
	peers = argc > 10 ? (u32)atoi(argv[10]) : 2;
	shape = (struct vex_shape){ data.type, data.type, data.metric, data.dim,
				    1 };
	if (data.metric == VEX_METRIC_COSINE) {
		normalise((float *)data.row, data.rows, data.dim);
		normalise((float *)data.query, data.queries, data.dim);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	brute(&data);
	encode(&data);
	build(&data, number);
	room.lists = allocate(vex_lists_search_bytes(&data.lists, number,
						     candidates));
	room.query = allocate(vex_sketch_query_bytes(&data.sketch,
						     VEX_SKETCH_QUERY_BITS));
	room.exact = allocate(vex_search_bytes(&shape));
	room.scratch = allocate(vex_sketch_scratch_bytes(&data.sketch));
	for (i = 0; i < ARRAY_SIZE(efforts) && efforts[i] <= number / 2; i++)
		run_effort(&data, &room, efforts[i], candidates);

	rows = widen(&data, data.row, data.rows);
	queries = widen(&data, data.query, data.queries);
	for (i = 0; i < peers; i++) {
		const char *name = i ? "faiss ivf-pq4fs+refine" :
				       "faiss ivf-flat";
		double start = now();
		u32 e;

		faiss = lists_faiss_build(rows, data.rows, data.dim, number,
					  data.metric != VEX_METRIC_L2, i);
		printf("  %s: %u lists built in %.2f s\n", name, number,
		       now() - start);
		for (e = 0; e < ARRAY_SIZE(efforts) && efforts[e] <= number / 2;
		     e += 1)
			run_faiss(&data, queries, faiss, name, efforts[e]);
	}
	return 0;
}
