"""Breadth: the quickstart over twelve environments, from arithmetic to knights and knaves.

Command: selfplay train breadth [--seed N]
Machine: two CPU cores (3 GB of memory were in use).
Time: 16 minutes with the evaluations.
Expected: held-out pass@1 up by 10 to 12 points, from 13-14% after the warm-up to 23-26%; no
environment down by more than 1. Seed 0: +11.5 points [10.4, 12.6], seed 1: +10.2 [9.2, 11.3]; table
in experiments/README.md.
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
    model=ModelConfig(width=96, layers=3, heads=3, kv_heads=3, hidden=288, positions="rotary"),
    warmup=replace(QUICKSTART.warmup, steps=4000, row_length=128),
    rollout=replace(QUICKSTART.rollout, problems=96),
    evaluation=EvaluationConfig(every=40),
)  # fmt: skip

VARIANTS: dict[str, RunConfig] = {}
