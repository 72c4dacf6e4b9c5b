# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Director's logs over the API: rest-api.md 3.3, 3.4, annex D 9."""

import os

import pytest

DATE = "2026-01-02_03h04m05s"
MISSING = {"status_code": 404, "message": "Log cannot be found."}
NO_ROUTE = {"status_code": 404, "message": "Not Found"}


@pytest.fixture
def logs(node):
    top = node.standin / "director" / "logs"
    (top / DATE / "web").mkdir(parents=True)
    return top


def text_of(node, log="start.log", service="web", date=DATE):
    r = node.get(f"/v1/projects/log/{date}/{service}/{log}")
    assert r.status == 200, r
    assert set(r.json) == {"status_code", "log_content"}
    return r.json["log_content"]


def missing(node, path):
    r = node.get("/v1/projects/log/" + path)
    assert r.status == 404 and r.json == MISSING, r
    return True


def tree(node):
    for path in ("/v1/projects/logs", "/v1/projects/logs/"):
        r = node.get(path)
        assert r.status == 200 and set(r.json) == {"status_code", "logs"}, r
    return r.json["logs"]


# The tree

def test_no_directory_is_an_empty_tree(node):
    assert tree(node) == {}
    assert missing(node, f"{DATE}/web/start.log")


def test_an_empty_directory(node):
    (node.standin / "director" / "logs").mkdir(parents=True)
    assert tree(node) == {}


def test_the_tree_is_sorted_and_holds_what_is_a_log(node, logs, tmp_path):
    for date in ("2027-01-02_03h04m05s", "2025-01-02_03h04m05s"):
        for service in ("b", "a.b", "A-_9", "0"):
            (logs / date / service).mkdir(parents=True)
            for name in ("start.log", "makejail.log", "a.log", "b-c.log"):
                (logs / date / service / name).touch()
    (logs / "2028-01-02_03h04m05s").mkdir()
    # What is no log, at every level.
    (logs / "file").touch()
    (logs / "2029-01-02_03h04m05s").touch()
    (logs / "not-a-date" / "web").mkdir(parents=True)
    (logs / "2026-1-2_3h4m5s").mkdir()
    (logs / DATE / "exception.log").touch()
    (logs / DATE / "bad name").mkdir()
    (logs / DATE / "web" / "start.txt").touch()
    (logs / DATE / "web" / "START.log").touch()
    (logs / DATE / "web" / ".log").touch()
    (logs / DATE / "web" / "sub.log").mkdir()
    (logs / DATE / "web" / "\udcff.log").touch()
    os.mkfifo(logs / DATE / "web" / "fifo.log")
    (logs / DATE / "web" / "link.log").symlink_to("/etc/passwd")
    (logs / DATE / "link").symlink_to(tmp_path)
    (logs / "2030-01-02_03h04m05s").symlink_to(tmp_path)
    found = tree(node)
    services = {s: ["a.log", "b-c.log", "makejail.log", "start.log"]
                for s in ("0", "A-_9", "a.b", "b")}
    assert found == {
        "2025-01-02_03h04m05s": services,
        DATE: {"web": []},
        "2027-01-02_03h04m05s": services,
        "2028-01-02_03h04m05s": {},
    }
    assert list(found) == sorted(found)
    assert list(found["2025-01-02_03h04m05s"]) == ["0", "A-_9", "a.b", "b"]


def test_logs_in_the_place_of_a_file(node):
    top = node.standin / "director" / "logs"
    top.parent.mkdir(parents=True)
    top.touch()
    r = node.get("/v1/projects/logs")
    assert r.status in (200, 500)
    assert node.get("/v1/ping").status == 200
    assert node.get(f"/v1/projects/log/{DATE}/web/start.log").status in (
        404, 500)


def test_the_logs_of_a_deployment(node):
    node.wait_job(node.up("web"))
    info = node.info("web")
    assert "/" not in info["last_log"]
    found = tree(node)[info["last_log"]]
    assert "web" in found and found["web"]
    for name in found["web"]:
        assert isinstance(text_of(node, name, date=info["last_log"]), str)


# Names

@pytest.mark.parametrize("path", (
    f"{DATE}/../x.log", f"{DATE}/./x.log", f"{DATE}/%2e%2e/x.log",
    f"{DATE}/web/../x.log", f"{DATE}/web/.log", f"{DATE}/web/..log",
    f"{DATE}/web/%2Fetc%2Fpasswd", f"{DATE}/web/..%2F..%2Fx.log",
    f"{DATE}/web/x.log%00", f"{DATE}/web/%00.log", f"{DATE}/web/%FF.log",
    f"{DATE}/web/x", f"{DATE}/web/X.log", f"{DATE}/web/x1.log",
    f"{DATE}/web/x_y.log", f"{DATE}/web/x.log/", f"{DATE}/web/x.logs",
    f"{DATE}/web/x.log.log", f"{DATE}/web/", f"{DATE}/web", f"{DATE}/",
    f"{DATE}", "", f"{DATE}//x.log", f"{DATE}/web//x.log",
    f"{DATE}/we%62/x.log", f"{DATE}/we b/x.log", f"{DATE}/w%20b/x.log",
    "../web/x.log", "%2e%2e/web/x.log", "x/web/x.log",
    "2026-01-02_03h04m05/web/x.log", "2026-01-02_03h04m05ss/web/x.log",
    "2026-01-02_03h04m5s/web/x.log", "2026-01-02 03h04m05s/web/x.log",
    "2026-0a-02_03h04m05s/web/x.log", "02026-01-02_03h04m05s/web/x.log",
    "\u0662026-01-02_03h04m05s/web/x.log",
))
def test_names_that_are_no_log(shared, path):
    raw = path.replace(" ", "%20").encode("utf-8").decode("latin-1")
    r = shared.raw(
        f"GET /v1/projects/log/{raw} HTTP/1.1\r\nHost: h\r\n"
        f"Authorization: Bearer {shared.token()}\r\n\r\n".encode("latin-1"))
    # A target that is not ASCII may be refused before it is a path.
    assert r.status == 404 or (not path.isascii() and r.status == 400), r
    assert r.status == 400 or r.json == NO_ROUTE


def test_a_date_needs_not_exist_in_the_calendar(node, logs):
    date = "9999-99-99_99h99m99s"
    (logs / date / "...").mkdir(parents=True)
    (logs / date / "..." / "-.log").write_text("x")
    assert text_of(node, "-.log", "...", date) == "x"


# What is opened

def test_missing_ones(node, logs):
    assert missing(node, f"{DATE}/web/start.log")
    assert missing(node, f"{DATE}/nope/start.log")
    assert missing(node, "2000-01-01_00h00m00s/web/start.log")
    (logs / DATE / "file").touch()
    assert missing(node, f"{DATE}/file/start.log")


def test_nothing_but_regular_files(node, logs):
    web = logs / DATE / "web"
    (web / "dir.log").mkdir()
    os.mkfifo(web / "fifo.log")
    assert missing(node, f"{DATE}/web/dir.log")
    assert missing(node, f"{DATE}/web/fifo.log")
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(web)
        try:
            s.bind("socket.log")
        finally:
            os.chdir(here)
        assert missing(node, f"{DATE}/web/socket.log")
    if os.geteuid() == 0:
        try:
            os.mknod(web / "zero.log", 0o20666, os.makedev(1, 5))
        except PermissionError:
            return
        assert missing(node, f"{DATE}/web/zero.log")


def test_no_symbolic_link_is_followed(node, logs, tmp_path):
    secret = tmp_path / "secret.log"
    secret.write_text("secret")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "start.log").write_text("secret")
    (logs / DATE / "web" / "link.log").symlink_to(secret)
    (logs / DATE / "web" / "inside.log").symlink_to("start.log")
    (logs / DATE / "web" / "start.log").write_text("open")
    (logs / DATE / "out").symlink_to(tmp_path / "web")
    (logs / "2030-01-01_00h00m00s").symlink_to(tmp_path)
    for path in (f"{DATE}/web/link.log", f"{DATE}/web/inside.log",
                 f"{DATE}/out/start.log",
                 "2030-01-01_00h00m00s/web/start.log"):
        assert missing(node, path)
    assert text_of(node) == "open"


def test_the_directory_itself_may_be_a_link(make_node, tmp_path):
    (tmp_path / "real" / DATE / "web").mkdir(parents=True)
    (tmp_path / "real" / DATE / "web" / "start.log").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    node = make_node({"director": {"logs": str(tmp_path / "link")}}).start()
    assert text_of(node) == "x" and tree(node) == {DATE: {"web": ["start.log"]}}


# Text

TEXTS = {
    "nothing": (b"", ""),
    "a line": (b"x\n", "x"),
    "no end": (b"x", "x"),
    "an empty line": (b"\n", ""),
    "two empty lines": (b"\n\n", "\n"),
    "lines": (b"a\nb\n\nc\n", "a\nb\n\nc"),
    "CRLF": (b"a\r\nb\r\n", "a\nb"),
    "CR": (b"a\rb\r", "a\nb"),
    "LF CR": (b"a\n\rb", "a\n\nb"),
    "not line ends": ("a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b".encode(),
                      "a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b"),
    "colours": (b"\x1b[1;31mred\x1b[0m \x1b[Kx\x1b[2J\x1b[?25h", "red x"),
    "intermediate bytes": (b"a\x1b[0 qb\x1b[!pc\x1b[ -/~d", "abcd"),
    "8-bit CSI": ("a\u009b31mb".encode(), "ab"),
    "two sequences": (b"\x1b[1m\x1b[2mx", "x"),
    "cut short": (b"a\x1b[", "a\x1b["),
    "cut short by a line": (b"a\x1b[1\nmb", "a\x1b[1\nmb"),
    "cut short by a byte": (b"a\x1b[1\x01mb", "a\x1b[1\x01mb"),
    "within a sequence": (b"\x1b[\x1b[1mx", "\x1b[x"),
    "other escapes stay": (b"\x1b]0;title\x07\x1bMx", "\x1b]0;title\x07\x1bMx"),
    "invalid bytes": (b"a\xff\xfeb\x80\n\xc3", "a\ufffd\ufffdb\ufffd\n\ufffd"),
    "overlong": (b"\xc0\xaf", "\ufffd\ufffd"),
    "surrogates": (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    "NUL": (b"a\x00b\n\x00", "a\x00b\n\x00"),
    "control characters": (bytes(range(1, 32)).replace(b"\n", b"").replace(
        b"\r", b"").replace(b"\x1b", b""), "".join(
            chr(c) for c in range(1, 32) if c not in (10, 13, 27))),
    "UTF-8": ("äé€\N{GRINNING FACE}\ufeff".encode(),
              "äé€\N{GRINNING FACE}\ufeff"),
    "a slash": (b"</script>", "</script>"),
}


@pytest.mark.parametrize("raw,shown", list(TEXTS.values()), ids=list(TEXTS))
def test_text(shared, raw, shown):
    web = shared.standin / "director" / "logs" / DATE / "web"
    web.mkdir(parents=True, exist_ok=True)
    (web / "start.log").write_bytes(raw)
    assert text_of(shared) == shown


def test_a_long_log(node, logs):
    line = "0123456789" * 10
    (logs / DATE / "web" / "start.log").write_text((line + "\r\n") * 50000)
    assert text_of(node) == "\n".join([line] * 50000)


def test_a_log_that_is_too_long_is_told(node, logs):
    with open(logs / DATE / "web" / "start.log", "wb") as f:
        f.truncate(1 << 40)
    r = node.get(f"/v1/projects/log/{DATE}/web/start.log")
    assert r.status == 501 and "bytes" in r.json["message"], r
    assert node.get("/v1/ping").status == 200


def test_a_log_that_nobody_may_read(make_node, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    node = make_node().start()
    web = node.standin / "director" / "logs" / DATE / "web"
    web.mkdir(parents=True)
    (web / "start.log").touch(0)
    r = node.get(f"/v1/projects/log/{DATE}/web/start.log")
    assert r.status in (403, 404, 500)
