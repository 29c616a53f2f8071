"""What a zygote builds round itself once: namespaces, a file system of its own, no rights.

Called by zygote.py in this order, before any untrusted byte is near. Every function raises OSError
where a wall cannot be built; nothing here continues with less than it was asked for. The mounts of
the host are never touched: the first act in the new mount namespace is to cut all propagation.
"""

import os
import sys
import tempfile

from . import linux

JAIL_USER = 65534
"""User and group that jobs run as: nobody."""
SCRATCH = "/tmp"
"""The one directory of the jail that can be written."""
SCRATCH_OPTIONS = "size=16m,nr_inodes=256,mode=1777"

_SITE_PACKAGES = ("site-packages", "dist-packages")
_PLAIN = linux.MS_NOSUID | linux.MS_NODEV
_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
_OLD = "/old"
# statvfs flag -> mount flag: a remount in a user namespace must repeat what the host has locked.
_LOCKED = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}


def library() -> list[str]:
    """The directories of the standard library, and the time zones: all that a job can read."""
    paths = [path for path in (*sys.path, "/usr/share/zoneinfo") if os.path.isdir(path)]
    return [path for path in paths if not _below_another(path, paths)]


def enter(procfs: int) -> None:
    """Go into new user, mount, network, ipc and uts namespaces, with a root that holds the library.

    An ordinary user makes the user namespace first, to be allowed the rest. Root makes it last: the
    mounts then belong to the host's user namespace and nothing in the jail has a right over them.

    Args:
        procfs: descriptor of the host's /proc; stays open, so close it before a job is forked.
    """
    root = os.geteuid() == 0
    if not root:
        _new_user_namespace(procfs, os.geteuid(), os.getegid())
    linux.checked("unshare", _NAMESPACES)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.checked("sethostname", b"jail", 4)
    _new_root()
    if root:
        become_nobody()
        linux.checked("prctl", linux.PR_SET_DUMPABLE, 1, 0, 0, 0)  # else uid_map belongs to root
        _new_user_namespace(procfs, JAIL_USER, JAIL_USER)


def become_nobody() -> None:
    """Change from root to the user of the jail, without supplementary groups, for good."""
    os.setgroups([])
    os.setresgid(JAIL_USER, JAIL_USER, JAIL_USER)
    os.setresuid(JAIL_USER, JAIL_USER, JAIL_USER)


def _new_user_namespace(procfs: int, user: int, group: int) -> None:
    linux.checked("unshare", linux.CLONE_NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{JAIL_USER} {user} 1"),
        ("gid_map", f"{JAIL_USER} {group} 1"),
    ):
        descriptor = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=procfs)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def _new_root() -> None:
    """Swap the root for an empty tmpfs with the library, /dev/null and a scratch directory."""
    readable = library()
    new = tempfile.gettempdir()
    linux.mount("tmpfs", new, "tmpfs", _PLAIN, "size=1m,mode=755")
    os.mkdir(new + _OLD)
    linux.pivot_root(new, new + _OLD)
    os.chdir("/")
    for path in readable:
        _bind(path, directory=True)
        for name in _SITE_PACKAGES:
            if os.path.isdir(f"{path}/{name}"):
                linux.mount("tmpfs", f"{path}/{name}", "tmpfs", _PLAIN | linux.MS_RDONLY, "size=4k")
    os.mkdir("/dev")
    _bind("/dev/null", directory=False)
    os.mkdir(SCRATCH)
    linux.mount("tmpfs", SCRATCH, "tmpfs", _PLAIN | linux.MS_NOEXEC, SCRATCH_OPTIONS)
    linux.checked("umount2", _OLD.encode(), linux.MNT_DETACH)
    os.rmdir(_OLD)
    linux.mount("none", "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _PLAIN)


def _bind(path: str, directory: bool) -> None:
    """Show a path of the host at the same place in the jail, read-only."""
    os.makedirs(path if directory else os.path.dirname(path), mode=0o755, exist_ok=True)
    if not directory:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    linux.mount(_OLD + path, path, None, linux.MS_BIND | linux.MS_REC)
    locked = os.statvfs(path).f_flag
    flags = sum(flag for bit, flag in _LOCKED.items() if locked & bit)
    flags |= linux.MS_REMOUNT | linux.MS_BIND | linux.MS_NOSUID
    if directory:  # /dev/null must stay a device that can be written to
        flags |= linux.MS_RDONLY | linux.MS_NODEV
    linux.mount("none", path, None, flags)


def _below_another(path: str, paths: list[str]) -> bool:
    return any(path.startswith(other + "/") for other in paths)
