"""Shows a run's progress: live on a terminal, a line now and then elsewhere."""

import math
from types import TracebackType

from rich import progress as bars
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from selfplay.listener import Listener, Progress
from selfplay.report import Snapshot

LINE_EVERY = 10
"""Generations between lines where there is no terminal."""
MANY_CUT = 0.05
"""Share of attempts that reach the token limit from which the console tells it."""
FEW = 6
"""Environments whose levels are told one by one."""
HISTORY_EVERY = 10
"""Generations between lines that stay on a terminal, above the live display."""


class Display(Listener):
    """A listener for people; a context manager, because a live display must be ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = bars.Progress(
            bars.TextColumn("{task.description:>10}"), bars.BarColumn(), bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[left]}"), console=console,
        )  # fmt: skip
        self._warmup = self._bar.add_task("warm-up", total=None, visible=False, left="")
        self._ring = self._bar.add_task("self-play", total=None, visible=False, left="")
        self._status = Text("")
        self._live = Live(Group(self._bar, self._status), console=console, refresh_per_second=4)

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._live.stop()

    def on_note(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, highlight=False)

    def on_warmup_step(self, step: int, steps: int, loss: float, seconds_left: float) -> None:
        """Move the warm-up's bar."""
        left = f"{duration(seconds_left)} left, loss {loss:.2f} nats/token"
        self._bar.update(self._warmup, completed=step, total=steps, visible=True, left=left)
        if not self._console.is_terminal and (step % 100 == 0 or step == steps):
            self.on_note(f"warm-up {step}/{steps}  {left}")

    def on_progress(self, progress: Progress) -> None:
        """Move the generations' bar and show the numbers."""
        snapshot = progress.snapshot
        unknown = math.isnan(snapshot.seconds_left)
        left = "time left not known yet" if unknown else f"{duration(snapshot.seconds_left)} left"
        self._bar.update(
            self._ring, completed=snapshot.generation, total=snapshot.generations, visible=True,
            left=left,
        )  # fmt: skip
        line = summary_line(snapshot)
        self._status.plain = line
        every = HISTORY_EVERY if self._console.is_terminal else LINE_EVERY
        if snapshot.generation % every == 0 or snapshot.generation == 1:
            self.on_note(f"{snapshot.generation:>4}/{snapshot.generations}  {line}  ({left})")


def summary_line(snapshot: Snapshot) -> str:
    """The numbers of a generation in one line."""
    shares = snapshot.time_shares
    words = [
        f"held-out {percent(snapshot.held_out)}",
        f"rating {snapshot.rating:.0f}±{snapshot.rating_sd:.0f}",
        f"levels {levels_reached(snapshot)}",
        f"valid {percent(snapshot.valid_rate)}",
        f"mixed {percent(snapshot.mixed_rate)}",
        *([f"cut {percent(snapshot.cut_rate)}"] if snapshot.cut_rate > MANY_CUT else []),
        f"{snapshot.tokens_per_second / 1000:.1f}k tok/s",
        "decode {:.0%} grade {:.0%} train {:.0%}".format(
            shares.get("decode", 0) + shares.get("propose", 0),
            shares.get("grade", 0),
            shares.get("train", 0),
        ),
    ]
    return "  ".join(words)


def levels_reached(snapshot: Snapshot) -> str:
    """Levels reached in each environment, in their order; of many environments the mean."""
    levels = list(snapshot.reached.values())
    return "·".join(map(str, levels)) if len(levels) <= FEW else f"{sum(levels) / len(levels):.1f}"


def percent(share: float) -> str:
    """A share for people; a dash where there is none."""
    return "-" if math.isnan(share) else f"{share:.0%}"


def duration(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
