/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Deployment files: text to a checked struct (deployment-files.md), and back to
 * the tree that print-spec shows. One table per kind does both. A spec lives in
 * the arena it was loaded into and does not change.
 */
#pragma once

#include "proto/vm.h"

enum spec_kind {
#define KIND(name, text, word) SPEC_##name,
#include "proto/kinds.def"
#undef KIND
	SPEC_KIND_COUNT
};

/* Timeouts: <= 0 is no limit; `timeout` of the file has no effect. */
struct spec_datacenter {
	/* NULL when absent: spec_require_datacenter(). */
	const char *entrypoint;
	const char *access_token;
	int64_t timeout_ms;
	int64_t read_timeout_ms;
	int64_t write_timeout_ms;
	int64_t connect_timeout_ms;
	int64_t pool_timeout_ms;
	int64_t max_keepalive_connections;
	int64_t max_connections;
	int64_t keepalive_expiry_ms;
	const char *cacert;
};

/* Name of a chain, label or datacenter, and its environment. */
struct spec_envs {
	const char **keys;
	struct schema_strmap *items;
	size_t n;
};

/* Resource and limit: an integer node. */
struct spec_limits {
	const char **keys;
	const struct node **items;
	size_t n;
};

struct spec_metric {
	/* Integer, string, or a list of two integers. */
	const struct node *value;
	/* SCHEMA_NONE: absent. */
	int64_t each;
};

struct spec_balancer {
	/* NULL: this section is absent. */
	const char *name;
	SCHEMA_MAP_OF(struct spec_metric) any;
	SCHEMA_MAP_OF(struct spec_metric) all;
};

struct spec_autoscale {
	/* The file has one that is not empty. */
	bool on;
	int64_t replicas_min;
	/* SCHEMA_NONE: all usable servers. */
	int64_t replicas_max;
	const char *type;
	const struct node *value;
	struct spec_limits rules;
	struct spec_limits economy;
	struct schema_strs labels;
	struct schema_strs metadata;
	struct spec_balancer frontend;
	struct spec_balancer backend;
};

struct spec_project {
	const char *name;
	/* One of the two, the other is NULL. */
	const char *file;
	const char *from_metadata;
	struct schema_strmap environment;
	struct spec_envs datacenters_environment;
	/* Keys: a chain path, or "<root>". */
	struct spec_envs chains_environment;
	struct spec_envs labels_environment;
	const char *environ_from_metadata;
	struct spec_autoscale autoscale;
	/* Interface and network; network NULL: the first address. */
	struct schema_strmap reserve_port;
};

/* An entry of a namespace. */
struct spec_mapping {
	/* "KEY:PATH" or [KEY, PATH]; NULL: it is a directory. */
	const struct node *file;
	const char *directory;
	const struct node *prefix;
	/* A name or a number. */
	const struct node *owner;
	const struct node *group;
	int64_t mode;
	int64_t umask;
};

struct spec_metadata {
	/* With what is included, and with the prefix. */
	struct schema_strmap entries;
	struct schema_strs include;
	/* NULL: there is none. */
	const char *namespace;
	SCHEMA_LIST_OF(struct spec_mapping) mapping;
};

struct spec_app {
	const char *name;
	const char *from;
	struct schema_strmap config;
};

struct spec {
	enum spec_kind kind;
	const char *kind_text;
	struct {
		const char **keys;
		struct spec_datacenter *items;
		size_t n;
	} datacenters;
	/* entrypoints: all datacenters when the file names none. */
	struct schema_strs entrypoints;
	struct schema_strs labels;
	struct schema_strs exclude;
	/* 0: no limit. */
	int64_t maximum_deployments;
	/* By kind. */
	struct spec_project project;
	struct spec_metadata metadata;
	/* vm_name: may be NULL, see spec_require_vm(). */
	const char *vm_name;
	struct spec_vm vm;
	struct spec_app app;
	/* METADATA, VM; NULL: none. */
	const char *metadata_prefix;
	/* The file as it was written; positions for later findings. */
	const struct node *root;
};

const char *spec_kind_to_string(enum spec_kind kind);

/* Value of an environment variable, or NULL; OVERLORD_FILE and OVERLORD_WRKDIR
 * are the caller's business. */
typedef const char *spec_env_fn(const char *name, void *ctx);

/* Reads a file that another includes, from the current directory, into a. */
typedef int spec_read_fn(const char *path, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e);

/* Where a file gets the rest from. */
struct spec_source {
	spec_env_fn *env;
	/* NULL: nothing can be included. */
	spec_read_fn *read;
	void *ctx;
};

/* -1: OVE_INVALID, with the findings in d, or NOMEM, LIMIT. */
int spec_load(const char *text, size_t len, const struct spec_source *src,
    struct arena *a, struct diag *d, struct spec **ret, struct error *e);
/* The same of a document that was read already, which has to stay. */
int spec_from_node(const struct node *root, const struct spec_source *src,
    struct arena *a, struct diag *d, struct spec **ret, struct error *e);
/* What `validate` adds: what is legal but surely wrong, as warnings, and a
 * project file that Director could not read. */
void spec_lint(const struct spec *s, struct arena *a, struct diag *d);
/* For print-spec; NULL and a latched arena on failure. */
struct node *spec_to_node(const struct spec *s, struct arena *a);

/* The project that the file is about, also a VM's, and of an appConfig what it
 * is called after; NULL: there is none. */
const char *spec_project_name(const struct spec *s);
/* NULL when the file does not define it. */
const struct spec_datacenter *spec_find_datacenter(
    const struct spec *s, const char *name);
/* "is not a URL" or the like; NULL when it may be asked. */
const char *spec_url_fault(const char *url);
/* Before a datacenter is contacted: adds to d what it lacks, and an entrypoint
 * that is no URL. */
void spec_require_datacenter(
    const struct spec *s, const char *name, struct arena *a, struct diag *d);
/* Before a VM is made (create), taken down or its jobs are cancelled: adds to d
 * what that needs and the file has not. */
void spec_require_vm(
    const struct spec *s, bool create, struct arena *a, struct diag *d);
/* The body of POST /v1/vm/{vm}; the mapping of a namespace as it is sent. NULL
 * and a latched arena on failure. */
struct node *spec_vm_body(const struct spec *s, bool restart, struct arena *a);
struct node *spec_mapping_to_node(const struct spec *s, struct arena *a);
/* "512m" in bytes (deployment-files.md 5.4.3); -1: not a size. */
int spec_parse_size(const char *text, size_t len, int64_t *ret);
