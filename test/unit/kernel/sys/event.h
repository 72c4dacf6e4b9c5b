/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * As much of FreeBSD's kqueue(2) as jailwatch_kqueue.c uses, by its manual
 * page; test_jailwatch.c is the kernel.
 */
#pragma once

#include <stdint.h>
#include <time.h>

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned fflags;
	int64_t data;
	void *udata;
};

#define EVFILT_JAIL (-14)
#define EV_ADD 0x0001
#define EV_CLEAR 0x0020
#define NOTE_JAIL_CHILD 0x80000000U
#define NOTE_JAIL_REMOVE 0x10000000U
#define NOTE_JAIL_MULTI 0x08000000U

#define EV_SET(kev, id, filt, flg, notes, dat, user)                           \
  (*(kev) = (struct kevent){ .ident = (id),                                    \
       .filter = (filt),                                                       \
       .flags = (flg),                                                         \
       .fflags = (notes),                                                      \
       .data = (dat),                                                          \
       .udata = (user) })

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, const struct timespec *timeout);
