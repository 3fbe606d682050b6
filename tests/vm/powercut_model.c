// SPDX-License-Identifier: Apache-2.0
/*
 * The model of the power-cut test: see powercut_model.h. Nothing here touches
 * the filesystem under test.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include "powercut_model.h"

#define PC_MAGIC 0x56435231U

void pc_die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t pc_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ULL;
	return mix(*state);
}

uint64_t pc_hash(uint64_t a, uint64_t b, uint64_t c)
{
	return mix(mix(mix(a + 0x9e3779b97f4a7c15ULL) ^ b) + c);
}

void pc_record_fill(struct pc_record *record, uint32_t fid, uint64_t index,
		    uint32_t seq)
{
	uint64_t state = pc_hash(fid, index, seq);
	size_t i;

	record->magic = PC_MAGIC;
	record->fid = fid;
	record->index = index;
	record->seq = seq;
	record->check = (uint32_t)state;
	for (i = 0; i < sizeof(record->filler); i += 8) {
		uint64_t word = pc_random(&state);

		memcpy(record->filler + i, &word, 8);
	}
}

const char *pc_record_verify(const struct pc_record *record, uint32_t fid,
			     uint64_t index)
{
	struct pc_record right;

	if (record->magic != PC_MAGIC)
		return "holds garbage";
	pc_record_fill(&right, record->fid, record->index, record->seq);
	if (memcmp(&right, record, sizeof(right)))
		return "is torn";
	if (record->fid != fid)
		return "belongs to another file";
	if (record->index != index)
		return "belongs to another place in the file";
	return NULL;
}

size_t pc_row_bytes(uint32_t dim, uint32_t element)
{
	return (size_t)dim * (element == 1 ? 4 : element == 2 ? 2 : 1);
}

/* Small multiples of 1/8 as f32 (element 1), else bytes (u8, i8). */
void pc_row_fill(void *row, uint32_t fid, uint64_t id, uint32_t dim,
		 uint32_t element)
{
	float *f = row;
	uint8_t *u = row;
	uint32_t i;

	for (i = 0; i < dim; i++) {
		uint64_t x = pc_hash(fid, id, i);

		if (element == 1)
			f[i] = (float)((int)(x % 2001) - 1000) / 8;
		else
			u[i] = (uint8_t)x;
	}
}

void pc_attributes_make(struct pc_attributes *attributes, uint32_t fid,
			uint64_t id, const uint32_t set[PC_COLUMNS])
{
	uint64_t n = pc_hash(fid, id, 77 + (uint64_t)set[0]);
	uint64_t x = pc_hash(fid, id, 77 + (uint64_t)set[1]);

	attributes->has_n = true;
	attributes->n = (int64_t)n;
	attributes->has_word = x % 4 != 0;
	snprintf(attributes->word, sizeof(attributes->word),
		 "word %*u of file %u", (int)(x / 4 % 30), (unsigned int)(x % 97),
		 fid);
}

void pc_link_target(char *target, uint32_t fid, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++)
		target[i] = (char)('a' + pc_hash(fid, length, i) % 26);
	target[length] = 0;
}

void pc_path_dir(char path[PC_PATH], const char *top, uint32_t dir)
{
	snprintf(path, PC_PATH, "%s/d%u", top, dir);
}

/* Names of very different lengths, so that directories take several blocks. */
void pc_path(char path[PC_PATH], const char *top, uint32_t dir, uint32_t name)
{
	int used = snprintf(path, PC_PATH, "%s/d%u/n%u", top, dir, name);
	int more = name % 3 ? (int)(name * 37 % 200) : 0;

	while (more-- > 0 && used < PC_PATH - 1)
		path[used++] = (char)('A' + name % 26);
	path[used] = 0;
}

bool pc_path_of(char path[PC_PATH], const char *top,
		const struct pc_space *space, uint32_t fid)
{
	uint32_t d, n;

	for (d = 0; d < PC_DIRS; d++)
		for (n = 0; n < PC_NAMES; n++)
			if (space->slot[d][n] == fid) {
				pc_path(path, top, d, n);
				return true;
			}
	return false;
}

struct pc_ops pc_ops_read(const char *path)
{
	FILE *in = fopen(path, "r");
	struct pc_ops ops = { 0 };
	size_t room = 0;
	struct pc_op op;

	if (!in)
		pc_die("%s: cannot open: %s", path, strerror(errno));
	while (fscanf(in, "%u %u %u %u %u %u %u", &op.seq, &op.kind, &op.fid,
		      &op.a, &op.b, &op.c, &op.d) == 7) {
		if (op.seq != ops.count + 1 || !op.kind || op.kind >= PC_KINDS)
			pc_die("%s: operation %u is not in order", path, op.seq);
		if (ops.count == room) {
			room = room ? 2 * room : 1024;
			ops.op = realloc(ops.op, room * sizeof(op));
			if (!ops.op)
				pc_die("out of memory");
		}
		ops.op[ops.count++] = op;
	}
	fclose(in);
	return ops;
}

static void unname(struct pc_space *space, uint32_t dir, uint32_t name,
		   uint32_t seq)
{
	uint32_t fid = space->slot[dir][name];

	if (!fid)
		return;
	space->slot[dir][name] = 0;
	space->file[fid].links--;
	space->file[fid].named_seq = seq;
}

static void apply_create(struct pc_space *space, const struct pc_op *op)
{
	struct pc_file *file = &space->file[op->fid];

	if (op->fid >= PC_FILES_MAX)
		pc_die("more than %d files in one run", PC_FILES_MAX);
	space->files = op->fid;
	space->slot[op->a][op->b] = op->fid;
	*file = (struct pc_file){
		.type = op->c, .links = 1, .mode = 0644, .param = op->d,
		.named_seq = op->seq,
	};
	if (op->c == PC_SYMLINK)
		file->mode = 0777;
}

static void apply_two_names(struct pc_space *space, const struct pc_op *op)
{
	uint32_t *from = &space->slot[op->a][op->b];
	uint32_t *to = &space->slot[op->c][op->d];
	uint32_t other = *to;

	if (op->kind == PC_EXCHANGE) {
		*to = *from;
		*from = other;
		space->file[other].named_seq = op->seq;
	} else {
		unname(space, op->c, op->d, op->seq);
		*to = op->fid;
		if (op->kind == PC_LINK)
			space->file[op->fid].links++;
		else
			*from = 0;
	}
	space->file[op->fid].named_seq = op->seq;
}

void pc_space_apply(struct pc_space *space, const struct pc_op *op)
{
	struct pc_file *file = &space->file[op->fid];

	switch (op->kind) {
	case PC_MKDIR:
	case PC_RMDIR:
		space->dir[op->a] = op->kind == PC_MKDIR;
		break;
	case PC_MVDIR:
		space->dir[op->a] = false;
		space->dir[op->b] = true;
		memcpy(space->slot[op->b], space->slot[op->a],
		       sizeof(space->slot[0]));
		memset(space->slot[op->a], 0, sizeof(space->slot[0]));
		break;
	case PC_CREATE:
		apply_create(space, op);
		break;
	case PC_IDENT:
		file->ident = true;
		break;
	case PC_CHMOD:
		file->mode = op->c;
		break;
	case PC_UNLINK:
		unname(space, op->a, op->b, op->seq);
		break;
	case PC_RENAME:
	case PC_EXCHANGE:
	case PC_LINK:
		apply_two_names(space, op);
		break;
	case PC_WRITE:
		if (file->size < op->a + op->b)
			file->size = op->a + op->b;
		break;
	case PC_TRUNCATE:
	case PC_CUT_ROWS:
	case PC_COMPACT:
		file->size = op->a;
		break;
	case PC_INSERT:
	case PC_APPEND:
	case PC_REPLACE:
		file->size += op->a;
		file->next_id += op->a;
		break;
	}
}

void pc_space_ack(struct pc_space *space, const struct pc_op *op)
{
	uint32_t acked = op->kind == PC_SYNCFS ? op->seq :
			 space->file[op->fid].named_seq;

	if (space->acked < acked)
		space->acked = acked;
}

static void plain_size(struct pc_plain *plain, uint64_t size)
{
	uint64_t i;

	/* what is cut off may be seen as zeros, and so may what is added */
	for (i = size; i < plain->size; i++) {
		plain->current[i] = 0;
		plain->zero_ok[i] = true;
	}
	for (i = plain->size; i < size; i++)
		plain->zero_ok[i] = true;
	plain->size = size;
	if (plain->size_min > size)
		plain->size_min = size;
	if (plain->size_max < size)
		plain->size_max = size;
	if (plain->size_ever < size)
		plain->size_ever = size;
}

void pc_plain_apply(struct pc_plain *plain, const struct pc_op *op)
{
	uint32_t i;

	if (op->kind == PC_TRUNCATE)
		plain_size(plain, op->a);
	if (op->kind != PC_WRITE)
		return;
	if (plain->size < op->a + op->b)
		plain_size(plain, op->a + op->b);
	for (i = op->a; i < op->a + op->b; i++) {
		/* nothing is there yet: until it is synced, zeros are right too */
		if (!plain->synced[i])
			plain->zero_ok[i] = true;
		plain->current[i] = op->seq;
	}
}

void pc_plain_ack(struct pc_plain *plain, uint32_t seq)
{
	uint32_t i;

	plain->synced_seq = seq;
	plain->size_min = plain->size;
	plain->size_max = plain->size;
	for (i = 0; i < plain->size_ever; i++) {
		plain->synced[i] = plain->current[i];
		plain->zero_ok[i] = !plain->current[i];
	}
}

void pc_rows_init(struct pc_rows *rows, uint32_t param)
{
	memset(rows, 0, sizeof(*rows));
	rows->dim = param >> 8;
	rows->element = param >> 4 & 15;
	rows->ids = param & 15;
}

uint32_t pc_rows_select(const struct pc_rows *rows, const struct pc_op *op,
			uint32_t *at)
{
	uint32_t i, found = 0;

	for (i = op->b; i < rows->rows && found < op->a; i += op->c)
		if (!rows->dead[i])
			at[found++] = i;
	return found;
}

uint32_t pc_rows_batch(const struct pc_rows *rows, const struct pc_op *op,
		       uint64_t *ids)
{
	static uint32_t at[PC_ROWS_MAX];
	uint32_t i, count = 0;

	if (op->kind == PC_REPLACE) {
		count = pc_rows_select(rows, op, at);
		for (i = 0; i < count; i++)
			ids[i] = rows->id[at[i]];
		for (i = 0; i < PC_FRESH && count < PC_ROWS_MAX; i++)
			ids[count++] = op->d + (uint64_t)i * 7;
		return count;
	}
	for (; count < op->a; count++)
		ids[count] = rows->ids == 1 ? rows->next_id + count :
					      op->b + (uint64_t)count * 7;
	return count;
}

/* If it happened, so did all that was done before it. */
static void rows_compact(struct pc_rows *rows)
{
	uint32_t i, kept = 0;

	for (i = 0; i < rows->rows; i++) {
		if (rows->dead[i])
			continue;
		rows->id[kept] = rows->id[i];
		rows->seq[kept] = rows->seq[i];
		rows->set[0][kept] = rows->set[0][i];
		rows->set[1][kept] = rows->set[1][i];
		rows->inserted[kept] = rows->inserted[i];
		rows->dead[kept++] = 0;
	}
	/* Without deletions it does nothing. */
	if (kept < rows->rows)
		rows->synced_rows = kept;
	rows->rows = kept;
}

void pc_rows_apply(struct pc_rows *rows, const struct pc_op *op)
{
	static uint32_t at[PC_ROWS_MAX];
	static uint64_t ids[PC_ROWS_MAX];
	uint32_t i, count;

	switch (op->kind) {
	case PC_INSERT:
	case PC_APPEND:
	case PC_REPLACE:
		count = pc_rows_batch(rows, op, ids);
		if (rows->rows + count > PC_ROWS_MAX)
			pc_die("more than %d rows in a file", PC_ROWS_MAX);
		if (op->kind == PC_REPLACE)
			for (i = pc_rows_select(rows, op, at); i-- > 0;)
				rows->dead[at[i]] = op->seq;
		else if (rows->ids == 1)
			rows->next_id += count;
		for (i = 0; i < count; i++, rows->rows++) {
			rows->id[rows->rows] = ids[i];
			rows->seq[rows->rows] = op->seq;
			rows->dead[rows->rows] = 0;
			rows->set[0][rows->rows] = 0;
			rows->set[1][rows->rows] = 0;
			rows->inserted[rows->rows] = op->kind != PC_APPEND;
		}
		break;
	case PC_SET:
		count = pc_rows_select(rows, op, at);
		for (i = 0; i < count * PC_COLUMNS; i++)
			if (op->d >> i % PC_COLUMNS & 1)
				rows->set[i % PC_COLUMNS][at[i / PC_COLUMNS]] =
					op->seq;
		break;
	case PC_DELETE:
		count = pc_rows_select(rows, op, at);
		for (i = 0; i < count; i++)
			rows->dead[at[i]] = op->seq;
		break;
	case PC_CUT_ROWS:
		rows->rows = op->a;
		if (rows->synced_rows > op->a)
			rows->synced_rows = op->a;
		break;
	case PC_COMPACT:
		rows_compact(rows);
		break;
	}
}

void pc_rows_ack(struct pc_rows *rows, uint32_t seq)
{
	rows->synced_seq = seq;
	rows->synced_rows = rows->rows;
}
