"""Dormancy on the page of an application, in its list, in the API, the command and the Overview."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from applications.dormancy import apply_policy
from applications.models import Application
from applications.oauth.tokens import issue
from runai_access.accounts.models import User
from runai_access.environment import DormancyPolicy
from tests import factories
from tests.web.conftest import SignedIn, column, text_of

pytestmark = pytest.mark.django_db

LIST = "/applications/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


@pytest.fixture
def company(settings: Settings) -> dict[str, Application]:
    """A used application, one that was warned, and one that was disabled."""
    now, made = timezone.now(), {}
    settings.DORMANCY = DormancyPolicy(60, 90)
    for name, days in (("used", 1), ("warned", 70), ("disabled", 120)):
        made[name] = factories.application(name)
        created_at = now - timedelta(days=200)
        Application.objects.filter(pk=made[name].pk).update(
            created_at=created_at, last_login=now - timedelta(days=days)
        )
    apply_policy()
    disabled = Application.objects.filter(pk=made["disabled"].pk)
    disabled.update(dormancy_since=now - timedelta(days=31))
    apply_policy()
    return made


def test_page_says_that_it_was_warned_or_disabled(
    browser: Client, company: dict[str, Application]
) -> None:
    pages = {name: text_of(browser.get(one.get_absolute_url())) for name, one in company.items()}
    assert "Warned because unused" in pages["warned"]
    assert "Will be disabled from" in pages["warned"]
    assert "Disabled because unused" in pages["disabled"]
    assert "Enable it to use it again." in pages["disabled"]
    assert "unused" not in pages["used"].lower()


@pytest.mark.parametrize(
    ("values", "names"),
    [("warned", ["warned"]), (["warned", "disabled"], ["disabled", "warned"])],
)
def test_list_shows_and_filters_dormancy(
    browser: Client, company: dict[str, Application], values: Any, names: list[str]
) -> None:
    query = {"columns": "application,dormancy", "sort": "application"}
    page = browser.get(LIST, {**query, "dormancy__any_of": values})
    assert [name.split()[0] for name in column(page, "application")] == names
    assert [cell.split()[0].lower() for cell in column(page, "dormancy")] == names
    file = browser.get("/applications/applications.csv", query).getvalue().decode()
    assert [line.split(",")[1] for line in file.splitlines()[1:]] == ["disabled", "", "warned"]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("dormancy==warned", ["warned"]),
        ("dormancy!=warned", ["disabled", "root", "used"]),
        ("dormancy==null", ["root", "used"]),
        ("dormancy!=null", ["disabled", "warned"]),
        ("dormancy=^dis", ["disabled"]),
        ("dormancy==other", []),
    ],
)
def test_api_shows_and_filters_dormancy(
    company: dict[str, Application], condition: str, names: list[str]
) -> None:
    root = factories.application("root", ("System administrator", factories.account()))
    client = Client(headers={"Authorization": f"Bearer {issue(root).text}"})
    found = client.get("/api/v1/service-accounts", {"filterBy": condition}).json()
    assert [one["name"] for one in found] == names
    for one in found:
        state = one["name"] if one["name"] in ("warned", "disabled") else None
        assert one["dormancy"] == state
        assert (one["dormancySince"] is None) == (state is None)


def test_overview_counts_both_with_a_policy(
    browser: Client, company: dict[str, Application], settings: Settings
) -> None:
    numbers = {one.name: one for one in browser.get("/overview/").context["overview"].numbers}
    for name, expected in (
        ("warnedBecauseUnused", "warned"),
        ("disabledBecauseUnused", "disabled"),
    ):
        assert numbers[name].count.number == 1
        shown = column(browser.get(numbers[name].url), "application")
        assert [cell.split()[0] for cell in shown] == [expected]
    settings.DORMANCY = DormancyPolicy()
    assert "because unused" not in text_of(browser.get("/overview/"))


# The command.


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("apply_dormancy_policy", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_dry_run_lists_who_is_affected_and_why(settings: Settings) -> None:
    now = timezone.now()
    settings.DORMANCY = DormancyPolicy(60, 90)
    never, unused = factories.application("never"), factories.application("unused")
    again = factories.application("again")
    created_at = now - timedelta(days=70)
    Application.objects.update(created_at=created_at)
    Application.objects.filter(pk=unused.pk).update(
        last_login=now - timedelta(days=95),
        created_at=now - timedelta(days=99),
        dormancy="warned",
        dormancy_since=now - timedelta(days=31),
    )
    Application.objects.filter(pk=again.pk).update(enabled_at=now - timedelta(days=65))
    day = {days: f"{now - timedelta(days=days):%Y-%m-%d}" for days in (95, 70, 65, 31)}
    lines = [
        f"disable  unused  unused for 95 days: last used {day[95]}, warned {day[31]}",
        f"warn     never  unused for 70 days: created {day[70]}",
        f"warn     again  unused for 65 days: enabled {day[65]}",
        "2 to warn, 1 to disable, 0 excluded by a label. Nothing was changed.",
    ]
    assert run("--dry-run") == lines
    assert run("--dry-run") == lines, "it changed something"
    assert run() == ["2 warned, 1 disabled, 0 warnings ended."]
    assert Application.objects.get(pk=never.pk).dormancy == "warned"


def test_command_without_a_policy_names_the_settings() -> None:
    with pytest.raises(CommandError, match="Set RUNAI_ACCESS_DORMANCY_WARN_DAYS or"):
        run("--dry-run")
