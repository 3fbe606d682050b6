// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Inverted lists: where things are, and searching: lists.h.
 */
#include "lists.h"

/* What a list counts for whose rows may be candidates. */
#define LIST_WORTH	16U
/*
 * If the nearest lists count for nothing, what is looked for is far from the
 * query, where more lists are about equally far: so many times more.
 */
#define FAR_LISTS	3U
/* Of a piece of entries so many are asked whether they may. */
#define PIECE_SAMPLE	4U

static u32 entry_bytes(const struct vex_lists *lists)
{
	return VEX_LISTS_ENTRY_BYTES + lists->record_bytes;
}

static u64 pages_for(u64 records, u32 record_bytes)
{
	u32 per_page = VEX_RECORD_BYTES_MAX / record_bytes;

	return (records + per_page - 1) / per_page;
}

u32 vex_lists_number(u64 rows)
{
	u32 number = 1;

	while (number < VEX_LISTS_MAX && (u64)number * number < 4 * rows)
		number++;
	return (u32)min_t(u64, number, rows ? rows : 1);
}

int vex_lists_init(struct vex_lists *lists, u32 number, u32 dim,
		   u32 record_bytes, u64 first)
{
	if (!number || number > VEX_LISTS_MAX || !dim || dim > 65535 ||
	    !record_bytes || record_bytes % 8 ||
	    record_bytes > VEX_LISTS_RECORD_MAX || first > VEX_LISTS_ROWS_MAX)
		return -EINVAL;
	memset(lists, 0, sizeof(*lists));
	lists->lists = number;
	lists->dim = dim;
	lists->record_bytes = record_bytes;
	lists->values = first;
	lists->codes = first + pages_for((u64)number * ((dim + 1) / 2), 8);
	lists->end = lists->codes + pages_for(number, record_bytes);
	return 0;
}

void vex_lists_place_run(const struct vex_lists *lists,
			 struct vex_lists_run *run)
{
	run->directory = lists->end;
	run->first = run->directory + pages_for(lists->lists, 8);
}

u64 vex_lists_run_end(const struct vex_lists *lists,
		      const struct vex_lists_run *run)
{
	return run->first + pages_for(run->entries, entry_bytes(lists));
}

int vex_lists_load(struct vex_lists *lists, const struct vex_disk_lists *disk,
		   u32 dim, u32 record_bytes, u64 rows, u64 first, u64 pages)
{
	u32 runs = le32_to_cpu(disk->runs);
	u64 before = 0;
	u32 i;

	if (le32_to_cpu(disk->dim) != dim ||
	    le32_to_cpu(disk->record_bytes) != record_bytes ||
	    !runs || runs > VEX_LISTS_RUNS_MAX || disk->reserved ||
	    vex_lists_init(lists, le32_to_cpu(disk->lists), dim, record_bytes,
			   first))
		return -EUCLEAN;
	lists->built = le64_to_cpu(disk->built);
	for (i = 0; i < runs; i++) {
		struct vex_lists_run *run = &lists->run[i];

		run->rows = le64_to_cpu(disk->run[i].rows);
		run->entries = le64_to_cpu(disk->run[i].entries);
		if (run->rows <= before || run->rows > VEX_LISTS_ROWS_MAX ||
		    run->entries > run->rows - before)
			return -EUCLEAN;
		vex_lists_place_run(lists, run);
		lists->end = vex_lists_run_end(lists, run);
		before = run->rows;
	}
	lists->runs = runs;
	if (!vex_is_zero(&disk->run[runs], (VEX_LISTS_RUNS_MAX - runs) *
					   sizeof(disk->run[0])) ||
	    before != rows || !lists->built || lists->built > rows ||
	    lists->end > pages)
		return -EUCLEAN;
	return 0;
}

void vex_lists_save(const struct vex_lists *lists, struct vex_disk_lists *disk)
{
	u32 i;

	memset(disk, 0, sizeof(*disk));
	disk->lists = cpu_to_le32(lists->lists);
	disk->runs = cpu_to_le32(lists->runs);
	disk->dim = cpu_to_le32(lists->dim);
	disk->record_bytes = cpu_to_le32(lists->record_bytes);
	disk->built = cpu_to_le64(lists->built);
	for (i = 0; i < lists->runs; i++) {
		disk->run[i].rows = cpu_to_le64(lists->run[i].rows);
		disk->run[i].entries = cpu_to_le64(lists->run[i].entries);
	}
}

bool vex_lists_append_due(const struct vex_lists *lists, u64 rows)
{
	u64 in = vex_lists_rows(lists);

	return rows > in && lists->runs < VEX_LISTS_RUNS_MAX &&
	       rows - in >= max_t(u64, in / 32, VEX_LISTS_APPEND_MIN);
}

bool vex_lists_drifted(const struct vex_lists *lists, u64 rows)
{
	return rows >= 2 * lists->built + VEX_LISTS_APPEND_MIN ||
	       lists->runs == VEX_LISTS_RUNS_MAX;
}

/*
 * A heap of the best hits so far with the worst of them on top; of equal
 * scores the smaller row is the better one.
 */
struct best {
	struct vex_lists_hit *hits;
	u32 count;
	u32 wanted;
};

static bool is_worse(const struct vex_lists_hit *a,
		     const struct vex_lists_hit *b)
{
	return a->score != b->score ? a->score > b->score : a->row > b->row;
}

static void sift_down(struct vex_lists_hit *hits, u32 count,
		      const struct vex_lists_hit *hit)
{
	u32 at = 0;
	u32 child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    is_worse(&hits[child + 1], &hits[child]))
			child++;
		if (!is_worse(&hits[child], hit))
			break;
		hits[at] = hits[child];
		at = child;
	}
	hits[at] = *hit;
}

static s64 worst_score(const struct best *best)
{
	return best->count < best->wanted ? S64_MAX : best->hits[0].score;
}

static void offer(struct best *best, s64 score, u64 row)
{
	struct vex_lists_hit hit = { .score = score, .row = row };
	u32 at;

	if (best->count == best->wanted) {
		if (is_worse(&best->hits[0], &hit))
			sift_down(best->hits, best->count, &hit);
		return;
	}
	for (at = best->count++; at; at = (at - 1) / 2) {
		if (!is_worse(&hit, &best->hits[(at - 1) / 2]))
			break;
		best->hits[at] = best->hits[(at - 1) / 2];
	}
	best->hits[at] = hit;
}

static void sort_best(struct best *best)
{
	u32 left;

	for (left = best->count; left > 1; left--) {
		struct vex_lists_hit last = best->hits[left - 1];

		best->hits[left - 1] = best->hits[0];
		sift_down(best->hits, left - 1, &last);
	}
}

struct search {
	const struct vex_lists *lists;
	const struct vex_pages *fork;
	const struct vex_lists_query *query;
	struct best chosen;
	struct best best;
	u32 per_page;
	u64 scored;
	u64 worth;	/* of the lists that were scanned */
	u32 asked;	/* rows of the list at hand that were asked for */
	u32 admitted;
};

static int may_go_on(const struct vex_lists_query *query)
{
	return query->stop ? query->stop(query->context) : 0;
}

/* Find the lists whose centroids are nearest. */
static int choose_lists(struct search *search)
{
	const struct vex_lists *lists = search->lists;
	u32 bytes = lists->record_bytes;
	u32 per_page = VEX_RECORD_BYTES_MAX / bytes;
	s64 scores[VEX_KMEANS_BLOCK];
	u32 list = 0;
	u32 i;

	if (search->query->effort >= lists->lists && !search->query->enough) {
		for (; list < lists->lists; list++)
			offer(&search->chosen, 0, list);
		return 0;
	}
	while (list < lists->lists) {
		u32 index = list % per_page;
		u32 count = min(min(lists->lists - list, per_page - index),
				VEX_KMEANS_BLOCK);
		const u8 *page;
		int err = may_go_on(search->query);

		if (err)
			return err;
		page = vex_pages_page(search->fork,
				      lists->codes + list / per_page, &err);
		if (!page)
			return err;
		search->query->score(search->query->query,
				     page + (size_t)index * bytes, count,
				     scores);
		for (i = 0; i < count; i++)
			if (scores[i] < worst_score(&search->chosen))
				offer(&search->chosen, scores[i], list + i);
		list += count;
	}
	search->scored += lists->lists;
	return 0;
}

static int directory_entry(const struct search *search,
			   const struct vex_lists_run *run, u32 list, u64 *end)
{
	u32 per_page = VEX_RECORD_BYTES_MAX / 8;
	int err = 0;
	const u8 *page = vex_pages_page(search->fork,
					run->directory + list / per_page, &err);

	if (!page)
		return err;
	*end = vex_load_le64(page + (size_t)(list % per_page) * 8);
	return 0;
}

/* Where a list's entries are in a run, counted in entries. */
static int find_entries(const struct search *search,
			const struct vex_lists_run *run, u32 list, u64 *start,
			u64 *end)
{
	int ret;

	*start = 0;
	ret = list ? directory_entry(search, run, list - 1, start) : 0;
	if (!ret)
		ret = directory_entry(search, run, list, end);
	if (ret)
		return ret;
	return *start <= *end && *end <= run->entries ? 0 : -EUCLEAN;
}

/* Ask for some of the rows whether they may be candidates. */
static void sample_piece(struct search *search, const u8 *rows, u32 count)
{
	const struct vex_lists_query *query = search->query;
	u32 step = max(count / PIECE_SAMPLE, 1U);
	u32 i;

	for (i = 0; i < count; i += step) {
		search->asked++;
		search->admitted += query->admit(query->admit_context,
						 vex_load_le64(rows +
							       (size_t)i * 8));
	}
}

/* What the list at hand counts for. */
static u32 list_worth(const struct search *search)
{
	if (!search->asked)
		return 0;
	return (u32)min_t(u64, LIST_WORTH, 4ULL * LIST_WORTH *
					   search->admitted / search->asked);
}

/* Score entries that are next to each other in a page. */
static void scan_piece(struct search *search, const u8 *page, u32 index,
		       u32 count, u64 first_row, u64 end_row)
{
	const struct vex_lists_query *query = search->query;
	u32 bytes = search->lists->record_bytes;
	const u8 *rows = page + (size_t)search->per_page * bytes + index * 8;
	s64 scores[VEX_KMEANS_BLOCK];
	u32 i;

	if (query->enough)
		sample_piece(search, rows, count);
	query->score(query->query, page + (size_t)index * bytes, count, scores);
	for (i = 0; i < count; i++) {
		u64 row;

		if (likely(scores[i] > worst_score(&search->best)))
			continue;
		row = vex_load_le64(rows + (size_t)i * 8);
		if (unlikely(row < first_row || row >= end_row))
			continue;
		if (query->admit && !query->admit(query->admit_context, row))
			continue;
		offer(&search->best, scores[i], row);
	}
}

static int scan_entries(struct search *search, const struct vex_lists_run *run,
			u64 start, u64 end, u64 first_row)
{
	u64 end_row = min(run->rows, search->query->rows);
	u64 number = start / search->per_page;
	u32 index = (u32)(start - number * search->per_page);

	search->scored += end - start;
	while (start < end) {
		u32 in_page = (u32)min_t(u64, end - start,
					 search->per_page - index);
		const u8 *page;
		int err = may_go_on(search->query);

		if (err)
			return err;
		page = vex_pages_page(search->fork, run->first + number, &err);
		if (!page)
			return err;
		start += in_page;
		while (in_page) {
			u32 count = min(in_page, VEX_KMEANS_BLOCK);

			scan_piece(search, page, index, count, first_row,
				   end_row);
			index += count;
			in_page -= count;
		}
		index = 0;
		number++;
	}
	return 0;
}

static u64 first_row_of(const struct vex_lists *lists, u32 run)
{
	return run ? lists->run[run - 1].rows : 0;
}

/* Tell which pages will be wanted: first the directories', then the entries'. */
static int look_ahead(const struct search *search)
{
	const struct vex_lists_query *query = search->query;
	const struct vex_lists *lists = search->lists;
	u64 pages = pages_for(lists->lists, 8);
	u32 count = search->chosen.count;
	u32 run;
	u32 i;

	if (query->enough)
		count = (u32)min_t(u64, count,
				   (u64)query->enough * query->shares);
	for (run = 0; run < lists->runs; run++)
		query->ahead(query->context, lists->run[run].directory, pages);
	for (i = query->share; i < count; i += query->shares) {
		for (run = 0; run < lists->runs; run++) {
			u32 list = (u32)search->chosen.hits[i].row;
			u64 start, end, page;
			int ret = find_entries(search, &lists->run[run], list,
					       &start, &end);

			if (ret)
				return ret;
			if (start == end)
				continue;
			page = start / search->per_page;
			query->ahead(query->context,
				     lists->run[run].first + page,
				     (end - 1) / search->per_page - page + 1);
		}
	}
	return 0;
}

static int scan_lists(struct search *search, struct vex_lists_result *result)
{
	const struct vex_lists *lists = search->lists;
	u64 enough = (u64)search->query->enough * LIST_WORTH;
	u64 wanted = enough;
	u32 step = search->query->shares;
	u32 run;
	u32 i;

	for (i = search->query->share; i < search->chosen.count; i += step) {
		u32 list = (u32)search->chosen.hits[i].row;

		if (enough && result->lists == search->query->enough)
			wanted += FAR_LISTS * (enough - search->worth);
		if (enough && result->lists >= search->query->enough &&
		    search->worth >= wanted)
			return 0;
		search->asked = 0;
		search->admitted = 0;
		for (run = 0; run < lists->runs; run++) {
			u64 start, end;
			int ret = find_entries(search, &lists->run[run], list,
					       &start, &end);

			if (!ret)
				ret = scan_entries(search, &lists->run[run],
						   start, end,
						   first_row_of(lists, run));
			if (ret)
				return ret;
		}
		search->worth += list_worth(search);
		result->lists++;
	}
	result->lacking = search->worth < wanted &&
			  search->chosen.count < lists->lists;
	return 0;
}

size_t vex_lists_search_bytes(const struct vex_lists *lists, u32 effort,
			      u32 candidates)
{
	if (!effort || effort > VEX_LISTS_MAX || !candidates ||
	    candidates > VEX_LISTS_CANDIDATES_MAX)
		return 0;
	return ((size_t)min(effort, lists->lists) + candidates) *
	       sizeof(struct vex_lists_hit);
}

int vex_lists_search(const struct vex_lists *lists,
		     const struct vex_pages *fork,
		     const struct vex_lists_query *query, void *memory,
		     struct vex_lists_result *result)
{
	struct search search = {
		.lists = lists,
		.fork = fork,
		.query = query,
		.chosen.hits = memory,
		.chosen.wanted = min(query->effort, lists->lists),
		.best.wanted = query->candidates,
	};
	int ret;

	memset(result, 0, sizeof(*result));
	if (!vex_lists_search_bytes(lists, query->effort, query->candidates) ||
	    query->share >= query->shares || (query->enough && !query->admit))
		return -EINVAL;
	search.best.hits = search.chosen.hits + search.chosen.wanted;
	search.per_page = VEX_RECORD_BYTES_MAX / entry_bytes(lists);
	ret = choose_lists(&search);
	if (ret)
		return ret;
	sort_best(&search.chosen);
	if (query->ahead)
		ret = look_ahead(&search);
	if (!ret)
		ret = scan_lists(&search, result);
	if (ret)
		return ret;
	sort_best(&search.best);
	result->hits = search.best.hits;
	result->count = search.best.count;
	result->scored = search.scored;
	return 0;
}
