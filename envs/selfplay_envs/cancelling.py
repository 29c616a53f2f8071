"""Words of letters and their inverses: abBa is reduced to a, ab, a and aa, letter by letter.

A ladder (ladders.py): the letters a and b and their inverses A and B are appended one by one, a
letter beside its inverse cancels, and the answer says what is left after each letter:
a:a,b:ab,B:a,a:aa,. Words that grow longer than LONGEST are refused, so that a step stays local.
"""

import random
import re
from collections.abc import Iterator, Sequence

from selfplay.problem import InvalidProblem
from selfplay_envs.ladders import Ladder, rungs

LONGEST = 4
"""Most letters that are left after any step."""
CANCELS = 0.4
"""Share of drafted letters that cancel the one before, where there is one."""


class Cancelling(Ladder):
    """Reduce a word of the free group with two generators."""

    name = "cancelling"
    summary = "abBa is a:a,b:ab,B:a,a:aa,: cancel letters with their inverses, step by step"
    instruction = (
        "Append the letters one by one to a word that is empty at first. A is the inverse of a and "
        "B that of b: a letter that comes beside its inverse cancels, and both are gone (aA, Aa, "
        "bB and Bb are nothing). For each letter write it, a colon, the word that is left, and a "
        "comma. The answer is all that was written: for abB it is a:a,b:ab,B:a,."
    )
    fewest = 4
    crowded = 5
    knobs = rungs(range(5, 39))
    symbol = re.compile("[abAB]")
    example = "abBa"
    exchangeable = ("abAB",)

    def question(self, steps: int, rng: random.Random) -> str:
        """Random letters; the word never grows too long."""
        letters, word = "", ""
        for _ in range(steps):
            if word and (len(word) == LONGEST or rng.random() < CANCELS):
                letter = word[-1].swapcase()
            else:
                letter = rng.choice([one for one in "abAB" if one != word[-1:].swapcase()])
            letters, word = letters + letter, _appended(word, letter)
        return letters

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The letter and the word that is left."""
        word = ""
        for letter in symbols:
            word = _appended(word, letter)
            if len(word) > LONGEST:
                raise InvalidProblem(f"beyond the top level: a word of more than {LONGEST} letters")
            yield f"{letter}:{word},"


def _appended(word: str, letter: str) -> str:
    """The word with the letter at its end, or without its last letter if the two cancel."""
    return word[:-1] if word[-1:] == letter.swapcase() else word + letter
