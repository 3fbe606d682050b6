// SPDX-License-Identifier: Apache-2.0
/*
 * The device or image that is to be formatted: how large it is, whether
 * something uses it, what it holds, and clearing that away.
 */
#define _GNU_SOURCE
#include "mkfs.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Both ends of the target that are zeroed: old superblocks live there. */
#define WIPE_BLOCKS	16U
#define DISCARD_STEP	(1ULL << 30)

int mkfs_target_size(const struct mkfs_options *options, bool *exists,
		     u64 *bytes)
{
	struct volume vol;
	int ret = volume_open(&vol, options->target, O_RDONLY);

	*exists = ret != -ENOENT;
	if (ret == -ENOENT && options->bytes) {
		*bytes = options->bytes;
		return 0;
	}
	if (ret == -ENOENT)
		mkfs_error("%s: no such device or file; to make an image file, give its size: mkfs.vexfs %s 1G",
			   options->target, options->target);
	else if (ret == -ENOTBLK)
		mkfs_error("%s: neither a block device nor an ordinary file",
			   options->target);
	else if (ret)
		mkfs_error("%s: cannot open it: %s", options->target,
			   strerror(-ret));
	if (ret)
		return ret;

	*bytes = vol.bytes;
	if (!vol.is_device && options->bytes > vol.bytes)
		*bytes = options->bytes;
	volume_close(&vol);
	if (options->bytes > *bytes) {
		mkfs_error("%s: has %llu bytes, fewer than the %llu asked for",
			   options->target, (unsigned long long)*bytes,
			   (unsigned long long)options->bytes);
		return -EINVAL;
	}
	return 0;
}

/* The loop device that an image file is attached to, or NULL. */
static char *find_loop(const char *path)
{
	char *real = realpath(path, NULL), *found = NULL, *name;
	char line[4096];
	struct dirent *entry;
	DIR *dir = opendir("/sys/block");

	while (dir && real && !found && (entry = readdir(dir))) {
		FILE *file = NULL;

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		if (asprintf(&name, "/sys/block/%s/loop/backing_file",
			     entry->d_name) < 0)
			break;
		file = fopen(name, "re");
		free(name);
		if (!file)
			continue;
		if (fgets(line, sizeof(line), file)) {
			line[strcspn(line, "\n")] = 0;
			if (!strcmp(line, real))
				found = strdup(entry->d_name);
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	free(real);
	return found;
}

static int refuse_device_in_use(const struct mkfs_options *options,
				const struct volume *vol)
{
	int size = 0, read_only = 0;
	bool writable;
	char *where;
	int probe;

	where = volume_mounted_on(vol, &writable);
	if (where) {
		mkfs_error("%s: is mounted on %s; unmount it first",
			   options->target, where);
		free(where);
		return -EBUSY;
	}
	probe = open(options->target, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (probe < 0 && errno == EBUSY) {
		mkfs_error("%s: is in use (as swap, or by RAID, LVM, or the device mapper)",
			   options->target);
		return -EBUSY;
	}
	if (probe >= 0)
		close(probe);
	if (!ioctl(vol->fd, BLKROGET, &read_only) && read_only) {
		mkfs_error("%s: the device is read-only", options->target);
		return -EROFS;
	}
	if (!ioctl(vol->fd, BLKSSZGET, &size) && size > VEXFS_BLOCK_SIZE) {
		mkfs_error("%s: its sectors of %d bytes are larger than VexFS's blocks of 4096",
			   options->target, size);
		return -EINVAL;
	}
	return 0;
}

static int refuse_file_in_use(const struct mkfs_options *options)
{
	char *loop = find_loop(options->target);

	if (loop) {
		mkfs_error("%s: is in use as /dev/%s; format that, or detach it with losetup -d first",
			   options->target, loop);
		free(loop);
		return -EBUSY;
	}
	if (access(options->target, W_OK)) {
		mkfs_error("%s: cannot write to it: %s", options->target,
			   strerror(errno));
		return -errno;
	}
	return 0;
}

/* What libblkid does not know: VexFS itself. */
static char *identify_vexfs(struct volume *vol)
{
	char label[VEXFS_LABEL_BYTES + 1] = "";
	const char *what;
	char *text;

	if (volume_read(vol, VEXFS_SUPER_BLOCK, &vol->super) ||
	    le32_to_cpu(vol->super.sb_header.h_magic) != VEXFS_MAGIC_SUPER)
		return NULL;
	what = vex_super_check(&vol->super, VEXFS_SUPER_BLOCK);
	memcpy(label, vol->super.sb_label, VEXFS_LABEL_BYTES);
	if (what || !*label)
		return strdup(what ? "a damaged VexFS filesystem" :
				     "a VexFS filesystem");
	return asprintf(&text, "the VexFS filesystem \"%s\"", label) < 0 ?
	       NULL : text;
}

static char *describe_probe(blkid_probe probe)
{
	const char *type = NULL, *label = NULL, *table = NULL;
	char *text = NULL;
	int len;

	blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
	blkid_probe_lookup_value(probe, "LABEL", &label, NULL);
	blkid_probe_lookup_value(probe, "PTTYPE", &table, NULL);
	if (type && label)
		len = asprintf(&text, "%s, labelled \"%s\"", type, label);
	else if (type)
		len = asprintf(&text, "%s", type);
	else if (table)
		len = asprintf(&text, "a partition table (%s)", table);
	else
		return NULL;
	return len < 0 ? NULL : text;
}

static blkid_probe new_probe(int fd)
{
	blkid_probe probe = blkid_new_probe();

	if (!probe)
		return NULL;
	if (blkid_probe_set_device(probe, fd, 0, 0)) {
		blkid_free_probe(probe);
		return NULL;
	}
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_LABEL |
					  BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_MAGIC);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_FORCE_GPT |
					 BLKID_PARTS_MAGIC);
	return probe;
}

/* What the target holds, for people; NULL if nothing that is known. */
static char *identify(struct volume *vol)
{
	char *text = identify_vexfs(vol);
	blkid_probe probe;

	if (text || !vol->bytes)
		return text;
	probe = new_probe(vol->fd);
	if (!probe)
		return strdup("something that libblkid failed to look at");
	switch (blkid_do_safeprobe(probe)) {
	case 0:
		text = describe_probe(probe);
		if (!text)
			text = strdup("something that libblkid knows");
		break;
	case 1:
		break;
	case -2:
		text = strdup("several signatures of filesystems or partition tables");
		break;
	default:
		text = strdup("something that libblkid failed to look at");
	}
	blkid_free_probe(probe);
	return text;
}

static int ask(const struct mkfs_options *options, const char *what)
{
	char answer[16];

	if (options->dry_run) {
		if (!options->quiet)
			fprintf(stderr,
				"mkfs.vexfs: %s: holds %s; without -n it would ask before it overwrites that\n",
				options->target, what);
		return 0;
	}
	fprintf(stderr, "%s holds %s.\nOverwrite it? (y/N) ", options->target,
		what);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	fputc('\n', stderr);
	mkfs_error("%s: holds %s: nothing was written; answer y or use -f to overwrite it",
		   options->target, what);
	return -EEXIST;
}

int mkfs_target_check(const struct mkfs_options *options)
{
	struct volume vol;
	char *what;
	int ret;

	ret = volume_open(&vol, options->target, O_RDONLY);
	if (ret) {
		mkfs_error("%s: cannot open it: %s", options->target,
			   strerror(-ret));
		return ret;
	}
	if (vol.is_device)
		ret = refuse_device_in_use(options, &vol);
	else
		ret = refuse_file_in_use(options);
	if (!ret && !options->force) {
		what = identify(&vol);
		if (what)
			ret = ask(options, what);
		free(what);
	}
	volume_close(&vol);
	return ret;
}

static void discard(const struct mkfs_options *options, struct volume *vol)
{
	u64 at, range[2];

	for (at = 0; at < vol->bytes; at += range[1]) {
		range[0] = at;
		range[1] = min(vol->bytes - at, DISCARD_STEP);
		/* Not every device can: the blocks are just kept then. */
		if (vol->is_device ?
		    ioctl(vol->fd, BLKDISCARD, range) :
		    fallocate(vol->fd,
			      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)range[0], (off_t)range[1]))
			break;
		mkfs_progress(options, "discarding blocks", at + range[1],
			      vol->bytes + 1);
	}
	mkfs_progress(options, "discarding blocks", 1, 1);
}

/* Removes each signature where it is: backups far from both ends too. */
static int wipe_signatures(struct volume *vol)
{
	blkid_probe probe = new_probe(vol->fd);
	int ret;

	if (!probe)
		return -EIO;
	while ((ret = blkid_do_probe(probe)) == 0)
		if (blkid_do_wipe(probe, 0)) {
			ret = -1;
			break;
		}
	blkid_free_probe(probe);
	return ret < 0 ? -EIO : 0;
}

int mkfs_target_clear(const struct mkfs_options *options, struct volume *vol)
{
	u64 blocks = vol->bytes / VEXFS_BLOCK_SIZE;
	u8 zeros[VEXFS_BLOCK_SIZE] = { 0 };
	u64 tail = vol->bytes % VEXFS_BLOCK_SIZE;
	int ret;

	if (!options->keep)
		discard(options, vol);
	ret = wipe_signatures(vol);
	if (!ret)
		ret = volume_zero(vol, 0, WIPE_BLOCKS);
	if (!ret)
		ret = volume_zero(vol, blocks - WIPE_BLOCKS, WIPE_BLOCKS);
	if (!ret && tail && pwrite(vol->fd, zeros, tail,
				   (off_t)(vol->bytes - tail)) < 0)
		ret = -errno;
	if (!ret && fsync(vol->fd))
		ret = -errno;
	if (ret)
		mkfs_error("%s: cannot clear away what is there: %s",
			   options->target, strerror(-ret));
	return ret;
}
