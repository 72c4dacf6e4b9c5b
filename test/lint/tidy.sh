#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# tidy.sh BUILD FILE: clang-tidy over one file of BUILD's compilation database;
# silent when there is nothing to say.
set -eu
include=-include$(cd "$(dirname "$0")" && pwd)/tidy.h
# The files that define what the header renames.
case $2 in
lib/base/error.c | lib/data/tmpl_value.c)
	include=
	;;
esac
out=$(clang-tidy --quiet -p "$1" ${include:+"--extra-arg=$include"} "$2" \
    2>/dev/null) && [ -z "$out" ] && exit 0
echo "$out"
exit 1
