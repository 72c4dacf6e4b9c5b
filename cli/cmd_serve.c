/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord serve: becomes overlordd in the foreground, with the configuration
 * that this program would use. Ending well without a server would leave a
 * machine without one and nobody told, so a missing daemon is a failure.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "config.h"
#include "lib/base/file.h"

/* Beside this program, then in PATH. Returns errno of the last failure. */
static int
become(struct session *s, char *const argv[])
{
	static const char *const places[] = { "overlordd", "../sbin/overlordd",
		"../daemon/overlordd" };
	char *dir AUTO_FREE = NULL;
	const char *path;
	int sys;

	if (file_self_dir(&dir, NULL) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(places); i++) {
			path = arena_printf(&s->arena, "%s/%s", dir, places[i]);
			if (path != NULL)
				(void)execv(path, argv);
		}
	}
	(void)execvp("overlordd", argv);
	sys = errno;
	if (sys == ENOENT)
		(void)execv(OVERLORD_PREFIX "/sbin/overlordd", argv);
	return sys;
}

static enum exitcode
run(struct session *s)
{
	const char *config = session_config_path(s);
	char *name, *foreground, *flag, *path = NULL;
	int sys;

	name = arena_strdup(&s->arena, "overlordd");
	foreground = arena_strdup(&s->arena, "-F");
	flag = config != NULL ? arena_strdup(&s->arena, "-f") : NULL;
	if (config != NULL)
		path = arena_strdup(&s->arena, config);
	{
		char *const argv[] = { name, foreground, flag, path, NULL };

		sys = become(s, argv);
	}
	out_fail(&s->out, "install overlordd, or put it into PATH",
	    "overlordd cannot be run: %s", strerror(sys));
	return EXIT_CODE_UNAVAILABLE;
}

const struct cmd cmd_serve = {
	.name = "serve",
	.group = CMD_HIDDEN,
	.summary = "Become overlordd in the foreground",
	.run = run,
};
