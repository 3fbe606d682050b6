// SPDX-License-Identifier: Apache-2.0
/*
 * Does with a volume what people do: mounts it, reads all of it, searches it,
 * changes and removes what it can, and unmounts it. For damaged volumes: no
 * error of a call matters, only that the kernel lives and says what it found.
 *
 * Usage: use_volume -n IMAGE. Works on a copy: $VEXFS_COPY, the file behind the
 * block device $VEXFS_LOOP. Exit status as of fsck: 4 if the kernel found
 * damage, else 0.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define TOP "/mnt/damaged"
#define LOG_READ_ALL 3
#define LOG_CLEAR 5

static char buffer[1 << 20];

static void read_attributes(const char *path)
{
	char names[8192], value[8192];
	ssize_t bytes = llistxattr(path, names, sizeof(names));
	char *name;

	for (name = names; bytes > 0 && name < names + bytes;
	     name += strlen(name) + 1)
		(void)lgetxattr(path, name, value, sizeof(value));
}

/* Read attributes, search for rows without any, and set some. */
static void use_columns(int fd, const struct vexfs_schema *schema,
			struct vexfs_knn_search knn, const uint64_t *ids)
{
	uint64_t program[3] = { 1, VEXFS_FILTER_NULL, 0 };
	static uint64_t records[256 * 17];
	struct vexfs_attributes attributes = {
		.size = sizeof(attributes), .ids = (uintptr_t)ids, .count = 256,
		.attributes = (uintptr_t)records,
		.attributes_bytes = 256 *
				    VEXFS_ATTRIBUTE_BYTES(schema->column_count),
		.strings = (uintptr_t)buffer, .strings_bytes = sizeof(buffer),
	};

	knn.filter = (uintptr_t)program;
	knn.filter_bytes = sizeof(program);
	(void)ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn);
	(void)ioctl(fd, VEXFS_IOC_GET_ATTRIBUTES, &attributes);
	attributes.count = 1;
	attributes.attributes_bytes =
		VEXFS_ATTRIBUTE_BYTES(schema->column_count);
	attributes.columns = 1;
	records[0] = 1;
	records[1] = 1;
	(void)ioctl(fd, VEXFS_IOC_SET_ATTRIBUTES, &attributes);
}

/* Search the file, read its rows, delete one and insert one. */
static void use_rows(int fd)
{
	struct vexfs_schema schema = { .size = sizeof(schema) };
	struct vexfs_knn_search knn = { .size = sizeof(knn) };
	struct vexfs_get_vectors get = { .size = sizeof(get) };
	struct vexfs_batch_delete delete = { .size = sizeof(delete) };
	struct vexfs_batch_insert insert = { .size = sizeof(insert) };
	struct vexfs_result results[4];
	static char row[65535 * 4];
	uint64_t ids[256], id = 0x123456789;

	if (ioctl(fd, VEXFS_IOC_GET_SCHEMA, &schema))
		return;
	knn.queries = (uintptr_t)row;
	knn.queries_bytes = schema.row_bytes;
	knn.query_count = 1;
	knn.k = 4;
	knn.results = (uintptr_t)results;
	knn.results_bytes = sizeof(results);
	(void)ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn);
	get.flags = VEXFS_GET_SCAN;
	get.ids = (uintptr_t)ids;
	get.count = sizeof(ids) / sizeof(ids[0]);
	if (!ioctl(fd, VEXFS_IOC_GET_VECTORS, &get) && get.returned == 256 &&
	    schema.column_count)
		use_columns(fd, &schema, knn, ids);
	while (!ioctl(fd, VEXFS_IOC_GET_VECTORS, &get) && get.returned)
		;
	delete.ids = (uintptr_t)ids;
	delete.count = 1;
	(void)ioctl(fd, VEXFS_IOC_BATCH_DELETE, &delete);
	insert.vectors = (uintptr_t)row;
	insert.vectors_bytes = schema.row_bytes;
	insert.count = 1;
	insert.ids = schema.ids == VEXFS_IDS_OWN ? (uintptr_t)&id : 0;
	(void)ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert);
	(void)fsync(fd);
}

static int visit(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	int fd;

	(void)type;
	(void)ftw;
	read_attributes(path);
	if (S_ISLNK(st->st_mode))
		(void)readlink(path, buffer, sizeof(buffer));
	if (!S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	(void)pread(fd, buffer, sizeof(buffer), 0);
	(void)pread(fd, buffer, sizeof(buffer), st->st_size / 2);
	use_rows(fd);
	close(fd);
	return 0;
}

static int erase(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	(void)type;
	if (ftw->level)
		(void)(S_ISDIR(st->st_mode) ? rmdir(path) : unlink(path));
	return 0;
}

static void make_things(void)
{
	int fd = open(TOP "/new-file", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	if (fd >= 0) {
		(void)!write(fd, buffer, 200000);
		(void)fsync(fd);
		(void)ftruncate(fd, 5000);
		close(fd);
	}
	(void)mkdir(TOP "/new-directory", 0755);
	(void)rename(TOP "/new-file", TOP "/new-directory/file");
	(void)symlink("target", TOP "/new-link");
}

/* Did the module say that something is wrong with the volume? */
static bool damage_found(void)
{
	int bytes = klogctl(LOG_READ_ALL, buffer, sizeof(buffer) - 1);

	buffer[bytes > 0 ? bytes : 0] = 0;
	return strstr(buffer, "damage found") ||
	       strstr(buffer, ": superblock: ") || strstr(buffer, "cannot") ||
	       strstr(buffer, "features") || strstr(buffer, "JBD2") ||
	       strstr(buffer, "was cut off");
}

static bool copy_image(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CLOEXEC);
	ssize_t got = -1;

	while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, got) != got)
			got = -1;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return !got;
}

int main(int argc, char **argv)
{
	const char *device = getenv("VEXFS_LOOP"), *copy = getenv("VEXFS_COPY");
	int tries;

	if (argc != 3 || !device || !copy || !copy_image(argv[2], copy)) {
		fprintf(stderr, "use_volume: wants VEXFS_LOOP, VEXFS_COPY and -n IMAGE\n");
		return 2;
	}
	klogctl(LOG_CLEAR, NULL, 0);
	if (!mount(device, TOP, "vexfs", 0, "errors=continue")) {
		nftw(TOP, visit, 32, FTW_PHYS);
		make_things();
		nftw(TOP, erase, 32, FTW_PHYS | FTW_DEPTH);
		sync();
		for (tries = 0; umount(TOP) && tries < 100; tries++)
			usleep(10000);
		if (tries == 100)
			abort();
	}
	return damage_found() ? 4 : 0;
}
