# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The stand-ins for what makes and runs VMs keep to their contract."""

import hashlib
import json
import os
import subprocess
import tarfile

import pytest

from node import STANDINS, wait_for

TEMPLATE = """\
loader=bhyveload
cpu=2
memory=1G
network0_type=virtio-net
disk0_type=nvme
disk0_name=disk0.img
disk0_dev=file
disk0_size=1M
"""


class Host:
    def __init__(self, root):
        self.root = root
        self.jail = root / "jails" / "box" / "jail"
        for place in ("vm/.templates", "vm/.img", "vm/.iso", "mnt", "etc"):
            (self.jail / place).mkdir(parents=True)
        (root / "jails" / "box" / "up").write_text("")
        (self.jail / "vm/.templates/overlord.conf").write_text(TEMPLATE)
        self.image = root / "disk.img"
        self.image.write_bytes(b"")
        os.truncate(self.image, 1 << 20)
        self.env = dict(os.environ, STANDIN_ROOT=str(root),
                        PATH=f"{STANDINS}:{os.environ['PATH']}")

    def run(self, *argv, rc=0):
        p = subprocess.run([str(a) for a in argv], env=self.env, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        assert p.returncode == rc, p.stdout
        return p.stdout

    def vm(self, *args, **more):
        return self.run("appjail", "cmd", "jexec", "box", "vm", *args, **more)

    def fault(self, *lines):
        (self.root / "faults").write_text("".join(x + "\n" for x in lines))

    def disk(self):
        """A memory disk with one formatted partition."""
        md = self.run("mdconfig", "-at", "vnode", "-f", self.image).strip()
        self.run("gpart", "create", "-s", "gpt", "/dev/" + md)
        self.run("gpart", "add", "-t", "freebsd-ufs", "-i", 1, "/dev/" + md)
        self.run("newfs", "-Uj", f"/dev/{md}p1")
        return md


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_what_is_written_to_a_mount_stays_in_its_partition(host):
    md = host.disk()
    mnt = host.jail / "mnt"
    (mnt / "under").write_text("")
    host.run("mount", f"/dev/{md}p1", mnt)
    assert list(mnt.iterdir()) == []
    (mnt / "file").write_text("kept")
    assert host.run("mount", "-p").split()[:2] == [f"/dev/{md}p1", str(mnt)]
    assert "busy" in host.run("mdconfig", "-du", md, rc=1)
    assert "busy" in host.run("mount", f"/dev/{md}p1", mnt, rc=1)
    host.run("umount", "--", mnt)
    assert [f.name for f in mnt.iterdir()] == ["under"]
    assert "not a file system root" in host.run("umount", mnt, rc=1)
    host.run("mdconfig", "-du", md)
    md = host.run("mdconfig", "-at", "vnode", "-f", host.image).strip()
    host.run("mount", f"/dev/{md}p1", mnt)
    assert (mnt / "file").read_text() == "kept"
    host.run("umount", f"/dev/{md}p1")


def test_memory_disks_are_found_by_their_file(host):
    assert host.run("mdconfig", "-lf", host.image, rc=255) == ""
    first = host.run("mdconfig", "-at", "vnode", "-f", host.image).strip()
    second = host.run("mdconfig", "-at", "vnode", "-f", host.image).strip()
    assert first != second
    assert host.run("mdconfig", "-lf", host.image).split() == [first, second]
    assert host.run("mdconfig", "-lf", host.root / "calls.log", rc=255) == ""
    for md in (first, second):
        host.run("mdconfig", "-du", md)
    host.run("mdconfig", "-du", first, rc=1)
    host.run("mdconfig", "-at", "vnode", "-f", host.root / "none", rc=1)


def test_a_partition_table_is_checked_and_goes_with_its_image(host):
    md = host.disk()
    for argv in (["create", "-s", "gpt", md], ["create", "-s", "mbr", md],
                 ["add", "-t", "freebsd-ufs", "-i", "1", md],
                 ["add", "-t", "$(id)", "-i", "2", md],
                 ["add", "-t", "efi", "-s", "a lot", "-i", "2", md],
                 ["bootcode", "-p", "/boot/gptboot", "-i", "7", md],
                 ["bootcode", "-b", "/nowhere/pmbr", md],
                 ["add", "-t", "efi", "-i", "2", "md77"]):
        host.run("gpart", *argv, rc=1)
    host.run("gpart", "add", "-t", "efi", "-s", "1m", "-l", "a b", "-i", "2",
             md)
    host.run("gpart", "bootcode", "-b", "/boot/pmbr", md)
    host.run("newfs", f"/dev/{md}p3", rc=1)
    host.run("mount", f"/dev/{md}p2", host.jail / "mnt", rc=1)
    host.run("mdconfig", "-du", md)
    host.image.write_bytes(b"")
    md = host.run("mdconfig", "-at", "vnode", "-f", host.image).strip()
    host.run("gpart", "create", "-s", "gpt", md)


def test_guests(host):
    guest = host.jail / "vm" / "box"
    assert "does not seem" in host.vm("start", "box")
    assert host.vm("create", "-t", "overlord", "box") == ""
    conf = (guest / "box.conf").read_text()
    assert "disk0_size" not in conf and "cpu=2\n" in conf
    assert 'uuid="' in conf and 'network0_mac="58:9c:fc:' in conf
    assert (guest / "disk0.img").stat().st_size == 1 << 20
    assert "already exists" in host.vm("create", "-t", "overlord", "box", rc=1)
    assert host.vm("start", "box").endswith("  * booting...\n")
    assert (guest / "run.lock").exists()
    assert "running already" in host.vm("start", "box")
    assert host.vm("poweroff", "-f", "box") == ""
    host.vm("poweroff", "-f", "box", rc=1)
    host.vm("install", "box", "none.iso", rc=1)
    (host.jail / "vm/.iso/some.iso").write_text("")
    host.vm("install", "box", "some.iso")
    assert (guest / "run.lock").read_text() == "standin\nsome.iso\n"
    (host.jail / "vm/.img/some.img").write_text("cloud")
    host.vm("create", "-t", "overlord", "-i", "some.img", "two")
    disk = host.jail / "vm/two/disk0.img"
    assert disk.read_bytes()[:5] == b"cloud" and disk.stat().st_size == 1 << 20
    host.vm("create", "-t", "overlord", "-i", "none.img", "three", rc=1)
    host.vm("create", "-t", "none", "four", rc=1)
    (host.root / "jails" / "box" / "up").unlink()
    assert "not running" in host.vm("create", "-t", "overlord", "five")


def test_guests_live_and_end_with_their_jail(host):
    lock = host.jail / "vm" / "box" / "run.lock"
    host.vm("create", "-t", "overlord", "box")
    for name in ("box", "other", "box"):
        host.run("appjail", "sysrc", "jail", "box", f"vm_list+={name}")
    assert (host.jail / "etc/rc.conf").read_text() == 'vm_list="box other"\n'
    host.vm("start", "box")
    host.run("appjail", "stop", "box")
    assert not lock.exists()
    host.run("appjail", "sysrc", "jail", "box", "vm_list+=x", rc=1)
    # What lives in the jail keeps the output open.
    subprocess.run(["appjail", "start", "box"], env=host.env, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert lock.exists()
    host.run("appjail", "stop", "box")


def test_images(host):
    argv = ["appjail", "image", "import", "-a", "amd64", "-t", "14.3", "-n",
            "hello", "--"]
    assert "Saved" in host.run(*argv, "gh+AppJail-makejails/hello")
    assert "up to date" in host.run(*argv, "gh+AppJail-makejails/hello")
    path = host.root / "images/hello/14.3-amd64-image.appjail"
    with tarfile.open(path) as tar:
        assert "./jail/etc/rc.conf" in tar.getnames()
    host.run(*argv, "unknown", rc=66)
    top = host.root / "cloud-init"
    top.mkdir()
    (top / "user-data").write_text("#cloud-config\n")
    host.run("makefs", "-t", "cd9660", "-o", "R,L=cidata", "--",
             host.root / "seed.iso", top)
    magic, _, text = (host.root / "seed.iso").read_text().partition(" ")
    assert json.loads(text) == {"options": ["R,L=cidata"],
                                "files": {"user-data": "#cloud-config\n"}}
    host.run("makefs", "-t", "cd9660", "--", host.root / "x", "/nowhere", rc=1)


def test_what_fills_a_disk(host):
    source = host.root / "web/example.org/a/base.txz"
    source.parent.mkdir(parents=True)
    source.write_text("base")
    target = host.root / "base.txz"
    fetch = ["lockf", "-sk", host.root / "lock", "fetch", "-Rpm", "-o", target]
    host.run(*fetch, "https://example.org/a/base.txz")
    assert host.run("sha256", "-q", target).strip() == \
        hashlib.sha256(b"base").hexdigest()
    assert "Not Found" in host.run(*fetch, "https://example.org/b", rc=1)
    source.write_text("newer")
    host.run(*fetch, "https://example.org/a/base.txz")
    assert target.read_text() == "newer"
    host.run("tar", "-cf", host.root / "x.tar", "-C", host.root, "base.txz")
    root = host.root / "root"
    pkg = ["pkg", "--rootdir", root, "--repo-conf-dir", host.root, "install",
           "--"]
    host.env["ABI"] = "FreeBSD:15:amd64"
    host.run(*pkg, "FreeBSD-runtime")
    told = json.loads((root / "var/db/pkg/local.sqlite").read_text())
    assert told["packages"] == ["FreeBSD-runtime"]
    assert told["environment"]["ABI"] == "FreeBSD:15:amd64"
    host.run(*pkg, "unknown-package", rc=1)


def test_faults(host):
    image = host.image
    attach = ["mdconfig", "-at", "vnode", "-f", image]
    host.run("mdconfig", "-l")
    host.fault("rc=9 #2", "rc=8 mdconfig -a*", "done-rc=7 gpart create *")
    assert host.run(*attach, rc=9) == "" == host.run(*attach, rc=8)
    host.fault()
    md = host.run(*attach).strip()
    host.fault("done-rc=7 gpart create *")
    host.run("gpart", "create", "-s", "gpt", md, rc=7)
    host.fault("hang gpart *", "half-rc=6 fetch *")
    source = host.root / "web/example.org/file"
    source.parent.mkdir(parents=True)
    source.write_text("12345678")
    host.run("fetch", "-o", host.root / "file", "http://example.org/file",
             rc=6)
    assert (host.root / "file").read_text() == "1234"
    log = host.root / "calls.log"
    starts = log.read_text().count("start ")
    p = subprocess.Popen(["gpart", "bootcode", md], env=host.env)
    wait_for("its start", lambda: log.read_text().count("start ") > starts)
    with pytest.raises(subprocess.TimeoutExpired):
        p.wait(0.3)
    p.terminate()
    assert p.wait(60) == -15
