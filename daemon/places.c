/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Reads as much of Director's INI files as names the three directories. Later
 * files win: PREFIX/etc/director.ini, ~/.config/director/director.ini,
 * $DIRECTOR_CONFIG. A file that is not there or cannot be read counts for
 * nothing here: Director itself will say so.
 */
#include "daemon/places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "proto/config.h"

#define INI_MAX ((size_t)1 << 20)

struct ini {
	struct arena *arena;
	struct places *places;
	/* Of the line being read: within "[NAME]". */
	char *section;
};

static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
		s[--len] = '\0';
	return s;
}

static const char *
home(void)
{
	const char *h = getenv("HOME");

	return h != NULL && h[0] == '/' ? h : "/root";
}

/* "~/x" below HOME. */
static const char *
expand(struct arena *a, const char *path)
{
	return path[0] == '~' && path[1] == '/'
	    ? arena_printf(a, "%s%s", home(), path + 1)
	    : arena_strdup(a, path);
}

static void
take(struct ini *in, const char *value)
{
	struct {
		const char *section;
		const char **place;
	} rows[] = {
		{ "projects", &in->places->projects },
		{ "locks", &in->places->locks },
		{ "logs", &in->places->logs },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].section, in->section) == 0)
			*rows[i].place = expand(in->arena, value);
}

static void
read_line(struct ini *in, char *line)
{
	char *eq, *end;

	line = trim(line);
	if (line[0] == '[' && (end = strchr(line, ']')) != NULL) {
		*end = '\0';
		in->section = trim(line + 1);
		return;
	}
	if (line[0] == '#' || line[0] == ';' || in->section == NULL ||
	    (eq = line + strcspn(line, "=:"))[0] == '\0')
		return;
	*eq = '\0';
	if (strcmp(trim(line), "directory") == 0 && trim(eq + 1)[0] != '\0')
		take(in, trim(eq + 1));
}

static void
read_ini(const char *path, struct arena *a, struct places *ret)
{
	struct ini in = { .arena = a, .places = ret };
	AUTO_FREE char *text = NULL;
	char *rest, *line;
	size_t len;

	if (path == NULL ||
	    file_read(AT_FDCWD, path, INI_MAX, &text, &len, NULL) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		read_line(&in, line);
}

int
places_find(const struct config *c, struct arena *a, struct places *ret,
    struct error *e)
{
	*ret = (struct places){
		.projects = expand(a, "~/.director/projects"),
		.locks = geteuid() == 0 ? "/tmp/director/locks"
					: expand(a, "~/.director/locks"),
		.logs = expand(a, "~/.director/logs"),
	};
	read_ini(OVERLORD_PREFIX "/etc/director.ini", a, ret);
	read_ini(expand(a, "~/.config/director/director.ini"), a, ret);
	read_ini(getenv("DIRECTOR_CONFIG"), a, ret);
	if (c->director.projects != NULL)
		ret->projects = expand(a, c->director.projects);
	if (c->director.locks != NULL)
		ret->locks = expand(a, c->director.locks);
	if (c->director.logs != NULL)
		ret->logs = expand(a, c->director.logs);
	return arena_check(a, e);
}
