"""Parsing of a verb's options. Imports nothing heavy: not every verb needs a model."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import tyro

_CONFIG = (tyro.conf.FlagCreatePairsOff, tyro.conf.EnumChoicesFromValues)

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
        config=_CONFIG,
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
        config=_CONFIG,
    )
