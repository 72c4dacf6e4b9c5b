# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Jobs that make VMs, to runtime.md 2: commands word by word, files, records,
for each source of a system; what comes of a failure at each step, of a cancel,
of a daemon or a helper that dies; and the table of 2.1. Here others stand
for the scripts of libexec (test_vm_scripts.py, test_vm_whole.py): they tell how
they were called and end as they are told."""

import copy
import os
import shutil
import signal

import pytest

from node import wait_for

SCRIPTS = ("vm-install-from-components.sh", "vm-install-from-pkgbase.sh",
           "vm-install-from-appjail-image.sh", "vm-start.sh")
SCRIPT = """#!/bin/sh
me=${0##*/}
printf '%s\\n' "$@" >"$STANDIN_ROOT/$me.argv"
echo "$me" >>"$STANDIN_ROOT/scripts"
printf '\\033[1mout of %s\\033[0m\\r\\n' "$me"
echo 'and err' >&2
[ ! -e "$STANDIN_ROOT/hang" ] || exec sleep 1000
exit "$(cat "$STANDIN_ROOT/$me.rc" 2>/dev/null || echo 0)"
"""
SAID = "out of {}\nand err"
LAYOUT = {
    "driver": "nvme", "size": "1M",
    "disk": {"scheme": "gpt", "partitions": [
        {"type": "freebsd-boot", "size": "512k", "label": "boot"},
        {"type": "freebsd-ufs", "format": {"flags": "-Uj"}}],
        "bootcode": {"bootcode": "/boot/pmbr", "partcode": "/boot/gptboot",
                     "index": 1}},
    "fstab": [{"device": "/dev/nda0p2", "mountpoint": "/", "type": "ufs",
               "options": "rw", "dump": 1, "pass": 0}],
}
TEMPLATE = {"loader": "bhyveload", "cpu": "2", "memory": "1G",
            "network0_type": "virtio-net"}
FROM = {
    "components": {"components": ["base.txz", "kernel.txz"],
                   "osVersion": "14.3-RELEASE", "osArch": "amd64"},
    "appjailImage": {"entrypoint": "gh+x/y", "imageName": "web",
                     "imageArch": "amd64", "imageTag": "1.0"},
    "pkgbase": {"osVersion": "15", "osArch": "amd64", "packages": ["a", "b"],
                "pkgConf": "/etc/pkg", "fingerprints": "none"},
    "iso": {"isoFile": "disc1.iso"},
    "img": {},
}
CREATE = ["appjail", "cmd", "jexec", "db1", "vm", "create", "-t", "overlord",
          "db1"]
START = ["-j", "db1"]
DIRECTOR_FILE = """\
services:
  vm:
    ignore_mtime: true
    makejail: gh+x/vm
    name: db1
    options:
    - label: overlord.vm:1
"""


def body_of(kind="components", **more):
    source = {"type": kind, **FROM[kind], **more.pop("source", {})}
    return {"makejail": "gh+x/vm", "template": dict(TEMPLATE),
            "diskLayout": {**copy.deepcopy(LAYOUT), "from": source}, **more}


class Host:
    """A node on which VM db1 is made."""

    def __init__(self, node):
        self.node = node
        self.standin = node.standin
        self.root = node.standin / "jails" / "db1" / "jail"
        self.guest = self.root / "vm" / "db1"
        self.mark = self.root / "vm" / ".done"
        libexec = node.root / "libexec"
        libexec.mkdir()
        for name in SCRIPTS:
            (libexec / name).write_text(SCRIPT)
            (libexec / name).chmod(0o755)
        node.configure({"libexec": str(libexec)})
        node.start()

    def post(self, body=None, name="db1"):
        r = self.node.post(f"/v1/vm/{name}", body or body_of())
        assert r.status == 200 and set(r.json) == {"status_code", "job_id"}, r
        return r.json["job_id"]

    def make(self, body=None, state="completed"):
        job = self.node.wait_job(self.post(body))
        assert job["state"] == state, job
        return job

    def vm(self):
        r = self.node.get("/v1/vm/db1")
        if r.status == 404:
            return None
        assert r.status == 200
        assert 0 <= r.json["status"].pop("last_update") < 60
        return r.json["status"]

    def up(self):
        up = self.node.info("db1").get("up")
        if up is not None:
            assert 0 <= up.pop("last_update") < 60
        return up

    def fault(self, *lines):
        (self.standin / "faults").write_text("".join(x + "\n" for x in lines))

    def script_rc(self, rc, name="vm-install-from-components.sh"):
        (self.standin / f"{name}.rc").write_text(str(rc))

    def argv(self, name):
        return (self.standin / f"{name}.argv").read_text().splitlines()

    def scripts(self):
        """Names of all that ran since the last call."""
        log = self.standin / "scripts"
        names = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return names

    def commands(self):
        """What jobs have run of Director, AppJail and makefs since the last
        call; not what Director runs."""
        calls = [c for c in self.node.calls() if c[3][0] == "appjail-director"
                 or c[3][:3] == ["appjail", "cmd", "jexec"]
                 or c[3][0] == "makefs"]
        new = calls[getattr(self, "seen", 0):]
        self.seen = len(calls)
        return [c[3] for c in new]

    def verbs(self):
        return [c[1] if c[0] == "appjail-director"
                else c[0] if c[0] == "makefs" else "vm " + c[5]
                for c in self.commands()]

    def behave(self, *lines):
        self.node.behave("db1", *lines)


@pytest.fixture
def host(make_node):
    return Host(make_node())


def steps_of(job):
    return [s["name"] for s in job["steps"]]


def files_below(root):
    return {str(p.relative_to(root)): p.read_text()
            for p in root.iterdir() if p.is_file()}


# Each source of a system

def test_components(host):
    job = host.make(body_of(script="true\n", metadata=["a.b", "gone"],
                            **{"script-environment": [{"A": "x y"}]}))
    assert job["type"] == "vm" and job["name"] == "db1"
    assert steps_of(job) == ["look", "up", "template", "create", "files",
                             "install", "done"]
    assert [s["note"] for s in job["steps"]][0::2] == ["new", "create", None,
                                                       None]
    up, create = host.commands()
    assert up[:4] == ["appjail-director", "up", "-j", "-f"]
    assert up[5:] == ["-p", "db1"]
    # The Director file is gone with its job.
    assert not os.path.exists(up[4])
    assert create == CREATE
    name = "vm-install-from-components.sh"
    assert host.argv(name) == [
        "-c", f"{host.node.root}/state/components/amd64/14.3-RELEASE",
        "-j", "db1", "-u",
        "https://download.freebsd.org/releases/amd64/14.3-RELEASE", "--",
        "base.txz", "kernel.txz"]
    assert host.vm() == {"operation": "COMPLETED", "job_id": job["id"],
                         "output": SAID.format(name)}
    assert host.up() == {
        "operation": "COMPLETED", "job_id": job["id"], "restarted": False,
        "output": {"rc": 0, "stderr": "", "stdout": {
            "errlevel": 0, "message": None, "failed": []}}}
    assert host.mark.read_text() == DIRECTOR_FILE
    assert job["result"]["output"] == SAID.format(name)
    assert host.node.info("db1")["state"] == "DONE"


def test_files_of_components(host):
    """As the scripts, and vm-bhyve, read them."""
    host.node.post("/v1/metadata/a.b", {"value": "text\n"})
    host.make(body_of(script="true\n", metadata=["a.b", "gone"],
                      **{"script-environment": [{"A": "x y"}]}))
    disk = "overlord.diskLayout.disk."
    assert files_below(host.root / "metadata") == {
        "a.b": "text\n", "environment": "export 'A=x y'\n\n",
        disk + "scheme": "gpt",
        disk + "partitions.1.type": "freebsd-boot",
        disk + "partitions.1.size": "512k",
        disk + "partitions.1.label": "boot",
        disk + "partitions.2.type": "freebsd-ufs",
        disk + "partitions.2.format.flags": "-Uj",
        disk + "bootcode.bootcode": "/boot/pmbr",
        disk + "bootcode.partcode": "/boot/gptboot",
        disk + "bootcode.index": "1",
        disk + "fstab.0.device": "/dev/nda0p2",
        disk + "fstab.0.mountpoint": "/", disk + "fstab.0.type": "ufs",
        disk + "fstab.0.options": "rw", disk + "fstab.0.dump": "1",
        disk + "fstab.0.pass": "0"}
    assert (host.root / "run.sh").read_text() == "true\n"
    assert (host.root / "run.sh").stat().st_mode & 0o7777 == 0o555
    template = (host.root / "vm/.templates/overlord.conf").read_text()
    assert template == (
        "loader=bhyveload\ncpu=2\nmemory=1G\nnetwork0_type=virtio-net\n"
        "disk0_type=nvme\ndisk0_name=disk0.img\ndisk0_dev=file\n"
        "disk0_size=1M\n")
    conf = (host.guest / "db1.conf").read_text()
    assert conf.startswith(template)
    # What vm-bhyve has made up stays.
    assert sorted(line.partition("=")[0] for line in
                  conf[len(template):].splitlines()) == [
                      "network0_mac", "uuid"]


def test_image(host):
    host.make(body_of("appjailImage"))
    assert host.argv("vm-install-from-appjail-image.sh") == [
        "-a", "amd64", "-i", str(host.standin / "images"), "-I", "web", "-e",
        "gh+x/y", "-j", "db1", "-t", "1.0"]
    assert host.mark.exists()


def test_pkgbase(host):
    host.make(body_of("pkgbase"))
    assert host.argv("vm-install-from-pkgbase.sh") == [
        "-a", "amd64", "-c", "/etc/pkg", "-f", "none", "-j", "db1", "-v",
        "15", "--", "a", "b"]
    body = body_of("pkgbase", overwrite=True)
    for name in ("pkgConf", "fingerprints"):
        del body["diskLayout"]["from"][name]
    host.make(body)
    assert host.argv("vm-install-from-pkgbase.sh") == [
        "-a", "amd64", "-j", "db1", "-v", "15", "--", "a", "b"]


def test_an_empty_disk(host):
    job = host.make(body_of("img"))
    assert steps_of(job)[-2:] == ["start", "done"]
    assert host.commands()[1:] == [CREATE]
    assert host.argv("vm-start.sh") == START
    assert host.vm()["output"] == SAID.format("vm-start.sh")
    assert not (host.root / "metadata").exists()


def test_an_image_of_a_disk(host):
    """It is missing first; what that has left is no obstacle."""
    body = body_of("img", source={"imgFile": "a.raw"})
    job = host.make(body, "failed")
    assert host.vm() == {
        "operation": "FAILED", "job_id": job["id"],
        "output": "/usr/local/sbin/vm: ERROR: unable to locate img file - "
                  "'a.raw'"}
    assert host.up()["operation"] == "COMPLETED"
    assert not host.mark.exists()
    (host.root / "vm/.img/a.raw").write_text("system")
    host.commands()
    job = host.make(body)
    create = [*CREATE[:-1], "-i", "a.raw", "db1"]
    assert host.commands()[1:] == [create]
    assert (host.guest / "disk0.img").read_bytes().startswith(b"system")


def test_a_disc(host):
    """Somebody installs from it; then the jail is left as it is."""
    job = host.make(body_of("iso"), "failed")
    assert "unable to locate iso file" in host.vm()["output"]
    (host.root / "vm/.iso/disc1.iso").write_text("")
    (host.guest / "disk0.img").write_text("begun")
    host.commands()
    job = host.make(body_of("iso"))
    assert steps_of(job)[-1] == "install"
    assert host.commands()[1:] == [
        ["appjail", "cmd", "jexec", "db1", "vm", "install", "db1",
         "disc1.iso"]]
    assert "booting" in host.vm()["output"]
    assert not host.mark.exists()
    # That disk is not ours to wipe.
    assert (host.guest / "disk0.img").read_text() == "begun"
    job = host.make(body_of("iso"), "failed")
    assert "running already" in host.vm()["output"]
    assert (host.guest / "disk0.img").read_text() == "begun"
    host.commands()
    (host.guest / "run.lock").unlink()
    job = host.make(body_of("iso", source={"installed": True}))
    assert steps_of(job) == ["look", "template", "files", "start", "done"]
    assert host.commands() == []
    assert host.up() == {"operation": "NOOP", "job_id": job["id"]}
    assert host.vm()["operation"] == "COMPLETED"
    assert host.mark.exists()
    job = host.make(body_of("iso", source={"installed": True},
                            overwrite=True), "failed")
    assert host.commands()[0][-1] == "--overwrite"
    # The jail is new, and what was installed in it is gone.
    assert host.vm()["exception"]["type"] == "FileNotFoundError"


def test_a_seed(host):
    host.make(body_of("img", **{"cloud-init": {
        "meta-data": {"instance-id": "1"}, "user-data": {"users": ["x"]}}}))
    assert host.commands()[1] == [
        "makefs", "-t", "cd9660", "-o", "R,L=cidata", "--",
        str(host.root / "seed.iso"), str(host.root / "cloud-init")]
    assert files_below(host.root / "cloud-init") == {
        "meta-data": "instance-id: '1'\n",
        "user-data": "#cloud-config\nusers:\n- x\n"}
    assert not (host.root / "seed.iso").exists()
    assert "cidata" in (host.guest / "seed.iso").read_text()
    conf = (host.guest / "db1.conf").read_text()
    assert "disk1_type=ahci-cd\ndisk1_name=seed.iso\ndisk1_dev=file\n" in conf
    host.make(body_of("img", overwrite=True, **{"cloud-init": {
        "flags": "-o 'R,L=my data'", "network-config": {}}}))
    makefs = [c for c in host.commands() if c[0] == "makefs"]
    assert makefs[0][3:6] == ["-o", "R,L=my data", "--"]
    assert files_below(host.root / "cloud-init") == {"network-config": "{}\n"}


def test_what_director_is_told(host):
    body = body_of("img", options=[{"nat": None}], **{
        "start-environment": [{"TZ": "UTC"}],
        "start-arguments": [{"debug": "0"}],
        "build-environment": [{"P": ""}], "build-arguments": [{"b": "1"}]})
    del body["makejail"]
    body["makejailFromMetadata"] = "vm.makejail"
    job = host.make(body, "failed")
    assert host.vm() == {
        "operation": "FAILED", "job_id": job["id"], "exception": {
            "type": "MetadataNotFound",
            "message": "vm.makejail: metadata not found."}}
    assert host.node.get("/v1/project/info/db1").status == 404
    host.node.post("/v1/metadata/vm.makejail", {"value": "OPTION x\n"})
    job = host.make(body)
    want = (
        "options:\n- nat: null\nservices:\n  vm:\n    arguments:\n"
        "    - b: '1'\n    environment:\n    - P: ''\n"
        "    ignore_mtime: true\n    makejail: "
        f"{host.node.root}/state/metadata/vm.makejail\n    name: db1\n"
        "    options:\n    - label: overlord.vm:1\n    start:\n"
        "    - debug: '0'\n    start-environment:\n    - TZ: UTC\n")
    assert host.mark.read_text() == want
    spec = host.node.get("/v1/project/spec/db1").json["spec"]
    assert spec["director_file"] == want and spec["job_id"] == job["id"]


def test_a_datastore(host):
    store = host.node.root / "a" / "store"
    host.make(body_of("img", datastore=str(store)))
    assert sorted(p.name for p in store.iterdir()) == [".img", ".iso"]
    job = host.make(body_of("img", datastore="store", overwrite=True),
                    "failed")
    assert host.vm()["exception"] == {
        "type": "InvalidSpec",
        "message": "datastore: 'store' is not an absolute path."}
    assert "absolute" in job["message"]


# The table of 2.1

def test_one_that_is_made_is_left_alone(host):
    host.make()
    before = host.vm(), host.up()
    host.commands(), host.scripts()
    job = host.make()
    assert steps_of(job) == ["look"]
    assert "nothing to do" in job["message"] and "result" not in job
    assert host.commands() == [] and host.scripts() == []
    assert (host.vm(), host.up()) == before


@pytest.mark.parametrize("poweroff", [False, True])
def test_a_restart(host, poweroff):
    """Of what was deployed, whatever is said now; it wins over overwrite."""
    first = host.make()
    host.mark.write_text(DIRECTOR_FILE + "# mine\n")
    host.commands(), host.scripts()
    job = host.make(body_of("img", restart=True, overwrite=True,
                            poweroff=poweroff, makejail="gh+other/vm"))
    want = ["look", "poweroff", "down", "up"]
    if not poweroff:
        want.remove("poweroff")
    assert steps_of(job) == want
    *off, down, up = host.commands()
    assert off == [["appjail", "cmd", "jexec", "db1", "vm", "poweroff", "-f",
                    "db1"]] * poweroff
    assert down == ["appjail-director", "down", "-j", "-p", "db1"]
    assert up[5:] == ["-p", "db1"]
    assert host.scripts() == []
    record = host.up()
    assert record["restarted"] is True and record["job_id"] == job["id"]
    assert record["operation"] == "COMPLETED"
    assert host.vm()["job_id"] == first["id"]
    stored = host.standin / "director/projects/db1/appjail-director.yml"
    assert stored.read_text().endswith("# mine\n")
    assert job["result"]["restarted"] is True


def test_a_restart_of_one_whose_jail_goes_when_it_stops(host):
    """Its mark goes with it, and was read before."""
    body = body_of("img", options=[{"ephemeral": None}])
    host.make(body)
    job = host.make({**body, "restart": True})
    assert steps_of(job) == ["look", "down", "up"]
    assert host.up()["restarted"] is True
    stored = host.standin / "director/projects/db1/appjail-director.yml"
    assert "ephemeral" in stored.read_text()


def test_overwrite(host):
    host.make()
    host.commands(), host.scripts()
    job = host.make(body_of(overwrite=True))
    up, create = host.commands()
    assert up[5:] == ["-p", "db1", "--overwrite"]
    # The jail is new, and with it the VM.
    assert create == CREATE
    assert host.scripts() == ["vm-install-from-components.sh"]
    assert job["steps"][0]["note"] == "done overwrite"


def test_overwrite_when_the_data_stays(host):
    """As with a datastore that is mounted into the jail."""
    host.make()
    host.commands(), host.scripts()
    keep = host.node.root / "keep"
    shutil.copytree(host.root / "vm", keep)
    (keep / "db1" / "disk0.img").write_text("data")
    mounting = host.node.root / "mounting"
    mounting.write_text("#!/bin/sh\nappjail-director \"$@\" || exit $?\n"
                        f"[ $1 != up ] || cp -R {keep}/. {host.root}/vm\n")
    mounting.chmod(0o755)
    host.node.configure({"director": {"command": str(mounting)}})
    host.node.restart()
    job = host.make(body_of(overwrite=True, template={**TEMPLATE,
                                                      "cpu": "4"}))
    assert steps_of(job) == ["look", "up", "template", "files", "start",
                             "done"]
    assert [c[-1] for c in host.commands()] == ["--overwrite"]
    assert host.scripts() == ["vm-start.sh"]
    assert (host.guest / "disk0.img").read_text() == "data"
    old, new = ((place / "db1" / "db1.conf").read_text()
                for place in (keep, host.root / "vm"))
    # It has what is new, and is who it was.
    assert new == old.replace("cpu=2\n", "cpu=4\n") != old


def test_first_installations(host):
    """Restart and overwrite of what is not made."""
    job = host.make(body_of(restart=True))
    assert "down" not in steps_of(job)
    assert host.up()["restarted"] is False


def test_a_restart_of_one_that_director_forgot(host):
    host.make()
    host.commands()
    os.rename(host.standin / "director/projects/db1", host.node.root / "old")
    job = host.make(body_of(restart=True))
    assert job["steps"][0]["note"] == "done overwrite"
    assert "down" not in steps_of(job)
    assert host.commands()[0][-1] == "--overwrite"


def test_an_empty_mark_of_old(host):
    host.make()
    host.mark.rename(host.root / ".done")
    (host.root / ".done").write_text("")
    host.commands()
    host.make(body_of(restart=True, makejail="gh+new/vm"))
    stored = host.standin / "director/projects/db1/appjail-director.yml"
    assert "gh+new/vm" in stored.read_text()


# Failures

def nothing_left(host):
    assert not host.mark.exists()
    assert not (host.root / "seed.iso").exists()
    assert host.node.runs() == []
    assert not list((host.node.root / "tmp").iterdir())


def test_up_fails(host):
    host.behave("rc=3")
    job = host.make(state="incomplete")
    up = host.up()
    assert up["operation"] == "INCOMPLETED" and up["output"]["rc"] == 3
    assert up["output"]["stdout"]["failed"] == [
        {"type": "makejail", "service": "vm"}]
    assert up["restarted"] is False and "labels" not in up
    assert host.vm() is None
    assert job["message"] and job["result"]["operation"] == "INCOMPLETED"
    nothing_left(host)
    host.behave()
    host.make()


def test_garbage_of_director(host):
    host.behave("garbage")
    host.make(state="incomplete")
    assert "no JSON" in host.up()["output"]["stdout"]["message"]


def test_makefs_fails(host):
    host.fault("rc=1 makefs *")
    job = host.make(body_of("img", **{"cloud-init": {"user-data": {}}}),
                    "failed")
    assert host.vm() == {"operation": "FAILED", "job_id": job["id"],
                         "output": ""}
    assert job["message"] == "'seed' ended with 1"
    assert host.up()["operation"] == "COMPLETED"
    assert not (host.root / "vm/.templates/overlord.conf").exists()
    nothing_left(host)
    host.fault()
    host.make(body_of("img", **{"cloud-init": {"user-data": {}}}))


def test_bad_flags_of_makefs(host):
    host.make(body_of("img", **{"cloud-init": {"flags": "-o 'R"}}), "failed")
    assert host.vm()["exception"] == {"type": "ValueError",
                                      "message": "No closing quotation"}


def test_no_templates(host):
    """Its makejail is none for VMs."""
    host.make()
    os.rename(host.root / "vm/.templates", host.root / "vm/other")
    host.mark.unlink()
    host.make(state="failed")
    assert host.vm()["exception"]["type"] == "FileNotFoundError"
    assert "vm/.templates" in host.vm()["exception"]["message"]


@pytest.mark.parametrize("effect", ["rc=1", "done-rc=1"])
def test_create_fails(host, effect):
    host.fault(f"{effect} appjail cmd jexec db1 vm create *")
    job = host.make(state="failed")
    assert host.vm()["operation"] == "FAILED"
    assert job["message"] == "'create' ended with 1"
    assert host.scripts() == []
    nothing_left(host)
    host.fault()
    host.make()


@pytest.mark.parametrize("missing", ["disk", "fstab"])
def test_a_layout_that_is_not_there(host, missing):
    body = body_of()
    del body["diskLayout"][missing]
    job = host.make(body, "failed")
    assert host.vm() == {
        "operation": "FAILED", "job_id": job["id"], "exception": {
            "type": "InvalidSpec", "message": f"'diskLayout.{missing}' is "
            "required but hasn't been specified."}}
    # As in the contract, this is seen late.
    assert host.verbs() == ["up", "vm create"]
    nothing_left(host)
    host.make(body_of("iso", source={"installed": True}))


def test_the_script_fails(host):
    """And is tried again, with a disk that nothing was written to."""
    host.script_rc(70)
    job = host.make(state="failed")
    name = "vm-install-from-components.sh"
    assert host.vm() == {"operation": "FAILED", "job_id": job["id"],
                         "output": SAID.format(name)}
    assert job["message"] == "'install' ended with 70"
    assert job["steps"][-1]["name"] == "install"
    nothing_left(host)
    disk = host.guest / "disk0.img"
    disk.write_text("half a system")
    conf = (host.guest / "db1.conf").read_text()
    host.script_rc(0)
    host.commands()
    job = host.make()
    assert host.verbs() == ["up"]
    assert disk.read_bytes() == bytes(1 << 20)
    assert (host.guest / "db1.conf").read_text() == conf
    assert host.mark.exists()


def test_a_guest_that_runs_is_not_wiped(host):
    host.script_rc(70)
    host.make(state="failed")
    (host.guest / "disk0.img").write_text("alive")
    (host.guest / "run.lock").write_text("")
    host.make(state="failed")
    assert "guest seems to run" in host.vm()["exception"]["message"]
    assert (host.guest / "disk0.img").read_text() == "alive"


def test_start_fails(host):
    host.script_rc(1, "vm-start.sh")
    host.make(body_of("img"), "failed")
    assert host.vm()["output"] == SAID.format("vm-start.sh")
    nothing_left(host)


def test_a_script_that_is_not_there(host):
    os.unlink(host.node.root / "libexec/vm-start.sh")
    job = host.make(body_of("img"), "failed")
    assert host.vm()["exception"]["type"] == "OSError"
    assert "vm-start.sh" in job["message"]
    nothing_left(host)


def test_the_mark_cannot_be_written(host):
    name = "vm-install-from-components.sh"
    script = host.node.root / "libexec" / name
    script.write_text(SCRIPT + f'mkdir {host.mark}\n')
    text = script.read_text().replace(
        "exit ", f'mkdir "{host.mark}" "{host.mark}/x"; exit ', 1)
    script.write_text(text)
    host.make(state="failed")
    assert host.vm()["exception"]["type"] == "OSError"


def test_what_leads_elsewhere(host):
    job = host.make(body_of(source={"osVersion": "../../../tmp"}), "failed")
    assert host.vm()["exception"]["type"] == "InvalidSpec"
    assert "'..'" in job["message"] and host.commands() == []


def test_a_foreign_lock(host):
    host.make()
    lock = host.standin / "director/locks/db1"
    lock.mkdir(parents=True, exist_ok=True)
    (lock / "lock").touch()
    os.utime(lock / "lock", (1, 1))
    before = host.vm()
    host.make(body_of(overwrite=True), "failed")
    assert "locked" in host.up()["message"]
    assert host.up()["operation"] == "FAILED" and host.vm() == before


def test_no_director_no_job(make_node):
    node = make_node({"director": {"command": "/nowhere/director"}}).start()
    r = node.post("/v1/vm/db1", body_of())
    assert r.status == 503 and "/nowhere/director" in r.json["message"]
    assert node.get("/v1/jobs").json["jobs"] == []


def test_director_goes_away(host):
    host.node.configure({"max_watch_commands": 1})
    host.node.restart()
    host.node.behave("other", "hang")
    other = host.node.up("other")
    host.node.wait_call("appjail", "makejail")
    job_id = host.post()
    host.node.configure({"director": {"command": "/nowhere/director"}})
    host.node.hup()
    assert host.node.post("/v1/vm/db1", body_of()).status == 503
    host.node.request("DELETE", f"/v1/jobs/{other}")
    assert host.node.wait_job(job_id)["state"] == "failed"
    assert "/nowhere" in host.vm()["exception"]["message"]
    assert host.up()["exception"] == host.vm()["exception"]


# Output, deadline, cancel

def test_long_output_is_cut_and_what_is_no_text_mended(make_node):
    node = make_node({"jobs": {"output": 65536}})
    host = Host(node)
    script = node.root / "libexec/vm-start.sh"
    script.write_text("#!/bin/sh\nyes 0123456789 | head -c 1000000\n"
                      "printf '\\377\\000\\033[31mend\\n'\n")
    host.make(body_of("img"))
    output = host.vm()["output"]
    assert 60000 < len(output) <= 65536
    assert output.endswith("\ufffd?end")


def test_execution_time(make_node):
    host = Host(make_node({"execution_time": 2}))
    (host.standin / "hang").touch()
    job = host.make(state="failed")
    assert "execution_time" in job["message"]
    assert host.vm()["operation"] == "FAILED"


def test_output_while_it_runs(host):
    (host.standin / "hang").touch()
    job_id = host.post()
    wait_for("output", lambda: "and err" in host.node.get(
        f"/v1/jobs/{job_id}/output").json.get("output", {}).get(
            "content", ""))
    assert host.vm() == {"operation": "RUNNING", "job_id": job_id}
    host.node.request("DELETE", f"/v1/jobs/{job_id}")
    job = host.node.wait_job(job_id)
    assert job["state"] == "cancelled"
    assert job["message"] == "cancelled"
    name = "vm-install-from-components.sh"
    assert host.vm() == {"operation": "FAILED", "job_id": job_id,
                         "output": SAID.format(name)}
    nothing_left(host)


def test_a_cancel_while_director_works(host):
    host.behave("hang")
    job_id = host.post()
    host.node.wait_call("appjail", "makejail")
    cancel = host.node.wait_job(host.node.cancel("db1"))
    assert f"job {job_id} is asked to end" in cancel["message"]
    assert host.node.wait_job(job_id)["state"] == "cancelled"
    up = host.up()
    assert up["operation"] == "INCOMPLETED" and up["message"] == "cancelled"
    assert host.vm() is None


def test_a_cancel_while_it_is_created(host):
    host.fault("hang appjail cmd jexec db1 vm create *")
    job_id = host.post()
    host.node.wait_call("appjail", "cmd", "create")
    host.node.request("DELETE", f"/v1/jobs/{job_id}")
    assert host.node.wait_job(job_id)["state"] == "cancelled"
    assert host.vm()["operation"] == "FAILED"
    assert host.up()["operation"] == "COMPLETED"
    host.fault()
    host.make()


def test_a_cancel_of_one_that_waits(host):
    host.behave("hang")
    first, second = host.post(), host.post()
    host.node.wait_call("appjail", "makejail")
    host.node.request("DELETE", f"/v1/jobs/{second}")
    assert host.node.wait_job(second)["state"] == "cancelled"
    host.node.cancel("db1")
    assert host.node.wait_job(first)["state"] == "cancelled"
    assert steps_of(host.node.job(second)) == []


# One lane with its project

def test_a_vm_and_its_project_take_turns(host):
    host.behave("delay=0.3")
    ids = [host.post(), host.node.down("db1"), host.post()]
    jobs = [host.node.wait_job(i) for i in ids]
    assert [j["state"] for j in jobs] == ["completed"] * 3
    ends = [j["ended_at"] for j in jobs]
    assert ends == sorted(ends)
    assert host.verbs() == ["up", "vm create", "vm poweroff", "down", "up",
                            "vm create"]


def test_the_environment(make_node):
    node = make_node(environment={"MINE": "1"})
    host = Host(node)
    script = node.root / "libexec/vm-start.sh"
    script.write_text("#!/bin/sh\nenv\n")
    host.make(body_of("img"))
    env = dict(line.split("=", 1)
               for line in host.vm()["output"].split("\n"))
    assert env["MINE"] == "1"
    assert env["OVERLORD_METADATA"] == str(node.root / "state/metadata")
    assert env["OVERLORD_NAMESPACES"] == str(node.root / "state/namespace")


def test_events(host, listen):
    stream = listen(host.node, "?type=project").greeted()
    job_id = host.post()
    told = stream.until(lambda kind, data: data["record"] == "vm" and
                        data["operation"] == "COMPLETED")
    assert [(d["record"], d["operation"]) for _, _, d in told] == [
        ("up", "RUNNING"), ("up", "COMPLETED"), ("vm", "RUNNING"),
        ("vm", "COMPLETED")]
    assert {(d["job"], d["type"], d["project"]) for _, _, d in told} == {
        (job_id, "vm", "db1")}


# The daemon dies

def test_kill_9_at_each_command(host):
    body = body_of("img", **{"cloud-init": {"user-data": {}}})
    for words in (["appjail", "makejail"], ["makefs"],
                  ["appjail", "cmd", "create"]):
        host.node.behave("db1", *(["delay=1"] if words[-1] == "makejail"
                                  else []))
        job_id = host.post({**body, "overwrite": True})
        host.node.wait_call(*words)
        host.node.kill()
        host.node.start()
        job = host.node.wait_job(job_id)
        assert job["state"] == "completed" and job["attempt"] == 1
        assert host.vm()["operation"] == "COMPLETED"
        (host.standin / "calls.log").unlink()
        host.seen = 0


def test_kill_9_while_the_script_runs(host):
    """It goes on, and what it has said is not lost."""
    fifo = host.node.root / "fifo"
    os.mkfifo(fifo)
    script = host.node.root / "libexec/vm-install-from-components.sh"
    script.write_text(SCRIPT.replace("exit ", f"cat {fifo}; exit ", 1))
    job_id = host.post()
    wait_for("the script", lambda: (host.standin / "scripts").exists())
    host.node.kill()
    host.node.start()
    fifo.write_text("goes on\n")
    job = host.node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 1
    assert host.vm()["output"].endswith("and err\ngoes on")
    assert host.scripts() == ["vm-install-from-components.sh"]
    assert host.mark.read_text() == DIRECTOR_FILE


def test_kill_9_of_the_helper_goes_on_at_up(host):
    (host.standin / "hang").touch()
    job_id = host.post(body_of(overwrite=True))
    wait_for("the script", lambda: (host.standin / "scripts").exists())
    (host.guest / "disk0.img").write_text("half")
    for pid in host.node.helpers():
        host.node.signal(pid, signal.SIGKILL)
    (host.standin / "hang").unlink()
    job = host.node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 2
    names = steps_of(job)
    assert names[:6] == ["look", "up", "template", "create", "files",
                         "install"]
    assert names[6:] == ["up", "template", "files", "install", "done"]
    first, create, second = host.commands()
    # It is made anew once.
    assert first[-1] == "--overwrite" and second[-1] == "db1"
    assert (host.guest / "disk0.img").read_bytes() == bytes(1 << 20)
    assert host.vm()["operation"] == "COMPLETED"


def test_no_attempt_is_left(make_node):
    host = Host(make_node({"jobs": {"max_attempts": 2}}))
    (host.standin / "hang").touch()
    job_id = host.post()
    for n in (1, 2):
        wait_for("the script", lambda: len(
            [s for s in host.node.job(job_id)["steps"]
             if s["name"] == "install"]) == n and host.node.helpers())
        for pid in host.node.helpers():
            host.node.signal(pid, signal.SIGKILL)
    job = host.node.wait_job(job_id)
    assert job["state"] == "failed"
    assert host.vm()["exception"]["type"] == "Interrupted"
    assert host.up()["operation"] == "COMPLETED"


def test_a_machine_that_is_restarted_in_the_middle(host):
    """The jail is down then; Director starts it again."""
    (host.standin / "hang").touch()
    job_id = host.post()
    wait_for("the script", lambda: (host.standin / "scripts").exists())
    host.node.kill()
    for pid in host.node.helpers():
        host.node.signal(pid, signal.SIGKILL)
    for pid in host.node.deployed():
        host.node.signal(pid, signal.SIGTERM)
    wait_for("the jail to end", lambda: not host.node.deployed())
    for name in ("up", "jaild.pid"):
        (host.standin / "jails/db1" / name).unlink(missing_ok=True)
    (host.standin / "hang").unlink()
    host.node.start()
    job = host.node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 2
    assert host.node.deployed() and host.mark.exists()


def test_a_retry_is_the_same_job_again(host):
    host.script_rc(70)
    job = host.make(state="failed")
    host.script_rc(0)
    r = host.node.post(f"/v1/jobs/{job['id']}/retry")
    assert r.status == 200
    assert host.node.wait_job(r.json["job_id"])["state"] == "completed"
    assert host.mark.exists()
