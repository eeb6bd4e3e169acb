"""The Applications table."""

from collections import defaultdict
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from accessrules.authorization import Authority
from applications.models import Application
from runai_access.folding import fold
from runai_access.ui.keyset import Bytewise, Sort
from runai_access.ui.tables import (
    ListColumn,
    ListTable,
    creation_column,
    creator_column,
    update_column,
)


def _cell(name: str) -> str:
    return f"applications/cells/_{name}.html"


def _first_rule(authority: Authority) -> Sort:
    """Sort by the first rule as the cell names it; those without one come first."""
    rules = (
        authority.visible_rules()
        .living()
        .filter(subject=OuterRef("pk"))
        .order_by("pk")
        .annotate(text=Concat("role__name", Value(" in "), "scope__name"))
    )
    return Sort(Bytewise(Subquery(rules.values("text")[:1])), is_nullable=True)


class ApplicationTable(ListTable):
    """The columns of the Applications page, in its wording."""

    application = ListColumn(
        "Application", _cell("application"), sort=Sort.text("subject__name"),
        exports=("subject__name",),
    )  # fmt: skip
    client_id = ListColumn(
        "Client ID", _cell("client_id"), sort=Sort.text("subject__name"),
        exports=("subject__name",),
    )  # fmt: skip
    access_rules = ListColumn(
        "Access rule(s)", _cell("access_rules"), sort=_first_rule,
        as_text=lambda rules: "; ".join(rules or []),
    )  # fmt: skip
    last_login = ListColumn(
        "Last login", _cell("last_login"), sort=Sort.time("last_login", is_nullable=True),
        exports=("last_login",), as_text=lambda time: time or "never",
    )  # fmt: skip
    created_by = creator_column()
    creation_time = creation_column()
    last_updated = update_column()
    status = ListColumn(
        "Status", _cell("status"), sort=Sort.flag("subject__enabled"), is_shown=False,
        exports=("subject__enabled",),
        as_text=lambda enabled: "enabled" if enabled else "disabled",
    )  # fmt: skip

    name = "applications"
    model = Application
    default_sort = "-creation_time"

    @classmethod
    def complete(cls, queryset: QuerySet[Application], context: Authority) -> Any:
        return queryset.with_access_rules(context)  # type: ignore[attr-defined]  # Application's own

    @classmethod
    def related(cls, pks: list[Any], context: Authority) -> dict[Any, list[str]]:
        """Return each application's rules as `Role in Scope`."""
        texts: defaultdict[Any, list[str]] = defaultdict(list)
        rules = context.visible_rules().living().filter(subject__in=pks).order_by("pk")
        for pk, role, scope in rules.values_list("subject", "role__name", "scope__name"):
            texts[pk].append(f"{role} in {scope}")
        return texts

    def rules_of(self, application: Application) -> list[Any]:
        """Return its rules in sight; those that a search has found come first."""
        rules: list[Any] = application.subject.visible_rules  # type: ignore[attr-defined]  # brought
        term = fold(self.search)
        if not term:
            return rules
        return sorted(rules, key=lambda rule: term not in fold(f"{rule.role}\n{rule.scope}"))
