# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The port in docs/port fits the source. The files it installs are compared in
test_install.py."""

import json
import re
import subprocess

import port
from node import BUILD, CLIENT, DAEMON, HELPER, REPO

# Of FreeBSD's base system and of the compiler.
BASE = re.compile(r"lib(c|m|z|ssl|crypto|pthread|thr|gcc_s|[atu]b?san)\.so|ld-")


def introspect(build, what):
    out = subprocess.run(["meson", "introspect", what, build], check=True,
                         stdout=subprocess.PIPE).stdout
    return json.loads(out)


def test_the_version_is_that_of_the_source():
    version = introspect(BUILD, "--projectinfo")["version"]
    assert port.variable("DISTVERSION") == [version]


def test_its_options_install_what_it_lists(tmp_path):
    build = tmp_path / "_build"
    subprocess.run(
        ["meson", "setup", "--prefix", "/usr/local", "--buildtype", "release",
         "--strip", *port.variable("MESON_ARGS"), build, REPO],
        check=True, stdout=subprocess.DEVNULL)
    installed = set(introspect(build, "--installed").values())
    files, _ = port.plist()
    # USE_RC_SUBR lists this one.
    scripts = {f"etc/rc.d/{s}" for s in port.variable("USE_RC_SUBR")}
    listed = {"/usr/local/" + f.removesuffix(".gz")
              for f in scripts | set(files)}
    assert installed == listed
    assert not scripts & set(files)


def test_its_service_script_is_the_installed_one(tmp_path):
    (script,) = port.variable("USE_RC_SUBR")
    text = (port.PORT / "files" / f"{script}.in").read_text()
    built = (BUILD / "daemon" / "rc.d" / script).read_text()
    prefix = next(o["value"] for o in introspect(BUILD, "--buildoptions")
                  if o["name"] == "prefix")
    assert text.replace("%%PREFIX%%", prefix) == built


def test_it_depends_on_what_is_linked():
    linked = set()
    for program in (CLIENT, DAEMON, HELPER):
        out = subprocess.run(["readelf", "-d", program], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        linked.update(re.findall(r"\(NEEDED\).*\[(.*)\]", out))
    linked = {name for name in linked if not BASE.match(name)}
    depends = {d.partition(".so:")[0] for d in port.variable("LIB_DEPENDS")}
    for name in linked:
        assert any(name.startswith(d) for d in depends), name
    for d in depends:
        assert any(name.startswith(d) for name in linked), d


def test_directories_are_those_of_the_service_script():
    _, directories = port.plist()
    script = (port.PORT / "files" / "overlordd.in").read_text()
    made = re.search(r"install -d .* -m 0(\d+) (.*?) \|\|", script, re.S)
    assert directories == {
        d: int(made[1], 8) for d in made[2].replace("\\\n", " ").split()
        if not d.startswith("/var/run/")}
    makefile = (port.PORT / "Makefile").read_text()
    for d in directories:
        assert f"${{STAGEDIR}}{d}" in makefile


def test_the_log_of_the_default_configuration_is_rotated():
    entry = (REPO / "daemon/files/newsyslog.conf").read_text().splitlines()[-1]
    log, owner, mode, count, size, _, flags, pidfile = entry.split()
    page = (REPO / "docs" / "overlordd.8").read_text()
    for path in (log, pidfile):
        assert f".It Pa {path}\n" in page
    assert owner == "root:wheel" and int(mode, 8) & 0o7 == 0
    assert int(count) > 0 and int(size) > 0
    # Made anew, and signalled with HUP, which is the default.
    assert "C" in flags and "N" not in flags
