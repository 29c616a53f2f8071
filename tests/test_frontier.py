"""The picture of frontiers: steps or levels, one line a run, the same file again."""

import json

import numpy as np
import pytest
from selfplay_experiments import frontier


def made(folder, seed, environments=("walk", "modular")):
    folder.mkdir()
    config = {"arm": "main", "seed": seed, "environments": environments}
    (folder / "config.json").write_text(json.dumps(config))
    lines = [
        {"generated_tokens": 1_000_000 * at, "reached": {"walk": 3 + at, "modular": at}}
        for at in range(4)
    ]
    (folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_panel_for_each_environment_and_a_line_for_each_run(tmp_path):
    figure = frontier.drawn([made(tmp_path / "a", 0), made(tmp_path / "b", 1)])
    walk, modular = figure.axes
    assert [line.get_label() for line in walk.lines] == ["main, seed 0", "main, seed 1"]
    assert np.asarray(walk.lines[0].get_xdata()).tolist() == [0, 1, 2, 3]
    assert np.asarray(walk.lines[0].get_ydata()).tolist() == [8, 10, 12, 14]
    assert np.asarray(modular.lines[1].get_ydata()).tolist() == [0, 1, 2, 3]
    assert (walk.get_ylabel(), modular.get_ylabel()) == ("steps", "levels")


def test_runs_of_different_environments_are_not_drawn_together(tmp_path):
    runs = [made(tmp_path / "a", 0), made(tmp_path / "b", 0, ("walk",))]
    with pytest.raises(ValueError, match="b has the environments walk, .*a has walk, modular"):
        frontier.drawn(runs)


def test_the_same_runs_give_the_same_file(tmp_path):
    run = made(tmp_path / "a", 0)
    for name in ("one.svg", "two.svg"):
        frontier.main((run,), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(SystemExit, match="nowhere is no folder of a run"):
        frontier.main((tmp_path / "nowhere",), tmp_path / "one.svg")
