#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Measures the figures and prints their rows; run.sh starts it."""

import argparse
import pathlib
import re
import signal
import sys

import client
import figures
import inventory
import machine
import peers
import scale
import table
import trees
import upstream
from rig import Rig, Unmeasured

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/performance.md"
ALL = (machine.ALL + figures.ALL + peers.ALL + trees.ALL + client.ALL +
       inventory.ALL + upstream.ALL)


def rounds_number(text):
    n = int(text)
    if n < 5:
        raise argparse.ArgumentTypeError("at least 5")
    return n


def arguments():
    p = argparse.ArgumentParser(prog="run.sh")
    p.add_argument("--rounds", type=rounds_number, default=5)
    p.add_argument("--only", type=re.compile, default=re.compile("."))
    p.add_argument("--quick", action="store_true")
    p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--update-docs", action="store_true")
    form = p.add_mutually_exclusive_group()
    form.add_argument("--tsv", action="store_true")
    form.add_argument("--markdown", action="store_true")
    return p.parse_args()


class Printer:
    """Each row as soon as it is there; Markdown at the end."""

    def __init__(self, args, described):
        self.args = args
        self.described = described
        if args.tsv:
            self.show("\t".join(table.COLUMNS))
        elif not args.markdown:
            for key, value in described.items():
                self.show(f"{key}: {value}")
            self.show("\n" + table.padded(table.COLUMNS, table.WIDTHS))

    @staticmethod
    def show(text):
        print(text, flush=True)

    def item(self, item):
        if self.args.markdown:
            return
        if isinstance(item, table.Curve):
            self.show(self.curve(item))
        elif self.args.tsv:
            self.show("\t".join(item.fields()))
        else:
            self.show(table.aligned_row(item))

    def curve(self, curve):
        if not self.args.tsv:
            return table.aligned_curve(curve)
        return "\n".join("\t".join([curve.figure, *words]) for words in
                         [curve.columns, *table.cells(curve)])

    def end(self, found):
        if self.args.markdown:
            self.show(table.markdown(self.described, found))
        if self.args.json:
            self.args.json.write_text(
                table.as_json(self.described, found) + "\n")
        if self.args.update_docs:
            PAGE.write_text(table.put_into(
                PAGE.read_text(), table.markdown(self.described, found)))


def measure_all(args, found, printer):
    """How many could not be measured; what was is added to found."""
    failed = 0
    for names, measure in ALL + scale.curves(args.quick):
        wanted = tuple(n for n in names if args.only.search(n))
        if not wanted:
            continue
        print("measuring: " + "; ".join(dict.fromkeys(names)), file=sys.stderr)
        try:
            with Rig() as rig:
                measured = measure(rig, args.rounds)
        except upstream.Skipped as e:
            print(f"skipped: {'; '.join(names)}: {e}", file=sys.stderr)
            continue
        except (Unmeasured, AssertionError, OSError) as e:
            print(f"not measured: {'; '.join(names)}: {e}", file=sys.stderr)
            failed += 1
            continue
        for item in measured:
            if any(n.startswith(item.figure) for n in wanted):
                printer.item(item)
                found.append(item)
    return failed


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    printer, found = Printer(args, machine.describe()), []
    try:
        failed = measure_all(args, found, printer)
    finally:
        # Also of a run that is broken off: it has taken long enough.
        printer.end(found)
    short = [x.figure for x in found
             if isinstance(x, table.Row) and x.verdict() == "short"]
    print(f"{len(found)} figures, {len(short)} short" +
          (f", {failed} could not be measured" if failed else ""),
          file=sys.stderr)
    return 1 if failed or not found else 0


sys.exit(main())
