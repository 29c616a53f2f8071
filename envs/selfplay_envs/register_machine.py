"""A machine with two registers modulo five: iiss leaves 1 0, 2 0, 0 2 and 2 0 in a and b.

A ladder (ladders.py): the answer copies each instruction and says a and b after it, i10i20s02s20.
Modulo five short programs visit every state; modulo ten they hardly leave the small numbers, and a
model fails on long programs at steps that it was never shown.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import Ladder, drawn, rungs

INSTRUCTIONS = "idjkstum"
MODULUS = 5


class RegisterMachine(Ladder):
    """Run a program on two registers."""

    name = "register_machine"
    summary = "iiss is i10i20s02s20: two registers modulo five, one instruction after the other"
    instruction = (
        "Run the program on two registers a and b, which hold digits from 0 to 4 and are both 0 at "
        "first. The instructions, from left to right: i adds 1 to a, d subtracts 1 from a, j adds "
        "1 to b, k subtracts 1 from b, s exchanges a and b, t adds b to a, u adds a to b, m "
        "subtracts b from a; all modulo 5, so that 4 and 1 give 0. The answer repeats each "
        "instruction with the digits a and b after it: for is it is i10s01."
    )
    fewest = 3
    crowded = 2
    knobs = rungs(range(4, 64))
    symbol = re.compile("[idjkstum]")
    example = "iiss"
    exchangeable = (INSTRUCTIONS,)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random instructions."""
        return "".join(drawn(INSTRUCTIONS, steps, rng))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The instruction and the registers after it."""
        a = b = 0
        for instruction in symbols:
            match instruction:
                case "i":
                    a = (a + 1) % MODULUS
                case "d":
                    a = (a - 1) % MODULUS
                case "j":
                    b = (b + 1) % MODULUS
                case "k":
                    b = (b - 1) % MODULUS
                case "s":
                    a, b = b, a
                case "t":
                    a = (a + b) % MODULUS
                case "u":
                    b = (a + b) % MODULUS
                case "m":
                    a = (a - b) % MODULUS
            yield f"{instruction}{a}{b}"
