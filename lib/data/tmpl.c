/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Sets a rendering up, reads the templates that it includes, and hands over
 * what came of it.  All that is made meanwhile lives in one arena that goes at
 * the end.
 */
#include "lib/data/tmpl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/data/tmpl_internal.h"

#define URI_MAX 4096

static int
by_name(const void *a, const void *b)
{
	const struct tmpl_var *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Names that mean something to Mako.  It has another class for those that meet
 * a parameter of its own functions. */
static int
check_vars(struct tmpl_engine *g)
{
	static const struct {
		const char *name;
		enum tmpl_class class;
	} reserved[] = {
		{ "context", TMPL_NAME_CONFLICT_ERROR },
		{ "loop", TMPL_NAME_CONFLICT_ERROR },
		{ "UNDEFINED", TMPL_NAME_CONFLICT_ERROR },
		{ "STOP_RENDERING", TMPL_NAME_CONFLICT_ERROR },
		{ "capture", TMPL_NAME_CONFLICT_ERROR },
		{ "caller", TMPL_NAME_CONFLICT_ERROR },
		{ "local", TMPL_NAME_CONFLICT_ERROR },
		{ "self", TMPL_TYPE_ERROR },
		{ "buffer", TMPL_TYPE_ERROR },
		{ "callable_", TMPL_TYPE_ERROR },
	};

	for (size_t i = 0; i < g->in->vars_n; i++)
		for (size_t k = 0; k < ARRAY_LEN(reserved); k++)
			if (strcmp(g->in->vars[i].name, reserved[k].name) == 0)
				return tmpl_raise(&g->run, reserved[k].class,
				    "Reserved words passed to render(): %s",
				    reserved[k].name);
	return 0;
}

static int
sort_vars(struct tmpl_engine *g)
{
	size_t n = g->in->vars_n;

	g->vars = arena_calloc(g->a, n + 1, sizeof(const void *));
	if (g->vars == NULL)
		return tmpl_raise_nomem(&g->run);
	for (size_t i = 0; i < n; i++)
		g->vars[i] = &g->in->vars[i];
	qsort(g->vars, n, sizeof(*g->vars), by_name);
	return 0;
}

/* Templates */

static int
index_defs(struct tmpl_engine *g, struct tmpl_unit *u)
{
	u->defs_n = tmpl_name_count(g->c);
	u->defs = arena_calloc(g->a, u->defs_n + 1, sizeof(const void *));
	u->module =
	    arena_calloc(g->a, u->tree.module_names.n + 1, sizeof(*u->module));
	if (u->defs == NULL || u->module == NULL)
		return tmpl_raise_nomem(&g->run);
	for (struct tmpl_func *f = u->tree.defs; f != NULL; f = f->next)
		u->defs[f->name->id] = f;
	return 0;
}

static int
parse(struct tmpl_engine *g, struct tmpl_unit *u, const char *text, size_t len)
{
	if (len > TMPL_TEXT_MAX)
		return tmpl_raise(&g->run, TMPL_LIMIT,
		    "the template is longer than %zu MiB", TMPL_TEXT_MAX >> 20);
	if (!utf8_is_valid(text, len))
		return tmpl_raise(&g->run, TMPL_COMPILE_EXCEPTION,
		    "Unicode decode operation of encoding 'utf-8' failed");
	if (tmpl_tree_parse(g->c, g->a, text, len, &u->tree, &g->run.fault) < 0)
		return -1;
	if (index_defs(g, u) < 0)
		return -1;
	return tmpl_exec_module(g, u);
}

/* The name as it is asked for: relative to what includes it. */
static const char *
join(struct tmpl_engine *g, const struct tmpl_unit *from, const char *name,
    size_t len)
{
	const char *slash = from->uri != NULL && name[0] != '/'
	    ? strrchr(from->uri, '/')
	    : NULL;

	return arena_printf(g->a, "%.*s%.*s",
	    slash != NULL ? (int)(slash - from->uri + 1) : 0,
	    from->uri != NULL ? from->uri : "", (int)len, name);
}

/* Without "." and "..", relative; NULL: no memory, or *ret_out: it leads out
 * of the directories. */
static const char *
normalize(struct tmpl_engine *g, const char *uri, bool *ret_out)
{
	char *to = arena_alloc(g->a, strlen(uri) + 1);
	size_t n = 0, len;

	*ret_out = false;
	if (to == NULL)
		return NULL;
	for (const char *s = uri; *s != '\0'; s += len) {
		len = strcspn(s, "/");
		if (len == 0) {
			len = 1;
		} else if (len == 2 && memcmp(s, "..", 2) == 0) {
			*ret_out |= n == 0;
			while (n > 0 && to[--n] != '/')
				continue;
		} else if (len != 1 || *s != '.') {
			if (n > 0)
				to[n++] = '/';
			memcpy(to + n, s, len);
			n += len;
		}
	}
	to[n] = '\0';
	*ret_out |= strncmp(to, "..", 2) == 0;
	return to;
}

static int
read_text(struct tmpl_engine *g, struct tmpl_unit *u, const char **ret,
    size_t *ret_len)
{
	struct error e = ERROR_INIT;
	int rc = TMPL_NO_FILE;

	if (g->in->open != NULL && u->key[0] != '\0')
		rc = g->in->open(u->key, g->a, ret, ret_len, g->in->ctx, &e);
	if (rc == TMPL_NO_FILE)
		return tmpl_raise(&g->run, TMPL_LOOKUP_EXCEPTION,
		    "Can't locate template for uri '%s'", u->uri);
	if (rc < 0)
		return tmpl_raise(&g->run, TMPL_LOOKUP_EXCEPTION,
		    "template '%s' cannot be read: %s", u->uri, error_text(&e));
	if (*ret_len >= 3 && memcmp(*ret, "\xef\xbb\xbf", 3) == 0) {
		*ret += 3;
		*ret_len -= 3;
	}
	return 0;
}

static struct tmpl_unit *
find_unit(struct tmpl_engine *g, const char *uri)
{
	for (struct tmpl_unit *u = g->units; u != NULL; u = u->next)
		if (strcmp(u->uri, uri) == 0)
			return u;
	return NULL;
}

static int
load(struct tmpl_engine *g, const char *uri, struct tmpl_pos pos,
    const struct tmpl_unit **ret)
{
	struct tmpl_unit *u = arena_alloc(g->a, sizeof(*u));
	const char *text = "";
	size_t len = 0;
	bool is_out = false;

	if (u == NULL)
		return tmpl_raise_nomem(&g->run);
	u->uri = uri;
	u->key = normalize(g, uri, &is_out);
	if (u->key == NULL)
		return tmpl_raise_nomem(&g->run);
	if (is_out)
		(void)tmpl_raise(&g->run, TMPL_LOOKUP_EXCEPTION,
		    "Template uri \"%s\" is invalid - it cannot be relative "
		    "outside of the root path.",
		    uri);
	if (is_out || read_text(g, u, &text, &len) < 0)
		return tmpl_raise_at(&g->run, pos);
	if (parse(g, u, text, len) < 0) {
		g->where = uri;
		return -1;
	}
	u->next = g->units;
	g->units = u;
	*ret = u;
	return 0;
}

int
tmpl_engine_load(struct tmpl_engine *g, const struct tmpl_unit *from,
    const char *name, size_t len, struct tmpl_pos pos,
    const struct tmpl_unit **ret)
{
	const char *uri;

	if (len == 0)
		(void)tmpl_raise(
		    &g->run, TMPL_INDEX_ERROR, "string index out of range");
	else if (memchr(name, '\0', len) != NULL || len > URI_MAX)
		(void)tmpl_raise(&g->run, TMPL_VALUE_ERROR,
		    "the name of a template is too long or holds a NUL");
	else {
		uri = join(g, from, name, len);
		if (uri == NULL)
			return tmpl_raise_nomem(&g->run);
		*ret = find_unit(g, uri);
		return *ret != NULL ? 0 : load(g, uri, pos, ret);
	}
	return tmpl_raise_at(&g->run, pos);
}

/* The rendering */

static int
render(struct tmpl_engine *g)
{
	struct tmpl_unit *top = arena_alloc(g->a, sizeof(*top));

	g->c = tmpl_compiler_new(g->a);
	if (top == NULL || g->c == NULL)
		return tmpl_raise_nomem(&g->run);
	if (parse(g, top, g->in->text, g->in->len) < 0 || check_vars(g) < 0 ||
	    sort_vars(g) < 0 || tmpl_exec_unit(g, top, NULL, NULL) < 0)
		return -1;
	return tmpl_sink_check(g);
}

static void
tell(struct tmpl_engine *g, struct arena *a, struct tmpl_failure *ret)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, TMPL_OUT_MAX);
	if (g->where != NULL)
		strbuf_addf(&b, "%s: ", g->where);
	tmpl_fault_text(&g->run.fault, &b);
	ret->class = tmpl_class_name(g->run.fault.class);
	ret->pos = g->run.fault.pos;
	ret->file = g->where != NULL ? arena_strdup(a, g->where) : NULL;
	ret->text = b.latch == OVE_NONE ? arena_strndup(a, b.buf, b.len) : NULL;
	if (ret->text == NULL)
		ret->text = "out of memory";
}

static int
hand_over(struct tmpl_engine *g, struct arena *a, struct tmpl_output *ret)
{
	unsigned *lines = arena_calloc(a, g->lines.n + 1, sizeof(*lines));
	const struct strbuf *b = &g->sink->b;

	ret->text = arena_strndup(a, b->buf, b->len);
	if (lines == NULL || ret->text == NULL)
		return tmpl_raise_nomem(&g->run);
	if (g->lines.n > 0)
		memcpy(lines, g->lines.items, g->lines.n * sizeof(*lines));
	ret->len = b->len;
	ret->lines = lines;
	ret->lines_n = g->lines.n;
	return 0;
}

int
tmpl_render(const struct tmpl_input *in, struct arena *a,
    struct tmpl_output *ret, struct tmpl_failure *why)
{
	AUTO_ARENA struct arena mine;
	struct tmpl_engine g = { .a = &mine, .in = in };
	struct tmpl_sink sink;
	int rc;

	memset(ret, 0, sizeof(*ret));
	memset(why, 0, sizeof(*why));
	arena_init(&mine, TMPL_MEMORY_MAX);
	tmpl_run_init(&g.run, &mine);
	g.lines.is_start = true;
	tmpl_sink_push(&g, &sink);
	rc = render(&g);
	if (rc == 0)
		rc = hand_over(&g, a, ret);
	if (rc < 0)
		tell(&g, a, why);
	tmpl_sink_drop(&g);
	mem_free(g.lines.items);
	return rc;
}

unsigned
tmpl_line(const struct tmpl_output *out, unsigned line)
{
	return line > 0 && line <= out->lines_n ? out->lines[line - 1] : 0;
}
