"""How much of the working a worked solution writes down; shared by the environments."""

import random
from collections.abc import Sequence
from enum import StrEnum


class Pace(StrEnum):
    """How much of the working a demonstration writes down, as people differ in it.

    Imitation reproduces the mixture, whatever the problem. How much thinking a problem needs is
    left for reinforcement to find out.
    """

    CAREFUL = "every line"
    BRISK = "every second line, the others done in the head"
    AT_A_GLANCE = "the answer alone"

    @classmethod
    def draw(cls, rng: random.Random) -> "Pace":
        """Careful half of the time, else one of the other two."""
        return rng.choice((cls.CAREFUL, cls.CAREFUL, cls.BRISK, cls.AT_A_GLANCE))

    def skim(self, lines: Sequence[str]) -> Sequence[str]:
        """The lines of working that are written down at this pace."""
        match self:
            case Pace.CAREFUL:
                return lines
            case Pace.BRISK:
                return lines[1::2]
            case Pace.AT_A_GLANCE:
                return []
