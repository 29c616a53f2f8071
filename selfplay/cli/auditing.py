"""`selfplay bench grade --audit RUN`: the kept attempts of a run once more, by eyes that doubt.

Three questions: does our grader say the same as it did then, does math-verify say the same, and do
the attempts look like cheating: exits before the tests, subclassed results, refused system calls,
one answer given to many problems.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfplay import environments as installed
from selfplay.curriculum.archive import Archive
from selfplay.grading import second_opinion
from selfplay.grading.answers import AnswerError, final_answer
from selfplay.grading.judge import CUT, judge
from selfplay.grading.programs import SUSPICIOUS
from selfplay.grading.worker import HelperError
from selfplay.problem import Outcome, Problem, Verdict
from selfplay.run import RunFolder

OPINIONS = 500
"""Most pairs of gold and answer that the second grader is asked about."""
SHOWN = 10
"""Rows of a list that are printed."""
COMMON_ANSWER = 0.2
"""Share of an environment's attempts from which on one answer is worth a look."""


class Kept(NamedTuple):
    """An attempt as the archive has it."""

    problem: Problem
    response: str
    then: Verdict

    @property
    def answer(self) -> str | None:
        """The final answer; None if there is none to be read."""
        try:
            return final_answer(self.response)
        except AnswerError:
            return None


def audit(run: Path, console: Console) -> dict[str, Any]:
    """Print what was found; returns the counts.

    Raises:
        ValueError: there is no such run, or it kept no attempts.
    """
    folder = RunFolder.open(run)
    archive = Archive(folder.archive_path)
    attempts = list(kept(archive))
    archive.close()
    if not attempts:
        raise ValueError(
            f"{run} kept no attempts: its attempts_every is {folder.config.attempts_every} of "
            f"{folder.config.generations} generations. Train with a smaller --attempts-every."
        )
    changed = regraded(attempts)
    _list(console, "graded otherwise than in the run", changed)
    asked, disagreements = second_opinions(attempts)
    if asked is None:
        console.print("math-verify: not installed (pip install 'selfplay-curriculum[audit]')")
    else:
        _list(console, f"math-verify disagrees (of {asked} answers)", disagreements)
    suspicious = suspicious_reasons(attempts)
    for reason, count in suspicious.most_common(SHOWN):
        console.print(f"suspicious: {count} x {escape(reason)}")
    _print_common(console, common := common_answers(attempts))
    return {
        "attempts": len(attempts),
        "graded_otherwise": len(changed),
        "second_opinions": asked or 0,
        "second_opinion_disagrees": len(disagreements),
        "suspicious": suspicious.total(),
        "common_answers": sum(row.share >= COMMON_ANSWER for row in common),
    }


def kept(archive: Archive) -> Iterator[Kept]:
    """The attempts of an archive, oldest first."""
    rows = archive.query(
        "SELECT environment, level, text, key, gold, origin, response, outcome, reason "
        "FROM attempts JOIN posed USING (generation, slot) ORDER BY generation, slot, attempt"
    )
    for environment, level, text, key, gold, origin, response, outcome, reason in rows:
        signature = key.removeprefix(f"{environment}:")
        problem = Problem(environment, level, text, signature, gold, origin)
        yield Kept(problem, response, Verdict(Outcome(outcome), reason))


def regraded(attempts: Iterable[Kept]) -> list[str]:
    """Those that the grader judges differently now, in words."""
    load, found = cache(installed.load), []
    for attempt in attempts:
        environment = load(attempt.problem.environment)
        now = judge(environment, attempt.problem, attempt.response, attempt.then.reason != CUT)
        if now.outcome is not attempt.then.outcome:
            found.append(_in_words(attempt, f"then {attempt.then.outcome}, now {now.outcome}"))
    return found


def second_opinions(attempts: Iterable[Kept]) -> tuple[int | None, list[str]]:
    """How many answers math-verify was asked about (None: it is not here), and its other views.

    It knows the value of an answer only, not the rules of an environment.
    """
    pairs = {}
    for attempt in attempts:
        answer = attempt.answer
        if answer is not None and attempt.then.outcome in (Outcome.CORRECT, Outcome.WRONG):
            pairs.setdefault((attempt.problem.key, answer), attempt)
    asked, found = 0, []
    helper = second_opinion.helper()
    try:
        for (_, answer), attempt in list(pairs.items())[:: max(1, len(pairs) // OPINIONS)]:
            try:
                (same,) = second_opinion.opinions(helper, [(attempt.problem.gold, answer)])
            except TimeoutError:
                found.append(_in_words(attempt, "math-verify did not come to an end"))
                continue
            asked += 1
            if same is not attempt.then.correct:
                theirs = "equal" if same else "not equal"
                found.append(_in_words(attempt, f"{attempt.then.outcome}; math-verify: {theirs}"))
    except HelperError as error:
        if asked:
            raise
        del error  # it did not start
        return None, []
    finally:
        helper.close()
    return asked, found


def suspicious_reasons(attempts: Iterable[Kept]) -> Counter[str]:
    """Reasons of verdicts that honest programs rarely earn."""
    reasons = (attempt.then.reason for attempt in attempts)
    return Counter(
        phrase for reason in reasons for phrase in SUSPICIOUS if phrase in reason
    )  # fmt: skip


class Common(NamedTuple):
    """The most frequent answer of an environment."""

    environment: str
    answer: str
    share: float
    """Of the environment's attempts that have an answer."""
    problems: int
    """Different problems that it was given to."""
    right: float
    """Share of these attempts that were right."""


def common_answers(attempts: Iterable[Kept]) -> list[Common]:
    """What a policy says that has found one answer to pay whatever the problem."""
    given: dict[str, list[tuple[str, Kept]]] = defaultdict(list)
    for attempt in attempts:
        if (answer := attempt.answer) is not None:
            given[attempt.problem.environment].append((answer, attempt))
    found = []
    for name, pairs in sorted(given.items()):
        answer, count = Counter(answer for answer, _ in pairs).most_common(1)[0]
        with_it = [attempt for other, attempt in pairs if other == answer]
        problems = len({attempt.problem.key for attempt in with_it})
        right = sum(attempt.then.correct for attempt in with_it) / count
        found.append(Common(name, answer, count / len(pairs), problems, right))
    return found


def _print_common(console: Console, common: Sequence[Common]) -> None:
    table = Table(title="most frequent answer", title_justify="left")
    for column in ("environment", "answer", "of attempts", "problems", "right", ""):
        table.add_column(column)
    for row in common:
        table.add_row(
            row.environment, escape(row.answer[:40]), f"{row.share:.0%}", str(row.problems),
            f"{row.right:.0%}", "LOOK" if row.share >= COMMON_ANSWER else "",
        )  # fmt: skip
    console.print(table)


def _list(console: Console, title: str, rows: Sequence[str]) -> None:
    console.print(f"{title}: {len(rows)}")
    for row in rows[:SHOWN]:
        console.print(f"  {escape(row)}")


def _in_words(attempt: Kept, what: str) -> str:
    problem = attempt.problem
    answer = ascii(attempt.answer)[:60]
    return f"{problem.environment} {problem.text[:60]}: {answer}, gold {problem.gold[:40]}: {what}"
