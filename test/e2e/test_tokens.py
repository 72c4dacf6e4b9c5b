# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Who is let in: rest-api.md 2."""

import base64
import hashlib
import hmac
import json
import os
import time

import pytest

from node import CLIENT, Node

NO_HEADER = "'Authentication' header is required but hasn't been specified."
NO_SPACE = "'{}' header is invalid for this entrypoint."
SCHEME = "Authentication scheme is invalid for this entrypoint."
TOKEN = "Error while decoding the JWT."
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384,
          "HS512": hashlib.sha512}


def b64(data, pad=False):
    text = base64.urlsafe_b64encode(data).decode()
    return text if pad else text.rstrip("=")


def make(key, claims=None, header=None, pad=False, alg="HS256"):
    """A token with whatever in it; claims and header as bytes or values."""
    def text(v):
        return v if isinstance(v, bytes) else json.dumps(v).encode()
    head = text({"alg": alg, "typ": "JWT"} if header is None else header)
    body = text({} if claims is None else claims)
    signed = b64(head, pad) + "." + b64(body, pad)
    mac = hmac.new(key, signed.encode(), HASHES.get(alg, hashlib.sha256))
    return signed + "." + b64(mac.digest(), pad)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A node that nobody has to wait for; test_guessing.py has those."""
    node = Node(tmp_path_factory.mktemp("shared") / "node",
                {"limits": {"wrong_tokens": 1000000}})
    try:
        yield node.start()
    finally:
        node.dispose()


@pytest.fixture(scope="module")
def key(shared):
    key = shared.keyfile.read_bytes()
    assert len(key) == 64
    return key


def ask(node, headers, method="GET", path="/v1/ping"):
    """headers: [(name, value)], as they are."""
    head = "".join(f"{n}: {v}\r\n" for n, v in headers)
    return node.raw(f"{method} {path} HTTP/1.1\r\nHost: h\r\n{head}"
                    "\r\n".encode(), method=method)


def refused(r, status, message):
    assert r.status == status, r
    assert r.json == {"status_code": status, "message": message}
    if status == 401:
        assert r.headers["WWW-Authenticate"] == "Bearer"
    else:
        assert r.headers["WWW-Authenticate"] is None
    return True


def let_in(r):
    assert r.status == 200, r
    return True


# Headers

def test_no_header(shared):
    assert refused(ask(shared, []), 401, NO_HEADER)


@pytest.mark.parametrize("name", ("Authentication", "Authorization"))
def test_either_header(shared, key, name):
    good = make(key)
    for n in (name, name.lower(), name.upper()):
        assert let_in(ask(shared, [(n, "Bearer " + good)]))
    # The scheme in any case.
    for scheme in ("bearer", "BEARER", "bEaReR"):
        assert let_in(ask(shared, [(name, f"{scheme} {good}")]))
    for value in ("", "Bearer", " ", "Bearer ", good, "Bearer\t" + good,
                  "Bearer" + good):
        assert refused(ask(shared, [(name, value)]), 400,
                       NO_SPACE.format(name))
    for scheme in ("Basic", "Bearers", "Bear", "JWT", "Token", "Digest",
                   "Bearer,", "'Bearer'", "\xc2\xa0Bearer"):
        assert refused(ask(shared, [(name, f"{scheme} {good}")]), 400, SCHEME)
    for value in ("Bearer  " + good, "Bearer x " + good,
                  f"Bearer {good} x", f"Bearer {good},{good}",
                  f"Bearer {good}, Bearer {good}", "Bearer x"):
        assert refused(ask(shared, [(name, value)]), 401, TOKEN)


@pytest.mark.parametrize("name", ("Authentication", "Authorization"))
def test_a_header_twice(shared, key, name):
    good = make(key)
    for values in ((good, good), (good, "x"), ("x", good)):
        r = ask(shared, [(name, "Bearer " + v) for v in values])
        assert refused(r, 401, TOKEN)


def test_authentication_alone_decides(shared, key):
    good, bad = "Bearer " + make(key), "Bearer " + make(b"x" * 64)
    mine, other = "Authentication", "Authorization"
    for order in (1, -1):
        both = [(mine, good), (other, bad)][::order]
        assert let_in(ask(shared, both))
        both = [(mine, bad), (other, good)][::order]
        assert refused(ask(shared, both), 401, TOKEN)
        both = [(mine, "Basic x"), (other, good)][::order]
        assert refused(ask(shared, both), 400, SCHEME)
        both = [(mine, ""), (other, good)][::order]
        assert refused(ask(shared, both), 400, NO_SPACE.format(mine))
    # The other one twice does not matter then.
    assert let_in(ask(shared, [(mine, good), (other, bad), (other, bad)]))


def test_every_route_judges_the_token(shared):
    bad = [("Authentication", "Bearer " + make(b"x" * 64))]
    for method, path in (("GET", "/v1/labels"), ("GET", "/v1/jobs/1"),
                         ("DELETE", "/v1/jobs/1"),
                         ("POST", "/v1/project/up/web"),
                         ("GET", "/v1/project/info/web")):
        assert refused(ask(shared, bad, method, path), 401, TOKEN)


# Tokens

def bearer(node, token):
    return ask(node, [("Authentication", "Bearer " + token)])


NOW = int(time.time())
GOOD_CLAIMS = {
    "nothing": {},
    "later": {"exp": NOW + 3600},
    "much later": {"exp": 2 ** 53},
    "for ever": {"exp": 1e300},
    "with a fraction": {"exp": NOW + 3600.5, "iat": NOW - 0.5},
    "long since": {"nbf": 0, "iat": 0},
    "before 1970": {"nbf": -5, "iat": -5.5},
    "of today": {"iat": NOW - 1, "nbf": NOW - 1},
    "what gen-token makes": {
        "iat": NOW - 1, "random_chunk": "0123456789abcdef",
        "metadata": {"overlord.version": "0.25", "a": "b"}},
    "issuer": {"iss": "anybody", "x": [1, {"y": None}]},
    "subject": {"sub": "who", "jti": "7"},
}


@pytest.mark.parametrize("claims", list(GOOD_CLAIMS.values()),
                         ids=list(GOOD_CLAIMS))
def test_claims_that_are_good(shared, key, claims):
    assert let_in(bearer(shared, make(key, claims)))


BAD_CLAIMS = {
    "expired": {"exp": NOW - 1},
    "expired just now": {"exp": NOW},
    "expired in 1970": {"exp": 0},
    "expired before it": {"exp": -1},
    "expired, a fraction": {"exp": NOW - 0.5},
    "not yet": {"nbf": NOW + 3600},
    "made tomorrow": {"iat": NOW + 86400},
    "much later": {"nbf": 1e300},
    "exp: text": {"exp": "soon"},
    "exp: a number as text": {"exp": str(NOW + 3600)},
    "exp: null": {"exp": None},
    "exp: true": {"exp": True},
    "exp: list": {"exp": [NOW + 3600]},
    "exp: map": {"exp": {}},
    "nbf: text": {"nbf": "x"},
    "nbf: null": {"nbf": None},
    "iat: text": {"iat": "x"},
    "iat: map": {"iat": {}},
    "aud": {"aud": "overlord"},
    "aud: list": {"aud": ["overlord"]},
    "aud: empty": {"aud": ""},
    "aud: null": {"aud": None},
    "a list": [],
    "text": "x",
    "null": b"null",
    "a number": 5,
    "no JSON": b"{no json",
    "empty": b"",
    "blank": b" ",
    "NaN": b'{"exp":NaN}',
    "exp twice": b'{"exp":1,"exp":99999999999}',
    "deep": b'{"a":' * 100 + b"1" + b"}" * 100,
    "not UTF-8": b'{"a":"\xff"}',
}


@pytest.mark.parametrize("claims", list(BAD_CLAIMS.values()),
                         ids=list(BAD_CLAIMS))
def test_claims_that_are_refused(shared, key, claims):
    assert refused(bearer(shared, make(key, claims)), 401, TOKEN)


GOOD_HEADERS = {
    "no type": {"alg": "HS256"},
    "another type": {"alg": "HS256", "typ": "anything"},
    "key id": {"alg": "HS256", "kid": "1", "typ": "JWT"},
    "blanks": b' { "typ" : "JWT",\n "alg" : "HS256" } ',
}
BAD_HEADERS = {
    "none": {"alg": "none"}, "None": {"alg": "None"}, "NONE": {"alg": "NONE"},
    "HS384": {"alg": "HS384"}, "HS512": {"alg": "HS512"},
    "RS256": {"alg": "RS256"}, "ES256": {"alg": "ES256"},
    "PS256": {"alg": "PS256"}, "EdDSA": {"alg": "EdDSA"},
    "lower": {"alg": "hs256"}, "blank": {"alg": "HS256 "},
    "no alg": {"typ": "JWT"}, "null": {"alg": None}, "number": {"alg": 256},
    "list": {"alg": ["HS256"]}, "empty": {}, "a list": [], "text": "HS256",
    "crit": {"alg": "HS256", "crit": ["exp"]},
    "empty crit": {"alg": "HS256", "crit": []},
    "alg twice": b'{"alg":"none","alg":"HS256"}',
    "no JSON": b"alg: HS256", "nothing": b"",
}


@pytest.mark.parametrize("header", list(GOOD_HEADERS.values()),
                         ids=list(GOOD_HEADERS))
def test_headers_that_are_good(shared, key, header):
    assert let_in(bearer(shared, make(key, header=header)))


@pytest.mark.parametrize("header", list(BAD_HEADERS.values()),
                         ids=list(BAD_HEADERS))
def test_headers_that_are_refused(shared, key, header):
    """Although the signature is that of HS256 by our key."""
    assert refused(bearer(shared, make(key, header=header)), 401, TOKEN)


@pytest.mark.parametrize("alg", ("HS384", "HS512"))
def test_other_hashes_by_our_key(shared, key, alg):
    assert refused(bearer(shared, make(key, alg=alg)), 401, TOKEN)
    header = {"alg": "HS256", "typ": "JWT"}
    token = make(key, alg=alg, header=header)
    assert refused(bearer(shared, token), 401, TOKEN)


def test_unsigned(shared, key):
    for alg in ("none", "HS256"):
        head = b64(json.dumps({"alg": alg}).encode()) + "." + b64(b"{}")
        for token in (head, head + ".", head + "..", head + "." + b64(b"x"),
                      head + "." + b64(b"\0" * 32)):
            assert refused(bearer(shared, token), 401, TOKEN)


def test_wrong_keys(shared, key):
    for other in (os.urandom(64), key[:63], key + b"\0x", key[::-1],
                  key.hex().encode(), b64(key).encode(), b"", b"\0" * 64):
        assert refused(bearer(shared, make(other)), 401, TOKEN)


def test_padding(shared, key):
    assert let_in(bearer(shared, make(key, {"a": "bc"}, pad=True)))
    good = make(key, {"a": "b"})
    assert let_in(bearer(shared, good))
    # The signature has 32 bytes: one sign of padding, and no other.
    assert let_in(bearer(shared, good + "="))
    for more in ("==", "===", "=x", "\n", "A", "%3D"):
        r = bearer(shared, good + more)
        assert r.status in (400, 401) and r.status != 200


def test_damaged(shared, key):
    good = make(key, {"exp": NOW + 3600})
    for i in range(len(good)):
        other = "A" if good[i] not in "AQgw" else "B"
        r = bearer(shared, good[:i] + other + good[i + 1:])
        assert refused(r, 401, TOKEN), i
    for i in range(len(good)):
        assert bearer(shared, good[:i] + good[i + 1:]).status == 401
    a, b, c = good.split(".")
    for token in (f"{b}.{a}.{c}", f"{a}.{b}", f"{a}.{b}.{c}.", f".{b}.{c}",
                  f"{a}..{c}", "..", ".", "...", f"{a}.{b}.{c}.{c}",
                  f"{a}+.{b}.{c}", f"{a}.{b}.{c}/", good.replace(".", ","),
                  good.upper(), good + good):
        assert refused(bearer(shared, token), 401, TOKEN)
    assert let_in(bearer(shared, good))


def test_spellings_of_base64_that_mean_the_same(shared, key):
    """The last character of 32 bytes holds 4 bits: its others are zero."""
    good = make(key)
    alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789-_")
    twin = alphabet[alphabet.index(good[-1]) | 1]
    assert refused(bearer(shared, good[:-1] + twin), 401, TOKEN)


def test_huge(shared, key):
    assert let_in(bearer(shared, make(key, {"x": "y" * 2500})))
    for n in (5000, 40000):
        assert refused(bearer(shared, make(key, {"x": "y" * n})), 401, TOKEN)
        assert refused(bearer(shared, "A" * n), 401, TOKEN)
    assert bearer(shared, "A" * 70000).status == 431


def test_expiry_counts_while_it_is_known(shared, key):
    """A token that was good once is judged by the clock each time."""
    from node import wait_for
    token = make(key, {"exp": int(time.time()) + 5})
    assert let_in(bearer(shared, token))
    assert let_in(bearer(shared, token))
    r = wait_for("the token to expire", lambda: (
        lambda r: r if r.status != 200 else None)(bearer(shared, token)))
    assert refused(r, 401, TOKEN)


def test_no_token_ends_up_in_the_log(shared, key):
    good = make(key, {"secret": "x"})
    bad = make(b"y" * 64, {"secret": "x"})
    ask(shared, [("Authentication", "Bearer " + good)])
    ask(shared, [("Authentication", "Bearer " + bad)])
    log = shared.log_text()
    for token in (good, bad):
        for part in token.split(".")[1:]:
            assert part not in log


def test_secret_key_of_the_configuration(make_node):
    node = make_node({"secret_key": "schlüssel"}).start()
    assert not node.keyfile.exists()
    assert let_in(bearer(node, make("schlüssel".encode())))
    assert refused(bearer(node, make(b"schl\xfcssel")), 401, TOKEN)
    assert "schlüssel" not in node.log_text()


def test_a_token_of_pyjwt(shared, key):
    import jwt
    for claims in ({}, {"exp": NOW + 3600}):
        token = jwt.encode(claims, key, algorithm="HS256")
        assert let_in(bearer(shared, token))


@pytest.mark.skipif(not CLIENT.exists(), reason="no client was built")
def test_a_token_of_gen_token(shared):
    import subprocess
    for args in ((), ("--expire", "60")):
        run = subprocess.run([CLIENT, "gen-token", *args], env={
            **shared.env(), "OVERLORD_CONFIG": str(shared.config)},
            cwd=shared.root, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert let_in(bearer(shared, run.stdout.strip()))
