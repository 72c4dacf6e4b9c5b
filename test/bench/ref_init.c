/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The floor for the memory and the start of a daemon or client: initialises
 * the libraries that the program in question links, and no more. The build
 * makes it with all of them; the driver makes it anew with what the program
 * needs, as WITH_EVENT and so on say.
 *
 *	ref_init DIR	makes or opens an LMDB environment in DIR, says "ready"
 *			and waits to be ended
 *	ref_init	ends at once, without having initialised anything
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef WITH_EVENT
#  include <event2/event.h>
#endif
#ifdef WITH_YAML
#  include <yaml.h>
#endif
#ifdef WITH_CJSON
#  include <cJSON.h>
#endif
#ifdef WITH_LMDB
#  include <lmdb.h>
#endif
#ifdef WITH_SODIUM
#  include <sodium.h>
#endif
#ifdef WITH_CURL
#  include <curl/curl.h>
#endif
#ifdef WITH_PCRE2
#  define PCRE2_CODE_UNIT_WIDTH 8
#  include <pcre2.h>
#endif

#define MAP_BYTES ((size_t)64 << 30)

static void
check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "ref_init: %s failed\n", what);
	exit(1);
}

static void
init_all(const char *dir)
{
#ifdef WITH_EVENT
	check(event_base_new() != NULL, "libevent");
#endif
#ifdef WITH_YAML
	yaml_parser_t parser;

	check(yaml_parser_initialize(&parser), "libyaml");
#endif
#ifdef WITH_CJSON
	check(cJSON_Parse("{}") != NULL, "cJSON");
#endif
#ifdef WITH_LMDB
	MDB_env *env;

	check(mdb_env_create(&env) == 0 &&
		mdb_env_set_mapsize(env, MAP_BYTES) == 0 &&
		mdb_env_set_maxdbs(env, 16) == 0 &&
		mdb_env_open(env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0600) == 0,
	    "LMDB");
#endif
#ifdef WITH_SODIUM
	check(sodium_init() >= 0, "libsodium");
#endif
#ifdef WITH_CURL
	check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
		curl_multi_init() != NULL,
	    "libcurl");
#endif
#ifdef WITH_PCRE2
	PCRE2_SIZE at;
	int code;

	check(pcre2_compile((PCRE2_SPTR) "^a+$", PCRE2_ZERO_TERMINATED, 0,
		  &code, &at, NULL) != NULL,
	    "PCRE2");
#endif
	(void)dir;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 0;
	init_all(argv[1]);
	check(puts("ready") >= 0 && fflush(stdout) == 0, "writing");
	for (;;)
		(void)pause();
}
