# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The real programs beside Overlord: etcd, CoreDNS, HAProxy. Each is started
in a directory of its own and ended with its test."""

import http.client
import http.server
import os
import pathlib
import shutil
import signal
import subprocess
import threading

from dataplane import DataPlane
from node import DEADLINE, Waited, free_port, wait_for

ZONE = "overlord.lan"


def run(*argv, **kwargs):
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=DEADLINE, **kwargs)


class Program:
    """A process whose output is in a file of its directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = None

    def spawn(self, *argv):
        with open(self.directory / "output", "ab") as out:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, cwd=self.directory)

    def alive(self):
        if self.process.poll() is None:
            return True
        raise AssertionError((self.directory / "output").read_text()[-3000:])

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process = None


def answers(address, port, path):
    """Whether an HTTP server is well there."""
    c = http.client.HTTPConnection(address, port, timeout=2)
    try:
        c.request("GET", path)
        return c.getresponse().status == 200
    except OSError:
        return False
    finally:
        c.close()


class Member(Program):
    """A member of a cluster of etcd, at an address of its own: a
    configuration has one entry for each host."""

    def __init__(self, directory, number, net):
        super().__init__(directory)
        self.name = f"m{number}"
        self.address = f"{net}.{number}"
        self.port = free_port(self.address)
        self.peer = f"http://{self.address}:{free_port(self.address)}"
        self.url = f"http://{self.address}:{self.port}"

    def start(self, cluster):
        self.spawn("etcd", "--name", self.name, "--data-dir", "data",
                   "--log-outputs", "stderr",
                   "--listen-client-urls", self.url,
                   "--advertise-client-urls", self.url,
                   "--listen-peer-urls", self.peer,
                   "--initial-advertise-peer-urls", self.peer,
                   "--initial-cluster", cluster)

    def healthy(self):
        return self.alive() and answers(self.address, self.port, "/health")


class Cluster:
    def __init__(self, directory, net="127.0.0", size=3):
        self.members = [Member(directory / f"etcd{n}", n, net)
                        for n in range(1, size + 1)]
        self.names = ",".join(f"{m.name}={m.peer}" for m in self.members)

    def start(self, *members):
        for m in members or self.members:
            m.start(self.names)
        wait_for("etcd to be well", lambda: all(
            m.healthy() for m in self.members if m.process is not None))
        return self

    def stop(self):
        for m in self.members:
            m.stop()

    def options(self):
        """What a configuration says of it."""
        return {"etcd": {m.address: {"port": m.port, "timeout": 2}
                         for m in self.members},
                "skydns": {"zone": ZONE}}

    def keys(self):
        member = next(m for m in self.members if m.process is not None)
        r = run("etcdctl", "--endpoints", member.url, "get", "--prefix", "/",
                "--keys-only", env={**os.environ, "ETCDCTL_API": "3"})
        assert r.returncode == 0, r.stdout
        return r.stdout.split()


class CoreDns(Program):
    def __init__(self, directory, program, cluster):
        super().__init__(directory)
        self.program = program
        self.port = free_port()
        endpoints = " ".join(m.url for m in cluster.members)
        (self.directory / "Corefile").write_text(
            f".:{self.port} {{\n  errors\n  loadbalance\n"
            f"  etcd {ZONE} in-addr.arpa ip6.arpa {{\n"
            f"    path /skydns\n    endpoint {endpoints}\n  }}\n}}\n")

    def start(self):
        self.spawn(self.program, "-conf", "Corefile")
        wait_for("CoreDNS to answer", lambda: self.alive() and
                 "status: " in self.dig("nothing." + ZONE, "A"))
        return self

    def dig(self, *words):
        return run("dig", "@127.0.0.1", "-p", self.port, "+time=2", "+tries=1",
                   *words).stdout

    def ask(self, name, kind):
        """The answers, sorted."""
        return sorted(self.dig("+short", name, kind).split("\n")[:-1])

    def reverse(self, address):
        return self.dig("+short", "-x", address).split()


class HAProxy(Program):
    """HAProxy with a frontend for one backend, whose servers are in its
    configuration file."""

    def __init__(self, directory, backend):
        super().__init__(directory)
        self.backend = backend
        self.port = free_port()
        self.generation = 0

    def config(self, servers):
        lines = ["global", "  maxconn 100", "defaults", "  mode http",
                 "  timeout connect 2s", "  timeout client 5s",
                 "  timeout server 5s", "frontend in",
                 f"  bind 127.0.0.1:{self.port}",
                 "  http-request return status 200 content-type text/plain "
                 f"string {self.generation} if {{ path /generation }}",
                 f"  default_backend {self.backend}",
                 f"backend {self.backend}", "  balance roundrobin"]
        for s in servers.values():
            more = " check" if s.get("check") == "enabled" else ""
            more += f" weight {s['weight']}" if "weight" in s else ""
            host = f"[{s['address']}]" if ":" in s["address"] else s["address"]
            lines.append(f"  server {s['name']} {host}:{s['port']}{more}")
        return "\n".join(lines) + "\n"

    def apply(self, servers):
        path = self.directory / "haproxy.cfg"
        new = self.directory / "new.cfg"
        self.generation += 1
        new.write_text(self.config(servers))
        checked = run("haproxy", "-c", "-f", new)
        assert checked.returncode == 0, checked.stdout
        new.rename(path)
        if self.process is None:
            self.spawn("haproxy", "-W", "-f", path)
        else:
            self.reload()

    def reload(self):
        """Until it works with its file. It is deaf while it reads the one
        before."""
        while self.get("/generation") != (200, str(self.generation)):
            self.process.send_signal(signal.SIGUSR2)
            try:
                wait_for("HAProxy to have read its file", lambda: self.get(
                    "/generation") == (200, str(self.generation)), 2)
            except Waited:
                assert self.alive()

    def start(self):
        self.apply({})
        wait_for("HAProxy to listen", lambda: self.alive() and
                 self.get() is not None)
        return self

    def get(self, path="/"):
        """(status, text) through it; None: it does not answer."""
        r = run("curl", "-s", "-o", "-", "-w", "\n%{http_code}", "-m", "5",
                f"http://127.0.0.1:{self.port}{path}")
        text, _, code = r.stdout.rpartition("\n")
        return (int(code), text) if code not in ("", "000") else None

    def reached(self, times=12):
        """Who has answered a row of requests."""
        return {self.get() for _ in range(times)}


class DataPlaneStandIn(DataPlane):
    """The stand-in of the Data Plane API, before a real HAProxy."""

    def __init__(self, haproxy):
        super().__init__(haproxy.backend)
        self.haproxy = haproxy

    def committed(self):
        self.haproxy.apply(self.backends[self.haproxy.backend])


class Replica:
    """What a jail would serve, at the address of its node."""

    def __init__(self, address, port, name):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = name.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.httpd = http.server.ThreadingHTTPServer((address, port), Handler)
        self.thread = threading.Thread(target=self.httpd.serve_forever)
        self.thread.start()

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()


def certificates(directory):
    """A PEM of an authority, of a server and of a client, the last two with
    their keys in them; and the server's key apart."""
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)

    def openssl(*words):
        r = run("openssl", *words, cwd=directory)
        assert r.returncode == 0, r.stdout
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes"]
    openssl("req", "-x509", *key, "-subj", "/CN=ca", "-days", "2", "-keyout",
            "ca.key", "-out", "ca.pem")
    for name, extension in (
            ("server", "subjectAltName=IP:127.0.0.1\n"
             "extendedKeyUsage=serverAuth,clientAuth"),
            ("client", "extendedKeyUsage=clientAuth")):
        (directory / f"{name}.ext").write_text(extension + "\n")
        openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        with open(directory / f"{name}.pem", "wb") as out:
            for part in ("crt", "key"):
                with open(directory / f"{name}.{part}", "rb") as f:
                    shutil.copyfileobj(f, out)
    return directory
