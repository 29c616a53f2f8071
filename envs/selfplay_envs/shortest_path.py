"""Shortest path: ab3,ac9,bc1:ac asks for a path of the least total weight from a to c; here abc.

Edges may be used in both directions; ab3 has weight 3. Any shortest path counts. A problem whose
two ends are joined by an edge that is a shortest path itself is refused: it could be copied. In the
canonical text edges ascend; other orders are read as that one.
"""

import random
import re
from collections.abc import Mapping
from itertools import combinations, pairwise
from string import ascii_lowercase
from typing import NamedTuple

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Outcome,
    Problem,
    Verdict,
)
from selfplay_envs.graphs import edge, named_in_order, neighbours
from selfplay_envs.pace import Pace

_MAX_LENGTH = 150
_EDGE = "[a-j]{2}[1-9][0-9]{0,3}"
_TEXT = re.compile(rf"({_EDGE}(?:,{_EDGE})*):([a-j])([a-j])\Z")
_ANSWER = re.compile(r"[a-j]{2,40}\Z")


class Question(NamedTuple):
    """A graph and two of its letters."""

    weights: dict[str, int]
    """Of the edges, in alphabetical order."""
    start: str
    goal: str

    def __str__(self) -> str:
        """In canonical notation."""
        edges = ",".join(f"{joined}{weight}" for joined, weight in self.weights.items())
        return f"{edges}:{self.start}{self.goal}"


class Settled(NamedTuple):
    """A letter whose distance is final."""

    letter: str
    distance: int
    path: str
    """A shortest one from the start."""
    improved: tuple[tuple[str, int], ...]
    """Letters that are nearer by way of this one than was known before, with their distances."""


class ShortestPath(Environment):
    """Find a shortest path between two letters."""

    name = "shortest_path"
    summary = "ab3,ac9,bc1:ac: a path from a to c of the least total weight"
    instruction = (
        "Letters are joined by edges with weights: ab3 joins a and b, in both directions, with "
        "weight 3. Find a path of the least total weight between the two letters after the colon, "
        "from the first of them to the second. The answer is the letters along the path, such as "
        "abc."
    )
    verifier = "certificate"
    unique = False
    guess_bound = 0.1
    knobs = {
        "letters": Knob((4, 5, 5, 6, 6, 7, 8, 9, 10), "letters", "more letters"),
        "edges": Knob((5, 5, 6, 7, 8, 9, 11, 13, 17), "edges", "more edges"),
        "largest": Knob((9, 9, 9, 9, 9, 9, 9, 9, 99), "weight", "larger weights"),
        "steps": Knob((3, 4, 4, 4, 5, 5, 6, 7, 8), "edges", "longer shortest paths"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random tree with random edges added, and two letters some steps apart."""
        letters = rng.sample(ascii_lowercase[: knobs["letters"]], knobs["letters"])
        chosen = {edge(rng.choice(letters[:i]), letters[i]) for i in range(1, len(letters))}
        others = [x for x in map("".join, combinations(sorted(letters), 2)) if x not in chosen]
        chosen.update(rng.sample(others, min(knobs["edges"] - len(chosen), len(others))))
        weights = {joined: rng.randint(1, knobs["largest"]) for joined in sorted(chosen)}
        start = rng.choice(letters)
        ends = [
            found
            for found in _settle(Question(weights, start, goal=""))
            if 2 < len(found.path) <= knobs["steps"] + 1
        ]
        # Of two ends the one more steps away: most are very near.
        goal = max(rng.choices(ends, k=2), key=lambda found: len(found.path)).letter if ends else ""
        return str(Question(weights, start, goal))

    def parse(self, text: str) -> Problem:
        """Read a graph; the gold is a path found by settling the nearest letter each time."""
        question = _read(text)
        demands = {
            "letters": len(neighbours(question.weights)),
            "edges": len(question.weights),
            "largest": max(question.weights.values()),
        }
        self.easiest(**demands, steps=0)
        reached = _settle(question)[-1]
        if reached.letter != question.goal:
            raise InvalidProblem(f"no solution: {question.goal} cannot be reached")
        direct = question.weights.get(edge(question.start, question.goal))
        if direct is not None and direct <= reached.distance:
            raise InvalidProblem(f"trivial: the edge {question.start}{question.goal} is shortest")
        level = self.easiest(**demands, steps=len(reached.path) - 1)
        text = str(question)
        return Problem(self.name, level, text, signature=text, gold=reached.path)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is a path from start to goal that is no longer than the gold."""
        try:
            weights, start, goal = _read(problem.text)
        except InvalidProblem:
            return Verdict(Outcome.ERROR, "unreadable problem")
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if not _ANSWER.match(answer):
            return Verdict(Outcome.UNPARSABLE, "not letters")
        if answer[0] != start or answer[-1] != goal:
            return Verdict(Outcome.WRONG, "other ends")
        given, least = (
            [weights.get(edge(*step)) for step in pairwise(path)] for path in (answer, problem.gold)
        )
        if None in given:
            return Verdict(Outcome.WRONG, "no such edge")
        if sum(filter(None, given)) > sum(filter(None, least)):
            return Verdict(Outcome.WRONG, "longer")
        return Verdict(Outcome.CORRECT, "shortest")

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Each letter as it is settled: with the distances that it improves, or with its path.

        For ab3,ac9,bc1:ac a0:b3c9;b3:c4;c4 or ab3;abc4.
        """
        settled = _settle(_read(problem.text))
        if rng.random() < 0.5:
            worked = [f"{found.path}{found.distance}" for found in settled[1:]]
        else:
            worked = [
                f"{found.letter}{found.distance}"
                + ":" * bool(found.improved)
                + "".join(f"{letter}{distance}" for letter, distance in found.improved)
                for found in settled
            ]
        return f"{';'.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Question:
    found = _TEXT.match(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'ab3,ac9,bc1:ac'")
    edges, start, goal = found.groups()
    weights: dict[str, int] = {}
    for part in sorted(edges.split(",")):
        joined = part[:2]
        if joined[0] >= joined[1]:
            raise InvalidProblem(f"not canonical: the letters of the edge {joined} do not ascend")
        if joined in weights:
            raise InvalidProblem(f"malformed: the edge {joined} stands twice")
        weights[joined] = int(part[2:])
    if not named_in_order(letter for joined in weights for letter in joined):
        raise InvalidProblem(f"not canonical: the letters of {text[:40]!r} are not a, b, c...")
    if start == goal:
        raise InvalidProblem(f"trivial: from {start} to itself")
    return Question(weights, start, goal)


def _settle(question: Question) -> list[Settled]:
    """Letters in order of their distance from the start, up to the goal: Dijkstra's algorithm.

    Of letters equally near the first in the alphabet comes first.
    """
    joined_to = neighbours(question.weights)
    known = {question.start: (0, question.start)}
    settled: dict[str, Settled] = {}
    while waiting := [letter for letter in known if letter not in settled]:
        nearest = min(waiting, key=lambda letter: (known[letter][0], letter))
        distance, path = known[nearest]
        improved: list[tuple[str, int]] = []
        for letter in joined_to.get(nearest, ()) if nearest != question.goal else ():
            through = distance + question.weights[edge(nearest, letter)]
            if letter not in settled and (letter not in known or through < known[letter][0]):
                known[letter] = through, path + letter
                improved.append((letter, through))
        settled[nearest] = Settled(nearest, distance, path, tuple(improved))
        if nearest == question.goal:
            break
    return list(settled.values())
