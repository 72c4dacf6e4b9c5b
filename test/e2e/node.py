# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Drives one real node: a private directory, a port that the kernel chose, the
stand-ins on PATH. For the end-to-end tests and the crash test."""

import contextlib
import ctypes
import ctypes.util
import functools
import http.client
import json
import os
import pathlib
import re
import select
import signal
import socket
import stat
import subprocess
import time

import jwt

from described import Described

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build")).resolve()
STANDINS = BUILD / "test" / "standin" / "bin"
DAEMON = BUILD / "daemon" / "overlordd"
HELPER = BUILD / "daemon" / "overlord-exec"
CLIENT = BUILD / "cli" / "overlord"
# With the AppJail and the Director of the machine (check.sh --real).
REAL = bool(os.environ.get("OVERLORD_REAL"))
# For a loaded machine and programs under a sanitizer; only failures wait so
# long, and AppJail itself.
DEADLINE = 900 if REAL else 180

DIRECTOR_FILE = """\
services:
  web:
    makejail: 'gh+AppJail-makejails/web'
"""


class Waited(AssertionError):
    """A condition did not come true in time."""


def wait_for(what, condition, deadline=DEADLINE, step=0.01):
    """The first true value of condition(); fails after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Waited("waited in vain for " + what)
        select.select([], [], [], step)


def free_port(address="127.0.0.1"):
    """One that nobody listens on."""
    with socket.create_server((address, 0)) as s:
        return s.getsockname()[1]


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[0] != b"Z"
    except (FileNotFoundError, ProcessLookupError):
        if os.path.exists("/proc/self/stat"):
            return False
    out = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)],
                         stdout=subprocess.PIPE, text=True).stdout.strip()
    return out != "" and not out.startswith("Z")


@functools.cache
def document():
    """What the daemon says of its own answers."""
    r = subprocess.run([DAEMON, "--openapi"], stdout=subprocess.PIPE,
                       check=True)
    return Described(json.loads(r.stdout))


def is_trusted(path):
    """Whether the daemon would run a program there: a checkout may be anybody's.
    Links are not looked at, as the daemon does."""
    for p in (path, *path.parents):
        st = p.stat()
        others = stat.S_IWOTH | (stat.S_IWGRP if st.st_gid else 0)
        if st.st_uid not in (0, os.geteuid()) or (
                st.st_mode & others and not st.st_mode & stat.S_ISVTX):
            return False
    return True


class Reply:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text
        is_text = (headers["Content-Type"] or "").startswith("text/")
        self.json = json.loads(text) if text and not is_text else None

    def __repr__(self):
        return f"<{self.status} {self.text[:300]!r}>"


class Node:
    """A node with its state below `root`. Options override the configuration;
    environment adds to that of the daemon."""

    def __init__(self, root, options=None, environment=None):
        self.root = pathlib.Path(root)
        self.standin = self.root / "standin"
        self.config = self.root / "overlord.yml"
        self.log = self.root / "overlordd.log"
        self.keyfile = self.root / "state" / "keyfile"
        self.process = None
        self.program = DAEMON
        self.environment = environment or {}
        for d in ("standin/behaviour", "home", "tmp"):
            (self.root / d).mkdir(parents=True, exist_ok=True)
        self.options = {
            "listen": ["127.0.0.1:0"],
            "labels": ["all", "desktop"],
            "statedir": str(self.root / "state"),
            "rundir": str(self.root / "run"),
            "helper": str(HELPER),
            "libexec": str(BUILD / "daemon" / "libexec"),
            "trusted_programs": is_trusted(STANDINS) and is_trusted(HELPER),
            "log": {"level": "debug", "file": str(self.log)},
            "appjail": {"jails": str(self.standin / "jails"),
                        "logs": str(self.standin / "logs"),
                        "images": str(self.standin / "images")},
            "director": {
                "projects": str(self.standin / "director" / "projects"),
                "locks": str(self.standin / "director" / "locks"),
                "logs": str(self.standin / "director" / "logs"),
            },
        }
        if REAL:
            del self.options["appjail"], self.options["director"]
        self.configure(options or {})

    def configure(self, options):
        for key, value in options.items():
            if isinstance(value, dict) and isinstance(
                    self.options.get(key), dict):
                self.options[key] = {**self.options[key], **value}
            else:
                self.options[key] = value
        # JSON is YAML, and needs no library here.
        self.config.write_text(json.dumps(self.options))

    def env(self):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("OVERLORD_", "STANDIN_"))}
        env.update(TMPDIR=str(self.root / "tmp"),
                   OVERLORD_CONFIG=str(self.config))
        if not REAL:
            env.update(PATH=f"{STANDINS}:{os.environ['PATH']}",
                       HOME=str(self.root / "home"),
                       STANDIN_ROOT=str(self.standin))
        env.update(self.environment)
        return env

    # Life

    def spawn(self, *args, preexec_fn=None):
        """Starts the daemon in the foreground without waiting for it."""
        (self.root / "run" / "listening").unlink(missing_ok=True)
        with open(self.root / "stderr", "ab") as err:
            self.process = subprocess.Popen(
                [self.program, "-F", "-f", self.config, *args], env=self.env(),
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                cwd=self.root, preexec_fn=preexec_fn)
        return self

    def start(self, *args):
        self.spawn(*args)
        self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"overlordd ended with {self.process.returncode}: "
                    + self.stderr() + self.log_text())
            return self.addresses()
        wait_for("overlordd to listen", ready, step=0.002)

    def addresses(self):
        try:
            text = (self.root / "run" / "listening").read_text()
        except FileNotFoundError:
            return []
        return text.splitlines() if text.endswith("\n") else []

    def address(self):
        host, _, port = self.addresses()[0].rpartition(":")
        return host.strip("[]"), int(port)

    def url(self):
        return "http://" + self.addresses()[0]

    def stop(self):
        """TERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def restart(self):
        assert self.stop() == 0
        return self.start()

    def stderr(self):
        return (self.root / "stderr").read_text(errors="replace")

    def log_text(self):
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def descriptors(self):
        """How many the daemon has open; 0 where that cannot be told. Those of
        connections with itself do not count: its autoscaler asks when it likes."""
        proc = f"/proc/{self.process.pid}"
        if not os.path.exists(proc + "/fd"):
            return 0
        links = []
        for fd in os.listdir(proc + "/fd"):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(f"{proc}/fd/{fd}"))
        ends = {}
        for name in ("tcp", "tcp6"):
            with contextlib.suppress(FileNotFoundError), \
                    open(f"{proc}/net/{name}", encoding="ascii") as f:
                for row in map(str.split, list(f)[1:]):
                    ends[f"socket:[{row[9]}]"] = row[1], row[2]
        own = {ends[link] for link in links if link in ends}
        return len([link for link in links if link not in ends
                    or ends[link][::-1] not in own])

    def descriptors_at_rest(self):
        """As descriptors(), once it has not changed for a while: a daemon that
        answers already may still be opening what it watches and listens to."""
        counts = []

        def rests():
            counts.append(self.descriptors())
            return len(set(counts[-10:])) == 1 and len(counts) >= 10
        wait_for("the descriptors to come to rest", rests, step=0.1)
        return counts[-1]

    def hup(self, text=None):
        """Reloads; what the log (or another text) says of it by then."""
        text = text or self.log_text
        mark = len(text())
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: re.search(
            r"(reloaded|stays).*\n", text()[mark:]))
        return text()[mark:]

    def put(self, jail, path, text=""):
        """Writes a file of a jail."""
        f = self.standin / "jails" / jail / path
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_bytes(text if isinstance(text, bytes) else text.encode())
        return f

    def dispose(self):
        """Ends the daemon, what runs for it, and what was deployed."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)
        # A command that is to hang outlives its helper and even Director.
        for pid in self.helpers() + self.unended():
            self.signal(pid, signal.SIGKILL)
        wait_for("what was deployed to end", self.undeployed)

    def undeployed(self):
        """Whether nothing lives in jails; ends it. A jail may still be coming
        when its command has been killed."""
        pids = self.deployed()
        for pid in pids:
            self.signal(pid, signal.SIGTERM)
        return not pids

    @staticmethod
    def signal(pid, signo):
        try:
            os.kill(pid, signo)
        except ProcessLookupError:
            pass

    def runs(self):
        """Names of the run directories that are there."""
        return [name for name in os.listdir(self.root / "run" / "jobs")
                if not name.startswith(".")]

    def helpers(self):
        """Pids of this node's living overlord-exec processes."""
        runs = str(self.root / "run" / "jobs")
        out = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="],
                             stdout=subprocess.PIPE, text=True).stdout
        found = []
        for line in out.splitlines():
            pid, _, args = line.strip().partition(" ")
            if "overlord-exec" in args and runs in args and is_alive(pid):
                found.append(int(pid))
        return found

    # Requests

    def token(self, **claims):
        return jwt.encode(claims, self.keyfile.read_bytes(), algorithm="HS256")

    def request(self, method, path, body=None, headers=None, token=None,
                timeout=DEADLINE, described=True):
        """Connects anew; body is JSON unless it is bytes. described: the answer
        is to be what the daemon's document says of it."""
        head = {"Authorization": "Bearer " + (token or self.token())}
        head.update(headers or {})
        head = {k: v for k, v in head.items() if v is not None}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        host, port = self.address()
        c = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=head)
            r = c.getresponse()
            reply = Reply(r.status, r.headers, r.read().decode())
        finally:
            c.close()
        if described:
            document().check(method, path, reply)
        return reply

    def raw(self, data, method="GET", shut=False):
        """Sends these bytes over a connection of its own; the first reply.
        method is what the reply is read as; shut: no more will come."""
        with socket.create_connection(self.address(), timeout=DEADLINE) as s:
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
            r = http.client.HTTPResponse(s, method=method)
            r.begin()
            return Reply(r.status, r.headers, r.read().decode())

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body, **kwargs)

    # Projects

    def behave(self, project, *lines):
        path = self.standin / "behaviour" / project
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))

    def up(self, project, **fields):
        """Posts a deployment; the job's id."""
        body = {"director_file": DIRECTOR_FILE, **fields}
        r = self.post("/v1/project/up/" + project, body)
        assert r.status == 200, r
        return r.json["job_id"]

    def down(self, project, **fields):
        r = self.post("/v1/project/down/" + project, fields)
        assert r.status == 200, r
        return r.json["job_id"]

    def cancel(self, project):
        r = self.post("/v1/project/cancel/" + project)
        assert r.status == 200, r
        return r.json["job_id"]

    def job(self, job_id):
        r = self.get(f"/v1/jobs/{job_id}")
        assert r.status == 200, r
        return r.json["job"]

    def wait_job(self, job_id, *states):
        """The job once it is in one of these states, or finished."""
        states = states or ("completed", "incomplete", "failed", "cancelled")

        def there():
            job = self.job(job_id)
            return job if job["state"] in states else None
        return wait_for(f"job {job_id} to be {' or '.join(states)}", there)

    def info(self, project):
        r = self.get("/v1/project/info/" + project)
        assert r.status == 200, r
        return r.json["info"]

    def put_record(self, kind, name, record):
        """Writes to the store of a node that does not run now, as record.c does."""
        lmdb = ctypes.CDLL(ctypes.util.find_library("lmdb") or "liblmdb.so.0")

        class Val(ctypes.Structure):
            _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_char_p)]

        def val(data):
            return ctypes.byref(Val(len(data), data))

        def ok(rc):
            assert rc == 0, rc
        env, txn, dbi = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint()
        ok(lmdb.mdb_env_create(ctypes.byref(env)))
        ok(lmdb.mdb_env_set_maxdbs(env, 32))
        ok(lmdb.mdb_env_open(env, str(self.root / "state" / "state").encode(), 0,
                             0o600))
        ok(lmdb.mdb_txn_begin(env, None, 0, ctypes.byref(txn)))
        ok(lmdb.mdb_dbi_open(txn, b"status", 0, ctypes.byref(dbi)))
        key = b"\0".join((kind.encode(), name.encode(), b""))
        text = json.dumps(record).encode()
        ok(lmdb.mdb_put(txn, dbi, val(key), val(text), 0))
        ok(lmdb.mdb_txn_commit(txn))
        lmdb.mdb_env_close(env)

    # What the stand-ins say

    def calls(self, program=None):
        """[(start ns, pid, ppid, argv, end ns or None, rc or None)]"""
        rows, open_by_pid = [], {}
        try:
            text = (self.standin / "calls.log").read_text()
        except FileNotFoundError:
            return []
        for line in text.splitlines():
            kind, ns, pid, rest = line.split(" ", 3)
            if kind == "start":
                ppid, argv = rest.split(" ", 1)
                row = [int(ns), int(pid), int(ppid), json.loads(argv), None,
                       None]
                rows.append(row)
                open_by_pid[pid] = row
            elif pid in open_by_pid:
                row = open_by_pid.pop(pid)
                row[4], row[5] = int(ns), int(rest)
        return [r for r in rows if program is None or r[3][0] == program]

    def unended(self):
        """Pids of the stand-ins that were called and still run."""
        return [row[1] for row in self.calls()
                if row[4] is None and is_alive(row[1])]

    def wait_call(self, *words):
        """The first call whose argv holds all these words."""
        def there():
            for row in self.calls():
                if all(w in row[3] for w in words):
                    return row
            return None
        return wait_for("a call of " + " ".join(words), there)

    def dead_jails(self):
        """Names of jails that were started, not stopped, and do not live: what
        was deployed is nobody's to kill."""
        dead = []
        for f in self.standin.glob("jails/*/up"):
            try:
                pid = int((f.parent / "jaild.pid").read_text() or 0)
            except (FileNotFoundError, ValueError):
                continue
            if pid and not is_alive(pid) and f.exists():
                dead.append(f.parent.name)
        return sorted(dead)

    def deployed(self):
        """Pids of what lives in started jails."""
        found = []
        for f in self.standin.glob("jails/*/jaild.pid"):
            try:
                pid = int(f.read_text() or 0)
            except (FileNotFoundError, ValueError):
                continue
            if pid and is_alive(pid):
                found.append(pid)
        return found


def make_tree(make_node, names=("main", "alpha", "charlie", "delta"),
              options=None, chain=None):
    """Running nodes, each the child of the one before, with a token made from
    its key; {name: node}. options, chain: more for each node, for each chain."""
    nodes, below = {}, None
    for name in reversed(names):
        node = make_node({"labels": ["all", name], **(options or {})},
                         name=name)
        if below is not None:
            node.configure({"chains": {below.root.name:
                                       chain_to(below, **(chain or {}))}})
        nodes[name] = below = node.start()
    return nodes


def chain_to(node, **more):
    """What a configuration says of this child."""
    return {"entrypoint": node.url(), "access_token": node.token(), **more}
