# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""AppJail's logs over the API: rest-api.md 3.3, 3.4, Q-01, Q-02, Q-14, annex
D 9."""

import os
import pathlib
import socket

import pytest

from node import Node, make_tree

MISSING = {"status_code": 404, "message": "Log cannot be found."}
NO_ROUTE = {"status_code": 404, "message": "Not Found"}
LOGS = "/v1/jails/logs"


@pytest.fixture
def logs(node):
    top = node.standin / "logs"
    (top / "jails" / "web" / "console").mkdir(parents=True)
    return top


def tree_of(node, prefix="/v1"):
    for path in (f"{prefix}/jails/logs", f"{prefix}/jails/logs/"):
        r = node.get(path)
        assert r.status == 200 and set(r.json) == {"status_code", "logs"}, r
    return r.json["logs"]


def raw_get(node, path):
    """Without a client that would tidy the path."""
    return node.raw(f"GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
                    f"{node.token()}\r\n\r\n".encode("latin-1"))


def text_of(node, path, prefix="/v1"):
    r = raw_get(node, f"{prefix}/jail/log/{path}")
    assert r.status == 200 and set(r.json) == {"status_code", "log_content"}, r
    return r.json["log_content"]


def missing(node, path, prefix="/v1"):
    r = raw_get(node, f"{prefix}/jail/log/{path}")
    assert r.status == 404 and r.json == MISSING, (path, r)
    return True


# The tree

def test_no_directory(node):
    assert tree_of(node) == {}
    assert missing(node, "jails/web/console/x.log")


def test_the_tree(node, logs, tmp_path):
    (logs / "jails/web/console/2025-05-14.log").touch()
    (logs / "jails/web/console/2025-05-13.log").touch()
    # A subtype that is called as its entity: a 500 of the original, Q-14.
    (logs / "jails/web/web").mkdir()
    (logs / "jails/web/web/x.log").touch()
    (logs / "nat/ajnet/startup-start").mkdir(parents=True)
    # Files above the bottom, and what is no file at it.
    (logs / "file").touch()
    (logs / "jails/file").touch()
    (logs / "jails/web/file").touch()
    (logs / "jails/web/console/dir").mkdir()
    os.mkfifo(logs / "jails/web/console/fifo")
    (logs / "jails/web/console/link").symlink_to("/etc/passwd")
    (logs / "link").symlink_to(tmp_path)
    (logs / "jails/link").symlink_to(tmp_path)
    (logs / "jails/web/link").symlink_to(tmp_path)
    (logs / ".hidden").mkdir()
    (logs / "a b").mkdir()
    (logs / "\udcff").mkdir()
    found = tree_of(node)
    assert found == {
        ".hidden": {}, "a b": {}, "file": {},
        "jails": {
            "file": {}, "link": {},
            "web": {
                "console": ["2025-05-13.log", "2025-05-14.log", "dir", "fifo",
                            "link"],
                "file": [], "link": [], "web": ["x.log"]}},
        "link": {}, "nat": {"ajnet": {"startup-start": []}}}
    assert list(found) == sorted(found)


def test_a_file_in_the_place_of_all(node):
    (node.standin / "logs").touch()
    assert node.get(LOGS).status in (200, 500)
    assert raw_get(node, "/v1/jail/log/a/b/c/d").status in (404, 500)
    assert node.get("/v1/ping").status == 200


# One log

def test_text_is_cleaned(node, logs):
    (logs / "jails/web/console/x.log").write_bytes(
        b"\x1b[32mStarting\x1b[0m...\r\na\xffb\x00\n")
    assert text_of(node, "jails/web/console/x.log") == \
        "Starting...\na\ufffdb\x00"


@pytest.mark.parametrize("name, path", (
    ("a b.log", "a%20b.log"), ("a%2fb", "a%252fb"), ("%00", "%2500"),
    ("é\N{GRINNING FACE}", "%C3%A9%F0%9F%98%80"), ("?x=1#y", "%3Fx=1%23y"),
    ("..x", "..x"), ("...", "..."), ("a\\b", "a%5Cb"), ("\n", "%0A"),
    ("plain", "pl%61in"), ("+", "+"), ("a" * 255, "a" * 255),
))
def test_names_are_decoded_once(node, logs, name, path):
    (logs / "jails/web/console" / name).write_text(name)
    assert text_of(node, "jails/web/console/" + path) == name.rstrip("\n")


TRICKS = (
    "a/b/c/%2Fetc%2Fpasswd", "a/b/c/%2fetc%2fpasswd", "../../../x",
    "jails/web/../x", "./web/console/x", "jails/./console/x",
    "jails/web/console/..", "jails/web/console/.", "jails/web/console/%2e%2e",
    "jails/web/console/%2E", "%2e%2e/%2e%2e/%2e%2e/secret",
    "%2E%2E/x/y/z", "jails/%2e%2e/console/x.log", "jails/web/%2e%2e/x",
    "jails/web/console/..%2F..%2F..%2F..%2Fsecret",
    "jails/web/console%2Fx.log/y", "jails%2Fweb%2Fconsole/a/b/x.log",
    "jails/web/console/x.log%00", "jails/web/console/%00",
    "%00/web/console/x.log", "jails/web/console/x%00.log",
    "jails/web/console/%2F", "jails/web/console/link",
    "jails/link/console/x.log", "link/a/b/x.log", "jails/web/link/x.log",
    "jails/web/console/dir", "jails/web/console/fifo", "file/a/b/c",
    "jails/file/b/c", "jails/web/file/c", "jails/web/console/nope",
    "nope/web/console/x.log", "jails/web/console/" + "a" * 256,
    "a" * 4000 + "/b/c/d",
)


def fill(top, secret):
    """What the tricks are after, and in their way."""
    d = top / "jails/web/console"
    d.mkdir(parents=True)
    (d / "x.log").write_text("good")
    (d / "dir").mkdir()
    os.mkfifo(d / "fifo")
    secret.mkdir()
    for name in ("secret", "x.log", "x", "c"):
        (secret / name).write_text("secret")
    (secret / "console").mkdir()
    (secret / "console" / "x.log").write_text("secret")
    (secret / "a/b").mkdir(parents=True)
    (secret / "a/b" / "x.log").write_text("secret")
    (d / "link").symlink_to(secret / "secret")
    (top / "jails/web/link").symlink_to(secret)
    (top / "jails/link").symlink_to(secret)
    (top / "link").symlink_to(secret)
    (top / "file").touch()
    (top / "jails/file").touch()
    (top / "jails/web/file").touch()
    (top.parent / "secret").write_text("secret")


@pytest.fixture(scope="module")
def tricked(tmp_path_factory):
    """main -> alpha, with the same logs on both."""
    made = []

    def make(options=None, environment=None, name="node"):
        node = Node(tmp_path_factory.mktemp("tricked") / name, options,
                    environment)
        fill(node.standin / "logs", node.root / "elsewhere")
        made.append(node)
        return node
    try:
        yield make_tree(make, ("main", "alpha"))
    finally:
        for node in made:
            node.dispose()


@pytest.mark.parametrize("path", TRICKS)
def test_no_way_out(tricked, path):
    assert missing(tricked["alpha"], path)


@pytest.mark.parametrize("path", TRICKS)
def test_no_way_out_through_a_chain(tricked, path):
    r = raw_get(tricked["main"], "/v1/chain/alpha/jail/log/" + path)
    assert r.status == 404 and "secret" not in r.text, r
    if "function" in r.json:
        assert r.json["function"] == "get_jail_log"
        assert r.json["remote"] == MISSING
    else:
        assert r.json == MISSING
    assert text_of(tricked["main"], "jails/web/console/x.log",
                   "/v1/chain/alpha") == "good"


@pytest.mark.parametrize("path", (
    "a/b/c", "a/b/c/", "a/b/c/d/", "a/b/c/d/e", "a//c/d", "//b/c/d", "", "a",
    "a/b/c//",
))
def test_what_is_no_route(tricked, path):
    for prefix in ("/v1", "/v1/chain/alpha"):
        r = raw_get(tricked["main"], f"{prefix}/jail/log/{path}")
        assert r.status == 404 and r.json == NO_ROUTE, r


@pytest.mark.parametrize("path", ("a/b/c/%FF", "a/%zz/c/d", "%/b/c/d",
                                  "a/b/c/%C0%AF", "a/b/c/%ED%A0%80"))
def test_what_cannot_be_decoded(tricked, path):
    for prefix in ("/v1", "/v1/chain/alpha"):
        r = raw_get(tricked["main"], f"{prefix}/jail/log/{path}")
        assert r.status == 400 and r.json["message"] == "Bad Request", r


def test_words_are_encoded_again_for_each_hop(make_node):
    """Q-02: what means something in a URL reaches the last server as it was
    sent."""
    nodes = make_tree(make_node, ("main", "alpha", "charlie"))
    d = nodes["charlie"].standin / "logs" / "a b" / "c?d#e" / "f%2fg"
    d.mkdir(parents=True)
    names = {"%25%32%66": "%2f", "x%3Fy": "x?y", "%2525": "%25",
             "a%26b%3Dc%3B%2B": "a&b=c;+", "%C3%A9": "é", "...": "...",
             "%5B%0D%0A": "[\r\n"}
    for name in names.values():
        (d / name).write_text("text of " + repr(name))
    for word, name in names.items():
        for node, prefix in (("charlie", "/v1"),
                             ("alpha", "/v1/chain/charlie"),
                             ("main", "/v1/chain/alpha.charlie")):
            assert text_of(nodes[node], f"a%20b/c%3Fd%23e/f%252fg/{word}",
                           prefix) == "text of " + repr(name)
    assert tree_of(nodes["main"], "/v1/chain/alpha.charlie") == \
        tree_of(nodes["charlie"]) == {
            "a b": {"c?d#e": {"f%2fg": sorted(names.values())}}}


def test_too_long_a_log(node, logs):
    with open(logs / "jails/web/console/x.log", "wb") as f:
        f.truncate(1 << 40)
    r = node.get("/v1/jail/log/jails/web/console/x.log")
    assert r.status == 501 and "bytes" in r.json["message"]
    assert node.get("/v1/ping").status == 200


def test_a_log_while_it_is_written(node, logs):
    path = logs / "jails/web/console/x.log"
    with open(path, "w") as f:
        for n in range(200):
            f.write(f"line {n}\n")
            f.flush()
            lines = text_of(node, "jails/web/console/x.log").split("\n")
            assert lines == [f"line {i}" for i in range(n + 1)]


def test_nothing_but_regular_files(node, logs):
    d = logs / "jails/web/console"
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as s:
        os.chdir(d)
        try:
            s.bind("socket")
        finally:
            os.chdir(here)
        assert missing(node, "jails/web/console/socket")
    if os.geteuid() == 0:
        try:
            os.mknod(d / "zero", 0o20666, os.makedev(1, 5))
        except PermissionError:
            return
        assert missing(node, "jails/web/console/zero")


def test_the_directory_itself_may_be_a_link(make_node, tmp_path):
    real = tmp_path / "real" / "a" / "b" / "c"
    real.mkdir(parents=True)
    (real / "d").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    node = make_node({"appjail": {"logs": str(tmp_path / "link")}}).start()
    assert text_of(node, "a/b/c/d") == "x"
    assert tree_of(node) == {"a": {"b": {"c": ["d"]}}}
    assert pathlib.Path(tmp_path / "link").is_symlink()
