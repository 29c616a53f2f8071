"""One pass of sorting by exchanges: 5273 compares 5 with 2, 5 with 7 and 7 with 3.

A ladder (ladders.py): the larger digit of each pair is carried along to the next digit, and the
answer has the pairs in order, the smaller digit first: 25,57,37,.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import DIGITS, Ladder, rungs

START = (0, 2)
"""Drafted digits are at most this high at the beginning, one of these..."""
END = (7, 9)
"""... and this high at the end, so that the digit carried changes all along the way."""


class BubblePass(Ladder):
    """Carry the largest digit so far through a row of digits."""

    name = "bubble_pass"
    summary = "5273 is 25,57,37,: one pass of sorting by exchanges, pair after pair"
    instruction = (
        "Make one pass of sorting by exchanges over the digits. Carry the first digit; compare it "
        "with the next one, write the two with the smaller one first and a comma after them, carry "
        "the larger one on to the digit after that, and so on to the end. The answer is all that "
        "was written: for 527 it is 25,57,."
    )
    fewest = 3
    crowded = 3
    knobs = rungs(range(4, 44))
    symbol = re.compile("[0-9]")
    example = "5273"
    exchangeable = (DIGITS,)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random digits below a bound that rises from the first to the last."""
        start, end = rng.randint(*START), rng.randint(*END)
        bounds = [round(start + (end - start) * place / steps) for place in range(steps + 1)]
        return "".join(str(rng.randint(0, bound)) for bound in bounds)

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The digit carried and the next one, in order."""
        carried = symbols[0]
        for digit in symbols[1:]:
            smaller, carried = sorted((carried, digit))
            yield f"{smaller}{carried},"
