"""The tables of access rules and of roles."""

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.console.tables.subject_links import subject_page
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.db.expressions import InArray
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.markup import badge, clip, marked, markup, moment, muted
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import (
    ListColumn,
    ListTable,
    creation_column,
    creator_column,
    update_column,
)
from runai_access.row_urls import row_url


class AccessRuleTable(ListTable):
    """The columns of the Access rules page."""

    subject = ListColumn(
        "Subject", sort=Sort.text("subject_name"),
        exports=("subject__name",),
    )  # fmt: skip
    type = ListColumn(
        "Type", sort=Sort.text("subject_type"), exports=("subject__type",),
        as_text=lambda type_: Subject.Type(type_).label,
    )  # fmt: skip
    role = ListColumn("Role", sort=Sort.text("role_name"), exports=("role__name",))
    scope = ListColumn("Scope", sort=Sort.text("scope_name"), as_text=lambda name: name or "")
    authorized_by = creator_column()
    creation_time = creation_column()
    last_updated = update_column()
    expires = ListColumn(
        "Expires", sort=Sort.time("expires_at", is_nullable=True), is_shown=False,
        exports=(SpreadsheetTime("expires_at"),), says_zone=True,
    )  # fmt: skip

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

    def render_subject(self, record: AccessRule) -> str:
        """Link the subject to its page, if the caller can read it."""
        name, url = record.subject.name, subject_page(record, self.authority)
        shown = marked(name, self.search)
        if url:
            shown = markup('<a class="clip row-name" href="{}" title="{}">{}</a>', url, name, shown)
        else:
            shown = markup('<span class="clip row-name" title="{}">{}</span>', name, shown)
        return shown if record.subject.enabled else markup("{}\n{}", shown, badge("Disabled"))

    def render_type(self, record: AccessRule) -> str:
        return record.subject.get_type_display()

    def render_role(self, record: AccessRule) -> str:
        """Link the role to its permissions, if the caller can read roles."""
        name = marked(record.role.name, self.search)
        if not self.can_read_roles:
            return clip(record.role.name, self.search)
        url = row_url("roles:detail", record.role_id)
        return markup(
            '<a class="clip cell-link" href="{}" title="{}">{}</a>', url, record.role.name, name
        )

    def render_scope(self, record: AccessRule) -> str:
        """Show the scope's name, with its full path as the tooltip."""
        scope = record.scope
        return markup(
            '<span class="named"><span class="clip" title="{}">{}</span>'
            ' <small class="muted">{}</small></span>',
            self.full_names.get(scope.path, scope.name),
            marked(scope.name, self.search), scope.get_type_display(),
        )  # fmt: skip

    def render_expires(self, record: AccessRule) -> str:
        return moment(record.expires_at, in_column=True) if record.expires_at else muted("Never")

    render_authorized_by = ListTable.render_created_by

    @cached_property
    def history_type(self) -> str:
        return "access_rule" if self.authority.reads_audit_log else ""

    @cached_property
    def can_read_roles(self) -> bool:
        """Whether the caller can see the permissions of roles."""
        return bool(self.authority.allows_anywhere("read", "roles"))

    @cached_property
    def full_names(self) -> dict[str, str]:
        """The full path of each scope on this page."""
        return full_names(rule.scope for rule in [*self.pinned_rows, *self.page_read.rows])


class RoleTable(ListTable):
    """The columns of the Roles page."""

    role = ListColumn("Role", sort=Sort.text("name"), exports=("name",))
    description = ListColumn(
        "Description", sort=Sort.text("description"),
        exports=("description",),
    )  # fmt: skip
    assignable = ListColumn(
        "Assignable", sort=Sort.flag("assignable"), exports=("assignable",),
        as_text=lambda assignable: "yes" if assignable else "no",
    )  # fmt: skip
    created_by = creator_column()
    last_updated = update_column(is_shown=False)

    name = "roles"
    model = Role
    default_sort = "role"

    def render_role(self, record: Role) -> str:
        return markup(
            '<a class="clip row-name" href="{}" title="{}">{}</a>',
            self.address_of(record), record.name, marked(record.name, self.search),
        )  # fmt: skip

    def render_description(self, record: Role) -> str:
        text = record.description
        shown = marked(text, self.search)
        return markup('<span class="clip description" title="{}">{}</span>', text, shown)

    def render_assignable(self, record: Role) -> str:
        return "Yes" if record.assignable else "No"
