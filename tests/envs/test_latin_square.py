"""Latin squares: values and levels by hand, and trying every digit as an independent route."""

import random

import pytest
from selfplay_envs.latin_square import LatinSquare, _random_square

from selfplay.problem import InvalidProblem

ENVIRONMENT = LatinSquare()
HIDING = "...2364/43562../.4..12./6.2.43./...7.5./...5..2/2.345.6"
"""At some point no cell has a single digit left."""


def completions(text, most=2):
    """The missing digits of up to so many completions, by trying each in reading order."""
    cells = list(text.replace("/", ""))
    size = len(text.split("/"))
    blanks = [place for place, x in enumerate(cells) if x == "."]
    found = []

    def extend(index):
        if len(found) == most:
            return
        if index == len(blanks):
            rows = [cells[i * size : (i + 1) * size] for i in range(size)]
            if all(len(set(line)) == size for line in (*rows, *zip(*rows, strict=True))):
                found.append("".join(cells[place] for place in blanks))
            return
        row, column = divmod(blanks[index], size)
        seen = {cells[row * size + j] for j in range(size)}
        seen |= {cells[i * size + column] for i in range(size)}
        for digit in "123456789"[:size]:
            if digit not in seen:
                cells[blanks[index]] = digit
                extend(index + 1)
        cells[blanks[index]] = "."

    extend(0)
    return found


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("12./231/312", 0, "3"),
        ("1.3/2.1/312", 0, "23"),
        ("1.3/.../..2", 1, "223131"),
        ("1234/.341/34.2/412.", 0, "213"),
        ("1234/2341/3412/4...", 0, "123"),
        (HIDING, 7, "517717635517124633617471"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("1./.1", "malformed"),
        ("12/21", "malformed"),
        ("1.3/.../..2/", "malformed"),
        ("1.3/..../..2", "malformed"),
        ("1.3/...", "malformed"),
        ("0.3/.../..2", "malformed"),
        ("1.3/.../..2\n", "malformed"),
        ("1.4/.../..2", "malformed: the digit 4 in a square of 3 rows"),
        ("123/231/312", "trivial: no digit is missing"),
        ("1.1/.../..2", "no solution: a digit stands twice in row 1"),
        ("1.3/.../1.2", "no solution: a digit stands twice in column 1"),
        ("12./..3/...", "no solution: some cell or digit has no place"),
        (".../.../...", "not unique"),
        ("1../.../...", "not unique"),
        ("123./..../..../....", "not unique"),
        ("/".join(["." * 6] * 6), "beyond the top level: .*blanks 36"),
        ("/".join(["." * 9] * 9), "beyond the top level: .*rows 9"),
        ("1" * 10_000, "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_digits_may_be_named_otherwise():
    one, other = ENVIRONMENT.parse("1.3/.../..2"), ENVIRONMENT.parse("2.1/.../..3")
    assert one.signature == other.signature
    assert one.gold != other.gold
    assert one.signature != ENVIRONMENT.parse("1.3/.../2..").signature


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("1.3/2.1/312")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(40)}
    assert shown == {"122;223<answer>23", "223<answer>23", "<answer>23"}


@pytest.mark.parametrize("level", range(8))
def test_gold_is_the_only_completion(level):
    rng = random.Random(level)
    for _ in range(25):
        problem = ENVIRONMENT.generate(level, rng)
        assert completions(problem.text) == [problem.gold], problem.text


def test_texts_are_refused_for_the_right_reason():
    rng = random.Random(0)
    for _ in range(400):
        cells = [rng.choice("1234........") for _ in range(16)]
        text = "/".join("".join(cells[i : i + 4]) for i in range(0, 16, 4))
        found = completions(text)
        try:
            assert [ENVIRONMENT.parse(text).gold] == found
        except InvalidProblem as error:
            reason = str(error).split(":")[0]
            expected = {0: "no solution", 1: "beyond the top level", 2: "not unique"}[len(found)]
            assert reason in (expected, "beyond the top level"), text


@pytest.mark.parametrize("size", range(3, 9))
def test_random_squares_are_latin(size):
    rng = random.Random(size)
    seen = set()
    for _ in range(50):
        grid = _random_square(size, rng)
        for line in (*grid, *zip(*grid, strict=True)):
            assert sorted(line) == list(range(1, size + 1))
        seen.add(str(grid))
    assert len(seen) >= (10 if size == 3 else 40)
