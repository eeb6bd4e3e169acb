"""Filters on scopes."""

from typing import Any

from django.db.models import Q

from accessrules.authorization.authority import Authority
from accessrules.authorization.scope_policy import TYPES, visible_scopes
from accessrules.filters.rules import CreatorFilter, ScopeFilter, primary_keys, visible_user_emails
from accessrules.filters.search import names_matching
from accessrules.filters.subjects import NoRulesFilter
from accessrules.models import Scope, at_or_below
from runai_access.db.expressions import InArray
from runai_access.lists.filter_sets import ListFilterSet
from runai_access.lists.filters import Choice, OptionsFilter, TextFilter
from runai_access.lists.operators import Operator
from runai_access.lists.time_filters import TimeFilter


class ScopeNameFilter(TextFilter):
    """Filters by scope name. There are few scopes, so Python compares their normalized names."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        names = visible_scopes(context).values_list("pk", "name")
        return Q(InArray("pk", names_matching(names, test, term)))


class AncestorFilter(ScopeFilter):
    """Filters by a visible ancestor at any depth. Projects have no child scopes."""

    noun = "scope"
    operators = (Operator("any_of", "any of", "choices"),)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        chosen = primary_keys(values)
        paths = self._scopes(context).filter(pk__in=chosen).values_list("path", flat=True)
        return at_or_below(paths) & ~Q(path__in=list(paths))

    def _scopes(self, context: Authority) -> Any:
        return visible_scopes(context).exclude(type=Scope.Type.PROJECT)


class ScopeFilterSet(ListFilterSet):
    """Filters on the list of scopes."""

    field_filters = {
        "scope": ScopeNameFilter("name"),
        "type": OptionsFilter({str(type_): (type_.label, Q(type=type_)) for type_ in TYPES}),
        "parent": AncestorFilter(),
        "rules": NoRulesFilter("scope"),
        "created_by": CreatorFilter("created_by", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
    }
    titles = {"rules": "Access rules"}

    def indexed_queryset(self) -> Any:
        return Scope.objects.selectable()
