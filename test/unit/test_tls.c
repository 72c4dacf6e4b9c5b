/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Contexts from good and bad files, which openssl(1) makes once (without it the
 * tests are skipped), and handshakes in memory with a client of OpenSSL's.
 */
#include "test/unit/support/test.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "lib/base/mem.h"
#include "lib/net/tls.h"
#include "test/unit/support/torture.h"

static const char script[] =
    "set -e; cd \"$0\"\n"
    "key() { openssl ecparam -genkey -name prime256v1 -noout -out $1; }\n"
    "key ca.key; key key; key other.key; key client.key\n"
    "openssl req -x509 -new -key ca.key -subj /CN=ca -days 2 -out ca\n"
    "sign() {\n"
    "  openssl req -new -key $1 -subj /CN=$2 -out req\n"
    "  openssl x509 -req -in req -CA ca -CAkey ca.key -set_serial $3 \\\n"
    "    -days $4 -out $2\n"
    "}\n"
    "sign key cert 2 2; sign key expired 3 -1; sign client.key client 4 2\n"
    "openssl req -x509 -new -key client.key -subj /CN=s -days 2 -out stranger\n"
    "cat cert ca >chain\n"
    "openssl ec -in key -aes128 -passout pass:secret -out locked\n"
    "printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n"
    "-----END CERTIFICATE-----\\n' >broken\n"
    "cat cert broken >half; echo text >text; : >empty\n";

static struct test_dir *dir;
static bool made;

/* Paths in the directory; a few at a time. */
static const char *
at(const char *name)
{
	static char paths[8][400];
	static unsigned n;
	char *p = paths[n++ % ARRAY_LEN(paths)];

	if (name == NULL)
		return NULL;
	(void)snprintf(p, sizeof(paths[0]), "%s/%s", dir->path, name);
	return p;
}

static int
setup(void **state)
{
	int null, status = 0;
	pid_t pid;

	if (test_dir_setup(state) != 0)
		return -1;
	dir = *state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)execl(
		    "/bin/sh", "sh", "-c", script, dir->path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	made = status == 0;
	if (!made)
		print_message("openssl(1) makes no certificates: skipped\n");
	return 0;
}

static void
need_files(void)
{
	if (!made)
		skip();
}

static int
open_files(struct tls **ret, const char *cert, const char *key, const char *ca,
    struct error *e)
{
	const struct tls_files f = {
		.certfile = at(cert),
		.keyfile = at(key),
		.client_ca = at(ca),
	};

	return tls_new(ret, &f, e);
}

static void
faults_are_named(void **state)
{
	static const struct {
		const char *cert;
		const char *key;
		const char *ca;
		/* NULL: there is none. */
		const char *text;
	} rows[] = {
		{ "cert", "key", NULL, NULL },
		{ "chain", "key", NULL, NULL },
		{ "chain", "key", "ca", NULL },
		{ "none", "key", NULL, "certificate: " },
		{ "cert", "none", NULL, "key: " },
		{ "cert", "key", "none", "authority of clients: " },
		{ "cert", "other.key", NULL, "does not belong to the cert" },
		{ "cert", "locked", NULL, "needs a passphrase" },
		{ "cert", "text", NULL, "text: holds none" },
		{ "cert", "cert", NULL, "cert: holds none" },
		{ "text", "key", NULL, "text: holds none" },
		{ "empty", "key", NULL, "empty: holds none" },
		{ "key", "key", NULL, "key: holds none" },
		{ "broken", "key", NULL, "certificate " },
		{ "half", "key", NULL, "certificate " },
		{ "cert", "key", "text", "text: holds no certificate" },
		{ "cert", "key", "half", "authority of clients " },
	};
	struct tls *t;
	size_t i;
	int rc;

	(void)state;
	need_files();
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = ERROR_INIT;

		t = NULL;
		rc = open_files(&t, rows[i].cert, rows[i].key, rows[i].ca, &e);
		if (rows[i].text == NULL) {
			test_ok(rc, &e);
			assert_null(tls_warning(t));
		} else {
			assert_int_equal(rc, -1);
			if (strstr(error_text(&e), rows[i].text) == NULL)
				fail_msg("row %zu: %s", i, error_text(&e));
		}
		tls_free(t);
	}
}

static void
an_expired_certificate_is_told(void **state)
{
	AUTO(tls) struct tls *t = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	need_files();
	test_ok(open_files(&t, "expired", "key", NULL, &e), &e);
	assert_non_null(strstr(tls_warning(t), "expired has expired ("));
}

/* Handshakes */

struct client {
	int version_max;
	const char *cert;
	const char *key;
};

struct talk {
	SSL_CTX *ctx;
	SSL *client;
	SSL *server;
};

static void
talk_start(struct talk *k, const struct tls *t, const struct client *c)
{
	BIO *a, *b;

	k->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(k->ctx);
	/* What is refused is to be refused by the server. */
	assert_int_equal(
	    SSL_CTX_set_cipher_list(k->ctx, "DEFAULT:@SECLEVEL=0"), 1);
	(void)SSL_CTX_set_min_proto_version(k->ctx, TLS1_VERSION);
	(void)SSL_CTX_set_max_proto_version(k->ctx, c->version_max);
	if (c->cert != NULL) {
		assert_int_equal(SSL_CTX_use_certificate_file(
				     k->ctx, at(c->cert), SSL_FILETYPE_PEM),
		    1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(
				     k->ctx, at(c->key), SSL_FILETYPE_PEM),
		    1);
	}
	k->client = SSL_new(k->ctx);
	k->server = tls_session(t);
	assert_non_null(k->client);
	assert_non_null(k->server);
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(k->client, a, a);
	SSL_set_bio(k->server, b, b);
	SSL_set_connect_state(k->client);
	SSL_set_accept_state(k->server);
}

/* Whether both sides end up connected. */
static bool
shake(struct talk *k)
{
	int i, c = 0, s = 0;

	for (i = 0; i < 20 && (c != 1 || s != 1); i++) {
		c = SSL_do_handshake(k->client);
		s = SSL_do_handshake(k->server);
	}
	return c == 1 && s == 1;
}

static void
talk_end(struct talk *k)
{
	SSL_free(k->client);
	SSL_free(k->server);
	SSL_CTX_free(k->ctx);
}

static void
sessions_are_as_the_files_say(void **state)
{
	static const struct {
		const char *ca;
		struct client client;
		bool ok;
	} rows[] = {
		{ NULL, { TLS1_3_VERSION, NULL, NULL }, true },
		{ NULL, { TLS1_2_VERSION, NULL, NULL }, true },
		{ NULL, { TLS1_1_VERSION, NULL, NULL }, false },
		{ "ca", { TLS1_3_VERSION, NULL, NULL }, false },
		{ "ca", { TLS1_3_VERSION, "client", "client.key" }, true },
		{ "ca", { TLS1_2_VERSION, "client", "client.key" }, true },
		{ "ca", { TLS1_3_VERSION, "stranger", "client.key" }, false },
		{ "ca", { TLS1_2_VERSION, "stranger", "client.key" }, false },
	};
	struct error e = ERROR_INIT;
	struct tls *t = NULL;
	struct talk k;
	size_t i;

	(void)state;
	need_files();
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		test_ok(open_files(&t, "chain", "key", rows[i].ca, &e), &e);
		talk_start(&k, t, &rows[i].client);
		if (shake(&k) != rows[i].ok)
			fail_msg("row %zu", i);
		if (rows[i].ok)
			assert_int_equal(
			    sk_X509_num(SSL_get_peer_cert_chain(k.client)), 2);
		talk_end(&k);
		t = tls_free(t);
	}
}

/* Of the file alone: what the store of clients' authorities has stays out. */
static void
the_chain_is_what_the_file_holds(void **state)
{
	static const struct client c = { TLS1_3_VERSION, "client",
		"client.key" };
	AUTO(tls) struct tls *t = NULL;
	struct error e = ERROR_INIT;
	struct talk k;

	(void)state;
	need_files();
	test_ok(open_files(&t, "cert", "key", "ca", &e), &e);
	talk_start(&k, t, &c);
	assert_true(shake(&k));
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(k.client)), 1);
	talk_end(&k);
}

static void
sessions_outlive_their_context(void **state)
{
	static const struct client c = { TLS1_3_VERSION, NULL, NULL };
	struct error e = ERROR_INIT;
	struct tls *t = NULL;
	struct talk k;
	char buf[8];

	(void)state;
	need_files();
	test_ok(open_files(&t, "chain", "key", NULL, &e), &e);
	talk_start(&k, t, &c);
	t = tls_free(t);
	assert_true(shake(&k));
	assert_int_equal(SSL_write(k.server, "hello", 5), 5);
	assert_int_equal(SSL_read(k.client, buf, sizeof(buf)), 5);
	/* And the end is told. */
	tls_say_bye(k.server);
	assert_int_equal(SSL_read(k.client, buf, sizeof(buf)), 0);
	assert_int_equal(SSL_get_shutdown(k.client), SSL_RECEIVED_SHUTDOWN);
	talk_end(&k);
}

static int
make(void *ctx, struct error *e)
{
	AUTO(tls) struct tls *t = NULL;

	(void)ctx;
	return open_files(&t, "chain", "key", "ca", e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	need_files();
	torture(make, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(faults_are_named),
	cmocka_unit_test(an_expired_certificate_is_told),
	cmocka_unit_test(sessions_are_as_the_files_say),
	cmocka_unit_test(the_chain_is_what_the_file_holds),
	cmocka_unit_test(sessions_outlive_their_context),
	cmocka_unit_test(allocations_may_fail),
};

int
main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    argv[0], tests, setup, test_dir_teardown);
}
