// SPDX-License-Identifier: Apache-2.0
/*
 * What inodes carry besides data: extended attributes, access control lists,
 * the flags of chattr(1), owners and permissions, times.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <linux/fs.h>
#include <linux/posix_acl_xattr.h>
#include <linux/posix_acl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "check.h"

#define USER	1234		/* somebody who is not root */
#define ATTRS	40

static void touch(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);

	if (fd < 0)
		FAIL("cannot create %s: %s", path, strerror(errno));
	else
		close(fd);
}

static int mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void test_xattr(void)
{
	char value[300], list[2000];
	char name[300];

	touch("f", 0644);
	SAME(listxattr("f", list, sizeof(list)), 0);
	ERR(ENODATA, getxattr("f", "user.a", value, sizeof(value)));
	ERR(ENODATA, removexattr("f", "user.a"));
	ERR(ENODATA, setxattr("f", "user.a", "1", 1, XATTR_REPLACE));
	OK(setxattr("f", "user.a", "1", 1, XATTR_CREATE));
	ERR(EEXIST, setxattr("f", "user.a", "1", 1, XATTR_CREATE));
	OK(setxattr("f", "user.a", "three", 5, XATTR_REPLACE));
	SAME(getxattr("f", "user.a", NULL, 0), 5);
	ERR(ERANGE, getxattr("f", "user.a", value, 4));
	SAME(getxattr("f", "user.a", value, sizeof(value)), 5);
	CHECK(!memcmp(value, "three", 5));
	OK(setxattr("f", "user.empty", "", 0, 0));
	SAME(getxattr("f", "user.empty", value, sizeof(value)), 0);
	OK(setxattr("f", "trusted.t", "x", 1, 0));
	OK(setxattr("f", "security.s", "y", 1, 0));
	SAME(listxattr("f", list, sizeof(list)), 7 + 11 + 10 + 11);
	ERR(ERANGE, listxattr("f", list, 20));
	ERR(EOPNOTSUPP, setxattr("f", "nothing.x", "y", 1, 0));
	ERR(EOPNOTSUPP, setxattr("f", "vexfs.nothing", "y", 1, 0));
	ERR(EINVAL, setxattr("f", "user.", "y", 1, 0));
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[255] = 0;
	OK(setxattr("f", name, "long", 4, 0));
	SAME(getxattr("f", name, value, sizeof(value)), 4);
	name[255] = 'n';
	name[256] = 0;
	ERR(ERANGE, setxattr("f", name, "long", 4, 0));
	OK(symlink("f", "s"));
	ERR(EPERM, lsetxattr("s", "user.a", "1", 1, 0));
	OK(lsetxattr("s", "trusted.a", "1", 1, 0));
	SAME(lgetxattr("s", "trusted.a", value, sizeof(value)), 1);
	OK(mkdir("d", 0755));
	OK(setxattr("d", "user.a", "dir", 3, 0));
	check_remount();
	SAME(getxattr("d", "user.a", value, sizeof(value)), 3);
	SAME(getxattr("f", "user.a", value, sizeof(value)), 5);
	SAME(lgetxattr("s", "trusted.a", value, sizeof(value)), 1);
	OK(removexattr("f", "user.a"));
	ERR(ENODATA, getxattr("f", "user.a", value, sizeof(value)));
}

/* All the room is used, too much is refused, and blocks come back. */
static void test_xattr_full(void)
{
	static char value[70000], back[70000];
	struct stat before, after;
	char name[40];
	int i, used;

	memset(value, 'v', sizeof(value));
	touch("f", 0644);
	OK(stat("f", &before));
	ERR(ENOSPC, setxattr("f", "user.big", value, 4096, 0));
	ERR(ENOSPC, setxattr("f", "user.big", value, 65536, 0));
	ERR(E2BIG, setxattr("f", "user.big", value, 65537, 0));
	OK(stat("f", &after));
	SAME(after.st_blocks, before.st_blocks);
	OK(setxattr("f", "user.big", value, 4000, 0));
	ERR(ENOSPC, setxattr("f", "user.more", "1", 1, 0));
	ERR(ENOSPC, setxattr("f", "user.big", value, 4050, 0));
	SAME(getxattr("f", "user.big", back, sizeof(back)), 4000);
	CHECK(!memcmp(value, back, 4000));
	OK(setxattr("f", "user.big", value, 10, 0));
	for (used = 0; used < 1000; used++) {
		snprintf(name, sizeof(name), "user.%d", used);
		if (setxattr("f", name, value, 50, 0))
			break;
	}
	SAME(errno, ENOSPC);
	CHECK(used > 50);
	OK(stat("f", &after));
	SAME(after.st_blocks, before.st_blocks + 8);
	for (i = 0; i < used; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		SAME(getxattr("f", name, back, sizeof(back)), 50);
		OK(removexattr("f", name));
	}
	OK(removexattr("f", "user.big"));
	OK(stat("f", &after));
	SAME(after.st_blocks, before.st_blocks);
}

/* Random changes of up to ATTRS attributes, against a table. */
static void test_xattr_random(void)
{
	static char value[ATTRS][300], back[300];
	static int size[ATTRS];
	uint32_t random = 12345;
	char name[60];
	int i, n, k, wrong = 0, refused = 0;

	touch("f", 0644);
	for (i = 0; i < ATTRS; i++)
		size[i] = -1;
	for (n = 0; n < 4000; n++) {
		random = random * 1664525 + 1013904223;
		i = random >> 16 & 0xff;
		k = (random >> 8 & 0xff) + (random >> 24 & 31);
		if (i >= ATTRS)
			continue;
		snprintf(name, sizeof(name), "%s.%.*s%d",
			 i % 3 ? "user" : i % 2 ? "trusted" : "security", i % 7,
			 "abcdefgh", i);
		if (random >> 30) {
			memset(back, 'a' + n % 26, k);
			if (!setxattr("f", name, back, k, 0)) {
				memcpy(value[i], back, k);
				size[i] = k;
			} else {
				wrong += errno != ENOSPC;
				refused++;
			}
		} else {
			wrong += !removexattr("f", name) != (size[i] >= 0);
			size[i] = -1;
		}
		if (n == 2000)
			check_remount();
		k = getxattr("f", name, back, sizeof(back));
		wrong += k != size[i] ||
			 (k > 0 && memcmp(back, value[i], k));
	}
	SAME(wrong, 0);
	CHECK(refused > 0);
}

static void as_user_xattr(void)
{
	char list[1000], value[10];

	ERR(EPERM, setxattr("f", "trusted.u", "x", 1, 0));
	ERR(ENODATA, getxattr("f", "trusted.t", value, sizeof(value)));
	ERR(EACCES, setxattr("f", "user.x", "x", 1, 0));
	SAME(getxattr("f", "user.a", value, sizeof(value)), 1);
	SAME(listxattr("f", list, sizeof(list)), 7);
	ERR(EACCES, getxattr("private", "user.a", value, sizeof(value)));
}

static void test_xattr_user(void)
{
	touch("f", 0644);
	OK(setxattr("f", "user.a", "1", 1, 0));
	OK(setxattr("f", "trusted.t", "1", 1, 0));
	touch("private", 0600);
	OK(setxattr("private", "user.a", "1", 1, 0));
	check_as(USER, as_user_xattr);
}

struct acl {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entry[6];
};

/* user rwx-like bits, USER's, group's, mask, others' */
static size_t acl_make(struct acl *acl, int user, int named, int group,
		       int mask, int other)
{
	const struct posix_acl_xattr_entry entries[] = {
		{ ACL_USER_OBJ, user, ACL_UNDEFINED_ID },
		{ ACL_USER, named, USER },
		{ ACL_GROUP_OBJ, group, ACL_UNDEFINED_ID },
		{ ACL_MASK, mask, ACL_UNDEFINED_ID },
		{ ACL_OTHER, other, ACL_UNDEFINED_ID },
	};

	acl->head.a_version = POSIX_ACL_XATTR_VERSION;
	memcpy(acl->entry, entries, sizeof(entries));
	return sizeof(acl->head) + sizeof(entries);
}

static void as_user_acl(void)
{
	int fd = open("f", O_RDWR);

	OK(fd);
	close(fd);
	ERR(EACCES, open("g", O_RDONLY));
	ERR(EPERM, removexattr("f", "system.posix_acl_access"));
}

static void test_acl(void)
{
	struct acl acl, back;
	size_t size = acl_make(&acl, 6, 6, 4, 6, 0);
	char list[200];

	touch("f", 0600);
	touch("g", 0600);
	OK(setxattr("f", "system.posix_acl_access", &acl, size, 0));
	SAME(mode_of("f"), 0660);
	SAME(listxattr("f", list, sizeof(list)), 24);
	check_as(USER, as_user_acl);
	check_remount();
	SAME(getxattr("f", "system.posix_acl_access", &back, sizeof(back)),
	     size);
	CHECK(!memcmp(&acl, &back, size));
	check_as(USER, as_user_acl);
	/* chmod moves the mask */
	OK(chmod("f", 0640));
	SAME(getxattr("f", "system.posix_acl_access", &back, sizeof(back)),
	     size);
	SAME(back.entry[3].e_perm, 4);
	OK(removexattr("f", "system.posix_acl_access"));
	ERR(ENODATA, getxattr("f", "system.posix_acl_access", &back,
			      sizeof(back)));
	/* three entries are just a mode */
	acl.entry[1] = acl.entry[2];
	acl.entry[2] = acl.entry[4];
	OK(setxattr("g", "system.posix_acl_access", &acl,
		    sizeof(acl.head) + 3 * sizeof(acl.entry[0]), 0));
	SAME(mode_of("g"), 0640);
	SAME(listxattr("g", list, sizeof(list)), 0);
	acl.head.a_version = 77;
	ERR(EOPNOTSUPP, setxattr("g", "system.posix_acl_access", &acl,
				 sizeof(acl.head) + 3 * sizeof(acl.entry[0]),
				 0));
	OK(symlink("f", "s"));
	ERR(EOPNOTSUPP, lsetxattr("s", "system.posix_acl_access", &acl, size,
				  0));
}

static void test_acl_default(void)
{
	struct acl acl, back;
	size_t size = acl_make(&acl, 7, 6, 5, 7, 0);

	OK(mkdir("d", 0755));
	OK(setxattr("d", "system.posix_acl_default", &acl, size, 0));
	touch("f", 0644);
	ERR(EACCES, setxattr("f", "system.posix_acl_default", &acl, size, 0));
	umask(077);
	touch("d/f", 0666);
	OK(mkdir("d/s", 0777));
	touch("plain", 0666);
	umask(022);
	/* the list takes the umask's place */
	SAME(mode_of("d/f"), 0660);
	SAME(mode_of("d/s"), 0770);
	SAME(mode_of("plain"), 0600);
	check_remount();
	SAME(getxattr("d/f", "system.posix_acl_access", &back, sizeof(back)),
	     size);
	SAME(back.entry[1].e_perm, 6);
	SAME(back.entry[3].e_perm, 6);
	SAME(getxattr("d/s", "system.posix_acl_default", &back, sizeof(back)),
	     size);
	CHECK(!memcmp(&acl, &back, size));
	ERR(ENODATA, getxattr("d/f", "system.posix_acl_default", &back,
			      sizeof(back)));
	OK(mkfifo("d/p", 0666));
	SAME(mode_of("d/p"), 0660);
	OK(symlink("f", "d/l"));
}

static void set_flags(const char *path, int flags)
{
	int fd = open(path, O_RDONLY);

	OK(fd);
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
}

static int get_flags(const char *path)
{
	int fd = open(path, O_RDONLY), flags = -1;

	OK(fd);
	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	close(fd);
	return flags;
}

static void as_user_flags(void)
{
	int fd = open("mine", O_RDONLY), flags = FS_IMMUTABLE_FL;

	OK(fd);
	ERR(EPERM, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	flags = FS_NODUMP_FL;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
}

static void test_flags(void)
{
	int fd, flags;

	touch("f", 0644);
	touch("a", 0644);
	OK(mkdir("d", 0755));
	SAME(get_flags("f"), 0);
	set_flags("f", FS_IMMUTABLE_FL);
	set_flags("a", FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL |
		  FS_SYNC_FL);
	set_flags("d", FS_DIRSYNC_FL | FS_NOATIME_FL);
	check_remount();
	SAME(get_flags("f"), FS_IMMUTABLE_FL);
	SAME(get_flags("a"), FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL |
	     FS_SYNC_FL);
	SAME(get_flags("d"), FS_DIRSYNC_FL | FS_NOATIME_FL);
	ERR(EPERM, open("f", O_WRONLY));
	ERR(EPERM, unlink("f"));
	ERR(EPERM, rename("f", "g"));
	ERR(EPERM, link("f", "g"));
	ERR(EPERM, chmod("f", 0600));
	ERR(EPERM, truncate("f", 0));
	ERR(EPERM, setxattr("f", "user.a", "1", 1, 0));
	ERR(EPERM, open("a", O_WRONLY));
	ERR(EPERM, truncate("a", 0));
	ERR(EPERM, unlink("a"));
	fd = open("a", O_WRONLY | O_APPEND);
	OK(fd);
	SAME(write(fd, "abc", 3), 3);
	ERR(EPERM, ftruncate(fd, 0));
	close(fd);
	set_flags("d", FS_APPEND_FL);
	touch("d/x", 0644);
	ERR(EPERM, unlink("d/x"));
	set_flags("d", 0);
	OK(unlink("d/x"));
	set_flags("f", 0);
	set_flags("a", 0);
	OK(unlink("f"));
	fd = open("a", O_RDONLY);
	flags = FS_COMPR_FL;
	ERR(EOPNOTSUPP, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	touch("mine", 0644);
	OK(chown("mine", USER, USER));
	check_as(USER, as_user_flags);
	SAME(get_flags("mine"), FS_NODUMP_FL);
}

static void as_user_sticky(void)
{
	ERR(EPERM, unlink("t/root"));
	ERR(EPERM, rename("t/root", "t/x"));
	ERR(EACCES, unlink("closed/f"));
	ERR(EACCES, open("closed/new", O_CREAT | O_WRONLY, 0644));
	ERR(EACCES, chdir("private"));
	ERR(EACCES, mkdir("new", 0755));
	ERR(EPERM, chmod("t/root", 0777));
	ERR(EPERM, chown("t/root", USER, USER));
	touch("t/user", 0644);
	OK(rename("t/user", "t/user2"));
	OK(unlink("t/user2"));
}

static void test_permissions(void)
{
	struct stat st;

	OK(mkdir("t", 0755));
	OK(chmod("t", 01777));
	touch("t/root", 0644);
	OK(mkdir("closed", 0755));
	touch("closed/f", 0644);
	OK(mkdir("private", 0700));
	check_as(USER, as_user_sticky);
	OK(mkdir("g", 0755));
	OK(chown("g", 0, 4321));
	OK(chmod("g", 02775));
	touch("g/f", 0644);
	OK(mkdir("g/d", 0755));
	OK(stat("g/f", &st));
	SAME(st.st_gid, 4321);
	OK(stat("g/d", &st));
	SAME(st.st_gid, 4321);
	SAME(st.st_mode & 07777, 02755);
	/* a change of owner takes set-user-id away */
	touch("s", 0644);
	OK(chmod("s", 06755));
	check_remount();
	SAME(mode_of("s"), 06755);
	OK(chown("s", USER, 0xfffffffeU));
	OK(stat("s", &st));
	SAME(st.st_mode & 07777, 0755);
	SAME(st.st_uid, USER);
	SAME(st.st_gid, 0xfffffffeU);
}

static void set_times(const char *path, long long seconds, long nanoseconds)
{
	struct timespec times[2] = {
		{ seconds, nanoseconds }, { seconds + 1, nanoseconds },
	};

	OK(utimensat(AT_FDCWD, path, times, 0));
}

static void check_times(const char *path, long long seconds, long nanoseconds)
{
	struct stat st;

	OK(stat(path, &st));
	SAME(st.st_atim.tv_sec, seconds);
	SAME(st.st_atim.tv_nsec, nanoseconds);
	SAME(st.st_mtim.tv_sec, seconds + 1);
	SAME(st.st_mtim.tv_nsec, nanoseconds);
}

static void test_times_kept(void)
{
	touch("a", 0644);
	touch("b", 0644);
	touch("c", 0644);
	set_times("a", 0, 1);
	set_times("b", -123456789LL, 999999999);
	set_times("c", 0x7fffffffffLL, 123456789);
	check_remount();
	check_times("a", 0, 1);
	check_times("b", -123456789LL, 999999999);
	check_times("c", 0x7fffffffffLL, 123456789);
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec :
				      a.tv_nsec > b.tv_nsec;
}

/* Which times did an action move? 'm' and 'c' for the path, 'd' for ".". */
static void check_moves(const char *path, const char *what,
			const struct stat *file, const struct stat *dir)
{
	struct stat now;

	OK(stat(path, &now));
	SAME(later(now.st_mtim, file->st_mtim), !!strchr(what, 'm'));
	SAME(later(now.st_ctim, file->st_ctim), !!strchr(what, 'c'));
	OK(stat(".", &now));
	SAME(later(now.st_mtim, dir->st_mtim), !!strchr(what, 'd'));
	SAME(later(now.st_ctim, dir->st_ctim), !!strchr(what, 'd'));
}

#define MOVES(path, what, action) do {					\
	struct stat file_, dir_;					\
									\
	OK(stat("f", &file_));						\
	OK(stat(".", &dir_));						\
	usleep(30000);							\
	OK(action);							\
	check_moves(path, what, &file_, &dir_);				\
} while (0)

static void test_times_moved(void)
{
	struct statx born, again;
	int fd;

	touch("f", 0644);
	fd = open("f", O_RDWR);
	OK(fd);
	MOVES("f", "mc", write(fd, "abc", 3));
	MOVES("f", "mc", ftruncate(fd, 1));
	MOVES("f", "c", chmod("f", 0600));
	MOVES("f", "c", chown("f", 1, 1));
	MOVES("f", "c", setxattr("f", "user.a", "1", 1, 0));
	MOVES("f", "cd", link("f", "g"));
	MOVES("f", "cd", unlink("g"));
	MOVES("f", "d", mkdir("d", 0755));
	MOVES("f", "d", rmdir("d"));
	MOVES("h", "cd", rename("f", "h"));
	OK(rename("h", "f"));
	OK(statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &born));
	CHECK(born.stx_mask & STATX_BTIME);
	close(fd);
	check_remount();
	fd = open("f", O_RDONLY);
	OK(statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &again));
	SAME(again.stx_btime.tv_sec, born.stx_btime.tv_sec);
	SAME(again.stx_btime.tv_nsec, born.stx_btime.tv_nsec);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct check_one cases[] = {
		{ "xattr", test_xattr },
		{ "xattr_full", test_xattr_full },
		{ "xattr_random", test_xattr_random },
		{ "xattr_user", test_xattr_user },
		{ "acl", test_acl },
		{ "acl_default", test_acl_default },
		{ "flags", test_flags },
		{ "permissions", test_permissions },
		{ "times_kept", test_times_kept },
		{ "times_moved", test_times_moved },
	};

	umask(022);
	return check_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
