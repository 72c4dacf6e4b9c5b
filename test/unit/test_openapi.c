/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The OpenAPI document: types and bodies become schemas, everything that has a
 * row is in it. Whether it is a valid one, and true, is test_openapi.py's. */

#include "proto/openapi.h"

#include <string.h>

#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/data/schema.h"
#include "proto/detail.h"
#include "proto/openapi_internal.h"
#include "support/test.h"
#include "support/torture.h"

#define DOC_MAX ((size_t)4 << 20)

static const char *
text_of(struct arena *a, const struct node *n)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 65536);
	json_write(&b, n, JSON_COMPACT);
	return arena_strdup(a, b.buf);
}

static void
types_become_schemas(void **state)
{
	static const char *const rows[][2] = {
		{ "str", "{\"type\":\"string\"}" },
		{ "any", "{}" },
		{ "'OK'", "{\"const\":\"OK\"}" },
		{ "[int]",
		    "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}" },
		{ "{num|null}",
		    "{\"type\":\"object\",\"additionalProperties\":{\"anyOf\":["
		    "{\"type\":\"number\"},{\"type\":\"null\"}]}}" },
		{ "[Job]",
		    "{\"type\":\"array\",\"items\":{\"$ref\":"
		    "\"#/components/schemas/Job\"}}" },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *bad = NULL;
		struct node *n = openapi_type(&a, rows[i][0], &bad);

		assert_null(bad);
		assert_string_equal(text_of(&a, n), rows[i][1]);
	}
}

static void
what_is_no_type_is_told(void **state)
{
	static const char *const rows[] = { "", "string", "[int", "int]",
		"{str|}", "'OK", "|int", "Nothing", "int int",
		"[[[[[[[[[int]]]]]]]]]" };
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *bad = NULL;

		(void)openapi_type(&a, rows[i], &bad);
		assert_non_null(bad);
	}
}

static void
members_become_an_object(void **state)
{
	AUTO_ARENA struct arena a;
	const char *bad = NULL;

	(void)state;
	arena_init(&a, 65536);
	assert_string_equal(
	    text_of(&a,
		openapi_members(&a, "job_id: int, message?: str", 200, &bad)),
	    "{\"type\":\"object\",\"properties\":{"
	    "\"status_code\":{\"type\":\"integer\",\"const\":200},"
	    "\"job_id\":{\"type\":\"integer\"},"
	    "\"message\":{\"type\":\"string\"}},"
	    "\"required\":[\"status_code\",\"job_id\"]}");
	assert_null(bad);
	(void)openapi_members(&a, "job_id int", 200, &bad);
	assert_non_null(bad);
}

struct sample {
	int64_t port;
	const char *mode;
	const char *name;
	SCHEMA_LIST_OF(const char *) words;
	double share;
	const struct node *free;
};

/* Groups become objects, ranges and choices are kept, null is absence. */
static void
a_table_becomes_a_schema(void **state)
{
	static const char *const modes[] = { "fast", "slow", NULL };
	static const struct schema_row word = { .type = SCHEMA_STR };
	static const struct schema_row rows[] = {
		SCHEMA_ROW_GROUP("net", SCHEMA_REQUIRED, "Net."),
		SCHEMA_ROW(sample, "net.port", INT, port, NULL, SCHEMA_REQUIRED,
		    "Port.", .min = 1, .max = 9),
		SCHEMA_ROW(sample, "net.mode", STR, mode, NULL, SCHEMA_REQUIRED,
		    "Mode.", .choices = modes),
		SCHEMA_ROW(sample, "name", STR, name, NULL, 0, "Name."),
		SCHEMA_ROW_MANY(sample, "words", LIST, words, NULL,
		    SCHEMA_REQUIRED | SCHEMA_NONEMPTY, "Words.", .elem = &word),
		SCHEMA_ROW(
		    sample, "share", FLOAT, share, NULL, SCHEMA_REQUIRED, "S."),
		SCHEMA_ROW(
		    sample, "free", NODE, free, NULL, SCHEMA_REQUIRED, "F."),
	};
	static const struct schema table = { SCHEMA_TABLE(
	    "sample", rows, sample) };
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 65536);
	assert_string_equal(openapi_body_name(&a, &table), "BodySample");
	assert_string_equal(text_of(&a, openapi_body(&a, &table)),
	    "{\"type\":\"object\",\"additionalProperties\":false,"
	    "\"properties\":{"
	    "\"net\":{\"type\":\"object\",\"additionalProperties\":false,"
	    "\"properties\":{"
	    "\"port\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,"
	    "\"description\":\"Port.\"},"
	    "\"mode\":{\"type\":\"string\",\"enum\":[\"fast\",\"slow\"],"
	    "\"description\":\"Mode.\"}},"
	    "\"required\":[\"port\",\"mode\"],\"description\":\"Net.\"},"
	    "\"name\":{\"anyOf\":[{\"type\":\"string\","
	    "\"pattern\":\"^[^\\\\u0000]*$\"},{\"type\":\"null\"}],"
	    "\"description\":\"Name.\"},"
	    "\"words\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
	    "\"pattern\":\"^[^\\\\u0000]*$\"},\"minItems\":1,"
	    "\"description\":\"Words.\"},"
	    "\"share\":{\"type\":\"number\",\"description\":\"S.\"},"
	    "\"free\":{\"description\":\"F.\"}},"
	    "\"required\":[\"net\",\"words\",\"share\",\"free\"]}");
}

static void
everything_is_in_the_document(void **state)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	const struct node *schemas;
	struct node *doc;
	size_t n = 0;

	(void)state;
	arena_init(&a, 16 * DOC_MAX);
	strbuf_init(&b, DOC_MAX);
	test_ok(openapi_write(&b, &e), &e);
	test_ok(json_read(b.buf, b.len, &a, &doc, &e), &e);
	assert_string_equal(node_text(node_get(doc, "openapi")), "3.1.0");
	for (size_t i = 0; i < node_get(doc, "paths")->u.map.n; i++)
		n += node_get(doc, "paths")->u.map.pairs[i].value->u.map.n;
	assert_int_equal(n, ROUTE_COUNT + TWIN_COUNT);
	schemas = node_get(node_get(doc, "components"), "schemas");
	for (const struct route_shape *s = route_shapes; s->name != NULL; s++)
		assert_non_null(node_get(schemas, s->name));
	assert_non_null(node_get(schemas, "BodyUp"));
	/* The environment's names are those that a check function lets pass. */
	assert_non_null(strstr(b.buf, "\"pattern\":\"^[^=\\\\u0000]+$\""));
}

static int
write_document(void *ctx, struct error *e)
{
	AUTO_STRBUF struct strbuf b;

	(void)ctx;
	strbuf_init(&b, DOC_MAX);
	return openapi_write(&b, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	(void)state;
	torture(write_document, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(types_become_schemas),
	cmocka_unit_test(what_is_no_type_is_told),
	cmocka_unit_test(members_become_an_object),
	cmocka_unit_test(a_table_becomes_a_schema),
	cmocka_unit_test(everything_is_in_the_document),
	cmocka_unit_test(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
