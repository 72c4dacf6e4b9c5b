# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""appjail-director: projects, their lock, states and logs, kept as Director
0.17 keeps them, and the appjail commands it issues, in its order.

The behaviour of `up` and `down` can be changed for each project; README.md has
the list."""

import _signal as signal
import os
import sys
import time

import common
import miniyaml
from common import EX_CONFIG, EX_DATAERR, EX_NOINPUT, EX_OK, EX_SOFTWARE

FILE = "appjail-director.yml"
STATES = ("done", "failed", "unfinished", "destroying")
SYMBOLS = {"done": "+", "failed": "-", "unfinished": "!", "destroying": "x"}
PRIORITY = 99
CHUNK = 4096
FSTAB_DEFAULTS = {"type": "nullfs", "options": "rw", "dump": 0, "pass": 0}

config = {
    "logs.directory": common.root + "/director/logs",
    "projects.directory": common.root + "/director/projects",
    "locks.directory": common.root + "/director/locks",
    "jails.remove_recursive": "false",
    "jails.remove_force": "true",
    "commands.timeout": "1800",
}


class DirectorError(Exception):
    """An exception of Director; kind is the name of its class."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class Terminated(BaseException):
    """One of the signals that end `up` came."""


# Configuration and usage


def load_config(path):
    section = ""
    for line in (common.read(path) or "").split("\n"):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = line[1:-1].strip()
            continue
        name, separator, value = line.partition("=")
        if not section or not separator:
            print("%s: Exception while loading the configuration file: "
                  "no section or no value: %s" % (path, line))
            raise common.Exit(EX_CONFIG)
        config[section + "." + name.strip()] = os.path.expanduser(
            value.strip())


def load_configs(option):
    # In the place of the system's file, which a test must not depend on; the
    # user's counts when the test has made it, that is, below the root.
    load_config(common.root + "/director.ini")
    home = os.environ.get("HOME", "")
    if (home + "/").startswith(common.root + "/"):
        load_config(home + "/.config/director/director.ini")
    for path in (os.environ.get("DIRECTOR_CONFIG"), option):
        if path is None:
            continue
        if not os.path.isfile(path):
            sys.stderr.write(path + ": Configuration file does not exist.\n")
            raise common.Exit(EX_NOINPUT)
        load_config(path)


def usage(reason):
    sys.stderr.write(
        "Usage: appjail-director [OPTIONS] COMMAND [ARGS]...\n"
        "Try 'appjail-director --help' for help.\n\n"
        "Error: %s\n" % reason)
    raise common.Exit(2)


def parse(args, flags, values, repeated=()):
    """Options to a dict; names are (short or None, long)."""
    found = {name: [] for name in repeated}
    names = {}
    for short, name in flags + values:
        names["--" + name] = name
        if short:
            names["-" + short] = name
    with_value = {name for _, name in values}
    n = 0
    while n < len(args):
        arg, given, value = args[n].partition("=")
        if not arg.startswith("--"):
            arg, given, value = args[n], "", ""
        name = names.get(arg)
        if name is None and len(arg) > 2 and arg[0] == "-" != arg[1]:
            # -pNAME, -jq
            name = names.get(arg[:2])
            if name in with_value:
                given, value = "=", arg[2:]
            elif name is not None:
                args[n:n + 1] = [arg[:2], "-" + arg[2:]]
                continue
        if name is None:
            usage("No such option: " + arg if arg.startswith("-")
                  else "Got unexpected extra argument (%s)" % arg)
        if name in with_value:
            if not given:
                n += 1
                if n == len(args):
                    usage("Option '%s' requires an argument." % arg)
                value = args[n]
            if name in repeated:
                found[name].append(value)
            else:
                found[name] = value
        else:
            found[name] = True
        n += 1
    return found


def project_of(options):
    name = options.get("project") or os.environ.get("DIRECTOR_PROJECT")
    if not name:
        sys.stderr.write(
            "The project name is not specified, use `--project` or\n"
            "set the `DIRECTOR_PROJECT` environment variable.\n")
        raise common.Exit(EX_DATAERR)
    return name


def random_name():
    while True:
        name = os.urandom(5).hex()
        if not name.isdigit():
            return name


# Director files


ALLOWED = {
    "main": ("options", "services", "default_volume_type", "volumes"),
    "service": ("priority", "name", "makejail", "reset_options",
                "ignore_mtime", "options", "arguments", "environment",
                "start-environment", "start-arguments", "start", "oci",
                "volumes", "scripts", "serial"),
}
LISTS = ("options", "arguments", "environment", "start-environment",
         "start-arguments", "start", "volumes")


def invalid(text):
    raise DirectorError("InvalidSpec", text)


def check_keys(kind, where, data):
    for key in data:
        if key not in ALLOWED[kind]:
            invalid('%s: Unknown key "%s".' % (where, key))


def pairs(data, where):
    """A list of one-element mappings, as [(key, text or None)]."""
    if not isinstance(data, list):
        invalid(where + ": Must be a List.")
    found = []
    for nro, item in enumerate(data, 1):
        if not isinstance(item, dict):
            invalid("%s (#%d): Must be a Mapping." % (where, nro))
        if len(item) != 1:
            invalid("%s (#%d): Invalid length. Must have only one element."
                    % (where, nro))
        for key, value in item.items():
            found.append((str(key), None if value is None else str(value)))
    return found


def check_service(name, service):
    where = "services/" + name
    if not isinstance(service, dict):
        invalid(where + ": Must be a Mapping.")
    check_keys("service", where, service)
    for key, kind, text in (("priority", int, "an Integer"),
                            ("serial", int, "an Integer"),
                            ("reset_options", bool, "a Boolean"),
                            ("ignore_mtime", bool, "a Boolean"),
                            ("oci", dict, "a Mapping"),
                            ("scripts", list, "a List")):
        value = service.get(key)
        if value is not None and not isinstance(value, kind):
            invalid("%s (%s): Must be %s." % (where, key, text))
    jail = service.get("name")
    if jail is not None:
        service["name"] = str(jail)
        if not common.is_jail_name(str(jail)):
            invalid(where + " (name): Jail name is incorrect.")
    for key in LISTS:
        if service.get(key) is not None:
            service[key] = pairs(service[key], where + "/" + key)
    for script in service.get("scripts") or ():
        if not isinstance(script, dict) or script.get("text") is None:
            invalid(where + "/scripts (text): Value required but not defined.")


def load_spec(path):
    try:
        spec = miniyaml.load(common.read(path) or "")
    except miniyaml.Error as e:
        raise DirectorError("ParserError", '%s: in "%s"' % (e, path))
    if not isinstance(spec, dict):
        invalid("Invalid document specification.")
    check_keys("main", "<main>", spec)
    if spec.get("options") is not None:
        spec["options"] = pairs(spec["options"], "options")
    if spec.get("services") is None:
        invalid("services: Required but not defined.")
    if not isinstance(spec["services"], dict):
        invalid("services: Must be a Mapping.")
    spec["services"] = {str(k): v for k, v in spec["services"].items()}
    for name, service in spec["services"].items():
        if not common.is_project_name(name):
            invalid("services (%s): Service name is incorrect." % name)
        check_service(name, service)
    volumes = spec.get("volumes") or {}
    if not isinstance(volumes, dict):
        invalid("volumes: Must be a Mapping.")
    for name, volume in volumes.items():
        if not isinstance(volume, dict) or volume.get("device") is None:
            invalid("volumes/%s (device): Value required but not defined."
                    % name)
    return spec


# Logs


class Logs:
    """Directories are made only when something is logged."""

    def __init__(self):
        self.directory = "%s/%s" % (
            config["logs.directory"],
            time.strftime("%Y-%m-%d_%Hh%Mm%Ss", time.localtime()))

    def open(self, name):
        path = self.directory + "/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def exception(self, error):
        import traceback
        fd = self.open("exception.log")
        os.write(fd, "".join(traceback.format_exception(error)).encode(
            "utf-8", "surrogateescape"))
        os.close(fd)
        kind = getattr(error, "kind", type(error).__name__)
        sys.stderr.write("Exception:\n type: %s\n error: %s\n file: %s\n" % (
            kind, error, self.directory + "/exception.log"))


# Projects


class Project:
    def __init__(self, name):
        if not common.is_project_name(name):
            raise DirectorError("InvalidProjectName",
                                name + ": Invalid project name.")
        self.name = name
        self.directory = config["projects.directory"] + "/" + name
        self.file = self.directory + "/" + FILE
        self.lockfile = "%s/%s/lock" % (config["locks.directory"], name)

    def exists(self):
        return os.path.isdir(self.directory)

    def key(self, name):
        return common.read(self.directory + "/" + name)

    def set_key(self, name, text):
        common.write(self.directory + "/" + name, text)

    def unset_key(self, name):
        common.remove(self.directory + "/" + name)

    def state(self):
        return self.key("state") or "unfinished"

    def locked(self):
        return os.path.exists(self.lockfile)

    def lock(self):
        os.makedirs(os.path.dirname(self.lockfile), exist_ok=True)
        if self.locked():
            raise DirectorError(
                "ProjectLocked", "%s: Project locked. Run `rm -f %s` if you "
                "are sure that no other process is locking this project."
                % (self.name, self.lockfile))
        common.write(self.lockfile, "")

    def unlock(self):
        common.remove(self.lockfile)

    def jail(self, service, *specs):
        name = self.key(service + "/name")
        for spec in specs:
            name = name or (spec["services"].get(service) or {}).get("name")
        name = name or random_name()
        self.set_key(service + "/name", name)
        return name


def need_project(name):
    project = Project(name)
    if not project.exists():
        sys.stderr.write(name + ": Project not found.\n")
        raise common.Exit(EX_NOINPUT)
    return project


# appjail


class AppJail:
    """Runs appjail commands and knows which of them are alive."""

    def __init__(self, project):
        self.alive = []
        self.project = project
        self.first = False

    def start(self, args, output, extra=None):
        script = common.which("appjail")
        if script is None:
            raise DirectorError("AppJailScriptNotFound",
                                "AppJail script not found.")
        env = dict(os.environ, STANDIN_PROJECT=self.project,
                   STANDIN_FIRST="1" if self.first else "0", **(extra or {}))
        # No signal between the birth of the child and its name in the list.
        old = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            pid = common.spawn([script] + args, output, env)
            self.alive.append(pid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
        return pid

    def run(self, args, output=None, extra=None):
        null = None
        if output is None:
            output = null = os.open("/dev/null", os.O_RDWR)
        try:
            pid = self.start(args, output, extra)
        finally:
            if null is not None:
                os.close(null)
        status = common.wait(pid)
        self.alive.remove(pid)
        return status

    def value(self, jail, keyword):
        reader, writer = os.pipe()
        try:
            pid = self.start(["jail", "get", "--", jail, keyword], writer)
        finally:
            os.close(writer)
        with open(reader, encoding="utf-8", errors="replace") as f:
            text = f.read()
        common.wait(pid)
        self.alive.remove(pid)
        return text.strip()

    def exists(self, jail):
        return self.run(["jail", "get", "--", jail, "name"]) == 0

    def status(self, jail):
        return self.run(["status", "-q", "--", jail])

    def stop(self, jail, output=None):
        return self.run(["stop", "--", jail], output)

    def destroy(self, jail, output=None):
        args = ["jail", "destroy"]
        for name, option in (("remove_recursive", "-R"),
                             ("remove_force", "-f")):
            if config["jails." + name].lower() in ("true", "yes", "on", "1"):
                args.append(option)
        return self.run(args + ["--", jail], output)

    def end_living(self):
        """What Director does to its children when a signal ends it."""
        living = list(self.alive)
        for pid in living:
            self.run(["cmd", "jaildir", "kill", "--", str(pid)])
        for pid in living:
            try:
                common.wait(pid)
            except ChildProcessError:
                pass
            self.alive.remove(pid)


# up

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM,
          signal.SIGXCPU, signal.SIGXFSZ)
IGNORED = (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGUSR1,
           signal.SIGUSR2)


def ended(signum, *_):
    raise Terminated(signum)


def catch_signals(handler):
    for signum in ENDING:
        signal.signal(signum, handler)


def pour(rules):
    """stdout-bytes and stderr-bytes, a chunk of one and a chunk of the
    other in turn."""
    left = {1: int(common.rule_number(rules, "stdout-bytes")),
            2: int(common.rule_number(rules, "stderr-bytes"))}
    sys.stdout.flush()
    line = (b"The stand-in says this because its behaviour file told it to."
            b"\n")
    chunk = (line * (CHUNK // len(line) + 1))[:CHUNK - 1] + b"\n"
    while any(left.values()):
        for fd, n in left.items():
            if n > 0:
                left[fd] = n - os.write(fd, chunk[:n])


class Up:
    """One run of `up` on a project."""

    def __init__(self, name, file, say, overwrite):
        self.say = say
        self.file = os.path.basename(file)
        self.overwrite = overwrite
        self.project = Project(name)
        self.appjail = AppJail(name)
        self.rules = common.behaviour(name)
        self.logs = Logs()
        self.failed = []
        self.current_jail = None
        self.did = False

    def run(self):
        """The status; the project is left in its final state."""
        p = self.project
        # A signal in here counts when there is a state to leave.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        state, status = "failed", EX_SOFTWARE
        self.open()
        try:
            p.set_key("state", "unfinished")
            p.set_key("ppid", "%d" % os.getppid())
            p.set_key("pid", "%d" % os.getpid())
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            status = self.services()
            state = "done" if status == 0 else "failed"
        except Terminated:
            status = EX_SOFTWARE if self.current_jail else EX_OK
            catch_signals(signal.SIG_IGN)
            self.stop_current()
        except common.Exit as e:
            status = e.status
        finally:
            try:
                self.leave(state)
            except Terminated:
                self.leave(state)
        if status == 0 and state == "done":
            self.say("Finished: " + p.name if self.did else "Nothing to do.")
        return status

    def open(self):
        p = self.project
        p.lock()
        try:
            self.next = load_spec(self.file)
            self.new = not os.path.isfile(p.file)
            self.old = self.next if self.new else load_spec(p.file)
            self.store_file()
        except BaseException:
            p.unlock()
            raise

    def leave(self, state):
        catch_signals(signal.SIG_IGN)
        self.project.unlock()
        self.project.unset_key("pid")
        self.project.unset_key("ppid")
        self.project.set_key("state", state)

    def stop_current(self):
        jail = self.current_jail
        if jail is None:
            return
        if self.appjail.run(["status", "-q", "--", jail]) == 0:
            self.appjail.run(["stop", "--", jail])
        self.appjail.end_living()

    def store_file(self):
        p = self.project
        with open(self.file, "rb") as f:
            text = f.read()
        common.remove(p.file)
        os.makedirs(p.directory, exist_ok=True)
        with open(p.file, "wb") as f:
            f.write(text)
        os.chmod(p.file, 0o440)

    # Which services are made again

    def service(self, name):
        return self.next["services"][name]

    def makejail_mtime(self, name):
        path = self.service(name).get("makejail") or "Makejail"
        try:
            return os.stat(path).st_mtime if os.path.isfile(path) else 0.0
        except OSError:
            return 0.0

    def is_marked(self, name):
        service = self.service(name)
        if self.overwrite or self.new:
            return True
        if self.old["services"].get(name) != service:
            return True
        if self.project.key(name + "/fail") is not None:
            return True
        if not service.get("ignore_mtime"):
            known = self.project.key(name + "/makejail_mtime") or "0.0"
            if float(known) < self.makejail_mtime(name):
                return True
        return (not service.get("reset_options")
                and self.old.get("options") != self.next.get("options"))

    def jail(self, name):
        return self.project.jail(name, self.next, self.old)

    # Steps

    def fail(self, kind, name, status):
        self.failed.append({"type": kind, "service": name})
        self.project.set_key(name + "/fail", "")
        raise common.Exit(status)

    def log(self, name, kind):
        self.did = True
        self.project.set_key("last_log", self.logs.directory)
        return self.logs.open("%s/%s.log" % (name, kind))

    def step(self, kind, name, text, args, extra=None):
        fd = self.log(name, kind)
        try:
            status = self.appjail.run(args, fd, extra)
        finally:
            os.close(fd)
        self.say(text + (" Done." if status == 0 else " FAIL!"))
        return status

    def must(self, kind, name, text, args, extra=None):
        status = self.step(kind, name, text, args, extra)
        if status != 0:
            self.fail(kind, name, status)

    def remove(self, name):
        jail = self.jail(name)
        if not self.appjail.exists(jail):
            return
        ephemeral = self.appjail.value(jail, "ephemeral") == "1"
        running = self.appjail.status(jail) == 0
        if running and self.step(
                "stop", name, "Stopping %s (%s) ..." % (name, jail),
                ["stop", "--", jail]) != 0:
            self.failed.append({"type": "stop", "service": name})
        if ephemeral and running:
            return
        fd = self.log(name, "destroy")
        try:
            status = self.appjail.destroy(jail, fd)
        finally:
            os.close(fd)
        self.say("Destroying %s (%s) ... %s" % (
            name, jail, "Done." if status == 0 else "FAIL!"))
        if status != 0:
            self.fail("destroy", name, status)

    def services(self):
        names = set(self.next["services"])
        dropped = set(self.old["services"]) - names
        for name in [n for n in names if self.is_marked(n)]:
            self.remove(name)
        for name in dropped:
            self.remove(name)
            if os.path.isdir(self.project.directory + "/" + name):
                common.remove_tree(self.project.directory + "/" + name)
        order = sorted(names, key=lambda n: self.service(n).get(
            "priority", PRIORITY))
        for n, name in enumerate(order):
            self.deploy(name, n == 0)
        return EX_OK

    def deploy(self, name, first):
        jail = self.current_jail = self.jail(name)
        missing = (not self.appjail.exists(jail)
                   or self.appjail.value(jail, "dirty") != "0")
        if first:
            self.misbehave(not missing)
        if missing:
            self.create(name, jail, first)
        if self.appjail.status(jail) != 0:
            self.start(name, jail)
        self.project.unset_key(name + "/fail")
        self.scripts(name, jail, True)

    def misbehave(self, wait_here):
        """On the first jail; a build does the waiting itself."""
        if "hang-hard" in self.rules:
            catch_signals(signal.SIG_IGN)
        pour(self.rules)
        if wait_here or "exit-by-signal" in self.rules:
            time.sleep(common.rule_number(self.rules, "delay"))
        if "exit-by-signal" in self.rules:
            common.die_by(int(self.rules["exit-by-signal"]))
        while wait_here and ("hang" in self.rules
                             or "hang-hard" in self.rules):
            time.sleep(3600)

    def create(self, name, jail, first):
        service = self.service(name)
        args = self.makejail_args(service, jail)
        self.project.set_key(name + "/makejail_mtime",
                             str(self.makejail_mtime(name)))
        self.appjail.first = first
        try:
            self.must("makejail", name,
                      "Creating %s (%s) ..." % (name, jail), args,
                      {"GIT_ASKPASS": "true"})
        finally:
            self.appjail.first = False
        start_args = []
        for option, key in (("-s", "start-arguments"), ("-s", "start"),
                            ("-V", "start-environment")):
            for k, v in service.get(key) or ():
                start_args += [option, k + "=" + (v or "")]
        if start_args:
            self.must("enable-start", name, " - Setting up start arguments "
                      "...", ["enable", jail, "start"] + start_args)
        self.oci(name, jail, service.get("oci") or {})
        self.scripts(name, jail, False)

    def oci(self, name, jail, oci):
        for key in ("user", "workdir"):
            if oci.get(key) is not None:
                self.must("oci-" + key, name, " - Setting the %s ..." % key,
                          ["oci", "set-" + key, jail, str(oci[key])])
        for k, v in pairs(oci.get("environment") or [], "oci/environment"):
            self.must("oci-environment", name, " - Setting %s ..." % k,
                      ["oci", "set-env", jail, k, v or ""])

    def scripts(self, name, jail, after_start):
        for script in self.service(name).get("scripts") or ():
            if bool(script.get("post-start")) != after_start:
                continue
            shell = str(script.get("shell") or "/bin/sh -c").split()
            self.must("scripts", name, " - Script ...",
                      ["cmd", str(script.get("type") or "jexec"), jail, "--"]
                      + shell + [str(script["text"])])

    def start(self, name, jail):
        text = "Starting %s (%s) ..." % (name, jail)
        if "hold-output" not in self.rules:
            self.must("start", name, text, ["start", "--", jail])
            return
        # What runs in the jail then holds this program's stderr, as it does
        # with a start command that does not go through a log.
        os.close(self.log(name, "start"))
        status = self.appjail.run(["start", "--", jail], 2)
        self.say(text + (" Done." if status == 0 else " FAIL!"))
        if status != 0:
            self.fail("start", name, status)

    def makejail_args(self, service, jail):
        args = ["makejail", "-j", jail, "-f",
                str(service.get("makejail") or "Makejail")]
        for k, v in service.get("environment") or ():
            args += ["-V", k if v is None else k + "=" + v]
        volumes = self.next.get("volumes") or {}
        for k, mountpoint in service.get("volumes") or ():
            if k not in volumes:
                raise DirectorError("VolumeNotFound", k + ": Volume not found.")
            volume = dict(FSTAB_DEFAULTS)
            if self.next.get("default_volume_type"):
                volume["type"] = self.next["default_volume_type"]
            volume.update(volumes[k])
            quoted = ['"%s"' % str(text).replace('"', '\\"') for text in (
                volume["device"], mountpoint or "", volume["type"],
                volume["options"])]
            args += ["-o", "fstab=%s %s %s" % (
                " ".join(quoted), volume["dump"], volume["pass"])]
        options = [] if service.get("reset_options") else \
            list(self.next.get("options") or ())
        for k, v in options + list(service.get("options") or ()):
            args += ["-o", k if v is None else k + "=" + v]
        if service.get("arguments"):
            args.append("--")
            for k, v in service["arguments"]:
                args += ["--" + k] if v is None else ["--" + k, v]
        return args


def print_result(as_json, rules, status, message, failed):
    if "garbage" in rules:
        sys.stdout.write("{'errlevel': this is no JSON \x1b[31m<<<\x1b[0m\n")
    elif as_json:
        print(common.json_text({"errlevel": status, "message": message,
                                "failed": failed}))


def rules_of(name):
    return common.behaviour(name) if common.is_project_name(name) else {}


def cmd_up(args):
    options = parse(args, [("j", "json"), ("q", "quiet"),
                           (None, "overwrite")],
                    [("f", "file"), ("p", "project")])
    as_json = options.get("json", False)
    quiet = as_json or options.get("quiet", False)
    name = (options.get("project") or os.environ.get("DIRECTOR_PROJECT")
            or random_name())
    file = options.get("file", FILE)

    def say(text):
        if not quiet:
            print(text, flush=True)

    if not os.path.isfile(file):
        message = file + ": Director file cannot be found."
        if as_json:
            print_result(True, {}, EX_NOINPUT, message, [])
        else:
            sys.stderr.write(message + "\n")
        return EX_NOINPUT
    say("Starting Director (project:%s) ..." % name)
    for signum in IGNORED:
        signal.signal(signum, signal.SIG_IGN)
    status, failed, up = EX_SOFTWARE, [], None
    logs = Logs()
    try:
        catch_signals(ended)
        os.chdir(os.path.dirname(os.path.abspath(file)))
        up = Up(name, file, say, options.get("overwrite", False))
        status = up.run()
    except Terminated:
        status = EX_OK
    except Exception as e:
        logs.exception(e)
    if up is not None:
        failed = up.failed
    print_result(as_json, rules_of(name), status, None, failed)
    return status


# down


class Down:
    def __init__(self, name, destroy, ignore_failed, ignore_services, say):
        self.project = Project(name)
        self.appjail = AppJail(name)
        self.destroy = destroy
        self.ignore_failed = ignore_failed
        self.ignore_services = ignore_services
        self.say = say
        self.failed = []

    def run(self, rules):
        """(status, errlevel)"""
        p = self.project
        p.lock()
        state = "failed"
        try:
            p.set_key("state", "destroying")
            while "down-hang" in rules:
                time.sleep(3600)
            time.sleep(common.rule_number(rules, "down-delay"))
            status = int(common.rule_number(rules, "down-rc"))
            if status != 0:
                return status, status
            status = 0 if self.ignore_services else self.services()
            if status == 0:
                state = None if self.destroy else "done"
            return status, 0
        finally:
            if state is None:
                common.remove_tree(p.directory)
            p.unlock()
            if state is not None:
                p.set_key("state", state)

    def services(self):
        spec = load_spec(self.project.file)
        services = spec["services"]
        for name in sorted(services, key=lambda n: -services[n].get(
                "priority", PRIORITY)):
            status = self.service(name, self.project.jail(name, spec))
            if status != 0 and not self.ignore_failed:
                return status
        return EX_OK

    def service(self, name, jail):
        running = self.appjail.status(jail) == 0
        ephemeral = (self.destroy and running
                     and self.appjail.value(jail, "ephemeral") == "1")
        if running:
            ok = self.appjail.stop(jail) == 0
            self.say("Stopping %s (%s) ... %s" % (
                name, jail, "Done." if ok else "FAIL!"))
            if not ok:
                self.failed.append({"type": "stop", "service": name})
        if not self.destroy or ephemeral or not self.appjail.exists(jail):
            return EX_OK
        status = self.appjail.destroy(jail)
        self.say("Destroying %s (%s) ... %s" % (
            name, jail, "Done." if status == 0 else "FAIL!"))
        if status != 0:
            self.failed.append({"type": "destroy", "service": name})
        return status


def cmd_down(args):
    options = parse(args, [("d", "destroy"), ("j", "json"), ("q", "quiet"),
                           (None, "ignore-failed"),
                           (None, "ignore-services")], [("p", "project")])
    name = project_of(options)
    as_json = options.get("json", False)
    quiet = as_json or options.get("quiet", False)

    def say(text):
        if not quiet:
            print(text, flush=True)

    logs = Logs()
    rules = rules_of(name)
    status, errlevel, message, down = EX_SOFTWARE, EX_SOFTWARE, None, None
    try:
        down = Down(name, options.get("destroy", False),
                    options.get("ignore-failed", False),
                    options.get("ignore-services", False), say)
        if down.project.exists():
            say("Starting Director (project:%s) ..." % name)
            status, errlevel = down.run(rules)
        else:
            status = errlevel = EX_NOINPUT
            message = name + ": Project not found."
            if not as_json:
                sys.stderr.write(message + "\n")
    except Exception as e:
        logs.exception(e)
    print_result(as_json, rules, errlevel, message,
                 down.failed if down else [])
    return status


# ls, describe, info, check, cancel


def cmd_ls(args):
    options = parse(args, [], [("s", "state")], repeated=("state",))
    wanted = options["state"] or STATES
    for state in wanted:
        if state not in STATES:
            sys.stderr.write(state + ": Invalid state.\n")
            return EX_DATAERR
    directory = config["projects.directory"]
    names = os.listdir(directory) if os.path.isdir(directory) else []
    if not names:
        print("No project has been created.")
        return EX_OK
    lines = []
    for name in names:
        if not common.is_project_name(name):
            sys.stderr.write("Traceback (most recent call last):\n"
                             "InvalidProjectName: %s\n" % name)
            return 1
        state = Project(name).state()
        if state in wanted:
            lines.append(" %s %s" % (SYMBOLS[state], name))
    print("Projects:")
    for line in lines:
        print(line)
    return EX_OK


def description(project):
    appjail = AppJail(project.name)
    spec = load_spec(project.file)
    services = []
    for name in set(spec["services"]):
        jail = project.jail(name, spec)
        services.append({"name": name, "status": appjail.status(jail),
                         "jail": jail})
    return {"name": project.name, "state": project.state().upper(),
            "last_log": project.key("last_log"),
            "locked": project.locked(), "services": services}


def cmd_describe(args):
    logs = Logs()
    options = parse(args, [], [("p", "project")])
    try:
        print(common.json_text(description(
            need_project(project_of(options)))))
    except DirectorError as e:
        logs.exception(e)
        return EX_SOFTWARE
    return EX_OK


def cmd_info(args):
    logs = Logs()
    options = parse(args, [], [("p", "project")])
    try:
        d = description(need_project(project_of(options)))
    except DirectorError as e:
        logs.exception(e)
        return EX_SOFTWARE
    print("%s:" % d["name"])
    print(" state: " + d["state"])
    print(" last log: %s" % d["last_log"])
    print(" locked: " + ("true" if d["locked"] else "false"))
    print(" services:")
    for s in d["services"]:
        symbol = {0: "+", 1: "-"}.get(s["status"], "!")
        print("  %s %s (%s)%s" % (
            symbol, s["name"], s["jail"],
            "" if symbol != "!" else " [%d]" % s["status"]))
    return EX_OK


def cmd_check(args):
    options = parse(args, [], [("p", "project")])
    name = project_of(options)
    logs = Logs()
    try:
        return EX_OK if Project(name).exists() else EX_NOINPUT
    except DirectorError as e:
        logs.exception(e)
        return EX_SOFTWARE


def cancel(project):
    pid, ppid = project.key("pid"), project.key("ppid")
    if project.state() != "unfinished" or not pid or not ppid:
        return
    actual = common.process_ppid(int(pid))
    if actual is None:
        raise DirectorError("NoSuchProcess",
                            "process PID not found (pid=%s)" % pid)
    if actual != int(ppid):
        raise DirectorError("AccessDenied", "(pid=%s)" % pid)
    os.kill(int(pid), signal.SIGTERM)
    project.unset_key("pid")
    project.unset_key("ppid")


def cmd_cancel(args):
    logs = Logs()
    options = parse(args, [], [("p", "project")])
    try:
        cancel(need_project(project_of(options)))
    except (DirectorError, OSError) as e:
        logs.exception(e)
        return EX_SOFTWARE
    return EX_OK


COMMANDS = {
    "up": cmd_up,
    "down": cmd_down,
    "ls": cmd_ls,
    "describe": cmd_describe,
    "info": cmd_info,
    "check": cmd_check,
    "cancel": cmd_cancel,
}


def main(name, args):
    # Director's children get nothing that it inherited beyond 0, 1 and 2.
    for fd in range(3, 256):
        try:
            os.set_inheritable(fd, False)
        except OSError:
            pass
    option = None
    while args and args[0].startswith("-"):
        if args[0] in ("-c", "--config", "-e", "--env-file") and args[1:]:
            if args[0] in ("-c", "--config"):
                option = args[1]
            args = args[2:]
        elif args[0] in ("-v", "--version"):
            print("appjail-director, version 0.17.0")
            return EX_OK
        else:
            usage("No such option: " + args[0])
    if not args:
        usage("Missing command.")
    command = COMMANDS.get(args[0])
    if command is None:
        usage("No such command '%s'." % args[0])
    load_configs(option)
    return command(args[1:])
