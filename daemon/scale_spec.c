/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A deployment file is made of the metadata, with the keys that files must have
 * and that mean nothing here; so there is one table of rules for both.
 */
#include "daemon/scale_spec.h"

#include "lib/data/json.h"

/* Of the metadata; all others are none of our business, as in the original. */
static const char *const members[] = { "projectFile", "environment",
	"autoScale", "reserve_port" };

static const char *
no_env(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return NULL;
}

static const struct node *
given(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type != NODE_NULL ? n : NULL;
}

static struct node *
file_of(const char *project, const struct node *said, struct arena *a)
{
	struct node *file = node_new(a, NODE_MAP);
	struct node *where = node_new(a, NODE_MAP);
	struct node *labels = node_new(a, NODE_LIST);

	node_add(a, labels, node_str(a, "all"));
	node_set(a, where, "labels", labels);
	node_set(a, file, "kind", node_str(a, "directorProject"));
	node_set(a, file, "datacenters", node_new(a, NODE_MAP));
	node_set(a, file, "deployIn", where);
	node_set(a, file, "projectName", node_str(a, project));
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		node_set(a, file, members[i],
		    node_copy(a, node_get(said, members[i])));
	return file;
}

static int
check_replicas(const struct spec_autoscale *as, struct error *e)
{
	if (as->replicas_max == SCHEMA_NONE ||
	    as->replicas_max >= as->replicas_min)
		return 0;
	return error_set(e, OVE_INVALID,
	    "The maximum number of replicates is less than the minimum: "
	    "%lld < %lld",
	    (long long)as->replicas_max, (long long)as->replicas_min);
}

int
scale_spec_read(const char *project, const char *text, size_t len,
    struct arena *a, const struct spec_project **ret, struct error *e)
{
	const struct spec_source src = { .env = no_env };
	struct error mine = ERROR_INIT;
	struct node *said, *file;
	struct spec *s;
	struct diag d;

	if (json_read(text, len, a, &said, &mine) < 0)
		return error_set(e,
		    mine.code == OVE_INVALID ? OVE_CORRUPT : mine.code, "%s",
		    mine.text);
	if (given(said, "projectFile") == NULL)
		return error_set(e, OVE_INVALID,
		    "'projectFile' is required but hasn't been specified.");
	if (given(said, "autoScale") == NULL)
		return error_set(e, OVE_INVALID,
		    "'autoScale' is required but hasn't been specified.");
	file = file_of(project, said, a);
	if (arena_check(a, e) < 0)
		return -1;
	diag_init(&d, a, NULL);
	if (spec_from_node(file, &src, a, &d, &s, e) < 0 ||
	    check_replicas(&s->project.autoscale, e) < 0)
		return -1;
	*ret = &s->project;
	return 0;
}

const char *
scale_exception(const struct error *e)
{
	static const struct {
		enum ove code;
		const char *word;
	} words[] = {
		{ OVE_CORRUPT, "JSONDecodeError" },
		{ OVE_INVALID, "InvalidSpec" },
		{ OVE_NOTFOUND, "MetadataNotFound" },
		{ OVE_UNSUPPORTED, "ConfigError" },
		{ OVE_UPSTREAM, "HTTPStatusError" },
		{ OVE_UNAVAILABLE, "ConnectError" },
		{ OVE_TIMEOUT, "ReadTimeout" },
		{ OVE_NOMEM, "MemoryError" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].code == e->code)
			return words[i].word;
	return "ValueError";
}

bool
scale_spec_has_tests(const struct spec_project *p)
{
	const struct spec_autoscale *as = &p->autoscale;

	return as->rules.n > 0 || as->economy.n > 0 ||
	    as->frontend.name != NULL || as->backend.name != NULL;
}
