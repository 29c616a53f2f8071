"""The system calls that Python 3.11 has no function for, by ctypes; each raises OSError.

Feeds walls.py, landlock.py, seccomp.py and zygote.py. Importable everywhere, callable on Linux.
"""

import ctypes
import os
import platform
import struct
import sys

LINUX = sys.platform == "linux"
MACHINE = platform.machine()
"""x86_64 or aarch64; on any other the seccomp layer refuses to be built."""

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_HEADER = struct.pack("@Ii", 0x20080522, 0)  # version 3, this process
_NO_CAPABILITIES = bytes(24)
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None
_holding_the_lock = ctypes.PyDLL(None, use_errno=True) if LINUX else None


def checked(name: str, *arguments: object) -> int:
    """Call a function of the C library that reports failure by -1 and errno.

    Args:
        name: its name; also the start of the error message.
        *arguments: int, bytes, None or a ctypes object.
    Returns:
        What it returned, never negative.
    Raises:
        OSError: it failed, or this is not Linux.
    """
    if _libc is None:
        raise OSError(f"{name} needs Linux")
    result = getattr(_libc, name)(*(_wide(argument) for argument in arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """A system call that the C library has no function for."""
    return checked("syscall", number, *arguments)


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or change a mount that there is."""
    checked(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        flags,
        options.encode() if options else None,
    )


def fork() -> int:
    """Fork without the handlers that Python runs in the child of `os.fork`.

    They put locks and thread lists right, of which a process with one thread has no need, and take
    half a millisecond. Elsewhere than on Linux: `os.fork`.
    """
    if _holding_the_lock is None:
        return os.fork()
    number = _holding_the_lock.fork()
    if number < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return number


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root, and show the old one at `old`; no C library wraps it."""
    syscall(_PIVOT_ROOT[MACHINE], new.encode(), old.encode())


def drop_capabilities() -> None:
    """Give up every capability that this process holds or could inherit."""
    syscall(_CAPSET[MACHINE], _CAPABILITY_HEADER, _NO_CAPABILITIES)


def forget_capabilities() -> None:
    """Make sure that no later exec gives a capability back: bounding and ambient sets emptied."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            checked("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
        except OSError:
            break  # EINVAL: past the last one that this kernel knows
    checked("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def _wide(argument: object) -> object:
    """An int as a C long: a variadic call would pass only its lower half."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument
