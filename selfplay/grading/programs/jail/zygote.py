"""The zygote: a small, warm Python behind walls, that forks one jailed process for every job.

`sandbox.py` starts it by exec and then sends it nothing but "fork" and "kill", over a control
socket: jobs go from the trusted side straight to the job process, through a socket that the zygote
hands over, so that no byte of a job is ever in the memory that the next job is forked from.

    trusted side --F--> zygote: fork, put the job process behind its own walls
                 <----- its number, with the channel to it
    trusted side --K--> zygote: kill it and all that it started; collect
                 <----- how it ended, its processor time and its peak memory

Ends when the control socket closes: nothing is left behind a trusted side that was killed.
"""

import gc
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from . import landlock, linux, runner, seccomp, walls

REQUEST = struct.Struct("!cI")
"""A letter and the number of a job process."""
FORKED = struct.Struct("!I")
ENDED = struct.Struct("!iQQ?")
"""Wait status, processor time in microseconds, peak memory in bytes, whether it left files."""
READY = b"\0"
"""First byte from a job process: all its walls stand."""

_OPEN_FILES = 32
"""Of a job."""
_ZYGOTE_FILES = 1024
"""Of a zygote, which has few: Linux lets no process send a descriptor while its user has more on
the way, from anywhere, than its own limit, and every idle zygote has sent one."""
_FILE_SIZE = 1 << 20
_STACK = 64 << 20
_THREADS = 64
_NAMESPACES = ("user", "mnt", "net", "ipc", "uts", "pid")
_PRELOADED = """
    __future__ abc array ast base64 binascii bisect calendar cmath codecs collections
    concurrent.futures.thread contextlib copy csv dataclasses datetime decimal enum fractions
    functools graphlib hashlib heapq io itertools json keyword math numbers operator pprint queue
    random re secrets statistics string struct textwrap threading time traceback types typing
    unicodedata zlib
""".split()


def main() -> None:
    """Build the walls that were asked for, say so, and serve; or say why not, and end.

    Arguments: the descriptor of the control socket; JSON with level, memory (bytes), seconds of
    processor time, niceness.
    """
    given = int(sys.argv[1])
    # The lowest number that is free: a job closes the low ones, and the one that we are given is as
    # high as the trusted process has descriptors.
    control = socket.socket(fileno=os.dup(given))
    os.close(given)
    settings = json.loads(sys.argv[2])
    os.environ.clear()
    try:
        for name in _PRELOADED:
            import_module(name)
        _step_back(settings["niceness"])
        zygote = _BUILDERS[settings["level"]](control, settings)
    except OSError as error:
        _hello(control, f"{type(error).__name__}: {error}")
        return
    _hello(control, "", zygote.namespaces)
    zygote.serve()


def _step_back(niceness: int) -> None:
    """Let other processes go first.

    Linux may share the processors out between sessions first, and the zygote has one of its own:
    then its niceness among its own jobs means nothing, and that of the session counts.
    """
    os.nice(niceness)
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write(str(niceness))
    except OSError:  # a kernel without such groups
        pass


class Zygote:
    """Forks, kills and collects job processes; one thread, nothing but numbers in memory."""

    def __init__(self, control: socket.socket, seconds: int) -> None:
        self.control = control
        self.seconds = seconds
        self.before_fork: Callable[[], None] = lambda: None
        self.confine: Callable[[], None] = lambda: None
        self.scratch = False
        self.namespaces: dict[str, str] = {}

    def serve(self) -> None:
        """Answer requests until the control socket closes."""
        gc.collect()
        gc.freeze()  # what exists now is shared with every job process: do not write to its headers
        while request := self.control.recv(REQUEST.size, socket.MSG_WAITALL):
            letter, number = REQUEST.unpack(request)
            if letter == b"F":
                self._fork()
            else:
                self.control.sendall(self._kill(number))

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        self.before_fork()
        number = linux.fork()
        if number == 0:
            self._become_job(theirs)
        theirs.close()
        socket.send_fds(self.control, [FORKED.pack(number)], [ours.fileno()])
        ours.close()

    def _become_job(self, channel: socket.socket) -> NoReturn:
        """In the new process: leave everything behind but the channel, and run the submission."""
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds))
            _limit([("RLIMIT_NOFILE", _OPEN_FILES)], strict=True)
            self.confine()
            only = channel.detach()
            os.closerange(3, only)
            os.closerange(only + 1, 2 * _OPEN_FILES)
            os.write(only, READY)  # the trusted side sends nothing before
            runner.serve(only)
        finally:
            os._exit(1)  # a wall that failed: no untrusted byte has been read

    def _kill(self, number: int) -> bytes:
        os.kill(number, signal.SIGKILL)
        _, status, usage = os.wait4(number, 0)
        time = usage.ru_utime + usage.ru_stime
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return ENDED.pack(status, round(time * 1e6), peak, self.scratch and not _emptied())


def _strong(control: socket.socket, settings: dict[str, int]) -> Zygote:
    """Every wall; returns in a child of this process, which waits for it and ends as it does."""
    procfs = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    walls.enter(procfs)
    linux.checked("unshare", linux.CLONE_NEWPID)
    number = os.fork()
    if number:
        control.close()
        _, status = os.waitpid(number, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    linux.checked("prctl", linux.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    own = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=procfs)
    namespaces = {name: os.readlink(f"self/ns/{name}", dir_fd=procfs) for name in _NAMESPACES}
    os.close(procfs)
    zygote = _hardened(control, settings, [*walls.library(), "/dev"], ["/dev/null", walls.SCRATCH])
    zygote.scratch, zygote.namespaces = True, namespaces
    resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))  # counted per user namespace

    def into_new_pid_namespace() -> None:
        linux.checked("setns", own, linux.CLONE_NEWPID)
        linux.checked("unshare", linux.CLONE_NEWPID)

    zygote.before_fork = into_new_pid_namespace
    return zygote


def _degraded(control: socket.socket, settings: dict[str, int]) -> Zygote:
    """No namespace: Landlock, seccomp, limits, no capability, not root."""
    if os.geteuid() == 0:
        walls.become_nobody()
    return _hardened(control, settings, walls.library(), ["/dev/null"])


def _weak(control: socket.socket, settings: dict[str, int]) -> Zygote:
    """Limits alone, as far as this system has them; not root either."""
    if os.geteuid() == 0:
        walls.become_nobody()
    zygote = Zygote(control, settings["seconds"])
    _limit(_shared_limits(settings["memory"]), strict=False)
    return zygote


_BUILDERS = {"strong": _strong, "degraded": _degraded, "weak": _weak}


def _hardened(
    control: socket.socket, settings: dict[str, int], read: list[str], write: list[str]
) -> Zygote:
    """What needs no namespace: prepared once here, put on by every job process."""
    zygote = Zygote(control, settings["seconds"])
    code = seccomp.for_job()
    linux.checked("prctl", linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with suppress(PermissionError):  # without the right to, there is none to gain by exec either
        linux.forget_capabilities()
    linux.checked("prctl", linux.PR_SET_DUMPABLE, 0, 0, 0, 0)
    _limit(_shared_limits(settings["memory"]), strict=True)
    rules = landlock.ruleset(read, write)
    landlock.restrict(rules)
    os.close(rules)
    seccomp.install(seccomp.for_zygote())

    def confine() -> None:
        linux.drop_capabilities()
        linux.checked("prctl", linux.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        seccomp.install(code)

    zygote.confine = confine
    return zygote


def _shared_limits(memory: int) -> list[tuple[str, int]]:
    """Limits of a zygote, which its jobs inherit; they get fewer descriptors."""
    return [
        ("RLIMIT_AS", memory), ("RLIMIT_FSIZE", _FILE_SIZE), ("RLIMIT_NOFILE", _ZYGOTE_FILES),
        ("RLIMIT_STACK", _STACK), ("RLIMIT_CORE", 0),
    ]  # fmt: skip


def _limit(limits: Iterable[tuple[str, int]], strict: bool) -> None:
    """Set limits; without `strict`, those that this system refuses go."""
    for name, value in limits:
        try:
            limit = getattr(resource, name)
            hard = resource.getrlimit(limit)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (value, value))
        except (AttributeError, ValueError, OSError) as error:
            if strict:
                raise OSError(f"{name}: {error}") from error


def _emptied() -> bool:
    """Remove what a job left in its scratch directory; False if something resists."""
    for entry in os.scandir(walls.SCRATCH):
        try:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        except (OSError, RecursionError):
            return False
    return True


def _hello(control: socket.socket, failure: str, namespaces: dict[str, str] | None = None) -> None:
    """Tell the trusted side what came of the walls, and in which namespaces we are."""
    body = json.dumps({"failure": failure, "namespaces": namespaces or {}}).encode()
    control.sendall(len(body).to_bytes(4, "big") + body)
