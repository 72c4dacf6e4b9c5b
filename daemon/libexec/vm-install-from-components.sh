#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Installs a VM from the distribution sets of a FreeBSD release.  They are kept
# in a directory, fetched again only when the server has newer ones, and used
# only when their checksum is that of the release's MANIFEST.

synopsis='-c directory -j jail -u url component ...'
# shellcheck source-path=SCRIPTDIR source=vm-install.subr
. "${0%/*}/vm-install.subr"

directory=
jail=
url=
while getopts :c:j:u: option; do
	case $option in
	c) directory=$OPTARG ;;
	j) jail=$OPTARG ;;
	u) url=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ -z "$directory" ] || [ -z "$jail" ] || [ -z "$url" ] || [ $# -eq 0 ]; then
	usage
fi
case $url in
-*) die 64 "not a URL: $url" ;;
esac
for component; do
	need_name 'a component' "$component"
done

fetch_file() {
	step "fetch $1" lockf -sk "$directory/.lock" \
	    fetch -Rpm -o "$directory/$1" "$url/$1"
}

verify() {
	wanted=$(awk -v name="$1" '$1 == name { print $2; exit }' \
	    "$directory/MANIFEST")
	capture "verify $1" sha256 -q "$directory/$1"
	[ "$wanted" != "$value" ] || return 0
	# Or the next try would find nothing newer to fetch.
	rm -f -- "$directory/$1" "$directory/MANIFEST"
	echo "*INVALID CHECKSUM* :: $wanted != $value"
	die 1 "$doing: not what the MANIFEST of $url says"
}

vm_begin "$jail"
vm_disk_open
mkdir -p -- "$directory" || die "$EX_IOERR" "cannot make $directory"
fetch_file MANIFEST
for component; do
	fetch_file "$component"
	verify "$component"
done
for component; do
	step "extract $component" tar -C "$mnt" -xf "$directory/$component"
done
vm_disk_close
vm_start
