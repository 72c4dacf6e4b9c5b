/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The files of cli/completion, as the build puts them into the program. */
#pragma once

extern const char completion_bash[];
extern const char completion_zsh[];
extern const char completion_fish[];
