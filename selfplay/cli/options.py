"""What several verbs share: parsing, opening a run, reading its network."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import tyro

from selfplay import device, train
from selfplay.curriculum.archive import Archive
from selfplay.loop import State
from selfplay.parts import Parts, build
from selfplay.run import RunFolder

Count = Annotated[int, tyro.conf.arg(aliases=["-n"])]
"""A number of samples, `--n` or `-n`."""


def parse(
    function: Callable[..., Any], verb: str, arguments: Sequence[str], *, example: str
) -> Any:
    """Call a verb's function with options from the command line."""
    return tyro.cli(
        function,
        prog=f"selfplay {verb}",
        description=f"{(function.__doc__ or '').splitlines()[0]}\n\nExample: selfplay {example}",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def subcommands(
    functions: dict[str, Callable[..., Any]], verb: str, arguments: Sequence[str], *, example: str
) -> Any:
    """Call one of a verb's sub-commands."""
    return tyro.extras.subcommand_cli_from_dict(
        functions,
        prog=f"selfplay {verb}",
        description=f"Example: selfplay {example}",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


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
    return train.from_tree(folder.restore(train.as_tree(parts.state()), generation))
