"""Sets the process up for jax before jax is imported: devices, memory allocator, compilation cache.

Called first thing by the command line and the tests. Imports nothing of ours, and jax only inside
functions: its settings are read when it starts.

Memory: XLA's threads allocate and free at every operation, and megabytes at every step. glibc has
them wait for each other, or hands memory back to the system and has each step pay for its pages
again. mimalloc does neither, but has to be there when a process starts: `selfplay` starts itself
anew with it. Where it is not (tests, other programs), `prepare` sets glibc to the lesser evil.
"""

import ctypes
import gc
import os
import sys
from importlib import metadata, util
from pathlib import Path

PLATFORMS = {"auto": None, "cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}
_HOST_DEVICES = "--xla_force_host_platform_device_count"
_OPTIMIZATION = "--xla_backend_optimization_level"
YOUNG = 100_000
"""New objects of Python after which it looks for garbage; 700 by default, which costs a tenth of a
start: jax makes them by the hundred thousand while it traces, and most of them stay."""


def prepare(cores: int | None = None) -> None:
    """Make every CPU core a device of its own, keep freed memory, keep compiled code on disk.

    Where there is only the CPU, LLVM optimises lightly: the time goes to matrix products that are
    compiled already and to loops over whole arrays, which are as fast so, and compiling takes a
    quarter less.

    Settings that the user has made in the environment stay as they are.

    Args:
        cores: host devices; the cores this process may use, at most 16, by default.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if _HOST_DEVICES not in flags:
        flags += f" {_HOST_DEVICES}={cores or min(16, usable_cores())}"
    if _OPTIMIZATION not in flags and not _accelerated():
        flags += f" {_OPTIMIZATION}=1"
    os.environ["XLA_FLAGS"] = flags.strip()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_cache_folder()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    gc.set_threshold(YOUNG)
    if sys.platform == "linux":
        _keep_freed_memory()


def start_anew_with_allocator() -> None:
    """Replace this process by itself with mimalloc as its memory allocator, if that is installed.

    The second time nothing is left to do but to hide it from the processes that this one starts:
    programs in the sandbox are none of its business. A user's own LD_PRELOAD stays as it is.
    """
    wanted, there = allocator(), os.environ.get("LD_PRELOAD")
    if wanted and not there:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | wanted)
    if wanted and there == wanted["LD_PRELOAD"]:
        for name in wanted:
            os.environ.pop(name, None)


def allocator() -> dict[str, str]:
    """The environment in which a process starts with mimalloc, keeping freed memory; or empty."""
    try:
        found = metadata.distribution("cmeel-mimalloc")
    except metadata.PackageNotFoundError:
        return {}
    library = Path(str(found.locate_file("cmeel.prefix/lib/libmimalloc.so")))
    if sys.platform != "linux" or not library.is_file():
        return {}
    return {"LD_PRELOAD": str(library), "MIMALLOC_PURGE_DELAY": "-1"}


def allocator_in_use() -> str:
    """Name of this process's memory allocator."""
    mapped = Path("/proc/self/maps")
    preloaded = mapped.is_file() and "libmimalloc" in mapped.read_text()
    return "mimalloc" if preloaded else "the system's"


def usable_cores() -> int:
    """CPU cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _accelerated() -> bool:
    """Whether jax may find something else than the CPU: what it needs for that is installed."""
    return bool(metadata.entry_points(group="jax_plugins") or util.find_spec("libtpu"))


def require(device: str) -> None:
    """Compute on this kind of device from now on.

    Args:
        device: a key of `PLATFORMS`.
    Raises:
        ValueError: there is no such device here.
    """
    import jax

    platform = PLATFORMS[device]
    if platform is not None:
        jax.config.update("jax_platforms", platform if platform == "cpu" else f"{platform},cpu")
    try:
        found = jax.devices()[0]
    except RuntimeError as error:
        raise ValueError(
            f"device={device}, but jax finds none here ({str(error).splitlines()[0]}). Install the "
            f"extra for it (`pip install selfplay-curriculum[cuda]` or `[tpu]`), see "
            "`selfplay doctor`, or take --device cpu."
        ) from error
    if platform is not None and found.platform not in (platform, device):
        raise ValueError(
            f"device={device}, but jax runs on {found.platform} here. See `selfplay doctor`, or "
            "take --device cpu."
        )


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "selfplay" / "compiled"


def _keep_freed_memory() -> None:
    """Stop glibc from handing freed memory back to the system.

    With the default settings every step pays for page faults on all temporaries (50,000 a warm-up
    step of the quickstart, which then takes 1.3 times as long). All threads share one arena,
    because the others are always handed back.
    """
    map_max, trim_threshold, arena_max = -4, -1, -8  # names of malloc.h, without their M_
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(map_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(arena_max, 1)
    except (OSError, AttributeError):  # another libc: slower, nothing else
        pass
