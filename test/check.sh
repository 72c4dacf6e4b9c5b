#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Builds everything and runs every test: unit tests, the fuzzers' corpora and
# the lint scripts by meson, end-to-end tests by pytest.  Shows the runners'
# own totals; ends non-zero, and says what failed, if anything did.
#
# usage: check.sh [--build DIR] [--sanitize] [--unit] [--no-e2e] [--real]
#	--build DIR	build there (default: build, or build-asan)
#	--sanitize	with the address and undefined behaviour sanitizers
#	--unit		unit tests and corpora only
#	--no-e2e	no end-to-end tests
#	--real		only test/e2e/test_real.py, with the AppJail and Director
#			that are installed; ends with 69 where none are
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

usage() {
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
}

build=
sanitize=
lint=yes
e2e=yes
real=
while [ $# -gt 0 ]; do
	case $1 in
	--build)
		[ $# -ge 2 ] || usage
		build=$2
		shift
		;;
	--sanitize) sanitize=yes ;;
	--unit)
		lint=
		e2e=
		;;
	--no-e2e) e2e= ;;
	--real) real=yes ;;
	*) usage ;;
	esac
	shift
done
if [ -z "$build" ]; then
	build=$ROOT/build
	[ -z "$sanitize" ] || build=$ROOT/build-asan
fi
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac

[ -z "$real" ] || need_real
need_deps build test
if [ -n "$real" ]; then
	build_overlord "$build" ${sanitize:+-Dsanitize=address,undefined}
	cd "$ROOT"
	OVERLORD_REAL=yes OVERLORD_BUILD=$build PYTHONDONTWRITEBYTECODE=1 \
	    exec "$PYTHON" -m pytest -q -p no:cacheprovider \
	    test/e2e/test_real.py
fi
[ -z "$lint" ] || need_deps lint
# What they are made of has no packages for FreeBSD, nor always wheels.
[ -z "$e2e" ] || [ "$(uname)" = FreeBSD ] || need_openapi

if [ -n "$sanitize" ]; then
	# The sources are the same: the linters have seen them.
	lint=
	build_overlord "$build" -Dsanitize=address,undefined
else
	build_overlord "$build"
fi

failed=
cd "$ROOT"

suites="--suite unit --suite corpus"
[ -z "$lint" ] || suites="$suites --suite lint"
# shellcheck disable=SC2086
meson test -C "$build" --no-rebuild --print-errorlogs $suites ||
	failed="$failed unit tests or lint (meson test);"

if [ -n "$e2e" ] && ls test/e2e/test_*.py >/dev/null 2>&1; then
	# Programs under a sanitizer report to files, whoever started them and
	# wherever their output goes.
	reports=$build/sanitizer
	rm -rf "$reports"
	mkdir "$reports"
	OVERLORD_BUILD=$build PYTHONDONTWRITEBYTECODE=1 \
	    ASAN_OPTIONS="log_path=$reports/asan" \
	    UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1" \
	    timeout -k 10 900 "$PYTHON" -m pytest -q -p no:cacheprovider \
	    -n "${OVERLORD_TEST_JOBS:-$(($(cpus) * 2))}" test/e2e ||
		failed="$failed end-to-end tests (pytest);"
	for report in "$reports"/*; do
		[ -f "$report" ] || continue
		head -n 60 "$report"
		failed="$failed sanitizer report $report;"
	done
fi

if [ -n "$failed" ]; then
	echo "check: FAILED:$failed" >&2
	exit 1
fi
echo "check: all passed"
