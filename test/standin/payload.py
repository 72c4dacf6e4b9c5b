# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""fetch, sha256, lockf, pkg and tar: what fills a guest's disk.

The web is $STANDIN_ROOT/web/<host>/<path>.  tar is the system's own; it is here
so that its calls are recorded and can be made to fail."""

import getopt
import os
import sys

import common
import faults


class Fault(Exception):
    pass


def fetch(args):
    flags, rest = getopt.getopt(args, "Rpmqo:")
    if len(rest) != 1 or "-o" not in dict(flags):
        raise Fault("usage: fetch [-Rmpq] -o file URL")
    url, target = rest[0], dict(flags)["-o"]
    place = url.partition("://")[2]
    source = "%s/web/%s" % (common.root, place)
    if not place or ".." in place.split("/") or not os.path.isfile(source):
        raise Fault("%s: Not Found" % url)
    there = os.stat(source)
    if ("-m", "") in flags and os.path.exists(target):
        here = os.stat(target)
        if (here.st_size, int(here.st_mtime)) == (there.st_size,
                                                  int(there.st_mtime)):
            return 0
    with open(source, "rb") as f:
        data = f.read()
    write_slowly(target, data)
    os.utime(target, (there.st_atime, there.st_mtime))
    return 0


def write_slowly(path, data):
    """In two halves, between which a fault may come."""
    with open(path, "wb", buffering=0) as f:
        f.write(data[:len(data) // 2])
        faults.halfway()
        f.write(data[len(data) // 2:])


def sha256(args):
    import hashlib
    flags, files = getopt.getopt(args, "q")
    for path in files:
        with open(path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        print(digest if flags else "SHA256 (%s) = %s" % (path, digest))
    return 0


def lockf(args):
    """As the real one: a TERM releases the lock and leaves the command."""
    import fcntl
    flags, rest = getopt.getopt(args, "skt:")
    if len(rest) < 2:
        raise Fault("usage: lockf [-ks] [-t seconds] file command [arguments]")
    fd = os.open(rest[0], os.O_RDONLY | os.O_CREAT, 0o666)
    fcntl.flock(fd, fcntl.LOCK_EX)
    path = rest[1] if "/" in rest[1] else common.which(rest[1])
    if path is None:
        raise Fault("%s: No such file or directory" % rest[1])
    status = common.wait(common.spawn([path] + rest[2:]))
    if ("-k", "") not in flags:
        common.remove(rest[0])
    return common.EX_SOFTWARE if status < 0 else status


def pkg(args):
    import json
    flags, rest = getopt.getopt(args, "", ["rootdir=", "repo-conf-dir="])
    flags = dict(flags)
    names = [a for a in rest[1:] if a != "--"]
    if rest[:1] != ["install"] or not names:
        raise Fault("usage: pkg [--rootdir D] [--repo-conf-dir D] install ...")
    if not os.path.isdir(flags.get("--repo-conf-dir", "")):
        raise Fault("No active remote repositories configured.")
    unknown = [n for n in names if n.startswith("unknown")]
    if unknown:
        raise Fault("No packages available to install matching '%s' have been "
                    "found in the repositories" % unknown[0])
    root = flags["--rootdir"]
    os.makedirs(root + "/etc", exist_ok=True)
    common.write(root + "/var/db/pkg/local.sqlite", json.dumps({
        "packages": names, "repositories": flags["--repo-conf-dir"],
        "environment": {n: os.environ.get(n) for n in (
            "ABI", "IGNORE_OSVERSION", "ASSUME_ALWAYS_YES")}}))
    return 0


def tar(args):
    own = os.environ["STANDIN_JAILD"].rpartition("/")[0] + "/bin"
    for directory in os.environ.get("PATH", os.defpath).split(":"):
        path = directory + "/tar"
        if os.path.realpath(directory) != os.path.realpath(own) \
                and os.access(path, os.X_OK):
            status = common.wait(common.spawn([path] + args))
            return 128 - status if status < 0 else status
    raise Fault("there is no tar")


COMMANDS = {
    "fetch": fetch,
    "sha256": sha256,
    "lockf": lockf,
    "pkg": pkg,
    "tar": tar,
}


def main(name, args):
    try:
        return COMMANDS[name](args)
    except (Fault, getopt.GetoptError) as e:
        sys.stderr.write("%s: %s\n" % (name, e))
        return 1
    except OSError as e:
        sys.stderr.write("%s: %s: %s\n" % (name, e.filename, e.strerror))
        return 1
