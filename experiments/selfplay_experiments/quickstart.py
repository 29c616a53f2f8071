"""Quickstart: a small transformer teaches itself four environments on two CPU cores.

Command: selfplay train quickstart [--arm NAME] [--seed N]
Machine: two CPU cores (1.5 GB of memory were in use after 50 generations).
Time: `make demo` on a fresh clone took 7 minutes 27 seconds, 387 of them warm-up and generations;
seeds 1 and 2 took 336 and 323 seconds of these.
Expected over seeds 0, 1, 2: held-out pass@1 from 27.7%, 25.7%, 27.8% after the warm-up to 52.9%,
48.9%, 51.3%; paired gains +25.1, +23.2, +23.5 points, each +-2.5; mean rating +292, +324, +330;
valid proposals at the end 92.6%, 91.6%, 90.5%. Greedy accuracy gains 5 to 6 points. These were
measured with Elo ratings; with the present ones seeds 0 and 1 gained +26.0 and +22.8 points. With
parameters drawn by numpy and decoding in tiles, seed 0 gained +25.5 (27.3% to 52.8%); since
attempts share their prompt in training +25.0 (27.4% to 52.4%).
"""

from dataclasses import replace

from selfplay.config import RunConfig
from selfplay.curriculum.config import CurriculumConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.sampling import DecodeConfig
from selfplay.model.transformer import ModelConfig
from selfplay.proposing.proposal import ProposingConfig
from selfplay.rollout.attempts import RolloutConfig

CONFIG = RunConfig(
    experiment="quickstart",
    generations=220,
    checkpoint_every=40,
    # The smallest of the shapes that were tried (0.8, 0.4 and 0.17 M parameters): it takes the most
    # steps in the time, and reached the most with them.
    model=ModelConfig(width=64, layers=3, heads=2, kv_heads=2, hidden=192, positions="rotary"),
    warmup=WarmupConfig(steps=2600, rows=32, row_length=96),
    # Fewer problems with more attempts each teach as much, and use up the easy levels more slowly.
    rollout=RolloutConfig(problems=64, attempts=16),
    decode=DecodeConfig(max_tokens=160, rows=32),
    # Where the worked solutions end, one level is nearly solved and the next nearly hopeless.
    curriculum=CurriculumConfig(width=0.2),
    update=UpdateConfig(learning_rate=5e-4, minibatches=1, row_lengths=(96, 256), tokens=6144),
    # The loss is a mean over tokens, of which proposals have few.
    proposing=ProposingConfig(loss_weight=3.0),
    evaluation=EvaluationConfig(every=20),
)

VARIANTS = {
    **{
        sampler: replace(CONFIG, curriculum=replace(CONFIG.curriculum, sampler=sampler))
        for sampler in ("uniform", "ladder", "sec")
    },
    "procedural": replace(CONFIG, proposing=replace(CONFIG.proposing, proposer="procedural")),
    "warmup-only": replace(
        CONFIG, generations=0, warmup=replace(CONFIG.warmup, steps=5 * CONFIG.warmup.steps // 2)
    ),
}
"""The control arms: other samplers; only procedural problems; supervised all the time."""
