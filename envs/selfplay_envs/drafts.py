"""Random programs of the subset, arguments for them, and small mistakes in them.

Feeds the four program environments, which read the texts back and find out what level they are of.
"""

import ast
import random
from collections.abc import Mapping, Sequence
from typing import Any

from selfplay_envs import subset
from selfplay_envs.subset import Program, Value

LISTS, STRINGS = 2, 3
"""Values of the knob `kinds` from which on there are lists, and strings."""

_LETTERS = "abcde"


def program(knobs: Mapping[str, int], rng: random.Random) -> tuple[str, list[Value]]:
    """A program of at most so many statements, and arguments for it.

    Args:
        knobs: `statements`, `loops`, `kinds` and `number` of the environment.
        rng: drawn from.
    """
    kind = rng.randint(1, knobs["kinds"])
    writer = _Writer(knobs, rng)
    if kind == STRINGS:
        lines, parameters = writer.on_strings(), "s"
    elif kind == LISTS:
        lines, parameters = writer.on_lists(), "x"
    else:
        parameters = rng.choice(("a", "a,b"))
        lines = writer.on_numbers(parameters.split(","))
    text = "\n".join([f"def f({parameters}):", *(f" {line}" for line in lines)])
    return text, [argument(kind, knobs["number"], rng) for _ in parameters.split(",")]


def argument(kind: int, number: int, rng: random.Random) -> Value:
    """A random value: a number, a list of three to five numbers, or a string of as many letters."""
    if kind == STRINGS:
        return "".join(rng.choices(_LETTERS, k=rng.randint(3, 5)))
    if kind == LISTS:
        return [rng.randint(0, number) for _ in range(rng.randint(3, 5))]
    return rng.randint(1, number)


def kind_of(value: Value) -> int:
    """The value of the knob `kinds` that allows a value."""
    return STRINGS if isinstance(value, str) else LISTS if isinstance(value, list) else 1


def like(value: Value, rng: random.Random) -> Value:
    """Another value of the same kind and about the same size."""
    if isinstance(value, str):
        return "".join(rng.choices(_LETTERS, k=len(value)))
    if isinstance(value, list):
        largest = max([9, *map(abs, value)])
        return [rng.randint(0, largest) for _ in value]
    return rng.randint(1, max(9, abs(value)))


def with_a_mistake(right: Program, rng: random.Random) -> str:
    """The program with one constant, operator or comparison changed."""
    tree = ast.parse(right.text)
    places = [node for node in ast.walk(tree) if isinstance(node, _CHANGEABLE)]
    if not places:
        return right.text
    match rng.choice(places):
        case ast.Constant(value=int(value)) as node:
            node.value = value + rng.choice((-1, 1, 2) if value else (1, 2))
        case ast.BinOp() as node:
            node.op = _another(node.op, (ast.Add, ast.Sub, ast.Mult), rng)()
        case ast.AugAssign() as node:
            node.op = _another(node.op, (ast.Add, ast.Sub, ast.Mult), rng)()
        case ast.Compare() as node:
            kinds = (ast.Lt, ast.Gt, ast.Eq, ast.NotEq)
            node.ops = [_another(node.ops[0], kinds, rng)()]
    return subset.written(tree)


def _another(this: ast.AST, kinds: Sequence[type[Any]], rng: random.Random) -> type[Any]:
    return rng.choice([kind for kind in kinds if not isinstance(this, kind)])


_CHANGEABLE = (ast.Constant, ast.BinOp, ast.AugAssign, ast.Compare)


class _Writer:
    """Writes the body of a function, statement by statement, within a budget of statements."""

    def __init__(self, knobs: Mapping[str, int], rng: random.Random) -> None:
        self._left = knobs["statements"] - 1  # one for the return
        self._loops = knobs["loops"]
        self._number = knobs["number"]
        self._rng = rng

    def on_numbers(self, names: Sequence[str]) -> list[str]:
        """A function of numbers."""
        lines: list[str] = []
        fresh = [letter for letter in "cdeg" if letter not in names]
        while self._left > 0:
            if fresh and self._rng.random() < 0.5:
                name = fresh.pop(0)
                lines.append(f"{name}={self._formula(names)}")
                names = [*names, name]
                self._left -= 1
            else:
                lines += self._change(names)
        return [*lines, f"return {self._formula(names)}"]

    def on_lists(self) -> list[str]:
        """A function of a list."""
        lines, names = [], ["x"]
        while self._left > 1 or (self._left > 0 and not self._loops):
            form = self._rng.random()
            k = self._rng.randint(1, 4)
            if self._loops and form < 0.4:
                self._loops -= 1
                self._left -= 1
                condition = self._test("i")
                lines.append(f"x=[{self._formula(['i'], k)} for i in x if {condition}]")
            elif self._loops and form < 0.8 and self._left >= 3 and len(names) == 1:
                self._loops -= 1
                self._left -= 2
                start = self._rng.randint(0, min(9, self._number))
                lines += [f"t={start}", "for i in x:", *_indented(self._change(["t"], ["i", "t"]))]
                names = ["x", "t"]
            else:
                self._left -= 1
                n = self._number_up_to(9)
                lines.append(
                    self._rng.choice(
                        ("x=sorted(x)", "x=x[::-1]", f"x=x[{k}:]+x[:{k}]", f"x=x+[x[0]+{n}]",
                         f"x=[max(x)-{n}]+x", "x=x+[sum(x)]", f"x.append({n})", f"x=[{n}]+x")
                    )
                )  # fmt: skip
        if "t" in names:
            k = self._rng.randint(2, 5)
            last = ("t", "t+len(x)", "t-max(x)", f"t-x[0]*{k}", "t+x[-1]", f"t-{k}", f"t*2+{k}")
            return [*lines, f"return {self._rng.choice(last)}"]
        one = self._rng.choice(("sum(x)", "len(x)", "max(x)", "min(x)", "x[0]", "x[-1]", "x[1]"))
        last = (
            "x", "x[0]-x[-1]", one, one, f"{one}+{self._number_up_to(9)}", f"{one}*2", f"{one}%5",
        )  # fmt: skip
        return [*lines, f"return {self._rng.choice(last)}"]

    def on_strings(self) -> list[str]:
        """A function of a string."""
        lines: list[str] = []
        looped = False
        while self._left > 0:
            letter, other = self._rng.sample(_LETTERS, 2)
            if self._loops and self._left >= 5 and not looped:
                looped = True
                self._loops -= 1
                self._left -= 5
                added = f"t=t+'{other}'"
                body = self._rng.choice((("t=t+i", added), ("t=i+t", "t=t+i"), (added, "t=t+i")))
                start = "".join(self._rng.sample(_LETTERS, self._rng.randint(0, 2)))
                condition = self._rng.choice(
                    (f"i=='{letter}'", f"i!='{letter}'", f"i>'{letter}'", f"i in '{letter}{other}'")
                )
                lines += [f"t='{start}'", "for i in s:", f" if {condition}:", f"  {body[0]}"]
                if self._left > 0:
                    self._left -= 1
                    lines += [" else:", f"  {body[1]}"]
                lines.append("s=t")
                continue
            self._left -= 1
            lines.append(
                self._rng.choice(
                    ("s=s[::-1]", f"s=s+'{letter}'", f"s='{letter}'+s", "s=s[1:]+s[0]", "s=s+s[0]",
                     f"s=s if '{letter}' in s else s+'{other}'", "s=s[-1]+s[:-1]")
                )
            )  # fmt: skip
        letter = self._rng.choice(_LETTERS)
        last = (
            "s", "s", "s+s[0]", "s[1:]", "s[::-1]", f"s+'{letter}'", f"'{letter}'+s",
            f"len(s)+s.count('{letter}')",
        )  # fmt: skip
        return [*lines, f"return {self._rng.choice(last)}"]

    def _change(self, names: Sequence[str], known: Sequence[str] | None = None) -> list[str]:
        """A statement that changes one of the names by what is known, perhaps conditionally."""
        name, known = self._rng.choice(names), known or names
        form = self._rng.random()
        if form < 0.35 and self._left >= 2:
            self._left -= 1
            inner = self._change(names, known)
            lines = [f"if {self._test(self._rng.choice(known))}:", *_indented(inner)]
            if self._left >= 1 and self._rng.random() < 0.5:
                lines += ["else:", *_indented(self._change(names, known))]
            return lines
        if form < 0.8 and self._loops and self._left >= 2:
            self._loops -= 1
            self._left -= 1
            inner = self._change(names, [*known, "i"])
            return [f"for i in range({self._rng.randint(2, 4)}):", *_indented(inner)]
        self._left -= 1
        operator = self._rng.choice("+-+-*")
        if operator == "*":
            return [f"{name}*={self._rng.randint(2, 3)}"]
        others = [other for other in known if other != name]
        operand = self._rng.choice([*others, str(self._number_up_to(9))])
        if operand in others and self._rng.random() < 0.5:
            operand += f"{self._rng.choice('*%')}{self._rng.randint(2, 5)}"
        return [f"{name}{operator}={operand}"]

    def _formula(self, names: Sequence[str], k: int | None = None) -> str:
        """One operation, or two, on names and small numbers."""
        first = self._rng.choice(names)
        second = self._rng.choice([*names, *map(str, (k or self._number_up_to(9), 2, 3))])
        operator = self._rng.choice("+-+-*")
        if operator == "*" or second == first:
            text = f"{first}*{self._rng.randint(2, 5)}"
        else:
            text = f"{first}{operator}{second}"
        if self._rng.random() < 0.3:
            text += (
                f"{self._rng.choice('+-')}{self._rng.choice([*names, str(self._number_up_to(9))])}"
            )
        elif self._rng.random() < 0.1:
            text = f"{first}{self._rng.choice(('%', '//'))}{self._rng.randint(2, 5)}"
        return text

    def _test(self, name: str) -> str:
        """A condition on a name."""
        if self._rng.random() < 0.4:
            return f"{name}%{self._rng.randint(2, 3)}=={self._rng.randint(0, 1)}"
        return f"{name}{self._rng.choice('<>')}{self._number_up_to(self._number)}"

    def _number_up_to(self, largest: int) -> int:
        return self._rng.randint(1, min(largest, self._number))


def _indented(lines: list[str]) -> list[str]:
    return [f" {line}" for line in lines]
