"""Filters, search, columns, page sizes, CSV files, and invalid URL parameters."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from applications.models import Application, search_text_of
from runai_access.accounts.models import User
from runai_access.lists import export, selection
from runai_access.ui.models import TablePreference
from tests import factories
from tests.web.conftest import DIALOG, LISTING, Organization, SignedIn, column, linked_url, text_of

LIST = "/applications/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def _application(name: str, *rules: tuple[str, object], **fields: object) -> Application:
    application = factories.application(name, *rules)
    if "created_by" in fields:
        fields["search_text"] = search_text_of(name, str(fields["created_by"]))
    Application.objects.filter(pk=application.pk).update(**fields)
    return application


def _names(browser: Client, **query: object) -> list[str]:
    return sorted(column(browser.get(LIST, query, headers=LISTING), "application"))


@pytest.fixture
def four(acme: Organization) -> dict[str, Application]:
    now = timezone.now()
    applications = {
        "ci-prod": _application(
            "ci-prod", ("Viewer", acme.training), ("L1 researcher", acme.west),
            created_by="zo\u00eb@acme.example", last_login=now - timedelta(days=2),
            created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        ),
        "ci-test": _application(
            "ci-test", ("Viewer", acme.west), created_by="ada@acme.example",
            last_login=now - timedelta(days=40),
            created_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        ),
        "backup": _application(
            "backup", ("ML engineer", acme.east), created_by="terraform",
            created_at=datetime(2026, 3, 3, 12, tzinfo=UTC),
        ),
        "idle": _application("idle", created_by="terraform"),
    }  # fmt: skip
    applications["backup"].subject.enabled = False
    applications["backup"].subject.save()
    return applications


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"application__contains": "CI-"}, ["ci-prod", "ci-test"]),
        ({"application__is": "ci-prod"}, ["ci-prod"]),
        ({"application__is_not": "ci-prod"}, ["backup", "ci-test", "idle"]),
        ({"client_id__starts_with": "b"}, ["backup"]),
        ({"created_by__contains": "ZO\u00cb"}, ["ci-prod"]),
        ({"created_by__is": "terraform"}, ["backup", "idle"]),
        ({"created_by__is_not": "Terraform"}, ["ci-prod", "ci-test"]),
        ({"created_by__starts_with": "ada"}, ["ci-test"]),
        ({"created_by__contains": "ci"}, []),
        ({"last_login__never": "1"}, ["backup", "idle"]),
        ({"last_login__last_days": "7"}, ["ci-prod"]),
        ({"last_login__before": "2020-01-01"}, []),
        ({"creation_time__before": "2026-03-02"}, ["ci-prod"]),
        ({"creation_time__after": "2026-03-02", "status__is": "disabled"}, ["backup"]),
        ({"status__is": "disabled"}, ["backup"]),
        ({"access_rules__none": "1"}, ["idle"]),
        ({"application__contains": ["ci", "prod"]}, ["ci-prod"]),
        ({"application__contains": "c_"}, []),
        ({"application__contains": "%"}, []),
    ],
)
def test_each_operator_returns_the_matching_rows(
    browser: Client, query: dict[str, str], found: list[str]
) -> None:
    page = browser.get(LIST, query)
    assert sorted(name.split()[0] for name in column(page, "application")) == found
    assert "ignored" not in text_of(page)


def test_roles_and_scopes_match_any_of_the_given(
    browser: Client, four: dict[str, Application], acme: Organization
) -> None:
    roles = [factories.role("ML engineer").pk, factories.role("L1 researcher").pk]
    assert _names(browser, role__any_of=roles) == ["backup Disabled", "ci-prod"]
    assert _names(browser, scope__any_of=acme.west.pk) == ["ci-prod", "ci-test"]
    page = text_of(browser.get(LIST, {"role__any_of": roles}))
    assert "Role is any of" in page


def test_filters_and_search_use_only_visible_rules(
    dina: User, four: dict[str, Application], acme: Organization, as_: SignedIn
) -> None:
    page = as_(dina).get(LIST, {"scope__any_of": str(acme.west.pk)})
    assert "Ignored" in text_of(page)
    role = factories.role("L1 researcher").pk
    assert column(as_(dina).get(LIST, {"role__any_of": str(role)}), "application") == []
    assert column(as_(dina).get(LIST, {"search": "west"}), "application") == []


def test_filter_is_a_chip_that_can_be_edited_and_removed(browser: Client, four: object) -> None:
    page = browser.get(LIST, {"last_login__before": "2026-10-01", "status__is": "enabled"})
    content = page.content.decode()
    assert "Last login is before 1 Oct 2026" in text_of(page)
    assert f'href="{LIST}?status__is=enabled" aria-label="Remove filter: Last login' in content
    assert 'aria-label="Edit filter: Last login is before 1 Oct 2026"' in content
    assert f'href="{LIST}" data-focus-after="add-filter">Clear all' in content
    edit = {"last_login__before": "2026-10-01", "status__is": "enabled"}
    dialog = browser.get(f"{LIST}filter/", {**edit, "column": "last_login", "edit": "1"})
    chips = browser.get(LIST, edit)
    index = 0 if "chip-0" in chips.content.decode().split("Last login is before")[0] else 1
    dialog = browser.get(f"{LIST}filter/", {**edit, "column": "last_login", "edit": str(index)})
    assert "Edit filter: Last login" in text_of(dialog)


def test_filter_can_be_added_without_javascript(browser: Client, four: object) -> None:
    first = browser.get(f"{LIST}filter/", {"sort": "application"})
    assert "Select the column to filter by." in text_of(first)
    form = {"sort": "application", "column": "created_by", "operator": "contains"}
    assert "Value" in text_of(browser.get(f"{LIST}filter/", form))
    empty = browser.get(f"{LIST}filter/", {**form, "value": "", "do": "apply"})
    assert (empty.status_code, "Enter a value." in text_of(empty)) == (422, True)
    done = browser.get(f"{LIST}filter/", {**form, "value": "terraform", "do": "apply"})
    assert done.url == f"{LIST}?sort=application&created_by__contains=terraform"
    bad = {**form, "column": "last_login", "operator": "before", "value": "soon", "do": "apply"}
    refused = text_of(browser.get(f"{LIST}filter/", bad))
    assert "“soon” is not a date. Use the format 2026-10-01." in refused


@pytest.mark.parametrize(
    ("column", "operator", "error"),
    [
        ("last_login", "before", "Enter a date."),
        ("last_login", "last_days", "Enter a number of days."),
        ("status", "is", "Choose at least one."),
    ],
)
def test_filter_without_a_value_says_what_is_missing(
    browser: Client, column: str, operator: str, error: str
) -> None:
    query = {"column": column, "operator": operator, "do": "apply"}
    assert error in text_of(browser.get(f"{LIST}filter/", query))


def test_htmx_response_contains_the_url_of_the_filtered_list(browser: Client, four: object) -> None:
    query = {"column": "status", "operator": "is", "value": "disabled", "do": "apply"}
    answer = browser.get(f"{LIST}filter/", query, headers=DIALOG)
    assert answer.status_code == 204
    event = json.loads(answer.headers["HX-Trigger"])
    assert event["show-list"] == {"address": f"{LIST}?status__is=disabled"}


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("CI-P", ["ci-prod"]),
        ("zo\u00cb", ["ci-prod"]),
        ("ml ENG", ["backup"]),
        ("WEST", ["ci-prod", "ci-test"]),
        ("%", []),
        ("_", []),
        ("'", []),
        ("e\nt", []),
    ],
)
def test_search_covers_name_creator_roles_and_scopes(
    browser: Client, term: str, found: list[str]
) -> None:
    names = _names(browser, search=term)  # highlighting splits the names
    assert [name.replace(" ", "").removesuffix("Disabled") for name in names] == found


def test_search_ignores_case_beyond_ascii(browser: Client, acme: Organization) -> None:
    _application("ci", ("Viewer", factories.cluster("\u00c9quipe-Stra\u00dfe")))
    assert _names(browser, search="\u00e9QUIPE-STRASSE") == ["ci"]
    page = browser.get(LIST, {"search": "STRASSE"}).content.decode()
    assert "<mark>Stra\u00dfe</mark>" in page


def test_rule_that_matches_the_search_is_shown_first(browser: Client, acme: Organization) -> None:
    _application("ci", ("Viewer", acme.east), ("ML engineer", acme.west))
    (cell,) = column(browser.get(LIST, {"search": "west"}), "access_rules")
    assert cell.startswith("ML engineer in west")


def test_no_match_state_offers_to_clear_all(browser: Client, four: object) -> None:
    page = browser.get(LIST, {"search": "nothing-like-it"})
    assert "No results" in text_of(page)
    assert 'id="clear-all"' in page.content.decode()


def test_columns_are_chosen_ordered_and_saved_for_each_user(
    browser: Client, four: object, as_: SignedIn
) -> None:
    url = f"{LIST}columns/"
    form = {
        "order": ["application", "created_by", "status", "client_id"],
        "shown": ["created_by", "status"], "density": "compact", "do": "save",
    }  # fmt: skip
    answer = browser.post(url, form)
    assert answer.url == f"{LIST}?columns=application,created_by,status"
    page = browser.get(LIST).content.decode()
    titles = [name for name in ("application", "created_by", "status") if f"sort-{name}" in page]
    assert titles == ["application", "created_by", "status"]
    assert "sort-client_id" not in page
    assert page.index("sort-created_by") < page.index("sort-status")
    assert 'data-density="compact"' in page
    other = as_(factories.person("otto@acme.example", "System administrator"))
    assert "sort-client_id" in other.get(LIST).content.decode()
    browser.post(url, {"do": "reset"})
    assert "sort-client_id" in browser.get(LIST).content.decode()


def test_buttons_move_a_column_and_the_name_stays_first(browser: Client, four: object) -> None:
    order = ["application", "client_id", "created_by"]
    answer = browser.post(f"{LIST}columns/", {"order": order, "shown": order, "up": "created_by"})
    content = answer.content.decode()
    assert content.index('value="created_by" id="shown') < content.index('value="client_id" id="sh')
    assert content.index('value="application" id="shown') < content.index('value="created_by" id="')
    assert "Created by is now column 2 of 16." in text_of(answer)
    assert not TablePreference.objects.exists()


def test_columns_in_the_url_do_not_change_the_saved_ones(browser: Client, four: object) -> None:
    page = browser.get(LIST, {"columns": "status,application"}).content.decode()
    assert "sort-status" in page
    assert "sort-client_id" not in page
    assert page.index("sort-application") < page.index("sort-status")
    assert "sort-client_id" in browser.get(LIST).content.decode()
    assert not TablePreference.objects.exists()


def test_column_width_is_saved_for_the_user(
    browser: Client, as_: SignedIn, four: object, acme: Organization
) -> None:
    url = f"{LIST}width/"
    header = 'aria-labelledby="sort-client_id"'
    assert browser.post(url, {"column": "client_id", "width": "220"}).status_code == 204
    assert browser.post(url, {"column": "status", "width": "20"}).status_code == 204
    assert f'{header} width="220"' in browser.get(LIST).content.decode()
    assert TablePreference.objects.get().widths == {"client_id": 220, "status": 64}
    other = as_(factories.person("otto@acme.example", "System administrator"))
    assert f"{header} width" not in other.get(LIST).content.decode()
    assert browser.post(url, {"column": "client_id", "width": ""}).status_code == 204
    assert f"{header} width" not in browser.get(LIST).content.decode()
    assert browser.post(url, {"column": "bogus", "width": "220"}).status_code == 400
    assert TablePreference.objects.get().widths == {"status": 64}


def test_widths_are_entered_in_the_columns_dialog_without_javascript(
    browser: Client, four: object
) -> None:
    url = f"{LIST}columns/"
    order = ["application", "client_id", "created_by"]
    columns = {"do": "save", "order": order, "shown": order}
    browser.post(url, columns | {"width": ["", "5000", "wide"]})
    assert TablePreference.objects.get().widths == {"client_id": 960}
    assert 'name="width" value="960"' in browser.get(url).content.decode()
    browser.post(url, {"do": "reset"})
    assert TablePreference.objects.get().widths == {}


def test_column_width_is_saved_in_the_scope_tree(browser: Client, acme: Organization) -> None:
    browser.post("/scopes/list/width/", {"column": "scope", "width": "300"})
    for page in ("/scopes/", "/scopes/list/"):
        assert 'aria-labelledby="sort-scope" width="300"' in browser.get(page).content.decode()


def test_page_size_is_saved(browser: Client) -> None:
    for number in range(51):
        factories.application(f"app-{number:02}")
    answer = browser.post(f"{LIST}page-size/", {"size_chosen": "50", "search": "app"})
    assert answer.url == f"{LIST}?search=app&size=50"
    assert len(column(browser.get(LIST), "application")) == 50
    assert len(column(browser.get(LIST, {"size": "20"}), "application")) == 20
    assert len(column(browser.get(LIST), "application")) == 50


HOSTILE = [
    {"sort": "nope"}, {"page": "-3"}, {"page": "\x00"}, {"size": "7"}, {"columns": "a,b"},
    {"after": "!!"}, {"before": "AAAA"}, {"after": "x", "before": "y"}, {"created_by__like": "x"},
    {"last_login__before": "2026-13-45"}, {"last_login__last_days": "-1"},
    {"last_login__last_days": "9" * 30}, {"last_login__last_days": "\u0663"},
    {"creation_time__after": "0001-01-01x"}, {"role__any_of": "9" * 30}, {"role__any_of": "x"},
    {"scope__any_of": "-1"}, {"scope__any_of": "9" * 40}, {"status__is": "maybe"},
    {"search": "\x00"}, {"search": "x" * 500}, {"selected": "x"}, {"changed": "'"},
    {"application__contains": "\x00"}, {"application__contains": "x" * 5000}, {"bogus": "<b>"},
]  # fmt: skip


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("query", HOSTILE, ids=str)
def test_invalid_url_parameters_are_reported_and_ignored(
    browser: Client, query: dict[str, str]
) -> None:
    page = browser.get(LIST, query)
    assert page.status_code == 200
    assert "Ignored " in text_of(page)
    assert len(column(page, "application")) == 4
    assert "<b>" not in page.content.decode()
    for path in ("filter/", "columns/", "download/", "applications.csv"):
        assert browser.get(f"{LIST}{path}", query).status_code == 200


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("operator", ["before", "after"])
def test_first_and_last_day_of_the_calendar_are_valid(
    browser: Client, day: str, operator: str
) -> None:
    page = browser.get(LIST, {f"creation_time__{operator}": day})
    assert page.status_code == 200
    assert "ignored" not in text_of(page)


def _csv(response: HttpResponse) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_file_contains_exactly_the_current_view(
    browser: Client, four: dict[str, Application]
) -> None:
    columns = "application,access_rules,status,last_login"
    query = {"search": "viewer", "sort": "-application", "columns": columns}
    answer = browser.get(f"{LIST}applications.csv", query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["X-Row-Limit-Reached"] == "false"
    rows = _csv(answer)
    assert rows[0] == ["Application", "Access rule(s)", "Status", "Last login (UTC)"]
    assert [row[0] for row in rows[1:]] == ["ci-test", "ci-prod"]
    assert rows[2][1] == "Viewer in training; L1 researcher in west"
    assert rows[2][2] == "enabled"
    last_login = Application.objects.get(pk=four["ci-test"].pk).last_login
    assert last_login is not None
    assert rows[1][3] == f"{last_login.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def test_file_contains_only_visible_rows_and_rules(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    _application("ours", ("Viewer", acme.training), ("Viewer", acme.west))
    _application("theirs", ("Viewer", acme.west))
    rows = _csv(as_(dina).get(f"{LIST}applications.csv"))
    assert [row[0] for row in rows[1:]] == ["ours"]
    assert rows[1][2] == "Viewer in training"


def test_file_runs_one_query_for_the_rules_of_500_rows(browser: Client, acme: Organization) -> None:
    counts = []
    for more in (1, 40):
        for number in range(more):
            _application(f"app-{more}-{number}", ("Viewer", acme.east))
        with CaptureQueriesContext(connection, ) as queries:  # fmt: skip
            assert len(_csv(browser.get(f"{LIST}applications.csv"))) > more
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_row_limit_is_announced_before_and_in_the_file(
    browser: Client, four: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROW_LIMIT", 3)
    before = text_of(browser.get(f"{LIST}download/"))
    assert "This view has more than 3 rows." in before
    answer = browser.get(f"{LIST}applications.csv")
    assert "first-3-rows" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Row-Limit-Reached"] == "true"
    assert len(_csv(answer)) == 1 + 3


def test_menu_shows_the_row_limit_if_the_count_is_inexact(
    browser: Client, four: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Download as CSV 4 rows, as shown" in text_of(browser.get(LIST))
    monkeypatch.setattr(selection, "COUNTED", 2)
    monkeypatch.setattr(export, "ROW_LIMIT", 3)
    assert "Download as CSV at most 3 rows" in text_of(browser.get(LIST))


@pytest.mark.parametrize(
    "query",
    [{"role__any_of": "Viewer"}, {"search": "app"}, {"role__any_of": "Viewer", "search": "app"}],
)
@pytest.mark.parametrize(("limit", "is_cut"), [(6, "false"), (5, "true")])
def test_file_is_reported_as_truncated_only_if_it_is(
    query: dict[str, str], limit: int, is_cut: str, browser: Client, acme: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for number in range(6):
        factories.application(f"app-{number}", ("Viewer", acme.east), ("Viewer", acme.west))
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    for number_of in ("COUNTED", "MIN_ESTIMATE"):
        monkeypatch.setattr(selection, number_of, 2)
    monkeypatch.setattr(export, "ROW_LIMIT", limit)
    role = {"role__any_of": str(factories.role("Viewer").pk)} if "role__any_of" in query else {}
    before = text_of(browser.get(f"{LIST}download/", {**query, **role}))
    assert ("This view has more than 5 rows." in before) is (is_cut == "true")
    assert ("The file contains the current view" in before) is (is_cut == "false")
    answer = browser.get(f"{LIST}applications.csv", {**query, **role})
    assert answer.headers["X-Row-Limit-Reached"] == is_cut
    assert len(_csv(answer)) == 1 + limit


def test_file_of_two_unselective_filters_is_complete(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        factories.application(f"app-{number}", ("Viewer", acme.east))
        factories.application(f"job-{number}", ("Editor" if number else "Viewer", acme.east))
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    monkeypatch.setattr(export, "ROW_LIMIT", 2)
    view = {"role__any_of": str(factories.role("Viewer").pk), "search": "job"}
    assert "This view might have more than 2 rows." in text_of(
        browser.get(f"{LIST}download/", view)
    )
    answer = browser.get(f"{LIST}applications.csv", view)
    assert answer.headers["X-Row-Limit-Reached"] == "false"
    assert [row[0] for row in _csv(answer)[1:]] == ["job-0"]


@pytest.mark.parametrize(("limit", "is_cut"), [(1, "true"), (2, "false"), (3, "false")])
def test_file_with_exactly_the_row_limit_is_not_truncated(
    limit: int, is_cut: str, browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        factories.application(f"app-{number}", ("Viewer", acme.east))
        factories.application(f"job-{number}", ("Viewer" if number < 2 else "Editor", acme.east))
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    monkeypatch.setattr(selection, "MIN_ESTIMATE", 1)
    monkeypatch.setattr(export, "ROW_LIMIT", limit)
    view = {"role__any_of": str(factories.role("Viewer").pk), "search": "job"}
    answer = browser.get(f"{LIST}applications.csv", view)
    assert answer.headers["X-Row-Limit-Reached"] == is_cut
    assert len(_csv(answer)) == 1 + min(limit, 2)


def test_paging_keeps_filters_sort_and_columns(browser: Client) -> None:
    for number in range(25):
        factories.application(f"app-{number:02}")
    query = {"application__contains": "app", "sort": "application", "columns": "application,status"}
    page = browser.get(LIST, query)
    next_url = linked_url(page, "next")
    assert "application__contains=app" in next_url
    assert "columns=application,status" in next_url
    assert column(browser.get(next_url), "application")[0] == "app-20"


def test_changed_row_is_shown_first_if_it_is_not_on_the_page(browser: Client, four: object) -> None:
    idle = Application.objects.get(subject__name="idle")
    page = browser.get(LIST, {"search": "ci-", "changed": str(idle.pk)})
    assert column(page, "application")[0].startswith("idle")
    assert "Changed, shown out of order" in text_of(page)
    assert "Applications 2" in text_of(page)
    here = browser.get(LIST, {"changed": str(idle.pk)})
    assert len(column(here, "application")) == 4
    assert "shown out of order" not in text_of(here)


def test_inexact_count_is_shown_as_at_least(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "COUNTED", 30)
    for number in range(35):
        factories.application(f"app-{number:02}")
    page = browser.get(LIST, {"sort": "application"})
    assert "Applications 30+" in text_of(page)
    assert "of many" in text_of(page)
    last = browser.get(LIST, {"sort": "application", "page": "last"})
    assert column(last, "application")[-1] == "app-34"
    assert "The last 20 of 30+" in text_of(last)
    assert escape("Next") not in text_of(last).split("of many")[-1]
