/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The schema engine, with tables of its own: every type, every flag, the words
 * of both modes, defaults, dump and diff.
 */

#include "lib/data/schema.h"

#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "support/test.h"
#include "support/torture.h"

struct part {
	const char *name;
	int64_t size;
};

struct thing {
	const char *name;
	int64_t port;
	int64_t wait_ms;
	int64_t beat_ms;
	bool on;
	double rate;
	struct schema_number total;
	const char *mode;
	struct schema_strs labels;
	struct schema_strmap env;
	SCHEMA_MAP_OF(struct schema_strmap) envs;
	SCHEMA_LIST_OF(struct part) parts;
	struct part main;
	struct {
		const char *key;
		struct {
			int64_t level;
		} deep;
	} group;
	const char *secret;
	const struct node *any;
	int64_t strict;
};

static const char *const modes[] = { "fast", "slow", NULL };

static const struct schema_row part_rows[] = {
	{ .key = "name",
	    .type = SCHEMA_STR,
	    .flags = SCHEMA_REQUIRED,
	    .offset = SCHEMA_OFFSET(STR, part, name) },
	{ .key = "size",
	    .type = SCHEMA_INT,
	    .offset = SCHEMA_OFFSET(INT, part, size),
	    .def = "7",
	    .min = 1,
	    .max = SCHEMA_NO_MAX },
};
static const struct schema part_schema = { .name = "part",
	.rows = part_rows,
	.n = ARRAY_LEN(part_rows),
	.size = sizeof(struct part) };

static const struct schema_row str_row = { .type = SCHEMA_STR };
static const struct schema_row null_str_row = { .type = SCHEMA_STR,
	.flags = SCHEMA_NULLABLE };
static const struct schema_row env_row = {
	.type = SCHEMA_MAP, .flags = SCHEMA_REQUIRED, .elem = &str_row
};
static const struct schema_row part_row = { .type = SCHEMA_STRUCT,
	.sub = &part_schema };

#define ROW(key_, TYPE, member, def_, flags_, ...)                             \
  {                                                                            \
    .key = key_, .type = SCHEMA_##TYPE, .flags = flags_,                       \
    .offset = offsetof(struct thing, member), .def = def_, .doc = __VA_ARGS__  \
  }

static const struct schema_row thing_rows[] = {
	ROW("name", STR, name, NULL, SCHEMA_REQUIRED, ""),
	ROW("port", INT, port, "8888", 0, "", .min = 1, .max = 65535),
	ROW("wait", INT, wait_ms, "5", SCHEMA_SECONDS | SCHEMA_NEG_NULL, ""),
	ROW("beat", INT, beat_ms, NULL, SCHEMA_SECONDS | SCHEMA_NULLABLE, "",
	    .max = SCHEMA_NO_MAX),
	ROW("on", BOOL, on, "true", SCHEMA_LIVE, ""),
	ROW("rate", FLOAT, rate, "10.0", 0, ""),
	ROW("total", NUMBER, total, "6", 0, ""),
	ROW("mode", STR, mode, "fast", 0, "", .choices = modes),
	ROW("labels", LIST, labels, "all,some", SCHEMA_NONEMPTY, "",
	    .elem = &str_row),
	ROW("env", MAP, env, NULL, 0, "", .elem = &null_str_row),
	ROW("envs", MAP, envs, NULL, 0, "", .elem = &env_row),
	ROW("parts", LIST, parts, NULL, 0, "", .elem = &part_row),
	ROW("main", STRUCT, main, NULL, 0, "", .sub = &part_schema),
	{ .key = "group", .type = SCHEMA_GROUP },
	ROW("group.key", STR, group.key, NULL, SCHEMA_REQUIRED, ""),
	{ .key = "group.deep",
	    .type = SCHEMA_GROUP,
	    .flags = SCHEMA_UNKNOWN_WARN },
	ROW("group.deep.level", INT, group.deep.level, "3", 0, ""),
	ROW("secret", STR, secret, NULL, SCHEMA_SECRET, ""),
	ROW("any", NODE, any, NULL, 0, ""),
	ROW("strict", INT, strict, NULL, SCHEMA_NODUMP, ""),
};
static const struct schema thing_schema = { .name = "thing",
	.rows = thing_rows,
	.n = ARRAY_LEN(thing_rows),
	.size = sizeof(struct thing) };

/* A tree of JSON text, as if it were a file. */
struct fixture {
	struct arena a;
	struct diag d;
	struct schema_run run;
	struct thing t;
	struct error e;
	int rc;
};

static void
bind(struct fixture *f, enum schema_mode mode, const char *json)
{
	struct node *root = NULL;

	memset(f, 0, sizeof(*f));
	arena_init(&f->a, 1 << 20);
	diag_init(&f->d, &f->a, NULL);
	f->run =
	    (struct schema_run){ .mode = mode, .arena = &f->a, .diag = &f->d };
	if (json_read(json, strlen(json), &f->a, &root, &f->e) == -1)
		fail_msg("%s: %s", json, error_text(&f->e));
	f->rc = schema_bind(&f->run, &thing_schema, root, &f->t, &f->e);
}

static const char *
dump(struct fixture *f, int flags)
{
	struct strbuf b;
	const char *s;

	strbuf_init(&b, 1 << 16);
	json_write(
	    &b, schema_dump(&thing_schema, &f->t, flags, &f->a), JSON_COMPACT);
	s = arena_strdup(&f->a, b.buf);
	strbuf_fini(&b);
	return s;
}

static void
test_verify(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	if (schema_verify(&thing_schema, &e) == -1)
		fail_msg("%s", error_text(&e));
}

/* Tables that must not pass. */
static void
test_verify_bad(void **state)
{
	static const struct schema_row orphan[] = { { .key = "a.b",
	    .type = SCHEMA_STR } };
	static const struct schema_row twice[] = { { .key = "a",
						       .type = SCHEMA_STR },
		{ .key = "a", .type = SCHEMA_STR } };
	static const struct schema_row no_elem[] = { { .key = "a",
	    .type = SCHEMA_LIST } };
	static const struct schema_row bad_def[] = {
		{ .key = "a", .type = SCHEMA_INT, .def = "x" }
	};
	static const struct schema_row outside[] = {
		{ .key = "a", .type = SCHEMA_INT, .offset = 60 }
	};
	static const struct {
		const struct schema_row *rows;
		size_t n;
	} bad[] = { { orphan, 1 }, { twice, 2 }, { no_elem, 1 }, { bad_def, 1 },
		{ outside, 1 } };
	struct schema s = { .name = "bad", .size = 64 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		s.rows = bad[i].rows;
		s.n = bad[i].n;
		if (schema_verify(&s, NULL) != -1)
			fail_msg("row %zu passes", i);
	}
}

static void
test_defaults(void **state)
{
	struct fixture f;

	(void)state;
	bind(&f, SCHEMA_FILE, "{\"name\": \"x\"}");
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.t.port, 8888);
	assert_int_equal(f.t.wait_ms, 5000);
	assert_true(f.t.beat_ms == SCHEMA_NONE);
	assert_true(f.t.total.is_int);
	assert_int_equal(f.t.labels.n, 2);
	assert_string_equal(f.t.labels.items[1], "some");
	assert_null(f.t.main.name);
	assert_int_equal(f.t.main.size, 7);
	assert_string_equal(dump(&f, 0),
	    "{\"name\":\"x\",\"port\":8888,\"wait\":5,\"beat\":null,"
	    "\"on\":true,\"rate\":10.0,\"total\":6,\"mode\":\"fast\","
	    "\"labels\":[\"all\",\"some\"],\"env\":{},\"envs\":{},"
	    "\"parts\":[],\"main\":{\"name\":null,\"size\":7},"
	    "\"group\":{\"key\":null,\"deep\":{\"level\":3}},"
	    "\"secret\":null,\"any\":null}");
	arena_fini(&f.a);
}

static void
test_bind(void **state)
{
	struct fixture f;

	(void)state;
	bind(&f, SCHEMA_FILE,
	    "{\"name\":\"x\",\"port\":true,\"wait\":-1,\"beat\":0,\"on\":null,"
	    "\"rate\":2,\"total\":1.5,\"mode\":\"slow\",\"labels\":[\"a\"],"
	    "\"env\":{\"A\":\"b\",\"C\":null},\"envs\":{\"d\":{\"E\":\"f\"}},"
	    "\"parts\":[{\"name\":\"p\"},{\"name\":\"q\",\"size\":9}],"
	    "\"main\":{\"name\":\"m\"},\"group\":{\"key\":\"k\",\"deep\":{}},"
	    "\"secret\":\"s3\",\"any\":[1,{}],\"strict\":4}");
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.t.wait_ms, -1000);
	assert_int_equal(f.t.beat_ms, 0);
	assert_int_equal(f.t.env.n, 2);
	assert_string_equal(f.t.env.keys[1], "C");
	assert_null(f.t.env.items[1]);
	assert_string_equal(f.t.envs.items[0].items[0], "f");
	assert_int_equal(f.t.parts.items[1].size, 9);
	assert_int_equal(f.t.strict, 4);
	assert_string_equal(dump(&f, SCHEMA_REDACT),
	    "{\"name\":\"x\",\"port\":1,\"wait\":null,\"beat\":0,"
	    "\"on\":true,\"rate\":2.0,\"total\":1.5,\"mode\":\"slow\","
	    "\"labels\":[\"a\"],\"env\":{\"A\":\"b\",\"C\":null},"
	    "\"envs\":{\"d\":{\"E\":\"f\"}},\"parts\":[{\"name\":\"p\","
	    "\"size\":7},{\"name\":\"q\",\"size\":9}],"
	    "\"main\":{\"name\":\"m\",\"size\":7},"
	    "\"group\":{\"key\":\"k\",\"deep\":{\"level\":3}},"
	    "\"secret\":\"********\",\"any\":[1,{}]}");
	arena_fini(&f.a);
}

/* Faults of a file: rule, path, reason, hint of the first finding. */
static const struct {
	const char *json;
	const char *rule;
	const char *path;
	const char *reason;
	const char *hint;
} faults[] = {
	{ "{}", "required", "", "'name' is missing", NULL },
	{ "{\"name\":null}", "required", "", "'name' is missing", NULL },
	{ "[1]", "type", "", "expected a mapping, found a list", NULL },
	{ "{\"name\":5}", "type", "name",
	    "expected a string, found an integer (5)", "quote it: '5'" },
	{ "{\"name\":true}", "type", "name",
	    "expected a string, found a boolean (true)", "put it in quotes" },
	{ "{\"name\":\"x\",\"port\":\"80\"}", "type", "port",
	    "expected an integer, found a string ('80')", NULL },
	{ "{\"name\":\"x\",\"port\":1.0}", "type", "port",
	    "expected an integer, found a number with a fraction (1.0)", NULL },
	{ "{\"name\":\"x\",\"port\":0}", "range", "port",
	    "must be from 1 to 65535, found 0", NULL },
	{ "{\"name\":\"x\",\"beat\":-1}", "range", "beat",
	    "must be 0 or more, found -1", NULL },
	{ "{\"name\":\"x\",\"port\":123456789012345678901}", "range", "port",
	    "integer out of range (123456789012345678901)", NULL },
	{ "{\"name\":\"x\",\"wait\":9223372036854775807}", "range", "wait",
	    "integer out of range (9223372036854775807)", NULL },
	{ "{\"name\":\"x\",\"on\":1}", "type", "on",
	    "expected a boolean, found an integer (1)", NULL },
	{ "{\"name\":\"x\",\"mode\":\"slwo\"}", "choice", "mode",
	    "'slwo' is not one of: fast, slow", "did you mean 'slow'?" },
	{ "{\"name\":\"x\",\"labels\":[]}", "empty", "labels",
	    "must not be empty", NULL },
	{ "{\"name\":\"x\",\"labels\":[\"a\",null]}", "type", "labels[1]",
	    "expected a string, found null", NULL },
	{ "{\"name\":\"x\",\"env\":{\"A.b\":1}}", "type", "env.\"A.b\"",
	    "expected a string, found an integer (1)", "quote it: '1'" },
	{ "{\"name\":\"x\",\"envs\":{\"d\":null}}", "required", "envs.d",
	    "expected a mapping, found null", NULL },
	{ "{\"name\":\"x\",\"parts\":[{\"size\":1}]}", "required", "parts[0]",
	    "'name' is missing", NULL },
	{ "{\"name\":\"x\",\"main\":3}", "type", "main",
	    "expected a mapping, found an integer (3)", NULL },
	{ "{\"name\":\"x\",\"group\":{}}", "required", "group",
	    "'key' is missing", NULL },
	{ "{\"name\":\"x\",\"labls\":[]}", "unknown-key", "labls",
	    "unknown key", "did you mean 'labels'?" },
	{ "{\"name\":\"x\",\"level\":1}", "unknown-key", "level", "unknown key",
	    "'level' belongs to 'group.deep'" },
	{ "{\"name\":\"x\",\"size\":1}", "unknown-key", "size", "unknown key",
	    "'size' belongs to 'parts[]'" },
	{ "{\"name\":\"x\",\"main\":{\"name\":\"y\",\"envs\":{}}}",
	    "unknown-key", "main.envs", "unknown key",
	    "'envs' is a top-level key; move it to column 1" },
};

static void
test_faults(void **state)
{
	const struct diag_item *item;
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(faults); i++) {
		bind(&f, SCHEMA_FILE, faults[i].json);
		item = &f.d.items[0];
		if (f.rc != -1 || f.e.code != OVE_INVALID || f.d.n != 1 ||
		    strcmp(item->rule, faults[i].rule) != 0 ||
		    strcmp(item->path, faults[i].path) != 0 ||
		    strcmp(item->reason, faults[i].reason) != 0 ||
		    (item->hint == NULL) != (faults[i].hint == NULL) ||
		    (item->hint != NULL &&
			strcmp(item->hint, faults[i].hint) != 0))
			fail_msg("%s: %zu findings: %s: %s: %s (%s)",
			    faults[i].json, f.d.n, f.d.n > 0 ? item->rule : "",
			    f.d.n > 0 ? item->path : "",
			    f.d.n > 0 ? item->reason : "",
			    f.d.n > 0 && item->hint != NULL ? item->hint : "");
		arena_fini(&f.a);
	}
}

static void
test_all_faults_in_order(void **state)
{
	struct fixture f;

	(void)state;
	bind(&f, SCHEMA_FILE,
	    "{\"zzz\": 1,\n \"port\": \"x\",\n \"group\": {\"deep\": "
	    "{\"extra\": 1}},\n \"labels\": 3}");
	assert_int_equal(f.d.errors, 5);
	assert_int_equal(f.d.warnings, 1);
	assert_int_equal(f.d.n, 6);
	arena_fini(&f.a);
}

/* Bodies: what the handler sends. */
static const struct {
	const char *json;
	const char *message;
} bodies[] = {
	{ "{}", "`name` is required but hasn't been specified." },
	{ "{\"name\":null}", "`name` is required but hasn't been specified." },
	{ "{\"name\":1}",
	    "'name' has an unexpected value type: expected string, given "
	    "number." },
	{ "{\"name\":\"x\",\"port\":true}",
	    "'port' has an unexpected value type: expected number, given "
	    "boolean." },
	{ "{\"name\":\"x\",\"on\":\"false\"}",
	    "'on' has an unexpected value type: expected boolean, given "
	    "string." },
	{ "{\"name\":\"x\",\"labels\":{}}",
	    "'labels' has an unexpected value type: expected array, given "
	    "object." },
	{ "{\"name\":\"x\",\"env\":{\"PORT\":[]}}",
	    "'env.PORT' has an unexpected value type: expected string, given "
	    "array." },
	{ "{\"name\":\"x\",\"parts\":[{\"name\":\"a\"},{}]}",
	    "`parts[1].name` is required but hasn't been specified." },
	{ "{\"name\":\"x\",\"labels\":[]}", "labels: must not be empty." },
	{ "{\"port\":\"x\",\"name\":2}",
	    "'name' has an unexpected value type: expected string, given "
	    "number." },
	{ "{\"name\":\"x\",\"on\":null,\"unknown\":1}", NULL },
};

static void
test_bodies(void **state)
{
	const char *message;
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bodies); i++) {
		bind(&f, SCHEMA_BODY, bodies[i].json);
		message = schema_body_message(&f.d);
		if ((f.rc == 0) != (bodies[i].message == NULL) ||
		    (message == NULL) != (bodies[i].message == NULL) ||
		    (message != NULL &&
			strcmp(message, bodies[i].message) != 0))
			fail_msg("%s: %s", bodies[i].json,
			    message != NULL ? message : "no message");
		arena_fini(&f.a);
	}
}

static void
collect(const struct schema_row *row, void *ctx)
{
	struct strbuf *b = ctx;

	strbuf_addf(b, "%s%s ", row->key, row->flags & SCHEMA_LIVE ? "+" : "");
}

static void
test_diff(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f, g;

	(void)state;
	strbuf_init(&b, 1024);
	bind(&f, SCHEMA_FILE, "{\"name\":\"x\",\"labels\":[\"a\"]}");
	bind(&g, SCHEMA_FILE,
	    "{\"name\":\"x\",\"labels\":[\"b\"],\"on\":false,\"group\":"
	    "{\"key\":\"k\"}}");
	assert_int_equal(
	    schema_diff(&thing_schema, &f.t, &g.t, &f.a, collect, &b, &f.e), 0);
	assert_string_equal(b.buf, "on+ labels group.key ");
	strbuf_reset(&b);
	assert_int_equal(
	    schema_diff(&thing_schema, &f.t, &f.t, &f.a, collect, &b, &f.e), 0);
	assert_string_equal(b.buf, "");
	arena_fini(&f.a);
	arena_fini(&g.a);
}

static void
test_find(void **state)
{
	(void)state;
	assert_string_equal(schema_find(&thing_schema, "group.deep.level")->key,
	    "group.deep.level");
	assert_null(schema_find(&thing_schema, "group.level"));
}

/* With any maximum the engine ends in an error or in the whole result. */
static void
test_small_arena(void **state)
{
	static const char json[] = "{\"name\":\"x\",\"env\":{\"A\":\"b\"},"
				   "\"parts\":[{\"name\":\"p\"}],"
				   "\"zzz\":1,\"labels\":[\"a\",\"b\"]}";
	struct schema_run run;
	struct arena tree, a;
	struct error e;
	struct diag d;
	struct thing t;
	struct node *root;
	size_t max;
	int rc;

	(void)state;
	arena_init(&tree, 1 << 20);
	assert_int_equal(
	    json_read(json, sizeof(json) - 1, &tree, &root, &e), 0);
	for (max = 0; max < 3000; max += 7) {
		arena_init(&a, max);
		diag_init(&d, &a, NULL);
		run = (struct schema_run){ .arena = &a, .diag = &d };
		error_clear(&e);
		rc = schema_bind(&run, &thing_schema, root, &t, &e);
		assert_int_equal(rc, -1);
		assert_true(e.code == OVE_LIMIT || e.code == OVE_INVALID);
		(void)schema_dump(&thing_schema, &t, 0, &a);
		arena_fini(&a);
	}
	arena_fini(&tree);
}

static int
torture_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct schema_run run;
	struct node *root;
	struct diag d;
	struct thing t;

	arena_init(&a, 1 << 20);
	strbuf_init(&b, 1 << 20);
	diag_init(&d, &a, NULL);
	run = (struct schema_run){ .arena = &a, .diag = &d };
	if (json_read(ctx, strlen(ctx), &a, &root, e) == -1 ||
	    schema_bind(&run, &thing_schema, root, &t, e) == -1)
		return -1;
	json_write(&b, schema_dump(&thing_schema, &t, 0, &a), JSON_COMPACT);
	if (arena_check(&a, e) == -1)
		return -1;
	return strbuf_check(&b, e);
}

static void
test_torture(void **state)
{
	static char json[] =
	    "{\"name\":\"x\",\"env\":{\"A\":\"b\"},\"parts\":[{\"name\":"
	    "\"p\"}],\"labels\":[\"a\",\"b\"],\"envs\":{\"d\":{}}}";

	(void)state;
	torture(torture_body, json);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_verify),
	cmocka_unit_test(test_verify_bad),
	cmocka_unit_test(test_defaults),
	cmocka_unit_test(test_bind),
	cmocka_unit_test(test_faults),
	cmocka_unit_test(test_all_faults_in_order),
	cmocka_unit_test(test_bodies),
	cmocka_unit_test(test_diff),
	cmocka_unit_test(test_find),
	cmocka_unit_test(test_small_arena),
	cmocka_unit_test(test_torture),
};
TEST_MAIN(tests)
