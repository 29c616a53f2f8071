"""Grading of many responses: untrusted text -> verdicts, whatever an environment's grader does.

Fed by the rollouts, feeds the advantages and the ratings.
"""

from collections.abc import Mapping, Sequence

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


def judge_all(
    environments: Mapping[str, Environment],
    problems: Sequence[Problem],
    responses: Sequence[str],
    ended: Sequence[bool],
) -> list[Verdict]:
    """Grade the responses, the same number for each problem, attempts at a problem side by side."""
    attempts = len(responses) // len(problems)
    return [
        judge(environments[problem.environment], problem, responses[row], bool(ended[row]))
        for row, problem in ((row, problems[row // attempts]) for row in range(len(responses)))
    ]
