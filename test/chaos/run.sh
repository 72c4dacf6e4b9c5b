#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# The crash test: jobs are submitted to a node while overlordd, overlord-exec or
# both get SIGKILL at random moments; a checker compares what was acknowledged
# with what the stand-ins saw. Ends non-zero, with the seed, when anything was
# lost, ran twice, was disturbed or is left over.
#
# usage: run.sh [--kills N] [--seed S] [--build DIR]
#	--kills N	kills that hit a job (default 200)
#	--seed S	replays the choices of an earlier run (default: random)
#	--build DIR	use or make the build there (default: build)
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"

build=$ROOT/build
words=
while [ $# -gt 0 ]; do
	case $1 in
	--kills | --seed)
		[ $# -ge 2 ] || die "$1 needs a number"
		words="$words $1 $2"
		shift
		;;
	--build)
		[ $# -ge 2 ] || die "--build needs a directory"
		build=$(mkdir -p "$2" && cd "$2" && pwd)
		shift
		;;
	*)
		sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
		exit 64
		;;
	esac
	shift
done

need_deps build test
if [ -f "$build/build.ninja" ]; then
	ninja -C "$build" >/dev/null
else
	build_overlord "$build"
fi
# shellcheck disable=SC2086
OVERLORD_BUILD=$build PYTHONDONTWRITEBYTECODE=1 \
    exec "$PYTHON" "$ROOT/test/chaos/chaos.py" $words
