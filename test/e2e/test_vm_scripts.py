# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The scripts that install and start VMs: what they run, in which order, and
that whatever happens nothing stays attached, mounted or half written."""

import json
import os
import re
import shutil
import signal

import pytest

from node import DEADLINE, wait_for
from vm_host import FSTAB, LAYOUT, URL, Host, archive

KINDS = ["components", "appjail-image", "pkgbase", "start"]
INSTALLS = KINDS[:3]

OPEN = """\
appjail cmd local box realpath .
mdconfig -lf JAIL/vm/box/disk0.img
mdconfig -at vnode -f JAIL/vm/box/disk0.img
gpart create -s gpt /dev/md0
gpart add -t freebsd-boot -a 1m -s 512k -l boot0 -i 1 /dev/md0
gpart add -t freebsd-swap -s 1G -i 2 /dev/md0
gpart add -t freebsd-ufs -a 1m -b 2099200 -i 3 /dev/md0
newfs -U -j /dev/md0p3
gpart bootcode -b /boot/pmbr /dev/md0
gpart bootcode -p /boot/gptboot -i 1 /dev/md0
mount /dev/md0p3 JAIL/mnt
"""
CLOSE = """\
appjail cmd jexec box /run.sh
umount -- JAIL/mnt
mdconfig -du md0
"""
START = """\
appjail sysrc jail box vm_list+=box
appjail cmd jexec box vm start box
vm start box
"""
PAYLOAD = {
    "components": "".join(f"""\
lockf -sk COMP/.lock fetch -Rpm -o COMP/{name} {URL}/{name}
fetch -Rpm -o COMP/{name} {URL}/{name}
{verify}""" for name, verify in (
        ("MANIFEST", ""),
        ("base.txz", "sha256 -q COMP/base.txz\n"),
        ("kernel.txz", "sha256 -q COMP/kernel.txz\n"))) + """\
tar -C JAIL/mnt -xf COMP/base.txz
tar -C JAIL/mnt -xf COMP/kernel.txz
""",
    "appjail-image": """\
lockf -sk IMAGES.lock appjail image import -a amd64 -t 14.3 -n hello -- \
gh+AppJail/hello
appjail image import -a amd64 -t 14.3 -n hello -- gh+AppJail/hello
tar -C JAIL/mnt --strip-components=2 -xf \
IMAGES/hello/14.3-amd64-image.appjail ./jail/
""",
    "pkgbase": """\
pkg --rootdir JAIL/mnt --repo-conf-dir ROOT/repositories install -- \
FreeBSD-runtime FreeBSD-kernel-generic
""",
}
COMMANDS = {kind: (OPEN + PAYLOAD[kind] + CLOSE + START).splitlines()
            for kind in INSTALLS}
COMMANDS["start"] = START.splitlines()
EVERY = [pytest.param(kind, k, id=f"{kind}-{k + 1}")
         for kind in KINDS for k in range(len(COMMANDS[kind]))]
# Its status says nothing; there may be no old memory disk.
LOOK = "mdconfig -lf"


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def filled_in(host, lines):
    for name, path in (("JAIL", host.jail), ("COMP", host.components),
                       ("IMAGES", host.images), ("ROOT", host.root)):
        lines = [re.sub(rf"\b{name}\b(?=[/.])", str(path), line)
                 for line in lines]
    return lines


def names(host):
    """The files of the installed system."""
    root = host.partition(3)
    return {str(f.relative_to(root)) for f in root.rglob("*") if f.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_commands_and_files(host, kind):
    assert "usage" not in host.run(kind)
    assert host.calls() == filled_in(host, COMMANDS[kind])
    assert host.left() == []
    assert host.runs()
    assert (host.jail / "etc/rc.conf").read_text() == 'vm_list="box"\n'
    if kind == "start":
        return
    files = {"components": {"etc/motd", "boot/kernel/kernel"},
             "appjail-image": {"bin/sh", "etc/rc.conf", "etc/motd"},
             "pkgbase": {"var/db/pkg/local.sqlite"}}[kind]
    assert names(host) == files | {"etc/fstab"}
    assert (host.partition(3) / "etc/fstab").read_text() == FSTAB
    table = host.table()
    assert table["bootcode"] == "/boot/pmbr"
    assert table["partitions"]["1"] == {
        "type": "freebsd-boot", "alignment": "1m", "size": "512k",
        "label": "boot0", "bootcode": "/boot/gptboot"}
    assert table["partitions"]["3"]["newfs"] == ["-U", "-j"]


def test_packages_are_the_guests(host):
    host.run("pkgbase")
    root = host.partition(3)
    told = json.loads((root / "var/db/pkg/local.sqlite").read_text())
    assert told["environment"] == {
        "ABI": "FreeBSD:15:amd64", "IGNORE_OSVERSION": "yes",
        "ASSUME_ALWAYS_YES": "yes"}
    assert (root / "usr/share/keys/keys/trusted").is_dir()


def test_without_what_is_optional(host):
    layout = {k: v for k, v in LAYOUT.items() if "bootcode" not in k}
    host.describe(layout)
    (host.jail / "run.sh").unlink()
    argv = host.argv("pkgbase")
    argv[argv.index("-f") + 1] = "none"
    host.run("", argv=argv)
    assert host.calls() == [
        c for c in filled_in(host, COMMANDS["pkgbase"])
        if "bootcode" not in c and "run.sh" not in c]
    host.reset()
    argv = host.argv("appjail-image")
    argv[argv.index("-e") + 1] = "none"
    image = host.images / "hello" / "14.3-amd64-image.appjail"
    image.parent.mkdir(parents=True)
    image.write_bytes(archive({"./jail/etc/motd": "mine\n"}))
    host.run("", argv=argv)
    assert (host.partition(3) / "etc/motd").read_text() == "mine\n"
    assert not [c for c in host.calls() if "import" in c]


# Failures


def archives(host):
    return list(host.images.glob("*/[!.]*.appjail"))


def assert_undone(host, kind, k):
    assert host.left() == []
    # The last commands are those that start the guest.
    last = len(COMMANDS[kind]) - 1
    assert host.runs() is False
    if k < last - 2:
        assert not (host.jail / "etc/rc.conf").exists()
    if "hello" in "".join(host.calls()):
        assert len(archives(host)) == len(list(host.images.glob("*/.done-*")))


@pytest.mark.parametrize("kind, k", EVERY)
def test_a_failure_of_any_command_is_told_and_undone(host, kind, k):
    host.fault(f"rc=37 #{k + 1}")
    command = filled_in(host, COMMANDS[kind])[k]
    if command.startswith(LOOK):
        host.run(kind)
        assert host.left() == []
        return
    text = host.run(kind, rc=37)
    assert_undone(host, kind, k)
    told = text.splitlines()[-1]
    assert re.fullmatch(r"vm-[a-z-]+\.sh: [a-zA-Z0-9. ]+: `.*' ended with "
                        r"status 37", told)
    # Of one that runs another, the outer one is told.
    assert command in told


@pytest.mark.parametrize("kind, k", EVERY)
def test_a_signal_during_any_command_undoes_all(host, kind, k):
    host.fault(f"hang #{k + 1}")
    script = host.start(kind)
    host.reached(k + 1)
    # To the script alone, as the daemon does.
    script.send_signal(signal.SIGTERM)
    text = host.ended(script, 70)
    assert "SIGTERM came during: " in text
    assert host.processes(script.pid) == []
    assert_undone(host, kind, k)


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "XCPU", "XFSZ"])
def test_every_signal_that_ends_it(host, name):
    host.fault("hang tar *")
    script = host.start("appjail-image")
    wait_for("tar", lambda: "tar " in "".join(host.calls()))
    for other in ("ALRM", "VTALRM", "PROF", "USR1", "USR2"):
        script.send_signal(getattr(signal, "SIG" + other))
    script.send_signal(getattr(signal, "SIG" + name))
    text = host.ended(script, 70)
    assert f"SIG{name} came during: extract the image" in text
    assert host.left() == []


def first(host, words):
    """Number of the first command that begins so."""
    lines = filled_in(host, COMMANDS["components"])
    return next(n for n, line in enumerate(lines, 1) if line.startswith(words))


@pytest.mark.parametrize("effect, words", [
    ("done-hang", "mdconfig -at"), ("done-hang", "mount /dev"),
    ("done-hang", "umount"), ("done-hang", "mdconfig -du"),
    ("half-hang", "fetch"), ("hang-hard", "fetch")])
def test_a_signal_when_the_work_is_done_but_not_told(host, effect, words):
    number = first(host, words)
    host.fault(f"{effect} #{number}")
    script = host.start("components")
    host.reached(number)
    at_work(host, number, effect)
    script.send_signal(signal.SIGTERM)
    host.ended(script, 70)
    assert host.processes(script.pid) == []
    assert host.left() == []
    host.reset()
    host.run("components")
    assert names(host) == {"etc/motd", "boot/kernel/kernel", "etc/fstab"}


def at_work(host, number, effect):
    """Waits until that command has done what its fault lets it do."""
    command = host.calls()[number - 1]
    md, mounts = host.standin / "md", host.standin / "mounts"

    def is_done():
        if command.startswith("mdconfig"):
            return (md / "md0").exists() == ("-at" in command)
        if "mount" in command:
            return (mounts / "0").exists() == command.startswith("mount")
        return effect == "hang-hard" or (host.components / "MANIFEST").exists()
    wait_for(command, is_done)


def test_a_half_imported_image_goes(host):
    for effect in ("half-rc=9", "half-hang"):
        host.fault(f"{effect} appjail image import *")
        script = host.start("appjail-image")
        if effect == "half-hang":
            wait_for("half of it", lambda: archives(host))
            script.send_signal(signal.SIGTERM)
        host.ended(script, 9 if "rc" in effect else 70)
        assert list(host.images.glob("*/*")) == []
        assert host.left() == []
        host.reset()


def test_an_image_that_was_there_survives_a_failed_import(host):
    image = host.images / "hello" / "14.3-amd64-image.appjail"
    image.parent.mkdir(parents=True)
    image.write_text("good")
    host.fault("rc=9 appjail image import *")
    host.run("appjail-image", rc=9)
    assert image.read_text() == "good"


def test_the_tools_of_cleaning_up_may_fail_at_first(host):
    host.fault("rc=5 pkg *", "rc=1 umount /*", "rc=1 mdconfig -du md0")
    host.run("pkgbase", rc=5)
    assert host.left() == []
    assert host.calls()[-5:] == [
        "mount -p", f"umount {host.mnt}", f"umount -f {host.mnt}",
        "mdconfig -du md0", "mdconfig -du md0 -o force"]


@pytest.mark.parametrize("fault, number", [
    ("hang tar *", signal.SIGTERM), ("rc=5 tar *", None)])
def test_nobody_reads_what_is_said(host, fault, number):
    """As when overlord-exec has died, with which the TERM comes."""
    host.fault(fault)
    reader, writer = os.pipe()
    script = host.start("components", output=writer)
    os.close(writer)
    wait_for("newfs", lambda: "newfs" in "".join(host.calls()))
    os.close(reader)
    if number:
        wait_for("tar", lambda: "tar " in "".join(host.calls()))
        script.send_signal(number)
    assert script.wait(DEADLINE) == (70 if number else 5)
    assert host.left() == []


@pytest.mark.parametrize("words", ["mdconfig -at", "mount /dev", "tar",
                                   "umount"])
def test_what_a_killed_script_left_is_released_first(host, words):
    number = first(host, words)
    host.fault(f"done-hang #{number}")
    script = host.start("components")
    host.reached(number)
    if words != "tar":
        at_work(host, number, "done-hang")
    host.kill(script)
    assert host.left() != []
    shutil.rmtree(host.tmp)
    host.tmp.mkdir()
    host.reset()
    host.run("components")
    assert host.left() == []
    assert names(host) == {"etc/motd", "boot/kernel/kernel", "etc/fstab"}


def test_an_old_disk_that_cannot_be_released(host):
    host.fault("hang tar *")
    script = host.start("components")
    wait_for("tar", lambda: "tar " in "".join(host.calls()))
    host.kill(script)
    host.fault("rc=1 umount *", "rc=16 mdconfig -du *")
    text = host.run("components", rc=16)
    assert f"one of {host.image} cannot be detached" in text
    assert not [c for c in host.calls()[-5:] if "-at" in c]


def test_the_checksum_is_that_of_the_manifest(host):
    web = host.serve({"base.txz": archive({"etc/motd": "base\n"})})
    good = (web / "base.txz").read_bytes()
    stamp = (web / "base.txz").stat()
    (web / "base.txz").write_bytes(b"x" * len(good))
    argv = host.argv("components")[:-1]
    text = host.run("", argv=argv, rc=1)
    assert re.search(r"^\*INVALID CHECKSUM\* :: [0-9a-f]{64} != "
                     r"[0-9a-f]{64}$", text, re.M)
    assert host.left() == [] and not host.runs()
    assert [c for c in host.calls() if c.startswith("tar")] == []
    # The right one may come with the same size and time.
    (web / "base.txz").write_bytes(good)
    os.utime(web / "base.txz", (stamp.st_atime, stamp.st_mtime))
    host.fresh_image()
    host.run("", argv=argv)
    # Not one that the release does not have.
    host.fresh_image()
    (web / "games.txz").write_bytes(good)
    assert "*INVALID CHECKSUM* ::  != " in host.run(
        "", argv=argv[:-1] + ["games.txz"], rc=1)


def test_a_cache_that_cannot_be_made(host):
    (host.root / "components").write_text("")
    assert "cannot make" in host.run("components", rc=74)
    assert host.left() == []


# Format scripts

SCRIPT = """\
#!/bin/sh
echo "$OVERLORD_PHASE $OVERLORD_UUID $OVERLORD_DEVICE $OVERLORD_MNTDIR" \
>>"$OVERLORD_MNTDIR/../phases"
grep SigIgn /proc/self/status >"$OVERLORD_MNTDIR/../ignored" 2>/dev/null
[ ! -e "$OVERLORD_MNTDIR/../fail.$OVERLORD_PHASE" ] || exit 29
case $OVERLORD_PHASE in
format) newfs "$OVERLORD_DEVICE" ;;
mount) mount "$OVERLORD_DEVICE" "$OVERLORD_MNTDIR" ;;
umount) umount "$OVERLORD_MNTDIR" ;;
esac
"""


def scripted(host):
    layout = {k: v for k, v in LAYOUT.items() if "format" not in k}
    host.describe({**layout, "partitions.3.format.script": SCRIPT})


def phases(host):
    path = host.jail / "phases"
    return [line.split() for line in path.read_text().splitlines()]


def test_a_script_formats_mounts_and_unmounts(host):
    scripted(host)
    host.run("components")
    told = phases(host)
    assert [p[0] for p in told] == ["format", "mount", "umount"]
    assert {tuple(p[2:]) for p in told} == {("/dev/md0p3", str(host.mnt))}
    (uuid,) = {p[1] for p in told}
    assert re.fullmatch(r"overlord-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a"
                        r"[0-9a-f]{3}-[0-9a-f]{12}", uuid)
    assert host.left() == []
    assert (host.partition(3) / "etc/fstab").read_text() == FSTAB
    # What the scripts ignore, others must not.
    ignored = (host.jail / "ignored").read_text().split()
    if ignored:
        mask = int(ignored[1], 16)
        for n in (signal.SIGALRM, signal.SIGUSR1, signal.SIGTERM):
            assert not mask >> n - 1 & 1


@pytest.mark.parametrize("phase", ["format", "mount", "umount"])
def test_a_phase_that_fails(host, phase):
    scripted(host)
    (host.jail / f"fail.{phase}").write_text("")
    text = host.run("components", rc=29)
    assert f"{phase} partition 3: " in text
    assert host.left() == [] and not host.runs()


@pytest.mark.parametrize("fault, rc", [("rc=5 tar *", 5), ("hang tar *", 70)])
def test_what_a_script_mounted_it_also_unmounts(host, fault, rc):
    scripted(host)
    host.fault(fault)
    script = host.start("components")
    if rc == 70:
        wait_for("tar", lambda: "tar " in "".join(host.calls()))
        script.send_signal(signal.SIGTERM)
    host.ended(script, rc)
    # A pool is no mount of the partition, so nothing else could do it.
    assert [p[0] for p in phases(host)] == ["format", "mount", "umount"]
    assert host.calls().count(f"umount {host.mnt}") == 1
    assert host.left() == []


def test_what_is_mounted_in_the_root_goes_first(host):
    nested = SCRIPT.replace(
        """mount) mount "$OVERLORD_DEVICE" "$OVERLORD_MNTDIR" ;;""", """mount)
    mount "$OVERLORD_DEVICE" "$OVERLORD_MNTDIR"
    mkdir "$OVERLORD_MNTDIR/more"
    mount "${OVERLORD_DEVICE%3}4" "$OVERLORD_MNTDIR/more" ;;""")
    assert nested != SCRIPT
    scripted(host)
    prefix = host.metadata / "overlord.diskLayout.disk.partitions"
    for name, text in (("3.format.script", nested), ("4.type", "efi"),
                       ("4.format.script", SCRIPT)):
        prefix.with_name(f"{prefix.name}.{name}").write_text(text)
    text = host.run("components", rc=1)
    assert "umount partition 3: " in text and "busy" in text
    assert host.left() == []


def test_only_the_root_is_mounted_by_its_script(host):
    host.describe({**LAYOUT, "partitions.4.type": "efi",
                   "partitions.4.format.script": SCRIPT})
    host.run("components")
    assert [p[0::2] for p in phases(host)] == [["format", "/dev/md0p4"]]
    assert f"mount /dev/md0p3 {host.mnt}" in host.calls()


# What comes from others


@pytest.mark.parametrize("value", [
    "$(touch pwned)", "`touch pwned`", "x;touch pwned", "a|touch pwned", "*",
    "a b  c", "'\"", "-h", "%s%n\\n\\t", "x\ntouch pwned"])
def test_values_are_data(host, value):
    first = value.split("\n")[0]
    host.describe({**LAYOUT, "partitions.1.label": value,
                   "fstab.0.options": value, "fstab.1.device": value})
    host.run("components")
    assert host.table()["partitions"]["1"]["label"] == first
    lines = (host.partition(3) / "etc/fstab").read_text().splitlines()
    assert lines == [f"/dev/nda0p3\t/\tufs\t{first}\t1\t1",
                     f"{first}\tnone\tswap\tsw\t0\t0"]
    assert list(host.root.rglob("pwned")) == []


def test_flags_are_words_and_no_more(host):
    (host.root / "-U").write_text("")
    host.describe({**LAYOUT, "partitions.3.format.flags":
                   "-L  *\t-? $(touch${IFS}pwned) ;touch pwned\n-n"})
    host.run("components", rc=1)
    argv = [json.loads(line.split(" ", 4)[4]) for line in host.log()
            if '["newfs"' in line]
    assert argv == [["newfs", "-L", "*", "-?", "$(touch${IFS}pwned)",
                     ";touch", "pwned", "/dev/md0p3"]]
    assert list(host.root.rglob("pwned")) == []
    assert host.left() == []


@pytest.mark.parametrize("kind, option, value", [
    *[(kind, "-j", value) for kind in KINDS
      for value in ("../box", "-box", "a/b", "a b", "a\nb", "$(id)")],
    ("components", "-u", "-o/etc/passwd"),
    ("components", "base.txz", "../base.txz"),
    ("components", "base.txz", ".."),
    ("components", "base.txz", "-C"),
    ("appjail-image", "-I", "../hello"),
    ("appjail-image", "-I", ".."),
    ("appjail-image", "-t", "../../14.3"),
    ("appjail-image", "-a", "a/b")])
def test_names_that_lead_elsewhere(host, kind, option, value):
    argv = host.argv(kind)
    at = argv.index(option)
    argv[at + 1 if option[0] == "-" else at] = value
    assert re.search("not (the name of|a URL)",
                     host.run("", argv=argv, rc=64))
    assert host.calls() == []
    assert host.left() == []


@pytest.mark.parametrize("place", [
    "mnt", "metadata", "vm/box", "vm/box/disk0.img",
    "metadata/overlord.diskLayout.disk.scheme",
    "metadata/overlord.diskLayout.disk.partitions.1.label",
    "metadata/overlord.diskLayout.disk.fstab.1.pass"])
def test_links_of_the_jail_are_not_followed(host, place):
    path = host.jail / place
    outside = host.root / "outside"
    path.rename(outside)
    path.symlink_to(outside)
    assert "link" in host.run("components", rc=65)
    assert host.left() == []


@pytest.mark.parametrize("name", ["etc", "etc/fstab"])
def test_links_of_the_guest_are_not_followed(host, name):
    outside = host.root / "outside"
    if name == "etc":
        outside.mkdir()
        (outside / "fstab").write_text("host's\n")
    else:
        outside.write_text("host's\n")
    host.serve({"base.txz": archive({"bin/sh": ""}, [(name, str(outside))]),
                "kernel.txz": archive({"boot/kernel/kernel": ""})})
    assert "link" in host.run("components", rc=65)
    text = (outside / "fstab" if name == "etc" else outside).read_text()
    assert text == "host's\n"
    assert host.left() == []


@pytest.mark.parametrize("missing, what", [
    (["scheme"], "there is no scheme"),
    (["partitions.3.format.flags"], "no partition has a format"),
    (["partitions.1.type"], "no partition has a format"),
    (["bootcode.index"], "there is no bootcode.index"),
    (["fstab.1.pass"], "there is no fstab.1.pass")])
def test_a_layout_that_says_too_little(host, missing, what):
    host.describe({k: v for k, v in LAYOUT.items() if k not in missing})
    assert what in host.run("components", rc=65)
    assert host.left() == [] and not host.runs()
    if "fstab" not in missing[0]:
        assert host.calls() == ["appjail cmd local box realpath ."]


def test_a_type_that_is_none(host):
    host.describe({**LAYOUT, "partitions.2.type": "$(id)"})
    text = host.run("pkgbase", rc=1)
    assert "add partition 2: `gpart add -t $(id) -s 1G -i 2 /dev/md0' ended " \
        "with status 1" in text
    assert host.left() == []


# Options


def without(argv, option):
    at = argv.index(option)
    return argv[:at] + argv[at + 2:]


@pytest.mark.parametrize("kind", KINDS)
def test_usage(host, kind):
    argv = host.argv(kind)
    bad = [without(argv, o) for o in argv if o in (
        "-a", "-i", "-I", "-e", "-j", "-t", "-u", "-v")]
    bad += [argv[:1] + ["-Z"] + argv[1:], argv[:1] + ["-j"]]
    bad += [["" if a == "box" else a for a in argv]]
    if kind == "components":
        bad += [without(argv, "-c")]
    if "--" in argv:
        bad += [argv[:argv.index("--")]]
    for wrong in bad:
        text = host.run("", argv=wrong, rc=64)
        assert re.fullmatch(rf"usage: {re.escape(argv[0])} -.*\n", text), wrong
    assert host.calls() == []
    assert host.left() == []


@pytest.mark.parametrize("shell", [
    s for s in (["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"])
    if shutil.which(s[0])], ids=" ".join)
def test_shells(host, shell):
    host.run("components", shell=shell)
    assert host.left() == [] and host.runs()
    host.reset()
    host.fault("hang newfs *")
    script = host.start("components", shell=shell)
    wait_for("newfs", lambda: "newfs" in "".join(host.calls()))
    script.send_signal(signal.SIGTERM)
    host.ended(script, 70)
    assert host.left() == []
