"""Grading of many responses: untrusted text -> verdicts, whatever an environment's grader does.

Fed by the rollouts, feeds the advantages and the ratings.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from selfplay.problem import Environment, Outcome, Problem, Verdict

CUT = "cut at the token limit"
"""Reason of the verdict on a response that did not end."""


def judge(environment: Environment, problem: Problem, response: str, ended: bool) -> Verdict:
    """Grade one response; one that was cut at the token limit is unparsable.

    A grader that raises gives the outcome `error`: masked from training, counted on the board.
    """
    if not ended:
        return Verdict(Outcome.UNPARSABLE, CUT)
    try:
        return environment.grade(problem, response)
    except Exception as error:  # the grader's failure must not pass for the solver's
        return Verdict(Outcome.ERROR, f"{type(error).__name__}: {error}")


class Judging:
    """Grades responses in the order they come, in one thread, while others are still being drawn.

    The verdicts are the same in whatever order they come: a grader knows one response only.
    """

    def __init__(
        self, environments: Mapping[str, Environment], problems: Sequence[Problem], attempts: int
    ) -> None:
        """Prepare for `attempts` responses to each of the problems."""
        self._environments, self._problems, self._attempts = environments, problems, attempts
        self._verdicts: dict[int, Future[Verdict]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grading")

    def __enter__(self) -> "Judging":
        return self

    def __exit__(self, *raised: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def submit(self, row: int, response: str, ended: bool) -> None:
        """Have a response graded; row p * attempts + a is attempt a at problem p."""
        problem = self._problems[row // self._attempts]
        environment = self._environments[problem.environment]
        self._verdicts[row] = self._thread.submit(judge, environment, problem, response, ended)

    def verdicts(self) -> list[Verdict]:
        """Of all rows; waits for those that are not graded yet."""
        return [self._verdicts[row].result() for row in range(len(self._verdicts))]
