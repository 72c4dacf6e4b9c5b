#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Measures the figures and prints their rows; run.sh starts it."""

import argparse
import re
import signal
import sys

import figures
import trees
from rig import Rig, Unmeasured

HEADER = ("figure", "ours", "reference", "name of the reference", "ratio",
          "aim", "ok|short")


def rounds_number(text):
    n = int(text)
    if n < 5:
        raise argparse.ArgumentTypeError("at least 5")
    return n


def arguments():
    p = argparse.ArgumentParser(prog="run.sh")
    p.add_argument("--rounds", type=rounds_number, default=5)
    p.add_argument("--only", type=re.compile, default=".")
    return p.parse_args()


def show(fields):
    print("\t".join(fields), flush=True)


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    show(HEADER)
    rows = short = failed = 0
    for names, measure in figures.ALL + trees.ALL:
        if not any(args.only.search(n) for n in names):
            continue
        print("measuring: " + "; ".join(names), file=sys.stderr)
        try:
            with Rig() as rig:
                found = measure(rig, args.rounds)
        except (Unmeasured, AssertionError, OSError) as e:
            print(f"not measured: {'; '.join(names)}: {e}", file=sys.stderr)
            failed += 1
            continue
        for row in found:
            if args.only.search(row.figure):
                show(row.fields())
                rows += 1
                short += not row.ok
    print(f"{rows} figures, {short} short" +
          (f", {failed} could not be measured" if failed else ""),
          file=sys.stderr)
    return 1 if failed or not rows else 0


sys.exit(main())
