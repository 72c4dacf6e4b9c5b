/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 to tree; the only file that includes libyaml.
 *
 * libyaml's events drive a stack of open collections.  A node is attached to
 * its parent when it is complete, so its parent knows how high it is and how
 * many nodes it counts with every alias followed; both are bounded there, and
 * because libyaml is asked for one event at a time, a text that nests deeper
 * stops it before its cost, which grows with the square of the depth, shows.
 * Aliases share the node they name.
 *
 * A fault of meaning (tag, alias, merge, key) goes to the diag, a null takes
 * the node's place and reading goes on; a fault of syntax or a limit ends it.
 * Either way there is no tree then.
 *
 * What a scalar means is scalar.c's business, !ENV is envtag.c's.
 */

#include "lib/data/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/data/envtag.h"
#include "lib/data/scalar.h"

#define NO_ANCHOR SIZE_MAX
/* A power of two, at least twice the anchors there may be. */
#define ANCHOR_SLOTS 32768
#define PATH_MAX_LEN 4096

static const char yaml_prefix[] = "tag:yaml.org,2002:";
/* Marks the key of a merge: its node's `raw` is this very pointer. */
static const char merge_mark[] = "<<";

enum tag {
	TAG_NONE,
	TAG_SCALAR,
	TAG_ENV,
	TAG_SEQ,
	TAG_MAP,
	TAG_SET,
	TAG_OMAP,
	TAG_PAIRS,
	TAG_UNKNOWN,
};

static const struct tag_row {
	const char *name;
	enum tag tag;
	enum scalar_kind kind;
} tag_rows[] = {
	{ "str", TAG_SCALAR, SCALAR_STR },
	{ "int", TAG_SCALAR, SCALAR_INT },
	{ "float", TAG_SCALAR, SCALAR_FLOAT },
	{ "bool", TAG_SCALAR, SCALAR_BOOL },
	{ "null", TAG_SCALAR, SCALAR_NULL },
	{ "timestamp", TAG_SCALAR, SCALAR_TIME },
	{ "binary", TAG_SCALAR, SCALAR_BINARY },
	{ "seq", TAG_SEQ, SCALAR_STR },
	{ "map", TAG_MAP, SCALAR_STR },
	{ "set", TAG_SET, SCALAR_STR },
	{ "omap", TAG_OMAP, SCALAR_STR },
	{ "pairs", TAG_PAIRS, SCALAR_STR },
};

struct anchor {
	char *name;
	struct node *node;
	/* Set when the node is complete. */
	bool closed;
	unsigned height;
	size_t count;
};

struct frame {
	struct node *node;
	/* A map's key that waits for its value. */
	struct node *key;
	enum tag tag;
	size_t anchor;
	/* Levels below this one. */
	unsigned height;
	/* reader.total when this collection was opened. */
	size_t before;
	bool has_merge;
};

struct reader {
	yaml_parser_t parser;
	const struct yaml_options *o;
	struct arena *a;
	struct diag *d;
	/* Nodes so far, aliases followed. */
	size_t total;
	struct node *root;
	unsigned documents;
	unsigned depth;
	struct frame frames[YAML_DEPTH_MAX];
	struct anchor *anchors;
	size_t anchors_n;
	size_t anchors_cap;
	/* Hash table of index + 1 into anchors; NULL until there is one. */
	uint16_t *slots;
	uint64_t seed;
	/* Where the text being expanded stands, for the warning. */
	struct diag_pos env_pos;
	/* Out of memory, or a bug. */
	struct error *e;
};

_Static_assert(YAML_ANCHORS_MAX * 2 < ANCHOR_SLOTS && ANCHOR_SLOTS <= 65536,
    "slots for all anchors, indexes in 16 bits");

/* Positions and paths */

static struct diag_pos
pos_of(const yaml_mark_t *m)
{
	return (
	    struct diag_pos){ (unsigned)m->line + 1, (unsigned)m->column + 1 };
}

static void
add_key(struct strbuf *b, const struct node *key)
{
	char buf[NODE_FLOAT_LEN];
	const char *text;

	text = node_scalar_text(key, buf);
	if (text == NULL)
		text = "?";
	if (b->len > 0)
		strbuf_addc(b, '.');
	if (text[0] == '\0' || strpbrk(text, ". ") != NULL)
		strbuf_addf(b, "\"%s\"", text);
	else
		strbuf_adds(b, text);
}

/* "datacenters.main.list[2]": where the next node will go. */
static void
here(const struct reader *r, struct strbuf *b)
{
	const struct frame *f;
	unsigned i;

	strbuf_init(b, PATH_MAX_LEN);
	for (i = 0; i < r->depth; i++) {
		f = &r->frames[i];
		if (f->node->type == NODE_LIST)
			strbuf_addf(b, "[%zu]", f->node->u.list.n);
		else if (f->key != NULL)
			add_key(b, f->key);
	}
}

static void fault(struct reader *r, struct diag_pos pos, const char *rule,
    const char *hint, const char *fmt, ...) CC_PRINTF(5, 6);

static void
fault(struct reader *r, struct diag_pos pos, const char *rule, const char *hint,
    const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf path;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	here(r, &path);
	diag_error(r->d, pos, rule, path.buf, hint, "%s", text);
}

/* Faults of syntax */

static const struct problem {
	const char *theirs;
	const char *ours;
	/* The position is that of the construct that began before. */
	bool at_context;
} problems[] = {
	{ "found a tab character that violates indentation",
	    "found a tab where indentation was expected", false },
	{ "found a tab character where an indentation space is expected",
	    "found a tab where indentation was expected", false },
	{ "mapping values are not allowed in this context",
	    "found ':' where no key can stand; a text with ': ' needs quotes",
	    false },
	{ "mapping keys are not allowed in this context",
	    "found '?' where no key can stand", false },
	{ "block sequence entries are not allowed in this context",
	    "found '-' where no list can begin", false },
	{ "could not find expected ':'", "found no ':' behind this key", true },
	{ "did not find expected key",
	    "found something that is no key of the mapping at this "
	    "indentation",
	    false },
	{ "did not find expected '-' indicator",
	    "found something that is no item of the list at this indentation",
	    false },
	{ "did not find expected ',' or ']'",
	    "expected ',' or ']' in a list in brackets", false },
	{ "did not find expected ',' or '}'",
	    "expected ',' or '}' in a mapping in braces", false },
	{ "did not find expected node content", "expected a value", false },
	{ "did not find expected <document start>",
	    "found text behind the end of the document", false },
	{ "found unexpected end of stream",
	    "the quote opened here is not closed", true },
	{ "found unexpected document indicator",
	    "the quote opened here is not closed", true },
	{ "found an indentation indicator equal to 0",
	    "the indentation of a block text must be 1 to 9", false },
	{ "did not find expected comment or line break",
	    "found text behind the '|' or '>' of a block text", false },
	{ "found undefined tag handle", "the tag has no known handle", false },
};

/* The character at an index that libyaml counted in characters: its bytes, and
 * their number, 0 when there is none that can be shown. */
static const char *
char_at(const char *text, size_t len, size_t index, size_t *ret)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (index-- == 0)
			break;
	}
	*ret = utf8_print_len(text + i, len - i);
	return text + i;
}

/* Faults that name a character of the text; false for any other. */
static bool
character_fault(struct reader *r, struct diag_pos pos, const char *theirs,
    const char *text, size_t len)
{
	size_t index = r->parser.problem_mark.index, n;
	const char *c;

	if (strcmp(theirs, "found character that cannot start any token") ==
	    0) {
		c = char_at(text, len, index, &n);
		if (c < text + len && *c == '\t')
			diag_error(r->d, pos, "yaml-syntax", NULL, NULL,
			    "not YAML: found a tab where indentation was "
			    "expected");
		else
			diag_error(r->d, pos, "yaml-syntax", NULL,
			    "put it in quotes",
			    "not YAML: a value cannot begin with '%.*s'",
			    (int)n, c);
		return true;
	}
	if (strcmp(theirs, "found unknown escape character") == 0) {
		c = char_at(text, len, index, &n);
		if (n == 1 && *c == '\\')
			c = char_at(text, len, index + 1, &n);
		diag_error(r->d, pos, "yaml-syntax", NULL,
		    "double the backslash, or use single quotes",
		    "not YAML: '\\%.*s' is not an escape", (int)n, c);
		return true;
	}
	return false;
}

static void
syntax_fault(struct reader *r, const char *text, size_t len)
{
	const yaml_parser_t *p = &r->parser;
	const char *theirs, *context;
	struct diag_pos pos;
	size_t i;

	theirs = p->problem != NULL ? p->problem : "syntax";
	pos = pos_of(&p->problem_mark);
	for (i = 0; i < ARRAY_LEN(problems); i++) {
		if (strcmp(problems[i].theirs, theirs) != 0)
			continue;
		if (problems[i].at_context && p->context != NULL)
			pos = pos_of(&p->context_mark);
		diag_error(r->d, pos, "yaml-syntax", NULL, NULL, "not YAML: %s",
		    problems[i].ours);
		return;
	}
	if (character_fault(r, pos, theirs, text, len))
		return;
	context = p->context != NULL ? p->context : "reading it";
	diag_error(r->d, pos, "yaml-syntax", NULL, NULL, "not YAML: %s: %s",
	    context, theirs);
}

/* A reader's fault has an offset in bytes only. */
static void
encoding_fault(struct reader *r, const char *text, size_t len)
{
	const yaml_parser_t *p = &r->parser;
	struct diag_pos pos = { 1, 1 };
	size_t i;

	for (i = 0; i < len && i < p->problem_offset; i++) {
		if (text[i] == '\n' ||
		    (text[i] == '\r' &&
			!(i + 1 < len && text[i + 1] == '\n'))) {
			pos.line++;
			pos.col = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			pos.col++;
		}
	}
	if (p->problem != NULL &&
	    strcmp(p->problem, "control characters are not allowed") == 0)
		diag_error(r->d, pos, "yaml-encoding", NULL, NULL,
		    "not YAML: the character U+%04X is not allowed",
		    (unsigned)p->problem_value);
	else
		diag_error(r->d, pos, "yaml-encoding", NULL, NULL,
		    "not YAML: the text is not UTF-8 (byte \\x%02x)",
		    i < len ? (unsigned char)text[i] : 0);
}

/* Anchors */

static size_t
slot_of(const struct reader *r, const char *name)
{
	uint64_t h = r->seed ^ 0xcbf29ce484222325ULL;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32) & (ANCHOR_SLOTS - 1);
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t
find_slot(const struct reader *r, const char *name)
{
	size_t i;

	i = slot_of(r, name);
	while (r->slots[i] != 0 &&
	    strcmp(r->anchors[r->slots[i] - 1].name, name) != 0)
		i = (i + 1) & (ANCHOR_SLOTS - 1);
	return i;
}

static struct anchor *
find_anchor(struct reader *r, const char *name)
{
	size_t i;

	if (r->slots == NULL)
		return NULL;
	i = find_slot(r, name);
	return r->slots[i] != 0 ? &r->anchors[r->slots[i] - 1] : NULL;
}

static int
grow_anchors(struct reader *r)
{
	struct anchor *p;
	size_t cap;

	if (r->slots == NULL) {
		r->slots = mem_calloc(ANCHOR_SLOTS, sizeof(*r->slots));
		if (r->slots == NULL)
			return error_nomem(r->e);
		r->seed = rand_u64();
	}
	if (r->anchors_n < r->anchors_cap)
		return 0;
	cap = r->anchors_cap == 0 ? 16 : r->anchors_cap * 2;
	p = mem_realloc(r->anchors, cap * sizeof(*p));
	if (p == NULL)
		return error_nomem(r->e);
	r->anchors = p;
	r->anchors_cap = cap;
	return 0;
}

/* *ret is NO_ANCHOR when the node has none. */
static int
define_anchor(struct reader *r, const yaml_char_t *anchor, struct node *n,
    struct diag_pos pos, size_t *ret)
{
	const char *name = (const char *)anchor;
	struct anchor *old;
	size_t slot;

	*ret = NO_ANCHOR;
	if (name == NULL)
		return 0;
	old = find_anchor(r, name);
	if (old != NULL) {
		fault(r, pos, "yaml-anchor", NULL,
		    "the anchor '%.60s' is there twice", name);
		return 0;
	}
	if (r->anchors_n == YAML_ANCHORS_MAX) {
		fault(r, pos, "yaml-limit", NULL, "more than %d anchors",
		    YAML_ANCHORS_MAX);
		return -1;
	}
	if (grow_anchors(r) == -1)
		return -1;
	slot = find_slot(r, name);
	*ret = r->anchors_n++;
	r->anchors[*ret] = (struct anchor){ .node = n };
	r->anchors[*ret].name = arena_strdup(r->a, name);
	if (r->anchors[*ret].name == NULL) {
		r->anchors_n--;
		return arena_check(r->a, r->e);
	}
	r->slots[slot] = (uint16_t)r->anchors_n;
	return 0;
}

/* Nodes */

static struct node *
placed(struct reader *r, struct node *n, struct diag_pos pos)
{
	if (n == NULL)
		n = node_null(r->a);
	if (n != NULL) {
		n->line = pos.line;
		n->col = pos.col;
	}
	return n;
}

static int
count_nodes(struct reader *r, size_t n, struct diag_pos pos)
{
	r->total += n;
	if (r->total <= YAML_NODES_MAX)
		return 0;
	diag_error(r->d, pos, "yaml-limit", NULL, NULL,
	    "more than %d values, aliases followed", YAML_NODES_MAX);
	return -1;
}

static bool
is_collection(const struct node *n)
{
	return n->type == NODE_LIST || n->type == NODE_MAP ||
	    n->type == NODE_SET;
}

static void
set_key(struct reader *r, struct frame *f, struct node *n, struct diag_pos pos)
{
	if (is_collection(n)) {
		fault(r, pos, "yaml-key", NULL, "%s cannot be a key",
		    node_type_article(n));
		n = placed(r, NULL, pos);
	} else if (n->raw == merge_mark) {
		f->has_merge = true;
	}
	f->key = n;
}

/* Hands a complete node to the collection that is open. */
static int
attach(struct reader *r, struct node *n, unsigned height, struct diag_pos pos)
{
	struct frame *f;

	if (n == NULL)
		return arena_check(r->a, r->e);
	if (r->depth == 0) {
		r->root = n;
		return 0;
	}
	f = &r->frames[r->depth - 1];
	if (height > f->height)
		f->height = height;
	if (f->node->type == NODE_LIST) {
		node_add(r->a, f->node, n);
	} else if (f->key == NULL) {
		set_key(r, f, n, pos);
	} else {
		node_add_pair(r->a, f->node, f->key, n);
		f->key = NULL;
	}
	/* Ends the reading when the arena is full. */
	return r->a->latch == OVE_NONE ? 0 : arena_check(r->a, r->e);
}

static bool
wants_key(const struct reader *r)
{
	const struct frame *f;

	if (r->depth == 0)
		return false;
	f = &r->frames[r->depth - 1];
	return f->node->type != NODE_LIST && f->key == NULL;
}

/* Tags */

static enum tag
look_up_tag(const struct reader *r, const char *tag, enum scalar_kind *ret)
{
	size_t i, n = sizeof(yaml_prefix) - 1;

	if (tag == NULL || strcmp(tag, "!") == 0)
		return TAG_NONE;
	if (strcmp(tag, "!ENV") == 0 && r->o->env != NULL)
		return TAG_ENV;
	if (strncmp(tag, yaml_prefix, n) != 0)
		return TAG_UNKNOWN;
	for (i = 0; i < ARRAY_LEN(tag_rows); i++) {
		if (strcmp(tag_rows[i].name, tag + n) == 0) {
			*ret = tag_rows[i].kind;
			return tag_rows[i].tag;
		}
	}
	return TAG_UNKNOWN;
}

/* "!!int" for the long form. */
static const char *
short_tag(struct reader *r, const char *tag)
{
	size_t n = sizeof(yaml_prefix) - 1;
	const char *s;

	if (strncmp(tag, yaml_prefix, n) != 0)
		return tag;
	s = arena_printf(r->a, "!!%.100s", tag + n);
	return s != NULL ? s : tag;
}

static void
unknown_tag(struct reader *r, const char *tag, struct diag_pos pos)
{
	static const char *const candidates[] = { "!ENV" };
	const char *hint = NULL;

	if (r->o->env != NULL)
		hint = diag_suggest(r->a, tag, candidates, 1);
	fault(r, pos, "yaml-tag", hint, "unknown tag '%.100s'",
	    short_tag(r, tag));
}

/* The tag is on the wrong kind of node. */
static void
wrong_tag(struct reader *r, const char *tag, const char *wants,
    const char *found, struct diag_pos pos)
{
	fault(r, pos, "yaml-tag-kind",
	    strcmp(tag, "!ENV") == 0 ? "put the tag before each text in it"
				     : NULL,
	    "the tag '%.100s' needs %s, found %s", short_tag(r, tag), wants,
	    found);
}

/* Scalars */

static void
env_unset(const char *name, void *ctx)
{
	AUTO_STRBUF struct strbuf path;
	struct reader *r = ctx;

	here(r, &path);
	diag_warn(r->d, r->env_pos, "env-unset", path.buf, r->o->env_hint,
	    "%.100s is not set, '' is used", name);
}

static int
expand(struct reader *r, const yaml_event_t *ev, struct node **ret,
    struct error *why)
{
	struct envtag_options o = { .env = r->o->env,
		.env_ctx = r->o->env_ctx,
		.unset = env_unset,
		.unset_ctx = r };

	r->env_pos = pos_of(&ev->start_mark);
	return envtag_expand((const char *)ev->data.scalar.value,
	    ev->data.scalar.length, &o, r->a, ret, why);
}

/* The kind of an untagged scalar. */
static enum scalar_kind
plain_kind(struct reader *r, const yaml_event_t *ev, struct diag_pos pos)
{
	enum scalar_kind kind;

	if (!ev->data.scalar.plain_implicit)
		return SCALAR_STR;
	kind = scalar_resolve(
	    (const char *)ev->data.scalar.value, ev->data.scalar.length);
	if ((kind == SCALAR_MERGE || kind == SCALAR_VALUE) && !wants_key(r))
		fault(r, pos, "yaml-value", "put it in quotes",
		    "'%s' cannot be a value", ev->data.scalar.value);
	return kind;
}

/* NULL in *ret: a fault was added or the arena is full. */
static int
make_scalar(struct reader *r, const yaml_event_t *ev, struct node **ret)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	struct diag_pos pos = pos_of(&ev->start_mark);
	enum scalar_kind kind = SCALAR_STR;
	struct error why = ERROR_INIT;
	int rc;

	*ret = NULL;
	switch (look_up_tag(r, tag, &kind)) {
	case TAG_NONE:
		kind = plain_kind(r, ev, pos);
		break;
	case TAG_SCALAR:
		break;
	case TAG_ENV:
		rc = expand(r, ev, ret, &why);
		goto out;
	case TAG_SEQ:
	case TAG_OMAP:
	case TAG_PAIRS:
		wrong_tag(r, tag, "a list", "a scalar", pos);
		return 0;
	case TAG_MAP:
	case TAG_SET:
		wrong_tag(r, tag, "a mapping", "a scalar", pos);
		return 0;
	case TAG_UNKNOWN:
		unknown_tag(r, tag, pos);
		return 0;
	}
	rc = scalar_convert(kind, (const char *)ev->data.scalar.value,
	    ev->data.scalar.length, r->a, ret, &why);
	if (rc == 0 && *ret != NULL && kind == SCALAR_MERGE && wants_key(r))
		(*ret)->raw = merge_mark;
out:
	if (rc == 0)
		return 0;
	if (why.code == OVE_NOMEM || r->a->latch != OVE_NONE) {
		*r->e = why;
		return -1;
	}
	fault(r, pos, kind == SCALAR_STR ? "yaml-env" : "yaml-value", NULL,
	    "%s", why.text);
	return 0;
}

static int
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct diag_pos pos = pos_of(&ev->start_mark);
	struct node *n;
	size_t anchor;

	if (count_nodes(r, 1, pos) == -1 || make_scalar(r, ev, &n) == -1)
		return -1;
	n = placed(r, n, pos);
	if (define_anchor(r, ev->data.scalar.anchor, n, pos, &anchor) == -1)
		return -1;
	if (anchor != NO_ANCHOR) {
		r->anchors[anchor].closed = true;
		r->anchors[anchor].count = 1;
	}
	return attach(r, n, 0, pos);
}

static int
too_deep(struct reader *r, struct diag_pos pos)
{
	diag_error(r->d, pos, "yaml-limit", NULL, NULL,
	    "nested deeper than %d levels", YAML_DEPTH_MAX);
	return -1;
}

static int
on_alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct diag_pos pos = pos_of(&ev->start_mark);
	const struct anchor *an;

	an = find_anchor(r, name);
	if (an == NULL) {
		fault(
		    r, pos, "yaml-alias", NULL, "unknown alias '%.60s'", name);
	} else if (!an->closed) {
		fault(r, pos, "yaml-recursive", NULL,
		    "the alias '%.60s' stands inside of what it names", name);
		an = NULL;
	}
	if (an == NULL)
		return attach(r, placed(r, NULL, pos), 0, pos);
	if (r->depth + an->height > YAML_DEPTH_MAX)
		return too_deep(r, pos);
	if (count_nodes(r, an->count, pos) == -1)
		return -1;
	/* The `raw` of a merge key would make a merge of its alias. */
	if (an->node->raw == merge_mark)
		return attach(
		    r, placed(r, node_str(r->a, merge_mark), pos), 0, pos);
	return attach(r, an->node, an->height, pos);
}

/* Collections */

static int
open_collection(struct reader *r, enum node_type type, enum tag tag,
    const yaml_char_t *anchor, struct diag_pos pos)
{
	struct frame *f;
	struct node *n;
	size_t index;

	if (count_nodes(r, 1, pos) == -1)
		return -1;
	if (r->depth == YAML_DEPTH_MAX)
		return too_deep(r, pos);
	n = node_new(r->a, type);
	if (n == NULL)
		return arena_check(r->a, r->e);
	n->line = pos.line;
	n->col = pos.col;
	if (define_anchor(r, anchor, n, pos, &index) == -1)
		return -1;
	f = &r->frames[r->depth++];
	*f = (struct frame){
		.node = n, .tag = tag, .anchor = index, .before = r->total - 1
	};
	return 0;
}

static int
on_sequence_start(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.sequence_start.tag;
	struct diag_pos pos = pos_of(&ev->start_mark);
	enum scalar_kind kind;
	enum tag tag;

	tag = look_up_tag(r, name, &kind);
	switch (tag) {
	case TAG_NONE:
	case TAG_SEQ:
	case TAG_OMAP:
	case TAG_PAIRS:
		break;
	case TAG_SCALAR:
	case TAG_ENV:
		wrong_tag(r, name, "a scalar", "a list", pos);
		break;
	case TAG_MAP:
	case TAG_SET:
		wrong_tag(r, name, "a mapping", "a list", pos);
		break;
	case TAG_UNKNOWN:
		unknown_tag(r, name, pos);
		break;
	}
	return open_collection(
	    r, NODE_LIST, tag, ev->data.sequence_start.anchor, pos);
}

static int
on_mapping_start(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.mapping_start.tag;
	struct diag_pos pos = pos_of(&ev->start_mark);
	enum scalar_kind kind;
	enum tag tag;

	tag = look_up_tag(r, name, &kind);
	switch (tag) {
	case TAG_NONE:
	case TAG_MAP:
	case TAG_SET:
		break;
	case TAG_SCALAR:
	case TAG_ENV:
		wrong_tag(r, name, "a scalar", "a mapping", pos);
		break;
	case TAG_SEQ:
	case TAG_OMAP:
	case TAG_PAIRS:
		wrong_tag(r, name, "a list", "a mapping", pos);
		break;
	case TAG_UNKNOWN:
		unknown_tag(r, name, pos);
		break;
	}
	return open_collection(
	    r, NODE_MAP, tag, ev->data.mapping_start.anchor, pos);
}

static void
add_pairs(struct reader *r, struct node *out, const struct node *map)
{
	size_t i;

	for (i = 0; i < map->u.map.n; i++)
		node_add_pair(r->a, out, map->u.map.pairs[i].key,
		    map->u.map.pairs[i].value);
}

static bool
is_map(const struct node *n)
{
	return n->type == NODE_MAP || n->type == NODE_SET;
}

/* Adds what "<<: value" brings; of a list, the first mapping comes last,
 * because what comes later wins. */
static void
add_merged(struct reader *r, struct node *out, const struct node *value)
{
	struct diag_pos pos = { value->line, value->col };
	const struct node *item;
	size_t i;

	if (is_map(value)) {
		add_pairs(r, out, value);
		return;
	}
	if (value->type != NODE_LIST) {
		fault(r, pos, "yaml-merge", NULL,
		    "'<<' needs a mapping or a list of mappings, found %s",
		    node_type_article(value));
		return;
	}
	for (i = value->u.list.n; i > 0; i--) {
		item = value->u.list.items[i - 1];
		pos = (struct diag_pos){ item->line, item->col };
		if (is_map(item))
			add_pairs(r, out, item);
		else
			fault(r, pos, "yaml-merge", NULL,
			    "'<<' needs mappings in its list, found %s",
			    node_type_article(item));
	}
}

/* Merged pairs come first, then the mapping's own. */
static void
merge(struct reader *r, struct node *map)
{
	struct node out = { .type = NODE_MAP };
	const struct node_pair *p;
	size_t i;

	for (i = 0; i < map->u.map.n; i++) {
		p = &map->u.map.pairs[i];
		if (p->key->raw == merge_mark)
			add_merged(r, &out, p->value);
	}
	for (i = 0; i < map->u.map.n; i++) {
		p = &map->u.map.pairs[i];
		if (p->key->raw != merge_mark)
			node_add_pair(r->a, &out, p->key, p->value);
	}
	map->u.map = out.u.map;
}

/* !!omap and !!pairs: a list of [key, value]. */
static void
pair_list(struct reader *r, struct node *list)
{
	const struct node *item;
	struct node *pair;
	size_t i;

	for (i = 0; i < list->u.list.n; i++) {
		item = list->u.list.items[i];
		if (!is_map(item) || item->u.map.n != 1) {
			fault(r, (struct diag_pos){ item->line, item->col },
			    "yaml-tag-kind", NULL,
			    "expected a mapping with one key");
			continue;
		}
		pair = node_new(r->a, NODE_LIST);
		node_add(r->a, pair, item->u.map.pairs[0].key);
		node_add(r->a, pair, item->u.map.pairs[0].value);
		if (pair == NULL)
			return;
		pair->line = item->line;
		pair->col = item->col;
		list->u.list.items[i] = pair;
	}
}

static int
close_collection(struct reader *r)
{
	struct frame *f = &r->frames[--r->depth];
	const struct node *dup;
	unsigned height = f->height + 1;
	struct node *n = f->node;
	size_t i;

	if (n->type == NODE_MAP) {
		if (f->has_merge)
			merge(r, n);
		if (node_map_fold(n, &dup, r->e) == -1)
			return -1;
		if (f->tag == TAG_SET) {
			n->type = NODE_SET;
			for (i = 0; i < n->u.map.n; i++)
				n->u.map.pairs[i].value = node_null(r->a);
		}
	} else if (f->tag == TAG_OMAP || f->tag == TAG_PAIRS) {
		pair_list(r, n);
		height++;
	}
	if (f->anchor != NO_ANCHOR) {
		r->anchors[f->anchor].closed = true;
		r->anchors[f->anchor].height = height;
		r->anchors[f->anchor].count = r->total - f->before;
	}
	return attach(r, n, height, (struct diag_pos){ n->line, n->col });
}

static int
on_document(struct reader *r, const yaml_event_t *ev)
{
	if (++r->documents == 1)
		return 0;
	diag_error(r->d, pos_of(&ev->start_mark), "yaml-documents", NULL, NULL,
	    "a second document begins here, only one is allowed");
	return -1;
}

/* 1 at the end of the stream. */
static int
on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_ALIAS_EVENT:
		return on_alias(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_sequence_start(r, ev);
	case YAML_MAPPING_START_EVENT:
		return on_mapping_start(r, ev);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(r);
	case YAML_DOCUMENT_START_EVENT:
		return on_document(r, ev);
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

static int
read_events(struct reader *r, const char *text, size_t len)
{
	yaml_event_t ev;
	int rc;

	do {
		if (!yaml_parser_parse(&r->parser, &ev)) {
			if (r->parser.error == YAML_MEMORY_ERROR)
				return error_nomem(r->e);
			if (r->parser.error == YAML_READER_ERROR)
				encoding_fault(r, text, len);
			else
				syntax_fault(r, text, len);
			return -1;
		}
		rc = on_event(r, &ev);
		yaml_event_delete(&ev);
	} while (rc == 0);
	return rc == 1 ? 0 : -1;
}

static int
read_text(struct reader *r, const char *text, size_t len)
{
	int rc;

	if (!yaml_parser_initialize(&r->parser))
		return error_nomem(r->e);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &r->parser, (const unsigned char *)text, len);
	rc = read_events(r, text, len);
	yaml_parser_delete(&r->parser);
	return rc;
}

int
yaml_read(const char *text, size_t len, const struct yaml_options *o,
    struct arena *a, struct node **ret, struct diag *d, struct error *e)
{
	AUTO_FREE struct reader *r = NULL;
	struct error why = ERROR_INIT;
	size_t errors = d->errors;
	int rc;

	if (len > YAML_LEN_MAX) {
		diag_error(d, (struct diag_pos){ 0, 0 }, "yaml-limit", NULL,
		    NULL, "larger than 64 MiB");
		return diag_check(d, e);
	}
	/* The byte order mark is no character of the text. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	r = mem_calloc(1, sizeof(*r));
	if (r == NULL)
		return error_nomem(e);
	r->o = o;
	r->a = a;
	r->d = d;
	r->e = &why;
	rc = read_text(r, text, len);
	mem_free(r->anchors);
	mem_free(r->slots);
	if (error_is_set(&why)) {
		if (e != NULL)
			*e = why;
		return -1;
	}
	if (d->errors > errors)
		return diag_check(d, e);
	if (arena_check(a, e) == -1)
		return -1;
	if (rc == -1)
		return error_set(e, OVE_INTERNAL, "reading YAML failed");
	*ret = r->root;
	return 0;
}
