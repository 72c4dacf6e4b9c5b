#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# The main job, end to end: builds, starts a tree of five nodes on loopback
#
#	              bravo
#	             /
#	main <---> alpha
#	             \
#	              charlie <---> delta
#
# each with a state directory of its own, deploys docs/examples/filebrowser.yml
# on main and docs/examples/mariadb.yml on the two that are labelled "db-only",
# shows the progress and the final get-info of all, and stays up with a token and
# commands to try, until ^C.  AppJail and Director are the stand-ins of
# test/standin.
#
# usage: demo.sh [--once] [--build DIR] [--real]
#	--once		end as soon as all is deployed, leaving nothing
#	--build DIR	build there (default: build)
#	--real		with the AppJail and the Director of this machine, which
#			have to be set up: one node, and one small jail, which is
#			destroyed at the end; ends with 69 where there are none
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

once=
real=
build=$ROOT/build
while [ $# -gt 0 ]; do
	case $1 in
	--once) once=yes ;;
	--real) real=yes ;;
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

[ -z "$real" ] || need_real
need_deps build test
echo "== build"
build_overlord "$build" -Dtests=true

work=$(mktemp -d "${TMPDIR:-/tmp}/overlord-demo.XXXXXX")
daemons=

clean_up() {
	trap - EXIT
	# Of the real ones nothing else would.
	[ -z "$real" ] || [ ! -f "$work/hello.yml" ] ||
		(cd "$work" && overlord destroy -f hello.yml --wait) || true
	for pid in $daemons; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in $daemons; do
		wait "$pid" 2>/dev/null || true
	done
	# Jails outlive their daemon, as they should.
	for pidfile in "$work"/*/standin/jails/*/jaild.pid; do
		[ ! -s "$pidfile" ] || end "$(cat "$pidfile")"
	done
	rm -rf "$work"
}

# end PID: ends what is no child of this shell, and waits for that.
end() {
	kill "$1" 2>/dev/null || return 0
	tries=0
	while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do
		tries=$((tries + 1))
		nap
	done
}

nap() {
	"$PYTHON" -c 'import select; select.select([], [], [], 0.02)'
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# configure NAME LABELS [CHILD...]: writes the configuration of a node.  The
# children run already: an address and a token of each belong into it.
configure() {
	dir=$work/$1
	labels=$2
	shift 2
	mkdir -p "$dir/standin" "$dir/home" "$dir/tmp"
	cat >"$dir/overlord.yml" <<-EOF
		listen: ['127.0.0.1:0']
		labels: [$labels]
		statedir: $dir/state
		rundir: $dir/run
		helper: $build/daemon/overlord-exec
		# The checkout may be anybody's.
		trusted_programs: false
		log: {level: info, file: $dir/overlordd.log}
	EOF
	[ -n "$real" ] || cat >>"$dir/overlord.yml" <<-EOF
		appjail:
		  jails: $dir/standin/jails
		director:
		  projects: $dir/standin/director/projects
		  locks: $dir/standin/director/locks
		  logs: $dir/standin/director/logs
	EOF
	echo chains: >>"$dir/overlord.yml"
	for child; do
		printf '  %s: {entrypoint: "%s", access_token: "%s"}\n' \
		    "$child" "$(url_of "$child")" "$(token_of "$child")"
	done >>"$dir/overlord.yml"
}

# start NAME: starts a node, and returns when it listens.
start() {
	dir=$work/$1
	home=$dir/home
	[ -z "$real" ] || home=$HOME
	OVERLORD_CONFIG=$dir/overlord.yml STANDIN_ROOT=$dir/standin \
	    HOME=$home TMPDIR=$dir/tmp "$build/daemon/overlordd" -F &
	pid=$!
	daemons="$daemons $pid"
	tries=0
	until [ -s "$dir/run/listening" ]; do
		kill -0 "$pid" 2>/dev/null || {
			cat "$dir/overlordd.log" >&2
			die "overlordd of $1 did not start"
		}
		tries=$((tries + 1))
		[ "$tries" -lt 500 ] || die "$1 does not listen after 10 s"
		nap
	done
	echo "$1 listens on $(url_of "$1")"
}

url_of() {
	echo "http://$(head -n 1 "$work/$1/run/listening")"
}

token_of() {
	OVERLORD_CONFIG=$work/$1/overlord.yml overlord gen-token
}

# run COMMAND...: shows a command of the client, and runs it.
run() {
	printf '\n== %s\n' "$*"
	"$@"
}

# A tree, and two projects that want to be in different places of it.
start_tree() {
	PATH=$build/test/standin/bin:$PATH
	configure delta 'all, db-only'
	start delta
	configure charlie 'all, db-only' delta
	start charlie
	configure bravo all
	start bravo
	configure alpha all charlie
	start alpha
	configure main 'all, desktop' alpha bravo
	start main
	names='filebrowser mariadb'
	chain=chain/alpha.charlie.delta/
	cp "$ROOT/docs/examples/filebrowser.yml" \
	    "$ROOT/docs/examples/mariadb.yml" "$work"
}

# One node, and as small a jail as AppJail makes.
start_real() {
	configure main 'all, desktop'
	start main
	names=hello
	chain=
	echo 'OPTION start' >"$work/Makejail"
	cat >"$work/hello.yml" <<-EOF
		kind: directorProject
		datacenters:
		  main:
		    entrypoint: !ENV '\${ENTRYPOINT}'
		    access_token: !ENV '\${TOKEN}'
		deployIn:
		  labels: [desktop]
		projectName: overlord-demo
		projectFile: |
		  services:
		    hello:
		      name: overlord-demo
		      makejail: $work/Makejail
	EOF
}

echo "== start"
PATH=$build/cli:$PATH
if [ -n "$real" ]; then
	start_real
else
	start_tree
fi
export PATH

cd "$work"
url=$(url_of main)
token=$(token_of main)
printf 'ENTRYPOINT=%s\nTOKEN=%s\n' "$url" "$token" >.env
export OVERLORD_CONFIG="$work/main/overlord.yml" HOME="$work/main/home"

for name in $names; do
	run overlord apply -f "$name.yml" --wait
done
for name in $names; do
	run overlord get-info -f "$name.yml" -t projects --filter-per-project |
		tee "$name.info"
done
run overlord status -f "$name.yml" --all

# expect N WORDS FILE: so many lines of the file are just these words.
expect() {
	[ "$(grep -c "^ *$2\$" "$3")" -eq "$1" ] || die "$3: not $1 times '$2'"
}
for name in $names; do
	n=1
	[ "$name" != mariadb ] || n=2
	expect "$n" 'state: DONE' "$name.info"
	expect "$n" 'operation: COMPLETED' "$name.info"
done
if [ -z "$real" ]; then
	for project in */standin/director/projects/*; do
		echo "${project%%/*} ${project##*/}"
	done >where
	printf '%s\n' 'charlie mariadb' 'delta mariadb' 'main filebrowser' |
		cmp -s - where || die "not where it belongs: $(cat where)"
fi

if [ -n "$once" ]; then
	printf '\n== done: all DONE and COMPLETED, each where it belongs\n'
	exit 0
fi

cat <<EOF

== all is up until ^C.  In another terminal:

cd $work
export PATH=$build/cli:\$PATH
overlord status -f $name.yml --all -o wide
overlord jobs -f $name.yml
overlord apply -f $name.yml --restart --wait
overlord destroy -f "$name.yml" --wait
curl -H "Authorization: Bearer $token" $url/v1/${chain}projects

root: $url
token: $token
log of each node: $work/NAME/overlordd.log
EOF
wait
