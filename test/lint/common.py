# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What the lint scripts share: the list of files, C without its comments, and
the rule that says which file belongs to which module."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PLATFORM = ("_freebsd", "_linux", "_kqueue", "_inotify")
PRODUCT = ("lib/", "proto/", "daemon/", "cli/")


def project_files():
    """Every file of the repository, by git if there is one."""
    try:
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z",
             "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True).stdout
        names = [n for n in out.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for base, dirs, files in os.walk(ROOT):
            dirs[:] = [d for d in dirs
                       if not d.startswith((".", "build", "__pycache__"))]
            names += [os.path.relpath(os.path.join(base, f), ROOT)
                      for f in files]
    return sorted(n for n in set(names)
                  if os.path.isfile(os.path.join(ROOT, n)))


def product_files(*ends):
    return [n for n in project_files()
            if n.startswith(PRODUCT) and n.endswith(ends)]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8",
              errors="surrogateescape") as f:
        return f.read()


TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def strip_c(text, strings=True):
    """C without comments, and without what stands in strings; lines stay."""
    def sub(m):
        s = m.group(0)
        if s[0] == "/":
            return " " + "\n" * s.count("\n")
        return '""' if strings else s
    return TOKEN.sub(sub, text)


def module_of(name, headers):
    """foo_linux.c is of foo; so is foo_x.c while there is no foo_x.h."""
    stem = re.sub(r"\.(c|h|def)$", "", name)
    for suffix in PLATFORM + ("_internal",):
        if stem.endswith(suffix):
            stem = stem[:-len(suffix)]
    part = stem
    while part + ".h" not in headers:
        cut = part.rfind("_")
        if cut <= part.rfind("/"):
            return stem
        part = part[:cut]
    return part


def finish(what, faults, checked):
    for f in faults:
        print(f)
    print(f"{what}: {checked} checked, {len(faults)} faults")
    sys.exit(1 if faults else 0)
