/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * JSON text to tree and back; the only file that includes cJSON.
 *
 * Reading goes in three passes, each linear.  The pre-scan (scan_*) is the
 * judge: it accepts exactly RFC 8259, checks UTF-8, depth and the number of
 * values, and notes the position of every value and key in the order of the
 * text.  cJSON then decodes what is known to be sound; of its leniency
 * (leading zeros, control characters, trailing text, NUL in strings) nothing
 * is left to show.  The walk (build_*) copies cJSON's tree into the arena and
 * takes positions, and the digits of numbers, from the notes, because cJSON
 * has doubles only.  Equal keys are found there too, where they are decoded.
 *
 * cJSON copies at most 63 characters of a number; the pre-scan refuses longer
 * ones.  cJSON allocates through mem; its hooks are process-wide and always
 * the same, so setting them again is harmless.
 *
 * Writing is in json_write.c.
 */

#include "lib/data/json.h"

#include <inttypes.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/data/diag.h"

#define NUMBER_LEN_MAX 63
/* Text beyond this has no place in memory, and offsets fit 32 bits. */
#define TEXT_LEN_MAX ((size_t)1 << 30)
/* Enough for a usual request body without an allocation. */
#define MARKS_FIRST 64

/* Where a value or a key stands. */
struct mark {
	uint32_t offset;
	uint32_t line;
	uint32_t col;
};

struct scan {
	const char *text;
	size_t len;
	size_t i;
	uint32_t line;
	size_t line_start;
	/* Bytes of this line that only continue a character. */
	size_t continuations;
	struct mark *marks;
	size_t n;
	size_t cap;
	size_t values;
	/* Bit d: the container at depth d is an object. */
	uint64_t objects;
	unsigned depth;
	struct error *e;
	struct mark first[MARKS_FIRST];
};

_Static_assert(JSON_DEPTH_MAX <= 64, "a bit for each level");

static struct mark
here(const struct scan *s)
{
	return (struct mark){
		.offset = (uint32_t)s->i,
		.line = s->line,
		.col = (uint32_t)(s->i - s->line_start - s->continuations + 1),
	};
}

static int
refuse(const struct scan *s, const char *what)
{
	struct mark m = here(s);

	return error_set(s->e, OVE_INVALID,
	    "line %" PRIu32 ", column %" PRIu32 ": %s", m.line, m.col, what);
}

/* "found X where Y was expected" */
static int
unexpected(const struct scan *s, const char *expected)
{
	struct mark m = here(s);
	size_t len;

	if (s->i >= s->len)
		return error_set(s->e, OVE_INVALID,
		    "line %" PRIu32 ", column %" PRIu32
		    ": the text ends where %s was expected",
		    m.line, m.col, expected);
	len = utf8_print_len(s->text + s->i, s->len - s->i);
	if (len == 0)
		return error_set(s->e, OVE_INVALID,
		    "line %" PRIu32 ", column %" PRIu32
		    ": found byte \\x%02x where %s was expected",
		    m.line, m.col, (unsigned char)s->text[s->i], expected);
	return error_set(s->e, OVE_INVALID,
	    "line %" PRIu32 ", column %" PRIu32
	    ": found '%.*s' where %s was expected",
	    m.line, m.col, (int)len, s->text + s->i, expected);
}

static int
note(struct scan *s)
{
	struct mark *p;
	size_t cap;

	if (s->n == s->cap) {
		cap = s->cap * 4;
		if (s->marks == s->first) {
			p = mem_calloc(cap, sizeof(*p));
			if (p != NULL)
				memcpy(p, s->first, sizeof(s->first));
		} else {
			p = mem_realloc(s->marks, cap * sizeof(*p));
		}
		if (p == NULL)
			return error_nomem(s->e);
		s->marks = p;
		s->cap = cap;
	}
	s->marks[s->n++] = here(s);
	return 0;
}

static void
scan_blanks(struct scan *s)
{
	char c;

	for (; s->i < s->len; s->i++) {
		c = s->text[s->i];
		if (c == '\n') {
			s->line++;
			s->line_start = s->i + 1;
			s->continuations = 0;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return;
		}
	}
}

static bool
hex4(const struct scan *s, size_t at, unsigned *ret)
{
	unsigned v, d;
	size_t i;
	char c;

	if (s->len - at < 4)
		return false;
	v = 0;
	for (i = at; i < at + 4; i++) {
		c = s->text[i];
		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			d = (unsigned)(c - 'A') + 10;
		else
			return false;
		v = v << 4 | d;
	}
	*ret = v;
	return true;
}

/* At the 'u' of an escape. */
static int
scan_unicode_escape(struct scan *s)
{
	unsigned u, low;

	if (!hex4(s, s->i + 1, &u))
		return refuse(s, "'\\u' needs four hexadecimal digits");
	if (u == 0)
		return refuse(s, "U+0000 is not allowed in a string");
	if (u >= 0xdc00 && u <= 0xdfff)
		return refuse(s, "a surrogate without its other half");
	s->i += 5;
	if (u < 0xd800 || u > 0xdbff)
		return 0;
	if (s->len - s->i < 2 || s->text[s->i] != '\\' ||
	    s->text[s->i + 1] != 'u' || !hex4(s, s->i + 2, &low) ||
	    low < 0xdc00 || low > 0xdfff)
		return refuse(s, "a surrogate without its other half");
	s->i += 6;
	return 0;
}

static int
scan_escape(struct scan *s)
{
	s->i++;
	if (s->i >= s->len)
		return unexpected(s, "the rest of an escape");
	switch (s->text[s->i]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		s->i++;
		return 0;
	case 'u':
		return scan_unicode_escape(s);
	default:
		return refuse(s, "not an escape that JSON has");
	}
}

/* At the opening quote. */
static int
scan_string(struct scan *s)
{
	unsigned char c;
	size_t len;

	s->i++;
	while (s->i < s->len) {
		c = (unsigned char)s->text[s->i];
		if (c == '"') {
			s->i++;
			return 0;
		}
		if (c == '\\') {
			if (scan_escape(s) == -1)
				return -1;
		} else if (c < 0x20) {
			return refuse(s,
			    "a control character in a string must be escaped");
		} else if (c < 0x80) {
			s->i++;
		} else {
			len = utf8_char_len(s->text + s->i, s->len - s->i);
			if (len == 0)
				return refuse(s, "not UTF-8");
			s->continuations += len - 1;
			s->i += len;
		}
	}
	return unexpected(s, "the end of a string");
}

static bool
at_digit(const struct scan *s)
{
	return s->i < s->len && s->text[s->i] >= '0' && s->text[s->i] <= '9';
}

static int
scan_digits(struct scan *s)
{
	if (!at_digit(s))
		return unexpected(s, "a digit");
	while (at_digit(s))
		s->i++;
	return 0;
}

static int
scan_number(struct scan *s)
{
	size_t start;

	start = s->i;
	if (s->text[s->i] == '-')
		s->i++;
	if (s->i < s->len && s->text[s->i] == '0') {
		s->i++;
		if (at_digit(s))
			return refuse(s, "a number must not begin with 0");
	} else if (scan_digits(s) == -1) {
		return -1;
	}
	if (s->i < s->len && s->text[s->i] == '.') {
		s->i++;
		if (scan_digits(s) == -1)
			return -1;
	}
	if (s->i < s->len && (s->text[s->i] == 'e' || s->text[s->i] == 'E')) {
		s->i++;
		if (s->i < s->len &&
		    (s->text[s->i] == '+' || s->text[s->i] == '-'))
			s->i++;
		if (scan_digits(s) == -1)
			return -1;
	}
	if (s->i - start > NUMBER_LEN_MAX) {
		s->i = start;
		return refuse(s, "a number of more than 63 characters");
	}
	return 0;
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t len;

	len = strlen(word);
	if (s->len - s->i < len || memcmp(s->text + s->i, word, len) != 0)
		return unexpected(s, "a value");
	s->i += len;
	return 0;
}

/* A value, or the start of one that holds others. */
static int
scan_value(struct scan *s)
{
	char c;

	if (s->i >= s->len)
		return unexpected(s, "a value");
	if (++s->values > JSON_VALUES_MAX)
		return refuse(s, "more than 65536 values");
	if (note(s) == -1)
		return -1;
	c = s->text[s->i];
	switch (c) {
	case '{':
	case '[':
		if (s->depth == JSON_DEPTH_MAX)
			return refuse(s, "nested deeper than 64 levels");
		s->objects &= ~((uint64_t)1 << s->depth);
		s->objects |= (uint64_t)(c == '{') << s->depth;
		s->depth++;
		s->i++;
		return 0;
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return scan_number(s);
		return unexpected(s, "a value");
	}
}

static bool
in_object(const struct scan *s)
{
	return (s->objects >> (s->depth - 1) & 1) != 0;
}

static int
scan_key(struct scan *s)
{
	if (s->i >= s->len || s->text[s->i] != '"')
		return unexpected(s, "a key in double quotes");
	if (note(s) == -1 || scan_string(s) == -1)
		return -1;
	scan_blanks(s);
	if (s->i >= s->len || s->text[s->i] != ':')
		return unexpected(s, "':'");
	s->i++;
	scan_blanks(s);
	return 0;
}

/* A key when there has to be one, then a value. */
static int
scan_member(struct scan *s)
{
	if (in_object(s) && scan_key(s) == -1)
		return -1;
	return scan_value(s);
}

/* After a value: closes what ends, until another member follows or nothing is
 * open.  `opened` is set when the value has just opened a container. */
static int
scan_after(struct scan *s, bool opened)
{
	char end;

	while (s->depth > 0) {
		scan_blanks(s);
		end = in_object(s) ? '}' : ']';
		if (s->i < s->len && s->text[s->i] == end) {
			s->i++;
			s->depth--;
			opened = false;
			continue;
		}
		if (opened)
			return 0;
		if (s->i >= s->len || s->text[s->i] != ',')
			return unexpected(
			    s, end == '}' ? "',' or '}'" : "',' or ']'");
		s->i++;
		scan_blanks(s);
		return 0;
	}
	return 0;
}

static int
scan_text(struct scan *s)
{
	unsigned before;

	if (s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0) {
		s->i = 3;
		s->line_start = 3;
	}
	scan_blanks(s);
	if (scan_value(s) == -1 || scan_after(s, s->depth > 0) == -1)
		return -1;
	while (s->depth > 0) {
		before = s->depth;
		if (scan_member(s) == -1 ||
		    scan_after(s, s->depth > before) == -1)
			return -1;
	}
	scan_blanks(s);
	if (s->i < s->len)
		return unexpected(s, "the end");
	return 0;
}

/* The walk from cJSON's tree; `next` is the note of what comes next. */
struct build {
	const struct scan *s;
	struct arena *a;
	size_t next;
	struct error *e;
};

static struct node *
at_next(struct build *b, enum node_type type)
{
	const struct mark *m;
	struct node *n;

	m = &b->s->marks[b->next++];
	n = node_new(b->a, type);
	if (n != NULL) {
		n->line = m->line;
		n->col = m->col;
	}
	return n;
}

static struct node *
build_string(struct build *b, const char *text)
{
	struct node *n;

	n = at_next(b, NODE_STR);
	if (n == NULL)
		return NULL;
	n->u.str.len = strlen(text);
	n->u.str.s = arena_strndup(b->a, text, n->u.str.len);
	return n->u.str.s != NULL ? n : NULL;
}

static struct node *
build_number(struct build *b)
{
	const char *text, *end;
	struct node *n;
	size_t len;
	char *raw;

	n = at_next(b, NODE_INT);
	text = b->s->text + b->s->marks[b->next - 1].offset;
	end = b->s->text + b->s->len;
	for (len = 0; text + len < end; len++) {
		if (strchr("0123456789+-.eE", text[len]) == NULL ||
		    text[len] == '\0')
			break;
	}
	raw = arena_strndup(b->a, text, len);
	if (n == NULL || raw == NULL)
		return NULL;
	if (strpbrk(raw, ".eE") != NULL) {
		n->type = NODE_FLOAT;
		n->raw = raw;
		if (num_double(raw, &n->u.f, NULL) == -1)
			return NULL;
		return n;
	}
	if (strcmp(raw, "-0") == 0)
		raw++;
	n->raw = raw;
	n->big = num_i64(raw, INT64_MIN, INT64_MAX, &n->u.i, NULL) == -1;
	return n;
}

static struct node *build(struct build *b, const cJSON *item);

static struct node *
build_list(struct build *b, const cJSON *item)
{
	struct node *n, *child;
	const cJSON *c;

	n = at_next(b, NODE_LIST);
	for (c = item->child; c != NULL; c = c->next) {
		child = build(b, c);
		if (child == NULL)
			return NULL;
		node_add(b->a, n, child);
	}
	return n;
}

static struct node *
build_map(struct build *b, const cJSON *item)
{
	struct node *n, *key, *child;
	const struct node *dup;
	const cJSON *c;

	n = at_next(b, NODE_MAP);
	for (c = item->child; c != NULL; c = c->next) {
		key = build_string(b, c->string);
		child = build(b, c);
		if (key == NULL || child == NULL)
			return NULL;
		node_add_pair(b->a, n, key, child);
	}
	if (n == NULL || b->a->latch != OVE_NONE)
		return NULL;
	if (node_map_fold(n, &dup, b->e) == -1)
		return NULL;
	if (dup != NULL) {
		(void)error_set(b->e, OVE_INVALID,
		    "line %u, column %u: the key %s is there twice", dup->line,
		    dup->col, diag_quote(b->a, dup->u.str.s, dup->u.str.len));
		return NULL;
	}
	return n;
}

/* NULL with or without the error set: then the arena says why. */
static struct node *
build(struct build *b, const cJSON *item)
{
	const struct mark *m;
	struct node *n;

	switch (item->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		n = at_next(b, NODE_BOOL);
		if (n != NULL)
			n->u.b = (item->type & 0xff) == cJSON_True;
		return n;
	case cJSON_NULL:
		return at_next(b, NODE_NULL);
	case cJSON_Number:
		n = build_number(b);
		if (n == NULL && b->a->latch == OVE_NONE) {
			m = &b->s->marks[b->next - 1];
			(void)error_set(b->e, OVE_INVALID,
			    "line %" PRIu32 ", column %" PRIu32
			    ": a number that is too large",
			    m->line, m->col);
		}
		return n;
	case cJSON_String:
		return build_string(b, item->valuestring);
	case cJSON_Array:
		return build_list(b, item);
	case cJSON_Object:
		return build_map(b, item);
	default:
		return NULL;
	}
}

static int
build_tree(
    const struct scan *s, struct arena *a, struct node **ret, struct error *e)
{
	cJSON_Hooks hooks = { .malloc_fn = mem_alloc, .free_fn = mem_free };
	struct error why = ERROR_INIT;
	struct build b = { .s = s, .a = a, .e = &why };
	struct node *n;
	cJSON *item;
	size_t skip;

	cJSON_InitHooks(&hooks);
	skip = s->marks[0].offset;
	item = cJSON_ParseWithLength(s->text + skip, s->len - skip);
	/* The text is sound: only memory can have been missing. */
	if (item == NULL)
		return error_nomem(e);
	n = build(&b, item);
	cJSON_Delete(item);
	if (error_is_set(&why)) {
		if (e != NULL)
			*e = why;
		return -1;
	}
	if (arena_check(a, e) == -1)
		return -1;
	if (n == NULL)
		return error_set(e, OVE_INTERNAL, "cJSON disagrees");
	*ret = n;
	return 0;
}

int
json_read(const char *text, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	struct scan s;
	int rc;

	if (len > TEXT_LEN_MAX)
		return error_set(e, OVE_LIMIT, "more than 1 GiB of JSON");
	s.text = text;
	s.len = len;
	s.i = 0;
	s.line = 1;
	s.line_start = 0;
	s.continuations = 0;
	s.marks = s.first;
	s.n = 0;
	s.cap = MARKS_FIRST;
	s.values = 0;
	s.objects = 0;
	s.depth = 0;
	s.e = e;
	rc = scan_text(&s);
	if (rc == 0)
		rc = build_tree(&s, a, ret, e);
	if (s.marks != s.first)
		mem_free(s.marks);
	return rc;
}
