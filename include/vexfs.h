/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvexfs: vector files of a VexFS filesystem from C and C++.
 *
 * This header owns the library's public interface. The structures and limits
 * come from <linux/vexfs.h>, the ioctl ABI; what needs liburing is apart, in
 * <vexfs_uring.h>.
 *
 * Rules that hold for every function here:
 *  - it returns 0 or a count when it worked and a NEGATIVE error number when
 *    it did not; the caller's errno is left as it was;
 *  - it keeps no state: a file descriptor and the caller's memory are all
 *    there is, so any number of threads may call at once;
 *  - rows are row-major, without padding, of the file's element type,
 *    little-endian; ids are uint64_t; distances are binary64, smaller is
 *    nearer;
 *  - on any file that is not on VexFS the answer is -ENOTTY, on a file of
 *    VexFS that holds no vectors it is -ENODATA.
 *
 * docs/abi.md has the table of errors; vexfs_explain() makes sentences of them.
 */
#ifndef VEXFS_H
#define VEXFS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/vexfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header, as vexfs_version() returns the library's. */
#define VEXFS_VERSION_MAJOR	0
#define VEXFS_VERSION_MINOR	1
#define VEXFS_VERSION_PATCH	0

/* An index or an id that is not known: what *bad_index and the like hold then. */
#define VEXFS_UNKNOWN		UINT64_MAX

/* Room that any schema's text needs, its terminating zero included. */
#define VEXFS_SCHEMA_TEXT_MAX	64

/* Threads that vexfs_knn_parallel() uses at most. */
#define VEXFS_THREADS_MAX	1024U

/**
 * vexfs_version - the version of the library in use
 *
 * Return: "MAJOR.MINOR.PATCH", a constant.
 */
const char *vexfs_version(void);

/* Schemas */

/**
 * vexfs_schema_parse - read a schema from text
 * @text: settings parted by commas, such as "dim=768,type=f32,metric=cosine,
 *	ids=auto"; dim (1..65535) must be there, the others default to type=f32,
 *	metric=l2, ids=auto. Types are f32 f16 i8 u8, metrics l2 ip cosine l1,
 *	ids auto or own
 * @schema: filled in, ready for vexfs_schema_set()
 * @bad_at: the offset in @text of what could not be understood; may be NULL
 *
 * Return: 0, or -EINVAL.
 */
int vexfs_schema_parse(const char *text, struct vexfs_schema *schema, size_t *bad_at);

/**
 * vexfs_schema_format - write a schema as the text that vexfs_schema_parse() reads
 * @schema: the schema
 * @text: room for the text; VEXFS_SCHEMA_TEXT_MAX bytes are always enough
 * @room: bytes at @text
 *
 * Return: the length of the text, -EINVAL for a schema that holds no valid
 * values, -ERANGE when @room is too small.
 */
int vexfs_schema_format(const struct vexfs_schema *schema, char *text, size_t room);

/**
 * vexfs_element_bytes - bytes of one element
 * @element: enum vexfs_element
 *
 * Return: 1, 2 or 4; 0 if there is no such type.
 */
size_t vexfs_element_bytes(unsigned int element);

/**
 * vexfs_element_name - the name of an element type: "f32", "f16", "i8", "u8"
 * @element: enum vexfs_element
 *
 * Return: a constant, or NULL if there is no such type.
 */
const char *vexfs_element_name(unsigned int element);

/**
 * vexfs_element_parse - the element type of a name
 * @name: "f32", "f16", "i8" or "u8"
 *
 * Return: enum vexfs_element, or -EINVAL.
 */
int vexfs_element_parse(const char *name);

/**
 * vexfs_metric_name - the name of a metric: "l2", "ip", "cosine", "l1"
 * @metric: enum vexfs_metric
 *
 * Return: a constant, or NULL if there is no such metric.
 */
const char *vexfs_metric_name(unsigned int metric);

/**
 * vexfs_metric_parse - the metric of a name
 * @name: "l2", "ip", "cosine" or "l1"
 *
 * Return: enum vexfs_metric, or -EINVAL.
 */
int vexfs_metric_parse(const char *name);

/**
 * vexfs_index_name - the name of a way to find rows: "auto", "scan", "hnsw", "ivf"
 * @index: enum vexfs_index_type
 *
 * Return: a constant, or NULL if there is no such index.
 */
const char *vexfs_index_name(unsigned int index);

/**
 * vexfs_index_parse - the way to find rows that has a name
 * @name: "auto", "scan", "hnsw" or "ivf"
 *
 * Return: enum vexfs_index_type, or -EINVAL.
 */
int vexfs_index_parse(const char *name);

/**
 * vexfs_schema_set - make an empty file a vector file, or say what a directory's
 *	new files inherit
 * @fd: a regular file open for writing, or a directory
 * @schema: dim, element, metric and ids; all else may be zero and is ignored.
 *	@schema->size need not be set
 *
 * Setting the schema that the file has already succeeds.
 *
 * Return: 0, -EINVAL for a value out of range, -EBUSY when the file is not empty
 * (and has no schema or another one), -EBADF when @fd is a file not open for
 * writing, -EACCES or -EPERM when the caller may not, -EROFS, -ENOSPC, -EIO,
 * -ENOTTY.
 */
int vexfs_schema_set(int fd, const struct vexfs_schema *schema);

/**
 * vexfs_schema_get - what the rows of a file are, and how many there are
 * @fd: a vector file open for reading, or a directory with a schema to inherit
 * @schema: filled in
 *
 * Return: 0, -ENODATA when there is no schema, -EBADF, -ENOTTY.
 */
int vexfs_schema_get(int fd, struct vexfs_schema *schema);

/* Rows */

/**
 * vexfs_insert - append rows, all of them or none
 * @fd: a vector file open for writing
 * @vectors: @count rows
 * @vectors_bytes: bytes at @vectors: exactly @count times the bytes of a row
 * @count: rows, 1..VEXFS_BATCH_MAX, of at most VEXFS_BATCH_BYTES_MAX bytes. A
 *	batch is atomic, so a greater one is refused and not split;
 *	vexfs_insert_stream() splits
 * @ids: the rows' @count ids when the file has ids=own; NULL when it has ids=auto
 * @first_id: the id of the first row, the others follow (ids=auto); may be NULL
 * @bad_index: on -EINVAL and -EEXIST the index of the first row to blame, or
 *	VEXFS_UNKNOWN when no row is; may be NULL
 *
 * Return: 0; -EINVAL when a row holds a NaN or an infinity (*@bad_index) or an
 * argument does not fit the schema; -EEXIST when an id is taken or twice in the
 * batch (*@bad_index); -E2BIG beyond the limits; -EBUSY when bytes of an
 * unfinished row are at the file's end; -EBADF, -EFAULT, -EFBIG, -ENOMEM,
 * -ENOSPC, -EROFS, -EIO, -EINTR, -ENODATA, -ENOTTY. Nothing is inserted
 * unless 0 is returned.
 */
int vexfs_insert(int fd, const void *vectors, uint64_t vectors_bytes, uint64_t count,
		 const uint64_t *ids, uint64_t *first_id, uint64_t *bad_index);

/**
 * vexfs_upsert - append rows, and take the place of rows with the same ids
 * @fd: a vector file with ids=own, open for writing
 * @vectors: as of vexfs_insert()
 * @vectors_bytes: as of vexfs_insert()
 * @count: as of vexfs_insert()
 * @ids: the rows' @count ids, each once
 * @replaced: rows that took the place of others; may be NULL
 * @bad_index: as of vexfs_insert(); may be NULL
 *
 * Whoever searches or gets rows sees the old row of an id or the new one.
 * Rows that replaced others are durable with the next fsync(2), as all are; a
 * crash leaves the old row or the new one.
 *
 * Return: as of vexfs_insert(); -EEXIST when an id is twice in the batch, -EPERM
 * when the file is append-only.
 */
int vexfs_upsert(int fd, const void *vectors, uint64_t vectors_bytes, uint64_t count,
		 const uint64_t *ids, uint64_t *replaced, uint64_t *bad_index);

/**
 * typedef vexfs_row_reader - brings the next rows of a vexfs_insert_stream()
 * @arg: as in struct vexfs_insert_stream
 * @vectors: room for @most rows
 * @ids: room for @most ids, or NULL when the file has ids=auto
 * @most: rows wanted at most
 *
 * When it is called again, the rows that it brought before are inserted.
 *
 * Return: rows brought, 0 when there are no more, or a negative error number,
 * which ends the stream.
 */
typedef int64_t (*vexfs_row_reader)(void *arg, void *vectors, uint64_t *ids, uint64_t most);

/**
 * typedef vexfs_attribute_reader - brings the attributes of a batch's rows
 * @arg: as in struct vexfs_insert_stream
 * @batch: the rows that the reader brought last, as they will be inserted;
 *	attributes, attributes_bytes, strings and strings_bytes are to be filled in
 *
 * Return: 0 or a negative error number, which ends the stream.
 */
typedef int (*vexfs_attribute_reader)(void *arg, struct vexfs_batch_insert *batch);

/**
 * struct vexfs_insert_stream - a load of any size, inserted batch by batch
 * @reader: brings the rows
 * @arg: handed to @reader and @attributes
 * @attributes: brings the rows' attributes; may be NULL
 * @batch_rows: rows a batch; 0 for batches of about 4 MiB
 * @flags: VEXFS_INSERT_REPLACE or 0
 * @reserved0: 0
 * @inserted: rows inserted so far (out)
 * @batches: batches inserted so far (out)
 * @first_id: id of the first row of all (out, ids=auto)
 * @last_id: id of the last row inserted (out, ids=auto)
 * @bad_row: the row to blame, counted from the first that @reader brought,
 *	VEXFS_UNKNOWN when no row is (out)
 * @replaced: rows inserted so far that took the place of others (out)
 * @reserved: 0
 */
struct vexfs_insert_stream {
	vexfs_row_reader reader;
	void *arg;
	vexfs_attribute_reader attributes;
	uint64_t batch_rows;
	uint32_t flags;
	uint32_t reserved0;
	uint64_t inserted;
	uint64_t batches;
	uint64_t first_id;
	uint64_t last_id;
	uint64_t bad_row;
	uint64_t replaced;
	uint64_t reserved[2];
};

/**
 * vexfs_insert_stream - append as many rows as a reader brings
 * @fd: a vector file open for reading and writing
 * @stream: where rows come from, and how it went
 *
 * Each batch is atomic, the whole is NOT: when it fails, @stream->inserted rows
 * are in the file and stay there. Rows of other writers may come between two
 * batches, so ids need not be consecutive across them.
 *
 * Return: 0, what @stream->reader returned, -ENOMEM, or an error of
 * vexfs_insert().
 */
int vexfs_insert_stream(int fd, struct vexfs_insert_stream *stream);

/**
 * vexfs_delete - delete rows by id, all of them or none
 * @fd: a vector file open for writing
 * @ids: @count ids
 * @count: 1..VEXFS_BATCH_MAX
 * @flags: VEXFS_DELETE_IGNORE_MISSING to pass over ids that name no row, or 0
 * @deleted: rows deleted; may be NULL
 * @bad_index: on -ENOENT the index of the first id that names no row; may be NULL
 *
 * Return: 0, -ENOENT, -EINVAL, -E2BIG, -EBADF, -EFAULT, -ENOMEM, -ENOSPC, -EROFS,
 * -EIO, -ENODATA, -ENOTTY. Nothing is deleted unless 0 is returned.
 */
int vexfs_delete(int fd, const uint64_t *ids, uint64_t count, uint32_t flags,
		 uint64_t *deleted, uint64_t *bad_index);

/**
 * vexfs_compact - give the space of deleted rows back
 * @fd: a vector file open for writing
 * @compact: filled in; rows_kept, rows_reclaimed and bytes_freed say how it went
 *
 * Searches, inserts and deletes go on meanwhile. Ids and attributes stay; rows are
 * renumbered, so cursors of vexfs_range_each() and vexfs_scan() end with -ESTALE.
 * A call that a signal (-EINTR) or a crash ended can be repeated and goes on where
 * it was. After every other error the file is as it was before.
 *
 * Return: 0 (also when no row was deleted), -EBUSY while another compaction runs or
 * when the file ends in part of a row, -ENOSPC when there is no room for a copy of
 * the live rows, -ESTALE when the file was truncated meanwhile, -EINTR, -EPERM,
 * -EBADF, -ENOMEM, -EROFS, -EIO, -EUCLEAN, -ENODATA, -ENOTTY.
 */
int vexfs_compact(int fd, struct vexfs_compact *compact);

/**
 * vexfs_compact_status - how far a compaction is
 * @fd: a vector file open for writing
 * @compact: filled in; running says whether one is, rows_done of rows how far
 *
 * Return: 0, -EBADF, -ENODATA, -ENOTTY.
 */
int vexfs_compact_status(int fd, struct vexfs_compact *compact);

/**
 * vexfs_get - read rows by id
 * @fd: a vector file open for reading
 * @ids: @count ids
 * @count: 1..VEXFS_BATCH_MAX
 * @vectors: room for @count rows; NULL only checks that the rows exist
 * @vectors_bytes: bytes at @vectors: exactly @count times the bytes of a row; 0
 *	when @vectors is NULL
 * @bad_index: on -ENOENT the index of the first id that names no row; may be NULL
 *
 * Return: 0, -ENOENT, -EINVAL, -E2BIG, -EBADF, -EFAULT, -EIO, -EBADMSG, -EUCLEAN,
 * -EINTR, -ENODATA, -ENOTTY.
 */
int vexfs_get(int fd, const uint64_t *ids, uint64_t count, void *vectors,
	      uint64_t vectors_bytes, uint64_t *bad_index);

/**
 * struct vexfs_scan - where a walk over a file's rows is; all zero to begin
 * @cursor: private
 * @generation: private
 */
struct vexfs_scan {
	uint64_t cursor;
	uint64_t generation;
};

/**
 * vexfs_scan - the next live rows of a walk over all of them
 * @fd: a vector file open for reading
 * @scan: the walk, moved on by the rows given
 * @ids: room for @most ids
 * @vectors: room for @most rows; NULL for ids alone
 * @vectors_bytes: bytes at @vectors: exactly @most times the bytes of a row; 0
 *	when @vectors is NULL
 * @most: rows wanted at most, 1..VEXFS_BATCH_MAX
 *
 * Rows come in the order of the matrix. Rows deleted during the walk are given
 * or not, rows inserted during it are given at its end.
 *
 * Return: rows given, 0 at the end, -ESTALE when rows were renumbered since the
 * walk began (begin again), or an error of vexfs_get().
 */
int64_t vexfs_scan(int fd, struct vexfs_scan *scan, uint64_t *ids, void *vectors,
		   uint64_t vectors_bytes, uint64_t most);

/* Attributes and filters */

/**
 * vexfs_column_type_name - the name of a type of column: "i64", "f64", "bool", "string"
 * @type: enum vexfs_column_type
 *
 * Return: a constant, or NULL if there is no such type.
 */
const char *vexfs_column_type_name(unsigned int type);

/**
 * vexfs_columns_parse - read columns from text
 * @text: name:type, parted by commas or semicolons, such as "price:f64,lang:string"
 * @columns: room for VEXFS_COLUMNS_MAX, ready for struct vexfs_schema's columns
 * @bad_at: the offset in @text of what could not be understood; may be NULL
 *
 * Return: columns, or -EINVAL.
 */
int vexfs_columns_parse(const char *text, struct vexfs_column *columns, size_t *bad_at);

/**
 * vexfs_columns_get - the attribute columns of a file
 * @fd: a vector file open for reading, or a directory with a schema to inherit
 * @columns: room for VEXFS_COLUMNS_MAX
 *
 * Return: columns, or an error of vexfs_schema_get().
 */
int vexfs_columns_get(int fd, struct vexfs_column *columns);

/**
 * vexfs_insert_batch - append rows with their attributes
 * @fd: a vector file open for writing
 * @batch: what is to be inserted; its out members are filled in. @batch->size need
 *	not be set
 *
 * Return: as vexfs_insert(); -EINVAL also for an attribute that its column cannot
 * hold (bad_index).
 */
int vexfs_insert_batch(int fd, struct vexfs_batch_insert *batch);

/**
 * vexfs_attributes_set - give rows other attributes
 * @fd: a vector file open for writing
 * @attributes: which rows, which columns, and what they get; bad_index is filled
 *	in. @attributes->size need not be set
 *
 * Return: 0; -ENOENT when an id names no row (bad_index); -EINVAL when a column
 * cannot hold a value (bad_index), or for a value out of range; -E2BIG beyond
 * VEXFS_ATTRIBUTES_MAX rows; -EBADF, -EFAULT, -ENOMEM, -ENOSPC, -EPERM, -EROFS,
 * -EIO, -EINTR, -ENODATA, -ENOTTY. Nothing is changed unless 0 is returned, but for
 * errors of the device.
 */
int vexfs_attributes_set(int fd, struct vexfs_attributes *attributes);

/**
 * vexfs_attributes_get - read the attributes of rows
 * @fd: a vector file open for reading
 * @attributes: which rows, and room for what they have; returned and bad_index are
 *	filled in. @attributes->size need not be set
 *
 * Gives fewer rows than wanted (returned) when there is no room for the strings of
 * the next one.
 *
 * Return: 0; -ERANGE when there is no room for the strings of the first row;
 * -ENOENT when an id names no row (bad_index); -EINVAL, -E2BIG, -EBADF, -EFAULT,
 * -ENOMEM, -EIO, -EBADMSG, -EUCLEAN, -EINTR, -ESTALE, -ENODATA, -ENOTTY.
 */
int vexfs_attributes_get(int fd, struct vexfs_attributes *attributes);

/**
 * struct vexfs_filter_error - what is wrong with the text of a filter
 * @at: where, from its beginning
 * @text: what, for people
 */
struct vexfs_filter_error {
	size_t at;
	char text[96];
};

/**
 * vexfs_filter_parse - make a filter from text
 * @text: comparisons of columns with values by = == != <> < <= > >=, "in (...)",
 *	"not in (...)", "is null", "is not null"; the name of a bool column alone; put
 *	together with "and", "or", "not" and parentheses. Strings are in single or
 *	double quotes, a backslash before a quote or a backslash; a bool is true or
 *	false. As in SQL, a comparison with a null is neither true nor false
 * @columns: the file's, from vexfs_columns_get()
 * @count: how many
 * @program: set to the program, for the filter of a search; to be freed with free()
 * @bytes: its bytes, for filter_bytes
 * @error: what is wrong; may be NULL
 *
 * Return: 0, -EINVAL, -E2BIG for more than a filter can hold, -ENOMEM.
 */
int vexfs_filter_parse(const char *text, const struct vexfs_column *columns,
		       unsigned int count, void **program, size_t *bytes,
		       struct vexfs_filter_error *error);

/* Searches */

/**
 * vexfs_knn_init - fill in a search for the nearest rows
 * @search: filled in; set afterwards what is wanted otherwise:
 *	@search->metric; ->first_row, ->row_count; ->flags to VEXFS_SEARCH_EXACT for
 *	the answer of brute force, provably, or ->target_recall (in 1/10,000) or
 *	->effort for another balance of speed and recall than 0.99; ->index
 * @schema: the file's, from vexfs_schema_get()
 * @element: enum vexfs_element of the queries: the file's or VEXFS_ELEMENT_F32;
 *	0 for the file's
 * @queries: @query_count rows of @schema->dim elements
 * @query_count: 1..VEXFS_QUERIES_MAX
 * @k: results wanted for each query, VEXFS_K_MIN..VEXFS_K_MAX
 * @results: room for @query_count * @k results: those of query q begin at
 *	@results[q * k], nearest first, ties by id
 * @counts: room for @query_count numbers of results found; may be NULL
 *
 * The memory is the caller's and must stay until the search is over.
 */
void vexfs_knn_init(struct vexfs_knn_search *search, const struct vexfs_schema *schema,
		    unsigned int element, const void *queries, uint32_t query_count, uint32_t k,
		    struct vexfs_result *results, uint32_t *counts);

/**
 * vexfs_knn - find the k nearest rows of each query
 * @fd: a vector file open for reading
 * @search: what is wanted; its out members are filled in. @search->size need not
 *	be set
 *
 * Return: 0, -ENOENT when the file does not have the index asked for, -EINVAL for a value out of range or that does not fit the schema or
 * a NaN or an infinity in a query, -EBADF, -EFAULT, -ENOMEM, -EINTR, -ESTALE when
 * rows were renumbered again and again meanwhile (try again), -EIO, -EBADMSG,
 * -EUCLEAN, -ENODATA, -ENOTTY.
 */
int vexfs_knn(int fd, struct vexfs_knn_search *search);

/**
 * vexfs_knn_parallel - vexfs_knn() by several threads; the same answer if exact
 * @fd: a vector file open for reading
 * @search: as for vexfs_knn(). Rows inserted after the call are not looked at.
 *	Its counters are the sums over the threads, and @search->effort is of each
 * @threads: threads wanted, 1..VEXFS_THREADS_MAX; 0 for one a CPU that the caller
 *	may use. A file of few rows takes fewer
 *
 * Splits the range of rows evenly, searches the parts at once, and merges their
 * results by distance as returned, then id: rows of different parts whose exact
 * distances round to the same binary64 are in the order of their ids. Needs
 * query_count * k * 16 bytes of memory a thread. Where an index may answer, it
 * splits the queries instead: a single one is then searched for by one thread.
 *
 * Return: 0 or an error of vexfs_knn(); the results are then undefined.
 */
int vexfs_knn_parallel(int fd, struct vexfs_knn_search *search, unsigned int threads);

/**
 * vexfs_range_init - fill in a search for all rows within a radius
 * @search: filled in except for results and capacity, which vexfs_range_each()
 *	and vexfs_range_all() see to; set @search->metric afterwards if need be
 * @schema: the file's, from vexfs_schema_get()
 * @element: as for vexfs_knn_init()
 * @query: one row of @schema->dim elements
 * @radius: the greatest distance wanted, inclusive; squared for l2
 */
void vexfs_range_init(struct vexfs_range_search *search, const struct vexfs_schema *schema,
		      unsigned int element, const void *query, double radius);

/**
 * vexfs_range - one step of a search for all rows within a radius
 * @fd: a vector file open for reading
 * @search: results and capacity say where to put them; count says how many there
 *	are, in the order of the rows. There is more while cursor is not U64_MAX:
 *	call again with @search as it is
 *
 * Return: 0, -ESTALE when rows were renumbered since the first step (begin again
 * with cursor 0), or an error of vexfs_knn().
 */
int vexfs_range(int fd, struct vexfs_range_search *search);

/**
 * typedef vexfs_result_taker - takes results of vexfs_range_each()
 * @arg: the caller's
 * @results: results in the order of the rows
 * @count: how many, at least 1
 *
 * Return: 0 to go on; anything else ends the search and is what it returns.
 */
typedef int (*vexfs_result_taker)(void *arg, const struct vexfs_result *results, uint64_t count);

/**
 * vexfs_range_each - hand every row within a radius to a function
 * @fd: a vector file open for reading
 * @search: from vexfs_range_init(); its counters are summed
 * @taker: called with some results at a time
 * @arg: handed to @taker
 *
 * Needs 64 KiB of memory however many results there are.
 *
 * Return: 0, what @taker returned, -ENOMEM, or an error of vexfs_range(); -ESTALE
 * means that the results handed out do not belong to one state of the file.
 */
int vexfs_range_each(int fd, struct vexfs_range_search *search, vexfs_result_taker taker,
		     void *arg);

/**
 * vexfs_range_all - collect every row within a radius
 * @fd: a vector file open for reading
 * @search: from vexfs_range_init()
 * @max: results wanted at most (the first in the order of the rows); 0 for all
 * @results: set to an array that the caller frees with free(), sorted by distance,
 *	then id; may be NULL when there are none
 * @count: results in it
 *
 * Begins again by itself when rows were renumbered meanwhile.
 *
 * Return: 0, -ENOMEM, or an error of vexfs_range().
 */
int vexfs_range_all(int fd, struct vexfs_range_search *search, uint64_t max,
		    struct vexfs_result **results, uint64_t *count);

/**
 * vexfs_stats - what happened to a file since it came into memory
 * @fd: a vector file open for reading
 * @stats: filled in
 *
 * Return: 0, -ENODATA, -EBADF, -ENOTTY.
 */
int vexfs_stats(int fd, struct vexfs_search_stats *stats);

/* Indexes */

/**
 * vexfs_index_build - begin to build an index, which the kernel does in the
 *	background
 * @fd: a vector file open for writing
 * @build: type, and what is not to be chosen by the kernel; @build->size need
 *	not be set
 *
 * Return: 0, -EINVAL for a value out of range, -EOPNOTSUPP when the file's rows
 * cannot have such an index, -EBUSY while one is being built, -EBADF, -ENOMEM,
 * -ENOSPC, -EROFS, -EIO, -ENODATA, -ENOTTY.
 */
int vexfs_index_build(int fd, const struct vexfs_build_index *build);

/**
 * vexfs_index_drop - cancel a build and remove the index
 * @fd: a vector file open for writing
 * @flags: VEXFS_DROP_BUILD to leave an index that is whole, or 0
 *
 * Return: 0 (also when there was nothing), -EINVAL, -EBADF, -EROFS, -EIO,
 * -ENODATA, -ENOTTY.
 */
int vexfs_index_drop(int fd, uint32_t flags);

/**
 * vexfs_index_status - what index a file has, and how a build goes
 * @fd: a vector file open for reading
 * @status: filled in
 *
 * Return: 0, -EBADF, -EIO, -ENODATA, -ENOTTY.
 */
int vexfs_index_status(int fd, struct vexfs_index_status *status);

/**
 * typedef vexfs_index_watcher - is told how a build goes
 * @arg: the caller's
 * @status: the file's, @status->building is not 0
 *
 * Return: 0 to go on waiting; anything else ends the wait, not the build.
 */
typedef int (*vexfs_index_watcher)(void *arg, const struct vexfs_index_status *status);

/**
 * vexfs_index_wait - wait until no index is being built any more
 * @fd: a vector file open for reading
 * @status: the last that was seen
 * @watcher: called several times a second; may be NULL
 * @arg: handed to @watcher
 *
 * Return: 0 when the last build succeeded, what @watcher returned, the negative
 * error number that ended the build (-ECANCELED after a drop), or an error of
 * vexfs_index_status().
 */
int vexfs_index_wait(int fd, struct vexfs_index_status *status, vexfs_index_watcher watcher,
		     void *arg);

/* Numbers and words */

/**
 * vexfs_distance_to_double - the distance of a result as a number
 * @bits: struct vexfs_result's distance
 *
 * Return: the binary64 with these bits.
 */
double vexfs_distance_to_double(uint64_t bits);

/**
 * vexfs_double_to_bits - a number as struct vexfs_range_search's radius carries it
 * @value: the number
 *
 * Return: its bits.
 */
uint64_t vexfs_double_to_bits(double value);

/**
 * enum vexfs_operation - what was tried, for vexfs_explain()
 * @VEXFS_OPERATION_OPEN: open(2) of a file of vectors
 * @VEXFS_OPERATION_SCHEMA_SET: vexfs_schema_set()
 * @VEXFS_OPERATION_SCHEMA_GET: vexfs_schema_get()
 * @VEXFS_OPERATION_INSERT: vexfs_insert(), vexfs_insert_stream()
 * @VEXFS_OPERATION_DELETE: vexfs_delete()
 * @VEXFS_OPERATION_GET: vexfs_get(), vexfs_scan()
 * @VEXFS_OPERATION_KNN: vexfs_knn(), vexfs_knn_parallel()
 * @VEXFS_OPERATION_RANGE: vexfs_range() and its kin
 * @VEXFS_OPERATION_STATS: vexfs_stats()
 * @VEXFS_OPERATION_ATTRIBUTES: vexfs_attributes_set(), vexfs_attributes_get()
 * @VEXFS_OPERATION_INDEX: vexfs_index_build() and its kin
 * @VEXFS_OPERATION_COMPACT: vexfs_compact()
 */
enum vexfs_operation {
	VEXFS_OPERATION_OPEN,
	VEXFS_OPERATION_SCHEMA_SET,
	VEXFS_OPERATION_SCHEMA_GET,
	VEXFS_OPERATION_INSERT,
	VEXFS_OPERATION_DELETE,
	VEXFS_OPERATION_GET,
	VEXFS_OPERATION_KNN,
	VEXFS_OPERATION_RANGE,
	VEXFS_OPERATION_STATS,
	VEXFS_OPERATION_ATTRIBUTES,
	VEXFS_OPERATION_INDEX,
	VEXFS_OPERATION_COMPACT,
};

/**
 * vexfs_explain - a sentence for people: what was wrong and what to do
 * @operation: enum vexfs_operation, what was tried
 * @error: the negative error number that it returned
 * @file: the file's name, for the sentence
 * @bad_index: what the call put into *bad_index or bad_row, or VEXFS_UNKNOWN
 * @text: room for the sentence, always terminated; no newline, no full stop
 * @room: bytes at @text, at least 1
 *
 * Return: the length of the whole sentence, which is cut when it is @room or more.
 */
int vexfs_explain(enum vexfs_operation operation, int error, const char *file,
		  uint64_t bad_index, char *text, size_t room);

#ifdef __cplusplus
}
#endif

#endif /* VEXFS_H */
