"""The base of response serializers, which also describe responses in the OpenAPI document.

drf-spectacular names a component after its serializer: `RoleSerializer` becomes `Role`.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter, itemgetter, methodcaller
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

Member = tuple[str, Callable[[Any], Any], Callable[[Any], Any], bool]
"""Name, getter, converter, and whether it is omitted if there is no value."""


class ResponseSerializer(serializers.Serializer):  # type: ignore[type-arg]  # no model
    """Serializes a response, and describes it in the OpenAPI document.

    Reads dictionaries by key and other objects by attribute. Omits a member without a value if its
    field has `required=False`.

    DRF copies the fields for each serializer and checks each value in many ways. On long lists, that
    takes twice as long as the rest of the request. `represent` avoids both with one shared serializer
    per process, so there is no context, and `default` has no effect.
    """

    @classmethod
    def represent(cls, instance: Any) -> dict[str, Any]:
        """Return the response for one object."""
        return _shared(cls).to_representation(instance)

    @classmethod
    def represent_all(cls, instances: Iterable[Any]) -> list[dict[str, Any]]:
        """Return the response for a list of objects."""
        represent = _shared(cls).to_representation
        return [represent(instance) for instance in instances]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the members of the response."""
        representation = {}
        by_key = isinstance(instance, dict)
        for name, get, convert, is_optional in self._by_key if by_key else self._by_attribute:
            value = get(instance)
            if value is not None:
                representation[name] = convert(value)
            elif not is_optional:
                representation[name] = None
        return representation

    @cached_property
    def _by_key(self) -> list[Member]:
        return self._members(
            lambda field: (
                itemgetter(field.source) if field.required else methodcaller("get", field.source)
            )
        )

    @cached_property
    def _by_attribute(self) -> list[Member]:
        return self._members(lambda field: attrgetter(field.source))

    def _members(self, getter: Callable[[Any], Callable[[Any], Any]]) -> list[Member]:
        return [
            (
                name,
                # Fields that override `get_attribute` get their value themselves.
                getter(field) if _is_plain(field) else field.get_attribute,
                _converter(field),
                not field.required and not field.read_only,
            )
            for name, field in self.fields.items()
        ]


@cache
def _shared(serializer: type[ResponseSerializer]) -> ResponseSerializer:
    return serializer()


def _converter(field: Any) -> Callable[[Any], Any]:
    """Return the function that converts values of a field. Texts and numbers skip DRF's method."""
    if isinstance(field, serializers.CharField | serializers.ChoiceField):
        return str
    if isinstance(field, serializers.IntegerField):
        return int
    if isinstance(field, serializers.ListField):
        convert = _converter(field.child)
        return lambda values: [convert(value) for value in values]
    to_representation: Callable[[Any], Any] = field.to_representation
    return to_representation


def _is_plain(field: Any) -> bool:
    return field.source != "*" and type(field).get_attribute is serializers.Field.get_attribute


class TimeField(serializers.DateTimeField):
    """An ISO 8601 time in UTC with milliseconds. DRF's field has microseconds."""

    def to_representation(self, value: datetime) -> str:
        return time_text(value)


class ConstantField(serializers.Field):  # type: ignore[type-arg]  # the stubs want five parameters for it
    """A constant value. `described_as` is its field in the OpenAPI document."""

    def __init__(self, value: Any, described_as: Any) -> None:
        super().__init__(source="*")
        self._value = value
        extend_schema_field(described_as)(self)  # type: ignore[type-var]  # accepts a field too

    def to_representation(self, value: object) -> Any:
        return self._value


class CountSerializer(ResponseSerializer):
    """The number of matching rows."""

    count = serializers.IntegerField(min_value=0)


class ErrorSerializer(ResponseSerializer):
    """An error. `details` names the invalid field and the expected value."""

    code = serializers.IntegerField(min_value=100, max_value=599)
    message = serializers.CharField()
    details = serializers.CharField(required=False)


def time_text(time: datetime) -> str:
    """Return an ISO 8601 time in UTC with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
