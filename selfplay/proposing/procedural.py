"""The procedural proposer: seeded generators of the environments. The control arm, and the reserve.

When a level has no unposed problem left to find, it poses an earlier one again.
"""

from collections.abc import Collection, Mapping, Sequence

from selfplay import streams
from selfplay.curriculum.plans import Plan
from selfplay.model.network import Network
from selfplay.problem import Environment, InvalidProblem, Problem
from selfplay.proposing.gate import DUPLICATE, Gate, short_reason
from selfplay.proposing.proposal import Proposal, Proposals

NAME = "procedural"
TRIES = 8
"""Draws in search of a problem that is new."""
MAX_DRAWS = 10_000
"""Draws after which a level is taken to hold held-out problems only."""


class Procedural:
    """Draws a problem of the requested level."""

    def __init__(self, environments: Mapping[str, Environment], gate: Gate, seed: int) -> None:
        self._environments = environments
        self._gate = gate
        self._seed = seed

    def propose(
        self, plans: Sequence[Plan], network: Network, generation: int, in_batch: set[str]
    ) -> Proposals:
        """One admitted problem for each plan; the network is not asked."""
        proposals = []
        for number, plan in enumerate(plans):
            problem = self._draw(plan, generation, number, in_batch)
            in_batch.add(problem.key)
            proposals.append(Proposal(plan, NAME, problem.text, problem))
        return Proposals(proposals, None)

    def _draw(self, plan: Plan, generation: int, number: int, in_batch: Collection[str]) -> Problem:
        rng = streams.python_rng(self._seed, generation, NAME, number)
        environment = self._environments[plan.environment]
        repeat = None
        for tried in range(MAX_DRAWS):
            if tried >= TRIES and repeat is not None:
                return repeat
            drawn = environment.generate(plan.level, rng)
            try:
                return self._gate.admit(environment.name, environment.pose(drawn), in_batch)
            except InvalidProblem as error:
                if short_reason(error) == DUPLICATE:
                    repeat = drawn
        raise ValueError(
            f"level {plan.level} of {environment.name} has no problem that is not held out "
            f"({MAX_DRAWS} draws); lower suites.held_out or give the level more problems."
        )
