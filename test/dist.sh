#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Makes the archive of a release out of what is committed, and builds from it as
# packagers do, outside of the working copy: install and uninstall included.
# Prints where the archive is.
#
# usage: dist.sh [BUILD-DIR]	(default: build-release)
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

build=${1:-$ROOT/build-release}
need_deps build
BUILD_TARGETS=build.ninja build_overlord "$build" --buildtype=release \
    -Dtests=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run() {
	"$@" >"$work/log" 2>&1 || { tail -n 100 "$work/log" >&2; die "$1 failed"; }
}

run meson dist -C "$build" --no-tests --formats xztar
version=$(meson introspect --projectinfo "$build" |
	sed 's/.*"version": "\([^"]*\)".*/\1/')
archive=$build/meson-dist/overlord-$version.tar.xz

tar -C "$work" -xJf "$archive"
source=$work/overlord-$version
[ -f "$source/meson.build" ] || die "$archive: no directory overlord-$version"
run meson setup "$work/build" "$source" --buildtype=release -Dtests=false \
    -Dwerror=true
run ninja -C "$work/build"
export DESTDIR="$work/dest"
run meson install -C "$work/build" --no-rebuild
for program in bin/overlord sbin/overlordd; do
	said=$("$DESTDIR/usr/local/$program" --version)
	case $said in
	*" $version") ;;
	*) die "$program of $archive says '$said'" ;;
	esac
done
run ninja -C "$work/build" uninstall
left=$(find "$work" -path "$DESTDIR/*" ! -type d)
[ -z "$left" ] || die "uninstall leaves $left"
echo "$archive"
