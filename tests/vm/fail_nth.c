// SPDX-License-Identifier: Apache-2.0
/*
 * Makes the n-th memory allocation of an operation fail, for n = 1, 2, ...
 * until the operation gets by without a failure. Whatever error comes of it,
 * the volume must stay sound and the kernel must live. Needs a kernel with
 * FAILSLAB and /proc/thread-self/fail-nth (tools/vm/run --vm uml-kasan).
 *
 * Usage: fail_nth DIRECTORY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vexfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define DIM	16
#define ROWS	300
#define TRIES	400

static float rows[ROWS][DIM];
static uint64_t ids[ROWS];

static int fail_fd;

static bool arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	return pwrite(fail_fd, text, length, 0) == length;
}

/* Disarm. Was an allocation made to fail? */
static bool failed(void)
{
	char text[16] = "";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) < 0)
		return false;
	arm(0);
	return atoi(text) == 0;
}

static int op_create(void)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int on_file(const char *name, int flags, int (*use)(int fd))
{
	int fd = open(name, flags | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = use(fd);
	close(fd);
	return ret;
}

static int use_write(int fd)
{
	static char data[300000];

	return write(fd, data, sizeof(data)) < 0 ? -1 : fsync(fd);
}

static int op_write(void) { return on_file("file", O_RDWR, use_write); }
static int op_mkdir(void) { return mkdir("dir", 0755); }
static int op_link(void) { return link("file", "dir/link"); }
static int op_rename(void) { return rename("dir/link", "moved"); }
static int op_symlink(void) { return symlink("target", "dir/symlink"); }
static int op_xattr(void) { return setxattr("file", "user.a", "b", 1, 0); }
static int op_truncate(void) { return truncate("file", 5000); }
static int op_unlink(void) { return unlink("moved"); }

static int use_schema(int fd)
{
	struct vexfs_schema schema = {
		.size = sizeof(schema), .dim = DIM,
		.element = VEXFS_ELEMENT_F32, .metric = VEXFS_METRIC_L2,
		.ids = VEXFS_IDS_OWN,
	};

	return ioctl(fd, VEXFS_IOC_SET_SCHEMA, &schema);
}

static int op_vectors(void)
{
	int fd = open("vectors", O_CREAT | O_RDWR | O_CLOEXEC, 0644), ret;

	if (fd < 0)
		return -1;
	ret = use_schema(fd);
	close(fd);
	return ret;
}

static int use_insert(int fd)
{
	struct vexfs_batch_insert insert = {
		.size = sizeof(insert), .vectors = (uintptr_t)rows,
		.vectors_bytes = sizeof(rows), .count = ROWS,
		.ids = (uintptr_t)ids,
	};

	return ioctl(fd, VEXFS_IOC_BATCH_INSERT, &insert) ? -1 : fsync(fd);
}

static int use_search(int fd)
{
	static struct vexfs_result results[20];
	struct vexfs_knn_search knn = {
		.size = sizeof(knn), .queries = (uintptr_t)rows,
		.queries_bytes = 2 * sizeof(rows[0]), .query_count = 2, .k = 10,
		.results = (uintptr_t)results, .results_bytes = sizeof(results),
	};

	return ioctl(fd, VEXFS_IOC_KNN_SEARCH, &knn);
}

static int use_delete(int fd)
{
	struct vexfs_batch_delete delete = {
		.size = sizeof(delete), .ids = (uintptr_t)ids, .count = 50,
		.flags = VEXFS_DELETE_IGNORE_MISSING,
	};

	return ioctl(fd, VEXFS_IOC_BATCH_DELETE, &delete);
}

static int op_insert(void) { return on_file("vectors", O_RDWR, use_insert); }
static int op_search(void) { return on_file("vectors", O_RDONLY, use_search); }
static int op_delete(void) { return on_file("vectors", O_RDWR, use_delete); }
static int op_empty(void) { return truncate("vectors", 0); }
static int op_remove(void) { return unlink("vectors"); }

static const struct operation {
	const char *name;
	int (*run)(void);
} operations[] = {
	{ "create", op_create }, { "write", op_write }, { "mkdir", op_mkdir },
	{ "link", op_link }, { "rename", op_rename },
	{ "symlink", op_symlink }, { "setxattr", op_xattr },
	{ "truncate", op_truncate }, { "unlink", op_unlink },
	{ "set schema", op_vectors }, { "insert", op_insert },
	{ "search", op_search }, { "delete", op_delete },
	{ "empty", op_empty }, { "remove", op_remove },
};

/* Returns how many allocations were made to fail before it got by, or -1. */
static int run(const struct operation *operation)
{
	int n;

	for (n = 1; n < TRIES; n++) {
		if (!arm(n))
			return -1;
		(void)operation->run();
		if (!failed())
			return n - 1;
	}
	return -1;
}

int main(int argc, char **argv)
{
	unsigned int i, bad = 0;
	int n;

	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "Usage: fail_nth DIRECTORY\n");
		return 2;
	}
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0) {
		printf("ok skip: this kernel cannot make allocations fail\n");
		return 0;
	}
	for (i = 0; i < ROWS; i++) {
		ids[i] = 1000 - 3 * i;
		rows[i][i % DIM] = (float)i;
	}
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		n = run(&operations[i]);
		if (n < 0)
			bad++;
		printf("%s %s, %d allocations failed first\n",
		       n < 0 ? "not ok" : "ok", operations[i].name, n);
	}
	return bad != 0;
}
