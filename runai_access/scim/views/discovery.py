"""What this service provider supports (RFC 7644 §4), and what it does not."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import ForbiddenException, NotImplementedException, Resource, ResponseParameters

from runai_access.errors import NotFound
from runai_access.scim.resources import CONFIG
from runai_access.scim.views.base import ScimView, list_response, resource_response

_WHOLE: ResponseParameters[Any] = ResponseParameters()


class ServiceProviderConfigView(ScimView):
    """The supported features."""

    def get(self, request: Request) -> Response:
        _refuse_filter(request)
        return resource_response(CONFIG, _WHOLE)


class DescriptionsView(ScimView):
    """All resources of a kind that describe this service provider."""

    resources: Mapping[str, Resource[Any]] = {}

    def get(self, request: Request) -> Response:
        _refuse_filter(request)
        resources = list(self.resources.values())
        return list_response(resources, _WHOLE, total=len(resources))


class DescriptionView(ScimView):
    """One resource of a kind that describes this service provider."""

    resources: Mapping[str, Resource[Any]] = {}

    def get(self, request: Request, name: str) -> Response:
        _refuse_filter(request)
        if name not in self.resources:
            raise NotFound(f"{name[:80]!r} does not exist.")
        return resource_response(self.resources[name], _WHOLE)


class SearchView(ScimView):
    """A search of users and groups together, which is not supported."""

    def post(self, request: Request) -> Response:
        raise NotImplementedException(detail="Search /Users or /Groups with GET.")


def _refuse_filter(request: Request) -> None:
    """Raise ForbiddenException for a filter (RFC 7644 §4)."""
    if "filter" in request.query_params:
        raise ForbiddenException(detail="This endpoint has no filter.")
