/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VexFS operations through io_uring: fills in submission queue entries.
 *
 * This header owns nothing but these inline functions and is the only part of
 * libvexfs that needs liburing (2.3 or newer), whose header in turn wants GNU
 * extensions: compile with -std=gnu11 or -D_GNU_SOURCE.
 *
 * Each takes the structure of the call, which together with the memory that it
 * points to must stay untouched until the completion. The completion's res is 0
 * or the same negative error number that the call itself would have returned;
 * out members are in the structure then.
 */
#ifndef VEXFS_URING_H
#define VEXFS_URING_H

#include <stddef.h>
#include <stdint.h>

#include <liburing.h>
#include <linux/vexfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vexfs_uring_prep - fill in an entry for any VexFS call
 * @sqe: the entry, from io_uring_get_sqe()
 * @fd: the open vector file
 * @call: VEXFS_IOC_*
 * @argument: the structure of that call, its size member set
 *
 * vexfs_uring_prep_knn() and its kin are easier.
 */
static inline void vexfs_uring_prep(struct io_uring_sqe *sqe, int fd, uint32_t call,
				    void *argument)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
	sqe->cmd_op = call;
	/* struct vexfs_uring_cmd lies where addr3 and the padding after it are */
	sqe->addr3 = (uint64_t)(uintptr_t)argument;
}

/**
 * vexfs_uring_prep_knn - fill in an entry that searches the nearest rows
 * @sqe: the entry
 * @fd: a vector file open for reading
 * @search: as for vexfs_knn()
 */
static inline void vexfs_uring_prep_knn(struct io_uring_sqe *sqe, int fd,
					struct vexfs_knn_search *search)
{
	search->size = sizeof(*search);
	vexfs_uring_prep(sqe, fd, VEXFS_IOC_KNN_SEARCH, search);
}

/**
 * vexfs_uring_prep_range - fill in an entry that does one step of a range search
 * @sqe: the entry
 * @fd: a vector file open for reading
 * @search: as for vexfs_range()
 */
static inline void vexfs_uring_prep_range(struct io_uring_sqe *sqe, int fd,
					  struct vexfs_range_search *search)
{
	search->size = sizeof(*search);
	vexfs_uring_prep(sqe, fd, VEXFS_IOC_RANGE_SEARCH, search);
}

/**
 * vexfs_uring_prep_insert - fill in an entry that appends a batch of rows
 * @sqe: the entry
 * @fd: a vector file open for writing
 * @batch: the batch
 */
static inline void vexfs_uring_prep_insert(struct io_uring_sqe *sqe, int fd,
					   struct vexfs_batch_insert *batch)
{
	batch->size = sizeof(*batch);
	vexfs_uring_prep(sqe, fd, VEXFS_IOC_BATCH_INSERT, batch);
}

/**
 * vexfs_uring_prep_delete - fill in an entry that deletes a batch of rows
 * @sqe: the entry
 * @fd: a vector file open for writing
 * @batch: the batch
 */
static inline void vexfs_uring_prep_delete(struct io_uring_sqe *sqe, int fd,
					   struct vexfs_batch_delete *batch)
{
	batch->size = sizeof(*batch);
	vexfs_uring_prep(sqe, fd, VEXFS_IOC_BATCH_DELETE, batch);
}

/**
 * vexfs_uring_prep_get - fill in an entry that reads rows
 * @sqe: the entry
 * @fd: a vector file open for reading
 * @get: the ids and where to put the rows, or the walk to go on with
 */
static inline void vexfs_uring_prep_get(struct io_uring_sqe *sqe, int fd,
					struct vexfs_get_vectors *get)
{
	get->size = sizeof(*get);
	vexfs_uring_prep(sqe, fd, VEXFS_IOC_GET_VECTORS, get);
}

#ifdef __cplusplus
}
#endif

#endif /* VEXFS_URING_H */
