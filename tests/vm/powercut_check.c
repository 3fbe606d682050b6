// SPDX-License-Identifier: Apache-2.0
/*
 * The judge of the power-cut test. Given the list of operations, the last one
 * that was acknowledged before the cut (by fsync or syncfs) and the last one
 * that can have begun, verifies a mounted, recovered filesystem:
 *
 *  - its names, links, permissions and attributes are those after some one
 *    operation, not before what was acknowledged;
 *  - an ordinary file's records are its own, in their places, whole, and no
 *    older than what was acknowledged;
 *  - a vector file holds whole batches in order, every row is the one that
 *    belongs to its id, and deletions happened wholly or not at all; an id that
 *    was given another row leads to the old one or the new one; its rows'
 *    attributes are those after some one operation, and searches of every kind
 *    give live rows with the right distances, exact ones the right rows.
 *    Compacting it, with what the cut left of a compaction, changes nothing of that.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "powercut_model.h"

static struct pc_ops ops;
static const char *top;
static uint32_t acked, begun;
static unsigned int wrongs;
static bool settle;

__attribute__((format(printf, 1, 2)))
static void wrong(const char *fmt, ...)
{
	va_list args;

	if (wrongs++ >= 20)
		return;
	va_start(args, fmt);
	printf("WRONG: ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
}

static bool is_sync(const struct pc_op *op)
{
	return op->kind == PC_FSYNC || op->kind == PC_SYNCFS;
}

/* Apply what follows @from up to @to; what was acknowledged counts as such. */
static void space_advance(struct pc_space *space, uint32_t from, uint32_t to)
{
	for (; from < to; from++) {
		const struct pc_op *op = &ops.op[from];

		pc_space_apply(space, op);
		if (is_sync(op) && op->seq <= acked)
			pc_space_ack(space, op);
	}
}

static const char *compare_symlink(const char *path, uint32_t fid,
				   uint32_t length)
{
	char target[4097], found[4097];
	ssize_t n = readlink(path, found, sizeof(found));

	pc_link_target(target, fid, length);
	if (n != (ssize_t)length || memcmp(found, target, length))
		return "a symbolic link's target";
	return NULL;
}

static const char *compare_ident(const char *path, const struct pc_file *file,
				 uint32_t fid)
{
	char text[32], found[32];
	ssize_t n = lgetxattr(path, "user.fid", found, sizeof(found));

	if (n < 0 && errno == ENODATA)
		return file->ident ? "user.fid is missing" : NULL;
	snprintf(text, sizeof(text), "%u", fid);
	if (n < 0)
		return "user.fid cannot be read";
	if (!file->ident || n != (ssize_t)strlen(text) || memcmp(text, found, n))
		return "user.fid";
	return NULL;
}

static const char *compare_slot(const struct pc_space *space, uint32_t dir,
				uint32_t name)
{
	uint32_t fid = space->slot[dir][name];
	const struct pc_file *file = &space->file[fid];
	char path[PC_PATH];
	struct stat st;

	pc_path(path, top, dir, name);
	if (lstat(path, &st))
		return fid ? "a file is missing" : NULL;
	if (!fid)
		return "a file that is not to be there";
	if (S_ISLNK(st.st_mode) != (file->type == PC_SYMLINK))
		return "type";
	if (st.st_nlink != file->links)
		return "number of links";
	if ((st.st_mode & 07777) != file->mode)
		return "permissions";
	if (file->type == PC_SYMLINK)
		return compare_symlink(path, fid, file->param);
	return compare_ident(path, file, fid);
}

static unsigned int entries_of(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int count = 0;
	struct dirent *entry;

	if (!dir)
		return 0;
	errno = 0;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    strcmp(entry->d_name, "lost+found"))
			count++;
	if (errno)
		wrong("%s: readdir: %s", path, strerror(errno));
	closedir(dir);
	return count;
}

/* NULL if the filesystem's names are those of @space. */
static const char *compare_space(const struct pc_space *space, char *where)
{
	unsigned int dirs = 0, names;
	const char *what;
	struct stat st;
	uint32_t d, n;

	for (d = 0; d < PC_DIRS; d++) {
		pc_path_dir(where, top, d);
		if (!lstat(where, &st) != space->dir[d])
			return "a directory";
		if (!space->dir[d])
			continue;
		dirs++;
		for (n = 0, names = 0; n < PC_NAMES; n++) {
			what = compare_slot(space, d, n);
			names += !!space->slot[d][n];
			if (what) {
				pc_path(where, top, d, n);
				return what;
			}
		}
		if (entries_of(where) != names)
			return "number of names in a directory";
	}
	snprintf(where, PC_PATH, "%s", top);
	return entries_of(top) == dirs ? NULL : "number of directories";
}

/* Find the operation after which names are as found; U32_MAX if there is none. */
static uint32_t find_moment(struct pc_space *space)
{
	char where[PC_PATH], first_where[PC_PATH] = "";
	const char *what, *first = NULL;
	uint32_t moment, begin;

	space_advance(space, 0, acked);
	begin = space->acked;
	memset(space, 0, sizeof(*space));
	space_advance(space, 0, begin);
	for (moment = begin; moment <= begun; moment++) {
		if (moment > begin)
			space_advance(space, moment - 1, moment);
		what = compare_space(space, where);
		if (!what)
			return moment;
		if (!first) {
			first = what;
			memcpy(first_where, where, sizeof(where));
		}
	}
	wrong("names fit no moment from operation %u to %u; after %u: %s: %s",
	      begin, begun, begin, first_where, first);
	return UINT32_MAX;
}

/* May record @index of @fid be what operation @seq wrote? */
static bool written_by(uint32_t fid, uint64_t index, uint32_t seq)
{
	const struct pc_op *op;

	if (!seq || seq > begun)
		return false;
	op = &ops.op[seq - 1];
	return op->kind == PC_WRITE && op->fid == fid && index >= op->a &&
	       index < (uint64_t)op->a + op->b;
}

static void check_record(const char *path, const struct pc_plain *plain,
			 uint32_t fid, uint64_t index,
			 const struct pc_record *record)
{
	static const struct pc_record zero;
	const char *what;

	if (!memcmp(record, &zero, sizeof(zero))) {
		if (!plain->zero_ok[index])
			wrong("%s: record %llu was lost: zeros", path,
			      (unsigned long long)index);
		return;
	}
	what = pc_record_verify(record, fid, index);
	if (what)
		wrong("%s: record %llu %s", path, (unsigned long long)index,
		      what);
	else if (record->seq != plain->synced[index] &&
		 !(record->seq > plain->synced_seq &&
		   written_by(fid, index, record->seq)))
		wrong("%s: record %llu is of operation %u; synced was %u by operation %u",
		      path, (unsigned long long)index, record->seq,
		      plain->synced[index], plain->synced_seq);
}

static void check_plain(const char *path, uint32_t fid)
{
	static struct pc_plain plain;
	static struct pc_record data[PC_SIZE_MAX / PC_RECORD + 1];
	ssize_t got, used = 0;
	uint64_t i, size;
	uint32_t n;
	int fd;

	memset(&plain, 0, sizeof(plain));
	for (n = 0; n < begun; n++) {
		const struct pc_op *op = &ops.op[n];

		if (op->fid == fid)
			pc_plain_apply(&plain, op);
		if (is_sync(op) && op->seq <= acked &&
		    (op->fid == fid || op->kind == PC_SYNCFS))
			pc_plain_ack(&plain, op->seq);
	}
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		wrong("%s: cannot open: %s", path, strerror(errno));
		return;
	}
	while ((got = read(fd, (char *)data + used, sizeof(data) - used)) > 0)
		used += got;
	if (got < 0)
		wrong("%s: cannot read: %s", path, strerror(errno));
	close(fd);
	size = used / PC_RECORD;
	if (used % PC_RECORD || size < plain.size_min || size > plain.size_max)
		wrong("%s: %zd bytes, not %llu to %llu records", path, used,
		      (unsigned long long)plain.size_min,
		      (unsigned long long)plain.size_max);
	for (i = 0; i < size && i < plain.size_max; i++)
		check_record(path, &plain, fid, i, &data[i]);
}

/* A vector file as it is found. */
struct found {
	uint32_t rows;
	uint32_t live;
	uint64_t next_id;
	uint64_t live_id[PC_ROWS_MAX];
	bool dead[PC_ROWS_MAX];	/* filled in by matching ids */
	char *matrix;
};

static bool read_matrix(const char *path, int fd, struct found *found,
			size_t row)
{
	size_t bytes = found->rows * row, done = 0;
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_size != bytes) {
		wrong("%s: %llu bytes, not %u rows of %zu", path,
		      (unsigned long long)st.st_size, found->rows, row);
		return false;
	}
	found->matrix = realloc(found->matrix, bytes + 1);
	if (!found->matrix)
		pc_die("out of memory");
	while (done < bytes) {
		ssize_t n = pread(fd, found->matrix + done, bytes - done, done);

		if (n <= 0) {
			wrong("%s: cannot read: %s", path, strerror(errno));
			return false;
		}
		done += n;
	}
	return true;
}

/* The live rows as GET_VECTORS lists them must be right for their ids. */
static bool scan_rows(const char *path, int fd, struct found *found,
		      const struct pc_rows *rows, uint32_t fid)
{
	size_t row = pc_row_bytes(rows->dim, rows->element);
	struct vexfs_get_vectors get = {
		.size = sizeof(get), .flags = VEXFS_GET_SCAN, .count = 500,
		.vectors_bytes = 500 * row,
	};
	char *data = malloc(500 * row), *right = malloc(row);
	uint64_t ids[500], i;

	if (!data || !right)
		pc_die("out of memory");
	get.ids = (uintptr_t)ids;
	get.vectors = (uintptr_t)data;
	found->live = 0;
	do {
		if (ioctl(fd, VEXFS_IOC_GET_VECTORS, &get)) {
			wrong("%s: GET_VECTORS: %s", path, strerror(errno));
			break;
		}
		for (i = 0; i < get.returned; i++) {
			pc_row_fill(right, fid, ids[i], rows->dim,
				    rows->element);
			if (memcmp(right, data + i * row, row))
				wrong("%s: the row of id %llu is not its own",
				      path, (unsigned long long)ids[i]);
			if (found->live == PC_ROWS_MAX) {
				wrong("%s: too many rows", path);
				get.returned = 0;
				break;
			}
			found->live_id[found->live++] = ids[i];
		}
	} while (get.returned);
	free(data);
	free(right);
	return found->live <= found->rows;
}

/* NULL if the file found is what @rows says, or part of it that may be. */
static const char *compare_rows(const struct pc_rows *rows,
				struct found *found, uint32_t fid)
{
	size_t row = pc_row_bytes(rows->dim, rows->element);
	static char right[65535 * 4];
	uint32_t i, live;

	if (found->rows > rows->rows || found->rows < rows->synced_rows)
		return "number of rows";
	i = found->rows;
	if (i && i < rows->rows && rows->seq[i] == rows->seq[i - 1] &&
	    ops.op[rows->seq[i] - 1].kind != PC_APPEND)
		return "part of a batch";
	/* from the end, as of rows with the same id the last one lives */
	for (i = found->rows, live = found->live; i-- > 0;) {
		pc_row_fill(right, fid, rows->id[i], rows->dim, rows->element);
		if (memcmp(right, found->matrix + i * row, row))
			return "the matrix";
		found->dead[i] = !live ||
				 found->live_id[live - 1] != rows->id[i];
		live -= !found->dead[i];
	}
	if (live)
		return "ids";
	return NULL;
}

/* Is any row of operation @seq in the file? Its place, or U32_MAX. */
static uint32_t row_of_operation(const struct pc_rows *rows, uint32_t seq)
{
	uint32_t i;

	for (i = 0; i < rows->rows; i++)
		if (rows->seq[i] == seq)
			return i;
	return UINT32_MAX;
}

/* Can the file be without this row, and as large as it was found? */
static bool may_be_dead(const struct pc_rows *rows, uint32_t row)
{
	uint32_t seq = rows->dead[row];

	return seq && (ops.op[seq - 1].kind == PC_DELETE ||
		       row_of_operation(rows, seq) == UINT32_MAX);
}

/* Tell @rows, as of operation @n, of all deletions that can have begun since. */
static void learn_deletions(struct pc_rows *rows, uint32_t n, uint32_t count,
			    uint32_t fid)
{
	static struct pc_rows later;
	uint32_t i;

	later = *rows;
	for (; n < begun; n++) {
		if (ops.op[n].fid != fid)
			continue;
		pc_rows_apply(&later, &ops.op[n]);
		if (ops.op[n].kind != PC_DELETE && ops.op[n].kind != PC_CUT_ROWS)
			continue;
		for (i = 0; i < count && i < later.rows; i++)
			if (later.id[i] == rows->id[i] && !rows->dead[i] &&
			    may_be_dead(&later, i))
				rows->dead[i] = later.dead[i];
	}
}

/* Rows that were replaced by operation @n are gone if and only if the new are there. */
static void check_replaced(const char *path, const struct pc_rows *rows,
			   const struct found *found, uint32_t n)
{
	uint32_t i, seq, at;

	for (i = 0; i < found->rows; i++) {
		seq = rows->dead[i];
		if (!seq || seq > n || ops.op[seq - 1].kind != PC_REPLACE)
			continue;
		at = row_of_operation(rows, seq);
		if (found->dead[i] != (at < found->rows || at == UINT32_MAX))
			wrong("%s: row %u (id %llu), replaced by operation %u: %s",
			      path, i, (unsigned long long)rows->id[i], seq,
			      found->dead[i] ? "neither is there" :
					       "both are there");
	}
}

static void check_dead(const char *path, const struct pc_rows *rows,
		       const struct found *found)
{
	uint32_t i, j;

	for (i = 0; i < found->rows; i++) {
		if (found->dead[i] && !rows->dead[i])
			wrong("%s: row %u (id %llu) was not deleted, but is gone",
			      path, i, (unsigned long long)rows->id[i]);
		if (!found->dead[i] && rows->dead[i] &&
		    rows->dead[i] <= rows->synced_seq)
			wrong("%s: row %u (id %llu) was deleted and is back",
			      path, i, (unsigned long long)rows->id[i]);
		for (j = 0; rows->dead[i] && j < i; j++)
			if (rows->dead[j] == rows->dead[i] &&
			    found->dead[j] != found->dead[i]) {
				wrong("%s: deletion %u of rows %u and %u is half done",
				      path, rows->dead[i], j, i);
				break;
			}
	}
}

/* The attributes of live rows as they are found. */
struct found_attributes {
	uint64_t record[1 + PC_COLUMNS];
	char word[PC_WORD_MAX];
};

static bool read_attributes(const char *path, int fd, const struct found *found,
			    struct found_attributes *into)
{
	uint32_t i;

	for (i = 0; i < found->live; i++) {
		struct vexfs_attributes get = {
			.size = sizeof(get), .count = 1,
			.ids = (uintptr_t)&found->live_id[i],
			.attributes = (uintptr_t)into[i].record,
			.attributes_bytes = sizeof(into[i].record),
			.strings = (uintptr_t)into[i].word,
			.strings_bytes = sizeof(into[i].word),
		};

		if (ioctl(fd, VEXFS_IOC_GET_ATTRIBUTES, &get)) {
			wrong("%s: GET_ATTRIBUTES: %s", path, strerror(errno));
			return false;
		}
	}
	return true;
}

/* Are these the attributes of row @i of @rows? */
static bool same_attributes(const struct pc_rows *rows, uint32_t i, uint32_t fid,
			    const struct found_attributes *found)
{
	const uint32_t set[PC_COLUMNS] = { rows->set[0][i], rows->set[1][i] };
	struct pc_attributes right;
	size_t length;

	pc_attributes_make(&right, fid, rows->id[i], set);
	right.has_n &= rows->inserted[i] || set[0];
	right.has_word &= rows->inserted[i] || set[1];
	length = right.has_word ? strlen(right.word) : 0;
	return found->record[0] == (uint64_t)right.has_n +
				   2 * (uint64_t)right.has_word &&
	       (int64_t)found->record[1] == (right.has_n ? right.n : 0) &&
	       found->record[2] >> 32 == length &&
	       !memcmp(found->word + (uint32_t)found->record[2], right.word,
		       length);
}

/* The first live row whose attributes are not its own, or found->rows. */
static uint32_t compare_attributes(const struct pc_rows *rows,
				   const struct found *found,
				   const struct found_attributes *attributes,
				   uint32_t fid)
{
	uint32_t i, live = 0;

	for (i = 0; i < found->rows; i++)
		if (!found->dead[i] &&
		    !same_attributes(rows, i, fid, &attributes[live++]))
			break;
	return i;
}

/*
 * Rows have the attributes that they had after some one operation; @rows is as
 * of operation @n.
 */
static void check_attributes(const char *path, int fd, struct pc_rows *rows,
			     uint32_t n, const struct found *found, uint32_t fid)
{
	static struct found_attributes attributes[PC_ROWS_MAX];
	static struct pc_rows later;
	uint32_t bad, i, j;

	if (!read_attributes(path, fd, found, attributes))
		return;
	later = *rows;
	bad = compare_attributes(rows, found, attributes, fid);
	for (; bad < found->rows && n < begun; n++) {
		if (ops.op[n].fid != fid)
			continue;
		pc_rows_apply(&later, &ops.op[n]);
		if (ops.op[n].kind != PC_SET)
			continue;
		for (i = 0; i < found->rows && i < later.rows; i++)
			for (j = 0; j < PC_COLUMNS; j++)
				if (later.id[i] == rows->id[i])
					rows->set[j][i] = later.set[j][i];
		bad = compare_attributes(rows, found, attributes, fid);
	}
	if (bad < found->rows)
		wrong("%s: the attributes of id %llu fit no moment", path,
		      (unsigned long long)rows->id[bad]);
}

/* Answers of every kind of search are right. */
static void check_search(const char *path, int fd, const struct pc_rows *rows,
			 const struct found *found, uint32_t fid)
{
	static bool live[PC_ROWS_MAX];
	struct pc_search search = { .k = 10 };
	const char *what;
	uint32_t i;

	if (!found->live)
		return;
	for (i = 0; i < found->rows; i++)
		live[i] = !found->dead[i];
	/* exactly, then by each index, whether there is one or not */
	for (i = 0; i < 5; i++) {
		search.flags = i ? 0 : VEXFS_SEARCH_EXACT;
		search.index = i ? i - 1 : 0;
		search.near = i % 2 ? fid + i : found->live_id[found->live / 2];
		what = pc_search_check(fd, fid, rows, live, &search);
		if (what)
			wrong("%s: search by index %u, flags %u: %s", path,
			      search.index, search.flags, what);
	}
}

/* The same when the background has done its work. */
static void check_settled(const char *path, int fd, const struct pc_rows *rows,
			  const struct found *found, uint32_t fid)
{
	const char *what;

	if (found->rows < 1000)
		return;
	what = pc_settle(fd, 60);
	if (what)
		wrong("%s: %s", path, what);
	check_search(path, fd, rows, found, fid);
}

/*
 * What the cut left of a compaction is gone on with, or a new one is done: the
 * same ids must be there in the same order, each with its row.
 */
static void check_compaction(const char *path, struct pc_rows *rows,
			     struct found *found, uint32_t fid)
{
	struct vexfs_compact compact = { .size = sizeof(compact) };
	static uint64_t before[PC_ROWS_MAX];
	uint32_t live = found->live;
	int fd = open(path, O_RDWR);
	char text[PATH_MAX];

	memcpy(before, found->live_id, live * sizeof(before[0]));
	if (fd < 0 || ioctl(fd, VEXFS_IOC_COMPACT, &compact)) {
		wrong("%s: COMPACT: %s", path, strerror(errno));
	} else if (!scan_rows(path, fd, found, rows, fid) ||
		   found->live != live ||
		   memcmp(before, found->live_id, live * sizeof(before[0]))) {
		wrong("%s: other rows after COMPACT", path);
	} else {
		snprintf(text, sizeof(text), "%s, compacted", path);
		check_attributes(text, fd, rows, begun, found, fid);
		check_search(text, fd, rows, found, fid);
	}
	if (fd >= 0)
		close(fd);
}

static void match_rows(const char *path, int fd, uint32_t fid, uint32_t param)
{
	static struct pc_rows rows;
	static struct found found;
	const char *what = NULL, *last = NULL;
	struct vexfs_schema schema = { .size = sizeof(schema) };
	uint32_t n, synced = 0;

	pc_rows_init(&rows, param);
	if (ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema)) {
		wrong("%s: GET_SCHEMA: %s", path, strerror(errno));
		return;
	}
	if (schema.dim != rows.dim || schema.element != rows.element ||
	    schema.ids != rows.ids || schema.rows > PC_ROWS_MAX) {
		wrong("%s: another schema", path);
		return;
	}
	found.rows = schema.rows;
	if (!read_matrix(path, fd, &found, schema.row_bytes) ||
	    !scan_rows(path, fd, &found, &rows, fid)) {
		wrong("%s: cannot be judged", path);
		return;
	}
	for (n = 0; n < acked; n++)
		if (ops.op[n].kind == PC_SYNCFS ||
		    (ops.op[n].kind == PC_FSYNC && ops.op[n].fid == fid))
			synced = n + 1;
	for (n = 0; n <= begun; n++) {
		const struct pc_op *op = n ? &ops.op[n - 1] : NULL;
		bool mine = op && op->fid == fid;

		if (mine)
			pc_rows_apply(&rows, op);
		if (op && op->seq <= synced && is_sync(op) &&
		    (mine || op->kind == PC_SYNCFS))
			pc_rows_ack(&rows, op->seq);
		if (n < synced || (n > synced && !mine))
			continue;
		what = compare_rows(&rows, &found, fid);
		if (!what)
			break;
		last = what;
	}
	if (what) {
		wrong("%s: %u rows fit no moment from operation %u to %u: %s",
		      path, found.rows, synced, begun, last);
		return;
	}
	check_attributes(path, fd, &rows, n, &found, fid);
	learn_deletions(&rows, n, found.rows, fid);
	check_dead(path, &rows, &found);
	check_replaced(path, &rows, &found, n);
	rows.rows = found.rows;
	check_search(path, fd, &rows, &found, fid);
	if (settle)
		check_settled(path, fd, &rows, &found, fid);
	if (rows.ids == VEXFS_IDS_AUTO && found.live &&
	    schema.next_id <= found.live_id[found.live - 1])
		wrong("%s: next id %llu is in use", path,
		      (unsigned long long)schema.next_id);
	if (!wrongs)
		check_compaction(path, &rows, &found, fid);
}

static void check_vector(const char *path, uint32_t fid,
			 const struct pc_file *file)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0) {
		wrong("%s: cannot open: %s", path, strerror(errno));
		return;
	}
	/* the cut may have come between its creation and its schema */
	if (!file->ident && ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema)) {
		if (fstat(fd, &st) || st.st_size)
			wrong("%s: data in a file without a schema", path);
	} else {
		match_rows(path, fd, fid, file->param);
	}
	close(fd);
}

static void check_files(const struct pc_space *space)
{
	char path[PC_PATH];
	uint32_t fid;

	for (fid = 1; fid <= space->files; fid++) {
		if (!space->file[fid].links ||
		    !pc_path_of(path, top, space, fid))
			continue;
		if (space->file[fid].type == PC_PLAIN)
			check_plain(path, fid);
		else if (space->file[fid].type == PC_VECTOR)
			check_vector(path, fid, &space->file[fid]);
	}
}

int main(int argc, char **argv)
{
	static struct pc_space space;
	uint32_t moment;

	settle = argc == 6 && !strcmp(argv[5], "settle");
	if (argc != 5 && !settle)
		pc_die("usage: powercut_check DIRECTORY LIST ACKNOWLEDGED BEGUN [settle]\nsettle: wait for background work, too\nACKNOWLEDGED, BEGUN: numbers of operations; BEGUN 0 stands for all of the list");
	top = argv[1];
	ops = pc_ops_read(argv[2]);
	acked = strtoul(argv[3], NULL, 0);
	begun = strtoul(argv[4], NULL, 0);
	if (!begun)
		begun = ops.count;
	if (acked > begun || begun > ops.count)
		pc_die("%u, %u: not operations of %s", acked, begun, argv[2]);
	moment = find_moment(&space);
	if (moment != UINT32_MAX)
		check_files(&space);
	if (wrongs)
		printf("%u things are wrong (acknowledged %u, begun %u)\n",
		       wrongs, acked, begun);
	return wrongs ? 1 : 0;
}
