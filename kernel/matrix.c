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

void vexfs_matrix_exit(struct vexfs_matrix *matrix)
{
	if (matrix->folio)
		folio_put(matrix->folio);
	matrix->folio = NULL;
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

/* The folio that holds a page, read in. */
static struct folio *vexfs_matrix_folio(struct vexfs_matrix *matrix,
					pgoff_t index)
{
	struct address_space *mapping = matrix->inode->i_mapping;
	struct folio *folio = vexfs_folio_get(mapping, index);

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
		vexfs_matrix_exit(matrix);
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

bool vexfs_matrix_fetch(const struct vexfs_matrix *matrix, loff_t pos,
			size_t bytes)
{
	struct address_space *mapping = matrix->inode->i_mapping;
	bool there = true;
	size_t part;

	/*
	 * Without a reference, so a folio may be taken away or become another
	 * meanwhile: an address to fetch from in vain.
	 */
	rcu_read_lock();
	for (bytes = min_t(size_t, bytes, 2 * PAGE_SIZE); bytes && there;
	     bytes -= part, pos += part) {
		struct folio *folio = xa_load(&mapping->i_pages,
					      pos >> PAGE_SHIFT);
		const char *data;
		size_t at;

		part = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(pos));
		there = folio && !xa_is_value(folio);
		if (!there)
			break;
		data = folio_address(folio) + offset_in_folio(folio, pos);
		for (at = 0; at < part; at += L1_CACHE_BYTES)
			prefetch(data + at);
	}
	rcu_read_unlock();
	return there;
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
