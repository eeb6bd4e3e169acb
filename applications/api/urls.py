"""Addresses of the applications and token endpoints."""

from django.urls import path

from applications.api.resources import ApplicationSecretView, ApplicationsView, ApplicationView
from applications.api.tokens import TokenV1View, TokenV2View


def _resource(prefix: str, secret_member: str) -> list[object]:
    return [
        path(prefix, ApplicationsView.as_view(secret_member=secret_member), name=prefix),
        path(
            f"{prefix}/<str:application_id>",
            ApplicationView.as_view(),
            name=f"{prefix}-one",
        ),
        path(
            f"{prefix}/<str:application_id>/secret",
            ApplicationSecretView.as_view(secret_member=secret_member),
            name=f"{prefix}-secret",
        ),
    ]


app_name = "applications-api"
urlpatterns = [
    *_resource("v1/apps", secret_member="secret"),  # noqa: S106  # a member's name
    *_resource("v1/service-accounts", secret_member="clientSecret"),  # noqa: S106  # a member's name
    path("v1/token", TokenV1View.as_view(), name="token-v1"),
    path("v2/token", TokenV2View.as_view(), name="token-v2"),
]
