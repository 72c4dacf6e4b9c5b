/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The files of a run directory: see runrec.h.  `child` and result.json are flat
 * maps of scalars: one table of rows each, which the writer and the reader
 * walk, so that the two cannot differ.  spec.json has lists and is written out.
 *
 * A version that is greater than ours is refused, fields we do not know are
 * passed over, a field that is missing or out of its range makes the whole file
 * CORRUPT.
 */

#include "proto/runrec.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/data/json.h"

#define VERSION 1
/* Memory for the tree of a small file. */
#define SMALL_ARENA_MAX ((size_t)1 << 20)
#define SMALL_MAX ((size_t)64 << 10)

enum kind {
	KIND_INT,
	KIND_I64,
	KIND_U64,
	KIND_BOOL,
	KIND_BOOT_ID
};

struct row {
	const char *name;
	enum kind kind;
	size_t offset;
};

_Static_assert(sizeof(pid_t) == sizeof(int), "pids are rows of KIND_INT");

#define ROW(type, kind, field)                                                 \
  {                                                                            \
#    field, KIND_##kind, offsetof(type, field)                                 \
  }

static const struct row child_rows[] = {
	ROW(struct run_child, INT, pid),
	ROW(struct run_child, U64, start),
	ROW(struct run_child, INT, helper),
	ROW(struct run_child, U64, helper_start),
	ROW(struct run_child, BOOT_ID, boot_id),
	ROW(struct run_child, I64, started_at),
	ROW(struct run_child, I64, deadline_ms),
};

static const struct row result_rows[] = {
	ROW(struct run_result, INT, code),
	ROW(struct run_result, INT, signo),
	ROW(struct run_result, INT, sys),
	ROW(struct run_result, BOOL, timed_out),
	ROW(struct run_result, BOOL, cancelled),
	ROW(struct run_result, I64, started_at),
	ROW(struct run_result, I64, ended_at),
	ROW(struct run_result, I64, utime_ms),
	ROW(struct run_result, I64, stime_ms),
	ROW(struct run_result, I64, maxrss_kb),
	ROW(struct run_result, U64, stdout_dropped),
	ROW(struct run_result, U64, stderr_dropped),
	ROW(struct run_result, U64, stdout_len),
	ROW(struct run_result, U64, stderr_len),
};

/* In the order of enum run_how; one that vanished leaves no file. */
static const char *const how_names[] = { "exited", "signalled", "exec_failed",
	"interrupted" };
_Static_assert(ARRAY_LEN(how_names) == RUN_VANISHED, "one name per end");

/* Rows */

static void
write_rows(struct strbuf *b, const struct row *rows, size_t n, const void *obj)
{
	const char *at;
	size_t i;

	for (i = 0; i < n; i++) {
		at = (const char *)obj + rows[i].offset;
		strbuf_addf(b, ",\"%s\":", rows[i].name);
		switch (rows[i].kind) {
		case KIND_INT:
			strbuf_addf(b, "%d", *(const int *)(const void *)at);
			break;
		case KIND_I64:
			strbuf_addf(b, "%lld",
			    (long long)*(const int64_t *)(const void *)at);
			break;
		case KIND_U64:
			strbuf_addf(b, "%llu",
			    (unsigned long long)*(
				const uint64_t *)(const void *)at);
			break;
		case KIND_BOOL:
			strbuf_adds(b,
			    *(const bool *)(const void *)at ? "true" : "false");
			break;
		case KIND_BOOT_ID:
			json_write_str(b, at, strlen(at));
			break;
		}
	}
	strbuf_adds(b, "}\n");
}

/* No field is negative. */
static int
read_u64(const struct node *n, uint64_t max, uint64_t *ret)
{
	if (n->type != NODE_INT)
		return -1;
	if (n->raw != NULL)
		return num_u64(n->raw, 0, max, ret, NULL);
	if (n->u.i < 0 || (uint64_t)n->u.i > max)
		return -1;
	*ret = (uint64_t)n->u.i;
	return 0;
}

static int
read_value(const struct node *n, enum kind kind, char *at)
{
	const char *text;
	uint64_t u;

	switch (kind) {
	case KIND_INT:
		if (read_u64(n, INT32_MAX, &u) == -1)
			return -1;
		*(int *)(void *)at = (int)u;
		return 0;
	case KIND_I64:
		if (read_u64(n, INT64_MAX, &u) == -1)
			return -1;
		*(int64_t *)(void *)at = (int64_t)u;
		return 0;
	case KIND_U64:
		if (read_u64(n, UINT64_MAX, &u) == -1)
			return -1;
		*(uint64_t *)(void *)at = u;
		return 0;
	case KIND_BOOL:
		if (n->type != NODE_BOOL)
			return -1;
		*(bool *)(void *)at = n->u.b;
		return 0;
	case KIND_BOOT_ID:
		text = node_text(n);
		if (text == NULL ||
		    strlen(text) >= sizeof(((struct run_child *)0)->boot_id))
			return -1;
		memcpy(at, text, strlen(text) + 1);
		return 0;
	}
	return -1;
}

static int
read_rows(const struct node *map, const struct row *rows, size_t n, void *obj,
    struct error *e)
{
	const struct node *value;
	size_t i;

	for (i = 0; i < n; i++) {
		value = node_get(map, rows[i].name);
		if (value == NULL)
			return error_set(
			    e, OVE_CORRUPT, "'%s' is missing", rows[i].name);
		if (read_value(value, rows[i].kind,
			(char *)obj + rows[i].offset) == -1)
			return error_set(e, OVE_CORRUPT,
			    "'%s' has no value of its kind", rows[i].name);
	}
	return 0;
}

/* The map of a file whose version we know. */
static int
read_map(const char *text, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	struct node *map, *version;
	uint64_t v;

	if (json_read(text, len, a, &map, e) == -1) {
		if (e != NULL && e->code == OVE_INVALID)
			e->code = OVE_CORRUPT;
		return -1;
	}
	version = node_get(map, "version");
	if (version == NULL || read_u64(version, INT32_MAX, &v) == -1 || v == 0)
		return error_set(e, OVE_CORRUPT, "no version");
	if (v > VERSION)
		return error_set(e, OVE_UNSUPPORTED,
		    "version %llu is newer than this program's %d",
		    (unsigned long long)v, VERSION);
	*ret = map;
	return 0;
}

/* child */

int
runrec_child_write(
    const struct run_child *c, char **ret, size_t *ret_len, struct error *e)
{
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, SMALL_MAX);
	strbuf_addf(&b, "{\"version\":%d", VERSION);
	write_rows(&b, child_rows, ARRAY_LEN(child_rows), c);
	return strbuf_take(&b, ret, ret_len, e);
}

int
runrec_child_read(
    const char *text, size_t len, struct run_child *ret, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct run_child c = { .pid = 0 };
	struct node *map;

	arena_init(&a, SMALL_ARENA_MAX);
	if (read_map(text, len, &a, &map, e) == -1 ||
	    read_rows(map, child_rows, ARRAY_LEN(child_rows), &c, e) == -1)
		return error_wrap(e, "record of a child");
	/* 0 and 1 would be a signal to our group or to init. */
	if (c.pid <= 1 || c.helper <= 1)
		return error_set(
		    e, OVE_CORRUPT, "record of a child: no process id");
	*ret = c;
	return 0;
}

/* result.json */

int
runrec_result_write(
    const struct run_result *r, char **ret, size_t *ret_len, struct error *e)
{
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, SMALL_MAX);
	if ((size_t)r->how >= ARRAY_LEN(how_names))
		return error_set(
		    e, OVE_INVALID, "record of a result: no such end");
	strbuf_addf(
	    &b, "{\"version\":%d,\"how\":\"%s\"", VERSION, how_names[r->how]);
	write_rows(&b, result_rows, ARRAY_LEN(result_rows), r);
	return strbuf_take(&b, ret, ret_len, e);
}

int
runrec_result_read(
    const char *text, size_t len, struct run_result *ret, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct run_result r = { .how = RUN_EXITED };
	struct node *map;
	const char *how;
	size_t i;

	arena_init(&a, SMALL_ARENA_MAX);
	if (read_map(text, len, &a, &map, e) == -1 ||
	    read_rows(map, result_rows, ARRAY_LEN(result_rows), &r, e) == -1)
		return error_wrap(e, "record of a result");
	how = node_text(node_get(map, "how"));
	for (i = 0; how != NULL && i < ARRAY_LEN(how_names); i++)
		if (strcmp(how, how_names[i]) == 0)
			break;
	if (how == NULL || i == ARRAY_LEN(how_names))
		return error_set(
		    e, OVE_CORRUPT, "record of a result: no such end");
	r.how = (enum run_how)i;
	*ret = r;
	return 0;
}

/* spec.json */

static void
write_word(struct strbuf *b, const char *s)
{
	size_t len = strlen(s);
	size_t i;

	if (utf8_is_valid(s, len)) {
		json_write_str(b, s, len);
		return;
	}
	strbuf_adds(b, "{\"hex\":\"");
	for (i = 0; i < len; i++)
		strbuf_addf(b, "%02x", (unsigned)(unsigned char)s[i]);
	strbuf_adds(b, "\"}");
}

static void
write_words(struct strbuf *b, const char *name, const char *const *words)
{
	size_t i;

	strbuf_addf(b, ",\"%s\":[", name);
	for (i = 0; words[i] != NULL; i++) {
		if (i > 0)
			strbuf_addc(b, ',');
		write_word(b, words[i]);
	}
	strbuf_addc(b, ']');
}

static void
write_limits(struct strbuf *b, const struct run_limits *l)
{
	size_t i;

	strbuf_adds(b, ",\"limits\":[");
	for (i = 0; i < l->n; i++)
		strbuf_addf(b, "%s[%d,%llu,%llu]", i > 0 ? "," : "",
		    l->item[i].resource, (unsigned long long)l->item[i].soft,
		    (unsigned long long)l->item[i].hard);
	strbuf_addc(b, ']');
}

int
runrec_spec_write(
    const struct run_spec *s, char **ret, size_t *ret_len, struct error *e)
{
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, RUNREC_MAX);
	strbuf_addf(&b,
	    "{\"version\":%d,\"deadline_ms\":%lld,\"grace_ms\":%lld,"
	    "\"output_max\":%zu",
	    VERSION, (long long)s->deadline_ms, (long long)s->grace_ms,
	    s->output_max);
	if (s->merge)
		strbuf_adds(&b, ",\"merge\":true");
	write_words(&b, "argv", s->argv);
	write_words(&b, "envp", s->envp);
	if (s->limits != NULL)
		write_limits(&b, s->limits);
	strbuf_adds(&b, "}\n");
	if (strbuf_take(&b, ret, ret_len, e) == -1)
		return error_wrap(e, "record of a command");
	return 0;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c == '\0')
		return -1;
	at = strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* A word in the arena, or NULL. */
static const char *
read_word(const struct node *n, struct arena *a)
{
	const char *hex = node_text(node_get(n, "hex"));
	size_t i, len;
	int hi, lo;
	char *s;

	if (hex == NULL)
		return node_text(n);
	len = strlen(hex);
	if (len % 2 != 0)
		return NULL;
	s = arena_alloc(a, len / 2 + 1);
	if (s == NULL)
		return NULL;
	for (i = 0; i < len; i += 2) {
		hi = hex_digit(hex[i]);
		lo = hex_digit(hex[i + 1]);
		if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
			return NULL;
		s[i / 2] = (char)(unsigned char)(hi << 4 | lo);
	}
	return s;
}

static int
read_words(const struct node *map, const char *name, struct arena *a,
    const char *const **ret, struct error *e)
{
	const struct node *list = node_get(map, name);
	const char **words;
	size_t i;

	if (list == NULL || list->type != NODE_LIST)
		return error_set(e, OVE_CORRUPT, "'%s' is no list", name);
	words = arena_calloc(a, list->u.list.n + 1, sizeof(*words));
	if (words == NULL)
		return arena_check(a, e) == -1 ? -1 : error_nomem(e);
	for (i = 0; i < list->u.list.n; i++) {
		words[i] = read_word(list->u.list.items[i], a);
		if (words[i] == NULL && arena_check(a, e) == -1)
			return -1;
		if (words[i] == NULL)
			return error_set(
			    e, OVE_CORRUPT, "'%s' has no word at %zu", name, i);
	}
	*ret = words;
	return 0;
}

static int
read_limit(const struct node *n, struct run_limit *ret)
{
	struct node *const *v;
	uint64_t resource;

	if (n->type != NODE_LIST || n->u.list.n != 3)
		return -1;
	v = n->u.list.items;
	if (read_u64(v[0], UINT16_MAX, &resource) == -1 ||
	    read_u64(v[1], UINT64_MAX, &ret->soft) == -1 ||
	    read_u64(v[2], UINT64_MAX, &ret->hard) == -1)
		return -1;
	ret->resource = (uint16_t)resource;
	return 0;
}

static int
read_limits(const struct node *map, struct arena *a,
    const struct run_limits **ret, struct error *e)
{
	const struct node *list = node_get(map, "limits");
	struct run_limits *l;

	*ret = NULL;
	if (list == NULL)
		return 0;
	if (list->type != NODE_LIST || list->u.list.n > RUN_LIMITS_MAX)
		return error_set(e, OVE_CORRUPT, "'limits' is no such list");
	l = arena_alloc(a, sizeof(*l));
	if (l == NULL)
		return arena_check(a, e);
	for (; l->n < list->u.list.n; l->n++)
		if (read_limit(list->u.list.items[l->n], &l->item[l->n]) == -1)
			return error_set(e, OVE_CORRUPT,
			    "'limits' has no limit at %zu", l->n);
	*ret = l;
	return 0;
}

static int
read_spec(const char *text, size_t len, struct arena *a, struct run_spec *s,
    struct error *e)
{
	const struct node *deadline, *grace, *max, *merge;
	uint64_t deadline_ms, grace_ms, output_max;
	struct node *map;

	if (read_map(text, len, a, &map, e) == -1)
		return -1;
	deadline = node_get(map, "deadline_ms");
	grace = node_get(map, "grace_ms");
	max = node_get(map, "output_max");
	if (deadline == NULL ||
	    read_u64(deadline, INT64_MAX, &deadline_ms) == -1 ||
	    grace == NULL || read_u64(grace, INT64_MAX, &grace_ms) == -1 ||
	    max == NULL || read_u64(max, PTRDIFF_MAX, &output_max) == -1)
		return error_set(e, OVE_CORRUPT,
		    "deadline_ms, grace_ms and output_max are no numbers");
	s->deadline_ms = (int64_t)deadline_ms;
	s->grace_ms = (int64_t)grace_ms;
	s->output_max = (size_t)output_max;
	/* Missing: false. */
	merge = node_get(map, "merge");
	if (merge != NULL && merge->type != NODE_BOOL)
		return error_set(e, OVE_CORRUPT, "'merge' is no boolean");
	s->merge = merge != NULL && merge->u.b;
	if (read_words(map, "argv", a, &s->argv, e) == -1 ||
	    read_words(map, "envp", a, &s->envp, e) == -1 ||
	    read_limits(map, a, &s->limits, e) == -1)
		return -1;
	if (s->argv[0] == NULL || s->argv[0][0] == '\0')
		return error_set(e, OVE_CORRUPT, "'argv' names no command");
	return 0;
}

int
runrec_spec_read(const char *text, size_t len, struct arena *a,
    struct run_spec *ret, struct error *e)
{
	struct run_spec s = { .argv = NULL };

	if (read_spec(text, len, a, &s, e) == -1)
		return error_wrap(e, "record of a command");
	*ret = s;
	return 0;
}

const struct run_codec runrec_codec = {
	.spec_write = runrec_spec_write,
	.child_read = runrec_child_read,
	.result_read = runrec_result_read,
};
