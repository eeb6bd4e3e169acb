"""Peers: typical first implementations by a Django developer, over the same tables.

They are the admin's changelist, a page with django-tables2 and django-filter, and a DRF list. Each
prefetches the rules of its rows.
"""

from typing import Any

import django_filters
import django_tables2
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django_filters.views import FilterView
from rest_framework.pagination import LimitOffsetPagination

from accessrules.models import AccessRule, Role
from applications.models import Application
from bench.list_api import plain_list
from bench.million.rows import ROWS

_NEWEST_FIRST = ("-created_at",)


def _applications() -> QuerySet[Application]:
    rules = AccessRule.objects.living().select_related("role", "scope")
    prefetched = Prefetch("subject__access_rules", rules)
    return Application.objects.select_related("subject").prefetch_related(prefetched)


def _rules(application: Application) -> str:
    return ", ".join(f"{one.role} in {one.scope}" for one in application.subject.access_rules.all())


class PlainAdmin(ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """The changelist, open to all signed-in users."""

    list_display = ("name", "rules", "last_login", "created_by", "created_at", "updated_at")
    list_filter = ("subject__access_rules__role",)
    search_fields = ("subject__name", "created_by")
    ordering = _NEWEST_FIRST
    list_per_page = ROWS
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        return _applications().order_by(*_NEWEST_FIRST)

    def rules(self, application: Application) -> str:
        return _rules(application)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_delete_permission = has_add_permission

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True


class _Site(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return True


plain_admin = _Site()
plain_admin.register(Application, PlainAdmin)


class PlainTable(django_tables2.Table):  # type: ignore[misc]  # has no types
    """The columns of our table."""

    name = django_tables2.Column(accessor="subject__name")
    client_id = django_tables2.Column(accessor="subject__name")
    rules = django_tables2.Column(accessor="subject", orderable=False)

    class Meta:
        model = Application
        template_name = "django_tables2/table.html"
        fields = ("name", "client_id", "rules", "last_login", "created_by", "created_at")
        sequence = (*fields, "updated_at")
        order_by = _NEWEST_FIRST

    updated_at = django_tables2.DateTimeColumn()

    def render_rules(self, record: Application) -> SafeString:
        return mark_safe(_rules(record))  # noqa: S308  # generated here


class PlainFilters(django_filters.FilterSet):  # type: ignore[misc]  # has no types
    """Search, and a filter by role."""

    search = django_filters.CharFilter(method="find")
    role = django_filters.ModelMultipleChoiceFilter(
        field_name="subject__access_rules__role", queryset=Role.objects.all()
    )

    class Meta:
        model = Application
        fields = ("search", "role")

    def find(self, rows: QuerySet[Application], _: str, text: str) -> QuerySet[Application]:
        return rows.filter(Q(subject__name__icontains=text) | Q(created_by__icontains=text))


class PlainPage(django_tables2.SingleTableMixin, FilterView):  # type: ignore[misc]  # has no types
    """A page of the table, its filters above it."""

    table_class, filterset_class = PlainTable, PlainFilters
    table_pagination = {"per_page": ROWS}
    template_name = "bench/table.html"

    def get_queryset(self) -> QuerySet[Application]:
        return _applications()


class _Pages(LimitOffsetPagination):
    default_limit, max_limit = 1_000, 1_000


class PlainList(plain_list()):  # type: ignore[misc]  # created after Django's setup
    """The list of DRF, page by page."""

    pagination_class = _Pages
