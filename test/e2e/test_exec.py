# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""overlord-exec by itself, started as the daemon starts it: what it leaves in
the run directory, whatever is done to it."""

import fcntl
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
HELPER = BUILD.resolve() / "daemon" / "overlord-exec"
DEADLINE = 120
KILLS = 60


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            pytest.fail("waited in vain for " + what)
        time.sleep(0.002)


def alive(pid):
    """Whether it runs; a zombie does not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


class Run:
    def __init__(self, path, spec=None, start=True):
        self.path = path
        path.mkdir()
        if spec is not None:
            (path / "spec.json").write_bytes(spec)
        os.mkfifo(path / "fifo")
        self.fifo = os.open(path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self.pid = None
        if start:
            self.start()

    def start(self, fsize=None, env=None):
        writer = os.open(self.path / "fifo", os.O_WRONLY)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50) for fd in (writer, lock)]
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        if fsize is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fsize, old[1]))
        try:
            self.pid = os.posix_spawn(
                HELPER,
                ["overlord-exec", str(self.path)],
                env or {},
                file_actions=[(os.POSIX_SPAWN_DUP2, high[0], 3),
                              (os.POSIX_SPAWN_DUP2, high[1], 4)],
                setsigmask=signal.valid_signals(),
            )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
            for fd in (writer, lock, *high):
                os.close(fd)

    def held(self):
        try:
            if os.read(self.fifo, 1) != b"":
                return True
        except BlockingIOError:
            return True
        with open(self.path / "lock") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def wait(self):
        wait_for("the end of the run", lambda: not self.held())
        os.close(self.fifo)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def read(self, name):
        path = self.path / name
        return path.read_bytes() if path.exists() else None

    def json(self, name):
        text = self.read(name)
        return None if text is None else json.loads(text)


def spec(argv, env=None, **more):
    return json.dumps({
        "version": 1,
        "deadline_ms": 0,
        "grace_ms": 500,
        "output_max": 65536,
        "argv": argv,
        "envp": [f"{k}={v}" for k, v in (env or {}).items()] + ["PATH=/usr/bin:/bin"],
        **more,
    }).encode()


def sh(script, **more):
    return spec(["sh", "-c", script], **more)


def test_a_run_leaves_its_result(tmp_path):
    run = Run(tmp_path / "run", sh("echo out; echo err >&2; exit 5"))
    assert run.wait() == 0
    result = run.json("result.json")
    assert (result["how"], result["code"]) == ("exited", 5)
    assert run.read("stdout") == b"out\n"
    assert run.read("stderr") == b"err\n"
    child = run.json("child")
    assert child["helper"] == run.pid
    assert not alive(child["pid"])
    # Nothing temporary is left, and nobody else may read.
    names = {p.name: p.stat().st_mode & 0o777 for p in run.path.iterdir()}
    assert set(names) == {"spec.json", "fifo", "lock", "child", "result.json", "stdout", "stderr"}
    assert {names[n] for n in ("child", "result.json", "stdout", "stderr")} == {0o600}


def test_errors_in_their_place_among_the_output(tmp_path):
    run = Run(tmp_path / "run", sh("echo 1; echo 2 >&2; echo 3", merge=True))
    assert run.wait() == 0
    assert run.read("stdout") == b"1\n2\n3\n"
    assert run.read("stderr") == b""


def test_it_is_not_started_by_hand():
    done = subprocess.run([HELPER, "/tmp"], capture_output=True, text=True)
    assert done.returncode == 64
    assert "usage: overlord-exec RUNDIR" in done.stderr


@pytest.mark.parametrize("text", [
    None,
    b"",
    b"{",
    b'{"version":1}',
    b'{"version":2,"argv":["true"],"envp":[]}',
    b"\xff" * 100,
    b"[" * 100000,
], ids=["missing", "empty", "cut", "fields", "newer", "binary", "deep"])
def test_a_bad_spec_is_a_result(tmp_path, text):
    run = Run(tmp_path / "run", text)
    assert run.wait() == 0
    result = run.json("result.json")
    assert result["how"] == "exec_failed"
    assert result["sys"] > 0
    assert run.read("stderr").startswith(b"overlord-exec: ")
    assert run.json("child") is None


def test_a_directory_that_is_gone(tmp_path):
    run = Run(tmp_path / "run", sh("true"), start=False)
    os.rename(tmp_path / "run", tmp_path / "away")
    run.path = tmp_path / "away"
    run.path.mkdir(exist_ok=True)
    writer = os.open(run.path / "fifo", os.O_RDWR)
    pid = os.posix_spawn(HELPER, ["overlord-exec", str(tmp_path / "run")], {}, file_actions=[
        (os.POSIX_SPAWN_DUP2, writer, 3), (os.POSIX_SPAWN_DUP2, writer, 4)])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 74
    os.close(writer)
    os.close(run.fifo)


def test_a_directory_that_goes_meanwhile(tmp_path):
    run = Run(tmp_path / "run", sh("rm -r %s; exit 5" % (tmp_path / "run")))
    start = time.monotonic()
    assert os.waitstatus_to_exitcode(os.waitpid(run.pid, 0)[1]) == 74
    # It does not go on trying, as on a full disk.
    assert time.monotonic() - start < 20
    os.close(run.fifo)


def test_output_that_cannot_be_written_does_not_stop_the_command(tmp_path):
    # The limit is the helper's; the command has its own again.
    limits = [[resource.RLIMIT_FSIZE, 2**64 - 1, 2**64 - 1]]
    run = Run(tmp_path / "run", sh(
        "head -c 3000000 /dev/zero; echo end;"
        "head -c 200000 /dev/zero >%s && echo wrote >&2" % (tmp_path / "big"),
        output_max=1000000, limits=limits), start=False)
    run.start(fsize=100000)
    assert run.wait() == 0
    result = run.json("result.json")
    assert (result["how"], result["code"]) == ("exited", 0)
    assert result["stdout_len"] == len(run.read("stdout")) == 100000
    assert result["stdout_dropped"] == 3000004 - 100000
    assert run.read("stderr") == b"wrote\n"
    assert not (run.path / "stdout.tail").exists()


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 65536, 100003])
def test_the_tail_is_kept(tmp_path, size):
    text = bytes(random.Random(size).choices(b"abcdefgh", k=size))
    (tmp_path / "text").write_bytes(text)
    run = Run(tmp_path / "run", spec(["cat", str(tmp_path / "text")], output_max=10))
    run.wait()
    result = run.json("result.json")
    assert run.read("stdout") == text[-10:]
    assert result["stdout_len"] == min(size, 10)
    assert result["stdout_dropped"] == max(size - 10, 0)


def test_a_big_environment(tmp_path):
    env = {f"VARIABLE_{i}": "x" * 100000 for i in range(15)}
    run = Run(tmp_path / "run", sh("env | wc -c", env=env))
    run.wait()
    assert int(run.read("stdout")) > 1500000


def test_too_big_for_exec(tmp_path):
    run = Run(tmp_path / "run", sh("true", env={"BIG": "x" * 8000000}))
    run.wait()
    result = run.json("result.json")
    assert (result["how"], result["sys"]) == ("exec_failed", 7)


def test_a_cancel_from_before_the_start(tmp_path):
    run = Run(tmp_path / "run", sh("touch %s; exec sleep 1000" % (tmp_path / "ran")), start=False)
    (run.path / "cancel").touch()
    run.start()
    run.wait()
    result = run.json("result.json")
    assert (result["how"], result["signo"]) == ("signalled", signal.SIGTERM)
    assert result["cancelled"]
    assert not (tmp_path / "ran").exists()


def test_a_shutdown_is_no_failure(tmp_path):
    run = Run(tmp_path / "run", sh("trap 'exit 0' TERM; touch %s; while :; do sleep 0.01; done"
                                   % (tmp_path / "ready")))
    wait_for("the command", (tmp_path / "ready").exists)
    os.kill(run.pid, signal.SIGTERM)
    run.wait()
    assert run.json("result.json")["how"] == "interrupted"


def test_the_stopped_command_is_killed(tmp_path):
    run = Run(tmp_path / "run", sh("kill -STOP $$", deadline_ms=100))
    run.wait()
    result = run.json("result.json")
    assert (result["how"], result["signo"]) == ("signalled", signal.SIGKILL)
    assert result["timed_out"]


def test_a_writer_that_never_ends_does_not_delay_the_end(tmp_path):
    run = Run(tmp_path / "run", sh(
        "setsid sh -c 'trap \"\" PIPE; echo $$ >%s; exec yes' & until [ -s %s ]; do :; done"
        % (tmp_path / "pid", tmp_path / "pid")))
    run.wait()
    assert run.json("result.json")["how"] == "exited"
    try:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass


# The n-th call of one name fails, once, in whoever loads this.
FAULTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int n = -1;
static int fails(const char *name)
{
    const char *call = getenv("FAULT_CALL");
    if (call == NULL || strcmp(call, name) != 0)
        return 0;
    if (n == -1)
        n = atoi(getenv("FAULT_N"));
    if (n-- != 0)
        return 0;
    n = -2;
    close(creat(getenv("FAULT_FILE"), 0600));
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
int fsync(int fd) { return fails("fsync") ? -1 : REAL(fsync)(fd); }
pid_t fork(void) { return fails("fork") ? -1 : REAL(fork)(); }
int pipe2(int fd[2], int f) { return fails("pipe2") ? -1 : REAL(pipe2)(fd, f); }
ssize_t write(int fd, const void *p, size_t len)
{ return fails("write") ? -1 : REAL(write)(fd, p, len); }
ssize_t read(int fd, void *p, size_t len)
{ return fails("read") ? -1 : REAL(read)(fd, p, len); }
int renameat(int a, const char *b, int c, const char *d)
{ return fails("renameat") ? -1 : REAL(renameat)(a, b, c, d); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { \
    va_list ap; va_start(ap, flags); mode_t mode = va_arg(ap, mode_t); va_end(ap); \
    return fails("openat") ? -1 : REAL(name)(at, path, flags, mode); }
OPENAT(openat)
OPENAT(openat64)
#define OPEN(name) int name(const char *path, int flags, ...) { \
    va_list ap; va_start(ap, flags); mode_t mode = va_arg(ap, mode_t); va_end(ap); \
    return fails("open") ? -1 : REAL(name)(path, flags, mode); }
OPEN(open)
OPEN(open64)
"""


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    path = tmp_path_factory.mktemp("faults")
    (path / "faults.c").write_text(FAULTS)
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", path / "faults.so", path / "faults.c",
                    "-ldl"], check=True)
    return path / "faults.so"


@pytest.mark.parametrize("call,sys", [
    ("fsync", 5), ("write", 28), ("write", 5), ("renameat", 5), ("openat", 24), ("open", 24),
    ("pipe2", 24), ("fork", 11), ("read", 5),
])
def test_each_call_fails_once(tmp_path, faults, call, sys):
    """The command either ran, and its result says how it ended, or it did not
    run and a result says why, or there is no result and it did not run."""
    if b"libasan" in HELPER.read_bytes():
        pytest.skip("the address sanitizer wants to be loaded first")
    n = 0
    while True:
        ran, failed = tmp_path / f"ran{n}", tmp_path / f"failed{n}"
        run = Run(tmp_path / f"{n}", sh(f"touch {ran}; echo out; exit 5"), start=False)
        run.start(env={"LD_PRELOAD": str(faults), "FAULT_CALL": call, "FAULT_N": str(n),
                       "FAULT_ERRNO": str(sys), "FAULT_FILE": str(failed)})
        run.wait()
        result = run.json("result.json")
        if ran.exists():
            assert (result["how"], result["code"]) == ("exited", 5), n
        elif result is not None:
            assert (result["how"], result["sys"]) == ("exec_failed", sys), n
        if not failed.exists():
            break
        n += 1
    assert ran.exists()
    assert n > 0
    print(call, "failed", n, "times")


def test_killed_at_random(tmp_path, request):
    """Whenever the helper is killed: a command that ran is in `child`, it ends
    by itself, and what has a result has a whole one."""
    seed = int(os.environ.get("SEED", time.time_ns() % 100000))
    print("seed", seed)
    rnd = random.Random(seed)
    seen = {"nothing": 0, "gate": 0, "ran": 0, "result": 0}
    for i in range(KILLS):
        ran = tmp_path / f"ran{i}"
        script = f"echo $$ >{ran}; exec sleep {rnd.choice([0, 0.005, 1000])}"
        run = Run(tmp_path / str(i), sh(script))
        time.sleep(rnd.uniform(0, 0.015))
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        child, result = run.json("child"), run.json("result.json")
        if child is not None:
            wait_for("the command to end", lambda: not alive(child["pid"]))
        # An empty file: killed between opening and writing it.
        if ran.exists() and ran.read_text():
            assert child is not None and child["pid"] == int(ran.read_text())
        if result is not None:
            assert result["how"] == "exited"
        seen["result" if result else "ran" if ran.exists() else "gate" if child else "nothing"] += 1
    print(seen)
