"""URLs of the applications endpoints."""

from datetime import UTC, datetime

from django.urls import URLPattern, path

from applications.api.containment import (
    ContainView,
    IncidentReportView,
    ReplaceAndEnableView,
)
from applications.api.resources import ApplicationSecretView, ApplicationsView, ApplicationView
from applications.api.secret_search import FindSecretsView
from applications.api.secrets import ClientSecretsView, ClientSecretView
from applications.api.serializers import (
    AddedClientSecretSerializer,
    AddedSecretSerializer,
    ClientSecretSerializer,
    CopiedApplicationSerializer,
    CopiedServiceAccountSerializer,
    CreatedApplicationSerializer,
    CreatedServiceAccountSerializer,
    SecretSerializer,
)
from applications.api.trash import CopiesView, DeletedApplicationsView, RestoreView
from runai_access.api.deprecation import Deprecation
from runai_access.api.serializers import ResponseSerializer

# Deprecated since 2.24. The date is the release of its client, runapy 1.224.0.
_APPLICATIONS = Deprecation(
    datetime(2025, 12, 15, tzinfo=UTC), successor="/api/v1/service-accounts", prefix="/api/v1/apps"
)


def _resource(
    prefix: str,
    resource: str,
    *,
    created: type[ResponseSerializer],
    secret: type[ResponseSerializer],
    added: type[ResponseSerializer],
    copied: type[ResponseSerializer],
    deprecation: Deprecation | None = None,
) -> list[URLPattern]:
    options = {"resource": resource, "deprecation": deprecation}
    return [
        path(
            f"{prefix}/<str:application_id>/restore",
            RestoreView.as_view(**options),
            name=f"{prefix}-restore",
        ),
        path(
            f"{prefix}/<str:application_id>/copies",
            CopiesView.as_view(copied_serializer=copied, **options),
            name=f"{prefix}-copies",
        ),
        path(
            prefix,
            ApplicationsView.as_view(created_serializer=created, **options),
            name=prefix,
        ),
        path(
            f"{prefix}/<str:application_id>",
            ApplicationView.as_view(**options),
            name=f"{prefix}-one",
        ),
        path(
            f"{prefix}/<str:application_id>/secret",
            ApplicationSecretView.as_view(secret_serializer=secret, **options),
            name=f"{prefix}-secret",
        ),
        path(
            f"{prefix}/<str:application_id>/contain",
            ContainView.as_view(**options),
            name=f"{prefix}-contain",
        ),
        path(
            f"{prefix}/<str:application_id>/replace-secret-and-enable",
            ReplaceAndEnableView.as_view(secret_serializer=secret, **options),
            name=f"{prefix}-replace-secret-and-enable",
        ),
        path(
            f"{prefix}/<str:application_id>/report",
            IncidentReportView.as_view(**options),
            name=f"{prefix}-report",
        ),
        path(
            f"{prefix}/<str:application_id>/secrets",
            ClientSecretsView.as_view(added_serializer=added, **options),
            name=f"{prefix}-secrets",
        ),
        path(
            f"{prefix}/<str:application_id>/secrets/<str:secret_id>",
            ClientSecretView.as_view(**options),
            name=f"{prefix}-secrets-one",
        ),
    ]


app_name = "applications-api"
urlpatterns = [
    path(
        "api/v1/deleted-service-accounts",
        DeletedApplicationsView.as_view(),
        name="deleted-service-accounts",
    ),
    path("api/v1/find-secrets", FindSecretsView.as_view(), name="find-secrets"),
    *_resource(
        "api/v1/apps",
        "application",
        created=CreatedApplicationSerializer,
        secret=SecretSerializer,
        added=AddedSecretSerializer,
        copied=CopiedApplicationSerializer,
        deprecation=_APPLICATIONS,
    ),
    *_resource(
        "api/v1/service-accounts",
        "service account",
        created=CreatedServiceAccountSerializer,
        secret=ClientSecretSerializer,
        added=AddedClientSecretSerializer,
        copied=CopiedServiceAccountSerializer,
    ),
]
