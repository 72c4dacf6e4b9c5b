/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of the durable store: what is where, and the schema's version.
 */
#pragma once

enum table {
	TABLE_JOBS,
	TABLE_ACTIVE,
	TABLE_QUEUE_META,
	/* Status records of projects, by kind and name (record.h). */
	TABLE_STATUS,
	TABLE_COUNT
};

#define TABLE_NAMES                                                            \
  {                                                                            \
    "jobs", "active", "queue", "status"                                        \
  }

#define STORE_SCHEMA 1u
