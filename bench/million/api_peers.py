"""Peers of the API: the viewsets of DRF's tutorial, with django-filter, over the same tables.

They have the same authentication, search the same columns, and join what a response shows.
"""

from typing import Any

import django_filters
from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import get_model_field
from rest_framework import filters, renderers, serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.viewsets import ModelViewSet

from accessrules.models import AccessRule, Role, Scope
from applications.models import Application
from bench.million.api_peer_fields import FIELDS, LOOKUPS, SUFFIXES
from bench.million.rows import ROWS
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent


class _Pages(LimitOffsetPagination):
    default_limit, max_limit = ROWS, 1_000


def _view_set(
    name: str, rows: QuerySet[Any], search: tuple[str, ...], *, joined: tuple[str, ...] = ()
) -> type[ModelViewSet[Any]]:
    """Return the viewset of a list. Its serializer has the fields of the list."""
    fields = FIELDS[name]
    model: type[Model] = rows.model
    members: dict[str, Any] = {
        member: serializers.ReadOnlyField(source=lookup.replace("__", "."))
        for member, lookup in fields.items()
        if member != lookup  # a field of the model
    }
    meta = type("Meta", (), {"model": model, "fields": [*fields, "pk"]})
    conditions: dict[str, Any] = {"Meta": type("Meta", (), {"model": model, "fields": []})}
    for member, lookup in fields.items():
        conditions |= _conditions(model, member, lookup)
    options = {
        "queryset": rows.select_related(*joined) if joined else rows,
        "serializer_class": type(
            "Serializer", (serializers.ModelSerializer,), {**members, "Meta": meta}
        ),
        "filterset_class": type("Filters", (django_filters.FilterSet,), conditions),
        "filter_backends": [DjangoFilterBackend, filters.SearchFilter, filters.OrderingFilter],
        "search_fields": search,
        "ordering_fields": list(fields.values()),
        "pagination_class": _Pages,
        "renderer_classes": (renderers.JSONRenderer,),
        "http_method_names": ["get"],
    }
    return type("ViewSet", (ModelViewSet,), options)


def _conditions(model: type[Model], member: str, lookup: str) -> dict[str, Any]:
    """Return the filters of a field, by parameter."""
    kind = get_model_field(model, lookup).get_internal_type()
    if kind == "DateTimeField":
        of_time = django_filters.IsoDateTimeFilter
        return {
            member: of_time(field_name=lookup),
            f"{member}{SUFFIXES['<=']}": of_time(field_name=lookup, lookup_expr="lte"),
        }
    if kind == "BooleanField":
        return {member: django_filters.BooleanFilter(field_name=lookup)}
    if kind not in ("CharField", "TextField", "EmailField", "GenericIPAddressField"):
        return {
            member: django_filters.NumberFilter(field_name=lookup),
            f"{member}{SUFFIXES['<=']}": django_filters.NumberFilter(
                field_name=lookup, lookup_expr="lte"
            ),
        }
    return {
        f"{member}{SUFFIXES[operator]}": django_filters.CharFilter(
            field_name=lookup, lookup_expr=LOOKUPS[operator]
        )
        for operator in ("==", "=@")
    }


def _scopes(kind: Scope.Type) -> QuerySet[Scope]:
    return Scope.objects.filter(type=kind).order_by("name", "pk")


VIEW_SETS: dict[str, Any] = {
    "service-accounts": _view_set(
        "service-accounts", Application.objects.order_by("subject__name"),
        ("subject__name", "created_by"), joined=("subject",),
    ),
    "access-rules": _view_set(
        "access-rules", AccessRule.objects.filter(deleted_at=None),
        ("subject__name", "role__name", "scope__name", "created_by"),
        joined=("subject", "role", "scope"),
    ),
    "access-rules-with-deleted": _view_set(
        "access-rules", AccessRule.objects.order_by("pk"),
        ("subject__name", "role__name", "scope__name", "created_by"),
        joined=("subject", "role", "scope"),
    ),
    "roles": _view_set("roles", Role.objects.order_by("pk"), ("name", "description")),
    "users": _view_set("users", User.objects.order_by("email"), ("email", "created_by")),
    "clusters": _view_set("clusters", _scopes(Scope.Type.CLUSTER), ("name",)),
    "departments": _view_set(
        "departments", _scopes(Scope.Type.DEPARTMENT), ("name",), joined=("parent",)
    ),
    "projects": _view_set(
        "projects", _scopes(Scope.Type.PROJECT), ("name",), joined=("parent",)
    ),
    "audit/log": _view_set(
        "audit/log", AuditEvent.objects.order_by("time", "pk"), ("subject_name", "entity_name")
    ),
}  # fmt: skip
