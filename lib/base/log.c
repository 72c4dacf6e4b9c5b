/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The log of this process: see log.h. The one global of lib, because errors
 * happen before anybody could hand one around. What it is configured with is
 * copied into one object, built and opened beside the old one and then put in
 * its place. A site asks the tree of loggers once and remembers the answer
 * until the configuration changes, so a statement that nobody listens to costs
 * a call and a comparison.
 */
#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define SETUP_ARENA_MAX ((size_t)4 << 20)
/* A longer one is cut. */
#define NAME_LEN 128

static const char *const level_names[] = {
	[LOG_LEVEL_CRITICAL] = "critical",
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

struct setup {
	struct arena arena;
	/* sinks_n of them are open; the rest of c points into the arena. */
	struct log_config c;
	struct log_sink *sinks;
	size_t sinks_n;
};

/* Before log_configure() and after log_close(). */
static struct log_sink unset_sink = {
	.c = { .kind = LOG_SINK_STREAM,
	    .level = LOG_LEVEL_DEBUG,
	    .fd = STDERR_FILENO },
	.fd = STDERR_FILENO,
};
static struct setup unset = {
	.c = { .prefix = "", .fallback = 1 },
	.sinks = &unset_sink,
	.sinks_n = 1,
};

static struct {
	struct setup *setup;
	enum log_level root;
	/* Sites that decided for another number decide again. */
	unsigned version;
	int64_t born_ms;
	/* By sinks that are no more. */
	uint64_t lost;
} state = { .setup = &unset, .root = LOG_LEVEL_NOTICE, .version = 1 };

/* The tree */

static const struct log_logger *
find_logger(const struct log_config *c, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < c->loggers_n; i++)
		if (strncmp(c->loggers[i].name, name, len) == 0 &&
		    c->loggers[i].name[len] == '\0')
			return &c->loggers[i];
	return NULL;
}

/* What a name has from itself and its parents; *ret_level is left as it is when
 * none has one. */
static uint64_t
walk(const struct log_config *c, const char *name, enum log_level *ret_level)
{
	const struct log_logger *l;
	bool stopped = false, known = false;
	size_t len = strlen(name);
	uint64_t sinks = 0;

	for (;;) {
		l = find_logger(c, name, len);
		if (l != NULL && !stopped) {
			sinks |= l->sinks;
			stopped = l->stop;
		}
		if (l != NULL && !known && l->level != LOG_LEVEL_INHERIT) {
			*ret_level = l->level;
			known = true;
		}
		if (len == 0)
			return sinks;
		while (len > 0 && name[--len] != '.')
			continue;
	}
}

uint64_t
log_config_sinks(const struct log_config *c, const char *name)
{
	enum log_level level;

	return walk(c, name, &level);
}

static const char *
alias_of(const struct log_config *c, const char *area)
{
	size_t i;

	for (i = 0; i < c->aliases_n; i++)
		if (strcmp(c->aliases[i].area, area) == 0)
			return c->aliases[i].logger;
	return NULL;
}

static void
decide(struct log_site *site)
{
	const struct setup *s = state.setup;
	enum log_level level = state.root, most = LOG_LEVEL_CRITICAL;
	char name[NAME_LEN];
	bool any = false;
	size_t i;

	site->name = alias_of(&s->c, site->area);
	if (site->name != NULL)
		(void)snprintf(name, sizeof(name), "%s", site->name);
	else
		(void)snprintf(
		    name, sizeof(name), "%s%s", s->c.prefix, site->area);
	site->sinks = walk(&s->c, name, &level);
	if (site->sinks == 0)
		site->sinks = s->c.fallback;
	for (i = 0; i < s->sinks_n; i++) {
		if ((site->sinks >> i & 1) == 0 ||
		    s->sinks[i].c.kind == LOG_SINK_NONE)
			continue;
		any = true;
		if (s->sinks[i].c.level > most)
			most = s->sinks[i].c.level;
	}
	if (most > level)
		most = level;
	site->beyond = any ? most + 1 : LOG_LEVEL_CRITICAL;
	site->decided = state.version;
}

bool
log_wants(struct log_site *site, enum log_level level)
{
	if (site->decided != state.version)
		decide(site);
	return level < site->beyond;
}

/* Configuration */

static void
close_sinks(struct setup *s)
{
	size_t i;

	for (i = 0; i < s->sinks_n; i++) {
		state.lost += s->sinks[i].lost;
		log_sink_fini(&s->sinks[i]);
	}
	s->sinks_n = 0;
}

static struct setup *
setup_free(struct setup *s)
{
	if (s == NULL || s == &unset)
		return NULL;
	close_sinks(s);
	arena_fini(&s->arena);
	mem_free(s);
	return NULL;
}
AUTO_DEFINE(setup)

static const char *
copy(struct setup *s, const char *text)
{
	return text != NULL ? arena_strdup(&s->arena, text) : NULL;
}

static void
copy_tree(struct setup *s, const struct log_config *c)
{
	struct log_logger *l =
	    arena_calloc(&s->arena, c->loggers_n + 1, sizeof(*l));
	struct log_alias *al =
	    arena_calloc(&s->arena, c->aliases_n + 1, sizeof(*al));
	size_t i;

	if (l == NULL || al == NULL)
		return;
	for (i = 0; i < c->loggers_n; i++) {
		l[i] = c->loggers[i];
		l[i].name = copy(s, l[i].name);
		/* The root's is in the state, where it can be set. */
		if (c->loggers[i].name[0] == '\0')
			l[i].level = LOG_LEVEL_INHERIT;
	}
	for (i = 0; i < c->aliases_n; i++) {
		al[i].area = copy(s, c->aliases[i].area);
		al[i].logger = copy(s, c->aliases[i].logger);
	}
	s->c = (struct log_config){ .loggers = l,
		.loggers_n = c->loggers_n,
		.aliases = al,
		.aliases_n = c->aliases_n,
		.prefix = copy(s, c->prefix != NULL ? c->prefix : ""),
		.fallback = c->fallback };
}

static int
open_sinks(struct setup *s, const struct log_config *c, size_t *ret_sink,
    struct error *e)
{
	size_t i;

	s->sinks = arena_calloc(&s->arena, c->sinks_n + 1, sizeof(*s->sinks));
	for (i = 0; s->sinks != NULL && i < c->sinks_n; i++) {
		struct log_sink_config sc = c->sinks[i];

		sc.pattern = copy(s, sc.pattern);
		sc.datefmt = copy(s, sc.datefmt);
		sc.path = copy(s, sc.path);
		sc.syslog.path = copy(s, sc.syslog.path);
		sc.syslog.host = copy(s, sc.syslog.host);
		sc.syslog.ident = copy(s, sc.syslog.ident);
		if (arena_check(&s->arena, e) < 0)
			return -1;
		if (log_sink_init(&s->sinks[i], &sc, state.setup->sinks,
			state.setup->sinks_n, e) < 0) {
			*ret_sink = i;
			return -1;
		}
		s->sinks_n++;
	}
	return arena_check(&s->arena, e);
}

static void
use(struct setup *s, enum log_level root)
{
	setup_free(state.setup);
	state.setup = s;
	state.root = root;
	state.version++;
	if (state.born_ms == 0)
		state.born_ms = clock_wall_ms();
}

int
log_configure(const struct log_config *c, size_t *ret_sink, struct error *e)
{
	const struct log_logger *root = find_logger(c, "", 0);
	AUTO(setup) struct setup *s = NULL;
	size_t bad = c->sinks_n;
	int r;

	if (c->sinks_n > LOG_SINKS_MAX)
		return error_set(
		    e, OVE_LIMIT, "more than %d sinks", LOG_SINKS_MAX);
	if ((s = mem_calloc(1, sizeof(*s))) == NULL)
		return error_nomem(e);
	arena_init(&s->arena, SETUP_ARENA_MAX);
	copy_tree(s, c);
	r = open_sinks(s, c, &bad, e);
	if (ret_sink != NULL)
		*ret_sink = bad;
	if (r < 0)
		return -1;
	use(STEAL(s),
	    root != NULL && root->level != LOG_LEVEL_INHERIT ? root->level
							     : LOG_LEVEL_WARN);
	return 0;
}

void
log_set_level(enum log_level level)
{
	state.root = level;
	state.version++;
}

int
log_reopen(struct error *e)
{
	struct setup *s = state.setup;
	int rc = 0;
	size_t i;

	for (i = 0; i < s->sinks_n; i++)
		if (log_sink_reopen(&s->sinks[i], rc == 0 ? e : NULL) < 0)
			rc = -1;
	return rc;
}

int
log_check(struct error *e)
{
	struct setup *s = state.setup;
	size_t i;

	for (i = 0; i < s->sinks_n; i++)
		if (log_sink_check(&s->sinks[i], e) < 0)
			return -1;
	return 0;
}

uint64_t
log_lost(void)
{
	uint64_t lost = state.lost;
	size_t i;

	for (i = 0; i < state.setup->sinks_n; i++)
		lost += state.setup->sinks[i].lost;
	return lost;
}

void
log_close(void)
{
	use(&unset, LOG_LEVEL_NOTICE);
}

static const char *
level_to_string(enum log_level level)
{
	size_t i = (size_t)level;

	return i < ARRAY_LEN(level_names) ? level_names[i] : "unknown";
}

int
log_level_from_string(const char *s, enum log_level *ret, struct error *e)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(s, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return error_set(e, OVE_INVALID,
	    "'%s' is not critical, error, warn, notice, info or debug", s);
}

/* Events */

static void
write_event(const struct log_site *site, const struct log_event *ev)
{
	struct setup *s = state.setup;
	size_t i;

	for (i = 0; i < s->sinks_n; i++)
		if ((site->sinks >> i & 1) != 0 &&
		    ev->severity <= s->sinks[i].c.level)
			log_sink_write(&s->sinks[i], ev);
}

void
log_write(struct log_site *site, enum log_level level,
    const struct log_field *fields, size_t n, const char *fmt, ...)
{
	char msg[LOG_LINE_LEN];
	struct log_event ev = {
		.wall_ms = clock_wall_ms(),
		.born_ms = state.born_ms,
		.severity = level,
		.level = level_to_string(level),
		.area = site->area,
		.file = site->file,
		.func = site->func,
		.line = site->line,
		.msg = msg,
		.fields = fields,
		.n = n,
	};
	int saved = errno;
	va_list ap;
	int len;

	if (!log_wants(site, level))
		return;
	ev.prefix = site->name != NULL ? "" : state.setup->c.prefix;
	ev.name = site->name != NULL ? site->name : site->area;
	va_start(ap, fmt);
	len = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (len < 0)
		msg[0] = '\0';
	ev.cut = len < 0 || (size_t)len >= sizeof(msg);
	write_event(site, &ev);
	errno = saved;
}
