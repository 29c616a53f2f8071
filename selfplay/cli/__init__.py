"""The command line: finds the verb, parses its options, turns errors into advice.

Verbs live in the modules beside this one and are imported only when they are called: `--help` is
quick, and device.prepare() comes before jax.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from rich.console import Console
from rich.table import Table

from selfplay import device


class Verb(NamedTuple):
    """One command."""

    module: str
    """Module below selfplay.cli with a function of the verb's name (`-` as `_`) and `_command`."""
    usage: str
    summary: str


VERBS = {
    "train": Verb("training", "EXPERIMENT [options]", "train a solver by self-play"),
    "resume": Verb("training", "RUN", "go on with a run that was stopped"),
    "eval": Verb("measuring", "RUN [--against RUN]", "held-out accuracy with intervals"),
    "solve": Verb("asking", 'RUN "PROBLEM"', "show thinking, answer and verdict"),
    "propose": Verb("asking", "RUN --env NAME", "show proposals and verdicts of the gate"),
    "grade": Verb("grading", "FILE.jsonl [--json]", "grade answers and programs; needs no model"),
    "export": Verb("exporting", "RUN FOLDER", "write the model for transformers and vLLM"),
    "curriculum": Verb("inspecting", "show|explain|export RUN", "the frontier; why and what"),
    "envs": Verb("envs", "list|show|check|new", "browse, check and add environments"),
    "board": Verb("inspecting", "RUN...", "open TensorBoard on runs"),
    "bench": Verb("bench", "decode|train|loop|grade|curriculum", "speed beside the limits here"),
    "doctor": Verb("doctor", "", "devices, versions, layers of the sandbox"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exit with 2 on bad input, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        _print_help()
        return
    verb = VERBS.get(words[0])
    if verb is None:
        near = difflib.get_close_matches(words[0], VERBS, n=2)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        _fail(f"there is no command {words[0]!r}.{hint} `selfplay --help` lists them all.")
    device.prepare()
    module = importlib.import_module(f"selfplay.cli.{verb.module}")
    try:
        getattr(module, f"{words[0]}_command")(words[1:])
    except BrokenPipeError:  # who read what we print has enough
        sys.stdout = open(os.devnull, "w")  # it is flushed again at the end
    except (ValueError, OSError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False).print("[bold red]error:[/]", end=" ")
    print(message, file=sys.stderr)
    sys.exit(2)


def _print_help() -> None:
    console = Console(highlight=False)
    console.print(
        "[bold]selfplay[/]: a language model teaches itself to reason on problems that it is posed "
        "by its own proposer.\n"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for name, verb in VERBS.items():
        table.add_row(f"  [bold]{name}[/] {verb.usage.replace('[', chr(92) + '[')}", verb.summary)
    console.print(table)
    console.print(
        "\nStart with:     selfplay train ladder           (10 minutes, two CPU cores)"
        "\nThen:           selfplay board runs/ladder"
        "\nMore on a verb: selfplay VERB --help"
    )
