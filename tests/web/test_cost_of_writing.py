"""The number of queries of a write is the same in small and large installations."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrules.models import AccessRule
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn

FEW, MANY = 10, 400


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def create(application: Application) -> tuple[str, dict[str, object]]:
    return "new/", {"name": f"{application.name}-new", "submission": uuid.uuid4()}


def grant(application: Application) -> tuple[str, dict[str, object]]:
    rule = {"role": factories.role("Viewer").pk, "scope": factories.account().pk}
    return f"{application.pk}/access-rules/", {**rule, "do": "save"}


def regenerate(application: Application) -> tuple[str, dict[str, object]]:
    return f"{application.pk}/regenerate/", {"submission": uuid.uuid4()}


def disable(application: Application) -> tuple[str, dict[str, object]]:
    return f"{application.pk}/disable/", {}


def revoke(application: Application) -> tuple[str, dict[str, object]]:
    rule = AccessRule.objects.filter(subject=application.subject).first()
    assert rule
    return f"{application.pk}/access-rules/{rule.pk}/delete/", {}


def delete(application: Application) -> tuple[str, dict[str, object]]:
    return f"{application.pk}/delete/", {}


@pytest.mark.parametrize("write", [create, grant, regenerate, disable, revoke, delete])
def test_number_of_queries_of_a_write_is_independent_of_the_table_size(
    browser: Client,
    acme: Organization,
    write: Callable[[Application], tuple[str, dict[str, object]]],
) -> None:
    rules = [("Viewer", acme.vision), ("Editor", acme.vision)]
    few = cost(browser, *write(factories.many_applications(FEW, *rules)[0]))
    rules += [("Viewer", acme.speech), ("Editor", acme.training)]
    assert cost(browser, *write(factories.many_applications(MANY, *rules)[0])) == few


def cost(browser: Client, path: str, form: dict[str, object]) -> int:
    """Submit the form and return the number of queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post(f"/applications/{path}", form, headers=DIALOG)
    assert answer.status_code in (200, 204), answer.content
    return len(queries)
