"""Serializers of bodies, and fields that take what JSON says and nothing that merely looks like it."""

from collections.abc import Mapping
from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runai_access.api.spelling import intended_name

# JSON may carry the character, no database takes it as text.
TEXT = {"type": "string", "pattern": r"^[^\x00]*$"}


class Body(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """A JSON object in a request. Unknown members are ignored, except likely misspellings."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated members; raise ValidationError that names a misspelled one."""
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
    """A JSON string; DRF's own field would take a number too."""

    def __init__(self, *, trim_whitespace: bool = False, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=trim_whitespace, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of a few values; DRF's own message doesn't list them."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key != "invalid_choice":
            super().fail(key, **kwargs)
        values = ", ".join(map(str, self.choices))
        raise serializers.ValidationError(
            f"Must be one of {values}, not {str(kwargs['input'])[:80]!r}.", code=key
        )


@extend_schema_field(bool)
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
        # 7.0 is a whole number too (JSON Schema 6.1.1), and some clients send ids as strings.
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        return super().to_internal_value(data)
