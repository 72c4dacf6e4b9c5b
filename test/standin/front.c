/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The front of every stand-in command.  One source, many programs: the last
 * component of argv[0] says which command this is.
 *
 * It exists so that the time of a start is the time at which the kernel gave
 * the program its first instruction, without the start-up of an interpreter in
 * between.  So its first act is to read the monotonic clock, and its second to
 * append one line to $STANDIN_ROOT/calls.log, in one write(2):
 *
 *     start <monotonic-ns> <pid> <ppid> <argv as a JSON array>
 *
 * Descriptors above 2 that it inherited are reported in
 * $STANDIN_ROOT/leaks.log, since commands must get none.  Then it becomes the
 * body (body.py), keeping pid, parent, environment and working directory.  The
 * body writes the line of the end.
 *
 * Plain C of POSIX, no library of the project: it must not share a fault with
 * what it is there to test.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EX_SOFTWARE 70
#define NS_PER_S 1000000000LL

/* Where the build put things; see meson.build. */
#ifndef STANDIN_PYTHON
#  define STANDIN_PYTHON "/usr/bin/python3"
#endif
#ifndef STANDIN_BODY_COMPILED
#  define STANDIN_BODY_COMPILED ""
#endif
#ifndef STANDIN_BODY_SOURCE
#  define STANDIN_BODY_SOURCE ""
#endif
#ifndef STANDIN_JAILD
#  define STANDIN_JAILD ""
#endif

/* A line that would be longer ends with the argument "..." instead. */
#define LINE_MAX_BYTES (256U * 1024U)
#define LINE_RESERVE 16U
#define ARGS_MAX 4096
#define FD_SCAN_MAX 256

struct line {
	size_t len;
	bool full;
	char text[LINE_MAX_BYTES];
};

static struct line call_line;
static char *body_argv[ARGS_MAX + 8];

static _Noreturn void die(const char *fmt, ...)
    __attribute__((__format__(__printf__, 1, 2)));

static _Noreturn void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "standin: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(EX_SOFTWARE);
}

static void
line_add(struct line *l, const char *text, size_t len)
{
	if (l->full || len > LINE_MAX_BYTES - LINE_RESERVE - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

static void
line_add_json(struct line *l, const char *text)
{
	const size_t before = l->len;
	char esc[8];

	line_add(l, "\"", 1);
	for (const char *p = text; *p != '\0'; p++) {
		const unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\') {
			esc[0] = '\\';
			esc[1] = *p;
			line_add(l, esc, 2);
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(esc, sizeof(esc), "\\u%04x", (unsigned int)c);
			line_add(l, esc, 6);
		} else {
			line_add(l, p, 1);
		}
	}
	line_add(l, "\"", 1);
	if (l->full)
		l->len = before;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (slash == NULL ? path : slash + 1);
}

static void
append(const char *root, const char *name, const char *text, size_t len)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	n = snprintf(path, sizeof(path), "%s/%s", root, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		die("STANDIN_ROOT is too long");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1)
		die("%s: %s", path, strerror(errno));
	n = write(fd, text, len);
	if (n < 0 || (size_t)n != len)
		die("%s: short write", path);
	close(fd);
}

static void
log_start(const char *root, const struct timespec *ts, char **argv)
{
	struct line *l = &call_line;
	char head[96];
	int n;

	n = snprintf(head, sizeof(head), "start %lld %ld %ld [",
	    (long long)ts->tv_sec * NS_PER_S + (long long)ts->tv_nsec,
	    (long)getpid(), (long)getppid());
	line_add(l, head, (size_t)n);
	line_add_json(l, base_name(argv[0]));
	for (char **arg = argv + 1; *arg != NULL && !l->full; arg++) {
		const size_t before = l->len;

		line_add(l, ", ", 2);
		line_add_json(l, *arg);
		if (l->full)
			l->len = before;
	}
	if (l->full) {
		l->full = false;
		memcpy(l->text + l->len, ", \"...\"", 7);
		l->len += 7;
	}
	memcpy(l->text + l->len, "]\n", 2);
	l->len += 2;
	append(root, "calls.log", l->text, l->len);
}

static void
log_leaks(const char *root, const char *name)
{
	char text[2048];
	struct stat sb;
	size_t len = 0;

	for (int fd = 3; fd < FD_SCAN_MAX; fd++) {
		int n;

		if (fstat(fd, &sb) == -1)
			continue;
		n = snprintf(text + len, sizeof(text) - len, "%ld %s fd %d\n",
		    (long)getpid(), name, fd);
		if (n < 0 || (size_t)n >= sizeof(text) - len)
			break;
		len += (size_t)n;
	}
	if (len > 0)
		append(root, "leaks.log", text, len);
}

static const char *
env_or(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return (value == NULL || value[0] == '\0' ? fallback : value);
}

static void
become_body(int argc, char **argv)
{
	static char isolated[] = "-I", nosite[] = "-S", nocache[] = "-B";
	const char *python = env_or("STANDIN_PYTHON", STANDIN_PYTHON);
	const char *body = env_or("STANDIN_BODY", STANDIN_BODY_COMPILED);
	char name[NAME_MAX];
	char body_path[PATH_MAX], python_path[PATH_MAX];
	int n = 0;

	if (argc > ARGS_MAX)
		die("too many arguments");
	if (access(body, R_OK) == -1)
		body = STANDIN_BODY_SOURCE;
	snprintf(name, sizeof(name), "%s", base_name(argv[0]));
	snprintf(body_path, sizeof(body_path), "%s", body);
	snprintf(python_path, sizeof(python_path), "%s", python);
	if (setenv("STANDIN_JAILD", env_or("STANDIN_JAILD", STANDIN_JAILD),
		1) == -1)
		die("setenv: %s", strerror(errno));

	body_argv[n++] = python_path;
	body_argv[n++] = isolated;
	body_argv[n++] = nosite;
	body_argv[n++] = nocache;
	body_argv[n++] = body_path;
	body_argv[n++] = name;
	for (int i = 1; i < argc; i++)
		body_argv[n++] = argv[i];
	body_argv[n] = NULL;
	execv(python_path, body_argv);
	die("%s: %s", python_path, strerror(errno));
}

int
main(int argc, char **argv)
{
	struct timespec ts;
	const char *root;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	root = getenv("STANDIN_ROOT");
	if (root == NULL || root[0] != '/')
		die("STANDIN_ROOT must be set to the absolute path of the "
		    "directory that holds the state of the stand-ins");
	if (argc < 1 || argv[0] == NULL)
		die("no argv[0]");
	log_start(root, &ts, argv);
	log_leaks(root, base_name(argv[0]));
	become_body(argc, argv);
	return (EX_SOFTWARE);
}
