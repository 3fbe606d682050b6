// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sketches of vector files in memory: finding, reading and making their
 * fork, and encoding rows into it. The background work that has rows encoded
 * is in encode.c.
 *
 * The fork: header slots; the centre, le32 elements; records, that of row i
 * being record i. Records are appended, and change afterwards in their dead
 * bit only, so readers need no lock: they look at records of rows below @rows.
 */
#include <linux/writeback.h>
#include "rows.h"
#include "sketch.h"

/* Elements of the centre in a page. */
#define VEXFS_CENTRE_PER_PAGE	(VEX_RECORD_BYTES_MAX / sizeof(__le32))
/* The sample that decides how rows are encoded. */
#define VEXFS_SAMPLE_ROWS	512U
#define VEXFS_SAMPLE_BYTES	(8U << 20)

/**
 * struct vexfs_sketch_parameters - dv_parameters of sketches
 * @sk_config: vex_sketch_save()
 * @sk_sample_rows: rows that there were when the encoding was chosen
 */
struct vexfs_sketch_parameters {
	u8 sk_config[VEX_SKETCH_PARAMETERS];
	__le64 sk_sample_rows;
};

static_assert(sizeof(struct vexfs_sketch_parameters) <=
	      VEXFS_DERIVED_PARAMETERS);

static u64 vexfs_centre_pages(u32 dim)
{
	return DIV_ROUND_UP(dim, VEXFS_CENTRE_PER_PAGE);
}

/* In memory */

static void vexfs_sketches_free(void *private)
{
	struct vexfs_sketches *sketches = private;

	vexfs_window_exit(&sketches->window);
	kvfree(sketches->centre);
	kfree(sketches);
}

/* A page cannot be trusted: the encoder makes it anew. */
static void vexfs_sketches_damaged(struct vexfs_window *window, u64 page)
{
	struct vexfs_sketches *sketches =
		container_of(window, struct vexfs_sketches, window);
	struct inode *base = VEXFS_I(window->derived->fork)->fork_base;
	bool known = false;
	u32 i;

	spin_lock(&window->lock);
	for (i = 0; i < sketches->repairs; i++)
		known |= sketches->repair[i] == page;
	/* Where there is no more room, it will be found again. */
	if (!known && i < VEXFS_REPAIRS)
		sketches->repair[sketches->repairs++] = page;
	spin_unlock(&window->lock);
	if (known)
		return;
	pr_warn_ratelimited("vexfs (%s): inode %llu: derived data damaged: will be rebuilt (page %llu of its sketches)\n",
			    base->i_sb->s_id, (u64)base->i_ino, page);
	vexfs_encode_later(base);
}

/* The centre, from its pages. */
static int vexfs_centre_read(struct vexfs_derived *derived,
			     struct vexfs_sketches *sketches)
{
	u32 dim = sketches->config.dim, at, count;
	struct vexfs_window window;
	struct vex_pages pages;
	__le32 *stored;
	void *data;
	u64 page;
	int cookie, err;

	stored = kvmalloc_array(dim, sizeof(*stored), GFP_KERNEL);
	if (!stored)
		return -ENOMEM;
	err = vexfs_window_init(&window, derived, VEX_DERIVED_SLOTS, 8,
				vexfs_centre_pages(dim));
	if (err)
		goto out_free;
	cookie = vexfs_window_begin(&window, &pages);
	for (at = 0, page = 0; at < dim && !err; at += count, page++) {
		count = min_t(u32, dim - at, VEXFS_CENTRE_PER_PAGE);
		data = vex_pages_page(&pages, page, &err);
		if (data)
			memcpy(stored + at, data, count * sizeof(*stored));
	}
	vexfs_window_end(cookie);
	vexfs_window_exit(&window);
	if (!err)
		err = vex_sketch_centre_load(&sketches->config, stored,
					     sketches->centre);
out_free:
	kvfree(stored);
	return err;
}

/* What the header says, checked. Context: write_lock. */
static int vexfs_sketches_parse(struct vexfs_sketches *sketches,
				const struct vexfs_disk_derived *header,
				const struct vexfs_vector *vector)
{
	const struct vexfs_sketch_parameters *parameters =
		(const void *)header->dv_parameters;
	u64 rows = le64_to_cpu(header->dv_rows);

	if (le32_to_cpu(header->dv_kind) != VEXFS_DERIVED_SKETCHES ||
	    rows > READ_ONCE(vector->published_rows))
		return -EUCLEAN;
	sketches->sample_rows = le64_to_cpu(parameters->sk_sample_rows);
	sketches->rows = rows;
	sketches->saved_rows = rows;
	return vex_sketch_load(&sketches->config, parameters->sk_config,
			       vector->schema.s_element,
			       vector->schema.s_metric,
			       le32_to_cpu(vector->schema.s_dim));
}

/* What the header says; then the centre and the window. */
static int vexfs_sketches_read(struct vexfs_derived *derived,
			       struct vexfs_sketches *sketches)
{
	struct vexfs_vector *vector =
		&VEXFS_I(VEXFS_I(derived->fork)->fork_base)->vector;
	u64 first, pages;
	int err;

	mutex_lock(&derived->write_lock);
	err = vexfs_sketches_parse(sketches, &derived->header, vector);
	mutex_unlock(&derived->write_lock);
	if (err)
		return err;
	sketches->centre = kvmalloc_array(sketches->config.dim,
					  sizeof(*sketches->centre),
					  GFP_KERNEL);
	if (!sketches->centre)
		return -ENOMEM;
	err = vexfs_centre_read(derived, sketches);
	if (err)
		return err;
	first = VEX_DERIVED_SLOTS + vexfs_centre_pages(sketches->config.dim);
	pages = div_u64(sketches->rows + sketches->config.per_page - 1,
			sketches->config.per_page);
	err = vexfs_window_init(&sketches->window, derived, first,
				sketches->config.record_bytes, pages);
	if (err)
		return err;
	vex_pages_crowd(&sketches->window.layout, sketches->config.per_page);
	sketches->derived = derived;
	sketches->window.damaged = vexfs_sketches_damaged;
	return 0;
}

struct vexfs_sketches *vexfs_sketches_open(struct inode *base, u64 generation)
{
	struct vexfs_derived *derived =
		vexfs_derived_get(base, VEXFS_FORK_SKETCHES);
	struct vexfs_sketches *sketches, *bound;
	int err = -ENOMEM;

	if (IS_ERR_OR_NULL(derived))
		return ERR_CAST(derived);
	if (derived->generation != generation) {
		vexfs_derived_put(derived);
		return NULL;
	}
	bound = vexfs_derived_private(derived);
	if (bound)
		return bound;
	sketches = kzalloc(sizeof(*sketches), GFP_KERNEL);
	if (sketches)
		err = vexfs_sketches_read(derived, sketches);
	if (err)
		goto out_free;
	bound = vexfs_derived_bind(derived, sketches, vexfs_sketches_free);
	if (bound != sketches)
		vexfs_sketches_free(sketches);
	return bound;

out_free:
	if (sketches)
		vexfs_sketches_free(sketches);
	vexfs_derived_put(derived);
	return ERR_PTR(err);
}

struct vexfs_sketches *vexfs_sketches_get(struct inode *base, u64 generation)
{
	struct vexfs_sketches *sketches =
		vexfs_sketches_open(base, generation);

	/* Rows are missing: the background has them encoded. */
	if (IS_ERR_OR_NULL(sketches) ||
	    vexfs_sketches_rows(sketches) < READ_ONCE(VEXFS_I(base)->vector.rows))
		vexfs_encode_later(base);
	return IS_ERR(sketches) ? NULL : sketches;
}

void vexfs_sketches_put(struct vexfs_sketches *sketches)
{
	if (sketches)
		vexfs_derived_put(sketches->derived);
}

void vexfs_sketches_warm(struct inode *base)
{
	struct vexfs_snapshot snapshot;
	struct vexfs_sketches *sketches;

	vexfs_snapshot_take(base, &snapshot);
	sketches = vexfs_sketches_get(base, snapshot.generation);
	if (!sketches)
		return;
	vexfs_window_ahead(&sketches->window, 0, U32_MAX);
	vexfs_sketches_put(sketches);
}

/* Deleting */

/* Mark the rows from @row to @end of one page. */
static void vexfs_sketches_dead_page(struct vexfs_sketches *sketches, u64 page,
				     u64 row, u64 end)
{
	const struct vex_pages *layout = &sketches->window.layout;
	struct folio *folio;
	char *data;
	int err;

	/* A hint is not worth reading a page. */
	folio = vexfs_folio_get(sketches->derived->fork->i_mapping,
				sketches->window.first + page);
	if (!folio)
		return;
	mutex_lock(&sketches->derived->write_lock);
	data = vexfs_window_change(&sketches->window, page, false, &err);
	for (; data && row < end; row++)
		vex_sketch_set_dead(data + (row - page * layout->per_page) *
				    layout->record_bytes);
	if (data) {
		vexfs_derived_tell(sketches->derived);
		vexfs_window_changed(&sketches->window, page, false);
	}
	mutex_unlock(&sketches->derived->write_lock);
	folio_put(folio);
}

void vexfs_sketches_dead(struct inode *base, u64 row, u64 count)
{
	struct vexfs_inode_info *info = VEXFS_I(base);
	struct vexfs_sketches *sketches;
	u64 end, page, stop;

	sketches = vexfs_sketches_open(base, info->vector.generation);
	if (IS_ERR_OR_NULL(sketches))
		return;
	end = min(row + count, vexfs_sketches_rows(sketches));
	for (; row < end; row = stop) {
		page = vex_pages_number(&sketches->window.layout, row);
		stop = min(end, (page + 1) * sketches->window.layout.per_page);
		vexfs_sketches_dead_page(sketches, page, row, stop);
		cond_resched();
	}
	vexfs_sketches_put(sketches);
}

/* Making the fork */

/* Rows from all over the file, one after the other. Returns their number. */
static int vexfs_sample_read(struct inode *base,
			     const struct vexfs_snapshot *snapshot, void **rows)
{
	u64 count = clamp_t(u64, VEXFS_SAMPLE_BYTES / snapshot->row_bytes, 1,
			    VEXFS_SAMPLE_ROWS);
	struct vexfs_matrix matrix;
	int err = 0;
	u64 i;

	count = min(count, snapshot->rows);
	*rows = kvmalloc_array(count, snapshot->row_bytes, GFP_KERNEL);
	if (!*rows)
		return -ENOMEM;
	vexfs_matrix_init_inode(&matrix, base);
	for (i = 0; i < count && !err; i++)
		err = vexfs_matrix_copy(&matrix,
					div64_u64(i * snapshot->rows, count) *
					snapshot->row_bytes,
					snapshot->row_bytes, false,
					*rows + i * snapshot->row_bytes);
	vexfs_matrix_exit(&matrix);
	return err ? err : count;
}

/* Decide how to encode. @centre has room for dim integers. */
static int vexfs_sketches_choose(struct inode *base,
				 const struct vexfs_snapshot *snapshot,
				 struct vex_sketch *config, s32 *centre)
{
	u32 dim = le32_to_cpu(snapshot->schema.s_dim);
	void *rows = NULL, *memory;
	int ret = -ENOMEM;

	memory = kvmalloc(vex_sketch_choose_bytes(dim), GFP_KERNEL);
	if (memory)
		ret = vexfs_sample_read(base, snapshot, &rows);
	if (ret > 0)
		ret = vex_sketch_choose(config, centre,
					snapshot->schema.s_element,
					snapshot->schema.s_metric, dim, 0, rows,
					ret, memory);
	kvfree(rows);
	kvfree(memory);
	return ret;
}

static void vexfs_sketches_header(const struct vex_sketch *config,
				  u64 sample_rows, u64 rows,
				  struct vexfs_disk_derived *header)
{
	struct vexfs_sketch_parameters *parameters =
		(void *)header->dv_parameters;
	u32 per_page = config->per_page;
	u64 centre = vexfs_centre_pages(config->dim);

	memset(header, 0, sizeof(*header));
	header->dv_kind = cpu_to_le32(VEXFS_DERIVED_SKETCHES);
	header->dv_parameter_bytes = cpu_to_le32(sizeof(*parameters));
	header->dv_rows = cpu_to_le64(rows);
	header->dv_regions[0].rg_first = cpu_to_le64(VEX_DERIVED_SLOTS);
	header->dv_regions[0].rg_pages = cpu_to_le64(centre);
	if (rows) {
		header->dv_regions[1].rg_first =
			cpu_to_le64(VEX_DERIVED_SLOTS + centre);
		header->dv_regions[1].rg_pages =
			cpu_to_le64(div_u64(rows + per_page - 1, per_page));
	}
	vex_sketch_save(config, parameters->sk_config);
	parameters->sk_sample_rows = cpu_to_le64(sample_rows);
}

static int vexfs_centre_write(struct vexfs_derived *derived,
			      const s32 *centre, u32 dim)
{
	struct vexfs_window window;
	u32 at, i, count;
	__le32 *data;
	u64 page;
	int err;

	err = vexfs_window_init(&window, derived, VEX_DERIVED_SLOTS, 8, 0);
	if (err)
		return err;
	mutex_lock(&derived->write_lock);
	err = vexfs_window_grow(&window, vexfs_centre_pages(dim));
	for (at = 0, page = 0; at < dim && !err; at += count, page++) {
		count = min_t(u32, dim - at, VEXFS_CENTRE_PER_PAGE);
		data = vexfs_window_change(&window, page, true, &err);
		if (!data)
			break;
		for (i = 0; i < count; i++)
			data[i] = cpu_to_le32(centre[at + i]);
		vexfs_window_changed(&window, page, false);
	}
	mutex_unlock(&derived->write_lock);
	vexfs_window_exit(&window);
	return err;
}

int vexfs_sketches_create(struct inode *base,
			  const struct vexfs_snapshot *snapshot)
{
	u32 dim = le32_to_cpu(snapshot->schema.s_dim);
	struct vexfs_disk_derived *header;
	struct vexfs_derived *derived;
	struct vex_sketch config;
	s32 *centre;
	int err = -ENOMEM;

	header = kzalloc(sizeof(*header), GFP_KERNEL);
	centre = kvmalloc_array(dim, sizeof(*centre), GFP_KERNEL);
	if (!header || !centre)
		goto out_free;
	err = vexfs_sketches_choose(base, snapshot, &config, centre);
	if (err)
		goto out_free;
	/* Not usable before the centre is there: no configuration yet. */
	header->dv_kind = cpu_to_le32(VEXFS_DERIVED_SKETCHES);
	derived = vexfs_derived_create(base, VEXFS_FORK_SKETCHES,
				       snapshot->generation, header);
	if (IS_ERR(derived)) {
		err = PTR_ERR(derived);
		goto out_free;
	}
	err = vexfs_centre_write(derived, centre, dim);
	if (!err) {
		vexfs_sketches_header(&config, snapshot->rows, 0, header);
		err = vexfs_derived_checkpoint(derived, NULL, header);
	}
	vexfs_derived_put(derived);
	if (err)
		vexfs_derived_drop(base, VEXFS_FORK_SKETCHES);
out_free:
	kvfree(centre);
	kfree(header);
	return err;
}

int vexfs_sketches_save(struct vexfs_sketches *sketches)
{
	struct inode *base = VEXFS_I(sketches->derived->fork)->fork_base;
	struct vexfs_vector *vector = &VEXFS_I(base)->vector;
	struct vexfs_disk_derived *header;
	u64 rows;
	int err;

	/*
	 * Rows that are not published may come back as others after a crash,
	 * so the header does not count them.
	 */
	rows = min(READ_ONCE(sketches->rows),
		   READ_ONCE(vector->published_rows));
	if (rows <= sketches->saved_rows && !sketches->repaired)
		return 0;
	header = kmalloc(sizeof(*header), GFP_KERNEL);
	if (!header)
		return -ENOMEM;
	sketches->repaired = false;
	vexfs_sketches_header(&sketches->config, sketches->sample_rows, rows,
			      header);
	err = vexfs_derived_checkpoint(sketches->derived, NULL, header);
	if (!err)
		sketches->saved_rows = rows;
	kfree(header);
	return err;
}

/* Encoding */

/**
 * struct vexfs_encoder - rows on their way into records
 * @sketches: where they go
 * @snapshot: the rows
 * @matrix: reads them
 * @tombstones: rows that were deleted already
 * @bounce: a row in one piece
 * @scratch: for the core
 * @page: a page of records
 */
struct vexfs_encoder {
	struct vexfs_sketches *sketches;
	const struct vexfs_snapshot *snapshot;
	struct vexfs_matrix matrix;
	struct vexfs_run_cursor tombstones;
	void *bounce;
	void *scratch;
	void *page;
};

static int vexfs_encode_row(struct vexfs_encoder *encoder, u64 row, u32 index)
{
	struct vexfs_sketches *sketches = encoder->sketches;
	struct vex_run run = { .key = U64_MAX };
	const void *data;
	int err;

	err = vexfs_matrix_row(&encoder->matrix, row,
			       encoder->snapshot->row_bytes, true,
			       encoder->bounce, &data);
	if (!err && !IS_ERR_OR_NULL(encoder->tombstones.fork))
		err = vexfs_cursor_find(&encoder->tombstones, row, &run);
	if (err)
		return err;
	vex_sketch_encode_page(&sketches->config, sketches->centre, data,
			       encoder->page, index, encoder->scratch);
	if (run.key <= row)
		vex_sketch_set_dead(encoder->page +
				    index * sketches->config.record_bytes);
	return 0;
}

/* Encode rows @row to @end, of one page, and put them into it. */
static int vexfs_encode_page(struct vexfs_encoder *encoder, u64 page, u64 row,
			     u64 end, bool fresh)
{
	struct vexfs_sketches *sketches = encoder->sketches;
	u32 first = row - page * sketches->config.per_page, index;
	u32 count = end - row;
	void *data;
	int err;

	for (index = first; index < first + count; index++, row++) {
		err = vexfs_encode_row(encoder, row, index);
		if (err)
			return err;
	}
	mutex_lock(&sketches->derived->write_lock);
	err = vexfs_window_grow(&sketches->window, page + 1);
	if (!err) {
		data = vexfs_window_change(&sketches->window, page, fresh,
					   &err);
		if (data) {
			vex_sketch_copy_page(&sketches->config, data,
					     encoder->page, first, count);
			if (encoder->tombstones.fork)
				vexfs_derived_tell(sketches->derived);
			vexfs_window_changed(&sketches->window, page, false);
			err = 0;
		}
	}
	mutex_unlock(&sketches->derived->write_lock);
	balance_dirty_pages_ratelimited(sketches->derived->fork->i_mapping);
	return err;
}

/* The next rows, up to the end of a page. */
static int vexfs_encode_next(struct vexfs_encoder *encoder)
{
	struct vexfs_sketches *sketches = encoder->sketches;
	u32 per_page = sketches->window.layout.per_page;
	u64 row = sketches->rows, end;
	u64 page = vex_pages_number(&sketches->window.layout, row);
	int err;

	end = min((page + 1) * per_page, encoder->snapshot->rows);
	err = vexfs_encode_page(encoder, page, row, end, row == page * per_page);
	/* The page that is to be gone on with is damaged: all of it, then. */
	if (err == -EBADMSG)
		err = vexfs_encode_page(encoder, page, page * per_page, end,
					true);
	if (err)
		return err;
	/* The rows that were read may have been cut off. */
	if (!vexfs_snapshot_holds(VEXFS_I(sketches->derived->fork)->fork_base,
				  encoder->snapshot))
		return -ESTALE;
	/* Whoever sees the number sees the records. */
	smp_store_release(&sketches->rows, end);
	return 0;
}

/* Make a damaged page anew. Returns 1 if there was one. */
static int vexfs_encode_repair(struct vexfs_encoder *encoder)
{
	struct vexfs_sketches *sketches = encoder->sketches;
	u32 per_page = sketches->window.layout.per_page;
	u64 page = U64_MAX, row;
	bool sound = false;
	struct folio *folio;
	int err;

	spin_lock(&sketches->window.lock);
	if (sketches->repairs)
		page = sketches->repair[--sketches->repairs];
	spin_unlock(&sketches->window.lock);
	row = page * per_page;
	if (page == U64_MAX || row >= sketches->rows)
		return 0;
	/* Who told of it may have been late, and readers use it by now. */
	folio = vexfs_folio_get(sketches->derived->fork->i_mapping,
				sketches->window.first + page);
	if (folio) {
		sound = folio_test_checked(folio);
		folio_put(folio);
	}
	if (sound)
		return 1;
	err = vexfs_encode_page(encoder, page, row,
				min(row + per_page, sketches->rows), true);
	sketches->repaired = true;
	return err ? err : 1;
}

static int vexfs_encoder_init(struct vexfs_encoder *encoder,
			      struct vexfs_sketches *sketches,
			      const struct vexfs_snapshot *snapshot)
{
	struct inode *base = VEXFS_I(sketches->derived->fork)->fork_base;

	memset(encoder, 0, sizeof(*encoder));
	encoder->sketches = sketches;
	encoder->snapshot = snapshot;
	vexfs_matrix_init_inode(&encoder->matrix, base);
	encoder->bounce = kvmalloc(snapshot->row_bytes, GFP_KERNEL);
	encoder->scratch = kvmalloc(vex_sketch_scratch_bytes(&sketches->config),
				    GFP_KERNEL);
	encoder->page = kmalloc(VEX_PAGE_BYTES, GFP_KERNEL);
	if (!encoder->bounce || !encoder->scratch || !encoder->page)
		return -ENOMEM;
	return vexfs_cursor_init(&encoder->tombstones, base,
				 VEXFS_FORK_TOMBSTONES);
}

static void vexfs_encoder_exit(struct vexfs_encoder *encoder)
{
	vexfs_cursor_exit(&encoder->tombstones);
	vexfs_matrix_exit(&encoder->matrix);
	kfree(encoder->page);
	kvfree(encoder->scratch);
	kvfree(encoder->bounce);
}

int vexfs_sketches_encode(struct vexfs_sketches *sketches,
			  const struct vexfs_snapshot *snapshot, u64 until)
{
	struct vexfs_encoder *encoder;
	int ret;

	encoder = kmalloc(sizeof(*encoder), GFP_KERNEL);
	if (!encoder)
		return -ENOMEM;
	ret = vexfs_encoder_init(encoder, sketches, snapshot);
	while (!ret || ret == 1) {
		ret = vexfs_encode_repair(encoder);
		if (!ret && sketches->rows < snapshot->rows) {
			ret = vexfs_encode_next(encoder);
			ret = ret ? ret : 1;
		}
		if (!ret || time_after64(get_jiffies_64(), until))
			break;
		cond_resched();
	}
	vexfs_encoder_exit(encoder);
	kfree(encoder);
	return ret;
}
