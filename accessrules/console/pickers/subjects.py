"""The subject picker: a search, and checkboxes that keep their state between searches.

The form carries the search and the selection, as in the scope picker.
"""

from uuid import UUID

from django.db.models import F
from django.db.models.lookups import Exact
from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.actions.bulk import MAX_SUBJECTS
from accessrules.actions.subjects import find_subject
from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import visible_subjects
from accessrules.models import Subject, SubjectQuerySet
from runai_access.db.expressions import BinaryCollation, SQLiteNoIndexHint, starts_with
from runai_access.db.normalization import normalize_term
from runai_access.errors import NotFound
from runai_access.lists.keyset import count_up_to

SHOWN = 20
_MAX_SEARCH_LENGTH = 255


class SubjectPicker:
    """The state of the picker. `given` is the form data or the query string."""

    types = Subject.Type.choices

    def __init__(self, authority: Authority, given: QueryDict) -> None:
        self._authority = authority
        self.find = given.get("find_subject", "").strip()[:_MAX_SEARCH_LENGTH].replace("\x00", "")
        type_ = given.get("subject_type", "")
        self.type = type_ if type_ in Subject.Type.values else ""
        self.ids = _ids(given.getlist("subject"))

    @cached_property
    def chosen(self) -> list[Subject]:
        """The selected subjects that still exist, in the order of selection.

        Any subject can be selected by id, also one that is not visible: otherwise nobody could add
        its first rule.
        """
        known = Subject.objects.living().in_bulk(self.ids) if self.ids else {}
        return [known[id_] for id_ in self.ids if id_ in known]

    @property
    def gone(self) -> int:
        """The number of selected subjects that no longer exist."""
        return len(self.ids) - len(self.chosen)

    @cached_property
    def is_large(self) -> bool:
        """Whether there are too many subjects for a substring search; then only prefixes match.

        Counts all subjects: counting the visible ones would read each of them.
        """
        living = Subject.objects.living().values("type")  # covered by the index on active subjects
        return not count_up_to(living.filter(type=self.type) if self.type else living).is_exact

    @cached_property
    def found(self) -> list[Subject]:
        """The first search results. Subjects that are not visible match only by their full name."""
        term = normalize_term(self.find)
        names = self._selectable
        if self.is_large:
            # Scan the index on names; most subjects match the type, so its index is not used.
            names = visible_subjects(self._authority)
            if self.type:
                names = names.filter(Exact(SQLiteNoIndexHint(F("type")), self.type))
        if self.is_large and term:
            names = names.filter(starts_with("normalized_name", term))
        elif term:
            names = names.filter(normalized_name__contains=term)
        exact = self._named() if self.find else []
        found = [*exact, *names.order_by(BinaryCollation(F("normalized_name")), "pk")[: SHOWN + 1]]
        return list(dict.fromkeys(found))

    @property
    def shown(self) -> list[Subject]:
        """The subjects to list: the selected ones, then the search results."""
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
    """Return the valid UUIDs. Keeps more than MAX_SUBJECTS, so that the form can report them."""
    ids = []
    for text in texts[: 10 * MAX_SUBJECTS]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))
