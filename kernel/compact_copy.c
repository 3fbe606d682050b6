// SPDX-License-Identifier: GPL-2.0-only
/*
 * A piece of a compaction: live rows, their ids and their attributes are copied
 * behind those that were copied before; and what was deleted or changed since
 * it was copied is caught up with. Nobody else changes the forks that are made,
 * so i_rwsem held shared is enough for what elsewhere needs it for writing.
 */
#include "compact.h"

/* Bytes of rows that a piece copies, unless a row is larger. */
#define VEXFS_COMPACT_BYTES	(1U << 20)

/* Blocks of the new matrix that are allocated at once: 64 MiB. */
#define VEXFS_COMPACT_BLOCKS	16384U

/* Runs that go into the new forks in one transaction. */
#define VEXFS_RUNS_PER_HANDLE	64U

/* Rows that a piece looks at again. */
#define VEXFS_COMPACT_REVISIT	4096U

/* The matrix */

/* Blocks of the new matrix up to an end. */
static int vexfs_compact_blocks(struct vexfs_compaction *c, u64 end)
{
	struct inode *fork = c->forks[VEXFS_COMPACT_MATRIX];
	const struct vexfs_vector *vector = &VEXFS_I(c->base)->vector;
	struct vex_run run;
	u64 live, want;
	int err;

	/* What is too much in the end is given back. */
	live = vector->published_rows - min(vector->deleted,
					    vector->published_rows);
	want = DIV_ROUND_UP_ULL(live * c->row_bytes, VEXFS_BLOCK_SIZE);
	want = max(want, end);
	while (c->block_end < end) {
		err = vexfs_extent_alloc(fork, c->block_end,
					 min_t(u64, want - c->block_end,
					       VEXFS_COMPACT_BLOCKS), &run);
		if (err)
			return err;
		c->block_end = run.key + run.length;
	}
	return 0;
}

/* The page of the new matrix that @pos is in, locked; up to date up to there. */
static struct folio *vexfs_compact_folio(struct inode *fork, loff_t pos)
{
	struct address_space *mapping = fork->i_mapping;
	pgoff_t index = pos >> PAGE_SHIFT;
	struct folio *folio;

	/* What a page begins with was written by an earlier piece. */
	if (pos & (PAGE_SIZE - 1)) {
		folio = read_mapping_folio(mapping, index, NULL);
		if (!IS_ERR(folio))
			folio_lock(folio);
		return folio;
	}
	return vexfs_folio_grab(mapping, index);
}

int vexfs_compact_clear(struct vexfs_compaction *c)
{
	loff_t pos = c->rows * c->row_bytes;
	size_t offset = pos & (PAGE_SIZE - 1);
	struct folio *folio;

	if (!offset)
		return 0;
	folio = vexfs_compact_folio(c->forks[VEXFS_COMPACT_MATRIX], pos);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	folio_wait_writeback(folio);
	memset(folio_address(folio) + offset, 0, PAGE_SIZE - offset);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/* Put bytes of the buffer at the end of the new matrix. */
static int vexfs_compact_store(struct vexfs_compaction *c, size_t bytes)
{
	struct inode *fork = c->forks[VEXFS_COMPACT_MATRIX];
	loff_t pos = c->rows * c->row_bytes;
	const char *from = c->buffer;
	struct folio *folio;
	size_t part, rest;
	char *to;
	int err;

	err = vexfs_compact_blocks(c, DIV_ROUND_UP_ULL(pos + bytes,
						       VEXFS_BLOCK_SIZE));
	while (bytes && !err) {
		folio = vexfs_compact_folio(fork, pos);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		folio_wait_writeback(folio);
		rest = PAGE_SIZE - (pos & (PAGE_SIZE - 1));
		part = min(bytes, rest);
		to = folio_address(folio) + offset_in_folio(folio, pos);
		memcpy(to, from, part);
		/* An earlier compaction may have left something here. */
		memset(to + part, 0, rest - part);
		folio_mark_uptodate(folio);
		pos += part;
		from += part;
		bytes -= part;
		/* Writeback passes over what lies beyond the end. */
		if (i_size_read(fork) < pos)
			i_size_write(fork, pos);
		folio_mark_dirty(folio);
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
	return err;
}

/* Ids */

static int vexfs_compact_add(handle_t *handle, struct vexfs_compaction *c,
			     const struct vexfs_live_run *live, u64 row)
{
	struct inode *ids = c->forks[VEXFS_COMPACT_IDS];
	struct inode *rows = c->forks[VEXFS_COMPACT_ROWS];
	struct vex_run by_row = {
		.key = row,
		.value = live->id,
		.length = live->count,
	}, by_id = by_row, removed;
	int err, err2;

	swap(by_id.key, by_id.value);
	err = vexfs_forks_ensure(handle, ids, rows);
	if (err < 0)
		return err;
	err = vexfs_fork_insert(handle, ids, &by_row, 0);
	if (err)
		return err;
	err = vexfs_fork_insert(handle, rows, &by_id, 0);
	if (err != -ENOSPC)
		return err;
	/* It is tried again, so nothing of it may be there. */
	err2 = vexfs_forks_ensure(handle, ids, NULL);
	if (err2 >= 0)
		err2 = vexfs_fork_cut(handle, ids, by_row.key,
				      by_row.key + by_row.length - 1,
				      &removed);
	return err2 ? err2 : err;
}

/* The ids of the runs of a piece. */
static int vexfs_compact_ids(struct vexfs_compaction *c)
{
	struct inode *ids = c->forks[VEXFS_COMPACT_IDS];
	struct inode *rows = c->forks[VEXFS_COMPACT_ROWS];
	u32 i = 0, done;
	u64 row = c->rows;
	int err = 0, err2, tries = 0;
	handle_t *handle;

	while (i < c->run_count && !err) {
		handle = vexfs_forks_start(ids, rows);
		if (IS_ERR(handle))
			return PTR_ERR(handle);
		for (done = 0; i < c->run_count &&
		     done < VEXFS_RUNS_PER_HANDLE; done++) {
			err = vexfs_compact_add(handle, c, &c->runs[i], row);
			if (err)
				break;
			row += c->runs[i++].count;
		}
		err2 = vexfs_journal_stop(handle);
		if (!err)
			err = err2;
		if (err == -ENOSPC && vexfs_alloc_retry(ids->i_sb, &tries))
			err = 0;
		cond_resched();
	}
	return err;
}

/* Attributes */

/* The place in the new dictionary of a string that is in the old one. */
static int vexfs_compact_string(struct vexfs_compaction *c,
				struct inode *from, s64 *value)
{
	u64 place = *value, added;
	u32 slot = (place ^ place >> 8) % VEXFS_COMPACT_STRINGS;
	int bytes, err;

	if (!c->strings[slot].valid || c->strings[slot].from != place) {
		bytes = vexfs_string_read(from, place, c->string);
		if (bytes == -ENODATA)
			return vexfs_corrupt(from->i_sb, 0, from->i_ino,
					     -EUCLEAN,
					     "an attribute leads to no string");
		if (bytes < 0)
			return bytes;
		err = vexfs_string_add(c->forks[VEXFS_COMPACT_ATTRIBUTES],
				       c->string, bytes, &added);
		if (err)
			return err;
		c->strings[slot].valid = true;
		c->strings[slot].from = place;
		c->strings[slot].to = added;
	}
	*value = c->strings[slot].to;
	return 0;
}

/* One row's record, its strings led to the new dictionary. */
static int vexfs_compact_record(struct vexfs_compaction *c, struct inode *from,
				u64 row, s64 *record)
{
	const struct vexfs_disk_schema *schema =
		&VEXFS_I(c->base)->vector.schema;
	u32 column;
	int err;

	memset(record, 0, VEXFS_RECORD_WORDS(schema->s_columns) *
	       sizeof(*record));
	err = vexfs_attributes_read(from, row, record);
	for (column = 0; column < schema->s_columns && !err; column++)
		if (record[0] >> column & 1 &&
		    vex_column_type(schema, column) == VEXFS_COLUMN_STRING)
			err = vexfs_compact_string(c, from,
						   &record[1 + column]);
	return err;
}

/* Rows from @row on become rows from @to on. */
static int vexfs_compact_attributes(struct vexfs_compaction *c, u64 row, u64 to,
				    u64 count)
{
	struct inode *fork = c->forks[VEXFS_COMPACT_ATTRIBUTES], *from;
	u32 words = VEXFS_RECORD_WORDS(VEXFS_I(c->base)->vector.schema.s_columns);
	u64 part, i;
	int err = 0;

	if (!fork)
		return 0;
	from = vexfs_fork_get(c->base, VEXFS_FORK_ATTRIBUTES);
	if (IS_ERR_OR_NULL(from))
		return PTR_ERR_OR_ZERO(from);
	while (count && !err) {
		part = min_t(u64, count, VEXFS_COMPACT_RECORDS);
		for (i = 0; i < part && !err; i++)
			err = vexfs_compact_record(c, from, row + i,
						   c->records + i * words);
		if (!err)
			err = vexfs_attributes_write(fork, to, part,
						     c->records);
		row += part;
		to += part;
		count -= part;
	}
	iput(from);
	return err;
}

/* Catching up */

/* Rows that were copied were deleted: so they are in what was made. */
static int vexfs_compact_bury(struct vexfs_compaction *c, u64 row, u64 id,
			      u32 count)
{
	struct inode *tombstones = c->forks[VEXFS_COMPACT_TOMBSTONES];
	struct inode *rows = c->forks[VEXFS_COMPACT_ROWS];
	struct vex_run run = { .key = row, .value = row, .length = count };
	struct vex_run removed;
	handle_t *handle;
	int err, err2;

	handle = vexfs_forks_start(tombstones, rows);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_fork_insert(handle, tombstones, &run, VEXFS_ALLOC_RESERVE);
	if (!err)
		err = vexfs_fork_cut(handle, rows, id, id + count - 1,
				     &removed);
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
	if (!err)
		c->buried += count;
	return err;
}

/*
 * The id of a row of the file, and how many rows after it, up to @count, have
 * the ids after it. Returns 0 or a negative errno.
 */
static int vexfs_compact_id(struct vexfs_compaction *c, u64 row, u64 *id,
			    u64 *count)
{
	struct vex_run run;
	int err;

	*id = row;
	err = vexfs_cursor_find(&c->ids, row, &run);
	if (err)
		return err;
	if (run.length && run.key <= row) {
		*id = run.value + (row - run.key);
		*count = min(*count, run.key + run.length - row);
	} else if (c->own) {
		return vexfs_corrupt(c->base->i_sb, 0, c->base->i_ino, -EUCLEAN,
				     "a row has no id");
	} else {
		*count = min(*count, run.key - row);
	}
	return 0;
}

/* Has an id been given to a live row that was copied since it was deleted? */
static int vexfs_compact_given_again(struct vexfs_compaction *c, u64 id)
{
	u64 row;
	int err = vexfs_row_of_id(c->base, id, &row);

	if (err)
		return err == -ENOENT ? 0 : err;
	return row < c->taken;
}

/*
 * Rows from @row on, with the ids from @id on, were copied to the rows from
 * @to on: make these what those are now. Returns how many, of @count, or a
 * negative errno.
 */
static s64 vexfs_compact_renew(struct vexfs_compaction *c, u64 row, u64 id,
			       u64 to, u64 count)
{
	struct vex_run run;
	int err;

	err = vexfs_cursor_find(&c->tombstones, row, &run);
	if (err)
		return err;
	if (!run.length || run.key > row) {
		count = min(count, run.key - row);
		err = vexfs_compact_attributes(c, row, to, count);
		return err ? err : count;
	}
	count = min3(count, run.key + run.length - row, (u64)U32_MAX);
	if (c->own) {
		count = 1;
		err = vexfs_compact_given_again(c, id);
		if (err)
			return err < 0 ? err : 1;
	}
	err = vexfs_compact_bury(c, to, id, count);
	return err ? err : count;
}

/* Look at copied rows again. */
static int vexfs_compact_revisit(struct vexfs_compaction *c, u64 row, u64 end)
{
	struct vex_run run;
	u64 id, to, count;
	s64 done;
	int err;

	while (row < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		count = end - row;
		err = vexfs_compact_id(c, row, &id, &count);
		if (err)
			return err;
		err = vexfs_fork_find(c->base, VEXFS_FORK_COMPACT_ROWS, id,
				      &run);
		if (err && err != -ENOENT)
			return err;
		if (err || run.key > id) {
			/* These were not copied, or are buried already. */
			row += err ? count : min(count, run.key - id);
			continue;
		}
		count = min(count, run.key + run.length - id);
		to = run.value + (id - run.key);
		if (to >= c->rows || count > c->rows - to)
			return vexfs_corrupt(c->base->i_sb, 0, c->base->i_ino,
					     -EUCLEAN,
					     "a copied row's id leads behind the copies");
		done = vexfs_compact_renew(c, row, id, to, count);
		if (done < 0)
			return done;
		row += done;
		cond_resched();
	}
	return 0;
}

/* What changed since the last piece. Returns 1 if there is more of it. */
static int vexfs_compact_catch_up(struct vexfs_compaction *c)
{
	u64 end;
	u32 i;
	int err;

	if (c->lost) {
		c->lost = false;
		c->changes = 0;
		c->revisit = 0;
		c->revisit_end = c->taken;
	}
	for (i = 0; i < c->changes; i++) {
		err = vexfs_compact_revisit(c, c->changed[i].row,
					    c->changed[i].row +
					    c->changed[i].count);
		if (err)
			return err;
	}
	c->changes = 0;
	if (c->revisit >= c->revisit_end)
		return 0;
	end = min(c->revisit_end, c->revisit + VEXFS_COMPACT_REVISIT);
	err = vexfs_compact_revisit(c, c->revisit, end);
	if (err)
		return err;
	c->revisit = end;
	return 1;
}

/* Going on */

/*
 * Find live rows from @c->taken on and read them into the buffer. Returns how
 * many they are; @end says where the next piece goes on.
 */
static s64 vexfs_compact_gather(struct vexfs_compaction *c, u64 *end)
{
	u64 rows = VEXFS_I(c->base)->vector.published_rows;
	u64 room = max(VEXFS_COMPACT_BYTES / c->row_bytes, 1U);
	u64 row = c->taken, got = 0, count;
	struct vexfs_live_run *live;
	struct vex_run dead;
	int err;

	/* Attributes are looked up one row at a time. */
	if (c->forks[VEXFS_COMPACT_ATTRIBUTES])
		room = min(room, VEXFS_COMPACT_REVISIT);
	c->run_count = 0;
	while (row < rows && got < room && c->run_count < VEXFS_COMPACT_RUNS) {
		err = vexfs_cursor_find(&c->tombstones, row, &dead);
		if (err)
			return err;
		if (dead.length && dead.key <= row) {
			row = dead.key + dead.length;
			continue;
		}
		live = &c->runs[c->run_count++];
		live->row = row;
		count = min3(min(dead.key, rows) - row, room - got,
			     (u64)U32_MAX);
		err = vexfs_compact_id(c, row, &live->id, &count);
		if (!err)
			err = vexfs_matrix_copy(&c->matrix,
						row * c->row_bytes,
						count * c->row_bytes, true,
						c->buffer + got * c->row_bytes);
		if (err)
			return err;
		live->count = count;
		row += count;
		got += count;
	}
	*end = min(row, rows);
	return got;
}

static int vexfs_compact_copy(struct vexfs_compaction *c)
{
	u64 end, row = c->rows;
	s64 got = vexfs_compact_gather(c, &end);
	u32 i;
	int err;

	if (got < 0)
		return got;
	err = vexfs_compact_store(c, got * c->row_bytes);
	if (!err)
		err = vexfs_compact_ids(c);
	for (i = 0; i < c->run_count && !err; i++) {
		err = vexfs_compact_attributes(c, c->runs[i].row, row,
					       c->runs[i].count);
		row += c->runs[i].count;
	}
	if (err)
		return err;
	c->rows += got;
	WRITE_ONCE(c->taken, end);
	return end < VEXFS_I(c->base)->vector.published_rows;
}

int vexfs_compact_piece(struct vexfs_compaction *c)
{
	int ret, err;

	if (fatal_signal_pending(current))
		return -EINTR;
	vexfs_matrix_init_inode(&c->matrix, c->base);
	ret = vexfs_cursor_init(&c->tombstones, c->base,
				VEXFS_FORK_TOMBSTONES);
	err = vexfs_cursor_init(&c->ids, c->base, VEXFS_FORK_IDS);
	if (!ret)
		ret = err;
	if (!ret)
		ret = vexfs_compact_catch_up(c);
	if (!ret)
		ret = vexfs_compact_copy(c);
	vexfs_cursor_exit(&c->ids);
	vexfs_cursor_exit(&c->tombstones);
	vexfs_matrix_exit(&c->matrix);
	return ret;
}
