"""Graph colouring: ab,ac,bc,bd,cd:3 asks for one of 3 colours for each letter; here 1231.

Two letters that an edge joins must differ. The answer has a digit for each letter in alphabetical
order; any right one counts. Graphs that can be coloured in many ways are refused, as a guess would
do. In the canonical text edges ascend; other orders are read as that one.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, islice
from string import ascii_lowercase

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
from selfplay_envs.nearby import nearby
from selfplay_envs.pace import Pace

RAREST = 24
"""One division into colours in so many, at most, may be right."""

_MAX_LENGTH = 150
_TEXT = re.compile(r"([a-l]{2}(?:,[a-l]{2})*):([2-9])\Z")
_ANSWER = re.compile(r"[1-9]{2,12}\Z")


class GraphColouring(Environment):
    """Colour the letters of a graph."""

    name = "graph_colouring"
    summary = "ab,ac,bc,bd,cd:3: colour each letter with one of 3 so that joined letters differ"
    instruction = (
        "Give each letter a colour so that the two letters of every pair differ. The pairs stand "
        "before the colon, the number of colours after it. The answer has the colours, digits from "
        "1 on, of all letters in alphabetical order, such as 1231."
    )
    verifier = "certificate"
    unique = False
    guess_bound = 0.1
    crowded = 1
    knobs = {
        "letters": Knob((7, 8, 7, 7, 8, 8, 9, 10, 12), "letters", "more letters"),
        "edges": Knob((7, 9, 11, 12, 13, 15, 17, 20, 26), "edges", "more edges"),
        "colours": Knob((2, 2, 3, 3, 3, 3, 3, 3, 3), "colours", "more colours"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random edges between letters of different random colours."""
        letters, colours = ascii_lowercase[: knobs["letters"]], knobs["colours"]
        secret = [index % colours for index in range(len(letters))]
        rng.shuffle(secret)
        colour = dict(zip(letters, secret, strict=True))
        allowed = [a + b for a, b in combinations(letters, 2) if colour[a] != colour[b]]
        edges = sorted(rng.sample(allowed, min(knobs["edges"], len(allowed))))
        return f"{','.join(edges)}:{colours}"

    def parse(self, text: str) -> Problem:
        """Read a graph; the gold is the first colouring, the most constrained letter first."""
        edges, colours = _read(text)
        joined_to = neighbours(edges)
        letters = len(joined_to)
        level = self.easiest(letters=letters, edges=len(edges), colours=colours)
        most = _divisions(letters, colours) // RAREST
        found = list(islice(_colourings(joined_to, colours), most + 1))
        if not found:
            raise InvalidProblem(f"no solution: {colours} colours are not enough")
        if len(found) > most:
            raise InvalidProblem(f"trivial: it can be coloured in more than {most} ways")
        gold = "".join(str(found[0][letter]) for letter in joined_to)
        text = f"{','.join(edges)}:{colours}"
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if joined letters differ."""
        try:
            edges, colours = _read(problem.text)
        except InvalidProblem:
            return Verdict(Outcome.ERROR, "unreadable problem")
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if not _ANSWER.match(answer):
            return Verdict(Outcome.UNPARSABLE, "not digits")
        if len(answer) != len(problem.gold):
            return Verdict(Outcome.WRONG, "other number of letters")
        if int(max(answer)) > colours:
            return Verdict(Outcome.WRONG, "too many colours")
        colour = dict(zip(ascii_lowercase, answer, strict=False))
        if any(colour[first] == colour[second] for first, second in edges):
            return Verdict(Outcome.WRONG, "joined letters agree")
        return Verdict(Outcome.CORRECT, "coloured")

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One letter after the other, with the colours around it or without: c12=3 or c3.

        The letter that has the most colours around it comes next. Starts with any letter and names
        the colours anew.
        """
        edges, _ = _read(problem.text)
        joined_to = neighbours(edges)
        renamed: dict[str, str] = {}
        colour: dict[str, str] = {}
        worked: list[str] = []
        detailed = rng.random() < 0.5
        solution = dict(zip(joined_to, problem.gold, strict=True))
        letter: str | None = rng.choice(list(joined_to))
        while letter is not None:
            around = "".join(sorted({colour[x] for x in joined_to[letter] if x in colour}))
            if solution[letter] not in renamed:
                renamed[solution[letter]] = str(len(renamed) + 1)
            colour[letter] = renamed[solution[letter]]
            detail = f"{around}=" if around and detailed else ""
            worked.append(f"{letter}{detail}{colour[letter]}")
            letter = _next_letter(joined_to, colour)
        answer = "".join(colour[letter] for letter in joined_to)
        return f"{''.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{answer}"

    def estimate(self, problem: Problem) -> float:
        """Edges to be minded, twice with three colours: with two each letter decides the next."""
        edges, colours = _read(problem.text)
        return float(len(edges) * (colours - 1))

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One end of an edge moved to another letter."""
        return nearby(self, problem, rng, _move_edge)


def _read(text: str) -> tuple[list[str], int]:
    """The edges in canonical order and the number of colours."""
    found = _TEXT.match(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'ab,ac,bc,bd,cd:3'")
    edges = sorted(found[1].split(","))
    for joined in edges:
        if joined[0] >= joined[1]:
            raise InvalidProblem(f"not canonical: the letters of the edge {joined} do not ascend")
    if len(set(edges)) < len(edges):
        raise InvalidProblem("malformed: an edge stands twice")
    if not named_in_order(letter for joined in edges for letter in joined):
        raise InvalidProblem(f"not canonical: the letters of {text[:40]!r} are not a, b, c...")
    return edges, int(found[2])


@cache
def _divisions(letters: int, colours: int) -> int:
    """The ways to divide letters into at most so many groups: sums of Stirling numbers."""
    ways = [1]  # by the number of groups less one, of a single letter
    for _ in range(letters - 1):
        ways = [
            (index + 1) * (ways[index] if index < len(ways) else 0)
            + (ways[index - 1] if index else 0)
            for index in range(min(len(ways) + 1, colours))
        ]
    return sum(ways)


def _next_letter(
    joined_to: Mapping[str, Sequence[str]], colour: Mapping[str, object]
) -> str | None:
    """The letter without a colour that has the most colours around it, the first of such."""
    open_ = [letter for letter in joined_to if letter not in colour]
    if not open_:
        return None
    around = [len({colour[x] for x in joined_to[letter] if x in colour}) for letter in open_]
    return open_[around.index(max(around))]


def _colourings(
    joined_to: Mapping[str, Sequence[str]], colours: int
) -> Iterator[Mapping[str, int]]:
    """All colourings up to renaming of the colours: a new colour is always the next one."""

    def extend(colour: dict[str, int], used: int) -> Iterator[dict[str, int]]:
        letter = _next_letter(joined_to, colour)
        if letter is None:
            yield colour
            return
        around = {colour[x] for x in joined_to[letter] if x in colour}
        for choice in range(1, min(used + 1, colours) + 1):
            if choice not in around:
                yield from extend(colour | {letter: choice}, max(used, choice))

    return extend({}, 0)


def _move_edge(text: str, rng: random.Random) -> str:
    edges, _, colours = text.partition(":")
    chosen = edges.split(",")
    letters = sorted(set(edges) - {","})
    index = rng.randrange(len(chosen))
    kept = rng.choice(chosen[index])
    chosen[index] = edge(kept, rng.choice([letter for letter in letters if letter != kept]))
    return f"{','.join(chosen)}:{colours}"
