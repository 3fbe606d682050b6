// SPDX-License-Identifier: Apache-2.0
/*
 * Builds graphs over the rows of one data set, VexFS' (kernel/core/graph.h,
 * compiled with the kernel's flags) and hnswlib's, and walks both in turns in
 * one process on one CPU. VexFS' time includes preparing the query, and exact
 * distances of the best candidates from the rows.
 *
 * Usage: graph_speed SET BITS FINE ROUNDS
 * SET is a directory of tests/bench/sets.py; BITS those of a code, 0: chosen;
 * FINE how many exact distances a query takes at least. Prints "build SYSTEM
 * ROWS-PER-SECOND" and "walk SYSTEM EFFORT RECALL QUERIES-PER-SECOND" of the
 * quickest round.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../kernel/core/graph.h"
#include "../../kernel/core/sketch.h"
#include "graph_peer.h"

#define K 10u
#define EFFORT_MOST 800u
#define SAMPLE 256u

static const u32 efforts[] = { 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320,
			       480, 640, 800 };

struct setting {
	u32 dim;
	u32 type;
	u32 metric;
	u32 fine;
	size_t row_bytes;
	u64 rows;
	u64 queries;
	const u8 *matrix;
	const u8 *asked;
	const u32 *truth;
	u32 depth;
	struct vex_sketch sketch;
	s32 *centre;
	void *scratch;
	void *query_memory;
	struct vex_pages nodes;
	struct vex_pages codes;
	struct vex_graph graph;
	struct vex_graph_walker *walker;
	struct vex_search *exact;
};

static void *need(void *memory)
{
	if (!memory)
		exit(1);
	return memory;
}

static void *room(size_t bytes)
{
	bytes = (bytes + 63) & ~(size_t)63;
	return memset(need(aligned_alloc(64, bytes)), 0, bytes);
}

static void *read_file(const char *set, const char *name, size_t *bytes)
{
	char path[4096];
	FILE *file;
	void *data;

	snprintf(path, sizeof(path), "%s/%s", set, name);
	file = need(fopen(path, "rb"));

	fseek(file, 0, SEEK_END);
	*bytes = (size_t)ftell(file);
	rewind(file);
	data = room(*bytes);
	if (fread(data, 1, *bytes, file) != *bytes)
		exit(1);
	fclose(file);
	return data;
}

static bool read_set(struct setting *s, const char *set)
{
	char type[16], metric[16];
	size_t bytes;
	const char *line = read_file(set, "set", &bytes);

	if (sscanf(line, "%*s %*s %u %15s %15s %*s %u", &s->dim, type, metric,
		   &s->depth) != 4)
		return false;
	s->type = strcmp(type, "u8") ? VEX_TYPE_F32 : VEX_TYPE_U8;
	s->metric = !strcmp(metric, "l2") ? VEX_METRIC_L2 :
		    !strcmp(metric, "ip") ? VEX_METRIC_IP : VEX_METRIC_COSINE;
	s->row_bytes = s->dim * vex_type_bytes(s->type);
	s->matrix = read_file(set, "base", &bytes);
	s->rows = bytes / s->row_bytes;
	s->asked = read_file(set, "queries", &bytes);
	s->queries = bytes / s->row_bytes;
	s->truth = read_file(set, "truth.ids", &bytes);
	return bytes == s->queries * s->depth * sizeof(u32);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As the page cache would hold them: pages all over, pointers to each. */
static void make_pages(struct vex_pages *pages, u32 record_bytes, u64 count)
{
	u64 i;

	vex_pages_init(pages, record_bytes);
	pages->pages = count / pages->per_page + 8;
	pages->page = room(pages->pages * sizeof(void *));
	for (i = 0; i < pages->pages; i++) {
		pages->page[i] = need(aligned_alloc(VEX_PAGE_BYTES,
						    VEX_PAGE_BYTES));
		memset(pages->page[i], 0, VEX_PAGE_BYTES);
	}
}

static const u8 *row_at(const struct setting *s, u64 row)
{
	return s->matrix + row * s->row_bytes;
}

static int query_of_row(void *context, u64 row, void **query)
{
	struct setting *s = context;
	struct vex_sketch_query *made;
	int err = vex_sketch_query_prepare(s->query_memory, &s->sketch,
					   s->centre, s->type, row_at(s, row),
					   VEX_SKETCH_QUERY_BITS, s->scratch,
					   &made);

	*query = made;
	return err;
}

static int fine_of_row(void *context, u64 row, u8 *elements)
{
	struct setting *s = context;

	vex_sketch_fine(&s->sketch, s->centre, row_at(s, row), elements,
			s->scratch);
	return 0;
}

static void encode(struct setting *s, u32 bits)
{
	u8 *sample = room(SAMPLE * s->row_bytes);
	u32 count = (u32)min_t(u64, s->rows, SAMPLE), i;
	u64 row;

	s->centre = room(s->dim * sizeof(s32));
	for (i = 0; i < count; i++)
		memcpy(sample + i * s->row_bytes,
		       row_at(s, i * s->rows / count), s->row_bytes);
	if (vex_sketch_choose(&s->sketch, s->centre, s->type, s->metric, s->dim,
			      bits, sample, count,
			      room(vex_sketch_choose_bytes(s->dim))))
		exit(1);
	free(sample);
	s->scratch = room(vex_sketch_scratch_bytes(&s->sketch));
	s->query_memory = room(vex_sketch_query_bytes(&s->sketch,
						      VEX_SKETCH_QUERY_BITS));
	make_pages(&s->codes, s->sketch.record_bytes, s->rows);
	for (row = 0; row < s->rows; row++)
		vex_sketch_encode(&s->sketch, s->centre, row_at(s, row),
				  vex_pages_peek(&s->codes, row), s->scratch);
	printf("# %u bits, %u rounds, %u bytes a code\n", s->sketch.bits,
	       s->sketch.rounds, s->sketch.record_bytes);
}

static void build(struct setting *s)
{
	struct vex_graph_build how = {
		.dim = s->dim, .effort = VEX_GRAPH_BUILD_EFFORT,
		.inner_product = s->metric == VEX_METRIC_IP,
		.cache_bytes = s->rows * vex_graph_fine_bytes(s->dim),
	};
	struct vex_graph_source source = {
		.nodes = &s->nodes, .codes = &s->codes, .rows = s->rows,
		.ahead = vex_sketch_near_bytes(&s->sketch),
		.score = vex_sketch_near_scores, .query = query_of_row,
		.fine = fine_of_row, .context = s,
	};
	struct vex_graph_builder *builder;
	void *cache = room(how.cache_bytes);
	u64 row;

	make_pages(&s->nodes, VEX_GRAPH_PAGE_BYTES, vex_graph_pages(s->rows));
	vex_graph_init(&s->graph, 1, how.effort);
	builder = vex_graph_builder_init(room(vex_graph_builder_bytes(&how)),
					 cache, &how);
	for (row = 0; row < s->rows; row++)
		if (vex_graph_insert(builder, &s->graph, &source, row))
			exit(1);
	free(cache);
	s->walker = vex_graph_walker_init(
		room(vex_graph_walker_bytes(EFFORT_MOST, 0)), EFFORT_MOST, 0);
}

static void ready_exact(struct setting *s)
{
	struct vex_shape shape = {
		.type = s->type, .query_type = s->type, .metric = s->metric,
		.dim = s->dim, .queries = 1,
	};

	s->exact = vex_search_init(room(vex_search_bytes(&shape)), &shape);
}

/* The 10 nearest of the candidates by exact distances. */
static void refine(struct setting *s, const struct vex_graph_result *result,
		   u32 exact, u32 *rows)
{
	s64 keys[K];
	u32 i, j, n = 0;

	exact = min(exact, result->count);
	for (i = 0; i < exact; i++) {
		u32 row = (u32)result->hits[i].row;
		struct vex_interval interval;

		if (i + 2 < exact) {
			const u8 *ahead = row_at(s, result->hits[i + 2].row);

			for (j = 0; j < s->row_bytes; j += 64)
				__builtin_prefetch(ahead + j);
		}
		vex_distance_row(s->exact, 0, row_at(s, row),
				 n == K ? keys[K - 1] : S64_MAX, &interval);
		if (n == K && interval.lo >= keys[K - 1])
			continue;
		for (j = n < K ? n++ : K - 1; j && keys[j - 1] > interval.lo;
		     j--) {
			keys[j] = keys[j - 1];
			rows[j] = rows[j - 1];
		}
		keys[j] = interval.lo;
		rows[j] = row;
	}
	for (; n < K; n++)
		rows[n] = U32_MAX;
}

static void ask(struct setting *s, u64 number, u32 effort, u32 *rows)
{
	const u8 *elements = s->asked + number * s->row_bytes;
	struct vex_graph_query query = {
		.nodes = &s->nodes, .codes = &s->codes,
		.ahead = vex_sketch_near_bytes(&s->sketch),
		.score = vex_sketch_near_scores, .rows = s->rows, .effort = effort,
	};
	struct vex_graph_result result;
	struct vex_sketch_query *made;

	if (vex_sketch_query_prepare(s->query_memory, &s->sketch, s->centre,
				     s->type, elements, VEX_SKETCH_QUERY_BITS,
				     s->scratch, &made))
		exit(1);
	query.query = made;
	if (vex_graph_walk(s->walker, &s->graph, &query, &result))
		exit(1);
	memcpy(vex_search_query(s->exact, 0), elements, s->row_bytes);
	if (vex_search_prepare(s->exact, NULL))
		exit(1);
	refine(s, &result, max(s->fine, effort / 4), rows);
}

static u32 right(const struct setting *s, u64 query, const u32 *rows)
{
	u32 i, j, n = 0;

	for (i = 0; i < K; i++)
		for (j = 0; j < K; j++)
			n += s->truth[query * s->depth + i] == rows[j];
	return n;
}

/* The rows as hnswlib wants them: float32, normalised for cosine. */
static float *floats(const struct setting *s, const u8 *data, u64 count)
{
	float *out = room(count * s->dim * sizeof(float));
	u64 row;
	u32 i;

	for (row = 0; row < count; row++) {
		float *x = out + row * s->dim;
		double sum = 0;

		for (i = 0; i < s->dim; i++) {
			x[i] = s->type == VEX_TYPE_U8 ?
			       (float)data[row * s->dim + i] :
			       ((const float *)data)[row * s->dim + i];
			sum += (double)x[i] * x[i];
		}
		for (i = 0; s->metric == VEX_METRIC_COSINE && i < s->dim; i++)
			x[i] = (float)(x[i] / sqrt(sum > 0 ? sum : 1));
	}
	return out;
}

int main(int argc, char **argv)
{
	struct setting s = { 0 };
	float *peer_rows, *peer_queries;
	u32 rounds, round, e, system;
	void *peer;
	double start;
	u64 i;

	if (argc != 5)
		return 2;
	if (!read_set(&s, argv[1]))
		return 1;
	s.fine = (u32)atoi(argv[3]);
	rounds = (u32)atoi(argv[4]);
	peer_rows = floats(&s, s.matrix, s.rows);
	peer_queries = floats(&s, s.asked, s.queries);

	start = now();
	encode(&s, (u32)atoi(argv[2]));
	printf("encode vexfs %.0f\n", s.rows / (now() - start));
	start = now();
	build(&s);
	printf("build vexfs %.0f\n", s.rows / (now() - start));
	fflush(stdout);
	ready_exact(&s);
	peer = peer_make(s.dim, s.rows, s.metric != VEX_METRIC_L2, 16, 200);
	start = now();
	for (i = 0; i < s.rows; i++)
		peer_add(peer, peer_rows + i * s.dim, i);
	printf("build hnswlib %.0f\n", s.rows / (now() - start));
	fflush(stdout);

	for (e = 0; e < ARRAY_SIZE(efforts); e++) {
		double best[2] = { 1e9, 1e9 };
		u64 found[2] = { 0, 0 };

		for (round = 0; round < 2 * rounds; round++) {
			system = round % 2;
			found[system] = 0;
			start = now();
			for (i = 0; i < s.queries; i++) {
				u32 rows[K];

				if (system)
					peer_search(peer, peer_queries +
						    i * s.dim, K, efforts[e],
						    rows);
				else
					ask(&s, i, efforts[e], rows);
				found[system] += right(&s, i, rows);
			}
			start = now() - start;
			best[system] = min(best[system], start);
		}
		for (system = 0; system < 2; system++)
			printf("walk %s %u %.4f %.0f\n",
			       system ? "hnswlib" : "vexfs", efforts[e],
			       (double)found[system] / (double)(s.queries * K),
			       (double)s.queries / best[system]);
		fflush(stdout);
	}
	return 0;
}
