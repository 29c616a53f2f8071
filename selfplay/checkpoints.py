"""Checkpoints: a run's state as a tree of arrays in its folder, and back.

Fed by recorder.py; train.py and the command line restore.
"""

from typing import Any

import jax
import numpy as np

from selfplay.learning.rehearsal import Memory
from selfplay.loop import Counts, State
from selfplay.model import sharding
from selfplay.parts import Parts
from selfplay.run import RunFolder


def save(folder: RunFolder, state: State) -> None:
    """Keep a state, if that of its generation is not kept yet."""
    if state.generation not in folder.generations():
        folder.save(state.generation, as_tree(state))


def restored(folder: RunFolder, parts: Parts, generation: int | None = None) -> State:
    """The state after a generation, the latest that is kept by default.

    Raises:
        ValueError: there is none, it cannot be read, or it is on the scale of other anchors.
    """
    like = parts.state()
    state = from_tree(folder.restore(as_tree(like), generation), like)
    parts.ring.manager.check(state.standing)
    return state


def as_tree(state: State) -> dict[str, Any]:
    """A state as a tree of arrays."""
    return {
        "generation": np.array(state.generation, np.int64),
        "learner": state.learner,
        "standing": jax.tree.leaves(state.standing),
        "memory": state.memory._asdict(),
        "counts": {
            name: np.array(value, np.float64) for name, value in state.counts._asdict().items()
        },
    }


def from_tree(tree: dict[str, Any], like: State) -> State:
    """The inverse of `as_tree`; `like` is any state of the same run."""
    counts = {name: value.item() for name, value in tree["counts"].items()}
    return State(
        generation=int(tree["generation"]),
        learner=sharding.place(tree["learner"]),
        standing=jax.tree.unflatten(
            jax.tree.structure(like.standing), map(np.asarray, tree["standing"])
        ),
        memory=Memory(**{name: np.asarray(array) for name, array in tree["memory"].items()}),
        counts=Counts(
            int(counts["generated_tokens"]), int(counts["trained_tokens"]), counts["seconds"]
        ),
    )
