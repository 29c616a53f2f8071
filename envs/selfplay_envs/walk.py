"""Walks on a ring: RLSR starts at place 0 of ten and is at 1, 0, 0 and 1 after its moves.

A ladder (ladders.py): the answer copies each move and says the place after it, R1L0S0R1.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import Ladder, drawn, rungs

PLACES = 10
MOVES = {"S": 0, "R": 1, "L": -1, "U": 2, "D": -2, "F": 3, "B": -3, "X": 5}
"""Places ahead. Of fewer kinds of moves the same few follow each other all over a question, and a
small model loses its place in it."""


class Walk(Ladder):
    """Follow a walk on a ring of ten places."""

    name = "walk"
    summary = "RLSR is R1L0S0R1: the places of a walk on a ring, one move after the other"
    instruction = (
        "Follow the walk on a ring of ten places, numbered 0 to 9. It starts at place 0. R moves "
        "one place ahead (from 9 to 0), U two, F three; L moves one place back (from 0 to 9), D "
        "two, B three; X moves five places, across the ring; S stays. The answer repeats each move "
        "with the place after it: for RF it is R1F4."
    )
    fewest = 3
    crowded = 2
    knobs = rungs(range(4, 122, 2))
    symbol = re.compile("[SRLUDFBX]")
    example = "RLSR"
    exchangeable = ("".join(MOVES),)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random moves."""
        return "".join(drawn(list(MOVES), steps, rng))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The move and the place after it."""
        place = 0
        for move in symbols:
            place = (place + MOVES[move]) % PLACES
            yield f"{move}{place}"
