"""Choosing subjects: a search, and ticks that stay while one searches on.

What is looked for and what is chosen travels in the form itself, as in the scope picker.
"""

from uuid import UUID

from django.db.models import F
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThan
from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.actions.bulk import MAX_SUBJECTS
from accessrules.actions.rules import find_subject
from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import visible_subjects
from accessrules.models import Subject, SubjectQuerySet
from runai_access.db.expressions import BinaryCollation, SQLiteNoIndexHint
from runai_access.db.normalization import normalize_term
from runai_access.errors import NotFound
from runai_access.lists.keyset import count_up_to

SHOWN = 20
_MAX_SEARCH_LENGTH = 255


class SubjectPicker:
    """The picker as its form stands: `given` is what the form or its address says."""

    types = Subject.Type.choices

    def __init__(self, authority: Authority, given: QueryDict) -> None:
        self._authority = authority
        self.find = given.get("find_subject", "").strip()[:_MAX_SEARCH_LENGTH].replace("\x00", "")
        type_ = given.get("subject_type", "")
        self.type = type_ if type_ in Subject.Type.values else ""
        self.ids = _ids(given.getlist("subject"))

    @cached_property
    def chosen(self) -> list[Subject]:
        """Those that are ticked and still there, in the order in which they were ticked.

        Whoever knows an id may name its subject: a granter need not see whom a first rule is for.
        """
        known = Subject.objects.living().in_bulk(self.ids) if self.ids else {}
        return [known[id_] for id_ in self.ids if id_ in known]

    @property
    def gone(self) -> int:
        """How many of those ticked are not there any more."""
        return len(self.ids) - len(self.chosen)

    @cached_property
    def is_large(self) -> bool:
        """Whether there are too many to look into every name: then it is the beginnings.

        All there are, for finding out who of them is in sight is a look at each as well.
        """
        living = Subject.objects.living().values("type")  # which the index of the living knows
        return not count_up_to(living.filter(type=self.type) if self.type else living).is_exact

    @cached_property
    def found(self) -> list[Subject]:
        """The first that the search finds; those out of sight by their whole name only."""
        term = normalize_term(self.find)
        names = self._selectable
        if self.is_large:
            # Met by walking through the index by name; of a type, most are those that are met.
            names = visible_subjects(self._authority)
            if self.type:
                names = names.filter(Exact(SQLiteNoIndexHint(F("type")), self.type))
        if self.is_large and term:
            # A range of that index: no letter comes after the last one of Unicode.
            name = BinaryCollation(F("folded_name"))
            names = names.filter(
                GreaterThanOrEqual(name, term), LessThan(name, term + "\U0010ffff")
            )
        elif term:
            names = names.filter(folded_name__contains=term)
        exact = self._named() if self.find else []
        found = [*exact, *names.order_by(BinaryCollation(F("folded_name")), "pk")[: SHOWN + 1]]
        return list(dict.fromkeys(found))

    @property
    def shown(self) -> list[Subject]:
        """What the form lists: first what is chosen, then what is found."""
        rest = [subject for subject in self.found if subject not in self.chosen]
        return [*self.chosen, *rest[:SHOWN]]

    @property
    def has_more(self) -> bool:
        return len(self.found) > SHOWN

    @property
    def most(self) -> int:
        return MAX_SUBJECTS

    @cached_property
    def _selectable(self) -> SubjectQuerySet:
        subjects = visible_subjects(self._authority)
        return subjects.filter(type=self.type) if self.type else subjects

    def _named(self) -> list[Subject]:
        named = []
        for type_ in [self.type] if self.type else Subject.Type.values:
            try:
                named.append(find_subject(type_, self.find))
            except NotFound:
                continue
        return named


def _ids(texts: list[str]) -> list[UUID]:
    """Return those texts that could be ids; more than can be chosen are kept, to be told."""
    ids = []
    for text in texts[: 10 * MAX_SUBJECTS]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))
