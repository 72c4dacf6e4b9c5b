# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What is kept of projects and jails that have gone (runtime.md 4.4): it goes
some time after them, whatever happens to the daemon meanwhile."""

import shutil

from node import wait_for

OUTCOME = {"operation": "FAILED", "last_update": 1, "job_id": 1}


def keep(node, seconds):
    node.options["jobs"] = {"keep_gone": seconds}
    node.configure({})


def is_known(node, path):
    return node.get(path).status == 200


def wait_forgotten(node, project):
    wait_for(f"{project} to be forgotten", lambda: not is_known(
        node, f"/v1/project/info/{project}"))


def deploy_and_destroy(node, project):
    node.wait_job(node.up(project))
    node.wait_job(node.down(project))


def test_what_came_of_a_project_goes_after_it(make_node):
    node = make_node({"jobs": {"keep_gone": 1}})
    node.start().stop()
    # One that was never there is none that has gone.
    node.put_record("up", "never", OUTCOME)
    node.start()
    node.wait_job(node.up("stays"))
    deploy_and_destroy(node, "web")
    wait_forgotten(node, "web")
    assert not is_known(node, "/v1/project/spec/web")
    for project in ("never", "stays"):
        assert is_known(node, f"/v1/project/info/{project}")
    assert is_known(node, "/v1/project/spec/stays")


def test_who_destroys_can_read_how_that_went(make_node):
    node = make_node().start()
    deploy_and_destroy(node, "web")
    assert node.info("web")["down"]["operation"] == "COMPLETED"
    # What is shorter from now on holds for what is gone already.
    keep(node, 0)
    node.restart()
    wait_forgotten(node, "web")


def test_one_that_comes_again_in_time_keeps_it(make_node):
    node = make_node().start()
    deploy_and_destroy(node, "web")
    deploy_and_destroy(node, "other")
    node.wait_job(node.up("web"))
    keep(node, 0)
    node.restart()
    wait_forgotten(node, "other")
    info = node.info("web")
    assert info["up"]["operation"] == info["down"]["operation"] == "COMPLETED"
    # That it was gone once is forgotten.
    shutil.rmtree(node.standin / "director/projects/web")
    wait_forgotten(node, "web")


def test_a_restart_does_not_forget_to_forget(make_node):
    node = make_node().start()
    deploy_and_destroy(node, "web")
    node.kill()
    keep(node, 1)
    node.start()
    wait_forgotten(node, "web")


def test_nothing_goes_while_a_job_waits(make_node):
    """The next job of the project may want to know what the last one left."""
    node = make_node({"jobs": {"keep_gone": 0}, "max_watch_commands": 1}).start()
    node.behave("other", "hang")
    node.wait_job(node.up("web"))
    other = node.up("other")
    node.wait_job(other, "running")
    again = node.up("web")
    shutil.rmtree(node.standin / "director/projects/web")
    wait_for("the project to be gone",
             lambda: node.request("HEAD", "/v1/project/info/web").status == 404)
    assert is_known(node, "/v1/project/spec/web")
    node.wait_job(node.cancel("other"))
    assert node.wait_job(again)["state"] == "completed"
    assert node.info("web")["up"]["job_id"] == again


def test_what_came_of_a_vm_goes_after_its_jail(make_node):
    node = make_node({"jobs": {"keep_gone": 1}})
    jails = node.standin / "jails"
    for jail in ("db1", "db2"):
        (jails / jail / "conf").mkdir(parents=True)
    node.start().stop()
    for jail in ("db1", "db2"):
        node.put_record("vm", jail, OUTCOME)
    node.start()
    wait_for("the jails", lambda: sorted(
        node.get("/v1/jails").json["jails"]) == ["db1", "db2"])
    shutil.rmtree(jails / "db1")
    wait_for("db1 to be forgotten",
             lambda: not is_known(node, "/v1/vm/db1"))
    assert is_known(node, "/v1/vm/db2")
