"""The Overview in the API and as a command."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from applications.models import Application, TokenCount
from tests import factories
from tests.api.conftest import As

pytestmark = pytest.mark.django_db

OVERVIEW = "/api/v1/overview"


def test_overview_has_numbers_tokens_and_the_audit_log(administrator: Application, as_: As) -> None:
    factories.application("ci")
    TokenCount.objects.create(day=timezone.now().date(), count=7)
    overview = as_(administrator).get(OVERVIEW).json()
    numbers = {number["name"]: number for number in overview["numbers"]}
    assert numbers["withoutAccessRules"] == {
        "name": "withoutAccessRules",
        "title": "Without access rules",
        "count": 1,
        "exact": True,
        "url": "/applications/?access_rules__none=1",
    }
    assert len(overview["tokensPerDay"]) == 90
    assert overview["tokensPerDay"][-1] == {"day": f"{timezone.now():%Y-%m-%d}", "tokens": 7}
    facts = {fact["name"]: fact for fact in overview["auditLog"]}
    assert facts["Last verify_audit"] == {
        "name": "Last verify_audit", "value": "Never", "time": None, "overdue": True,
    }  # fmt: skip


def test_overview_requires_the_account(as_: As) -> None:
    auditor = factories.application("auditor", ("Auditor", factories.account()))
    cluster = factories.cluster("east")
    narrow = factories.application("narrow", ("System administrator", cluster))
    for application in (auditor, narrow):
        assert as_(application).get(OVERVIEW).status_code == 403


def test_command_shows_the_same(administrator: Application, as_: As) -> None:
    Application.objects.update(last_login=timezone.now() - timedelta(days=100))
    TokenCount.objects.create(day=timezone.now().date(), count=1_234)
    text, document = StringIO(), StringIO()
    call_command("overview", stdout=text)
    call_command("overview", "--json", stdout=document)
    lines = [line.strip() for line in text.getvalue().splitlines()]
    assert "1  Unused for 90 days" in lines
    assert "1,234  Today (UTC)" in lines
    assert "Last verify_audit: Never (overdue)" in lines
    assert json.loads(document.getvalue()) == as_(administrator).get(OVERVIEW).json()
