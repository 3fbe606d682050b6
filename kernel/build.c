// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building indexes in the background, and keeping them in step with the rows.
 *
 * An index is built in a fork of its own, slot VEXFS_FORK_BUILDING, with
 * checkpoints from which a later mount goes on. When it is whole, one
 * transaction exchanges that slot with VEXFS_FORK_INDEX, and what was there
 * before is removed. A crash before that transaction leaves the old index in
 * service and the new one to go on with; a crash after it leaves the new one,
 * and the old one to be removed when the file is next used.
 *
 * An index that serves grows by rows that have sketches. Rows beyond its last
 * checkpoint are put in again after a crash.
 */
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>
#include "crew.h"

/* A build makes a checkpoint when so many rows are new, or a third of all. */
#define VEXFS_BUILD_SAVE_ROWS	16384U

/* An index that serves makes one when a 16th is new, and so many rows. */
#define VEXFS_GROW_SAVE_ROWS	1024U

/* Milliseconds between two tries on a volume that is frozen. */
#define VEXFS_BUILD_FROZEN_MS	100U

/* What a step of the work comes to, if it is no error. */
#define VEXFS_STEP_DONE		0	/* there is nothing more to do */
#define VEXFS_STEP_MORE		1	/* there is */
#define VEXFS_STEP_ENCODE	2	/* when more rows have sketches */
#define VEXFS_STEP_FROZEN	3	/* when the volume is not frozen */

/* The state of a file, made when it is first needed. */
static struct vexfs_build *vexfs_build_of(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	/* Whoever sees it is set finds it filled in. */
	struct vexfs_build *build = smp_load_acquire(&info->build), *other;

	if (build)
		return build;
	build = kzalloc(sizeof(*build), GFP_KERNEL);
	if (!build)
		return NULL;
	build->inode = inode;
	mutex_init(&build->lock);
	INIT_WORK(&build->work, vexfs_build_work);
	other = cmpxchg(&info->build, NULL, build);
	if (!other)
		return build;
	kfree(build);
	return other;
}

void vexfs_build_free(struct inode *inode)
{
	kfree(VEXFS_I(inode)->build);
	VEXFS_I(inode)->build = NULL;
}

int vexfs_build_stopped(const struct vexfs_build *build)
{
	struct super_block *sb = build->inode->i_sb;

	if (READ_ONCE(build->cancel) ||
	    (build->automatic && atomic_read(&build->requests)))
		return -ECANCELED;
	return vexfs_background_stopped(sb) ||
	       READ_ONCE(sb->s_writers.frozen) != SB_UNFROZEN ? -EINTR : 0;
}

/* The tools */

int vexfs_grower_row(struct vexfs_grower *grower, u64 row, const void **data)
{
	u32 bytes = VEXFS_I(grower->build->inode)->vector.row_bytes;

	return vexfs_matrix_row(&grower->matrix, row, bytes, false, grower->row,
				data);
}

static void vexfs_grower_close(struct vexfs_build *build)
{
	struct vexfs_grower *grower = build->grower;

	if (!grower)
		return;
	build->grower = NULL;
	vexfs_crew_close(grower);
	vexfs_sketches_put(grower->sketches);
	vexfs_derived_put(grower->derived);
	vexfs_lists_close(grower);
	vfree(grower->cache);
	vexfs_grower_strip(grower);
}

void vexfs_grower_strip(struct vexfs_grower *grower)
{
	vexfs_matrix_exit(&grower->matrix);
	vexfs_cursor_exit(&grower->tombstones);
	vfree(grower->graph);
	kvfree(grower->row);
	kvfree(grower->query);
	kvfree(grower->scratch);
	kfree(grower);
}

int vexfs_grower_equip(struct vexfs_grower *grower)
{
	const struct vex_sketch *config = &grower->sketches->config;
	struct inode *inode = grower->build->inode;
	int err;

	grower->matrix.inode = inode;
	err = vexfs_cursor_init(&grower->tombstones, inode,
				VEXFS_FORK_TOMBSTONES);
	if (err)
		return err;
	grower->row = kvmalloc(VEXFS_I(inode)->vector.row_bytes, GFP_KERNEL);
	grower->query = kvmalloc(vex_sketch_query_bytes(config,
							VEX_SKETCH_QUERY_BITS),
				 GFP_KERNEL);
	grower->scratch = kvmalloc(vex_sketch_scratch_bytes(config),
				   GFP_KERNEL);
	return grower->row && grower->query && grower->scratch ? 0 : -ENOMEM;
}

/* Get ready to make the index in a slot larger. -ENOENT: there is none. */
static int vexfs_grower_open(struct vexfs_build *build, unsigned int slot)
{
	struct inode *inode = build->inode;
	struct vexfs_derived *derived;
	struct vexfs_grower *grower;
	int err;

	derived = vexfs_derived_get(inode, slot);
	if (IS_ERR_OR_NULL(derived))
		return derived ? PTR_ERR(derived) : -ENOENT;
	grower = kzalloc(sizeof(*grower), GFP_KERNEL);
	if (!grower) {
		vexfs_derived_put(derived);
		return -ENOMEM;
	}
	build->grower = grower;
	grower->build = build;
	grower->derived = derived;
	grower->index = vexfs_index_load(derived);
	err = PTR_ERR_OR_ZERO(grower->index);
	if (!err) {
		if (!grower->index->targets[0])
			grower->stride =
				vexfs_measure_stride(grower->index->target);
		grower->sketches = vexfs_sketches_get(inode,
						      derived->generation);
		err = grower->sketches ? vexfs_grower_equip(grower) : -EAGAIN;
	}
	if (!err)
		err = grower->index->type == VEXFS_INDEX_HNSW ?
		      vexfs_graph_open(grower) : vexfs_lists_open(grower);
	if (err)
		vexfs_grower_close(build);
	return err;
}

/* Building */

/* An index is whole: it takes the place of the one that serves. */
static int vexfs_build_serve(struct vexfs_build *build)
{
	struct inode *inode = build->inode;
	int err;

	vexfs_grower_close(build);
	/* Not while a truncation removes what is in the slots, one by one. */
	inode_lock(inode);
	err = VEXFS_I(inode)->forks[VEXFS_FORK_BUILDING] ?
	      vexfs_forks_exchange(inode, VEXFS_FORK_INDEX,
				   VEXFS_FORK_BUILDING) : -ESTALE;
	inode_unlock(inode);
	/* Should the old one stay, it is removed by vexfs_build_resume(). */
	if (!err)
		vexfs_derived_drop(inode, VEXFS_FORK_BUILDING);
	return err;
}

/* A build is over, for better or worse. */
static void vexfs_build_end(struct vexfs_build *build, int err)
{
	const struct vexfs_vector *vector = &VEXFS_I(build->inode)->vector;

	/*
	 * Rows that were cut off took what was built with them, and a file
	 * without a name is searched no more: whatever a build met with then,
	 * it is this.
	 */
	if (err && err != -ECANCELED &&
	    (build->generation != READ_ONCE(vector->generation) ||
	     !READ_ONCE(build->inode->i_nlink)))
		err = -ESTALE;
	vexfs_grower_close(build);
	if (err && err != -EROFS)
		vexfs_derived_drop(build->inode, VEXFS_FORK_BUILDING);
	build->error = -err;
	WRITE_ONCE(build->progress, 0);
	WRITE_ONCE(build->building, 0);
	WRITE_ONCE(build->automatic, false);
}

static bool vexfs_build_due(const struct vexfs_index *index)
{
	return index->rows - index->saved >=
	       max_t(u64, VEXFS_BUILD_SAVE_ROWS, index->saved / 2) ||
	       vexfs_window_laden(&index->window);
}

/* The rows are in: measure, make it durable, and let it serve. */
static int vexfs_build_complete(struct vexfs_build *build)
{
	struct vexfs_index *index = build->grower->index;
	u64 begun = ktime_get_ns();
	int err;

	if (!index->targets[0]) {
		err = index->type == VEXFS_INDEX_HNSW ?
		      vexfs_graph_finish(build->grower) :
		      vexfs_lists_finish(build->grower);
		if (err)
			return err;
		index->build_ns += ktime_get_ns() - begun;
	}
	err = vexfs_index_save(index);
	return err ? err : vexfs_build_serve(build);
}

/* The tools for the index in a slot. Returns 0, a step, or a negative errno. */
static int vexfs_grower_ready(struct vexfs_build *build, unsigned int slot)
{
	struct vexfs_grower *grower = build->grower;
	int err;

	/* Sketches may be made anew; the graph does not mind. */
	if (grower && READ_ONCE(grower->sketches->derived->gone))
		vexfs_grower_close(build);
	if (!build->grower) {
		err = vexfs_grower_open(build, slot);
		if (err)
			return err == -EAGAIN ? VEXFS_STEP_ENCODE : err;
	}
	if (READ_ONCE(build->grower->derived->gone))
		return -ESTALE;
	return READ_ONCE(build->grower->index->damaged) ? -EBADMSG : 0;
}

/* The same for lists, which take many rows at once. */
static int vexfs_grower_lists(struct vexfs_build *build, u64 encoded)
{
	struct vexfs_grower *grower = build->grower;
	struct vexfs_index *index = grower->index;
	int err;

	if (build->building ? encoded < index->target :
	    !vex_lists_append_due(&index->lists, encoded) ||
	    index->sketches != vexfs_lists_encoding(grower->sketches))
		return VEXFS_STEP_ENCODE;
	err = vexfs_lists_grow(grower, encoded);
	/* A run is of use after a crash only when the header counts it. */
	if (!err && !build->building)
		err = vexfs_index_save(index);
	return err ? err : VEXFS_STEP_MORE;
}

/* Put more rows in, up to @end. Returns a step or a negative errno. */
static int vexfs_grower_grow(struct vexfs_build *build, u64 end)
{
	struct vexfs_grower *grower = build->grower;
	u64 encoded = vexfs_sketches_rows(grower->sketches);
	int err;

	if (encoded <= grower->index->rows)
		return VEXFS_STEP_ENCODE;
	if (grower->index->type == VEXFS_INDEX_IVF)
		return vexfs_grower_lists(build, encoded);
	err = vexfs_graph_grow(grower, min(encoded, end));
	if (err == -ESTALE && !READ_ONCE(grower->derived->gone))
		return VEXFS_STEP_MORE;
	return err ? err : VEXFS_STEP_MORE;
}

/* Some more of a build. Returns a step or a negative errno. */
static int vexfs_build_more(struct vexfs_build *build)
{
	struct vexfs_index *index;
	u64 begun = ktime_get_ns();
	int ret;

	ret = vexfs_grower_ready(build, VEXFS_FORK_BUILDING);
	if (ret)
		return ret == -ENOENT ? -ESTALE : ret;
	index = build->grower->index;
	if (index->rows >= index->target) {
		/* Efforts are measured by the codes of all rows. */
		if (!index->targets[0] &&
		    vexfs_sketches_rows(build->grower->sketches) < index->rows)
			return VEXFS_STEP_ENCODE;
		ret = vexfs_build_complete(build);
		/* Sketches were made anew meanwhile. */
		return ret == -ESTALE && build->grower &&
		       !READ_ONCE(build->grower->derived->gone) ?
		       VEXFS_STEP_MORE : ret;
	}
	ret = vexfs_grower_grow(build, index->target);
	index->build_ns += ktime_get_ns() - begun;
	WRITE_ONCE(build->progress,
		   div64_u64(index->rows * 9800, index->target));
	if (ret >= 0 && vexfs_build_due(index))
		ret = vexfs_index_save(index) ? : ret;
	return ret;
}

/* Keeping up */

/* Some more of growing. Returns a step or a negative errno. */
static int vexfs_grow_more(struct vexfs_build *build)
{
	struct vexfs_index *index;
	u64 behind;
	int ret;

	ret = vexfs_grower_ready(build, VEXFS_FORK_INDEX);
	/* Whoever has rows encoded calls again. */
	if (ret)
		return ret > 0 ? VEXFS_STEP_DONE : ret;
	ret = vexfs_grower_grow(build, U64_MAX);
	index = build->grower->index;
	if (ret >= 0 && vexfs_window_laden(&index->window))
		return vexfs_index_save(index) ? : ret;
	if (ret != VEXFS_STEP_ENCODE)
		return ret;
	behind = index->rows - index->saved;
	if (behind >= VEXFS_GROW_SAVE_ROWS && behind >= index->rows / 16)
		return vexfs_index_save(index);
	return VEXFS_STEP_DONE;
}

/* Drifting */

/* An empty index in the slot of builds. */
static int vexfs_build_begin(struct vexfs_build *build,
			     const struct vexfs_build_index *call)
{
	struct inode *inode = build->inode;
	struct vexfs_disk_derived *header;
	struct vexfs_snapshot snapshot;
	struct vexfs_derived *derived;
	struct vexfs_index *index;
	int err = -ENOMEM;

	header = kmalloc(sizeof(*header), GFP_KERNEL);
	index = kzalloc(sizeof(*index), GFP_KERNEL);
	if (!header || !index)
		goto out_free;
	index->type = call->type;
	index->lists_wanted = call->lists;
	if (call->type == VEXFS_INDEX_HNSW)
		index->effort = call->effort ? call->effort :
					       VEXFS_EFFORT_DEFAULT;
	/* A build is taken up after a crash only if its rows are there then. */
	vexfs_snapshot_await(inode, &snapshot);
	err = vexfs_vector_publish(inode);
	if (err)
		goto out_free;
	index->target = snapshot.rows;
	index->created = ktime_get_real_ns();
	if (call->type == VEXFS_INDEX_HNSW)
		vex_graph_init(&index->graph, index->created, index->effort);
	vexfs_index_header(index, header);
	err = vexfs_derived_drop(inode, VEXFS_FORK_BUILDING);
	if (err)
		goto out_free;
	derived = vexfs_derived_create(inode, VEXFS_FORK_BUILDING,
				       snapshot.generation, header);
	err = PTR_ERR_OR_ZERO(derived);
	if (!err) {
		build->generation = derived->generation;
		vexfs_derived_put(derived);
	}
out_free:
	kfree(index);
	kfree(header);
	return err;
}

/* Is it time to build the lists that serve anew? Not again and again. */
static bool vexfs_rebuild_due(const struct vexfs_build *build)
{
	const struct vexfs_grower *grower = build->grower;

	if (!grower || !vexfs_lists_drifted(grower->index, grower->sketches))
		return false;
	return vexfs_sketches_rows(grower->sketches) / 5 * 4 >=
	       build->drifted_rows ||
	       vexfs_lists_encoding(grower->sketches) !=
	       build->drifted_sketches;
}

/* Build them anew. Returns a step. */
static int vexfs_rebuild(struct vexfs_build *build)
{
	struct vexfs_grower *grower = build->grower;
	struct vexfs_build_index call = {
		.type = VEXFS_INDEX_IVF,
		.lists = grower->index->lists_wanted,
	};

	build->drifted_rows = vexfs_sketches_rows(grower->sketches);
	build->drifted_sketches = vexfs_lists_encoding(grower->sketches);
	vexfs_grower_close(build);
	build->error = -vexfs_build_begin(build, &call);
	if (build->error)
		return VEXFS_STEP_DONE;
	WRITE_ONCE(build->progress, 0);
	WRITE_ONCE(build->automatic, true);
	WRITE_ONCE(build->building, call.type);
	return VEXFS_STEP_MORE;
}

/* In the background */

/*
 * What a crash or an unmounting left in the slot of builds: it is gone on
 * with; or it is whole, and the later one of both serves.
 */
static int vexfs_build_resume(struct vexfs_build *build)
{
	struct inode *inode = build->inode;
	struct vexfs_index *serving, *index;
	struct vexfs_derived *derived;
	bool later;

	derived = vexfs_derived_get(inode, VEXFS_FORK_BUILDING);
	index = IS_ERR_OR_NULL(derived) ? NULL : vexfs_index_load(derived);
	if (IS_ERR_OR_NULL(index)) {
		if (!IS_ERR_OR_NULL(derived))
			vexfs_derived_put(derived);
		return vexfs_derived_drop(inode, VEXFS_FORK_BUILDING);
	}
	if (!index->targets[0] || index->rows < index->target) {
		build->generation = derived->generation;
		build->threads = 0;
		WRITE_ONCE(build->building, index->type);
		vexfs_derived_put(derived);
		return VEXFS_STEP_MORE;
	}
	serving = vexfs_index_get(inode, derived->generation);
	later = !serving || serving->created < index->created;
	vexfs_index_put(serving);
	vexfs_derived_put(derived);
	return later ? vexfs_build_serve(build) :
	       vexfs_derived_drop(inode, VEXFS_FORK_BUILDING);
}

/* One step of the work. Returns a step. */
static int vexfs_build_step(struct vexfs_build *build)
{
	struct super_block *sb = build->inode->i_sb;
	int ret;

	if (!sb_start_write_trylock(sb))
		return VEXFS_STEP_FROZEN;
	mutex_lock(&build->lock);
	if (build->building) {
		ret = READ_ONCE(build->inode->i_nlink) ?
		      vexfs_build_more(build) : -ESTALE;
		if (ret <= 0 && ret != -EINTR) {
			vexfs_build_end(build, ret);
			/* Rows that came meanwhile are put in next. */
			ret = VEXFS_STEP_MORE;
		}
	} else if (VEXFS_I(build->inode)->forks[VEXFS_FORK_BUILDING]) {
		ret = vexfs_build_resume(build);
	} else {
		ret = vexfs_grow_more(build);
		if (ret == VEXFS_STEP_DONE && vexfs_rebuild_due(build))
			ret = vexfs_rebuild(build);
	}
	mutex_unlock(&build->lock);
	sb_end_write(sb);
	/* It did not get to its end, and is taken again. */
	if (ret == -EINTR)
		return VEXFS_STEP_FROZEN;
	return max(ret, VEXFS_STEP_DONE);
}

/* Wait for sketches; a build that will not get them is over. */
static void vexfs_build_encode(struct vexfs_build *build)
{
	struct super_block *sb = build->inode->i_sb;
	int err = vexfs_encode_wait(build->inode);

	if (!err || vexfs_background_stopped(sb) || !sb_start_write_trylock(sb))
		return;
	mutex_lock(&build->lock);
	if (build->building)
		vexfs_build_end(build, err);
	mutex_unlock(&build->lock);
	sb_end_write(sb);
}

/* Nothing is done any more for a while: keep what was done. */
static void vexfs_build_pause(struct vexfs_build *build)
{
	struct super_block *sb = build->inode->i_sb;
	struct vexfs_index *index;
	bool stopped = vexfs_background_stopped(sb);

	mutex_lock(&build->lock);
	if (build->grower && stopped && sb_start_write_trylock(sb)) {
		index = build->grower->index;
		if (index->rows > index->saved && !index->damaged)
			vexfs_index_save(index);
		sb_end_write(sb);
	}
	vexfs_grower_close(build);
	mutex_unlock(&build->lock);
}

void vexfs_build_work(struct work_struct *work)
{
	struct vexfs_build *build = container_of(work, struct vexfs_build,
						 work);
	struct inode *inode = build->inode;
	int ret = VEXFS_STEP_MORE;

	/* Whoever waits for an answer comes first. */
	set_user_nice(current, MAX_NICE);
	while (ret && (inode->i_nlink || READ_ONCE(build->building)) &&
	       !vexfs_background_stopped(inode->i_sb)) {
		ret = vexfs_build_step(build);
		if (ret == VEXFS_STEP_ENCODE)
			vexfs_build_encode(build);
		else if (ret == VEXFS_STEP_FROZEN)
			msleep(VEXFS_BUILD_FROZEN_MS);
		cond_resched();
	}
	vexfs_build_pause(build);
	set_user_nice(current, 0);
	iput(inode);
}

void vexfs_build_later(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	/* Whoever sees it is set finds it filled in. */
	struct vexfs_build *build = smp_load_acquire(&info->build);

	/* A build that was interrupted ends even if its fork is gone since. */
	if (!READ_ONCE(info->forks[VEXFS_FORK_INDEX]) &&
	    !READ_ONCE(info->forks[VEXFS_FORK_BUILDING]) &&
	    !(build && READ_ONCE(build->building)))
		return;
	if (sb_rdonly(inode->i_sb) || vexfs_background_stopped(inode->i_sb))
		return;
	build = vexfs_build_of(inode);
	if (!build || work_pending(&build->work) || !igrab(inode))
		return;
	if (!queue_work(VEXFS_SB(inode->i_sb)->build_wq, &build->work))
		iput(inode);
}

/* The calls */

static int vexfs_build_check(struct inode *inode,
			     const struct vexfs_build_index *call)
{
	const struct vexfs_disk_schema *schema =
		&VEXFS_I(inode)->vector.schema;

	if (call->flags || memchr_inv(call->reserved, 0, sizeof(call->reserved)) ||
	    (call->type != VEXFS_INDEX_HNSW && call->type != VEXFS_INDEX_IVF))
		return -EINVAL;
	if (call->type == VEXFS_INDEX_HNSW ?
	    call->lists || (call->effort &&
			    (call->effort < VEXFS_EFFORT_MIN ||
			     call->effort > VEXFS_EFFORT_MAX)) ||
	    call->threads > VEXFS_BUILD_THREADS_MAX :
	    call->effort || call->threads || call->lists > VEXFS_LISTS_MAX)
		return -EINVAL;
	if (!vex_sketch_possible(schema->s_element, schema->s_metric,
				 le32_to_cpu(schema->s_dim)) ||
	    vexfs_background_stopped(inode->i_sb))
		return -EOPNOTSUPP;
	return 0;
}

/* Begin to build. Context: vexfs_build.lock held. */
static int vexfs_build_start(struct vexfs_build *build,
			     const struct vexfs_build_index *call)
{
	int err;

	vexfs_grower_close(build);
	err = vexfs_build_begin(build, call);
	if (err)
		return err;
	build->error = 0;
	build->threads = call->threads;
	WRITE_ONCE(build->progress, 0);
	WRITE_ONCE(build->building, call->type);
	return 0;
}

int vexfs_index_build(struct inode *inode, const struct vexfs_build_index *call)
{
	struct vexfs_build *build;
	int err;

	err = vexfs_build_check(inode, call);
	if (err)
		return err;
	build = vexfs_build_of(inode);
	if (!build)
		return -ENOMEM;
	if (READ_ONCE(build->building) && !READ_ONCE(build->automatic)) {
		vexfs_build_later(inode);
		return -EBUSY;
	}
	/* What is asked for comes before what is not. */
	atomic_inc(&build->requests);
	err = mutex_lock_killable(&build->lock);
	atomic_dec(&build->requests);
	if (err)
		return -EINTR;
	if (build->building && build->automatic)
		vexfs_build_end(build, -ECANCELED);
	err = build->building ? -EBUSY : vexfs_build_start(build, call);
	mutex_unlock(&build->lock);
	if (!err)
		vexfs_build_later(inode);
	return err;
}

bool vexfs_index_like(struct inode *inode, struct vexfs_build_index *call)
{
	static const unsigned int slots[] = {
		VEXFS_FORK_BUILDING, VEXFS_FORK_INDEX,
	};
	struct vexfs_build *build = vexfs_build_of(inode);
	struct vexfs_derived *derived;
	struct vexfs_index *index;
	bool found = false;
	u32 i;

	memset(call, 0, sizeof(*call));
	if (build)
		WRITE_ONCE(build->dropped, false);
	for (i = 0; i < ARRAY_SIZE(slots) && !found; i++) {
		derived = vexfs_derived_get(inode, slots[i]);
		if (IS_ERR_OR_NULL(derived))
			continue;
		index = vexfs_index_load(derived);
		found = !IS_ERR(index);
		if (found) {
			call->type = index->type;
			call->lists = index->lists_wanted;
			if (index->type == VEXFS_INDEX_HNSW)
				call->effort = index->effort;
		}
		vexfs_derived_put(derived);
	}
	return found;
}

void vexfs_index_again(struct inode *inode, const struct vexfs_build_index *call)
{
	struct vexfs_build *build = vexfs_build_of(inode);
	u64 generation = READ_ONCE(VEXFS_I(inode)->vector.generation);
	int err = build ? vexfs_build_check(inode, call) : -ENOMEM;

	if (!err) {
		/* What is being built is of rows that are no more, ... */
		if (READ_ONCE(build->generation) != generation)
			WRITE_ONCE(build->cancel, true);
		mutex_lock(&build->lock);
		WRITE_ONCE(build->cancel, false);
		if (build->building && build->generation != generation)
			vexfs_build_end(build, -ESTALE);
		/* ... or was asked for since, which comes before this. */
		if (!build->building && !build->dropped) {
			err = vexfs_build_start(build, call);
			WRITE_ONCE(build->automatic, !err);
			build->drifted_rows = 0;
		}
		mutex_unlock(&build->lock);
	}
	if (!err)
		vexfs_build_later(inode);
	else
		vexfs_msg(inode->i_sb, KERN_WARNING,
			  "inode %llu: the index is not built again after the compaction (error %d)",
			  (u64)inode->i_ino, err);
}

int vexfs_index_drop(struct inode *inode, const struct vexfs_drop_index *call)
{
	struct vexfs_build *build;
	int err;

	if ((call->flags & ~VEXFS_DROP_BUILD) ||
	    memchr_inv(call->reserved, 0, sizeof(call->reserved)))
		return -EINVAL;
	build = vexfs_build_of(inode);
	if (!build)
		return -ENOMEM;
	WRITE_ONCE(build->cancel, true);
	mutex_lock(&build->lock);
	WRITE_ONCE(build->cancel, false);
	if (build->building)
		vexfs_build_end(build, -ECANCELED);
	vexfs_grower_close(build);
	err = vexfs_derived_drop(inode, VEXFS_FORK_BUILDING);
	if (!err && !(call->flags & VEXFS_DROP_BUILD))
		err = vexfs_derived_drop(inode, VEXFS_FORK_INDEX);
	if (!(call->flags & VEXFS_DROP_BUILD))
		WRITE_ONCE(build->dropped, true);
	mutex_unlock(&build->lock);
	return err;
}

static u64 vexfs_fork_bytes(const struct vexfs_derived *derived)
{
	return i_size_read(derived->fork);
}

/* What is being built, or will be as soon as the background gets to it. */
static u32 vexfs_status_building(const struct vexfs_build *build)
{
	struct inode *inode = build->inode;
	u32 type = READ_ONCE(build->building);
	struct vexfs_derived *derived;
	struct vexfs_index *index;

	if (type || !READ_ONCE(VEXFS_I(inode)->forks[VEXFS_FORK_BUILDING]) ||
	    !READ_ONCE(inode->i_nlink) || sb_rdonly(inode->i_sb) ||
	    vexfs_background_stopped(inode->i_sb))
		return type;
	derived = vexfs_derived_get(inode, VEXFS_FORK_BUILDING);
	if (IS_ERR_OR_NULL(derived))
		return 0;
	index = vexfs_index_load(derived);
	type = IS_ERR(index) ? 0 : index->type;
	vexfs_derived_put(derived);
	return type;
}

static void vexfs_status_index(struct vexfs_derived *derived,
			       struct vexfs_index_status *status)
{
	struct vexfs_index *index = vexfs_index_load(derived);
	u32 i;

	status->bytes = vexfs_fork_bytes(derived);
	status->state = VEXFS_INDEX_DAMAGED;
	status->type = le32_to_cpu(derived->header.dv_kind) ==
		       VEXFS_DERIVED_GRAPH ? VEXFS_INDEX_HNSW : VEXFS_INDEX_IVF;
	if (IS_ERR(index))
		return;
	if (!READ_ONCE(index->damaged))
		status->state = VEXFS_INDEX_READY;
	status->effort = index->effort;
	spin_lock(&index->lock);
	status->lists = index->lists.lists;
	spin_unlock(&index->lock);
	/* Whoever sees the number sees what it counts. */
	status->rows_covered = smp_load_acquire(&index->rows);
	for (i = 0; i < VEX_INDEX_TARGETS; i++)
		status->effort_targets[i] = index->targets[i];
	status->build_ns = index->build_ns;
}

int vexfs_index_status(struct inode *inode, struct vexfs_index_status *status)
{
	struct vexfs_build *build = vexfs_build_of(inode);
	struct vexfs_sketches *sketches;
	struct vexfs_derived *derived;
	struct vexfs_snapshot snapshot;

	if (!build)
		return -ENOMEM;
	vexfs_build_later(inode);
	vexfs_snapshot_take(inode, &snapshot);
	status->rows = snapshot.rows;
	sketches = vexfs_sketches_get(inode, snapshot.generation);
	if (sketches) {
		status->rows_encoded = min(vexfs_sketches_rows(sketches),
					   snapshot.rows);
		status->sketch_bits = sketches->config.bits;
		status->sketch_bytes = vexfs_fork_bytes(sketches->derived);
		vexfs_sketches_put(sketches);
	}
	derived = vexfs_derived_get(inode, VEXFS_FORK_INDEX);
	if (!IS_ERR_OR_NULL(derived)) {
		vexfs_status_index(derived, status);
		vexfs_derived_put(derived);
	}
	status->building = vexfs_status_building(build);
	status->progress = READ_ONCE(build->progress);
	status->error = status->building ? 0 : build->error;
	return 0;
}
