"""Fuzzing of everything that reads hostile text: no crash, no hang over a second, little memory.

    python tests/grading/fuzz.py hypothesis --seconds 1800     grammar-like soup, from Hypothesis
    python tests/grading/fuzz.py coverage --seconds 1800       guided by coverage; needs atheris

Not collected by pytest: it runs as long as it is told. Stops at the first finding with exit status
1 and the input, prints one line of figures at the end. Memory is how far the peak of the process
rises with one input, so that the fuzzer's own notes do not count. Linux.
"""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

SECONDS = 1.0
"""Longest processor time that one input may take."""
MEGABYTES = 200
"""Most memory that one input may take."""
LONGEST = 5000
"""Characters of one input; beyond a few thousand every reader refuses by length alone."""
CORPUS = Path(__file__).with_name("corpus")
PIECES = [
    *"0123456789+-*/^()[]{},.;:=<>|!%$&_ \\'\"~xyzijeπ∞−×·√½²", "\n", "\x00", "\u202e", "\u200b",
    "<answer>", "</answer>", "\\boxed{", "\\frac", "\\dfrac{", "}{", "\\sqrt", "\\sqrt[3]{",
    "\\left(", "\\right)", "\\cdot ", "\\times ", "\\pi", "\\infty",
    "\\begin{pmatrix}", "\\end{pmatrix}", "\\\\", "\\text{", "\\overline{", "\\le ", "\\cup ",
    "\\in ", "\\pm ", "\\ln ",
    "sin", "cos(", "log_", "sqrt(", "exp", "abs(", " or ", " and ", "true", "None", "10^", "9**9",
    "e10", "1e-5", "!!", "1/3", "-7", "3.14", "1,234", "{1,2}", "[1,2)", "(1,2)", '{"a":1}', "x=",
    "\\pmod{12}", "\\bmod 5", "\\equiv ", "\\mathrm{~km}", "\\text{ cm}^2", " hours", "\\$",
    "dollars", "\\begin{cases}", "\\end{cases}", "\\begin{smallmatrix}", "\\end{smallmatrix}",
    "_{16}", "0x", "\\mathbb{R}\\setminus", "\\{", "\\}", "\\right.", "n\\ge 1", "2*I", "Abs(",
    "k\\in\\mathbb{Z}", "<think>", "</think>", "<|im_end|>", "#### ", "The answer is ", "f(x)=",
    "assert f(", ") == ", "\nfor i in range(9):\n    ", "candidate(", "sorted(", "```py\n",
]  # fmt: skip


class Target:
    """The readers of hostile text, and what has been seen of them."""

    def __init__(self) -> None:
        from selfplay.grading import kinds

        self.done, self.slowest, self.slowest_input = 0, 0.0, ""
        self.most_risen = 0.0
        self._declared, self.seeds = [], list[str]()
        for line in (CORPUS / "answers.jsonl").read_text().splitlines():
            row = json.loads(line)
            self.seeds += [str(row[key]) for key in ("gold", "answer", "response") if key in row]
            try:
                kind = kinds.infer(row["gold"]) if row["kind"] == "auto" else kinds.declare(row)
            except ValueError:  # rows that show what a bad declaration gives
                continue
            if kinds.grade_answer(kind, row["gold"], "").graded:
                self._declared.append((kind, row["gold"]))
        random.Random(0).shuffle(self._declared)

    def __call__(self, choice: int, text: str) -> None:
        """Read one text in one of the ways; raises AssertionError for a finding."""
        from selfplay.grading import answers, expressions, free_text, kinds, public
        from selfplay.grading.programs.jail import values

        kind, gold = self._declared[choice % len(self._declared)]
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew at what is in use
        before, began = peak(), time.process_time()
        match choice % 7:
            case 0 | 1:
                verdict = kinds.grade_answer(kind, gold, text)
                assert verdict.graded, (kind, gold, text, verdict)
            case 2:
                verdict = kinds.grade_response(kind, gold, f"<answer>{text}")
                assert verdict.graded, (kind, gold, text, verdict)
            case 3:
                for read in (kinds.infer, expressions.parse):  # of golds and proposals
                    try:
                        read(text)
                    except (answers.AnswerError, expressions.ExpressionError):
                        pass
            case 4:
                try:
                    values.from_frame(text.encode("utf-8", "surrogatepass"))
                except values.ValueRefused:
                    pass
            case 5:
                try:
                    free_text.find(text)
                except answers.AnswerError:
                    pass
            case 6:  # other people's tests and programs, which are read and not run
                row = {
                    "prompt": "", "entry_point": "f", "test": text, "test_list": [text],
                    "solution": text, "answer": text, "response": text, "metadata": text,
                    "public_test_cases": [{"input": text, "output": text, "testtype": "call"}],
                }  # fmt: skip
                for name in public.FORMS:
                    try:
                        public.row_of(name, row)
                    except ValueError:
                        pass
        took = time.process_time() - began
        self.done += 1
        if took > self.slowest:
            self.slowest, self.slowest_input = took, text[:200]
        assert took < SECONDS, f"{took:.2f} s for {text!r:.300} as {kind} with gold {gold!r}"
        risen = peak() - before
        self.most_risen = max(self.most_risen, risen)
        assert risen < MEGABYTES, f"{risen:.0f} MB more, last with {text!r:.300} as {kind}"

    def report(self, seconds: float) -> str:
        """Figures in one line."""
        return (
            f"{self.done:,} inputs in {seconds:.0f} s, no finding; slowest "
            f"{1000 * self.slowest:.0f} ms ({self.slowest_input!r:.120}); memory "
            f"+{self.most_risen:.0f} MB"
        )


def peak() -> float:
    """Most memory that this process has used since that was last cleared, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def with_hypothesis(target: Target, seconds: float) -> None:
    """Batches of examples under ever new seeds until the time is up."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    soup = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
    nested = st.recursive(
        soup,
        lambda inner: st.one_of(
            inner.map("({})".format), inner.map("\\frac{{{}}}{{2}}".format),
            inner.map("\\sqrt{{{}}}".format), st.tuples(inner, inner).map("^".join),
            st.tuples(inner, inner).map(",".join), inner.map(lambda text: (text * 50)[:LONGEST]),
        ),
        max_leaves=20,
    )  # fmt: skip
    # What people wrote, with something else in its middle: near to what is read.
    cut = st.tuples(st.sampled_from(target.seeds), st.integers(0, 200), soup, st.integers(0, 9))
    altered = cut.map(lambda c: c[0][: c[1]] + c[2] + c[0][c[1] + c[3] :])
    long = nested.map(lambda text: text[:LONGEST])
    texts = st.one_of(soup, altered, long, st.text(max_size=200))
    end, batch = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        batch += 1
        options = settings(
            max_examples=2000, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip

        def read(choice: int, text: str) -> None:
            target(choice, text)

        seed(batch)(options(given(st.integers(0, 1 << 20), texts)(read)))()


def with_coverage(target: Target, seconds: float) -> None:
    """atheris (libFuzzer): keeps the inputs that reach new lines and mutates them."""
    import atheris

    atheris.instrument_all()
    end = time.monotonic() + seconds

    def once(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        target(provider.ConsumeIntInRange(0, 1 << 20), provider.ConsumeUnicode(2000))
        if time.monotonic() > end:
            print(f"coverage: {target.report(seconds)}", flush=True)
            os._exit(0)  # past libFuzzer, which takes an exit for a crash

    # libFuzzer's clock also counts waiting for a processor: it is there for true hangs only.
    atheris.Setup([sys.argv[0], "-max_len=2000", "-timeout=120", "-rss_limit_mb=2048"], once)
    atheris.Fuzz()


def main() -> None:
    """Run the fuzzer that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("how", choices=["hypothesis", "coverage"])
    parser.add_argument("--seconds", type=float, default=1800.0)
    asked = parser.parse_args()
    target = Target()
    if asked.how == "coverage":
        with_coverage(target, asked.seconds)
    began = time.monotonic()
    with_hypothesis(target, asked.seconds)
    print(f"hypothesis: {target.report(time.monotonic() - began)}")


if __name__ == "__main__":
    main()
