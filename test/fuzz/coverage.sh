#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# usage: coverage.sh [MINIMUM]
#
# Replays the corpora and prints which share of the lines of each parser they
# reach, by targets.txt.  Ends non-zero when one is below MINIMUM per cent
# (default 80).
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"
minimum=${1:-80}

need_deps build test clang
BUILD=$ROOT/build-coverage
# meson runs programs to try the compiler; their profiles are nobody's.
export LLVM_PROFILE_FILE=/dev/null
CC=clang BUILD_TARGETS=$(sed -n \
    's/^\([a-z0-9_]\{1,\}\) .*/ test\/fuzz\/replay_\1/p' \
    "$ROOT/test/fuzz/targets.txt") build_overlord "$BUILD" -Db_pie=false \
    -Dc_args='-fprofile-instr-generate -fcoverage-mapping' \
    -Dc_link_args='-fprofile-instr-generate'

while read -r name _ sources; do
	case $name in
	'' | '#'*) continue ;;
	esac
	LLVM_PROFILE_FILE=$BUILD/$name.raw "$BUILD/test/fuzz/replay_$name" \
	    "$ROOT/test/fuzz/corpus/$name" >"$BUILD/$name.log" 2>&1 ||
		die "$name: the replay failed, see $BUILD/$name.log"
	for source in $sources; do
		echo "$source	$name"
	done
done <"$ROOT/test/fuzz/targets.txt" >"$BUILD/sources"

low=0
# No word of the list has a blank in it.
# shellcheck disable=SC2013
for source in $(cut -f 1 "$BUILD/sources" | sort -u); do
	raws=
	programs=
	names=
	for name in $(sed -n "s|^$source	||p" "$BUILD/sources"); do
		names=$names${names:+,}$name
		raws="$raws $BUILD/$name.raw"
		programs="$programs${programs:+ -object} "
		programs=$programs$BUILD/test/fuzz/replay_$name
	done
	# shellcheck disable=SC2086
	llvm-profdata merge -sparse $raws -o "$BUILD/source.data"
	# shellcheck disable=SC2086
	percent=$(llvm-cov export -summary-only \
	    -instr-profile="$BUILD/source.data" $programs | "$PYTHON" -c '
import json, os, sys
for f in json.load(sys.stdin)["data"][0]["files"]:
    if os.path.normpath(f["filename"]).endswith("/" + sys.argv[1]):
        print("%.1f" % f["summary"]["lines"]["percent"])' "$source")
	[ -n "$percent" ] || die "$names: $source is not in the program"
	note=
	if [ "${percent%.*}" -lt "$minimum" ]; then
		note="	below $minimum"
		low=$((low + 1))
	fi
	echo "$names	$source	$percent$note"
done
[ "$low" -eq 0 ] || die "$low below $minimum per cent"
