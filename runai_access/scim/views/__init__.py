"""The views of SCIM by the names of their URLs."""

from collections.abc import Callable

from django.http.response import HttpResponseBase

from runai_access.scim.resources import RESOURCE_TYPES, SCHEMAS
from runai_access.scim.views.discovery import (
    DescriptionsView,
    DescriptionView,
    SearchView,
    ServiceProviderConfigView,
)
from runai_access.scim.views.groups import GroupsView, GroupView
from runai_access.scim.views.users import UsersView, UserView

VIEWS: dict[str, Callable[..., HttpResponseBase]] = {
    "service-provider-config": ServiceProviderConfigView.as_view(),
    "resource-types": DescriptionsView.as_view(resources=RESOURCE_TYPES),
    "resource-type": DescriptionView.as_view(resources=RESOURCE_TYPES),
    "schemas": DescriptionsView.as_view(resources=SCHEMAS),
    "schema": DescriptionView.as_view(resources=SCHEMAS),
    "users": UsersView.as_view(),
    "user": UserView.as_view(),
    "groups": GroupsView.as_view(),
    "group": GroupView.as_view(),
    "search": SearchView.as_view(),
}
