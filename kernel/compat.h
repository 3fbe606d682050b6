/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place, with kernel/compat_*.h, that knows kernel versions. Every
 * file of the module is compiled with it. It defines names of the module's own
 * only, never one that belongs to the kernel: stable kernels get backports
 * that version numbers do not tell of. Each test names the mainline version in
 * which the older form died.
 */
#ifndef VEXFS_COMPAT_H
#define VEXFS_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "vexfs needs Linux 6.1 or later: build it against the headers of a newer kernel"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#error "vexfs is known to work up to Linux 7.2: look for a newer vexfs, or extend this file"
#endif

#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

/* Identity mapping of a mount: the first argument of many operations. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef struct mnt_idmap vexfs_idmap_t;
#define VEXFS_NOP_IDMAP		(&nop_mnt_idmap)
#else
typedef struct user_namespace vexfs_idmap_t;
#define VEXFS_NOP_IDMAP		(&init_user_ns)
#endif

static inline vexfs_idmap_t *vexfs_file_idmap(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return file_mnt_idmap(file);
#else
	return file_mnt_user_ns(file);
#endif
}

/*
 * What inode_operations.mkdir returns:
 * static VEXFS_MKDIR_RET vexfs_mkdir(...) { ...; return vexfs_mkdir_ret(err); }
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define VEXFS_MKDIR_RET		struct dentry *
static inline struct dentry *vexfs_mkdir_ret(int err)
{
	return ERR_PTR(err);
}
#else
#define VEXFS_MKDIR_RET		int
static inline int vexfs_mkdir_ret(int err)
{
	return err;
}
#endif

static inline void vexfs_fillattr(vexfs_idmap_t *idmap, u32 mask,
				  struct inode *inode, struct kstat *stat)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	generic_fillattr(idmap, mask, inode, stat);
#else
	generic_fillattr(idmap, inode, stat);
#endif
}

/* Times of an inode. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
static inline struct timespec64 vexfs_inode_atime(const struct inode *inode)
{
	return inode_get_atime(inode);
}

static inline struct timespec64 vexfs_inode_mtime(const struct inode *inode)
{
	return inode_get_mtime(inode);
}

static inline struct timespec64 vexfs_inode_ctime(const struct inode *inode)
{
	return inode_get_ctime(inode);
}

static inline void vexfs_set_atime(struct inode *inode, struct timespec64 ts)
{
	inode_set_atime_to_ts(inode, ts);
}

static inline void vexfs_set_mtime(struct inode *inode, struct timespec64 ts)
{
	inode_set_mtime_to_ts(inode, ts);
}

static inline void vexfs_set_ctime(struct inode *inode, struct timespec64 ts)
{
	inode_set_ctime_to_ts(inode, ts);
}

/* The status has changed now. */
static inline struct timespec64 vexfs_touch_c(struct inode *inode)
{
	return inode_set_ctime_current(inode);
}
#else
static inline struct timespec64 vexfs_inode_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 vexfs_inode_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline void vexfs_set_atime(struct inode *inode, struct timespec64 ts)
{
	inode->i_atime = ts;
}

static inline void vexfs_set_mtime(struct inode *inode, struct timespec64 ts)
{
	inode->i_mtime = ts;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static inline struct timespec64 vexfs_inode_ctime(const struct inode *inode)
{
	return inode_get_ctime(inode);
}

static inline void vexfs_set_ctime(struct inode *inode, struct timespec64 ts)
{
	inode_set_ctime_to_ts(inode, ts);
}

static inline struct timespec64 vexfs_touch_c(struct inode *inode)
{
	return inode_set_ctime_current(inode);
}
#else
static inline struct timespec64 vexfs_inode_ctime(const struct inode *inode)
{
	return inode->i_ctime;
}

static inline void vexfs_set_ctime(struct inode *inode, struct timespec64 ts)
{
	inode->i_ctime = ts;
}

static inline struct timespec64 vexfs_touch_c(struct inode *inode)
{
	inode->i_ctime = current_time(inode);
	return inode->i_ctime;
}
#endif
#endif

/* The contents, and so the status too, have changed now. */
static inline void vexfs_touch_mc(struct inode *inode)
{
	vexfs_set_mtime(inode, vexfs_touch_c(inode));
}

/* All three times are now: for an inode just made. */
static inline void vexfs_touch_amc(struct inode *inode)
{
	struct timespec64 now = vexfs_touch_c(inode);

	vexfs_set_atime(inode, now);
	vexfs_set_mtime(inode, now);
}

/* Did iget_locked() return an inode that must be filled in? */
static inline bool vexfs_inode_is_new(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return inode_state_read_once(inode) & I_NEW;
#else
	return READ_ONCE(inode->i_state) & I_NEW;
#endif
}

static inline int vexfs_generic_drop(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return inode_generic_drop(inode);
#else
	return generic_drop_inode(inode);
#endif
}

/* What iget_locked() and iget5_locked() take. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
typedef u64 vexfs_ino_t;
#else
typedef unsigned long vexfs_ino_t;
#endif

/* inode_operations.fileattr_get and fileattr_set */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
typedef struct file_kattr vexfs_fileattr_t;
#else
typedef struct fileattr vexfs_fileattr_t;
#endif

/*
 * Access control lists:
 *	.VEXFS_GET_ACL_OP = vexfs_get_acl,	(struct inode *, int, bool)
 *	.set_acl = vexfs_set_acl,	(vexfs_idmap_t *, vexfs_acl_target_t *,
 *					 struct posix_acl *, int)
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define VEXFS_GET_ACL_OP	get_inode_acl
typedef struct dentry vexfs_acl_target_t;

static inline struct inode *vexfs_acl_inode(vexfs_acl_target_t *target)
{
	return d_inode(target);
}

static inline int vexfs_acl_chmod(vexfs_idmap_t *idmap, struct dentry *dentry)
{
	return posix_acl_chmod(idmap, dentry, d_inode(dentry)->i_mode);
}
#else
#define VEXFS_GET_ACL_OP	get_acl
typedef struct inode vexfs_acl_target_t;

static inline struct inode *vexfs_acl_inode(vexfs_acl_target_t *target)
{
	return target;
}

static inline int vexfs_acl_chmod(vexfs_idmap_t *idmap, struct dentry *dentry)
{
	return posix_acl_chmod(idmap, d_inode(dentry), d_inode(dentry)->i_mode);
}
#endif

/* A list as the value of an extended attribute, to be given to kfree(). */
static inline void *vexfs_acl_to_xattr(const struct posix_acl *acl,
				       size_t *size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	void *value = posix_acl_to_xattr(&init_user_ns, acl, size, GFP_KERNEL);

	return value ? value : ERR_PTR(-ENOMEM);
#else
	void *value;
	int ret;

	*size = posix_acl_xattr_size(acl->a_count);
	value = kmalloc(*size, GFP_KERNEL);
	if (!value)
		return ERR_PTR(-ENOMEM);
	ret = posix_acl_to_xattr(&init_user_ns, acl, value, *size);
	if (ret >= 0)
		return value;
	kfree(value);
	return ERR_PTR(ret);
#endif
}

/*
 * super_block.s_xattr, and the handlers of access control lists in it, which
 * the VFS took over:
 *	static const struct xattr_handler *const handlers[] = {
 *		VEXFS_ACL_XATTR_HANDLERS ..., NULL };
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
typedef const struct xattr_handler *const *vexfs_xattr_handlers_t;
#define VEXFS_XATTR_ARRAY	static const struct xattr_handler *const
#else
typedef const struct xattr_handler **vexfs_xattr_handlers_t;
#define VEXFS_XATTR_ARRAY	static const struct xattr_handler *
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define VEXFS_ACL_XATTR_HANDLERS
#else
#define VEXFS_ACL_XATTR_HANDLERS \
	&posix_acl_access_xattr_handler, &posix_acl_default_xattr_handler,
#endif

/* export_operations.encode_fh: the default for 32-bit inode numbers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define VEXFS_ENCODE_FH		generic_encode_ino32_fh
#else
#define VEXFS_ENCODE_FH		NULL
#endif

/* The command area of a submission queue entry. */
static inline const void *vexfs_uring_payload(struct io_uring_cmd *cmd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return cmd->sqe->cmd;
#else
	return cmd->cmd;
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define vexfs_splice_read	filemap_splice_read
#else
#define vexfs_splice_read	generic_file_splice_read
#endif

/* What a regular file can do without waiting, told at open or in its table. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define VEXFS_FMODE	(FMODE_NOWAIT | FMODE_CAN_ODIRECT)
#define VEXFS_FOP_FLAGS \
	.fop_flags = FOP_BUFFER_RASYNC | FOP_BUFFER_WASYNC | \
		     FOP_DIO_PARALLEL_WRITE,
#else
#define VEXFS_FMODE	(FMODE_NOWAIT | FMODE_CAN_ODIRECT | \
			 FMODE_BUF_RASYNC | FMODE_BUF_WASYNC)
#define VEXFS_FOP_FLAGS
#endif

/* A mapping may never become writable, not by mprotect(2) either. */
static inline void vexfs_vma_forbid_write(struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, VM_MAYWRITE);
#else
	vma->vm_flags &= ~VM_MAYWRITE;
#endif
}

static inline bool vexfs_bdev_rotational(struct block_device *bdev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	return bdev_rot(bdev);
#else
	return !bdev_nonrot(bdev);
#endif
}

/* A folio of the page cache with a reference, or NULL if it is not there. */
static inline struct folio *vexfs_folio_get(struct address_space *mapping,
					    pgoff_t index)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	struct folio *folio = filemap_get_folio(mapping, index);

	return IS_ERR(folio) ? NULL : folio;
#else
	return filemap_get_folio(mapping, index);
#endif
}

/*
 * Have pages read that are not in the page cache. A truncation must not come in
 * between: what it takes away would be put there again.
 */
static inline void vexfs_ra_unbounded(struct readahead_control *ractl,
				      unsigned long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	filemap_invalidate_lock_shared(ractl->mapping);
	page_cache_ra_unbounded(ractl, pages, 0);
	filemap_invalidate_unlock_shared(ractl->mapping);
#else
	/* This takes the lock itself. */
	page_cache_ra_unbounded(ractl, pages, 0);
#endif
}

/*
 * A folio of the page cache, locked and with a reference; added if it is not
 * there, and then not read in. Or an ERR_PTR.
 */
static inline struct folio *vexfs_folio_grab(struct address_space *mapping,
					     pgoff_t index)
{
	struct folio *folio;

	folio = __filemap_get_folio(mapping, index,
				    FGP_LOCK | FGP_CREAT | FGP_ACCESSED,
				    mapping_gfp_mask(mapping));
	return folio ? folio : ERR_PTR(-ENOMEM);
}

/*
 * What gives memory back under pressure:
 *	VEXFS_SHRINKER(name, count, scan);
 *	err = vexfs_shrinker_register(&name, "text");
 *	vexfs_shrinker_unregister(&name);
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
struct vexfs_shrinker {
	unsigned long (*count)(struct shrinker *shrinker,
			       struct shrink_control *sc);
	unsigned long (*scan)(struct shrinker *shrinker,
			      struct shrink_control *sc);
	struct shrinker *shrinker;
};

#define VEXFS_SHRINKER(name, count_, scan_) \
	static struct vexfs_shrinker name = { .count = count_, .scan = scan_ }

static inline int vexfs_shrinker_register(struct vexfs_shrinker *s,
					  const char *name)
{
	s->shrinker = shrinker_alloc(0, "%s", name);
	if (!s->shrinker)
		return -ENOMEM;
	s->shrinker->count_objects = s->count;
	s->shrinker->scan_objects = s->scan;
	s->shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(s->shrinker);
	return 0;
}

static inline void vexfs_shrinker_unregister(struct vexfs_shrinker *s)
{
	shrinker_free(s->shrinker);
}
#else
#define VEXFS_SHRINKER(name, count_, scan_) \
	static struct shrinker name = { .count_objects = count_, \
					.scan_objects = scan_, \
					.seeks = DEFAULT_SEEKS }

static inline int vexfs_shrinker_register(struct shrinker *s, const char *name)
{
	return register_shrinker(s, "%s", name);
}

static inline void vexfs_shrinker_unregister(struct shrinker *s)
{
	unregister_shrinker(s);
}
#endif

#endif /* VEXFS_COMPAT_H */
