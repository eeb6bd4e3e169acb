"""Our API for deleted applications, and for applications like another one."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accessrules.models import AccessRule
from applications.models import TRASH_DAYS, Application, DeletedApplication
from applications.oauth.secret_verification import authenticate
from tests import factories
from tests.api.conftest import As, Organization

LIST = "/api/v1/deleted-service-accounts"
BASES = {"apps": "secret", "service-accounts": "clientSecret"}


@pytest.fixture
def api(as_: As, administrator: Application) -> Client:
    return as_(administrator)


def post(client: Client, url: str, body: Any = None, **headers: str) -> Any:
    return client.post(url, json.dumps(body or {}), "application/json", headers=headers)


@pytest.mark.parametrize("base", BASES)
def test_deleted_application_is_listed_and_restored(
    api: Client, organization: Organization, base: str
) -> None:
    target = factories.application("target", ("Viewer", organization.training))
    assert api.delete(f"/api/v1/{base}/{target.pk}").status_code == 204
    (listed,) = api.get(LIST).json()
    rule = {"role": "Viewer", "scope": "project training"}
    assert (listed["id"], listed["name"], listed["deletedBy"]) == (str(target.pk), "target", "root")
    assert listed["accessRules"] == [rule]
    answer = post(api, f"/api/v1/{base}/{target.pk}/restore")
    assert answer.status_code == 200
    assert answer.json()["lostAccessRules"] == []
    assert answer.json()["application"] == api.get(f"/api/v1/{base}/{target.pk}").json()
    assert api.get(LIST).json() == []
    assert post(api, f"/api/v1/{base}/{target.pk}/restore").status_code == 404


def test_taken_name_and_lost_rules_are_reported(api: Client, organization: Organization) -> None:
    gone = factories.deleted_application("target", ("Viewer", organization.training))
    taken = factories.application("target")
    url = f"/api/v1/apps/{gone.pk}/restore"
    answer = post(api, url)
    assert answer.status_code == 409
    assert "The name target is taken" in answer.json()["details"]
    api.delete(f"/api/v1/apps/{taken.pk}")
    organization.training.delete()
    assert post(api, url).json()["lostAccessRules"] == [
        {"role": "Viewer", "scope": "project training"}
    ]


def test_rules_are_hidden_from_callers_who_cannot_read_all(
    as_: As, organization: Organization
) -> None:
    factories.custom_role("Application manager", apps="crud")
    manager = factories.application("manager", ("Application manager", factories.account()))
    gone = factories.deleted_application("target", ("Viewer", organization.training))
    (listed,) = as_(manager).get(LIST).json()
    assert listed["accessRules"] is None
    answer = post(as_(manager), f"/api/v1/apps/{gone.pk}/restore")
    assert answer.status_code == 403
    assert not Application.objects.filter(pk=gone.pk).exists()


def test_list_is_filtered_sorted_and_paged(api: Client, db: None) -> None:
    for name in ("b", "a", "c"):
        factories.deleted_application(f"target-{name}", deleted_by=f"by-{name}")
    answer = api.get(LIST, {"sortBy": "deletedBy", "sortOrder": "desc", "limit": 2})
    assert [one["name"] for one in answer.json()] == ["target-c", "target-b"]
    assert answer.headers["X-Total-Count"] == "3"
    answer = api.get(LIST, {"filterBy": "deletedBy==by-a,name=^target"})
    assert [one["name"] for one in answer.json()] == ["target-a"]


@pytest.mark.parametrize("field", ["createdAt", "deletedAt"])
def test_expired_applications_are_not_counted(api: Client, db: None, field: str) -> None:
    for number in range(6):
        factories.deleted_application(f"target-{number}")
    expired = DeletedApplication.objects.filter(name__in=["target-0", "target-1"])
    expired.update(deleted_at=timezone.now() - timedelta(days=TRASH_DAYS + 1))
    condition = {"filterBy": f"{field}>=2000-01-01T00:00:00Z", "limit": 2}
    found = [api.get(LIST, {**condition, "offset": offset}) for offset in (0, 2, 4)]
    assert [answer.headers["X-Total-Count"] for answer in found] == ["4"] * 3
    names = [one["name"] for answer in found for one in answer.json()]
    assert names == ["target-2", "target-3", "target-4", "target-5"]


@pytest.mark.parametrize("base", BASES)
def test_application_like_another_one_has_its_rules(
    as_: As, api: Client, organization: Organization, base: str
) -> None:
    target = factories.application("target", ("Viewer", organization.training))
    url = f"/api/v1/{base}/{target.pk}/copies"
    answer = post(api, url, {"name": "copy"}, **{"Idempotency-Key": "1"})
    assert answer.status_code == 201
    made = answer.json()
    assert authenticate("copy", made.pop(BASES[base]))
    assert made == {
        "id": made["id"], "name": "copy", "clientId": "copy",
        "accessRules": [{"role": "Viewer", "scope": "project training", "expiresAt": None}],
        "skippedAccessRules": [],
    }  # fmt: skip
    assert AccessRule.objects.get(subject__name="copy").scope == organization.training
    again = post(api, url, {"name": "copy"}, **{"Idempotency-Key": "1"})
    assert again.status_code == 409
    assert post(api, url, {"name": "target"}).status_code == 409
    assert post(api, url, {"name": "-"}).status_code == 400
    assert Application.objects.filter(subject__name="copy").count() == 1


def test_rules_that_the_caller_cannot_grant_are_reported(
    as_: As, organization: Organization
) -> None:
    factories.custom_role("Application manager", apps="cr", access_rules="r")
    manager = factories.application("manager", ("Application manager", factories.account()))
    target = factories.application("target", ("Viewer", organization.training))
    made = post(as_(manager), f"/api/v1/apps/{target.pk}/copies", {"name": "copy"}).json()
    assert made["accessRules"] == []
    assert made["skippedAccessRules"] == [
        {"role": "Viewer", "scope": "project training", "expiresAt": None}
    ]
