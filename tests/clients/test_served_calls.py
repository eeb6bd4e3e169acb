"""docs/api-coverage.md lists exactly the served calls of the official client."""

import inspect
import re
from functools import cache

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from applications.oauth.tokens import issue
from tests import factories
from tests.clients import official
from tests.servers import ROOT

COVERAGE = (ROOT / "docs/api-coverage.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([A-Z][a-z ]+) \| (\d+) of (\d+) \|", re.MULTILINE)
TOTALS = re.compile(r"These are (\d+) of the client's (\d+) calls. The other (\d+) groups are not")
METHOD = re.compile(r'method = "(\w+)"')
PATH = re.compile(r'resource_path = \(?\s*f?"([^"]+)"')

Call = tuple[str, str]


def normalized(path: str) -> str:
    """Return a path as the client sends it, without parameter names."""
    return re.sub(r"{[^}]*}", "{}", path).replace("_", "-")


@cache
def official_calls() -> dict[str, set[Call]]:
    """Return method and path of all calls of the installed client, by group."""
    groups = {}
    for name, group in vars(official.api).items():
        if name.endswith("Api"):
            functions = inspect.getsource(group).split("\n    def ")[1:]
            found = [(METHOD.search(text), PATH.search(text)) for text in functions]
            calls = {(m.group(1), normalized(p.group(1))) for m, p in found if m and p}
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Api"))
            groups[words.capitalize()] = calls
    return groups


@cache
def served_calls() -> dict[str, set[Call]]:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
    ours = {
        (method.upper(), normalized(path))
        for path, item in document["paths"].items()
        for method in item
    }
    served = {group: calls & ours for group, calls in official_calls().items()}
    return {group: calls for group, calls in served.items() if calls}


def test_every_call_of_the_client_is_counted() -> None:
    sources = [
        inspect.getsource(g) for name, g in vars(official.api).items() if name.endswith("Api")
    ]
    for source, calls in zip(sources, official_calls().values(), strict=True):
        assert source.count("self._api_client.call_api(") >= len(calls) > 0


def test_coverage_lists_the_groups_with_served_calls() -> None:
    listed = {group: (int(served), int(all_)) for group, served, all_ in ROW.findall(COVERAGE)}
    assert listed == {
        group: (len(calls), len(official_calls()[group])) for group, calls in served_calls().items()
    }


def test_coverage_counts_the_calls_and_the_groups_that_are_not_served() -> None:
    totals = TOTALS.search(" ".join(COVERAGE.split()))
    assert totals
    served, official = (
        sum(map(len, groups.values())) for groups in (served_calls(), official_calls())
    )
    others = len(official_calls()) - len(served_calls())
    assert tuple(map(int, totals.groups())) == (served, official, others)


def test_served_calls_of_roles_and_organization_are_read_only() -> None:
    for group in ("Audit logs", "Clusters", "Departments", "Projects", "Roles"):
        assert {method for method, _ in served_calls()[group]} == {"GET"}


@pytest.mark.django_db
def test_calls_of_unserved_groups_are_404() -> None:
    root = factories.application("root", ("System administrator", factories.account()))
    client = Client(headers={"Authorization": f"Bearer {issue(root).text}"})
    for group, calls in official_calls().items():
        if group not in served_calls():
            for method, path in calls:
                answer = client.generic(method, path.replace("{}", "x"))
                assert answer.status_code == 404, (group, method, path)
