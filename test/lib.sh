# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
# shellcheck shell=sh
#
# What the scripts of test/ share; they source it.  A script sets ROOT first:
#
#	ROOT=$(cd "$(dirname "$0")/.." && pwd)
#	. "$ROOT/test/lib.sh"
#	need_deps build test
#	build_overlord "$ROOT/build"
#
# need_deps SET...  installs what is missing.  Nothing is asked of a package
#	manager while all that a set needs is there.  Sets: build, test, lint,
#	clang, cross, bench, openapi, interop.
# need_openapi  installs the checkers of the OpenAPI document from PyPI, into a
#	Python environment of their own, build-openapi/, and promtool; tests
#	that need them are skipped without.
# need_real  ends with 69 where AppJail and Director cannot be used.
# build_overlord DIR [MESON-OPTION...]  configures DIR when that is needed,
#	with warnings as errors, and builds: everything, or what
#	$BUILD_TARGETS names.
# cpus  prints how many there are.
# PYTHON  is the Python that has the test modules.

: "${ROOT:?is not set}"

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

cpus() {
	getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu
}

# The system's Python first: packages install their modules for that one.
find_python() {
	for PYTHON in /usr/bin/python3 /usr/local/bin/python3 python3; do
		if command -v "$PYTHON" >/dev/null 2>&1; then
			return
		fi
	done
	PYTHON=python3
}
find_python

has_commands() {
	for probe_word; do
		if ! command -v "$probe_word" >/dev/null 2>&1; then
			missing="$missing $probe_word"
		fi
	done
}

has_modules() {
	for probe_word; do
		if ! pkg-config --exists "$probe_word" 2>/dev/null; then
			missing="$missing $probe_word"
		fi
	done
}

has_python() {
	for probe_word; do
		if ! "$PYTHON" -c "import $probe_word" 2>/dev/null; then
			missing="$missing python:$probe_word"
		fi
	done
}

# Adds what the set SET lacks to $missing.
probe_set() {
	case $1 in
	build)
		has_commands cc meson ninja pkg-config python3
		has_modules libevent_core libevent_pthreads libevent_openssl \
		    yaml-0.1 libcjson lmdb libsodium libcurl libpcre2-8 \
		    openssl zlib
		;;
	test)
		has_commands ps curl openssl
		[ "$(uname)" != Linux ] || has_commands ip
		has_modules cmocka
		has_python pytest xdist yaml jwt mako
		;;
	lint)
		has_commands shellcheck mandoc
		has_python flake8
		;;
	clang)
		has_commands clang clang-format clang-tidy llvm-cov \
		    llvm-profdata
		echo 'int main(void) { return 0; }' |
			clang -fsanitize=address -x c - -o /dev/null \
			    2>/dev/null || missing="$missing clang-sanitizers"
		;;
	cross)
		has_commands pkg-config perl make
		has_python venv ensurepip
		;;
	openapi)
		has_commands promtool
		has_python venv ensurepip
		;;
	bench)
		has_commands nginx beanstalkd memcached wrk
		has_modules libevent_extra
		;;
	chaos)
		has_commands faketime
		[ "$(uname)" != Linux ] || has_commands unshare mount
		;;
	interop)
		has_commands etcd etcdctl haproxy dig
		[ "$(uname)" != Linux ] || has_commands unshare
		;;
	*)
		die "need_deps: no set '$1'"
		;;
	esac
}

packages_debian() {
	case $1 in
	build)
		echo gcc libc6-dev meson ninja-build pkg-config python3 \
		    libevent-dev libyaml-dev libcjson-dev liblmdb-dev \
		    libsodium-dev libcurl4-openssl-dev libpcre2-dev \
		    libssl-dev zlib1g-dev
		;;
	test)
		echo libcmocka-dev python3 python3-pytest \
		    python3-pytest-xdist python3-yaml python3-jwt \
		    python3-mako procps curl openssl iproute2
		;;
	lint) echo shellcheck mandoc python3-flake8 git ;;
	clang)
		echo clang clang-format clang-tidy llvm
		# The sanitizers' libraries are in a package of their own where
		# they are not in clang's.
		apt-cache depends clang 2>/dev/null |
			sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' |
			while read -r version; do
				version=libclang-rt-$version-dev
				! apt-cache show "$version" >/dev/null 2>&1 ||
					echo "$version"
			done
		;;
	cross) echo python3-venv python3-pip pkg-config perl make ;;
	openapi) echo python3-venv python3-pip prometheus ;;
	bench) echo nginx-light beanstalkd memcached wrk libevent-dev ;;
	chaos) echo faketime util-linux mount ;;
	interop)
		echo etcd-server etcd-client haproxy bind9-dnsutils util-linux
		;;
	esac
}

packages_freebsd() {
	case $1 in
	build)
		echo meson ninja pkgconf python3 libevent libyaml libcjson \
		    lmdb libsodium curl pcre2
		;;
	test)
		py=py311
		[ ! -x /usr/local/bin/python3 ] ||
			py=py$(/usr/local/bin/python3 -c \
			    'import sys; print("%d%d" % sys.version_info[:2])')
		echo cmocka python3 "$py-pytest" "$py-pytest-xdist" \
		    "$py-pyyaml" "$py-pyjwt" "$py-mako"
		;;
	lint) echo hs-ShellCheck git ;;
	clang) echo llvm ;;
	cross) ;;
	openapi) echo prometheus ;;
	bench) echo nginx beanstalkd memcached wrk ;;
	chaos) echo libfaketime ;;
	interop) echo coreos-etcd34 haproxy bind-tools ;;
	esac
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo -n "$@"
	else
		die "needs root to install packages: run as root: $*"
	fi
}

install_packages() {
	if command -v apt-get >/dev/null 2>&1; then
		as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
		packages=
		for probe_word; do
			packages="$packages $(packages_debian "$probe_word" |
				tr '\n' ' ')"
		done
		echo "installing:$packages"
		# A package that starts a server must not start it here.
		# shellcheck disable=SC2086
		as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		    apt-get -qq -y -o DPkg::Lock::Timeout=300 \
		    -o Dpkg::Use-Pty=0 --no-install-recommends install \
		    $packages </dev/null >/dev/null
	elif command -v pkg >/dev/null 2>&1; then
		packages=
		for probe_word; do
			packages="$packages $(packages_freebsd "$probe_word")"
		done
		echo "installing:$packages"
		# shellcheck disable=SC2086
		as_root pkg install -y $packages </dev/null
	else
		die "missing:$missing; no apt-get or pkg to install it with"
	fi
}

need_deps() {
	need_sets=
	for set_name; do
		missing=
		probe_set "$set_name"
		if [ -n "$missing" ]; then
			echo "missing for $set_name:$missing"
			need_sets="$need_sets $set_name"
		fi
	done
	[ -n "$need_sets" ] || return 0
	# shellcheck disable=SC2086
	install_packages $need_sets || die "could not install what is missing"
	find_python
	missing=
	for set_name in $need_sets; do
		probe_set "$set_name"
	done
	[ -z "$missing" ] || die "still missing:$missing"
}

need_real() {
	why=
	if [ "$(uname)" != FreeBSD ]; then
		why="they exist on FreeBSD only, and this is $(uname)"
	else
		missing=
		has_commands appjail appjail-director
		[ -z "$missing" ] || why="not installed:$missing"
		[ -n "$why" ] || [ "$(id -u)" -eq 0 ] || why="they need root"
	fi
	[ -n "$why" ] || return 0
	echo "$(basename "$0"): --real needs AppJail and Director: $why" >&2
	exit 69
}

OPENAPI_TOOLS="schemathesis==4.32.5 openapi-spec-validator==0.9.0"

need_openapi() {
	need_deps openapi
	openapi_dir=$ROOT/build-openapi
	if [ "$OPENAPI_TOOLS" = "$(cat "$openapi_dir/.tools" 2>/dev/null)" ]; then
		return
	fi
	echo "installing: $OPENAPI_TOOLS"
	rm -rf "$openapi_dir"
	"$PYTHON" -m venv "$openapi_dir"
	# shellcheck disable=SC2086
	"$openapi_dir/bin/pip" -q --disable-pip-version-check install \
	    $OPENAPI_TOOLS || die "could not install $OPENAPI_TOOLS"
	echo "$OPENAPI_TOOLS" >"$openapi_dir/.tools"
}

build_overlord() {
	build_dir=$1
	shift
	mkdir -p "$build_dir"
	options="-Dwerror=true $*"
	again=
	[ ! -f "$build_dir/build.ninja" ] || again=--reconfigure
	if [ -z "$again" ] ||
	    [ "$options" != "$(cat "$build_dir/.options" 2>/dev/null)" ]; then
		# shellcheck disable=SC2086
		if ! meson setup $again "$build_dir" "$ROOT" -Dwerror=true \
		    "$@" >"$build_dir/setup.log" 2>&1; then
			cat "$build_dir/setup.log"
			die "meson setup failed"
		fi
		echo "$options" >"$build_dir/.options"
	fi
	# shellcheck disable=SC2086
	if ! ninja -C "$build_dir" ${BUILD_TARGETS:-} \
	    >"$build_dir/ninja.log" 2>&1; then
		tail -n 200 "$build_dir/ninja.log"
		die "the build failed"
	fi
	tail -n 1 "$build_dir/ninja.log"
}
