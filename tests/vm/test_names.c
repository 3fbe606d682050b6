// SPDX-License-Identifier: Apache-2.0
/*
 * Directories and what is in them: creating, renaming, linking, listing,
 * symbolic links of every length, special files, deleted files that are open,
 * large directories.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include "check.h"

#define MANY 20000

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		FAIL("cannot create %.40s: %s", path, strerror(errno));
	else
		close(fd);
}

static long long links_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (long long)st.st_nlink;
}

static long long inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (long long)st.st_ino;
}

static int rename_flags(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static unsigned int entries_of(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int count = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_create(void)
{
	char name[300];
	int length, fd;

	touch("a");
	ERR(EEXIST, open("a", O_CREAT | O_EXCL | O_WRONLY, 0644));
	ERR(ENOENT, open("b", O_RDONLY));
	ERR(ENOENT, open("none/b", O_CREAT | O_WRONLY, 0644));
	ERR(ENOTDIR, open("a/b", O_CREAT | O_WRONLY, 0644));
	ERR(EEXIST, mkdir("a", 0755));
	ERR(ENOTDIR, rmdir("a"));
	OK(mkdir("d", 0755));
	ERR(EISDIR, unlink("d"));
	ERR(EISDIR, open("d", O_WRONLY));
	ERR(EEXIST, mkdir("d", 0755));
	for (length = 1; length <= 255; length++) {
		memset(name, 'x', length);
		name[length] = 0;
		touch(name);
	}
	memset(name, 'x', 256);
	name[256] = 0;
	ERR(ENAMETOOLONG, open(name, O_CREAT | O_WRONLY, 0644));
	ERR(ENAMETOOLONG, mkdir(name, 0755));
	for (length = 255; length >= 1; length--) {
		name[length] = 0;
		OK(unlink(name));
	}
	SAME(entries_of("."), 4);
	/* a name is bytes: all of them but two */
	for (length = 1; length < 256; length++) {
		if (length == '/')
			continue;
		snprintf(name, sizeof(name), "q%c", length);
		touch(name);
	}
	SAME(entries_of("."), 4 + 254);
	touch("Case");
	ERR(ENOENT, open("case", O_RDONLY));
	fd = open("d", O_RDONLY | O_DIRECTORY);
	OK(fd);
	OK(rmdir("d"));
	ERR(ENOENT, openat(fd, "x", O_CREAT | O_WRONLY, 0644));
	ERR(ENOENT, mkdirat(fd, "x", 0755));
	close(fd);
}

static void test_rename(void)
{
	long long a, b;

	touch("a");
	touch("b");
	a = inode_of("a");
	b = inode_of("b");
	ERR(EEXIST, rename_flags("a", "b", RENAME_NOREPLACE));
	OK(rename_flags("a", "c", RENAME_NOREPLACE));
	SAME(inode_of("c"), a);
	ERR(ENOENT, rename("a", "x"));
	OK(rename("c", "b"));
	SAME(inode_of("b"), a);
	SAME(inode_of("c"), -1);
	touch("c");
	b = inode_of("c");
	OK(rename_flags("b", "c", RENAME_EXCHANGE));
	SAME(inode_of("b"), b);
	SAME(inode_of("c"), a);
	ERR(ENOENT, rename_flags("b", "none", RENAME_EXCHANGE));
	ERR(EINVAL, rename_flags("b", "c", RENAME_EXCHANGE | RENAME_NOREPLACE));
	ERR(EINVAL, rename_flags("b", "c", 1U << 20));
	/* two names of one file: nothing happens */
	OK(link("b", "b2"));
	OK(rename("b", "b2"));
	SAME(inode_of("b"), b);
	SAME(inode_of("b2"), b);
	OK(rename("b", "b"));
	SAME(links_of("b"), 2);
	OK(rename("c", "b2"));
	SAME(links_of("b"), 1);
}

static void test_rename_directory(void)
{
	long long up;

	OK(mkdir("p", 0755));
	OK(mkdir("q", 0755));
	OK(mkdir("p/s", 0755));
	touch("f");
	touch("p/s/f");
	SAME(links_of("p"), 3);
	SAME(links_of("q"), 2);
	ERR(EINVAL, rename("p", "p/s/in"));
	ERR(EISDIR, rename("f", "q"));
	ERR(ENOTDIR, rename("q", "f"));
	OK(rename("p/s", "q/s"));
	SAME(links_of("p"), 2);
	SAME(links_of("q"), 3);
	up = inode_of("q");
	SAME(inode_of("q/s/.."), up);
	CHECK(inode_of("q/s/f") > 0);
	errno = 0;
	CHECK(rename("p", "q") == -1 &&
	      (errno == ENOTEMPTY || errno == EEXIST));
	OK(mkdir("r", 0755));
	OK(rename("q", "r"));
	SAME(inode_of("r"), up);
	SAME(links_of("r"), 3);
	/* a directory for a file, in different directories */
	OK(rename_flags("r/s", "f", RENAME_EXCHANGE));
	SAME(links_of("r"), 2);
	SAME(inode_of("f/.."), inode_of("."));
	SAME(links_of("."), 2 + 3);
	OK(mkdir("r/t", 0755));
	OK(rename_flags("r/t", "f", RENAME_EXCHANGE));
	SAME(inode_of("r/t/.."), up);
	CHECK(inode_of("r/t/f") > 0);
	SAME(links_of("r"), 3);
	ERR(ENOTEMPTY, rmdir("r"));
	ERR(EINVAL, rmdir("r/."));
	check_remount();
	SAME(links_of("."), 2 + 3);
	SAME(links_of("r"), 3);
	SAME(inode_of("r/t/.."), inode_of("r"));
}

static void test_links(void)
{
	struct stat st;
	int fd, i;
	char name[20];

	touch("a");
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		OK(link("a", name));
	}
	SAME(links_of("a"), 501);
	ERR(EEXIST, link("a", "l3"));
	OK(mkdir("d", 0755));
	ERR(EPERM, link("d", "e"));
	check_remount();
	SAME(links_of("l77"), 501);
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		OK(unlink(name));
	}
	SAME(links_of("a"), 1);
	/* a file without a name, that gets one */
	fd = open(".", O_TMPFILE | O_RDWR, 0640);
	OK(fd);
	OK(fstat(fd, &st));
	SAME(st.st_nlink, 0);
	SAME(write(fd, "hello", 5), 5);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, name, AT_FDCWD, "t", AT_SYMLINK_FOLLOW));
	SAME(links_of("t"), 1);
	close(fd);
	OK(stat("t", &st));
	SAME(st.st_size, 5);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
	OK(fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ERR(ENOENT, linkat(AT_FDCWD, name, AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	close(fd);
}

static void symlink_target(char *target, int length)
{
	int i;

	for (i = 0; i < length; i++)
		target[i] = (char)('a' + (i * 7 + length) % 26);
	target[length] = 0;
}

static void check_symlinks(int step)
{
	char target[4200], found[4200], name[20];
	struct stat st;
	int length;

	for (length = 1; length <= 4095; length += step) {
		symlink_target(target, length);
		snprintf(name, sizeof(name), "s%d", length);
		if (lstat(name, &st) || st.st_size != length)
			FAIL("size of a symbolic link of %d bytes", length);
		if (readlink(name, found, sizeof(found)) != length ||
		    memcmp(found, target, length))
			FAIL("a symbolic link of %d bytes", length);
	}
}

static void test_symlinks(void)
{
	char target[4200], name[20];
	struct stat st;
	int length;

	for (length = 1; length <= 4095; length++) {
		symlink_target(target, length);
		snprintf(name, sizeof(name), "s%d", length);
		if (symlink(target, name))
			FAIL("symbolic link of %d bytes: %s", length,
			     strerror(errno));
	}
	check_symlinks(1);
	symlink_target(target, 4096);
	ERR(ENAMETOOLONG, symlink(target, "toolong"));
	check_remount();
	check_symlinks(1);
	/* walked through, short and long */
	touch("file");
	OK(symlink("file", "short"));
	SAME(stat("short", &st), 0);
	for (length = 0; length < 4000; length += 2)
		memcpy(target + length, "./", 2);
	strcpy(target + length, "file");
	OK(symlink(target, "long"));
	SAME(stat("long", &st), 0);
	OK(symlink("loop", "loop"));
	ERR(ELOOP, stat("loop", &st));
	ERR(ENOENT, symlink("", "empty"));
	for (length = 1; length <= 4095; length++) {
		snprintf(name, sizeof(name), "s%d", length);
		OK(unlink(name));
	}
}

static void check_special(const char *path, mode_t mode, dev_t rdev)
{
	struct stat st;

	OK(lstat(path, &st));
	SAME(st.st_mode & S_IFMT, mode);
	SAME(st.st_rdev, rdev);
}

static void test_special(void)
{
	int fd;

	OK(mknod("fifo", S_IFIFO | 0600, 0));
	OK(mknod("socket", S_IFSOCK | 0600, 0));
	OK(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	OK(mknod("block", S_IFBLK | 0600, makedev(4095, 1048575)));
	ERR(EEXIST, mknod("fifo", S_IFIFO | 0600, 0));
	check_remount();
	check_special("fifo", S_IFIFO, 0);
	check_special("socket", S_IFSOCK, 0);
	check_special("null", S_IFCHR, makedev(1, 3));
	check_special("block", S_IFBLK, makedev(4095, 1048575));
	fd = open("null", O_WRONLY);
	OK(fd);
	SAME(write(fd, "x", 1), 1);
	close(fd);
	fd = open("fifo", O_RDWR);
	OK(fd);
	SAME(write(fd, "x", 1), 1);
	close(fd);
	OK(rename("fifo", "fifo2"));
	OK(unlink("fifo2"));
}

/* Space that is free after all that was deleted has been committed. */
static long long free_blocks(void)
{
	struct statfs st;

	sync();
	OK(statfs(".", &st));
	return st.f_bfree;
}

static void test_deleted_open(void)
{
	static char data[1 << 20], back[1 << 20];
	long long before = free_blocks();
	struct stat st;
	int fd, i;

	for (i = 0; i < (int)sizeof(data); i++)
		data[i] = (char)(i * 31 >> 3);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	OK(fd);
	SAME(write(fd, data, sizeof(data)), sizeof(data));
	OK(fsync(fd));
	OK(unlink("f"));
	OK(fstat(fd, &st));
	SAME(st.st_nlink, 0);
	SAME(pwrite(fd, data, sizeof(data), sizeof(data)), sizeof(data));
	OK(fsync(fd));
	CHECK(free_blocks() <= before - 512);
	for (i = 0; i < 2; i++) {
		SAME(pread(fd, back, sizeof(back), i * sizeof(data)),
		     sizeof(back));
		CHECK(!memcmp(data, back, sizeof(back)));
	}
	close(fd);
	CHECK(free_blocks() >= before - 4);
}

static void name_many(char *name, int i)
{
	sprintf(name, "name-%d%s", i, i % 5 ? "" : "-with-some-more-bytes-to-it");
}

/* Every tenth is a file, the others are links to it: inodes are few. */
static void make_many(int count)
{
	char name[64], file[64] = "";
	int i;

	for (i = 0; i < count; i++) {
		name_many(name, i);
		if (i % 10 == 0) {
			touch(name);
			strcpy(file, name);
		} else {
			OK(link(file, name));
		}
	}
}

static int number_of(const char *name)
{
	int i = -1;

	return sscanf(name, "name-%d", &i) == 1 && i < MANY ? i : -1;
}

/* Every name appears once, with its own inode number and type. */
static void list_many(const char *path, const bool *present)
{
	static unsigned char seen[MANY];
	struct dirent *entry;
	DIR *dir = opendir(path);
	int i, wrong = 0;

	memset(seen, 0, sizeof(seen));
	CHECK(dir);
	while (dir && (entry = readdir(dir))) {
		i = number_of(entry->d_name);
		if (i < 0)
			continue;
		seen[i]++;
		wrong += entry->d_type != DT_REG;
	}
	closedir(dir);
	for (i = 0; i < MANY; i++)
		wrong += seen[i] != (present ? present[i] : 1);
	SAME(wrong, 0);
}

static void seek_many(void)
{
	static long place[MANY + 2];
	static char name[MANY + 2][64];
	DIR *dir = opendir(".");
	struct dirent *entry;
	int count = 0, i, wrong = 0;

	CHECK(dir);
	do {
		place[count] = telldir(dir);
		entry = readdir(dir);
		if (entry)
			strcpy(name[count++], entry->d_name);
	} while (entry && count < MANY + 2);
	for (i = 0; i < 500; i++) {
		int at = (int)((i * 7919U) % (unsigned int)count);

		seekdir(dir, place[at]);
		entry = readdir(dir);
		wrong += !entry || strcmp(entry->d_name, name[at]);
	}
	SAME(wrong, 0);
	rewinddir(dir);
	entry = readdir(dir);
	CHECK(entry && !strcmp(entry->d_name, name[0]));
	closedir(dir);
}

/* What is there all the time is listed once, whatever comes and goes. */
static void list_while_changing(const bool *present)
{
	static unsigned char seen[MANY];
	DIR *dir = opendir(".");
	struct dirent *entry;
	int i, wrong = 0, other = 0;
	char name[64];

	memset(seen, 0, sizeof(seen));
	while ((entry = readdir(dir))) {
		i = number_of(entry->d_name);
		if (i >= 0)
			seen[i]++;
		if (other < 3000) {
			sprintf(name, "other-%d", other);
			touch(name);
			if (other++ % 2)
				OK(unlink(name));
		}
	}
	closedir(dir);
	for (i = 0; i < MANY; i++)
		wrong += seen[i] != present[i];
	SAME(wrong, 0);
	for (i = 0; i < other; i += 2) {
		sprintf(name, "other-%d", i);
		OK(unlink(name));
	}
}

static void test_many(void)
{
	static bool present[MANY];
	struct stat st;
	char name[64];
	int i, wrong = 0;

	make_many(MANY);
	for (i = 0; i < MANY; i++)
		present[i] = true;
	list_many(".", NULL);
	seek_many();
	for (i = 0; i < MANY; i += 3) {
		name_many(name, i);
		OK(unlink(name));
		present[i] = false;
	}
	list_many(".", present);
	list_while_changing(present);
	check_remount();
	list_many(".", present);
	for (i = 0; i < MANY; i++) {
		name_many(name, i);
		wrong += !lstat(name, &st) != present[i];
	}
	SAME(wrong, 0);
	OK(chdir(".."));
	ERR(ENOTEMPTY, rmdir("many"));
	OK(chdir("many"));
}

/* rm -r: names vanish while they are listed. */
static void test_many_removed(void)
{
	struct dirent *entry;
	DIR *dir;

	OK(mkdir("d", 0755));
	OK(chdir("d"));
	make_many(5000);
	dir = opendir(".");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			OK(unlink(entry->d_name));
	closedir(dir);
	SAME(entries_of("."), 2);
	OK(chdir(".."));
	OK(rmdir("d"));
}

static void test_directories(void)
{
	char name[64];
	struct stat st;
	int i;

	for (i = 0; i < 300; i++) {
		sprintf(name, "d%d", i);
		OK(mkdir(name, 0755));
	}
	SAME(links_of("."), 302);
	OK(stat(".", &st));
	SAME(inode_of("d5/.."), st.st_ino);
	check_remount();
	SAME(links_of("."), 302);
	for (i = 0; i < 300; i += 2) {
		sprintf(name, "d%d", i);
		OK(rmdir(name));
	}
	SAME(links_of("."), 152);
	/* deep */
	for (i = 0; i < 200; i++) {
		OK(mkdir("deep", 0755));
		OK(chdir("deep"));
	}
	SAME(links_of("."), 2);
	for (i = 0; i < 200; i++) {
		OK(chdir(".."));
		OK(rmdir("deep"));
	}
	SAME(links_of("."), 152);
}

struct handle {
	struct file_handle head;
	unsigned char room[MAX_HANDLE_SZ];
};

static void test_handles(void)
{
	struct handle file = { .head.handle_bytes = MAX_HANDLE_SZ };
	struct handle dir = { .head.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, mount_fd, fd;
	struct stat st;

	touch("f");
	OK(mkdir("d", 0755));
	mount_fd = open(".", O_RDONLY);
	OK(mount_fd);
	OK(name_to_handle_at(AT_FDCWD, "f", &file.head, &mount_id, 0));
	OK(name_to_handle_at(AT_FDCWD, "d", &dir.head, &mount_id, 0));
	fd = open_by_handle_at(mount_fd, &file.head, O_RDWR);
	OK(fd);
	OK(fstat(fd, &st));
	SAME(st.st_ino, inode_of("f"));
	close(fd);
	fd = open_by_handle_at(mount_fd, &dir.head, O_RDONLY);
	OK(fd);
	close(fd);
	OK(unlink("f"));
	touch("g");
	ERR(ESTALE, open_by_handle_at(mount_fd, &file.head, O_RDWR));
	close(mount_fd);
}

static void test_statfs(void)
{
	struct statfs st;

	OK(statfs(".", &st));
	SAME(st.f_namelen, 255);
	SAME(st.f_bsize, 4096);
	CHECK(st.f_bfree <= st.f_blocks && st.f_bavail <= st.f_bfree);
	CHECK(st.f_ffree < st.f_files);
	SAME(st.f_type, 0x53465856);
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "create", test_create },
		{ "rename", test_rename },
		{ "rename_directory", test_rename_directory },
		{ "links", test_links },
		{ "symlinks", test_symlinks },
		{ "special", test_special },
		{ "deleted_open", test_deleted_open },
		{ "many", test_many },
		{ "many_removed", test_many_removed },
		{ "directories", test_directories },
		{ "handles", test_handles },
		{ "statfs", test_statfs },
	};

	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
