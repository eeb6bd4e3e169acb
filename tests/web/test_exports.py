"""All CSV files of the console: no formulas, and times that spreadsheets sort."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, F, Model
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accessrules.console.tables.rules import AccessRuleTable, RoleTable
from accessrules.console.tables.scopes import ScopeTable
from accessrules.models import Role, Scope, Subject
from applications.models import Application, SecretUse
from applications.tables import ApplicationTable, TrashTable
from runai_access.accounts.models import User
from runai_access.accounts.tables import GroupTable, UserTable
from runai_access.activity.tables import EventTable
from runai_access.audit.models import AuditEvent
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.tables import ListColumn, ListTable
from tests import factories
from tests.spreadsheets import SEPARATORS, formulas
from tests.web.activity import happened
from tests.web.conftest import Organization, SignedIn

HOSTILE = '"x;=9+9;y'
LISTS: dict[str, type[ListTable]] = {
    "/applications/applications.csv": ApplicationTable,
    "/applications/trash/deleted-applications.csv": TrashTable,
    "/access-rules/access-rules.csv": AccessRuleTable,
    "/users/users.csv": UserTable,
    "/groups/groups.csv": GroupTable,
    "/roles/roles.csv": RoleTable,
    "/scopes/list/scopes.csv": ScopeTable,
    "/activity/activity.csv": EventTable,
}


@pytest.fixture
def files(ada: User, acme: Organization, as_: SignedIn) -> dict[str, str]:
    """Every CSV file with all its columns, by route. All names that can be hostile are."""
    for number, start in enumerate(["=", ";=", "|@", "\t+", ' , "-']):
        text = f"{HOSTILE}{start}9"
        scope = factories.project(text, acme.vision)
        member = factories.person(f'"x;{start}9{number}"@example.com', "Viewer", scope)
        factories.rule(factories.group(text, member), "L1 researcher", scope)
        Role.objects.filter(pk=factories.custom_role(text, apps="r").pk).update(description=text)
        application = factories.application(f"app-{number}", (text, scope))
        factories.deleted_application(f"gone-{number}", (text, scope), deleted_by=text)
        happened(
            text, number, subject_name=text, reason=text, changes={"name": [text, f"{start}9"]}
        )
        SecretUse.objects.create(
            secret=application.used_secret, day=timezone.now().date(), agent=text, count=1,
            last_at=timezone.now(),
        )  # fmt: skip
        happened(text, time=timezone.now(), subject_id=application.pk, reason=text)
    Application.objects.update(created_by=HOSTILE, last_login=datetime(2026, 11, 29, tzinfo=UTC))
    report = _file(as_(ada), reverse("applications:report-csv", args=[application.pk]))
    return {
        **dict(_files(as_(ada))),
        **dict(_files_of_access(as_(ada))),
        "applications/<uuid:id_>/report/report.csv": report,
    }


def _files(browser: Client) -> Iterator[tuple[str, str]]:
    yield "scopes/scopes.csv", _file(browser, "/scopes/scopes.csv")
    for address, table in LISTS.items():
        columns = ",".join(table.base_columns)
        yield address.removeprefix("/"), _file(browser, f"{address}?columns={columns}")


def _files_of_access(browser: Client) -> Iterator[tuple[str, str]]:
    group = Subject.objects.filter(type="group", name__startswith=HOSTILE).latest("name")
    scope = Scope.objects.filter(type="project", name__startswith=HOSTILE).latest("name")
    yield (
        "access/subjects/<uuid:subject_id>/access.csv",
        _file(browser, reverse("accessrules:effective-access-csv", args=[group.pk])),
    )
    yield (
        "access/scopes/<int:scope_id>/access.csv",
        _file(browser, reverse("accessrules:scope-access-csv", args=[scope.pk])),
    )


def _file(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return b"".join(answer.streaming_content).decode()


def _csv_routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _csv_routes(pattern, route)
        elif ".csv" in route:
            yield route


def test_no_file_contains_a_formula_at_any_separator(files: dict[str, str]) -> None:
    assert set(files) == set(_csv_routes(get_resolver()))
    for route, text in files.items():
        assert re.search("'[=+@-]", text), f"{route} has no hostile cell"
        for separators in (*SEPARATORS, SEPARATORS):
            assert formulas(text, separators) == [], route


@pytest.mark.parametrize(
    "email", ['"x;=9+9;y"@example.com', "=9+9@example.com", '"|@x"@example.com']
)
def test_failed_sign_in_cannot_put_a_formula_into_the_activity_file(
    ada: User, as_: SignedIn, email: str
) -> None:
    form = {"email": email, "password": "a wrong guess"}
    assert Client().post(reverse("accounts:sign-in"), form).status_code == 422
    assert AuditEvent.objects.filter(subject_name=email).exists()
    columns = ",".join(EventTable.base_columns)
    text = _file(as_(ada), f"/activity/activity.csv?columns={columns}")
    assert "9+9" in text or "@x" in text
    for separators in (*SEPARATORS, SEPARATORS):
        assert formulas(text, separators) == []


def test_times_in_files_are_in_utc_and_sort_as_text(files: dict[str, str]) -> None:
    seen = 0
    for route, text in files.items():
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
        times = [title for title in rows[0] if title.endswith(" (UTC)")]
        for value in (row[title] for row in rows for title in times):
            assert re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?", value), route
            seen += bool(value)
        others = [value for row in rows for title, value in row.items() if title not in times]
        assert not [value for value in others if re.match(r"\d{4}-\d\d-\d\d", value or "")], route
    assert seen > len(LISTS)


def test_times_in_files_have_no_microseconds_and_null_is_empty(ada: User, as_: SignedIn) -> None:
    for name, time in (
        ("ci", datetime(2026, 11, 29, 6, 53, 9, 987654, tzinfo=UTC)),
        ("idle", None),
    ):
        application = factories.application(name)
        Application.objects.filter(pk=application.pk).update(last_login=time)
    address = "/applications/applications.csv?columns=application,last_login&sort=application"
    text = _file(as_(ada), address)
    assert text.removeprefix("\ufeff").splitlines() == [
        "Application,Last login (UTC)", "ci,2026-11-29 06:53:09", "idle,",
    ]  # fmt: skip


@pytest.mark.parametrize("table", LISTS.values(), ids=lambda table: table.name)
def test_columns_export_times_only_as_spreadsheet_times(table: type[ListTable]) -> None:
    columns: dict[str, ListColumn] = table.base_columns
    for name, column in columns.items():
        paths = [path for path in column.exports if isinstance(path, str)]
        assert not [path for path in paths if _is_time(table.model, path)], name
        if any(isinstance(path, SpreadsheetTime) for path in column.exports):
            assert table.file_titles([name]) == [f"{column.verbose_name} (UTC)"]


def _is_time(model: type[Model], path: str) -> bool:
    try:
        return isinstance(
            model.objects.values(x=F(path)).query.annotations["x"].field, DateTimeField
        )  # type: ignore[attr-defined]
    except FieldDoesNotExist:
        return False
