# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A backup of a store at work, and going back to it."""

import os
import resource
import shutil
import subprocess

import pytest

from node import BUILD, DAEMON, DEADLINE

SCHEMA_TOOL = BUILD / "test" / "unit" / "support" / "store_schema"


def overlordd(node, *args, **kwargs):
    return subprocess.run(
        [DAEMON, *args, "-f", node.config], env=node.env(), cwd=node.root,
        capture_output=True, text=True, timeout=DEADLINE, **kwargs)


def backup(node, name="copy"):
    r = overlordd(node, "--backup", node.root / name)
    assert r.returncode == 0, r.stderr
    return node.root / name


def contents(node):
    """What stands in the state directory, and the store's bytes."""
    state = node.root / "state"
    names = {str(f.relative_to(state)) for f in state.rglob("*")
             if f.name != "lock.mdb"}
    return names, (state / "state" / "data.mdb").read_bytes()


def aside(node):
    (found,) = (node.root / "state").glob("state-*")
    return found


def test_a_backup_of_a_store_at_work_is_restored(node):
    good, bad = node.token(jti="good"), node.token(jti="bad")
    done = [node.wait_job(node.up("web"))["id"] for _ in range(2)]
    node.request("DELETE", "/v1/tokens/bad")
    node.behave("slow", "hang")
    running = node.up("slow")
    node.wait_call("appjail-director", "slow")
    waiting = node.up("slow")
    copy = backup(node)
    before = {i: node.job(i) for i in done}
    later = node.up("other")
    node.wait_job(later)
    # Not beneath a daemon.
    r = overlordd(node, "--restore", copy)
    assert r.returncode == 69, r
    assert f"another overlordd (pid {node.process.pid}) uses" in r.stderr
    assert node.job(later)["state"] == "completed"

    assert node.stop() == 0
    r = overlordd(node, "--restore", copy)
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == (f"the store is that of {copy}\n"
                        f"what was there is in {aside(node)}\n")
    data = node.root / "state" / "state" / "data.mdb"
    assert data.stat().st_mode & 0o777 == 0o600
    assert aside(node).stat().st_mode & 0o777 == 0o700
    assert not (node.root / "state" / "restore").exists()
    assert "sound" in overlordd(node, "--check").stdout
    node.start()
    # The same jobs and tokens; the command that ran is still the same one.
    assert {i: node.job(i) for i in done} == before
    assert node.get("/v1/ping", token=good).status == 200
    assert node.get("/v1/ping", token=bad).status == 401
    job = node.job(running)
    assert (job["state"], job["attempt"]) == ("running", 1)
    assert len(node.helpers()) == 1
    node.behave("slow")
    node.cancel("slow")
    assert node.wait_job(running)["state"] == "cancelled"
    assert node.wait_job(waiting)["state"] == "cancelled"
    # What came after the backup is not known, and its number not used again.
    assert node.get(f"/v1/jobs/{later}").status == 404
    assert node.up("web") > 1000000

    # And back again.
    assert node.stop() == 0
    r = overlordd(node, "--restore", aside(node))
    assert r.returncode == 0, r.stderr
    node.start()
    assert node.job(later)["state"] == "completed"
    assert node.wait_job(running)["state"] in ("interrupted", "completed",
                                               "cancelled", "failed")


def test_a_new_machine(node, make_node):
    """With the key and the id, which are files beside the store."""
    ids = [node.wait_job(node.up(name))["id"] for name in ("a", "b")]
    copy = backup(node)
    new = make_node(name="new")
    r = overlordd(new, "--restore", copy)
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == f"the store is that of {copy}\n"
    shutil.copy2(node.keyfile, new.keyfile)
    shutil.copy2(node.root / "state" / "serverid", new.root / "state")
    new.start()
    for i in ids:
        assert new.get(f"/v1/jobs/{i}", token=node.token()).json["job"] == \
            node.job(i)


def damage_nothing_there(copy):
    shutil.rmtree(copy)
    return 66, "No such file"


def damage_garbage(copy):
    (copy / "data.mdb").write_bytes(b"x" * 40960)
    return 65, str(copy)


def damage_empty(copy):
    (copy / "data.mdb").write_bytes(b"")
    return 65, "is no backup"


def damage_of_somebody_else(copy):
    shutil.copy(copy.parent / "state" / "cache" / "data.mdb", copy)
    return 65, str(copy)


def damage_cut_short(copy):
    data = copy / "data.mdb"
    os.truncate(data, data.stat().st_size // 2 // 4096 * 4096)
    return 65, str(copy)


def damage_another_schema(copy):
    top = copy.parent / "tool"
    top.mkdir()
    copy.rename(top / "state")
    subprocess.run([SCHEMA_TOOL, top, "7"], check=True)
    (top / "state").rename(copy)
    return 70, "schema 7 is newer than this program's 1"


def damage_a_directory(copy):
    (copy / "data.mdb").unlink()
    (copy / "data.mdb").mkdir()
    return 65, "is no backup"


@pytest.mark.parametrize("damage", (
    damage_nothing_there, damage_garbage, damage_empty,
    damage_of_somebody_else, damage_cut_short, damage_another_schema,
    damage_a_directory), ids=lambda f: f.__name__[7:])
def test_what_is_no_backup_changes_nothing(node, damage):
    for _ in range(3):
        node.wait_job(node.up("web", director_file="services: {}\n#"
                              + "x" * 50000))
    copy = backup(node)
    assert node.stop() == 0
    before = contents(node)
    code, text = damage(copy)
    r = overlordd(node, "--restore", copy)
    assert r.returncode == code, r
    assert text in r.stderr and r.stdout == "", r
    assert r.stderr.startswith("overlordd: ") and r.stderr.count("\n") == 1
    assert contents(node) == before


def test_nothing_is_made_for_a_backup_that_is_not_there(make_node):
    node = make_node()
    r = overlordd(node, "--restore", node.root / "none")
    assert r.returncode == 66 and str(node.root / "none") in r.stderr
    assert not (node.root / "state").exists()


def test_without_room_nothing_changes(node):
    node.wait_job(node.up("web"))
    copy = backup(node)
    assert node.stop() == 0
    before = contents(node)
    r = overlordd(node, "--restore", copy, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (8192, 8192)))
    assert r.returncode not in (0, 70), r
    assert "File too large" in r.stderr and str(copy) in r.stderr, r
    assert contents(node) == before


def test_one_that_was_killed_is_begun_anew(node):
    node.wait_job(node.up("web"))
    copy = backup(node)
    assert node.stop() == 0
    left = node.root / "state" / "restore" / "state"
    left.mkdir(parents=True)
    (left / "data.mdb").write_bytes(b"half")
    r = overlordd(node, "--restore", copy)
    assert r.returncode == 0, r
    assert not left.parent.exists()
    node.start()
    assert node.job(1)["state"] == "completed"
