"""The rows of all lists: escaping and cost."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrules.models import AccessRule, Scope
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.activity import happened
from tests.web.conftest import SignedIn, column

HOSTILE = "\"><i>&'{}"
# All lists, each with its name column and its other columns.
LISTS = {
    "/applications/": (
        "application",
        ",".join(
            (
                "client_id,access_rules,last_login,created_by,creation_time,last_updated",
                "owner,description,labels,allowed_addresses,client_secrets,oldest_secret,next_expiry",
                "dormancy,status",
            )
        ),
    ),
    "/applications/trash/": (
        "application", "access_rules,deleted,deleted_by,created_by,creation_time",
    ),
    "/access-rules/": (
        "subject", "type,role,scope,authorized_by,creation_time,last_updated,expires",
    ),
    "/users/": (
        "user",
        "groups,access_rules,sign_in,factors,last_login,created_by,creation_time,last_updated,status",
    ),
    "/groups/": ("group", "members,access_rules,status"),
    "/roles/": ("role", "description,offered,created_by,last_updated"),
    "/activity/": (
        "time",
        "subject,action,entity,result,details,source_ip,subject_type,entity_id,request,request_id",
    ),
}  # fmt: skip


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def _make(name: str, scope: Scope) -> None:
    """Create a row for each list, with `name` in all columns that allow it."""
    application = factories.application(name, ("Viewer", scope), ("Editor", scope))
    person = factories.person(name, "Viewer", scope)
    Application.objects.filter(pk=application.pk).update(
        created_by=name, owner=person.subject, description=name, labels={"key": name}
    )
    factories.rule(factories.group(name, person), "Viewer", scope)
    User.objects.filter(pk=person.pk).update(created_by=name)
    factories.deleted_application(name, ("Viewer", scope), deleted_by=name)
    AccessRule.objects.update(created_by=name)
    role = factories.custom_role(name)
    role.description = role.created_by = name
    role.save()
    words = ("subject_name", "entity_name", "entity_id", "reason", "path", "action")
    happened(**dict.fromkeys(words, name), changes={name: [name, name]})


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("search", ["", "<i>"])
def test_row_values_are_escaped(browser: Client, path: str, search: str) -> None:
    _make(HOSTILE, factories.cluster(HOSTILE))
    naming, others = LISTS[path]
    page = browser.get(path, {"columns": f"{naming},{others}", "search": search})
    content = page.content.decode()
    assert column(page, naming)
    assert "<i>" not in content
    assert content.count("&lt;i&gt;") > 3


@pytest.mark.parametrize("path", LISTS)
def test_template_count_does_not_depend_on_the_number_of_rows(browser: Client, path: str) -> None:
    scope = factories.cluster("east")
    naming, others = LISTS[path]
    rendered = []
    for number in range(4):
        _make(f"row-{number}", scope)
        if number in (0, 3):
            page = browser.get(path, {"columns": f"{naming},{others}", "size": "100"})
            rendered.append((len(column(page, naming)), len(page.templates)))
    (few, templates), (many, templates_of_many) = rendered
    assert many > few
    assert templates == templates_of_many


@pytest.mark.parametrize(
    ("path", "each"),
    [
        ("/applications/", 1),
        ("/access-rules/", 3),
        ("/users/", 2),
        ("/groups/", 2),
        ("/activity/", 0),
    ],
)
def test_export_uses_a_fixed_number_of_queries_per_chunk(
    browser: Client, path: str, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runai_access.lists.tables.CHUNK", 3)
    scope = factories.cluster("east")
    counts = []
    for number in range(12):
        _make(f"row-{number}", scope)
        if number in (5, 11):
            with CaptureQueriesContext(connection) as queries:
                rows = b"".join(browser.get(f"{path}{path[1:-1]}.csv").streaming_content).count(
                    b"\r\n"
                )
            counts.append((-(-(rows - 1) // 3), len(queries)))
    (chunks, few), (more_chunks, many) = counts
    assert more_chunks > chunks
    assert many - few == each * (more_chunks - chunks)


@pytest.mark.parametrize(
    "time",
    [datetime(2026, 3, 1, 9, 5, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, 120, tzinfo=UTC)],
)
def test_export_times_sort_in_spreadsheets(browser: Client, time: datetime) -> None:
    factories.application("ci")
    Application.objects.update(created_at=time, updated_at=time, last_login=time)
    query = {"columns": "application,last_login,creation_time,last_updated"}
    sent = b"".join(browser.get("/applications/applications.csv", query).streaming_content)
    assert sent.decode().splitlines()[1] == ",".join(["ci", *[f"{time:%Y-%m-%d %H:%M:%S}"] * 3])
