// SPDX-License-Identifier: Apache-2.0
/*
 * Indexes: building them, watching that, and dropping them.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <vexfs.h>

#include "call.h"

/* Between two looks at a build, in nanoseconds: short at first. */
#define LOOK_FIRST	2000000L
#define LOOK_LONGEST	200000000L

int vexfs_index_build(int fd, const struct vexfs_build_index *build)
{
	struct vexfs_build_index call = *build;

	call.size = sizeof(call);
	return vexfs_call(fd, VEXFS_IOC_BUILD_INDEX, &call);
}

int vexfs_index_drop(int fd, uint32_t flags)
{
	struct vexfs_drop_index drop = { .size = sizeof(drop), .flags = flags };

	return vexfs_call(fd, VEXFS_IOC_DROP_INDEX, &drop);
}

int vexfs_index_status(int fd, struct vexfs_index_status *status)
{
	memset(status, 0, sizeof(*status));
	status->size = sizeof(*status);
	return vexfs_call(fd, VEXFS_IOC_INDEX_STATUS, status);
}

int vexfs_index_wait(int fd, struct vexfs_index_status *status, vexfs_index_watcher watcher,
		     void *arg)
{
	struct timespec pause = { .tv_nsec = LOOK_FIRST };
	int rc;

	for (;;) {
		rc = vexfs_index_status(fd, status);
		if (rc < 0)
			return rc;
		if (status->building == 0)
			return -(int)status->error;
		rc = watcher ? watcher(arg, status) : 0;
		if (rc != 0)
			return rc;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < LOOK_LONGEST)
			pause.tv_nsec *= 2;
	}
}
