#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# What a node costs, beside references measured in the same run: a header and
# one tab-separated row for each figure.  README.md says what they mean.  Ends
# with 0 when everything could be measured, also when figures fall short.
#
# usage: run.sh [--rounds N] [--only PATTERN] [--build DIR]
#	--rounds N	measure everything N times, at least 5 (default: 5)
#	--only PATTERN	only figures whose name holds this (a regular expression)
#	--build DIR	build there (default: build-bench)
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"

rounds=5
only=.
build=$ROOT/build-bench
usage() {
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
}
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--rounds) rounds=$2 ;;
	--only) only=$2 ;;
	--build) build=$(mkdir -p "$2" && cd "$2" && pwd) ;;
	*) usage ;;
	esac
	shift 2
done

targets='daemon/overlordd daemon/overlord-exec cli/overlord'
for name in bench_store leaves load slow timed ref_lmdb ref_spawn ref_relay ref_init; do
	targets="$targets test/bench/$name"
done
for name in appjail appjail-director rctl sysctl; do
	targets="$targets test/standin/bin/$name"
done

# The driver is one of the end-to-end tests' kind.
need_deps build test bench >&2
BUILD_TARGETS=$targets build_overlord "$build" --buildtype=debugoptimized -Dtests=true >&2

export OVERLORD_BUILD="$build"
exec "$PYTHON" -B "$ROOT/test/bench/bench.py" --rounds "$rounds" \
    --only "$only"
