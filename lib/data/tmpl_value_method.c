/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Methods of lists, tuples and dicts, and how a method is found.  The tables
 * also have those of Python that are not here, so that they are refused as
 * such.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

#define METHOD(name)                                                           \
  static int name(struct tmpl_run *r, struct tmpl_value self,                  \
      const struct tmpl_args *args, struct tmpl_value *ret)

static bool
given(struct tmpl_value v)
{
	return v.type != TMPL_ABSENT;
}

/* Lists and tuples */

METHOD(list_append)
{
	*ret = tmpl_none();
	return tmpl_list_add(r, self.u.list, args->v[0]);
}

METHOD(list_extend)
{
	*ret = tmpl_none();
	return tmpl_list_extend(r, self.u.list, args->v[0]);
}

METHOD(list_clear)
{
	(void)r;
	(void)args;
	*ret = tmpl_none();
	self.u.list->n = 0;
	return 0;
}

METHOD(list_copy)
{
	(void)args;
	return tmpl_list_of(r, TMPL_LIST, self, ret);
}

METHOD(list_count)
{
	const struct tmpl_list *l = self.u.list;
	int64_t n = 0;
	bool equal;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (tmpl_equal(r, l->items[i], args->v[0], &equal) == -1)
			return -1;
		n += equal;
	}
	*ret = tmpl_int(n);
	return 0;
}

/* The place of an item from *i on, or the length. */
static int
find_item(struct tmpl_run *r, const struct tmpl_list *l, struct tmpl_value v,
    size_t *i, size_t end)
{
	bool equal;

	for (; *i < end && *i < l->n; (*i)++) {
		if (tmpl_equal(r, l->items[*i], v, &equal) == -1)
			return -1;
		if (equal)
			return 0;
	}
	*i = l->n;
	return 0;
}

METHOD(list_index)
{
	const struct tmpl_list *l = self.u.list;
	struct strbuf AUTO_STRBUF text;
	int64_t start, end;
	size_t i;

	tmpl_buf_init(&text);
	if (tmpl_slice_part(r, args->v[1], 0, &start) == -1 ||
	    tmpl_slice_part(r, args->v[2], INT64_MAX, &end) == -1)
		return -1;
	i = tmpl_clip(start, l->n);
	if (find_item(r, l, args->v[0], &i, tmpl_clip(end, l->n)) == -1)
		return -1;
	if (i < l->n) {
		*ret = tmpl_int((int64_t)i);
		return 0;
	}
	if (self.type == TMPL_TUPLE || args->v[0].type == TMPL_UNDEFINED)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "%s.index(x): x not in %s", tmpl_type_name(self),
		    tmpl_type_name(self));
	if (tmpl_repr_for_fault(r, args->v[0], &text) == -1)
		return -1;
	return tmpl_raise(r, TMPL_VALUE_ERROR, "%s is not in list", text.buf);
}

METHOD(list_insert)
{
	struct tmpl_list *l = self.u.list;
	int64_t i;
	size_t at;

	*ret = tmpl_none();
	if (tmpl_need_int(r, args->v[0], &i) == -1)
		return -1;
	at = tmpl_clip(i, l->n);
	if (tmpl_charge(r, l->n) == -1 || tmpl_list_add(r, l, args->v[1]) == -1)
		return -1;
	memmove(l->items + at + 1, l->items + at,
	    (l->n - 1 - at) * sizeof(*l->items));
	l->items[at] = args->v[1];
	return 0;
}

static int
take_out(struct tmpl_run *r, struct tmpl_list *l, size_t i)
{
	if (tmpl_charge(r, l->n - i) == -1)
		return -1;
	l->n--;
	memmove(l->items + i, l->items + i + 1, (l->n - i) * sizeof(*l->items));
	return 0;
}

METHOD(list_pop)
{
	struct tmpl_list *l = self.u.list;
	int64_t i = -1;

	if (given(args->v[0]) && tmpl_need_int(r, args->v[0], &i) == -1)
		return -1;
	if (l->n == 0)
		return tmpl_raise(r, TMPL_INDEX_ERROR, "pop from empty list");
	if (i < 0)
		i += (int64_t)l->n;
	if (i < 0 || (uint64_t)i >= l->n)
		return tmpl_raise(
		    r, TMPL_INDEX_ERROR, "pop index out of range");
	*ret = l->items[i];
	return take_out(r, l, (size_t)i);
}

METHOD(list_remove)
{
	struct tmpl_list *l = self.u.list;
	size_t i = 0;

	*ret = tmpl_none();
	if (find_item(r, l, args->v[0], &i, l->n) == -1)
		return -1;
	if (i == l->n)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "list.remove(x): x not in list");
	return take_out(r, l, i);
}

METHOD(list_reverse)
{
	(void)args;
	*ret = tmpl_none();
	tmpl_list_reverse(self.u.list);
	return tmpl_charge(r, self.u.list->n);
}

METHOD(list_sort)
{
	*ret = tmpl_none();
	if (args->n > 0)
		return tmpl_raise(
		    r, TMPL_TYPE_ERROR, "sort() takes no positional arguments");
	if (args->n_kw == 0)
		return tmpl_sort(r, self.u.list, false);
	if (args->n_kw > 1 || strcmp(args->kw[0].name, "reverse") != 0)
		return tmpl_unsupported(r, "'%s' of 'sort'", args->kw[0].name);
	return tmpl_sort(r, self.u.list, tmpl_truth(args->kw[0].v));
}

/* Dicts */

METHOD(dict_clear)
{
	(void)r;
	(void)args;
	*ret = tmpl_none();
	tmpl_dict_clear(self.u.dict);
	return 0;
}

METHOD(dict_copy)
{
	(void)args;
	if (tmpl_dict_new(r, ret) == -1)
		return -1;
	return tmpl_dict_update(r, ret->u.dict, self);
}

METHOD(dict_get)
{
	struct tmpl_entry *entry;

	if (tmpl_dict_find(r, self.u.dict, args->v[0], &entry) == -1)
		return -1;
	if (entry != NULL)
		*ret = entry->v;
	else
		*ret = given(args->v[1]) ? args->v[1] : tmpl_none();
	return 0;
}

METHOD(dict_pop)
{
	struct tmpl_entry *entry;

	if (tmpl_dict_find(r, self.u.dict, args->v[0], &entry) == -1)
		return -1;
	if (entry != NULL) {
		*ret = entry->v;
		tmpl_dict_delete(self.u.dict, entry);
		return 0;
	}
	if (!given(args->v[1]))
		return tmpl_key_error(r, args->v[0]);
	*ret = args->v[1];
	return 0;
}

METHOD(dict_setdefault)
{
	struct tmpl_entry *entry;

	if (tmpl_dict_find(r, self.u.dict, args->v[0], &entry) == -1)
		return -1;
	if (entry != NULL) {
		*ret = entry->v;
		return 0;
	}
	*ret = given(args->v[1]) ? args->v[1] : tmpl_none();
	return tmpl_dict_set(r, self.u.dict, args->v[0], *ret);
}

METHOD(dict_update)
{
	struct tmpl_value key;
	size_t i;

	*ret = tmpl_none();
	if (args->n > 1)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "update expected at most 1 argument, got %zu", args->n);
	if (args->n == 1 && tmpl_dict_update(r, self.u.dict, args->v[0]) == -1)
		return -1;
	for (i = 0; i < args->n_kw; i++) {
		if (tmpl_str(r, args->kw[i].name, strlen(args->kw[i].name),
			&key) == -1 ||
		    tmpl_dict_set(r, self.u.dict, key, args->kw[i].v) == -1)
			return -1;
	}
	return 0;
}

static int
view(struct tmpl_run *r, struct tmpl_value self, enum tmpl_view_kind kind,
    struct tmpl_value *ret)
{
	struct tmpl_view *v;

	v = arena_alloc(r->a, sizeof(*v));
	if (v == NULL)
		return tmpl_raise_nomem(r);
	*v = (struct tmpl_view){ self.u.dict, kind };
	*ret = (struct tmpl_value){ .type = TMPL_VIEW, .u.view = v };
	return 0;
}

METHOD(dict_keys)
{
	(void)args;
	return view(r, self, TMPL_KEYS, ret);
}

METHOD(dict_values)
{
	(void)args;
	return view(r, self, TMPL_VALUES, ret);
}

METHOD(dict_items)
{
	(void)args;
	return view(r, self, TMPL_ITEMS, ret);
}

/* All sorted by name. */

static const struct tmpl_builtin list_methods[] = {
	{ "append", list_append, 1, 1, "-" },
	{ "clear", list_clear, 0, 0, NULL },
	{ "copy", list_copy, 0, 0, NULL },
	{ "count", list_count, 1, 1, "-" },
	{ "extend", list_extend, 1, 1, "-" },
	{ "index", list_index, 1, 3, "- - -" },
	{ "insert", list_insert, 2, 2, "- -" },
	{ "pop", list_pop, 0, 1, "-" },
	{ "remove", list_remove, 1, 1, "-" },
	{ "reverse", list_reverse, 0, 0, NULL },
	{ "sort", list_sort, 0, TMPL_VARIADIC, NULL },
};

static const struct tmpl_builtin tuple_methods[] = {
	{ "count", list_count, 1, 1, "-" },
	{ "index", list_index, 1, 3, "- - -" },
};

static const struct tmpl_builtin dict_methods[] = {
	{ "clear", dict_clear, 0, 0, NULL },
	{ "copy", dict_copy, 0, 0, NULL },
	{ "fromkeys", NULL, 0, 0, NULL },
	{ "get", dict_get, 1, 2, "- -" },
	{ "items", dict_items, 0, 0, NULL },
	{ "keys", dict_keys, 0, 0, NULL },
	{ "pop", dict_pop, 1, 2, "- -" },
	{ "popitem", NULL, 0, 0, NULL },
	{ "setdefault", dict_setdefault, 1, 2, "- -" },
	{ "update", dict_update, 0, TMPL_VARIADIC, NULL },
	{ "values", dict_values, 0, 0, NULL },
};

static const struct tmpl_builtin int_methods[] = {
	{ "as_integer_ratio", NULL, 0, 0, NULL },
	{ "bit_count", NULL, 0, 0, NULL },
	{ "bit_length", NULL, 0, 0, NULL },
	{ "conjugate", NULL, 0, 0, NULL },
	{ "denominator", NULL, 0, 0, NULL },
	{ "from_bytes", NULL, 0, 0, NULL },
	{ "imag", NULL, 0, 0, NULL },
	{ "numerator", NULL, 0, 0, NULL },
	{ "real", NULL, 0, 0, NULL },
	{ "to_bytes", NULL, 0, 0, NULL },
};

static const struct tmpl_builtin float_methods[] = {
	{ "as_integer_ratio", NULL, 0, 0, NULL },
	{ "conjugate", NULL, 0, 0, NULL },
	{ "fromhex", NULL, 0, 0, NULL },
	{ "hex", NULL, 0, 0, NULL },
	{ "imag", NULL, 0, 0, NULL },
	{ "is_integer", NULL, 0, 0, NULL },
	{ "real", NULL, 0, 0, NULL },
};

static const struct tmpl_builtin range_methods[] = {
	{ "count", NULL, 0, 0, NULL },
	{ "index", NULL, 0, 0, NULL },
	{ "start", NULL, 0, 0, NULL },
	{ "step", NULL, 0, 0, NULL },
	{ "stop", NULL, 0, 0, NULL },
};

static const struct tmpl_builtin view_methods[] = {
	{ "isdisjoint", NULL, 0, 0, NULL },
	{ "mapping", NULL, 0, 0, NULL },
};

static const struct tmpl_builtin iter_methods[] = {
	{ "close", NULL, 0, 0, NULL },
	{ "gi_code", NULL, 0, 0, NULL },
	{ "gi_frame", NULL, 0, 0, NULL },
	{ "gi_running", NULL, 0, 0, NULL },
	{ "gi_yieldfrom", NULL, 0, 0, NULL },
	{ "send", NULL, 0, 0, NULL },
	{ "throw", NULL, 0, 0, NULL },
};

static const struct tmpl_builtin exc_methods[] = {
	{ "add_note", NULL, 0, 0, NULL },
	{ "args", NULL, 0, 0, NULL },
	{ "name", NULL, 0, 0, NULL },
	{ "obj", NULL, 0, 0, NULL },
	{ "with_traceback", NULL, 0, 0, NULL },
};

METHOD(loop_cycle)
{
	return tmpl_loop_cycle(r, self.u.loop, args, ret);
}

static const struct tmpl_builtin loop_methods[] = {
	{ "cycle", loop_cycle, 0, TMPL_VARIADIC, NULL },
};

static const struct tmpl_builtin *
methods_of(enum tmpl_type type, size_t *ret_n)
{
	static const struct {
		const struct tmpl_builtin *rows;
		size_t n;
	} tables[] = {
		[TMPL_BOOL] = { int_methods, ARRAY_LEN(int_methods) },
		[TMPL_INT] = { int_methods, ARRAY_LEN(int_methods) },
		[TMPL_FLOAT] = { float_methods, ARRAY_LEN(float_methods) },
		[TMPL_LIST] = { list_methods, ARRAY_LEN(list_methods) },
		[TMPL_TUPLE] = { tuple_methods, ARRAY_LEN(tuple_methods) },
		[TMPL_DICT] = { dict_methods, ARRAY_LEN(dict_methods) },
		[TMPL_RANGE] = { range_methods, ARRAY_LEN(range_methods) },
		[TMPL_VIEW] = { view_methods, ARRAY_LEN(view_methods) },
		[TMPL_ITER] = { iter_methods, ARRAY_LEN(iter_methods) },
		[TMPL_LOOP] = { loop_methods, ARRAY_LEN(loop_methods) },
		[TMPL_EXC] = { exc_methods, ARRAY_LEN(exc_methods) },
		[TMPL_UNDEFINED] = { NULL, 0 },
	};

	if (type == TMPL_STR) {
		*ret_n = tmpl_str_methods_n;
		return tmpl_str_methods;
	}
	*ret_n = tables[type].n;
	return tables[type].rows;
}

static int
missing(struct tmpl_run *r, struct tmpl_value self, const char *name)
{
	return tmpl_raise_of(r, self, TMPL_ATTRIBUTE_ERROR,
	    "'%s' object has no attribute '%s'", tmpl_type_name(self), name);
}

int
tmpl_no_attribute(struct tmpl_run *r, struct tmpl_value self, const char *name)
{
	const struct tmpl_builtin *rows;
	size_t n;

	rows = methods_of(self.type, &n);
	if (self.type != TMPL_DEF && tmpl_builtin_find(rows, n, name) == NULL)
		return missing(r, self, name);
	return tmpl_unsupported(r, "attribute '%s'", name);
}

/* What a loop has that is no method can be had, but not called. */
static int
call_attribute(struct tmpl_run *r, struct tmpl_value self, const char *name)
{
	struct tmpl_value v;

	if (tmpl_loop_attr(r, self.u.loop, name, &v) == -1)
		return -1;
	return tmpl_raise(r, TMPL_TYPE_ERROR, "'%s' object is not callable",
	    tmpl_type_name(v));
}

int
tmpl_method(struct tmpl_run *r, struct tmpl_value self, const char *name,
    const struct tmpl_builtin **ret)
{
	const struct tmpl_builtin *rows;
	size_t n;

	rows = methods_of(self.type, &n);
	*ret = tmpl_builtin_find(rows, n, name);
	if (*ret != NULL && (*ret)->fn != NULL)
		return 0;
	if (*ret != NULL)
		return tmpl_unsupported(r, "method '%s'", name);
	return self.type == TMPL_LOOP ? call_attribute(r, self, name)
				      : missing(r, self, name);
}
