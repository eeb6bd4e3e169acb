"""Copies all rows of one database to another one, in one transaction."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from applications.triggers import search_index
from runai_access.errors import DomainError

SOURCE, TARGET = "default", "target"
_CHUNK = 2000
# Whatever has data that a migration or the first start did not create.
_SIGNS_OF_USE = ("accounts.User", "applications.Application", "audit.Seal")


class NotCopied(DomainError):
    """The copy failed and the target is unchanged; the message says why."""


def connect(settings: dict[str, Any]) -> BaseDatabaseWrapper:
    """Add the target to Django's databases and return its connection."""
    connections.settings[TARGET] = {**connections.settings[SOURCE], **settings}
    return connections[TARGET]


def require_unused() -> None:
    """Raise NotCopied if the target contains data."""
    for label in _SIGNS_OF_USE:
        if apps.get_model(label)._base_manager.using(TARGET).exists():
            raise NotCopied("The target is not empty. Create an empty database for the copy.")


def copy_all() -> dict[str, int]:
    """Copy the rows of all tables to a migrated PostgreSQL database; return their counts.

    Triggers are off meanwhile: the rows have the values that they maintain. Raises NotCopied.
    """
    target = connections[TARGET]
    copied = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    quote = target.ops.quote_name
    tables = [quote(model._meta.db_table) for model in copied]
    counts = {}
    with transaction.atomic(SOURCE), transaction.atomic(TARGET), target.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(tables)}")
        for model in copied:
            counts[model._meta.db_table] = _copy(model, target, cursor)
        for statement in target.ops.sequence_reset_sql(no_style(), copied):
            cursor.execute(statement)
        search_index.rebuild(target)
        # Check the foreign keys now: a table with pending checks can't be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for model in copied:
            count = model._base_manager.using(TARGET).count()
            if count != counts[model._meta.db_table]:
                raise NotCopied(f"{model._meta.db_table} has {count} rows in the copy.")
    return counts


def _copy(model: type[models.Model], target: BaseDatabaseWrapper, cursor: Any) -> int:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    quote = target.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    count = 0
    with cursor.copy(f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN") as copy:
        for row in _rows(model, fields):
            copy.write_row(
                field.get_db_prep_save(value, target)
                for field, value in zip(fields, row, strict=True)
            )
            count += 1
    return count


def _rows(model: type[models.Model], fields: list[Any]) -> Iterator[tuple[Any, ...]]:
    rows = model._base_manager.using(SOURCE).values_list(*(field.attname for field in fields))
    return rows.order_by("pk").iterator(chunk_size=_CHUNK)
