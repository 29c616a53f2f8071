"""TensorBoard: what is written can be read back; colours of the heat map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from selfplay.board import CELL_PIXELS, DIAGRAM_PIXELS, Board, diagram, heat_map


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


def test_what_is_written_can_be_read(tmp_path):
    board = Board(tmp_path)
    board.scalars(1, {"loss": 0.5, "rate": float("nan")})
    board.scalars(2, {"loss": 0.25, "rate": float("inf"), "speed": 7.0})
    board.frontier(2, ["a", "b"], np.array([[0.5, 1.0], [0.0, np.nan]]))
    board.text(2, "note", "**hello** <script>")
    board.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(1, 0.5), (2, 0.25)]
    assert sorted(read.Tags()["scalars"]) == ["loss", "speed"]
    (image,) = read.Images("curriculum/frontier")
    assert (image.step, image.width, image.height) == (2, 2 * CELL_PIXELS, 2 * CELL_PIXELS)
    texts = {
        tag: read.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in read.Tags()["tensors"]
    }
    assert "**hello** <script>" in texts["note/text_summary"]
    assert "| a | 0.50 | 1.00 |\n| b | 0.00 |  |" in texts["curriculum/frontier/text_summary"]


def test_names_and_rows_must_agree(tmp_path):
    board = Board(tmp_path)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        board.frontier(1, ["a"], np.zeros((2, 2)))
    board.close()


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


def test_all_images_of_the_curriculum_are_written(tmp_path):
    board = Board(tmp_path)
    rate_EL = np.array([[0.9, 0.5], [0.1, np.nan]])
    board.frontier(3, ["a", "b"], rate_EL)
    board.uncertainty(3, 0.1 * rate_EL)
    board.groups(3, np.array([[4.0, 0.0], [2.0, np.nan]]))
    board.reliability(3, np.array([0.1, np.nan]), np.array([0.2, np.nan]), np.array([5, 0]))
    board.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    assert {
        "curriculum/frontier", "curriculum/uncertainty", "curriculum/groups",
        "calibration/reliability",
    } <= set(read.Tags()["images"])  # fmt: skip
    assert not any(np.isnan(heat_map(np.array([[np.nan, 0.0]]))).ravel())
