"""Long addition from the lowest column on: 17,24,89 adds 1+7, 2+4 and 8+9.

A ladder (ladders.py): for each column the answer has its two digits, the digit of the sum, and + if
there is a carry to the next column or . if there is none: 178.246.897+.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import DIGITS, Ladder, rungs


class ColumnAddition(Ladder):
    """Add two numbers column by column."""

    name = "column_addition"
    summary = "17,24,89 is 178.246.897+: long addition, column after column with its carry"
    instruction = (
        "Add two numbers as on paper. They are given column by column, the lowest first; each "
        "column has a digit of either number. For each column write its two digits, then the last "
        "digit of their sum with the carry from the column before, then + if there is a carry to "
        "the next column or . if there is none. The answer is all that was written: for 86,12 it "
        "is 864+124., as 8+6 is 14 and 1+2+1 is 4."
    )
    fewest = 3
    knobs = rungs(range(3, 33))
    symbol = re.compile("[0-9]{2}")
    separator = ","
    example = "17,24,89"
    exchangeable = (DIGITS,)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random digits."""
        return ",".join(rng.choice(DIGITS) + rng.choice(DIGITS) for _ in range(steps))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The column, the digit of its sum, and whether there is a carry."""
        carry = 0
        for column in symbols:
            carry, digit = divmod(int(column[0]) + int(column[1]) + carry, 10)
            yield f"{column}{digit}{'+' if carry else '.'}"
