#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Each module of lib and proto has a unit test of its name, each unit test is
in the list that meson reads, each fuzz target is in targets.txt and has a
corpus, and the sources it names exist."""

import os
import re

from common import ROOT, finish, module_of, product_files, project_files, read


def main():
    files = set(project_files())
    headers = set(product_files(".h", ".def"))
    faults, checked = [], 0

    modules = {}
    for name in product_files(".c"):
        if name.startswith(("lib/", "proto/")):
            modules.setdefault(module_of(name, headers), name)
    for module, name in sorted(modules.items()):
        checked += 1
        test = "test/unit/test_" + os.path.basename(module) + ".c"
        if test not in files:
            faults.append(f"{name}: has no {test}")

    listed = set(re.findall(r"^\s*\['(\w+)'", read("test/unit/meson.build"),
                            re.M))
    for name in sorted(files):
        m = re.fullmatch(r"test/unit/test_(\w+)\.c", name)
        if m:
            checked += 1
            if m.group(1) not in listed:
                faults.append(f"{name}: is not in test/unit/meson.build")

    targets = {}
    for line in read("test/fuzz/targets.txt").splitlines():
        if line.strip() and not line.startswith("#"):
            targets[line.split()[0]] = line.split()[2:]
    for name in sorted(files):
        m = re.fullmatch(r"test/fuzz/fuzz_(\w+)\.c", name)
        if m and m.group(1) not in targets:
            faults.append(f"{name}: is not in test/fuzz/targets.txt")
    for target, sources in targets.items():
        checked += 1
        corpus = os.path.join(ROOT, "test/fuzz/corpus", target)
        if not os.path.isdir(corpus) or not os.listdir(corpus):
            faults.append(f"test/fuzz/corpus/{target}: has no inputs")
        if not sources:
            faults.append(f"test/fuzz/targets.txt: {target} names no source")
        faults += [f"test/fuzz/targets.txt: {target}: {s} does not exist"
                   for s in sources if s not in files]
    finish("tests", faults, checked)


main()
