"""Filters on access rules and roles."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Concat

from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.filters.search import (
    keys_of_subjects,
    keys_of_visible,
    names_matching,
    rules_to_find,
    visible_groups,
)
from accessrules.models import AccessRule, AccessRuleQuerySet, Role, Scope, Subject, at_or_below
from runai_access.db.distinct import distinct_values
from runai_access.db.expressions import BinaryCollation, InArray, SQLiteNoIndexHint, starts_with
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize, normalize_term
from runai_access.db.normalization_sql import normalized
from runai_access.lists.filter_sets import ListFilterSet
from runai_access.lists.filters import Choice, ChoiceFilter, FieldFilter, OptionsFilter, TextFilter
from runai_access.lists.operators import (
    ANY_OF,
    CONTAINS,
    ENDS_WITH,
    EVER,
    IS,
    LOOKUPS,
    NEVER,
    STARTS_WITH,
    Operator,
    is_match,
)
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Groups, Sort
from runai_access.lists.time_filters import ExpiryFilter, TimeFilter

MAX_SUGGESTIONS = 200
MAX_CHOICES = 50
MAX_CREATORS = 2_000
WITHIN = Operator("within", "is in or below any of", "choices")


class ReferenceFilter(ChoiceFilter):
    """Filters by what an access rule refers to in `column`."""

    column = ""

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(**{f"{self.column}__in": primary_keys(values)})


class RoleFilter(ReferenceFilter):
    """Filters by role."""

    column = "role"

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.all()]


class ScopeFilter(ReferenceFilter):
    """Filters by scope, among scopes whose access rules the caller can read."""

    column = "scope"
    has_search = True

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        scopes = self._scopes(context).order_by("depth", "name", "pk")
        term = normalize_term(search)
        pks = [pk for pk, name in scopes.values_list("pk", "name") if term in normalize(name)]
        return self._choices_for(scopes.filter(pk__in=pks[:MAX_CHOICES]))

    def chosen(self, values: list[str], context: Authority) -> list[Choice]:
        pks = [int(text) for text in values if text.isascii() and text.isdecimal()]
        known = [pk for pk in pks if pk < 2**63]
        return self._choices_for(self._scopes(context).filter(pk__in=known))

    def _scopes(self, context: Authority) -> Any:
        return Scope.objects.selectable().at_or_below(context.scope_roots("read", "access_rules"))

    def _choices_for(self, scopes: Iterable[Scope]) -> list[Choice]:
        scopes = list(scopes)
        names = full_names(scopes)
        return [Choice(str(scope.pk), scope.name, names[scope.path]) for scope in scopes]


class SubjectTypeFilter(ChoiceFilter):
    """Filters by the type of the subject: application, user or group."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(value, label) for value, label in Subject.Type.choices]

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        return rules_with("subject_type", [choice.value for choice in values], rows)


class RuleRoleFilter(RoleFilter):
    """Filters by the role of the rule."""

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        return rules_with("role", primary_keys(values), rows)


class RuleScopeFilter(ScopeFilter):
    """Filters by the scope of the rule, or by an ancestor of it."""

    operators = (ANY_OF, WITHIN)

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        scopes = primary_keys(values)
        if operator == WITHIN:
            paths = self._scopes(context).filter(pk__in=scopes).values_list("path", flat=True)
            scopes = list(Scope.objects.at_or_below(paths).values_list("pk", flat=True))
        return rules_with("scope", scopes, rows)


class RuleSubjectFilter(TextFilter):
    """Filters by the rule's denormalized subject name."""

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        longest = normalize(max(values, key=len))
        is_exact = len(values) == 1 and operator in (CONTAINS, STARTS_WITH)
        if operator in (CONTAINS, ENDS_WITH):
            found = keys_of_subjects(context, longest, is_exact=is_exact)
            if found is None:
                found = keys_of_visible(context, self.condition(operator, values, context))
            return found
        rules = rules_to_find(context)
        return KeySubquery.of(rules.filter(starts_with(self.path, longest)), is_exact=is_exact)


class CreatorFilter(TextFilter):
    """Filters by the creator, whose name is not stored in normalized form."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        # No index: if one user created almost all rows, it would return all of them unsorted.
        return Q(LOOKUPS[test](normalized(SQLiteNoIndexHint(F(self.path))), term))


class AuthorizerFilter(CreatorFilter):
    """Filters by the creator of the rule. There are few, so Python compares their normalized names."""

    def list_filter(
        self, operator: Operator, values: list[str], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        creators = distinct_values(rows, BinaryCollation(F(self.path)), MAX_CREATORS + 1)
        if len(creators) > MAX_CREATORS:
            return super().list_filter(operator, values, context, rows)
        found = [creator for creator in creators if is_match(operator, creator, values)]
        return rules_with(self.path, found, rows)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        """Return the keys if there are many creators: those of one, or of a beginning."""
        if operator not in (IS, STARTS_WITH):
            return None
        longest = normalize(max(values, key=len))
        # Only the domain of an email address can differ between its stored and normalized form.
        local_part, at, _ = longest.partition("@")
        found = rules_to_find(context).filter(starts_with(self.path, local_part + at))
        return KeySubquery.of(found, is_exact=False)


class RoleNameFilter(TextFilter):
    """Filters by role name. There are few roles, so Python compares their normalized names."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        names = Role.objects.values_list("pk", "name")
        return Q(pk__in=names_matching(names, test, term))


def role_sort() -> Sort:
    """Return the sort of access rules by the ID of their role. An index has the rules of each name."""

    def by_id(visible: Sequence[int] | None) -> list[tuple[int, list[str]]]:
        roles = Role.objects.order_by("pk").values_list("pk", "name")
        return [(pk, [name]) for pk, name in roles if visible is None or pk in visible]

    return replace(
        Sort.number("role_id"), groups=Groups("role_name", by_id, is_text=True, reference="role")
    )


def scope_sort(text: F | Concat) -> Sort:
    """Return the sort of access rules by a text of their scopes."""
    # Not a join: rows that are only passed then need none.
    scopes = Scope.objects.filter(pk=OuterRef("scope")).order_by()
    return Sort(
        BinaryCollation(Subquery(scopes.values(text=text))),
        groups=Groups("scope", partial(_groups, Scope, text, "pk", str), reference="scope"),
    )


def name_sort(reference: str, model: type[Role | Scope]) -> Sort:
    """Return the sort of access rules by the normalized name of their role or scope."""
    names = Groups(
        f"{reference}_name",
        partial(_groups, model, F("name"), "name", normalize),
        is_text=True,
        reference=reference,
    )
    return Sort(BinaryCollation(normalized(f"{reference}_name")), groups=names)


def _groups(
    model: type[Role | Scope],
    text: F | Concat,
    column: str,
    key: Callable[[str], str],
    visible: Sequence[int] | None,
) -> list[tuple[str, list[Any]]]:
    """Return the values of `column` by the sort keys of the texts, in order."""
    groups: dict[str, list[Any]] = defaultdict(list)
    rows = model.objects.all() if visible is None else model.objects.filter(InArray("pk", visible))
    for value, found in rows.order_by().values_list(column, text).distinct():
        groups[key(found)].append(value)
    return sorted(groups.items())


@dataclass(frozen=True)
class RuleReferenceFilter(FieldFilter):
    """Filters rules by their role or scope: `of` is a filter of the few roles or scopes.

    `column` is the reference in the rule, `model` the model that it refers to.
    """

    column: str
    model: type[Role | Scope]
    of: FieldFilter

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        matching = self.model.objects.filter(self.of.condition(operator, values, context))
        visible = visible_groups(context, self.column)
        if visible is not None:  # PostgreSQL would look all of them up
            matching = matching.filter(InArray("pk", visible))
        return rules_with(self.column, list(matching.order_by().values_list("pk", flat=True)), rows)


class PathFilter(FieldFilter):
    """Filters scopes by paths: those and all below them."""

    def condition(self, operator: Operator, values: list[list[str]], context: Authority) -> Q:
        return at_or_below(values[0])


class NoDeletionFilter(TimeFilter):
    """Filters rules that are not deleted by their time of deletion. Comparing it matches none."""

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        matches_missing = operator == NEVER or (operator.negates and operator != EVER)
        return super().condition(operator, values, context) if matches_missing else Q(pk__in=[])


class RuleTypeFilter(FieldFilter):
    """Filters rules by the type of their subject, compared as text."""

    def list_filter(
        self, operator: Operator, values: list[str], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        found = [type_ for type_ in Subject.Type.values if is_match(operator, type_, values)]
        return rules_with("subject_type", found, rows)


def primary_keys(choices: Iterable[Choice]) -> list[int]:
    """Return the choices' values as primary keys."""
    return [int(choice.value) for choice in choices]


def rules_with(column: str, values: Sequence[Any], rules: QuerySet[Any]) -> ListFilter:
    """Return the filter for rules with one of `values` in a column; an index searches in `rules`."""
    one_of = InArray(SQLiteNoIndexHint(F(column)), values)
    is_text = isinstance(AccessRule._meta.get_field(column), CharField)  # documented
    indexed = InArray(BinaryCollation(F(column)) if is_text else column, values)
    keys = KeySubquery.of(rules.filter(indexed))
    return ListFilter(Q(one_of), keys, reference=column, referenced=values)


def visible_user_emails(authority: Authority) -> Iterable[str]:
    """Return the emails of visible users, as suggestions."""
    return _visible_names(authority, "users", Subject.Type.USER)


def visible_owner_names(authority: Authority) -> Iterable[str]:
    """Return the names of visible users and groups, as suggestions."""
    return [
        *visible_user_emails(authority),
        *_visible_names(authority, "groups", Subject.Type.GROUP),
    ]


def _visible_names(authority: Authority, resource_type: str, type_: Subject.Type) -> Iterable[str]:
    subjects = Subject.objects.living().filter(authority.visible_q(resource_type), type=type_)
    if not authority.allows_anywhere("read", resource_type):
        subjects = subjects.none()
    return subjects.order_by("name").values_list("name", flat=True)[:MAX_SUGGESTIONS]


class AccessRuleFilterSet(ListFilterSet):
    """Filters on the list of access rules."""

    field_filters = {
        "subject": RuleSubjectFilter("subject_name"),
        "type": SubjectTypeFilter(),
        "role": RuleRoleFilter(),
        "scope": RuleScopeFilter(),
        "authorized_by": AuthorizerFilter("created_by", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
        "expires": ExpiryFilter("expires_at"),
    }
    titles = {"authorized_by": "Created by"}

    def indexed_queryset(self) -> AccessRuleQuerySet:
        return rules_to_find(self.context)


class RoleFilterSet(ListFilterSet):
    """Filters on the list of roles."""

    field_filters = {
        "role": RoleNameFilter("name"),
        "assignable": OptionsFilter(
            {"yes": ("Yes", Q(assignable=True)), "no": ("No", Q(assignable=False))}
        ),
        "last_updated": TimeFilter("updated_at"),
    }
