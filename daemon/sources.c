/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See sources.h. A record is a letter, a path or name with its NUL, and eight
 * bytes that stand for what was seen.
 */
#include "daemon/sources.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/jail.h"
#include "lib/base/clock.h"
#include "proto/names.h"

#define RECORDS_MAX ((size_t)1 << 20)
/* Longer than any tick; some file systems count seconds only. */
#define SETTLED_MS 2000

#define IS_FILE 'f'
#define IS_JAIL 'j'
#define SEEN_LEN sizeof(uint64_t)

#define SEEN_NOTHING UINT64_C(1)

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* What is seen of a file; *ret_at is when it was changed. False when it cannot
 * be looked at. */
static bool
see(int fd, const char *path, uint64_t *ret, int64_t *ret_at)
{
	struct stat st;
	uint64_t h = 0;

	*ret_at = INT64_MIN;
	*ret = SEEN_NOTHING;
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT || errno == ENOTDIR;
	h = mix(h, (uint64_t)st.st_dev);
	h = mix(h, (uint64_t)st.st_ino);
	h = mix(h, (uint64_t)st.st_mode);
	h = mix(h, (uint64_t)st.st_size);
	h = mix(h, (uint64_t)st.st_mtim.tv_sec);
	h = mix(h, (uint64_t)st.st_mtim.tv_nsec);
	h = mix(h, (uint64_t)st.st_ctim.tv_sec);
	h = mix(h, (uint64_t)st.st_ctim.tv_nsec);
	*ret = h | 2;
	*ret_at = clock_ms_of(&st.st_mtim) > clock_ms_of(&st.st_ctim)
	    ? clock_ms_of(&st.st_mtim)
	    : clock_ms_of(&st.st_ctim);
	return true;
}

void
sources_init(struct sources *s, const char *jails)
{
	*s = (struct sources){ .jails = jails, .begun_ms = clock_wall_ms() };
	strbuf_init(&s->records, RECORDS_MAX);
}

void
sources_fini(struct sources *s)
{
	strbuf_fini(&s->records);
}

static void
add(struct sources *s, char letter, const char *path, uint64_t seen)
{
	strbuf_addc(&s->records, letter);
	strbuf_add(&s->records, path, strlen(path) + 1);
	strbuf_add(&s->records, &seen, SEEN_LEN);
	if (strbuf_check(&s->records, NULL) < 0)
		s->unsure = true;
}

bool
sources_add_file(struct sources *s, int fd, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(
	    path, sizeof(path), "%s%s%s", dir, dir[0] != '\0' ? "/" : "", name);
	uint64_t seen = 0;
	int64_t at;

	if (n < 0 || (size_t)n >= sizeof(path) ||
	    !see(fd, fd == -1 ? path : name, &seen, &at) ||
	    at > s->begun_ms - SETTLED_MS)
		s->unsure = true;
	else if (!s->unsure)
		add(s, IS_FILE, path, seen);
	s->there = seen != SEEN_NOTHING;
	return s->there;
}

void
sources_failed(struct sources *s)
{
	s->unsure = s->unsure || s->there;
}

void
sources_add_jail(struct sources *s, const char *name, int status)
{
	if (!s->unsure)
		add(s, IS_JAIL, name, (uint64_t)status);
}

bool
sources_hold(const void *records, size_t len, int fd, const char *jails)
{
	const char *p = records, *end = p + len;

	while (p < end) {
		char letter = *p++;
		const char *path = p, *nul = memchr(p, '\0', (size_t)(end - p));
		uint64_t seen, now;
		int64_t at;

		if (nul == NULL || (size_t)(end - nul - 1) < SEEN_LEN)
			return false;
		memcpy(&seen, nul + 1, SEEN_LEN);
		p = nul + 1 + SEEN_LEN;
		if (letter == IS_JAIL)
			now = (uint64_t)jail_status(jails, path);
		else if (letter != IS_FILE || !see(fd, path, &now, &at))
			return false;
		if (now != seen)
			return false;
	}
	return true;
}

int
jail_status(const char *jails, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int n;

	if (name == NULL || !name_is_jail(name, strlen(name)))
		return 65;
	n = snprintf(path, sizeof(path), "%s/%s", jails, name);
	if (n < 0 || (size_t)n >= sizeof(path) || lstat(path, &st) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 66;
	return jail_is_running(jails, name) ? 0 : 1;
}
