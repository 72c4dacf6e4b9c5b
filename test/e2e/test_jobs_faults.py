# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Project jobs when something goes wrong beneath them: whatever happens, a job
has one end and its project's next job gets its turn."""

import glob
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import threading

import pytest

from node import DAEMON, DIRECTOR_FILE, HELPER, is_alive, wait_for

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


def fake_director(node, script):
    """Any program may be Director."""
    fake = node.root / "fake"
    fake.write_text("#!/bin/sh\n" + script)
    fake.chmod(0o755)
    node.configure({"director": {"command": str(fake)}})


def test_a_job_ends_when_its_record_is_full_of_attempts(make_node):
    """Shutdowns are no attempts that count, but a record has 256 steps."""
    node = make_node()
    fake_director(node, """
        test -e once && exit 66
        kill $PPID
        exec sleep 60
    """)
    node.start()
    job = node.wait_job(node.up("web"))
    assert job["state"] == "failed"
    assert 250 < len(job["steps"]) <= 256
    assert node.info("web")["up"]["exception"]["type"] == "Interrupted"
    assert str(len(job["steps"])) in job["message"]
    (node.root / "once").touch()
    assert node.wait_job(node.up("web"))["state"] == "incomplete"


def limit_files(node, size):
    """The daemon finds the disk full beyond that many bytes of a file."""
    pid = node.process.pid
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_job_that_cannot_begin_can_be_cancelled(make_node):
    """It was taken, and waits for room on the disk."""
    node = make_node({"max_watch_commands": 1}).start()
    node.behave("other", "hang")
    node.behave("web", "hang")
    other, job_id = node.up("other"), node.up("web")
    node.wait_job(other, "running")
    limit_files(node, 0)
    node.configure({"max_watch_commands": 2})
    node.process.send_signal(signal.SIGHUP)
    wait_for("the job to be taken",
             lambda: node.job(job_id)["position"] == 0)
    limit_files(node, resource.RLIM_INFINITY)
    r = node.request("DELETE", f"/v1/jobs/{job_id}")
    assert r.status == 200, r
    assert node.wait_job(job_id)["state"] == "cancelled"
    # Nothing of it is left: a cancel finds the job that runs.
    second = node.up("web")
    node.wait_job(second, "running")
    cancel = node.wait_job(node.cancel("web"))
    assert f"job {second} is asked to end" in cancel["message"]
    assert node.wait_job(second)["state"] == "cancelled"


def test_who_asks_a_job_to_end_is_told_when_that_is_on_disk(make_node):
    node = make_node().start()
    node.behave("web", "hang-hard")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    limit_files(node, 0)
    r = node.request("DELETE", f"/v1/jobs/{job_id}")
    assert r.status in (503, 507), r
    limit_files(node, resource.RLIM_INFINITY)
    r = wait_for("room", lambda: (lambda r: r if r.status == 200 else None)(
        node.request("DELETE", f"/v1/jobs/{job_id}")))
    assert "has been asked to end" in r.json["message"]
    node.kill()
    for row in node.calls("appjail-director"):
        if row[3][1] == "up":
            node.signal(row[1], signal.SIGKILL)
    node.start()
    assert node.wait_job(job_id)["state"] == "cancelled"


def try_cancel(node, project):
    r = node.post("/v1/project/cancel/" + project)
    # 503: the store is opened again after a failed write, for a moment.
    assert r.status in (200, 503, 507), r
    return r.json.get("job_id")


class FlickeringDisk(threading.Thread):
    """Is full for a moment, again and again."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node = node
        self.enough = threading.Event()

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.enough.set()
        self.join()

    def run(self):
        while not self.enough.wait(0.002):
            limit_files(self.node, 0)
            self.enough.wait(0.002)
            limit_files(self.node, resource.RLIM_INFINITY)


def test_a_cancel_on_a_full_disk_is_carried_out_later(make_node):
    """It ends when what it cancels is cancelled on disk."""
    node = make_node({"max_watch_commands": 1}).start()
    node.behave("other", "hang")
    node.wait_job(node.up("other"), "running")
    for _ in range(3):
        jobs = [node.up("web", director_file=20000 * "#")
                for _ in range(100)]
        with FlickeringDisk(node):
            job_id = wait_for("the cancel to be taken",
                              lambda: try_cancel(node, "web"))
            select.select([], [], [], 0.1)
        wait_for("the cancel to be over", lambda: node.get(
            f"/v1/jobs/{job_id}").json.get("job", {}).get("ended_at"))
        cancel = node.job(job_id)
        assert cancel["message"] == "100 queued jobs cancelled"
        assert {node.job(j)["state"] for j in jobs} == {"cancelled"}


def test_an_interrupted_destroy_goes_on(node):
    """Its own traces are no reason to stop."""
    node.wait_job(node.up("web"))
    node.behave("web", "down-delay=30")
    job_id = node.down("web")
    node.wait_call("appjail-director", "down")
    wait_for("Director to be at it",
             lambda: node.info("web").get("state") == "DESTROYING")
    node.behave("web")
    for pid in node.helpers():
        node.signal(pid, signal.SIGKILL)
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 2
    assert node.get("/v1/projects").json["projects"] == []
    assert node.info("web")["down"]["labels"]["error"] is False


def test_the_environment_of_a_command(make_node):
    """The daemon's, the job's over it, and two that are always ours; many."""
    node = make_node(environment={"BOTH": "daemon", "MINE": "daemon"})
    fake_director(node, "env -0 > env.txt; exit 66")
    node.start()
    many = {f"VAR{i}": str(i) for i in range(10000)}
    node.wait_job(node.up("web", environment={
        "BOTH": "job", "BOT": "short", "EMPTY": "", "OVERLORD_METADATA": "x",
        "LINES": "a\nb=c", **many}))
    text = (node.root / "env.txt").read_text().rstrip("\0")
    pairs = [p.split("=", 1) for p in text.split("\0")]
    env = dict(pairs)
    assert len(env) == len(pairs)
    assert env["BOTH"] == "job" and env["BOT"] == "short"
    assert env["MINE"] == "daemon" and env["EMPTY"] == ""
    assert env["LINES"] == "a\nb=c"
    assert env["OVERLORD_METADATA"] == str(node.root / "state" / "metadata")
    assert env["OVERLORD_NAMESPACES"] == str(node.root / "state" / "namespace")
    assert many.items() <= env.items()
    assert env["PATH"] == node.env()["PATH"]


def test_a_reboot_that_leaves_no_run_directories_is_an_attempt(make_node):
    """As where they are in memory."""
    node = make_node({"jobs": {"max_attempts": 2}}).start()
    node.behave("web", "hang")
    job_id = node.up("web")
    for attempt in (1, 2):
        wait_for("the command to run", lambda: [
            c for c in node.calls("appjail") if c[3][1] == "makejail"
            and is_alive(c[1])])
        node.kill()
        for row in node.calls():
            node.signal(row[1], signal.SIGKILL)
        for pid in node.helpers():
            node.signal(pid, signal.SIGKILL)
        shutil.rmtree(node.root / "run")
        node.start()
        wait_for("that to be noticed", lambda: [
            s["note"] for s in node.job(job_id)["steps"]
        ][:attempt] == ["vanished"] * attempt)
    assert node.wait_job(job_id)["state"] == "failed"


def test_run_directories_removed_beneath_a_daemon_are_made_again(node):
    node.wait_job(node.up("web"))
    shutil.rmtree(node.root / "run" / "jobs")
    assert node.wait_job(node.up("web"))["state"] == "completed"


def test_a_cancel_outlives_the_daemon(node):
    """Killed while it was at it, it asks again."""
    node.behave("web", "hang-hard")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    node.wait_job(node.cancel("web"))
    node.kill()
    for row in node.calls("appjail-director"):
        if row[3][1] == "up":
            node.signal(row[1], signal.SIGKILL)
    node.start()
    assert node.wait_job(job_id)["state"] == "cancelled"
    wait_for("all runs to be tidied up", lambda: not node.runs())


def said(node, document):
    """What a record shows of a Director that prints this document."""
    (node.root / "document").write_text(document)
    job = node.wait_job(node.up("web"))
    return job["state"], node.info("web")["up"]["output"]["stdout"]


def test_what_director_prints_is_kept_as_far_as_it_can_be(make_node):
    """A record of it must be readable again."""
    node = make_node({"jobs": {"output": 8 << 20}})
    fake_director(node, "cat document; printf 'a\\000b' >&2")
    node.start()
    fine = {"errlevel": 0, "message": None, "failed": []}
    assert said(node, json.dumps(fine)) == ("completed", fine)
    assert node.info("web")["up"]["output"]["stderr"] == "a?b"
    for document in (
            '{"errlevel": 0, "x": ' + 62 * "[" + 62 * "]" + "}",
            '{"errlevel": 0, "x": [' + 65490 * "1," + "1]}",
            '{"errlevel": 0, "x": "' + 5000000 * "x" + '"}'):
        state, got = said(node, document)
        assert state == "incomplete" and "too large" in got["message"]
    for document in ('{"errlevel": 0}\0', '{"errlevel": 0} x', "[]", "",
                     '{"errlevel": 99999999999999999999}',
                     '{"errlevel": "0"}'):
        assert said(node, document)[0] == "incomplete"


def test_a_job_waits_for_memory(make_node):
    """It is neither lost nor failed for want of it."""
    if b"__asan_init" in DAEMON.read_bytes():
        pytest.skip("the address sanitizer ends a program without memory")
    # Large blocks go back to the system, so that the limit is felt.
    node = make_node({"max_watch_commands": 1}, environment={
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072"}).start()
    node.behave("other", "hang")
    other = node.up("other")
    node.wait_call("appjail", "makejail")
    web = node.up("web", director_file=DIRECTOR_FILE + 5000000 * "#")
    pid = node.process.pid
    # Less than it has: what is free already is all there is.
    resource.prlimit(pid, resource.RLIMIT_AS, (
        1 << 30, resource.RLIM_INFINITY))
    node.request("DELETE", f"/v1/jobs/{other}")
    wait_for("the job to be taken", lambda: "cannot be loaded" in
             node.log_text())
    # Nor can it be shown.
    r = node.get(f"/v1/jobs/{web}")
    assert r.status == 503 and "out of memory" in r.text
    resource.prlimit(pid, resource.RLIMIT_AS, (
        resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert node.wait_job(web)["state"] == "completed"


def test_what_a_command_said_is_read_when_there_are_descriptors(node):
    node.behave("web", "delay=0.5")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    pid = node.process.pid
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    fds = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    # The lowest free one and no more.
    first = min(set(range(len(fds) + 1)) - fds)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (first + 1, old[1]))
    wait_for("it to be tried", lambda: "cannot read what the command said" in
             node.log_text())
    resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
    assert node.wait_job(job_id)["state"] == "completed"
    assert node.info("web")["up"]["output"]["stdout"]["errlevel"] == 0


def test_a_helper_that_is_short_of_something_is_tried_again(make_node):
    """As the daemon itself: what is short may be there in a moment."""
    node = make_node()
    helper = node.root / "overlord-exec"
    # Enough to say what is wrong, and not for the pipes of a command.
    helper.write_text(f"""#!/bin/sh
        test -e '{node.root}/enough' || ulimit -n 9
        exec '{HELPER}' "$@"
    """)
    helper.chmod(0o755)
    node.configure({"helper": str(helper)})
    node.start()
    job_id = node.up("web")
    wait_for("it to be tried again",
             lambda: node.log_text().count("not started yet") > 1)
    assert node.job(job_id)["state"] == "running"
    assert not node.calls("appjail-director")
    node.kill()
    node.start()
    (node.root / "enough").touch()
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 1, job
    assert len(node.calls("appjail-director")) == 1


# To jobs of a node whose clock is another: theirs is the machine's.
PLAIN = {"environment": {"LD_PRELOAD": ""}}


@pytest.fixture(name="ahead")
def fixture_ahead(make_node, request):
    """A node an hour ahead, and the file that says so."""
    if not FAKETIME:
        pytest.skip("needs libfaketime")
    if b"__asan_init" in DAEMON.read_bytes():
        pytest.skip("the address sanitizer wants to be loaded first")
    node = make_node(environment={
        "LD_PRELOAD": FAKETIME[0], "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"})
    clock = node.root / "clock"
    clock.write_text("+3600\n")
    node.environment["FAKETIME_TIMESTAMP_FILE"] = str(clock)
    node.start()
    # It leaves them behind.
    for name in ("faketime_shm_", "sem.faketime_sem_"):
        shared = pathlib.Path(f"/dev/shm/{name}{node.process.pid}")
        request.addfinalizer(lambda f=shared: f.unlink(missing_ok=True))
    return node, clock


def test_the_lock_of_our_dead_director_when_the_clock_was_set_back(ahead):
    """An hour, while it ran; a lock that is made later is still foreign."""
    node, clock = ahead
    node.behave("web", "delay=30")
    job_id = node.up("web", **PLAIN)
    row = node.wait_call("appjail-director", "up")
    node.wait_call("appjail", "makejail")
    clock.write_text("+0\n")
    node.signal(row[1], signal.SIGKILL)
    step = node.wait_job(job_id)["steps"][-1]
    assert step["ended_at"] < step["started_at"]
    lock = node.standin / "director" / "locks" / "web" / "lock"
    made_at = lock.stat().st_mtime
    os.utime(lock, (made_at, step["ended_at"] + 1))
    assert node.wait_job(node.up("web", **PLAIN))["state"] == "failed"
    os.utime(lock, (made_at, made_at))
    node.behave("web")
    job = node.wait_job(node.up("web", **PLAIN))
    assert job["state"] == "completed" and "lock" in job["message"], job


def test_the_lock_of_a_killed_down_when_the_clock_was_set_back(ahead):
    """Its end is not on disk yet when the lock is looked at."""
    node, clock = ahead
    node.wait_job(node.up("web", **PLAIN))
    node.behave("web", "down-delay=30")
    job_id = node.up("web", restart=True, **PLAIN)
    row = node.wait_call("appjail-director", "down")
    wait_for("it to hold the lock", lambda: node.info("web").get("locked"))
    clock.write_text("+0\n")
    node.behave("web")
    node.signal(row[1], signal.SIGKILL)
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and "lock" in job["message"], job
    assert [s["rc"] for s in job["steps"]] == [137, 0]
