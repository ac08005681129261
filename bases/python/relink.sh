#!/bin/sh
# Makes the Python of the official image, below $1, out of Debian's compiled objects and the untouched upstream sources.
#
# Debian's library differs from upstream in three things that matter to whoever builds here: the prefix in getpath.c, the
# frozen `site` module, and the standard library's own files. Those are made again; all else is linked as Debian compiled it.
set -eu
target=$1/usr/local
objects=$(echo /usr/lib/python3.13/config-3.13-*)
include='-I. -I/usr/include/python3.13 -I/usr/include/python3.13/internal'
core="gcc -O2 -fPIC -fwrapv -DNDEBUG -std=c11 -DPy_BUILD_CORE -DPy_ENABLE_SHARED $include"
mkdir -p "$target/bin" "$target/lib" "$target/include" build

# The frozen modules, as upstream's Makefile lists them: $(FREEZE_MODULE) NAME $(srcdir)/SOURCE HEADER
sed -nE 's/^\s+\$\(FREEZE_MODULE(_BOOTSTRAP)?\) (\S+) \$\(srcdir\)\/(\S+) (\S+)$/\2 \3 \4/p' Makefile.pre.in |
    while read -r name source header; do
        python3.13 -S Programs/_freeze_module.py "$name" "$source" "$header" > /dev/null
    done
$core -c -o build/frozen.o Python/frozen.c
$core -DPREFIX='"/usr/local"' -DEXEC_PREFIX='"/usr/local"' -DVERSION='"3.13"' -DVPATH='""' -DPYTHONPATH='""' \
    -DPLATLIBDIR='"lib"' -DPYTHONFRAMEWORK='""' -c -o build/getpath.o Modules/getpath.c
# Debian keeps this one out of its library.
gcc -O2 -fPIC -DNDEBUG -D_DEFAULT_SOURCE -IModules/_hacl/include -c -o build/sha2.o Modules/_hacl/Hacl_Hash_SHA2.c

cp "$objects/libpython3.13-pic.a" build/library.a
ar d build/library.a frozen.o getpath.o
gcc -shared -Wl,-Bsymbolic-functions -Wl,-soname,libpython3.13.so.1.0 -s -o "$target/lib/libpython3.13.so.1.0" \
    build/frozen.o build/getpath.o build/sha2.o -Wl,--whole-archive build/library.a -Wl,--no-whole-archive \
    -ldl -lm -lz -lexpat
ln -s libpython3.13.so.1.0 "$target/lib/libpython3.13.so"
# shellcheck disable=SC2016 -- the loader, not the shell, resolves $ORIGIN
gcc -O2 $include -s -o "$target/bin/python3.13" Programs/python.c \
    -L"$target/lib" -lpython3.13 -Wl,-rpath,'$ORIGIN/../lib'

# As the official image: no tests, no compiled files.
cp -r Lib "$target/lib/python3.13"
rm -rf "$target/lib/python3.13/test" "$target/lib/python3.13/idlelib/idle_test" "$target/lib/python3.13/turtledemo"
find "$target/lib/python3.13" -name __pycache__ -prune -exec rm -rf {} +
cp -r /usr/lib/python3.13/lib-dynload "$target/lib/python3.13/"
mkdir -p "$target/lib/python3.13/site-packages"
cp -r /usr/include/python3.13 "$target/include/"
cp /usr/include/*/python3.13/pyconfig.h "$target/include/python3.13/pyconfig.h"
install -m 755 Tools/scripts/pydoc3 Tools/scripts/idle3 "$target/bin/"
sed -i '1s|.*|#!/usr/local/bin/python3.13|' "$target/bin/pydoc3" "$target/bin/idle3"

# What sysconfig tells others: Debian's places become upstream's. The time zones stay where the system has them.
for data in /usr/lib/python3.13/_sysconfigdata__linux_*.py; do
    sed -E "/'(TZPATH|INSTALL[A-Z_]*)'/!s#/usr/(lib/[a-z0-9_]+-linux-gnu[a-z0-9]*|lib|bin|include|share)\b#/usr/local/\1#g
        s#/usr/local/lib/[a-z0-9_]+-linux-gnu[a-z0-9]*#/usr/local/lib#g
        s#'/usr'#'/usr/local'#g; s#--prefix=/usr'#--prefix=/usr/local'#
        s#('WHEEL_PKG_DIR': )'[^']*'#\1''#" "$data" > "$target/lib/python3.13/$(basename "$data")"
done
for short in python3 python pydoc idle; do
    case $short in python*) long=python3.13 ;; *) long=${short}3 ;; esac
    ln -s "$long" "$target/bin/$short"
done
