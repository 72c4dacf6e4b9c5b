# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""appjail: jails are directories of $STANDIN_ROOT/jails, laid out as AppJail
lays them out; a file `up` in one means that it runs.

What a project's behaviour says about makejail, start and stop is done here; the
stand-in of Director names the project in STANDIN_PROJECT."""

import _signal as signal
import os
import sys
import time

import common
import guest
from common import (EX_CONFIG, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_NOPERM,
                    EX_OK, EX_SOFTWARE, EX_USAGE)

OSARCH = "amd64"
RELEASE = "14.3-RELEASE"
STOP_TRIES = 500
STOP_PAUSE = 0.01


def say(level, jail, text):
    colour = {"warn": "33", "error": "31"}.get(level, "34")
    sys.stderr.write("[%s] [ \x1b[%sm%-5s\x1b[0m ] [%s] %s\n" % (
        time.strftime("%H:%M:%S"), colour, level, jail, text))
    sys.stderr.flush()


def directory(jail):
    return common.jails + "/" + jail


def need_jail(args, quiet=False):
    """The jail that args name, after an optional `--`; leaves if there is
    none."""
    args = [a for n, a in enumerate(args) if a != "--" or "--" in args[:n]]
    if not args:
        if not quiet:
            sys.stderr.write("usage: appjail COMMAND [OPTIONS] JAIL\n")
        raise common.Exit(EX_USAGE)
    jail = args[-1]
    if not common.is_jail_name(jail):
        if not quiet:
            say("error", jail, "Invalid jail name.")
        raise common.Exit(EX_DATAERR)
    if not os.path.isdir(directory(jail)):
        if not quiet:
            say("warn", jail, "The jail does not exist.")
        raise common.Exit(EX_NOINPUT)
    return jail


def is_up(jail):
    return os.path.exists(directory(jail) + "/up")


# status, cpuset, label


def status(args):
    quiet = "-q" in args
    jail = need_jail([a for a in args if a != "-q"], quiet)
    up = is_up(jail)
    if not quiet:
        say("info", jail, "is running." if up else "is not running.")
    return 0 if up else 1


def cpuset(args):
    jail = need_jail(args)
    if is_up(jail):
        print(common.first_line(directory(jail) + "/cpuset") or "0, 1")
    else:
        say("warn", jail, "is not running.")
    return EX_OK


def label(args):
    if args[:1] != ["get"]:
        return EX_OK
    if "-l" not in args[:-1]:
        return EX_USAGE
    at = args.index("-l")
    name, rest = args[at + 1], args[at + 2:]
    keyword = rest.pop() if rest else ""
    jail = need_jail(rest)
    if not is_label(name):
        return EX_DATAERR
    value = "%s/conf/labels/%s/value" % (directory(jail), name)
    if not os.path.isdir(os.path.dirname(value)):
        return EX_NOINPUT
    if keyword == "value":
        print(common.first_line(value))
    return EX_OK


def is_label(name):
    small = "abcdefghijklmnopqrstuvwxyz"
    parts = name.replace("-", ".").split(".")
    return (name[:1] in small and all(parts) and "" != name
            and all(c in small + "0123456789" for p in parts for c in p))


# jail get, jail destroy


def config_value(jail, key):
    text = common.read(directory(jail) + "/conf/config.conf") or ""
    for line in text.split("\n"):
        name, _, value = line.strip().lstrip("*").partition(":")
        if not line.startswith("#") and name.strip().rstrip("+") == key:
            return value.strip()
    return ""


def template_values(jail, key):
    text = common.read(directory(jail) + "/conf/template.conf") or ""
    values = []
    for line in text.split("\n"):
        name, _, value = line.strip().lstrip("*").partition(":")
        if not line.startswith("#") and name.strip().rstrip("+") == key:
            values += value.replace('"', " ").replace("'", " ").split()
    return ",".join(values)


def created(jail):
    birth = config_value(jail, "birth")
    if not birth.isdigit():
        return birth
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(birth)))


def networks(jail):
    path = directory(jail) + "/conf/boot/network"
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def inet(jail):
    """What ifconfig says within the jail."""
    boot = directory(jail) + "/conf/boot/network/"
    return ",".join(common.first_line(boot + n) + "/10"
                    for n in networks(jail)) if is_up(jail) else ""


def exposed(jail):
    """(host's port, jail's port, protocol) of each rule, in their order."""
    path = directory(jail) + "/conf/boot/expose"
    nros = os.listdir(path) if os.path.isdir(path) else []
    return [[common.first_line("%s/%s/%s" % (path, nro, name))
             for name in ("hport", "jport", "protocol")]
            for nro in sorted((n for n in nros if n.isdigit()), key=int)]


def ports(jail):
    return ",".join(
        (hport if hport == jport else hport + " -> " + jport) + "/" + protocol
        for hport, jport, protocol in exposed(jail))


def flag(path):
    return "1" if os.path.exists(path) else "0"


def keyword_value(jail, keyword):
    """The value, or None for an unknown keyword."""
    base = directory(jail)
    boot = base + "/conf/boot/"
    computed = {
        "name": lambda: jail,
        "path": lambda: base + "/jail",
        "status": lambda: "UP" if is_up(jail) else "DOWN",
        "dirty": lambda: "0" if os.path.exists(base + "/.done") else "1",
        "boot": lambda: flag(boot + "startup/boot"),
        "priority": lambda: common.first_line(
            boot + "startup/priority") or "0",
        "ephemeral": lambda: flag(boot + "lifetime/ephemeral"),
        "locked": lambda: flag(boot + "lock/locked"),
        "type": lambda: config_value(jail, "jail_type"),
        "version": lambda: config_value(jail, "osversion"),
        "arch": lambda: config_value(jail, "osarch"),
        "release_name": lambda: config_value(jail, "release_name"),
        "appjail_version": lambda: config_value(jail, "appjail_version"),
        "created": lambda: created(jail),
        "container_image": lambda: config_value(jail, "container_image"),
        "is_container": lambda: ("1" if config_value(jail, "container") == "1"
                                 else "0"),
        "container": lambda: common.first_line(boot + "oci/container_name"),
        "container_boot": lambda: flag(boot + "oci/boot"),
        "container_pid": lambda: common.first_line(boot + "oci/pid"),
        "devfs_ruleset": lambda: common.first_line(boot + "devfs_ruleset"),
        "alt_name": lambda: common.first_line(
            base + "/conf/labels/appjail.dns.alt-name/value"),
        "hostname": lambda: template_values(jail, "host.hostname"),
        "ip4": lambda: template_values(jail, "ip4.addr"),
        "ip6": lambda: template_values(jail, "ip6.addr"),
        "network_ip4": lambda: ",".join(
            common.first_line(boot + "network/" + n) for n in networks(jail)),
        "networks": lambda: ",".join(
            n.partition(".")[2] for n in networks(jail)),
        "ports": lambda: ports(jail),
        "x11_display": lambda: common.first_line(boot + "x11/display"),
        "xephyr_pid": lambda: "",
        "version_extra": lambda: "",
        "inet": lambda: inet(jail),
        "inet6": lambda: "",
    }
    get = computed.get(keyword)
    return None if get is None else " ".join(get().split())


def jail_get(args):
    bare = "-I" in args
    rest = [a for a in args if a == "--" or not a.startswith("-")]
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if not rest:
        return EX_USAGE
    jail = need_jail(rest[:1])
    values = []
    for keyword in rest[1:] or ["name"]:
        value = keyword_value(jail, keyword)
        if value is None:
            say("warn", jail, "Unknown keyword: " + keyword)
        else:
            values.append(value or ("" if bare else "-"))
    if values:
        print(" ".join(v or " " for v in values) if len(values) > 1
              else values[0])
    return EX_OK


def jail_destroy(args):
    jail = need_jail(args)
    base = directory(jail)
    if is_up(jail):
        say("error", jail, "The jail is running.")
        return EX_NOPERM
    if os.path.exists(base + "/nodestroy"):
        say("error", jail, "Cannot remove the jail.")
        return EX_IOERR
    common.remove_tree(base)
    say("info", jail, "Done.")
    return EX_OK


def jail_command(args):
    if args[:1] == ["get"]:
        return jail_get(args[1:])
    if args[:1] == ["destroy"]:
        return jail_destroy(args[1:])
    return EX_USAGE if not args else EX_OK


# makejail


def split_options(args):
    """jail, makejail, [(option, value or None)] of a makejail command."""
    jail = makejail = None
    options = []
    n = 0
    while n < len(args) and args[n] != "--":
        value = args[n + 1] if n + 1 < len(args) else ""
        if args[n] == "-j":
            jail = value
        elif args[n] == "-f":
            makejail = value
        elif args[n] == "-o":
            name, given, rest = value.partition("=")
            options.append((name, rest if given else None))
        elif args[n] != "-V":
            raise common.Exit(EX_USAGE)
        n += 2
    return jail, makejail, options


def next_nro(path):
    taken = [int(n) for n in os.listdir(path) if n.isdigit()] \
        if os.path.isdir(path) else []
    return "%s/%d/" % (path, max(taken) + 1 if taken else 0)


def write_fields(path, fields):
    for name, value in fields.items():
        common.write(path + name, value + "\n")


def shell_words(text):
    words, word, quote, started = [], "", "", False
    for c in text:
        if quote:
            if c == quote:
                quote = ""
            else:
                word += c
        elif c in "\"'":
            quote, started = c, True
        elif c == " ":
            if started:
                words.append(word)
            word, started = "", False
        else:
            word += c
            started = True
    return words + [word] if started else words


def address(jail, network):
    """An address out of 10.0.0.0/10, the same every time for that name."""
    n = 5381
    for c in network + "/" + jail:
        n = (n * 33 ^ ord(c)) & 0xffffffff
    return "10.%d.%d.%d" % (n & 63, n >> 8 & 255, 2 + (n >> 16) % 250)


def option_virtualnet(jail, boot, value):
    words = (value or "").split()
    network = words[0].partition(":")[0] if words else ""
    network = network or "ajnet"
    fixed = [w[8:] for w in words if w.startswith("address:")]
    common.write(boot + "network/reserved." + network,
                 (fixed[0] if fixed else address(jail, network)) + "\n")


def option_nat(jail, boot, value):
    names = [w[8:] for w in (value or "").split() if w.startswith("network:")]
    for name in names or [n.partition(".")[2] for n in networks(jail)] \
            or ["ajnet"]:
        ip = common.first_line(boot + "network/reserved." + name)
        common.write(boot + "nat/%s/pf-nat.conf" % name,
                     'nat on "em0" from %s to any -> ("em0:0")\n' %
                     (ip or "10.0.0.0/10"))


def expose_rule(hport, jport, protocol):
    return ('rdr pass on "em0" inet proto %s from any to ("em0:0") port %s -> '
            '10.0.0.2 port %s' % (protocol, hport, jport))


def option_expose(jail, boot, value):
    words = (value or "").split()
    if not words:
        raise common.Exit(EX_USAGE)
    hport, pair, jport = words[0].partition(":")
    if words[0].count(":") > 1:
        # A:B is a range when two pairs of them follow each other.
        numbers = words[0].split(":")
        half = len(numbers) // 2
        hport, jport = ":".join(numbers[:half]), ":".join(numbers[half:])
    flags = dict(w.split(":", 1) for w in words[1:] if ":" in w)
    protocol = "udp" if "udp" in words else flags.get("proto", "tcp")
    names = [n.partition(".")[2] for n in networks(jail)]
    write_fields(next_nro(boot + "expose"), {
        "enabled": "1", "name": flags.get("descr", ""),
        "pf-rule": expose_rule(hport, jport if pair else hport, protocol),
        "network_name": flags.get("network", names[0] if names else ""),
        "hport": hport, "jport": jport if pair else hport,
        "protocol": protocol, "ext_if": flags.get("ext_if", ""),
        "on_if": flags.get("on_if", ""), "ext_ip": flags.get("ext_ip", ""),
    })


def option_fstab(jail, boot, value):
    words = shell_words(value or "")
    words += ["", "", "nullfs", "rw", "0", "0"][len(words):]
    write_fields(next_nro(boot + "fstab"), dict(
        zip(("fs_spec", "fs_file", "fs_vfstype", "fs_mntops", "fs_freq",
             "fs_passno"), words), enabled="1", name=""))


def option_volume(jail, boot, value):
    words = (value or "").split()
    if not words:
        raise common.Exit(EX_USAGE)
    flags = dict(w.split(":", 1) for w in words[1:] if ":" in w)
    base = directory(jail) + "/conf/volumes/%s/" % words[0]
    common.write(base + "mountpoint", flags.pop("mountpoint", "/" + words[0]))
    common.write(base + "type", flags.pop("type", "<pseudofs>"))
    for name in ("uid", "gid", "perm"):
        if name in flags:
            common.write(base + name, flags[name])


def option_limits(jail, boot, value):
    """RESOURCE:ACTION=AMOUNT[/PER] [name:NAME]"""
    words = (value or "").split()
    if not words:
        raise common.Exit(EX_USAGE)
    flags = dict(w.split(":", 1) for w in words[1:] if ":" in w)
    resource, _, action = words[0].partition(":")
    action, _, per = action.partition("/")
    write_fields(next_nro(boot + "limits"), {
        "enabled": "1", "name": flags.get("name", ""), "rule": words[0],
        "resource": resource, "action": action, "per": per})


def option_healthcheck(jail, boot, value):
    """name:value pairs, quoted where there are blanks."""
    given = dict(w.split(":", 1) for w in shell_words(value or "")
                 if ":" in w)
    fields = {
        "enabled": "1", "name": "", "health_type": "host",
        "health_cmd": "", "interval": "30", "retries": "3",
        "start_period": "0", "timeout": "120", "timeout_signal": "SIGTERM",
        "kill_after": "180", "recover_type": "host",
        "recover_cmd": "appjail restart " + jail, "recover_total": "3",
        "recover_timeout": "120", "recover_timeout_signal": "SIGTERM",
        "recover_kill_after": "180"}
    fields.update((k, v) for k, v in given.items() if k in fields)
    write_fields(next_nro(boot + "health"), fields)


def option_device(jail, boot, value):
    write_fields(next_nro(boot + "devfs"), {
        "enabled": "1", "name": "", "rule": value or ""})


def option_label(jail, boot, value):
    name, _, text = (value or "").partition(":")
    if not is_label(name):
        raise common.Exit(EX_DATAERR)
    if name == "overlord.vm":
        # The part of a VM's Makejail that the rest needs.
        for place in (".templates", ".img", ".iso"):
            os.makedirs("%s/%s" % (guest.vm_dir(jail), place), exist_ok=True)
        for place in ("etc", "mnt"):
            os.makedirs("%s/jail/%s" % (directory(jail), place),
                        exist_ok=True)
    common.write(directory(jail) + "/conf/labels/%s/value" % name, text)


def option_file(name, fixed=None):
    def option(jail, boot, value):
        common.write(boot + name,
                     fixed if fixed is not None else (value or "") + "\n")
    return option


OPTIONS = {
    "virtualnet": option_virtualnet,
    "nat": option_nat,
    "expose": option_expose,
    "fstab": option_fstab,
    "volume": option_volume,
    "label": option_label,
    "limits": option_limits,
    "healthcheck": option_healthcheck,
    "device": option_device,
    "boot": option_file("startup/boot", ""),
    "priority": option_file("startup/priority"),
    "ephemeral": option_file("lifetime/ephemeral", ""),
    "devfs_ruleset": option_file("devfs_ruleset"),
}


def write_facts(jail, options):
    container = [v for name, v in options if name == "container"]
    common.write(directory(jail) + "/conf/config.conf", "".join(
        "%s: %s\n" % fact for fact in (
            ("appjail_version", "5.4.0"), ("birth", "%d" % time.time()),
            ("osarch", OSARCH), ("osversion", RELEASE),
            ("jail_type", "thin"), ("release_name", "default"),
            ("container", "1" if container else "0"),
            ("container_image", container[0] or "" if container else ""))))
    common.write(directory(jail) + "/conf/template.conf",
                 "exec.clean\nhost.hostname: \"%s.appjail\"\nmount.devfs\n"
                 % jail)


def misbehave(jail):
    """What the behaviour of the project says a build does, before its
    result; see README.md."""
    rules = common.behaviour(os.environ.get("STANDIN_PROJECT", ""))
    if os.environ.get("STANDIN_FIRST") == "1":
        if "hang-hard" in rules:
            for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, signal.SIG_IGN)
        delay = common.rule_number(rules, "delay")
        if delay > 0:
            time.sleep(delay)
        while "hang" in rules or "hang-hard" in rules:
            time.sleep(3600)
    return int(common.rule_number(rules, "rc"))


def makejail(args):
    jail, script, options = split_options(args)
    if not jail or not script:
        sys.stderr.write("usage: appjail makejail -j JAIL -f MAKEJAIL ...\n")
        return EX_USAGE
    if not common.is_jail_name(jail):
        say("error", jail, "Invalid jail name.")
        return EX_DATAERR
    base = directory(jail)
    os.makedirs(base, exist_ok=True)
    os.chmod(base, 0o700)
    os.makedirs(base + "/jail", exist_ok=True)
    say("info", jail, "Building from %s ..." % script)
    status = misbehave(jail)
    if status != 0:
        say("error", jail, "The build failed.")
        return status
    common.write(base + "/init", "#!/bin/sh\n")
    write_facts(jail, options)
    # What others look up goes first.
    order = {"virtualnet": 0, "nat": 1}
    for name, value in sorted(options, key=lambda o: order.get(o[0], 2)):
        option = OPTIONS.get(name)
        if option is not None:
            option(jail, base + "/conf/boot/", value)
    common.write(base + "/.done", "")
    say("info", jail, "Done.")
    return EX_OK


# start, stop


def start(args):
    jail = need_jail(args)
    rules = common.behaviour(os.environ.get("STANDIN_PROJECT", ""))
    status = int(common.rule_number(rules, "start-rc"))
    if status != 0:
        say("error", jail, "Cannot start the jail.")
        return status
    if is_up(jail):
        say("warn", jail, "The jail is already running.")
        return EX_OK
    program = os.environ.get("STANDIN_JAILD", "")
    if not os.access(program, os.X_OK):
        say("error", jail, "STANDIN_JAILD is not a program: " + program)
        return EX_CONFIG
    common.write(directory(jail) + "/up", "")
    served = [e[0] for e in exposed(jail)[:1]] if "serve" in rules else []
    pid = common.spawn([program, jail, common.root, *served])
    status = common.wait(pid)
    if status != 0:
        common.remove(directory(jail) + "/up")
        say("error", jail, "standin-jaild ended with %d" % status)
        return EX_SOFTWARE
    guest.jail_started(jail)
    say("info", jail, "Started.")
    return EX_OK


def is_jaild(pid):
    name = common.read("/proc/%d/comm" % pid)
    if name is not None:
        return name.strip() == "standin-jaild"
    return common.process_ppid(pid) is not None


def end_process(path):
    pid = common.first_line(path)
    if not pid.isdigit() or not is_jaild(int(pid)):
        return
    os.kill(int(pid), signal.SIGTERM)
    for _ in range(STOP_TRIES):
        if common.process_ppid(int(pid)) is None:
            return
        time.sleep(STOP_PAUSE)
    os.kill(int(pid), signal.SIGKILL)


def stop(args):
    jail = need_jail(args)
    rules = common.behaviour(os.environ.get("STANDIN_PROJECT", ""))
    status = int(common.rule_number(rules, "stop-rc"))
    if status != 0:
        say("error", jail, "Cannot stop the jail.")
        return status
    base = directory(jail)
    if not is_up(jail):
        say("warn", jail, "The jail is not running.")
        return EX_OK
    end_process(base + "/jaild.pid")
    guest.jail_stopped(jail)
    common.remove(base + "/jaild.pid")
    common.remove(base + "/up")
    if os.path.exists(base + "/conf/boot/lifetime/ephemeral"):
        common.remove_tree(base)
    say("info", jail, "Stopped.")
    return EX_OK


# cmd


def run(argv, cwd, env=None):
    if not argv:
        return EX_USAGE
    if argv[0] == "kill":
        return kill(argv[1:])
    if argv == ["realpath", "."]:
        print(os.path.realpath(cwd))
        return EX_OK
    path = argv[0] if "/" in argv[0] else common.which(argv[0])
    if path is None:
        sys.stderr.write("%s: not found\n" % argv[0])
        return 127
    os.chdir(cwd)
    status = common.wait(common.spawn([path] + argv[1:], env=env))
    return 128 - status if status < 0 else status


def jexec(argv, jail):
    """Of what a jail holds there is vm only; anything else, above all a script
    that believes to be in a jail, is taken as run."""
    if argv[:1] != ["vm"]:
        return EX_OK if argv else EX_USAGE
    env = {k: v for k, v in os.environ.items()
           if k == "PATH" or k.startswith("STANDIN_")}
    env["STANDIN_JAIL"] = jail
    return run(argv, directory(jail) + "/jail", env)


def kill(args):
    status = EX_OK
    for pid in args:
        try:
            if pid != "--":
                os.kill(int(pid), signal.SIGTERM)
        except (OSError, ValueError) as e:
            sys.stderr.write("kill: %s: %s\n" % (pid, e))
            status = 1
    return status


def cmd(args):
    kind, args = args[0] if args else "", args[1:]
    if kind == "jaildir":
        return run(args, common.jails)
    if kind not in ("jexec", "local", "chroot"):
        return EX_USAGE
    plain = [a for a in args if a != "-r"]
    jail = need_jail(plain[:1])
    command = plain[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if kind == "jexec" and not is_up(jail):
        say("warn", jail, "The jail is not running.")
        return EX_OK
    if kind == "jexec":
        return jexec(command, jail)
    if kind == "chroot":
        return EX_OK
    inner = "" if "-r" in args[:1] else "/jail"
    return run(command, directory(jail) + inner)


# sysrc, image


def sysrc(args):
    if len(args) < 2 or args[0] != "jail":
        return EX_OK if args else EX_USAGE
    jail = need_jail(args[1:2])
    if not is_up(jail):
        sys.stderr.write("sysrc: %s: jail not found\n" % jail)
        return 1
    path = directory(jail) + "/jail/etc/rc.conf"
    lines = (common.read(path) or "").split("\n")
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    for assignment in args[2:]:
        name, _, value = assignment.partition("=")
        old = values.get(name.rstrip("+"), "").strip('"')
        if name.endswith("+"):
            name, words = name[:-1], old.split()
            value = old if value in words else " ".join(words + [value])
        values[name] = '"%s"' % value
        print("%s: %s -> %s" % (name, old, value))
    common.write(path, "".join("%s=%s\n" % v for v in values.items()))
    return EX_OK


IMAGE_FILES = {
    "./jail/bin/sh": "standin\n",
    "./jail/etc/rc.conf": "",
    "./jail/etc/motd": "image\n",
}


def image(args):
    """import: makes the image up; as AppJail, in its place from the start, with
    the mark beside it when it is whole."""
    if args[:1] != ["import"]:
        return EX_OK if args else EX_USAGE
    import getopt
    given, rest = getopt.getopt(args[1:], "fa:b:N:n:t:")
    flags = dict(given)
    if len(rest) != 1:
        return EX_USAGE
    if rest[0].startswith("unknown"):
        say("error", flags["-n"], "Cannot find the image.")
        return EX_NOINPUT
    base = "%s/images/%s" % (common.root, flags["-n"])
    name = "%s-%s-image.appjail" % (flags["-t"], flags["-a"])
    if os.path.exists("%s/.done-%s" % (base, name)):
        say("info", flags["-n"], "already up to date.")
        return EX_OK
    os.makedirs(base, exist_ok=True)
    import payload
    payload.write_slowly(base + "/" + name, image_bytes())
    common.write("%s/.done-%s" % (base, name), "")
    say("info", flags["-n"], "Saved as %s/%s" % (base, name))
    return EX_OK


def image_bytes():
    import io
    import tarfile
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in IMAGE_FILES.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def accept(args):
    return EX_OK


COMMANDS = {
    "status": status,
    "cpuset": cpuset,
    "label": label,
    "jail": jail_command,
    "makejail": makejail,
    "start": start,
    "stop": stop,
    "cmd": cmd,
    "enable": accept,
    "oci": accept,
    "apply": accept,
    "sysrc": sysrc,
    "image": image,
}


def terminated(signum, *_):
    common.end(EX_SOFTWARE)


def main(name, args):
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, terminated)
    if not args:
        sys.stderr.write("usage: appjail COMMAND ...\n")
        return EX_USAGE
    command = COMMANDS.get(args[0])
    if command is None:
        sys.stderr.write("%s: command not found.\n" % args[0])
        return EX_NOINPUT
    return command(args[1:])
