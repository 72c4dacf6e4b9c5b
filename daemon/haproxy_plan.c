/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the labels of a service say of its server (runtime.md 3.2): functions of
 * labels, addresses and what the Data Plane API has said.
 */
#include <string.h>

#include "daemon/haproxy.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define BODY_MAX ((size_t)256 << 10)
/* Of a transaction's id. */
#define ID_MAX 256
#define SET SPECIAL_PREFIX "load-balancer.set."

struct plan {
	const struct special *s;
	struct arena *a;
	struct haproxy_plan *ret;
};

#define MESSAGE(p, ...) special_message((p)->a, (p)->s, __VA_ARGS__)

/* What is wrong with the labels of the address; NULL: nothing. */
static char *
check_address(struct plan *p, const char *iface)
{
	const char *net =
	    special_label(p->s, "load-balancer.interface.address");
	struct error e = ERROR_INIT;
	int rc = special_address(p->s, iface, net, &p->ret->address, &e);

	if (rc < 0)
		return MESSAGE(p,
		    ", interface:%s, address:%s, exception:%s, "
		    "label:overlord.load-balancer.interface.address) %s",
		    iface, special_text(net), netif_exception(&e), e.text);
	if (rc == NETIF_NONE && !p->s->destroy)
		return MESSAGE(p,
		    ", interface:%s, address:%s, "
		    "label:overlord.load-balancer.interface.address) no IP "
		    "address has been found.",
		    iface, special_text(net));
	return NULL;
}

char *
haproxy_check(
    const struct special *s, struct arena *a, struct haproxy_plan *ret)
{
	struct plan p = { s, a, ret };
	const char *iface = special_label(s, "load-balancer.interface");
	const char *port = special_label(s, "load-balancer.interface.port");

	if (iface == NULL)
		return MESSAGE(&p,
		    ", label:overlord.load-balancer.interface) interface has "
		    "not been specified, but is required.");
	if (port == NULL)
		return MESSAGE(&p,
		    ", label:overlord.load-balancer.interface.port) port has "
		    "not been specified, but is required.");
	if (!special_int(port, 1, UINT16_MAX, &ret->port))
		return MESSAGE(&p,
		    ", port:%s, label:overlord.load-balancer.interface.port) "
		    "invalid port.",
		    port);
	return check_address(&p, iface);
}

static bool
is_set(const struct node *name)
{
	return strncmp(name->u.str.s, SET, strlen(SET)) == 0 &&
	    name->u.str.s[strlen(SET)] != '\0';
}

char *
haproxy_server(const struct special *s, const char *serverid,
    const char *address, int64_t port, struct arena *a, const char **ret_label,
    struct error *e)
{
	struct node *body = node_new(a, NODE_MAP);

	for (size_t i = 0; i < s->labels->u.map.n; i++) {
		const struct node_pair *p = &s->labels->u.map.pairs[i];
		struct node *value;

		if (!is_set(p->key) || node_text(p->value) == NULL)
			continue;
		*ret_label = p->key->u.str.s;
		if (json_read(p->value->u.str.s, p->value->u.str.len, a, &value,
			e) < 0)
			return NULL;
		node_replace(a, body, p->key->u.str.s + strlen(SET), value);
	}
	node_replace(a, body, "name", node_str(a, serverid));
	node_replace(a, body, "address", node_str(a, address));
	node_replace(a, body, "port", node_int(a, port));
	*ret_label = NULL;
	return json_text(body, JSON_PYTHON, BODY_MAX, a, e);
}

const char *
haproxy_transaction(const char *text, size_t len, struct arena *a)
{
	const char *id;
	struct node *n;

	if (json_read(text, len, a, &n, NULL) < 0)
		return NULL;
	id = node_text(node_get(n, "id"));
	return id != NULL && id[0] != '\0' && strlen(id) <= ID_MAX ? id : NULL;
}
