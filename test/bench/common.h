/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the programs of test/bench share: a clock, numbers from the command
 * line, ends with a reason, TCP. None of the project's libraries: references
 * must not share their cost.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S 1000000000LL
#define NS_PER_US 1000.0

/* "PROGRAM: text", and exit 1. */
_Noreturn void die(const char *fmt, ...)
    __attribute__((__format__(__printf__, 1, 2)));
int64_t now_ns(void);
/* In min to max, or exit 64. */
double number(const char *text, double min, double max);
/* Waits; for pacing only. */
void wait_ns(int64_t ns);

/* The q-th quantile (0 to 1) of what is sorted here. */
int64_t quantile(int64_t *samples, size_t n, double q);

/* Connects, TCP_NODELAY set; -1 (errno) when refused. */
int tcp_connect(const char *host, const char *port);
/* Listens on loopback; port 0 is one that the kernel chooses. */
int tcp_listen(const char *port);
unsigned tcp_port(int listener);
/* With TCP_NODELAY; -1 when there is nobody. */
int tcp_accept(int listener);
/* A whole file, NUL-terminated; or the end. */
char *read_file(const char *path, size_t *ret_len);
