"""The CONTAIN dialog, the report, and REPLACE SECRET AND ENABLE."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import incident_reports
from applications.models import Application, SecretUse
from applications.oauth.secret_verification import authenticate
from applications.views import containment
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import (
    DIALOG,
    Organization,
    SignedIn,
    column,
    secret_in,
    submission_in,
    text_of,
)

LIST = "/applications/"


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training))


@pytest.fixture
def browser(as_: SignedIn, ada: User) -> Client:
    return as_(ada)


def url(name: str, ci: Application) -> str:
    return reverse(f"applications:{name}", args=[ci.pk])


@pytest.fixture
def contained(browser: Client, ci: Application) -> Application:
    browser.post(url("contain", ci))
    return ci


def test_containing_leads_to_the_report_and_back(browser: Client, ci: Application) -> None:
    page = browser.get(ci.get_absolute_url())
    assert url("contain", ci) in page.content.decode()
    dialog = text_of(browser.get(url("contain", ci)))
    assert "Contain ci?" in dialog
    assert "It keeps its access rules." in dialog
    answer = browser.post(url("contain", ci), headers=DIALOG)
    assert answer.headers["HX-Redirect"] == url("report", ci)
    report = text_of(browser.get(url("report", ci)))
    assert "Application ci contained." in report
    assert "Contained just now by ada@acme.example." in report
    assert "REPLACE SECRET AND ENABLE" in report
    page = browser.get(ci.get_absolute_url())
    assert "REPLACE SECRET AND ENABLE" in text_of(page)
    assert url("contain", ci) not in page.content.decode()
    assert "Contained just now by ada@acme.example." in text_of(browser.get(url("contain", ci)))


def test_replacing_shows_the_new_secret_once(browser: Client, contained: Application) -> None:
    address = url("replace-and-enable", contained)
    number = {"submission": submission_in(browser.get(address))}
    answer = browser.post(address, number, headers=DIALOG)
    assert answer.headers["Cache-Control"] == "no-store"
    assert authenticate("ci", secret_in(answer))
    page = text_of(browser.get(contained.get_absolute_url()))
    assert "Application ci enabled with a new client secret." in page
    assert "Enabled" in page
    again = browser.post(address, number, headers=DIALOG)
    assert (again.status_code, "Already done" in text_of(again)) == (409, True)
    other = {"submission": submission_in(browser.get(address))}
    refused = browser.post(address, other, headers=DIALOG)
    assert (refused.status_code, "ci is not contained." in text_of(refused)) == (409, True)


def test_pages_offer_to_contain_again_after_a_new_secret(
    browser: Client, contained: Application
) -> None:
    pages = [contained.get_absolute_url(), url("report", contained)]
    assert not any(b'id="do-contain"' in browser.get(page).content for page in pages)
    factories.client_secret(contained)
    assert all(b'id="do-contain"' in browser.get(page).content for page in pages)


def test_enabling_asks_before_old_secrets_work_again(
    browser: Client, contained: Application
) -> None:
    dialog = text_of(browser.get(url("enable", contained)))
    assert f"ras_{contained.used_secret.pk}_…" in dialog
    assert "None of them leaked." in dialog
    answer = browser.post(url("enable", contained), headers=DIALOG)
    assert answer.status_code == 409
    assert "its client secrets from before would work again" in text_of(answer)
    bulk = browser.post(f"{LIST}bulk/enable/", {"selected": str(contained.pk)})
    assert "Not done: ci is contained" in text_of(bulk)
    assert not Application.objects.get().enabled
    browser.post(url("enable", contained), {"trusts_old_secrets": "on"})
    assert Application.objects.get().enabled


def test_enabling_does_not_ask_if_old_secrets_are_revoked(
    browser: Client, contained: Application
) -> None:
    contained.secrets.update(revoked_at=timezone.now())
    assert "None of them leaked." not in text_of(browser.get(url("enable", contained)))
    assert browser.post(url("enable", contained), headers=DIALOG).status_code == 204


def test_confirming_is_required_for_administrators(
    browser: Client, contained: Application, settings: Any
) -> None:
    factories.rule(contained, "System administrator", factories.account())
    settings.REAUTHENTICATION_SECONDS = -1
    for name in ("replace-and-enable", "enable"):
        answer = browser.get(url(name, contained))
        assert answer.url.startswith("/account/confirm/")
    address = f"/api/v1/apps/{contained.pk}"
    change = {"enabled": True, "contained": False}
    assert browser.patch(address, change, "application/json").status_code == 403
    assert not Application.objects.get().enabled


def test_list_filters_contained_applications(browser: Client, contained: Application) -> None:
    off = factories.application("off")
    off.subject.enabled = False
    off.subject.save()
    factories.application("on")

    def found(*statuses: str) -> list[str]:
        query = {"status__is": statuses, "columns": "application,status", "sort": "application"}
        page = browser.get(LIST, query)
        names = [name.split()[0] for name in column(page, "application")]
        return [f"{a} {b}" for a, b in zip(names, column(page, "status"), strict=True)]

    assert found("contained") == ["ci Contained"]
    assert found("disabled") == ["ci Contained", "off Disabled"]
    assert found("contained", "enabled") == ["ci Contained", "on Enabled"]
    assert "Contained" in text_of(browser.get(LIST, {"status__is": "contained"}))
    file = browser.get(f"{LIST}applications.csv", {"columns": "application,status"})
    assert "ci,contained" in file.getvalue().decode()


def events(ci: Application, number: int, **values: Any) -> None:
    for n in range(number):
        AuditEvent(
            subject_type="app", subject_id=ci.pk, subject_name="ci", action="create",
            entity_type="application", entity_name=f"=made-{n}", result="Succeeded",
            source_ip="192.0.2.7", http_method="POST", path="/api/v1/apps", **values,
        ).save()  # fmt: skip


def used(ci: Application) -> None:
    SecretUse.objects.create(
        secret=ci.used_secret, day=timezone.now().date(), address="192.0.2.7",
        agent="=curl", count=3, last_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


def test_report_is_a_page_and_a_file(browser: Client, ci: Application) -> None:
    used(ci)
    events(ci, 2)
    AuditEvent(
        subject_type="anonymous", subject_name="ci", action="sign-in", entity_type="application",
        entity_name="ci", result="Failed", reason="wrong secret", source_ip="198.51.100.4",
    ).save()  # fmt: skip
    page = text_of(browser.get(url("report", ci)))
    assert "Callers 1" in page
    assert f"192.0.2.7 =curl 3 uses of ras_{ci.used_secret.pk}_…" in page
    assert "Operations 2" in page
    assert "192.0.2.7 created application =made-1" in page
    assert "Refusals 1" in page
    assert "198.51.100.4 tried to sign in · wrong secret" in page
    file = browser.get(url("report-csv", ci))
    assert "ci-last-30-days.csv" in file.headers["Content-Disposition"]
    assert file.headers["Cache-Control"] == "no-store"
    rows = list(csv.reader(file.getvalue().decode("utf-8-sig").splitlines()))
    assert [row[0] for row in rows] == ["Type", "Caller", "Operation", "Operation", "Refusal"]
    assert rows[0][1] == "Time (UTC)"
    assert rows[1][2:6] == ["192.0.2.7", "'=curl", f"ras_{ci.used_secret.pk}_…", "3"]
    assert rows[2][6:] == ["create", "application =made-1", "Succeeded", "", "POST /api/v1/apps"]
    assert rows[4][9] == "wrong secret"


def test_page_shows_the_newest_and_says_so(
    browser: Client, ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containment, "MAX_SHOWN", 2)
    events(ci, 3)
    page = text_of(browser.get(url("report", ci)))
    assert "=made-2" in page
    assert "=made-0" not in page
    assert "The newest 2 of 3." in page


def test_incomplete_report_says_so_everywhere(
    browser: Client, ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_reports, "MAX_ROWS", 2)
    events(ci, 3)
    used(ci)
    assert "ci has too many events." in text_of(browser.get(url("report", ci)))
    file = browser.get(url("report-csv", ci))
    assert "ci-last-30-days-incomplete.csv" in file.headers["Content-Disposition"]
    assert file.headers["X-Row-Limit-Reached"] == "true"
    assert "Operations and refusals before can be missing." in file.getvalue().decode()
    out, errors = StringIO(), StringIO()
    call_command("report_application", "ci", stdout=out, stderr=errors)
    assert "\nIncomplete," in out.getvalue().replace("\r", "")
    assert "The report is incomplete" in errors.getvalue()


def test_file_with_parts_of_the_audit_log_requires_confirming(
    browser: Client, ci: Application, settings: Any
) -> None:
    settings.REAUTHENTICATION_SECONDS = -1
    assert browser.get(url("report", ci)).status_code == 200
    assert browser.get(url("report-csv", ci)).url.startswith("/account/confirm/")


def test_reader_without_the_audit_log_sees_only_callers(
    as_: SignedIn, dina: User, ci: Application
) -> None:
    used(ci)
    events(ci, 1)
    page = text_of(as_(dina).get(url("report", ci)))
    assert "Callers 1" in page
    assert "you need the “View event history” permission" in page
    assert "=made" not in page
    assert "CONTAIN" not in page
    file = as_(dina).get(url("report-csv", ci)).getvalue().decode()
    assert "=curl" in file
    assert "=made" not in file


def test_number_of_queries_does_not_depend_on_the_events(
    browser: Client, ci: Application, django_assert_num_queries: Any
) -> None:
    for number in (1, 20):
        events(ci, number)
        with django_assert_num_queries(11):
            browser.get(url("report", ci))
