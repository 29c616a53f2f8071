"""Running sums modulo ten: +3-7+0+4 is 3, 6, 6 and 0 after its terms.

A ladder (ladders.py): the answer copies each signed term and says the sum after it, +33-76+06+40.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import DIGITS, Ladder, drawn, rungs

TERMS = tuple(sign + digit for sign in "+-" for digit in DIGITS)


class RunningSum(Ladder):
    """Add signed digits one after the other, modulo ten."""

    name = "running_sum"
    summary = "+3-7+0+4 is +33-76+06+40: the sums modulo ten after each term"
    instruction = (
        "Add the signed digits from left to right, modulo 10: after each term keep the remainder "
        "of the sum on division by 10, a digit from 0 to 9. The answer repeats each term with the "
        "sum after it: for +3-7 it is +33-76, as 3-7 is 6 modulo 10."
    )
    fewest = 3
    crowded = 1
    knobs = rungs(range(4, 64))
    symbol = re.compile("[+-][0-9]")
    example = "+3-7+0+4"
    exchangeable = ("+-", DIGITS)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random terms."""
        return "".join(drawn(TERMS, steps, rng))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The term and the sum after it."""
        total = 0
        for term in symbols:
            total = (total + int(term)) % 10
            yield f"{term}{total}"
