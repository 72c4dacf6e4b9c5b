/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The commands of a job that makes a VM: runtime.md 1.6 and 2.5 have each word.
 * All but Director's print one text, errors in their place.
 */
#include <string.h>

#include "daemon/steps_vm.h"
#include "lib/base/shellword.h"

#define URL_MAX ((size_t)1 << 20)
/* Words beside lists, and the NULL at the end. */
#define WORDS_MAX 16
#define SEED_FLAGS "-o R,L=cidata"

/* A list of words in the scratch, with room for all that is put in. */
struct words {
	const char **items;
	size_t n;
};

static int
words_init(struct words *w, struct task *t, size_t more, struct error *e)
{
	*w = (struct words){ .items = arena_calloc(&t->scratch,
				 WORDS_MAX + more, sizeof(*w->items)) };
	return w->items == NULL ? arena_check(&t->scratch, e) : 0;
}

static void
word(struct words *w, const char *s)
{
	w->items[w->n++] = s;
}

/* An option with its argument, when there is one. */
static void
option(struct words *w, const char *flag, const char *value)
{
	if (value == NULL)
		return;
	word(w, flag);
	word(w, value);
}

static void
rest(struct words *w, const struct schema_strs *words)
{
	word(w, "--");
	for (size_t i = 0; i < words->n; i++)
		word(w, words->items[i]);
}

static int
command(struct task *t, enum program program, const struct words *w,
    struct run_spec *spec, struct error *e)
{
	spec->merge = true;
	if (steps_argv(t, program, w->items, spec, e) < 0)
		return -1;
	spec->envp = task_environment(t, e);
	return spec->envp == NULL ? -1 : 0;
}

/* In the jail of the VM. */
static void
jexec(struct words *w, const struct task *t, const char *verb)
{
	word(w, "cmd");
	word(w, "jexec");
	word(w, t->job.name);
	word(w, "vm");
	word(w, verb);
}

int
vm_up_command(struct task *t, struct run_spec *spec, struct error *e)
{
	struct vm_plan p = { 0 };
	const char *file;
	size_t len;

	if (vm_director_file(t, &file, &len, e) < 0)
		return -1;
	(void)vm_plan_of(t, &p);
	/* What an attempt before has made anew is not made anew again. */
	return steps_up(t, file, len,
	    p.overwrite && !task_has_done(t, VM_STEP_UP, true), spec, e);
}

int
vm_seed_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *flags = t->vm->message.vm.cloud_init.flags;
	struct arena *a = &t->scratch;
	const char *const *split;
	struct words w;
	size_t n;

	if (shellword_split(
		flags != NULL ? flags : SEED_FLAGS, a, &split, &n, e) < 0 ||
	    words_init(&w, t, n, e) < 0)
		return -1;
	option(&w, "-t", "cd9660");
	for (size_t i = 0; i < n; i++)
		word(&w, split[i]);
	word(&w, "--");
	word(&w,
	    arena_printf(
		a, "%s/%s/jail/seed.iso", t->r->config.jails, t->job.name));
	word(&w,
	    arena_printf(
		a, "%s/%s/jail/cloud-init", t->r->config.jails, t->job.name));
	return arena_check(a, e) < 0 ? -1
				     : command(t, PROGRAM_MAKEFS, &w, spec, e);
}

int
vm_create_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const struct spec_from *from = &t->vm->message.vm.disk_layout.from;
	struct words w;

	if (words_init(&w, t, 0, e) < 0)
		return -1;
	jexec(&w, t, "create");
	option(&w, "-t", "overlord");
	option(&w, "-i", from->img_file);
	word(&w, t->job.name);
	return command(t, PROGRAM_APPJAIL, &w, spec, e);
}

/* Scripts */

static int
from_components(struct task *t, const struct spec_from *from,
    struct run_spec *spec, struct error *e)
{
	AUTO_STRBUF struct strbuf url;
	struct arena *a = &t->scratch;
	struct words w;

	strbuf_init(&url, URL_MAX);
	vm_text_url(&url, from);
	if (strbuf_check(&url, e) < 0 ||
	    words_init(&w, t, from->components.n, e) < 0)
		return -1;
	option(&w, "-c",
	    arena_printf(a, "%s/%s/%s", t->r->config.components, from->os_arch,
		from->os_version));
	option(&w, "-j", t->job.name);
	option(&w, "-u", arena_strdup(a, url.buf));
	rest(&w, &from->components);
	return arena_check(a, e) < 0
	    ? -1
	    : command(t, PROGRAM_VM_COMPONENTS, &w, spec, e);
}

static int
from_image(struct task *t, const struct spec_from *from, struct run_spec *spec,
    struct error *e)
{
	struct words w;

	if (words_init(&w, t, 0, e) < 0)
		return -1;
	option(&w, "-a", from->image_arch);
	option(&w, "-i", t->r->config.images);
	option(&w, "-I", from->image_name);
	option(&w, "-e", from->entrypoint);
	option(&w, "-j", t->job.name);
	option(&w, "-t", from->image_tag);
	return command(t, PROGRAM_VM_IMAGE, &w, spec, e);
}

static int
from_pkgbase(struct task *t, const struct spec_from *from,
    struct run_spec *spec, struct error *e)
{
	struct words w;

	if (words_init(&w, t, from->packages.n, e) < 0)
		return -1;
	option(&w, "-a", from->os_arch);
	option(&w, "-c", from->pkg_conf);
	option(&w, "-f", from->fingerprints);
	option(&w, "-j", t->job.name);
	option(&w, "-v", from->os_version);
	rest(&w, &from->packages);
	return command(t, PROGRAM_VM_PKGBASE, &w, spec, e);
}

static int
from_disc(struct task *t, const struct spec_from *from, struct run_spec *spec,
    struct error *e)
{
	struct words w;

	if (words_init(&w, t, 0, e) < 0)
		return -1;
	jexec(&w, t, "install");
	word(&w, t->job.name);
	word(&w, from->iso_file);
	return command(t, PROGRAM_APPJAIL, &w, spec, e);
}

static int
start(struct task *t, struct run_spec *spec, struct error *e)
{
	struct words w;

	if (words_init(&w, t, 0, e) < 0)
		return -1;
	option(&w, "-j", t->job.name);
	return command(t, PROGRAM_VM_START, &w, spec, e);
}

int
vm_final_command(struct task *t, struct run_spec *spec, struct error *e)
{
	static const struct {
		const char *type;
		int (*command)(struct task *t, const struct spec_from *from,
		    struct run_spec *spec, struct error *e);
	} types[] = {
		{ "components", from_components },
		{ "appjailImage", from_image },
		{ "pkgbase", from_pkgbase },
		{ "iso", from_disc },
	};
	const struct spec_from *from = &t->vm->message.vm.disk_layout.from;

	if (vm_final_of(t) == VM_START)
		return start(t, spec, e);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].type, from->type) == 0)
			return types[i].command(t, from, spec, e);
	return error_set(e, OVE_INTERNAL, "no way to install '%s'", from->type);
}
