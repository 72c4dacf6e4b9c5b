# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A host on which the scripts of daemon/libexec install a VM, made of
stand-ins: one jail, its disk image and the description of the disk as the
daemon writes it."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile

from node import BUILD, DEADLINE, STANDINS, wait_for

LIBEXEC = BUILD / "daemon" / "libexec"
URL = "https://download.example.org/releases/amd64/14.3-RELEASE"

LAYOUT = {
    "scheme": "gpt",
    "partitions.1.type": "freebsd-boot",
    "partitions.1.alignment": "1m",
    "partitions.1.size": "512k",
    "partitions.1.label": "boot0",
    "partitions.2.type": "freebsd-swap",
    "partitions.2.size": "1G",
    "partitions.3.type": "freebsd-ufs",
    "partitions.3.alignment": "1m",
    "partitions.3.start": "2099200",
    "partitions.3.format.flags": "-U -j",
    "bootcode.bootcode": "/boot/pmbr",
    "bootcode.partcode": "/boot/gptboot",
    "bootcode.index": "1",
    "fstab.0.device": "/dev/nda0p3",
    "fstab.0.mountpoint": "/",
    "fstab.0.type": "ufs",
    "fstab.0.options": "rw,sync",
    "fstab.0.dump": "1",
    "fstab.0.pass": "1",
    "fstab.1.device": "/dev/nda0p2",
    "fstab.1.mountpoint": "none",
    "fstab.1.type": "swap",
    "fstab.1.options": "sw",
    "fstab.1.dump": "0",
    "fstab.1.pass": "0",
}
FSTAB = ("/dev/nda0p3\t/\tufs\trw,sync\t1\t1\n"
         "/dev/nda0p2\tnone\tswap\tsw\t0\t0\n")


def archive(files, links=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return out.getvalue()


def default_signals():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Host:
    def __init__(self, root):
        self.root = root
        self.standin = root / "standin"
        self.jail = self.standin / "jails" / "box" / "jail"
        self.mnt = self.jail / "mnt"
        self.metadata = self.jail / "metadata"
        self.image = self.jail / "vm" / "box" / "disk0.img"
        self.components = root / "components" / "amd64" / "14.3-RELEASE"
        self.images = self.standin / "images"
        self.tmp = root / "tmp"
        for place in (self.mnt, self.metadata, self.image.parent, self.tmp,
                      self.jail / "etc", root / "keys" / "trusted",
                      root / "repositories"):
            place.mkdir(parents=True)
        (self.jail / "../up").write_text("")
        (self.image.parent / "box.conf").write_text(
            "loader=bhyveload\ncpu=1\nmemory=1G\n")
        (self.jail / "run.sh").write_text("#!/bin/sh\n")
        (self.jail / "run.sh").chmod(0o555)
        self.fresh_image()
        self.describe(LAYOUT)
        self.serve({"base.txz": archive({"etc/motd": "base\n"}),
                    "kernel.txz": archive({"boot/kernel/kernel": "k\n"})})
        self.env = dict(os.environ, STANDIN_ROOT=str(self.standin),
                        TMPDIR=str(self.tmp),
                        PATH=f"{STANDINS}:{os.environ['PATH']}")

    # What the daemon does first

    def fresh_image(self):
        self.image.write_bytes(b"")
        os.truncate(self.image, 1 << 20)

    def describe(self, layout):
        for f in self.metadata.iterdir():
            f.unlink()
        for name, value in layout.items():
            (self.metadata / f"overlord.diskLayout.disk.{name}").write_text(
                value)

    def serve(self, files):
        web = self.standin / "web" / URL.partition("://")[2]
        web.mkdir(parents=True, exist_ok=True)
        manifest = ""
        for name, data in files.items():
            (web / name).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            # A name within another must not be taken for it.
            manifest += f"x{name}\t{'0' * 64}\t1\tx\t\"X\"\toff\n"
            manifest += f"{name}\t{digest}\t1\tx\t\"X\"\ton\n"
        (web / "MANIFEST").write_text(manifest)
        return web

    # The scripts

    def argv(self, kind):
        where = str(self.root)
        return {
            "components": [
                "vm-install-from-components.sh", "-c", str(self.components),
                "-j", "box", "-u", URL, "--", "base.txz", "kernel.txz"],
            "appjail-image": [
                "vm-install-from-appjail-image.sh", "-a", "amd64", "-i",
                str(self.images), "-I", "hello", "-e", "gh+AppJail/hello",
                "-j", "box", "-t", "14.3"],
            "pkgbase": [
                "vm-install-from-pkgbase.sh", "-a", "amd64", "-c",
                where + "/repositories", "-f", where + "/keys", "-j", "box",
                "-v", "15", "--", "FreeBSD-runtime", "FreeBSD-kernel-generic"],
            "start": ["vm-start.sh", "-j", "box"],
        }[kind]

    def start(self, kind, shell=(), argv=None, output=None):
        """As overlord-exec does: the leader of a process group, and with no
        signal ignored, though the tests may run in the background."""
        name, *args = argv or self.argv(kind)
        # No pipe: a command that was left would hold it open.
        if output is None:
            output = self.output = open(self.root / "output", "w")
        return subprocess.Popen(
            [*shell, LIBEXEC / name, *args], env=self.env, cwd=self.root,
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=default_signals)

    def run(self, kind, rc=0, **more):
        """What the script says, when it ended with rc."""
        return self.ended(self.start(kind, **more), rc)

    def ended(self, process, rc):
        status = process.wait(DEADLINE)
        self.output.close()
        text = (self.root / "output").read_text()
        assert status == rc, text
        return text

    def fault(self, *lines):
        (self.standin / "faults").write_text("".join(x + "\n" for x in lines))

    def log(self):
        path = self.standin / "calls.log"
        return path.read_text().splitlines() if path.exists() else []

    def calls(self):
        """argv of each command, joined, in order."""
        return [" ".join(json.loads(line.split(" ", 4)[4]))
                for line in self.log() if line.startswith("start ")]

    def reached(self, number):
        """Waits until the command of that number is at work."""
        wait_for(f"command {number}", lambda: len(self.calls()) >= number)

    def forget(self):
        (self.standin / "calls.log").unlink(missing_ok=True)
        (self.standin / "faults").unlink(missing_ok=True)

    # What is there afterwards

    def table(self):
        with open(self.image, "rb") as f:
            return json.loads(f.readline().partition(b" ")[2])

    def partition(self, index):
        return self.standin / "disks" / self.table()["id"] / f"p{index}"

    def runs(self):
        return (self.image.parent / "run.lock").exists()

    def left(self):
        """What should not be there any more."""
        places = [self.standin / "md", self.standin / "mounts", self.tmp]
        return [str(f) for p in places if p.exists() for f in p.iterdir()
                if f.name[0] != "."]

    def processes(self, group):
        out = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        return [line for line in out.splitlines()
                if line.split()[0] == str(group)
                and not line.split()[1].startswith("Z")]

    def kill(self, process):
        """Ends the script and all its commands, as a crash does."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.output.close()
        wait_for("the end of its commands",
                 lambda: not self.processes(process.pid))

    def reset(self):
        """As before the first run, but for what is mounted or attached."""
        shutil.rmtree(self.root / "components", ignore_errors=True)
        shutil.rmtree(self.images, ignore_errors=True)
        for f in (self.jail / "etc/rc.conf", self.image.parent / "run.lock"):
            f.unlink(missing_ok=True)
        self.fresh_image()
        self.forget()
