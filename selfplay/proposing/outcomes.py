"""What became of the learned proposals: their rewards, and the games that the proposer is rated by.

Fed by loop.py after the attempts, feeds the learning and the ratings. Axis: N proposals.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from selfplay.curriculum.plans import Posed
from selfplay.curriculum.scale import Cells, Game
from selfplay.proposing.learned import NAME
from selfplay.proposing.proposal import Proposal
from selfplay.proposing.reward import reward

PASSED_SOMETIMES = 0.25, 0.75
"""Pass rates within which a problem is one to learn from, for the proposer's rating."""


def rewards(
    proposals: Sequence[Proposal], surprisal_N: np.ndarray, posed: Sequence[Posed]
) -> np.ndarray:
    """float [N], reward of each learned proposal: 0 for one that was not posed.

    Args:
        proposals: N of them, admitted or not.
        surprisal_N: float [N], -log P of each text when it was drawn, in nats.
        posed: all problems of the generation, in the order of their slots.
    """
    reward_N = np.zeros(len(proposals))
    for at, proposal in enumerate(proposals):
        if (own := _of(proposal, posed)) is not None:
            reward_N[at] = reward(
                own.solved, own.graded, own.rating, proposal.plan.rating, float(surprisal_N[at])
            )
    return reward_N


def games(cells: Cells, proposals: Sequence[Proposal], posed: Sequence[Posed]) -> list[Game]:
    """The learned proposer's games: one for each environment and level that was asked for.

    It wins if its problem is valid, near the level, and passed sometimes; one whose attempts could
    not be graded is no game.
    """
    won, asked = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    least, most = PASSED_SOMETIMES
    for proposal in proposals:
        cell = cells.index[proposal.plan.environment], proposal.plan.level
        own = _of(proposal, posed)
        if own is None:
            asked[cell] += 1
        elif own.graded:
            asked[cell] += 1
            # The mean of the posterior from a flat prior: 1 of 1 is no proof of an easy problem.
            won[cell] += least <= (own.solved + 1) / (own.graded + 2) <= most
    return [Game(*cell, won[cell], asked[cell]) for cell in sorted(asked)]


def _of(proposal: Proposal, posed: Sequence[Posed]) -> Posed | None:
    """The problem that was posed from a learned proposal; None if another took its slot."""
    own = posed[proposal.plan.slot]
    return own if own.proposer == NAME and own.problem == proposal.problem else None
