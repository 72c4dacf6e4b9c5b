#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""headers.py BUILD CC...: each header compiles alone, guarded by #pragma once.
BUILD is where the generated config.h is."""

import concurrent.futures
import os
import subprocess
import sys

from common import ROOT, finish, product_files, read


def compile_alone(name):
    source = f'#include "{name}"\n#include "{name}"\n'
    args = sys.argv[2:] + [
        "-std=c17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", ROOT,
        "-I", sys.argv[1], "-D_GNU_SOURCE", "-x", "c", "-"]
    p = subprocess.run(args, input=source, text=True, capture_output=True)
    return p.stderr if p.returncode else ""


def main():
    names = product_files(".h")
    faults = [f"{n}: has no #pragma once" for n in names
              if "#pragma once" not in read(n)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, err in zip(names, pool.map(compile_alone, names)):
            if err:
                faults.append(f"{name}: does not compile alone\n{err}")
    finish("headers", faults, len(names))


main()
