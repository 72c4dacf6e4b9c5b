#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Installs a VM from the root file system of an AppJail image, which is imported
# first unless the entry point is "none".

synopsis='-a arch -i directory -I image -e entrypoint -j jail -t tag'
# shellcheck source-path=SCRIPTDIR source=vm-install.subr
. "${0%/*}/vm-install.subr"

arch=
images=
image_name=
entrypoint=
jail=
tag=
while getopts :a:i:I:e:j:t: option; do
	case $option in
	a) arch=$OPTARG ;;
	i) images=${OPTARG%/} ;;
	I) image_name=$OPTARG ;;
	e) entrypoint=$OPTARG ;;
	j) jail=$OPTARG ;;
	t) tag=$OPTARG ;;
	*) usage ;;
	esac
done
for given in "$arch" "$images" "$image_name" "$entrypoint" "$jail" "$tag"; do
	[ -n "$given" ] || usage
done
need_name 'an architecture' "$arch"
need_name 'an image' "$image_name"
need_name 'a tag' "$tag"

archive=$images/$image_name/$tag-$arch-image.appjail

# AppJail writes an image in its place; what it has not finished must not be
# taken for one, neither by it nor by the next install.
abandon_import() {
	[ "$(ls -li -- "$archive" 2>/dev/null)" = "$before" ] ||
		rm -f -- "$archive" "${archive%/*}/.done-${archive##*/}"
}

import() {
	before=$(ls -li -- "$archive" 2>/dev/null) || :
	mkdir -p -- "${images%/*}" || die "$EX_IOERR" "cannot make ${images%/*}"
	on_failure=abandon_import
	# The lock lies beside the directory: in it, AppJail would take it for
	# an image.
	step 'import the image' lockf -sk "$images.lock" appjail image import \
	    -a "$arch" -t "$tag" -n "$image_name" -- "$entrypoint"
	on_failure=
}

vm_begin "$jail"
vm_disk_open
[ "$entrypoint" = none ] || import
step 'extract the image' \
    tar -C "$mnt" --strip-components=2 -xf "$archive" ./jail/
vm_disk_close
vm_start
