"""What is said at the end of a run: how far it got, in steps or levels, in 80 columns."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from selfplay_envs.modular import Modular
from selfplay_envs.walk import Walk
from tiny import CONFIG

from selfplay import environments
from selfplay.cli import closing
from selfplay.cli.rates import bars, heading, levels_a_bar
from selfplay.evaluate import Interval
from selfplay.report import Suggested
from selfplay.train import Result


def test_heights_by_hand():
    assert closing.height(Walk(), 0) == "none"
    assert closing.height(Walk(), 1) == "4 steps"
    assert closing.height(Walk(), 59) == "120 steps"
    assert closing.height(Modular(), 3) == "3 levels"  # it has several knobs


def test_a_bar_for_each_rate():
    assert bars([0.0, 0.004, 0.01, 0.5, 0.98, 1.0, float("nan")]) == "  ▁▄▇█·"


def test_neighbouring_levels_share_a_bar_where_there_are_too_many():
    assert (levels_a_bar(44), heading(44)) == (1, "level 0 to the top")
    assert (levels_a_bar(45), heading(45)) == (2, "level 0 to the top, 2 levels a bar")
    assert bars([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.5], 2) == "█▄ ▄"


def evaluation(rates):
    mean = sum(rates) / len(rates)
    interval = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}
    reached = next((level for level, rate in enumerate(rates) if rate < 0.5), len(rates))
    return {
        "by_level": {"walk": rates}, "by_environment": {"walk": interval}, "pass@1": interval,
        "greedy": interval, "frontier": {"walk": reached}, "tokens_per_attempt": 40.0,
        "tokens_per_attempt_by_level": {"walk": [float(10 + at) for at in range(len(rates))]},
    }  # fmt: skip


@pytest.fixture
def said(monkeypatch):
    return shown(monkeypatch, CONFIG)


def shown(monkeypatch, config):
    """What is said at the end of a run of walk with this configuration."""
    monkeypatch.setattr(environments, "load", lambda name, *_: Walk())
    before = evaluation([1.0] * 4 + [0.0] * 55)
    after = evaluation([1.0] * 20 + [0.25] * 39)
    walk = Walk()
    suggested = Suggested(walk.parse("RLSRRLSR"), walk.parse("RL" * 21))
    result = Result(None, True, before, after, Interval(0.5, 0.4, 0.6), {"walk": 3}, suggested)
    result = replace(result, state=type("State", (), {"counts": COUNTS})())
    buffer = io.StringIO()
    config = replace(config, environments=("walk",))
    closing.show(Console(file=buffer, width=80), config, result, "runs/x")
    return buffer.getvalue()


COUNTS = type("Counts", (), {"generated_tokens": 5, "trained_tokens": 7, "seconds": 61.0})()


def test_the_tables_fit_80_columns(said):
    tables = [line for line in said.splitlines() if "selfplay solve" not in line]
    assert max(map(len, tables)) <= 80
    assert "█" * 10 in said


def test_shown_reached_and_beyond(said):
    (row,) = [line for line in said.splitlines() if "8 steps" in line]
    # 1 of 56 levels that were not shown, then 17 and a quarter of 39
    assert row.split() == ["walk", "8", "steps", "10", "steps", "42", "steps", "2%", "48%"]


def test_what_was_never_posed_is_said(monkeypatch, said):
    assert "Never posed" not in said
    curriculum = replace(CONFIG.curriculum, withheld=("walk",))
    told = shown(monkeypatch, replace(CONFIG, curriculum=curriculum))
    assert "Never posed, only measured: walk." in told


def test_what_to_try_next(said):
    solved, ahead = [line for line in said.splitlines() if "selfplay solve" in line]
    assert "--env walk -- RLSRRLSR  # a problem that it solves, level 2" in solved
    assert f"-- {'RL' * 21}  # one at its frontier, level 19" in ahead
