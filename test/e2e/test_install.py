# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Where `ninja install` puts things, and that what it installs fits together."""

import json
import re
import stat
import subprocess

import pytest

import port
from node import BUILD, REPO

# What the port lists, as a build installs it: the framework compresses pages,
# and writes its own copy of the service script.
FILES = {name.removesuffix(".gz") if name.startswith("share/man/") else name
         for name in port.plist()[0]} | {"etc/rc.d/overlordd"}
PROGRAMS = ("bin/", "sbin/", "libexec/", "etc/rc.d/")


def mode(name):
    is_program = name.startswith(PROGRAMS) and not name.endswith(".subr")
    return 0o755 if is_program else 0o644


def option(name):
    out = subprocess.run(["meson", "introspect", "--buildoptions", BUILD],
                         check=True, stdout=subprocess.PIPE).stdout
    return next(o["value"] for o in json.loads(out) if o["name"] == name)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The directory that holds what would be below the prefix."""
    dest = tmp_path_factory.mktemp("destdir")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild",
                    "--destdir", dest], check=True, stdout=subprocess.DEVNULL)
    return dest / option("prefix").lstrip("/")


def where(installed, name):
    if name.startswith("share/man/"):
        return installed / option("mandir") / name[len("share/man/"):]
    return installed / name


def test_everything_is_where_an_admin_expects_it(installed):
    found = {str(f.relative_to(installed)) for f in installed.rglob("*")
             if f.is_file()}
    wanted = {str(where(installed, n).relative_to(installed)) for n in FILES}
    assert found == wanted
    for name in FILES:
        assert stat.S_IMODE(where(installed, name).stat().st_mode) == \
            mode(name), name
    # Nobody else puts a program there.
    for d in installed.rglob("*"):
        assert d.is_symlink() or not d.stat().st_mode & 0o022, d


def test_every_page_is_listed():
    assert {name.rpartition("/")[2] for name in FILES if "/man/" in name} == {
        page.name for page in (REPO / "docs").glob("*.[1578]")}


def test_the_programs_know_their_places(installed):
    prefix = option("prefix")
    usage = subprocess.run([installed / "sbin" / "overlordd", "-h"],
                           stdout=subprocess.PIPE, text=True).stdout
    assert f"{prefix}/etc/overlord.yml" in usage
    for program, name in (("bin/overlord", "overlord"),
                          ("sbin/overlordd", "overlordd")):
        out = subprocess.run([installed / program, "--version"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        assert re.fullmatch(name + r", version \d+\.\d+\.\d+\n", out)
    # Without "helper" in the configuration this is what is run.
    assert (prefix + "/libexec/overlord").encode() in \
        (installed / "sbin" / "overlordd").read_bytes()


def test_the_script_of_pkgbase_knows_its_repository(installed):
    name = "libexec/overlord/vm-install-from-pkgbase.sh"
    script = (installed / name).read_text()
    (given,) = re.findall("^repositories=(.*)$", script, re.M)
    prefix = option("prefix")
    assert given == f"{prefix}/share/overlord/files/pkgbase"
    assert (installed / given[len(prefix) + 1:] / "base.conf").exists()


def test_the_service_script_is_filled_in(installed):
    prefix = option("prefix")
    script = (installed / "etc" / "rc.d" / "overlordd").read_text()
    assert "@" not in script and "%%" not in script
    assert f"command={prefix}/sbin/overlordd\n" in script
    assert f"overlordd_config:={prefix}/etc/overlord.yml" in script
    assert subprocess.run(["sh", "-n", installed / "etc/rc.d/overlordd"]
                          ).returncode == 0


def test_the_pages_name_the_variables_of_the_script(installed):
    script = (installed / "etc" / "rc.d" / "overlordd").read_text()
    page = (REPO / "docs" / "overlordd.8").read_text()
    for name in re.findall(r"^# (overlordd_\w+) \(", script, re.M):
        assert f".It Va {name}\n" in page, name
