"""The Overview counts what needs attention, and each number links to exactly those rows."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.models import Subject
from applications.models import Application, TokenCount
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.lists import selection
from runai_access.maintenance.models import record_run
from tests import factories
from tests.web.conftest import Organization, SignedIn, text_of

pytestmark = pytest.mark.django_db

OVERVIEW = "/overview/"
MAX_QUERIES = 32
NUMBERS = {
    "unusedFor90Days": 1, "neverUsed": 7, "disabled": 1, "withoutOwner": 8, "withoutAccessRules": 8,
    "secretsExpiring": 2, "secretsExpired": 2, "secretsOlderThanAYear": 1,
    "administratorRules": 2, "refusals": 1,
}  # fmt: skip


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


@pytest.fixture
def company(ada: User, acme: Organization) -> None:
    """One application for each number, and an application that only `neverUsed` counts."""
    now = timezone.now()

    def application(name: str, **fields: Any) -> Application:
        made = factories.application(name)
        Application.objects.filter(pk=made.pk).update(**fields)
        return made

    application("unused", last_login=now - timedelta(days=91))
    application("used", last_login=now - timedelta(days=89))
    disabled = application("off")
    Subject.objects.filter(pk=disabled.pk).update(enabled=False)
    application("expiring").secrets.update(expires_at=now + timedelta(days=29))
    application("later").secrets.update(expires_at=now + timedelta(days=31))
    application("expired").secrets.update(expires_at=now - timedelta(days=1))
    replaced = application("replaced")
    replaced.secrets.update(expires_at=now - timedelta(days=1))
    factories.client_secret(replaced, expires_at=now + timedelta(days=29))
    application("old").secrets.update(created_at=now - timedelta(days=366))
    owned = application("owned", owner=ada.subject)
    factories.rule(owned, "Department administrator", acme.vision)  # ada has the other such rule
    for hours, result in ((23, "Failed"), (25, "Failed"), (1, "Succeeded")):
        AuditEvent.objects.create(
            time=now - timedelta(hours=hours), action="sign-in", result=result
        )


def numbers(browser: Client) -> dict[str, Any]:
    """Return the numbers of the page by name."""
    overview = browser.get(OVERVIEW).context["overview"]
    return {number.name: number for number in overview.numbers}


@pytest.mark.usefixtures("company")
def test_each_number_counts_the_rows_of_its_link(browser: Client) -> None:
    found = numbers(browser)
    assert {name: number.count.number for name, number in found.items()} == NUMBERS
    for number in found.values():
        page = browser.get(number.url)
        assert (number.name, page.context["list"].count) == (number.name, number.count)
        assert page.context["list"].ignored == []
        assert page.context["list"].chips


def test_page_shows_numbers_as_links(browser: Client, company: None) -> None:
    link = '<a href="/applications/?last_login__days_ago=90"><strong>1</strong>'
    assert f"{link} <span>Unused for 90 days" in browser.get(OVERVIEW).content.decode()


def test_json_link_works_in_the_session(browser: Client) -> None:
    content = browser.get(OVERVIEW).content.decode()
    assert 'href="/api/v1/overview"' in content
    assert browser.get("/api/v1/overview").status_code == 200


def test_number_beyond_the_counted_rows_is_a_lower_bound(
    browser: Client, company: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "COUNTED", 2)
    found = numbers(browser)
    assert str(found["neverUsed"].count) == "2+"
    assert str(found["refusals"].count) == "1"


def test_query_count_does_not_depend_on_the_number_of_rows(
    browser: Client, acme: Organization
) -> None:
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as queries:
            browser.get(OVERVIEW)
        counts.append(len(queries))
        for each in range(5 * number + 1):
            factories.application(f"app-{number}-{each}", ("Department administrator", acme.vision))
        TokenCount.objects.create(day=timezone.now() - timedelta(days=number), count=1)
    assert len(set(counts)) == 1
    assert counts[0] <= MAX_QUERIES


@pytest.mark.parametrize("role", ["Auditor", "Application administrator"])
def test_others_start_at_applications(as_: SignedIn, role: str) -> None:
    theirs = as_(factories.person("omar@acme.example", role))
    assert theirs.get("/").url == "/applications/"
    assert 'href="/overview/"' not in theirs.get("/applications/").content.decode()
    assert theirs.get(OVERVIEW).status_code == 403


def test_administrator_of_a_cluster_has_no_overview(acme: Organization, as_: SignedIn) -> None:
    cleo = factories.person("cleo@acme.example", "System administrator", acme.east)
    assert as_(cleo).get(OVERVIEW).status_code == 403


# Issued tokens.


def test_chart_and_table_show_the_tokens_of_each_day(browser: Client) -> None:
    today = timezone.now().date()
    for days, count in ((0, 1_500), (1, 3_000), (89, 1), (90, 500)):
        TokenCount.objects.create(day=today - timedelta(days=days), count=count)
    page = browser.get(OVERVIEW)
    content, text = page.content.decode(), text_of(page)
    assert "4,501 in the last 90 days, in UTC." in text
    assert "Today: 1,500." in text
    bars = re.findall(r'<rect x="(\d+)" y="(\d+)" width="6" height="(\d+)">', content)
    assert bars == [("0", "119", "1"), ("704", "0", "120"), ("712", "60", "60")]
    assert re.findall(r'<th scope="row">[^<]+</th><td>([\d,]+)</td>', content)[:3] == [
        "1,500", "3,000", "0",
    ]  # fmt: skip


def test_page_without_tokens_has_an_empty_chart(browser: Client) -> None:
    page = browser.get(OVERVIEW)
    assert "0 in the last 90 days, in UTC. Today: 0." in text_of(page)
    assert "<rect x=" not in page.content.decode()


# The audit log.


def test_audit_log_shows_sealing_and_verification(browser: Client) -> None:
    content = browser.get(OVERVIEW).content.decode()
    assert "rows wait" in content
    overdue = '<strong class="badge badge-warning">Overdue</strong>'
    assert re.search(rf"<dt>Last verify_audit</dt>\s*<dd>\s*{overdue}", content)
    record_run("verify_audit", detail="Head 1:abc")
    assert "Head 1:abc" in text_of(browser.get(OVERVIEW))
    assert overdue not in browser.get(OVERVIEW).content.decode()
