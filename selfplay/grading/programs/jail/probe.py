"""Tries from inside the jail what the jail should prevent. Runs as a submission, never imported.

`sandbox.py` reads this file as text and has it run in a worker like any program; what it returns is
trusted only because we wrote it.
"""

import ctypes
import os
import resource
import socket
from collections.abc import Callable


def attempts() -> dict[str, str]:
    """What became of each attempt: "" if it was prevented, else what it got."""
    return {
        "file system": _got(lambda: os.stat("/etc") and "sees /etc"),
        "landlock": _got(lambda: os.listdir("/") and "lists /"),
        "writing": _got(lambda: os.mkdir("/usr/jail") or "writes"),
        "seccomp": _got(lambda: os.nice(1) and "changes its priority"),
        "user": "is root" if 0 in (os.getuid(), os.geteuid(), os.getgid()) else "",
        "process ids": "" if (os.getpid(), os.getppid()) == (1, 0) else "sees other processes",
        "capabilities": _capabilities(),
        "environment": ", ".join(os.environ),
        "descriptors": _descriptors(),
        "limits": _limits(),
        "host name": "" if os.uname().nodename == "jail" else "sees the host's",
    }


def _got(attempt: Callable[[], object]) -> str:
    try:
        return str(attempt())
    except OSError:
        return ""


def _capabilities() -> str:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    number = {"x86_64": 125, "aarch64": 90}.get(os.uname().machine)
    if number is None or ctypes.CDLL(None).syscall(number, header, sets):
        return "unknown"
    return "holds some" if any(sets) else ""


def _descriptors() -> str:
    """Only standard input, output, error (all /dev/null) and the channel are open."""
    opened = []
    for descriptor in range(4096):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        opened.append(descriptor)
    return "" if len(opened) == 4 else f"has {len(opened)} open"


def _limits() -> str:
    names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
    unlimited = [
        name
        for name in names
        if resource.getrlimit(getattr(resource, name))[1] == resource.RLIM_INFINITY
    ]
    return ", ".join(unlimited)


def connect() -> None:
    """Ends the process if system calls are filtered."""
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)
