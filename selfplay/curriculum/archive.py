"""The archive: every problem ever posed and what became of it, one SQLite file in the run folder.

The gate asks it for duplicates, people ask it what was posed and why, and an audit grades the kept
attempts again. What is posed again has a row a visit. One writer; a generation is one transaction.
Lookups and inserts cost O(log problems).
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from selfplay.curriculum.plans import UNNUMBERED, Posed
from selfplay.problem import Problem

_SCHEMA = """
CREATE TABLE IF NOT EXISTS posed (
    generation INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    key TEXT NOT NULL,
    environment TEXT NOT NULL,
    level INTEGER NOT NULL,
    text TEXT NOT NULL,
    gold TEXT NOT NULL,
    proposer TEXT NOT NULL,
    purpose TEXT NOT NULL,
    requested REAL NOT NULL,
    predicted REAL NOT NULL,
    propensity REAL NOT NULL,
    solved INTEGER NOT NULL,
    graded INTEGER NOT NULL,
    rating REAL NOT NULL,
    origin TEXT NOT NULL,
    rating_sd REAL NOT NULL,
    problem INTEGER NOT NULL,
    PRIMARY KEY (generation, slot)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS posed_by_key ON posed (key);
CREATE TABLE IF NOT EXISTS cells (
    environment TEXT NOT NULL,
    level INTEGER NOT NULL,
    knobs TEXT NOT NULL,
    PRIMARY KEY (environment, level)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected (
    generation INTEGER NOT NULL,
    environment TEXT NOT NULL,
    text TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (
    generation INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    response TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (generation, slot, attempt)
) WITHOUT ROWID;
"""


_INSERT_POSED = """
INSERT OR REPLACE INTO posed (
    generation, slot, key, environment, level, text, gold, origin, proposer, purpose, requested,
    predicted, propensity, solved, graded, rating, rating_sd, problem
) VALUES (
    :generation, :slot, :key, :environment, :level, :text, :gold, :origin, :proposer, :purpose,
    :requested, :predicted, :propensity, :solved, :graded, :rating, :rating_sd, :problem
)
"""


class Rejected(NamedTuple):
    """One proposal that the gate turned away."""

    generation: int
    environment: str
    text: str
    reason: str


class Attempt(NamedTuple):
    """One response to a posed problem, and the verdict on it."""

    generation: int
    slot: int
    """Place of its problem in the generation's batch."""
    attempt: int
    """Place among the attempts at that problem."""
    response: str
    outcome: str
    """A value of `selfplay.problem.Outcome`."""
    reason: str


class Archive:
    """Problems by key, and their history."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file; ":memory:" keeps nothing."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        columns = [row[1] for row in self._connection.execute("PRAGMA table_info(posed)")]
        if "origin" not in columns:  # an archive of an older version
            self._connection.execute("ALTER TABLE posed ADD COLUMN origin TEXT NOT NULL DEFAULT ''")
        if "rating_sd" not in columns:
            self._connection.execute(
                "ALTER TABLE posed ADD COLUMN rating_sd REAL NOT NULL DEFAULT 0"
            )
        if "problem" not in columns:
            self._connection.execute(
                f"ALTER TABLE posed ADD COLUMN problem INTEGER NOT NULL DEFAULT {UNNUMBERED}"
            )
        self._connection.execute("CREATE INDEX IF NOT EXISTS posed_by_number ON posed (problem)")

    def __contains__(self, key: object) -> bool:
        query = "SELECT 1 FROM posed WHERE key = ? LIMIT 1"
        return self._connection.execute(query, (key,)).fetchone() is not None

    def __len__(self) -> int:
        """Number of different problems."""
        return self._connection.execute("SELECT COUNT(DISTINCT key) FROM posed").fetchone()[0]

    def problem(self, number: int) -> tuple[Problem, str]:
        """A problem by its number, and who wrote it.

        Raises:
            KeyError: no problem of this number was posed.
        """
        rows = self.query(
            "SELECT environment, level, text, key, gold, origin, proposer FROM posed "
            "WHERE problem = ? ORDER BY generation LIMIT 1", number,
        )  # fmt: skip
        if not rows:
            raise KeyError(f"no problem {number} was posed in this run")
        environment, level, text, key, gold, origin, proposer = rows[0]
        signature = key.removeprefix(f"{environment}:")
        return Problem(environment, level, text, signature, gold, origin), proposer

    def describe(self, environment: str, level: int, knobs: Mapping[str, int]) -> None:
        """Note what the knobs of a level are set to."""
        self._connection.execute(
            "INSERT OR REPLACE INTO cells VALUES (?,?,?)", (environment, level, json.dumps(knobs))
        )

    def add(
        self,
        posed: Iterable[Posed],
        rejected: Iterable[Rejected],
        attempts: Iterable[Attempt] = (),
    ) -> None:
        """Write a generation, whole or not at all."""
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(_INSERT_POSED, map(row_of, posed))
            self._connection.executemany("INSERT INTO rejected VALUES (?,?,?,?)", rejected)
            self._connection.executemany(
                "INSERT OR REPLACE INTO attempts VALUES (?,?,?,?,?,?)", attempts
            )

    def forget_after(self, generation: int) -> None:
        """Drop what came after a generation: a resumed run plays it again."""
        with self._connection:
            self._connection.execute("BEGIN")
            for table in ("posed", "rejected", "attempts"):
                query = f"DELETE FROM {table} WHERE generation > ?"  # noqa: S608 (fixed names)
                self._connection.execute(query, (generation,))

    def query(self, sql: str, *parameters: object) -> list[tuple]:
        """Rows of a read-only question."""
        return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Finish writing."""
        self._connection.close()


def row_of(posed: Posed) -> dict[str, str | int | float]:
    """A posed problem by the columns of the table `posed`; its level is that of the problem."""
    plan, problem = posed.plan, posed.problem
    return {
        "generation": plan.generation,
        "slot": plan.slot,
        "key": problem.key,
        "environment": problem.environment,
        "level": problem.level,
        "text": problem.text,
        "gold": problem.gold,
        "origin": problem.origin,
        "proposer": posed.proposer,
        "purpose": plan.purpose.value,
        "requested": plan.rating,
        "predicted": plan.predicted,
        "propensity": plan.propensity,
        "solved": posed.solved,
        "graded": posed.graded,
        "rating": posed.rating,
        "rating_sd": posed.rating_sd,
        "problem": plan.problem,
    }
