"""Ladder arms: curricula and rules of learning on the four ladders, paired by seed.

Command, for a seed: selfplay train ladder_arms --arm warmup --seed 0 --run runs/warmup-0
then for each arm: selfplay train ladder_arms --arm uniform --seed 0 --warmup-of runs/warmup-0 \
    --run runs/uniform-0
then: python -m selfplay_experiments.paired runs/main-* runs/uniform-* --json FILE
Machine: one CPU core a run (of Zen 4), beside other work. Time: 4 to 7 minutes a warm-up, 3 a rule
of the gradient, 5 to 7 a sampler that stays at the frontier, 8 to 12 one whose attempts are long,
18 the oracle.
Expected, means of five seeds: from 9.5% `main` to 43.7% (34 to 48), `ladder` 39.1, `plr` 25.4,
`mopps` 21.1, `uniform` 18.2 (16 to 20); more in experiments/README.md.
"""

from dataclasses import replace

from selfplay.config import RunConfig
from selfplay.evaluate import EvaluationConfig
from selfplay_experiments.ladder import CONFIG as LADDER

CONFIG = replace(
    LADDER,
    experiment="ladder_arms",
    generations=100,
    rollout=replace(LADDER.rollout, problems=64),
    update=replace(LADDER.update, rehearsal=replace(LADDER.update.rehearsal, tokens=2000)),
    evaluation=EvaluationConfig(samples=2, every=10, live=2, live_samples=1, anchors=1),
)


def _sampler(name: str) -> RunConfig:
    return replace(CONFIG, curriculum=replace(CONFIG.curriculum, sampler=name))


def _rule(rule: str, rate: float, max_divergence: float = 0.0) -> RunConfig:
    """As many attempts as in `main`, in groups of four, so that they can be judged."""
    return replace(
        CONFIG,
        rollout=replace(CONFIG.rollout, problems=32, attempts=4),
        update=replace(
            CONFIG.update, rule=rule, learning_rate=rate, max_divergence=max_divergence,
            minibatches=2,
        ),
    )  # fmt: skip


def _rotary(config: RunConfig) -> RunConfig:
    return replace(config, model=replace(config.model, positions="rotary"))


def _learned(config: RunConfig) -> RunConfig:
    """With the network as the proposer; the warm-up shows it problems of every level."""
    return replace(
        config,
        warmup=replace(config.warmup, proposer_share=0.1, row_length=160),
        proposing=replace(config.proposing, proposer="learned", max_tokens=132),
        update=replace(config.update, row_lengths=(96, 192, 400)),
    )  # fmt: skip


_GRADIENT = _rule("gradient", 1e-3, max_divergence=0.001)

VARIANTS = {
    "warmup": replace(CONFIG, generations=0),
    "warmup-rotary": _rotary(replace(CONFIG, generations=0)),
    "warmup-learned": _learned(replace(CONFIG, generations=0)),
    **{
        name: _sampler(name)
        for name in ("uniform", "ladder", "fixed_easy", "fixed_hard", "sec", "plr", "mopps")
    },
    "oracle": replace(
        CONFIG, evaluation=replace(CONFIG.evaluation, every=1, live=1)
    ),
    "gradient": _GRADIENT,
    "gradient-unbounded": _rule("gradient", 1e-3),
    "gradient-slow": _rule("gradient", 3e-4),
    "positive": _rule("positive", 1e-3, max_divergence=0.001),
    "mixture-bounded": _rule("mixture", CONFIG.update.learning_rate, max_divergence=0.001),
    "mixture": _rule("mixture", CONFIG.update.learning_rate),
    "learned": _learned(CONFIG),
    "rotary": _rotary(CONFIG),
    "rotary-gradient": _rotary(_GRADIENT),
}  # fmt: skip
"""Warm-ups; other samplers; `oracle`, which is `main` with pass rates that are measured anew after
each generation on an anchor a level, most of them at the frontier; other rules of learning; the
learned proposer; rotary positions. What the oracle's looks cost is not held against it: compare it
at equal steps."""
