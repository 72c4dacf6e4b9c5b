/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The OpenAPI 3.1 document of the API, made from the tables: routes.def,
 * twins.def, details.def and the bodies of msg.c.
 */
#pragma once

#include "lib/base/strbuf.h"

/* Enough for it. */
#define OPENAPI_MAX ((size_t)4 << 20)
/* Adds the document as compact JSON. */
int openapi_write(struct strbuf *out, struct error *e);
