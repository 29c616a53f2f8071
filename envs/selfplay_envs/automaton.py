"""A finite automaton: abc takes it from state 0 to 1, 3 and 3.

A ladder (ladders.py): the answer copies each letter and says the state after it, a1b3c3. Each
letter permutes the seven states, so a state that was forgotten cannot be guessed from the letters
that follow.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay_envs.ladders import Ladder, drawn, rungs

FACTORS = {
    "a": (1, 1), "b": (3, 0), "c": (6, 6), "d": (1, 4), "e": (2, 1), "f": (5, 3), "g": (4, 6),
    "h": (6, 3),
}  # fmt: skip
"""By letter: state s leads to factor times s plus term, modulo 7."""


class Automaton(Ladder):
    """Run a finite automaton of seven states."""

    name = "automaton"
    summary = "abca is a1b3c3a4: the states of an automaton, one letter after the other"
    instruction = (
        "Run an automaton with the states 0 to 6. It starts in state 0 and reads the letters from "
        "left to right. In state s the letter a leads to s+1, b to 3*s, c to 6-s, d to s+4, e to "
        "2*s+1, f to 5*s+3, g to 4*s+6 and h to 3-s, all modulo 7. The answer repeats each letter "
        "with the state after it: for ab it is a1b3."
    )
    fewest = 3
    crowded = 2
    knobs = rungs(range(4, 122, 2))
    symbol = re.compile("[a-h]")
    example = "abca"
    exchangeable = ("".join(FACTORS),)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random letters."""
        return "".join(drawn(list(FACTORS), steps, rng))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The letter and the state after it."""
        state = 0
        for letter in symbols:
            factor, term = FACTORS[letter]
            state = (factor * state + term) % 7
            yield f"{letter}{state}"
