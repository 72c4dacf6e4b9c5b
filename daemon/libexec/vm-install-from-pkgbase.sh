#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Installs a VM from packages of the FreeBSD base system.

synopsis='-a arch [-c directory] [-f directory] -j jail -v version package ...'
# shellcheck source-path=SCRIPTDIR source=vm-install.subr
. "${0%/*}/vm-install.subr"

arch=
repositories=@PKGBASE_DIR@
fingerprints=/usr/share/keys/pkg
jail=
version=
while getopts :a:c:f:j:v: option; do
	case $option in
	a) arch=$OPTARG ;;
	c) repositories=$OPTARG ;;
	f) fingerprints=$OPTARG ;;
	j) jail=$OPTARG ;;
	v) version=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ -z "$arch" ] || [ -z "$jail" ] || [ -z "$version" ] || [ $# -eq 0 ]; then
	usage
fi

vm_begin "$jail"
vm_disk_open
if [ "$fingerprints" != none ]; then
	keys=$mnt/usr/share/keys
	step 'make the directory of the fingerprints' mkdir -p -- "$keys"
	step 'copy the fingerprints' cp -a -- "$fingerprints" "$keys"
fi
step 'install the packages' env IGNORE_OSVERSION=yes \
    ABI="FreeBSD:$version:$arch" ASSUME_ALWAYS_YES=yes \
    pkg --rootdir "$mnt" --repo-conf-dir "$repositories" install -- "$@"
vm_disk_close
vm_start
