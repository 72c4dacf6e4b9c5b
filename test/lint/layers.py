#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Who may include what.  Rooms include lower rooms only, a third-party header
stands in its one file, threads are made in one place, no code asks for the
operating system, and modules form no cycle.  Prints the modules from lowest to
highest.  There is no list of exceptions."""

import fnmatch
import re
import sys

from common import PLATFORM, finish, module_of, product_files, read, strip_c

LIB = ["lib/base", "lib/event", "lib/data", "lib/auth", "lib/store", "lib/net"]
# Room: what its files may include, as rooms or single headers.
ROOMS = {
    "lib/base": ["lib/base"],
    "lib/event": ["lib/base", "lib/event"],
    "lib/data": ["lib/base", "lib/data"],
    "lib/auth": ["lib/base", "lib/data", "lib/auth"],
    "lib/store": ["lib/base", "lib/event", "lib/store"],
    "lib/net": ["lib/base", "lib/event", "lib/data", "lib/net"],
    "proto": LIB + ["proto", "config.h"],
    "daemon": LIB + ["proto", "daemon", "config.h"],
    "daemon/exec": ["lib/base", "lib/event/reap.h", "lib/data/json.h",
                    "lib/data/node.h", "proto/runrec.h", "daemon/exec",
                    "config.h"],
    "cli": LIB + ["proto", "cli", "config.h"],
}
# Header: the only files that may include it.
HOMES = {
    "event.h": [],
    "evhttp.h": [],
    "event2/*": ["lib/event/loop.c", "lib/net/httpd.c"],
    "yaml.h": ["lib/data/yaml_internal.h"],
    "cjson/*": ["lib/data/json.c"],
    "pcre2.h": ["lib/data/regex.c"],
    "lmdb.h": ["lib/store/db.c"],
    "sodium.h": ["lib/auth/token.c"],
    "sodium/*": ["lib/auth/token.c"],
    "curl/*": ["lib/net/httpc_internal.h"],
    "openssl/*": ["lib/net/tls.c"],
    "zlib.h": ["lib/net/gzip.c"],
    "pthread.h": ["lib/event/worker.c"],
    "stdatomic.h": [],
    "threads.h": [],
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
OS = re.compile(
    r"^[ \t]*#[ \t]*(?:if|elif).*\b(__FreeBSD__|__linux__|__linux|__unix__)\b",
    re.M)


def room_of(name):
    best = ""
    for room in ROOMS:
        if name.startswith(room + "/") and len(room) > len(best):
            best = room
    return best


def allowed(room, header):
    own = room_of(header)
    for may in ROOMS[room]:
        if header == may or own == may:
            return True
    return False


def topological(edges):
    """(order, cycle): the modules from lowest to highest, or a cycle."""
    order, state = [], {}

    def visit(m, path):
        if state.get(m) == "done":
            return None
        if state.get(m) == "open":
            return path[path.index(m):] + [m]
        state[m] = "open"
        for n in sorted(edges[m]):
            cycle = visit(n, path + [m])
            if cycle:
                return cycle
        state[m] = "done"
        order.append(m)
        return None

    for m in sorted(edges):
        cycle = visit(m, [])
        if cycle:
            return order, cycle
    return order, None


def check_include(name, room, kind, header, headers):
    """The fault, or None."""
    if kind == '"':
        if header == "config.h" or header in headers:
            if not allowed(room, header):
                return f'{room} may not include "{header}"'
            return None
        if "/" not in header:
            return f'"{header}" is included without its room'
        return f'"{header}" does not exist'
    for pattern, homes in HOMES.items():
        if fnmatch.fnmatch(header, pattern) and name not in homes:
            where = ", ".join(homes) or "no file"
            return f"<{header}> belongs to {where}"
    return None


def main():
    sys.setrecursionlimit(10000)
    names = product_files(".c", ".h", ".def")
    headers = set(n for n in names if n.endswith((".h", ".def")))
    edges, faults = {}, []
    for name in names:
        room = room_of(name)
        if not room:
            faults.append(f"{name}: is in no room")
            continue
        text = strip_c(read(name), strings=False)
        module = module_of(name, headers)
        uses = edges.setdefault(module, set())
        for m in INCLUDE.finditer(text):
            line = text.count("\n", 0, m.start()) + 1
            kind, header = m.groups()
            fault = check_include(name, room, kind, header, headers)
            if fault:
                faults.append(f"{name}:{line}: {fault}")
            if kind == '"' and header in headers:
                used = module_of(header, headers)
                if used != module:
                    uses.add(used)
                    edges.setdefault(used, set())
        stem = name.rsplit(".", 1)[0]
        if not stem.endswith(PLATFORM):
            for m in OS.finditer(text):
                line = text.count("\n", 0, m.start()) + 1
                faults.append(f"{name}:{line}: asks for {m.group(1)}: "
                              "make it a file per system")
    order, cycle = topological(edges)
    if cycle:
        faults.append("cycle: " + " -> ".join(cycle))
    else:
        print("modules, lowest first:")
        for m in order:
            print("  " + m)
    finish("layers", faults, len(names))


main()
