/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Output. The root out collects data in a buffer that is written when it is
 * full, before a diagnostic, and at the end. A lane collects records instead:
 * one byte for the channel, the length as 4 bytes, the text. Both are bounded;
 * a lane that would not fit any more loses its rest and says so, rather than
 * taking the memory of the machine.
 *
 * SIGPIPE is ignored while the program runs, since TLS writes would raise it;
 * so a closed standard output shows as EPIPE, and then the program ends as any
 * filter does, by that signal.
 */
#include "cli/out.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/data/diag.h"

/* Data kept before it is written, and the most that a lane may hold. */
#define DATA_MAX ((size_t)64 * 1024)
#define LANE_MAX ((size_t)256 * 1024 * 1024)
/* The first bytes of a diagnostic that are shown. */
#define LINE_MAX_LEN ((size_t)64 * 1024)

enum channel {
	CHANNEL_DATA = 'd',
	CHANNEL_TALK = 't',
};

void
out_init(struct out *o, enum out_level level)
{
	memset(o, 0, sizeof(*o));
	o->level = level;
	strbuf_init(&o->buf, LANE_MAX);
}

void
out_init_lane(struct out *o, struct out *parent)
{
	out_init(o, parent->level);
	o->parent = parent;
	o->color_err = parent->color_err;
	o->color_out = parent->color_out;
}

static void
lane_put(struct out *o, enum channel channel, const char *text, size_t len)
{
	uint32_t n = (uint32_t)len;

	if (len == 0 || len > UINT32_MAX)
		return;
	strbuf_addc(&o->buf, (char)channel);
	strbuf_add(&o->buf, &n, sizeof(n));
	strbuf_add(&o->buf, text, len);
}

/* The reader has gone: end as a filter does. */
static void
die_of_pipe(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)raise(SIGPIPE);
}

static void
write_data(struct out *o)
{
	struct error e = ERROR_INIT;

	if (o->buf.len == 0)
		return;
	if (o->failed == 0 &&
	    file_write_all(STDOUT_FILENO, o->buf.buf, o->buf.len, &e) < 0) {
		o->failed = e.sys != 0 ? e.sys : EIO;
		if (o->failed == EPIPE)
			die_of_pipe();
	}
	strbuf_reset(&o->buf);
}

void
out_add(struct out *o, const char *text, size_t len)
{
	if (o->parent != NULL) {
		lane_put(o, CHANNEL_DATA, text, len);
		return;
	}
	strbuf_add(&o->buf, text, len);
	if (o->buf.len >= DATA_MAX)
		write_data(o);
}

void
out_addf(struct out *o, const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf b;
	va_list ap;

	strbuf_init(&b, LANE_MAX);
	va_start(ap, fmt);
	strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	out_add(o, b.buf, b.len);
}

void
out_talk(struct out *o, const char *text, size_t len)
{
	if (o->parent != NULL) {
		lane_put(o, CHANNEL_TALK, text, len);
		return;
	}
	write_data(o);
	if (o->before != NULL)
		o->before(o->before_ctx);
	/* There is nobody to tell when this fails. */
	(void)file_write_all(STDERR_FILENO, text, len, NULL);
}

static void say(struct out *o, const char *prefix, const char *hint,
    const char *fmt, va_list ap) CC_PRINTF(4, 0);

static void
say(struct out *o, const char *prefix, const char *hint, const char *fmt,
    va_list ap)
{
	AUTO_STRBUF struct strbuf text, line;

	strbuf_init(&text, LANE_MAX);
	strbuf_init(&line, LANE_MAX);
	strbuf_vaddf(&text, fmt, ap);
	strbuf_addf(&line, "overlord: %s", prefix);
	strbuf_add_escaped(
	    &line, text.buf, text.len < LINE_MAX_LEN ? text.len : LINE_MAX_LEN);
	strbuf_adds(&line, text.len < LINE_MAX_LEN ? "\n" : " ...\n");
	if (hint != NULL && hint[0] != '\0') {
		strbuf_adds(&line, "  hint: ");
		strbuf_add_escaped(&line, hint, strlen(hint));
		strbuf_addc(&line, '\n');
	}
	out_talk(o, line.buf, line.len);
}

void
out_fail(struct out *o, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(o, "", hint, fmt, ap);
	va_end(ap);
}

void
out_warn(struct out *o, const char *fmt, ...)
{
	va_list ap;

	o->warnings++;
	if (o->level < OUT_WARN)
		return;
	va_start(ap, fmt);
	say(o, "warning: ", NULL, fmt, ap);
	va_end(ap);
}

void
out_warn_hint(struct out *o, const char *hint, const char *fmt, ...)
{
	va_list ap;

	o->warnings++;
	if (o->level < OUT_WARN)
		return;
	va_start(ap, fmt);
	say(o, "warning: ", hint, fmt, ap);
	va_end(ap);
}

void
out_info(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->level < OUT_INFO)
		return;
	va_start(ap, fmt);
	say(o, "", NULL, fmt, ap);
	va_end(ap);
}

void
out_debug(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->level < OUT_DEBUG)
		return;
	va_start(ap, fmt);
	say(o, "", NULL, fmt, ap);
	va_end(ap);
}

void
out_diag(struct out *o, const struct diag *d, const char *source)
{
	AUTO_STRBUF struct strbuf b;
	struct diag shown = *d;

	if (o->level < OUT_WARN) {
		shown.n = 0;
		for (size_t i = 0; i < d->n; i++)
			if (!d->items[i].warning)
				shown.items[shown.n++] = d->items[i];
		shown.warnings = 0;
	}
	strbuf_init(&b, LANE_MAX);
	diag_print(&shown, "overlord", source,
	    source != NULL && isatty(STDERR_FILENO) == 1, &b);
	if (b.len > 0)
		out_talk(o, b.buf, b.len);
}

void
out_release(struct out *lane)
{
	size_t at = 0;
	uint32_t n;

	while (at + 1 + sizeof(n) <= lane->buf.len) {
		const char *text;

		memcpy(&n, lane->buf.buf + at + 1, sizeof(n));
		text = lane->buf.buf + at + 1 + sizeof(n);
		if (n > lane->buf.len - at - 1 - sizeof(n))
			break;
		if (lane->buf.buf[at] == CHANNEL_DATA)
			out_add(lane->parent, text, n);
		else
			out_talk(lane->parent, text, n);
		at += 1 + sizeof(n) + n;
	}
	if (lane->buf.latch != OVE_NONE)
		out_fail(lane->parent, NULL,
		    "a part of the output is left out: it is too long");
	lane->parent->warnings += lane->warnings;
	lane->warnings = 0;
	strbuf_reset(&lane->buf);
}

int
out_flush(struct out *o, struct error *e)
{
	write_data(o);
	if (o->failed != 0)
		return error_set_errno(e, o->failed, "standard output");
	return 0;
}

void
out_fini(struct out *o)
{
	strbuf_fini(&o->buf);
}
