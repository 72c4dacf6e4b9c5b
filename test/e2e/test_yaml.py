# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""YAML read and written against PyYAML, with trees and texts made at random:
what ours reads is what PyYAML's SafeLoader reads, what ours writes is what its
safe_dump writes.  The seed is in the name of each test; OVERLORD_YAML_SEED and
OVERLORD_YAML_N choose others, and more of them."""

import datetime
import json
import math
import os
import pathlib
import random
import re
import subprocess

import pytest
import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
VECTOR = BUILD.resolve() / "test" / "unit" / "vector"
# The same each time, so that who changes something else is not stopped; by hand
# with others.
SEED = int(os.environ.get("OVERLORD_YAML_SEED", "1"))
N = int(os.environ.get("OVERLORD_YAML_N", "500"))

# What YAML 1.2 reads as a number and 1.1 as text: ours quotes it, PyYAML not.
NUMBER12 = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
                      r"|0o[0-7]+")

WORDS = ["a", "b c", "yes", "no", "null", "~", "0644", "1:30", "1_000", ".5",
         "1e3", "0o17", "=", "<<", "- x", "-", "?", ": ", ":", "#", "a #b",
         "a: b", "x:y", "a:", "'", "\"", "\\", "é", "中", "\U0001f600", "\t",
         "\n", "\n\n", " ", "  ", "\r", "\x00", "\x07", "\x1b", "\x7f",
         "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "---", "...", "%",
         "@", "`", "{", "}", "[", "]", ",", "&a", "*a", "!t", "|", ">",
         "lorem ipsum", "word", "2001-01-01", "!ENV", "${X}", "/usr/local"]


def text(r):
    return "".join(r.choice(WORDS) for _ in range(r.randrange(1, 5))) \
        if r.random() < 0.6 else \
        " ".join(r.choice(WORDS) for _ in range(r.randrange(0, 40)))


def scalar(r):
    kind = r.randrange(12)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.choice([r.randrange(-9, 99), r.getrandbits(63),
                         -r.getrandbits(90)])
    if kind == 2:
        return r.choice([r.random(), r.uniform(-1e30, 1e30), 10.0**r.randrange(
            -30, 30), 0.0, -0.0, math.inf, -math.inf])
    if kind == 3:
        return r.choice([datetime.date(r.randrange(1, 9999), 2, 3),
                         datetime.datetime(2001, 2, 3, 4, 5, 6,
                                           r.choice([0, 7]))])
    return text(r)


def key(r):
    return text(r) if r.random() < 0.9 else r.randrange(100)


def tree(r, depth=0):
    kind = r.randrange(6) if depth < 5 else 5
    if kind in (0, 1):
        return {k: tree(r, depth + 1)
                for k in {key(r) for _ in range(r.randrange(5))}}
    if kind == 2:
        return [tree(r, depth + 1) for _ in range(r.randrange(5))]
    return scalar(r)


def run(kind, given):
    done = subprocess.run([VECTOR, kind], input=given.encode("utf-8"),
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (given, done.stderr.decode("utf-8"))
    return done.stdout.decode("utf-8")


def same(a, b):
    """Equal in type as well, maps without order."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


def has(value, test):
    if isinstance(value, dict):
        return any(has(v, test) for kv in value.items() for v in kv)
    if isinstance(value, list):
        return any(has(v, test) for v in value)
    return test(value)


def theirs(value):
    """safe_dump, without the mark of an end behind a scalar alone."""
    said = yaml.safe_dump(value)
    return said[:-4] if said.endswith("\n...\n") else said


def styled_differently(value):
    """Where ours is more careful than PyYAML, or sorts what it cannot."""
    if has(value, lambda v: isinstance(v, str) and NUMBER12.fullmatch(v)):
        return True
    # A key: its escapes may be more than readers take on one line.
    if has(value, lambda v: isinstance(v, str) and len(v) > 100 and
           not (v.isascii() and v.isprintable())):
        return True
    return mixed_keys(value)


def mixed_keys(value):
    if isinstance(value, dict):
        return len({type(k) for k in value}) > 1 or \
            any(mixed_keys(v) for v in value.values())
    return isinstance(value, list) and any(mixed_keys(v) for v in value)


def check_tree(seed):
    r = random.Random(seed)
    value = tree(r)
    given = yaml.safe_dump(
        value, sort_keys=r.random() < 0.5, width=r.choice([20, 80, 1000]),
        allow_unicode=r.random() < 0.5, indent=r.choice([2, 4]),
        default_flow_style=r.choice([False, True, None]),
        default_style=r.choice([None, None, None, '"', "'", "|", ">"]))
    # What PyYAML reads of it, which is not always what it wrote.
    value = yaml.safe_load(given)
    ours = run("rewrite", given)
    assert same(yaml.safe_load(ours), value), (given, ours)
    assert run("rewrite", ours) == ours, (given, ours)
    if not styled_differently(value):
        assert ours == theirs(value)
    literal = run("literal", given)
    assert same(yaml.safe_load(literal), value), (given, literal)
    assert run("rewrite", literal) == ours, (given, literal)


@pytest.mark.parametrize("part", range(4))
def test_trees(part):
    first = SEED + part * N
    print(f"OVERLORD_YAML_SEED={SEED}")
    for seed in range(first, first + N // 4):
        try:
            check_tree(seed)
        except AssertionError as e:
            raise AssertionError(f"tree {seed}: {e}") from e


# Documents: texts in every style, some of them faulty.  Ours has to agree with
# PyYAML, or, where its scanner and libyaml's part, with PyYAML on libyaml.

PLAIN = ["a", "b c", "x:y", "http://h:80/p?q#f", "yes", "No", "on", "null",
         "~", "", "0", "-1", "0644", "08", "0x1F", "0b10", "1_000", "1:30",
         "190:20", "1.", ".5", "-1.5e+3", "1e3", "1:2:3.5", ".inf", "-.INF",
         ".nan",
         "9223372036854775808", "-99999999999999999999", "2001-01-01",
         "2001-1-2 3:04:05", "2001-12-14t21:59:43.10-05:00", "-x", "x# y", "é",
         "\u4e2d", "1.2.3", "+12", "y", "12e03", "TRUE", "oFF", "Null"]
TAGGED = ["!!str 0644", "!!str yes", "!!int '0x1F'", "!!int 1_0",
          "!!float 5", "!!float '1:30.5'", "!!bool on", "!!null x", "! 12",
          "!!binary YWI=", "!!timestamp 2001-01-01", "!!timestamp '2001-1-1'",
          "!<tag:yaml.org,2002:str> 1", "!!seq []", "!!map {}", "!!set {a}"]
# Mostly refused, or not where they stand.
ODD = ["2001-02-30", "=", "<<", "- x", "?x", ":x", "x #y", "@x", "`x", "%x",
       "!x", "&x", "*x", "a: b", "'x'y", "[x", "}", "x]", "x,y", '"\\q"',
       "!!int x", "!!float", "!!bool 1", "!foo x", "!!seq x", "!!set [a]",
       "!!binary *", "| x", "\tx"]
ESCAPES = ["\\n", "\\t", "\\x41", "\\u00e9", "\\U0001F600", "\\0", "\\\\",
           '\\"', "\\_", "\\e", "\\\n   ", " ", "x", "\n\n  ", "#", ": "]


class Writer:
    """One text; what has an anchor is known once it is complete: ours refuses
    what contains itself."""

    def __init__(self, r):
        self.r = r
        self.anchors = []
        self.anchors_n = 0

    def one(self, *choices):
        return self.r.choice(choices)

    def with_anchor(self, write):
        """write(text) gives a node that begins with the text."""
        if self.r.random() >= 0.1:
            return write("")
        self.anchors_n += 1
        name = f"a{self.anchors_n}"
        out = write(f"&{name} ")
        self.anchors.append(name)
        return out

    def quoted(self):
        if self.r.random() < 0.5:
            return '"' + "".join(self.r.choice(ESCAPES) for _ in range(
                self.r.randrange(6))) + '"'
        return "'" + self.one("", "x", "it''s", "a: b", "# x", "a\n  b",
                              "yes", "\\n") + "'"

    def scalar(self, flow=False):
        if self.anchors and self.r.random() < 0.08:
            return "*" + self.r.choice(self.anchors) + " " * flow
        if self.r.random() < 0.008:
            return self.r.choice(ODD)
        kind = self.r.randrange(12)
        return self.with_anchor(lambda anchor: anchor + (
            self.quoted() if kind < 4 else self.r.choice(TAGGED)
            if kind == 4 else self.r.choice(PLAIN)))

    def flow(self, depth):
        if depth > 3 or self.r.random() < 0.5:
            return self.scalar(flow=True)
        return self.with_anchor(lambda anchor: anchor + self.collection(depth))

    def collection(self, depth):
        items = [self.flow(depth + 1) for _ in range(self.r.randrange(4))]
        sep = self.one(", ", ",", " , ", ",\n   ")
        end = self.one("", "", ",") if items else ""
        if self.r.random() < 0.5:
            return "[" + sep.join(items) + end + "]"
        return "{" + sep.join(
            self.one(f"{self.key()}: {i}", f'"k{n}":{i}', self.key())
            for n, i in enumerate(items)) + end + "}"

    def key(self):
        return self.one("a", "b", "c d", "'e'", '"f"', "1", "yes", "~", "1.0",
                        "=", "é", "2001-01-01", "long key", "1:30", ".5")

    def block_scalar(self, pad):
        lines = [self.one("text", "  more", "", "# no comment", "- x", "a: b",
                          "trail  ", "   ", "\tx", "é")
                 for _ in range(self.r.randrange(5))]
        head = self.one("|", ">") + self.one("", "", "-", "+", "1", "1-",
                                             "+1", "-") + self.one("", " # c")
        return head + "".join(
            "\n" + (pad + " " + line if line else "") for line in lines)

    def block(self, pad, depth):
        """What stands behind a dash or a colon."""
        r = self.r.random()
        if depth > 4 or r < 0.3:
            return " " + self.scalar()
        if r < 0.4:
            return " " + self.with_anchor(
                lambda anchor: anchor + self.block_scalar(pad))
        if r < 0.55:
            return " " + self.flow(0)
        return self.with_anchor(lambda anchor: "".join((
            " " + anchor.strip() if anchor else "", self.one("", " # comment"),
            "\n", self.lines(pad + self.one("", "  ", "  ", "    "),
                             depth + 1))))

    def lines(self, pad, depth):
        out = []
        is_list = self.r.random() < 0.4
        for i in range(self.r.randrange(1, 5)):
            if self.r.random() < 0.1:
                out.append(self.one("", pad + "# comment", "   # c"))
            if is_list:
                out.append(pad + "-" + self.block(pad, depth))
            elif self.r.random() < 0.06 and self.anchors:
                out.append(pad + "<<: *" + self.r.choice(self.anchors))
            else:
                out.append(pad + self.one(f"k{i}", self.key()) + ":"
                           + self.block(pad, depth))
        return "\n".join(out)

    def document(self):
        text = self.one("", "", "", "# head\n", "---\n", "--- ",
                        "%YAML 1.1\n---\n")
        text += self.lines("", 0) if self.r.random() < 0.9 else self.flow(0)
        text += self.one("\n", "\n", "", "\n...\n", "\n# end", "\n...\n# end")
        if self.r.random() < 0.15:
            at = self.r.randrange(len(text) + 1)
            text = text[:at] + self.one(" ", "\n", ":", "-", "'", '"', "#",
                                        "\t", "\r\n", "]", "*", "\x07") \
                + text[at + self.r.randrange(2):]
        return text


class Unlike(Exception):
    """It means something that ours refuses on purpose."""


def typed(value, above=()):
    """As `vector yaml` prints it."""
    if id(value) in above:
        raise Unlike
    kind = {"NoneType": "null"}.get(type(value).__name__,
                                    type(value).__name__)
    below = (*above, id(value))
    if isinstance(value, dict):
        return [kind, [[typed(k), typed(v, below)] for k, v in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["list", [typed(v, below) for v in value]]
    if isinstance(value, set):
        return [kind, sorted(json.dumps(typed(v)) for v in value)]
    if value is None:
        return [kind]
    if isinstance(value, bool):
        return [kind, str(value).lower()]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return [kind, value.isoformat()]
    if isinstance(value, bytes):
        return [kind, value.hex()]
    return [kind, value if isinstance(value, str) else repr(value)]


def load(given, loader):
    """None: it is refused."""
    try:
        return typed(yaml.load(given, Loader=loader))
    except (yaml.YAMLError, ValueError, TypeError, OverflowError,
            AttributeError, LookupError):
        return None


def ours_of(given):
    done = subprocess.run([VECTOR, "yaml"], input=given.encode("utf-8"),
                          capture_output=True, timeout=60, check=False)
    said = done.stderr.decode("utf-8")
    assert done.returncode in (0, 65), (given, said)
    if done.returncode == 65:
        assert said.startswith("vector: -:"), (given, said)
        return None
    return sets_sorted(json.loads(done.stdout))


def sets_sorted(value):
    """The members of a set have an order in our words."""
    if isinstance(value, list):
        if value and value[0] == "set":
            return ["set", sorted(json.dumps(k) for k, _ in value[1])]
        return [sets_sorted(v) for v in value]
    return value


def check_document(seed):
    given = Writer(random.Random(seed)).document()
    try:
        theirs = [load(given, yaml.SafeLoader)]
        theirs.append(load(given, yaml.CSafeLoader) if yaml.__with_libyaml__
                      else theirs[0])
    except (Unlike, RecursionError):
        return None
    ours = ours_of(given)
    assert ours in theirs, f"{given}\n--- ours\n{ours}\n--- theirs\n{theirs}"
    return ours is not None


@pytest.mark.parametrize("part", range(4))
def test_documents(part):
    first = SEED + part * N
    print(f"OVERLORD_YAML_SEED={SEED}")
    good = 0
    for seed in range(first, first + N // 4):
        try:
            good += check_document(seed) is True
        except AssertionError as e:
            raise AssertionError(f"document {seed}: {e}") from e
    # Neither all refused nor all too easy.
    assert N // 20 < good < N // 4
