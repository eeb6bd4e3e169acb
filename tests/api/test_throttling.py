"""The limit on the server time of API callers: who is limited, for how long, and what responses say."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from accessrules.api import roles
from applications.models import Application
from runai_access import environment
from runai_access.api import throttling
from runai_access.api.throttling import Budgets, Stopwatch
from tests import factories
from tests.api.conftest import As

ROLES = "/api/v1/authorization/roles"
PERMISSIONS = "/api/v1/authorization/permissions"
OLD = "RUNAI_ACCESS_API_REQUESTS_PER_SECOND"
NEW = "RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND"


class Clock:
    """The clocks of a process, in place of the module `time`. Tests advance them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.thread = self.process = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.thread

    def process_time(self) -> float:
        return self.process

    def work(self, milliseconds: float) -> None:
        """Let this thread compute."""
        self.now += milliseconds / 1000
        self.thread += milliseconds / 1000
        self.process += milliseconds / 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttling, "time", clock)
    return clock


@pytest.fixture
def budgets(clock: Clock) -> Budgets:
    """Budgets of 500 ms of server time a second, and 5,000 ms at first."""
    return Budgets(per_second=500, burst=5000)


@pytest.fixture
def caller() -> uuid.UUID:
    return uuid.uuid4()


def spend(budgets: Budgets, caller: uuid.UUID, milliseconds: float) -> int:
    """Run a request, and return the wait in seconds of the next one. Fails if it is refused."""
    budget, status = budgets.admit(caller)
    assert not status.wait
    return budgets.charge(budget, milliseconds).wait


def wait_of(budgets: Budgets, caller: uuid.UUID) -> int:
    """Return the wait of the caller without running a request."""
    budget, status = budgets.admit(caller)
    if not status.wait:
        budgets.charge(budget, 0)
    return status.wait


# Budgets.


def test_cheap_requests_are_not_limited(clock: Clock, budgets: Budgets, caller: uuid.UUID) -> None:
    """200 requests a second, which was the limit before, at 2.4 ms each: for a minute."""
    for _ in range(60 * 200):
        assert not spend(budgets, caller, 2.4)
        clock.now += 1 / 200


def test_requests_below_a_millisecond_count_as_one(budgets: Budgets, caller: uuid.UUID) -> None:
    waits = [spend(budgets, caller, 0.01) for _ in range(5000)]
    assert waits == [0] * 4999 + [1]


def test_an_expensive_caller_gets_its_share_of_a_process(
    clock: Clock, budgets: Budgets, caller: uuid.UUID
) -> None:
    began, used = clock.now, 0.0
    while clock.now < began + 300:
        clock.now += spend(budgets, caller, 120) + 0.120
        used += 120
    assert 500 * 300 * 0.9 <= used <= 5000 + 500 * 300 + 120


def test_a_caller_in_debt_continues_after_exactly_the_wait(
    clock: Clock, budgets: Budgets, caller: uuid.UUID
) -> None:
    assert spend(budgets, caller, 6499) == 3
    clock.now += 2.9
    assert wait_of(budgets, caller) == 1
    clock.now += 0.1
    assert wait_of(budgets, caller) == 0


def test_a_refused_request_costs_nothing(clock: Clock, budgets: Budgets, caller: uuid.UUID) -> None:
    spend(budgets, caller, 6499)
    assert {wait_of(budgets, caller) for _ in range(100)} == {3}
    clock.now += 3
    assert wait_of(budgets, caller) == 0


def test_another_caller_is_unaffected(budgets: Budgets, caller: uuid.UUID) -> None:
    assert spend(budgets, caller, 60_000)
    assert not spend(budgets, uuid.uuid4(), 100)


def test_debt_is_bounded(clock: Clock, budgets: Budgets, caller: uuid.UUID) -> None:
    assert spend(budgets, caller, 3_600_000) == 10
    clock.now += 10
    assert wait_of(budgets, caller) == 0


def test_the_longest_wait_includes_running_requests(budgets: Budgets, caller: uuid.UUID) -> None:
    for _ in range(8):
        budgets.admit(caller)
    assert spend(budgets, caller, 3_600_000) == 10


def test_an_idle_caller_saves_no_more_than_its_burst(
    clock: Clock, budgets: Budgets, caller: uuid.UUID
) -> None:
    spend(budgets, caller, 1)
    clock.now += 3600
    assert spend(budgets, caller, 5000) == 1


def test_parallel_requests_are_limited_by_what_remains(
    clock: Clock, budgets: Budgets, caller: uuid.UUID
) -> None:
    """All threads of a worker at first, but only one or two after the burst."""

    def run_in_parallel() -> int:
        admitted = []
        while not (answer := budgets.admit(caller))[1].wait:
            admitted.append(answer[0])
        for budget in admitted:
            budgets.charge(budget, 5000)
        return len(admitted)

    assert run_in_parallel() == throttling.MAX_PARALLEL == 16
    clock.now += 10
    assert run_in_parallel() == 1
    clock.now += 11
    assert run_in_parallel() == 2


def test_memory_is_bounded(
    budgets: Budgets, caller: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callers with the oldest requests are forgotten, also those with a running request."""
    monkeypatch.setattr(throttling, "MAX_CALLERS", 3)
    running, _ = budgets.admit(caller)
    recent = uuid.uuid4()
    spend(budgets, recent, 6000)
    for _ in range(10):
        assert not spend(budgets, uuid.uuid4(), 1)
        assert wait_of(budgets, recent)
    assert len(budgets) == 3
    assert budgets.charge(running, 6000).wait
    assert not wait_of(budgets, caller)
    assert len(budgets) == 3


def test_parallel_threads_are_charged_completely(budgets: Budgets, caller: uuid.UUID) -> None:
    def run() -> None:
        for _ in range(200):
            spend(budgets, caller, 2)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budgets.admit(caller)[1].remaining == 5000 - 8 * 200 * 2


# The cost of a request.


@pytest.fixture(params=[True, False], ids=["sqlite", "postgresql"])
def _each_database(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.IS_SQLITE = request.param


@pytest.mark.usefixtures("_each_database")
def test_a_lone_request_costs_its_wall_time(clock: Clock) -> None:
    stopwatch = Stopwatch()
    clock.work(50)
    clock.now += 0.1
    assert stopwatch.milliseconds == pytest.approx(150)


@pytest.mark.usefixtures("_each_database")
def test_a_cheap_request_does_not_pay_for_expensive_ones(clock: Clock) -> None:
    """While it waits for the GIL, other requests use the process."""
    stopwatch = Stopwatch()
    clock.work(2)
    clock.now += 0.098
    clock.process += 0.098
    assert stopwatch.milliseconds == pytest.approx(2)


def test_parallel_requests_share_the_time_of_an_overloaded_machine(
    clock: Clock, settings: Settings
) -> None:
    """The process gets a tenth of a core: an expensive and a cheap request cost 100 ms together."""
    settings.IS_SQLITE = True
    expensive, cheap = Stopwatch(), Stopwatch()
    clock.now += 0.1
    clock.process += 0.01
    clock.thread = 0.009
    costs = [expensive.milliseconds]
    clock.thread = 0.001
    costs.append(cheap.milliseconds)
    assert costs == pytest.approx([90, 10])


@pytest.mark.usefixtures("_each_database")
def test_requests_on_several_cores_cost_their_cpu_time(clock: Clock) -> None:
    """Two requests compute for 100 ms each at the same time."""
    stopwatch = Stopwatch()
    clock.work(100)
    clock.process += 0.1
    assert stopwatch.milliseconds == pytest.approx(100)


def test_a_slow_query_costs_its_time_in_a_busy_process(clock: Clock, settings: Settings) -> None:
    """PostgreSQL works for 100 ms, while other requests compute for 20 ms."""
    settings.IS_SQLITE = False
    stopwatch = Stopwatch()
    clock.work(20)
    clock.now += 0.1
    clock.process += 0.02
    assert stopwatch.milliseconds == pytest.approx(100)


@pytest.mark.usefixtures("_each_database")
def test_a_cheap_request_stays_cheap_on_an_overloaded_machine(clock: Clock) -> None:
    """It waits a second for a core, which is no work of this process."""
    stopwatch = Stopwatch()
    clock.work(2)
    clock.now += 1
    assert stopwatch.milliseconds == pytest.approx(20)


# Responses.


@pytest.fixture
def expensive_roles(
    clock: Clock, budgets: Budgets, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], None]:
    """Return a function that sets how many milliseconds a request of ROLES takes."""
    cost = [0.0]
    get = roles.RolesView.get

    def slow_get(*args: Any, **kwargs: Any) -> Any:
        clock.work(cost[0])
        return get(*args, **kwargs)

    monkeypatch.setattr(roles.RolesView, "get", slow_get)
    monkeypatch.setattr(throttling, "BUDGETS", budgets)
    return lambda milliseconds: cost.__setitem__(0, milliseconds)


@pytest.mark.django_db
def test_an_expensive_caller_is_refused_until_retry_after(
    as_: As, administrator: Application, clock: Clock, expensive_roles: Callable[[float], None]
) -> None:
    client, other = as_(administrator), as_(factories.application("other"))
    expensive_roles(6900)
    assert client.get(ROLES).status_code == 200
    refused = client.get(PERMISSIONS)
    assert refused.status_code == 429
    assert refused.json() == {
        "code": 429,
        "message": "Too many requests.",
        "details": "You exceeded the rate limit of the API.",
    }
    assert refused.headers["Retry-After"] == "4"
    assert other.get(PERMISSIONS).status_code == 200
    clock.now += 3
    assert client.get(PERMISSIONS).headers["Retry-After"] == "1"
    clock.now += 1
    assert client.get(PERMISSIONS).status_code == 200


@pytest.mark.django_db
def test_headers_say_what_remains(
    as_: As, administrator: Application, clock: Clock, expensive_roles: Callable[[float], None]
) -> None:
    client = as_(administrator)
    expensive_roles(1500)
    answer = client.get(ROLES)
    assert answer.headers["RateLimit-Policy"] == '"server-ms";q=5000;w=10'
    assert answer.headers["RateLimit"] == '"server-ms";r=3500'
    clock.now += 1
    for path, status, remaining in ((f"{ROLES}/99999", 404, 3999), (f"{ROLES}?x=1", 400, 3998)):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["RateLimit"] == f'"server-ms";r={remaining}'
    expensive_roles(5900)
    answer = client.get(ROLES)
    assert answer.status_code == 200
    assert answer.headers["RateLimit"] == '"server-ms";r=0;t=2'
    refused = client.get(ROLES)
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"server-ms";q=5000;w=10'
    assert refused.headers["RateLimit"] == '"server-ms";r=0;t=2'
    assert refused.headers["Retry-After"] == "2"


@pytest.mark.django_db
def test_requests_without_a_valid_token_have_no_limit(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}):
        answer = client.get(ROLES, headers=headers)
        assert answer.status_code == 401
        assert "RateLimit" not in answer.headers


@pytest.mark.django_db
def test_an_unexpected_error_is_charged(
    as_: As,
    administrator: Application,
    clock: Clock,
    budgets: Budgets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttling, "BUDGETS", budgets)
    client = as_(administrator)
    client.raise_request_exception = False

    def fail(*args: Any, **kwargs: Any) -> None:
        clock.work(2000)
        raise RuntimeError("An unexpected error.")

    monkeypatch.setattr(roles.RolesView, "get", fail)
    assert client.get(ROLES).status_code == 500
    assert client.get(PERMISSIONS).headers["RateLimit"] == '"server-ms";r=2999'


# The setting.


def test_the_setting_of_the_former_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "200")
    with pytest.raises(ImproperlyConfigured, match=f"{OLD} no longer exists.*{NEW}"):
        environment.api_milliseconds_per_second()


@pytest.mark.parametrize("value", ["0", "-1", "half", "1.5"])
def test_a_limit_that_is_no_positive_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(NEW, value)
    with pytest.raises(ImproperlyConfigured, match=f"{NEW} must be a whole number of 1 or more"):
        environment.api_milliseconds_per_second()


def test_the_limit_is_half_of_a_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NEW, raising=False)
    assert environment.api_milliseconds_per_second() == 500
