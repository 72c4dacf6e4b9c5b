#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# tools.sh shell|python|man|format: an outside checker over the files that are
# its business.  77, which meson shows as skipped, when it is not installed.
set -eu
cd "$(dirname "$0")/../.."

have() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "$1 is not installed"
	exit 77
}

# Names of files, by git if there is one.
files() {
	if git -c safe.directory='*' ls-files >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files --cached --others \
		    --exclude-standard -- "$@" 2>/dev/null | sort -u |
		    while read -r f; do
			[ ! -f "$f" ] || echo "$f"
		    done
	else
		for pattern; do
			find . -path './build*' -prune -o -type f \
			    -name "$pattern" -print
		done
	fi
}

none() {
	[ -s "$list" ] && return
	echo "no such files"
	exit 0
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
case $1 in
shell)
	have shellcheck
	{
		files '*.sh'
		files .ci/run daemon/rc.d/overlordd.in test/standin/rc.subr
		# Programs in sh without the ending.
		files 'test/standin/bin/*' 'daemon/libexec/*' | while read -r f; do
			case $(head -n 1 "$f" | tr -d '\0') in
			'#!/bin/sh'*) echo "$f" ;;
			esac
		done
	} | sort -u >"$list"
	none
	xargs shellcheck -x <"$list"
	;;
python)
	{
		files '*.py'
		files 'test/standin/bin/*' | while read -r f; do
			case $(head -n 1 "$f" | tr -d '\0') in
			'#!'*python3*) echo "$f" ;;
			esac
		done
	} | sort -u >"$list"
	none
	python=python3
	[ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
	if ! "$python" -c 'import flake8' 2>/dev/null; then
		echo "flake8 is not installed"
		exit 77
	fi
	xargs "$python" -m flake8 --max-line-length 100 <"$list"
	;;
man)
	have mandoc
	files 'docs/*.[1578]' >"$list"
	none
	xargs mandoc -T lint -W warning <"$list"
	;;
format)
	have clang-format
	case $(clang-format --version) in
	*'version 14.'*) ;;
	*)
		echo "the format is that of clang-format 14"
		exit 77
		;;
	esac
	files '*.c' '*.h' >"$list"
	none
	faults=0
	while read -r f; do
		clang-format "$f" | cmp -s - "$f" && continue
		echo "$f: clang-format would change it"
		faults=$((faults + 1))
	done <"$list"
	[ "$faults" -eq 0 ] || exit 1
	;;
*)
	echo "usage: tools.sh shell|python|man|format" >&2
	exit 64
	;;
esac
echo "$1: $(wc -l <"$list") files checked"
