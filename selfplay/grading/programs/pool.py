"""Workers that cannot be stuck: jobs in, transcripts out in the same order.

Fed by `__init__.py`. One thread a worker waits for its process and holds no lock meanwhile, so the
pool works beside JAX and from any thread. A worker that dies, hangs or is used up is replaced by a
spare that is ready already; its job runs once more elsewhere. A sandbox that keeps failing ends in
transcripts that say so, not in wrong answers.

What this does not do: retry a submission (only a job whose *worker* died), or share its workers
with another process: a forked child must make a pool of its own.
"""

import atexit
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from selfplay.grading.programs.jobs import Backend, Job, Transcript, Worker, WorkerDied

TRIES = 3
"""Workers that die under one job before that is the sandbox's failure to run it."""
MAX_DEATHS = 8
"""Deaths in a row, over all workers, after which the pool gives up."""
AHEAD = 4
"""Jobs a worker that are taken from the caller's iterator before the first result is taken."""


class Pool:
    """Runs jobs on `workers` workers of a backend; a context manager; may be shared by threads."""

    def __init__(self, backend: Backend, workers: int = 0, recycle: int = 2_000) -> None:
        """Start the workers and one spare.

        Args:
            backend: where workers come from.
            workers: how many; 0: one a processor core that this process may use.
            recycle: jobs after which a worker is replaced.
        Raises:
            WorkerDied: the backend starts none here.
        """
        self.backend = backend
        self.workers = workers or cores()
        self.replaced = 0
        """Workers that were replaced because they died or were soiled, not used up."""
        self._recycle = recycle
        self._deaths = 0
        self._lock = threading.Lock()
        self._closed = False
        self._alive: set[Worker] = set()
        self._idle: SimpleQueue[Future[Worker]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="sandbox")
        self._nursery = ThreadPoolExecutor(2, thread_name_prefix="sandbox-start")
        try:
            first = [self._breed() for _ in range(self.workers)]
            self._spare = self._breed()
            for worker in first:
                worker.result()
                self._idle.put(worker)
        except BaseException:
            self.close()
            raise
        atexit.register(self.close)

    def map(self, jobs: Iterable[Job]) -> Iterator[Transcript]:
        """Run jobs; transcripts come in the order of the jobs, as soon as they are there.

        Back-pressure: no more than `AHEAD` jobs a worker are taken from `jobs` in advance.

        Raises:
            ValueError: the pool is closed.
        """
        running: deque[Future[Transcript]] = deque()
        try:
            for job in jobs:
                if len(running) >= AHEAD * self.workers:
                    yield running.popleft().result()
                running.append(self.submit(job))
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()

    def submit(self, job: Job) -> Future[Transcript]:
        """Queue one job, without a bound; its future never raises but on a closed pool."""
        if self._closed:
            raise ValueError("the pool is closed; make another one")
        return self._threads.submit(self._run, job)

    def worker_pids(self) -> list[int]:
        """Process ids of the living workers and spares that have one, for looking at them."""
        with self._lock:
            return [pid for worker in self._alive if (pid := getattr(worker, "pid", 0))]

    def close(self) -> None:
        """Let running jobs end, drop queued ones, kill every worker; may be called twice."""
        self._closed = True
        atexit.unregister(self.close)
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._nursery.shutdown(wait=True, cancel_futures=True)
        for worker in list(self._alive):
            self._close_worker(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, job: Job) -> Transcript:
        """Run one job on the next idle worker; on another one if that dies."""
        tries = 0
        while True:
            place = self._idle.get()
            try:
                worker = place.result()
                transcript = worker.run(job)
            except WorkerDied as death:
                self._bury(place)
                tries += death.began
                if tries == TRIES or self._deaths >= MAX_DEATHS:
                    return Transcript((), failure=f"the sandbox failed: {death}")
            else:
                self._deaths = 0
                self._release(place)
                return transcript

    def _release(self, place: Future[Worker]) -> None:
        """Make a worker idle, or the spare in its place if it is used up or soiled."""
        worker = place.result()
        if worker.jobs < self._recycle and not worker.soiled:
            self._idle.put(place)
            return
        self.replaced += worker.soiled
        self._idle.put(self._take_spare())
        self._discard(worker)

    def _bury(self, place: Future[Worker]) -> None:
        """Count a death and put the spare in its place, unless too many have died in a row."""
        self._deaths += 1
        self.replaced += 1
        self._idle.put(place if self._deaths >= MAX_DEATHS else self._take_spare())
        if place.exception() is None:
            self._discard(place.result())

    def _take_spare(self) -> Future[Worker]:
        """The spare, ready or nearly, with another one started behind it."""
        with self._lock:
            spare, self._spare = self._spare, self._breed()
        return spare

    def _breed(self) -> Future[Worker]:
        return self._nursery.submit(self._start)

    def _start(self) -> Worker:
        worker = self.backend.start()
        with self._lock:
            self._alive.add(worker)
        return worker

    def _discard(self, worker: Worker) -> None:
        """Close a worker behind the back of the jobs: that waits for its processes to end."""
        self._nursery.submit(self._close_worker, worker)

    def _close_worker(self, worker: Worker) -> None:
        worker.close()
        with self._lock:
            self._alive.discard(worker)


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
