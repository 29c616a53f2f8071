"""The jail that untrusted programs run in: its levels, its layers, and the pool of its workers.

`__init__.py` makes jobs, `pool.py` hands them to workers, a worker puts each into a fresh process
behind the walls of `jail/` and brings back *values*. What the process says is data: nothing that it
does can make an answer right but returning the right values, whatever wall may have fallen.

    strong     own user, mount, network, ipc, uts and pid namespaces; Landlock; seccomp; limits
    degraded   no namespaces (an unprivileged container): Landlock, seccomp, limits, not root
    weak       limits alone (macOS): keeps accidents away, not intentions

What this does not cover: bugs of the kernel itself, and what leaks through the processor (caches,
timing); the clock, the kernel's version and the number of processors, which a job can see; fair
shares of a loaded machine (deadlines are wall-clock time); memory of the whole machine, beyond the
limit a job; a process that the kernel kills for want of memory on the whole machine (it counts as
wrong). `degraded` shows installed packages, lets no file be written at all, and where root started
it imports only what every user may read; `weak` protects neither files nor network. Windows has no
level. bubblewrap is not used: it would build the same outer walls, and the namespace of each job
would still have to be made here.
"""

import os
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jobs import Job, Kind, Level, Reply, WorkerDied
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.zygotes import Jail, JailWorker

_PROBE = Path(__file__).with_name("jail") / "probe.py"
_NAMESPACES = {
    "user": "user namespace",
    "mnt": "mount namespace",
    "net": "network namespace",
    "ipc": "ipc namespace",
    "uts": "uts namespace",
    "pid": "pid namespace",
}


@dataclass(frozen=True)
class Layer:
    """One wall, and whether it stands on this machine."""

    name: str
    holds: bool
    why: str
    """What was tried and what came of it, in a few words."""

    def __str__(self) -> str:
        """A line for `selfplay doctor`."""
        return f"{'holds' if self.holds else 'MISSING':8}{self.name}: {self.why}"


@dataclass(frozen=True)
class Layers:
    """What holds here: the strongest level that can be built, layer by layer."""

    level: Level | None
    """None: no worker starts at all."""
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class SandboxConfig:
    """What untrusted programs may use, and how well they must be locked in."""

    require: Level = Level.STRONG
    """Least level to run on: strong, degraded or weak."""
    allow_weak: bool = False
    """Needed beside `require=weak` to run where nothing but limits holds."""
    seconds: float = 5.0
    """Wall-clock time of one submission with all its calls, from its start in the jail."""
    memory: int = 512
    """Address space of one submission, in MiB."""
    workers: int = 0
    """Zygotes; 0: one a processor core that this process may use."""
    recycle: int = 2_000
    """Submissions after which a zygote is replaced by a fresh one."""
    niceness: int = 10
    """Added to the priority number of the zygotes, 0 to 19: training goes first."""

    def __post_init__(self) -> None:
        defaults = {field.name: field.default for field in fields(self)}
        for name, given, lowest, highest in (
            ("seconds", self.seconds, 0.01, 3600),
            ("memory", self.memory, 64, 1 << 20),
            ("workers", self.workers, 0, 1024),
            ("recycle", self.recycle, 1, 1 << 30),
            ("niceness", self.niceness, 0, 19),
        ):
            if not lowest <= given <= highest:
                raise ValueError(
                    f"sandbox.{name}={given} is outside {lowest} to {highest}; "
                    f"the default is {defaults[name]}."
                )
        if self.require not in list(Level):
            raise ValueError(
                f"sandbox.require={self.require!r} is no level: strong, degraded or weak."
            )


@lru_cache(maxsize=1)
def probe() -> Layers:
    """Find the strongest level that holds here, by building it and by attacking it from inside.

    A level counts only if each of its layers stands. Takes some tenths of a second; remembered.
    """
    failures: list[Layer] = []
    for level in Level:
        try:
            layers = attacked(Jail(level))
        except WorkerDied as death:
            failures.append(Layer(f"all of {level}", False, str(death)))
            continue
        if all(layer.holds for layer in layers):
            return Layers(level, (*failures, *layers))
        failures += [layer for layer in layers if not layer.holds]
    return Layers(None, tuple(failures))


def open_pool(config: SandboxConfig) -> Pool:
    """Workers of the strongest level that holds here.

    Args:
        config: what is required, and the limits.
    Raises:
        ValueError: less than `config.require` holds here, or only `weak` and it is not allowed.
    """
    return Pool(jail(config), config.workers, config.recycle)


def jail(config: SandboxConfig, hash_seed: int = 0) -> Jail:
    """The backend of the strongest level that holds here; see `open_pool`.

    Raises:
        ValueError: less than `config.require` holds here, or only `weak` and it is not allowed.
    """
    found = probe()
    level = found.level
    missing = "; ".join(f"{layer.name}: {layer.why}" for layer in found.layers if not layer.holds)
    if level is None or not level.reaches(config.require):
        raise ValueError(
            f"sandbox.require={config.require}, but this machine holds {level or 'no level'} "
            f"({missing}). Allow user namespaces for this user (in a container: a seccomp profile "
            f"that permits unshare), or set sandbox.require={level or Level.WEAK} and read what "
            "that leaves open in selfplay/grading/programs/sandbox.py."
        )
    if level is Level.WEAK and not config.allow_weak:
        raise ValueError(
            f"sandbox.require=weak, and weak is all that this machine holds ({missing}): programs "
            "could read your files and use your network. Set sandbox.allow_weak=true if that is "
            "what you want."
        )
    return Jail(level, config.seconds, config.memory, config.niceness, hash_seed)


def attacked(backend: Jail) -> list[Layer]:
    """The layers of a level, each tried from inside a worker of its own.

    Raises:
        WorkerDied: a layer cannot be built.
    """
    worker = backend.start()
    try:
        layers = [*_seen_from_outside(worker), *_seen_from_inside(worker, backend.level)]
        if backend.level is not Level.WEAK:
            layers.append(_system_calls(worker))
    finally:
        worker.close()
    return layers


_INSIDE = {
    "file system": "of its own, without the host's /etc",
    "landlock": "refuses what is not the standard library",
    "writing": "outside of the scratch directory refused",
    "seccomp": "refuses a call that is not on the list",
    "user": "not root",
    "process ids": "a process namespace for every job",
    "capabilities": "none",
    "environment": "empty",
    "descriptors": "none inherited but the channel",
    "limits": "memory, time, file size, descriptors, no core file",
    "host name": "hidden",
}
"""What each attempt of jail/probe.py is up against."""
_NEEDED = {
    Level.STRONG: set(_INSIDE),
    Level.DEGRADED: set(_INSIDE) - {"file system", "process ids", "host name"},
    Level.WEAK: {"user", "environment", "descriptors"},
}


def _seen_from_outside(worker: JailWorker) -> list[Layer]:
    """Whether the zygote's namespaces are others than ours."""
    layers = []
    for name, theirs in worker.namespaces.items():
        ours = os.readlink(f"/proc/self/ns/{name}")
        layers.append(Layer(_NAMESPACES[name], theirs != ours, f"{theirs}, ours {ours}"))
    return layers


def _seen_from_inside(worker: JailWorker, level: Level) -> list[Layer]:
    """What the probe could do in a job process, as far as the level promises against it."""
    reply = _ask(worker, "attempts")
    if reply.kind is not Kind.VALUE or not isinstance(reply.value, dict):
        return [Layer("probe", False, f"{reply.kind}: {reply.detail}")]
    return [
        Layer(name, not got, got or _INSIDE[name])
        for name, got in reply.value.items()
        if name in _NEEDED[level]
    ]


def _system_calls(worker: JailWorker) -> Layer:
    kind = _ask(worker, "connect").kind
    return Layer("network", kind is Kind.SYSCALL, f"an attempt to make a socket: {kind}")


def _ask(worker: JailWorker, function: str) -> Reply:
    call = values.to_frame([[], {}])
    job = Job(_PROBE.read_text(), function, (call,), lambda index, reply: False, seconds=5.0)
    return worker.run(job).replies[-1]
