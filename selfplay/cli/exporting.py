"""`selfplay export`: the trained model as a checkpoint folder, for other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from selfplay import checkpoints
from selfplay.cli import options, runs
from selfplay.model.network import PROPOSER, SOLVER


def export_command(arguments: Sequence[str]) -> None:
    """`selfplay export RUN FOLDER`."""

    def export(
        run: Positional[Path],
        folder: Positional[Path],
        generation: int | None = None,
        role: Literal["solver", "proposer"] = "solver",
        dtype: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        """Write the model of a run that started from a checkpoint, as such a folder.

        Configuration and tokenizer are those of the checkpoint, which has to be where it was;
        transformers and vLLM load the result.

        Args:
            run: the run folder.
            folder: to be made; must not exist.
            generation: of the run's checkpoints; the latest by default.
            role: whose adapters become part of the model; without adapters both are one.
            dtype: of the weights that are written; bfloat16 takes half the room and rounds away
                most of what a short training has changed.
        """
        if folder.exists():
            raise ValueError(f"{folder} exists already; nothing is overwritten. Give another.")
        with runs.opened(run) as (opened, parts, _):
            source = opened.config.pretrained
            if not source.folder:
                raise ValueError(
                    f"{run} started from scratch: its tokens are characters, which no other "
                    "program knows. Only runs with --pretrained.folder can be exported."
                )
            from selfplay.model import pretrained

            state = checkpoints.restored(opened, parts, generation)
            network = parts.trained(state).playing(PROPOSER if role == "proposer" else SOLVER)
            pretrained.save(network, source.path, folder, dtype)
        print(f"generation {state.generation} written to {folder}")

    options.parse(export, "export", arguments, example="export runs/checkpoint trained")
