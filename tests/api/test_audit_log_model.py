"""The audit log of the API has the events of a plain model, for any period, filter and sort."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from tests import factories, sizes
from tests.strategies import STRATEGIES, force

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECTS = (("app", "ci-east"), ("user", "Zoe@acme.example"), ("user", "ada@acme.example"))
# Two of the same time; the last action is not in the contract, so the API does not list it.
KINDS = (
    ("create", "application", "POST", "/api/v1/apps", "10.0.0.1"),
    ("update", "application", "", "", None),
    ("create", "access_rule", "POST", "/access-rules/new/", "10.0.0.2"),
    ("delete", "access_rule", "", "", None),
    ("denied", "user", "GET", "/users/", "10.0.0.1"),
)
TEXTS = ("subject", "subject_type", "action", "http_method", "result", "url", "entity_type",
         "entity_name", "entity_id")  # fmt: skip
SORTS = ("timestamp", "source_ip", *TEXTS)
OPERATORS = {
    "==": lambda text, term: text == term,
    "!=": lambda text, term: text != term,
    "=@": lambda text, term: term in text,
    "=^": str.startswith,
}
moments = st.sampled_from([START + timedelta(minutes=minutes) for minutes in (0, 3, 8, 20)])
conditions = st.tuples(
    st.sampled_from(TEXTS),
    st.sampled_from(list(OPERATORS)),
    st.sampled_from(["User", "app", "create", "POST", "Failed", "ci-east", "e", "access_rule"]),
)
queries = st.fixed_dictionaries(
    {
        "period": st.tuples(moments, moments).map(sorted),
        "filters": st.lists(conditions, max_size=2),
        "search": st.sampled_from(["", "", "zoe", "east", "nothing"]),
        "sort": st.sampled_from(SORTS),
        "is_descending": st.booleans(),
        "size": st.sampled_from([1, 4, 50]),
    }
)


@pytest.fixture
def root() -> Client:
    """A client of the API that reads the audit log."""
    application = factories.application("root", ("System administrator", factories.account()))
    return Client(headers={"Authorization": f"Bearer {issue(application).text}"})


@pytest.fixture
def events() -> None:
    for number in range(24):
        subject_type, subject = SUBJECTS[number * number % 3]
        action, entity_type, method, path, address = KINDS[number % 5]
        AuditEvent.objects.create(
            time=START + timedelta(minutes=number // 2), subject_type=subject_type,
            subject_name=subject, action=action, entity_type=entity_type,
            entity_id=f"{number % 7}", entity_name=f"{'East' if number % 4 else 'east'}-{number % 3}",
            result="Failed" if number % 6 == 0 else "Succeeded",
            http_method=method, path=path, source_ip=address,
        )  # fmt: skip


def expected(rows: list[dict[str, Any]], query: dict[str, Any]) -> list[str]:
    """Return the IDs of the rows that match, in order. `rows` are in the order of time and key."""
    start, end = query["period"]
    found = [
        row
        for row in rows
        if start <= datetime.fromisoformat(row["timestamp"]) <= end
        and any(query["search"] in row[name].lower() for name in ("subject", "entity_name"))
        and all(
            OPERATORS[operator](row[field].lower(), value.lower())
            for field, operator, value in query["filters"]
        )
    ]
    name, is_descending = query["sort"], query["is_descending"]
    found = found[::-1] if is_descending else found
    with_value = [row for row in found if name != "source_ip" or row[name]]
    with_value.sort(key=lambda row: row[name].lower(), reverse=is_descending)
    return [row["id"] for row in [*with_value, *(row for row in found if row not in with_value)]]


def walk(client: Client, query: dict[str, Any]) -> list[str]:
    """Return the IDs of all pages, following the links."""
    start, end = (moment.isoformat() for moment in query["period"])
    answer = client.get(
        "/api/v1/audit/log",
        {
            "start": start, "end": end, "limit": query["size"], "search": query["search"],
            "filterBy": ["".join(condition) for condition in query["filters"]],
            "sortBy": query["sort"], "sortOrder": "desc" if query["is_descending"] else "asc",
        },
    )  # fmt: skip
    keys = []
    while True:
        assert answer.status_code == 200, answer.json()
        keys += [event["id"] for event in answer.json()["audit_logs"]]
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        if not following:
            return keys
        answer = client.get(following[1].removeprefix(django_settings.PUBLIC_URL))


@pytest.mark.parametrize("strategy", ["as usual", *STRATEGIES])
@settings(
    max_examples=sizes.LIST_EXAMPLES * 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=queries)
def test_the_audit_log_has_the_events_of_the_model(
    strategy: str,
    query: dict[str, Any],
    root: Client,
    events: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = {
        "start": START.isoformat(), "end": (START + timedelta(days=1)).isoformat(), "limit": 1000
    }  # fmt: skip
    rows = root.get("/api/v1/audit/log", everything).json()["audit_logs"]
    assert len(rows) == 20
    if strategy != "as usual":
        force(strategy, monkeypatch, limit=3)
    assert walk(root, query) == expected(rows, query), query
