// SPDX-License-Identifier: Apache-2.0
/*
 * Error numbers as sentences: what was wrong, where, and what to do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vexfs.h>

/* Sentences for one error of one operation, or of any (ANY). */
#define ANY (-1)

struct sentence {
	int operation;
	int error;
	const char *text;	/* one %s, the file's name, first */
};

static const struct sentence sentences[] = {
	{ VEXFS_OPERATION_OPEN, ENOENT, "%s does not exist" },
	{ VEXFS_OPERATION_OPEN, EACCES,
	  "%s: permission denied; see its mode with ls -l, and those of the directories above" },
	{ VEXFS_OPERATION_OPEN, EISDIR, "%s is a directory; name a vector file in it" },
	{ VEXFS_OPERATION_SCHEMA_SET, EBUSY,
	  "%s is not empty and has no schema or another one; a schema can only be given to an "
	  "empty file" },
	{ VEXFS_OPERATION_SCHEMA_SET, EINVAL,
	  "%s: the kernel does not take this schema; dim must be 1 to 65535, names of columns are "
	  "letters, digits and _, each once, and none of and or not in is null true false" },
	{ VEXFS_OPERATION_SCHEMA_SET, EPERM,
	  "%s: only its owner may set a schema, and only while it is neither immutable nor "
	  "append-only" },
	{ VEXFS_OPERATION_INSERT, EBUSY,
	  "%s ends in bytes that are no whole row, left by an interrupted write; cut them off "
	  "with truncate(1) to a multiple of the row's bytes" },
	{ VEXFS_OPERATION_INSERT, EINVAL,
	  "%s: the kernel does not take these rows; check dimension, type and ids against "
	  "'vexfs info'" },
	{ VEXFS_OPERATION_INSERT, EEXIST, "%s: an id is taken already, or comes twice" },
	{ VEXFS_OPERATION_INSERT, E2BIG,
	  "%s: more than 16777216 rows or 1 GiB in one batch; use smaller batches" },
	{ VEXFS_OPERATION_INSERT, EFBIG, "%s would be larger than a file can be" },
	{ VEXFS_OPERATION_INSERT, EOVERFLOW, "%s has no automatic ids left" },
	{ VEXFS_OPERATION_DELETE, ENOENT, "%s: an id names no row" },
	{ VEXFS_OPERATION_DELETE, E2BIG,
	  "%s: more than 16777216 ids in one batch; use smaller batches" },
	{ VEXFS_OPERATION_GET, ENOENT, "%s: an id names no row" },
	{ VEXFS_OPERATION_GET, E2BIG,
	  "%s: more than 16777216 ids at once; ask for fewer at a time" },
	{ VEXFS_OPERATION_KNN, ENOENT,
	  "%s does not have the index asked for; ask for 'auto', which does without" },
	{ VEXFS_OPERATION_KNN, EINVAL,
	  "%s: the kernel does not take this search; the queries must have the file's dimension "
	  "and no NaN or infinity, k must be 1 to 65536" },
	{ VEXFS_OPERATION_RANGE, EINVAL,
	  "%s: the kernel does not take this search; the query must have the file's dimension "
	  "and neither it nor the radius may be a NaN" },
	{ VEXFS_OPERATION_ATTRIBUTES, ENOENT, "%s: an id names no row" },
	{ VEXFS_OPERATION_ATTRIBUTES, EINVAL,
	  "%s: the kernel does not take these attributes; 'vexfs info' tells the columns" },
	{ VEXFS_OPERATION_ATTRIBUTES, E2BIG,
	  "%s: attributes of more than 1048576 rows at once; use fewer at a time" },
	{ VEXFS_OPERATION_INDEX, EINVAL,
	  "%s: the kernel does not take this index; effort must be 16 to 2000, lists 1 to "
	  "32768" },
	{ VEXFS_OPERATION_INDEX, EOPNOTSUPP,
	  "%s: its rows cannot have such an index: the metric is l1, a row has too "
	  "many elements, or there are fewer than 1000 rows; searches scan them" },
	{ VEXFS_OPERATION_INDEX, EBUSY, "%s: an index is being built already" },
	{ VEXFS_OPERATION_INDEX, ECANCELED, "%s: the build was cancelled" },
	{ VEXFS_OPERATION_INDEX, ESTALE,
	  "%s: rows were cut off or renumbered while the index was built; build it again" },
	{ VEXFS_OPERATION_COMPACT, EBUSY,
	  "%s is being compacted already, or ends in bytes that are no whole row, left by an "
	  "interrupted write; cut them off with truncate(1) to a multiple of the row's bytes" },
	{ VEXFS_OPERATION_COMPACT, ENOSPC,
	  "%s: no space on its filesystem for a copy of the rows that are kept; nothing was "
	  "changed" },
	{ VEXFS_OPERATION_COMPACT, ESTALE,
	  "%s: rows were cut off while it was compacted; nothing was changed, do it again" },
	{ VEXFS_OPERATION_COMPACT, EINTR,
	  "%s: interrupted by a signal; do it again to go on" },
	{ ANY, ENOTTY, "%s is not on a VexFS filesystem" },
	{ ANY, ENODATA,
	  "%s is not a vector file; make one with 'vexfs create FILE --dim N'" },
	{ ANY, EISDIR, "%s is a directory; name a vector file in it" },
	{ ANY, EBADF, "%s is not open for this; open it for reading and writing" },
	{ ANY, E2BIG, "%s: the kernel module is older than this program and does not know what "
	  "was asked for" },
	{ ANY, ESTALE, "%s: rows were renumbered meanwhile by a compaction; try again" },
	{ ANY, ENOSPC, "%s: no space left on its filesystem; nothing was changed by the call" },
	{ ANY, EDQUOT, "%s: disk quota exceeded; nothing was changed by the call" },
	{ ANY, EROFS,
	  "%s is on a filesystem that is mounted read-only, or became so after an error (see "
	  "dmesg)" },
	{ ANY, EINTR, "%s: interrupted by a signal" },
	{ ANY, ENOMEM,
	  "%s: not enough memory; fewer results, queries or rows at a time take less" },
	{ ANY, EIO, "%s: the device failed to read or write; see dmesg" },
	{ ANY, EUCLEAN, "%s: its filesystem is damaged; see dmesg, unmount it and run fsck.vexfs" },
	{ ANY, EBADMSG,
	  "%s: a checksum does not match, the data on the device is damaged; see dmesg, unmount "
	  "the filesystem and run fsck.vexfs" },
	{ ANY, EPERM, "%s is immutable or append-only; lsattr(1) tells, chattr(1) changes it" },
	{ ANY, EFAULT, "%s: memory handed to the kernel is not there (an error in the program)" },
};

static const char *find_sentence(enum vexfs_operation operation, int error)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].error == error &&
		    (sentences[i].operation == ANY || sentences[i].operation == (int)operation))
			return sentences[i].text;
	return NULL;
}

/* Errors that a row or an id of the batch is to blame for. */
static int explain_index(enum vexfs_operation operation, int error, const char *file,
			 uint64_t index, char *text, size_t room)
{
	const char *what = NULL;

	if (operation == VEXFS_OPERATION_INSERT && error == EINVAL)
		what = "%s: row %" PRIu64 " of those given (counted from 0) holds a NaN or an "
		       "infinity, an attribute that its column cannot hold, or has an id that "
		       "cannot be";
	else if (operation == VEXFS_OPERATION_INSERT && error == EEXIST)
		what = "%s: the id of row %" PRIu64 " of those given (counted from 0) is taken "
		       "already, or comes twice";
	else if (error == ENOENT)
		what = "%s: id number %" PRIu64 " of those given (counted from 0) names no row";
	return what ? snprintf(text, room, what, file, index) : -1;
}

int vexfs_explain(enum vexfs_operation operation, int error, const char *file,
		  uint64_t bad_index, char *text, size_t room)
{
	int number = error < 0 ? -error : error;
	const char *sentence;
	int length = -1;

	if (bad_index != VEXFS_UNKNOWN)
		length = explain_index(operation, number, file, bad_index, text, room);
	if (length >= 0)
		return length;
	sentence = find_sentence(operation, number);
	if (sentence)
		return snprintf(text, room, sentence, file);
	return snprintf(text, room, "%s: %s", file, strerror(number));
}
