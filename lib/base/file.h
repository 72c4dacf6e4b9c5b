/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Files: opened beneath a directory descriptor without following symbolic
 * links, read with a cap, replaced atomically (write, fsync, rename, fsync of
 * the directory), locked with fcntl. All blocking: for start-up, workers,
 * helpers and files no bigger than a configuration.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/error.h"

/* Makes a directory and its missing parents with this mode, less the umask
 * (existing ones are left as they are). */
int file_mkdirs(const char *path, mode_t mode, struct error *e);
/* Opens a directory; the descriptor is close-on-exec. */
int file_open_dir(const char *path, int *ret_fd, struct error *e);
/* Opens `name` (relative, may hold '/') beneath dirfd: no component may be a
 * symbolic link (OVE_DENIED), "..", "." or empty (OVE_INVALID). flags as
 * open(2); O_CLOEXEC is added. */
int file_open_beneath(int dirfd, const char *name, int flags, mode_t mode,
    int *ret_fd, struct error *e);
/* Reads a whole regular file of at most max bytes (OVE_LIMIT beyond). The text
 * is NUL-terminated; mem_free() it. dirfd may be AT_FDCWD; links are followed.
 * file_read_fd() reads anything from where it stands to its end. */
int file_read(int dirfd, const char *path, size_t max, char **ret_text,
    size_t *ret_len, struct error *e);
int file_read_fd(
    int fd, size_t max, char **ret_text, size_t *ret_len, struct error *e);
/* Writes all of it, going on after EINTR and short writes. */
int file_write_all(int fd, const void *p, size_t len, struct error *e);
/* Writes what from gives, from where it stands to its end. */
int file_copy(int from, int to, struct error *e);

enum file_replace_flags {
	/* fsync the file and its directory. */
	FILE_SYNC = 1,
	/* Fail with OVE_EXISTS when it is there already. */
	FILE_EXCL = 2,
};
/* Replaces a file atomically: readers see the old text, the new one, or none.
 * The temporary name is ".NAME.XXXXXXXX" in the same directory, NAME
 * cut where that is too long. mode is set
 * whatever the umask. When only the sync of the directory fails, -1 is
 * returned though the new text is in place. */
int file_replace(int dirfd, const char *path, const void *p, size_t len,
    mode_t mode, int flags, struct error *e);

/* Opens (creating) and locks a file with a fcntl write lock. Returns 0 or
 * FILE_LOCKED with *ret_pid the owner. The descriptor holds the lock; closing
 * any descriptor of the file in this process drops it. */
enum {
	FILE_LOCKED = 1
};
int file_lock(int dirfd, const char *path, mode_t mode, int *ret_fd,
    pid_t *ret_pid, struct error *e);
/* 0 free, FILE_LOCKED held by another process (*ret_pid), -1. */
int file_lock_test(int fd, pid_t *ret_pid, struct error *e);
/* Removes a file or an empty directory; a missing one is fine. */
int file_remove(int dirfd, const char *path, struct error *e);
/* Removes a tree beneath dirfd without following links or crossing into what
 * is not a directory; a missing one is fine. */
int file_remove_tree(int dirfd, const char *name, struct error *e);
/* Whether nobody beside root and the user that we run as could change the file
 * that an absolute path leads to, or lead the path elsewhere: owners and modes
 * of the file, of all directories and links that are passed. -1: OVE_DENIED
 * names what it is. */
int file_is_trusted(const char *path, struct error *e);
/* The directory part of the running program's own path (for finding
 * overlord-exec beside it): /proc/self/exe or KERN_PROC_PATHNAME. */
int file_self_dir(char **ret, struct error *e);
