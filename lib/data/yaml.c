/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 to tree.
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

#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/envtag.h"
#include "lib/data/yaml_internal.h"

/* Nodes */

static struct node *
placed(struct yaml_reader *r, struct node *n, struct diag_pos pos)
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
count_nodes(struct yaml_reader *r, size_t n, struct diag_pos pos)
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
set_key(struct yaml_reader *r, struct yaml_frame *f, struct node *n,
    struct diag_pos pos)
{
	if (is_collection(n)) {
		yaml_fault(r, pos, "yaml-key", NULL, "%s cannot be a key",
		    node_type_article(n));
		n = placed(r, NULL, pos);
	} else if (n->raw == yaml_merge_mark) {
		f->has_merge = true;
	}
	f->key = n;
}

/* Hands a complete node to the collection that is open. */
static int
attach(
    struct yaml_reader *r, struct node *n, unsigned height, struct diag_pos pos)
{
	struct yaml_frame *f;

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
wants_key(const struct yaml_reader *r)
{
	const struct yaml_frame *f;

	if (r->depth == 0)
		return false;
	f = &r->frames[r->depth - 1];
	return f->node->type != NODE_LIST && f->key == NULL;
}

/* Scalars */

static void
env_unset(const char *name, void *ctx)
{
	AUTO_STRBUF struct strbuf path;
	struct yaml_reader *r = ctx;

	yaml_here(r, &path);
	diag_warn(r->d, r->env_pos, "env-unset", path.buf, r->o->env_hint,
	    "%.100s is not set, '' is used", name);
}

static int
expand(struct yaml_reader *r, const yaml_event_t *ev, struct node **ret,
    struct error *why)
{
	struct envtag_options o = { .env = r->o->env,
		.env_ctx = r->o->env_ctx,
		.unset = env_unset,
		.unset_ctx = r };

	r->env_pos = yaml_pos(&ev->start_mark);
	return envtag_expand((const char *)ev->data.scalar.value,
	    ev->data.scalar.length, &o, r->a, ret, why);
}

/* The kind of an untagged scalar. */
static enum scalar_kind
plain_kind(struct yaml_reader *r, const yaml_event_t *ev, struct diag_pos pos)
{
	enum scalar_kind kind;

	if (!ev->data.scalar.plain_implicit)
		return SCALAR_STR;
	kind = scalar_resolve(
	    (const char *)ev->data.scalar.value, ev->data.scalar.length);
	if ((kind == SCALAR_MERGE || kind == SCALAR_VALUE) && !wants_key(r))
		yaml_fault(r, pos, "yaml-value", "put it in quotes",
		    "'%s' cannot be a value", ev->data.scalar.value);
	return kind;
}

/* NULL in *ret: a fault was added or the arena is full. */
static int
make_scalar(struct yaml_reader *r, const yaml_event_t *ev, struct node **ret)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	struct diag_pos pos = yaml_pos(&ev->start_mark);
	enum scalar_kind kind = SCALAR_STR;
	struct error why = ERROR_INIT;
	int rc;

	*ret = NULL;
	switch (yaml_look_up_tag(r, tag, &kind)) {
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
		yaml_wrong_tag(r, tag, "a list", "a scalar", pos);
		return 0;
	case TAG_MAP:
	case TAG_SET:
		yaml_wrong_tag(r, tag, "a mapping", "a scalar", pos);
		return 0;
	case TAG_UNKNOWN:
		yaml_unknown_tag(r, tag, pos);
		return 0;
	}
	rc = scalar_convert(kind, (const char *)ev->data.scalar.value,
	    ev->data.scalar.length, r->a, ret, &why);
	if (rc == 0 && *ret != NULL && kind == SCALAR_MERGE && wants_key(r))
		(*ret)->raw = yaml_merge_mark;
out:
	if (rc == 0)
		return 0;
	if (why.code == OVE_NOMEM || r->a->latch != OVE_NONE) {
		*r->e = why;
		return -1;
	}
	yaml_fault(r, pos, kind == SCALAR_STR ? "yaml-env" : "yaml-value", NULL,
	    "%s", why.text);
	return 0;
}

static int
on_scalar(struct yaml_reader *r, const yaml_event_t *ev)
{
	struct diag_pos pos = yaml_pos(&ev->start_mark);
	struct node *n;
	size_t anchor;

	if (count_nodes(r, 1, pos) == -1 || make_scalar(r, ev, &n) == -1)
		return -1;
	n = placed(r, n, pos);
	if (yaml_define_anchor(r, ev->data.scalar.anchor, n, pos, &anchor) ==
	    -1)
		return -1;
	if (anchor != YAML_NO_ANCHOR) {
		r->anchors[anchor].closed = true;
		r->anchors[anchor].count = 1;
	}
	return attach(r, n, 0, pos);
}

static int
too_deep(struct yaml_reader *r, struct diag_pos pos)
{
	diag_error(r->d, pos, "yaml-limit", NULL, NULL,
	    "nested deeper than %d levels", YAML_DEPTH_MAX);
	return -1;
}

static int
on_alias(struct yaml_reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct diag_pos pos = yaml_pos(&ev->start_mark);
	const struct yaml_anchor *an;

	an = yaml_find_anchor(r, name);
	if (an == NULL) {
		yaml_fault(
		    r, pos, "yaml-alias", NULL, "unknown alias '%.60s'", name);
	} else if (!an->closed) {
		yaml_fault(r, pos, "yaml-recursive", NULL,
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
	if (an->node->raw == yaml_merge_mark)
		return attach(
		    r, placed(r, node_str(r->a, yaml_merge_mark), pos), 0, pos);
	return attach(r, an->node, an->height, pos);
}

/* Collections */

static int
open_collection(struct yaml_reader *r, enum node_type type, enum yaml_tag tag,
    const yaml_char_t *anchor, struct diag_pos pos)
{
	struct yaml_frame *f;
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
	if (yaml_define_anchor(r, anchor, n, pos, &index) == -1)
		return -1;
	f = &r->frames[r->depth++];
	*f = (struct yaml_frame){
		.node = n, .tag = tag, .anchor = index, .before = r->total - 1
	};
	return 0;
}

static int
on_sequence_start(struct yaml_reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.sequence_start.tag;
	struct diag_pos pos = yaml_pos(&ev->start_mark);
	enum scalar_kind kind;
	enum yaml_tag tag;

	tag = yaml_look_up_tag(r, name, &kind);
	switch (tag) {
	case TAG_NONE:
	case TAG_SEQ:
	case TAG_OMAP:
	case TAG_PAIRS:
		break;
	case TAG_SCALAR:
	case TAG_ENV:
		yaml_wrong_tag(r, name, "a scalar", "a list", pos);
		break;
	case TAG_MAP:
	case TAG_SET:
		yaml_wrong_tag(r, name, "a mapping", "a list", pos);
		break;
	case TAG_UNKNOWN:
		yaml_unknown_tag(r, name, pos);
		break;
	}
	return open_collection(
	    r, NODE_LIST, tag, ev->data.sequence_start.anchor, pos);
}

static int
on_mapping_start(struct yaml_reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.mapping_start.tag;
	struct diag_pos pos = yaml_pos(&ev->start_mark);
	enum scalar_kind kind;
	enum yaml_tag tag;

	tag = yaml_look_up_tag(r, name, &kind);
	switch (tag) {
	case TAG_NONE:
	case TAG_MAP:
	case TAG_SET:
		break;
	case TAG_SCALAR:
	case TAG_ENV:
		yaml_wrong_tag(r, name, "a scalar", "a mapping", pos);
		break;
	case TAG_SEQ:
	case TAG_OMAP:
	case TAG_PAIRS:
		yaml_wrong_tag(r, name, "a list", "a mapping", pos);
		break;
	case TAG_UNKNOWN:
		yaml_unknown_tag(r, name, pos);
		break;
	}
	return open_collection(
	    r, NODE_MAP, tag, ev->data.mapping_start.anchor, pos);
}

static int
close_collection(struct yaml_reader *r)
{
	struct yaml_frame *f = &r->frames[--r->depth];
	const struct node *dup;
	unsigned height = f->height + 1;
	struct node *n = f->node;
	size_t i;

	if (n->type == NODE_MAP) {
		if (f->has_merge)
			yaml_merge(r, n);
		if (node_map_fold(n, &dup, r->e) == -1)
			return -1;
		if (f->tag == TAG_SET) {
			n->type = NODE_SET;
			for (i = 0; i < n->u.map.n; i++)
				n->u.map.pairs[i].value = node_null(r->a);
		}
	} else if (f->tag == TAG_OMAP || f->tag == TAG_PAIRS) {
		yaml_pair_list(r, n);
		height++;
	}
	if (f->anchor != YAML_NO_ANCHOR) {
		r->anchors[f->anchor].closed = true;
		r->anchors[f->anchor].height = height;
		r->anchors[f->anchor].count = r->total - f->before;
	}
	return attach(r, n, height, (struct diag_pos){ n->line, n->col });
}

static int
on_document(struct yaml_reader *r, const yaml_event_t *ev)
{
	if (++r->documents == 1)
		return 0;
	diag_error(r->d, yaml_pos(&ev->start_mark), "yaml-documents", NULL,
	    NULL, "a second document begins here, only one is allowed");
	return -1;
}

/* 1 at the end of the stream. */
static int
on_event(struct yaml_reader *r, const yaml_event_t *ev)
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
read_events(struct yaml_reader *r, const char *text, size_t len)
{
	yaml_event_t ev;
	int rc;

	do {
		if (!yaml_parser_parse(&r->parser, &ev)) {
			if (r->parser.error == YAML_MEMORY_ERROR)
				return error_nomem(r->e);
			if (r->parser.error == YAML_READER_ERROR)
				yaml_encoding_fault(r, text, len);
			else
				yaml_syntax_fault(r, text, len);
			return -1;
		}
		rc = on_event(r, &ev);
		yaml_event_delete(&ev);
	} while (rc == 0);
	return rc == 1 ? 0 : -1;
}

static int
read_text(struct yaml_reader *r, const char *text, size_t len)
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
	AUTO_FREE struct yaml_reader *r = NULL;
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
