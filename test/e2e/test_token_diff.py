# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Tokens: what PyJWT, which the original uses, accepts and refuses, against
ours. `test_token judge` says what ours does. Where the two may differ is said
in STRICTER: ours refuses more, never less."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import random
import subprocess
import time

import jwt
import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
JUDGE = BUILD.resolve() / "test" / "unit" / "test_token"
KEY = "abc"
NOW = int(time.time())
HEADER = b'{"alg":"HS256","typ":"JWT"}'
HOUR = 3600

HEADERS = [
    HEADER, b'{"alg":"HS256"}', b'{"typ":"JWT","alg":"HS256"}',
    b'{"alg":"none"}', b'{"alg":"hs256"}', b'{"alg":"HS384"}',
    b'{"alg":"HS512"}', b'{"alg":"RS256"}', b'{"alg":1}', b'{"alg":null}',
    b'{}', b'[]', b'', b'"HS256"', b'{"alg":"HS256"',
    b'{"alg":"HS256","kid":"a"}', b' {"alg" : "HS256"} ',
]
PAYLOADS = [
    b'{}', b'[]', b'null', b'1', b'""', b'', b'{', b'{"a":}', b'{"a":1}',
    b'{"a":"\xff"}', b'\xff', b'{"a":"\\ud83d\\ude00"}',
]
TIMES = [
    0, -1, NOW - HOUR, NOW + HOUR, NOW + HOUR + 0.5, NOW - HOUR + 0.5,
    1e300, -1e300, 10**30, -10**30, None, [], {}, "x", "",
]
# What PyJWT takes and ours does not: rest-api.md 2.2.
STRICTER = {
    "numeric string": {"exp": str(NOW + HOUR)},
    "boolean": {"nbf": True},
    "empty audience": {"aud": []},
    "null audience": {"aud": None},
}


def b64(data, padded=False):
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def make(header, payload, key=KEY, padded=False):
    text = b64(header, padded) + "." + b64(payload, padded)
    mac = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return text + "." + b64(mac, padded)


def theirs(token):
    try:
        jwt.decode(token, KEY, algorithms=["HS256"])
        return True
    # It lets some of Python's own errors through, which are refusals too.
    except Exception:  # pylint: disable=broad-except
        return False


def ours(tokens):
    lines = "".join(f"{int(time.time())} {t}\n" for t in tokens)
    out = subprocess.run([JUDGE, "judge", KEY], input=lines, check=True,
                         timeout=60, text=True, stdout=subprocess.PIPE).stdout
    answers = out.splitlines()
    assert len(answers) == len(tokens)
    return answers


def differences(tokens, may_be_stricter=False):
    found = []
    for token, answer in zip(tokens, ours(tokens)):
        them, us = theirs(token), answer == "ok"
        if us != them and not (may_be_stricter and them):
            found.append((token, f"theirs {them}, ours {answer}"))
    return found


@pytest.mark.parametrize("padded", [False, True])
def test_headers_and_payloads(padded):
    tokens = [make(h, p, padded=padded) for h in HEADERS for p in PAYLOADS]
    assert sum(theirs(t) for t in tokens) > 10
    assert not differences(tokens)


def test_times():
    claims = [{name: at} for name in ("exp", "nbf", "iat") for at in TIMES]
    claims += [{"exp": e, "nbf": n, "iat": i} for e in TIMES[:10]
               for n in TIMES[:10] for i in TIMES[:10]]
    tokens = [make(HEADER, json.dumps(c).encode()) for c in claims]
    assert sum(theirs(t) for t in tokens) > 10
    assert not differences(tokens)


def test_keys_and_texts():
    good = make(HEADER, b'{"exp":%d}' % (NOW + HOUR))
    tokens = [good, make(HEADER, b"{}", "abd"), make(HEADER, b"{}", "abcd"),
              "", ".", "..", "...", "a.b.c", good + ".", "." + good,
              good[:-1], good + "A", good.replace(".", "..", 1),
              good.rsplit(".", 1)[0] + ".", good.rsplit(".", 1)[0]]
    assert ours(tokens)[0] == "ok"
    assert not differences(tokens)


@pytest.mark.parametrize("name", STRICTER)
def test_stricter(name):
    token = make(HEADER, json.dumps(STRICTER[name]).encode())
    assert ours([token])[0].startswith("no ")


def test_made_by_them():
    tokens = [jwt.encode({"exp": NOW + HOUR, "metadata": {"a": "é€😀"}}, KEY),
              jwt.encode({}, KEY), jwt.encode({"exp": NOW - HOUR}, KEY)]
    assert [a[:2] for a in ours(tokens)] == ["ok", "ok", "no"]


def test_mutations():
    """Thousands of damaged tokens: ours never takes what theirs does not."""
    rnd = random.Random(20260101)
    alphabet = "ABCXYZabcxyz0189-_=.+/ \x7f"
    good = make(HEADER, b'{"exp":%d,"a":[1,2]}' % (NOW + HOUR))
    tokens = []
    for _ in range(5000):
        text = list(good)
        for _ in range(rnd.randint(1, 3)):
            at = rnd.randrange(len(text))
            what = rnd.randrange(3)
            if what == 0:
                text[at] = rnd.choice(alphabet)
            elif what == 1:
                del text[at]
            else:
                text.insert(at, rnd.choice(alphabet))
        tokens.append("".join(text))
    assert not differences(tokens, may_be_stricter=True)


def test_signed_mutations():
    """The same inside the signature: damaged JSON, signed all the same."""
    rnd = random.Random(20260102)
    alphabet = b'{}[]",:0123456789.eE+-\\ u\xc3\xa9tfn'
    good = b'{"exp":%d,"nbf":1.5,"a":{"b":[1,"x",null,true]}}' % (NOW + HOUR)
    tokens = []
    for _ in range(5000):
        text = bytearray(good)
        for _ in range(rnd.randint(1, 3)):
            text[rnd.randrange(len(text))] = rnd.choice(alphabet)
        tokens.append(make(HEADER, bytes(text)))
    assert not differences(tokens, may_be_stricter=True)
