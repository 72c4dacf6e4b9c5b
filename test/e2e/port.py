# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Reads the files of docs/port."""

import re

from node import REPO

PORT = REPO / "docs" / "port"


def variable(name):
    """The words of a variable of the Makefile."""
    text = (PORT / "Makefile").read_text().replace("\\\n", " ")
    (value,) = re.findall(rf"^{name}=(.*)$", text, re.M)
    return value.split()


def plist():
    """The files, relative to the prefix, and the directories with their modes."""
    files, directories = [], {}
    for line in (PORT / "pkg-plist").read_text().splitlines():
        is_dir = re.fullmatch(r"@dir\(root,wheel,(\d+)\) (\S+)", line)
        if is_dir:
            directories[is_dir[2]] = int(is_dir[1], 8)
        else:
            files.append(re.fullmatch(r"(@sample )?([^@ ]+)", line)[2])
    return files, directories
