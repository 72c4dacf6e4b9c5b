# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""No two parts of a program define the same name: of two in static libraries the
linker takes the one that it meets first, and says nothing."""

import collections
import subprocess

import pytest

from node import BUILD


def defined(library):
    out = subprocess.run(["nm", "-g", "--defined-only", library], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return [words[2] for words in map(str.split, out.splitlines())
            if len(words) == 3]


@pytest.mark.parametrize("program", ("cli/liboverlord_lib.a",
                                     "daemon/liboverlordd_lib.a"))
def test_each_name_has_one_definition(program):
    rooms = sorted(BUILD.glob("**/libroom_*.a"))
    assert len(rooms) > 5
    names = collections.Counter(
        name for library in (BUILD / program, *rooms)
        for name in defined(library))
    assert "loop_run" in names
    assert [name for name, n in names.items() if n > 1] == []
