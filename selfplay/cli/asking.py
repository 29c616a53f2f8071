"""`selfplay solve` and `propose`: look at single problems and answers."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional

from selfplay import checkpoints, streams
from selfplay.cli import options, runs
from selfplay.cli.options import Count
from selfplay.curriculum.plans import UNNUMBERED, Plan, Purpose, Report
from selfplay.curriculum.scale import pass_rate
from selfplay.model.sampling import Sampling
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Problem
from selfplay.proposing.learned import Learned
from selfplay.rollout.attempts import attempt


def solve_command(arguments: Sequence[str]) -> None:
    """`selfplay solve RUN "PROBLEM"`."""

    def solve(
        run: Positional[Path],
        problem: Positional[str],
        env: str | None = None,
        samples: int = 1,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> None:
        """Show the model's thinking, its answer and the verdict.

        Args:
            run: the run folder.
            problem: the problem in its environment's notation; `selfplay envs show NAME` has some.
            env: the environment; found from the notation by default.
            samples: attempts; a single one is greedy, several are sampled.
            temperature: of the sampling; divides the logits.
            top_k: draw from so many of the likeliest tokens only; 0: from all.
            top_p: draw from the likeliest tokens of this probability together only.
            seed: of the sampling; random by default.
        """
        if samples < 1:
            raise ValueError(f"--samples {samples} must be at least 1.")
        console = Console(highlight=False)
        with runs.opened(run) as (folder, parts, _):
            posed = read_problem(problem, env, parts.environments)
            network = parts.trained(checkpoints.restored(folder, parts))
            key_N2 = streams.row_keys(_seed(seed), 0, "solve", samples)
            attempts = attempt(
                network, parts.ring.tokenizer, parts.environments, [posed], key_N2,
                attempts=samples, decode_config=folder.config.decode,
                sampling=Sampling(0.0 if samples == 1 else temperature, top_k, top_p),
            )  # fmt: skip
        console.print(f"[bold]{posed.environment}[/], level {posed.level}: {escape(posed.text)}")
        for text, verdict in zip(attempts.responses.texts, attempts.verdicts, strict=True):
            thinking, _, answer = text.partition(ANSWER_OPEN)
            colour = "green" if verdict.correct else "red"
            reason = f" ({verdict.reason})" if verdict.reason and not verdict.correct else ""
            console.print(f"  thinking  {escape(thinking)}")
            console.print(f"  answer    {escape(answer)}")
            console.print(f"  verdict   [{colour}]{verdict.outcome}[/]{escape(reason)}\n")
        console.print(f"  one right answer: {escape(posed.gold)}")

    options.parse(solve, "solve", arguments, example='solve runs/quickstart "12+34*5"')


def propose_command(arguments: Sequence[str]) -> None:
    """`selfplay propose RUN --env NAME --rating R`."""

    def propose(
        run: Positional[Path],
        env: str,
        rating: float = 1500.0,
        n: Count = 8,
        seed: int | None = None,
    ) -> None:
        """Show proposals, the gate's verdict and predicted pass rates.

        Args:
            run: the run folder.
            env: the environment to propose for.
            rating: wanted rating, in points on the anchored scale.
            n: number of proposals.
            seed: of the sampling; random by default.
        """
        console = Console(highlight=False)
        with runs.opened(run) as (folder, parts, _):
            if env not in parts.environments:
                raise ValueError(
                    f"this run does not know the environment {env!r}; it has "
                    f"{', '.join(parts.environments)}."
                )
            state = checkpoints.restored(folder, parts)
            manager = parts.ring.manager
            beliefs = manager.beliefs(state.standing)
            proposer = Learned(
                parts.environments, parts.ring.tokenizer, parts.gate,
                _seed(seed),
                decode_config=replace(
                    folder.config.decode, max_tokens=folder.config.proposing.max_tokens
                ),
                temperature=folder.config.rollout.temperature,
            )  # fmt: skip
            level = manager.level_near(state.standing, env, rating)
            e = manager.cells.index[env]
            plans = [
                Plan(
                    0, slot, env, level, rating,
                    float(pass_rate(beliefs.solver_E[e], rating)), float("nan"), float("nan"),
                    Purpose.TARGET, UNNUMBERED,
                )
                for slot in range(n)
            ]  # fmt: skip
            proposals, _ = proposer.propose(plans, parts.trained(state), 0, set())
        table = Table(title=f"{env} at {rating:.0f} points", title_justify="left")
        for column in ("proposal", "gate", "level", "rating", "predicted pass rate"):
            table.add_column(column)
        for proposal in proposals:
            text = escape(proposal.text)
            if proposal.problem is None:
                table.add_row(text, f"[red]{escape(proposal.reason)}[/]", "", "", "")
                continue
            report = Report(proposal.plan, proposal.problem.level, 0, 0)
            ((rated, sd),) = manager.problem_ratings(state.standing, [report])
            table.add_row(
                text,
                "[green]admitted[/]",
                str(proposal.problem.level),
                f"{rated:.0f} ± {sd:.0f}",
                f"{float(pass_rate(beliefs.solver_E[e], rated)):.0%}",
            )
        console.print(table)

    options.parse(
        propose,
        "propose",
        arguments,
        example="propose runs/quickstart --env countdown --rating 1600",
    )


def read_problem(text: str, env: str | None, environments: Mapping[str, Environment]) -> Problem:
    """The problem that a text poses, in the named environment or the first that reads it.

    An environment whose problem it is as written goes before one that reads it as another text
    (3+4*5 is a problem of arithmetic, and for countdown a way to pose 3,4,5 make 23).

    Raises:
        ValueError: no environment of the run reads it.
    """
    if env is not None and env not in environments:
        raise ValueError(
            f"this run does not know the environment {env!r}; it has {', '.join(environments)}."
        )
    read, reasons = [], []
    for name in [env] if env else environments:
        try:
            read.append(environments[name].parse(text))
        except InvalidProblem as error:
            reasons.append(f"{name}: {error}")
    if read:
        return next((problem for problem in read if problem.text == text), read[0])
    raise ValueError(
        f"{text!r} is no problem that the run's environments can read ({'; '.join(reasons)}). "
        "`selfplay envs show NAME` prints examples of the notation."
    )


def _seed(chosen: int | None) -> int:
    if chosen is not None and chosen < 0:
        raise ValueError(f"--seed {chosen} must be at least 0.")
    return secrets.randbits(31) if chosen is None else chosen
