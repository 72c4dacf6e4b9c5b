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

low=0
while read -r name _ sources; do
	case $name in
	'' | '#'*) continue ;;
	esac
	profile=$BUILD/$name
	program=$BUILD/test/fuzz/replay_$name
	LLVM_PROFILE_FILE=$profile.raw "$program" \
	    "$ROOT/test/fuzz/corpus/$name" >"$profile.log" 2>&1 ||
		die "$name: the replay failed, see $profile.log"
	llvm-profdata merge -sparse "$profile.raw" -o "$profile.data"
	for source in $sources; do
		percent=$(llvm-cov export -summary-only \
		    -instr-profile="$profile.data" "$program" | "$PYTHON" -c '
import json, os, sys
for f in json.load(sys.stdin)["data"][0]["files"]:
    if os.path.normpath(f["filename"]).endswith("/" + sys.argv[1]):
        print("%.1f" % f["summary"]["lines"]["percent"])' "$source")
		[ -n "$percent" ] || die "$name: $source is not in the program"
		note=
		if [ "${percent%.*}" -lt "$minimum" ]; then
			note="	below $minimum"
			low=$((low + 1))
		fi
		echo "$name	$source	$percent$note"
	done
done <"$ROOT/test/fuzz/targets.txt"
[ "$low" -eq 0 ] || die "$low below $minimum per cent"
