#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Boots the guest of a VM whose disk is ready, now and whenever its jail starts.

synopsis='-j jail'
# shellcheck source-path=SCRIPTDIR source=vm-install.subr
. "${0%/*}/vm-install.subr"

jail=
while getopts :j: option; do
	case $option in
	j) jail=$OPTARG ;;
	*) usage ;;
	esac
done
[ -n "$jail" ] || usage

vm_begin "$jail"
vm_start
