# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The expression language of templates beside Python itself: random
expressions and blocks give the same value, or fail with the same class.

    TMPL_SEED=5 TMPL_CASES=20000 python3 -m pytest test/e2e/test_tmpl_expr.py
"""

import os
import pathlib
import random
import subprocess
import textwrap

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
EXPR = BUILD.resolve() / "test" / "unit" / "expr"
# The same each time, so that who changes something else is not stopped; by hand
# with others.
SEED = int(os.environ.get("TMPL_SEED", "868751050"))
CASES = int(os.environ.get("TMPL_CASES", "500"))
VARIABLES = {"name": "web", "cpu": "2", "ports": "80,443", "empty": "",
             "sp": "  x y  ", "quote": "it's \"q\"", "uni": "éaß€😀"}
# What stays unsupported by design, by the text that says so.
REFUSED = ("integer overflow", "'is' for equal values", "the text of",
           "comparing 'dict_", "complex number", "surrogate",
           "' of 'dict_", "'|' of dicts", "method '")
KINDS = ("digit", "alpha", "alnum", "space", "upper", "lower", "numeric",
         "decimal", "printable", "ascii")


class Maker:
    """Random expressions, mostly of types that go together."""

    def __init__(self, rng):
        self.rng = rng
        self.names = list(VARIABLES)
        self.depth = 0

    def pick(self, *options):
        return self.rng.choice(options)

    def make(self, kind=None):
        self.depth += 1
        if kind is None or self.rng.random() < 0.01:
            kind = self.pick("int", "str", "float", "list", "bool", "dict",
                             "tuple", "str", "int")
        deep = self.depth > 4 or self.rng.random() < 0.15
        text = getattr(self, kind + ("_leaf" if deep else "_"))()
        self.depth -= 1
        return text

    def int_leaf(self):
        return self.pick("0", "1", "2", "7", "-3", "10", "255", "1_000",
                         "0x1f", "0b101", "0o17", "True", "False",
                         "len(ports)",
                         "9223372036854775807", "100", "-1")

    def int_(self):
        i = self.make
        return self.pick(
            lambda: f"({i('int')} {self.op()} {i('int')})",
            lambda: f"{i('int')} {self.op()} {i('int')}",
            lambda: f"-{i('int')}", lambda: f"~{i('int')}",
            lambda: f"len({i(self.seq())})",
            lambda: f"int({i('float')})", lambda: f"int({i('str')})",
            lambda: f"int({i('str')}, {self.pick(0, 2, 8, 10, 16, 36)})",
            lambda: f"abs({i('int')})",
            lambda: f"round({i('float')})",
            lambda: f"round({i('int')}, {self.pick(-3, -1, 0, 1)})",
            lambda: f"{i('int')} ** {self.pick(0, 1, 2, 3)}",
            lambda: f"{i('int')} {self.pick('<<', '>>')} "
                    f"{self.pick(0, 1, 5, 31)}",
            lambda: f"{i('str')}.{self.pick('find', 'rfind', 'count')}"
                    f"({i('str')}{self.bounds()})",
            lambda: f"{i('str')}.{self.pick('index', 'rindex')}({i('str')})",
            lambda: f"{i('list')}.{self.pick('index', 'count')}({i()})",
            lambda: f"sum({i('list')})",
            lambda: f"{self.pick('min', 'max')}({i('int')}, {i('int')})",
            lambda: f"{self.pick('min', 'max')}({i(self.seq())})",
            lambda: f"{i('list')}[{i('int')}]",
            lambda: f"{i('tuple')}[{self.pick(0, 1, -1)}]",
            lambda: f"({i('int')} if {i('bool')} else {i('int')})",
            lambda: f"ord({i('str')})",
            lambda: f"({i('int')} {self.pick('and', 'or')} {i('int')})",
            lambda: f"sum({self.element()} for e in {i('list')})",
        )()

    def op(self):
        return self.pick("+", "-", "*", "//", "%", "&", "|", "^", "+", "-")

    def bounds(self):
        return self.pick("", "", f", {self.rng.randint(-4, 4)}",
                         f", {self.rng.randint(-4, 4)}, "
                         f"{self.rng.randint(-4, 9)}")

    def element(self):
        return self.pick("e", "e * 2", "len(str(e))", "1", "int(e)")

    def float_leaf(self):
        return self.pick("0.5", "1e3", "-2.25", "1e-7", "3.14159", "1e22",
                         "0.1", "100.0", "2.5", "1.5", "-0.0", ".5", "5e-324",
                         "1e16", "123456789.987654321", "float('inf')",
                         "float('nan')", "2.0 ** -44")

    def float_(self):
        i = self.make
        return self.pick(
            lambda: f"({i('float')} {self.pick('+', '-', '*', '/')} "
                    f"{i('float')})",
            lambda: f"{i('int')} / {i('int')}",
            lambda: f"({i('float')} {self.pick('//', '%')} {i('float')})",
            lambda: f"({i('float')} ** {self.pick(2, -1, 0.5, 3)})",
            lambda: f"float({i('str')})", lambda: f"float({i('int')})",
            lambda: f"round({i('float')}, {self.rng.randint(-4, 8)})",
            lambda: f"abs({i('float')})",
            lambda: f"-{i('float')}",
        )()

    def bool_leaf(self):
        return self.pick("True", "False", "empty", "name == 'web'", "None",
                         "nope")

    def bool_(self):
        i = self.make
        compare = self.pick("<", "<=", ">", ">=", "==", "!=")
        return self.pick(
            lambda: f"{i('int')} {compare} {i('int')}",
            lambda: f"{i('int')} {compare} {i('float')}",
            lambda: f"{i('str')} {compare} {i('str')}",
            lambda: f"({i('list')} {compare} {i('list')})",
            lambda: f"({i('tuple')} {compare} {i('tuple')})",
            lambda: f"{i()} {self.pick('==', '!=')} {i()}",
            lambda: f"({i('int')} < {i('int')} <= {i('int')})",
            lambda: f"{i('str')} {self.pick('in', 'not in')} {i('str')}",
            lambda: f"{i('int')} {self.pick('in', 'not in')} "
                    f"{i(self.pick('list', 'tuple', 'dict'))}",
            lambda: f"{i('int')} in range({i('int')}, {i('int')}, "
                    f"{self.pick(1, 2, -1, 3)})",
            lambda: f"(not {i('bool')})",
            lambda: f"({i('bool')} {self.pick('and', 'or')} {i('bool')})",
            lambda: f"({i()} is {self.pick('', 'not ')}None)",
            lambda: f"{i('str')}.{self.pick('startswith', 'endswith')}"
                    f"({i('str')}{self.bounds()})",
            lambda: f"{i('str')}.is{self.pick(*KINDS)}()",
            lambda: f"{self.pick('any', 'all')}({i('list')})",
            lambda: f"{self.pick('any', 'all')}({self.element()} for e in "
                    f"{i(self.seq())})",
            lambda: f"bool({i()})",
        )()

    def str_leaf(self):
        return self.pick(*self.names, *self.names, "'a'", "''", "'a,b,,c'",
                         "'%s'", "'Hello World'", r"'\t x\n'", "' 12 '",
                         "r'\\d'", "'ǆÉ'", "'-5'", "'1e3'", r'"\x41\u20ac"',
                         "'l1\\nl2\\r\\nl3'", "'aXbXc'", "'x' 'y'", "'0x1f'",
                         "'ΑΣ ΣΑ'", "'1_0'", "'{}'", "'³½'", "u'u'")

    def str_(self):
        i = self.make
        plain = self.pick("upper", "lower", "title", "capitalize", "swapcase",
                          "casefold", "strip", "lstrip", "rstrip",
                          "expandtabs")
        return self.pick(
            lambda: f"({i('str')} + {i('str')})",
            lambda: f"({i('str')} * {self.pick(0, 1, 2, 3, -1)})",
            lambda: f"{i('str')}.{plain}()",
            lambda: f"{i('str')}.{self.pick('strip', 'lstrip', 'rstrip')}"
                    f"({i('str')})",
            lambda: f"{i('str')}.replace({i('str')}, {i('str')}"
                    f"{self.pick('', ', 1', ', -1', ', 2')})",
            lambda: f"{i('str')}.{self.pick('ljust', 'rjust', 'center')}"
                    f"({self.pick(0, 3, 8, 9)}{self.fill()})",
            lambda: f"{i('str')}.zfill({self.pick(0, 4, 9)})",
            lambda: f"{i('str')}.{self.pick('removeprefix', 'removesuffix')}"
                    f"({i('str')})",
            lambda: f"{i('str')}.join({i(self.pick('list', 'str'))})",
            lambda: f"{i('str')}.join(str(e) for e in {i(self.seq())})",
            lambda: f"{i('str')}[{i('int')}]",
            lambda: f"{i('str')}[{self.slice()}]",
            lambda: f"str({i()})", lambda: f"repr({i()})",
            lambda: f"chr({self.pick(65, 0xe9, 0x20ac, 0x1f600, 0, 127)})",
            lambda: f"{self.pick('hex', 'oct', 'bin')}({i('int')})",
            lambda: f"({i('str')} if {i('bool')} else {i('str')})",
            lambda: f"({i('str')} {self.pick('and', 'or')} {i('str')})",
            self.percent, self.percent, self.format, self.format, self.fstring,
        )()

    def fill(self):
        return self.pick("", "", ", '*'", ", 'é'", ", 'xx'")

    def slice(self):
        ends = ["", "", "0", "1", "-1", "2", "-3", "9", "-9"]
        return f"{self.pick(*ends)}:{self.pick(*ends)}" + self.pick(
            "", "", ":", ":2", ":-1", ":-2", ":3", ":0")

    def percent(self):
        flags = "".join(self.rng.sample("-+ 0#", self.rng.randint(0, 2)))
        spec = (f"%{flags}{self.pick('', '', '5', '12')}"
                f"{self.pick('', '', '.0', '.2', '.7')}")
        kind, types = self.pick(("int", "dixXoc"), ("float", "eEfFgGd"),
                                ("int", "eg"), (None, "sr"), ("str", "src"))
        value = self.make(kind)
        text = self.pick("", "a", "%%") + spec + self.rng.choice(types)
        return self.pick(f"'{text}' % ({value},)", f"'{text}' % ({value})",
                         f"'{text}|%s' % ({value}, {self.make()})",
                         f"'%(k){text.split('%', 1)[1]}' % {{'k': {value}}}")

    def spec(self, kind):
        text = self.pick("", "", "*", "é", "0") + self.pick("<", ">", "^", "=")
        text = self.pick("", "", text)
        if kind != "str" or self.rng.random() < 0.05:
            text += self.pick("", "", "+", "-", " ")
            text += self.pick("", "", "", "#")
        text += self.pick("", "", "0") + self.pick("", "5", "12")
        if kind != "str" or self.rng.random() < 0.05:
            text += self.pick("", "", ",", "_")
        if kind != "int" or self.rng.random() < 0.05:
            text += self.pick("", "", ".0", ".1", ".3", ".9")
        types = {"int": "dboxXcfeg%", "float": "eEfFgG%", "str": "s"}[kind]
        return text + self.pick("", "", self.rng.choice(types))

    def format(self):
        kind = self.pick("int", "float", "str")
        value, spec = self.make(kind), self.spec(kind)
        conversion = self.pick("", "", "!r", "!s")
        if conversion:
            spec = self.spec("str")
        return self.pick(
            f"'{{{conversion}:{spec}}}'.format({value})",
            f"'{{0{conversion}:{spec}}}{{0}}'.format({value})",
            f"'{{k{conversion}:{spec}}}'.format(k={value})",
            f"'a{{}}b{{{{}}}}{{{conversion}}}'.format({self.make()}, {value})",
            f"'{{0[{self.pick(0, 1)}]}}'.format({self.make('list')})",
            f"'{{:>{{}}}}'.format({value}, {self.pick(3, 9)})",
            f"format({value}, '{spec}')" if not conversion else
            f"format({value})")

    def fstring(self):
        kind = self.pick("int", "float", "str")
        value = self.make(kind)
        if any(c in value for c in "'\"\\{}:!#=") or "lambda" in value:
            value = self.pick("name", "cpu", "len(ports)", "ports[1:]",
                              "1 + 2")
            kind = "str" if value in ("name", "cpu", "ports[1:]") else "int"
        return self.pick(f"f'{{{value}}}'",
                         f"f'<{{{value}:{self.spec(kind)}}}>'",
                         f"f'{{{value}!r}}{{{{}}}}'",
                         f"f'{{{value}!r:>12}}' 'x'", f"'y' f'{{{value}}}'")

    def seq(self):
        return self.pick("list", "tuple", "str", "dict")

    def list_leaf(self):
        return self.pick("[]", "[1, 2, 3]", "['b', 'a']", "[3, 1.5, True]",
                         "ports.split(',')", "[[1], [2]]", "[None, 'é']")

    def list_(self):
        i = self.make
        return self.pick(
            lambda: f"[{i()}, {i()}]", lambda: f"[{i('int')}, {i('int')},]",
            lambda: f"({i('list')} + {i('list')})",
            lambda: f"({i('list')} * {self.pick(0, 2, -1)})",
            lambda: f"{i('list')}[{self.slice()}]",
            lambda: f"sorted({i(self.seq())}"
                    f"{self.pick('', ', reverse=True')})",
            lambda: f"list({i(self.seq())})",
            lambda: f"list(range({self.rng.randint(-3, 9)}, "
                    f"{self.rng.randint(-9, 9)}, {self.pick(1, 2, -1, -3)}))",
            lambda: f"list(reversed({i(self.seq())}))",
            lambda: f"list(enumerate({i(self.seq())}"
                    f"{self.pick('', ', 1', ', start=5')}))",
            lambda: f"list(zip({i(self.seq())}, {i(self.seq())}))",
            lambda: f"list({i('dict')}.{self.pick('keys', 'values', 'items')}"
                    "())",
            lambda: f"{i('str')}.{self.pick('split', 'rsplit')}"
                    f"({self.separator()})",
            lambda: f"{i('str')}.splitlines({self.pick('', 'True')})",
            lambda: f"list({i('str')}.{self.pick('partition', 'rpartition')}"
                    f"({i('str')}))",
            lambda: f"[{self.element()} for e in {i(self.seq())}"
                    f"{self.pick('', ' if e', ' if e != 1')}]",
            lambda: f"[(e, g) for e in {i(self.seq())} for g in "
                    f"{i(self.seq())} if e != g]",
            lambda: f"({i('list')} or {i('list')})",
        )()

    def separator(self):
        return self.pick("", "','", "None", "'X'", "', '", "None, 1", "',', 1",
                         "maxsplit=2", "'a', -1", "sep=','")

    def tuple_leaf(self):
        return self.pick("()", "(1,)", "(1, 'a')", "(0.5, None, True)")

    def tuple_(self):
        i = self.make
        return self.pick(
            lambda: f"({i()}, {i()})", lambda: f"({i()},)",
            lambda: f"({i('tuple')} + {i('tuple')})",
            lambda: f"tuple({i(self.seq())})",
            lambda: f"{i('tuple')}[{self.slice()}]",
            lambda: f"{i('str')}.partition({i('str')})",
            lambda: f"({i('tuple')} * {self.pick(0, 1, 2)})",
        )()

    def dict_leaf(self):
        return self.pick("{}", "{'a': 1}", "{1: 'x', 'k': [2]}",
                         "{True: 1, 1.0: 2}", "dict(a=1, b='c')")

    def dict_(self):
        i = self.make
        return self.pick(
            lambda: f"{{{i('str')}: {i()}, {i('int')}: {i()}}}",
            lambda: f"{{e: {self.element()} for e in {i(self.seq())}}}",
            lambda: f"dict(zip({i('str')}, {i('list')}))",
            lambda: f"dict({i('dict')}, z={i()})",
            lambda: f"{{k: v for k, v in {i('dict')}.items()}}",
            lambda: f"({i('dict')} if {i('bool')} else {i('dict')})",
        )()


class BlockMaker(Maker):
    """Random statements about a, b and c; the block leaves `result`."""

    def __init__(self, rng):
        super().__init__(rng)
        self.names += ["a", "a", "b"]
        # Simple expressions, as there are several of them.
        self.depth = 3

    def block(self):
        lines = ["a = 'xyz'", "b = [3, 1, 2]", "c = {'k': 1}", "n = 0"]
        for _ in range(self.rng.randint(1, 5)):
            lines += self.statement(0)
        lines.append("result = [a, b, c, n]")
        margin = self.pick("", "  ")
        return "\n".join(margin + line for line in lines)

    def statement(self, level):
        if level < 2 and self.rng.random() < 0.4:
            return self.compound(level)
        i = self.make
        return [self.pick(
            lambda: f"a = {i('str')}", lambda: f"n = {i('int')}",
            lambda: f"b = [{i()}]; b.append({i()})",
            lambda: f"b += {i(self.seq())}", lambda: f"a += {i('str')}",
            lambda: f"n {self.pick('+=', '-=', '*=', '//=', '%=')} {i('int')}",
            lambda: "b *= 2", lambda: f"c[{i()}] = {i()}",
            lambda: f"b[{self.pick(0, -1, 1)}] = {i()}",
            lambda: f"c['k'] += {i('int')}",
            lambda: f"b.{self.pick('append', 'remove', 'extend')}({i()})",
            lambda: f"b.insert({i('int')}, {i()})",
            lambda: f"b.{self.pick('sort', 'reverse', 'pop', 'clear')}()",
            lambda: "b.sort(reverse=True)",
            lambda: f"b.pop({self.pick(0, 1, -1)})",
            lambda: f"c.update({i('dict')})", lambda: f"c.update(z={i()})",
            lambda: f"n = c.{self.pick('pop', 'get', 'setdefault')}"
                    f"({self.pick('1', repr('k'))}{self.pick('', ', 5')})",
            lambda: f"n, a = {i()}, {i('str')}",
            lambda: f"(n, [a, b]) = {i('int')}, ({i('str')}, {i('list')})",
            lambda: f"n = a = {i('str')}",
            lambda: f"assert {i('bool')}, {i('str')}",
            lambda: f"raise {self.pick('ValueError', 'KeyError')}({i()})",
            lambda: "pass",
        )()]

    def suite(self, level):
        lines = []
        for _ in range(self.rng.randint(1, 2)):
            lines += self.statement(level + 1)
        return [self.indent + line for line in lines]

    def compound(self, level):
        self.indent = self.pick("  ", "    ")
        kind = self.pick("if", "for", "while")
        if kind == "if":
            lines = [f"if {self.make('bool')}:"] + self.suite(level)
            if self.rng.random() < 0.5:
                lines += [f"elif {self.make()}:"] + self.suite(level)
        elif kind == "for":
            lines = [self.pick(
                f"for n in {self.make(self.seq())}:",
                f"for n, a in {self.make('dict')}.items():",
                f"for n, (a, b) in enumerate({self.make('list')}):")]
            lines += self.suite(level) + [self.indent + self.pick(
                "n = 1", "if not a: break", "if n == 1: continue")]
        else:
            lines = ["w = 0", "while w < 3:", "  w += 1"]
            lines += ["  " + line.strip() for line in self.statement(2)]
        if self.rng.random() < 0.3:
            lines += ["else:"] + self.suite(level)
        return lines


class Undefined:
    """Mako's, as far as it goes here."""

    def __bool__(self):
        return False

    def __str__(self):
        raise NameError("Undefined")

    __repr__ = __str__


def ask(mode, texts):
    done = subprocess.run(
        [EXPR, mode, *(f"{k}={v}" for k, v in VARIABLES.items())],
        input=b"".join(t.encode() + b"\0" for t in texts), capture_output=True,
        timeout=60, check=True)
    answers = done.stdout.decode().split("\0")
    assert len(answers) == len(texts) + 1
    return answers[:-1]


def theirs(mode, text):
    names = {**VARIABLES, "nope": Undefined()}
    try:
        if mode == "exec":
            exec(textwrap.dedent(text), names)  # pylint: disable=exec-used
            value = names["result"]
        else:
            value = eval(text, names)  # pylint: disable=eval-used
        return "=" + repr(value)
    except Exception as e:  # pylint: disable=broad-except
        kind = type(e).__name__
        if isinstance(e, SyntaxError):
            kind = "SyntaxException"
        # Only the class is compared; its text may be an Undefined's.
        return kind + ":"


def is_refused(ours):
    """Ours has a limit or a gap here.  Then Python is not asked, as it might
    count for hours."""
    return ours.startswith("LimitError: ") or (
        ours.startswith("UnsupportedTemplate: ") and
        any(text in ours for text in REFUSED))


def agree(ours, expected):
    return ours == expected or (
        not ours.startswith("=") and not expected.startswith("=") and
        ours.split(":")[0] == expected.split(":")[0])


def compare(mode, texts):
    wrong = []
    refused = 0
    for text, ours in zip(texts, ask(mode, texts)):
        if is_refused(ours):
            refused += 1
            continue
        expected = theirs(mode, text)
        if not agree(ours, expected):
            wrong.append(f"{text}\n  ours   {ours[:300]}\n  theirs "
                         f"{expected[:300]}")
    assert not wrong, f"TMPL_SEED={SEED}: {len(wrong)} differ:\n" + "\n".join(
        wrong[:20])
    assert refused <= len(texts) // 20


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_expressions():
    maker = Maker(random.Random(SEED))
    compare("eval", [maker.make() for _ in range(CASES)])


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_blocks():
    maker = BlockMaker(random.Random(SEED))
    compare("exec", [maker.block() for _ in range(CASES // 2)])
