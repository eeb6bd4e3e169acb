"""Serializers of request bodies, and fields that don't convert between JSON types."""

from collections.abc import Mapping
from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runai_access.api.spelling import intended_name

# NUL is valid in JSON, but not in the text of a database.
TEXT = {"type": "string", "pattern": r"^[^\x00]*$"}


class Body(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """A JSON object in a request. Unknown members are ignored, except likely misspellings."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated members. Raises ValidationError for misspelled names."""
        if isinstance(data, Mapping):
            self._require_spelling(data)
        return super().to_internal_value(data)

    def _require_spelling(self, data: Mapping[str, Any]) -> None:
        misspelled = {
            name: [f"Unknown member. Did you mean {intended}?"]
            for name in data
            if name not in self.fields and (intended := intended_name(name, self.fields))
        }
        if misspelled:
            raise serializers.ValidationError(misspelled)


@extend_schema_field({**TEXT, "minLength": 1})
class Text(serializers.CharField):
    """A JSON string. DRF's field also accepts numbers."""

    def __init__(self, *, trim_whitespace: bool = False, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=trim_whitespace, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """A choice whose error lists the values. DRF's message doesn't."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key != "invalid_choice":
            super().fail(key, **kwargs)
        values = ", ".join(map(str, self.choices))
        raise serializers.ValidationError(
            f"Must be one of {values}, not {str(kwargs['input'])[:80]!r}.", code=key
        )


@extend_schema_field(bool)
class Flag(serializers.Field):  # type: ignore[type-arg]  # the stubs want five parameters for it
    """JSON true or false. DRF's field also accepts "yes", 1 and others."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Integer(serializers.IntegerField):
    """An integer from 0 to 2^31 - 1, like the IDs of the contract."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=2**31 - 1, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        # 7.0 is an integer too (JSON Schema 6.1.1), and some clients send IDs as strings.
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        return super().to_internal_value(data)
