/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Records of one size in pages of memory: sketches, nodes of graphs, lists. In
 * the kernel the pages are those of the page cache, which may have to be read
 * first; in user space they are allocated, all of them at once.
 *
 * A page holds as many records as fit before its trailer, from its first byte
 * on; none straddles two pages.
 */
#ifndef VEX_PAGES_H
#define VEX_PAGES_H

#include "port.h"

#define VEX_PAGE_BYTES		4096U
#define VEX_PAGE_TRAILER_BYTES	16U
/* The largest record. */
#define VEX_RECORD_BYTES_MAX	(VEX_PAGE_BYTES - VEX_PAGE_TRAILER_BYTES)

/**
 * struct vex_pages - records in pages
 * @page: for each page its VEX_PAGE_BYTES bytes, aligned to that, or NULL if
 *	it is not in memory. Others may set entries at any time
 * @pages: entries in @page
 * @record_bytes: bytes of a record, a multiple of 8, up to VEX_RECORD_BYTES_MAX
 * @per_page: records in a page
 * @reciprocal: 2^64 / @per_page, for dividing by it
 * @fault: brings a page below @pages into memory and returns it, or NULL with
 *	a negative errno in @err. May sleep. NULL: all pages are there
 * @owner: for @fault
 * @missed: where @fault counts the pages that had to be read; may be NULL
 *
 * Whoever reads holds what keeps the pages where they are (in the kernel: from
 * vexfs_window_begin() to vexfs_window_end()). The structure is the reader's
 * own copy.
 */
struct vex_pages {
	void **page;
	u64 pages;
	u32 record_bytes;
	u32 per_page;
	u64 reciprocal;
	void *(*fault)(const struct vex_pages *pages, u64 page, int *err);
	void *owner;
	u64 *missed;
};

/**
 * vex_pages_init() - lay records out
 * @pages: to be filled in; @page, @pages, @fault, @owner and @missed become 0
 * @record_bytes: bytes of a record, 8..VEX_RECORD_BYTES_MAX, a multiple of 8
 */
static inline void vex_pages_init(struct vex_pages *pages, u32 record_bytes)
{
	pages->page = NULL;
	pages->pages = 0;
	pages->record_bytes = record_bytes;
	pages->per_page = VEX_RECORD_BYTES_MAX / record_bytes;
	pages->reciprocal = U64_MAX / pages->per_page;
	pages->fault = NULL;
	pages->owner = NULL;
	pages->missed = NULL;
}

/**
 * vex_pages_crowd() - leave room behind the records of a page
 * @pages: after vex_pages_init()
 * @per_page: records in a page from now on, no more than fit
 */
static inline void vex_pages_crowd(struct vex_pages *pages, u32 per_page)
{
	pages->per_page = per_page;
	pages->reciprocal = U64_MAX / per_page;
}

/**
 * vex_pages_number() - the page of a record
 * @pages: the pages
 * @record: the record, below 2^48
 *
 * Exact: the reciprocal is too small by less than 1, the record is taken one too
 * large, and that times @per_page stays below 2^64.
 *
 * Return: the page's number.
 */
static inline u64 vex_pages_number(const struct vex_pages *pages, u64 record)
{
	return (u64)(((__uint128_t)(record + 1) * pages->reciprocal) >> 64);
}

/**
 * vex_pages_at() - a page, if it is in memory
 * @pages: the pages
 * @page: the page
 *
 * Return: the page; NULL if it is not there or beyond the last.
 */
static inline void *vex_pages_at(const struct vex_pages *pages, u64 page)
{
	if (unlikely(page >= pages->pages))
		return NULL;
	return READ_ONCE(pages->page[page]);
}

/**
 * vex_pages_peek() - a record, if it is in memory
 * @pages: the pages
 * @record: the record
 *
 * Return: the record; NULL if it is not there or beyond the last page.
 */
static inline void *vex_pages_peek(const struct vex_pages *pages, u64 record)
{
	u64 number = vex_pages_number(pages, record);
	char *page = vex_pages_at(pages, number);
	u32 index = (u32)(record - number * pages->per_page);

	return page ? page + index * pages->record_bytes : NULL;
}

/**
 * vex_pages_page() - a page, brought into memory if it is not there
 * @pages: the pages
 * @page: the page
 * @err: left alone, or why there is none: -EUCLEAN if it is beyond the last, -EBADMSG if it
 *	is damaged, -EIO, -EINTR, -ENOMEM
 *
 * Return: the page or NULL.
 */
static inline void *vex_pages_page(const struct vex_pages *pages, u64 page,
				   int *err)
{
	void *data = vex_pages_at(pages, page);

	if (likely(data))
		return data;
	if (page < pages->pages && pages->fault)
		return pages->fault(pages, page, err);
	*err = -EUCLEAN;
	return NULL;
}

/**
 * vex_pages_get() - a record, brought into memory if it is not there
 * @pages: the pages
 * @record: the record
 * @err: why there is none, see vex_pages_page()
 *
 * Return: the record or NULL.
 */
static inline void *vex_pages_get(const struct vex_pages *pages, u64 record,
				  int *err)
{
	u64 number = vex_pages_number(pages, record);
	char *page = vex_pages_page(pages, number, err);
	u32 index = (u32)(record - number * pages->per_page);

	return page ? page + index * pages->record_bytes : NULL;
}

/**
 * vex_pages_prefetch() - have the processor fetch a record
 * @pages: the pages
 * @record: the record; nothing happens if it is not in memory
 * @bytes: bytes of it that will be wanted
 */
static inline void vex_pages_prefetch(const struct vex_pages *pages,
				      u64 record, u32 bytes)
{
	const char *data = vex_pages_peek(pages, record);
	u32 at;

	if (!data)
		return;
	for (at = 0; at < bytes; at += 64)
		__builtin_prefetch(data + at);
}

#endif /* VEX_PAGES_H */
