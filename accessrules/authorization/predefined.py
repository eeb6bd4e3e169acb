"""Rows that every database has after migration: predefined roles, `system` and the account."""

from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accessrules.authorization.catalog import PREDEFINED_ROLES
from accessrules.models import ACCOUNT_PATH, SYSTEM_PATH, Role, Scope

T = TypeVar("T", Role, Scope)


def load(**_: Any) -> None:
    """Create or update the predefined roles, `system` and the account. Idempotent."""
    with transaction.atomic():
        _wait_for_other_processes()
        for role in PREDEFINED_ROLES:
            _upsert(
                Role,
                {"id": role.id},
                {
                    "name": role.name,
                    "description": role.description,
                    "assignable": role.assignable,
                    "permissions": role.permissions,
                    "created_by": role.created_by,
                },
            )
        system = _upsert(
            Scope,
            {"type": Scope.Type.SYSTEM},
            {"uid": "system", "name": "system", "depth": 0, "path": SYSTEM_PATH},
        )
        _upsert(
            Scope,
            {"type": Scope.Type.TENANT},
            {
                "uid": str(settings.ACCOUNT_ID),
                "name": settings.ACCOUNT_NAME,
                "parent": system,
                "parent_type": Scope.Type.SYSTEM,
                "depth": 1,
                "path": ACCOUNT_PATH,
            },
        )


def _wait_for_other_processes() -> None:
    """Let one `migrate` at a time create rows. In SQLite the transaction has already waited."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE accessrules_role IN SHARE ROW EXCLUSIVE MODE")


def _upsert(model: type[T], key: dict[str, Any], values: dict[str, Any]) -> T:
    row = model.objects.filter(**key).first()
    if row is None:
        return model.objects.create(**key, **{"created_by": "system", **values})
    changed: list[str] = [name for name, value in values.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, values[name])
        row.updated_at = timezone.now()
        row.save(update_fields=[*changed, "updated_at"])
    return row
