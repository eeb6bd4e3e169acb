"""The OpenAPI document: at /api/schema/ for tools, and at /api/docs/ as a page.

The page is our own, so it works with the strict CSP and loads nothing from other hosts.
"""

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
    """A parameter, or a member of a request or response body."""

    name: str
    type: str
    required: bool = False
    place: str = ""
    description: str = ""


@dataclass(frozen=True)
class DocumentedResponse:
    """A response by status. `schema` is the name of a section on the same page."""

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
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    parameters: list[Member]
    body: list[Member]
    body_example: str
    responses: list[DocumentedResponse]


@dataclass(frozen=True)
class Documentation:
    """The content of the page: operations by tag, and their schemas."""

    tags: dict[str, list[Operation]] = field(default_factory=dict)
    schemas: dict[str, list[Member]] = field(default_factory=dict)


YAML_TYPES = ("application/vnd.oai.openapi", "application/yaml")
JSON_TYPES = ("application/json", "application/vnd.oai.openapi+json")


class SchemaView(SpectacularAPIView):
    """The public document, as JSON for clients that prefer it, or as YAML."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        media_type = request._request.get_preferred_type([*YAML_TYPES, *JSON_TYPES])
        render_document = _as_json if media_type in JSON_TYPES else _as_yaml
        response = HttpResponse(render_document(), content_type=media_type or YAML_TYPES[0])
        patch_vary_headers(response, ["Accept"])
        return allow_compression(response)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show all endpoints of the API, with parameters, bodies and responses."""
    return render(request, "api/docs.html", {"documentation": documentation()})


# The document never changes while the process runs. It takes most of a second to build and anyone can
# request it, so it is cached: otherwise requests for it could overload the server.


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
    return {**document, "servers": [{"url": settings.PUBLIC_URL}]}


@cache
def _as_yaml() -> bytes:
    rendered: bytes = OpenApiYamlRenderer().render(_document(), renderer_context={})  # type: ignore[no-untyped-call]  # the library has no types
    return rendered


@cache
def _as_json() -> bytes:
    rendered: bytes = OpenApiJsonRenderer().render(_document(), renderer_context={})
    return rendered


@cache
def documentation() -> Documentation:
    """Return the OpenAPI document, structured for the page."""
    document = _document()
    schemas = document["components"]["schemas"]
    page = Documentation()
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(method, path, item[method], schemas)
                page.tags.setdefault(item[method]["tags"][0], []).append(operation)
    for name, schema in schemas.items():
        page.schemas[name] = list(_members(schema, schemas))
    return page


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
        responses=[_response(status, entry) for status, entry in item["responses"].items()],
    )


def _parameter(entry: dict[str, Any]) -> Member:
    return Member(
        name=entry["name"],
        type=_type(entry["schema"]),
        required=entry.get("required", False),
        place=entry["in"],
        description=entry.get("description", ""),
    )


def _response(status: str, entry: dict[str, Any]) -> DocumentedResponse:
    schema = _schema(entry)
    schema_name = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
    description = entry["description"].replace("`", "")
    return DocumentedResponse(
        status, description, _type(schema) if schema else "none", schema_name, _example(entry)
    )


def _schema(body_or_response: dict[str, Any]) -> dict[str, Any]:
    for content in body_or_response.get("content", {}).values():
        schema: dict[str, Any] = content["schema"]
        return schema
    return {}


def _example(body_or_response: dict[str, Any]) -> str:
    """Return the example in its wire format: form-encoded or JSON."""
    for media_type, content in body_or_response.get("content", {}).items():
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
    """Return a readable type, for example "list of Role", "one of asc, desc" or "date-time or null"."""
    if reference := schema.get("$ref"):
        return str(reference.rpartition("/")[2])
    if parts := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_type(part) for part in parts)
    if values := schema.get("enum"):
        return "one of " + ", ".join(str(value) for value in values)
    types = schema.get("type", "any")
    names = [schema.get("format", name) for name in ([types] if isinstance(types, str) else types)]
    if "array" in names:
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join("null" if name == "null" else name for name in names)
