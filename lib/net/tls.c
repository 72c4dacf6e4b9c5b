/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See tls.h. The only file that includes OpenSSL; what else of it the server
 * needs, libevent does.
 *
 * The files are read by ours and parsed from memory, so that what cannot be
 * read is said in the system's words and with the file's name, and so that a
 * key's text does not stay in memory. OpenSSL's queue of errors is per thread
 * and is left empty by every function here.
 */
#include "lib/net/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#define PEM_MAX ((size_t)1 << 20)

struct tls {
	SSL_CTX *ctx;
	/* "" or what tls_warning() says. */
	char warning[256];
};

/* A file in memory; bio reads from it. */
struct pem {
	char *text;
	size_t len;
	BIO *bio;
};

static void
pem_fini(struct pem *p)
{
	BIO_free(p->bio);
	if (p->text != NULL)
		mem_wipe(p->text, p->len);
	mem_free(p->text);
}
#define AUTO_PEM CC_CLEANUP(pem_fini)

static int
pem_open(struct pem *p, const char *path, const char *what, struct error *e)
{
	if (file_read(AT_FDCWD, path, PEM_MAX, &p->text, &p->len, e) == -1)
		return error_wrap(e, "%s", what);
	p->bio = BIO_new_mem_buf(p->text, (int)p->len);
	return p->bio == NULL ? error_nomem(e) : 0;
}

const char *
tls_reason(unsigned long code)
{
	const char *text = ERR_reason_error_string(code);

	return text != NULL ? text : "unknown error";
}

/* The last error of OpenSSL's queue, which it empties. */
static int
refuse(struct error *e, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();

	ERR_clear_error();
	return error_set(
	    e, OVE_INVALID, "%s %s: %s", what, path, tls_reason(code));
}

/* 0 with *ret NULL: there are no more. */
static int
next_cert(struct pem *p, const char *what, const char *path, X509 **ret,
    struct error *e)
{
	*ret = PEM_read_bio_X509(p->bio, NULL, NULL, NULL);
	if (*ret != NULL)
		return 0;
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return refuse(e, what, path);
	ERR_clear_error();
	return 0;
}

/* Certificate and chain */

static void
warn_of(struct tls *t, const char *path, const char *text, const ASN1_TIME *at)
{
	BIO *out = BIO_new(BIO_s_mem());
	char when[64] = "";

	if (out != NULL && ASN1_TIME_print(out, at) == 1) {
		int n = BIO_read(out, when, sizeof(when) - 1);

		when[n > 0 ? n : 0] = '\0';
	}
	BIO_free(out);
	(void)snprintf(t->warning, sizeof(t->warning), "certificate %s %s (%s)",
	    path, text, when);
}

static void
judge_dates(struct tls *t, const char *path, const X509 *cert)
{
	if (X509_cmp_time(X509_get0_notAfter(cert), NULL) < 0)
		warn_of(t, path, "has expired", X509_get0_notAfter(cert));
	else if (X509_cmp_time(X509_get0_notBefore(cert), NULL) > 0)
		warn_of(t, path, "is not valid yet", X509_get0_notBefore(cert));
}

static int
add_chain(struct tls *t, struct pem *p, const char *path, struct error *e)
{
	X509 *cert;

	for (;;) {
		if (next_cert(p, "certificate", path, &cert, e) == -1)
			return -1;
		if (cert == NULL)
			return 0;
		/* Takes it. */
		if (SSL_CTX_add0_chain_cert(t->ctx, cert) != 1) {
			X509_free(cert);
			return refuse(e, "certificate", path);
		}
	}
}

static int
use_certificate(struct tls *t, const char *path, struct error *e)
{
	AUTO_PEM struct pem p = { 0 };
	X509 *cert;
	int ok;

	if (pem_open(&p, path, "certificate", e) == -1 ||
	    next_cert(&p, "certificate", path, &cert, e) == -1)
		return -1;
	if (cert == NULL)
		return error_set(
		    e, OVE_INVALID, "certificate %s: holds none", path);
	ok = SSL_CTX_use_certificate(t->ctx, cert);
	if (ok == 1)
		judge_dates(t, path, cert);
	X509_free(cert);
	return ok == 1 ? add_chain(t, &p, path, e)
		       : refuse(e, "certificate", path);
}

/* Key */

/* There is nobody to ask. The type is OpenSSL's. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter) */
no_passphrase(char *buf, int len, int writing, void *asked)
{
	(void)buf;
	(void)len;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int
use_key(struct tls *t, const struct tls_files *f, struct error *e)
{
	AUTO_PEM struct pem p = { 0 };
	bool asked = false;
	EVP_PKEY *key;
	int ok;

	if (pem_open(&p, f->keyfile, "key", e) == -1)
		return -1;
	key = PEM_read_bio_PrivateKey(p.bio, NULL, no_passphrase, &asked);
	if (key == NULL && asked) {
		ERR_clear_error();
		return error_set(e, OVE_INVALID,
		    "key %s: needs a passphrase, which nobody could enter",
		    f->keyfile);
	}
	if (key == NULL) {
		ERR_clear_error();
		return error_set(
		    e, OVE_INVALID, "key %s: holds none", f->keyfile);
	}
	ok = X509_check_private_key(SSL_CTX_get0_certificate(t->ctx), key);
	if (ok == 1)
		ok = SSL_CTX_use_PrivateKey(t->ctx, key) == 1 ? 1 : -1;
	EVP_PKEY_free(key);
	if (ok == 1)
		return 0;
	if (ok == -1)
		return refuse(e, "key", f->keyfile);
	ERR_clear_error();
	return error_set(e, OVE_INVALID,
	    "key %s: does not belong to the certificate %s", f->keyfile,
	    f->certfile);
}

/* Authorities of clients */

static int
use_client_ca(struct tls *t, const char *path, struct error *e)
{
	static const char what[] = "authority of clients";
	AUTO_PEM struct pem p = { 0 };
	X509 *cert;
	int ok, n;

	if (pem_open(&p, path, what, e) == -1)
		return -1;
	for (n = 0;; n++) {
		if (next_cert(&p, what, path, &cert, e) == -1)
			return -1;
		if (cert == NULL)
			break;
		ok = X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), cert);
		if (ok == 1)
			ok = SSL_CTX_add_client_CA(t->ctx, cert);
		X509_free(cert);
		if (ok != 1)
			return refuse(e, what, path);
	}
	if (n == 0)
		return error_set(
		    e, OVE_INVALID, "%s %s: holds no certificate", what, path);
	SSL_CTX_set_verify(
	    t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

/* Contexts */

static int
set_up(struct tls *t, struct error *e)
{
	static const unsigned char name[] = "overlord";

	t->ctx = SSL_CTX_new(TLS_server_method());
	if (t->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1) {
		ERR_clear_error();
		return error_nomem(e);
	}
	(void)SSL_CTX_set_options(t->ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
	/* Requests have lengths: one that is cut off shows as that. */
	(void)SSL_CTX_set_options(t->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
	/* Idle connections keep no buffers; the chain is what the file holds,
	 * not what the authorities of clients would make of it. */
	(void)SSL_CTX_set_mode(t->ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	/* Without one, clients with a certificate could not come back. */
	(void)SSL_CTX_set_session_id_context(t->ctx, name, sizeof(name) - 1);
	return 0;
}

int
tls_new(struct tls **ret, const struct tls_files *f, struct error *e)
{
	AUTO(tls) struct tls *t = mem_calloc(1, sizeof(*t));

	if (t == NULL)
		return error_nomem(e);
	ERR_clear_error();
	if (set_up(t, e) == -1 || use_certificate(t, f->certfile, e) == -1 ||
	    use_key(t, f, e) == -1)
		return -1;
	if (f->client_ca != NULL && use_client_ca(t, f->client_ca, e) == -1)
		return -1;
	*ret = STEAL(t);
	return 0;
}

const char *
tls_warning(const struct tls *t)
{
	return t->warning[0] != '\0' ? t->warning : NULL;
}

struct tls *
tls_free(struct tls *t)
{
	if (t == NULL)
		return NULL;
	SSL_CTX_free(t->ctx);
	mem_free(t);
	return NULL;
}

/* Sessions */

struct ssl_st *
tls_session(const struct tls *t)
{
	SSL *s = SSL_new(t->ctx);

	ERR_clear_error();
	return s;
}

void
tls_say_bye(struct ssl_st *s)
{
	ERR_clear_error();
	(void)SSL_shutdown(s);
	ERR_clear_error();
}
