"""The tables of access rules and of roles."""

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from accessrules import cells
from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.db.expressions import InArray
from runai_access.lists.keyset import Sort
from runai_access.lists.tables import (
    ListColumn,
    ListTable,
    creation_column,
    creator_column,
    update_column,
)


class AccessRuleTable(ListTable):
    """The columns of the Access rules page."""

    subject = ListColumn(
        "Subject", cells.subject, sort=Sort.text("subject_name"),
        exports=("subject__name",),
    )  # fmt: skip
    type = ListColumn(
        "Type", cells.subject_type, sort=Sort.text("subject_type"), exports=("subject__type",),
        as_text=lambda type_: Subject.Type(type_).label,
    )  # fmt: skip
    role = ListColumn("Role", cells.role, sort=Sort.text("role_name"), exports=("role__name",))
    scope = ListColumn(
        "Scope",
        cells.scope,
        sort=Sort.text("scope_name"),
        as_text=lambda name: name or "",
    )
    authorized_by = creator_column("Authorized by")
    creation_time = creation_column()
    last_updated = update_column()

    name = "access-rules"
    model = AccessRule
    default_sort = "-creation_time"
    has_row_pages = False

    @classmethod
    def complete(cls, queryset: QuerySet[AccessRule], context: Authority) -> Any:  # noqa: ARG003
        return queryset.select_related("subject", "role", "scope")

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, str]:  # noqa: ARG003
        """Return the full path of each rule's scope."""
        held = dict(AccessRule.objects.filter(InArray("pk", keys)).values_list("pk", "scope"))
        scopes = Scope.objects.only("path", "name").in_bulk(set(held.values()))
        names = full_names(scopes.values())
        return {key: names[scopes[scope].path] for key, scope in held.items()}

    @cached_property
    def history_type(self) -> str:
        return "access_rule" if self.authority.reads_audit_log else ""

    @cached_property
    def can_read_roles(self) -> bool:
        """Whether whoever asks may see what a role permits."""
        return bool(self.authority.allows_anywhere("read", "roles"))

    @cached_property
    def full_names(self) -> dict[str, str]:
        """The full path of each scope on this page."""
        return full_names(rule.scope for rule in [*self.pinned_rows, *self.page_read.rows])


class RoleTable(ListTable):
    """The columns of the Roles page."""

    role = ListColumn("Role", cells.role_name, sort=Sort.text("name"), exports=("name",))
    description = ListColumn(
        "Description", cells.description, sort=Sort.text("description"),
        exports=("description",),
    )  # fmt: skip
    offered = ListColumn(
        "Offered", cells.offered, sort=Sort.flag("assignable"), exports=("assignable",),
        as_text=lambda offered: "yes" if offered else "no",
    )  # fmt: skip
    created_by = creator_column()
    last_updated = update_column(is_shown=False)

    name = "roles"
    model = Role
    default_sort = "role"
