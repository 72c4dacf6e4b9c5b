/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A command's surroundings. Nothing is initialised before it is asked for:
 * "overlord --version" touches neither files nor libraries. What is loaded
 * lives in the session's arena until the program ends.
 */
#include "cli/session.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "lib/data/dotenv.h"
#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "proto/status.h"

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
/* Of a body that is shown. */
#define TRACE_MAX ((size_t)8192)
#define FILE_MAX ((size_t)16 * 1024 * 1024)

void
session_init(struct session *s)
{
	memset(s, 0, sizeof(*s));
	out_init(&s->out, OUT_WARN);
	arena_init(&s->arena, ARENA_MAX);
}

void
session_fini(struct session *s)
{
	s->client = client_free(s->client);
	s->loop = loop_free(s->loop);
	out_fini(&s->out);
	arena_fini(&s->arena);
}

enum exitcode
session_fail(struct session *s, const struct error *e)
{
	out_fail(&s->out, NULL, "%s", error_text(e));
	return status_exit(e->code);
}

enum exitcode
session_usage(struct session *s, const char *hint, const char *fmt, ...)
{
	char text[512], help[64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(
	    help, sizeof(help), "see 'overlord %s --help'", s->cmd->name);
	out_fail(&s->out, hint != NULL ? hint : help, "%s", text);
	return EXIT_CODE_USAGE;
}

enum exitcode
session_usage_verb(struct session *s, const char *word)
{
	const char *const *verbs = s->cmd->verbs;
	AUTO_STRBUF struct strbuf b;
	size_t n = 0;

	strbuf_init(&b, 1024);
	for (; verbs[n] != NULL; n++)
		strbuf_addf(&b, "%s%s", n == 0 ? "" : ", ", verbs[n]);
	return session_usage(s, diag_suggest(&s->arena, word, verbs, n),
	    "'%s' is not one of: %s", word, b.buf);
}

const char *
session_getenv(const char *name, void *ctx)
{
	(void)ctx;
	return getenv(name);
}

/* Files */

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static enum exitcode
no_input(struct session *s, const char *file, int sys)
{
	out_fail(&s->out, NULL, "%s: %s", file, strerror(sys));
	return EXIT_CODE_NOINPUT;
}

enum exitcode
session_read_file(struct session *s, const char *file, const char **ret_name,
    const char **ret_text, size_t *ret_len)
{
	struct error e = ERROR_INIT;
	char *text AUTO_FREE = NULL;
	int fd AUTO_FD = -1;
	int rc;

	*ret_name = file;
	if (strcmp(file, "-") == 0) {
		*ret_name = "<stdin>";
		rc = file_read_fd(STDIN_FILENO, FILE_MAX, &text, ret_len, &e);
	} else {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return no_input(s, file, errno);
		rc = file_read_fd(fd, FILE_MAX, &text, ret_len, &e);
	}
	if (rc < 0 && e.sys != 0)
		return no_input(s, *ret_name, e.sys);
	if (rc < 0) {
		out_fail(&s->out, NULL, "%s: %s", *ret_name, error_text(&e));
		return EXIT_CODE_DATAERR;
	}
	*ret_text = arena_strndup(&s->arena, text, *ret_len);
	if (*ret_text == NULL) {
		(void)error_nomem(&e);
		return session_fail(s, &e);
	}
	return EXIT_CODE_OK;
}

static void
set_file_vars(struct session *s, const char *file)
{
	char path[PATH_MAX], *slash;

	if (strcmp(file, "-") == 0) {
		(void)setenv("OVERLORD_FILE", "/dev/stdin", 1);
		if (getcwd(path, sizeof(path)) != NULL)
			(void)setenv("OVERLORD_WRKDIR", path, 1);
		return;
	}
	if (realpath(file, path) == NULL)
		return;
	(void)setenv("OVERLORD_FILE", path, 1);
	slash = strrchr(path, '/');
	if (slash == path)
		slash++;
	if (slash != NULL)
		*slash = '\0';
	(void)setenv("OVERLORD_WRKDIR", path, 1);
	(void)s;
}

static int
read_included(const char *path, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e)
{
	AUTO_FREE char *text = NULL;

	(void)ctx;
	if (file_read(AT_FDCWD, path, FILE_MAX, &text, ret_len, e) < 0) {
		if (e->sys != 0)
			return error_set(
			    e, OVE_NOTFOUND, "%s", strerror(e->sys));
		return -1;
	}
	*ret = arena_strndup(a, text, *ret_len);
	return arena_check(a, e);
}

enum exitcode
session_check_spec(struct session *s, const char *file, struct diag *d)
{
	const struct spec_source src = { .env = session_getenv,
		.read = read_included };
	struct error e = ERROR_INIT;
	enum exitcode rc;
	size_t len;

	s->spec = NULL;
	rc = session_read_file(s, file, &s->spec_name, &s->spec_text, &len);
	if (rc != EXIT_CODE_OK)
		return rc;
	set_file_vars(s, file);
	diag_init(d, &s->arena, s->spec_name);
	if (spec_load(s->spec_text, len, &src, &s->arena, d, &s->spec, &e) == 0)
		return EXIT_CODE_OK;
	if (d->errors > 0)
		return EXIT_CODE_DATAERR;
	out_fail(&s->out, NULL, "%s: %s", s->spec_name, error_text(&e));
	return e.code == OVE_NOMEM ? EXIT_CODE_OSERR : EXIT_CODE_DATAERR;
}

enum exitcode
session_load_spec(struct session *s, const char *file)
{
	struct diag d;
	enum exitcode rc;

	memset(&d, 0, sizeof(d));
	rc = session_check_spec(s, file, &d);
	if (d.arena != NULL && (d.errors > 0 || d.warnings > 0))
		out_diag(&s->out, &d, s->spec_text);
	return rc;
}

/* Environment */

static void
set_env_vars(struct session *s, const char *name, const char *text, size_t len)
{
	struct error e = ERROR_INIT;
	struct dotenv_var *vars = NULL;
	struct diag d;
	size_t n = 0;

	diag_init(&d, &s->arena, name);
	if (dotenv_read(text, len, session_getenv, NULL, &s->arena, &vars, &n,
		&d, &e) < 0) {
		out_warn(&s->out, "%s: %s", name, error_text(&e));
		return;
	}
	for (size_t i = 0; i < d.n && s->out.level >= OUT_WARN; i++)
		out_fail(&s->out, NULL, "%s:%u: %s", name, d.items[i].line,
		    d.items[i].reason);
	for (size_t i = 0; i < n; i++)
		if (vars[i].value != NULL)
			(void)setenv(vars[i].name, vars[i].value, 0);
}

enum exitcode
session_load_env(struct session *s)
{
	const char *file = s->args.env_file, *name, *text;
	enum exitcode rc;
	size_t len;

	/* A default file that cannot be read is no file; many have a directory
	 * of that name. */
	if (file == NULL && (!is_file(".env") || access(".env", R_OK) != 0))
		return EXIT_CODE_OK;
	rc = session_read_file(
	    s, file != NULL ? file : ".env", &name, &text, &len);
	if (rc == EXIT_CODE_OK)
		set_env_vars(s, name, text, len);
	else if (file == NULL)
		return EXIT_CODE_OK;
	return rc;
}

/* Configuration */

const char *
session_config_path(struct session *s)
{
	const char *path = getenv("OVERLORD_CONFIG");

	(void)s;
	if (path != NULL)
		return is_file(path) ? path : NULL;
	if (is_file(".overlord.yml"))
		return ".overlord.yml";
	return is_file(OVERLORD_CONFIG_DEFAULT) ? OVERLORD_CONFIG_DEFAULT
						: NULL;
}

enum exitcode
session_load_config(struct session *s, struct config **ret)
{
	const char *path = session_config_path(s);
	struct error e = ERROR_INIT;
	const char *named = getenv("OVERLORD_CONFIG");
	struct diag d;
	int rc;

	if (path == NULL && named != NULL)
		out_warn_hint(&s->out,
		    "correct OVERLORD_CONFIG, or unset it to use the usual one",
		    "OVERLORD_CONFIG: '%s' is not a file, the defaults are "
		    "used",
		    named);
	diag_init(&d, &s->arena, path);
	rc = config_load(path, session_getenv, NULL, &s->arena, &d, ret, &e);
	if (d.errors > 0 || d.warnings > 0)
		out_diag(&s->out, &d, NULL);
	if (rc == 0)
		return EXIT_CODE_OK;
	if (d.errors == 0)
		out_fail(&s->out, NULL, "%s", error_text(&e));
	return EXIT_CODE_CONFIG;
}

/* Network */

bool
session_is_secret(const char *name)
{
	static const char *const words[] = { "token", "secret", "pass", "key",
		"auth" };

	for (size_t i = 0; name != NULL && i < ARRAY_LEN(words); i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

void
session_mask(struct arena *a, struct node *node)
{
	for (size_t i = 0; node->type == NODE_LIST && i < node->u.list.n; i++)
		session_mask(a, node->u.list.items[i]);
	for (size_t i = 0; node->type == NODE_MAP && i < node->u.map.n; i++) {
		struct node_pair *p = &node->u.map.pairs[i];
		struct node *stars;

		if (p->value->type != NODE_STR ||
		    !session_is_secret(node_text(p->key))) {
			session_mask(a, p->value);
			continue;
		}
		stars = node_str(a, "********");
		if (stars != NULL)
			p->value = stars;
	}
}

static void
trace_body(struct session *s, const char *what, const struct node *body)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct node *copy;
	size_t len;

	arena_init(&a, ARENA_MAX);
	strbuf_init(&b, ARENA_MAX);
	if (body == NULL || s->out.level < OUT_DEBUG)
		return;
	copy = node_copy(&a, body);
	if (copy == NULL)
		return;
	session_mask(&a, copy);
	json_write(&b, copy, JSON_COMPACT);
	len = utf8_whole_len(b.buf, b.len < TRACE_MAX ? b.len : TRACE_MAX);
	out_debug(&s->out, "  %s: %.*s%s", what, (int)len, b.buf,
	    len < b.len ? " ..." : "");
}

static void
trace(const char *method, const char *url, const struct node *sent,
    const struct client_reply *r, void *ctx)
{
	struct session *s = ctx;

	if (r->status == 0)
		out_info(&s->out, "%s %s: %s", method, url, r->text);
	else
		out_info(&s->out, "%s %s: %d in %lld ms", method, url,
		    r->status, (long long)r->took_ms);
	trace_body(s, "sent", sent);
	trace_body(s, "got", r->body);
}

enum exitcode
session_start(struct session *s)
{
	struct error e = ERROR_INIT;

	if (loop_new(&s->loop, &e) < 0 ||
	    client_new(&s->client, s->loop, (unsigned)s->args.parallel,
		"overlord/" OVERLORD_VERSION, &e) < 0)
		return session_fail(s, &e);
	if (s->out.level >= OUT_INFO)
		client_set_trace(s->client, trace, s);
	return EXIT_CODE_OK;
}
