#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Calls that nobody makes, allocation outside mem.c, programs that are started
elsewhere than where they are known to be checked, unfinished business
without an issue number, and paths of somebody's own machine."""

import re

from common import finish, project_files, read, strip_c

CALLS = ("strcpy strcat sprintf vsprintf strtok atoi atol atoll strtol strtoul "
         "strtoll strtoull gets system popen alloca sleep usleep localtime "
         "gmtime ctime asctime signal").split()
ALLOC = ("malloc calloc realloc reallocarray free strdup strndup asprintf "
         "vasprintf").split()
# lib/base/num.c is what the strto family is wrapped in.
CALL_HOMES = ("lib/base/num.c",)
# Test programs that stand alone or replace the allocator.
ALLOC_HOMES = ("lib/base/mem.c", "test/unit/support/", "test/fuzz/replay.c",
               "test/standin/", "test/bench/", "test/chaos/")
STARTS = ("fork vfork rfork pdfork posix_spawn posix_spawnp fexecve execv "
          "execve execvp execvpe execvP execl execle execlp exect").split()
# The daemon's programs are those of daemon/program.c: it starts helpers and
# questions, overlord-exec what the daemon has recorded. The others fork
# without running anything, but for the client, which becomes the daemon.
PRODUCT = ("lib/", "proto/", "daemon/", "cli/")
START_HOMES = ("lib/event/spawner.c", "lib/event/capture.c",
               "daemon/exec/child.c", "daemon/daemon_offline.c", "daemon/main.c",
               "lib/store/cache.c", "cli/cmd_serve.c")
# A declaration or a call, not a member and not a part of a longer name.
FORM = r"(?<![\w.>])(%s)[ \t]*\("
BANNED = re.compile(FORM % "|".join(CALLS))
START = re.compile(FORM % "|".join(STARTS))
MEMORY = re.compile(FORM % "|".join(ALLOC))
OPEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?![ (]*(?:issue )?#?\d)")
PLACE = re.compile(r"(?<![\w.~*}$-])/wor" r"k/")
TEXT = (".c", ".h", ".def", ".py", ".sh", ".md", ".build", ".in", ".txt",
        ".yml", ".1", ".5", ".7", ".8")


def at(text, m):
    return text.count("\n", 0, m.start()) + 1


def main():
    faults, checked = [], 0
    for name in project_files():
        checked += 1
        text = read(name)
        for m in PLACE.finditer(text):
            faults.append(f"{name}:{at(text, m)}: a path of another machine")
        data = name.startswith(("test/fuzz/corpus/", "test/vectors/",
                                "test/examples/"))
        if name.endswith(TEXT) and not data:
            for m in OPEN.finditer(text):
                faults.append(f"{name}:{at(text, m)}: {m.group(1)} without "
                              "an issue number")
        if not name.endswith((".c", ".h")):
            continue
        code = strip_c(text)
        if name not in CALL_HOMES:
            for m in BANNED.finditer(code):
                faults.append(f"{name}:{at(code, m)}: {m.group(1)} is banned")
        if name.startswith(PRODUCT) and name not in START_HOMES:
            for m in START.finditer(code):
                faults.append(f"{name}:{at(code, m)}: {m.group(1)} starts a "
                              "program or process")
        if not name.startswith(ALLOC_HOMES):
            for m in MEMORY.finditer(code):
                faults.append(f"{name}:{at(code, m)}: {m.group(1)} outside "
                              "lib/base/mem.c")
    finish("banned", faults, checked)


main()
