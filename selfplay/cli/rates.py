"""Pass rates of many levels in a line."""

import math
from collections.abc import Sequence
from statistics import fmean

FEW_LEVELS = 12
"""Up to so many levels, numbers fit 80 columns."""
MOST_BARS = 44
"""So many bars fit beside a name and a number; of more levels, neighbours share a bar."""
_BARS = "▁▂▃▄▅▆▇█"


def levels_a_bar(levels: int) -> int:
    """How many neighbouring levels share a bar, where there are so many in all."""
    return math.ceil(levels / MOST_BARS)


def heading(levels: int) -> str:
    """What stands above the bars of so many levels."""
    each = levels_a_bar(levels)
    return "level 0 to the top" + (f", {each} levels a bar" if each > 1 else "")


def bars(rates: Sequence[float], each: int = 1) -> str:
    """Bars of rates in [0, 1]: blank below 1%, full from 99%; a dot for NaN.

    Args:
        rates: one a level.
        each: so many neighbours share a bar, which is their mean.
    """
    return "".join(_bar(fmean(rates[at : at + each])) for at in range(0, len(rates), each))


def _bar(rate: float) -> str:
    if math.isnan(rate):
        return "·"
    if rate < 0.01:
        return " "
    return _BARS[min(len(_BARS) - 1, int(rate * (len(_BARS) - 1) / 0.99))]
