/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How writeback goes through iomap in the different kernel versions. Part of
 * iomap.c, which alone includes it; see compat.h for its rules.
 */
#ifndef VEXFS_COMPAT_WRITEBACK_H
#define VEXFS_COMPAT_WRITEBACK_H

#include <linux/iomap.h>
#include "vexfs.h"

/* Completions of writeback. */
static inline struct iomap_ioend *vexfs_bio_ioend(struct bio *bio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return iomap_ioend_from_bio(bio);
#else
	return bio->bi_private;
#endif
}

static inline struct bio *vexfs_ioend_bio(struct iomap_ioend *ioend)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return &ioend->io_bio;
#else
	return ioend->io_bio;
#endif
}

static inline bool vexfs_ioend_unwritten(const struct iomap_ioend *ioend)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return ioend->io_flags & IOMAP_IOEND_UNWRITTEN;
#else
	return ioend->io_type == IOMAP_UNWRITTEN;
#endif
}

/**
 * struct vexfs_writeback - a round of writeback
 * @ctx: iomap's part, with the mapping that was looked up last
 * @seq: vexfs_inode_info.extent_seq when it was
 */
struct vexfs_writeback {
	struct iomap_writepage_ctx ctx;
	u64 seq;
};

static inline struct vexfs_writeback *
vexfs_writeback_of(struct iomap_writepage_ctx *ctx)
{
	return container_of(ctx, struct vexfs_writeback, ctx);
}

/* In iomap.c: make the mapping cover a byte that is to be written. */
static int vexfs_writeback_map(struct vexfs_writeback *wb, struct inode *inode,
			       loff_t offset);
/* In iomap.c: have the completion end in vexfs_end_bio() if it must. */
static void vexfs_ioend_prepare(struct iomap_ioend *ioend);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
static ssize_t vexfs_writeback_range(struct iomap_writepage_ctx *ctx,
				     struct folio *folio, u64 pos,
				     unsigned int len, u64 end_pos)
{
	int err = vexfs_writeback_map(vexfs_writeback_of(ctx), ctx->inode, pos);

	return err ? err : iomap_add_to_ioend(ctx, folio, pos, end_pos, len);
}

static int vexfs_writeback_submit(struct iomap_writepage_ctx *ctx, int error)
{
	vexfs_ioend_prepare(ctx->wb_ctx);
	return iomap_ioend_writeback_submit(ctx, error);
}

static const struct iomap_writeback_ops vexfs_writeback_ops = {
	.writeback_range = vexfs_writeback_range,
	.writeback_submit = vexfs_writeback_submit,
};

static inline int vexfs_iomap_writepages(struct address_space *mapping,
					 struct writeback_control *wbc)
{
	struct vexfs_writeback wb = {
		.ctx = {
			.inode = mapping->host,
			.wbc = wbc,
			.ops = &vexfs_writeback_ops,
		},
	};

	return iomap_writepages(&wb.ctx);
}
#else
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static int vexfs_map_blocks(struct iomap_writepage_ctx *ctx,
			    struct inode *inode, loff_t offset,
			    unsigned int len)
{
	return vexfs_writeback_map(vexfs_writeback_of(ctx), inode, offset);
}
#else
static int vexfs_map_blocks(struct iomap_writepage_ctx *ctx,
			    struct inode *inode, loff_t offset)
{
	return vexfs_writeback_map(vexfs_writeback_of(ctx), inode, offset);
}
#endif

static int vexfs_prepare_ioend(struct iomap_ioend *ioend, int status)
{
	vexfs_ioend_prepare(ioend);
	return status;
}

static const struct iomap_writeback_ops vexfs_writeback_ops = {
	.map_blocks = vexfs_map_blocks,
	.prepare_ioend = vexfs_prepare_ioend,
};

static inline int vexfs_iomap_writepages(struct address_space *mapping,
					 struct writeback_control *wbc)
{
	struct vexfs_writeback wb = { };

	return iomap_writepages(mapping, wbc, &wb.ctx, &vexfs_writeback_ops);
}
#endif

#endif /* VEXFS_COMPAT_WRITEBACK_H */
