/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * EVFILT_JAIL, in a kqueue of its own, which is readable itself and so nests in
 * the loop's. Jail 0 is the one that this process is in: it tells of jails that
 * are made in it. That a jail goes only that jail tells, so each is watched as
 * well, from when it is heard of until it goes; the kernel takes a watch away
 * with its jail. When more have come than the event names, all are walked.
 */
#include "daemon/jailwatch.h"

/* What <sys/jail.h> needs and does not include. */
#include <sys/param.h>

#include <sys/event.h>
#include <sys/jail.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define OWN_JAIL 0
/* Taken from the kernel at once. */
#define EVENTS_MAX 32

struct jailwatch {
	int fd;
	struct watch watch;
	jailwatch_fn *changed;
	void *ctx;
};

/* 0 or errno. */
static int
add(const struct jailwatch *jw, int jid, unsigned notes)
{
	struct kevent ev;

	EV_SET(&ev, (uintptr_t)jid, EVFILT_JAIL, EV_ADD | EV_CLEAR, notes, 0,
	    NULL);
	return kevent(jw->fd, &ev, 1, NULL, 0, NULL) == -1 ? errno : 0;
}

static void
await_end(const struct jailwatch *jw, int jid)
{
	int rc = add(jw, jid, NOTE_JAIL_REMOVE);

	/* ESRCH: it has gone already, and its coming is told. */
	if (rc != 0 && rc != ESRCH)
		log_debug("jailwatch", NO_FIELDS, "jail %d is not watched: %s",
		    jid, strerror(rc));
}

/* A watch that is there already stays as it is. */
static void
await_end_of_all(const struct jailwatch *jw)
{
	char name[] = "lastjid";
	int jid = 0;

	for (;;) {
		struct iovec iov[] = {
			{ .iov_base = name, .iov_len = sizeof(name) },
			{ .iov_base = &jid, .iov_len = sizeof(jid) },
		};

		jid = jail_get(iov, ARRAY_LEN(iov), 0);
		if (jid <= 0)
			return;
		await_end(jw, jid);
	}
}

static void
take(const struct jailwatch *jw, const struct kevent *ev)
{
	if ((ev->fflags & NOTE_JAIL_CHILD) == 0)
		return;
	if ((ev->fflags & NOTE_JAIL_MULTI) == 0 && ev->data > 0)
		await_end(jw, (int)ev->data);
	else
		await_end_of_all(jw);
}

/* What is left over makes it readable again. */
static void
on_readable(struct watch *w, int what)
{
	static const struct timespec now = { 0, 0 };
	struct jailwatch *jw = container_of(w, struct jailwatch, watch);
	struct kevent events[EVENTS_MAX];
	int n = kevent(jw->fd, NULL, 0, events, EVENTS_MAX, &now);

	(void)what;
	for (int i = 0; i < n; i++)
		take(jw, &events[i]);
	if (n > 0)
		jw->changed(jw->ctx);
}

/* 0, JAILWATCH_NONE, -1. */
static int
begin(struct jailwatch *jw, struct loop *l, struct error *e)
{
	int rc;

	jw->fd = kqueue();
	if (jw->fd == -1)
		return error_set_errno(e, errno, "make a kqueue");
	(void)fcntl(jw->fd, F_SETFD, FD_CLOEXEC);
	rc = add(jw, OWN_JAIL, NOTE_JAIL_CHILD);
	/* A filter that this kernel does not know. */
	if (rc == EINVAL)
		return JAILWATCH_NONE;
	if (rc != 0)
		return error_set_errno(e, rc, "watch jails");
	await_end_of_all(jw);
	if (watch_init(&jw->watch, l, jw->fd, WATCH_READ, on_readable,
		"jailwatch", e) < 0)
		return -1;
	return watch_start(&jw->watch, e);
}

int
jailwatch_new(struct jailwatch **ret, struct loop *l, jailwatch_fn *changed,
    void *ctx, struct error *e)
{
	AUTO(jailwatch) struct jailwatch *jw = mem_calloc(1, sizeof(*jw));
	int rc;

	if (jw == NULL)
		return error_nomem(e);
	jw->fd = -1;
	jw->changed = changed;
	jw->ctx = ctx;
	rc = begin(jw, l, e);
	if (rc == 0)
		*ret = STEAL(jw);
	return rc;
}

struct jailwatch *
jailwatch_free(struct jailwatch *jw)
{
	if (jw == NULL)
		return NULL;
	watch_fini(&jw->watch);
	if (jw->fd != -1)
		(void)close(jw->fd);
	mem_free(jw);
	return NULL;
}
