"""The filters of the Activity table."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accessrules.console.tables.history import SUBJECTS, history_of, label_of
from runai_access.activity.bounded_query import BoundedQuery, Wanted
from runai_access.activity.descriptions import describe_action, describe_entity, describe_type
from runai_access.audit.models import AuditEvent
from runai_access.db.normalization import stored_form
from runai_access.lists.filters import (
    IS,
    ONE_OF_FEW,
    Choice,
    ChoiceFilter,
    FieldFilter,
    InstantFilter,
    ListFilterSet,
    Operator,
)
from runai_access.lists.selection import ListFilter

_WORD = re.compile(r"[a-z][a-z_-]{0,31}")
_HISTORY = re.compile(r"([a-z][a-z_-]{0,31}):([0-9A-Za-z._-]{1,64})")
SUGGESTED = 50


@dataclass(frozen=True)
class ExactFilter(FieldFilter):
    """Text that is the same: what an index by value and time can find."""

    column: str
    operators = (IS,)

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> str:
        return stored_form(text)


class AddressFilter(ExactFilter):
    """An address that a request came from."""

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise ValidationError(f"“{text}” is no address like 192.0.2.1.") from None
        return str(getattr(address, "ipv4_mapped", None) or address)


@dataclass(frozen=True)
class TermFilter(ChoiceFilter):
    """One of the words that stand in a column, as far as they do."""

    column: str
    titles: Any

    def choices(self, context: BoundedQuery, search: str = "") -> list[Choice]:
        """Return the words that there are: one step through the index for each."""
        words: list[str] = []
        column = AuditEvent.objects.order_by(self.column).values_list(self.column, flat=True)
        while len(words) < SUGGESTED:
            rest = column.filter(**{f"{self.column}__gt": words[-1]}) if words else column
            found = rest.first()
            if found is None:
                break
            words.append(found)
        return [self._choice(word) for word in words if word]

    def chosen(self, values: list[str], context: BoundedQuery) -> list[Choice]:
        return [self._choice(value) for value in values if _WORD.fullmatch(value)]

    def _choice(self, word: str) -> Choice:
        return Choice(word, self.titles(word))


class ResultFilter(ChoiceFilter):
    """How it ended."""

    column = "result"
    operators = (ONE_OF_FEW,)

    def choices(self, context: BoundedQuery, search: str = "") -> list[Choice]:
        return [Choice(str(result), str(result)) for result in AuditEvent.Result.values]


@dataclass(frozen=True)
class Thing:
    """What a history is of."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


class HistoryFilter(FieldFilter):
    """What was done to a thing, what it did, and what became of its access rules."""

    # "History of application ci-prod"
    operators = (Operator("is", "", "text"),)

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> Thing:
        match = _HISTORY.fullmatch(text)
        if match is None:
            raise ValidationError(f"“{text}” is nothing that has a history.")
        thing = Thing(*match.groups())
        if thing.type in SUBJECTS:
            try:
                return Thing(thing.type, str(UUID(thing.id)))
            except ValueError:
                raise ValidationError(f"“{text}” is nothing that has a history.") from None
        return thing

    def words(self, operator: Operator, values: list[Thing]) -> str:
        """Name it as it was called last."""
        return ", ".join(describe_entity(thing.type, _name_of(thing)) for thing in values)


class EventFilterSet(ListFilterSet):
    """What events may be filtered by. All at once is asked of one `Looking`."""

    field_filters = {
        "history": HistoryFilter(),
        "time": InstantFilter("time"),
        "subject": ExactFilter("subject_name"),
        "action": TermFilter("action", describe_action),
        "entity_type": TermFilter("entity_type", lambda word: describe_type(word).capitalize()),
        "entity": ExactFilter("entity_name"),
        "result": ResultFilter(),
        "source_ip": AddressFilter("source_ip"),
    }
    titles = {
        "history": "History of",
        "time": "Time",
        "subject": "Subject",
        "action": "Action",
        "entity_type": "Entity type",
        "entity": "Entity",
        "result": "Result",
        "source_ip": "Source address",
    }
    unlisted = ("history",)

    def selection(self) -> tuple[QuerySet[Any], list[ListFilter]]:
        return self.qs, []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted, history = [], []
        for name, values in self.form.cleaned_data.items():
            filter_ = self.filters[name]
            if values and filter_.column == "time":
                queryset = filter_.filter(queryset, values)
            elif values and filter_.column == "history":
                history += [part for thing in values for part in history_of(thing.type, thing.id)]
            elif values and isinstance(filter_.kind, ChoiceFilter):
                column = filter_.kind.column  # type: ignore[attr-defined]  # each of ours has one
                wanted.append(Wanted(column, tuple(choice.value for choice in values)))
            else:
                # Values of one filter must all hold, so two different ones leave nothing.
                wanted += [Wanted(filter_.kind.column, (value,)) for value in values]
        return self.context.narrow(queryset, wanted, history)  # type: ignore[no-any-return]  # untyped


def _name_of(thing: Thing) -> str:
    about = AuditEvent.objects.filter(entity_type=thing.type, entity_id=thing.id)
    name = about.order_by("-time").values_list("entity_name", flat=True).first()
    return name or label_of(thing.type, thing.id) or thing.id
