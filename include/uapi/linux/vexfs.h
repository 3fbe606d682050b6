/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl interface of VexFS: schemas of vector files, and the operations
 * on their rows. docs/abi.md explains each call with its errors.
 *
 * Rules that hold for every structure here:
 *  - its first member is its own size; a caller built against an older or a
 *    newer header works (missing members are zero, unknown ones must be zero
 *    or the call fails with E2BIG);
 *  - reserved members and unknown flags must be zero (EINVAL);
 *  - the layout is the same for 32-bit and 64-bit callers;
 *  - pointers are carried in 64-bit members.
 */
#ifndef _UAPI_LINUX_VEXFS_H
#define _UAPI_LINUX_VEXFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Limits. */
#define VEXFS_DIM_MIN		1U
#define VEXFS_DIM_MAX		65535U		/* elements in a row */
#define VEXFS_K_MIN		1U
#define VEXFS_K_MAX		65536U		/* results a query */
#define VEXFS_QUERIES_MAX	65536U		/* queries in a call */
#define VEXFS_BATCH_MAX		(1U << 24)	/* rows or ids in a call */
#define VEXFS_BATCH_BYTES_MAX	(1ULL << 30)	/* bytes of rows in a call */
#define VEXFS_ID_MAX		0xfffffffffffffffeULL
#define VEXFS_COLUMNS_MAX	16U		/* attribute columns of a file */
#define VEXFS_COLUMN_NAME_MAX	31U		/* bytes of a column's name */
#define VEXFS_STRING_MAX	255U		/* bytes of a string attribute */
#define VEXFS_ATTRIBUTES_MAX	(1U << 20)	/* rows in a call about attributes */
#define VEXFS_FILTER_BYTES_MAX	65536U		/* of a filter program */
#define VEXFS_FILTER_OPS_MAX	1024U		/* operations in it */
#define VEXFS_FILTER_DEPTH_MAX	32U		/* operands that wait in it */
#define VEXFS_FILTER_IDS_MAX	(1U << 20)	/* ids that a search is limited to */

/**
 * enum vexfs_element - the type of one element of a row, little-endian
 * @VEXFS_ELEMENT_F32: IEEE-754 binary32
 * @VEXFS_ELEMENT_F16: IEEE-754 binary16
 * @VEXFS_ELEMENT_I8: two's complement 8-bit integer
 * @VEXFS_ELEMENT_U8: unsigned 8-bit integer
 */
enum vexfs_element {
	VEXFS_ELEMENT_F32 = 1,
	VEXFS_ELEMENT_F16 = 2,
	VEXFS_ELEMENT_I8 = 3,
	VEXFS_ELEMENT_U8 = 4,
};

/**
 * enum vexfs_metric - a distance; smaller is nearer, always
 * @VEXFS_METRIC_L2: squared Euclidean distance
 * @VEXFS_METRIC_IP: negated inner product
 * @VEXFS_METRIC_COSINE: 1 - cosine of the angle; 1 if a vector is zero
 * @VEXFS_METRIC_L1: sum of absolute differences
 */
enum vexfs_metric {
	VEXFS_METRIC_L2 = 1,
	VEXFS_METRIC_IP = 2,
	VEXFS_METRIC_COSINE = 3,
	VEXFS_METRIC_L1 = 4,
};

/**
 * enum vexfs_ids - where the ids of the rows come from
 * @VEXFS_IDS_AUTO: the filesystem counts up from 0; an id is never re-used
 * @VEXFS_IDS_OWN: the caller names each row's id when it inserts
 */
enum vexfs_ids {
	VEXFS_IDS_AUTO = 1,
	VEXFS_IDS_OWN = 2,
};

/**
 * enum vexfs_column_type - the type of an attribute column
 * @VEXFS_COLUMN_I64: signed 64-bit integer
 * @VEXFS_COLUMN_F64: IEEE-754 binary64, not a NaN; minus zero becomes zero
 * @VEXFS_COLUMN_BOOL: 0 or 1
 * @VEXFS_COLUMN_STRING: up to VEXFS_STRING_MAX bytes of any value
 */
enum vexfs_column_type {
	VEXFS_COLUMN_I64 = 1,
	VEXFS_COLUMN_F64 = 2,
	VEXFS_COLUMN_BOOL = 3,
	VEXFS_COLUMN_STRING = 4,
};

/**
 * struct vexfs_column - an attribute column of a vector file
 * @name: a letter or underscore, then letters, digits and underscores (ASCII);
 *       at most VEXFS_COLUMN_NAME_MAX bytes, the rest 0. Not one of the words
 *       of filters' text: and, or, not, in, is, null, true, false (in any case)
 * @type: enum vexfs_column_type
 * @reserved: 0
 */
struct vexfs_column {
	__u8 name[32];
	__u32 type;
	__u32 reserved;
};

/**
 * struct vexfs_schema - what the rows of a vector file are
 * @size: sizeof(struct vexfs_schema)
 * @dim: elements in a row, VEXFS_DIM_MIN..VEXFS_DIM_MAX
 * @element: enum vexfs_element
 * @metric: enum vexfs_metric, the default of searches
 * @ids: enum vexfs_ids
 * @reserved0: 0
 * @flags: 0
 * @row_bytes: bytes in a row (out; 0 or the right value on the way in)
 * @rows: rows inserted and not compacted away, deleted ones too (out)
 * @live_rows: rows that searches see (out)
 * @next_id: the next automatic id (out)
 * @generation: counts the changes that renumber rows (out)
 * @columns: pointer to struct vexfs_column, or 0. GET_SCHEMA writes all columns
 *       there if it is not 0
 * @column_count: columns at @columns, 0..VEXFS_COLUMNS_MAX. GET_SCHEMA: room
 *       for so many (ERANGE if there are more), then how many there are
 * @reserved1: 0
 * @reserved: 0
 *
 * VEXFS_IOC_SET_SCHEMA makes an empty regular file a vector file, or sets
 * what new files of a directory inherit. All "out" members are ignored by
 * it. Setting the schema that a file already has succeeds at any time.
 */
struct vexfs_schema {
	__u32 size;
	__u32 dim;
	__u8 element;
	__u8 metric;
	__u8 ids;
	__u8 reserved0;
	__u32 flags;
	__aligned_u64 row_bytes;
	__aligned_u64 rows;
	__aligned_u64 live_rows;
	__aligned_u64 next_id;
	__aligned_u64 generation;
	__aligned_u64 columns;
	__u32 column_count;
	__u32 reserved1;
	__aligned_u64 reserved[3];
};

/*
 * Attributes of rows pass in records of 8 * (1 + columns) bytes: a __u64 whose
 * bit c says that column c has a value (a column without one is null; bits
 * beyond the columns are 0), then a __u64 for each column: an i64 in two's
 * complement, the bit pattern of an f64, 0 or 1 for a bool, and for a string
 * where its bytes are in the area of strings that goes with the records. The
 * value of a null column is 0.
 */
#define VEXFS_ATTRIBUTE_BYTES(columns)	(8ULL * (1 + (columns)))
/* A string: its offset in the area (32 bits), and its bytes. */
#define VEXFS_STRING_REF(offset, bytes)	((__u64)(bytes) << 32 | (__u32)(offset))

/*
 * vexfs_batch_insert.flags: a row whose id is in use takes the place of the row
 * that has it. For VEXFS_IDS_OWN.
 */
#define VEXFS_INSERT_REPLACE		(1U << 0)

/**
 * struct vexfs_batch_insert - append rows, all of them or none
 * @size: sizeof(struct vexfs_batch_insert)
 * @flags: VEXFS_INSERT_REPLACE or 0
 * @vectors: pointer to @count rows, row-major, of the file's element type
 * @vectors_bytes: bytes at @vectors: exactly @count times the row's bytes
 * @ids: pointer to @count __u64 ids for VEXFS_IDS_OWN (each at most
 *       VEXFS_ID_MAX), 0 for VEXFS_IDS_AUTO
 * @count: rows, 1..VEXFS_BATCH_MAX; at most VEXFS_BATCH_BYTES_MAX bytes
 * @first_id: the id of the first row; the others follow (out, automatic ids)
 * @bad_index: on EINVAL for a NaN, an infinity, an id beyond VEXFS_ID_MAX or an
 *       attribute that its column cannot hold, and on EEXIST, the index in the
 *       batch of the first row to blame (out); otherwise U64_MAX
 * @attributes: pointer to @count records (VEXFS_ATTRIBUTE_BYTES()); 0: all null
 * @attributes_bytes: bytes at @attributes: exactly @count times a record's, or 0
 * @strings: pointer to the area of strings, or 0 if no record has a string
 * @strings_bytes: bytes at @strings, at most VEXFS_BATCH_BYTES_MAX
 * @replaced: rows that took the place of others, with VEXFS_INSERT_REPLACE (out)
 * @reserved: 0
 *
 * A batch that replaces more scattered rows than one transaction of the journal
 * can hold may be durable in part after a crash: its first rows (docs/abi.md).
 */
struct vexfs_batch_insert {
	__u32 size;
	__u32 flags;
	__aligned_u64 vectors;
	__aligned_u64 vectors_bytes;
	__aligned_u64 ids;
	__aligned_u64 count;
	__aligned_u64 first_id;
	__aligned_u64 bad_index;
	__aligned_u64 attributes;
	__aligned_u64 attributes_bytes;
	__aligned_u64 strings;
	__aligned_u64 strings_bytes;
	__aligned_u64 replaced;
	__aligned_u64 reserved[2];
};

/* vexfs_batch_delete.flags: ids that name no row are passed over. */
#define VEXFS_DELETE_IGNORE_MISSING	(1U << 0)

/**
 * struct vexfs_batch_delete - delete rows by id, all of them or none
 * @size: sizeof(struct vexfs_batch_delete)
 * @flags: VEXFS_DELETE_IGNORE_MISSING or 0
 * @ids: pointer to @count __u64 ids
 * @count: ids, 1..VEXFS_BATCH_MAX
 * @deleted: rows deleted (out)
 * @bad_index: on ENOENT the index in the batch of the first id that names no
 *       row (out); otherwise U64_MAX
 * @reserved: 0
 *
 * A delete of more scattered rows than one transaction of the journal can hold
 * may be durable in part after a crash (docs/abi.md).
 */
struct vexfs_batch_delete {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids;
	__aligned_u64 count;
	__aligned_u64 deleted;
	__aligned_u64 bad_index;
	__aligned_u64 reserved[3];
};

/* vexfs_get_vectors.flags: walk the live rows instead of looking ids up. */
#define VEXFS_GET_SCAN			(1U << 0)

/**
 * struct vexfs_get_vectors - read rows by id, or all rows in turn
 * @size: sizeof(struct vexfs_get_vectors)
 * @flags: VEXFS_GET_SCAN or 0
 * @ids: pointer to @count __u64 ids: read from without VEXFS_GET_SCAN,
 *       written to with it
 * @count: ids, 1..VEXFS_BATCH_MAX; with VEXFS_GET_SCAN the most rows wanted
 * @vectors: pointer to room for @count rows, row-major; 0 for ids alone
 *       (checks that they exist, or lists them)
 * @vectors_bytes: bytes at @vectors: exactly @count times the row's bytes,
 *       or 0
 * @cursor: with VEXFS_GET_SCAN where to go on; 0 to begin (in and out)
 * @generation: with VEXFS_GET_SCAN the generation that @cursor belongs to
 *       (in and out; ignored when @cursor is 0); ESTALE if it has changed
 * @returned: rows given; with VEXFS_GET_SCAN 0 means that the end was
 *       reached (out)
 * @bad_index: on ENOENT the index of the first id that names no row (out);
 *       otherwise U64_MAX
 * @reserved: 0
 */
struct vexfs_get_vectors {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids;
	__aligned_u64 count;
	__aligned_u64 vectors;
	__aligned_u64 vectors_bytes;
	__aligned_u64 cursor;
	__aligned_u64 generation;
	__aligned_u64 returned;
	__aligned_u64 bad_index;
	__aligned_u64 reserved[3];
};

/**
 * struct vexfs_attributes - set or get attributes of rows by id
 * @size: sizeof(struct vexfs_attributes)
 * @flags: 0
 * @ids: pointer to @count __u64 ids
 * @count: ids, 1..VEXFS_ATTRIBUTES_MAX
 * @columns: SET_ATTRIBUTES: bit c: column c of the rows becomes what the
 *       records say, the other columns stay; not 0. GET_ATTRIBUTES: 0
 * @reserved0: 0
 * @attributes: pointer to @count records (VEXFS_ATTRIBUTE_BYTES()): read from by
 *       SET_ATTRIBUTES, written to by GET_ATTRIBUTES
 * @attributes_bytes: bytes at @attributes: exactly @count times a record's
 * @strings: pointer to the area of strings: read from by SET_ATTRIBUTES, room
 *       for GET_ATTRIBUTES; may be 0 if no record has a string
 * @strings_bytes: bytes at @strings, at most VEXFS_BATCH_BYTES_MAX
 * @returned: GET_ATTRIBUTES: records given: fewer than @count when there is no
 *       room for the next one's strings (out)
 * @bad_index: on ENOENT the index of the first id that names no row, on EINVAL
 *       of the first record with an attribute that its column cannot hold
 *       (out); otherwise U64_MAX
 * @reserved: 0
 *
 * SET_ATTRIBUTES changes all of the rows or none, but for changes that are too
 * many for one transaction of the journal, which may be durable in part after
 * a crash (docs/abi.md).
 */
struct vexfs_attributes {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids;
	__aligned_u64 count;
	__u32 columns;
	__u32 reserved0;
	__aligned_u64 attributes;
	__aligned_u64 attributes_bytes;
	__aligned_u64 strings;
	__aligned_u64 strings_bytes;
	__aligned_u64 returned;
	__aligned_u64 bad_index;
	__aligned_u64 reserved[3];
};

/**
 * enum vexfs_filter_code - what an operation of a filter does
 * @VEXFS_FILTER_EQ: push: column = value
 * @VEXFS_FILTER_NE: push: column != value
 * @VEXFS_FILTER_LT: push: column < value (not for strings, as the next three)
 * @VEXFS_FILTER_LE: push: column <= value
 * @VEXFS_FILTER_GT: push: column > value
 * @VEXFS_FILTER_GE: push: column >= value
 * @VEXFS_FILTER_IN: push: column is one of a list of values
 * @VEXFS_FILTER_NULL: push: column is null
 * @VEXFS_FILTER_AND: pop two, push: both hold
 * @VEXFS_FILTER_OR: pop two, push: one of them holds
 * @VEXFS_FILTER_NOT: pop one, push: it does not hold
 */
enum vexfs_filter_code {
	VEXFS_FILTER_EQ = 1,
	VEXFS_FILTER_NE = 2,
	VEXFS_FILTER_LT = 3,
	VEXFS_FILTER_LE = 4,
	VEXFS_FILTER_GT = 5,
	VEXFS_FILTER_GE = 6,
	VEXFS_FILTER_IN = 7,
	VEXFS_FILTER_NULL = 8,
	VEXFS_FILTER_AND = 9,
	VEXFS_FILTER_OR = 10,
	VEXFS_FILTER_NOT = 11,
};

/**
 * struct vexfs_filter_op - an operation of a filter
 * @code: enum vexfs_filter_code
 * @column: the column of a comparison, else 0
 * @reserved: 0
 * @count: VEXFS_FILTER_IN: values in the list, at least 1; else 0
 * @value: of a comparison as attributes carry values, a string's place being
 *       counted from the program's beginning; VEXFS_FILTER_IN: where in the
 *       program the list begins, a multiple of 8; else 0
 */
struct vexfs_filter_op {
	__u8 code;
	__u8 column;
	__u16 reserved;
	__u32 count;
	__aligned_u64 value;
};

/**
 * struct vexfs_filter_program - which rows a search may find
 * @op_count: operations, 1..VEXFS_FILTER_OPS_MAX
 * @reserved: 0
 * @ops: the operations, in postfix order; one operand is left at their end. What
 *       they refer to lies after them: lists of __u64 values, bytes of strings
 *
 * A comparison with a column that is null is unknown, as in SQL: so is NOT of
 * it, AND of it and what holds, OR of it and what does not. A row is found only
 * if the whole holds. Little-endian.
 */
struct vexfs_filter_program {
	__u32 op_count;
	__u32 reserved;
	struct vexfs_filter_op ops[];
};

/**
 * struct vexfs_result - one row found
 * @id: the row's id
 * @distance: its distance as the bit pattern of an IEEE-754 binary64
 */
struct vexfs_result {
	__aligned_u64 id;
	__aligned_u64 distance;
};

/**
 * enum vexfs_index_type - the way to find rows that a search takes
 * @VEXFS_INDEX_AUTO: what the filesystem thinks best
 * @VEXFS_INDEX_SCAN: all rows in turn, by their codes where they have some
 * @VEXFS_INDEX_HNSW: a graph
 * @VEXFS_INDEX_IVF: lists of rows around centroids
 */
enum vexfs_index_type {
	VEXFS_INDEX_AUTO = 0,
	VEXFS_INDEX_SCAN = 1,
	VEXFS_INDEX_HNSW = 2,
	VEXFS_INDEX_IVF = 3,
};

/* vexfs_knn_search.flags: the answer equals that of brute force, provably. */
#define VEXFS_SEARCH_EXACT		(1U << 0)

/* vexfs_knn_search.target_recall: 1, and what 0 stands for. */
#define VEXFS_RECALL_ONE		10000U
#define VEXFS_RECALL_DEFAULT		9900U

/**
 * struct vexfs_knn_search - the k nearest rows of each query
 * @size: sizeof(struct vexfs_knn_search)
 * @flags: VEXFS_SEARCH_EXACT or 0
 * @queries: pointer to @query_count rows, row-major
 * @queries_bytes: bytes at @queries: exactly @query_count times the file's
 *       dimension times the bytes of @query_element
 * @query_count: 1..VEXFS_QUERIES_MAX
 * @k: results a query, VEXFS_K_MIN..VEXFS_K_MAX
 * @metric: enum vexfs_metric, or 0 for the file's own
 * @query_element: enum vexfs_element of the queries: the file's own type or
 *       VEXFS_ELEMENT_F32; 0 for the file's own
 * @results: pointer to @query_count times @k struct vexfs_result; a query's
 *       results are nearest first, ties by id; unused ones are left alone
 * @results_bytes: bytes at @results: exactly @query_count * @k * 16
 * @counts: pointer to @query_count __u32, results found for each query; may
 *       be 0
 * @first_row: first row number to look at
 * @row_count: row numbers to look at from there on; 0 for all the rest.
 *       Callers split one search over threads with these two
 * @index: enum vexfs_index_type; an index that the file does not have is ENOENT.
 *       With VEXFS_SEARCH_EXACT VEXFS_INDEX_AUTO or VEXFS_INDEX_SCAN
 * @effort: how much is looked at, 0 for as much as @target_recall takes. For
 *       VEXFS_INDEX_SCAN rows that are looked at exactly for each query
 *       (at least @k are); for VEXFS_INDEX_HNSW candidates kept
 *       during the walk, for VEXFS_INDEX_IVF lists looked into. 0 with
 *       VEXFS_SEARCH_EXACT
 * @target_recall: the share of the true nearest rows that is aimed at, in
 *       1/10,000, at most VEXFS_RECALL_ONE, which is the same as
 *       VEXFS_SEARCH_EXACT; 0 for VEXFS_RECALL_DEFAULT, or if @effort is set
 *       or with VEXFS_SEARCH_EXACT
 * @reserved0: 0
 * @filter: pointer to a struct vexfs_filter_program, or 0: only rows that pass
 *       it are found
 * @filter_bytes: its bytes, or 0
 * @filter_ids: pointer to ids in ascending order, each once, or 0: only these
 *       rows are found; ids that name no row are passed over
 * @filter_ids_count: how many, or 0
 * @rows_scanned: rows looked at, be it by their codes, once for all queries
 *       that shared a pass (out)
 * @exact_decisions: comparisons that took wide arithmetic (out)
 * @codes_compared: codes of rows compared with queries (out)
 * @exact_distances: distances of rows from queries computed from the rows
 *       themselves (out)
 * @pages_missed: times that the search found a page absent from memory (out)
 * @generation: generation of the rows that were searched (out)
 * @index_used: the enum vexfs_index_type that it was; VEXFS_INDEX_SCAN if an
 *       index was of no use for some of the queries, so that rows were scanned (out)
 * @reserved1: 0
 * @reserved: 0
 */
struct vexfs_knn_search {
	__u32 size;
	__u32 flags;
	__aligned_u64 queries;
	__aligned_u64 queries_bytes;
	__u32 query_count;
	__u32 k;
	__u32 metric;
	__u32 query_element;
	__aligned_u64 results;
	__aligned_u64 results_bytes;
	__aligned_u64 counts;
	__aligned_u64 first_row;
	__aligned_u64 row_count;
	__u32 index;
	__u32 effort;
	__u32 target_recall;
	__u32 reserved0;
	__aligned_u64 filter;
	__aligned_u64 filter_bytes;
	__aligned_u64 filter_ids;
	__aligned_u64 filter_ids_count;
	__aligned_u64 rows_scanned;
	__aligned_u64 exact_decisions;
	__aligned_u64 codes_compared;
	__aligned_u64 exact_distances;
	__aligned_u64 pages_missed;
	__aligned_u64 generation;
	__u32 index_used;
	__u32 reserved1;
	__aligned_u64 reserved[4];
};

/**
 * struct vexfs_range_search - every row within a radius of a query
 * @size: sizeof(struct vexfs_range_search)
 * @flags: 0
 * @query: pointer to one row
 * @query_bytes: bytes at @query: exactly the file's dimension times the bytes
 *       of @query_element
 * @metric: enum vexfs_metric, or 0 for the file's own
 * @query_element: as in struct vexfs_knn_search
 * @radius: the greatest distance wanted, inclusive, as the bit pattern of an
 *       IEEE-754 binary64 (squared for VEXFS_METRIC_L2); not a NaN
 * @results: pointer to @capacity struct vexfs_result, filled in the order
 *       of the rows, not sorted by distance
 * @capacity: results wanted in this call, 1..VEXFS_BATCH_MAX
 * @count: results given (out)
 * @cursor: where to go on; 0 to begin (in and out). U64_MAX on the way out
 *       when there is nothing more
 * @generation: the generation that @cursor belongs to (in and out; ignored
 *       when @cursor is 0); ESTALE if it has changed meanwhile
 * @filter: pointer to a struct vexfs_filter_program, or 0: only rows that pass
 *       it are found
 * @filter_bytes: its bytes, or 0
 * @filter_ids: pointer to ids in ascending order, each once, or 0: only these
 *       rows are found; ids that name no row are passed over
 * @filter_ids_count: how many, or 0
 * @rows_scanned: rows looked at, be it by their codes (out)
 * @exact_decisions: comparisons that took wide arithmetic (out)
 * @codes_compared: as in struct vexfs_knn_search (out)
 * @exact_distances: as in struct vexfs_knn_search (out)
 * @pages_missed: as in struct vexfs_knn_search (out)
 * @reserved: 0
 *
 * The answer is exact: codes only serve to pass over rows that are surely
 * too far away.
 */
struct vexfs_range_search {
	__u32 size;
	__u32 flags;
	__aligned_u64 query;
	__aligned_u64 query_bytes;
	__u32 metric;
	__u32 query_element;
	__aligned_u64 radius;
	__aligned_u64 results;
	__aligned_u64 capacity;
	__aligned_u64 count;
	__aligned_u64 cursor;
	__aligned_u64 generation;
	__aligned_u64 filter;
	__aligned_u64 filter_bytes;
	__aligned_u64 filter_ids;
	__aligned_u64 filter_ids_count;
	__aligned_u64 rows_scanned;
	__aligned_u64 exact_decisions;
	__aligned_u64 codes_compared;
	__aligned_u64 exact_distances;
	__aligned_u64 pages_missed;
	__aligned_u64 reserved[4];
};

/**
 * struct vexfs_search_stats - what happened to a file since it came into
 *	memory, all of it out
 * @size: sizeof(struct vexfs_search_stats)
 * @flags: 0
 * @knn_queries: queries of KNN_SEARCH answered
 * @range_queries: calls of RANGE_SEARCH answered
 * @rows_scanned: rows looked at by searches
 * @exact_decisions: comparisons that took wide arithmetic
 * @search_ns: nanoseconds spent in searches
 * @rows_inserted: rows added by BATCH_INSERT
 * @insert_batches: calls of BATCH_INSERT that succeeded
 * @rows_deleted: rows deleted or replaced
 * @interrupted: searches ended by a signal
 * @restarted: searches that began again because rows were renumbered or
 *	replaced
 * @codes_compared: codes of rows compared with queries
 * @exact_distances: distances computed from the rows themselves
 * @pages_missed: times that a search found a page absent from memory
 * @reserved: 0
 */
struct vexfs_search_stats {
	__u32 size;
	__u32 flags;
	__aligned_u64 knn_queries;
	__aligned_u64 range_queries;
	__aligned_u64 rows_scanned;
	__aligned_u64 exact_decisions;
	__aligned_u64 search_ns;
	__aligned_u64 rows_inserted;
	__aligned_u64 insert_batches;
	__aligned_u64 rows_deleted;
	__aligned_u64 interrupted;
	__aligned_u64 restarted;
	__aligned_u64 codes_compared;
	__aligned_u64 exact_distances;
	__aligned_u64 pages_missed;
	__aligned_u64 reserved[4];
};

/* Limits of an index. */
#define VEXFS_EFFORT_MIN	16U	/* candidates when a graph is built */
#define VEXFS_EFFORT_DEFAULT	200U
#define VEXFS_EFFORT_MAX	2000U
#define VEXFS_LISTS_MAX		32768U
#define VEXFS_BUILD_THREADS_MAX	64U

/**
 * struct vexfs_build_index - build an index in the background
 * @size: sizeof(struct vexfs_build_index)
 * @flags: 0
 * @type: VEXFS_INDEX_HNSW or VEXFS_INDEX_IVF
 * @effort: VEXFS_INDEX_HNSW: candidates that are looked at for a node's links,
 *	VEXFS_EFFORT_MIN..VEXFS_EFFORT_MAX; 0: VEXFS_EFFORT_DEFAULT. Otherwise 0
 * @lists: VEXFS_INDEX_IVF: lists, 1..VEXFS_LISTS_MAX; 0: as the rows suggest.
 *	Otherwise 0
 * @threads: VEXFS_INDEX_HNSW: threads that build, 1..VEXFS_BUILD_THREADS_MAX;
 *	0: as many as suit the machine, up to 4. Otherwise 0
 * @reserved: 0
 *
 * The call returns when the build has been begun. It is over when INDEX_STATUS
 * shows no @building any more. The index that the file has serves until the
 * new one takes its place.
 */
struct vexfs_build_index {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 effort;
	__u32 lists;
	__u32 threads;
	__aligned_u64 reserved[4];
};

/**
 * struct vexfs_drop_index - cancel a build and remove the index
 * @size: sizeof(struct vexfs_drop_index)
 * @flags: VEXFS_DROP_BUILD or 0
 * @reserved: 0
 */
struct vexfs_drop_index {
	__u32 size;
	__u32 flags;
	__aligned_u64 reserved[2];
};

/* vexfs_drop_index.flags: cancel a build only, leave the index that is whole. */
#define VEXFS_DROP_BUILD		(1U << 0)

/**
 * enum vexfs_index_state - what becomes of searches by the index
 * @VEXFS_INDEX_NONE: there is no index
 * @VEXFS_INDEX_READY: it answers; rows that it does not cover are scanned
 * @VEXFS_INDEX_DAMAGED: it does not answer any more, rows are scanned: build it
 *	anew
 */
enum vexfs_index_state {
	VEXFS_INDEX_NONE = 0,
	VEXFS_INDEX_READY = 1,
	VEXFS_INDEX_DAMAGED = 2,
};

/**
 * struct vexfs_index_status - what index a file has, and how a build goes; all
 *	of it out
 * @size: sizeof(struct vexfs_index_status)
 * @flags: 0
 * @type: enum vexfs_index_type of the index; 0 if there is none
 * @state: enum vexfs_index_state
 * @building: enum vexfs_index_type of what is being built; 0 if nothing is
 * @progress: of the build, in 1/10,000
 * @error: the error number that ended the last build, ECANCELED after a drop; 0
 *	if it succeeded or is still under way
 * @effort: as it was built
 * @lists: as it was built
 * @effort_targets: the effort that searches take for a target recall of .90,
 *	.95 and .99, as measured when it was built
 * @sketch_bits: bits of an element in the sketches; 0 if there are none
 * @reserved0: 0
 * @rows: rows of the file, deleted ones too
 * @rows_covered: of these, rows that are in the index
 * @rows_encoded: of these, rows that have a sketch
 * @bytes: bytes of the index, on disk and, once read, in the page cache
 * @sketch_bytes: bytes of the sketches, likewise
 * @build_ns: nanoseconds that building took
 * @reserved: 0
 */
struct vexfs_index_status {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 state;
	__u32 building;
	__u32 progress;
	__u32 error;
	__u32 effort;
	__u32 lists;
	__u32 effort_targets[3];
	__u32 sketch_bits;
	__u32 reserved0;
	__aligned_u64 rows;
	__aligned_u64 rows_covered;
	__aligned_u64 rows_encoded;
	__aligned_u64 bytes;
	__aligned_u64 sketch_bytes;
	__aligned_u64 build_ns;
	__aligned_u64 reserved[4];
};

/**
 * struct vexfs_compact - give the space of deleted rows back
 * @size: sizeof(struct vexfs_compact)
 * @flags: VEXFS_COMPACT_STATUS or 0
 * @rows: rows of the file, deleted ones too, when it was last looked (out)
 * @rows_done: of these, rows that have been looked at: what is live of them is
 *	copied (out)
 * @rows_kept: live rows that the file has now (out)
 * @rows_reclaimed: rows that are there no more (out)
 * @bytes_freed: by so much the file is shorter (out)
 * @generation: of the rows now (out)
 * @running: a compaction is running (out, VEXFS_COMPACT_STATUS)
 * @reserved0: 0
 * @reserved: 0
 */
struct vexfs_compact {
	__u32 size;
	__u32 flags;
	__aligned_u64 rows;
	__aligned_u64 rows_done;
	__aligned_u64 rows_kept;
	__aligned_u64 rows_reclaimed;
	__aligned_u64 bytes_freed;
	__aligned_u64 generation;
	__u32 running;
	__u32 reserved0;
	__aligned_u64 reserved[2];
};

/* vexfs_compact.flags: only say how far one is that is running. */
#define VEXFS_COMPACT_STATUS		(1U << 0)

#define VEXFS_IOC_MAGIC		0xe7
#define VEXFS_IOC_SET_SCHEMA	_IOW(VEXFS_IOC_MAGIC, 1, struct vexfs_schema)
#define VEXFS_IOC_GET_SCHEMA	_IOWR(VEXFS_IOC_MAGIC, 2, struct vexfs_schema)
#define VEXFS_IOC_BATCH_INSERT	_IOWR(VEXFS_IOC_MAGIC, 3, struct vexfs_batch_insert)
#define VEXFS_IOC_BATCH_DELETE	_IOWR(VEXFS_IOC_MAGIC, 4, struct vexfs_batch_delete)
#define VEXFS_IOC_GET_VECTORS	_IOWR(VEXFS_IOC_MAGIC, 5, struct vexfs_get_vectors)
#define VEXFS_IOC_KNN_SEARCH	_IOWR(VEXFS_IOC_MAGIC, 6, struct vexfs_knn_search)
#define VEXFS_IOC_RANGE_SEARCH	_IOWR(VEXFS_IOC_MAGIC, 7, struct vexfs_range_search)
#define VEXFS_IOC_SEARCH_STATS	_IOWR(VEXFS_IOC_MAGIC, 8, struct vexfs_search_stats)
#define VEXFS_IOC_BUILD_INDEX	_IOW(VEXFS_IOC_MAGIC, 9, struct vexfs_build_index)
#define VEXFS_IOC_DROP_INDEX	_IOW(VEXFS_IOC_MAGIC, 10, struct vexfs_drop_index)
#define VEXFS_IOC_INDEX_STATUS	_IOWR(VEXFS_IOC_MAGIC, 11, struct vexfs_index_status)
#define VEXFS_IOC_SET_ATTRIBUTES	_IOWR(VEXFS_IOC_MAGIC, 12, struct vexfs_attributes)
#define VEXFS_IOC_GET_ATTRIBUTES	_IOWR(VEXFS_IOC_MAGIC, 13, struct vexfs_attributes)
#define VEXFS_IOC_COMPACT	_IOWR(VEXFS_IOC_MAGIC, 14, struct vexfs_compact)

/*
 * The same calls through io_uring: IORING_OP_URING_CMD on the open file with
 * one of the numbers above as cmd_op and, at the start of the SQE's command
 * area, this.
 */
struct vexfs_uring_cmd {
	__aligned_u64 argument;		/* pointer to the structure */
	__aligned_u64 reserved;		/* 0 */
};

/* The extended attribute that shows and sets a schema as text. */
#define VEXFS_XATTR_SCHEMA	"vexfs.schema"

#endif /* _UAPI_LINUX_VEXFS_H */
