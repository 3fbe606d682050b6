/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Sketches: a few bits for each element of a row, and the estimate of a
 * distance from them by AND and population count, with bounds of its error:
 * one that cannot be wrong and one that rarely is. Integers only. The method
 * is described in docs/search.md.
 *
 * A struct vex_sketch says how the rows of one file are encoded, for the
 * file's own metric; it and the centre are stored beside the records. Nothing
 * here allocates: the caller gives memory, aligned to 8 bytes (to 64 for the
 * best speed).
 */
#ifndef VEX_SKETCH_H
#define VEX_SKETCH_H

#include "distance.h"
#include "float.h"

#define VEX_SKETCH_BITS_MAX 4u
#define VEX_SKETCH_RECORD_MAX 4080u
#define VEX_SKETCH_DIM_MAX 32512u	/* whose record of one bit fits */
#define VEX_SKETCH_PARAMETERS 64u	/* bytes on disk */

/* Rows that vex_sketch_choose() looks at. */
#define VEX_SKETCH_SAMPLE_MIN 1u
#define VEX_SKETCH_SAMPLE_MAX 1024u

/* Bits an element of a query: for scans and walks; for survivors of a scan. */
#define VEX_SKETCH_QUERY_BITS 4u
#define VEX_SKETCH_QUERY_BITS_FINE 8u

/*
 * Accuracy of a limit: in units of 1/256 standard deviation of the estimate's
 * error, or such that no row within the limit is ever refused.
 */
#define VEX_SKETCH_SURE 0u
#define VEX_SKETCH_LIKELY 384u		/* 0.99 by L2 and cosine */

/**
 * struct vex_sketch - how the rows of a file are encoded
 * @type: element type of the rows (enum vex_type)
 * @metric: enum vex_metric, but not L1
 * @dim: elements of a row
 * @bits: bits an element, 1 to VEX_SKETCH_BITS_MAX
 * @coarse_bits: bits an element of the first look at a record, up to @bits
 * @tail_bits: further bits an element, kept apart from the records
 * @rounds: rounds of the rotation, 0 for none
 * @unit: an integer v stands for v * 2^@unit
 * @fine_step: step of vex_sketch_fine(), in these units
 * @seed: of the rotation
 * @words: 64-bit words of a bit plane
 * @record_bytes: bytes of a record, a multiple of 8
 * @tail_bytes: bytes of a tail's planes, a multiple of 8
 * @per_page: records in a page
 *
 * The first ten are stored; the others follow from them. In a page of a file's
 * sketches lie its records, then the planes of their tails, then a byte for
 * each tail, all in the order of the rows. Few rows are looked at by their
 * tails, so these are out of the way of scans and of walks.
 */
struct vex_sketch {
	u32 type;
	u32 metric;
	u32 dim;
	u32 bits;
	u32 coarse_bits;
	u32 tail_bits;
	u32 rounds;
	s32 unit;
	u32 fine_step;
	u64 seed;
	u32 words;
	u32 record_bytes;
	u32 tail_bytes;
	u32 per_page;
};

/**
 * vex_sketch_possible - can rows of this shape have sketches?
 * @type: element type, valid
 * @metric: metric, valid
 * @dim: elements of a row
 *
 * Return: true unless the metric is L1 or a record would be too large.
 */
bool vex_sketch_possible(u32 type, u32 metric, u32 dim);

/**
 * vex_sketch_choose_bytes - memory for vex_sketch_choose()
 * @dim: elements of a row, up to VEX_SKETCH_DIM_MAX
 *
 * Return: bytes.
 */
size_t vex_sketch_choose_bytes(u32 dim);

/**
 * vex_sketch_choose - decide how to encode a file from a sample of its rows
 * @sketch: to be filled in
 * @centre: receives @dim integers, the centre of the rows
 * @type: element type
 * @metric: the file's metric
 * @dim: elements of a row
 * @bits: bits an element wanted, or 0 to have them chosen by the dimension
 * @rows: @count contiguous rows of finite elements, aligned to their size
 * @count: 1 to VEX_SKETCH_SAMPLE_MAX; some hundred are enough, taken from
 *	all over the file
 * @memory: vex_sketch_choose_bytes(@dim) bytes
 *
 * The scale is made to fit the sample with room to spare, and the rotation is
 * used if it lessens the estimate's error on the sample. The same sample gives
 * the same choice. Takes some milliseconds for 256 rows of 1,000 elements.
 *
 * Return: 0, or -EINVAL when vex_sketch_possible() says no or an argument is
 * out of range.
 */
int vex_sketch_choose(struct vex_sketch *sketch, s32 *centre, u32 type,
		      u32 metric, u32 dim, u32 bits, const void *rows,
		      u32 count, void *memory);

/**
 * vex_sketch_save - write the configuration for a header
 * @sketch: the configuration
 * @parameters: receives VEX_SKETCH_PARAMETERS bytes, little-endian
 *
 * The centre is stored by the caller, as @dim le32.
 */
void vex_sketch_save(const struct vex_sketch *sketch, void *parameters);

/**
 * vex_sketch_load - take the configuration out of a header
 * @sketch: to be filled in
 * @parameters: VEX_SKETCH_PARAMETERS bytes, not trusted
 * @type: the file's element type
 * @metric: the file's metric
 * @dim: the file's dimension
 *
 * Return: 0, or -EUCLEAN when a field is impossible or another file's.
 */
int vex_sketch_load(struct vex_sketch *sketch, const void *parameters,
		    u32 type, u32 metric, u32 dim);

/**
 * vex_sketch_centre_load - take a centre out of stored bytes
 * @sketch: the configuration
 * @stored: @sketch->dim le32, aligned to any byte, not trusted
 * @centre: receives @sketch->dim integers
 *
 * Return: 0, or -EUCLEAN when it is not one that vex_sketch_choose() makes.
 */
int vex_sketch_centre_load(const struct vex_sketch *sketch, const void *stored,
			   s32 *centre);

/**
 * vex_sketch_scratch_bytes - memory for encoding and for preparing queries
 * @sketch: the configuration
 *
 * Return: bytes; its contents matter to nobody between calls.
 */
size_t vex_sketch_scratch_bytes(const struct vex_sketch *sketch);

/**
 * vex_sketch_encode - encode a row
 * @sketch: the configuration
 * @centre: its centre
 * @row: dim finite elements, aligned to their size
 * @record: receives record_bytes bytes; aligned to 8
 * @scratch: vex_sketch_scratch_bytes() bytes
 *
 * A row that does not fit the scale gets a marked record, which every scan
 * lets pass and whose estimates mean nothing.
 *
 * Return: true if the row fits, false if the record is a marked one.
 */
bool vex_sketch_encode(const struct vex_sketch *sketch, const s32 *centre,
		       const void *row, void *record, void *scratch);

/**
 * vex_sketch_encode_page - encode a row into its place in a page
 * @sketch: the configuration
 * @centre: its centre
 * @row: dim finite elements, aligned to their size
 * @page: receives the record and its tail; aligned to 8
 * @index: which record of the page, below per_page
 * @scratch: vex_sketch_scratch_bytes() bytes
 *
 * Return: as vex_sketch_encode().
 */
bool vex_sketch_encode_page(const struct vex_sketch *sketch, const s32 *centre,
			    const void *row, void *page, u32 index,
			    void *scratch);

/**
 * vex_sketch_copy_page - copy some records of a page and their tails
 * @sketch: the configuration
 * @to: the page that receives them
 * @from: a page that has them
 * @first: the first record
 * @count: how many
 */
void vex_sketch_copy_page(const struct vex_sketch *sketch, void *to,
			  const void *from, u32 first, u32 count);

/**
 * vex_sketch_set_dead - note in a record that its row was deleted
 * @record: a record in place; others may be reading it, nobody else writing
 */
void vex_sketch_set_dead(void *record);

/**
 * vex_sketch_is_dead - was the row deleted, as far as the record knows?
 * @record: a record
 *
 * Return: true if vex_sketch_set_dead() was called.
 */
bool vex_sketch_is_dead(const void *record);

/**
 * vex_sketch_is_marked - is it a record that always passes?
 * @record: a record
 *
 * Return: true if the row did not fit the scale.
 */
bool vex_sketch_is_marked(const void *record);

/**
 * vex_sketch_fine - write a row in 7 bits an element, of one step a file
 * @sketch: the configuration
 * @centre: its centre
 * @row: dim finite elements, aligned to their size
 * @elements: receives dim values, 0 to 127, not rotated; 64 stands for the
 *	centre (for inner product: for zero)
 * @scratch: vex_sketch_scratch_bytes() bytes
 */
void vex_sketch_fine(const struct vex_sketch *sketch, const s32 *centre,
		     const void *row, u8 *elements, void *scratch);

struct vex_sketch_query;

/**
 * vex_sketch_query_bytes - memory of a query
 * @sketch: the configuration
 * @bits: VEX_SKETCH_QUERY_BITS or VEX_SKETCH_QUERY_BITS_FINE
 *
 * Return: bytes.
 */
size_t vex_sketch_query_bytes(const struct vex_sketch *sketch, u32 bits);

/**
 * vex_sketch_query_prepare - digest a query
 * @memory: vex_sketch_query_bytes() bytes, where the query will live
 * @sketch: the configuration
 * @centre: its centre
 * @query_type: type of the elements: VEX_TYPE_F32 or the file's own
 * @elements: dim finite elements, aligned to their size
 * @bits: as given to vex_sketch_query_bytes()
 * @scratch: vex_sketch_scratch_bytes() bytes
 * @query: receives the query, which is @memory; its limit lets all rows pass
 *
 * A query belongs to one thread only while its limit is being set; scores and
 * scans do not change it.
 *
 * Return: 0, or -ERANGE when the query lies so far from the file's scale that
 * its sketches say nothing of its distances: search exactly.
 */
int vex_sketch_query_prepare(void *memory, const struct vex_sketch *sketch,
			     const s32 *centre, u32 query_type,
			     const void *elements, u32 bits, void *scratch,
			     struct vex_sketch_query **query);

/**
 * vex_sketch_tables_bytes - memory for tables of a query
 * @sketch: the configuration
 *
 * Return: bytes; 0 if rows are so long that tables would be of no use.
 */
size_t vex_sketch_tables_bytes(const struct vex_sketch *sketch);

/**
 * vex_sketch_query_tables - give a query tables for its scans
 * @query: prepared, of VEX_SKETCH_QUERY_BITS_FINE
 * @memory: vex_sketch_tables_bytes() bytes, not 0, kept as long as the query
 *
 * For each eight elements the sums that their bits can have: a scan by all
 * planes then costs as much as one by a query of VEX_SKETCH_QUERY_BITS.
 */
void vex_sketch_query_tables(struct vex_sketch_query *query, void *memory);

/**
 * vex_sketch_query_limit - set what a scan lets pass
 * @query: prepared
 * @key: a distance (vex_key_from_double(); vex_topk_limit(), a radius' key,
 *	S64_MAX for any); rows farther than this are of no use
 * @accuracy: VEX_SKETCH_SURE: each row within @key passes. Else each passes
 *	with the probability that a normal deviate is below @accuracy / 256
 *
 * Costs some tens of nanoseconds.
 */
void vex_sketch_query_limit(struct vex_sketch_query *query, s64 key,
			    u32 accuracy);

/**
 * vex_sketch_query_score - the score that a distance stands for
 * @query: prepared
 * @key: a distance, as for vex_sketch_query_limit()
 *
 * Return: the score of a row at this distance if its estimate is right;
 * S64_MAX / 2 for S64_MAX.
 */
s64 vex_sketch_query_score(const struct vex_sketch_query *query, s64 key);

/**
 * vex_sketch_query_limit_score - set what a scan lets pass, by scores
 * @query: prepared
 * @score: records with scores up to this are wanted. All that have one pass
 *	the last look, and most (VEX_SKETCH_LIKELY) the first; others pass too
 */
void vex_sketch_query_limit_score(struct vex_sketch_query *query, s64 score);

/* What vex_sketch_scores() says of a record apart from its score. */
#define VEX_SKETCH_DEAD 1u

/* Records of one call of vex_sketch_near_scores(). */
#define VEX_SKETCH_NEAR 32u

/**
 * vex_sketch_scores - estimate the distances of records to a query
 * @query: prepared; void so that it serves as a callback
 * @records: the records, of the same configuration as the query
 * @count: how many
 * @scores: receives the estimates, between S64_MIN / 4 and S64_MAX / 4, in
 *	the query's own unit; smaller is nearer
 * @flags: receives VEX_SKETCH_DEAD or 0 for each
 *
 * Any bytes are accepted as records: they give some score.
 */
void vex_sketch_scores(const void *query, const void *const *records,
		       u32 count, s64 *scores, u8 *flags);

/**
 * vex_sketch_near_scores - the same for records within a limit
 * @query: prepared by VEX_SKETCH_QUERY_BITS; its own limit is overwritten
 * @records: the records, of the same configuration as the query
 * @count: how many, up to VEX_SKETCH_NEAR
 * @limit: a score
 * @scores: receives the estimates; S64_MAX / 4 of records that are likely to be
 *	farther than the limit by their first planes
 * @flags: receives VEX_SKETCH_DEAD or 0 for each
 */
void vex_sketch_near_scores(void *query, const void *const *records, u32 count,
			    s64 limit, s64 *scores, u8 *flags);

/**
 * vex_sketch_near_bytes - what vex_sketch_near_scores() reads of each record
 * @sketch: the configuration
 *
 * Return: bytes from the record's begin on; of likely near ones it reads all.
 */
u32 vex_sketch_near_bytes(const struct vex_sketch *sketch);

/**
 * struct vex_sketch_hit - a record that passed
 * @score: the estimate, as vex_sketch_scores() gives it
 * @bound: what the estimate is at least, by the accuracy of the limit; once
 *	another limit is set, vex_sketch_bound_passes() says whether it would
 *	pass again
 * @index: which record of the scan
 */
struct vex_sketch_hit {
	s64 score;
	s64 bound;
	u64 index;
};

/**
 * vex_sketch_scan - find the records of an array that pass a query's limit
 * @query: with its limit
 * @records: @count contiguous records, aligned to 8 (those of one page)
 * @count: how many
 * @next: what is scanned next, as many records, to be prefetched. May be any
 *	address: @records if it is not known
 * @first: number of the first record, added to each hit's index
 * @hits: room for @count hits
 *
 * Dead records do not pass; marked ones always do, with the least of scores
 * and bounds. Several queries share a pass by scanning page after page, each
 * page for one query after the other.
 *
 * Return: the number of hits, in the order of the records.
 */
u32 vex_sketch_scan(const struct vex_sketch_query *query, const void *records,
		    u32 count, const void *next, u64 first,
		    struct vex_sketch_hit *hits);

/**
 * vex_sketch_passes - does one record pass a query's limit?
 * @query: with its limit
 * @record: a record; a dead one does not pass
 * @hit: receives score and bound; its index is left alone. May be NULL
 *
 * For the second look at survivors of a scan by a query of more bits.
 *
 * Return: true if it passes.
 */
bool vex_sketch_passes(const struct vex_sketch_query *query,
		       const void *record, struct vex_sketch_hit *hit);

/**
 * vex_sketch_first_passes - how many records pass the first look?
 * @query: with its limit
 * @records: as for vex_sketch_scan()
 * @count: how many
 * @hits: room for @count hits, whose contents mean nothing afterwards
 *
 * Return: their number. If it is most of them, vex_sketch_query_skip().
 */
u32 vex_sketch_first_passes(const struct vex_sketch_query *query,
			    const void *records, u32 count,
			    struct vex_sketch_hit *hits);

/**
 * vex_sketch_query_skip - scan by all planes of records at once
 * @query: prepared
 */
void vex_sketch_query_skip(struct vex_sketch_query *query);

/**
 * vex_sketch_hit_passes - would a hit pass again?
 * @query: with its limit now, which is nearer than the one of the scan
 * @record: the hit's record
 * @hit: the hit
 *
 * Sharper than vex_sketch_bound_passes(), but takes the record.
 *
 * Return: false if the record would not pass a scan now.
 */
bool vex_sketch_hit_passes(const struct vex_sketch_query *query,
			   const void *record,
			   const struct vex_sketch_hit *hit);

/**
 * vex_sketch_page_passes - does a record pass by all that is known of it?
 * @query: with its limit
 * @page: a page of records
 * @index: which record of the page; a dead one does not pass
 *
 * By its record first, then by its tail too.
 *
 * Return: true if it passes.
 */
bool vex_sketch_page_passes(const struct vex_sketch_query *query,
			    const void *page, u32 index);

/**
 * vex_sketch_bound_passes - does a bound of an earlier limit still pass?
 * @query: with its limit now, which is nearer than the one of the scan
 * @bound: a hit's bound, of the same query and accuracy
 *
 * Return: false if the record would not pass a scan now.
 */
bool vex_sketch_bound_passes(const struct vex_sketch_query *query, s64 bound);

#endif /* VEX_SKETCH_H */
