/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of the durable store: what is where, and the schema's version.
 *
 * A table that is missing is made when the store is opened, and one that an
 * older program does not know is left alone by it: adding a table is no new
 * schema. Numbers of tables are not on disk, their names are.
 */
#pragma once

enum table {
	TABLE_JOBS,
	TABLE_ACTIVE,
	TABLE_QUEUE_META,
	/* Status records of projects, by kind and name (record.h). */
	TABLE_STATUS,
	/* Ids of tokens that do not count any more (revoked.h). */
	TABLE_REVOKED,
	/* What was changed, and by whom (audit.h). */
	TABLE_AUDIT,
	/* What has been asked for before (idem.h). */
	TABLE_IDEM,
	TABLE_COUNT
};

#define TABLE_NAMES                                                            \
  {                                                                            \
    "jobs", "active", "queue", "status", "revoked", "audit", "idempotency"     \
  }

#define STORE_SCHEMA 1u
