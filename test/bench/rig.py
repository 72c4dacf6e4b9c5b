# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What is measured with: a work directory that goes away, nodes of ours, the
servers that serve as references, and the programs of this folder."""

import contextlib
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from node import (  # noqa: E402,F401
    BUILD, CLIENT, DAEMON, DIRECTOR_FILE, Node, chain_to, free_port, wait_for)

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = BUILD / "test" / "bench"
HOST = "127.0.0.1"
# A library's WITH_ word in ref_init.c and its pkg-config name, by soname.
LIBRARIES = {
    "libevent_core": ("EVENT", "libevent_core"),
    "libyaml": ("YAML", "yaml-0.1"),
    "libcjson": ("CJSON", "libcjson"),
    "liblmdb": ("LMDB", "lmdb"),
    "libsodium": ("SODIUM", "libsodium"),
    "libcurl": ("CURL", "libcurl"),
    "libpcre2-8": ("PCRE2", "libpcre2-8"),
}
NGINX = """\
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path tmp-body;
  proxy_temp_path tmp-proxy;
  fastcgi_temp_path tmp-fastcgi;
  uwsgi_temp_path tmp-uwsgi;
  scgi_temp_path tmp-scgi;
  server {{
    listen {host}:{port};
    {server}
  }}
  {http}
}}
"""


class Unmeasured(Exception):
    """Why a figure has no value."""


def run(*argv, **kwargs):
    """Standard output of a program that must succeed."""
    argv = [str(a) for a in argv]
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, stdin=subprocess.DEVNULL, **kwargs)
    if p.returncode != 0:
        raise Unmeasured(f"{os.path.basename(argv[0])} ended with "
                         f"{p.returncode}: {p.stderr.strip()[-500:]}")
    return p.stdout


def tool(name, *argv, **kwargs):
    """The numbers that a program of this folder prints."""
    return [float(w) for w in run(TOOLS / name, *argv, **kwargs).split()]


def pause(seconds):
    select.select([], [], [], seconds)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection((HOST, port)):
        return True
    return False


def pss_kb(pid):
    """Proportional set size."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    except FileNotFoundError:
        raise Unmeasured("this system does not tell PSS") from None


def raise_descriptors(wanted):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Unmeasured(f"only {hard} descriptors are allowed, not {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def libraries(program):
    """Sonames that a program links, without libc and the loader."""
    out = run("readelf", "-d", program)
    names = re.findall(r"\(?NEEDED\)?.*\[(.*)\]", out)
    return [n for n in names if not n.startswith(("libc.so", "ld-"))]


def wrk(url, seconds, connections, token=None):
    """Replies a second, and the 99th percentile of their times in ms."""
    argv = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    if token:
        # The original knows no other name of it.
        argv += ["-H", "Authentication: Bearer " + token]
    out = run(*argv, url)
    for bad in ("Non-2xx", "Socket errors"):
        if bad in out:
            raise Unmeasured(f"{url}: " + re.search(bad + ".*", out).group(0))
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", out).groups()
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            float(p99) * {"us": 0.001, "ms": 1, "s": 1000}[unit])


class Rig:
    """Ends everything it started when it is left."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        # Not in /tmp, which may be memory: most figures are about a disk.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
        self.stack.callback(shutil.rmtree, self.root, ignore_errors=True)
        self.count = 0
        self.nodes = []
        return self

    def __exit__(self, *_):
        held = signal.pthread_sigmask(signal.SIG_BLOCK,
                                      (signal.SIGTERM, signal.SIGINT))
        self.stack.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def directory(self):
        self.count += 1
        d = self.root / str(self.count)
        d.mkdir()
        return d

    def node(self, options=None):
        """A node that is not started yet; says little, as in production."""
        base = {"log": {"level": "notice"}, "max_watch_commands": 4}
        base.update(options or {})
        node = Node(self.directory(), base)
        self.nodes.append(node)
        self.stack.callback(self.end_node, node)
        return node

    def end_node(self, node):
        """With what hangs below a Director, which dispose() does not see."""
        if node not in self.nodes:
            return
        hanging = [c[1] for c in node.calls() if c[4] is None]
        node.dispose()
        for pid in hanging:
            node.signal(pid, signal.SIGKILL)
        self.nodes.remove(node)

    def token_file(self, node):
        path = node.root / "token"
        path.write_text(node.token())
        return path

    def process(self, argv, port=None, **kwargs):
        """A server; it listens when this returns."""
        with open(self.root / "stderr", "ab") as err:
            p = subprocess.Popen([str(a) for a in argv], stderr=err,
                                 stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                                 stdout=kwargs.pop("stdout", err), **kwargs)
        self.stack.callback(self.end, p)
        if port:
            wait_for(f"{argv[0]} to listen", lambda: answers(port))
        return p

    @staticmethod
    def end(p):
        if p.poll() is None:
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        for stream in (p.stdin, p.stdout):
            if stream:
                stream.close()

    def nginx(self, server, http=""):
        """One worker with these in the blocks of these names; its address."""
        d, port = self.directory(), free_port()
        (d / "nginx.conf").write_text(
            NGINX.format(host=HOST, port=port, server=server, http=http))
        self.process(["nginx", "-p", d, "-c", "nginx.conf"], port)
        return f"http://{HOST}:{port}"

    def beanstalkd(self):
        port = free_port()
        return port, self.process(
            ["beanstalkd", "-l", HOST, "-p", port, "-b", self.directory(),
             "-f0"], port)

    def memcached(self):
        port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return port, self.process(["memcached", "-l", HOST, "-p", port, "-U",
                                   0, "-t", 1, *user], port)

    def coprocess(self, name, *argv):
        """A program of this folder that answers lines with lines."""
        p = self.process([TOOLS / name, *argv], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)

        def ask(line):
            p.stdin.write(line + "\n")
            p.stdin.flush()
            answer = p.stdout.readline()
            if not answer:
                raise Unmeasured(f"{name} ended: "
                                 + (self.root / "stderr").read_text()[-500:])
            return float(answer)
        return ask

    def ref_init(self, program):
        """ref_init with the libraries of a program of ours."""
        target = self.directory() / "ref_init"
        names = libraries(program)
        known = [LIBRARIES[s] for s in LIBRARIES
                 if any(re.match(re.escape(s) + r"[-.]", n) for n in names)]
        flags = [f for _, pc in known for f in subprocess.run(
            ["pkg-config", "--cflags", pc], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True).stdout.split()]
        run("cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-g", "-fPIE", "-pie",
            *flags, *["-DWITH_" + word for word, _ in known],
            HERE / "ref_init.c", "-o", target, "-L/usr/local/lib",
            "-Wl,--no-as-needed,-z,relro,-z,now",
            *["-l:" + n for n in names])
        return target
