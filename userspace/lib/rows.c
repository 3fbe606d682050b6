// SPDX-License-Identifier: Apache-2.0
/*
 * Rows in and out: insert, delete, get, scan, and loads of any size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vexfs.h>

#include "call.h"

/* Bytes of a batch of vexfs_insert_stream() unless the caller says otherwise. */
#define STREAM_BATCH_BYTES	(4U << 20)

int vexfs_insert(int fd, const void *vectors, uint64_t vectors_bytes, uint64_t count,
		 const uint64_t *ids, uint64_t *first_id, uint64_t *bad_index)
{
	struct vexfs_batch_insert batch = {
		.vectors = TO_U64(vectors),
		.vectors_bytes = vectors_bytes,
		.ids = TO_U64(ids),
		.count = count,
	};
	int rc;

	rc = vexfs_insert_batch(fd, &batch);
	if (bad_index)
		*bad_index = batch.bad_index;
	if (rc == 0 && first_id)
		*first_id = batch.first_id;
	return rc;
}

int vexfs_upsert(int fd, const void *vectors, uint64_t vectors_bytes, uint64_t count,
		 const uint64_t *ids, uint64_t *replaced, uint64_t *bad_index)
{
	struct vexfs_batch_insert batch = {
		.flags = VEXFS_INSERT_REPLACE,
		.vectors = TO_U64(vectors),
		.vectors_bytes = vectors_bytes,
		.ids = TO_U64(ids),
		.count = count,
	};
	int rc;

	rc = vexfs_insert_batch(fd, &batch);
	if (bad_index)
		*bad_index = batch.bad_index;
	if (rc == 0 && replaced)
		*replaced = batch.replaced;
	return rc;
}

int vexfs_delete(int fd, const uint64_t *ids, uint64_t count, uint32_t flags,
		 uint64_t *deleted, uint64_t *bad_index)
{
	struct vexfs_batch_delete batch = {
		.size = sizeof(batch),
		.flags = flags,
		.ids = TO_U64(ids),
		.count = count,
		.bad_index = VEXFS_UNKNOWN,
	};
	int rc = vexfs_call(fd, VEXFS_IOC_BATCH_DELETE, &batch);

	if (bad_index)
		*bad_index = batch.bad_index;
	if (rc == 0 && deleted)
		*deleted = batch.deleted;
	return rc;
}

int vexfs_compact(int fd, struct vexfs_compact *compact)
{
	memset(compact, 0, sizeof(*compact));
	compact->size = sizeof(*compact);
	return vexfs_call(fd, VEXFS_IOC_COMPACT, compact);
}

int vexfs_compact_status(int fd, struct vexfs_compact *compact)
{
	memset(compact, 0, sizeof(*compact));
	compact->size = sizeof(*compact);
	compact->flags = VEXFS_COMPACT_STATUS;
	return vexfs_call(fd, VEXFS_IOC_COMPACT, compact);
}

int vexfs_get(int fd, const uint64_t *ids, uint64_t count, void *vectors,
	      uint64_t vectors_bytes, uint64_t *bad_index)
{
	struct vexfs_get_vectors get = {
		.size = sizeof(get),
		.ids = TO_U64(ids),
		.count = count,
		.vectors = TO_U64(vectors),
		.vectors_bytes = vectors_bytes,
		.bad_index = VEXFS_UNKNOWN,
	};
	int rc = vexfs_call(fd, VEXFS_IOC_GET_VECTORS, &get);

	if (bad_index)
		*bad_index = get.bad_index;
	return rc;
}

int64_t vexfs_scan(int fd, struct vexfs_scan *scan, uint64_t *ids, void *vectors,
		   uint64_t vectors_bytes, uint64_t most)
{
	struct vexfs_get_vectors get = {
		.size = sizeof(get),
		.flags = VEXFS_GET_SCAN,
		.ids = TO_U64(ids),
		.count = most,
		.vectors = TO_U64(vectors),
		.vectors_bytes = vectors_bytes,
		.cursor = scan->cursor,
		.generation = scan->generation,
	};
	int rc = vexfs_call(fd, VEXFS_IOC_GET_VECTORS, &get);

	if (rc < 0)
		return rc;
	scan->cursor = get.cursor;
	scan->generation = get.generation;
	return (int64_t)get.returned;
}

/* Rows a batch: what the caller wants within the limits, or a few MiB. */
static uint64_t stream_batch_rows(uint64_t wanted, uint64_t row_bytes)
{
	uint64_t most = VEXFS_BATCH_BYTES_MAX / row_bytes;

	if (wanted == 0)
		wanted = STREAM_BATCH_BYTES / row_bytes + 1;
	if (most > VEXFS_BATCH_MAX)
		most = VEXFS_BATCH_MAX;
	return wanted < most ? wanted : most;
}

/* Hands over batch after batch; @vectors and @ids are room for one. */
static int stream_batches(int fd, struct vexfs_insert_stream *stream, uint64_t row_bytes,
			  uint64_t batch_rows, void *vectors, uint64_t *ids)
{
	for (;;) {
		int64_t rows = stream->reader(stream->arg, vectors, ids, batch_rows);
		struct vexfs_batch_insert batch = {
			.flags = stream->flags,
			.vectors = TO_U64(vectors),
			.vectors_bytes = (uint64_t)rows * row_bytes,
			.ids = TO_U64(ids),
			.count = (uint64_t)rows,
		};
		int rc = 0;

		if (rows <= 0)
			return (int)rows;
		if ((uint64_t)rows > batch_rows)
			return -EINVAL;
		if (stream->attributes)
			rc = stream->attributes(stream->arg, &batch);
		if (rc == 0)
			rc = vexfs_insert_batch(fd, &batch);
		else
			batch.bad_index = VEXFS_UNKNOWN;
		if (rc < 0) {
			if (batch.bad_index != VEXFS_UNKNOWN)
				stream->bad_row = stream->inserted + batch.bad_index;
			return rc;
		}
		if (stream->inserted == 0)
			stream->first_id = batch.first_id;
		stream->last_id = batch.first_id + (uint64_t)rows - 1;
		stream->inserted += (uint64_t)rows;
		stream->replaced += batch.replaced;
		stream->batches++;
	}
}

int vexfs_insert_stream(int fd, struct vexfs_insert_stream *stream)
{
	struct vexfs_schema schema;
	uint64_t *ids = NULL;
	uint64_t batch_rows;
	void *vectors;
	int rc, own;

	stream->inserted = 0;
	stream->replaced = 0;
	stream->batches = 0;
	stream->first_id = 0;
	stream->last_id = 0;
	stream->bad_row = VEXFS_UNKNOWN;
	rc = vexfs_schema_get(fd, &schema);
	if (rc < 0)
		return rc;
	batch_rows = stream_batch_rows(stream->batch_rows, schema.row_bytes);
	own = schema.ids == VEXFS_IDS_OWN;
	vectors = malloc(batch_rows * schema.row_bytes);
	if (own)
		ids = malloc(batch_rows * sizeof(*ids));
	if (!vectors || (own && !ids))
		rc = -ENOMEM;
	else
		rc = stream_batches(fd, stream, schema.row_bytes, batch_rows, vectors, ids);
	free(vectors);
	free(ids);
	return rc;
}
