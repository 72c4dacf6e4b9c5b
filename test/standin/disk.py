# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""mdconfig, gpart, newfs, mount, umount, makefs: disks that are files.

The partition table is text at the start of the image, so an image that is made
anew has none.  What a partition holds is a directory of $STANDIN_ROOT/disks;
mounting it puts that directory in the place of the mount point, so that what is
written there stays in the partition.  $STANDIN_ROOT/md has a file for each
memory disk, $STANDIN_ROOT/mounts one for each mount: both are empty when
nothing is left behind."""

import _signal as signal
import getopt
import json
import os
import sys

import common

MAGIC = "standin-disk "
HEADER_MAX = 65536
TYPES = ("bios-boot efi freebsd freebsd-boot freebsd-nandfs freebsd-swap "
         "freebsd-ufs freebsd-vinum freebsd-zfs linux-data linux-swap "
         "ms-basic-data").split()

md_dir = common.root + "/md"
disk_dir = common.root + "/disks"
mount_dir = common.root + "/mounts"


class Fault(Exception):
    """What the command says, with its name before it, when it ends with 1."""


def options(args, letters):
    try:
        return getopt.getopt(args, letters)
    except getopt.GetoptError as e:
        raise Fault(e.msg)


# Memory disks


def md_image(name):
    """The image behind md0 or /dev/md0."""
    name = name[5:] if name.startswith("/dev/") else name
    if "/" not in name:
        return common.read(md_dir + "/" + name)
    return None


def attach(image):
    if not os.path.isfile(image):
        raise Fault("%s: No such file or directory" % image)
    os.makedirs(md_dir, exist_ok=True)
    new = "%s/.%d" % (md_dir, os.getpid())
    common.write(new, os.path.realpath(image))
    unit = 0
    while True:
        try:
            os.link(new, "%s/md%d" % (md_dir, unit))
            break
        except FileExistsError:
            unit += 1
    os.unlink(new)
    print("md%d" % unit)
    return 0


def detach(unit, force):
    name = unit if unit.startswith("md") else "md" + unit
    if md_image(name) is None:
        raise Fault("ioctl(/dev/mdctl): No such file or directory")
    if not force and any(device.startswith("/dev/%sp" % name)
                         for device, _, _ in mounts().values()):
        raise Fault("ioctl(/dev/mdctl): Device busy")
    os.unlink(md_dir + "/" + name)
    return 0


def list_disks(image):
    names = sorted(n for n in os.listdir(md_dir) if n[0] != ".") \
        if os.path.isdir(md_dir) else []
    if image is not None:
        names = [n for n in names if md_image(n) == os.path.realpath(image)]
    if names:
        print(" ".join(names) + " ")
    return 0 if names or image is None else 255


def mdconfig(args):
    given, rest = options(args, "adlnvt:f:u:o:")
    flags = dict(given)
    if rest or len({"-a", "-d", "-l"} & set(flags)) != 1:
        raise Fault("usage: mdconfig -a|-d|-l ...")
    if "-a" in flags:
        if flags.get("-t") != "vnode" or "-f" not in flags:
            raise Fault("must specify -t vnode -f file")
        return attach(flags["-f"])
    if "-d" in flags:
        if "-u" not in flags:
            raise Fault("usage: mdconfig -d -u unit")
        return detach(flags["-u"], flags.get("-o") == "force")
    return list_disks(flags.get("-f"))


# Partitions


def read_table(image):
    try:
        with open(image, "rb") as f:
            text = f.read(HEADER_MAX).split(b"\n", 1)[0]
    except OSError as e:
        raise Fault("%s: %s" % (image, e.strerror))
    if not text.startswith(MAGIC.encode()):
        return None
    return json.loads(text[len(MAGIC):])


def write_table(image, table):
    with open(image, "r+b") as f:
        f.write((MAGIC + json.dumps(table) + "\n").encode())


def find_partition(device):
    """image, table, index of /dev/md0p1."""
    disk, _, index = device.rpartition("p")
    image = md_image(disk) if device.startswith("/dev/") else None
    table = read_table(image) if image is not None else None
    if table is None or index not in table["partitions"]:
        raise Fault("%s: No such file or directory" % device)
    return image, table, index


def partition_dir(table, index):
    return "%s/%s/p%s" % (disk_dir, table["id"], index)


def is_size(text):
    return text.rstrip("bkmgtBKMGT").isdigit()


def gpart_create(flags, image, name, table):
    if flags.get("-s") != "gpt":
        raise Fault("scheme '%s': Invalid argument" % flags.get("-s", ""))
    if table is not None:
        raise Fault("geom '%s': File exists" % name)
    write_table(image, {"id": os.urandom(8).hex(), "scheme": "gpt",
                        "partitions": {}})
    print("%s created" % name)


def gpart_add(flags, image, name, table):
    index = flags.get("-i", "")
    if flags.get("-t", "") not in TYPES:
        raise Fault("type '%s': Invalid argument" % flags.get("-t", ""))
    if index in table["partitions"]:
        raise Fault("index '%s': File exists" % index)
    for letter, what in (("-a", "alignment"), ("-b", "start"), ("-s", "size")):
        if letter in flags and not is_size(flags[letter]):
            raise Fault("Invalid value for '%s' argument: Invalid argument"
                        % what)
    table["partitions"][index] = dict(
        (what, flags[letter]) for letter, what in (
            ("-t", "type"), ("-a", "alignment"), ("-b", "start"),
            ("-s", "size"), ("-l", "label")) if letter in flags)
    write_table(image, table)
    print("%sp%s added" % (name, index))


def gpart_bootcode(flags, image, name, table):
    for letter in ("-b", "-p"):
        path = flags.get(letter, "/boot/")
        # Linux has none of FreeBSD's.
        if not path.startswith("/boot/") and not os.path.isfile(path):
            raise Fault("%s: No such file or directory" % path)
    if "-b" in flags:
        table["bootcode"] = flags["-b"]
        print("bootcode written to %s" % name)
    if "-p" in flags:
        index = flags.get("-i", "")
        if index not in table["partitions"]:
            raise Fault("index '%s': No such file or directory" % index)
        table["partitions"][index]["bootcode"] = flags["-p"]
        print("partcode written to %sp%s" % (name, index))
    write_table(image, table)


GPART = {
    "create": (gpart_create, "s:"),
    "add": (gpart_add, "t:a:b:s:l:i:"),
    "bootcode": (gpart_bootcode, "b:p:i:"),
}


def gpart(args):
    verb, letters = GPART.get(args[0] if args else "", (None, ""))
    if verb is None:
        raise Fault("usage: gpart create|add|bootcode ...")
    given, rest = options(args[1:], letters)
    if len(rest) != 1:
        raise Fault("usage: gpart %s ... geom" % args[0])
    name = rest[0][5:] if rest[0].startswith("/dev/") else rest[0]
    image = md_image(name)
    if image is None:
        raise Fault("arg0 '%s': Invalid argument" % name)
    table = read_table(image)
    if table is None and args[0] != "create":
        raise Fault("No such geom: %s." % name)
    verb(dict(given), image, name, table)
    return 0


def newfs(args):
    given, rest = options(
        args, "EJL:NO:RS:T:UXa:b:c:d:e:f:g:h:i:jk:lm:no:p:r:s:t")
    if len(rest) != 1:
        raise Fault("usage: newfs [-options] special-device")
    image, table, index = find_partition(rest[0])
    where = partition_dir(table, index)
    if any(device == rest[0] for device, _, _ in mounts().values()):
        raise Fault("%s: Device busy" % rest[0])
    if os.path.isdir(where):
        common.remove_tree(where)
    os.makedirs(where)
    table["partitions"][index]["newfs"] = args[:-1]
    write_table(image, table)
    print("%s: super-block backups at: 192" % rest[0])
    return 0


# Mounts


def mounts():
    """{number: (device, mount point, directory of the partition)}"""
    names = os.listdir(mount_dir) if os.path.isdir(mount_dir) else []
    return {int(n): tuple(common.read(mount_dir + "/" + n).split("\n")[:3])
            for n in names if n.isdigit()}


def exchange(*pairs):
    """Renames, all or none as far as signals go."""
    signals = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for old, new in pairs:
        os.rename(old, new)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def mount(args):
    given, rest = options(args, "pt:o:")
    if not rest:
        for _, entry in sorted(mounts().items()):
            print("%s\t\t%s\tufs\trw\t1 1" % entry[:2])
        return 0
    if len(rest) != 2:
        raise Fault("usage: mount special node")
    device, node = rest[0], os.path.realpath(rest[1])
    _, table, index = find_partition(device)
    if not os.path.isdir(node):
        raise Fault("%s: No such file or directory" % node)
    if "newfs" not in table["partitions"][index]:
        raise Fault("%s: Invalid argument" % device)
    there = mounts()
    if any(d == device for d, _, _ in there.values()):
        raise Fault("%s: Device busy" % device)
    number = max(there, default=-1) + 1
    where = partition_dir(table, index)
    entry = "%s/%d" % (mount_dir, number)
    common.write(entry + ".new", "%s\n%s\n%s\n" % (device, node, where))
    exchange((node, entry + ".under"), (where, node), (entry + ".new", entry))
    return 0


def umount(args):
    given, rest = options(args, "f")
    if len(rest) != 1:
        raise Fault("usage: umount [-f] special | node")
    wanted = (rest[0], os.path.realpath(rest[0]))
    found = [(n, p, where) for n, (d, p, where) in mounts().items()
             if d in wanted or p in wanted]
    if not found:
        raise Fault("%s: not a file system root directory" % rest[0])
    number, node, where = max(found)
    if any(p.startswith(node + "/") for _, p, _ in mounts().values()):
        raise Fault("unmount of %s failed: Device busy" % node)
    entry = "%s/%d" % (mount_dir, number)
    exchange((node, where), (entry + ".under", node), (entry, entry + ".old"))
    os.unlink(entry + ".old")
    return 0


# Images


def makefs(args):
    given, rest = options(args, "t:o:")
    if len(rest) != 2 or dict(given).get("-t") != "cd9660":
        raise Fault("usage: makefs -t cd9660 [-o options] image directory")
    image, top = rest
    if not os.path.isdir(top):
        raise Fault("%s: No such file or directory" % top)
    files = {}
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            files[os.path.relpath(path, top)] = common.read(path)
    text = "standin-cd9660 " + json.dumps({
        "options": [v for k, v in given if k == "-o"], "files": files}) + "\n"
    common.write(image, text)
    return 0


COMMANDS = {
    "mdconfig": mdconfig,
    "gpart": gpart,
    "newfs": newfs,
    "mount": mount,
    "umount": umount,
    "makefs": makefs,
}


def main(name, args):
    try:
        return COMMANDS[name](args)
    except Fault as e:
        sys.stderr.write("%s: %s\n" % (name, e))
        return 1
