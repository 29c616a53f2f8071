"""The jail: its layers tried from inside, its levels, the filter of system calls, the fallbacks."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from selfplay.grading.programs import sandbox
from selfplay.grading.programs.jail import calls, seccomp, values, walls
from selfplay.grading.programs.jobs import Job, Kind, Level, WorkerDied
from selfplay.grading.programs.sandbox import Jail, Layer, SandboxConfig

ALLOW, KILL, REFUSE, NO_CALL = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FORK, THREAD = 0x01200011, 0x003D0F00
NO_SECOND_USER = """
import ctypes, json, struct, sys
from selfplay.grading.programs.jail import calls, linux, seccomp
refused = calls.NUMBERS[linux.MACHINE]["unshare"]
code = struct.pack("<HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, refused,
                   0x06, 0, 0, 0x00050001, 0x06, 0, 0, 0x7FFF0000)
linux.checked("prctl", linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
seccomp.install(code)
from selfplay.grading.programs import sandbox
found = sandbox.probe()
try:
    sandbox.open_pool(sandbox.SandboxConfig()).close()
    error = ""
except ValueError as refusal:
    error = str(refusal)
print(json.dumps([found.level, [str(layer) for layer in found.layers], error]))
"""
"""A machine that allows no new namespaces, as an unprivileged container: made by a filter."""


def run(worker, source, arguments=(), count=1, **options):
    """The replies to `count` calls of the function `f` in a source."""
    call = values.to_frame([list(arguments), {}])
    job = Job(source, "f", (call,) * count, lambda index, reply: True, 5.0, **options)
    return worker.run(job).replies


@pytest.fixture(params=[Level.STRONG, Level.DEGRADED], scope="module")
def level(request):
    try:
        Jail(request.param).start().close()
    except WorkerDied as death:
        pytest.skip(f"{request.param} cannot be built here: {death}")
    return request.param


@pytest.fixture(scope="module")
def worker(level):
    started = Jail(level).start()
    yield started
    started.close()


def simulate(code, architecture, number, *arguments):
    """What a filter answers: BPF by hand, for machines that this one is not."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, *(0,) * 6)[:6])
    place = accumulator = 0
    while True:
        operation, if_true, if_false, value = struct.unpack_from("<HBBI", code, 8 * place)
        place += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                place += if_true if accumulator == value else if_false
            case 0x45:
                place += if_true if accumulator & value else if_false
            case 0x06:
                return value


def verdict(machine, number, *arguments):
    """Both filters together: the smaller action is the stricter one, read as the kernel does."""
    answers = [
        simulate(code(machine), ARCHITECTURES[machine], number, *arguments)
        for code in (seccomp.for_zygote, seccomp.for_job)
    ]
    strictness = [KILL, REFUSE, NO_CALL, ALLOW]
    return min(answers, key=strictness.index)


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_of_system_calls(machine):
    number = calls.NUMBERS[machine]
    for name in ("read", "mmap", "futex", "exit_group", "openat"):
        assert verdict(machine, number[name]) == ALLOW
    for name in (
        "execve",
        "socket",
        "ptrace",
        "mount",
        "bpf",
        "kill",
        "unshare",
        "setns",
        "capset",
    ):
        assert verdict(machine, number[name]) == KILL
    for name in ("sendmsg", "recvmsg", "wait4", "prctl"):
        assert verdict(machine, number[name]) == REFUSE
    assert verdict(machine, number["clone3"]) == NO_CALL
    assert verdict(machine, 999) == REFUSE


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_reads_arguments(machine):
    number = calls.NUMBERS[machine]
    assert verdict(machine, number["clone"], THREAD) == ALLOW
    assert verdict(machine, number["clone"], FORK) == KILL
    assert verdict(machine, number["clone"], THREAD | 0x10000000) == KILL
    assert verdict(machine, number["socketpair"], 1, 1 | 0x80000) == ALLOW
    assert verdict(machine, number["socketpair"], 1, 2) == KILL
    assert verdict(machine, number["socketpair"], 2, 1) == KILL
    assert verdict(machine, number["ioctl"], 0, 0x5421) == ALLOW
    assert verdict(machine, number["ioctl"], 0, 0x5412) == REFUSE  # TIOCSTI
    assert verdict(machine, number["prlimit64"], 0) == ALLOW
    assert verdict(machine, number["prlimit64"], 1) == REFUSE


def test_other_architectures_and_numbers_do_not_get_past():
    code = seccomp.for_zygote("x86_64")
    assert simulate(code, ARCHITECTURES["aarch64"], 0) == KILL
    assert simulate(code, 0x40000003, 0) == KILL  # i386 by int 0x80
    assert simulate(code, ARCHITECTURES["x86_64"], 0x40000000) == KILL  # x32
    with pytest.raises(OSError, match="no table of system calls for riscv64"):
        seccomp.for_zygote("riscv64")


def test_every_call_of_the_lists_is_known_on_x86_64_and_no_list_contradicts_another():
    names = {*seccomp.ALLOWED, *seccomp.HOSTILE, *seccomp.ZYGOTE, *seccomp.NO_SUCH_CALL}
    assert names <= calls.NUMBERS["x86_64"].keys()
    assert not set(seccomp.ALLOWED) & {*seccomp.HOSTILE, *seccomp.ZYGOTE}
    assert all(len(set(table.values())) == len(table) for table in calls.NUMBERS.values())


@pytest.mark.parametrize("level", Level)
def test_the_layers_of_each_level_hold_when_attacked(level):
    try:
        layers = sandbox.attacked(Jail(level))
    except WorkerDied as death:
        pytest.skip(f"{level} cannot be built here: {death}")
    assert [str(layer) for layer in layers if not layer.holds] == []
    assert {layer.name for layer in layers} >= sandbox._NEEDED[level]


def test_a_layer_that_does_not_hold_is_seen():
    """The probe, run where nothing is protected but by limits, finds the walls missing."""
    worker = Jail(Level.WEAK).start()
    try:
        layers = {layer.name: layer for layer in sandbox._seen_from_inside(worker, Level.STRONG)}
    finally:
        worker.close()
    missing = {name for name, layer in layers.items() if not layer.holds}
    assert {"file system", "landlock", "seccomp", "process ids", "host name"} <= missing
    assert str(layers["landlock"]) == "MISSING landlock: lists /"


def test_an_environment_without_namespaces_is_degraded_and_says_so():
    done = subprocess.run(
        [sys.executable, "-c", NO_SECOND_USER], capture_output=True, text=True, check=True
    )
    level, layers, error = json.loads(done.stdout)
    assert level == "degraded"
    assert layers[0].startswith("MISSING all of strong: PermissionError: [Errno 1] unshare")
    assert "sandbox.require=strong, but this machine holds degraded" in error
    assert "set sandbox.require=degraded" in error


@pytest.mark.parametrize(
    ("found", "config", "message"),
    [
        (Level.WEAK, SandboxConfig(), "require=strong, but this machine holds weak"),
        (None, SandboxConfig(require=Level.WEAK, allow_weak=True), "holds no level"),
        (Level.WEAK, SandboxConfig(require=Level.WEAK), "allow_weak=true"),
    ],
)
def test_less_than_is_required_is_refused(monkeypatch, found, config, message):
    layers = sandbox.Layers(found, (Layer("all of strong", False, "unshare: refused"),))
    monkeypatch.setattr(sandbox, "probe", lambda: layers)
    with pytest.raises(ValueError, match=message) as refusal:
        sandbox.open_pool(config)
    assert "unshare: refused" in str(refusal.value)


def test_weak_runs_where_it_is_allowed(monkeypatch):
    monkeypatch.setattr(sandbox, "probe", lambda: sandbox.Layers(Level.WEAK, ()))
    config = SandboxConfig(require=Level.WEAK, allow_weak=True, workers=1)
    with sandbox.open_pool(config) as pool:
        assert pool.backend.level is Level.WEAK


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 0},
        {"memory": 1},
        {"workers": -1},
        {"recycle": 0},
        {"niceness": -5},
        {"require": "none"},
    ],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(ValueError, match=f"sandbox.{next(iter(change))}="):
        SandboxConfig(**change)


def test_levels_are_ordered():
    assert Level.STRONG.reaches(Level.DEGRADED)
    assert Level.WEAK.reaches(Level.WEAK)
    assert not Level.DEGRADED.reaches(Level.STRONG)


def test_every_call_sees_a_fresh_module(worker):
    source = "n = 0\ndef f():\n    global n\n    n += 1\n    return n"
    assert [reply.value for reply in run(worker, source, count=3)] == [1, 1, 1]


def test_every_job_sees_a_fresh_process(worker):
    source = "import math\nmath.n = getattr(math, 'n', 0) + 1\ndef f(): return math.n"
    assert [run(worker, source)[0].value for _ in range(3)] == [1, 1, 1]


def test_files_of_one_job_are_gone_for_the_next(worker):
    name = f"left-by-a-job-{os.getpid()}"  # of nobody else: degraded sees the machine's own /tmp
    source = f"import os\nopen('/tmp/{name}', 'a').write('x')\ndef f(): return os.listdir('/tmp')"
    for _ in range(2):
        (reply,) = run(worker, source)
        assert reply.value == [name] or "PermissionError" in reply.detail  # degraded: no files


def test_what_cannot_be_cleaned_is_reported():
    source = (
        "import os\nos.chdir('/tmp')\n"
        "def f():\n"
        "    for _ in range(1200):\n"
        "        os.mkdir('d')\n"
        "        os.chdir('d')"
    )
    worker = Jail(sandbox.probe().level or Level.WEAK).start()
    try:
        (reply,) = run(worker, source)
        assert worker.soiled is (reply.kind is Kind.VALUE)  # elsewhere than in strong: no files
    finally:
        worker.close()


def test_no_expected_value_and_no_other_argument_is_in_the_process(worker):
    run(worker, "def f(x): return x", ["a secret of another job"])
    source = (
        "import gc\n"
        "def f(x):\n"
        "    found = [o for o in gc.get_objects() for r in gc.get_referents(o)\n"
        "             if isinstance(r, (str, bytes)) and 'boj rehtona fo'[::-1] in str(r)]\n"
        "    return len(found)"
    )
    (reply,) = run(worker, source, [0])
    assert reply.value == 0


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(): return 1", Kind.VALUE),
        ("def f(): raise ValueError('x')", Kind.RAISED),
        ("def f(): return object()", Kind.UNTRANSPORTABLE),
        ("def f(:", Kind.UNCOMPILABLE),
        ("g = 1", Kind.UNDEFINED),
        ("import os\ndef f(): os._exit(3)", Kind.EXITED),
        ("def f(): raise SystemExit", Kind.EXITED),
        ("def f(): return bytearray(1 << 40)", Kind.MEMORY),
        ("import os\ndef f(): os.fork()", Kind.SYSCALL),
        ("import ctypes\ndef f(): ctypes.string_at(0)", Kind.CRASHED),
        ("import os\ndef f():\n    for n in range(3, 40):\n        try: os.write(n, b'x' * 99)\n"
         "        except OSError: pass", Kind.FORGED),
    ],
)  # fmt: skip
def test_what_became_of_a_call(worker, source, kind):
    assert run(worker, source)[-1].kind is kind


def test_a_job_is_cut_off_and_the_next_one_is_not_hurt(worker):
    call = values.to_frame([[], {}])
    endless = Job("def f():\n    while True: pass", "f", (call,), lambda i, r: True, 0.1)
    assert worker.run(endless).replies[-1].kind is Kind.TIMEOUT
    assert run(worker, "def f(): return 1")[-1].value == 1


def test_a_large_argument_that_is_not_read_does_not_block(worker):
    call = values.to_frame([["x" * 900_000], {}])
    lazy = Job("while True: pass", "f", (call, call), lambda i, r: True, 0.2)
    assert worker.run(lazy).replies[-1].kind is Kind.TIMEOUT


OPEN = """
import os, resource
def f():
    there = []
    for number in range(4096):
        try:
            os.fstat(number)
            there.append(number)
        except OSError:
            pass
    return len(there), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
"""


def test_a_job_has_its_channel_alone_whatever_we_have_open(level):
    """What the zygote inherits has the number that it has here, however high."""
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(300)]
    started = Jail(level).start()
    try:
        (reply,) = run(started, OPEN)
    finally:
        started.close()
        for descriptor in held:
            os.close(descriptor)
    assert reply.value == (4, 32)


def test_many_workers_wait_for_jobs_at_once(level):
    """Each has the channel to its next job on the way to us; Linux counts those of all of them."""
    started = [Jail(level).start() for _ in range(40)]
    try:
        values = [run(one, "def f():\n    return 1")[0].value for one in started]
    finally:
        for one in started:
            one.close()
    assert values == [1] * 40


def test_the_clock_and_the_seed_are_the_job_s(worker):
    source = "import time, random\ndef f(): return [time.time(), random.random()]"
    (now,) = run(worker, source)
    (later,) = run(worker, source, clock_shift=1e6, seed=1)
    (again,) = run(worker, source)
    assert later.value[0] - now.value[0] > 9e5
    assert now.value[1] == again.value[1] != later.value[1]


def test_the_library_of_the_jail_is_the_standard_library_alone(worker):
    source = "import sys, os\ndef f(): return [p for p in sys.path if os.path.isdir(p)]"
    (reply,) = run(worker, source)
    assert all("site-packages" not in path for path in reply.value)
    assert run(worker, "import pytest\ndef f(): pass")[-1].detail.startswith("ModuleNotFoundError")


def test_the_host_s_mounts_are_as_they_were():
    before = open("/proc/self/mountinfo").read() if os.path.exists("/proc/self/mountinfo") else ""
    sandbox.attacked(Jail(sandbox.probe().level or Level.WEAK))
    after = open("/proc/self/mountinfo").read() if before else ""
    assert after == before
    assert not os.path.exists(walls._OLD)


def test_zygotes_let_others_go_first():
    config = sandbox.SandboxConfig(
        require=Level.WEAK, allow_weak=True, workers=1, niceness=7
    )  # fmt: skip
    with sandbox.open_pool(config) as pool:
        for pid in pool.worker_pids():
            assert os.getpriority(os.PRIO_PROCESS, pid) == 7
            group = Path(f"/proc/{pid}/autogroup")
            assert not group.exists() or group.read_text().strip().endswith("nice 7")
