"""The Applications table."""

from typing import Any

import django_tables2 as tables
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from accessrules.authorization import Authority
from applications.models import Application
from runai_access.ui.tables import ListTable

Applications = QuerySet[Application]


def _column(title: str, cell: str, *order_by: str, **options: Any) -> tables.TemplateColumn:
    return tables.TemplateColumn(
        template_name=f"applications/cells/_{cell}.html",
        verbose_name=title,
        order_by=(*order_by, "pk"),
        **options,
    )


class ApplicationTable(ListTable):
    """The columns of the Applications page, in its wording."""

    application = _column("Application", "application", "subject__name")
    client_id = _column("Client ID", "client_id", "subject__name")
    access_rules = _column("Access rule(s)", "access_rules")
    last_login = _column("Last login", "last_login")
    created_by = _column("Created by", "created_by", "created_by")
    creation_time = _column("Creation time", "creation_time", "created_at")
    last_updated = _column("Last updated", "last_updated", "updated_at")

    default_sort = "-creation_time"

    class Meta(ListTable.Meta):
        pass

    def __init__(self, *args: Any, authority: Authority, selected: str = "", **kwargs: Any) -> None:
        self.authority = authority
        self.selected = selected
        super().__init__(*args, **kwargs)

    def order_access_rules(
        self, queryset: Applications, is_descending: bool
    ) -> tuple[Applications, bool]:
        """Sort by the first rule as the cell names it; those without one come first."""
        first_rule = (
            self.authority.visible_rules()
            .living()
            .filter(subject=OuterRef("pk"))
            .order_by("pk")
            .annotate(text=Concat("role__name", Value(" in "), "scope__name"))
        )
        queryset = queryset.annotate(first_rule=Subquery(first_rule.values("text")[:1]))
        return _with_nothing_first(queryset, "first_rule", is_descending), True

    def order_last_login(
        self, queryset: Applications, is_descending: bool
    ) -> tuple[Applications, bool]:
        """Sort by time; "never" counts as before any time."""
        return _with_nothing_first(queryset, "last_login", is_descending), True


def _with_nothing_first(queryset: Applications, field: str, is_descending: bool) -> Applications:
    """Sort by `field` with nulls as its least value: left alone, databases disagree on that."""
    if is_descending:
        return queryset.order_by(F(field).desc(nulls_last=True), "-pk")
    return queryset.order_by(F(field).asc(nulls_first=True), "pk")
