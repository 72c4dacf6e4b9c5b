# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Project jobs over the API, to runtime.md 1 and design.md 3.4, 3.5."""

import json
import os
import pathlib
import resource
import signal
import subprocess

from node import STANDINS, is_alive, wait_for


def test_up_runs_director_and_records_what_came_of_it(node):
    job = node.wait_job(node.up("web", environment={"A": "1"}))
    assert job["state"] == "completed"
    assert [s["name"] for s in job["steps"]] == ["up"]
    info = node.info("web")
    assert info["state"] == "DONE" and not info["locked"]
    assert [s["status"] for s in info["services"]] == [0]
    up = info["up"]
    assert up["operation"] == "COMPLETED" and up["job_id"] == job["id"]
    assert up["output"]["rc"] == 0
    assert up["output"]["stdout"] == {"errlevel": 0, "message": None,
                                      "failed": []}
    assert up["restarted"] is False
    assert up["labels"] == {"error": False, "message": None}
    assert 0 <= up["last_update"] < 60
    assert len(node.deployed()) == 1


def test_the_first_command_of_a_deployment_is_up(node):
    node.wait_job(node.up("web"))
    first = node.calls()[0][3]
    assert first[:2] == ["appjail-director", "up"]
    assert first[2:4] == ["-j", "-f"] and first[-2:] == ["-p", "web"]
    # The Director file is gone with its job.
    assert not os.path.exists(first[4])


def test_restart_stops_first_and_says_so(node):
    node.wait_job(node.up("web", restart=True))
    assert node.info("web")["up"]["restarted"] is False
    job = node.wait_job(node.up("web", restart=True))
    assert [s["name"] for s in job["steps"]] == ["down", "up"]
    assert node.info("web")["up"]["restarted"] is True
    down = [c[3] for c in node.calls("appjail-director")
            if c[3][1] == "down"]
    assert down == [["appjail-director", "down", "-j", "-p", "web"]]


def test_a_failing_step_is_incomplete_with_the_reason(node):
    node.behave("web", "rc=3")
    job = node.wait_job(node.up("web"))
    assert job["state"] == "incomplete"
    up = node.info("web")["up"]
    assert up["operation"] == "INCOMPLETED"
    assert up["output"]["rc"] == 3
    assert up["output"]["stdout"]["failed"] == [
        {"type": "makejail", "service": "web"}]
    assert up["labels"]["error"] is True
    assert up["labels"]["message"] == (
        "Project 'web' has an unexpected state 'FAILED'")


def test_garbage_becomes_a_record_with_the_reason(node):
    node.behave("web", "garbage")
    job = node.wait_job(node.up("web"))
    assert job["state"] == "incomplete"
    said = node.info("web")["up"]["output"]["stdout"]
    assert said["failed"] == [] and "no JSON" in said["message"]


def test_ten_megabytes_of_noise_leave_a_tail(make_node):
    node = make_node({"jobs": {"output": 65536}}).start()
    node.behave("web", "stderr-bytes=10000000")
    job = node.wait_job(node.up("web"))
    assert job["state"] == "completed"
    assert 0 < len(node.info("web")["up"]["output"]["stderr"]) <= 65536


def test_what_a_child_says_is_mended_when_it_is_not_utf8(node):
    """A stand-in of a stand-in: any program may be Director."""
    fake = node.root / "fake"
    fake.write_text("#!/bin/sh\nprintf '\\377\\376 no' ; printf '\\377' >&2\n")
    fake.chmod(0o755)
    node.configure({"director": {"command": str(fake)}})
    node.restart()
    job = node.wait_job(node.up("web"))
    assert job["state"] == "incomplete"
    output = node.info("web")["up"]["output"]
    assert output["stderr"] == "\ufffd"
    assert "\ufffd\ufffd no" in output["stdout"]["message"]


def test_destroy_removes_the_project(node):
    node.wait_job(node.up("web"))
    job = node.wait_job(node.down("web"))
    assert job["state"] == "completed"
    assert node.get("/v1/projects").json["projects"] == []
    info = node.info("web")
    assert info["down"]["operation"] == "COMPLETED"
    assert info["down"]["labels"] == {"error": False, "message": None}
    wait_for("the jail's process to end", lambda: not node.deployed())
    last = [c[3] for c in node.calls("appjail-director")][-1]
    assert last == ["appjail-director", "down", "-j", "-d",
                    "--ignore-failed", "-p", "web"]


def test_destroy_of_an_unknown_project_is_complete_with_66(node):
    job = node.wait_job(node.down("nope"))
    assert job["state"] == "completed"
    assert node.info("nope")["down"]["output"]["rc"] == 66


def test_destroy_of_a_failed_project_needs_force(node):
    node.behave("web", "rc=3")
    node.wait_job(node.up("web"))
    job = node.wait_job(node.down("web"))
    assert job["state"] == "incomplete"
    down = node.info("web")["down"]
    assert down["operation"] == "INCOMPLETED" and down["output"] == {}
    assert node.wait_job(node.down("web", force=True))["state"] == "completed"
    assert node.get("/v1/projects").json["projects"] == []


def test_jobs_of_one_project_run_in_order(node):
    node.behave("web", "delay=0.2")
    ids = [node.up("web") for _ in range(3)]
    ends = [node.wait_job(i)["ended_at"] for i in ids]
    assert ends == sorted(ends)
    ups = [c for c in node.calls("appjail-director")]
    for before, after in zip(ups, ups[1:]):
        assert before[4] <= after[0]


def test_cancel_ends_a_hanging_up_and_cancels_what_waits(node):
    node.behave("web", "hang")
    running = node.up("web")
    node.wait_call("appjail", "makejail")
    waiting = node.up("web")
    cancel = node.wait_job(node.cancel("web"))
    assert cancel["state"] == "completed"
    assert "1 queued job cancelled" in cancel["message"]
    assert node.wait_job(waiting)["state"] == "cancelled"
    assert node.wait_job(running)["state"] == "cancelled"
    assert not node.info("web")["locked"]


def test_a_cancel_that_comes_before_director_is_ready(node):
    """Director's cancel says 0 and does nothing until `up` has its lock."""
    gate = node.root / "gate"
    os.mkfifo(gate)
    late = node.root / "late-director"
    late.write_text("#!/bin/sh\n"
                    f'[ "$1" != up ] || [ ! -p {gate} ] || read word <{gate}\n'
                    f"exec {STANDINS}/appjail-director \"$@\"\n")
    late.chmod(0o755)
    with open(gate, "r+b", buffering=0) as f:
        f.write(b"go\n")
        node.configure({"director": {"command": str(late)}})
        node.restart()
        node.wait_job(node.up("web"))
        node.behave("web", "hang")
        running = node.up("web")
        wait_for("the job to run",
                 lambda: node.job(running)["state"] == "running")
        node.wait_job(node.cancel("web"))
        wait_for("Director's cancel to end", lambda: [
            c for c in node.calls("appjail-director")
            if c[3][1] == "cancel" and c[4]])
        f.write(b"go\n")
        assert node.wait_job(running)["state"] == "cancelled"


def test_a_queued_job_can_be_cancelled_alone(node):
    node.behave("web", "hang")
    node.up("web")
    waiting = node.up("web")
    r = node.request("DELETE", f"/v1/jobs/{waiting}")
    assert r.status == 200, r
    assert node.job(waiting)["state"] == "cancelled"
    r = node.request("DELETE", f"/v1/jobs/{waiting}")
    assert r.status == 409, r


def test_a_running_down_is_left_to_finish(node):
    node.wait_job(node.up("web"))
    node.behave("web", "down-delay=1")
    down = node.down("web")
    node.wait_call("appjail-director", "down")
    r = node.request("DELETE", f"/v1/jobs/{down}")
    assert r.status == 409 and "left to finish" in r.json["message"]
    r = node.post("/v1/project/cancel/web")
    assert r.status == 200 and "left to finish" in r.json["message"]
    assert node.wait_job(down)["state"] == "completed"


def test_execution_time_stops_director_and_what_it_deployed_lives(make_node):
    node = make_node({"execution_time": 1}).start()
    node.behave("slow", "hang")
    node.wait_job(node.up("web"))
    deployed = node.deployed()
    job = node.wait_job(node.up("slow"))
    assert job["state"] == "incomplete"
    assert "execution_time" in job["message"]
    assert node.deployed() == deployed and is_alive(deployed[0])


def test_a_restart_of_the_daemon_is_a_non_event(node):
    node.behave("web", "delay=1.5")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    node.restart()
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 1
    assert len([c for c in node.calls("appjail-director")]) == 1


def test_kill_9_of_the_daemon_loses_nothing(node):
    node.behave("web", "delay=1.5")
    ids = [node.up("web"), node.up("web"), node.up("other")]
    node.kill()
    node.start()
    jobs = [node.wait_job(i) for i in ids]
    assert [j["state"] for j in jobs] == ["completed"] * 3
    assert [j["attempt"] for j in jobs] == [1, 1, 1]


def test_a_daemon_killed_while_it_starts_a_command_spends_no_attempt(node):
    node.behave("web", "delay=1000")
    job_id = node.up("web")
    director = node.wait_call("appjail-director", "up")[1]
    node.kill()
    child = next((node.root / "run").glob("**/child"))
    helper = json.loads(child.read_text())["helper"]
    os.kill(helper, signal.SIGKILL)
    wait_for("both to be gone",
             lambda: not is_alive(helper) and not is_alive(director))
    # As the helper leaves it that dies before it opens the gate.
    child.unlink()
    node.behave("web", "")
    node.start()
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 1


def test_kill_9_of_the_helper_is_a_new_attempt(node):
    node.behave("web", "delay=1")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    for pid in node.helpers():
        os.kill(pid, signal.SIGKILL)
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 2
    assert [s["note"] for s in job["steps"]] == ["vanished", None]


def test_attempts_are_limited(make_node):
    node = make_node({"jobs": {"max_attempts": 2}}).start()
    node.behave("web", "hang")
    job_id = node.up("web")
    for attempt in (1, 2):
        wait_for(f"attempt {attempt}", lambda: node.helpers() and
                 node.job(job_id)["attempt"] == attempt)
        for pid in node.helpers():
            os.kill(pid, signal.SIGKILL)
    job = node.wait_job(job_id)
    assert job["state"] == "failed"
    up = node.info("web")["up"]
    assert up["operation"] == "FAILED"
    assert up["exception"]["type"] == "Interrupted"


def test_the_lock_of_our_dead_director_is_removed(node):
    node.behave("web", "delay=30")
    job_id = node.up("web")
    row = node.wait_call("appjail-director", "up")
    node.wait_call("appjail", "makejail")
    os.kill(row[1], signal.SIGKILL)
    assert node.wait_job(job_id)["state"] == "incomplete"
    assert node.info("web")["locked"] is True
    node.behave("web")
    job = node.wait_job(node.up("web"))
    assert job["state"] == "completed"
    assert "lock" in job["message"]


def test_the_lock_of_a_killed_down_does_not_stop_the_up_after_it(node):
    node.wait_job(node.up("web"))
    node.behave("web", "down-delay=30")
    job_id = node.up("web", restart=True)
    row = node.wait_call("appjail-director", "down")
    wait_for("it to hold the lock", lambda: node.info("web").get("locked"))
    node.behave("web")
    os.kill(row[1], signal.SIGKILL)
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and "lock" in job["message"]
    assert [s["rc"] for s in job["steps"]] == [137, 0]


def lock_of(node, project):
    lock = node.standin / "director" / "locks" / project
    lock.mkdir(parents=True, exist_ok=True)
    (lock / "lock").touch()
    return lock / "lock"


def test_a_state_file_cut_by_a_kill_does_not_keep_the_lock(node):
    step = node.wait_job(node.up("web"))["steps"][-1]
    made_at = (step["started_at"] + step["ended_at"]) / 2
    os.utime(lock_of(node, "web"), (made_at, made_at))
    (node.standin / "director" / "projects" / "web" / "state").write_text("")
    job = node.wait_job(node.up("web"))
    assert job["state"] == "completed", job


def test_a_lock_made_after_our_command_is_foreign(node):
    """Somebody works on the project by hand."""
    ended_at = node.wait_job(node.up("web"))["steps"][-1]["ended_at"]
    lock = lock_of(node, "web")
    os.utime(lock, (ended_at + 1, ended_at + 1))
    for _ in range(2):
        job = node.wait_job(node.up("web"))
        assert job["state"] == "failed" and "locked" in job["message"]
        assert lock.exists()
    lock.unlink()
    assert node.wait_job(node.up("web"))["state"] == "completed"


def test_a_lock_made_after_our_command_by_a_director_that_is_gone(node):
    """Ours, where the clock was set back; and of no use, if it is not."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    ended_at = node.wait_job(node.up("web"))["steps"][-1]["ended_at"]
    lock = lock_of(node, "web")
    pid = node.standin / "director" / "projects" / "web" / "pid"
    for who, written, state in ((os.getpid(), 1, "failed"),
                                # That of another, who was here before.
                                (gone.pid, 0, "failed"),
                                (gone.pid, 1, "completed")):
        os.utime(lock, (ended_at + 1, ended_at + 1))
        pid.write_text(str(who))
        os.utime(pid, (ended_at + written, ended_at + written))
        job = node.wait_job(node.up("web"))
        assert job["state"] == state and "lock" in job["message"], (who, job)
    assert not lock.exists()


def test_a_foreign_lock_fails_the_job_and_names_the_pid(node):
    project = node.standin / "director" / "projects" / "web"
    lock = node.standin / "director" / "locks" / "web"
    project.mkdir(parents=True)
    lock.mkdir(parents=True)
    (project / "state").write_text("unfinished")
    (project / "pid").write_text("4242")
    (lock / "lock").touch()
    job = node.wait_job(node.up("web"))
    assert job["state"] == "failed" and "4242" in job["message"]
    assert node.info("web")["up"]["operation"] == "FAILED"
    assert (lock / "lock").exists()


def test_environment_reaches_director_and_nothing_leaks(make_node):
    node = make_node(environment={"FROM_DAEMON": "yes"}).start()
    node.wait_job(node.up("web", environment={"FROM_JOB": "1"}))
    assert not (node.standin / "leaks.log").exists()


def test_commands_get_the_limits_the_daemon_was_started_with(make_node):
    node = make_node()
    fake = node.root / "fake"
    fake.write_text("#!/bin/sh\nulimit -Sn >&2\n")
    fake.chmod(0o755)
    node.configure({"director": {"command": str(fake)}})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    node.spawn(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (200, hard)))
    node.wait_ready()
    node.wait_job(node.up("web"))
    assert node.info("web")["up"]["output"]["stderr"] == "200\n"
    limits = pathlib.Path(f"/proc/{node.process.pid}/limits")
    if limits.exists():
        line = [x for x in limits.read_text().splitlines()
                if x.startswith("Max open files")][0]
        assert line.split()[3] == line.split()[4]


def test_without_director_up_is_503_naming_it(make_node):
    node = make_node({"director": {"command": "no-such-director"}}).start()
    assert "no-such-director" in node.log_text()
    r = node.post("/v1/project/up/web", {"director_file": "services: {}\n"})
    assert r.status == 503 and "no-such-director" in r.json["message"]
