"""Which proposer answers which plan: every plan ends with a problem, whatever was written."""

import random

import pytest

from selfplay.curriculum.archive import Archive
from selfplay.curriculum.plans import Plan, Posed, Purpose
from selfplay.proposing.gate import Gate
from selfplay.proposing.procedural import Procedural
from selfplay.proposing.proposal import Proposal, Proposals, ProposingConfig
from selfplay.proposing.slots import Slots

PURPOSES = [Purpose.SCREEN, Purpose.TARGET, Purpose.PROBE, Purpose.REVISIT] + [Purpose.TARGET] * 5


class Writer:
    """A learned proposer that writes what it is told, in turn."""

    def __init__(self, write):
        self.write, self.asked = write, []

    def propose(self, plans, network, generation, in_batch):
        self.asked += plans
        written = [Proposal(plan, "learned", "text", self.write(plan)) for plan in plans]
        in_batch |= {own.problem.key for own in written if own.problem is not None}
        return Proposals(written, "responses")


@pytest.fixture
def plans():
    return [
        Plan(3, slot, "arithmetic", 4, 1500.0, 0.5, 0.1, 0.1, purpose, 7 if slot == 3 else 100)
        for slot, purpose in enumerate(PURPOSES)
    ]


def slots(environments, writer, **config):
    archive = Archive(":memory:")
    earlier = environments["arithmetic"].parse("8*8")
    plan = Plan(1, 0, "arithmetic", 4, 1500.0, 0.5, 0.1, 0.1, Purpose.TARGET, 7)
    archive.add([Posed(plan, earlier, "learned", 1, 2, 1500.0, 60.0)], [])
    gate = Gate(environments, frozenset(), archive)
    return Slots(ProposingConfig(**config), 0, archive, writer, Procedural(environments, gate, 0))


def of_level(environments, level):
    rng = random.Random(level)
    return lambda plan: environments["arithmetic"].generate(level, rng)


def test_a_learned_problem_near_its_level_is_posed(environments, plans):
    writer = Writer(of_level(environments, 5))
    found = slots(environments, writer, procedural_share=0.0).answer(plans, None, 3)
    assert [own.plan for own in found.posed] == plans
    assert {own.plan.slot for own in found.posed if own.proposer == "learned"} == {
        1, 2, 3, 4, 5, 6, 7, 8,
    }  # fmt: skip
    assert {plan.purpose for plan in writer.asked} == {Purpose.TARGET, Purpose.PROBE}
    assert found.learned and found.responses == "responses"


@pytest.mark.parametrize("level", [None, 2])
def test_what_is_invalid_or_off_its_level_is_replaced(environments, plans, level):
    write = (lambda plan: None) if level is None else of_level(environments, level)
    found = slots(environments, Writer(write), procedural_share=0.0).answer(plans, None, 3)
    assert [own.plan for own in found.posed] == plans
    assert {own.proposer for own in found.posed if own.plan.slot != 3} == {"procedural"}
    assert len(found.learned) == 7
    assert len({own.problem.key for own in found.posed}) == len(plans)


def test_an_earlier_problem_comes_back_word_for_word(environments, plans):
    found = slots(environments, Writer(lambda plan: None)).answer(plans, None, 3)
    again = found.posed[3]
    assert (again.problem.text, again.proposer) == ("8*8", "learned")


def test_generators_have_their_share(environments, plans):
    writer = Writer(of_level(environments, 4))
    found = slots(environments, writer, procedural_share=3 / 7).answer(plans, None, 3)
    assert len(writer.asked) == len(found.learned) == 4
    alone = slots(environments, writer, proposer="procedural").answer(plans, None, 3)
    assert alone.learned == [] and alone.responses is None
