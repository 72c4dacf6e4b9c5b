#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# The main job, end to end: builds, starts a node on loopback with a state
# directory of its own, deploys docs/examples/filebrowser.yml, shows the progress
# and the final get-info, and stays up with a token and commands to try, until
# ^C.  AppJail and Director are the stand-ins of test/standin.
#
# usage: demo.sh [--once] [--build DIR]
#	--once		end as soon as the project is deployed, leaving nothing
#	--build DIR	build there (default: build)
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

once=
build=$ROOT/build
while [ $# -gt 0 ]; do
	case $1 in
	--once) once=yes ;;
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
echo "== build"
build_overlord "$build" -Dtests=true

work=$(mktemp -d "${TMPDIR:-/tmp}/overlord-demo.XXXXXX")
daemon=

clean_up() {
	trap - EXIT
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
	# What was deployed ends with the directory that holds it.
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$work/standin" "$work/home" "$work/tmp"
cat >"$work/overlord.yml" <<EOF
listen: ['127.0.0.1:0']
labels: [all, desktop]
statedir: $work/state
rundir: $work/run
helper: $build/daemon/overlord-exec
log:
  level: info
  file: $work/overlordd.log
appjail:
  jails: $work/standin/jails
director:
  projects: $work/standin/director/projects
  locks: $work/standin/director/locks
  logs: $work/standin/director/logs
EOF

echo "== start a node"
PATH=$build/test/standin/bin:$PATH
export PATH
export OVERLORD_CONFIG="$work/overlord.yml" HOME="$work/home" TMPDIR="$work/tmp"
STANDIN_ROOT=$work/standin "$build/daemon/overlordd" -F &
daemon=$!
tries=0
until [ -s "$work/run/listening" ]; do
	kill -0 "$daemon" 2>/dev/null || {
		cat "$work/overlordd.log" >&2
		die "overlordd did not start"
	}
	tries=$((tries + 1))
	[ "$tries" -lt 500 ] || die "overlordd does not listen after 10 s"
	"$PYTHON" -c 'import select; select.select([], [], [], 0.02)'
done
url=http://$(head -n 1 "$work/run/listening")
token=$("$build/cli/overlord" gen-token)
printf 'ENTRYPOINT=%s\nTOKEN=%s\n' "$url" "$token" >"$work/.env"
cd "$work"
cp "$ROOT/docs/examples/filebrowser.yml" .
echo "listening on $url, state in $work/state"

echo "== overlord apply -f filebrowser.yml --wait"
"$build/cli/overlord" apply -f filebrowser.yml --wait

echo "== overlord get-info -f filebrowser.yml -t projects --filter-per-project"
"$build/cli/overlord" get-info -f filebrowser.yml -t projects \
    --filter-per-project | tee info.txt
grep -q '^      state: DONE$' info.txt || die "the project is not DONE"
grep -q '^        operation: COMPLETED$' info.txt ||
	die "the job is not COMPLETED"

if [ -n "$once" ]; then
	echo "== done: DONE and COMPLETED"
	exit 0
fi

cat <<EOF

== the node is up until ^C.  In another terminal:

cd $work
export PATH=$build/cli:\$PATH
overlord jobs -f filebrowser.yml
overlord status -f filebrowser.yml
overlord apply -f filebrowser.yml --restart --wait
overlord destroy -f filebrowser.yml --wait
curl -H "Authorization: Bearer $token" $url/v1/jobs

log: $work/overlordd.log
EOF
wait "$daemon"
