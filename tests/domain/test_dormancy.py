"""The dormancy policy: who is warned and disabled, when, and who is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accessrules.authorization.callers import SYSTEM
from applications import dormancy
from applications.actions.deletion import delete_application
from applications.actions.status import set_application_enabled
from applications.dormancy import apply_policy, notice_of
from applications.models import Application, searched_details_of
from applications.oauth.client_authentication import update_last_login
from applications.oauth.tokens import InvalidToken, application_of, issue
from applications.trash import restore_application
from runai_access import environment
from runai_access.audit.models import AuditEvent
from runai_access.environment import DormancyPolicy
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = DormancyPolicy(warn_days=60, disable_days=90, excluded_labels=("env=prod",))


class Clock:
    """The time, which a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Clock:
    found = Clock()
    monkeypatch.setattr(timezone, "now", found)
    settings.DORMANCY = POLICY
    return found


def application(name: str, *, created: int = 200, used: int | None = None, **fields: Any) -> Any:
    """Create an application that was created and last logged in that many days ago."""
    made = factories.application(name)
    last_login = None if used is None else NOW - used * DAY
    Application.objects.filter(pk=made.pk).update(
        created_at=NOW - created * DAY, last_login=last_login, **fields
    )
    return made


def states() -> dict[str, tuple[str | None, bool]]:
    """Return the dormancy of each application, and whether it is enabled."""
    rows = Application.objects.values_list("subject__name", "dormancy", "subject__enabled")
    return {name: (state, enabled) for name, state, enabled in rows}


def changes() -> list[tuple[str, dict[str, Any]]]:
    events = AuditEvent.objects.order_by("pk")
    assert {event.subject_name for event in events} <= {"system"}
    return [(event.entity_name, event.changes) for event in events]


# Whom it warns.


@pytest.mark.parametrize(
    ("fields", "is_warned"),
    [
        ({"used": 61}, True),
        ({"used": 59}, False),
        ({"created": 61}, True),
        ({"created": 59}, False),
        ({"used": 100, "enabled_at": NOW - 59 * DAY}, False),
        ({"used": 100, "enabled_at": NOW - 61 * DAY}, True),
    ],
)
def test_application_is_warned_after_days_without_use(
    fields: dict[str, Any], is_warned: bool
) -> None:
    application("ci", **fields)
    done = apply_policy()
    assert states() == {"ci": ("warned" if is_warned else None, True)}
    assert done["warned"] == is_warned
    assert len(changes()) == is_warned


def test_use_of_a_secret_without_a_login_is_use() -> None:
    scim = application("scim")
    scim.secrets.update(last_used_at=NOW - 59 * DAY)
    application("other").secrets.update(last_used_at=NOW - 61 * DAY)
    apply_policy()
    assert states() == {"scim": (None, True), "other": ("warned", True)}
    assert changes() == [("other", {"dormancy": [None, "warned"], "unusedForDays": [None, 61]})]


def test_disabled_applications_are_not_warned() -> None:
    off = application("off", used=100)
    set_application_enabled(caller=SYSTEM, application_id=off.pk, enabled=False)
    assert apply_policy()["warned"] == 0


@pytest.mark.parametrize(
    ("labels", "is_excluded"),
    [({"env": "prod"}, True), ({"env": "Prod"}, True), ({"env": "prod2"}, False), ({}, False)],
)
def test_applications_with_an_excluded_label_are_left_alone(
    labels: dict[str, str], is_excluded: bool
) -> None:
    application("ci", labels=labels, searched_details=searched_details_of("", labels))
    assert dormancy.count_excluded(POLICY) == is_excluded
    assert (apply_policy()["warned"] == 0) == is_excluded


def test_without_a_policy_nothing_happens(settings: Settings) -> None:
    settings.DORMANCY = DormancyPolicy()
    application("ci", used=1_000)
    assert apply_policy() == {"released": 0, "warned": 0, "disabled": 0}


# Whom it disables.


def test_warned_application_is_disabled_and_its_tokens_end(clock: Clock) -> None:
    ci = application("ci", used=200)
    token = issue(ci).text
    apply_policy()
    assert states() == {"ci": ("warned", True)}
    clock.now += 30 * DAY - timedelta(seconds=1)
    apply_policy()
    assert states() == {"ci": ("warned", True)}
    clock.now += timedelta(seconds=1)
    assert apply_policy()["disabled"] == 1
    assert states() == {"ci": ("disabled", False)}
    assert changes()[-1] == (
        "ci",
        {
            "dormancy": ["warned", "disabled"],
            "enabled": [True, False],
            "unusedForDays": [None, 230],
        },
    )
    clock.now = datetime.now(UTC)
    with pytest.raises(InvalidToken):
        application_of(token)
    assert apply_policy()["disabled"] == 0


def test_policy_without_warnings_disables(settings: Settings) -> None:
    settings.DORMANCY = DormancyPolicy(disable_days=90)
    application("unused", used=91)
    application("used", used=89)
    assert apply_policy() == {"released": 0, "warned": 0, "disabled": 1}
    assert states() == {"unused": ("disabled", False), "used": (None, True)}


def test_without_warnings_those_of_the_former_policy_are_disabled_too(settings: Settings) -> None:
    application("ci", used=200)
    apply_policy()
    settings.DORMANCY = DormancyPolicy(disable_days=90)
    assert [one.name for one in dormancy.to_disable(settings.DORMANCY)] == ["ci"]
    assert apply_policy() == {"released": 1, "warned": 0, "disabled": 1}


@pytest.mark.parametrize("policy", [POLICY, DormancyPolicy(disable_days=90)])
def test_application_that_a_former_release_enabled_counts_from_then(
    policy: DormancyPolicy, clock: Clock, settings: Settings
) -> None:
    settings.DORMANCY = policy
    ci = application("ci", used=200)
    apply_policy()
    clock.now += 30 * DAY
    apply_policy()
    assert states() == {"ci": ("disabled", False)}
    ci.subject.enabled = True
    ci.subject.save()
    assert apply_policy() == {"released": 1, "warned": 0, "disabled": 0}
    assert states() == {"ci": (None, True)}


def test_the_first_warned_is_disabled_first(clock: Clock) -> None:
    first = {"dormancy": "warned", "dormancy_since": NOW - 40 * DAY}
    application("later", used=300, **{**first, "dormancy_since": NOW - 35 * DAY})
    application("first", used=200, **first)
    assert [one.name for one in dormancy.to_disable(POLICY)] == ["first", "later"]


def test_application_that_is_used_again_is_not_disabled(clock: Clock) -> None:
    ci = application("ci", used=200)
    apply_policy()
    clock.now += 40 * DAY
    update_last_login(Application.objects.get(pk=ci.pk), timezone.now())
    assert notice_of(Application.objects.get(pk=ci.pk)) is None
    assert apply_policy() == {"released": 1, "warned": 0, "disabled": 0}
    assert states() == {"ci": (None, True)}
    assert changes()[-1] == ("ci", {"dormancy": ["warned", None]})


def test_a_use_while_the_job_waits_for_the_lock_prevents_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci = application("ci", used=200)
    apply_policy()
    clock.now += 40 * DAY
    lock = dormancy.lock_with_subjects

    def used_meanwhile(keys: list[Any]) -> list[Application]:
        Application.objects.filter(pk=ci.pk).update(last_login=clock.now)
        return lock(keys)

    monkeypatch.setattr(dormancy, "lock_with_subjects", used_meanwhile)
    assert apply_policy()["disabled"] == 0
    assert states() == {"ci": ("warned", True)}


def test_enabling_starts_counting_again(clock: Clock) -> None:
    ci = application("ci", used=200)
    apply_policy()
    clock.now += 30 * DAY
    apply_policy()
    set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=True)
    assert states() == {"ci": (None, True)}
    clock.now += 59 * DAY
    assert apply_policy() == {"released": 0, "warned": 0, "disabled": 0}
    clock.now += 2 * DAY
    assert apply_policy()["warned"] == 1


def test_restoring_starts_counting_again() -> None:
    ci = application("ci", used=200)
    delete_application(caller=SYSTEM, application_id=ci.pk)
    restore_application(caller=SYSTEM, application_id=ci.pk)
    assert apply_policy()["warned"] == 0


@pytest.mark.parametrize(
    "policy",
    [DormancyPolicy(), DormancyPolicy(warn_days=300), DormancyPolicy(60, 90, ("team=ml",))],
    ids=["off", "more days", "excluded"],
)
def test_warning_ends_when_the_policy_no_longer_applies(
    policy: DormancyPolicy, settings: Settings
) -> None:
    labels = {"team": "ml"}
    application("ci", used=200, labels=labels, searched_details=searched_details_of("", labels))
    apply_policy()
    settings.DORMANCY = policy
    assert apply_policy() == {"released": 1, "warned": 0, "disabled": 0}


def test_work_is_in_batches_that_can_be_interrupted(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(dormancy, "_BATCH_SIZE", 2)
    for number in range(5):
        application(f"ci-{number}", used=100 + number)
    answers = iter([True, True, True, False, False])  # released, one batch, and no more
    assert apply_policy(lambda: next(answers))["warned"] == 2
    warned = {name for name, (state, _) in states().items() if state}
    assert warned == {"ci-4", "ci-3"}, "the longest unused first"
    assert apply_policy()["warned"] == 3
    with django_assert_num_queries(4):
        apply_policy()


def test_a_batch_that_is_used_meanwhile_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dormancy, "_BATCH_SIZE", 2)
    for number in range(5):
        application(f"ci-{number}", used=100 + number)
    lock = dormancy.lock_applications
    calls: list[list[Any]] = []

    def used_meanwhile(keys: list[Any]) -> list[Application]:
        if not calls:
            Application.objects.filter(pk__in=keys).update(last_login=NOW)
        calls.append(keys)
        return lock(keys)

    monkeypatch.setattr(dormancy, "lock_applications", used_meanwhile)
    assert apply_policy()["warned"] == 3
    assert [len(keys) for keys in calls] == [2, 2, 1]


# What the page says.


def test_a_deleted_application_has_no_notice() -> None:
    ci = application("ci", used=70)
    apply_policy()
    warned = Application.objects.get(pk=ci.pk)
    delete_application(caller=SYSTEM, application_id=ci.pk)
    assert notice_of(warned) is None


def test_notice_says_from_when_it_is_disabled(clock: Clock) -> None:
    ci = application("ci", used=70)
    apply_policy()
    notice = notice_of(Application.objects.get(pk=ci.pk))
    assert notice is not None
    assert notice.unused_since == NOW - 70 * DAY
    assert notice.disabled_from == NOW + 30 * DAY
    clock.now += 31 * DAY
    apply_policy()
    notice = notice_of(Application.objects.get(pk=ci.pk))
    assert notice is not None
    assert (notice.is_disabled, notice.disabled_from) == (True, None)


# Settings.

Environment = Callable[[str, str, str], None]


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Environment:
    def set_(warn: str, disable: str, exclude: str) -> None:
        monkeypatch.setenv("RUNAI_ACCESS_DORMANCY_WARN_DAYS", warn)
        monkeypatch.setenv("RUNAI_ACCESS_DORMANCY_DISABLE_DAYS", disable)
        monkeypatch.setenv("RUNAI_ACCESS_DORMANCY_EXCLUDE", exclude)

    return set_


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        (("", "", ""), DormancyPolicy()),
        (("60", "90", " env=prod, team=a b ,"), DormancyPolicy(60, 90, ("env=prod", "team=a b"))),
        (("", "2", ""), DormancyPolicy(None, 2)),
    ],
)
def test_settings_are_read(
    environ: Environment, values: tuple[str, str, str], policy: DormancyPolicy
) -> None:
    environ(*values)
    assert environment.dormancy_policy(86_400) == policy


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("0", "", ""), "WARN_DAYS must be a whole number of 1 or more"),
        (("", "40000", ""), "DISABLE_DAYS must be at most 36500"),
        (
            ("90", "90", ""),
            r"WARN_DAYS \(90\) must be less than RUNAI_ACCESS_DORMANCY_DISABLE_DAYS",
        ),
        (("1", "", ""), r"WARN_DAYS \(1\) must be longer than tokens are valid \(86400 seconds\)"),
        (("60", "", "prod"), "must list labels like env=prod, separated by commas, not 'prod'"),
        (("60", "", "env="), "must list labels like env=prod"),
    ],
)
def test_invalid_settings_are_refused(
    environ: Environment, values: tuple[str, str, str], message: str
) -> None:
    environ(*values)
    with pytest.raises(ImproperlyConfigured, match=message):
        environment.dormancy_policy(86_400)
