"""Our environments for trainers and evaluations elsewhere: data sets in the shape of reasoning-gym.

`len(dataset)`, `dataset[i]` with the keys question, answer and metadata, and
`dataset.score_answer(answer, entry)`: what takes a data set of reasoning-gym takes one of ours, and
the library is not needed for it.

What this does not do: scores in between. An answer is right (1.0) or it is not (0.0); a grader that
failed scores 0.0 too, as there is no other place to say it.
"""

import random
from collections.abc import Iterator, Sequence
from typing import TypedDict

from selfplay.grading.judge import judge
from selfplay.problem import ANSWER_OPEN, Environment, Problem


class Metadata(TypedDict):
    """What is needed to score an answer, and to sort the entries."""

    environment: str
    """Name of the environment."""
    level: int
    """The problem's level."""
    problem: str
    """The problem as a line of JSON; `Problem.from_json` reads it."""


class Entry(TypedDict):
    """One question."""

    question: str
    """All that a solver is told, the form of the answer included."""
    answer: str
    """A right answer; where a certificate is checked, one of many."""
    metadata: Metadata
    """Not for the solver."""


class Dataset:
    """A number of problems of an environment; each depends on the seed and its index only."""

    def __init__(
        self, environment: Environment, size: int = 500, seed: int = 0, levels: Sequence[int] = ()
    ) -> None:
        """Prepare; nothing is generated.

        Args:
            environment: that poses and grades.
            size: number of entries.
            seed: of all of them.
            levels: drawn from evenly; by default all.
        Raises:
            ValueError: no entries, or no such level.
        """
        if size < 1:
            raise ValueError(f"size={size}: a data set has 1 entry or more.")
        for level in levels:
            environment.at(level)
        self._environment = environment
        self._size = size
        self._seed = seed
        self._levels = tuple(levels) or tuple(range(environment.level_count))

    def __len__(self) -> int:
        """Number of entries."""
        return self._size

    def __iter__(self) -> Iterator[Entry]:
        """All entries, in order."""
        return map(self.__getitem__, range(self._size))

    def __getitem__(self, index: int) -> Entry:
        """The entry at an index from 0.

        Raises:
            IndexError: there is none.
        """
        if not 0 <= index < self._size:
            raise IndexError(f"entry {index} of {self._size}")
        # A text as the seed: a sum would make entry 1 of seed 42 entry 0 of seed 43.
        rng = random.Random(f"{self._environment.name}/{self._seed}/{index}")
        problem = self._environment.generate(rng.choice(self._levels), rng)
        return {
            "question": self._environment.ask(problem),
            "answer": problem.gold,
            "metadata": {
                "environment": problem.environment,
                "level": problem.level,
                "problem": problem.to_json(),
            },
        }

    def score_answer(self, answer: str | None, entry: Entry) -> float:
        """1.0 for a right answer, else 0.0.

        Args:
            answer: the bare answer, or a whole response with the tags around it.
            entry: of this data set, or of another one of the same environment.
        Raises:
            ValueError: the entry is of another environment.
        """
        problem = Problem.from_json(entry["metadata"]["problem"])
        if problem.environment != self._environment.name:
            raise ValueError(
                f"an entry of {problem.environment} cannot be scored by {self._environment.name}."
            )
        if answer is None:
            return 0.0
        response = answer if ANSWER_OPEN in answer else ANSWER_OPEN + answer
        return float(judge(self._environment, problem, response, ended=True).correct)
