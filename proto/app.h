/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Kind appConfig: the template that a server stores becomes the deployment file
 * that is meant (deployment-files.md 9.2).  Pure; what is made lives in the
 * arena that is given.
 */
#pragma once

#include "lib/data/tmpl.h"
#include "proto/spec.h"

struct app_template {
	const char *text;
	/* For <%include>; NULL: there is nothing to include. */
	tmpl_open_fn *open;
	void *open_ctx;
	/* For !ENV in what it renders to. */
	spec_env_fn *env;
};

/* Renders it with the variables of app, a file of kind appConfig, and gives the
 * document, with the datacenters, deployIn and maximumDeployments of app.  The
 * lines of its nodes are those of the template, their columns unknown.  d,
 * which has the template's name, gets warnings.  -1: *ret_why is the reason. */
int app_render(const struct spec *app, const struct app_template *t,
    struct arena *a, struct diag *d, struct node **ret, const char **ret_why);

enum app_kind {
	APP_KIND_OK,
	APP_KIND_MISSING,
	/* Of no kind that a template can be of. */
	APP_KIND_OTHER,
};
/* *ret_kind is what the document calls itself, for APP_KIND_OTHER. */
enum app_kind app_kind(
    const struct node *doc, struct arena *a, const char **ret_kind);

/* The document as a deployment file; as spec_load(). */
int app_spec(const struct node *doc, struct arena *a, struct diag *d,
    struct spec **ret, struct error *e);
