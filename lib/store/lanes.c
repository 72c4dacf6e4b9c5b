/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Three containers. Known jobs stand in one array by id: ids only grow, so
 * adding is appending, and what is gone leaves a hole until half of it is
 * holes. Lanes stand in a hash table while they have a job. A lane has two
 * lists: what waits, by id, and what is held (running, interrupted, taken, or
 * with a change under way); it is ready when something waits and nothing is
 * held, and then stands in the heap.
 *
 * All memory is taken by lanes_new(): the job, its lane, the lane's place in
 * the heap and the job's place in the array. So what happens after a commit,
 * when there is no way back, cannot fail.
 */

#include "lib/store/lanes.h"

#include <assert.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/rand.h"

#define FIRST_CAP 16
#define NOT_IN_HEAP SIZE_MAX

TAILQ_HEAD(lanes_job_list, lanes_job);

struct lane {
	struct lane *next;
	struct lanes_job_list queued;
	struct lanes_job_list held;
	uint64_t hash;
	/* Jobs, known or not; it lives while there is one. */
	size_t refs;
	size_t heap_i;
	/* "" of no_lane only. */
	char name[];
};

static bool
is_no_lane(const struct lane *a)
{
	return a->name[0] == '\0';
}

/* Heap */

static uint64_t
lane_key(const struct lane *a)
{
	return TAILQ_FIRST(&a->queued)->id;
}

static void
heap_set(struct lanes *l, size_t i, struct lane *a)
{
	l->heap[i] = a;
	a->heap_i = i;
}

static void
heap_up(struct lanes *l, size_t i)
{
	struct lane *a = l->heap[i];
	size_t up;

	while (i > 0) {
		up = (i - 1) / 2;
		if (lane_key(l->heap[up]) <= lane_key(a))
			break;
		heap_set(l, i, l->heap[up]);
		i = up;
	}
	heap_set(l, i, a);
}

static void
heap_down(struct lanes *l, size_t i)
{
	struct lane *a = l->heap[i];
	size_t kid;

	for (;;) {
		kid = 2 * i + 1;
		if (kid >= l->heap_n)
			break;
		if (kid + 1 < l->heap_n &&
		    lane_key(l->heap[kid + 1]) < lane_key(l->heap[kid]))
			kid++;
		if (lane_key(a) <= lane_key(l->heap[kid]))
			break;
		heap_set(l, i, l->heap[kid]);
		i = kid;
	}
	heap_set(l, i, a);
}

static void
heap_remove(struct lanes *l, struct lane *a)
{
	struct lane *last;
	size_t i;

	i = a->heap_i;
	a->heap_i = NOT_IN_HEAP;
	last = l->heap[--l->heap_n];
	if (last == a)
		return;
	heap_set(l, i, last);
	heap_up(l, i);
	heap_down(l, last->heap_i);
}

/* After any change of the lane's lists. A lane that is in the heap has nothing
 * held, so its first job can only go by being held: its key never changes
 * there. */
static void
lane_update(struct lanes *l, struct lane *a)
{
	bool ready;

	if (is_no_lane(a))
		return;
	ready = !TAILQ_EMPTY(&a->queued) && TAILQ_EMPTY(&a->held);
	if (ready && a->heap_i == NOT_IN_HEAP) {
		heap_set(l, l->heap_n++, a);
		heap_up(l, a->heap_i);
	}
	if (!ready && a->heap_i != NOT_IN_HEAP)
		heap_remove(l, a);
}

/* Lanes */

static uint64_t
hash_of(const struct lanes *l, const char *name)
{
	uint64_t h = hash_add(l->seed, name, strlen(name));

	return h ^ h >> 32;
}

static struct lane **
bucket_of(const struct lanes *l, uint64_t hash)
{
	return &l->buckets[hash & (l->buckets_n - 1)];
}

static int
buckets_grow(struct lanes *l, struct error *e)
{
	struct lane **old = l->buckets, *a, **b;
	size_t old_n = l->buckets_n, i, n;

	n = old_n == 0 ? FIRST_CAP : old_n * 2;
	b = mem_calloc(n, sizeof(*b));
	if (b == NULL)
		return error_nomem(e);
	l->buckets = b;
	l->buckets_n = n;
	for (i = 0; i < old_n; i++) {
		while ((a = old[i]) != NULL) {
			old[i] = a->next;
			b = bucket_of(l, a->hash);
			a->next = *b;
			*b = a;
		}
	}
	mem_free(old);
	return 0;
}

static int
heap_reserve(struct lanes *l, struct error *e)
{
	size_t cap;
	void *p;

	if (l->lanes_n < l->heap_cap)
		return 0;
	cap = l->heap_cap == 0 ? FIRST_CAP : l->heap_cap * 2;
	p = mem_realloc(l->heap, cap * sizeof(*l->heap));
	if (p == NULL)
		return error_nomem(e);
	l->heap = p;
	l->heap_cap = cap;
	return 0;
}

static struct lane *
lane_alloc(const char *name)
{
	struct lane *a;
	size_t len;

	len = strlen(name) + 1;
	a = mem_alloc(sizeof(*a) + len);
	if (a == NULL)
		return NULL;
	a->next = NULL;
	TAILQ_INIT(&a->queued);
	TAILQ_INIT(&a->held);
	a->hash = 0;
	a->refs = 0;
	a->heap_i = NOT_IN_HEAP;
	memcpy(a->name, name, len);
	return a;
}

static struct lane *
lane_find(const struct lanes *l, const char *name)
{
	struct lane *a;
	uint64_t hash;

	if (*name == '\0')
		return l->no_lane;
	hash = hash_of(l, name);
	for (a = *bucket_of(l, hash); a != NULL; a = a->next)
		if (a->hash == hash && strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static int
lane_get(struct lanes *l, struct lane **ret, const char *name, struct error *e)
{
	struct lane *a, **b;

	a = lane_find(l, name);
	if (a == NULL) {
		if (heap_reserve(l, e) == -1)
			return -1;
		/* Longer chains will do when there is no memory. */
		if (l->lanes_n >= l->buckets_n)
			(void)buckets_grow(l, NULL);
		a = lane_alloc(name);
		if (a == NULL)
			return error_nomem(e);
		a->hash = hash_of(l, name);
		b = bucket_of(l, a->hash);
		a->next = *b;
		*b = a;
		l->lanes_n++;
	}
	*ret = a;
	return 0;
}

static void
lane_unref(struct lanes *l, struct lane *a)
{
	struct lane **p;

	if (--a->refs > 0 || is_no_lane(a))
		return;
	for (p = bucket_of(l, a->hash); *p != a; p = &(*p)->next)
		;
	*p = a->next;
	l->lanes_n--;
	mem_free(a);
}

/* Life */

int
lanes_init(struct lanes *l, size_t max_running, struct error *e)
{
	memset(l, 0, sizeof(*l));
	l->max_running = max_running;
	l->seed = rand_u64();
	l->no_lane = lane_alloc("");
	if (l->no_lane == NULL)
		return error_nomem(e);
	return buckets_grow(l, e);
}

void
lanes_fini(struct lanes *l)
{
	size_t i;

	for (i = 0; i < l->jobs_n; i++)
		if (l->jobs[i].job != NULL)
			lanes_drop(l, l->jobs[i].job);
	assert(l->unknown_n == 0);
	mem_free(l->jobs);
	mem_free(l->heap);
	mem_free(l->buckets);
	mem_free(l->no_lane);
	memset(l, 0, sizeof(*l));
}

/* Jobs */

static void
close_holes(struct lanes *l)
{
	size_t i, n;

	if (l->gone_n < FIRST_CAP || l->gone_n < l->jobs_n / 2)
		return;
	n = 0;
	for (i = 0; i < l->jobs_n; i++)
		if (l->jobs[i].job != NULL)
			l->jobs[n++] = l->jobs[i];
	l->jobs_n = n;
	l->gone_n = 0;
}

static int
jobs_reserve(struct lanes *l, struct error *e)
{
	size_t cap, len;
	void *p;

	if (l->jobs_n + l->unknown_n >= l->jobs_cap)
		close_holes(l);
	if (l->jobs_n + l->unknown_n < l->jobs_cap)
		return 0;
	cap = l->jobs_cap == 0 ? FIRST_CAP : l->jobs_cap * 2;
	if (!num_mul_size(cap, sizeof(*l->jobs), &len))
		return error_nomem(e);
	p = mem_realloc(l->jobs, len);
	if (p == NULL)
		return error_nomem(e);
	l->jobs = p;
	l->jobs_cap = cap;
	return 0;
}

int
lanes_new(struct lanes *l, struct lanes_job **ret, uint64_t id,
    const char *lane, struct error *e)
{
	AUTO_FREE struct lanes_job *j = NULL;

	if (jobs_reserve(l, e) == -1)
		return -1;
	j = mem_calloc(1, sizeof(*j));
	if (j == NULL)
		return error_nomem(e);
	if (lane_get(l, &j->lane, lane, e) == -1)
		return -1;
	j->lane->refs++;
	j->id = id;
	j->place = PLACE_NONE;
	l->unknown_n++;
	*ret = STEAL(j);
	return 0;
}

void
lanes_add(struct lanes *l, struct lanes_job *j, enum job_state state)
{
	struct lanes_entry *entry;

	assert(j->place == PLACE_NONE && l->jobs_n < l->jobs_cap);
	assert(l->jobs_n == 0 || l->jobs[l->jobs_n - 1].id < j->id);
	l->unknown_n--;
	entry = &l->jobs[l->jobs_n++];
	entry->id = j->id;
	entry->job = j;
	j->state = (unsigned char)state;
	l->by_state[state]++;
	lanes_settle(l, j);
}

static struct lanes_entry *
entry_find(const struct lanes *l, uint64_t id)
{
	size_t low, high, mid;

	low = 0;
	high = l->jobs_n;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (l->jobs[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->jobs_n || l->jobs[low].id != id)
		return NULL;
	return &l->jobs[low];
}

struct lanes_job *
lanes_find(const struct lanes *l, uint64_t id)
{
	const struct lanes_entry *entry;

	entry = entry_find(l, id);
	return entry != NULL ? entry->job : NULL;
}

static void
set_slot(struct lanes *l, struct lanes_job *j, bool slot)
{
	if (j->slot == slot)
		return;
	j->slot = slot;
	if (slot)
		l->running_n++;
	else
		l->running_n--;
}

static void
place_remove(struct lanes_job *j)
{
	switch ((enum lanes_place)j->place) {
	case PLACE_NONE:
		break;
	case PLACE_QUEUED:
		TAILQ_REMOVE(&j->lane->queued, j, link);
		break;
	case PLACE_HELD:
		TAILQ_REMOVE(&j->lane->held, j, link);
		break;
	}
	j->place = PLACE_NONE;
}

/* By id: new ones go to the end, what comes back goes near the front. */
static void
place_queued(struct lanes_job *j)
{
	struct lanes_job *at, *before;

	j->place = PLACE_QUEUED;
	at = TAILQ_LAST(&j->lane->queued, lanes_job_list);
	if (at == NULL || at->id < j->id) {
		TAILQ_INSERT_TAIL(&j->lane->queued, j, link);
		return;
	}
	before = NULL;
	TAILQ_FOREACH (at, &j->lane->queued, link) {
		if (at->id > j->id)
			break;
		before = at;
	}
	if (before != NULL)
		TAILQ_INSERT_AFTER(&j->lane->queued, before, j, link);
	else
		TAILQ_INSERT_HEAD(&j->lane->queued, j, link);
}

void
lanes_settle(struct lanes *l, struct lanes_job *j)
{
	bool waits;

	waits = j->state == JOB_QUEUED && !j->taken && !j->moving;
	set_slot(l, j,
	    !is_no_lane(j->lane) && (j->taken || j->state == JOB_RUNNING));
	if (waits && j->place != PLACE_QUEUED) {
		place_remove(j);
		place_queued(j);
	}
	if (!waits && j->place != PLACE_HELD) {
		place_remove(j);
		j->place = PLACE_HELD;
		TAILQ_INSERT_TAIL(&j->lane->held, j, link);
	}
	lane_update(l, j->lane);
}

void
lanes_set_state(struct lanes *l, struct lanes_job *j, enum job_state state)
{
	l->by_state[j->state]--;
	l->by_state[state]++;
	j->state = (unsigned char)state;
}

void
lanes_drop(struct lanes *l, struct lanes_job *j)
{
	struct lanes_entry *entry;

	if (j->place == PLACE_NONE) {
		l->unknown_n--;
	} else {
		entry = entry_find(l, j->id);
		if (entry != NULL)
			entry->job = NULL;
		l->gone_n++;
		l->by_state[j->state]--;
		set_slot(l, j, false);
		/* Out of the heap first: its order needs the first job. */
		if (j->lane->heap_i != NOT_IN_HEAP)
			heap_remove(l, j->lane);
		place_remove(j);
		lane_update(l, j->lane);
	}
	lane_unref(l, j->lane);
	mem_free(j);
}

struct lanes_job *
lanes_next(const struct lanes *l)
{
	if (!TAILQ_EMPTY(&l->no_lane->queued))
		return TAILQ_FIRST(&l->no_lane->queued);
	if (l->heap_n == 0 || l->running_n >= l->max_running)
		return NULL;
	return TAILQ_FIRST(&l->heap[0]->queued);
}

size_t
lanes_position(const struct lanes_job *j)
{
	const struct lanes_job *at;
	size_t n;

	if (j->place != PLACE_QUEUED)
		return 0;
	n = 1;
	TAILQ_FOREACH (at, &j->lane->queued, link) {
		if (at == j)
			break;
		n++;
	}
	return n;
}

const char *
lanes_name(const struct lanes_job *j)
{
	return j->lane->name;
}

static int
each_of(const struct lanes_job_list *list, lanes_each_fn *fn, void *ctx,
    struct error *e)
{
	struct lanes_job *j;

	TAILQ_FOREACH (j, list, link)
		if (fn(j, ctx, e) == -1)
			return -1;
	return 0;
}

int
lanes_each(const struct lanes *l, const char *lane, lanes_each_fn *fn,
    void *ctx, struct error *e)
{
	const struct lane *a;
	size_t i;

	if (lane != NULL) {
		a = lane_find(l, lane);
		if (a == NULL)
			return 0;
		if (each_of(&a->held, fn, ctx, e) == -1)
			return -1;
		return each_of(&a->queued, fn, ctx, e);
	}
	for (i = 0; i < l->jobs_n; i++)
		if (l->jobs[i].job != NULL && fn(l->jobs[i].job, ctx, e) == -1)
			return -1;
	return 0;
}

/* Check */

static int
check_failed(struct error *e, const char *what, uint64_t id)
{
	return error_set(e, OVE_INTERNAL, "queue in memory: %s (%llu)", what,
	    (unsigned long long)id);
}

static int
check_lane(const struct lanes *l, const struct lane *a, size_t *jobs_n,
    struct error *e)
{
	const struct lanes_job *j;
	uint64_t last;
	bool ready;

	last = 0;
	TAILQ_FOREACH (j, &a->queued, link) {
		if (j->lane != a || j->place != PLACE_QUEUED || j->id <= last)
			return check_failed(
			    e, "a waiting job is misplaced", j->id);
		last = j->id;
		(*jobs_n)++;
	}
	TAILQ_FOREACH (j, &a->held, link) {
		if (j->lane != a || j->place != PLACE_HELD)
			return check_failed(
			    e, "a held job is misplaced", j->id);
		(*jobs_n)++;
	}
	ready =
	    !is_no_lane(a) && !TAILQ_EMPTY(&a->queued) && TAILQ_EMPTY(&a->held);
	if (ready != (a->heap_i != NOT_IN_HEAP) ||
	    (ready && (a->heap_i >= l->heap_n || l->heap[a->heap_i] != a)))
		return check_failed(e, "a lane is wrongly ready or not", last);
	if (ready && a->heap_i > 0 &&
	    lane_key(l->heap[(a->heap_i - 1) / 2]) > lane_key(a))
		return check_failed(e, "the heap is out of order", last);
	return 0;
}

static int
check_jobs(const struct lanes *l, struct error *e)
{
	size_t by_state[JOB_STATE_COUNT] = { 0 };
	const struct lanes_job *j;
	size_t i, running, gone;
	bool waits, slot;

	running = gone = 0;
	for (i = 0; i < l->jobs_n; i++) {
		j = l->jobs[i].job;
		if (i > 0 && l->jobs[i - 1].id >= l->jobs[i].id)
			return check_failed(
			    e, "ids are out of order", l->jobs[i].id);
		if (j == NULL) {
			gone++;
			continue;
		}
		waits = j->state == JOB_QUEUED && !j->taken && !j->moving;
		slot = !is_no_lane(j->lane) &&
		    (j->taken || j->state == JOB_RUNNING);
		if (waits != (j->place == PLACE_QUEUED) || slot != j->slot ||
		    j->place == PLACE_NONE || j->id != l->jobs[i].id ||
		    job_state_is_finished((enum job_state)j->state))
			return check_failed(e, "a job is misplaced", j->id);
		running += slot;
		by_state[j->state]++;
	}
	if (gone != l->gone_n || running != l->running_n ||
	    memcmp(by_state, l->by_state, sizeof(by_state)) != 0)
		return check_failed(e, "a counter is wrong", running);
	return 0;
}

int
lanes_check(const struct lanes *l, struct error *e)
{
	const struct lane *a;
	size_t i, lanes_n, jobs_n;

	if (check_jobs(l, e) == -1)
		return -1;
	lanes_n = jobs_n = 0;
	if (check_lane(l, l->no_lane, &jobs_n, e) == -1)
		return -1;
	for (i = 0; i < l->buckets_n; i++) {
		for (a = l->buckets[i]; a != NULL; a = a->next) {
			if (check_lane(l, a, &jobs_n, e) == -1)
				return -1;
			lanes_n++;
		}
	}
	if (lanes_n != l->lanes_n || jobs_n != l->jobs_n - l->gone_n)
		return check_failed(e, "a lane or job is lost", jobs_n);
	return 0;
}
