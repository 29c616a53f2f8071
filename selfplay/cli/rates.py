"""Pass rates of many levels in a line."""

import math
from collections.abc import Sequence

FEW_LEVELS = 12
"""Up to so many levels, numbers fit 80 columns."""
_BARS = "▁▂▃▄▅▆▇█"


def bars(rates: Sequence[float]) -> str:
    """A bar for each rate in [0, 1]: blank below 1%, full from 99%; a dot for NaN."""
    return "".join(map(_bar, rates))


def _bar(rate: float) -> str:
    if math.isnan(rate):
        return "·"
    if rate < 0.01:
        return " "
    return _BARS[min(len(_BARS) - 1, int(rate * (len(_BARS) - 1) / 0.99))]
