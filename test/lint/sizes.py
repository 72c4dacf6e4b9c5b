#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A report to read, never a failure: functions over 60 lines, files over 600,
headers over 200."""

import re

from common import product_files, read, strip_c

NAME = re.compile(r"^([A-Za-z_]\w*)\(")


def functions(text):
    """(name, first line, lines) of each definition, as KNF lays them out."""
    name, start, opened = None, 0, False
    for i, line in enumerate(strip_c(text).split("\n"), 1):
        m = NAME.match(line)
        if m and not opened:
            name, start = m.group(1), i
        elif line.startswith("{") and name:
            opened = True
        elif line.startswith("}"):
            if opened:
                yield name, start, i - start + 1
            name, opened = None, False


def main():
    count = 0
    for name in product_files(".c", ".h"):
        text = read(name)
        lines = text.count("\n")
        if lines > (200 if name.endswith(".h") else 600):
            print(f"{name}: {lines} lines")
        for func, start, n in functions(text):
            count += 1
            if n > 60:
                print(f"{name}:{start}: {func} has {n} lines")
    print(f"sizes: {count} functions read")


main()
