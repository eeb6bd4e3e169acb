"""/api/v1/users and /api/v1/audit/log."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from applications.actions.creation import create_application
from applications.models import Application
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users"
LOG = "/api/v1/audit/log"


def span() -> dict[str, str]:
    now = timezone.now()
    return {
        "start": (now - timedelta(hours=1)).isoformat(),
        "end": (now + timedelta(hours=1)).isoformat(),
    }


def test_users_are_listed_counted_and_read(as_: As, administrator: Application) -> None:
    ada = factories.person("ada@acme.example")
    factories.person("bob@acme.example")
    factories.group("engineers", ada)
    client = as_(administrator)
    users = client.get(USERS).json()
    assert [user["username"] for user in users] == ["ada@acme.example", "bob@acme.example"]
    assert users[0]["groups"] == ["engineers"]
    assert users[0]["isLocal"] is True
    assert client.get(f"{USERS}/count").json() == {"count": 2}
    assert client.get(f"{USERS}/{ada.pk}").json() == users[0]
    assert not {"password", "enabled"} & set(users[0])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"filterBy": "username=@ADA"}, ["ada@acme.example"]),
        ({"filterBy": "isLocal==false"}, []),
        ({"filter": "runai.is_local:true"}, ["ada@acme.example", "bob@acme.example"]),
        ({"filter": "runai.is_local:false"}, []),
        ({"sortBy": "username", "sortOrder": "desc"}, ["bob@acme.example", "ada@acme.example"]),
        ({"search": "bob"}, ["bob@acme.example"]),
    ],
)
def test_users_can_be_filtered_and_sorted(
    as_: As, administrator: Application, query: dict[str, str], names: list[str]
) -> None:
    factories.person("ada@acme.example")
    factories.person("bob@acme.example")
    found = as_(administrator).get(USERS, query).json()
    assert [user["username"] for user in found] == names


def test_a_department_administrator_lists_the_users_of_the_department(
    as_: As, organization: Organization
) -> None:
    factories.person("ada@acme.example", "Viewer", organization.training)
    bob = factories.person("bob@acme.example", "Viewer", organization.speech)
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    assert [user["username"] for user in client.get(USERS).json()] == ["ada@acme.example"]
    assert client.get(f"{USERS}/{bob.pk}").status_code == 404
    assert as_(factories.application("newcomer")).get(USERS).status_code == 403


def test_only_visible_groups_are_included(as_: As, organization: Organization) -> None:
    ada = factories.person("ada@acme.example", "Viewer", organization.training)
    seen, hidden = factories.group("seen", ada), factories.group("hidden", ada)
    factories.rule(seen, "Viewer", organization.training)
    factories.rule(hidden, "Viewer", organization.speech)
    lead = factories.application("lead", ("Department administrator", organization.vision))
    assert as_(lead).get(f"{USERS}/{ada.pk}").json()["groups"] == ["seen"]
    operator = factories.application("olga", ("Cloud operator", factories.account()))
    assert as_(operator).get(USERS).json()[0]["groups"] == []


@pytest.mark.parametrize("id_", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_user_is_404(as_: As, administrator: Application, id_: str) -> None:
    assert as_(administrator).get(f"{USERS}/{id_}").status_code == 404


def test_the_audit_log_contains_who_did_what(as_: As, administrator: Application) -> None:
    create_application(caller=factories.caller(administrator, "192.0.2.7"), name="nightly")
    answer = as_(administrator).get(LOG, span()).json()
    assert answer["total"] == 1
    [event] = answer["audit_logs"]
    assert (event["subject"], event["subject_type"]) == ("root", "App")
    assert (event["action"], event["result"]) == ("create", "Succeeded")
    assert (event["entity_type"], event["entity_name"]) == ("application", "nightly")
    assert event["source_ip"] == "192.0.2.7"
    assert event["tenant_id"] == "1001"


def test_the_audit_log_can_be_filtered_and_paged(as_: As, administrator: Application) -> None:
    for name in ("one", "two", "three"):
        create_application(caller=factories.caller(administrator), name=name)
    client = as_(administrator)
    page = client.get(LOG, {**span(), "numberOfSamples": "2"}).json()
    assert (page["total"], len(page["audit_logs"]), page["next"]) == (3, 2, 2)
    found = client.get(LOG, {**span(), "filterBy": "entity_name==two,action==create"}).json()
    assert [event["entity_name"] for event in found["audit_logs"]] == ["two"]
    assert client.get(LOG, {**span(), "numberOfSamples": "0"}).json()["audit_logs"] == []
    for bad in ({"limit": "true"}, {"numberOfSamples": "many"}):
        answer = client.get(LOG, {**span(), "numberOfSamples": "2", **bad})
        assert answer.status_code == 400
        assert answer.json()["details"].startswith(next(iter(bad)))


def test_the_audit_log_contains_only_actions_of_the_contract(
    as_: As, administrator: Application
) -> None:
    """Denied reads are in the audit log, but neither listed nor counted in this response."""
    stranger = as_(factories.application("stranger"))
    assert stranger.get("/api/v1/apps").status_code == 403
    assert stranger.delete(f"/api/v1/apps/{administrator.pk}").status_code == 403
    assert AuditEvent.objects.filter(action="read").exists()
    for selected in ({}, {"search": "/api"}, {"filterBy": "action!=create"}):
        answer = as_(administrator).get(LOG, {**span(), **selected})
        assert answer.json()["total"] == int(answer.headers["X-Total-Count"]) == 1
        assert [event["action"] for event in answer.json()["audit_logs"]] == ["delete"]


def test_subjects_other_than_applications_have_the_type_user(
    as_: As, administrator: Application
) -> None:
    create_application(caller=SYSTEM, name="nightly")
    create_application(caller=factories.caller(administrator), name="weekly")
    for type_, name in (("User", "nightly"), ("app", "weekly")):
        parameters = {**span(), "filterBy": f"subject_type=={type_}"}
        [event] = as_(administrator).get(LOG, parameters).json()["audit_logs"]
        assert event["entity_name"] == name


@pytest.mark.parametrize("missing", ["start", "end"])
def test_the_audit_log_requires_both_times(
    as_: As, administrator: Application, missing: str
) -> None:
    answer = as_(administrator).get(LOG, {**span(), missing: ""})
    assert answer.status_code == 400
    assert missing in answer.json()["details"]


def test_only_account_administrators_can_read_the_audit_log(
    as_: As, organization: Organization
) -> None:
    almost: Any = factories.application("almost", ("System administrator", organization.cluster))
    assert as_(almost).get(LOG, span()).status_code == 403
    assert Client().get(LOG, span()).status_code == 401
