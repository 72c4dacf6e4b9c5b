/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Commands of Director and AppJail, and what Director's answer means
 * (runtime.md 1.2, 1.6, 1.9). What Director already knows (state, services) is
 * read from its files.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/special.h"
#include "daemon/steps.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

/* Of what Director printed, what a record keeps. */
#define GARBAGE_SHOWN ((size_t)200)
#define RESULT_SHOWN ((size_t)4 << 20)
/* Where that stands in a record, and values of the record besides it, with some
 * to spare. */
#define RECORD_DEPTH 3
#define RECORD_VALUES 64
/* A jail that has it is a VM. */
#define VM_LABEL SPECIAL_PREFIX "vm"

/* Commands */

int
steps_argv(struct task *t, enum program program, const char *const *words,
    struct run_spec *spec, struct error *e)
{
	const char **argv, *path;
	size_t n = 0;

	if (programs_get(t->r->config.programs, program, &path, e) < 0)
		return -1;
	while (words[n] != NULL)
		n++;
	argv = arena_calloc(&t->scratch, n + 2, sizeof(*argv));
	if (argv == NULL)
		return arena_check(&t->scratch, e);
	argv[0] = arena_strdup(&t->scratch, path);
	memcpy(argv + 1, words, n * sizeof(*argv));
	spec->argv = argv;
	return arena_check(&t->scratch, e);
}

int
steps_director(struct task *t, const char *const *words, struct run_spec *spec,
    struct error *e)
{
	if (steps_argv(t, PROGRAM_DIRECTOR, words, spec, e) < 0)
		return -1;
	spec->envp = task_environment(t, e);
	return spec->envp == NULL ? -1 : 0;
}

int
steps_down(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *const words[] = { "down", "-j", "-p", t->job.name, NULL };

	return steps_director(t, words, spec, e);
}

/* The Director file: directly in the temporary directory, since Director
 * resolves relative paths against the file's directory (runtime.md 1.4), and
 * named after its job. */

static const char *
temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

static const char *
director_file_path(struct task *t)
{
	return arena_printf(&t->scratch, "%s/overlord-%.8s-%" PRIu64,
	    temp_dir(), t->r->config.serverid, t->job.id.v);
}

int
steps_up(struct task *t, const char *file, size_t len, bool overwrite,
    struct run_spec *spec, struct error *e)
{
	const char *path = director_file_path(t);
	const char *const words[] = { "up", "-j", "-f", path, "-p", t->job.name,
		overwrite ? "--overwrite" : NULL, NULL };

	if (path == NULL)
		return arena_check(&t->scratch, e);
	if (file_replace(AT_FDCWD, path, file, len, 0600, 0, e) < 0)
		return error_wrap(e, "hand over the Director file");
	return steps_director(t, words, spec, e);
}

void
steps_up_tidy(struct task *t)
{
	const char *path = director_file_path(t);

	if (path != NULL)
		(void)file_remove(AT_FDCWD, path, NULL);
}

/* Whether a Director file of ours, whole or half written, is of no more use. */
static bool
is_stale_file(struct runner *r, const char *name)
{
	char prefix[64];
	size_t len;
	uint64_t id;

	(void)snprintf(
	    prefix, sizeof(prefix), "overlord-%.8s-", r->config.serverid);
	len = strlen(prefix);
	if (name[0] == '.' && strncmp(name + 1, prefix, len) == 0)
		return true;
	if (strncmp(name, prefix, len) != 0 ||
	    num_u64(name + len, 1, UINT64_MAX, &id, NULL) < 0)
		return false;
	return task_find(r, (struct job_id){ id }) == NULL;
}

void
steps_sweep_files(struct runner *r)
{
	DIR *d = opendir(temp_dir());
	struct dirent *de;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL)
		if (is_stale_file(r, de->d_name))
			(void)file_remove(dirfd(d), de->d_name, NULL);
	(void)closedir(d);
}

/* VMs */

/* The jail of a project that is one VM; NULL when it is none (runtime.md 1.9).
 */
static const char *
vm_jail(const struct task *t)
{
	const struct node *services = node_get(t->look.info, "services");
	const struct node *service;

	if (services == NULL || services->u.list.n != 1)
		return NULL;
	service = services->u.list.items[0];
	return node_get(node_get(service, "labels"), VM_LABEL) != NULL
	    ? node_text(node_get(service, "jail"))
	    : NULL;
}

bool
steps_is_vm(struct task *t)
{
	return vm_jail(t) != NULL;
}

int
steps_poweroff(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *jail = vm_jail(t);
	const char *const words[] = { "cmd", "jexec", jail, "vm", "poweroff",
		"-f", jail, NULL };

	if (jail == NULL)
		return error_set(e, OVE_NOTFOUND, "the VM is gone");
	spec->envp = t->r->config.environment;
	return steps_argv(t, PROGRAM_APPJAIL, words, spec, e);
}

/* The tail of a child's text; JSON's writer mends what is not UTF-8. */
struct node *
steps_text(struct task *t, const char *text, size_t max)
{
	size_t len = text != NULL ? strlen(text) : 0;
	size_t from = len > max ? len - max : 0;

	return node_strn(
	    &t->arena, text != NULL ? text + from : "", len - from);
}

/* What stands for Director's JSON when it printed none (Q7), or one that cannot
 * be kept. */
static struct node *
no_json(struct task *t, int rc, bool too_large)
{
	struct arena *a = &t->arena;
	struct node *n = node_new(a, NODE_MAP);
	const char *text = t->out != NULL ? t->out : "";
	struct node *said = steps_text(t, text, GARBAGE_SHOWN);
	const char *message;

	if (too_large)
		message = "appjail-director printed a result that is too large "
			  "to keep";
	else if (t->output_lost)
		message = "what appjail-director printed was lost when the "
			  "machine was restarted";
	else if (text[0] == '\0')
		message = "appjail-director printed no result";
	else
		message =
		    arena_printf(a, "appjail-director printed no JSON but: %s",
			node_text(said) != NULL ? node_text(said) : "");
	node_set(a, n, "errlevel", node_int(a, rc));
	node_set(a, n, "message", node_str(a, message));
	node_set(a, n, "failed", node_new(a, NODE_LIST));
	return n;
}

/* Whether a record with n in it, that deep, can be read again; *left: values
 * that it may still have. */
static bool
can_be_kept(const struct node *n, unsigned depth, size_t *left)
{
	if (depth > JSON_DEPTH_MAX || *left == 0)
		return false;
	--*left;
	if (n->type == NODE_LIST)
		for (size_t i = 0; i < n->u.list.n; i++)
			if (!can_be_kept(n->u.list.items[i], depth + 1, left))
				return false;
	if (n->type == NODE_MAP)
		for (size_t i = 0; i < n->u.map.n; i++)
			if (!can_be_kept(
				n->u.map.pairs[i].value, depth + 1, left))
				return false;
	return true;
}

/* What Director printed, when it is JSON that says how it went; else NULL. */
static struct node *
director_json(struct task *t, bool *ret_too_large)
{
	size_t left = JSON_VALUES_MAX - RECORD_VALUES;
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	*ret_too_large = t->out_len > RESULT_SHOWN;
	if (t->out == NULL || *ret_too_large)
		return NULL;
	if (json_read(t->out, t->out_len, &t->arena, &n, &e) < 0) {
		if (e.code == OVE_NOMEM)
			t->arena.latch = OVE_NOMEM;
		return NULL;
	}
	if (n->type != NODE_MAP || node_get(n, "errlevel") == NULL)
		return NULL;
	*ret_too_large = !can_be_kept(n, RECORD_DEPTH, &left);
	return *ret_too_large ? NULL : n;
}

int
steps_rc(const struct run_result *res)
{
	return res->how == RUN_SIGNALLED ? 128 + res->signo : res->code;
}

static bool
says_failure(const struct node *said)
{
	return node_int_at(said, "errlevel", 1) != 0;
}

bool
steps_has_failed(const struct node *said)
{
	const struct node *failed = node_get(said, "failed");

	return failed != NULL && failed->type == NODE_LIST &&
	    failed->u.list.n > 0;
}

/* output of a record; *ret_bad: Director did not do what it was asked. */
struct node *
steps_director_output(struct task *t, struct node **ret_said, bool *ret_bad)
{
	struct arena *a = &t->arena;
	struct node *n = node_new(a, NODE_MAP);
	bool too_large;
	struct node *said = director_json(t, &too_large);
	int rc = steps_rc(&t->result);

	*ret_bad =
	    rc != 0 || (said == NULL ? !t->output_lost : says_failure(said));
	if (said == NULL)
		said = no_json(t, rc, too_large);
	*ret_said = said;
	node_set(a, n, "rc", node_int(a, rc));
	node_set(a, n, "stdout", said);
	node_set(a, n, "stderr", steps_text(t, t->err, STEPS_TEXT_SHOWN));
	return n;
}

/* Why the daemon ended it; NULL: it did not. */
static const char *
ended_by_us(struct task *t)
{
	if (t->result.timed_out)
		return arena_printf(&t->arena,
		    "stopped at execution_time (%" PRId64 " s)",
		    t->r->config.execution_ms / 1000);
	return t->cancel_asked ? "cancelled" : NULL;
}

const char *
steps_message(
    struct task *t, const char *program, const char *said, const char *fault)
{
	const char *why = ended_by_us(t);

	if (why != NULL)
		return why;
	if (said != NULL)
		return said;
	if (steps_rc(&t->result) != 0)
		return arena_printf(&t->arena, "%s ended with %d", program,
		    steps_rc(&t->result));
	return fault;
}
