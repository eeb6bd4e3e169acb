"""Every example and every listed value in our OpenAPI document is accepted by the server."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from drf_spectacular.generators import SchemaGenerator

from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
READS = {
    path: item["get"]["parameters"]
    for path, item in DOCUMENT["paths"].items()
    if "parameters" in item.get("get", {})
}
REQUIRED = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}


def documented_values(parameter: dict[str, Any]) -> Iterator[str]:
    """Yield every value that the document shows for a parameter, as it is written in a URL."""
    schema = parameter["schema"]
    values = [example["value"] for example in parameter.get("examples", {}).values()]
    values += [parameter[key] for key in ("example",) if key in parameter]
    values += schema.get("enum", [])
    values += [schema[key] for key in ("example", "default", "minimum", "maximum") if key in schema]
    values += [True, False] if schema["type"] == "boolean" else []
    for value in values:
        yield ",".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("path", READS)
def test_every_documented_value_of_a_parameter_is_accepted(
    administrator: Application, as_: As, organization: Organization, path: str
) -> None:
    client = as_(administrator)
    person = factories.person("ada@acme.example")
    address = path.format(
        application_id=administrator.pk,
        rule_id=administrator.subject.access_rules.get().pk,
        role_id=7,
        subject_id=administrator.pk,
        user_id=person.pk,
        scope_type="cluster",
        uid=_uid(path, organization),
    )
    queries = [p for p in READS[path] if p["in"] == "query"]
    required = {p["name"]: REQUIRED[p["name"]] for p in queries if p.get("required")}
    for parameter in queries:
        for value in documented_values(parameter):
            query = urlencode({**required, parameter["name"]: value})
            answer = client.get(f"{address}?{query}")
            assert answer.status_code == 200, (query, answer.json())


def _uid(path: str, organization: Organization) -> str:
    if "departments" in path:
        return str(organization.vision.uid)
    return str((organization.training if "projects" in path else organization.cluster).uid)


def test_every_filter_by_shows_examples() -> None:
    filters = [p for parameters in READS.values() for p in parameters if p["name"] == "filterBy"]
    assert filters
    assert all(parameter["examples"] for parameter in filters)
