# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Random templates of the supported subset, and both engines to render them
with: ours, and Mako where it is installed.

    python3 template_kit.py [COUNT [SEED]]   compares COUNT templates by hand
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
PROGRAM = BUILD.resolve() / "test" / "unit" / "template"

DATA = {
    "appName": "web", "cpu": "2", "mem": "1G", "ports": "80,443", "empty": "",
    "html": "<a href=\"x\">&'é</a>", "sp": "  x y  ", "multi": "l1\nl2",
    "num": "10", "uni": "é日", "flag": "yes", "kv": "a=1;b=2",
}
FILES = {
    "inc.mako": "inc:${appName}\n",
    "args.mako": "<%page args=\"x, y='dy'\"/>x=${x} y=${y}",
    "sub/a.mako": "A[<%include file=\"b.mako\"/>]",
    "sub/b.mako": "B${cpu}",
    "loopy.mako": "% for q in 'ab':\n${loop.index}${q}\n% endfor\n",
    "deep.mako": "<%include file=\"sub/a.mako\"/><% z = 1 %>${z}${zz or 'n'}",
}


def write_files(directory, files=None):
    for name, text in (files or FILES).items():
        path = pathlib.Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(directory)


def ours(cases, *directories):
    """Renders [(template, data)]; a list of what the program says."""
    text = "".join(json.dumps({"template": t, "data": d}) + "\n"
                   for t, d in cases)
    done = subprocess.run([PROGRAM, *directories], input=text.encode(),
                          capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def mako(template, data, directory):
    """{"output": ...} or {"class": ..., "message": ...}"""
    from mako.lookup import TemplateLookup
    from mako.template import Template
    lookup = TemplateLookup(directories=[directory])
    try:
        return {"output": Template(template, lookup=lookup).render(**data)}
    except Exception as e:  # noqa: B902 pylint: disable=broad-except
        return {"class": type(e).__name__, "message": str(e)}


class Generator:
    """One template from one seed. Names that are assigned are remembered with
    their type, so that most of what is written has a value."""

    TEXT = ["a", "b: c", "x - y", "100%", "a % b", "# no comment", "$HOME",
            "$ {x}", "\\n", "a\\b", "<b>", "</b>", "&amp;", "é", "日本", "  ",
            "\t", "}", "{", "|", "'q'", "\"", "a ## b", "%}", "$$", "< %"]
    NAMES = ["u", "v", "w", "x", "y", "z"]

    def __init__(self, seed):
        self.r = random.Random(seed)
        # Assigned by now: name -> "s", "i", "l" or "d".
        self.types = {}
        self.loops = 0
        self.defs = []
        self.blocks = 0
        self.in_def = False
        self.eol = "\r\n" if self.chance(0.05) else "\n"

    def chance(self, p):
        return self.r.random() < p

    def pick(self, *options):
        return self.r.choice(options)

    def known(self, kind):
        return [n for n, t in self.types.items() if t == kind]

    def quote(self, text):
        q = self.pick("'", '"')
        return q + text.replace("\\", "\\\\").replace(q, "\\" + q) + q

    # Expressions

    def literal(self):
        return self.quote(self.pick(
            "", "a", "abc", "a,b", "x y", " pad ", "A-b", "é", "日本", "}", "|",
            "#", "%", "<&>", "it's", "a\\b", "10", "-3", "0x1f"))

    def string(self, depth=3):
        if depth <= 0 or self.chance(0.25):
            names = self.known("s")
            if names and self.chance(0.4):
                return self.pick(*names)
            if self.chance(0.5):
                return self.literal()
            return self.pick(*DATA)
        s, i, lst = (lambda: self.string(depth - 1),
                     lambda: self.integer(depth - 1),
                     lambda: self.list(depth - 1))
        return self.pick(
            lambda: f"{self.atom(s())}.{self.method()}",
            lambda: f"{s()} + {s()}",
            lambda: f"({s()}) * {self.r.randint(0, 3)}",
            lambda: f"({s()})[{self.slice()}]",
            lambda: f"str({self.any(depth - 1)})",
            lambda: f"repr({self.any(depth - 1)})",
            lambda: f"{self.literal()}.join({self.strings(depth - 1)})",
            lambda: f"({s()} if {self.boolean(depth - 1)} else {s()})",
            lambda: f"({s()} or {s()})", lambda: f"({s()} and {s()})",
            lambda: f"'%s-%{self.pick('', '5', '-6', '.2')}s' % "
                    f"({s()}, {s()})",
            lambda: f"'%{self.pick('d', '03d', 'x', '+d', 'o', '5d', 'r')}|'"
                    f" % ({i()},)",
            lambda: f"'{{}}:{{{self.pick('', ':>5', ':<4', ':^6', '!r')}}}'"
                    f".format({i()}, {s()})",
            lambda: f"'{{:{self.pick('d', '05d', ',', 'x', '#b', '>4')}}}'"
                    f".format({i()})",
            lambda: f"'%.{self.r.randint(0, 3)}f' % ({self.number()},)",
            lambda: f"f'{{{self.pick(*DATA)}}}-{{{self.pick(*DATA)}!r:>6}}'",
            lambda: f"{lst()}[0]" if self.chance(0.3) else s(),
            lambda: f"{self.dict(depth - 1)}.get({s()}, {s()})",
            lambda: f"min({s()}, {s()})", lambda: f"max({s()}, {s()})",
        )()

    def atom(self, text):
        return text if text.replace("_", "").isalnum() else f"({text})"

    def method(self):
        return self.pick(
            "upper()", "lower()", "strip()", "title()", "capitalize()",
            "swapcase()", "replace('a', 'bb')", "replace('', '-', 2)",
            "zfill(4)", "ljust(5, '.')", "rjust(4)", "center(7, '*')",
            "lstrip()", "rstrip('x ')", "removeprefix('a')",
            "removesuffix('b')", "expandtabs(4)", "format(1, a=2)",
            "partition(',')[0]", "rpartition('=')[2]", "split(',')[-1]",
            "casefold()")

    def slice(self):
        return self.pick("1:", ":2", "::-1", "-2:", "1:-1", "::2", "0:1",
                         "10:", ":", "3:0:-1")

    def number(self):
        return self.pick("1.5", "0.1 + 0.2", "10 / 4", "float(num)", "2 ** -1",
                         "1e16", "1e-5", "-0.0", "7.0", "1 / 3",
                         "round(2.567, 1)", "abs(-2.5)", "12345678.9", "1e22")

    def integer(self, depth=3):
        if depth <= 0 or self.chance(0.3):
            names = self.known("i")
            if names and self.chance(0.5):
                return self.pick(*names)
            if self.loops and self.chance(0.3):
                return "loop.index"
            return self.pick(str(self.r.randint(0, 20)), "int(cpu)",
                             "int(num)", "0x1f", "0b101", "1_000")
        i = lambda: self.integer(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"({i()} + {i()})", lambda: f"({i()} - {i()})",
            lambda: f"{i()} * {self.r.randint(0, 9)}",
            lambda: f"{i()} // {self.pick(2, 3, -2)}",
            lambda: f"{i()} % {self.pick(2, 3, -4)}", lambda: f"-{i()}",
            lambda: f"{self.r.randint(-3, 3)} ** {self.r.randint(0, 4)}",
            lambda: f"len({self.string(depth - 1)})",
            lambda: f"len({self.list(depth - 1)})",
            lambda: "sum(int(p) for p in ports.split(','))",
            lambda: f"abs({i()})", lambda: f"max({i()}, {i()})",
            lambda: f"min([{i()}, {i()}])",
            lambda: f"({self.string(depth - 1)}).count('a')",
            lambda: f"({self.string(depth - 1)}).find('b')",
            lambda: f"({i()} if {self.boolean(depth - 1)} else {i()})",
            lambda: f"round({self.number()} % 99)",
            lambda: f"int({self.number()} % 1000)",
            lambda: f"({i()} & 7)", lambda: f"({i()} ^ 5)",
            lambda: f"({i()} << 2)", lambda: f"~{i()}", lambda: "ord('a')",
            lambda: f"sum([{i()}, {i()}])",
        )()

    def boolean(self, depth=2):
        s, i = (lambda: self.string(depth - 1),
                lambda: self.integer(depth - 1))
        return self.pick(
            lambda: f"{s()} == {s()}", lambda: f"{i()} {self.compare()} {i()}",
            lambda: f"{s()} in {s()}", lambda: f"{s()} not in ('a', 'web')",
            lambda: f"not {self.pick(*DATA)}", lambda: "nosuch or False",
            lambda: "not nosuch", lambda: "True", lambda: "False",
            lambda: f"({s()}).{self.pick('isdigit()', 'isalpha()')}",
            lambda: f"({s()}).startswith(('a', 'w'))",
            lambda: f"0 < {i()} <= 9", lambda: f"bool({s()})",
            lambda: f"any([{i()}, {i()}])", lambda: f"all([{s()}])",
            lambda: f"{i()} > 3 and {s()} != 'q'",
            lambda: "nosuch is UNDEFINED", lambda: f"{s()} is None",
        )()

    def compare(self):
        return self.pick("<", "<=", ">", ">=", "==", "!=")

    def strings(self, depth):
        return self.pick(
            lambda: f"[{self.string(depth - 1)}, {self.string(depth - 1)}]",
            lambda: "ports.split(',')",
            lambda: f"str(c) for c in range({self.r.randint(0, 4)})",
            lambda: f"c.upper() for c in {self.string(depth - 1)} "
                    "if c != 'a'",
            lambda: f"sorted({self.string(depth - 1)})",
        )()

    def list(self, depth=2):
        names = self.known("l")
        if names and self.chance(0.3):
            return self.pick(*names)
        return self.pick(
            lambda: f"({self.string(depth - 1)}).split(',')",
            lambda: "ports.split(',')", lambda: "multi.splitlines()",
            lambda: "sp.split()", lambda: "kv.split(';')",
            lambda: f"list(range({self.pick('3', '1, 4', '5, 0, -2')}))",
            lambda: f"[{self.any(depth - 1)}, {self.any(depth - 1)}]",
            lambda: f"[c + '!' for c in {self.string(depth - 1)}]",
            lambda: "[a * b for a in range(3) for b in range(a) if b != 1]",
            lambda: f"sorted({self.string(depth - 1)}, reverse=True)",
            lambda: "list(enumerate(ports.split(','), 1))",
            lambda: "list(zip('ab', [1, 2, 3]))",
            lambda: f"list(reversed({self.string(depth - 1)}))",
            lambda: "(1, 'a', None)", lambda: "[]", lambda: "[[1], (2,), {}]",
            lambda: "[1.0, -0.0, 1e20, True]",
        )()

    def dict(self, depth=2):
        return self.pick(
            lambda: f"{{'a': {self.any(depth - 1)}, "
                    f"{self.string(depth - 1)}: 2}}",
            lambda: "dict(a=1, b='x')", lambda: "{}",
            lambda: "dict(p.split('=') for p in kv.split(';'))",
            lambda: "{k: len(k) for k in ports.split(',')}",
            lambda: "{1: 'one', 1.0: 'uno', True: 't'}",
        )()

    def any(self, depth=2):
        return self.pick(self.string, self.string, self.integer,
                         lambda d: self.boolean(min(d, 1)),
                         lambda d: self.list(min(d, 2)),
                         lambda d: self.dict(min(d, 1)),
                         lambda d: self.number(), lambda d: "None")(depth)

    # Pieces

    def output(self):
        e = self.any() if self.chance(0.4) else self.string()
        if self.loops and self.chance(0.3):
            e = "loop." + self.pick("index", "first", "last", "even", "odd",
                                    "reverse_index", "cycle('a', 'b')")
        if self.defs and self.chance(0.2):
            return "${" + self.call() + "}"
        if e.startswith("{") or self.chance(0.2):
            e = " " + e + " "
        if e.rstrip().endswith("}"):
            e += " "
        filters = [self.pick("h", "x", "u", "trim", "entity", "str", "unicode",
                             "decode.utf8", "h", "trim")
                   for _ in range(self.r.randint(1, 3))]
        if self.chance(0.1):
            filters.insert(self.r.randint(0, len(filters)), "n")
        tail = ""
        if self.chance(0.3):
            tail = self.pick("|", " | ") + self.pick(",", ", ").join(filters)
        return "${" + e + tail + "}"

    def call(self):
        name, params = self.pick(*self.defs)
        args = []
        for i, p in enumerate(params):
            if p.endswith("="):
                if self.chance(0.5):
                    break
                args.append((p if self.chance(0.3) else "") +
                            self.string(1))
            else:
                args.append(self.string(1))
        if self.chance(0.05):
            args.append("1")
        return f"{name}({', '.join(args)})"

    def line(self):
        text = "".join(self.output() if self.chance(0.35)
                       else self.pick(*self.TEXT)
                       for _ in range(self.r.randint(0, 4)))
        # Older versions of Mako keep what newer ones take away.
        text = text.replace("<&", "< &")
        if text.lstrip().startswith(("%", "##")):
            text = "." + text
        return text

    def assign(self):
        kind = self.pick("s", "s", "i", "l", "d")
        value = {"s": self.string, "i": self.integer, "l": self.list,
                 "d": self.dict}[kind](2)
        name = self.pick(*self.NAMES)
        return name, kind, value

    def code(self):
        name, kind, value = self.assign()
        extra = self.pick(
            "", "", f"\n  if {name}:\n    k = 1\n  else:\n    k = 2",
            "\n  for n in range(3):\n    if n == 1: continue\n    k = n",
            f"; k = {self.literal()}", "\n  k = 0\n  while k < 3:\n    k += 2",
            "\n  k, j = 'ab'", "\n  k = j = []\n  k.append(1)\n  k += [j]",
            "\n  # no code %> \n  pass", "\n  d = {}\n  d['q'] = 1\n  "
            "d.update(w=2)\n  k = d")
        self.types[name] = kind
        if extra:
            return f"<%\n  {name} = {value}{extra}\n%>"
        return f"<% {name} = {value} %>"

    def body(self, depth, n=None):
        out = []
        for _ in range(n if n is not None else self.r.randint(1, 4)):
            out.append(self.piece(depth))
        return "".join(out)

    def inner(self, depth):
        """Names that only a branch assigns may have no value later; let some
        stay known, to see that it fails in both."""
        before = dict(self.types)
        text = self.body(depth - 1)
        # Mako forgets that many things write nothing.
        text += self.pick(".", "-", "x") + self.pick("\n", "\\\n")
        if not self.chance(0.1):
            self.types = before
        return text

    def indent(self):
        return self.pick("", "", "  ", "\t")

    def control(self, line):
        if self.chance(0.1):
            line += self.pick(" ", "  # why", "\t")
        return self.indent() + "%" + self.pick(" ", "", "  ") + line + "\n"

    def branch(self, depth):
        out = self.control(f"if {self.boolean()}:") + self.inner(depth)
        while self.chance(0.3):
            out += self.control(f"elif {self.boolean()}:")
            out += self.inner(depth)
        if self.chance(0.4):
            out += self.control("else:") + self.inner(depth)
        return out + self.control("endif")

    def for_loop(self, depth):
        name = self.pick("e", "f", "g")
        target, over = self.pick(
            (name, self.list()), (name, f"range({self.r.randint(0, 4)})"),
            (f"{name}, t", "enumerate(ports.split(','))"),
            (f"({name}, t)", "zip('ab', 'cd')"), (name, "appName"),
            (name, f"reversed({self.list()})"))
        known = dict(self.types)
        self.loops += 1
        self.types[name] = "i" if over.startswith("range") else "l"
        if over == "appName":
            self.types[name] = "s"
        elif not over.startswith("range"):
            del self.types[name]
        out = self.control(f"for {target} in {over}:")
        out += self.inner(depth)
        if self.chance(0.2):
            out += (self.control(f"if {self.boolean()}:") + "<% " +
                    self.pick("break", "continue") + " %>\n" +
                    self.control("endif") + self.line() + "\n")
        self.loops -= 1
        self.types = known
        if self.chance(0.2):
            out += self.control("else:") + self.inner(depth)
        return out + self.control("endfor")

    def while_loop(self, depth):
        loops, self.loops = self.loops, 0
        name = f"n{depth}"
        out = (f"<% {name} = 0 %>\\\n" +
               self.control(f"while {name} < {self.r.randint(0, 3)}:") +
               f"<% {name} += 1 %>" + self.pick("\\\n", "\n") +
               self.inner(depth) + self.control("endwhile"))
        self.loops = loops
        return out

    def attempt(self, depth):
        bad = self.pick("int('x')", "1 / 0", "[][1]", "{}['k']", "nosuch",
                        "'a' + 1", "None.x", "'abc'.index('z')")
        return (self.control("try:") + self.inner(depth) +
                ("${" + bad + " }\n" if self.chance(0.7) else "") +
                self.control("except" + self.pick(
                    "", " ValueError", " TypeError", " Exception",
                    " Exception", " Exception as err", " KeyError as err",
                    " IndexError", " ZeroDivisionError", " NameError",
                    " AttributeError as err") + ":") +
                # Mako writes a second one into the first.
                self.inner(depth) + self.control("endtry"))

    def definition(self):
        name = f"f{len(self.defs)}"
        params = self.pick([], ["a"], ["a", "b="], ["a", "b=", "c="])
        loops, self.loops = self.loops, 0
        known, self.types = self.types, {p.rstrip("="): "s" for p in params}
        sign = ", ".join(p + "'z'" if p.endswith("=") else p for p in params)
        attr = self.pick("", "", "", ' filter="trim"', ' filter="h,trim"',
                         ' buffered="True"', ' buffered="True" filter="u"')
        self.in_def = True
        body = self.pick("\\\n", "\n") + self.body(1, self.r.randint(1, 2))
        self.in_def = False
        if self.chance(0.1):
            body += "<% return " + self.pick("", "'r'", "STOP_RENDERING") + \
                " %>tail"
        self.loops, self.types = loops, known
        self.defs.append((name, params))
        return f"<%def name=\"{name}({sign})\"{attr}>{body}</%def>\n"

    def block(self, depth):
        # Two blocks without a name in one line are one in Mako.
        self.blocks += 1
        loops = self.loops
        attr = self.pick("", ' filter="h"', ' filter="trim"')
        if not self.in_def and self.chance(0.3):
            attr += f' name="blk{self.blocks}"'
            self.loops = 0
        known, self.types = self.types, {}
        out = (f"\n<%block{attr}>" + self.pick("\\\n", "\n") +
               self.body(depth - 1) + "</%block>\n")
        self.loops, self.types = loops, known
        return out

    def piece(self, depth):
        options = [lambda: self.line() + "\n"] * 6 + [
            lambda: self.line() + "\\\n",
            lambda: self.indent() + "## comment ${nosuch.x}\n",
            lambda: "<%doc>x ${y\n% z </%doc>\n",
            lambda: "<%text>${no} % x\n## y\\\n</%text>\n",
            lambda: "<%text filter=\"h\"><${x}></%text>\n",
            lambda: self.code() + self.pick("\n", "\\\n"),
            lambda: self.code() + self.pick("\n", "\\\n"),
            lambda: f"<%include file=\"{self.pick(*FILES)}\""
                    + self.pick("", ' args="x=cpu"', " args=\"x=1, y='q'\"")
                    + "/>" + self.pick("\\\n", "\n"),
        ]
        if depth > 0:
            options += [lambda: self.branch(depth)] * 2
            options += [lambda: self.for_loop(depth)] * 2
            options += [lambda: self.while_loop(depth),
                        lambda: self.attempt(depth),
                        lambda: self.block(depth)]
        return self.pick(*options)()

    def template(self):
        out = []
        if self.chance(0.05):
            out.append("# -*- coding: utf-8 -*-\n")
        if self.chance(0.1):
            out.append('<%page expression_filter="' +
                       self.pick("h", "trim", "h,trim", "n") + '"/>\n')
        elif self.chance(0.1):
            out.append('<%page args="cpu, other=\'o\'"/>\n')
        if self.chance(0.1):
            out.append("<%! m1 = 5; m2 = 'mod' %>\n")
            self.types.update(m1="i", m2="s")
        for _ in range(self.pick(0, 0, 1, 2)):
            out.append(self.definition())
        out.append(self.body(2, self.r.randint(1, 5)))
        if self.chance(0.05):
            out.append("<% return %>rest\n" + self.line())
        text = "".join(out)
        if self.chance(0.3):
            text = text.rstrip("\n")
        return text.replace("\n", self.eol)


def generate(seed):
    return Generator(seed).template()


def differences(seeds, directory):
    """(seed, template, ours, theirs) for each that is not the same."""
    texts = [generate(seed) for seed in seeds]
    got = ours([(t, DATA) for t in texts], directory)
    for seed, text, mine in zip(seeds, texts, got):
        theirs = mako(text, DATA, directory)
        if mine.get("output") != theirs.get("output"):
            yield seed, text, mine, theirs


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else \
        random.randrange(1 << 32)
    bad = 0
    print(f"{count} templates from seed {seed} on")
    with tempfile.TemporaryDirectory() as d:
        write_files(d)
        for n, text, mine, theirs in differences(range(seed, seed + count), d):
            bad += 1
            print(f"--- seed {n}\n{text}\n--- ours\n{mine}\n--- Mako\n"
                  f"{theirs}\n")
    print(f"{bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
