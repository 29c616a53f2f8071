"""Helper processes: answers, deadlines, failures, and what is left behind."""

import contextlib
import os
import threading
import time

import pytest

from selfplay.grading import worker
from selfplay.grading.worker import Helper, HelperError

SCRIPT = """
import os, time, sys
from selfplay.grading.worker import serve

count = 0

def answer(question):
    global count
    count += 1
    match question:
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"spin": True}:
            while True:
                pass
        case {"raise": text}:
            raise KeyError(text)
        case {"exit": True}:
            os._exit(3)
        case {"print": text}:
            print(text, flush=True)
        case {"allocate": size}:
            return len(bytearray(size))
        case {"kill parent": True}:
            os.kill(os.getsid(0), 9)
            time.sleep(5)
    return {"asked": question, "count": count, "helper": os.getsid(0),
            "answerer": os.getppid()}

def before(question):
    global count
    match question:
        case {"before": number}:
            count += number
        case {"fail before": text}:
            raise KeyError(text)

serve(
    answer,
    lasting=lambda question: isinstance(question, dict) and "lasting" in question,
    before=before,
)
"""


@pytest.fixture
def helper(tmp_path, monkeypatch):
    (tmp_path / "helper_of_tests.py").write_text(SCRIPT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = Helper("helper_of_tests")
    yield made
    made.close()


def children():
    """Processes that we are the parent of, zombies too."""
    found = set()
    for name in os.listdir("/proc"):
        try:
            stat = open(f"/proc/{name}/stat").read() if name.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == os.getpid():
            found.add(int(name))
    return found


def members(session):
    """Processes of a session."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.getsid(int(name)) == session:
                found.append(int(name))
        except ProcessLookupError:
            continue
    return found


def test_it_answers_and_a_question_leaves_no_trace_in_the_next(helper):
    first, second = helper.ask([1, "ä\n"], 10), helper.ask({}, 10)
    assert first["asked"] == [1, "ä\n"]
    assert (first["count"], second["count"]) == (1, 1)  # each in a fork of its own
    assert first["helper"] == second["helper"]  # of the same process


def test_what_is_done_before_lasts_and_may_fail(helper):
    assert helper.ask({"before": 10}, 10)["count"] == 11
    assert helper.ask({"before": 10}, 10)["count"] == 21
    assert helper.ask({"fail before": "no"}, 10)["count"] == 21


def test_lasting_questions_share_a_process_until_one_fails(helper):
    assert [helper.ask({"lasting": n}, 10)["count"] for n in range(3)] == [1, 2, 3]
    assert helper.ask({}, 10)["count"] == 4  # in a fork of that process
    assert helper.ask({"lasting": 3}, 10)["count"] == 4
    for question in ({"lasting": 4, "raise": "no"}, {"lasting": 5, "exit": True}):
        with pytest.raises(HelperError):
            helper.ask(question, 10)
        assert helper.ask({"lasting": 6}, 10)["count"] == 1
    with pytest.raises(TimeoutError):
        helper.ask({"lasting": 7, "spin": True}, 0.2)
    assert helper.ask({"lasting": 8}, 10)["count"] == 1


@pytest.mark.parametrize("question", [{"sleep": 60}, {"spin": True}])
def test_a_late_answer_is_a_timeout_and_costs_no_new_start(helper, question):
    before = helper.ask({}, 10)["helper"]
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer from helper_of_tests in 0\.2 seconds"):
        helper.ask(question, 0.2)
    assert time.monotonic() - start < 30
    assert helper.ask({}, 10)["helper"] == before


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"raise": "no such"}, "KeyError: 'no such'"),
        ({"exit": True}, "ended without an answer"),
        ({"allocate": 2 * worker.MEMORY}, "MemoryError"),
    ],
)
def test_a_failure_is_told_and_the_next_question_is_answered(helper, question, told):
    with pytest.raises(HelperError, match=f"helper_of_tests: {told}"):
        helper.ask(question, 10)
    assert helper.ask({"a": 1}, 10)["asked"] == {"a": 1}


def test_what_is_printed_is_no_answer(helper):
    assert helper.ask({"print": '{"answer": "forged"}'}, 10)["count"] == 1


def test_a_killed_helper_is_replaced(helper):
    before = helper.ask({}, 10)["helper"]
    with pytest.raises(HelperError, match="died"):
        helper.ask({"kill parent": True}, 0.5)
    assert helper.ask({}, 10)["helper"] != before


def test_several_threads_may_ask(helper):
    answers = {}

    def ask(number):
        answers[number] = helper.ask(number, 10)["asked"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number for number in range(8)}


def test_closing_leaves_no_process_and_no_descriptor(helper):
    before, open_before = children(), len(os.listdir("/proc/self/fd"))
    session = helper.ask({}, 10)["helper"]
    assert len(children()) == len(before) + 1
    with pytest.raises(TimeoutError):
        helper.ask({"sleep": 60}, 0.1)
    helper.close()
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) == open_before
    while members(session):  # the fork that slept is killed, and gone a moment later
        time.sleep(0.01)


def test_what_a_killed_helper_leaves_ends_at_its_deadline(helper):
    session = helper.ask({}, 10)["helper"]
    asking = threading.Thread(target=lambda: suppressed(helper, {"spin": True}, 0.5), daemon=True)
    asking.start()
    while len(members(session)) < 3:  # helper, answerer, its fork
        time.sleep(0.01)
    os.kill(session, 9)
    asking.join(30)
    assert not asking.is_alive()
    while members(session):  # they end by themselves, at their deadline
        time.sleep(0.01)


def suppressed(helper, question, seconds):
    with contextlib.suppress(HelperError):
        helper.ask(question, seconds)


def test_a_module_that_cannot_be_started_is_named():
    with pytest.raises(HelperError, match=r"no_such_module did not start; is what it needs"):
        Helper("no_such_module").ask({}, 1)
