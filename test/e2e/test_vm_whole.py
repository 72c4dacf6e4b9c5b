# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""VMs from a request to a guest that runs: the daemon, the scripts of libexec
and the stand-ins of all that they call. Whatever goes wrong, nothing is left
mounted, attached or half written, and the next job makes the VM."""

import hashlib
import json
import signal

import pytest

from node import is_alive, wait_for
from test_vm_jobs import TEMPLATE, body_of
from vm_host import archive

URL = "https://download.example.org/{ARCH}/{VERSION}"
FSTAB = "/dev/nda0p2\t/\tufs\trw\t1\t0\n"
KINDS = ("components", "appjailImage", "pkgbase")


class Host:
    """A node, and what its VM db1 is installed from."""

    def __init__(self, node):
        self.node = node
        self.standin = node.standin
        self.root = self.standin / "jails" / "db1" / "jail"
        self.guest = self.root / "vm" / "db1"
        node.start()
        self.serve("base")

    def serve(self, text):
        web = (self.standin / "web" / "download.example.org" / "amd64" /
               "14.3-RELEASE")
        web.mkdir(parents=True, exist_ok=True)
        data = archive({"etc/motd": text})
        (web / "base.txz").write_bytes(data)
        (web / "MANIFEST").write_text("base.txz\t%s\t1\tx\t\"X\"\ton\n"
                                      % hashlib.sha256(data).hexdigest())
        return web / "MANIFEST"

    def body(self, kind, **more):
        body = body_of(kind, script="#!/bin/sh\n", **more)
        source = body["diskLayout"]["from"]
        if kind == "components":
            source.update(components=["base.txz"], downloadURL=URL)
        if kind == "pkgbase":
            keys = self.node.root / "keys"
            (keys / "trusted").mkdir(parents=True, exist_ok=True)
            (self.node.root / "repositories").mkdir(exist_ok=True)
            source.update(fingerprints=str(keys),
                          pkgConf=str(self.node.root / "repositories"))
        return body

    def post(self, kind, **more):
        r = self.node.post("/v1/vm/db1", self.body(kind, **more))
        assert r.status == 200, r
        return r.json["job_id"]

    def make(self, kind, state="completed", **more):
        job = self.node.wait_job(self.post(kind, **more))
        assert job["state"] == state, (job, self.status())
        return job

    def status(self):
        return self.node.get("/v1/vm/db1").json.get("status")

    def fault(self, *lines):
        (self.standin / "faults").write_text("".join(x + "\n" for x in lines))

    def installed(self):
        """What is on the second partition, the root."""
        with open(self.guest / "disk0.img", "rb") as f:
            table = json.loads(f.readline().partition(b" ")[2])
        assert table["bootcode"] == "/boot/pmbr"
        root = self.standin / "disks" / table["id"] / "p2"
        return {str(f.relative_to(root)): f.read_bytes()
                for f in root.rglob("*") if f.is_file()}

    def runs(self):
        return (self.guest / "run.lock").exists()

    def left(self):
        # The directory of a run goes when its end is on disk.
        wait_for("the runs to be removed",
                 lambda: not self.files(self.node.root / "run" / "jobs"))
        return self.files(self.standin / "md", self.standin / "mounts",
                          self.node.root / "tmp")

    @staticmethod
    def files(*places):
        return [str(f) for p in places if p.exists() for f in p.iterdir()
                if f.name[0] != "."]


@pytest.fixture
def host(make_node):
    return Host(make_node())


@pytest.mark.parametrize("kind", KINDS)
def test_from_a_request_to_a_guest(host, kind):
    host.make(kind)
    files = host.installed()
    assert files["etc/fstab"].decode() == FSTAB
    if kind == "components":
        assert files["etc/motd"] == b"base"
    assert host.runs() and host.left() == []
    assert (host.root / "etc/rc.conf").read_text() == 'vm_list="db1"\n'
    assert "booting" in host.status()["output"]
    assert (host.root / "vm/.done").exists()
    # Its guest boots with its jail.
    host.make(kind, restart=True, poweroff=True)
    assert host.runs()
    # A new jail has a new guest, here with nothing of the old one.
    host.make(kind, overwrite=True, template={**TEMPLATE, "cpu": "8"})
    assert host.runs() and host.left() == []
    assert "cpu=8\n" in (host.guest / "db1.conf").read_text()


def test_a_checksum_that_is_wrong(host):
    manifest = host.serve("base")
    manifest.write_text(manifest.read_text().replace("base.txz\t",
                                                     "base.txz\t0"))
    host.make("components", "failed")
    assert "*INVALID CHECKSUM*" in host.status()["output"]
    assert host.left() == [] and not host.runs()
    assert not (host.root / "vm/.done").exists()
    host.serve("mended")
    host.make("components")
    assert host.installed()["etc/motd"] == b"mended"


@pytest.mark.parametrize("command", [
    "mdconfig -at*", "gpart create *", "gpart add *-i 2 *", "newfs *",
    "gpart bootcode -p *", "mount /dev/*", "fetch *MANIFEST*",
    "fetch *base.txz*", "tar *", "appjail cmd jexec db1 /run.sh",
    "appjail sysrc *", "appjail cmd jexec db1 vm start *"])
def test_a_command_that_fails(host, command):
    host.fault("rc=9 " + command)
    job = host.make("components", "failed")
    assert job["steps"][-1]["name"] == "install"
    assert host.status()["operation"] == "FAILED"
    assert "exception" not in host.status()
    assert host.left() == [] and not host.runs()
    assert not (host.root / "vm/.done").exists()
    host.fault()
    host.make("components")
    assert host.installed()["etc/fstab"].decode() == FSTAB


def test_a_cancel_while_it_is_filled(host):
    host.fault("hang fetch *base.txz*")
    job_id = host.post("components")
    row = host.node.wait_call("fetch", str(
        host.node.root / "state/components/amd64/14.3-RELEASE/base.txz"))
    host.node.request("DELETE", f"/v1/jobs/{job_id}")
    assert host.node.wait_job(job_id)["state"] == "cancelled"
    assert not is_alive(row[1])
    assert host.left() == [] and not host.runs()
    assert host.status()["operation"] == "FAILED"
    host.fault()
    host.make("components")


@pytest.mark.parametrize("command", ["gpart", "fetch"])
def test_a_helper_that_is_killed_in_the_middle(host, command):
    """The script ends by itself; the second attempt has a disk of its own."""
    host.fault(f"hang {command} *")
    job_id = host.post("components")
    host.node.wait_call(command)
    host.fault()
    for pid in host.node.helpers():
        host.node.signal(pid, signal.SIGKILL)
    job = host.node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 2
    assert host.installed()["etc/motd"] == b"base"
    assert host.runs() and host.left() == []


def test_kill_9_of_the_daemon_in_the_middle(host):
    host.fault("hang fetch *base.txz*")
    job_id = host.post("components")
    row = host.node.wait_call("fetch", str(
        host.node.root / "state/components/amd64/14.3-RELEASE/base.txz"))
    host.node.kill()
    host.node.start()
    # That command fails; what the script says of it is not lost.
    host.node.signal(row[1], signal.SIGTERM)
    job = host.node.wait_job(job_id)
    assert job["state"] == "failed" and job["attempt"] == 1
    assert host.left() == []
    # Not before: what hangs reads its fault some time after its start.
    host.fault()
    host.make("components")
    wait_for("the guest", host.runs)
