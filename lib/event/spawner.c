/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Starting helpers: see spawner.h.  posix_spawn(3) costs the same however big
 * the daemon is.  The helper gets every signal blocked, so that one that comes
 * before it can handle it stays pending instead of killing it.
 *
 * SIGCHLD comes through the loop.  One may stand for several ends, and others
 * have children too: so each known pid is asked for, and no other.
 */

#include "lib/event/spawner.h"

#include <sys/queue.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "lib/event/rundir.h"

/* A helper of ours until waitpid() has had it. */
struct spawned {
	TAILQ_ENTRY(spawned) link;
	pid_t pid;
};

struct spawner {
	char *helper;
	int null;
	TAILQ_HEAD(spawned_list, spawned) list;
	struct sigwatch sigchld;
};

static void
on_sigchld(struct sigwatch *w)
{
	struct spawner *s = container_of(w, struct spawner, sigchld);
	struct spawned *sp, *next;
	pid_t pid;

	for (sp = TAILQ_FIRST(&s->list); sp != NULL; sp = next) {
		next = TAILQ_NEXT(sp, link);
		do
			pid = waitpid(sp->pid, NULL, WNOHANG);
		while (pid == -1 && errno == EINTR);
		if (pid == 0)
			continue;
		TAILQ_REMOVE(&s->list, sp, link);
		mem_free(sp);
	}
}

int
spawner_new(
    struct spawner **ret, struct loop *l, const char *helper, struct error *e)
{
	struct spawner *s AUTO(spawner) = NULL;

	s = mem_calloc(1, sizeof(*s));
	if (s == NULL)
		return error_nomem(e);
	TAILQ_INIT(&s->list);
	s->null = -1;
	s->helper = mem_strdup(helper);
	if (s->helper == NULL)
		return error_nomem(e);
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null == -1)
		return error_set_errno(e, errno, "open /dev/null");
	if (sigwatch_init(&s->sigchld, l, SIGCHLD, on_sigchld, "spawner", e) ==
	    -1)
		return -1;
	*ret = STEAL(s);
	return 0;
}

struct spawner *
spawner_free(struct spawner *s)
{
	struct spawned *sp;

	if (s == NULL)
		return NULL;
	sigwatch_fini(&s->sigchld);
	while ((sp = TAILQ_FIRST(&s->list)) != NULL) {
		TAILQ_REMOVE(&s->list, sp, link);
		mem_free(sp);
	}
	cc_auto_close(&s->null);
	mem_free(s->helper);
	mem_free(s);
	return NULL;
}

static int
add_fds(const struct spawner *s, posix_spawn_file_actions_t *fa, int writer,
    int lock)
{
	int fd, rc;

	for (fd = 0; fd <= 2; fd++) {
		rc = posix_spawn_file_actions_adddup2(fa, s->null, fd);
		if (rc != 0)
			return rc;
	}
	rc = posix_spawn_file_actions_adddup2(fa, writer, RUN_FD_FIFO);
	if (rc != 0)
		return rc;
	return posix_spawn_file_actions_adddup2(fa, lock, RUN_FD_LOCK);
}

static int
block_all(posix_spawnattr_t *attr)
{
	sigset_t all;
	int rc;

	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(attr, &all);
	if (rc != 0)
		return rc;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
}

/* An errno, or 0 and *ret_pid. */
static int
spawn(const struct spawner *s, char *arg, int writer, int lock, pid_t *ret_pid)
{
	char name[] = "overlord-exec";
	char *argv[] = { name, arg, NULL };
	char *envp[] = { NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc;

	rc = posix_spawn_file_actions_init(&fa);
	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = block_all(&attr);
		if (rc == 0)
			rc = add_fds(s, &fa, writer, lock);
		if (rc == 0)
			rc = posix_spawn(
			    ret_pid, s->helper, &fa, &attr, argv, envp);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

int
spawner_start(struct spawner *s, const char *dir, const char *key, int writer,
    int lock, struct error *e)
{
	struct spawned *sp AUTO_FREE = NULL;
	struct strbuf path AUTO_STRBUF;
	int rc;

	strbuf_init(&path, PATH_MAX);
	strbuf_addf(&path, "%s/%s", dir, key);
	if (strbuf_check(&path, e) == -1)
		return -1;
	sp = mem_calloc(1, sizeof(*sp));
	if (sp == NULL)
		return error_nomem(e);
	rc = spawn(s, path.buf, writer, lock, &sp->pid);
	if (rc != 0)
		return error_set_errno(e, rc, "start '%s'", s->helper);
	TAILQ_INSERT_TAIL(&s->list, sp, link);
	sp = NULL;
	return 0;
}
