"""Quickstart: a small transformer teaches itself four environments on two CPU cores.

Command: selfplay train quickstart [--arm NAME] [--seed N]
Machine: two CPU cores (1.5 GB of memory were in use after 50 generations).
Time: about 8 minutes, one of them warm-up (406 s of warm-up and generations were measured).
Expected (seed 0; the spread over seeds is not known yet): held-out pass@1 from 22% after the
warm-up to 32%, paired gain +10.1 [+8.3, +12.0] points; mean rating from 1075 to 1273, each +-19.
Known weakness: the share of valid proposals falls from 72% to 49%, because the proposer comes back
to problems that have been posed already.
"""

from dataclasses import replace

from selfplay.config import RunConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.learning.rollout import RolloutConfig
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.decode import DecodeConfig
from selfplay.model.transformer import ModelConfig
from selfplay.proposing.proposal import ProposingConfig

CONFIG = RunConfig(
    experiment="quickstart",
    generations=220,
    checkpoint_every=40,
    # The smallest of the shapes that were tried (0.8, 0.4 and 0.17 M parameters): it takes the most
    # steps in the time, and reached the most with them.
    model=ModelConfig(width=64, layers=3, heads=2, kv_heads=2, hidden=192),
    warmup=WarmupConfig(steps=2600, rows=32, row_length=96),
    rollout=RolloutConfig(problems=64, attempts=16),
    decode=DecodeConfig(max_tokens=160, rows=1024),
    update=UpdateConfig(learning_rate=5e-4, minibatches=1, row_lengths=(96, 256), tokens=6144),
    proposing=ProposingConfig(loss_weight=3.0),
    evaluation=EvaluationConfig(every=20),
)

VARIANTS = {
    "uniform": replace(CONFIG, curriculum=replace(CONFIG.curriculum, sampler="uniform")),
    "procedural": replace(CONFIG, proposing=replace(CONFIG.proposing, proposer="procedural")),
    "warmup-only": replace(
        CONFIG, generations=0, warmup=replace(CONFIG.warmup, steps=5 * CONFIG.warmup.steps // 2)
    ),
}
"""The control arms: all levels alike; only procedural problems; supervised all the time."""
