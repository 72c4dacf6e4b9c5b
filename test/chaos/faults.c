/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A disk and a kernel that can be told to be slow and to fail: the crash test
 * puts it before overlordd and overlord-exec with LD_PRELOAD.
 *
 * CHAOS_CONTROL names a file that is mapped here and by the test (faults.py has
 * the same layout). A rule says of how many calls in a thousand fail, with
 * which error, and how many are late, by how much; what was done is counted
 * there. Each failure is noted in CHAOS_LOG as "operation errno argument", the
 * last argument of the program, which for a helper is its run: so the test
 * knows which runs were disturbed.
 *
 * Writes are those to plain files: a socket or a pipe is not the disk. The
 * library is for the program that it was put before and not for what that
 * starts, so it takes itself out of the environment.
 *
 * libfaketime moves the clock but not the times of files, since these are
 * structures of a later glibc than it knows. A daemon compares both, so the
 * offset that was in force when a file was touched is added to its times here.
 */
#undef _FILE_OFFSET_BITS

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define JUMPS_MAX 4096

enum op {
	OP_SYNC,
	OP_WRITE,
	OP_RENAME,
	OP_FORK,
	OPS
};

static const char *const op_names[OPS] = { "sync", "write", "rename", "fork" };

struct rule {
	uint32_t fail;
	uint32_t error;
	uint32_t slow;
	uint32_t slow_us;
	/* Counted here, the rest is the test's. */
	uint32_t failed;
	uint32_t slowed;
};

/* From when on the clock was how far off. */
struct jump {
	int64_t real_ns;
	int64_t offset_ns;
};

struct control {
	struct rule rules[OPS];
	uint32_t jumps_n;
	uint32_t unused;
	struct jump jumps[JUMPS_MAX];
};

static struct control *control;
static const char *log_path;
static char last_arg[256];

/* The next definition of the function that this is in the place of. */
#define NEXT(name)                                                             \
  static __typeof__(name) *next;                                               \
  if (next == NULL)                                                            \
  *(void **)&next = dlsym(RTLD_NEXT, #name)

static uint32_t
load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static bool
is_due(uint32_t permille)
{
	static __thread uint32_t state;

	if (permille == 0)
		return false;
	if (state == 0)
		state = ((uint32_t)(uintptr_t)&state ^ (uint32_t)getpid()) | 1;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % 1000 < permille;
}

static void
note(enum op op, uint32_t error)
{
	char line[sizeof(last_arg) + 64];
	ssize_t n;
	int fd;

	NEXT(write);
	n = snprintf(line, sizeof(line), "%s %u %s\n", op_names[op],
	    (unsigned)error, last_arg);
	/* Not kept open: a helper closes what it does not know. */
	fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || next(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* Whether this call is to fail, and how; waits if it is to be late. */
static uint32_t
meddle(enum op op)
{
	struct timespec pause;
	struct rule *r;
	uint32_t us;

	if (control == NULL)
		return 0;
	r = &control->rules[op];
	if (is_due(load(&r->slow))) {
		us = load(&r->slow_us);
		pause.tv_sec = (time_t)(us / 1000000);
		pause.tv_nsec = (long)(us % 1000000) * 1000;
		__atomic_add_fetch(&r->slowed, 1, __ATOMIC_RELAXED);
		(void)nanosleep(&pause, NULL);
	}
	if (!is_due(load(&r->fail)))
		return 0;
	__atomic_add_fetch(&r->failed, 1, __ATOMIC_RELAXED);
	note(op, load(&r->error));
	return load(&r->error);
}

static bool
fails(enum op op)
{
	const uint32_t error = meddle(op);

	if (error != 0)
		errno = (int)error;
	return error != 0;
}

static bool
write_fails(int fd)
{
	const int saved = errno;
	struct stat sb;

	if (control == NULL)
		return false;
	if (fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode)) {
		errno = saved;
		return false;
	}
	return fails(OP_WRITE);
}

/* The calls. NAME64 is what a program with large files links to. */

#define CALL(type, name, params, args, bad, check)                             \
  type name params                                                             \
  {                                                                            \
    NEXT(name);                                                                \
    if (check)                                                                 \
      return (bad);                                                            \
    return next args;                                                          \
  }

CALL(int, fsync, (int fd), (fd), -1, fails(OP_SYNC))
CALL(int, fdatasync, (int fd), (fd), -1, fails(OP_SYNC))
CALL(int, msync, (void *p, size_t len, int flags), (p, len, flags), -1,
    fails(OP_SYNC))
CALL(ssize_t, write, (int fd, const void *p, size_t len), (fd, p, len), -1,
    write_fails(fd))
CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), -1,
    write_fails(fd))
CALL(ssize_t, pwrite, (int fd, const void *p, size_t len, off_t at),
    (fd, p, len, at), -1, write_fails(fd))
CALL(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at),
    (fd, v, n, at), -1, write_fails(fd))
CALL(int, rename, (const char *from, const char *to), (from, to), -1,
    fails(OP_RENAME))
CALL(int, renameat, (int a, const char *from, int b, const char *to),
    (a, from, b, to), -1, fails(OP_RENAME))
CALL(pid_t, fork, (void), (), -1, fails(OP_FORK))

int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	const uint32_t error = meddle(OP_FORK);

	NEXT(posix_spawn);
	return error != 0 ? (int)error : next(pid, path, fa, attr, argv, envp);
}

#ifdef __GLIBC__
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t len, off64_t at),
    (fd, p, len, at), -1, write_fails(fd))
CALL(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t at),
    (fd, v, n, at), -1, write_fails(fd))

/* The times of files */

static void
shift(struct timespec *ts)
{
	const int64_t at = (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec;
	int64_t shifted = at;
	uint32_t i;

	for (i = load(&control->jumps_n); i-- > 0;)
		if (control->jumps[i].real_ns <= at) {
			shifted = at + control->jumps[i].offset_ns;
			break;
		}
	ts->tv_sec = (time_t)(shifted / NS_PER_S);
	ts->tv_nsec = (long)(shifted % NS_PER_S);
}

static int
shifted(int rc, struct stat64 *sb)
{
	if (rc == 0 && control != NULL) {
		shift(&sb->st_mtim);
		shift(&sb->st_ctim);
	}
	return rc;
}

#  define STAT(name, params, args)                                             \
    int name params                                                            \
    {                                                                          \
      NEXT(name);                                                              \
      return shifted(next args, sb);                                           \
    }

STAT(fstat64, (int fd, struct stat64 *sb), (fd, sb))
STAT(stat64, (const char *path, struct stat64 *sb), (path, sb))
STAT(lstat64, (const char *path, struct stat64 *sb), (path, sb))
STAT(fstatat64, (int dir, const char *path, struct stat64 *sb, int flags),
    (dir, path, sb, flags))
#endif

/* Loading */

static void
map_control(const char *path)
{
	void *p = MAP_FAILED;
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd != -1)
		p = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		abort();
	}
	close(fd);
	control = p;
}

static void __attribute__((constructor)) begin(int argc, char **argv)
{
	const char *path = getenv("CHAOS_CONTROL");

	log_path = getenv("CHAOS_LOG");
	if (path == NULL || log_path == NULL)
		return;
	snprintf(
	    last_arg, sizeof(last_arg), "%s", argc > 0 ? argv[argc - 1] : "");
	map_control(path);
	unsetenv("LD_PRELOAD");
	unsetenv("CHAOS_CONTROL");
	log_path = strdup(log_path);
	unsetenv("CHAOS_LOG");
	if (log_path == NULL)
		abort();
}
