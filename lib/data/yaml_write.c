/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tree to YAML text.  The style is that of PyYAML's safe_dump, since files of
 * the original's users look so and some compare them: two blanks a level, the
 * dashes of a list below its key, a text plain where it may be, else in single
 * quotes, else in double quotes, lines folded behind column 80.
 *
 * A text is looked at once (look_at); what was found decides its style.  Plain
 * is only what no reader takes for something else than text, whether it follows
 * YAML 1.1 or 1.2.
 *
 * Not libyaml's emitter: it breaks lines in double quotes at other places,
 * knows nothing of YAML 1.2's numbers and allocates per token.
 *
 * The writer puts line breaks in front of things, so that a nested block can
 * begin on the line of its dash.  The column is the distance from the last line
 * break: what is folded is ASCII.  Recursion is bounded by the depth of the
 * tree, which its reader bounds.
 */

#include "lib/data/yaml_write.h"

#include <math.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/utf8.h"
#include "lib/data/scalar.h"

#define INDENT 2
/* A line is folded at the first blank behind this column. */
#define WIDTH 80
/* A key of more characters gets a line of its own, behind "? ".  So PyYAML; but
 * readers give up on a key of 1,024 bytes, and an escape may take ten. */
#define KEY_LEN_MAX 122
#define KEY_ESCAPED_MAX 100

/* The indentation of a text that must stay on its line: a key. */
#define WHOLE SIZE_MAX

#define DIGITS "0123456789"
#define UTF8_REPLACEMENT 0xfffd

struct writer {
	struct strbuf *out;
	unsigned flags;
	/* Where the current line begins in out. */
	size_t line;
	/* The text being written stands in single quotes. */
	bool quoted;
};

/* Things in a text that some style cannot hold. */
enum trait {
	/* An LF, or another of YAML 1.1's line breaks. */
	HAS_BREAK = 1 << 0,
	/* A blank or an LF at either end. */
	HAS_EDGE = 1 << 1,
	/* An LF beside a blank. */
	HAS_RAGGED = 1 << 2,
	/* What is syntax to a reader, where it stands. */
	HAS_SYNTAX = 1 << 3,
	/* Anything but printable ASCII and LF. */
	HAS_ESCAPE = 1 << 4,
	/* What a literal block cannot hold. */
	HAS_UNPRINTABLE = 1 << 5,
};

struct look {
	unsigned traits;
	/* Characters. */
	size_t n;
};

static size_t
column(const struct writer *w)
{
	return w->out->len - w->line;
}

static void
pad(const struct writer *w, size_t indent)
{
	while (column(w) < indent && w->out->latch == OVE_NONE)
		strbuf_addc(w->out, ' ');
}

static void
line_break(struct writer *w)
{
	strbuf_addc(w->out, '\n');
	w->line = w->out->len;
}

static void
new_line(struct writer *w, size_t indent)
{
	line_break(w);
	pad(w, indent);
}

/* The next place where the line may end is where it has to. */
static bool
is_beyond(const struct writer *w, size_t indent)
{
	return indent != WHOLE && column(w) > WIDTH;
}

/* Texts */

static bool
is_space(char c)
{
	return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ASCII at s[i] that would not be read as text there; s ends in NUL. */
static bool
is_syntax(const char *s, size_t i)
{
	char c = s[i];

	if (i == 0) {
		if (strncmp(s, "---", 3) == 0 || strncmp(s, "...", 3) == 0 ||
		    strchr("#,[]{}&*!|>'\"%@`", c) != NULL)
			return true;
		if (c == '-' || c == '?')
			return is_space(s[1]);
	}
	if (c == ':')
		return is_space(s[i + 1]);
	return c == '#' && is_space(s[i - 1]);
}

static unsigned
traits_of_ascii(const char *s, size_t i, size_t len)
{
	char c = s[i];

	if (c == ' ' || c == '\n')
		return (c == '\n' ? HAS_BREAK : 0U) |
		    (i == 0 || i + 1 == len ? HAS_EDGE : 0U) |
		    (i + 1 < len && s[i + 1] == (c == ' ' ? '\n' : ' ')
			    ? HAS_RAGGED
			    : 0U);
	if (c == '\t')
		return HAS_ESCAPE;
	if (c < ' ' || c > '~')
		return HAS_ESCAPE | HAS_UNPRINTABLE;
	return is_syntax(s, i) ? HAS_SYNTAX : 0U;
}

/* Of a character beyond ASCII. */
static unsigned
traits_of_wide(unsigned c)
{
	if (c == 0x85 || c == 0x2028 || c == 0x2029)
		return HAS_ESCAPE | HAS_UNPRINTABLE | HAS_BREAK;
	/* Control characters, the byte order mark, and what is none. */
	if (c < 0xa0 || c == 0xfeff || c == 0xfffe || c == 0xffff)
		return HAS_ESCAPE | HAS_UNPRINTABLE;
	return HAS_ESCAPE;
}

static struct look
look_at(const char *s, size_t len)
{
	struct look l = { 0, 0 };
	size_t i, n;

	for (i = 0; i < len; i += n, l.n++) {
		n = utf8_char_len(s + i, len - i);
		if (n == 1) {
			l.traits |= traits_of_ascii(s, i, len);
		} else if (n > 1) {
			l.traits |= traits_of_wide(utf8_decode(s + i, n));
		} else {
			l.traits |= HAS_ESCAPE | HAS_UNPRINTABLE;
			n = 1;
		}
	}
	return l;
}

/* A number to YAML 1.2, whose rules are wider in places. */
static bool
is_number12(const char *s)
{
	size_t n, m;

	if (strncmp(s, "0o", 2) == 0)
		return s[2] != '\0' && s[2 + strspn(s + 2, "01234567")] == '\0';
	if (*s == '-' || *s == '+')
		s++;
	n = strspn(s, DIGITS);
	s += n;
	if (*s == '.') {
		m = strspn(s + 1, DIGITS);
		s += 1 + m;
		n += m;
	}
	if (n == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		n = strspn(s, DIGITS);
		if (n == 0)
			return false;
		s += n;
	}
	return *s == '\0';
}

static bool
is_plain(const char *s, size_t len, const struct look *l)
{
	return len > 0 && l->traits == 0 &&
	    scalar_resolve(s, len) == SCALAR_STR && !is_number12(s);
}

/*
 * Text without escapes, plain or in single quotes.  A line may end in place of
 * a blank that stands alone; the reader makes it a blank again.  An LF is
 * written as an empty line.
 */
static void
write_folded(struct writer *w, const char *s, size_t len, size_t indent)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\n') {
			if (i == 0 || s[i - 1] != '\n')
				line_break(w);
			line_break(w);
			if (i + 1 == len || s[i + 1] != '\n')
				pad(w, indent);
		} else if (s[i] == ' ' && is_beyond(w, indent) && i > 0 &&
		    i + 1 < len && s[i - 1] != ' ' && s[i + 1] != ' ') {
			new_line(w, indent);
		} else {
			strbuf_addc(w->out, s[i]);
			if (s[i] == '\'' && w->quoted)
				strbuf_addc(w->out, '\'');
		}
	}
}

static void
write_escape(struct strbuf *out, unsigned c)
{
	static const struct {
		unsigned c;
		char name;
	} names[] = { { 0, '0' }, { 7, 'a' }, { 8, 'b' }, { 9, 't' },
		{ 10, 'n' }, { 11, 'v' }, { 12, 'f' }, { 13, 'r' }, { 27, 'e' },
		{ '"', '"' }, { '\\', '\\' }, { 0x85, 'N' }, { 0xa0, '_' },
		{ 0x2028, 'L' }, { 0x2029, 'P' } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].c == c) {
			strbuf_addc(out, '\\');
			strbuf_addc(out, names[i].name);
			return;
		}
	}
	if (c <= 0xff)
		strbuf_addf(out, "\\x%02X", c);
	else if (c <= 0xffff)
		strbuf_addf(out, "\\u%04X", c);
	else
		strbuf_addf(out, "\\U%08X", c);
}

/* In double quotes a line ends in a backslash; a blank that the next one begins
 * with needs a backslash, too. */
static void
fold_double(struct writer *w, const char *rest, size_t indent)
{
	strbuf_addc(w->out, '\\');
	new_line(w, indent);
	if (*rest == ' ')
		strbuf_addc(w->out, '\\');
}

/* A line may end before a blank and on either side of an escape. */
static void
write_double(struct writer *w, const char *s, size_t len, size_t indent)
{
	bool escape = false, after_escape, inside;
	size_t i, n;

	strbuf_addc(w->out, '"');
	for (i = 0; i < len; i += n) {
		n = utf8_char_len(s + i, len - i);
		after_escape = escape;
		escape = n != 1 || s[i] < ' ' || s[i] > '~' || s[i] == '"' ||
		    s[i] == '\\';
		inside = i > 0 && i + (n > 0 ? n : 1) < len;
		if (inside && !escape && (after_escape || s[i] == ' ') &&
		    is_beyond(w, indent))
			fold_double(w, s + i, indent);
		if (!escape) {
			strbuf_addc(w->out, s[i]);
			continue;
		}
		write_escape(
		    w->out, n > 0 ? utf8_decode(s + i, n) : UTF8_REPLACEMENT);
		if (n == 0)
			n = 1;
		/* PyYAML counts the column before the escape's last byte. */
		if (inside && column(w) > WIDTH + 1 && indent != WHOLE)
			fold_double(w, s + i + n, indent);
	}
	strbuf_addc(w->out, '"');
}

/* Lines without what ends the last one; what follows brings that. */
static void
write_literal(struct writer *w, const char *s, size_t len, size_t indent)
{
	const char *end = s + len, *lf;

	strbuf_addc(w->out, '|');
	if (end[-1] != '\n')
		strbuf_addc(w->out, '-');
	else if (len > 1 && end[-2] == '\n')
		strbuf_addc(w->out, '+');
	if (end[-1] == '\n')
		end--;
	for (;;) {
		lf = memchr(s, '\n', (size_t)(end - s));
		line_break(w);
		if (s < end && s != lf)
			pad(w, indent);
		strbuf_add(w->out, s, (size_t)((lf != NULL ? lf : end) - s));
		if (lf == NULL)
			break;
		s = lf + 1;
	}
}

static void
write_text(struct writer *w, const char *s, size_t len, size_t indent)
{
	struct look l;

	l = look_at(s, len);
	w->quoted = false;
	if (is_plain(s, len, &l)) {
		write_folded(w, s, len, indent);
	} else if ((w->flags & YAML_LITERAL) != 0 && indent != WHOLE &&
	    (l.traits & (HAS_BREAK | HAS_UNPRINTABLE)) == HAS_BREAK &&
	    !is_space(s[0])) {
		write_literal(w, s, len, indent);
	} else if ((l.traits & (HAS_ESCAPE | HAS_RAGGED)) == 0) {
		w->quoted = true;
		strbuf_addc(w->out, '\'');
		write_folded(w, s, len, indent);
		strbuf_addc(w->out, '\'');
	} else {
		write_double(w, s, len, indent);
	}
}

/* Other scalars */

static void
write_float(struct strbuf *out, double f)
{
	char buf[NODE_FLOAT_LEN];
	const char *text, *exp;

	if (!isfinite(f)) {
		strbuf_adds(out, isnan(f) ? ".nan" : f < 0 ? "-.inf" : ".inf");
		return;
	}
	text = node_float_text(f, buf);
	exp = strchr(text, 'e');
	/* Without a point it would be text. */
	if (exp != NULL && strchr(text, '.') == NULL) {
		strbuf_add(out, text, (size_t)(exp - text));
		strbuf_adds(out, ".0");
		text = exp;
	}
	strbuf_adds(out, text);
}

/* "2001-01-01T10:00:00" with a blank in place of the T, as PyYAML writes it. */
static void
write_time(struct writer *w, const char *s, size_t indent)
{
	for (; *s != '\0'; s++) {
		if (*s == 'T' && is_beyond(w, indent))
			new_line(w, indent);
		else
			strbuf_addc(w->out, *s == 'T' ? ' ' : *s);
	}
}

static void
write_binary(struct strbuf *out, const char *s, size_t len)
{
	strbuf_adds(out, "!!binary \"");
	base64_add(out, s, len, BASE64_PLAIN);
	strbuf_addc(out, '"');
}

/* Also an empty list, map or set.  indent is that of further lines. */
static void
write_scalar(struct writer *w, const struct node *n, size_t indent)
{
	char buf[NODE_FLOAT_LEN];

	switch (n->type) {
	case NODE_NULL:
	case NODE_BOOL:
	case NODE_INT:
		strbuf_adds(w->out, node_scalar_text(n, buf));
		break;
	case NODE_FLOAT:
		write_float(w->out, n->u.f);
		break;
	case NODE_STR:
		write_text(w, n->u.str.s, n->u.str.len, indent);
		break;
	case NODE_TIME:
		write_time(w, n->u.str.s, indent);
		break;
	case NODE_BYTES:
		write_binary(w->out, n->u.str.s, n->u.str.len);
		break;
	case NODE_LIST:
		strbuf_adds(w->out, "[]");
		break;
	case NODE_MAP:
		strbuf_adds(w->out, "{}");
		break;
	case NODE_SET:
		strbuf_adds(w->out, "!!set {}");
		break;
	}
}

/* Lists and maps */

static bool
is_block(const struct node *n)
{
	return (n->type == NODE_LIST && n->u.list.n > 0) ||
	    ((n->type == NODE_MAP || n->type == NODE_SET) && n->u.map.n > 0);
}

static bool
is_short_key(const struct node *key)
{
	struct look l;

	if (key->type != NODE_STR)
		return !is_block(key);
	l = look_at(key->u.str.s, key->u.str.len);
	return l.n > 0 && (l.traits & HAS_BREAK) == 0 &&
	    l.n <=
	    ((l.traits & HAS_ESCAPE) != 0 ? KEY_ESCAPED_MAX : KEY_LEN_MAX);
}

static void write_block(struct writer *w, const struct node *n, size_t indent);

/* Behind a mark of two characters at the indentation. */
static void
write_marked(
    struct writer *w, const char *mark, const struct node *n, size_t indent)
{
	strbuf_adds(w->out, mark);
	indent += INDENT;
	if (!is_block(n)) {
		write_scalar(w, n, indent);
		return;
	}
	if (n->type == NODE_SET) {
		strbuf_adds(w->out, "!!set");
		new_line(w, indent);
	}
	write_block(w, n, indent);
}

static void
write_pair(struct writer *w, const struct node_pair *p, size_t indent)
{
	if (!is_short_key(p->key)) {
		write_marked(w, "? ", p->key, indent);
		new_line(w, indent);
		write_marked(w, ": ", p->value, indent);
		return;
	}
	write_scalar(w, p->key, WHOLE);
	strbuf_addc(w->out, ':');
	if (!is_block(p->value)) {
		strbuf_addc(w->out, ' ');
		write_scalar(w, p->value, indent + INDENT);
		return;
	}
	if (p->value->type == NODE_SET)
		strbuf_adds(w->out, " !!set");
	if (p->value->type != NODE_LIST)
		indent += INDENT;
	new_line(w, indent);
	write_block(w, p->value, indent);
}

/* The column is at the indentation. */
static void
write_block(struct writer *w, const struct node *n, size_t indent)
{
	size_t i, count;

	count = n->type == NODE_LIST ? n->u.list.n : n->u.map.n;
	for (i = 0; i < count && w->out->latch == OVE_NONE; i++) {
		if (i > 0)
			new_line(w, indent);
		if (n->type == NODE_LIST)
			write_marked(w, "- ", n->u.list.items[i], indent);
		else
			write_pair(w, &n->u.map.pairs[i], indent);
	}
}

void
yaml_write(struct strbuf *out, const struct node *n, unsigned flags)
{
	struct writer w = { .out = out, .flags = flags, .line = out->len };

	if (n->type == NODE_SET && is_block(n)) {
		strbuf_adds(out, "!!set");
		new_line(&w, 0);
	}
	if (is_block(n))
		write_block(&w, n, 0);
	else
		write_scalar(&w, n, INDENT);
	line_break(&w);
}
