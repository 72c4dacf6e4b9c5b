# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""reserve_port (runtime.md 1.8): ports that Director finds in its environment,
and what stands in the way."""

import socket

import pytest

from labels import Etcd, director_file, place, steps
from node import wait_for


@pytest.fixture
def recording(node):
    """A node whose Director writes down its environment."""
    fake = node.root / "recorder"
    fake.write_text(f"#!/bin/sh\nenv >>'{node.root}/env.'\"$1\"\n"
                    "exec appjail-director \"$@\"\n")
    fake.chmod(0o755)
    node.configure({"director": {"command": str(fake)}})
    node.restart()
    return node


def seen(node, command="up"):
    """The reserved ports that Director saw, of its last call with this
    command."""
    lines = (node.root / f"env.{command}").read_text().splitlines()
    return {k: int(v) for k, _, v in (line.partition("=") for line in lines)
            if k.startswith("OVERLORD_FREEPORT_")}


def system_range():
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as f:
        return tuple(int(n) for n in f.read().split())


def test_director_gets_a_free_port(recording):
    node = recording
    job = node.wait_job(node.up("web", reserve_port={"lo": "127.0.0.0/8"}))
    assert job["state"] == "completed"
    assert steps(job) == [("reserve", 0), ("up", 0)]
    port = seen(node)["OVERLORD_FREEPORT_LO"]
    first, last = system_range()
    assert first <= port < last
    assert job["steps"][0]["note"] == f"OVERLORD_FREEPORT_LO={port}"
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_the_clients_environment_does_not_win(recording):
    recording.wait_job(recording.up(
        "web", reserve_port={"lo": None},
        environment={"OVERLORD_FREEPORT_LO": "1",
                     "OVERLORD_FREEPORT_EM0": "2"}))
    found = seen(recording)
    assert found["OVERLORD_FREEPORT_LO"] > 1
    assert found["OVERLORD_FREEPORT_EM0"] == 2


def test_a_restart_reserves_before_it_stops(recording):
    node = recording
    node.wait_job(node.up("web"))
    job = node.wait_job(node.up("web", restart=True,
                                reserve_port={"lo": None}))
    assert steps(job) == [("reserve", 0), ("down", 0), ("up", 0)]
    assert seen(node, "down") == seen(node)


@pytest.mark.parametrize("ports, message, exception", [
    ({"lo": "192.0.2.0/24"},
     "no free port has been found for lo (192.0.2.0/24)", None),
    ({"nope0": None}, None, {"type": "InterfaceNotFound",
                             "message": "nope0: Interface not found."}),
    ({"lo": None, "Nope0": "10.0.0.0/8"}, None,
     {"type": "InterfaceNotFound", "message": "Nope0: Interface not found."}),
    ({"lo": "10.0.0"}, None,
     {"type": "ValueError", "message":
      "'10.0.0' does not appear to be an IPv4 or IPv6 network"}),
])
def test_without_a_port_nothing_is_done(node, ports, message, exception):
    job = node.wait_job(node.up("web", reserve_port=ports, restart=True))
    assert job["state"] == "failed"
    record = node.info("web")["up"]
    assert record["operation"] == "FAILED"
    assert record.get("message") == message
    assert record.get("exception") == exception
    assert set(record) <= {"operation", "message", "exception",
                           "last_update", "job_id"}
    assert node.calls("appjail-director") == []
    assert job["message"] == message or exception["message"]


@pytest.mark.parametrize("name", ["", "a=b", "a b", "a\0b", "a\nb"])
def test_what_is_no_name_of_an_interface_is_refused(node, name):
    r = node.post("/v1/project/up/web", {
        "director_file": "services: {}\n", "reserve_port": {name: None}})
    assert r.status == 400


def test_exposed_ports_are_left_alone(node):
    """All but one port are exposed; which one is left is found."""
    first, last = system_range()
    left = first + 77
    expose = node.standin / "jails" / "other" / "conf" / "boot" / "expose"
    for nro, ports in enumerate((f"{first}:{left - 1}", f"{left + 1}:65535")):
        (expose / str(nro)).mkdir(parents=True)
        (expose / str(nro) / "on_if").write_text("lo\n")
        (expose / str(nro) / "hport").write_text(ports + "\n")
    try:
        taken = socket.create_server(("127.0.0.1", left))
    except OSError:
        pytest.skip(f"port {left} is somebody's")
    with taken:
        job = node.wait_job(node.up("web", reserve_port={"lo": "127.0.0.1"}))
        assert job["message"] == (
            "no free port has been found for lo (127.0.0.1)")
    job = node.wait_job(node.up("web", reserve_port={"lo": "127.0.0.1"}))
    assert job["steps"][0]["note"] == f"OVERLORD_FREEPORT_LO={left}"
    (expose / "1" / "hport").write_text(f"{left}:65535\n")
    job = node.wait_job(node.up("web", reserve_port={"lo": "127.0.0.1"}))
    assert node.info("web")["up"]["exception"] == {
        "type": "OSError", "message": "Impossible to find a free port."}


def test_a_restarted_daemon_keeps_the_port(recording):
    """The port is Director's from the first attempt on, also in the next."""
    node = recording
    node.behave("web", "hang")
    job = node.up("web", reserve_port={"lo": None})
    node.wait_call("appjail-director", "up")
    node.kill()

    def all_is_lost():
        """With the machine; Director's own command may start meanwhile."""
        for pid in node.helpers() + node.unended():
            node.signal(pid, 9)
        return not node.unended()
    wait_for("the commands to be gone", all_is_lost)
    before = seen(node)
    node.behave("web")
    node.start()
    done = node.wait_job(job)
    assert done["state"] == "completed"
    assert [s["name"] for s in done["steps"]] == ["reserve", "up", "up"]
    assert seen(node) == before


def test_ports_and_labels_in_one_job(make_node, servers):
    etcd = servers(Etcd())
    node = make_node({"etcd": {"127.0.0.1": place(etcd)}}).start()
    labels = {"skydns": "1", "skydns.group": "web", "skydns.interface": "lo"}
    job = node.wait_job(node.up("web", reserve_port={"lo": None},
                                director_file=director_file(web=labels)))
    assert steps(job) == [("reserve", 0), ("up", 0), ("labels", 0)]
    assert len(etcd.keys) == 1
