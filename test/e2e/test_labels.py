# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Special labels of projects (runtime.md 3): what becomes of them in a create
and a destroy, with servers that do as they should and servers that do not. The
real ones are asked by test/interop.sh."""

import json
import re
import shutil
import time

import pytest

from fake_server import FakeServer
from labels import Etcd, closed_port, director_file, place, serverid, \
    silent_port, steps, up
from node import wait_for

DNS = {"skydns": "1", "skydns.group": "Web", "skydns.interface": "lo",
       "skydns.interface.address": "127.0.0.0/8"}
SRV = {"skydns.srv": "1", "skydns.srv.port": "8080", "skydns.srv.proto": "tcp",
       "skydns.srv.service": "http"}
FINE = {"error": False, "message": None}
ALL_DOWN = {"error": True, "message":
            "Exception EtcdException: All etcd instances do not seem to work "
            "correctly."}


@pytest.fixture
def etcd(servers):
    return servers(Etcd())


@pytest.fixture
def dns_node(make_node, etcd):
    return node_with(make_node, {"127.0.0.1": place(etcd)})


def node_with(make_node, hosts, **options):
    return make_node({"etcd": hosts, "skydns": {"zone": "overlord.lan"},
                      **options}).start()


def ask(node, hosts):
    """Has a node ask these hosts of etcd and no others, from its next start
    on."""
    node.options["etcd"] = hosts
    node.configure({})


def test_records_come_with_create_and_go_with_destroy(dns_node, etcd):
    node, me = dns_node, serverid(dns_node)
    job = up(node, "web", web={**DNS, **SRV, "skydns.ptr": "1",
                               "skydns.ttl": "30"})
    assert job["state"] == "completed"
    assert steps(job) == [("up", 0), ("labels", 0)]
    info = node.info("web")["up"]
    assert info["operation"] == "COMPLETED"
    assert info["output"]["stdout"]["errlevel"] == 0
    assert info["labels"] == {**FINE, "skydns": {"web": {
        "error": False, "message": "(project:web, service:web, records:"
        "[address:True,ptr:True,srv:True] records has been updated."}}}
    assert etcd.keys == {
        f"/skydns/lan/overlord/web/{me}/":
            '{"host": "127.0.0.1", "ttl": 30, "group": "web"}',
        "/skydns/arpa/in-addr/127/0/0/1":
            '{"host": "web.overlord.lan", "group": "web"}',
        f"/skydns/lan/overlord/web/_tcp/_http/{me}/":
            f'{{"host": "{me}.web.overlord.lan", "port": 8080, '
            '"priority": 10, "weight": 100, "ttl": 60, "group": "web"}'}
    assert {r.headers["Content-Type"] for r in etcd.requests
            if r.method == "POST"} == {"application/json"}

    job = node.wait_job(node.down("web"))
    assert job["state"] == "completed"
    assert steps(job) == [("labels", 0), ("down", 0)]
    down = node.info("web")["down"]
    assert down["operation"] == "COMPLETED" and down["output"]["rc"] == 0
    assert down["labels"]["skydns"]["web"] == {
        "error": False, "message": "(project:web, service:web, records:"
        "[address:True,ptr:True,srv:True] records has been removed."}
    assert etcd.keys == {}


def test_what_is_gone_already_is_no_fault(dns_node, etcd):
    up(dns_node, "web", web={**DNS, "skydns.ptr": "1"})
    etcd.keys.clear()
    assert dns_node.wait_job(dns_node.down("web"))["state"] == "completed"
    said = dns_node.info("web")["down"]["labels"]["skydns"]["web"]["message"]
    assert "[address:False,ptr:False,srv:None]" in said


def test_each_service_has_its_say_and_its_faults(dns_node, etcd):
    """What is wrong with one keeps none of the others from its records."""
    job = up(dns_node, "web", plain={}, off={"skydns.group": "web"},
             good={**DNS, "skydns.group": "good"},
             bad={**DNS, "skydns.ttl": "soon"},
             late={**DNS, "skydns.group": "late", "skydns.srv": "yes"})
    assert job["state"] == "incomplete"
    assert job["message"] == "special labels have failed"
    info = dns_node.info("web")["up"]
    assert info["operation"] == "INCOMPLETED"
    assert info["output"]["rc"] == 0
    assert info["labels"] == {**FINE, "skydns": {
        "good": {"error": False, "message":
                 "(project:web, service:good, records:[address:True,ptr:None,"
                 "srv:None] records has been updated."},
        "bad": {"error": True, "message":
                "(project:web, service:bad, label:overlord.skydns.ttl) "
                "invalid TTL."},
        "late": {"error": True, "message":
                 "(project:web, service:late, label:overlord.skydns.srv.port)"
                 " port has not been specified, but is required."}}}
    assert sorted(k.split("/")[4] for k in etcd.keys) == ["good", "late"]


def test_labels_count_whatever_the_inventory_shows(make_node, etcd):
    node = node_with(make_node, {"127.0.0.1": place(etcd)},
                     polling={"keywords": {"label": []}})
    up(node, "web", web=DNS)
    assert len(etcd.keys) == 1


@pytest.mark.parametrize("version, base", [
    ("3.3.11", "/v3beta/"), ("3.2.1", "/v3alpha/"), ("3.5", "/v3/")])
def test_the_path_is_of_the_version(make_node, servers, version, base):
    old = servers(Etcd(version, base))
    node = node_with(make_node, {"127.0.0.1": place(old)})
    up(node, "web", web=DNS)
    assert old.lines() == ["GET /version", f"POST {base}kv/put"]


def test_a_configured_path_is_not_asked_for(make_node, servers):
    etcd = servers(Etcd(base="/gateway/v3/"))
    node = node_with(make_node,
                     {"127.0.0.1": place(etcd, api_path="/gateway/v3/")})
    up(node, "web", web=DNS)
    assert etcd.lines() == ["POST /gateway/v3/kv/put"]


def test_the_next_host_does_what_the_first_ones_cannot(make_node, servers):
    """Refused, silent, an error, garbage, an unknown version; then one works,
    and those that have failed are left alone for a while."""
    broken = [servers(FakeServer().on("GET", "/version", 500, {"error": "x"})),
              servers(FakeServer().on("GET", "/version", 200, b"<html>")),
              servers(FakeServer().on("GET", "/version", 200,
                                      {"etcdserver": "next"})),
              servers(FakeServer()
                      .on("GET", "/version", 200, {"etcdserver": "3.4.0"})
                      .on("POST", "/v3/kv/put", 200, b"[]"))]
    good = servers(Etcd())
    quiet, port = silent_port()
    hosts = {"127.0.0.2": {"port": closed_port()},
             "localhost": {"port": port, "timeout": 1},
             "127.0.0.1": place(good)}
    with quiet:
        node = node_with(make_node, hosts)
        assert up(node, "web", web=DNS)["state"] == "completed"
        assert len(good.keys) == 1
        assert "connection refused" in node.log_text()
        assert "timed out after 1s" in node.log_text()
    for server in broken:
        ask(node, {"127.0.0.1": place(server), "localhost": place(good)})
        node.restart()
        good.keys.clear()
        assert up(node, "web", web=DNS)["state"] == "completed"
        assert len(good.keys) == 1
        assert node.wait_job(node.down("web"))["state"] == "completed"
        # Only the first operation of the two asked the broken one.
        assert server.lines("version") == ["GET /version"]


def test_hosts_that_all_have_failed_are_asked_again(make_node, etcd):
    """The list of those left alone is no reason to fail."""
    etcd.rows[("POST", "/v3/kv/put")].insert(0, (500, {}, {}))
    node = node_with(make_node, {"127.0.0.1": place(etcd)})
    assert up(node, "web", web=DNS)["state"] == "incomplete"
    assert up(node, "web", web=DNS)["state"] == "completed"
    assert len(etcd.keys) == 1


def test_no_etcd_is_incomplete_and_blocks_a_destroy(make_node):
    node = node_with(make_node, {"127.0.0.1": {"port": closed_port()}})
    job = up(node, "web", web=DNS)
    assert job["state"] == "incomplete"
    info = node.info("web")
    assert info["up"]["labels"] == {**FINE, "skydns": {"web": ALL_DOWN}}
    assert info["up"]["output"]["stdout"]["errlevel"] == 0
    assert [s["status"] for s in info["services"]] == [0]

    job = node.wait_job(node.down("web"))
    assert job["state"] == "incomplete" and steps(job) == [("labels", 1)]
    down = node.info("web")["down"]
    assert down["operation"] == "INCOMPLETED" and down["output"] == {}
    assert down["labels"]["skydns"] == {"web": ALL_DOWN}
    assert len(node.deployed()) == 1

    job = node.wait_job(node.down("web", force=True))
    assert job["state"] == "completed"
    assert steps(job) == [("labels", 1), ("down", 0)]
    down = node.info("web")["down"]
    assert down["operation"] == "COMPLETED" and down["output"]["rc"] == 0
    assert down["labels"]["skydns"] == {"web": ALL_DOWN}
    wait_for("the jail to end", lambda: not node.deployed())


def test_without_hosts_there_is_nothing_that_works(make_node):
    node = node_with(make_node, {})
    up(node, "web", web=DNS)
    assert node.info("web")["up"]["labels"]["skydns"]["web"] == ALL_DOWN


def test_labels_that_cannot_be_read_are_a_fault(dns_node, etcd):
    """One that is too long for a label stands for a disk that fails."""
    node = dns_node
    up(node, "web", web=DNS)
    jail = node.info("web")["services"][0]["jail"]
    label = (node.standin / "jails" / jail /
             "conf/labels/overlord.skydns.ttl/value")
    label.parent.mkdir()
    label.write_text("1" * 100000)
    etcd.requests.clear()
    assert node.wait_job(node.down("web"))["state"] == "incomplete"
    assert node.info("web")["down"]["labels"] == {
        "error": True, "message":
        "Error retrieving information about the project 'web'"}
    assert etcd.lines() == [] and len(node.deployed()) == 1
    assert f"labels of jail '{jail}'" in node.log_text()
    # It is a fault of the project, which no force can read, either.
    job = node.wait_job(node.down("web", force=True))
    assert job["state"] == "completed"
    assert node.info("web")["down"]["labels"]["error"] is True


def test_stopped_jails_have_no_say(dns_node, etcd):
    """A restart stops first; only what runs then has records."""
    up(dns_node, "web", web=DNS)
    node = dns_node
    jail = node.info("web")["services"][0]["jail"]
    (node.standin / "jails" / jail / "up").unlink()
    etcd.requests.clear()
    job = node.wait_job(node.down("web"))
    assert steps(job) == [("down", 0)] and etcd.lines() == []
    assert node.info("web")["down"]["labels"] == FINE


def test_a_restarted_daemon_goes_on_with_the_labels(make_node, servers):
    """It dies while etcd is silent; the next one has what `up` said, and does
    the labels again."""
    quiet, port = silent_port()
    with quiet:
        node = node_with(make_node,
                         {"127.0.0.1": {"port": port, "timeout": 600}})
        job = node.up("web", director_file=director_file(web=DNS))
        wait_for("the labels to begin",
                 lambda: ("labels", None) in
                 [(s["name"], s.get("rc")) for s in node.job(job)["steps"]]
                 or [s["name"] for s in node.job(job)["steps"]][-1:] ==
                 ["labels"])
        node.kill()
    etcd = servers(Etcd())
    ask(node, {"127.0.0.1": place(etcd)})
    node.start()
    done = node.wait_job(job)
    assert done["state"] == "completed"
    assert steps(done) == [("up", 0), ("labels", 0)]
    info = node.info("web")["up"]
    assert info["output"]["rc"] == 0
    assert info["output"]["stdout"] == {"errlevel": 0, "message": None,
                                        "failed": []}
    assert info["labels"]["skydns"]["web"]["error"] is False
    assert len(etcd.keys) == 1 and node.runs() == []
    ups = [c for c in node.calls("appjail-director") if c[3][1] == "up"]
    assert len(ups) == 1


def test_what_up_said_may_be_lost_with_the_machine(make_node, servers):
    """The run directory is gone: the exit code is in the job's record."""
    quiet, port = silent_port()
    with quiet:
        node = node_with(make_node,
                         {"127.0.0.1": {"port": port, "timeout": 600}})
        job = node.up("web", director_file=director_file(web=DNS))
        wait_for("the labels to begin",
                 lambda: len(node.job(job)["steps"]) > 1)
        node.kill()
    shutil.rmtree(node.root / "run" / "jobs")
    etcd = servers(Etcd())
    ask(node, {"127.0.0.1": place(etcd)})
    node.start()
    assert node.wait_job(job)["state"] == "completed"
    output = node.info("web")["up"]["output"]
    assert output["rc"] == 0 and "was lost" in output["stdout"]["message"]


def test_labels_of_a_destroy_are_done_again_after_a_crash(make_node, servers):
    etcd = servers(Etcd())
    node = node_with(make_node, {"127.0.0.1": place(etcd)})
    up(node, "web", web=DNS)
    quiet, port = silent_port()
    with quiet:
        ask(node, {"127.0.0.1": {"port": port, "timeout": 600}})
        node.restart()
        job = node.down("web")
        wait_for("the labels to begin", lambda: node.job(job)["steps"])
        # What the last create and destroy came to is what there is to show.
        assert "down" not in node.info("web")
        node.kill()
    ask(node, {"127.0.0.1": place(etcd)})
    node.start()
    assert steps(node.wait_job(job)) == [("labels", 0), ("down", 0)]
    assert etcd.keys == {}
    assert node.info("web")["down"]["labels"]["skydns"]["web"]["error"] is \
        False


def test_a_cancel_lets_the_labels_of_a_create_finish(make_node, servers):
    """Nor does it make a failure of what is up."""
    etcd = servers(Etcd())
    quiet, port = silent_port()
    with quiet:
        node = node_with(make_node, {
            "localhost": {"port": port, "timeout": 1},
            "127.0.0.1": place(etcd)})
        job = node.up("web", director_file=director_file(web=DNS))
        wait_for("the labels to begin",
                 lambda: len(node.job(job)["steps"]) > 1)
        cancel = node.wait_job(node.cancel("web"))
        assert cancel["message"].endswith(
            f"job {job} is at 'labels', which is left to finish")
        assert node.wait_job(job)["state"] == "completed"
    assert len(etcd.keys) == 1


def test_a_cancel_keeps_a_destroy_from_going_on(make_node, servers):
    etcd = servers(Etcd())
    node = node_with(make_node, {"127.0.0.1": place(etcd)})
    up(node, "web", web=DNS)
    quiet, port = silent_port()
    with quiet:
        ask(node, {"localhost": {"port": port, "timeout": 1},
                   "127.0.0.1": place(etcd)})
        node.restart()
        job = node.down("web")
        wait_for("the labels to begin", lambda: node.job(job)["steps"])
        node.wait_job(node.cancel("web"))
        assert node.wait_job(job)["state"] == "cancelled"
    assert len(node.deployed()) == 1
    down = node.info("web")["down"]
    assert down["operation"] == "INCOMPLETED"
    assert down["labels"]["skydns"]["web"]["error"] is False


def test_a_record_is_what_json_says(dns_node, etcd):
    """Nothing of a label leaves its place."""
    odd = 'a"b\\c'
    up(dns_node, "web", web={**DNS, **SRV, "skydns.srv.proto": odd})
    srv = [k for k in etcd.keys if "_http" in k]
    assert srv == [f"/skydns/lan/overlord/web/_{odd}/_http/"
                   f"{serverid(dns_node)}/"]
    assert json.loads(etcd.keys[srv[0]])["port"] == 8080


def large_project(node):
    """One whose Director file takes long to read."""
    project = node.standin / "director/projects/web"
    project.mkdir(parents=True)
    (project / "state").write_text("failed")
    (project / "appjail-director.yml").write_text(
        "services: {}\nlist:\n" + "- [a, b, c, d, e, f, g, h]\n" * 100000)
    return project


def test_a_destroy_that_still_looks_at_its_project_can_be_cancelled(node):
    large_project(node)
    job = node.down("web")
    assert node.cancel("web")
    done = node.wait_job(job)
    assert done["state"] == "cancelled" and steps(done) == []
    assert node.calls("appjail-director") == []
    job = node.wait_job(node.down("web"))
    assert job["state"] == "incomplete"


def test_a_large_director_file_does_not_hold_the_daemon(node):
    """No callback takes nearly as long as reading it does."""
    project = large_project(node)
    job = node.wait_job(node.down("web"))
    assert job["state"] == "incomplete"
    (project / "state").write_text("done")
    began = time.monotonic()
    info = node.info("web")
    reading_ms = 1000 * (time.monotonic() - began)
    assert info["state"] == "DONE" and reading_ms > 100
    assert info["down"]["labels"]["message"] == \
        "Project 'web' has an unexpected state 'FAILED'"
    held = [int(ms) for ms in re.findall(
        r"ms=(\d+) a callback held the loop", node.log_text())]
    assert max(held, default=0) < reading_ms / 2


# VMs

def poweroffs(node):
    return [c[3] for c in node.calls("appjail") if "poweroff" in c[3]]


def boot_guest(node, jail):
    """Leaves what a guest that runs has in its jail."""
    guest = node.standin / "jails" / jail / "jail/vm" / jail
    guest.mkdir(parents=True, exist_ok=True)
    (guest / "run.lock").touch()


def test_a_vm_is_switched_off_before_it_stops(node):
    up(node, "vm1", vm={"vm": ""})
    jail = node.info("vm1")["services"][0]["jail"]
    assert poweroffs(node) == []
    boot_guest(node, jail)
    job = node.wait_job(node.up("vm1", restart=True,
                                director_file=director_file(vm={"vm": "1"})))
    assert steps(job) == [("poweroff", 0), ("down", 0), ("up", 0)]
    assert node.info("vm1")["up"]["restarted"] is True
    boot_guest(node, jail)
    job = node.wait_job(node.down("vm1"))
    assert steps(job) == [("poweroff", 0), ("down", 0)]
    assert poweroffs(node) == 2 * [
        ["appjail", "cmd", "jexec", jail, "vm", "poweroff", "-f", jail]]


def test_only_a_single_jail_with_the_label_is_a_vm(node):
    up(node, "two", a={"vm": "1"}, b={})
    up(node, "web", web={"vm2": "1"})
    for project in ("two", "web"):
        assert steps(node.wait_job(node.down(project))) == [("down", 0)]
    assert poweroffs(node) == []


def test_a_vm_that_cannot_be_switched_off_is_stopped_all_the_same(node):
    up(node, "vm1", vm={"vm": "1"})
    fake = node.root / "fake"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    for command, rc in ((str(fake), 1), ("/nowhere/appjail", 127)):
        node.configure({"appjail": {"command": command}})
        node.restart()
        job = node.wait_job(node.up(
            "vm1", restart=True, director_file=director_file(vm={"vm": "1"})))
        assert job["state"] == "completed"
        assert steps(job) == [("poweroff", rc), ("down", 0), ("up", 0)]
    assert "/nowhere/appjail" in job["steps"][0]["note"]
