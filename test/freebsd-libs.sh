# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
# shellcheck shell=sh
#
# The libraries for FreeBSD, as static archives, from the sources of Debian's
# packages (as their authors published them, without Debian's patches);
# freebsd-cross.sh sources it.  It wants die(), $WORK, and the tools in
# $WORK/bin; and keeps what it has built in $WORK/prefix.
#
# build_libs SOURCE...  fetches and builds what is missing of these.
#
# Small ones are compiled file by file, without their own build systems: it
# needs no more tools and spares some hundred tests of the compiler.

PREFIX=$WORK/prefix

fetch_sources() {
	# shellcheck disable=SC1091
	. /etc/os-release
	case $ID in
	debian) parts=main ;;
	ubuntu) parts='main universe' ;;
	*) die "sources come from Debian or Ubuntu; this is $ID" ;;
	esac
	apt=$WORK/apt
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/src"
	keyring=/usr/share/keyrings/$ID-archive-keyring.gpg
	for part in $parts; do
		# Where this machine gets its packages, there are their sources.
		# shellcheck disable=SC2016
		mirror=$(apt-get indextargets 'Identifier: Packages' \
		    --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' |
			sed -n "s/^$VERSION_CODENAME $part //p" | head -n 1)
		[ -n "$mirror" ] ||
			die "apt has no source of $VERSION_CODENAME's $part"
		echo "deb-src [signed-by=$keyring] $mirror" \
		    "$VERSION_CODENAME $part"
	done >"$apt/sources.list"
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
		apt-get -qq source --download-only "$@"
	) || die "could not fetch the sources of $*"
}

# unpack SOURCE: into $WORK/src/SOURCE, from scratch.
unpack() {
	rm -rf "$WORK/src/$1"
	mkdir -p "$WORK/src/$1"
	for tarball in "$WORK/apt/src/$1"_*.orig.tar.*; do
		case $tarball in
		*.asc) ;;
		*) tar -xf "$tarball" --strip-components 1 -C "$WORK/src/$1" ;;
		esac
	done
}

# compile LIBRARY FLAGS FILE...: makes libLIBRARY.a of files below the current
# directory.
compile() {
	archive=$PREFIX/lib/lib$1.a
	flags=$2
	shift 2
	rm -rf .objects "$archive"
	mkdir .objects
	for file; do
		# shellcheck disable=SC2086
		"$WORK/bin/cc" -O2 -fPIC -w $flags -c "$file" \
		    -o ".objects/$(echo "${file#./}" | tr / .).o" || return 1
	done
	"$WORK/bin/ar" rcs "$archive" .objects/*.o
}

# configured LIBRARY OPTION...: by a configure script, from the current
# directory.
configured() {
	./configure --host=x86_64-unknown-freebsd --prefix="$PREFIX" \
	    --enable-static --disable-shared CC="$WORK/bin/cc" \
	    AR="$WORK/bin/ar" RANLIB=true CFLAGS='-O2 -fPIC -w' \
	    CPPFLAGS="-I$PREFIX/include" LDFLAGS="-L$PREFIX/lib" "$@" \
	    >configure.log
}

# Each runs in its unpacked source.

build_cjson() {
	compile cjson '' cJSON.c
	mkdir -p "$PREFIX/include/cjson"
	cp cJSON.h "$PREFIX/include/cjson/"
}

# Nobody asks these two for their version.
build_libyaml() {
	compile yaml '-Iinclude -DYAML_VERSION_STRING=""
	    -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=0
	    -DYAML_VERSION_PATCH=0' src/*.c
	cp include/yaml.h "$PREFIX/include/"
}

build_lmdb() {
	cd libraries/liblmdb || return
	compile lmdb -pthread mdb.c midl.c
	cp lmdb.h "$PREFIX/include/"
}

# Without the processor's extensions, which configure would find.
build_libsodium() {
	cd src/libsodium || return
	sed -e 's/@SODIUM_LIBRARY_MINIMAL_DEF@//' -e 's/@[A-Z_]*@/0/' \
	    include/sodium/version.h.in >include/sodium/version.h
	# shellcheck disable=SC2046
	compile sodium '-Iinclude -Iinclude/sodium -DCONFIGURED=1
	    -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_TI_MODE=1 -DHAVE_PTHREAD=1
	    -DHAVE_SYS_MMAN_H=1 -DHAVE_MMAP=1 -DHAVE_MLOCK=1
	    -DHAVE_MPROTECT=1 -DHAVE_EXPLICIT_BZERO=1 -DHAVE_GETENTROPY=1
	    -DHAVE_POSIX_MEMALIGN=1 -DHAVE_SYS_RANDOM_H=1' \
	    $(find . -name '*.c')
	cp -R include/sodium.h include/sodium "$PREFIX/include/"
}

build_zlib() {
	compile z -DHAVE_UNISTD_H ./*.c
	cp zlib.h zconf.h "$PREFIX/include/"
}

build_pcre2() {
	cp src/config.h.generic src/config.h
	cp src/pcre2.h.generic src/pcre2.h
	cp src/pcre2_chartables.c.dist src/pcre2_chartables.c
	# shellcheck disable=SC2046
	compile pcre2-8 '-DHAVE_CONFIG_H -DPCRE2_CODE_UNIT_WIDTH=8
	    -DSUPPORT_UNICODE' $(find src -name 'pcre2_*.c' \
	    ! -name '*_dftables.c' ! -name '*_fuzzsupport.c' \
	    ! -name '*_jit_[mt]*.c' ! -name '*_printint.c' \
	    ! -name '*_ucptables.c')
	cp src/pcre2.h "$PREFIX/include/"
}

build_openssl() {
	CC=$WORK/bin/cc AR=$WORK/bin/ar RANLIB=true ./Configure BSD-x86_64 \
	    --prefix="$PREFIX" --libdir=lib no-shared no-tests no-asm \
	    no-engine no-legacy no-module >configure.log
	make -s -j "$(cpus)" build_libs >make.log
	cp libcrypto.a libssl.a "$PREFIX/lib/"
	cp -R include/openssl "$PREFIX/include/"
}

# FreeBSD's libc has arc4random_addrandom() for old programs only, so it can be
# found and not be called.
build_libevent() {
	configured ac_cv_func_arc4random_addrandom=no --disable-samples \
	    --disable-libevent-regress --disable-debug-mode
	make -s include/event2/event-config.h >make.log
	make -s -j "$(cpus)" libevent_core.la libevent_pthreads.la \
	    libevent_openssl.la >>make.log
	cp .libs/libevent_*.a "$PREFIX/lib/"
	cp -R include/event2 "$PREFIX/include/"
}

# HTTP and HTTPS is what we ask of it.
build_curl() {
	configured --with-openssl --with-zlib --disable-ldap --disable-manual \
	    --disable-unix-sockets --without-brotli --without-zstd \
	    --without-libpsl --without-libidn2 --without-nghttp2 \
	    --without-librtmp --disable-ftp --disable-file --disable-rtsp \
	    --disable-dict --disable-telnet --disable-tftp --disable-pop3 \
	    --disable-imap --disable-smb --disable-smtp --disable-gopher \
	    --disable-mqtt
	make -s -j "$(cpus)" -C lib >make.log
	cp lib/.libs/libcurl.a "$PREFIX/lib/"
	cp -R include/curl "$PREFIX/include/"
}

build_libs() {
	lacking=
	for library; do
		[ -f "$PREFIX/.$library" ] || lacking="$lacking $library"
	done
	[ -n "$lacking" ] || return 0
	mkdir -p "$PREFIX/include" "$PREFIX/lib"
	# shellcheck disable=SC2086
	fetch_sources $lacking
	for library in $lacking; do
		echo "building $library for FreeBSD"
		unpack "$library"
		# A subshell of its own keeps errexit.
		(
			cd "$WORK/src/$library" || exit
			"build_$library"
		) </dev/null
		touch "$PREFIX/.$library"
	done
}
