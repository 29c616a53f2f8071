"""TensorBoard: what is written can be read back; colours of the heat map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from selfplay.board import (
    CELL_PIXELS,
    DIAGRAM_PIXELS,
    Board,
    diagram,
    heat_map,
    rates_text,
    reliability_text,
)
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.manager import Manager
from selfplay.curriculum.plans import Plan, Posed, Purpose
from selfplay.curriculum.scale import Cells
from selfplay.learning.trainer import Learning
from selfplay.listener import Progress
from selfplay.loop import Counts, Generation, State
from selfplay.model.sampling import Samples
from selfplay.problem import Outcome, Problem, Verdict
from selfplay.report import Recent
from selfplay.rollout.attempts import Attempts
from selfplay.rollout.responses import Responses


def colours(rates):
    """The colour in the middle of each cell, [E, L, 3]."""
    middle = CELL_PIXELS // 2
    return heat_map(np.array(rates, float))[middle::CELL_PIXELS, middle::CELL_PIXELS]


def test_heat_map_by_hand():
    assert colours([[0.0, 0.5, 1.0], [0.25, 0.75, np.nan]]).tolist() == [
        [[200, 60, 50], [245, 205, 90], [60, 160, 80]],
        [[222, 132, 70], [152, 182, 85], [128, 128, 128]],
    ]


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_cells_have_a_size_and_a_grid(rows, columns, seed):
    image = heat_map(np.random.default_rng(seed).random((rows, columns)))
    assert image.shape == (rows * CELL_PIXELS, columns * CELL_PIXELS, 3)
    assert image.dtype == np.uint8
    assert (image[::CELL_PIXELS] == 255).all()
    assert (image[:, ::CELL_PIXELS] == 255).all()


CELLS = Cells(("a", "b"), (2, 1))
MANAGER = Manager(CELLS, CurriculumConfig(), generations=9, count=4)


def progress(number, **changes):
    """A generation with one problem, attempted twice, one of them right."""
    plan = Plan(number, 0, "a", 1, 1500.0, 0.5, 0.1, 0.1, Purpose.TARGET, 0)
    problem = Problem("a", 1, "1 <b> 2", "12", "3")
    samples = Samples(np.zeros((2, 3), int), np.zeros((2, 3)), np.array([1, 3]), np.ones(2, bool))
    attempts = Attempts(
        [problem], Responses([[1]], samples, ["**hello** <script>", "no"], 0),
        [Verdict(Outcome.CORRECT), Verdict(Outcome.WRONG)], 0.0, 0.0,
    )  # fmt: skip
    done = Generation(
        number, [Posed(plan, problem, "procedural", 1, 2, 1500.0, 60.0)], [], np.zeros(0), [],
        attempts, Learning(loss=0.25, **changes), 4, {"decode": 1.0},
    )  # fmt: skip
    state = State(number, None, MANAGER.initial(), None, Counts())
    recent = Recent(MANAGER)
    recent.add(done, 2.0, None)
    return Progress(done, state, recent.snapshot(state, 3), 2.0, 0.0, None, 0)


def written(path, *tell):
    board = Board(path, MANAGER)
    for one in tell:
        one(board)
    board.close()
    return EventAccumulator(str(path)).Reload()


def test_what_is_told_can_be_read_as_numbers(tmp_path):
    read = written(
        tmp_path,
        lambda board: board.on_warmup_step(10, 20, 0.5, 1.0),
        lambda board: board.on_mastery(10, {"a": 0.75}),
        lambda board: board.on_progress(progress(1)),
        lambda board: board.on_progress(progress(2, gradient_norm=float("inf"))),
        lambda board: board.on_evaluation(2, {"pass@1": {"mean": 0.5}, "greedy": {"mean": 0.25}}),
    )

    def values(tag):
        return [(event.step, event.value) for event in read.Scalars(tag)]

    assert values("warmup/loss") == [(10, 0.5)]
    assert values("warmup/mastered/a") == [(10, 0.75)]
    assert values("update/loss") == [(1, 0.25), (2, 0.25)]
    assert values("update/gradient_norm") == [(1, 0.0)]  # what is not finite is left out
    assert values("curriculum/pass_rate_sampled") == [(1, 0.5), (2, 0.5)]
    assert values("attempts/length") == [(1, 2.0), (2, 2.0)]
    assert values("perf/seconds/decode") == [(1, 1.0), (2, 1.0)]
    assert values("held_out/pass_at_1") == [(2, 0.5)]
    assert values("held_out/greedy") == [(2, 0.25)]
    assert "proposer/reward" not in read.Tags()["scalars"]  # it was not asked


def test_images_and_texts_come_with_the_first_and_every_tenth_generation(tmp_path):
    read = written(
        tmp_path,
        *(lambda board, n=n: board.on_progress(progress(n)) for n in (1, 2, 10)),
        lambda board: board.on_failure(11, "no number"),
    )
    images = (
        "curriculum/frontier", "curriculum/uncertainty", "curriculum/groups",
        "calibration/reliability",
    )  # fmt: skip
    for tag in images:
        assert [image.step for image in read.Images(tag)] == [1, 10]
    image = read.Images("curriculum/frontier")[0]
    assert (image.width, image.height) == (2 * CELL_PIXELS, 2 * CELL_PIXELS)
    texts = {
        tag: read.Tensors(f"{tag}/text_summary")[0].tensor_proto.string_val[0].decode()
        for tag in ("samples", "curriculum/frontier", "stopped")
    }
    assert "| a | 1 | `1 <b> 2` | procedural | 1/2 | `**hello** <script>` |" in texts["samples"]
    assert "| environment | level 0 | level 1 |" in texts["curriculum/frontier"]
    assert texts["stopped"] == "no number"


def test_tables_by_hand():
    rate_EL = np.array([[0.5, 1.0], [0.0, np.nan]])
    assert rates_text(["a", "b"], rate_EL).endswith("| a | 0.50 | 1.00 |\n| b | 0.00 |  |")
    with pytest.raises(ValueError, match="argument 2 is longer"):
        rates_text(["a"], rate_EL)
    curve = np.array([0.1, np.nan]), np.array([0.2, np.nan]), np.array([5, 0])
    assert reliability_text(*curve).splitlines()[2:] == ["| 0.10 | 0.20 | 5 |"]


def test_a_heat_map_has_a_colour_everywhere():
    assert not any(np.isnan(heat_map(np.array([[np.nan, 0.0]]))).ravel())


def test_a_reliability_diagram_by_hand():
    """One bin in the middle, one predicted too low; nothing of a bin without groups."""
    image = diagram(
        np.array([0.5, np.nan, 0.75]), np.array([0.5, np.nan, 1.0]), np.array([3, 0, 1])
    )
    blue = (image == (50, 100, 170)).all(axis=2)
    middle, side = DIAGRAM_PIXELS // 2, DIAGRAM_PIXELS
    assert blue[middle, middle]
    assert blue[0, round(0.75 * (side - 1))]
    assert not blue[side // 4 : side // 3].any()
    assert not blue[:, : side // 3].any()
    in_middle = blue[middle - 40 : middle + 40].sum()
    assert in_middle > blue[:40].sum() > 0
    assert (image[side - 1, 0] == 128).all()
