#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Compiles every source file for FreeBSD from Debian, against FreeBSD's own
# headers, and links overlord-exec.  It is meson's cross build with zig as the
# compiler (PyPI's ziglang carries FreeBSD's libc), the libraries' headers from
# Debian's -dev packages, and cJSON built from Debian's source package.
#
# usage: freebsd-cross.sh [--link]
#	--link	builds all libraries (freebsd-libs.sh; that takes a while, the
#		first time), links every program with them, and names each
#		symbol that FreeBSD's libraries lack, with who needs it
#
# It shows that the FreeBSD code compiles; what it does shows on FreeBSD only.
# What it fetches stays in build-freebsd/.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

ZIG_VERSION=0.17.1
# The oldest that has to do: what came later is not in its libc.
FREEBSD=14.0
WORK=$ROOT/build-freebsd

link=
case $#:${1:-} in
0:) ;;
1:--link) link=yes ;;
*)
	sed -n 's/^# \(usage:.*\)/\1/p' "$0" >&2
	exit 64
	;;
esac

[ "$(uname)" != FreeBSD ] || die "this is FreeBSD: sh test/check.sh is enough"
need_deps build cross
mkdir -p "$WORK/bin"
export ZIG_GLOBAL_CACHE_DIR="$WORK/zig-cache"
export ZIG_LOCAL_CACHE_DIR="$WORK/zig-cache"

# The compiler.

if ! [ -f "$WORK/venv/.zig-$ZIG_VERSION" ]; then
	echo "fetching ziglang $ZIG_VERSION from PyPI"
	rm -rf "$WORK/venv"
	"$PYTHON" -m venv "$WORK/venv"
	"$WORK/venv/bin/pip" -q --disable-pip-version-check install \
	    "ziglang==$ZIG_VERSION" || die "could not install ziglang"
	touch "$WORK/venv/.zig-$ZIG_VERSION"
fi
zig=$(find "$WORK/venv" -path '*/ziglang/zig' -type f | head -n 1)
[ -n "$zig" ] || die "no zig in $WORK/venv"

cat >"$WORK/bin/cc" <<END
#!/bin/sh
# meson asks for the linker's name and does not know zig's, which is an LLD.
case " \$* " in
*' -Wl,--version '*)
	echo "LLD 19.0.0 (compatible with GNU linkers)"
	exit 0
	;;
esac
exec "$zig" cc -target x86_64-freebsd.$FREEBSD "\$@"
END
cat >"$WORK/bin/ar" <<END
#!/bin/sh
exec "$zig" ar "\$@"
END
cat >"$WORK/bin/pkg-config" <<END
#!/bin/sh
PKG_CONFIG_LIBDIR="$WORK/pkgconfig" exec pkg-config "\$@"
END
chmod +x "$WORK/bin/cc" "$WORK/bin/ar" "$WORK/bin/pkg-config"

# The libraries.  Without --link only overlord-exec's one is needed, and of the
# others the headers, without glibc's beside them.

# shellcheck source=test/freebsd-libs.sh
. "$ROOT/test/freebsd-libs.sh"

programs=daemon/overlord-exec
rm -rf "$WORK/include" "$WORK/pkgconfig"
mkdir "$WORK/include" "$WORK/pkgconfig"
if [ -n "$link" ]; then
	programs="$programs daemon/overlordd cli/overlord"
	build_libs cjson libyaml lmdb zlib pcre2 libsodium openssl libevent curl
	cp -R "$PREFIX/include/." "$WORK/include/"
else
	build_libs cjson
	multiarch=$(cc -print-multiarch 2>/dev/null || true)
	for header in event2 cjson curl sodium openssl yaml.h lmdb.h sodium.h \
	    pcre2.h zlib.h zconf.h; do
		for dir in /usr/include "/usr/include/$multiarch"; do
			[ ! -e "$dir/$header" ] ||
				cp -R "$dir/$header" "$WORK/include/"
		done
	done
fi
while read -r module libs; do
	[ -n "$link" ] || [ "$module" = libcjson ] || libs=
	pkg-config --exists "$module" || continue
	cat >"$WORK/pkgconfig/$module.pc" <<-PC
		Name: $module
		Description: for the FreeBSD cross build
		Version: $(pkg-config --modversion "$module")
		Cflags: -isystem $WORK/include
		Libs: ${libs:+-L$PREFIX/lib }$libs
	PC
done <<END
libevent_core -levent_core
libevent_pthreads -levent_pthreads -levent_core
libevent_openssl -levent_openssl -levent_core -lssl -lcrypto
yaml-0.1 -lyaml
libcjson -lcjson
lmdb -llmdb
libsodium -lsodium
libcurl -lcurl -lssl -lcrypto -lz
libpcre2-8 -lpcre2-8
openssl -lssl -lcrypto
zlib -lz
END

# The build.

cat >"$WORK/cross.ini" <<END
[binaries]
c = '$WORK/bin/cc'
ar = '$WORK/bin/ar'
pkgconfig = '$WORK/bin/pkg-config'
strip = 'true'

[host_machine]
system = 'freebsd'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
END

build=$WORK/build
rm -rf "$build"
meson setup "$build" "$ROOT" --cross-file "$WORK/cross.ini" -Dwerror=true \
    -Dtests=false >"$WORK/setup.log" 2>&1 || {
	cat "$WORK/setup.log"
	die "meson setup failed"
}
ninja -C "$build" -t targets all | sed -n 's/^\(.*\.o\): .*/\1/p' \
    >"$WORK/objects"
faults=0
# The programs come last: some need libraries that may not be here.
xargs ninja -C "$build" -k 0 <"$WORK/objects" >"$WORK/compile.log" 2>&1 || {
	cat "$WORK/compile.log"
	faults=1
}

# A source file that no list of meson's names was not compiled.

cd "$ROOT"
find lib proto daemon cli -name '*.c' ! -name '*_linux.c' \
    ! -name '*_inotify.c' ! -name '*_none.c' | sort >"$WORK/sources"
ninja -C "$build" -t compdb |
    "$PYTHON" -c '
import json, os, sys
base = sys.argv[1]
for c in json.load(sys.stdin):
    if c["output"].endswith(".o") and os.path.exists(
            os.path.join(c["directory"], c["output"])):
        print(os.path.relpath(os.path.join(c["directory"], c["file"]), base))
' "$ROOT" | sort -u >"$WORK/compiled"
left=$(comm -23 "$WORK/sources" "$WORK/compiled")
if [ -n "$left" ]; then
	echo "not compiled:"
	echo "$left"
	faults=1
fi

# What a program needs and nobody has.  The linker stops after some; so what it
# names is made up, and it is asked again.
name_lacking() {
	command=$(ninja -C "$build" -t commands "$1" | tail -n 1)
	: >"$WORK/lacking.c"
	while :; do
		"$WORK/bin/cc" -w -fno-builtin -c "$WORK/lacking.c" \
		    -o "$WORK/lacking.o"
		if (cd "$build" && sh -c "$command $WORK/lacking.o") \
		    >"$WORK/link.log" 2>&1; then
			rm -f "$build/$1"
			return
		fi
		awk '
		/undefined symbol:/ { symbol = $NF; next }
		/^>>>/ && symbol != "" { where[symbol] = $0 }
		END {
			for (symbol in where) {
				sub(/^>>> *(referenced by)? */, "", where[symbol])
				print symbol "\t" where[symbol]
			}
		}' "$WORK/link.log" | sort >"$WORK/lacking"
		# It has failed for some other reason.
		if [ ! -s "$WORK/lacking" ]; then
			cat "$WORK/link.log"
			return
		fi
		sed "s|^\([^	]*\)	|$1 lacks \1, needed by |" "$WORK/lacking"
		sed 's|^\([^	]*\)	.*|char \1[1];|' "$WORK/lacking" \
		    >>"$WORK/lacking.c"
	done
}

linked=
for program in $programs; do
	name=${program##*/}
	if ninja -C "$build" "$program" >"$WORK/link.log" 2>&1; then
		linked="$linked, $name linked"
		[ -z "$link" ] ||
			echo "$name: $(nm -D -u "$build/$program" | wc -l)" \
			    "symbols of FreeBSD $FREEBSD's" \
			    "$(readelf -d "$build/$program" |
				sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
				xargs), none lacking"
	else
		name_lacking "$program"
		linked="$linked, $name NOT linked"
		faults=1
	fi
done

total=$(wc -l <"$WORK/sources")
compiled_n=$(comm -12 "$WORK/sources" "$WORK/compiled" | wc -l)
echo "freebsd-cross: $compiled_n of $total source files compiled$linked"
exit "$faults"
