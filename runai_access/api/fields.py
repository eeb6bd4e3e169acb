"""Serializer fields that take what JSON says and nothing that merely looks like it."""

from typing import Any

from rest_framework import serializers


class Text(serializers.CharField):
    """A JSON string; DRF's own field would take a number too."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.Field):  # type: ignore[type-arg]  # the stubs want five parameters for it
    """JSON true or false; DRF's own field would take "yes", 1 and more."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction, within 32 bits as the contract declares ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=2**31 - 1, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        return super().to_internal_value(data)
