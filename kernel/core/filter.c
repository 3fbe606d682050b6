// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Filter programs: verified once, then run without a further check.
 */
#include "filter.h"

/* A string that is not in the dictionary equals none that is. */
#define VEX_NO_STRING	S64_MIN

/* A list so short that each of its values is compared is quicker looked through. */
#define VEX_LIST_SHORT	4U

/**
 * struct vex_filter_source - a program on its way in
 * @data: the program
 * @bytes: its bytes
 * @list_at: where the next list must be
 * @strings_at: where strings begin
 * @schema: the file's schema
 * @strings: finds strings
 */
struct vex_filter_source {
	u8 *data;
	u32 bytes;
	u64 list_at;
	u64 strings_at;
	const struct vexfs_disk_schema *schema;
	const struct vex_filter_strings *strings;
};

/* The integer of a value that a program holds. */
static int filter_value(const struct vex_filter_source *source, u32 type,
			u64 value, s64 *key)
{
	u32 offset = (u32)value;
	u64 length = value >> 32, place;
	int err;

	if (type != VEXFS_COLUMN_STRING)
		return vex_attribute_encode(type, value, key);
	if (length > VEXFS_STRING_MAX || offset < source->strings_at ||
	    offset + length > source->bytes)
		return -EINVAL;
	err = source->strings->find(source->strings->context,
				    source->data + offset, (u32)length, &place);
	*key = err ? VEX_NO_STRING : (s64)place;
	return err == -ENOENT ? 0 : err;
}

static void sift_down(s64 *values, u32 at, u32 count)
{
	u32 child;
	s64 value = values[at];

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count && values[child + 1] > values[child])
			child++;
		if (values[child] <= value)
			break;
		values[at] = values[child];
		at = child;
	}
	values[at] = value;
}

static void sort_values(s64 *values, u32 count)
{
	s64 value;
	u32 i;

	for (i = count / 2; i-- > 0; )
		sift_down(values, i, count);
	for (i = count; i-- > 1; ) {
		value = values[0];
		values[0] = values[i];
		values[i] = value;
		sift_down(values, 0, i);
	}
}

static int filter_list(struct vex_filter_source *source, u32 type,
		       const struct vexfs_filter_op *op)
{
	s64 *values = (s64 *)(source->data + source->list_at);
	u32 i;
	int err;

	for (i = 0; i < op->count; i++) {
		err = filter_value(source, type, vex_load_le64(&values[i]),
				   &values[i]);
		if (err)
			return err;
	}
	sort_values(values, op->count);
	source->list_at += 8ULL * op->count;
	return 0;
}

/* Take one comparison in. */
static int filter_compare(struct vex_filter_source *source,
			  struct vexfs_filter_op *op)
{
	bool ordered = op->code >= VEXFS_FILTER_LT && op->code <= VEXFS_FILTER_GE;
	s64 key;
	u32 type;
	int err;

	if (op->column >= source->schema->s_columns)
		return -EINVAL;
	type = vex_column_type(source->schema, op->column);
	if (op->code == VEXFS_FILTER_IN)
		return filter_list(source, type, op);
	if (op->code == VEXFS_FILTER_NULL)
		return op->value ? -EINVAL : 0;
	if (ordered && type == VEXFS_COLUMN_STRING)
		return -EINVAL;
	err = filter_value(source, type, op->value, &key);
	op->value = (u64)key;
	return err;
}

/* Where lists and strings are, and that the stack fits. */
static int filter_bounds(struct vex_filter_source *source,
			 struct vexfs_filter_op *ops, u32 count)
{
	u64 at = source->list_at;
	u32 depth = 0, i;

	for (i = 0; i < count; i++) {
		struct vexfs_filter_op *op = &ops[i];

		op->count = vex_load_le32(&op->count);
		op->value = vex_load_le64(&op->value);
		if (op->reserved ||
		    (op->code == VEXFS_FILTER_IN) != !!op->count)
			return -EINVAL;
		if (op->code >= VEXFS_FILTER_AND &&
		    (op->column || op->value))
			return -EINVAL;
		switch (op->code) {
		case VEXFS_FILTER_IN:
			if (op->value != at)
				return -EINVAL;
			at += 8ULL * op->count;
			if (at > source->bytes)
				return -EINVAL;
			fallthrough;
		case VEXFS_FILTER_EQ:
		case VEXFS_FILTER_NE:
		case VEXFS_FILTER_LT:
		case VEXFS_FILTER_LE:
		case VEXFS_FILTER_GT:
		case VEXFS_FILTER_GE:
		case VEXFS_FILTER_NULL:
			depth++;
			break;
		case VEXFS_FILTER_AND:
		case VEXFS_FILTER_OR:
			if (depth < 2)
				return -EINVAL;
			depth--;
			break;
		case VEXFS_FILTER_NOT:
			if (!depth)
				return -EINVAL;
			break;
		default:
			return -EINVAL;
		}
		if (depth > VEXFS_FILTER_DEPTH_MAX)
			return -EINVAL;
	}
	source->strings_at = at;
	return depth == 1 ? 0 : -EINVAL;
}

int vex_filter_init(struct vex_filter *filter, void *program, u32 bytes,
		    const struct vexfs_disk_schema *schema,
		    const struct vex_filter_strings *strings)
{
	struct vexfs_filter_program *head = program;
	struct vex_filter_source source = {
		.data = program,
		.bytes = bytes,
		.schema = schema,
		.strings = strings,
	};
	u32 count, i;
	int err;

	if (bytes < sizeof(*head) || bytes > VEXFS_FILTER_BYTES_MAX)
		return -EINVAL;
	count = vex_load_le32(&head->op_count);
	if (!count || count > VEXFS_FILTER_OPS_MAX || head->reserved)
		return -EINVAL;
	source.list_at = sizeof(*head) + count * sizeof(head->ops[0]);
	if (source.list_at > bytes)
		return -EINVAL;
	err = filter_bounds(&source, head->ops, count);
	for (i = 0; i < count && !err; i++)
		if (head->ops[i].code < VEXFS_FILTER_AND)
			err = filter_compare(&source, &head->ops[i]);
	filter->ops = head->ops;
	filter->program = program;
	filter->op_count = count;
	filter->columns = schema->s_columns;
	return err;
}

/* Running */

/* The rows whose column is not null. */
static u64 rows_present(const u8 *bits, u32 column, u32 count)
{
	u64 present = 0, four;
	u32 i;

	for (i = 0; i + 4 <= count; i += 4) {
		four = vex_load_le64(bits + 2 * i) >> column &
		       0x0001000100010001ULL;
		four |= four >> 15 | four >> 30 | four >> 45;
		present |= (four & 15) << i;
	}
	for (; i < count; i++)
		present |= (u64)(vex_load_le16(bits + 2 * i) >> column & 1) << i;
	return present;
}

static bool list_has(const s64 *values, u32 count, s64 value)
{
	u32 low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && values[low] == value;
}

/* One bit of a comparison, and eight of them. */
#define ROW_IS(i, op, value) \
	((u64)((s64)vex_load_le64(values + 8 * (i)) op value))
#define ROWS_ARE(i, op, value)						\
	(ROW_IS(i, op, value) | ROW_IS((i) + 1, op, value) << 1 |	\
	 ROW_IS((i) + 2, op, value) << 2 | ROW_IS((i) + 3, op, value) << 3 | \
	 ROW_IS((i) + 4, op, value) << 4 | ROW_IS((i) + 5, op, value) << 5 | \
	 ROW_IS((i) + 6, op, value) << 6 | ROW_IS((i) + 7, op, value) << 7)

static u64 rows_below(const u8 *values, u32 count, s64 limit)
{
	u64 found = 0;
	u32 i;

	for (i = 0; i + 8 <= count; i += 8)
		found |= ROWS_ARE(i, <, limit) << i;
	for (; i < count; i++)
		found |= ROW_IS(i, <, limit) << i;
	return found;
}

static u64 rows_equal(const u8 *values, u32 count, s64 value)
{
	u64 found = 0;
	u32 i;

	for (i = 0; i + 8 <= count; i += 8)
		found |= ROWS_ARE(i, ==, value) << i;
	for (; i < count; i++)
		found |= ROW_IS(i, ==, value) << i;
	return found;
}

static u64 rows_in(const struct vex_filter *filter,
		   const struct vexfs_filter_op *op, const u8 *values,
		   u32 count)
{
	const s64 *list = (const s64 *)(filter->program + op->value);
	u64 found = 0;
	u32 i;

	if (op->count <= VEX_LIST_SHORT) {
		for (i = 0; i < op->count; i++)
			found |= rows_equal(values, count, list[i]);
		return found;
	}
	for (i = 0; i < count; i++)
		found |= (u64)list_has(list, op->count,
				       (s64)vex_load_le64(values + 8 * i)) << i;
	return found;
}

/* The rows for which a comparison holds; of null columns anything. */
static u64 rows_compare(const struct vex_filter *filter,
			const struct vexfs_filter_op *op, const u8 *values,
			u32 count)
{
	s64 value = (s64)op->value;

	switch (op->code) {
	case VEXFS_FILTER_EQ:
		return rows_equal(values, count, value);
	case VEXFS_FILTER_NE:
		return ~rows_equal(values, count, value);
	case VEXFS_FILTER_LT:
		return rows_below(values, count, value);
	case VEXFS_FILTER_GE:
		return ~rows_below(values, count, value);
	case VEXFS_FILTER_LE:
		return value == S64_MAX ? ~0ULL :
		       rows_below(values, count, value + 1);
	case VEXFS_FILTER_GT:
		return value == S64_MAX ? 0 :
		       ~rows_below(values, count, value + 1);
	default:
		return rows_in(filter, op, values, count);
	}
}

/* The words of a comparison: where it holds, and where it does not. */
static void filter_push(const struct vex_filter *filter,
			const struct vexfs_filter_op *op,
			const struct vexfs_disk_attributes *block, u32 first,
			u32 count, u64 *yes, u64 *no)
{
	u32 rows = vex_attributes_rows(filter->columns);
	u64 present, found;

	if (!block) {
		*yes = op->code == VEXFS_FILTER_NULL ? ~0ULL : 0;
		*no = 0;
		return;
	}
	present = rows_present(block->at_data + 8 * rows * filter->columns +
			       2 * first, op->column, count);
	if (op->code == VEXFS_FILTER_NULL) {
		*yes = ~present;
		*no = present;
		return;
	}
	found = rows_compare(filter, op, block->at_data +
			     8 * (rows * op->column + first), count);
	*yes = found & present;
	*no = ~found & present;
}

u64 vex_filter_rows(const struct vex_filter *filter,
		    const struct vexfs_disk_attributes *block, u32 first,
		    u32 count)
{
	u64 yes[VEXFS_FILTER_DEPTH_MAX], no[VEXFS_FILTER_DEPTH_MAX], swap;
	u32 top = 0, i;

	for (i = 0; i < filter->op_count; i++) {
		const struct vexfs_filter_op *op = &filter->ops[i];

		switch (op->code) {
		case VEXFS_FILTER_AND:
			top--;
			yes[top - 1] &= yes[top];
			no[top - 1] |= no[top];
			break;
		case VEXFS_FILTER_OR:
			top--;
			yes[top - 1] |= yes[top];
			no[top - 1] &= no[top];
			break;
		case VEXFS_FILTER_NOT:
			swap = yes[top - 1];
			yes[top - 1] = no[top - 1];
			no[top - 1] = swap;
			break;
		default:
			filter_push(filter, op, block, first, count, &yes[top],
				    &no[top]);
			top++;
		}
	}
	return yes[0] & (~0ULL >> (64 - count));
}
