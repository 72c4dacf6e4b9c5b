/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Loading a deployment file: text to tree, `kind` to table, tree to struct, and
 * what all kinds have in common: their common keys, print-spec, the warnings of
 * validate. When the kind is missing or unknown, the common keys are still
 * checked and nothing else, since what else is wrong would be a
 * consequence.
 */

#include "proto/spec.h"

#include <string.h>
#include <strings.h>

#include "lib/data/yaml.h"
#include "proto/chainpath.h"
#include "proto/spec_internal.h"

static const struct {
	const char *text;
	const struct schema *table;
	void (*to_node)(
	    const struct spec *s, struct node *map, struct arena *a);
	void (*lint)(const struct spec *s, const struct schema_at *at);
} kinds[SPEC_KIND_COUNT] = {
#define KIND(name, text_, word)                                                \
  [SPEC_##name] = { .text = text_,                                             \
	  .table = &spec_##word##_schema,                                      \
	  .to_node = spec_##word##_to_node,                                    \
	  .lint = spec_##word##_lint },
#include "proto/kinds.def"
#undef KIND
};

const char *
spec_kind_to_string(enum spec_kind kind)
{
	return kinds[kind].text;
}

/* Common rows */

void
spec_check_name(const struct schema_at *at, const struct node *n,
    enum name_kind kind, const char *rule)
{
	struct arena *a = at->run->arena;

	if (name_is(kind, n->u.str.s, n->u.str.len))
		return;
	/* Bodies hold no names but keys. */
	if (at->run->mode == SCHEMA_PARTS)
		schema_fault(at, n, rule, NULL,
		    "invalid value, should be '%s', given %s.",
		    NAME_KEY_PATTERN, schema_quote_python(a, n));
	else
		schema_fault(at, n, rule, NULL, "%s is not %s",
		    schema_quote(a, n), name_kind_text(kind));
}

void
spec_check_one_of(const struct schema_at *at, const struct node *map,
    const char *one, const char *other)
{
	const struct node *a = spec_given(map, one);
	const struct node *b = spec_given(map, other), *second;
	bool parts = at->run->mode == SCHEMA_PARTS;
	size_t i;

	if ((a == NULL) != (b == NULL))
		return;
	if (parts && a == NULL) {
		schema_fault_text(at, NULL, "either",
		    "'%s' or '%s' are required but haven't been specified.",
		    one, other);
	} else if (parts) {
		schema_fault_text(at, NULL, "both",
		    "Only '%s' or '%s' should be specified, but not both.", one,
		    other);
	} else if (a == NULL) {
		schema_fault(at, NULL, "either", NULL,
		    "'%s' or '%s' is missing", one, other);
	} else {
		for (i = map->u.map.n - 1; map->u.map.pairs[i].value != a &&
		     map->u.map.pairs[i].value != b;
		     i--)
			continue;
		second = map->u.map.pairs[i].key;
		schema_fault(at, second, "both", NULL,
		    "only one of '%s' and '%s' may be given", one, other);
	}
}

static void
check_label(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	spec_check_name(at, n, NAME_LABEL, "label");
}

static void
check_key(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	spec_check_name(at, n, NAME_KEY, "key");
}

static void
check_entrypoint(const struct schema_at *at, const struct node *n, void *field)
{
	struct error e = ERROR_INIT;
	struct chainpath path;
	const char *dc;

	(void)field;
	if (chainpath_parse_entrypoint(
		n->u.str.s, at->run->arena, &dc, &path, &e) == 0)
		return;
	if (e.code == OVE_LIMIT)
		schema_fault(at, n, "chain", NULL, "%s", error_text(&e));
	else
		schema_fault(at, n, "chain", NULL, "%s is not %s",
		    schema_quote(at->run->arena, n),
		    name_kind_text(NAME_CHAIN));
}

/* clang-format off */
static const struct schema_row datacenter_rows[] = {
	SCHEMA_ROW(spec_datacenter, "entrypoint", STR, entrypoint, NULL, 0,
	    "URL of the API."),
	SCHEMA_ROW(spec_datacenter, "access_token", STR, access_token, NULL,
	    SCHEMA_SECRET, "A token made on that server."),
	SCHEMA_ROW(spec_datacenter, "timeout", INT, timeout_ms, "0",
	    SCHEMA_SECONDS, "No effect."),
	SCHEMA_ROW(spec_datacenter, "read_timeout", INT, read_timeout_ms, "120",
	    SCHEMA_SECONDS, "Seconds to wait for data; 0 or less: no limit."),
	SCHEMA_ROW(spec_datacenter, "write_timeout", INT, write_timeout_ms,
	    "120", SCHEMA_SECONDS,
	    "Seconds to wait for data to be taken; 0 or less: no limit."),
	SCHEMA_ROW(spec_datacenter, "connect_timeout", INT, connect_timeout_ms,
	    "10", SCHEMA_SECONDS,
	    "Seconds for a connection; 0 or less: no limit."),
	SCHEMA_ROW(spec_datacenter, "pool_timeout", INT, pool_timeout_ms, "60",
	    SCHEMA_SECONDS,
	    "Seconds to wait for a free connection; 0 or less: no limit."),
	SCHEMA_ROW(spec_datacenter, "max_keepalive_connections", INT,
	    max_keepalive_connections, "1000", 0, "Idle connections kept."),
	SCHEMA_ROW(spec_datacenter, "max_connections", INT, max_connections,
	    "1024", 0, "Connections at the same time."),
	SCHEMA_ROW(spec_datacenter, "keepalive_expiry", INT,
	    keepalive_expiry_ms, "60", SCHEMA_SECONDS,
	    "Seconds for which an idle connection is kept."),
	SCHEMA_ROW(spec_datacenter, "cacert", STR, cacert, NULL, 0,
	    "PEM file with the certificate authorities to trust."),
};
/* clang-format on */

static const struct schema datacenter_schema = {
	SCHEMA_TABLE("datacenter", datacenter_rows, spec_datacenter),
};

const struct schema_row spec_str_row = { .type = SCHEMA_STR };
const struct schema_row spec_label_row = { .type = SCHEMA_STR,
	.check = check_label };
const struct schema_row spec_key_row = {
	.type = SCHEMA_STR,
	.check = check_key,
	.pattern = "^[a-zA-Z][a-zA-Z0-9]*(?:[._-][a-zA-Z][a-zA-Z0-9]*)*$",
};
const struct schema_row spec_entrypoint_row = { .type = SCHEMA_STR,
	.check = check_entrypoint };
const struct schema_row spec_datacenter_row = { .type = SCHEMA_STRUCT,
	.flags = SCHEMA_NULLABLE,
	.sub = &datacenter_schema };

/* clang-format off */
static const struct schema_row readonly_rows[] = {
	SPEC_COMMON_ROWS,
};
/* clang-format on */

/* Other root keys are free text. It also stands in for a kind that is not
 * known. */
const struct schema spec_readonly_schema = {
	SCHEMA_TABLE("readOnly", readonly_rows, spec),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

void
spec_readonly_to_node(const struct spec *s, struct node *map, struct arena *a)
{
	(void)s;
	(void)map;
	(void)a;
}

void
spec_readonly_lint(const struct spec *s, const struct schema_at *at)
{
	(void)s;
	(void)at;
}

const char *
spec_unknown_hint(const struct schema_at *at, const char *key)
{
	struct arena *a = at->run->arena;
	size_t i;

	if (strcmp(key, "services") == 0 || strcmp(key, "volumes") == 0)
		return arena_printf(
		    a, "'%s' belongs inside 'projectFile: |', indented", key);
	for (i = 0; i < SPEC_KIND_COUNT; i++) {
		if (schema_find(kinds[i].table, key) != NULL)
			return arena_printf(a,
			    "'%s' belongs to kind %s, this file is %s", key,
			    kinds[i].text, at->run->root->name);
	}
	return NULL;
}

/* Loading */

const struct node *
spec_given(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type != NODE_NULL ? n : NULL;
}

static void
fault_kind(const struct schema_at *at, const struct node *n)
{
	const char *names[SPEC_KIND_COUNT], *text = node_text(n), *hint;
	AUTO_STRBUF struct strbuf b;
	size_t i;

	strbuf_init(&b, 1024);
	for (i = 0; i < SPEC_KIND_COUNT; i++) {
		names[i] = kinds[i].text;
		strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	hint = text != NULL
	    ? diag_suggest(at->run->arena, text, names, SPEC_KIND_COUNT)
	    : NULL;
	schema_fault(at, n, "choice", hint, "%s is not one of: %s",
	    schema_quote(at->run->arena, n), b.buf);
}

/* The table to check by: that of the kind, or the common keys only, with a
 * finding that says why. */
static const struct schema *
choose_table(struct schema_run *run, const struct node *root, struct spec *s)
{
	const struct node *n = spec_given(root, "kind");
	struct schema_at top = { .run = run };
	struct schema_at at = {
		.run = run, .up = &top, .key = "kind", .where = n
	};
	const char *text = node_text(n);
	size_t i;

	if (n == NULL)
		return &spec_readonly_schema;
	for (i = 0; i < SPEC_KIND_COUNT; i++) {
		if (text == NULL || strcmp(kinds[i].text, text) != 0)
			continue;
		s->kind = (enum spec_kind)i;
		return kinds[i].table;
	}
	fault_kind(&at, n);
	return &spec_readonly_schema;
}

/* bind() clears the struct. */
static int
bind(struct schema_run *run, const struct node *root, struct spec *s,
    struct error *e)
{
	const struct schema *table;
	enum spec_kind kind;

	table = choose_table(run, root, s);
	kind = s->kind;
	if (schema_bind(run, table, root, s, e) == -1)
		return -1;
	s->kind = kind;
	s->root = root;
	if (s->entrypoints.n == 0) {
		s->entrypoints.items = s->datacenters.keys;
		s->entrypoints.n = s->datacenters.n;
	}
	/* What choose_table() found. */
	if (run->diag->errors > 0)
		return diag_check(run->diag, e);
	return 0;
}

int
spec_from_node(const struct node *root, const struct spec_source *src,
    struct arena *a, struct diag *d, struct spec **ret, struct error *e)
{
	struct spec_source source = *src;
	struct schema_run run = {
		.mode = SCHEMA_FILE, .arena = a, .diag = d, .user = &source
	};
	struct schema_at top = { .run = &run };
	struct spec *s = arena_alloc(a, sizeof(*s));

	if (s == NULL)
		return arena_check(a, e);
	if (root == NULL || root->type == NODE_NULL) {
		schema_fault_missing(&top, "kind");
		return diag_check(d, e);
	}
	if (root->type != NODE_MAP) {
		schema_fault_type(&top, root, SCHEMA_GROUP);
		return diag_check(d, e);
	}
	if (bind(&run, root, s, e) == -1)
		return -1;
	*ret = s;
	return 0;
}

int
spec_load(const char *text, size_t len, const struct spec_source *src,
    struct arena *a, struct diag *d, struct spec **ret, struct error *e)
{
	struct yaml_options options = {
		.env = src->env, .env_ctx = src->ctx, .env_hint = SPEC_ENV_HINT
	};
	struct node *root = NULL;

	if (yaml_read(text, len, &options, a, &root, d, e) == -1)
		return -1;
	return spec_from_node(root, src, a, d, ret, e);
}

/* Queries */

const char *
spec_project_name(const struct spec *s)
{
	switch (s->kind) {
	case SPEC_VM:
		return s->vm_name;
	case SPEC_APPCONFIG:
		return s->app.name;
	default:
		return s->project.name;
	}
}

static const struct node_pair *
datacenter_pair(const struct spec *s, const char *name)
{
	const struct node *map = spec_given(s->root, "datacenters");
	const char *key;
	size_t i;

	for (i = 0; map != NULL && i < map->u.map.n; i++) {
		key = node_text(map->u.map.pairs[i].key);
		if (key != NULL && strcmp(key, name) == 0)
			return &map->u.map.pairs[i];
	}
	return NULL;
}

const struct spec_datacenter *
spec_find_datacenter(const struct spec *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->datacenters.n; i++) {
		if (strcmp(s->datacenters.keys[i], name) == 0)
			return &s->datacenters.items[i];
	}
	return NULL;
}

/* [user@]host[:port], host a name or an address in brackets. */
static bool
is_authority(const char *s, size_t len)
{
	const char *end = s + len, *at = memchr(s, '@', len), *port;
	unsigned long n = 0;

	if (at != NULL)
		s = at + 1;
	if (s < end && *s == '[') {
		port = memchr(s, ']', (size_t)(end - s));
		if (port == NULL || ++port == s + 2)
			return false;
	} else {
		port = memchr(s, ':', (size_t)(end - s));
		port = port != NULL ? port : end;
		if (port == s)
			return false;
	}
	if (port == end)
		return true;
	if (*port != ':')
		return false;
	while (++port < end && *port >= '0' && *port <= '9' && n <= 65535)
		n = n * 10 + (unsigned long)(*port - '0');
	return port == end && n <= 65535;
}

const char *
spec_url_fault(const char *url)
{
	const char *host;

	if (strncasecmp(url, "http://", 7) == 0)
		host = url + 7;
	else if (strncasecmp(url, "https://", 8) == 0)
		host = url + 8;
	else
		return strstr(url, "://") != NULL && url[0] != ':'
		    ? "is neither http nor https"
		    : "is not a URL";
	for (const char *c = host; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "is not a URL";
	return is_authority(host, strcspn(host, "/?#")) ? NULL : "is not a URL";
}

static const char *
url_hint(const char *url, struct arena *a)
{
	if (url[0] == '\0' || strchr("/.:", url[0]) != NULL ||
	    strpbrk(url, " \t\r\n") != NULL || strstr(url, "://") != NULL)
		return NULL;
	return arena_printf(a, "write 'http://%.100s'", url);
}

static void
check_url(
    const struct schema_at *at, const char *url, const struct node *datacenter)
{
	const struct node *n = spec_given(datacenter, "entrypoint");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "entrypoint", .where = n
	};
	const char *fault = spec_url_fault(url);

	if (fault != NULL && n != NULL)
		schema_fault(&here, n, "url", url_hint(url, at->run->arena),
		    "%s %s", schema_quote(at->run->arena, n), fault);
}

void
spec_require_datacenter(
    const struct spec *s, const char *name, struct arena *a, struct diag *d)
{
	struct schema_run run = { .mode = SCHEMA_FILE, .arena = a, .diag = d };
	struct schema_at top = { .run = &run };
	struct schema_at map = {
		.run = &run, .up = &top, .key = "datacenters"
	};
	const struct spec_datacenter *dc = spec_find_datacenter(s, name);
	const struct node_pair *p = datacenter_pair(s, name);
	struct schema_at at;

	if (dc == NULL || p == NULL)
		return;
	map.where = p->key;
	at = schema_at_pair(&map, p);
	if (dc->entrypoint == NULL)
		schema_fault_missing(&at, "entrypoint");
	else
		check_url(&at, dc->entrypoint, p->value);
	if (dc->access_token == NULL)
		schema_fault_missing(&at, "access_token");
}

/* print-spec */

struct node *
spec_map_or_empty(const struct node *n, struct arena *a)
{
	return n != NULL ? node_copy(a, n) : node_new(a, NODE_MAP);
}

struct node *
spec_to_node(const struct spec *s, struct arena *a)
{
	static const char *const as_written[] = { "kind", "datacenters",
		"deployIn" };
	const struct node *n;
	struct node *map;
	size_t i;

	map = node_new(a, NODE_MAP);
	for (i = 0; i < ARRAY_LEN(as_written); i++) {
		n = spec_given(s->root, as_written[i]);
		if (n != NULL)
			node_set(a, map, as_written[i], node_copy(a, n));
	}
	n = spec_given(s->root, "maximumDeployments");
	node_set(a, map, "maximumDeployments",
	    n != NULL ? node_copy(a, n) : node_int(a, 0));
	kinds[s->kind].to_node(s, map, a);
	return arena_check(a, NULL) == 0 ? map : NULL;
}

/* Lint */

static bool
entrypoint_is_in(const char *entrypoint, const char *dc, struct arena *a)
{
	struct chainpath path;
	const char *name;

	return chainpath_parse_entrypoint(entrypoint, a, &name, &path, NULL) ==
	    0 &&
	    strcmp(name, dc) == 0;
}

static void
lint_url(const struct spec_datacenter *dc, const struct node_pair *p,
    const struct schema_at *at)
{
	const struct node *n = spec_given(p->value, "entrypoint");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "entrypoint", .where = n
	};
	const char *fault;

	/* An empty one comes of a variable that is not set: it was told. */
	if (n == NULL || dc->entrypoint == NULL || dc->entrypoint[0] == '\0')
		return;
	fault = spec_url_fault(dc->entrypoint);
	if (fault != NULL)
		schema_warn(&here, n, "url",
		    url_hint(dc->entrypoint, at->run->arena), "%s %s",
		    schema_quote(at->run->arena, n), fault);
}

static void
lint_datacenters(const struct spec *s, const struct schema_at *at)
{
	const struct node_pair *p;
	struct schema_at map, here;
	size_t i, k;

	for (i = 0; i < s->datacenters.n; i++) {
		for (k = 0; k < s->entrypoints.n; k++) {
			if (entrypoint_is_in(s->entrypoints.items[k],
				s->datacenters.keys[i], at->run->arena))
				break;
		}
		p = datacenter_pair(s, s->datacenters.keys[i]);
		if (p == NULL)
			continue;
		map = (struct schema_at){ .run = at->run,
			.up = at,
			.key = "datacenters",
			.where = p->key };
		here = schema_at_pair(&map, p);
		lint_url(&s->datacenters.items[i], p, &here);
		if (k < s->entrypoints.n)
			continue;
		schema_warn(&here, p->key, "unused-datacenter", NULL,
		    "no entry point of deployIn.entrypoints uses it");
	}
}

void
spec_lint(const struct spec *s, struct arena *a, struct diag *d)
{
	struct schema_run run = { .mode = SCHEMA_FILE, .arena = a, .diag = d };
	struct schema_at top = { .run = &run };

	lint_datacenters(s, &top);
	kinds[s->kind].lint(s, &top);
}
