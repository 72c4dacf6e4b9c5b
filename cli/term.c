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

size_t
term_width(int fd)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 80;
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
	};

	if (on && color != TERM_PLAIN)
		strbuf_addf(out, "%s%s\033[0m", codes[color], text);
	else
		strbuf_adds(out, text);
}

size_t
term_text_width(const char *s, size_t len)
{
	size_t n = 0;

	while (len > 0) {
		size_t c = utf8_char_len(s, len);

		c = c == 0 ? 1 : c;
		s += c;
		len -= c;
		n++;
	}
	return n;
}

static void
add_clear(struct strbuf *b, size_t lines)
{
	if (lines > 0)
		strbuf_addf(b, "\r\033[%zuA\033[J", lines);
}

void
term_block_draw(struct term_block *b, const char *text, size_t len)
{
	AUTO_STRBUF struct strbuf s;
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	strbuf_init(&s, BLOCK_MAX);
	add_clear(&s, b->lines);
	strbuf_add(&s, text, len);
	(void)file_write_all(b->fd, s.buf, s.len, NULL);
	b->lines = lines;
}

void
term_block_clear(struct term_block *b)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 64);
	add_clear(&s, b->lines);
	if (s.len > 0)
		(void)file_write_all(b->fd, s.buf, s.len, NULL);
	b->lines = 0;
}
