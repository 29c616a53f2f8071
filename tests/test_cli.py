"""The command line: every verb on one tiny run, and what bad input is told."""

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import CONFIG, Last

from selfplay import environments
from selfplay.cli import VERBS, asking, envs, leftovers, main
from selfplay.grading.programs import sandbox

ROOT = Path(__file__).resolve().parent.parent

EXPERIMENT = """
from dataclasses import replace
from tiny import CONFIG as TINY
CONFIG = replace(TINY, generations=4, attempts_every=2)
VARIANTS = {"uniform": CONFIG, "warm": replace(CONFIG, generations=0)}
"""


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    real = environments.load
    monkeypatch.setattr(
        environments, "load", lambda name, *rest: Last() if name == "last" else real(name, *rest)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished tiny run."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "small.py").write_text(EXPERIMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "load", lambda name, interpreter=None: {"last": Last()}[name])
        main(["train", str(folder / "small.py"), "--run", str(folder / "run"), "--seed", "3"])
    return folder / "run"


def fails(capsys, *words):
    """The message with which a command is refused; the exit status is 2."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr()
    return " ".join((said.err + said.out).replace("│", " ").split())


def test_help_fits_on_a_screen_and_names_every_verb(capsys):
    main(["--help"])
    said = capsys.readouterr().out
    assert len(said.splitlines()) <= 24
    assert all(verb in said for verb in VERBS)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "train"])
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"selfplay {verb}" in capsys.readouterr().out


def test_the_run_kept_its_configuration(run):
    config = json.loads((run / "config.json").read_text())
    assert (config["seed"], config["generations"], config["arm"]) == (3, 4, "main")


def test_eval_writes_the_figures(run, tmp_path, capsys):
    file = tmp_path / "figures.json"
    main(["eval", str(run), "--samples", "1", "--json", str(file), "--against", str(run)])
    said = " ".join(capsys.readouterr().out.split())
    assert "paired: +0.0 [+0.0, +0.0] points" in said
    figures = json.loads(file.read_text())
    assert figures["seed"] == 3
    assert figures["generated_tokens"] > 0
    assert 0 <= figures["start"]["pass@1"]["mean"] <= figures["end"]["pass@1"]["high"] <= 1
    assert len(figures["end"]["by_level"]["last"]) == 3
    assert 0 <= figures["valid_proposals"]["start"] <= 1
    assert "rates" not in figures["end"]


def test_solve_shows_thinking_answer_and_verdict(run, capsys):
    main(["solve", str(run), "abc"])
    said = capsys.readouterr().out
    assert "last, level 0: abc" in said
    assert all(word in said for word in ("thinking", "answer", "verdict", "right answer: c"))


def test_what_the_warm_up_cannot_be_is_told_before_a_folder_is_made(run, tmp_path, capsys):
    words = ["train", str(run.parent / "small.py"), "--run", str(tmp_path / "new")]
    assert "leaves none of the 3 levels of last" in fails(capsys, *words, "--warmup.shown", "0.1")
    said = fails(capsys, *words, "--seed", "4", "--warmup-of", str(run))
    assert "that run has seed=3, this one 4" in said
    assert "no run folder" in fails(capsys, *words, "--warmup-of", str(tmp_path / "nowhere"))
    said = fails(capsys, *words, "--curriculum.withheld", "lst")
    assert "lst is none of them" in said
    assert not (tmp_path / "new").exists()


def test_propose_shows_the_gates_verdicts(run, capsys):
    main(["propose", str(run), "--env", "last", "--rating", "1500", "--n", "5", "--seed", "1"])
    said = capsys.readouterr().out
    assert said.count("admitted") + said.count("malformed") + said.count("held out") >= 5


ROWS = [
    {"environment": "arithmetic", "problem": "2+3", "response": "<answer>5"},
    {"environment": "arithmetic", "problem": "2+3", "response": "<answer>6"},
    {"environment": "countdown", "problem": "3,5 make 8", "response": "8"},
    {"id": "a", "kind": "integer", "gold": 5, "response": "so \\boxed{5}"},
    {"id": "b", "kind": "auto", "gold": "3/4", "answer": "0.75"},
    {"id": "c", "kind": "integer", "gold": "5", "response": "<answer>5 or 6"},
    {"id": "d", "function": {"name": "f"}, "tests": [{"args": [1], "expected": 2}],
     "submission": "def f(x):\n    return x + 1"},
    {"id": "e", "function": {"name": "f"}, "tests": [{"args": [1], "expected": 2}],
     "submission": "def f(x):\n    raise SystemExit(0)"},
    {"id": "f", "function": {"name": "f"}, "tests": [{"args": [1], "expected": 2}],
     "submission": "def f(x):\n    while True: pass"},
]  # fmt: skip
VERDICTS = [
    "correct", "wrong", "unparsable", "correct", "correct", "ambiguous", "correct", "wrong",
    "timeout",
]  # fmt: skip


def test_grade_tells_verdict_reason_and_time_of_rows_of_all_sorts(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n\n".join(json.dumps(row) for row in ROWS))  # blank lines are none
    main(["grade", str(file), "--json", "--sandbox.seconds", "0.5"])
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["verdict"] for row in rows] == VERDICTS
    assert [row["id"] for row in rows] == [1, 3, 5, "a", "b", "c", "d", "e", "f"]
    assert all(row["seconds"] >= 0 and isinstance(row["reason"], str) for row in rows)
    assert [row.get("sandbox") for row in rows] == [None] * 6 + ["strong"] * 3
    assert "4 correct" in said.err
    main(["grade", str(file), "--sandbox.seconds", "0.5"])
    said = capsys.readouterr().out
    assert "exited before the answer" in said
    assert "4 correct" in said


BAD_ROWS = [
    (b"nonsense", "Expecting value"),
    (b"[1]", "holds a list, not an object"),
    (b"\xff", "codec can't decode"),
    (b"[" * 100_000, "recursion"),
    (b'{"kind": "integer", "gold": NaN, "answer": "1"}', "NaN is no JSON"),
    (b'{"kind": "integer", "kind": "text", "gold": "1", "answer": "1"}', "stands twice"),
    (b'{"kind": "integr", "gold": "1", "answer": "1"}', "the nearest is 'integer'"),
    (b'{"kind": "integer", "answer": "1"}', "the keys are 'kind', 'answer'"),
    (b'{"kind": "integer", "gold": "1"}', "the keys are"),
    (b'{"kind": "integer", "gold": "1", "answer": "1", "response": "1"}', "the keys are"),
    (b'{"kind": "integer", "gold": "1", "answer": 1}', "what is graded is text"),
    (b'{"function": {"name": "f"}, "tests": [{"args": []}]}', "submission"),
    (b'{"function": {"name": "f"}, "tests": [], "submission": ""}', "0 tests"),
    (b'{"environment": "arithmetic", "problem": "2+", "response": ""}', "cannot read the problem"),
    (b'{"environment": "arithmetik", "problem": "2+3", "response": ""}', "arithmetic"),
    (b'{"environment": "arithmetic", "problem": 5, "response": ""}', "all texts"),
    (b'{"kind": "integer", "gold": "x", "answer": "1"}', "unreadable gold"),
    (b'{"kind": "json", "schema": {"type": 5}, "gold": "1", "answer": "1"}', ""),
    (
        b'{"function": {"name": "f", "returns": "set[list[int]]"}, "tests": [{"args": [], '
        b'"expected": [[1]]}], "submission": ""}',
        "is declared",
    ),
    (
        b'{"function": {"name": "f"}, "tests": [{"args": [], "expected": 1}], "float_tol": 1'
        + b"0" * 400
        + b', "submission": ""}',
        "float_tol",
    ),
]


def test_grade_tells_an_unreadable_row_by_its_line_and_goes_on(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    good = b'{"kind": "integer", "gold": "1", "answer": "1"}'
    file.write_bytes(b"\n".join([*(line for line, _ in BAD_ROWS), good]))
    main(["grade", str(file), "--json"])
    *bad, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert last["verdict"] == "correct"
    for number, (row, (line, reason)) in enumerate(zip(bad, BAD_ROWS, strict=True), start=1):
        assert row["verdict"] == "error", line[:60]
        assert row["reason"].startswith(f"line {number}: "), row
        assert reason.lower() in row["reason"].lower(), row


def test_what_is_graded_cannot_write_on_the_screen(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    row = {
        "id": "\ud800\x1b[2J[red]",
        "environment": "arithmetic",
        "problem": "\x1b[2J",
        "response": "",
    }
    file.write_text(json.dumps(row))
    main(["grade", str(file)])
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said
    assert "[red]" in said


def test_programs_need_the_sandbox_that_is_asked_for(tmp_path, capsys, monkeypatch):
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{json.dumps(ROWS[-2])}\n{json.dumps(ROWS[3])}")
    weak = sandbox.Layers(sandbox.Level.WEAK, (sandbox.Layer("user namespace", False, "refused"),))
    monkeypatch.setattr(sandbox, "probe", lambda: weak)
    main(["grade", str(file), "--json"])
    program, answer = map(json.loads, capsys.readouterr().out.splitlines())
    told = "sandbox.require=strong, but this machine holds weak (user namespace: refused)"
    assert (program["verdict"], told in program["reason"]) == ("error", True)
    assert answer["verdict"] == "correct"
    main(["grade", str(file), "--sandbox.require", "weak"])
    assert "sandbox.allow_weak=true" in capsys.readouterr().out


def test_an_audit_finds_nothing_in_an_honest_run(run, capsys):
    main(["bench", "grade", "--audit", str(run)])
    said = " ".join(capsys.readouterr().out.split())
    assert "graded otherwise than in the run: 0" in said
    assert "math-verify" in said


def test_an_audit_finds_what_was_tampered_with(run, tmp_path, capsys):
    forged = tmp_path / "forged"
    shutil.copytree(run, forged)
    with sqlite3.connect(forged / "archive.sqlite") as archive:
        archive.execute("UPDATE attempts SET response = '<answer>zz', outcome = 'correct'")
        archive.execute("UPDATE attempts SET reason = 'test 1: refused system call' WHERE slot = 0")
    main(["bench", "grade", "--audit", str(forged)])
    said = " ".join(capsys.readouterr().out.split())
    count = CONFIG.rollout.problems * CONFIG.rollout.attempts
    assert f"graded otherwise than in the run: {2 * count}" in said
    assert "then correct, now wrong" in said
    assert f"suspicious: {2 * CONFIG.rollout.attempts} x refused system call" in said
    assert "LOOK" in said


def test_an_audit_needs_attempts_and_goes_with_grade(run, capsys, tmp_path):
    assert "Unrecognized or misplaced" in fails(capsys, "bench", "train", "--audit", str(run))
    empty = tmp_path / "empty"
    shutil.copytree(run, empty)
    with sqlite3.connect(empty / "archive.sqlite") as archive:
        archive.execute("DELETE FROM attempts")
    assert "kept no attempts" in fails(capsys, "bench", "grade", "--audit", str(empty))


def test_curriculum_shows_explains_and_exports(run, tmp_path, capsys):
    main(["curriculum", "show", str(run)])
    assert "Generation 4" in capsys.readouterr().out
    main(["curriculum", "explain", str(run), "--generation", "2"])
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("predicted to pass") == said.count("After this generation: solver") == 16
    assert "in slot 15 of generation 2" in said
    number = re.search(r"problem (\d+), written by the procedural proposer, in slot", said)[1]
    main(["curriculum", "explain", str(run), "--problem", number])
    one = " ".join(capsys.readouterr().out.split())
    assert one.count("predicted to pass") == 1
    assert f"problem {number}" in one
    text = one.partition(" (answer")[0]
    main(["curriculum", "explain", str(run), "--text", text])
    assert " ".join(capsys.readouterr().out.split()) == one
    main(["curriculum", "explain", str(run), "--step", "2"])
    assert " ".join(capsys.readouterr().out.split()) == said
    assert "give one of --generation N, --problem NUMBER and --text TEXT" in fails(
        capsys, "curriculum", "explain", str(run)
    )
    assert "last had 100% of the problems; this cell came up with probability" in said
    main(["curriculum", "export", str(run), str(tmp_path / "posed.csv")])
    with (tmp_path / "posed.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 16
    assert {row["environment"] for row in rows} == {"last"}
    assert {row["knobs"] for row in rows} <= {'{"letters": 3}', '{"letters": 4}', '{"letters": 5}'}
    assert len({row["problem"] for row in rows}) == 4 * 16
    assert "nothing was posed with generation 99; generations go to 4" in fails(
        capsys, "curriculum", "explain", str(run), "--generation", "99"
    )
    assert "must end in .csv" in fails(
        capsys, "curriculum", "export", str(run), str(tmp_path / "posed.parquet")
    )


def test_envs(capsys):
    main(["envs", "list"])
    said = capsys.readouterr().out
    assert "countdown" in said
    assert "certificate" in said
    main(["envs", "show", "modular", "--level", "1"])
    said = capsys.readouterr().out
    assert said.count("level 1  ") == 2
    assert "mod" in said
    assert said.count("worked") == said.count("gold") == 2
    main(["envs", "check", "modular", "arithmetic", "-n", "300"])
    assert "modular: 9 levels keep the contract" in capsys.readouterr().out
    main(["envs", "check", "modular", "--level", "2", "-n", "300"])
    assert "modular: level 2 keeps the contract" in capsys.readouterr().out
    assert "has no level 77" in fails(capsys, "envs", "show", "modular", "--level", "77")


def test_a_new_environment_keeps_the_contract_as_it_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["envs", "new", "digit_sum"])
    assert "selfplay envs check selfplay-digit-sum/selfplay_digit_sum.py" in capsys.readouterr().out
    main(["envs", "check", "selfplay-digit-sum/selfplay_digit_sum.py", "-n", "500"])
    assert "digit_sum: 9 levels keep the contract" in capsys.readouterr().out
    written = tmp_path / "selfplay-digit-sum"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(written)],
        env=os.environ | {"PYTHONPATH": str(written)}, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert "passed" in ended.stdout
    assert "digit_sum" in (written / "pyproject.toml").read_text()
    assert "exists; nothing is overwritten" in fails(capsys, "envs", "new", "digit_sum")


def test_names_that_no_environment_can_have(capsys):
    assert "is no name for an environment" in fails(capsys, "envs", "new", "Digit-Sum")
    assert "'modular' is installed already" in fails(capsys, "envs", "new", "modular")


def test_an_environment_that_draws_from_a_set_is_found_out(tmp_path, monkeypatch):
    """Within one process it repeats itself."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    file = tmp_path / "last.py"
    for letters, found in (("{*'abcdefgh'}", True), ("'abcdefgh'", False)):
        file.write_text(
            "from tiny import Last\n\nclass Lasting(Last):\n    name = 'lasting'\n\n"
            "    def draft(self, knobs, rng):\n"
            f"        return ''.join(rng.choices([*{letters}], k=knobs['letters']))\n"
        )
        told = [str(fault) for fault in envs.elsewhere(str(file))]
        assert bool(told) == found, told
        assert all("iterate over no set" in fault for fault in told)


def test_a_broken_environment_is_told_what_to_change(tmp_path, capsys):
    file = tmp_path / "last.py"
    file.write_text("from tiny import Last\n\nclass Lasting(Last):\n    name = 'lasting'\n")
    told = fails(capsys, "envs", "check", str(file), "-n", "50")
    assert "lasting level 0: rejects hostile answers: Verdict(" in told
    assert "1 of 1 break the contract" in told
    assert "-n -5 must be at least 20" in fails(capsys, "envs", "check", str(file), "-n", "-5")


def test_the_gallery_is_current(tmp_path):
    """Made by `selfplay envs gallery docs/environments.md`."""
    main(["envs", "gallery", str(tmp_path / "environments.md")])
    now = (tmp_path / "environments.md").read_text()
    assert (ROOT / "docs" / "environments.md").read_text() == now


def test_bench_of_the_curriculum(tmp_path, capsys):
    file = tmp_path / "figures.json"
    shorter = ["--repetitions", "1", "--problems", "81920", "--json", str(file)]
    main(["bench", "curriculum", *shorter])
    assert "bench curriculum" in capsys.readouterr().out
    assert all(value > 0 for value in json.loads(file.read_text()).values())
    assert "must be at least 81920" in fails(capsys, "bench", "curriculum", "--problems", "9999")


def test_bench_of_grading_prints_and_writes_figures(run, tmp_path, capsys):
    file = tmp_path / "figures.json"
    small = str(run.parent / "small.py")
    shorter = ["--repetitions", "1", "--submissions", "30"]
    main(["bench", "grade", "--experiment", small, *shorter, "--json", str(file)])
    assert "bench grade" in capsys.readouterr().out
    figures = json.loads(file.read_text())
    assert figures.pop("sandbox_level") == "strong"
    left = {name: figures.pop(name) for name in list(figures) if name.startswith("left_")}
    assert not any(left.values()), left
    assert figures.pop("mixed_errors") == 0
    # Recovery is a difference of times and may fall below 0.
    assert all(value > 0 for name, value in figures.items() if name != "recovery_ms")


def test_processes_that_were_left_are_counted():
    """A grandchild too, also after its parent has ended."""
    before = leftovers.descendants()
    with leftovers.adopting_orphans():
        with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!"], stdout=subprocess.PIPE) as shell:
            assert shell.stdout is not None
            orphan = int(shell.stdout.readline())
            shell.wait()
            assert leftovers.descendants() == before + 1
            os.kill(orphan, signal.SIGKILL)
        os.waitpid(orphan, 0)
    assert leftovers.descendants() == before


def test_doctor_tells_devices_and_versions(capsys):
    main(["doctor"])
    said = capsys.readouterr().out
    assert "devices" in said
    assert "jax" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trian"], "Did you mean train?"),
        (["train"], "say which experiment"),
        (["train", "quickstrat"], "Did you mean quickstart?"),
        (["train", "quickstart", "--arm", "unifrm"], "Did you mean uniform?"),
        (["train", "quickstart", "--curriculum.samplr", "uniform"], "--curriculum.sampler"),
        (["train", "quickstart", "--curriculum.target", "1.5"], "curriculum.target=1.5"),
        (["train", "quickstart", "--environments", "arithmetik"], "Did you mean arithmetic?"),
        (["train", "quickstart", "--device", "tpu"], "--device cpu"),
        (["train", "quickstart", "--decode.max-tokens", "900"], "must be at least 968"),
        (["train", "nowhere.py"], "no experiment file"),
        (["eval", "nowhere"], "no run folder"),
        (["resume", "nowhere"], "no run folder"),
        (["envs", "show", "countdwn"], "Did you mean countdown"),
    ],
)
def test_bad_input_is_told_what_to_do(words, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expected in fails(capsys, *words)
    assert list(tmp_path.iterdir()) == []  # nothing was made


def test_a_run_is_never_overwritten(run, capsys):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in run.iterdir())
    small = str(run.parent / "small.py")
    assert "never overwritten" in fails(capsys, "train", small, "--run", str(run))
    assert sorted((path.name, path.stat().st_mtime_ns) for path in run.iterdir()) == before


def test_a_finished_run_is_not_resumed(run, capsys):
    assert "is finished" in fails(capsys, "resume", str(run))


def test_a_damaged_configuration_is_named(run, tmp_path, capsys):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    text = (copy / "config.json").read_text()
    (copy / "config.json").write_text(text.replace('"seed": 3', '"seed": "three"'))
    said = fails(capsys, "eval", str(copy))
    assert "config.json is damaged" in said
    assert "seed" in said


def test_unknown_words_are_not_silently_read(run, capsys):
    assert "does not know the environment" in fails(
        capsys, "propose", str(run), "--env", "countdown"
    )
    assert "can read" in fails(capsys, "solve", str(run), "12+34*5")


def test_a_folder_that_cannot_be_written_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = str(tmp_path / "file" / "run")
    said = fails(capsys, "train", "quickstart", "--run", path)
    assert "cannot be made" in said
    assert "--run" in said


def test_a_full_disk_says_what_to_do(capsys, tmp_path, monkeypatch):
    from selfplay.run import RunFolder

    def full(self, line):
        raise OSError(28, "No space left on device")

    (tmp_path / "small.py").write_text(EXPERIMENT)
    monkeypatch.setattr(RunFolder, "log", full)
    said = fails(capsys, "train", str(tmp_path / "small.py"), "--run", str(tmp_path / "run"))
    assert "No space left on device" in said
    assert "selfplay resume" in said


def test_help_is_quick_because_it_imports_no_jax():
    import subprocess
    import sys

    code = "import sys, selfplay.cli; selfplay.cli.main(['--help']); sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_text_belongs_to_the_environment_whose_problem_it_is_as_written():
    loaded = {name: environments.load(name) for name in ("countdown", "arithmetic", "modular")}
    assert asking.read_problem("3+4*5", None, loaded).environment == "arithmetic"
    assert asking.read_problem("3,4,5 make 23", None, loaded).environment == "countdown"
    assert asking.read_problem("3+4*5", "countdown", loaded).text == "3,4,5 make 23"
    del loaded["arithmetic"]
    assert asking.read_problem("3+4*5", None, loaded).text == "3,4,5 make 23"
    with pytest.raises(ValueError, match="is no problem that the run's environments can read"):
        asking.read_problem("3x=12", None, loaded)
