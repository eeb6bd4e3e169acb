"""The number of queries of an API write doesn't depend on the size of the installation."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrules.models import AccessRule
from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
RULES = "/api/v1/authorization/access-rules"
FEW, MANY = 10, 400


def create(application: Application) -> tuple[str, str, Any]:
    return "POST", "/api/v1/apps", {"name": f"{application.name}-new"}


def grant(application: Application) -> tuple[str, str, Any]:
    account = factories.account()
    wanted = {
        "subjectId": application.name, "subjectType": "app", "roleId": factories.role("Viewer").pk,
        "scopeId": account.uid, "scopeType": account.type,
    }  # fmt: skip
    return "POST", RULES, wanted


def regenerate(application: Application) -> tuple[str, str, Any]:
    return "POST", f"/api/v1/apps/{application.pk}/secret", None


def disable(application: Application) -> tuple[str, str, Any]:
    return "PATCH", f"/api/v1/apps/{application.pk}", {"enabled": False}


def revoke(application: Application) -> tuple[str, str, Any]:
    rule = AccessRule.objects.filter(subject=application.subject).first()
    assert rule
    return "DELETE", f"{RULES}/{rule.pk}", None


def delete(application: Application) -> tuple[str, str, Any]:
    return "DELETE", f"/api/v1/apps/{application.pk}", None


@pytest.mark.parametrize("write", [create, grant, regenerate, disable, revoke, delete])
@pytest.mark.usefixtures("known_keys")
def test_the_number_of_queries_of_a_write_is_constant(
    as_: As,
    administrator: Application,
    organization: Organization,
    write: Callable[[Application], tuple[str, str, Any]],
) -> None:
    client, rules = as_(administrator), [("Viewer", organization.vision)]
    small = factories.many_applications(FEW, *rules)
    cost(client, *write(small[-1]))  # the first request loads the signing keys
    few = cost(client, *write(small[0]))
    rules += [("Viewer", organization.speech), ("Editor", organization.training)]
    large = factories.many_applications(MANY, *rules)
    assert cost(client, *write(large[0])) == few


def cost(client: Client, method: str, path: str, body: Any) -> int:
    """Send the request and return the number of queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.generic(method, path, json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 201, 204), answer.content
    return len(queries)
