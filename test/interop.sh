#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Special labels against the real programs: a cluster of etcd, CoreDNS with its
# etcd plugin, HAProxy.  Installs what it needs, builds CoreDNS once (kept in
# $INTEROP_CACHE, by default build-interop/), runs test/interop in a network
# namespace with some addresses, and says what ran and what did not, and why.
#
# HAProxy's Data Plane API is the stand-in of test/e2e/dataplane.py, before a
# real HAProxy: no distribution that we build on has it, and `go install`
# cannot, since its module's path lacks its major version.
#
# usage: interop.sh [--build DIR] [TEST...]
#	--build DIR	build there (default: build)
#	TEST...		arguments of pytest, such as -k names
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

build=$ROOT/build
case ${1:-} in
--build)
	[ $# -ge 2 ] || die "--build needs a directory"
	build=$(mkdir -p "$2" && cd "$2" && pwd)
	shift 2
	;;
-h | --help)
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
	;;
esac
cache=${INTEROP_CACHE:-$ROOT/build-interop}
mkdir -p "$cache"

# The newest version that builds here; an old Go has an old one.
COREDNS_VERSIONS="latest v1.12.4 v1.11.4 v1.10.1"
# Seconds for each command of Go: a download may hang.
GO_SECONDS=300

# Builds CoreDNS at a version in a directory of its own, gently.  124: it took
# too long.
build_coredns() {
	rm -rf "$cache/src/coredns"
	mkdir -p "$cache/src/coredns"
	cp "$ROOT/test/interop/coredns.go" "$cache/src/coredns/main.go"
	(
		cd "$cache/src/coredns"
		export GOFLAGS="-modcacherw ${GOFLAGS:-}" HOME="${HOME:-$cache}"
		go="nice timeout $GO_SECONDS go"
		$go mod init interop/coredns &&
			$go get "github.com/coredns/coredns@$1" &&
			$go mod tidy &&
			$go build -o "$cache/coredns.new" .
	) >"$cache/coredns.log" 2>&1 || return
	mv "$cache/coredns.new" "$cache/coredns"
}

# Sets $coredns, or $why_coredns.
find_coredns() {
	coredns=
	why_coredns=
	if [ -x "$cache/coredns" ]; then
		coredns=$cache/coredns
		return
	fi
	if ! command -v go >/dev/null 2>&1; then
		why_coredns="there is no Go to build it with"
		return
	fi
	for version in $COREDNS_VERSIONS; do
		echo "building CoreDNS $version"
		rc=0
		build_coredns "$version" || rc=$?
		case $rc in
		0)
			coredns=$cache/coredns
			return
			;;
		124)
			why_coredns="Go took more than $GO_SECONDS s"
			return
			;;
		esac
	done
	why_coredns="it does not build: $(tail -n 1 "$cache/coredns.log")"
}

version_of() {
	"$@" 2>&1 | sed -n '/[0-9]\.[0-9]/{s/[^0-9]*\([0-9][0-9.]*\).*/\1/p;q;}'
}

need_deps build test interop
echo "== build"
build_overlord "$build" -Dtests=true
find_coredns

echo "== components"
echo "etcd $(version_of etcd --version)"
echo "HAProxy $(version_of haproxy -v)," \
    "behind a stand-in of its Data Plane API"
if [ -n "$coredns" ]; then
	echo "CoreDNS $(version_of "$coredns" -version)"
else
	echo "CoreDNS: skipped, $why_coredns"
fi

echo "== tests"
export OVERLORD_BUILD="$build" INTEROP_COREDNS="$coredns"
export INTEROP_WHY_COREDNS="$why_coredns"
set -- "$PYTHON" -m pytest -v -rs -p no:cacheprovider "$@" \
    "$ROOT/test/interop"
# A namespace has addresses for three nodes, and ends with its last process.
if [ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null; then
	export INTEROP_IPV4="10.77.0.11 10.77.0.12 10.77.0.13"
	export INTEROP_IPV6="fd77::11 fd77::12 fd77::13"
	# shellcheck disable=SC2016
	unshare --net sh -euc '
		ip link set lo up
		for a in $INTEROP_IPV4; do ip addr add "$a/32" dev lo; done
		for a in $INTEROP_IPV6; do
			ip addr add "$a/128" dev lo 2>/dev/null || INTEROP_IPV6=
		done
		exec "$@"' interop "$@"
else
	INTEROP_WHY="no network namespace without root" "$@"
fi
