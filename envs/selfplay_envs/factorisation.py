"""Prime factorisation: 84 is 2^2*3*7.

The text is the number alone, and it is not a prime. Difficulty is its size and the largest prime
that has to be tried as a divisor before everything is divided out and the rest is known to be
prime. The answer may name the primes in any order and repeat one instead of writing a power.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from math import isqrt

from selfplay.grading import AnswerError, Checker, declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

SMALL_FACTORS = (0, 0, 1, 1, 2)
"""How many small primes a draft has beside a random factor: one of these numbers."""

_TEXT = re.compile(r"[1-9][0-9]{0,5}\Z")
_POWER = r"[0-9]{1,6}(?:\^[0-9]{1,2})?"
_ANSWER = re.compile(rf"{_POWER}(?:\*{_POWER})*\Z")
_MAX_ANSWER = 120


def _read_answer(text: str) -> Counter[int]:
    r"""How often each number occurs as a factor; \cdot and \times are read as *."""
    text = text.replace("\\cdot", "*").replace("\\times", "*")
    if len(text) > _MAX_ANSWER or not _ANSWER.match(text):
        raise AnswerError("not a factorisation", f"{text[:40]!r} is not like 2^2*3*7")
    count: Counter[int] = Counter()
    for part in text.split("*"):
        base, _, power = part.partition("^")
        count[int(base)] += int(power or "1")
    return count


KIND = Checker(
    form=declare({"kind": "text", "whitespace": "remove", "latex": True}),
    # The kind text reads a tuple, whose first element is the whole text.
    accepts=lambda gold, answer: _read_answer(answer[0]) == _read_answer(gold),
)
"""There is one multiset of primes with the right product: that of the gold."""


class Factorisation(Environment):
    """Write a number as a product of primes."""

    name = "factorisation"
    summary = "84 is 2^2*3*7: the prime factors of a number"
    instruction = (
        "Write the number as a product of prime numbers. The answer is like 2^3*5*11: the primes "
        "joined by *, with ^ before an exponent."
    )
    verifier = "prime factors"
    guess_bound = 0.02
    crowded = 8
    knobs = {
        "largest": Knob(
            (999, 1999, 4999, 4999, 9999, 39999, 99999, 299999, 999999), "value", "larger numbers"
        ),
        "tried": Knob((7, 11, 11, 17, 23, 23, 37, 53, 79), "value", "larger primes to be tried"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random number, or a random multiple of one or two small primes."""
        largest = knobs["largest"]
        number = 1
        for _ in range(rng.choice(SMALL_FACTORS)):
            number *= rng.choice([prime for prime in _PRIMES if prime <= knobs["tried"]])
        return str(number * rng.randint(2, max(2, largest // number)))

    def parse(self, text: str) -> Problem:
        """Read a number; the gold has its primes in ascending order."""
        if not _TEXT.match(text):
            raise InvalidProblem(f"malformed: {text[:40]!r} is no number such as 84")
        number = int(text)
        primes = list(_prime_factors(number))
        if len(primes) < 2:
            raise InvalidProblem(f"trivial: {number} is 1 or a prime")
        level = self.easiest(largest=number, tried=_tried(primes))
        gold = "*".join(
            str(prime) if power == 1 else f"{prime}^{power}"
            for prime, power in Counter(primes).items()
        )
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the factors are the primes of the number, each as often as it divides it."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Trial division: 91%3=1;91/7=13. A careful one writes remainders, except for 2 and 5."""
        pace = Pace.draw(rng)
        lines = [] if pace is Pace.AT_A_GLANCE else _trials(int(problem.text), pace)
        return f"{';'.join(lines)}{ANSWER_OPEN}{problem.gold}"

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One prime factor exchanged for another prime that is tried at the level."""
        primes = list(_prime_factors(int(problem.text)))
        primes[rng.randrange(len(primes))] = rng.choice(_PRIMES[: 4 + problem.level])
        number = 1
        for prime in primes:
            number *= prime
        if str(number) != problem.text:
            try:
                return self.parse(str(number))
            except InvalidProblem:
                pass
        return self.generate(problem.level, rng)


_PRIMES = [n for n in range(2, 1000) if all(n % d for d in range(2, isqrt(n) + 1))]


def _prime_factors(number: int) -> Iterator[int]:
    """The prime factors of a number below a million, in ascending order."""
    for prime in _PRIMES:
        if prime * prime > number:
            break
        while number % prime == 0:
            yield prime
            number //= prime
    if number > 1:
        yield number


def _tried(primes: list[int]) -> int:
    """The largest prime to be tried: the last but one factor, or up to the root of the last."""
    root = isqrt(primes[-1])
    return max(primes[-2], max((p for p in _PRIMES if p <= root), default=2))


def _trials(number: int, pace: Pace) -> list[str]:
    lines: list[str] = []
    for prime in _PRIMES:
        if prime * prime > number:
            break
        # Whether 2 or 5 divides a number is seen from its last digit.
        if number % prime and pace is Pace.CAREFUL and prime not in (2, 5):
            lines.append(f"{number}%{prime}={number % prime}")
        while number % prime == 0 and number > prime:
            lines.append(f"{number}/{prime}={number // prime}")
            number //= prime
    return lines
