/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Request bodies: the bytes through the JSON reader and the tables of up,
 * down, VMs, metadata and namespaces. A refusal must say something, and what
 * was bound must show again.
 */

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/data/json.h"
#include "proto/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_msg(const struct schema *s, const struct node *body, struct arena *a)
{
	struct error e = ERROR_INIT;
	union {
		struct msg_up up;
		struct msg_down down;
		struct msg_vm vm;
		struct msg_metadata metadata;
		struct msg_namespace namespace;
	} msg;

	if (msg_bind(s, body, a, &msg, &e) == -1) {
		if (!error_is_set(&e) || *error_text(&e) == '\0')
			abort();
		return;
	}
	if (schema_dump(s, &msg, 0, a) == NULL && arena_check(a, NULL) == 0)
		abort();
}

static void
try_mapping(const struct node *body, struct arena *a)
{
	struct error e = ERROR_INIT;
	struct msg_mapping m;

	if (msg_mapping_bind(body, a, &m, &e) == -1) {
		if (!error_is_set(&e) || *error_text(&e) == '\0')
			abort();
		return;
	}
	if (m.n == 0)
		abort();
	for (size_t i = 0; i < m.n; i++)
		if (m.items[i].path == NULL || m.items[i].mode < MSG_UNSET ||
		    m.items[i].mode > 07777 || m.items[i].umask < MSG_UNSET ||
		    m.items[i].umask > 0777)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *body;

	arena_init(&a, (size_t)16 << 20);
	if (json_read((const char *)data, size, &a, &body, &e) == -1)
		return 0;
	try_msg(&msg_up_schema, body, &a);
	try_msg(&msg_down_schema, body, &a);
	try_msg(&msg_vm_schema, body, &a);
	try_msg(&msg_metadata_schema, body, &a);
	try_msg(&msg_namespace_schema, body, &a);
	try_mapping(body, &a);
	return 0;
}
