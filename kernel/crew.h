/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Crews: the threads that build an index together. The file's background work
 * leads; work items of its own, at the same low priority, help it for the time
 * of one task after the other. Between two tasks nobody but the leader touches
 * the index, so checkpoints and the end of a build are as with one thread.
 */
#ifndef VEXFS_CREW_H
#define VEXFS_CREW_H

#include "build.h"

/* Threads of a build that does not say how many, at most. */
#define VEXFS_CREW_AUTOMATIC	4U

/* Locks for the lists of a graph's nodes. */
#define VEXFS_CREW_STRIPES	1024U

struct vexfs_crew;

/**
 * struct vexfs_hand - a helper
 * @crew: its crew
 * @work: does the crew's task
 * @tools: its own, the index and the sketches being the leader's
 * @err: what its last task came to
 */
struct vexfs_hand {
	struct vexfs_crew *crew;
	struct work_struct work;
	struct vexfs_grower *tools;
	int err;
};

/**
 * typedef vexfs_crew_task - what the members of a crew do at once
 * @tools: the member's own
 * @member: its number, 0 for the leader
 * @context: shared
 *
 * A helper may come late, or not at all: members take their shares as they
 * go, and the leader alone must get everything done.
 *
 * Return: 0 or a negative errno.
 */
typedef int (*vexfs_crew_task)(struct vexfs_grower *tools, u32 member,
			       void *context);

/**
 * struct vexfs_crew - the threads that build an index together
 * @queue: where helpers work
 * @task: what they do
 * @context: for @task
 * @helpers: hands in @hands
 * @stripes: guard the lists of a graph's nodes, each those of many
 * @hands: the helpers
 */
struct vexfs_crew {
	struct workqueue_struct *queue;
	vexfs_crew_task task;
	void *context;
	u32 helpers;
	struct mutex stripes[VEXFS_CREW_STRIPES];
	struct vexfs_hand hands[];
};

/**
 * vexfs_crew_size() - how many threads are to build
 * @wanted: what the call said, or 0
 *
 * Context: the background work of a file, as it counts the CPUs that this may
 * use.
 * Return: the threads, the leader among them.
 */
u32 vexfs_crew_size(u32 wanted);

/**
 * vexfs_crew_open() - find helpers
 * @leader: complete tools for a graph
 * @members: how many threads, the leader among them
 *
 * Sets @leader->crew, if there is memory for helpers, as many as that is enough
 * for.
 */
void vexfs_crew_open(struct vexfs_grower *leader, u32 members);

/**
 * vexfs_crew_close() - let them go
 * @leader: the tools, which may have no crew
 */
void vexfs_crew_close(struct vexfs_grower *leader);

/**
 * vexfs_crew_members() - how many threads there are
 * @leader: the tools
 *
 * Return: 1 if the leader is alone.
 */
static inline u32 vexfs_crew_members(const struct vexfs_grower *leader)
{
	return leader->crew ? leader->crew->helpers + 1 : 1;
}

/**
 * vexfs_crew_tools() - a member's tools
 * @leader: the leader's
 * @member: number of the member
 *
 * Return: the tools.
 */
static inline struct vexfs_grower *
vexfs_crew_tools(struct vexfs_grower *leader, u32 member)
{
	return member ? leader->crew->hands[member - 1].tools : leader;
}

/**
 * vexfs_crew_run() - do something together
 * @leader: the tools
 * @task: what
 * @context: for @task
 *
 * Context: vexfs_build.lock and freeze protection held, on behalf of all.
 * Return: 0, or the errno of one for whom it failed, when all have ended.
 */
int vexfs_crew_run(struct vexfs_grower *leader, vexfs_crew_task task,
		   void *context);

#endif /* VEXFS_CREW_H */
