"""Frozen suites: the same in every run, disjoint, of the promised sizes."""

from collections import Counter

import pytest

from selfplay import suites
from selfplay.problem import Environment, Knob, Problem
from selfplay.suites import SuiteConfig


class Tiny(Environment):
    """Has exactly `many` problems, all of level 0."""

    name = "tiny"
    summary = "for tests"
    knobs = {"size": Knob((1,), "problems", "nothing")}

    def __init__(self, many):
        self.many = many

    def draft(self, knobs, rng):
        return str(rng.randrange(self.many))

    def parse(self, text):
        return Problem(self.name, 0, text, text, text)

    def grade(self, problem, response):
        raise NotImplementedError


@pytest.fixture(scope="module")
def built(environments):
    return suites.build(environments, SuiteConfig(held_out=4, anchors=2))


def test_sizes_by_environment_and_level(built, environments):
    cells = [(e.name, level) for e in environments.values() for level in range(e.level_count)]
    assert Counter((p.environment, p.level) for p in built.held_out) == dict.fromkeys(cells, 4)
    assert Counter((p.environment, p.level) for p in built.anchors) == dict.fromkeys(cells, 2)


def test_no_problem_is_there_twice(built):
    problems = built.held_out + built.anchors
    assert len({problem.key for problem in problems}) == len(problems)
    assert built.keys == {problem.key for problem in problems}


def test_the_digest_tells_suites_apart_and_is_the_same_in_every_process(environments, built):
    only = {"modular": environments["modular"]}
    config = SuiteConfig(held_out=2, anchors=1)
    again = suites.build(environments, SuiteConfig(held_out=4, anchors=2))
    assert again.digest == built.digest != suites.build(only, config).digest
    assert suites.build(only, config) == suites.build(only, config)


def test_an_environment_has_the_same_problems_whoever_stands_beside_it(environments, built):
    alone = suites.build({"modular": environments["modular"]}, SuiteConfig(held_out=4, anchors=2))
    assert alone.held_out == tuple(p for p in built.held_out if p.environment == "modular")


def test_a_level_with_just_enough_problems_is_exhausted():
    built = suites.build({"tiny": Tiny(5)}, SuiteConfig(held_out=3, anchors=2))
    assert built.keys == {f"tiny:{number}" for number in range(5)}


def test_a_level_with_too_few_problems_is_an_error_not_an_endless_search():
    with pytest.raises(ValueError, match="tiny has too few different problems of level 0"):
        suites.build({"tiny": Tiny(4)}, SuiteConfig(held_out=3, anchors=2))


@pytest.mark.parametrize("sizes", [{"held_out": 1}, {"anchors": 0}])
def test_sizes_out_of_range(sizes):
    with pytest.raises(ValueError, match=r"suites\.held_out=.* at least 2 .*suites\.anchors="):
        SuiteConfig(**sizes)
