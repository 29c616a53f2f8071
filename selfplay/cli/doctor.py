"""`selfplay doctor`: what this machine offers and what a run would use."""

import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfplay import device, machine
from selfplay import environments as installed
from selfplay.cli import options
from selfplay.cli.training import experiment_names
from selfplay.grading.programs import sandbox


def doctor_command(arguments: Sequence[str]) -> None:
    """`selfplay doctor`."""

    def doctor() -> None:
        """Devices, versions and limits of this machine, and the layers of its sandbox."""
        console = Console(highlight=False)
        table = Table(show_header=False, box=None)
        for name, value in findings().items():
            table.add_row(f"[bold]{name}[/]", escape(value))
        console.print(table)
        print_layers(console, sandbox.probe())

    options.parse(doctor, "doctor", arguments, example="doctor")


def findings() -> dict[str, str]:
    """What is here, by name."""
    devices = jax.devices()
    cache = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    return {
        "system": f"{platform.system()} {platform.machine()}, {device.usable_cores()} usable cores",
        "devices": f"{len(devices)} x {devices[0].platform} ({devices[0].device_kind})",
        "memory allocator": device.allocator_in_use(),
        "versions": ", ".join(f"{name} {number}" for name, number in machine.versions().items()),
        "environments": ", ".join(installed.names()),
        "experiments": ", ".join(experiment_names()),
        "compiled code": f"{cache} ({'' if _writable(cache) else 'NOT '}writable)",
    }


def print_layers(console: Console, found: sandbox.Layers) -> None:
    """The level of the sandbox that programs would run in, and every layer that was tried."""
    level = found.level or "none: programs cannot be graded here"
    console.print(f"\n[bold]sandbox[/]       {level}")
    for layer in found.layers:
        colour = "green" if layer.holds else "red"
        console.print(f"  [{colour}]{escape(str(layer))}[/]", soft_wrap=True)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
