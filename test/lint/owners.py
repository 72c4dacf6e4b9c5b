#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A local that cleans up after itself must hold something valid before the
first way out of its function: it is initialised where it is declared, or its
address goes to an init function before any return or goto.  Compilers
do not see this, because the use is in the clean-up."""

import re

from common import finish, project_files, read, strip_c

# A declaration without an initialiser: from the start of a statement to ';'.
DECL = re.compile(
    r"(?<=[;{}])\s*((?:[\w*]+\s+|\*+)*?"
    r"(?:\w[\w\s*]*\s\**)?AUTO(?:_[A-Z]+|\(\w+\))[\w\s*]*);")
AUTO = re.compile(r"\bAUTO(?:_[A-Z]+|\(\w+\))")
OUT = re.compile(r"\b(return|goto)\b|^}", re.M)


def main():
    faults, checked = [], 0
    for name in project_files():
        if not name.endswith(".c"):
            continue
        code = strip_c(read(name))
        for m in DECL.finditer(code):
            checked += 1
            words = re.findall(r"\w+", AUTO.sub(" ", m.group(1)))
            if not words:
                continue
            var = words[-1]
            rest = code[m.end():]
            use = re.search(r"&\s*" + var + r"\b", rest)
            way_out = OUT.search(rest)
            if way_out and (not use or way_out.start() < use.start()):
                line = code.count("\n", 0, m.start(1)) + 1
                out = line + rest.count("\n", 0, way_out.start())
                faults.append(f"{name}:{line}: '{var}' holds nothing valid on "
                              f"the way out at line {out}")
    finish("owners", faults, checked)


main()
