"""The table of scopes. The tree shows most of its columns, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.console.tables import scope_counts
from accessrules.models import Scope
from runai_access.db.expressions import BinaryCollation, InArray
from runai_access.lists.keyset import Count, Page
from runai_access.lists.markup import clip, marked, markup
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import (
    ListColumn,
    ListTable,
    creation_column,
    creator_column,
    update_column,
)
from runai_access.row_urls import history_url, list_url, row_url

NOT_IN_A_TREE = ("parent",)
_NOTHING = markup('<span class="nothing">\u2013</span>')


@dataclass(frozen=True)
class ScopeRelations:
    """Values of a scope's row in a file that come from other rows."""

    parent: str
    scopes_below: int
    rules: int


class ScopeTable(ListTable):
    """The columns of the Scopes page."""

    scope = ListColumn("Scope", sort=Sort(BinaryCollation(Lower("name"))), exports=("name",))
    type = ListColumn(
        "Type", sort=Sort(F("depth"), read=int), exports=("type",),
        as_text=lambda type_: Scope.Type(type_).label,
    )  # fmt: skip
    parent = ListColumn("Parent", as_text=lambda related: related.parent)
    scopes_below = ListColumn(
        "Scopes below",
        sort=lambda authority: Sort.number(scope_counts.number_of_scopes_below(authority)),
        as_text=lambda related: related.scopes_below,
    )  # fmt: skip
    rules = ListColumn(
        "Access rules",
        sort=lambda authority: Sort.number(scope_counts.number_of_rules(authority)),
        as_text=lambda related: related.rules,
    )  # fmt: skip
    id = ListColumn("ID", sort=Sort.text("uid"), exports=("uid",), is_shown=False)
    created_by = creator_column()
    creation_time = creation_column(is_shown=False)
    last_updated = update_column()

    name = "scopes"
    model = Scope
    default_sort = "scope"
    has_row_pages = False

    @classmethod
    def in_tree(
        cls,
        scopes: Sequence[Scope],
        *,
        authority: Authority,
        columns: Sequence[str],
        search: str,
        address: str,
    ) -> "ScopeTable":
        """Return the table of the scopes in the tree."""
        page = Page(list(scopes), 1, len(scopes), Count(len(scopes), is_exact=True), False, False)
        shown = [name for name in columns if name not in NOT_IN_A_TREE]
        return cls(page, context=authority, columns=shown, sort="", search=search, address=address)

    @classmethod
    def complete(cls, queryset: QuerySet[Scope], context: Authority) -> Any:  # noqa: ARG003
        return queryset.select_related("parent")

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, ScopeRelations]:
        scopes = list(Scope.objects.filter(InArray("pk", keys)).select_related("parent"))
        above = _names_above(scopes)
        scopes_below = scope_counts.scopes_below(context, keys)
        rules = scope_counts.rules_in(context, keys)
        return {
            key: ScopeRelations(above.get(key, ""), scopes_below.get(key, 0), rules.get(key, 0))
            for key in keys
        }

    def render_scope(self, record: Scope) -> str:
        """Link the name to the access report of the scope, if the caller can read rules there."""
        shown = marked(record.name, self.search)
        if not self.possible[record.pk].can_see_access:
            return markup('<span class="clip row-name" title="{}">{}</span>', record.name, shown)
        url = row_url("accessrules:scope-access", record.pk)
        return markup(
            '<a class="clip row-name" href="{}" title="{}" hx-boost="false">{}</a>',
            url, record.name, shown,
        )  # fmt: skip

    def render_type(self, record: Scope) -> str:
        return record.get_type_display()

    def render_parent(self, record: Scope) -> str:
        """Show the path from the account to the parent."""
        return clip(self.names_above.get(record.pk) or "\u2014")

    def render_scopes_below(self, record: Scope) -> str:
        """Show the number of descendants."""
        number = self.count_below.get(record.pk, 0)
        return f"{number:,}" if number else _NOTHING

    def render_rules(self, record: Scope) -> str:
        """Show the number of access rules in the scope, as a link if the caller can read them."""
        number = self.count_of_rules.get(record.pk, 0)
        if not number or not self.possible[record.pk].can_see_access:
            return f"{number:,}" if number else _NOTHING
        return markup(
            '<a class="rules-link" href="{}?scope__any_of={}" hx-boost="false"'
            ' aria-label="{} access rule{} in {}">{}</a>',
            list_url("accessrules:list"), record.pk, number, "" if number == 1 else "s",
            record.name, f"{number:,}",
        )  # fmt: skip

    def render_id(self, record: Scope) -> str:
        return markup(
            '<code class="clip" title="{}">{}</code>', record.uid, marked(record.uid, self.search)
        )

    @cached_property
    def history_type(self) -> str:
        return "scope" if self.authority.reads_audit_log else ""

    def history_of(self, record: Scope) -> str:
        return history_url(record.type, record.uid) if self.history_type else ""

    def allowed_actions(self, record: Scope) -> object:
        return self.possible[record.pk]

    @cached_property
    def possible(self) -> dict[int, scope_policy.PossibleActions]:
        """The actions that the caller can do on each scope."""
        return {
            scope.pk: scope_policy.possible_actions(self.authority, scope) for scope in self._scopes
        }

    @cached_property
    def names_above(self) -> dict[int, str]:
        """The full path of each scope's parent."""
        return _names_above(self._scopes)

    @cached_property
    def count_below(self) -> dict[int, int]:
        """The number of descendants of each scope."""
        return scope_counts.scopes_below(self.authority, self.possible)

    @cached_property
    def count_of_rules(self) -> dict[int, int]:
        """The number of access rules in each scope."""
        return scope_counts.rules_in(self.authority, self.possible)

    @property
    def _scopes(self) -> list[Scope]:
        return [*self.pinned_rows, *self.page_read.rows]


def _names_above(scopes: Sequence[Scope]) -> dict[int, str]:
    above = {
        scope.pk: scope.parent
        for scope in scopes
        if scope.parent and scope.parent.type != Scope.Type.SYSTEM
    }
    names = full_names(above.values())
    return {pk: names[parent.path] for pk, parent in above.items()}
