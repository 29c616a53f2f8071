"""Checkpoint: a pretrained chat model teaches itself arithmetic in words, equations and programs.

Command: selfplay train checkpoint --pretrained.folder FOLDER [--arm adapters] [--seed N]
Machine: an accelerator with 40 GB for a model of 0.6 billion parameters, whose parameters, moments
and gradients are float32; with --arm adapters the model is frozen and kept in bfloat16. Several
accelerators share it out with --mesh.fsdp. Not measured.
Time, expected: not measured. No checkpoint could be had where this was written; what runs in the
tests is this experiment with a checkpoint of random weights, shrunk.
"""

from dataclasses import replace

from selfplay.config import WANTED, PretrainedConfig, RunConfig
from selfplay.curriculum.config import CurriculumConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.sampling import DecodeConfig
from selfplay.proposing.proposal import ProposingConfig
from selfplay.rollout.attempts import RolloutConfig
from selfplay.suites import SuiteConfig

CONFIG = RunConfig(
    experiment="checkpoint",
    generations=200,
    environments=(
        "arithmetic", "countdown", "linear_systems", "quadratic_equations", "next_term",
        "knights_and_knaves", "program_output",
    ),
    precision="bfloat16",
    pretrained=PretrainedConfig(WANTED),
    checkpoint_every=25,
    warmup=WarmupConfig(steps=0),  # it can write already
    rollout=RolloutConfig(problems=64, attempts=8),
    decode=DecodeConfig(max_tokens=512, rows=128, tiles=3),
    curriculum=CurriculumConfig(),
    update=UpdateConfig(
        learning_rate=1e-6, minibatches=1, row_lengths=(256, 1024), tokens=16_384
    ),
    proposing=ProposingConfig(max_tokens=128),
    suites=SuiteConfig(held_out=10, anchors=4),
    evaluation=EvaluationConfig(every=20),
)  # fmt: skip

VARIANTS = {
    "adapters": replace(
        CONFIG,
        pretrained=replace(CONFIG.pretrained, adapter_rank=16),
        update=replace(CONFIG.update, learning_rate=1e-5),
    ),
}
