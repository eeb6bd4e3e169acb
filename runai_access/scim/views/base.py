"""The base of SCIM endpoints."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, ListResponse, Resource, ResponseParameters

from accessrules.api.views import CallerView
from applications.oauth.authentication import TokenOrSecretAuthentication
from runai_access.api.parsers import JSONObjectParser
from runai_access.api.renderers import FastJSONRenderer
from runai_access.errors_views import SCIM_TYPE
from runai_access.scim.errors import scim_exception_handler

M = TypeVar("M", bound=Model)


class ScimParser(JSONObjectParser):
    """Parses a JSON object with the media type of SCIM."""

    media_type = SCIM_TYPE


class ScimRenderer(FastJSONRenderer):
    """Renders JSON with the media type of SCIM (RFC 7644 §3.1)."""

    media_type = SCIM_TYPE


class ScimView(CallerView):
    """A SCIM endpoint. Also accepts a client secret as bearer, but no session."""

    authentication_classes = [TokenOrSecretAuthentication]
    parser_classes = [ScimParser, JSONObjectParser]
    renderer_classes = [ScimRenderer]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def body(self) -> dict[str, Any]:
        """The parsed body, which is always an object."""
        parsed: Any = self.request.data
        return parsed  # type: ignore[no-any-return]  # see JSONObjectParser

    def check_parameters(self, request: Request) -> None:
        """Accept unknown parameters: identity providers send some."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return scim_exception_handler


def resource_response(
    resource: Resource[Any], parameters: ResponseParameters[Any], status: int = 200
) -> Response:
    """Return the response with one resource, without the attributes that the client excludes."""
    response = Response(_dumped(resource, parameters), status=status)
    if status == 201 and resource.meta:
        response["Location"] = str(resource.meta.location)
    return response


def list_response(
    resources: Sequence[Resource[Any]],
    parameters: ResponseParameters[Any],
    *,
    total: int,
    start: int = 0,
) -> Response:
    """Return the response with a page of resources, the first of which is at `start`, from 0."""
    return Response(
        {
            "schemas": [str(ListResponse.__schema__)],
            "totalResults": total,
            "startIndex": start + 1,
            "itemsPerPage": len(resources),
            "Resources": [_dumped(resource, parameters) for resource in resources],
        }
    )


def page_of(
    rows: QuerySet[Any], order: str, start: int, end: int, *, of: QuerySet[M]
) -> tuple[list[M], int]:
    """Return the rows of the queryset `of` at these positions of `rows`, and the number of all `rows`.

    Reads the keys from the index of the order, and only then the rows of the page.
    """
    keys = list(rows.order_by(order).values_list("pk", flat=True)[start:end])
    found = of.in_bulk(keys)
    return [found[key] for key in keys if key in found], rows.order_by().count()


def _dumped(resource: Resource[Any], parameters: ResponseParameters[Any]) -> dict[str, Any]:
    dumped: dict[str, Any] = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters
    )
    return dumped
