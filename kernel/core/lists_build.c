// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Inverted lists: training, and writing runs: lists.h. A run is made in two
 * passes over its rows: the first finds each row's list, the second copies
 * records in the order of the lists, so that pages are written one after the
 * other.
 */
#include "lists.h"

/* In place of a list's number: the row gets no entry. */
#define NO_LIST		0xffffU
/* Deleted rows between two calls of stop(). */
#define STOP_STEP	1024U

/**
 * struct vex_lists_builder - what a builder works in
 * @source: knows the rows
 * @kmeans: the centroids
 * @build: how to build
 * @nearest: for each row of a run its list
 * @order: the rows of a run by list, counted from its first
 * @ends: for each list the end of its entries
 * @sample: rows that training looks at
 * @page: the page that is being filled
 */
struct vex_lists_builder {
	const struct vex_lists_source *source;
	struct vex_kmeans kmeans;
	struct vex_lists_build build;
	u16 *nearest;
	u32 *order;
	u64 *ends;
	u64 sample;
	u8 *page;
};

/* Where the parts of a builder's memory are. */
struct parts {
	size_t queries;
	size_t sums;
	size_t ends;
	size_t page;
	size_t gather;
	size_t values;
	size_t counts;
	size_t row;
	size_t order;
	size_t nearest;
	size_t end;
};

static size_t round_up8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static bool place_parts(struct parts *parts, const struct vex_lists_build *build)
{
	size_t elements = (size_t)build->lists * build->dim;
	/* queries may need the alignment of the memory itself */
	size_t at = (sizeof(struct vex_lists_builder) + 63) & ~(size_t)63;

	if (!build->lists || build->lists > VEX_LISTS_MAX || !build->dim ||
	    build->dim > 65535 || !build->record_bytes ||
	    build->record_bytes % 8 ||
	    build->record_bytes > VEX_LISTS_RECORD_MAX || !build->query_bytes ||
	    build->query_bytes % 8 || build->query_bytes > (1U << 24) ||
	    !build->run_rows || build->run_rows > U32_MAX)
		return false;
	parts->queries = at;
	at += (size_t)build->lists * build->query_bytes;
	parts->sums = at;
	at += build->train ? elements * sizeof(s64) : 0;
	parts->ends = at;
	at += build->lists * sizeof(u64);
	parts->page = at;
	at += VEX_PAGE_BYTES;
	parts->gather = at;
	at += (size_t)VEX_KMEANS_BLOCK * build->record_bytes;
	parts->values = at;
	at += elements * sizeof(s32);
	parts->counts = at;
	at += build->train ? build->lists * sizeof(u32) : 0;
	parts->row = at;
	at += build->train ? build->dim * sizeof(s32) : 0;
	parts->order = at;
	at += build->run_rows * sizeof(u32);
	parts->nearest = at;
	at += build->run_rows * sizeof(u16);
	parts->end = round_up8(at);
	return true;
}

size_t vex_lists_builder_bytes(const struct vex_lists_build *build)
{
	struct parts parts;

	return place_parts(&parts, build) ? parts.end : 0;
}

struct vex_lists_builder *
vex_lists_builder_init(void *memory, const struct vex_lists_build *build,
		       const struct vex_lists_source *source)
{
	struct vex_lists_builder *builder = memory;
	struct parts parts;
	u8 *base = memory;

	if (!place_parts(&parts, build))
		return NULL;
	builder->source = source;
	builder->build = *build;
	builder->kmeans.lists = build->lists;
	builder->kmeans.queries = base + parts.queries;
	builder->kmeans.gather = base + parts.gather;
	builder->kmeans.values = (s32 *)(base + parts.values);
	if (build->train) {
		builder->kmeans.sums = (s64 *)(base + parts.sums);
		builder->kmeans.counts = (u32 *)(base + parts.counts);
		builder->kmeans.row = (s32 *)(base + parts.row);
	}
	builder->ends = (u64 *)(base + parts.ends);
	builder->page = base + parts.page;
	builder->order = (u32 *)(base + parts.order);
	builder->nearest = (u16 *)(base + parts.nearest);
	return builder;
}

static int may_go_on(const struct vex_lists_builder *builder)
{
	const struct vex_kmeans_source *source = &builder->source->kmeans;

	return source->stop ? source->stop(source->context) : 0;
}

static bool fits(const struct vex_lists_builder *builder,
		 const struct vex_lists *lists)
{
	return lists->lists == builder->build.lists &&
	       lists->dim == builder->build.dim &&
	       lists->record_bytes == builder->build.record_bytes;
}

/* Records that go to pages from @page on. */
struct output {
	struct vex_lists_builder *builder;
	u64 page;
	u32 record_bytes;
	u32 used;
};

static void output_begin(struct output *output,
			 struct vex_lists_builder *builder, u64 page,
			 u32 record_bytes)
{
	output->builder = builder;
	output->page = page;
	output->record_bytes = record_bytes;
	output->used = 0;
	memset(builder->page, 0, VEX_PAGE_BYTES);
}

static int output_flush(struct output *output)
{
	const struct vex_lists_source *source = output->builder->source;
	int ret;

	if (!output->used)
		return 0;
	ret = source->emit(source->kmeans.context, output->page,
			   output->builder->page);
	output_begin(output, output->builder, output->page + 1,
		     output->record_bytes);
	return ret;
}

/* Room for the next record; the page before it is emitted if it is full. */
static int output_next(struct output *output, void **record)
{
	int ret = 0;

	if (output->used + output->record_bytes > VEX_RECORD_BYTES_MAX)
		ret = output_flush(output);
	*record = output->builder->page + output->used;
	output->used += output->record_bytes;
	return ret;
}

static int write_values(struct vex_lists_builder *builder,
			const struct vex_lists *lists)
{
	const s32 *values = builder->kmeans.values;
	struct output output;
	u32 list;
	u32 i;
	int ret;

	output_begin(&output, builder, lists->values, 8);
	for (list = 0; list < lists->lists; list++, values += lists->dim) {
		ret = may_go_on(builder);
		for (i = 0; !ret && i < lists->dim; i += 2) {
			__le32 pair[2] = { cpu_to_le32((u32)values[i]), 0 };
			void *record;

			if (i + 1 < lists->dim)
				pair[1] = cpu_to_le32((u32)values[i + 1]);
			ret = output_next(&output, &record);
			memcpy(record, pair, sizeof(pair));
		}
		if (ret)
			return ret;
	}
	return output_flush(&output);
}

static int write_codes(struct vex_lists_builder *builder,
		       const struct vex_lists *lists)
{
	const struct vex_lists_source *source = builder->source;
	const s32 *values = builder->kmeans.values;
	struct output output;
	u32 list;
	int ret;

	output_begin(&output, builder, lists->codes, lists->record_bytes);
	for (list = 0; list < lists->lists; list++, values += lists->dim) {
		void *record;

		ret = may_go_on(builder);
		if (!ret)
			ret = output_next(&output, &record);
		if (ret)
			return ret;
		source->encode(source->kmeans.context, values, record);
	}
	return output_flush(&output);
}

int vex_lists_train(struct vex_lists_builder *builder, struct vex_lists *lists,
		    u64 rows, u64 seed)
{
	int ret;

	if (!rows || rows > VEX_LISTS_ROWS_MAX || lists->runs ||
	    !builder->build.train || !fits(builder, lists))
		return -EINVAL;
	builder->sample = min_t(u64, (u64)lists->lists * VEX_KMEANS_PER_LIST,
				rows);
	ret = vex_kmeans_train(&builder->kmeans, &builder->source->kmeans, rows,
			       builder->sample, VEX_KMEANS_ROUNDS, seed);
	if (!ret)
		ret = write_values(builder, lists);
	if (!ret)
		ret = write_codes(builder, lists);
	if (!ret)
		lists->built = rows;
	return ret;
}

int vex_lists_recall(struct vex_lists_builder *builder,
		     const struct vex_lists *lists,
		     const struct vex_pages *fork)
{
	u32 per_page = VEX_RECORD_BYTES_MAX / 8;
	s32 *values = builder->kmeans.values;
	u64 record = 0;
	u32 list;
	u32 i;

	if (!fits(builder, lists))
		return -EINVAL;
	for (list = 0; list < lists->lists; list++, values += lists->dim) {
		int err = may_go_on(builder);

		if (err)
			return err;
		for (i = 0; i < lists->dim; i += 2, record++) {
			const u8 *page = vex_pages_page(fork, lists->values +
							record / per_page,
							&err);

			if (!page)
				return err;
			page += record % per_page * 8;
			values[i] = vex_kmeans_value(vex_load_le32(page));
			if (i + 1 < lists->dim)
				values[i + 1] =
				vex_kmeans_value(vex_load_le32(page + 4));
		}
	}
	return vex_kmeans_prepare(&builder->kmeans, &builder->source->kmeans);
}

/* The first pass: each row's list, and how many rows each list gets. */
static int assign_rows(struct vex_lists_builder *builder, u64 first, u32 count)
{
	const struct vex_lists_source *source = builder->source;
	u16 nearest[VEX_KMEANS_BLOCK];
	u32 rows[VEX_KMEANS_BLOCK];
	u32 row = 0;
	int ret;

	memset(builder->ends, 0, builder->build.lists * sizeof(u64));
	while (row < count) {
		u32 block = 0;
		u32 i;

		for (i = 0; row < count && i < STOP_STEP &&
		     block < VEX_KMEANS_BLOCK; i++, row++) {
			if (source->deleted &&
			    source->deleted(source->kmeans.context,
					    first + row)) {
				builder->nearest[row] = NO_LIST;
				builder->kmeans.done++;
				continue;
			}
			ret = vex_kmeans_gather(&builder->kmeans,
						&source->kmeans, block,
						first + row);
			if (ret)
				return ret;
			rows[block++] = row;
		}
		ret = block ? vex_kmeans_assign(&builder->kmeans,
						&source->kmeans, block,
						nearest) : may_go_on(builder);
		if (ret)
			return ret;
		for (i = 0; i < block; i++) {
			builder->nearest[rows[i]] = nearest[i];
			builder->ends[nearest[i]]++;
		}
	}
	return 0;
}

/* Sort the rows by list. Return: how many have one. */
static u32 order_rows(struct vex_lists_builder *builder, u32 count)
{
	u64 *ends = builder->ends;
	u64 start = 0;
	u32 list;
	u32 row;

	for (list = 0; list < builder->build.lists; list++) {
		u64 rows = ends[list];

		ends[list] = start;
		start += rows;
	}
	for (row = 0; row < count; row++)
		if (builder->nearest[row] != NO_LIST)
			builder->order[ends[builder->nearest[row]]++] = row;
	return (u32)start;
}

static int write_directory(struct vex_lists_builder *builder, u64 page)
{
	struct output output;
	u32 list;
	int ret;

	output_begin(&output, builder, page, 8);
	for (list = 0; list < builder->build.lists; list++) {
		__le64 end = cpu_to_le64(builder->ends[list]);
		void *record;

		ret = output_next(&output, &record);
		if (ret)
			return ret;
		memcpy(record, &end, sizeof(end));
	}
	return output_flush(&output);
}

/* Fill a page with the entries of rows, which are counted from @first. */
static int fill_entries(struct vex_lists_builder *builder, u64 first,
			const u32 *rows, u32 count, u32 per_page)
{
	const struct vex_pages *sketches =
		builder->source->kmeans.sketches;
	u32 bytes = builder->build.record_bytes;
	u8 *records = builder->page;
	u8 *numbers = records + (size_t)per_page * bytes;
	u32 i;

	memset(builder->page, 0, VEX_PAGE_BYTES);
	for (i = 0; i < count; i++)
		vex_pages_prefetch(sketches, first + rows[i], bytes);
	for (i = 0; i < count; i++) {
		__le64 row = cpu_to_le64(first + rows[i]);
		int err = 0;
		const void *record = vex_pages_get(sketches, first + rows[i],
						   &err);

		if (!record)
			return err;
		memcpy(records + (size_t)i * bytes, record, bytes);
		memcpy(numbers + (size_t)i * 8, &row, sizeof(row));
	}
	return 0;
}

/* The second pass: entries in the order of the lists. */
static int write_entries(struct vex_lists_builder *builder, u64 page, u64 first,
			 u32 count)
{
	const struct vex_lists_source *source = builder->source;
	u32 per_page = VEX_RECORD_BYTES_MAX /
		       (builder->build.record_bytes + VEX_LISTS_ENTRY_BYTES);
	u32 done;

	for (done = 0; done < count; done += per_page, page++) {
		int ret = may_go_on(builder);

		if (!ret)
			ret = fill_entries(builder, first,
					   builder->order + done,
					   min(count - done, per_page),
					   per_page);
		if (!ret)
			ret = source->emit(source->kmeans.context, page,
					   builder->page);
		if (ret)
			return ret;
	}
	return 0;
}

int vex_lists_write_run(struct vex_lists_builder *builder,
			struct vex_lists *lists, u64 rows)
{
	u64 first = vex_lists_rows(lists);
	struct vex_lists_run *run;
	u32 count;
	u32 entries;
	int ret;

	if (rows <= first || rows > VEX_LISTS_ROWS_MAX ||
	    !fits(builder, lists))
		return -EINVAL;
	if (lists->runs >= VEX_LISTS_RUNS_MAX)
		return -ENOSPC;
	count = (u32)min_t(u64, rows - first, builder->build.run_rows);
	ret = assign_rows(builder, first, count);
	if (ret)
		return ret;
	entries = order_rows(builder, count);
	run = &lists->run[lists->runs];
	run->rows = first + count;
	run->entries = entries;
	vex_lists_place_run(lists, run);
	ret = write_directory(builder, run->directory);
	if (!ret)
		ret = write_entries(builder, run->first, first, entries);
	if (ret) {
		memset(run, 0, sizeof(*run));
		return ret;
	}
	lists->end = vex_lists_run_end(lists, run);
	lists->runs++;
	return 0;
}

u32 vex_lists_progress(const struct vex_lists_builder *builder, u64 rows)
{
	u64 total = vex_kmeans_work(builder->sample, VEX_KMEANS_ROUNDS) + rows;

	if (!total)
		return 10000;
	return (u32)min_t(u64, builder->kmeans.done * 10000 / total, 10000);
}
