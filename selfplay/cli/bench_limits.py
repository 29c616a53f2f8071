"""What this machine can do at most, measured in turn with what is timed; memory; cold compilation.

Used by bench_model.py and bench_loop.py. The limits are the rate of large matrix products in the
types of the work, and the bandwidth of memory under an addition in place to an array far larger
than the caches. Both are taken between the repetitions, on all devices at once, so that a noisy
machine disturbs them and the work alike.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache

from selfplay import device, machine
from selfplay.model import sharding

MATMUL_SIDE = {"cpu": 1024}
"""Side of the square matrices, by kind of device; `USUAL_SIDE` on accelerators."""
USUAL_SIDE = 8192
STREAM_BYTES = 2**28
"""Bytes of the array on each device behind the bandwidth: no cache holds it."""
PASSES = {"cpu": 2}
"""Passes over the array in one measurement; `USUAL_PASSES` on accelerators."""
USUAL_PASSES = 64


class Workload(NamedTuple):
    """Something to time, with what one call of it has to compute and to move."""

    run: Callable[[], int]
    """Does the work; returns the tokens that were drawn or trained on."""
    flops: float
    """Floating-point operations of a call."""
    moved: float
    """Bytes that a call has to read from or write to memory."""
    operands: jnp.dtype
    """Of both sides of its matrix products."""
    sums: jnp.dtype
    """Of their results."""


class Timed(NamedTuple):
    """Repetitions of a workload, each followed by both limits."""

    first: float
    """Seconds of the first call, which compiles."""
    seconds: list[float]
    tokens: list[int]
    matmul: list[float]
    """FLOP/s."""
    bandwidth: list[float]
    """Bytes a second."""
    peak_memory: int
    """Bytes, after the first call: the limits take memory of their own."""


def timed(workload: Workload, repetitions: int) -> Timed:
    """Call once, then `repetitions` times in turn with the limits."""
    start = time.perf_counter()
    workload.run()
    first, peak = time.perf_counter() - start, peak_memory()
    matmul, bandwidth = matmul_rate(workload.operands, workload.sums), stream_rate()
    found = Timed(first, [], [], [], [], peak)
    for _ in range(repetitions):
        start = time.perf_counter()
        found.tokens.append(workload.run())
        found.seconds.append(time.perf_counter() - start)
        found.matmul.append(matmul())
        found.bandwidth.append(bandwidth())
    return found


def figures(workload: Workload, found: Timed) -> dict[str, Any]:
    """Medians by name; shares are medians of each repetition's share of its own limits."""
    median = statistics.median
    repetitions = list(zip(found.seconds, found.tokens, strict=True))
    flop_rates = [workload.flops / seconds for seconds in found.seconds]
    byte_rates = [workload.moved / seconds for seconds in found.seconds]
    return {
        "tokens_per_second": median(tokens / seconds for seconds, tokens in repetitions),
        "seconds": median(found.seconds),
        "gflops": median(flop_rates) / 1e9,
        "matmul_gflops": median(found.matmul) / 1e9,
        "share_of_matmul_rate": median(_shares(flop_rates, found.matmul)),
        "gigabytes_per_second": median(byte_rates) / 1e9,
        "memory_gigabytes_per_second": median(found.bandwidth) / 1e9,
        "share_of_memory_bandwidth": median(_shares(byte_rates, found.bandwidth)),
        "compile_seconds": found.first - median(found.seconds),
        "peak_memory_megabytes": found.peak_memory / 1e6,
        "matmul_types": f"{workload.operands}, summed to {workload.sums}",
    }


def here() -> dict[str, Any]:
    """Machine, kind of device, versions: what the figures depend on beside the code."""
    kind, memory = jax.local_devices()[0].device_kind, device.allocator_in_use()
    return {"device_kind": kind, "allocator": memory, **machine.record()}


def _shares(rates: list[float], limits: list[float]) -> list[float]:
    return [rate / limit for rate, limit in zip(rates, limits, strict=True)]


def matmul_rate(operands: jnp.dtype, sums: jnp.dtype) -> Callable[[], float]:
    """A function that measures matrix products on all devices at once, in FLOP/s.

    Args:
        operands: type of both sides.
        sums: type of the results.
    """
    devices = sharding.row_ways()
    side = MATMUL_SIDE.get(_platform(), USUAL_SIDE)
    drawn = jax.random.normal(jax.random.key(0), (devices, side, side), operands)
    matrices = sharding.split_rows(drawn)
    product = jax.jit(jax.vmap(lambda m: jnp.matmul(m, m, preferred_element_type=sums)))
    jax.block_until_ready(product(matrices))  # compiles

    def rate() -> float:
        start = time.perf_counter()
        for _ in range(4):
            jax.block_until_ready(product(matrices))
        return 4 * devices * 2 * side**3 / (time.perf_counter() - start)

    return rate


def stream_rate() -> Callable[[], float]:
    """A function that measures an addition in place on all devices at once, in bytes a second.

    Each pass reads and writes the whole array.
    """
    devices, passes = sharding.row_ways(), PASSES.get(_platform(), USUAL_PASSES)

    def add(x: jax.Array, passes: jax.Array) -> jax.Array:
        # The number of passes is no constant: nothing is unrolled, so no two passes become one.
        return jax.lax.fori_loop(0, passes, lambda _, x: x + 1.0, x)

    stream = jax.jit(add, donate_argnums=0)
    blank = sharding.split_rows(np.zeros((devices, STREAM_BYTES // 4), np.float32))
    kept = jax.block_until_ready(stream(blank, passes))  # compiles, and touches every page

    def rate() -> float:
        nonlocal kept
        start = time.perf_counter()
        kept = jax.block_until_ready(stream(kept, passes))
        return passes * 2 * devices * STREAM_BYTES / (time.perf_counter() - start)

    return rate


def _platform() -> str:
    return jax.local_devices()[0].platform


def peak_memory() -> int:
    """Most bytes in use so far: of the fullest device, or of the process where devices say nothing.

    The process's figure is its largest resident set: jax and the packages themselves are in it.
    """
    peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use", 0)
             for device in jax.local_devices()]  # fmt: skip
    if any(peaks):
        return max(peaks)
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def free_memory() -> float:
    """Bytes left on a device, or in the machine where devices say nothing; infinite: unknown."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    known = Path("/proc/meminfo")
    for line in known.read_text().splitlines() if known.is_file() else ():
        if line.startswith("MemAvailable:"):
            return 1024.0 * int(line.split()[1])
    return float("inf")


@contextmanager
def compiling_anew(anew: bool) -> Iterator[None]:
    """Compiled code is neither taken from the disk nor kept there, so that a first call is cold.

    Without `anew` nothing is changed.
    """
    if not anew:
        yield
        return
    before = jax.config.jax_enable_compilation_cache  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()  # jax looks at the setting once
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)
        compilation_cache.reset_cache()
