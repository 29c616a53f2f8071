"""`selfplay bench decode|train|loop`: figures that can be, costs by hand, what bad input is told.

No test asserts how fast anything is.
"""

import json
import math

import numpy as np
import pytest
from tiny import CONFIG, Last

from selfplay import environments
from selfplay.cli import bench_limits, bench_model, bench_presets, main
from selfplay.cli.bench_presets import PRESETS, DecodeShape, TrainShape
from selfplay.curriculum.archive import Archive
from selfplay.parts import build

SHORT = ("--preset", "tiny", "--repetitions", "1")
SHARES = ("share_of_matmul_rate", "share_of_memory_bandwidth")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    """Limits that are measured in no time, and the tiny environment."""
    monkeypatch.setattr(bench_limits, "MATMUL_SIDE", {"cpu": 256})
    monkeypatch.setattr(bench_limits, "STREAM_BYTES", 2**22)
    real = environments.load
    monkeypatch.setattr(
        environments, "load", lambda name, *rest: Last() if name == "last" else real(name, *rest)
    )


def measured(tmp_path, *words):
    """The figures that a benchmark writes; every number is finite."""
    file = tmp_path / "figures.json"
    main(["bench", *words, "--json", str(file)])
    figures = json.loads(file.read_text())
    numbers = [value for value in figures.values() if isinstance(value, int | float)]
    assert len(numbers) > 7
    assert all(math.isfinite(number) for number in numbers), figures
    assert {"machine", "versions", "sandbox"} <= figures.keys()
    return figures


def refused(capsys, *words):
    """The message with which a benchmark is refused."""
    with pytest.raises(SystemExit) as ended:
        main(["bench", *words])
    assert ended.value.code == 2
    said = capsys.readouterr()
    return " ".join((said.err + said.out).replace("│", " ").split())


def test_decoding(tmp_path, capsys):
    figures = measured(tmp_path, "decode", *SHORT, "--rows", "4", "--prompt", "5", "--tokens", "8")
    assert "bench decode (tiny)" in capsys.readouterr().out
    assert (figures["rows"], figures["tokens_each"]) == (4, 8)
    assert figures["tokens_per_second"] == pytest.approx(4 * 8 / figures["seconds"])
    assert all(0 < figures[share] < 2 for share in SHARES), figures


def test_training(tmp_path, capsys):
    figures = measured(tmp_path, "train", *SHORT, "--sequences", "5", "--length", "16")
    assert "bench train (tiny)" in capsys.readouterr().out
    assert figures["tokens"] == 5 * 16
    assert all(0 < figures[share] < 2 for share in SHARES), figures


def test_another_precision(tmp_path):
    """Weights are read as what they are rounded to, keys and values as they are."""
    shape = ("--rows", "4", "--prompt", "5", "--tokens", "8")
    figures = measured(tmp_path, "decode", *SHORT, *shape, "--precision", "mixed")
    assert figures["matmul_types"] == "bfloat16, summed to float32"
    wide, mixed = (
        bench_model.decoding_workload(bench_model.preset_decoding("tiny", DecodeShape(), name))
        for name in ("float32", "mixed")
    )
    passes = 120 * 2  # tokens and devices
    passed = bench_model.Sizes.of(bench_presets.network(PRESETS["tiny"])).passed
    assert wide.moved - mixed.moved == passes * passed * 2
    assert wide.flops == mixed.flops


def test_whole_generations(tmp_path, monkeypatch):
    experiment = tmp_path / "small.py"
    experiment.write_text("from tiny import CONFIG\n")
    options = ("--experiment", str(experiment), "--generations", "2", "--warmup-steps", "2")
    figures = measured(tmp_path, "loop", *options)
    shares = {name: figures[f"share_of_{name}"] for name in ("decode", "train", "grade", "propose")}
    assert all(0 < share < 1 for share in shares.values()), figures
    assert sum(shares.values()) + figures["share_of_rest"] == pytest.approx(1)
    both = shares["decode"] + shares["train"]
    assert figures["share_of_decode_and_train"] == pytest.approx(both)


def test_costs_by_hand():
    """The preset tiny: 4 layers, width 128, keys and values of 2 heads of 32, hidden 384."""
    sizes = bench_model.Sizes.of(bench_presets.network(PRESETS["tiny"]))
    block = 128 * (128 + 64 + 64 + 128) + 3 * 128 * 384
    assert sizes.passed == 4 * block + 128 * 128
    assert sizes.attention(np.array([10, 7])) == 4 * 4 * 128 * (10 + 7)
    assert (
        sizes.cached(np.array([1])) == 4 * 2 * 64 * 4 == bench_presets.cached_bytes(PRESETS["tiny"])
    )


def test_a_window_bounds_what_attention_costs():
    single = np.dtype(np.float32)
    sizes = bench_model.Sizes(0, single, single, [(8, 4, 0), (8, 4, 3)])
    assert sizes.attention(np.array([2, 10])) == 4 * 8 * (2 + 10) + 4 * 8 * (2 + 3)


def test_every_response_of_an_experiment_has_the_full_length():
    parts = build(CONFIG, Archive(":memory:"))
    workload = bench_model.decoding_workload(bench_model.experiment_decoding(CONFIG))
    attempts = CONFIG.rollout.problems * CONFIG.rollout.attempts
    assert workload.run() == attempts * CONFIG.decode.max_tokens
    # At least every weight for every drawn token.
    passed = bench_model.Sizes.of(parts.network).passed
    assert workload.flops > 2 * passed * attempts * CONFIG.decode.max_tokens


def test_padding_is_counted():
    """Rows of a micro-batch are shared by the devices; what is missing in the last one is empty."""
    task = bench_model.preset_training("tiny", TrainShape(sequences=5, length=16, attempts=1))
    sizes = [packed.token_RT.shape for packed in bench_model.batches(task)]
    assert sizes == [(4, 16), (2, 16)]  # of two devices


def test_what_is_shared_is_not_counted_twice():
    """Five attempts in rows of two: 5 + 11 + 12 tokens in two of them, 5 + 11 in the last."""
    task = bench_model.preset_training("tiny", TrainShape(sequences=5, length=16))
    workload, alone = (
        bench_model.training_workload(
            bench_model.preset_training("tiny", TrainShape(5, 16, attempts))
        )
        for attempts in (8, 1)
    )
    used = [int((packed.segment_RT > 0).sum()) for packed in bench_model.batches(task)]
    assert sum(used) == 2 * (16 + 12) + 16
    assert workload.flops / alone.flops == pytest.approx(sum(used) / (5 * 16), rel=0.02)


@pytest.mark.parametrize(
    ("name", "millions"), [("tiny", 0.8), ("small", 6.3), ("qwen3-0.6b", 596.0),
                           ("llama3.2-1b", 1235.8)]
)  # fmt: skip
def test_presets_have_the_size_that_they_say(name, millions):
    """596,049,920 and 1,235,814,400 are the numbers of the published checkpoints."""
    assert bench_presets.parameter_count(PRESETS[name]) / 1e6 == pytest.approx(millions, abs=0.06)


def test_too_little_memory_is_said_before_anything_is_made(monkeypatch, capsys):
    monkeypatch.setattr(bench_limits, "free_memory", lambda: 2e9)
    for what in ("decode", "train"):
        told = refused(capsys, what, "--preset", "llama3.2-1b")
        assert "the preset llama3.2-1b needs about" in told
        assert "2.0 GB are free" in told


def test_scores_of_long_sequences_take_memory_too(monkeypatch, capsys):
    """16 prompts of 32,032 tokens run at a time have scores of 0.5 TB beside a cache of 4 GB."""
    monkeypatch.setattr(bench_limits, "free_memory", lambda: 20e9)
    short = ("--rows", "64", "--tokens", "8")
    for words in (("decode", "--prompt", "32000", *short), ("train", "--length", "100000")):
        assert "the preset tiny needs about" in refused(capsys, *words, "--preset", "tiny")
    # Drawn tokens have scores one at a time.
    bench_model.preset_decoding("tiny", DecodeShape(64, 16, 32_000))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("decode", "--preset", "gpt"), "qwen3-0.6b"),
        (("decode", "--preset", "tiny", "--rows", "0"), "--rows 0"),
        (("decode", "--preset", "tiny", "--prompt", "1"), "--prompt 1 at least 2"),
        (("train", "--preset", "tiny", "--length", "2"), "--length 2 at least 3"),
        (("loop", "--cached"), "--cached (applied to selfplay bench loop)"),
        (("decode", "--rows", "8", "--tokens", "9"), "--rows and --tokens: only with --preset"),
        (("train", "--preset", "tiny", "--rows", "8"), "--rows (applied to selfplay bench train)"),
        (("loop", "--preset", "tiny"), "--preset (applied to selfplay bench loop)"),
        (("grade", "--precision", "mixed"), "--precision (applied to selfplay bench grade)"),
        (("train", "--attempts", "2"), "--attempts: only with --preset"),
        (("train", "--preset", "tiny", "--attempts", "0"), "--attempts 0 must be at least 1"),
        (("decode", "--preset", "tiny", "--experiment", "quickstart"), "two sources"),
        (("decode", "--repetitions", "0"), "--repetitions 0 must be at least 1"),
        (("train", "--repetitions", "0"), "--repetitions 0 must be at least 1"),
        (("grade", "--repetitions", "-1"), "--repetitions -1 must be at least 1"),
        (("loop", "--generations", "0"), "--generations 0 must be at least 1"),
        (("decode", "--experiment", "quickstrat"), "Did you mean quickstart"),
    ],
)
def test_what_makes_no_sense_is_refused(words, told, capsys):
    assert told in refused(capsys, *words)


def test_a_shape_is_checked():
    with pytest.raises(ValueError, match="--tokens 0 must be at least 1"):
        DecodeShape(tokens=0)
