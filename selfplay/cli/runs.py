"""Opening a run from the command line, reading the state it is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfplay import device, train
from selfplay.curriculum.archive import Archive
from selfplay.loop import State
from selfplay.parts import Parts, build
from selfplay.run import RunFolder


@contextmanager
def opened(path: Path) -> Iterator[tuple[RunFolder, Parts, Archive]]:
    """A run's folder and parts; its archive is closed at the end."""
    folder = RunFolder.open(path)
    device.require(folder.config.device)
    archive = Archive(folder.archive_path)
    try:
        yield folder, build(folder.config, archive), archive
    finally:
        archive.close()
        folder.close()


def state_of(folder: RunFolder, parts: Parts, generation: int | None = None) -> State:
    """The state at a checkpoint, the latest by default."""
    like = parts.state()
    state = train.from_tree(folder.restore(train.as_tree(like), generation), like)
    parts.ring.manager.check(state.standing)
    return state
