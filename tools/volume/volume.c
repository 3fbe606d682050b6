// SPDX-License-Identifier: Apache-2.0
/*
 * Opening, reading and writing a volume. What is in the blocks is for others;
 * here they are verified (headers, superblock) and moved.
 */
#define _GNU_SOURCE
#include "volume.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ZERO_CHUNK_BLOCKS 256U

int volume_open(struct volume *vol, const char *path, int flags)
{
	struct stat st;
	int ret;

	memset(vol, 0, sizeof(*vol));
	vol->path = path;
	vol->fd = open(path, flags | O_CLOEXEC, 0644);
	if (vol->fd < 0)
		return -errno;
	if (fstat(vol->fd, &st)) {
		ret = -errno;
		goto out_close;
	}
	if (S_ISBLK(st.st_mode)) {
		vol->is_device = true;
		if (ioctl(vol->fd, BLKGETSIZE64, &vol->bytes)) {
			ret = -errno;
			goto out_close;
		}
	} else if (S_ISREG(st.st_mode)) {
		vol->bytes = (u64)st.st_size;
	} else {
		ret = -ENOTBLK;
		goto out_close;
	}
	return 0;

out_close:
	close(vol->fd);
	vol->fd = -1;
	return ret;
}

void volume_close(struct volume *vol)
{
	if (vol->fd >= 0)
		close(vol->fd);
	vol->fd = -1;
	for (u64 i = 0; i < vol->overlay.room; i++)
		if (vol->overlay.pairs[i].used)
			free((void *)(uintptr_t)vol->overlay.pairs[i].value);
	number_map_free(&vol->overlay);
	free(vol->cache);
	vol->cache = NULL;
}

int volume_load_super(struct volume *vol, u64 block, const char **what)
{
	int ret = volume_read(vol, block, &vol->super);

	if (ret) {
		*what = "it cannot be read";
		return ret;
	}
	*what = vex_super_check(&vol->super, block);
	if (*what)
		return -EUCLEAN;
	*what = vex_geometry_init(&vol->geo, le64_to_cpu(vol->super.sb_blocks),
				  le32_to_cpu(vol->super.sb_gdt_blocks),
				  le32_to_cpu(vol->super.sb_inodes_per_group),
				  vol->super.sb_meta_uuid);
	if (*what)
		return -EUCLEAN;
	if (vol->geo.blocks > vol->bytes / VEXFS_BLOCK_SIZE) {
		*what = "sb_blocks: more than the device or image holds; it was cut short";
		return -EUCLEAN;
	}
	return 0;
}

int volume_read(struct volume *vol, u64 block, void *data)
{
	const u64 *over = number_map_get(&vol->overlay, block);
	size_t done = 0;

	if (over) {
		memcpy(data, (const void *)(uintptr_t)*over, VEXFS_BLOCK_SIZE);
		return 0;
	}
	if (block > vol->bytes / VEXFS_BLOCK_SIZE)
		return -EIO;
	while (done < VEXFS_BLOCK_SIZE) {
		ssize_t got = pread(vol->fd, (char *)data + done,
				    VEXFS_BLOCK_SIZE - done,
				    (off_t)(block * VEXFS_BLOCK_SIZE + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EIO;
		done += (size_t)got;
	}
	return 0;
}

int volume_read_meta(struct volume *vol, u64 block, u32 magic, u64 owner,
		     void *data, const char **what)
{
	int ret = volume_read(vol, block, data);

	if (ret) {
		*what = "it cannot be read";
		return ret;
	}
	*what = vex_header_check(data, magic, block, owner,
				 vol->geo.meta_uuid);
	if (!vex_header_verify_checksum(data)) {
		/* An unused or foreign block is better told by its magic. */
		if (!*what || le32_to_cpu(((struct vexfs_disk_header *)data)
						  ->h_magic) == magic)
			*what = "h_checksum: the block is damaged";
		return -EBADMSG;
	}
	return *what ? -EUCLEAN : 0;
}

int volume_write(struct volume *vol, u64 block, const void *data, u64 count)
{
	size_t bytes = count * VEXFS_BLOCK_SIZE, done = 0;

	while (done < bytes) {
		ssize_t put = pwrite(vol->fd, (const char *)data + done,
				     bytes - done,
				     (off_t)(block * VEXFS_BLOCK_SIZE + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

static int zero_by_writing(struct volume *vol, u64 block, u64 count)
{
	void *zeros = calloc(ZERO_CHUNK_BLOCKS, VEXFS_BLOCK_SIZE);
	int ret = zeros ? 0 : -ENOMEM;

	while (!ret && count) {
		u64 part = min(count, (u64)ZERO_CHUNK_BLOCKS);

		ret = volume_write(vol, block, zeros, part);
		block += part;
		count -= part;
	}
	free(zeros);
	return ret;
}

int volume_zero(struct volume *vol, u64 block, u64 count)
{
	u64 range[2] = { block * VEXFS_BLOCK_SIZE, count * VEXFS_BLOCK_SIZE };
	int ret;

	if (vol->is_device)
		ret = ioctl(vol->fd, BLKZEROOUT, range);
	else
		ret = fallocate(vol->fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)range[0], (off_t)range[1]);
	return ret ? zero_by_writing(vol, block, count) : 0;
}

int volume_overlay_set(struct volume *vol, u64 block, const void *data)
{
	u64 *over = number_map_add(&vol->overlay, block);
	void *bytes;

	if (!over)
		return -ENOMEM;
	bytes = (void *)(uintptr_t)*over;
	if (!bytes)
		bytes = malloc(VEXFS_BLOCK_SIZE);
	if (!bytes)
		return -ENOMEM;
	*over = (uintptr_t)bytes;
	memcpy(bytes, data, VEXFS_BLOCK_SIZE);
	return 0;
}

char *volume_mounted_on(const struct volume *vol, bool *writable)
{
	char *line = NULL, *where = NULL, point[4096], options[4096];
	unsigned int dev_major, dev_minor;
	size_t room = 0;
	struct stat st;
	FILE *mounts;

	if (!vol->is_device || fstat(vol->fd, &st))
		return NULL;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return NULL;
	while (!where && getline(&line, &room, mounts) > 0) {
		if (sscanf(line, "%*u %*u %u:%u %*s %4095s %4095s", &dev_major,
			   &dev_minor, point, options) != 4 ||
		    makedev(dev_major, dev_minor) != st.st_rdev)
			continue;
		*writable = !strncmp(options, "rw", 2);
		where = strdup(point);
	}
	free(line);
	fclose(mounts);
	return where;
}

static struct volume_tree *of_tree(struct vex_tree *tree)
{
	return tree->priv;
}

static struct volume_cached *cache_place(struct volume *vol, u64 block)
{
	if (!vol->cache)
		vol->cache = calloc(VOLUME_CACHE_BLOCKS, sizeof(*vol->cache));
	return vol->cache ? &vol->cache[block % VOLUME_CACHE_BLOCKS] : NULL;
}

/* The caller gets a copy: a later read may take the cache's place. */
static int tree_read(struct vex_tree *tree, u64 block, struct vex_buf *buf)
{
	struct volume_tree *vt = of_tree(tree);
	struct volume_cached *cached = cache_place(vt->vol, block);
	const char *what;
	int ret;

	if (!vex_range_is_data(&vt->vol->geo, block, 1))
		return -EUCLEAN;
	buf->data = malloc(VEXFS_BLOCK_SIZE);
	if (!buf->data || !cached) {
		free(buf->data);
		return -ENOMEM;
	}
	buf->block = block;
	buf->priv = NULL;
	buf->fresh = true;
	if (cached->block != block || cached->owner != vt->ino) {
		cached->block = 0;
		ret = volume_read_meta(vt->vol, block, VEXFS_MAGIC_TREE,
				       vt->ino, cached->data, &what);
		if (ret) {
			free(buf->data);
			return ret;
		}
		cached->block = block;
		cached->owner = vt->ino;
	}
	memcpy(buf->data, cached->data, VEXFS_BLOCK_SIZE);
	return 0;
}

static void tree_release(struct vex_tree *tree, struct vex_buf *buf)
{
	(void)tree;
	free(buf->data);
	buf->data = NULL;
}

static int tree_refuse(struct vex_tree *tree, struct vex_buf *buf)
{
	(void)tree;
	(void)buf;
	return -EROFS;
}

static int tree_corrupt(struct vex_tree *tree, u64 block, const char *what)
{
	(void)tree;
	(void)block;
	(void)what;
	return -EUCLEAN;
}

static const struct vex_tree_ops read_only_ops = {
	.read = tree_read,
	.release = tree_release,
	.access = tree_refuse,
	.dirty = tree_refuse,
	.alloc = tree_refuse,
	.free = tree_refuse,
	.corrupt = tree_corrupt,
};

void volume_tree_init(struct volume_tree *tree, struct volume *vol, u64 ino,
		      struct vexfs_disk_root *root)
{
	tree->tree.root = root;
	tree->tree.ops = &read_only_ops;
	tree->tree.priv = tree;
	tree->tree.value_limit = root->r_kind == VEXFS_TREE_EXTENTS ?
				 vol->geo.blocks : 0;
	tree->vol = vol;
	tree->ino = ino;
}
