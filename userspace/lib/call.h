/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way in which libvexfs calls the kernel. Private to the library.
 */
#ifndef VEXFS_LIB_CALL_H
#define VEXFS_LIB_CALL_H

/**
 * vexfs_call - an ioctl that reports as libvexfs does
 * @fd: the open file
 * @call: VEXFS_IOC_*
 * @argument: the call's structure
 *
 * Return: 0 or a negative error number; errno is left as it was.
 */
int vexfs_call(int fd, unsigned long call, void *argument);

/* A pointer as the structures carry it. */
#define TO_U64(pointer) ((uint64_t)(uintptr_t)(pointer))

#endif /* VEXFS_LIB_CALL_H */
