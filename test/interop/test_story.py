# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The story that the project began with, by its own files: five machines,

    main -> alpha, bravo;  alpha -> charlie -> delta

each with an interface "tailscale0" in a network namespace of its own. A small
web site is deployed on three of them and found by its name; then it is behind
HAProxy; then there are to be three of it, and there are, whatever dies. The last
file has both kinds of labels; else they are as they were written."""

import os
import pathlib
import subprocess
import time

import pytest

from cli_support import overlord
from components import ZONE, Cluster, DataPlaneStandIn, run
from conftest import need
from netns import InNamespace, Namespace, ip, why_not
from node import STANDINS, chain_to, wait_for

FILES = pathlib.Path(__file__).resolve().parent / "story"
NET = "10.77.9"
PORT = 9128
# Of the autoscaler.
ROUND_S = 1
LABELS = {
    "main": ["all", "desktop"],
    "alpha": ["all", "services", "centralita"],
    "bravo": ["all", "services"],
    "charlie": ["all", "services", "provider"],
    "delta": ["all", "provider"],
}
CHILDREN = {"charlie": ["delta"], "alpha": ["charlie"],
            "main": ["alpha", "bravo"]}


class Machine(InNamespace):
    """Has tailscale0, which is plugged into the bridge of this namespace."""

    def __init__(self, root, number, options):
        name = root.name
        ns = Namespace(name)
        self.name, self.ip = name, f"{NET}.{number}"
        Namespace.run("link", "add", f"to{name}", "type", "veth", "peer",
                      "name", "tailscale0", "netns", ns.name)
        Namespace.run("link", "set", f"to{name}", "master", "br0", "up")
        ns.do("addr", "add", self.ip + "/24", "dev", "tailscale0")
        ns.do("link", "set", "tailscale0", "up")
        super().__init__(ns, root, {
            "labels": LABELS[name], "listen": [self.ip + ":8888"], **options})
        self.behave("hello-http", "serve")

    def close(self):
        self.dispose()
        # A namespace ends later than it is told to.
        ip("link", "del", f"to{self.name}")
        self.namespace.close()


@pytest.fixture
def bridge():
    """What all tailscale0 are plugged into, with three addresses here."""
    if "INTEROP_IPV4" not in os.environ:
        pytest.skip("not in a network namespace of its own")
    why = why_not()
    if why is not None:
        pytest.skip(why)
    Namespace.run("link", "add", "br0", "type", "bridge")
    for i in (1, 2, 3):
        Namespace.run("addr", "add", f"{NET}.{i}/24", "dev", "br0")
    Namespace.run("link", "set", "br0", "up")
    yield
    ip("link", "del", "br0")


@pytest.fixture
def cluster(bridge, tmp_path, running):
    need("etcd", "etcdctl")
    return running(Cluster(tmp_path, NET)).start()


class Api(DataPlaneStandIn):
    host = NET + ".1"


@pytest.fixture
def machines(tmp_path, cluster, haproxy, servers):
    options = {**cluster.options(), **servers(Api(haproxy)).settings(),
               "polling": {"autoscale": ROUND_S, "skew": [0, 0]}}
    made = {}
    try:
        for i, name in enumerate(LABELS):
            made[name] = Machine(tmp_path / name, 11 + i, options)
        for name in reversed(LABELS):
            made[name].configure({"chains": {
                c: chain_to(made[c]) for c in CHILDREN.get(name, ())}})
            made[name].start()
        yield made
    finally:
        for machine in made.values():
            machine.close()


class User:
    """Somebody with a deployment file of the story, before the client."""

    def __init__(self, main):
        self.env = {"ENTRYPOINT": main.url(), "TOKEN": main.token()}

    def __call__(self, *words):
        r = overlord(FILES, *words, env=self.env)
        assert r.rc == 0, (words, r)
        return r.out


@pytest.fixture
def user(machines):
    return User(machines["main"])


def told_by(text):
    """Who has answered: the last part of "JAIL ROOT/standin"."""
    return pathlib.Path(text.split()[1]).parent.name


def serving(machines, *names):
    return sorted(machines[n].ip for n in names)


def test_found_by_name(machines, user, dns, cluster):
    where = serving(machines, "alpha", "bravo", "charlie")
    user("apply", "-f", "names.yml", "--wait")
    name = f"hello-http.{ZONE}"
    assert dns.ask(name, "A") == where
    orders = {dns.dig("+short", name, "A") for _ in range(40)}
    assert len(orders) > 1
    for address in where:
        r = run("curl", "-s", "-m", "5", f"http://{address}:{PORT}/")
        assert machines[told_by(r.stdout)].ip == address
    said = user("get-info", "-f", "names.yml", "-t", "projects",
                "--filter-per-project")
    assert said.count("records has been updated.") == 3
    user("destroy", "-f", "names.yml", "--wait")
    assert cluster.keys() == []


def reached(haproxy):
    return {told_by(text) if status == 200 else status
            for status, text in haproxy.reached()}


def test_behind_a_load_balancer(machines, user, haproxy):
    user("apply", "-f", "balanced.yml", "--wait")
    wait_for("all replicas to be reached", lambda: reached(haproxy) ==
             {"alpha", "charlie", "delta"})
    user("destroy", "-f", "balanced.yml", "--wait")
    wait_for("nobody to be left", lambda: reached(haproxy) == {503})


# Until a replica that died is found by name and behind the proxy again.
BACK_S = 15


def settle():
    """A server whose replica dies in its first round is left alone."""
    end = time.monotonic() + 5 * ROUND_S
    wait_for("some rounds to be over", lambda: time.monotonic() > end)


def replicas(machines, dns, haproxy):
    """The machines that are found, if both ways lead to the same ones."""
    found = {m: machines[m].ip for m in reached(haproxy) if m in machines}
    named = dns.ask(f"hello-http.{ZONE}", "A")
    return sorted(found) if named == sorted(found.values()) else []


def appjail(machine, *words):
    # What lives in a jail keeps its output open.
    with machine.namespace.inside():
        subprocess.run([STANDINS / "appjail", *words], check=True, env={
            **machine.env(), "STANDIN_PROJECT": "hello-http"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def end_jail(machine, jail):
    """By hand, and nobody is told."""
    appjail(machine, "stop", jail)
    appjail(machine, "jail", "destroy", "-Rf", jail)


def jail_of(machine):
    service, = machine.info("hello-http")["services"]
    return service["jail"]


def test_three_of_it_whatever_dies(machines, user, dns, haproxy, cluster):
    def found():
        return replicas(machines, dns, haproxy)
    user("apply", "-f", "scaled.yml")
    three = wait_for("three replicas", lambda: len(found()) == 3 and found())

    settle()
    # A replica dies.
    victim = machines[three[1]]
    dead = victim.deployed()
    end_jail(victim, jail_of(victim))
    wait_for("it to be back", lambda: found() == three and
             len(set(victim.deployed()) - set(dead)) == 1, BACK_S)

    # A machine dies, and another one takes its part. Its name stays, since it
    # alone would withdraw it.
    lost = machines[three[1]]
    lost.dispose()
    others = {"alpha", "bravo", "charlie", "delta"} - {lost.name}
    wait_for("another one", lambda: reached(haproxy) == others, BACK_S)

    # It is there again, and starts its jails: one of them is too many.
    lost.start()
    appjail(lost, "stop", jail_of(lost))
    appjail(lost, "start", "--", jail_of(lost))
    wait_for("three replicas", lambda: len(found()) == 3)
    user("destroy", "-f", "scaled.yml")
    wait_for("nobody to be left", lambda: reached(haproxy) == {503} and
             cluster.keys() == [])
