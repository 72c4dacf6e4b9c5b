/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The wrappers of faultio.h. The names with two underscores are the linker's:
 * --wrap=write sends our calls of write to __wrap_write and gives the old one
 * the name __real_write.
 */
#include "test/unit/support/faultio.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static enum faultio_call armed = FAULTIO_COUNT;
static unsigned countdown;
static int armed_sys;
static bool fired;

void
faultio_fail(enum faultio_call call, unsigned n, int sys)
{
	armed = call;
	countdown = n;
	armed_sys = sys;
	fired = false;
}

bool
faultio_clear(void)
{
	bool was = fired;

	armed = FAULTIO_COUNT;
	fired = false;
	return was;
}

static bool
fails_now(enum faultio_call call)
{
	if (call != armed || countdown-- > 0)
		return false;
	armed = FAULTIO_COUNT;
	fired = true;
	errno = armed_sys;
	return true;
}

/* clang-format off */
/* A wrapper of a call that returns int: its type and how to pass it on. */
#define WRAP(call, name, params, args)                                         \
	int __real_##name params;                                              \
	int __wrap_##name params;                                              \
	int __wrap_##name params                                               \
	{                                                                      \
		return fails_now(call) ? -1 : __real_##name args;              \
	}
/* clang-format on */

WRAP(FAULTIO_FSYNC, fsync, (int fd), (fd))
WRAP(FAULTIO_FDATASYNC, fdatasync, (int fd), (fd))
WRAP(FAULTIO_RENAME, rename, (const char *from, const char *to), (from, to))
WRAP(FAULTIO_RENAMEAT, renameat,
    (int fd1, const char *from, int fd2, const char *to), (fd1, from, fd2, to))
WRAP(FAULTIO_LINKAT, linkat,
    (int fd1, const char *from, int fd2, const char *to, int flags),
    (fd1, from, fd2, to, flags))

ssize_t __real_write(int fd, const void *p, size_t len);
ssize_t __wrap_write(int fd, const void *p, size_t len);
int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);

ssize_t
__wrap_write(int fd, const void *p, size_t len)
{
	if (!fails_now(FAULTIO_WRITE))
		return __real_write(fd, p, len);
	return armed_sys != 0 ? -1 : __real_write(fd, p, (len + 1) / 2);
}

/* Also stands in for openat64, which Linux makes of it (meson.build). */
int
__wrap_openat(int fd, const char *path, int flags, ...)
{
	unsigned mode = 0;
	va_list ap;

	if (fails_now(FAULTIO_OPENAT))
		return -1;
	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, unsigned);
		va_end(ap);
	}
	return __real_openat(fd, path, flags, mode);
}
