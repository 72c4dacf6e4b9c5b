# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Tries to leave the directories that the daemon works in: through every route
whose words, body or files lead to a file, at the server itself and through a
chain. Outside lie canaries, which nobody may read, change or make."""

import itertools
import json
import os
import socket

import pytest

from node import DIRECTOR_FILE, Node, chain_to, wait_for

CANARY = "canary-8f1d2c"
WRITTEN = "written-by-a-try-51b7"
DATE = "2026-01-02_03h04m05s"

DOTS = ("..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae", "%uff0e%uff0e", "%ef%bc%8e%ef%bc%8e", "....",
        "..%00", "..;", "%2e%2e%20")
SLASHES = ("/", "%2f", "%2F", "%252f", "%5c", "\\", "%c0%af", "%e0%80%af",
           "//", "/./", "%ef%bc%8f")
TARGETS = ("canary", "canary.log", "state/keyfile", "etc/passwd")
# One word of a path each, unless a slash of theirs is not taken for one.
WORDS = (
    ".", "..", "...", "", "%2e", "%00", "canary%00", "%00canary.log",
    "canary.log%00.txt", "%2fetc%2fpasswd", "/etc/passwd", "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd", "C:%5cetc", "~", "~root", "-", "--", "--help",
    "-rf", "*", "%2a", "$HOME", "%24(id)", "`id`", ";id", "|id", "%0aid",
    "%0d%0aX-A:%20b", "%ff%fe", "%c3%28", "x" * 255, "x" * 256, "x" * 5000,
    "planted", "planted.log", "planteddir", "planteddir%2fcanary",
    "planteddir/canary", "planted/", "./planted", "planted/..",
    "web%2f..%2f..%2fcanary", "web/../../canary.log", ".journal", ".new",
    ".old", ".git", "..log", "%2e.log", "canary.log/", "canary.log/..",
)


def climbs():
    """Ways up, each to a canary or something else of worth."""
    for dots, slash in itertools.product(DOTS, SLASHES):
        up = dots + slash
        yield up * 3 + TARGETS[(len(dots) + len(slash)) % len(TARGETS)]
    for depth, target in itertools.product(range(1, 8), TARGETS):
        yield "../" * depth + target
        yield "..%2f" * depth + target.replace("/", "%2f")


TRIES = (*WORDS, *climbs())

# {} is the try, in every word of the path that is not fixed.
READ = (
    "metadata/{}", "namespace/{}", "jail/log/{}/web/console/x.log",
    "jail/log/jails/{}/console/x.log", "jail/log/jails/web/{}/x.log",
    "jail/log/jails/web/console/{}", "projects/log/{}/web/start.log",
    f"projects/log/{DATE}/{{}}/start.log", f"projects/log/{DATE}/web/{{}}",
    "project/info/{}", "project/spec/{}", "project/autoscale/{}", "vm/{}",
    "jail/info/{}", "jail/stats/{}", "jail/labels/{}", "jail/fstab/{}",
    "jail/volumes/{}", "jail/expose/{}", "jobs/{}", "jobs/{}/output",
    "chain/{}/metadata/x", "chain/{}/jail/log/jails/web/console/x.log",
)
LOGS = tuple(r for r in READ if "log/" in r)
MAPPING = {"mapping": [{"file": ["key", "x"]}]}
WRITE = (
    ("POST", "metadata/{}", {"value": WRITTEN}),
    ("PUT", "metadata/{}", {"value": WRITTEN}),
    ("DELETE", "metadata/{}", None),
    ("POST", "namespace/{}", MAPPING),
    ("PUT", "namespace/{}", MAPPING),
    ("DELETE", "namespace/{}", None),
    ("POST", "project/up/{}", {"director_file": "# " + WRITTEN}),
    ("POST", "project/down/{}", {}),
    ("POST", "project/cancel/{}", {}),
    ("POST", "vm/{}", {"makejail": WRITTEN, "template": {},
                       "diskLayout": {}}),
)


def canaries(where):
    """Files with the canary's text under the names that tries aim at."""
    for name in ("canary", "canary.log", "x", "x.log", "start.log", "value",
                 "appjail-director.yml", f"{DATE}/web/start.log",
                 "web/console/x.log", "conf/labels/canary/value"):
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY)


def plant(node, outside):
    """Links to the canaries in every directory that the daemon works in."""
    s = node.standin
    state = node.root / "state"
    for d in (state / "metadata", state / "namespace",
              state / "namespace" / "web", s / "logs",
              s / "logs" / "jails", s / "logs" / "jails" / "web",
              s / "logs" / "jails" / "web" / "console", s / "director" / "logs",
              s / "director" / "logs" / DATE,
              s / "director" / "logs" / DATE / "web",
              s / "director" / "projects", s / "jails", s / "jails" / "web",
              s / "jails" / "web" / "conf"):
        d.mkdir(parents=True, exist_ok=True)
        (d / "planted").symlink_to(outside / "canary")
        (d / "planted.log").symlink_to(outside / "canary.log")
        (d / "planteddir").symlink_to(outside)
        (d / "labels").symlink_to(outside / "conf" / "labels")
        (d / "boot.jail").symlink_to(outside / "canary")
    (s / "director" / "logs" / "2027-01-02_03h04m05s").symlink_to(outside)
    (s / "director" / "locks").mkdir(exist_ok=True)
    # What stands above them.
    for d in (state, s, s / "director", node.root):
        for name in ("canary", "canary.log"):
            (d / name).write_text(CANARY)


def seen(top):
    """All that is there, to the byte."""
    found = {}
    for path in sorted(top.rglob("*")):
        st = path.lstat()
        text = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (st.st_mode, st.st_ino, st.st_mtime_ns, text)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server with one below it, and what lies around them."""
    top = tmp_path_factory.mktemp("place")
    outside = top / "outside"
    canaries(outside)
    (top / "canary").write_text(CANARY)
    (top / "canary.log").write_text(CANARY)
    made = {}
    try:
        for name in ("below", "main"):
            node = made[name] = Node(top / name)
            if name == "main":
                node.configure({"chains": {"alpha": chain_to(made["below"])}})
            node.start()
            assert node.post("/v1/metadata/key", {"value": "v"}).status == 201
            plant(node, outside)
        yield top, outside, made["main"], made["below"]
    finally:
        for node in made.values():
            node.dispose()


@pytest.fixture(autouse=True)
def nothing_outside_changes(place):
    top, outside, *nodes = place
    before = seen(outside)
    yield
    assert seen(outside) == before
    for path in top.rglob("canary*"):
        if path.is_file() and not path.is_symlink():
            assert path.read_text() == CANARY, path
    assert sorted(p.name for p in top.iterdir()) == [
        "below", "canary", "canary.log", "main", "outside"]
    for node in nodes:
        assert node.process.poll() is None
        escaped(node)


def escaped(node):
    """What was written lies where it belongs, whatever it was called."""
    mine = [node.root / "state" / "metadata", node.root / "state" / "namespace",
            node.root / "state" / "state", node.root / "run",
            node.standin / "director" / "projects", node.standin / "jails",
            node.standin / "director" / "logs", node.standin / "logs",
            node.standin / "calls.log", node.root / "tmp", node.log]
    for path in node.root.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if any(m == path or m in path.parents for m in mine):
            continue
        assert WRITTEN.encode() not in path.read_bytes(), path


class Line:
    """Requests over one connection for as long as it lasts, byte for byte."""

    def __init__(self, node):
        self.node = node
        self.head = f"Host: h\r\nAuthorization: Bearer {node.token()}\r\n"
        self.file = None

    def ask(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.1\r\n{self.head}"
                f"Content-Length: {len(data)}\r\n\r\n")
        if self.file is None:
            self.socket = socket.create_connection(self.node.address(), 60)
            self.file = self.socket.makefile("rb")
        self.socket.sendall(head.encode("latin-1") + data)
        status = int(self.file.readline().split()[1])
        length, close = 0, False
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").lower().partition(":")
            length = int(value) if name == "content-length" else length
            close = close or (name, value.strip()) == ("connection", "close")
        text = b"" if method == "HEAD" else self.file.read(length)
        if close:
            self.close()
        return status, text

    def close(self):
        if self.file is not None:
            self.file.close()
            self.socket.close()
            self.file = None


@pytest.fixture
def line(place):
    line = Line(place[2])
    yield line
    line.close()


def secrets(place):
    return [CANARY.encode(), b"root:x:0:", b"\"root:",
            *(n.keyfile.read_bytes() for n in place[2:])]


def harmless(place, what, status, text):
    assert status < 500 or status == 501, (what, status, text)
    for secret in secrets(place):
        assert secret not in text, (what, status, text)


def prefixes():
    return ("/v1/", "/v1/chain/alpha/")


@pytest.mark.parametrize("prefix", prefixes())
@pytest.mark.parametrize("route", READ)
def test_nothing_is_read(place, line, route, prefix):
    if prefix != "/v1/" and route.startswith("chain/"):
        route = route.replace("chain/", "chain/alpha.")
        prefix = "/v1/"
    tries = [t.replace("/", "%2f") for t in TRIES] + list(TRIES)
    assert len(tries) >= 500
    for t in tries:
        path = prefix + route.format(t)
        status, text = line.ask("GET", path)
        harmless(place, path, status, text)
        # A word of a log that is no name leads to nothing, and says so.
        if route in LOGS:
            assert status in (400, 404, 431), (path, status, text)


@pytest.mark.parametrize("prefix", prefixes())
@pytest.mark.parametrize("method,route,body", WRITE)
def test_nothing_is_written(place, line, method, route, body, prefix):
    for t in TRIES:
        # Director itself follows what root has put among its projects.
        if route.startswith("project/") and t.startswith("planted"):
            continue
        path = prefix + route.format(t)
        status, text = line.ask(method, path, body)
        harmless(place, path, status, text)
    for node in place[2:]:
        wait_for("the jobs to end", lambda n=node: not n.get(
            "/v1/jobs?state=queued,running").json["jobs"])


# Paths in bodies.

INSIDE = ("..", "../x", "../../canary", "/../canary", "a/../../canary",
          "a/../../../canary.log", "planteddir/canary", "planteddir/evil",
          "planted", "./../canary", "a//../..//canary", "..\\canary", "a\0b",
          "../web/x", "x" * 300, "a/" * 2000 + "x", "%2e%2e/canary",
          "\u2025/canary", "\uff0e\uff0e/canary", "~/canary", "/etc/passwd",
          "../namespace2/x", ".new", "../.new/x", "../.journal")


@pytest.mark.parametrize("prefix", prefixes())
def test_paths_of_a_mapping(place, line, prefix):
    for p in INSIDE:
        for entry in ({"file": ["key", p]}, {"directory": p},
                      {"file": [p, "x"]}, {"file": f"key:{p}"},
                      {"file": ["key", p], "mode": 0o4777, "owner": 0}):
            for method in ("POST", "PUT"):
                for name in ("fresh", "web"):
                    path = f"{prefix}namespace/{name}"
                    status, text = line.ask(method, path,
                                            {"mapping": [entry]})
                    harmless(place, (path, entry), status, text)
            line.ask("DELETE", f"{prefix}namespace/fresh")


def test_links_within_namespaces_are_not_followed(place, line):
    top, outside, node, _ = place
    web = node.root / "state" / "namespace" / "web"
    web.mkdir(exist_ok=True)
    (web / "out").symlink_to(outside)
    (web / "file").symlink_to(outside / "canary")
    status, text = line.ask("GET", "/v1/namespace/web")
    harmless(place, "a namespace with links", status, text)
    assert str(outside).encode() not in text
    # Both remove the tree, links included, and nothing behind them.
    assert line.ask("PUT", "/v1/namespace/web", MAPPING)[0] == 200
    (web / "out").symlink_to(outside)
    assert line.ask("DELETE", "/v1/namespace/web")[0] == 204
    assert (outside / "canary").exists()


def test_output_that_is_a_link(place):
    """A command is root and may do anything, its output is still no way for a
    reader."""
    _, outside, node, _ = place
    node.behave("hangs", "hang")
    job = node.up("hangs", director_file=DIRECTOR_FILE)
    node.wait_call("up", "hangs")
    for name in ("stdout", "stderr"):
        f = node.root / "run" / "jobs" / f"{job}.up.1" / name
        f.unlink(missing_ok=True)
        f.symlink_to(outside / "canary")
    for stream in ("stdout", "stderr"):
        r = node.get(f"/v1/jobs/{job}/output?stream={stream}", described=False)
        assert CANARY not in r.text, r
    assert CANARY not in node.get(f"/v1/jobs/{job}").text
    assert node.request("DELETE", f"/v1/jobs/{job}").status == 200
    node.wait_job(job)
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/output",
                 "/v1/project/info/hangs"):
        assert CANARY not in node.get(path, described=False).text


def test_a_link_that_comes_and_goes(place):
    """A file that becomes a link between two looks at it."""
    _, outside, node, _ = place
    console = node.standin / "logs" / "jails" / "web" / "console"
    real, link, name = (console / n for n in ("real", "link", "race.log"))
    real.write_text("fine")
    link.symlink_to(outside / "canary")
    line = Line(node)
    got = set()

    def swap(source):
        try:
            os.link(source, console / "next", follow_symlinks=False)
        except FileExistsError:
            pass
        os.replace(console / "next", name)

    def both():
        for source in (real, link):
            swap(source)
            status, text = line.ask(
                "GET", "/v1/jail/log/jails/web/console/race.log")
            harmless(place, "a log that is swapped", status, text)
            got.add(status)
        return got == {200, 404}
    for _ in range(200):
        both()
    wait_for("the file and the link to be met", both)
    line.close()
