#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# usage: run.sh SECONDS [TARGET...]
#
# Runs every fuzz target, or those named, for SECONDS each, as many at a time
# as there are processors.  Each works on a copy of its corpus in
# build-fuzz/work/NAME, kept from run to run; the repository is not changed.
# Prints the executions of each; ends non-zero on a finding and says where the
# input is.
set -eu

# One target, NAME: how this script calls itself through xargs.
run_one() {
	name=$1
	work=$BUILD/work/$name
	mkdir -p "$work/corpus" "$work/found"
	cp "$CORPUS/$name/"* "$work/corpus/"
	rm -f "$work/found/"*
	dict=
	[ ! -f "$FUZZ/$name.dict" ] || dict=-dict=$FUZZ/$name.dict
	rc=0
	"$BUILD/test/fuzz/fuzz_$name" -max_total_time="$SECONDS_EACH" \
	    -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	    ${dict:+"$dict"} -artifact_prefix="$work/found/" \
	    "$work/corpus" \
	    >"$work/log" 2>&1 || rc=$?
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
	if [ "$rc" -eq 0 ]; then
		echo "$name	${n:-0} executions"
		return
	fi
	grep -E -A 30 'ERROR:|runtime error|SUMMARY' "$work/log" | head -n 60
	for f in "$work/found/"*; do
		[ ! -f "$f" ] || echo "$name: the input is $f"
	done
	echo "$name	FAILED: the log is $work/log"
	exit 1
}

if [ "${1:-}" = --one ]; then
	run_one "$2"
	exit 0
fi

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"

case ${1:-} in
'' | *[!0-9]*)
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
	;;
esac
seconds=$1
shift

[ $# -gt 0 ] || {
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^\([a-z0-9_]\{1,\}\) .*/\1/p' \
	    "$ROOT/test/fuzz/targets.txt")
}
[ $# -gt 0 ] || {
	echo "fuzz: no targets"
	exit 0
}

need_deps build test clang
BUILD=$ROOT/build-fuzz
CC=clang BUILD_TARGETS=$(printf ' test/fuzz/fuzz_%s' "$@") \
    build_overlord "$BUILD" -Dfuzz=true

export BUILD SECONDS_EACH="$seconds" FUZZ="$ROOT/test/fuzz" \
    CORPUS="$ROOT/test/fuzz/corpus"
if ! printf '%s\n' "$@" | xargs -n 1 -P "$(cpus)" sh "$0" --one; then
	echo "fuzz: FAILED"
	exit 1
fi
echo "fuzz: $# targets, $seconds s each, no finding"
