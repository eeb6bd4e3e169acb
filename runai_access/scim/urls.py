"""URLs of SCIM 2.0, below `/scim/v2`."""

from django.urls import path

from runai_access.scim.resources import RESOURCE_TYPES, SCHEMAS
from runai_access.scim.views.discovery import (
    DescriptionsView,
    DescriptionView,
    SearchView,
    ServiceProviderConfigView,
)
from runai_access.scim.views.groups import GroupsView, GroupView
from runai_access.scim.views.users import UsersView, UserView

urlpatterns = [
    path("ServiceProviderConfig", ServiceProviderConfigView.as_view()),
    path("ResourceTypes", DescriptionsView.as_view(resources=RESOURCE_TYPES)),
    path("ResourceTypes/<str:name>", DescriptionView.as_view(resources=RESOURCE_TYPES)),
    path("Schemas", DescriptionsView.as_view(resources=SCHEMAS)),
    path("Schemas/<str:name>", DescriptionView.as_view(resources=SCHEMAS)),
    path("Users", UsersView.as_view()),
    path("Users/<str:user_id>", UserView.as_view()),
    path("Groups", GroupsView.as_view()),
    path("Groups/<str:group_id>", GroupView.as_view()),
    path(".search", SearchView.as_view()),
]
