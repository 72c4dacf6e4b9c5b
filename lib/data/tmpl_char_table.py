#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Prints tmpl_char_table.h: what Python's str methods know of characters.

    python3 lib/data/tmpl_char_table.py > lib/data/tmpl_char_table.h
"""

import unicodedata

# In the order of enum tmpl_char_class.
TESTS = [str.isalpha, str.isdecimal, str.isdigit, str.isnumeric, str.isupper,
         str.islower, str.istitle, str.isprintable]
ALTERNATE = 1 << 15


def classes(c):
    text = chr(c)
    bits = sum(1 << i for i, test in enumerate(TESTS) if test(text))
    # istitle() holds for capitals, too: here only what is neither.
    if bits & 16:
        bits &= ~64
    return bits


def runs():
    """[first, classes]; in an alternating run every second character has
    upper and lower the other way round."""
    rows = []
    c = 0
    while c <= 0x10ffff:
        bits = classes(c)
        end = c + 1
        while end <= 0x10ffff and classes(end) == bits:
            end += 1
        if end == c + 1 and bits & 48:
            flip = bits ^ 48
            stop = c
            while stop <= 0x10ffff and classes(stop) == (
                    bits if (stop - c) % 2 == 0 else flip):
                stop += 1
            if stop - c > 2:
                rows.append((c, bits | ALTERNATE))
                c = stop
                continue
        rows.append((c, bits))
        c = end
    return rows


def differing(to, other):
    return [(c, to(chr(c))) for c in range(0x110000)
            if not 0xd800 <= c < 0xe000 and to(chr(c)) != other(chr(c))]


def maps(to, other=str):
    """[first, last, step, delta] of mappings to one character, as far as they
    are not the other one's."""
    rows = []
    for c, text in differing(to, other):
        if len(text) != 1:
            continue
        delta = ord(text) - c
        if rows and rows[-1][3] == delta:
            first, last, step, _ = rows[-1]
            if c - last in (1, 2) and (first == last or step == c - last):
                rows[-1] = (first, c, c - last, delta)
                continue
        rows.append((c, c, 1, delta))
    return rows


def texts(to, other=str):
    """(character, C string) of mappings to several characters."""
    return [(c, "".join(f"\\x{b:02x}" for b in text.encode()))
            for c, text in differing(to, other) if len(text) > 1]


def table(kind, name, rows, form):
    print(f"\nstatic const struct {kind} {name}[] = {{")
    line = ""
    for row in rows:
        cell = form % row
        if len(line) + len(cell) > 70:
            print(f"\t{line.rstrip()}")
            line = ""
        line += cell + " "
    print(f"\t{line.rstrip()}")
    print("};")


def main():
    print("/* SPDX-License-Identifier: BSD-2-Clause */")
    print("/* Copyright (c) 2026, The Overlord in C authors */")
    version = unicodedata.unidata_version
    print(f"""
/*
 * Made by tmpl_char_table.py: characters of Unicode {version}.
 */
#pragma once

#include <stdint.h>

/* A run goes on to the next row's. */
struct char_run {{
\tuint32_t first;
\tuint16_t classes;
}};

struct char_map {{
\tuint32_t first;
\tuint32_t last;
\tuint32_t step;
\tint32_t delta;
}};

/* What becomes several characters. */
struct char_text {{
\tuint32_t c;
\tconst char *text;
}};

/* Every second character of the run is upper for lower. */
#define CHAR_ALTERNATE 0x8000

/* clang-format off */""")
    table("char_run", "char_runs", runs(), "{0x%x,0x%x},")
    for name, to, other in (("upper", str.upper, str),
                            ("lower", str.lower, str),
                            ("title", str.title, str.upper),
                            ("fold", str.casefold, str.lower)):
        table("char_map", f"char_{name}", maps(to, other),
              "{0x%x,0x%x,%d,%d},")
        table("char_text", f"char_{name}_text", texts(to, other),
              '{0x%x,"%s"},')
    print("/* clang-format on */")


main()
