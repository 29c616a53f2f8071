"""The run folder: created once, opened with care, checkpoints and the outcome log."""

import os

import jax
import numpy as np
import pytest

from selfplay.config import RunConfig
from selfplay.model import sharding
from selfplay.run import RunFolder

CONFIG = RunConfig(seed=7, arm="test")


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path / "run", CONFIG)
    yield made
    made.close()


def tree(value):
    """Parameters on all devices, ratings and counts on the host."""
    return {
        "params": sharding.place({"w": np.full((4, 3), value, np.float32)}),
        "ratings": np.array([value, np.nan]),
        "generation": 3,
    }


def test_a_folder_is_opened_as_it_was_made(folder):
    again = RunFolder.open(folder.path)
    assert again.config == CONFIG
    assert again.archive_path == folder.path / "archive.sqlite"
    assert again.generations() == []
    assert again.outcomes() == []


def test_nothing_is_overwritten(folder, tmp_path):
    with pytest.raises(ValueError, match="exists and is not empty; a run is never overwritten"):
        RunFolder.create(folder.path, CONFIG)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ValueError, match="never overwritten"):
        RunFolder.create(file, CONFIG)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert RunFolder.create(empty, CONFIG).config == CONFIG


def test_what_is_no_run_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="is no run folder: it has no config.json"):
            RunFolder.open(path)


@pytest.mark.parametrize("text", ["", "{", '{"seed": -1}', '{"unknown": 1}'])
def test_a_damaged_configuration_says_what_to_do(folder, text):
    (folder.path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json is damaged: .* Restore it from a copy"):
        RunFolder.open(folder.path)


def test_save_and_restore(folder):
    folder.save(0, tree(0.5))
    folder.save(5, tree(2.0))
    folder.close()
    again = RunFolder.open(folder.path)
    assert again.generations() == [0, 5]
    like = tree(0.0)
    for generation, value in ((None, 2.0), (5, 2.0), (0, 0.5)):
        restored = again.restore(like, generation)
        assert np.array_equal(restored["params"]["w"], np.full((4, 3), value))
        assert np.array_equal(restored["ratings"], [value, np.nan], equal_nan=True)
        assert restored["generation"] == 3
        assert restored["params"]["w"].sharding == like["params"]["w"].sharding
    assert jax.tree.structure(restored) == jax.tree.structure(like)
    again.close()


def test_the_warm_up_and_the_latest_two_are_kept(folder):
    for generation in (0, 1, 2, 3):
        folder.save(generation, tree(float(generation)))
    assert folder.generations() == [0, 2, 3]


def test_a_checkpoint_that_is_not_there(folder):
    with pytest.raises(ValueError, match="has no checkpoint; it has none"):
        folder.restore(tree(0.0))
    folder.save(0, tree(1.0))
    with pytest.raises(ValueError, match=r"has no generation 4; it has \[0\]"):
        folder.restore(tree(0.0), 4)


def test_a_damaged_checkpoint_is_named_with_what_to_do(folder):
    folder.save(0, tree(1.0))
    folder.save(5, tree(2.0))
    folder.close()
    for file in (folder.path / "checkpoints" / "5").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    again = RunFolder.open(folder.path)
    with pytest.raises(ValueError, match="checkpoint of generation 5 .* cannot be read") as caught:
        again.restore(tree(0.0))
    assert "other checkpoints are [0]" in str(caught.value)
    assert np.array_equal(again.restore(tree(0.0), 0)["params"]["w"], np.ones((4, 3)))
    again.close()


def test_one_process_goes_on_with_a_run(folder):
    other = RunFolder.open(folder.path)
    with folder.held():
        with pytest.raises(ValueError, match=f"process {os.getpid()} goes on with"), other.held():
            pass
        assert other.outcomes() == []  # reading needs no leave
    with other.held():
        pass


def test_outcomes_are_appended_and_forgotten(folder):
    lines = [{"generation": g, "text": "a\nb\u2028'\"<x>", "rate": 0.1 * g} for g in (1, 2, 3)]
    for line in lines:
        folder.log(line)
    assert folder.outcomes() == lines
    folder.forget_after(2)
    assert folder.outcomes() == lines[:2]
    folder.log(lines[2])
    assert folder.outcomes() == lines
    folder.forget_after(0)
    assert folder.outcomes() == []


def test_evaluations_are_kept_by_generation(folder):
    folder.write_evaluation(12, {"pass@1": 0.5})
    assert folder.evaluation(12) == {"pass@1": 0.5}
    assert folder.evaluation(13) is None
