/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * TLS server contexts: a certificate with its chain, its key, and optionally
 * the authorities that clients' certificates must come from. TLS 1.2 and up; no
 * compression, no renegotiation, no session cache (tickets only). OpenSSL is
 * initialised by the first tls_new() and by nothing else.
 *
 * A context does not change. For new files make a new one and free the old:
 * sessions that were made of it keep what they need of it.
 */
#pragma once

#include "lib/base/error.h"

struct tls;
struct ssl_st;

/* PEM files; client_ca may be NULL: clients need no certificate. */
struct tls_files {
	const char *certfile;
	const char *keyfile;
	const char *client_ca;
};

/* Reads the files, blocking. A key that does not belong to the certificate, or
 * that needs a passphrase, is an error. */
int tls_new(struct tls **ret, const struct tls_files *f, struct error *e);
/* What an administrator should know although it works: the certificate has
 * expired or is not valid yet. NULL: nothing. */
const char *tls_warning(const struct tls *t);
/* For one connection that is accepted; NULL without memory. Who passes it on
 * (to a bufferevent) has passed on its ownership. */
struct ssl_st *tls_session(const struct tls *t);
/* Tells the client that no more will come, if there is room for that. */
void tls_say_bye(struct ssl_st *s);
/* In words: a code of OpenSSL's queue of errors. */
const char *tls_reason(unsigned long code);
struct tls *tls_free(struct tls *t);
AUTO_DEFINE(tls)
