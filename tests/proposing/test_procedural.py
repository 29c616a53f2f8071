"""The procedural proposer: new problems of the level, repeats only where nothing new is left."""

import pytest

from selfplay.curriculum.plans import Plan, Purpose
from selfplay.proposing.gate import Gate
from selfplay.proposing.procedural import Procedural


class Everything:
    """Contains every key."""

    def __contains__(self, key):
        return True


def requests(*levels, environment="modular"):
    return [
        Plan(1, slot, environment, level, 1500.0, 0.5, 0.1, 0.1, Purpose.TARGET, slot)
        for slot, level in enumerate(levels)
    ]


@pytest.fixture
def proposer(environments):
    def build(frozen=frozenset(), posed=frozenset(), seed=0):
        return Procedural(environments, Gate(environments, frozen, posed), seed)

    return build


def test_every_request_gets_a_new_problem_of_its_level(proposer, environments, network):
    batch = set()
    asked = [request for name in environments for request in requests(0, 3, 8, environment=name)]
    proposals, rollout = proposer().propose(asked, network, 1, batch)
    assert rollout is None
    assert [(p.problem.environment, p.problem.level) for p in proposals] == [
        (request.environment, request.level) for request in asked
    ]
    assert batch == {p.problem.key for p in proposals}
    assert len(batch) == len(asked)
    assert all(p.proposer == "procedural" and p.text == p.problem.text for p in proposals)


def test_draws_depend_on_seed_and_generation_only(proposer, network):
    def texts(seed, generation):
        made = proposer(seed=seed).propose(requests(*[5] * 6), network, generation, set())
        return [proposal.text for proposal in made.proposals]

    assert texts(0, 1) == texts(0, 1)
    assert not set(texts(0, 1)) & set(texts(1, 1))
    assert not set(texts(0, 1)) & set(texts(0, 2))


def test_a_level_with_nothing_new_poses_again(proposer, network):
    proposals, _ = proposer(posed=Everything()).propose(requests(0, 0, 0), network, 1, set())
    assert all(p.problem is not None and p.problem.level == 0 for p in proposals)


def test_what_is_held_out_is_never_posed(proposer, environments, network):
    first = proposer().propose(requests(*[0] * 30), network, 1, set()).proposals
    frozen = {proposal.problem.key for proposal in first[::2]}
    for posed in (frozenset(), Everything()):
        again = proposer(frozen, posed).propose(requests(*[0] * 30), network, 1, set()).proposals
        assert not frozen & {proposal.problem.key for proposal in again}
