# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures beside the original, when OVERLORD_UPSTREAM names a checkout of it.
Its Python is venv/bin/python there, or the system's."""

import configparser
import json
import os
import pathlib
import sys

import jwt

from client import CHILDREN, FILE, OF_CHILDREN, PARALLEL
from inventory import put_jail
from rig import (CLIENT, DAEMON, HOST, Unmeasured, answers, chain_to,
                 free_port, pause, pss_kb, run, tool, wait_for, wrk)
from table import compare
from trees import LEAF_MS, leaves

NAME = "the original"
PING_SECONDS = 3
JAILS = 100
CLIENTS = 32

PING = f"GET /v1/ping a second, {CLIENTS} connections"
READ = f"GET /v1/jails of {JAILS} a second, {CLIENTS} connections"
FORWARDED = f"GET /v1/chain/X/ping a second, {CLIENTS} connections"
MEMORY = "idle memory of all of a node, kB PSS"
START = "exec of the server to first ping, ms"
VERSION = "overlord --version, ms"
CHAINS = f"overlord get-info -t chains, {OF_CHILDREN}"
APPLY = f"overlord apply of a metadata key, {OF_CHILDREN}"
MAIN = "import overlord; overlord.cli()"


class Skipped(Exception):
    """Why nothing is measured, which is no fault."""


class Original:
    """Its server, with memcached and beanstalkd of its own and our stand-ins
    where AppJail would be."""

    def __init__(self, rig, chains=None):
        top = os.environ.get("OVERLORD_UPSTREAM")
        if not top:
            raise Skipped("OVERLORD_UPSTREAM names no checkout of the original")
        self.rig, self.top = rig, pathlib.Path(top).resolve()
        self.python = self.top / "venv" / "bin" / "python"
        if not self.python.exists():
            self.python = sys.executable
        # A node of ours that is never started, for its stand-ins.
        self.ours = rig.node()
        self.root, self.port = rig.directory(), free_port()
        self.env = {**self.ours.env(), "PYTHONPATH":
                    f"{self.top / 'src'}:{self.shim()}"}
        self.env["OVERLORD_CONFIG"] = str(self.root / "overlord.yml")
        self.servers = []
        self.configure(chains or {})
        try:
            run(self.python, "-c", "import overlord", env=self.env)
        except Unmeasured as e:
            raise Skipped(str(e).splitlines()[-1]) from None

    def shim(self):
        """What it needs where it is not installed, nor on FreeBSD."""
        shim = self.root / "shim"
        about = shim / "overlord-0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Name: overlord\nVersion: 0\n")
        (shim / "sysctl.py").write_text("def filter(name):\n    return []\n")
        return shim

    def configure(self, chains):
        memcached, pid = self.rig.memcached()
        queue = free_port()
        self.servers = [pid, self.rig.process(
            ["beanstalkd", "-l", HOST, "-p", queue], queue)]
        o = self.ours.options
        (self.root / "overlord.yml").write_text(json.dumps({
            "port": self.port, "chains": chains,
            "labels": ["all", "desktop"],
            "serverid": str(self.root / "serverid"),
            "secret_keyfile": str(self.root / "keyfile"),
            "beanstalkd_secret": str(self.root / "secret"),
            "beanstalkd_addr": f"{HOST}:{queue}",
            "memcache": {"connections": [f"{HOST}:{memcached}"]},
            "metadata": {"location": str(self.root / "metadata")},
            "log_config": {"version": 1},
            "appjail": {"jails": o["appjail"]["jails"],
                        "logs": o["appjail"]["logs"]},
            "director": {"logs": o["director"]["logs"]}}))

    def command(self, *words):
        return [self.python, "-c", MAIN, *words]

    def start(self, *more):
        """The server, and more of what its supervisor runs."""
        self.servers.append(self.rig.process(self.command("serve"), self.port,
                                             env=self.env, cwd=self.root))
        for word in more:
            self.servers.append(self.rig.process(self.command(word),
                                                 env=self.env, cwd=self.root))
        return self

    def programs(self):
        """What its supervisor runs beside the server."""
        found = []
        for path in (self.top / "supervisord").rglob("*.ini"):
            ini = configparser.RawConfigParser()
            ini.read(path)
            found += [ini[s]["command"].split()[-1] for s in ini.sections()
                      if s.startswith("program:")]
        return [word for word in found if word != "serve"]

    def url(self):
        return f"http://{HOST}:{self.port}"

    def token(self):
        return jwt.encode({}, (self.root / "keyfile").read_bytes(),
                          algorithm="HS256")

    def ready(self):
        """Makes its key, too."""
        wait_for("the original to listen", lambda: answers(self.port))
        run(*self.command("gen-token"), env=self.env, cwd=self.root)
        return self

    def token_file(self):
        path = self.root / "token"
        path.write_text(self.token())
        return path

    def child(self):
        return {"entrypoint": self.url(), "access_token": self.token()}

    def pss_kb(self):
        return sum(pss_kb(p.pid) for p in self.living())

    def living(self):
        """Some end when there is nothing to do for them."""
        return [p for p in self.servers if p.poll() is None]


def rates(rounds, pairs):
    """Of the same question to both, in turn."""
    both = [[wrk(url, PING_SECONDS, CLIENTS, token)[0] for url, token in pairs]
            for _ in range(rounds)]
    return zip(*both)


def ping(rig, rounds):
    original = Original(rig).start().ready()
    node = rig.node().start()
    ours, theirs = rates(rounds, [(o.url() + "/v1/ping", o.token())
                                  for o in (node, original)])
    return [compare(PING, ours, (NAME, theirs))]


def read(rig, rounds):
    original = Original(rig)
    for n in range(JAILS):
        put_jail(original.ours, f"j{n}")
    original.start("poll-jails").ready()
    node = original.ours.start()
    wait_for("the original's jails", lambda: len(json.loads(run(
        "curl", "-s", "-H", "Authentication: Bearer " + original.token(),
        original.url() + "/v1/jails")).get("jails", ())) == JAILS, step=0.2)
    ours, theirs = rates(rounds, [(o.url() + "/v1/jails", o.token())
                                  for o in (node, original)])
    return [compare(READ, ours, (NAME, theirs))]


def forwarded(rig, rounds):
    below = Original(rig).start().ready()
    original = Original(rig, {"below": below.child()}).start().ready()
    child = rig.node().start()
    node = rig.node({"chains": {"below": chain_to(child)}}).start()
    ours, theirs = rates(rounds, [(o.url() + "/v1/chain/below/ping", o.token())
                                  for o in (node, original)])
    return [compare(FORWARDED, ours, (NAME, theirs))]


def memory(rig, rounds):
    original = Original(rig)
    original.start(*original.programs()).ready()
    node, ours, theirs = rig.node().start(), [], []
    # They are not idle as long as they are starting.
    pause(10)
    for _ in range(rounds):
        assert node.get("/v1/ping").status == 200
        ours.append(pss_kb(node.process.pid))
        theirs.append(original.pss_kb())
    return [compare(MEMORY, ours, (
        f"{NAME}, {len(original.living())} processes", theirs))]


def start(rig, rounds):
    original = Original(rig)
    run(*original.command("gen-token"), env=original.env, cwd=original.root)
    port = free_port()
    node = rig.node({"listen": [f"{HOST}:{port}"]}).start()
    tokens = rig.token_file(node), original.token_file()
    node.stop()
    ours, theirs = [], []
    for _ in range(rounds):
        ours += tool("timed", "ping", port, tokens[0], DAEMON, "-F", "-f",
                     node.config, env=node.env())
        theirs += tool("timed", "ping", original.port, tokens[1],
                       *original.command("serve"), env=original.env)
    return [compare(START, ours, (NAME, theirs))]


def version(rig, rounds):
    original = Original(rig)
    ours, theirs = [], []
    for _ in range(rounds):
        ours += tool("timed", "exit", CLIENT, "--version")
        theirs += tool("timed", "exit", *original.command("--version"),
                       env=original.env)
    return [compare(VERSION, ours, (NAME, theirs))]


def commands(rig, rounds):
    leaf = leaves(rig, LEAF_MS)
    chains = {f"c{i}": leaf for i in range(CHILDREN)}
    original = Original(rig, chains).start().ready()
    node = rig.node({"chains": chains}).start()
    found = []
    for figure, kind, more, words in (
            (APPLY, "metadata", "metadata: {key: 'a value'}\n", ["apply"]),
            (CHAINS, "readOnly", "", ["get-info", "-t", "chains"])):
        files = []
        for o in (node, original):
            files.append(rig.directory() / "file.yml")
            files[-1].write_text(FILE.format(
                kind=kind, url=o.url(), token=o.token(), more=more))
        extra = ["--parallel", PARALLEL] if kind == "metadata" else []
        pairs = [[tool("timed", "exit", CLIENT, *words, *extra, "-f",
                       files[0])[0],
                  tool("timed", "exit", *original.command(*words), "-f",
                       files[1], env=original.env)[0]]
                 for _ in range(rounds)]
        ours, theirs = zip(*pairs)
        found.append(compare(figure, ours, (NAME, theirs)))
    return found


ALL = [([f"{f}, beside {NAME}" for f in names], measure)
       for names, measure in (
           ([PING], ping), ([READ], read), ([FORWARDED], forwarded),
           ([MEMORY], memory), ([START], start),
           ([VERSION], version), ([APPLY, CHAINS], commands))]
