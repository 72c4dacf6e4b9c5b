/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A view that is kept on the terminal while the program runs (cli.md 6.2):
 * drawn in place on the normal screen, so that the last one remains, with only
 * the lines written that have changed. Reads keys without echo meanwhile, and
 * leaves the terminal as it was however the program ends.
 */
#pragma once

#include "lib/base/error.h"

struct loop;
struct screen;

enum screen_key {
	SCREEN_QUIT,
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_END,
};

struct screen_ops {
	void (*key)(enum screen_key key, void *ctx);
	/* It has to be drawn again: another size, or after a stop. */
	void (*redraw)(void *ctx);
};

/* On standard output; keys from standard input if that is a terminal. */
int screen_open(struct screen **ret, struct loop *l,
    const struct screen_ops *ops, void *ctx, struct error *e);
size_t screen_width(const struct screen *s);
/* Lines that may be drawn. */
size_t screen_height(const struct screen *s);
/* Lines, each ended by '\n' and no wider than the screen. */
void screen_draw(struct screen *s, const char *text, size_t len);
/* Takes it off the screen, so that something else can be said. */
void screen_clear(struct screen *s);
/* The terminal is what it was; the view remains. */
struct screen *screen_close(struct screen *s);
