"""The archive: round trip, counting, forgetting, and texts that nobody would want to execute."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.curriculum.archive import Archive, Attempt, Rejected
from selfplay.curriculum.plans import UNNUMBERED, Plan, Posed, Purpose
from selfplay.problem import Problem

HOSTILE = [
    "'; DROP TABLE posed; --", '"); DELETE FROM rejected', "%s %d {0} ?", "\x00 after NUL", "",
    "ünï©ode 漢字 🎲", "a\nb\r\nc\u2028d", "x" * 100_000, "<script>alert(1)</script>", "\x1b[31m",
]  # fmt: skip


def posed(generation, slot=0, text="1+2"):
    problem = Problem("arithmetic", 1, text, text, "3")
    plan = Plan(
        generation, slot, "arithmetic", 2, 1400.5, 0.5, 0.1, 0.25, Purpose.TARGET,
        100 * generation + slot,
    )  # fmt: skip
    return Posed(plan, problem, "learned", 3, 8, 1422.25, 60.5)


@pytest.fixture
def archive(tmp_path):
    opened = Archive(tmp_path / "archive.sqlite")
    yield opened
    opened.close()


def test_what_goes_in_comes_out(archive):
    archive.add([posed(1, 0), posed(1, 1, "2+3")], [Rejected(1, "modular", "7", "trivial")])
    assert archive.query("SELECT * FROM posed ORDER BY slot")[1] == (
        1, 1, "arithmetic:2+3", "arithmetic", 1, "2+3", "3", "learned", "target", 1400.5, 0.5,
        0.25, 3, 8, 1422.25, "", 60.5, 101,
    )  # fmt: skip
    assert archive.query("SELECT * FROM rejected") == [(1, "modular", "7", "trivial")]
    assert archive.query("SELECT text FROM posed WHERE slot = ?", 0) == [("1+2",)]
    assert "arithmetic:1+2" in archive
    assert "arithmetic:9+9" not in archive


def test_a_problem_posed_twice_is_one_problem(archive):
    archive.add([posed(1, 0), posed(1, 1), posed(2, 0)], [])
    assert len(archive) == 1
    assert archive.query("SELECT COUNT(*) FROM posed") == [(3,)]


def test_a_reopened_file_has_it_all(tmp_path):
    path = tmp_path / "archive.sqlite"
    first = Archive(path)
    first.add([posed(1)], [Rejected(1, "modular", "7", "trivial")])
    first.close()
    again = Archive(path)
    assert "arithmetic:1+2" in again
    assert again.query("SELECT COUNT(*) FROM rejected") == [(1,)]
    again.close()


def test_an_archive_of_an_older_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "archive.sqlite"
    old = Archive(path)
    old.add([posed(1)], [])
    old.query("ALTER TABLE posed DROP COLUMN origin")
    old.query("ALTER TABLE posed DROP COLUMN rating_sd")
    old.query("DROP INDEX posed_by_number")
    old.query("ALTER TABLE posed DROP COLUMN problem")
    old.close()
    again = Archive(path)
    again.add([posed(2)], [])
    rows = again.query("SELECT generation, origin, rating_sd, problem FROM posed")
    assert rows == [(1, "", 0.0, UNNUMBERED), (2, "", 60.5, 200)]
    again.close()


def test_a_problem_is_found_by_its_number(archive):
    asked = Problem("reasoning_gym:gcd", 2, "6 and 4?", "a:b", "2", "1,1#5")
    plan = posed(1).plan._replace(problem=17)
    first = posed(1)._replace(plan=plan, problem=asked, proposer="procedural")
    archive.add([first, posed(1, 1, "2+3")], [])
    again = first._replace(plan=plan._replace(generation=9, slot=3))  # a second visit
    archive.add([again], [])
    assert archive.problem(17) == (asked, "procedural")
    with pytest.raises(KeyError, match="no problem 18 was posed"):
        archive.problem(18)


def test_knobs_of_a_level(archive):
    archive.describe("modular", 3, {"modulus": 12})
    archive.describe("modular", 3, {"modulus": 13})
    assert archive.query("SELECT * FROM cells") == [("modular", 3, '{"modulus": 13}')]


def test_forget_after(archive):
    for generation in (1, 2, 3):
        one = posed(generation, text=f"1+{generation}")
        archive.add([one], [Rejected(generation, "modular", "7", "trivial")])
        archive.add([], [], [Attempt(generation, 0, 0, "<answer>2", "correct", "equal")])
    archive.forget_after(1)
    assert [("arithmetic:1+1" in archive), ("arithmetic:1+2" in archive)] == [True, False]
    assert archive.query("SELECT generation FROM rejected") == [(1,)]
    assert archive.query("SELECT generation FROM attempts") == [(1,)]
    archive.add([posed(2, text="8+8")], [])
    assert len(archive) == 2


def test_a_generation_is_written_whole_or_not_at_all(archive):
    broken = posed(1, 1)._replace(rating=None)
    with pytest.raises(Exception, match="NOT NULL"):
        archive.add([posed(1, 0), broken], [])
    assert len(archive) == 0
    archive.add([posed(1, 0)], [])  # and it is still of use
    assert len(archive) == 1


WRITER = """
import sys
from selfplay.curriculum.archive import Archive, Rejected
from selfplay.curriculum.plans import Plan, Posed, Purpose
from selfplay.problem import Problem

archive = Archive(sys.argv[1])
for generation in range(1, 10**6):
    problems = [Problem("arithmetic", 1, f"{generation}+{s}", f"{generation}+{s}", "3")
                for s in range(50)]
    archive.add(
        [Posed(Plan(generation, s, "arithmetic", 1, 1.0, 0.5, 0.1, 0.1, Purpose.TARGET, 1), p,
               "learned", 3, 8, 1.0, 1.0)
         for s, p in enumerate(problems)],
        [Rejected(generation, "arithmetic", "x", "malformed")] * 7,
    )
    print(generation, flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_generations(tmp_path):
    path = tmp_path / "archive.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    for line in writer.stdout:
        if int(line) == 20:
            break
    writer.kill()
    told = [20, *map(int, writer.stdout.read().split())]
    writer.wait()
    writer.stdout.close()
    archive = Archive(path)
    kept = archive.query("SELECT generation, COUNT(*) FROM posed GROUP BY generation")
    away = archive.query("SELECT generation, COUNT(*) FROM rejected GROUP BY generation")
    assert {rows for _, rows in kept} == {50}
    assert away == [(generation, 7) for generation, _ in kept]
    assert [generation for generation, _ in kept] == list(range(1, len(kept) + 1))
    assert len(kept) >= told[-1]  # what was told as written is there
    assert archive.query("PRAGMA integrity_check") == [("ok",)]
    archive.add([posed(len(kept) + 1)], [])  # and it goes on
    archive.close()


def test_attempts_come_out_as_they_went_in(archive):
    kept = [Attempt(3, slot, number, "<answer>2", "wrong", "") for slot, number in [(0, 0), (0, 1)]]
    archive.add([posed(3)], [], kept)
    assert [Attempt(*row) for row in archive.query("SELECT * FROM attempts")] == kept


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_stored_as_it_is(archive, text):
    archive.add([posed(1, text=text)], [Rejected(1, "modular", text, text)])
    assert archive.query("SELECT text FROM posed") == [(text,)]
    assert archive.query("SELECT text, reason FROM rejected") == [(text, text)]
    assert f"arithmetic:{text}" in archive
    assert len(archive) == 1


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_text_is_found_by_its_key(texts):
    archive = Archive(":memory:")
    archive.add([posed(1, slot, text) for slot, text in enumerate(texts)], [])
    assert len(archive) == len(set(texts))
    assert all(f"arithmetic:{text}" in archive for text in texts)
    archive.close()
