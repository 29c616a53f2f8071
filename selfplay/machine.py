"""What a run's results depend on beside its configuration: versions, devices, the sandbox here.

Fed by nothing of ours but the sandbox's probe; kept by train.py in the run folder, shown by
`selfplay eval` and `selfplay doctor`.
"""

import platform
from importlib.metadata import version
from typing import Any

import jax

from selfplay.grading.programs import sandbox

PACKAGES = ("selfplay-curriculum", "jax", "flax", "optax", "numpy", "sympy")
"""Those whose versions a result depends on."""


class _Counter:
    """Counts what is compiled, or loaded compiled, from when this module is imported."""

    def __init__(self) -> None:
        self.count = 0
        jax.monitoring.register_event_duration_secs_listener(self)

    def __call__(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        self.count += event == "/jax/core/compile/backend_compile_duration"


_COMPILED = _Counter()


def compilations() -> int:
    """Functions that this process has compiled so far, each for one set of shapes."""
    return _COMPILED.count


def versions() -> dict[str, str]:
    """Versions of Python and of `PACKAGES`."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def description() -> str:
    """Processor and devices in a few words."""
    return f"{platform.machine()}, {jax.device_count()} x {jax.devices()[0].platform}"


def record() -> dict[str, Any]:
    """All of it as JSON data; builds and attacks the sandbox, in a fraction of a second."""
    found = sandbox.probe()
    return {
        "machine": description(),
        "versions": versions(),
        "sandbox": {
            "level": found.level,
            "layers": [
                {"name": layer.name, "holds": layer.holds, "why": layer.why}
                for layer in found.layers
            ],
        },
    }
