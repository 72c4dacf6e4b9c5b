/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Idempotency-Key (overlord-api(7)): which job a request has made, so that the
 * same request within a day gets the same job. Only digests are kept. What is
 * too old goes with later batches.
 */
#pragma once

#include "lib/store/job.h"
#include "lib/store/store.h"

#define IDEM_KEEP_MS INT64_C(86400000)
#define IDEM_DIGEST_LEN 65

struct idem_key {
	/* Of key, token and route, and of the body; in hex. */
	char id[IDEM_DIGEST_LEN];
	char body[IDEM_DIGEST_LEN];
};

/* 1 to 255 printable ASCII characters. */
bool idem_key_ok(const char *key);
/* parts: the texts that make the request this one, beside the body. */
void idem_key_make(struct idem_key *ret, const char *const *parts,
    size_t parts_n, const void *body, size_t body_len);

enum {
	/* Nothing is known of it. */
	IDEM_NEW = 1,
	/* The key was used for another body. */
	IDEM_OTHER = 2
};
/* 0 and the job, one of the above, or -1. */
int idem_find(struct store *s, const struct idem_key *k, int64_t now_ms,
    struct job_id *ret, struct error *e);
/* Notes the job, and forgets some that are too old. */
int idem_put(struct store *s, struct store_batch *b, const struct idem_key *k,
    int64_t now_ms, struct job_id job, struct error *e);
