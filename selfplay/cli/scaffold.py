"""`selfplay envs new`: a package with a working environment and its test, to be changed."""

import keyword
import re
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from selfplay import environments as installed


def new_environment(
    name: Positional[str], folder: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
) -> None:
    """Write a package with a working environment and its test, as a start for your own.

    Args:
        name: of the environment: lower-case letters, digits and _.
        folder: where to make it; selfplay-NAME in this directory by default. Must not exist.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} is no name for an environment: use lower-case letters, digits and _, "
            "beginning with a letter, for example roman_numerals."
        )
    if name in installed.names():
        raise ValueError(f"{name!r} is installed already; choose another name.")
    target = folder or Path(f"selfplay-{name.replace('_', '-')}")
    if target.exists():
        raise ValueError(f"{target} exists; nothing is overwritten. Give another one by --folder.")
    target.mkdir(parents=True)
    for path, template in _FILES.items():
        file = target / path.replace("NAME", name)
        file.write_text(template.replace("NAME", name).replace("CLASS", _class_name(name)))
    module = target / f"selfplay_{name}.py"
    print(
        f"written to {target}. It works as it is:\n"
        f"  selfplay envs show {module}\n"
        f"  selfplay envs check {module}\n"
        f"  selfplay train quickstart --environments arithmetic {module}\n"
        f"Change `draft`, `parse`, `grade` and `demonstrate`, then install it: pip install -e "
        f"{target}\nand it is known by its name, {name}."
    )


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


_MODULE = '''"""The sum of the digits of a number."""

import random
import re
from collections.abc import Mapping

from selfplay.grading import declare, grade_response
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Problem,
    Verdict,
)

ANSWER = declare({"kind": "integer"})


class CLASS(Environment):
    """Add the digits of a number."""

    name = "NAME"
    summary = "the sum of the digits of 4821"
    instruction = "Add all digits of the number. The answer is an integer."
    verifier = "integer"
    guess_bound = 0.2
    crowded = 1
    knobs = {"digits": Knob((4, 6, 7, 8, 9, 10, 12, 14, 16), "digits", "longer numbers")}

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A number of that many digits."""
        return "".join(rng.choices("123456789", k=knobs["digits"]))

    def parse(self, text: str) -> Problem:
        """Read a number; whatever a model writes comes here."""
        if not re.fullmatch("[1-9]{2,100}", text):
            raise InvalidProblem("malformed: a number without zeros is wanted")
        level = self.easiest(digits=len(text))
        gold = str(sum(map(int, text)))
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the sum."""
        return grade_response(ANSWER, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One digit after the other: 4+8=12;12+2=14;14+1=15."""
        total, lines = int(problem.text[0]), []
        for digit in map(int, problem.text[1:]):
            lines.append(f"{total}+{digit}={total + digit}")
            total += digit
        return f"{';'.join(lines)}{ANSWER_OPEN}{problem.gold}"
'''

_TEST = '''"""NAME keeps the contract, and its golds are right."""

import pytest
from selfplay_NAME import CLASS

from selfplay import conformance
from selfplay.conformance import Size

ENVIRONMENT = CLASS()


def test_it_keeps_the_contract():
    assert list(conformance.check(ENVIRONMENT, Size(problems=500, graded=100, fuzzed=1000))) == []


@pytest.mark.parametrize(("text", "gold"), [("4821", "15"), ("11", "2"), ("999", "27")])
def test_golds_by_hand(text, gold):
    assert ENVIRONMENT.parse(text).gold == gold
'''

_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "selfplay-NAME"
version = "0.1.0"
dependencies = ["selfplay-curriculum"]

[project.entry-points."selfplay.environments"]
NAME = "selfplay_NAME:CLASS"

[tool.hatch.build.targets.wheel]
only-include = ["selfplay_NAME.py"]

[tool.hatch.build]
dev-mode-dirs = ["."]
"""

_FILES = {
    "selfplay_NAME.py": _MODULE,
    "test_NAME.py": _TEST,
    "pyproject.toml": _PROJECT,
}
"""Path in the new folder -> its contents; NAME and CLASS are filled in."""
