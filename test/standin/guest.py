# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""vm: vm-bhyve as `appjail cmd jexec` runs it, in the jail that STANDIN_JAIL
names and whose /vm is its directory.  A guest runs while its run.lock is
there."""

import getopt
import os
import shutil
import sys

import common


class Fault(Exception):
    pass


def vm_dir(jail):
    return "%s/%s/jail/vm" % (common.jails, jail)


def read_config(path):
    """[[key, value]] of a guest's configuration, as vm-bhyve reads it."""
    pairs = []
    for line in (common.read(path) or "").split("\n"):
        key, equals, value = line.partition("=")
        if equals and key[:1].islower():
            pairs.append([key, value.partition("#")[0].rstrip()
                          .replace('"', "")])
    return pairs


def parse_size(text):
    units = {"k": 10, "m": 20, "g": 30, "t": 40}
    power = units.get(text[-1:].lower(), 0)
    number = text[:-1] if power else text
    if not number.isdigit():
        raise Fault("failed to create sparse file for disk image")
    return int(number) << power


class Guest:
    def __init__(self, base, name):
        self.base, self.name = base, name
        self.dir = base + "/" + name
        self.conf = "%s/%s.conf" % (self.dir, name)
        self.lock = self.dir + "/run.lock"

    def exists(self):
        return os.path.isfile(self.conf)

    def runs(self):
        return os.path.exists(self.lock)


def create(base, args):
    given, rest = getopt.getopt(args, "d:t:s:i:c:m:Ck:n:")
    flags = dict(given)
    guest = Guest(base, rest[0] if rest else "")
    template = "%s/.templates/%s.conf" % (base, flags.get("-t", "default"))
    if not common.is_jail_name(guest.name):
        raise Fault("invalid virtual machine name - '%s'" % guest.name)
    if guest.exists():
        raise Fault("virtual machine already exists in /vm/" + guest.name)
    if not os.path.isfile(template):
        raise Fault("unable to find template /vm/.templates/%s.conf"
                    % flags.get("-t", "default"))
    config = dict(read_config(template))
    if not config.get("disk0_name"):
        raise Fault("template is missing disk0_name specification")
    os.makedirs(guest.dir, exist_ok=True)
    facts = [("uuid", "5b2f1a0e-%s-11f0-8b1a-%s"
              % (os.urandom(2).hex(), os.urandom(6).hex()))]
    facts += [(key[:-5] + "_mac", "58:9c:fc:" + os.urandom(3).hex(":"))
              for key in config if key.endswith("_type")
              and key.startswith("network")
              and key[:-5] + "_mac" not in config]
    number = 0
    while config.get("disk%d_name" % number):
        write_disk(base, guest, config, number, flags.get("-i"))
        number += 1
    lines = [line + "\n" for line in common.read(template).splitlines()
             if not (line.startswith("disk") and "_size=" in line)]
    lines += ['%s="%s"\n' % fact for fact in facts]
    common.write(guest.conf, "".join(lines))
    return 0


def write_disk(base, guest, config, number, image):
    if config.get("disk%d_dev" % number) == "custom":
        return
    path = "%s/%s" % (guest.dir, config["disk%d_name" % number])
    size = parse_size(config.get("disk%d_size" % number, "20G"))
    with open(path, "a") as f:
        os.truncate(f.fileno(), size)
        os.chmod(f.fileno(), 0o600)
    if number == 0 and image:
        source = "%s/.img/%s" % (base, image)
        if not os.path.isfile(source):
            raise Fault("unable to locate img file - '%s'" % image)
        shutil.copyfile(source, path)
        os.truncate(path, max(size, os.path.getsize(path)))


def boot(guest, iso=""):
    """Prints what `vm start` prints; the status of one guest."""
    print("Starting " + guest.name)
    if not guest.exists():
        print("  ! %s does not seem to be a valid virtual machine"
              % guest.name)
        return 1
    print("  * found guest in /vm/" + guest.name)
    if guest.runs():
        print("  ! guest appears to be running already")
        return 1
    config = dict(read_config(guest.conf))
    if not config.get("cpu") or not config.get("memory"):
        print("  ! incomplete virtual machine configuration")
        return 1
    print("  * booting...")
    common.write(guest.lock, "standin\n" + iso + "\n")
    return 0


def start(base, args):
    # Its status says nothing of any guest.
    for name in args:
        boot(Guest(base, name))
    return 0


def install(base, args):
    if len(args) != 2:
        raise Fault("usage: vm install name iso")
    if not os.path.isfile("%s/.iso/%s" % (base, args[1])):
        raise Fault("unable to locate iso file - '%s'" % args[1])
    return boot(Guest(base, args[0]), args[1])


def poweroff(base, args):
    given, rest = getopt.getopt(args, "f")
    guest = Guest(base, rest[0] if rest else "")
    if not guest.runs():
        raise Fault("%s doesn't appear to be a running virtual machine"
                    % guest.name)
    common.remove(guest.lock)
    return 0


COMMANDS = {
    "create": create,
    "start": start,
    "install": install,
    "poweroff": poweroff,
}


def jail_started(jail):
    """rc.d/vm boots what vm_list of the jail's rc.conf names."""
    for line in (common.read("%s/%s/jail/etc/rc.conf"
                             % (common.jails, jail)) or "").split("\n"):
        if line.startswith("vm_list="):
            for name in line[len("vm_list="):].strip('"').split():
                guest = Guest(vm_dir(jail), name)
                if guest.exists():
                    common.write(guest.lock, "standin\n\n")


def jail_stopped(jail):
    """A guest ends with its jail."""
    base = vm_dir(jail)
    for name in os.listdir(base) if os.path.isdir(base) else []:
        # Beside guests there may be files.
        if os.path.isdir(base + "/" + name):
            common.remove(Guest(base, name).lock)


def main(name, args):
    jail = os.environ.get("STANDIN_JAIL", "")
    command = COMMANDS.get(args[0] if args else "")
    try:
        if not jail:
            raise Fault("not in a jail")
        if command is None:
            raise Fault("usage: vm create|start|install|poweroff ...")
        return command(vm_dir(jail), args[1:])
    except (Fault, getopt.GetoptError) as e:
        sys.stderr.write("/usr/local/sbin/vm: ERROR: %s\n" % e)
        return 1
