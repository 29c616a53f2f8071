"""Ladder: self-play that climbs far beyond what was demonstrated, on two CPU cores.

Command: selfplay train ladder [--arm NAME] [--seed N], or make demo
Machine: two CPU cores (of Zen 4).
Time: `make demo` in a fresh clone took 8 minutes 23 seconds, 371 of them warm-up and generations;
the arm `hour` 66 minutes beside other work.
Expected over seeds 0, 1, 2: held-out pass@1 from 7.9%, 8.8%, 8.8% to 47.5%, 48.5%, 52.5%; greedy to
50.9%, 50.6%, 55.1%; the frontier at least triples in all four environments. `hour`, seed 0: 93.5%.
"""

from dataclasses import replace

from selfplay.config import RunConfig
from selfplay.curriculum.config import CurriculumConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.learning.rehearsal import RehearsalConfig
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.sampling import DecodeConfig
from selfplay.model.transformer import ModelConfig
from selfplay.proposing.proposal import ProposingConfig
from selfplay.rollout.attempts import RolloutConfig
from selfplay.suites import SuiteConfig

CONFIG = RunConfig(
    experiment="ladder",
    environments=("walk", "automaton", "register_machine", "running_sum"),
    generations=75,
    checkpoint_every=25,
    model=ModelConfig(
        width=64, layers=3, heads=4, kv_heads=4, head_dim=16, hidden=192, positions="local",
    ),
    # The lowest four of the levels, all alike, until they are mastered.
    warmup=WarmupConfig(
        steps=3000, mastery=0.98, shown=0.07, thinning=1.0, learning_rate=6e-3, rows=32,
        row_length=96, proposer_share=0.0,
    ),
    # Errors are the same in all attempts at a problem: many problems with few attempts each.
    rollout=RolloutConfig(problems=128, attempts=2),
    decode=DecodeConfig(max_tokens=256, rows=96),
    curriculum=CurriculumConfig(target=0.35, width=0.1, probe=0.01),
    update=UpdateConfig(
        rule="rehearsal", learning_rate=2e-3, row_lengths=(96, 192, 384), tokens=2048,
        # Right attempts at the frontier are few and dear: each is learnt from many times.
        rehearsal=RehearsalConfig(steps=15, tokens=4000),
    ),
    proposing=ProposingConfig(proposer="procedural", max_tokens=76),
    suites=SuiteConfig(held_out=8, anchors=4),
    evaluation=EvaluationConfig(
        samples=2, every=20, live=1, live_samples=1, anchors=1,
    ),
)  # fmt: skip

VARIANTS = {
    "transfer": replace(
        CONFIG, curriculum=replace(CONFIG.curriculum, withheld=("automaton", "running_sum"))
    ),
    "traps": replace(
        CONFIG,
        environments=(*CONFIG.environments, "coin_flips", "one_way"),
        # Nobody masters a coin: the warm-up takes all its steps. The traps have nine levels: the
        # share that shows one of them shows six of a ladder's.
        warmup=replace(CONFIG.warmup, mastery=0.0, shown=0.112),
    ),
    "hour": replace(CONFIG, generations=600),
}
"""Two of the ladders never posed, to see what carries over to them; a noise trap and an impossible
environment beside the ladders; eight times as long. Samplers, rules and proposers are in
ladder_arms.py."""
