/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See special.h.
 */
#include "daemon/special.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"

/* Two labels fit. */
#define MESSAGE_MAX ((size_t)256 << 10)
#define LABEL_MAX 128

const char *
special_label(const struct special *s, const char *name)
{
	char whole[LABEL_MAX];

	(void)snprintf(whole, sizeof(whole), SPECIAL_PREFIX "%s", name);
	return node_text(node_get(s->labels, whole));
}

const char *
special_text(const char *value)
{
	return value != NULL ? value : "None";
}

bool
special_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	static const char blanks[] = " \t\n\v\f\r";
	char number[32];
	size_t len;

	text += strspn(text, blanks);
	if (text[0] == '+' && text[1] != '-')
		text++;
	len = strcspn(text, blanks);
	if (text[len + strspn(text + len, blanks)] != '\0' ||
	    len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	return num_i64(number, min, max, ret, NULL) == 0;
}

char *
special_message(struct arena *a, const struct special *s, const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf b;
	va_list ap;

	strbuf_init(&b, MESSAGE_MAX);
	strbuf_addf(&b, "(project:%s, service:%s", s->project, s->service);
	va_start(ap, fmt);
	strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	return strbuf_to_arena(&b, a);
}

char *
special_exception(struct arena *a, const char *type, const char *text)
{
	return arena_printf(a, "Exception %s: %s", type, text);
}

int
special_address(const struct special *s, const char *iface, const char *network,
    struct netif_addr *ret, struct error *e)
{
	struct error mine = ERROR_INIT;
	int r = netif_find(iface, network, ret, &mine);

	if (r < 0 && s->destroy && mine.code == OVE_NOTFOUND)
		return NETIF_NONE;
	if (r < 0 && e != NULL)
		*e = mine;
	return r;
}
