# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What a figure is beside others, a curve over a number of things, and how both
are printed: aligned for people, with tabs, as Markdown or JSON for programs."""

import dataclasses
import json
import statistics
from typing import NamedTuple, Optional


class Beside(NamedTuple):
    """Something else that was measured in the same run."""
    name: str
    value: float


class Aim(NamedTuple):
    """What ours is to be, by itself ("ours") or beside the peer's or limit's."""
    of: str
    sign: str
    value: float
    unit: str = ""

    def text(self):
        if self.of == "ours":
            return f"{self.sign}{self.value:g} {self.unit}".strip()
        if self.sign == "+":
            return f"{self.of} +{self.value:g} {self.unit}"
        return f"{self.sign}{self.value:g} {self.of}"

    def is_met(self, row):
        if self.of == "ours":
            return row.ours < self.value
        other = getattr(row, self.of).value
        if self.sign == "+":
            return row.ours - other <= self.value
        if self.sign == ">=":
            return row.ours >= self.value * other
        return row.ours <= self.value * other


def below(value, unit=""):
    return Aim("ours", "<", value, unit)


def at_least(of, ratio):
    return Aim(of, ">=", ratio)


def at_most(of, ratio):
    return Aim(of, "<=", ratio)


def over(of, value, unit):
    """At most so much more."""
    return Aim(of, "+", value, unit)


@dataclasses.dataclass
class Row:
    """A figure. Without ours it says what the machine can."""
    figure: str
    ours: Optional[float]
    peer: Optional[Beside] = None
    limit: Optional[Beside] = None
    aims: tuple = ()

    def ratio(self, of):
        other = getattr(self, of)
        if other is None or self.ours is None or other.value == 0:
            return "-"
        return f"{self.ours / other.value:.2f}"

    def verdict(self):
        if not self.aims:
            return "-"
        return "ok" if all(a.is_met(self) for a in self.aims) else "short"

    def beside(self):
        return "; ".join(f"{of}: {other.name}" for of, other in (
            ("peer", self.peer), ("limit", self.limit)) if other)

    def fields(self):
        return (self.figure, number(self.ours),
                number(self.peer and self.peer.value), self.ratio("peer"),
                number(self.limit and self.limit.value), self.ratio("limit"),
                ", ".join(a.text() for a in self.aims) or "-",
                self.verdict(), self.beside())


# Around what a page has of this.
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"
COLUMNS = ("figure", "ours", "peer's", "ratio", "limit's", "ratio", "aim",
           "ok|short", "beside what")
WIDTHS = (-58, 9, 9, 6, 9, 6, -24, -8, 0)


@dataclasses.dataclass
class Curve:
    """What grows with a number of things: one line for each number."""
    figure: str
    columns: tuple
    lines: list
    note: str = ""


def number(v):
    if v is None:
        return "-"
    return f"{v:.0f}" if abs(v) >= 1000 or v == int(v) else f"{v:.3g}"


def beside(pair):
    """Of a name and what was measured, how often that was."""
    return pair and Beside(pair[0], statistics.median(pair[1]))


def compare(figure, ours, peer=None, limit=None, aims=()):
    """By the medians. peer and limit are names with what was measured."""
    return Row(figure, statistics.median(ours), beside(peer), beside(limit),
               tuple(aims))


def machine_row(figure, name, values):
    return Row(figure, None, None, beside((name, values)))


# For people

def padded(fields, widths):
    words = (f.ljust(-w) if w <= 0 else f.rjust(w)
             for f, w in zip(fields, widths))
    return "  ".join(words).rstrip()


def aligned_row(row):
    return padded(row.fields(), WIDTHS)


def cells(curve):
    return [[number(v) for v in line] for line in curve.lines]


def aligned_curve(curve):
    rows = [list(curve.columns), *cells(curve)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["", curve.figure, *("  " + padded(r, widths) for r in rows)]
    return "\n".join(lines + ["  " + curve.note] * bool(curve.note))


# For programs and pages

def markdown_table(head, rows, words):
    """The first `words` columns are text, the others numbers."""
    def line(fields):
        return "| " + " | ".join(fields).replace("\n", " ") + " |"
    rule = ["---" if i in words else "---:" for i in range(len(head))]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def markdown_row(row):
    def other(of):
        pair = getattr(row, of)
        return f"{number(pair.value)} ({pair.name})" if pair else ""
    f = ["" if word == "-" else word for word in row.fields()]
    return [f[0], f[1], other("peer"), f[3], other("limit"), f[5], f[6],
            "**short**" if f[7] == "short" else f[7]]


def markdown(machine, found):
    """The whole of it, as docs/performance.md has it."""
    rows = [x for x in found if isinstance(x, Row)]
    parts = ["\n".join(f"- {k}: {v}" for k, v in machine.items())]
    if rows:
        parts.append(markdown_table(
            ("figure", "ours", "peer", "ours/peer", "limit", "ours/limit",
             "aim", ""), map(markdown_row, rows), (0, 2, 4, 6, 7)))
    for curve in found:
        if isinstance(curve, Curve):
            parts += [f"### {curve.figure[0].upper()}{curve.figure[1:]}",
                      markdown_table(curve.columns, cells(curve), ())]
            parts += [curve.note] * bool(curve.note)
    return "\n\n".join(parts) + "\n"


def put_into(page, text):
    """The page with this between its marks."""
    head, rest = page.split(BEGIN)
    return head + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1]


def as_json(machine, found):
    rows = [{**dataclasses.asdict(x), "aims": [a.text() for a in x.aims],
             "peer": x.peer and x.peer._asdict(),
             "limit": x.limit and x.limit._asdict(), "verdict": x.verdict()}
            for x in found if isinstance(x, Row)]
    curves = [dataclasses.asdict(x) for x in found if isinstance(x, Curve)]
    return json.dumps({"machine": machine, "figures": rows,
                       "curves": curves}, indent=1)
