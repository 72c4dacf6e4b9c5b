#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
#
# Compiles every source file for FreeBSD from Debian, against FreeBSD's own
# headers, and links overlord-exec.  It is meson's cross build with zig as the
# compiler (PyPI's ziglang carries FreeBSD's libc), the libraries' headers from
# Debian's -dev packages, and cJSON built from Debian's source package.
#
# It shows that the FreeBSD code compiles; what it does shows on FreeBSD only.
# What it fetches stays in build-freebsd/.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/test/lib.sh"

ZIG_VERSION=0.17.1
WORK=$ROOT/build-freebsd

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
exec "$zig" cc -target x86_64-freebsd "\$@"
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

# The libraries' headers, without glibc's beside them.

rm -rf "$WORK/include" "$WORK/pkgconfig"
mkdir "$WORK/include" "$WORK/pkgconfig"
multiarch=$(cc -print-multiarch 2>/dev/null || true)
for header in event2 cjson curl sodium openssl yaml.h lmdb.h sodium.h pcre2.h \
    zlib.h zconf.h; do
	for dir in /usr/include "/usr/include/$multiarch"; do
		[ ! -e "$dir/$header" ] ||
			cp -R "$dir/$header" "$WORK/include/"
	done
done
for module in libevent_core libevent_pthreads libevent_openssl yaml-0.1 \
    libcjson lmdb libsodium libcurl libpcre2-8 openssl zlib; do
	pkg-config --exists "$module" || continue
	libs=
	[ "$module" != libcjson ] || libs="-L$WORK/cjson -lcjson"
	cat >"$WORK/pkgconfig/$module.pc" <<END
Name: $module
Description: Debian's headers for the FreeBSD cross build
Version: $(pkg-config --modversion "$module")
Cflags: -isystem $WORK/include
Libs: $libs
END
done

# cJSON, the one library that overlord-exec links.

fetch_cjson() {
	# shellcheck disable=SC1091
	. /etc/os-release
	case $ID in
	debian) part=main ;;
	ubuntu) part=universe ;;
	*) die "cJSON's source comes from Debian or Ubuntu; this is $ID" ;;
	esac
	# Where this machine gets its packages, there are their sources.
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets 'Identifier: Packages' \
	    --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' |
		sed -n "s/^$VERSION_CODENAME $part //p" | head -n 1)
	[ -n "$mirror" ] ||
		die "apt has no source of $VERSION_CODENAME's $part"
	apt=$WORK/apt
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/src"
	keyring=/usr/share/keyrings/$ID-archive-keyring.gpg
	echo "deb-src [signed-by=$keyring] $mirror $VERSION_CODENAME $part" \
	    >"$apt/sources.list"
	# Directories of our own: the machine's lists stay as they are.
	cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
END
	(
		cd "$apt/src"
		export APT_CONFIG="$apt/apt.conf"
		apt-get -qq update
		apt-get -qq source --download-only cjson
		tar -xf cjson_*.orig.tar.* --strip-components 1
	) || die "could not fetch cJSON's source"
}

if ! [ -f "$WORK/cjson/libcjson.a" ]; then
	echo "building cJSON for FreeBSD"
	fetch_cjson
	rm -rf "$WORK/cjson"
	mkdir "$WORK/cjson"
	"$WORK/bin/cc" -O2 -fPIC -w -c "$WORK/apt/src/cJSON.c" \
	    -o "$WORK/cjson/cJSON.o"
	"$WORK/bin/ar" rcs "$WORK/cjson/libcjson.a" "$WORK/cjson/cJSON.o"
fi

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
# The programs other than overlord-exec need libraries that are not here.
xargs ninja -C "$build" -k 0 <"$WORK/objects" >"$WORK/compile.log" 2>&1 || {
	cat "$WORK/compile.log"
	faults=1
}

# A source file that no list of meson's names was not compiled.

cd "$ROOT"
find lib proto daemon cli -name '*.c' ! -name '*_linux.c' \
    ! -name '*_inotify.c' | sort >"$WORK/sources"
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

linked="overlord-exec NOT linked"
if ninja -C "$build" daemon/overlord-exec >"$WORK/link.log" 2>&1; then
	linked="overlord-exec linked"
else
	cat "$WORK/link.log"
	faults=1
fi

total=$(wc -l <"$WORK/sources")
compiled_n=$(comm -12 "$WORK/sources" "$WORK/compiled" | wc -l)
echo "freebsd-cross: $compiled_n of $total source files compiled, $linked"
exit "$faults"
