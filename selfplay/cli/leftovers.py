"""What submissions leave behind: processes, descriptors, threads, files. All of it must be 0.

Part of `selfplay bench grade`. One pool runs thousands of submissions, most of which try to leave
something; what there is of each sort is counted before and after, with the pool open and at rest.
Linux only, as is the jail that is measured.
What this does not see: memory, and files under other names or in other folders than are looked at.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from selfplay.grading import programs
from selfplay.grading.programs.jail import linux, values, walls
from selfplay.grading.programs.jobs import Job
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.sandbox import SandboxConfig, open_pool

SECONDS = 0.5
"""Deadline of one submission; what the endless ones take."""
LOOP_EVERY = 500
"""One submission in so many is an endless loop."""
REST = 0.5
"""Seconds without a change after which a pool is at rest: zygotes come and go behind the jobs."""
MOST_RESTS = 60
"""Rests that are waited for; what still changes then is counted as it is."""

_FOLDERS = sorted({"/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), str(Path.home())})
_MARK = f"selfplay-left-{os.getpid()}"
"""Name of the files that submissions write; other programs use the same folders."""
_FORK = """
import os, time
def add(a, b):
    if os.fork() == 0:
        time.sleep(60)
    return a + b
"""
_BACKGROUND = """
import os, time
def add(a, b):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return a + b
"""
_THREAD = """
import threading, time
def add(a, b):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return a + b
"""
_FILES = f"""
def add(a, b):
    for folder in {_FOLDERS}:
        try:
            with open(folder + "/{_MARK}", "w") as file:
                file.write("left")
        except OSError:
            pass
    return a + b
"""
_FINE = "def add(a, b):\n    return a + b\n"
_RAISES = "def add(a, b):\n    raise ValueError(a)\n"
_LOOPS = "def add(a, b):\n    while True: pass\n"
_SORTS = (_FINE, _RAISES, _FORK, _THREAD, _FILES, _BACKGROUND)
_IN_SCRATCH = f"""
import os
def count():
    return sum(len(names) + len(files) for _, names, files in os.walk({walls.SCRATCH!r}))
"""


@dataclass(frozen=True)
class Counts:
    """How much there is of what a submission could leave."""

    processes: int
    """Below this process."""
    descriptors: int
    """Open in this process."""
    threads: int
    """Of this process."""
    files: int
    """Written by submissions: in the scratch directories of the jail, and outside."""


def leftovers(submissions: int) -> dict[str, int]:
    """Run so many submissions of all sorts through one pool and count what is left.

    Returns:
        Their number, how many the jail failed to run, and the differences, by name.
    """
    problem = programs.from_row(
        {"function": {"name": "add"}, "tests": [{"args": [1, 2], "expected": 3}]}
    )
    with open_pool(SandboxConfig()) as pool, adopting_orphans():
        fine = [(problem, _FINE)] * (4 * pool.workers)
        assert all(graded.verdict.correct for graded in programs.grade_all(pool, fine))
        before = at_rest(pool)
        attempts = ((problem, _source(number)) for number in range(submissions))
        verdicts = [one.verdict for one in programs.grade_all(pool, attempts, SECONDS)]
        after = asdict(at_rest(pool))
    return {
        "mixed_submissions": len(verdicts),
        "mixed_errors": sum(not verdict.graded for verdict in verdicts),
        **{f"left_{name}": after[name] - count for name, count in asdict(before).items()},
    }


def at_rest(pool: Pool) -> Counts:
    """The counts, once they have not changed for `REST` seconds and the spare zygote is there."""
    counts = count(pool)
    for _ in range(MOST_RESTS):
        time.sleep(REST)
        earlier, counts = counts, count(pool)
        if counts == earlier and len(pool.worker_pids()) == pool.workers + 1:
            break
    return counts


def count(pool: Pool) -> Counts:
    """What there is now."""
    outside = sum((Path(folder) / _MARK).exists() for folder in _FOLDERS)
    return Counts(
        processes=descendants(),
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        files=outside + sum(files_in_scratch(pool) for _ in range(pool.workers)),
    )


def files_in_scratch(pool: Pool) -> int:
    """Files that a job finds in its scratch directory; workers take turns at jobs."""
    call = values.to_frame([[], {}])
    job = Job(_IN_SCRATCH, "count", (call,), lambda index, reply: False, SandboxConfig.seconds)
    (reply,) = pool.submit(job).result().replies
    assert isinstance(reply.value, int), reply
    return reply.value


def descendants() -> int:
    """Children of this process, their children, and so on."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2]
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)] = int(after_name.split()[1])
    family = [os.getpid()]
    for parent in family:  # grows meanwhile
        family += [child for child, of in parents.items() if of == parent]
    return len(family) - 1


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Processes whose parent ends become children of this one, where `descendants` sees them."""
    linux.checked("prctl", linux.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        linux.checked("prctl", linux.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _source(number: int) -> str:
    """The submission of this number; no two are the same text."""
    source = _LOOPS if number % LOOP_EVERY == LOOP_EVERY - 1 else _SORTS[number % len(_SORTS)]
    return f"{source}# {number}\n"
