"""Every published curriculum behind one interface: what `curriculum.sampler` can name.

Each module is one sampler, or two that belong together; `sampler` is the interface, `laws` what
they share. Names become objects here and nowhere else. Fed and used by manager.py.
"""

from collections.abc import Callable
from typing import Literal, get_args

from selfplay.curriculum.samplers.adarft import AdaRFT
from selfplay.curriculum.samplers.dump import DUMP
from selfplay.curriculum.samplers.e2h import E2H
from selfplay.curriculum.samplers.greso import GRESO
from selfplay.curriculum.samplers.ladder import Ladder
from selfplay.curriculum.samplers.mopps import MoPPS
from selfplay.curriculum.samplers.oracle import Oracle
from selfplay.curriculum.samplers.plr import PLR
from selfplay.curriculum.samplers.sampler import Sampler, View
from selfplay.curriculum.samplers.sec import SEC
from selfplay.curriculum.samplers.sfl import SFL
from selfplay.curriculum.samplers.target import Target
from selfplay.curriculum.samplers.uniform import Fixed, Uniform

__all__ = [
    "DUMP", "E2H", "GRESO", "NAMES", "PLR", "SEC", "SFL", "AdaRFT", "Fixed", "Ladder", "MoPPS",
    "Name", "Oracle", "Sampler", "Target", "Uniform", "View", "make",
]  # fmt: skip

Name = Literal[
    "target", "uniform", "fixed_easy", "fixed_hard", "ladder", "e2h", "adarft", "sec", "dump",
    "plr", "sfl", "mopps", "greso",
]  # fmt: skip
"""What a command line can name; the oracle needs the truth and is made from Python only."""
NAMES: tuple[str, ...] = get_args(Name)
"""The same, as a tuple."""

_MAKERS: dict[str, Callable[[float, float, bool], Sampler]] = {
    "target": lambda target, width, shared: Target(rate=target, width=width),
    "uniform": lambda target, width, shared: Uniform(),
    "fixed_easy": lambda target, width, shared: Fixed(hard=False),
    "fixed_hard": lambda target, width, shared: Fixed(hard=True),
    "ladder": lambda target, width, shared: Ladder(),
    "e2h": lambda target, width, shared: E2H(),
    "adarft": lambda target, width, shared: AdaRFT(reward=target, shared=shared),
    "sec": lambda target, width, shared: SEC(shared=shared),
    "dump": lambda target, width, shared: DUMP(shared=shared),
    "plr": lambda target, width, shared: PLR(shared=shared),
    "sfl": lambda target, width, shared: SFL(shared=shared),
    "mopps": lambda target, width, shared: MoPPS(target=target, width=width, shared=shared),
    "greso": lambda target, width, shared: GRESO(shared=shared),
}


def make(name: str, target: float = 0.5, width: float = 0.1, shared: bool = False) -> Sampler:
    """A sampler with its published settings.

    Args:
        name: one of `NAMES`.
        target: pass rate to aim at, in (0, 1), for the samplers that aim at one: `target`,
            `mopps`, `adarft`.
        width: standard deviation of the window around it, for `target` and `mopps`.
        shared: for the samplers published over all cells, a law for each environment instead;
            the others have one anyway.

    Raises:
        ValueError: there is no such sampler, or it cannot be made by name.
    """
    if name == "oracle":
        raise ValueError(
            "The oracle needs the true pass rates, which only a simulator knows: make it from "
            "Python, Oracle(truth=...). `target` is the same window on predictions."
        )
    if name not in _MAKERS:
        raise ValueError(f"There is no sampler {name!r}; there are {', '.join(NAMES)}.")
    return _MAKERS[name](target, width, shared)
