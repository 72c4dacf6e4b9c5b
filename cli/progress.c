/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Lines about jobs. Every text that a server sent is escaped. The live view
 * takes itself away before anything else is written to standard error (the hook
 * of out.c) and comes back at the next draw. When there are more jobs than
 * lines, those that are done are left out first, by drawing a screen at most.
 */
#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "cli/servers.h"
#include "lib/base/clock.h"

#define DRAW_MS 250
#define LINES_MAX 20
#define VIEW_MAX ((size_t)256 * 1024)
#define LINE_LEN_MAX 4096

/* After ^Z and fg the shell's lines are below ours: what is there stays. A
 * handler of its own, because the loop may turn to a timer first. */
static volatile sig_atomic_t continued;

static void
on_sigcont(int signo)
{
	(void)signo;
	continued = 1;
}

static void
watch_sigcont(struct progress *p)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_sigcont;
	sa.sa_flags = SA_RESTART;
	(void)sigemptyset(&sa.sa_mask);
	continued = 0;
	(void)sigaction(SIGCONT, &sa, &p->sigcont);
}

static size_t
width_of(const char *text)
{
	return term_text_width(text, strlen(text));
}

static void
leave_old(struct progress *p)
{
	if (continued != 0)
		p->block.lines = 0;
	continued = 0;
}

static void
take_away(void *ctx)
{
	struct progress *p = ctx;

	leave_old(p);
	term_block_clear(&p->block);
}

void
progress_init(
    struct progress *p, struct session *s, struct wait_job *jobs, size_t n)
{
	memset(p, 0, sizeof(*p));
	p->session = s;
	p->jobs = jobs;
	p->n = n;
	p->block.fd = STDERR_FILENO;
	p->live = term_can_redraw(STDERR_FILENO) && s->out.level > OUT_QUIET;
	p->utf8 = term_is_utf8();
	for (size_t i = 0; i < n; i++) {
		const char *texts[3] = { jobs[i].server->name,
			servers_chain(jobs[i].chain), jobs[i].project };

		for (size_t c = 0; c < 3; c++)
			if (width_of(texts[c]) > p->widths[c])
				p->widths[c] = width_of(texts[c]);
	}
	if (p->live) {
		s->out.before = take_away;
		s->out.before_ctx = p;
		watch_sigcont(p);
	}
}

void
progress_fini(struct progress *p)
{
	if (p->live)
		(void)sigaction(SIGCONT, &p->sigcont, NULL);
	take_away(p);
	p->session->out.before = NULL;
}

static void
add_name(const struct progress *p, const struct wait_job *j, struct strbuf *b)
{
	const char *texts[3] = { j->server->name, servers_chain(j->chain),
		j->project };

	for (size_t c = 0; c < 3; c++) {
		strbuf_add_escaped(b, texts[c], strlen(texts[c]));
		strbuf_addf(
		    b, "%*s", (int)(p->widths[c] - width_of(texts[c]) + 2), "");
	}
}

void
progress_change(struct progress *p, const struct wait_job *j)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, LINE_LEN_MAX * 4);
	if (p->live || p->session->out.level < OUT_WARN ||
	    j->state != WAIT_BUSY)
		return;
	add_name(p, j, &b);
	strbuf_add_escaped(&b, j->doing, strlen(j->doing));
	strbuf_addc(&b, '\n');
	out_talk(&p->session->out, b.buf, b.len);
}

/* "12.4s", "3m07s" */
static void
add_elapsed(struct strbuf *b, int64_t ms)
{
	if (ms < 60000)
		strbuf_addf(b, "%lld.%llds", (long long)(ms / 1000),
		    (long long)(ms % 1000 / 100));
	else
		strbuf_addf(b, "%lldm%02llds", (long long)(ms / 60000),
		    (long long)(ms % 60000 / 1000));
}

static void
add_mark(const struct progress *p, const struct wait_job *j, struct strbuf *b)
{
	bool color = p->session->out.color_err;

	switch (j->state) {
	case WAIT_BUSY:
		term_add_color(b, color, TERM_YELLOW, p->utf8 ? "…" : "-");
		break;
	case WAIT_DONE:
		term_add_color(b, color, TERM_GREEN, p->utf8 ? "✓" : "ok");
		break;
	case WAIT_FAILED:
	case WAIT_LOST:
		term_add_color(b, color, TERM_RED, p->utf8 ? "✗" : "FAILED");
		break;
	}
}

static void
add_live_line(
    const struct progress *p, const struct wait_job *j, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf b;
	size_t width = term_width(STDERR_FILENO);

	strbuf_init(&b, LINE_LEN_MAX * 4);
	add_mark(p, j, out);
	strbuf_addc(&b, ' ');
	add_name(p, j, &b);
	add_elapsed(&b,
	    j->state == WAIT_BUSY ? clock_mono_ms() - j->began_ms : j->took_ms);
	strbuf_adds(&b, "  ");
	strbuf_add_escaped(&b, j->doing, strlen(j->doing));
	if (j->reason != NULL) {
		strbuf_adds(&b, ": ");
		strbuf_add_escaped(&b, j->reason, strlen(j->reason));
	}
	/* The mark takes up to six columns. */
	strbuf_add(
	    out, b.buf, term_text_cut(b.buf, b.len, width > 8 ? width - 8 : 0));
	strbuf_addc(out, '\n');
}

/* A block that is higher than the screen could not be drawn again: room for
 * the last line, and for the cursor below it. */
static size_t
lines_max(void)
{
	size_t rows = term_height(STDERR_FILENO);

	rows = rows > 3 ? rows - 2 : 1;
	return rows < LINES_MAX ? rows : LINES_MAX;
}

void
progress_draw(struct progress *p, int64_t now_ms)
{
	AUTO_STRBUF struct strbuf b;
	size_t busy = 0, lines = 0, max = lines_max();

	strbuf_init(&b, VIEW_MAX);
	if (!p->live || (p->drawn_ms != 0 && now_ms - p->drawn_ms < DRAW_MS))
		return;
	p->drawn_ms = now_ms;
	leave_old(p);
	for (size_t i = 0; i < p->n; i++)
		busy += p->jobs[i].state == WAIT_BUSY;
	for (size_t i = 0; i < p->n && lines < max; i++) {
		if (p->n > max && p->jobs[i].state == WAIT_DONE)
			continue;
		add_live_line(p, &p->jobs[i], &b);
		lines++;
	}
	if (p->n > max)
		strbuf_addf(&b, "%zu of %zu done\n", p->n - busy, p->n);
	term_block_draw(&p->block, b.buf, b.len);
}

void
progress_summary(struct progress *p)
{
	struct out *out = &p->session->out;
	bool color = out->color_err;

	if (out->level < OUT_WARN)
		return;
	for (size_t i = 0; i < p->n; i++) {
		const struct wait_job *j = &p->jobs[i];
		AUTO_STRBUF struct strbuf b;

		strbuf_init(&b, LINE_LEN_MAX * 4);
		add_name(p, j, &b);
		if (j->state == WAIT_DONE)
			term_add_color(&b, color, TERM_GREEN, "ok    ");
		else if (j->state == WAIT_BUSY)
			term_add_color(&b, color, TERM_YELLOW, "-     ");
		else
			term_add_color(&b, color, TERM_RED, "FAILED");
		strbuf_adds(&b, "  ");
		add_elapsed(&b,
		    j->state == WAIT_BUSY ? clock_mono_ms() - j->began_ms
					  : j->took_ms);
		if (j->reason != NULL || j->state == WAIT_BUSY) {
			const char *text =
			    j->reason != NULL ? j->reason : j->doing;

			strbuf_adds(&b, "  ");
			strbuf_add_escaped(&b, text, strlen(text));
		}
		strbuf_addc(&b, '\n');
		out_talk(out, b.buf, b.len);
	}
}

static void
say_tail(struct progress *p, const struct wait_job *j)
{
	AUTO_STRBUF struct strbuf b;
	const char *s = j->stderr_tail;

	strbuf_init(&b, VIEW_MAX * 2);
	strbuf_addf(&b, "%s %s %s: the last lines of stderr:\n",
	    j->server->name, servers_chain(j->chain), j->project);
	while (*s != '\0') {
		size_t len = strcspn(s, "\n");

		strbuf_adds(&b, "  | ");
		strbuf_add_escaped(&b, s, len);
		strbuf_addc(&b, '\n');
		s += len;
		s += *s == '\n';
	}
	out_talk(&p->session->out, b.buf, b.len);
}

/* The command that shows more. */
static void
add_hint(struct strbuf *b, const struct session *s, const struct wait_job *j)
{
	if (j->state == WAIT_LOST) {
		strbuf_addf(b, "overlord status -f %s", s->spec_name);
		return;
	}
	if (j->phase == WAIT_SCALE) {
		strbuf_addf(b,
		    "overlord get-info -f %s -t autoscale --filter %s",
		    s->spec_name, j->project);
		return;
	}
	strbuf_addf(b, "overlord logs --file %s", s->spec_name);
	if (s->spec->datacenters.n > 1)
		strbuf_addf(b, " --datacenter %s", j->server->name);
	/* A shell would take the root for a redirection. */
	strbuf_addf(b, j->chain != NULL ? " --chain %s" : " --chain '%s'",
	    servers_chain(j->chain));
	strbuf_addf(b, " %s", j->project);
}

void
progress_failures(struct progress *p, size_t failed)
{
	struct session *s = p->session;
	const struct wait_job *first = NULL;
	AUTO_STRBUF struct strbuf hint;

	strbuf_init(&hint, VIEW_MAX);
	for (size_t i = 0; i < p->n; i++) {
		const struct wait_job *j = &p->jobs[i];

		if (j->state != WAIT_FAILED && j->state != WAIT_LOST)
			continue;
		if (first == NULL ||
		    (first->state == WAIT_LOST && j->state == WAIT_FAILED))
			first = j;
		if (j->stderr_tail != NULL)
			say_tail(p, j);
	}
	if (first == NULL)
		return;
	add_hint(&hint, s, first);
	out_fail(&s->out, hint.buf, "%zu of %zu targets failed", failed, p->n);
}
