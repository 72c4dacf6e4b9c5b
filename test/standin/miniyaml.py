# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The part of YAML 1.1 that Director files are written in: block and flow
mappings and sequences, all five scalar styles, comments, `!ENV`.  No anchors,
merge keys, complex keys or several documents: those are an Error, which the
stand-in treats as a bad file.  Values become what PyYAML makes of them, as far
as Director can tell."""

import os


class Error(Exception):
    pass


SIMPLE = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
}
for _word, _value in (("true", True), ("yes", True), ("on", True),
                      ("false", False), ("no", False), ("off", False)):
    for _form in (_word, _word.capitalize(), _word.upper()):
        SIMPLE[_form] = _value
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b",
           '"': '"', "\\": "\\", "/": "/", " ": " ", "a": "\a", "b": "\b",
           "f": "\f", "v": "\v"}
HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
FLOW_ENDS = ",[]{}"


def load(text):
    if "\t" in text and any(line.lstrip(" ").startswith("\t")
                            and line.strip() for line in text.split("\n")):
        raise Error("found a tab where an indentation is expected")
    reader = Reader(text)
    reader.skip()
    if reader.line() is not None and reader.line().startswith("---"):
        rest = reader.line()[3:].strip()
        if rest and not rest.startswith("#"):
            reader.lines[reader.n] = rest
        else:
            reader.n += 1
    value = reader.block(0)
    reader.skip()
    if reader.line() is not None and reader.line().strip() != "...":
        raise Error("line %d: unexpected text" % (reader.n + 1))
    return value


def expand(text):
    """`!ENV`: ${NAME} and ${NAME:default}; unset without default is empty."""
    out, at = [], 0
    while True:
        start = text.find("${", at)
        end = text.find("}", start)
        if start == -1 or end == -1:
            return "".join(out) + text[at:]
        name, _, default = text[start + 2:end].partition(":")
        out.append(text[at:start] + os.environ.get(name, default))
        at = end + 1


def resolve(text):
    """A plain scalar."""
    if text in SIMPLE:
        return SIMPLE[text]
    digits = text.lstrip("+-")
    if digits[:1].isdigit() or digits[:1] == ".":
        for base, prefix in ((16, "0x"), (2, "0b")):
            if digits.startswith(prefix):
                return number(text, lambda t: int(t, base))
        if digits.isdigit() and digits[0] == "0" and len(digits) > 1:
            return number(text, lambda t: int(t, 8))
        if digits.isdigit():
            return number(text, int)
        if "." in digits:
            return number(text, float)
    return text


def number(text, convert):
    try:
        return convert(text.replace("_", ""))
    except ValueError:
        return text


def comment_cut(text):
    """Plain text up to a comment."""
    at = text.find(" #")
    return "" if text.startswith("#") else text[:at] if at != -1 else text


class Reader:
    def __init__(self, text):
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.n = 0

    def line(self):
        return self.lines[self.n] if self.n < len(self.lines) else None

    def fail(self, reason):
        raise Error("line %d: %s" % (min(self.n, len(self.lines) - 1) + 1,
                                     reason))

    def skip(self):
        """To the next line with content; its indentation, or -1."""
        while self.n < len(self.lines):
            stripped = self.lines[self.n].strip()
            if stripped and not stripped.startswith("#"):
                return indent_of(self.lines[self.n])
            self.n += 1
        return -1

    def block(self, least):
        """The node that starts at the next line, if indented by least."""
        indent = self.skip()
        if indent < least:
            return None
        text = self.line().strip()
        if is_item(text):
            return self.sequence(indent)
        if self.key_of(text) is not None:
            return self.mapping(indent)
        self.n += 1
        return self.value(text, least - 1)

    def sequence(self, indent):
        items = []
        while self.skip() == indent and is_item(self.line().strip()):
            rest = self.line()[indent + 1:]
            content = rest.strip()
            if not content or content.startswith("#"):
                self.n += 1
                items.append(self.block(indent + 1))
            else:
                # "- key: value" opens a mapping where its key stands.
                inner = indent + 1 + indent_of(rest)
                self.lines[self.n] = " " * inner + content
                if is_item(content) or self.key_of(content) is not None:
                    items.append(self.block(inner))
                else:
                    self.n += 1
                    items.append(self.value(content, indent))
        if self.skip() > indent:
            self.fail("bad indentation of a sequence entry")
        return items

    def mapping(self, indent):
        items = {}
        while self.skip() == indent:
            text = self.line().strip()
            if is_item(text):
                break
            key = self.key_of(text)
            if key is None:
                if text == "...":
                    break
                self.fail("could not find expected ':'")
            key, rest = key
            self.n += 1
            rest = rest.strip()
            if rest and not rest.startswith("#"):
                value = self.value(rest, indent)
            elif self.skip() == indent and is_item(self.line().strip()):
                value = self.sequence(indent)
            else:
                value = self.block(indent + 1)
            try:
                items[key] = value
            except TypeError:
                self.fail("found unhashable key")
        if self.skip() > indent:
            self.fail("bad indentation of a mapping entry")
        return items

    def key_of(self, text):
        """(key, rest) when text starts with `key:`."""
        if text[0] in "\"'":
            try:
                key, at = quoted(text, 0)
            except EOFError:
                return None
            rest = text[at:].lstrip()
            return (key, rest[1:]) if rest.startswith(":") else None
        if text[0] in "[{#|>&*%@`!" or text.startswith("? "):
            if text[0] in "&*?":
                self.fail("not supported by the stand-in: " + text)
            return None
        text = comment_cut(text)
        at = text.find(": ")
        if at == -1:
            if not text.rstrip().endswith(":"):
                return None
            at = len(text.rstrip()) - 1
        return resolve(text[:at].rstrip()), text[at + 1:]

    def value(self, text, indent):
        """The node that starts with text, on the line before self.n, inside
        a node of that indentation."""
        if text[0] == "!":
            tag, _, rest = text.partition(" ")
            rest = rest.strip()
            value = self.value(rest, indent) if rest else ""
            if tag == "!ENV":
                return expand(value) if isinstance(value, str) else value
            if tag == "!!str":
                return "" if value is None else str(value)
            self.fail("could not determine a constructor for the tag " + tag)
        if text[0] in "&*%@`":
            self.fail("not supported by the stand-in: " + text)
        if text[0] in "|>":
            return self.literal(text, indent)
        if text[0] in "\"'[{":
            while True:
                try:
                    value, at = flow(text, 0)
                    break
                except EOFError:
                    if self.n >= len(self.lines):
                        self.fail("unexpected end of the text")
                    text += " " + self.lines[self.n].strip()
                    self.n += 1
            if comment_cut(text[at:]).strip():
                self.fail("unexpected text after a value")
            return value
        text = comment_cut(text).strip()
        if ": " in text or text.endswith(":"):
            self.fail("mapping values are not allowed here")
        while self.n < len(self.lines) and text:
            more = self.lines[self.n]
            if not more.strip() or indent_of(more) <= indent:
                break
            if self.key_of(more.strip()) is not None:
                self.fail("mapping values are not allowed here")
            text += " " + comment_cut(more.strip()).strip()
            self.n += 1
        return resolve(text)

    def literal(self, header, indent):
        header = comment_cut(header).strip()
        width, body = None, []
        for c in header[1:]:
            if c.isdigit():
                width = indent + int(c)
        while self.n < len(self.lines):
            line = self.lines[self.n]
            if line.strip():
                if width is None:
                    width = indent_of(line)
                if indent_of(line) < width or width <= indent:
                    break
            body.append(line[width or 0:] if line.strip() else "")
            self.n += 1
        tail = 0
        while body and body[-1] == "":
            body.pop()
            tail += 1
        text = "\n".join(body)
        if header[0] == ">":
            text = fold(body)
        if "-" in header or not body:
            return text
        return text + "\n" + ("\n" * (tail - 1) if "+" in header else "")


def fold(lines):
    out = ""
    for n, line in enumerate(lines):
        if n == 0:
            out = line
        elif line == "":
            out += "\n"
        else:
            out += (line if out.endswith("\n") else " " + line)
    return out


def indent_of(line):
    return len(line) - len(line.lstrip(" "))


def is_item(text):
    return text == "-" or text.startswith("- ")


def quoted(text, at):
    """The quoted scalar at that place, and the place after it."""
    quote, out = text[at], []
    at += 1
    while at < len(text):
        c = text[at]
        if c == quote and quote == "'" and text[at + 1:at + 2] == "'":
            out.append("'")
            at += 2
        elif c == quote:
            return "".join(out), at + 1
        elif c == "\\" and quote == '"':
            kind = text[at + 1:at + 2]
            if kind in HEX_ESCAPES:
                size = HEX_ESCAPES[kind]
                out.append(chr(int(text[at + 2:at + 2 + size], 16)))
                at += size
            elif kind in ESCAPES:
                out.append(ESCAPES[kind])
            elif kind:
                raise Error("found unknown escape character " + kind)
            at += 2
        else:
            out.append(c)
            at += 1
    raise EOFError


def blanks(text, at):
    while at < len(text) and text[at] == " ":
        at += 1
    if at >= len(text):
        raise EOFError
    return at


def flow(text, at):
    """A flow node; EOFError asks for more text."""
    c = text[at]
    if c in "\"'":
        return quoted(text, at)
    if c == "[":
        return flow_items(text, at + 1, "]", [])
    if c == "{":
        return flow_items(text, at + 1, "}", {})
    if c == "!":
        end = text.find(" ", at)
        if end == -1:
            raise EOFError
        value, after = flow(text, blanks(text, end))
        return expand(value) if isinstance(value, str) else value, after
    end = at
    while end < len(text) and text[end] not in FLOW_ENDS and not (
            text[end] == ":" and text[end + 1:end + 2] in " ,[]{}"):
        end += 1
    if end >= len(text):
        raise EOFError
    return resolve(text[at:end].strip()), end


def flow_items(text, at, closing, items):
    while True:
        at = blanks(text, at)
        if text[at] == closing:
            return items, at + 1
        key, at = flow(text, at)
        at = blanks(text, at)
        value = None
        pair = text[at] == ":"
        if pair:
            at = blanks(text, at + 1)
            if text[at] not in FLOW_ENDS or text[at] in "[{":
                value, at = flow(text, at)
                at = blanks(text, at)
        if isinstance(items, dict):
            items[key] = value
        else:
            items.append({key: value} if pair else key)
        if text[at] == ",":
            at += 1
        elif text[at] != closing:
            raise Error("expected ',' or '%s'" % closing)
