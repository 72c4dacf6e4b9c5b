/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord logs (cli.md 6.5): what is meant, and how lines look. What has been
 * written is read by logs_read.c, what jobs print is followed by logs_follow.c.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/logs.h"
#include "cli/term.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "proto/human.h"
#include "proto/names.h"

#define LINES_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TAIL 100
#define TAIL_FOLLOW 10
/* "2025-04-22_17h57m45s" */
#define DATE_FORMAT "%Y-%m-%d_%Hh%Mm%Ss"
#define DATE_LEN 32

static const struct cmd_opt opts[] = {
	{ "follow", NULL, CMD_FLAG, 'f', false, CMD_AT(follow), NULL, NULL,
	    "Show what jobs of the project print, as they print it." },
	{ "file", "FILE", CMD_STR, 0, false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "On every server below the file's data centers." },
	{ "jails", NULL, CMD_FLAG, 0, false, CMD_AT(jails), NULL, NULL,
	    "AppJail's logs of the projects' jails, or of the jails named." },
	{ "date", "DATE", CMD_STR, 0, false, CMD_AT(date), NULL, "last",
	    "Runs whose date begins so, the last one, or all." },
	{ "since", "TIME", CMD_STR, 0, false, CMD_AT(since), NULL, NULL,
	    "Runs since then: 90s, 2h, 2026-01-02, 2026-01-02T03:04." },
	{ "service", "NAME", CMD_STR, 0, false, CMD_AT(service), NULL, NULL,
	    "Only logs of this service." },
	{ "log", "NAME", CMD_STR, 0, false, CMD_AT(log), NULL, NULL,
	    "Only logs of this name, such as up.log." },
	{ "tail", "N", CMD_STR, 0, false, CMD_AT(tail), NULL, NULL,
	    "At most so many last lines of each log, 0: all. Default: 100, "
	    "with --follow 10." },
	{ "timestamps", NULL, CMD_FLAG, 0, false, CMD_AT(timestamps), NULL,
	    NULL,
	    "Before each line when its log was begun, with --follow when it "
	    "came." },
	{ "no-prefix", NULL, CMD_FLAG, 0, false, CMD_AT(no_prefix), NULL, NULL,
	    "Do not tell where a line comes from." },
	{ "until-done", NULL, CMD_FLAG, 0, false, CMD_AT(until_done), NULL,
	    NULL,
	    "With --follow: end when no job runs, with 1 if one failed." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	CMD_OPT_PROJECT,
};

const char *
logs_place(struct logs *l, const struct target *t, const char *project)
{
	bool several = false;

	for (size_t i = 0; i < l->targets.n; i++)
		several |= l->targets.items[i].server != t->server;
	if (t->chain == NULL)
		return arena_printf(
		    &l->session->arena, "%s/%s", t->server->name, project);
	return arena_printf(&l->session->arena, "%s%s%s/%s",
	    several ? t->server->name : "", several ? "." : "", t->chain,
	    project);
}

/* Without what would act upon a terminal: colours go, the rest is shown. */
static void
add_clean(struct strbuf *out, const char *p, size_t len)
{
	size_t at = 0, from = 0;

	while (at < len) {
		if (p[at] != '\033' || at + 1 >= len || p[at + 1] != '[') {
			at++;
			continue;
		}
		strbuf_add_escaped(out, p + from, at - from);
		for (at += 2; at < len && (p[at] < '@' || p[at] > '~'); at++)
			;
		at += at < len;
		from = at;
	}
	strbuf_add_escaped(out, p + from, len - from);
}

/* A source keeps its colour. */
static enum term_color
color_of(const char *prefix)
{
	static const enum term_color colors[] = { TERM_CYAN, TERM_GREEN,
		TERM_YELLOW, TERM_BLUE, TERM_MAGENTA };
	unsigned sum = 0;

	for (; *prefix != '\0'; prefix++)
		sum = sum * 31 + (unsigned char)*prefix;
	return colors[sum % ARRAY_LEN(colors)];
}

void
logs_print(struct logs *l, const char *prefix, const char *stamp,
    const char *text, size_t len)
{
	struct session *s = l->session;
	AUTO_STRBUF struct strbuf b;
	size_t at = 0, next, n;

	strbuf_init(&b, LINES_BYTES_MAX);
	while (at < len) {
		n = human_line(text + at, len - at, &next);
		if (prefix != NULL) {
			term_add_color(
			    &b, s->out.color_out, color_of(prefix), prefix);
			strbuf_adds(&b, " | ");
		}
		if (stamp != NULL) {
			strbuf_add_escaped(&b, stamp, strlen(stamp));
			strbuf_addc(&b, ' ');
		}
		add_clean(&b, text + at, n);
		strbuf_addc(&b, '\n');
		at += next;
	}
	out_add(&s->out, b.buf, b.len);
}

size_t
logs_tail(const char *text, size_t len, int64_t lines)
{
	size_t at = len;

	if (lines == 0)
		return 0;
	while (at > 0 && (text[at - 1] != '\n' || at == len || --lines > 0))
		at--;
	return at;
}

static bool
is_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL &&
	    (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static enum exitcode
find_names(struct logs *l)
{
	struct session *s = l->session;
	const char *name;

	l->names = s->args.words.n > 0 ? s->args.words : s->args.project;
	name = s->spec != NULL ? spec_project_name(s->spec) : NULL;
	if (l->names.n == 0 && name != NULL) {
		l->names.items = arena_calloc(&s->arena, 1, sizeof(char *));
		if (l->names.items != NULL)
			l->names.items[l->names.n++] = name;
	}
	if (l->names.n == 0)
		return session_usage(s, NULL, "name a project");
	for (size_t i = 0; i < l->names.n; i++) {
		name = l->names.items[i];
		if (s->args.follow && s->args.file == NULL && is_file(name))
			return session_usage(s,
			    arena_printf(&s->arena,
				"'-f' means --follow here; did you mean --file "
				"%s?",
				name),
			    "'%s' looks like a file", name);
		if (!name_is_project(name, strlen(name)))
			return session_usage(s, NULL, "'%s' is not %s", name,
			    name_kind_text(NAME_PROJECT));
	}
	return EXIT_CODE_OK;
}

/* What "2h", or a time, is in the words of Director: of this machine's zone,
 * since nobody knows the server's. */
static const char *
parse_since(struct arena *a, const char *text)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M",
		"%Y-%m-%d %H:%M:%S", DATE_FORMAT };
	char buf[DATE_LEN];
	struct tm tm;
	time_t at;
	int64_t ms;

	memset(&tm, 0, sizeof(tm));
	if (num_duration_ms(text, &ms, NULL) == 0) {
		at = (time_t)((clock_wall_ms() - ms) / 1000);
		if (ms < 0 || localtime_r(&at, &tm) == NULL)
			return NULL;
		return strftime(buf, sizeof(buf), DATE_FORMAT, &tm) > 0
		    ? arena_strdup(a, buf)
		    : NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const char *end;

		memset(&tm, 0, sizeof(tm));
		end = strptime(text, formats[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		if (end[-1] == 'Z') {
			at = timegm(&tm);
			if (localtime_r(&at, &tm) == NULL)
				return NULL;
		}
		return strftime(buf, sizeof(buf), DATE_FORMAT, &tm) > 0
		    ? arena_strdup(a, buf)
		    : NULL;
	}
	return NULL;
}

static enum exitcode
read_args(struct logs *l)
{
	struct session *s = l->session;
	const struct cmd_args *a = &s->args;
	const struct {
		const char *name;
		bool given;
	} stored[] = {
		{ "--jails", a->jails },
		{ "--date", a->date != NULL },
		{ "--since", a->since != NULL },
		{ "--service", a->service != NULL },
		{ "--log", a->log != NULL },
	};

	l->tail = a->follow ? TAIL_FOLLOW : TAIL;
	if (a->tail != NULL &&
	    num_i64(a->tail, 0, INT64_MAX, &l->tail, NULL) < 0)
		return session_usage(s, NULL, "--tail: must be 0 or more");
	if (a->until_done && !a->follow)
		return session_usage(s, NULL, "--until-done is for --follow");
	for (size_t i = 0; a->follow && i < ARRAY_LEN(stored); i++)
		if (stored[i].given)
			return session_usage(s,
			    "--follow shows what jobs print",
			    "%s is for logs that are written, not for --follow",
			    stored[i].name);
	if (a->since != NULL &&
	    (l->since = parse_since(&s->arena, a->since)) == NULL)
		return session_usage(s, NULL,
		    "--since '%s': neither a duration such as 2h nor a time "
		    "such as 2026-01-02T03:04",
		    a->since);
	if (a->date == NULL || strcmp(a->date, "last") == 0) {
		l->dates =
		    a->date == NULL && l->since != NULL ? LOGS_ALL : LOGS_LAST;
	} else if (strcmp(a->date, "all") == 0) {
		l->dates = LOGS_ALL;
	} else {
		l->dates = LOGS_ONE;
		l->date = a->date;
	}
	return EXIT_CODE_OK;
}

/* What is followed needs no more than who is meant. */
static void
start(struct target *t)
{
	const struct logs *l = t->all->rule.ctx;

	if (l->session->args.follow)
		target_done(t);
	else
		logs_read_start(t);
}

static enum exitcode
run(struct session *s)
{
	struct logs l = { .session = s };
	struct targets_rule rule = { .start = start, .ctx = &l };
	enum exitcode rc = read_args(&l);

	if (rc == EXIT_CODE_OK && s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = find_names(&l);
	if (rc == EXIT_CODE_OK)
		rc = targets_look(s, &rule, &l.targets);
	if (rc == EXIT_CODE_OK)
		rc = l.targets.unreachable;
	if (rc == EXIT_CODE_OK)
		rc = targets_none(&l.targets);
	if (rc != EXIT_CODE_OK || l.targets.matched == 0)
		return rc;
	return s->args.follow ? logs_follow(&l) : logs_read_print(&l);
}

static const char *const examples[] = {
	"overlord logs --file web.yml",
	"overlord logs --file web.yml --since 2h --log up.log",
	"overlord logs --file web.yml --jails",
	"overlord logs -f --file web.yml --until-done",
	NULL,
};

static const char *const exits[] = {
	"1   with --until-done: a job that was followed failed",
	CMD_EXITS_LOOK,
	NULL,
};

const struct cmd cmd_logs = {
	.name = "logs",
	.group = CMD_JOBS,
	.summary = "Show the logs of projects; follow their jobs",
	.about = "Prints Director's logs of the newest run of the named "
		 "projects, or of the file's, on every server that the file "
		 "means; with --jails AppJail's. With --follow it prints what "
		 "their jobs print, as they do, until ^C.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "[NAME]...",
	.words_max = 100,
	.examples = examples,
	.exits = exits,
	.run = run,
};
