"""The filters of the Activity table."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet

from accessrules.console.tables.history import SUBJECTS, history_of, label_of
from runai_access.activity.bounded_query import BoundedQuery
from runai_access.activity.descriptions import describe_action, describe_entity, describe_type
from runai_access.audit.expressions import RESPONSE_VALUES
from runai_access.audit.models import AuditEvent
from runai_access.db.distinct import distinct_values
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import stored_form
from runai_access.lists.filter_sets import ListFilterSet, as_text
from runai_access.lists.filters import Choice, ChoiceFilter, FieldFilter, OptionsFilter, TextFilter
from runai_access.lists.operators import IS, ONE_OF_FEW, Operator, is_match
from runai_access.lists.selection import ListFilter
from runai_access.lists.time_filters import InstantFilter

_WORD = re.compile(r"[a-z][a-z_-]{0,31}")
_HISTORY = re.compile(r"([a-z][a-z_-]{0,31}):([0-9A-Za-z._-]{1,64})")
# The columns of the filters that have another name.
_NAMES = {"subject": "subject_name", "entity": "entity_name"}
MAX_VALUES = 1_000  # of a column of few values; the product writes less than fifty


class ExactFilter(FieldFilter):
    """Filters by an exact text, with an index on the value and the time."""

    operators = (IS,)

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> str:
        return stored_form(text)


class AddressFilter(ExactFilter):
    """Filters by the source address of the request."""

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise ValidationError(f"“{text}” is not an IP address like 192.0.2.1.") from None
        return str(getattr(address, "ipv4_mapped", None) or address)


@dataclass(frozen=True)
class EventTermFilter(FieldFilter):
    """Filters by a column of few values, compared as text, with an index on the value and the time."""

    column: str

    def list_filter(
        self, operator: Operator, values: list[str], context: Any, rows: QuerySet[Any]
    ) -> ListFilter:
        found = [value for value in values_of(self.column) if is_match(operator, value, values)]
        condition = Q(**{f"{self.column}__in": found})
        if len(found) != 1:
            return ListFilter(condition, column=self.column)
        condition = Q(**{self.column: found[0]})
        keys = KeySubquery.of(rows.filter(condition))
        return ListFilter(condition, keys, self.column, then_by="time")


class EventAddressFilter(TextFilter):
    """Filters by the source address as text."""

    def lookup(self, test: str, term: str, context: Any) -> Q:
        names = {"contains": "icontains", "starts_with": "istartswith", "ends_with": "iendswith"}
        return Q(**{f"{self.path}__{names.get(test, 'iexact')}": term})


def values_of(column: str) -> list[str]:
    """Return the values of a column of few, in the order of their bytes."""
    return sorted(
        distinct_values(AuditEvent.objects.annotate(**RESPONSE_VALUES), F(column), MAX_VALUES)
    )


@dataclass(frozen=True)
class TermFilter(ChoiceFilter):
    """Filters by the values that occur in a column."""

    column: str
    label: Any

    def choices(self, context: BoundedQuery, search: str = "") -> list[Choice]:
        return [self._choice(word) for word in values_of(self.column) if word]

    def chosen(self, values: list[str], context: BoundedQuery) -> list[Choice]:
        return [self._choice(value) for value in values if _WORD.fullmatch(value)]

    def _choice(self, word: str) -> Choice:
        return Choice(word, self.label(word))


class EntityReference(NamedTuple):
    """The entity of a history, by type and ID."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


class HistoryFilter(FieldFilter):
    """Filters by entity: changes to it, its own actions, and its access rules."""

    # "History of application ci-prod"
    operators = (Operator("is", "", "text"),)

    def read(self, operator: Operator, text: str, context: BoundedQuery) -> EntityReference:
        match = _HISTORY.fullmatch(text)
        if match is None:
            raise ValidationError(f"“{text}” has no history.")
        entity = EntityReference(*match.groups())
        if entity.type in SUBJECTS:
            try:
                return EntityReference(entity.type, str(UUID(entity.id)))
            except ValueError:
                raise ValidationError(f"“{text}” has no history.") from None
        return entity

    def words(self, operator: Operator, values: list[EntityReference]) -> str:
        """Use the latest name of each entity."""
        return ", ".join(describe_entity(entity.type, _name_of(entity)) for entity in values)


class EventFilterSet(ListFilterSet):
    """The filters of the Activity table. One `BoundedQuery` applies all of them."""

    field_filters = {
        "history": HistoryFilter(),
        "time": InstantFilter("time"),
        "subject": ExactFilter(),
        "action": TermFilter("action", describe_action),
        "entity_type": TermFilter("entity_type", lambda word: describe_type(word).capitalize()),
        "entity": ExactFilter(),
        "result": OptionsFilter(
            {str(one): (str(one), Q(result=one)) for one in AuditEvent.Result.values}, (ONE_OF_FEW,)
        ),
        "source_ip": AddressFilter(),
    }
    titles = {"history": "History of", "source_ip": "Source address"}
    unlisted = ("history",)

    def selection(self) -> tuple[QuerySet[Any], list[ListFilter]]:
        events, column_filters, history = self.queryset, [], []
        for filter_, values in self.active():
            if filter_.column == "time":
                events = filter_.filter(events, values)
            elif filter_.column == "history":
                history += [part for entity in values for part in history_of(*entity)]
            else:
                # Values of one filter must all hold, so two different values match nothing.
                column = _NAMES.get(filter_.column, filter_.column)
                groups = filter_.alternatives(values)
                column_filters += [(column, [*map(as_text, group)]) for group in groups]
        return self.context.apply_filters(events, column_filters, history), []


def _name_of(entity: EntityReference) -> str:
    events = AuditEvent.objects.filter(entity_type=entity.type, entity_id=entity.id)
    name = events.order_by("-time").values_list("entity_name", flat=True).first()
    return name or label_of(entity.type, entity.id) or entity.id
