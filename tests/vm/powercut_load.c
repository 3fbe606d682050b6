// SPDX-License-Identifier: Apache-2.0
/*
 * The workload of the power-cut test. Makes seeded random operations in a
 * directory, writes each into a list before it does it, and sets a mark in the
 * log of a dm-log-writes device whenever fsync or syncfs has returned.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "powercut_model.h"

#define HELD	4			/* deleted files kept open */
#define BUDGET	(24U << 20)		/* bytes in all files together */
#define LARGE	3			/* files with sketches and indexes */
#define LARGE_ROWS	5000

static struct pc_space space;
static struct pc_rows *rows[PC_FILES_MAX];
static uint64_t seed = 1;
static const char *top, *mark_device;
static int ops_fd, top_fd, held[HELD] = { -1, -1, -1, -1 };
static uint32_t seq, last_fid;
static bool vectors, indexes;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(pc_random(&seed) % n);
}

/* "mark TEXT" to the device-mapper target, which puts it into its log. */
static void set_mark(uint32_t number)
{
	union {
		struct dm_ioctl head;
		char room[512];
	} message = { 0 };
	struct dm_target_msg *target;
	int fd;

	if (!mark_device)
		return;
	fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		pc_die("/dev/mapper/control: %s", strerror(errno));
	message.head.version[0] = DM_VERSION_MAJOR;
	message.head.data_size = sizeof(message);
	message.head.data_start = sizeof(message.head);
	strncpy(message.head.name, mark_device, sizeof(message.head.name) - 1);
	target = (void *)(message.room + sizeof(message.head));
	snprintf(target->message, 64, "mark %u", number);
	if (ioctl(fd, DM_TARGET_MSG, &message))
		pc_die("%s: cannot set a mark: %s", mark_device, strerror(errno));
	close(fd);
}

static void need(bool ok, const struct pc_op *op, const char *what)
{
	if (!ok)
		pc_die("operation %u (kind %u, file %u): %s: %s", op->seq,
		       op->kind, op->fid, what, strerror(errno));
}

static int open_file(const struct pc_op *op, int flags)
{
	char path[PC_PATH];
	int fd;

	if (!pc_path_of(path, top, &space, op->fid))
		pc_die("operation %u: file %u has no name", op->seq, op->fid);
	fd = open(path, flags | O_CLOEXEC);
	need(fd >= 0, op, path);
	return fd;
}

static void set_schema(int fd, const struct pc_op *op)
{
	struct vexfs_column columns[PC_COLUMNS] = {
		{ .name = "n", .type = VEXFS_COLUMN_I64 },
		{ .name = "word", .type = VEXFS_COLUMN_STRING },
	};
	struct vexfs_schema schema = {
		.size = sizeof(schema), .dim = op->d >> 8,
		.columns = (uintptr_t)columns, .column_count = PC_COLUMNS,
		.element = op->d >> 4 & 15, .metric = VEXFS_METRIC_L2,
		.ids = op->d & 15,
	};

	need(!ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema), op, "SET_SCHEMA");
}

static void do_create(const struct pc_op *op)
{
	char path[PC_PATH], target[4096];
	int fd;

	pc_path(path, top, op->a, op->b);
	if (op->c == PC_SYMLINK) {
		pc_link_target(target, op->fid, op->d);
		need(!symlink(target, path), op, "symlink");
		return;
	}
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	need(fd >= 0, op, path);
	if (op->c == PC_VECTOR)
		set_schema(fd, op);
	close(fd);
}

static void do_write(const struct pc_op *op)
{
	size_t bytes = (size_t)op->b * PC_RECORD, done = 0;
	off_t at = (off_t)op->a * PC_RECORD;
	struct pc_record *buffer;
	char *map;
	uint32_t i;
	int fd;

	buffer = aligned_alloc(4096, (bytes + 4095) & ~4095UL);
	if (!buffer)
		pc_die("out of memory");
	for (i = 0; i < op->b; i++)
		pc_record_fill(&buffer[i], op->fid, op->a + i, op->seq);
	fd = open_file(op, op->c == PC_DIRECT ? O_RDWR | O_DIRECT : O_RDWR);
	if (op->c == PC_MMAP) {
		off_t page = at & ~4095;

		map = mmap(NULL, bytes + (at - page), PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, page);
		need(map != MAP_FAILED, op, "mmap");
		memcpy(map + (at - page), buffer, bytes);
		munmap(map, bytes + (at - page));
		done = bytes;
	}
	while (done < bytes) {
		ssize_t n = pwrite(fd, (char *)buffer + done, bytes - done,
				   at + done);

		need(n > 0, op, "write");
		done += n;
	}
	close(fd);
	free(buffer);
}

static char *make_rows(const struct pc_op *op, const uint64_t *ids,
		       uint32_t count)
{
	const struct pc_rows *r = rows[op->fid];
	size_t row = pc_row_bytes(r->dim, r->element);
	char *data = malloc(row * count);
	uint32_t i;

	if (!data)
		pc_die("out of memory");
	for (i = 0; i < count; i++)
		pc_row_fill(data + i * row, op->fid, ids[i], r->dim,
			    r->element);
	return data;
}

/* Attributes as calls take them; strings come after the records. */
static uint64_t *make_attributes(uint32_t fid, const uint64_t *ids,
				 uint32_t count, const uint32_t *set,
				 struct vexfs_attributes *to)
{
	size_t bytes = count * VEXFS_ATTRIBUTE_BYTES(PC_COLUMNS);
	uint64_t *records = malloc(bytes + (size_t)count * PC_WORD_MAX);
	char *strings = (char *)records + bytes;
	struct pc_attributes row;
	size_t used = 0;
	uint32_t i;

	if (!records)
		pc_die("out of memory");
	for (i = 0; i < count; i++) {
		uint64_t *record = records + (size_t)i * (1 + PC_COLUMNS);

		pc_attributes_make(&row, fid, ids[i], set);
		record[0] = row.has_word ? 3 : 1;
		record[1] = (uint64_t)row.n;
		record[2] = 0;
		if (!row.has_word)
			continue;
		record[2] = VEXFS_STRING_REF(used, strlen(row.word));
		memcpy(strings + used, row.word, strlen(row.word));
		used += strlen(row.word);
	}
	to->attributes = (uintptr_t)records;
	to->attributes_bytes = bytes;
	to->strings = used ? (uintptr_t)strings : 0;
	to->strings_bytes = used;
	return records;
}

static void do_insert(const struct pc_op *op)
{
	static uint64_t ids[PC_ROWS_MAX];
	const struct pc_rows *r = rows[op->fid];
	uint32_t count = pc_rows_batch(r, op, ids);
	uint64_t bytes = (uint64_t)count * pc_row_bytes(r->dim, r->element);
	struct vexfs_batch_insert insert = {
		.size = sizeof(insert), .count = count, .vectors_bytes = bytes,
	};
	static const uint32_t none[PC_COLUMNS];
	struct vexfs_attributes given;
	uint64_t *attributes = NULL, done = 0;
	char *data = make_rows(op, ids, count);
	int fd;

	insert.vectors = (uintptr_t)data;
	if (r->ids == VEXFS_IDS_OWN)
		insert.ids = (uintptr_t)ids;
	if (op->kind == PC_REPLACE)
		insert.flags = VEXFS_INSERT_REPLACE;
	if (op->kind != PC_APPEND) {
		attributes = make_attributes(op->fid, ids, count, none, &given);
		insert.attributes = given.attributes;
		insert.attributes_bytes = given.attributes_bytes;
		insert.strings = given.strings;
		insert.strings_bytes = given.strings_bytes;
		fd = open_file(op, O_RDWR);
		need(!ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert), op,
		     "BATCH_INSERT");
		if (r->ids == VEXFS_IDS_AUTO && insert.first_id != r->next_id)
			pc_die("operation %u: first id %llu instead of %llu",
			       op->seq, (unsigned long long)insert.first_id,
			       (unsigned long long)r->next_id);
	} else {
		fd = open_file(op, O_WRONLY | O_APPEND);
		while (done < bytes) {
			ssize_t n = write(fd, data + done, bytes - done);

			need(n > 0, op, "append");
			done += n;
		}
	}
	close(fd);
	free(attributes);
	free(data);
}

static void do_delete(const struct pc_op *op)
{
	static uint32_t at[PC_ROWS_MAX];
	static uint64_t ids[PC_ROWS_MAX];
	struct pc_rows *r = rows[op->fid];
	uint32_t i, count = pc_rows_select(r, op, at);
	struct vexfs_batch_delete delete = {
		.size = sizeof(delete), .count = count, .ids = (uintptr_t)ids,
	};
	int fd;

	if (!count)
		return;
	for (i = 0; i < count; i++)
		ids[i] = r->id[at[i]];
	fd = open_file(op, O_RDWR);
	need(!ioctl(fd, VEXFS_IOC_BATCH_DELETE, &delete), op, "BATCH_DELETE");
	need(delete.deleted == count, op, "BATCH_DELETE deleted another number");
	close(fd);
}

static void do_set(const struct pc_op *op)
{
	static uint32_t at[PC_ROWS_MAX];
	static uint64_t ids[PC_ROWS_MAX];
	const uint32_t set[PC_COLUMNS] = { op->seq, op->seq };
	struct pc_rows *r = rows[op->fid];
	uint32_t i, count = pc_rows_select(r, op, at);
	struct vexfs_attributes attributes = {
		.size = sizeof(attributes), .count = count,
		.ids = (uintptr_t)ids, .columns = op->d,
	};
	uint64_t *records;
	int fd;

	if (!count)
		return;
	for (i = 0; i < count; i++)
		ids[i] = r->id[at[i]];
	records = make_attributes(op->fid, ids, count, set, &attributes);
	fd = open_file(op, O_RDWR);
	need(!ioctl(fd, VEXFS_IOC_SET_ATTRIBUTES, &attributes), op,
	     "SET_ATTRIBUTES");
	close(fd);
	free(records);
}

static void do_search(const struct pc_op *op, int fd)
{
	static bool live[PC_ROWS_MAX];
	const struct pc_rows *r = rows[op->fid];
	const struct pc_search search = {
		.index = op->a, .flags = op->b, .k = op->c, .near = op->d,
	};
	const char *what;
	uint32_t i;

	for (i = 0; i < r->rows; i++)
		live[i] = !r->dead[i];
	what = pc_search_check(fd, op->fid, r, live, &search);
	if (what)
		pc_die("operation %u (file %u, index %u, flags %u): %s",
		       op->seq, op->fid, op->a, op->b, what);
}

static void do_index(const struct pc_op *op)
{
	struct vexfs_build_index build = {
		.size = sizeof(build), .type = op->a,
		.effort = op->a == VEXFS_INDEX_HNSW ? VEXFS_EFFORT_MIN : 0,
	};
	struct vexfs_drop_index drop = { .size = sizeof(drop), .flags = op->a };
	int fd = open_file(op, O_RDWR);
	const char *what;

	switch (op->kind) {
	case PC_BUILD:
		need(!ioctl(fd, VEXFS_IOC_BUILD_INDEX, &build) ||
		     errno == EBUSY, op, "BUILD_INDEX");
		break;
	case PC_DROP:
		need(!ioctl(fd, VEXFS_IOC_DROP_INDEX, &drop), op, "DROP_INDEX");
		break;
	case PC_SETTLE:
		what = pc_settle(fd, 60);
		if (what)
			pc_die("operation %u (file %u): %s", op->seq, op->fid,
			       what);
		usleep(op->a * 1000);
		break;
	default:
		do_search(op, fd);
	}
	close(fd);
}

/* Keep the last name's file open for a while, so that it is an orphan. */
static void hold(const struct pc_op *op)
{
	uint32_t at = below(HELD), fid = space.slot[op->a][op->b];
	char path[PC_PATH];

	if (space.file[fid].links != 1 || space.file[fid].type == PC_SYMLINK)
		return;
	pc_path(path, top, op->a, op->b);
	if (held[at] >= 0)
		close(held[at]);
	held[at] = open(path, O_RDWR | O_CLOEXEC);
	need(held[at] >= 0, op, path);
}

static void do_names(const struct pc_op *op)
{
	char from[PC_PATH], to[PC_PATH];

	pc_path(from, top, op->a, op->b);
	pc_path(to, top, op->c, op->d);
	switch (op->kind) {
	case PC_UNLINK:
		if (below(2))
			hold(op);
		need(!unlink(from), op, "unlink");
		break;
	case PC_RENAME:
		need(!rename(from, to), op, "rename");
		break;
	case PC_EXCHANGE:
		need(!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE),
		     op, "exchange");
		break;
	case PC_LINK:
		need(!link(from, to), op, "link");
		break;
	}
}

static void do_directory(const struct pc_op *op)
{
	char from[PC_PATH], to[PC_PATH];

	pc_path_dir(from, top, op->a);
	pc_path_dir(to, top, op->b);
	if (op->kind == PC_MKDIR)
		need(!mkdir(from, 0755), op, "mkdir");
	else if (op->kind == PC_RMDIR)
		need(!rmdir(from), op, "rmdir");
	else
		need(!rename(from, to), op, "rename of a directory");
}

static void do_file(const struct pc_op *op)
{
	struct vexfs_compact compact = { .size = sizeof(compact) };
	const struct pc_rows *r = rows[op->fid];
	char text[32];
	int fd = open_file(op, O_RDWR);

	switch (op->kind) {
	case PC_IDENT:
		snprintf(text, sizeof(text), "%u", op->fid);
		need(!fsetxattr(fd, "user.fid", text, strlen(text),
				XATTR_CREATE), op, "setxattr");
		break;
	case PC_CHMOD:
		need(!fchmod(fd, op->c), op, "chmod");
		break;
	case PC_TRUNCATE:
		need(!ftruncate(fd, (off_t)op->a * PC_RECORD), op, "truncate");
		break;
	case PC_CUT_ROWS:
		need(!ftruncate(fd, (off_t)op->a *
				pc_row_bytes(r->dim, r->element)), op,
		     "truncate of rows");
		break;
	case PC_COMPACT:
		need(!ioctl(fd, VEXFS_IOC_COMPACT, &compact), op, "COMPACT");
		need(compact.rows_kept == op->a, op,
		     "COMPACT left another number");
		break;
	case PC_FSYNC:
		need(!(below(4) ? fsync(fd) : fdatasync(fd)), op, "fsync");
		break;
	}
	close(fd);
}

static void perform(const struct pc_op *op)
{
	switch (op->kind) {
	case PC_MKDIR:
	case PC_RMDIR:
	case PC_MVDIR:
		do_directory(op);
		break;
	case PC_CREATE:
		do_create(op);
		break;
	case PC_UNLINK:
	case PC_RENAME:
	case PC_EXCHANGE:
	case PC_LINK:
		do_names(op);
		break;
	case PC_WRITE:
		do_write(op);
		break;
	case PC_INSERT:
	case PC_APPEND:
	case PC_REPLACE:
		do_insert(op);
		break;
	case PC_DELETE:
		do_delete(op);
		break;
	case PC_SET:
		do_set(op);
		break;
	case PC_BUILD:
	case PC_DROP:
	case PC_SETTLE:
	case PC_SEARCH:
		do_index(op);
		break;
	case PC_REMOUNT:
		need(!mount("none", top, NULL, MS_REMOUNT, NULL), op, "remount");
		break;
	case PC_SYNCFS:
		need(!syncfs(top_fd), op, "syncfs");
		break;
	default:
		do_file(op);
	}
}

/* Write an operation down, do it, and apply it to the model. */
static void run(struct pc_op op)
{
	op.seq = ++seq;
	if (dprintf(ops_fd, "%u %u %u %u %u %u %u\n", op.seq, op.kind, op.fid,
		    op.a, op.b, op.c, op.d) < 0)
		pc_die("cannot write the list of operations: %s",
		       strerror(errno));
	perform(&op);
	pc_space_apply(&space, &op);
	if (op.kind == PC_CREATE && op.c == PC_VECTOR) {
		rows[op.fid] = malloc(sizeof(*rows[0]));
		if (!rows[op.fid])
			pc_die("out of memory");
		pc_rows_init(rows[op.fid], op.d);
	} else if (op.fid && rows[op.fid]) {
		pc_rows_apply(rows[op.fid], &op);
	}
	if (op.kind == PC_FSYNC || op.kind == PC_SYNCFS)
		set_mark(op.seq);
}

/* A random slot that is taken or free, in a directory that there is. */
static bool pick_slot(bool taken, uint32_t *dir, uint32_t *name)
{
	int tries;

	for (tries = 0; tries < 400; tries++) {
		*dir = below(PC_DIRS);
		*name = below(PC_NAMES);
		if (space.dir[*dir] && taken == !!space.slot[*dir][*name])
			return true;
	}
	return false;
}

static uint32_t pick_file(uint32_t type)
{
	uint32_t dir, name, fid;
	int tries;

	if (last_fid && space.file[last_fid].type == type &&
	    space.file[last_fid].links && below(3))
		return last_fid;
	for (tries = 0; tries < 40; tries++) {
		if (!pick_slot(true, &dir, &name))
			return 0;
		fid = space.slot[dir][name];
		if (space.file[fid].type == type)
			return last_fid = fid;
	}
	return 0;
}

static uint64_t bytes_used(void)
{
	uint64_t sum = 0;
	uint32_t fid;

	for (fid = 1; fid <= space.files; fid++) {
		const struct pc_file *file = &space.file[fid];

		if (!file->links)
			continue;
		if (file->type == PC_PLAIN)
			sum += file->size * PC_RECORD + 4096;
		if (file->type == PC_VECTOR)
			sum += file->size * pc_row_bytes(rows[fid]->dim,
							 rows[fid]->element);
	}
	return sum;
}

static void op_create(void)
{
	static const uint32_t dims[] = { 1, 3, 16, 100, 333 };
	static const uint32_t lengths[] = { 1, 60, 167, 168, 169, 1000, 4032,
					    4033, 4095 };
	struct pc_op op = { .kind = PC_CREATE, .fid = space.files + 1 };
	uint32_t what = below(10);

	if (op.fid >= PC_FILES_MAX || !pick_slot(false, &op.a, &op.b))
		return;
	op.c = PC_PLAIN;
	if (what == 0) {
		op.c = PC_SYMLINK;
		op.d = lengths[below(9)];
	} else if (vectors && what <= 4) {
		op.c = PC_VECTOR;
		op.d = dims[below(5)] << 8 |
		       (below(3) ? VEXFS_ELEMENT_F32 : VEXFS_ELEMENT_U8) << 4 |
		       (below(2) ? VEXFS_IDS_AUTO : VEXFS_IDS_OWN);
	}
	run(op);
	if (op.c == PC_SYMLINK)
		return;
	last_fid = op.fid;
	run((struct pc_op){ .kind = PC_IDENT, .fid = op.fid });
}

static void op_write(void)
{
	struct pc_op op = { .kind = PC_WRITE, .fid = pick_file(PC_PLAIN) };
	const uint32_t max = PC_SIZE_MAX / PC_RECORD, page = 4096 / PC_RECORD;
	uint64_t size = space.file[op.fid].size;
	bool append = below(2);

	if (!op.fid)
		return;
	op.b = 1 + below(below(4) ? 200 : 4000);
	op.a = append ? size : below(size + size / 4 + 100);
	if (!below(6)) {
		op.c = PC_DIRECT;
		op.a -= op.a % page;
		op.b += page - op.b % page;
	} else if (!below(6) && op.a + op.b <= size) {
		op.c = PC_MMAP;
	}
	if (op.a + op.b <= max)
		run(op);
}

static void op_truncate(void)
{
	struct pc_op op = { .kind = PC_TRUNCATE, .fid = pick_file(PC_PLAIN) };
	uint64_t size = space.file[op.fid].size;

	if (!op.fid)
		return;
	op.a = below(3) ? below(size + 1) : size + below(500);
	if (op.a <= PC_SIZE_MAX / PC_RECORD)
		run(op);
}

static void op_names(uint32_t kind)
{
	struct pc_op op = { .kind = kind };
	uint32_t other;

	if (!pick_slot(true, &op.a, &op.b))
		return;
	op.fid = space.slot[op.a][op.b];
	if (kind != PC_UNLINK &&
	    !pick_slot(kind == PC_EXCHANGE || (kind == PC_RENAME && below(2)),
		       &op.c, &op.d))
		return;
	other = space.slot[op.c][op.d];
	if (kind != PC_UNLINK && other == op.fid)
		return;
	if (kind == PC_LINK && space.file[op.fid].type == PC_SYMLINK)
		return;
	run(op);
}

static void op_directory(void)
{
	uint32_t a = below(PC_DIRS), b = below(PC_DIRS), n;

	if (!space.dir[a]) {
		run((struct pc_op){ .kind = PC_MKDIR, .a = a });
		return;
	}
	if (!space.dir[b] && below(2)) {
		run((struct pc_op){ .kind = PC_MVDIR, .a = a, .b = b });
		return;
	}
	for (n = 0; n < PC_NAMES; n++)
		if (space.slot[a][n])
			return;
	run((struct pc_op){ .kind = PC_RMDIR, .a = a });
}

static void op_rows(void)
{
	struct pc_op op = { .fid = pick_file(PC_VECTOR) };
	uint32_t what = below(11), size, i;
	struct pc_rows *r;

	if (!op.fid)
		return;
	r = rows[op.fid];
	size = r->rows;
	if (what == 10) {
		op.kind = PC_COMPACT;
		for (i = 0; i < size; i++)
			op.a += !r->dead[i];
	} else if (what < 2 && size) {
		op.kind = PC_DELETE;
		op.a = 1 + below(30);
		op.b = below(size);
		op.c = 1 + below(5);
	} else if (what == 3 && r->ids == VEXFS_IDS_OWN) {
		op.kind = PC_REPLACE;
		op.a = 1 + below(50);
		op.b = below(size + 1);
		op.c = 1 + below(4);
		op.d = (seq + 1) * 8000;
		if (size + op.a + PC_FRESH > PC_ROWS_MAX)
			return;
	} else if (what == 2 && size) {
		op.kind = PC_CUT_ROWS;
		op.a = below(4) ? below(size + 1) : 0;
	} else {
		op.kind = r->ids == VEXFS_IDS_AUTO && below(2) ? PC_APPEND :
								 PC_INSERT;
		op.a = 1 + below(below(3) ? 50 : 1000);
		/* ids that no other operation gives out */
		op.b = (seq + 1) * 8000;
		if (size + op.a > PC_ROWS_MAX)
			return;
	}
	run(op);
}

/* A large file, made when there are not enough of them. */
static uint32_t pick_large(void)
{
	static const uint32_t dims[] = { 4, 16, 24, 65 };
	static uint32_t large[LARGE];
	uint32_t at = below(LARGE);
	struct pc_op op = { .kind = PC_CREATE, .c = PC_VECTOR };

	if (large[at] && space.file[large[at]].links)
		return large[at];
	op.fid = space.files + 1;
	if (op.fid >= PC_FILES_MAX || !pick_slot(false, &op.a, &op.b))
		return 0;
	op.d = dims[below(4)] << 8 |
	       (below(3) ? VEXFS_ELEMENT_F32 : VEXFS_ELEMENT_U8) << 4 |
	       (below(2) ? VEXFS_IDS_AUTO : VEXFS_IDS_OWN);
	run(op);
	run((struct pc_op){ .kind = PC_IDENT, .fid = op.fid });
	return large[at] = op.fid;
}

static void large_rows(struct pc_op op, const struct pc_rows *r)
{
	op.kind = r->ids == VEXFS_IDS_AUTO && !below(4) ? PC_APPEND : PC_INSERT;
	op.a = 100 + below(r->rows < 1000 ? 2000 : 700);
	op.b = (seq + 1) * 8000;
	run(op);
}

/* Where the background has work: rows that are encoded and put into indexes. */
static void op_large(void)
{
	struct pc_op op = { .fid = pick_large() };
	uint32_t what = below(100);
	const struct pc_rows *r;

	if (!op.fid)
		return;
	r = rows[op.fid];
	if (r->rows > LARGE_ROWS || (what < 6 && r->rows)) {
		op.kind = PC_CUT_ROWS;
		op.a = below(3) ? below(r->rows) : 0;
	} else if (r->rows < 1000 || what < 24) {
		large_rows(op, r);
		return;
	} else if (what < 42) {
		op.kind = what < 34 ? PC_DELETE : PC_SET;
		op.a = 1 + below(60);
		op.b = below(r->rows);
		op.c = 1 + below(50);
		op.d = 1 + below((1 << PC_COLUMNS) - 1);
	} else if (what < 56) {
		op.kind = PC_BUILD;
		op.a = below(3) ? VEXFS_INDEX_HNSW : VEXFS_INDEX_IVF;
	} else if (what < 60) {
		op.kind = PC_DROP;
		op.a = below(2) ? VEXFS_DROP_BUILD : 0;
	} else if (what < 70) {
		op.kind = PC_SETTLE;
		/* sometimes for longer than the encoder waits with a checkpoint */
		op.a = below(4) ? below(100) : 3500;
	} else if (what < 84) {
		op.kind = PC_SEARCH;
		op.a = below(4);
		op.b = op.a < 2 && below(2) ? VEXFS_SEARCH_EXACT : 0;
		op.c = 1 + below(20);
		op.d = below(1U << 30);
	} else if (what < 88) {
		op = (struct pc_op){ .kind = PC_REMOUNT };
	} else {
		op.kind = PC_FSYNC;
	}
	run(op);
}

static void op_chmod(void)
{
	uint32_t fid = pick_file(PC_PLAIN);

	if (fid)
		run((struct pc_op){ .kind = PC_CHMOD, .fid = fid,
				    .c = 0600 | below(0200) });
}

static void op_sync(void)
{
	uint32_t fid;

	if (!below(4)) {
		run((struct pc_op){ .kind = PC_SYNCFS });
		return;
	}
	fid = pick_file(vectors && below(2) ? PC_VECTOR : PC_PLAIN);
	if (fid)
		run((struct pc_op){ .kind = PC_FSYNC, .fid = fid });
}

static void step(void)
{
	uint32_t what = below(100);

	if (bytes_used() > BUDGET) {
		op_names(PC_UNLINK);
		return;
	}
	if (indexes && below(2)) {
		op_large();
		return;
	}
	if (what < 14)
		op_create();
	else if (what < 18)
		op_directory();
	else if (what < 24)
		op_names(PC_UNLINK);
	else if (what < 32)
		op_names(PC_RENAME);
	else if (what < 35)
		op_names(PC_EXCHANGE);
	else if (what < 39)
		op_names(PC_LINK);
	else if (what < 41)
		op_chmod();
	else if (what < 48)
		op_truncate();
	else if (what < 66)
		vectors && below(2) ? op_rows() : op_write();
	else if (what < 84)
		vectors ? op_rows() : op_write();
	else
		op_sync();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "device", required_argument, NULL, 'd' },
		{ "vectors", no_argument, NULL, 'v' },
		{ "index", no_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t count = 1000;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			count = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'd':
			mark_device = optarg;
			break;
		case 'v':
			vectors = true;
			break;
		case 'i':
			indexes = true;
			vectors = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2)
		pc_die("usage: powercut_load [--count N] [--seed S] [--device DM-NAME] [--vectors] [--index] DIRECTORY LIST");
	top = argv[optind];
	top_fd = open(top, O_RDONLY | O_DIRECTORY);
	if (top_fd < 0)
		pc_die("%s: %s", top, strerror(errno));
	ops_fd = open(argv[optind + 1], O_CREAT | O_TRUNC | O_WRONLY | O_APPEND,
		      0644);
	if (ops_fd < 0)
		pc_die("%s: %s", argv[optind + 1], strerror(errno));
	umask(0);
	while (seq < count)
		step();
	printf("%u operations, %u files, %llu MiB in use\n", seq, space.files,
	       (unsigned long long)(bytes_used() >> 20));
	return 0;
}
