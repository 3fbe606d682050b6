/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few words for test programs that run as root on a mounted filesystem:
 * cases with names, checks that say what was expected, and a remount.
 *
 * Usage of such a program: PROGRAM DIRECTORY [DEVICE]; DIRECTORY is a vexfs
 * mount point, DEVICE is mounted there and lets it be mounted again.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <grp.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static unsigned int check_failures;
static const char *check_case;
static const char *check_top, *check_device;

#define FAIL(fmt, ...) do {						\
	check_failures++;						\
	printf("FAILED %s, line %d: " fmt "\n", check_case, __LINE__,	\
	       ##__VA_ARGS__);						\
} while (0)

/* A condition holds. */
#define CHECK(condition) do {						\
	int saved_ = errno;						\
	if (!(condition))						\
		FAIL("not true: %s (errno: %s)", #condition,		\
		     strerror(saved_));					\
} while (0)

/* A call returns 0 or more. */
#define OK(call) do {							\
	if ((call) < 0)							\
		FAIL("%s: %s", #call, strerror(errno));			\
} while (0)

/* A call fails with an error. */
#define ERR(error, call) do {						\
	errno = 0;							\
	if ((call) >= 0)						\
		FAIL("%s succeeded, expected %s", #call,		\
		     strerrorname_np(error));				\
	else if (errno != (error))					\
		FAIL("%s: %s, expected %s", #call, strerror(errno),	\
		     strerrorname_np(error));				\
} while (0)

/* Two integers are the same. */
#define SAME(a, b) do {							\
	long long a_ = (long long)(a), b_ = (long long)(b);		\
									\
	if (a_ != b_)							\
		FAIL("%s is %lld, expected %lld", #a, a_, b_);		\
} while (0)

/*
 * Unmount and mount again, and return to the case's directory; nothing may be
 * open. Without a device nothing is unmounted.
 */
static inline void check_remount(void)
{
	OK(chdir("/"));
	if (check_device) {
		OK(umount(check_top));
		OK(mount(check_device, check_top, "vexfs", 0, NULL));
	}
	OK(chdir(check_top));
	OK(chdir(check_case));
}

/* Run a function as another user; its failures count. */
static inline void check_as(unsigned int uid, void (*run)(void))
{
	pid_t child;
	int status = 0;

	fflush(stdout);
	child = fork();
	if (!child) {
		check_failures = 0;
		if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
			FAIL("cannot become user %u", uid);
		run();
		fflush(stdout);
		_exit(check_failures > 250 ? 250 : (int)check_failures);
	}
	OK(waitpid(child, &status, 0));
	if (!WIFEXITED(status))
		FAIL("the child died of signal %d", WTERMSIG(status));
	check_failures += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

struct check_one {
	const char *name;
	void (*run)(void);
};

/* Run cases, each in an empty directory of its own. Return the exit status. */
static inline int check_run(int argc, char **argv,
			    const struct check_one *cases, size_t count)
{
	unsigned int before;
	size_t i;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: %s DIRECTORY [DEVICE]\n", argv[0]);
		return 2;
	}
	check_top = argv[1];
	check_device = argc > 2 ? argv[2] : NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < count; i++) {
		check_case = cases[i].name;
		before = check_failures;
		if (chdir(check_top)) {
			FAIL("%s: %s", check_top, strerror(errno));
			return 1;
		}
		OK(mkdir(check_case, 0755));
		OK(chdir(check_case));
		cases[i].run();
		printf("%s %s\n", check_failures == before ? "ok" : "not ok",
		       check_case);
	}
	OK(chdir("/"));
	printf("%zu cases, %u failures\n", count, check_failures);
	return check_failures ? 1 : 0;
}

#endif /* CHECK_H */
