"""Arms beside each other: equal steps, equal tokens, what was passed when."""

import json

import pytest
from selfplay_experiments import paired


def run(arm, seed, curve, tokens, generations=10):
    """A run with looks at equal distances."""
    rates = {"pass@1": {"mean": curve[-1]}, "greedy": {"mean": curve[-1]}}
    return {
        "arm": arm, "seed": seed, "generations": generations, "generated_tokens": tokens,
        "start": {"pass@1": {"mean": curve[0]}, "greedy": {"mean": curve[0]}}, "end": rates,
        "curve": {
            "generated_tokens": [at * tokens / (len(curve) - 1) for at in range(len(curve))],
            "held_out": curve,
        },
    }  # fmt: skip


def test_between_looks_the_curve_is_a_straight_line():
    one = run("main", 0, [0.1, 0.5, 0.7], 200)
    assert paired.at_tokens(one, 50) == pytest.approx(0.3)
    assert paired.at_tokens(one, 200) == 0.7
    assert paired.tokens_to(one, 0.6) == pytest.approx(150.0)
    assert paired.tokens_to(one, 0.1) == 0.0
    assert paired.tokens_to(one, 0.8) is None


def test_an_interval_by_hand():
    """Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t = 4.303."""
    mean, low, high = paired.interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == pytest.approx((2.0, 2.0 - 4.303 / 3**0.5, 2.0 + 4.303 / 3**0.5))
    assert paired.interval([1.0]) == [1.0, None, None]


def test_an_arm_that_costs_twice_the_tokens_is_compared_at_equal_ones():
    """The other arm is at 0.3 when it has spent what the reference spends in all."""
    runs = [run("main", seed, [0.1, 0.7], 100) for seed in range(3)]
    runs += [run("dear", seed, [0.1, 0.5], 200) for seed in range(3)]
    row = paired.compared(runs, "main")["dear"]
    assert row["ahead_at_equal_steps"][0] == pytest.approx(0.2)
    assert row["ahead_at_equal_tokens"][0] == pytest.approx(0.4)
    assert row["tokens_to_its_end"] == pytest.approx(100 * (0.4 / 0.6) / 200)


def test_one_pair_has_no_interval_and_what_is_never_reached_is_said():
    runs = [run("main", 0, [0.1, 0.4], 100), run("other", 0, [0.1, 0.5], 100)]
    row = paired.compared(runs, "main")["other"]
    assert row["ahead_at_equal_steps"] == [pytest.approx(-0.1), None, None]
    assert row["tokens_to_its_end"] is None
    json.dumps(row, allow_nan=False)


def test_seeds_without_their_pair_are_left_out():
    runs = [run("main", 0, [0.1, 0.7], 100), run("main", 1, [0.1, 0.9], 100)]
    row = paired.compared([*runs, run("other", 1, [0.1, 0.5], 100)], "main")["other"]
    assert row["ahead_at_equal_steps"][0] == pytest.approx(0.4)


def test_levels_are_passed_once_and_in_their_order():
    reached = [(10, 2), (20, 1), (30, 4)]
    lines = [{"generated_tokens": t, "reached": {"walk": levels}} for t, levels in reached]
    assert paired.passed(lines) == {"walk": [10, 10, 30, 30]}


def test_an_unfinished_run_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "progress.jsonl").write_text(json.dumps({"generation": 3}) + "\n")
    (tmp_path / "evaluation-000000.json").write_text("{}")
    with pytest.raises(ValueError, match="not finished"):
        paired.gathered(tmp_path)
    with pytest.raises(SystemExit, match="not finished"):
        paired.main((tmp_path,))
    (tmp_path / "progress.jsonl").write_text("")
    with pytest.raises(SystemExit, match="no folder of a run that has done a generation"):
        paired.main((tmp_path,))


def test_runs_of_a_file_stand_beside_new_ones_and_later_ones_replace_earlier(tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    runs = [run("main", 0, [0.1, 0.7], 100), run("late", 0, [0.1, 0.2], 100)]
    old.write_text(json.dumps({"reference": "main", "arms": {}, "runs": runs}))
    new.write_text(json.dumps({"runs": [run("late", 0, [0.1, 0.3], 100)]}))
    found = paired.all_of([old, new])
    assert [(one["arm"], one["end"]["pass@1"]["mean"]) for one in found] == [
        ("late", 0.3), ("main", 0.7),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ValueError, match="neither the folder of a run nor a file"):
        paired.all_of([file])
