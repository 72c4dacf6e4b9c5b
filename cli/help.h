/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Help texts from the command table.
 */
#pragma once

#include "cli/command.h"
#include "lib/base/strbuf.h"

void help_program(struct strbuf *out);
/* For a bare "overlord". */
void help_short(struct strbuf *out);
void help_command(const struct cmd *c, struct strbuf *out);
