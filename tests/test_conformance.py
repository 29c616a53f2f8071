"""The conformance suite finds what it is for: each fault, planted in an environment."""

import random
import string

import pytest
from tiny import Last

from selfplay import conformance
from selfplay.conformance import Size
from selfplay.problem import ANSWER_OPEN, InvalidProblem, Knob, Outcome, Problem, Verdict

SIZE = Size(problems=400, graded=60, fuzzed=300)


class Sound(Last):
    """The sum of the places of the letters of a word; keeps the contract."""

    name = "sound"
    summary = "the letters of a word, added up"
    instruction = "Add the places of the letters in the alphabet. The answer is an integer."
    knobs = {"letters": Knob((4, 5, 6), "letters", "longer words")}
    guess_bound = 0.15

    def parse(self, text):
        if not text or not set(text) <= set(string.ascii_lowercase):
            raise InvalidProblem("malformed")
        level = self.easiest(letters=len(text))
        gold = sum(map(ord, text)) - 96 * len(text)
        return Problem(self.name, level, text, text, str(gold))

    def grade(self, problem, response):
        if response.count(ANSWER_OPEN) != 1 or len(response) > 1000:
            return Verdict(Outcome.UNPARSABLE, "no answer")
        answer = response.partition(ANSWER_OPEN)[2].strip()
        right = answer.removesuffix("</answer>").strip() == problem.gold
        return Verdict(Outcome.CORRECT if right else Outcome.WRONG, "compared")

    def demonstrate(self, problem, rng):
        worked = "+".join(str(ord(letter) - 96) for letter in problem.text)
        return f"{worked}={ANSWER_OPEN}{problem.gold}"


def checks(environment, size=SIZE):
    return {fault.check for fault in conformance.check(environment, size)}


def test_a_sound_environment_has_no_fault():
    assert list(conformance.check(Sound(), SIZE)) == []


@pytest.mark.parametrize(
    ("count", "crowded", "levels"),
    [
        (1, 0, [0]),
        (9, 3, list(range(9))),
        (10, 0, list(range(10))),
        (11, 0, [0, 1, 2, 4, 5, 6, 8, 9, 10]),
        (40, 5, [0, 1, 5, 7, 13, 19, 26, 32, 38, 39]),
        (40, 40, [0, 1, 7, 13, 19, 26, 32, 38, 39]),
    ],
)
def test_of_a_long_ladder_some_levels_are_checked_the_ends_among_them(count, crowded, levels):
    environment = Sound()
    environment.knobs = {"letters": Knob(tuple(range(4, 4 + count)), "letters", "longer words")}
    environment.crowded = crowded
    assert conformance.spread(environment) == levels


def test_a_fault_at_the_top_of_a_long_ladder_is_found():
    class Long(Sound):
        knobs = {"letters": Knob(tuple(range(4, 44)), "letters", "longer words")}

        def demonstrate(self, problem, rng):
            shown = super().demonstrate(problem, rng)
            return shown + "0" if problem.level == 39 else shown

    (fault,) = conformance.check(Long(), Size(problems=60, graded=10, fuzzed=50))
    assert (fault.check, fault.where) == ("worked solutions are right", "level 39")


class Forgetful(Sound):
    def draft(self, knobs, rng):
        return super().draft(knobs, random)  # not the rng that it was given


class Poor(Sound):
    def draft(self, knobs, rng):
        return rng.choice("ab") * knobs["letters"]


class Misread(Sound):
    def pose(self, problem):
        return problem.text[:-1]


class Picky(Sound):
    def grade(self, problem, response):
        right = response == f"<answer>{problem.gold}"
        return Verdict(Outcome.CORRECT if right else Outcome.WRONG, "compared")


class Generous(Sound):
    """Pays for containing the gold, as some libraries do."""

    def grade(self, problem, response):
        right = problem.gold in response
        return Verdict(Outcome.CORRECT if right else Outcome.WRONG, "contains")


class Near(Sound):
    def grade(self, problem, response):
        verdict = super().grade(problem, response)
        given = response.partition(ANSWER_OPEN)[2]
        if given.isdigit() and len(given) < 9 and abs(int(given) - int(problem.gold)) <= 1:
            return Verdict(Outcome.CORRECT, "near")
        return verdict


class Breaking(Sound):
    def grade(self, problem, response):
        response.encode("ascii")
        return super().grade(problem, response)


class Constant(Sound):
    def parse(self, text):
        problem = super().parse(text)
        return Problem(problem.environment, problem.level, text, text, "7")


class Copied(Sound):
    def parse(self, text):
        problem = super().parse(text)
        return Problem(problem.environment, problem.level, text, text, text)


class Mistaken(Sound):
    def demonstrate(self, problem, rng):
        return f"{ANSWER_OPEN}{int(problem.gold) + 1}"


class Moody(Sound):
    def __init__(self):
        self.asked = 0

    def grade(self, problem, response):
        self.asked += 1
        verdict = super().grade(problem, response)
        return verdict if verdict.correct else Verdict(verdict.outcome, f"asked {self.asked}")


class Crashing(Sound):
    def parse(self, text):
        if text[1:2] == " ":
            raise IndexError("an index")
        return super().parse(text)


class Backwards(Sound):
    def estimate(self, problem):
        return 10.0 - problem.level


class Unlevelled(Sound):
    def generate(self, setting, rng):
        return super().generate(0 if setting == 1 else setting, rng)


class Unicode(Sound):
    def parse(self, text):
        problem = super().parse(text.replace("é", "e"))
        return Problem(problem.environment, problem.level, text, text, problem.gold)

    def draft(self, knobs, rng):
        return super().draft(knobs, rng)[:-1] + "é"


class Flat(Sound):
    knobs = {"letters": Knob((4, 6, 5), "letters", "longer words")}


class Nameless(Sound):
    name = "Sound Off"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Forgetful, "is reproducible"),
        (Poor, "rarely repeats"),
        (Misread, "parse inverts pose"),
        (Picky, "accepts the gold"),
        (Generous, "rejects hostile answers"),
        (Near, "rejects near misses"),
        (Breaking, "rejects hostile answers"),
        (Constant, "no constant answer pays"),
        (Copied, "copying does not pay"),
        (Copied, "does not leak"),
        (Mistaken, "worked solutions are right"),
        (Moody, "grading is pure"),
        (Crashing, "refuses broken texts"),
        (Backwards, "gets harder"),
        (Unlevelled, "is of its level"),
        (Unicode, "is printable"),
        (Flat, "knobs are consistent"),
        (Nameless, "describes itself"),
    ],
)
def test_a_planted_fault_is_found(kind, found):
    assert found in checks(kind())


def test_a_fault_says_where_what_and_what_to_change():
    (fault,) = [one for one in conformance.check(Mistaken(), SIZE, [1])]
    assert fault.where == "level 1"
    assert str(fault).startswith("level 1: worked solutions are right: ('")
    assert fault.advice == "a worked solution must be graded correct"


def test_a_generator_that_finds_nothing_is_a_fault():
    class Stuck(Sound):
        def draft(self, knobs, rng):
            return "1"

    (fault,) = conformance.check(Stuck(), SIZE, [0])
    assert fault.check == "generates"
    assert "none of 10000 drafts is a problem of 0" in fault.example
