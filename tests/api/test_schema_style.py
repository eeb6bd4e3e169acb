"""Checks like Redocly's `recommended` and Spectral's `oas` rules for the OpenAPI document.

Both need Node, which CI does not have. CONTRIBUTING.md explains how to run them by hand.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import jsonschema_rs
import pytest
from drf_spectacular.drainage import GENERATOR_STATS

from applications.oauth import secrets
from runai_access.api.examples import VALUES, add_examples
from tests.api.test_schema import DOCUMENT, OPERATIONS

pytestmark = pytest.mark.any_database

Example = tuple[str, dict[str, Any], Any]


def parts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every parameter and body that has a schema, with its location."""
    for path, method, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            yield f"{method} {path} {parameter['name']}", parameter
        contents = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for name, content in contents.items():
            for media in content.get("content", {}).values():
                yield f"{method} {path} {name}", media


def examples() -> list[Example]:
    """Return all examples with their location and schema."""
    return [
        (where, part["schema"], value)
        for where, part in parts()
        for value in (
            *([part["example"]] if "example" in part else []),
            *(example["value"] for example in part.get("examples", {}).values()),
        )
    ]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        within = value.values() if isinstance(value, dict) else value
        yield from chain.from_iterable(map(strings, within))


def test_the_document_has_a_contact_and_a_server() -> None:
    assert DOCUMENT["info"]["contact"]["name"]
    assert DOCUMENT["info"]["license"]["identifier"] == "Apache-2.0"
    assert DOCUMENT["servers"]


def test_every_operation_has_a_summary_and_a_longer_description() -> None:
    for path, method, operation in OPERATIONS:
        summary, description = operation["summary"], operation["description"]
        assert re.fullmatch(r"[A-Z][^\n]{4,58}[^.\n]", summary), (method, path, summary)
        assert description.endswith("."), (method, path)
        assert description.rstrip(".") != summary, (method, path)
        assert "{" not in summary + description, (method, path)


@pytest.mark.parametrize("member", ["summary", "operationId"])
def test_no_two_operations_have_the_same_name(member: str) -> None:
    names = Counter(operation[member] for _, _, operation in OPERATIONS)
    assert not [name for name, number in names.items() if number > 1]


def test_exactly_the_used_tags_are_declared_and_described() -> None:
    used = {tag for _, _, operation in OPERATIONS for tag in operation["tags"]}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_every_operation_documents_success_errors_and_security() -> None:
    schemes = set(DOCUMENT["components"]["securitySchemes"])
    for path, method, operation in OPERATIONS:
        classes = {status[0] for status in operation["responses"]}
        assert {"2", "4"} <= classes, (method, path)
        assert {name for one in operation["security"] for name in one} <= schemes, (method, path)


def test_every_component_is_used() -> None:
    used = set(re.findall(r"'#/components/([^']+)'", str(DOCUMENT)))
    declared = {
        f"{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        for name in components
        if kind != "securitySchemes"
    }
    assert declared == used


def test_every_body_and_required_parameter_has_an_example() -> None:
    for where, part in parts():
        if "in" not in part or part.get("required"):
            assert "example" in part or part.get("examples"), where


@pytest.mark.parametrize("example", examples(), ids=lambda example: example[0])
def test_every_example_is_valid(example: Example) -> None:
    _, schema, value = example
    jsonschema_rs.Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]}, validate_formats=True
    ).validate(value)


def test_every_example_value_is_used() -> None:
    shown = {value for _, _, example in examples() for value in strings(example)}
    assert set(strings(VALUES)) <= shown


def test_example_secrets_are_realistic_but_invalid() -> None:
    shown = {
        value
        for _, _, example in examples()
        for value in strings(example)
        if value.startswith(secrets.PREFIX)
    }
    assert len(shown) == 1
    for secret in shown:
        assert "EXAMPLE" in secret
        assert len(secret) == secrets.LENGTH
        assert not secrets.is_well_formed(secret)


def test_a_member_without_an_example_value_fails_the_generation() -> None:
    media: dict[str, Any] = {"schema": {"type": "object", "properties": {"unheard-of": {}}}}
    operation = {"operationId": "get_it", "responses": {"200": {"content": {"a/b": media}}}}
    document = {"components": {"schemas": {}}, "paths": {"/it": {"get": operation}}}
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        add_examples(document)
    assert GENERATOR_STATS
    GENERATOR_STATS.reset()
