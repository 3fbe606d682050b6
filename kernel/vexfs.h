/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VexFS in memory: the superblock's and the inodes' private parts, and what
 * each file of the module offers to the others. On-disk structures are in
 * core/format.h, the ioctl interface in uapi/linux/vexfs.h.
 *
 * Lock order, outermost first:
 *
 *   sb_start_write / freeze protection
 *   vexfs_build.lock
 *   vexfs_crew.stripes (one at a time)
 *   inode->i_rwsem (parent directories before children, base before its forks)
 *   vexfs_inode_info.publish_lock
 *   vexfs_inode_info.fork_lock
 *   vexfs_derived.write_lock
 *   mapping->invalidate_lock
 *   folio locks
 *   jbd2 handle
 *   vexfs_inode_info.xattr_sem
 *   vexfs_inode_info.tree_sem (a base's before its forks')
 *   vexfs_sb_info.orphan_lock
 *   vexfs_sb_info.group_locks (one at a time)
 *   buffer locks
 *   vexfs_sb_info.encode_lock
 *   vexfs_inode_info.lock, vexfs_inode_info.convert_lock,
 *   vexfs_sb_info.busy_lock
 *
 * Nothing that waits for a folio, or for data I/O, happens inside a handle.
 */
#ifndef VEXFS_H
#define VEXFS_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/percpu_counter.h>
#include <linux/rwsem.h>
#include <linux/buffer_head.h>
#include <linux/rbtree.h>
#include <linux/workqueue.h>
#include <uapi/linux/vexfs.h>
#include "compat.h"
#include "core/format.h"
#include "core/layout.h"
#include "core/tree.h"
#include "core/dir.h"

#define VEXFS_SUPER_MAGIC	0x53465856	/* statfs.f_type: "VXFS" */

#define VEXFS_GROUP_LOCKS	64

/**
 * struct vexfs_group - a group's summary in memory
 * @free_blocks: blocks that can be allocated now (those freed by a
 *	transaction that has not committed are not counted)
 * @free_inodes: inodes that can be allocated now
 *
 * Read without a lock to choose a group, changed under busy_lock.
 */
struct vexfs_group {
	u32 free_blocks;
	u32 free_inodes;
};

/**
 * struct vexfs_sb_info - a mounted volume
 * @sb: the VFS's part
 * @geo: its shape; constant
 * @hash_seed: seed of the directory hash; constant
 * @journal: jbd2's part
 * @journal_inode: the inode that holds the journal
 * @errors: VEXFS_ERRORS_*; changed by remounting
 * @default_errors: the superblock's VEXFS_ERRORS_*; constant
 * @uuid: the UUID that people see; constant
 * @label: volume label, zero terminated; constant
 * @groups: geo.groups summaries
 * @group_locks: group n is guarded by lock n % VEXFS_GROUP_LOCKS: its bitmaps
 *	and its descriptor
 * @free_blocks: sum over the groups of what can be allocated now
 * @busy_blocks: blocks freed by transactions that have not committed
 * @free_inodes: sum over the groups
 * @metadata_reserve: blocks that only callers with VEXFS_ALLOC_RESERVE may
 *	take, so that converting written data cannot fail for want of space
 * @busy_lock: guards @busy, @busy_list, @busy_blocks and the numbers in @groups
 * @busy: extents freed by transactions that have not committed, by block
 * @busy_list: the same in the order of their freeing
 * @orphan_lock: guards the list of orphans, on disk and in memory
 * @orphans: struct vexfs_inode_info.orphan_link
 * @convert_wq: converts unwritten extents after their data was written
 * @encode_wq: encodes rows in the background, see encode.c
 * @encode_work: does that; queued under @encode_lock
 * @encode_lock: guards @encode_list, @encoding and the encode_* of inodes
 * @encode_list: vexfs_inode_info.encode_link of files that have rows to be
 *	encoded, each with a reference
 * @encode_turn: the one whose turn it is
 * @encode_turns: counts the turns that are over; read without a lock
 * @encode_wait: woken up after each step
 * @encoding: background work may be begun
 * @background: the mount does not forbid it; changed by remounting
 * @stopping: set when the volume is about to be unmounted: no background
 *	work is begun any more
 * @publish_wq: publishes rows in the background
 * @build_wq: builds indexes
 * @crew_wq: helps to build indexes, see crew.h
 * @error_work: writes down in the state block that an error was found
 * @error_block: the block of the first error since the mount
 * @error_count: errors since the mount that are not on disk yet
 * @next_generation: i_generation of the next new inode
 */
struct vexfs_sb_info {
	struct super_block *sb;
	struct vex_geometry geo;
	u64 hash_seed;
	journal_t *journal;
	struct inode *journal_inode;
	unsigned int errors;
	unsigned int default_errors;
	u8 uuid[16];
	char label[VEXFS_LABEL_BYTES + 1];
	struct vexfs_group *groups;
	struct mutex group_locks[VEXFS_GROUP_LOCKS];
	struct percpu_counter free_blocks;
	struct percpu_counter free_inodes;
	s64 busy_blocks;
	u32 metadata_reserve;
	spinlock_t busy_lock;
	struct rb_root busy;
	struct list_head busy_list;
	struct mutex orphan_lock;
	struct list_head orphans;
	struct workqueue_struct *convert_wq;
	struct workqueue_struct *publish_wq;
	struct workqueue_struct *encode_wq;
	struct delayed_work encode_work;
	spinlock_t encode_lock;
	struct list_head encode_list;
	struct vexfs_inode_info *encode_turn;
	unsigned int encode_turns;
	wait_queue_head_t encode_wait;
	bool encoding;
	bool background;
	struct workqueue_struct *build_wq;
	struct workqueue_struct *crew_wq;
	bool stopping;
	struct work_struct error_work;
	u64 error_block;
	atomic_t error_count;
	atomic_t next_generation;
};

/**
 * struct vexfs_vector - what makes a file a vector file
 * @schema: as on disk; @schema.s_dim is 0 for an ordinary file. Written under
 *	i_rwsem and vexfs_inode_info.lock while there are no rows
 * @row_bytes: bytes of a row; as @schema
 * @rows: rows that readers see. Stored with release by writers that hold
 *	i_rwsem, read with acquire by anybody
 * @published_rows: rows in the inode on disk; guarded by i_rwsem or tree_sem
 * @deleted: rows deleted; guarded by tree_sem of the base
 * @next_id: next automatic id in memory; guarded by i_rwsem
 * @published_next_id: and in the inode on disk
 * @generation: counts renumberings; read with acquire
 * @swapping: a compaction is changing all of this at this moment; written
 *	under i_rwsem
 * @boundary: rows and next_id after the last batch that was whole: what is to
 *	be published; guarded by vexfs_inode_info.lock
 * @tail_trimmed: what lies beyond the last row was removed since the inode
 *	came into memory; guarded by i_rwsem
 * @replacing: counts up when rows begin to be replaced by others of the same
 *	ids, and again when that is done; guarded by i_rwsem, read by anybody
 * @patience: searches that rows were replaced under: replacing waits for them
 * @stats: what SEARCH_STATS shows
 */
struct vexfs_vector {
	struct vexfs_disk_schema schema;
	u32 row_bytes;
	u64 rows;
	u64 published_rows;
	u64 deleted;
	u64 next_id;
	u64 published_next_id;
	u64 generation;
	bool swapping;
	struct {
		u64 rows;
		u64 next_id;
	} boundary;
	bool tail_trimmed;
	u32 replacing;
	atomic_t patience;
	struct vexfs_vector_stats {
		atomic64_t knn_queries;
		atomic64_t range_queries;
		atomic64_t rows_scanned;
		atomic64_t exact_decisions;
		atomic64_t search_ns;
		atomic64_t rows_inserted;
		atomic64_t insert_batches;
		atomic64_t rows_deleted;
		atomic64_t interrupted;
		atomic64_t restarted;
		atomic64_t codes_compared;
		atomic64_t exact_distances;
		atomic64_t pages_missed;
	} stats;
};

/**
 * struct vexfs_inode_info - an inode
 * @root: its tree's root (or a symlink's target), as on disk; guarded by
 *	tree_sem
 * @tree_sem: guards @root and all the tree's blocks; a fork's is of a lockdep
 *	class of its own
 * @lock: guards @blocks, @disk_size, @fork_inodes and vector.boundary
 * @blocks: blocks charged to it, as ino_blocks
 * @disk_size: i_size as it is on disk: never beyond data that is written and
 *	converted
 * @extent_seq: counts the changes of its extents: tells whether a mapping that
 *	was looked up before still holds. Changed under tree_sem
 * @spare_first: first block that was allocated beyond the end in advance
 * @spare_end: the block after the last of them; 0 if there are none. Both are
 *	guarded by i_rwsem
 * @flags: VEXFS_INO_FLAG_*; guarded by i_rwsem
 * @parent: ino_parent; a directory's is guarded by its i_rwsem
 * @next_orphan: ino_next_orphan; guarded by orphan_lock
 * @xattr_block: ino_xattr_block; guarded by xattr_sem
 * @xattr_sem: guards the extended attributes
 * @forks: ino_forks; guarded by i_rwsem
 * @fork_inodes: the forks in memory, each with a reference that is the base's;
 *	guarded by lock
 * @fork_lock: one makes, loads or removes a fork; outside handles
 * @fork_base: the base of a fork, without a reference (the base outlives it)
 * @derived: a derived fork's state in memory; set once
 * @orphan_link: in vexfs_sb_info.orphans
 * @sync_tid: transaction to commit for fsync
 * @datasync_tid: transaction to commit for fdatasync
 * @btime: time of creation
 * @convert_lock: guards @convert_list
 * @convert_list: ioends whose extents await conversion
 * @convert_work: does that
 * @publish_work: publishes rows in the background, holding a reference
 * @publish_lock: one publisher at a time; outside handles and folio locks
 * @encode_link: in vexfs_sb_info.encode_list
 * @encode_again: there is more to do than when its turn began
 * @encode_error: what its last turn came to, if that was an error
 * @encode_at: its next turn is not before, in jiffies
 * @encode_grown: rows were added last, in jiffies
 * @build: what goes on with its indexes, or NULL; set once
 * @compaction: the compaction that is running, or NULL; guarded by i_rwsem
 * @vector: what makes it a vector file
 * @vfs_inode: the VFS's part
 */
struct vexfs_inode_info {
	struct vexfs_disk_root root;
	struct rw_semaphore tree_sem;
	spinlock_t lock;
	u64 blocks;
	u64 disk_size;
	u64 extent_seq;
	u64 spare_first;
	u64 spare_end;
	u32 flags;
	u64 parent;
	u64 next_orphan;
	u64 xattr_block;
	struct rw_semaphore xattr_sem;
	u64 forks[VEXFS_FORKS];
	struct inode *fork_inodes[VEXFS_FORKS];
	struct mutex fork_lock;
	struct inode *fork_base;
	struct vexfs_derived *derived;
	struct list_head orphan_link;
	tid_t sync_tid;
	tid_t datasync_tid;
	struct timespec64 btime;
	spinlock_t convert_lock;
	struct list_head convert_list;
	struct work_struct convert_work;
	struct work_struct publish_work;
	struct mutex publish_lock;
	struct list_head encode_link;
	bool encode_again;
	int encode_error;
	u64 encode_at;
	u64 encode_grown;
	struct vexfs_build *build;
	struct vexfs_compaction *compaction;
	struct vexfs_vector vector;
	struct inode vfs_inode;
};

static inline struct vexfs_sb_info *VEXFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct vexfs_inode_info *VEXFS_I(const struct inode *inode)
{
	return container_of(inode, struct vexfs_inode_info, vfs_inode);
}

/* Is it a vector file (not a directory that hands a schema down)? */
static inline bool vexfs_is_vector(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) &&
	       (VEXFS_I(inode)->flags & VEXFS_INO_FLAG_VECTOR);
}

/* In super.c */

/**
 * vexfs_msg() - print a message that names the volume
 * @sb: the volume
 * @level: KERN_*
 * @fmt: printf-like, without a newline
 */
__printf(3, 4)
void vexfs_msg(struct super_block *sb, const char *level, const char *fmt, ...);

/**
 * vexfs_corrupt() - report damage on disk and do what errors= says
 * @sb: the volume
 * @block: where, or 0
 * @ino: inode concerned, or 0
 * @err: -EUCLEAN, or -EBADMSG for a wrong checksum
 * @what: what is wrong, a short phrase
 *
 * Context: may sleep; callable inside a handle.
 * Return: @err.
 */
int vexfs_corrupt(struct super_block *sb, u64 block, u64 ino, int err,
		  const char *what);

#include "metadata.h"

/* In inode.c */

/**
 * vexfs_iget() - bring an inode into memory
 * @sb: the volume
 * @ino: its number
 *
 * Return: the inode or an ERR_PTR: -ESTALE if it is free or a fork (what that
 * means is for the caller to say), -EUCLEAN, -EBADMSG, -EIO (reported).
 */
struct inode *vexfs_iget(struct super_block *sb, u64 ino);

/**
 * vexfs_iget_fork() - bring a fork into memory
 * @base: the base
 * @ino: the fork's number
 *
 * Return: the inode or an ERR_PTR.
 */
struct inode *vexfs_iget_fork(struct inode *base, u64 ino);

/* Credits for vexfs_new_inode(). */
#define VEXFS_CREDITS_NEW	(2 * VEXFS_CREDITS_ALLOC + 2 * VEXFS_CREDITS_INODE)

/**
 * vexfs_new_inode() - make an inode
 * @handle: the handle, with VEXFS_CREDITS_NEW
 * @idmap: of the mount, for ownership
 * @dir: its directory, or the base of a fork
 * @mode: type and permissions
 * @rdev: of a special file
 * @kind: VEXFS_TREE_*
 *
 * Sets the operations up. The inode is locked and new (I_NEW): the caller ends
 * with d_instantiate_new(), unlock_new_inode() or discard_new_inode(). It has
 * one link (a directory two) in memory and was not written to disk yet:
 * call vexfs_inode_write().
 *
 * Return: the inode or an ERR_PTR.
 */
struct inode *vexfs_new_inode(handle_t *handle, vexfs_idmap_t *idmap,
			      struct inode *dir, umode_t mode, dev_t rdev,
			      u8 kind);

/**
 * vexfs_inode_write() - write an inode into its block, in a handle
 * @handle: the handle, with VEXFS_CREDITS_INODE
 * @inode: the inode
 *
 * Every change of an inode ends with it.
 *
 * Context: takes no lock but the buffer's and vexfs_inode_info.lock.
 * Return: 0 or a negative errno.
 */
int vexfs_inode_write(handle_t *handle, struct inode *inode);

/**
 * vexfs_inode_dirty() - as vexfs_inode_write(), in a handle of its own
 * @inode: the inode
 *
 * Return: 0 or a negative errno.
 */
int vexfs_inode_dirty(struct inode *inode);

/* In orphan.c */

/**
 * vexfs_state_update() - change the state block
 * @handle: the handle, with VEXFS_CREDITS_STATE
 * @sb: the volume
 * @change: called with the block locked
 * @ctx: for @change
 *
 * Return: 0 or a negative errno.
 */
int vexfs_state_update(handle_t *handle, struct super_block *sb,
		       void (*change)(struct vexfs_disk_state *state, void *ctx),
		       void *ctx);

/**
 * vexfs_orphan_add() - put an inode on the list of orphans
 * @handle: the handle, with VEXFS_CREDITS_STATE + VEXFS_CREDITS_INODE
 * @inode: deleted while open, or about to be truncated; may be on it already
 *
 * Return: 0 or a negative errno.
 */
int vexfs_orphan_add(handle_t *handle, struct inode *inode);

/**
 * vexfs_orphan_del() - take an inode off the list of orphans
 * @handle: the handle, with VEXFS_CREDITS_STATE + 2 * VEXFS_CREDITS_INODE, or
 *	NULL to take it off the list in memory only
 * @inode: may not be on it
 *
 * Return: 0 or a negative errno.
 */
int vexfs_orphan_del(handle_t *handle, struct inode *inode);

/**
 * vexfs_orphan_recover() - finish what a crash interrupted
 * @sb: the volume, writable
 *
 * Removes inodes without links and cuts off what lies beyond the end of
 * those with links.
 */
void vexfs_orphan_recover(struct super_block *sb);

/**
 * vexfs_fork_get() - a fork of a vector file
 * @base: the vector file
 * @slot: VEXFS_FORK_*
 *
 * Context: may sleep; no handle may be held unless the fork is in memory.
 * Return: the fork with a reference, NULL if there is none, or an ERR_PTR.
 */
struct inode *vexfs_fork_get(struct inode *base, unsigned int slot);

/**
 * vexfs_fork_attach() - tell a fork in memory whose it is
 * @fork: the fork
 * @base: its base
 */
void vexfs_fork_attach(struct inode *fork, struct inode *base);

/**
 * vexfs_fork_remove() - free a fork with all it holds
 * @base: the base
 * @slot: VEXFS_FORK_*; nothing happens if there is no such fork
 *
 * Opens and closes handles. A crash in between leaves a smaller fork: the
 * base must be an orphan, or the fork's contents must not matter any more.
 *
 * Context: no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_fork_remove(struct inode *base, unsigned int slot);

/**
 * vexfs_forks_exchange() - two forks of a file change places, in one transaction
 * @base: the base
 * @a: VEXFS_FORK_*
 * @b: VEXFS_FORK_*, of the same kind; either may be absent
 *
 * Context: i_rwsem of @base is held exclusively, and no handle.
 * Return: 0 or a negative errno, and then nothing has changed.
 */
int vexfs_forks_exchange(struct inode *base, unsigned int a, unsigned int b);

struct inode *vexfs_alloc_inode(struct super_block *sb);
void vexfs_free_inode(struct inode *inode);
int vexfs_drop_inode(struct inode *inode);
void vexfs_evict_inode(struct inode *inode);
void vexfs_dirty_inode(struct inode *inode, int flags);
int vexfs_write_inode(struct inode *inode, struct writeback_control *wbc);
int vexfs_inode_cache_init(void);
void vexfs_inode_cache_destroy(void);
int vexfs_setattr(vexfs_idmap_t *idmap, struct dentry *dentry,
		  struct iattr *attr);
int vexfs_getattr(vexfs_idmap_t *idmap, const struct path *path,
		  struct kstat *stat, u32 mask, unsigned int flags);

/**
 * vexfs_set_flags() - make the VFS's inode flags follow vexfs_inode_info.flags
 * @inode: the inode
 */
void vexfs_set_flags(struct inode *inode);

/* In namei.c */
extern const struct inode_operations vexfs_dir_inode_operations;
extern const struct inode_operations vexfs_special_inode_operations;
extern const struct file_operations vexfs_dir_operations;
extern const struct export_operations vexfs_export_operations;

/* In symlink.c */
extern const struct inode_operations vexfs_symlink_inode_operations;

/**
 * vexfs_symlink_set() - store a new symlink's target
 * @handle: the handle, with VEXFS_CREDITS_ALLOC + 1
 * @inode: the symlink, just made with VEXFS_TREE_NONE
 * @target: the target
 * @length: its bytes, 1..VEXFS_SYMLINK_MAX
 *
 * Sets i_size; the caller writes the inode.
 *
 * Return: 0 or a negative errno.
 */
int vexfs_symlink_set(handle_t *handle, struct inode *inode,
		      const char *target, unsigned int length);

/**
 * vexfs_symlink_free() - free the block of a long symlink that is removed
 * @handle: the handle, with VEXFS_CREDITS_ALLOC and a revoke credit
 * @inode: the symlink
 *
 * Return: 0 or a negative errno.
 */
int vexfs_symlink_free(handle_t *handle, struct inode *inode);

/* In xattr.c and acl.c */
extern const vexfs_xattr_handlers_t vexfs_xattr_handlers;
ssize_t vexfs_listxattr(struct dentry *dentry, char *buffer, size_t size);

/* Credits and revokes of one change of the extended attributes. */
#define VEXFS_CREDITS_XATTR	(1U + VEXFS_CREDITS_ALLOC + VEXFS_CREDITS_INODE)
#define VEXFS_REVOKES_XATTR	1U

/**
 * vexfs_xattr_get() - read an extended attribute
 * @inode: the inode
 * @space: VEXFS_XATTR_*
 * @name: the rest of its name
 * @value: room for the value, or NULL
 * @size: bytes of room
 *
 * Return: bytes of the value, -ENODATA, -ERANGE, or a negative errno.
 */
int vexfs_xattr_get(struct inode *inode, u8 space, const char *name,
		    void *value, size_t size);

/**
 * vexfs_xattr_set() - set, replace or remove an extended attribute
 * @handle: the handle, with VEXFS_CREDITS_XATTR
 * @inode: the inode; it is written
 * @space: VEXFS_XATTR_*
 * @name: the rest of its name
 * @value: the value; NULL removes
 * @size: its bytes
 * @flags: XATTR_CREATE, XATTR_REPLACE or 0
 *
 * Return: 0, -ENODATA, -EEXIST, -ENOSPC if they do not fit in the block, or a
 * negative errno.
 */
int vexfs_xattr_set(handle_t *handle, struct inode *inode, u8 space,
		    const char *name, const void *value, size_t size,
		    int flags);

/**
 * vexfs_xattr_free() - free the attributes of an inode that is removed
 * @handle: the handle, with VEXFS_CREDITS_ALLOC and a revoke credit
 * @inode: the inode
 *
 * Return: 0 or a negative errno.
 */
int vexfs_xattr_free(handle_t *handle, struct inode *inode);

struct posix_acl *vexfs_get_acl(struct inode *inode, int type, bool rcu);
int vexfs_set_acl(vexfs_idmap_t *idmap, vexfs_acl_target_t *target,
		  struct posix_acl *acl, int type);

/* Credits of vexfs_acl_init() and vexfs_security_init() together. */
#define VEXFS_CREDITS_INIT	(4 * VEXFS_CREDITS_XATTR)

/**
 * vexfs_acl_init() - give a new inode its directory's default ACL
 * @handle: the handle, with VEXFS_CREDITS_INIT
 * @inode: the new inode
 * @dir: its directory
 *
 * Return: 0 or a negative errno.
 */
int vexfs_acl_init(handle_t *handle, struct inode *inode, struct inode *dir);

/**
 * vexfs_security_init() - let security modules label a new inode
 * @handle: the handle, with VEXFS_CREDITS_INIT
 * @inode: the new inode
 * @dir: its directory
 * @name: its name
 *
 * Return: 0 or a negative errno.
 */
int vexfs_security_init(handle_t *handle, struct inode *inode,
			struct inode *dir, const struct qstr *name);

/* In extents.c: the data of files */

/**
 * vexfs_extent_map() - where a block of a file is
 * @inode: the file
 * @block: the block of the file
 * @run: the extent that covers it; or, with value 0, the hole from @block to
 *	the next extent (length limited to U32_MAX)
 *
 * Return: 0 or a negative errno.
 */
int vexfs_extent_map(struct inode *inode, u64 block, struct vex_run *run);

/**
 * vexfs_extent_map_nowait() - as vexfs_extent_map(), if nothing need be waited
 * for
 * @inode: the file
 * @block: the block of the file
 * @run: see vexfs_extent_map()
 *
 * Return: 0, -EAGAIN, or a negative errno.
 */
int vexfs_extent_map_nowait(struct inode *inode, u64 block,
			    struct vex_run *run);

/**
 * vexfs_extent_alloc() - allocate unwritten blocks in a hole
 * @inode: the file
 * @block: first block of the file
 * @count: blocks wanted
 * @run: what covers @block now, 1..@count blocks allocated, or the extent that
 *	was there already
 *
 * Opens and closes a handle.
 *
 * Context: no handle may be held.
 * Return: 0, -ENOSPC, or a negative errno.
 */
int vexfs_extent_alloc(struct inode *inode, u64 block, u32 count,
		       struct vex_run *run);

/**
 * vexfs_extent_convert() - make unwritten extents written, data being on disk
 * @inode: the file
 * @offset: first byte that was written
 * @bytes: bytes written; 0 to set the size only
 * @size: the file's size is at least so many bytes now; 0: leave disk_size
 *
 * Opens and closes handles; the new size is in the last of them.
 *
 * Context: no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_extent_convert(struct inode *inode, loff_t offset, u64 bytes,
			 loff_t size);

/**
 * vexfs_extent_remove() - free a range of blocks of a file
 * @inode: the file
 * @first: first block
 * @last: last block, inclusive
 *
 * Opens and closes handles. The page cache must hold nothing of the range.
 *
 * Context: no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_extent_remove(struct inode *inode, u64 first, u64 last);

/**
 * vexfs_extent_beyond() - does a file have extents from a block on?
 * @inode: the file
 * @block: the block
 *
 * Return: 1 if it does, 0 if not, or a negative errno.
 */
int vexfs_extent_beyond(struct inode *inode, u64 block);

/* In iomap.c and file.c */

extern const struct iomap_ops vexfs_iomap_ops;
extern const struct iomap_ops vexfs_read_iomap_ops;
extern const struct address_space_operations vexfs_aops;
extern const struct file_operations vexfs_file_operations;
extern const struct inode_operations vexfs_file_inode_operations;

/**
 * vexfs_convert_work() - convert extents whose data was written
 * @work: vexfs_inode_info.convert_work
 */
void vexfs_convert_work(struct work_struct *work);

/**
 * vexfs_truncate() - change a file's size, with everything that goes with it
 * @inode: a regular file
 * @size: the new size
 *
 * The file is on the list of orphans while blocks are freed.
 *
 * Context: i_rwsem held for writing; no handle, no invalidate_lock.
 * Return: 0 or a negative errno.
 */
int vexfs_truncate(struct inode *inode, loff_t size);

/**
 * vexfs_truncate_finish() - free what lies beyond a file's end
 * @inode: a regular file on the list of orphans; taken off it at the end
 *
 * The second half of vexfs_truncate(), and what follows a crash in it.
 *
 * Context: i_rwsem held for writing; no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_truncate_finish(struct inode *inode);

/**
 * vexfs_orphan_done() - take a file off the list of orphans if it has links
 * @inode: the file, with nothing left to be cut off
 *
 * Context: no handle may be held.
 * Return: 0 or a negative errno.
 */
int vexfs_orphan_done(struct inode *inode);

/**
 * vexfs_set_aops() - set a regular file's address space up
 * @inode: the file
 */
void vexfs_set_aops(struct inode *inode);

/**
 * vexfs_buffered_write() - the page cache part of a write
 * @iocb: the call; i_rwsem is held for writing
 * @from: the data
 *
 * Return: bytes written or a negative errno.
 */
ssize_t vexfs_buffered_write(struct kiocb *iocb, struct iov_iter *from);

/**
 * vexfs_fsync() - see fsync(2)
 * @file: the file
 * @start: first byte
 * @end: last byte
 * @datasync: fdatasync(2)?
 *
 * Return: 0 or a negative errno.
 */
int vexfs_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/* In fileattr.c */
int vexfs_fileattr_get(struct dentry *dentry, vexfs_fileattr_t *fa);
int vexfs_fileattr_set(vexfs_idmap_t *idmap, struct dentry *dentry,
		       vexfs_fileattr_t *fa);

/* In vector.c: schemas, rows, and publishing them */

/**
 * vexfs_vector_write() - write(2) on a vector file: whole rows at its end
 * @iocb: the call
 * @from: the data
 *
 * Return: bytes written; -EINVAL for a write in the middle, or for a NaN or
 * an infinity; -EOPNOTSUPP for files with ids of their own.
 */
ssize_t vexfs_vector_write(struct kiocb *iocb, struct iov_iter *from);

/**
 * vexfs_vector_publish() - make rows that are in memory durable
 * @inode: the vector file
 *
 * Writes the matrix, converts it, and sets rows, size and next_id in one
 * transaction. What was published before is not touched: a crash in between
 * leaves the rows as they were.
 *
 * Context: no handle may be held; i_rwsem may be.
 * Return: 0 or a negative errno.
 */
int vexfs_vector_publish(struct inode *inode);

/**
 * vexfs_vector_publish_later() - publish in the background
 * @inode: the vector file
 */
void vexfs_vector_publish_later(struct inode *inode);

/**
 * vexfs_publish_work() - publish
 * @work: vexfs_inode_info.publish_work
 */
void vexfs_publish_work(struct work_struct *work);

/**
 * vexfs_vector_truncate() - truncate of a vector file
 * @inode: the vector file
 * @size: the new size
 *
 * Context: i_rwsem held for writing.
 * Return: 0; -EINVAL if it would extend the file; -EBUSY; a negative errno.
 */
int vexfs_vector_truncate(struct inode *inode, loff_t size);

/**
 * vexfs_vector_inherit() - give a new file its directory's schema
 * @inode: the new file or directory
 * @dir: its directory
 */
void vexfs_vector_inherit(struct inode *inode, struct inode *dir);

/**
 * vexfs_columns_inherit() - and the names of its columns
 * @handle: the handle, with VEXFS_CREDITS_XATTR
 * @inode: the new file or directory
 * @dir: its directory
 *
 * Return: 0 or a negative errno.
 */
int vexfs_columns_inherit(handle_t *handle, struct inode *inode,
			  struct inode *dir);

/**
 * vexfs_schema_show() - a schema as text
 * @inode: the file or directory
 * @buffer: room, or NULL
 * @size: bytes of room
 *
 * Return: bytes, -ENODATA if there is none, -ERANGE.
 */
int vexfs_schema_show(struct inode *inode, char *buffer, size_t size);

/**
 * vexfs_schema_store() - set a schema from text
 * @inode: the file or directory
 * @text: as in "dim=768,type=f32,metric=cosine,ids=auto"; not terminated
 * @size: its bytes
 *
 * Context: i_rwsem held for writing.
 * Return: 0, -EINVAL, -EBUSY if the file is not empty, or a negative errno.
 */
int vexfs_schema_store(struct inode *inode, const char *text, size_t size);

/* In ioctl.c */
long vexfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int vexfs_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* VEXFS_H */
