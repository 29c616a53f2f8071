"""Advantages: how much better one attempt did than its siblings on the same problem.

Reads rewards (from verdicts, or what proposals were worth), feeds update.py. Pure numpy: a few
hundred numbers a generation. Axes: P problems, G attempts a problem, N samples of one role.
"""

import numpy as np


def group_centred(reward_PG: np.ndarray, graded_PG: np.ndarray) -> np.ndarray:
    """Subtract each problem's mean reward over its graded attempts.

    No division by the group's standard deviation: it would weight nearly solved and nearly
    hopeless problems most.

    Args:
        reward_PG: float [P, G], in [0, 1].
        graded_PG: bool [P, G], False where the grader itself failed.
    Returns:
        float [P, G]; sums to 0 over each problem's graded attempts, 0 where not graded.
    Source: Liu et al. 2025, arXiv:2503.20783 (Dr. GRPO), without its constant length factor.
    """
    count_P1 = graded_PG.sum(axis=1, keepdims=True)
    total_P1 = np.where(graded_PG, reward_PG, 0.0).sum(axis=1, keepdims=True)
    mean_P1 = total_P1 / np.maximum(count_P1, 1)  # no grades at all: 0, not NaN
    return np.where(graded_PG, reward_PG - mean_P1, 0.0)


def centred_by(label_N: np.ndarray, reward_N: np.ndarray) -> np.ndarray:
    """Subtract from each reward the mean over the samples with the same label.

    Args:
        label_N: int [N], what the samples were asked for (a proposer's environment).
        reward_N: float [N].
    Returns:
        float [N]; sums to 0 over each label. With one sample of a label: 0, nothing to compare.
    """
    labels, index_N = np.unique(label_N, return_inverse=True)
    count = np.bincount(index_N, minlength=labels.size)
    mean = np.bincount(index_N, weights=reward_N, minlength=labels.size) / np.maximum(count, 1)
    return reward_N - mean[index_N]


def scaled(advantage_N: np.ndarray, length_N: np.ndarray) -> np.ndarray:
    """Divide by the standard deviation over all tokens of one role in the batch.

    One scale per role and batch, so that neither role drowns the other; the weights of problems
    within a role keep their proportions.

    Args:
        advantage_N: float [N], of samples; every token of a sample has its advantage.
        length_N: int [N], response tokens of each sample.
    Returns:
        float [N]; token-weighted mean square 1, or all 0.
    Source: Hu 2025, arXiv:2501.03262 (REINFORCE++), its batch scale without its mean.
    """
    tokens = length_N.sum()
    if tokens == 0:
        return np.zeros_like(advantage_N)
    scale = np.sqrt((length_N * np.square(advantage_N)).sum() / tokens)
    return advantage_N / scale if scale > 1e-6 else np.zeros_like(advantage_N)
