# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""rctl and sysctl, as far as jails are measured with them."""

import os
import sys

import common

# In the order of the kernel.
RESOURCES = (
    "cputime datasize stacksize coredumpsize memoryuse memorylocked maxproc "
    "openfiles vmemoryuse pseudoterminals swapuse nthr msgqqueued msgqsize "
    "nmsgq nsem nsemop nshm shmsize wallclock pcpu readbps writebps readiops "
    "writeiops").split()

SYSCTLS = {
    "kern.racct.enable": "1",
    "net.inet.ip.portrange.first": "49152",
    "net.inet.ip.portrange.last": "65535",
}


def rules(path):
    text = common.read(path) or ""
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def rctl(args):
    if len(args) != 2 or args[0] != "-u":
        sys.stderr.write("usage: rctl -u filter\n")
        return 1
    racct = sysctl_value("kern.racct.enable")
    if racct != "1":
        sys.stderr.write("rctl: RACCT/RCTL present, but disabled; enable using "
                         "kern.racct.enable=1 tunable\n")
        return 1
    subject, _, jail = args[1].rstrip(":").partition(":")
    directory = common.jails + "/" + jail
    if (subject != "jail" or not common.is_jail_name(jail)
            or not os.path.exists(directory + "/up")):
        sys.stderr.write("rctl: failed to show resource consumption for "
                         "'%s': No such process\n" % args[1])
        return 1
    given = rules(directory + "/rctl")
    for n, name in enumerate(RESOURCES):
        made_up = 1 if name == "maxproc" else n * 4096
        print("%s=%s" % (name, given.get(name, made_up)))
    return 0


def sysctl_value(name):
    return rules(common.root + "/sysctl").get(name, SYSCTLS.get(name))


def sysctl(args):
    bare = "-n" in args
    names = [a for a in args if not a.startswith("-")]
    if not names:
        sys.stderr.write("usage: sysctl [-n] name ...\n")
        return 1
    status = 0
    for name in names:
        value = sysctl_value(name)
        if value is None:
            sys.stderr.write("sysctl: unknown oid '%s'\n" % name)
            status = 1
        else:
            print(value if bare else "%s: %s" % (name, value))
    return status


def main(name, args):
    return rctl(args) if name == "rctl" else sysctl(args)
