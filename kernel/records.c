// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes from and to callers: with new rows, set by id, read by id.
 */
#include <linux/sort.h>
#include "attributes.h"
#include "compact.h"

/* Records pass through a buffer of about so many bytes. */
#define VEXFS_RECORDS_BYTES	(64U << 10)

/* Strings that were met lately. */
#define VEXFS_STRING_CACHE	64U

/**
 * struct vexfs_string_seen - a string and its place
 * @valid: is there one?
 * @bytes: its bytes
 * @string: the string
 * @place: in the dictionary
 */
struct vexfs_string_seen {
	bool valid;
	u8 bytes;
	u8 string[VEXFS_STRING_MAX];
	u64 place;
};

/**
 * struct vexfs_records_in - records on their way in
 * @schema: the file's schema
 * @fork: the fork ATTRIBUTES
 * @strings: the area of strings
 * @strings_bytes: its bytes
 * @string: one of them
 * @seen: those of late, by hash
 */
struct vexfs_records_in {
	const struct vexfs_disk_schema *schema;
	struct inode *fork;
	const u8 __user *strings;
	u64 strings_bytes;
	u8 string[VEXFS_STRING_MAX];
	struct vexfs_string_seen seen[VEXFS_STRING_CACHE];
};

static struct vexfs_records_in *vexfs_records_in_new(struct inode *inode,
						     u64 strings, u64 bytes)
{
	struct vexfs_records_in *in;

	in = kvzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	if (!in)
		return ERR_PTR(-ENOMEM);
	in->schema = &VEXFS_I(inode)->vector.schema;
	in->strings = u64_to_user_ptr(strings);
	in->strings_bytes = bytes;
	in->fork = vexfs_fork_make(inode, VEXFS_FORK_ATTRIBUTES);
	if (IS_ERR(in->fork)) {
		void *err = ERR_CAST(in->fork);

		kvfree(in);
		return err;
	}
	return in;
}

static void vexfs_records_in_free(struct vexfs_records_in *in)
{
	iput(in->fork);
	kvfree(in);
}

/* From where a string is in the area to its place in the dictionary. */
static int vexfs_record_string(struct vexfs_records_in *in, u64 *value)
{
	u32 offset = (u32)*value;
	u64 bytes = *value >> 32;
	struct vexfs_string_seen *seen;
	int err;

	if (bytes > VEXFS_STRING_MAX || offset + bytes > in->strings_bytes)
		return -EINVAL;
	if (copy_from_user(in->string, in->strings + offset, bytes))
		return -EFAULT;
	seen = &in->seen[vex_xxh64(in->string, bytes, 0) % VEXFS_STRING_CACHE];
	if (!seen->valid || seen->bytes != bytes ||
	    memcmp(seen->string, in->string, bytes)) {
		err = vexfs_string_add(in->fork, in->string, bytes,
				       &seen->place);
		seen->valid = !err;
		if (err)
			return err;
		seen->bytes = bytes;
		memcpy(seen->string, in->string, bytes);
	}
	*value = seen->place;
	return 0;
}

/* Make a record of the caller's one of integers, in its place. */
static int vexfs_record_take(struct vexfs_records_in *in, u64 *record,
			     u32 which)
{
	u32 columns = in->schema->s_columns, c;
	u64 present = record[0];
	s64 key;
	int err;

	if (present >> columns)
		return -EINVAL;
	for (c = 0; c < columns; c++) {
		u32 type = vex_column_type(in->schema, c);
		u64 value = record[1 + c];

		if (!(which >> c & 1))
			continue;
		if (!(present >> c & 1)) {
			if (value)
				return -EINVAL;
			continue;
		}
		err = type == VEXFS_COLUMN_STRING ?
		      vexfs_record_string(in, &value) : 0;
		if (!err)
			err = vex_attribute_encode(type, value, &key);
		if (err)
			return err;
		record[1 + c] = (u64)key;
	}
	return 0;
}

/* Copy records from the caller, from index @first on. */
static int vexfs_records_take(struct vexfs_records_in *in, u64 *records,
			      const void __user *from, u64 first, u64 count,
			      u32 which, u64 *bad_index)
{
	u32 words = VEXFS_RECORD_WORDS(in->schema->s_columns);
	u64 i;
	int err;

	if (copy_from_user(records, from + first * words * 8,
			   count * words * 8))
		return -EFAULT;
	for (i = 0; i < count; i++) {
		err = vexfs_record_take(in, records + i * words, which);
		if (err == -EINVAL)
			*bad_index = first + i;
		if (err)
			return err;
		if (!(i & 255)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return 0;
}

/* With new rows */

static int vexfs_attribute_bytes_check(u32 columns, u64 count, u64 attributes,
				       u64 attributes_bytes, u64 strings,
				       u64 strings_bytes)
{
	if (!attributes || !columns ||
	    attributes_bytes != count * VEXFS_ATTRIBUTE_BYTES(columns) ||
	    strings_bytes > VEXFS_BATCH_BYTES_MAX || !strings != !strings_bytes)
		return -EINVAL;
	return 0;
}

int vexfs_records_check(struct inode *inode,
			const struct vexfs_batch_insert *batch)
{
	if (!batch->attributes)
		return batch->attributes_bytes || batch->strings ||
		       batch->strings_bytes ? -EINVAL : 0;
	return vexfs_attribute_bytes_check(VEXFS_I(inode)->vector.schema.s_columns,
					   batch->count, batch->attributes,
					   batch->attributes_bytes,
					   batch->strings,
					   batch->strings_bytes);
}

int vexfs_records_insert(struct inode *inode, u64 row,
			 struct vexfs_batch_insert *batch)
{
	u32 columns = VEXFS_I(inode)->vector.schema.s_columns;
	u32 bytes = VEXFS_ATTRIBUTE_BYTES(columns), piece;
	struct vexfs_records_in *in;
	u64 *records, done, count;
	int err = 0;

	/* Whole blocks at a time, once the first one is full. */
	piece = VEXFS_RECORDS_BYTES / bytes / vex_attributes_rows(columns) *
		vex_attributes_rows(columns);
	in = vexfs_records_in_new(inode, batch->strings, batch->strings_bytes);
	if (IS_ERR(in))
		return PTR_ERR(in);
	records = kvmalloc_array(piece, bytes, GFP_KERNEL_ACCOUNT);
	if (!records)
		err = -ENOMEM;
	for (done = 0; done < batch->count && !err; done += count) {
		u32 index;

		div_u64_rem(row + done, vex_attributes_rows(columns), &index);
		count = min_t(u64, batch->count - done, piece - index);
		err = vexfs_records_take(in, records,
					 u64_to_user_ptr(batch->attributes),
					 done, count, U32_MAX,
					 &batch->bad_index);
		if (!err)
			err = vexfs_attributes_write(in->fork, row + done,
						     count, (s64 *)records);
	}
	kvfree(records);
	vexfs_records_in_free(in);
	return err;
}

/* By id */

/**
 * struct vexfs_row_at - a row and where in its batch it is
 * @row: the row
 * @index: the index
 */
struct vexfs_row_at {
	u64 row;
	u64 index;
};

static int vexfs_row_compare(const void *a, const void *b)
{
	const struct vexfs_row_at *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int vexfs_attributes_args(struct inode *inode,
				 struct vexfs_attributes *args)
{
	args->returned = 0;
	args->bad_index = U64_MAX;
	if (args->flags || args->reserved0 || !args->ids || !args->count ||
	    memchr_inv(args->reserved, 0, sizeof(args->reserved)))
		return -EINVAL;
	if (args->count > VEXFS_ATTRIBUTES_MAX)
		return -E2BIG;
	return vexfs_attribute_bytes_check(VEXFS_I(inode)->vector.schema.s_columns,
					   args->count, args->attributes,
					   args->attributes_bytes,
					   args->strings, args->strings_bytes);
}

/* The rows of the caller's ids, in the order of the rows if @sorted. */
static struct vexfs_row_at *vexfs_rows_of_ids(struct inode *inode,
					      struct vexfs_attributes *args,
					      bool sorted)
{
	const u64 __user *ids = u64_to_user_ptr(args->ids);
	struct vexfs_row_at *rows;
	int err = 0;
	u64 i, id;

	rows = kvmalloc_array(args->count, sizeof(*rows), GFP_KERNEL_ACCOUNT);
	if (!rows)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < args->count && !err; i++) {
		if (!(i & 1023) && fatal_signal_pending(current))
			err = -EINTR;
		else if (get_user(id, ids + i))
			err = -EFAULT;
		else
			err = vexfs_row_of_id(inode, id, &rows[i].row);
		if (err == -ENOENT)
			args->bad_index = i;
		rows[i].index = i;
		cond_resched();
	}
	if (!err) {
		if (sorted)
			sort(rows, args->count, sizeof(*rows),
			     vexfs_row_compare, NULL);
		return rows;
	}
	kvfree(rows);
	return ERR_PTR(err);
}

/**
 * struct vexfs_set - attributes that rows are given
 * @fork: the fork ATTRIBUTES
 * @columns: columns
 * @which: a bit for each that is set
 * @count: rows
 * @rows: the rows in order
 * @records: their records, by index
 */
struct vexfs_set {
	struct inode *fork;
	u32 columns;
	u32 which;
	u64 count;
	const struct vexfs_row_at *rows;
	const u64 *records;
};

/* Set those rows from @i on that are in one block; moves @i on. */
static int vexfs_set_block(handle_t *handle, const struct vexfs_set *set,
			   u64 *i)
{
	u32 per_block = vex_attributes_rows(set->columns), index;
	u64 key = div_u64(set->rows[*i].row, per_block);
	struct buffer_head *bh;
	const u64 *record;
	int err;

	down_write(&VEXFS_I(set->fork)->tree_sem);
	bh = vexfs_attributes_block(set->fork, key);
	err = IS_ERR_OR_NULL(bh) ? (bh ? PTR_ERR(bh) : -EUCLEAN) :
	      vexfs_meta_access(handle, bh);
	if (err)
		goto out_unlock;
	for (; *i < set->count; ++*i) {
		if (div_u64_rem(set->rows[*i].row, per_block, &index) != key)
			break;
		record = set->records + set->rows[*i].index *
			 VEXFS_RECORD_WORDS(set->columns);
		vex_attributes_put((void *)bh->b_data, set->columns, index,
				   set->which, record[0],
				   (const s64 *)record + 1);
	}
	err = vexfs_meta_dirty(handle, bh);
out_unlock:
	up_write(&VEXFS_I(set->fork)->tree_sem);
	if (!IS_ERR(bh))
		brelse(bh);
	return err;
}

/* Blocks that the rows are in; each of them is there afterwards. */
static int vexfs_set_prepare(const struct vexfs_set *set, u64 *blocks)
{
	u32 per_block = vex_attributes_rows(set->columns);
	u64 i, key, last = U64_MAX;
	int err;

	*blocks = 0;
	for (i = 0; i < set->count; i++) {
		key = div_u64(set->rows[i].row, per_block);
		if (key == last)
			continue;
		err = vexfs_attributes_write(set->fork, set->rows[i].row, 1,
					     NULL);
		if (err)
			return err;
		last = key;
		++*blocks;
	}
	return 0;
}

/*
 * One transaction, unless there are more blocks than half of what one may hold:
 * each part then leaves the file sound.
 */
static int vexfs_set_apply(const struct vexfs_set *set)
{
	struct inode *base = VEXFS_I(set->fork)->fork_base;
	journal_t *journal = VEXFS_SB(base->i_sb)->journal;
	u64 blocks, i = 0;
	handle_t *handle;
	int err, err2;

	err = vexfs_set_prepare(set, &blocks);
	if (err)
		return err;
	blocks += 1 + VEXFS_CREDITS_INODE;
	if (journal)
		blocks = min_t(u64, blocks,
			       journal->j_max_transaction_buffers / 2);
	handle = vexfs_journal_start(base->i_sb, blocks, 0);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	while (i < set->count && !err) {
		err = vexfs_journal_ensure(handle, 1 + VEXFS_CREDITS_INODE, 0);
		if (err >= 0)
			err = vexfs_set_block(handle, set, &i);
		/* So that fsync waits for it. */
		if (!err)
			err = vexfs_inode_write(handle, base);
	}
	err2 = vexfs_journal_stop(handle);
	return err ? err : err2;
}

static int vexfs_set_locked(struct inode *inode, struct vexfs_attributes *args)
{
	struct vexfs_set set = {
		.columns = VEXFS_I(inode)->vector.schema.s_columns,
		.which = args->columns,
		.count = args->count,
	};
	struct vexfs_records_in *in;
	struct vexfs_row_at *rows;
	u64 *records, i;
	int err;

	rows = vexfs_rows_of_ids(inode, args, true);
	if (IS_ERR(rows))
		return PTR_ERR(rows);
	for (i = 0; i < args->count; i++)
		vexfs_compact_note(inode, rows[i].row, 1);
	records = kvmalloc(args->attributes_bytes, GFP_KERNEL_ACCOUNT);
	in = records ? vexfs_records_in_new(inode, args->strings,
					    args->strings_bytes) :
		       ERR_PTR(-ENOMEM);
	err = PTR_ERR_OR_ZERO(in);
	if (!err) {
		err = vexfs_records_take(in, records,
					 u64_to_user_ptr(args->attributes), 0,
					 args->count, args->columns,
					 &args->bad_index);
		set.fork = in->fork;
		set.rows = rows;
		set.records = records;
		if (!err)
			err = vexfs_set_apply(&set);
		vexfs_records_in_free(in);
	}
	kvfree(records);
	kvfree(rows);
	return err;
}

int vexfs_set_attributes(struct file *file, struct vexfs_attributes *set)
{
	struct inode *inode = file_inode(file);
	int err;

	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		return -EPERM;
	inode_lock(inode);
	err = vexfs_attributes_args(inode, set);
	if (!err && (!set->columns ||
		     set->columns >> VEXFS_I(inode)->vector.schema.s_columns))
		err = -EINVAL;
	if (!err)
		err = vexfs_set_locked(inode, set);
	inode_unlock(inode);
	if (!err && (file->f_flags & O_DSYNC || IS_SYNC(inode)))
		err = vexfs_fsync(file, 0, LLONG_MAX, 1);
	return err;
}

/**
 * struct vexfs_records_out - records on their way out
 * @inode: the file
 * @snapshot: of it
 * @fork: the fork ATTRIBUTES, or NULL
 * @strings: the room for strings
 * @room: its bytes
 * @used: bytes used
 * @record: the record at hand
 * @string: a string
 */
struct vexfs_records_out {
	struct inode *inode;
	struct vexfs_snapshot snapshot;
	struct inode *fork;
	u8 __user *strings;
	u64 room;
	u64 used;
	s64 record[VEXFS_RECORD_WORDS(VEXFS_COLUMNS_MAX)];
	u8 string[VEXFS_STRING_MAX];
};

/* A row names a string that is not there: so does one that was cut off. */
static int vexfs_record_lost(struct vexfs_records_out *out)
{
	if (!vexfs_snapshot_holds(out->inode, &out->snapshot))
		return -ESTALE;
	return vexfs_corrupt(out->inode->i_sb, 0,
			     out->fork ? out->fork->i_ino : out->inode->i_ino,
			     -EUCLEAN, "an attribute leads to no string");
}

/* Read a row into the record. Returns 1 if there is no room for its strings. */
static int vexfs_record_give(struct vexfs_records_out *out, u64 row)
{
	const struct vexfs_disk_schema *schema = &out->snapshot.schema;
	u32 c;
	int err;

	memset(out->record, 0, sizeof(out->record));
	err = vexfs_attributes_read(out->fork, row, out->record);
	for (c = 0; c < schema->s_columns && !err; c++) {
		u32 type = vex_column_type(schema, c);
		u64 value = vex_attribute_decode(type, out->record[1 + c]);
		int bytes;

		if (!(out->record[0] >> c & 1))
			continue;
		if (type == VEXFS_COLUMN_STRING) {
			bytes = vexfs_string_read(out->fork, value,
						  out->string);
			if (bytes == -ENODATA)
				return vexfs_record_lost(out);
			if (bytes < 0)
				return bytes;
			if (bytes > out->room - out->used)
				return 1;
			if (copy_to_user(out->strings + out->used, out->string,
					 bytes))
				return -EFAULT;
			value = VEXFS_STRING_REF(out->used, bytes);
			out->used += bytes;
		}
		out->record[1 + c] = (s64)value;
	}
	return err;
}

static int vexfs_get_attributes_once(struct file *file,
				     struct vexfs_attributes *get)
{
	struct inode *inode = file_inode(file);
	char __user *to = u64_to_user_ptr(get->attributes);
	struct vexfs_records_out *out;
	struct vexfs_row_at *rows;
	int ret = 0;
	u32 bytes;
	u64 i;

	out = kzalloc(sizeof(*out), GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	out->inode = inode;
	vexfs_snapshot_await(inode, &out->snapshot);
	ret = vexfs_attributes_args(inode, get);
	if (!ret && get->columns)
		ret = -EINVAL;
	if (ret)
		goto out_free;
	bytes = VEXFS_ATTRIBUTE_BYTES(out->snapshot.schema.s_columns);
	rows = vexfs_rows_of_ids(inode, get, false);
	if (IS_ERR(rows)) {
		ret = PTR_ERR(rows);
		/* It may be there, in another row. */
		if (ret == -ENOENT &&
		    !vexfs_snapshot_holds(inode, &out->snapshot))
			ret = -ESTALE;
		goto out_free;
	}
	out->strings = u64_to_user_ptr(get->strings);
	out->room = get->strings_bytes;
	out->fork = vexfs_fork_get(inode, VEXFS_FORK_ATTRIBUTES);
	if (IS_ERR(out->fork)) {
		ret = PTR_ERR(out->fork);
		out->fork = NULL;
	}
	for (i = 0; i < get->count && !ret; i++) {
		ret = vexfs_record_give(out, rows[i].row);
		if (!ret && copy_to_user(to + i * bytes, out->record, bytes))
			ret = -EFAULT;
		if (!ret)
			get->returned++;
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	iput(out->fork);
	kvfree(rows);
	if (ret >= 0)
		ret = vexfs_snapshot_holds(inode, &out->snapshot) ? 0 : -ESTALE;
	/* One row's strings must fit, or the caller would not get on. */
	if (!ret && !get->returned)
		ret = -ERANGE;
	if (ret)
		get->returned = 0;
out_free:
	kfree(out);
	return ret;
}

int vexfs_get_attributes(struct file *file, struct vexfs_attributes *get)
{
	int err, tries = 0;

	do {
		err = vexfs_get_attributes_once(file, get);
	} while (err == -ESTALE && !tries++);
	return err;
}
