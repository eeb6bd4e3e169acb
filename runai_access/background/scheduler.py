"""The scheduler: a thread in each server process. One process of all replicas runs the jobs."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

from django.db import Error, connection
from django.utils import timezone

from runai_access.background.job import Job, Outcome, ShouldContinue
from runai_access.background.jobs import default_jobs
from runai_access.db.leases import Lease, lease_for
from runai_access.measurements import JOB_RUNS, JOB_SECONDS, JOB_SUCCESS, LEADER

# Shorter than the defaults of a lease: another process continues sealing within seconds, and losing
# the lease without need does no harm.
LEASE_EXPIRY_SECONDS = 15.0
LEASE_RENEWAL_SECONDS = 5.0
# How often a process that is not the leader tries to become the leader.
CAMPAIGN_SECONDS = 5.0
# How long a job can run before the other jobs get a turn.
TURN_SECONDS = 2.0
# How long a stopping process waits for the thread, and the part of that for the last jobs.
STOP_SECONDS = 5.0
_LAST_TURN_SECONDS = 3.0
_LAST_POLL_SECONDS = 0.1

logger = logging.getLogger(__name__)


class Scheduler:
    """Runs jobs in a thread while this process holds the lease."""

    def __init__(
        self,
        jobs: Sequence[Job] | None = None,
        lease: Lease | None = None,
        *,
        campaign_seconds: float = CAMPAIGN_SECONDS,
        turn_seconds: float = TURN_SECONDS,
        heartbeat: Callable[[Mapping[str, Outcome]], object] | None = None,
    ) -> None:
        """`heartbeat` is called with the outcomes in each pass, also if this process is no leader."""
        self._heartbeat = heartbeat
        self._jobs = default_jobs() if jobs is None else jobs
        self._lease = lease or lease_for(
            connection, "background", expiry=LEASE_EXPIRY_SECONDS, renewal=LEASE_RENEWAL_SECONDS
        )
        self._campaign_seconds, self._turn_seconds = campaign_seconds, turn_seconds
        self._due = dict.fromkeys((job.name for job in self._jobs), 0.0)
        self._failing: set[str] = set()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="background", daemon=True)
        self.outcomes: dict[str, Outcome] = {}

    @property
    def is_leader(self) -> bool:
        """Whether this process holds the lease and so runs the jobs."""
        return self._lease.is_held

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread: the current job returns after its current step; release the lease."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = self._pass()
            except Exception as error:  # noqa: BLE001  # logged; the thread must continue
                self._failed("scheduling", error)
                pause = self._campaign_seconds
            else:
                self._succeeded("scheduling")
        try:
            self._finish(_Turn(_LAST_TURN_SECONDS))
        except Exception as error:  # noqa: BLE001  # logged; the lease must be released
            self._failed("stopping", error)
        self._lease.release()
        connection.close()

    def _finish(self, turn: "_Turn") -> None:
        """Run the last jobs: those of every process, then those that are pending, as the leader."""
        for job in self._jobs:
            if job.runs_at_stop:
                self._run_job(job, turn)
        for job in self._jobs:
            is_pending = job.pending_at_stop()
            # The leader can be another process, which is stopping too, or does the work soon.
            while turn() and is_pending():
                if self._lead():
                    self._run_job(job, turn)
                    break
                time.sleep(_LAST_POLL_SECONDS)

    def _pass(self) -> float:
        """Run the due jobs, most of them only as the leader; return the seconds until the next pass."""
        # As Django does between requests: reconnect if the database closed the connection.
        connection.close_if_unusable_or_obsolete()
        if self._heartbeat is not None:
            self._heartbeat(self.outcomes)
        is_leader = self._lead()
        jobs = [job for job in self._jobs if is_leader or job.in_every_process]
        for job in jobs:
            is_allowed = self._is_running if job.in_every_process else self._should_continue
            if self._due[job.name] > time.monotonic() or not is_allowed():
                continue
            started = time.monotonic()
            turn = _Turn(self._turn_seconds, is_allowed)
            self._run_job(job, turn)
            self._due[job.name] = started + (0 if turn.was_cut_short else job.interval)
        until_due = [self._due[job.name] - time.monotonic() for job in jobs]
        pause = max(0.0, min(until_due, default=self._campaign_seconds))
        return pause if is_leader else min(pause, self._campaign_seconds)

    def _lead(self) -> bool:
        """Return whether this process is the leader; become the leader if there is none."""
        LEADER.set(self._lease.is_held)
        if self._lease.is_held:
            return True
        try:
            is_leader = self._lease.try_acquire()
        except Exception as error:  # noqa: BLE001  # logged; the next attempt can succeed
            self._failed("leadership", error)
            return False
        self._succeeded("leadership")
        LEADER.set(is_leader)
        if is_leader:
            now = time.monotonic()
            self._due = {job.name: now + job.first_delay for job in self._jobs}
        return is_leader

    def _is_running(self) -> bool:
        return not self._stopping.is_set()

    def _should_continue(self) -> bool:
        return self._lease.is_held and self._is_running()

    def _run_job(self, job: Job, turn: "_Turn") -> None:
        started_at, started, text = timezone.now(), time.monotonic(), ""
        try:
            job.run(turn)
        except Exception as error:  # noqa: BLE001  # logged; the next run can succeed
            text = f"{type(error).__name__}: {str(error).strip()}"
            self._failed(job.name, error)
            connection.close()
        else:
            self._succeeded(job.name)
            JOB_SUCCESS.labels(job.name).set_to_current_time()
        JOB_RUNS.labels(job.name, "failed" if text else "succeeded").inc()
        JOB_SECONDS.labels(job.name).set(time.monotonic() - started)
        self.outcomes[job.name] = Outcome(started_at, time.monotonic() - started, text)

    def _failed(self, name: str, error: Exception) -> None:
        """Log the first failure of an outage, with a traceback unless the database is the cause."""
        if name not in self._failing:
            trace = None if isinstance(error, Error) else error
            text = str(error).strip() or type(error).__name__
            logger.error("Background job failing: %s: %s", name, text, exc_info=trace)
        self._failing.add(name)

    def _succeeded(self, name: str) -> None:
        if name in self._failing:
            logger.warning("Background job working again: %s", name)
        self._failing.discard(name)


class _Turn:
    """The time slice of one run of a job; call it to check whether the job should continue."""

    def __init__(self, seconds: float, is_allowed: ShouldContinue = lambda: True) -> None:
        self._ends, self._is_allowed = time.monotonic() + seconds, is_allowed
        self.was_cut_short = False

    def __call__(self) -> bool:
        self.was_cut_short = time.monotonic() >= self._ends
        return not self.was_cut_short and self._is_allowed()
