"""Serializers of responses: what every endpoint shares. They also describe the OpenAPI document.

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
"""Name, reader, writer, and whether it can be left out."""


class ResponseSerializer(serializers.Serializer):  # type: ignore[type-arg]  # one for any kind of object
    """Produces one kind of response, and describes it in the OpenAPI document.

    Reads a dictionary by key and any other object by attribute. Leaves out a member without a value
    where its field has `required=False`.

    DRF builds the fields again for each serializer and looks up each value with many checks, which
    doubled the time of long lists. Here `represent` shares one serializer per process, and values are
    read directly. So there is no context, and `default` has no effect.
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
        """Return the members."""
        representation = {}
        by_key = isinstance(instance, dict)
        for name, read, write, is_optional in self._by_key if by_key else self._by_attribute:
            value = read(instance)
            if value is not None:
                representation[name] = write(value)
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

    def _members(self, reader: Callable[[Any], Callable[[Any], Any]]) -> list[Member]:
        return [
            (
                name,
                # A field of its own kind reads its value itself.
                reader(field) if _is_plain(field) else field.get_attribute,
                _writer(field),
                not field.required and not field.read_only,
            )
            for name, field in self.fields.items()
        ]


@cache
def _shared(serializer: type[ResponseSerializer]) -> ResponseSerializer:
    return serializer()


def _writer(field: Any) -> Callable[[Any], Any]:
    """Return what writes a field's values. Text needs none of the checks that DRF makes for others."""
    if isinstance(field, serializers.CharField | serializers.ChoiceField):
        return str
    if isinstance(field, serializers.ListField):
        write = _writer(field.child)
        return lambda values: [write(value) for value in values]
    to_representation: Callable[[Any], Any] = field.to_representation
    return to_representation


def _is_plain(field: Any) -> bool:
    return field.source != "*" and type(field).get_attribute is serializers.Field.get_attribute


class TimeField(serializers.DateTimeField):
    """ISO 8601 in UTC with milliseconds; DRF's own field writes microseconds."""

    def to_representation(self, value: datetime) -> str:
        return time_text(value)


class ConstantField(serializers.Field):  # type: ignore[type-arg]  # the stubs want five parameters for it
    """The same value in every response; `described_as` is its field in the OpenAPI document."""

    def __init__(self, value: Any, described_as: Any) -> None:
        super().__init__(source="*")
        self._value = value
        extend_schema_field(described_as)(self)  # type: ignore[type-var]  # takes a field too

    def to_representation(self, value: object) -> Any:
        return self._value


class CountSerializer(ResponseSerializer):
    """How many rows match."""

    count = serializers.IntegerField(min_value=0)


class ErrorSerializer(ResponseSerializer):
    """The one form of errors: what happened, and in `details` which field and what was expected."""

    code = serializers.IntegerField(min_value=100, max_value=599)
    message = serializers.CharField()
    details = serializers.CharField(required=False)


def time_text(time: datetime) -> str:
    """Return an ISO 8601 time in UTC with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
