/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The only file that knows escape sequences: 16-colour codes, cursor up, erase
 * to the end of the screen. A redraw is one write, so it does not flicker, and
 * never hides the cursor, so there is nothing to restore when the program dies.
 */
#include "cli/term.h"

#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"

#define BLOCK_MAX ((size_t)1024 * 1024)

bool
term_wants_color(int fd, const char *when)
{
	const char *s;

	if (when != NULL && strcmp(when, "always") == 0)
		return true;
	if (when != NULL && strcmp(when, "never") == 0)
		return false;
	s = getenv("NO_COLOR");
	if (s != NULL && s[0] != '\0')
		return false;
	s = getenv("TERM");
	return s != NULL && strcmp(s, "dumb") != 0 && isatty(fd) == 1;
}

bool
term_can_redraw(int fd)
{
	const char *s = getenv("TERM");

	return s != NULL && s[0] != '\0' && strcmp(s, "dumb") != 0 &&
	    isatty(fd) == 1;
}

size_t
term_width(int fd)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 80;
}

size_t
term_height(int fd)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0)
		return ws.ws_row;
	return 24;
}

bool
term_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *s = getenv(names[i]);

		if (s != NULL && s[0] != '\0')
			return strstr(s, "UTF-8") != NULL ||
			    strstr(s, "utf8") != NULL ||
			    strstr(s, "UTF8") != NULL ||
			    strstr(s, "utf-8") != NULL;
	}
	return false;
}

void
term_add_color(
    struct strbuf *out, bool on, enum term_color color, const char *text)
{
	static const char *const codes[] = {
		[TERM_PLAIN] = "",
		[TERM_GREEN] = "\033[32m",
		[TERM_YELLOW] = "\033[33m",
		[TERM_RED] = "\033[31m",
		[TERM_DIM] = "\033[2m",
		[TERM_CYAN] = "\033[36m",
		[TERM_BOLD] = "\033[1m",
		[TERM_BLUE] = "\033[34m",
		[TERM_MAGENTA] = "\033[35m",
	};

	if (on && color != TERM_PLAIN)
		strbuf_addf(out, "%s%s\033[0m", codes[color], text);
	else
		strbuf_adds(out, text);
}

/* Two columns: what East Asian scripts and emoji take in every terminal. */
static const struct span {
	uint32_t first;
	uint32_t last;
} wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97c },
	{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd } };
/* None: marks that join the character before. */
static const struct span narrow[] = { { 0x0300, 0x036f }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f } };

static bool
is_in(const struct span *spans, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= spans[i].first && c <= spans[i].last)
			return true;
	return false;
}

/* Of a valid sequence of n bytes. */
static size_t
char_width(const char *s, size_t n)
{
	uint32_t c = utf8_decode(s, n);

	if (is_in(wide, ARRAY_LEN(wide), c))
		return 2;
	return is_in(narrow, ARRAY_LEN(narrow), c) ? 0 : 1;
}

/* Bytes of the character, or of the escape sequence of ours, at s. */
static size_t
next_char(const char *s, size_t len, size_t *ret_width)
{
	size_t n = utf8_char_len(s, len);

	*ret_width = 1;
	if (len > 2 && s[0] == '\033' && s[1] == '[') {
		*ret_width = 0;
		for (n = 2; n < len && (s[n] < '@' || s[n] > '~'); n++)
			;
		return n < len ? n + 1 : n;
	}
	if (n == 0)
		return 1;
	*ret_width = char_width(s, n);
	return n;
}

size_t
term_text_width(const char *s, size_t len)
{
	size_t columns = 0, w;

	for (size_t at = 0; at < len; columns += w)
		at += next_char(s + at, len - at, &w);
	return columns;
}

size_t
term_text_cut(const char *s, size_t len, size_t columns)
{
	size_t at = 0, used = 0, n, w;

	while (at < len) {
		n = next_char(s + at, len - at, &w);
		if (used + w > columns)
			break;
		at += n;
		used += w;
	}
	return at;
}

/* Rows that the lines take now: a terminal that has become narrower since they
 * were drawn has broken them. */
static size_t
rows_of(const struct term_block *b)
{
	size_t width = term_width(b->fd), rows = 0;

	for (size_t i = 0; i < b->lines; i++)
		rows += b->widths[i] <= width
		    ? 1
		    : (b->widths[i] + width - 1) / width;
	return rows;
}

static void
add_clear(const struct term_block *b, struct strbuf *out)
{
	if (b->lines > 0)
		strbuf_addf(out, "\r\033[%zuA\033[J", rows_of(b));
}

void
term_block_draw(struct term_block *b, const char *text, size_t len)
{
	AUTO_STRBUF struct strbuf s;
	const char *end = text + len, *eol;

	strbuf_init(&s, BLOCK_MAX);
	add_clear(b, &s);
	strbuf_add(&s, text, len);
	(void)file_write_all(b->fd, s.buf, s.len, NULL);
	b->lines = 0;
	while (text < end && b->lines < TERM_BLOCK_LINES &&
	    (eol = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		b->widths[b->lines++] =
		    term_text_width(text, (size_t)(eol - text));
		text = eol + 1;
	}
}

void
term_block_clear(struct term_block *b)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 64);
	add_clear(b, &s);
	if (s.len > 0)
		(void)file_write_all(b->fd, s.buf, s.len, NULL);
	b->lines = 0;
}
