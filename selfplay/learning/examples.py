"""Examples: graded attempts and rewarded proposals -> what an optimiser step learns from.

Fed by loop.py, feeds batch.py and the memory of rehearsal.py. Axes: P problems, G attempts a
problem, N = P * G responses.
"""

from collections.abc import Sequence

import numpy as np

from selfplay.learning.advantage import centred_by, group_centred, scaled
from selfplay.learning.batch import Example
from selfplay.learning.rehearsal import Kept
from selfplay.rollout.attempts import Attempts
from selfplay.rollout.responses import Responses


def of_responses(responses: Responses, advantage_N: np.ndarray) -> list[Example]:
    """The responses with an advantage other than 0."""
    samples = responses.samples
    attempts = len(responses.texts) // len(responses.prompts)
    return [
        Example(
            prompt=responses.prompts[row // attempts],
            response=samples.response(row),
            weight=float(advantage_N[row]),
            logprobs=samples.logprob_NT[row, : samples.length_N[row]].tolist(),
            role=responses.role,
        )
        for row in np.flatnonzero(advantage_N).tolist()
    ]


def of_attempts(rule: str, attempts: Attempts, trained_P: np.ndarray) -> list[Example]:
    """Attempts at problems that some but not all of their siblings solved, for `update.rule`.

    None where the rule is rehearsal alone; only those that did better where it is `positive`.

    Args:
        rule: `update.rule`.
        attempts: at P problems.
        trained_P: bool [P], problems that are trained on.
    """
    if rule == "rehearsal":
        return []
    graded_PG = attempts.graded_PG & trained_P[:, None]
    advantage_N = group_centred(attempts.correct_PG.astype(np.float64), graded_PG).ravel()
    if rule == "positive":
        advantage_N = np.maximum(advantage_N, 0.0)
    length_N = np.where(advantage_N != 0.0, attempts.length_PG.ravel(), 0)
    return of_responses(attempts.responses, scaled(advantage_N, length_N))


def of_proposals(
    responses: Responses, environments: Sequence[str], reward_N: np.ndarray, weight: float
) -> list[Example]:
    """Proposals, each compared with those for the same environment.

    Args:
        responses: the N proposals.
        environments: N names, which environment each was for.
        reward_N: float [N], in [0, 1].
        weight: of the proposer's advantages beside the solver's.
    """
    names = sorted(set(environments))
    label_N = np.array([names.index(name) for name in environments])
    advantage_N = centred_by(label_N, reward_N)
    return of_responses(responses, weight * scaled(advantage_N, responses.samples.length_N))


def to_keep(attempts: Attempts, trained_P: np.ndarray, cells: Sequence[int]) -> list[Kept]:
    """The first right attempt at each problem that was solved at all, for the rehearsal's memory.

    Args:
        attempts: at P problems.
        trained_P: bool [P], problems that are trained on.
        cells: index of each problem's cell among environments x levels.
    """
    right_PG = attempts.correct_PG & trained_P[:, None]
    responses = attempts.responses
    return [
        Kept(
            cells[p],
            responses.prompts[p],
            responses.samples.response(p * attempts.each + int(right_PG[p].argmax())),
        )
        for p in np.flatnonzero(right_PG.any(axis=1)).tolist()
    ]
