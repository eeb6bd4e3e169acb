"""What the management commands for operators share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from runai_access.errors import DomainError


class OperatorCommand(BaseCommand):
    """A command that skips Django's checks of the code.

    They import every view, which takes longer than most commands, and tests run them.
    """

    requires_system_checks = ()


@contextmanager
def report_refusals(names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn errors of actions into a CommandError: one clear message and exit status 1.

    `names` maps a field to the operator's name for it, for example {"name": "NAME"}.
    """
    try:
        yield
    except ValidationError as error:
        raise CommandError(_sentence(error, names or {})) from error
    except DomainError as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(
            f"Database error: {str(error).strip()}\n"
            f"Check that the database is running and up to date ({settings.COMMAND} prepare)."
        ) from error


def _sentence(error: ValidationError, names: Mapping[str, str]) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        f"{names.get(field, field)}: {' '.join(messages)}"
        for field, messages in error.message_dict.items()
    )
