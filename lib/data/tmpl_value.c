/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Faults of templates: their classes, their places, how they are raised and
 * caught, and how they read; and what a rendering may use up.  Messages live in
 * the rendering's arena; when that is full the fault is just this.
 */
#include <stdio.h>
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

static const struct {
	const char *name;
	enum tmpl_class parent;
} classes[TMPL_CLASS_COUNT] = {
	[TMPL_CLASS_NONE] = { "", TMPL_CLASS_NONE },
#define X(id, name, parent) [TMPL_##id] = { name, TMPL_CLASS_PARENT_##parent },
#define TMPL_CLASS_PARENT_NONE TMPL_CLASS_NONE
#define TMPL_CLASS_PARENT_EXCEPTION TMPL_EXCEPTION
#define TMPL_CLASS_PARENT_NAME_ERROR TMPL_NAME_ERROR
#include "lib/data/tmpl_value_class.def"
#undef X
};

const char *tmpl_class_name(enum tmpl_class class)
{
	return classes[class].name;
}

enum tmpl_class
tmpl_class_find(const char *name, size_t len)
{
	size_t i;

	for (i = 1; i < TMPL_CLASS_COUNT; i++) {
		if (strlen(classes[i].name) == len &&
		    memcmp(classes[i].name, name, len) == 0)
			return (enum tmpl_class)i;
	}
	return TMPL_CLASS_NONE;
}

bool
tmpl_class_is(enum tmpl_class class, enum tmpl_class of)
{
	enum tmpl_class c;

	for (c = class; c != TMPL_CLASS_NONE; c = classes[c].parent) {
		if (c == of)
			return true;
	}
	return of == TMPL_CLASS_NONE && tmpl_class_is(class, TMPL_EXCEPTION);
}

struct tmpl_pos
tmpl_pos_behind(struct tmpl_pos pos, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n') {
			pos.line++;
			pos.col = 1;
		} else if (((unsigned char)s[i] & 0xc0) != 0x80) {
			pos.col++;
		}
	}
	return pos;
}

static bool
is_upper_name(const char *s)
{
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

void
tmpl_fault_text(const struct tmpl_fault *f, struct strbuf *out)
{
	strbuf_adds(out, f->message);
	if (f->name != NULL)
		strbuf_addf(out, ": '%s'", f->name);
	if (f->pos.line > 0)
		strbuf_addf(
		    out, " at line: %u char: %u", f->pos.line, f->pos.col);
	if (f->name != NULL && is_upper_name(f->name))
		strbuf_addf(out,
		    " (a shell variable? write <%%text>${%s}</%%text> or $%s)",
		    f->name, f->name);
}

int
tmpl_raise_nomem(struct tmpl_run *r)
{
	bool full = r->a->latch == OVE_LIMIT;

	r->fault = (struct tmpl_fault){
		.class = full ? TMPL_LIMIT : TMPL_MEMORY_ERROR,
		.message = full ? "the template uses too much memory"
				: "out of memory",
	};
	return -1;
}

static int CC_PRINTF(3, 0) raise(
    struct tmpl_run *r, enum tmpl_class class, const char *fmt, va_list ap)
{
	char *text;
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = len < 0 ? NULL : arena_alloc(r->a, (size_t)len + 1);
	if (text == NULL)
		return tmpl_raise_nomem(r);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	r->fault = (struct tmpl_fault){ .class = class, .message = text };
	return -1;
}

int
tmpl_raise(struct tmpl_run *r, enum tmpl_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)raise(r, class, fmt, ap);
	va_end(ap);
	return -1;
}

int
tmpl_raise_of(struct tmpl_run *r, struct tmpl_value v, enum tmpl_class class,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)raise(r, class, fmt, ap);
	va_end(ap);
	if (v.type == TMPL_UNDEFINED && r->fault.class == class) {
		r->fault.name = v.u.undef->name;
		r->fault.pos = v.u.undef->pos;
	}
	return -1;
}

int
tmpl_unsupported(struct tmpl_run *r, const char *fmt, ...)
{
	va_list ap;
	const char *what;

	va_start(ap, fmt);
	(void)raise(r, TMPL_UNSUPPORTED, fmt, ap);
	va_end(ap);
	if (r->fault.class != TMPL_UNSUPPORTED)
		return -1;
	what = r->fault.message;
	return tmpl_raise(r, TMPL_UNSUPPORTED, "%s is not supported", what);
}

int
tmpl_raise_unbound(struct tmpl_run *r, const char *name)
{
	return tmpl_raise(r, TMPL_UNBOUND_LOCAL_ERROR,
	    "cannot access local variable '%s' where it is not associated "
	    "with a value",
	    name);
}

int
tmpl_raise_at(struct tmpl_run *r, struct tmpl_pos pos)
{
	if (r->fault.pos.line == 0)
		r->fault.pos = pos;
	return -1;
}

struct tmpl_value
tmpl_catch(struct tmpl_run *r)
{
	struct tmpl_fault *f;

	f = arena_alloc(r->a, sizeof(*f));
	if (f != NULL)
		*f = r->fault;
	r->fault = (struct tmpl_fault){ .message = "" };
	if (f == NULL)
		return tmpl_none();
	return (struct tmpl_value){ .type = TMPL_EXC, .u.exc = f };
}

void
tmpl_run_init(struct tmpl_run *r, struct arena *a)
{
	*r = (struct tmpl_run){
		.a = a,
		.loops = TMPL_LOOPS_MAX,
		.work = TMPL_WORK_MAX,
		.fault.message = "",
	};
}

int
tmpl_tick(struct tmpl_run *r)
{
	if (r->loops == 0)
		return tmpl_raise(
		    r, TMPL_LIMIT, "more than %d iterations", TMPL_LOOPS_MAX);
	r->loops--;
	return tmpl_charge(r, TMPL_STEP);
}

int
tmpl_charge(struct tmpl_run *r, size_t n)
{
	if (n > r->work) {
		r->work = 0;
		return tmpl_raise(r, TMPL_LIMIT, "the template takes too long");
	}
	r->work -= n;
	return 0;
}

int
tmpl_def_call(struct tmpl_def *d, struct tmpl_run *r,
    const struct tmpl_args *args, struct tmpl_value *ret)
{
	int rc;

	if (r->calls == TMPL_CALLS_MAX)
		return tmpl_raise(r, TMPL_RECURSION_ERROR,
		    "maximum recursion depth exceeded");
	r->calls++;
	rc = d->call(d, r, args, ret);
	r->calls--;
	return rc;
}

int
tmpl_enter(struct tmpl_run *r)
{
	if (r->depth == TMPL_DEPTH_MAX)
		return tmpl_raise(r, TMPL_RECURSION_ERROR,
		    "maximum recursion depth exceeded");
	r->depth++;
	return 0;
}

void
tmpl_leave(struct tmpl_run *r)
{
	r->depth--;
}

const char *
tmpl_type_name(struct tmpl_value v)
{
	static const char *const names[] = {
		[TMPL_NONE] = "NoneType",
		[TMPL_BOOL] = "bool",
		[TMPL_INT] = "int",
		[TMPL_FLOAT] = "float",
		[TMPL_STR] = "str",
		[TMPL_LIST] = "list",
		[TMPL_TUPLE] = "tuple",
		[TMPL_DICT] = "dict",
		[TMPL_RANGE] = "range",
		[TMPL_LOOP] = "LoopContext",
		[TMPL_DEF] = "function",
		[TMPL_UNDEFINED] = "Undefined",
	};
	static const char *const views[] = { "dict_keys", "dict_values",
		"dict_items" };

	if (v.type == TMPL_VIEW)
		return views[v.u.view->kind];
	if (v.type == TMPL_ITER)
		return v.u.iter->type;
	if (v.type == TMPL_EXC)
		return tmpl_class_name(v.u.exc->class);
	return names[v.type];
}

bool
tmpl_truth(struct tmpl_value v)
{
	switch (v.type) {
	case TMPL_NONE:
	case TMPL_UNDEFINED:
		return false;
	case TMPL_BOOL:
		return v.u.b;
	case TMPL_INT:
		return v.u.i != 0;
	case TMPL_FLOAT:
		return v.u.f != 0;
	case TMPL_STR:
		return v.u.str->len > 0;
	case TMPL_LIST:
	case TMPL_TUPLE:
		return v.u.list->n > 0;
	case TMPL_DICT:
		return v.u.dict->n > 0;
	case TMPL_VIEW:
		return v.u.view->dict->n > 0;
	case TMPL_RANGE:
		return v.u.range->n > 0;
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
		break;
	}
	return true;
}
