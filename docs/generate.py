#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""generate.py PROGRAM [--check]: puts what docs/reference.c prints of the tables
into the manual, between the lines

    .\\" begin generated: WORD
    .\\" end generated

and writes overlord.yml.sample.  --check changes nothing and ends with 1 when a
file is not what it would be."""

import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent
SECTION = re.compile(r'(?P<begin>^\.\\" begin generated: (?P<word>\w+)\n)'
                     r'.*?(?P<end>^\.\\" end generated\n)', re.M | re.S)


def main(program, check):
    def output(word):
        return subprocess.run([program, word], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def section(m):
        return m["begin"] + output(m["word"]) + m["end"]

    wanted = {DOCS / "overlord.yml.sample": output("sample")}
    for page in sorted(DOCS.glob("*.[1578]")):
        wanted[page] = SECTION.sub(section, page.read_text())
    stale = [p for p, text in wanted.items()
             if not p.exists() or p.read_text() != text]
    for page in stale:
        if check:
            print(f"{page}: not up to date: ninja -C BUILD docs-generate")
        else:
            page.write_text(wanted[page])
            print(f"{page}: written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--check" in sys.argv[2:]))
