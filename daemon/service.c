/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See service.h.
 */
#include "daemon/service.h"

#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/mem.h"

#define HEADER_MAX ((size_t)64 << 10)

bool
service_is_set(const struct config_service *c)
{
	return c->entrypoint != NULL && c->username != NULL &&
	    c->password != NULL;
}

char *
service_entrypoint(struct arena *a, const struct config_service *c)
{
	size_t len = strlen(c->entrypoint);

	while (len > 0 && c->entrypoint[len - 1] == '/')
		len--;
	return arena_strndup(a, c->entrypoint, len);
}

char *
service_authorization(struct arena *a, const struct config_service *c)
{
	AUTO_STRBUF struct strbuf pair, header;
	char *out;

	strbuf_init(&pair, HEADER_MAX);
	strbuf_init(&header, HEADER_MAX);
	strbuf_addf(&pair, "%s:%s", c->username, c->password);
	strbuf_adds(&header, "Authorization: Basic ");
	base64_add(&header, pair.buf, pair.len, BASE64_PLAIN);
	out = arena_strndup(a, header.buf, header.len);
	mem_wipe(pair.buf, pair.len);
	mem_wipe(header.buf, header.len);
	return out;
}

int64_t
service_total_ms(const struct config_timeouts *t)
{
	if (t->connect_ms <= 0 || t->pool_ms <= 0 || t->write_ms <= 0 ||
	    t->read_ms <= 0)
		return 0;
	return t->connect_ms + t->pool_ms + t->write_ms + t->read_ms;
}
