/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Renders events by a form that was read: see log_pattern.h. It cannot fail, it
 * cuts.
 */
#include "lib/base/log_pattern_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/utf8.h"

#define TIME_LEN 256
/* Digits of the longest number, as "%f" may write it. */
#define DIGITS_LEN 1400

/* Python's; it has no notice, which lies between its two neighbours. */
static const struct {
	const char *name;
	int no;
} levels[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_CRITICAL] = { "CRITICAL", 50 },
	[LOG_LEVEL_ERROR] = { "ERROR", 40 },
	[LOG_LEVEL_WARN] = { "WARNING", 30 },
	[LOG_LEVEL_NOTICE] = { "NOTICE", 25 },
	[LOG_LEVEL_INFO] = { "INFO", 20 },
	[LOG_LEVEL_DEBUG] = { "DEBUG", 10 },
};

struct value {
	enum {
		VALUE_TEXT,
		VALUE_INT,
		VALUE_REAL
	} type;
	const char *text;
	size_t len;
	int64_t num;
	double real;
};

/* Values */

static int64_t
millis_of(int64_t wall_ms)
{
	return (wall_ms % 1000 + 1000) % 1000;
}

static const char *
time_text(const struct log_pattern *p, int64_t wall_ms, char buf[TIME_LEN])
{
	/* The format is the administrator's, so no compiler can check it. */
	size_t (*const put)(char *, size_t, const char *, const struct tm *) =
	    strftime;
	int64_t ms = millis_of(wall_ms);
	time_t t = (time_t)((wall_ms - ms) / 1000);
	struct tm tm = { 0 };
	size_t n;

	(void)localtime_r(&t, &tm);
	n = put(buf, TIME_LEN,
	    p->datefmt != NULL ? p->datefmt : "%Y-%m-%d %H:%M:%S", &tm);
	buf[n] = '\0';
	if (p->datefmt == NULL)
		(void)snprintf(buf + n, TIME_LEN - n, ",%03d", (int)ms);
	return buf;
}

static struct value
text_value(const char *s)
{
	return (struct value){ .text = s, .len = strlen(s) };
}

static struct value
int_value(int64_t v)
{
	return (struct value){ .type = VALUE_INT, .num = v };
}

static struct value
real_value(double v)
{
	return (struct value){ .type = VALUE_REAL, .real = v };
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Everything but the message; buf is for what has to be put together. */
static struct value
value_of(const struct log_pattern *p, enum log_pattern_field field,
    const struct log_event *ev, char buf[TIME_LEN])
{
	struct value v;

	switch (field) {
	case FIELD_ASCTIME:
		return text_value(time_text(p, ev->wall_ms, buf));
	case FIELD_NAME:
		(void)snprintf(buf, TIME_LEN, "%s%s", ev->prefix, ev->name);
		return text_value(buf);
	case FIELD_LEVELNAME:
		return text_value(levels[ev->severity].name);
	case FIELD_LEVELNO:
		return int_value(levels[ev->severity].no);
	case FIELD_PROCESS:
		return int_value(getpid());
	case FIELD_PROCESSNAME:
		return text_value("MainProcess");
	case FIELD_THREADNAME:
		return text_value("MainThread");
	case FIELD_PATHNAME:
		return text_value(ev->file);
	case FIELD_FILENAME:
		return text_value(base_name(ev->file));
	case FIELD_MODULE:
		v = text_value(base_name(ev->file));
		if (v.len > 2 && strcmp(v.text + v.len - 2, ".c") == 0)
			v.len -= 2;
		return v;
	case FIELD_FUNCNAME:
		return text_value(ev->func);
	case FIELD_LINENO:
		return int_value(ev->line);
	case FIELD_CREATED:
		return real_value((double)ev->wall_ms / 1000);
	case FIELD_MSECS:
		return real_value((double)millis_of(ev->wall_ms));
	case FIELD_RELATIVE:
		return real_value((double)(ev->wall_ms - ev->born_ms));
	case FIELD_LITERAL:
	case FIELD_UNKNOWN:
	case FIELD_MESSAGE:
		break;
	}
	return text_value("?");
}

/* Rendering */

static size_t
chars_of(const char *s, size_t len)
{
	size_t n = 0, step;

	for (; len > 0; n++) {
		step = utf8_char_len(s, len);
		if (step == 0)
			step = 1;
		s += step;
		len -= step;
	}
	return n;
}

/* The bytes of the first n characters. */
static size_t
bytes_of(const char *s, size_t len, size_t n)
{
	size_t at = 0, step;

	for (; n > 0 && at < len; n--) {
		step = utf8_char_len(s + at, len - at);
		at += step > 0 ? step : 1;
	}
	return at;
}

/* What does not fit is cut between characters. */
static void
add_cut(struct log_line *l, const char *s, size_t len)
{
	size_t step;

	for (; len > 0 && !l->cut; s += step, len -= step) {
		step = utf8_char_len(s, len);
		if (step == 0)
			step = 1;
		log_line_add(l, s, step);
	}
}

/* What Python's repr() makes of it; ascii: its ascii(). */
static void
quote(struct log_line *l, const char *s, size_t len, bool ascii)
{
	char mark = memchr(s, '\'', len) != NULL && memchr(s, '"', len) == NULL
	    ? '"'
	    : '\'';
	unsigned code;
	size_t step;
	char buf[16];

	log_line_add(l, &mark, 1);
	for (; len > 0; s += step, len -= step) {
		step = utf8_char_len(s, len);
		if (step == 0)
			step = 1;
		if (step == 1 && (*s == mark || *s == '\\'))
			log_line_adds(l, "\\");
		if (step == 1 || !ascii) {
			log_line_add(l, s, step);
			continue;
		}
		code = utf8_decode(s, step);
		(void)snprintf(buf, sizeof(buf),
		    code < 0x100         ? "\\x%02x"
			: code < 0x10000 ? "\\u%04x"
					 : "\\U%08x",
		    code);
		log_line_adds(l, buf);
	}
	log_line_add(l, &mark, 1);
}

static void
add_plain(struct log_line *l, const struct log_pattern_piece *it, const char *s,
    size_t len)
{
	size_t n, pad;

	if (it->precision != LOG_PATTERN_NO_PRECISION)
		len = bytes_of(s, len, (size_t)it->precision);
	n = chars_of(s, len);
	pad = it->width > n ? it->width - n : 0;
	if (!it->left)
		log_line_add_blanks(l, pad);
	add_cut(l, s, len);
	if (it->left)
		log_line_add_blanks(l, pad);
}

static void
add_text(struct log_line *l, const struct log_pattern_piece *it, const char *s,
    size_t len)
{
	struct log_line quoted;

	if (it->conv != 'r' && it->conv != 'a') {
		add_plain(l, it, s, len);
		return;
	}
	quoted.len = 0;
	quoted.cut = false;
	quote(&quoted, s, len, it->conv == 'a');
	add_plain(l, it, quoted.buf, quoted.len);
	l->cut = l->cut || quoted.cut;
}

static void
real_digits(const struct log_pattern_piece *it, double v, char buf[DIGITS_LEN])
{
	int n = it->precision != LOG_PATTERN_NO_PRECISION ? it->precision : 6;
	bool alt = it->alt;

	switch (it->conv) {
	case 'e':
		(void)snprintf(buf, DIGITS_LEN, alt ? "%#.*e" : "%.*e", n, v);
		break;
	case 'E':
		(void)snprintf(buf, DIGITS_LEN, alt ? "%#.*E" : "%.*E", n, v);
		break;
	case 'g':
		(void)snprintf(buf, DIGITS_LEN, alt ? "%#.*g" : "%.*g", n, v);
		break;
	case 'G':
		(void)snprintf(buf, DIGITS_LEN, alt ? "%#.*G" : "%.*G", n, v);
		break;
	default:
		(void)snprintf(buf, DIGITS_LEN, alt ? "%#.*f" : "%.*f", n, v);
		break;
	}
}

/* What a float is as text: as short as it can be, but a float. */
static void
real_text(double v, char buf[DIGITS_LEN])
{
	int n = snprintf(buf, DIGITS_LEN, "%.15g", v);

	if (strpbrk(buf, ".en") == NULL)
		(void)snprintf(buf + n, DIGITS_LEN - (size_t)n, ".0");
}

static const char *
int_digits(const struct log_pattern_piece *it, uint64_t v, char buf[DIGITS_LEN])
{
	int precision =
	    it->precision != LOG_PATTERN_NO_PRECISION ? it->precision : 1;

	switch (it->conv) {
	case 'x':
		(void)snprintf(buf, DIGITS_LEN, "%.*" PRIx64, precision, v);
		return it->alt ? "0x" : "";
	case 'X':
		(void)snprintf(buf, DIGITS_LEN, "%.*" PRIX64, precision, v);
		return it->alt ? "0X" : "";
	case 'o':
		(void)snprintf(buf, DIGITS_LEN, "%.*" PRIo64, precision, v);
		return it->alt ? "0o" : "";
	default:
		(void)snprintf(buf, DIGITS_LEN, "%.*" PRIu64, precision, v);
		return "";
	}
}

static void
add_number(struct log_line *l, const struct log_pattern_piece *it,
    bool negative, const char *prefix, const char *digits)
{
	const char sign[] = { negative ? '-' : it->sign, '\0' };
	size_t n = strlen(sign) + strlen(prefix) + strlen(digits);
	size_t pad = it->width > n ? it->width - n : 0;

	if (!it->left && !it->zero)
		log_line_add_blanks(l, pad);
	log_line_adds(l, sign);
	log_line_adds(l, prefix);
	for (; !it->left && it->zero && pad > 0; pad--)
		log_line_adds(l, "0");
	log_line_adds(l, digits);
	if (it->left)
		log_line_add_blanks(l, pad);
}

/* A number by a letter for numbers; false when it is not one. */
static bool
add_as_number(struct log_line *l, const struct log_pattern_piece *it,
    const struct value *v)
{
	char digits[DIGITS_LEN];
	const char *prefix = "";
	double real = v->type == VALUE_REAL ? v->real : (double)v->num;
	int64_t num = v->type == VALUE_REAL ? (int64_t)v->real : v->num;

	if (strchr("eEfFgG", it->conv) != NULL) {
		real_digits(it, real < 0 ? -real : real, digits);
		add_number(l, it, real < 0, prefix, digits);
		return true;
	}
	if (strchr("diuxXo", it->conv) == NULL)
		return false;
	prefix =
	    int_digits(it, num < 0 ? -(uint64_t)num : (uint64_t)num, digits);
	add_number(l, it, num < 0, prefix, digits);
	return true;
}

static void
add_value(struct log_line *l, const struct log_pattern_piece *it,
    const struct value *v)
{
	/* A number has no quotes. */
	struct log_pattern_piece plain = *it;
	char digits[DIGITS_LEN];

	if (v->type == VALUE_TEXT) {
		add_text(l, it, v->text, v->len);
		return;
	}
	if (add_as_number(l, it, v))
		return;
	if (v->type == VALUE_REAL)
		real_text(v->real, digits);
	else
		(void)snprintf(digits, sizeof(digits), "%" PRId64, v->num);
	plain.conv = 's';
	add_text(l, &plain, digits, strlen(digits));
}

static void
add_message(struct log_line *l, const struct log_pattern_piece *it,
    const struct log_event *ev)
{
	struct log_line whole;

	if (it->conv != 'r' && it->conv != 'a' && it->width == 0 &&
	    it->precision == LOG_PATTERN_NO_PRECISION) {
		log_render_message(l, ev);
		return;
	}
	whole.len = 0;
	whole.cut = false;
	log_render_message(&whole, ev);
	add_text(l, it, whole.buf, whole.len);
	l->cut = l->cut || whole.cut;
}

void
log_pattern_render(
    const struct log_pattern *p, const struct log_event *ev, struct log_line *l)
{
	char buf[TIME_LEN];
	struct value v;
	size_t i;

	for (i = 0; i < p->pieces.n && !l->cut; i++) {
		const struct log_pattern_piece *it = array_at(&p->pieces, i);

		switch (it->field) {
		case FIELD_LITERAL:
			add_cut(l, it->text, it->len);
			break;
		case FIELD_MESSAGE:
			add_message(l, it, ev);
			break;
		default:
			v = value_of(p, it->field, ev, buf);
			add_value(l, it, &v);
		}
	}
	log_line_end(l, l->cut || ev->cut ? "...\n" : "\n");
}
