"""The system calls that a job may make: an allow-list, as a BPF program made by hand.

The zygote puts on the long filter once; every job process adds a short one before it reads any
untrusted source. Three answers: allowed; refused with EPERM (harmless, as if the kernel had said
no); and *hostile*, which ends the process with SIGSYS, so that the attempt is seen and counted
outside. x86-64 and aarch64; the architecture is checked first, so no other calling convention gets
past the numbers.
"""

import ctypes
import struct

from . import calls, linux

ALLOWED = """
    read write readv writev pread64 pwrite64 preadv pwritev open openat close close_range
    stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat
    getcwd chdir fchdir getdents64 lseek dup dup2 dup3 fcntl flock ftruncate truncate fallocate
    fsync fdatasync unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir umask
    pipe pipe2 poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2
    sendto recvfrom shutdown mmap mprotect munmap mremap madvise brk membarrier
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack
    alarm pause setitimer getitimer nanosleep clock_nanosleep clock_gettime clock_getres
    gettimeofday time times getrusage getrlimit
    getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp
    getpgid getsid getpriority capget uname sysinfo getrandom getcpu sched_yield sched_getaffinity
    futex set_robust_list get_robust_list rseq set_tid_address arch_prctl
    exit exit_group restart_syscall
""".split()
"""What a Python program that only computes needs, asyncio and threads included."""

HOSTILE = """
    execve execveat fork vfork socket connect bind listen accept accept4 kill tkill pidfd_open
    pidfd_send_signal rt_sigqueueinfo ptrace process_vm_readv process_vm_writev process_madvise
    mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsmount mount_setattr
    bpf perf_event_open io_uring_setup io_uring_enter userfaultfd keyctl add_key request_key
    init_module finit_module kexec_load reboot swapon setuid setgid setresuid setresgid setgroups
    capset seccomp memfd_create mknod mknodat shmget msgget semget open_by_handle_at
""".split()
"""What no submission has an honest use for."""

NO_SUCH_CALL = ["clone3"]
"""Refused with ENOSYS: the C library then falls back to clone, whose flags a filter can read."""

ZYGOTE = "clone socketpair sendmsg recvmsg wait4 kill setns unshare capset prctl seccomp".split()
"""What the zygote does for a job until the job's own filter forbids it."""

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _KILL, _REFUSE, _NO_CALL = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_NUMBER, _ARCH = 0, 4
"""Offsets in struct seccomp_data; argument n is at 16 + 8 n (little-endian: its lower half)."""

_THREAD = 0x00010900  # CLONE_THREAD | CLONE_SIGHAND | CLONE_VM
_NAMESPACES = 0x7E020080
_STREAM, _UNIX = 1, 1
_FD_REQUESTS = (0x5421, 0x5450, 0x5451)  # FIONBIO, FIONCLEX, FIOCLEX

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def for_zygote(machine: str = linux.MACHINE) -> bytes:
    """The whole filter, with room for what the zygote itself does for its jobs.

    Built and installed once, since every job process inherits it: installing its 390 instructions
    takes longer than forking the process.

    Args:
        machine: x86_64 or aarch64.
    Returns:
        An array of struct sock_filter.
    Raises:
        OSError: another machine.
    """
    numbers = _numbers(machine)
    hostile = [name for name in HOSTILE if name not in ZYGOTE]
    code = [_load(_ARCH), _skip_if(_EQUAL, _ARCHITECTURE[machine], 1)]
    code += [_give(_KILL), _load(_NUMBER)]
    if machine == "x86_64":  # the x32 calls wear x86-64's architecture and this bit
        code += [_skip_unless(_ANY_BIT, _X32_BIT, 1), _give(_KILL)]
    for names, answer in (
        ([*ALLOWED, *ZYGOTE], _ALLOW),
        (hostile, _KILL),
        (NO_SUCH_CALL, _NO_CALL),
    ):
        code += _answers(numbers, names, answer)
    for name, rule in (("ioctl", _descriptor_flags()), ("prlimit64", _own_limits())):
        code += [_skip_unless(_EQUAL, numbers[name], len(rule)), *rule]
    return b"".join([*code, _give(_REFUSE)])


def for_job(machine: str = linux.MACHINE) -> bytes:
    """What a job process adds: it gives up the zygote's own calls. The stricter answer counts.

    Args:
        machine: x86_64 or aarch64.
    Returns:
        An array of struct sock_filter.
    Raises:
        OSError: another machine.
    """
    numbers = _numbers(machine)
    code = [_load(_NUMBER)]
    for name, rule in (("clone", _threads_only()), ("socketpair", _unnamed_pair())):
        code += [_skip_unless(_EQUAL, numbers[name], len(rule)), *rule]
    given_up = [name for name in ZYGOTE if name not in ("clone", "socketpair")]
    code += _answers(numbers, [name for name in given_up if name in HOSTILE], _KILL)
    code += _answers(numbers, [name for name in given_up if name not in HOSTILE], _REFUSE)
    return b"".join([*code, _give(_ALLOW)])


def install(code: bytes) -> None:
    """Put the filter on this thread, for good; needs no_new_privs.

    Raises:
        OSError: the kernel refused it.
    """
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    linux.checked("prctl", _PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0)


def _numbers(machine: str) -> dict[str, int]:
    if machine not in calls.NUMBERS:
        raise OSError(f"no table of system calls for {machine}")
    return calls.NUMBERS[machine]


def _answers(numbers: dict[str, int], names: list[str], answer: int) -> list[bytes]:
    """One answer to each of these calls that the architecture has."""
    return [
        step
        for name in names
        if name in numbers
        for step in (_skip_unless(_EQUAL, numbers[name], 1), _give(answer))
    ]


def _threads_only() -> list[bytes]:
    """clone: a thread of this very process, in no new namespace; a fork is hostile."""
    return [
        _load(16),
        _skip_unless(_ANY_BIT, _NAMESPACES, 1),
        _give(_KILL),
        _instruction(_AND, _THREAD),
        _skip_unless(_EQUAL, _THREAD, 1),
        _give(_ALLOW),
        _give(_KILL),
    ]


def _unnamed_pair() -> list[bytes]:
    """socketpair: of connected streams, which asyncio wakes itself with; they have no address."""
    return [
        _load(16),
        _skip_unless(_EQUAL, _UNIX, 4),
        _load(24),
        _instruction(_AND, 0xF),
        _skip_unless(_EQUAL, _STREAM, 1),
        _give(_ALLOW),
        _give(_KILL),
    ]


def _descriptor_flags() -> list[bytes]:
    """ioctl: only the requests that set a flag of one's own descriptor."""
    allowed = [
        step
        for request in _FD_REQUESTS
        for step in (_skip_unless(_EQUAL, request, 1), _give(_ALLOW))
    ]
    return [_load(24), *allowed, _give(_REFUSE)]


def _own_limits() -> list[bytes]:
    """prlimit64: this process (pid 0) may read its limits and lower them."""
    return [_load(16), _skip_unless(_EQUAL, 0, 1), _give(_ALLOW), _give(_REFUSE)]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _give(answer: int) -> bytes:
    return _instruction(_RETURN, answer)


def _skip_unless(test: int, value: int, count: int) -> bytes:
    """Skip the next `count` steps unless the test holds."""
    return _instruction(test, value, 0, count)


def _skip_if(test: int, value: int, count: int) -> bytes:
    return _instruction(test, value, count, 0)
