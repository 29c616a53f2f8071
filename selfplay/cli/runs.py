"""Opening a run from the command line, reading the state it is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfplay import device
from selfplay.curriculum.archive import Archive
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
