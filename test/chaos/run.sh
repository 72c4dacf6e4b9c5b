#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# The crash test: a tree of five nodes under load
#
#	              bravo
#	             /
#	main <---> alpha
#	             \
#	              charlie <---> delta
#
# whose daemons, helpers, Directors and what these have called get SIGKILL at
# random moments, while links are cut, stalled and reset, disks are full, clocks
# jump, syncs, writes, renames and forks are slow or fail, and caches are
# damaged.  A checker compares what was acknowledged with what the stand-ins saw.
# Ends non-zero, with the seed, when anything was lost, ran twice or at once, was
# disturbed or is left over.
#
# As root on Linux it runs in namespaces of its own, which take with them all that
# it has started and mounted, however it ends.  Elsewhere a full disk is one whose
# writes fail; without libfaketime no clock jumps.
#
# usage: run.sh [--kills N] [--minutes M] [--hours H] [--seed S] [--build DIR]
#	--kills N	end after so many kills that hit a job (default 200, if
#			no time is given)
#	--minutes M	end after so many minutes, if not before
#	--hours H	the same
#	--seed S	replays the choices of an earlier run (default: random)
#	--build DIR	use or make the build there (default: build)
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/lib.sh"

build=$ROOT/build
words=
while [ $# -gt 0 ]; do
	case $1 in
	--kills | --minutes | --hours | --seed)
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

need_deps build test chaos
if [ -f "$build/build.ninja" ]; then
	ninja -C "$build" >/dev/null
else
	build_overlord "$build"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/overlord-chaos.XXXXXX")
child=
keep=
# shellcheck disable=SC2317
clean_up() {
	trap - EXIT
	if [ -n "$child" ]; then
		# With unshare all dies; else Python ends what it has started.
		signal=TERM
		[ -z "$namespaces" ] || signal=KILL
		kill -s "$signal" "$child" || true
		wait "$child" || true
	fi 2>/dev/null
	[ -n "$keep" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

namespaces="unshare --mount --pid --fork --kill-child --mount-proc"
# shellcheck disable=SC2086
[ "$(uname)" = Linux ] && $namespaces mount -t tmpfs chaos /dev/shm \
    2>/dev/null || namespaces=

# There the shell is process 1, and waits for what is nobody else's child.
# shellcheck disable=SC2016
inside='[ -z "$CHAOS_NAMESPACE" ] || mount -t tmpfs chaos /dev/shm
"$@"
exit $?'
# shellcheck disable=SC2086
CHAOS_NAMESPACE=${namespaces:+yes} OVERLORD_BUILD=$build \
    PYTHONDONTWRITEBYTECODE=1 $namespaces sh -c "$inside" sh "$PYTHON" \
    "$ROOT/test/chaos/chaos.py" --dir "$work" $words &
child=$!
rc=0
wait "$child" || rc=$?
child=
if [ "$rc" -ne 0 ]; then
	keep=yes
	echo "kept for inspection: $work"
fi
exit "$rc"
