"""The OpenAPI schema generator: adds the parameters, errors and headers that endpoints share."""

import inspect
import re
from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from runai_access.api.errors import MESSAGES
from runai_access.api.fields import TEXT
from runai_access.api.filter_by import EQUALITY, MAX_CONDITIONS, NULL, OPERATORS, Field, FieldType
from runai_access.api.idempotency import HEADER
from runai_access.api.paging import (
    MAX_OFFSET,
    MAX_PARAMETER_LENGTH,
    ListEndpoint,
    RowsEndpoint,
    sortable,
)
from runai_access.api.query import own_parameters
from runai_access.api.serializers import ErrorSerializer

_ERROR = {"$ref": "#/components/schemas/Error"}
DESCRIPTIONS = {
    400: "Invalid, unknown or missing parameter, or unknown host; see `details`.",
    401: "Missing or invalid credentials.",
    403: "The caller has no access rule with the required permission.",
    404: "No object with this ID is visible to the caller.",
    409: (
        "Conflict: the name is in use, the access rule exists, it is the last administrator, or a "
        "request with the same key was already processed."
    ),
    413: "The request body exceeds 1 MiB.",
    415: "Unsupported media type, or a compressed body.",
    422: "The idempotency key was used for another request.",
    429: "Too many requests; retry after `Retry-After` seconds.",
    503: "The server is busy or can't reach its database; retry after `Retry-After` seconds.",
}
# The headers of each status. They are described in the components, in the settings.
_HEADERS_OF = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
_LIST_HEADERS = ["X-Total-Count", "X-Total-Count-At-Least", "X-Search-Incomplete", "Link"]
# Of views with a throttle, in responses to an authenticated caller.
_RATE_LIMIT_HEADERS = ["RateLimit-Policy", "RateLimit"]
_VALUES = {
    FieldType.TEXT: r"[^\x00]+",
    FieldType.LABEL: r"[^\x00]+",
    FieldType.TIME: (
        r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
        r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
    ),
    FieldType.NUMBER: r"[0-9]{1,9}",
    FieldType.FLAG: r"true|false",
}
_EXAMPLES = {
    FieldType.TEXT: "=@a",
    FieldType.LABEL: "==env=prod",
    FieldType.TIME: ">=2026-01-01T00:00:00Z",
    FieldType.NUMBER: "<=100",
    FieldType.FLAG: "==true",
}
_TYPE_OF = {
    FieldType.TEXT: "text",
    FieldType.LABEL: "key=value",
    FieldType.TIME: "time",
    FieldType.NUMBER: "number",
    FieldType.FLAG: "true or false",
}


class ContractSchema(AutoSchema):
    """Adds the list parameters and possible errors to each operation."""

    def get_operation_id(self) -> str:
        """Return an ID made from method and path, so it is unique and stable."""
        words = re.findall(r"[A-Za-z0-9]+", self.path)
        return "_".join([self.method.lower(), *words])

    def is_deprecated(self) -> bool:
        return getattr(self.view, "deprecation", None) is not None

    def get_summary(self) -> str:
        return self._texts()[0]

    def get_description(self) -> str:  # type: ignore[override]  # as in drf-spectacular, not DRF
        summary, description = self._texts()
        return description or f"{summary}."

    def _texts(self) -> tuple[str, str]:
        """Return the summary and description: the first paragraph of the docstring, and the rest.

        Replaces `{resource}` with the view's `resource`, and `{a resource}` with its indefinite form.
        """
        text = inspect.getdoc(getattr(self.view, self.method.lower())) or ""
        resource = getattr(self.view, "resource", "")
        article = "an" if resource.startswith(("a", "e", "i", "o")) else "a"
        text = text.replace("{a resource}", f"{article} {resource}").replace("{resource}", resource)
        summary, _, description = text.partition("\n\n")
        return summary.removesuffix("."), description

    def get_tags(self) -> list[str]:
        tag: str = getattr(self.view, "tag", "Other")
        return [tag]

    def get_override_parameters(self) -> list[Any]:
        parameters = [*super().get_override_parameters(), *own_parameters(self.view, self.method)]
        if self.method in getattr(self.view, "idempotent", ()):
            parameters.append(IDEMPOTENCY_KEY)
        listing: ListEndpoint | RowsEndpoint | None = getattr(self.view, "listing", None)
        if listing is not None and self.method == "GET":
            parameters += list_parameters(listing, counting=getattr(self.view, "counts", False))
        return parameters

    def get_auth(self) -> list[Any]:
        # Views that accept other credentials than a bearer token declare `security`.
        return getattr(self.view, "security", None) or super().get_auth() or [{}]

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        # `readOnly` is redundant in responses.
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # the library has no types
        for member in schema.get("properties", {}).values():
            member.pop("readOnly", None)
        return schema

    def get_response_serializers(self) -> Any:
        # Views of several resources declare the serializer of each method.
        by_method = getattr(self.view, "response_serializers", {})
        return by_method.get(self.method) or super().get_response_serializers()

    def _get_request_body(self, direction: Literal["request", "response"] = "request") -> Any:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # the library has no types
        return body and {**body, "required": True}

    def _get_response_bodies(
        self, direction: Literal["request", "response"] = "response"
    ) -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code in self._errors():
            bodies.setdefault(str(code), self._error(code))
        for status, body in bodies.items():
            # drf-spectacular leaves it empty; use the standard phrase of the status.
            body["description"] = body["description"] or HTTPStatus(int(status)).phrase
            if names := self._headers(int(status)):
                body["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        return dict(sorted(bodies.items()))

    def _headers(self, code: int) -> list[str]:
        names = list(_HEADERS_OF.get(code, ()))
        is_list = getattr(self.view, "listing", None) and not getattr(self.view, "counts", False)
        if code == HTTPStatus.OK and self.method == "GET" and is_list:
            names += _LIST_HEADERS
        if self.view.throttle_classes and (code < HTTPStatus.MULTIPLE_CHOICES or code == 429):
            names += _RATE_LIMIT_HEADERS
        if self.is_deprecated():
            names.append("Deprecation")
        return names

    def _errors(self) -> list[int]:
        errors = [503]
        if self.view.permission_classes:
            errors += [400, 401, 403, 429]
        if self.method in ("POST", "PATCH"):
            errors.append(400)
        if self.method in ("POST", "PATCH"):
            errors += [413, 415]
        if getattr(self.view, "query_parameters", ()):
            errors.append(400)
        if "{" in self.path:
            errors.append(404)
        if self.method in getattr(self.view, "idempotent", ()):
            errors += [400, 409, 422]
        return errors + list(getattr(self.view, "errors", {}).get(self.method, ()))

    def _error(self, code: int) -> dict[str, Any]:
        # Registers the component of the reference.
        self.resolve_serializer(ErrorSerializer, "response")
        content: dict[str, Any] = {
            "schema": _ERROR,
            "example": {"code": code, "message": MESSAGES[code]},
        }
        return {"description": DESCRIPTIONS[code], "content": {"application/json": content}}


IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    location=OpenApiParameter.HEADER,
    description="Makes retries safe: for a day, a repeated request with the same key has no effect.",
)


def list_parameters(
    listing: ListEndpoint | RowsEndpoint, *, counting: bool
) -> list[OpenApiParameter]:
    """Return the parameters of a list, or only its filters if `counting`."""
    list_filter = [
        OpenApiParameter(
            "filterBy",
            {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_CONDITIONS,
                "items": {"type": "string", "pattern": filter_pattern(listing)},
            },
            explode=False,
            style="form",
            description=(
                "Conditions `field operator value`, combined with AND. Fields: "
                + "; ".join(_field(name, field) for name, field in listing.fields.items())
                + ". Fields of type “or null” can be compared with `null` (no value): `==null` and"
                " `!=null`. In other fields, `null` is plain text."
                ' In a URL, `<`, `>` and `"` must be percent-encoded (RFC 3986 §2.1): `%3C`, `%3E`,'
                " `%22`."
            ),
            examples=_filter_examples(listing),
        ),
        OpenApiParameter(
            "search",
            {**TEXT, "maxLength": MAX_PARAMETER_LENGTH},
            description="Text that a name contains, ignoring case.",
        ),
    ]
    if counting:
        return list_filter
    page = [
        OpenApiParameter("sortBy", str, enum=sortable(listing.fields)),
        OpenApiParameter("sortOrder", str, enum=["asc", "desc"], default="asc"),
        OpenApiParameter("limit", _bounded(listing.min_limit, listing.max_limit)),
        OpenApiParameter("offset", _bounded(0, MAX_OFFSET)),
        OpenApiParameter(
            "cursor",
            {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,4000}$"},
            description="Start of a page, from the `Link` header of the page before it.",
        ),
    ]
    return [*list_filter, *(one for one in page if one.name in listing.parameters)]


def filter_pattern(listing: ListEndpoint | RowsEndpoint) -> str:
    """Return a regular expression for a condition: fields, operators and values."""
    conditions = [_condition_pattern(kind, listing) for kind in FieldType]
    if nullable := [name for name, field in listing.fields.items() if field.is_nullable]:
        conditions.append(f"({'|'.join(nullable)})({'|'.join(EQUALITY)})({NULL})")
    return f"^({'|'.join(condition for condition in conditions if condition)})$"


def _condition_pattern(kind: FieldType, listing: ListEndpoint | RowsEndpoint) -> str:
    names = [name for name, field in listing.fields.items() if field.kind is kind]
    operators = "|".join(re.escape(operator) for operator in OPERATORS[kind])
    return f"({'|'.join(names)})({operators})({_VALUES[kind]})" if names else ""


def _bounded(minimum: int, maximum: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def _field(name: str, field: Field) -> str:
    type_ = _TYPE_OF[field.kind] + (" or null" if field.is_nullable else "")
    return f"{name} ({type_}: {' '.join(OPERATORS[field.kind])})"


def _filter_examples(listing: ListEndpoint | RowsEndpoint) -> list[OpenApiExample]:
    """Return an example condition for each field type of the list, and a combined one."""
    conditions: dict[str, str] = {}
    for name, field in listing.fields.items():
        conditions.setdefault(_TYPE_OF[field.kind], name + _EXAMPLES[field.kind])
        if field.is_nullable:
            conditions.setdefault(NULL, f"{name}!={NULL}")
    examples = [OpenApiExample(type_, value=[condition]) for type_, condition in conditions.items()]
    return [*examples, OpenApiExample("combined", value=list(conditions.values()))]
