"""A machine with two registers modulo ten: iiss leaves 1 0, 2 0, 0 2 and 2 0 in a and b.

A ladder (ladders.py): the answer copies each instruction and says a and b after it, i10i20s02s20.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import Ladder, rungs

INSTRUCTIONS = "idjkstum"


class RegisterMachine(Ladder):
    """Run a program on two registers."""

    name = "register_machine"
    summary = "iiss is i10i20s02s20: two registers modulo ten, one instruction after the other"
    instruction = (
        "Run the program on two registers a and b, which hold digits from 0 to 9 and are both 0 at "
        "first. The instructions, from left to right: i adds 1 to a, d subtracts 1 from a, j adds "
        "1 to b, k subtracts 1 from b, s exchanges a and b, t adds b to a, u adds a to b, m "
        "subtracts b from a; all modulo 10, so that 9 and 1 give 0. The answer repeats each "
        "instruction with the digits a and b after it: for is it is i10s01."
    )
    fewest = 3
    crowded = 2
    knobs = rungs(range(4, 44))
    symbol = re.compile("[idjkstum]")
    example = "iiss"
    exchangeable = (INSTRUCTIONS,)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random instructions."""
        return "".join(rng.choices(INSTRUCTIONS, k=steps))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The instruction and the registers after it."""
        a = b = 0
        for instruction in symbols:
            match instruction:
                case "i":
                    a = (a + 1) % 10
                case "d":
                    a = (a - 1) % 10
                case "j":
                    b = (b + 1) % 10
                case "k":
                    b = (b - 1) % 10
                case "s":
                    a, b = b, a
                case "t":
                    a = (a + b) % 10
                case "u":
                    b = (a + b) % 10
                case "m":
                    a = (a - b) % 10
            yield f"{instruction}{a}{b}"
