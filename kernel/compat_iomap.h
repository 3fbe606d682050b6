/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes in iomap, and in the page cache around it, between kernel
 * versions. Included by iomap.c and file.c; see compat.h for its rules.
 */
#ifndef VEXFS_COMPAT_IOMAP_H
#define VEXFS_COMPAT_IOMAP_H

#include <linux/iomap.h>
#include "vexfs.h"

/*
 * Where the hook is that asks whether a mapping still holds: in the mapping
 * itself, or given to every call that writes into the page cache.
 *
 * VEXFS_WRITE_HOOKS(name, valid) defines the hooks,
 * vexfs_iomap_set_hooks() puts them into a mapping.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
extern const struct iomap_write_ops vexfs_write_hooks;
#define VEXFS_WRITE_HOOKS_TYPE	struct iomap_write_ops
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
extern const struct iomap_folio_ops vexfs_write_hooks;
#define VEXFS_WRITE_HOOKS_TYPE	struct iomap_folio_ops
#else
extern const struct iomap_page_ops vexfs_write_hooks;
#define VEXFS_WRITE_HOOKS_TYPE	struct iomap_page_ops
#endif

static inline void vexfs_iomap_set_hooks(struct iomap *iomap)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	/* They are given to the calls below. */
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	iomap->folio_ops = &vexfs_write_hooks;
#else
	iomap->page_ops = &vexfs_write_hooks;
#endif
}

static inline ssize_t vexfs_iomap_write(struct kiocb *iocb,
					struct iov_iter *from)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return iomap_file_buffered_write(iocb, from, &vexfs_iomap_ops,
					 &vexfs_write_hooks, NULL);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return iomap_file_buffered_write(iocb, from, &vexfs_iomap_ops, NULL);
#else
	return iomap_file_buffered_write(iocb, from, &vexfs_iomap_ops);
#endif
}

static inline int vexfs_iomap_zero(struct inode *inode, loff_t pos, loff_t len,
				   bool *did_zero)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return iomap_zero_range(inode, pos, len, did_zero, &vexfs_iomap_ops,
				&vexfs_write_hooks, NULL);
#else
	return iomap_zero_range(inode, pos, len, did_zero, &vexfs_iomap_ops);
#endif
}

static inline vm_fault_t vexfs_iomap_mkwrite(struct vm_fault *vmf)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return iomap_page_mkwrite(vmf, &vexfs_iomap_ops, NULL);
#else
	return iomap_page_mkwrite(vmf, &vexfs_iomap_ops);
#endif
}

static inline int vexfs_iomap_read_folio(struct folio *folio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	iomap_bio_read_folio(folio, &vexfs_read_iomap_ops);
	return 0;
#else
	return iomap_read_folio(folio, &vexfs_read_iomap_ops);
#endif
}

static inline void vexfs_iomap_readahead(struct readahead_control *rac)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	iomap_bio_readahead(rac, &vexfs_read_iomap_ops);
#else
	iomap_readahead(rac, &vexfs_read_iomap_ops);
#endif
}

/* Members of the address space operations. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define VEXFS_DIRTY_FOLIO	iomap_dirty_folio
#else
#define VEXFS_DIRTY_FOLIO	filemap_dirty_folio
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define VEXFS_ERROR_REMOVE	.error_remove_folio = generic_error_remove_folio
#else
#define VEXFS_ERROR_REMOVE	.error_remove_page = generic_error_remove_page
#endif

#endif /* VEXFS_COMPAT_IOMAP_H */
