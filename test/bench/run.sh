#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# What a node costs, beside others and the limits of the machine, measured in
# the same run: the machine, a line for each figure, and curves of what grows.
# README.md says what they mean.  Ends with 0 when everything could be measured,
# also when figures fall short.
#
# usage: run.sh [--only PATTERN] [--quick] [--rounds N] [--build DIR]
# usage:     [--tsv | --markdown] [--json FILE] [--update-docs]
#	--only PATTERN	only figures whose name holds this (a regular
#			expression); the names of all curves begin with "scale"
#	--quick		curves without their last steps
#	--rounds N	measure everything N times, at least 5 (default: 5)
#	--build DIR	build there (default: build-bench)
#	--tsv, --markdown	print it like this
#	--json FILE	write it there, too
#	--update-docs	put it into docs/performance.md
#
# OVERLORD_UPSTREAM=DIR names a checkout of the original, to be measured, too;
# DIR/venv/bin/python runs it when that is there.
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"

build=$ROOT/build-bench
usage() {
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
}
# Words for bench.py are moved behind the others.
left=$#
while [ "$left" -gt 0 ]; do
	word=$1
	shift
	left=$((left - 1))
	case $word in
	--quick | --tsv | --markdown | --update-docs)
		set -- "$@" "$word"
		continue
		;;
	--rounds | --only | --json | --build) [ "$left" -gt 0 ] || usage ;;
	*) usage ;;
	esac
	value=$1
	shift
	left=$((left - 1))
	case $word in
	--build) build=$(mkdir -p "$value" && cd "$value" && pwd) ;;
	*) set -- "$@" "$word" "$value" ;;
	esac
done

targets='daemon/overlordd daemon/overlord-exec cli/overlord'
for name in bench_store leaves load slow timed \
    ref_echo ref_evhttp ref_lmdb ref_machine ref_relay ref_spawn; do
	targets="$targets test/bench/$name"
done
for name in appjail appjail-director rctl sysctl; do
	targets="$targets test/standin/bin/$name"
done

# The driver is one of the end-to-end tests' kind.
need_deps build test bench >&2
BUILD_TARGETS=$targets build_overlord "$build" --buildtype=debugoptimized -Dtests=true >&2

export OVERLORD_BUILD="$build"
exec "$PYTHON" -B "$ROOT/test/bench/bench.py" "$@"
