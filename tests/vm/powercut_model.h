/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of the power-cut test share: the list of operations that
 * powercut_load writes down before it does them, what files must hold after
 * each, and the contents of files, which say whose they are.
 *
 * A file has a number of its own (fid) for life. An operation is known by its
 * place in the list (seq, from 1). Names and directories are numbered slots.
 */
#ifndef POWERCUT_MODEL_H
#define POWERCUT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PC_DIRS		6
#define PC_NAMES	40
#define PC_FILES_MAX	20000
#define PC_RECORD	64		/* bytes; files change in whole records */
#define PC_SIZE_MAX	(1U << 20)	/* bytes of an ordinary file */
#define PC_ROWS_MAX	20000
#define PC_FRESH	3		/* new rows of PC_REPLACE */
#define PC_PATH		320

enum pc_kind {
	PC_MKDIR = 1,	/* a: directory */
	PC_RMDIR,	/* a */
	PC_MVDIR,	/* a -> b */
	PC_CREATE,	/* fid at a/b; c: enum pc_type; d: length, or dim << 8 | element << 4 | ids */
	PC_IDENT,	/* fid gets the extended attribute user.fid */
	PC_CHMOD,	/* fid gets permissions c */
	PC_UNLINK,	/* fid at a/b */
	PC_RENAME,	/* fid from a/b to c/d, where another file may be */
	PC_EXCHANGE,	/* fid at a/b with what is at c/d */
	PC_LINK,	/* fid at a/b also at c/d */
	PC_WRITE,	/* fid: b records from record a on; c: enum pc_how */
	PC_TRUNCATE,	/* fid to a records */
	PC_FSYNC,	/* fid */
	PC_SYNCFS,
	PC_INSERT,	/* fid: BATCH_INSERT of a rows; b: their first id */
	PC_APPEND,	/* fid: write(2) of a rows; b: their first id */
	PC_DELETE,	/* fid: rows b, b + c, ...: a of them, if alive */
	PC_CUT_ROWS,	/* fid: truncate to a rows */
	PC_COMPACT,	/* fid: compaction, which leaves a rows */
	PC_SET,		/* fid: SET_ATTRIBUTES of rows as PC_DELETE's; d: columns */
	PC_BUILD,	/* fid: BUILD_INDEX of type a */
	PC_DROP,	/* fid: DROP_INDEX with flags a */
	PC_SETTLE,	/* fid: wait for its background work, then for a milliseconds */
	PC_SEARCH,	/* fid: search by index a with flags b for c rows near d */
	PC_REMOUNT,
	PC_REPLACE,	/* fid: what PC_DELETE names is replaced; new rows from id d on */
	PC_KINDS
};

enum pc_type { PC_PLAIN = 1, PC_SYMLINK, PC_VECTOR };
enum pc_how { PC_BUFFERED, PC_MMAP, PC_DIRECT };

struct pc_op {
	uint32_t seq;
	uint32_t kind;
	uint32_t fid;
	uint32_t a, b, c, d;
};

struct pc_ops {
	struct pc_op *op;	/* op[seq - 1] */
	uint32_t count;
};

/* A file as the namespace sees it. */
struct pc_file {
	uint32_t type;
	uint32_t links;
	uint32_t mode;
	uint32_t param;		/* PC_CREATE's d */
	uint32_t named_seq;	/* when its names last changed */
	bool ident;
	uint64_t size;		/* records or rows, by the list */
	uint64_t next_id;
};

/* Everything about names. */
struct pc_space {
	bool dir[PC_DIRS];
	uint32_t slot[PC_DIRS][PC_NAMES];	/* fid, or 0 */
	uint32_t acked;		/* names are durable up to this operation */
	uint32_t files;		/* fids in use are 1..files */
	struct pc_file file[PC_FILES_MAX];
};

/* The contents of an ordinary file, a record at a time. */
struct pc_plain {
	uint64_t size, size_min, size_max;	/* records, since the last sync */
	uint64_t size_ever;	/* the greatest of all */
	uint32_t synced_seq;
	uint32_t synced[PC_SIZE_MAX / PC_RECORD];	/* seq, or 0 for zeros */
	uint32_t current[PC_SIZE_MAX / PC_RECORD];
	bool zero_ok[PC_SIZE_MAX / PC_RECORD];
};

/* What the rows of BATCH_INSERT have in the columns n:i64 and word:string. */
#define PC_COLUMNS	2
#define PC_WORD_MAX	64
struct pc_attributes {
	bool has_n, has_word;
	int64_t n;
	char word[PC_WORD_MAX];
};

/* The contents of a vector file. */
struct pc_rows {
	uint32_t dim, element, ids;
	uint32_t rows;
	uint32_t synced_rows;	/* at least so many are durable */
	uint32_t synced_seq;
	uint64_t next_id;
	uint64_t id[PC_ROWS_MAX];
	uint32_t seq[PC_ROWS_MAX];	/* what brought the row */
	uint32_t dead[PC_ROWS_MAX];	/* what deleted it, or 0 */
	uint32_t set[PC_COLUMNS][PC_ROWS_MAX];	/* what set a column last, or 0 */
	bool inserted[PC_ROWS_MAX];	/* with attributes */
};

/* The self-describing record of an ordinary file. */
struct pc_record {
	uint32_t magic;
	uint32_t fid;
	uint64_t index;		/* its place in the file */
	uint32_t seq;
	uint32_t check;		/* of all of the above */
	uint8_t filler[PC_RECORD - 24];
};

/* Print a message and end with status 2. */
__attribute__((format(printf, 1, 2), noreturn)) void pc_die(const char *fmt, ...);

uint64_t pc_random(uint64_t *state);
uint64_t pc_hash(uint64_t a, uint64_t b, uint64_t c);

void pc_record_fill(struct pc_record *record, uint32_t fid, uint64_t index,
		    uint32_t seq);
/* NULL, or what is wrong with it. */
const char *pc_record_verify(const struct pc_record *record, uint32_t fid,
			     uint64_t index);
void pc_row_fill(void *row, uint32_t fid, uint64_t id, uint32_t dim,
		 uint32_t element);
size_t pc_row_bytes(uint32_t dim, uint32_t element);

/* What an insert (set 0) or PC_SET (its seq) gives the columns of a row. */
void pc_attributes_make(struct pc_attributes *attributes, uint32_t fid,
			uint64_t id, const uint32_t set[PC_COLUMNS]);
void pc_link_target(char *target, uint32_t fid, uint32_t length);

void pc_path_dir(char path[PC_PATH], const char *top, uint32_t dir);
void pc_path(char path[PC_PATH], const char *top, uint32_t dir, uint32_t name);
/* The first path of a file; false if it has none. */
bool pc_path_of(char path[PC_PATH], const char *top,
		const struct pc_space *space, uint32_t fid);

struct pc_ops pc_ops_read(const char *path);

void pc_space_apply(struct pc_space *space, const struct pc_op *op);
/* A sync operation has returned: what it makes durable. */
void pc_space_ack(struct pc_space *space, const struct pc_op *op);

void pc_plain_apply(struct pc_plain *plain, const struct pc_op *op);
void pc_plain_ack(struct pc_plain *plain, uint32_t seq);

void pc_rows_init(struct pc_rows *rows, uint32_t param);
void pc_rows_apply(struct pc_rows *rows, const struct pc_op *op);
void pc_rows_ack(struct pc_rows *rows, uint32_t seq);
/* The ids of the rows that PC_INSERT, PC_APPEND or PC_REPLACE brings. */
uint32_t pc_rows_batch(const struct pc_rows *rows, const struct pc_op *op,
		       uint64_t *ids);
/* Rows that PC_DELETE names and that are alive; their places go into @at. */
uint32_t pc_rows_select(const struct pc_rows *rows, const struct pc_op *op,
			uint32_t *at);

/* In powercut_index.c */

struct pc_search {
	uint32_t index;		/* enum vexfs_index_type */
	uint32_t flags;
	uint32_t k;
	uint64_t near;		/* the query is the row that an id stands for */
};

/*
 * Search a file whose rows @live are known, and compare with brute force.
 * NULL, or what is wrong.
 */
const char *pc_search_check(int fd, uint32_t fid, const struct pc_rows *rows,
			    const bool *live, const struct pc_search *search);
/* Wait until rows are encoded and an index built. NULL, or what is wrong. */
const char *pc_settle(int fd, unsigned int seconds);

#endif /* POWERCUT_MODEL_H */
