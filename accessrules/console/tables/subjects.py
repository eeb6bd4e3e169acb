"""Base of the tables of subjects: columns of access rules, status and last sign-in.

The rows are applications, users or groups. Their primary key is that of their subject.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.models import AccessRuleQuerySet
from runai_access.db.expressions import AsStored, BinaryCollation, InArray
from runai_access.db.keys import as_stored
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.markup import badge, marked, markup, moment, muted
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import ListTable

_MAX_RULES_IN_TITLE = 5
# Cells of subjects with one rule, two rules, and more.
_PREFIX = '<span class="visually-hidden">Access rules of {}: </span>\n'
_LINK = '<a class="rules-link" {} title="{}">' + _PREFIX
_SECOND = '<span class="clip">{}<span class="second-rule">, {}</span></span>'
_AND_ONE = '\n<span class="more more-than-one">+{}</span>'
_AND_TWO = '\n<span class="more more-than-two">+{}</span>'
_NONE = '<a class="rules-link" {}>' + _PREFIX + "{}\n</a>"
_SOME = (
    _LINK + '<span class="clip">{}</span>\n</a>',
    _LINK + _SECOND + _AND_ONE + "\n</a>",
    _LINK + _SECOND + _AND_ONE + _AND_TWO + "\n</a>",
)


class NamedRule(NamedTuple):
    """The names of a rule's role and scope."""

    role: str
    scope: str


class SubjectTable(ListTable):
    """Base of the tables of subjects. Its context is the caller's `Authority`."""

    @cached_property
    def sees_all_rules(self) -> bool:
        """Whether all rules are visible to the caller."""
        return sees_all_rules(self.authority)

    def rules_of(self, holder: Any) -> list[NamedRule]:
        """Return the visible rules of a row, those that match the search first."""
        rules = self._rules.get(holder.pk, [])
        return _matches_first(rules, normalize_term(self.search)) if self.search else rules

    def name_cell(self, record: Any, name: str) -> str:
        """Return a link to the row's page, with its status as a badge if the subject is disabled."""
        link = markup(
            '<a class="clip row-name" href="{}" title="{}">{}</a>',
            self.address_of(record), name, marked(name, self.search),
        )  # fmt: skip
        return link if record.enabled else markup("{}\n{}", link, badge(self.render_status(record)))

    def rules_cell(self, record: Any, name: str, link: SafeString) -> str:
        """Return the row's first rule, a second one if it fits, and the number of the others.

        `link` has the HTML attributes of the link around them; `name` is the subject's.
        """
        rules = self.rules_of(record)
        if not rules:
            none = "None" if self.sees_all_rules else "None that you can see"
            return markup(_NONE, link, name, muted(none))
        title = ", ".join([f"{rule.role} in {rule.scope}" for rule in rules[:_MAX_RULES_IN_TITLE]])
        shown = [_rule_cell(rule, self.search) for rule in rules[:2]]
        rest = [number for number in (len(rules) - 1, len(rules) - 2) if number > 0]
        return markup(_SOME[len(rest)], link, title, name, *shown, *rest)

    def render_last_login(self, record: Any) -> str:
        time: datetime | None = record.last_login
        return moment(time, relative=True) if time else muted("Never")

    def render_status(self, record: Any) -> str:
        return "Enabled" if record.enabled else "Disabled"

    @cached_property
    def _rules(self) -> dict[UUID, list[NamedRule]]:
        return named_rules([record.pk for record in self.data], self.authority)


def _rule_cell(rule: NamedRule, search: str) -> str:
    if not search:
        return f"{rule.role} in {rule.scope}"
    return markup("{} in {}", marked(rule.role, search), marked(rule.scope, search))


def _matches_first(rules: list[NamedRule], term: str) -> list[NamedRule]:
    return sorted(rules, key=lambda rule: term not in normalize(f"{rule.role}\n{rule.scope}"))


def named_rules(holders: list[UUID], authority: Authority) -> dict[UUID, list[NamedRule]]:
    """Return the visible rules of each subject, by its key.

    Runs one query and creates no model instances, because a page has hundreds of rules.
    """
    holder_of = dict(zip(as_stored(holders), holders, strict=True))
    found: dict[Any, list[NamedRule]] = {key: [] for key in holder_of}
    rules = _rules(authority).filter(InArray("subject", list(found)))
    for key, role, scope in rules.values_list(AsStored("subject"), "role__name", "scope__name"):
        found[key].append(NamedRule(role, scope))
    return {holder_of[key]: named for key, named in found.items()}


def by_first_rule(authority: Authority, *, is_nullable: bool = True) -> Sort:
    """Sort by the text of the first rule; subjects without rules come first, if there can be any."""
    text = Concat("role_name", Value(" in "), "scope_name", output_field=TextField())
    texts = _rules(authority).filter(subject=OuterRef("pk")).annotate(text=text)
    return Sort(BinaryCollation(Subquery(texts.values("text")[:1])), is_nullable)


def rule_texts(keys: list[Any], authority: Authority) -> dict[Any, list[str]]:
    """Return the rules of each subject as "Role in Scope", by stored key. Runs one query."""
    texts: defaultdict[Any, list[str]] = defaultdict(list)
    rules = _rules(authority).filter(InArray("subject", keys))
    for key, role, scope in rules.values_list(AsStored("subject"), "role__name", "scope__name"):
        texts[key].append(f"{role} in {scope}")
    return texts


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().order_by("pk")
