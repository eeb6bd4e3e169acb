"""Background jobs run in one process of all replicas, and continue after failures."""

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from django.db import OperationalError, connection

from runai_access.background.job import Job, ShouldContinue
from runai_access.background.jobs import default_jobs
from runai_access.background.scheduler import (
    CAMPAIGN_SECONDS,
    LEASE_EXPIRY_SECONDS,
    STOP_SECONDS,
    Scheduler,
)
from runai_access.db.leases import Lease, lease_for
from tests.conftest import StartServer
from tests.operations.conftest import database_away, unsealed, wait_until
from tests.servers import Server, child_processes

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 0.02


class SwitchedLease(Lease):
    """A lease that the test controls; `try_acquire` raises `error` if set."""

    def __init__(self) -> None:
        self.is_free = True
        self.error: Exception | None = None
        self.released = 0
        self._is_held = False

    @property
    def is_held(self) -> bool:
        return self._is_held

    def try_acquire(self) -> bool:
        if self.error:
            raise self.error
        self._is_held = self.is_free
        return self.is_free

    def release(self) -> None:
        self._is_held = False
        self.released += 1

    def holder(self) -> str:
        return ""


class Work:
    """A job that counts its runs and calls `during`."""

    def __init__(self, name: str = "work", interval: float = SOON, **options: object) -> None:
        self.runs = 0
        self.error: Exception | None = None
        self.during: Callable[[ShouldContinue], object] = lambda _: None
        self.job = Job(name, interval, self._run, **options)

    def _run(self, should_continue: ShouldContinue) -> None:
        self.runs += 1
        if self.error:
            raise self.error
        self.during(should_continue)

    def wait_for_more_runs(self, count: int = 3) -> None:
        seen = self.runs
        wait_until(lambda: self.runs >= seen + count, "more runs")


Start = Callable[..., Scheduler]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a scheduler, which is stopped after the test."""
    started: list[Scheduler] = []

    def begin(works: Sequence[Work], lease: Lease | None = None, **options: float) -> Scheduler:
        options = {"campaign_seconds": SOON, **options}
        scheduler = Scheduler([work.job for work in works], lease or SwitchedLease(), **options)
        started.append(scheduler)
        scheduler.start()
        return scheduler

    yield begin
    for scheduler in started:
        scheduler.stop()


def test_jobs_run_repeatedly(start: Start) -> None:
    often, seldom = Work(), Work("seldom", interval=3600, delay=0)
    start([often, seldom])
    often.wait_for_more_runs(5)
    assert seldom.runs == 1


def test_the_outcome_of_each_jobs_last_run_is_kept(start: Start) -> None:
    good, bad = Work("good"), Work("bad")
    bad.error = ValueError("broken")
    scheduler = start([good, bad])
    wait_until(lambda: scheduler.outcomes.keys() == {"good", "bad"}, "both to have run")
    assert scheduler.outcomes["good"].error == ""
    assert scheduler.outcomes["bad"].error == "ValueError: broken"
    assert scheduler.outcomes["good"].seconds < 30


def test_a_failing_job_stops_neither_itself_nor_others(start: Start) -> None:
    first, second = Work("first"), Work("second")
    first.error = RuntimeError("broken")
    start([first, second])
    first.wait_for_more_runs()
    second.wait_for_more_runs()


def test_a_failure_is_logged_once_per_outage(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    start([work])
    for outage in (1, 2):
        work.error = RuntimeError("broken")
        work.wait_for_more_runs(5)
        work.error = None
        work.wait_for_more_runs()
        assert caplog.text.count("Background job failing: work: broken") == outage
        assert caplog.text.count("Background job working again: work") == outage
    assert "Traceback" in caplog.text, "a bug is logged with a traceback"


def test_a_database_error_is_logged_in_one_line(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    work.error = OperationalError("away")
    start([work])
    work.wait_for_more_runs()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Traceback" not in caplog.text


def test_a_process_runs_no_jobs_without_the_lease(start: Start) -> None:
    lease, work, other = SwitchedLease(), Work(), Work("other")
    lease.is_free = False
    start([work], lease)
    start([other])
    for _ in range(2):
        seen = work.runs
        other.wait_for_more_runs(5)
        assert work.runs <= seen + 1, "only the job that was running when the lease was lost"
        lease.is_free = True
        work.wait_for_more_runs()
        lease.is_free = False
        lease.release()


def test_an_error_of_the_lease_does_not_end_the_scheduler(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    lease, work = SwitchedLease(), Work()
    errors: list[Exception] = [OperationalError("away"), OSError("no such folder")]
    for error in errors:
        lease.is_free, lease.error = True, error
        scheduler = start([work], lease)
        wait_until(lambda: "Background job failing: leadership" in caplog.text, "the line")
        lease.error = None
        work.wait_for_more_runs()
        lease.is_free = False
        scheduler.stop()
        assert caplog.text.count("Background job failing: leadership") == 1
        caplog.clear()


def test_a_job_of_every_process_runs_without_the_lease(start: Start) -> None:
    each, other = Work("each", in_every_process=True), Work("other")
    lease = SwitchedLease()
    lease.is_free = False
    start([each, other], lease)
    each.wait_for_more_runs()
    assert other.runs == 0
    lease.is_free = True
    other.wait_for_more_runs()
    each.wait_for_more_runs()


def test_a_long_job_lets_other_jobs_run_and_continues(start: Start) -> None:
    long, short, steps = Work("long", interval=3600, delay=0), Work("short"), []

    def work_on(should_continue: ShouldContinue) -> None:
        while should_continue():
            steps.append(short.runs)
            time.sleep(0.001)

    long.during = work_on
    start([long, short], turn_seconds=0.02)
    long.wait_for_more_runs()
    short.wait_for_more_runs()
    assert steps[0] < steps[-1]


def test_stopping_ends_a_long_job_after_its_current_step(start: Start) -> None:
    work, is_running = Work(), threading.Event()

    def work_on(should_continue: ShouldContinue) -> None:
        while should_continue():
            is_running.set()
            time.sleep(0.001)

    work.during = work_on
    scheduler = start([work], turn_seconds=3600)
    assert is_running.wait(30)
    began = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - began < STOP_SECONDS
    assert scheduler.outcomes["work"].error == ""


def test_stopping_waits_for_the_running_job_and_releases_the_lease(start: Start) -> None:
    work, lease, done = Work(), SwitchedLease(), []
    is_running, can_end = threading.Event(), threading.Event()

    def work_on(_: ShouldContinue) -> None:
        is_running.set()
        can_end.wait(30)
        done.append(lease.released)

    work.during = work_on
    scheduler = start([work], lease)
    assert is_running.wait(30)
    stopping = threading.Thread(target=scheduler.stop)
    stopping.start()
    can_end.set()
    stopping.join(30)
    assert done[0] == 0
    assert lease.released == 1
    assert work.runs == 1


@pytest.mark.parametrize("is_leader", [True, False])
def test_every_stopping_process_runs_its_last_jobs(start: Start, is_leader: bool) -> None:
    last, other = Work("last", interval=3600, runs_at_stop=True), Work("other", interval=3600)
    lease = SwitchedLease()
    lease.is_free = is_leader
    scheduler = start([last, other], lease)
    wait_until(lambda: scheduler.is_leader == is_leader, "the role")
    scheduler.stop()
    assert (last.runs, other.runs) == (1, 0)


@pytest.mark.parametrize("was_leader", [True, False])
def test_pending_work_is_done_before_the_last_process_stops(start: Start, was_leader: bool) -> None:
    """A process that did not run the jobs becomes the leader for it, once the former leader is gone."""
    lease, polls = SwitchedLease(), count(1)
    lease.is_free = was_leader

    def is_pending() -> bool:
        lease.is_free = was_leader or next(polls) > 2
        return True

    last = Work("last", interval=3600, pending_at_stop=lambda: is_pending)
    scheduler = start([last], lease)
    wait_until(lambda: scheduler.is_leader == was_leader, "the role")
    scheduler.stop()
    assert (last.runs, lease.released) == (1, 1)


def test_pending_work_that_another_process_does_delays_no_stop(start: Start) -> None:
    lease, pending = SwitchedLease(), [True, True, False]
    lease.is_free = False
    last = Work("last", interval=3600, pending_at_stop=lambda: lambda: pending.pop(0))
    scheduler = start([last], lease)
    scheduler.stop()
    assert (last.runs, pending) == (0, [])


@pytest.mark.waiting
def test_a_hanging_job_delays_a_stop_only_for_seconds(start: Start) -> None:
    work, can_end, is_running = Work(), threading.Event(), threading.Event()

    def hang(_: ShouldContinue) -> None:
        is_running.set()
        can_end.wait(60)

    work.during = hang
    scheduler = start([work])
    assert is_running.wait(30)
    began = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - began < STOP_SECONDS + 1
    can_end.set()


# With a database lease.


def test_one_scheduler_runs_the_jobs_and_another_takes_over(start: Start) -> None:
    name = f"background-{uuid.uuid4().hex[:8]}"
    works = [Work(str(number)) for number in range(4)]
    schedulers = [
        start([work], lease_for(connection, name, expiry=30, renewal=5)) for work in works
    ]
    left = set(range(4))
    while left:
        wait_until(lambda: any(schedulers[n].is_leader for n in left), "a leader")
        [leader] = [n for n in left if schedulers[n].is_leader]
        works[leader].wait_for_more_runs()
        assert all(works[n].runs == 0 for n in left - {leader})
        schedulers[leader].stop()  # releases the lease, so the next need not wait for its expiry
        left.remove(leader)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a locked file needs no renewal")
def test_a_scheduler_survives_terminated_database_sessions(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    work.during = lambda _: connection.ensure_connection()
    lease = lease_for(connection, f"background-{uuid.uuid4().hex[:8]}", expiry=30, renewal=0.05)
    scheduler = start([work], lease)
    work.wait_for_more_runs()
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        work.wait_for_more_runs()
    assert scheduler.is_leader
    assert caplog.text == ""


# Real servers.


def leader_of(server: Server) -> int:
    """Return the ID of the process that runs the jobs on a server's database, or 0."""
    parts = urlsplit(server.database)
    if parts.scheme == "sqlite":
        file = Path(f"{parts.path[1:]}.background.lock")
        text = file.read_text() if file.exists() else ""
    else:
        with psycopg.connect(server.database, autocommit=True) as other:
            row = other.execute(
                "SELECT owner FROM runai_access_lease"
                " WHERE name = 'background' AND expires_at > clock_timestamp()"
            ).fetchone()
        text = row[0] if row else ""
    found = re.match(r"process (\d+) on ", text)
    return int(found[1]) if found else 0


def leads(server: Server) -> bool:
    """Return whether a worker of this server runs the jobs on its database."""
    return leader_of(server) in child_processes(server.process.pid)


def status_of_guess(server: Server) -> int:
    """Return the status of a sign-in with a wrong secret; a 401 leaves an audit row."""
    body = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "wrong"}
    return requests.post(f"{server.url}/api/v2/token", data=body, timeout=30).status_code


def test_one_process_of_two_servers_leads_and_is_replaced_after_a_kill(
    start_server: StartServer,
) -> None:
    one = start_server()
    two = start_server(database=one.database)
    wait_until(lambda: leader_of(one) > 0, "a leader", seconds=CAMPAIGN_SECONDS + 5)
    first = leader_of(one)
    [leading] = [server for server in (one, two) if leads(server)]
    [other] = [server for server in (one, two) if server is not leading]
    leading.kill()
    assert status_of_guess(other) == 401
    expiry = LEASE_EXPIRY_SECONDS + CAMPAIGN_SECONDS + 5
    wait_until(lambda: leader_of(other) not in (0, first), "another leader", seconds=expiry)
    assert leads(other)
    wait_until(lambda: unsealed(other) == 0, "it to seal")


def test_a_stopping_server_hands_over_before_the_lease_expires(
    start_server: StartServer,
) -> None:
    one = start_server()
    two = start_server(database=one.database)
    wait_until(lambda: leader_of(one) > 0, "a leader", seconds=CAMPAIGN_SECONDS + 5)
    [leading] = [server for server in (one, two) if leads(server)]
    [other] = [server for server in (one, two) if server is not leading]
    assert leading.stop() == 0
    wait_until(lambda: leads(other), "the other server to lead", seconds=CAMPAIGN_SECONDS + 5)


def test_sealing_continues_after_a_database_outage(start_server: StartServer) -> None:
    server = start_server()
    fails = "Background job failing: seal the audit log"
    wait_until(lambda: leader_of(server) > 0, "a leader", seconds=CAMPAIGN_SECONDS + 5)
    with database_away(server):
        # A moved SQLite file stays open in running processes.
        if server.database.startswith("postgres"):
            wait_until(lambda: fails in server.output, "the scheduler to notice")
    wait_until(lambda: status_of_guess(server) == 401, "the server to answer")
    seconds = LEASE_EXPIRY_SECONDS + CAMPAIGN_SECONDS + 15
    wait_until(lambda: unsealed(server) == 0, "the new row to be sealed", seconds=seconds)
    assert server.output.count(fails) <= 1
    assert "Traceback" not in server.output


def test_every_default_job_succeeds_on_an_empty_database() -> None:
    for job in default_jobs():
        job.run(lambda: True)
