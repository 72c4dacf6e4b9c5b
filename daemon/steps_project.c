/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kinds of project jobs do (runtime.md 1.4 to 1.7): create, destroy,
 * cancel. A kind is a table of steps; a step is one command of Director. What
 * Director already knows (state, lock, services) is read from its files.
 *
 * Director's lock (design.md 3.5): a locked project is somebody's, whatever its
 * state file says, which a killed Director leaves as it was, or empty. The lock
 * is ours when it was made between the beginning and the end of our last
 * command on it; since a lane has one job at a time and that command is gone,
 * the lock is stale and is removed. Any other lock fails the job.
 *
 * Integrations (SkyDNS, HAProxy) are not here yet: `labels` of a record has
 * `error` and `message` only.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/inventory.h"
#include "daemon/program.h"
#include "daemon/runner_internal.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

/* A lock counts as ours from this long before our command began: clocks of file
 * systems tick more slowly than ours. */
#define LOCK_SLACK_MS 20
/* Of Director's words that a record keeps. */
#define STDERR_SHOWN ((size_t)64 << 10)
#define GARBAGE_SHOWN ((size_t)200)
#define RESULT_SHOWN ((size_t)4 << 20)
/* Where that stands in a record, and values of the record besides it, with some
 * to spare. */
#define RECORD_DEPTH 3
#define RECORD_VALUES 64
/* A stored Director file as a tree. */
#define DESCRIBE_MAX ((size_t)256 << 20)

static bool
flag(const struct task *t, const char *name)
{
	const struct node *n = node_get(t->payload, name);

	return n != NULL && n->type == NODE_BOOL && n->u.b;
}

/* Locks */

static int
foreign_lock(struct task *t, const struct project_state *st, struct verdict *v)
{
	v->state = JOB_FAILED;
	v->operation = "FAILED";
	v->message = st->pid > 0
	    ? arena_printf(&t->arena,
		  "project '%s' is locked by another Director (pid %" PRId64
		  ")",
		  t->job.name, st->pid)
	    : arena_printf(&t->arena,
		  "project '%s' is locked by another Director", t->job.name);
	return TASK_VERDICT;
}

/* Made while our command was at work. One that was made after its end is that
 * of somebody who works on the project now. */
static bool
is_of_run(int64_t locked_at, const struct record_run *run)
{
	return run->began_at != 0 &&
	    locked_at + LOCK_SLACK_MS >= run->began_at &&
	    (run->ended_at == 0 || locked_at <= run->ended_at);
}

static int
take_lock_away(
    struct task *t, const struct project_state *st, struct verdict *v)
{
	struct runner *r = t->r;
	struct error e = ERROR_INIT;
	struct record_run ours;

	if (record_get_run(r->deps.store, t->job.name, &ours, &e) < 0)
		log_warn(
		    "runner", FIELDS(LF_I("job", t->job.id.v)), "%s", e.text);
	if (!is_of_run(st->locked_at, &ours))
		return foreign_lock(t, st, v);
	if (inventory_unlock(r->deps.inventory, t->job.name, &e) < 0) {
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "cannot remove the lock of a dead Director: %s", e.text);
		return foreign_lock(t, st, v);
	}
	log_notice("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("project", t->job.name)),
	    "removed the lock that our own dead Director left");
	t->lock_removed = true;
	return 0;
}

static int
check_lock(struct task *t, struct verdict *v)
{
	struct project_state st;

	inventory_project_state(t->r->deps.inventory, t->job.name, &st);
	if (!st.locked)
		return 0;
	return take_lock_away(t, &st, v);
}

/* Labels */

static struct node *
labels_node(struct task *t, bool failed, const char *message)
{
	struct arena *a = &t->arena;
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "error", node_bool(a, failed));
	node_set(a, n, "message",
	    message != NULL ? node_str(a, message) : node_null(a));
	return n;
}

/* What the driver of special labels says of the project (runtime.md 3.1). */
static struct node *
labels_of(struct task *t, bool force, const char **ret_message)
{
	struct inventory *inv = t->r->deps.inventory;
	AUTO_ARENA struct arena a;
	struct project_state st;
	struct node *described;
	const char *message = NULL;

	arena_init(&a, DESCRIBE_MAX);
	inventory_project_state(inv, t->job.name, &st);
	if (st.exists &&
	    inventory_describe(inv, t->job.name, &a, &described, NULL) != 0)
		message = arena_printf(&t->arena,
		    "Error retrieving information about the project '%s'",
		    t->job.name);
	else if (st.exists && st.phase != PROJECT_DONE && !force)
		message = arena_printf(&t->arena,
		    "Project '%s' has an unexpected state '%s'", t->job.name,
		    project_phase_to_string(st.phase));
	*ret_message = message;
	return labels_node(t, message != NULL, message);
}

/* Output */

/* The tail of a child's text; JSON's writer mends what is not UTF-8. */
static struct node *
text_node(struct task *t, const char *text, size_t max)
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
	struct node *said = text_node(t, text, GARBAGE_SHOWN);
	const char *message;

	if (too_large)
		message = "appjail-director printed a result that is too large "
			  "to keep";
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

static int
rc_of(const struct run_result *res)
{
	return res->how == RUN_SIGNALLED ? 128 + res->signo : res->code;
}

static bool
says_failure(const struct node *said)
{
	const struct node *level = node_get(said, "errlevel");

	return level == NULL || level->type != NODE_INT || level->big ||
	    level->u.i != 0;
}

static bool
has_failed(const struct node *said)
{
	const struct node *failed = node_get(said, "failed");

	return failed != NULL && failed->type == NODE_LIST &&
	    failed->u.list.n > 0;
}

/* output of a record; *ret_bad: Director did not do what it was asked. */
static struct node *
output_of(struct task *t, struct node **ret_said, bool *ret_bad)
{
	struct arena *a = &t->arena;
	struct node *n = node_new(a, NODE_MAP);
	bool too_large;
	struct node *said = director_json(t, &too_large);
	int rc = rc_of(&t->result);

	*ret_bad = rc != 0 || said == NULL || says_failure(said);
	if (said == NULL)
		said = no_json(t, rc, too_large);
	*ret_said = said;
	node_set(a, n, "rc", node_int(a, rc));
	node_set(a, n, "stdout", said);
	node_set(a, n, "stderr", text_node(t, t->err, STDERR_SHOWN));
	return n;
}

/* One line about how it went, or NULL: for the record and the job. */
static const char *
message_of(struct task *t, const struct node *said, const char *labels)
{
	const char *text = node_text(node_get(said, "message"));

	if (t->result.timed_out)
		return arena_printf(&t->arena,
		    "stopped at execution_time (%" PRId64 " s)",
		    t->r->config.execution_ms / 1000);
	if (t->cancel_asked)
		return "cancelled";
	if (text != NULL)
		return text;
	if (rc_of(&t->result) != 0)
		return arena_printf(&t->arena, "appjail-director ended with %d",
		    rc_of(&t->result));
	return labels;
}

static void
close_with(struct task *t, struct verdict *v, bool destroy, bool bad,
    const char *message)
{
	v->operation = bad ? "INCOMPLETED" : "COMPLETED";
	v->state = bad ? JOB_INCOMPLETE : JOB_COMPLETED;
	if (bad && t->cancel_asked && !destroy)
		v->state = JOB_CANCELLED;
	if (bad)
		v->message = message;
	if (!bad && t->lock_removed)
		v->note = "removed the lock that a dead Director had left";
}

/* create */

static bool
create_needs_down(struct task *t)
{
	struct project_state st;

	if (!flag(t, "restart"))
		return false;
	inventory_project_state(t->r->deps.inventory, t->job.name, &st);
	return st.exists;
}

static bool
always(struct task *t)
{
	(void)t;
	return true;
}

static void
director_file_name(const struct task *t, char *buf, size_t len)
{
	(void)snprintf(buf, len, "overlord-%.8s-%" PRIu64,
	    t->r->config.serverid, t->job.id.v);
}

static const char *
temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

static const char *
director_file_path(struct task *t)
{
	char name[64];

	director_file_name(t, name, sizeof(name));
	return arena_printf(&t->scratch, "%s/%s", temp_dir(), name);
}

/* argv of Director and the environment of the job. */
static int
director_command(struct task *t, const char *const *words,
    struct run_spec *spec, struct error *e)
{
	AUTO_FREE char *program = NULL;
	const char **argv;
	size_t n = 0;

	if (program_find(t->r->config.director, &program, e) < 0)
		return -1;
	while (words[n] != NULL)
		n++;
	argv = arena_calloc(&t->scratch, n + 2, sizeof(*argv));
	if (argv == NULL)
		return arena_check(&t->scratch, e);
	argv[0] = arena_strdup(&t->scratch, program);
	memcpy(argv + 1, words, n * sizeof(*argv));
	spec->argv = argv;
	spec->envp = task_environment(t, e);
	return spec->envp == NULL ? -1 : arena_check(&t->scratch, e);
}

static int
up_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const struct node *file = node_get(t->payload, "director_file");
	const char *path = director_file_path(t);
	const char *const words[] = { "up", "-j", "-f", path, "-p", t->job.name,
		NULL };

	if (path == NULL)
		return arena_check(&t->scratch, e);
	/* Director resolves relative paths against the file's directory, so it
	 * stays directly in the temporary directory (runtime.md 1.4). */
	if (file_replace(
		AT_FDCWD, path, file->u.str.s, file->u.str.len, 0600, 0, e) < 0)
		return error_wrap(e, "hand over the Director file");
	return director_command(t, words, spec, e);
}

static void
up_tidy(struct task *t)
{
	const char *path = director_file_path(t);

	if (path != NULL)
		(void)file_remove(AT_FDCWD, path, NULL);
}

static int
down_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *const words[] = { "down", "-j", "-p", t->job.name, NULL };

	return director_command(t, words, spec, e);
}

static int
create_open(struct task *t, struct verdict *v)
{
	const struct node *file = node_get(t->payload, "director_file");

	if (file == NULL || file->type != NODE_STR) {
		v->state = JOB_FAILED;
		v->operation = "FAILED";
		v->message = "the job's record cannot be read";
		return TASK_VERDICT;
	}
	return check_lock(t, v);
}

static void
create_close(struct task *t, struct verdict *v)
{
	struct node *said;
	const char *labels;
	bool bad;

	v->output = output_of(t, &said, &bad);
	v->labels = labels_of(t, false, &labels);
	bad = bad || labels != NULL;
	close_with(t, v, false, bad, message_of(t, said, labels));
}

/* destroy */

static int
destroy_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *const words[] = { "down", "-j", "-d", "--ignore-failed",
		"-p", t->job.name, NULL };

	return director_command(t, words, spec, e);
}

/* The labels that the RUNNING record of this job carries: the project may be
 * gone by now. */
static struct node *
labels_recorded(struct task *t)
{
	struct node *rec, *labels = NULL;

	if (record_get(t->r->deps.store, RECORD_DOWN, t->job.name, &t->arena,
		&rec, NULL) == 0)
		labels = node_get(rec, "labels");
	return labels != NULL ? labels : labels_node(t, false, NULL);
}

static int
destroy_open(struct task *t, struct verdict *v)
{
	const char *message;

	if (check_lock(t, v) != 0)
		return TASK_VERDICT;
	/* A destroy that was interrupted goes on: what it has done so far is
	 * what makes the state unexpected. */
	if (t->job.steps_n > 0) {
		v->labels = labels_recorded(t);
		return 0;
	}
	v->labels = labels_of(t, flag(t, "force"), &message);
	if (message == NULL)
		return 0;
	v->state = JOB_INCOMPLETE;
	v->operation = "INCOMPLETED";
	v->output = node_new(&t->arena, NODE_MAP);
	v->message = message;
	return TASK_VERDICT;
}

static void
destroy_close(struct task *t, struct verdict *v)
{
	const struct node *level;
	struct node *said;
	bool bad;

	v->output = output_of(t, &said, &bad);
	v->labels = labels_recorded(t);
	/* A project that Director does not know is gone already. */
	level = node_get(said, "errlevel");
	if (bad && rc_of(&t->result) == 66 && level != NULL &&
	    level->type == NODE_INT && level->u.i == 66)
		bad = false;
	bad = bad || has_failed(said);
	close_with(t, v, true, bad, message_of(t, said, NULL));
}

/* What is not a kind of this version. */

static int
unknown_open(struct task *t, struct verdict *v)
{
	v->state = JOB_FAILED;
	v->message = arena_printf(&t->arena,
	    "a job of kind '%s' cannot be run by this version", t->job.kind);
	return TASK_VERDICT;
}

static const struct step_row create_steps[] = {
	{ "down", false, create_needs_down, down_command, NULL },
	{ "up", true, always, up_command, up_tidy },
};

static const struct step_row destroy_steps[] = {
	{ "down", false, always, destroy_command, NULL },
};

static const struct job_kind kinds[] = {
	{ "create", true, RECORD_UP, create_steps, ARRAY_LEN(create_steps),
	    create_open, check_lock, create_close },
	{ "destroy", true, RECORD_DOWN, destroy_steps, ARRAY_LEN(destroy_steps),
	    destroy_open, NULL, destroy_close },
	{ "cancel", false, RECORD_UP, NULL, 0, cancel_open, NULL, NULL },
	{ "", false, RECORD_UP, NULL, 0, unknown_open, NULL, NULL },
};

const struct job_kind *
job_kind_find(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) - 1 && strcmp(kinds[i].name, name) != 0)
		i++;
	return &kinds[i];
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
job_kinds_sweep(struct runner *r)
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
