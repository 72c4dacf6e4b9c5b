/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The words of the outside for the kinds of jobs: "create" is "up". A kind, or
 * a word, that is not known stays as it is.
 */
#pragma once

const char *jobword_type(const char *kind);
const char *jobword_kind(const char *type);
