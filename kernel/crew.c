// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crews: helpers for the work that builds an index. A helper is a work item,
 * so that it runs on the CPUs that an administrator leaves to such work, and a
 * build goes on, if more slowly, where there is no thread for it.
 */
#include <linux/sched.h>
#include "crew.h"

u32 vexfs_crew_size(u32 wanted)
{
	if (wanted)
		return wanted;
	return min3((u32)num_online_cpus(), (u32)current->nr_cpus_allowed,
		    VEXFS_CREW_AUTOMATIC);
}

static void vexfs_crew_work(struct work_struct *work)
{
	struct vexfs_hand *hand = container_of(work, struct vexfs_hand, work);
	struct vexfs_crew *crew = hand->crew;

	/* Whoever waits for an answer comes first. */
	set_user_nice(current, MAX_NICE);
	hand->err = crew->task(hand->tools, hand - crew->hands + 1,
			       crew->context);
	set_user_nice(current, 0);
}

/* Tools for a helper: the leader's files, and its own of the rest. */
static struct vexfs_grower *
vexfs_crew_equip(const struct vexfs_grower *leader, u32 member)
{
	struct vexfs_grower *tools = kzalloc(sizeof(*tools), GFP_KERNEL);
	int err;

	if (!tools)
		return NULL;
	tools->build = leader->build;
	tools->derived = leader->derived;
	tools->index = leader->index;
	tools->sketches = leader->sketches;
	tools->cache = leader->cache;
	tools->cache_bytes = leader->cache_bytes;
	tools->cache_shared = leader->cache_shared;
	tools->stride = leader->stride;
	tools->crew = leader->crew;
	err = vexfs_grower_equip(tools);
	if (!err)
		err = vexfs_graph_builder(tools, member);
	if (!err)
		return tools;
	vexfs_grower_strip(tools);
	return NULL;
}

void vexfs_crew_open(struct vexfs_grower *leader, u32 members)
{
	struct inode *inode = leader->build->inode;
	struct vexfs_crew *crew;
	struct vexfs_hand *hand;
	u32 i;

	if (members < 2)
		return;
	crew = kvzalloc(struct_size(crew, hands, members - 1), GFP_KERNEL);
	if (!crew)
		return;
	crew->queue = VEXFS_SB(inode->i_sb)->crew_wq;
	for (i = 0; i < VEXFS_CREW_STRIPES; i++)
		mutex_init(&crew->stripes[i]);
	leader->crew = crew;
	for (i = 0; i < members - 1; i++) {
		hand = &crew->hands[i];
		hand->crew = crew;
		INIT_WORK(&hand->work, vexfs_crew_work);
		hand->tools = vexfs_crew_equip(leader, i + 1);
		if (!hand->tools)
			break;
		crew->helpers++;
	}
}

void vexfs_crew_close(struct vexfs_grower *leader)
{
	struct vexfs_crew *crew = leader->crew;
	u32 i;

	if (!crew)
		return;
	leader->crew = NULL;
	for (i = 0; i < crew->helpers; i++)
		vexfs_grower_strip(crew->hands[i].tools);
	kvfree(crew);
}

int vexfs_crew_run(struct vexfs_grower *leader, vexfs_crew_task task,
		   void *context)
{
	struct vexfs_crew *crew = leader->crew;
	struct vexfs_hand *hand;
	int err;
	u32 i;

	if (!crew)
		return task(leader, 0, context);
	crew->task = task;
	crew->context = context;
	for (i = 0; i < crew->helpers; i++) {
		crew->hands[i].err = 0;
		queue_work(crew->queue, &crew->hands[i].work);
	}
	err = task(leader, 0, context);
	for (i = 0; i < crew->helpers; i++) {
		hand = &crew->hands[i];
		/* Who has not begun by now need not any more. */
		cancel_work_sync(&hand->work);
		if (!err)
			err = hand->err;
	}
	return err;
}
