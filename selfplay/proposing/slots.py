"""Slots: which proposer answers which plan, so that every plan ends with a problem.

Fed by loop.py with a generation's plans, feeds the attempts. What is screened is procedural: it is
about the cell. What is posed again comes from the archive. Of the other plans the learned proposer,
where it takes part, gets all but a share; what it cannot answer is procedural, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from selfplay import streams
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.plans import Plan, Purpose
from selfplay.model.network import Network
from selfplay.problem import Problem
from selfplay.proposing.learned import Learned
from selfplay.proposing.procedural import Procedural
from selfplay.proposing.proposal import Proposal, ProposingConfig
from selfplay.rollout.responses import Responses

LEVEL_TOLERANCE = 1
"""Levels by which a learned problem may miss its plan and still be posed."""


class Answered(NamedTuple):
    """Plans with their problems, and all that the learned proposer wrote for them."""

    posed: list[Proposal]
    """One admitted proposal for each plan, in their order."""
    learned: list[Proposal]
    """What the learned proposer wrote, admitted or not; empty if it was not asked."""
    responses: Responses | None
    """What those were read from; None if it was not asked."""


@dataclass(frozen=True)
class Slots:
    """The proposers of a run."""

    config: ProposingConfig
    seed: int
    archive: Archive
    """Where the text of an earlier problem is."""
    learned: Learned
    procedural: Procedural

    def answer(self, plans: Sequence[Plan], network: Network, generation: int) -> Answered:
        """A problem for each plan.

        A learned problem more than LEVEL_TOLERANCE levels away from its plan is not posed: its
        reward is 0 without spending attempts on it.
        """
        # Earlier problems first: nothing new may be the same as one of them.
        answered = {
            plan.slot: self._earlier(plan) for plan in plans if plan.purpose == Purpose.REVISIT
        }
        in_batch = {admitted(proposal).key for proposal in answered.values()}
        asked = self._asked(plans, generation)
        written, responses = [], None
        if asked:
            written, responses = self.learned.propose(asked, network, generation, in_batch)
        answered |= {
            proposal.plan.slot: proposal
            for proposal in written
            if proposal.problem is not None and near(proposal.problem, proposal.plan)
        }
        open_plans = [plan for plan in plans if plan.slot not in answered]
        filled, _ = self.procedural.propose(open_plans, network, generation, in_batch)
        answered |= {proposal.plan.slot: proposal for proposal in filled}
        return Answered([answered[plan.slot] for plan in plans], written, responses)

    def _asked(self, plans: Sequence[Plan], generation: int) -> list[Plan]:
        """The plans that the learned proposer is asked to answer, at random."""
        if self.config.proposer != "learned":
            return []
        trained = [plan for plan in plans if plan.purpose in (Purpose.TARGET, Purpose.PROBE)]
        count = round((1.0 - self.config.procedural_share) * len(trained))
        rng = streams.numpy_rng(self.seed, generation, "share")
        return [trained[at] for at in sorted(rng.permutation(len(trained))[:count].tolist())]

    def _earlier(self, plan: Plan) -> Proposal:
        """The problem that a plan wants posed again, by whoever wrote it."""
        problem, proposer = self.archive.problem(plan.problem)
        return Proposal(plan, proposer, problem.text, problem)


def near(problem: Problem, plan: Plan) -> bool:
    """Whether a problem is near the level that was asked for."""
    return abs(problem.level - plan.level) <= LEVEL_TOLERANCE


def admitted(proposal: Proposal) -> Problem:
    """The problem of a proposal that passed the gate."""
    assert proposal.problem is not None, proposal
    return proposal.problem
