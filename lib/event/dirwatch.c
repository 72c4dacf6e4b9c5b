/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which directory is watched: the one that is wanted, or the nearest above it
 * that is there. Whenever the kernel says anything this is decided again, since
 * the directory may have been made, removed, or replaced by another one of the
 * same name. A change is told when the wanted directory is watched, or has
 * begun or ceased to be; what happens above it concerns nobody.
 */
#include "lib/event/dirwatch.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/dirwatch_internal.h"
#include "lib/event/loop.h"

/* Somebody who makes and removes directories faster than we look. */
#define TRIES_MAX 16

struct dirwatch {
	char *path;
	dirwatch_fn *changed;
	void *ctx;
	struct dirwatch_os os;
	struct watch watch;
	/* What is watched is the directory itself. */
	bool there;
	/* The watch could not be placed again: what is watched may be gone, or
	 * another directory. */
	bool lost;
};

/* Cuts the last part off; false at the root. */
static bool
to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || strcmp(path, "/") == 0)
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

/* Watches path or the nearest above it; *ret_next is the part below that, which
 * was not there. */
static int
watch_nearest(
    struct dirwatch *dw, char *at, char *ret_next, size_t len, struct error *e)
{
	int rc;

	(void)snprintf(at, len, "%s", dw->path);
	ret_next[0] = '\0';
	while ((rc = dirwatch_os_set(&dw->os, at, e)) == DIRWATCH_NONE) {
		(void)snprintf(ret_next, len, "%s", at);
		if (!to_parent(at))
			return error_set(
			    e, OVE_NOTFOUND, "'%s' is no directory", at);
	}
	return rc;
}

/* 0, with dw->there set. */
static int
place(struct dirwatch *dw, struct error *e)
{
	char at[PATH_MAX], next[PATH_MAX];
	struct stat st;

	for (int i = 0; i < TRIES_MAX; i++) {
		if (watch_nearest(dw, at, next, sizeof(at), e) < 0)
			return -1;
		dw->there = next[0] == '\0';
		/* It may have been made before its parent was watched. */
		if (dw->there || stat(next, &st) < 0 || !S_ISDIR(st.st_mode))
			return 0;
	}
	return error_set(e, OVE_BUSY, "'%s' comes and goes", dw->path);
}

bool
dirwatch_poll(struct dirwatch *dw)
{
	struct error e = ERROR_INIT;
	bool was = dw->there;

	if (!dirwatch_os_read(&dw->os) && !dw->lost)
		return false;
	was = was || dw->lost;
	dw->lost = place(dw, &e) < 0;
	if (dw->lost)
		log_debug("dirwatch", NO_FIELDS, "%s: %s", dw->path, e.text);
	return was || dw->there || dw->lost;
}

bool
dirwatch_is_lost(const struct dirwatch *dw)
{
	return dw->lost;
}

static void
on_readable(struct watch *w, int what)
{
	struct dirwatch *dw = container_of(w, struct dirwatch, watch);

	(void)what;
	if (dirwatch_poll(dw))
		dw->changed(dw->ctx);
}

int
dirwatch_new(struct dirwatch **ret, struct loop *l, const char *path,
    dirwatch_fn *changed, void *ctx, struct error *e)
{
	AUTO(dirwatch) struct dirwatch *dw = mem_calloc(1, sizeof(*dw));

	if (dw == NULL)
		return error_nomem(e);
	dw->os = (struct dirwatch_os){ -1, -1 };
	dw->changed = changed;
	dw->ctx = ctx;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return error_set(
		    e, OVE_INVALID, "'%s' is no absolute path", path);
	dw->path = mem_strdup(path);
	if (dw->path == NULL)
		return error_nomem(e);
	if (dirwatch_os_open(&dw->os, e) < 0 || place(dw, e) < 0 ||
	    watch_init(&dw->watch, l, dw->os.fd, WATCH_READ, on_readable,
		"dirwatch", e) < 0 ||
	    watch_start(&dw->watch, e) < 0)
		return error_wrap(e, "watch %s", path);
	*ret = STEAL(dw);
	return 0;
}

struct dirwatch *
dirwatch_free(struct dirwatch *dw)
{
	if (dw == NULL)
		return NULL;
	watch_fini(&dw->watch);
	dirwatch_os_close(&dw->os);
	mem_free(dw->path);
	mem_free(dw);
	return NULL;
}
