"""Containing an application whose client secret leaked, recovering, and the report of what it did."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import SYSTEM
from accessrules.console.tables.history import history_of
from accessrules.models import AccessRule, Subject
from applications import incident_reports
from applications.actions.secrets import revoke_secret
from applications.actions.status import set_application_enabled, set_applications_enabled
from applications.containment import contain_application, replace_secret_and_enable
from applications.filters import ApplicationFilterSet
from applications.incident_reports import IncidentReport, csv_rows, report_of
from applications.models import Application, SecretUse
from applications.oauth.secret_verification import authenticate
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import InvalidToken, application_of, issue
from runai_access.activity.bounded_query import equals
from runai_access.audit.models import AuditEvent
from runai_access.errors import AlreadyDone, Conflict, Denied, ReauthenticationRequired
from runai_access.lists.operators import NEVER, Operator
from runai_access.lists.time_filters import TimeFilter
from tests import factories
from tests.domain.conftest import Organization
from tests.plans import plan_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def ci(acme: Organization, secret: str) -> Application:
    return factories.application("ci", ("Viewer", acme["vision"]), secret=secret)


def contain(application: Application) -> Application:
    return contain_application(caller=SYSTEM, application_id=application.pk)


def enable(application: Application, **options: bool) -> Application:
    return set_application_enabled(
        caller=SYSTEM, application_id=application.pk, enabled=True, **options
    )


def changes() -> list[dict[str, list[object]]]:
    return list(AuditEvent.objects.order_by("pk").values_list("changes", flat=True))


def test_contained_application_keeps_its_rules_and_nothing_else(
    ci: Application, secret: str
) -> None:
    token = issue(ci).text
    contained = contain(ci)
    assert (contained.enabled, contained.contained_by) == (False, "system")
    assert authenticate("ci", secret) is None
    with pytest.raises(InvalidToken):
        application_of(token)
    assert AccessRule.objects.living().filter(subject=ci.subject).count() == 1
    assert changes() == [{"enabled": [True, False]}, {"contained": [False, True]}]


def test_containing_again_changes_nothing(ci: Application) -> None:
    first = contain(ci).contained_at
    assert contain(ci).contained_at == first
    assert len(changes()) == 2


def test_containing_again_counts_secrets_that_were_added_since(
    ci: Application, secret: str
) -> None:
    first = contain(ci).contained_at
    factories.client_secret(ci)
    assert first is not None
    ci.secrets.filter(created_at__lt=first).update(revoked_at=timezone.now())
    assert not Application.objects.get().is_safely_contained()
    again = contain(ci).contained_at
    assert again is not None
    assert again > first
    assert changes()[-1] == {"containedAt": [first.isoformat(), again.isoformat()]}
    with pytest.raises(Conflict, match="would work again"):
        enable(ci)
    assert contain(ci).contained_at == again


def test_application_that_an_older_release_enabled_is_contained_again(ci: Application) -> None:
    first = contain(ci).contained_at
    Subject.objects.filter(pk=ci.pk).update(enabled=True)
    again = contain(ci)
    assert again.contained_at is not None
    assert first is not None
    assert (again.enabled, again.contained_at > first) == (False, True)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_containing_ends_dormancy(ci: Application, is_enabled: bool) -> None:
    state = "warned" if is_enabled else "disabled"
    Subject.objects.filter(pk=ci.pk).update(enabled=is_enabled)
    Application.objects.update(dormancy=state, dormancy_since=timezone.now())
    contain(ci)
    shown = Application.objects.get()
    assert (shown.dormancy, shown.dormancy_since) == (None, None)
    assert [one["dormancy"] for one in changes() if "dormancy" in one] == [[state, None]]


def test_trusting_old_secrets_of_an_administrator_requires_confirming(
    acme: Organization, ci: Application, settings: Any
) -> None:
    settings.REAUTHENTICATION_SECONDS = 60
    ada = factories.person("ada@acme.example", "System administrator")
    caller = replace(factories.caller(ada), authenticated_at=timezone.now() - timedelta(hours=1))
    contain(ci)

    def trust() -> None:
        set_application_enabled(
            caller=caller, application_id=ci.pk, enabled=True, trusts_old_secrets=True
        )

    trust()
    contain(ci)
    factories.rule(ci, "System administrator", factories.account())
    with pytest.raises(ReauthenticationRequired):
        trust()
    ci.secrets.update(revoked_at=timezone.now())
    trust()


def test_contained_applications_are_found_by_an_index() -> None:
    rows = Application.objects.all()
    not_null = Operator("not_never", "", negates=NEVER.name)
    by_time = TimeFilter("contained_at", can_be_never=True, is_partial=True)
    assert by_time.list_filter(not_null, [True], SYSTEM.authority, rows).keys
    assert not by_time.list_filter(NEVER, [True], SYSTEM.authority, rows).keys
    by_status = ApplicationFilterSet.field_filters["status"]
    choices = by_status.choices(SYSTEM.authority)[1:]
    assert [choice.value for choice in choices] == ["disabled", "contained"]
    found = by_status.list_filter(by_status.operators[0], choices, SYSTEM.authority, rows)
    assert (found.column, found.keys is not None) == ("is_enabled", True)


def test_disabled_application_can_be_contained(ci: Application) -> None:
    set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=False)
    assert contain(ci).contained_at is not None
    with pytest.raises(Conflict, match="ci is contained"):
        enable(ci)


def test_replacing_the_secret_enables_with_a_new_one_only(ci: Application, secret: str) -> None:
    factories.client_secret(ci)
    token = issue(ci).text
    contain(ci)
    issued = replace_secret_and_enable(caller=SYSTEM, application_id=ci.pk)
    assert (issued.application.enabled, issued.application.contained_at) == (True, None)
    assert authenticate("ci", issued.secret)
    assert authenticate("ci", secret) is None
    with pytest.raises(InvalidToken):
        application_of(token)
    assert ci.secrets.live().count() == 1
    assert changes()[2:] == [
        {"clientSecret": ["previous", "regenerated"]},
        {"enabled": [False, True], "contained": [True, False]},
    ]


def test_secret_is_replaced_once_for_each_containment(ci: Application) -> None:
    with pytest.raises(Conflict, match="ci is not contained"):
        replace_secret_and_enable(caller=SYSTEM, application_id=ci.pk)
    contain(ci)
    number = uuid.uuid4()
    replace_secret_and_enable(caller=SYSTEM, application_id=ci.pk, submission=number)
    with pytest.raises(AlreadyDone):
        replace_secret_and_enable(caller=SYSTEM, application_id=ci.pk, submission=number)
    with pytest.raises(Conflict, match="ci is not contained"):
        replace_secret_and_enable(caller=SYSTEM, application_id=ci.pk)


def test_enabling_is_refused_while_an_old_secret_would_work_again(
    ci: Application, secret: str
) -> None:
    contain(ci)
    factories.client_secret(ci)
    with pytest.raises(Conflict, match="would work again"):
        enable(ci)
    refusals = set_applications_enabled(caller=SYSTEM, applications=[ci], enabled=True)
    assert isinstance(refusals[ci.pk], Conflict)
    assert not Application.objects.get().enabled
    revoke_secret(caller=SYSTEM, application_id=ci.pk, secret_id=ci.used_secret.pk)
    assert enable(ci).contained_at is None
    assert authenticate("ci", secret) is None


def test_old_secrets_work_again_if_they_are_trusted(ci: Application, secret: str) -> None:
    contain(ci)
    enable(ci, trusts_old_secrets=True)
    assert authenticate("ci", secret)
    assert Application.objects.get().contained_by == ""


def test_replacing_requires_to_manage_secrets_and_to_enable(
    acme: Organization, ci: Application
) -> None:
    factories.custom_role("Helper", apps="ru")
    helper = factories.caller(factories.person("hal@acme.example", "Helper"))
    contain_application(caller=helper, application_id=ci.pk)
    assert Application.objects.get().contained_by == "hal@acme.example"
    with pytest.raises(Denied, match="manage its credentials"):
        replace_secret_and_enable(caller=helper, application_id=ci.pk)
    owner = factories.person("olga@acme.example", "Helper", acme["vision"])
    factories.rule(owner, "Viewer", acme["vision"])
    Application.objects.update(owner=owner.subject)
    for act in (contain_application, replace_secret_and_enable):
        with pytest.raises(Denied, match="in the account"):
            act(caller=factories.caller(owner), application_id=ci.pk)
    assert not Application.objects.get().enabled


# The report


def happened(**values: object) -> AuditEvent:
    event = AuditEvent(
        **{
            "subject_type": "app", "subject_name": "ci", "action": "create",
            "entity_type": "application", "entity_name": "made", "result": "Succeeded",
            "source_ip": "192.0.2.7", **values,
        }
    )  # fmt: skip
    event.save()
    return event


def report(application: Application, authority: Authority = SYSTEM.authority) -> IncidentReport:
    return report_of(application, authority)


def used(application: Application, days_ago: int = 0, **values: object) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    SecretUse.objects.create(
        **{
            "secret": application.secrets.get(), "day": at.date(), "address": "192.0.2.7",
            "agent": "curl/8", "count": 3, "last_at": at, **values,
        }
    )  # fmt: skip


def test_report_has_callers_of_thirty_days(ci: Application) -> None:
    used(ci, 0, count=2)
    used(ci, 3)
    used(ci, 1, address="198.51.100.9", agent="")
    used(ci, 60, address="203.0.113.1")
    assert [(one.address, one.agent, one.count) for one in report(ci).callers] == [
        ("192.0.2.7", "curl/8", 5), ("198.51.100.9", "", 3),
    ]  # fmt: skip


def test_report_separates_operations_from_refusals(ci: Application) -> None:
    old = timezone.now() - timedelta(days=31)
    made = happened(subject_id=ci.pk)
    happened(subject_id=ci.pk, time=old)
    happened(subject_id=ci.pk, action="sign-in", entity_name="ci", entity_id=str(ci.pk))
    denied = happened(subject_id=ci.pk, result="Failed", reason="You need …")
    guessed = happened(
        subject_type="anonymous", action="sign-in", entity_name="ci", result="Failed"
    )
    happened(subject_type="anonymous", action="sign-in", entity_name="other", result="Failed")
    at_scim = happened(
        subject_type="anonymous", action="sign-in", result="Failed",
        entity_name=f"client secret {ci.used_secret.pk}",
    )  # fmt: skip
    happened(subject_id=uuid.uuid4())
    shown = report(ci)
    assert shown.operations == [made]
    assert shown.refusals == [at_scim, guessed, denied]
    assert shown.is_complete


def test_report_says_how_far_back_it_goes(ci: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_reports, "MAX_SCANNED", 2)
    events = [happened(subject_id=ci.pk) for _ in range(4)]
    shown = report(ci)
    assert shown.operations == events[:0:-1]
    assert (shown.is_complete, shown.audited_since) == (False, events[1].time)


def test_refusals_do_not_push_operations_out(
    ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_reports, "MAX_ROWS", 2)
    made = happened(subject_id=ci.pk)
    refused = [happened(subject_id=ci.pk, result="Failed") for _ in range(2)]
    assert report(ci).is_complete
    refused.append(happened(subject_id=ci.pk, result="Failed"))
    shown = report(ci)
    assert (shown.operations, shown.refusals) == ([made], refused[:0:-1])
    assert shown.audited_since == refused[1].time
    happened(subject_type="anonymous", action="sign-in", entity_name="ci", result="Failed")
    assert report(ci).audited_since == refused[2].time


def test_missing_callers_are_said(ci: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_reports, "MAX_ROWS", 2)
    for days in range(2):
        used(ci, days, address=f"192.0.2.{days}")
    assert report(ci).is_complete
    used(ci, 2, address="192.0.2.2")
    shown = report(ci)
    assert [one.address for one in shown.callers] == ["192.0.2.0", "192.0.2.1"]
    assert (shown.is_complete, shown.callers_since) == (False, shown.callers[1].last_at)
    assert next(csv_rows(shown))[0] == "Incomplete"


def test_report_without_permission_for_the_audit_log_has_only_callers(
    acme: Organization, ci: Application
) -> None:
    happened(subject_id=ci.pk)
    used(ci)
    shown = report(ci, factories.caller(factories.person("dina@acme.example")).authority)
    assert (len(shown.callers), shown.operations, shown.refusals) == (1, None, None)


def test_cost_of_a_report_does_not_depend_on_its_size(ci: Application) -> None:
    queries = []
    for number in range(2):
        for n in range(20 * number):
            happened(subject_id=ci.pk, result=["Succeeded", "Failed"][n % 2])
            used(ci, address=f"192.0.2.{100 + n}")
        with CaptureQueriesContext(connection) as captured:
            list(csv_rows(report(ci)))
        queries.append(len(captured))
    assert queries == [7, 7]


def test_queries_of_a_report_use_indexes(ci: Application) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans tables of a few rows.")
    with CaptureQueriesContext(connection) as captured:
        report(ci)
    plans = [plan_of(query["sql"]) for query in captured]
    assert not [plan for plan in plans if "SCAN" in plan.replace("SCAN CONSTANT", "")], plans
    assert sum("audit_subject_time" in plan for plan in plans) == 3
    assert sum("audit_by_entity_name" in plan for plan in plans) == 2, plans


def test_names_are_found_by_their_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans tables of a few rows.")
    conditions = {
        "entity": equals("entity_name", "ci"),
        "subject": equals("subject_name", "ci"),
        "history": history_of("application", str(uuid.uuid4()), "ci")[-1],
    }
    plans = {
        name: AuditEvent.objects.filter(condition).order_by("-time").explain()
        for name, condition in conditions.items()
    }
    assert "audit_by_entity_name" in plans["entity"]
    assert "audit_by_subject_name" in plans["subject"]
    assert "audit_by_entity_name" in plans["history"], plans
