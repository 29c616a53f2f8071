"""Pools: order, back-pressure, workers that die, and nothing left behind."""

import os
import signal
import threading
import time
from dataclasses import dataclass, field

import pytest

from selfplay.grading.programs import pool as pool_module
from selfplay.grading.programs import sandbox
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jobs import Job, Kind, Level, Reply, Transcript, WorkerDied
from selfplay.grading.programs.pool import AHEAD, Pool


def job(value, seconds=5.0, source="def f(x): return x"):
    call = values.to_frame([[value], {}])
    return Job(source, "f", (call,), lambda index, reply: False, seconds)


def answers(transcripts):
    return [transcript.replies[-1].value for transcript in transcripts]


def jail():
    config = sandbox.SandboxConfig(require=Level.WEAK, allow_weak=True)
    return sandbox.jail(config)


def descendants():
    """Processes below this one, without the helpers of other tests: by their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline") as file:
                if "from jail import zygote" in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def eventually(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.02)
    return False


@dataclass
class FakeWorker:
    """Does as the job's source says: "die", "die later" or anything else."""

    jobs: int = 0
    soiled: bool = False
    closed: bool = False

    def run(self, job):
        self.jobs += 1
        if job.source.startswith("die"):
            raise WorkerDied("gone", began="later" in job.source)
        self.soiled = job.source == "soil"
        return Transcript((Reply(Kind.VALUE, id(self)),))

    def close(self):
        self.closed = True

    def __hash__(self):
        return id(self)


@dataclass
class FakeBackend:
    """Starts fake workers, the first `fails` of them not at all."""

    level: Level = Level.STRONG
    fails: int = 0
    started: list[FakeWorker] = field(default_factory=list)

    def start(self):
        if self.fails:
            self.fails -= 1
            raise WorkerDied("cannot start")
        self.started.append(FakeWorker())
        return self.started[-1]


def fake_job(source):
    return Job(source, "f", (b"",), lambda index, reply: False, 1.0)


def test_results_come_in_the_order_of_the_jobs():
    slow = "import time\ndef f(x):\n    time.sleep(0.1 if x % 3 == 0 else 0)\n    return x"
    with Pool(jail(), workers=2) as pool:
        assert answers(pool.map(job(n, source=slow) for n in range(12))) == list(range(12))


def test_jobs_are_taken_no_faster_than_they_are_done():
    taken = []

    def jobs():
        for number in range(100):
            taken.append(number)
            yield job(number)

    with Pool(jail(), workers=2) as pool:
        results = pool.map(jobs())
        assert taken == []
        next(results)
        assert len(taken) <= AHEAD * 2 + 1
        results.close()  # pyright: ignore[reportAttributeAccessIssue]  # a generator


def test_one_pool_serves_many_threads():
    found = {}
    with Pool(jail(), workers=2) as pool:

        def use(name):
            found[name] = answers(pool.map(job([name, n]) for n in range(10)))

        threads = [threading.Thread(target=use, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {name: [[name, n] for n in range(10)] for name in range(4)}


def test_a_killed_zygote_is_replaced_and_its_job_has_a_result():
    with Pool(jail(), workers=2) as pool:
        assert answers(pool.map([job(1)])) == [1]
        for pid in pool.worker_pids():
            os.kill(pid, signal.SIGKILL)
            # The zygote within outlives its outermost process until that has ended.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert answers(pool.map(job(n) for n in range(6))) == list(range(6))
        assert pool.replaced >= 2


def test_a_zygote_killed_in_the_middle_of_a_job_costs_no_verdict():
    slow = "import time\ndef f(x):\n    time.sleep(0.3)\n    return x"
    with Pool(jail(), workers=1) as pool:
        results = pool.map([job(7, source=slow)])
        killer = threading.Timer(0.15, lambda: [os.kill(p, 9) for p in pool.worker_pids()])
        killer.start()
        assert answers(results) == [7]
        killer.join()


def test_nothing_is_left_behind():
    descriptors = len(os.listdir("/proc/self/fd"))
    before = set(descendants())
    threads = threading.active_count()
    hostile = "import os\nopen('/tmp/x', 'w')\ndef f(x):\n    os._exit(0)"
    with Pool(jail(), workers=2, recycle=40) as pool:
        list(pool.map(job(n, source=hostile if n % 5 == 0 else job(0).source) for n in range(300)))
        assert set(descendants()) > before
    assert eventually(lambda: set(descendants()) <= before)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert threading.active_count() == threads


def test_zygotes_end_with_the_process_that_started_them():
    script = (
        "import os, sys\n"
        "from selfplay.grading.programs import sandbox\n"
        "from selfplay.grading.programs.jobs import Level\n"
        "config = sandbox.SandboxConfig(require=Level.WEAK, allow_weak=True, workers=1)\n"
        "pool = sandbox.open_pool(config)\n"
        "print(*pool.worker_pids(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    pids = [int(pid) for pid in done.stdout.split()]
    assert pids
    assert eventually(lambda: not set(pids) & set(descendants()))


def test_a_worker_is_replaced_when_it_is_used_up_or_soiled():
    backend = FakeBackend()
    with Pool(backend, workers=1, recycle=2) as pool:
        ids = answers(pool.map(fake_job(text) for text in ["", "", "", "soil", "", ""]))
    assert ids[0] == ids[1] != ids[2] == ids[3] != ids[4] == ids[5]
    assert pool.replaced == 1  # the soiled one; the others had served their time
    assert all(worker.closed for worker in backend.started)


def test_a_job_that_kills_its_workers_ends_as_a_failure_of_the_sandbox():
    with Pool(FakeBackend(), workers=1) as pool:
        (first,) = pool.map([fake_job("die later")])
        (second,) = pool.map([fake_job("")])
    assert first.failure == "the sandbox failed: gone"
    assert first.replies == ()
    assert second.failure == ""


def test_a_pool_whose_workers_keep_dying_gives_up():
    backend = FakeBackend()
    with Pool(backend, workers=1) as pool:
        transcripts = list(pool.map(fake_job("die") for _ in range(5)))
    assert all(transcript.failure for transcript in transcripts)
    assert len(backend.started) <= pool_module.MAX_DEATHS + 2


def test_a_backend_that_does_not_start_is_an_error_at_once():
    with pytest.raises(WorkerDied, match="cannot start"):
        Pool(FakeBackend(fails=1), workers=1)


def test_a_spare_that_does_not_start_is_tried_again():
    backend = FakeBackend()
    with Pool(backend, workers=1, recycle=1) as pool:
        backend.fails = 2
        results = list(pool.map(fake_job("") for _ in range(6)))
    assert [result.failure for result in results] == [""] * 6


def test_a_closed_pool_says_so():
    pool = Pool(FakeBackend(), workers=1)
    pool.close()
    pool.close()
    with pytest.raises(ValueError, match="the pool is closed"):
        list(pool.map([fake_job("")]))
