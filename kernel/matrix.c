// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a vector file's matrix out of the page cache, without copying where
 * the bytes wanted lie in one folio. The page cache is the only cache, and
 * a read that waits ends on a fatal signal.
 */
#include <linux/fadvise.h>
#include <linux/prefetch.h>
#include "rows.h"

/* Pages asked for ahead of a sequential reader: 2 MiB. */
#define VEXFS_WINDOW_PAGES	512U

void vexfs_matrix_init(struct vexfs_matrix *matrix, struct file *file)
{
	vexfs_matrix_init_inode(matrix, file_inode(file));
	matrix->file = file;
}

void vexfs_matrix_init_inode(struct vexfs_matrix *matrix, struct inode *inode)
{
	matrix->inode = inode;
	matrix->file = NULL;
	matrix->folio = NULL;
	matrix->before = NULL;
	matrix->held_next = 0;
	memset(matrix->held, 0, sizeof(matrix->held));
	matrix->window_end = 0;
	matrix->pages_missed = 0;
}

void vexfs_pages_ahead(struct address_space *mapping, u64 page, u64 count)
{
	u64 end = DIV_ROUND_UP_ULL(i_size_read(mapping->host), PAGE_SIZE);
	struct file_ra_state ra = { };
	DEFINE_READAHEAD(ractl, NULL, &ra, mapping, page);

	if (page >= end)
		return;
	file_ra_state_init(&ra, mapping);
	vexfs_ra_unbounded(&ractl, min(count, end - page));
}

static void vexfs_matrix_release(struct folio **folio)
{
	if (*folio)
		folio_put(*folio);
	*folio = NULL;
}

void vexfs_matrix_exit(struct vexfs_matrix *matrix)
{
	u32 i;

	vexfs_matrix_release(&matrix->folio);
	vexfs_matrix_release(&matrix->before);
	for (i = 0; i < VEXFS_MATRIX_HELD; i++)
		vexfs_matrix_release(&matrix->held[i].folio);
}

/* Ask for the pages that a sequential reader comes to next. */
static void vexfs_matrix_ahead(struct vexfs_matrix *matrix, pgoff_t index)
{
	struct address_space *mapping = matrix->inode->i_mapping;
	pgoff_t next = index + VEXFS_WINDOW_PAGES / 2;
	struct folio *folio;

	if (matrix->window_end && next < matrix->window_end)
		return;
	next = max(matrix->window_end, index);
	matrix->window_end = next + VEXFS_WINDOW_PAGES;
	folio = vexfs_folio_get(mapping, next);
	if (folio) {
		folio_put(folio);
		return;
	}
	if (!matrix->file) {
		vexfs_pages_ahead(mapping, next, VEXFS_WINDOW_PAGES);
		return;
	}
	generic_fadvise(matrix->file, (loff_t)next << PAGE_SHIFT,
			(loff_t)VEXFS_WINDOW_PAGES << PAGE_SHIFT,
			POSIX_FADV_WILLNEED);
}

/* Where the folio of a page is held that was fetched, or NULL. */
static struct folio **vexfs_matrix_held(struct vexfs_matrix *matrix,
					pgoff_t index)
{
	u32 i, at = matrix->held_next;

	/* The oldest is wanted next. */
	for (i = 0; i < VEXFS_MATRIX_HELD; i++) {
		struct vexfs_held *held = &matrix->held[at];

		if (held->index == index && held->folio)
			return &held->folio;
		at = at + 1 < VEXFS_MATRIX_HELD ? at + 1 : 0;
	}
	return NULL;
}

/* The folio that holds a page, read in. */
static struct folio *vexfs_matrix_folio(struct vexfs_matrix *matrix,
					pgoff_t index)
{
	struct address_space *mapping = matrix->inode->i_mapping;
	struct folio **held = vexfs_matrix_held(matrix, index);
	struct folio *folio;

	if (held) {
		folio = *held;
		*held = NULL;
		return folio;
	}
	folio = vexfs_folio_get(mapping, index);
	if (folio && folio_test_uptodate(folio))
		return folio;
	matrix->pages_missed++;
	if (folio) {
		/* Somebody reads it; what came of that is looked at below. */
		if (folio_wait_locked_killable(folio)) {
			folio_put(folio);
			return ERR_PTR(-EINTR);
		}
		if (folio_test_uptodate(folio))
			return folio;
		folio_put(folio);
	}
	return read_mapping_folio(mapping, index, matrix->file);
}

ssize_t vexfs_matrix_at(struct vexfs_matrix *matrix, loff_t pos, size_t bytes,
			bool sequential, const void **data)
{
	pgoff_t index = pos >> PAGE_SHIFT;
	struct folio *folio = matrix->folio;
	size_t offset;

	if (!folio || !folio_contains(folio, index)) {
		vexfs_matrix_release(&matrix->before);
		matrix->before = folio;
		matrix->folio = NULL;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (sequential)
			vexfs_matrix_ahead(matrix, index);
		folio = vexfs_matrix_folio(matrix, index);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		matrix->folio = folio;
	}
	offset = offset_in_folio(folio, pos);
	*data = folio_address(folio) + offset;
	return min(bytes, folio_size(folio) - offset);
}

void vexfs_matrix_want(struct vexfs_matrix *matrix, loff_t pos, size_t bytes)
{
	struct folio *folio = vexfs_folio_get(matrix->inode->i_mapping,
					      (pos + bytes - 1) >> PAGE_SHIFT);

	if (folio)
		folio_put(folio);
	else
		vfs_fadvise(matrix->file, pos, bytes, POSIX_FADV_WILLNEED);
}

void vexfs_matrix_hint(const struct vexfs_matrix *matrix, loff_t pos,
		       size_t bytes)
{
	struct address_space *mapping = matrix->inode->i_mapping;
	pgoff_t index = pos >> PAGE_SHIFT;
	pgoff_t last = (pos + bytes - 1) >> PAGE_SHIFT;
	void *entry;

	/*
	 * Without a reference, so a folio may be taken away or become another
	 * meanwhile: an address to fetch from in vain.
	 */
	rcu_read_lock();
	entry = xa_load(&mapping->i_pages, index);
	if (!xa_is_value(entry))
		prefetchw(entry);
	if (last != index) {
		entry = xa_load(&mapping->i_pages, index + 1);
		if (!xa_is_value(entry))
			prefetchw(entry);
	}
	rcu_read_unlock();
}

/* Hold the folio of a page until it is wanted. */
static struct folio *vexfs_matrix_hold(struct vexfs_matrix *matrix,
				       pgoff_t index)
{
	struct folio **held = vexfs_matrix_held(matrix, index), *folio;

	if (held)
		return *held;
	folio = vexfs_folio_get(matrix->inode->i_mapping, index);
	if (!folio)
		return NULL;
	if (!folio_test_uptodate(folio)) {
		folio_put(folio);
		return NULL;
	}
	vexfs_matrix_release(&matrix->held[matrix->held_next].folio);
	matrix->held[matrix->held_next].index = index;
	matrix->held[matrix->held_next].folio = folio;
	if (++matrix->held_next == VEXFS_MATRIX_HELD)
		matrix->held_next = 0;
	return folio;
}

bool vexfs_matrix_fetch(struct vexfs_matrix *matrix, loff_t pos, size_t bytes)
{
	size_t part, at;

	for (bytes = min_t(size_t, bytes, 2 * PAGE_SIZE); bytes;
	     bytes -= part, pos += part) {
		struct folio *folio = vexfs_matrix_hold(matrix,
							pos >> PAGE_SHIFT);
		const char *data;

		if (!folio)
			return false;
		part = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(pos));
		data = folio_address(folio) + offset_in_folio(folio, pos);
		for (at = 0; at < part; at += L1_CACHE_BYTES)
			prefetch(data + at);
	}
	return true;
}

int vexfs_matrix_copy(struct vexfs_matrix *matrix, loff_t pos, size_t bytes,
		      bool sequential, void *into)
{
	const void *data;
	ssize_t got;

	while (bytes) {
		got = vexfs_matrix_at(matrix, pos, bytes, sequential, &data);
		if (got < 0)
			return got;
		memcpy(into, data, got);
		into += got;
		pos += got;
		bytes -= got;
	}
	return 0;
}

int vexfs_matrix_row(struct vexfs_matrix *matrix, u64 row, u32 bytes,
		     bool sequential, void *bounce, const void **data)
{
	loff_t pos = row * bytes;
	ssize_t got, rest;
	const void *more;

	got = vexfs_matrix_at(matrix, pos, bytes, sequential, data);
	if (got < 0)
		return got;
	if (got == bytes)
		return 0;
	rest = vexfs_matrix_at(matrix, pos + got, bytes - got, sequential,
			       &more);
	if (rest < 0)
		return rest;
	/* Folios that were filled one after the other often lie so, too. */
	if (more == *data + got && rest == bytes - got)
		return 0;
	memcpy(bounce, *data, got);
	*data = bounce;
	return vexfs_matrix_copy(matrix, pos + got, bytes - got, sequential,
				 bounce + got);
}
