"""The OpenAPI document: as a file for tools at /api/schema/, and at /api/docs/ as a page of ours, under
our own CSP and without another host."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from runai_access.compression import allow_compression

METHODS = ("get", "post", "patch", "delete")


@dataclass(frozen=True)
class Member:
    """One parameter, or one member of a body or an answer."""

    name: str
    type: str
    required: bool = False
    place: str = ""
    description: str = ""


@dataclass(frozen=True)
class Answer:
    """One status and what comes with it; `schema` names a section further down the page."""

    status: str
    description: str
    type: str
    schema: str = ""
    example: str = ""

    @property
    def is_success(self) -> bool:
        """True for a 2xx status."""
        return self.status.startswith("2")


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    parameters: list[Member]
    body: list[Member]
    body_example: str
    answers: list[Answer]


@dataclass(frozen=True)
class Documentation:
    """Everything on the page: operations by tag, then the schemas they name."""

    tags: dict[str, list[Operation]] = field(default_factory=dict)
    schemas: dict[str, list[Member]] = field(default_factory=dict)


YAML_TYPES = ("application/vnd.oai.openapi", "application/yaml")
JSON_TYPES = ("application/json", "application/vnd.oai.openapi+json")


class SchemaView(SpectacularAPIView):
    """The document for anyone: as JSON for clients that prefer it, else as YAML."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        media_type = request._request.get_preferred_type([*YAML_TYPES, *JSON_TYPES])
        written = _as_json if media_type in JSON_TYPES else _as_yaml
        response = HttpResponse(written(), content_type=media_type or YAML_TYPES[0])
        patch_vary_headers(response, ["Accept"])
        return allow_compression(response)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show every endpoint, parameter, body and answer of the API."""
    return render(request, "api/docs.html", {"documentation": documentation()})


# The document is the same as long as the process lives. To make and to write it takes a good part of a
# second, and strangers may ask for it: it must not be a way to keep the server busy.


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
    return {**document, "servers": [{"url": settings.PUBLIC_URL}]}


@cache
def _as_yaml() -> bytes:
    written: bytes = OpenApiYamlRenderer().render(_document(), renderer_context={})  # type: ignore[no-untyped-call]  # the library has no types
    return written


@cache
def _as_json() -> bytes:
    written: bytes = OpenApiJsonRenderer().render(_document(), renderer_context={})
    return written


@cache
def documentation() -> Documentation:
    """Return the OpenAPI document in the shape of the page."""
    document = _document()
    schemas = document["components"]["schemas"]
    found = Documentation()
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(method, path, item[method], schemas)
                found.tags.setdefault(item[method]["tags"][0], []).append(operation)
    for name, schema in schemas.items():
        found.schemas[name] = list(_members(schema, schemas))
    return found


def _operation(method: str, path: str, item: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    body = _schema(item.get("requestBody", {}))
    return Operation(
        id=item["operationId"],
        method=method.upper(),
        path=path,
        summary=item["summary"],
        description=item.get("description", "").replace("`", ""),
        deprecated=item.get("deprecated", False),
        parameters=[_parameter(entry) for entry in item.get("parameters", [])],
        body=list(_members(body, schemas)),
        body_example=_example(item.get("requestBody", {})),
        answers=[_answer(status, entry) for status, entry in item["responses"].items()],
    )


def _parameter(entry: dict[str, Any]) -> Member:
    return Member(
        name=entry["name"],
        type=_type(entry["schema"]),
        required=entry.get("required", False),
        place=entry["in"],
        description=entry.get("description", ""),
    )


def _answer(status: str, entry: dict[str, Any]) -> Answer:
    schema = _schema(entry)
    named = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
    description = entry["description"].replace("`", "")
    return Answer(
        status, description, _type(schema) if schema else "nothing", named, _example(entry)
    )


def _schema(body_or_answer: dict[str, Any]) -> dict[str, Any]:
    for content in body_or_answer.get("content", {}).values():
        schema: dict[str, Any] = content["schema"]
        return schema
    return {}


def _example(body_or_answer: dict[str, Any]) -> str:
    """Return the example as it is sent: a form as a form, anything else as JSON."""
    for media_type, content in body_or_answer.get("content", {}).items():
        if "example" in content:
            example = content["example"]
            is_form = media_type == "application/x-www-form-urlencoded"
            return urlencode(example) if is_form else json.dumps(example, indent=2)
    return ""


def _members(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Member]:
    if reference := schema.get("$ref"):
        schema = schemas[reference.rpartition("/")[2]]
    required = schema.get("required", ())
    for name, entry in schema.get("properties", {}).items():
        yield Member(name, _type(entry), name in required, description=entry.get("description", ""))


def _type(schema: dict[str, Any]) -> str:
    """Return a type as a reader says it: "list of Role", "one of asc, desc", "date-time or null"."""
    if reference := schema.get("$ref"):
        return str(reference.rpartition("/")[2])
    if parts := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_type(part) for part in parts)
    if values := schema.get("enum"):
        return "one of " + ", ".join(str(value) for value in values)
    types = schema.get("type", "anything")
    names = [schema.get("format", name) for name in ([types] if isinstance(types, str) else types)]
    if "array" in names:
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join("null" if name == "null" else name for name in names)
