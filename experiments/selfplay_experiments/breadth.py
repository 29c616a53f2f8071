"""Breadth: the quickstart over twelve environments, from arithmetic to knights and knaves.

Command: selfplay train breadth [--seed N]
Machine: two CPU cores (3 GB of memory were in use).
Time: not measured yet on cores that do nothing else.
Expected: not known yet. The only run, seed 0 beside other work, was stopped after 118 of the 220
generations: held-out pass@1 from 14.2% after the warm-up to 24.6%, paired gain +10.4 points [9.4,
11.4]; no environment down by more than 0.8.
"""

from dataclasses import replace

from selfplay.config import RunConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.model.transformer import ModelConfig
from selfplay_experiments.quickstart import CONFIG as QUICKSTART

CONFIG = replace(
    QUICKSTART,
    experiment="breadth",
    environments=(
        "arithmetic", "countdown", "entailment", "fractions", "gcd_lcm", "knights_and_knaves",
        "latin_square", "linear_equations", "modular", "modular_equations", "sorting",
        "string_rewriting",
    ),
    generations=220,
    model=ModelConfig(width=96, layers=3, heads=3, kv_heads=3, hidden=288),
    warmup=replace(QUICKSTART.warmup, steps=4000, row_length=128),
    rollout=replace(QUICKSTART.rollout, problems=96),
    evaluation=EvaluationConfig(every=40),
)  # fmt: skip

VARIANTS: dict[str, RunConfig] = {}
