# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""HTTPS: certificates and their faults, what is refused, reload, limits; and
that all that is true of plain HTTP is true of it. openssl(1) makes the
certificates; without it the tests are skipped."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
import warnings

import pytest

from node import DAEMON, DEADLINE, free_port, wait_for

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no openssl(1) here")

SCRIPT = r"""
set -e
key() { openssl ecparam -genkey -name prime256v1 -noout -out $1.key; }
sign() { # NAME SUBJECT ISSUER SERIAL DAYS EXTENSIONS
    openssl req -new -key $1.key -subj "/CN=$2" -out req
    printf "$6" >ext
    openssl x509 -req -in req -CA $3.crt -CAkey $3.key -set_serial $4 \
        -days $5 -extfile ext -out $1.crt
}
ca='basicConstraints=critical,CA:TRUE\n'
host='subjectAltName=IP:127.0.0.1,DNS:localhost\n'
for k in root middle server second expired other client stranger; do
    key $k
done
openssl req -x509 -new -key root.key -subj /CN=root -days 2 -out root.crt
sign middle middle root 2 2 "$ca"
sign server localhost middle 3 2 "$host"
sign second localhost middle 4 2 "$host"
sign expired localhost middle 5 -1 "$host"
sign client client root 6 2 ''
openssl req -x509 -new -key stranger.key -subj /CN=s -days 2 -out stranger.crt
for k in server second expired; do cat $k.crt middle.crt >$k.pem; done
"""


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A directory: root.crt signs middle.crt, which signs server.pem,
    second.pem and expired.pem (chains); client.crt is root's."""
    d = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", "-c", SCRIPT], cwd=d, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return d


@pytest.fixture
def tls_node(make_node, pki):
    """Makes a node with the certificate server.pem; not started."""
    def make(options=None, **tls):
        node = make_node({"tls": {
            "certfile": str(pki / "server.pem"),
            "keyfile": str(pki / "server.key"),
            "port": free_port(), **tls}})
        node.configure(options or {})
        return node
    return make


def trusting(pki):
    return ssl.create_default_context(cafile=pki / "root.crt")


def connect(node, context, timeout=DEADLINE):
    s = socket.create_connection(
        ("127.0.0.1", node.options["tls"]["port"]), timeout=timeout)
    try:
        return context.wrap_socket(s, server_hostname="127.0.0.1")
    except BaseException:
        s.close()
        raise


def head(node, path="/v1/ping", method="GET", more=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
            f"{node.token()}\r\n{more}\r\n").encode()


def read_reply(s, method="GET"):
    r = http.client.HTTPResponse(s, method=method)
    r.begin()
    return r.status, r.headers, r.read()


def ask(node, context, **kwargs):
    with connect(node, context) as s:
        s.sendall(head(node, **kwargs))
        return read_reply(s)


def serial(s):
    return int(s.getpeercert()["serialNumber"], 16)


def check(node):
    """What `overlordd -t` says: exit code and text."""
    r = subprocess.run([DAEMON, "-t", "-f", node.config], env=node.env(),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=DEADLINE)
    return r.returncode, r.stdout


# Certificates

def test_the_chain_is_sent_and_plain_http_goes_on(tls_node, pki):
    node = tls_node().start()
    status, headers, body = ask(node, trusting(pki))
    assert status == 200 and json.loads(body)["status_code"] == 200
    assert headers["Content-Type"] == "application/json"
    assert node.get("/v1/ping").status == 200
    assert len(node.addresses()) == 2
    if shutil.which("curl") is None:
        return
    url = f"https://127.0.0.1:{node.options['tls']['port']}/v1/ping"
    r = subprocess.run(
        ["curl", "-sS", "--cacert", pki / "root.crt", "-H",
         "Authorization: Bearer " + node.token(), url, url],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert r.returncode == 0 and r.stdout.count('"status_code"') == 2, r


FAULTS = {
    "another key": ({"keyfile": "other.key"}, "does not belong to the cert"),
    "no key": ({"keyfile": "none.key"}, "none.key"),
    "no certificate": ({"certfile": "none.pem"}, "none.pem"),
    "no PEM": ({"certfile": "ext"}, "holds none"),
    "no authority": ({"client_ca": "none.crt"}, "none.crt"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_at_start_and_by_a_check(tls_node, pki, name):
    files, text = FAULTS[name]
    node = tls_node(**{k: str(pki / v) for k, v in files.items()})
    code, said = check(node)
    assert code == 78 and text in said and "TLS" in said, said
    node.spawn()
    assert node.process.wait(DEADLINE) != 0
    assert text in node.stderr()


def test_an_expired_certificate_is_a_warning(tls_node, pki):
    node = tls_node(certfile=str(pki / "expired.pem"),
                    keyfile=str(pki / "expired.key"))
    code, said = check(node)
    assert code == 0 and "warning" in said and "has expired" in said, said
    node.start()
    assert "has expired" in node.log_text()
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connect(node, trusting(pki))


def test_client_ca_needs_a_certificate_to_go_with(make_node, pki):
    code, said = check(make_node({"tls": {
        "client_ca": str(pki / "root.crt")}}))
    assert code == 78 and "client_ca" in said, said


# What is refused

def test_old_versions_are_refused(tls_node, pki):
    node = tls_node().start()
    for version, ok in (("TLSv1_1", False), ("TLSv1_2", True),
                        ("TLSv1_3", True)):
        context = trusting(pki)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion[version]
        if ok:
            assert ask(node, context)[0] == 200
        else:
            with pytest.raises(ssl.SSLError):
                connect(node, context)
    with connect(node, trusting(pki)) as s:
        assert s.compression() is None


@pytest.mark.parametrize("version", ("TLSv1_2", "TLSv1_3"))
def test_client_certificates(tls_node, pki, version):
    node = tls_node(client_ca=str(pki / "root.crt")).start()

    def context(name=None):
        c = trusting(pki)
        c.maximum_version = ssl.TLSVersion[version]
        if name:
            c.load_cert_chain(pki / (name + ".crt"), pki / (name + ".key"))
        return c
    assert ask(node, context("client"))[0] == 200
    for name in (None, "stranger"):
        # With TLS 1.3 the client learns of it when it reads.
        with pytest.raises((ssl.SSLError, ConnectionError,
                            http.client.HTTPException)):
            ask(node, context(name))
    # A certificate is no token.
    with connect(node, context("client")) as s:
        s.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_reply(s)[0] == 401
    # Its session can be taken up again.
    c = context("client")
    with connect(node, c) as s:
        s.sendall(head(node))
        assert read_reply(s)[0] == 200
        session = s.session
    with socket.create_connection(
            ("127.0.0.1", node.options["tls"]["port"])) as plain:
        with c.wrap_socket(plain, server_hostname="127.0.0.1",
                           session=session) as s:
            assert s.session_reused
            s.sendall(head(node))
            assert read_reply(s)[0] == 200


def test_plain_bytes_on_the_tls_port(tls_node, pki):
    node = tls_node().start()
    for data in (head(node).ljust(1000, b"\n"), b"\0" * 1000, b"\xff" * 1000):
        with socket.create_connection(
                ("127.0.0.1", node.options["tls"]["port"]),
                timeout=DEADLINE) as s:
            s.sendall(data)
            try:
                got = b"".join(iter(lambda: s.recv(4096), b""))
            except ConnectionResetError:
                got = b""
            assert b"HTTP" not in got
    assert ask(node, trusting(pki))[0] == 200


def test_a_slow_handshake_is_dropped(tls_node, pki):
    node = tls_node({"limits": {"header": 1}}).start()
    began = time.monotonic()
    for data in (b"", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(
                ("127.0.0.1", node.options["tls"]["port"]),
                timeout=DEADLINE) as s:
            s.sendall(data)
            assert s.recv(100) == b""
    # A handshake that is done leaves no more time for the head.
    with connect(node, trusting(pki)) as s:
        s.sendall(b"GET /v1/p")
        assert read_reply(s)[0] == 408
    assert time.monotonic() - began < 20


def test_limits_hold_for_each_address(tls_node, pki):
    node = tls_node({"limits": {"connections_per_address": 3}}).start()

    def connected():
        try:
            return connect(node, trusting(pki))
        except (ssl.SSLError, OSError):
            return None
    places = list(iter(connected, None))
    # The node's own autoscaler may have one, too.
    assert len(places) in (2, 3)
    for s in places:
        with s:
            s.sendall(head(node))
            assert read_reply(s)[0] == 200
    # The places are free again.
    wait_for("a free place", lambda: is_served(node, pki))


def is_served(node, pki):
    try:
        return ask(node, trusting(pki))[0] == 200
    except (ssl.SSLError, OSError):
        return False


# Reload

def test_hup_takes_new_files_and_keeps_connections(tls_node, pki, tmp_path):
    live = {"certfile": tmp_path / "live.pem", "keyfile": tmp_path / "live.key"}

    def install(cert, key):
        live["certfile"].write_bytes((pki / cert).read_bytes())
        live["keyfile"].write_bytes((pki / key).read_bytes())
    install("server.pem", "server.key")
    node = tls_node(**{k: str(v) for k, v in live.items()}).start()
    with connect(node, trusting(pki)) as old:
        assert serial(old) == 3
        # One whose request is half there, and one in its handshake.
        old.sendall(head(node)[:30])
        raw = socket.create_connection(
            ("127.0.0.1", node.options["tls"]["port"]), timeout=DEADLINE)
        install("second.pem", "second.key")
        node.hup()
        with connect(node, trusting(pki)) as new:
            assert serial(new) == 4
            new.sendall(head(node))
            assert read_reply(new)[0] == 200
        old.sendall(head(node)[30:])
        assert read_reply(old)[0] == 200
        old.sendall(head(node))
        assert read_reply(old)[0] == 200
        with trusting(pki).wrap_socket(
                raw, server_hostname="127.0.0.1") as s:
            s.sendall(head(node))
            assert read_reply(s)[0] == 200
        # What does not fit together changes nothing.
        install("second.pem", "other.key")
        node.configure({"labels": ["changed"]})
        said = node.hup()
        assert "does not belong to the certificate" in said
        with connect(node, trusting(pki)) as new:
            assert serial(new) == 4
        assert "changed" not in node.get("/v1/labels").text
        old.sendall(head(node))
        assert read_reply(old)[0] == 200
    install("expired.pem", "expired.key")
    assert "has expired" in node.hup()


def test_hup_can_ask_for_client_certificates(tls_node, pki):
    node = tls_node().start()
    context = trusting(pki)
    with connect(node, context) as s:
        s.sendall(head(node))
        assert read_reply(s)[0] == 200
        session = s.session
        node.configure({"tls": {"client_ca": str(pki / "root.crt")}})
        node.hup()
        # Not by way of a session of before either.
        with pytest.raises((ssl.SSLError, ConnectionError,
                            http.client.HTTPException)):
            raw = socket.create_connection(
                ("127.0.0.1", node.options["tls"]["port"]), timeout=DEADLINE)
            with context.wrap_socket(raw, server_hostname="127.0.0.1",
                                     session=session) as again:
                again.sendall(head(node))
                read_reply(again)
        s.sendall(head(node))
        assert read_reply(s)[0] == 200


def test_tls_is_switched_by_a_restart_only(make_node, pki):
    node = make_node().start()
    node.configure({"tls": {"certfile": str(pki / "server.pem"),
                            "keyfile": str(pki / "server.key"),
                            "port": free_port()}})
    assert "at the next restart only" in node.hup()
    assert len(node.addresses()) == 1
    node.restart()
    assert ask(node, trusting(pki))[0] == 200


# All that is true of plain HTTP

def test_pipelined_requests_are_answered_in_order(tls_node, pki):
    node = tls_node().start()
    n = 200
    with connect(node, trusting(pki)) as s:
        s.sendall(b"".join(head(node, more=f"X-Request-Id: r{i}\r\n")
                           for i in range(n)))
        f = s.makefile("rb")
        for i in range(n):
            assert b" 200 " in f.readline()
            length = 0
            for line in iter(f.readline, b"\r\n"):
                name, _, value = line.decode().partition(":")
                if name == "Content-Length":
                    length = int(value)
                if name == "X-Request-Id":
                    assert value.strip() == f"r{i}"
            f.read(length)


def test_big_bodies_both_ways(tls_node, pki):
    node = tls_node().start()
    logs = node.standin / "director" / "logs" / "2026-01-02_03h04m05s" / "web"
    logs.mkdir(parents=True)
    text = "".join(f"line {i}\n" for i in range(400000))
    (logs / "start.log").write_text(text)
    path = "/v1/projects/log/2026-01-02_03h04m05s/web/start.log"
    plain = node.get(path).json["log_content"]
    assert len(plain) > 1 << 20
    body = b'{"director_file": "' + b"x" * (4 << 20) + b'"}'
    with connect(node, trusting(pki)) as s:
        s.sendall(head(node, path=path))
        status, _, got = read_reply(s)
        assert status == 200 and json.loads(got)["log_content"] == plain
        # A body that comes in many records, then one that is announced.
        for more in ("", "Expect: 100-continue\r\n"):
            s.sendall(head(node, "/v1/project/up/a", "POST",
                           f"Content-Length: {len(body)}\r\n{more}"))
            if more:
                assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            s.sendall(body)
            status, _, got = read_reply(s)
            assert status in (200, 400), got
        s.sendall(head(node))
        assert read_reply(s)[0] == 200


def test_a_reader_that_stops_is_dropped(tls_node, pki):
    node = tls_node({"limits": {"write": 1}}).start()
    logs = node.standin / "director" / "logs" / "2026-01-02_03h04m05s" / "web"
    logs.mkdir(parents=True)
    (logs / "start.log").write_text("x" * (16 << 20))
    path = "/v1/projects/log/2026-01-02_03h04m05s/web/start.log"
    with connect(node, trusting(pki)) as s:
        s.sendall(head(node, path=path) * 8)
        wait_for("the connection to be dropped",
                 lambda: "answered" in node.log_text())
        with pytest.raises((ssl.SSLError, OSError,
                            http.client.HTTPException)):
            # The end comes early, whatever the kernel had.
            let_pass(3)
            for _ in range(8):
                read_reply(s)
    assert ask(node, trusting(pki))[0] == 200


def let_pass(seconds):
    """Lets time pass without reading."""
    end = time.monotonic() + seconds
    wait_for("time to pass", lambda: time.monotonic() > end)


def test_an_end_is_told(tls_node, pki):
    node = tls_node().start()
    # suppress_ragged_eofs hides an end without close_notify.
    raw = socket.create_connection(
        ("127.0.0.1", node.options["tls"]["port"]), timeout=DEADLINE)
    with trusting(pki).wrap_socket(raw, server_hostname="127.0.0.1",
                                   suppress_ragged_eofs=False) as s:
        s.sendall(head(node, more="Connection: close\r\n"))
        got = b"".join(iter(lambda: s.recv(4096), b""))
    assert b" 200 " in got and b"Connection: close" in got


def test_term_finishes_requests(tls_node, pki):
    node = tls_node().start()
    with connect(node, trusting(pki)) as s:
        assert node.stop() == 0
        assert s.recv(100) == b""


def test_events_stream(tls_node, pki):
    node = tls_node().start()
    with connect(node, trusting(pki)) as s:
        s.sendall(head(node, "/v1/events"))
        f = s.makefile("rb")
        assert b" 200 " in f.readline()
        headers = list(iter(f.readline, b"\r\n"))
        assert b"Transfer-Encoding: chunked\r\n" in headers
        assert b"Vary: Accept-Encoding\r\n" in headers
        job = node.up("web")
        lines = iter(f.readline, b"")
        assert any(b'"job' in line and str(job).encode() in line
                   for line in lines)
        node.wait_job(job)
