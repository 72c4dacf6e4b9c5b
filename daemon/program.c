/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See program.h. A name is looked up as execvp(3) would, but only in absolute
 * directories of PATH: the daemon's working directory means nothing.
 */
#include "daemon/program.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

/* What the scripts read before they do anything. */
#define SCRIPTS_SHARE "vm-install.subr"
/* A look costs a stat(2) for each component of the path. */
#define HAVE_MS 1000

enum kind {
	NAMED,
	SCRIPT,
};

static const struct row {
	enum kind kind;
	/* NULL: the configuration's. */
	const char *name;
} rows[PROGRAM_COUNT] = {
	[PROGRAM_DIRECTOR] = { NAMED, NULL },
	[PROGRAM_APPJAIL] = { NAMED, NULL },
	[PROGRAM_RCTL] = { NAMED, "rctl" },
	[PROGRAM_MAKEFS] = { NAMED, "makefs" },
	[PROGRAM_HELPER] = { NAMED, NULL },
	[PROGRAM_VM_START] = { SCRIPT, "vm-start.sh" },
	[PROGRAM_VM_COMPONENTS] = { SCRIPT, "vm-install-from-components.sh" },
	[PROGRAM_VM_IMAGE] = { SCRIPT, "vm-install-from-appjail-image.sh" },
	[PROGRAM_VM_PKGBASE] = { SCRIPT, "vm-install-from-pkgbase.sh" },
};

struct found {
	/* NULL: it was not, as `why` says. */
	char *path;
	struct error why;
	/* Until then programs_have() does not look again. */
	int64_t had_until_ms;
};

struct programs {
	bool strict;
	/* NULL: the directory of scripts is unknown. */
	char *share;
	struct found found[PROGRAM_COUNT];
};

int
programs_new(struct programs **ret, struct error *e)
{
	struct programs *p = mem_calloc(1, sizeof(*p));

	if (p == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < PROGRAM_COUNT; i++)
		(void)error_set(
		    &p->found[i].why, OVE_UNAVAILABLE, "it was not looked for");
	*ret = p;
	return 0;
}

static void
forget(struct programs *p)
{
	for (size_t i = 0; i < PROGRAM_COUNT; i++) {
		mem_free(STEAL(p->found[i].path));
		error_clear(&p->found[i].why);
		p->found[i].had_until_ms = 0;
	}
	mem_free(STEAL(p->share));
}

struct programs *
programs_free(struct programs *p)
{
	if (p == NULL)
		return NULL;
	forget(p);
	mem_free(p);
	return NULL;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

static int
take(const char *path, char **ret, struct error *e)
{
	*ret = mem_strdup(path);
	return *ret == NULL ? error_nomem(e) : 0;
}

static int
find_in_path(const char *name, char **ret, struct error *e)
{
	const char *p = getenv("PATH");
	char path[PATH_MAX];

	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, ":");
		int n =
		    snprintf(path, sizeof(path), "%.*s/%s", (int)len, p, name);

		if (*p == '/' && n > 0 && (size_t)n < sizeof(path) &&
		    is_program(path))
			return take(path, ret, e);
		p += len + (p[len] == ':');
	}
	return error_set(e, OVE_UNAVAILABLE, "'%s' is not found in PATH", name);
}

static int
join(const char *dir, const char *name, char **ret, struct error *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return error_set(e, OVE_UNAVAILABLE, "'%s' is too long", dir);
	return take(path, ret, e);
}

static const char *
name_of(const struct programs_config *c, enum program id)
{
	switch (id) {
	case PROGRAM_DIRECTOR:
		return c->director;
	case PROGRAM_APPJAIL:
		return c->appjail;
	case PROGRAM_HELPER:
		return c->helper;
	case PROGRAM_RCTL:
	case PROGRAM_MAKEFS:
	case PROGRAM_VM_START:
	case PROGRAM_VM_COMPONENTS:
	case PROGRAM_VM_IMAGE:
	case PROGRAM_VM_PKGBASE:
	case PROGRAM_COUNT:
		break;
	}
	return rows[id].name;
}

static int
find(const struct programs_config *c, enum program id, char **ret,
    struct error *e)
{
	const char *name = name_of(c, id);

	if (rows[id].kind == SCRIPT)
		return join(c->libexec, name, ret, e);
	return name[0] == '/' ? take(name, ret, e) : find_in_path(name, ret, e);
}

void
programs_find(struct programs *p, const struct programs_config *c)
{
	forget(p);
	p->strict = c->strict;
	(void)join(c->libexec, SCRIPTS_SHARE, &p->share, NULL);
	for (size_t i = 0; i < PROGRAM_COUNT; i++)
		(void)find(
		    c, (enum program)i, &p->found[i].path, &p->found[i].why);
}

static int
look(const struct programs *p, enum program id, struct error *e)
{
	const char *path = p->found[id].path;
	struct error why = ERROR_INIT;

	if (!is_program(path))
		return error_set(
		    e, OVE_UNAVAILABLE, "'%s' cannot be executed", path);
	if (!p->strict)
		return 0;
	if (file_is_trusted(path, e) < 0)
		return -1;
	if (rows[id].kind != SCRIPT || p->share == NULL ||
	    file_is_trusted(p->share, &why) == 0 || why.code == OVE_NOTFOUND)
		return 0;
	return error_set(e, why.code, "%s", why.text);
}

int
programs_get(const struct programs *p, enum program id, const char **ret,
    struct error *e)
{
	struct error why = ERROR_INIT;

	if (p == NULL)
		return error_set(e, OVE_UNAVAILABLE, "no programs are known");
	if (p->found[id].path == NULL)
		return error_set(
		    e, OVE_UNAVAILABLE, "%s", p->found[id].why.text);
	if (look(p, id, &why) < 0)
		return why.code == OVE_UNAVAILABLE
		    ? error_set(e, OVE_UNAVAILABLE, "%s", why.text)
		    : error_set(e, OVE_UNAVAILABLE, "'%s' is not run: %s",
			  p->found[id].path, why.text);
	*ret = p->found[id].path;
	return 0;
}

int
programs_have(struct programs *p, enum program id, struct error *e)
{
	int64_t now = clock_mono_ms();
	const char *path;

	if (p != NULL && now < p->found[id].had_until_ms)
		return 0;
	if (programs_get(p, id, &path, e) < 0)
		return -1;
	p->found[id].had_until_ms = now + HAVE_MS;
	return 0;
}
