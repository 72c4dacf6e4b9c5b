/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* See watch_pace.h. */
#include "cli/watch_pace.h"

#include "lib/base/clock.h"

#define SHOW_MS 250
#define AGE_MS 1000

static void
on_timer(struct timer *t)
{
	struct watch_pace *p = container_of(t, struct watch_pace, timer);
	int64_t now = clock_mono_ms(), next = p->ops->ask(p->ctx, now);

	if (next > now + AGE_MS)
		next = now + AGE_MS;
	p->changed = false;
	p->shown_ms = now;
	p->ops->show(p->ctx);
	if (!p->changed)
		timer_arm(t, next > now ? next - now : 0);
}

int
watch_pace_init(struct watch_pace *p, struct loop *l,
    const struct watch_pace_ops *ops, void *ctx, struct error *e)
{
	p->ops = ops;
	p->ctx = ctx;
	if (timer_init(&p->timer, l, on_timer, "watch", e) < 0)
		return -1;
	timer_arm(&p->timer, 0);
	return 0;
}

void
watch_pace_changed(struct watch_pace *p)
{
	int64_t now = clock_mono_ms();

	if (!p->changed)
		timer_arm(&p->timer,
		    now - p->shown_ms >= SHOW_MS ? 0
						 : p->shown_ms + SHOW_MS - now);
	p->changed = true;
}

void
watch_pace_fini(struct watch_pace *p)
{
	timer_fini(&p->timer);
}
