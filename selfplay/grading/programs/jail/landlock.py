"""Landlock: which files a job may read, even if every other wall around the file system fell.

Put on once by the zygote and inherited by every job process. The kernel says how much of it it
knows: TCP from ABI 4, signals and abstract sockets from ABI 6.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from . import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIRECTORY, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_FILES_NEWEST = (1 << 16) - 1
_MAKE_PLAIN = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8  # remove directory, remove file, make both
_TCP = 0b11
_SCOPES = 0b11


def abi() -> int:
    """How much of Landlock this kernel knows.

    Raises:
        OSError: none of it, or it is switched off.
    """
    return linux.syscall(_CREATE_RULESET, None, 0, _VERSION)


def ruleset(read: Iterable[str], write: Iterable[str]) -> int:
    """A descriptor of the rules: everything that Landlock knows is refused, except the paths given.

    Args:
        read: files and directories that may be read, with all that is below them.
        write: files that may be written; directories in which plain files may be kept.
    Raises:
        OSError: Landlock is not available, or a path does not exist.
    """
    version = abi()
    files = _FILES.get(version, _FILES_NEWEST)
    attributes = struct.pack(
        "<QQQ", files, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = linux.syscall(_CREATE_RULESET, attributes, size, 0)
    for path in read:
        _allow(rules, path, (_READ_FILE | _READ_DIRECTORY) & files)
    for path in write:
        wanted = _READ_FILE | _READ_DIRECTORY | _WRITE_FILE | _TRUNCATE | _MAKE_PLAIN
        _allow(rules, path, wanted & files)
    return rules


def restrict(rules: int) -> None:
    """Put the rules on this thread, for good; needs no_new_privs."""
    linux.syscall(_RESTRICT_SELF, rules, 0)


def _allow(rules: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, descriptor))
        linux.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
