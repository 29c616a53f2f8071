"""Quickstart: a 0.8 M-parameter transformer teaches itself four environments on two CPU cores.

Command: selfplay train quickstart [--arm NAME] [--seed N]
"""

from dataclasses import replace

from selfplay.config import RunConfig

CONFIG = RunConfig(experiment="quickstart")

VARIANTS = {
    "uniform": replace(CONFIG, curriculum=replace(CONFIG.curriculum, sampler="uniform")),
    "procedural": replace(CONFIG, proposing=replace(CONFIG.proposing, proposer="procedural")),
    "warmup-only": replace(
        CONFIG, generations=0, warmup=replace(CONFIG.warmup, steps=3 * CONFIG.warmup.steps)
    ),
}
