/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Support of every unit test: see test.h. The private directories lie under
 * $TMPDIR or /tmp and go with their test, also when it fails.
 */
#include "test/unit/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

int
test_dir_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct test_dir *d = mem_calloc(1, sizeof(*d));

	if (d == NULL)
		return -1;
	(void)snprintf(d->path, sizeof(d->path), "%s/overlord-test.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(d->path) == NULL ||
	    file_open_dir(d->path, &d->fd, NULL) < 0) {
		mem_free(d);
		return -1;
	}
	*state = d;
	return 0;
}

int
test_dir_teardown(void **state)
{
	struct error e = ERROR_INIT;
	struct test_dir *d = *state;
	int rc = 0, top;

	top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || file_remove_tree(top, d->path + 1, &e) < 0) {
		print_error("remove %s: %s\n", d->path, error_text(&e));
		rc = -1;
	}
	cc_auto_close(&top);
	cc_auto_close(&d->fd);
	mem_free(d);
	return rc;
}

const char *
test_dir_text(const struct test_dir *d, const char *name)
{
	static char text[4096];
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return "(none)";
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

void
test_dir_put(const struct test_dir *d, const char *name, const char *text)
{
	int fd =
	    openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	assert_int_equal(close(fd), 0);
}

size_t
test_dir_count(const struct test_dir *d)
{
	DIR *dir = opendir(d->path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

void
test_ok_at(int rc, const struct error *e, const char *file, int line)
{
	if (rc == 0)
		return;
	print_error("%s:%d: returned %d: %s\n", file, line, rc, error_text(e));
	_fail(file, line);
}

void
test_fails_at(
    int rc, const struct error *e, enum ove code, const char *file, int line)
{
	if (rc == -1 && e->code == code && e->text[0] != '\0')
		return;
	print_error("%s:%d: returned %d: %s: %s\n", file, line, rc,
	    ove_to_string(e->code), error_text(e));
	_fail(file, line);
}
