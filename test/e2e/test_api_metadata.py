# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Metadata and namespaces over the API: rest-api.md 6 with its quirks (Q-04,
Q-10, Q-19, Q-38, Q-39, Q-44 to Q-46, Q-54, Q-60, Q-61)."""

import concurrent.futures
import grp
import http.client
import json
import os
import pwd
import random
import stat
import subprocess
import time

import pytest

from cli_support import overlord

M = "/v1/metadata"
N = "/v1/namespace"
NO_META = {"status_code": 404, "message": "Metadata cannot be found."}
NO_SPACE = {"status_code": 404, "message": "Namespace cannot be found."}
NO_ROUTE = {"status_code": 404, "message": "Not Found"}
NO_JSON = "Request has been received with an invalid format."
SPEC = "(exception:InvalidSpec) invalid specification: "


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def metadata(node):
    return node.root / "state" / "metadata"


def namespaces(node):
    return node.root / "state" / "namespace"


def says(r, status, message):
    assert r.status == status, r
    assert r.json == {"status_code": status, "message": message}, r
    return True


def put(node, key, value):
    path = f"{M}/{key}"
    head = node.request("HEAD", path).status
    if head == 404:
        return says(node.post(path, {"value": value}), 201,
                    f"Metadata '{key}' has been successfully created.")
    return says(node.request("PUT", path, {"value": value}), 200,
                f"Metadata '{key}' has been successfully updated.")


def value(node, key):
    r = node.get(f"{M}/{key}")
    assert r.status == 200 and set(r.json) == {"status_code", "metadata"}, r
    return r.json["metadata"]


def space(node, name, *mapping, method="PUT"):
    return node.request(method, f"{N}/{name}", {"mapping": list(mapping)})


def tree(node, name, top=None):
    r = node.get(f"{N}/{name}")
    assert r.status == 200 and set(r.json) == {"status_code", "namespace"}, r
    top = f"{top or namespaces(node)}/{name}/"
    found = {}
    for e in r.json["namespace"]:
        kind, = {"file", "directory"} & set(e)
        assert set(e) == {kind, "owner", "group", "mode"}
        assert e[kind].startswith(top)
        found[e[kind][len(top):]] = (kind, e["owner"], e["group"], e["mode"])
    assert list(found) == sorted(found)
    return found


# Metadata

def test_nothing_yet(node):
    for path, member in ((M, "metadata"), (N, "namespaces")):
        for slash in ("", "/"):
            r = node.get(path + slash)
            assert r.status == 200
            assert r.json == {"status_code": 200, member: []}
    for method in ("GET", "DELETE"):
        assert node.request(method, M + "/k").json == NO_META
        assert node.request(method, N + "/k").json == NO_SPACE
    assert says(node.request("PUT", M + "/k", {"value": "x"}), 404,
                "Metadata cannot be found.")
    # Before the body is looked at.
    assert node.request("PUT", M + "/k", {"value": 5}).json == NO_META
    for path in (M, N):
        r = node.request("HEAD", path + "/k")
        assert (r.status, r.text, r.headers["Content-Length"]) == (404, "", "0")


def test_a_life_of_metadata(node):
    path = M + "/web.conf"
    assert says(node.post(path, {"value": "server { … }\n"}), 201,
                "Metadata 'web.conf' has been successfully created.")
    assert value(node, "web.conf") == "server { … }\n"
    assert (metadata(node) / "web.conf").read_bytes() == \
        "server { … }\n".encode()
    r = node.request("HEAD", path)
    assert (r.status, r.text, r.headers["Content-Length"]) == (200, "", "0")
    # POST of what exists writes and checks nothing: Q-19.
    for body in ({"value": "other"}, {"value": 5}, {}, None):
        assert says(node.post(path, body), 201,
                    "Metadata 'web.conf' has been successfully created.")
    assert value(node, "web.conf") == "server { … }\n"
    assert says(node.request("PUT", path, {"value": "new"}), 200,
                "Metadata 'web.conf' has been successfully updated.")
    assert value(node, "web.conf") == "new"
    put(node, "a", "")
    assert node.get(M).json["metadata"] == ["a", "web.conf"]
    r = node.request("DELETE", path)
    assert (r.status, r.text) == (204, "")
    assert "Content-Type" not in r.headers and \
        "Content-Length" not in r.headers
    assert r.headers["Access-Control-Allow-Origin"] == "*"
    assert node.request("DELETE", path).json == NO_META
    assert node.get(M + "/").json["metadata"] == ["a"]


def test_modes_whatever_the_umask(make_node):
    for mask in (0, 0o77):
        node = make_node(name=f"node{mask}")
        node.spawn(preexec_fn=lambda: os.umask(mask))
        node.wait_ready()
        put(node, "k", "x")
        put(node, "k", "y")
        assert mode(metadata(node)) == 0o750
        assert mode(metadata(node) / "k") == 0o644
        assert (metadata(node) / "k").stat().st_uid == os.geteuid()
        assert space(node, "n", {"file": "k:d/f"}).status == 200
        assert mode(namespaces(node) / "n") == 0o755
        assert mode(namespaces(node) / "n/d") == 0o755
        assert mode(namespaces(node) / "n/d/f") == 0o644


def test_bytes_as_they_were_sent(node):
    for text in ("", "a\r\nb\rc\n", "é€\N{GRINNING FACE}", "  x  ", "\ufeffx",
                 "</script>", "\x01\x1f\x7f\u2028"):
        put(node, "k", text)
        assert value(node, "k") == text
        assert (metadata(node) / "k").read_bytes() == text.encode()


def test_an_unchanged_value_is_not_written(node):
    def written():
        """All but when it was read."""
        s = (metadata(node) / "k").stat()
        return (s.st_ino, s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size,
                s.st_mtime_ns, s.st_ctime_ns)
    put(node, "k", "x\r\n")
    before = written()
    put(node, "k", "x\r\n")
    assert written() == before


def test_the_limit_counts_characters(make_node):
    node = make_node({"metadata": {"size": 1024}}).start()
    put(node, "k", "\N{GRINNING FACE}" * 1024)
    for method in ("POST", "PUT"):
        key = "new" if method == "POST" else "k"
        assert says(node.request(method, f"{M}/{key}", {"value": "é" * 1025}),
                    400, f"{key}: metadata too long - 1025 > 1024")
    assert value(node, "k") == "\N{GRINNING FACE}" * 1024
    assert node.get(M).json["metadata"] == ["k"]


def test_a_mebi_of_characters_as_escapes(make_node):
    """Twelve bytes a character, over the limit of other bodies."""
    node = make_node().start()
    text = "\N{GRINNING FACE}" * 1048576
    put(node, "k", text)
    assert value(node, "k") == text
    assert says(node.request("PUT", M + "/k", {"value": text + "x"}), 400,
                "k: metadata too long - 1048577 > 1048576")
    r = node.raw(b"PUT /v1/metadata/k HTTP/1.1\r\nHost: h\r\n"
                 b"Authorization: Bearer " + node.token().encode() +
                 b"\r\nContent-Length: 99999999\r\n\r\n")
    assert says(r, 413, "Request body is too large: the limit is "
                f"{12 * 1048576 + 65536} bytes.")


@pytest.mark.parametrize("body,message", (
    ({}, "`value` is required but hasn't been specified."),
    (None, "`value` is required but hasn't been specified."),
    ({"value": None}, "`value` is required but hasn't been specified."),
    ({"value": 5}, "'value' has an unexpected value type: expected string, "
                   "given number."),
    ({"value": ["x"]}, "'value' has an unexpected value type: expected "
                       "string, given array."),
))
def test_refused_values(node, body, message):
    assert says(node.post(M + "/k", body), 400, message)
    assert node.request("HEAD", M + "/k").status == 404
    put(node, "k", "old")
    assert says(node.request("PUT", M + "/k", body), 400, message)
    assert value(node, "k") == "old"


@pytest.mark.parametrize("body", (
    rb'{"value": "\ud800"}', rb'{"value": "a\udc00b"}',
    rb'{"value": "\ud83d"}', rb'{"value": "\ude00\ud83d"}',
    b'{"value": "\xff"}', b'{"value": "\xc0\xaf"}',
    b'{"value": "\xed\xa0\x80"}', b'{"value": "\xe2\x82"}', b'{"value": "x',
))
def test_what_is_no_text(node, body):
    put(node, "k", "old")
    for key in ("k", "new"):
        for method in ("POST", "PUT"):
            r = node.request(method, f"{M}/{key}", body)
            assert r.status == 400 and r.json["message"] == NO_JSON, r
    assert value(node, "k") == "old"
    assert node.get(M).json["metadata"] == ["k"]


@pytest.mark.parametrize("key", (
    "1a", "-a", "a..b", "a.", "a-", "a_", ".a", "_a", "a.-b", "a.1", "a-1",
    "..", ".", "a%2e", "%61", "a%00", "a%2Fb", "a b", "a:b", "a/b", "a/",
    "\xe9", "a" * 256, "a" * 60000 + "!"), ids=lambda k: k[:10])
def test_names_that_are_no_key(shared, key):
    for top in (M, N):
        raw = (f"GET {top}/{key} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
               f"{shared.token()}\r\n\r\n").encode("latin-1")
        began = time.monotonic()
        r = shared.raw(raw)
        assert time.monotonic() - began < 5
        assert r.status in (400, 404, 431), r
        if r.status == 404:
            assert r.json == NO_ROUTE
        else:
            assert " " in key or not key.isascii() or len(key) > 50000


def test_a_megabyte_of_a_key(shared):
    """The original's expression takes for ever: linear here."""
    raw = (f"GET {M}/{'a' * 1000000}! HTTP/1.1\r\nHost: h\r\nAuthorization: "
           f"Bearer {shared.token()}\r\n\r\n").encode()
    began = time.monotonic()
    try:
        assert shared.raw(raw).status == 431
    except (ConnectionResetError, BrokenPipeError):
        pass
    assert time.monotonic() - began < 5
    assert shared.get("/v1/ping").status == 200


def test_the_longest_key(node):
    for key in ("a" * 255, "a.b-c_d9", "Z9"):
        put(node, key, "1")
        put(node, key, "2")
        assert value(node, key) == "2"
        assert space(node, key, {"file": [key, key]}).status == 200
        assert list(tree(node, key)) == [key]
        assert node.request("DELETE", f"{N}/{key}").status == 204
        assert node.request("DELETE", f"{M}/{key}").status == 204
    assert os.listdir(metadata(node)) == []
    assert os.listdir(namespaces(node)) == []


def test_only_regular_files_are_metadata(node, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    put(node, "b", "x")
    put(node, "a.b", "x")
    d = metadata(node)
    (d / "dir").mkdir()
    (d / "link").symlink_to(secret)
    (d / "inside").symlink_to("b")
    (d / "broken").symlink_to("nowhere")
    os.mkfifo(d / "fifo")
    for name in (".hidden", "1x", "a b", ".b.12345678"):
        (d / name).write_text("x")
    assert node.get(M).json["metadata"] == ["a.b", "b"]
    for key in ("dir", "link", "inside", "broken", "fifo"):
        path = f"{M}/{key}"
        assert node.get(path).json == NO_META
        assert node.request("HEAD", path).status == 404
        assert node.request("PUT", path, {"value": "x"}).json == NO_META
        assert node.request("DELETE", path).json == NO_META
        assert says(node.post(path, {"value": "x"}), 409,
                    f"'{key}' exists and is no regular file")
        assert space(node, "n", {"file": f"{key}:x"}).status == 400
    assert secret.read_text() == "secret" and value(node, "b") == "x"
    assert os.path.islink(d / "link")


def test_a_file_of_somebody_else(node):
    put(node, "k", "x")
    (metadata(node) / "k").write_bytes(b"a\xffb\x00c\r\n")
    assert value(node, "k") == "a\ufffdb\x00c\r\n"
    with open(metadata(node) / "k", "wb") as f:
        f.truncate(1 << 40)
    r = node.get(M + "/k")
    assert r.status == 501 and "bytes" in r.json["message"]
    put(node, "k", "short")
    assert value(node, "k") == "short"


def test_puts_at_the_same_time_never_mix(node):
    texts = [c * random.Random(i).randrange(1, 200000)
             for i, c in enumerate("abcdefgh")]
    put(node, "k", texts[0])

    def write(text):
        for _ in range(5):
            assert node.request("PUT", M + "/k",
                                {"value": text}).status == 200
            assert value(node, "k") in texts
            assert (metadata(node) / "k").read_text() in texts
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, texts))
    assert os.listdir(metadata(node)) == ["k"]


def test_creating_at_the_same_time(node):
    """The first one wins, and nobody is told of a failure."""
    def create(n):
        return node.post(M + "/k", {"value": str(n)}).status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(32))) == {201}
    first = value(node, "k")
    assert node.post(M + "/k", {"value": "late"}).status == 201
    assert value(node, "k") == first


def test_places_of_the_configuration(make_node, tmp_path):
    node = make_node({"metadata": {"location": str(tmp_path / "x" / "m"),
                                   "namespaces": str(tmp_path / "y")}})
    node.start()
    put(node, "k", "v")
    assert (tmp_path / "x" / "m" / "k").read_text() == "v"
    assert space(node, "n", {"file": "k:f"}).status == 200
    assert (tmp_path / "y" / "n" / "f").read_text() == "v"
    r = node.get(N + "/n").json["namespace"]
    assert [e["file"] for e in r] == [str(tmp_path / "y" / "n" / "f")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount")
def test_no_room(make_node, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none",
                       place], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("mounting is not permitted")
    try:
        node = make_node({"metadata": {"location": str(place / "m"),
                                       "namespaces": str(place / "n")}})
        node.start()
        put(node, "k", "x" * 20000)
        for path in (M + "/k", M + "/other"):
            method = "PUT" if path.endswith("k") else "POST"
            r = node.request(method, path, {"value": "y" * 100000})
            assert r.status == 507, r
        assert value(node, "k") == "x" * 20000
        assert os.listdir(place / "m") == ["k"]
        assert space(node, "n", {"file": "k:a"}).status == 200
        r = space(node, "n", *({"file": f"k:f{i}"} for i in range(9)))
        assert r.status == 507, r
        assert list(tree(node, "n", place / "n")) == ["a"]
        assert os.listdir(place / "n") == ["n"]
        put(node, "k", "small")
    finally:
        node.kill()
        subprocess.run(["umount", place], check=True)


# Namespaces

def test_a_life_of_a_namespace(node):
    put(node, "nginx", "conf")
    body = ({"directory": "/etc", "mode": 0o750},
            {"file": "nginx:/etc/nginx.conf", "mode": 0o600},
            {"file": ["nginx", "a:b"], "prefix": "x"})
    assert says(space(node, "web", *body, method="POST"), 201,
                "Namespace 'web' has been successfully created.")
    u, g = os.geteuid(), os.getegid()
    assert tree(node, "web") == {
        "a:b": ("file", u, g, 0o100644),
        "etc": ("directory", u, g, 0o40750),
        "etc/nginx.conf": ("file", u, g, 33152)}
    assert (namespaces(node) / "web/etc/nginx.conf").read_text() == "conf"
    r = node.request("HEAD", N + "/web")
    assert (r.status, r.text) == (200, "")
    # POST of what exists: Q-19.
    for again in ({"mapping": [{"directory": "other"}]}, {"mapping": None},
                  {"mapping": [{"bad": 1}]}, {}):
        assert says(node.post(N + "/web", again), 201,
                    "Namespace 'web' has been successfully created.")
    assert "other" not in tree(node, "web")
    # PUT replaces the whole, and creates.
    for name in ("web", "fresh"):
        assert says(space(node, name, {"directory": "only"}), 200,
                    f"Namespace '{name}' has been successfully updated.")
        assert list(tree(node, name)) == ["only"]
    assert node.get(N + "/").json["namespaces"] == ["fresh", "web"]
    r = node.request("DELETE", N + "/web")
    assert (r.status, r.text) == (204, "")
    assert node.request("DELETE", N + "/web").json == NO_SPACE
    assert node.get(N + "/web").json == NO_SPACE
    assert node.request("HEAD", N + "/web").status == 404
    assert os.listdir(namespaces(node)) == ["fresh"]


REFUSED = [
    ({}, "`mapping` is required but hasn't been specified."),
    ({"mapping": None}, "`mapping` is required but hasn't been specified."),
    ({"mapping": "x"}, "'mapping' has an unexpected value type: expected "
                       "array, given string."),
    ([], SPEC + "namespace.mapping: a length of '-1' has been specified, but "
                "should be '> 0'."),
    (["x"], SPEC + "namespace.mapping.<item#0>: requires 'dict', given "
                   "'str'."),
    ([{"directory": "a"}, {"directory": "a", "bad": 1}],
     SPEC + "namespace.mapping.<item#1>.bad: invalid parameter."),
    ([{"mode": 1}], SPEC + "'namespace.mapping.<item#0>.file' or "
     "'namespace.mapping.<item#0>.directory' is required but hasn't been "
     "specified."),
    ([{"file": "k:x", "directory": "x"}],
     SPEC + "'namespace.mapping.<item#0>' specifies both 'file' and "
     "'directory' but only one should be specified."),
    ([{"file": "k"}], SPEC + "'namespace.mapping.<item#0>.file' must specify "
     "both the metadata and the mapping file."),
    ([{"file": ["k"]}], SPEC + "'namespace.mapping.<item#0>.file' must "
     "specify both the metadata and the mapping file."),
    ([{"directory": "x", "owner": []}],
     SPEC + "namespace.mapping.<item#0>.owner: requires 'int or str', given "
     "'list'."),
    ([{"directory": "x", "mode": True}],
     SPEC + "namespace.mapping.<item#0>.mode: requires 'int', given 'bool'."),
    ([{"file": "nope:x"}],
     SPEC + "namespace.mapping.<item#0>.file: nope: metadata not found."),
    ([{"file": "../../../etc/passwd:x"}],
     SPEC + "namespace.mapping.<item#0>.file: ../../../etc/passwd: metadata "
     "not found."),
    ([{"directory": "x", "owner": "nobody here"}],
     SPEC + "namespace.mapping.<item#0>.owner: nobody here: user not found."),
    ([{"directory": "x", "group": "nobody here"}],
     SPEC + "namespace.mapping.<item#0>.group: nobody here: group not "
     "found."),
    ([{"file": "k:"}], SPEC + "namespace.mapping.<item#0>.file: the path of "
     "a file is empty."),
    ([{"file": "k:/"}], SPEC + "namespace.mapping.<item#0>.file: the path of "
     "a file is empty."),
    ([{"directory": "x" * 256}], SPEC + "namespace.mapping.<item#0>."
     "directory: a name in the path is too long."),
    ([{"directory": "x/" * 64}], SPEC + "namespace.mapping.<item#0>."
     "directory: the path has too many directories."),
    ([{"file": "k:x"}, {"directory": "x/y"}], SPEC + "namespace.mapping."
     "<item#1>.directory: a file and a directory have the same path."),
]


@pytest.fixture(scope="module")
def kept(shared):
    """With metadata k and a namespace `kept` that no refusal may touch."""
    put(shared, "k", "v")
    assert space(shared, "kept", {"file": "k:f"}).status == 200
    return shared


@pytest.mark.parametrize("body,message", REFUSED, ids=range(len(REFUSED)))
def test_refused_mappings_change_nothing(kept, body, message):
    if isinstance(body, list):
        body = {"mapping": body}
    for method, name in (("PUT", "kept"), ("PUT", "new"), ("POST", "new")):
        assert says(kept.request(method, f"{N}/{name}", body), 400, message)
    assert list(tree(kept, "kept")) == ["f"]
    assert kept.request("HEAD", N + "/new").status == 404
    assert os.listdir(namespaces(kept)) == ["kept"]


@pytest.mark.parametrize("path", (
    "../../evil", "/../../evil", "..", "a/../../b", "../kept.x", "../kep",
    "../../../../../../../../tmp/evil", "./../x"))
def test_paths_that_leave(kept, path):
    shown = path.lstrip("/")
    for entry in ({"directory": path}, {"file": ["k", path]},
                  {"file": "k:" + path}):
        for method, name in (("PUT", "kept"), ("POST", "new")):
            r = space(kept, name, entry, method=method)
            assert says(r, 400, f"'{shown}' is not a path of "
                        f"'{namespaces(kept)}/{name}'")
    assert list(tree(kept, "kept")) == ["f"]
    assert os.listdir(namespaces(kept)) == ["kept"]


def test_a_path_with_a_zero_byte(kept):
    r = kept.request("PUT", N + "/kept",
                     rb'{"mapping": [{"directory": "a\u0000b"}]}')
    assert r.status == 400
    assert list(tree(kept, "kept")) == ["f"]


def test_paths_that_stay(node):
    put(node, "k", "v")
    assert space(node, "n", {"directory": ""}, {"file": "k://a//b/"},
                 {"file": "k:x/../y"}, {"file": "k:../n/z"},
                 {"directory": "..."}).status == 200
    assert list(tree(node, "n")) == ["...", "a", "a/b", "y", "z"]


def test_modes_owners_and_umask(node):
    put(node, "k", "v")
    assert space(
        node, "n", {"directory": "", "mode": 0o700},
        {"file": "k:a/b", "umask": 0o077},
        {"file": "k:a/c", "umask": 0},
        {"directory": "d", "mode": 0o1777, "umask": 0o777},
        {"file": "k:s", "mode": 0o4755}).status == 200
    assert mode(namespaces(node) / "n") == 0o700
    assert {k: oct(v[3] & 0o7777) for k, v in tree(node, "n").items()} == {
        "a": "0o700", "a/b": "0o600", "a/c": "0o666", "d": "0o1777",
        "s": "0o4755"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners(node):
    put(node, "k", "v")
    daemon = pwd.getpwnam("daemon")
    group = grp.getgrgid(daemon.pw_gid).gr_name
    assert space(
        node, "n", {"file": "k:id", "owner": 80, "group": 81},
        {"file": "k:name", "owner": "daemon", "group": group,
         "mode": 0o4750},
        {"file": "k:digits", "owner": "4242", "group": "4243"},
        {"directory": "d", "owner": 5}).status == 200
    assert tree(node, "n") == {
        "d": ("directory", 5, 0, 0o40755),
        "digits": ("file", 4242, 4243, 0o100644),
        "id": ("file", 80, 81, 0o100644),
        "name": ("file", daemon.pw_uid, daemon.pw_gid, 0o104750)}


def test_only_directories_are_namespaces(node, tmp_path):
    put(node, "k", "v")
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "file").write_text("x")
    assert space(node, "n", {"directory": "d"}).status == 200
    d = namespaces(node)
    (d / "plain").write_text("x")
    (d / "link").symlink_to(outside)
    (d / ".hidden").mkdir()
    assert node.get(N).json["namespaces"] == ["n"]
    for name in ("plain", "link"):
        assert node.get(f"{N}/{name}").json == NO_SPACE
        assert node.request("HEAD", f"{N}/{name}").status == 404
        assert node.request("DELETE", f"{N}/{name}").json == NO_SPACE
        for method in ("PUT", "POST"):
            assert says(space(node, name, {"directory": "x"}, method=method),
                        409, f"'{name}' exists and is no directory")
    # Links in it are shown as what they are to, and not followed.
    (d / "n/d/out").symlink_to(outside)
    (d / "n/d/file").symlink_to(outside / "file")
    (d / "n/d/broken").symlink_to("nowhere")
    os.mkfifo(d / "n/d/fifo")
    found = tree(node, "n")
    assert list(found) == ["d", "d/file", "d/out"]
    assert found["d/out"][0] == "directory" and found["d/file"][0] == "file"
    assert space(node, "n", {"file": "k:d/out/x"}).status == 200
    assert node.request("DELETE", N + "/n").status == 204
    assert sorted(os.listdir(outside)) == ["file", "sub"]
    assert (outside / "file").read_text() == "x"


def test_readers_see_one_tree_or_none(node):
    for i in range(2):
        put(node, f"v{'ab'[i]}", "ab"[i] * 1000)

    def write(key):
        for _ in range(10):
            assert space(node, "n", *({"file": f"{key}:{key}{i}"}
                                      for i in range(5))).status == 200

    def read(_):
        for _ in range(30):
            r = node.get(N + "/n")
            if r.status == 404:
                continue
            names = {os.path.basename(e["file"])
                     for e in r.json["namespace"]}
            assert len(names) == 5 and len({n[:2] for n in names}) == 1
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        work = [pool.submit(write, "va"), pool.submit(write, "vb"),
                pool.submit(read, 0), pool.submit(read, 1)]
        for w in work:
            w.result()
    assert os.listdir(namespaces(node)) == ["n"]


# Crashes

def leave(node, name, text):
    d = namespaces(node) / name
    d.mkdir(parents=True)
    (d / "f").write_text(text)


@pytest.mark.parametrize("journal,in_place,fresh,old,expect", (
    (False, "old", "new", None, "old"),
    (False, None, "new", None, None),
    (True, "old", "new", None, "new"),
    (True, None, "new", "old", "new"),
    (True, None, None, "old", "old"),
    (True, "new", None, "old", "new"),
    (True, "new", None, None, "new"),
    (False, "new", None, "old", "new"),
))
def test_a_swap_that_a_crash_cut(make_node, journal, in_place, fresh, old,
                                 expect):
    node = make_node()
    namespaces(node).mkdir(parents=True)
    for name, text in (("web", in_place), (".new", fresh), (".old", old)):
        if text is not None:
            leave(node, name, text)
    if journal:
        (namespaces(node) / ".journal").write_text("web")
    node.start()
    left = sorted(os.listdir(namespaces(node)))
    if expect is None:
        assert left == [] and node.get(N + "/web").json == NO_SPACE
    else:
        assert left == ["web"] and list(tree(node, "web")) == ["f"]
        assert (namespaces(node) / "web/f").read_text() == expect


def test_what_a_crash_left_is_removed(make_node):
    node = make_node()
    for d in (metadata(node), namespaces(node)):
        d.mkdir(parents=True)
        (d / ".k.0123abcd").write_text("x")
        (d / ".keep").write_text("x")
        (d / ".k.0123abcg").write_text("x")
    leave(node, ".trash.01234567", "x")
    node.start()
    for d in (metadata(node), namespaces(node)):
        assert sorted(os.listdir(d)) == [".k.0123abcg", ".keep"]


def test_a_journal_that_makes_no_sense(make_node):
    node = make_node()
    namespaces(node).mkdir(parents=True)
    leave(node, "n", "old")
    (namespaces(node) / ".journal").write_text("../../etc")
    node.start()
    assert "names no namespace" in node.log_text()
    assert list(tree(node, "n")) == ["f"]
    assert space(node, "n", {"directory": "x"}).status == 500
    (namespaces(node) / ".journal").unlink()
    assert space(node, "n", {"directory": "x"}).status == 200


def test_kills_in_the_middle_of_swaps(make_node):
    """Whatever was in place before a start is whole after it."""
    node = make_node().start()
    for key in ("va", "vb"):
        put(node, key, key * 100)
    assert space(node, "n", *({"file": f"va:va{i}"}
                              for i in range(20))).status == 200
    rng = random.Random(7)
    for turn in range(8):
        def write():
            try:
                for i in range(50):
                    key = ("va", "vb")[i % 2]
                    space(node, "n", *({"file": f"{key}:{key}{j}"}
                                       for j in range(20)))
            except (OSError, ValueError, http.client.HTTPException):
                pass
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            work = pool.submit(write)
            began = time.monotonic()
            wait = rng.random() * 0.2
            while time.monotonic() - began < wait:
                node.get("/v1/ping")
            node.kill()
            work.result()
        node.start()
        names = list(tree(node, "n"))
        assert len(names) == 20 and len({n[:2] for n in names}) == 1
        assert os.listdir(namespaces(node)) == ["n"]
        for name in names:
            assert (namespaces(node) / "n" / name).read_text() == \
                name[:2] * 100


# Whom it is for

def test_a_token_is_needed_and_other_methods_are_not_there(node):
    for path in (M, M + "/k", N, N + "/n"):
        assert node.get(path, headers={"Authorization": None}).status == 401
        assert node.request("PATCH", path).status == 405
        assert node.request("OPTIONS", path).status == 200
    for path in (M, N):
        assert node.post(path, {}).status == 405
        assert node.request("HEAD", path).status == 405


def test_scopes(node):
    put(node, "k", "v")
    read = node.token(scope="read")
    assert node.get(M + "/k", token=read).status == 200
    assert node.get(N, token=read).status == 200
    for method in ("POST", "PUT", "DELETE"):
        for path in (M + "/k", N + "/n"):
            assert node.request(method, path, {}, token=read).status == 403
    narrow = node.token(projects=["web"])
    assert node.get(M + "/k", token=narrow).status == 403
    assert value(node, "k") == "v"


def test_what_commands_see(node):
    """The directories that Director gets are those that the API writes."""
    put(node, "k", "v")
    node.wait_job(node.up("web"))
    assert (metadata(node) / "k").read_text() == "v"


def test_apply_stores_what_an_autoscaler_would_read(node, tmp_path):
    file = tmp_path / "web.yml"
    file.write_text(json.dumps({
        "kind": "directorProject",
        "datacenters": {"main": {"entrypoint": node.url(),
                                 "access_token": node.token()}},
        "deployIn": {"labels": ["all"]},
        "projectName": "p",
        "projectFile": "services: {}\n",
        "autoScale": {"replicas": {"min": 3}}}))
    for _ in range(2):
        r = overlord(tmp_path, "apply", "-f", "web.yml")
        assert (r.rc, r.err) == (0, "")
        stored = json.loads(value(node, "overlord.autoscale.p"))
        assert stored["autoScale"]["replicas"] == {"min": 3}
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert (r.rc, r.err) == (0, "")
    assert value(node, "overlord.autoscale-cleanup.p") == '{"force": false}'


# Through chains: an upsert, always 200.

@pytest.fixture
def line(make_node):
    """main -> alpha -> bravo, from the far end."""
    made = [make_node(name="bravo").start()]
    for name in ("alpha", "main"):
        below = made[-1]
        made.append(make_node({"chains": {below.root.name: {
            "entrypoint": below.url(), "access_token": below.token()}}},
            name=name).start())
    return {node.root.name: node for node in made}


@pytest.mark.parametrize("chain", ("alpha", "alpha.bravo"))
def test_metadata_through_chains(line, chain):
    main, tail = line["main"], line[chain.rpartition(".")[2]]
    path = f"/v1/chain/{chain}/metadata"
    for method, text, done in (("PUT", "a", "created"), ("POST", "b", "updated"),
                               ("PUT", "c\r\n", "updated")):
        assert says(main.request(method, path + "/k", {"value": text}), 200,
                    f"Metadata 'k' has been successfully {done}.")
        assert value(tail, "k") == text
        assert main.get(path + "/k").json == {"status_code": 200,
                                              "metadata": text}
    assert main.get(path + "/").json["metadata"] == ["k"]
    assert main.request("HEAD", path + "/k").status == 200
    assert main.request("HEAD", path + "/x").status == 404
    text = "\N{GRINNING FACE}" * 1048576
    assert main.request("PUT", path + "/k", {"value": text}).status == 200
    assert value(tail, "k") == text
    assert main.get(path + "/k").json["metadata"] == text
    for body in ({}, {"value": None}):
        assert says(main.request("PUT", path + "/x", body), 400,
                    "`value` is required but hasn't been specified.")
    r = main.request("DELETE", path + "/k")
    assert (r.status, r.text) == (204, "") and "Content-Type" not in r.headers
    r = main.request("DELETE", path + "/k")
    assert r.status == 404 and r.json["function"] == "metadata_delete"
    assert node_is_untouched(main)


def node_is_untouched(node):
    assert node.get(M).json["metadata"] == []
    assert node.get(N).json["namespaces"] == []
    return True


@pytest.mark.parametrize("chain", ("alpha", "alpha.bravo"))
def test_namespaces_through_chains(line, chain):
    main, tail = line["main"], line[chain.rpartition(".")[2]]
    path = f"/v1/chain/{chain}/namespace"
    put(tail, "k", "v")
    for method, name, done in (("POST", "a", "created"),
                               ("POST", "b", "updated"),
                               ("PUT", "c", "updated")):
        body = {"mapping": [{"file": ["k", name], "mode": 0o600}]}
        assert says(main.request(method, path + "/n", body), 200,
                    f"Namespace 'n' has been successfully {done}.")
        assert list(tree(tail, "n")) == [name]
        assert main.get(path + "/n").json == tail.get(N + "/n").json
    assert main.get(path).json["namespaces"] == ["n"]
    r = main.request("PUT", path + "/n", {"mapping": [{"file": "nope:x"}]})
    assert r.status == 400 and r.json["function"] == "namespace_set"
    inner = r.json
    while "remote" in inner:
        inner = inner["remote"]
    assert inner["message"] == (
        SPEC + "namespace.mapping.<item#0>.file: nope: metadata not found.")
    assert list(tree(tail, "n")) == ["c"]
    assert says(main.request("PUT", path + "/n", {"mapping": None}), 400,
                "`mapping` is required but hasn't been specified.")
    assert main.request("HEAD", path + "/n").status == 200
    assert main.request("DELETE", path + "/n").status == 204
    assert main.request("HEAD", path + "/n").status == 404
    assert node_is_untouched(main)
