"""What a write on a page costs in queries: the same in a small installation and in a large one."""

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

MAX_SORTED_CANDIDATES, MANY = 10, 400


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
def test_a_write_costs_as_many_queries_among_many_as_among_few(
    browser: Client,
    acme: Organization,
    write: Callable[[Application], tuple[str, dict[str, object]]],
) -> None:
    rules = [("Viewer", acme.vision), ("Editor", acme.vision)]
    few = cost(browser, *write(factories.many_applications(MAX_SORTED_CANDIDATES, *rules)[0]))
    rules += [("Viewer", acme.speech), ("Editor", acme.training)]
    assert cost(browser, *write(factories.many_applications(MANY, *rules)[0])) == few


def cost(browser: Client, path: str, form: dict[str, object]) -> int:
    """Send it, and return how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post(f"/applications/{path}", form, headers=DIALOG)
    assert answer.status_code in (200, 204), answer.content
    return len(queries)
