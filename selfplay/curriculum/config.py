"""Settings of the curriculum manager: rating system, sampler, shares, problems posed again."""

from dataclasses import dataclass, field
from typing import Literal

from selfplay.curriculum import samplers
from selfplay.curriculum.elo import EloConfig
from selfplay.curriculum.glicko2 import Glicko2Config
from selfplay.curriculum.kalman import KalmanConfig


@dataclass(frozen=True)
class CurriculumConfig:
    """Which problems come next."""

    system: Literal["kalman", "glicko2", "elo"] = "kalman"
    """The rating system."""
    sampler: samplers.Name = "target"
    """The law over the cells: ours, control arms, and those of published curricula."""
    target: float = 0.5
    """Pass rate that `target` aims at."""
    width: float = 0.1
    """Standard deviation of the window around it, in pass rate."""
    probe: float = 0.03
    """Share of the problems drawn from all cells alike: finds forgetting and dead cells."""
    revisit: float = 0.0
    """Share of the other problems that are earlier ones posed again: those of the pool whose own
    ratings put them into the window."""
    pool: int = 4096
    """How many of the latest problems may be posed again; 32 bytes each."""
    withheld: tuple[str, ...] = ()
    """Environments that are never posed. They are shown in the warm-up and measured like the
    others, so that one sees what carries over to them from those that are posed. Environments of
    frozen problems, such as a file of HumanEval, are neither posed nor shown, named here or not."""
    quarantine: bool = True
    """Whether environments that look learnable and never improve, that cannot be solved, or that
    are mastered get probes only. For samplers that leave the shares to the manager."""
    tilt: float = 1.0
    """Factor by which an environment's share may differ from an equal one, in proportion to its
    learning progress; 1: equal shares. It helps the mean at the expense of the slowest."""
    elo: EloConfig = field(default_factory=EloConfig)
    """Settings of the rating system `elo`."""
    glicko2: Glicko2Config = field(default_factory=Glicko2Config)
    """Settings of the rating system `glicko2`."""
    kalman: KalmanConfig = field(default_factory=KalmanConfig)
    """Settings of the rating system `kalman`."""

    def __post_init__(self) -> None:
        shares = (self.probe, self.revisit)
        if not (0.0 < self.target < 1.0 and 0.0 <= min(shares) and max(shares) <= 1.0):
            raise ValueError(
                f"curriculum.target={self.target} must lie inside (0, 1), curriculum.probe="
                f"{self.probe} and curriculum.revisit={self.revisit} within [0, 1]; the defaults "
                "are 0.5, 0.03 and 0."
            )
        if self.pool < 1:
            raise ValueError(f"curriculum.pool={self.pool} must be at least 1; usual is 4096.")
        if not 0.001 <= self.width <= 1.0:
            raise ValueError(
                f"curriculum.width={self.width} is a standard deviation of pass rates, within "
                "[0.001, 1]; the default is 0.1."
            )
        if not 1.0 <= self.tilt <= 10.0:
            raise ValueError(
                f"curriculum.tilt={self.tilt} is a factor from 1 (equal shares) to 10; 2 is usual."
            )
