// SPDX-License-Identifier: Apache-2.0
/*
 * What sketches cost and give on real rows, in one process beside brute force
 * with AVX2: encoding, preparing queries, the scan for each number of bits, and
 * whole searches, by the likely bound and by the sure one, whose survivors are
 * looked at by the exact distances of the core. Run by tests/bench/sketch; the
 * core is compiled with the kernel's flags.
 *
 * Usage: sketch_speed NAME TYPE METRIC DIM ROWS QUERIES [COUNT [BITS [COARSE
 * [ROUNDS]]]], files of raw elements; 0 or nothing for what the core chooses.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../kernel/core/pages.h"
#include "../../kernel/core/sketch_types.h"
#include "../../kernel/core/topk.h"
#include "brute_avx2.h"

#define K 10u
#define SAMPLE 512u
/* Rows among which the first limit is looked for. */
#define SEED_ROWS 512u
/* Rows that are put off at a time. */
#define HELD 16384u

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
};

struct file {
	struct vex_sketch sketch;
	s32 *centre;
	u8 *pages;
	u64 count;
	u32 per_page;
	void *scratch;
	void *memory[2];
};

struct tally {
	double ns;
	u64 found;
	u64 exact;
	u64 coarse;
	u64 fine;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *allocate(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 127) & ~63ul);

	if (!memory)
		exit(1);
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

static void encode(const struct data *data, struct file *file)
{
	double start = now();
	u64 row, marked = 0;

	vex_sketch_complete(&file->sketch);
	file->per_page = file->sketch.per_page;
	file->count = (data->rows + file->per_page - 1) / file->per_page;
	/* As the kernel's memory, which is mapped by large pages. */
	file->pages = aligned_alloc(1 << 21, (file->count * VEX_PAGE_BYTES |
					      ((1 << 21) - 1)) + 1);
	madvise(file->pages, file->count * VEX_PAGE_BYTES, MADV_HUGEPAGE);
	file->scratch = allocate(vex_sketch_scratch_bytes(&file->sketch));
	file->memory[0] = allocate(vex_sketch_query_bytes(
		&file->sketch, VEX_SKETCH_QUERY_BITS));
	file->memory[1] = allocate(vex_sketch_query_bytes(
		&file->sketch, VEX_SKETCH_QUERY_BITS_FINE));
	memset(file->pages, 0, file->count * VEX_PAGE_BYTES);
	start = now();
	for (row = 0; row < data->rows; row++)
		marked += !vex_sketch_encode_page(
			&file->sketch, file->centre,
			data->row + row * data->row_bytes,
			file->pages + row / file->per_page * VEX_PAGE_BYTES,
			(u32)(row % file->per_page), file->scratch);
	start = now() - start;
	printf("  %u + %u bits (%u first), %u rounds, %.1f bytes: %.0f rows/s encoded, %lu marked\n",
	       file->sketch.bits, file->sketch.tail_bits,
	       file->sketch.coarse_bits, file->sketch.rounds,
	       (double)VEX_PAGE_BYTES / file->per_page,
	       1e9 * (double)data->rows / start, marked);
}

static struct vex_sketch_query *prepare(const struct data *data,
					const struct file *file, u32 query,
					u32 bits)
{
	struct vex_sketch_query *q;

	if (vex_sketch_query_prepare(file->memory[bits != 4], &file->sketch,
				     file->centre, data->type,
				     data->query + query * data->row_bytes,
				     bits, file->scratch, &q))
		exit(2);
	return q;
}

static int same(void *context, const struct vex_entry *a,
		const struct vex_entry *b, int *result)
{
	(void)context;
	*result = a->lo < b->lo ? -1 : a->lo > b->lo;
	return 0;
}

struct run {
	const struct data *data;
	const struct file *file;
	struct vex_sketch_query *query;
	struct vex_sketch_query *fine;
	struct vex_search *search;
	struct vex_topk top;
	u32 accuracy;
	s64 limit;
	s64 near;
	struct vex_sketch_hit *held;
	u32 count;
	struct tally *tally;
};

static const u8 *page_at(const struct file *file, u64 page)
{
	return file->pages + page * VEX_PAGE_BYTES;
}

static const void *record_at(const struct file *file, u64 row)
{
	return page_at(file, row / file->per_page) +
	       row % file->per_page * file->sketch.record_bytes;
}

static u32 rows_at(const struct run *run, u64 page)
{
	return (u32)min_t(u64, run->file->per_page,
			  run->data->rows - page * run->file->per_page);
}

static void set_limit(struct run *run)
{
	s64 limit = vex_topk_limit(&run->top);

	if (limit == run->limit)
		return;
	run->limit = limit;
	vex_sketch_query_limit(run->query, limit, run->accuracy);
	vex_sketch_query_limit(run->fine, limit, run->accuracy);
	run->near = vex_sketch_query_score(run->query, limit);
}

static void look(struct run *run, u64 row)
{
	s64 limit = vex_topk_limit(&run->top);
	struct vex_interval interval;
	struct vex_entry entry;
	u32 i;

	for (i = 0; i < run->top.count; i++)
		if (run->top.entries[i].row == row)
			return;
	run->tally->exact++;
	vex_distance_row(run->search, 0,
			 run->data->row + row * run->data->row_bytes, limit,
			 &interval);
	entry = (struct vex_entry){ interval.lo, interval.hi, row, row };
	if (interval.lo <= limit && vex_topk_offer(&run->top, &entry) > 0)
		set_limit(run);
}

/* Those that were put off and would not be any more are forgotten. */
static void sift(struct run *run)
{
	u32 n = 0, i;

	for (i = 0; i < run->count; i++)
		if (vex_sketch_bound_passes(run->query, run->held[i].bound) &&
		    vex_sketch_hit_passes(run->query,
					  record_at(run->file,
						    run->held[i].index),
					  &run->held[i]))
			run->held[n++] = run->held[i];
	run->count = n;
}

/* Look at what was put off: first by all that codes tell. */
static void flush(struct run *run)
{
	u32 n = 0, i;

	sift(run);
	run->tally->fine += run->count;
	for (i = 0; i < run->count; i++) {
		u64 row = run->held[i].index;

		if (vex_sketch_page_passes(run->fine,
					   page_at(run->file,
						   row / run->file->per_page),
					   (u32)(row % run->file->per_page)))
			run->held[n++] = run->held[i];
	}
	for (i = 0; i < n; i++)
		look(run, run->held[i].index);
	run->count = 0;
}

static void offer(struct run *run, const struct vex_sketch_hit *hits, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (hits[i].score <= run->near) {
			look(run, hits[i].index);
		} else if (vex_sketch_bound_passes(run->query, hits[i].bound)) {
			run->tally->coarse++;
			run->held[run->count++] = hits[i];
			if (run->count < HELD)
				continue;
			sift(run);
			if (run->count > HELD / 2)
				flush(run);
		}
	}
}

/* The rows with the least scores of some from all over the file. */
static void seed(struct run *run)
{
	static struct vex_sketch_hit hits[VEX_PAGE_BYTES];
	struct vex_sketch_hit best[K];
	const struct file *file = run->file;
	u64 step = 1 + file->count * file->per_page / SEED_ROWS;
	u64 page, passed = 0, seen = 0;
	u32 held = 0;
	u32 i, j;

	for (page = 0; page < file->count; page += step) {
		u32 rows = rows_at(run, page);
		u32 count = vex_sketch_scan(run->query, page_at(file, page),
					    rows,
					    page_at(file, page + step),
					    page * file->per_page, hits);

		for (i = 0; i < count; i++) {
			if (held == K && hits[i].score >= best[K - 1].score)
				continue;
			held += held < K;
			for (j = held - 1; j > 0 &&
			     best[j - 1].score > hits[i].score; j--)
				best[j] = best[j - 1];
			best[j] = hits[i];
		}
	}
	for (i = 0; i < held; i++)
		look(run, best[i].index);
	if (run->query->tables || run->accuracy != VEX_SKETCH_SURE)
		return;
	/* Would the first look spare anything? */
	for (page = 0; page < file->count; page += step) {
		seen += rows_at(run, page);
		passed += vex_sketch_first_passes(run->query,
						  page_at(file, page),
						  rows_at(run, page), hits);
	}
	if (passed > seen / 2)
		vex_sketch_query_skip(run->query);
}

static void search(const struct data *data, const struct file *file, u32 query,
		   bool sure, u32 accuracy, void *exact, struct tally *tally)
{
	static struct vex_sketch_hit hits[VEX_PAGE_BYTES], held[HELD];
	struct vex_entry entries[K];
	struct run run = { .data = data, .file = file, .held = held,
			   .accuracy = sure ? VEX_SKETCH_SURE : accuracy,
			   .limit = S64_MAX, .near = S64_MAX,
			   .tally = tally };
	struct vex_shape shape = { data->type, data->type, data->metric,
				   data->dim, 1 };
	double start = now();
	u64 page;
	u32 i, j;

	run.query = prepare(data, file, query, VEX_SKETCH_QUERY_BITS);
	run.fine = prepare(data, file, query, VEX_SKETCH_QUERY_BITS_FINE);
	if (sure && vex_sketch_tables_bytes(&file->sketch)) {
		static u64 tables[8192] __attribute__((aligned(64)));

		run.query = run.fine;
		vex_sketch_query_tables(run.fine, tables);
	}
	run.search = vex_search_init(exact, &shape);
	memcpy(vex_search_query(run.search, 0),
	       data->query + query * data->row_bytes, data->row_bytes);
	vex_search_prepare(run.search, NULL);
	vex_topk_init(&run.top, entries, K, same, NULL);
	seed(&run);
	for (page = 0; page < file->count; page++)
		offer(&run, hits,
		      vex_sketch_scan(run.query, page_at(file, page),
				      rows_at(&run, page),
				      page_at(file, page + 1), page * file->per_page, hits));
	flush(&run);
	vex_topk_sort(&run.top);
	tally->ns += now() - start;
	for (i = 0; i < run.top.count; i++)
		for (j = 0; j < K; j++)
			tally->found += entries[i].row ==
					data->truth[query * K + j];
}

/* One query by AVX2: between ours, as what disturbs one disturbs the other. */
static double brute_once(const struct data *data, u32 query)
{
	struct brute_base base = { data->row, data->rows, data->dim,
				   data->type == VEX_TYPE_U8,
				   data->metric != VEX_METRIC_L2 };
	struct brute_result found[K];
	double start = now();

	brute_avx2_search(&base, data->query + query * data->row_bytes, 1, K,
			  found);
	return now() - start;
}

static void searches(const struct data *data, const struct file *file,
		     bool sure, u32 accuracy)
{
	struct vex_shape shape = { data->type, data->type, data->metric,
				   data->dim, 1 };
	void *exact = allocate(vex_search_bytes(&shape));
	struct tally tally = { 0 };
	double n = data->queries;
	double brute = 0;
	u32 i;

	for (i = 0; i < data->queries; i++) {
		brute += brute_once(data, i);
		search(data, file, i, sure, accuracy, exact, &tally);
	}
	printf("    %-6s z %.2f: %8.1f us, %5.2f x avx2, %5.2f ns a row; recall %.4f; passed %.0f, fine %.0f, exact %.0f\n",
	       sure ? "sure" : "likely", accuracy / 256.0, tally.ns / n / 1e3,
	       brute / tally.ns, tally.ns / n / (double)data->rows,
	       (double)tally.found / n / K, (double)tally.coarse / n,
	       (double)tally.fine / n, (double)tally.exact / n);
	free(exact);
}

/* The scan alone, when nothing passes, and what a query costs beforehand. */
static void scans(const struct data *data, const struct file *file)
{
	static struct vex_sketch_hit hits[VEX_PAGE_BYTES];
	struct vex_sketch_query *query = prepare(data, file, 0, 4);
	double best = 1e18;
	double start;
	u32 pass, i;
	u64 page;

	vex_sketch_query_limit(query, VEX_KEY_MINUS_INFINITY, VEX_SKETCH_SURE);
	for (pass = 0; pass < 7; pass++) {
		u32 count = 0;

		start = now();
		for (page = 0; page < file->count; page++)
			count += vex_sketch_scan(query,
				file->pages + page * VEX_PAGE_BYTES,
				(u32)min_t(u64, file->per_page, data->rows -
					   page * file->per_page),
				page_at(file, page + 1), 0, hits);
		start = now() - start;
		best = start < best ? start : best;
	}
	printf("    scan %.2f ns a row;", best / (double)data->rows);
	for (i = 4; i <= 8; i += 4) {
		start = now();
		for (pass = 0; pass < 200; pass++)
			prepare(data, file, pass % data->queries, i);
		printf(" query of %u bits %.1f us;", i,
		       (now() - start) / 200e3);
	}
	start = now();
	for (pass = 0; pass < 1000; pass++)
		vex_sketch_query_limit(query, vex_key_from_double(
			VEX_DOUBLE_ONE), VEX_SKETCH_LIKELY);
	printf(" limit %.0f ns\n", (now() - start) / 1000);
}

static void brute(struct data *data)
{
	struct brute_base base = { data->row, data->rows, data->dim,
				   data->type == VEX_TYPE_U8,
				   data->metric != VEX_METRIC_L2 };
	struct brute_result *found = allocate(sizeof(*found) * K);
	u32 query, i;

	data->truth = allocate(sizeof(u64) * K * data->queries);
	for (query = 0; query < data->queries; query++) {
		brute_avx2_search(&base, data->query + query * data->row_bytes,
				  1, K, found);
		for (i = 0; i < K; i++)
			data->truth[query * K + i] = found[i].id;
	}
	free(found);
	printf("%s: %lu rows of %u\n", data->name, data->rows, data->dim);
}

static void choose(const struct data *data, struct file *file, u32 bits)
{
	void *memory = allocate(vex_sketch_choose_bytes(data->dim));
	u8 *sample = allocate(SAMPLE * data->row_bytes);
	double start;
	u32 i;

	for (i = 0; i < SAMPLE; i++)
		memcpy(sample + i * data->row_bytes,
		       data->row + data->rows * i / SAMPLE * data->row_bytes,
		       data->row_bytes);
	file->centre = allocate(sizeof(s32) * data->dim);
	start = now();
	if (vex_sketch_choose(&file->sketch, file->centre, data->type,
			      data->metric, data->dim, bits, sample, SAMPLE,
			      memory))
		exit(2);
	printf("  chosen in %.1f ms: unit %d\n", (now() - start) / 1e6,
	       file->sketch.unit);
	free(memory);
	free(sample);
}

int main(int argc, char **argv)
{
	struct data data = { 0 };
	struct file file = { 0 };
	size_t bytes;
	u32 z;

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
	data.queries = (u32)(bytes / data.row_bytes);
	if (argc > 7 && atoi(argv[7]))
		data.queries = min_t(u32, data.queries, (u32)atoi(argv[7]));
	brute(&data);
	choose(&data, &file, argc > 8 ? (u32)atoi(argv[8]) : 0);
	if (argc > 9 && atoi(argv[9]))
		file.sketch.coarse_bits = (u32)atoi(argv[9]);
	if (argc > 10) {
		file.sketch.rounds = (u32)atoi(argv[10]);
		file.sketch.seed = 0x9e3779b97f4a7c15ull;
	}
	encode(&data, &file);
	scans(&data, &file);
	for (z = 256; z <= 384; z += 128)
		searches(&data, &file, false, z);
	searches(&data, &file, true, VEX_SKETCH_LIKELY);
	return 0;
}
